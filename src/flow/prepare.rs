//! From a claim's resources to what its payer reads: route, record, edits, split, transaction or document, check. Pure:
//! nothing is remembered, so the command line and the server say the same.

mod explain;
mod form;
pub mod inquiry;
mod pas;
mod route;

pub use explain::{Explained, explain, explain_segments, lineage_of, record_of};
pub use route::payer;

use crate::billing::record::BillingRecord;
use crate::billing::split;
use crate::edits::{self, Scrub, repairs};
use crate::fault::{Fault, Issue, Place, Severity, any_error, codes};
use crate::fhir::bundle::Resources;
use crate::gateway::Translator;
use crate::gateway::live::Live;
use crate::mapping::{Lineage, RecordMapping, Scope};
use crate::payers::{PayerProfile, Route};
use form::Form;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// What only the gateway knows of a claim: what the journey of an earlier one gives, and the number we trace it by.
pub struct Known {
    /// REF*D9; a split claim's parts get a letter behind it.
    pub trace_number: String,
    /// The payer's number of the claim that this one replaces or voids, from its newest answer.
    pub original_claim_control_number: Option<String>,
    /// CLM05-3 by the journeys of the claims sent before; `None` where the claim itself says it.
    pub frequency: Option<&'static str>,
    /// Edits only warn: the claim was released by hand.
    pub lenient: bool,
    /// The claim is asked about, not sent: the trace number that it was sent with, where that is known.
    pub inquiry: Option<Inquiry>,
    pub now: Timestamp,
}

/// A claim is asked about (276).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inquiry {
    /// REF*D9.
    pub claim_trace_number: Option<String>,
    /// REF*1K, from the payer's newest answer.
    pub payer_claim_control_number: Option<String>,
}

/// A claim ready to be promised.
pub struct Prepared<'a> {
    /// The version of the mappings that made it.
    pub translator: &'a Translator,
    pub profile: &'a PayerProfile,
    pub route: &'a Route,
    pub parts: Vec<PreparedPart>,
    /// What was written anew before the edits looked at it: notes at the caller's paths.
    pub repaired: Vec<Issue>,
    /// What did not stand in the way.
    pub warnings: Vec<Issue>,
}

impl Prepared<'_> {
    /// What is asked: `claim`, `preauthorization`, `eligibility` …
    pub fn intent(&self) -> &str {
        self.parts.first().map_or("claim", |part| part.record.intent.as_str())
    }
}

/// One claim on the wire.
pub struct PreparedPart {
    /// Large, and handed from station to station.
    pub record: Box<BillingRecord>,
    /// The record as JSON.
    pub value: Value,
    /// X12: loop 2000A down, in the payer's delimiters. JSON, CSV and FHIR: the document as JSON.
    pub body: String,
}

/// What a focal resource asks for: `claim`, `preauthorization`, `eligibility` …
pub fn intent(focal: &Value) -> &str {
    route::of_focal(focal)
}

/// The whole way, all issues of a station at once.
pub fn prepare<'a>(
    translator: &'a Translator,
    resources: &Resources,
    payer: Option<&str>,
    known: &Known,
) -> Result<Prepared<'a>, Fault> {
    let profile = route::payer(translator, resources, payer)?;
    let route = route::of(profile, resources, route::intent(resources, known))?;
    let station = Station::new(translator, profile, route, resources, known)?;
    let (value, mut warnings) = station.record()?;
    let mut record = station.read(&value)?;
    let (value, repaired) = station.repair(&mut record, value)?;
    warnings.extend(station.edit(&record)?);
    let parts = station.split(record, value)?;
    let parts = parts.into_iter().map(|part| station.body(part, &mut warnings)).collect::<Result<_, _>>()?;
    Ok(Prepared { translator, profile, route, parts, repaired, warnings })
}

/// The version of the mappings that a new claim goes by: the active one, or what its payer's canary leaves to the one before.
/// `hash` is that of the claim's content.
pub fn version<'a>(live: &'a Live, resources: &Resources, hash: &str) -> Result<&'a Translator, Fault> {
    Ok(live.for_claim(&route::payer(live, resources, None)?.id, hash))
}

/// What every station of one claim needs.
struct Station<'a> {
    translator: &'a Translator,
    profile: &'a PayerProfile,
    record_mapping: &'a RecordMapping,
    form: Form<'a>,
    resources: &'a Resources,
    known: &'a Known,
    /// `%now`.
    now: String,
}

