//! What a submission's caller is told: each statement becomes events and, when it changes what the caller should see, the
//! next version of the ClaimResponse. A reversal cancels the ClaimResponse, and the correction that follows is a new one.

use crate::billing::id::SubmissionId;
use crate::billing::journal;
use crate::billing::journey::{Awaited, EventKind};
use crate::billing::response::{Decision, PayerResponse, Remittance};
use crate::fault::{Fault, Issue, codes};
use crate::flow::receive::{Claim, event, event_of};
use crate::flow::{lookup, naming, submit};
use crate::gateway::{Gateway, Translator};
use crate::mapping::{Input, ResponseMapping, Scope};
use crate::responses::standing::{self, Said};
use crate::responses::{combine, correlate, requests};
use crate::store::{AnswerFacts, AnswerWrite, Ended, MatchedAnswer, NewEvent, NewSubmission, Submission};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// Code system of our own codes in resources.
pub const ERROR_SYSTEM: &str = "https://claimgate.dev/fhir/CodeSystem/error";

/// A submission while a file is taken in.
pub struct Told {
    pub submission: Submission,
    pub(super) claim: Value,
    /// The ClaimResponse as it will stand.
    pub(super) current: Value,
    /// ClaimResponses to be written, the current one last; a cancelled one before it.
    versions: Vec<Value>,
    /// What the payer asks for.
    tasks: Vec<Value>,
    changed: bool,
    opened: bool,
    events: Vec<NewEvent>,
    answers: Vec<MatchedAnswer>,
    /// All that was heard, before this file and in it.
    heard: Vec<Said>,
    /// The payer's own numbers of the claim's parts.
    numbers: Vec<(u32, String)>,
    facts: Vec<AnswerFacts>,
    /// The last statement that has changed what is seen, its parts put together.
    pub(super) decided: Option<PayerResponse>,
    /// What comes next, and which drafts of before are overtaken.
    pub(super) drafts: Vec<NewSubmission>,
    pub(super) overtaken: Vec<(SubmissionId, NewEvent)>,
}

impl Told {
    /// Reads what stands.
    pub async fn open(gateway: &Gateway, submission: Submission) -> Result<Told, Fault> {
        let lost = || Fault::ours(codes::STORE, "a submission's resources can't be read");
        let claim = lookup::read_reference(gateway, &submission.tenant, &submission.focal).await?.ok_or_else(lost)?;
        let current =
            lookup::read_reference(gateway, &submission.tenant, &submission.response).await?.ok_or_else(lost)?;
        let heard = gateway.store.answers(&submission.id).await?.iter().filter_map(read).collect();
        Ok(Told {
            submission,
            claim,
            current,
            versions: Vec::new(),
            tasks: Vec::new(),
            changed: false,
            opened: false,
            events: Vec::new(),
            answers: Vec::new(),
            heard,
            numbers: Vec::new(),
            facts: Vec::new(),
            decided: None,
            drafts: Vec::new(),
            overtaken: Vec::new(),
        })
    }

    /// One more step of the journey.
    pub(super) fn note(&mut self, event: NewEvent) {
        self.events.push(event);
    }

    /// The payer's own number of the claim, by the newest answer of this file.
    pub(super) fn number(&self) -> Option<&str> {
        self.numbers.last().map(|(_, number)| number.as_str())
    }

    pub fn response_reference(&self) -> String {
        let part = |name: &str| self.current[name].as_str().unwrap_or_default();
        format!("{}/{}", part("resourceType"), part("id"))
    }

