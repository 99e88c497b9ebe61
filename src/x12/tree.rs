//! Loops: which loop of the guide each segment of a transaction set belongs to.
//!
//! X12 marks no loops (HL apart), so the place of a segment follows from its id, its qualifier and the loops that are open.
//! The innermost open loop that may hold it at or after the place reached wins; then one that may hold it earlier (out
//! of order, as many senders are); then one that would hold it if a missing segment had come before. What fits nowhere
//! stays where it was found and becomes an issue.

mod builder;
mod hierarchy;
mod sought;

pub(crate) use builder::Builder;

use crate::fault::Issue;
use crate::x12::guide::{Guide, Item, LoopIx, SegmentIx, Tag};
use crate::x12::problem::Problem;
use crate::x12::reader::TransactionSet;
use crate::x12::routes::{Asked, Route, Routes};
use crate::x12::segment::Segment;
use crate::x12::spots::Opened;
use sought::Sought;
pub(crate) use sought::is_id;
use std::sync::Arc;

/// A loop as found: its own segments, and the loops inside it, each in the order of the file.
#[derive(Debug, Clone)]
pub struct Loop<'a> {
    pub id: Arc<str>,
    pub spec: LoopIx,
    pub segments: Vec<Segment<'a>>,
    /// What the guide calls each of the segments; `None` for what it does not expect here.
    pub specs: Vec<Option<SegmentIx>>,
    pub children: Vec<Loop<'a>>,
    /// What of it is here, when the set comes in portions.
    pub part: Part,
}

/// How much of a loop stands in a portion or a piece of a set ([`crate::x12::portions`], [`Builder`]). The default is all of it.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// So many of its segments stood in an earlier portion.
    pub told: usize,
    /// It has not ended yet, or has in an earlier portion: it stands here as what is around the rest.
    pub is_context: bool,
    /// Parts of it stood in other portions, and are not here.
    pub is_cut: bool,
    /// The file ends within it: what else was in it is not known.
    pub is_open: bool,
    /// Loops directly inside that are not here, and how many of them.
    pub left_out: Vec<(LoopIx, u32)>,
}

impl Part {
    /// Nothing of the loop is missing here that may be somewhere else.
    pub(crate) fn is_complete(&self) -> bool {
        !(self.is_context || self.is_cut || self.is_open)
    }

    /// How many loops of a kind are not here.
    pub(crate) fn left_out_of(&self, ix: LoopIx) -> u32 {
        self.left_out.iter().find(|(other, _)| *other == ix).map_or(0, |(_, count)| *count)
    }

    /// One more is not here.
    pub(crate) fn leave_out(&mut self, ix: LoopIx) {
        match self.left_out.iter_mut().find(|(other, _)| *other == ix) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.left_out.push((ix, 1)),
        }
    }
}

impl<'a> Loop<'a> {
    /// The first segment of this id.
    #[inline]
    pub fn segment(&self, id: &str) -> Option<&Segment<'a>> {
        self.all(id).next()
    }

    /// The first segment of this id whose element 1 is `qualifier`.
    pub fn qualified(&self, id: &str, qualifier: &str) -> Option<&Segment<'a>> {
        self.all(id).find(|segment| segment.element(1) == qualifier)
    }

    /// All segments of this id.
    #[inline]
    pub fn all(&self, id: &str) -> impl Iterator<Item = &Segment<'a>> {
        self.segments.iter().filter(move |segment| segment.is(id))
    }

    /// The first loop of this id directly inside.
    pub fn child(&self, id: &str) -> Option<&Loop<'a>> {
        self.children_of(id).next()
    }

    /// All loops of this id directly inside.
    pub fn children_of(&self, id: &str) -> impl Iterator<Item = &Loop<'a>> {
        self.children.iter().filter(move |child| &*child.id == id)
    }

    /// This loop and all loops below, each before those inside it.
    pub fn descend(&self) -> impl Iterator<Item = &Loop<'a>> {
        self.descend_into(|_| true)
    }

    /// This loop and the loops below, each before those inside it; those inside of which `looks_into` says so.
    pub(crate) fn descend_into(&self, looks_into: impl Fn(&Loop<'a>) -> bool) -> impl Iterator<Item = &Loop<'a>> {
        let mut waiting = vec![self];
        std::iter::from_fn(move || {
            let next = waiting.pop()?;
            if looks_into(next) {
                waiting.extend(next.children.iter().rev());
            }
            Some(next)
        })
    }
}

/// Sorts the segments of a set into the loops of its guide. The issues are those of place and order alone; what the
/// segments hold is checked by [`crate::x12::check`].
pub fn assign<'a>(guide: &Guide, set: &TransactionSet<'a>) -> (Loop<'a>, Vec<Issue>) {
    let mut placer = Placer::new(guide);
    let mut builder = Builder::new(guide);
    let mut issues = Vec::new();
    for segment in &set.segments {
        let placed = placer.place(segment);
        let is_broken_off = set.is_broken_off(segment);
        builder.take(*segment, &placed, false, is_broken_off);
        if let Some(problem) = placed.problem.filter(|_| !is_broken_off) {
            issues.push(problem.issue(guide, placed.in_loop, set, segment));
        }
    }
    builder.end(set.ending);
    (builder.finish(), issues)
}

