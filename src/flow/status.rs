//! A 276 that is asked of us (005010X212): answered by a 277 from what is known of the claim. Who asks names the payer whose
//! claims are looked through; of others nothing is told.

use crate::billing::id::PayerId;
use crate::billing::journey::State;
use crate::billing::record::{BillingRecord, DateRange};
use crate::billing::response::{Adjudication, ClaimStatus, Decision, PayerResponse, Payment};
use crate::fault::{Fault, any_error, codes};
use crate::flow::journal::day;
use crate::gateway::{Gateway, Translator};
use crate::responses::meaning::List;
use crate::responses::standing::{self, Said};
use crate::store::{Found, Key};
use crate::x12::assemble::{self, BatchHeader, Envelope};
use crate::x12::check;
use crate::x12::delimiters::Delimiters;
use crate::x12::reader::{self, Interchange, TransactionSet};
use crate::x12::segment::Segment;
use crate::x12::text::Text;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

mod lines;

const GUIDE: &str = "005010X212";
const ASKED: &str = "276";
const ANSWERED: &str = "277";

/// Inquiries of one file that are looked up; those behind them are told to ask again.
pub const INQUIRIES_MOST: usize = 1_000;

/// The 277s for all inquiries of a file; empty when it holds none. An interchange that its check refuses is answered by a 999
/// alone.
pub async fn answer(gateway: &Gateway, payer: &PayerId, bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let text = Text::decode(bytes);
    let (interchanges, _) = reader::read_text(&text);
    let (mut out, mut left) = (Vec::new(), INQUIRIES_MOST);
    for interchange in interchanges.iter().filter(|interchange| asks(interchange)) {
        if refused(&gateway.translator, payer, interchange) {
            continue;
        }
        let bodies = bodies(gateway, payer, interchange, &mut left).await?;
        if !bodies.is_empty() {
            out.extend(assembled(&gateway.translator, interchange, &bodies, gateway.clock.now())?);
        }
    }
    Ok(out)
}

/// Whether a set is a question that is answered here.
pub fn is_question(transaction: &str) -> bool {
    transaction == ASKED
}

fn asks(interchange: &Interchange) -> bool {
    interchange.sets().any(|set| is_question(set.id()))
}

fn refused(translator: &Translator, payer: &PayerId, interchange: &Interchange) -> bool {
    let mut issues = check::check_interchange(&translator.guides, interchange);
    translator.policy(Some(payer.as_str())).apply(&mut issues);
    any_error(&issues)
}

/// From loop 2000A down, one for each inquiry; `left` of them are looked up.
async fn bodies(
    gateway: &Gateway,
    payer: &PayerId,
    interchange: &Interchange<'_>,
    left: &mut usize,
) -> Result<Vec<String>, Fault> {
    let mut bodies = Vec::new();
    for set in interchange.sets().filter(|set| is_question(set.id())) {
        for inquiry in inquiries(set) {
            let outcome = match left.checked_sub(1) {
                Some(fewer) => {
                    *left = fewer;
                    known(gateway, payer, &inquiry).await?.ok_or(UNKNOWN)
                }
                None => Err(TOO_MANY),
            };
            bodies.push(body(gateway, &interchange.delimiters, &inquiry, outcome.as_ref().map_err(|row| *row)));
        }
    }
    Ok(bodies)
}

/// One question: 2200D or 2200E, and the names above it.
#[derive(Default)]
struct Inquiry<'a> {
    /// NM1 of payer, receiver, provider (as many as there are), subscriber and dependent, as they were written.
    names: Vec<(&'a str, &'a str)>,
    /// TRN02.
    trace: &'a str,
    /// REF01 and REF02.
    references: Vec<(&'a str, &'a str)>,
    /// NM109 of the subscriber.
    member_id: &'a str,
    /// DTP*472 of the claim.
    service_date: Option<&'a str>,
}

impl<'a> Inquiry<'a> {
    fn reference(&self, qualifier: &str) -> Option<&'a str> {
        self.references.iter().find(|(known, _)| *known == qualifier).map(|(_, value)| *value)
    }
}

/// HL03, and the names that a new level of it takes the place of.
const LEVELS: &[(&str, &[&str])] = &[
    ("20", &["PR", "41", "1P", "IL", "QC"]),
    ("21", &["41", "1P", "IL", "QC"]),
    ("19", &["1P", "IL", "QC"]),
    ("22", &["IL", "QC"]),
    ("23", &["QC"]),
];

