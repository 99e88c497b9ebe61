//! YAML with positions: every key and scalar knows its file, line and column, because a mistake in a mapping is only as
//! good as the place it names. Keys stay text (`01` is no octal number), anchors and tags are refused.

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span};
use std::sync::Arc;

/// How deep a mapping may nest.
pub const MAX_DEPTH: usize = 64;

/// A place in a file that people edit. Line and column count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// As it is shown to people.
    pub file: Arc<str>,
    pub line: u32,
    pub column: u32,
}

/// A scalar: an expression of the mapping language.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    pub text: String,
    pub at: Spot,
    /// As it stands in the file, quotes and line breaks included; to find columns inside.
    raw: String,
    /// Written in quotes of YAML, which FHIRPath does not see.
    pub quoted: bool,
}

impl Scalar {
    /// An expression that stands for what a file says in another way.
    pub fn plain(text: &str, at: Spot) -> Scalar {
        Scalar { text: text.to_owned(), at, raw: text.to_owned(), quoted: false }
    }

    /// The place of a byte of the text.
    pub fn spot(&self, offset: usize) -> Spot {
        let mut raw = self.raw.chars();
        let (mut line, mut column) = (self.at.line, self.at.column);
        for wanted in self.text.get(..offset).unwrap_or(&self.text).chars() {
            step_past(&mut raw, wanted, &mut line, &mut column);
        }
        let mut rest = raw.clone();
        let next = self.text.get(offset..).and_then(|rest| rest.chars().next());
        step_until(&mut rest, next, &mut line, &mut column);
        Spot { file: self.at.file.clone(), line, column }
    }
}

/// Walks over the raw text until a character has been passed; what lies between are quotes, escapes and indentation.
fn step_past(raw: &mut std::str::Chars<'_>, wanted: char, line: &mut u32, column: &mut u32) {
    for found in raw.by_ref() {
        advance(found, line, column);
        if found == wanted || (wanted.is_whitespace() && found.is_whitespace()) {
            return;
        }
    }
}

/// Walks up to the next character of the text, over quotes, escapes and indentation.
fn step_until(raw: &mut std::str::Chars<'_>, wanted: Option<char>, line: &mut u32, column: &mut u32) {
    let Some(wanted) = wanted else { return };
    for found in raw.by_ref() {
        if found == wanted {
            return;
        }
        advance(found, line, column);
    }
}

fn advance(found: char, line: &mut u32, column: &mut u32) {
    if found == '\n' {
        *line += 1;
        *column = 1;
    } else {
        *column += 1;
    }
}

/// A key of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub name: String,
    pub at: Spot,
}

/// A piece of YAML.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Map(Spot, Vec<(Key, Node)>),
    List(Spot, Vec<Node>),
    Scalar(Scalar),
    /// Nothing after the colon, or `null`.
    Nothing(Spot),
}

impl Node {
    pub fn at(&self) -> &Spot {
        match self {
            Node::Map(at, _) | Node::List(at, _) | Node::Nothing(at) => at,
            Node::Scalar(scalar) => &scalar.at,
        }
    }

    /// The value of a key.
    pub fn get(&self, name: &str) -> Option<&Node> {
        match self {
            Node::Map(_, entries) => entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Node::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }
}

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Mistake {
    pub at: Spot,
    pub text: String,
    pub hint: String,
}

/// Reads one YAML document. On a mistake of syntax nothing can be read; doubled keys are collected.
pub fn parse(file: &str, text: &str) -> Result<Node, Vec<Mistake>> {
    let mut builder = Builder { file: Arc::from(file), text, stack: Vec::new(), root: None, mistakes: Vec::new() };
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => builder.take(event, &span),
            Err(error) => {
                let at = builder.spot_of(error.marker().line(), error.marker().col());
                builder.mistake(at, format!("this is not YAML: {}", error.kind()), hint_of(&error.kind().to_string()));
                break;
            }
        }
    }
    builder.finish()
}

/// What mends a mistake of YAML, by what the reader says of it.
fn hint_of(kind: &str) -> &'static str {
    match kind {
        kind if kind.contains("tab") => "indent with spaces: YAML takes no tabs",
        kind if kind.contains("block mapping") => {
            "keys of one object begin in one column; a text that begins with a quote ends with it"
        }
        _ => QUOTE_HINT,
    }
}

const QUOTE_HINT: &str = "an expression that begins with one of % @ ` * & ! | > { [ \" ' or holds `: ` or ` #` stands in \
                          double quotes: \"%payer.id\"";

/// An object or list that is not closed yet.
enum Open {
    Map(Spot, Vec<(Key, Node)>, Option<Key>),
    List(Spot, Vec<Node>),
}

struct Builder<'t> {
    file: Arc<str>,
    text: &'t str,
    stack: Vec<Open>,
    root: Option<Node>,
    mistakes: Vec<Mistake>,
}

