use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;

use super::*;
use crate::customerio::event::{Fate, Identity, Kind, Source, SourceKind};
use crate::store::embedded::{Durability, EmbeddedStore};

const SIGHT: Duration = Duration::from_secs(30);

struct Fresh {
    queue: EmbeddedQueue,
    folder: tempfile::TempDir,
}

impl Fresh {
    fn queue() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { queue: open(&folder), folder }
    }
}

fn open(folder: &tempfile::TempDir) -> EmbeddedQueue {
    EmbeddedStore::open(folder.path(), "acme", Durability::Off).expect("opens").queue()
}

/// So many seconds after the test begins.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a time")
}

fn event(id: u32) -> Event {
    let json = serde_json::json!({
        "identity": Identity::of_event(&id.to_string(), &Kind::known("email", "sent")),
        "kind": "email_sent",
        "source": Source::new(SourceKind::Campaign, "5"),
        "at": at(0),
        "arrived": at(0),
        "fate": Fate::Counted,
        "provider": "gmail",
        "event_id": id.to_string(),
    });
    serde_json::from_value(json).expect("an event")
}

fn hint(incident: &str, receiver: &str) -> Hint {
    Hint { incident: IncidentKey(incident.into()), receiver: receiver.into() }
}

/// The event ids received now, with how often.
async fn events(queue: &EmbeddedQueue, max: usize, now: i64) -> Vec<(String, u32)> {
    let received = queue.receive_events(max, at(now), SIGHT).await.expect("receives");
    let id = |m: &Message| serde_json::from_str::<Event>(&m.body).expect("an event").event_id.expect("an id");
    received.iter().map(|m| (id(m), m.receives)).collect()
}

async fn hints(queue: &EmbeddedQueue, receiver: &str, now: i64) -> Vec<Message> {
    queue.receive_hints(receiver, 10, at(now), SIGHT).await.expect("receives")
}

fn ids(expected: &[(u32, u32)]) -> Vec<(String, u32)> {
    expected.iter().map(|(id, receives)| (id.to_string(), *receives)).collect()
}

#[tokio::test]
async fn events_are_received_in_order_and_come_back_unless_settled() {
    let Fresh { queue, .. } = &Fresh::queue();
    queue.send_events(&[event(1), event(2), event(3)], at(0)).await.expect("sends");
    assert_eq!(events(queue, 2, 0).await, ids(&[(1, 1), (2, 1)]));
    assert_eq!(events(queue, 9, 1).await, ids(&[(3, 1)]));
    assert_eq!(events(queue, 9, 29).await, ids(&[]));
    assert_eq!(events(queue, 9, 30).await, ids(&[(1, 2), (2, 2)]));
    let third = queue.receive_events(9, at(31), SIGHT).await.expect("receives").remove(0);
    queue.settle(&[(third.id, Handled::Done)], at(32)).await.expect("settles");
    assert_eq!(events(queue, 9, 60).await, ids(&[(1, 3), (2, 3)]));
    assert_eq!(queue.depth().await.expect("counts"), Depth { events: 2, hints: 0 });
}

#[tokio::test]
async fn a_message_given_back_is_received_again_after_the_time_asked_for() {
    let Fresh { queue, .. } = &Fresh::queue();
    queue.send_events(&[event(1)], at(0)).await.expect("sends");
    let id = queue.receive_events(1, at(0), SIGHT).await.expect("receives")[0].id;
    queue.settle(&[(id, Handled::Again(Duration::from_secs(5)))], at(1)).await.expect("settles");
    assert_eq!(queue.next_visible(Lane::Events, at(1)).await.expect("reads"), Some(at(6)));
    assert_eq!(events(queue, 1, 5).await, ids(&[]));
    assert_eq!(queue.next_visible(Lane::Events, at(8)).await.expect("reads"), Some(at(8)));
    assert_eq!(events(queue, 1, 8).await, ids(&[(1, 2)]));
    assert_eq!(queue.next_visible(Lane::Hints, at(8)).await.expect("reads"), None);
}

#[tokio::test]
async fn settling_too_late_never_touches_another_message() {
    let Fresh { queue, .. } = &Fresh::queue();
    queue.send_events(&[event(1)], at(0)).await.expect("sends");
    let id = queue.receive_events(1, at(0), SIGHT).await.expect("receives")[0].id;
    queue.settle(&[(id, Handled::Done)], at(1)).await.expect("settles");
    queue.send_events(&[event(2)], at(2)).await.expect("sends");
    queue.settle(&[(id, Handled::Done), (id, Handled::Again(SIGHT))], at(3)).await.expect("settles");
    assert_eq!(events(queue, 1, 3).await, ids(&[(2, 1)]));
}

#[tokio::test]
async fn hints_are_received_by_their_receiver_alone() {
    let Fresh { queue, .. } = &Fresh::queue();
    let both = [hint("a", "on-call"), hint("a", "audit")];
    queue.send_hints(&both, at(0), Duration::ZERO).await.expect("sends");
    let received = hints(queue, "audit", 0).await;
    assert_eq!(received.len(), 1);
    assert_eq!(serde_json::from_str::<Hint>(&received[0].body).expect("a hint"), both[1]);
    queue.settle(&[(received[0].id, Handled::Done)], at(1)).await.expect("settles");
    assert_eq!(queue.depth().await.expect("counts"), Depth { events: 0, hints: 1 });
    assert_eq!(queue.hinted_receivers().await.expect("reads"), ["on-call"]);
    assert_eq!(queue.next_visible_hint("on-call", at(1)).await.expect("reads"), Some(at(1)));
    assert_eq!(queue.next_visible_hint("audit", at(1)).await.expect("reads"), None);
}

