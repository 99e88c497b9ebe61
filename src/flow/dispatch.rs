//! Submissions go out: sealed into an interchange whose bytes are kept, then sent, the same bytes at every attempt.

use crate::billing::id::{InterchangeId, PayerId, SubmissionId};
use crate::billing::journey::{Awaited, EventKind, State};
use crate::fault::{Fault, codes};
use crate::flow::{document, receive, submit};
use crate::gateway::Gateway;
use crate::payers::{Deadlines, Format, PayerProfile};
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

/// Seals what is still to be sealed of a batch, one interchange for each guide and tenant, and apart what another version of
/// the profile made; answers the interchanges to be sent.
pub async fn seal(gateway: &Gateway, payer: &PayerId, ids: &[SubmissionId]) -> Result<Vec<InterchangeId>, Fault> {
    let mut groups: BTreeMap<(String, String, String), Vec<Submission>> = BTreeMap::new();
    for submission in due(gateway, ids).await? {
        let version = differing(gateway, payer, &submission.mapping_version);
        groups.entry((submission.guide.clone(), submission.tenant.clone(), version)).or_default().push(submission);
    }
    let mut sealed = Vec::new();
    for ((guide, tenant, version), batch) in groups {
        let profile = sealing(gateway, payer, &version)?;
        sealed.extend(seal_one(gateway, &profile, &guide, tenant, batch).await?);
    }
    Ok(sealed)
}

/// How many things a message still asks for; its claims may have gone along with others.
pub async fn asks(gateway: &Gateway, work: &Work) -> Result<usize, Fault> {
    match work {
        Work::Submissions(ids) => Ok(due(gateway, ids).await?.len()),
        Work::Interchange(_) => Ok(1),
    }
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

/// The profile that claims are sealed with: the active one, in the delimiters in which they were written. Beside a canary
/// each claim goes out as its own version says.
fn sealing(gateway: &Gateway, payer: &PayerId, version: &str) -> Result<PayerProfile, Fault> {
    let active = profile(gateway, payer)?;
    let then = gateway.translator.version(version).and_then(|translator| translator.payers.get(payer.as_str()));
    Ok(match then {
        Some(then) if active.canary.is_some() => then.clone(),
        Some(then) => PayerProfile { delimiters: then.delimiters, ..active.clone() },
        None => active.clone(),
    })
}

/// The version when its claims can't be sealed with the active profile; nothing when they can.
fn differing(gateway: &Gateway, payer: &PayerId, version: &str) -> String {
    let active = gateway.translator.payers.get(payer.as_str());
    let same = sealing(gateway, payer, version).is_ok_and(|profile| Some(&profile) == active);
    if same { String::new() } else { version.to_owned() }
}

async fn seal_one(
    gateway: &Gateway,
    profile: &PayerProfile,
    guide: &str,
    tenant: String,
    batch: Vec<Submission>,
) -> Result<Vec<InterchangeId>, Fault> {
    let at = gateway.clock.now();
    let new = NewInterchange {
        id: InterchangeId::make(),
        tenant,
        payer: profile.payer_id(),
        partner: profile.partner(),
        submissions: batch.iter().map(|submission| submission.id.clone()).collect(),
        at,
        deadlines: deadlines(profile, guide),
        build: builder(gateway, profile.clone(), guide, batch, at)?,
    };
    let Sealed { new, already, .. } = gateway.store.seal(new).await?;
    Ok(new.map(|interchange| interchange.id).into_iter().chain(already).collect())
}

/// Answers that the payer's profile gives a time for. A TA1 comes when it is asked for, a 277CA and an 835 for claims.
fn deadlines(profile: &PayerProfile, guide: &str) -> Vec<(Awaited, Duration)> {
    let Deadlines { ta1, implementation_999, acknowledgment_277ca, remittance_835 } = profile.deadlines;
    let claims = CLAIM_GUIDES.iter().any(|claims| guide.starts_with(claims));
    let x12 = Format::named(guide).is_none();
    [
        (Awaited::Ta1, ta1.filter(|_| x12 && profile.trading_partner.acknowledgment_requested)),
        (Awaited::Implementation999, implementation_999.filter(|_| x12)),
        (Awaited::Acknowledgment277ca, acknowledgment_277ca.filter(|_| claims)),
        (Awaited::Remittance835, remittance_835.filter(|_| claims || !x12)),
    ]
    .into_iter()
    .filter_map(|(answer, within)| Some((answer, within?)))
    .collect()
}

/// 837 professional, institutional and dental.
const CLAIM_GUIDES: [&str; 3] = ["005010X222", "005010X223", "005010X224"];

/// What makes the bytes once the control numbers are known: an interchange of the guide, or a document of the format.
fn builder(
    gateway: &Gateway,
    profile: PayerProfile,
    guide: &str,
    batch: Vec<Submission>,
    at: Timestamp,
) -> Result<Build, Fault> {
    let missing = || Fault::ours(codes::CONFIGURATION, format!("guide {guide} is not loaded"));
    match Format::named(guide) {
        Some(format) => Ok(document_builder(profile, format, batch)),
        None => {
            let guide = gateway.translator.guides.get(guide).ok_or_else(missing)?.clone();
            Ok(interchange_builder(profile, guide, batch, at))
        }
    }
}

/// The parts of the submissions that were taken: submission, number of the part, its text.
fn parts_of<'b>(batch: &'b [Submission], taken: &[SubmissionId]) -> Vec<(&'b Submission, u32, &'b str)> {
    let submissions = batch.iter().filter(|submission| taken.contains(&submission.id));
    submissions
        .flat_map(|submission| submission.parts.iter().map(move |part| (submission, part.number, part.body.as_str())))
        .collect()
}

