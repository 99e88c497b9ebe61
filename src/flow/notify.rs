//! Those who want to hear of changes are told: each change becomes an event of every subscriber whom it concerns, numbered, and
//! is posted in the order of the numbers until the endpoint has taken it. What is known stands in the store, so a process that
//! is killed tells the last notification again and leaves none out.

use crate::fault::{Fault, codes};
use crate::fhir::index;
use crate::fhir::notification::{self, About, Happened, Reason};
use crate::fhir::subscription::{self, Content, Filter, Wanted};
use crate::fhir::topics::Topic;
use crate::flow::subscribe::{self, Settings};
use crate::flow::{lookup, submit, webhook};
use crate::gateway::Gateway;
use crate::retry::RetryPolicy;
use crate::store::notices::{Change, Notice, Progress, Subscriber, SubscriberKind, SubscriberState};
use crate::telemetry::name;
use crate::transport::SendError;
use crate::transport::notifier::Notification;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Changes given out at once.
pub const CHANGES_MOST: usize = 500;
/// How notifications are written.
const MEDIA_TYPE: &str = "application/fhir+json";

/// Whom a change concerns.
struct Listener {
    subscriber: Subscriber,
    topics: Vec<Topic>,
    filters: Vec<Filter>,
    /// Events that wait for it.
    waiting: u64,
}

/// Gives waiting changes to those whom they concern; answers how many changes there were.
pub async fn fan_out(gateway: &Gateway) -> Result<usize, Fault> {
    let changes = gateway.store.changes(CHANGES_MOST).await?;
    if changes.is_empty() {
        return Ok(0);
    }
    let mut listeners = listeners(gateway).await?;
    let count = changes.len();
    let mut given = Vec::with_capacity(count);
    for change in changes {
        let concerned = concerned(gateway, &mut listeners, &change).await?;
        given.push((change, concerned));
    }
    gateway.store.fan_out(given, gateway.translator.config.notify.kept, gateway.clock.now()).await?;
    Ok(count)
}

async fn listeners(gateway: &Gateway) -> Result<Vec<Listener>, Fault> {
    let mut listeners = Vec::new();
    for subscriber in gateway.store.subscribers().await? {
        if subscriber.state == SubscriberState::Off {
            continue;
        }
        let waiting = subscriber.events.saturating_sub(subscriber.delivered);
        if waiting >= gateway.translator.config.notify.waiting {
            give_up(gateway, &subscriber).await?;
            continue;
        }
        let (topics, filters) = match subscriber.kind {
            SubscriberKind::Webhook => (webhook::topics(gateway, &subscriber), Vec::new()),
            SubscriberKind::Subscription => {
                match Settings::of(&subscriber).and_then(|settings| settings.wanted(gateway)) {
                    Ok(wanted) => (vec![wanted.topic], wanted.filters),
                    // The topic is not offered any more: attending to it says so.
                    Err(_) => continue,
                }
            }
        };
        listeners.push(Listener { subscriber, topics, filters, waiting });
    }
    Ok(listeners)
}

async fn concerned(gateway: &Gateway, listeners: &mut [Listener], change: &Change) -> Result<Vec<String>, Fault> {
    let most = gateway.translator.config.notify.waiting;
    let version = gateway.store.version(&change.tenant, &change.kind, &change.id, change.version).await?;
    let resource: Value = version.and_then(|found| serde_json::from_str(&found.body).ok()).unwrap_or(Value::Null);
    let mut entries = index::index(&resource);
    let asked = |name: &str| listeners.iter().any(|each| each.filters.iter().any(|(filter, _)| filter == name));
    let topics = gateway.topics.all().filter(|topic| topic.resource == change.kind);
    for (name, element) in topics.flat_map(|topic| &topic.through).filter(|(name, _)| asked(name)) {
        let found = identifiers(gateway, &change.tenant, &resource[element]).await?;
        entries.extend(found.into_iter().map(|value| (name.clone(), value)));
    }
    let mut concerned = Vec::new();
    for listener in listeners.iter_mut() {
        let about =
            |topic: &Topic| subscription::concerns(topic, &listener.filters, &change.kind, change.version, &entries);
        let meant = listener.subscriber.tenant == change.tenant && listener.topics.iter().any(about);
        if meant && listener.waiting < most {
            listener.waiting += 1;
            concerned.push(listener.subscriber.id.clone());
        }
    }
    Ok(concerned)
}

