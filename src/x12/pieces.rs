//! A set of any length, one claim, payment or answer at a time: each piece is a transaction set of its own, with the header
//! and the levels that stand around its unit ([`Guide::units`]).

use crate::fault::Fault;
use crate::x12::delimiters::Delimiters;
use crate::x12::envelope::Role;
use crate::x12::guide::{Guide, Guides, LoopIx};
use crate::x12::reader::TransactionSet;
use crate::x12::segment::Segment;
use crate::x12::stream::{Follower, Segments, Step};
use crate::x12::tree::Placed;
use std::collections::VecDeque;
use std::io::Read;

/// A part of a set. Ordinals and offsets are those of the whole.
#[derive(Debug, Clone)]
pub struct Piece {
    pub set: OwnedSet,
    /// The piece holds a unit: a claim, a payment. Without one it is what a level said of itself, or the end of the set.
    pub has_unit: bool,
    /// It ends the set: header, trailer (PLB of an 835) and SE.
    pub is_last: bool,
}

/// Reads one piece after another; no more than one is held, whatever the length of the file. A set that no guide knows is
/// one piece.
#[derive(Debug)]
pub struct Pieces<'g, R> {
    segments: Segments<R>,
    state: State<'g>,
}

#[derive(Debug)]
struct State<'g> {
    follower: Follower<'g>,
    isa: String,
    gs: String,
    delimiters: Delimiters,
    /// The open loops, the set first.
    open: Vec<Frame>,
    ready: VecDeque<Piece>,
}

/// An open loop, with what was closed inside it.
#[derive(Debug)]
struct Frame {
    segments: Vec<Kept>,
    is_unit: bool,
    /// Units stand inside it.
    is_level: bool,
    /// A piece was made of it.
    told: bool,
}

impl<'g, R: Read> Pieces<'g, R> {
    pub fn new(guides: &'g Guides, source: R) -> Pieces<'g, R> {
        let (isa, gs, delimiters) = Default::default();
        let state =
            State { follower: Follower::new(guides), isa, gs, delimiters, open: Vec::new(), ready: VecDeque::new() };
        Pieces { segments: Segments::new(source), state }
    }

    /// The next piece; `None` at the end.
    pub fn next_piece(&mut self) -> Result<Option<Piece>, Fault> {
        loop {
            if let Some(piece) = self.state.ready.pop_front() {
                return Ok(Some(piece));
            }
            match self.segments.next_segment()? {
                Some(step) => self.state.take(&step),
                None if self.state.open.is_empty() => return Ok(None),
                None => self.state.end(),
            }
        }
    }
}

impl State<'_> {
    fn take(&mut self, step: &Step<'_>) {
        let segment = &step.segment;
        if step.role.ends_set() && !self.open.is_empty() {
            self.end();
        }
        let placed = self.follower.take(step);
        match step.role {
            Role::Isa => {
                segment.raw().clone_into(&mut self.isa);
                self.delimiters = segment.delimiters;
            }
            Role::Gs => segment.raw().clone_into(&mut self.gs),
            Role::St { .. } => {
                self.open.push(Frame { segments: Vec::new(), is_unit: false, is_level: true, told: true });
            }
            _ => {}
        }
        if !step.role.in_set() {
            return;
        }
        if self.open.is_empty() {
            return;
        }
        if let Some(placed) = placed {
            self.follow(&placed);
        }
        if let Some(innermost) = self.open.last_mut() {
            innermost.segments.push(Kept::of(segment));
        }
        if step.role == Role::Se {
            self.end();
        }
    }

    /// Closes and opens loops as the segment's place asks.
    fn follow(&mut self, placed: &Placed) {
        while self.open.len() > placed.keep.max(1) {
            self.close();
        }
        // The SE was the last that the follower saw of its guide.
        let guide = self.follower.guide();
        for ix in &placed.opened {
            let is_unit = guide.is_some_and(|guide| guide.units.contains(ix));
            let is_level = !is_unit && guide.is_some_and(|guide| holds_units(guide, *ix));
            self.open.push(Frame { segments: Vec::new(), is_unit, is_level, told: false });
        }
    }

    /// Ends the innermost loop: a unit becomes a piece, and so does a level that held none; anything else goes to the loop
    /// around it.
    fn close(&mut self) {
        let Some(frame) = self.open.pop() else { return };
        if frame.is_unit || (frame.is_level && !frame.told) {
            self.tell(frame.segments, frame.is_unit, false);
        } else if !frame.is_level
            && let Some(around) = self.open.last_mut()
        {
            around.segments.extend(frame.segments);
        }
    }

