//! What an acknowledgment says about what was sent: TA1, 999 and 997 read into issues that stand in the original
//! interchange, with its segments, loops and bytes.

use crate::assets::Folder;
use crate::fault::{Issue, Place, Severity, X12Place, X12Trigger, codes};
use crate::x12::code_sets::Lists;
use crate::x12::guide::Guides;
use crate::x12::reader::{Group, Interchange, TransactionSet};
use crate::x12::segment::Segment;
use crate::x12::tree;
use std::collections::HashMap;
use std::sync::Arc;

/// Acknowledgments of transaction sets.
const ACKNOWLEDGMENTS: [&str; 2] = ["999", "997"];

/// The tables of `mappings/codes/` that have the words of each code.
const TABLES: [&str; 5] = ["999-ik304", "999-ik403", "999-ik502", "999-ak905", "ta1-note-codes"];

/// What the codes of an acknowledgment mean.
#[derive(Debug, Clone)]
pub struct Words(HashMap<&'static str, HashMap<String, String>>);

impl Words {
    /// Reads the words from the code tables of the mappings.
    pub fn load(mappings: &Folder) -> Words {
        let lists = Lists { tables: mappings.clone(), whole: None };
        Words(TABLES.into_iter().map(|table| (table, lists.words(table))).collect())
    }

    fn of(&self, table: &str, code: &str) -> String {
        let found = self.0.get(table).and_then(|words| words.get(code));
        found.map_or_else(|| format!("code {}", shown(code)), Clone::clone)
    }
}

/// A code as a receiver wrote it, cut to what one can be.
fn shown(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).take(3).collect()
}

