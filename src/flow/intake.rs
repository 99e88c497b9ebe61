//! What a caller handed in becomes resources: collected, checked against R4, and completed from the store.

use crate::fault::{Fault, Issue, Place, any_error, codes};
use crate::fhir::bundle::{Resources, Wanted};
use crate::fhir::validate;
use crate::gateway::{Gateway, Translator};
use crate::store::Query;
use serde_json::Value;

/// References that a claim can't be billed without: when they stand there, they must lead somewhere.
const NEEDED: &[&str] = &[
    "patient", "provider", "insurer", "facility", "coverage", "referral", "claimResponse", "payor", "subscriber",
    "diagnosisReference", "procedureReference", "practitioner", "organization",
];

/// Rounds of looking things up: a claim names a coverage, the coverage its payor, the payor's role its organization.
const ROUNDS: usize = 4;

/// Collects the resources and checks each; all issues at once.
pub fn read(translator: &Translator, body: Value) -> Result<Resources, Fault> {
    let resources = Resources::collect(body, translator.config.limits.bundle_entries)?;
    let issues: Vec<Issue> = resources
        .entries()
        .flat_map(|(path, resource)| validate::resource(&translator.definitions, resource, path))
        .collect();
    if any_error(&issues) {
        return Err(Fault::caller(issues));
    }
    billable(resources.focal())?;
    Ok(resources)
}

/// Only an active claim is sent, and a cancelled one to void an earlier one.
fn billable(claim: &Value) -> Result<(), Fault> {
    match claim["status"].as_str() {
        Some("active" | "cancelled") => Ok(()),
        status => {
            let text = format!("a claim with status {} is not sent", status.unwrap_or("unknown"));
            let hint = "set status to active, or to cancelled to void the claim that Claim.related names";
            Err(Fault::refuse(codes::CLAIM_STATUS, Place::FhirPath("Claim.status".into()), text, hint))
        }
    }
}

/// Without a store: what does not resolve in the Bundle resolves nowhere.
pub fn resolve_offline(resources: &Resources) -> Result<(), Fault> {
    nothing_missing(resources.unresolved())
}

/// Completes the resources from what was stored before, by id and by identifier.
pub async fn resolve(gateway: &Gateway, tenant: &str, resources: &mut Resources) -> Result<(), Fault> {
    for _ in 0..ROUNDS {
        let wanted = resources.unresolved();
        if wanted.is_empty() {
            return Ok(());
        }
        let mut found = 0;
        for want in wanted {
            found += usize::from(fetch(gateway, tenant, resources, &want).await?);
        }
        if found == 0 {
            break;
        }
    }
    nothing_missing(resources.unresolved())
}

/// Brings one wanted resource from the store; `false` when there is none.
async fn fetch(gateway: &Gateway, tenant: &str, resources: &mut Resources, want: &Wanted) -> Result<bool, Fault> {
    let found = match (&want.reference, &want.identifier) {
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
) -> Result<Option<crate::store::ResourceVersion>, Fault> {
    for kind in &want.kinds {
        let conditions = vec![("identifier".to_owned(), vec![token.to_owned()])];
        let mut found = gateway.store.search(tenant, &Query { kind: kind.clone(), conditions, limit: 2 }).await?;
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

fn nothing_missing(wanted: Vec<Wanted>) -> Result<(), Fault> {
    let issues: Vec<Issue> = wanted.iter().filter(|want| needed(want)).map(missing).collect();
    if issues.is_empty() { Ok(()) } else { Err(Fault::caller(issues)) }
}

/// A reference that only names someone (identifier or display without a reference) is the mapping's to judge.
fn needed(want: &Wanted) -> bool {
    let last = want.path.rsplit('.').next().unwrap_or_default();
    let name = last.split('[').next().unwrap_or_default();
    want.text.is_some() && NEEDED.contains(&name)
}

fn missing(want: &Wanted) -> Issue {
    let target = want.text.as_deref().unwrap_or("the reference");
    let text = format!("{target} resolves nowhere: not in the Bundle, not in contained, not among what was stored before");
    let hint = format!("send the {} in the same Bundle, or store it first and refer to its id", want.kinds.join(" or "));
    Issue::error(codes::REFERENCE_UNRESOLVED, Place::FhirPath(want.path.clone()), text).hint(hint)
}