/// Where a segment went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// How many of the open loops stay open, the set itself counted.
    pub keep: usize,
    /// The loops that it opens inside them, outermost first.
    pub opened: Opened,
    /// The loop that it stands in.
    pub in_loop: LoopIx,
    pub spec: Option<SegmentIx>,
    pub problem: Option<Problem>,
}

/// Finds the place of one segment after another, holding nothing but the open loops.
#[derive(Debug)]
pub struct Placer<'g> {
    guide: &'g Guide,
    open: Vec<Open>,
    /// The id of a segment that should have begun a loop, but was not expected: what follows it may be its own.
    lost: Option<Tag>,
    /// Levels so far, those that are missing among them.
    levels: u64,
    routes: Routes,
}

#[derive(Debug)]
struct Open {
    ix: LoopIx,
    /// The item of the loop that was reached.
    at: usize,
    /// HL01, in a level of the hierarchy.
    level: String,
    /// Which of the levels of the set it is, from 1; 0 in other loops.
    nth: u64,
}

/// An item of an open loop.
#[derive(Debug, Clone, Copy)]
struct Spot {
    depth: usize,
    item: usize,
}

/// How strictly a place is looked for.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    Forward,
    Any,
}

impl<'g> Placer<'g> {
    pub fn new(guide: &'g Guide) -> Placer<'g> {
        let root = Open { ix: guide.root(), at: 0, level: String::new(), nth: 0 };
        Placer { guide, open: vec![root], lost: None, levels: 0, routes: Routes::default() }
    }

    pub fn guide(&self) -> &'g Guide {
        self.guide
    }

    /// The loop that the last segment went to.
    pub fn innermost(&self) -> LoopIx {
        self.open.last().map_or(self.guide.root(), |open| open.ix)
    }

    /// The ids of the open loops, outermost first, without the set itself.
    pub fn path(&self) -> impl Iterator<Item = &str> {
        self.open.iter().skip(1).map(|open| &*self.guide.loop_at(open.ix).id)
    }

    /// The place of the next segment.
    #[inline(always)]
    pub fn place(&mut self, segment: &Segment<'_>) -> Placed {
        if !self.routes.are_kept() {
            return self.search(segment);
        }
        if self.lost.is_none()
            && let Some(route) = self.routes.follow_on(segment.raw())
        {
            return go(&mut self.open, route);
        }
        self.place_anew(segment)
    }

    /// As [`Placer::place`], of a segment that does not go where the one behind the last did before.
    fn place_anew(&mut self, segment: &Segment<'_>) -> Placed {
        let asked = Asked::of(self.guide, segment).filter(|_| self.lost.is_none());
        if let Some(route) = asked.and_then(|(asked, _)| self.routes.follow(asked)) {
            return go(&mut self.open, route);
        }
        let placed = self.search(segment);
        // All that the place of the next segment depends on, but for the levels.
        let stand = self.lost.is_none().then(|| self.open.iter().map(|open| (open.ix, open.at)));
        self.routes.learn(asked, &placed, stand);
        placed
    }

    fn search(&mut self, segment: &Segment<'_>) -> Placed {
        let sought = Sought::new(segment);
        let placed = self.place_of(&sought);
        // An id in small letters or with blanks is wrong, but what is meant is clear.
        let problem = if sought.is_odd { Some(Problem::NoId) } else { placed.problem };
        Placed { problem, ..placed }
    }

