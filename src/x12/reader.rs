//! Interchanges, groups and transaction sets of a text. Tolerant: whatever is there is given back in its place, and each
//! fault of the envelope becomes an issue; reading never stops at the first.

use crate::fault::{Issue, X12Place};
use crate::x12::delimiters::Delimiters;
use crate::x12::envelope::{Role, Walk};
use crate::x12::isa;
use crate::x12::segment::Segment;
use crate::x12::text::{Text, Texts};
use crate::x12::tokens::{Token, Tokens};

/// Segments of a set that is not long.
const FEW: usize = 1000;

/// One ISA to its IEA.
#[derive(Debug, Clone)]
pub struct Interchange<'a> {
    pub delimiters: Delimiters,
    pub isa: Segment<'a>,
    /// TA1 segments, which stand between ISA and the first GS.
    pub ta1: Vec<Segment<'a>>,
    /// Where those of them begin that have no terminator: what such a one holds is not known to be all of it.
    pub(crate) open_ta1: Vec<u64>,
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
    pub ending: Ending,
    /// GS08 of the group, for sets that lack ST03.
    group_version: &'a str,
}

/// How a transaction set ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ending {
    /// With its SE, or before a segment that ends it.
    #[default]
    Whole,
    /// Its interchange ends within it: what else was in it is not known.
    Cut,
    /// Its interchange ends within its last segment.
    InSegment,
}

impl<'a> Interchange<'a> {
    /// ISA13.
    pub fn control_number(&self) -> &'a str {
        isa::control_number(&self.isa)
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
        TransactionSet { segments, ending: Ending::Whole, group_version }
    }

    fn st(&self, element: usize) -> &'a str {
        self.segments.first().map_or("", |st| st.element(element))
    }

    pub(crate) fn ending(self, ending: Ending) -> TransactionSet<'a> {
        TransactionSet { ending, ..self }
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
        Some(self.st(3)).filter(|version| !version.is_empty()).unwrap_or(self.group_version).trim_end()
    }

    /// Makes room for more segments, before one at a byte of the input behind which so many are left: a long set takes what
    /// it needs at once, if it goes on as it began.
    fn make_room(&mut self, offset: u64, left: usize) {
        let (held, begin) = (self.segments.len(), self.segments.first().map_or(0, |st| st.offset));
        let expected = left as u64 * held as u64 / offset.saturating_sub(begin).max(1);
        let expected = usize::try_from(expected).unwrap_or_default().min(left / 2);
        self.segments.reserve(if held < FEW { 1 } else { expected + expected / 16 + 1 });
    }

    /// Whether the file ends in the middle of this segment.
    pub(crate) fn is_broken_off(&self, segment: &Segment<'_>) -> bool {
        let last = || self.segments.last().map(|last| last.offset);
        self.ending == Ending::InSegment && last() == Some(segment.offset)
    }

    /// SE, when the set has one.
    pub fn se(&self) -> Option<&Segment<'a>> {
        self.segments.last().filter(|last| last.id() == "SE")
    }
}

/// Reads all interchanges of a text. Each holds the issues of its own envelope; those given beside belong to none of them.
pub fn read(input: &str) -> (Vec<Interchange<'_>>, Vec<Issue>) {
    Reader::default().run(Tokens::new(input), Texts::utf8(input))
}

/// As [`read`], of an input in any encoding.
pub fn read_text<'a>(input: &'a Text<'_>) -> (Vec<Interchange<'a>>, Vec<Issue>) {
    let (tokens, texts) = input.tokens();
    Reader::default().run(tokens, texts)
}

/// Puts the segments where the walk says they belong.
#[derive(Default)]
struct Reader<'a> {
    walk: Walk,
    done: Vec<Interchange<'a>>,
    open: Option<Interchange<'a>>,
    /// The last segment has no terminator.
    in_segment: bool,
    issues: Vec<Issue>,
}

impl<'a> Reader<'a> {
    fn run(mut self, mut tokens: Tokens<'a>, mut texts: Texts<'a>) -> (Vec<Interchange<'a>>, Vec<Issue>) {
        loop {
            // Nearly all are short segments, for which this is one plain loop.
            while let Some(token) = tokens.next_short() {
                self.take(&token, &mut texts, tokens.rest().len());
            }
            let Some(token) = tokens.next() else { break };
            self.take(&token, &mut texts, tokens.rest().len());
        }
        self.walk.end();
        self.cut();
        self.note();
        self.done.extend(self.open.take());
        (self.done, self.issues)
    }

