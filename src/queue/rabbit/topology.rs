//! What stands in the broker. All of it is durable, and declaring it again changes nothing.
//!
//! ```text
//! claimgate.out        direct exchange ──payer id──▶ claimgate.out.<payer>   one queue a payer
//! claimgate.wait.30s   fanout exchange ────────────▶ claimgate.wait.30s      one queue a delay step; what has waited
//!                                                                            goes to claimgate.out, key unchanged
//! claimgate.dead       fanout exchange ────────────▶ claimgate.dead          what was put aside, can't be read, or was
//!                                                                            handed out too often
//! ```

use crate::billing::id::PayerId;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, ExchangeKind};
use std::time::Duration;

pub const OUT: &str = "claimgate.out";
pub const DEAD: &str = "claimgate.dead";

/// Times that a message is handed out and comes back unsettled before it is put aside: each time a worker has died over
/// it. (RabbitMQ counts redeliveries, so it is handed out once more than this.)
const REDELIVERIES_MOST: i64 = 50;

/// One delay step. A queue of its own for each keeps a long delay from holding up a short one behind it.
pub struct Step {
    pub name: &'static str,
    pub delay: Duration,
}

const fn step(name: &'static str, seconds: u64) -> Step {
    Step { name, delay: Duration::from_secs(seconds) }
}

/// The delay steps, shortest first.
pub const STEPS: &[Step] = &[
    step("1s", 1),
    step("5s", 5),
    step("30s", 30),
    step("2m", 120),
    step("15m", 900),
    step("1h", 3_600),
    step("6h", 21_600),
];

impl Step {
    /// The shortest step that is not shorter than the delay; the longest when there is none. `None` for no delay.
    pub fn of(delay: Duration) -> Option<&'static Step> {
        if delay.is_zero() {
            return None;
        }
        STEPS.iter().find(|step| step.delay >= delay).or(STEPS.last())
    }

    /// Name of its exchange and of its queue.
    pub fn wait(&self) -> String {
        format!("claimgate.wait.{}", self.name)
    }
}

/// Name of a payer's queue.
pub fn queue_of(payer: &PayerId) -> String {
    format!("{OUT}.{payer}")
}

/// Declares what all payers share.
pub async fn declare_shared(channel: &Channel) -> lapin::Result<()> {
    exchange(channel, OUT, ExchangeKind::Direct).await?;
    exchange(channel, DEAD, ExchangeKind::Fanout).await?;
    queue(channel, DEAD, quorum()).await?;
    bind(channel, DEAD, DEAD, "").await?;
    for step in STEPS {
        let name = step.wait();
        exchange(channel, &name, ExchangeKind::Fanout).await?;
        let mut arguments = letters_to(OUT);
        arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(step.delay.as_millis() as i64));
        queue(channel, &name, arguments).await?;
        bind(channel, &name, &name, "").await?;
    }
    Ok(())
}

/// Declares a payer's queue; answers how many messages wait in it.
pub async fn declare_payer(channel: &Channel, payer: &PayerId) -> lapin::Result<u32> {
    let name = queue_of(payer);
    let mut arguments = letters_to(DEAD);
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(REDELIVERIES_MOST));
    let waiting = queue(channel, &name, arguments).await?;
    bind(channel, &name, OUT, payer.as_str()).await?;
    Ok(waiting)
}

/// How many messages lie in the dead-letter queue.
pub async fn count_dead(channel: &Channel) -> lapin::Result<u32> {
    queue(channel, DEAD, quorum()).await
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments
}

/// A quorum queue whose letters go to `exchange` and are kept until they have arrived there.
fn letters_to(exchange: &str) -> FieldTable {
    let mut arguments = quorum();
    for (name, value) in [
        ("x-dead-letter-exchange", exchange),
        ("x-dead-letter-strategy", "at-least-once"),
        // The strategy asks for it.
        ("x-overflow", "reject-publish"),
    ] {
        arguments.insert(name.into(), AMQPValue::LongString(value.into()));
    }
    arguments
}

async fn exchange(channel: &Channel, name: &str, kind: ExchangeKind) -> lapin::Result<()> {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(short(name), kind, options, FieldTable::default()).await
}

async fn queue(channel: &Channel, name: &str, arguments: FieldTable) -> lapin::Result<u32> {
    Ok(channel.queue_declare(short(name), QueueDeclareOptions::durable(), arguments).await?.message_count())
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> lapin::Result<()> {
    let options = QueueBindOptions::default();
    channel.queue_bind(short(queue), short(exchange), short(key), options, FieldTable::default()).await
}

/// A name as AMQP takes it, at most 255 bytes; ids of payers are far shorter.
pub fn short(name: &str) -> ShortString {
    let mut end = name.len().min(SHORT_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].into()
}

/// Bytes of a short string.
const SHORT_MAX: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_where_the_protocol_does() {
        assert_eq!(short(&"a".repeat(255)).as_str().len(), 255);
        assert_eq!(short(&"ä".repeat(200)).as_str().len(), 254);
    }

    #[test]
    fn a_delay_is_rounded_up_to_its_step() {
        let cases: &[(u64, Option<&str>)] = &[
            (0, None),
            (1, Some("1s")),
            (1_000, Some("1s")),
            (1_001, Some("5s")),
            (30_000, Some("30s")),
            (30_001, Some("2m")),
            (3_600_000, Some("1h")),
            (21_600_000, Some("6h")),
            (21_600_001, Some("6h")),
        ];
        for (millis, name) in cases {
            let step = Step::of(Duration::from_millis(*millis));
            assert_eq!(step.map(|step| step.name), *name, "{millis} ms");
        }
        assert!(STEPS.windows(2).all(|pair| pair[0].delay < pair[1].delay));
    }
}
