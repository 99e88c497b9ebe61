//! What we answer to an interchange: TA1, and a 999 (005010X231A1) for each of its groups.

use crate::fault::{Issue, Place, Severity, X12Place, X12Trigger};
use crate::x12::assemble::{Envelope, MAX_CONTROL_NUMBER, open_envelope};
use crate::x12::reader::{Group, Interchange, TransactionSet};
use crate::x12::segment::Segment;
use crate::x12::writer::Lines;
use jiff::civil::DateTime;
use std::collections::HashMap;

/// IK502 of a set that we have no guide for: we do not take it, however clean it is.
const UNSUPPORTED: [&str; 2] = ["1", "19"];
/// Most errors that a 999 names for one transaction set; it is rejected all the same.
pub const MAX_NOTES: usize = 1_000;
/// Longest copy of a bad value (IK404).
const MAX_COPY: usize = 99;
/// Groups that are acknowledgments, and are not acknowledged.
const ACKNOWLEDGMENTS: &str = "FA";
/// GS08 and ST03 of what we write.
const VERSION: &str = "005010X231A1";

/// Control numbers of the answer.
#[derive(Debug, Clone, Copy)]
pub struct Numbers {
    /// ISA13.
    pub interchange: u32,
    /// GS06.
    pub group: u32,
}

/// The answer to an interchange with the issues that [`crate::x12::check`] found; empty when none is due. An error rejects
/// what it is in, a warning is noted and the rest accepted: who wants to take something in spite of an error makes a
/// warning of it first. Issues without a code of the 999 (balances) are not told.
///
/// A TA1 is written when ISA14 asks for it or the envelope is broken; a broken envelope gets no 999. What consists of
/// acknowledgments alone is never answered.
pub fn acknowledge(interchange: &Interchange<'_>, issues: &[Issue], numbers: Numbers, at: DateTime) -> Vec<u8> {
    let places = Places::of(issues);
    let verdict = Verdict::of(places.at(None, None));
    let groups: Vec<_> = interchange.groups.iter().filter(|group| group.functional_id() != ACKNOWLEDGMENTS).collect();
    let only_answers = groups.is_empty() && (!interchange.groups.is_empty() || !interchange.ta1.is_empty());
    let wants_ta1 = !only_answers && (interchange.isa.element(14) == "1" || verdict.code == "R");
    let answered = if verdict.code == "R" { &[] } else { groups.as_slice() };
    if !wants_ta1 && answered.is_empty() {
        return Vec::new();
    }
    let envelope = envelope(interchange, numbers, at);
    let Ok((isa, gs)) = open_envelope(ACKNOWLEDGMENTS, VERSION, &envelope) else { return Vec::new() };
    let mut lines = Lines::new(envelope.delimiters);
    lines.raw(&isa);
    if wants_ta1 {
        ta1(&mut lines, interchange, &verdict);
    }
    if !answered.is_empty() {
        lines.raw(&gs);
        for (n, group) in (1..).zip(answered) {
            group_999(&mut lines, n, group, &places);
        }
        lines.line(&["GE", &answered.len().to_string(), &envelope.group_control_number.to_string()]);
    }
    let group_count = if answered.is_empty() { "0" } else { "1" };
    lines.line(&["IEA", group_count, &format!("{:09}", envelope.interchange_control_number)]);
    lines.out
}

/// A fault that an acknowledgment has a code for.
#[derive(Clone, Copy)]
struct Noted<'i> {
    at: &'i X12Place,
    code: &'i str,
    is_error: bool,
}

/// Whether an issue makes an acknowledgment refuse what it is in.
pub fn refuses(issue: &Issue) -> bool {
    noted(issue).is_some_and(|noted| noted.is_error)
}

fn noted(issue: &Issue) -> Option<Noted<'_>> {
    let Place::X12(at) = &issue.at else { return None };
    let code = at.error_code.as_deref()?;
    let is_unsupported = at.transaction_set.is_some() && at.ordinal.is_none() && UNSUPPORTED.contains(&code);
    // Notes, and doubts about situations and codes, are for the reader of the file and not for its sender.
    let told_from = if at.check.is_some() { Severity::Error } else { Severity::Warning };
    let is_told = issue.severity >= told_from || is_unsupported;
    is_told.then_some(Noted { at, code, is_error: issue.is_error() || is_unsupported })
}

/// The faults of the interchange (no group, no set), of each group (no set) and of each set.
struct Places<'i>(HashMap<(Option<&'i str>, Option<&'i str>), Vec<Noted<'i>>>);

