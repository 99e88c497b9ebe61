//! The check of a file of any length, in constant memory: what [`crate::x12::check`] finds in an interchange that is held
//! whole, portion by portion.

use crate::fault::{Fault, Issue, Place};
use crate::x12::check::{self, Memory};
use crate::x12::envelope::Role;
use crate::x12::findings::{Findings, ordinal};
use crate::x12::fit;
use crate::x12::guide::Guides;
use crate::x12::known::Known;
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

/// Segments that are checked together: what stands around them is looked at once for all of them.
const AT_ONCE: usize = 512;

/// Gives each issue of a file to `each`, roughly in the order of the file; stops when `each` says so.
pub fn audit(guides: &Guides, source: impl Read, each: impl FnMut(Issue) -> ControlFlow<()>) -> Result<Summary, Fault> {
    let mut audit = Audit { auditor: Auditor::new(guides), each, put_off: 0, waiting: Vec::new() };
    portions::visit(guides, source, &mut audit)?;
    Ok(audit.auditor.summary)
}

struct Audit<'g, F> {
    auditor: Auditor<'g>,
    each: F,
    /// Units that are to be told before what comes now.
    put_off: usize,
    /// Issues of the envelope, behind so many of them.
    waiting: Vec<(usize, Issue)>,
}

impl<F: FnMut(Issue) -> ControlFlow<()>> Audit<'_, F> {
    fn tell(&mut self, issues: Vec<Issue>) -> ControlFlow<()> {
        match self.put_off {
            0 => issues.into_iter().try_for_each(&mut self.each),
            behind => {
                self.waiting.extend(issues.into_iter().map(|issue| (behind, issue)));
                ControlFlow::Continue(())
            }
        }
    }
}

impl<F: FnMut(Issue) -> ControlFlow<()>> Visitor for Audit<'_, F> {
    fn segment(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        // Nearly every segment is none of the envelope.
        match step.role {
            Role::Body => ControlFlow::Continue(()),
            _ => {
                let issues = self.auditor.segment(step);
                self.tell(issues)
            }
        }
    }

    fn portion(&mut self, portion: &Portion<'_>) -> ControlFlow<()> {
        self.put_off = 0;
        let mut waiting = std::mem::take(&mut self.waiting).into_iter().peekable();
        for (unit, issue) in self.auditor.units(portion) {
            while let Some((_, before)) = waiting.next_if(|(behind, _)| *behind <= unit) {
                (self.each)(before)?;
            }
            (self.each)(issue)?;
        }
        waiting.map(|(_, issue)| issue).try_for_each(&mut self.each)
    }

    fn segments_at_once(&self) -> usize {
        AT_ONCE
    }

    fn put_off(&mut self) {
        self.put_off += 1;
    }

    fn envelope(&mut self, issues: Vec<Issue>) -> ControlFlow<()> {
        self.tell(issues)
    }
}

/// Finds what is wrong with what it is shown, in the order of the file.
#[derive(Debug)]
pub(crate) struct Auditor<'g> {
    guides: &'g Guides,
    summary: Summary,
    totals: Totals,
    group: Group,
    open: Open,
    known: Known,
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
    memory: Memory,
    /// Of a set without a guide.
    levels: Levels,
}

impl<'g> Auditor<'g> {
    pub fn new(guides: &'g Guides) -> Auditor<'g> {
        let (summary, totals, group, open, known) = Default::default();
        Auditor { guides, summary, totals, group, open, known }
    }

    /// The issues of a segment of the envelope.
    pub fn segment(&mut self, step: &Step<'_>) -> Vec<Issue> {
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
            Role::Stray => self.totals.stray(),
            Role::Ta1 if step.terminated => {
                let at = self.totals.of_interchange(segment);
                check::check_ta1(self.guides, self.totals.version(), at, segment, &mut issues);
            }
            Role::Body | Role::Ta1 | Role::Garbage => {}
        }
        issues
    }

    /// The issues of a portion of a set, each with its interchange and group.
    pub fn portion(&mut self, portion: &Portion<'_>) -> Vec<Issue> {
        self.units(portion).into_iter().map(|(_, issue)| issue).collect()
    }

