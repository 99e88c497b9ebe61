//! FHIR resources: the newest version with its index, and the versions before.

use super::notices;
use super::rows::{all, execute, kept, micros, one, statement, time};
use crate::fault::{Fault, Place, codes};
use crate::span::{Compare, Span};
use crate::store::{IndexEntry, PLACE, Query, RESULTS_MOST, ResourceVersion, ResourceWrite, SEARCH_VALUES_MOST};
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};
use sha2::{Digest, Sha256};

/// A resource as it stands before a write.
struct Before {
    row: i64,
    version: u32,
    entries: String,
    body: String,
    updated: Timestamp,
}

/// Writes each as a new resource or as the next version.
pub fn write(
    connection: &Connection,
    tenant: &str,
    resources: &[ResourceWrite],
    at: Timestamp,
) -> Result<Vec<ResourceVersion>, Fault> {
    resources.iter().map(|resource| write_one(connection, tenant, resource, at)).collect()
}

fn write_one(
    connection: &Connection,
    tenant: &str,
    resource: &ResourceWrite,
    at: Timestamp,
) -> Result<ResourceVersion, Fault> {
    let entries = entries_text(&resource.index)?;
    let (version, updated) = match insert(connection, tenant, resource, &entries, at)? {
        true => (1, kept(at)),
        false => replace(connection, tenant, resource, &entries, at)?,
    };
    let ResourceWrite { kind, id, body, .. } = resource.clone();
    Ok(ResourceVersion { kind, id, version, updated, body })
}

/// `false` when the resource exists already.
fn insert(
    connection: &Connection,
    tenant: &str,
    resource: &ResourceWrite,
    entries: &str,
    at: Timestamp,
) -> Result<bool, Fault> {
    let sql = "INSERT INTO resources (tenant, kind, id, version, updated, entries, body)
               VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
    let values = params![tenant, resource.kind, resource.id, micros(at), entries, resource.body];
    if execute(connection, sql, values)? == 0 {
        return Ok(false);
    }
    add_entries(connection, tenant, resource, connection.last_insert_rowid())?;
    notices::changed(connection, tenant, resource, 1, at)?;
    Ok(true)
}

/// Version and time of the resource after the write: the next ones, or those before when nothing changes.
fn replace(
    connection: &Connection,
    tenant: &str,
    resource: &ResourceWrite,
    entries: &str,
    at: Timestamp,
) -> Result<(u32, Timestamp), Fault> {
    let before = before(connection, tenant, resource)?;
    let changed = before.body != resource.body;
    if changed {
        keep_version(connection, &before)?;
    }
    let (version, updated) = if changed { (before.version + 1, kept(at)) } else { (before.version, before.updated) };
    let sql = "UPDATE resources SET version = ?2, updated = ?3, entries = ?4, body = ?5 WHERE row = ?1";
    execute(connection, sql, params![before.row, version, micros(updated), entries, resource.body])?;
    if before.entries != entries {
        remove_entries(connection, tenant, &resource.kind, &before)?;
        add_entries(connection, tenant, resource, before.row)?;
    }
    if changed {
        notices::changed(connection, tenant, resource, version, at)?;
    }
    Ok((version, updated))
}

fn before(connection: &Connection, tenant: &str, resource: &ResourceWrite) -> Result<Before, Fault> {
    let sql = "SELECT row, version, entries, body, updated FROM resources WHERE tenant = ?1 AND kind = ?2 AND id = ?3";
    let found = one(connection, sql, [tenant, &resource.kind, &resource.id], standing)?;
    found.ok_or_else(|| Fault::ours(codes::INTERNAL, "a resource vanished inside a transaction"))
}

fn standing(row: &Row<'_>) -> rusqlite::Result<Before> {
    let (entries, body, updated) = (row.get(2)?, row.get(3)?, time(row, 4)?);
    Ok(Before { row: row.get(0)?, version: row.get(1)?, entries, body, updated })
}

fn keep_version(connection: &Connection, before: &Before) -> Result<(), Fault> {
    let sql = "INSERT INTO resource_history (tenant, resource, version, updated, body)
               SELECT tenant, row, version, updated, body FROM resources WHERE row = ?1";
    execute(connection, sql, [before.row]).map(drop)
}

