//! From a claim's resources to what its payer reads: route, record, edits, split, transaction, check. Pure: nothing is
//! remembered, so the command line and the server say the same.

use crate::billing::record::BillingRecord;
use crate::billing::split;
use crate::edits;
use crate::fault::{Fault, Issue, Place, any_error, codes};
use crate::fhir::bundle::Resources;
use crate::gateway::Translator;
use crate::gateway::live::Live;
use crate::mapping::{Lineage, RecordMapping, Scope, TransactionMapping};
use crate::payers::{CharacterSet, PayerProfile, Route};
use crate::x12::{build, writer};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// What only the gateway knows of a claim: what the journey of an earlier one gives, and the number we trace it by.
pub struct Known {
    /// REF*D9; a split claim's parts get a letter behind it.
    pub trace_number: String,
    /// The payer's number of the claim that this one replaces or voids, from its newest answer.
    pub original_claim_control_number: Option<String>,
    pub now: Timestamp,
}

/// A claim ready to be promised.
pub struct Prepared<'a> {
    /// The version of the mappings that made it.
    pub translator: &'a Translator,
    pub profile: &'a PayerProfile,
    pub route: &'a Route,
    pub parts: Vec<PreparedPart>,
    /// What did not stand in the way.
    pub warnings: Vec<Issue>,
}

/// One claim on the wire.
pub struct PreparedPart {
    pub record: BillingRecord,
    /// The record as JSON.
    pub value: Value,
    /// Loop 2000A down, in the payer's delimiters.
    pub body: String,
}

/// The whole way, all issues of a station at once.
pub fn prepare<'a>(
    translator: &'a Translator,
    resources: &Resources,
    payer: Option<&str>,
    known: &Known,
) -> Result<Prepared<'a>, Fault> {
    let profile = route::payer(translator, resources, payer)?;
    let route = route::of(profile, resources)?;
    let station = Station::new(translator, profile, route, resources, known)?;
    let (value, mut warnings) = station.record()?;
    let record = station.read(&value)?;
    warnings.extend(station.edit(&record)?);
    let parts = station.split(record, value)?;
    let parts = parts.into_iter().map(|part| station.transaction(part, &mut warnings)).collect::<Result<_, _>>()?;
    Ok(Prepared { translator, profile, route, parts, warnings })
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
    transaction_mapping: &'a TransactionMapping,
    resources: &'a Resources,
    known: &'a Known,
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
        let record = route::record_mapping(resources);
        let record_mapping = translator
            .mappings
            .record_from(route::source(resources), &profile.id, record)
            .ok_or_else(|| missing(record))?;
        let transaction_mapping =
            translator.mappings.transaction(&profile.id, &route.mapping).ok_or_else(|| missing(&route.mapping))?;
        Ok(Station { translator, profile, record_mapping, transaction_mapping, resources, known })
    }

    fn scope(&self) -> Scope<'_> {
        Scope {
            payer: self.translator.facts(&self.profile.id),
            now: self.known.now,
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
        let corrects = matches!(value["frequencyCode"].as_str(), Some("7" | "8"));
        if let (true, Some(number)) = (corrects, &self.known.original_claim_control_number) {
            value["payerClaimControlNumber"] = Value::from(number.clone());
        }
        Ok((value, issues))
    }

    /// The record as a typed value. The mapping has checked each field, so a failure is a fault of ours.
    fn read(&self, value: &Value) -> Result<BillingRecord, Fault> {
        serde::Deserialize::deserialize(value)
            .map_err(|_| Fault::ours(codes::INTERNAL, "the billing record does not have its shape"))
    }

    /// The rules that a claim must pass. Complaints are told in the caller's own words: its FHIRPath.
    fn edit(&self, record: &BillingRecord) -> Result<Vec<Issue>, Fault> {
        let issues = edits::check(
            record,
            |code| self.profile.wants_edit(code),
            TimeZone::UTC.to_datetime(self.known.now).date(),
        );
        if issues.is_empty() {
            return Ok(issues);
        }
        let issues = self.in_callers_words(issues);
        if any_error(&issues) { Err(Fault::caller(issues)) } else { Ok(issues) }
    }

    /// A record with more lines than the guide takes becomes several.
    fn split(&self, record: BillingRecord, value: Value) -> Result<Vec<(BillingRecord, Value)>, Fault> {
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
        let of_guide = self.lines_of_a_claim();
        if record.service_lines.len() <= of_guide {
            return Ok(vec![(record, value)]);
        }
        let parts = split::split(record, of_guide).into_iter().enumerate();
        let traced = parts.map(|(n, part)| BillingRecord { trace_number: self.trace_of(n), ..part });
        let json = |part: BillingRecord| serde_json::to_value(&part).map(|value| (part, value));
        let parts: Result<Vec<_>, _> = traced.map(json).collect();
        parts.map_err(|_| Fault::ours(codes::INTERNAL, "a part of the claim can't be written as JSON"))
    }

    /// How many lines the guide, or the payer, takes: 50 in professional and dental claims, 999 in institutional ones.
    fn lines_of_a_claim(&self) -> usize {
        let guide = &self.transaction_mapping.guide;
        let most = guide.loop_ix("2400").and_then(|ix| guide.loop_at(ix).max);
        most.into_iter().chain(self.profile.lines).min().map_or(usize::MAX, |most| most as usize)
    }

    /// REF*D9 of a part: each is a claim of its own to the payer.
    fn trace_of(&self, part: usize) -> Option<String> {
        let letter = char::from_u32('A' as u32 + part as u32 % 26).unwrap_or('A');
        Some(format!("{}{letter}", self.known.trace_number))
    }

    /// Billing record → the transaction set's loops, checked against the guide, as text.
    fn transaction(&self, part: (BillingRecord, Value), warnings: &mut Vec<Issue>) -> Result<PreparedPart, Fault> {
        let (record, value) = part;
        let guide = &self.transaction_mapping.guide;
        let (mut node, mut issues) =
            self.transaction_mapping.make_with(&value, &self.scope(), &self.profile.delimiters);
        build::arrange(guide, &mut node);
        if self.profile.character_set == CharacterSet::Basic {
            issues.extend(build::basic(guide, &mut node));
        }
        issues.extend(build::check(guide, &node));
        if any_error(&issues) {
            return Err(Fault::caller(self.in_callers_words(self.in_record_words(&value, issues))));
        }
        warnings.append(&mut issues);
        let mut body = Vec::with_capacity(4096);
        writer::write_loop(guide, &node, &self.profile.delimiters, &mut body);
        let body =
            String::from_utf8(body).map_err(|_| Fault::ours(codes::INTERNAL, "the transaction set is not text"))?;
        Ok(PreparedPart { record, value, body })
    }

    /// X12 places → places in the record, by the lineage of the transaction mapping.
    fn in_record_words(&self, record: &Value, issues: Vec<Issue>) -> Vec<Issue> {
        let lineage = self.transaction_mapping.lineage(record, &self.scope());
        issues.into_iter().map(|issue| translate(issue, &lineage, Place::Record)).collect()
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

/// Moves an issue to the source of the place it complains about; what has no source stays where it is.
fn translate(mut issue: Issue, lineage: &Lineage, place: impl Fn(String) -> Place) -> Issue {
    if let Some(source) = lineage.source_of_place(&issue.at) {
        issue.at = place(source);
    }
    issue
}

mod explain;
mod route;

pub use explain::{Explained, explain, explain_segments, lineage_of};
