//! The journal for accounting: posted when a payment comes in, written as rows or JSON lines for whoever asks; and the same
//! of a payer's file without a store.

use crate::billing::id::{PayerId, SubmissionId};
use crate::billing::journal::{self, About, Entry};
use crate::billing::response::{PayerResponse, Remittance};
use crate::clock::Clock;
use crate::fault::{Fault, Issue, Place, codes};
use crate::fhir::parse;
use crate::flow::convert;
use crate::gateway::Translator;
use crate::responses::{Reading, Walk, resource};
use crate::store::{JournalFilter, JournalLine, JournalRow, JournalWrite, Store};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Write};

/// How lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180 with a header row; no cell is a formula for a spreadsheet.
    #[default]
    Csv,
    /// One JSON object a line.
    Ndjson,
}

impl Format {
    /// The format of this name.
    pub fn of(name: &str) -> Option<Format> {
        [("csv", Format::Csv), ("ndjson", Format::Ndjson)]
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|each| each.1)
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Format::Csv => "text/csv; charset=utf-8; header=present",
            Format::Ndjson => "application/x-ndjson",
        }
    }
}

/// A column, and what stands in it.
type Column = (&'static str, fn(&Entry) -> Option<&str>);

/// The columns of the rows, after `date` and `amount`; in JSON lines the same names.
const COLUMNS: &[Column] = &[
    ("kind", |entry| Some(&entry.kind)),
    ("category", |entry| entry.category.as_deref()),
    ("payer", |entry| Some(&entry.payer)),
    ("claimNumber", |entry| entry.claim_number.as_deref()),
    ("payerClaimControlNumber", |entry| entry.payer_claim_control_number.as_deref()),
    ("claimStatus", |entry| entry.claim_status.as_deref()),
    ("line", |entry| entry.line.as_deref()),
    ("procedure", |entry| entry.procedure.as_deref()),
    ("group", |entry| entry.group.as_deref()),
    ("reason", |entry| entry.reason.as_deref()),
    ("traceNumber", |entry| entry.trace_number.as_deref()),
    ("provider", |entry| entry.provider.as_deref()),
    ("reference", |entry| entry.reference.as_deref()),
    ("interchange", |entry| entry.interchange.as_deref()),
    ("transactionSet", |entry| entry.transaction_set.as_deref()),
];

/// Columns that only the store knows: the claim that the line is about, and the file it came in.
const KEPT_COLUMNS: [&str; 2] = ["claim", "file"];

/// The names of all columns, in their order.
pub fn columns() -> Vec<&'static str> {
    let all = ["date", "amount"].into_iter().chain(COLUMNS.iter().map(|(name, _)| *name)).chain(KEPT_COLUMNS);
    all.collect()
}

/// What stands above the lines.
pub fn header(format: Format) -> Vec<u8> {
    match format {
        Format::Csv => format!("{}\r\n", columns().join(",")).into_bytes(),
        Format::Ndjson => Vec::new(),
    }
}

/// One line. `kept` is claim and file.
pub fn line(format: Format, entry: &Entry, kept: [Option<&str>; 2]) -> Vec<u8> {
    match format {
        Format::Csv => {
            let (date, amount) = (entry.date.to_string(), amount(entry.amount).to_string());
            let known = [Some(date.as_str()), Some(amount.as_str())];
            let cells = known.into_iter().chain(COLUMNS.iter().map(|(_, of)| of(entry))).chain(kept);
            let cells: Vec<String> = cells.map(|cell| cell.map_or_else(String::new, csv_cell)).collect();
            format!("{}\r\n", cells.join(",")).into_bytes()
        }
        Format::Ndjson => {
            let mut value = serde_json::to_value(entry).unwrap_or(Value::Null);
            value["amount"] = Value::from(amount(entry.amount).to_string());
            for (name, cell) in KEPT_COLUMNS.into_iter().zip(kept) {
                if let Some(cell) = cell {
                    value[name] = Value::from(cell);
                }
            }
            format!("{value}\n").into_bytes()
        }
    }
}

