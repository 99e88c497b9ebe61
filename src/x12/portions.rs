//! A set of any length, portion by portion: one claim, payment or answer at a time ([`Guide::units`]), with the header and
//! the levels that stand around it. No more than one portion is held.

use crate::fault::{Fault, Issue};
use crate::x12::envelope::Role;
use crate::x12::guide::{Guide, Guides, LoopIx};
use crate::x12::mark::Mark;
use crate::x12::reader::{Ending, TransactionSet};
use crate::x12::segment::Segment;
use crate::x12::stream::{Follower, Segments, Step};
use crate::x12::tree::{Builder, Loop, Placed};
use std::io::Read;
use std::ops::{ControlFlow, Range};

/// A portion of more text or segments than these is given as it is, though its loops have not ended.
pub const MAX_TEXT: usize = 4 << 20;
pub const MAX_SEGMENTS: usize = 1 << 15;

/// Sees what a file holds, in its order. Each answer says whether to go on.
pub trait Visitor {
    /// A segment, before it is part of any portion.
    fn segment(&mut self, step: &Step<'_>) -> ControlFlow<()>;
    /// A portion of a set that is open, or has just ended.
    fn portion(&mut self, portion: &Portion<'_>) -> ControlFlow<()>;
    /// So many segments a portion has at least, where the set is long enough: units are told together.
    fn segments_at_once(&self) -> usize {
        0
    }
    /// A portion could have been told here, and is told together with the next.
    fn put_off(&mut self) {}
    /// What is wrong with the shape of the envelope.
    fn envelope(&mut self, issues: Vec<Issue>) -> ControlFlow<()>;
}

/// Goes through a file, whatever its length, in constant memory.
pub fn visit(guides: &Guides, source: impl Read, visitor: &mut impl Visitor) -> Result<(), Fault> {
    let mut segments = Segments::new(source);
    let mut follower = Follower::new(guides);
    let mut held = Held { at_once: visitor.segments_at_once(), ..Held::default() };
    let mut cut = Ending::Cut;
    while let Some(step) = segments.next_segment()? {
        let ending = if step.role == Role::Isa { cut } else { Ending::Whole };
        if step.role.ends_set() && held.end(ending) && told(&mut held, visitor).is_break() {
            return Ok(());
        }
        cut = if step.terminated { Ending::Cut } else { Ending::InSegment };
        let flow = visitor.segment(&step);
        let placed = follower.take(&step);
        if step.role.in_set() {
            held.take(&step, placed, &follower);
            if held.is_put_off {
                visitor.put_off();
            }
        }
        if flow.is_break() || told(&mut held, visitor).is_break() {
            return Ok(());
        }
        if segments.has_issues() && visitor.envelope(segments.issues()).is_break() {
            return Ok(());
        }
    }
    if !(held.end(cut) && told(&mut held, visitor).is_break()) {
        let _ = visitor.envelope(segments.issues());
    }
    Ok(())
}

/// Shows what is ready.
fn told(held: &mut Held<'_>, visitor: &mut impl Visitor) -> ControlFlow<()> {
    while let Some(portion) = held.portion() {
        visitor.portion(&portion)?;
        held.settle();
    }
    ControlFlow::Continue(())
}

/// A part of a set: header and levels once more, as they stand around what is new. Ordinals and offsets are those of the
/// whole.
#[derive(Debug)]
pub struct Portion<'p> {
    /// `None` for a set that no guide knows.
    pub guide: Option<&'p Guide>,
    pub set: TransactionSet<'p>,
    /// It holds a unit: a claim, a payment. Without one it is what a level said of itself, or the end of the set.
    pub has_unit: bool,
    /// It ends the set: header, trailer (PLB of an 835) and SE.
    pub is_last: bool,
    /// There are segments in it that no portion before had.
    pub has_news: bool,
    held: &'p Held<'p>,
    keep: usize,
}

impl<'p> Portion<'p> {
    /// The loops of the portion, when its set has a guide; their [`crate::x12::tree::Part`] says what is new.
    pub fn root(&self) -> Option<Loop<'p>> {
        let held = self.held;
        let mut builder = Builder::new(self.guide?);
        for ((n, mark), segment) in held.marks.iter().enumerate().zip(&self.set.segments) {
            if let Some(placed) = &mark.placed {
                builder.take(*segment, placed, n < held.told, self.set.is_broken_off(segment));
            }
        }
        builder.end(self.set.ending);
        for ((depth, frame), open) in held.frames.iter().enumerate().zip(builder.open()) {
            open.part.is_context = depth < self.keep;
            open.part.is_cut = frame.is_cut;
            open.part.left_out.clone_from(&frame.left_out);
        }
        Some(builder.finish())
    }