/// Identifiers of what a reference leads to, and of the organization that it belongs to.
async fn identifiers(gateway: &Gateway, tenant: &str, reference: &Value) -> Result<Vec<String>, Fault> {
    let values = |resource: &Value| -> Vec<String> {
        let all = resource["identifier"].as_array().into_iter().flatten();
        all.filter_map(|identifier| identifier["value"].as_str().map(str::to_owned)).collect()
    };
    let mut found: Vec<String> = reference["identifier"]["value"].as_str().map(str::to_owned).into_iter().collect();
    let mut next = reference["reference"].as_str().map(str::to_owned);
    for _ in 0..2 {
        let Some(at) = next.take() else { break };
        let Some(resource) = lookup::read_reference(gateway, tenant, &at).await? else { break };
        found.extend(values(&resource));
        next = resource["organization"]["reference"].as_str().map(str::to_owned);
    }
    Ok(found)
}

/// Too much waits for a subscriber that takes nothing.
async fn give_up(gateway: &Gateway, subscriber: &Subscriber) -> Result<(), Fault> {
    let kind = subscriber.kind.word();
    metrics::counter!(name::NOTIFICATIONS, "kind" => kind, "outcome" => "given up").increment(1);
    tracing::error!(subscriber = subscriber.id.as_str(), kind, "a subscriber is given up: too much waits for it");
    let error = Some("too many events wait to be taken".to_owned());
    let outcome =
        Outcome { state: SubscriberState::Off, delivered: subscriber.delivered, failures: 0, error, due: None };
    record(gateway, subscriber, outcome).await
}

/// Does what is due for a subscriber: a handshake, the next notification, a heartbeat, its end.
pub async fn attend(gateway: &Gateway, subscriber: &Subscriber) -> Result<(), Fault> {
    match subscriber.kind {
        SubscriberKind::Subscription => attend_subscription(gateway, subscriber).await,
        SubscriberKind::Webhook => webhook::attend(gateway, subscriber).await,
    }
}

async fn attend_subscription(gateway: &Gateway, subscriber: &Subscriber) -> Result<(), Fault> {
    let settings = Settings::of(subscriber)?;
    let wanted = match settings.wanted(gateway) {
        Ok(wanted) => wanted,
        Err(fault) => {
            let text = fault.issues.first().map(|issue| issue.text.clone());
            let outcome = Outcome::stopped(subscriber, SubscriberState::Error, text);
            return record(gateway, subscriber, outcome).await;
        }
    };
    if wanted.end.is_some_and(|end| end <= gateway.clock.now()) {
        return record(gateway, subscriber, Outcome::stopped(subscriber, SubscriberState::Off, None)).await;
    }
    let told = match subscriber.state {
        SubscriberState::Requested => tell(gateway, subscriber, &settings, &wanted, Reason::Handshake, &[]).await,
        SubscriberState::Active if subscriber.events > subscriber.delivered => {
            let events = next_events(gateway, subscriber, &wanted).await?;
            let told = match events.is_empty() {
                true => Ok(()),
                false => tell(gateway, subscriber, &settings, &wanted, Reason::Event, &events).await,
            };
            let last = events.last().map_or(subscriber.events, |event| event.number);
            return settle(gateway, subscriber, &wanted, told.map(|()| last)).await;
        }
        SubscriberState::Active if wanted.heartbeat.is_some() => {
            tell(gateway, subscriber, &settings, &wanted, Reason::Heartbeat, &[]).await
        }
        SubscriberState::Active => Ok(()),
        SubscriberState::Error | SubscriberState::Off => {
            let mut outcome = Outcome::stopped(subscriber, subscriber.state, subscriber.error.clone());
            outcome.due = wanted.end.filter(|_| subscriber.state == SubscriberState::Error);
            return record(gateway, subscriber, outcome).await;
        }
    };
    settle(gateway, subscriber, &wanted, told.map(|()| subscriber.delivered)).await
}

