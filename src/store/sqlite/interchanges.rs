//! The way out: outbox, control numbers, sealed interchanges and the attempts to send them.

use super::awaited;
use super::life::{self, Life};
use super::rows::{all, execute, kept, maybe_time, micros, one, statement, time};
use crate::billing::id::{InterchangeId, PayerId, SubmissionId};
use crate::billing::journey::{EventKind, State};
use crate::billing::split::CLAIMS_OF_A_SET;
use crate::fault::{Fault, Place, codes};
use crate::store::{
    CONTROL_NUMBER_MOST, ControlNumbers, Failure, Interchange, NewEvent, NewInterchange, OutboxLine, RESULTS_MOST,
    Sealed, SealedBytes, SealedClaim,
};
use jiff::Timestamp;
use rusqlite::{Connection, params};

pub fn outbox(connection: &Connection, stale: Timestamp, limit: usize) -> Result<Vec<OutboxLine>, Fault> {
    // Two walks of one index: what was never published comes first, then what was published longest ago.
    let sql = "SELECT s.id, s.payer FROM (
                   SELECT * FROM (SELECT submission, published FROM outbox WHERE published IS NULL LIMIT ?2)
                   UNION ALL
                   SELECT * FROM (SELECT submission, published FROM outbox WHERE published < ?1
                                  ORDER BY published LIMIT ?2)
               ) o JOIN submissions s ON s.row = o.submission
               ORDER BY o.published, o.submission LIMIT ?2";
    all(connection, sql, params![micros(stale), limit.min(RESULTS_MOST) as i64], |row| {
        Ok(OutboxLine { submission: SubmissionId(row.get(0)?), payer: PayerId(row.get(1)?) })
    })
}

pub fn due(connection: &Connection, payer: &PayerId, limit: usize) -> Result<Vec<SubmissionId>, Fault> {
    let sql = "SELECT s.id FROM outbox o JOIN submissions s ON s.row = o.submission
               WHERE o.payer = ?1 ORDER BY o.submission LIMIT ?2";
    all(connection, sql, params![payer.as_str(), limit.min(CLAIMS_OF_A_SET) as i64], |row| {
        Ok(SubmissionId(row.get(0)?))
    })
}

pub fn published(connection: &Connection, submissions: &[SubmissionId], at: Timestamp) -> Result<(), Fault> {
    let sql = "UPDATE outbox SET published = ?2 WHERE submission = (SELECT row FROM submissions WHERE id = ?1)";
    let mut update = statement(connection, sql)?;
    for submission in submissions {
        update.execute(params![submission.as_str(), micros(at)])?;
    }
    Ok(())
}

pub fn set_numbers(connection: &Connection, partner: &str, last: ControlNumbers) -> Result<(), Fault> {
    if last.interchange.max(last.group) > CONTROL_NUMBER_MOST {
        let text = format!("a control number is at most {CONTROL_NUMBER_MOST}");
        return Err(Fault::refuse(codes::CONFIGURATION, Place::Whole, text, "give the number that was used last"));
    }
    let sql = "INSERT INTO control_numbers (partner, interchange, group_number) VALUES (?1, ?2, ?3)
               ON CONFLICT DO UPDATE SET interchange = excluded.interchange, group_number = excluded.group_number";
    execute(connection, sql, params![partner, last.interchange, last.group]).map(drop)
}

pub fn seal(connection: &Connection, new: &NewInterchange) -> Result<Sealed, Fault> {
    let mut sealed = Sealed::default();
    let mut lives = Vec::new();
    let mut taken = Vec::new();
    for id in &new.submissions {
        match life::of_id(connection, id)? {
            Some(life) if life.tenant != new.tenant => return Err(two_tenants()),
            Some(Life { interchange: Some(row), .. }) => add_once(&mut sealed.already, id_of(connection, row)?),
            Some(life) if life.state == Some(State::Queued) => {
                if !taken.contains(id) {
                    lives.push(life);
                    taken.push(id.clone());
                }
            }
            _ => sealed.skipped.push(id.clone()),
        }
    }
    if !taken.is_empty() {
        sealed.new = Some(make(connection, new, &taken, lives)?);
    }
    Ok(sealed)
}

fn add_once(list: &mut Vec<InterchangeId>, id: InterchangeId) {
    if !list.contains(&id) {
        list.push(id);
    }
}

fn two_tenants() -> Fault {
    Fault::ours(codes::INTERNAL, "an interchange can't hold claims of two tenants")
}

