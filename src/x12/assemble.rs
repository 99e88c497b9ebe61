//! Claims to one interchange: levels that are equal become one, HL are numbered anew, the envelope is put around, and the
//! result is read back before it is given away.

use crate::fault::{Blame, Fault, Issue, Place, Retry, codes};
use crate::x12::build::{self, LoopNode, SegmentNode, text_of};
use crate::x12::check::check_envelope;
use crate::x12::delimiters::Delimiters;
use crate::x12::guide::Guide;
use crate::x12::levels::Forest;
use crate::x12::reader;
use crate::x12::writer::{self, Lines};
use jiff::civil::DateTime;
use std::collections::HashSet;
use std::fmt::Write as _;

/// Most claims in one transaction set (recommendation of the 837 guides); more go into a further set.
pub const CLAIMS_PER_SET: usize = 5_000;
/// Transactions that are asked in real time: one question a transaction set (005010X279A1, X212 and X217 take one patient,
/// or one event, where an answer is waited for).
const ONE_A_SET: [&str; 3] = ["270", "276", "278"];
/// Largest control number of an interchange or group (nine digits).
pub const MAX_CONTROL_NUMBER: u32 = 999_999_999;

/// What ISA and GS say.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// ISA05.
    pub sender_qualifier: String,
    /// ISA06.
    pub sender_id: String,
    /// ISA07.
    pub receiver_qualifier: String,
    /// ISA08.
    pub receiver_id: String,
    /// GS02.
    pub group_sender: String,
    /// GS03.
    pub group_receiver: String,
    /// ISA15: T test, P production.
    pub usage: char,
    /// ISA14.
    pub acknowledgment_requested: bool,
    /// ISA09, ISA10, GS04, GS05, BHT04, BHT05, in the sender's own zone.
    pub at: DateTime,
    /// ISA13.
    pub interchange_control_number: u32,
    /// GS06.
    pub group_control_number: u32,
    pub delimiters: Delimiters,
}

/// What BHT and the loops 1000A and 1000B say; the latter are left out where the guide has none.
#[derive(Debug, Clone, Default)]
pub struct BatchHeader {
    /// BHT03.
    pub batch_number: String,
    /// BHT02: 00 original, 18 sent again.
    pub purpose: String,
    /// BHT06: CH claims, RP encounters.
    pub kind: String,
    pub submitter_name: String,
    pub submitter_id: String,
    pub contact_name: String,
    pub contact_telephone: String,
    pub receiver_name: String,
    pub receiver_id: String,
}

/// An interchange, ready to be sent.
#[derive(Debug, Clone)]
pub struct Assembled {
    pub bytes: Vec<u8>,
    pub claims: Vec<Placed>,
}

/// Where a body went: the segments that are its own, ordinals as a 999 counts them (ST = 1).
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Index into the bodies.
    pub body: usize,
    /// ST02.
    pub transaction_set: String,
    pub first_segment: u32,
    pub last_segment: u32,
    /// First and last segment of each level around, which other bodies may share.
    pub shared: Vec<(u32, u32)>,
}

/// Makes one interchange of one group. Each body is the text of a claim from its first HL (level 20) down, written with
/// the delimiters of the envelope.
pub fn assemble(guide: &Guide, envelope: &Envelope, header: &BatchHeader, bodies: &[&str]) -> Result<Assembled, Fault> {
    let mut assembly =
        Assembly { guide, envelope, lines: Lines::new(envelope.delimiters), claims: Vec::new(), level: 0 };
    let (isa, gs) = open_envelope(&guide.functional_id, &guide.id, envelope)?;
    assembly.lines.raw(&isa);
    assembly.lines.raw(&gs);
    let most = most_of_a_set(guide);
    let sets = bodies.chunks(most);
    let count = sets.len();
    for (n, chunk) in sets.enumerate() {
        assembly.set(n, n * most, header, chunk)?;
    }
    assembly.lines.line(&["GE", &count.to_string(), &envelope.group_control_number.to_string()]);
    assembly.lines.line(&["IEA", "1", &format!("{:09}", envelope.interchange_control_number)]);
    let assembled = Assembled { bytes: assembly.lines.out, claims: assembly.claims };
    read_back(&assembled, bodies, count)?;
    Ok(assembled)
}