/// The events of the next notification: as many as were asked for and fit.
async fn next_events(gateway: &Gateway, subscriber: &Subscriber, wanted: &Wanted) -> Result<Vec<Happened>, Fault> {
    let notify = &gateway.translator.config.notify;
    let count = wanted.max_count.unwrap_or(notify.events).clamp(1, notify.events);
    let notices = gateway.store.notices(subscriber, subscriber.delivered + 1, subscriber.events, count).await?;
    let base = Settings::of(subscriber)?.base;
    let (whose, shape) = ((subscriber.tenant.as_str(), base.as_str()), wanted.topic.shape);
    let mut events = subscribe::happened(gateway, whose, &notices, wanted.content, shape).await?;
    let mut bytes = 0;
    let fits = |event: &Happened| {
        bytes += event.resource.as_ref().map_or(0, |resource| resource.to_string().len());
        bytes <= notify.body_bytes
    };
    // One always goes, whatever its size.
    let fitting = events.iter().map(fits).take_while(|fits| *fits).count().max(1);
    events.truncate(fitting);
    Ok(events)
}

async fn tell(
    gateway: &Gateway,
    subscriber: &Subscriber,
    settings: &Settings,
    wanted: &Wanted,
    reason: Reason,
    events: &[Happened],
) -> Result<(), SendError> {
    let last = events.last().map_or(subscriber.events, |event| event.number);
    let about = About { events: last, error: None, ..subscribe::about(subscriber, settings) };
    let content = if reason == Reason::Event { wanted.content } else { Content::Empty };
    let id = uuid::Uuid::now_v7().to_string();
    let body = notification::bundle(about, reason, content, events, &id, gateway.clock.now());
    let longest = Duration::from_millis(gateway.translator.config.notify.timeout_ms);
    let asked = wanted.timeout.map_or(longest, |seconds| Duration::from_secs(u64::from(seconds)));
    let notification = Notification {
        endpoint: &wanted.endpoint,
        media_type: MEDIA_TYPE,
        headers: &wanted.headers,
        body: body.to_string().into_bytes(),
        time: asked.min(longest),
    };
    post(gateway, subscriber.kind, notification).await
}

/// Posts one notification, and counts it.
pub async fn post(gateway: &Gateway, kind: SubscriberKind, notification: Notification<'_>) -> Result<(), SendError> {
    let begun = Instant::now();
    let done = match gateway.notifier() {
        Some(notifier) => notifier.post(notification).await.map(drop),
        None => Err(SendError::Retry("this machine can't send notifications".into())),
    };
    let (kind, outcome) = (kind.word(), if done.is_ok() { "delivered" } else { "failed" });
    metrics::histogram!(name::NOTIFICATION_SECONDS, "kind" => kind).record(begun.elapsed());
    metrics::counter!(name::NOTIFICATIONS, "kind" => kind, "outcome" => outcome).increment(1);
    done
}

/// What becomes of a subscriber.
pub struct Outcome {
    pub state: SubscriberState,
    pub delivered: u64,
    pub failures: u32,
    pub error: Option<String>,
    pub due: Option<Timestamp>,
}

impl Outcome {
    /// Nothing is done for it any more, until it asks anew.
    fn stopped(subscriber: &Subscriber, state: SubscriberState, error: Option<String>) -> Outcome {
        Outcome { state, delivered: subscriber.delivered, failures: subscriber.failures, error, due: None }
    }
}

