//! Walks through a file of any length and hands each unit to its reader: an 835 claim by claim, any other transaction set
//! whole. No more than one unit is held. Nothing stops the walk: what is wrong with an envelope is an issue, and the sets
//! beside it are read all the same.

use super::context::{Context, Standing};
use super::meaning::Meanings;
use super::remittance::Open;
use super::{Envelope, READERS, Reading, remittance, ta1};
use crate::billing::response::{Payment, Remittance};
use crate::fault::{Issue, Place, codes};
use crate::x12::delimiters::Delimiters;
use crate::x12::segment::{Cuts, Segment};
use crate::x12::stream::Segments;
use std::io::{self, Chain, Cursor, Read};
use std::ops::Range;

/// A walk through one file. What was read stands in `reading`, from where it may be taken between two steps.
pub struct Walk<'m, R> {
    meanings: &'m Meanings,
    segments: Segments<Chain<Cursor<Vec<u8>>, R>>,
    /// The file has no envelope, and the one around it is ours.
    bare: bool,
    pub reading: Reading,
    standing: Standing,
    held: Held,
    /// What the held segments are.
    unit: Unit,
    remittance: Option<Open>,
    /// Between ISA and IEA.
    in_interchange: bool,
    done: bool,
}

/// What is being gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Outside of any set.
    Nothing,
    /// A set that is read whole.
    Set,
    /// An 835 before its first claim.
    Header,
    /// An 835 claim.
    Claim,
    /// An 835 between or behind its claims: LX, TS3, TS2, PLB, SE.
    Between,
}

impl<'m, R: Read> Walk<'m, R> {
    pub fn new(meanings: &'m Meanings, mut source: R) -> Walk<'m, R> {
        let mut reading = Reading::default();
        let head = match head(&mut source) {
            Ok(head) => head,
            Err(error) => {
                let text = format!("the file can't be read: {error}");
                reading.issues.push(Issue::error(codes::X12_ENVELOPE, Place::Whole, text));
                Vec::new()
            }
        };
        let envelope = envelope_of(&head);
        let bare = envelope.is_some();
        if bare {
            let text = "the transaction sets stand in no interchange: their delimiters are guessed";
            reading.issues.push(Issue::warning(codes::X12_ENVELOPE, Place::Whole, text));
        }
        let start = [envelope.unwrap_or_default(), head].concat();
        Walk {
            meanings,
            segments: Segments::new(Cursor::new(start).chain(source)),
            bare,
            reading,
            standing: Standing::default(),
            held: Held::default(),
            unit: Unit::Nothing,
            remittance: None,
            in_interchange: false,
            done: false,
        }
    }

    /// Reads one unit more; false when there was none.
    pub fn step(&mut self) -> bool {
        while !self.done {
            let Walk { segments, standing, held, unit, meanings, reading, remittance, in_interchange, .. } = self;
            let streamed = match segments.next_segment() {
                Ok(Some(streamed)) => streamed,
                Ok(None) => return self.end(),
                Err(fault) => {
                    reading.issues.extend(fault.issues);
                    return self.end();
                }
            };
            let mut station = Station { meanings, standing, held, unit, reading, remittance, in_interchange };
            if streamed.garbage {
                station.complain(&streamed.segment, "text that belongs to no interchange");
                continue;
            }
            let told = station.take(&streamed.segment);
            if !streamed.terminated {
                station.complain(&streamed.segment, "the last segment has no terminator");
            }
            if told {
                return true;
            }
        }
        false
    }

    /// The claims so far of a remittance that goes on, when there are so many; the rest comes at its end.
    pub fn take_part(&mut self, many: usize) -> Option<Remittance> {
        let open = &mut self.remittance.as_mut().filter(|open| open.remittance.claims.len() >= many)?.remittance;
        let (date, currency) = (open.payment.date, open.payment.currency.clone());
        let payment = Payment { date, currency, ..Payment::default() };
        Some(Remittance { payment, claims: std::mem::take(&mut open.claims), balanced: true, ..Remittance::default() })
    }

    /// The file is over, perhaps in the middle of something.
    fn end(&mut self) -> bool {
        self.done = true;
        // An envelope that was never there has no end.
        self.in_interchange &= !self.bare;
        let Walk { standing, held, unit, meanings, reading, remittance, in_interchange, .. } = self;
        let mut station = Station { meanings, standing, held, unit, reading, remittance, in_interchange };
        station.leave_interchange();
        if self.reading.interchanges.is_empty() {
            let issue = Issue::error(codes::X12_ENVELOPE, Place::Whole, "the text holds no X12 interchange");
            self.reading.issues.push(issue.hint("an interchange begins with an ISA segment of 106 characters"));
        }
        true
    }
}

/// Bytes that tell whether a file has an envelope.
const HEAD: u64 = 256;

fn head<R: Read>(source: &mut R) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    source.by_ref().take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

/// An ISA for a file that begins with ST or GS: its element separator is what follows, its terminator what ends that segment.
fn envelope_of(head: &[u8]) -> Option<Vec<u8>> {
    let text = head.trim_ascii_start();
    let element = *text.strip_prefix(b"ST").or_else(|| text.strip_prefix(b"GS"))?.first()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b' ' || byte == b'_' || byte == element;
    let terminator = *text.iter().skip(2).find(|byte| !plain(**byte))?;
    if element.is_ascii_alphanumeric() || !element.is_ascii() || !terminator.is_ascii() {
        return None;
    }
    let isa =
        "ISA*00*          *00*          *ZZ*UNKNOWN        *ZZ*UNKNOWN        *000101*0000*^*00501*000000000*0*P*:";
    let isa = isa.bytes().map(|byte| if byte == b'*' { element } else { byte });
    Some(isa.chain([terminator]).collect())
}

/// The walk without its source, while a segment of it is looked at.
struct Station<'w> {
    meanings: &'w Meanings,
    standing: &'w mut Standing,
    held: &'w mut Held,
    unit: &'w mut Unit,
    reading: &'w mut Reading,
    remittance: &'w mut Option<Open>,
    in_interchange: &'w mut bool,
}

