//! The back door: it works at its own pace through what was accepted, and ends when told, with what it holds finished or
//! given back.
//!
//! * [`relay`] tells the queue of what waits in the outbox.
//! * [`dispatch`] takes a payer's messages, seals them in batches and sends them.
//! * [`collect`] brings home what payers answer.
//! * [`deadlines`] notices answers that don't come.
//! * [`reload`] takes up edited mappings.
//! * [`notify`] tells subscribers and webhooks what has changed.
//! * [`resume`] lets go on what was held, when what it waited for has come.

use crate::gateway::Gateway;
use crate::payers::PayerProfile;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub mod collect;
pub mod deadlines;
pub mod dispatch;
pub mod notify;
pub mod relay;
pub mod reload;
pub mod resume;

/// Told once, heard by all: true means end.
pub type Shutdown = watch::Receiver<bool>;

/// Runs until shutdown. Each task outlives its own faults: it says so, waits and goes on.
pub async fn run(gateway: Arc<Gateway>, shutdown: Shutdown) {
    let mut tasks = JoinSet::new();
    tasks.spawn(relay::run(gateway.clone(), shutdown.clone()));
    tasks.spawn(reload::run(gateway.clone(), shutdown.clone()));
    tasks.spawn(resume::run(gateway.clone(), shutdown.clone()));
    tasks.spawn(notify::run(gateway.clone(), shutdown.clone()));
    tasks.spawn(deadlines::run(gateway.clone(), shutdown.clone()));
    let mut known = BTreeSet::new();
    loop {
        for payer in gateway.translator.payers.all().map(PayerProfile::payer_id) {
            // A payer that was added while we run gets its tasks too.
            if known.insert(payer.clone()) {
                tasks.spawn(dispatch::run(gateway.clone(), payer.clone(), shutdown.clone()));
                tasks.spawn(collect::run(gateway.clone(), payer, shutdown.clone()));
            }
        }
        tokio::select! {
            ended = tasks.join_next() => match ended {
                None => return,
                Some(Err(_)) if !*shutdown.borrow() => {
                    tracing::error!("a worker task ended by a fault of ours; the others go on");
                }
                Some(_) => {}
            },
            () = tokio::time::sleep(NEW_PAYERS) => {}
        }
    }
}

/// Pause between two looks for payers that are new.
const NEW_PAYERS: Duration = Duration::from_secs(1);

/// Sleeps, or wakes at shutdown; true when it is time to end.
pub async fn rest(shutdown: &mut Shutdown, pause: Duration) -> bool {
    if *shutdown.borrow() {
        return true;
    }
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        _ = shutdown.changed() => {}
    }
    *shutdown.borrow()
}

/// The pause after a fault of the store or the queue.
pub const AFTER_FAULT: Duration = Duration::from_millis(500);
