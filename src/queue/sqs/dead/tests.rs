use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

use super::super::moto;
use super::*;

const HOLD: Duration = Duration::from_secs(300);

/// Two queues of their own at moto: one that gave up on `dead` messages, and the one they are put back into.
struct Fresh {
    letters: SqsDeadLetters,
    client: Client,
    dead: String,
    source: String,
}

async fn fresh(name: &str, dead: usize) -> Fresh {
    let client = Client::new(&moto::sdk());
    let queue = async |name: String| {
        let made = client.create_queue().queue_name(name).send().await.expect("a queue");
        made.queue_url.expect("its url")
    };
    let (dead_url, source) = (queue(format!("{name}-dead")).await, queue(format!("{name}-live")).await);
    for batch in (0..dead).collect::<Vec<_>>().chunks(BATCH_ENTRIES) {
        let entry = |n: &usize| SendMessageBatchRequestEntry::builder().id(n.to_string()).message_body(n.to_string());
        let entries = batch.iter().map(|n| entry(n).build().expect("an entry")).collect();
        client.send_message_batch().queue_url(&dead_url).set_entries(Some(entries)).send().await.expect("sends");
    }
    let queues = vec![DeadQueue { origin: Origin::Events, url: dead_url.clone(), source_url: Some(source.clone()) }];
    Fresh { letters: SqsDeadLetters::new(client.clone(), queues), client, dead: dead_url, source }
}

impl Fresh {
    /// In sight, and not, of a queue.
    async fn depth(&self, url: &str) -> (u64, u64) {
        let queue = DeadQueue { origin: Origin::Events, url: url.to_owned(), source_url: None };
        self.letters.depth(&queue).await.expect("says")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_nobody_else_sees_and_all_of_it_is_given_back() {
    let fresh = fresh("given-back", 23).await;
    let held = fresh.letters.hold(HOLD).await.expect("holds");
    assert_eq!((held.letters.len(), held.rest.as_slice()), (23, [].as_slice()));
    assert!(held.letters.iter().all(|letter| letter.receives == 1 && letter.sent_at > Timestamp::UNIX_EPOCH));
    let others = fresh.letters.hold(HOLD).await.expect("holds");
    let rest = Rest { origin: Origin::Events, more: 0, with_others: 23 };
    assert_eq!((others.letters.len(), others.rest.as_slice()), (0, [rest].as_slice()));

    let (first, kept) = held.letters.split_at(2);
    assert_eq!(fresh.letters.send(&first[0]).await.expect("sends"), Write::Done);
    assert_eq!(fresh.letters.discard(&first[1]).await.expect("drops"), Write::Done);
    // With those that are gone, as after a failure in between.
    fresh.letters.give_back(&held.letters.iter().collect::<Vec<_>>()).await;
    assert_eq!((fresh.depth(&fresh.dead).await, fresh.depth(&fresh.source).await), ((21, 0), (1, 0)));
    let again = fresh.letters.hold(HOLD).await.expect("holds");
    let ids = |letters: &[DeadLetter]| letters.iter().map(|l| l.id.clone()).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(ids(&again.letters), ids(kept), "by the same ids");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_longer_ours_is_neither_sent_nor_dropped() {
    let fresh = fresh("not-ours", 1).await;
    let letter = fresh.letters.hold(Duration::from_secs(1)).await.expect("holds").letters.remove(0);
    assert_eq!(fresh.letters.send(&letter).await.expect("says"), Write::Conflict);
    assert_eq!(fresh.letters.discard(&letter).await.expect("says"), Write::Conflict);
    let (seen, hidden) = fresh.depth(&fresh.dead).await;
    assert_eq!((seen + hidden, fresh.depth(&fresh.source).await), (1, (0, 0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_person_looks_through_is_left_and_said() {
    let fresh = fresh("many", HELD_MOST + 7).await;
    let held = fresh.letters.hold(HOLD).await.expect("holds");
    // A slow machine may run out of time before.
    let taken = held.letters.len();
    assert!((1..=HELD_MOST).contains(&taken), "{taken}");
    let more = (HELD_MOST + 7 - taken) as u64;
    assert_eq!(held.rest, [Rest { origin: Origin::Events, more, with_others: 0 }]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_queue_that_cannot_be_read_leaves_nothing_of_the_others_hidden() {
    let fresh = fresh("broken", 3).await;
    let good = fresh.letters.queues[0].clone();
    let missing = DeadQueue { origin: Origin::Hints, url: format!("{}-missing", good.url), source_url: None };
    let letters = SqsDeadLetters::new(fresh.client.clone(), vec![good, missing]);
    let error = letters.hold(HOLD).await.expect_err("fails").to_string();
    assert!(error.contains("hints dead letters: SQS answered 400"), "{error}");
    assert_eq!(fresh.depth(&fresh.dead).await, (3, 0));
}
