//! Interchanges, groups and transaction sets of a text. Tolerant: whatever is there is given back in its place, and each
//! fault of the envelope becomes an issue; reading never stops at the first.

use crate::fault::{Issue, Place, X12Place, codes};
use crate::x12::delimiters::Delimiters;
use crate::x12::segment::Segment;
use crate::x12::text::Text;
use crate::x12::tokens::{Token, Tokens};

/// One ISA to its IEA.
#[derive(Debug, Clone)]
pub struct Interchange<'a> {
    pub delimiters: Delimiters,
    pub isa: Segment<'a>,
    /// TA1 segments, which stand between ISA and the first GS.
    pub ta1: Vec<Segment<'a>>,
    pub groups: Vec<Group<'a>>,
    /// Segments that stand in no transaction set, though they should.
    pub strays: Vec<Segment<'a>>,
    pub iea: Option<Segment<'a>>,
    /// What is wrong with the envelope's shape. Counts and control numbers are compared by [`crate::x12::check`].
    pub issues: Vec<Issue>,
}

/// One GS to its GE. Its `gs` is an empty segment when a set stood outside of any group.
#[derive(Debug, Clone)]
pub struct Group<'a> {
    pub gs: Segment<'a>,
    pub sets: Vec<TransactionSet<'a>>,
    pub ge: Option<Segment<'a>>,
}

/// One ST to its SE, both included.
#[derive(Debug, Clone)]
pub struct TransactionSet<'a> {
    pub segments: Vec<Segment<'a>>,
    /// GS08 of the group, for sets that lack ST03.
    group_version: &'a str,
}

impl<'a> Interchange<'a> {
    /// ISA13.
    pub fn control_number(&self) -> &'a str {
        self.isa.element(13).trim()
    }

    /// ISA06, trimmed.
    pub fn sender(&self) -> &'a str {
        self.isa.element(6).trim()
    }

    /// ISA08, trimmed.
    pub fn receiver(&self) -> &'a str {
        self.isa.element(8).trim()
    }

    /// All transaction sets of all groups.
    pub fn sets(&self) -> impl Iterator<Item = &TransactionSet<'a>> {
        self.groups.iter().flat_map(|group| &group.sets)
    }

    /// A place in this interchange.
    pub fn place(&self, segment: &Segment<'_>) -> X12Place {
        X12Place { interchange: Some(self.control_number().to_owned()), ..segment.place() }
    }
}

impl<'a> Group<'a> {
    /// GS01.
    pub fn functional_id(&self) -> &'a str {
        self.gs.element(1)
    }

    /// GS06.
    pub fn control_number(&self) -> &'a str {
        self.gs.element(6)
    }

    /// GS08.
    pub fn version(&self) -> &'a str {
        self.gs.element(8)
    }
}

impl<'a> TransactionSet<'a> {
    /// A set of these segments; the first is its ST.
    pub fn new(segments: Vec<Segment<'a>>, group_version: &'a str) -> TransactionSet<'a> {
        TransactionSet { segments, group_version }
    }

    fn st(&self, element: usize) -> &'a str {
        self.segments.first().map_or("", |st| st.element(element))
    }

    /// ST01.
    pub fn id(&self) -> &'a str {
        self.st(1)
    }

    /// ST02.
    pub fn control_number(&self) -> &'a str {
        self.st(2)
    }

    /// ST03, else GS08.
    pub fn version(&self) -> &'a str {
        Some(self.st(3)).filter(|version| !version.is_empty()).unwrap_or(self.group_version)
    }

    /// SE, when the set has one.
    pub fn se(&self) -> Option<&Segment<'a>> {
        self.segments.last().filter(|last| last.id() == "SE")
    }
}

/// Reads all interchanges of a text. Each holds the issues of its own envelope; those given beside belong to none of them.
pub fn read(input: &str) -> (Vec<Interchange<'_>>, Vec<Issue>) {
    Reader::new(false).run(input)
}

/// As [`read`], with the offsets of the bytes that were decoded.
pub fn read_text<'a>(input: &'a Text<'_>) -> (Vec<Interchange<'a>>, Vec<Issue>) {
    Reader::new(input.latin1).run(&input.text)
}

