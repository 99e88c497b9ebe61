//! The way back: files from payers, what they change, and the answers that belong to nobody.

use super::rows::{all, execute, micros, one, time};
use super::{accept, awaited, denials, held, journal, life, resources};
use crate::billing::id::{InterchangeId, PayerId, SubmissionId};
use crate::fault::{Fault, Place, codes};
use crate::store::{AnswerWrite, Inbound, InboundWrite, MatchedAnswer, RESULTS_MOST, UnmatchedAnswer, UnmatchedFilter};
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

pub fn receive(connection: &Connection, file: &Inbound) -> Result<bool, Fault> {
    let sql = "INSERT INTO inbound (id, tenant, payer, hash, name, received, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
               ON CONFLICT (tenant, payer, hash) DO UPDATE
               SET id = excluded.id, name = excluded.name, received = excluded.received
               WHERE applied IS NULL";
    let values =
        params![file.id.as_str(), file.tenant, file.payer.as_str(), file.hash, file.name, micros(file.at), file.bytes,];
    Ok(execute(connection, sql, values)? == 1)
}

pub fn read(connection: &Connection, id: &InterchangeId) -> Result<Option<Inbound>, Fault> {
    let sql = "SELECT id, tenant, payer, hash, name, bytes, received FROM inbound WHERE id = ?1";
    one(connection, sql, [id.as_str()], |row| {
        Ok(Inbound {
            id: InterchangeId(row.get(0)?),
            tenant: row.get(1)?,
            payer: PayerId(row.get(2)?),
            hash: row.get(3)?,
            name: row.get(4)?,
            bytes: row.get(5)?,
            at: time(row, 6)?,
        })
    })
}

/// A file as it stands before it is applied.
struct Received {
    row: i64,
    tenant: String,
    applied: bool,
}

pub fn apply(connection: &Connection, id: &InterchangeId, write: &InboundWrite, now: Timestamp) -> Result<(), Fault> {
    let sql = "SELECT row, tenant, applied IS NOT NULL FROM inbound WHERE id = ?1";
    let file = one(connection, sql, [id.as_str()], |row| {
        Ok(Received { row: row.get(0)?, tenant: row.get(1)?, applied: row.get(2)? })
    })?;
    let file = file.ok_or_else(|| unknown(id))?;
    if file.applied {
        return Ok(());
    }
    for answer in &write.answers {
        write_answer(connection, answer, now)?;
    }
    for answer in &write.unmatched {
        keep_unmatched(connection, &file, answer)?;
    }
    resources::write(connection, &file.tenant, &write.resources, now)?;
    write.journal.iter().try_for_each(|payment| journal::post(connection, file.row, payment))?;
    execute(connection, "UPDATE inbound SET applied = ?2 WHERE row = ?1", [file.row, micros(now)]).map(drop)
}

fn unknown(id: &InterchangeId) -> Fault {
    let text = format!("there is no inbound file {id}, or another worker has taken it over");
    Fault::refuse(
        codes::NOT_FOUND,
        Place::Whole,
        text,
        "nothing is to be done: the file is taken in under its newer id",
    )
}

fn write_answer(connection: &Connection, answer: &AnswerWrite, now: Timestamp) -> Result<i64, Fault> {
    let mut life = life::known(connection, &answer.submission)?;
    resources::write(connection, &life.tenant, &answer.resources, now)?;
    life::append(connection, &mut life, &answer.events)?;
    for (part, number) in &answer.payer_claim_control_numbers {
        let sql = "UPDATE parts SET payer_claim_control_number = ?3 WHERE submission = ?1 AND number = ?2";
        execute(connection, sql, params![life.row, part, number])?;
    }
    if let Some(response) = &answer.response {
        execute(connection, "UPDATE submissions SET response = ?2 WHERE row = ?1", params![life.row, response])?;
        accept::refer(connection, &life.tenant, response, life.row)?;
    }
    for said in &answer.answers {
        let sql = "INSERT INTO answers (tenant, submission, part, at, body) VALUES (?1, ?2, ?3, ?4, ?5)";
        execute(connection, sql, params![life.tenant, life.row, said.part, micros(said.at), said.body])?;
    }
    for facts in &answer.facts {
        awaited::settle(connection, life.row, facts.part, facts.settled)?;
        denials::write(connection, &life.tenant, life.row, facts)?;
    }
    held::answered(connection, &life.tenant, &answer.submission, now)?;
    for (draft, event) in &answer.overtaken {
        let mut life = life::known(connection, draft)?;
        life::append(connection, &mut life, std::slice::from_ref(event))?;
    }
    for draft in &answer.drafts {
        accept::accept(connection, draft)?;
    }
    Ok(life.row)
}

