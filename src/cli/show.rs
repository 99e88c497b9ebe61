//! How issues are shown to people: on stderr, coloured on a terminal only.

use crate::fault::{Fault, Issue, Severity};
use console::{Style, Term, style};

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

/// A heading on stdout.
pub fn heading(text: &str) {
    println!("\n{}", style(text).bold().underlined());
}

/// Whether progress may be drawn.
pub fn terminal() -> bool {
    Term::stderr().is_term()
}
