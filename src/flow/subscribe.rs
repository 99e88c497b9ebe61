//! Who wants to be told of changes: a Subscription is checked, kept, shown without its secrets, and asked about. Telling is
//! [`notify`](crate::flow::notify)'s work.

use crate::fault::{Fault, Issue, Place, any_error, codes};
use crate::fhir::notification::{self, About, Happened, Reason};
use crate::fhir::subscription::{self, Content, Wanted};
use crate::fhir::topics::Shape;
use crate::fhir::validate;
use crate::flow::{lookup, naming, pas_response, submit};
use crate::gateway::Gateway;
use crate::store::notices::{Notice, Subscriber, SubscriberKind, SubscriberState, SubscriberWrite};
use crate::store::{RESULTS_MOST, ResourceVersion};
use crate::transport::notifier::{self, HEADERS_MAX};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most events in one answer to `$events`.
pub const EVENTS_MAX: usize = 200;

/// What is kept of a Subscription, headers and all.
#[derive(Debug, Serialize, Deserialize)]
pub struct Settings {
    /// Address of the FHIR service as the subscriber reached it: what it is told is named by it.
    pub base: String,
    pub resource: Value,
}

impl Settings {
    pub fn of(subscriber: &Subscriber) -> Result<Settings, Fault> {
        let lost = |_| Fault::ours(codes::STORE, format!("the settings of {} can't be read", subscriber.id));
        serde_json::from_str(&subscriber.settings).map_err(lost)
    }

    /// What it asks for.
    pub fn wanted(&self, gateway: &Gateway) -> Result<Wanted, Fault> {
        subscription::read(&gateway.translator.definitions, &gateway.topics, &self.resource, &self.base)
            .map_err(Fault::caller)
    }
}

/// Keeps a new Subscription; its endpoint is asked for a handshake next.
pub async fn create(
    gateway: &Gateway,
    tenant: &str,
    base: &str,
    mut resource: Value,
) -> Result<ResourceVersion, Fault> {
    naming::set_id(&mut resource, &uuid::Uuid::now_v7().to_string());
    keep(gateway, tenant, base, resource).await
}

/// Keeps the next version of a Subscription, under its id. Its events go on being numbered; what could not be told is told
/// after the handshake.
pub async fn update(
    gateway: &Gateway,
    tenant: &str,
    base: &str,
    id: &str,
    mut resource: Value,
) -> Result<ResourceVersion, Fault> {
    if let Some(before) = gateway.store.subscriber(tenant, id).await? {
        subscription::restore_headers(&mut resource, &Settings::of(&before)?.resource);
    }
    keep(gateway, tenant, base, resource).await
}

pub async fn delete(gateway: &Gateway, tenant: &str, id: &str) -> Result<(), Fault> {
    known(gateway, tenant, id).await?;
    gateway.store.unsubscribe(tenant, id).await.map(drop)
}

async fn keep(gateway: &Gateway, tenant: &str, base: &str, mut resource: Value) -> Result<ResourceVersion, Fault> {
    lookup::without_meta(&mut resource);
    let off = resource["status"] == "off";
    let settings = Settings { base: base.to_owned(), resource };
    let wanted = check(gateway, &settings)?;
    let (now, id) = (gateway.clock.now(), text(&settings.resource, "id"));
    let state = if off { SubscriberState::Off } else { SubscriberState::Requested };
    let shown = subscription::shown(&settings.resource, state.word(), None);
    let write = SubscriberWrite {
        tenant: tenant.to_owned(),
        id: id.clone(),
        kind: SubscriberKind::Subscription,
        state,
        settings: serde_json::to_string(&settings).unwrap_or_default(),
        watches: vec![wanted.topic.resource],
        due: (!off).then_some(now),
        resource: Some(submit::write(shown)),
        at: now,
        most: gateway.translator.config.notify.subscriptions,
    };
    gateway.store.subscribe(write).await?;
    lookup::read(gateway, tenant, "Subscription", &id).await
}

