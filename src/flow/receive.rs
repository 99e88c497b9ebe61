//! What a payer answers comes home: kept, read, matched, told. One file is one transaction; the same file again changes
//! nothing, and a file that nobody can read is kept and said so.

use crate::billing::id::{InterchangeId, PayerId, SubmissionId};
use crate::billing::journal::About;
use crate::billing::journey::EventKind;
use crate::billing::record::BillingRecord;
use crate::billing::response::{Decision, PayerResponse, Remittance};
use crate::fault::{Fault, Issue, codes};
use crate::fhir::parse;
use crate::flow::tell::{self, Told};
use crate::flow::{acknowledge, complaint, journal, lookup, next, status, submit, unmatched};
use crate::gateway::{Gateway, Translator};
use crate::responses::correlate::{self, Candidate, Match};
use crate::responses::{self, Reading, pairing, resource};
use crate::store::{AnswerWrite, DEFAULT_TENANT, Found, Inbound, InboundWrite, NewEvent, Query, UnmatchedAnswer};
use crate::telemetry::{self, name};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ops::Range;

/// What a file did.
#[derive(Debug, Default)]
pub struct Received {
    /// The same bytes were taken in before.
    pub repeated: bool,
    pub matched: usize,
    pub unmatched: usize,
    /// What was wrong with the file.
    pub issues: Vec<Issue>,
    /// TA1 or 999 to send back; empty when none is due.
    pub acknowledgment: Vec<u8>,
    /// What was asked in it is answered so: 277; empty when nothing was asked.
    pub answer: Vec<u8>,
}

/// The journey.
pub async fn receive(gateway: &Gateway, payer: &PayerId, name: &str, bytes: Vec<u8>) -> Result<Received, Fault> {
    let reading = read(&gateway.translator, &bytes);
    let acknowledgment = acknowledge::answer(&gateway.translator, Some(payer.as_str()), &bytes, gateway.clock.now());
    let file = Inbound {
        id: InterchangeId::make(),
        tenant: DEFAULT_TENANT.to_owned(),
        payer: payer.clone(),
        hash: hash(&bytes),
        name: name.to_owned(),
        bytes,
        at: gateway.clock.now(),
    };
    // A question is answered as often as it is asked.
    let answer = status::answer(gateway, payer, &file.bytes).await?;
    let (id, size) = (file.id.clone(), file.bytes.len());
    let new = gateway.store.receive(file).await?;
    count_file(payer, size, new);
    if !new {
        return Ok(Received { repeated: true, answer, ..Received::default() });
    }
    let mut inbox = Inbox::new(gateway, payer, name, &id);
    for position in pairing::order(&reading.responses) {
        inbox.take(position, &reading.responses[position]).await?;
    }
    for (remittance, claims) in reading.remittances.iter().zip(&reading.remitted) {
        inbox.reconcile(remittance, claims.clone()).await?;
    }
    inbox.follow().await?;
    let (write, matched) = inbox.close(&reading);
    let unmatched = write.unmatched.len();
    gateway.store.apply(&id, write).await?;
    if matched > 0 {
        // What this file told may be what an earlier answer was waiting for.
        unmatched::retry(gateway, payer).await?;
    }
    telemetry::issues(&reading.issues);
    Ok(Received { repeated: false, matched, unmatched, issues: reading.issues, acknowledgment, answer })
}

/// X12, or FHIR from a payer that speaks it.
fn read(translator: &Translator, bytes: &[u8]) -> Reading {
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return responses::read(&translator.meanings, bytes);
    }
    match parse::json(bytes, translator.config.limits.json_depth) {
        Ok(resource) => Reading { responses: resource::read(&translator.meanings, &resource), ..Reading::default() },
        Err(fault) => Reading { issues: fault.issues, ..Reading::default() },
    }
}

fn count_file(payer: &PayerId, bytes: usize, new: bool) {
    let outcome = if new { "taken" } else { "repeated" };
    metrics::counter!(name::RECEIVED, "payer" => payer.as_str().to_owned(), "outcome" => outcome).increment(1);
    metrics::counter!(name::RECEIVED_BYTES, "payer" => payer.as_str().to_owned()).increment(bytes as u64);
}

