//! Finds the claim that an answer is about. [`keys`] says what to look for, strongest first; whoever has a store looks;
//! [`choose`] weighs what was found, says why, and marks what is weak. Pure functions: nothing is looked up here.
//!
//! A number alone is never enough: payers cut, reuse and mix up claim numbers, so patient, charge and dates are always
//! compared as well. An answer is never attached by a name alone.

use crate::billing::key::{Key, alike, member_and_charge};
use crate::billing::record::BillingRecord;
use crate::billing::response::{Complaint, PayerResponse};
use crate::responses::lines;
use jiff::civil::Date;

/// Payers that cut CLM01 keep this many characters or fewer.
pub const CUT_CLAIM_NUMBER: usize = 20;
/// A cut claim number shorter than this says too little.
pub const SHORTEST_PREFIX: usize = 8;

/// What a statement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// TA1: everything in an interchange of ours.
    Interchange,
    /// 999 without AK2: everything in a group of ours.
    Group,
    /// 999 with AK2: everything in a transaction set of ours.
    Set,
    /// 277CA 2200B: everything in a batch of ours.
    Batch,
    /// 277CA 2200C: the claims of one billing provider in a batch of ours.
    Provider,
    Claim,
}

/// A claim that a key found.
#[derive(Debug, Clone, Default)]
pub struct Candidate {
    pub record: BillingRecord,
    /// First and last segment of the claim in its transaction set, when it has been sent.
    pub segments: Option<(u32, u32)>,
    /// BHT03 of the set that it was sent in.
    pub batch_number: Option<String>,
    /// The payer's own number from an earlier answer.
    pub payer_claim_control_number: Option<String>,
    /// Another submission has taken its place.
    pub superseded: bool,
}

/// Which of the candidates a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// Positions among the candidates: one for a statement about a claim, all that it covers for one about an interchange,
    /// a set or a batch. A reason that begins with `weak:` was not certain, though nothing contradicted.
    These { chosen: Vec<usize>, reason: String },
    /// It goes to the unmatched list with this reason, and with the candidates that it fits equally well.
    None { reason: String, alike: Vec<usize> },
}

/// What a statement is about, by what it names.
pub fn scope(response: &PayerResponse) -> Scope {
    let keys = &response.keys;
    match response.transaction.as_str() {
        "TA1" => Scope::Interchange,
        "999" | "997" if keys.transaction_set_control_number.is_some() => Scope::Set,
        "999" | "997" => Scope::Group,
        "277CA" if names_a_claim(response) => Scope::Claim,
        "277CA" if keys.provider.is_some() => Scope::Provider,
        "277CA" => Scope::Batch,
        _ => Scope::Claim,
    }
}

/// Whether a statement names a claim or a patient, rather than a file, a batch or a provider.
pub fn names_a_claim(response: &PayerResponse) -> bool {
    let keys = &response.keys;
    let names = [
        &keys.patient_control_number,
        &keys.inquiry_number,
        &keys.trace_number,
        &keys.patient_last_name,
        &keys.member_id,
    ];
    names.iter().any(|name| name.is_some()) || response.payer_claim_control_number.is_some()
}

/// What to look for, strongest first. Look up one after the other until [`choose`] is content.
pub fn keys(response: &PayerResponse) -> Vec<Key> {
    let keys = &response.keys;
    let number = |text: &Option<String>| text.as_deref().and_then(|text| text.trim().parse::<u32>().ok());
    match scope(response) {
        Scope::Interchange => {
            number(&keys.interchange_control_number).map(Key::InterchangeControlNumber).into_iter().collect()
        }
        Scope::Group | Scope::Set => number(&keys.group_control_number)
            .map(|group| Key::GroupControlNumber(group, keys.transaction_set_control_number.clone()))
            .into_iter()
            .collect(),
        Scope::Batch | Scope::Provider => keys.batch_number.clone().map(Key::BatchNumber).into_iter().collect(),
        Scope::Claim => claim_keys(response),
    }
}

