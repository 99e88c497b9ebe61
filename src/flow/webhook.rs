//! Signed messages for those without FHIR (Standard Webhooks 1.0): what happened to which resource, by ids and states. Nothing
//! of a patient is in them, so they may go to systems that must not know one.

use crate::config::Webhook;
use crate::fault::{Fault, Issue, Place, codes};
use crate::fhir::index;
use crate::fhir::subscription::concerns;
use crate::fhir::topics::Topic;
use crate::flow::notify::{self, Outcome};
use crate::gateway::Gateway;
use crate::store::DEFAULT_TENANT;
use crate::store::notices::{Notice, SUBSCRIBERS_MOST, Subscriber, SubscriberKind, SubscriberState, SubscriberWrite};
use crate::transport::SendError;
use crate::transport::https::Secret;
use crate::transport::notifier::Notification;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const MEDIA_TYPE: &str = "application/json";
/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// Shortest secret, in bytes; the standard asks for 24 to 64.
const SECRET_BYTES_MIN: usize = 24;
/// Messages to one webhook before others have their turn.
const TURN: usize = 20;

/// What a message tells of its resource, and where it stands there: codes, and references to nothing but claims and answers.
const TOLD: &[(&str, &str)] = &[
    ("status", "/status"),
    ("use", "/use"),
    ("outcome", "/outcome"),
    ("request", "/request/reference"),
    ("focus", "/focus/reference"),
];
const TOLD_REFERENCES: &[&str] =
    &["Claim", "ClaimResponse", "CoverageEligibilityRequest", "CoverageEligibilityResponse", "PaymentReconciliation"];

fn id_of(webhook: &Webhook) -> String {
    format!("webhook:{}", webhook.name)
}

fn webhook<'g>(gateway: &'g Gateway, subscriber: &Subscriber) -> Option<&'g Webhook> {
    gateway.translator.config.webhooks.iter().find(|webhook| id_of(webhook) == subscriber.id)
}

/// Takes up the webhooks of the configuration, and forgets those that are not there any more; all mistakes at once.
pub async fn enroll(gateway: &Gateway) -> Result<(), Fault> {
    let webhooks = &gateway.translator.config.webhooks;
    let issues: Vec<Issue> = webhooks.iter().flat_map(|webhook| mistakes(gateway, webhook)).collect();
    if !issues.is_empty() {
        return Err(Fault { issues, ..Fault::ours(codes::CONFIGURATION, "") });
    }
    for known in gateway.store.subscribers().await? {
        if known.kind == SubscriberKind::Webhook && webhook(gateway, &known).is_none() {
            gateway.store.unsubscribe(&known.tenant, &known.id).await?;
        }
    }
    for webhook in webhooks {
        let watches: BTreeSet<String> = asked(gateway, webhook).map(|topic| topic.resource.clone()).collect();
        let now = gateway.clock.now();
        let write = SubscriberWrite {
            tenant: DEFAULT_TENANT.to_owned(),
            id: id_of(webhook),
            kind: SubscriberKind::Webhook,
            state: SubscriberState::Active,
            settings: "{}".to_owned(),
            watches: watches.into_iter().collect(),
            due: Some(now),
            resource: None,
            at: now,
            most: SUBSCRIBERS_MOST,
        };
        gateway.store.subscribe(write).await?;
    }
    Ok(())
}

fn mistakes(gateway: &Gateway, webhook: &Webhook) -> Vec<Issue> {
    let name = &webhook.name;
    let mut issues = Vec::new();
    if let Err(why) = gateway.guard().check(&webhook.url) {
        let text = format!("webhook {name}: {why}");
        let hint = "name a public https address, or allow others: notify.allow_http, notify.allow_private";
        issues.push(Issue::error(codes::CONFIGURATION, Place::Whole, text).hint(hint));
    }
    for event in webhook.events.iter().filter(|event| gateway.topics.of_event(event).is_none()) {
        let offered: Vec<&str> = gateway.topics.all().map(|topic| topic.event.as_str()).collect();
        let text = format!("webhook {name}: there is no event `{event}`");
        let hint = format!("offered: {}", offered.join(", "));
        issues.push(Issue::error(codes::CONFIGURATION, Place::Whole, text).hint(hint));
    }
    issues
}

fn asked<'g>(gateway: &'g Gateway, webhook: &'g Webhook) -> impl Iterator<Item = &'g Topic> {
    gateway.topics.all().filter(|topic| webhook.events.is_empty() || webhook.events.contains(&topic.event))
}

/// The topics that a webhook hears of.
pub fn topics(gateway: &Gateway, subscriber: &Subscriber) -> Vec<Topic> {
    webhook(gateway, subscriber).map(|webhook| asked(gateway, webhook).cloned().collect()).unwrap_or_default()
}

/// Sends the messages that wait, one after the other, until one is not taken.
pub async fn attend(gateway: &Gateway, subscriber: &Subscriber) -> Result<(), Fault> {
    let Some(webhook) = webhook(gateway, subscriber) else {
        return gateway.store.unsubscribe(&subscriber.tenant, &subscriber.id).await.map(drop);
    };
    let mut delivered = subscriber.delivered;
    for notice in notify::waiting(gateway, subscriber, TURN).await? {
        if let Err(error) = send(gateway, webhook, &notice).await? {
            return failed(gateway, subscriber, delivered, &error).await;
        }
        delivered = notice.number;
    }
    let state = SubscriberState::Active;
    notify::record(gateway, subscriber, Outcome { state, delivered, failures: 0, error: None, due: None }).await
}