    /// As [`Auditor::portion`], unit by unit: each issue with the number of the unit with which it was known, from 0.
    fn units(&mut self, portion: &Portion<'_>) -> Vec<(usize, Issue)> {
        let set = &portion.set;
        let mut issues = Vec::new();
        let is_first = !std::mem::replace(&mut self.open.is_told, true);
        if is_first {
            issues.extend(fit::check(self.guides, &self.group.functional_id, &self.group.version, set));
        }
        let Some((guide, root)) = portion.guide.zip(portion.root()) else {
            issues.extend(is_first.then(|| plain::no_guide(self.guides, set)));
            let news = portion.news().map(|(segment, _)| segment).filter(|segment| !set.is_broken_off(segment));
            plain::check_segments(set.control_number(), news, &mut self.open.levels, &mut issues);
            return self.located(issues).into_iter().map(|issue| (0, issue)).collect();
        };
        for (segment, placed) in portion.news().filter(|(segment, _)| !set.is_broken_off(segment)) {
            let problem = placed.and_then(|placed| Some((placed.problem?, placed.in_loop)));
            if let Some((problem, in_loop)) = problem {
                issues.push(problem.issue(guide, in_loop, set, segment));
            }
        }
        self.known.follow(guide, &set.segments);
        let mut findings = Findings::default();
        check::check_part(guide, set, &root, &mut self.open.memory, &mut self.known, &mut findings);
        let unit = |known: u32| portion.ends().partition_point(|end| *end <= known);
        let placed = issues.into_iter().map(|issue| (unit(ordinal(&issue).unwrap_or_default()), issue));
        let mut all: Vec<_> =
            placed.chain(findings.with_ordinals().map(|(known, issue)| (unit(known), issue))).collect();
        all.sort_by_key(|(unit, issue)| (*unit, ordinal(issue)));
        let (units, issues): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        units.into_iter().zip(self.located(issues)).collect()
    }

    fn located(&self, mut issues: Vec<Issue>) -> Vec<Issue> {
        for issue in &mut issues {
            if let Place::X12(at) = &mut issue.at {
                *at = self.totals.of_group(std::mem::take(at));
            }
        }
        issues
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::check::check_interchange;
    use crate::x12::guide::tests::shipped;
    use crate::x12::portions::MAX_SEGMENTS;
    use crate::x12::reader;
    use crate::x12::tokens::tests::isa;

    /// What is said of a set as a whole, and portion by portion.
    fn both(group: &str, body: &str) -> [Vec<String>; 2] {
        let text = format!("{}GS*{group}~{body}~GE*1*7~IEA*1*000000001~", isa('*', '^', ':', "~"));
        let (interchanges, _) = reader::read(&text);
        let whole = check_interchange(shipped(), &interchanges[0]);
        let mut told = Vec::new();
        let done = audit(shipped(), text.as_bytes(), |issue| {
            told.push(issue);
            ControlFlow::Continue(())
        });
        done.unwrap();
        [whole, told].map(|issues| {
            let mut all: Vec<_> = issues.iter().map(|issue| format!("{issue:?}")).collect();
            all.sort();
            all
        })
    }

    const PROFESSIONAL: &str = "HC*S*R*20250303*1200*7*X*005010X222A1";
    const HEAD: &str = "ST*837*0001*005010X222A1~BHT*0019*00*1*20250303*1200*31~HL*1**20*1~NM1*85*2*A~HL*2*1*22*1~SBR*S********MB~\
                        NM1*IL*1*B~DMG*D8*20260101*F";
    const CLAIM: &str = "CLM*A*9***11:B:7*Y*A*Y*Y**AA~HI*BK:4660~LX*2~SV1*HC:A0429*10*UN*1***7~DTP*472*D8*20250303";

    #[test]
    fn claims_under_many_levels_are_judged_alike() {
        let patient = "HL*3*2*23*0~PAT*19~NM1*QC*1*C";
        let late = "NM1*IL*1*LATE~DMG*D8*19800101*F~NM1*PR*2*P";
        let body = format!(
            "{HEAD}~{CLAIM}~{CLAIM}~{late}~{patient}~{CLAIM}~{CLAIM}~{CLAIM}~HL*4*1*22*0~SBR*P*18~{CLAIM}~HL*5*9*22*0~{CLAIM}~\
             HL*6**20*1~{CLAIM}~SE*4*0001"
        );
        let [whole, told] = both(PROFESSIONAL, &body);
        assert!(whole.iter().filter(|issue| issue.contains("original-reference")).count() == 8, "{whole:#?}");
        assert_eq!(told, whole);
        let [whole, told] = both("HN*S*R*1*1*7*X*005010X999", &body.replace("*005010X222A1", ""));
        assert_eq!(told, whole);
        let [whole, told] =
            both("BE*S*R*20250303*1200*7*X*005010X220A1", "ST*834*0001~HL*1**20~HL*2*1*~HL*3*7~SE*5*0001");
        assert!(whole.len() > 2);
        assert_eq!(told, whole);
    }

    /// Tells every unit as it ends.
    struct Alone<'g>(Auditor<'g>, Vec<Issue>);

