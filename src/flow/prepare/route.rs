//! Who gets the claim, and in which form: the payer's profile and the route for the intent and claim type.

use crate::fault::{Fault, Place, codes};
use crate::fhir::bundle::Resources;
use crate::gateway::Translator;
use crate::payers::{PayerProfile, Route};
use serde_json::Value;

/// The payer's profile: the one asked for, else the one that the focal coverage's payor has, else the default payer.
pub fn payer<'a>(
    translator: &'a Translator,
    resources: &Resources,
    asked: Option<&str>,
) -> Result<&'a PayerProfile, Fault> {
    let payors = payors(resources)?;
    let payers = &translator.payers;
    if let Some(id) = asked {
        return payers
            .get(id)
            .ok_or_else(|| unknown(&format!("there is no payer profile {id}"), translator, Place::Whole));
    }
    let found = payers.find(&payors.identifiers);
    match found.as_slice() {
        [profile] => Ok(profile),
        [] => default(translator, &payors),
        several => {
            let ids: Vec<&str> = several.iter().map(|profile| profile.id.as_str()).collect();
            let text = format!("the payor's identifiers belong to several payer profiles: {}", ids.join(", "));
            Err(Fault::refuse(codes::PAYER_CONFLICT, payors.at, text, "give each identifier to one profile only"))
        }
    }
}

fn default<'a>(translator: &'a Translator, payors: &Payors) -> Result<&'a PayerProfile, Fault> {
    let default = translator.config.default_payer.as_deref().and_then(|id| translator.payers.get(id));
    let named = if payors.identifiers.is_empty() { "without identifier".into() } else { payors.identifiers.join(", ") };
    default.ok_or_else(|| unknown(&format!("no payer profile has the payor ({named})"), translator, payors.at.clone()))
}

fn unknown(text: &str, translator: &Translator, at: Place) -> Fault {
    let known: Vec<&str> = translator.payers.ids().collect();
    let hint = format!(
        "known payers: {}; add mappings/payers/<id>/payer.yaml, or set CLAIMGATE_DEFAULT_PAYER",
        known.join(", ")
    );
    Fault::refuse(codes::PAYER_UNKNOWN, at, text, hint)
}

/// The destination payer as the claim names it.
struct Payors {
    identifiers: Vec<String>,
    at: Place,
}

/// Identifiers of the focal coverage's payor and of `Claim.insurer`; they must not be two different payers.
fn payors(resources: &Resources) -> Result<Payors, Fault> {
    let claim = resources.focal();
    let (n, coverage) = focal_coverage(resources, claim)?;
    let payor = coverage.and_then(|coverage| resources.resolve(coverage, &coverage["payor"][0]));
    let insurer = resources.resolve(claim, &claim["insurer"]);
    let at = Place::FhirPath(format!("Claim.insurance[{n}].coverage"));
    match (payor, insurer) {
        (Some(payor), Some(insurer)) if !same(payor, insurer) => {
            let text = "Claim.insurer and the payor of the focal coverage are two different payers";
            let hint = "name the payer that shall get this claim in both places, or leave Claim.insurer out";
            Err(Fault::refuse(codes::PAYER_CONFLICT, Place::FhirPath("Claim.insurer".into()), text, hint))
        }
        (Some(organization), _) | (None, Some(organization)) => {
            Ok(Payors { identifiers: identifiers(organization), at })
        }
        (None, None) => Ok(Payors { identifiers: logical(claim, coverage), at }),
    }
}

/// The one insurance that the claim goes to, with its position.
fn focal_coverage<'r>(resources: &'r Resources, claim: &'r Value) -> Result<(usize, Option<&'r Value>), Fault> {
    let insurance = claim["insurance"].as_array().map(Vec::as_slice).unwrap_or_default();
    let focal: Vec<usize> = (0..insurance.len()).filter(|n| insurance[*n]["focal"] == Value::Bool(true)).collect();
    let refuse = |text: &str| {
        let at = Place::FhirPath("Claim.insurance".into());
        Fault::refuse(codes::PAYER_CONFLICT, at, text, "set focal = true on the one insurance that this claim goes to")
    };
    let n = match (focal.as_slice(), insurance.len()) {
        ([n], _) => *n,
        ([], 1) => 0,
        ([], 0) => return Err(refuse("the claim has no insurance")),
        ([], _) => return Err(refuse("no insurance of the claim is focal")),
        _ => return Err(refuse("several insurances of the claim are focal: it can go to one payer only")),
    };
    Ok((n, resources.resolve(claim, &insurance[n]["coverage"])))
}

/// Whether two organizations are one: the same resource, a common identifier, or nothing to tell them apart by.
fn same(one: &Value, other: &Value) -> bool {
    if std::ptr::eq(one, other) || one["id"] == other["id"] && one["id"].is_string() {
        return true;
    }
    let (left, right) = (identifiers(one), identifiers(other));
    if left.is_empty() || right.is_empty() {
        return one["name"] == other["name"] || left.is_empty() && right.is_empty();
    }
    left.iter().any(|id| right.contains(id))
}

fn identifiers(organization: &Value) -> Vec<String> {
    let list = organization["identifier"].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|identifier| identifier["value"].as_str()).map(str::to_owned).collect()
}

/// Identifiers that stand in the references themselves when no Organization came along.
fn logical(claim: &Value, coverage: Option<&Value>) -> Vec<String> {
    let payor = coverage.map_or(&Value::Null, |coverage| &coverage["payor"][0]);
    let values = [payor, &claim["insurer"]].map(|reference| reference["identifier"]["value"].as_str());
    values.into_iter().flatten().map(str::to_owned).collect()
}

/// The route for what the claim asks and for its type.
pub fn of<'a>(profile: &'a PayerProfile, resources: &Resources) -> Result<&'a Route, Fault> {
    let claim = resources.focal();
    let intent = claim["use"].as_str().unwrap_or("claim");
    let kind = billed_as(claim_type(claim).unwrap_or(""));
    profile.route(intent, kind).ok_or_else(|| {
        let text = format!("payer {} has no route for {intent} {kind}", profile.id);
        let hint = format!("this payer takes: {}", profile.routes.keys().cloned().collect::<Vec<_>>().join(", "));
        Fault::refuse(codes::ROUTE_MISSING, Place::FhirPath("Claim.type".into()), text, hint)
    })
}

/// The claim that a type of claim is billed as: vision services go on a professional claim.
fn billed_as(kind: &str) -> &str {
    if kind == "vision" { "professional" } else { kind }
}

/// The mapping that makes the billing record of a claim, by its type.
pub fn record_mapping(resources: &Resources) -> &'static str {
    match claim_type(resources.focal()) {
        Some("institutional") => "record/institutional",
        Some("oral") => "record/oral",
        _ => "record/claim",
    }
}

/// The system that wrote the claim: `meta.source` of the Bundle, or of the resource itself.
pub fn source(resources: &Resources) -> Option<&str> {
    let of = |resource: &'_ Value| resource["meta"]["source"].is_string();
    let named = resources.shell().filter(|shell| of(shell)).unwrap_or(resources.focal());
    named["meta"]["source"].as_str()
}

/// The code of `Claim.type` in the base claim types.
fn claim_type(claim: &Value) -> Option<&str> {
    let codings = claim["type"]["coding"].as_array()?;
    let system = "http://terminology.hl7.org/CodeSystem/claim-type";
    let base = codings.iter().find(|coding| coding["system"] == system).or(codings.first());
    base.and_then(|coding| coding["code"].as_str())
}