fn most_of_a_set(guide: &Guide) -> usize {
    if ONE_A_SET.contains(&guide.transaction.as_str()) { 1 } else { CLAIMS_PER_SET }
}

/// ISA in its fixed widths, and GS.
pub(crate) fn open_envelope(
    functional_id: &str,
    version: &str,
    envelope: &Envelope,
) -> Result<(String, String), Fault> {
    let e = char::from(envelope.delimiters.element);
    let mut issues = Vec::new();
    let mut fixed = |name: &str, value: &str, width: usize| {
        let fits = value.len() <= width
            && value.bytes().all(|byte| is_plain(byte, &envelope.delimiters))
            && !value.trim().is_empty();
        if !fits {
            issues.push(refusal(format!("{name} must be 1 to {width} plain characters")));
        }
        format!("{value:<width$}")
    };
    let sender =
        format!("{}{e}{}", fixed("ISA05", &envelope.sender_qualifier, 2), fixed("ISA06", &envelope.sender_id, 15));
    let receiver =
        format!("{}{e}{}", fixed("ISA07", &envelope.receiver_qualifier, 2), fixed("ISA08", &envelope.receiver_id, 15));
    fixed("GS02", &envelope.group_sender, 15);
    fixed("GS03", &envelope.group_receiver, 15);
    fixed("ISA15", &envelope.usage.to_string(), 1);
    if let Some(fault) = envelope.delimiters.fault() {
        issues.push(refusal(fault.to_owned()));
    }
    for number in [envelope.interchange_control_number, envelope.group_control_number] {
        if !(1..=MAX_CONTROL_NUMBER).contains(&number) {
            issues.push(refusal("a control number must have one to nine digits".to_owned()));
        }
    }
    if !issues.is_empty() {
        return Err(Fault { issues, blame: Blame::Gateway, retry: Retry::Never });
    }
    let (day, clock) = (envelope.at.strftime("%Y%m%d").to_string(), envelope.at.strftime("%H%M").to_string());
    let isa = format!(
        "ISA{e}00{e}          {e}00{e}          {e}{sender}{e}{receiver}{e}{}{e}{clock}{e}{}{e}00501{e}{:09}{e}{}{e}{}{e}{}",
        day.get(2..).unwrap_or_default(),
        envelope.delimiters.repetition.map_or('U', char::from),
        envelope.interchange_control_number,
        u8::from(envelope.acknowledgment_requested),
        envelope.usage,
        char::from(envelope.delimiters.component),
    );
    let (sender, receiver, number) = (&envelope.group_sender, &envelope.group_receiver, envelope.group_control_number);
    let gs = format!("GS{e}{}{e}{sender}{e}{receiver}{e}{day}{e}{clock}{e}{number}{e}X{e}{}", functional_id, version);
    Ok((isa, gs))
}

fn is_plain(byte: u8, delimiters: &Delimiters) -> bool {
    (b' '..=b'~').contains(&byte) && !delimiters.contains(byte)
}

fn refusal(text: String) -> Issue {
    Issue::error(codes::X12_ENVELOPE, Place::Whole, text)
}

struct Assembly<'a> {
    guide: &'a Guide,
    envelope: &'a Envelope,
    /// Counts the segments of the set.
    lines: Lines,
    claims: Vec<Placed>,
    /// Last HL01 of the set.
    level: u32,
}