fn entries_text(index: &[IndexEntry]) -> Result<String, Fault> {
    let pairs: Vec<(&str, &str)> = index.iter().map(|entry| (entry.name.as_str(), entry.value.as_str())).collect();
    serde_json::to_string(&pairs).map_err(unreadable)
}

/// What stands for a search parameter of a tenant's resources of one kind. There are some thousands of them, so two that
/// share 64 bits of SHA-256 are not met with.
fn path(tenant: &str, kind: &str, name: &str) -> i64 {
    let mut hash = Sha256::new();
    for word in [tenant, "\0", kind, "\0", name] {
        hash.update(word);
    }
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(hash.finalize());
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

fn add_entries(connection: &Connection, tenant: &str, resource: &ResourceWrite, row: i64) -> Result<(), Fault> {
    let sql = "INSERT OR IGNORE INTO resource_index (path, value, resource) VALUES (?1, ?2, ?3)";
    let mut insert = statement(connection, sql)?;
    for entry in &resource.index {
        insert.execute(params![path(tenant, &resource.kind, &entry.name), entry.value, row])?;
    }
    Ok(())
}

fn remove_entries(connection: &Connection, tenant: &str, kind: &str, before: &Before) -> Result<(), Fault> {
    let pairs: Vec<(String, String)> = serde_json::from_str(&before.entries).map_err(unreadable)?;
    let mut delete =
        statement(connection, "DELETE FROM resource_index WHERE path = ?1 AND value = ?2 AND resource = ?3")?;
    for (name, value) in pairs {
        delete.execute(params![path(tenant, kind, &name), value, before.row])?;
    }
    Ok(())
}

fn unreadable(_: serde_json::Error) -> Fault {
    Fault::ours(codes::INTERNAL, "the index entries of a resource can't be read or written")
}

const COLUMNS: &str = "kind, id, version, updated, body";

fn version(row: &Row<'_>) -> rusqlite::Result<ResourceVersion> {
    Ok(ResourceVersion {
        kind: row.get(0)?,
        id: row.get(1)?,
        version: row.get(2)?,
        updated: time(row, 3)?,
        body: row.get(4)?,
    })
}

pub fn read(connection: &Connection, tenant: &str, kind: &str, id: &str) -> Result<Option<ResourceVersion>, Fault> {
    let sql = "SELECT kind, id, version, updated, body FROM resources WHERE tenant = ?1 AND kind = ?2 AND id = ?3";
    one(connection, sql, [tenant, kind, id], version)
}

pub fn history(connection: &Connection, tenant: &str, kind: &str, id: &str) -> Result<Vec<ResourceVersion>, Fault> {
    let sql = "SELECT r.kind, r.id, h.version, h.updated, h.body
               FROM resources r JOIN resource_history h ON h.resource = r.row
               WHERE r.tenant = ?1 AND r.kind = ?2 AND r.id = ?3 ORDER BY h.version DESC";
    let mut versions: Vec<_> = read(connection, tenant, kind, id)?.into_iter().collect();
    versions.extend(all(connection, sql, [tenant, kind, id], version)?);
    Ok(versions)
}

/// One version, present or past.
pub fn one_version(
    connection: &Connection,
    tenant: &str,
    kind: &str,
    id: &str,
    number: u32,
) -> Result<Option<ResourceVersion>, Fault> {
    let newest = read(connection, tenant, kind, id)?;
    if newest.as_ref().is_none_or(|newest| newest.version == number) {
        return Ok(newest);
    }
    let sql = "SELECT r.kind, r.id, h.version, h.updated, h.body
               FROM resources r JOIN resource_history h ON h.resource = r.row
               WHERE r.tenant = ?1 AND r.kind = ?2 AND r.id = ?3 AND h.version = ?4";
    one(connection, sql, params![tenant, kind, id, number], version)
}

/// Takes a resource away with all its versions: nothing that belongs to a claim, whose versions stay.
pub fn remove(connection: &Connection, tenant: &str, kind: &str, id: &str) -> Result<(), Fault> {
    let sql = "SELECT row, version, entries, body, updated FROM resources WHERE tenant = ?1 AND kind = ?2 AND id = ?3";
    let Some(found) = one(connection, sql, [tenant, kind, id], standing)? else { return Ok(()) };
    remove_entries(connection, tenant, kind, &found)?;
    execute(connection, "DELETE FROM resource_history WHERE resource = ?1", [found.row])?;
    execute(connection, "DELETE FROM resources WHERE row = ?1", [found.row]).map(drop)
}

pub fn search(connection: &Connection, tenant: &str, query: &Query) -> Result<Vec<ResourceVersion>, Fault> {
    let spans = query.spans.iter().map(|(_, spans)| spans.len()).sum::<usize>();
    let values = spans + query.conditions.iter().map(|(_, values)| values.len()).sum::<usize>();
    if values > SEARCH_VALUES_MOST {
        let text = format!("the search asks for {values} values; at most {SEARCH_VALUES_MOST} are taken");
        return Err(Fault::refuse(codes::TOO_MANY, Place::Whole, text, "ask for fewer at a time"));
    }
    let (sql, given) = search_sql(tenant, query);
    all(connection, &sql, params_from_iter(given), version)
}

/// How the value of an index row has to lie to one end of a span. A value is a year, month, day or exact time: it begins with
/// its first moment, and its end is behind a time when it is not less than as much of that time as it has itself.
const BEGINS_FROM: &str = "value >= ?";
const BEGINS_BEFORE: &str = "value < ?";
const ENDS_BEHIND: &str = "value >= substr(?, 1, length(value))";
const ENDS_BY: &str = "value < substr(?, 1, length(value))";

/// The test of a span, and the values of its holes.
fn span_sql(span: &Span, given: &mut Vec<Value>) -> String {
    let (start, end) = (span.start.as_str(), span.end.as_str());
    let within = format!("{BEGINS_FROM} AND {ENDS_BY}");
    let (test, ends) = match span.compare {
        Compare::Within => (within, vec![shortest(start), end]),
        Compare::NotWithin => (format!("NOT ({within})"), vec![shortest(start), end]),
        Compare::EndsBehind => (ENDS_BEHIND.to_owned(), vec![end]),
        Compare::BeginsBefore => (BEGINS_BEFORE.to_owned(), vec![shortest(start)]),
        Compare::EndsAfterStart => (ENDS_BEHIND.to_owned(), vec![start]),
        Compare::BeginsBeforeEnd => (BEGINS_BEFORE.to_owned(), vec![shortest(end)]),
        Compare::After => (BEGINS_FROM.to_owned(), vec![shortest(end)]),
        Compare::Before => (ENDS_BY.to_owned(), vec![start]),
    };
    given.extend(ends.into_iter().map(|end| Value::Text(end.to_owned())));
    format!("({test})")
}

/// The shortest text of a time: the first moment of a day, month or year is written as that.
fn shortest(exact: &str) -> &str {
    let day = exact.strip_suffix("T00:00:00.000Z").unwrap_or(exact);
    let month = day.strip_suffix("-01").filter(|_| day.len() == 10).unwrap_or(day);
    month.strip_suffix("-01").filter(|_| month.len() == 7).unwrap_or(month)
}

fn search_sql(tenant: &str, query: &Query) -> (String, Vec<Value>) {
    let text = |text: &str| Value::Text(text.to_owned());
    let mut given = vec![text(tenant), text(&query.kind)];
    let mut sql = format!("SELECT {COLUMNS} FROM resources WHERE tenant = ?1 AND kind = ?2");
    for (name, values) in &query.conditions {
        let holes = vec!["?"; values.len()].join(", ");
        if name == "_id" {
            sql.push_str(&format!(" AND id IN ({holes})"));
        } else if name == PLACE {
            let place = "SELECT row FROM resources WHERE tenant = ?1 AND kind = ?2 AND id IN";
            sql.push_str(&format!(" AND row < ({place} ({holes}))"));
        } else {
            let found = format!("SELECT resource FROM resource_index WHERE path = ? AND value IN ({holes})");
            sql.push_str(&format!(" AND row IN ({found})"));
            given.push(Value::Integer(path(tenant, &query.kind, name)));
        }
        given.extend(values.iter().map(|value| text(value)));
    }
    for (name, spans) in &query.spans {
        given.push(Value::Integer(path(tenant, &query.kind, name)));
        let tests: Vec<String> = spans.iter().map(|span| span_sql(span, &mut given)).collect();
        let found = format!("SELECT resource FROM resource_index WHERE path = ? AND ({})", tests.join(" OR "));
        sql.push_str(&format!(" AND row IN ({found})"));
    }
    sql.push_str(&format!(" ORDER BY row DESC LIMIT {}", query.limit.min(RESULTS_MOST)));
    (sql, given)
}