fn inquiries<'a>(set: &TransactionSet<'a>) -> Vec<Inquiry<'a>> {
    let mut out: Vec<Inquiry> = Vec::new();
    let (mut names, mut member_id): (Vec<(&str, &str)>, &str) = (Vec::new(), "");
    let (mut open, mut in_line) = (false, false);
    for segment in &set.segments {
        match segment.id() {
            "HL" => {
                let level = LEVELS.iter().find(|(code, _)| *code == segment.element(3));
                names.retain(|(entity, _)| level.is_none_or(|(_, gone)| !gone.contains(entity)));
                open = false;
            }
            "NM1" => {
                names.push((segment.element(1), segment.raw()));
                if segment.element(1) == "IL" {
                    member_id = segment.element(9);
                }
            }
            "TRN" => {
                out.push(Inquiry { names: names.clone(), trace: segment.element(2), member_id, ..Inquiry::default() });
                (open, in_line) = (true, false);
            }
            "SVC" => in_line = true,
            _ if open && !in_line => out.last_mut().into_iter().for_each(|inquiry| detail(inquiry, segment)),
            _ => {}
        }
    }
    out
}

fn detail<'a>(inquiry: &mut Inquiry<'a>, segment: &Segment<'a>) {
    match (segment.id(), segment.element(1)) {
        ("REF", qualifier) => inquiry.references.push((qualifier, segment.element(2))),
        ("DTP", "472") => inquiry.service_date = Some(segment.raw()),
        _ => {}
    }
}

/// Rows of `codes/claim-state.tsv` for what nothing is known of, and what was not looked up.
const UNKNOWN: &str = "unknown";
const TOO_MANY: &str = "too-many";

/// What is known of the claim that is asked about.
struct Known {
    found: Found,
    record: BillingRecord,
    /// Heard of this part, oldest first.
    said: Vec<PayerResponse>,
}

/// The claim by the payer's number, then by ours. One of another member is not the one that is meant.
async fn known(gateway: &Gateway, payer: &PayerId, inquiry: &Inquiry<'_>) -> Result<Option<Known>, Fault> {
    let text = |value: Option<&str>| value.map(str::to_owned).filter(|value| !value.is_empty());
    let keys = [
        text(inquiry.reference("1K")).map(Key::PayerClaimControlNumber),
        text(inquiry.reference("D9")).map(Key::TraceNumber),
        text(inquiry.reference("EJ")).map(Key::PatientControlNumber),
        text(Some(inquiry.trace)).map(Key::TraceNumber),
    ];
    for key in keys.into_iter().flatten() {
        for found in gateway.store.find(Some(payer), &key).await? {
            let part = found.submission.parts.iter().find(|part| part.number == found.part);
            let record: BillingRecord =
                part.and_then(|part| serde_json::from_str(&part.record).ok()).unwrap_or_default();
            if !same_member(&record, inquiry) {
                continue;
            }
            let answers = gateway.store.answers(&found.submission.id).await?;
            let own = answers.into_iter().filter(|answer| answer.part == found.part);
            let said = own.filter_map(|answer| serde_json::from_str(&answer.body).ok()).collect();
            return Ok(Some(Known { found, record, said }));
        }
    }
    Ok(None)
}

fn same_member(record: &BillingRecord, inquiry: &Inquiry) -> bool {
    let ours = record.subscriber.member_id.as_deref().unwrap_or_default();
    ours.is_empty() || inquiry.member_id.is_empty() || ours.eq_ignore_ascii_case(inquiry.member_id)
}

/// STC of a claim.
#[derive(Default)]
struct Status {
    /// Category, code and entity; at most three.
    codes: Vec<[String; 3]>,
    date: Option<Date>,
    charge: Option<Decimal>,
    paid: Option<Decimal>,
    finalized: Option<Date>,
    remitted: Option<Date>,
    payment: Option<String>,
}

/// Composites that one STC holds.
const COMPOSITES: usize = 3;

