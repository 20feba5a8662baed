use std::collections::BTreeSet;

use aws_sdk_sqs::types::QueueAttributeName;

use super::*;
use crate::customerio::event::{Fate, Identity, Kind, Source, SourceKind};
use crate::incident::IncidentKey;
use crate::receivers::testing::StandIn;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn event(id: usize, sample: &str) -> Event {
    let json = serde_json::json!({
        "identity": Identity::of_event(&id.to_string(), &Kind::known("email", "failed")),
        "kind": "email_failed",
        "source": Source::new(SourceKind::Campaign, "5"),
        "at": NOW, "arrived": NOW, "fate": Fate::Counted, "provider": "gmail",
        "event_id": format!("{id}{sample}"),
    });
    serde_json::from_value(json).expect("an event")
}

fn hint(incident: &str) -> Hint {
    Hint { incident: IncidentKey(incident.into()), receiver: "on-call".into() }
}

/// A queue of its own at moto, and the outbox that sends to it.
struct Fresh {
    client: Client,
    url: String,
    outbox: SqsOutbox,
}

impl Fresh {
    async fn queue(name: &str) -> Self {
        let client = Client::new(&moto::sdk());
        let made = client.create_queue().queue_name(name).attributes(QueueAttributeName::VisibilityTimeout, "3600");
        let url = made.send().await.expect("a queue").queue_url.expect("its url");
        let outbox = SqsOutbox::new(client.clone(), Some(url.clone()), Some(url.clone()));
        Self { client, url, outbox }
    }

