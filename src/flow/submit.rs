//! A claim, a request for authorization or an inquiry comes in: recognised, read, resolved, prepared, named, promised. The
//! answer is given after the commit.

mod rows;

pub use rows::{is_carried, keep_response, promise, repairs};

use crate::billing::id::SubmissionId;
use crate::fault::{Fault, Issue, Place, any_error, codes};
use crate::fhir::bundle::Resources;
use crate::fhir::index;
use crate::flow::correct::{self, Placed};
use crate::flow::prepare::{self, Known, Prepared};
use crate::flow::{bill, duplicate, hold, intake, lookup, naming};
use crate::gateway::Gateway;
use crate::store::{Accepted, IndexEntry, Key, KeyKind, NewSubmission, ResourceWrite, Submission};
use crate::telemetry::name;
use serde_json::Value;
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
    take(gateway, request, None).await
}

/// The same for the next version of a claim (`Claim/…`) that was submitted before: it mends, replaces or voids it.
pub async fn update(gateway: &Gateway, request: Request, claim: &str) -> Result<Answer, Fault> {
    take(gateway, request, Some(claim)).await
}

async fn take(gateway: &Gateway, request: Request, of: Option<&str>) -> Result<Answer, Fault> {
    let intent = label(&request.body);
    let answer = carry(gateway, request, of).await;
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

/// The stations in their order.
async fn carry(gateway: &Gateway, request: Request, of: Option<&str>) -> Result<Answer, Fault> {
    not_overloaded(gateway)?;
    let hash = content_hash(&request.body);
    if let Some(answer) = repeated(gateway, &request, &hash).await? {
        return Ok(answer);
    }
    let mut stations = Stations::begin();
    let mut resources = intake::read(&gateway.translator, request.body)?;
    let arrived = Arrived { tenant: request.tenant, hash, idempotency_key: request.idempotency_key };
    if resources.focal()["resourceType"] == "Encounter" {
        return bill::take(gateway, arrived, resources).await;
    }
    stations.passed("read");
    intake::resolve(gateway, &arrived.tenant, &mut resources).await?;
    let placed = match before(gateway, &arrived.tenant, &resources, &arrived.hash, of).await? {
        Before::Answered(answer) => return Ok(*answer),
        Before::Holder(holder) if corrects(&resources) => {
            correct::place(gateway, &arrived.tenant, &resources, of, holder).await?
        }
        Before::Same | Before::Holder(_) => Placed::default(),
    };
    stations.passed("resolve");
    let (mut prepared, held) = judged(gateway, &resources, &placed, &arrived.hash)?;
    let held = unique(gateway, &arrived.tenant, &mut prepared, &placed, held).await?;
    stations.passed("prepare");
    let named = naming::name_as(&resources, of);
    let content = hold::content(&named);
    let submission = promised(gateway, &arrived, &prepared, named, &placed, held.as_deref())?;
    let billed = bill::waiting_encounters(gateway, &arrived.tenant, &resources).await?;
    let supersedes = [submission.supersedes, billed].concat();
    let submission = NewSubmission { supersedes, ..submission };
    let submission = match held {
        Some(issues) => hold::back(submission, content, &issues, placed.early.as_ref(), gateway.clock.now()),
        None => submission,
    };
    stations.passed("promise");
    let answer = accept(gateway, submission).await?;
    stations.passed("commit");
    Ok(answer)
}

/// Only claims replace and void each other; a request or an inquiry stands by itself.
fn corrects(resources: &Resources) -> bool {
    prepare::intent(resources.focal()) == "claim"
}

/// How a submission came, apart from its resources.
pub struct Arrived {
    pub tenant: String,
    /// Of its content.
    pub hash: String,
    pub idempotency_key: Option<String>,
}

/// The promise of a claim in its place, with the keys that it is recognised by.
pub fn promised(
    gateway: &Gateway,
    arrived: &Arrived,
    prepared: &Prepared,
    named: naming::Named,
    placed: &Placed,
    held: Option<&[Issue]>,
) -> Result<NewSubmission, Fault> {
    let claim = named.focal().clone();
    let known = known(gateway, placed, false);
    let submission = promise(&arrived.tenant, prepared, named, &known, held)?;
    let hash = &arrived.hash;
    Ok(NewSubmission {
        idempotency: arrived.idempotency_key.clone().map(|key| (key, hash.clone())),
        business_key: business_key(prepared.intent(), &claim, hash, placed).map(|key| (key, hash.clone())),
        services: duplicate::services(prepared, placed),
        ..placed_as(submission, placed)
    })
}

/// What the store knows of a claim before it is looked at.
pub enum Before {
    /// Nothing is new.
    Answered(Box<Answer>),
    /// The same content under the same number: the store will say so.
    Same,
    /// The submission under the same number, if there is one.
    Holder(Option<SubmissionId>),
}

pub async fn before(
    gateway: &Gateway,
    tenant: &str,
    resources: &Resources,
    hash: &str,
    of: Option<&str>,
) -> Result<Before, Fault> {
    if let Some(of) = of
        && let Some(answer) = unchanged(gateway, tenant, resources.focal(), of).await?
    {
        return Ok(Before::Answered(Box::new(answer)));
    }
    let Some(key) = number_key(prepare::intent(resources.focal()), resources.focal()) else {
        return Ok(Before::Holder(None));
    };
    let Some((holder, content)) = gateway.store.known(tenant, KeyKind::Business, &key).await? else {
        return Ok(Before::Holder(None));
    };
    if content == hash {
        return Ok(Before::Same);
    }
    match gateway.store.known(tenant, KeyKind::Business, &format!("{key}|{hash}")).await? {
        Some((id, _)) => Ok(Before::Answered(Box::new(again(gateway, &id).await?))),
        None => Ok(Before::Holder(Some(holder))),
    }
}

/// The answer of before, when an update changes nothing.
async fn unchanged(gateway: &Gateway, tenant: &str, claim: &Value, of: &str) -> Result<Option<Answer>, Fault> {
    let Some(submission) = gateway.store.submission_of(tenant, of).await? else {
        let hint = "POST a new claim to /fhir/Claim: its id is the gateway's choice";
        return Err(Fault::refuse(codes::NOT_FOUND, Place::Whole, format!("there is no {of}"), hint));
    };
    let bare = |mut claim: Value| {
        claim.as_object_mut().map(|object| object.shift_remove("meta"));
        claim
    };
    let stored = lookup::read_reference(gateway, tenant, of).await?;
    let same = stored.is_some_and(|stored| bare(stored) == bare(claim.clone()));
    if same { again(gateway, &submission.id).await.map(Some) } else { Ok(None) }
}

/// The claim in its payer's format, with what holds it back: the payer's number that is to come, or edits that this payer
/// wants people to look at.
pub fn judged<'a>(
    gateway: &'a Gateway,
    resources: &Resources,
    placed: &Placed,
    hash: &str,
) -> Result<(Prepared<'a>, Option<Vec<Issue>>), Fault> {
    let translator = prepare::version(&gateway.translator, resources, hash)?;
    match prepare::prepare(translator, resources, None, &known(gateway, placed, false)) {
        Ok(prepared) => Ok((prepared, placed.early.as_ref().map(|_| vec![hold::early()]))),
        Err(fault) if translator.payers.all().any(|profile| profile.holds(&fault.issues)) => {
            let prepared = prepare::prepare(translator, resources, None, &known(gateway, placed, true))?;
            if prepared.profile.holds(&fault.issues) { Ok((prepared, Some(fault.issues))) } else { Err(fault) }
        }
        Err(fault) => Err(fault),
    }
}

