//! The offline twins of submit and receive: nothing is remembered, nothing is sent.

use crate::billing::response::PayerResponse;
use crate::clock::Clock;
use crate::fault::{Fault, Issue};
use crate::fhir::bundle::Resources;
use crate::fhir::parse;
use crate::flow::derive::{self, Bill};
use crate::flow::prepare::{self, Known, Prepared};
use crate::flow::{dispatch, intake, naming, tell};
use crate::gateway::Translator;
use crate::responses;
use crate::store::ControlNumbers;
use crate::x12::assemble;
use jiff::Timestamp;
use serde_json::{Value, json};

/// A claim in its payer's format.
pub struct Mapped {
    /// A whole interchange.
    pub bytes: Vec<u8>,
    pub warnings: Vec<Issue>,
}

/// FHIR in, a whole interchange out, numbered as asked.
pub fn map(translator: &Translator, payer: &str, bytes: &[u8], number: u32) -> Result<Mapped, Fault> {
    let now = Clock::System.now();
    let body = parse::json(bytes, translator.config.limits.json_depth)?;
    let resources = intake::read(translator, body)?;
    intake::resolve_offline(translator, &resources)?;
    if resources.focal()["resourceType"] == "Encounter" {
        return map_encounter(translator, payer, &resources, number, now);
    }
    let known = known(&resources, now);
    let prepared = prepare::prepare(translator, &resources, Some(payer), &known)?;
    let bytes = interchange(translator, &prepared, number, now)?;
    Ok(Mapped { bytes, warnings: [prepared.repaired, prepared.warnings].concat() })
}

/// The claim that bills an encounter; one that goes on gets a first interim bill.
fn map_encounter(
    translator: &Translator,
    payer: &str,
    resources: &Resources,
    number: u32,
    now: Timestamp,
) -> Result<Mapped, Fault> {
    let settled = derive::settle(translator, resources)?;
    let derived = derive::derive(translator, &settled, &Bill::default(), now)?;
    let told = |fault: Fault| Fault { issues: derived.in_callers_words(fault.issues), ..fault };
    let known = known(&derived.resources, now);
    let prepared = prepare::prepare(translator, &derived.resources, Some(payer), &known).map_err(told)?;
    let bytes = interchange(translator, &prepared, number, now)?;
    let warnings = derived.in_callers_words([prepared.repaired, prepared.warnings].concat());
    Ok(Mapped { bytes, warnings })
}

/// A claim's resources (of an Encounter, those of the claim that bills it), checked, with every needed reference resolved inside.
pub fn read(translator: &Translator, bytes: &[u8]) -> Result<Resources, Fault> {
    let body = parse::json(bytes, translator.config.limits.json_depth)?;
    let resources = intake::read(translator, body)?;
    intake::resolve_offline(translator, &resources)?;
    if resources.focal()["resourceType"] != "Encounter" {
        return Ok(resources);
    }
    let settled = derive::settle(translator, &resources)?;
    Ok(derive::derive(translator, &settled, &Bill::default(), Clock::System.now())?.resources)
}

/// Offline the trace number is made of the claim's own number, so that the same input gives the same output.
pub fn known(resources: &Resources, now: Timestamp) -> Known {
    let number = resources.focal()["identifier"][0]["value"].as_str().unwrap_or("0");
    let trace: String = number.chars().filter(char::is_ascii_alphanumeric).take(18).collect();
    Known {
        trace_number: format!("CG{}", trace.to_ascii_uppercase()),
        original_claim_control_number: None,
        frequency: None,
        lenient: false,
        now,
    }
}

fn interchange(translator: &Translator, prepared: &Prepared, number: u32, now: Timestamp) -> Result<Vec<u8>, Fault> {
    let missing =
        || Fault::ours(crate::fault::codes::CONFIGURATION, format!("guide {} is not loaded", prepared.route.guide));
    let guide = translator.guides.get(&prepared.route.guide).ok_or_else(missing)?;
    let numbers = ControlNumbers { interchange: number, group: number };
    let envelope = dispatch::envelope(prepared.profile, numbers, now);
    let header = dispatch::header(prepared.profile, numbers);
    let bodies: Vec<&str> = prepared.parts.iter().map(|part| part.body.as_str()).collect();
    Ok(assemble::assemble(guide, &envelope, &header, &bodies)?.bytes)
}

/// A payer's answers as FHIR.
pub struct Converted {
    pub resources: Vec<Value>,
    pub issues: Vec<Issue>,
}

/// X12 in, FHIR out. Without a store the claim is known only by what the answer says of it.
pub fn convert(translator: &Translator, payer: &str, bytes: &[u8]) -> Result<Converted, Fault> {
    let now = Clock::System.now();
    let reading = responses::read(&translator.meanings, bytes);
    let mut resources = Vec::with_capacity(reading.responses.len() + reading.remittances.len());
    for response in &reading.responses {
        resources.push(claim_response(translator, payer, response, now)?);
    }
    for remittance in &reading.remittances {
        resources.push(tell::reconciliation(translator, payer, remittance, now)?);
    }
    Ok(Converted { resources, issues: reading.issues })
}

fn claim_response(
    translator: &Translator,
    payer: &str,
    response: &PayerResponse,
    now: Timestamp,
) -> Result<Value, Fault> {
    let claim = claim_of(response);
    let input = serde_json::to_value(response).unwrap_or(Value::Null);
    let submission = json!({"payer": payer});
    let none = json!({});
    let vars = [("claim", &claim), ("record", &none), ("previous", &none), ("submission", &submission)];
    let mut made = tell::make(translator, "response/claim-response", payer, &input, &vars, now)?;
    naming::set_id(&mut made, &uuid::Uuid::now_v7().to_string());
    Ok(made)
}

/// The claim as far as an answer tells it.
fn claim_of(response: &PayerResponse) -> Value {
    let keys = &response.keys;
    let name: Vec<&str> =
        [&keys.patient_first_name, &keys.patient_last_name].into_iter().flatten().map(String::as_str).collect();
    let mut patient = json!({});
    if !name.is_empty() {
        patient["display"] = Value::from(name.join(" "));
    }
    if let Some(member) = &keys.member_id {
        patient["identifier"] = json!({"value": member});
    }
    if patient.as_object().is_some_and(serde_json::Map::is_empty) {
        patient["display"] = Value::from("not named in the answer");
    }
    let mut claim = json!({
        "resourceType": "Claim",
        "status": "active",
        "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]},
        "use": "claim",
        "patient": patient,
    });
    if let Some(number) = &keys.patient_control_number {
        claim["identifier"] = json!([{"value": number}]);
    }
    claim
}