    /// Hears one statement about one claim.
    pub fn hear(
        &mut self,
        gateway: &Gateway,
        claim: &Claim,
        response: &PayerResponse,
        detail: Value,
    ) -> Result<(), Fault> {
        let mut response = for_claim(claim, response);
        let decision = Decision::of(&response.decision);
        let innocent = innocent(decision, &response);
        if innocent {
            // Kept to be known when it is said again, as a word that decides nothing about this claim.
            response.decision = Decision::Informational.word().to_owned();
        }
        let now = gateway.clock.now();
        let part = (self.submission.parts.len() > 1).then_some(claim.found.part);
        if self.is_repeated(claim.found.part, &response) {
            let detail = with(detail, "repeats", "what was said before");
            self.events.push(event(EventKind::Noted, part, now, &detail));
            return Ok(());
        }
        self.events.push(event(event_of(decision), part, now, &detail));
        if innocent {
            let answer = MatchedAnswer { part: claim.found.part, at: now, fresh: true, body: text(&response) };
            self.answers.push(answer);
            self.heard.push(Said { part: claim.found.part, answer: response });
            // The set was refused for another claim's sake: this one goes out again, in an interchange without it.
            self.facts.push(AnswerFacts { part: claim.found.part, settled: Awaited::ALL, ..AnswerFacts::default() });
            self.events.push(event(
                EventKind::Released,
                part,
                now,
                &json!({"reason": "the set was rejected for another claim"}),
            ));
            return Ok(());
        }
        self.ask(&gateway.translator, &response, now)?;
        let late = self.late(claim.found.part, decision, &response);
        self.answers.push(MatchedAnswer { part: claim.found.part, at: now, fresh: true, body: text(&response) });
        let said = Said { part: claim.found.part, answer: response.clone() };
        if response.adjudication.is_some() {
            return self.hear_money(&gateway.translator, claim, said, now);
        }
        self.heard.push(said);
        if !late {
            self.numbers.extend(response.payer_claim_control_number.clone().map(|number| (claim.found.part, number)));
        }
        self.facts.push(facts(claim.found.part, decision, &response, now));
        if shows(decision) && !late {
            if matches!(decision, Decision::Adjudicated | Decision::Denied) && self.current["status"] == "cancelled" {
                self.open_correction();
            }
            self.say(&gateway.translator, decision, claim, response, now)?;
        }
        Ok(())
    }

    /// Hears of money: what is told is what stands now, and only when that has changed. A reversal cancels the ClaimResponse
    /// that tells of what it takes back; what still stands beside it, or has come before it, is told by a new one.
    fn hear_money(&mut self, translator: &Translator, claim: &Claim, said: Said, now: Timestamp) -> Result<(), Fault> {
        let decision = Decision::of(&said.answer.decision);
        let before = self.counted(claim);
        self.heard.push(said.clone());
        let after = self.counted(claim);
        self.facts.extend(facts_of_money(decision, &said, (&before, &after), now));
        // A payment that was taken back, or comes late, does not say which number the claim has now.
        let newest = after.iter().rfind(|stands| stands.part == said.part).unwrap_or(&said);
        self.numbers.extend(newest.answer.payer_claim_control_number.clone().map(|number| (said.part, number)));
        let reversed = decision == Decision::Reversed;
        if reversed && (before != after || before.is_empty()) && self.current["status"] != "cancelled" {
            self.say(translator, decision, claim, said.answer, now)?;
        }
        if before == after || after.is_empty() {
            return Ok(());
        }
        if self.current["status"] == "cancelled" {
            self.open_correction();
        }
        let whole = self.whole(after, claim);
        self.say(translator, Decision::of(&whole.decision), claim, whole, now)
    }

    /// Whether the same was said of this part before, in another file.
    fn is_repeated(&self, part: u32, response: &PayerResponse) -> bool {
        self.heard.iter().any(|said| said.part == part && standing::repeats(&said.answer, response))
    }

    /// Each thing that the payer asks for becomes a Task.
    fn ask(&mut self, translator: &Translator, response: &PayerResponse, now: Timestamp) -> Result<(), Fault> {
        let submission = json!({"claim": self.submission.focal});
        let vars = [("claim", (&self.claim).into()), ("submission", (&submission).into())];
        let payer = self.submission.payer.as_str();
        for asked in requests::each(response) {
            let mut task = make(translator, "response/attachment-request", payer, (&asked).into(), &vars, now)?;
            naming::set_id(&mut task, &uuid::Uuid::now_v7().to_string());
            self.tasks.push(task);
        }
        Ok(())
    }

