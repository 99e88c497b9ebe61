//! The embedded queue keeps the contract of every queue, and its own limits.

use crate::support::queue_contract::{self as contract, message, next, payer};
use claimgate::queue::Queue;
use claimgate::queue::embedded::{BURIED_MOST, EmbeddedQueue};
use std::time::Duration;

macro_rules! keeps {
    ($($name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                contract::$name(&EmbeddedQueue::new()).await;
            }
        )*
    };
}

keeps! {
    what_is_published_comes
    many_at_once_come_each_once
    each_payer_has_a_line_of_its_own
    what_is_not_settled_comes_back
    a_wait_ends
    a_delay_is_kept
    what_is_buried_stays_aside
    the_depth_is_told
}

#[tokio::test]
async fn what_is_above_the_limit_stays_due() {
    let queue = EmbeddedQueue::holding(2);
    let (here, there) = (payer("here"), payer("there"));
    let messages = vec![message(&here), message(&there), message(&here)];
    assert_eq!(queue.publish(messages.clone()).await.unwrap(), messages[..2]);
    assert!(queue.publish_after(message(&here), Duration::from_secs(1)).await.is_err());
    let taken = next(&queue, &here).await;
    assert_eq!(queue.publish(vec![messages[2].clone()]).await.unwrap(), messages[2..]);
    // What was taken has its place, even when another has come in its stead.
    taken.back().await.unwrap();
    assert_eq!(next(&queue, &here).await.message, messages[0]);
}

#[tokio::test]
async fn what_waits_already_is_not_put_in_twice() {
    let queue = EmbeddedQueue::holding(2);
    let payer = payer("twice");
    let again = message(&payer);
    for _ in 0..5 {
        assert_eq!(queue.publish(vec![again.clone()]).await.unwrap(), std::slice::from_ref(&again));
    }
    assert_eq!(queue.depth(&payer).await, Some(1));
    // While it is being worked on, it may be due again.
    let taken = next(&queue, &payer).await;
    queue.publish(vec![again]).await.unwrap();
    assert_eq!(queue.depth(&payer).await, Some(1));
    taken.done().await.unwrap();
    assert_eq!(queue.depth(&payer).await, Some(1));
}

#[tokio::test]
async fn a_delayed_message_has_its_place_until_it_came() {
    let queue = EmbeddedQueue::holding(1);
    let payer = payer("later");
    let delayed = message(&payer);
    queue.publish_after(delayed.clone(), Duration::from_millis(300)).await.unwrap();
    assert!(queue.publish(vec![message(&payer)]).await.unwrap().is_empty());
    let came = queue.next(&payer, Duration::from_secs(20)).await.unwrap().unwrap();
    assert_eq!(came.message, delayed);
    came.done().await.unwrap();
    assert_eq!(queue.publish(vec![delayed]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_dead_are_counted_up_to_a_limit() {
    let queue = EmbeddedQueue::new();
    for _ in 0..BURIED_MOST + 1 {
        queue.bury(message(&payer("dead")), "CG-3001").await.unwrap();
    }
    assert_eq!(queue.buried().await, Some(BURIED_MOST as u64));
}
