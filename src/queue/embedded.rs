//! The queue inside one process. It forgets everything when the process ends, and may: the outbox of the store is the
//! truth, and the relay publishes again what is still due.

use super::{Delivery, Message, Queue, Settle};
use crate::billing::id::PayerId;
use crate::fault::Fault;
use futures_util::future::{BoxFuture, FutureExt, ready};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Most messages that wait, for all payers together; what comes above stays due in the outbox.
pub const WAITING_MOST: usize = 100_000;

/// Most messages put aside; the oldest go first. The store knows all that have failed.
pub const BURIED_MOST: usize = 1_000;

pub struct EmbeddedQueue {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    waiting_most: usize,
}

#[derive(Default)]
struct State {
    payers: HashMap<PayerId, Line>,
    /// Messages that wait, delayed ones included.
    waiting: usize,
    buried: VecDeque<Message>,
}

/// One payer's messages.
#[derive(Default)]
struct Line {
    ready: VecDeque<Message>,
    /// The same as `ready`: what waits already is not put in a second time.
    known: HashSet<Message>,
    /// By the time when they become ready; the number keeps two of one time apart.
    delayed: BTreeMap<(Instant, u64), Message>,
    delays: u64,
    arrived: Arc<Notify>,
}

/// What a look at a line gave.
enum Look {
    Found(Message),
    /// Nothing yet: when the next delayed message becomes ready, and who tells of a new one.
    Wait(Option<Instant>, Arc<Notify>),
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the message waits now (or did already).
    fn put(&self, message: &Message) -> bool {
        let mut state = self.state();
        let full = state.waiting >= self.waiting_most;
        let line = state.payers.entry(message.payer.clone()).or_default();
        if line.known.contains(message) {
            return true;
        }
        if full {
            return false;
        }
        line.push(message.clone());
        state.waiting += 1;
        true
    }

    fn put_after(&self, message: Message, at: Instant) -> bool {
        let mut state = self.state();
        if state.waiting >= self.waiting_most {
            return false;
        }
        state.waiting += 1;
        let line = state.payers.entry(message.payer.clone()).or_default();
        line.delays += 1;
        line.delayed.insert((at, line.delays), message);
        // Who waits for a later one must wake up sooner.
        line.arrived.notify_one();
        true
    }

    /// A delivery that was not settled comes first again; it had its place already, so no limit holds it off.
    fn put_back(&self, message: Message) {
        let mut state = self.state();
        let line = state.payers.entry(message.payer.clone()).or_default();
        if line.known.insert(message.clone()) {
            line.ready.push_front(message);
            line.arrived.notify_one();
            state.waiting += 1;
        }
    }

    fn look(&self, payer: &PayerId) -> Look {
        let mut state = self.state();
        let line = state.payers.entry(payer.clone()).or_default();
        let doubled = line.ripen(Instant::now());
        let look = line.pop();
        let taken = usize::from(matches!(look, Look::Found(_)));
        state.waiting = state.waiting.saturating_sub(doubled + taken);
        look
    }
}

impl Line {
    fn push(&mut self, message: Message) {
        self.known.insert(message.clone());
        self.ready.push_back(message);
        self.arrived.notify_one();
    }

    fn pop(&mut self) -> Look {
        match self.ready.pop_front() {
            Some(message) => {
                self.known.remove(&message);
                Look::Found(message)
            }
            None => Look::Wait(self.delayed.keys().next().map(|(at, _)| *at), self.arrived.clone()),
        }
    }

    /// Makes ready what was delayed until now; answers how many of them waited already.
    fn ripen(&mut self, now: Instant) -> usize {
        let mut doubled = 0;
        while let Some(first) = self.delayed.first_entry().filter(|first| first.key().0 <= now) {
            let message = first.remove();
            if self.known.contains(&message) {
                doubled += 1;
            } else {
                self.push(message);
            }
        }
        doubled
    }
}

impl Default for EmbeddedQueue {
    fn default() -> EmbeddedQueue {
        EmbeddedQueue::new()
    }
}

impl EmbeddedQueue {
    pub fn new() -> EmbeddedQueue {
        EmbeddedQueue::holding(WAITING_MOST)
    }

    /// A queue that takes at most so many messages.
    pub fn holding(waiting_most: usize) -> EmbeddedQueue {
        EmbeddedQueue { shared: Arc::new(Shared { state: Mutex::default(), waiting_most }) }
    }

    async fn wait_for(&self, payer: &PayerId, deadline: Instant) -> Option<Delivery> {
        loop {
            let (ripe, arrived) = match self.shared.look(payer) {
                Look::Found(message) => return Some(delivery(self.shared.clone(), message)),
                Look::Wait(ripe, arrived) => (ripe, arrived),
            };
            if Instant::now() >= deadline {
                return None;
            }
            let until = ripe.map_or(deadline, |ripe| ripe.min(deadline));
            // Woken or not: look again.
            let _ = tokio::time::timeout_at(until, arrived.notified()).await;
        }
    }
}

/// Gives the message back unless it is disarmed.
struct Open {
    shared: Arc<Shared>,
    message: Option<Message>,
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(message) = self.message.take() {
            self.shared.put_back(message);
        }
    }
}

fn delivery(shared: Arc<Shared>, message: Message) -> Delivery {
    let mut open = Open { shared, message: Some(message.clone()) };
    let settle = move |how| {
        if how == Settle::Done {
            open.message = None;
        }
        drop(open);
        ready(Ok(())).boxed()
    };
    Delivery { message, settle: Box::new(settle) }
}

impl Queue for EmbeddedQueue {
    fn publish(&self, messages: Vec<Message>) -> BoxFuture<'_, Result<Vec<Message>, Fault>> {
        ready(Ok(messages.into_iter().filter(|message| self.shared.put(message)).collect())).boxed()
    }

    fn publish_after(&self, message: Message, delay: Duration) -> BoxFuture<'_, Result<(), Fault>> {
        let taken = self.shared.put_after(message, Instant::now() + delay);
        ready(if taken { Ok(()) } else { Err(super::unavailable("it is full")) }).boxed()
    }

    fn bury(&self, message: Message, _reason: &str) -> BoxFuture<'_, Result<(), Fault>> {
        let mut state = self.shared.state();
        state.buried.push_back(message);
        if state.buried.len() > BURIED_MOST {
            state.buried.pop_front();
        }
        ready(Ok(())).boxed()
    }

    fn next<'a>(&'a self, payer: &'a PayerId, wait: Duration) -> BoxFuture<'a, Result<Option<Delivery>, Fault>> {
        async move { Ok(self.wait_for(payer, Instant::now() + wait).await) }.boxed()
    }

    fn ready(&self) -> bool {
        true
    }

    fn depth<'a>(&'a self, payer: &'a PayerId) -> BoxFuture<'a, Option<u64>> {
        let waiting = self.shared.state().payers.get(payer).map_or(0, |line| line.ready.len());
        ready(Some(waiting as u64)).boxed()
    }

    fn buried(&self) -> BoxFuture<'_, Option<u64>> {
        ready(Some(self.shared.state().buried.len() as u64)).boxed()
    }
}
