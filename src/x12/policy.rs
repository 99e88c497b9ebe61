//! How bad a payer takes what a check finds: on, off, and the severity of each check, as a profile says under `checks`.

use crate::fault::{self, Issue, Place, Severity, X12Place, codes};
use crate::x12::guide::Guides;

/// The families that a profile may speak of as a whole.
const FAMILIES: [&str; 6] = [
    codes::X12_ENVELOPE,
    codes::X12_SYNTAX,
    codes::X12_GUIDE,
    codes::X12_BALANCE,
    codes::X12_SITUATION,
    codes::X12_CODE,
];

/// Words of a profile, and what they make of an issue; `off` drops it.
pub const LEVELS: [(&str, Option<Severity>); 4] = [
    ("error", Some(Severity::Error)),
    ("warning", Some(Severity::Warning)),
    ("note", Some(Severity::Information)),
    ("off", None),
];

/// What one payer asks for; the default asks for what the rule files say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policy {
    rows: Vec<Row>,
}

/// One line: `npi-form: error`, `CG-1504: warning`, `CG-1503 2010BB N3: off`.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    /// Name of a check, or the code of a family.
    what: String,
    in_loop: Option<String>,
    /// Segment or element: `N3`, `NM109`, `CLM05-3`.
    element: Option<String>,
    severity: Option<Severity>,
    /// Where it stands in the profile.
    at: Place,
}

impl Policy {
    /// Adds a line; `None` when the level is none of [`LEVELS`] or the key is empty.
    pub fn add(&mut self, key: &str, level: &str, at: Place) -> Option<()> {
        let severity = LEVELS.iter().find(|(word, _)| *word == level).map(|(_, severity)| *severity)?;
        let mut words = key.split_whitespace().map(str::to_owned);
        let (what, in_loop, element) = (words.next()?, words.next(), words.next());
        self.rows.push(Row { what, in_loop, element, severity, at });
        words.next().is_none().then_some(())
    }

    /// Judges each issue, and drops what the payer does not ask for.
    pub fn apply(&self, issues: &mut Vec<Issue>) {
        issues.retain_mut(|issue| self.judge(issue));
    }

    /// Gives an issue the severity that the payer asks for; false when it does not ask for it. Of several lines for one issue
    /// the last counts.
    pub fn judge(&self, issue: &mut Issue) -> bool {
        let Some(row) = self.rows.iter().rfind(|row| row.means(issue)) else { return true };
        issue.severity = row.severity.unwrap_or(issue.severity);
        row.severity.is_some()
    }

    /// Lines that name no check.
    pub fn mistakes(&self, guides: &Guides) -> Vec<Issue> {
        let is_known = |what: &str| FAMILIES.contains(&what) || guides.checks().any(|check| check.name == what);
        let unknown = self.rows.iter().filter(|row| !is_known(&row.what));
        let issue = |row: &Row| {
            Issue::error(codes::MAPPING_TARGET, row.at.clone(), format!("`{}` is no check", row.what))
                .hint("the checks are listed in conformance/x12/CHECKS.md; a family is one of CG-1501 to CG-1506")
        };
        unknown.map(issue).collect()
    }
}

impl Row {
    fn means(&self, issue: &Issue) -> bool {
        let Place::X12(at) = &issue.at else { return false };
        let named = issue.code == self.what || at.check.as_deref() == Some(&self.what);
        named
            && self.in_loop.as_deref().is_none_or(|id| at.loop_id.as_deref() == Some(id))
            && self.element.as_deref().is_none_or(|element| is_at(at, element))
    }
}

/// Whether a place is the segment or element, or inside of it.
fn is_at(at: &fault::X12Place, element: &str) -> bool {
    let whole = X12Place { component: None, ..at.clone() };
    at.segment.as_deref() == Some(element)
        || at.element_name().as_deref() == Some(element)
        || whole.element_name().as_deref() == Some(element)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::guide::tests::shipped;

    fn issue(code: &'static str, check: Option<&str>) -> Issue {
        let text = |text: &str| Some(text.to_owned());
        let at = X12Place {
            loop_id: text("2010BB"),
            segment: text("NM1"),
            element: Some(9),
            check: check.map(str::to_owned),
            ..X12Place::default()
        };
        Issue::warning(code, Place::X12(at), "text")
    }

    fn outcome(lines: &[(&str, &str)], issue: Issue) -> Option<Severity> {
        let mut policy = Policy::default();
        for (key, level) in lines {
            policy.add(key, level, Place::Whole).unwrap();
        }
        let mut issues = vec![issue];
        policy.apply(&mut issues);
        issues.first().map(|issue| issue.severity)
    }

    #[test]
    fn the_last_line_that_means_an_issue_counts() {
        let npi = || issue(codes::X12_CODE, Some("npi-form"));
        for (lines, expected) in [
            (&[][..], Some(Severity::Warning)),
            (&[("npi-form", "error")], Some(Severity::Error)),
            (&[("npi-form", "off")], None),
            (&[("CG-1506", "off"), ("npi-form", "note")], Some(Severity::Information)),
            (&[("npi-form", "note"), ("CG-1506", "error")], Some(Severity::Error)),
            (&[("zip-form", "off"), ("CG-1503", "off")], Some(Severity::Warning)),
            (&[("CG-1506 2010BB", "off")], None),
            (&[("CG-1506 2010BB NM1", "off")], None),
            (&[("CG-1506 2010BB NM109", "off")], None),
            (&[("CG-1506 2010BA NM109", "off")], Some(Severity::Warning)),
            (&[("CG-1506 2010BB NM108", "off")], Some(Severity::Warning)),
        ] {
            assert_eq!(outcome(lines, npi()), expected, "{lines:?}");
        }
    }

    #[test]
    fn unknown_levels_and_checks_are_mistakes() {
        let mut policy = Policy::default();
        assert_eq!(policy.add("npi-form", "maybe", Place::Whole), None);
        assert_eq!(policy.add("npi-form 2010AA NM109 X", "off", Place::Whole), None);
        let mut policy = Policy::default();
        for key in ["npi-form", "CG-1503", "CG-1301", "no-such-check"] {
            policy.add(key, "off", Place::Whole).unwrap();
        }
        let mistakes: Vec<_> = policy.mistakes(shipped()).into_iter().map(|issue| issue.text).collect();
        assert_eq!(mistakes, ["`CG-1301` is no check", "`no-such-check` is no check"]);
    }
}