/// The segments of an envelope, and what to do with each; they tell whether a unit ended.
type Row = (&'static str, fn(&mut Station, &Segment) -> bool);

impl Station<'_> {
    const ENVELOPE: &'static [Row] = &[
        ("ISA", |station, segment| station.isa(segment)),
        ("IEA", |station, segment| station.iea(segment)),
        ("GS", |station, segment| station.gs(segment)),
        ("GE", |station, _| station.leave_set()),
        ("ST", |station, segment| station.st(segment)),
    ];

    fn take(&mut self, segment: &Segment) -> bool {
        let id = segment.id();
        if let Some((_, take)) = Self::ENVELOPE.iter().find(|(known, _)| *known == id) {
            return take(self, segment);
        }
        match (id, *self.unit) {
            ("TA1", Unit::Nothing) => self.ta1(segment),
            // Services that the sender of the interchange asked for on its way.
            ("ISB" | "ISE", Unit::Nothing) => false,
            (_, Unit::Nothing) => {
                self.complain(segment, "a segment outside of any transaction set");
                false
            }
            ("SE", _) => self.se(segment),
            ("CLP", Unit::Header | Unit::Claim | Unit::Between) => self.begin(Unit::Claim, segment),
            ("LX" | "TS3" | "TS2" | "PLB", Unit::Header | Unit::Claim) => self.begin(Unit::Between, segment),
            _ => {
                self.held.push(segment);
                false
            }
        }
    }

    fn isa(&mut self, isa: &Segment) -> bool {
        let told = self.leave_interchange();
        self.standing.isa(isa);
        self.reading.interchanges.push(envelope(isa));
        *self.in_interchange = true;
        told
    }

    fn iea(&mut self, segment: &Segment) -> bool {
        if !*self.in_interchange {
            self.complain(segment, "an IEA without its ISA");
        }
        let told = self.leave_set();
        *self.in_interchange = false;
        told
    }

    fn gs(&mut self, gs: &Segment) -> bool {
        let told = self.leave_set();
        self.standing.gs(gs);
        told
    }

    fn st(&mut self, st: &Segment) -> bool {
        let told = self.leave_set();
        self.standing.st(st);
        if let Some(envelope) = self.reading.interchanges.last_mut() {
            envelope.transactions.push(self.standing.id.clone());
        }
        *self.unit = if self.standing.id == "835" { Unit::Header } else { Unit::Set };
        self.held.push(st);
        told
    }

    fn se(&mut self, se: &Segment) -> bool {
        if *self.unit == Unit::Claim {
            self.begin(Unit::Between, se);
        } else {
            self.held.push(se);
        }
        self.close();
        true
    }

    fn ta1(&mut self, ta1: &Segment) -> bool {
        if let Some(envelope) = self.reading.interchanges.last_mut() {
            envelope.transactions.push("TA1".to_owned());
        }
        ta1::read(&mut self.context(), ta1);
        true
    }

    /// A new unit of an 835: the one before is read.
    fn begin(&mut self, unit: Unit, segment: &Segment) -> bool {
        let told = *self.unit == Unit::Claim;
        self.read();
        *self.unit = unit;
        self.held.push(segment);
        told
    }

    /// A set that is open when it should not be has lost its SE.
    fn leave_set(&mut self) -> bool {
        if *self.unit == Unit::Nothing {
            return false;
        }
        let at = self.standing.place(None);
        self.reading.issues.push(Issue::error(codes::X12_ENVELOPE, at, "the transaction set has no SE"));
        self.close();
        true
    }

    fn leave_interchange(&mut self) -> bool {
        let told = self.leave_set();
        if std::mem::take(self.in_interchange) {
            let at = self.standing.place(None);
            self.reading.issues.push(Issue::error(codes::X12_ENVELOPE, at, "the interchange has no IEA"));
        }
        told
    }

    fn close(&mut self) {
        self.read();
        if let Some(open) = self.remittance.take() {
            remittance::close(&mut self.context(), open);
        }
        *self.unit = Unit::Nothing;
        self.standing.leave();
    }

    /// Reads what is held.
    fn read(&mut self) {
        let Station { meanings, standing, held, unit, reading, remittance, .. } = self;
        let segments = held.segments(standing.delimiters);
        let mut context = Context { meanings, standing, reading };
        match unit {
            Unit::Nothing => {}
            Unit::Set => read_set(&mut context, &segments),
            Unit::Header => **remittance = Some(remittance::open(&mut context, &segments)),
            Unit::Claim | Unit::Between => {
                let open = remittance.get_or_insert_default();
                let read = if **unit == Unit::Claim { remittance::claim } else { remittance::between };
                read(&mut context, open, &segments);
            }
        }
        drop(segments);
        held.clear();
    }

    fn context(&mut self) -> Context<'_> {
        Context { meanings: self.meanings, standing: self.standing, reading: self.reading }
    }

    fn complain(&mut self, segment: &Segment, text: &str) {
        let at = self.standing.place(Some(segment));
        self.reading.issues.push(Issue::error(codes::X12_ENVELOPE, at, text));
    }
}

