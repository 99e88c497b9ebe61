//! Answers that are waited for, from the sending of an interchange on.

use super::life;
use super::rows::{all, execute, micros, one, scan, statement, time};
use crate::billing::id::{InterchangeId, PayerId, SubmissionId};
use crate::billing::journey::{Awaited, EventKind};
use crate::fault::{Fault, codes};
use crate::store::{NewEvent, Overdue, OverdueFilter, RESULTS_MOST, SentIn};
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};
use std::time::Duration;

/// Deadlines as an interchange keeps them.
pub fn text_of(deadlines: &[(Awaited, Duration)]) -> String {
    let pairs: Vec<(&str, i64)> = deadlines
        .iter()
        .map(|(answer, within)| (answer.word(), i64::try_from(within.as_micros()).unwrap_or(i64::MAX)))
        .collect();
    serde_json::json!(pairs).to_string()
}

/// An interchange was sent: every claim inside waits for its answers, but for those that were quicker than we.
pub fn begin(connection: &Connection, interchange: i64, at: Timestamp) -> Result<(), Fault> {
    let sql = "SELECT deadlines FROM interchanges WHERE row = ?1";
    let text = one(connection, sql, [interchange], |row| row.get::<_, String>(0))?.unwrap_or_default();
    let unreadable = |_| Fault::ours(codes::INTERNAL, "the deadlines of an interchange can't be read");
    let deadlines: Vec<(String, i64)> = serde_json::from_str(&text).map_err(unreadable)?;
    if deadlines.is_empty() {
        return Ok(());
    }
    let sql = "INSERT OR REPLACE INTO awaited (submission, part, answer, tenant, payer, interchange, since, due)
               SELECT c.submission, c.part, ?2, c.tenant, i.payer, i.row, ?3, ?4
               FROM interchanges i JOIN sealed_claims c ON c.interchange = i.row
               JOIN submissions s ON s.row = c.submission WHERE i.row = ?1
               AND CASE s.state WHEN 'acknowledged' THEN ?2 IN ('277ca', '835')
                   WHEN 'accepted' THEN ?2 = '835' WHEN 'pended' THEN ?2 = '835'
                   WHEN 'adjudicated' THEN false WHEN 'rejected' THEN false ELSE true END";
    let mut insert = statement(connection, sql)?;
    for (answer, within) in deadlines {
        insert.execute(params![interchange, answer, micros(at), micros(at).saturating_add(within)])?;
    }
    Ok(())
}

/// These answers of a part are waited for no more.
pub fn settle(connection: &Connection, submission: i64, part: u32, answers: &[Awaited]) -> Result<(), Fault> {
    let mut delete = statement(connection, "DELETE FROM awaited WHERE submission = ?1 AND part = ?2 AND answer = ?3")?;
    for answer in answers {
        delete.execute(params![submission, part, answer.word()])?;
    }
    Ok(())
}

/// What another submission has taken the place of is nobody's work any more.
const OVERDUE: &str = "SELECT s.id, a.part, a.answer, a.payer, s.focal, s.state, p.patient_control_number, a.since,
                              a.due, i.id, i.name, i.interchange_control_number, i.group_control_number,
                              (SELECT c.transaction_set FROM sealed_claims c WHERE c.interchange = a.interchange
                               AND c.submission = a.submission AND c.part = a.part)
                       FROM awaited a JOIN submissions s ON s.row = a.submission
                       JOIN parts p ON p.submission = a.submission AND p.number = a.part
                       JOIN interchanges i ON i.row = a.interchange
                       WHERE s.superseded IS NULL";

fn overdue(row: &Row<'_>) -> rusqlite::Result<Overdue> {
    let sent = SentIn {
        id: InterchangeId(row.get(9)?),
        name: row.get(10)?,
        interchange_control_number: row.get(11)?,
        group_control_number: row.get(12)?,
        transaction_set: row.get::<_, Option<String>>(13)?.unwrap_or_default(),
    };
    let answer = Awaited::of(row.get_ref(2)?.as_str()?);
    Ok(Overdue {
        submission: SubmissionId(row.get(0)?),
        part: row.get(1)?,
        answer: answer.unwrap_or(Awaited::Remittance835),
        payer: PayerId(row.get(3)?),
        focal: row.get(4)?,
        state: row.get(5)?,
        claim_number: row.get(6)?,
        since: time(row, 7)?,
        due: time(row, 8)?,
        interchange: Some(sent),
    })
}

pub fn late(connection: &Connection, now: Timestamp, limit: usize) -> Result<Vec<Overdue>, Fault> {
    let sql = format!("{OVERDUE} AND a.noticed IS NULL AND a.due <= ?1 ORDER BY a.due LIMIT ?2");
    all(connection, &sql, params![micros(now), limit.min(RESULTS_MOST) as i64], overdue)
}

pub fn list(connection: &Connection, filter: &OverdueFilter) -> Result<Vec<Overdue>, Fault> {
    let mut sql = format!("{OVERDUE} AND a.due <= ? AND a.tenant = ?");
    let mut given = vec![Value::Integer(micros(filter.now)), Value::Text(filter.tenant.clone())];
    let asked = [
        ("a.payer", filter.payer.as_ref().map(|payer| payer.0.clone())),
        ("a.answer", filter.answer.map(|answer| answer.word().to_owned())),
    ];
    for (column, value) in asked {
        if let Some(value) = value {
            sql.push_str(&format!(" AND {column} = ?"));
            given.push(Value::Text(value));
        }
    }
    sql.push_str(" ORDER BY a.due, a.submission, a.part, a.answer LIMIT ? OFFSET ?");
    given.push(Value::Integer(filter.limit.min(RESULTS_MOST) as i64));
    given.push(Value::Integer(i64::try_from(filter.skip).unwrap_or(i64::MAX)));
    scan(connection, &sql, params_from_iter(given), overdue)
}

/// Once each, and only while it is waited for.
pub fn notice(connection: &Connection, late: &[Overdue], at: Timestamp) -> Result<Vec<Overdue>, Fault> {
    let mut noticed = Vec::new();
    for each in late {
        let Some(mut life) = life::of_id(connection, &each.submission)? else { continue };
        let sql = "UPDATE awaited SET noticed = ?4
                   WHERE submission = ?1 AND part = ?2 AND answer = ?3 AND noticed IS NULL";
        if execute(connection, sql, params![life.row, each.part, each.answer.word(), micros(at)])? == 0 {
            continue;
        }
        let mut detail = serde_json::json!({
            "overdue": each.answer.word(),
            "since": each.since.to_string(),
            "due": each.due.to_string(),
        });
        if let Some(sent) = &each.interchange {
            detail["interchange"] = sent.id.as_str().into();
            detail["interchangeControlNumber"] = sent.interchange_control_number.into();
            detail["groupControlNumber"] = sent.group_control_number.into();
        }
        let event = NewEvent { kind: EventKind::Noted, part: Some(each.part), at, detail: detail.to_string() };
        life::append(connection, &mut life, &[event])?;
        noticed.push(each.clone());
    }
    Ok(noticed)
}