    fn place_of(&mut self, sought: &Sought<'_, '_>) -> Placed {
        let segment = sought.segment;
        if sought.tag == Tag::of("HL") {
            return self.place_level(sought);
        }
        if let Some(spot) = self.find(sought, Order::Forward) {
            return self.settle(spot, segment, None);
        }
        if let Some(spot) = self.find(sought, Order::Any) {
            let problem = self.out_of_order(spot).then_some(Problem::OutOfOrder);
            return self.settle(spot, segment, problem);
        }
        self.implied(sought).unwrap_or_else(|| self.misfit(sought))
    }

    fn find(&self, sought: &Sought<'_, '_>, order: Order) -> Option<Spot> {
        let outermost = if order == Order::Any { self.innermost_level(sought.tag) } else { 0 };
        (outermost..self.open.len()).rev().find_map(|depth| self.in_loop(depth, sought, order))
    }

    /// Nothing but an HL leads out of a level, back to what stands before it in the levels around.
    fn innermost_level(&self, tag: Tag) -> usize {
        let is_level = |open: &Open| tag != Tag::of("HL") && self.guide.loop_at(open.ix).is_level;
        self.open.iter().rposition(is_level).unwrap_or_default()
    }

    /// The item of one open loop that the segment is or begins. A qualifier that fits wins over a segment without.
    fn in_loop(&self, depth: usize, sought: &Sought<'_, '_>, order: Order) -> Option<Spot> {
        let open = &self.open[depth];
        let spec = self.guide.loop_at(open.ix);
        let items = spec.spots.of(sought.tag);
        if items.is_empty() {
            return None;
        }
        let from = if order == Order::Forward { open.at } else { 0 };
        // The first segment of an open loop was read; another of its kind begins another loop.
        let from = from.max(usize::from(depth > 0));
        if self.lost.is_some() && depth + 1 == self.open.len() && self.lost == spec.index.first().map(|(tag, _)| *tag) {
            return None;
        }
        let mut unqualified = None;
        for item in items.iter().copied().filter(|item| *item >= from) {
            match sought.qualifies(self.guide.segment_at(spec.index[item].1)) {
                Some(true) => return Some(Spot { depth, item }),
                Some(false) => unqualified = unqualified.or(Some(Spot { depth, item })),
                None => {}
            }
        }
        unqualified
    }

    /// Whether a step back in a loop breaks its order: segments of one id stand at one place in X12, whatever the order of
    /// the guide.
    fn out_of_order(&self, spot: Spot) -> bool {
        let open = &self.open[spot.depth];
        let index = &self.guide.loop_at(open.ix).index;
        index.get(open.at).map(|(tag, _)| tag) != index.get(spot.item).map(|(tag, _)| tag)
    }

    fn settle(&mut self, spot: Spot, segment: &Segment<'_>, problem: Option<Problem>) -> Placed {
        self.lost = None;
        self.open.truncate(spot.depth + 1);
        let open = &mut self.open[spot.depth];
        open.at = spot.item;
        let spec = self.guide.loop_at(open.ix);
        let mut opened = Opened::none();
        if let Item::Loop(child) = spec.items[spot.item] {
            opened.push(child);
            self.push(child, Some(segment));
        }
        let (in_loop, spec) = (self.innermost(), Some(spec.index[spot.item].1));
        Placed { keep: spot.depth + 1, opened, in_loop, spec, problem }
    }

    /// A segment that fits nowhere stays in the innermost loop; one whose qualifier alone is wrong, in the loop that holds
    /// its like.
    fn misfit(&mut self, sought: &Sought<'_, '_>) -> Placed {
        let tag = sought.tag;
        if !self.begins_a_loop(tag)
            && self.lost.is_none()
            && let Some((depth, alike)) = (self.innermost_level(tag)..self.open.len())
                .rev()
                .find_map(|depth| Some((depth, self.alike(depth, tag)?)))
        {
            self.open.truncate(depth + 1);
            // With one segment of the kind its qualifier is a wrong code, with several it names none of them.
            let problem = alike.is_none().then_some(Problem::Unexpected);
            return Placed { keep: depth + 1, opened: Opened::none(), in_loop: self.innermost(), spec: alike, problem };
        }
        if self.begins_a_loop(tag) {
            self.lost = Some(tag);
        }
        let problem = match (is_id(sought.segment.id()), self.guide.segments.iter().any(|spec| spec.tag == tag)) {
            (false, _) => Problem::NoId,
            (true, false) => Problem::Unknown,
            (true, true) => Problem::Unexpected,
        };
        let (keep, in_loop) = (self.open.len(), self.innermost());
        Placed { keep, opened: Opened::none(), in_loop, spec: None, problem: Some(problem) }
    }