/// The issues of all acknowledgments, placed in the original. What was rejected is an error, what was only noted a warning;
/// what was accepted is none. An acknowledgment of something that the original does not hold is a warning without a place.
pub fn read(
    guides: &Guides,
    words: &Words,
    acknowledgments: &[Interchange<'_>],
    originals: &[Interchange<'_>],
) -> Vec<Issue> {
    let mut reader = Reader { guides, words, originals, issues: Vec::new() };
    for answer in acknowledgments {
        answer.ta1.iter().for_each(|ta1| reader.ta1(ta1));
        let sets = answer.groups.iter().flat_map(|group| &group.sets);
        sets.filter(|set| ACKNOWLEDGMENTS.contains(&set.id())).for_each(|set| reader.set(set));
    }
    reader.issues
}

struct Reader<'r, 'a> {
    guides: &'r Guides,
    words: &'r Words,
    originals: &'r [Interchange<'a>],
    issues: Vec<Issue>,
}

/// The group that an AK1 names.
#[derive(Clone, Copy)]
struct Found<'r, 'a> {
    interchange: &'r Interchange<'a>,
    group: &'r Group<'a>,
}

/// The set that an AK2 names, and what was said of it so far.
struct Answered<'r, 'a> {
    set: Option<&'r TransactionSet<'a>>,
    /// Loop of each segment, by ordinal.
    loops: Vec<Option<Arc<str>>>,
    /// IK3 and IK4 with their places; their severity follows from IK5.
    notes: Vec<Note>,
    control_number: String,
}

struct Note {
    at: X12Place,
    text: String,
    /// IK3 of code 8 says only that IK4 follow.
    is_heading: bool,
}

impl<'r, 'a> Reader<'r, 'a> {
    fn ta1(&mut self, ta1: &Segment<'_>) {
        let severity = match ta1.element(4) {
            "R" => Severity::Error,
            "E" => Severity::Warning,
            _ => return,
        };
        let number = ta1.element(1);
        let text = format!("the interchange was refused: {}", self.words.of("ta1-note-codes", ta1.element(5)));
        let same = |original: &&Interchange<'_>| same_number(original.control_number(), number);
        let Some(original) = self.originals.iter().find(same) else {
            return self
                .unmatched(format!("a TA1 answers interchange {}, which is not in the original", digits(number)));
        };
        let at = X12Place {
            interchange: Some(original.control_number().to_owned()),
            error_code: Some(shown(ta1.element(5))),
            ..original.isa.place()
        };
        self.push(severity, at, text);
    }

    fn set(&mut self, acknowledgment: &TransactionSet<'_>) {
        let (mut group, mut answered): (Option<Found<'r, 'a>>, Option<Answered<'r, 'a>>) = (None, None);
        for segment in &acknowledgment.segments {
            match segment.id() {
                "AK1" => group = self.group(segment),
                "AK2" => answered = group.map(|found| self.answered(found, segment)),
                "IK3" | "AK3" => answered.iter_mut().for_each(|set| set.segment(self.words, segment)),
                "CTX" => answered.iter_mut().for_each(|set| set.context(segment)),
                "IK4" | "AK4" => answered.iter_mut().for_each(|set| set.element(self.words, segment)),
                "IK5" | "AK5" => {
                    if let (Some(found), Some(set)) = (group, answered.take()) {
                        self.verdict(found, set, segment);
                    }
                }
                "AK9" => group.into_iter().for_each(|found| self.group_verdict(found, segment)),
                _ => {}
            }
        }
    }

    /// By GS06, and GS01 where several groups have that number.
    fn group(&mut self, ak1: &Segment<'_>) -> Option<Found<'r, 'a>> {
        let all = self
            .originals
            .iter()
            .flat_map(|interchange| interchange.groups.iter().map(move |group| Found { interchange, group }));
        let numbered: Vec<_> = all.filter(|found| same_number(found.group.control_number(), ak1.element(2))).collect();
        let named = numbered.iter().find(|found| found.group.functional_id() == ak1.element(1));
        let found = named.or(numbered.first()).copied();
        if found.is_none() {
            let number = digits(ak1.element(2));
            self.unmatched(format!("an acknowledgment answers group {number}, which is not in the original"));
        }
        found
    }

    fn answered(&mut self, found: Found<'r, 'a>, ak2: &Segment<'_>) -> Answered<'r, 'a> {
        let number = ak2.element(2);
        let set = found.group.sets.iter().find(|set| same_number(set.control_number(), number));
        if set.is_none() {
            let number = digits(number);
            self.unmatched(format!("an acknowledgment answers transaction set {number}, which is not in the original"));
        }
        let loops = set.map(|set| loops(self.guides, set)).unwrap_or_default();
        let control_number = set.map_or_else(|| digits(number), |set| set.control_number().to_owned());
        Answered { set, loops, notes: Vec::new(), control_number }
    }

    /// IK5: what was noted becomes errors or warnings, and the faults of the set itself are added.
    fn verdict(&mut self, found: Found<'_, '_>, answered: Answered<'_, '_>, ik5: &Segment<'_>) {
        let rejected = matches!(ik5.element(1), "R" | "M" | "W" | "X");
        let severity = if rejected { Severity::Error } else { Severity::Warning };
        let locate = |at: X12Place| X12Place {
            interchange: Some(found.interchange.control_number().to_owned()),
            group: Some(found.group.control_number().to_owned()),
            transaction_set: Some(answered.control_number.clone()),
            ..at
        };
        let told = answered.notes.iter().any(|note| !note.is_heading);
        let last = answered.notes.len().saturating_sub(1);
        for (n, note) in answered.notes.iter().enumerate() {
            let followed = n < last && same_segment(&note.at, &answered.notes[n + 1].at);
            if !(note.is_heading && followed) {
                self.push(severity, locate(note.at.clone()), note.text.clone());
            }
        }
        let first = answered.set.and_then(|set| set.segments.first());
        let own = (2..=6).map(|n| ik5.element(n)).filter(|code| !code.is_empty());
        // 5 and I5 say only that there are notes.
        let own: Vec<_> = own.filter(|code| !(told && matches!(*code, "5" | "I5"))).collect();
        let at =
            |code: &str| X12Place { error_code: Some(shown(code)), ..first.map(Segment::place).unwrap_or_default() };
        for code in &own {
            let text = format!("the transaction set was refused: {}", self.words.of("999-ik502", code));
            self.push(severity, locate(at(code)), text);
        }
        if rejected && own.is_empty() && answered.notes.is_empty() {
            self.push(severity, locate(at("")), "the transaction set was refused, and no reason was given".to_owned());
        }
    }

    fn group_verdict(&mut self, found: Found<'_, '_>, ak9: &Segment<'_>) {
        let rejected = matches!(ak9.element(1), "R" | "M" | "W" | "X");
        let severity = if rejected { Severity::Error } else { Severity::Warning };
        let at = |code: &str| X12Place {
            interchange: Some(found.interchange.control_number().to_owned()),
            group: Some(found.group.control_number().to_owned()),
            error_code: Some(shown(code)).filter(|code| !code.is_empty()),
            ..found.group.gs.place()
        };
        let own: Vec<_> = (5..=9).map(|n| ak9.element(n)).filter(|code| !code.is_empty()).collect();
        for code in &own {
            let text = format!("the group was refused: {}", self.words.of("999-ak905", code));
            self.push(severity, at(code), text);
        }
        if rejected && own.is_empty() && !self.issues.iter().any(|issue| is_in_group(issue, found.group)) {
            self.push(severity, at(""), "the group was refused, and no reason was given".to_owned());
        }
    }

    fn push(&mut self, severity: Severity, at: X12Place, text: String) {
        let issue = Issue::error(codes::PAYER_REFUSED, Place::X12(at), text);
        self.issues.push(Issue { severity, ..issue });
    }

    fn unmatched(&mut self, text: String) {
        self.issues.push(
            Issue::warning(codes::RESPONSE_UNMATCHED, Place::Whole, text)
                .hint("give the interchange that was sent, with the same control numbers"),
        );
    }
}

impl Answered<'_, '_> {
    /// IK3: the segment that stands at the ordinal, or the one that is missing there.
    fn segment(&mut self, words: &Words, ik3: &Segment<'_>) {
        let ordinal = ik3.element(2).trim().parse::<u32>().unwrap_or_default();
        let index = (ordinal as usize).checked_sub(1);
        let segment = index.and_then(|index| self.set?.segments.get(index));
        let named = Some(ik3.element(1)).filter(|id| (2..=3).contains(&id.len()));
        let place = segment.map(Segment::place).unwrap_or_default();
        let loop_id = index.and_then(|index| self.loops.get(index)?.as_deref().map(str::to_owned));
        let told = Some(ik3.element(3)).filter(|id| !id.is_empty()).map(str::to_owned);
        let at = X12Place {
            segment: named.map(str::to_owned).or(place.segment),
            ordinal: (ordinal > 0).then_some(ordinal),
            loop_id: loop_id.or(told),
            error_code: Some(shown(ik3.element(4))),
            ..place
        };
        let is_heading = ik3.element(4) == "8";
        self.notes.push(Note { at, text: words.of("999-ik304", ik3.element(4)), is_heading });
    }

    /// CTX of a situational trigger belongs to the note before it.
    fn context(&mut self, ctx: &Segment<'_>) {
        let Some(note) = self.notes.last_mut().filter(|_| ctx.component(1, 1) == "SITUATIONAL TRIGGER") else { return };
        let number = |text: &str| text.trim().parse::<u8>().ok();
        note.at.trigger = Some(Box::new(X12Trigger {
            segment: ctx.element(2).to_owned(),
            ordinal: ctx.element(3).trim().parse().unwrap_or_default(),
            loop_id: ctx.element(4).to_owned(),
            element: number(ctx.component(5, 1)),
            component: number(ctx.component(5, 2)),
        }));
    }

    /// IK4: the element of the segment of the last IK3.
    fn element(&mut self, words: &Words, ik4: &Segment<'_>) {
        let Some(segment) = self.notes.last().map(|note| note.at.clone()) else { return };
        let number = |component| ik4.component(1, component).trim().parse::<u8>().ok().filter(|n| *n > 0);
        let at = X12Place {
            element: number(1),
            component: number(2),
            repetition: number(3),
            error_code: Some(shown(ik4.element(3))),
            trigger: None,
            ..segment
        };
        self.notes.push(Note { at, text: words.of("999-ik403", ik4.element(3)), is_heading: false });
    }
}

fn same_segment(one: &X12Place, other: &X12Place) -> bool {
    one.ordinal == other.ordinal && other.element.is_some()
}

fn is_in_group(issue: &Issue, group: &Group<'_>) -> bool {
    matches!(&issue.at, Place::X12(at) if at.group.as_deref() == Some(group.control_number()))
}

/// Control numbers are compared as numbers where they are numbers: leading zeros come and go.
fn same_number(one: &str, other: &str) -> bool {
    let number = |text: &str| text.trim().parse::<u64>().ok();
    one.trim() == other.trim() || (number(one).is_some() && number(one) == number(other))
}

/// A control number as it may be shown.
fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).take(9).collect()
}

/// The loop of each segment of a set.
fn loops(guides: &Guides, set: &TransactionSet<'_>) -> Vec<Option<Arc<str>>> {
    let mut all = vec![None; set.segments.len()];
    let Some(guide) = guides.for_transaction(set) else { return all };
    let (root, _) = tree::assign(guide, set);
    for found in root.descend() {
        for segment in &found.segments {
            if let Some(own) = (segment.ordinal as usize).checked_sub(1).and_then(|index| all.get_mut(index)) {
                *own = Some(found.id.clone());
            }
        }
    }
    all
}

#[cfg(test)]
mod tests;
