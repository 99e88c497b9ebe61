//! The queue between accepting a claim and sending it. It carries ids and no PHI; the store is the truth, so a message
//! that is lost is published again by the relay, and a message that comes twice changes nothing.

use crate::billing::id::{InterchangeId, PayerId, SubmissionId};
use crate::fault::Fault;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub mod embedded;
pub mod rabbit;

/// Messages of one payer that may be held unsettled.
pub const AHEAD: u16 = 64;

/// Most submissions that one message may name. A message costs the broker more than a claim costs us: under load one
/// message brings many.
pub const SUBMISSIONS_MOST: usize = 100;

/// What a message asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Work {
    /// Put these submissions into interchanges and send them; [`SUBMISSIONS_MOST`] at most.
    Submissions(Vec<SubmissionId>),
    /// Send the sealed interchange (again).
    Interchange(InterchangeId),
}

/// A message for one payer's queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Message {
    pub payer: PayerId,
    pub work: Work,
}

/// How a delivery is settled. The closure that is dropped instead of called gives the message back.
type Settling = Box<dyn FnOnce(Settle) -> BoxFuture<'static, Result<(), Fault>> + Send>;

/// A message that was handed to us; it comes back unless it is settled.
pub struct Delivery {
    pub message: Message,
    pub(crate) settle: Settling,
}

/// How a delivery ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settle {
    Done,
    /// Give it back at once: we are shutting down.
    Back,
}

impl Delivery {
    pub async fn done(self) -> Result<(), Fault> {
        (self.settle)(Settle::Done).await
    }

    pub async fn back(self) -> Result<(), Fault> {
        (self.settle)(Settle::Back).await
    }
}

/// A queue. Every call has a time-out of its own; a call that fails may be repeated.
pub trait Queue: Send + Sync {
    /// Publishes messages and waits until each is confirmed and routed. Answers those that were; the others stay due.
    fn publish(&self, messages: Vec<Message>) -> BoxFuture<'_, Result<Vec<Message>, Fault>>;

    /// Publishes one message that shall be delivered after a delay, not before it. RabbitMQ rounds it up to its next delay
    /// step; a delay above the longest step is cut to it.
    fn publish_after(&self, message: Message, delay: Duration) -> BoxFuture<'_, Result<(), Fault>>;

    /// Puts a message aside for people: the dead letters. Of the reason only our code (`CG-nnnn`) goes along, the rest
    /// stands in the store.
    fn bury(&self, message: Message, reason: &str) -> BoxFuture<'_, Result<(), Fault>>;

    /// Next delivery of a payer's queue; waits for at most `wait`, then `None`. Declares the queue when it is new.
    fn next<'a>(&'a self, payer: &'a PayerId, wait: Duration) -> BoxFuture<'a, Result<Option<Delivery>, Fault>>;

    /// Whether messages can be published now: for `/health/ready`.
    fn ready(&self) -> bool;

    /// How many messages wait for a payer; `None` when it can't be told.
    fn depth<'a>(&'a self, payer: &'a PayerId) -> BoxFuture<'a, Option<u64>>;

    /// How many messages were put aside; `None` when it can't be told.
    fn buried(&self) -> BoxFuture<'_, Option<u64>>;
}

/// The queue can't do it now.
fn unavailable(why: &str) -> Fault {
    Fault::ours(crate::fault::codes::QUEUE, format!("the queue could not take or give it: {why}"))
}
