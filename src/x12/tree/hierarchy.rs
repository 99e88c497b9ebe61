//! Levels (HL), which tell their places by their numbers, and loops of which the beginning is missing.

use super::{Open, Order, Placed, Placer, Sought, Spot};
use crate::x12::guide::{Item, LoopIx, SegmentIx, Usage};
use crate::x12::problem::Problem;
use crate::x12::segment::Segment;
use crate::x12::spots::Opened;

/// How many loops may be missing between an open loop and one that begins below it.
const MISSING_LOOPS: usize = 2;

/// The way down to a segment.
struct Path {
    /// The loops down to it, the innermost first.
    loops: Vec<LoopIx>,
    spec: SegmentIx,
    /// It begins the innermost of them.
    begins: bool,
}

impl Placer<'_> {
    pub(super) fn place_level(&mut self, sought: &Sought<'_, '_>) -> Placed {
        let segment = sought.segment;
        if let Some(spot) = self.level(sought).or_else(|| self.find(sought, Order::Any)) {
            let problem = self.parent_problem(spot, segment);
            return self.settle(spot, segment, problem);
        }
        if let Some(placed) = self.implied(sought) {
            return placed;
        }
        match self.below_parent(segment) {
            // What is wrong with HL03 the guide tells.
            Some(spot) => self.settle(spot, segment, None),
            None => self.misfit(sought),
        }
    }

    /// The open level that HL02 names, by its HL01 or by the number that it should have.
    fn parent(&self, segment: &Segment<'_>) -> Option<usize> {
        let parent = segment.element(2);
        let numbered = || self.open.iter().rposition(|open| open.nth > 0 && parent.parse() == Ok(open.nth));
        let named = || self.open.iter().rposition(|open| open.level == parent);
        if parent.is_empty() { None } else { named().or_else(numbered) }
    }

    /// The open level that HL02 names, when it may hold this one.
    fn level(&self, sought: &Sought<'_, '_>) -> Option<Spot> {
        self.in_loop(self.parent(sought.segment)?, sought, Order::Any)
    }

    /// The first level that may stand below the one that HL02 names, where HL03 is the code of none.
    fn below_parent(&self, segment: &Segment<'_>) -> Option<Spot> {
        let depth = if segment.element(2).is_empty() { 0 } else { self.parent(segment)? };
        let items = &self.guide.loop_at(self.open[depth].ix).items;
        let is_level = |item: &Item| matches!(item, Item::Loop(ix) if self.guide.loop_at(*ix).is_level);
        Some(Spot { depth, item: items.iter().position(is_level)? })
    }

    fn parent_problem(&mut self, spot: Spot, segment: &Segment<'_>) -> Option<Problem> {
        let (guide, parent) = (self.guide, segment.element(2));
        let open = &mut self.open[spot.depth];
        let (_, ix) = guide.loop_at(open.ix).index[spot.item];
        let is_required = || guide.segment_at(ix).element(2, 0).is_some_and(|hl02| hl02.usage == Usage::Required);
        if parent == open.level || (parent.is_empty() && is_required()) {
            return None;
        }
        if open.nth == 0 || parent.parse() != Ok(open.nth) {
            return Some(Problem::WrongParent);
        }
        // The others below it say the same: it is told once.
        parent.clone_into(&mut open.level);
        Some(Problem::WrongNumber)
    }

    /// Opens a loop; `first` is the segment that begins it, if that is there.
    pub(super) fn push(&mut self, ix: LoopIx, first: Option<&Segment<'_>>) {
        let is_level = self.guide.loop_at(ix).is_level;
        self.levels += u64::from(is_level);
        let (level, nth) = match (is_level, first) {
            (false, _) => (String::new(), 0),
            (true, Some(hl)) => (hl.element(1).to_owned(), self.levels),
            // What a missing level was called follows from the others.
            (true, None) => (self.levels.to_string(), self.levels),
        };
        self.open.push(Open { ix, at: 0, level, nth });
    }

    /// A loop below an open one that begins with this segment, though loops between are missing; or a level of which the HL
    /// is missing.
    pub(super) fn implied(&mut self, sought: &Sought<'_, '_>) -> Option<Placed> {
        let (depth, path) = (0..self.open.len()).rev().find_map(|depth| {
            let path = self.path_down(self.open[depth].ix, sought, MISSING_LOOPS)?;
            Some((depth, path))
        })?;
        self.lost = None;
        self.open.truncate(depth + 1);
        let mut opened = Opened::none();
        for (n, ix) in path.loops.iter().enumerate().rev() {
            opened.push(*ix);
            self.reach(Item::Loop(*ix));
            self.push(*ix, Some(sought.segment).filter(|_| n == 0 && path.begins));
        }
        self.reach(Item::Segment(path.spec));
        let missing = path.loops.last().copied().unwrap_or_default();
        let (in_loop, spec, problem) = (self.innermost(), Some(path.spec), Some(Problem::LoopMissing(missing)));
        Some(Placed { keep: depth + 1, opened, in_loop, spec, problem })
    }

    /// Says which item of the innermost loop was reached.
    fn reach(&mut self, reached: Item) {
        if let Some(open) = self.open.last_mut() {
            let items = &self.guide.loop_at(open.ix).items;
            open.at = items.iter().position(|item| *item == reached).unwrap_or(open.at);
        }
    }

    fn path_down(&self, from: LoopIx, sought: &Sought<'_, '_>, missing: usize) -> Option<Path> {
        let fits = |ix: &SegmentIx| {
            let spec = self.guide.segment_at(*ix);
            spec.tag == sought.tag && sought.qualifies(spec).is_some()
        };
        for child in &self.guide.loop_at(from).children {
            let spec = self.guide.loop_at(*child);
            let Some((first, others)) = spec.segments.split_first() else { continue };
            // A starter without qualifier fits too loosely to guess by, unless its id says all (CLM, SVC).
            if fits(first) {
                return Some(Path { loops: vec![*child], spec: *first, begins: true });
            }
            if missing == 0 {
                continue;
            }
            let is_own = |ix: &&SegmentIx| self.guide.segment_at(**ix).usage == Usage::Required && fits(ix);
            if let Some(own) = others.iter().find(is_own).filter(|_| spec.is_level) {
                return Some(Path { loops: vec![*child], spec: *own, begins: false });
            }
            if let Some(mut path) = self.path_down(*child, sought, missing - 1) {
                path.loops.push(*child);
                return Some(path);
            }
        }
        None
    }
}