    /// Whether a status comes after the money, or after a newer one of the payer: kept, but it changes nothing to be seen.
    fn late(&self, part: u32, decision: Decision, response: &PayerResponse) -> bool {
        let settled = self.current["payment"].is_object() || self.current["outcome"] == "complete";
        if settled && !matches!(decision, Decision::Adjudicated | Decision::Denied | Decision::Reversed) {
            return true;
        }
        let earlier = self.heard.iter().filter(|said| said.part == part);
        let mut shown = earlier.filter(|said| shows(Decision::of(&said.answer.decision)));
        // What a clearinghouse passes on says less than any word of the payer.
        let payers = |said: &Said| decision == Decision::Forwarded && said.answer.decision != decision.word();
        let newer = |said: &Said| said.answer.stated.zip(response.stated).is_some_and(|(said, now)| said > now);
        shown.any(|said| newer(said) || payers(said))
    }

    /// After a reversal the correction is a ClaimResponse of its own.
    fn open_correction(&mut self) {
        self.flush();
        self.current["id"] = Value::from(uuid::Uuid::now_v7().to_string());
        self.current["status"] = Value::from("active");
        self.opened = true;
    }

    /// Makes the next version of the ClaimResponse.
    fn say(
        &mut self,
        translator: &Translator,
        decision: Decision,
        claim: &Claim,
        response: PayerResponse,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let next = claim_response(translator, self, claim, &response, now)?;
        self.current = keep_identity(next, &self.current, decision);
        self.changed = true;
        self.decided = Some(response);
        Ok(())
    }

    /// The payments that stand and make up what is told: the newest of each part of a split claim, whoever split it; else the
    /// newest.
    fn counted(&self, claim: &Claim) -> Vec<Said> {
        let standing: Vec<Said> = standing::standing(&self.heard).into_iter().cloned().collect();
        if self.submission.parts.len() < 2 {
            return pieces(standing, claim.record.total_charge);
        }
        let mut newest: Vec<Said> = Vec::new();
        for said in standing {
            newest.retain(|known| known.part != said.part);
            newest.push(said);
        }
        newest.sort_by_key(|said| said.part);
        newest
    }

    /// Payments as one.
    fn whole(&self, counted: Vec<Said>, claim: &Claim) -> PayerResponse {
        let split = self.submission.parts.len() > 1;
        let charges: Decimal = counted.iter().filter_map(|said| charge(&said.answer)).sum();
        let complete = match split {
            true => counted.len() == self.submission.parts.len(),
            false => charges == claim.record.total_charge,
        };
        let mut answers: Vec<PayerResponse> = counted.into_iter().map(|said| said.answer).collect();
        match answers.pop() {
            Some(only) if answers.is_empty() && !split => only,
            last => combine(answers.into_iter().chain(last).collect(), complete),
        }
    }

    fn flush(&mut self) {
        if std::mem::take(&mut self.changed) {
            self.versions.push(self.current.clone());
        }
    }

    /// Everything as rows.
    pub fn write(mut self) -> AnswerWrite {
        self.flush();
        let response = self.opened.then(|| self.response_reference());
        AnswerWrite {
            submission: self.submission.id,
            events: self.events,
            resources: self.versions.into_iter().chain(self.tasks).map(submit::write).collect(),
            payer_claim_control_numbers: self.numbers,
            response,
            answers: self.answers,
            facts: self.facts,
            drafts: self.drafts,
            overtaken: self.overtaken,
        }
    }
}

/// What a statement means for the worklists.
fn facts(part: u32, decision: Decision, response: &PayerResponse, now: Timestamp) -> AnswerFacts {
    let said = [&response.payer_claim_control_number, &response.keys.original_claim_control_number];
    let ended = match decision {
        _ if response.adjudication.is_some() => Ended::Payments(said.into_iter().flatten().cloned().collect()),
        Decision::Accepted | Decision::Pended | Decision::Rejected | Decision::Denied => Ended::Statuses,
        _ => Ended::None,
    };
    let settled = match decision {
        Decision::Informational => &[],
        _ => Awaited::settled_by(&response.transaction, decision == Decision::Rejected),
    };
    let day = jiff::tz::TimeZone::UTC.to_datetime(now).date();
    let number = response.payer_claim_control_number.clone();
    AnswerFacts { part, settled, ended, number, denials: journal::denials(day, response) }
}