impl<'a> Station<'a> {
    fn new(
        translator: &'a Translator,
        profile: &'a PayerProfile,
        route: &Route,
        resources: &'a Resources,
        known: &'a Known,
    ) -> Result<Station<'a>, Fault> {
        let missing = |name: &str| Fault::ours(codes::INTERNAL, format!("no mapping {name} is loaded"));
        let record = route::record_mapping(resources, route::intent(resources, known));
        let record_mapping = translator
            .mappings
            .record_from(route::source(resources), &profile.id, record)
            .ok_or_else(|| missing(record))?;
        let form = Form::of(translator, profile, route)?;
        Ok(Station { translator, profile, record_mapping, form, resources, known, now: known.now.to_string() })
    }

    fn scope(&self) -> Scope<'_> {
        Scope {
            payer: self.translator.facts(&self.profile.id),
            now: &self.now,
            vars: &[],
            resources: Some(self.resources),
        }
    }

    /// FHIR → billing record, as JSON.
    fn record(&self) -> Result<(Value, Vec<Issue>), Fault> {
        let (mut value, issues) = self.record_mapping.make(self.resources.focal(), &self.scope());
        if any_error(&issues) {
            return Err(Fault::caller(issues));
        }
        value["traceNumber"] = Value::from(self.known.trace_number.clone());
        if let Some(frequency) = self.known.frequency {
            value["frequencyCode"] = Value::from(frequency);
        }
        if let (Some("1"), Some(record)) = (self.known.frequency, value.as_object_mut()) {
            record.shift_remove("payerClaimControlNumber");
        }
        if let Some(inquiry) = &self.known.inquiry {
            if let Some(number) = &inquiry.claim_trace_number {
                value["statusInquiry"]["claimTraceNumber"] = Value::from(number.clone());
            }
            if let Some(number) = &inquiry.payer_claim_control_number {
                value["payerClaimControlNumber"] = Value::from(number.clone());
            }
        }
        let corrects = matches!(value["frequencyCode"].as_str(), Some("7" | "8"));
        if let (true, Some(number)) = (corrects, &self.known.original_claim_control_number) {
            value["payerClaimControlNumber"] = Value::from(number.clone());
        }
        Ok((value, issues))
    }

    /// The record as a typed value. The mapping has checked each field, so a failure is a fault of ours.
    fn read(&self, value: &Value) -> Result<Box<BillingRecord>, Fault> {
        serde::Deserialize::deserialize(value)
            .map_err(|_| Fault::ours(codes::INTERNAL, "the billing record does not have its shape"))
    }

    /// What can mean one thing only is written the way payers read it, before the rules look at it.
    fn repair(&self, record: &mut BillingRecord, value: Value) -> Result<(Value, Vec<Issue>), Fault> {
        let repaired = repairs::repair(record);
        if repaired.is_empty() {
            return Ok((value, repaired));
        }
        let value = serde_json::to_value(&*record)
            .map_err(|_| Fault::ours(codes::INTERNAL, "a repaired record can't be written as JSON"))?;
        Ok((value, self.in_callers_words(repaired)))
    }

    /// The rules that a claim must pass. Complaints are told in the caller's own words: its FHIRPath.
    fn edit(&self, record: &BillingRecord) -> Result<Vec<Issue>, Fault> {
        let scrub = Scrub {
            today: TimeZone::UTC.to_datetime(self.known.now).date(),
            severity: &|code, rule, usual| self.profile.edits.severity(code, rule, usual),
            authorization: &self.profile.edits.authorization,
            tables: &self.translator.tables,
        };
        let issues = edits::check(record, &scrub);
        if issues.is_empty() {
            return Ok(issues);
        }
        let issues = self.in_callers_words(issues);
        match any_error(&issues) {
            true if self.known.lenient => Ok(issues.into_iter().map(passed_over).collect()),
            true => Err(Fault::caller(issues)),
            false => Ok(issues),
        }
    }

    /// A record with more lines than the guide takes becomes several.
    fn split(&self, record: Box<BillingRecord>, value: Value) -> Result<Vec<(Box<BillingRecord>, Value)>, Fault> {
        let most = self.translator.config.limits.claim_lines;
        if record.service_lines.len() > most {
            let text = format!("the claim has {} lines, more than the limit of {most}", record.service_lines.len());
            return Err(Fault::refuse(
                codes::TOO_MANY,
                Place::FhirPath("Claim.item".into()),
                text,
                "send it as several claims",
            ));
        }
        let of_guide = self.form.lines_of_a_claim().min(self.profile.lines.map_or(usize::MAX, |lines| lines as usize));
        if record.service_lines.len() <= of_guide {
            return Ok(vec![(record, value)]);
        }
        let parts = split::split(*record, of_guide).into_iter().enumerate();
        let traced = parts.map(|(n, part)| Box::new(BillingRecord { trace_number: self.trace_of(n), ..part }));
        let json = |part: Box<BillingRecord>| serde_json::to_value(&part).map(|value| (part, value));
        let parts: Result<Vec<_>, _> = traced.map(json).collect();
        parts.map_err(|_| Fault::ours(codes::INTERNAL, "a part of the claim can't be written as JSON"))
    }

    /// REF*D9 of a part: each is a claim of its own to the payer.
    fn trace_of(&self, part: usize) -> Option<String> {
        let letter = char::from_u32('A' as u32 + part as u32 % 26).unwrap_or('A');
        Some(format!("{}{letter}", self.known.trace_number))
    }

    /// Places in the record → FHIRPaths, by the lineage of the record mapping. What nothing was said of is missing in the
    /// claim as a whole.
    fn in_callers_words(&self, issues: Vec<Issue>) -> Vec<Issue> {
        let focal = self.resources.focal();
        let lineage = self.record_mapping.lineage(focal, &self.scope());
        let whole = |mut issue: Issue| {
            if let (Place::Record(_), Some(kind)) = (&issue.at, focal["resourceType"].as_str()) {
                issue.at = Place::FhirPath(kind.to_owned());
            }
            issue
        };
        issues.into_iter().map(|issue| whole(translate(issue, &lineage, Place::FhirPath))).collect()
    }
}

/// An edit that a person has decided against.
fn passed_over(issue: Issue) -> Issue {
    Issue { severity: issue.severity.min(Severity::Warning), ..issue }
}

/// Moves an issue to the source of the place it complains about; what has no source stays where it is.
fn translate(mut issue: Issue, lineage: &Lineage, place: impl Fn(String) -> Place) -> Issue {
    if let Some(source) = lineage.source_of_place(&issue.at) {
        issue.at = place(source);
    }
    issue
}
