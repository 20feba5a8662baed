//! A storm opens one incident a group, however the events interleave (laws 4 and 6).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::support::{Event, World, failed_email};

const EVENTS: usize = 10_000;
const CAMPAIGNS: usize = 100;
const CONNECTIONS: usize = 8;

/// PagerDuty alone: a Slack webhook takes one message a second, which is another promise.
const ROUTES: &str = r#"
[[routes]]
receivers = ["on-call"]
"#;

const RULE: &str = r#"
[[rules]]
name = "campaign-failing"
events = ["email_failed"]
group_by = ["source"]
count = { at_least = 3, within = "10m" }
severity = "critical"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_failures_of_a_hundred_campaigns_open_a_hundred_incidents() {
    let world = World::new().await;
    let serve = Arc::new(world.setup_with_routes("", ROUTES, RULE).start().await);
    let events: Vec<Event> = (0..EVENTS).map(|i| failed_email().of(&format!("campaign:{}", i % CAMPAIGNS))).collect();

    let clients: Vec<_> = events
        .chunks(EVENTS.div_ceil(CONNECTIONS))
        .map(|share| {
            let (serve, share) = (serve.clone(), share.to_vec());
            tokio::spawn(async move {
                for event in &share {
                    assert_eq!(serve.post(event).await.status, 200);
                }
            })
        })
        .collect();
    for client in clients {
        client.await.expect("every event was taken");
    }

    let pages = world.pager.exactly(CAMPAIGNS, Duration::from_secs(60), Duration::from_secs(3)).await;
    let mut keys = BTreeSet::new();
    let mut sources = BTreeSet::new();
    for page in pages.iter().map(|p| p.json()) {
        assert_eq!(page["event_action"], "trigger");
        keys.insert(page["dedup_key"].as_str().expect("a key").to_owned());
        let details = &page["payload"]["custom_details"];
        sources.insert(details["source"].as_str().expect("one source").to_owned());
        assert!(details["count"].as_u64().is_some_and(|n| (3..=100).contains(&n)), "{details:#}");
    }
    assert_eq!(keys.len(), CAMPAIGNS, "each incident has a key of its own");
    assert_eq!(sources, (0..CAMPAIGNS).map(|n| format!("campaign:{n}")).collect());
}
