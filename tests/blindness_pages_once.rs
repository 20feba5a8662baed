//! When nothing arrives any more, either everything stopped or we no longer hear: that pages, once (law 5).

use std::time::Duration;

use jiff::SignedDuration;

use crate::support::world::TRANSACTIONAL_FAILING;
use crate::support::{Faketime, World, sent_email};

#[tokio::test(flavor = "multi_thread")]
async fn two_hours_of_silence_after_steady_traffic_page_once() {
    let Some(fake) = Faketime::at("2026-11-23T06:00:00Z", 60) else { return };
    let world = World::new().await;
    let serve = world.setup(TRANSACTIONAL_FAILING).under(fake).start().await;
    let mut last = serve.clock.now();
    for _ in 0..30 {
        last = serve.clock.now();
        serve.deliver(&sent_email().of("campaign:5").at(last)).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let two_hours = SignedDuration::from_hours(2);
    let pages = world.pager.wait_for(1, Duration::from_secs(160)).await;
    let at = serve.clock.latest(pages[0].at);
    assert!(at >= last + two_hours, "paged at {at}; the last event was of {last}");
    let pages = world.pager.exactly(1, Duration::ZERO, Duration::from_secs(8)).await;
    let page = pages[0].json();
    assert_eq!(page["event_action"], "trigger");
    let summary = page["payload"]["summary"].as_str().expect("a summary").to_lowercase();
    assert!(summary.contains("nothing has arrived"), "{summary}");
    world.slack.exactly(1, Duration::from_secs(5), Duration::ZERO).await;
}
