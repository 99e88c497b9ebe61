//! The queue in RabbitMQ: [`topology`] says what stands there, [`link`] keeps a connection, [`publisher`] and
//! [`consumer`] use it. Whatever happens to the broker, nothing here has to be started again.

use super::{Delivery, Message, Queue, unavailable};
use crate::billing::id::PayerId;
use crate::fault::{Fault, Place, codes};
use consumer::Slot;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream;
use link::{Link, Links};
use publisher::{Envelope, IN_FLIGHT};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

mod consumer;
mod link;
mod publisher;
mod topology;

/// Longest wait for a connection before a call fails.
const CONNECTION: Duration = Duration::from_secs(5);

pub struct RabbitQueue {
    links: Links,
    supervisor: JoinHandle<()>,
    in_flight: Semaphore,
    slots: Mutex<HashMap<PayerId, Slot>>,
}

impl RabbitQueue {
    /// Connects in the background, now and whenever the connection is lost. Only a URL that can't be read is refused.
    pub fn connect(url: &str) -> Result<RabbitQueue, Fault> {
        let uri = link::uri(url).map_err(|_| {
            let text = "the AMQP URL can't be read";
            Fault::refuse(codes::CONFIGURATION, Place::Whole, text, "write amqp://user:password@host:port/vhost")
        })?;
        let (sender, links) = watch::channel(None);
        Ok(RabbitQueue {
            links,
            supervisor: tokio::spawn(link::supervise(uri, sender)),
            in_flight: Semaphore::new(IN_FLIGHT),
            slots: Mutex::default(),
        })
    }

    async fn link(&self) -> Result<Arc<Link>, Fault> {
        let mut links = self.links.clone();
        let waited = tokio::time::timeout(CONNECTION, consumer::present(&mut links)).await;
        waited.unwrap_or_else(|_| Err(unavailable("there is no connection to the broker")))
    }

    fn slot(&self, payer: &PayerId) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(payer.clone()).or_default().clone()
    }

    async fn send(&self, message: &Message, envelope: &Envelope) -> Result<(), Fault> {
        let _permit = self.in_flight.acquire().await.map_err(|_| unavailable("it has been shut down"))?;
        let link = self.link().await?;
        publisher::publish(&link, message, envelope).await
    }

    async fn send_all(&self, messages: Vec<Message>) -> Result<Vec<Message>, Fault> {
        let envelope = &Envelope::now();
        let sending = stream::iter(messages)
            .map(|message| async move { self.send(&message, envelope).await.map(|()| message) })
            .buffered(IN_FLIGHT);
        let outcomes: Vec<Result<Message, Fault>> = sending.collect().await;
        let fault = outcomes.iter().find_map(|outcome| outcome.as_ref().err().cloned());
        let sent: Vec<Message> = outcomes.into_iter().flatten().collect();
        match fault {
            Some(fault) if sent.is_empty() => Err(fault),
            _ => Ok(sent),
        }
    }
}

impl Drop for RabbitQueue {
    fn drop(&mut self) {
        self.supervisor.abort();
        // What was handed out and is not settled goes back to the broker now, not with the last of the deliveries.
        let link = self.links.borrow().clone();
        if let (Some(link), Ok(runtime)) = (link, tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move { link.close().await });
        }
    }
}

impl Queue for RabbitQueue {
    fn publish(&self, messages: Vec<Message>) -> BoxFuture<'_, Result<Vec<Message>, Fault>> {
        self.send_all(messages).boxed()
    }

    fn publish_after(&self, message: Message, delay: Duration) -> BoxFuture<'_, Result<(), Fault>> {
        async move { self.send(&message, &Envelope::after(delay)).await }.boxed()
    }

    fn bury(&self, message: Message, reason: &str) -> BoxFuture<'_, Result<(), Fault>> {
        let envelope = Envelope::dead(reason);
        async move { self.send(&message, &envelope).await }.boxed()
    }

    fn next<'a>(&'a self, payer: &'a PayerId, wait: Duration) -> BoxFuture<'a, Result<Option<Delivery>, Fault>> {
        let slot = self.slot(payer);
        async move { consumer::next(self.links.clone(), payer, &slot, Instant::now() + wait).await }.boxed()
    }

    fn ready(&self) -> bool {
        self.links.borrow().as_ref().is_some_and(|link| link.usable())
    }

    fn depth<'a>(&'a self, payer: &'a PayerId) -> BoxFuture<'a, Option<u64>> {
        async move { self.link().await.ok()?.depth(payer).await.ok().map(u64::from) }.boxed()
    }

    fn buried(&self) -> BoxFuture<'_, Option<u64>> {
        async move { self.link().await.ok()?.dead().await.ok().map(u64::from) }.boxed()
    }
}