impl Assembly<'_> {
    /// One transaction set, the `n`th; `first` is the place of its first body.
    fn set(&mut self, n: usize, first: usize, header: &BatchHeader, bodies: &[&str]) -> Result<(), Fault> {
        let number = format!("{:04}", n + 1);
        let forest = Forest::of(bodies, self.envelope.delimiters, first)?;
        (self.lines.count, self.level) = (0, 0);
        self.lines.line(&["ST", &self.guide.transaction, &number, &self.guide.id]);
        self.header(n, header)?;
        for root in &forest.roots {
            self.level(&forest, *root, None, &number, &mut Vec::new());
        }
        let count = (self.lines.count + 1).to_string();
        self.lines.line(&["SE", &count, &number]);
        Ok(())
    }

    /// BHT, 1000A and 1000B, by the guide.
    fn header(&mut self, n: usize, header: &BatchHeader) -> Result<(), Fault> {
        let mut root = Header::new(self.guide, self.envelope);
        let batch = if n == 0 { header.batch_number.clone() } else { format!("{}-{}", header.batch_number, n + 1) };
        let (day, clock) =
            (self.envelope.at.strftime("%Y%m%d").to_string(), self.envelope.at.strftime("%H%M").to_string());
        root.segment("ST", "BHT", &[(2, &header.purpose), (3, &batch), (4, &day), (5, &clock), (6, &header.kind)]);
        root.segment("1000A", "NM1", &[(2, "2"), (3, &header.submitter_name), (9, &header.submitter_id)]);
        let contact = [(2, header.contact_name.as_str()), (3, "TE"), (4, &header.contact_telephone)];
        root.segment("1000A", "PER", &contact);
        root.segment("1000B", "NM1", &[(3, &header.receiver_name), (9, &header.receiver_id)]);
        self.lines.count += root.write(&mut self.lines.out)?;
        Ok(())
    }

    /// One HL with what follows it, then the levels inside. `around` are the shared levels around it.
    fn level(&mut self, forest: &Forest<'_>, ix: usize, parent: Option<u32>, set: &str, around: &mut Vec<(u32, u32)>) {
        let node = &forest.nodes[ix];
        self.level += 1;
        let (own, first) = (self.level, self.lines.count + 1);
        let parent = parent.map(|parent| parent.to_string()).unwrap_or_default();
        // HL04 is not used at the last level of some guides (276).
        match node.child_code {
            "" => self.lines.line(&["HL", &own.to_string(), &parent, node.code]),
            _ => {
                let child_code = if node.children.is_empty() { "0" } else { "1" };
                self.lines.line(&["HL", &own.to_string(), &parent, node.code, child_code]);
            }
        }
        for raw in &node.segments {
            self.lines.raw(raw);
        }
        let shared = node.is_shared();
        if shared {
            around.push((first, self.lines.count));
        }
        for child in &node.children {
            self.level(forest, *child, Some(own), set, around);
        }
        if shared {
            around.pop();
        } else if !forest.nodes[ix].inside_claim {
            let (set, last) = (set.to_owned(), self.lines.count);
            let shared = around.clone();
            self.claims.push(Placed {
                body: node.body,
                transaction_set: set,
                first_segment: first,
                last_segment: last,
                shared,
            });
        }
    }
}

/// The header loops, made as a mapping makes its loops.
struct Header<'a> {
    guide: &'a Guide,
    envelope: &'a Envelope,
    root: LoopNode,
    issues: Vec<Issue>,
}

impl<'a> Header<'a> {
    fn new(guide: &'a Guide, envelope: &'a Envelope) -> Header<'a> {
        Header { guide, envelope, root: LoopNode::new(guide.root()), issues: Vec::new() }
    }

    /// Adds a segment, unless the guide has no such loop.
    fn segment(&mut self, loop_id: &str, key: &str, values: &[(usize, &str)]) {
        let guide = self.guide;
        let Some((in_loop, ix)) = guide.loop_ix(loop_id).and_then(|ix| Some((ix, guide.segment_ix(ix, key)?))) else {
            return;
        };
        let mut node = SegmentNode::new(ix);
        for (n, raw) in values {
            let Some(spec) = guide.segment_at(ix).element(*n, 0) else { continue };
            match text_of(spec, raw, &self.envelope.delimiters) {
                Ok(text) => node.set(*n, text),
                Err(problem) => {
                    self.issues.push(refusal(format!("{loop_id} {key}{n:02}: {} {}", spec.name, problem.text(spec))))
                }
            }
        }
        let siblings = &mut self.root.children;
        match in_loop == guide.root() {
            true => self.root.segments.push(node),
            false => match siblings.iter_mut().find(|child| child.spec == in_loop) {
                Some(child) => child.segments.push(node),
                None => siblings.push(LoopNode { segments: vec![node], ..LoopNode::new(in_loop) }),
            },
        }
    }

    fn write(mut self, out: &mut Vec<u8>) -> Result<u32, Fault> {
        build::arrange(self.guide, &mut self.root);
        self.issues.extend(build::check(self.guide, &self.root));
        match self.issues.is_empty() {
            true => Ok(writer::write_loop(self.guide, &self.root, &self.envelope.delimiters, out)),
            false => Err(Fault { issues: self.issues, blame: Blame::Gateway, retry: Retry::Never }),
        }
    }
}

