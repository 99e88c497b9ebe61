//! Facts of an answer, counted over raw segments that are split by hand.

use super::{Facts, count};
use rust_decimal::Decimal;

/// What an answer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Payment,
    Status,
    Eligibility,
    Review,
    Acknowledgment,
}

/// A segment, split at its delimiters.
pub struct Raw {
    elements: Vec<String>,
    component: char,
    repetition: char,
}

impl Raw {
    pub fn id(&self) -> &str {
        &self.elements[0]
    }

    pub fn at(&self, n: usize) -> &str {
        self.elements.get(n).map_or("", |text| text.trim())
    }

    /// Every component of every element.
    pub fn values(&self) -> Vec<&str> {
        let elements = self.elements.iter().skip(1);
        elements.flat_map(|element| element.split([self.component, self.repetition])).map(str::trim).collect()
    }

    fn part(&self, n: usize, c: usize) -> &str {
        self.at(n).split(self.component).nth(c - 1).unwrap_or_default().trim()
    }

    fn repetitions(&self, n: usize) -> Vec<&str> {
        self.at(n).split(self.repetition).map(str::trim).filter(|text| !text.is_empty()).collect()
    }

    fn number(&self, n: usize) -> Option<String> {
        let number: Decimal = self.at(n).parse().ok()?;
        Some(number.normalize().to_string())
    }
}

/// Every segment; each interchange brings its own delimiters.
pub fn segments(bytes: &[u8]) -> Vec<Raw> {
    let text: String = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    };
    let mut all = Vec::new();
    let starts: Vec<usize> = text.match_indices("ISA").map(|(at, _)| at).filter(|at| begins(&text, *at)).collect();
    for (n, start) in starts.iter().enumerate() {
        let piece = &text[*start..starts.get(n + 1).copied().unwrap_or(text.len())];
        let head: Vec<char> = piece.chars().take(106).collect();
        let (element, component, terminator) = (head[3], head[104], head[105]);
        let repetition = if head[82].is_alphanumeric() { '\u{0}' } else { head[82] };
        let pieces = piece.split(terminator).map(|piece| piece.trim_matches(['\r', '\n', ' ', '\t']));
        all.extend(pieces.filter(|piece| !piece.is_empty()).map(|piece| Raw {
            elements: piece.split(element).map(str::to_owned).collect(),
            component,
            repetition,
        }));
    }
    all
}

/// An ISA is 106 characters of 16 elements.
fn begins(text: &str, at: usize) -> bool {
    let Some(element) = text[at..].chars().nth(3).filter(|c| !c.is_alphanumeric()) else { return false };
    let head: String = text[at..].chars().take(105).collect();
    head.matches(element).count() == 16
}

pub fn date(text: &str) -> Option<String> {
    let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    let day = digits.then(|| format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]))?;
    day.parse::<jiff::civil::Date>().is_ok().then_some(day)
}

/// A date or both ends of a range, as a DTP has it; anything else as it is.
fn period(text: &str) -> String {
    match text.split_once('-').map(|(start, end)| (date(start), date(end))) {
        Some((Some(start), Some(end))) => format!("{start}/{end}"),
        _ => date(text).unwrap_or_else(|| text.to_owned()),
    }
}

/// What a file says.
pub fn expected(kind: Kind, bytes: &[u8]) -> Facts {
    let segments = segments(bytes);
    let mut facts = Facts::new();
    match kind {
        Kind::Payment => payment(&segments, &mut facts),
        Kind::Status => status(&segments, &mut facts),
        Kind::Eligibility => eligibility(&segments, &mut facts),
        Kind::Review => review(&segments, &mut facts),
        Kind::Acknowledgment => acknowledgment(&segments, &mut facts),
    }
    facts
}

/// Where a segment of an 835 stands.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Header,
    Claim,
    Line,
    After,
}

fn payment(segments: &[Raw], facts: &mut Facts) {
    let mut at = At::Header;
    let mut remarks: Vec<(String, String)> = Vec::new();
    for segment in segments {
        at = match segment.id() {
            "ST" => At::Header,
            "CLP" => At::Claim,
            "SVC" => At::Line,
            "LX" | "PLB" | "SE" => At::After,
            _ => at,
        };
        if matches!(segment.id(), "CLP" | "LX" | "PLB" | "SE") {
            flush(&mut remarks, facts);
        }
        match at {
            At::Header | At::After => remittance(segment, facts),
            At::Claim => claim(segment, facts, &mut remarks),
            At::Line => line(segment, facts, &mut remarks),
        }
    }
}

