//! Notifications about topics in FHIR R4: a history Bundle whose first entry is the status of the subscription, as Parameters
//! (Subscriptions R5 Backport 1.1, `backport-subscription-notification-r4`, `backport-subscription-status-r4`).

use crate::fhir::subscription::Content;
use jiff::Timestamp;
use serde_json::{Value, json};

const BACKPORT: &str = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition";

/// Why a notification is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    Handshake,
    Heartbeat,
    Event,
    /// Somebody asked for the status.
    QueryStatus,
    /// Somebody asked for events again.
    QueryEvent,
}

impl Reason {
    fn code(self) -> &'static str {
        match self {
            Reason::Handshake => "handshake",
            Reason::Heartbeat => "heartbeat",
            Reason::Event => "event-notification",
            Reason::QueryStatus => "query-status",
            Reason::QueryEvent => "query-event",
        }
    }
}

/// The subscription that it is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Address of the FHIR service.
    pub base: &'a str,
    /// Id of the Subscription.
    pub id: &'a str,
    pub topic: &'a str,
    pub status: &'a str,
    /// Number of its newest event.
    pub events: u64,
    /// Why the last attempt failed.
    pub error: Option<&'a str>,
}

/// One event.
#[derive(Debug, Clone)]
pub struct Happened {
    pub number: u64,
    pub at: Timestamp,
    /// `ClaimResponse/1`.
    pub reference: String,
    pub version: u32,
    /// The version as it was, with its meta; `None` when it is not to be shown.
    pub resource: Option<Value>,
}

impl Happened {
    /// What the notification is about: the resource, or the Bundle that holds it with what it refers to.
    fn url(&self, base: &str) -> String {
        let bundle = self.resource.as_ref().filter(|resource| resource["resourceType"] == "Bundle");
        match bundle.and_then(|bundle| bundle["id"].as_str()) {
            Some(id) => format!("{base}/Bundle/{id}"),
            None => format!("{base}/{}", self.reference),
        }
    }
}

/// The notification. `id` is that of the Bundle.
pub fn bundle(
    about: About<'_>,
    reason: Reason,
    content: Content,
    events: &[Happened],
    id: &str,
    now: Timestamp,
) -> Value {
    let mut entries = vec![status_entry(about, reason, content, events)];
    if content != Content::Empty {
        entries.extend(events.iter().map(|event| entry(about, content, event)));
    }
    json!({
        "resourceType": "Bundle",
        "id": id,
        "meta": {"profile": [format!("{BACKPORT}/backport-subscription-notification-r4")]},
        "type": "history",
        "timestamp": now.to_string(),
        "entry": entries,
    })
}

/// A searchset with the status of each subscription.
pub fn statuses(subscriptions: &[About<'_>]) -> Value {
    let entry = |about: &About<'_>| {
        let status = status(*about, Reason::QueryStatus, Content::Empty, &[]);
        json!({"fullUrl": urn(&status), "resource": status, "search": {"mode": "match"}})
    };
    let entries: Vec<Value> = subscriptions.iter().map(entry).collect();
    let mut bundle = json!({"resourceType": "Bundle", "type": "searchset", "total": entries.len()});
    if !entries.is_empty() {
        bundle["entry"] = Value::from(entries);
    }
    bundle
}

fn urn(resource: &Value) -> String {
    format!("urn:uuid:{}", resource["id"].as_str().unwrap_or_default())
}

fn status_entry(about: About<'_>, reason: Reason, content: Content, events: &[Happened]) -> Value {
    let status = status(about, reason, content, events);
    json!({
        "fullUrl": urn(&status),
        "resource": status,
        "request": {"method": "GET", "url": format!("{}/Subscription/{}/$status", about.base, about.id)},
        "response": {"status": "200"},
    })
}

