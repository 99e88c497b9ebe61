//! The offline twin of receive: a payer's X12 (or FHIR) in, FHIR out, of any length, without a store. Nothing is remembered beyond one
//! claim; only the details of a long remittance are put aside until its end.

use crate::billing::response::{PayerResponse, Remittance, ResponseParty};
use crate::clock::Clock;
use crate::fault::{Fault, Issue, codes};
use crate::fhir::parse;
use crate::flow::{naming, tell};
use crate::gateway::Translator;
use crate::responses::{Walk, resource};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};

/// Details of a remittance that are told at once.
const DETAILS_AT_ONCE: usize = 1000;
/// Bytes of details that are kept in memory; more go to a file.
const DETAILS_IN_MEMORY: usize = 8 * 1024 * 1024;

/// NM101 of the patient, the nearest first.
const PATIENTS: [&str; 3] = ["QC", "03", "IL"];
/// NM101 of the billing or service provider.
const PROVIDERS: [&str; 2] = ["85", "1P"];

/// As what a claim of an 835 is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// What the provider is told.
    ClaimResponse,
    /// What the patient is shown, in the shape of CARIN Blue Button.
    ExplanationOfBenefit,
}

/// Who takes what is made.
pub trait Sink {
    /// One resource, which `write` writes as JSON on one line.
    fn resource(&mut self, id: &str, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()>;
    fn issue(&mut self, issue: &Issue);
}

/// X12 in, FHIR out. Without a store the claim is known only by what the answer says of it. True when the text held an
/// interchange at all.
pub fn convert(
    translator: &Translator,
    payer: &str,
    told: Told,
    source: impl Read,
    sink: &mut dyn Sink,
) -> Result<bool, Fault> {
    let mut conversion = Conversion {
        translator,
        payer,
        told,
        now: Clock::System.now(),
        submission: json!({"payer": payer}),
        spool: Spool::default(),
        sink,
    };
    let mut source = BufReader::new(source);
    if is_json(&mut source) {
        return conversion.fhir(source);
    }
    let mut walk = Walk::new(&translator.meanings, source);
    let mut any = false;
    while walk.step() {
        conversion.step(&mut walk)?;
        any |= walk.reading.keep_last_envelope();
    }
    Ok(any)
}

/// Whether a source begins as JSON does. One that can't be read is told by whoever reads on.
pub fn is_json(source: &mut impl BufRead) -> bool {
    source.fill_buf().is_ok_and(|head| head.trim_ascii_start().starts_with(b"{"))
}

struct Conversion<'c> {
    translator: &'c Translator,
    payer: &'c str,
    told: Told,
    now: Timestamp,
    submission: Value,
    spool: Spool,
    sink: &'c mut dyn Sink,
}