    /// The segments around the unit and its own, without those that only remember what was left out.
    pub fn around(&self) -> impl Iterator<Item = Segment<'p>> {
        let frames = &self.held.frames;
        let remembered = |n: usize, mark: &PlacedMark| {
            let Some(placed) = mark.placed.as_ref().filter(|_| n < self.held.told) else { return false };
            // A unit that began a loop around it as well, whose own beginning is missing, is no part of the others in it.
            let opens_unit = placed.opened.iter().any(|ix| self.guide.is_some_and(|guide| guide.units.contains(ix)));
            let is_open = |frame: &Frame| frame.first == n && (frame.is_unit || !opens_unit);
            self.held.begins_left_out(placed) && !frames.iter().any(is_open)
        };
        let marks = self.held.marks.iter().zip(&self.set.segments).enumerate();
        marks.filter(move |(n, (mark, _))| !remembered(*n, mark)).map(|(_, (_, segment))| *segment)
    }

    /// Ordinals of the segments before which it could have ended, and was put off.
    pub fn ends(&self) -> &[u32] {
        &self.held.ends
    }

    /// The new segments, and where each was placed.
    pub fn news(&self) -> impl Iterator<Item = (&Segment<'p>, Option<&'p Placed>)> {
        let marks = self.held.marks.iter().zip(&self.set.segments).skip(self.held.told);
        marks.map(|(mark, segment)| (segment, mark.placed.as_ref()))
    }
}

/// The segments of a portion, in one text that is used again and again.
#[derive(Debug, Default)]
struct Held<'g> {
    guide: Option<&'g Guide>,
    /// By loop of the guide: it is a unit, or a level around units.
    levels: Vec<bool>,
    group_version: String,
    text: String,
    marks: Vec<PlacedMark>,
    /// The open loops, the set first.
    frames: Vec<Frame>,
    /// Marks that an earlier portion had.
    told: usize,
    /// Segments that a portion has at least, and where those ended that are put off.
    at_once: usize,
    ends: Vec<u32>,
    /// One did before the last segment.
    is_put_off: bool,
    /// The SE came.
    is_over: bool,
    ready: Option<Ready>,
}

/// A segment of [`Held::text`], and where it was placed.
#[derive(Debug)]
struct PlacedMark {
    mark: Mark,
    placed: Option<Placed>,
}

/// An open loop.
#[derive(Debug, Default)]
struct Frame {
    /// The mark that opened it.
    first: usize,
    ix: Option<LoopIx>,
    is_unit: bool,
    is_level: bool,
    /// Some of it was given away before its end.
    is_cut: bool,
    /// Units and levels inside it that have ended and are to be told: the marks of each.
    done: Vec<(LoopIx, Range<usize>)>,
    /// The loops inside it that have ended and are held no more, and how many of them.
    ended: Vec<(LoopIx, u32)>,
    /// Those of them that no segment remembers.
    left_out: Vec<(LoopIx, u32)>,
}

/// A portion that is to be told.
#[derive(Debug, Clone, Copy)]
struct Ready {
    /// Loops that stay open.
    keep: usize,
    /// The last mark comes after it.
    has_next: bool,
    /// It was too long to wait for the end of its loops.
    is_cut: bool,
    /// How the set ends, when it does.
    ending: Ending,
}