impl<'i> Places<'i> {
    fn of(issues: &'i [Issue]) -> Places<'i> {
        let mut places = Places(HashMap::new());
        for noted in issues.iter().filter_map(noted) {
            let key = (noted.at.group.as_deref(), noted.at.transaction_set.as_deref());
            places.0.entry(key).or_default().push(noted);
        }
        places
    }

    fn at<'p>(&'p self, group: Option<&'p str>, set: Option<&'p str>) -> &'p [Noted<'i>] {
        let found: Option<&'p Vec<Noted<'i>>> = self.0.get(&(group, set));
        found.map(Vec::as_slice).unwrap_or_default()
    }
}

/// TA104 and TA105.
struct Verdict<'i> {
    code: &'static str,
    note: &'i str,
}

impl<'i> Verdict<'i> {
    /// By the faults of the interchange itself.
    fn of(places: &[Noted<'i>]) -> Verdict<'i> {
        let (error, warning) = (places.iter().find(|noted| noted.is_error), places.first());
        match (error, warning) {
            (Some(noted), _) => Verdict { code: "R", note: noted.code },
            (None, Some(noted)) => Verdict { code: "E", note: noted.code },
            (None, None) => Verdict { code: "A", note: "000" },
        }
    }
}

/// Sender and receiver change places.
fn envelope(interchange: &Interchange<'_>, numbers: Numbers, at: DateTime) -> Envelope {
    let isa = &interchange.isa;
    let delimiters = if interchange.delimiters.fault().is_none() { interchange.delimiters } else { Default::default() };
    let plain = |text: &str, width: usize, otherwise: &str| {
        let fits = |character: &char| character.is_ascii_graphic() && !delimiters.contains(*character as u8);
        let kept: String = text.chars().filter(fits).take(width).collect();
        if kept.is_empty() { otherwise.to_owned() } else { kept }
    };
    let gs = |n| interchange.groups.first().map_or("", |group| group.gs.element(n));
    let (sender_id, receiver_id) = (plain(isa.element(8), 15, "UNKNOWN"), plain(isa.element(6), 15, "UNKNOWN"));
    Envelope {
        sender_qualifier: plain(isa.element(7), 2, "ZZ"),
        receiver_qualifier: plain(isa.element(5), 2, "ZZ"),
        group_sender: plain(gs(3), 15, &sender_id),
        group_receiver: plain(gs(2), 15, &receiver_id),
        sender_id,
        receiver_id,
        usage: if isa.element(15) == "P" { 'P' } else { 'T' },
        // An acknowledgment is not acknowledged.
        acknowledgment_requested: false,
        at,
        interchange_control_number: numbers.interchange.clamp(1, MAX_CONTROL_NUMBER),
        group_control_number: numbers.group.clamp(1, MAX_CONTROL_NUMBER),
        delimiters,
    }
}

fn ta1(lines: &mut Lines, interchange: &Interchange<'_>, verdict: &Verdict<'_>) {
    let digits = |text: &str, width: usize| {
        let digits: String = text.chars().filter(char::is_ascii_digit).take(width).collect();
        format!("{digits:0>width$}")
    };
    let isa = &interchange.isa;
    let (number, day, clock) = (digits(isa.element(13), 9), digits(isa.element(9), 6), digits(isa.element(10), 4));
    lines.line(&["TA1", &number, &day, &clock, verdict.code, verdict.note]);
}

/// One 999 for one group.
fn group_999(lines: &mut Lines, n: usize, group: &Group<'_>, places: &Places<'_>) {
    let number = format!("{n:04}");
    lines.count = 0;
    lines.line(&["ST", "999", &number, VERSION]);
    lines.line(&["AK1", group.functional_id(), group.control_number(), group.version()]);
    let own = Some(group.control_number());
    let codes: Vec<_> =
        group.sets.iter().map(|set| set_response(lines, set, places.at(own, Some(set.control_number())))).collect();
    let faults = places.at(own, None);
    let accepted = codes.iter().filter(|code| **code != "R").count();
    let (code, accepted) = group_code(&codes, accepted, faults);
    let received = codes.len().to_string();
    let included = group.ge.as_ref().map(|ge| ge.element(1)).filter(|count| count.parse::<u32>().is_ok());
    let accepted = accepted.to_string();
    let mut line = vec!["AK9", code, included.unwrap_or(&received), &received, &accepted];
    line.extend(distinct(faults));
    lines.line(&line);
    let count = (lines.count + 1).to_string();
    lines.line(&["SE", &count, &number]);
}

/// AK901 and AK904.
fn group_code(codes: &[&str], accepted: usize, faults: &[Noted<'_>]) -> (&'static str, usize) {
    if faults.iter().any(|noted| noted.is_error) {
        return ("R", 0);
    }
    let code = match accepted {
        0 if !codes.is_empty() => "R",
        _ if accepted < codes.len() => "P",
        _ if codes.contains(&"E") || !faults.is_empty() => "E",
        _ => "A",
    };
    (code, accepted)
}

/// The codes of faults, each once; an acknowledgment has room for five.
fn distinct<'i>(faults: &[Noted<'i>]) -> Vec<&'i str> {
    let mut codes: Vec<&str> = Vec::new();
    for noted in faults {
        if !codes.contains(&noted.code) && codes.len() < 5 {
            codes.push(noted.code);
        }
    }
    codes
}

