//! The journal: lines as they come, each once.

use super::rows::{all, execute, one, statement};
use crate::billing::id::{InterchangeId, SubmissionId};
use crate::fault::Fault;
use crate::store::{JournalFilter, JournalRow, JournalWrite, RESULTS_MOST};
use rusqlite::types::{Type, Value};
use rusqlite::{Connection, Row, params, params_from_iter};

/// Posts a payment of a file, unless another file has posted it before.
pub fn post(connection: &Connection, inbound: i64, payment: &JournalWrite) -> Result<(), Fault> {
    let sql = "INSERT OR IGNORE INTO posted (tenant, payer, fingerprint, inbound)
               SELECT tenant, payer, ?2, row FROM inbound WHERE row = ?1";
    if execute(connection, sql, params![inbound, payment.fingerprint])? == 0 {
        return Ok(());
    }
    let sql = "INSERT INTO journal (tenant, payer, date, inbound, position, submission, body)
               SELECT tenant, payer, ?2, row, ?3, (SELECT row FROM submissions WHERE id = ?4), ?5
               FROM inbound WHERE row = ?1";
    let mut insert = statement(connection, sql)?;
    for line in &payment.lines {
        let submission = line.submission.as_ref().map(SubmissionId::as_str);
        insert.execute(params![inbound, line.date.to_string(), line.position, submission, line.body])?;
    }
    Ok(())
}

/// An answer has found its claim.
pub fn assign(connection: &Connection, inbound: &InterchangeId, position: u32, submission: i64) -> Result<(), Fault> {
    let sql = "UPDATE journal SET submission = ?3 WHERE submission IS NULL AND position = ?2
               AND inbound = (SELECT row FROM inbound WHERE id = ?1)";
    execute(connection, sql, params![inbound.as_str(), position, submission]).map(drop)
}

const LINES: &str = "SELECT j.row, j.date, j.body, s.id, s.focal, i.id, i.name
                     FROM journal j JOIN inbound i ON i.row = j.inbound
                     LEFT JOIN submissions s ON s.row = j.submission";

pub fn list(connection: &Connection, filter: &JournalFilter) -> Result<Vec<JournalRow>, Fault> {
    let mut sql = format!("{LINES} WHERE j.tenant = ?");
    let mut given = vec![Value::Text(filter.tenant.clone())];
    let asked = [
        ("j.date >=", filter.from.map(|date| date.to_string())),
        ("j.date <=", filter.to.map(|date| date.to_string())),
        ("j.payer =", filter.payer.as_ref().map(|payer| payer.0.clone())),
    ];
    for (condition, value) in asked {
        if let Some(value) = value {
            sql.push_str(&format!(" AND {condition} ?"));
            given.push(Value::Text(value));
        }
    }
    if let Some((date, row)) = filter.after {
        sql.push_str(" AND (j.date, j.row) > (?, ?)");
        given.extend([Value::Text(date.to_string()), Value::Integer(row)]);
    }
    sql.push_str(" ORDER BY j.date, j.row LIMIT ?");
    given.push(Value::Integer(filter.limit.min(RESULTS_MOST) as i64));
    all(connection, &sql, params_from_iter(given), line)
}

pub fn of_submission(connection: &Connection, id: &SubmissionId) -> Result<Vec<JournalRow>, Fault> {
    let row = one(connection, "SELECT row FROM submissions WHERE id = ?1", [id.as_str()], |row| row.get::<_, i64>(0))?;
    let Some(row) = row else { return Ok(Vec::new()) };
    all(connection, &format!("{LINES} WHERE j.submission = ?1 ORDER BY j.row"), [row], line)
}

fn line(row: &Row<'_>) -> rusqlite::Result<JournalRow> {
    let date: String = row.get(1)?;
    let date = date
        .parse()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(1, Type::Text, Box::<jiff::Error>::new(error)))?;
    let submission: Option<String> = row.get(3)?;
    let focal: Option<String> = row.get(4)?;
    Ok(JournalRow {
        row: row.get(0)?,
        date,
        body: row.get(2)?,
        claim: submission.map(SubmissionId).zip(focal),
        inbound: (InterchangeId(row.get(5)?), row.get(6)?),
    })
}