/// A webhook can't ask anew, so it is tried for ever; after too many failures it is in error, and at the slowest pace.
async fn failed(gateway: &Gateway, subscriber: &Subscriber, delivered: u64, error: &SendError) -> Result<(), Fault> {
    let begun_anew = delivered > subscriber.delivered;
    let failures = if begun_anew { 1 } else { subscriber.failures.saturating_add(1) };
    let policy = notify::policy(gateway);
    let delay = policy.delay(failures);
    let state = if delay.is_some() { SubscriberState::Active } else { SubscriberState::Error };
    let mut pause = delay.unwrap_or(policy.cap);
    if let SendError::RetryAfter(asked, _) = error {
        pause = pause.max(*asked);
    }
    let (reason, due) = (error.reason().to_owned(), notify::later(gateway.clock.now(), pause));
    tracing::warn!(subscriber = subscriber.id.as_str(), reason, "a webhook could not be told");
    notify::record(gateway, subscriber, Outcome { state, delivered, failures, error: Some(reason), due: Some(due) })
        .await
}

async fn send(gateway: &Gateway, webhook: &Webhook, notice: &Notice) -> Result<Result<(), SendError>, Fault> {
    let version = gateway.store.version(DEFAULT_TENANT, &notice.kind, &notice.id, notice.version).await?;
    let resource: Value = version.and_then(|found| serde_json::from_str(&found.body).ok()).unwrap_or(Value::Null);
    let entries = index::index(&resource);
    let meant = |topic: &&Topic| concerns(topic, &[], &notice.kind, notice.version, &entries);
    // Nothing to tell: the events that are asked for have been changed since.
    let Some(topic) = asked(gateway, webhook).find(meant) else { return Ok(Ok(())) };
    let body = message(topic, notice, &resource).to_string();
    let id = message_id(notice);
    let seconds = gateway.clock.now().as_second();
    let signature = match keys(webhook).await {
        Ok(keys) => signatures(&keys, &id, seconds, &body),
        Err(error) => return Ok(Err(error)),
    };
    let headers = [
        format!("webhook-id: {id}"),
        format!("webhook-timestamp: {seconds}"),
        format!("webhook-signature: {signature}"),
    ];
    let time = Duration::from_millis(gateway.translator.config.notify.timeout_ms);
    let body = body.into_bytes();
    let notification = Notification { endpoint: &webhook.url, media_type: MEDIA_TYPE, headers: &headers, body, time };
    Ok(notify::post(gateway, SubscriberKind::Webhook, notification).await)
}

/// The same at every attempt: by it a receiver knows what it has had.
fn message_id(notice: &Notice) -> String {
    format!("msg_{}_{}", notice.id, notice.version)
}

fn message(topic: &Topic, notice: &Notice, resource: &Value) -> Value {
    let mut data = Map::new();
    data.insert("resource".into(), json!(format!("{}/{}", notice.kind, notice.id)));
    data.insert("version".into(), json!(notice.version));
    for (name, pointer) in TOLD {
        let found = resource.pointer(pointer).and_then(Value::as_str);
        let tellable = |text: &&str| match text.split_once('/') {
            Some((kind, _)) => TOLD_REFERENCES.contains(&kind),
            None => text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
        };
        if let Some(text) = found.filter(tellable) {
            data.insert((*name).into(), json!(text));
        }
    }
    json!({"type": topic.event, "timestamp": notice.at.to_string(), "data": data})
}

/// The keys of a webhook as they stand now: one, or two while one takes the place of the other.
async fn keys(webhook: &Webhook) -> Result<Vec<hmac::Key>, SendError> {
    let secret = Secret::parse(&webhook.secret);
    let secret = secret.ok_or_else(|| SendError::Retry("the place of the secret is not told".into()))?;
    let text = secret.read().await?;
    let keys: Option<Vec<hmac::Key>> = text.split_whitespace().map(key).collect();
    keys.ok_or_else(|| {
        SendError::Retry(format!("a secret is not `{PREFIX}` and base64 of at least {SECRET_BYTES_MIN} bytes"))
    })
}

fn key(text: &str) -> Option<hmac::Key> {
    let bytes = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
    (bytes.len() >= SECRET_BYTES_MIN).then(|| hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

/// `v1,…`, one for each key, with spaces between.
fn signatures(keys: &[hmac::Key], id: &str, seconds: i64, body: &str) -> String {
    let signed = format!("{id}.{seconds}.{body}");
    let signature = |key: &hmac::Key| format!("v1,{}", STANDARD.encode(hmac::sign(key, signed.as_bytes())));
    keys.iter().map(signature).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification's reference libraries.
    #[test]
    fn signatures_are_those_of_the_standard() {
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", r#"{"test": 2432232314}"#);
        let signed = signatures(&[key], id, 1_614_265_330, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn keys_are_long_enough_and_marked() {
        assert!(key("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_none());
        assert!(key(&format!("whsec_{}", STANDARD.encode([7; SECRET_BYTES_MIN]))).is_some());
        assert!(key(&format!("whsec_{}", STANDARD.encode([7; SECRET_BYTES_MIN - 1]))).is_none());
    }

    #[test]
    fn messages_hold_states_and_references_to_claims_only() {
        let notice =
            Notice { number: 1, kind: "ClaimResponse".into(), id: "r".into(), version: 2, at: Default::default() };
        let resource = json!({
            "status": "active", "use": "claim", "outcome": "Zyxwvu Qqmark", "disposition": "Zyxwvu",
            "request": {"reference": "Claim/c"}, "focus": {"reference": "Patient/p"}, "patient": {"reference": "Patient/p"},
        });
        let topics = crate::fhir::topics::Topics::load(&crate::assets::Folder::ShippedConformance).unwrap();
        let told = message(topics.of_event("claim_response.changed").unwrap(), &notice, &resource);
        let data = json!({"resource": "ClaimResponse/r", "version": 2, "status": "active", "use": "claim", "request": "Claim/c"});
        assert_eq!(told["data"], data);
    }
}
