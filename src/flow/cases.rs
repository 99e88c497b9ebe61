//! Lives of claims as folders of data (`conformance/cases/<name>/`), walked forth and back on a gateway of their own:
//! request.json → record.json → 837p.x12 (837i.x12, 837d.x12) → the payer's answers → claim-response.json and journey.txt.
//! `CLAIMGATE_BLESS=1` rewrites what is expected. `claimgate mapping test` and the tests of this crate walk them.

use crate::billing::id::{PayerId, SubmissionId};
use crate::clock::Clock;
use crate::config::Config;
use crate::fault::{Fault, Issue, Place, codes};
use crate::flow::convert::{self, Sink, Told};
use crate::flow::dispatch::Dispatched;
use crate::flow::{dispatch, hold, lookup, prepare, receive, submit, translate, worklist};
use crate::gateway::{Gateway, Translator};
use crate::store::{ClaimPart, DEFAULT_TENANT, Query, Submission};
use expected::{agrees, pretty, steady};
use serde_json::Value;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub mod expected;

/// The answers in the order in which payers give them; several of a kind are told apart by a number behind the name.
const ANSWERS: &[&str] = &["ta1", "999", "277ca", "277", "835"];

/// Guide, and the name of the file that its interchange is compared with.
const SENT: &[(&str, &str)] = &[("005010X223", "837i.x12"), ("005010X224", "837d.x12"), ("005010X222", "837p.x12")];

/// Name of what was sent by a guide without a row.
const SENT_OTHERWISE: &str = "sent.x12";

/// Drafts that one claim may bring up.
const DRAFTS_MOST: usize = 10;

/// The day on which all cases happen.
const DAY: jiff::Timestamp = jiff::Timestamp::constant(1_773_144_000, 0);

/// The case folders below a folder, or the folder itself when it is one.
pub fn all(folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    if is_case(folder) {
        return Ok(vec![folder.to_owned()]);
    }
    let mut cases = entries(folder)?;
    cases.retain(|case| is_case(case));
    cases.sort();
    Ok(cases)
}

fn is_case(folder: &Path) -> bool {
    folder.join("request.json").is_file()
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error.to_string()))?;
    Ok(entries.flatten().map(|entry| entry.path()).collect())
}

fn text(file: &Path) -> Result<String, Fault> {
    std::fs::read_to_string(file).map_err(|error| unreadable(file, &error.to_string()))
}

fn unreadable(path: &Path, error: &str) -> Fault {
    let at = Place::File { path: path.display().to_string(), line: 0, column: 0 };
    Fault::refuse(codes::JSON_SYNTAX, at, format!("can't be read: {error}"), "a case is a folder with a request.json")
}

/// Walks one case; answers what differs from what is expected. The mappings are the translator's, the store is new.
pub async fn walk(translator: &Translator, case: &Path) -> Result<Vec<String>, Fault> {
    let home = Home::make();
    let config = Config {
        data_dir: home.0.clone(),
        default_payer: Some("generic".into()),
        amqp_url: None,
        ..translator.config.clone()
    };
    let gateway = Gateway::with(translator.elsewhere(config)?, Clock::fixed(DAY))?;
    let request = case.join("request.json");
    let body = serde_json::from_str(&text(&request)?).map_err(|error| unreadable(&request, &error.to_string()))?;
    let request = submit::Request { tenant: DEFAULT_TENANT.into(), body, idempotency_key: None };
    match submit::submit(&gateway, request).await {
        Ok(answer) => Life { gateway: &gateway, case }.walk(&answer).await,
        Err(fault) => Ok(vec![format!("{}: refused: {fault}", case.display())]),
    }
}

