//! RabbitMQ behind the trait `Queue`. This build holds no connection yet: every URL is refused.

use crate::billing::id::PayerId;
use crate::fault::{Fault, codes};
use crate::queue::{Delivery, Message, Queue};
use futures_util::future::BoxFuture;
use std::time::Duration;

/// Can't be had in this build.
pub enum RabbitQueue {}

impl RabbitQueue {
    pub fn connect(_url: &str) -> Result<RabbitQueue, Fault> {
        Err(Fault::ours(codes::CONFIGURATION, "this build can't connect to RabbitMQ"))
    }
}

impl Queue for RabbitQueue {
    fn publish(&self, _messages: Vec<Message>) -> BoxFuture<'_, Result<Vec<Message>, Fault>> {
        match *self {}
    }

    fn publish_after(&self, _message: Message, _delay: Duration) -> BoxFuture<'_, Result<(), Fault>> {
        match *self {}
    }

    fn bury(&self, _message: Message, _reason: &str) -> BoxFuture<'_, Result<(), Fault>> {
        match *self {}
    }

    fn next<'a>(&'a self, _payer: &'a PayerId, _wait: Duration) -> BoxFuture<'a, Result<Option<Delivery>, Fault>> {
        match *self {}
    }

    fn ready(&self) -> bool {
        match *self {}
    }

    fn depth<'a>(&'a self, _payer: &'a PayerId) -> BoxFuture<'a, Option<u64>> {
        match *self {}
    }
}
