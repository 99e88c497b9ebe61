//! Who wants to be told of changes, and what there is to tell. A change is written down in the transaction that makes it;
//! telling comes later, as often as it takes, in order.

use super::{Reply, ResourceVersion, ResourceWrite};
use jiff::Timestamp;

/// Most subscribers of all callers together.
pub const SUBSCRIBERS_MOST: usize = 10_000;

/// What a subscriber is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriberKind {
    /// A FHIR Subscription.
    Subscription,
    /// A webhook of the configuration.
    Webhook,
}

/// How it stands with a subscriber; the words are those of Subscription.status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriberState {
    /// Its endpoint has not said yet that it listens.
    Requested,
    Active,
    /// Too many notifications failed; events are still numbered and kept.
    Error,
    /// Ended, or given up: nothing is numbered any more.
    Off,
}

impl SubscriberKind {
    const WORDS: [(SubscriberKind, &str); 2] =
        [(SubscriberKind::Subscription, "subscription"), (SubscriberKind::Webhook, "webhook")];

    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, word)| word)
    }

    pub fn of(word: &str) -> Option<SubscriberKind> {
        Self::WORDS.iter().find(|(_, each)| *each == word).map(|(kind, _)| *kind)
    }
}

impl SubscriberState {
    const WORDS: [(SubscriberState, &str); 4] = [
        (SubscriberState::Requested, "requested"),
        (SubscriberState::Active, "active"),
        (SubscriberState::Error, "error"),
        (SubscriberState::Off, "off"),
    ];

    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(state, _)| *state == self).map_or("", |(_, word)| word)
    }

    pub fn of(word: &str) -> Option<SubscriberState> {
        Self::WORDS.iter().find(|(_, each)| *each == word).map(|(state, _)| *state)
    }
}

/// A subscriber as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Subscriber {
    pub tenant: String,
    pub id: String,
    pub kind: SubscriberKind,
    pub state: SubscriberState,
    /// What it asked for, as JSON text; may hold a credential.
    pub settings: String,
    pub generation: u64,
    /// Number of its newest event.
    pub events: u64,
    /// Number of the last event that was delivered.
    pub delivered: u64,
    /// Attempts that failed since one succeeded.
    pub failures: u32,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// A subscriber to be written, new or changed; its events go on being numbered where they were.
#[derive(Debug, Clone)]
pub struct SubscriberWrite {
    pub tenant: String,
    pub id: String,
    pub kind: SubscriberKind,
    pub state: SubscriberState,
    pub settings: String,
    /// Types of resources that it is to hear of.
    pub watches: Vec<String>,
    /// When something is to be done for it.
    pub due: Option<Timestamp>,
    /// The Subscription as others may read it.
    pub resource: Option<ResourceWrite>,
    pub at: Timestamp,
    /// Most subscribers of the tenant and kind; a new one above is refused.
    pub most: usize,
}

/// What became of an attempt.
#[derive(Debug, Clone)]
pub struct Progress {
    pub state: SubscriberState,
    /// Number of the last event that was delivered.
    pub delivered: u64,
    pub failures: u32,
    pub error: Option<String>,
    /// When the next thing is to be done, unless events wait and the attempt succeeded: then at once.
    pub due: Option<Timestamp>,
    /// The next version of the Subscription, when its status changes.
    pub resource: Option<ResourceWrite>,
    pub at: Timestamp,
}

/// A version of a resource that came to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its place in the list.
    pub row: i64,
    pub tenant: String,
    pub kind: String,
    pub id: String,
    pub version: u32,
    pub at: Timestamp,
}

/// An event of a subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// 1, 2, 3 … of this subscriber.
    pub number: u64,
    pub kind: String,
    pub id: String,
    pub version: u32,
    pub at: Timestamp,
}

/// The part of the store that tells of changes.
pub trait Notices: Send + Sync {
    /// Writes a subscriber, and its resource. [`TOO_MANY`](crate::fault::codes::TOO_MANY) when there is no room for a new one.
    fn subscribe(&self, write: SubscriberWrite) -> Reply<'_, ()>;

    /// Forgets a subscriber with its events and its resource; `false` when there is none.
    fn unsubscribe<'a>(&'a self, tenant: &'a str, id: &'a str) -> Reply<'a, bool>;

    fn subscriber<'a>(&'a self, tenant: &'a str, id: &'a str) -> Reply<'a, Option<Subscriber>>;

    /// All of them, in the order of their coming.
    fn subscribers(&self) -> Reply<'_, Vec<Subscriber>>;

    /// Those for whom something is to be done now, those due longest first.
    fn subscribers_due(&self, now: Timestamp, limit: usize) -> Reply<'_, Vec<Subscriber>>;

    /// Takes those for whom something is to be done now: until a time, or until [`progress`](Notices::progress) or
    /// [`let_go`](Notices::let_go), no other worker gets them.
    fn take_subscribers(&self, now: Timestamp, until: Timestamp, limit: usize) -> Reply<'_, Vec<Subscriber>>;

    /// Gives one back that was taken.
    fn let_go<'a>(&'a self, subscriber: &'a Subscriber) -> Reply<'a, ()>;

    /// Changes that nobody has been told of yet, oldest first.
    fn changes(&self, limit: usize) -> Reply<'_, Vec<Change>>;

    /// Gives changes to those who want to hear of them, by their ids, and takes them off the list. Of each subscriber the
    /// last `kept` events stay, and all that are still to be told.
    fn fan_out(&self, changes: Vec<(Change, Vec<String>)>, kept: u64, now: Timestamp) -> Reply<'_, ()>;

    /// Events of a subscriber by number, from the first to the last, both included.
    fn notices<'a>(&'a self, subscriber: &'a Subscriber, from: u64, to: u64, limit: usize) -> Reply<'a, Vec<Notice>>;

    /// One version of a resource, present or past.
    fn version<'a>(
        &'a self,
        tenant: &'a str,
        kind: &'a str,
        id: &'a str,
        version: u32,
    ) -> Reply<'a, Option<ResourceVersion>>;

    /// Writes what became of an attempt; nothing when the subscriber was changed since it was read.
    fn progress<'a>(&'a self, subscriber: &'a Subscriber, progress: Progress) -> Reply<'a, bool>;
}
