//! The transaction sets of a file of any length, one after another: no more than one is held.

use crate::fault::{Fault, Issue};
use crate::x12::envelope::Role;
use crate::x12::mark::Mark;
use crate::x12::reader::TransactionSet;
use crate::x12::segment::Segment;
use crate::x12::stream::{Segments, Step};
use std::io::Read;
use std::ops::ControlFlow;

/// What a file holds, in its order.
#[derive(Debug)]
pub enum Piece<'p> {
    /// A segment of the envelope (ISA, TA1, GS, GE, IEA), or a stray.
    Envelope(Role, Segment<'p>),
    /// A whole set; `grouped` when a GS came before it.
    Set { set: TransactionSet<'p>, grouped: bool },
    /// What is wrong with the shape of the envelope, as it is found.
    Issues(Vec<Issue>),
}

/// Goes through a file; each answer says whether to go on.
pub fn visit(source: impl Read, mut each: impl FnMut(Piece<'_>) -> ControlFlow<()>) -> Result<(), Fault> {
    let mut segments = Segments::new(source);
    let mut held = Held::default();
    while let Some(step) = segments.next_segment()? {
        if step.role.ends_set() && held.give(&mut each).is_break() {
            return Ok(());
        }
        held.follow(&step);
        let flow = match step.role {
            Role::Garbage => ControlFlow::Continue(()),
            Role::Se => {
                held.push(&step.segment);
                held.give(&mut each)
            }
            role if role.in_set() => {
                held.push(&step.segment);
                ControlFlow::Continue(())
            }
            role => each(Piece::Envelope(role, step.segment)),
        };
        if flow.is_break() || (segments.has_issues() && each(Piece::Issues(segments.issues())).is_break()) {
            return Ok(());
        }
    }
    if held.give(&mut each).is_continue() {
        let _ = each(Piece::Issues(segments.issues()));
    }
    Ok(())
}

/// The segments of the open set, in one text that is used again and again.
#[derive(Debug, Default)]
struct Held {
    text: String,
    marks: Vec<Mark>,
    group_version: String,
    grouped: bool,
}

impl Held {
    /// GS08, and whether there is one.
    fn follow(&mut self, step: &Step<'_>) {
        match step.role {
            Role::Gs => step.segment.element(8).clone_into(&mut self.group_version),
            Role::St { grouped } => {
                self.grouped = grouped;
                if !grouped {
                    self.group_version.clear();
                }
            }
            _ => {}
        }
    }

    fn push(&mut self, segment: &Segment<'_>) {
        self.marks.push(Mark::put(&mut self.text, segment));
    }

    /// Gives the set away, when there is one.
    fn give(&mut self, each: &mut impl FnMut(Piece<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        if self.marks.is_empty() {
            return ControlFlow::Continue(());
        }
        let segments = self.marks.iter().map(|mark| mark.segment(&self.text)).collect();
        let set = TransactionSet::new(segments, &self.group_version);
        let flow = each(Piece::Set { set, grouped: self.grouped });
        self.text.clear();
        self.marks.clear();
        flow
    }
}