/// Nothing leaves that we would not read ourselves as it was meant.
fn read_back(assembled: &Assembled, bodies: &[&str], sets: usize) -> Result<(), Fault> {
    let text = std::str::from_utf8(&assembled.bytes).unwrap_or_default();
    let (interchanges, mut issues) = reader::read(text);
    for interchange in &interchanges {
        issues.extend(check_envelope(interchange));
    }
    let found: usize = interchanges.iter().flat_map(|interchange| interchange.sets()).count();
    let placed: HashSet<_> = assembled.claims.iter().map(|placed| placed.body).collect();
    if interchanges.len() != 1 || found != sets || placed.len() != bodies.len() || !issues.is_empty() {
        let mut text = format!("an interchange that was assembled can't be read back: {found} of {sets} sets");
        for issue in issues.iter().take(3) {
            _ = write!(text, "; {issue}");
        }
        return Err(Fault { retry: Retry::Never, ..Fault::ours(codes::INTERNAL, text) });
    }
    Ok(())
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::x12::guide::tests::shipped;

    pub fn envelope() -> Envelope {
        Envelope {
            sender_qualifier: "ZZ".into(),
            sender_id: "CLAIMGATE".into(),
            receiver_qualifier: "ZZ".into(),
            receiver_id: "PAYER".into(),
            group_sender: "CLAIMGATE".into(),
            group_receiver: "PAYER".into(),
            usage: 'T',
            acknowledgment_requested: true,
            at: jiff::civil::date(2025, 3, 3).at(14, 30, 0, 0),
            interchange_control_number: 42,
            group_control_number: 7,
            delimiters: Delimiters::default(),
        }
    }

    pub fn header() -> BatchHeader {
        BatchHeader {
            batch_number: "BATCH1".into(),
            purpose: "00".into(),
            kind: "CH".into(),
            submitter_name: "Claimgate".into(),
            submitter_id: "CG1".into(),
            contact_name: "Help".into(),
            contact_telephone: "5551234567".into(),
            receiver_name: "Payer".into(),
            receiver_id: "P1".into(),
        }
    }

    fn body(provider: &str, claim: &str) -> String {
        format!("HL*1**20*1~NM1*85*2*{provider}*****XX*1~HL*2*1*22*1~SBR*P~HL*3*2*23*0~PAT*19~CLM*{claim}*1~LX*1~")
    }

    fn assembled(bodies: &[&str]) -> (String, Vec<Placed>) {
        let made = assemble(shipped().get("837p").unwrap(), &envelope(), &header(), bodies).unwrap();
        (String::from_utf8(made.bytes).unwrap(), made.claims)
    }

    #[test]
    fn equal_billing_providers_become_one_and_levels_are_numbered_anew() {
        let bodies = [body("ACME", "A"), body("OTHER", "B"), body("ACME", "C")];
        let bodies: Vec<_> = bodies.iter().map(String::as_str).collect();
        let (text, claims) = assembled(&bodies);
        let levels: Vec<_> = text.split('~').filter(|raw| raw.starts_with("HL") || raw.starts_with("CLM")).collect();
        assert_eq!(
            levels,
            [
                "HL*1**20*1",
                "HL*2*1*22*1",
                "HL*3*2*23*0",
                "CLM*A*1",
                "HL*4*1*22*1",
                "HL*5*4*23*0",
                "CLM*C*1",
                "HL*6**20*1",
                "HL*7*6*22*1",
                "HL*8*7*23*0",
                "CLM*B*1"
            ]
        );
        let places: Vec<_> = claims.iter().map(|claim| (claim.body, claim.first_segment, claim.last_segment)).collect();
        assert_eq!(places, [(0, 8, 13), (2, 14, 19), (1, 22, 27)]);
        assert_eq!(claims[0].shared, [(6, 7)]);
    }

    #[test]
    fn the_envelope_is_fixed_in_width_and_counts_what_it_holds() {
        let body = body("ACME", "A");
        let (text, claims) = assembled(&[&body]);
        let isa = "ISA*00*          *00*          *ZZ*CLAIMGATE      *ZZ*PAYER          *250303*1430*^*00501*000000042*1*T*:~\
                   GS*HC*CLAIMGATE*PAYER*20250303*1430*7*X*005010X222A1~ST*837*0001*005010X222A1~BHT*0019*00*BATCH1*20250303*1430*CH~\
                   NM1*41*2*CLAIMGATE*****46*CG1~PER*IC*HELP*TE*5551234567~NM1*40*2*PAYER*****46*P1~HL*1**20*1~";
        assert!(text.starts_with(isa), "{text}");
        assert!(text.ends_with("SE*14*0001~GE*1*7~IEA*1*000000042~"), "{text}");
        assert_eq!(claims[0].transaction_set, "0001");
    }

    #[test]
    fn the_claims_of_one_set_are_limited() {
        let body = body("ACME", "A");
        let (text, _) = assembled(&vec![body.as_str(); CLAIMS_PER_SET]);
        assert_eq!(text.matches("ST*837*").count(), 1);
        let (text, claims) = assembled(&vec![body.as_str(); CLAIMS_PER_SET + 1]);
        assert_eq!(text.matches("ST*837*").count(), 2);
        assert_eq!(
            claims.last().map(|claim| (claim.body, claim.transaction_set.as_str())),
            Some((CLAIMS_PER_SET, "0002"))
        );
    }

    #[test]
    fn what_can_not_be_sent_is_refused() {
        let guide = shipped().get("837p").unwrap();
        let good = body("ACME", "A");
        let refused =
            |envelope: Envelope, header: BatchHeader, body: &str| assemble(guide, &envelope, &header, &[body]).is_err();
        assert!(!refused(envelope(), header(), &good));
        assert!(refused(Envelope { sender_id: "X".repeat(16), ..envelope() }, header(), &good));
        assert!(refused(Envelope { receiver_id: "A*B".into(), ..envelope() }, header(), &good));
        assert!(refused(
            Envelope { interchange_control_number: MAX_CONTROL_NUMBER + 1, ..envelope() },
            header(),
            &good
        ));
        assert!(refused(envelope(), BatchHeader { submitter_id: String::new(), ..header() }, &good));
        assert!(refused(envelope(), header(), "CLM*A~"));
        assert!(refused(envelope(), header(), "HL*2*1*22*0~CLM*A~"));
        assert!(refused(envelope(), header(), ""));
    }

    #[test]
    fn inquiries_go_one_a_set() {
        let body = |id: &str| {
            format!("HL*1**20*1~NM1*PR*2*PAYER~HL*2*1*21*1~NM1*1P*2*ACME~HL*3*2*22*0~NM1*IL*1*DOE****MI*{id}~EQ*30~")
        };
        let (one, two) = (body("1"), body("2"));
        let header = BatchHeader {
            purpose: "13".into(),
            kind: String::new(),
            batch_number: "B".into(),
            ..BatchHeader::default()
        };
        let made = assemble(shipped().get("270").unwrap(), &envelope(), &header, &[&one, &two]).unwrap();
        let text = String::from_utf8(made.bytes).unwrap();
        assert!(
            text.contains("ST*270*0001") && text.contains("ST*270*0002") && text.contains("BHT*0022*13*B-2*"),
            "{text}"
        );
        let places: Vec<_> = made.claims.iter().map(|placed| (placed.body, placed.transaction_set.as_str())).collect();
        assert_eq!(places, [(0, "0001"), (1, "0002")]);
    }
}