    /// The segments of this id in an open loop: `Some(Some(…))` when there is but one.
    fn alike(&self, depth: usize, tag: Tag) -> Option<Option<SegmentIx>> {
        let segments = &self.guide.loop_at(self.open[depth].ix).segments;
        let mut same = segments.iter().skip(usize::from(depth > 0)).filter(|ix| self.guide.segment_at(**ix).tag == tag);
        let first = same.next()?;
        Some(same.next().is_none().then_some(*first))
    }

    fn begins_a_loop(&self, tag: Tag) -> bool {
        self.guide.loops.iter().skip(1).any(|spec| spec.index.first().is_some_and(|(first, _)| *first == tag))
    }
}

/// Opens and closes loops as a place asks that was found before.
#[inline(always)]
fn go(open: &mut Vec<Open>, route: &Route) -> Placed {
    let placed = &route.placed;
    if open.len() > placed.keep {
        open.truncate(placed.keep);
    }
    open.last_mut().into_iter().for_each(|open| open.at = route.at);
    for ix in placed.opened.iter() {
        open.push(Open { ix: *ix, at: 0, level: String::new(), nth: 0 });
    }
    *placed
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::x12::delimiters::Delimiters;
    use crate::x12::guide::tests::shipped;

    /// A transaction set of these segments, for tests.
    pub fn set(text: &str) -> TransactionSet<'_> {
        let raws = text.split(['~', '\n']).map(str::trim).filter(|raw| !raw.is_empty());
        let segments =
            (1..).zip(raws).map(|(ordinal, raw)| Segment { ordinal, ..Segment::new(raw, Delimiters::default()) });
        TransactionSet::new(segments.collect(), "")
    }

    /// `2300(CLM HI 2400(LX SV1))`
    fn show(found: &Loop<'_>) -> String {
        let own = found.segments.iter().map(|segment| segment.id().to_owned());
        let all: Vec<_> = own.chain(found.children.iter().map(show)).collect();
        format!("{}({})", found.id, all.join(" "))
    }

    fn shown(guide: &str, text: &str) -> (String, Vec<String>) {
        let (root, issues) = assign(shipped().get(guide).unwrap(), &set(text));
        (show(&root), issues.iter().map(Issue::to_string).collect())
    }

    #[test]
    fn subscriber_claims_come_before_dependents() {
        let text = "ST*837*1~BHT*0019~NM1*41~PER*IC~NM1*40~HL*1**20*1~NM1*85~N3*A~REF*EI*1~HL*2*1*22*1~SBR*P~NM1*IL~NM1*PR~\
                    CLM*A~LX*1~SV1*HC~HL*3*2*23*0~PAT*19~NM1*QC~CLM*B~NM1*82~LX*1~NM1*82~HL*4*1*22*0~SBR*P~CLM*C~SE*27*1";
        let (tree, issues) = shown("837p", text);
        let expected = "ST(ST BHT SE 1000A(NM1 PER) 1000B(NM1) 2000A(HL 2010AA(NM1 N3 REF) \
                        2000B(HL SBR 2010BA(NM1) 2010BB(NM1) 2300(CLM 2400(LX SV1)) \
                        2000C(HL PAT 2010CA(NM1) 2300(CLM 2310B(NM1) 2400(LX 2420A(NM1))))) 2000B(HL SBR 2300(CLM))))";
        assert_eq!(tree, expected);
        assert_eq!(issues, [""; 0]);
    }

    #[test]
    fn other_payers_keep_their_own_providers_and_lines_their_adjudication() {
        let text = "ST*837*1~HL*1**20*1~HL*2*1*22*0~CLM*A~NM1*82~SBR*S~CAS*CO~AMT*D~OI*~NM1*IL~NM1*PR~DTP*573~REF*F8~NM1*82~REF*G2~\
                    SBR*T~OI~NM1*IL~NM1*PR~LX*1~SV1~SVD*1~CAS*PR~DTP*573~SVD*2~LX*2";
        let (tree, issues) = shown("837p", text);
        let expected = "2300(CLM 2310B(NM1) 2320(SBR CAS AMT OI 2330A(NM1) 2330B(NM1 DTP REF) 2330D(NM1 REF)) \
                        2320(SBR OI 2330A(NM1) 2330B(NM1)) 2400(LX SV1 2430(SVD CAS DTP) 2430(SVD)) 2400(LX))";
        assert!(tree.contains(expected), "{tree}");
        assert_eq!(issues, [""; 0]);
    }

    #[test]
    fn what_the_guide_does_not_expect_stays_and_is_an_issue() {
        let text = "ST*837*1~HL*1**20*1~HL*2*1*22*0~CLM*A~ZZZ*1~NM1*82~NM1*XX~N3*A~REF*XX~HI*ABK:A~LX*1";
        let (tree, issues) = shown("837p", text);
        assert!(tree.contains("2300(CLM ZZZ HI 2310B(NM1 NM1 N3 REF) 2400(LX))"), "{tree}");
        assert_eq!(issues.len(), 5, "{issues:?}");
        assert!(issues[0].contains("knows no such segment") && issues[4].contains("warning"), "{issues:?}");
    }

    #[test]
    fn one_kind_of_segment_may_stand_in_any_order() {
        let text = "ST*837*1~HL*1**20*1~HL*2*1*22*0~CLM*A~DTP*435~DTP*431~REF*EA~REF*G1~NM1*82~NM1*DN~LX*1";
        let (_, issues) = shown("837p", text);
        assert_eq!(issues, [""; 0]);
    }

    #[test]
    fn a_missing_level_is_an_issue_and_the_rest_is_read() {
        let (tree, issues) = shown("835", "ST*835*1~BPR*I~N1*PR~N1*PE~CLP*A~NM1*QC~SVC*HC:1~CAS*CO~PLB*1~SE*1*1");
        assert_eq!(tree, "ST(ST BPR PLB SE 1000A(N1) 1000B(N1) 2000(2100(CLP NM1 2110(SVC CAS))))");
        assert_eq!(issues.len(), 1);
    }

    #[test]
    fn what_is_wrong_in_a_level_does_not_lead_out_of_it() {
        let text = "ST*278*1*005010X217~BHT*0007*13~HL*1**20*1~NM1*X3~HL*2*1*21*1~NM1*1P~HL*3*2*22*1~NM1*IL~HL*4*3*EV*1~UM*HS~HI*BF:1~\
                    HL*5*4*SS*0~UM*HS~HI*BF:1~SV1*HC:1~HSD*VS*1~SE*17*1";
        let (tree, issues) = shown("278-request", text);
        assert!(tree.contains("2000E(HL UM HI 2000F(HL UM HI SV1 HSD))"), "{tree}");
        assert_eq!(issues.len(), 1, "{issues:?}");
    }

    #[test]
    fn a_wrong_parent_is_an_issue() {
        let (_, issues) = shown("837p", "ST*837*1~HL*1**20*1~HL*2*7*22*0");
        assert!(issues[0].contains("HL02"), "{issues:?}");
    }

    #[test]
    fn trailers_of_loops_go_back_to_them() {
        let (tree, issues) =
            shown("999", "ST*999*1~AK1*HC~AK2*837*1~IK3*CLM~CTX*CLM01:1~IK4*2~IK5*R~AK2*837*2~IK5*A~AK9*P~SE*1*1");
        assert_eq!(tree, "ST(ST AK1 AK9 SE 2000(AK2 IK5 2100(IK3 CTX 2110(IK4))) 2000(AK2 IK5))");
        let text =
            "ST*271*1~HL*1**20*1~NM1*PR~HL*2*1*21*1~NM1*1P~HL*3*2*22*0~NM1*IL~EB*1~LS*2120~NM1*P3~LE*2120~EB*2~SE*1*1";
        let (tree, more) = shown("271", text);
        assert!(tree.contains("2110C(EB LS LE 2120C(NM1)) 2110C(EB)"), "{tree}");
        assert_eq!((issues, more), (vec![], vec![]));
    }
}
