//! What a biller does next, by what a payer said: the table `conformance/next-steps.tsv`, and what it makes of one answer.
//! Pure: whether there is a next payer, and what goes out, is decided by those who know the claim.

use crate::assets::Folder;
use crate::billing::payer::Adjustment;
use crate::billing::response::{Adjudication, Complaint, Decision, PayerResponse, Remark};
use crate::fault::{Blame, Fault, Issue, Place, Retry, codes};
use rust_decimal::Decimal;
use std::collections::HashMap;

/// Where the table is kept below the conformance data.
const FILE: &str = "next-steps.tsv";
/// system, code, step, record, fhirpath, x12, what.
const COLUMNS: usize = 7;

/// A kind of next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    NoAction,
    WriteOff,
    BillPatient,
    BillNextPayer,
    Appeal,
    RequestInfo,
    /// Mended, it goes out as a replacement (frequency 7) of the claim that the payer has.
    Replace,
    /// Mended, it goes out as an original: the payer has none.
    CorrectAndResubmit,
}

impl Step {
    pub const ALL: &'static [(&'static str, Step)] = &[
        ("no-action", Step::NoAction),
        ("write-off", Step::WriteOff),
        ("bill-patient", Step::BillPatient),
        ("bill-next-payer", Step::BillNextPayer),
        ("appeal", Step::Appeal),
        ("request-info", Step::RequestInfo),
        ("replace", Step::Replace),
        ("correct-and-resubmit", Step::CorrectAndResubmit),
    ];

    pub fn word(self) -> &'static str {
        Step::ALL.iter().find(|(_, step)| *step == self).map_or("no-action", |(word, _)| word)
    }

    fn of(word: &str) -> Option<Step> {
        Step::ALL.iter().find(|(known, _)| *known == word).map(|(_, step)| *step)
    }

    /// Whether the claim itself is to be changed.
    pub fn corrects(self) -> bool {
        matches!(self, Step::Replace | Step::CorrectAndResubmit)
    }
}

/// What the codes of payers ask for.
pub struct NextSteps {
    rows: HashMap<(String, String), Row>,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub step: Step,
    /// The place at fault in the billing record, `serviceLines[].code.value`; `[]` is the line that is spoken of.
    pub record: Option<String>,
    /// Where that usually is in FHIR.
    pub fhirpath: Option<String>,
    /// Where it stood in what was sent: `2010BA NM109`.
    pub x12: Option<String>,
    pub what: String,
}

impl NextSteps {
    /// Reads the table; all its mistakes at once.
    pub fn load(folder: &Folder) -> Result<NextSteps, Fault> {
        let fault = |issues| Fault { issues, blame: Blame::Gateway, retry: Retry::Never };
        let at = |line: usize| Place::File { path: folder.display(FILE), line: line as u32, column: 1 };
        let Some(text) = folder.text(FILE) else {
            let hint = "take it from the shipped conformance data";
            return Err(fault(vec![Issue::error(codes::MAPPING_SYNTAX, at(0), "the table is missing").hint(hint)]));
        };
        let (mut rows, mut issues) = (HashMap::new(), Vec::new());
        let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        for (number, line) in lines.skip(1) {
            match row(line) {
                Ok((key, row)) => {
                    if rows.insert(key, row).is_some() {
                        issues.push(Issue::error(codes::MAPPING_SYNTAX, at(number + 1), "the code stands here twice"));
                    }
                }
                Err(text) => issues.push(Issue::error(codes::MAPPING_SYNTAX, at(number + 1), text)),
            }
        }
        if issues.is_empty() { Ok(NextSteps { rows }) } else { Err(fault(issues)) }
    }

    pub fn of(&self, system: &str, code: &str) -> Option<&Row> {
        self.rows.get(&(system.to_owned(), code.to_owned()))
    }

