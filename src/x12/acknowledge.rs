//! What we answer to an interchange: TA1, and a 999 (005010X231A1) for each of its groups.
//!
//! [`acknowledge`] answers an interchange that is held whole, [`file`] a file of any length. Both tell an [`Answer`] what
//! they find, in the order of the file.

mod echo;
pub mod file;
mod notes;

use crate::fault::{Issue, Place};
use crate::x12::assemble::{Envelope, MAX_CONTROL_NUMBER, open_envelope};
use crate::x12::delimiters::Delimiters;
use crate::x12::reader::{Interchange, TransactionSet};
use crate::x12::segment::Segment;
use crate::x12::writer::Lines;
use jiff::civil::DateTime;
use notes::{Faults, Note};
pub use notes::{MAX_NOTES, refuses};
use std::collections::HashMap;

/// Most errors that the 999s of one interchange name; what is in error is rejected all the same.
pub const MAX_INTERCHANGE_NOTES: usize = 100_000;
/// Groups that are acknowledgments, and are not acknowledged.
const ACKNOWLEDGMENTS: &str = "FA";
/// GS08 and ST03 of what we write.
const VERSION: &str = "005010X231A1";
/// An answer is kept in pieces of about so many bytes.
const PIECE: usize = 64 << 10;

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
    let mut of: HashMap<(Option<&str>, Option<&str>), Vec<&Issue>> = HashMap::new();
    for issue in issues {
        if let Place::X12(at) = &issue.at {
            of.entry((at.group.as_deref(), at.transaction_set.as_deref())).or_default().push(issue);
        }
    }
    // Of too many in a set the first in the file are named.
    let ordinal = |issue: &&Issue| if let Place::X12(at) = &issue.at { at.ordinal } else { None };
    let of_sets = of.iter_mut().filter(|((_, set), _)| set.is_some());
    of_sets.for_each(|(_, issues)| issues.sort_by_key(ordinal));
    let mut answer = Answer::open(&interchange.isa, numbers, at);
    let tell = |answer: &mut Answer, group, number, set: Option<&TransactionSet<'_>>| {
        let own = of.get(&(group, number)).into_iter().flatten();
        own.filter(|issue| set.is_none_or(|set| may_stand_in(issue, set))).for_each(|issue| answer.note(issue, set));
    };
    tell(&mut answer, None, None, None);
    answer.has_ta1 = !interchange.ta1.is_empty();
    for group in &interchange.groups {
        answer.open_group(&group.gs);
        let own = Some(group.control_number());
        for set in &group.sets {
            answer.open_set(set.segments.first());
            tell(&mut answer, own, Some(set.control_number()), Some(set));
            answer.close_set();
        }
        tell(&mut answer, own, None, None);
        answer.close_group(group.ge.as_ref().map(|ge| ge.element(1)));
    }
    answer.finish().concat()
}

/// Sets of one number are told apart by where they stand.
fn may_stand_in(issue: &Issue, set: &TransactionSet<'_>) -> bool {
    let offset = if let Place::X12(at) = &issue.at { at.offset } else { None };
    let ends = set.segments.first().zip(set.segments.last());
    offset.zip(ends).is_none_or(|(offset, (first, last))| (first.offset..=last.offset).contains(&offset))
}

/// The answer to one interchange, in the making.
#[derive(Debug)]
struct Answer {
    envelope: Envelope,
    /// TA101 to TA103.
    interchange: [String; 3],
    /// ISA14.
    is_asked: bool,
    faults: Faults,
    has_ta1: bool,
    has_groups: bool,
    /// The 999s so far: whole pieces, and the one that grows.
    pieces: Vec<Vec<u8>>,
    lines: Lines,
    /// Groups that were answered.
    answered: u32,
    /// Errors that were named.
    noted: usize,
    group: Option<OpenGroup>,
    set: Option<OpenSet>,
}

/// A group that is being answered.
#[derive(Debug, Default)]
struct OpenGroup {
    faults: Faults,
    /// Transaction sets, and those of them that are accepted.
    received: u32,
    accepted: u32,
    /// One of them was accepted with errors.
    is_noted: bool,
    /// GS01, GS06 and GS08.
    named: [String; 3],
    /// What it holds is known, and the answer to it has begun; or that it is one of acknowledgments, and gets none.
    begun: Option<Begun>,
}

/// What became of a group when its first set came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begun {
    Answered,
    Unanswered,
}

