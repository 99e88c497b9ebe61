//! The notation of `conformance/x12/*.rules`, read line by line; all mistakes at once.

use crate::fault::{Issue, Place, Severity, codes};
use crate::x12::situations::Pattern;

/// A rule, a code check or a code set as its file says it.
#[derive(Debug, Clone)]
pub(crate) struct Stanza {
    pub at: At,
    /// `rule`, `code` or `set`.
    pub kind: String,
    pub name: String,
    /// What stands behind the name: the severity, or where a set comes from.
    pub words: Vec<String>,
    /// Names of guides; empty for all.
    pub guides: Vec<String>,
    pub lines: Vec<Line>,
}

/// An indented line of a stanza.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub at: At,
    pub key: String,
    pub rest: String,
}

/// A line of a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct At {
    pub path: String,
    pub line: u32,
}

impl At {
    pub fn issue(&self, text: impl Into<String>) -> Issue {
        let at = Place::File { path: self.path.clone(), line: self.line, column: 1 };
        Issue::error(codes::MAPPING_SYNTAX, at, text)
    }
}

impl Stanza {
    /// The one line of a key.
    pub fn line<'s>(&'s self, key: &'s str) -> Option<&'s Line> {
        self.lines(key).next()
    }

    pub fn lines<'s>(&'s self, key: &'s str) -> impl Iterator<Item = &'s Line> {
        self.lines.iter().filter(move |line| line.key == key)
    }

    /// The text of the lines of a key, joined.
    pub fn text(&self, key: &str) -> String {
        self.lines(key).map(|line| line.rest.as_str()).collect::<Vec<_>>().join(" ")
    }

    pub fn severity(&self) -> Option<Severity> {
        let all = [("error", Severity::Error), ("warning", Severity::Warning), ("note", Severity::Information)];
        all.iter()
            .find(|(word, _)| self.words.first().is_some_and(|first| first == word))
            .map(|(_, severity)| *severity)
    }
}

const KINDS: [&str; 3] = ["rule", "code", "set"];
const KEYS: [&str; 9] = ["in", "when", "need", "forbid", "at", "loops", "ik", "say", "mend"];

/// Reads the text of one file; `path` names it in issues.
pub(crate) fn parse(path: &str, text: &str) -> (Vec<Stanza>, Vec<Issue>) {
    let (mut stanzas, mut issues): (Vec<Stanza>, Vec<Issue>) = Default::default();
    let mut guides = Vec::new();
    for (n, line) in (1..).zip(text.lines()) {
        let at = At { path: path.to_owned(), line: n };
        let (key, rest) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        let rest = rest.trim();
        let inside = line.starts_with(char::is_whitespace);
        match (key, inside) {
            ("", _) => {}
            (comment, _) if comment.starts_with('#') => {}
            ("for", false) => guides = rest.split_whitespace().filter(|name| *name != "*").map(str::to_owned).collect(),
            (kind, false) if KINDS.contains(&kind) => {
                let mut words = rest.split_whitespace().map(str::to_owned);
                let (name, kind) = (words.next().unwrap_or_default(), kind.to_owned());
                let (words, guides) = (words.collect(), guides.clone());
                stanzas.push(Stanza { at, kind, name, words, guides, lines: Vec::new() });
            }
            (key, true) if KEYS.contains(&key) => match stanzas.last_mut() {
                Some(stanza) => stanza.lines.push(Line { at, key: key.to_owned(), rest: rest.to_owned() }),
                None => issues.push(at.issue("a line of a rule stands before the first rule")),
            },
            _ => issues.push(at.issue("not understood: see the README of this folder for the notation")),
        }
    }
    (stanzas, issues)
}

/// `2010BA/DTP*439.03-1` as it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RawTerm<'t> {
    pub in_loop: Option<&'t str>,
    /// Empty: the loop as a whole.
    pub id: &'t str,
    pub qualifier: Option<&'t str>,
    /// 0 none, `usize::MAX` each (`**`).
    pub element: usize,
    pub component: usize,
}

/// `CLM05-3`, `DTP*439`, `DTP*472.03`, `HI**-2`, `2010BA/N3`, `2310B/`.
pub(crate) fn term(text: &str) -> Option<RawTerm<'_>> {
    let (in_loop, text) = match text.split_once('/') {
        Some((in_loop, rest)) => (Some(in_loop), rest),
        None => (None, text),
    };
    if text.is_empty() {
        return in_loop.map(|_| RawTerm { in_loop, id: "", qualifier: None, element: 0, component: 0 });
    }
    let (text, component) = match text.rsplit_once('-') {
        Some((head, component)) => (head, component.parse().ok()?),
        None => (text, 0),
    };
    let (key, element) = if let Some(id) = text.strip_suffix("**") {
        (id, super::EVERY)
    } else if let Some((key, element)) = text.split_once('.') {
        (key, element.parse().ok()?)
    } else {
        match text.len() {
            // NM109 is NM1 and 09; NM1 is a segment.
            4.. if !text.contains('*') => (text.get(..text.len() - 2)?, text.get(text.len() - 2..)?.parse().ok()?),
            _ => (text, 0),
        }
    };
    let (id, qualifier) = match key.split_once('*') {
        Some((id, qualifier)) => (id, Some(qualifier.trim_start_matches('*'))),
        None => (key, None),
    };
    let fits = (2..=3).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then_some(RawTerm { in_loop, id, qualifier, element, component })
}

/// `AA OA`, `J*`, `A0425..A0434`; `_` is a space.
pub(crate) fn patterns(words: &str) -> Vec<Pattern> {
    words.split_whitespace().map(pattern).collect()
}

fn pattern(word: &str) -> Pattern {
    let plain = |text: &str| text.replace('_', " ");
    if let Some((from, to)) = word.split_once("..") {
        return Pattern::Range(plain(from), plain(to));
    }
    match word.strip_suffix('*') {
        Some(prefix) => Pattern::Prefix(plain(prefix)),
        None => Pattern::Exact(plain(word)),
    }
}
