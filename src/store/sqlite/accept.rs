//! Accepting a submission: recognised, or written with everything that belongs to it.

use super::life::{self, Life};
use super::rows::{execute, micros, one, statement};
use super::{held, lookup, resources};
use crate::billing::id::SubmissionId;
use crate::billing::journey::{EventKind, State};
use crate::fault::Fault;
use crate::store::{Accepted, KeyKind, NewEvent, NewSubmission};
use rusqlite::{Connection, params};

/// What a key was used for.
struct Used {
    row: i64,
    content: String,
}

pub fn accept(connection: &Connection, new: &NewSubmission) -> Result<Accepted, Fault> {
    if let Some(recognised) = by_idempotency_key(connection, new)? {
        return Ok(recognised);
    }
    let holder = match &new.business_key {
        Some((key, _)) => used(connection, &new.tenant, KeyKind::Business, key)?,
        None => None,
    };
    if let Some(recognised) = by_business_key(connection, new, holder.as_ref())? {
        return Ok(recognised);
    }
    let row = write(connection, new)?;
    if let Some(holder) = holder {
        supersede(connection, holder.row, row, new)?;
    }
    supersede_all(connection, row, new)?;
    Ok(Accepted::New)
}

/// Writes everything of a held submission anew, and lets it go on.
pub fn resume(connection: &Connection, new: &NewSubmission) -> Result<Accepted, Fault> {
    let Some(mut life) = life::of_id(connection, &new.id)? else { return Ok(Accepted::Same(new.id.clone())) };
    if life.state != Some(State::Held) || life.superseded {
        return Ok(Accepted::Same(new.id.clone()));
    }
    resources::write(connection, &new.tenant, &new.resources, new.received)?;
    let sql = "UPDATE submissions SET focal = ?2, payer = ?3, guide = ?4, mapping_version = ?5, response = ?6,
                                      frequency = ?7 WHERE row = ?1";
    let values =
        params![life.row, new.focal, new.payer.as_str(), new.guide, new.mapping_version, new.response, new.frequency];
    execute(connection, sql, values)?;
    if let Some(root) = root(connection, new)? {
        execute(connection, "UPDATE submissions SET root = ?2 WHERE row = ?1", [life.row, root])?;
    }
    execute(connection, "DELETE FROM parts WHERE submission = ?1", [life.row])?;
    insert_parts(connection, new, life.row)?;
    refer_both(connection, new, life.row)?;
    remember_all(connection, new, life.row)?;
    held::forget(connection, life.row)?;
    supersede_all(connection, life.row, new)?;
    life::append(connection, &mut life, &new.events)?;
    Ok(Accepted::New)
}

fn by_idempotency_key(connection: &Connection, new: &NewSubmission) -> Result<Option<Accepted>, Fault> {
    let Some((key, content)) = &new.idempotency else { return Ok(None) };
    let Some(used) = used(connection, &new.tenant, KeyKind::Idempotency, key)? else { return Ok(None) };
    let id = lookup::id_of(connection, used.row)?;
    Ok(Some(if used.content == *content { Accepted::Same(id) } else { Accepted::KeyConflict(id) }))
}

fn by_business_key(
    connection: &Connection,
    new: &NewSubmission,
    holder: Option<&Used>,
) -> Result<Option<Accepted>, Fault> {
    let (Some((_, content)), Some(holder)) = (&new.business_key, holder) else { return Ok(None) };
    let id = lookup::id_of(connection, holder.row)?;
    if holder.content == *content {
        // A new Idempotency-Key for what is known: the next repetition is recognised by it.
        remember(connection, new, KeyKind::Idempotency, holder.row)?;
        return Ok(Some(Accepted::Same(id)));
    }
    let state = life::of_row(connection, holder.row)?.and_then(|life| life.state);
    let mendable = matches!(state, Some(State::Held | State::Rejected | State::Failed | State::Discarded));
    Ok(if mendable { None } else { Some(Accepted::BusinessConflict(id)) })
}

fn used(connection: &Connection, tenant: &str, kind: KeyKind, key: &str) -> Result<Option<Used>, Fault> {
    let sql = "SELECT submission, content FROM keys WHERE tenant = ?1 AND kind = ?2 AND key = ?3";
    one(connection, sql, [tenant, word(kind), key], |row| Ok(Used { row: row.get(0)?, content: row.get(1)? }))
}

pub fn known(
    connection: &Connection,
    tenant: &str,
    kind: KeyKind,
    key: &str,
) -> Result<Option<(SubmissionId, String)>, Fault> {
    let Some(used) = used(connection, tenant, kind, key)? else { return Ok(None) };
    Ok(Some((lookup::id_of(connection, used.row)?, used.content)))
}

fn word(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Idempotency => "idempotency",
        KeyKind::Business => "business",
        KeyKind::Services => "services",
    }
}

