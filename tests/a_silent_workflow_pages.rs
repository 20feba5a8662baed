//! "Did the workflow fire as often as it should today?": `low` pages before the day is over, `ok` never does, and
//! what we could not see we do not claim (law 5).

use std::time::Duration;

use crate::support::{Faketime, World, sent_email, ts};

const HEARTBEATS: &str = r#"
[[sources]]
id = "campaign:5"
name = "Activation"

[[heartbeats]]
name = "Activation daily"
source = "campaign:5"
event = "email_sent"
at_least = 40
every = "day"
by = "00:20"
severity = "critical"

[[heartbeats]]
name = "News"
source = "newsletter:10"
event = "email_sent"
at_least = 5
every = "day"
by = "00:20"
severity = "critical"
"#;

/// Two minutes before the day begins that is judged: a day is covered from its first minute on or not at all.
const START: &str = "2026-11-22T23:58:00Z";

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_falls_short_pages_once_with_the_count_and_what_was_expected() {
    let Some(fake) = Faketime::at(START, 60) else { return };
    let world = World::new().await;
    let serve = world.setup(HEARTBEATS).under(fake).start().await;

    serve.carry_traffic_until(ts("2026-11-23T00:03:00Z")).await;
    for _ in 0..12 {
        serve.deliver(&sent_email().of("campaign:5").at(serve.clock.now())).await;
    }
    let latest_verdict = ts("2026-11-23T00:37:00Z"); // 15 min after `by` it would be `unknown`; and a tick
    while world.pager.seen().is_empty() && serve.clock.now() < latest_verdict {
        serve.carry_traffic_until(serve.clock.now() + jiff::SignedDuration::from_secs(20)).await;
    }
    serve.carry_traffic_until(serve.clock.now() + jiff::SignedDuration::from_mins(5)).await;

    let pages = world.pager.exactly(1, Duration::ZERO, Duration::ZERO).await;
    assert!(serve.clock.latest(pages[0].at) >= ts("2026-11-23T00:20:00Z"), "not before `by`");
    let page = pages[0].json();
    assert_eq!(page["event_action"], "trigger");
    assert_eq!(page["payload"]["severity"], "critical");
    let summary = page["payload"]["summary"].as_str().expect("a summary");
    for part in ["Activation daily", "12", "40"] {
        assert!(summary.contains(part), "{part} is not in: {summary}");
    }
    let details = &page["payload"]["custom_details"];
    assert_eq!(details["heartbeat"], "Activation daily");
    assert_eq!(details["metric"], "email_sent");
    assert_eq!((&details["count"], &details["of"]), (&12.into(), &40.into()));
    assert!(details["source"] == "campaign:5" || details["sources"][0] == "campaign:5", "{details:#}");
    let posts = world.slack.exactly(1, Duration::from_secs(5), Duration::ZERO).await;
    assert!(posts[0].text().contains("Activation (campaign 5)"), "{}", posts[0].text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_we_did_not_see_pages_nobody() {
    let Some(fake) = Faketime::at(START, 60) else { return };
    let world = World::new().await;
    let serve = world.setup(HEARTBEATS).under(fake).start().await;
    serve.carry_traffic_until(ts("2026-11-23T00:08:00Z")).await;
    serve.clock.reach(ts("2026-11-23T00:40:00Z")).await;
    assert!(world.pager.seen().is_empty() && world.slack.seen().is_empty());
}
