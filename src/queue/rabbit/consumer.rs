//! Consuming: one channel and one consumer a payer, made anew with each link.

use super::link::{Link, Links, answer};
use super::topology::{queue_of, short};
use crate::billing::id::PayerId;
use crate::fault::Fault;
use crate::queue::{Delivery, Message, Settle, unavailable};
use futures_util::StreamExt;
use futures_util::future::FutureExt;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

/// Messages that are handed to this process ahead, a payer.
const PREFETCH: u16 = super::super::AHEAD;

/// Pause before a consumer that was lost is made anew.
const PAUSE: Duration = Duration::from_millis(100);

/// A payer's consumer; who waits for a message holds the lock.
pub type Slot = Arc<tokio::sync::Mutex<Option<Consuming>>>;

pub struct Consuming {
    /// Number of the link that it belongs to.
    link: u64,
    channel: Channel,
    consumer: Consumer,
}

/// The next delivery, if one comes until the deadline. Making a consumer for a new link has time-outs of its own and may
/// take longer: cut short each time, it would never be made.
pub async fn next(
    mut links: Links,
    payer: &PayerId,
    slot: &Slot,
    deadline: Instant,
) -> Result<Option<Delivery>, Fault> {
    let Ok(mut consuming) = timeout_at(deadline, slot.lock()).await else { return Ok(None) };
    loop {
        let Ok(link) = timeout_at(deadline, present(&mut links)).await else { return Ok(None) };
        let link = link?;
        let current = match consuming.take().filter(|consuming| consuming.link == link.number) {
            Some(current) => consuming.insert(current),
            None => consuming.insert(consume(&link, payer).await?),
        };
        let came = tokio::select! {
            biased;
            came = current.consumer.next() => came,
            // This link is gone: look for the next.
            _ = links.changed() => continue,
            () = sleep_until(deadline) => return Ok(None),
        };
        match came {
            Some(Ok(delivery)) => {
                if let Some(delivery) = read(current.channel.clone(), delivery) {
                    return Ok(Some(delivery));
                }
            }
            // The channel or the queue is gone.
            _ => {
                *consuming = None;
                link.forget(payer);
                sleep(PAUSE).await;
            }
        }
    }
}

/// The link, as soon as there is one.
pub async fn present(links: &mut Links) -> Result<Arc<Link>, Fault> {
    let link = links.wait_for(Option::is_some).await.map_err(|_| unavailable("it has been shut down"))?;
    link.clone().ok_or_else(|| unavailable("there is no connection"))
}

async fn consume(link: &Link, payer: &PayerId) -> Result<Consuming, Fault> {
    link.declare(payer).await?;
    let channel = link.channel().await?;
    answer("set the prefetch", channel.basic_qos(PREFETCH, BasicQosOptions::default())).await?;
    let options = BasicConsumeOptions::default();
    let consumer = channel.basic_consume(short(&queue_of(payer)), short(""), options, FieldTable::default());
    let consumer = answer("consume", consumer).await?;
    Ok(Consuming { link: link.number, channel, consumer })
}

/// A delivery that is not settled goes back to the broker. It keeps its channel open.
struct Open {
    delivery: Option<lapin::message::Delivery>,
    _channel: Channel,
    runtime: Handle,
}

impl Open {
    /// Nothing is left to be given back.
    fn close(mut self) {
        self.delivery = None;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(delivery) = self.delivery.take() {
            self.runtime.spawn(async move { nack(&delivery, true).await });
        }
    }
}

async fn nack(delivery: &lapin::message::Delivery, requeue: bool) -> Result<(), Fault> {
    let options = BasicNackOptions { requeue, ..BasicNackOptions::default() };
    settled(answer("give back", delivery.acker.nack(options)).await?)
}

async fn ack(delivery: &lapin::message::Delivery) -> Result<(), Fault> {
    settled(answer("acknowledge", delivery.acker.ack(BasicAckOptions::default())).await?)
}

/// What was handed out over a connection that is gone can't be settled: the broker hands it out again.
fn settled(taken: bool) -> Result<(), Fault> {
    if taken { Ok(()) } else { Err(unavailable("the connection that it came over is gone")) }
}

/// Makes a delivery of ours; `None` for what is no message of ours: it goes to the dead letters.
fn read(channel: Channel, delivery: lapin::message::Delivery) -> Option<Delivery> {
    let runtime = Handle::current();
    let Ok(message) = serde_json::from_slice::<Message>(&delivery.data) else {
        tracing::warn!("a message that can't be read goes to the dead letters");
        runtime.spawn(async move { nack(&delivery, false).await });
        return None;
    };
    let open = Open { delivery: Some(delivery), _channel: channel, runtime };
    let settle = move |how| {
        async move {
            let Some(delivery) = &open.delivery else { return Ok(()) };
            match how {
                Settle::Done => ack(delivery).await?,
                Settle::Back => nack(delivery, true).await?,
            }
            open.close();
            Ok(())
        }
        .boxed()
    };
    Some(Delivery { message, settle: Box::new(settle) })
}