    /// Takes a token, behind which so many bytes are left.
    #[inline(always)]
    fn take(&mut self, token: &Token<'a>, texts: &mut Texts<'a>, left: usize) {
        let (raw, latin1) = texts.of(token);
        let (role, segment) = self.walk.take(token, raw, latin1);
        if let Some(open) = self.open.as_mut().filter(|_| role == Role::Ta1 && !token.terminated) {
            open.open_ta1.push(segment.offset);
        }
        self.put(role, segment, left);
        self.in_segment = !token.terminated;
    }

    #[inline(always)]
    fn put(&mut self, role: Role, segment: Segment<'a>, left: usize) {
        // Nearly every segment stands inside a set.
        if role == Role::Body
            && !self.walk.has_issues()
            && let Some(set) = self.open.as_mut().and_then(last_set)
        {
            if set.segments.len() == set.segments.capacity() {
                set.make_room(segment.offset, left);
            }
            return set.segments.push(segment);
        }
        self.put_any(role, segment);
    }

    fn put_any(&mut self, role: Role, segment: Segment<'a>) {
        if role == Role::Isa {
            self.cut();
            let before = self.open.replace(Interchange::new(segment));
            self.done.extend(before);
        }
        if let Some(open) = &mut self.open {
            open.put(role, segment);
        }
        self.note();
        if role == Role::Iea {
            self.done.extend(self.open.take());
        }
    }

    /// The open interchange ends without IEA, and with it the set that is open.
    fn cut(&mut self) {
        let group = self.open.as_mut().and_then(|open| open.groups.last_mut()).filter(|group| group.ge.is_none());
        if let Some(set) = group.and_then(|group| group.sets.last_mut()).filter(|set| set.se().is_none()) {
            set.ending = if self.in_segment { Ending::InSegment } else { Ending::Cut };
        }
    }

    /// Gives each issue to the interchange that it is about.
    fn note(&mut self) {
        let (ended, issues) = self.walk.issues();
        match self.done.last_mut() {
            Some(before) => before.issues.extend(ended),
            None => self.issues.extend(ended),
        }
        match &mut self.open {
            Some(open) => open.issues.extend(issues),
            None => self.issues.extend(issues),
        }
    }
}

impl<'a> Interchange<'a> {
    fn new(isa: Segment<'a>) -> Interchange<'a> {
        let (ta1, open_ta1, groups, strays, issues) = Default::default();
        Interchange { delimiters: isa.delimiters, isa, ta1, open_ta1, groups, strays, iea: None, issues }
    }

    fn put(&mut self, role: Role, segment: Segment<'a>) {
        match role {
            Role::Garbage | Role::Isa => {}
            Role::Ta1 => self.ta1.push(segment),
            Role::Gs => self.groups.push(Group { gs: segment, sets: Vec::new(), ge: None }),
            Role::Ge => self.groups.last_mut().into_iter().for_each(|group| group.ge = Some(segment)),
            Role::St { grouped } => {
                if !grouped {
                    let gs = segment.emptied();
                    self.groups.push(Group { gs, sets: Vec::new(), ge: None });
                }
                if let Some(group) = self.groups.last_mut() {
                    group.sets.push(TransactionSet::new(vec![segment], group.gs.element(8)));
                }
            }
            Role::Body | Role::Se => last_set(self).into_iter().for_each(|set| set.segments.push(segment)),
            Role::Iea => self.iea = Some(segment),
            Role::Stray => self.strays.push(segment),
        }
    }
}

fn last_set<'a, 'o>(open: &'o mut Interchange<'a>) -> Option<&'o mut TransactionSet<'a>> {
    open.groups.last_mut()?.sets.last_mut()
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
        assert_eq!(texts(&interchanges[0].issues), ["the interchange ends without a GE and its IEA"]);
    }

    #[test]
    fn a_text_without_interchange_is_refused_with_a_hint() {
        let (interchanges, issues) = read("hello");
        assert!(interchanges.is_empty());
        assert_eq!(issues.len(), 1);
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
