//! The paper that a simulated payer writes on: the envelope of a file turned round, and its delimiters.

use super::Answer;
use crate::x12::delimiters::Delimiters;
use crate::x12::reader::Interchange;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::fmt::Write;
use std::time::Duration;

/// Control numbers of the answers: ten for each number of the file, so that they are known beforehand and never meet.
const NUMBERS_PER_FILE: u64 = 10;
const CONTROL_NUMBER_MAX: u64 = 999_999_999;

/// Everything that the answers to one file have in common.
#[derive(Debug, Clone)]
pub struct Paper {
    pub delimiters: Delimiters,
    /// Qualifier and id of ISA07/08 and ISA05/06 of the file: our sender and receiver.
    from: (String, String),
    to: (String, String),
    group_from: String,
    group_to: String,
    usage: String,
    /// ISA13 of the file.
    pub source: u64,
    /// ISA13 and GS06 of this answer.
    number: u64,
    pub at: DateTime,
    /// CCYYMMDD.
    pub date: String,
    /// HHMM.
    pub time: String,
}

impl Paper {
    pub fn new(interchange: &Interchange, now: Timestamp) -> Paper {
        let isa = |n: usize| interchange.isa.element(n).to_owned();
        let gs = |n: usize| interchange.groups.first().map_or("", |group| group.gs.element(n)).to_owned();
        let now = TimeZone::UTC.to_datetime(now);
        let source = interchange.control_number().parse().unwrap_or(0).min(CONTROL_NUMBER_MAX);
        let mut delimiters = interchange.delimiters;
        delimiters.repetition = delimiters.repetition.or(Some(b'^'));
        Paper {
            delimiters,
            from: (isa(7), isa(8)),
            to: (isa(5), isa(6)),
            group_from: gs(3),
            group_to: gs(2),
            usage: isa(15),
            source,
            number: 0,
            at: now,
            date: now.strftime("%Y%m%d").to_string(),
            time: now.strftime("%H%M").to_string(),
        }
        .numbered(0)
    }

    /// The paper for the answer of this kind.
    pub fn numbered(&self, kind: u32) -> Paper {
        let number = (self.source * NUMBERS_PER_FILE + u64::from(kind)) % (CONTROL_NUMBER_MAX + 1);
        Paper { number: number.max(1), ..self.clone() }
    }

    /// Who hears the answer: the sender of the file.
    pub fn receiver(&self) -> &str {
        self.to.1.trim()
    }

    /// ISA13 of the answer, nine digits.
    pub fn control_number(&self) -> String {
        format!("{:09}", self.number)
    }

    /// ISA13 as a number.
    pub fn number(&self) -> u32 {
        u32::try_from(self.number).unwrap_or(1)
    }

    /// A finished answer under its name: kind, number of the file, and what tells two of a kind apart.
    pub fn answer(&self, name: &str, mark: &str, after: Duration, bytes: Vec<u8>) -> Answer {
        Answer { after, name: format!("{name}-{:09}{mark}.x12", self.source), bytes }
    }

    /// An interchange around one group.
    fn interchange(&self, group: &str) -> String {
        let mut out = Segments::new(self.delimiters);
        let repetition = char::from(self.delimiters.repetition.unwrap_or(b'^')).to_string();
        let component = char::from(self.delimiters.component).to_string();
        let (blank, number) = (" ".repeat(10), self.control_number());
        let sender = [self.from.0.as_str(), &format!("{:<15}", self.from.1), &self.to.0, &format!("{:<15}", self.to.1)];
        let [from_qualifier, from, to_qualifier, to] = sender;
        let day = self.date.get(2..).unwrap_or_default();
        out.write(&[
            "ISA",
            "00",
            &blank,
            "00",
            &blank,
            from_qualifier,
            from,
            to_qualifier,
            to,
            day,
            &self.time,
            &repetition,
            "00501",
            &number,
            "0",
            &self.usage,
            &component,
        ]);
        out.text.push_str(group);
        out.write(&["IEA", "1", &number]);
        out.text
    }

    /// An interchange of one group: sets written one after the other.
    pub fn group(&self, functional_id: &str, version: &str, sets: &[String]) -> String {
        let mut out = Segments::new(self.delimiters);
        let number = self.number.to_string();
        out.write(&[
            "GS",
            functional_id,
            &self.group_from,
            &self.group_to,
            &self.date,
            &self.time,
            &number,
            "X",
            version,
        ]);
        out.text.extend(sets.iter().map(String::as_str));
        out.write(&["GE", &sets.len().to_string(), &number]);
        self.interchange(&out.text)
    }

    /// A transaction set: ST, what `fill` writes, SE with the count.
    pub fn set(&self, n: usize, st: &[&str], fill: impl FnOnce(&mut Segments)) -> String {
        let number = format!("{:04}", n + 1);
        let mut out = Segments::new(self.delimiters);
        let head: Vec<&str> = ["ST", st[0], &number].into_iter().chain(st[1..].iter().copied()).collect();
        out.write(&head);
        fill(&mut out);
        let count = (out.count + 1).to_string();
        out.write(&["SE", &count, &number]);
        out.text
    }
}

/// Segments being written.
pub struct Segments {
    delimiters: Delimiters,
    pub text: String,
    pub count: usize,
}

impl Segments {
    pub fn new(delimiters: Delimiters) -> Segments {
        Segments { delimiters, text: String::new(), count: 0 }
    }

    /// A segment without its empty end. Nothing is written when only the id is left.
    pub fn write(&mut self, elements: &[&str]) {
        let Some(last) = elements.iter().rposition(|element| !element.is_empty()).filter(|last| *last > 0) else {
            return;
        };
        for (n, element) in elements[..=last].iter().enumerate() {
            if n > 0 {
                self.text.push(char::from(self.delimiters.element));
            }
            self.text.push_str(element);
        }
        self.text.push(char::from(self.delimiters.terminator));
        if self.delimiters.newline {
            self.text.push('\n');
        }
        self.count += 1;
    }

    /// REF, when there is something to refer to.
    pub fn reference(&mut self, qualifier: &str, value: &str) {
        if !value.is_empty() {
            self.write(&["REF", qualifier, value]);
        }
    }

    /// A composite of parts, without its empty end.
    pub fn composite<T: AsRef<str>>(&self, parts: &[T]) -> String {
        let last = parts.iter().rposition(|part| !part.as_ref().is_empty()).map_or(0, |last| last + 1);
        let mut out = String::new();
        for (n, part) in parts[..last].iter().enumerate() {
            let separator = if n > 0 { char::from(self.delimiters.component).to_string() } else { String::new() };
            let _ = write!(out, "{separator}{}", part.as_ref());
        }
        out
    }
}

/// An amount as X12 writes numbers: no needless zeros.
pub fn money(amount: rust_decimal::Decimal) -> String {
    amount.normalize().to_string()
}
