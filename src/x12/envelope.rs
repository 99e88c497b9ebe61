//! The one walk through interchanges, groups and sets: it says what each segment is and where it stands, and complains where
//! the envelope has lost its shape. The slice reader and the streaming reader both go by it. It never stops: one bad set
//! does not spoil its neighbours.

use crate::fault::{Issue, Place, X12Place, codes};
use crate::x12::isa;
use crate::x12::segment::Segment;
use crate::x12::strangers;
use crate::x12::tokens::{Kind, MAX_SEGMENT, Token};

/// What a segment is to its interchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Text to be passed over, no segment.
    Garbage,
    Isa,
    /// A TA1 that stands in no set.
    Ta1,
    Gs,
    Ge,
    /// `grouped` when a GS came before it.
    St {
        grouped: bool,
    },
    /// Between ST and SE.
    Body,
    Se,
    Iea,
    /// It should stand in a set, and does not; or it ends what never began.
    Stray,
}

impl Role {
    /// It stands in a set, ST and SE included.
    pub fn in_set(self) -> bool {
        matches!(self, Role::St { .. } | Role::Body | Role::Se)
    }

    /// A set that is open ends before it.
    pub fn ends_set(self) -> bool {
        matches!(self, Role::Isa | Role::Gs | Role::Ge | Role::St { .. } | Role::Iea)
    }
}

/// Where the reading stands in the envelope.
#[derive(Debug, Default)]
pub struct Walk {
    /// Where the open interchange, group and set begin, with their control numbers (ISA13, GS06, ST02).
    interchange: Option<X12Place>,
    group: Option<X12Place>,
    /// The group has no GS: it is one because a set stands there.
    is_implied: bool,
    set: Option<X12Place>,
    /// Segments of the open set so far; 0 when none is open.
    in_set: u32,
    /// Segments of the interchange so far.
    ordinal: u32,
    /// Byte and line at which the last segment begins.
    last: (u64, u32),
    /// The last segment has no terminator, which is told when it is known what follows.
    unterminated: Option<Issue>,
    /// An ISA was seen.
    seen: bool,
    /// The last token was garbage, and told.
    in_garbage: bool,
    /// The last segment was a stray, and told.
    in_strays: bool,
    /// Each terminator of the interchange stands twice, which was told.
    is_doubled: bool,
    /// What the text may be that stands where an ISA should.
    stranger: Option<(&'static str, &'static str)>,
    /// Text before the first ISA: told when one comes, else there is nothing but that text.
    before: Vec<Issue>,
    ended: Vec<Issue>,
    issues: Vec<Issue>,
}

/// How to mend an ISA.
const TERMINATOR: &str = "send behind ISA16 the character that ends each segment, most often ~";
const WIDTHS: &str =
    "send all 16 elements, padded with blanks: 2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1 and 1 characters";
const DELIMITERS: &str = "send four different characters that no data holds, most often * ^ : and ~";