impl<'g> Held<'g> {
    /// Ends the open set; whether there was one.
    fn end(&mut self, ending: Ending) -> bool {
        if self.frames.is_empty() {
            return false;
        }
        self.ready = Some(Ready { keep: 0, has_next: false, is_cut: false, ending });
        true
    }

    /// Takes a segment of a set, and finds whether a portion ends before it.
    fn take(&mut self, step: &Step<'_>, placed: Option<Placed>, follower: &Follower<'g>) {
        if let Role::St { .. } = step.role {
            self.frames.push(Frame::default());
            follower.group_version().clone_into(&mut self.group_version);
            self.follow(follower.guide());
        } else if step.segment.ordinal == 2 && step.role == Role::Body {
            // The second segment may have told that another guide is meant.
            self.follow(follower.guide());
            self.marks.iter_mut().take(1).for_each(|first| first.placed = follower.start());
        }
        let open = self.frames.len();
        let keep = placed.as_ref().map_or(open, |placed| placed.keep.min(open).max(1));
        let waits = |frame: &Frame| frame.is_unit || frame.is_level || frame.first < self.told;
        let fresh = self.marks.len() - self.told;
        let is_full = self.text.len() > MAX_TEXT || fresh > MAX_SEGMENTS;
        let ends = self.frames.iter().skip(keep).any(waits);
        // The end of what was told in part is told at once: nobody else does.
        let is_due =
            is_full || fresh >= self.at_once || self.frames.iter().skip(keep).any(|frame| frame.first < self.told);
        self.is_put_off = ends && !is_due;
        if self.is_put_off {
            self.ends.push(step.segment.ordinal);
        }
        self.ready = match ends {
            true if self.is_put_off => None,
            true => Some(Ready { keep, has_next: true, is_cut: false, ending: Ending::Whole }),
            false if is_full => Some(Ready { keep: open, has_next: true, is_cut: true, ending: Ending::Whole }),
            false => None,
        };
        self.is_over = step.role == Role::Se;
        self.push(&step.segment, placed);
        if self.ready.is_none() {
            self.enter();
        }
    }

    fn push(&mut self, segment: &Segment<'_>, placed: Option<Placed>) {
        let mark = Mark::put(&mut self.text, segment);
        self.marks.push(PlacedMark { mark, placed });
    }

    /// What the guide says of its loops.
    fn follow(&mut self, guide: Option<&'g Guide>) {
        let name = |guide: Option<&'g Guide>| guide.map(|guide| guide.name.as_str());
        if name(self.guide) != name(guide) {
            let levels = guide.map(|guide| guide.loop_ixs().map(|(ix, _)| guide.is_apart(ix)).collect());
            self.levels = levels.unwrap_or_default();
        }
        self.guide = guide;
    }

    /// Closes and opens loops as the place of the last mark asks. An SE ends the set behind it.
    fn enter(&mut self) {
        let first = self.marks.len().saturating_sub(1);
        if let (Some(placed), Some(guide)) = (self.marks.last().and_then(|mark| mark.placed.as_ref()), self.guide) {
            let keep = placed.keep.max(1);
            close(&mut self.frames, keep, first);
            for ix in placed.opened.iter() {
                let is_unit = guide.units.contains(ix);
                let is_level = !is_unit && self.levels.get(usize::from(ix.0)).copied().unwrap_or_default();
                self.frames.push(Frame { first, ix: Some(*ix), is_unit, is_level, ..Frame::default() });
            }
        }
        if self.is_over {
            self.end(Ending::Whole);
        }
    }