/// All statements heard about a submission, oldest first.
pub fn answers(connection: &Connection, id: &SubmissionId) -> Result<Vec<MatchedAnswer>, Fault> {
    let sql = "SELECT a.part, a.at, a.body FROM submissions s
               JOIN answers a ON a.submission = s.row WHERE s.id = ?1 ORDER BY a.row";
    all(connection, sql, [id.as_str()], |row| {
        Ok(MatchedAnswer { part: row.get(0)?, at: time(row, 1)?, fresh: false, body: row.get(2)? })
    })
}

fn keep_unmatched(connection: &Connection, file: &Received, answer: &UnmatchedAnswer) -> Result<(), Fault> {
    let sql = "INSERT INTO unmatched (tenant, inbound, position, payer, body, reason, candidates)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let candidates: Vec<&str> = answer.candidates.iter().map(SubmissionId::as_str).collect();
    let (candidates, payer) = (serde_json::json!(candidates).to_string(), answer.payer.as_str());
    let values = params![file.tenant, file.row, answer.position, payer, answer.body, answer.reason, candidates];
    execute(connection, sql, values).map(drop)
}

const UNMATCHED: &str = "SELECT i.id, u.payer, u.position, u.body, u.reason, u.candidates, u.row
                         FROM unmatched u JOIN inbound i ON i.row = u.inbound WHERE u.assigned IS NULL";

fn unmatched_row(row: &Row<'_>) -> rusqlite::Result<UnmatchedAnswer> {
    let candidates: Vec<String> = serde_json::from_str(&row.get::<_, String>(5)?).unwrap_or_default();
    Ok(UnmatchedAnswer {
        row: row.get(6)?,
        inbound: InterchangeId(row.get(0)?),
        payer: PayerId(row.get(1)?),
        position: row.get(2)?,
        body: row.get(3)?,
        reason: row.get(4)?,
        candidates: candidates.into_iter().map(SubmissionId).collect(),
    })
}

pub fn unmatched(connection: &Connection, filter: &UnmatchedFilter) -> Result<Vec<UnmatchedAnswer>, Fault> {
    let limit = filter.limit.min(RESULTS_MOST) as i64;
    match &filter.payer {
        Some(payer) => {
            let sql = format!("{UNMATCHED} AND u.payer = ?1 AND u.row > ?2 ORDER BY u.row LIMIT ?3");
            all(connection, &sql, params![payer.as_str(), filter.after, limit], unmatched_row)
        }
        None => {
            let sql = format!("{UNMATCHED} AND u.row > ?1 ORDER BY u.row LIMIT ?2");
            all(connection, &sql, params![filter.after, limit], unmatched_row)
        }
    }
}

pub fn unmatched_at(
    connection: &Connection,
    inbound: &InterchangeId,
    position: u32,
) -> Result<Option<UnmatchedAnswer>, Fault> {
    let sql = format!("{UNMATCHED} AND i.id = ?1 AND u.position = ?2");
    one(connection, &sql, params![inbound.as_str(), position], unmatched_row)
}

pub fn assign(
    connection: &Connection,
    inbound: &InterchangeId,
    position: u32,
    write: &AnswerWrite,
    now: Timestamp,
) -> Result<bool, Fault> {
    let sql = "SELECT u.row FROM unmatched u JOIN inbound i ON i.row = u.inbound
               WHERE i.id = ?1 AND u.position = ?2 AND u.assigned IS NULL";
    let open = one(connection, sql, params![inbound.as_str(), position], |row| row.get::<_, i64>(0))?;
    let Some(row) = open else { return Ok(false) };
    let submission = write_answer(connection, write, now)?;
    journal::assign(connection, inbound, position, submission)?;
    execute(connection, "UPDATE unmatched SET assigned = ?2 WHERE row = ?1", [row, submission])?;
    Ok(true)
}
