//! Between rows and values: times, words, faults.

use crate::billing::journey::{EventKind, State};
use crate::fault::{Fault, codes};
use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row, StatementStatus};

/// SQLite's complaint goes to the log (it names tables and columns, never values); the caller hears less.
impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Fault {
        tracing::error!(%error, "the store failed");
        Fault::ours(codes::STORE, "the store could not take or give it")
    }
}

/// How times are kept.
pub fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// A time as it will come back: what is answered now equals what is read later.
pub fn kept(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(micros(at)).unwrap_or(at)
}

pub fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    Timestamp::from_microsecond(row.get(column)?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, Box::new(error)))
}

pub fn maybe_time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    match row.get::<_, Option<i64>>(column)? {
        Some(_) => time(row, column).map(Some),
        None => Ok(None),
    }
}

pub fn state(row: &Row<'_>, column: usize) -> rusqlite::Result<State> {
    State::of(row.get_ref(column)?.as_str()?).ok_or_else(|| unknown_word(column))
}

pub fn event_kind(row: &Row<'_>, column: usize) -> rusqlite::Result<EventKind> {
    EventKind::of(row.get_ref(column)?.as_str()?).ok_or_else(|| unknown_word(column))
}

fn unknown_word(column: usize) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, "a word that this version does not know".into())
}

/// A statement that is prepared once a connection.
pub fn statement<'c>(connection: &'c Connection, sql: &str) -> Result<CachedStatement<'c>, Fault> {
    Ok(connection.prepare_cached(sql)?)
}

pub fn execute(connection: &Connection, sql: &str, params: impl Params) -> Result<usize, Fault> {
    Ok(statement(connection, sql)?.execute(params)?)
}

/// All rows of a query that finds them by an index.
pub fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Fault> {
    let found = scan(connection, sql, params, read)?;
    no_scan(connection, sql);
    Ok(found)
}

/// All rows of a query that may walk through a whole table.
pub fn scan<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Fault> {
    let mut statement = statement(connection, sql)?;
    let rows = statement.query_map(params, read)?;
    Ok(rows.collect::<Result<Vec<_>, _>>()?)
}

/// The first row of a query, when there is one.
pub fn one<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, Fault> {
    let found = statement(connection, sql)?.query_row(params, read).optional()?;
    no_scan(connection, sql);
    Ok(found)
}

/// Every lookup has its index: development builds, and with them all tests, refuse one that walks through a table.
fn no_scan(connection: &Connection, sql: &str) {
    if cfg!(debug_assertions)
        && let Ok(statement) = connection.prepare_cached(sql)
    {
        assert_eq!(statement.get_status(StatementStatus::FullscanStep), 0, "walks through a table: {sql}");
    }
}