impl Conversion<'_> {
    /// The answers of a payer that speaks FHIR, told as those of any other.
    fn fhir(&mut self, mut source: impl Read) -> Result<bool, Fault> {
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes).map_err(|error| unwritten(&error))?;
        let body = parse::json(&bytes, self.translator.config.limits.json_depth)?;
        let answers = resource::read(&self.translator.meanings, &body);
        answers.iter().try_for_each(|answer| self.answer(answer))?;
        Ok(!answers.is_empty())
    }

    /// Tells what one step of the walk has read.
    fn step<R: Read>(&mut self, walk: &mut Walk<R>) -> Result<(), Fault> {
        for issue in std::mem::take(&mut walk.reading.issues) {
            self.sink.issue(&issue);
        }
        for response in walk.reading.take() {
            self.answer(&response)?;
        }
        for batch in std::mem::take(&mut walk.reading.batches) {
            self.make("response/acknowledgment", &batch, &json!({}))?;
        }
        if let Some(part) = walk.take_part(DETAILS_AT_ONCE) {
            self.put_aside(&part)?;
        }
        for remittance in std::mem::take(&mut walk.reading.remittances) {
            self.remittance(remittance)?;
        }
        walk.reading.remitted.clear();
        Ok(())
    }

    fn answer(&mut self, response: &PayerResponse) -> Result<(), Fault> {
        let mapping = tell::mapping_of(response);
        let (mapping, claim) = match mapping {
            "response/claim-response" if self.told == Told::ExplanationOfBenefit && response.adjudication.is_some() => {
                ("response/explanation-of-benefit", claim_of(response))
            }
            "response/claim-response" => (mapping, claim_of(response)),
            _ => (mapping, json!({})),
        };
        self.make(mapping, response, &claim)?;
        if !response.requests.is_empty() {
            let claim = json!({"patient": patient_of(response)});
            self.make("response/attachment-request", response, &claim)?;
        }
        Ok(())
    }

    fn make(&mut self, mapping: &str, response: &PayerResponse, claim: &Value) -> Result<(), Fault> {
        let input = serde_json::to_value(response).unwrap_or(Value::Null);
        let none = Value::Null;
        let vars = [("claim", claim), ("record", &none), ("previous", &none), ("submission", &self.submission)];
        let (mut made, issues) = tell::made(self.translator, mapping, self.payer, &input, &vars, self.now)?;
        issues.iter().for_each(|issue| self.sink.issue(issue));
        let id = uuid::Uuid::now_v7().to_string();
        naming::set_id(&mut made, &id);
        self.sink.resource(&id, &mut |out| Ok(serde_json::to_writer(out, &made)?)).map_err(|error| unwritten(&error))
    }

    /// Details of a remittance that goes on.
    fn put_aside(&mut self, part: &Remittance) -> Result<(), Fault> {
        let made = tell::reconciliation(self.translator, self.payer, part, self.now)?;
        let details = made["detail"].as_array().map(Vec::as_slice).unwrap_or_default();
        details.iter().try_for_each(|detail| self.spool.put(detail)).map_err(|error| unwritten(&error))
    }

    fn remittance(&mut self, remittance: Remittance) -> Result<(), Fault> {
        let mut made = tell::reconciliation(self.translator, self.payer, &remittance, self.now)?;
        let id = made["id"].as_str().unwrap_or_default().to_owned();
        let Conversion { spool, sink, .. } = self;
        if spool.is_empty() {
            let mut write = |out: &mut dyn Write| Ok(serde_json::to_writer(out, &made)?);
            return sink.resource(&id, &mut write).map_err(|error| unwritten(&error));
        }
        let last = made.as_object_mut().and_then(|object| object.shift_remove("detail"));
        let last = last.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let written = last.iter().try_for_each(|detail| spool.put(detail)).and_then(|()| {
            sink.resource(&id, &mut |out| {
                let head = made.to_string();
                out.write_all(head.strip_suffix('}').unwrap_or(&head).as_bytes())?;
                out.write_all(b",\"detail\":[")?;
                spool.pour(out)?;
                out.write_all(b"]}")
            })
        });
        spool.clear();
        written.map_err(|error| unwritten(&error))
    }
}

fn unwritten(error: &io::Error) -> Fault {
    Fault::ours(codes::INTERNAL, format!("the output can't be written: {error}"))
}

/// JSON objects put aside, with commas between; beyond a size in a file without a name.
#[derive(Default)]
struct Spool {
    memory: Vec<u8>,
    file: Option<File>,
    count: u64,
}

impl Spool {
    fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn put(&mut self, detail: &Value) -> io::Result<()> {
        if self.count > 0 {
            self.memory.push(b',');
        }
        serde_json::to_writer(&mut self.memory, detail)?;
        self.count += 1;
        if self.memory.len() > DETAILS_IN_MEMORY {
            let file = match &mut self.file {
                Some(file) => file,
                none => none.insert(nameless()?),
            };
            file.write_all(&self.memory)?;
            self.memory.clear();
        }
        Ok(())
    }

    fn pour(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.rewind()?;
            io::copy(file, out)?;
        }
        out.write_all(&self.memory)
    }

    fn clear(&mut self) {
        *self = Spool::default();
    }
}

