//! The one thread that writes. It takes whatever jobs are waiting, runs them in one transaction, and answers all of them
//! after the one fsync of the commit. A bad job must not spoil its neighbours: when one fails after it has written, the
//! whole group is rolled back and run again with a savepoint for each. (Savepoints for all, always, cost a copy of every
//! page that a job touches: more than the writing itself.)

use crate::fault::{Fault, codes};
use crate::telemetry::{self, Codes, name};
use rusqlite::{Connection, TransactionBehavior};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// Most jobs in one transaction.
pub const GROUP_MOST: usize = 512;

/// Most jobs that wait; who comes later waits outside, without having handed over anything.
const WAITING_MOST: usize = 1_024;

/// Longest wait to hand a job over.
const HAND_OVER: Duration = Duration::from_secs(10);

/// A job as the thread sees it.
trait Job: Send {
    /// Does the work inside the transaction, perhaps for the second time; `false` asks for its rollback.
    fn run(&mut self, connection: &Connection) -> bool;
    /// Answers: with the outcome when `lost` is `None`, otherwise with the fault that took the whole group.
    fn reply(self: Box<Self>, lost: Option<&Fault>);
}

struct Task<F, T> {
    work: F,
    outcome: Result<T, Fault>,
    reply: oneshot::Sender<Result<T, Fault>>,
}

impl<F, T> Job for Task<F, T>
where
    F: Fn(&Connection) -> Result<T, Fault> + Send,
    T: Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        let work = AssertUnwindSafe(|| (self.work)(connection));
        self.outcome = catch_unwind(work).unwrap_or_else(|_| Err(panicked()));
        self.outcome.is_ok()
    }

    fn reply(self: Box<Self>, lost: Option<&Fault>) {
        let Task { outcome, reply, .. } = *self;
        // Nobody listening any more is no trouble: the work is done or undone all the same.
        let _ = reply.send(match lost {
            Some(fault) => outcome.and(Err(fault.clone())),
            None => outcome,
        });
    }
}

