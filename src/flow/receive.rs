//! What a payer answers comes home: kept, read, matched, told. One file is one transaction; the same file again changes
//! nothing, and a file that nobody can read is kept and said so.

use crate::billing::id::{InterchangeId, PayerId, SubmissionId};
use crate::billing::journey::EventKind;
use crate::billing::response::{Decision, PayerResponse, Remittance};
use crate::fault::{Fault, Issue, codes};
use crate::flow::tell::{self, Told};
use crate::flow::{lookup, submit};
use crate::gateway::Gateway;
use crate::responses::correlate::{self, Candidate, Match};
use crate::responses::{self, Reading};
use crate::store::{AnswerWrite, Found, InboundWrite, Key, NewEvent, NewInbound, UnmatchedAnswer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

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
}

/// The journey.
pub async fn receive(gateway: &Gateway, payer: &PayerId, name: &str, bytes: Vec<u8>) -> Result<Received, Fault> {
    let id = InterchangeId::make();
    let file = NewInbound {
        id: id.clone(),
        payer: payer.clone(),
        hash: hash(&bytes),
        name: name.to_owned(),
        bytes: bytes.clone(),
        at: gateway.clock.now(),
    };
    if !gateway.store.receive(file).await? {
        return Ok(Received { repeated: true, ..Received::default() });
    }
    let reading = responses::read(&gateway.translator.guides, &gateway.translator.meanings, &bytes);
    let mut inbox = Inbox::new(gateway, payer, name, &id);
    for (position, response) in reading.responses.iter().enumerate() {
        inbox.take(position as u32, response).await?;
    }
    for remittance in &reading.remittances {
        inbox.reconcile(remittance)?;
    }
    let (write, matched) = inbox.close();
    let unmatched = write.unmatched.len();
    gateway.store.apply(&id, write).await?;
    let acknowledgment = acknowledgment(gateway, payer, &bytes, &reading);
    Ok(Received { repeated: false, matched, unmatched, issues: reading.issues, acknowledgment })
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// TA1 and 999 for what was received; nothing for what acknowledges itself.
fn acknowledgment(gateway: &Gateway, payer: &PayerId, bytes: &[u8], reading: &Reading) -> Vec<u8> {
    let _ = (payer, reading);
    crate::flow::acknowledge::answer(&gateway.translator, bytes, gateway.clock.now())
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
    /// Which claim each CLP belongs to, for the reconciliation: patient and payer control number → references.
    settled: Vec<(String, Option<String>, String, String)>,
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
            settled: Vec::new(),
            matched: 0,
        }
    }

    /// One statement: found, and told to each submission it is about.
    async fn take(&mut self, position: u32, response: &PayerResponse) -> Result<(), Fault> {
        let found = self.find(response).await?;
        if found.is_empty() {
            self.set_aside(position, response, "no submission has these control numbers");
            return Ok(());
        }
        let candidates: Vec<Candidate> = found.iter().map(candidate).collect();
        match correlate::choose(response, &candidates) {
            Match::These { chosen, reason } => {
                for n in chosen {
                    self.tell(position, response, &found[n], &reason).await?;
                }
                self.matched += 1;
            }
            Match::None { reason } => self.set_aside(position, response, &reason),
        }
        Ok(())
    }

    /// Candidates by the strongest key that finds any.
    async fn find(&self, response: &PayerResponse) -> Result<Vec<Found>, Fault> {
        for key in correlate::keys(response) {
            let found = self.gateway.store.find(Some(self.payer), &store_key(key)).await?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    async fn tell(&mut self, position: u32, response: &PayerResponse, found: &Found, reason: &str) -> Result<(), Fault> {
        let id = found.submission.id.clone();
        if !self.open.contains_key(&id) {
            let told = Told::open(self.gateway, found.submission.clone()).await?;
            self.open.insert(id.clone(), told);
        }
        let Some(told) = self.open.get_mut(&id) else { return Ok(()) };
        let detail = detail(self.name, position, response, reason);
        told.hear(self.gateway, found, response, detail)?;
        if response.adjudication.is_some() {
            let claim = told.submission.focal.clone();
            let pcn = response.keys.patient_control_number.clone().unwrap_or_default();
            self.settled.push((pcn, response.payer_claim_control_number.clone(), claim, told.response_reference()));
        }
        Ok(())
    }

    fn set_aside(&mut self, position: u32, response: &PayerResponse, reason: &str) {
        self.unmatched.push(UnmatchedAnswer {
            inbound: self.id.clone(),
            payer: self.payer.clone(),
            position,
            body: serde_json::to_string(response).unwrap_or_default(),
            reason: reason.to_owned(),
        });
    }

    /// The PaymentReconciliation of one 835.
    fn reconcile(&mut self, remittance: &Remittance) -> Result<(), Fault> {
        let mut remittance = remittance.clone();
        for claim in &mut remittance.claims {
            let known = self.settled.iter().find(|(pcn, number, _, _)| {
                *pcn == claim.patient_control_number && *number == claim.payer_claim_control_number
            });
            if let Some((_, _, request, response)) = known {
                claim.request = Some(request.clone());
                claim.response = Some(response.clone());
            }
        }
        let resource = tell::reconciliation(&self.gateway.translator, self.payer.as_str(), &remittance, self.gateway.clock.now())?;
        self.resources.push(resource);
        Ok(())
    }

    fn close(self) -> (InboundWrite, usize) {
        let answers: Vec<AnswerWrite> = self.open.into_values().map(Told::write).collect();
        let resources = self.resources.into_iter().map(submit::write).collect();
        (InboundWrite { answers, unmatched: self.unmatched, resources }, self.matched)
    }
}

fn store_key(key: correlate::Key) -> Key {
    match key {
        correlate::Key::InterchangeControlNumber(number) => Key::InterchangeControlNumber(number),
        correlate::Key::GroupControlNumber(group, set) => Key::GroupControlNumber(group, set),
        correlate::Key::BatchNumber(number) => Key::BatchNumber(number),
        correlate::Key::PatientControlNumber(number) => Key::PatientControlNumber(number),
        correlate::Key::PatientControlNumberPrefix(prefix) => Key::PatientControlNumberPrefix(prefix),
        correlate::Key::TraceNumber(number) => Key::TraceNumber(number),
        correlate::Key::PayerClaimControlNumber(number) => Key::PayerClaimControlNumber(number),
    }
}

/// A found part as correlation sees it: its record and where it stands in what we sent.
fn candidate(found: &Found) -> Candidate {
    let part = found.submission.parts.iter().find(|part| part.number == found.part);
    let record = part.and_then(|part| serde_json::from_str(&part.record).ok()).unwrap_or_default();
    let segments = found.sealed.as_ref().map(|sealed| (sealed.first_segment, sealed.last_segment));
    Candidate { record, segments, payer_claim_control_number: found.payer_claim_control_number.clone() }
}

/// What the journey shows of a statement: no PHI, only numbers and codes.
fn detail(name: &str, position: u32, response: &PayerResponse, reason: &str) -> Value {
    let codes: Vec<String> = response
        .statuses
        .iter()
        .map(|status| [Some(&status.category), status.code.as_ref(), status.entity.as_ref()].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(":"))
        .chain(response.complaints.iter().map(|complaint| format!("{} {}", complaint.list, complaint.code)))
        .collect();
    json!({
        "transaction": response.transaction,
        "file": name,
        "statement": position + 1,
        "interchange": response.source.interchange_control_number,
        "set": response.source.transaction_set_control_number,
        "segments": [response.source.first_segment, response.source.last_segment],
        "codes": codes,
        "match": reason,
    })
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