    impl Visitor for Alone<'_> {
        fn segment(&mut self, step: &Step<'_>) -> ControlFlow<()> {
            self.1.extend(self.0.segment(step));
            ControlFlow::Continue(())
        }

        fn portion(&mut self, portion: &Portion<'_>) -> ControlFlow<()> {
            assert_eq!(portion.ends(), [0; 0]);
            self.1.extend(self.0.portion(portion));
            ControlFlow::Continue(())
        }

        fn envelope(&mut self, issues: Vec<Issue>) -> ControlFlow<()> {
            self.1.extend(issues);
            ControlFlow::Continue(())
        }
    }

    #[test]
    fn units_that_are_checked_together_are_told_one_by_one() {
        let levels = |n: usize| {
            let level = n + 3;
            let late = if n.is_multiple_of(7) { "~DMG*D8*19800101*F" } else { "" };
            format!("~HL*{level}*1*22*1~SBR*P~NM1*IL*1*B~DMG*D9*1~{CLAIM}{late}~{}", CLAIM.replace("11:B:7", "99:B:1"))
        };
        let claims: String = (0..120).map(levels).collect();
        let long = "A".repeat(crate::x12::tokens::MAX_SEGMENT + 10);
        // The first set has no SE, the second a wrong one, and text that is none in its midst.
        let sets = format!("{HEAD}{claims}~{HEAD}{claims}~K3*{long}~REF*ZZ{claims}~SE*1*2");
        let text = format!("{}GS*{PROFESSIONAL}~{sets}~GE*1*8~IEA*1*1~", isa('*', '^', ':', "~"));
        let (mut alone, mut together) = (Alone(Auditor::new(shipped()), Vec::new()), Vec::new());
        portions::visit(shipped(), text.as_bytes(), &mut alone).unwrap();
        let done = audit(shipped(), text.as_bytes(), |issue| {
            together.push(issue);
            ControlFlow::Continue(())
        });
        done.unwrap();
        let shown = |issues: &[Issue]| issues.iter().map(|issue| format!("{issue:?}")).collect::<Vec<_>>();
        assert!(together.len() > 1000, "{}", together.len());
        assert_eq!(shown(&together), shown(&alone.1));
    }

    #[test]
    fn the_first_that_is_too_many_is_named_wherever_portions_and_pieces_end() {
        let body = format!("{HEAD}{}~NM1*IL*1*LATE~{CLAIM}~SE*4*0001", format!("~{CLAIM}").repeat(250));
        let [whole, told] = both(PROFESSIONAL, &body);
        // A subscriber has 100 claims of five segments at most, behind eight.
        let too_many = whole.iter().filter(|issue| issue.contains("stands more than 100 times"));
        let ordinals: Vec<_> = too_many.map(|issue| issue.contains("ordinal: Some(509)")).collect();
        assert_eq!(ordinals, [true], "{whole:#?}");
        assert_eq!(told, whole);
    }

    #[test]
    fn nothing_is_said_of_what_was_given_away() {
        let notes = "NTE*ADD*X~".repeat(MAX_SEGMENTS + 10);
        let long = CLAIM.replace("~HI*", &format!("~{notes}REF*F8*1~HI*"));
        let [whole, told] = both(PROFESSIONAL, &format!("{HEAD}~{long}~{CLAIM}~SE*4*0001"));
        let is_rule = |issue: &&String| issue.contains("CG-1505") || issue.contains("CG-1504");
        let wrong: Vec<_> = told.iter().filter(is_rule).filter(|issue| !whole.contains(issue)).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(told.iter().any(|issue| issue.contains("original-reference")), "the claim after it is judged");
    }
}
