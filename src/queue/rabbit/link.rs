//! One connection to the broker, and the supervisor that throws it away and makes a new one when anything is wrong with
//! it. (lapin can recover a connection by itself; in trials it hung in some of them, with confirms outstanding.)

use super::topology;
use crate::billing::id::PayerId;
use crate::fault::Fault;
use crate::queue::unavailable;
use crate::retry::RetryPolicy;
use crate::telemetry::name;
use lapin::options::ConfirmSelectOptions;
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Longest wait for any single answer of the broker.
pub const ANSWER: Duration = Duration::from_secs(10);

/// How often the connection's own state is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Heartbeat, in seconds, unless the URL says otherwise: a broker that vanished is missed after twice this.
const HEARTBEAT: u16 = 15;

/// Pace of new connections: for ever, soon at first.
fn pace() -> RetryPolicy {
    RetryPolicy { attempts: u32::MAX, first: Duration::from_millis(200), cap: Duration::from_secs(5) }
}

pub struct Link {
    connection: Connection,
    /// The channel with publisher confirms.
    pub publisher: Channel,
    /// Tells this link from the ones before and after.
    pub number: u64,
    declared: Mutex<HashSet<PayerId>>,
    failed: AtomicBool,
    failing: Notify,
}

/// Waits for an answer of the broker, but not for ever. The cause goes to the log; the caller hears less.
pub async fn answer<T>(what: &str, asked: impl Future<Output = lapin::Result<T>>) -> Result<T, Fault> {
    match tokio::time::timeout(ANSWER, asked).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            tracing::warn!(step = what, %error, "the broker refused or is gone");
            Err(unavailable("the broker refused or is gone"))
        }
        Err(_) => {
            tracing::warn!(step = what, "the broker does not answer");
            Err(unavailable("the broker does not answer"))
        }
    }
}

impl Link {
    async fn open(uri: &AMQPUri) -> Result<Link, Fault> {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let properties = ConnectionProperties::default().with_connection_name("claimgate".into());
        let connection = answer("connect", Connection::connect_uri(uri.clone(), properties)).await?;
        let publisher = answer("open channel", connection.create_channel()).await?;
        answer("ask for confirms", publisher.confirm_select(ConfirmSelectOptions::default())).await?;
        answer("declare", topology::declare_shared(&publisher)).await?;
        Ok(Link {
            connection,
            publisher,
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            declared: Mutex::default(),
            failed: AtomicBool::new(false),
            failing: Notify::new(),
        })
    }

    /// Whether it can be used, as far as one knows. A broker that is short of memory or disk blocks who publishes.
    pub fn usable(&self) -> bool {
        let status = self.connection.status();
        !self.failed.load(Ordering::Acquire) && status.connected() && !status.blocked()
    }

    /// Something went wrong on it: the supervisor makes a new one.
    pub fn fail(&self) {
        self.failed.store(true, Ordering::Release);
        self.failing.notify_one();
    }

    async fn broken(&self) {
        while !self.failed.load(Ordering::Acquire)
            && self.connection.status().connected()
            && self.publisher.status().connected()
        {
            let _ = tokio::time::timeout(LOOK, self.failing.notified()).await;
        }
    }

    pub async fn close(&self) {
        let _ = tokio::time::timeout(ANSWER, self.connection.close(200, "OK".into())).await;
    }

    pub async fn channel(&self) -> Result<Channel, Fault> {
        answer("open channel", self.connection.create_channel()).await
    }

    /// Makes sure that a payer's queue is there: once a link, on a channel of its own, because a refusal closes it.
    pub async fn declare(&self, payer: &PayerId) -> Result<(), Fault> {
        if self.lock().contains(payer) {
            return Ok(());
        }
        self.depth(payer).await?;
        self.lock().insert(payer.clone());
        Ok(())
    }

    /// The payer's queue is not there any more.
    pub fn forget(&self, payer: &PayerId) {
        self.lock().remove(payer);
    }

    pub async fn depth(&self, payer: &PayerId) -> Result<u32, Fault> {
        let channel = self.channel().await?;
        answer("declare a payer's queue", topology::declare_payer(&channel, payer)).await
    }

    pub async fn dead(&self) -> Result<u32, Fault> {
        let channel = self.channel().await?;
        answer("count dead letters", topology::count_dead(&channel)).await
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<PayerId>> {
        self.declared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The present link, or `None` while there is none.
pub type Links = watch::Receiver<Option<Arc<Link>>>;

/// Reads the broker's URL.
pub fn uri(url: &str) -> Result<AMQPUri, String> {
    let mut uri: AMQPUri = url.parse()?;
    uri.query.heartbeat.get_or_insert(HEARTBEAT);
    Ok(uri)
}

/// Keeps a link up, for ever.
pub async fn supervise(uri: AMQPUri, links: watch::Sender<Option<Arc<Link>>>) {
    let mut failures: u32 = 0;
    loop {
        match Link::open(&uri).await {
            Ok(link) => {
                tracing::info!(attempts = failures, "connected to the broker");
                // The first connection counts as well: the series is there from the start.
                metrics::counter!(name::QUEUE_RECONNECTS).increment(u64::from(link.number > 1));
                failures = 0;
                let link = Arc::new(link);
                links.send_replace(Some(link.clone()));
                link.broken().await;
                links.send_replace(None);
                tracing::warn!("the connection to the broker is thrown away");
                // Not waited for: a broker that does not answer would hold up the next connection.
                tokio::spawn(async move { link.close().await });
            }
            Err(_) => failures = failures.saturating_add(1),
        }
        tokio::time::sleep(pace().delay(failures.max(1)).unwrap_or(LOOK)).await;
    }
}