    pub fn rows(&self) -> impl Iterator<Item = (&str, &str, &Row)> {
        self.rows.iter().map(|((system, code), row)| (system.as_str(), code.as_str(), row))
    }
}

fn row(line: &str) -> Result<((String, String), Row), String> {
    let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
    let [system, code, step, record, fhirpath, x12, what] = cells[..] else {
        return Err(format!("a row has {COLUMNS} cells, this has {}", cells.len()));
    };
    let step = Step::of(step).ok_or_else(|| format!("there is no step `{step}`"))?;
    if !SYSTEMS.contains(&system) || code.is_empty() || what.is_empty() {
        return Err(format!("a row needs a system ({}), a code and words", SYSTEMS.join(", ")));
    }
    let given = |cell: &str| (!cell.is_empty()).then(|| cell.to_owned());
    let row = Row { step, record: given(record), fhirpath: given(fhirpath), x12: given(x12), what: what.to_owned() };
    Ok(((system.to_owned(), code.to_owned()), row))
}

const SYSTEMS: &[&str] = &["CARC", "RARC", "STCC", "STC", "AAA", "HCR"];

/// One reason that a payer gave, with what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// CARC, RARC, STCC, STC, AAA, HCR, or the list of a 999 or TA1 (`IK403` …).
    pub system: String,
    pub code: String,
    /// CAS01.
    pub group: Option<String>,
    /// `Claim.item.sequence` of the line.
    pub line: Option<u32>,
    pub row: Row,
}

/// A payer that the claim was passed on to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crossover {
    /// NM103 of NM1*TT.
    pub name: Option<String>,
    /// NM109 of NM1*TT.
    pub id: Option<String>,
    /// What tells it: `CLP02 19`, `NM1*TT`, `RARC MA18`.
    pub told_by: String,
}

/// What one answer asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advice {
    /// Each once, in the order of the answer: lines, then the claim.
    pub reasons: Vec<Reason>,
    pub crossover: Option<Crossover>,
    /// Neither paid nor written off by contract: for the next payer or the patient. `None` when it is not about money.
    pub left: Option<Decimal>,
}

impl Advice {
    /// The step that matters most.
    pub fn step(&self) -> Step {
        self.reasons.iter().map(|reason| reason.row.step).max().unwrap_or(Step::NoAction)
    }

    /// Whether the claim was not processed at all: mended, it is a new one, although the payer has answered with money.
    pub fn is_unprocessable(&self) -> bool {
        self.reasons.iter().any(|reason| reason.system == "RARC" && reason.row.step == Step::CorrectAndResubmit)
    }

    /// The places that are to be changed.
    pub fn changes(&self) -> impl Iterator<Item = &Reason> {
        self.reasons.iter().filter(|reason| reason.row.step.corrects())
    }
}

/// What a statement asks for, by the table. A code that is not in it is judged by what surrounds it.
pub fn advise(steps: &NextSteps, said: &PayerResponse) -> Advice {
    let mut gathered = Gathered { steps, reasons: Vec::new() };
    match &said.adjudication {
        Some(paid) => gathered.adjudication(said, paid),
        None if Decision::of(&said.decision) == Decision::Rejected => gathered.rejection(said),
        None => gathered.asked(said),
    }
    let crossover = said.adjudication.as_ref().and_then(crossover);
    let left = said.adjudication.as_ref().map(left);
    Advice { reasons: gathered.reasons, crossover, left }
}

struct Gathered<'s> {
    steps: &'s NextSteps,
    reasons: Vec<Reason>,
}

