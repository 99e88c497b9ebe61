//! Subscriptions to topics in FHIR R4 (Subscriptions R5 Backport 1.1): what a caller asks for, read with all its mistakes.

use crate::fault::{Issue, Place, codes};
use crate::fhir::definitions::Definitions;
use crate::fhir::index;
use crate::fhir::topics::{Interaction, Topic, Topics, parameters};
use jiff::Timestamp;
use serde_json::Value;

const BACKPORT: &str = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition";

/// Most filters of one subscription.
pub const FILTERS_MAX: usize = 20;
/// What stands in place of a header's value when a Subscription is read.
pub const WITHHELD: &str = "********";
/// Media types that a notification can have; FHIR JSON is what is written.
const MEDIA_TYPES: &[&str] = &["application/fhir+json", "application/json", "json"];

/// How much of a resource a notification holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// That there is an event.
    Empty,
    /// Of which resource.
    IdOnly,
    /// The resource itself.
    FullResource,
}

impl Content {
    const CODES: [(Content, &str); 3] =
        [(Content::Empty, "empty"), (Content::IdOnly, "id-only"), (Content::FullResource, "full-resource")];

    pub fn of(code: &str) -> Option<Content> {
        Self::CODES.iter().find(|(_, each)| *each == code).map(|(content, _)| *content)
    }
}

/// A condition on the resource of an event: any of the values.
pub type Filter = (String, Vec<String>);

/// What a Subscription asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    pub topic: Topic,
    /// All must hold.
    pub filters: Vec<Filter>,
    pub endpoint: String,
    pub content: Content,
    /// `Name: value`.
    pub headers: Vec<String>,
    /// Seconds without an event after which a heartbeat is sent.
    pub heartbeat: Option<u32>,
    /// Seconds that a notification may take.
    pub timeout: Option<u32>,
    /// Events in one notification.
    pub max_count: Option<usize>,
    pub end: Option<Timestamp>,
}

/// Reads a Subscription whose structure has been checked. `base` is the address of the FHIR service: references in filters
/// may begin with it. Endpoint and headers are for the transport to judge.
pub fn read(
    definitions: &Definitions,
    topics: &Topics,
    subscription: &Value,
    base: &str,
) -> Result<Wanted, Vec<Issue>> {
    let mut issues = Vec::new();
    let channel = &subscription["channel"];
    let topic = topic(topics, subscription, &mut issues);
    let filters = topic.map(|topic| filters(definitions, topic, subscription, base, &mut issues)).unwrap_or_default();
    if channel["type"] != "rest-hook" {
        issues.push(refused("channel.type", "only rest-hook is offered", "set channel.type to rest-hook"));
    }
    let media_type = channel["payload"].as_str().unwrap_or(MEDIA_TYPES[0]);
    if !MEDIA_TYPES.contains(&media_type.split(';').next().unwrap_or_default().trim()) {
        issues.push(refused("channel.payload", "notifications are written as JSON only", "use application/fhir+json"));
    }
    let endpoint = channel["endpoint"].as_str().unwrap_or_default().to_owned();
    if endpoint.is_empty() {
        issues.push(refused("channel.endpoint", "a rest-hook needs an endpoint", "name an https address"));
    }
    let content = content(channel, &mut issues);
    let end = subscription["end"].as_str().and_then(|text| text.parse().ok());
    let seconds = |name: &str, member: &str| extension(channel, name).and_then(|found| found[member].as_u64());
    let (heartbeat, timeout) =
        (seconds("backport-heartbeat-period", "valueUnsignedInt"), seconds("backport-timeout", "valueUnsignedInt"));
    let max_count = seconds("backport-max-count", "valuePositiveInt").and_then(|count| usize::try_from(count).ok());
    let headers = channel["header"].as_array().into_iter().flatten();
    let headers = headers.filter_map(Value::as_str).map(str::to_owned).collect();
    match (topic, issues.is_empty()) {
        (Some(topic), true) => Ok(Wanted {
            topic: topic.clone(),
            filters,
            endpoint,
            content,
            headers,
            heartbeat: heartbeat.filter(|seconds| *seconds > 0).map(whole),
            timeout: timeout.filter(|seconds| *seconds > 0).map(whole),
            max_count,
            end,
        }),
        _ => Err(issues),
    }
}

fn whole(seconds: u64) -> u32 {
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

fn refused(path: &str, text: impl Into<String>, hint: impl Into<String>) -> Issue {
    Issue::error(codes::SUBSCRIPTION, Place::FhirPath(format!("Subscription.{path}")), text).hint(hint)
}

/// An extension of the backport, by the last part of its URL.
fn extension<'v>(element: &'v Value, name: &str) -> Option<&'v Value> {
    extensions(element, name).next()
}

fn extensions<'v>(element: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    let all = element["extension"].as_array().into_iter().flatten();
    let named = move |extension: &&Value| {
        extension["url"].as_str().and_then(|url| url.strip_prefix(BACKPORT)?.strip_prefix('/')) == Some(name)
    };
    all.filter(named)
}

fn topic<'t>(topics: &'t Topics, subscription: &Value, issues: &mut Vec<Issue>) -> Option<&'t Topic> {
    let found = topics.get(subscription["criteria"].as_str().unwrap_or_default());
    if found.is_none() {
        let offered: Vec<&str> = topics.all().map(|topic| topic.url.as_str()).collect();
        let at = Place::FhirPath("Subscription.criteria".into());
        let hint = format!("criteria is the canonical URL of a topic: {}", offered.join(", "));
        issues.push(Issue::error(codes::SUBSCRIPTION_TOPIC, at, "there is no such topic").hint(hint));
    }
    found
}

