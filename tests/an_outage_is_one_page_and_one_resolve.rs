//! An incident resolves when it has been quiet for long enough and a success was seen, not before, and once (law 6).

use std::time::Duration;

use jiff::SignedDuration;

use crate::support::{Faketime, PATIENCE, World, failed_email, sent_email};

const RULE: &str = r#"
[[rules]]
name = "transactional-failing"
events = ["email_failed"]
sources = ["transactional:*"]
group_by = ["source"]
count = { at_least = 3, within = "10m" }
severity = "critical"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn two_outages_page_and_the_one_that_is_over_resolves() {
    let Some(fake) = Faketime::at("2026-11-23T06:00:00Z", 60) else { return };
    let world = World::new().await;
    let serve = world.setup(RULE).under(fake).start().await;
    let minutes = SignedDuration::from_mins;

    serve.carry_traffic_until(serve.clock.now() + minutes(3)).await;
    let mut last = serve.clock.now();
    for source in ["transactional:2", "transactional:3"] {
        for _ in 0..3 {
            last = serve.clock.now();
            serve.deliver(&failed_email().of(source).at(last)).await;
        }
    }
    let pages = world.pager.wait_for(2, PATIENCE).await;
    let trigger = |source: &str| {
        let found = pages.iter().map(|p| p.json()).find(|p| p["payload"]["custom_details"]["source"] == source);
        found.unwrap_or_else(|| panic!("no page about {source}"))
    };
    let (over, lasting) = (trigger("transactional:2"), trigger("transactional:3"));
    assert_eq!(over["event_action"], "trigger");
    assert_ne!(over["dedup_key"], lasting["dedup_key"]);

    // Only the first one is seen to work again.
    serve.carry_traffic_until(last + minutes(5)).await;
    serve.deliver(&sent_email().of("transactional:2").at(serve.clock.now())).await;
    while world.pager.seen().len() < 3 && serve.clock.now() < last + minutes(50) {
        serve.carry_traffic_until(serve.clock.now() + minutes(1)).await;
    }
    serve.carry_traffic_until(serve.clock.now() + minutes(5)).await;

    let heard = world.pager.exactly(3, Duration::ZERO, Duration::ZERO).await;
    let resolve = heard[2].json();
    assert_eq!(resolve["event_action"], "resolve");
    assert_eq!(resolve["dedup_key"], over["dedup_key"]);
    let at = serve.clock.latest(heard[2].at);
    assert!(at >= last + minutes(30), "resolved at {at}, less than 30 min after {last}");

    let posts = world.slack.exactly(3, PATIENCE, Duration::ZERO).await;
    assert!(posts[2].text().to_lowercase().contains("resolved"), "{}", posts[2].text());
}
