use super::*;
use crate::billing::id::SubmissionId;

const SOON: Duration = Duration::from_secs(5);
const NOW: Duration = Duration::ZERO;

fn payer() -> PayerId {
    PayerId("northwind".into())
}

fn message(id: &str) -> Message {
    Message { payer: payer(), work: Work::Submission(SubmissionId(id.into())) }
}

async fn taken(queue: &EmbeddedQueue, wait: Duration) -> Option<Message> {
    let delivery = queue.next(&payer(), wait).await.unwrap()?;
    let message = delivery.message.clone();
    delivery.done().await.unwrap();
    Some(message)
}

#[tokio::test]
async fn a_full_lane_takes_what_fits() {
    let queue = EmbeddedQueue::holding(3);
    queue.publish_after(message("late"), Duration::from_secs(60)).await.unwrap();
    let taken_in = queue.publish(vec![message("1"), message("2"), message("3")]).await.unwrap();
    assert_eq!(taken_in, [message("1"), message("2")]);
    let fault = queue.publish_after(message("later"), SOON).await.unwrap_err();
    assert_eq!(fault.issues[0].code, codes::QUEUE);
    assert_eq!(queue.depth(&payer()).await, Some(3));

    assert_eq!(taken(&queue, NOW).await, Some(message("1")));
    assert_eq!(queue.publish(vec![message("3")]).await.unwrap(), [message("3")]);
}

#[tokio::test]
async fn a_lane_of_a_payer_fills_no_other() {
    let queue = EmbeddedQueue::holding(1);
    let other = Message { payer: PayerId("contoso".into()), ..message("2") };
    assert_eq!(queue.publish(vec![message("1"), other.clone()]).await.unwrap(), [message("1"), other]);
}

#[tokio::test]
async fn what_waits_is_not_put_in_twice() {
    let queue = EmbeddedQueue::new();
    for _ in 0..3 {
        assert_eq!(queue.publish(vec![message("1")]).await.unwrap(), [message("1")]);
    }
    assert_eq!(taken(&queue, NOW).await, Some(message("1")));
    assert_eq!(taken(&queue, NOW).await, None);
    queue.publish(vec![message("1")]).await.unwrap();
    assert_eq!(taken(&queue, NOW).await, Some(message("1")), "once taken, it may come again");
}

#[tokio::test]
async fn a_dropped_delivery_comes_back_in_front() {
    let queue = EmbeddedQueue::new();
    queue.publish(vec![message("1"), message("2")]).await.unwrap();
    drop(queue.next(&payer(), NOW).await.unwrap());
    assert_eq!(taken(&queue, NOW).await, Some(message("1")));
}

#[tokio::test]
async fn a_waiting_consumer_hears_of_a_message_and_of_a_delay() {
    let queue = Arc::new(EmbeddedQueue::new());
    let consumer = tokio::spawn({
        let queue = queue.clone();
        async move { [taken(&queue, SOON).await, taken(&queue, SOON).await] }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    let begun = Instant::now();
    queue.publish_after(message("late"), Duration::from_millis(80)).await.unwrap();
    queue.publish(vec![message("1")]).await.unwrap();
    assert_eq!(consumer.await.unwrap(), [Some(message("1")), Some(message("late"))]);
    assert!((80..2000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn waiting_in_vain_ends_in_time() {
    let queue = EmbeddedQueue::new();
    queue.publish_after(message("late"), Duration::from_secs(60)).await.unwrap();
    let begun = Instant::now();
    assert_eq!(taken(&queue, Duration::from_millis(50)).await, None);
    assert!((50..2000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn what_is_buried_is_counted_by_payer() {
    let queue = EmbeddedQueue::new();
    queue.bury(message("1"), "refused").await.unwrap();
    assert_eq!((queue.buried(&payer()), queue.buried(&PayerId("contoso".into()))), (1, 0));
    assert_eq!(queue.depth(&payer()).await, Some(0));
}
