//! Subscribers, the changes that they are to hear of, and their events.

use super::rows::{all, execute, micros, one, scan, statement, time};
use super::{SqliteStore, resources};
use crate::fault::{Fault, Place, codes};
use crate::store::notices::{
    Change, Notice, Notices, Progress, SUBSCRIBERS_MOST, Subscriber, SubscriberKind, SubscriberState, SubscriberWrite,
};
use crate::store::{RESULTS_MOST, Reply, ResourceVersion, ResourceWrite};
use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};

impl Notices for SqliteStore {
    fn subscribe(&self, write: SubscriberWrite) -> Reply<'_, ()> {
        self.writing(move |c| subscribe(c, &write))
    }

    fn unsubscribe<'a>(&'a self, tenant: &'a str, id: &'a str) -> Reply<'a, bool> {
        let (tenant, id) = (tenant.to_owned(), id.to_owned());
        self.writing(move |c| unsubscribe(c, &tenant, &id))
    }

    fn subscriber<'a>(&'a self, tenant: &'a str, id: &'a str) -> Reply<'a, Option<Subscriber>> {
        let (tenant, id) = (tenant.to_owned(), id.to_owned());
        self.reading(move |c| by_id(c, &tenant, &id))
    }

    fn subscribers(&self) -> Reply<'_, Vec<Subscriber>> {
        self.reading(|c| scan(c, &format!("{SUBSCRIBER} ORDER BY row"), [], subscriber))
    }

    fn subscribers_due(&self, now: Timestamp, limit: usize) -> Reply<'_, Vec<Subscriber>> {
        let sql = format!("{SUBSCRIBER} WHERE {DUE} LIMIT ?2");
        self.reading(move |c| all(c, &sql, params![micros(now), limit.min(RESULTS_MOST) as i64], subscriber))
    }

    fn take_subscribers(&self, now: Timestamp, until: Timestamp, limit: usize) -> Reply<'_, Vec<Subscriber>> {
        Box::pin(async move {
            // Most looks find nothing, and write nothing.
            if self.subscribers_due(now, 1).await?.is_empty() {
                return Ok(Vec::new());
            }
            self.writing(move |c| take(c, now, until, limit)).await
        })
    }

    fn let_go<'a>(&'a self, of: &'a Subscriber) -> Reply<'a, ()> {
        let (tenant, id, generation) = (of.tenant.clone(), of.id.clone(), number(of.generation));
        let sql = "UPDATE subscribers SET taken = NULL WHERE tenant = ?1 AND id = ?2 AND generation = ?3";
        self.writing(move |c| execute(c, sql, params![tenant, id, generation]).map(drop))
    }

    fn changes(&self, limit: usize) -> Reply<'_, Vec<Change>> {
        self.reading(move |c| changes(c, limit))
    }

    fn fan_out(&self, changes: Vec<(Change, Vec<String>)>, kept: u64, now: Timestamp) -> Reply<'_, ()> {
        self.writing(move |c| fan_out(c, &changes, kept, now))
    }

    fn notices<'a>(&'a self, of: &'a Subscriber, from: u64, to: u64, limit: usize) -> Reply<'a, Vec<Notice>> {
        let (tenant, id) = (of.tenant.clone(), of.id.clone());
        self.reading(move |c| notices(c, &tenant, &id, (from, to), limit))
    }

    fn version<'a>(
        &'a self,
        tenant: &'a str,
        kind: &'a str,
        id: &'a str,
        version: u32,
    ) -> Reply<'a, Option<ResourceVersion>> {
        let (tenant, kind, id) = (tenant.to_owned(), kind.to_owned(), id.to_owned());
        self.reading(move |c| resources::one_version(c, &tenant, &kind, &id, version))
    }

    fn progress<'a>(&'a self, of: &'a Subscriber, progress: Progress) -> Reply<'a, bool> {
        let (tenant, id, generation) = (of.tenant.clone(), of.id.clone(), number(of.generation));
        self.writing(move |c| write_progress(c, &tenant, &id, generation, &progress))
    }
}

const SUBSCRIBER: &str = "SELECT tenant, id, kind, state, settings, generation, events, delivered, failures, error
                          FROM subscribers";
/// Whom nobody has.
const DUE: &str = "due IS NOT NULL AND due <= ?1 AND (taken IS NULL OR taken <= ?1) ORDER BY due";