impl Gathered<'_> {
    fn add(&mut self, system: &str, code: &str, group: Option<&str>, line: Option<u32>, otherwise: Option<Row>) {
        let Some(row) = self.steps.of(system, code).cloned().or(otherwise) else { return };
        let known = |reason: &Reason| reason.system == system && reason.code == code && reason.line == line;
        if !self.reasons.iter().any(known) {
            let reason =
                Reason { system: system.into(), code: code.into(), group: group.map(str::to_owned), line, row };
            self.reasons.push(reason);
        }
    }

    fn adjudication(&mut self, said: &PayerResponse, paid: &Adjudication) {
        let denied = Decision::of(&said.decision) == Decision::Denied;
        for line in &paid.lines {
            let nothing = denied || line.paid == Decimal::ZERO;
            self.level((&line.adjustments, &line.remarks), line.item_sequence, nothing, denied);
        }
        self.level((&paid.adjustments, &paid.remarks), None, denied, denied);
        self.settle();
    }

    /// The reasons of a line or of the claim. A remark tells more of a reason; beside a payment it only informs.
    fn level(&mut self, said: (&[Adjustment], &[Remark]), line: Option<u32>, nothing_paid: bool, denied: bool) {
        let before = self.reasons.len();
        for each in said.0 {
            self.add("CARC", &each.reason, Some(&each.group), line, unknown(&each.group, nothing_paid));
        }
        let asked = self.reasons[before..].iter().any(|reason| reason.row.step > Step::BillPatient);
        for remark in said.1.iter().filter(|remark| remark.list == "HE" && (denied || asked)) {
            self.add("RARC", &remark.code, None, line, None);
        }
    }

    /// What the patient bears (PR) or what is left to the next payer is no place to mend, whatever else the code may mean.
    fn settle(&mut self) {
        for reason in &mut self.reasons {
            let bears = reason.group.as_deref() == Some("PR");
            if bears && matches!(reason.row.step, Step::NoAction | Step::WriteOff | Step::Appeal) {
                reason.row.step = Step::BillPatient;
            }
        }
    }

    fn rejection(&mut self, said: &PayerResponse) {
        for status in &said.statuses {
            let line = item_of(said, status.line);
            self.add("STCC", &status.category, None, line, None);
            if let Some(code) = &status.code {
                let words = status.meaning.clone().unwrap_or_else(|| format!("status {code}"));
                self.add("STC", code, None, line, Some(mend(words, None)));
            }
        }
        for complaint in &said.complaints {
            let system = if complaint.list == "AAA03" { "AAA" } else { complaint.list.as_str() };
            let row = mend(complaint.meaning.clone(), place_of(complaint));
            self.add(system, &complaint.code, None, complaint.line, Some(row));
        }
    }

    /// A 277 that asks, a 278 that decides.
    fn asked(&mut self, said: &PayerResponse) {
        for status in &said.statuses {
            self.add("STCC", &status.category, None, item_of(said, status.line), None);
        }
        let reviewed = said.review.as_ref();
        let services = reviewed.into_iter().flat_map(|review| review.event.iter().chain(&review.services));
        for service in services {
            if let Some(action) = &service.action {
                self.add("HCR", action, None, service.item_sequence, None);
            }
        }
    }
}

/// A complaint without a row: its own words say what is to be mended.
fn mend(what: String, x12: Option<String>) -> Row {
    Row { step: Step::CorrectAndResubmit, record: None, fhirpath: None, x12, what }
}

/// Our item that a line of a 277CA or 277 is about; `line` is its place there.
fn item_of(said: &PayerResponse, line: Option<u32>) -> Option<u32> {
    let at = usize::try_from(line?).ok()?.checked_sub(1)?;
    said.lines.get(at)?.item_sequence.or(line)
}

/// `2300 CLM05-3`, as a 999 names it.
fn place_of(complaint: &Complaint) -> Option<String> {
    let segment = complaint.segment.as_ref()?;
    let element = complaint.element.map(|element| format!("{element:02}")).unwrap_or_default();
    let component = complaint.component.map(|component| format!("-{component}")).unwrap_or_default();
    let loop_id = complaint.loop_id.as_ref().map(|id| format!("{id} ")).unwrap_or_default();
    Some(format!("{loop_id}{segment}{element}{component}"))
}