/// `ClaimResponse?patient=Patient/1&outcome=complete`, or the parameters alone; of several all must hold, but for those about
/// other types of resources, which say nothing about this topic.
fn filters(
    definitions: &Definitions,
    topic: &Topic,
    subscription: &Value,
    base: &str,
    issues: &mut Vec<Issue>,
) -> Vec<Filter> {
    let mut filters = Vec::new();
    for (n, found) in extensions(&subscription["_criteria"], "backport-filter-criteria").enumerate() {
        let at = format!("criteria.extension[{n}].value");
        let text = found["valueString"].as_str().unwrap_or_default();
        let (kind, query) = text.split_once('?').unwrap_or((&topic.resource, text));
        if kind != topic.resource {
            let hint = format!("write {}?name=value", topic.resource);
            issues.push(refused(&at, format!("the topic is about {}", topic.resource), hint));
            continue;
        }
        for (name, value) in
            query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        {
            let value = decoded(value).replace(&format!("{base}/"), "");
            if topic.through.contains_key(name) {
                let values = value.split(',').map(|value| value.rsplit('|').next().unwrap_or(value).to_owned());
                filters.push((name.to_owned(), values.collect()));
                continue;
            }
            match index::condition(definitions, kind, name, &value) {
                Ok(filter) => filters.push(filter),
                Err(fault) => {
                    let told = fault.issues.into_iter().map(|issue| issue.text).collect::<Vec<_>>().join("; ");
                    let offered: Vec<&str> = parameters(topic).collect();
                    issues.push(refused(&at, told, format!("offered: {}", offered.join(", "))));
                }
            }
        }
    }
    if filters.len() > FILTERS_MAX {
        let text = format!("{} filters, at most {FILTERS_MAX} are taken", filters.len());
        issues.push(refused("criteria", text, "make several subscriptions"));
    }
    filters
}

/// Without the percent escapes of what matters in references and tokens.
fn decoded(text: &str) -> String {
    let escapes = [("%2F", "/"), ("%2f", "/"), ("%7C", "|"), ("%7c", "|"), ("%3A", ":"), ("%3a", ":"), ("%2C", ",")];
    escapes.iter().fold(text.to_owned(), |text, (escape, plain)| text.replace(escape, plain))
}

fn content(channel: &Value, issues: &mut Vec<Issue>) -> Content {
    let found = extension(&channel["_payload"], "backport-payload-content");
    let code = found.and_then(|found| found["valueCode"].as_str());
    // Who does not say gets least.
    let Some(code) = code else { return Content::Empty };
    Content::of(code).unwrap_or_else(|| {
        let hint = "use empty, id-only or full-resource";
        issues.push(refused("channel.payload.extension.value", "there is no such payload content", hint));
        Content::Empty
    })
}

/// Characters of `YYYY-MM-DD`.
const DAY: usize = 10;

/// Whether a version of a resource is an event of a topic, as far as it is for a subscriber: all conditions hold. `entries` is
/// what the resource can be found by.
pub fn concerns(topic: &Topic, filters: &[Filter], kind: &str, version: u32, entries: &[(String, String)]) -> bool {
    // A day that is asked for is that of any time in it.
    let is = |found: &str, value: &str| match found.strip_prefix(value) {
        Some(rest) => rest.is_empty() || (value.len() == DAY && rest.starts_with('T')),
        None => false,
    };
    let has = |name: &str, value: &str| entries.iter().any(|(each, found)| each == name && is(found, value));
    topic.resource == kind
        && topic.interactions.contains(&Interaction::of(version))
        && topic.only.iter().all(|(name, value)| has(name, value))
        && filters.iter().all(|(name, values)| values.iter().any(|value| has(name, value)))
}

/// The Subscription as others may read it: with its status, and without the values of its headers.
pub fn shown(subscription: &Value, status: &str, error: Option<&str>) -> Value {
    let mut shown = subscription.clone();
    shown["status"] = Value::from(status);
    let Some(object) = shown.as_object_mut() else { return shown };
    object.shift_remove("error");
    if let Some(error) = error {
        object.insert("error".into(), Value::from(error));
    }
    for header in headers_of(&mut shown) {
        let name = header.as_str().and_then(|line| line.split(':').next()).unwrap_or_default();
        *header = Value::from(format!("{name}: {WITHHELD}"));
    }
    shown
}

fn headers_of(subscription: &mut Value) -> impl Iterator<Item = &mut Value> {
    subscription.pointer_mut("/channel/header").and_then(Value::as_array_mut).into_iter().flatten()
}

/// Puts the values of headers back that a caller has read as withheld and sends again.
pub fn restore_headers(subscription: &mut Value, before: &Value) {
    let name = |line: &str| line.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known: Vec<String> = before["channel"]["header"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    for header in headers_of(subscription) {
        let Some(line) = header.as_str().filter(|line| line.trim_end().ends_with(WITHHELD)) else { continue };
        if let Some(kept) = known.iter().find(|kept| name(kept) == name(line)) {
            *header = Value::from(kept.as_str());
        }
    }
}
