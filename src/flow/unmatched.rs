//! Answers that belong to nobody yet: listed, matched by hand, or by what a later file tells (a payer's claim number that was
//! not known before, a claim that was submitted since). Each is told as if it had just come.

use crate::billing::id::{InterchangeId, PayerId, SubmissionId};
use crate::billing::response::PayerResponse;
use crate::fault::{Fault, Place, codes};
use crate::flow::next;
use crate::flow::receive::{self, Claim, File, Sought};
use crate::flow::tell::Told;
use crate::gateway::Gateway;
use crate::store::{DEFAULT_TENANT, Key, Submission, UnmatchedAnswer, UnmatchedFilter};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Answers that one later file is tried on.
const RETRIED: usize = 100;

/// A page of the list, oldest first. It names numbers, amounts and dates, which a person needs to find the claim, and no
/// patient. `next` is where the next page begins.
pub async fn list(gateway: &Gateway, payer: Option<&str>, after: i64, count: usize) -> Result<Value, Fault> {
    let payer = payer.map(|payer| PayerId(payer.to_owned()));
    let mut all = gateway.store.unmatched(&UnmatchedFilter { payer, after, limit: count + 1 }).await?;
    let more = all.len() > count;
    all.truncate(count);
    let mut list = json!({ "responses": all.iter().map(shown).collect::<Vec<_>>() });
    if let Some(last) = all.last().filter(|_| more) {
        list["next"] = Value::from(last.row);
    }
    Ok(list)
}

fn shown(answer: &UnmatchedAnswer) -> Value {
    let response = read(answer);
    let keys = &response.keys;
    json!({
        "id": format!("{}.{}", answer.inbound.as_str(), answer.position),
        "payer": answer.payer.as_str(),
        "reason": answer.reason,
        "candidates": answer.candidates.iter().map(SubmissionId::as_str).collect::<Vec<_>>(),
        "transaction": response.transaction,
        "decision": response.decision,
        "stated": response.stated,
        "disposition": response.disposition,
        "patientControlNumber": keys.patient_control_number,
        "payerClaimControlNumber": response.payer_claim_control_number,
        "traceNumber": keys.trace_number.as_ref().or(keys.inquiry_number.as_ref()),
        "charge": keys.charge,
        "paid": response.adjudication.as_ref().map(|adjudication| adjudication.paid),
        "serviceStart": keys.service_start,
        "serviceEnd": keys.service_end,
    })
}

fn read(answer: &UnmatchedAnswer) -> PayerResponse {
    serde_json::from_str(&answer.body).unwrap_or_default()
}

/// Gives an answer to a claim by hand: `submission` is a submission's id, `Claim/…` or `ClaimResponse/…`, `part` which of
/// its parts, the first unless told otherwise.
pub async fn match_by_hand(gateway: &Gateway, id: &str, submission: &str, part: Option<u32>) -> Result<Value, Fault> {
    let answer = wanted(gateway, id).await?;
    let claim = claim_of(gateway, submission, part).await?;
    let response = read(&answer);
    let done = settle(gateway, &answer, &response, &claim, "by hand").await?;
    if !done {
        return Err(absent(id));
    }
    Ok(json!({
        "id": id,
        "submission": claim.found.submission.id.as_str(),
        "claim": claim.found.submission.focal,
    }))
}

async fn wanted(gateway: &Gateway, id: &str) -> Result<UnmatchedAnswer, Fault> {
    let parts = id.rsplit_once('.').and_then(|(inbound, position)| Some((inbound, position.parse::<u32>().ok()?)));
    let (inbound, position) = parts.ok_or_else(|| absent(id))?;
    let found = gateway.store.unmatched_at(&InterchangeId(inbound.to_owned()), position).await?;
    found.ok_or_else(|| absent(id))
}

fn absent(id: &str) -> Fault {
    let text = format!("no answer {id} waits for its claim");
    Fault::refuse(codes::NOT_FOUND, Place::Whole, text, "GET /admin/responses?state=unmatched lists those that do")
}

async fn claim_of(gateway: &Gateway, submission: &str, part: Option<u32>) -> Result<Claim, Fault> {
    let missing = || {
        let text = "there is no such submission or part";
        Fault::refuse(codes::NOT_FOUND, Place::Whole, text, "name a submission's id, Claim/{id} or ClaimResponse/{id}")
    };
    let found = match submission.contains('/') {
        true => gateway.store.submission_of(DEFAULT_TENANT, submission).await?,
        false => gateway.store.submission(&SubmissionId(submission.to_owned())).await?,
    };
    let submission = found.ok_or_else(missing)?;
    let number = number_of(&submission, part).ok_or_else(missing)?;
    let found = gateway.store.find(None, &Key::PatientControlNumber(number)).await?;
    let mut own = found.into_iter().filter(|found| found.submission.id == submission.id);
    own.find(|found| part.is_none_or(|part| part == found.part)).map(Claim::of).ok_or_else(missing)
}

/// CLM01 of a part.
fn number_of(submission: &Submission, part: Option<u32>) -> Option<String> {
    let part = submission.parts.iter().find(|each| part.is_none_or(|part| part == each.number))?;
    let record: Value = serde_json::from_str(&part.record).ok()?;
    record["patientControlNumber"].as_str().map(str::to_owned)
}

/// Tries some of the payer's unmatched answers again; the next file tries those behind them, and after the last the first.
pub async fn retry(gateway: &Gateway, payer: &PayerId) -> Result<(), Fault> {
    let after = lock(gateway).get(payer.as_str()).copied().unwrap_or_default();
    let filter = UnmatchedFilter { payer: Some(payer.clone()), after, limit: RETRIED };
    let mut tried = gateway.store.unmatched(&filter).await?;
    if tried.len() < RETRIED && after > 0 {
        let limit = RETRIED - tried.len();
        let first = gateway.store.unmatched(&UnmatchedFilter { after: 0, limit, ..filter }).await?;
        tried.extend(first.into_iter().filter(|answer| answer.row <= after));
    }
    if let Some(last) = tried.last() {
        lock(gateway).insert(payer.0.clone(), last.row);
    }
    for answer in &tried {
        let response = read(answer);
        if let Sought::Found(claims, reason) = receive::find(gateway, payer, &response).await? {
            // What is about many claims at once is told by its own file alone.
            if let [claim] = claims.as_slice() {
                settle(gateway, answer, &response, claim, &format!("later: {reason}")).await?;
            }
        }
    }
    Ok(())
}

fn lock(gateway: &Gateway) -> std::sync::MutexGuard<'_, BTreeMap<String, i64>> {
    gateway.retried.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn settle(
    gateway: &Gateway,
    answer: &UnmatchedAnswer,
    response: &PayerResponse,
    claim: &Claim,
    reason: &str,
) -> Result<bool, Fault> {
    let inbound: &InterchangeId = &answer.inbound;
    let mut told = Told::open(gateway, claim.found.submission.clone()).await?;
    let file = File { name: None, id: inbound, position: answer.position as usize };
    told.hear(gateway, claim, response, receive::detail(&file, response, reason))?;
    next::follow(gateway, &mut told).await?;
    gateway.store.assign(inbound, answer.position, told.write()).await
}
