//! Reads Rust source just well enough to check walls: comments and the insides of literals are blanked, the rest is cut
//! into words. It knows strings, raw strings, characters, lifetimes and nested comments.

use std::ops::Range;
use std::path::Path;

/// One source file.
pub struct Source {
    /// Relative to the project, with `/`.
    pub path: String,
    pub text: String,
    /// As long as `text`, with comments and the insides of literals blanked.
    pub code: String,
    pub words: Vec<Word>,
    /// Lines of `#[cfg(test)]` items; the whole file when it holds tests only.
    tests: Vec<Range<usize>>,
}

/// An identifier, `::`, or one character of punctuation.
pub struct Word {
    pub text: String,
    /// Offset in the source.
    pub at: usize,
    /// From 1.
    pub line: usize,
}

impl Source {
    pub fn read(root: &Path, path: &str) -> Source {
        Source::new(path, &std::fs::read_to_string(root.join(path)).unwrap())
    }

    pub fn new(path: &str, text: &str) -> Source {
        let code = blanked(text);
        let words = words(&code);
        let mut source = Source { path: path.into(), text: text.into(), code, words, tests: Vec::new() };
        source.tests = source.find_tests();
        source
    }

    /// `file:line: complaint`.
    pub fn complain(&self, line: usize, what: impl std::fmt::Display) -> String {
        format!("{}:{line}: {what}", self.path)
    }

    pub fn is_test(&self, line: usize) -> bool {
        self.tests.iter().any(|lines| lines.contains(&line))
    }

    /// Words outside of tests, with their index.
    pub fn plain_words(&self) -> impl Iterator<Item = (usize, &Word)> {
        self.words.iter().enumerate().filter(|(_, word)| !self.is_test(word.line))
    }

    pub fn word(&self, n: usize) -> &str {
        self.words.get(n).map_or("", |word| word.text.as_str())
    }

    /// Index of the bracket that closes the one at `open`.
    pub fn closing(&self, open: usize) -> usize {
        let mut depth = 0;
        for (n, word) in self.words.iter().enumerate().skip(open) {
            match word.text.as_str() {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return n;
            }
        }
        self.words.len().saturating_sub(1)
    }

    /// Modules between the crate's root and the word at `n`: of the file, then the inline ones around the word.
    pub fn modules_at(&self, n: usize) -> Vec<String> {
        let below = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let below = below.strip_suffix(".rs").unwrap_or(below);
        let mut modules: Vec<String> =
            below.split('/').filter(|part| !matches!(*part, "mod" | "lib")).map(str::to_owned).collect();
        for open in (0..n).filter(|open| self.word(*open) == "{" && *open >= 2 && self.word(open - 2) == "mod") {
            if self.closing(open) > n {
                modules.push(self.word(open - 1).to_owned());
            }
        }
        modules
    }

    /// Files that hold tests only because this one declares them so: `#[cfg(test)] mod properties;`.
    pub fn test_files(&self) -> Vec<String> {
        let stem = self.path.trim_end_matches(".rs");
        let folder = stem.strip_suffix("/mod").unwrap_or(stem);
        let behind = self.test_marks().map(|n| n + 7 + usize::from(self.word(n + 7) == "pub"));
        let declared = behind.filter(|n| self.word(*n) == "mod" && self.word(n + 2) == ";");
        declared.map(|n| format!("{folder}/{}.rs", self.word(n + 1))).collect()
    }

    /// Says that the file holds tests only.
    pub fn is_all_tests(&mut self) {
        self.tests = vec![Range { start: 0, end: self.text.lines().count() + 1 }];
    }

    /// Where `#[cfg(test)]` stands.
    fn test_marks(&self) -> impl Iterator<Item = usize> {
        let marks = ["#", "[", "cfg", "(", "test", ")", "]"];
        (0..self.words.len()).filter(move |n| marks.iter().enumerate().all(|(k, mark)| self.word(n + k) == *mark))
    }

    fn find_tests(&self) -> Vec<Range<usize>> {
        if self.path.starts_with("tests/") {
            return vec![Range { start: 0, end: self.text.lines().count() + 1 }];
        }
        self.test_marks()
            .filter_map(|start| {
                let body = (start..self.words.len()).find(|n| matches!(self.word(*n), "{" | ";"))?;
                let end = if self.word(body) == "{" { self.closing(body) } else { body };
                Some(self.words[start].line..self.words[end].line + 1)
            })
            .collect()
    }
}

