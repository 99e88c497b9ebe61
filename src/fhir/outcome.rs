//! Complaints as FHIR: OperationOutcome.

use crate::fault::{self, Issue, Place, Severity};
use serde_json::{Value, json};

/// Code system of claimgate's own codes.
pub const CODE_SYSTEM: &str = "https://claimgate.dev/fhir/CodeSystem/error";

/// The issues as an OperationOutcome, worst first when there are more than `limit`; without any, one that says all is well.
pub fn operation_outcome(issues: &[Issue], limit: usize) -> Value {
    let mut entries: Vec<Value> = chosen(issues, limit.max(1)).into_iter().map(entry).collect();
    let left = issues.len().saturating_sub(entries.len());
    if left > 0 {
        entries.push(note(&format!("{left} more issues are not shown: mend these first")));
    }
    if entries.is_empty() {
        entries.push(note("no issues"));
    }
    json!({ "resourceType": "OperationOutcome", "issue": entries })
}

/// At most so many, in their order; errors push out warnings.
fn chosen(issues: &[Issue], limit: usize) -> Vec<&Issue> {
    if issues.len() <= limit {
        return issues.iter().collect();
    }
    let errors = issues.iter().filter(|issue| issue.is_error());
    let others = issues.iter().filter(|issue| !issue.is_error());
    errors.chain(others).take(limit).collect()
}

fn note(text: &str) -> Value {
    json!({ "severity": "information", "code": "informational", "details": { "text": text } })
}

fn entry(issue: &Issue) -> Value {
    let fhir = match issue.severity {
        Severity::Information => "informational",
        _ => fault::row(issue.code).map_or("exception", |row| row.fhir),
    };
    let mut out = json!({
        "severity": issue.severity,
        "code": fhir,
        "details": { "coding": [{ "system": CODE_SYSTEM, "code": issue.code }], "text": issue.text },
    });
    if let Some(hint) = &issue.hint {
        out["diagnostics"] = json!(hint);
    }
    match &issue.at {
        Place::Whole => {}
        Place::FhirPath(path) => out["expression"] = json!([path]),
        // A place that is no FHIRPath: text for people, so it stands with the hint.
        at => {
            out["diagnostics"] =
                json!(format!("{at}{}", issue.hint.as_ref().map(|hint| format!(": {hint}")).unwrap_or_default()))
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::codes;

    #[test]
    fn holds_code_place_text_and_hint() {
        let at = Place::FhirPath("Claim.item[2].net".into());
        let issues = [Issue::error(codes::WRONG_TYPE, at, "an object is expected").hint("write {\"value\": …}")];
        let outcome = operation_outcome(&issues, 200);
        let issue = &outcome["issue"][0];
        assert_eq!(issue["severity"], "error");
        assert_eq!(issue["code"], "structure");
        assert_eq!(issue["details"]["coding"][0]["code"], "CG-1007");
        assert_eq!(issue["expression"][0], "Claim.item[2].net");
        assert_eq!(issue["diagnostics"], "write {\"value\": …}");
    }

    #[test]
    fn the_limit_counts_what_it_leaves_out_and_keeps_errors() {
        let mut issues = vec![Issue::warning(codes::EDIT_TOTAL, Place::Whole, "w"); 3];
        issues.push(Issue::error(codes::EDIT_TOTAL, Place::Whole, "e"));
        assert_eq!(operation_outcome(&issues, 4)["issue"].as_array().unwrap().len(), 4);
        let cut = operation_outcome(&issues, 3);
        assert_eq!(cut["issue"][0]["severity"], "error");
        assert_eq!(cut["issue"].as_array().unwrap().len(), 4);
        assert!(cut["issue"][3]["details"]["text"].as_str().unwrap().starts_with("1 more"));
        assert_eq!(operation_outcome(&[], 3)["issue"][0]["code"], "informational");
    }
}
