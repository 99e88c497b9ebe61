//! A YAML document with the place of each value, read so that one mistake does not hide the next.

use crate::fault::{Issue, Place, codes};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::time::Duration;

/// A value where it stands.
#[derive(Debug)]
pub struct Node {
    line: u32,
    column: u32,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Null,
    Boolean(bool),
    /// Text or number, as written: ids keep their leading zeros.
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<(String, Node, Node)>),
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Boolean(_) => "true or false",
            Value::Scalar(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a group of settings",
        }
    }
}

/// What the YAML reader gives: numbers come without their text, which is cut out of the document afterwards.
#[derive(Debug)]
enum Raw {
    Null,
    Boolean(bool),
    Number,
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

struct RawVisitor;

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Boolean(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    #[expect(clippy::disallowed_types, reason = "serde asks for it; the value is refused")]
    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

/// Reads a document; a syntax error is the one mistake that hides the rest.
pub fn parse(path: &str, text: &str) -> Result<Node, Vec<Issue>> {
    // Y and N are codes here, not truth values.
    let options = serde_saphyr::options! { strict_booleans: true };
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options) {
        Ok(raw) => Ok(node(raw, text)),
        Err(error) => {
            let (line, column) = error.location().map_or((0, 0), |at| (at.line() as u32, at.column() as u32));
            let at = Place::File { path: path.to_owned(), line, column };
            let issue = Issue::error(codes::MAPPING_SYNTAX, at, error.without_snippet().to_string());
            Err(vec![issue.hint("YAML: indent with spaces, put texts with `:` or `#` into quotes")])
        }
    }
}

fn node(raw: Spanned<Raw>, text: &str) -> Node {
    let (referenced, defined) = (raw.referenced, raw.defined);
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Boolean(value) => Value::Boolean(value),
        Raw::Number => Value::Scalar(source(&defined, text).to_owned()),
        Raw::Text(value) => Value::Scalar(value),
        Raw::List(items) => Value::List(items.into_iter().map(|item| node(item, text)).collect()),
        Raw::Map(entries) => Value::Map(entries.into_iter().map(|(key, value)| entry(key, value, text)).collect()),
    };
    Node { line: referenced.line() as u32, column: referenced.column() as u32, value }
}

fn entry(key: Spanned<String>, value: Spanned<Raw>, text: &str) -> (String, Node, Node) {
    let at = Node { line: key.referenced.line() as u32, column: key.referenced.column() as u32, value: Value::Null };
    (key.value, at, node(value, text))
}

/// The bytes of a scalar in the document.
fn source<'a>(at: &Location, text: &'a str) -> &'a str {
    let span = at.span();
    let start = span.byte_offset().unwrap_or_default() as usize;
    let end = start + span.byte_len().unwrap_or_default() as usize;
    text.get(start..end).unwrap_or_default()
}

/// Collects the mistakes of one file.
pub struct Mistakes<'a> {
    /// How the file is named to people.
    pub file: &'a str,
    found: RefCell<Vec<Issue>>,
}

impl<'a> Mistakes<'a> {
    pub fn of(file: &'a str) -> Mistakes<'a> {
        Mistakes { file, found: RefCell::default() }
    }

    pub fn add(&self, code: &'static str, at: (u32, u32), text: impl Into<String>, hint: impl Into<String>) {
        self.found.borrow_mut().push(Issue::error(code, self.place(at), text).hint(hint));
    }

    /// A line and column of the document.
    pub fn place(&self, at: (u32, u32)) -> Place {
        Place::File { path: self.file.to_owned(), line: at.0, column: at.1 }
    }

    pub fn into_issues(self) -> Vec<Issue> {
        self.found.into_inner()
    }
}

#[cfg(test)]
thread_local! {
    /// The paths of all settings that were asked for, to be held against the table of settings.
    pub static ASKED: RefCell<std::collections::BTreeSet<String>> = RefCell::default();
}

/// A group of settings being read: each key is asked for once, and what nobody asked for is a mistake.
pub struct Section<'a> {
    entries: &'a [(String, Node, Node)],
    at: (u32, u32),
    /// Path of the group for messages: `tradingPartner.sender`.
    path: String,
    asked: RefCell<Vec<&'static str>>,
    mistakes: &'a Mistakes<'a>,
    /// A group that is absent: its own absence was told already, so its keys are not.
    silent: Cell<bool>,
}