fn document_builder(profile: PayerProfile, format: Format, batch: Vec<Submission>) -> Build {
    Box::new(move |numbers, taken| {
        let parts = parts_of(&batch, taken);
        let bodies: Vec<&str> = parts.iter().map(|(_, _, body)| *body).collect();
        let bytes = document::assemble(format, &profile, &bodies)?;
        let batch_number = batch_number(numbers);
        let sealed = |n: usize| {
            let placed = Placed {
                body: n,
                transaction_set: String::new(),
                first_segment: 0,
                last_segment: 0,
                shared: Vec::new(),
            };
            sealed_claim(&parts, placed, &batch_number)
        };
        let name = document::name(format, numbers.interchange);
        Ok(SealedBytes { bytes, name, claims: (0..parts.len()).map(sealed).collect() })
    })
}

fn interchange_builder(profile: PayerProfile, guide: Arc<Guide>, batch: Vec<Submission>, at: Timestamp) -> Build {
    Box::new(move |numbers, taken| {
        let header = header(&profile, &guide, numbers);
        let envelope = envelope(&profile, numbers, at);
        let parts = parts_of(&batch, taken);
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
fn batch_number(numbers: ControlNumbers) -> String {
    format!("CG{:09}", numbers.interchange)
}

/// BHT, 1000A and 1000B: claims are originals of kind CH, all else are requests (13) without a kind.
pub fn header(profile: &PayerProfile, guide: &Guide, numbers: ControlNumbers) -> BatchHeader {
    let (purpose, kind) = if guide.transaction == "837" { ("00", "CH") } else { ("13", "") };
    BatchHeader {
        batch_number: batch_number(numbers),
        purpose: purpose.into(),
        kind: kind.into(),
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
        reply(payer, transport, ("999", &file.name), received.acknowledgment).await;
        reply(payer, transport, ("277", &file.name), received.answer).await;
        transport.taken(&file).await.map_err(unreachable)?;
        taken += 1;
    }
    Ok(taken)
}

/// Sends the TA1 or 999 for a file, or the 277 for what was asked in it. One that can't be sent is told in the log: the payer
/// asks again, or sends its file again.
async fn reply(payer: &PayerId, transport: &dyn Transport, (kind, file): (&str, &str), bytes: Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let outgoing = Outgoing { name: format!("{kind}-{stem}.x12"), bytes };
    if let Err(error) = transport.send(&outgoing).await {
        tracing::warn!(payer = payer.as_str(), file, reason = error.reason(), "a reply to a file could not be sent");
    }
}

/// Files taken from a payer in one round, so that one payer can't keep the others waiting.
const COLLECT_AT_ONCE: usize = 64;
