//! The outbox, told to the queue. What was published and not sealed for too long is published again, so that a broker that
//! lost its messages loses nothing.

use crate::fault::Fault;
use crate::flow::dispatch;
use crate::gateway::Gateway;
use crate::queue::{Message, Work};
use crate::telemetry::{self, Codes, name};
use crate::worker::{AFTER_FAULT, Shutdown, rest};
use jiff::SignedDuration;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

pub async fn run(gateway: Arc<Gateway>, mut shutdown: Shutdown) {
    let pause = Duration::from_millis(gateway.translator.config.worker.relay_ms);
    let mut counted: Option<Instant> = None;
    loop {
        let pause = match round(&gateway, &mut counted).await {
            Ok(0) => pause,
            Ok(_) => Duration::ZERO,
            Err(fault) => {
                tracing::warn!(codes = %Codes(&fault.issues), "the relay could not work");
                AFTER_FAULT
            }
        };
        if rest(&mut shutdown, pause).await {
            return;
        }
    }
}

/// One look at the outbox; answers how many lines were published.
async fn round(gateway: &Gateway, counted: &mut Option<Instant>) -> Result<usize, Fault> {
    let worker = &gateway.translator.config.worker;
    let stale = gateway.clock.now() - SignedDuration::from_millis(worker.republish_ms as i64);
    let lines = gateway.store.outbox(stale, worker.relay_batch).await?;
    let messages = lines.into_iter().map(|line| Message { payer: line.payer, work: Work::Submission(line.submission) });
    let published = gateway.queue.publish(messages.collect()).await?;
    let count = published.len();
    if count > 0 {
        metrics::counter!(name::QUEUE_PUBLISHED, "outcome" => "confirmed").increment(count as u64);
        let ids = published.into_iter().filter_map(|message| match message.work {
            Work::Submission(id) => Some(id),
            Work::Interchange(_) => None,
        });
        gateway.store.published(ids.collect(), gateway.clock.now()).await?;
    }
    if counted.is_none_or(|last| last.elapsed() >= COUNT_EVERY) {
        *counted = Some(Instant::now());
        look_around(gateway, stale).await?;
    }
    Ok(count)
}

/// Counting is cheap but not free.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// Figures for the front door, and interchanges whose messages were lost on the way.
async fn look_around(gateway: &Gateway, stale: jiff::Timestamp) -> Result<(), Fault> {
    let figures = gateway.store.figures().await?;
    gateway.waiting.store(figures.outbox, Ordering::Relaxed);
    telemetry::figures(&figures.submissions_by_state, figures.outbox, figures.unmatched);
    metrics::gauge!(name::QUEUE_CONNECTED).set(u8::from(gateway.queue.ready()));
    telemetry::metrics().tidy();
    for id in gateway.store.unsent(stale, gateway.translator.config.worker.relay_batch).await? {
        if let Some(interchange) = gateway.store.interchange(&id).await? {
            gateway.queue.publish(vec![dispatch::message(&interchange.payer, id)]).await?;
        }
    }
    Ok(())
}