/// With cents, as books have it.
pub fn amount(mut amount: Decimal) -> Decimal {
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    amount
}

/// A cell. What a spreadsheet would take for a formula gets an apostrophe before it; numbers are none.
fn csv_cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<Decimal>().is_err();
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    match text.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

/// The day of a time, in UTC.
pub fn day(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date()
}

/// What a file posts: a journal for each 835, and one for what stands outside of any (FHIR). `told` is whose claim a
/// statement was found to be about, by its position.
pub fn of_reading(about: &About, reading: &Reading, told: &BTreeMap<usize, SubmissionId>) -> Vec<JournalWrite> {
    let mut posted = Vec::new();
    let mut covered = vec![false; reading.responses.len()];
    let line = |position: Option<usize>, entry: &Entry| JournalLine {
        position: position.map(|position| position as u32),
        submission: position.and_then(|position| told.get(&position).cloned()),
        date: entry.date,
        body: serde_json::to_string(entry).unwrap_or_default(),
    };
    let of = |position: usize| {
        let entries = reading.responses.get(position).map(|response| journal::entries(about, response));
        entries.unwrap_or_default().into_iter().map(move |entry| (Some(position), entry))
    };
    for (remittance, range) in reading.remittances.iter().zip(&reading.remitted) {
        let claims = range.clone().flat_map(of);
        covered.iter_mut().skip(range.start).take(range.len()).for_each(|each| *each = true);
        let entries = claims.chain(journal::provider_entries(about, remittance).into_iter().map(|entry| (None, entry)));
        posted.push(entries.collect::<Vec<_>>());
    }
    let rest = covered.iter().enumerate().filter(|(_, covered)| !**covered).flat_map(|(position, _)| of(position));
    posted.push(rest.collect());
    posted
        .into_iter()
        .filter(|entries| !entries.is_empty())
        .map(|entries| JournalWrite {
            fingerprint: fingerprint(entries.iter().map(|(_, entry)| entry)),
            lines: entries.iter().map(|(position, entry)| line(*position, entry)).collect(),
        })
        .collect()
}

