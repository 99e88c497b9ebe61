//! The acknowledgment of a file of any length. What is held is one portion of a set, and what the answer says so far.

use super::{Answer, Numbers};
use crate::fault::{Fault, Issue, Place, X12Place, codes};
use crate::x12::audit::Auditor;
use crate::x12::envelope::Role;
use crate::x12::guide::Guides;
use crate::x12::isa;
use crate::x12::policy::Policy;
use crate::x12::portions::{self, Portion, Visitor};
use crate::x12::segment::Segment;
use crate::x12::stream::Step;
use jiff::civil::DateTime;
use std::io::Read;
use std::ops::ControlFlow;

/// What comes of a file.
#[derive(Debug)]
pub enum Told<'t> {
    /// A piece of an answer.
    Answer(&'t [u8]),
    /// What is wrong outside of any interchange.
    Outside(&'t Issue),
}

/// IK502 2, AK905 3 and TA105 023: a trailer is missing. They are told when the next header or the end of the file comes.
const NO_SE: &str = "2";
const NO_GE: &str = "3";
const NO_IEA: &str = "023";

/// Answers each interchange of a file. Its control numbers are those of the interchange that it answers: they are as unique
/// as the sender's own. What `policy` switches off is not told. Each answer of `each` says whether to go on.
pub fn acknowledge(
    guides: &Guides,
    policy: &Policy,
    source: impl Read,
    at: DateTime,
    each: impl FnMut(Told<'_>) -> ControlFlow<()>,
) -> Result<(), Fault> {
    let auditor = Auditor::new(guides);
    let mut file = File { auditor, policy, at, answer: None, ends: Ends::default(), each };
    portions::visit(guides, source, &mut file)?;
    let _ = file.leave(Role::Isa);
    Ok(())
}

struct File<'g, F> {
    auditor: Auditor<'g>,
    policy: &'g Policy,
    at: DateTime,
    answer: Option<Answer>,
    ends: Ends,
    each: F,
}

/// What of the envelope has ended.
#[derive(Debug, Default)]
struct Ends {
    /// SE of the open set, GE of the open group.
    has_se: bool,
    has_ge: bool,
    /// GE01.
    included: Option<String>,
}

impl<F: FnMut(Told<'_>) -> ControlFlow<()>> Visitor for File<'_, F> {
    fn segment(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        self.leave(step.role)?;
        self.enter(step);
        for issue in self.auditor.segment(step) {
            self.note(issue, None);
        }
        match step.role {
            Role::Se => self.ends.has_se = true,
            Role::Ge => {
                self.ends.has_ge = true;
                self.ends.included = Some(step.segment.element(1).to_owned());
            }
            Role::Iea => return self.finish(),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn portion(&mut self, portion: &Portion<'_>) -> ControlFlow<()> {
        for issue in self.auditor.portion(portion) {
            self.note(issue, Some(portion));
        }
        ControlFlow::Continue(())
    }

    fn envelope(&mut self, issues: Vec<Issue>) -> ControlFlow<()> {
        for issue in issues {
            let Place::X12(at) = &issue.at else {
                (self.each)(Told::Outside(&issue))?;
                continue;
            };
            let is_outside = at.interchange.is_none();
            let is_known = at.error_code.as_deref().is_some_and(|code| [NO_SE, NO_GE, NO_IEA].contains(&code));
            match (is_outside, is_known) {
                (true, _) => (self.each)(Told::Outside(&issue))?,
                (false, true) => {}
                (false, false) => self.note(issue, None),
            }
        }
        ControlFlow::Continue(())
    }
}

impl<F: FnMut(Told<'_>) -> ControlFlow<()>> File<'_, F> {
    fn note(&mut self, mut issue: Issue, portion: Option<&Portion<'_>>) {
        if let Some(answer) = self.answer.as_mut().filter(|_| self.policy.judge(&mut issue)) {
            answer.note(&issue, portion.map(|portion| &portion.set));
        }
    }

    /// Ends what ends before a segment.
    fn leave(&mut self, role: Role) -> ControlFlow<()> {
        if matches!(role, Role::Garbage | Role::Body | Role::Se) {
            return ControlFlow::Continue(());
        }
        self.leave_set();
        if matches!(role, Role::Isa | Role::Gs | Role::Iea | Role::St { grouped: false }) {
            self.leave_group();
        }
        if role == Role::Isa && self.answer.is_some() {
            self.missing(NO_IEA, None, None);
            return self.finish();
        }
        ControlFlow::Continue(())
    }

    fn leave_set(&mut self) {
        let Some(number) = self.answer.as_ref().and_then(Answer::set_number) else { return };
        if !std::mem::take(&mut self.ends.has_se) {
            self.missing(NO_SE, Some(String::new()), Some(number));
        }
        self.answer.iter_mut().for_each(Answer::close_set);
    }

    fn leave_group(&mut self) {
        if self.answer.as_ref().is_none_or(|answer| answer.group.is_none()) {
            return;
        }
        let Ends { has_ge, included, .. } = std::mem::take(&mut self.ends);
        if !has_ge {
            self.missing(NO_GE, Some(String::new()), None);
        }
        self.answer.iter_mut().for_each(|answer| answer.close_group(included.as_deref()));
    }

    /// Notes a trailer that is missing.
    fn missing(&mut self, code: &str, group: Option<String>, transaction_set: Option<String>) {
        let at = X12Place { error_code: Some(code.to_owned()), group, transaction_set, ..X12Place::default() };
        self.note(Issue::error(codes::X12_ENVELOPE, Place::X12(at), ""), None);
    }

    /// Begins what begins with a segment.
    fn enter(&mut self, step: &Step<'_>) {
        let segment = &step.segment;
        if step.role == Role::Isa {
            let number = isa::control_number(segment).parse().unwrap_or(1).max(1);
            self.answer = Some(Answer::open(segment, Numbers { interchange: number, group: number }, self.at));
            self.ends = Ends::default();
        }
        let Some(answer) = &mut self.answer else { return };
        match step.role {
            Role::Ta1 => answer.has_ta1 = true,
            Role::Gs => answer.open_group(segment),
            Role::St { grouped } => {
                if !grouped {
                    answer.open_group(&Segment { raw: "", ..*segment });
                }
                answer.open_set(Some(segment));
            }
            _ => {}
        }
    }

    fn finish(&mut self) -> ControlFlow<()> {
        let pieces = self.answer.take().map(Answer::finish).unwrap_or_default();
        pieces.iter().try_for_each(|piece| (self.each)(Told::Answer(piece)))
    }
}
