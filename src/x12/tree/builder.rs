//! Makes loops of segments whose places were found, and lets those go that are needed no more: of a long set a piece at a
//! time is held as a tree.

use crate::x12::guide::{Guide, LoopIx};
use crate::x12::reader::Ending;
use crate::x12::segment::Segment;
use crate::x12::tree::{Loop, Part, Placed};

/// Segments that a loop has room for from the first.
const SEGMENTS: usize = 4;
/// Segments of a piece, at least: then what is around it costs little.
const PIECE: usize = 512;

/// Makes loops of segments whose places were found.
#[derive(Debug)]
pub(crate) struct Builder<'g, 'a> {
    guide: &'g Guide,
    /// The open loops, the set first.
    open: Vec<Loop<'a>>,
    /// By loop of the guide, those that were let go: they are used again.
    spare: Vec<Vec<Loop<'a>>>,
    /// Segments that came since the last piece, and those that it left.
    fresh: usize,
    left: usize,
}

impl<'g, 'a> Builder<'g, 'a> {
    pub fn new(guide: &'g Guide) -> Builder<'g, 'a> {
        let mut builder = Builder { guide, open: Vec::new(), spare: Vec::new(), fresh: 0, left: 0 };
        let root = builder.begin(guide.root());
        builder.open.push(root);
        builder
    }

    /// Takes the next segment; `told` when an earlier portion of the set had it. Of one that `is_broken_off` nothing is known.
    #[inline(always)]
    pub fn take(&mut self, segment: Segment<'a>, placed: &Placed, told: bool, is_broken_off: bool) {
        while self.open.len() > placed.keep.max(1) {
            self.close();
        }
        for ix in placed.opened.iter() {
            let mut opened = self.begin(*ix);
            opened.part.is_context = told;
            self.open.push(opened);
        }
        if let Some(innermost) = self.open.last_mut() {
            innermost.segments.push(segment);
            innermost.specs.push(placed.spec.filter(|_| !is_broken_off));
            innermost.part.told += usize::from(told);
        }
        self.fresh += 1;
    }

    /// Says how the set ends.
    pub fn end(&mut self, ending: Ending) {
        self.open.iter_mut().for_each(|open| open.part.is_open = ending != Ending::Whole);
    }

    /// The open loops, the set first.
    pub fn open(&mut self) -> &mut [Loop<'a>] {
        &mut self.open
    }

    pub fn finish(mut self) -> Loop<'a> {
        while self.open.len() > 1 {
            self.close();
        }
        self.open.pop().unwrap_or_else(|| self.begin(self.guide.root()))
    }

    /// Whether a piece may end before a segment that lets so many of the open loops go on: there is enough of it, and a unit or
    /// a level ends, which nothing behind it looks into.
    pub fn ends_piece(&self, keep: usize) -> bool {
        self.fresh >= PIECE.max(self.left)
            && self.open.iter().skip(keep.max(1)).any(|found| self.guide.sight.is_apart(found.spec))
    }

    /// The piece as one tree. The loops that go on stand in it as what is around the rest.
    pub fn piece(&mut self, keep: usize) -> Option<&Loop<'a>> {
        while self.open.len() > keep.max(1) {
            self.close();
        }
        self.open.iter_mut().for_each(|open| open.part.is_context = true);
        while self.open.len() > 1 {
            self.close();
        }
        self.open.first()
    }

    /// Goes on behind a piece, with the loops that do.
    pub fn go_on(&mut self, keep: usize) {
        while self.open.len() < keep
            && let Some(next) = self.open.last_mut().and_then(|last| last.children.pop())
        {
            self.open.push(next);
        }
        (self.fresh, self.left) = (0, 0);
        let mut open = std::mem::take(&mut self.open);
        for found in &mut open {
            (found.part.told, found.part.is_context) = (found.segments.len(), false);
            self.leave(found);
        }
        self.open = open;
    }

    /// Leaves out the units and levels that have ended in a loop; of each kind the first, and the first that is too many, are
    /// remembered by the segment that began them.
    fn leave(&mut self, around: &mut Loop<'a>) {
        self.left += around.segments.len();
        for mut child in std::mem::take(&mut around.children) {
            let (spec, guide) = (child.spec, self.guide);
            if !child.part.is_context && guide.sight.is_apart(spec) {
                let alike = around.children.iter().filter(|other| other.spec == spec).count();
                let before = u32::try_from(alike).unwrap_or(u32::MAX).saturating_add(around.part.left_out_of(spec));
                if before > 0 && guide.loop_at(spec).max != Some(before) {
                    around.part.leave_out(spec);
                    self.let_go(child);
                    continue;
                }
                self.cut_down(&mut child);
            }
            self.left += tell(&mut child);
            around.children.push(child);
        }
    }

    /// Leaves nothing of a loop but the segment that began it, and what tells its place.
    fn cut_down(&mut self, found: &mut Loop<'a>) {
        found.segments.truncate(1);
        found.specs.truncate(1);
        // A loop that lacks its own is begun by the first inside.
        let kept = usize::from(found.segments.is_empty());
        let ended: Vec<_> = found.children.drain(kept.min(found.children.len())..).collect();
        ended.into_iter().for_each(|child| self.let_go(child));
        found.children.iter_mut().for_each(|child| self.cut_down(child));
        found.part.left_out.clear();
    }

    /// Keeps the room of a loop, and of those inside.
    fn let_go(&mut self, mut done: Loop<'a>) {
        let mut children = std::mem::take(&mut done.children);
        children.drain(..).for_each(|child| self.let_go(child));
        done.children = children;
        done.segments.clear();
        done.specs.clear();
        done.part = Part::default();
        let kind = usize::from(done.spec.0);
        if self.spare.len() <= kind {
            self.spare.resize_with(kind + 1, Vec::new);
        }
        self.spare[kind].push(done);
    }

    /// Moves the innermost loop into the one around it.
    fn close(&mut self) {
        if let Some(done) = self.open.pop()
            && let Some(parent) = self.open.last_mut()
        {
            parent.children.push(done);
        }
    }

    fn begin(&mut self, spec: LoopIx) -> Loop<'a> {
        self.spare.get_mut(usize::from(spec.0)).and_then(Vec::pop).unwrap_or_else(|| {
            // Most loops have a few segments: room for them is asked for once.
            let (segments, specs) = (Vec::with_capacity(SEGMENTS), Vec::with_capacity(SEGMENTS));
            let id = self.guide.loop_at(spec).id.clone();
            Loop { id, spec, segments, specs, children: Vec::new(), part: Part::default() }
        })
    }
}

/// Says that all of a loop was told; how many segments that are.
fn tell(found: &mut Loop<'_>) -> usize {
    (found.part.told, found.part.is_context) = (found.segments.len(), true);
    found.segments.len() + found.children.iter_mut().map(tell).sum::<usize>()
}