    /// The portion that is ready.
    fn portion(&self) -> Option<Portion<'_>> {
        let ready = self.ready?;
        let count = self.marks.len() - usize::from(ready.has_next);
        let segments = self.marks.iter().take(count).map(|placed| placed.mark.segment(&self.text)).collect();
        Some(Portion {
            guide: self.guide,
            set: TransactionSet::new(segments, &self.group_version).ending(ready.ending),
            has_unit: !ready.is_cut && self.frames.iter().skip(ready.keep).any(|frame| frame.is_unit),
            is_last: ready.keep == 0,
            has_news: self.told < count,
            held: self,
            keep: ready.keep,
        })
    }

    /// Whether a segment began a unit or a level.
    fn begins_left_out(&self, placed: &Placed) -> bool {
        placed.opened.iter().any(|ix| self.levels.get(usize::from(ix.0)).copied().unwrap_or_default())
    }

    /// Forgets what was told and is needed no more.
    fn settle(&mut self) {
        let Some(ready) = self.ready.take() else { return };
        self.ends.clear();
        if ready.keep == 0 {
            self.frames.clear();
            self.marks.clear();
            self.text.clear();
            (self.told, self.is_over) = (0, false);
            return;
        }
        let next = if ready.has_next { self.marks.pop() } else { None };
        match ready.is_cut {
            true => self.cut(),
            false => {
                close(&mut self.frames, ready.keep, self.marks.len());
                self.leave();
            }
        }
        self.told = self.marks.len();
        self.compact(next);
        self.enter();
    }

    /// Leaves out the units and levels that have ended, with all inside; of each kind the first, and the first that is too
    /// many, are remembered by the segment that began them.
    fn leave(&mut self) {
        let Some(guide) = self.guide else { return };
        let mut gone: Vec<Range<usize>> = Vec::new();
        for around in &mut self.frames {
            around.first -= gone.iter().map(ExactSizeIterator::len).sum::<usize>();
            for (ix, marks) in std::mem::take(&mut around.done) {
                let before = count(&mut around.ended, ix);
                let is_remembered = before == 0 || guide.loop_at(ix).max == Some(before);
                if !is_remembered {
                    count(&mut around.left_out, ix);
                }
                gone.push(marks.start + usize::from(is_remembered)..marks.end);
            }
        }
        let mut gone = gone.into_iter().peekable();
        let mut n = 0..;
        self.marks.retain(|_| {
            let Some(n) = n.next() else { return true };
            while gone.next_if(|marks| marks.end <= n).is_some() {}
            gone.peek().is_none_or(|marks| !marks.contains(&n))
        });
    }

    /// Gives away what is not needed to know which loops are open.
    fn cut(&mut self) {
        let Held { marks, frames, told, text, .. } = self;
        let context = marks.get(*told).map_or(text.len(), |placed| placed.mark.text.start);
        let is_heavy = *told > MAX_SEGMENTS / 4 || context > MAX_TEXT / 4;
        let innermost = frames.len().saturating_sub(1);
        let firsts: Vec<_> = frames.iter().map(|frame| frame.first).collect();
        let mut kept = Vec::with_capacity(firsts.len());
        let (mut n, mut left) = (0, 0);
        marks.retain(|_| {
            let keeps = firsts.contains(&n) || (n < *told && !is_heavy);
            if keeps {
                kept.push((n, left));
                left += 1;
            }
            n += 1;
            keeps
        });
        for (depth, frame) in frames.iter_mut().enumerate() {
            frame.is_cut |= is_heavy || frame.first >= *told || depth == innermost;
            frame.first = kept.iter().find(|(old, _)| *old == frame.first).map_or(0, |(_, new)| *new);
        }
    }

    /// Closes the gaps in the text that marks have left, and puts `next` behind them.
    fn compact(&mut self, next: Option<PlacedMark>) {
        self.marks.extend(next);
        let (mut end, mut moved) = (0, 0);
        for PlacedMark { mark, .. } in &mut self.marks {
            let (start, length) = (mark.text.start - moved, mark.text.len());
            self.text.drain(end..start);
            moved += start - end;
            mark.text = end..end + length;
            end += length;
        }
        self.text.truncate(end);
    }
}

/// Closes all but so many of the open loops, before the mark `end`. A unit or level among them is to be told; what is around
/// one is a level as well, so that no other need be looked for.
fn close(frames: &mut Vec<Frame>, keep: usize, end: usize) {
    if frames.len() <= keep {
        return;
    }
    let ended = frames.drain(keep..).find(|frame| frame.is_unit || frame.is_level);
    if let (Some(Frame { first, ix: Some(ix), .. }), Some(around)) = (ended, frames.last_mut()) {
        around.done.push((ix, first..end));
    }
}

