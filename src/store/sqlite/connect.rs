//! Opening the file: permissions, pragmas, schema.

use crate::fault::{Fault, codes};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::path::Path;
use std::time::Duration;

/// Tells our files from other SQLite files: "clgt".
const APPLICATION: i32 = 0x636c_6774;

/// Migrations in order; a file's `user_version` is how many it has had.
const MIGRATIONS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("held.sql"),
    include_str!("notices.sql"),
    include_str!("worklists.sql"),
    include_str!("taken.sql"),
    include_str!("alike.sql"),
];

/// How long a connection waits for another process that is writing.
const BUSY: Duration = Duration::from_secs(10);

/// Statements kept prepared on each connection: more than there are in this folder.
const STATEMENTS: usize = 160;

/// Opens the connection that writes, and brings the schema up to date.
pub fn for_writing(path: &Path) -> Result<Connection, Fault> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| unusable(path, &error.to_string()))?;
    }
    make_private(path).map_err(|error| unusable(path, &error.to_string()))?;
    let mut connection = Connection::open(path).map_err(|error| unusable(path, &error.to_string()))?;
    settings(&connection).map_err(|error| unusable(path, &error.to_string()))?;
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub fn for_reading(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch("PRAGMA cache_size = -16384; PRAGMA mmap_size = 268435456; PRAGMA query_only = ON;")?;
    Ok(connection)
}

/// The file holds health data: it is made readable for its owner alone. SQLite gives the WAL the same mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn settings(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // FULL: a reply is a promise that outlives a power cut. A large checkpoint interval writes hot pages home less often.
    // References are checked in builds for development: a third of the time that a claim takes otherwise.
    connection.pragma_update(None, "foreign_keys", cfg!(debug_assertions))?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -65536;
         PRAGMA wal_autocheckpoint = 8192;
         PRAGMA journal_size_limit = 67108864;",
    )
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    let application: i32 = transaction.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: u32 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION && tables > 0 {
        return Err(unusable(path, "it is a SQLite file of another program"));
    }
    let Some(due) = MIGRATIONS.get(version as usize..) else {
        return Err(unusable(path, "it was written by a newer version of claimgate"));
    };
    for migration in due {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as u32)?;
    transaction.commit()?;
    Ok(())
}

fn unusable(path: &Path, why: &str) -> Fault {
    Fault::ours(codes::CONFIGURATION, format!("the store {} can't be used: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_opening_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/claimgate.sqlite");
        for _ in 0..2 {
            let connection = for_writing(&path).unwrap();
            let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
            assert_eq!(version as usize, MIGRATIONS.len());
            let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
            assert_eq!(mode, "wal");
            let synchronous: u8 = connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
            assert_eq!(synchronous, 2, "FULL");
        }
    }

    #[test]
    fn files_of_others_and_of_newer_versions_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("other.sqlite");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        assert!(for_writing(&other).unwrap_err().to_string().contains("another program"));
        let newer = folder.path().join("newer.sqlite");
        let connection = for_writing(&newer).unwrap();
        connection.pragma_update(None, "user_version", MIGRATIONS.len() as u32 + 1).unwrap();
        assert!(for_writing(&newer).unwrap_err().to_string().contains("newer version"));
        let text = folder.path().join("text.sqlite");
        std::fs::write(&text, "not a database, but long enough to be read as one").unwrap();
        assert!(for_writing(&text).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("claimgate.sqlite");
        for_writing(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn readers_write_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("claimgate.sqlite");
        let _writer = for_writing(&path).unwrap();
        let reader = for_reading(&path).unwrap();
        assert!(reader.execute("DELETE FROM keys", []).is_err());
    }
}