impl<'a> Section<'a> {
    /// The whole document.
    pub fn root(node: &'a Node, mistakes: &'a Mistakes<'a>) -> Section<'a> {
        Section::of(node, String::new(), mistakes)
    }

    fn of(node: &'a Node, path: String, mistakes: &'a Mistakes<'a>) -> Section<'a> {
        let entries = match &node.value {
            Value::Map(entries) => entries.as_slice(),
            other => {
                let what = if path.is_empty() { "the file" } else { path.as_str() };
                let text = format!("{what} must be a group of settings, and is {}", other.kind());
                mistakes.add(codes::MAPPING_TYPE, (node.line, node.column), text, "write `key: value` lines below it");
                &[]
            }
        };
        let silent = Cell::new(!matches!(node.value, Value::Map(_)));
        Section { entries, at: (node.line, node.column), path, asked: RefCell::default(), mistakes, silent }
    }

    /// Where the value of a key stands, else the group itself.
    pub fn place(&self, key: &str) -> (u32, u32) {
        let found = self.entries.iter().find(|(name, ..)| name == key);
        found.map_or(self.at, |(_, _, node)| (node.line, node.column))
    }

    fn path_of(&self, key: &str) -> String {
        match (self.path.as_str(), key) {
            ("", key) => key.to_owned(),
            (path, "") => path.to_owned(),
            (path, key) => format!("{path}.{key}"),
        }
    }

    fn find(&self, key: &'static str) -> Option<&'a Node> {
        self.asked.borrow_mut().push(key);
        #[cfg(test)]
        ASKED.with_borrow_mut(|asked| asked.insert(self.path_of(key)));
        self.entries.iter().find(|(name, ..)| name == key).map(|(_, _, node)| node)
    }

    fn required(&self, key: &'static str, hint: &str) -> Option<&'a Node> {
        let found = self.find(key).filter(|node| !matches!(node.value, Value::Null));
        if found.is_none() && !self.silent.get() {
            let text = format!("{} is missing", self.path_of(key));
            self.mistakes.add(codes::MAPPING_REQUIRED, self.at, text, hint);
        }
        found
    }

    fn wrong(&self, key: &str, node: &Node, wanted: &str) {
        let text = format!("{} must be {wanted}, and is {}", self.path_of(key), shown(&node.value));
        self.mistakes.add(codes::MAPPING_TYPE, (node.line, node.column), text, format!("write {wanted}"));
    }

    fn scalar(&self, key: &str, node: &'a Node) -> Option<&'a str> {
        match &node.value {
            Value::Scalar(text) => Some(text),
            _ => {
                self.wrong(key, node, "a text");
                None
            }
        }
    }

    /// A text that must be there; the hint says what to write.
    pub fn text(&self, key: &'static str, hint: &str) -> String {
        self.required(key, hint).and_then(|node| self.scalar(key, node)).unwrap_or_default().to_owned()
    }

    pub fn optional(&self, key: &'static str) -> Option<String> {
        self.find(key).and_then(|node| self.scalar(key, node)).map(str::to_owned)
    }

    /// A text read by `parse`; `wanted` says what it takes.
    pub fn parsed<T>(&self, key: &'static str, wanted: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let node = self.find(key)?;
        let value = self.scalar(key, node).and_then(parse);
        if value.is_none() && matches!(node.value, Value::Scalar(_)) {
            self.wrong(key, node, wanted);
        }
        value
    }

    pub fn boolean(&self, key: &'static str, default: bool) -> bool {
        match self.find(key) {
            None => default,
            Some(Node { value: Value::Boolean(value), .. }) => *value,
            Some(node) => {
                self.wrong(key, node, "true or false");
                default
            }
        }
    }

    pub fn duration(&self, key: &'static str) -> Option<Duration> {
        self.parsed(key, "a duration such as 60s, 15m, 24h or 3d", duration)
    }

    pub fn number(&self, key: &'static str) -> Option<u32> {
        self.parsed(key, "a whole number", |text| text.parse().ok())
    }

    /// A group that must be there.
    pub fn section(&self, key: &'static str, hint: &str) -> Section<'a> {
        match self.required(key, hint) {
            Some(node) => Section::of(node, self.path_of(key), self.mistakes),
            None => self.absent(key),
        }
    }

    /// A group that may be left out.
    pub fn optional_section(&self, key: &'static str) -> Option<Section<'a>> {
        self.find(key).map(|node| Section::of(node, self.path_of(key), self.mistakes))
    }

    fn absent(&self, key: &'static str) -> Section<'a> {
        let silent = Cell::new(true);
        let path = self.path_of(key);
        Section { entries: &[], at: self.at, path, asked: RefCell::default(), mistakes: self.mistakes, silent }
    }

    /// The groups of a list.
    pub fn sections(&self, key: &'static str) -> Vec<Section<'a>> {
        let nodes = self.list(key);
        let path = |n: usize| format!("{}[{n}]", self.path_of(key));
        nodes.iter().enumerate().map(|(n, node)| Section::of(node, path(n), self.mistakes)).collect()
    }

    /// The texts of a list, each with its place.
    pub fn texts(&self, key: &'static str) -> Vec<(String, (u32, u32))> {
        let texts = self.list(key).iter().map(|node| (self.scalar(key, node), (node.line, node.column)));
        texts.filter_map(|(text, at)| Some((text?.to_owned(), at))).collect()
    }

    fn list(&self, key: &'static str) -> &'a [Node] {
        match self.find(key) {
            None => &[],
            Some(Node { value: Value::List(items), .. }) => items,
            Some(node) => {
                self.wrong(key, node, "a list");
                &[]
            }
        }
    }

    /// Name and group of each entry of a group whose keys are free names (`routes`).
    pub fn named(&self) -> Vec<(&'a str, Section<'a>)> {
        let entries = self.entries.iter();
        entries.map(|(key, _, node)| (key.as_str(), Section::of(node, self.path_of(key), self.mistakes))).collect()
    }

    /// Name and text of each entry of a group whose keys are free names (`defaults`).
    pub fn named_texts(&self) -> Vec<(&'a str, &'a str, (u32, u32))> {
        let texts = self.entries.iter().map(|(key, _, node)| (key.as_str(), self.scalar(key, node), node));
        texts.filter_map(|(key, text, node)| Some((key, text?, (node.line, node.column)))).collect()
    }

    /// Whether the group holds a key.
    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, ..)| name == key)
    }

    /// Complains of a place inside this group.
    pub fn wrong_at(&self, at: (u32, u32), text: impl Into<String>, hint: impl Into<String>) {
        self.mistakes.add(codes::MAPPING_TYPE, at, text, hint);
    }

    /// Complains of a value of this group.
    pub fn complain(&self, key: &str, text: impl fmt::Display, hint: impl Into<String>) {
        if !self.silent.get() {
            let text = format!("{}: {text}", self.path_of(key));
            self.mistakes.add(codes::MAPPING_TYPE, self.place(key), text, hint);
        }
    }

    /// Complains of every key that nobody asked for.
    pub fn done(self) {
        let asked = self.asked.borrow();
        for (key, at, _) in self.entries.iter().filter(|(key, ..)| !asked.contains(&key.as_str())) {
            let hint = match nearest(key, &asked) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("known here: {}", asked.join(", ")),
            };
            let text = format!("{} is not a setting of a payer profile", self.path_of(key));
            self.mistakes.add(codes::MAPPING_TARGET, (at.line, at.column), text, hint);
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Scalar(text) => format!("`{text}`"),
        other => other.kind().to_owned(),
    }
}

/// `250ms`, `60s`, `15m`, `24h`, `3d`.
pub fn duration(text: &str) -> Option<Duration> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let factor = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(factor).map(Duration::from_millis)
}

/// The name that was probably meant: at most two letters away.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let lower = name.to_ascii_lowercase();
    let distances = known.iter().map(|other| (distance(&lower, &other.to_ascii_lowercase()), *other));
    distances.filter(|(distance, _)| *distance <= 2).min().map(|(_, other)| other)
}

/// Levenshtein's edit distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        let cases = [("250ms", 250), ("60s", 60_000), ("15m", 900_000), ("24h", 86_400_000), ("3d", 259_200_000)];
        for (text, millis) in cases {
            assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "60", "s", "1.5h", "-3d", "99999999999999999999d", "18446744073709551615d", "é"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn near_names_are_offered() {
        assert_eq!(nearest("recever", &["sender", "receiver"]), Some("receiver"));
        assert_eq!(nearest("colour", &["sender", "receiver"]), None);
    }

    #[test]
    fn numbers_keep_their_text() {
        let node = parse("x", "id: 00123\namount: 0.50\n").unwrap();
        let mistakes = Mistakes::of("x");
        let root = Section::root(&node, &mistakes);
        assert_eq!((root.text("id", ""), root.text("amount", "")), ("00123".into(), "0.50".into()));
    }
}