fn subscriber(row: &Row<'_>) -> rusqlite::Result<Subscriber> {
    let unknown = |column| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, "an unknown word".into());
    Ok(Subscriber {
        tenant: row.get(0)?,
        id: row.get(1)?,
        kind: SubscriberKind::of(row.get_ref(2)?.as_str()?).ok_or_else(|| unknown(2))?,
        state: SubscriberState::of(row.get_ref(3)?.as_str()?).ok_or_else(|| unknown(3))?,
        settings: row.get(4)?,
        generation: counted(row, 5)?,
        events: counted(row, 6)?,
        delivered: counted(row, 7)?,
        failures: row.get(8)?,
        error: row.get(9)?,
    })
}

/// SQLite's numbers have a sign.
fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn counted(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)?.max(0).unsigned_abs())
}

fn take(connection: &Connection, now: Timestamp, until: Timestamp, limit: usize) -> Result<Vec<Subscriber>, Fault> {
    let sql = format!(
        "UPDATE subscribers SET taken = ?2 WHERE row IN (SELECT row FROM subscribers WHERE {DUE} LIMIT ?3)
         RETURNING tenant, id, kind, state, settings, generation, events, delivered, failures, error"
    );
    all(connection, &sql, params![micros(now), micros(until), limit.min(RESULTS_MOST) as i64], subscriber)
}

fn by_id(connection: &Connection, tenant: &str, id: &str) -> Result<Option<Subscriber>, Fault> {
    one(connection, &format!("{SUBSCRIBER} WHERE tenant = ?1 AND id = ?2"), [tenant, id], subscriber)
}

fn row_of(connection: &Connection, tenant: &str, id: &str) -> Result<Option<i64>, Fault> {
    one(connection, "SELECT row FROM subscribers WHERE tenant = ?1 AND id = ?2", [tenant, id], |row| row.get(0))
}

fn subscribe(connection: &Connection, write: &SubscriberWrite) -> Result<(), Fault> {
    let known = row_of(connection, &write.tenant, &write.id)?;
    if known.is_none() {
        room(connection, write)?;
    }
    let sql =
        "INSERT INTO subscribers (tenant, id, kind, state, settings, generation, events, delivered, failures, due)
               VALUES (?1, ?2, ?3, ?4, ?5, 1, 0, 0, 0, ?6)
               ON CONFLICT (tenant, id) DO UPDATE
               SET state = excluded.state, settings = excluded.settings, generation = generation + 1, failures = 0,
                   due = excluded.due, error = NULL, taken = NULL";
    let (kind, state) = (write.kind.word(), write.state.word());
    let values = params![write.tenant, write.id, kind, state, write.settings, write.due.map(micros)];
    execute(connection, sql, values)?;
    let Some(row) = row_of(connection, &write.tenant, &write.id)? else { return Ok(()) };
    execute(connection, "DELETE FROM watches WHERE subscriber = ?1", [row])?;
    for kind in &write.watches {
        let sql = "INSERT OR IGNORE INTO watches (tenant, kind, subscriber) VALUES (?1, ?2, ?3)";
        execute(connection, sql, params![write.tenant, kind, row])?;
    }
    resources::write(connection, &write.tenant, write.resource.as_slice(), write.at).map(drop)
}

fn room(connection: &Connection, write: &SubscriberWrite) -> Result<(), Fault> {
    let sql = "SELECT count(*), coalesce(sum(tenant = ?1 AND kind = ?2), 0) FROM subscribers";
    let counted = scan(connection, sql, [write.tenant.as_str(), write.kind.word()], |row| {
        Ok((counted(row, 0)?, counted(row, 1)?))
    })?;
    let (all, own) = counted.into_iter().next().unwrap_or_default();
    if own < write.most as u64 && all < SUBSCRIBERS_MOST as u64 {
        return Ok(());
    }
    let text = format!("there are {own} of them already; at most {} are taken", write.most);
    Err(Fault::refuse(codes::TOO_MANY, Place::Whole, text, "delete one that is not needed any more"))
}

fn unsubscribe(connection: &Connection, tenant: &str, id: &str) -> Result<bool, Fault> {
    let Some(row) = row_of(connection, tenant, id)? else { return Ok(false) };
    for sql in [
        "DELETE FROM watches WHERE subscriber = ?1",
        "DELETE FROM notices WHERE subscriber = ?1",
        "DELETE FROM subscribers WHERE row = ?1",
    ] {
        execute(connection, sql, [row])?;
    }
    resources::remove(connection, tenant, "Subscription", id)?;
    Ok(true)
}

