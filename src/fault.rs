//! What went wrong, where, and how to mend it: the one vocabulary of complaint in claimgate.
//!
//! An [`Issue`] is one complaint about one place. A [`Fault`] is a refusal: the issues, who is to blame, and whether
//! trying again can help. Codes are stable and live in one table, [`CATALOGUE`], which also gives the HTTP status and
//! the FHIR issue type, so that no other place decides them.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// How bad an issue is; the words are FHIR's (`OperationOutcome.issue.severity`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Information,
    Warning,
    Error,
    Fatal,
}

/// A place in an X12 interchange. All ordinals count from 1; `offset` is in bytes from the start of the input.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct X12Place {
    /// ISA13 of the interchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interchange: Option<String>,
    /// GS06 of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// ST02 of the transaction set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_set: Option<String>,
    /// Loop of the guide, for example `2010AA`.
    #[serde(rename = "loop", skip_serializing_if = "Option::is_none")]
    pub loop_id: Option<String>,
    /// Segment id, for example `NM1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    /// Ordinal of the segment in its transaction set, ST = 1 (as 999 IK302 counts); in the interchange outside a set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordinal: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repetition: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Line in the file, when segments stand on lines of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What an acknowledgment calls the fault: IK403 of an element, IK304 of a segment, IK502 of a set, AK905 of a group,
    /// TA105 of an interchange, by what the place names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Name of the check that found it, where the check has one (`conformance/x12/CHECKS.md`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// What made the check look here: the situational trigger of a 999 (CTX).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Box<X12Trigger>>,
}

/// A segment or element that demands another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct X12Trigger {
    pub segment: String,
    /// Ordinal of the segment in its transaction set, ST = 1.
    pub ordinal: u32,
    #[serde(rename = "loop")]
    pub loop_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<u8>,
}

/// Where an issue is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Place {
    /// The request or the run as a whole.
    #[default]
    Whole,
    /// A FHIRPath in the caller's own resource, for example `Claim.item[2].productOrService`.
    FhirPath(String),
    /// A path in the billing record, for example `serviceLines[1].charge`; the mapping's lineage turns it into a FHIRPath.
    Record(String),
    X12(X12Place),
    /// A file that people edit: a mapping, a profile, a configuration. Line and column count from 1; 0 is unknown.
    File {
        path: String,
        line: u32,
        column: u32,
    },
    /// A byte of a text that could not be read at all. Line and column count from 1.
    Text {
        line: u32,
        column: u32,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Whole => Ok(()),
            Place::FhirPath(path) | Place::Record(path) => f.write_str(path),
            Place::X12(at) => at.fmt(f),
            Place::File { path, line: 0, .. } => f.write_str(path),
            Place::File { path, line, column } => write!(f, "{path}:{line}:{column}"),
            Place::Text { line, column } => write!(f, "line {line}, column {column}"),
        }
    }
}

impl fmt::Display for X12Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(line) = self.line {
            parts.push(format!("line {line}"));
        }
        if let Some(set) = &self.transaction_set {
            parts.push(format!("set {set}"));
        }
        if let Some(id) = &self.loop_id {
            parts.push(format!("loop {id}"));
        }
        if let Some(ordinal) = self.ordinal {
            parts.push(format!("segment {ordinal}"));
        }
        if let Some(name) = self.element_name().filter(|name| !name.is_empty()) {
            parts.push(name);
        }
        if let Some(repetition) = self.repetition.filter(|repetition| *repetition > 1) {
            parts.push(format!("repetition {repetition}"));
        }
        f.write_str(&parts.join(", "))
    }
}

impl X12Place {
    /// `CLM05-3`, `CLM05` or `CLM`, as people name an element.
    pub fn element_name(&self) -> Option<String> {
        let segment = self.segment.as_deref()?;
        Some(match (self.element, self.component) {
            (Some(element), Some(component)) => format!("{segment}{element:02}-{component}"),
            (Some(element), None) => format!("{segment}{element:02}"),
            _ => segment.to_owned(),
        })
    }
}

/// One complaint. `text` says what is wrong, `hint` how to mend it; neither holds more of the patient than the caller sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Issue {
    pub severity: Severity,
    pub code: &'static str,
    pub at: Place,
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Issue {
    /// An error at a place; `code` is one of the constants of [`codes`].
    pub fn error(code: &'static str, at: Place, text: impl Into<String>) -> Issue {
        Issue { severity: Severity::Error, code, at, text: text.into(), hint: None }
    }

    pub fn warning(code: &'static str, at: Place, text: impl Into<String>) -> Issue {
        Issue { severity: Severity::Warning, ..Issue::error(code, at, text) }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Issue {
        self.hint = Some(hint.into());
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity >= Severity::Error
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Information => "note",
            Severity::Warning => "warning",
            Severity::Error | Severity::Fatal => "error",
        };
        match &self.at {
            Place::Whole => write!(f, "{severity} {}: {}", self.code, self.text)?,
            Place::X12(X12Place { check: Some(check), .. }) => {
                write!(f, "{severity} {} ({check}) at {}: {}", self.code, self.at, self.text)?
            }
            at => write!(f, "{severity} {} at {at}: {}", self.code, self.text)?,
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  mend: {hint}"),
            None => Ok(()),
        }
    }
}

