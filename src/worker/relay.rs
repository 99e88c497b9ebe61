//! The outbox, told to the queue. What was published and not sealed for too long is published again, so that a broker that
//! lost its messages loses nothing.

use crate::billing::id::{PayerId, SubmissionId};
use crate::fault::Fault;
use crate::flow::dispatch;
use crate::gateway::Gateway;
use crate::queue::{Message, SUBMISSIONS_MOST, Work};
use crate::store::OutboxLine;
use crate::telemetry::{self, Codes, name};
use crate::worker::{AFTER_FAULT, Shutdown, rest};
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

pub async fn run(gateway: Arc<Gateway>, mut shutdown: Shutdown) {
    let pause = Duration::from_millis(gateway.translator.config.worker.relay_ms);
    let mut counted = Counted::default();
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
async fn round(gateway: &Gateway, counted: &mut Counted) -> Result<usize, Fault> {
    let worker = &gateway.translator.config.worker;
    let stale = gateway.clock.now() - SignedDuration::from_millis(worker.republish_ms as i64);
    let lines = gateway.store.outbox(stale, worker.relay_batch).await?;
    let messages = messages(gateway, lines);
    let asked = messages.len();
    let published = gateway.queue.publish(messages).await;
    let confirmed = published.as_ref().map_or(0, Vec::len);
    metrics::counter!(name::QUEUE_PUBLISHED, "outcome" => "failed").increment((asked - confirmed) as u64);
    metrics::counter!(name::QUEUE_PUBLISHED, "outcome" => "confirmed").increment(confirmed as u64);
    let ids: Vec<SubmissionId> = published?.into_iter().flat_map(|message| submissions(message.work)).collect();
    let count = ids.len();
    if count > 0 {
        gateway.store.published(ids, gateway.clock.now()).await?;
    }
    if due(&mut counted.store, COUNT_EVERY) {
        look_around(gateway, stale).await?;
    }
    if gateway.queue.ready() && due(&mut counted.queues, COUNT_QUEUES_EVERY) {
        measure_queues(gateway).await;
    }
    Ok(count)
}

/// Messages for what is due: of one payer as many submissions in each as make a batch of it, so that a worker that takes
/// one message takes no more than it can send at once.
fn messages(gateway: &Gateway, lines: Vec<OutboxLine>) -> Vec<Message> {
    let mut of_payers: BTreeMap<PayerId, Vec<SubmissionId>> = BTreeMap::new();
    for line in lines {
        of_payers.entry(line.payer).or_default().push(line.submission);
    }
    let of_payer = |(payer, ids): (PayerId, Vec<SubmissionId>)| {
        let batch = gateway.translator.payers.get(payer.as_str()).map_or(1, |profile| profile.batch.claims as usize);
        let size = batch.clamp(1, SUBMISSIONS_MOST);
        let messages = ids.chunks(size).map(|ids| Work::Submissions(ids.to_vec()));
        messages.map(|work| Message { payer: payer.clone(), work }).collect::<Vec<_>>()
    };
    of_payers.into_iter().flat_map(of_payer).collect()
}

fn submissions(work: Work) -> Vec<SubmissionId> {
    match work {
        Work::Submissions(ids) => ids,
        Work::Interchange(_) => Vec::new(),
    }
}

/// Counting is cheap but not free; of the queues each is asked of the broker.
const COUNT_EVERY: Duration = Duration::from_secs(1);
const COUNT_QUEUES_EVERY: Duration = Duration::from_secs(15);

/// When the relay last counted.
#[derive(Default)]
struct Counted {
    store: Option<Instant>,
    queues: Option<Instant>,
}

fn due(last: &mut Option<Instant>, every: Duration) -> bool {
    let due = last.is_none_or(|last| last.elapsed() >= every);
    if due {
        *last = Some(Instant::now());
    }
    due
}

/// How much waits in each payer's queue, of those that can tell.
async fn measure_queues(gateway: &Gateway) {
    for profile in gateway.translator.payers.all() {
        if let Some(depth) = gateway.queue.depth(&profile.payer_id()).await {
            metrics::gauge!(name::QUEUE_DEPTH, "payer" => profile.id.clone()).set(telemetry::whole(depth));
        }
    }
}

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
