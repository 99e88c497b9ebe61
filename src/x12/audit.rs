//! The check of a file of any length, in constant memory: what [`crate::x12::check`] finds in an interchange that is held
//! whole, portion by portion.

use crate::fault::{Fault, Issue, Place};
use crate::x12::balance::Sums;
use crate::x12::check;
use crate::x12::envelope::Role;
use crate::x12::fit;
use crate::x12::guide::Guides;
use crate::x12::plain::{self, Levels};
use crate::x12::portions::{self, Portion, Visitor};
use crate::x12::stream::Step;
use crate::x12::totals::Totals;
use std::io::Read;
use std::ops::ControlFlow;

/// What a file held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    pub interchanges: u64,
    pub sets: u64,
}

/// Gives each issue of a file to `each`, roughly in the order of the file; stops when `each` says so.
pub fn audit(guides: &Guides, source: impl Read, each: impl FnMut(Issue) -> ControlFlow<()>) -> Result<Summary, Fault> {
    let (summary, totals, group, open) = Default::default();
    let mut audit = Audit { guides, summary, totals, group, open, each };
    portions::visit(guides, source, &mut audit)?;
    Ok(audit.summary)
}

struct Audit<'g, F> {
    guides: &'g Guides,
    summary: Summary,
    totals: Totals,
    group: Group,
    open: Open,
    each: F,
}

/// GS01 and GS08 of the open group.
#[derive(Debug, Default)]
struct Group {
    functional_id: String,
    version: String,
}

/// What is remembered of the open set from portion to portion.
#[derive(Debug, Default)]
struct Open {
    /// A portion of it came.
    is_told: bool,
    sums: Sums,
    /// Of a set without a guide.
    levels: Levels,
}

impl<F: FnMut(Issue) -> ControlFlow<()>> Visitor for Audit<'_, F> {
    fn segment(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        let (segment, mut issues) = (&step.segment, Vec::new());
        match step.role {
            Role::Isa => {
                self.summary.interchanges += 1;
                self.totals.isa(segment, &mut issues);
            }
            Role::Gs => {
                self.group =
                    Group { functional_id: segment.element(1).to_owned(), version: segment.element(8).to_owned() };
                self.totals.gs(segment, &mut issues);
            }
            Role::Ge => self.totals.ge(segment, &mut issues),
            Role::Iea => self.totals.iea(segment, &mut issues),
            Role::Se => self.totals.se(segment, &mut issues),
            Role::St { grouped } => {
                self.summary.sets += 1;
                self.totals.st(segment, grouped, &mut issues);
                self.open = Open::default();
                if !grouped {
                    self.group = Group::default();
                }
            }
            Role::Body | Role::Ta1 | Role::Stray | Role::Garbage => {}
        }
        self.envelope(issues)
    }

    fn portion(&mut self, portion: &Portion<'_>) -> ControlFlow<()> {
        let set = &portion.set;
        let mut issues = Vec::new();
        let is_first = !std::mem::replace(&mut self.open.is_told, true);
        if is_first {
            issues.extend(fit::check(self.guides, &self.group.functional_id, &self.group.version, set));
        }
        let Some((guide, root)) = portion.guide.zip(portion.root()) else {
            issues.extend(is_first.then(|| plain::no_guide(self.guides, set)));
            let news = portion.news().map(|(segment, _)| segment);
            plain::check_segments(set.control_number(), news, &mut self.open.levels, &mut issues);
            return self.tell(issues);
        };
        for (segment, placed) in portion.news() {
            let problem = placed.and_then(|placed| Some((placed.problem?, placed.in_loop)));
            issues.extend(problem.map(|(problem, in_loop)| problem.issue(guide, in_loop, set, segment)));
        }
        check::check_part(guide, set, &root, &mut self.open.sums, &mut issues);
        issues.sort_by_key(ordinal);
        self.tell(issues)
    }

    fn envelope(&mut self, issues: Vec<Issue>) -> ControlFlow<()> {
        issues.into_iter().try_for_each(&mut self.each)
    }
}

impl<F: FnMut(Issue) -> ControlFlow<()>> Audit<'_, F> {
    /// Tells the issues of a set, and in which interchange and group it is.
    fn tell(&mut self, issues: Vec<Issue>) -> ControlFlow<()> {
        for mut issue in issues {
            if let Place::X12(at) = &mut issue.at {
                *at = self.totals.of_group(std::mem::take(at));
            }
            (self.each)(issue)?;
        }
        ControlFlow::Continue(())
    }
}

fn ordinal(issue: &Issue) -> Option<u32> {
    match &issue.at {
        Place::X12(at) => at.ordinal,
        _ => None,
    }
}
