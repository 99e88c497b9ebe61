//! What is wrong with the mappings, gathered over all files so that all of it is shown at once.

use super::yaml::Spot;
use crate::fault::{Issue, Place};

/// The mistakes found so far.
#[derive(Debug, Default)]
pub struct Mistakes {
    pub issues: Vec<Issue>,
}

impl Mistakes {
    /// Adds a mistake; `code` is one of `fault::codes`.
    pub fn add(&mut self, code: &'static str, at: &Spot, text: impl Into<String>, hint: impl Into<String>) {
        self.issues.push(Issue::error(code, place(at), text).hint(hint));
    }

    /// Puts them in the order of the files, each once: what stands in a template is found wherever it is used.
    pub fn settle(&mut self) {
        let key = |issue: &Issue| match &issue.at {
            Place::File { path, line, column } => (path.clone(), *line, *column),
            _ => (String::new(), 0, 0),
        };
        self.issues.sort_by_key(key);
        self.issues.dedup();
    }

    /// Adds something that is allowed, but hardly meant.
    pub fn warn(&mut self, code: &'static str, at: &Spot, text: impl Into<String>, hint: impl Into<String>) {
        self.issues.push(Issue::warning(code, place(at), text).hint(hint));
    }
}

/// A spot as issues name places.
pub fn place(at: &Spot) -> Place {
    Place::File { path: at.file.to_string(), line: at.line, column: at.column }
}

/// `did you mean …?`, or the names that there are when none is near.
pub fn did_you_mean<S: AsRef<str>>(name: &str, known: impl IntoIterator<Item = S>) -> String {
    let mut known: Vec<String> = known.into_iter().map(|name| name.as_ref().to_owned()).collect();
    known.sort();
    known.dedup();
    let near = known.iter().map(|other| (distance(name, other), other)).min();
    match near {
        Some((steps, other)) if steps <= name.len() / 3 + 1 => format!("did you mean `{other}`?"),
        Some(_) => format!("there are: {}", shortened(&known)),
        None => "there are none".to_owned(),
    }
}

/// How many names a hint lists.
const LISTED: usize = 24;

fn shortened(known: &[String]) -> String {
    let listed = known.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if known.len() > LISTED { format!("{listed}, …") } else { listed }
}

/// How many letters must be added, taken away, replaced or swapped with their neighbour; case counts half.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows = vec![(0..=right.len()).collect::<Vec<usize>>()];
    for (n, l) in left.iter().enumerate() {
        let mut row = vec![n + 1];
        for (m, r) in right.iter().enumerate() {
            let cost = usize::from(!l.eq_ignore_ascii_case(r));
            let mut best = (rows[n][m] + cost).min(rows[n][m + 1] + 1).min(row[m] + 1);
            if n > 0 && m > 0 && left[n - 1] == *r && *l == right[m - 1] {
                best = best.min(rows[n - 1][m - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        let known = ["serviceLines", "totalCharge", "diagnoses"];
        assert_eq!(did_you_mean("serviceLine", known), "did you mean `serviceLines`?");
        assert_eq!(did_you_mean("totlaCharge", known), "did you mean `totalCharge`?");
        assert_eq!(did_you_mean("x", known), "there are: diagnoses, serviceLines, totalCharge");
    }
}