/// Looks for the same services in the store: what is found warns, holds or refuses, as the payer has it.
pub async fn unique(
    gateway: &Gateway,
    tenant: &str,
    prepared: &mut Prepared<'_>,
    placed: &Placed,
    held: Option<Vec<Issue>>,
) -> Result<Option<Vec<Issue>>, Fault> {
    let services = duplicate::services(prepared, placed);
    let Some(issue) = duplicate::check(gateway, tenant, prepared, placed, services.as_deref()).await? else {
        return Ok(held);
    };
    let issues = vec![issue];
    if prepared.profile.holds(&issues) {
        return Ok(Some(held.into_iter().flatten().chain(issues).collect()));
    }
    if any_error(&issues) {
        return Err(Fault::caller(issues));
    }
    prepared.warnings.extend(issues);
    Ok(held)
}

/// A submission in its place among those of the same claim.
pub fn placed_as(submission: NewSubmission, placed: &Placed) -> NewSubmission {
    NewSubmission { corrects: placed.corrects.clone(), supersedes: placed.supersedes.clone(), ..submission }
}

fn outcome(answer: &Result<Answer, Fault>) -> &'static str {
    match answer {
        Ok(answer) if answer.repeated => "repeated",
        Ok(_) => "accepted",
        Err(_) => "refused",
    }
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
pub fn content_hash(body: &Value) -> String {
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

pub fn key_conflict() -> Fault {
    let text = "this Idempotency-Key was used before for other content";
    Fault::refuse(
        codes::IDEMPOTENCY_CONFLICT,
        Place::Whole,
        text,
        "use a new key for new content, and the old key to repeat the old",
    )
}

/// What is on record for a claim that was accepted before.
pub async fn again(gateway: &Gateway, id: &SubmissionId) -> Result<Answer, Fault> {
    let gone = || Fault::ours(codes::STORE, "the submission of this key can't be read");
    let submission = gateway.store.submission(id).await?.ok_or_else(gone)?;
    let response = lookup::read_reference(gateway, &submission.tenant, &submission.response).await?.ok_or_else(gone)?;
    Ok(Answer { submission: id.clone(), claim: submission.focal, response, repeated: true, stored: Vec::new() })
}

/// What only the gateway knows of the claim. A number that is still to come has a placeholder, which is never sent.
pub fn known(gateway: &Gateway, placed: &Placed, lenient: bool) -> Known {
    let to_come = placed.early.as_ref().map(|_| "PENDING".to_owned());
    Known {
        trace_number: trace_number(),
        original_claim_control_number: placed.number.clone().or(to_come),
        frequency: placed.frequency,
        lenient,
        inquiry: None,
        now: gateway.clock.now(),
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
fn business_key(intent: &str, claim: &Value, hash: &str, placed: &Placed) -> Option<String> {
    let key = number_key(intent, claim)?;
    let by_itself = placed.frequency.is_none() && (claim["related"].is_array() || claim["status"] != "active");
    let repeatable = by_itself || placed.is_correction() || matches!(intent, "eligibility" | "statusInquiry");
    Some(if repeatable { format!("{key}|{hash}") } else { key })
}

/// `system|value` of the identifier of a claim or request; what is no claim has its intent before it. The bills of one stay may
/// have one number: each is known by its place and period.
fn number_key(intent: &str, claim: &Value) -> Option<String> {
    let token = correct::token(&claim["identifier"][0])?;
    if intent != "claim" {
        return Some(format!("{intent}:{token}"));
    }
    let interim = correct::own_frequency(claim).filter(|frequency| matches!(*frequency, "2" | "3" | "4" | "5" | "9"));
    let start = claim["billablePeriod"]["start"].as_str().unwrap_or_default();
    Some(interim.map_or_else(|| token.clone(), |frequency| format!("{token}|{frequency}|{start}")))
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

pub async fn accept(gateway: &Gateway, submission: NewSubmission) -> Result<Answer, Fault> {
    let answer = fresh_answer(gateway, &submission);
    match gateway.store.accept(submission).await? {
        Accepted::New => Ok(answer),
        Accepted::Same(id) => again(gateway, &id).await,
        Accepted::KeyConflict(_) => Err(key_conflict()),
        Accepted::BusinessConflict(_) => Err(correct::on_its_way()),
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
