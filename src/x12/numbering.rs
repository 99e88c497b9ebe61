//! Numbers that a set gives to what it holds: its levels (HL) one after another, its claims each its own.

use crate::fault::{Severity, X12Place, codes};
use crate::x12::findings::Ranked;
use crate::x12::guide::{Guide, LoopIx, Usage};
use crate::x12::reader::TransactionSet;
use crate::x12::segment::Segment;
use crate::x12::situations::Check;
use crate::x12::totals::Numbers;
use crate::x12::tree::Loop;
use std::sync::Arc;

/// Most claims of a set whose numbers are remembered: what repeats behind them is not told.
pub(crate) const MAX_CLAIMS: usize = 1 << 19;

/// Name of a check, what is wrong, and how to mend it.
type Row = (&'static str, &'static str, &'static str);

const LEVEL_NUMBER: Row = (
    "level-number",
    "The levels are not numbered 1, 2, 3 … (HL01).",
    "Number the HL segments of each transaction set from 1, without gaps.",
);
const LEVEL_HAS_NONE: Row = (
    "level-children",
    "HL04 does not say whether there are levels below this one.",
    "Send 1 in HL04 when the next HL is below this one (its HL02 is this HL01), otherwise 0.",
);
const CLAIM_TWICE: Row = (
    "claim-number-unique",
    "Two claims of the transaction set have the same number (CLM01) and frequency (CLM05-3): an answer can't say which it means.",
    "Send a number of its own for each claim, and each claim once.",
);

/// An HL02 that should be there, and is not.
const UNKNOWN: &str = "?";

const ROWS: [Row; 3] = [LEVEL_NUMBER, LEVEL_HAS_NONE, CLAIM_TWICE];

/// All of them, for profiles and documents.
pub(crate) fn checks() -> impl Iterator<Item = Check> {
    ROWS.into_iter().map(check)
}

fn check((name, say, mend): Row) -> Check {
    Check {
        name: name.to_owned(),
        severity: Severity::Warning,
        code: codes::X12_SITUATION,
        guides: Vec::new(),
        say: say.to_owned(),
        mend: mend.to_owned(),
    }
}

/// What is remembered of a set from part to part.
#[derive(Debug, Default)]
pub(crate) struct Numbering {
    /// The number of the last level, and the one that it was expected to have.
    last_number: u64,
    expected: u64,
    /// Levels are missing since, which is told where they are.
    has_gap: bool,
    /// Where the next of them may begin: each portion of a set shows again what is around it.
    gap_at: u64,
    last: Option<Level>,
    claims: Numbers,
}

/// A level whose next is awaited.
#[derive(Debug)]
struct Level {
    number: String,
    /// HL04, where the guide leaves a choice.
    says_children: Option<bool>,
    /// The number that it should have, and has not.
    expected: Option<u64>,
    at: Spot,
}

/// Where a segment stands: a place is made of it when there is something to say.
#[derive(Debug)]
struct Spot {
    loop_id: Arc<str>,
    ordinal: u32,
    offset: u64,
    line: u32,
}

/// For each loop of a guide, whether something stands below it that is numbered: a level, or a claim.
pub(crate) fn leads(guide: &Guide) -> Vec<bool> {
    let is_claim = |ix| guide.starter(ix).is_some_and(|starter| starter.id == "CLM");
    let numbered: Vec<bool> = guide.loop_ixs().map(|(ix, spec)| spec.is_level || is_claim(ix)).collect();
    let mut leads = vec![false; numbered.len()];
    // From the inside out, a loop at a time.
    for _ in 0..numbered.len() {
        let before = leads.clone();
        let holds = |child: &LoopIx| numbered[usize::from(child.0)] || before[usize::from(child.0)];
        leads = guide.loops.iter().map(|spec| spec.children.iter().any(holds)).collect();
        if leads == before {
            break;
        }
    }
    leads
}

impl Numbering {
    /// The issues of the levels and claims that began in this part of a set.
    pub fn check(&mut self, guide: &Guide, set: &TransactionSet<'_>, root: &Loop<'_>, wrong: &mut Ranked) {
        let mut report = |known: u32, row: Row, at: &Spot, id: &str, element: u8| {
            wrong.issues.push(check(row).issue(at.place(set.control_number(), id, element)));
            wrong.known_with(known);
        };
        let all = root.descend_into(|found| guide.loop_at(found.spec).leads_to_numbers);
        for found in all.filter(|found| found.part.told == 0) {
            let first = found.segments.first();
            let is_level = guide.loop_at(found.spec).is_level;
            match first {
                Some(hl) if is_level && hl.id().trim().eq_ignore_ascii_case("HL") => {
                    // Where the guide leaves no choice of HL04, it complains itself.
                    let spec = found.specs.first().copied().flatten().map(|ix| guide.segment_at(ix));
                    let is_open = spec.and_then(|hl| hl.element(4, 0)).is_none_or(|hl04| hl04.codes.len() != 1);
                    let hl02 = spec.and_then(|hl| hl.element(2, 0)).filter(|hl02| hl02.usage == Usage::Required);
                    let parent = Some(hl.element(2)).filter(|parent| hl02.is_none() || !parent.is_empty());
                    self.level(found, hl, parent, is_open, &mut report);
                }
                Some(clm) if clm.id() == "CLM" => self.claim(found, clm, &mut report),
                _ if is_level => self.gap(found),
                _ => {}
            }
        }
        if root.part.is_complete()
            && let Some(level) = self.last.take()
        {
            self.ended(u32::MAX, &level, None, &mut report);
        }
    }

    /// A level whose HL is missing: the one before may have said that it comes.
    fn gap(&mut self, found: &Loop<'_>) {
        let first = found.descend().find_map(|inner| inner.segments.first());
        let Some(at) = first.map(|first| first.offset).filter(|at| *at >= self.gap_at) else { return };
        (self.has_gap, self.gap_at) = (true, at + 1);
        self.last.iter_mut().for_each(|level| level.says_children = None);
    }

    fn level(
        &mut self,
        found: &Loop<'_>,
        hl: &Segment<'_>,
        parent: Option<&str>,
        is_open: bool,
        report: &mut impl FnMut(u32, Row, &Spot, &str, u8),
    ) {
        if let Some(before) = self.last.take() {
            self.ended(hl.ordinal, &before, Some(parent.unwrap_or(UNKNOWN)), report);
        }
        let number = hl.element(1).trim().parse().ok();
        let has_gap = std::mem::take(&mut self.has_gap);
        self.expected += 1;
        let fits = |number: u64| {
            number == self.expected || number == self.last_number + 1 || (has_gap && number > self.last_number)
        };
        let is_right = number.is_some_and(fits);
        let expected = Some(self.expected).filter(|_| !is_right);
        // What follows a number that does not fit may go on from it, or as if it had fitted: one gap is one issue.
        self.last_number = number.unwrap_or(self.expected).min(u64::MAX - 1);
        if is_right {
            self.expected = self.last_number;
        }
        let says_children = Some(hl.element(4) == "1").filter(|_| is_open && matches!(hl.element(4), "0" | "1"));
        self.last = Some(Level { number: hl.element(1).to_owned(), says_children, expected, at: Spot::of(found, hl) });
    }

    /// Judges a level when the HL02 of the next is known, or that there is none: with the segment `known`.
    fn ended(&self, known: u32, level: &Level, next: Option<&str>, report: &mut impl FnMut(u32, Row, &Spot, &str, u8)) {
        let names = |number: Option<u64>| number.is_some() && next.and_then(|next| next.parse().ok()) == number;
        // The next level calls it what it should be called: that it does not find it was told there.
        let is_told = names(level.expected);
        if level.expected.is_some() && !is_told {
            report(known, LEVEL_NUMBER, &level.at, "HL", 1);
        }
        // An HL02 that names no level, or one that comes later, tells nothing of this one.
        let is_known = |next: &str| next.is_empty() || next.parse().is_ok_and(|next: u64| next <= self.last_number);
        if !is_told && next.is_none_or(is_known) && level.says_children == Some(next != Some(level.number.as_str())) {
            report(known, LEVEL_HAS_NONE, &level.at, "HL", 4);
        }
    }

    fn claim(&mut self, found: &Loop<'_>, clm: &Segment<'_>, report: &mut impl FnMut(u32, Row, &Spot, &str, u8)) {
        let is_known = !self.claims.is_new_below(MAX_CLAIMS, &[clm.element(1), clm.component(5, 3)]);
        if is_known && !clm.element(1).is_empty() {
            report(clm.ordinal, CLAIM_TWICE, &Spot::of(found, clm), "CLM", 1);
        }
    }
}

impl Spot {
    fn of(found: &Loop<'_>, segment: &Segment<'_>) -> Spot {
        let Segment { ordinal, offset, line, .. } = *segment;
        Spot { loop_id: found.id.clone(), ordinal, offset, line }
    }

    /// IK403 is that of a wrong value.
    fn place(&self, set: &str, id: &str, element: u8) -> X12Place {
        X12Place {
            transaction_set: Some(set.to_owned()),
            loop_id: Some(self.loop_id.to_string()),
            segment: Some(id.to_owned()),
            ordinal: Some(self.ordinal),
            offset: Some(self.offset),
            line: Some(self.line),
            element: Some(element),
            error_code: Some("7".to_owned()),
            ..X12Place::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Issue, Place};
    use crate::x12::guide::tests::shipped;
    use crate::x12::tree;
    use crate::x12::tree::tests::set;

    /// The checks that speak, and the ordinals of their segments.
    fn told(text: &str) -> Vec<(String, u32)> {
        let (guide, set) = (shipped().get("837p").unwrap(), set(text));
        let (root, _) = tree::assign(guide, &set);
        let mut wrong = Ranked::default();
        Numbering::default().check(guide, &set, &root, &mut wrong);
        let place = |issue: &Issue| match &issue.at {
            Place::X12(at) => (at.check.clone().unwrap(), at.ordinal.unwrap()),
            _ => unreachable!(),
        };
        wrong.issues.iter().map(place).collect()
    }

    #[test]
    fn levels_and_claims_are_numbered() {
        let good =
            "ST*837*1~HL*1**20*1~HL*2*1*22*0~CLM*A*1***11:B:1~CLM*A*1***11:B:8~HL*3*1*22*1~HL*4*3*23*0~CLM*B~SE*9*1";
        assert_eq!(told(good), []);
        for (from, to, check, ordinal) in [
            ("HL*3*1*22*1~HL*4*3", "HL*5*1*22*1~HL*6*5", "level-number", 6),
            ("HL*2*1*22*0", "HL*2*1*22*1", "level-children", 3),
            ("HL*3*1*22*1", "HL*3*1*22*0", "level-children", 6),
            ("11:B:8", "11:B:1", "claim-number-unique", 5),
        ] {
            assert_eq!(told(&good.replace(from, to)), [(check.to_owned(), ordinal)], "{to}");
        }
    }
}
