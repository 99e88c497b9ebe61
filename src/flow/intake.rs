//! What a caller handed in becomes resources: collected, checked against R4, and completed from the store.

use crate::fault::{Fault, Issue, Place, any_error, codes};
use crate::fhir::bundle::{Resources, Wanted};
use crate::gateway::{Gateway, Translator};
use crate::store::{Query, ResourceVersion};
use serde_json::Value;

/// References that a claim can't be billed without: when they stand there, they must lead somewhere.
const NEEDED: &[&str] = &[
    "patient",
    "provider",
    "insurer",
    "facility",
    "coverage",
    "referral",
    "claimResponse",
    "payor",
    "subscriber",
    "diagnosisReference",
    "procedureReference",
    "practitioner",
    "organization",
    "beneficiary",
];

/// The same of an encounter that is billed.
const NEEDED_OF_ENCOUNTERS: &[&str] =
    &["subject", "serviceProvider", "individual", "condition", "payor", "beneficiary"];

/// Rounds of looking things up: a claim names a coverage, the coverage its payor, the payor's role its organization.
const ROUNDS: usize = 4;

/// Collects the one submission of a body and checks its resources; all issues at once.
pub fn read(translator: &Translator, body: Value) -> Result<Resources, Fault> {
    a_resource(translator, &body)?;
    let resources = Resources::collect(body, translator.config.limits.bundle_entries)?;
    check(translator, &resources)?;
    Ok(resources)
}

/// Notes which system wrote a body, where the caller says it beside the body: as `meta.source` of the Bundle or resource, in
/// Parameters of what they hold.
pub fn name_source(body: &mut Value, source: &str) {
    if let Some(parameters) = body.get_mut("parameter").and_then(Value::as_array_mut) {
        let resources = parameters.iter_mut().filter_map(|parameter| parameter.get_mut("resource"));
        return resources.for_each(|resource| name_source(resource, source));
    }
    if body["resourceType"].is_string() {
        body["meta"]["source"] = Value::from(source);
    }
}

/// That a body says what it is.
fn a_resource(translator: &Translator, body: &Value) -> Result<(), Fault> {
    match body["resourceType"].as_str() {
        Some(kind) if translator.definitions.is_resource(kind) => Ok(()),
        kind => {
            let text = format!(
                "the body is no FHIR resource: its resourceType is {}",
                kind.map_or("missing".into(), |k| format!("`{:.64}`", k))
            );
            Err(Fault::refuse(
                codes::NOT_A_RESOURCE,
                Place::FhirPath("resourceType".into()),
                text,
                "send a Bundle or a Claim",
            ))
        }
    }
}

/// The structure of every resource, and that the focal one is something that is sent.
pub fn check(translator: &Translator, resources: &Resources) -> Result<(), Fault> {
    let issues = resources.validate(&translator.definitions);
    if any_error(&issues) {
        return Err(Fault::caller(issues));
    }
    billable(resources.focal())
}

/// Only what is active is sent, and a cancelled claim (or one entered in error) to void an earlier one.
fn billable(claim: &Value) -> Result<(), Fault> {
    let refuse = |at: &str, text: String, hint: &str| {
        Err(Fault::refuse(codes::CLAIM_STATUS, Place::FhirPath(at.into()), text, hint))
    };
    match (claim["resourceType"].as_str(), claim["status"].as_str()) {
        (Some("Claim"), Some("active" | "cancelled" | "entered-in-error"))
        | (Some("CoverageEligibilityRequest"), Some("active")) => Ok(()),
        (Some("CoverageEligibilityRequest"), status) => {
            let text = format!("an eligibility inquiry with status {} is not sent", status.unwrap_or("unknown"));
            refuse("CoverageEligibilityRequest.status", text, "set status to active")
        }
        (Some("Claim"), status) => {
            let text = format!("a claim with status {} is not sent", status.unwrap_or("unknown"));
            refuse(
                "Claim.status",
                text,
                "set status to active, or to cancelled to void the claim that Claim.related names",
            )
        }
        (Some("Encounter"), _) => Ok(()),
        (kind, _) => {
            let text = format!("a {} can't be submitted by itself", kind.unwrap_or("resource"));
            refuse(kind.unwrap_or_default(), text, "send a Claim; other resources are stored with POST /fhir/{type}")
        }
    }
}