/// AK2 to IK5 of one set; gives back IK501.
fn set_response(lines: &mut Lines, set: &TransactionSet<'_>, places: &[Noted<'_>]) -> &'static str {
    lines.line(&["AK2", set.id(), set.control_number(), set.segments.first().map_or("", |st| st.element(3))]);
    let (mut inside, mut faults): (Vec<Noted<'_>>, Vec<Noted<'_>>) =
        places.iter().copied().partition(|noted| noted.at.ordinal.is_some());
    inside.sort_by_key(|noted| (noted.at.ordinal, noted.at.element, noted.at.component));
    for (n, noted) in inside.iter().enumerate().take(MAX_NOTES) {
        let is_element = noted.at.element.is_some();
        // Elements of one segment follow one IK3.
        let follows = is_element && n.checked_sub(1).is_some_and(|before| same_segment(&inside[before], noted));
        if !follows {
            segment_note(lines, set, noted);
        }
        if is_element {
            element_note(lines, set, noted);
        }
    }
    let code = match places.iter().any(|noted| noted.is_error) {
        true => "R",
        false if places.is_empty() => "A",
        false => "E",
    };
    if let Some(first) = inside.first() {
        faults.push(Noted { code: "5", ..*first });
    }
    let mut line = vec!["IK5", code];
    line.extend(distinct(&faults));
    lines.line(&line);
    code
}

fn same_segment(before: &Noted<'_>, noted: &Noted<'_>) -> bool {
    before.at.ordinal == noted.at.ordinal && before.at.element.is_some()
}

/// IK3, and the CTX that names the claim or inquiry.
fn segment_note(lines: &mut Lines, set: &TransactionSet<'_>, noted: &Noted<'_>) {
    let ordinal = noted.at.ordinal.unwrap_or_default();
    let in_loop = noted.at.loop_id.as_deref().map(short_loop).unwrap_or_default();
    let code = if noted.at.element.is_some() { "8" } else { noted.code };
    let id = plain(lines, noted.at.segment.as_deref().unwrap_or_default(), 3);
    lines.line(&["IK3", &id, &ordinal.to_string(), in_loop, code]);
    if noted.at.element.is_none() {
        situational_trigger(lines, noted.at.trigger.as_deref());
    }
    if let Some((name, value)) = business_unit(set, ordinal) {
        let value = plain(lines, value, 35);
        let context = format!("{name}{}{value}", char::from(lines.delimiters.component));
        lines.line(&["CTX", context.trim_end_matches(char::from(lines.delimiters.component))]);
    }
}

/// IK4: which element, what is wrong, and a copy of the value where the value is at fault.
fn element_note(lines: &mut Lines, set: &TransactionSet<'_>, noted: &Noted<'_>) {
    let at = noted.at;
    let separator = char::from(lines.delimiters.component);
    let positions = [at.element, at.component, at.repetition].map(|n| n.filter(|n| *n > 0).map(|n| n.to_string()));
    let position = positions.map(Option::unwrap_or_default).join(&separator.to_string());
    let segment = at.ordinal.and_then(|ordinal| set.segments.get(ordinal as usize - usize::from(ordinal > 0)));
    let value = segment.map_or("", |segment| value_at(segment, at));
    let of_value = matches!(noted.code, "4" | "5" | "6" | "7" | "8" | "9" | "I6" | "I12");
    let copy = if of_value { plain(lines, value, MAX_COPY) } else { String::new() };
    lines.line(&["IK4", position.trim_end_matches(separator), "", noted.code, copy.trim()]);
    situational_trigger(lines, at.trigger.as_deref());
}

/// CTX: what made something required, or not used.
fn situational_trigger(lines: &mut Lines, trigger: Option<&X12Trigger>) {
    let Some(trigger) = trigger else { return };
    let separator = char::from(lines.delimiters.component);
    let positions = [trigger.element, trigger.component].map(|n| n.map(|n| n.to_string()).unwrap_or_default());
    let position = positions.join(&separator.to_string());
    let in_loop = short_loop(&trigger.loop_id);
    let ordinal = trigger.ordinal.to_string();
    let position = position.trim_end_matches(separator);
    lines.line(&["CTX", "SITUATIONAL TRIGGER", &trigger.segment, &ordinal, in_loop, position]);
}