/// An adjustment without a row. What was paid nevertheless needs nobody.
fn unknown(group: &str, nothing_paid: bool) -> Option<Row> {
    let row = |step, what: &str| Some(Row { step, record: None, fhirpath: None, x12: None, what: what.to_owned() });
    match group {
        "PR" => row(Step::BillPatient, "the patient owes it, unless a next payer takes it"),
        _ if nothing_paid => row(Step::Appeal, "nothing was paid: read the reason, then appeal or write it off"),
        _ => None,
    }
}

/// Remarks that say that the claim was passed on.
const PASSED_ON: &[&str] = &["MA07", "MA18", "N89"];

fn crossover(paid: &Adjudication) -> Option<Crossover> {
    let carrier = paid.parties.iter().find(|party| party.entity == "TT");
    let remarks = paid.remarks.iter().chain(paid.lines.iter().flat_map(|line| &line.remarks));
    let mut remarks = remarks.filter(|remark| PASSED_ON.contains(&remark.code.as_str()));
    let told_by = match (paid.status.as_str(), carrier, remarks.next()) {
        ("19" | "20" | "21" | "23", _, _) => format!("CLP02 {}", paid.status),
        (_, Some(_), _) => "NM1*TT".to_owned(),
        (_, None, Some(remark)) => format!("RARC {}", remark.code),
        (_, None, None) => return None,
    };
    let name = carrier.and_then(|carrier| carrier.party.last_name.clone());
    Some(Crossover { name, id: carrier.and_then(|carrier| carrier.id.clone()), told_by })
}