fn status(about: About<'_>, reason: Reason, content: Content, events: &[Happened]) -> Value {
    let mut parameters = vec![
        json!({"name": "subscription", "valueReference": {"reference": format!("{}/Subscription/{}", about.base, about.id)}}),
        json!({"name": "topic", "valueCanonical": about.topic}),
        json!({"name": "status", "valueCode": about.status}),
        json!({"name": "type", "valueCode": reason.code()}),
        // integer64 came with R5; in R4 it is a string.
        json!({"name": "events-since-subscription-start", "valueString": about.events.to_string()}),
    ];
    for event in events {
        let mut parts = vec![
            json!({"name": "event-number", "valueString": event.number.to_string()}),
            json!({"name": "timestamp", "valueInstant": event.at.to_string()}),
        ];
        if content != Content::Empty {
            let focus = event.url(about.base);
            parts.push(json!({"name": "focus", "valueReference": {"reference": focus}}));
        }
        parameters.push(json!({"name": "notification-event", "part": parts}));
    }
    if let Some(error) = about.error {
        parameters.push(json!({"name": "error", "valueCodeableConcept": {"text": error}}));
    }
    json!({
        "resourceType": "Parameters",
        "id": uuid::Uuid::now_v7().to_string(),
        "meta": {"profile": [format!("{BACKPORT}/backport-subscription-status-r4")]},
        "parameter": parameters,
    })
}

/// What happened to the resource, and, when that is wanted, the resource as it was then.
fn entry(about: About<'_>, content: Content, event: &Happened) -> Value {
    let (method, status, url) = match event.version {
        1 => ("POST", "201", event.reference.split('/').next().unwrap_or_default().to_owned()),
        _ => ("PUT", "200", event.reference.clone()),
    };
    let mut entry = json!({"fullUrl": event.url(about.base)});
    if let (Content::FullResource, Some(resource)) = (content, &event.resource) {
        entry["resource"] = resource.clone();
    }
    entry["request"] = json!({"method": method, "url": url});
    entry["response"] =
        json!({"status": status, "etag": format!("W/\"{}\"", event.version), "lastModified": event.at.to_string()});
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::Folder;
    use crate::fhir::definitions::Definitions;
    use crate::fhir::{second_opinion, validate};

    #[test]
    fn every_notification_is_valid_r4() {
        let definitions = Definitions::load(&Folder::ShippedConformance).unwrap();
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        let resource = json!({"resourceType": "Task", "id": "t", "status": "requested", "intent": "order"});
        let reference = "Task/t".to_owned();
        let events = [Happened { number: 3, at: now, reference, version: 2, resource: Some(resource) }];
        let about = About {
            base: "https://gateway.example/fhir",
            id: "s",
            topic: "http://t",
            status: "active",
            events: 3,
            error: Some("the endpoint answered 500"),
        };
        let of = |reason, content, events: &[Happened]| bundle(about, reason, content, events, "b", now);
        for (bundle, entries) in [
            (of(Reason::Handshake, Content::FullResource, &[]), 1),
            (of(Reason::Heartbeat, Content::IdOnly, &[]), 1),
            (of(Reason::Event, Content::Empty, &events), 1),
            (of(Reason::Event, Content::IdOnly, &events), 2),
            (of(Reason::QueryEvent, Content::FullResource, &events), 2),
            (statuses(&[about, about]), 2),
            (statuses(&[]), 0),
        ] {
            assert_eq!(bundle["entry"].as_array().map_or(0, Vec::len), entries, "{bundle:#}");
            assert_eq!(validate::resource(&definitions, &bundle, "Bundle"), []);
            assert_eq!(second_opinion::judge(&bundle), []);
        }
        let empty = of(Reason::Event, Content::Empty, &events).to_string();
        assert!(!empty.contains("Task"), "{empty}");
        assert!(of(Reason::Event, Content::IdOnly, &events)["entry"][1].get("resource").is_none());
        let full = of(Reason::Event, Content::FullResource, &events);
        assert_eq!(full["entry"][1]["resource"]["resourceType"], "Task");
        assert_eq!(full["entry"][1]["request"]["method"], "PUT");
    }
}
