//! Expected files: compared as they are, or rewritten for review when `CLAIMGATE_BLESS=1`.

use serde_json::Value;
use std::path::Path;

/// Compares a text with a file; answers what differs.
pub fn agrees(file: &Path, made: &str) -> Result<(), String> {
    if std::env::var("CLAIMGATE_BLESS").is_ok_and(|bless| bless == "1") {
        return std::fs::write(file, made).map_err(|error| format!("{} can't be written: {error}", file.display()));
    }
    let expected = std::fs::read_to_string(file).unwrap_or_default();
    if expected.trim_end() == made.trim_end() {
        return Ok(());
    }
    Err(format!("{} differs:\n{}", file.display(), difference(&expected, made)))
}

/// JSON as it stands in expected files.
pub fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// The lines around the first difference.
fn difference(expected: &str, made: &str) -> String {
    let (expected, made): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), made.lines().collect());
    let first = (0..expected.len().max(made.len())).find(|n| expected.get(*n) != made.get(*n)).unwrap_or(0);
    let around = |lines: &[&str]| {
        lines.iter().skip(first.saturating_sub(2)).take(6).map(|line| format!("    {line}\n")).collect::<String>()
    };
    format!("  line {}, expected:\n{}  made:\n{}", first + 1, around(&expected), around(&made))
}

/// Replaces what is new at every run: ids by the order of their appearance.
pub fn steady(text: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = next_uuid(rest) {
        let id = &rest[at..at + 36];
        let n = names.iter().position(|name| *name == id).unwrap_or_else(|| {
            names.push(id);
            names.len() - 1
        });
        out.push_str(&rest[..at]);
        out.push_str(&format!("id-{}", n + 1));
        rest = &rest[at + 36..];
    }
    out.push_str(rest);
    out
}

/// Where the next UUID begins.
fn next_uuid(text: &str) -> Option<usize> {
    let is_uuid = |window: &[u8]| {
        window.iter().enumerate().all(|(n, byte)| match n {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    };
    text.as_bytes().windows(36).position(is_uuid)
}