/// What comes of a segment of the envelope.
type Step = fn(&mut Walk, &Segment<'_>) -> Role;

/// The segments of the envelope below ISA.
const ENVELOPE: [(&[u8], Step); 6] = [
    (b"GS", Walk::gs),
    (b"GE", Walk::ge),
    (b"ST", Walk::st),
    (b"SE", Walk::se),
    (b"IEA", Walk::iea),
    (b"TA1", Walk::ta1),
];

impl Walk {
    /// Takes the next token, whose text is `raw`, and gives its segment: with its ordinal in the set (ST = 1), or outside of
    /// one in the interchange (ISA = 1).
    #[inline(always)]
    pub fn take<'a>(&mut self, token: &Token<'_>, raw: &'a str, latin1: bool) -> (Role, Segment<'a>) {
        let (delimiters, cuts, offset, line) = (token.delimiters, token.cuts_of(raw), token.offset, token.line);
        let view = Segment { raw, delimiters, cuts, latin1, ordinal: self.ordinal.saturating_add(1), offset, line };
        let is_plain = matches!(token.gap, [] | [b'\n'] | [b'\r', b'\n']) && self.unterminated.is_none();
        let is_body = self.in_set > 0 && token.terminated && token.kind == Kind::Segment;
        if is_plain && is_body && !may_be_envelope(raw.as_bytes()) {
            (self.in_garbage, self.in_strays, self.ordinal) = (false, false, view.ordinal);
            self.last = (offset, line);
            self.in_set = self.in_set.saturating_add(1);
            return (Role::Body, Segment { ordinal: self.in_set, ..view });
        }
        self.take_any(*token, view)
    }

    /// As [`Walk::take`], of any token: nearly all are segments inside of a set, of which nothing need be said.
    fn take_any<'a>(&mut self, token: Token<'_>, view: Segment<'a>) -> (Role, Segment<'a>) {
        if !token.kind.is_segment() {
            self.garbage(&token, &view);
            return (Role::Garbage, view);
        }
        self.in_garbage = false;
        if !matches!(token.kind, Kind::Isa { .. }) {
            self.issues.extend(self.unterminated.take());
        }
        self.ordinal = view.ordinal;
        if !token.gap.is_empty() {
            self.doubled(&token, &view);
        }
        let role = match token.kind {
            Kind::Isa { fixed } => {
                let role = self.isa(&view, fixed, token.terminated);
                if let Some(wrap) = token.wrap {
                    self.wrapped(&view, wrap.width);
                }
                role
            }
            _ => match envelope_row(view.raw.as_bytes(), token.delimiters.element) {
                Some((_, step)) => step(self, &view),
                None => self.body(&view),
            },
        };
        self.in_strays = role == Role::Stray;
        let ordinal = match role {
            Role::Isa => 1,
            _ if role.in_set() => self.in_set,
            _ => self.ordinal,
        };
        if role == Role::Se {
            self.in_set = 0;
        }
        let segment = Segment { ordinal, ..view };
        if !token.terminated && role != Role::Isa {
            let at = Place::X12(self.place(&segment));
            let issue = Issue::error(codes::X12_SYNTAX, at, "the segment has no terminator");
            let issue = issue.hint("end it by the terminator of its interchange, the character behind ISA16");
            match role {
                Role::Iea => self.issues.push(issue),
                _ => self.unterminated = Some(issue),
            }
        }
        self.last = (segment.offset, segment.line);
        (role, segment)
    }

    /// The end of the input: closes what is open, and says so when no interchange was there.
    pub fn end(&mut self) {
        self.leave();
        if !self.seen {
            self.issues.push(strangers::issue(self.stranger));
        }
    }

    /// What was wrong since this was asked last: with the interchange that the last step ended without an IEA, and with the
    /// one that is open (or none).
    pub fn issues(&mut self) -> (Vec<Issue>, Vec<Issue>) {
        (std::mem::take(&mut self.ended), std::mem::take(&mut self.issues))
    }

    /// Whether [`Walk::issues`] has any.
    pub fn has_issues(&self) -> bool {
        !self.issues.is_empty() || !self.ended.is_empty()
    }

    /// Where a segment stands: interchange, group, set.
    fn place(&self, segment: &Segment<'_>) -> X12Place {
        let group = self.group.as_ref().and_then(|at| at.group.clone());
        let transaction_set = self.set.as_ref().and_then(|at| at.transaction_set.clone());
        X12Place { group, transaction_set, ..self.within(segment.place()) }
    }

    fn within(&self, place: X12Place) -> X12Place {
        let interchange = self.interchange.as_ref().and_then(|at| at.interchange.clone());
        X12Place { interchange, ..place }
    }

    fn garbage(&mut self, token: &Token<'_>, view: &Segment<'_>) {
        if token.raw.is_empty() || std::mem::replace(&mut self.in_garbage, true) {
            return;
        }
        if !self.seen {
            self.stranger = self.stranger.or_else(|| strangers::guess(token.raw));
        }
        let place = self.within(start(view));
        let issue = match token.kind {
            Kind::Overlong => {
                let text = format!("a segment longer than {MAX_SEGMENT} bytes, or its terminator is missing");
                Issue::error(codes::X12_SYNTAX, Place::X12(place), text)
            }
            _ => Issue::error(codes::X12_ENVELOPE, Place::X12(place), "text that belongs to no interchange")
                .hint("send nothing before, between or behind the interchanges of a file"),
        };
        match self.seen {
            true => self.issues.push(issue),
            false => self.before.push(issue),
        }
    }

    fn isa(&mut self, isa: &Segment<'_>, fixed: bool, terminated: bool) -> Role {
        self.leave();
        self.ended.append(&mut self.issues);
        self.ended.append(&mut self.before);
        self.seen = true;
        self.is_doubled = false;
        self.ordinal = 1;
        let isa = Segment { ordinal: 1, ..*isa };
        self.interchange = Some(X12Place { interchange: Some(isa::control_number(&isa).to_owned()), ..isa.place() });
        if !terminated {
            self.isa_fault(
                &isa,
                "the ISA has no terminator: it was taken from the segment behind it",
                "022",
                TERMINATOR,
            );
        } else if !fixed {
            self.isa_fault(&isa, &isa::width_fault(&isa), "022", WIDTHS);
        }
        if let Some(fault) = isa.delimiters.fault() {
            self.isa_fault(&isa, fault, "026", DELIMITERS);
        }
        Role::Isa
    }

    /// Terminators before a segment that end nothing, but where they are the ends of lines.
    fn doubled(&mut self, token: &Token<'_>, segment: &Segment<'_>) {
        let terminator = segment.delimiters.terminator;
        let is_isa = matches!(token.kind, Kind::Isa { .. });
        if is_isa || self.is_doubled || terminator.is_ascii_whitespace() || !token.gap.contains(&terminator) {
            return;
        }
        self.is_doubled = self.ordinal == 2;
        let text = match self.is_doubled {
            true => "each terminator stands twice: the second was passed over",
            false => "two terminators stand one after the other before this segment: the second was passed over",
        };
        let issue = Issue::warning(codes::X12_SYNTAX, Place::X12(self.place(segment)), text);
        self.issues.push(issue.hint("end each segment by one terminator"));
    }

    /// Something is wrong with an ISA, which was understood all the same.
    fn isa_fault(&mut self, isa: &Segment<'_>, text: &str, note_code: &str, hint: &str) {
        let at = X12Place { error_code: Some(note_code.to_owned()), ..self.place(isa) };
        self.issues.push(Issue::error(codes::X12_ENVELOPE, Place::X12(at), text).hint(hint));
    }

    /// Its lines are cut.
    fn wrapped(&mut self, isa: &Segment<'_>, width: usize) {
        let text =
            format!("the lines are cut after {width} characters, in the middle of segments: they were read as one");
        let place = self.place(&Segment { ordinal: 1, ..*isa });
        let issue = Issue::warning(codes::X12_ENVELOPE, Place::X12(place), text);
        self.issues.push(issue.hint("send no line breaks, or one behind each terminator"));
    }

    /// A segment between ST and SE; elsewhere it is a stray.
    fn body(&mut self, segment: &Segment<'_>) -> Role {
        if self.in_set > 0 {
            self.in_set = self.in_set.saturating_add(1);
            return Role::Body;
        }
        // What comes behind the first is for the same reason where it is.
        if !self.in_strays {
            self.note(
                segment,
                codes::X12_ENVELOPE,
                (
                    "a segment outside of any transaction set",
                    "a set begins with its ST and ends with its SE: one of them is missing here, or is broken",
                ),
                None,
            );
        }
        Role::Stray
    }

    fn gs(&mut self, gs: &Segment<'_>) -> Role {
        self.leave_set();
        self.leave_group();
        self.is_implied = false;
        self.group = Some(X12Place { group: Some(gs.element(6).to_owned()), ..start(gs) });
        Role::Gs
    }

    fn ge(&mut self, ge: &Segment<'_>) -> Role {
        self.leave_set();
        match self.group.take() {
            Some(_) => Role::Ge,
            None => {
                self.note(ge, codes::X12_ENVELOPE, ("a GE without its GS", "send the GS that begins the group"), None);
                Role::Stray
            }
        }
    }

    fn st(&mut self, st: &Segment<'_>) -> Role {
        self.leave_set();
        let grouped = self.group.is_some();
        if !grouped {
            self.note(
                st,
                codes::X12_ENVELOPE,
                ("a transaction set outside of any group", "send a GS before the first ST of each group"),
                Some("024"),
            );
            self.is_implied = true;
            self.group = Some(X12Place { group: Some(String::new()), ..start(st) });
        }
        self.in_set = 1;
        self.set = Some(X12Place { transaction_set: Some(st.element(2).to_owned()), ..start(st) });
        Role::St { grouped }
    }

    fn se(&mut self, se: &Segment<'_>) -> Role {
        if self.in_set == 0 {
            // What stands before it has said so.
            if !self.in_strays {
                self.note(se, codes::X12_ENVELOPE, ("an SE without its ST", "send the ST that begins the set"), None);
            }
            return Role::Stray;
        }
        self.in_set = self.in_set.saturating_add(1);
        self.set = None;
        Role::Se
    }

    fn iea(&mut self, _: &Segment<'_>) -> Role {
        self.leave_set();
        self.leave_group();
        match self.interchange.take() {
            Some(_) => Role::Iea,
            None => Role::Stray,
        }
    }

    fn ta1(&mut self, ta1: &Segment<'_>) -> Role {
        match self.interchange {
            Some(_) if self.in_set == 0 => Role::Ta1,
            _ => self.body(ta1),
        }
    }

    /// A set that is open when it should not be has lost its SE.
    fn leave_set(&mut self) {
        self.in_set = 0;
        let Some(at) = self.set.take() else { return };
        let group = self.group.as_ref().and_then(|at| at.group.clone());
        let at = X12Place { group, error_code: Some("2".to_owned()), ..self.within(at) };
        self.issues.push(
            Issue::error(codes::X12_ENVELOPE, Place::X12(at), "the transaction set has no SE")
                .hint("end each set by an SE with its control number and the number of its segments"),
        );
    }

    /// A group that is open when it should not be has lost its GE.
    fn leave_group(&mut self) {
        let Some(at) = self.group.take().filter(|_| !self.is_implied) else { return };
        let at = X12Place { error_code: Some("3".to_owned()), ..self.within(at) };
        self.issues.push(
            Issue::error(codes::X12_ENVELOPE, Place::X12(at), "the group has no GE")
                .hint("end each group by a GE with its control number and the number of its sets"),
        );
    }

    /// Ends an interchange that has no IEA.
    fn leave(&mut self) {
        let unterminated = self.unterminated.take();
        let Some(at) = self.interchange.take() else {
            self.issues.extend(unterminated);
            self.leave_set();
            return self.leave_group();
        };
        let set = self.set.take().and_then(|at| at.transaction_set);
        let has_group = self.group.take().is_some() && !self.is_implied;
        self.in_set = 0;
        let at = X12Place { error_code: Some("023".to_owned()), ..at };
        if unterminated.is_none() && set.is_none() && !has_group {
            return self.issues.push(
                Issue::error(codes::X12_ENVELOPE, Place::X12(at), "the interchange has no IEA")
                    .hint("end the interchange by an IEA with its control number and the number of its groups"),
            );
        }
        let within = if unterminated.is_some() { " within a segment" } else { "" };
        let lost = [set.map(|number| format!("the SE of set {number}")), has_group.then(|| "a GE".to_owned())];
        let lost: String = lost.into_iter().flatten().map(|trailer| trailer + ", ").collect();
        let text = format!("the interchange ends{within} without {lost}and its IEA").replace(", and", " and");
        let text = if lost.is_empty() { text.replace("and its", "its") } else { text };
        let (offset, line) = self.last;
        let (interchange, error_code) = (at.interchange, at.error_code);
        let at = X12Place { interchange, error_code, offset: Some(offset), line: Some(line), ..X12Place::default() };
        let issue = Issue::error(codes::X12_ENVELOPE, Place::X12(at), text);
        self.issues.push(issue.hint("it was cut off: ask for the whole file, or send it again"));
    }

    /// An issue at a segment, and how to mend it; `note_code` is the TA105 that says so.
    fn note(&mut self, segment: &Segment<'_>, code: &'static str, (text, hint): (&str, &str), note_code: Option<&str>) {
        let at = X12Place { error_code: note_code.map(str::to_owned), ..self.place(segment) };
        self.issues.push(Issue::error(code, Place::X12(at), text).hint(hint));
    }
}

/// Where something begins.
fn start(segment: &Segment<'_>) -> X12Place {
    X12Place { offset: Some(segment.offset), line: Some(segment.line), ..X12Place::default() }
}

/// Whether it begins as a segment of the envelope does: nearly none inside of a set.
#[inline]
fn may_be_envelope(raw: &[u8]) -> bool {
    matches!(raw, [b'G', b'S' | b'E', ..] | [b'S', b'T' | b'E', ..] | [b'I', b'E', ..] | [b'T', b'A', ..])
}

/// The row of a segment of the envelope.
fn envelope_row(raw: &[u8], element: u8) -> Option<&'static (&'static [u8], Step)> {
    let is_id = |id: &[u8]| raw.strip_prefix(id).is_some_and(|rest| rest.first().is_none_or(|byte| *byte == element));
    ENVELOPE.iter().find(|(id, _)| is_id(id))
}