/// Element 447 has room for four characters, loops of the guides have up to six.
fn short_loop(id: &str) -> &str {
    if id.len() <= 4 && id != "ST" { id } else { "" }
}

fn value_at<'a>(segment: &Segment<'a>, at: &X12Place) -> &'a str {
    let element = usize::from(at.element.unwrap_or_default());
    match at.component {
        Some(component) => segment.component(element, usize::from(component)),
        None => segment.element(element),
    }
}

/// What can be sent of a value, and no more than fits.
fn plain(lines: &Lines, value: &str, width: usize) -> String {
    let fits = |character: &char| (' '..='~').contains(character) && !lines.delimiters.contains(*character as u8);
    value.chars().filter(fits).take(width).collect()
}

/// A business unit: the transaction, the segment that names it, its qualifier (element 1; empty for any), the element of the
/// name, and what the 999 calls it (CTX01-1).
type UnitRow = (&'static str, &'static str, &'static str, usize, &'static str);

/// The first row that fits wins.
const BUSINESS_UNITS: [UnitRow; 12] = [
    ("837", "CLM", "", 1, "CLM01"),
    ("835", "TRN", "", 2, "TRN02"),
    ("270", "TRN", "", 2, "TRN02"),
    ("271", "TRN", "", 2, "TRN02"),
    ("276", "TRN", "", 2, "TRN02"),
    ("277", "TRN", "", 2, "TRN02"),
    ("277", "NM1", "QC", 9, "PATIENT NAME NM109"),
    ("278", "TRN", "", 2, "TRN02"),
    ("278", "NM1", "IL", 9, "SUBSCRIBER NAME NM109"),
    ("820", "ENT", "", 1, "ENT01"),
    ("834", "REF", "0F", 2, "SUBSCRIBER NUMBER REF02"),
    ("270", "NM1", "IL", 9, "SUBSCRIBER NAME NM109"),
];