fn make(
    connection: &Connection,
    new: &NewInterchange,
    taken: &[SubmissionId],
    lives: Vec<Life>,
) -> Result<Interchange, Fault> {
    let numbers = next_numbers(connection, &new.partner)?;
    let SealedBytes { bytes, name, claims } = (new.build)(numbers, taken)?;
    let interchange = Interchange {
        id: new.id.clone(),
        tenant: new.tenant.clone(),
        payer: new.payer.clone(),
        partner: new.partner.clone(),
        interchange_control_number: numbers.interchange,
        group_control_number: numbers.group,
        name,
        bytes,
        claims,
        attempts: 0,
        sealed: kept(new.at),
        sent: None,
        given_up: None,
    };
    let row = insert(connection, &interchange, &awaited::text_of(&new.deadlines))?;
    insert_claims(connection, &interchange, row, taken, &lives)?;
    for mut life in lives {
        enter(connection, &mut life, row, &interchange)?;
    }
    Ok(interchange)
}

/// The numbers are used up when the transaction commits, and only then: no gaps.
fn next_numbers(connection: &Connection, partner: &str) -> Result<ControlNumbers, Fault> {
    let sql = "INSERT INTO control_numbers (partner, interchange, group_number) VALUES (?1, 1, 1)
               ON CONFLICT DO UPDATE SET interchange = interchange % ?2 + 1, group_number = group_number % ?2 + 1
               RETURNING interchange, group_number";
    let numbers = one(connection, sql, params![partner, CONTROL_NUMBER_MOST], |row| {
        Ok(ControlNumbers { interchange: row.get(0)?, group: row.get(1)? })
    })?;
    numbers.ok_or_else(|| Fault::ours(codes::INTERNAL, "no control number came back"))
}

fn insert(connection: &Connection, interchange: &Interchange, deadlines: &str) -> Result<i64, Fault> {
    let sql = "INSERT INTO interchanges (id, tenant, payer, partner, interchange_control_number, group_control_number,
                                         name, sealed, touched, bytes, deadlines)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10)";
    let values = params![
        interchange.id.as_str(),
        interchange.tenant,
        interchange.payer.as_str(),
        interchange.partner,
        interchange.interchange_control_number,
        interchange.group_control_number,
        interchange.name,
        micros(interchange.sealed),
        interchange.bytes,
        deadlines,
    ];
    execute(connection, sql, values)?;
    Ok(connection.last_insert_rowid())
}

fn insert_claims(
    connection: &Connection,
    interchange: &Interchange,
    row: i64,
    taken: &[SubmissionId],
    lives: &[Life],
) -> Result<(), Fault> {
    let sql = "INSERT INTO sealed_claims (tenant, interchange, submission, part, transaction_set, batch_number,
                                          first_segment, last_segment)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let mut insert = statement(connection, sql)?;
    for claim in &interchange.claims {
        let place = taken.iter().position(|id| *id == claim.submission).and_then(|n| lives.get(n));
        let life =
            place.ok_or_else(|| Fault::ours(codes::INTERNAL, "an interchange names a claim that it was not given"))?;
        insert.execute(params![
            interchange.tenant,
            row,
            life.row,
            claim.part,
            claim.transaction_set,
            claim.batch_number,
            claim.first_segment,
            claim.last_segment,
        ])?;
    }
    let named = |id: &SubmissionId| interchange.claims.iter().any(|claim| claim.submission == *id);
    match taken.iter().find(|id| !named(id)) {
        Some(id) => Err(Fault::ours(codes::INTERNAL, format!("the interchange leaves out submission {id}"))),
        None => Ok(()),
    }
}

/// Off the outbox and into the interchange.
fn enter(connection: &Connection, life: &mut Life, row: i64, interchange: &Interchange) -> Result<(), Fault> {
    execute(connection, "DELETE FROM outbox WHERE submission = ?1", [life.row])?;
    life.interchange = Some(row);
    let detail = serde_json::json!({
        "interchange": interchange.id.as_str(),
        "interchangeControlNumber": interchange.interchange_control_number,
        "groupControlNumber": interchange.group_control_number,
    });
    let event = NewEvent { kind: EventKind::Sealed, part: None, at: interchange.sealed, detail: detail.to_string() };
    life::append(connection, life, &[event]).map(drop)
}

fn id_of(connection: &Connection, row: i64) -> Result<InterchangeId, Fault> {
    let id = one(connection, "SELECT id FROM interchanges WHERE row = ?1", [row], |row| row.get(0))?;
    id.map(InterchangeId).ok_or_else(|| Fault::ours(codes::INTERNAL, "an interchange is missing"))
}

