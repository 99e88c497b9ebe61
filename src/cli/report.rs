//! The issues of many files, told as they are found: text for people, JSON for scripts.

use crate::cli::{Exit, show};
use crate::fault::{Issue, Severity};
use serde_json::{Value, json};
use std::io::{BufWriter, Stdout, Write};

/// Issues of one file that people are shown, unless they ask for more.
const SHOWN: u64 = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Issues on stderr, a line for each file on stdout
    Text,
    /// An array with an object for each file
    Json,
    /// An object for each issue, and one for each file
    Ndjson,
}

/// A report that is being written.
pub struct Report {
    format: Format,
    limit: u64,
    out: BufWriter<Stdout>,
    /// Files so far.
    files: u64,
    file: String,
    errors: u64,
    warnings: u64,
    notes: u64,
    shown: u64,
    closed: bool,
}

impl Report {
    pub fn new(format: Format, limit: Option<u64>) -> Report {
        let limit = limit.unwrap_or(if format == Format::Text { SHOWN } else { u64::MAX });
        let out = BufWriter::new(std::io::stdout());
        Report {
            format,
            limit,
            out,
            files: 0,
            file: String::new(),
            errors: 0,
            warnings: 0,
            notes: 0,
            shown: 0,
            closed: false,
        }
    }

    /// Whoever reads it has gone away.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    pub fn begin(&mut self, file: &str) {
        file.clone_into(&mut self.file);
        (self.errors, self.warnings, self.notes, self.shown) = (0, 0, 0, 0);
        if self.format == Format::Json {
            let before = if self.files == 0 { "[" } else { "," };
            self.write(&format!("{before}\n{{\"file\":{},\"issues\":[", Value::from(file)));
        }
        self.files += 1;
    }

    pub fn issue(&mut self, issue: &Issue) {
        *match issue.severity {
            Severity::Fatal | Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Information => &mut self.notes,
        } += 1;
        if self.shown >= self.limit {
            return;
        }
        self.shown += 1;
        match self.format {
            Format::Text => show::issues(Some(&self.file), std::slice::from_ref(issue)),
            Format::Json => {
                let before = if self.shown == 1 { "" } else { "," };
                self.write(&format!("{before}\n{}", json!(issue)));
            }
            Format::Ndjson => {
                let mut line = json!({"file": self.file});
                if let (Value::Object(line), Value::Object(issue)) = (&mut line, json!(issue)) {
                    line.extend(issue);
                }
                self.write(&format!("{line}\n"));
            }
        }
    }

    /// The end of a file.
    pub fn finish(&mut self, exit: Exit) {
        let (clean, readable) = (exit == Exit::Clean, exit != Exit::Unreadable);
        let counts = json!({
            "clean": clean, "readable": readable, "errors": self.errors, "warnings": self.warnings, "notes": self.notes
        });
        let line = match self.format {
            Format::Text => self.verdict(exit),
            Format::Json => format!("],{}", counts.to_string().trim_start_matches('{')),
            Format::Ndjson => {
                format!(
                    "{{\"file\":{},{}\n",
                    Value::from(self.file.as_str()),
                    counts.to_string().trim_start_matches('{')
                )
            }
        };
        self.write(&line);
        self.closed |= self.out.flush().is_err();
    }

    fn verdict(&self, exit: Exit) -> String {
        let counts = [(self.errors, "error"), (self.warnings, "warning"), (self.notes, "note")];
        let told = counts.iter().filter(|(count, _)| *count > 0);
        let told = told.map(|(count, what)| format!("{count} {what}{}", if *count == 1 { "" } else { "s" }));
        let verdict = match exit {
            Exit::Clean => Some("clean".to_owned()),
            Exit::Unreadable => Some("unreadable".to_owned()),
            _ => None,
        };
        // What is unreadable has its one reason.
        let told = told.filter(|_| exit != Exit::Unreadable);
        let found = verdict.into_iter().chain(told).collect::<Vec<_>>().join(", ");
        let more = counts.iter().map(|(count, _)| count).sum::<u64>().saturating_sub(self.shown);
        let more = if more > 0 { format!(" ({more} not shown: --limit)") } else { String::new() };
        format!("{}: {found}{more}\n", self.file)
    }

    pub fn end(&mut self) {
        if self.format == Format::Json {
            self.write(if self.files == 0 { "[]\n" } else { "\n]\n" });
        }
        self.closed |= self.out.flush().is_err();
    }

    fn write(&mut self, text: &str) {
        self.closed |= self.out.write_all(text.as_bytes()).is_err();
    }
}
