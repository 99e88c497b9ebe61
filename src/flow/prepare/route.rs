//! Who gets the claim, and in which form: the payer's profile and the route for the intent and claim type.

use crate::fault::{Fault, Place, codes};
use crate::fhir::bundle::Resources;
use crate::flow::prepare::Known;
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
    let kind = resources.focal_path();
    let at = Place::FhirPath(format!("{kind}.insurance[{n}].coverage"));
    match (payor, insurer) {
        (Some(payor), Some(insurer)) if !same(payor, insurer) => {
            let text = format!("{kind}.insurer and the payor of the focal coverage are two different payers");
            let hint = format!("name the payer that shall get this in both places, or leave {kind}.insurer out");
            Err(Fault::refuse(codes::PAYER_CONFLICT, Place::FhirPath(format!("{kind}.insurer")), text, hint))
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
        let at = Place::FhirPath(format!("{}.insurance", resources.focal_path()));
        Fault::refuse(codes::PAYER_CONFLICT, at, text, "set focal = true on the one insurance that this claim goes to")
    };
    let n = match (focal.as_slice(), insurance.len()) {
        ([n], _) => *n,
        ([], 1) => 0,
        // An eligibility inquiry may look for a coverage that nobody knows yet.
        ([], 0) if claim["resourceType"] == ELIGIBILITY => return Ok((0, None)),
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

/// The focal resource of an eligibility inquiry.
const ELIGIBILITY: &str = "CoverageEligibilityRequest";
/// What a Claim that asks for an earlier one's state says of itself (Da Vinci PAS).
const INQUIRY_PROFILE: &str = "profile-claim-inquiry";

/// What is asked: `claim`, `predetermination`, `preauthorization`, `eligibility`, `statusInquiry`.
pub fn intent<'r>(resources: &'r Resources, known: &Known) -> &'r str {
    if known.inquiry.is_some() { "statusInquiry" } else { of_focal(resources.focal()) }
}

/// The same of a resource by itself.
pub fn of_focal(focal: &Value) -> &str {
    if focal["resourceType"] == ELIGIBILITY {
        return "eligibility";
    }
    if is_inquiry(focal) {
        return "statusInquiry";
    }
    focal["use"].as_str().unwrap_or("claim")
}

fn is_inquiry(claim: &Value) -> bool {
    let profiles = claim["meta"]["profile"].as_array().map(Vec::as_slice).unwrap_or_default();
    profiles
        .iter()
        .filter_map(Value::as_str)
        .any(|url| url.split('|').next().is_some_and(|url| url.ends_with(INQUIRY_PROFILE)))
}

/// The route for what is asked and for the claim's type.
pub fn of<'a>(profile: &'a PayerProfile, resources: &Resources, intent: &str) -> Result<&'a Route, Fault> {
    let focal = resources.focal();
    let kind = billed_as(claim_type(focal).unwrap_or(""));
    profile.route(intent, kind).ok_or_else(|| {
        let text = format!("payer {} has no route for {}", profile.id, format!("{intent} {kind}").trim_end());
        let hint = format!("this payer takes: {}", profile.routes.keys().cloned().collect::<Vec<_>>().join(", "));
        let at = match focal["resourceType"].as_str() {
            Some("Claim") | None => "Claim.type".to_owned(),
            Some(other) => other.to_owned(),
        };
        Fault::refuse(codes::ROUTE_MISSING, Place::FhirPath(at), text, hint)
    })
}

/// The claim that a type of claim is billed as: vision services go on a professional claim.
fn billed_as(kind: &str) -> &str {
    if kind == "vision" { "professional" } else { kind }
}

/// Intents that have a record mapping of their own, whatever the type of the claim.
const RECORDS_OF_INTENTS: &[(&str, &str)] = &[
    ("preauthorization", "record/preauthorization"),
    ("eligibility", "record/eligibility"),
    ("statusInquiry", "record/status-inquiry"),
];
/// The record mappings of claims, by type.
const RECORDS_OF_TYPES: &[(&str, &str)] = &[("institutional", "record/institutional"), ("oral", "record/oral")];

/// The mapping that makes the billing record.
pub fn record_mapping(resources: &Resources, intent: &str) -> &'static str {
    let find = |rows: &[(&str, &'static str)], wanted: &str| {
        rows.iter().find(|(name, _)| *name == wanted).map(|(_, mapping)| *mapping)
    };
    let of_type = || find(RECORDS_OF_TYPES, claim_type(resources.focal())?);
    find(RECORDS_OF_INTENTS, intent).or_else(of_type).unwrap_or("record/claim")
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
