//! A claim, a request for authorization or an inquiry comes in: recognised, read, resolved, prepared, named, promised. The
//! answer is given after the commit.

use crate::billing::id::SubmissionId;
use crate::billing::journey::EventKind;
use crate::fault::{Fault, Place, codes};
use crate::fhir::bundle::Resources;
use crate::fhir::index;
use crate::flow::prepare::{self, Known, Prepared};
use crate::flow::{intake, lookup, naming};
use crate::gateway::Gateway;
use crate::mapping::Scope;
use crate::store::{Accepted, ClaimPart, IndexEntry, Key, KeyKind, NewEvent, NewSubmission, ResourceWrite, Submission};
use crate::telemetry::name;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::atomic::Ordering;
use std::time::Instant;

/// What a caller hands in.
pub struct Request {
    pub tenant: String,
    /// A Bundle with one focal Claim or CoverageEligibilityRequest, or such a resource alone.
    pub body: Value,
    /// The caller's `Idempotency-Key`.
    pub idempotency_key: Option<String>,
}

/// What the caller hears.
#[derive(Debug)]
pub struct Answer {
    pub submission: SubmissionId,
    /// `Claim/…`, `CoverageEligibilityRequest/…`
    pub claim: String,
    /// The ClaimResponse or CoverageEligibilityResponse as it stands.
    pub response: Value,
    /// The same content was accepted before: nothing new has been promised.
    pub repeated: bool,
    /// References of what was stored, in the order of the Bundle's entries; empty when `repeated`.
    pub stored: Vec<String>,
}

/// The journey. After `Ok` the claim is carried whatever happens.
pub async fn submit(gateway: &Gateway, request: Request) -> Result<Answer, Fault> {
    let intent = label(&request.body);
    let answer = carry(gateway, request).await;
    metrics::counter!(name::SUBMISSIONS, "intent" => intent, "outcome" => outcome(&answer)).increment(1);
    answer
}

/// What a body asks for, as far as a label may say it: what is refused is counted too, and no text of a caller is a label.
fn label(body: &Value) -> &'static str {
    let entries = body["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
    let resources = || std::iter::once(body).chain(entries.iter().map(|entry| &entry["resource"]));
    let uses = ["preauthorization", "predetermination"];
    match resources().find(|resource| resource["resourceType"] == "Claim") {
        Some(claim) => uses.into_iter().find(|known| claim["use"] == *known).unwrap_or("claim"),
        None if resources().any(|resource| resource["resourceType"] == "CoverageEligibilityRequest") => "eligibility",
        None => "claim",
    }
}

fn outcome(answer: &Result<Answer, Fault>) -> &'static str {
    match answer {
        Ok(answer) if answer.repeated => "repeated",
        Ok(_) => "accepted",
        Err(_) => "refused",
    }
}

/// The stations in their order.
async fn carry(gateway: &Gateway, request: Request) -> Result<Answer, Fault> {
    not_overloaded(gateway)?;
    let hash = content_hash(&request.body);
    if let Some(answer) = repeated(gateway, &request, &hash).await? {
        return Ok(answer);
    }
    let mut stations = Stations::begin();
    let mut resources = intake::read(&gateway.translator, request.body)?;
    stations.passed("read");
    intake::resolve(gateway, &request.tenant, &mut resources).await?;
    let known = known(gateway, &request.tenant, &resources).await?;
    stations.passed("resolve");
    let prepared = prepare::prepare(&gateway.translator, &resources, None, &known)?;
    stations.passed("prepare");
    let named = naming::name(&resources);
    let claim = named.focal().clone();
    let intent = prepared.intent().to_owned();
    let submission = promise(gateway, &request.tenant, &prepared, named, &known)?;
    let submission = NewSubmission {
        idempotency: request.idempotency_key.map(|key| (key, hash.clone())),
        business_key: business_key(&intent, &claim, &hash).map(|key| (key, hash)),
        ..submission
    };
    stations.passed("promise");
    let answer = accept(gateway, submission).await?;
    stations.passed("commit");
    Ok(answer)
}

/// The time that each station took.
struct Stations {
    last: Instant,
}

impl Stations {
    fn begin() -> Stations {
        Stations { last: Instant::now() }
    }

    fn passed(&mut self, station: &'static str) {
        let now = Instant::now();
        metrics::histogram!(name::STATION_SECONDS, "station" => station).record(now - self.last);
        self.last = now;
    }
}

fn not_overloaded(gateway: &Gateway) -> Result<(), Fault> {
    if gateway.waiting.load(Ordering::Relaxed) < gateway.translator.config.limits.queued {
        return Ok(());
    }
    Err(Fault::ours(codes::OVERLOADED, "more claims are waiting to be sent than the configured limit"))
}

