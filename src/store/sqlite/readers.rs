//! Connections that read: each call sees one snapshot, on a thread that may block.

use crate::fault::{Fault, codes};
use rusqlite::Connection;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections that read at the same time; who comes later waits.
const READERS: usize = 4;

pub struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    free: Arc<Semaphore>,
}

/// A connection on loan: it goes back even when the reading panics.
struct Loan {
    connection: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Drop for Loan {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}

impl Readers {
    pub fn open(path: &Path) -> Result<Readers, Fault> {
        let connections = (0..READERS).map(|_| super::connect::for_reading(path)).collect::<Result<Vec<_>, _>>()?;
        Ok(Readers { idle: Arc::new(Mutex::new(connections)), free: Arc::new(Semaphore::new(READERS)) })
    }

    /// Reads on a thread that may block.
    pub async fn read<T, F>(&self, work: F) -> Result<T, Fault>
    where
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let permit = self.free.clone().acquire_owned().await.map_err(|_| failed())?;
        let idle = self.idle.clone();
        let reading = tokio::task::spawn_blocking(move || on_loan(idle, permit, work));
        reading.await.unwrap_or_else(|_| Err(failed()))
    }

    /// Looks a few rows up by their key. Their pages are few and nearly always in memory: the way to another thread and back
    /// takes longer than the reading, so it is done on the spot while a connection is idle.
    pub async fn look_up<T, F>(&self, work: F) -> Result<T, Fault>
    where
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        match self.free.clone().try_acquire_owned() {
            Ok(permit) => on_loan(self.idle.clone(), permit, work),
            Err(_) => self.read(work).await,
        }
    }
}

fn on_loan<T, F>(idle: Arc<Mutex<Vec<Connection>>>, permit: OwnedSemaphorePermit, work: F) -> Result<T, Fault>
where
    F: FnOnce(&Connection) -> Result<T, Fault>,
{
    let connection = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let loan = Loan { connection, idle };
    let connection = loan.connection.as_ref().ok_or_else(failed)?;
    let snapshot = connection.unchecked_transaction()?;
    let outcome = work(&snapshot);
    drop(snapshot);
    drop(loan);
    drop(permit);
    outcome
}

fn failed() -> Fault {
    Fault::ours(codes::INTERNAL, "a reading of the store failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_costs_no_connection() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.sqlite");
        let _writer = crate::store::sqlite::connect::for_writing(&path).unwrap();
        let readers = Readers::open(&path).unwrap();
        for _ in 0..2 * READERS {
            assert!(readers.read(|_| -> Result<(), Fault> { panic!("while reading") }).await.is_err());
        }
        let one: i64 = readers.read(|c| Ok(c.query_row("SELECT 1", [], |row| row.get(0))?)).await.unwrap();
        assert_eq!(one, 1);
    }
}