fn claim_keys(response: &PayerResponse) -> Vec<Key> {
    let keys = &response.keys;
    let own = keys.patient_control_number.as_deref().map(str::trim);
    let named = own.filter(|own| !alike(own).is_empty());
    let cut = own.filter(|own| could_be_cut(own));
    let known = [&response.payer_claim_control_number, &keys.original_claim_control_number];
    let mut found: Vec<Key> = own.map(|own| Key::PatientControlNumber(own.to_owned())).into_iter().collect();
    found.extend(keys.trace_number.clone().map(Key::TraceNumber));
    if let Some(inquiry) = &keys.inquiry_number {
        found.extend([Key::TraceNumber(inquiry.clone()), Key::PatientControlNumber(inquiry.clone())]);
    }
    found.extend(known.into_iter().flatten().cloned().map(Key::PayerClaimControlNumber));
    found.extend(named.map(|named| Key::PatientControlNumberAlike(named.to_owned())));
    found.extend(cut.map(|cut| Key::PatientControlNumberPrefix(cut.to_owned())));
    let both = keys.member_id.as_deref().zip(keys.charge);
    found.extend(both.and_then(|(member, charge)| member_and_charge(member, charge)).map(Key::MemberAndCharge));
    found
}

/// Whether a number may be the beginning of a longer one.
fn could_be_cut(number: &str) -> bool {
    (SHORTEST_PREFIX..=CUT_CLAIM_NUMBER).contains(&number.chars().count()) && alike(number).len() >= SHORTEST_PREFIX
}

/// Whether a fact says that it is the same claim; `None` when one side does not know.
type Verdict = Option<bool>;

/// A number that names the claim: one that agrees makes a strong match.
struct NumberRow {
    name: &'static str,
    verdict: fn(&PayerResponse, &Candidate) -> Verdict,
}

const NUMBERS: &[NumberRow] = &[
    NumberRow { name: "claim number", verdict: same_claim_number },
    NumberRow { name: "trace number", verdict: same_trace_number },
    NumberRow { name: "inquiry number", verdict: same_inquiry_number },
    NumberRow { name: "payer claim control number", verdict: same_payer_number },
];

/// A fact about the claim that has to agree as well.
const FACTS: &[NumberRow] = &[
    NumberRow { name: "member id", verdict: same_member },
    NumberRow { name: "patient name", verdict: same_name },
    NumberRow { name: "charge", verdict: same_charge },
    NumberRow { name: "service dates", verdict: same_dates },
];

/// What speaks for and against one candidate.
struct Evidence {
    index: usize,
    numbers: Vec<&'static str>,
    agree: Vec<&'static str>,
    differ: Vec<&'static str>,
    cut: bool,
    /// What parts claims that are alike otherwise: see [`TELLING`].
    tells: Vec<bool>,
}

/// What parts a claim from its replacement, and from those that never left or were overtaken; the strongest first.
const TELLING: &[fn(&PayerResponse, &Candidate) -> bool] = &[
    |response, candidate| same_number_exactly(response, candidate),
    |response, candidate| {
        same_text(response.keys.batch_number.as_deref(), candidate.batch_number.as_deref()) == Some(true)
    },
    |response, candidate| same_frequency(response, candidate) == Some(true),
    |_, candidate| candidate.segments.is_some(),
    |_, candidate| !candidate.superseded,
];

/// Chooses among the claims that a key found.
pub fn choose(response: &PayerResponse, candidates: &[Candidate]) -> Match {
    let all = 0..candidates.len();
    let (chosen, name): (Vec<usize>, &str) = match scope(response) {
        Scope::Claim => return choose_claim(response, candidates),
        Scope::Interchange => (all.collect(), "interchange"),
        Scope::Group => (all.collect(), "group"),
        Scope::Set => (all.collect(), "transaction set"),
        Scope::Batch => (all.collect(), "batch"),
        Scope::Provider => {
            (all.filter(|n| of_provider(response, &candidates[*n].record)).collect(), "batch and provider")
        }
    };
    match chosen.as_slice() {
        [] => nothing(&format!("no claim was sent with this {name}")),
        _ => Match::These { chosen, reason: format!("in the {name} that is named") },
    }
}

fn choose_claim(response: &PayerResponse, candidates: &[Candidate]) -> Match {
    let weighed = candidates.iter().enumerate().map(|(index, candidate)| weigh(response, index, candidate));
    let mut fitting: Vec<Evidence> = weighed.filter(Evidence::holds).collect();
    fitting.sort_by(|a, b| b.rank().cmp(&a.rank()));
    match fitting.as_slice() {
        [] if candidates.is_empty() => nothing(NOT_FOUND),
        [] => nothing(&format!("{} with these numbers, but patient, charge or dates contradict", candidates.len())),
        [best, next, ..] if best.rank() == next.rank() => {
            let alike: Vec<usize> =
                fitting.iter().filter(|each| each.rank() == best.rank()).map(|each| each.index).collect();
            Match::None { reason: format!("{} claims fit equally well", alike.len()), alike }
        }
        [best, ..] => Match::These { chosen: vec![best.index], reason: best.reason() },
    }
}