/// The text with comments and the insides of literals turned to spaces; lines and offsets stay.
fn blanked(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let Some(hidden) = hidden_at(bytes, at) else {
            at += 1;
            continue;
        };
        for byte in &mut code[hidden.clone()] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        // A closing quote is no opening one.
        at = hidden.end + usize::from(bytes.get(hidden.end).is_some_and(|byte| matches!(byte, b'"' | b'\'')));
    }
    String::from_utf8(code).unwrap()
}

/// What is to be hidden of the comment or literal that begins here.
fn hidden_at(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        return Some(at..at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()));
    }
    if rest.starts_with(b"/*") {
        return Some(at..at + comment_length(rest));
    }
    let after_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    match rest[0] {
        b'r' if !after_word || bytes[at - 1] == b'b' => raw_string(rest).map(|length| at..at + length),
        b'"' => Some(quoted(bytes, at + 1, b'"')),
        b'\'' if rest.get(1) == Some(&b'\\') || is_character(rest) => Some(quoted(bytes, at + 1, b'\'')),
        _ => None,
    }
}

fn quoted(bytes: &[u8], start: usize, quote: u8) -> Range<usize> {
    let mut at = start;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    start..at.min(bytes.len())
}

/// `'x'`, where a lifetime has no closing quote.
fn is_character(rest: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&rest[1..rest.len().min(6)]).into_owned();
    text.chars().nth(1) == Some('\'')
}

fn comment_length(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..rest.len().min(at + 2)] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of a raw string, hidden whole.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let marks = rest[1..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(1 + marks) != Some(&b'"') {
        return None;
    }
    let end: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', marks)).collect();
    let inside = &rest[marks + 2..];
    let length = inside.windows(end.len()).position(|window| window == end)?;
    Some(marks + 2 + length + end.len())
}

fn words(code: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut line = 1;
    let mut chars = code.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let mut text = c.to_string();
        if c == '\n' {
            line += 1;
        }
        if c.is_whitespace() {
            continue;
        }
        if c.is_alphanumeric() || c == '_' {
            while let Some((_, next)) = chars.next_if(|(_, next)| next.is_alphanumeric() || *next == '_') {
                text.push(next);
            }
        } else if c == ':' && chars.next_if(|(_, next)| *next == ':').is_some() {
            text.push(':');
        }
        words.push(Word { text, at, line });
    }
    words
}

#[test]
fn comments_and_literals_are_blanked() {
    let text = "let a = \"x::y\"; // b::c\nlet d = 'e'; /* f /* g */ */ fn h<'i>() { r#\"j\"#; '\\''; \"\"; k }";
    let source = Source::new("src/a.rs", text);
    let words: Vec<&str> = source
        .words
        .iter()
        .map(|word| word.text.as_str())
        .filter(|word| word.chars().all(char::is_alphanumeric))
        .collect();
    assert_eq!(words, ["let", "a", "let", "d", "fn", "h", "i", "k"]);
    assert_eq!(source.words.last().unwrap().line, 2);
    assert_eq!(source.code.len(), text.len());
}

#[test]
fn files_of_tests_are_known_by_who_declares_them() {
    let text = "#[cfg(test)]\nmod properties;\nmod reader;";
    assert_eq!(Source::new("src/x12/mod.rs", text).test_files(), ["src/x12/properties.rs"]);
    assert_eq!(
        Source::new("src/x12/tokens.rs", "#[cfg(test)]\npub mod tests;").test_files(),
        ["src/x12/tokens/tests.rs"]
    );
    assert_eq!(Source::new("src/telemetry.rs", text).test_files(), ["src/telemetry/properties.rs"]);
}

#[test]
fn tests_and_modules_are_found() {
    let source = Source::new("src/x12/mod.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() {}\n}\nfn c() {}\n");
    assert_eq!((1..=6).filter(|line| source.is_test(*line)).collect::<Vec<_>>(), [2, 3, 4, 5]);
    let b = source.words.iter().position(|word| word.text == "b").unwrap();
    assert_eq!(source.modules_at(b), ["x12", "tests"]);
}