/// Charge less payment and what the provider bears (CO, PI).
fn left(paid: &Adjudication) -> Decimal {
    let all = paid.adjustments.iter().chain(paid.lines.iter().flat_map(|line| &line.adjustments));
    let borne: Decimal = all.filter(|each| matches!(each.group.as_str(), "CO" | "PI")).map(|each| each.amount).sum();
    paid.charge - paid.paid - borne
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::response::{AdjudicatedLine, ClaimStatus, ResponseParty};

    fn steps() -> NextSteps {
        NextSteps::load(&Folder::ShippedConformance).unwrap()
    }

    fn adjustment(group: &str, reason: &str, amount: i64) -> Adjustment {
        Adjustment { group: group.into(), reason: reason.into(), amount: amount.into(), quantity: None }
    }

    fn remark(code: &str) -> Remark {
        Remark { code: code.into(), list: "HE".into(), text: None, alert: None }
    }

    fn paid(status: &str, charge: i64, paid: i64, adjustments: Vec<Adjustment>, remarks: &[&str]) -> PayerResponse {
        let decision = if status == "4" { Decision::Denied } else { Decision::Adjudicated };
        let line = AdjudicatedLine {
            item_sequence: Some(1),
            charge: charge.into(),
            paid: paid.into(),
            adjustments,
            remarks: remarks.iter().map(|code| remark(code)).collect(),
            ..AdjudicatedLine::default()
        };
        let adjudication = Adjudication {
            status: status.into(),
            charge: charge.into(),
            paid: paid.into(),
            lines: vec![line],
            ..Adjudication::default()
        };
        PayerResponse {
            transaction: "835".into(),
            decision: decision.word().into(),
            adjudication: Some(adjudication),
            ..PayerResponse::default()
        }
    }

    fn told(advice: &Advice) -> Vec<(&str, &str, &str)> {
        let one = |reason: &'_ Reason| reason.row.step.word();
        advice.reasons.iter().map(|reason| (reason.system.as_str(), reason.code.as_str(), one(reason))).collect()
    }

    #[test]
    fn a_paid_claim_leaves_what_the_patient_owes() {
        let said = paid("1", 100, 60, vec![adjustment("CO", "45", 20), adjustment("PR", "2", 20)], &[]);
        let advice = advise(&steps(), &said);
        assert_eq!(told(&advice), [("CARC", "45", "no-action"), ("CARC", "2", "bill-patient")]);
        assert_eq!(advice.left, Some(20.into()));
        assert_eq!(advice.step(), Step::BillPatient);
        assert_eq!(advice.crossover, None);
    }

    #[test]
    fn a_denial_says_what_to_change_and_where() {
        let advice = advise(&steps(), &paid("4", 100, 0, vec![adjustment("CO", "16", 100)], &["N382"]));
        assert_eq!(advice.step(), Step::Replace);
        assert_eq!(advice.left, Some(Decimal::ZERO));
        let places: Vec<_> = advice.changes().map(|reason| (reason.row.record.as_deref(), reason.line)).collect();
        assert_eq!(places, [(None, Some(1)), (Some("subscriber.memberId"), Some(1))]);
        let new = advise(&steps(), &paid("4", 100, 0, vec![adjustment("CO", "16", 100)], &["MA130"]));
        assert!(new.is_unprocessable());
        assert!(!advice.is_unprocessable());
    }

    #[test]
    fn an_unknown_reason_asks_for_a_person_only_where_nothing_was_paid() {
        let unknown =
            |paid_amount| advise(&steps(), &paid("1", 100, paid_amount, vec![adjustment("CO", "999", 50)], &[]));
        assert_eq!(unknown(50).step(), Step::NoAction);
        assert_eq!(unknown(0).step(), Step::Appeal);
    }

    #[test]
    fn what_was_passed_on_is_seen_by_status_carrier_and_remark() {
        let rows: &[(&str, &[&str], Option<&str>)] = &[
            ("1", &[], None),
            ("19", &[], Some("CLP02 19")),
            ("20", &[], Some("CLP02 20")),
            ("21", &["MA18"], Some("CLP02 21")),
            ("1", &["MA07"], Some("RARC MA07")),
            ("1", &["MA18"], Some("RARC MA18")),
            ("1", &["N89"], Some("RARC N89")),
            ("1", &["N382"], None),
        ];
        for (status, remarks, wanted) in rows {
            let advice = advise(&steps(), &paid(status, 100, 100, vec![], remarks));
            assert_eq!(advice.crossover.map(|crossover| crossover.told_by).as_deref(), *wanted, "{status} {remarks:?}");
        }
        let mut said = paid("1", 100, 100, vec![], &[]);
        let party = ResponseParty { entity: "TT".into(), id: Some("MG1".into()), ..ResponseParty::default() };
        said.adjudication.as_mut().unwrap().parties.push(party);
        let crossover = advise(&steps(), &said).crossover.unwrap();
        assert_eq!((crossover.told_by.as_str(), crossover.id.as_deref()), ("NM1*TT", Some("MG1")));
    }

    #[test]
    fn a_rejection_is_mended_and_sent_as_an_original() {
        let status = |code: &str| ClaimStatus {
            category: "A7".into(),
            code: Some(code.into()),
            meaning: Some("words".into()),
            ..ClaimStatus::default()
        };
        let said = PayerResponse {
            transaction: "277CA".into(),
            decision: Decision::Rejected.word().into(),
            statuses: vec![status("164"), status("99999")],
            ..PayerResponse::default()
        };
        let advice = advise(&steps(), &said);
        assert_eq!(advice.step(), Step::CorrectAndResubmit);
        let words: Vec<&str> = advice.reasons.iter().skip(1).map(|reason| reason.row.what.as_str()).collect();
        assert_eq!(words, ["the member id is missing or wrong: take it from the card", "words"]);
    }

    #[test]
    fn a_broken_table_tells_all_its_mistakes() {
        let lines = ["CARC\t1\tnothing\t\t\t\tx", "CARC\t1", "FOO\t1\tappeal\t\t\t\tx"];
        assert!(lines.iter().all(|line| row(line).is_err()));
        assert!(row("CARC\t1\tappeal\t\t\t\tx").is_ok());
    }
}