/// A transaction set that is being answered.
#[derive(Debug, Default)]
struct OpenSet {
    /// AK201 to AK203.
    named: [String; 3],
    faults: Faults,
    notes: Vec<Note>,
    is_refused: bool,
    is_noted: bool,
}

impl Answer {
    fn open(isa: &Segment<'_>, numbers: Numbers, at: DateTime) -> Answer {
        let envelope = envelope(isa, numbers, at);
        Answer {
            lines: Lines::new(envelope.delimiters),
            envelope,
            interchange: echo::interchange(isa, at),
            is_asked: isa.element(14) == "1",
            faults: Faults::default(),
            has_ta1: false,
            has_groups: false,
            pieces: Vec::new(),
            answered: 0,
            noted: 0,
            group: None,
            set: None,
        }
    }

    /// An issue of the interchange, of the open group or of the open set, of which `set` is at least the part around it.
    fn note(&mut self, issue: &Issue, set: Option<&TransactionSet<'_>>) {
        let Some(noted) = notes::noted(issue) else { return };
        let (code, is_error) = (noted.code, noted.is_error);
        match (&mut self.set, &mut self.group, noted.at.transaction_set.is_some(), noted.at.group.is_some()) {
            (Some(open), _, true, _) => {
                open.is_refused |= is_error;
                open.is_noted = true;
                match noted.at.ordinal.is_some() {
                    false => open.faults.add(code, is_error),
                    true if open.notes.len() < MAX_NOTES => {
                        open.notes.push(Note::of(&noted, set, self.envelope.delimiters));
                    }
                    true => {}
                }
            }
            (_, Some(open), false, true) => open.faults.add(code, is_error),
            (_, _, false, false) => self.faults.add(code, is_error),
            _ => {}
        }
    }

    fn open_group(&mut self, gs: &Segment<'_>) {
        let delimiters = self.envelope.delimiters;
        if !self.has_groups {
            let id =
                |n, otherwise: &str| Some(plain(gs.element(n), 15, otherwise, delimiters)).filter(|id| id.len() > 1);
            let (sender, receiver) = (id(3, &self.envelope.sender_id), id(2, &self.envelope.receiver_id));
            self.envelope.group_sender = sender.unwrap_or_else(|| echo::group_id(&self.envelope.sender_id));
            self.envelope.group_receiver = receiver.unwrap_or_else(|| echo::group_id(&self.envelope.receiver_id));
        }
        self.has_groups = true;
        let named = [1, 6, 8].map(|n| gs.element(n).to_owned());
        self.group = Some(OpenGroup { named, ..OpenGroup::default() });
    }

    /// ST and AK1 of the open group, whose first set is of this transaction; whether it is answered at all.
    fn begin_group(&mut self, transaction: &str) -> bool {
        let Some(group) = &mut self.group else { return false };
        if let Some(begun) = group.begun {
            return begun == Begun::Answered;
        }
        let [id, number, version] = &group.named;
        let is_answer = echo::is_acknowledgment(id, transaction);
        group.begun = Some(if is_answer { Begun::Unanswered } else { Begun::Answered });
        if is_answer {
            return false;
        }
        self.answered += 1;
        self.lines.count = 0;
        self.lines.line(&["ST", "999", &format!("{:04}", self.answered), VERSION]);
        let delimiters = self.envelope.delimiters;
        let [id, number, version] = echo::group(id, number, version, transaction, delimiters);
        self.lines.line(&["AK1", &id, &number, &version]);
        true
    }

    fn open_set(&mut self, st: Option<&Segment<'_>>) {
        let named = [1, 2, 3].map(|n| st.map_or("", |st| st.element(n)).to_owned());
        self.set = Some(OpenSet { named, ..OpenSet::default() });
    }

    /// ST02 of the open set.
    fn set_number(&self) -> Option<String> {
        self.set.as_ref().map(|set| set.named[1].clone())
    }