/// A version of a resource came to be; written down when somebody wants to hear of its type.
pub fn changed(
    connection: &Connection,
    tenant: &str,
    resource: &ResourceWrite,
    version: u32,
    at: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO changes (tenant, kind, id, version, at)
               SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM watches WHERE tenant = ?1 AND kind = ?2)";
    execute(connection, sql, params![tenant, resource.kind, resource.id, version, micros(at)]).map(drop)
}

fn changes(connection: &Connection, limit: usize) -> Result<Vec<Change>, Fault> {
    let sql = "SELECT row, tenant, kind, id, version, at FROM changes ORDER BY row LIMIT ?1";
    scan(connection, sql, [limit.min(RESULTS_MOST) as i64], |row| {
        Ok(Change {
            row: row.get(0)?,
            tenant: row.get(1)?,
            kind: row.get(2)?,
            id: row.get(3)?,
            version: row.get(4)?,
            at: time(row, 5)?,
        })
    })
}

fn fan_out(connection: &Connection, changes: &[(Change, Vec<String>)], kept: u64, now: Timestamp) -> Result<(), Fault> {
    for (change, subscribers) in changes {
        // Another worker may have done it.
        if execute(connection, "DELETE FROM changes WHERE row = ?1", [change.row])? == 0 {
            continue;
        }
        for id in subscribers {
            note(connection, change, id, kept, now)?;
        }
    }
    Ok(())
}

/// Numbers an event. Who has failed waits for the time of the next attempt.
fn note(connection: &Connection, change: &Change, id: &str, kept: u64, now: Timestamp) -> Result<(), Fault> {
    let sql = "UPDATE subscribers
               SET events = events + 1,
                   due = CASE WHEN state = 'active' AND failures = 0 THEN min(coalesce(due, ?3), ?3) ELSE due END
               WHERE tenant = ?1 AND id = ?2 RETURNING row, events, delivered";
    let noted = statement(connection, sql)?
        .query_map(params![change.tenant, id, micros(now)], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let Some((row, events, delivered)) = noted.into_iter().next() else { return Ok(()) };
    let sql = "INSERT INTO notices (subscriber, number, kind, id, version, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    execute(connection, sql, params![row, events, change.kind, change.id, change.version, micros(change.at)])?;
    let last = delivered.min(events - number(kept));
    execute(connection, "DELETE FROM notices WHERE subscriber = ?1 AND number <= ?2", [row, last]).map(drop)
}

fn notices(
    connection: &Connection,
    tenant: &str,
    id: &str,
    (from, to): (u64, u64),
    limit: usize,
) -> Result<Vec<Notice>, Fault> {
    let sql = "SELECT n.number, n.kind, n.id, n.version, n.at FROM subscribers s
               JOIN notices n ON n.subscriber = s.row
               WHERE s.tenant = ?1 AND s.id = ?2 AND n.number BETWEEN ?3 AND ?4 ORDER BY n.number LIMIT ?5";
    let values = params![tenant, id, number(from), number(to), limit.min(RESULTS_MOST) as i64];
    all(connection, sql, values, |row| {
        Ok(Notice {
            number: counted(row, 0)?,
            kind: row.get(1)?,
            id: row.get(2)?,
            version: row.get(3)?,
            at: time(row, 4)?,
        })
    })
}

fn write_progress(
    connection: &Connection,
    tenant: &str,
    id: &str,
    generation: i64,
    progress: &Progress,
) -> Result<bool, Fault> {
    let sql = "UPDATE subscribers
               SET state = ?4, delivered = ?5, failures = ?6, error = ?7, taken = NULL,
                   due = CASE WHEN ?4 = 'active' AND ?6 = 0 AND events > ?5 THEN ?8 ELSE ?9 END
               WHERE tenant = ?1 AND id = ?2 AND generation = ?3";
    let values = params![
        tenant,
        id,
        generation,
        progress.state.word(),
        number(progress.delivered),
        progress.failures,
        progress.error,
        micros(progress.at),
        progress.due.map(micros),
    ];
    if execute(connection, sql, values)? == 0 {
        return Ok(false);
    }
    resources::write(connection, tenant, progress.resource.as_slice(), progress.at)?;
    Ok(true)
}