/// All that is wrong with a Subscription: its structure, what it asks for, where it wants it.
fn check(gateway: &Gateway, settings: &Settings) -> Result<Wanted, Fault> {
    let issues = validate::resource(&gateway.translator.definitions, &settings.resource, "Subscription");
    if any_error(&issues) {
        return Err(Fault::caller(issues));
    }
    let channel = &settings.resource["channel"];
    let mut issues = Vec::new();
    if let Some(Err(text)) = channel["endpoint"].as_str().map(|endpoint| gateway.guard().check(endpoint)) {
        issues.push(refused("channel.endpoint", codes::ENDPOINT, text, "name a public https address"));
    }
    let headers: Vec<&str> = channel["header"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if headers.len() > HEADERS_MAX {
        let text = format!("{} headers, at most {HEADERS_MAX} are taken", headers.len());
        issues.push(refused("channel.header", codes::TOO_MANY, text, "send fewer"));
    }
    for (n, line) in headers.iter().enumerate() {
        if let Err(text) = notifier::check_header(line) {
            issues.push(refused(&format!("channel.header[{n}]"), codes::ENDPOINT, text, "write `Name: value`"));
        }
    }
    match settings.wanted(gateway) {
        Ok(wanted) if wanted.end.is_some_and(|end| end <= gateway.clock.now()) => {
            issues.push(refused("end", codes::SUBSCRIPTION, "the end has passed".into(), "name a later time"));
        }
        Ok(wanted) if issues.is_empty() => return Ok(wanted),
        Ok(_) => {}
        Err(fault) => issues.extend(fault.issues),
    }
    Err(Fault::caller(issues))
}

fn refused(path: &str, code: &'static str, text: String, hint: &str) -> Issue {
    Issue::error(code, Place::FhirPath(format!("Subscription.{path}")), text).hint(hint)
}

async fn known(gateway: &Gateway, tenant: &str, id: &str) -> Result<Subscriber, Fault> {
    let found = gateway.store.subscriber(tenant, id).await?;
    found.filter(|found| found.kind == SubscriberKind::Subscription).ok_or_else(|| {
        let text = format!("there is no Subscription/{id}");
        Fault::refuse(codes::NOT_FOUND, Place::Whole, text, "check the id")
    })
}

/// `$status`: how it stands with subscriptions, all when no id is named.
pub async fn statuses(gateway: &Gateway, tenant: &str, ids: &[&str], states: &[&str]) -> Result<Value, Fault> {
    let mut found = Vec::new();
    for id in ids {
        found.push(known(gateway, tenant, id).await?);
    }
    if ids.is_empty() {
        let all = gateway.store.subscribers().await?.into_iter();
        let own = |each: &Subscriber| each.kind == SubscriberKind::Subscription && each.tenant == tenant;
        found.extend(all.filter(own).take(RESULTS_MOST));
    }
    found.retain(|subscriber| states.is_empty() || states.contains(&subscriber.state.word()));
    let told = found.iter().map(|subscriber| Ok((subscriber, Settings::of(subscriber)?)));
    let told = told.collect::<Result<Vec<_>, Fault>>()?;
    let abouts: Vec<About<'_>> = told.iter().map(|(subscriber, settings)| about(subscriber, settings)).collect();
    Ok(notification::statuses(&abouts))
}

/// `$events`: events told again, from a number to a number, both included.
pub async fn events(
    gateway: &Gateway,
    tenant: &str,
    id: &str,
    (from, to): (u64, u64),
    content: Option<Content>,
) -> Result<Value, Fault> {
    let subscriber = known(gateway, tenant, id).await?;
    let settings = Settings::of(&subscriber)?;
    // More than was asked for at first can't be asked for later.
    let most = settings.wanted(gateway)?.content;
    let content = match (content, most) {
        (Some(asked), Content::FullResource) => asked,
        (Some(Content::Empty), _) => Content::Empty,
        _ => most,
    };
    let notices = gateway.store.notices(&subscriber, from, to, EVENTS_MAX).await?;
    let shape = settings.wanted(gateway)?.topic.shape;
    let happened = happened(gateway, (tenant, &settings.base), &notices, content, shape).await?;
    let id = uuid::Uuid::now_v7().to_string();
    let about = about(&subscriber, &settings);
    Ok(notification::bundle(about, Reason::QueryEvent, content, &happened, &id, gateway.clock.now()))
}

/// A subscription as a notification speaks of it.
pub fn about<'a>(subscriber: &'a Subscriber, settings: &'a Settings) -> About<'a> {
    About {
        base: &settings.base,
        id: &subscriber.id,
        topic: settings.resource["criteria"].as_str().unwrap_or_default(),
        status: subscriber.state.word(),
        events: subscriber.events,
        error: subscriber.error.as_deref(),
    }
}

/// What happened, with the resources as they were when it did, in the shape that the topic has.
pub async fn happened(
    gateway: &Gateway,
    (tenant, base): (&str, &str),
    notices: &[Notice],
    content: Content,
    shape: Shape,
) -> Result<Vec<Happened>, Fault> {
    let mut all = Vec::with_capacity(notices.len());
    for notice in notices {
        let version = match content {
            Content::FullResource => gateway.store.version(tenant, &notice.kind, &notice.id, notice.version).await?,
            Content::Empty | Content::IdOnly => None,
        };
        all.push(Happened {
            number: notice.number,
            at: notice.at,
            reference: format!("{}/{}", notice.kind, notice.id),
            version: notice.version,
            resource: match version.as_ref().map(lookup::resource).transpose()? {
                Some(resource) if shape == Shape::PasResponseBundle => {
                    Some(pas_response::bundle(gateway, (tenant, base), resource, notice.at).await?)
                }
                resource => resource,
            },
        });
    }
    Ok(all)
}

fn text(resource: &Value, name: &str) -> String {
    resource[name].as_str().unwrap_or_default().to_owned()
}
