//! Answers that belong to nobody yet: listed, matched by hand, or by what a later file tells (a payer's claim number that was
//! not known before, a claim that was submitted since). Each is told as if it had just come.

use crate::billing::id::{InterchangeId, PayerId};
use crate::billing::response::PayerResponse;
use crate::fault::{Fault, Place, codes};
use crate::flow::next;
use crate::flow::receive::{self, Claim, File};
use crate::flow::tell::Told;
use crate::gateway::Gateway;
use crate::store::{DEFAULT_TENANT, Key, Submission, UnmatchedAnswer};
use serde_json::{Value, json};

/// Answers that are listed, and that one later file is tried on.
const LISTED: usize = 1000;
const RETRIED: usize = 100;

/// The list, oldest first. It names numbers, amounts and dates, which a person needs to find the claim, and no patient.
pub async fn list(gateway: &Gateway) -> Result<Value, Fault> {
    let all = gateway.store.unmatched(LISTED).await?;
    Ok(json!({ "responses": all.iter().map(shown).collect::<Vec<_>>() }))
}

fn shown(answer: &UnmatchedAnswer) -> Value {
    let response = read(answer);
    let keys = &response.keys;
    json!({
        "id": format!("{}.{}", answer.inbound.as_str(), answer.position),
        "payer": answer.payer.as_str(),
        "reason": answer.reason,
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
    let all = gateway.store.unmatched(usize::MAX).await?;
    let mut found = all.into_iter().filter(|each| each.inbound.as_str() == inbound && each.position == position);
    found.next().ok_or_else(|| absent(id))
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
        false => gateway.store.submission(&crate::billing::id::SubmissionId(submission.to_owned())).await?,
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

/// Tries the payer's unmatched answers again.
pub async fn retry(gateway: &Gateway, payer: &PayerId) -> Result<(), Fault> {
    let all = gateway.store.unmatched(LISTED).await?;
    for answer in all.iter().filter(|answer| answer.payer == *payer).take(RETRIED) {
        let response = read(answer);
        let (claims, reason) = receive::find(gateway, payer, &response).await?;
        // What is about many claims at once is told by its own file alone.
        if let [claim] = claims.as_slice() {
            settle(gateway, answer, &response, claim, &format!("later: {reason}")).await?;
        }
    }
    Ok(())
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