/// Where the next segment belongs.
struct Reader<'a> {
    latin1: bool,
    offset: u64,
    done: Vec<Interchange<'a>>,
    issues: Vec<Issue>,
    open: Option<Interchange<'a>>,
    in_group: bool,
    in_set: bool,
    /// Segments of the open interchange so far.
    ordinal: u32,
}

/// The segments of the envelope and what to do with each; anything else is content.
type Row<'a> = (&'static str, fn(&mut Reader<'a>, &mut Interchange<'a>, Segment<'a>));

impl<'a> Reader<'a> {
    const ENVELOPE: [Row<'a>; 6] = [
        ("GS", Reader::gs),
        ("GE", Reader::ge),
        ("ST", Reader::st),
        ("SE", Reader::se),
        ("IEA", Reader::iea),
        ("TA1", Reader::ta1),
    ];

    fn new(latin1: bool) -> Reader<'a> {
        let (done, issues) = (Vec::new(), Vec::new());
        Reader { latin1, offset: 0, done, issues, open: None, in_group: false, in_set: false, ordinal: 0 }
    }

    fn run(mut self, input: &'a str) -> (Vec<Interchange<'a>>, Vec<Issue>) {
        for token in Tokens::new(input) {
            self.take(&token);
        }
        if let Some(open) = self.open.take() {
            self.close(open, "the interchange has no IEA");
        }
        if self.done.is_empty() {
            let issue = Issue::error(codes::X12_ENVELOPE, Place::Whole, "the text holds no X12 interchange");
            self.issues.push(issue.hint("an interchange begins with an ISA segment of 106 characters"));
        }
        (self.done, self.issues)
    }

    /// The bytes of the input that a piece of text was read from.
    fn bytes(&self, text: &str) -> u64 {
        let count = if self.latin1 { text.chars().count() } else { text.len() };
        count as u64
    }

    fn take(&mut self, token: &Token<'a>) {
        let offset = self.offset + self.bytes(token.gap);
        self.offset = offset + self.bytes(token.raw) + u64::from(token.terminated);
        let view = Segment::new(token.raw, token.delimiters);
        if token.garbage {
            let at = Place::X12(X12Place { offset: Some(offset), line: Some(token.line), ..X12Place::default() });
            return self.issues.push(Issue::error(codes::X12_ENVELOPE, at, "text that belongs to no interchange"));
        }
        self.ordinal += 1;
        let segment = Segment { ordinal: self.ordinal, offset, line: token.line, ..view };
        match token.isa {
            Some(shape) => self.isa(segment, shape.fixed),
            None => self.content(segment),
        }
        if !token.terminated {
            self.complain(&segment, codes::X12_SYNTAX, "the last segment has no terminator");
        }
    }

    fn complain(&mut self, segment: &Segment<'a>, code: &'static str, text: &str) {
        match &mut self.open {
            Some(open) => note(open, segment, code, text, None),
            None => self.issues.push(Issue::error(code, Place::X12(segment.place()), text)),
        }
    }

    fn isa(&mut self, isa: Segment<'a>, fixed: bool) {
        if let Some(open) = self.open.take() {
            self.close(open, "the interchange has no IEA");
        }
        let isa = Segment { ordinal: 1, ..isa };
        self.ordinal = 1;
        let (groups, ta1, strays, issues) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut open = Interchange { delimiters: isa.delimiters, isa, ta1, groups, strays, iea: None, issues };
        if !fixed {
            note(&mut open, &isa, codes::X12_ENVELOPE, "the ISA is not 106 characters wide", Some("022"));
        }
        if let Some(fault) = isa.delimiters.fault() {
            note(&mut open, &isa, codes::X12_ENVELOPE, fault, Some("026"));
        }
        self.open = Some(open);
    }

    fn content(&mut self, segment: Segment<'a>) {
        let take = Self::ENVELOPE.iter().find(|(id, _)| segment.id() == *id);
        // Nearly every segment stands inside a set.
        if take.is_none()
            && self.in_set
            && let Some(set) = self.open.as_mut().and_then(last_set)
        {
            return push(set, segment);
        }
        let Some(mut open) = self.open.take() else {
            let text = "a segment outside of any interchange";
            return self.issues.push(Issue::error(codes::X12_ENVELOPE, Place::X12(segment.place()), text));
        };
        match take {
            Some((_, take)) => take(self, &mut open, segment),
            None => self.body(&mut open, segment),
        }
        match open.iea {
            Some(_) => self.done.push(open),
            None => self.open = Some(open),
        }
    }

    /// A segment between ST and SE; elsewhere it is a stray.
    fn body(&mut self, open: &mut Interchange<'a>, segment: Segment<'a>) {
        match last_set(open).filter(|_| self.in_set) {
            Some(set) => push(set, segment),
            None => {
                note(open, &segment, codes::X12_ENVELOPE, "a segment outside of any transaction set", None);
                open.strays.push(segment);
            }
        }
    }

    fn gs(&mut self, open: &mut Interchange<'a>, segment: Segment<'a>) {
        self.end_set(open, &segment);
        self.end_group(open, &segment);
        open.groups.push(Group { gs: segment, sets: Vec::new(), ge: None });
        self.in_group = true;
    }

    fn ge(&mut self, open: &mut Interchange<'a>, segment: Segment<'a>) {
        self.end_set(open, &segment);
        match open.groups.last_mut().filter(|_| self.in_group) {
            Some(group) => group.ge = Some(segment),
            None => {
                note(open, &segment, codes::X12_ENVELOPE, "a GE without its GS", None);
                open.strays.push(segment);
            }
        }
        self.in_group = false;
    }

    fn st(&mut self, open: &mut Interchange<'a>, segment: Segment<'a>) {
        self.end_set(open, &segment);
        if !self.in_group {
            note(open, &segment, codes::X12_ENVELOPE, "a transaction set outside of any group", None);
            let gs = Segment {
                ordinal: segment.ordinal,
                offset: segment.offset,
                line: segment.line,
                ..Segment::new("", open.delimiters)
            };
            open.groups.push(Group { gs, sets: Vec::new(), ge: None });
            self.in_group = true;
        }
        if let Some(group) = open.groups.last_mut() {
            let st = Segment { ordinal: 1, ..segment };
            group.sets.push(TransactionSet::new(vec![st], group.gs.element(8)));
        }
        self.in_set = true;
    }

    fn se(&mut self, open: &mut Interchange<'a>, segment: Segment<'a>) {
        match last_set(open).filter(|_| self.in_set) {
            Some(set) => push(set, segment),
            None => {
                note(open, &segment, codes::X12_ENVELOPE, "an SE without its ST", None);
                open.strays.push(segment);
            }
        }
        self.in_set = false;
    }

    fn iea(&mut self, open: &mut Interchange<'a>, segment: Segment<'a>) {
        self.end_set(open, &segment);
        self.end_group(open, &segment);
        open.iea = Some(segment);
    }

    fn ta1(&mut self, open: &mut Interchange<'a>, segment: Segment<'a>) {
        match self.in_set {
            true => self.body(open, segment),
            false => open.ta1.push(segment),
        }
    }

    /// A set that is open when it should not be has lost its SE.
    fn end_set(&mut self, open: &mut Interchange<'a>, next: &Segment<'a>) {
        if let Some(set) = last_set(open).filter(|_| self.in_set) {
            let mut at = set.segments.first().map_or_else(|| next.place(), Segment::place);
            at.transaction_set = Some(set.control_number().to_owned());
            at.interchange = Some(open.control_number().to_owned());
            at.group = open.groups.last().map(|group| group.control_number().to_owned());
            at.error_code = Some("2".to_owned());
            (at.segment, at.ordinal) = (None, None);
            open.issues.push(Issue::error(codes::X12_ENVELOPE, Place::X12(at), "the transaction set has no SE"));
        }
        self.in_set = false;
    }

    /// A group that is open when it should not be has lost its GE.
    fn end_group(&mut self, open: &mut Interchange<'a>, next: &Segment<'a>) {
        if self.in_group {
            let group = open.groups.last();
            let at = X12Place {
                interchange: Some(open.control_number().to_owned()),
                group: group.map(|group| group.control_number().to_owned()),
                error_code: Some("3".to_owned()),
                offset: Some(next.offset),
                line: Some(next.line),
                ..X12Place::default()
            };
            open.issues.push(Issue::error(codes::X12_ENVELOPE, Place::X12(at), "the group has no GE"));
        }
        self.in_group = false;
    }

    /// Ends an interchange that has no IEA.
    fn close(&mut self, mut open: Interchange<'a>, text: &str) {
        let isa = open.isa;
        self.end_set(&mut open, &isa);
        self.end_group(&mut open, &isa);
        note(&mut open, &isa, codes::X12_ENVELOPE, text, Some("023"));
        self.done.push(open);
    }
}