/// Without a store: what does not resolve in the Bundle resolves nowhere.
pub fn resolve_offline(translator: &Translator, resources: &mut Resources) -> Result<(), Fault> {
    // What an encounter needs is looked for when its claim is made.
    if resources.focal_path() == "Encounter" {
        return Ok(());
    }
    resources.add_named(&translator.definitions);
    nothing_missing(translator, resources)
}

/// Completes the resources from what was stored before, by id and by identifier.
pub async fn resolve(gateway: &Gateway, tenant: &str, resources: &mut Resources) -> Result<(), Fault> {
    complete(gateway, tenant, resources).await?;
    resources.add_named(&gateway.translator.definitions);
    nothing_missing(&gateway.translator, resources)
}

/// The same, whatever is still missing.
pub async fn complete(gateway: &Gateway, tenant: &str, resources: &mut Resources) -> Result<(), Fault> {
    let definitions = &gateway.translator.definitions;
    for _ in 0..ROUNDS {
        let mut found = 0;
        for want in resources.unresolved(definitions) {
            found += usize::from(fetch(gateway, tenant, resources, &want).await?);
        }
        if found == 0 {
            break;
        }
    }
    Ok(())
}

/// References of an encounter, and of the coverages beside it, that lead nowhere.
pub fn missing_of_encounter(translator: &Translator, resources: &Resources) -> Vec<Issue> {
    let wanted = resources.unresolved(&translator.definitions);
    let concerns = |want: &&Wanted| want.path.starts_with("Encounter.") || want.path.contains("Coverage");
    wanted.iter().filter(concerns).filter(|want| is_named(want, NEEDED_OF_ENCOUNTERS)).map(missing).collect()
}

/// Brings one wanted resource from the store; `false` when there is none.
async fn fetch(gateway: &Gateway, tenant: &str, resources: &mut Resources, want: &Wanted) -> Result<bool, Fault> {
    let found = match (&want.reference, &want.identifier) {
        // A payer's answer names by identifier who is known from the claim, and of whom there may be many copies.
        (None, Some(_)) if want.path.contains("ClaimResponse") => None,
        (Some((kind, id)), _) => gateway.store.read(tenant, kind, id).await?,
        (None, Some((system, value))) => by_identifier(gateway, tenant, want, &format!("{system}|{value}")).await?,
        (None, None) => None,
    };
    let Some(version) = found else { return Ok(false) };
    let Ok(value) = serde_json::from_str(&version.body) else { return Ok(false) };
    resources.add_stored(&version.kind, &version.id, value);
    Ok(true)
}

async fn by_identifier(
    gateway: &Gateway,
    tenant: &str,
    want: &Wanted,
    token: &str,
) -> Result<Option<ResourceVersion>, Fault> {
    for kind in &want.kinds {
        let conditions = vec![("identifier".to_owned(), vec![token.to_owned()])];
        let mut found = gateway
            .store
            .search(tenant, &Query { kind: kind.clone(), conditions, limit: 2, ..Query::default() })
            .await?;
        match found.len() {
            0 => continue,
            1 => return Ok(found.pop()),
            _ => {
                let text = format!("several {kind} resources have this identifier");
                let at = Place::FhirPath(want.path.clone());
                return Err(Fault::refuse(codes::REFERENCE_AMBIGUOUS, at, text, "refer to one of them by its id"));
            }
        }
    }
    Ok(None)
}

fn nothing_missing(translator: &Translator, resources: &Resources) -> Result<(), Fault> {
    let (wanted, wrong) = resources.references(&translator.definitions);
    let mut issues: Vec<Issue> = wanted.iter().filter(|want| needed(want)).map(missing).collect();
    issues.extend(wrong);
    if any_error(&issues) { Err(Fault::caller(issues)) } else { Ok(()) }
}

/// A reference that only names someone (identifier or display without a reference) is the mapping's to judge.
fn needed(want: &Wanted) -> bool {
    is_named(want, NEEDED)
}

fn is_named(want: &Wanted, names: &[&str]) -> bool {
    let last = want.path.rsplit('.').next().unwrap_or_default();
    let name = last.split('[').next().unwrap_or_default();
    want.text.is_some() && names.contains(&name)
}

fn missing(want: &Wanted) -> Issue {
    let target = want.text.as_deref().unwrap_or("the reference");
    let text =
        format!("{target} leads nowhere: it is not in the Bundle, not contained, not among what was stored before");
    let kinds = want.kinds.join(" or ");
    let hint = format!("send the {kinds} in the same Bundle, or store it first and refer to its id");
    Issue::error(codes::REFERENCE_UNRESOLVED, Place::FhirPath(want.path.clone()), text).hint(hint)
}
