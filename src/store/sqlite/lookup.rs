//! Finding submissions: by id, by reference, by state, and by the keys that a payer's answer names.

use super::rows::{all, one, scan, state, time};
use crate::billing::id::{InterchangeId, PayerId, SubmissionId};
use crate::billing::journey::State;
use crate::billing::key::alike;
use crate::fault::{Fault, codes};
use crate::store::{ClaimPart, Figures, Filter, Found, Key, Link, RESULTS_MOST, SealedClaim, Submission};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};
use std::collections::HashMap;

const SUBMISSION: &str =
    "SELECT s.row, s.id, s.tenant, s.focal, s.payer, s.guide, s.mapping_version, s.response, s.state,
                                 s.since, s.attempts, s.received, i.id, n.id
                          FROM submissions s LEFT JOIN interchanges i ON i.row = s.interchange
                                             LEFT JOIN submissions n ON n.row = s.superseded";

/// Row and submission, without its parts.
fn submission(row: &Row<'_>) -> rusqlite::Result<(i64, Submission)> {
    let submission = Submission {
        id: SubmissionId(row.get(1)?),
        tenant: row.get(2)?,
        focal: row.get(3)?,
        payer: PayerId(row.get(4)?),
        guide: row.get(5)?,
        mapping_version: row.get(6)?,
        response: row.get(7)?,
        state: state(row, 8)?,
        since: time(row, 9)?,
        parts: Vec::new(),
        attempts: row.get(10)?,
        received: time(row, 11)?,
        interchange: row.get::<_, Option<String>>(12)?.map(InterchangeId),
        superseded: row.get::<_, Option<String>>(13)?.map(SubmissionId),
    };
    Ok((row.get(0)?, submission))
}

fn with_parts(connection: &Connection, found: Option<(i64, Submission)>) -> Result<Option<Submission>, Fault> {
    let Some((row, mut submission)) = found else { return Ok(None) };
    submission.parts = parts(connection, row)?;
    Ok(Some(submission))
}

fn parts(connection: &Connection, submission: i64) -> Result<Vec<ClaimPart>, Fault> {
    let sql = "SELECT number, patient_control_number, trace_number, body, record, member_and_charge FROM parts
               WHERE submission = ?1 ORDER BY number";
    all(connection, sql, [submission], |row| {
        Ok(ClaimPart {
            number: row.get(0)?,
            patient_control_number: row.get(1)?,
            trace_number: row.get(2)?,
            body: row.get(3)?,
            record: row.get(4)?,
            member_and_charge: row.get(5)?,
        })
    })
}

pub fn id_of(connection: &Connection, row: i64) -> Result<SubmissionId, Fault> {
    let id = one(connection, "SELECT id FROM submissions WHERE row = ?1", [row], |row| row.get(0))?;
    id.map(SubmissionId).ok_or_else(missing)
}

fn missing() -> Fault {
    Fault::ours(codes::INTERNAL, "a submission is missing")
}

pub fn by_id(connection: &Connection, id: &SubmissionId) -> Result<Option<Submission>, Fault> {
    let found = one(connection, &format!("{SUBMISSION} WHERE s.id = ?1"), [id.as_str()], submission)?;
    with_parts(connection, found)
}

pub fn by_reference(connection: &Connection, tenant: &str, reference: &str) -> Result<Option<Submission>, Fault> {
    let sql = format!(
        "{SUBMISSION} WHERE s.row = (SELECT max(submission) FROM submission_references
                                     WHERE tenant = ?1 AND reference = ?2)"
    );
    with_parts(connection, one(connection, &sql, [tenant, reference], submission)?)
}