/// Hash of what was said, not of how it was spaced.
fn content_hash(body: &Value) -> String {
    let digest = Sha256::digest(text_of(body).as_bytes());
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The answer of before, when this Idempotency-Key has been used for the same content.
async fn repeated(gateway: &Gateway, request: &Request, hash: &str) -> Result<Option<Answer>, Fault> {
    let Some(key) = &request.idempotency_key else { return Ok(None) };
    match gateway.store.known(&request.tenant, KeyKind::Idempotency, key).await? {
        Some((id, before)) if before == hash => Ok(Some(again(gateway, &id).await?)),
        Some(_) => Err(key_conflict()),
        None => Ok(None),
    }
}

fn key_conflict() -> Fault {
    let text = "this Idempotency-Key was used before for other content";
    Fault::refuse(
        codes::IDEMPOTENCY_CONFLICT,
        Place::Whole,
        text,
        "use a new key for new content, and the old key to repeat the old",
    )
}

fn business_conflict() -> Fault {
    let text = "a claim or request with this identifier and other content is on its way to the payer";
    let hint = "to correct it, send a replacement: Claim.related with relationship prior or replaces";
    Fault::refuse(codes::DUPLICATE_CLAIM, Place::FhirPath("Claim.identifier[0]".into()), text, hint)
}

/// What is on record for a claim that was accepted before.
async fn again(gateway: &Gateway, id: &SubmissionId) -> Result<Answer, Fault> {
    let gone = || Fault::ours(codes::STORE, "the submission of this key can't be read");
    let submission = gateway.store.submission(id).await?.ok_or_else(gone)?;
    let response = lookup::read_reference(gateway, &submission.tenant, &submission.response).await?.ok_or_else(gone)?;
    Ok(Answer { submission: id.clone(), claim: submission.focal, response, repeated: true, stored: Vec::new() })
}

/// What only the gateway knows of the claim.
async fn known(gateway: &Gateway, tenant: &str, resources: &Resources) -> Result<Known, Fault> {
    let original = match original(gateway, tenant, resources).await? {
        Some(submission) => payer_number(gateway, &submission).await?,
        None => None,
    };
    Ok(Known {
        trace_number: trace_number(),
        original_claim_control_number: original,
        inquiry: None,
        now: gateway.clock.now(),
    })
}

/// The submission of the claim that this one replaces or voids.
async fn original(gateway: &Gateway, tenant: &str, resources: &Resources) -> Result<Option<Submission>, Fault> {
    let related = &resources.focal()["related"][0]["claim"]["reference"];
    match related.as_str() {
        Some(reference) if reference.starts_with("Claim/") => gateway.store.submission_of(tenant, reference).await,
        _ => Ok(None),
    }
}

/// The payer's own number of a submission's first part, from its newest answer.
pub(super) async fn payer_number(gateway: &Gateway, submission: &Submission) -> Result<Option<String>, Fault> {
    let Some(part) = submission.parts.first() else { return Ok(None) };
    let key = Key::TraceNumber(part.trace_number.clone());
    let found = gateway.store.find(Some(&submission.payer), &key).await?;
    Ok(found.into_iter().find_map(|found| found.payer_claim_control_number))
}

/// REF*D9: two letters and thirteen of base 36, unique for ever and short enough for every payer.
pub(super) fn trace_number() -> String {
    let mut rest = uuid::Uuid::now_v7().as_u128() >> 14 & u128::from(u64::MAX);
    let mut digits = Vec::with_capacity(13);
    for _ in 0..13 {
        digits.push(char::from_digit((rest % 36) as u32, 36).unwrap_or('0').to_ascii_uppercase());
        rest /= 36;
    }
    format!("CG{}", digits.into_iter().rev().collect::<String>())
}

/// Who says the same twice: an original is known by its identifier; a replacement or void only by its whole content,
/// because a claim may be replaced again. A request for authorization may bear the number of the claim that follows it, and
/// an inquiry may be made again whenever someone wants to know.
fn business_key(intent: &str, claim: &Value, hash: &str) -> Option<String> {
    let identifier = &claim["identifier"][0];
    let value = identifier["value"].as_str()?;
    let system = identifier["system"].as_str().unwrap_or("");
    let corrects = claim["related"].is_array() || claim["status"] == "cancelled";
    let repeatable = corrects || matches!(intent, "eligibility" | "statusInquiry");
    let of = if intent == "claim" { String::new() } else { format!("{intent}:") };
    Some(if repeatable { format!("{of}{system}|{value}|{hash}") } else { format!("{of}{system}|{value}") })
}

/// All rows of the promise, to be written in one transaction.
pub(super) fn promise(
    gateway: &Gateway,
    tenant: &str,
    prepared: &Prepared,
    named: naming::Named,
    known: &Known,
) -> Result<NewSubmission, Fault> {
    let response = queued_response(gateway, prepared, &named, known)?;
    let part = |name: &str| response[name].as_str().unwrap_or_default();
    let reference = format!("{}/{}", part("resourceType"), part("id"));
    let focal = named.focal_reference.clone();
    let mut resources: Vec<ResourceWrite> = named.resources.into_iter().map(write).collect();
    resources.push(write(response));
    Ok(NewSubmission {
        id: SubmissionId::make(),
        tenant: tenant.to_owned(),
        payer: prepared.profile.payer_id(),
        guide: prepared.route.guide.clone(),
        mapping_version: gateway.translator.mappings.version().to_owned(),
        parts: prepared.parts.iter().enumerate().map(|(n, part)| claim_part(n, part)).collect(),
        resources,
        response: reference,
        idempotency: None,
        business_key: None,
        events: first_events(prepared, &focal, known),
        received: known.now,
        focal,
    })
}

fn claim_part(n: usize, part: &prepare::PreparedPart) -> ClaimPart {
    ClaimPart {
        number: n as u32 + 1,
        patient_control_number: part.record.patient_control_number.clone(),
        trace_number: part.record.trace_number.clone().unwrap_or_default(),
        body: part.body.clone(),
        record: text_of(&part.value),
    }
}

fn first_events(prepared: &Prepared, focal: &str, known: &Known) -> Vec<NewEvent> {
    let received = json!({"claim": focal, "parts": prepared.parts.len(), "warnings": prepared.warnings.len()});
    let queued = json!({"payer": prepared.profile.id, "guide": prepared.route.guide});
    [(EventKind::Received, received), (EventKind::Queued, queued)]
        .map(|(kind, detail)| NewEvent { kind, part: None, at: known.now, detail: detail.to_string() })
        .into()
}

/// What an answer to each kind of request is made by, before a payer has said anything.
const FIRST_ANSWERS: &[(&str, &str)] =
    &[("Claim", "response/queued"), ("CoverageEligibilityRequest", "response/queued-eligibility")];

/// Whether resources of a type are carried to a payer when they are created.
pub fn is_carried(kind: &str) -> bool {
    FIRST_ANSWERS.iter().any(|(known, _)| *known == kind)
}

/// The first answer: queued.
fn queued_response(
    gateway: &Gateway,
    prepared: &Prepared,
    named: &naming::Named,
    known: &Known,
) -> Result<Value, Fault> {
    let missing = || Fault::ours(codes::INTERNAL, "no mapping for the first answer is loaded");
    let kind = named.focal()["resourceType"].as_str().unwrap_or_default();
    let row = FIRST_ANSWERS.iter().find(|(known, _)| *known == kind).ok_or_else(missing)?;
    let mapping = gateway.translator.mappings.response(row.1).ok_or_else(missing)?;
    let record = prepared.parts.first().map_or(&Value::Null, |part| &part.value);
    let mut claim = named.focal().clone();
    claim["id"] = Value::from(named.focal_reference.rsplit('/').next().unwrap_or_default());
    let scope = Scope {
        payer: gateway.translator.facts(&prepared.profile.id),
        now: known.now,
        vars: &[("claim", &claim), ("record", record)],
        resources: None,
    };
    let (mut response, issues) = mapping.make(&claim, &scope);
    if crate::fault::any_error(&issues) {
        return Err(Fault { issues, ..Fault::ours(codes::INTERNAL, "") });
    }
    naming::set_id(&mut response, &uuid::Uuid::now_v7().to_string());
    Ok(response)
}

/// A resource as a row, with what it can be found by.
pub fn write(resource: Value) -> ResourceWrite {
    let text = |name: &str| resource[name].as_str().unwrap_or_default().to_owned();
    let index = index::index(&resource).into_iter().map(|(name, value)| IndexEntry { name, value }).collect();
    ResourceWrite { kind: text("resourceType"), id: text("id"), body: text_of(&resource), index }
}

/// JSON text: what `to_string()` gives, without its detour over the formatter.
fn text_of(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| value.to_string())
}

async fn accept(gateway: &Gateway, submission: NewSubmission) -> Result<Answer, Fault> {
    let answer = fresh_answer(gateway, &submission);
    match gateway.store.accept(submission).await? {
        Accepted::New => Ok(answer),
        Accepted::Same(id) => again(gateway, &id).await,
        Accepted::KeyConflict(_) => Err(key_conflict()),
        Accepted::BusinessConflict(_) => Err(business_conflict()),
    }
}

fn fresh_answer(gateway: &Gateway, submission: &NewSubmission) -> Answer {
    let body = submission.resources.last().map(|write| write.body.as_str()).unwrap_or("null");
    let response = serde_json::from_str(body).unwrap_or(Value::Null);
    let handed_in = submission.resources.len().saturating_sub(1);
    let stored =
        submission.resources.iter().take(handed_in).map(|write| format!("{}/{}", write.kind, write.id)).collect();
    Answer {
        submission: submission.id.clone(),
        claim: submission.focal.clone(),
        response: lookup::with_meta(response, 1, gateway.clock.now()),
        repeated: false,
        stored,
    }
}
