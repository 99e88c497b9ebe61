//! TA1 and 999 of the simulated payer.

use super::envelope::{Paper, Segments};
use super::scenario::{Complaint, Outcome};
use super::{Decided, claim::Claim};
use crate::x12::reader::{Group, Interchange, TransactionSet};
use std::collections::BTreeSet;

/// The guide of the 999.
const GUIDE_999: &str = "005010X231A1";

/// A TA1 about a whole file.
pub fn interchange(paper: &Paper, interchange: &Interchange, verdict: char, note: &str) -> String {
    let isa = |n: usize| interchange.isa.element(n);
    let mut out = Segments::new(paper.delimiters);
    out.write(&["TA1", isa(13), isa(9), isa(10), &verdict.to_string(), note]);
    paper.interchange(0, &out.text)
}

/// The sets in which a claim stands whose rule refuses its set.
pub fn refused_sets(decided: &[Decided]) -> BTreeSet<usize> {
    let refused = decided.iter().filter(|each| matches!(each.outcome, Outcome::RefuseSet(_)));
    refused.map(|each| each.claim.set).collect()
}

/// A 999 for each group of the file.
pub fn groups(paper: &Paper, interchange: &Interchange, decided: &[Decided], refused: &BTreeSet<usize>) -> String {
    let paper = paper.numbered(1);
    let mut first = 0;
    let mut sets = Vec::new();
    for (n, group) in interchange.groups.iter().enumerate() {
        let st = ["999", GUIDE_999];
        sets.push(paper.set(n, &st, |out| write_group(out, group, first, decided, refused)));
        first += group.sets.len();
    }
    paper.group("FA", GUIDE_999, &sets)
}

/// AK1 to AK9. `first` is the position of the group's first set in the file.
fn write_group(out: &mut Segments, group: &Group, first: usize, decided: &[Decided], refused: &BTreeSet<usize>) {
    out.write(&["AK1", group.functional_id(), group.control_number(), group.version()]);
    for (n, set) in group.sets.iter().enumerate() {
        write_set(out, set, first + n, decided);
    }
    let received = group.sets.len();
    let bad = (first..first + received).filter(|n| refused.contains(n)).count();
    let verdict = if bad == 0 {
        "A"
    } else if bad == received {
        "R"
    } else {
        "P"
    };
    let counts = [received, received, received - bad].map(|count| count.to_string());
    let [included, received, accepted] = &counts;
    out.write(&["AK9", verdict, included, received, accepted]);
}

fn write_set(out: &mut Segments, set: &TransactionSet, number: usize, decided: &[Decided]) {
    out.write(&["AK2", set.id(), set.control_number(), set.version()]);
    let mut refused = false;
    for each in decided.iter().filter(|each| each.claim.set == number) {
        if let Outcome::RefuseSet(complaint) = each.outcome {
            write_complaint(out, set, &each.claim, complaint);
            refused = true;
        }
    }
    let verdict: &[&str] = if refused { &["IK5", "R", "5"] } else { &["IK5", "A"] };
    out.write(verdict);
}

/// IK3 at the first such segment of the claim, or at the CLM; CTX with the claim's number; IK4.
fn write_complaint(out: &mut Segments, set: &TransactionSet, claim: &Claim, complaint: &Complaint) {
    let of_claim = set.segments.iter().skip(claim.ordinal as usize - 1);
    let found = of_claim.into_iter().find(|segment| segment.id() == complaint.segment);
    let ordinal = found.map_or(claim.ordinal, |segment| segment.ordinal).to_string();
    out.write(&["IK3", &complaint.segment, &ordinal, "", &complaint.code]);
    let context = out.composite(&["CLM01", &claim.number]);
    out.write(&["CTX", &context]);
    if let Some(element) = &complaint.element {
        let at = out.composite(&element.at.split(':').collect::<Vec<_>>());
        out.write(&["IK4", &at, &element.number, &element.code, &element.value]);
    }
}