fn count_statement(response: &PayerResponse, outcome: &'static str) {
    metrics::counter!(name::STATEMENTS, "kind" => response.transaction.clone(), "outcome" => outcome).increment(1);
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One file being taken in: what it changes is gathered here and written at once.
struct Inbox<'a> {
    gateway: &'a Gateway,
    payer: &'a PayerId,
    name: &'a str,
    id: &'a InterchangeId,
    open: BTreeMap<SubmissionId, Told>,
    unmatched: Vec<UnmatchedAnswer>,
    resources: Vec<Value>,
    /// Which claim a statement was told to, by its position: `Claim/…` and `ClaimResponse/…`.
    settled: BTreeMap<usize, (String, String)>,
    /// And whose it is.
    told: BTreeMap<usize, SubmissionId>,
    matched: usize,
}

impl<'a> Inbox<'a> {
    fn new(gateway: &'a Gateway, payer: &'a PayerId, name: &'a str, id: &'a InterchangeId) -> Inbox<'a> {
        Inbox {
            gateway,
            payer,
            name,
            id,
            open: BTreeMap::new(),
            unmatched: Vec::new(),
            resources: Vec::new(),
            settled: BTreeMap::new(),
            told: BTreeMap::new(),
            matched: 0,
        }
    }

    /// One statement: found, and told to each claim that it is about.
    async fn take(&mut self, position: usize, response: &PayerResponse) -> Result<(), Fault> {
        let (claims, reason) = match find(self.gateway, self.payer, response).await? {
            Sought::Found(claims, reason) => (claims, reason),
            Sought::Nobody(reason, candidates) => {
                count_statement(response, "unmatched");
                self.set_aside(position, response, reason, candidates);
                return Ok(());
            }
        };
        count_statement(response, "matched");
        self.matched += 1;
        for claim in claims {
            self.tell(position, response, &claim, &reason).await?;
        }
        Ok(())
    }

    async fn tell(
        &mut self,
        position: usize,
        response: &PayerResponse,
        claim: &Claim,
        reason: &str,
    ) -> Result<(), Fault> {
        let id = claim.found.submission.id.clone();
        if !self.open.contains_key(&id) {
            let told = Told::open(self.gateway, claim.found.submission.clone()).await?;
            self.open.insert(id.clone(), told);
        }
        let file = File { name: Some(self.name), id: self.id, position };
        let detail = detail(&file, response, reason);
        let Some(told) = self.open.get_mut(&id) else { return Ok(()) };
        let response = complaint::in_callers_words(self.gateway, claim, response).await;
        told.hear(self.gateway, claim, &response, detail)?;
        self.settled.insert(position, (told.submission.focal.clone(), told.response_reference()));
        self.told.entry(position).or_insert(id);
        Ok(())
    }

    fn set_aside(&mut self, position: usize, response: &PayerResponse, reason: String, candidates: Vec<SubmissionId>) {
        self.unmatched.push(UnmatchedAnswer {
            inbound: self.id.clone(),
            payer: self.payer.clone(),
            position: position as u32,
            body: serde_json::to_string(response).unwrap_or_default(),
            reason,
            candidates,
            row: 0,
        });
    }

    /// The PaymentReconciliation of one 835, unless another file has told of the same payment; `claims` are the positions of
    /// its statements, CLP by CLP.
    async fn reconcile(&mut self, remittance: &Remittance, claims: Range<usize>) -> Result<(), Fault> {
        let mut remittance = remittance.clone();
        for (claim, position) in remittance.claims.iter_mut().zip(claims) {
            if let Some((request, response)) = self.settled.get(&position) {
                claim.request = Some(request.clone());
                claim.response = Some(response.clone());
            }
        }
        let now = self.gateway.clock.now();
        let told = tell::reconciliation(&self.gateway.translator, self.payer.as_str(), &remittance, now)?;
        if !is_told(self.gateway, &told).await? {
            self.resources.push(told);
        }
        Ok(())
    }

    /// What comes next for each claim that was told something.
    async fn follow(&mut self) -> Result<(), Fault> {
        for told in self.open.values_mut() {
            next::follow(self.gateway, told).await?;
        }
        Ok(())
    }

    fn close(self, reading: &Reading) -> (InboundWrite, usize) {
        let about = About { payer: self.payer.as_str(), day: journal::day(self.gateway.clock.now()) };
        let journal = journal::of_reading(&about, reading, &self.told);
        let answers: Vec<AnswerWrite> = self.open.into_values().map(Told::write).collect();
        let resources = self.resources.into_iter().map(submit::write).collect();
        (InboundWrite { answers, unmatched: self.unmatched, resources, journal }, self.matched)
    }
}