/// Counts one more, and tells how many there were.
fn count(counts: &mut Vec<(LoopIx, u32)>, ix: LoopIx) -> u32 {
    match counts.iter_mut().find(|(other, _)| *other == ix) {
        Some((_, count)) => {
            *count = count.saturating_add(1);
            *count - 1
        }
        None => {
            counts.push((ix, 1));
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::guide::tests::shipped;
    use crate::x12::tokens::tests::isa;

    /// Shows the portions as `ST1 BPR2 … 10`: has a unit, is the last.
    struct Shown(Vec<String>, fn(&Portion<'_>) -> String);

    impl Visitor for Shown {
        fn segment(&mut self, _: &Step<'_>) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }

        fn portion(&mut self, portion: &Portion<'_>) -> ControlFlow<()> {
            self.0.push((self.1)(portion));
            ControlFlow::Continue(())
        }

        fn envelope(&mut self, _: Vec<Issue>) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
    }

    fn shown(body: &str, show: fn(&Portion<'_>) -> String) -> Vec<String> {
        let text = format!("{}{body}IEA*1*1~", isa('*', '^', ':', "~"));
        let mut all = Shown(Vec::new(), show);
        visit(shipped(), text.as_bytes(), &mut all).unwrap();
        all.0
    }

    fn segments(portion: &Portion<'_>) -> String {
        let ids: Vec<_> = portion.around().map(|segment| format!("{}{}", segment.id(), segment.ordinal)).collect();
        format!("{} {}{}", ids.join(" "), u8::from(portion.has_unit), u8::from(portion.is_last))
    }

    #[test]
    fn units_are_told_together_when_so_asked() {
        /// The first three ordinals at which a portion could have ended, how many there are, and its segments.
        struct Together(Vec<String>);
        impl Visitor for Together {
            fn segment(&mut self, _: &Step<'_>) -> ControlFlow<()> {
                ControlFlow::Continue(())
            }
            fn portion(&mut self, portion: &Portion<'_>) -> ControlFlow<()> {
                let (ends, count) = (portion.ends(), portion.set.segments.len());
                self.0.push(format!("{:?} {} {count}", &ends[..ends.len().min(3)], ends.len()));
                ControlFlow::Continue(())
            }
            fn envelope(&mut self, _: Vec<Issue>) -> ControlFlow<()> {
                ControlFlow::Continue(())
            }
            fn segments_at_once(&self) -> usize {
                10
            }
        }
        let claims = "CLP*A~NM1*QC~SVC*HC:1~".repeat(7);
        let body = format!("GS*HP*A*B*1*1*1*X*005010X221A1~ST*835*1~BPR*I~LX*1~{claims}LX*2~{claims}SE*1*1~");
        let text = format!("{}{body}IEA*1*1~", isa('*', '^', ':', "~"));
        let mut all = Together(Vec::new());
        visit(shipped(), text.as_bytes(), &mut all).unwrap();
        // Around what is new stand ST, BPR, the LX that is open, and what began the first of each kind.
        let expected = ["[7, 10] 2 12", "[16, 19, 22] 3 16", "[29, 32] 2 13", "[38, 41, 44] 3 17", "[] 0 4"];
        assert_eq!(all.0, expected);
    }

    #[test]
    fn a_remittance_comes_payment_by_payment() {
        let body = "GS*HP*A*B*1*1*1*X*005010X221A1~ST*835*1~BPR*I~N1*PR~N3*A~N1*PE~LX*1~CLP*A~NM1*QC~SVC*HC:1~CLP*B~LX*2~CLP*C~\
                    PLB*1~SE*13*1~ST*835*2~BPR*I~GE*2*1~";
        let expected = [
            "ST1 BPR2 N13 N34 N15 LX6 CLP7 NM18 SVC9 10",
            "ST1 BPR2 N13 N34 N15 LX6 CLP10 10",
            "ST1 BPR2 N13 N34 N15 LX11 CLP12 10",
            "ST1 BPR2 N13 N34 N15 PLB13 SE14 01",
            "ST1 BPR2 01",
        ];
        assert_eq!(shown(body, segments), expected);
    }

    const CLAIMS: &str = "GS*HC*A*B*1*1*1*X*005010X222A1~ST*837*1~HL*1**20*1~NM1*85~HL*2*1*22*1~SBR*P~CLM*A~LX*1~HL*3*2*23*0~PAT*19~CLM*B~\
                          HL*4*1*22*0~SBR*P~SE*13*1~GE*1*1~";

    #[test]
    fn claims_keep_their_levels_and_a_level_without_units_is_told() {
        let expected = [
            "ST1 HL2 NM13 HL4 SBR5 CLM6 LX7 10",
            "ST1 HL2 NM13 HL4 SBR5 HL8 PAT9 CLM10 10",
            "ST1 HL2 NM13 HL11 SBR12 00",
            "ST1 SE13 01",
        ];
        assert_eq!(shown(CLAIMS, segments), expected);
    }

    #[test]
    fn a_set_without_guide_is_one_portion() {
        assert_eq!(
            shown("GS*BE*A*B*1*1*1*X*005010X220A1~ST*834*1~BGN*00~INS*Y~SE*4*1~GE*1*1~", segments),
            ["ST1 BGN2 INS3 SE4 01"]
        );
    }

    /// `2300!(…)` for a loop that ended here, `+2` for loops left out.
    fn parts(portion: &Portion<'_>) -> String {
        fn show(found: &Loop<'_>) -> String {
            let own = found.segments.iter().skip(found.part.told).map(|segment| segment.id().to_owned());
            let all: Vec<_> = own.chain(found.children.iter().map(show)).collect();
            let ended = if found.part.is_context { "" } else { "!" };
            let left_out: String = found.part.left_out.iter().map(|(_, count)| format!("+{count}")).collect();
            format!("{}{ended}{left_out}({})", found.id, all.join(" "))
        }
        portion.root().map_or_else(String::new, |root| show(&root))
    }

    #[test]
    fn each_loop_ends_once_and_each_segment_is_new_once() {
        let expected = [
            "ST(ST 2000A(HL 2010AA!(NM1) 2000B(HL SBR 2300!(CLM 2400!(LX)))))",
            "ST(2000A(2010AA() 2000B!(2300() 2000C!(HL PAT 2300!(CLM)))))",
            "ST(2000A!(2010AA() 2000B() 2000B!(HL SBR)))",
            "ST!(SE 2000A())",
        ];
        assert_eq!(shown(CLAIMS, parts), expected);
        let body = "GS*HP*A*B*1*1*1*X*005010X221A1~ST*835*1~LX*1~CLP*A~CLP*B~CLP*C~CLP*D~SE*13*1~";
        assert_eq!(shown(body, parts)[3], "ST(2000!+2(2100() 2100!(CLP)))");
    }

    #[test]
    fn what_is_too_long_is_told_before_it_ends() {
        let notes = "NTE*ADD*X~".repeat(2 * MAX_SEGMENTS + 10);
        let body =
            format!("GS*HC*A*B*1*1*1*X*005010X222A1~ST*837*1~HL*1**20*1~HL*2*1*22*0~CLM*A~{notes}LX*1~CLM*B~SE*4*1~");
        let counts = shown(&body, |portion| portion.news().count().to_string());
        assert_eq!(
            counts,
            [
                (MAX_SEGMENTS + 1).to_string(),
                (MAX_SEGMENTS + 1).to_string(),
                "13".to_owned(),
                "1".to_owned(),
                "1".to_owned()
            ]
        );
        let cut = shown(&body, |portion| {
            let root = portion.root().unwrap();
            root.descend()
                .map(|found| format!("{}{}", found.id, u8::from(found.part.is_cut)))
                .collect::<Vec<_>>()
                .join(" ")
        });
        assert_eq!(cut[2], "ST1 2000A1 2000B1 23001 24000");
    }
}