/// A remark is said once a claim, however many of its lines it is about.
fn flush(remarks: &mut Vec<(String, String)>, facts: &mut Facts) {
    remarks.sort();
    remarks.dedup();
    for (list, code) in remarks.drain(..) {
        count(facts, "remark", format!("{list} {code}"));
    }
}

fn remittance(segment: &Raw, facts: &mut Facts) {
    match segment.id() {
        "BPR" => {
            count(facts, "payment", segment.number(2).unwrap_or_else(|| "0".into()));
            date(segment.at(16)).into_iter().for_each(|day| count(facts, "payment date", day));
        }
        "TRN" => count(facts, "payment trace", segment.at(2)),
        "DTM" if segment.at(1) == "405" => count(facts, "production date", date(segment.at(2)).unwrap_or_default()),
        "PLB" => {
            for at in [3, 5, 7, 9, 11, 13] {
                if let Some(amount) = segment.number(at + 1) {
                    let fact = format!("{} {} {amount}", segment.part(at, 1), segment.part(at, 2));
                    count(facts, "provider adjustment", fact);
                }
            }
        }
        "TS3" | "TS2" => {
            (1..=24).filter(|n| !segment.at(*n).is_empty()).for_each(|n| count(facts, segment.id(), segment.at(n)));
        }
        _ => {}
    }
}

fn claim(segment: &Raw, facts: &mut Facts, remarks: &mut Vec<(String, String)>) {
    match segment.id() {
        "CLP" => {
            count(facts, "claim", segment.at(1));
            count(facts, "charge", segment.number(3).unwrap_or_else(|| "0".into()));
            count(facts, "paid", segment.number(4).unwrap_or_else(|| "0".into()));
            if segment.at(7).chars().any(|c| c != '0') {
                count(facts, "payer number", segment.at(7));
            }
        }
        "DTM" => count(facts, "date", format!("{} {}", segment.at(1), period(segment.at(2)))),
        "MIA" => remarks_at(segment, &[5, 20, 21, 22, 23], facts, remarks),
        "MOA" => remarks_at(segment, &[3, 4, 5, 6, 7], facts, remarks),
        "REF" if segment.at(1) == "G1" => count(facts, "authorization", segment.at(2)),
        _ => both(segment, facts, remarks),
    }
}

fn remarks_at(segment: &Raw, places: &[usize], facts: &mut Facts, remarks: &mut Vec<(String, String)>) {
    for n in (1..=24).filter(|n| !segment.at(*n).is_empty()) {
        if places.contains(&n) {
            remarks.push(("HE".to_owned(), segment.at(n).to_owned()));
        } else {
            let value = segment.number(n).unwrap_or_else(|| segment.at(n).to_owned());
            count(facts, "detail", format!("{}{n:02} {value}", segment.id().to_lowercase()));
        }
    }
}

fn line(segment: &Raw, facts: &mut Facts, remarks: &mut Vec<(String, String)>) {
    match (segment.id(), segment.at(1)) {
        ("SVC", _) => {
            count(facts, "line charge", segment.number(2).unwrap_or_else(|| "0".into()));
            count(facts, "line paid", segment.number(3).unwrap_or_else(|| "0".into()));
            count(facts, "units paid", segment.number(5).unwrap_or_else(|| "1".into()));
            // Where the component separator is not the one that the ISA names, another is seen behind the qualifier.
            let foreign = !segment.at(1).contains(segment.component);
            let code =
                if foreign { segment.at(1).split('>').nth(1).unwrap_or(segment.at(1)) } else { segment.part(1, 2) };
            count(facts, "procedure", code);
        }
        ("DTM", "472" | "150") => count(facts, "service start", date(segment.at(2)).unwrap_or_default()),
        ("DTM", "151") => count(facts, "service end", date(segment.at(2)).unwrap_or_default()),
        ("DTM", qualifier) => count(facts, "date", format!("{qualifier} {}", period(segment.at(2)))),
        _ => both(segment, facts, remarks),
    }
}

