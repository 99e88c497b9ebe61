//! TA1 and 999 of the simulated payer: what it finds wrong by the guides, and what the scenario has it find.

use super::Decided;
use super::envelope::Paper;
use super::scenario::{Complaint, Outcome};
use crate::fault::{Issue, Place, X12Place, codes};
use crate::x12::acknowledge::{Numbers, acknowledge, refuses};
use crate::x12::check::check_interchange;
use crate::x12::guide::Guides;
use crate::x12::reader::{Interchange, TransactionSet};
use std::collections::BTreeSet;

/// What is said of the file, and what is not adjudicated because of it.
pub struct Acknowledgment {
    pub bytes: Vec<u8>,
    /// TA104 R: nothing of the file is taken.
    pub refused: bool,
    /// Sets that are rejected, by their position in the file.
    pub refused_sets: BTreeSet<usize>,
}

/// Acknowledges a file.
pub fn write(paper: &Paper, guides: &Guides, interchange: &Interchange, decided: &[Decided]) -> Acknowledgment {
    let mut issues = check_interchange(guides, interchange);
    issues.extend(decided.iter().filter_map(|each| complaint(interchange, each)));
    let places: Vec<&X12Place> = issues.iter().filter(|issue| refuses(issue)).filter_map(coded).collect();
    let numbers = Numbers { interchange: paper.number(), group: paper.number() };
    Acknowledgment {
        bytes: acknowledge(interchange, &issues, numbers, paper.at),
        refused: places.iter().any(|at| at.group.is_none() && at.transaction_set.is_none()),
        refused_sets: refused_sets(interchange, &places),
    }
}

/// The place of an issue that an acknowledgment has a code for.
fn coded(issue: &Issue) -> Option<&X12Place> {
    match &issue.at {
        Place::X12(at) if at.error_code.is_some() => Some(at),
        _ => None,
    }
}

/// Sets with an error of their own or of their group.
fn refused_sets(interchange: &Interchange, places: &[&X12Place]) -> BTreeSet<usize> {
    let in_groups = interchange.groups.iter().flat_map(|group| group.sets.iter().map(move |set| (group, set)));
    let is_refused = |group: &str, set: &str| {
        let of_group = places.iter().filter(|at| at.group.as_deref() == Some(group));
        of_group.into_iter().any(|at| at.transaction_set.as_deref().is_none_or(|number| number == set))
    };
    let refused =
        in_groups.enumerate().filter(|(_, (group, set))| is_refused(group.control_number(), set.control_number()));
    refused.map(|(n, _)| n).collect()
}

/// What the scenario has the payer find wrong with a claim.
fn complaint(interchange: &Interchange, each: &Decided) -> Option<Issue> {
    let at = match each.outcome {
        Outcome::RefuseInterchange { note } => X12Place { error_code: Some(note.clone()), ..X12Place::default() },
        Outcome::RefuseSet(complaint) => in_the_claim(interchange, each, complaint)?,
        _ => return None,
    };
    Some(Issue::error(codes::X12_GUIDE, Place::X12(at), "found wrong by the scenario"))
}

/// The first such segment of the claim, else its CLM.
fn in_the_claim(interchange: &Interchange, each: &Decided, complaint: &Complaint) -> Option<X12Place> {
    let (group, set) = set_at(interchange, each.claim.set)?;
    let of_claim = set.segments.iter().filter(|segment| segment.ordinal >= each.claim.ordinal);
    let ordinal = of_claim.into_iter().find(|segment| segment.id() == complaint.segment).map(|segment| segment.ordinal);
    let mut position = complaint.element.as_ref().map_or("", |element| &element.at).split(':').map(|n| n.parse().ok());
    let code = complaint.element.as_ref().map_or(&complaint.code, |element| &element.code);
    Some(X12Place {
        group: Some(group.to_owned()),
        transaction_set: Some(set.control_number().to_owned()),
        segment: Some(complaint.segment.clone()),
        ordinal: Some(ordinal.unwrap_or(each.claim.ordinal)),
        element: position.next().flatten(),
        component: position.next().flatten(),
        error_code: Some(code.clone()),
        ..X12Place::default()
    })
}

fn set_at<'i, 'a>(interchange: &'i Interchange<'a>, n: usize) -> Option<(&'a str, &'i TransactionSet<'a>)> {
    let in_groups =
        interchange.groups.iter().flat_map(|group| group.sets.iter().map(move |set| (group.control_number(), set)));
    in_groups.into_iter().nth(n)
}