/// What is told of a claim: its newest payment, else what its payer said of it last, else its state.
fn status(translator: &Translator, known: Result<&Known, &str>, today: Date) -> Status {
    let own = |key: &str| {
        let column = |name| translator.meanings.column(List::State, key, name).unwrap_or_default().to_owned();
        vec![["to", "status", "entity"].map(column)]
    };
    let known = match known {
        Ok(known) => known,
        Err(row) => return Status { codes: own(row), date: Some(today), ..Status::default() },
    };
    let charge = Some(known.record.total_charge);
    let heard: Vec<Said> =
        known.said.iter().map(|said| Said { part: known.found.part, answer: said.clone() }).collect();
    let stands = standing::standing(&heard).last().map(|said| &said.answer);
    // What was taken back, and nothing came in its place.
    let newest = stands.or_else(|| known.said.iter().rfind(|said| said.adjudication.is_some()));
    if let Some((said, adjudication)) = newest.and_then(|said| Some((said, said.adjudication.as_ref()?))) {
        return adjudicated(own(outcome(said, adjudication)), said.payment.as_ref(), adjudication, said.stated, today);
    }
    let state = known.found.submission.state;
    let status = known.said.iter().rev().find(|said| !said.statuses.is_empty() && state != State::Queued);
    match status {
        Some(said) => Status {
            codes: said.statuses.iter().take(COMPOSITES).map(composite).collect(),
            date: said.statuses.first().and_then(|status| status.date).or(said.stated).or(Some(today)),
            charge,
            ..Status::default()
        },
        None => Status {
            codes: own(state.word()),
            date: Some(day(known.found.submission.since)),
            charge,
            ..Status::default()
        },
    }
}

fn composite(status: &ClaimStatus) -> [String; 3] {
    [Some(&status.category), status.code.as_ref(), status.entity.as_ref()].map(|part| part.cloned().unwrap_or_default())
}

/// The row of `codes/claim-state.tsv` for a payment.
fn outcome(said: &PayerResponse, adjudication: &Adjudication) -> &'static str {
    match Decision::of(&said.decision) {
        Decision::Reversed => "reversed",
        Decision::Denied => "denied",
        _ if adjudication.paid > Decimal::ZERO => "paid",
        _ => "unpaid",
    }
}

fn adjudicated(
    codes: Vec<[String; 3]>,
    payment: Option<&Payment>,
    adjudication: &Adjudication,
    stated: Option<Date>,
    today: Date,
) -> Status {
    let remitted = payment.and_then(|payment| payment.date).or(stated);
    Status {
        codes,
        date: remitted.or(Some(today)),
        charge: Some(adjudication.charge),
        paid: Some(adjudication.paid),
        finalized: remitted,
        remitted: remitted.filter(|_| !adjudication.paid.is_zero()),
        payment: payment.map(|payment| payment.trace_number.chars().take(CHECK_NUMBER_MOST).collect()),
    }
}

/// Characters of STC09.
const CHECK_NUMBER_MOST: usize = 16;

/// HL03 of each name, and whether others hang below it.
const HIERARCHY: &[(&str, &str)] = &[("PR", "20"), ("41", "21"), ("1P", "19"), ("IL", "22"), ("QC", "23")];

fn body(gateway: &Gateway, delimiters: &Delimiters, inquiry: &Inquiry, known: Result<&Known, &str>) -> String {
    let mut lines = Body { delimiters, out: String::new() };
    let mut levels = 0_usize;
    let last = inquiry.names.last().map_or("", |(entity, _)| *entity);
    let mut before = "";
    for (entity, raw) in &inquiry.names {
        if let Some((_, level)) = HIERARCHY.iter().find(|(known, _)| known == entity).filter(|_| before != *entity) {
            let parent = if levels == 0 { String::new() } else { levels.to_string() };
            levels += 1;
            let child = match (*entity == last, *entity) {
                (false, _) => "1",
                (true, "QC") => "",
                (true, _) => "0",
            };
            lines.write(&["HL", &levels.to_string(), &parent, level, child]);
        }
        before = entity;
        lines.raw(raw);
    }
    lines.write(&["TRN", "2", inquiry.trace]);
    let today = day(gateway.clock.now());
    lines.status(&status(&gateway.translator, known, today));
    let known = known.ok();
    lines.references(inquiry, known);
    match (inquiry.service_date, known.and_then(service_date)) {
        (_, Some((first, last))) => lines.service_date(&first, &last),
        (Some(asked), None) => lines.raw(asked),
        (None, None) => {}
    }
    if let Some(known) = known {
        lines::write(&mut lines, &gateway.translator, known, today);
    }
    lines.out
}

/// First and last day of the claim's services.
fn service_date(known: &Known) -> Option<(String, String)> {
    let dates = known.record.service_lines.iter().filter_map(|line| line.service_date.as_ref());
    let ranges = known.record.statement_period.as_ref().map_or_else(|| dates.collect(), |period| vec![period]);
    let range = |range: &DateRange| range.start.map(|start| (start, range.end.unwrap_or(start)));
    let days: Vec<(Date, Date)> = ranges.into_iter().filter_map(range).collect();
    let (first, last) = (days.iter().map(|day| day.0).min()?, days.iter().map(|day| day.1).max()?);
    Some((compact(first), compact(last)))
}

