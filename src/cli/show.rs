//! How issues are shown to people: on stderr, coloured on a terminal only.

use crate::fault::{Fault, Issue, Severity};
use console::{Style, Term, style};
use std::fmt::Arguments;
use std::io::{Error, ErrorKind, Write};

/// All issues of a fault.
pub fn fault(fault: &Fault) {
    issues(None, &fault.issues);
}

/// Issues, each with the file it is about when there are several.
pub fn issues(file: Option<&str>, issues: &[Issue]) {
    for issue in issues {
        eprintln!("{}", line(file, issue));
    }
}

fn line(file: Option<&str>, issue: &Issue) -> String {
    let colour = match issue.severity {
        Severity::Fatal | Severity::Error => Style::new().for_stderr().red().bold(),
        Severity::Warning => Style::new().for_stderr().yellow(),
        Severity::Information => Style::new().for_stderr().cyan(),
    };
    let text = issue.to_string();
    let (head, rest) = text.split_once(':').unwrap_or(("", &text));
    let file = file.map(|file| format!("{file}: ")).unwrap_or_default();
    format!("{file}{}:{rest}", colour.apply_to(head))
}

/// A line on stdout, as `println!` writes it; but when the reader has gone away (`| head`) there is nobody to tell, and the
/// command goes on to its end.
macro_rules! say {
    ($($text:tt)*) => { $crate::cli::show::said(format_args!("{}\n", format_args!($($text)*))) };
}
pub(crate) use say;

/// Writes to stdout.
///
/// # Panics
/// When stdout can't be written, for another reason than that nobody reads it: a full disk must not look like success.
pub fn said(text: Arguments<'_>) {
    let gone = |error: Error| if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) };
    std::io::stdout().write_fmt(text).or_else(gone).expect("stdout can be written");
}

/// A heading on stdout.
pub fn heading(text: &str) {
    say!("\n{}", style(text).bold().underlined());
}

/// Whether progress may be drawn.
pub fn terminal() -> bool {
    Term::stderr().is_term()
}