fn read_set(context: &mut Context, segments: &[Segment]) {
    match READERS.iter().find(|(id, _)| *id == context.standing.id) {
        Some((_, read)) => read(context, segments),
        None => {
            let text = format!("no reader for transaction set {}: it is kept unread", context.standing.id);
            let at = context.standing.place(segments.first());
            context.reading.issues.push(Issue::error(codes::RESPONSE_UNREADABLE, at, text));
        }
    }
}

fn envelope(isa: &Segment) -> Envelope {
    let text = |element: usize| isa.element(element).trim().to_owned();
    Envelope { control_number: text(13), sender: text(6), receiver: text(8), usage: text(15), transactions: Vec::new() }
}

/// Segments of a unit, in one buffer that is used again and again.
#[derive(Debug, Default)]
struct Held {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    text: Range<usize>,
    cuts: Cuts,
    ordinal: u32,
    offset: u64,
    line: u32,
}

impl Held {
    fn push(&mut self, segment: &Segment) {
        let start = self.text.len();
        self.text.push_str(segment.raw());
        let Segment { cuts, ordinal, offset, line, .. } = *segment;
        self.parts.push(Part { text: start..self.text.len(), cuts, ordinal, offset, line });
    }

    fn segments(&self, delimiters: Delimiters) -> Vec<Segment<'_>> {
        let view = |part: &Part| {
            let raw = self.text.get(part.text.clone()).unwrap_or_default();
            let Part { cuts, ordinal, offset, line, .. } = *part;
            Segment { raw, delimiters, cuts, latin1: false, ordinal, offset, line }
        };
        self.parts.iter().map(view).collect()
    }

    fn clear(&mut self) {
        self.text.clear();
        self.parts.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::Folder;

    #[test]
    fn a_remittance_is_read_claim_by_claim() {
        let isa = "ISA*00*          *00*          *ZZ*PAYER99        *ZZ*GATEWAY01      *250325*0605*^*00501*000000900*0*T*:~";
        let head =
            "GS*HP*A*B*20250325*0605*1*X*005010X221A1~ST*835*1~BPR*I*2000*C*ACH************20250325~TRN*1*E*1~LX*1~";
        let claims = "CLP*A*1*1*1**12*9~NM1*QC*1*SMITH~SVC*HC:99213*1*1~".repeat(2000);
        let text = format!("{isa}{head}{claims}SE*9*1~GE*1*1~IEA*1*000000900~");
        let meanings = Meanings::load(&Folder::ShippedMappings).unwrap();
        let mut walk = Walk::new(&meanings, text.as_bytes());
        let (mut told, mut parts) = (0, 0);
        while walk.step() {
            let responses = walk.reading.take();
            assert!(responses.len() <= 1, "no more than one claim is held");
            told += responses.len();
            parts += walk.take_part(100).map_or(0, |part| part.claims.len());
        }
        let [remittance] = walk.reading.remittances.as_slice() else { panic!("one remittance") };
        assert_eq!((told, parts + remittance.claims.len()), (2000, 2000));
        assert!(remittance.balanced && walk.reading.issues.is_empty());
        assert_eq!(walk.reading.remitted.first(), Some(&(0..2000)));
    }

    #[test]
    fn a_set_without_envelope_is_read_all_the_same() {
        let text = "ST*835*1234~BPR*I*1*C*CHK************20110108~TRN*1*1~CLP*A*1*1*1**12*9~SE*5*1234~";
        let meanings = Meanings::load(&Folder::ShippedMappings).unwrap();
        let mut walk = Walk::new(&meanings, text.as_bytes());
        while walk.step() {}
        assert_eq!((walk.reading.responses.len(), walk.reading.remittances.len()), (1, 1));
        assert!(!crate::fault::any_error(&walk.reading.issues), "{:?}", walk.reading.issues);
    }

    #[test]
    fn what_is_no_x12_is_said_so() {
        let meanings = Meanings::load(&Folder::ShippedMappings).unwrap();
        for text in ["", "hello", "ISA*00"] {
            let mut walk = Walk::new(&meanings, text.as_bytes());
            while walk.step() {}
            assert!(crate::fault::any_error(&walk.reading.issues), "{text}");
            assert!(walk.reading.responses.is_empty());
        }
    }
}
