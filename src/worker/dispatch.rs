//! One payer's messages: gathered into batches as its profile says, sealed, sent, and settled with the queue.

use crate::billing::id::{InterchangeId, PayerId, SubmissionId};
use crate::fault::Fault;
use crate::flow::dispatch::{self, Dispatched};
use crate::gateway::Gateway;
use crate::queue::{AHEAD, Delivery, Work};
use crate::telemetry::{Codes, name};
use crate::worker::{AFTER_FAULT, Shutdown, rest};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long one wait for a message lasts, so that a shutdown is heard.
const LISTEN: Duration = Duration::from_millis(250);

pub async fn run(gateway: Arc<Gateway>, payer: PayerId, mut shutdown: Shutdown) {
    // A message that would have made a batch too large begins the next; dropped, it goes back.
    let mut left_over = None;
    while !*shutdown.borrow() {
        let batch = gather(&gateway, &payer, &mut left_over, &shutdown).await;
        let outcome = match batch {
            Ok(batch) if batch.is_empty() => continue,
            Ok(batch) if *shutdown.borrow() => give_back(batch).await,
            Ok(batch) => work(&gateway, &payer, batch).await,
            Err(fault) => Err(fault),
        };
        if let Err(fault) = outcome {
            tracing::warn!(payer = payer.as_str(), codes = %Codes(&fault.issues), "dispatch could not work");
            if rest(&mut shutdown, AFTER_FAULT).await {
                return;
            }
        }
    }
}

/// Messages for one batch: until as much is due as the batch may hold, or the first has waited as long as the profile
/// allows. No more are held than the queue hands out ahead: the batch itself is filled from the store.
async fn gather(
    gateway: &Gateway,
    payer: &PayerId,
    left_over: &mut Option<Delivery>,
    shutdown: &Shutdown,
) -> Result<Vec<Delivery>, Fault> {
    let first = match left_over.take() {
        Some(delivery) => Some(delivery),
        None => gateway.queue.next(payer, LISTEN).await?,
    };
    let Some(first) = first else { return Ok(Vec::new()) };
    if dispatch::is_done(gateway, &first.message.work).await? {
        first.done().await?;
        return Ok(Vec::new());
    }
    let (most, wait) = size(gateway, payer);
    let until = Instant::now() + wait;
    let mut batch = vec![first];
    while claims(&batch) < most && !*shutdown.borrow() {
        let left = until.saturating_duration_since(Instant::now()).min(LISTEN);
        match gateway.queue.next(payer, left).await? {
            Some(delivery) if claims(&batch) + claims(std::slice::from_ref(&delivery)) > most => {
                *left_over = Some(delivery);
                break;
            }
            Some(delivery) => batch.push(delivery),
            None if Instant::now() >= until => break,
            None if most > usize::from(AHEAD) && gateway.store.due(payer, most).await?.len() >= most => break,
            None => {}
        }
    }
    Ok(batch)
}

/// How many claims the messages ask for.
fn claims(batch: &[Delivery]) -> usize {
    let of = |delivery: &Delivery| match &delivery.message.work {
        Work::Submissions(ids) => ids.len(),
        Work::Interchange(_) => 1,
    };
    batch.iter().map(of).sum()
}

/// The claims of a payer's batch, and how long the first may wait for the others.
fn size(gateway: &Gateway, payer: &PayerId) -> (usize, Duration) {
    let longest = Duration::from_millis(gateway.translator.config.worker.batch_wait_ms_max);
    match gateway.translator.payers.get(payer.as_str()).map(|profile| profile.batch) {
        Some(batch) => (batch.claims as usize, batch.wait.min(longest)),
        None => (1, Duration::ZERO),
    }
}

async fn give_back(batch: Vec<Delivery>) -> Result<(), Fault> {
    for delivery in batch {
        delivery.back().await?;
    }
    Ok(())
}

/// Seals and sends; the messages are settled when what they ask for is on record. A fault leaves them unsettled: they come
/// back, and sealing knows what it has sealed.
async fn work(gateway: &Gateway, payer: &PayerId, batch: Vec<Delivery>) -> Result<(), Fault> {
    let (asked, mut interchanges) = asked(&batch);
    let submissions = filled(gateway, payer, asked).await?;
    let (most, _) = size(gateway, payer);
    for some in submissions.chunks(most.max(1)) {
        match dispatch::seal(gateway, payer, some).await {
            Ok(sealed) => interchanges.extend(sealed),
            Err(fault) => {
                give_back(batch).await?;
                return Err(fault);
            }
        }
    }
    for id in interchanges {
        send(gateway, payer, id).await?;
    }
    done(batch).await
}

/// Settles all, also when one of them can't be: what came over a connection that is gone comes again by itself.
async fn done(batch: Vec<Delivery>) -> Result<(), Fault> {
    let mut outcome = Ok(());
    for delivery in batch {
        outcome = outcome.and(delivery.done().await);
    }
    outcome
}

/// What the messages ask for, and what else of the payer is due, up to a full batch: its messages, when they come, will find
/// their work done. Nothing asked for means nothing but interchanges to send again.
async fn filled(gateway: &Gateway, payer: &PayerId, asked: Vec<SubmissionId>) -> Result<Vec<SubmissionId>, Fault> {
    if asked.is_empty() {
        return Ok(asked);
    }
    let (most, _) = size(gateway, payer);
    let asked = dispatch::still_due(gateway, &asked).await?;
    if asked.len() >= most {
        return Ok(asked);
    }
    let known: HashSet<&SubmissionId> = asked.iter().collect();
    let mut due = gateway.store.due(payer, most).await?;
    due.retain(|id| !known.contains(id));
    due.truncate(most - asked.len());
    Ok([asked, due].concat())
}

fn asked(batch: &[Delivery]) -> (Vec<SubmissionId>, Vec<InterchangeId>) {
    let (mut submissions, mut interchanges) = (Vec::new(), Vec::new());
    for delivery in batch {
        match &delivery.message.work {
            Work::Submissions(ids) => submissions.extend(ids.iter().cloned()),
            Work::Interchange(id) => interchanges.push(id.clone()),
        }
    }
    (submissions, interchanges)
}

/// One interchange, and what its outcome asks of the queue.
async fn send(gateway: &Gateway, payer: &PayerId, id: InterchangeId) -> Result<(), Fault> {
    match dispatch::send(gateway, &id).await? {
        Dispatched::Sent => Ok(()),
        Dispatched::Later(delay) => gateway.queue.publish_after(dispatch::message(payer, id), delay).await,
        Dispatched::GivenUp(reason) => {
            tracing::error!(payer = payer.as_str(), interchange = id.as_str(), %reason, "given up");
            metrics::counter!(name::DEAD_LETTERS, "payer" => payer.as_str().to_owned()).increment(1);
            gateway.queue.bury(dispatch::message(payer, id), &reason).await
        }
    }
}
