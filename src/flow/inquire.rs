//! Someone asks what has become of a claim: what is known is told at once, and the payer is asked by a 276, at most once a
//! day. Its answer (277) names the claim's own trace number and so becomes a new version of the claim's ClaimResponse.

use crate::billing::journey::State;
use crate::fault::{Fault, Place, codes};
use crate::fhir::bundle::Resources;
use crate::flow::prepare::inquiry;
use crate::flow::prepare::{Known, Prepared, PreparedPart};
use crate::flow::{lookup, naming, submit};
use crate::gateway::Gateway;
use crate::store::{NewSubmission, Query, Submission};
use serde_json::{Value, json};

/// States in which the payer has the claim: asking before is of no use, and rejected claims it does not know.
const ASKABLE: [State; 5] = [State::Sent, State::Acknowledged, State::Accepted, State::Pended, State::Adjudicated];
/// What the inquiry is as a Claim (Da Vinci PAS).
const PROFILE: &str = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/profile-claim-inquiry";

/// The journey: answers the ClaimResponse as it stands.
pub async fn inquire(gateway: &Gateway, tenant: &str, body: Value) -> Result<Value, Fault> {
    let submission = find(gateway, tenant, &body).await?;
    if ASKABLE.contains(&submission.state) {
        ask(gateway, &submission).await?;
    }
    let gone = || Fault::ours(codes::STORE, "the answer to a claim can't be read");
    lookup::read_reference(gateway, tenant, &submission.response).await?.ok_or_else(gone)
}

/// The submission that is meant: by a reference (`claim` of Parameters), or by an identifier of the Claim that is sent.
async fn find(gateway: &Gateway, tenant: &str, body: &Value) -> Result<Submission, Fault> {
    for reference in references(body) {
        if let Some(found) = gateway.store.submission_of(tenant, &reference).await? {
            return Ok(found);
        }
    }
    for identifier in claim_of(body)["identifier"].as_array().into_iter().flatten() {
        let value = identifier["value"].as_str().unwrap_or_default();
        let token =
            identifier["system"].as_str().map_or_else(|| value.to_owned(), |system| format!("{system}|{value}"));
        let conditions = vec![("identifier".to_owned(), vec![token])];
        let query = Query { kind: "Claim".into(), conditions, limit: 2, ..Query::default() };
        for claim in gateway.store.search(tenant, &query).await? {
            if let Some(found) = gateway.store.submission_of(tenant, &format!("Claim/{}", claim.id)).await? {
                return Ok(found);
            }
        }
    }
    let hint =
        "give Parameters with `claim`, a reference to the Claim, or a Claim with the identifier that was submitted";
    Err(Fault::refuse(
        codes::NOT_FOUND,
        Place::FhirPath("Claim.identifier".into()),
        "no such claim was submitted here",
        hint,
    ))
}

/// References of Parameters, and the id of a Claim.
fn references(body: &Value) -> Vec<String> {
    let parameters = body["parameter"].as_array().map(Vec::as_slice).unwrap_or_default();
    let asked = parameters.iter().filter(|parameter| parameter["name"] == "claim");
    let texts = asked.flat_map(|parameter| {
        let given = [&parameter["valueReference"]["reference"], &parameter["valueUri"], &parameter["valueString"]];
        given.into_iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    });
    let own = claim_of(body)["id"].as_str().map(|id| format!("Claim/{id}"));
    texts.map(|text| text.rsplit("/fhir/").next().unwrap_or_default().to_owned()).chain(own).collect()
}

/// The Claim of the body: itself, in a Bundle, or the `resource` of Parameters.
fn claim_of(body: &Value) -> &Value {
    match body["resourceType"].as_str() {
        Some("Claim") => body,
        Some("Bundle") => {
            let entries = body["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
            let claim = entries.iter().map(|entry| &entry["resource"]).find(|each| each["resourceType"] == "Claim");
            claim.unwrap_or(&Value::Null)
        }
        Some("Parameters") => {
            let parameters = body["parameter"].as_array().map(Vec::as_slice).unwrap_or_default();
            let resource = parameters.iter().map(|parameter| &parameter["resource"]).find(|each| each.is_object());
            resource.map_or(&Value::Null, |resource| claim_of(resource))
        }
        _ => &Value::Null,
    }
}

/// Asks the payer, where it takes inquiries; what was asked today is not asked again.
async fn ask(gateway: &Gateway, submission: &Submission) -> Result<(), Fault> {
    let Some(profile) = gateway.translator.payers.get(submission.payer.as_str()) else { return Ok(()) };
    let unreadable = |_| Fault::ours(codes::STORE, "a claim's record can't be read");
    let records: Vec<Value> = submission
        .parts
        .iter()
        .map(|part| serde_json::from_str(&part.record).map_err(unreadable))
        .collect::<Result<_, _>>()?;
    let Some(route) = records.first().and_then(|record| inquiry::route(profile, record)) else { return Ok(()) };
    let now = gateway.clock.now();
    let number = submit::payer_number(gateway, submission).await?;
    let make = |record: &Value| {
        inquiry::inquire(&gateway.translator, profile, route, record, number.as_deref(), now).map(renumbered)
    };
    let parts = records.iter().map(make).collect::<Result<Vec<PreparedPart>, Fault>>()?;
    let prepared =
        Prepared { translator: &gateway.translator, profile, route, parts, repaired: Vec::new(), warnings: Vec::new() };
    let named = naming::name(&Resources::collect(claim(gateway, submission).await?, 1)?);
    let known = Known {
        trace_number: String::new(),
        original_claim_control_number: None,
        frequency: None,
        lenient: false,
        inquiry: None,
        now,
    };
    let today = now.strftime("%Y-%m-%d").to_string();
    let key = (format!("inquiry|{}|{today}", submission.id.0), today);
    let promise = submit::promise(&submission.tenant, &prepared, named, &known, None)?;
    let promise = NewSubmission { business_key: Some(key), ..hidden(promise) };
    gateway.store.accept(promise).await.map(drop)
}

/// The inquiry has numbers of its own here; on the wire stand those of the claim, so that every answer is found to be about
/// the claim alone.
fn renumbered(mut part: PreparedPart) -> PreparedPart {
    let number = submit::trace_number();
    part.value["traceNumber"] = Value::from(number.clone());
    part.value["patientControlNumber"] = Value::from(number.clone());
    part.record.patient_control_number = number.clone();
    part.record.trace_number = Some(number);
    part
}

/// The inquiry as a resource: the claim that it is about, marked as what it is.
async fn claim(gateway: &Gateway, submission: &Submission) -> Result<Value, Fault> {
    let gone = || Fault::ours(codes::STORE, "a submitted claim can't be read");
    let mut claim = lookup::read_reference(gateway, &submission.tenant, &submission.focal).await?.ok_or_else(gone)?;
    claim["meta"] = json!({"profile": [PROFILE]});
    claim["related"] = json!([{"claim": {"reference": submission.focal}}]);
    Ok(claim)
}

/// Found by its id alone: who searches claims looks for claims.
fn hidden(mut promise: NewSubmission) -> NewSubmission {
    promise.resources.iter_mut().for_each(|resource| resource.index.clear());
    promise
}