fn write(connection: &Connection, new: &NewSubmission) -> Result<i64, Fault> {
    resources::write(connection, &new.tenant, &new.resources, new.received)?;
    let mut life = Life {
        row: 0,
        tenant: new.tenant.clone(),
        state: None,
        since: micros(new.received),
        last_event: 0,
        attempts: 0,
        interchange: None,
        superseded: false,
    };
    let state = life::fold_all(&mut life, &new.events)?;
    insert(connection, new, &mut life, state)?;
    insert_parts(connection, new, life.row)?;
    refer_both(connection, new, life.row)?;
    life::begin(connection, &mut life, &new.events)?;
    remember_all(connection, new, life.row)?;
    if let Some(held) = &new.held {
        held::keep(connection, &new.tenant, life.row, held)?;
    }
    Ok(life.row)
}

fn refer_both(connection: &Connection, new: &NewSubmission, row: i64) -> Result<(), Fault> {
    // What is held may have no ClaimResponse yet.
    let references = [&new.focal, &new.response].into_iter().chain(&new.references);
    for reference in references.filter(|reference| !reference.is_empty()) {
        refer(connection, &new.tenant, reference, row)?;
    }
    Ok(())
}

fn remember_all(connection: &Connection, new: &NewSubmission, row: i64) -> Result<(), Fault> {
    [KeyKind::Idempotency, KeyKind::Business, KeyKind::Services]
        .into_iter()
        .try_for_each(|kind| remember(connection, new, kind, row))
}

/// The first submission of the chain that a correction belongs to.
fn root(connection: &Connection, new: &NewSubmission) -> Result<Option<i64>, Fault> {
    let Some(corrects) = &new.corrects else { return Ok(None) };
    one(connection, "SELECT coalesce(root, row) FROM submissions WHERE id = ?1", [corrects.as_str()], |row| row.get(0))
}

fn insert(connection: &Connection, new: &NewSubmission, life: &mut Life, state: State) -> Result<(), Fault> {
    let sql = "INSERT INTO submissions (id, tenant, focal, payer, guide, mapping_version, response, state, since,
                                        last_event, attempts, received, frequency, root)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    let values = params![
        new.id.as_str(),
        new.tenant,
        new.focal,
        new.payer.as_str(),
        new.guide,
        new.mapping_version,
        new.response,
        state.word(),
        life.since,
        life.last_event,
        life.attempts,
        micros(new.received),
        new.frequency,
        root(connection, new)?,
    ];
    execute(connection, sql, values)?;
    life.row = connection.last_insert_rowid();
    Ok(())
}

fn insert_parts(connection: &Connection, new: &NewSubmission, row: i64) -> Result<(), Fault> {
    let sql = "INSERT INTO parts (tenant, submission, number, patient_control_number, trace_number, body, record,
                                  member_and_charge)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let mut insert = statement(connection, sql)?;
    for part in &new.parts {
        insert.execute(params![
            new.tenant,
            row,
            part.number,
            part.patient_control_number,
            part.trace_number,
            part.body,
            part.record,
            part.member_and_charge,
        ])?;
    }
    Ok(())
}

/// Makes the submission findable by a reference.
pub fn refer(connection: &Connection, tenant: &str, reference: &str, row: i64) -> Result<(), Fault> {
    let sql = "INSERT OR IGNORE INTO submission_references (tenant, reference, submission) VALUES (?1, ?2, ?3)";
    execute(connection, sql, params![tenant, reference, row]).map(drop)
}

fn remember(connection: &Connection, new: &NewSubmission, kind: KeyKind, row: i64) -> Result<(), Fault> {
    let given = match kind {
        KeyKind::Idempotency => new.idempotency.as_ref().map(|(key, content)| (key, content.as_str())),
        KeyKind::Business => new.business_key.as_ref().map(|(key, content)| (key, content.as_str())),
        KeyKind::Services => new.services.as_ref().map(|key| (key, "")),
    };
    let Some((key, content)) = given else { return Ok(()) };
    let sql = "INSERT INTO keys (tenant, kind, key, submission, content) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT DO UPDATE SET submission = excluded.submission, content = excluded.content";
    execute(connection, sql, params![new.tenant, word(kind), key, row, content]).map(drop)
}

fn supersede_all(connection: &Connection, by: i64, new: &NewSubmission) -> Result<(), Fault> {
    for id in &new.supersedes {
        if let Some(life) = life::of_id(connection, id)?.filter(|life| !life.superseded && life.row != by) {
            supersede(connection, life.row, by, new)?;
        }
    }
    Ok(())
}

/// The mended claim takes the place of the one before, which can't be queued any more.
fn supersede(connection: &Connection, row: i64, by: i64, new: &NewSubmission) -> Result<(), Fault> {
    execute(connection, "UPDATE submissions SET superseded = ?2 WHERE row = ?1", [row, by])?;
    held::forget(connection, row)?;
    let Some(mut life) = life::of_row(connection, row)? else { return Ok(()) };
    let detail = serde_json::json!({ "supersededBy": new.id.as_str() }).to_string();
    let event = NewEvent { kind: EventKind::Noted, part: None, at: new.received, detail };
    life::append(connection, &mut life, &[event]).map(drop)
}
