//! The offline twin of receive: a payer's X12 (or FHIR) in, FHIR out, of any length, without a store. Nothing is remembered beyond one
//! claim; only the details of a long remittance are put aside until its end.

use crate::billing::response::{PayerResponse, Remittance};
use crate::clock::Clock;
use crate::fault::{Fault, Issue, codes};
use crate::fhir::parse;
use crate::flow::tell;
use crate::gateway::Translator;
use crate::mapping::draft::Draft;
use crate::mapping::maker::Pick;
use crate::mapping::{Input, Scope};
use crate::responses::{Walk, requests, resource};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};

mod claim;

use claim::ToldClaim;

/// Details of a remittance that are told at once.
const DETAILS_AT_ONCE: usize = 1000;
/// Bytes of details that are kept in memory; more go to a file.
const DETAILS_IN_MEMORY: usize = 8 * 1024 * 1024;

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
    let now = Clock::System.now().to_string();
    let mut conversion = Conversion {
        translator,
        payer,
        told,
        now: &now,
        submission: json!({"payer": payer}),
        spool: Spool::default(),
        draft: Draft::default(),
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
    /// `%now`, the same for the whole file.
    now: &'c str,
    submission: Value,
    spool: Spool,
    /// What is made is written here, again and again.
    draft: Draft,
    sink: &'c mut dyn Sink,
}

impl<'c> Conversion<'c> {
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
            self.make("response/acknowledgment", &batch, &ToldClaim::default())?;
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
                ("response/explanation-of-benefit", ToldClaim::of(response))
            }
            "response/claim-response" => (mapping, ToldClaim::of(response)),
            _ => (mapping, ToldClaim::default()),
        };
        self.make(mapping, response, &claim)?;
        if response.requests.is_empty() {
            return Ok(());
        }
        let claim = ToldClaim::with_patient(response);
        requests::each(response).try_for_each(|asked| self.make("response/attachment-request", &asked, &claim))
    }

    fn make(&mut self, mapping: &str, response: &PayerResponse, claim: &ToldClaim) -> Result<(), Fault> {
        let vars = [("claim", Input::Plain(claim)), ("submission", Input::Json(&self.submission))];
        let (mapping, id) = (tell::mapping_named(self.translator, mapping)?, uuid::Uuid::now_v7().to_string());
        self.draft.cut(0);
        let issues = mapping.write(response, &self.scope(&vars), (&id, |_| true), &mut self.draft);
        issues.iter().for_each(|issue| self.sink.issue(issue));
        let Conversion { draft, sink, .. } = self;
        sink.resource(&id, &mut |out| out.write_all(draft.since(0))).map_err(|error| unwritten(&error))
    }

    fn scope<'s>(&self, vars: &'s [(&'s str, Input<'s>)]) -> Scope<'s>
    where
        'c: 's,
    {
        Scope { payer: self.translator.facts(self.payer), now: self.now, vars, resources: None }
    }

    /// Details of a remittance that goes on.
    fn put_aside(&mut self, part: &Remittance) -> Result<(), Fault> {
        let mapping = tell::mapping_named(self.translator, tell::RECONCILIATION)?;
        self.draft.cut(0);
        let issues = mapping.write_part(part, &self.scope(&[]), |name| name == "detail", &mut self.draft);
        tell::warn(tell::RECONCILIATION, &issues);
        let details = self.draft.since(0).strip_prefix(DETAILS).and_then(|rest| rest.strip_suffix(b"]}"));
        details.map_or(Ok(()), |details| self.spool.put(details)).map_err(|error| unwritten(&error))
    }

    fn remittance(&mut self, remittance: Remittance) -> Result<(), Fault> {
        if !self.spool.is_empty() {
            self.put_aside(&remittance)?;
        }
        let (mapping, id) =
            (tell::mapping_named(self.translator, tell::RECONCILIATION)?, uuid::Uuid::now_v7().to_string());
        let pick: Pick = if self.spool.is_empty() { |_| true } else { |name| name != "detail" };
        self.draft.cut(0);
        let issues = mapping.write(&remittance, &self.scope(&[]), (&id, pick), &mut self.draft);
        tell::warn(tell::RECONCILIATION, &issues);
        let Conversion { draft, spool, sink, .. } = self;
        let written = sink.resource(&id, &mut |out| {
            if spool.is_empty() {
                return out.write_all(draft.since(0));
            }
            let head = draft.since(0);
            out.write_all(head.strip_suffix(b"}").unwrap_or(head))?;
            out.write_all(b",\"detail\":[")?;
            spool.pour(out)?;
            out.write_all(b"]}")
        });
        self.spool.clear();
        written.map_err(|error| unwritten(&error))
    }
}

/// How an object begins that holds nothing but details.
const DETAILS: &[u8] = b"{\"detail\":[";

fn unwritten(error: &io::Error) -> Fault {
    Fault::ours(codes::INTERNAL, format!("the output can't be written: {error}"))
}

/// JSON objects put aside, with commas between; beyond a size in a file without a name.
#[derive(Default)]
struct Spool {
    memory: Vec<u8>,
    file: Option<File>,
    any: bool,
}

impl Spool {
    fn is_empty(&self) -> bool {
        !self.any
    }

    /// Some objects, with commas between them.
    fn put(&mut self, details: &[u8]) -> io::Result<()> {
        if !self.is_empty() {
            self.memory.push(b',');
        }
        self.memory.extend_from_slice(details);
        self.any = true;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spool_gives_back_what_was_put_in() {
        let mut spool = Spool::default();
        let detail = json!({"text": "x".repeat(1000)});
        (0..5_000).for_each(|_| spool.put(format!("{detail},{detail}").as_bytes()).unwrap());
        assert!(spool.file.is_some(), "ten megabytes are too much for memory");
        let mut out = b"[".to_vec();
        spool.pour(&mut out).unwrap();
        out.push(b']');
        let all: Vec<Value> = serde_json::from_slice(&out).unwrap();
        assert_eq!((all.len(), &all[9_999]), (10_000, &detail));
    }
}