/// What stands at claims and lines alike.
fn both(segment: &Raw, facts: &mut Facts, remarks: &mut Vec<(String, String)>) {
    match segment.id() {
        "CAS" => {
            for at in [2, 5, 8, 11, 14, 17] {
                if let Some(amount) = segment.number(at + 1) {
                    let quantity = segment.number(at + 2).unwrap_or_default();
                    let fact = format!("{} {} {amount} {quantity}", segment.at(1), segment.at(at));
                    count(facts, "adjustment", fact);
                }
            }
        }
        "AMT" => count(facts, "amount", format!("{} {}", segment.at(1), segment.number(2).unwrap_or_default())),
        "QTY" => count(facts, "quantity", format!("{} {}", segment.at(1), segment.number(2).unwrap_or_default())),
        "REF" => count(facts, "reference", format!("{} {}", segment.at(1), segment.at(2))),
        "LQ" => remarks.push((segment.at(1).to_owned(), segment.at(2).to_owned())),
        _ => {}
    }
}

fn status(segments: &[Raw], facts: &mut Facts) {
    for segment in segments {
        match segment.id() {
            "STC" => {
                for n in [1, 10, 11].into_iter().filter(|n| !segment.at(*n).is_empty()) {
                    let fact = format!("{} {} {}", segment.part(n, 1), segment.part(n, 2), segment.part(n, 3));
                    count(facts, "status", fact.trim_end());
                }
                date(segment.at(2)).into_iter().for_each(|day| count(facts, "status date", day));
                date(segment.at(6)).into_iter().for_each(|day| count(facts, "finalized", day));
                date(segment.at(8)).into_iter().for_each(|day| count(facts, "payment date", day));
                Some(segment.at(9))
                    .filter(|n| !n.is_empty())
                    .into_iter()
                    .for_each(|n| count(facts, "payment trace", n));
            }
            "TRN" => count(facts, "trace", segment.at(2)),
            "DTP" if segment.at(1) == "472" => {}
            "DTP" => count(facts, "date", format!("{} {}", segment.at(1), period(segment.at(3)))),
            "QTY" => count(facts, "quantity", format!("{} {}", segment.at(1), segment.number(2).unwrap_or_default())),
            "AMT" => count(facts, "amount", format!("{} {}", segment.at(1), segment.number(2).unwrap_or_default())),
            "SVC" => segment.number(2).into_iter().for_each(|charge| count(facts, "line charge", charge)),
            _ => {}
        }
    }
}

fn eligibility(segments: &[Raw], facts: &mut Facts) {
    for segment in segments {
        match segment.id() {
            "EB" => {
                count(facts, "benefit", segment.at(1));
                segment.number(7).into_iter().for_each(|amount| count(facts, "amount", amount));
                segment.repetitions(3).into_iter().for_each(|code| count(facts, "service type", code));
                Some(segment.at(5)).filter(|plan| !plan.is_empty()).into_iter().for_each(|n| count(facts, "plan", n));
            }
            "AAA" => count(facts, "reject", format!("{} {}", segment.at(3), segment.at(4)).trim_end()),
            "TRN" => count(facts, "trace", segment.at(2)),
            "III" => count(facts, "III", format!("{} {}", segment.at(1), segment.at(2)).trim_end()),
            _ => {}
        }
    }
}

fn review(segments: &[Raw], facts: &mut Facts) {
    for segment in segments {
        match segment.id() {
            "HCR" => {
                count(facts, "decision", format!("{} {}", segment.at(1), segment.at(2)).trim_end());
                segment.repetitions(3).into_iter().for_each(|code| count(facts, "reason", code));
            }
            "AAA" => {
                // Some payers write it an element too early.
                let code = if segment.at(3).is_empty() { segment.part(2, 1) } else { segment.part(3, 1) };
                count(facts, "reject", format!("{code} {}", segment.at(4)).trim_end());
            }
            "TRN" => count(facts, "trace", segment.at(2)),
            "PWK" => count(facts, "attachment", segment.at(1)),
            "MSG" => count(facts, "message", segment.at(1)),
            _ => {}
        }
    }
}

fn acknowledgment(segments: &[Raw], facts: &mut Facts) {
    for (n, segment) in segments.iter().enumerate() {
        match segment.id() {
            // A group without a set of its own that is spoken of.
            "AK1" if segments.get(n + 1).is_none_or(|next| next.id() != "AK2") => count(facts, "group", segment.at(2)),
            "TA1" => {
                count(facts, "interchange", segment.at(1));
                Some(segment.at(5))
                    .filter(|note| !matches!(*note, "" | "000"))
                    .into_iter()
                    .for_each(|note| count(facts, "note", note));
            }
            "AK2" => count(facts, "set", segment.at(2)),
            "IK4" | "AK4" => count(facts, "element error", segment.at(3)),
            _ => {}
        }
    }
}
