//! What is wrong with a set, gathered piece by piece, and told in one order wherever the pieces ended.

use crate::fault::Issue;
use crate::x12::tree::Loop;

/// What was found wrong with a set, by the kind of check.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Segments, loops and codes.
    pub contents: Ranked,
    pub balances: Vec<Issue>,
    pub situations: Ranked,
    pub numbers: Vec<Issue>,
}

/// Issues, and for each which loop it is about.
#[derive(Debug, Default)]
pub(crate) struct Ranked {
    pub issues: Vec<Issue>,
    ranks: Vec<Rank>,
}

/// The place of a loop in a tree: the ordinal of its first segment, and how many loops are around it, when it lacks its own.
type Rank = (u32, usize);

impl Findings {
    /// All of them. Those about a loop come before those about the loops inside of it.
    pub fn in_order(self) -> Vec<Issue> {
        let mut all: Vec<_> = self.contents.in_order().collect();
        all.extend(self.balances);
        all.extend(self.situations.in_order());
        all.extend(self.numbers);
        all
    }
}

impl Ranked {
    /// Says that the issues which came last are about a loop that has so many around it.
    #[inline]
    pub fn rank(&mut self, found: &Loop<'_>, depth: usize) {
        if self.ranks.len() < self.issues.len() {
            self.ranks.resize(self.issues.len(), rank(found, depth));
        }
    }

    /// Puts issues about a loop before others.
    pub fn insert(&mut self, before: usize, issues: Vec<Issue>, found: &Loop<'_>, depth: usize) {
        if !issues.is_empty() {
            let ranks = std::iter::repeat_n(rank(found, depth), issues.len());
            self.ranks.splice(before..before, ranks);
            self.issues.splice(before..before, issues);
        }
    }

    fn in_order(self) -> impl Iterator<Item = Issue> {
        let mut all: Vec<_> = self.ranks.into_iter().zip(self.issues).collect();
        // Stable: what is about one loop stays as it was found.
        all.sort_by_key(|(rank, _)| *rank);
        all.into_iter().map(|(_, issue)| issue)
    }
}

fn rank(found: &Loop<'_>, depth: usize) -> Rank {
    let ordinals = found.descend().filter_map(|inner| inner.segments.first()).map(|segment| segment.ordinal);
    (ordinals.min().unwrap_or_default(), depth)
}
