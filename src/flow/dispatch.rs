//! Submissions go out: sealed into an interchange whose bytes are kept, then sent, the same bytes at every attempt.

use crate::billing::id::{InterchangeId, PayerId, SubmissionId};
use crate::billing::journey::{EventKind, State};
use crate::fault::{Fault, codes};
use crate::flow::{receive, submit};
use crate::gateway::Gateway;
use crate::payers::PayerProfile;
use crate::queue::{Message, Work};
use crate::store::{
    Build, ControlNumbers, Failure, Interchange, NewInterchange, Sealed, SealedBytes, SealedClaim, Submission,
};
use crate::telemetry::name;
use crate::transport::{Outgoing, SendError, Sent, Transport};
use crate::x12::assemble::{self, BatchHeader, Envelope, Placed};
use crate::x12::guide::Guide;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What became of an interchange.
#[derive(Debug, PartialEq)]
pub enum Dispatched {
    Sent,
    /// Try again after this delay.
    Later(Duration),
    /// Given up: the reason, without PHI.
    GivenUp(String),
}

/// Seals what is still to be sealed of a batch, one interchange for each guide and tenant; answers the interchanges to be
/// sent.
pub async fn seal(gateway: &Gateway, payer: &PayerId, ids: &[SubmissionId]) -> Result<Vec<InterchangeId>, Fault> {
    let profile = profile(gateway, payer)?;
    let mut groups: BTreeMap<(String, String), Vec<Submission>> = BTreeMap::new();
    for submission in due(gateway, ids).await? {
        groups.entry((submission.guide.clone(), submission.tenant.clone())).or_default().push(submission);
    }
    let mut sealed = Vec::new();
    for ((guide, tenant), batch) in groups {
        sealed.extend(seal_one(gateway, profile, &guide, tenant, batch).await?);
    }
    Ok(sealed)
}

/// Whether a message asks for nothing any more: its claims went along with others.
pub async fn is_done(gateway: &Gateway, work: &Work) -> Result<bool, Fault> {
    let Work::Submissions(ids) = work else { return Ok(false) };
    Ok(due(gateway, ids).await?.is_empty())
}

/// Those of some submissions that are still to be sealed or to be sent for the first time.
pub async fn still_due(gateway: &Gateway, ids: &[SubmissionId]) -> Result<Vec<SubmissionId>, Fault> {
    Ok(due(gateway, ids).await?.into_iter().map(|submission| submission.id).collect())
}

/// Those that are still due, each once: two messages may ask for the same.
async fn due(gateway: &Gateway, ids: &[SubmissionId]) -> Result<Vec<Submission>, Fault> {
    let mut seen = HashSet::new();
    let once: Vec<SubmissionId> = ids.iter().filter(|id| seen.insert(*id)).cloned().collect();
    let mut submissions = gateway.store.submissions_named(once).await?;
    submissions.retain(waiting);
    Ok(submissions)
}

/// A message may come twice, or after its claim was answered: only what is queued is sealed. What was sealed and could not
/// be sent has a message of its own, which comes when its delay is over.
fn waiting(submission: &Submission) -> bool {
    submission.state == State::Queued && (submission.interchange.is_none() || submission.attempts == 0)
}

fn profile<'a>(gateway: &'a Gateway, payer: &PayerId) -> Result<&'a PayerProfile, Fault> {
    let missing = || Fault::ours(codes::CONFIGURATION, format!("payer {payer} has no profile any more"));
    gateway.translator.payers.get(payer.as_str()).ok_or_else(missing)
}

async fn seal_one(
    gateway: &Gateway,
    profile: &PayerProfile,
    guide: &str,
    tenant: String,
    batch: Vec<Submission>,
) -> Result<Vec<InterchangeId>, Fault> {
    let missing = || Fault::ours(codes::CONFIGURATION, format!("guide {guide} is not loaded"));
    let guide = gateway.translator.guides.get(guide).ok_or_else(missing)?.clone();
    let at = gateway.clock.now();
    let new = NewInterchange {
        id: InterchangeId::make(),
        tenant,
        payer: profile.payer_id(),
        partner: profile.partner(),
        submissions: batch.iter().map(|submission| submission.id.clone()).collect(),
        at,
        build: builder(profile.clone(), guide, batch, at),
    };
    let Sealed { new, already, .. } = gateway.store.seal(new).await?;
    Ok(new.map(|interchange| interchange.id).into_iter().chain(already).collect())
}