/// Whether any issue stands in the way.
pub fn any_error(issues: &[Issue]) -> bool {
    issues.iter().any(Issue::is_error)
}

/// Who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    Caller,
    Payer,
    Gateway,
}

/// Whether the same call can succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    Never,
    After(Duration),
}

/// A refusal: never empty of issues.
#[derive(Debug, Clone)]
pub struct Fault {
    pub issues: Vec<Issue>,
    pub blame: Blame,
    pub retry: Retry,
}

impl Fault {
    /// The caller's input can't be taken; it must be mended first.
    pub fn caller(issues: Vec<Issue>) -> Fault {
        Fault { issues, blame: Blame::Caller, retry: Retry::Never }
    }

    /// One issue that is the caller's to mend.
    pub fn refuse(code: &'static str, at: Place, text: impl Into<String>, hint: impl Into<String>) -> Fault {
        Fault::caller(vec![Issue::error(code, at, text).hint(hint)])
    }

    /// Something of ours or of our surroundings failed; the same call may succeed later.
    pub fn ours(code: &'static str, text: impl Into<String>) -> Fault {
        Fault {
            issues: vec![Issue::error(code, Place::Whole, text)],
            blame: Blame::Gateway,
            retry: Retry::After(Duration::from_secs(1)),
        }
    }

