//! Held submissions: what keeps them, what they wait for, and that it has come.

use super::life;
use super::rows::{all, execute, maybe_time, micros, one, scan, statement};
use crate::billing::id::SubmissionId;
use crate::billing::journey::State;
use crate::fault::Fault;
use crate::store::{Held, NewEvent, RESULTS_MOST, ResourceWrite, answer_to};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use std::time::Duration;

/// Keeps what holds a submission, in place of what held it before.
pub fn keep(connection: &Connection, tenant: &str, row: i64, held: &Held) -> Result<(), Fault> {
    let sql = "INSERT OR REPLACE INTO held (submission, tenant, content, issues, patience, due)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let patience = i64::try_from(held.patience.as_micros()).unwrap_or(i64::MAX);
    execute(connection, sql, params![row, tenant, held.content, held.issues, patience, held.due.map(micros)])?;
    execute(connection, "DELETE FROM waits WHERE submission = ?1", [row])?;
    let mut insert =
        statement(connection, "INSERT OR IGNORE INTO waits (tenant, key, submission) VALUES (?1, ?2, ?3)")?;
    for key in &held.waits {
        insert.execute(params![tenant, key, row])?;
    }
    Ok(())
}

/// Nothing holds the submission any more.
pub fn forget(connection: &Connection, row: i64) -> Result<(), Fault> {
    execute(connection, "DELETE FROM waits WHERE submission = ?1", [row])?;
    execute(connection, "DELETE FROM held WHERE submission = ?1", [row]).map(drop)
}

pub fn read(connection: &Connection, id: &SubmissionId) -> Result<Option<Held>, Fault> {
    let sql = "SELECT h.submission, h.content, h.issues, h.patience, h.due
               FROM submissions s JOIN held h ON h.submission = s.row WHERE s.id = ?1";
    let found = one(connection, sql, [id.as_str()], |row| {
        let patience = Duration::from_micros(row.get::<_, i64>(3)?.max(0) as u64);
        let held =
            Held { content: row.get(1)?, issues: row.get(2)?, waits: Vec::new(), patience, due: maybe_time(row, 4)? };
        Ok((row.get::<_, i64>(0)?, held))
    })?;
    let Some((row, mut held)) = found else { return Ok(None) };
    held.waits = all(connection, "SELECT key FROM waits WHERE submission = ?1 ORDER BY key", [row], |row| row.get(0))?;
    Ok(Some(held))
}

/// Says anew what holds a submission; `false` when nothing does any more. What has come since `seen` was read is not
/// forgotten: the submission stays due.
pub fn hold(
    connection: &Connection,
    id: &SubmissionId,
    seen: &Held,
    held: &Held,
    events: &[NewEvent],
) -> Result<bool, Fault> {
    let Some(mut life) = life::of_id(connection, id)? else { return Ok(false) };
    if life.state != Some(State::Held) || life.superseded {
        return Ok(false);
    }
    let sql = "SELECT due FROM held WHERE submission = ?1";
    let due = one(connection, sql, [life.row], |row| maybe_time(row, 0))?.flatten();
    let due = if due == seen.due { held.due } else { due };
    keep(connection, &life.tenant, life.row, &Held { due, ..held.clone() })?;
    life::append(connection, &mut life, events)?;
    Ok(true)
}

pub fn wakened(connection: &Connection, now: Timestamp, limit: usize) -> Result<Vec<SubmissionId>, Fault> {
    let sql = "SELECT s.id FROM held h JOIN submissions s ON s.row = h.submission
               WHERE h.due IS NOT NULL AND h.due <= ?1 ORDER BY h.due LIMIT ?2";
    all(connection, sql, params![micros(now), limit.min(RESULTS_MOST) as i64], |row| row.get(0).map(SubmissionId))
}

/// Whether anything waits at all: what comes is looked up only then.
fn nothing_waits(connection: &Connection) -> Result<bool, Fault> {
    Ok(scan(connection, "SELECT 1 FROM held LIMIT 1", [], |_| Ok(()))?.is_empty())
}

/// Resources have come: what waits for one of them, or for what one of them names, is due when its patience is over.
pub fn came(connection: &Connection, tenant: &str, resources: &[ResourceWrite], at: Timestamp) -> Result<(), Fault> {
    if nothing_waits(connection)? {
        return Ok(());
    }
    for resource in resources {
        wake(connection, tenant, &format!("{}/{}", resource.kind, resource.id), at)?;
        for entry in resource.index.iter().filter(|entry| entry.value.contains(['/', '|'])) {
            wake(connection, tenant, &entry.value, at)?;
        }
    }
    Ok(())
}

/// A payer has answered about a submission.
pub fn answered(connection: &Connection, tenant: &str, id: &SubmissionId, at: Timestamp) -> Result<(), Fault> {
    if nothing_waits(connection)? { Ok(()) } else { wake(connection, tenant, &answer_to(id), at) }
}

fn wake(connection: &Connection, tenant: &str, key: &str, at: Timestamp) -> Result<(), Fault> {
    let sql = "UPDATE held SET due = ?3 + patience
               WHERE submission IN (SELECT submission FROM waits WHERE tenant = ?1 AND key = ?2)";
    execute(connection, sql, params![tenant, key, micros(at)]).map(drop)
}