/// What is said when no key finds anything.
pub const NOT_FOUND: &str = "no claim has these numbers";

fn nothing(reason: &str) -> Match {
    Match::None { reason: reason.to_owned(), alike: Vec::new() }
}

fn weigh(response: &PayerResponse, index: usize, candidate: &Candidate) -> Evidence {
    let of = |rows: &'static [NumberRow], wanted: bool| {
        let rows = rows.iter().filter(|row| (row.verdict)(response, candidate) == Some(wanted));
        rows.map(|row| row.name).collect::<Vec<_>>()
    };
    Evidence {
        index,
        numbers: of(NUMBERS, true),
        agree: of(FACTS, true),
        differ: of(FACTS, false),
        cut: cut_claim_number(response, candidate),
        tells: TELLING.iter().map(|tells| tells(response, candidate)).collect(),
    }
}

impl Evidence {
    /// A number agrees and the facts do not contradict; or, without any number, member, charge and dates all agree.
    fn holds(&self) -> bool {
        let contradicted = self.differ.len() >= 2 && self.differ.len() > self.agree.len();
        let alike = ["member id", "charge", "service dates"].iter().all(|fact| self.agree.contains(fact));
        match (self.numbers.is_empty(), self.cut) {
            (false, _) => !contradicted,
            (true, true) => !contradicted && !self.agree.is_empty(),
            (true, false) => alike,
        }
    }

    fn weak(&self) -> bool {
        self.numbers.is_empty() || !self.differ.is_empty()
    }

    fn rank(&self) -> (usize, i64, &[bool]) {
        let facts = i64::try_from(self.agree.len()).unwrap_or(0) - i64::try_from(self.differ.len()).unwrap_or(0);
        (self.numbers.len(), facts, &self.tells)
    }

    /// `claim number and trace number match; charge agrees; patient name differs`. Names facts, never their values.
    fn reason(&self) -> String {
        let mut parts = vec![match (self.numbers.as_slice(), self.cut) {
            ([], true) => "the claim number was cut".to_owned(),
            ([], false) => "no number matches".to_owned(),
            (numbers, _) => format!("{} {}", numbers.join(" and "), verb(numbers, "matches", "match")),
        }];
        for (names, one, many) in [(&self.agree, "agrees", "agree"), (&self.differ, "differs", "differ")] {
            if !names.is_empty() {
                parts.push(format!("{} {}", names.join(", "), verb(names, one, many)));
            }
        }
        let reason = parts.join("; ");
        if self.weak() { format!("weak: {reason}") } else { reason }
    }
}

fn verb<'v>(names: &[&str], one: &'v str, many: &'v str) -> &'v str {
    if names.len() == 1 && names[0] != "service dates" { one } else { many }
}

fn same_claim_number(response: &PayerResponse, candidate: &Candidate) -> Verdict {
    let echoed = alike(response.keys.patient_control_number.as_deref()?);
    Some(!echoed.is_empty() && echoed == alike(&candidate.record.patient_control_number))
}

fn same_number_exactly(response: &PayerResponse, candidate: &Candidate) -> bool {
    response.keys.patient_control_number.as_deref().map(str::trim) == Some(&*candidate.record.patient_control_number)
}

/// The payer gave back only the beginning of our number.
fn cut_claim_number(response: &PayerResponse, candidate: &Candidate) -> bool {
    let Some(echoed) = response.keys.patient_control_number.as_deref().map(str::trim) else { return false };
    let (own, begins) = (alike(&candidate.record.patient_control_number), alike(echoed));
    could_be_cut(echoed) && own.len() > begins.len() && own.starts_with(&begins)
}

fn same_trace_number(response: &PayerResponse, candidate: &Candidate) -> Verdict {
    same_text(response.keys.trace_number.as_deref(), candidate.record.trace_number.as_deref())
}

/// TRN02 of an inquiry or of a request for services is the claim's trace number, else its own number. Only a match says
/// something: a status may have been asked for by others.
fn same_inquiry_number(response: &PayerResponse, candidate: &Candidate) -> Verdict {
    let said = response.keys.inquiry_number.as_deref();
    let record = &candidate.record;
    let own = [record.trace_number.as_deref(), Some(record.patient_control_number.as_str())];
    own.into_iter().any(|own| same_text(said, own) == Some(true)).then_some(true)
}