    fn end(&mut self) {
        while self.open.len() > 1 {
            self.close();
        }
        if let Some(root) = self.open.pop() {
            self.tell(root.segments, false, true);
        }
    }

    fn tell(&mut self, own: Vec<Kept>, has_unit: bool, is_last: bool) {
        let around = self.open.iter().flat_map(|frame| frame.segments.iter().cloned());
        let segments = around.chain(own).collect();
        self.open.iter_mut().for_each(|frame| frame.told = true);
        let set = OwnedSet { isa: self.isa.clone(), gs: self.gs.clone(), segments, delimiters: self.delimiters };
        self.ready.push_back(Piece { set, has_unit, is_last });
    }
}

/// One transaction set of a stream, with texts of its own.
#[derive(Debug, Clone)]
pub struct OwnedSet {
    pub isa: String,
    pub gs: String,
    segments: Vec<Kept>,
    pub delimiters: Delimiters,
}

/// A segment that outlives the buffer.
#[derive(Debug, Clone)]
struct Kept {
    pub raw: String,
    pub ordinal: u32,
    pub offset: u64,
    pub line: u32,
}

impl Kept {
    pub fn of(segment: &Segment<'_>) -> Kept {
        let (ordinal, offset, line) = (segment.ordinal, segment.offset, segment.line);
        Kept { raw: segment.raw().to_owned(), ordinal, offset, line }
    }

    pub fn view(&self, delimiters: Delimiters) -> Segment<'_> {
        let (ordinal, offset, line) = (self.ordinal, self.offset, self.line);
        Segment { ordinal, offset, line, ..Segment::new(&self.raw, delimiters) }
    }
}

impl OwnedSet {
    /// The set, as the reader would have given it.
    pub fn view(&self) -> TransactionSet<'_> {
        let segments = self.segments.iter().map(|kept| kept.view(self.delimiters));
        TransactionSet::new(segments.collect(), Segment::new(&self.gs, self.delimiters).element(8))
    }
}

fn holds_units(guide: &Guide, ix: LoopIx) -> bool {
    let children = &guide.loop_at(ix).children;
    children.iter().any(|child| guide.units.contains(child) || holds_units(guide, *child))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::guide::tests::shipped;
    use crate::x12::tokens::tests::isa;

    fn pieces(body: &str) -> Vec<String> {
        let text = format!("{}{body}IEA*1*1~", isa('*', '^', ':', "~"));
        let mut pieces = Pieces::new(shipped(), text.as_bytes());
        let mut all = Vec::new();
        while let Some(piece) = pieces.next_piece().unwrap() {
            let view = piece.set.view();
            let show = |segment: &Segment<'_>| format!("{}{}", segment.id(), segment.ordinal);
            let ids: Vec<_> = view.segments.iter().map(show).collect();
            all.push(format!("{} {}{}", ids.join(" "), u8::from(piece.has_unit), u8::from(piece.is_last)));
        }
        all
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
        assert_eq!(pieces(body), expected);
    }

    #[test]
    fn claims_keep_their_levels_and_a_level_without_units_is_told() {
        let body = "GS*HC*A*B*1*1*1*X*005010X222A1~ST*837*1~HL*1**20*1~NM1*85~HL*2*1*22*1~SBR*P~CLM*A~LX*1~HL*3*2*23*0~PAT*19~CLM*B~\
                    HL*4*1*22*0~SBR*P~SE*13*1~GE*1*1~";
        let expected = [
            "ST1 HL2 NM13 HL4 SBR5 CLM6 LX7 10",
            "ST1 HL2 NM13 HL4 SBR5 HL8 PAT9 CLM10 10",
            "ST1 HL2 NM13 HL11 SBR12 00",
            "ST1 SE13 01",
        ];
        assert_eq!(pieces(body), expected);
    }

    #[test]
    fn a_set_without_guide_is_one_piece() {
        assert_eq!(
            pieces("GS*BE*A*B*1*1*1*X*005010X220A1~ST*834*1~BGN*00~INS*Y~SE*4*1~GE*1*1~"),
            ["ST1 BGN2 INS3 SE4 01"]
        );
    }
}