/// What makes the bytes once the control numbers are known.
fn builder(profile: PayerProfile, guide: Arc<Guide>, batch: Vec<Submission>, at: Timestamp) -> Build {
    Box::new(move |numbers, taken| {
        let header = header(&profile, numbers);
        let envelope = envelope(&profile, numbers, at);
        let parts: Vec<(&Submission, u32, &str)> = batch
            .iter()
            .filter(|submission| taken.contains(&submission.id))
            .flat_map(|submission| {
                submission.parts.iter().map(move |part| (submission, part.number, part.body.as_str()))
            })
            .collect();
        let bodies: Vec<&str> = parts.iter().map(|(_, _, body)| *body).collect();
        let assembled = assemble::assemble(&guide, &envelope, &header, &bodies)?;
        let claims =
            assembled.claims.into_iter().map(|placed| sealed_claim(&parts, placed, &header.batch_number)).collect();
        let name = format!("{}-{:09}.x12", transaction_name(&guide), numbers.interchange);
        Ok(SealedBytes { bytes: assembled.bytes, name, claims })
    })
}

fn sealed_claim(parts: &[(&Submission, u32, &str)], placed: Placed, batch_number: &str) -> SealedClaim {
    let (submission, part, _) = parts[placed.body];
    SealedClaim {
        submission: submission.id.clone(),
        part,
        transaction_set: placed.transaction_set,
        batch_number: batch_number.to_owned(),
        first_segment: placed.first_segment,
        last_segment: placed.last_segment,
    }
}

/// `837P` for 005010X222A1: the name that people know a transaction by.
fn transaction_name(guide: &Guide) -> String {
    match guide.id.get(6..10) {
        Some("X222") => "837P".into(),
        Some("X223") => "837I".into(),
        Some("X224") => "837D".into(),
        _ => guide.transaction.clone(),
    }
}

/// BHT03 is unique for the partner because ISA13 is.
pub fn header(profile: &PayerProfile, numbers: ControlNumbers) -> BatchHeader {
    BatchHeader {
        batch_number: format!("CG{:09}", numbers.interchange),
        purpose: "00".into(),
        kind: "CH".into(),
        submitter_name: profile.submitter.name.clone(),
        submitter_id: profile.submitter.id.clone(),
        contact_name: profile.submitter.contact_name.clone(),
        contact_telephone: profile.submitter.contact_telephone.clone(),
        receiver_name: profile.receiver.name.clone(),
        receiver_id: profile.receiver.id.clone(),
    }
}

/// The interchange's envelope; its times are UTC.
pub fn envelope(profile: &PayerProfile, numbers: ControlNumbers, at: Timestamp) -> Envelope {
    let partner = &profile.trading_partner;
    Envelope {
        sender_qualifier: partner.sender.qualifier.clone(),
        sender_id: partner.sender.id.clone(),
        receiver_qualifier: partner.receiver.qualifier.clone(),
        receiver_id: partner.receiver.id.clone(),
        group_sender: partner.group_sender.clone(),
        group_receiver: partner.group_receiver.clone(),
        usage: partner.usage,
        acknowledgment_requested: partner.acknowledgment_requested,
        at: TimeZone::UTC.to_datetime(at),
        interchange_control_number: numbers.interchange,
        group_control_number: numbers.group,
        delimiters: profile.delimiters,
    }
}

/// Sends one sealed interchange (again). Whatever the outcome, it is on record before this returns.
pub async fn send(gateway: &Gateway, id: &InterchangeId) -> Result<Dispatched, Fault> {
    let Some(interchange) = gateway.store.interchange(id).await?.filter(|found| found.sent.is_none()) else {
        return Ok(Dispatched::Sent);
    };
    let profile = profile(gateway, &interchange.payer)?;
    let Some(transport) = gateway.transport(&interchange.payer).cloned() else {
        return Ok(Dispatched::Later(profile.retry.cap));
    };
    let outgoing = Outgoing { name: interchange.name.clone(), bytes: interchange.bytes.clone() };
    let attempt = gateway.store.attempt(id, gateway.clock.now()).await?;
    // An earlier attempt may have arrived without our hearing of it: ask before sending again.
    if attempt > 1 && transport.arrived(&outgoing).await == Some(true) {
        gateway.store.sent(id, gateway.clock.now()).await?;
        return Ok(Dispatched::Sent);
    }
    let begun = Instant::now();
    let outcome = transport.send(&outgoing).await;
    count(&interchange, begun.elapsed(), &outcome);
    settle(gateway, &interchange, profile, attempt, outcome).await
}

fn count(interchange: &Interchange, took: Duration, outcome: &Result<Sent, SendError>) {
    let payer = interchange.payer.as_str();
    let word = match outcome {
        Ok(Sent::Delivered(_)) => "delivered",
        Err(SendError::Never(_)) => "never",
        Err(_) => "retry",
    };
    metrics::counter!(name::SENDS, "payer" => payer.to_owned(), "outcome" => word).increment(1);
    metrics::histogram!(name::SEND_SECONDS, "payer" => payer.to_owned()).record(took);
    if outcome.is_ok() {
        metrics::counter!(name::SENT_BYTES, "payer" => payer.to_owned()).increment(interchange.bytes.len() as u64);
    }
}

