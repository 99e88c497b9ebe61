//! RabbitMQ keeps the contract of every queue, and nothing that it confirmed is lost when the broker goes.

use crate::support::queue_contract::{self as contract, SOON, message, next, payer};
use crate::support::rabbit::Broker;
use claimgate::billing::id::PayerId;
use claimgate::queue::rabbit::RabbitQueue;
use claimgate::queue::{Message, Queue};
use futures_util::StreamExt;
use lapin::message::BasicGetMessage;
use lapin::options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// One broker serves all that does not need it to fail: it takes seconds to start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_broker() {
    let broker = Broker::start_new();
    let queue = RabbitQueue::connect(&broker.url()).unwrap();
    contract::what_is_published_comes(&queue).await;
    contract::many_at_once_come_each_once(&queue).await;
    contract::each_payer_has_a_line_of_its_own(&queue).await;
    contract::what_is_not_settled_comes_back(&queue).await;
    contract::a_wait_ends(&queue).await;
    contract::a_delay_is_kept(&queue).await;
    contract::what_is_buried_stays_aside(&queue).await;
    contract::the_depth_is_told(&queue).await;

    let (_connection, raw) = raw(&broker).await;
    only_ids_are_in_a_message(&queue, &raw).await;
    a_foreign_message_goes_to_the_dead(&queue, &raw).await;
    an_unroutable_message_is_a_failure(&queue, &broker).await;
    a_lost_queue_is_made_again(&queue, &broker).await;
    a_second_gateway_shares_the_work(&queue, &broker).await;
}