/// Uses the mappings for what lies beside the cases: requests (`conformance/requests/<name>/`, mapped for each payer that a
/// file is named after) and answers of payers (`conformance/answers`, told in FHIR). What they must give is held by the tests.
pub fn use_samples(translator: &Translator) -> Result<(), Fault> {
    let folder = &translator.config.conformance_dir;
    for request in all(&folder.join("requests"))? {
        let body =
            std::fs::read(request.join("request.json")).map_err(|error| unreadable(&request, &error.to_string()))?;
        for file in entries(&request)? {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let stem = name.split('.').next().unwrap_or_default();
            let inquiry = stem.ends_with(INQUIRY).then(prepare::Inquiry::default);
            let payer = stem.trim_end_matches(INQUIRY);
            if translator.payers.get(payer).is_some() {
                // What a payer does not take is refused, and uses rules all the same.
                let _ = translate::map_as(translator, payer, &body, 1, inquiry);
            }
        }
    }
    let is_x12 = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "x12");
    for answer in entries(&folder.join("answers"))?.into_iter().filter(is_x12) {
        for told in [Told::ClaimResponse, Told::ExplanationOfBenefit] {
            let file = std::fs::File::open(&answer).map_err(|error| unreadable(&answer, &error.to_string()))?;
            convert::convert(translator, "generic", told, file, &mut Nobody)?;
        }
    }
    Ok(())
}

/// What the file of a claim that is asked about ends in.
const INQUIRY: &str = "-status-inquiry";

/// Takes what is told, and keeps nothing.
struct Nobody;

impl Sink for Nobody {
    fn resource(&mut self, _: &str, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        write(&mut io::sink())
    }

    fn issue(&mut self, _: &Issue) {}
}

/// A folder that is gone when its case is.
struct Home(PathBuf);

impl Home {
    fn make() -> Home {
        Home(std::env::temp_dir().join(format!("claimgate-case-{}", uuid::Uuid::now_v7())))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// One case on its way.
struct Life<'l> {
    gateway: &'l Gateway,
    case: &'l Path,
}

impl Life<'_> {
    async fn walk(&self, answer: &submit::Answer) -> Result<Vec<String>, Fault> {
        let gone = || Fault::ours(codes::STORE, "the submission can't be read");
        let submission = self.gateway.store.submission(&answer.submission).await?.ok_or_else(gone)?;
        let mut checks = vec![self.agrees("record.json", &untraced(&records(&submission), &submission))];
        let sent = self.send(&submission.payer, &answer.submission).await?;
        checks.push(self.agrees(file_of(&submission.guide), &untraced(&sent, &submission)));
        let answers = self.answers()?;
        if answers.is_empty() {
            checks.push(Err(format!("{}: no payer answers", self.case.display())));
        }
        for file in answers {
            checks.push(self.receive(&submission, &file).await?);
        }
        let told = self.responses(&answer.claim).await?;
        checks.push(self.agrees("claim-response.json", &untraced(&told, &submission)));
        checks.push(self.agrees("journey.txt", &self.journey(&answer.claim).await?));
        checks.extend(self.drafts().await?);
        Ok(checks.into_iter().filter_map(Result::err).collect())
    }

    /// What the answers have brought up: each draft as people see it, and as it goes out when one of them releases it.
    async fn drafts(&self) -> Result<Vec<Result<(), String>>, Fault> {
        let mut checks = Vec::new();
        let drafts = worklist::drafts(self.gateway, DEFAULT_TENANT, DRAFTS_MOST).await?;
        for draft in drafts["records"].as_array().into_iter().flatten() {
            let id = SubmissionId(draft["id"].as_str().unwrap_or_default().to_owned());
            let kind = draft["draft"]["kind"].as_str().unwrap_or_default();
            let seen = worklist::one(self.gateway, DEFAULT_TENANT, id.as_str()).await?;
            checks.push(self.agrees(&format!("{kind}.json"), &steady(&pretty(&seen))));
            hold::release(self.gateway, DEFAULT_TENANT, &id).await?;
            let gone = || Fault::ours(codes::STORE, "the draft can't be read");
            let submission = self.gateway.store.submission(&id).await?.ok_or_else(gone)?;
            let sent = self.send(&submission.payer, &id).await?;
            let name = format!("{kind}-{}", file_of(&submission.guide));
            checks.push(self.agrees(&name, &untraced(&sent, &submission)));
        }
        Ok(checks)
    }

    fn agrees(&self, name: &str, made: &str) -> Result<(), String> {
        agrees(&self.case.join(name), made)
    }

