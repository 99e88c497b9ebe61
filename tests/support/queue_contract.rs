//! What every queue must keep, whatever carries it. Each function works with payers of its own, so that all of them can
//! use one queue.

use claimgate::billing::id::{InterchangeId, PayerId, SubmissionId};
use claimgate::queue::{Delivery, Message, Queue, Work};
use futures_util::future::join_all;
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// Longest wait for something that must come.
pub const SOON: Duration = Duration::from_secs(20);
/// Wait for something that must not come.
const SHORT: Duration = Duration::from_millis(300);

pub fn payer(name: &str) -> PayerId {
    PayerId(name.into())
}

pub fn message(payer: &PayerId) -> Message {
    Message { payer: payer.clone(), work: Work::Submissions(vec![SubmissionId::make()]) }
}

pub async fn next(queue: &dyn Queue, payer: &PayerId) -> Delivery {
    queue.next(payer, SOON).await.unwrap().expect("a delivery")
}

async fn nothing(queue: &dyn Queue, payer: &PayerId) {
    let came = queue.next(payer, SHORT).await.unwrap();
    assert!(came.is_none(), "{:?}", came.map(|delivery| delivery.message));
}

pub async fn what_is_published_comes(queue: &dyn Queue) {
    let payer = payer("comes");
    let interchange = Message { payer: payer.clone(), work: Work::Interchange(InterchangeId::make()) };
    let messages = vec![message(&payer), interchange];
    assert_eq!(queue.publish(messages.clone()).await.unwrap(), messages);
    // In which order is not promised.
    let mut came = HashSet::new();
    for _ in &messages {
        let delivery = next(queue, &payer).await;
        came.insert(delivery.message.clone());
        delivery.done().await.unwrap();
    }
    assert_eq!(came, messages.into_iter().collect());
    nothing(queue, &payer).await;
    assert_eq!(queue.publish(vec![]).await.unwrap(), []);
    assert!(queue.ready());
}

pub async fn many_at_once_come_each_once(queue: &dyn Queue) {
    let payer = payer("many");
    let messages: HashSet<Message> = (0..1_000).map(|_| message(&payer)).collect();
    let confirmed = queue.publish(messages.iter().cloned().collect()).await.unwrap();
    assert_eq!(confirmed.into_iter().collect::<HashSet<_>>(), messages);
    let taking = (0..4).map(|_| async {
        let mut taken = Vec::new();
        while let Some(delivery) = queue.next(&payer, Duration::from_secs(2)).await.unwrap() {
            taken.push(delivery.message.clone());
            delivery.done().await.unwrap();
        }
        taken
    });
    let taken: Vec<Message> = join_all(taking).await.into_iter().flatten().collect();
    assert_eq!(taken.len(), messages.len());
    assert_eq!(taken.into_iter().collect::<HashSet<_>>(), messages);
}

pub async fn each_payer_has_a_line_of_its_own(queue: &dyn Queue) {
    let (one, other) = (payer("one"), payer("other"));
    let (first, second) = (message(&one), message(&other));
    queue.publish(vec![first.clone(), second.clone()]).await.unwrap();
    let delivery = next(queue, &other).await;
    assert_eq!(delivery.message, second);
    delivery.done().await.unwrap();
    nothing(queue, &other).await;
    let delivery = next(queue, &one).await;
    assert_eq!(delivery.message, first);
    delivery.done().await.unwrap();
}

pub async fn what_is_not_settled_comes_back(queue: &dyn Queue) {
    let payer = payer("back");
    let published = message(&payer);
    queue.publish(vec![published.clone()]).await.unwrap();
    drop(next(queue, &payer).await);
    let again = next(queue, &payer).await;
    assert_eq!(again.message, published);
    again.back().await.unwrap();
    let again = next(queue, &payer).await;
    assert_eq!(again.message, published);
    again.done().await.unwrap();
    nothing(queue, &payer).await;
}

pub async fn a_wait_ends(queue: &dyn Queue) {
    let payer = payer("nobody");
    // The first time a line may have to be made.
    nothing(queue, &payer).await;
    let begin = Instant::now();
    nothing(queue, &payer).await;
    assert!(begin.elapsed() >= SHORT && begin.elapsed() < SHORT * 10, "{:?}", begin.elapsed());
    // Who waits is woken by what comes.
    let published = message(&payer);
    let (waited, _) = tokio::join!(next(queue, &payer), async {
        tokio::time::sleep(SHORT).await;
        queue.publish(vec![published.clone()]).await.unwrap()
    });
    assert_eq!(waited.message, published);
    waited.done().await.unwrap();
}

pub async fn a_delay_is_kept(queue: &dyn Queue) {
    let payer = payer("later");
    let (late, soon, now) = (message(&payer), message(&payer), message(&payer));
    let begin = Instant::now();
    queue.publish_after(late.clone(), Duration::from_millis(3_000)).await.unwrap();
    queue.publish_after(soon.clone(), Duration::from_millis(900)).await.unwrap();
    queue.publish_after(now.clone(), Duration::ZERO).await.unwrap();
    for (expected, least) in [(now, 0), (soon, 900), (late, 3_000)] {
        let delivery = next(queue, &payer).await;
        assert_eq!(delivery.message, expected);
        assert!(begin.elapsed() >= Duration::from_millis(least), "came after {:?}", begin.elapsed());
        delivery.done().await.unwrap();
    }
    nothing(queue, &payer).await;
}

pub async fn what_is_buried_stays_aside(queue: &dyn Queue) {
    let payer = payer("buried");
    let before = queue.buried().await.unwrap();
    queue.bury(message(&payer), "CG-3002: the payer refused it").await.unwrap();
    nothing(queue, &payer).await;
    assert_eq!(queue.buried().await, Some(before + 1));
}

pub async fn the_depth_is_told(queue: &dyn Queue) {
    let payer = payer("deep");
    assert_eq!(queue.depth(&payer).await, Some(0));
    queue.publish((0..5).map(|_| message(&payer)).collect()).await.unwrap();
    assert_eq!(queue.depth(&payer).await, Some(5));
}