/// The business unit that a segment stands in: the last that began before it, inside the same level.
fn business_unit<'a>(set: &TransactionSet<'a>, ordinal: u32) -> Option<(&'static str, &'a str)> {
    let before = set.segments.get(..(ordinal as usize).min(set.segments.len()))?;
    let rows = BUSINESS_UNITS.iter().filter(|(transaction, ..)| *transaction == set.id());
    let mut found = rows.filter_map(|(_, id, qualifier, element, name)| {
        let level = before.iter().rev().take_while(|segment| segment.id() != "HL");
        let is_unit =
            |segment: &&Segment<'_>| segment.id() == *id && (qualifier.is_empty() || segment.element(1) == *qualifier);
        let value = level.into_iter().find(is_unit)?.element(*element);
        (!value.is_empty()).then_some((*name, value))
    });
    found.next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::check::check_interchange;
    use crate::x12::guide::tests::shipped;
    use crate::x12::reader;
    use crate::x12::tokens::tests::isa;

    const CLAIM: &str = "ST*837*0001*005010X222A1~BHT*0019*00*B*20250303*1200*CH~NM1*41*2*CG*****46*1X~PER*IC*A*TE*5551234567~\
        NM1*40*2*P*****46*P1~HL*1**20*1~NM1*85*2*ACME*****XX*1234567893~N3*1 MAIN~N4*TOWN*NY*10001~REF*EI*123456789~HL*2*1*22*0~\
        SBR*P*18*******CI~NM1*IL*1*DOE*JOHN****MI*123~N3*1 ELM~N4*TOWN*NY*10001~DMG*D8*19800101*M~NM1*PR*2*PAYER*****PI*999~CLM*A1*100***11:B:1*Y*A*Y*Y~HI*ABK:J020~LX*1~\
        SV1*HC:99213*100*UN*1***1~DTP*472*D8*20250303~SE*23*0001~";

    fn answer(asked: bool, body: &str) -> String {
        let head = isa('*', '^', ':', "~").replace("*0*T*", if asked { "*1*T*" } else { "*0*T*" });
        let text = format!("{head}{body}IEA*1*000000001~");
        let (interchanges, _) = reader::read(&text);
        let issues = check_interchange(shipped(), &interchanges[0]);
        let at = jiff::civil::date(2025, 3, 3).at(14, 30, 0, 0);
        let bytes = acknowledge(&interchanges[0], &issues, Numbers { interchange: 9, group: 8 }, at);
        let answer = String::from_utf8(bytes).unwrap();
        let (read, _) = reader::read(&answer);
        let own: Vec<_> = read.iter().flat_map(|read| check_interchange(shipped(), read)).collect();
        assert!(own.is_empty(), "{answer}\n{own:?}");
        answer
    }

    fn group(sets: &str, count: usize) -> String {
        format!("GS*HC*SENDER*RECEIVER*20250303*1200*7*X*005010X222A1~{sets}GE*{count}*7~")
    }

    /// The segments between ST and SE.
    fn content(answer: &str) -> Vec<&str> {
        let all = answer.split('~').skip_while(|raw| !raw.starts_with("AK1"));
        all.take_while(|raw| !raw.starts_with("SE")).collect()
    }

    #[test]
    fn a_clean_group_is_accepted() {
        let text = answer(false, &group(CLAIM, 1));
        assert!(text.starts_with(
            "ISA*00*          *00*          *ZZ*RECEIVER       *ZZ*SENDER         *250303*1430*^*00501*000000009*0*T*:~\
             GS*FA*RECEIVER*SENDER*20250303*1430*8*X*005010X231A1~ST*999*0001*005010X231A1~"
        ));
        assert_eq!(content(&text), ["AK1*HC*7*005010X222A1", "AK2*837*0001*005010X222A1", "IK5*A", "AK9*A*1*1*1"]);
        assert!(answer(true, &group(CLAIM, 1)).contains("~TA1*000000001*250303*1200*A*000~GS*FA"));
    }

    #[test]
    fn errors_are_named_with_segment_element_and_claim() {
        let bad = CLAIM
            .replace("0001", "0002")
            .replace("11:B:1*Y*A", "11:B:QQ*Y*")
            .replace("HI*ABK:J020~", "")
            .replace("SE*23", "SE*22");
        let text = answer(false, &group(&format!("{CLAIM}{bad}"), 2));
        let expected = [
            "AK1*HC*7*005010X222A1",
            "AK2*837*0001*005010X222A1",
            "IK5*A",
            "AK2*837*0002*005010X222A1",
            "IK3*HI*18*2300*3",
            "CTX*CLM01:A1",
            "IK3*CLM*18*2300*8",
            "CTX*CLM01:A1",
            "IK4*5:3**5*QQ",
            "IK4*7**1",
            "IK5*R*5",
            "AK9*P*2*2*1",
        ];
        assert_eq!(content(&text), expected);
    }

    #[test]
    fn counts_and_numbers_of_the_envelope_are_named() {
        let text = answer(false, &group(&CLAIM.replace("SE*23*0001", "SE*21*0009"), 3));
        assert_eq!(content(&text)[2..], ["IK5*R*4*3", "AK9*R*3*1*0*5"]);
    }

    #[test]
    fn a_broken_envelope_is_rejected_whole() {
        let text =
            answer(false, &group(CLAIM, 1).replace("GE*1*7~", "GE*1*7~GS*HC***20250303*1200*8*X*005010X222A1~GE*0*8~"));
        assert!(text.contains("TA1*000000001*250303*1200*R*021~IEA*0*000000009~"), "{text}");
    }

    #[test]
    fn acknowledgments_are_not_acknowledged() {
        let fa = "GS*FA*A*B*20250303*1200*7*X*005010X231A1~ST*999*0001*005010X231A1~AK1*HC*7*005010X222A1~AK9*A*1*1*1~SE*4*0001~GE*1*7~";
        assert_eq!(answer(true, fa), "");
    }

    #[test]
    fn the_notes_of_a_set_are_limited() {
        for (lines, notes) in [(MAX_NOTES, MAX_NOTES), (MAX_NOTES + 1, MAX_NOTES)] {
            let zzz = "ZZZ*1~".repeat(lines);
            let set = format!("ST*837*0001*005010X222A1~{zzz}SE*{}*0001~", lines + 2);
            let (interchange, at) = (
                format!("{}{}IEA*1*000000001~", isa('*', '^', ':', "~"), group(&set, 1)),
                jiff::civil::date(2025, 3, 3),
            );
            let (interchanges, _) = reader::read(&interchange);
            let mut issues = check_interchange(shipped(), &interchanges[0]);
            issues.retain(|issue| issue.to_string().contains("knows no such"));
            let bytes = acknowledge(&interchanges[0], &issues, Numbers { interchange: 1, group: 1 }, at.at(0, 0, 0, 0));
            assert_eq!(String::from_utf8(bytes).unwrap().matches("IK3*").count(), notes);
        }
    }
}