/// Only a match says something: a correction has a number of its own.
fn same_payer_number(response: &PayerResponse, candidate: &Candidate) -> Verdict {
    let own = candidate.payer_claim_control_number.as_deref();
    let said = [&response.payer_claim_control_number, &response.keys.original_claim_control_number];
    said.into_iter().any(|number| same_text(number.as_deref(), own) == Some(true)).then_some(true)
}

fn same_member(response: &PayerResponse, candidate: &Candidate) -> Verdict {
    let said = response.keys.member_id.as_deref()?;
    let record = &candidate.record;
    either([&record.subscriber.member_id, &record.patient.member_id], |own| alike(own) == alike(said))
}

/// The patient's last name; payers also put the subscriber there, and cut at 35 or fewer characters.
fn same_name(response: &PayerResponse, candidate: &Candidate) -> Verdict {
    let said = letters(response.keys.patient_last_name.as_deref()?);
    let record = &candidate.record;
    either([&record.patient.last_name, &record.subscriber.last_name], |own| {
        let own = letters(own);
        own.starts_with(&said) || said.starts_with(&own)
    })
}

/// Whether one of the values that are known is it.
fn either(own: [&Option<String>; 2], same: impl Fn(&str) -> bool) -> Verdict {
    let known: Vec<&str> = own.into_iter().flatten().map(String::as_str).collect();
    (!known.is_empty()).then(|| known.into_iter().any(same))
}

/// A reversal's charge is negative.
fn same_charge(response: &PayerResponse, candidate: &Candidate) -> Verdict {
    response.keys.charge.map(|said| said.abs() == candidate.record.total_charge.abs())
}

/// The spans of days touch.
fn same_dates(response: &PayerResponse, candidate: &Candidate) -> Verdict {
    let (from, to) = (response.keys.service_start?, response.keys.service_end.or(response.keys.service_start)?);
    let (first, last) = own_dates(&candidate.record)?;
    Some(from <= last && first <= to)
}

fn own_dates(record: &BillingRecord) -> Option<(Date, Date)> {
    let of_lines = record.service_lines.iter().filter_map(|line| line.service_date.as_ref());
    let days = || of_lines.clone().chain(&record.statement_period).flat_map(|range| [range.start, range.end]).flatten();
    Some((days().min()?, days().max()?))
}

fn same_frequency(response: &PayerResponse, candidate: &Candidate) -> Verdict {
    let said = response.adjudication.as_ref()?.frequency_code.as_deref();
    same_text(said, Some(&candidate.record.frequency_code))
}

fn same_text(said: Option<&str>, own: Option<&str>) -> Verdict {
    Some(plain(said?) == plain(own?))
}

fn plain(text: &str) -> String {
    text.trim().to_uppercase()
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// Whether a statement of provider level is about the billing provider of this claim.
pub fn of_provider(response: &PayerResponse, record: &BillingRecord) -> bool {
    let Some(said) = response.keys.provider.as_deref() else { return false };
    let provider = &record.billing_provider;
    let own = [&provider.npi, &provider.employer_id, &provider.last_name];
    own.into_iter().flatten().any(|own| plain(own) == plain(said))
}

/// The complaints of a 999 that are about one claim of the set: those that name it (CTX CLM01), those inside its
/// segments, and those about the set as a whole. An innocent claim of a rejected set gets only the last kind.
pub fn concerning<'c>(
    complaints: &'c [Complaint],
    patient_control_number: &str,
    segments: (u32, u32),
) -> Vec<&'c Complaint> {
    let named = |complaint: &Complaint| {
        complaint.context.iter().find_map(|context| context.strip_prefix("CLM01:").map(str::to_owned))
    };
    let concerns = |complaint: &&Complaint| match (named(complaint), complaint.ordinal) {
        (Some(number), _) => plain(&number) == plain(patient_control_number),
        (None, Some(ordinal)) => (segments.0..=segments.1).contains(&ordinal),
        (None, None) => true,
    };
    complaints.iter().filter(concerns).collect()
}

