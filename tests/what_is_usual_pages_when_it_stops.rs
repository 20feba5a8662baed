//! A workflow that nobody gave a number to: the bridge has seen what is usual for it, and pages when that stops coming,
//! while it hears all else (law 5).

use std::time::Duration;

use cio_alert_bridge::store::embedded::{Durability, EmbeddedStore};
use jiff::{SignedDuration, Timestamp};

use crate::support::history::remember;
use crate::support::{Faketime, Serve, World, sent_email, ts};

pub const LEARNED: &str = r#"
[[sources]]
id = "campaign:5"
name = "Activation"

[[heartbeats]]
name = "Activation as usual"
source = "campaign:5"
event = "email_sent"
expect = "learned"
severity = "critical"
"#;

/// The workflow's messages in each slot of five minutes, day and night.
const A_SLOT: u32 = 30;

const SLOT: SignedDuration = SignedDuration::from_mins(5);

/// The workflow sends what is usual in each slot that begins before `until`, and another one goes on too.
async fn both_send_until(serve: &Serve, until: Timestamp, mut next: Timestamp) {
    while serve.clock.now() < until {
        if serve.clock.now() >= next {
            // All of one slot, however long the machine takes to post them.
            for _ in 0..A_SLOT {
                serve.deliver(&sent_email().of("campaign:5").at(next)).await;
            }
            next += SLOT;
        }
        serve.carry_traffic_until(serve.clock.now() + SignedDuration::from_secs(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_stops_pages_once_and_resolves_once_when_it_sends_again() {
    let Some(fake) = Faketime::at("2026-11-10T12:00:00Z", 60) else { return };
    let world = World::new().await;
    let setup = world.setup(LEARNED);
    // The bridge has heard for two weeks, and knows of four.
    let serve = setup.clone().under(fake.clone()).start().await;
    serve.deliver(&sent_email().of("newsletter:10").at(serve.clock.now())).await;
    assert!(serve.terminate().await.0.success());
    let began = ts("2026-11-23T12:00:00Z");
    {
        let store = EmbeddedStore::open(&setup.data(), "acme", Durability::Off).expect("its store");
        remember(&store, "campaign:5//email_sent", 28, began, |_| A_SLOT).await;
    }

    let serve = setup.under(fake.restarted_at("2026-11-23T12:00:00Z")).start().await;
    both_send_until(&serve, began + SLOT * 2, began).await;
    assert!(world.pager.seen().is_empty(), "{:?}", world.pager.seen());

    // 12:10: the last message was of 12:05 and the other workflow's go on.
    let patience = began + SLOT * 9;
    while world.pager.seen().is_empty() {
        assert!(serve.clock.now() < patience, "no page within half an hour");
        serve.carry_traffic_until(serve.clock.now() + SignedDuration::from_secs(20)).await;
    }
    let page = world.pager.seen()[0].json();
    assert_eq!((&page["event_action"], &page["payload"]["severity"]), (&"trigger".into(), &"critical".into()));
    let summary = page["payload"]["summary"].as_str().expect("a summary");
    let details = &page["payload"]["custom_details"];
    let expected = details["of"].as_u64().expect("a number");
    assert!(expected >= u64::from(A_SLOT / 2), "{details:#}");
    let said = "Activation as usual is low: 0 emails sent from 12:10 to ";
    assert!(summary.contains(said) && summary.contains(&format!("expected about {expected}")), "{summary}");
    assert_eq!(details["heartbeat"], "Activation as usual");
    assert_eq!((&details["metric"], &details["count"]), (&"email_sent".into(), &0.into()));
    assert!(details["source"] == "campaign:5" || details["sources"][0] == "campaign:5", "{details:#}");

    let patience = serve.clock.now() + SLOT * 6;
    while world.pager.seen().len() < 2 {
        assert!(serve.clock.now() < patience, "no resolve within half an hour");
        let next = serve.clock.now();
        both_send_until(&serve, next + SLOT, next).await;
    }
    let next = serve.clock.now();
    both_send_until(&serve, next + SLOT, next).await;
    let pages = world.pager.exactly(2, Duration::ZERO, Duration::ZERO).await;
    let resolve = pages[1].json();
    assert_eq!((&resolve["event_action"], &resolve["dedup_key"]), (&"resolve".into(), &page["dedup_key"]));
    let posts = world.slack.exactly(2, Duration::from_secs(5), Duration::ZERO).await;
    assert!(posts[1].text().contains("beats as it should again"), "{}", posts[1].text());
}