/// A file that only we can read, and that is gone when we are.
fn nameless() -> io::Result<File> {
    let path = std::env::temp_dir().join(format!("claimgate-{}", uuid::Uuid::new_v4()));
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// The patient as far as an answer tells: whom it names (NM1*QC, else the insured), or what it gives to find the claim by.
fn patient_of(response: &PayerResponse) -> Value {
    let keys = &response.keys;
    let parties = || response.adjudication.iter().flat_map(|claim| &claim.parties).chain(&response.parties);
    let named = PATIENTS.iter().find_map(|entity| parties().find(|party| party.entity == *entity));
    let name = match named.map(|named| &named.party) {
        Some(party) => vec![&party.first_name, &party.middle_name, &party.last_name, &party.suffix],
        None => vec![&keys.patient_first_name, &keys.patient_last_name],
    };
    let name: Vec<&str> = name.into_iter().flatten().map(String::as_str).collect();
    let own = named.and_then(|named| named.id.as_ref());
    let mut patient = json!({});
    if let Some(number) = own.or(keys.member_id.as_ref()) {
        patient["identifier"] = json!({"value": number});
    }
    if !name.is_empty() {
        patient["display"] = Value::from(name.join(" "));
    } else if patient["identifier"].is_null() {
        patient["display"] = Value::from("not named in the answer");
    }
    patient
}

/// The claim as far as an answer tells it.
fn claim_of(response: &PayerResponse) -> Value {
    let kind = json!([{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": kind_of(response)}]);
    let mut claim = json!({
        "resourceType": "Claim",
        "status": "active",
        "type": {"coding": kind},
        "use": "claim",
        "patient": patient_of(response),
    });
    if let Some(number) = &response.keys.patient_control_number {
        claim["identifier"] = json!([{"value": number}]);
    }
    if let Some(provider) = response.parties.iter().find(|party| PROVIDERS.contains(&party.entity.as_str())) {
        claim["provider"] = provider_of(provider);
    }
    claim
}

/// The provider as a 277CA or 277 names it.
fn provider_of(named: &ResponseParty) -> Value {
    let party = &named.party;
    let name = [&party.first_name, &party.middle_name, &party.last_name, &party.suffix];
    let name: Vec<&str> = name.into_iter().flatten().map(String::as_str).collect();
    let mut provider =
        json!({"display": if name.is_empty() { "not named in the answer".into() } else { name.join(" ") }});
    if let Some(number) = &named.id {
        provider["identifier"] = match named.id_qualifier.as_deref() {
            Some("XX") => json!({"system": "http://hl7.org/fhir/sid/us-npi", "value": number}),
            _ => json!({"value": number}),
        };
    }
    provider
}

/// Dental by its codes, institutional by what only hospitals have, else professional.
fn kind_of(response: &PayerResponse) -> &'static str {
    let adjudication = response.adjudication.as_ref();
    let mut lines = response.lines.iter().chain(adjudication.iter().flat_map(|adjudication| &adjudication.lines));
    if lines.clone().any(|line| line.code.qualifier == "AD") {
        return "oral";
    }
    let revenue = lines.any(|line| line.revenue_code.is_some() || line.code.qualifier == "NU");
    let stay = adjudication.is_some_and(|claim| {
        claim.drg.is_some() || claim.details.first().is_some_and(|detail| detail.name.starts_with("mia"))
    });
    let bill = response.references.iter().any(|reference| reference.qualifier == "BLT");
    if revenue || stay || bill { "institutional" } else { "professional" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spool_gives_back_what_was_put_in() {
        let mut spool = Spool::default();
        let detail = json!({"text": "x".repeat(1000)});
        (0..10_000).for_each(|_| spool.put(&detail).unwrap());
        assert!(spool.file.is_some(), "ten megabytes are too much for memory");
        let mut out = b"[".to_vec();
        spool.pour(&mut out).unwrap();
        out.push(b']');
        let all: Vec<Value> = serde_json::from_slice(&out).unwrap();
        assert_eq!((all.len(), &all[9_999]), (10_000, &detail));
    }
}