/// Hash of what lines say but for the envelope they came in.
fn fingerprint<'e>(entries: impl Iterator<Item = &'e Entry>) -> String {
    let mut hash = Sha256::new();
    for entry in entries {
        let said = Entry { interchange: None, transaction_set: None, ..entry.clone() };
        hash.update(serde_json::to_vec(&said).unwrap_or_default());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lines of the store that are read at once.
const PAGE: usize = 500;

/// The journal of a store, page by page.
pub struct Pages {
    filter: JournalFilter,
    format: Format,
    begun: bool,
    ended: bool,
}

impl Pages {
    pub fn new(filter: JournalFilter, format: Format) -> Pages {
        Pages { filter: JournalFilter { limit: PAGE, ..filter }, format, begun: false, ended: false }
    }

    /// The next bytes; `None` when all is said.
    pub async fn next(&mut self, store: &dyn Store) -> Result<Option<Vec<u8>>, Fault> {
        if self.ended {
            return Ok(None);
        }
        let mut bytes = if self.begun { Vec::new() } else { header(self.format) };
        self.begun = true;
        let rows = store.journal(&self.filter).await?;
        self.ended = rows.len() < PAGE;
        self.filter.after = rows.last().map(|row| (row.date, row.row));
        for row in &rows {
            let entry = entry_of(row)?;
            let claim = row.claim.as_ref().map(|(_, focal)| focal.as_str());
            bytes.extend(line(self.format, &entry, [claim, Some(&row.inbound.1)]));
        }
        Ok(Some(bytes))
    }
}

/// A kept line as it was posted.
pub fn entry_of(row: &JournalRow) -> Result<Entry, Fault> {
    serde_json::from_str(&row.body).map_err(|_| Fault::ours(codes::STORE, "a line of the journal can't be read"))
}

/// What a caller asks for: first and last day, payer.
pub fn filter(tenant: &str, from: Option<&str>, to: Option<&str>, payer: Option<&str>) -> Result<JournalFilter, Fault> {
    let (from, to) = (date("from", from)?, date("to", to)?);
    let payer = payer.map(|payer| PayerId(payer.to_owned()));
    Ok(JournalFilter { tenant: tenant.to_owned(), from, to, payer, ..JournalFilter::default() })
}

/// A day of a query.
pub fn date(name: &str, text: Option<&str>) -> Result<Option<Date>, Fault> {
    let wrong = || {
        let text = format!("`{name}` is no date");
        Fault::refuse(codes::SEARCH_PARAMETER, Place::Whole, text, "write a full date, YYYY-MM-DD")
    };
    text.map(|text| text.parse().map_err(|_| wrong())).transpose()
}

/// The journal of a payer's file, of any length, without a store. True when the text held an interchange at all.
pub fn offline(
    translator: &Translator,
    payer: &str,
    format: Format,
    source: impl Read,
    out: &mut dyn Write,
    issue: &mut dyn FnMut(&Issue),
) -> Result<bool, Fault> {
    let about = About { payer, day: day(Clock::System.now()) };
    let mut writing = Writing { format, out };
    writing.bytes(&header(format))?;
    let mut source = BufReader::new(source);
    if convert::is_json(&mut source) {
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes).map_err(|error| unwritten(&error))?;
        let body = parse::json(&bytes, translator.config.limits.json_depth)?;
        let answers = resource::read(&translator.meanings, &body);
        answers.iter().try_for_each(|answer| writing.claim(&about, answer))?;
        return Ok(!answers.is_empty());
    }
    let mut walk = Walk::new(&translator.meanings, source);
    let mut any = false;
    while walk.step() {
        std::mem::take(&mut walk.reading.issues).iter().for_each(&mut *issue);
        walk.reading.take().iter().try_for_each(|response| writing.claim(&about, response))?;
        // What stands in the claims is written already.
        walk.take_part(PAGE);
        for remittance in std::mem::take(&mut walk.reading.remittances) {
            writing.provider(&about, &remittance)?;
        }
        walk.reading.remitted.clear();
        walk.reading.batches.clear();
        any |= walk.reading.keep_last_envelope();
    }
    std::mem::take(&mut walk.reading.issues).iter().for_each(&mut *issue);
    Ok(any)
}

struct Writing<'w> {
    format: Format,
    out: &'w mut dyn Write,
}

impl Writing<'_> {
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.out.write_all(bytes).map_err(|error| unwritten(&error))
    }

    fn claim(&mut self, about: &About, response: &PayerResponse) -> Result<(), Fault> {
        journal::entries(about, response).iter().try_for_each(|entry| self.bytes(&line(self.format, entry, [None; 2])))
    }

    fn provider(&mut self, about: &About, remittance: &Remittance) -> Result<(), Fault> {
        let entries = journal::provider_entries(about, remittance);
        entries.iter().try_for_each(|entry| self.bytes(&line(self.format, entry, [None; 2])))
    }
}

fn unwritten(error: &io::Error) -> Fault {
    Fault::ours(codes::INTERNAL, format!("the journal can't be written: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_numbers_stay_numbers() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-A", "'-A"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("-12.50", "-12.50"),
            ("a,b", "\"a,b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("=a,b", "\"'=a,b\""),
            ("plain", "plain"),
        ] {
            assert_eq!(csv_cell(text), cell);
        }
    }

    #[test]
    fn a_row_has_as_many_cells_as_the_header() {
        let entry = Entry { kind: "charge".into(), amount: Decimal::from(12), ..Entry::default() };
        let cells = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().split(',').count();
        assert_eq!(cells(line(Format::Csv, &entry, [None; 2])), cells(header(Format::Csv)));
        let json: Value = serde_json::from_slice(&line(Format::Ndjson, &entry, [Some("Claim/1"), None])).unwrap();
        assert_eq!((json["amount"].as_str(), json["claim"].as_str()), (Some("12.00"), Some("Claim/1")));
    }
}