/// Whether there is a PaymentReconciliation of the same payment that says the same.
async fn is_told(gateway: &Gateway, reconciliation: &Value) -> Result<bool, Fault> {
    let Some(trace) = reconciliation["paymentIdentifier"]["value"].as_str() else { return Ok(false) };
    let conditions = vec![("payment-identifier".to_owned(), vec![trace.to_owned()])];
    let query = Query { kind: "PaymentReconciliation".into(), conditions, limit: SAME_NUMBER, ..Query::default() };
    let known = gateway.store.search(DEFAULT_TENANT, &query).await?;
    let wanted = bare(reconciliation.clone());
    Ok(known.iter().filter_map(|known| serde_json::from_str(&known.body).ok()).any(|known| bare(known) == wanted))
}

/// Payments of one number that are looked through.
const SAME_NUMBER: usize = 20;

/// A PaymentReconciliation without what differs each time that it is made.
fn bare(mut reconciliation: Value) -> Value {
    if let Some(object) = reconciliation.as_object_mut() {
        ["id", "created"].iter().for_each(|name| drop(object.shift_remove(*name)));
    }
    for detail in reconciliation["detail"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        // The claim may have a newer answer since.
        detail.shift_remove("response");
    }
    reconciliation
}

/// What came of looking for the claims that a statement is about.
pub enum Sought {
    /// These, and why.
    Found(Vec<Claim>, String),
    /// Why none; and those that it fits equally well.
    Nobody(String, Vec<SubmissionId>),
}

/// The claims that a statement is about, by the strongest key that finds any.
pub async fn find(gateway: &Gateway, payer: &PayerId, response: &PayerResponse) -> Result<Sought, Fault> {
    let mut nobody = ("it names no number of ours".to_owned(), Vec::new());
    let mut told = false;
    for key in correlate::keys(response) {
        let found = gateway.store.find(Some(payer), &key).await?;
        let claims: Vec<Claim> = found.into_iter().map(Claim::of).collect();
        match choose(response, claims) {
            // Of those that a stronger key has found a weaker one may tell which is meant, but it brings no other.
            Sought::Found(claims, reason) if claims.iter().all(|claim| is_among(claim, &nobody.1)) => {
                return Ok(Sought::Found(claims, reason));
            }
            Sought::Nobody(reason, alike) if nobody.1.is_empty() && !(told && reason == correlate::NOT_FOUND) => {
                told = reason != correlate::NOT_FOUND;
                nobody = (reason, alike);
            }
            Sought::Found(..) | Sought::Nobody(..) => {}
        }
    }
    Ok(Sought::Nobody(nobody.0, nobody.1))
}

fn is_among(claim: &Claim, alike: &[SubmissionId]) -> bool {
    alike.is_empty() || alike.contains(&claim.found.submission.id)
}

/// A claim of ours that a key found.
pub struct Claim {
    pub found: Found,
    pub record: BillingRecord,
}

impl Claim {
    pub fn of(found: Found) -> Claim {
        let part = found.submission.parts.iter().find(|part| part.number == found.part);
        let record = part.and_then(|part| serde_json::from_str(&part.record).ok()).unwrap_or_default();
        Claim { found, record }
    }