/// What money means for the worklists: the reasons of all that stands take the place of all that were listed. What changes
/// nothing leaves them as they are.
fn facts_of_money(
    decision: Decision,
    said: &Said,
    (before, after): (&[Said], &[Said]),
    now: Timestamp,
) -> Vec<AnswerFacts> {
    let part = said.part;
    let first = facts(part, decision, &said.answer, now);
    if before == after {
        return vec![AnswerFacts { ended: Ended::None, denials: Vec::new(), ..first }];
    }
    let ended = AnswerFacts { ended: Ended::Payments(Vec::new()), denials: Vec::new(), ..first };
    let day = jiff::tz::TimeZone::UTC.to_datetime(now).date();
    let stands = after.iter().filter(|said| said.part == part).map(|said| AnswerFacts {
        part,
        number: said.answer.payer_claim_control_number.clone(),
        denials: journal::denials(day, &said.answer),
        ..AnswerFacts::default()
    });
    std::iter::once(ended).chain(stands).collect()
}

/// A statement as it was kept.
fn read(answer: &MatchedAnswer) -> Option<Said> {
    let said = serde_json::from_str(&answer.body).ok()?;
    Some(Said { part: answer.part, answer: said })
}

fn with(mut detail: Value, name: &str, value: &str) -> Value {
    detail[name] = Value::from(value);
    detail
}

/// A payer may take a claim apart and pay its pieces by themselves, each under a number of its own: together they are the
/// claim. Only the newest payment when that is no piece.
fn pieces(standing: Vec<Said>, total: Decimal) -> Vec<Said> {
    let newest = standing.last().cloned();
    let mut pieces: Vec<Said> = Vec::new();
    for said in standing {
        // A number that comes again is the same piece, told anew.
        let number = &said.answer.payer_claim_control_number;
        pieces.retain(|piece| piece.answer.payer_claim_control_number != *number);
        pieces.push(said);
    }
    let charges: Vec<Decimal> = pieces.iter().filter_map(|said| charge(&said.answer)).collect();
    let apart = charges.len() > 1 && charges.iter().all(|charge| *charge < total);
    match apart && charges.iter().sum::<Decimal>() <= total {
        true => pieces,
        false => newest.into_iter().collect(),
    }
}

fn charge(said: &PayerResponse) -> Option<Decimal> {
    said.adjudication.as_ref().map(|adjudication| adjudication.charge)
}

/// A statement as it concerns one claim: its lines bound to the caller's items, and of a 999's complaints only those that
/// are about it.
fn for_claim(claim: &Claim, response: &PayerResponse) -> PayerResponse {
    let mut response = response.clone();
    correlate::bind_lines(&mut response, &claim.record);
    if let (Some(sealed), false) = (&claim.found.sealed, response.complaints.is_empty()) {
        let range = (sealed.first_segment, sealed.last_segment);
        let number = &claim.record.patient_control_number;
        response.complaints = correlate::concerning(&response.complaints, number, range).into_iter().cloned().collect();
    }
    response
}

/// A claim of a refused set about which nothing was said.
fn innocent(decision: Decision, response: &PayerResponse) -> bool {
    decision == Decision::Rejected && response.transaction == "999" && response.complaints.is_empty()
}

fn text(response: &PayerResponse) -> String {
    serde_json::to_string(response).unwrap_or_default()
}

/// Whether a statement changes what the caller sees. An acknowledgment of syntax is an event only.
fn shows(decision: Decision) -> bool {
    !matches!(decision, Decision::Acknowledged | Decision::Informational)
}

/// The mapping's ClaimResponse keeps the id of the one that stands; a reversal cancels it.
fn keep_identity(mut next: Value, current: &Value, decision: Decision) -> Value {
    naming::set_id(&mut next, current["id"].as_str().unwrap_or_default());
    if decision == Decision::Reversed {
        next["status"] = Value::from("cancelled");
    }
    next
}