async fn settle(
    gateway: &Gateway,
    interchange: &Interchange,
    profile: &PayerProfile,
    attempt: u32,
    outcome: Result<Sent, SendError>,
) -> Result<Dispatched, Fault> {
    match outcome {
        Ok(Sent::Delivered(answers)) => {
            gateway.store.sent(&interchange.id, gateway.clock.now()).await?;
            for answer in answers {
                receive::receive(gateway, &interchange.payer, &answer.name, answer.bytes).await?;
            }
            Ok(Dispatched::Sent)
        }
        Err(SendError::Never(reason)) => give_up(gateway, interchange, reason).await,
        Err(SendError::RetryAfter(delay, reason)) => {
            again(gateway, interchange, profile, attempt, Some(delay), reason).await
        }
        Err(SendError::Retry(reason) | SendError::Unknown(reason)) => {
            again(gateway, interchange, profile, attempt, None, reason).await
        }
    }
}

async fn again(
    gateway: &Gateway,
    interchange: &Interchange,
    profile: &PayerProfile,
    attempt: u32,
    asked: Option<Duration>,
    reason: String,
) -> Result<Dispatched, Fault> {
    let Some(delay) = profile.retry.delay(attempt) else {
        let reason = format!("given up after {attempt} attempts; the last: {reason}");
        return give_up(gateway, interchange, reason).await;
    };
    let delay = asked.map_or(delay, |asked| asked.max(delay));
    let next = delay.as_millis() as u64;
    let detail = json!({"interchange": interchange.name, "attempt": attempt, "reason": reason, "nextInMs": next});
    failed(gateway, interchange, detail, false).await?;
    Ok(Dispatched::Later(delay))
}

/// The submissions inside fail, and their callers are told so in the ClaimResponse.
async fn give_up(gateway: &Gateway, interchange: &Interchange, reason: String) -> Result<Dispatched, Fault> {
    failed(gateway, interchange, json!({"interchange": interchange.name, "reason": reason}), true).await?;
    let mut submissions: Vec<&SubmissionId> = interchange.claims.iter().map(|claim| &claim.submission).collect();
    submissions.dedup();
    for id in submissions {
        if let Some(resource) = receive::undeliverable(gateway, id).await? {
            let told = receive::event(EventKind::Noted, None, gateway.clock.now(), &json!({"told": "not delivered"}));
            gateway.store.append(id, vec![told], vec![submit::write(resource)]).await?;
        }
    }
    Ok(Dispatched::GivenUp(reason))
}

async fn failed(gateway: &Gateway, interchange: &Interchange, detail: Value, last: bool) -> Result<(), Fault> {
    let failure = Failure { at: gateway.clock.now(), detail: detail.to_string(), last };
    gateway.store.failed(&interchange.id, failure).await
}

/// The message that brings an interchange back.
pub fn message(payer: &PayerId, id: InterchangeId) -> Message {
    Message { payer: payer.clone(), work: Work::Interchange(id) }
}

/// Brings home what waits at a payer's transport; answers how many files were taken in.
pub async fn collect(gateway: &Gateway, payer: &PayerId, transport: &dyn Transport) -> Result<usize, Fault> {
    let unreachable = |error: SendError| Fault::ours(codes::PAYER_UNREACHABLE, format!("payer {payer}: {error:?}"));
    let incoming = transport.collect(COLLECT_AT_ONCE).await.map_err(unreachable)?;
    let mut taken = 0;
    for file in incoming {
        let received = receive::receive(gateway, payer, &file.name, file.bytes.clone()).await?;
        acknowledge(payer, transport, &file.name, received.acknowledgment).await;
        transport.taken(&file).await.map_err(unreachable)?;
        taken += 1;
    }
    Ok(taken)
}

/// Sends the TA1 or 999 for a file. One that can't be sent is told in the log: the payer asks again, or sends its file again.
async fn acknowledge(payer: &PayerId, transport: &dyn Transport, file: &str, bytes: Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let outgoing = Outgoing { name: format!("999-{stem}.x12"), bytes };
    if let Err(error) = transport.send(&outgoing).await {
        tracing::warn!(payer = payer.as_str(), file, reason = error.reason(), "an acknowledgment could not be sent");
    }
}

/// Files taken from a payer in one round, so that one payer can't keep the others waiting.
const COLLECT_AT_ONCE: usize = 64;