fn last_set<'a, 'o>(open: &'o mut Interchange<'a>) -> Option<&'o mut TransactionSet<'a>> {
    open.groups.last_mut()?.sets.last_mut()
}

/// Adds a segment to a set, with its ordinal there.
fn push<'a>(set: &mut TransactionSet<'a>, segment: Segment<'a>) {
    let ordinal = u32::try_from(set.segments.len() + 1).unwrap_or(u32::MAX);
    set.segments.push(Segment { ordinal, ..segment });
}

/// An issue of the interchange itself; `note_code` is the TA105 that says so.
fn note(open: &mut Interchange<'_>, segment: &Segment<'_>, code: &'static str, text: &str, note_code: Option<&str>) {
    let at = X12Place { error_code: note_code.map(str::to_owned), ..open.place(segment) };
    open.issues.push(Issue::error(code, Place::X12(at), text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::tokens::tests::isa;

    fn interchange(body: &str) -> String {
        format!("{}{body}IEA*1*000000001~", isa('*', '^', ':', "~"))
    }

    fn texts(issues: &[Issue]) -> Vec<&str> {
        issues.iter().map(|issue| issue.text.as_str()).collect()
    }

    #[test]
    fn a_clean_interchange_is_taken_apart() {
        let text = interchange("GS*HC*A*B*20250303*1200*7*X*005010X222A1~ST*837*0001~BHT*0019~SE*3*0001~GE*1*7~");
        let (interchanges, issues) = read(&text);
        let [interchange] = interchanges.as_slice() else { panic!("one interchange") };
        assert!(issues.is_empty() && interchange.issues.is_empty());
        assert_eq!((interchange.sender(), interchange.receiver()), ("SENDER", "RECEIVER"));
        assert_eq!(interchange.control_number(), "000000001");
        let group = &interchange.groups[0];
        assert_eq!((group.functional_id(), group.control_number()), ("HC", "7"));
        let set = &group.sets[0];
        assert_eq!((set.id(), set.control_number(), set.version()), ("837", "0001", "005010X222A1"));
        assert_eq!(set.segments.iter().map(|segment| segment.ordinal).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(set.se().map(Segment::id), Some("SE"));
    }

    #[test]
    fn what_is_missing_is_an_issue_and_the_rest_is_read() {
        let text = interchange("TA1*1~GS*HC~ST*837*0001~BHT~ST*837*0002~GS*HP~ST*835*3~SE*2*3~LX*1~");
        let (interchanges, _) = read(&text);
        let found = &interchanges[0];
        assert_eq!((found.ta1.len(), found.strays.len()), (1, 1));
        assert_eq!(found.sets().map(|set| set.segments.len()).collect::<Vec<_>>(), [2, 1, 2]);
        let expected = [
            "the transaction set has no SE",
            "the transaction set has no SE",
            "the group has no GE",
            "a segment outside of any transaction set",
            "the group has no GE",
        ];
        assert_eq!(texts(&found.issues), expected);
    }

    #[test]
    fn an_interchange_without_trailer_does_not_hide_the_next() {
        let text = format!("{}GS*HC~{}IEA*0*000000001~", isa('*', '^', ':', "~"), isa('*', '^', ':', "~"));
        let (interchanges, issues) = read(&text);
        assert_eq!((interchanges.len(), issues.len()), (2, 0));
        assert_eq!(texts(&interchanges[0].issues), ["the group has no GE", "the interchange has no IEA"]);
    }

    #[test]
    fn a_text_without_interchange_is_refused_with_a_hint() {
        let (interchanges, issues) = read("hello");
        assert!(interchanges.is_empty());
        assert_eq!(issues.len(), 2);
        assert!(read("").1[0].hint.is_some());
    }

    #[test]
    fn offsets_are_those_of_the_bytes() {
        let head = isa('*', '^', ':', "~");
        let bytes = [head.as_bytes(), b"GS*CAF\xC9~ST*837~SE*1~GE*1~IEA*1~"].concat();
        let text = Text::decode(&bytes);
        let (interchanges, _) = read_text(&text);
        let st = interchanges[0].groups[0].sets[0].segments[0];
        assert!(bytes[st.offset as usize..].starts_with(b"ST*837~"));
    }
}