    /// All that can be received now: body and receipt.
    async fn received(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        loop {
            let got = self.client.receive_message().queue_url(&self.url).max_number_of_messages(10).send().await;
            let messages = got.expect("receives").messages.unwrap_or_default();
            if messages.is_empty() {
                return all;
            }
            all.extend(messages.into_iter().map(|m| (m.body.expect("a body"), m.receipt_handle.expect("a receipt"))));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_arrives_whole_however_many_there_are() {
    let fresh = Fresh::queue("many").await;
    fresh.outbox.send_events(&[], NOW).await.expect("nothing to send");
    let events: Vec<Event> = (0..27).map(|id| event(id, "")).collect();
    fresh.outbox.send_events(&events, NOW).await.expect("sent");
    let ids: BTreeSet<String> = fresh
        .received()
        .await
        .iter()
        .map(|(body, _)| serde_json::from_str::<Event>(body).expect("an event").event_id.expect("an id"))
        .collect();
    assert_eq!(ids, (0..27).map(|id: i32| id.to_string()).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_sqs_would_refuse_arrives_as_it_was() {
    let fresh = Fresh::queue("odd").await;
    let odd = "\u{0}\u{1}\u{8}\u{7f}\u{fffe}\u{ffff}\u{2028}\u{1f980}\"\\";
    fresh.outbox.send_events(&[event(1, odd)], NOW).await.expect("sent");
    let (body, _) = fresh.received().await.remove(0);
    assert_eq!(serde_json::from_str::<Event>(&body).expect("an event").event_id, Some(format!("1{odd}")));
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    assert!(body.chars().all(allowed), "SQS takes XML's characters only: {body:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_comes_when_it_is_due_and_one_for_much_later_is_left_to_tick() {
    let fresh = Fresh::queue("hints").await;
    let later = Duration::from_millis(1500);
    fresh.outbox.send_hints(&[hint("now")], NOW, Duration::ZERO).await.expect("sent");
    fresh.outbox.send_hints(&[hint("soon")], NOW, later).await.expect("sent");
    fresh.outbox.send_hints(&[hint("sweep")], NOW, Duration::from_secs(901)).await.expect("left out");
    let ask = fresh.client.get_queue_attributes().queue_url(&fresh.url).attribute_names(QueueAttributeName::All);
    let attributes = ask.send().await.expect("attributes").attributes.expect("some");
    let of = |name| attributes.get(&name).map(String::as_str);
    assert_eq!(of(QueueAttributeName::ApproximateNumberOfMessages), Some("1"));
    assert_eq!(of(QueueAttributeName::ApproximateNumberOfMessagesDelayed), Some("1"));
    let now = fresh.received().await;
    assert_eq!(now.len(), 1);
    assert!(now.iter().all(|(body, _)| serde_json::from_str::<Hint>(body).expect("a hint") == hint("now")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_that_was_given_back_is_received_again() {
    let fresh = Fresh::queue("again").await;
    fresh.outbox.send_hints(&[hint("a")], NOW, Duration::ZERO).await.expect("sent");
    let (body, receipt) = fresh.received().await.remove(0);
    assert_eq!(fresh.received().await, [], "it is hidden for an hour");
    fresh.outbox.change_visibility(&receipt, u32::MAX).await.expect("as long as SQS allows");
    fresh.outbox.change_visibility(&receipt, 0).await.expect("given back");
    assert_eq!(fresh.received().await.remove(0).0, body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_not_there_is_our_own_trouble_and_says_which_and_why() {
    let client = Client::new(&moto::sdk());
    let outbox = SqsOutbox::new(client.clone(), Some("http://localhost/123456789012/gone".into()), None);
    let error = outbox.send_events(&[event(1, "")], NOW).await.expect_err("no queue").to_string();
    assert!(error.starts_with("store unavailable: events queue: SQS answered 400"), "{error}");
    assert!(!error.contains("123456789012"), "{error}");
    let error = outbox.send_hints(&[hint("a")], NOW, Duration::ZERO).await.expect_err("no url").to_string();
    assert_eq!(error, "store unavailable: hints queue: this function has no BRIDGE_HINTS_QUEUE");
    assert!(outbox.change_visibility("r", 1).await.is_err());
}

/// An answer to SendMessageBatch that took these entries and failed those.
fn partly(taken: &[usize], failed: &[usize], sender_fault: bool) -> String {
    let taken: Vec<_> = taken
        .iter()
        .map(|id| serde_json::json!({"Id": id.to_string(), "MessageId": "m", "MD5OfMessageBody": "x"}))
        .collect();
    let failed: Vec<_> = failed
        .iter()
        .map(|id| serde_json::json!({"Id": id.to_string(), "Code": "InternalError", "SenderFault": sender_fault}))
        .collect();
    serde_json::json!({ "Successful": taken, "Failed": failed }).to_string()
}

#[tokio::test]
async fn a_batch_is_sent_when_all_of_it_is_and_only_what_failed_is_sent_once_more() {
    let server = StandIn::start().await;
    let outbox = SqsOutbox::new(Client::new(&moto::at(&server.url(""))), Some(server.url("/q")), None);
    let events: Vec<Event> = (0..3).map(|id| event(id, "")).collect();
    for (first, second, want) in [
        (partly(&[0, 1, 2], &[], false), None, Ok(())),
        (partly(&[0, 2], &[1], false), Some(partly(&[1], &[], false)), Ok(())),
        (partly(&[0, 2], &[1], false), Some(partly(&[], &[1], false)), Err("1 of a batch not taken: InternalError")),
        (partly(&[0, 2], &[1], true), None, Err("1 of a batch not taken: InternalError")),
        // Neither taken nor failed: not taken.
        (partly(&[0], &[], false), Some(partly(&[1, 2], &[], false)), Ok(())),
    ] {
        let script: Vec<(u16, &str)> =
            [Some(&first), second.as_ref()].iter().flatten().map(|b| (200, b.as_str())).collect();
        server.script(&script);
        let sent = outbox.send_events(&events, NOW).await.map_err(|e| e.to_string());
        assert_eq!(sent, want.map_err(|why| format!("store unavailable: events queue: {why}")), "{first}");
        let requests = server.requests();
        assert_eq!(requests.len(), 1 + usize::from(second.is_some()), "{first}");
        if let Some(again) = requests.get(1) {
            let entries = again.json()["Entries"].as_array().expect("entries").len();
            assert!(entries < 3, "what was taken is not sent again: {entries}");
        }
    }
}

#[tokio::test]
async fn a_queue_that_hangs_is_given_up_in_time() {
    let server = StandIn::start().await;
    server.hang();
    let outbox = SqsOutbox::new(Client::new(&moto::at(&server.url(""))), Some(server.url("/q")), None);
    let began = tokio::time::Instant::now();
    let error = outbox.send_events(&[event(1, "")], NOW).await.expect_err("hangs").to_string();
    assert!(error.ends_with("no answer within 2500 ms"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[test]
fn a_call_holds_ten_entries_and_256_kib_at_most_and_nothing_is_left_out() {
    let body = |bytes: usize| "x".repeat(bytes);
    for (lengths, calls) in [
        (vec![], vec![]),
        (vec![1; 10], vec![10]),
        (vec![1; 21], vec![10, 10, 1]),
        (vec![BATCH_BYTES / 2; 3], vec![2, 1]),
        (vec![BATCH_BYTES - 1, 1, 1], vec![2, 1]),
        (vec![BATCH_BYTES, BATCH_BYTES], vec![1, 1]),
        (vec![100 * 1024; 5], vec![2, 2, 1]),
    ] {
        let batches = batches(lengths.iter().map(|l| body(*l)).collect(), None).expect("batches");
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), calls, "{lengths:?}");
        for call in batches {
            let ids: BTreeSet<&str> = call.iter().map(Entry::id).collect();
            assert_eq!(ids.len(), call.len(), "ids differ within a call");
        }
    }
}