/// What an attempt makes of a subscription: the number of the last event that was taken, or why none was.
async fn settle(
    gateway: &Gateway,
    subscriber: &Subscriber,
    wanted: &Wanted,
    told: Result<u64, SendError>,
) -> Result<(), Fault> {
    let now = gateway.clock.now();
    let outcome = match told {
        Ok(delivered) => {
            let beat = wanted.heartbeat.map(|seconds| now + SignedDuration::from_secs(i64::from(seconds)));
            Outcome { state: SubscriberState::Active, delivered, failures: 0, error: None, due: beat }
        }
        Err(error) => {
            let failures = subscriber.failures.saturating_add(1);
            let again = again(gateway, subscriber, failures, &error);
            let state = if again.is_some() { SubscriberState::Active } else { SubscriberState::Error };
            let error = Some(error.reason().to_owned());
            Outcome {
                state,
                delivered: subscriber.delivered,
                failures,
                error,
                due: again.map(|delay| later(now, delay)),
            }
        }
    };
    let due = [outcome.due, wanted.end].into_iter().flatten().min();
    record(gateway, subscriber, Outcome { due, ..outcome }).await
}

/// The pause before the next attempt; none when that was the last.
fn again(gateway: &Gateway, subscriber: &Subscriber, failures: u32, error: &SendError) -> Option<Duration> {
    if subscriber.state == SubscriberState::Requested || matches!(error, SendError::Never(_)) {
        return None;
    }
    let delay = policy(gateway).delay(failures)?;
    Some(match error {
        SendError::RetryAfter(asked, _) => delay.max(*asked),
        _ => delay,
    })
}

/// The pace of attempts.
pub fn policy(gateway: &Gateway) -> RetryPolicy {
    let notify = &gateway.translator.config.notify;
    let (first, cap) = (Duration::from_millis(notify.retry_ms), Duration::from_millis(notify.retry_ms_max));
    RetryPolicy { attempts: notify.attempts, first, cap }
}

pub fn later(now: Timestamp, delay: Duration) -> Timestamp {
    SignedDuration::try_from(delay).ok().and_then(|delay| now.checked_add(delay).ok()).unwrap_or(Timestamp::MAX)
}

/// Writes an outcome; when the status changes, the Subscription gets its next version.
pub async fn record(gateway: &Gateway, subscriber: &Subscriber, outcome: Outcome) -> Result<(), Fault> {
    let changed = outcome.state != subscriber.state;
    if changed {
        let (state, subscriber) = (outcome.state.word(), subscriber.id.as_str());
        tracing::info!(subscriber, state, "a subscriber changed its state");
    }
    let resource = match subscriber.kind {
        SubscriberKind::Subscription if changed => {
            let settings = Settings::of(subscriber)?;
            let shown = subscription::shown(&settings.resource, outcome.state.word(), outcome.error.as_deref());
            Some(submit::write(shown))
        }
        SubscriberKind::Subscription | SubscriberKind::Webhook => None,
    };
    let Outcome { state, delivered, failures, error, due } = outcome;
    let progress = Progress { state, delivered, failures, error, due, resource, at: gateway.clock.now() };
    gateway.store.progress(subscriber, progress).await.map(drop)
}

/// The events of a subscriber that wait, up to a number of them.
pub async fn waiting(gateway: &Gateway, subscriber: &Subscriber, most: usize) -> Result<Vec<Notice>, Fault> {
    if subscriber.events <= subscriber.delivered {
        return Ok(Vec::new());
    }
    let notices = gateway.store.notices(subscriber, subscriber.delivered + 1, subscriber.events, most).await?;
    match notices.is_empty() {
        true => Err(Fault::ours(codes::STORE, "events of a subscriber are missing")),
        false => Ok(notices),
    }
}
