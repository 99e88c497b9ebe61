//! The function reference, written from the function table.

use super::fhirpath::functions::GROUPS;
use std::fmt::Write;

/// `mappings/FUNCTIONS.md`.
pub fn reference() -> String {
    let mut out = String::from(HEAD);
    for (title, functions) in GROUPS {
        let _ = write!(out, "\n## {title}\n\n| call | gives | example (true) |\n|---|---|---|\n");
        for function in *functions {
            let doc = cell(function.doc);
            let _ = writeln!(out, "| `{}` | {doc} | `{}` |", cell(function.signature), cell(function.example));
        }
    }
    out
}

const HEAD: &str = "# Functions of the mapping language

Written from the function table by a test (`CLAIMGATE_BLESS=1 cargo test function_reference` writes it anew): do not edit.
The function works on what stands before its dot, or on `$this` when nothing does. Examples are true for one small claim and
are run as tests. `README.md` shows the language around them.
";

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn function_reference_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/FUNCTIONS.md");
        if std::env::var_os("CLAIMGATE_BLESS").is_some() {
            std::fs::write(&path, reference()).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == reference(), "mappings/FUNCTIONS.md is not current: run with CLAIMGATE_BLESS=1");
    }
}
