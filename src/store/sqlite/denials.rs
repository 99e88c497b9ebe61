//! Reasons why claims were not paid.

use super::rows::{execute, scan, statement};
use crate::billing::id::{PayerId, SubmissionId};
use crate::billing::journal::Denial;
use crate::fault::Fault;
use crate::store::{AnswerFacts, DenialFilter, DenialRow, Ended, RESULTS_MOST, ReasonSum, amount_of, ten_thousandths};
use rusqlite::types::{Type, Value};
use rusqlite::{Connection, Row, params, params_from_iter};

/// What one statement takes off the list, and what it brings.
pub fn write(connection: &Connection, tenant: &str, submission: i64, facts: &AnswerFacts) -> Result<(), Fault> {
    end(connection, submission, facts)?;
    let sql = "INSERT INTO denials (tenant, submission, part, payer, date, reason, remark, line, procedure, amount,
                                    by_status, number)
               SELECT ?1, row, ?3, payer, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 FROM submissions WHERE row = ?2
               AND NOT (?10 AND EXISTS (SELECT 1 FROM denials d
                                        WHERE d.submission = ?2 AND d.part = ?3 AND NOT d.by_status))";
    let mut insert = statement(connection, sql)?;
    for denial in &facts.denials {
        insert.execute(params![
            tenant,
            submission,
            facts.part,
            denial.date.to_string(),
            denial.reason,
            denial.remark,
            denial.line,
            denial.procedure,
            ten_thousandths(denial.amount),
            denial.by_status,
            facts.number,
        ])?;
    }
    Ok(())
}

fn end(connection: &Connection, submission: i64, facts: &AnswerFacts) -> Result<(), Fault> {
    if facts.ended == Ended::None {
        return Ok(());
    }
    let statuses = "DELETE FROM denials WHERE submission = ?1 AND part = ?2 AND by_status";
    execute(connection, statuses, params![submission, facts.part])?;
    let Ended::Payments(numbers) = &facts.ended else { return Ok(()) };
    let numbers = serde_json::json!(numbers).to_string();
    let sql = "DELETE FROM denials WHERE submission = ?1 AND part = ?2
               AND (?3 = '[]' OR number IS NULL OR number IN (SELECT value FROM json_each(?3)))";
    execute(connection, sql, params![submission, facts.part, numbers]).map(drop)
}

/// Whoever sent the claim again, or corrected it, has taken the reason up; a draft that waits has not.
const OPEN: &str = "FROM denials d JOIN submissions s ON s.row = d.submission
                    JOIN parts p ON p.submission = d.submission AND p.number = d.part
                    WHERE s.superseded IS NULL
                    AND NOT EXISTS (SELECT 1 FROM submissions n WHERE n.root = coalesce(s.root, s.row)
                                    AND n.root IS NOT NULL AND n.row > s.row AND n.state <> 'held')
                    AND d.tenant = ?";

fn conditions(filter: &DenialFilter, sql: &mut String) -> Vec<Value> {
    let asked = [
        ("d.payer =", filter.payer.as_ref().map(|payer| payer.0.clone())),
        ("d.date >=", filter.from.map(|date| date.to_string())),
        ("d.date <=", filter.to.map(|date| date.to_string())),
        ("d.reason =", filter.reason.clone()),
        ("d.remark =", filter.remark.clone()),
    ];
    let mut given = vec![Value::Text(filter.tenant.clone())];
    for (condition, value) in asked {
        if let Some(value) = value {
            sql.push_str(&format!(" AND {condition} ?"));
            given.push(Value::Text(value));
        }
    }
    given
}

pub fn reasons(connection: &Connection, filter: &DenialFilter) -> Result<Vec<ReasonSum>, Fault> {
    let mut sql = format!("SELECT d.reason, d.remark, count(DISTINCT d.submission), count(*), sum(d.amount) {OPEN}");
    let mut given = conditions(filter, &mut sql);
    sql.push_str(" GROUP BY d.reason, d.remark ORDER BY 5 DESC, 1, 2 LIMIT ?");
    given.push(Value::Integer(filter.limit.min(RESULTS_MOST) as i64));
    scan(connection, &sql, params_from_iter(given), |row| {
        Ok(ReasonSum {
            reason: row.get(0)?,
            remark: row.get(1)?,
            claims: row.get::<_, i64>(2)?.max(0) as u64,
            times: row.get::<_, i64>(3)?.max(0) as u64,
            amount: amount_of(row.get(4)?),
        })
    })
}

pub fn list(connection: &Connection, filter: &DenialFilter) -> Result<Vec<DenialRow>, Fault> {
    let mut sql = format!(
        "SELECT d.row, s.id, s.focal, s.response, d.part, p.patient_control_number, d.payer, d.number, d.date, d.reason,
                d.remark, d.line, d.procedure, d.amount, d.by_status {OPEN}"
    );
    let mut given = conditions(filter, &mut sql);
    sql.push_str(" AND d.row > ? ORDER BY d.row LIMIT ?");
    given.push(Value::Integer(filter.after));
    given.push(Value::Integer(filter.limit.min(RESULTS_MOST) as i64));
    scan(connection, &sql, params_from_iter(given), denial_row)
}

fn denial_row(row: &Row<'_>) -> rusqlite::Result<DenialRow> {
    let date: String = row.get(8)?;
    let date = date
        .parse()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(8, Type::Text, Box::<jiff::Error>::new(error)))?;
    Ok(DenialRow {
        row: row.get(0)?,
        submission: SubmissionId(row.get(1)?),
        focal: row.get(2)?,
        response: row.get(3)?,
        part: row.get(4)?,
        claim_number: row.get(5)?,
        payer: PayerId(row.get(6)?),
        number: row.get(7)?,
        denial: Denial {
            date,
            reason: row.get(9)?,
            remark: row.get(10)?,
            line: row.get(11)?,
            procedure: row.get(12)?,
            amount: amount_of(row.get(13)?),
            by_status: row.get(14)?,
        },
    })
}