    /// AK2 to IK5.
    fn close_set(&mut self) {
        let Some(mut set) = self.set.take() else { return };
        let is_answered = self.begin_group(&set.named[0]);
        let Some(group) = &mut self.group else { return };
        let code = match (set.is_refused, set.is_noted) {
            (true, _) => "R",
            (false, true) => "E",
            (false, false) => "A",
        };
        group.received += 1;
        group.accepted += u32::from(!set.is_refused);
        group.is_noted |= code == "E";
        if !is_answered {
            return;
        }
        let [id, number, version] = echo::set(&set.named, &group.named[0], self.envelope.delimiters);
        self.lines.line(&["AK2", &id, &number, &version]);
        set.notes.sort_by(|a, b| a.order().cmp(&b.order()));
        let room = MAX_INTERCHANGE_NOTES.saturating_sub(self.noted);
        self.noted += notes::write(&mut self.lines, set.notes.get(..room).unwrap_or(&set.notes));
        if !set.notes.is_empty() {
            set.faults.add("5", set.is_refused);
        }
        let mut line = vec!["IK5", code];
        line.extend(set.faults.first_five());
        self.lines.line(&line);
        if self.lines.out.len() > PIECE {
            self.pieces.push(std::mem::take(&mut self.lines.out));
        }
    }

    /// AK9; `included` is GE01.
    fn close_group(&mut self, included: Option<&str>) {
        if !self.begin_group("") {
            self.group = None;
        }
        let Some(group) = self.group.take() else { return };
        let is_refused = group.faults.has_errors();
        let accepted = if is_refused { 0 } else { group.accepted };
        let code = match accepted {
            _ if is_refused => "R",
            0 if group.received > 0 => "R",
            _ if accepted < group.received => "P",
            _ if group.is_noted || !group.faults.is_empty() => "E",
            _ => "A",
        };
        let included = included.and_then(|count| count.trim().parse().ok()).unwrap_or(group.received);
        let [included, received, accepted] = [included, group.received, accepted].map(echo::count);
        let mut line = vec!["AK9", code, &included, &received, &accepted];
        line.extend(group.faults.first_five());
        self.lines.line(&line);
        let count = (self.lines.count + 1).to_string();
        self.lines.line(&["SE", &count, &format!("{:04}", self.answered)]);
    }

    /// The whole answer, in pieces.
    fn finish(mut self) -> Vec<Vec<u8>> {
        let (code, note) = self.faults.verdict();
        let only_answers = self.answered == 0 && (self.has_groups || self.has_ta1);
        let wants_ta1 = !only_answers && (self.is_asked || code == "R");
        let has_999 = code != "R" && self.answered > 0;
        let envelope = &self.envelope;
        let Ok((isa, gs)) = open_envelope(ACKNOWLEDGMENTS, VERSION, envelope) else { return Vec::new() };
        if !wants_ta1 && !has_999 {
            return Vec::new();
        }
        let mut head = Lines::new(envelope.delimiters);
        head.raw(&isa);
        if wants_ta1 {
            let [number, day, clock] = &self.interchange;
            head.line(&["TA1", number, day, clock, code, note]);
        }
        let mut pieces = vec![head.out];
        let mut end = Lines::new(envelope.delimiters);
        if has_999 {
            let mut open = Lines::new(envelope.delimiters);
            open.raw(&gs);
            pieces.push(open.out);
            pieces.append(&mut self.pieces);
            pieces.push(self.lines.out);
            end.line(&["GE", &self.answered.to_string(), &envelope.group_control_number.to_string()]);
        }
        let group_count = if has_999 { "1" } else { "0" };
        end.line(&["IEA", group_count, &format!("{:09}", envelope.interchange_control_number)]);
        pieces.push(end.out);
        pieces
    }
}

/// Sender and receiver change places.
fn envelope(isa: &Segment<'_>, numbers: Numbers, at: DateTime) -> Envelope {
    let delimiters = if isa.delimiters.fault().is_none() { isa.delimiters } else { Delimiters::default() };
    let plain = |n, width, otherwise: &str| plain(isa.element(n), width, otherwise, delimiters);
    let (sender_id, receiver_id) = (plain(8, 15, "UNKNOWN"), plain(6, 15, "UNKNOWN"));
    Envelope {
        sender_qualifier: echo::qualifier(isa.element(7)),
        receiver_qualifier: echo::qualifier(isa.element(5)),
        group_sender: sender_id.clone(),
        group_receiver: receiver_id.clone(),
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

/// What can be sent of an id.
fn plain(text: &str, width: usize, otherwise: &str, delimiters: Delimiters) -> String {
    let fits = |character: &char| character.is_ascii_graphic() && !delimiters.contains(*character as u8);
    let kept: String = text.chars().filter(fits).take(width).collect();
    if kept.is_empty() { otherwise.to_owned() } else { kept }
}

#[cfg(test)]
mod tests;
