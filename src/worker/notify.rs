//! Changes given out to those who want to hear of them, and everybody told at their own pace: one notification of a subscriber
//! at a time, so that order holds, and many subscribers at once.

use crate::flow::notify;
use crate::gateway::Gateway;
use crate::store::notices::{Subscriber, SubscriberKind, SubscriberState};
use crate::telemetry::{self, Codes, name};
use crate::worker::{AFTER_FAULT, Shutdown, rest};
use jiff::SignedDuration;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(100);
/// How much longer than one notification may take a subscriber is kept from other workers.
const MARGIN: SignedDuration = SignedDuration::from_secs(5);
/// Pause between two counts.
const COUNT_EVERY: Duration = Duration::from_secs(2);

/// A subscriber, by tenant and id.
type Name = (String, String);

pub async fn run(gateway: Arc<Gateway>, mut shutdown: Shutdown) {
    let mut busy: HashSet<Name> = HashSet::new();
    let mut deliveries: JoinSet<Name> = JoinSet::new();
    let mut counted: Option<Instant> = None;
    while !*shutdown.borrow() {
        let looked = match notify::fan_out(&gateway).await {
            Ok(changes) => begin(&gateway, &mut busy, &mut deliveries).await.map(|()| changes),
            Err(fault) => Err(fault),
        };
        let pause = match looked {
            Ok(notify::CHANGES_MOST) => Duration::ZERO,
            Ok(_) => PAUSE,
            Err(fault) => {
                tracing::warn!(codes = %Codes(&fault.issues), "notifications could not be looked after");
                AFTER_FAULT
            }
        };
        if counted.is_none_or(|at| at.elapsed() >= COUNT_EVERY) {
            counted = Some(Instant::now());
            count(&gateway).await;
        }
        tokio::select! {
            _ = rest(&mut shutdown, pause) => {}
            Some(ended) = deliveries.join_next() => finish(&mut busy, ended),
        }
        while let Some(ended) = deliveries.try_join_next() {
            finish(&mut busy, ended);
        }
    }
    // What is on its way may arrive; what does not is told again after the next start.
    let patience = Duration::from_millis(gateway.translator.config.limits.shutdown_ms);
    let _ = tokio::time::timeout(patience, async { while deliveries.join_next().await.is_some() {} }).await;
}

/// Begins what is due, as much as may be under way at once.
async fn begin(
    gateway: &Arc<Gateway>,
    busy: &mut HashSet<Name>,
    deliveries: &mut JoinSet<Name>,
) -> Result<(), crate::fault::Fault> {
    let most = gateway.translator.config.notify.concurrency;
    if busy.len() >= most {
        return Ok(());
    }
    let now = gateway.clock.now();
    let longest = i64::try_from(gateway.translator.config.notify.timeout_ms).unwrap_or(i64::MAX);
    let until = now.saturating_add(SignedDuration::from_millis(longest)).map_or(now, |end| end + MARGIN);
    for subscriber in gateway.store.take_subscribers(now, until, most - busy.len()).await? {
        let name = (subscriber.tenant.clone(), subscriber.id.clone());
        match busy.insert(name.clone()) {
            true => drop(deliveries.spawn(deliver(gateway.clone(), subscriber, name))),
            // Its last delivery is just ending.
            false => gateway.store.let_go(&subscriber).await?,
        }
    }
    Ok(())
}

async fn deliver(gateway: Arc<Gateway>, subscriber: Subscriber, name: Name) -> Name {
    let id = subscriber.id.clone();
    let (lent, told) = (gateway.clone(), subscriber.clone());
    let attending = tokio::spawn(async move { notify::attend(&lent, &told).await });
    match attending.await {
        Ok(Ok(())) => return name,
        Ok(Err(fault)) => {
            tracing::warn!(subscriber = id, codes = %Codes(&fault.issues), "a subscriber could not be looked after");
        }
        Err(_) => tracing::error!(subscriber = id, "telling a subscriber ended by a fault of ours"),
    }
    tokio::time::sleep(AFTER_FAULT).await;
    // A store that fails here too gives it back in time.
    let _ = gateway.store.let_go(&subscriber).await;
    name
}

fn finish(busy: &mut HashSet<Name>, ended: Result<Name, tokio::task::JoinError>) {
    match ended {
        Ok(name) => drop(busy.remove(&name)),
        // Whose it was is not known any more: at worst one of them is told twice.
        Err(_) => busy.clear(),
    }
}

/// Subscribers by state, and what waits for them.
async fn count(gateway: &Gateway) {
    let Ok(subscribers) = gateway.store.subscribers().await else { return };
    let states = [SubscriberState::Requested, SubscriberState::Active, SubscriberState::Error, SubscriberState::Off];
    for kind in [SubscriberKind::Subscription, SubscriberKind::Webhook] {
        let mut by_state: BTreeMap<&str, u64> = states.iter().map(|state| (state.word(), 0)).collect();
        let mut waiting = 0;
        for subscriber in subscribers.iter().filter(|subscriber| subscriber.kind == kind) {
            *by_state.entry(subscriber.state.word()).or_default() += 1;
            waiting += subscriber.events.saturating_sub(subscriber.delivered);
        }
        for (state, count) in by_state {
            metrics::gauge!(name::SUBSCRIBERS, "kind" => kind.word(), "state" => state).set(telemetry::whole(count));
        }
        metrics::gauge!(name::NOTICES_DUE, "kind" => kind.word()).set(telemetry::whole(waiting));
    }
}