/// All submissions of a claim, oldest first.
pub fn chain(connection: &Connection, id: &SubmissionId) -> Result<Vec<Link>, Fault> {
    let sql = "SELECT coalesce(root, row) FROM submissions WHERE id = ?1";
    let Some(root) = one(connection, sql, [id.as_str()], |row| row.get::<_, i64>(0))? else { return Ok(Vec::new()) };
    let sql = "SELECT id, frequency, row FROM submissions WHERE row = ?1
               UNION ALL SELECT id, frequency, row FROM submissions WHERE root = ?1 ORDER BY 3";
    let rows = all(connection, sql, [root], |row| {
        Ok((SubmissionId(row.get(0)?), row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
    })?;
    let sql = "SELECT payer_claim_control_number FROM parts WHERE submission = ?1 AND number = 1";
    let link = |(id, frequency, row): (SubmissionId, String, i64)| {
        let number = one(connection, sql, [row], |row| row.get::<_, Option<String>>(0))?.flatten();
        Ok(Link {
            submission: by_id(connection, &id)?.ok_or_else(missing)?,
            frequency,
            payer_claim_control_number: number,
        })
    };
    rows.into_iter().map(link).collect()
}

pub fn list(connection: &Connection, filter: &Filter) -> Result<Vec<Submission>, Fault> {
    let conditions = [
        ("s.tenant =", filter.tenant.clone().map(Value::Text)),
        ("s.state =", filter.state.map(|state| Value::Text(state.word().into()))),
        ("s.payer =", filter.payer.clone().map(|payer| Value::Text(payer.0))),
        ("s.since <", filter.before.map(|before| Value::Integer(before.as_microsecond()))),
    ];
    let mut sql = format!("{SUBMISSION} WHERE true");
    let mut given = Vec::new();
    for (condition, value) in conditions {
        if let Some(value) = value {
            sql.push_str(&format!(" AND {condition} ?"));
            given.push(value);
        }
    }
    if filter.drafts {
        sql.push_str(
            " AND s.superseded IS NULL AND EXISTS (SELECT 1 FROM held h WHERE h.submission = s.row
              AND json_extract(h.content, '$.draft') IS NOT NULL)",
        );
    }
    sql.push_str(&format!(" ORDER BY s.since, s.row LIMIT {}", filter.limit.min(RESULTS_MOST)));
    Ok(scan(connection, &sql, params_from_iter(given), submission)?.into_iter().map(|(_, found)| found).collect())
}

/// Where a key points to: submission, part, and the interchange when the key is one of the interchange's.
struct Hit {
    submission: i64,
    part: u32,
    interchange: Option<i64>,
}

/// Claims by their place in our interchanges; `{}` is the condition.
const BY_PLACE: &str = "SELECT c.submission, c.part, c.interchange
                        FROM interchanges i JOIN sealed_claims c ON c.interchange = i.row
                        WHERE {} AND (?1 IS NULL OR i.payer = ?1)
                        ORDER BY c.interchange DESC, c.submission, c.part";

/// Claims by numbers of their own.
const BY_NUMBER: &str = "SELECT p.submission, p.number, NULL
                         FROM parts p JOIN submissions s ON s.row = p.submission
                         WHERE {} AND (?1 IS NULL OR s.payer = ?1)
                         ORDER BY p.row DESC LIMIT 1000";

/// The form of `billing::key::alike`, as the index of it has it.
macro_rules! alike {
    ($condition:literal) => {
        concat!(
            "ltrim(upper(replace(replace(replace(replace(replace(p.patient_control_number, '-', ''), ' ', ''), '.', ''), ",
            "'_', ''), '/', '')), '0') ",
            $condition
        )
    };
}

/// The row of a key: which claims, on what condition, with which values.
fn condition(key: &Key) -> (&'static str, &'static str, Vec<Value>) {
    let text = |text: &String| Value::Text(text.clone());
    let number = |number: u32| Value::Integer(number.into());
    match key {
        Key::InterchangeControlNumber(isa) => (BY_PLACE, "i.interchange_control_number = ?2", vec![number(*isa)]),
        Key::GroupControlNumber(gs, None) => (BY_PLACE, "i.group_control_number = ?2", vec![number(*gs)]),
        Key::GroupControlNumber(gs, Some(set)) => {
            (BY_PLACE, "i.group_control_number = ?2 AND c.transaction_set = ?3", vec![number(*gs), text(set)])
        }
        Key::BatchNumber(batch) => (BY_PLACE, "c.batch_number = ?2", vec![text(batch)]),
        Key::PatientControlNumber(clm) => {
            (BY_NUMBER, alike!("= ?2 AND p.patient_control_number = ?3"), vec![Value::Text(alike(clm)), text(clm)])
        }
        Key::PatientControlNumberAlike(clm) => (BY_NUMBER, alike!("= ?2"), vec![Value::Text(alike(clm))]),
        Key::PatientControlNumberPrefix(clm) => (
            BY_NUMBER,
            concat!(alike!(">= ?2 AND "), alike!("< ?3")),
            vec![Value::Text(alike(clm)), Value::Text(format!("{}\u{10ffff}", alike(clm)))],
        ),
        Key::MemberAndCharge(both) => (BY_NUMBER, "p.member_and_charge = ?2", vec![text(both)]),
        Key::TraceNumber(trace) => (BY_NUMBER, "p.trace_number = ?2", vec![text(trace)]),
        Key::PayerClaimControlNumber(number) => (BY_NUMBER, "p.payer_claim_control_number = ?2", vec![text(number)]),
    }
}

pub fn find(connection: &Connection, payer: Option<&PayerId>, key: &Key) -> Result<Vec<Found>, Fault> {
    let (select, condition, values) = condition(key);
    let mut given = vec![payer.map_or(Value::Null, |payer| Value::Text(payer.0.clone()))];
    given.extend(values);
    let hits = all(connection, &select.replace("{}", condition), params_from_iter(given), |row| {
        Ok(Hit { submission: row.get(0)?, part: row.get(1)?, interchange: row.get(2)? })
    })?;
    let mut known = HashMap::new();
    hits.iter().map(|hit| found(connection, hit, &mut known)).collect()
}

fn found(connection: &Connection, hit: &Hit, known: &mut HashMap<i64, Submission>) -> Result<Found, Fault> {
    let submission = match known.get(&hit.submission) {
        Some(submission) => submission.clone(),
        None => {
            let row = one(connection, &format!("{SUBMISSION} WHERE s.row = ?1"), [hit.submission], submission)?;
            let submission = with_parts(connection, row)?.ok_or_else(missing)?;
            known.insert(hit.submission, submission.clone());
            submission
        }
    };
    let sql = "SELECT payer_claim_control_number FROM parts WHERE submission = ?1 AND number = ?2";
    let number = one(connection, sql, params![hit.submission, hit.part], |row| row.get(0))?;
    let sealed = place(connection, hit, &submission.id)?;
    Ok(Found { submission, part: hit.part, sealed, payer_claim_control_number: number.flatten() })
}

/// Where the claim stands in the interchange that was asked for, or in its newest.
fn place(connection: &Connection, hit: &Hit, id: &SubmissionId) -> Result<Option<SealedClaim>, Fault> {
    let sql = "SELECT part, transaction_set, batch_number, first_segment, last_segment FROM sealed_claims
               WHERE submission = ?1 AND part = ?2 AND (?3 IS NULL OR interchange = ?3)
               ORDER BY interchange DESC LIMIT 1";
    one(connection, sql, params![hit.submission, hit.part, hit.interchange], |row| {
        Ok(SealedClaim {
            submission: id.clone(),
            part: row.get(0)?,
            transaction_set: row.get(1)?,
            batch_number: row.get(2)?,
            first_segment: row.get(3)?,
            last_segment: row.get(4)?,
        })
    })
}

pub fn figures(connection: &Connection) -> Result<Figures, Fault> {
    let sql = "SELECT state, sum(submissions) FROM state_counts GROUP BY state";
    let counts: HashMap<State, u64> =
        scan(connection, sql, [], |row| Ok((state(row, 0)?, row.get::<_, i64>(1)?.max(0) as u64)))?
            .into_iter()
            .collect();
    let count = |state: &State| (*state, counts.get(state).copied().unwrap_or(0));
    Ok(Figures {
        submissions_by_state: State::ALL.iter().map(count).collect(),
        outbox: count_rows(connection, "SELECT count(*) FROM outbox")?,
        unmatched: count_rows(connection, "SELECT count(*) FROM unmatched WHERE assigned IS NULL")?,
    })
}

fn count_rows(connection: &Connection, sql: &str) -> Result<u64, Fault> {
    let counted = scan(connection, sql, [], |row| row.get::<_, i64>(0))?;
    Ok(counted.into_iter().sum::<i64>().max(0) as u64)
}