#[tokio::test]
async fn a_hint_is_put_in_twice_only_when_the_first_may_be_settled_without_looking_again() {
    let now = Duration::ZERO;
    let later = Duration::from_secs(600);
    // Waiting: one is enough.
    let Fresh { queue, .. } = &Fresh::queue();
    for _ in 0..3 {
        queue.send_hints(&[hint("a", "on-call"), hint("a", "on-call")], at(0), now).await.expect("sends");
    }
    let first = hints(queue, "on-call", 1).await;
    assert_eq!(first.len(), 1);
    // In flight: the worker may have looked already.
    queue.send_hints(&[hint("a", "on-call")], at(2), now).await.expect("sends");
    queue.settle(&[(first[0].id, Handled::Done)], at(3)).await.expect("settles");
    let second = hints(queue, "on-call", 3).await;
    assert_eq!(second.len(), 1);
    // In flight for longer than it is hidden: its worker may still settle it.
    queue.send_hints(&[hint("a", "on-call")], at(90), now).await.expect("sends");
    queue.settle(&[(second[0].id, Handled::Done)], at(91)).await.expect("settles");
    let third = hints(queue, "on-call", 92).await;
    assert_eq!(third.len(), 1);
    queue.settle(&[(third[0].id, Handled::Done)], at(93)).await.expect("settles");
    // Planned for later: neither replaces the other.
    queue.send_hints(&[hint("a", "on-call")], at(100), later).await.expect("sends");
    queue.send_hints(&[hint("a", "on-call")], at(100), now).await.expect("sends");
    assert_eq!(hints(queue, "on-call", 100).await.len(), 1);
    assert_eq!(hints(queue, "on-call", 700).await.len(), 2, "the planned one, and the one not settled");
}

#[tokio::test]
async fn a_send_between_receiving_and_waiting_is_heard() {
    let Fresh { queue, .. } = &Fresh::queue();
    let woken = queue.notified(Lane::Events);
    assert_eq!(events(queue, 1, 0).await, ids(&[]));
    queue.send_events(&[event(1)], at(0)).await.expect("sends");
    assert!(woken.now_or_never().is_some());
    assert!(queue.notified(Lane::Hints).now_or_never().is_none());
}

#[tokio::test]
async fn what_a_dead_process_had_received_is_visible_at_once_after_a_restart() {
    let fresh = Fresh::queue();
    fresh.queue.send_events(&[event(1)], at(0)).await.expect("sends");
    fresh.queue.send_hints(&[hint("a", "on-call")], at(0), Duration::ZERO).await.expect("sends");
    assert_eq!((events(&fresh.queue, 1, 0).await.len(), hints(&fresh.queue, "on-call", 0).await.len()), (1, 1));
    let Fresh { queue, folder } = fresh;
    drop(queue);
    let queue = open(&folder);
    assert_eq!(queue.requeue_in_flight(at(1)).await.expect("requeues"), 2);
    assert_eq!(events(&queue, 1, 1).await, ids(&[(1, 2)]));
    assert_eq!(hints(&queue, "on-call", 1).await[0].receives, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_concurrent_sends_are_all_received_once() {
    let fresh = Fresh::queue();
    let other = open(&fresh.folder);
    let senders = (0..1_000_u32).map(|n| {
        let queue = if n % 8 == 0 { other.clone() } else { fresh.queue.clone() };
        tokio::spawn(async move { queue.send_events(&[event(n)], at(0)).await })
    });
    for sent in futures_util::future::join_all(senders).await {
        sent.expect("joins").expect("sends");
    }
    let (a, b) = tokio::join!(events(&fresh.queue, 600, 0), events(&other, 600, 0));
    let mut received: Vec<u32> = a.into_iter().chain(b).map(|(id, _)| id.parse().expect("a number")).collect();
    received.sort_unstable();
    assert_eq!(received, (0..1_000).collect::<Vec<_>>());
}

/// Not a promise but figures: `cargo test -- --ignored --nocapture how_many_durable`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn how_many_durable_events_a_second() {
    let folder = tempfile::tempdir_in(".").expect("a folder");
    let store = EmbeddedStore::open(folder.path(), "acme", Durability::Full).expect("opens");
    let queue = store.queue();
    let mut waiting = 0;
    for tasks in [1_u32, 64, 256, 1_024] {
        let each = (4_000 / tasks).max(20);
        let begun = std::time::Instant::now();
        let senders = (0..tasks).map(|n| {
            let queue = queue.clone();
            tokio::spawn(async move {
                for i in 0..each {
                    queue.send_events(&[event(tasks * 100_000 + n * each + i)], at(0)).await.expect("sends");
                }
            })
        });
        futures_util::future::join_all(senders).await;
        waiting += tasks * each;
        println!("{tasks} tasks: {:.0} sends a second", f64::from(tasks * each) / begun.elapsed().as_secs_f64());
    }
    let (begun, mut counted) = (std::time::Instant::now(), 0);
    loop {
        let messages = queue.receive_events(500, at(0), SIGHT).await.expect("receives");
        let events = messages.iter().map(|m| serde_json::from_str::<Event>(&m.body).expect("an event"));
        let entries: Vec<_> = events.map(|e| crate::tally::Entry::of(&e)).collect();
        if entries.is_empty() {
            break;
        }
        let answers = crate::store::Store::count(&store, &entries, at(1)).await.expect("counts");
        counted += answers.iter().filter(|c| c.first).count();
        let done: Vec<_> = messages.iter().map(|m| (m.id, Handled::Done)).collect();
        queue.settle(&done, at(1)).await.expect("settles");
    }
    println!("received, counted, settled: {:.0} a second", counted as f64 / begun.elapsed().as_secs_f64());
    assert_eq!(counted, waiting as usize);
}