/// CCYYMMDD.
fn compact(date: Date) -> String {
    date.strftime("%Y%m%d").to_string()
}

/// Segments of a body.
struct Body<'d> {
    delimiters: &'d Delimiters,
    out: String,
}

impl Body<'_> {
    fn raw(&mut self, segment: &str) {
        self.out.push_str(segment.trim());
        self.out.push(char::from(self.delimiters.terminator));
    }

    /// Without the empty elements at the end.
    fn write(&mut self, elements: &[&str]) {
        let used = elements.iter().rposition(|element| !element.is_empty()).map_or(0, |last| last + 1);
        let separator = char::from(self.delimiters.element).to_string();
        self.raw(&elements[..used].join(&separator));
    }

    fn status(&mut self, status: &Status) {
        let separator = char::from(self.delimiters.component).to_string();
        let joined = |codes: &[String; 3]| codes.join(&separator).trim_end_matches(&separator).to_owned();
        let codes: Vec<String> = status.codes.iter().map(joined).collect();
        let code = |n: usize| codes.get(n).map_or("", String::as_str);
        let date = |date: Option<Date>| date.map(compact).unwrap_or_default();
        let money = |amount: Option<Decimal>| amount.map(|amount| amount.normalize().to_string()).unwrap_or_default();
        self.write(&[
            "STC",
            code(0),
            &date(status.date),
            "",
            &money(status.charge),
            &money(status.paid),
            &date(status.finalized),
            "",
            &date(status.remitted),
            status.payment.as_deref().unwrap_or_default(),
            code(1),
            code(2),
        ]);
    }

    /// DTP*472.
    fn service_date(&mut self, first: &str, last: &str) {
        match first == last {
            true => self.write(&["DTP", "472", "D8", first]),
            false => self.write(&["DTP", "472", "RD8", &format!("{first}-{last}")]),
        }
    }

    /// What is known of the numbers, else what was asked by.
    fn references(&mut self, inquiry: &Inquiry, known: Option<&Known>) {
        let payers = known.and_then(|known| known.found.payer_claim_control_number.as_deref());
        let patients = known.map(|known| known.record.patient_control_number.as_str());
        let traced = known.and_then(|known| known.record.trace_number.as_deref());
        let rows = [("1K", payers), ("BLT", None), ("EJ", patients), ("XZ", None), ("VV", None), ("D9", traced)];
        for (qualifier, ours) in rows {
            let value = ours.filter(|ours| !ours.is_empty()).or_else(|| inquiry.reference(qualifier));
            if let Some(value) = value {
                self.write(&["REF", qualifier, value]);
            }
        }
    }
}

/// The bodies in an interchange back to who asked. Its numbers are those of the question, moved by half of all numbers:
/// the TA1 or 999 beside it bears the same.
fn assembled(
    translator: &Translator,
    asked: &Interchange,
    bodies: &[String],
    now: Timestamp,
) -> Result<Vec<u8>, Fault> {
    let missing = || Fault::ours(codes::CONFIGURATION, "the guide of the 277 is not loaded");
    let guide = translator.guides.for_set(ANSWERED, GUIDE).ok_or_else(missing)?;
    let number: u32 = asked.control_number().parse().unwrap_or(1);
    let number = (number + HALF) % assemble::MAX_CONTROL_NUMBER + 1;
    let isa = |n: usize| asked.isa.element(n).trim().to_owned();
    let gs = |n: usize| asked.groups.first().map(|group| group.gs.element(n).to_owned()).unwrap_or_default();
    let envelope = Envelope {
        sender_qualifier: isa(7),
        sender_id: isa(8),
        receiver_qualifier: isa(5),
        receiver_id: isa(6),
        group_sender: gs(3),
        group_receiver: gs(2),
        usage: isa(15).chars().next().unwrap_or('T'),
        acknowledgment_requested: false,
        at: TimeZone::UTC.to_datetime(now),
        interchange_control_number: number,
        group_control_number: number,
        delimiters: asked.delimiters,
    };
    let header = BatchHeader {
        batch_number: format!("CG{number:09}"),
        purpose: "08".into(),
        kind: "DG".into(),
        ..BatchHeader::default()
    };
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    assemble::assemble(guide, &envelope, &header, &bodies).map(|assembled| assembled.bytes)
}

const HALF: u32 = 500_000_000;