pub fn read(connection: &Connection, id: &InterchangeId) -> Result<Option<Interchange>, Fault> {
    let sql = "SELECT row, id, tenant, payer, partner, interchange_control_number, group_control_number, name, bytes,
                      attempts, sealed, sent, given_up FROM interchanges WHERE id = ?1";
    let found = one(connection, sql, [id.as_str()], |row| {
        let interchange = Interchange {
            id: InterchangeId(row.get(1)?),
            tenant: row.get(2)?,
            payer: PayerId(row.get(3)?),
            partner: row.get(4)?,
            interchange_control_number: row.get(5)?,
            group_control_number: row.get(6)?,
            name: row.get(7)?,
            bytes: row.get(8)?,
            claims: Vec::new(),
            attempts: row.get(9)?,
            sealed: time(row, 10)?,
            sent: maybe_time(row, 11)?,
            given_up: maybe_time(row, 12)?,
        };
        Ok((row.get(0)?, interchange))
    })?;
    let Some((row, mut interchange)) = found else { return Ok(None) };
    interchange.claims = claims(connection, row)?;
    Ok(Some(interchange))
}

fn claims(connection: &Connection, interchange: i64) -> Result<Vec<SealedClaim>, Fault> {
    let sql = "SELECT s.id, c.part, c.transaction_set, c.batch_number, c.first_segment, c.last_segment
               FROM sealed_claims c JOIN submissions s ON s.row = c.submission
               WHERE c.interchange = ?1 ORDER BY c.transaction_set, c.first_segment, c.part";
    all(connection, sql, [interchange], |row| {
        Ok(SealedClaim {
            submission: SubmissionId(row.get(0)?),
            part: row.get(1)?,
            transaction_set: row.get(2)?,
            batch_number: row.get(3)?,
            first_segment: row.get(4)?,
            last_segment: row.get(5)?,
        })
    })
}

pub fn unsent(connection: &Connection, stale: Timestamp, limit: usize) -> Result<Vec<InterchangeId>, Fault> {
    let sql = "SELECT id FROM interchanges WHERE sent IS NULL AND given_up IS NULL AND touched < ?1
               ORDER BY touched LIMIT ?2";
    all(connection, sql, params![micros(stale), limit.min(RESULTS_MOST) as i64], |row| row.get(0).map(InterchangeId))
}

pub fn attempt(connection: &Connection, id: &InterchangeId, at: Timestamp) -> Result<u32, Fault> {
    let sql = "UPDATE interchanges SET attempts = attempts + 1, touched = ?2 WHERE id = ?1 RETURNING attempts";
    one(connection, sql, params![id.as_str(), micros(at)], |row| row.get(0))?.ok_or_else(|| unknown(id))
}

pub fn sent(connection: &Connection, id: &InterchangeId, at: Timestamp) -> Result<(), Fault> {
    // A send that was given up and yet arrived has arrived.
    let sql = "UPDATE interchanges SET sent = ?2 WHERE id = ?1 AND sent IS NULL RETURNING row";
    let row = one(connection, sql, params![id.as_str(), micros(at)], |row| row.get(0))?;
    if let Some(row) = row {
        awaited::begin(connection, row, at)?;
    }
    let event = NewEvent { kind: EventKind::Sent, part: None, at, detail: detail_of(id) };
    for_all_inside(connection, id, row, &event)
}

pub fn failed(connection: &Connection, id: &InterchangeId, failure: &Failure) -> Result<(), Fault> {
    let sql = "UPDATE interchanges SET given_up = ?2 WHERE id = ?1 AND sent IS NULL AND given_up IS NULL RETURNING row";
    let given_up = failure.last.then(|| micros(failure.at));
    let row = one(connection, sql, params![id.as_str(), given_up], |row| row.get(0))?;
    let kind = if failure.last { EventKind::Failed } else { EventKind::SendFailed };
    let event = NewEvent { kind, part: None, at: failure.at, detail: failure.detail.clone() };
    for_all_inside(connection, id, row, &event)
}

fn detail_of(id: &InterchangeId) -> String {
    serde_json::json!({ "interchange": id.as_str() }).to_string()
}

/// Appends the event to every submission inside the interchange that a change has touched; `None`: nothing was changed.
fn for_all_inside(
    connection: &Connection,
    id: &InterchangeId,
    touched: Option<i64>,
    event: &NewEvent,
) -> Result<(), Fault> {
    let Some(row) = touched else {
        let exists = one(connection, "SELECT 1 FROM interchanges WHERE id = ?1", [id.as_str()], |_| Ok(()))?;
        return exists.ok_or_else(|| unknown(id));
    };
    let sql = "SELECT DISTINCT submission FROM sealed_claims WHERE interchange = ?1 ORDER BY submission";
    for submission in all(connection, sql, [row], |row| row.get(0))? {
        if let Some(mut life) = life::of_row(connection, submission)? {
            life::append(connection, &mut life, std::slice::from_ref(event))?;
        }
    }
    Ok(())
}

fn unknown(id: &InterchangeId) -> Fault {
    Fault::refuse(codes::NOT_FOUND, Place::Whole, format!("there is no interchange {id}"), "look it up by its claim")
}