/// Handle of the thread; the thread ends, after the jobs it has, when the handle is dropped.
pub struct Writer {
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(connection: Connection) -> Result<Writer, Fault> {
        let (jobs, waiting) = mpsc::channel(WAITING_MOST);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || work_through(connection, waiting))
            .map_err(|error| Fault::ours(codes::INTERNAL, format!("the store's thread can't start: {error}")))?;
        Ok(Writer { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs `work` in a transaction and answers after the commit. It may be run twice; what counts is the last run.
    pub async fn write<T, F>(&self, work: F) -> Result<T, Fault>
    where
        F: Fn(&Connection) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Task { work, outcome: Err(stopped()), reply });
        let jobs = self.jobs.as_ref().ok_or_else(stopped)?;
        match tokio::time::timeout(HAND_OVER, jobs.send(job)).await {
            Ok(Ok(())) => answer.await.unwrap_or_else(|_| Err(stopped())),
            Ok(Err(_)) => Err(stopped()),
            Err(_) => Err(Fault::ours(codes::OVERLOADED, "the store has more to write than it can")),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn work_through(mut connection: Connection, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
    let mut group = Vec::with_capacity(GROUP_MOST);
    while waiting.blocking_recv_many(&mut group, GROUP_MOST) > 0 {
        let begun = Instant::now();
        let lost = commit(&mut connection, &mut group).err();
        metrics::histogram!(name::STORE_SECONDS).record(begun.elapsed());
        metrics::histogram!(name::STORE_GROUP).record(telemetry::whole(group.len() as u64));
        if let Some(fault) = &lost {
            tracing::error!(jobs = group.len(), codes = %Codes(&fault.issues), "a group of writes was lost");
        }
        for job in group.drain(..) {
            job.reply(lost.as_ref());
        }
    }
}

/// A transaction that is dropped is rolled back.
fn commit(connection: &mut Connection, group: &mut [Box<dyn Job>]) -> Result<(), Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if all_clean(&transaction, group) {
        return Ok(transaction.commit()?);
    }
    drop(transaction);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for job in group {
        run_apart(&transaction, job.as_mut())?;
    }
    Ok(transaction.commit()?)
}

/// Runs the jobs one after the other; `false` as soon as one leaves half its work behind.
fn all_clean(transaction: &Connection, group: &mut [Box<dyn Job>]) -> bool {
    group.iter_mut().all(|job| {
        let before = transaction.total_changes();
        job.run(transaction) || (transaction.total_changes() == before && !transaction.is_autocommit())
    })
}

fn run_apart(transaction: &Connection, job: &mut dyn Job) -> Result<(), Fault> {
    transaction.prepare_cached("SAVEPOINT job")?.execute([])?;
    if !job.run(transaction) {
        // A full disk or the like makes SQLite roll back everything: then nobody's work is there.
        if transaction.is_autocommit() {
            return Err(Fault::ours(codes::STORE, "the store could not write"));
        }
        transaction.prepare_cached("ROLLBACK TO job")?.execute([])?;
    }
    transaction.prepare_cached("RELEASE job")?.execute([])?;
    Ok(())
}

fn stopped() -> Fault {
    Fault::ours(codes::STORE, "the store has stopped")
}

fn panicked() -> Fault {
    Fault::ours(codes::INTERNAL, "a write panicked and was rolled back")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer() -> (tempfile::TempDir, Writer) {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join("t.sqlite")).unwrap();
        connection.execute_batch("CREATE TABLE t (n INTEGER NOT NULL UNIQUE) STRICT").unwrap();
        let writer = Writer::start(connection).unwrap();
        (folder, writer)
    }

    async fn insert(writer: &Writer, n: i64) -> Result<usize, Fault> {
        writer.write(move |c| Ok(c.execute("INSERT INTO t VALUES (?1)", [n])?)).await
    }

    async fn count(writer: &Writer) -> i64 {
        writer.write(|c| Ok(c.query_row("SELECT count(*) FROM t", [], |row| row.get(0))?)).await.unwrap()
    }

    #[tokio::test]
    async fn a_bad_job_does_not_spoil_its_neighbours() {
        let (_folder, writer) = writer();
        let jobs = (0..2 * GROUP_MOST as i64 + 1).map(|n| {
            let writer = &writer;
            async move {
                match n % 3 {
                    0 => insert(writer, n).await.is_ok(),
                    // Writes, and then fails: what it wrote must go.
                    1 => writer
                        .write(move |c| {
                            c.execute("INSERT INTO t VALUES (?1)", [n])?;
                            Err::<(), _>(Fault::ours(codes::STORE, "no"))
                        })
                        .await
                        .is_err(),
                    _ => writer
                        .write(move |c| -> Result<(), Fault> {
                            c.execute("INSERT INTO t VALUES (?1)", [n])?;
                            panic!("in a job")
                        })
                        .await
                        .is_err(),
                }
            }
        });
        assert!(futures_util::future::join_all(jobs).await.into_iter().all(|fine| fine));
        assert_eq!(count(&writer).await, (2 * GROUP_MOST as i64 + 1 + 2) / 3);
    }

    #[tokio::test]
    async fn when_sqlite_rolls_back_everything_everybody_hears_of_it() {
        let (_folder, writer) = writer();
        let spoil = writer.write(|c| {
            c.execute_batch("ROLLBACK")?;
            Err::<(), _>(Fault::ours(codes::STORE, "the disk is full"))
        });
        let (before, spoiled, after) = tokio::join!(insert(&writer, 1), spoil, insert(&writer, 2));
        assert!(before.is_err() && spoiled.is_err() && after.is_err());
        assert_eq!(count(&writer).await, 0);
        insert(&writer, 3).await.unwrap();
    }

    #[tokio::test]
    async fn jobs_that_were_handed_over_are_done_before_the_end() {
        let (folder, writer) = writer();
        let waiting: Vec<_> = (0..100).map(|n| insert(&writer, n)).collect();
        assert_eq!(futures_util::future::join_all(waiting).await.len(), 100);
        drop(writer);
        let connection = Connection::open(folder.path().join("t.sqlite")).unwrap();
        let rows: i64 = connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 100);
    }
}