    /// The HTTP status of the first error: the one that the catalogue gives its code.
    pub fn status(&self) -> u16 {
        let first = self.issues.iter().find(|issue| issue.is_error()).or(self.issues.first());
        first.and_then(|issue| row(issue.code)).map_or(500, |row| row.status)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, issue) in self.issues.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{issue}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

/// One row of the error catalogue.
pub struct CodeRow {
    pub code: &'static str,
    /// HTTP status when it is the first error of a reply.
    pub status: u16,
    /// Code of <http://hl7.org/fhir/issue-type>.
    pub fhir: &'static str,
    /// What it means, for the catalogue.
    pub title: &'static str,
}

/// Declares each code once: as a constant for those who raise it, and as a row for those who show it.
macro_rules! catalogue {
    ($($name:ident = $code:literal $status:literal $fhir:literal $title:literal;)*) => {
        /// The stable codes: 1nnn caller, 2nnn mapping, 3nnn payer, 9nnn ours.
        pub mod codes {
            $(#[doc = $title] pub const $name: &str = $code;)*
        }
        /// The error catalogue, in the order of the codes.
        pub const CATALOGUE: &[CodeRow] = &[
            $(CodeRow { code: $code, status: $status, fhir: $fhir, title: $title },)*
        ];
    };
}

// Ranges: 1000 request and FHIR structure, 1100 references, 1200 routing, 1300 edits, 1400 submission, 1500 X12 content.
catalogue! {
    JSON_SYNTAX = "CG-1001" 400 "structure" "The body is not JSON";
    MEDIA_TYPE = "CG-1002" 415 "not-supported" "The media type is not taken here";
    BODY_TOO_LARGE = "CG-1003" 413 "too-long" "The body is larger than the configured limit";
    NESTING_TOO_DEEP = "CG-1004" 400 "structure" "The body nests deeper than the configured limit";
    NOT_A_RESOURCE = "CG-1005" 400 "structure" "The body is not a FHIR resource of a known type";
    UNKNOWN_ELEMENT = "CG-1006" 422 "structure" "An element that FHIR R4 does not know";
    WRONG_TYPE = "CG-1007" 422 "structure" "An element of the wrong JSON type";
    CARDINALITY = "CG-1008" 422 "required" "A required element is missing, or an element stands too often";
    PRIMITIVE_FORMAT = "CG-1009" 422 "value" "A value that its FHIR primitive type does not allow";
    CODE_BINDING = "CG-1010" 422 "code-invalid" "A code outside the required value set";
    CHOICE = "CG-1011" 422 "structure" "Two values for one choice element";
    MODIFIER_EXTENSION = "CG-1012" 422 "extension" "A modifier extension that the gateway does not understand";
    EMPTY_VALUE = "CG-1013" 422 "structure" "An empty array, object or string, or null";
    DUPLICATE_KEY = "CG-1014" 400 "structure" "A JSON object names one property twice";
    NOT_ACCEPTABLE = "CG-1015" 406 "not-supported" "No representation that the Accept header allows";
    NOT_FOUND = "CG-1016" 404 "not-found" "No such resource or path";
    METHOD = "CG-1017" 405 "not-supported" "The method is not offered on this path";
    SEARCH_PARAMETER = "CG-1018" 400 "not-supported" "A search parameter that is not offered or malformed";
    BUNDLE_SHAPE = "CG-1019" 422 "structure" "A Bundle of a kind or shape that is not taken here";
    TOO_MANY = "CG-1020" 422 "too-costly" "More entries, lines or values than the configured limit";
    PRECONDITION = "CG-1021" 412 "conflict" "A precondition of the request does not hold";
    SLOW_BODY = "CG-1022" 408 "timeout" "The body took longer to arrive than the configured limit";
    SUBSCRIPTION = "CG-1030" 422 "business-rule" "A Subscription that can't be kept as it is";
    SUBSCRIPTION_TOPIC = "CG-1031" 422 "not-found" "A Subscription to a topic that is not offered";
    ENDPOINT = "CG-1032" 422 "security" "An endpoint that notifications may not go to";
    UNKNOWN_CALLER = "CG-1040" 401 "login" "No credential, or one that is not known";
    SCOPE = "CG-1041" 403 "forbidden" "The caller may not do this";
    REFERENCE_UNRESOLVED = "CG-1101" 422 "not-found" "A reference that resolves nowhere";
    REFERENCE_TYPE = "CG-1102" 422 "value" "A reference to a resource of a type that is not allowed there";
    REFERENCE_AMBIGUOUS = "CG-1103" 422 "multiple-matches" "A reference that matches several resources";
    PAYER_UNKNOWN = "CG-1201" 422 "not-found" "No payer profile for this payer";
    PAYER_CONFLICT = "CG-1202" 422 "business-rule" "The claim names two different payers";
    ROUTE_MISSING = "CG-1203" 422 "not-supported" "The payer has no route for this intent and claim type";
    EDIT_NPI = "CG-1301" 422 "business-rule" "An NPI is missing or mistyped";
    EDIT_TOTAL = "CG-1302" 422 "business-rule" "The total is not the sum of the lines";
    EDIT_AMOUNT = "CG-1303" 422 "business-rule" "An amount or quantity that can't be billed";
    EDIT_DIAGNOSIS = "CG-1304" 422 "code-invalid" "A diagnosis that can't be billed";
    EDIT_POINTER = "CG-1305" 422 "business-rule" "A line without a diagnosis, or with one that is not there";
    EDIT_PROCEDURE = "CG-1306" 422 "code-invalid" "A procedure code or modifier that can't be billed";
    EDIT_DRUG = "CG-1307" 422 "code-invalid" "A drug code that can't be billed";
    EDIT_TAXONOMY = "CG-1308" 422 "code-invalid" "A provider taxonomy that does not exist";
    EDIT_PLACE_OF_SERVICE = "CG-1309" 422 "code-invalid" "A place of service is missing or does not exist";
    EDIT_ADDRESS = "CG-1310" 422 "business-rule" "An address is incomplete or can't be";
    EDIT_DATE = "CG-1311" 422 "business-rule" "A date is missing or can't be";
    EDIT_PARTY = "CG-1312" 422 "required" "A person or provider is not described enough";
    EDIT_TAX_ID = "CG-1313" 422 "business-rule" "The billing provider's tax id is missing or malformed";
    EDIT_COVERAGE = "CG-1314" 422 "business-rule" "The payers of the claim don't fit together";
    EDIT_COB = "CG-1315" 422 "business-rule" "What another payer decided does not balance";
    EDIT_REPLACEMENT = "CG-1316" 422 "business-rule" "A replacement or void without the claim that it is for";
    EDIT_SITUATION = "CG-1317" 422 "business-rule" "One part of the claim makes another one necessary";
    EDIT_CLAIM = "CG-1318" 422 "business-rule" "The claim's number or lines can't be billed";
    EDIT_INSTITUTIONAL = "CG-1320" 422 "business-rule" "What an institutional claim must say is missing or can't be";
    EDIT_DENTAL = "CG-1321" 422 "business-rule" "What a dental claim must say is missing or can't be";
    EDIT_CONFLICT = "CG-1322" 422 "business-rule" "Codes that do not fit the patient's sex or age";
    EDIT_UNITS = "CG-1323" 422 "business-rule" "More units than can be billed";
    EDIT_AUTHORIZATION = "CG-1324" 422 "business-rule" "A prior authorization that the payer wants is missing";
    EDIT_DUPLICATE = "CG-1325" 409 "duplicate" "The same services were billed before under another number";
    REPAIRED = "CG-1330" 422 "informational" "A value was written the way payers read it";
    IDEMPOTENCY_CONFLICT = "CG-1401" 409 "duplicate" "Other content under a key that was used before";
    DUPLICATE_CLAIM = "CG-1402" 409 "duplicate" "Other content under a Claim.identifier that was submitted before";
    CLAIM_STATUS = "CG-1403" 422 "business-rule" "A Claim of this status can't be submitted";
    REPLACEMENT_IMPOSSIBLE = "CG-1404" 422 "business-rule" "A replacement or void that can't be sent";
    REPLACEMENT_EARLY = "CG-1405" 409 "business-rule" "A replacement or void before the payer has given the claim its number";
    ENCOUNTER_INCOMPLETE = "CG-1406" 422 "business-rule" "An Encounter that can't be billed yet";
    NOT_HELD = "CG-1407" 409 "conflict" "A submission that is not held can't be released";
    DRAFT = "CG-1408" 409 "business-rule" "A draft waits for a person";
    X12_ENVELOPE = "CG-1501" 400 "structure" "The X12 envelope is broken";
    X12_SYNTAX = "CG-1502" 422 "structure" "X12 syntax (SNIP 1)";
    X12_GUIDE = "CG-1503" 422 "invariant" "The implementation guide is not met (SNIP 2)";
    X12_BALANCE = "CG-1504" 422 "business-rule" "Amounts do not balance (SNIP 3)";
    X12_SITUATION = "CG-1505" 422 "business-rule" "A situational rule is not met (SNIP 4)";
    X12_CODE = "CG-1506" 422 "code-invalid" "A code outside its external list (SNIP 5)";
    MAPPING_SYNTAX = "CG-2001" 500 "exception" "A mapping, profile or table that can't be read";
    MAPPING_SOURCE = "CG-2002" 500 "exception" "A mapping names a source element that does not exist";
    MAPPING_TARGET = "CG-2003" 500 "exception" "A mapping names a target that does not exist";
    MAPPING_TYPE = "CG-2004" 500 "exception" "A mapping writes a value of the wrong type or length";
    MAPPING_REQUIRED = "CG-2005" 500 "exception" "A mapping leaves out what its target requires";
    MAPPING_FUNCTION = "CG-2006" 500 "exception" "A mapping calls a function or table that does not exist";
    MAPPING_DEAD = "CG-2007" 500 "exception" "A mapping rule that can never run";
    MAPPING_VALUE = "CG-2101" 422 "value" "A value that can't be carried into its target";
    MAPPING_MISSING = "CG-2102" 422 "required" "A value that the target requires is missing in the source";
    MAPPING_CODE = "CG-2103" 422 "code-invalid" "A code that the target's code table does not know";
    PAYER_UNREACHABLE = "CG-3001" 502 "transient" "The payer could not be reached";
    PAYER_REFUSED = "CG-3002" 502 "processing" "The payer refused the interchange";
    RESPONSE_UNREADABLE = "CG-3101" 422 "structure" "A payer's answer that can't be read";
    RESPONSE_UNMATCHED = "CG-3102" 422 "not-found" "A payer's answer that belongs to no known submission";
    RESPONSE_UNBALANCED = "CG-3103" 422 "business-rule" "A remittance that does not balance";
    CONFIGURATION = "CG-9001" 500 "exception" "The configuration can't be used";
    STORE = "CG-9101" 503 "no-store" "The store could not take or give it now";
    QUEUE = "CG-9201" 503 "transient" "The queue could not take or give it now";
    OVERLOADED = "CG-9301" 503 "throttled" "More work is waiting than the configured limit";
    TIMEOUT = "CG-9302" 503 "timeout" "The work took longer than the configured limit";
    INTERNAL = "CG-9999" 500 "exception" "A fault of the gateway";
}

/// The row of a code.
pub fn row(code: &str) -> Option<&'static CodeRow> {
    CATALOGUE.iter().find(|row| row.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_ordered() {
        for pair in CATALOGUE.windows(2) {
            assert!(pair[0].code < pair[1].code, "{} stands before {}", pair[0].code, pair[1].code);
        }
    }

    #[test]
    fn blame_follows_the_thousand() {
        for row in CATALOGUE {
            assert!(
                row.code.starts_with("CG-9")
                    || row.code.starts_with("CG-2")
                    || row.status < 500
                    || row.code.starts_with("CG-3")
            );
        }
    }
}