    /// Seals and sends the submission; answers the file that the payer got.
    async fn send(&self, payer: &PayerId, id: &SubmissionId) -> Result<String, Fault> {
        let mut sent = String::new();
        for id in dispatch::seal(self.gateway, payer, std::slice::from_ref(id)).await? {
            if let outcome @ (Dispatched::Later(_) | Dispatched::GivenUp(_)) = dispatch::send(self.gateway, &id).await?
            {
                return Ok(format!("not sent: {outcome:?}\n"));
            }
            let interchange = self.gateway.store.interchange(&id).await?;
            sent.extend(interchange.map(|found| String::from_utf8_lossy(&found.bytes).into_owned()));
        }
        Ok(sent)
    }

    fn answers(&self) -> Result<Vec<PathBuf>, Fault> {
        let rank = |file: &PathBuf| {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            (ANSWERS.iter().position(|kind| name.starts_with(kind)), name)
        };
        let mut files = entries(self.case)?;
        files.retain(|file| file.extension().is_some_and(|ending| ending == "x12") && rank(file).0.is_some());
        files.sort_by_key(rank);
        Ok(files)
    }

    async fn receive(&self, submission: &Submission, file: &Path) -> Result<Result<(), String>, Fault> {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let answer = traced(&text(file)?, submission);
        let received = receive::receive(self.gateway, &submission.payer, &name, answer.into_bytes()).await?;
        let (matched, unmatched) = (received.matched, received.unmatched);
        let found = unmatched == 0 && matched > 0;
        Ok(found.then_some(()).ok_or_else(|| format!("{}: {matched} matched, {unmatched} unmatched", file.display())))
    }

    /// The ClaimResponses of the claim as they stand at the end: one, or, after a correction, a list.
    async fn responses(&self, claim: &str) -> Result<String, Fault> {
        let conditions = vec![("request".into(), vec![claim.into()])];
        let query = Query { kind: "ClaimResponse".into(), conditions, limit: 10, ..Query::default() };
        let bundle = lookup::search(self.gateway, DEFAULT_TENANT, &query).await?;
        let entries = bundle["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
        let found = entries.iter().rev().map(|entry| entry["resource"].clone()).collect();
        Ok(steady(&pretty(&one_or_list(found))))
    }

    async fn journey(&self, claim: &str) -> Result<String, Fault> {
        let journey = lookup::journey(self.gateway, DEFAULT_TENANT, claim).await?;
        let mut lines = vec![format!("state: {}", journey["state"].as_str().unwrap_or_default())];
        lines.extend(journey["steps"].as_array().into_iter().flatten().map(step));
        Ok(lines.join("\n") + "\n")
    }
}

/// A step of the journey on one line: event, transaction or what comes next, codes, why it matched.
fn step(step: &Value) -> String {
    let detail = &step["detail"];
    let transaction = if detail["next"].is_string() { &detail["next"] } else { &detail["transaction"] };
    let [event, transaction, matched] =
        [&step["event"], transaction, &detail["match"]].map(|word| word.as_str().unwrap_or_default());
    let codes: Vec<&str> = detail["codes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    [event, transaction, &codes.join(" "), matched].join(" · ").replace(" ·  ·", " ·")
}

fn one_or_list(mut values: Vec<Value>) -> Value {
    if values.len() == 1 { values.remove(0) } else { Value::from(values) }
}

/// The billing records of the parts: one, or a list.
fn records(submission: &Submission) -> String {
    let parts = submission.parts.iter();
    pretty(&one_or_list(parts.map(|part| serde_json::from_str(&part.record).unwrap_or_default()).collect()))
}

/// Trace numbers are new at every run.
fn untraced(text: &str, submission: &Submission) -> String {
    let trace = |text: String, part: &ClaimPart| text.replace(&part.trace_number, &format!("CGTRACE{}", part.number));
    steady(&submission.parts.iter().fold(text.to_owned(), trace))
}

/// An answer with the trace numbers of this run, as the payer would echo them.
fn traced(text: &str, submission: &Submission) -> String {
    let trace = |text: String, part: &ClaimPart| text.replace(&format!("CGTRACE{}", part.number), &part.trace_number);
    submission.parts.iter().fold(text.to_owned(), trace)
}

fn file_of(guide: &str) -> &'static str {
    SENT.iter().find(|(start, _)| guide.starts_with(start)).map_or(SENT_OTHERWISE, |(_, name)| name)
}