impl Builder<'_> {
    fn spot_of(&self, line: usize, column: usize) -> Spot {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        Spot { file: self.file.clone(), line, column: u32::try_from(column + 1).unwrap_or(u32::MAX) }
    }

    fn mistake(&mut self, at: Spot, text: impl Into<String>, hint: impl Into<String>) {
        self.mistakes.push(Mistake { at, text: text.into(), hint: hint.into() });
    }

    fn take(&mut self, event: Event<'_>, span: &Span) {
        let at = self.spot_of(span.start.line(), span.start.col());
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_extras(&at, anchor, tag.is_some());
                self.scalar(&text, style, at, span);
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_extras(&at, anchor, tag.is_some());
                self.open(Open::Map(at, Vec::new(), None));
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_extras(&at, anchor, tag.is_some());
                self.open(Open::List(at, Vec::new()));
            }
            Event::MappingEnd | Event::SequenceEnd => self.close(),
            Event::Alias(_) => {
                self.mistake(at.clone(), "aliases (*name) are not used in mappings", "name the value with `let`");
                self.add(Node::Nothing(at));
            }
            Event::DocumentStart(..) if self.root.is_some() => {
                self.mistake(at, "a second document in one file", "one file holds one mapping");
            }
            _ => {}
        }
    }

    fn refuse_extras(&mut self, at: &Spot, anchor: usize, tagged: bool) {
        if anchor != 0 {
            self.mistake(at.clone(), "anchors (&name) are not used in mappings", "name the value with `let`");
        }
        if tagged {
            self.mistake(at.clone(), "tags (!name) are not used in mappings", "leave the tag out");
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, at: Spot, span: &Span) {
        if let Some(Open::Map(_, entries, key @ None)) = self.stack.last_mut() {
            if let Some((first, _)) = entries.iter().find(|(key, _)| key.name == text) {
                let text = format!("`{text}` stands twice in one object, first at line {}", first.at.line);
                let hint = "write several segments of one key as a list, or take one of them out".to_owned();
                self.mistakes.push(Mistake { at: at.clone(), text, hint });
            }
            *key = Some(Key { name: text.to_owned(), at });
            return;
        }
        let plain = style == ScalarStyle::Plain;
        if plain && matches!(text, "" | "~" | "null") {
            return self.add(Node::Nothing(at));
        }
        let raw = span.slice(self.text).unwrap_or(text).to_owned();
        let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
        self.add(Node::Scalar(Scalar { text: text.to_owned(), at, raw, quoted }));
    }

    fn open(&mut self, open: Open) {
        if let (Some(Open::Map(_, _, None)), Open::Map(at, ..) | Open::List(at, _)) = (self.stack.last(), &open) {
            let at = at.clone();
            self.mistake(at, "an object or list can't be a key", QUOTE_HINT);
        }
        if self.stack.len() == MAX_DEPTH {
            let (Open::Map(at, ..) | Open::List(at, _)) = &open;
            let at = at.clone();
            self.mistake(at, format!("deeper than {MAX_DEPTH} levels"), "make the mapping flatter");
        }
        self.stack.push(open);
    }

    fn close(&mut self) {
        match self.stack.pop() {
            Some(Open::Map(at, entries, _)) => self.add(Node::Map(at, entries)),
            Some(Open::List(at, items)) => self.add(Node::List(at, items)),
            None => {}
        }
    }

    fn add(&mut self, node: Node) {
        match self.stack.last_mut() {
            Some(Open::Map(_, entries, key)) => {
                if let Some(key) = key.take() {
                    entries.push((key, node));
                }
            }
            Some(Open::List(_, items)) => items.push(node),
            None => self.root = self.root.take().or(Some(node)),
        }
    }

    fn finish(self) -> Result<Node, Vec<Mistake>> {
        if !self.mistakes.is_empty() {
            return Err(self.mistakes);
        }
        let start = Spot { file: self.file, line: 1, column: 1 };
        Ok(self.root.unwrap_or(Node::Nothing(start)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(node: &Node) -> (u32, u32) {
        (node.at().line, node.at().column)
    }

    #[test]
    fn keys_and_scalars_know_their_places() {
        let node = parse("m.yaml", "2300:\n  CLM: { 01: \"'B'\", 05-1: a.b }\n  REF*G1: remove\n").unwrap();
        let clm = node.get("2300").unwrap().get("CLM").unwrap();
        assert_eq!(clm.get("01").unwrap().text(), Some("'B'"));
        assert_eq!(spot(clm.get("05-1").unwrap()), (2, 27));
        let Node::Scalar(literal) = clm.get("01").unwrap() else { panic!("a scalar") };
        assert_eq!((literal.spot(0).column, literal.spot(1).column), (15, 16));
    }

    #[test]
    fn folded_scalars_know_the_places_inside() {
        let node = parse("m.yaml", "a: >-\n  first\n  .second\n").unwrap();
        let Some(Node::Scalar(scalar)) = node.get("a") else { panic!("a scalar") };
        assert_eq!(scalar.text, "first .second");
        let spot = scalar.spot(scalar.text.find(".second").unwrap());
        assert_eq!((spot.line, spot.column), (3, 3));
    }

    #[test]
    fn mistakes_are_collected() {
        let mistakes = parse("m.yaml", "a: 1\na: 2\nb: &x 1\nc: *x\n").unwrap_err();
        assert_eq!(mistakes.iter().map(|m| m.at.line).collect::<Vec<_>>(), [2, 3, 4]);
        assert!(parse("m.yaml", "a: [1\nb: 2").is_err());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        assert!(parse("m.yaml", &nested(MAX_DEPTH)).is_ok());
        assert!(parse("m.yaml", &nested(MAX_DEPTH + 1)).is_err());
    }
}