/// A look at the broker past our own code.
async fn raw(broker: &Broker) -> (Connection, Channel) {
    let connection = Connection::connect(&broker.url(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

async fn get(raw: &Channel, queue: &str) -> Option<BasicGetMessage> {
    raw.basic_get(queue.into(), BasicGetOptions { no_ack: true }).await.unwrap()
}

async fn only_ids_are_in_a_message(queue: &RabbitQueue, raw: &Channel) {
    let payer = payer("ids");
    let published = message(&payer);
    queue.publish(vec![published.clone()]).await.unwrap();
    let got = get(raw, "claimgate.out.ids").await.unwrap();
    assert_eq!(serde_json::from_slice::<Message>(&got.data).unwrap(), published);
    assert_eq!(got.properties.delivery_mode(), &Some(2), "persistent");
    assert_eq!(got.properties.content_type().as_ref().map(|kind| kind.as_str()), Some("application/json"));
    assert_eq!(own_headers(&got), [] as [&str; 0]);
    while get(raw, "claimgate.dead").await.is_some() {}
    queue.bury(published, "CG-3002 at Claim: Jane Roe is not covered").await.unwrap();
    let got = get(raw, "claimgate.dead").await.unwrap();
    assert_eq!(own_headers(&got), ["x-reason"]);
    let headers = got.properties.headers().as_ref().unwrap();
    let reason = headers.inner().get("x-reason").and_then(|value| value.as_long_string()).unwrap();
    assert_eq!(reason.to_string(), "CG-3002", "no words of a payer's");
}

/// Names of the headers, but for the one that a quorum queue adds by itself.
fn own_headers(got: &BasicGetMessage) -> Vec<&str> {
    let headers = got.properties.headers().iter().flat_map(|headers| headers.inner().keys());
    headers.map(|name| name.as_str()).filter(|name| *name != "x-delivery-count").collect()
}

async fn a_foreign_message_goes_to_the_dead(queue: &RabbitQueue, raw: &Channel) {
    let payer = payer("ids");
    let before = queue.buried().await.unwrap();
    raw.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    let confirm = raw.basic_publish("".into(), "claimgate.out.ids".into(), options, b"hello", properties).await;
    assert!(confirm.unwrap().await.unwrap().is_ack());
    assert!(queue.next(&payer, Duration::from_secs(1)).await.unwrap().is_none());
    let begin = Instant::now();
    while queue.buried().await != Some(before + 1) {
        assert!(begin.elapsed() < SOON, "it is not among the dead letters");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn an_unroutable_message_is_a_failure(queue: &RabbitQueue, broker: &Broker) {
    let payer = payer("unroutable");
    queue.publish(vec![message(&payer)]).await.unwrap();
    broker.ctl(&["delete_queue", "claimgate.out.unroutable"]);
    let lost = message(&payer);
    assert!(queue.publish(vec![lost.clone()]).await.is_err(), "acknowledged by the broker, and yet nowhere");
    // The failure tells that the queue is gone: next time it is made.
    assert_eq!(queue.publish(vec![lost.clone()]).await.unwrap(), std::slice::from_ref(&lost));
    let delivery = next(queue, &payer).await;
    assert_eq!(delivery.message, lost);
    delivery.done().await.unwrap();
}

async fn a_lost_queue_is_made_again(queue: &RabbitQueue, broker: &Broker) {
    let payer = payer("deleted");
    assert!(queue.next(&payer, Duration::from_millis(100)).await.unwrap().is_none());
    broker.ctl(&["delete_queue", "claimgate.out.deleted"]);
    // The consumer notices by itself; who publishes has to be told once. What the dying queue confirmed is lost with it:
    // as the relay does, publish again what was not sealed.
    let publishing = async {
        loop {
            let _ = queue.publish(vec![message(&payer)]).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let delivery = tokio::select! {
        delivery = next(queue, &payer) => delivery,
        () = publishing => unreachable!("it publishes for ever"),
    };
    delivery.done().await.unwrap();
}

async fn a_second_gateway_shares_the_work(queue: &RabbitQueue, broker: &Broker) {
    let payer = payer("shared");
    let second = RabbitQueue::connect(&broker.url()).unwrap();
    let messages: HashSet<Message> = (0..200).map(|_| message(&payer)).collect();
    let (half, other_half): (Vec<_>, Vec<_>) = messages.iter().cloned().partition(|m| m.work_is_even());
    let (a, b) = tokio::join!(queue.publish(half), second.publish(other_half));
    assert_eq!(a.unwrap().len() + b.unwrap().len(), 200);
    // One of them dies with work in hand: the other gets it.
    let held: Vec<_> = futures_util::stream::iter(0..10).then(|_| next(&second, &payer)).collect().await;
    assert_eq!(held.len(), 10);
    drop(second);
    let mut taken = HashSet::new();
    while taken.len() < messages.len() {
        let delivery = next(queue, &payer).await;
        taken.insert(delivery.message.clone());
        delivery.done().await.unwrap();
    }
    assert_eq!(taken, messages);
    drop(held);
}

trait Halves {
    fn work_is_even(&self) -> bool;
}

impl Halves for Message {
    fn work_is_even(&self) -> bool {
        serde_json::to_string(self).unwrap().bytes().map(u32::from).sum::<u32>() % 2 == 0
    }
}

#[tokio::test]
async fn without_a_broker_nothing_is_promised() {
    assert!(RabbitQueue::connect("http://example.org").is_err());
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let queue = RabbitQueue::connect(&format!("amqp://127.0.0.1:{free}/%2f")).unwrap();
    assert!(!queue.ready());
    let payer = payer("nowhere");
    let waiting = queue.next(&payer, Duration::from_millis(100));
    let (published, delayed, waited, depth) = tokio::join!(
        queue.publish(vec![message(&payer)]),
        queue.publish_after(message(&payer), Duration::from_secs(1)),
        waiting,
        queue.depth(&payer),
    );
    assert!(published.is_err() && delayed.is_err());
    assert!(waited.unwrap().is_none());
    assert_eq!(depth, None);
}

/// The broker goes away in the middle of publishing, once in good order and once as in a power cut, and comes again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_loses_nothing_that_was_confirmed() {
    let mut broker = Broker::start_new();
    let queue = Arc::new(RabbitQueue::connect(&broker.url()).unwrap());
    let payer = payer("outage");
    next_after_publishing(&queue, &payer).await;
    let publishing = tokio::spawn(publish_until(queue.clone(), payer.clone(), 3_000));
    let published = Arc::new(AtomicBool::new(false));
    let consuming = tokio::spawn(consume(queue.clone(), payer.clone(), published.clone()));
    for orderly in [true, false] {
        tokio::time::sleep(Duration::from_millis(700)).await;
        tokio::task::block_in_place(|| if orderly { broker.stop() } else { broker.kill() });
        wait_until(&queue, false).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        tokio::task::block_in_place(|| broker.start());
        wait_until(&queue, true).await;
    }
    let (confirmed, failures) = publishing.await.unwrap();
    published.store(true, Ordering::Release);
    let consumed = consuming.await.unwrap();
    assert!(failures > 0, "the outage was not noticed: the test tests nothing");
    assert!(confirmed.len() >= 3_000);
    let lost = confirmed.iter().filter(|message| !consumed.contains(*message)).count();
    assert_eq!(lost, 0, "of {} confirmed", confirmed.len());
}

async fn next_after_publishing(queue: &RabbitQueue, payer: &PayerId) {
    queue.publish(vec![message(payer)]).await.unwrap();
    next(queue, payer).await.done().await.unwrap();
}

async fn wait_until(queue: &RabbitQueue, ready: bool) {
    let begin = Instant::now();
    while queue.ready() != ready {
        assert!(begin.elapsed() < SOON, "ready is not {ready}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Publishes as the relay does: what was not confirmed is published again. At least `least` messages, and until the
/// broker has failed and come again.
async fn publish_until(queue: Arc<RabbitQueue>, payer: PayerId, least: usize) -> (HashSet<Message>, usize) {
    let (mut confirmed, mut failures) = (HashSet::new(), 0);
    let begin = Instant::now();
    while confirmed.len() < least || begin.elapsed() < Duration::from_secs(8) {
        let mut due: Vec<Message> = (0..20).map(|_| message(&payer)).collect();
        while !due.is_empty() {
            match queue.publish(due.clone()).await {
                Ok(sent) => {
                    due.retain(|message| !sent.contains(message));
                    confirmed.extend(sent);
                }
                Err(_) => failures += 1,
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (confirmed, failures)
}

/// Takes what comes, with nobody's help, until all is published and nothing has come for a while.
async fn consume(queue: Arc<RabbitQueue>, payer: PayerId, published: Arc<AtomicBool>) -> HashSet<Message> {
    let mut consumed = HashSet::new();
    let mut last = Instant::now();
    while !published.load(Ordering::Acquire) || last.elapsed() < SOON / 4 {
        // Silence counts only when all is published: on a busy machine the way back to the broker takes its time.
        if !published.load(Ordering::Acquire) {
            last = Instant::now();
        }
        // A consumer that can't be made just now is tried again, as a worker does.
        let Ok(Some(delivery)) = queue.next(&payer, Duration::from_millis(500)).await else { continue };
        consumed.insert(delivery.message.clone());
        // Over a connection that is gone this fails, which may take longer than any silence, and the message comes again.
        let _ = delivery.done().await;
        last = Instant::now();
    }
    consumed
}