fn claim_response(
    translator: &Translator,
    told: &Told,
    claim: &Claim,
    response: &PayerResponse,
    now: Timestamp,
) -> Result<Value, Fault> {
    let submission = json!({"claim": told.submission.focal, "payer": told.submission.payer.as_str(), "parts": told.submission.parts.len()});
    let vars = [
        ("claim", (&told.claim).into()),
        ("record", Input::Plain(&claim.record)),
        ("previous", (&told.current).into()),
        ("submission", (&submission).into()),
    ];
    let mapping = mapping_for(told.current["resourceType"].as_str(), response);
    make(translator, mapping, told.submission.payer.as_str(), response.into(), &vars, now)
}

/// The mapping of a remittance.
pub const RECONCILIATION: &str = "response/payment-reconciliation";

/// The PaymentReconciliation of one 835.
pub fn reconciliation(
    translator: &Translator,
    payer: &str,
    remittance: &Remittance,
    now: Timestamp,
) -> Result<Value, Fault> {
    let mut resource = make(translator, RECONCILIATION, payer, remittance.into(), &[], now)?;
    naming::set_id(&mut resource, &uuid::Uuid::now_v7().to_string());
    Ok(resource)
}

/// Whether a row of [`MAPPINGS`] is for an answer: the type of the resource that its caller waits for, if any, and what the
/// payer said.
type Fits = fn(Option<&str>, &PayerResponse) -> bool;

/// The mapping that tells an answer: the first row that fits.
const MAPPINGS: &[(Fits, &str)] = &[
    // Whatever is said of an inquiry about benefits, its caller waits for a resource of this type.
    (|waited, _| waited == Some("CoverageEligibilityResponse"), "response/coverage-eligibility-response"),
    (|waited, said| waited.is_none() && said.eligibility.is_some(), "response/coverage-eligibility-response"),
    (|_, said| said.review.is_some(), "response/review-response"),
    (|waited, said| waited.is_none() && is_acknowledgment(said), "response/acknowledgment"),
    (|_, _| true, "response/claim-response"),
];

fn is_acknowledgment(said: &PayerResponse) -> bool {
    said.adjudication.is_none() && !correlate::names_a_claim(said)
}

fn mapping_for(waited: Option<&str>, response: &PayerResponse) -> &'static str {
    MAPPINGS.iter().find(|(fits, _)| fits(waited, response)).map_or("response/claim-response", |(_, mapping)| mapping)
}

/// The mapping that tells an answer to those who keep no claims.
pub fn mapping_of(response: &PayerResponse) -> &'static str {
    mapping_for(None, response)
}

/// Runs a response mapping. What can't be carried is left out and does not stop the rest: an answer is never dropped.
pub fn make(
    translator: &Translator,
    mapping: &str,
    payer: &str,
    input: Input<'_>,
    vars: &[(&str, Input<'_>)],
    now: Timestamp,
) -> Result<Value, Fault> {
    let now = now.to_string();
    let scope = Scope { payer: translator.facts(payer), now: &now, vars, resources: None };
    let (resource, issues) = mapping_named(translator, mapping)?.make(input, &scope);
    warn(mapping, &issues);
    Ok(resource)
}

/// What could not be carried, for the log.
pub fn warn(mapping: &str, issues: &[Issue]) {
    for issue in issues.iter().filter(|issue| issue.is_error()) {
        tracing::warn!(code = issue.code, mapping, "a part of a payer's answer could not be told in FHIR");
    }
}

/// A response mapping by its name.
pub fn mapping_named<'t>(translator: &'t Translator, name: &str) -> Result<&'t ResponseMapping, Fault> {
    let missing = || Fault::ours(codes::INTERNAL, format!("no mapping {name} is loaded"));
    translator.mappings.response(name).ok_or_else(missing)
}

/// Events that only the gateway makes.
pub fn noted(at: Timestamp, detail: &Value) -> NewEvent {
    event(EventKind::Noted, None, at, detail)
}
