//! The life of a submission: its events, and what each of them moves (state, counts, outbox).

use super::rows::{all, event_kind, execute, micros, one, state, time};
use super::{held, resources};
use crate::billing::id::SubmissionId;
use crate::billing::journey::{EventKind, State, advance};
use crate::fault::{Fault, Place, codes};
use crate::store::{Event, NewEvent, ResourceWrite};
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

/// What is needed of a submission to append an event.
pub struct Life {
    pub row: i64,
    pub tenant: String,
    pub state: Option<State>,
    pub since: i64,
    pub last_event: u32,
    pub attempts: u32,
    pub interchange: Option<i64>,
    pub superseded: bool,
}

const LIFE: &str = "SELECT row, tenant, state, since, last_event, attempts, interchange, superseded IS NOT NULL
                    FROM submissions WHERE";

fn life(row: &Row<'_>) -> rusqlite::Result<Life> {
    Ok(Life {
        row: row.get(0)?,
        tenant: row.get(1)?,
        state: Some(state(row, 2)?),
        since: row.get(3)?,
        last_event: row.get(4)?,
        attempts: row.get(5)?,
        interchange: row.get(6)?,
        superseded: row.get(7)?,
    })
}

pub fn of_row(connection: &Connection, row: i64) -> Result<Option<Life>, Fault> {
    one(connection, &format!("{LIFE} row = ?1"), [row], life)
}

pub fn of_id(connection: &Connection, id: &SubmissionId) -> Result<Option<Life>, Fault> {
    one(connection, &format!("{LIFE} id = ?1"), [id.as_str()], life)
}

/// The life of a submission that must exist.
pub fn known(connection: &Connection, id: &SubmissionId) -> Result<Life, Fault> {
    of_id(connection, id)?.ok_or_else(|| {
        let text = format!("there is no submission {id}");
        Fault::refuse(codes::NOT_FOUND, Place::Whole, text, "look it up by its claim")
    })
}

/// Appends events and moves everything that hangs on the state. Answers the state after the last.
pub fn append(connection: &Connection, life: &mut Life, events: &[NewEvent]) -> Result<State, Fault> {
    let after = happen(connection, life, events)?;
    let sql = "UPDATE submissions SET state = ?2, since = ?3, last_event = ?4, attempts = ?5, interchange = ?6
               WHERE row = ?1";
    let values = params![life.row, after.word(), life.since, life.last_event, life.attempts, life.interchange];
    execute(connection, sql, values)?;
    Ok(after)
}

/// Folds events into a life that is not written yet.
pub fn fold_all(life: &mut Life, events: &[NewEvent]) -> Result<State, Fault> {
    events.iter().for_each(|event| fold(life, event));
    life.state.ok_or_else(|| Fault::ours(codes::INTERNAL, "no event gives the submission a state"))
}

/// First events of a submission whose row holds their fold already.
pub fn begin(connection: &Connection, life: &mut Life, events: &[NewEvent]) -> Result<State, Fault> {
    life.state = None;
    life.last_event = 0;
    life.attempts = 0;
    happen(connection, life, events)
}

fn happen(connection: &Connection, life: &mut Life, events: &[NewEvent]) -> Result<State, Fault> {
    let before = life.state;
    let first = life.last_event + 1;
    let after = fold_all(life, events)?;
    for (sequence, event) in (first..).zip(events) {
        insert_event(connection, life, sequence, event)?;
    }
    if before != Some(after) {
        moved(connection, life, before, after)?;
    }
    Ok(after)
}

fn fold(life: &mut Life, event: &NewEvent) {
    let after = advance(life.state, event.kind);
    if after != life.state {
        life.since = micros(event.at);
    }
    life.state = after;
    life.last_event += 1;
    if event.kind == EventKind::SendFailed {
        life.attempts += 1;
    }
}

fn insert_event(connection: &Connection, life: &Life, sequence: u32, event: &NewEvent) -> Result<(), Fault> {
    let sql = "INSERT INTO events (tenant, submission, sequence, kind, part, at, detail)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values =
        params![life.tenant, life.row, sequence, event.kind.word(), event.part, micros(event.at), event.detail];
    execute(connection, sql, values).map(drop)
}

/// Keeps the counts, and the outbox: what is queued and in no interchange is due, and nothing else is.
fn moved(connection: &Connection, life: &mut Life, before: Option<State>, after: State) -> Result<(), Fault> {
    if let Some(before) = before {
        count(connection, &life.tenant, before, -1)?;
    }
    count(connection, &life.tenant, after, 1)?;
    if after == State::Discarded {
        held::forget(connection, life.row)?;
    }
    if after == State::Queued {
        queue(connection, life)
    } else if before == Some(State::Queued) {
        execute(connection, "DELETE FROM outbox WHERE submission = ?1", [life.row]).map(drop)
    } else {
        Ok(())
    }
}

fn count(connection: &Connection, tenant: &str, state: State, by: i64) -> Result<(), Fault> {
    let sql = "INSERT INTO state_counts (tenant, state, submissions) VALUES (?1, ?2, ?3)
               ON CONFLICT DO UPDATE SET submissions = submissions + excluded.submissions";
    execute(connection, sql, params![tenant, state.word(), by]).map(drop)
}

/// Makes a submission due, unless its interchange is still on its way: then it is sent anyhow.
fn queue(connection: &Connection, life: &mut Life) -> Result<(), Fault> {
    if life.superseded {
        let text = "another submission of the same claim has taken its place";
        return Err(Fault::refuse(codes::CLAIM_STATUS, Place::Whole, text, "release the newer submission"));
    }
    let sql = "SELECT sent IS NULL AND given_up IS NULL FROM interchanges WHERE row = ?1";
    if one(connection, sql, [life.interchange], |row| row.get(0))? == Some(true) {
        return Ok(());
    }
    life.interchange = None;
    life.attempts = 0;
    let sql =
        "INSERT INTO outbox (submission, tenant, payer) SELECT row, tenant, payer FROM submissions WHERE row = ?1";
    execute(connection, sql, [life.row]).map(drop)
}

/// Appends events and resources to a submission that exists.
pub fn write(
    connection: &Connection,
    id: &SubmissionId,
    events: &[NewEvent],
    writes: &[ResourceWrite],
    now: Timestamp,
) -> Result<State, Fault> {
    let mut life = known(connection, id)?;
    resources::write(connection, &life.tenant, writes, now)?;
    append(connection, &mut life, events)
}

pub fn events(connection: &Connection, id: &SubmissionId) -> Result<Vec<Event>, Fault> {
    let sql = "SELECT e.sequence, e.kind, e.part, e.at, e.detail FROM submissions s
               JOIN events e ON e.submission = s.row WHERE s.id = ?1 ORDER BY e.sequence";
    all(connection, sql, [id.as_str()], |row| {
        Ok(Event {
            sequence: row.get(0)?,
            kind: event_kind(row, 1)?,
            part: row.get(2)?,
            at: time(row, 3)?,
            detail: row.get(4)?,
        })
    })
}
