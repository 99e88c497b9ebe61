//! The queue of one machine, inside the process: for those who run without a broker. It may forget everything when the
//! process ends, because the store's outbox is the durable truth and the relay fills it again.

use crate::billing::id::PayerId;
use crate::fault::{Fault, codes};
use crate::queue::{Delivery, Message, Queue, Settle, Work};
use crate::telemetry::name;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Most messages that one payer's lane holds, waiting ones and delayed ones together. What does not fit stays due in the
/// store, so that a backlog costs a bounded share of memory.
pub const MESSAGES_MAX: usize = 100_000;

/// The lanes of all payers.
pub struct EmbeddedQueue {
    lanes: Mutex<HashMap<PayerId, Arc<Lane>>>,
    messages_max: usize,
}

/// What waits for one payer.
#[derive(Default)]
struct Lane {
    state: Mutex<State>,
    /// Told after each change that a waiting consumer must see.
    changed: Notify,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Message>,
    /// What stands in `waiting`: the relay publishes again what waits long, and a second copy would be of no use.
    known: HashSet<Work>,
    /// By time due, those of one time in the order in which they came.
    delayed: BinaryHeap<Reverse<(Instant, u64)>>,
    delayed_messages: BTreeMap<u64, Message>,
    delayed_so_far: u64,
    buried: u64,
}

impl Default for EmbeddedQueue {
    fn default() -> EmbeddedQueue {
        EmbeddedQueue::new()
    }
}

impl EmbeddedQueue {
    pub fn new() -> EmbeddedQueue {
        EmbeddedQueue::holding(MESSAGES_MAX)
    }

    /// One whose lanes hold at most so many messages.
    pub fn holding(messages_max: usize) -> EmbeddedQueue {
        EmbeddedQueue { lanes: Mutex::default(), messages_max }
    }

    /// How many messages of a payer were put aside since the process began.
    pub fn buried(&self, payer: &PayerId) -> u64 {
        self.lane(payer).state().buried
    }

    fn lane(&self, payer: &PayerId) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        match lanes.get(payer) {
            Some(lane) => lane.clone(),
            None => lanes.entry(payer.clone()).or_default().clone(),
        }
    }

    fn take_in(&self, messages: Vec<Message>) -> Vec<Message> {
        let offered = messages.len();
        let mut taken = messages;
        taken.retain(|message| {
            let lane = self.lane(&message.payer);
            let taken = lane.state().push(message, self.messages_max);
            lane.changed.notify_waiters();
            taken
        });
        metrics::counter!(name::QUEUE_PUBLISHED, "outcome" => "confirmed").increment(taken.len() as u64);
        metrics::counter!(name::QUEUE_PUBLISHED, "outcome" => "failed").increment((offered - taken.len()) as u64);
        taken
    }

    fn take_in_later(&self, message: Message, delay: Duration) -> Result<(), Fault> {
        let lane = self.lane(&message.payer);
        let taken = lane.state().delay(message, Instant::now() + delay, self.messages_max);
        lane.changed.notify_waiters();
        match taken {
            true => Ok(()),
            false => Err(full(self.messages_max)),
        }
    }
}

fn full(messages_max: usize) -> Fault {
    Fault::ours(codes::QUEUE, format!("the payer's queue holds {messages_max} messages, which is the most"))
}

impl Lane {
    /// No code under this lock can leave a state half done, so a poisoned one is as good as any.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn next(self: Arc<Lane>, until: Instant) -> Option<Delivery> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Listening begins before the look, lest a message that comes in between wake nobody.
            changed.as_mut().enable();
            let due = match self.state().pop(Instant::now()) {
                Ok(message) => return Some(deliver(self.clone(), message)),
                Err(due) => due,
            };
            let wake = due.map_or(until, |due| due.min(until));
            let woken = tokio::time::timeout_at(wake, changed).await.is_ok();
            if !woken && wake == until && Instant::now() >= until {
                return self.state().pop(Instant::now()).ok().map(|message| deliver(self.clone(), message));
            }
        }
    }
}

impl State {
    fn len(&self) -> usize {
        self.waiting.len() + self.delayed_messages.len()
    }

    /// Whether the message waits now; one that waited before is not put in twice.
    fn push(&mut self, message: &Message, messages_max: usize) -> bool {
        if self.known.contains(&message.work) {
            return true;
        }
        let fits = self.len() < messages_max;
        if fits {
            self.known.insert(message.work.clone());
            self.waiting.push_back(message.clone());
        }
        fits
    }

    fn delay(&mut self, message: Message, due: Instant, messages_max: usize) -> bool {
        let fits = self.len() < messages_max;
        if fits {
            self.delayed_so_far += 1;
            self.delayed.push(Reverse((due, self.delayed_so_far)));
            self.delayed_messages.insert(self.delayed_so_far, message);
        }
        fits
    }

    /// The message whose turn it is; else when the next delayed one is due.
    fn pop(&mut self, now: Instant) -> Result<Message, Option<Instant>> {
        self.ripen(now);
        match self.waiting.pop_front() {
            Some(message) => {
                self.known.remove(&message.work);
                Ok(message)
            }
            None => Err(self.delayed.peek().map(|Reverse((due, _))| *due)),
        }
    }

    /// Moves what is due to the end of the line.
    fn ripen(&mut self, now: Instant) {
        while let Some(Reverse((due, number))) = self.delayed.peek().copied()
            && due <= now
        {
            self.delayed.pop();
            if let Some(message) = self.delayed_messages.remove(&number) {
                self.push(&message, usize::MAX);
            }
        }
    }

    /// Puts a message in front again; it was here before, so it always fits.
    fn put_back(&mut self, message: Message) {
        if self.known.insert(message.work.clone()) {
            self.waiting.push_front(message);
        }
    }
}

/// A message in somebody's hands: dropped without being settled, it goes back.
struct Held {
    lane: Arc<Lane>,
    message: Option<Message>,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(message) = self.message.take() {
            self.lane.state().put_back(message);
            self.lane.changed.notify_waiters();
        }
    }
}

fn deliver(lane: Arc<Lane>, message: Message) -> Delivery {
    let mut held = Held { lane, message: Some(message.clone()) };
    let settle = move |how| {
        if how == Settle::Done {
            held.message = None;
        }
        drop(held);
        ready(Ok(())).boxed()
    };
    Delivery { message, settle: Box::new(settle) }
}

impl Queue for EmbeddedQueue {
    fn publish(&self, messages: Vec<Message>) -> BoxFuture<'_, Result<Vec<Message>, Fault>> {
        ready(Ok(self.take_in(messages))).boxed()
    }

    fn publish_after(&self, message: Message, delay: Duration) -> BoxFuture<'_, Result<(), Fault>> {
        ready(self.take_in_later(message, delay)).boxed()
    }

    fn bury(&self, message: Message, _reason: &str) -> BoxFuture<'_, Result<(), Fault>> {
        metrics::counter!(name::DEAD_LETTERS, "payer" => message.payer.0.clone()).increment(1);
        self.lane(&message.payer).state().buried += 1;
        ready(Ok(())).boxed()
    }

    fn next<'a>(&'a self, payer: &'a PayerId, wait: Duration) -> BoxFuture<'a, Result<Option<Delivery>, Fault>> {
        let until = Instant::now() + wait;
        self.lane(payer).next(until).map(Ok).boxed()
    }

    fn ready(&self) -> bool {
        true
    }

    fn depth<'a>(&'a self, payer: &'a PayerId) -> BoxFuture<'a, Option<u64>> {
        ready(Some(self.lane(payer).state().len() as u64)).boxed()
    }
}

#[cfg(test)]
mod tests;