    fn candidate(&self) -> Candidate {
        Candidate {
            record: self.record.clone(),
            segments: self.found.sealed.as_ref().map(|sealed| (sealed.first_segment, sealed.last_segment)),
            batch_number: self.found.sealed.as_ref().map(|sealed| sealed.batch_number.clone()),
            payer_claim_control_number: self.found.payer_claim_control_number.clone(),
            superseded: self.found.submission.superseded.is_some(),
        }
    }
}

/// Which of the found claims a statement is about.
fn choose(response: &PayerResponse, claims: Vec<Claim>) -> Sought {
    let candidates: Vec<Candidate> = claims.iter().map(Claim::candidate).collect();
    match correlate::choose(response, &candidates) {
        Match::These { chosen, reason } => {
            let claims = claims.into_iter().enumerate().filter(|(n, _)| chosen.contains(n));
            Sought::Found(claims.map(|(_, claim)| claim).collect(), reason)
        }
        Match::None { reason, alike } => {
            Sought::Nobody(reason, alike.into_iter().map(|n| claims[n].found.submission.id.clone()).collect())
        }
    }
}

/// Where a statement came from.
pub struct File<'f> {
    pub name: Option<&'f str>,
    pub id: &'f InterchangeId,
    pub position: usize,
}

/// What the journey shows of a statement: no PHI, only numbers and codes.
pub fn detail(file: &File, response: &PayerResponse, reason: &str) -> Value {
    let codes: Vec<String> = response
        .statuses
        .iter()
        .map(|status| {
            [Some(&status.category), status.code.as_ref(), status.entity.as_ref()]
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(":")
        })
        .chain(response.complaints.iter().map(|complaint| format!("{} {}", complaint.list, complaint.code)))
        .collect();
    let mut detail = json!({
        "transaction": response.transaction,
        "file": file.name,
        "inbound": file.id.as_str(),
        "statement": file.position + 1,
        "from": response.payer_name,
        "interchange": response.source.interchange_control_number,
        "group": response.source.group_control_number,
        "set": response.source.transaction_set_control_number,
        "segments": [response.source.first_segment, response.source.last_segment],
        "codes": codes,
        "match": reason,
    });
    if let Some(adjudication) = &response.adjudication {
        detail["amounts"] = json!({
            "charge": adjudication.charge,
            "paid": adjudication.paid,
            "patientResponsibility": adjudication.patient_responsibility,
        });
        detail["payerClaimControlNumber"] = json!(response.payer_claim_control_number);
        detail["traceNumber"] = json!(response.payment.as_ref().map(|payment| &payment.trace_number));
    }
    detail
}

/// The event that a decision is.
pub fn event_of(decision: Decision) -> EventKind {
    match decision {
        Decision::Acknowledged => EventKind::Acknowledged,
        Decision::Forwarded => EventKind::Forwarded,
        Decision::Accepted => EventKind::Accepted,
        Decision::Rejected => EventKind::Rejected,
        Decision::Pended => EventKind::Pended,
        Decision::Adjudicated => EventKind::Adjudicated,
        Decision::Denied => EventKind::Denied,
        Decision::Reversed => EventKind::Reversed,
        Decision::Informational => EventKind::Noted,
    }
}

/// The next version of a ClaimResponse whose claim could not be delivered.
pub async fn undeliverable(gateway: &Gateway, id: &SubmissionId) -> Result<Option<Value>, Fault> {
    let Some(submission) = gateway.store.submission(id).await? else { return Ok(None) };
    let Some(mut response) = lookup::read_reference(gateway, &submission.tenant, &submission.response).await? else {
        return Ok(None);
    };
    response["outcome"] = Value::from("error");
    response["disposition"] = Value::from("The claim could not be delivered to the payer");
    let code = json!({"coding": [{"system": tell::ERROR_SYSTEM, "code": codes::PAYER_UNREACHABLE}], "text": "Not delivered: release it to try again"});
    response["error"] = json!([{"code": code}]);
    Ok(Some(response))
}

/// Moves an event into a row.
pub fn event(kind: EventKind, part: Option<u32>, at: jiff::Timestamp, detail: &Value) -> NewEvent {
    NewEvent { kind, part, at, detail: detail.to_string() }
}
