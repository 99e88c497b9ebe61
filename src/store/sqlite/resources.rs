//! FHIR resources: the newest version with its index, and the versions before.

use super::rows::{all, execute, kept, micros, one, statement, time};
use crate::fault::{Fault, Place, codes};
use crate::store::{IndexEntry, Query, RESULTS_MOST, ResourceVersion, ResourceWrite, SEARCH_VALUES_MOST};
use jiff::Timestamp;
use rusqlite::{Connection, Row, params, params_from_iter};

/// A resource as it stands before a write.
struct Before {
    row: i64,
    version: u32,
    entries: String,
    same: bool,
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
    let sql = "SELECT row, version, entries, body = ?4 FROM resources WHERE tenant = ?1 AND kind = ?2 AND id = ?3";
    let before = one(connection, sql, params![tenant, resource.kind, resource.id, resource.body], |row| {
        Ok(Before { row: row.get(0)?, version: row.get(1)?, entries: row.get(2)?, same: row.get(3)? })
    })?;
    let version = match before {
        None => insert(connection, tenant, resource, &entries, at)?,
        Some(before) if before.same && before.entries == entries => {
            return read(connection, tenant, &resource.kind, &resource.id)?
                .ok_or_else(|| Fault::ours(codes::INTERNAL, "a resource vanished inside a transaction"));
        }
        Some(before) => replace(connection, tenant, resource, &entries, &before, at)?,
    };
    Ok(ResourceVersion {
        kind: resource.kind.clone(),
        id: resource.id.clone(),
        version,
        updated: kept(at),
        body: resource.body.clone(),
    })
}

fn insert(
    connection: &Connection,
    tenant: &str,
    resource: &ResourceWrite,
    entries: &str,
    at: Timestamp,
) -> Result<u32, Fault> {
    let sql =
        "INSERT INTO resources (tenant, kind, id, version, updated, entries, body) VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6)";
    execute(connection, sql, params![tenant, resource.kind, resource.id, micros(at), entries, resource.body])?;
    add_entries(connection, tenant, resource, connection.last_insert_rowid())?;
    Ok(1)
}

fn replace(
    connection: &Connection,
    tenant: &str,
    resource: &ResourceWrite,
    entries: &str,
    before: &Before,
    at: Timestamp,
) -> Result<u32, Fault> {
    let keep = "INSERT INTO resource_history (tenant, resource, version, updated, body)
                SELECT tenant, row, version, updated, body FROM resources WHERE row = ?1";
    execute(connection, keep, [before.row])?;
    let version = before.version + 1;
    let sql = "UPDATE resources SET version = ?2, updated = ?3, entries = ?4, body = ?5 WHERE row = ?1";
    execute(connection, sql, params![before.row, version, micros(at), entries, resource.body])?;
    if before.entries != entries {
        remove_entries(connection, tenant, &resource.kind, before)?;
        add_entries(connection, tenant, resource, before.row)?;
    }
    Ok(version)
}

fn entries_text(index: &[IndexEntry]) -> Result<String, Fault> {
    let pairs: Vec<(&str, &str)> = index.iter().map(|entry| (entry.name.as_str(), entry.value.as_str())).collect();
    serde_json::to_string(&pairs).map_err(unreadable)
}

fn add_entries(connection: &Connection, tenant: &str, resource: &ResourceWrite, row: i64) -> Result<(), Fault> {
    let sql = "INSERT OR IGNORE INTO resource_index (tenant, kind, name, value, resource) VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut insert = statement(connection, sql)?;
    for entry in &resource.index {
        insert.execute(params![tenant, resource.kind, entry.name, entry.value, row])?;
    }
    Ok(())
}

fn remove_entries(connection: &Connection, tenant: &str, kind: &str, before: &Before) -> Result<(), Fault> {
    let pairs: Vec<(String, String)> = serde_json::from_str(&before.entries).map_err(unreadable)?;
    let sql = "DELETE FROM resource_index
               WHERE tenant = ?1 AND kind = ?2 AND name = ?3 AND value = ?4 AND resource = ?5";
    let mut delete = statement(connection, sql)?;
    for (name, value) in pairs {
        delete.execute(params![tenant, kind, name, value, before.row])?;
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

pub fn search(connection: &Connection, tenant: &str, query: &Query) -> Result<Vec<ResourceVersion>, Fault> {
    let values = query.conditions.iter().map(|(_, values)| values.len()).sum::<usize>();
    if values > SEARCH_VALUES_MOST {
        let text = format!("the search asks for {values} values; at most {SEARCH_VALUES_MOST} are taken");
        return Err(Fault::refuse(codes::TOO_MANY, Place::Whole, text, "ask for fewer at a time"));
    }
    let mut given = vec![tenant, query.kind.as_str()];
    let mut sql = format!("SELECT {COLUMNS} FROM resources WHERE tenant = ?1 AND kind = ?2");
    for (name, values) in &query.conditions {
        let holes = vec!["?"; values.len()].join(", ");
        if name == "_id" {
            sql.push_str(&format!(" AND id IN ({holes})"));
        } else {
            sql.push_str(&format!(
                " AND row IN (SELECT resource FROM resource_index
                              WHERE tenant = ?1 AND kind = ?2 AND name = ? AND value IN ({holes}))"
            ));
            given.push(name);
        }
        given.extend(values.iter().map(String::as_str));
    }
    sql.push_str(&format!(" ORDER BY row DESC LIMIT {}", query.limit.min(RESULTS_MOST)));
    all(connection, &sql, params_from_iter(given), version)
}
