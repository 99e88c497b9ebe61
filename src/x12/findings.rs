//! What is wrong with a set, gathered piece by piece, and told in one order wherever the pieces ended.

use crate::fault::{Issue, Place};
use crate::x12::tree::Loop;

/// What was found wrong with a set, by the kind of check.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Segments, loops and codes.
    pub contents: Ranked,
    pub balances: Ranked,
    pub situations: Ranked,
    pub numbers: Ranked,
}

/// Issues, and for each which loop it is about.
#[derive(Debug, Default)]
pub(crate) struct Ranked {
    pub issues: Vec<Issue>,
    ranks: Vec<Rank>,
}

/// Where a loop stands in a tree.
#[derive(Debug, Clone, Copy, Default)]
struct Rank {
    /// The ordinal of its first segment, and how many loops are around it: it may lack its own.
    begin: (u32, usize),
    /// The ordinal of the segment with which it was known what to say; none when that is the one that the issue is about.
    known: Option<u32>,
}

impl Findings {
    /// All of them. Those about a loop come before those about the loops inside of it.
    pub fn in_order(self) -> Vec<Issue> {
        let Findings { contents, balances, situations, numbers } = self;
        let (mut all, situations) = (contents.in_order(), situations.in_order());
        all.extend(balances.issues);
        all.extend(situations);
        all.extend(numbers.issues);
        all
    }

    /// All of them as they were found, each with the ordinal of the segment with which it was known.
    pub fn with_ordinals(self) -> impl Iterator<Item = (u32, Issue)> {
        let Findings { contents, balances, situations, numbers } = self;
        let all = [contents, balances, situations, numbers].into_iter();
        let ranked = all.flat_map(|ranked| ranked.ranks.into_iter().zip(ranked.issues));
        ranked.map(|(rank, issue)| (rank.known.or(ordinal(&issue)).unwrap_or_default(), issue))
    }
}

/// The segment that an issue is about.
pub(crate) fn ordinal(issue: &Issue) -> Option<u32> {
    match &issue.at {
        Place::X12(at) => at.ordinal,
        _ => None,
    }
}

impl Ranked {
    /// Says that the issues which came last are about segments of a loop that has so many around it.
    #[inline]
    pub fn of_segments(&mut self, found: &Loop<'_>, depth: usize) {
        if self.ranks.len() < self.issues.len() {
            self.ranks.resize(self.issues.len(), Rank { begin: (begin(found), depth), known: None });
        }
    }

    /// Says that the issues which came last are about a loop as a whole.
    #[inline]
    pub fn of_loop(&mut self, found: &Loop<'_>, depth: usize) {
        if self.ranks.len() < self.issues.len() {
            self.ranks.resize(self.issues.len(), whole(found, depth));
        }
    }

    /// Says with which segment the issues were known that came last.
    #[inline]
    pub fn known_with(&mut self, ordinal: u32) {
        self.ranks.resize(self.issues.len(), Rank { known: Some(ordinal), ..Rank::default() });
    }

    /// Puts issues about a loop before others.
    pub fn insert(&mut self, before: usize, issues: Vec<Issue>, found: &Loop<'_>, depth: usize) {
        if !issues.is_empty() {
            self.ranks.splice(before..before, std::iter::repeat_n(whole(found, depth), issues.len()));
            self.issues.splice(before..before, issues);
        }
    }

    fn in_order(self) -> Vec<Issue> {
        let mut all: Vec<_> = self.ranks.into_iter().zip(self.issues).collect();
        // Stable: what is about one loop stays as it was found.
        all.sort_by_key(|(rank, _)| rank.begin);
        all.into_iter().map(|(_, issue)| issue).collect()
    }
}

fn whole(found: &Loop<'_>, depth: usize) -> Rank {
    let last = found.descend().filter_map(|inner| inner.segments.last()).map(|segment| segment.ordinal).max();
    Rank { begin: (begin(found), depth), known: Some(last.unwrap_or_default()) }
}

fn begin(found: &Loop<'_>) -> u32 {
    let ordinals = found.descend().filter_map(|inner| inner.segments.first()).map(|segment| segment.ordinal);
    ordinals.min().unwrap_or_default()
}