/// Binds each line of an answer to the item of the caller's claim: lines of an 835 by REF*6R or content, those of a 277 by
/// REF*FJ, services of a 278 by the trace number that we gave them.
pub fn bind_lines(response: &mut PayerResponse, record: &BillingRecord) {
    for line in &mut response.lines {
        let number = line.control_number.as_deref().map(plain);
        let own = record.service_lines.iter().find(|own| number.as_ref() == Some(&plain(&own.control_number)));
        line.item_sequence = own.map(|own| own.sequence);
    }
    let sequence_of = |number: &str| {
        record.service_lines.iter().find(|own| plain(&own.control_number) == plain(number)).map(|own| own.sequence)
    };
    for request in &mut response.requests {
        request.line = request.line_control_number.as_deref().and_then(sequence_of).or(request.line);
    }
    if let (Some(review), Some(trace)) = (&mut response.review, &record.trace_number) {
        for service in &mut review.services {
            let numbers = service.traces.iter().filter_map(|said| said.number.strip_prefix(trace.as_str()));
            let own = numbers.filter_map(|rest| rest.strip_prefix('-')?.parse().ok()).next();
            service.item_sequence = own.or(service.item_sequence);
        }
    }
    if let Some(adjudication) = &mut response.adjudication {
        lines::match_lines(adjudication, &record.service_lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::line::ServiceLine;
    use crate::billing::record::{DateRange, Party};
    use crate::billing::response::{Adjudication, CorrelationKeys};
    use rust_decimal::Decimal;

    fn record(number: &str) -> BillingRecord {
        let day = "2025-03-03".parse().ok();
        let service_date = DateRange { start: day, end: None };
        BillingRecord {
            patient_control_number: number.into(),
            frequency_code: "1".into(),
            total_charge: Decimal::from(165),
            subscriber: Party { member_id: Some("JS001".into()), last_name: Some("Smith".into()), ..Party::default() },
            patient: Party { last_name: Some("Smith".into()), ..Party::default() },
            service_lines: vec![ServiceLine { service_date: Some(service_date), ..ServiceLine::default() }],
            ..BillingRecord::default()
        }
    }

    fn answer(number: &str) -> PayerResponse {
        PayerResponse {
            transaction: "835".into(),
            keys: CorrelationKeys {
                patient_control_number: Some(number.into()),
                member_id: Some("JS001".into()),
                patient_last_name: Some("SMITH".into()),
                charge: Some(Decimal::from(165)),
                service_start: "2025-03-03".parse().ok(),
                ..CorrelationKeys::default()
            },
            ..PayerResponse::default()
        }
    }

    fn candidate(record: &BillingRecord) -> Candidate {
        Candidate { record: record.clone(), ..Candidate::default() }
    }

    fn chosen(answer: &PayerResponse, candidates: &[Candidate]) -> (usize, bool, String) {
        match choose(answer, candidates) {
            Match::These { chosen, reason } => (chosen[0], reason.starts_with("weak:"), reason),
            Match::None { reason, .. } => panic!("nothing: {reason}"),
        }
    }

    fn refused(answer: &PayerResponse, candidates: &[Candidate]) -> String {
        match choose(answer, candidates) {
            Match::None { reason, .. } => reason,
            Match::These { reason, .. } => panic!("matched: {reason}"),
        }
    }

    #[test]
    fn a_number_and_facts_that_agree_are_strong() {
        let expected = "claim number matches; member id, patient name, charge, service dates agree".to_owned();
        assert_eq!(chosen(&answer("ACC1"), &[candidate(&record("acc1"))]), (0, false, expected));
    }

    #[test]
    fn one_fact_that_differs_is_weak_and_most_that_differ_are_a_contradiction() {
        let mut other = record("ACC1");
        other.total_charge = Decimal::from(99);
        assert!(chosen(&answer("ACC1"), &[candidate(&other)]).1);
        other.subscriber.member_id = Some("XX".into());
        other.subscriber.last_name = Some("Doe".into());
        other.patient.last_name = Some("Doe".into());
        assert!(refused(&answer("ACC1"), &[candidate(&other)]).contains("contradict"));
    }

    #[test]
    fn a_claim_and_its_replacement_are_told_apart() {
        let (first, mut second) = (record("ACC1"), record("ACC1"));
        second.frequency_code = "7".into();
        let adjudication = Adjudication { frequency_code: Some("7".into()), ..Adjudication::default() };
        let answer = PayerResponse { adjudication: Some(adjudication), ..answer("ACC1") };
        assert_eq!(chosen(&answer, &[candidate(&first), candidate(&second)]).0, 1);
        assert_eq!(refused(&answer, &[candidate(&second), candidate(&second)]), "2 claims fit equally well");
    }

    #[test]
    fn what_never_left_or_was_overtaken_is_not_meant() {
        let all = [candidate(&record("ACC1")), candidate(&record("ACC1")), candidate(&record("ACC1"))];
        let Match::None { alike, .. } = choose(&answer("ACC1"), &all) else { panic!("all fit") };
        assert_eq!(alike, [0, 1, 2]);
        let [draft, mut sent, mut mended] = all;
        sent.segments = Some((1, 2));
        sent.batch_number = Some("B1".into());
        sent.superseded = true;
        mended.segments = Some((1, 2));
        mended.batch_number = Some("B2".into());
        let all = [draft, sent, mended];
        assert_eq!(chosen(&answer("ACC1"), &all).0, 2);
        let mut early = answer("ACC1");
        early.keys.batch_number = Some("B1".into());
        assert_eq!(chosen(&early, &all).0, 1, "an answer to the first batch is about what was in it");
    }

    #[test]
    fn the_number_as_it_is_comes_before_one_that_is_alike() {
        let all = [candidate(&record("ACC-1")), candidate(&record("00acc1")), candidate(&record("ACC2"))];
        assert_eq!(chosen(&answer("00acc1"), &all).0, 1);
        assert!(refused(&answer("acc.1"), &all).starts_with('2'));
        assert_eq!(chosen(&answer("acc.1"), &all[1..]), (0, false, chosen(&answer("00acc1"), &all).2));
    }

    #[test]
    fn the_payers_own_number_tells_which() {
        let record = record("ACC1");
        let known = Candidate { payer_claim_control_number: Some("ICN2".into()), ..candidate(&record) };
        let answer = PayerResponse { payer_claim_control_number: Some("ICN2".into()), ..answer("ACC1") };
        assert_eq!(chosen(&answer, &[candidate(&record), known]).0, 1);
    }

    #[test]
    fn a_cut_number_is_weak_and_a_name_alone_is_nothing() {
        let record = record("ACC26463774-2025-000123");
        assert!(chosen(&answer("ACC26463774-2025-0"), &[candidate(&record)]).1);
        let mut bare = answer("OTHER");
        bare.keys.charge = None;
        bare.keys.member_id = None;
        refused(&bare, &[candidate(&record)]);
        assert!(chosen(&answer("OTHER"), &[candidate(&record)]).1, "member, charge and dates agree");
    }

    #[test]
    fn a_statement_about_many_is_about_all_of_them() {
        let refusal = PayerResponse { transaction: "TA1".into(), ..PayerResponse::default() };
        let both = [candidate(&record("A")), candidate(&record("B"))];
        let Match::These { chosen, .. } = choose(&refusal, &both) else { panic!("both") };
        assert_eq!(chosen, [0, 1]);
        let mut provider = PayerResponse { transaction: "277CA".into(), ..PayerResponse::default() };
        provider.keys.provider = Some("1234567893".into());
        let mut own = record("B");
        own.billing_provider.npi = provider.keys.provider.clone();
        assert_eq!(self::chosen(&provider, &[candidate(&record("A")), candidate(&own)]).0, 1);
        refused(&provider, &[candidate(&record("A"))]);
    }

    #[test]
    fn keys_come_strongest_first() {
        let mut answer = answer("00ACC26463774");
        answer.keys.trace_number = Some("GW42".into());
        answer.payer_claim_control_number = Some("ICN".into());
        let expected = [
            Key::PatientControlNumber("00ACC26463774".into()),
            Key::TraceNumber("GW42".into()),
            Key::PayerClaimControlNumber("ICN".into()),
            Key::PatientControlNumberAlike("00ACC26463774".into()),
            Key::PatientControlNumberPrefix("00ACC26463774".into()),
            Key::MemberAndCharge("JS001|165".into()),
        ];
        assert_eq!(keys(&answer), expected);
        assert!(!keys(&self::answer("A1")).iter().any(|key| matches!(key, Key::PatientControlNumberPrefix(_))));
        assert_eq!(keys(&self::answer("0")).len(), 2, "zeros are alike to nothing");
    }

    #[test]
    fn complaints_find_their_claim() {
        let complaint = |ordinal, context: &[&str]| Complaint {
            ordinal,
            context: context.iter().map(|text| (*text).to_owned()).collect(),
            ..Complaint::default()
        };
        let all = [complaint(Some(22), &[]), complaint(Some(22), &["CLM01:B"]), complaint(None, &[])];
        assert_eq!(concerning(&all, "A", (20, 30)).len(), 2);
        assert_eq!(concerning(&all, "b", (40, 50)).len(), 2);
        assert_eq!(concerning(&all, "C", (31, 50)).len(), 1);
    }
}
