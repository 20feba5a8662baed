//! The first promise: a transactional message that starts to fail pages at once, with all one needs to know.

use std::time::{Duration, Instant};

use crate::support::world::{ROUTES_WITH_AUDIT, ROUTING_KEY, TRANSACTIONAL_FAILING, audit, with_sns};
use crate::support::{PATIENCE, Sns, World, failed_email};

#[tokio::test(flavor = "multi_thread")]
async fn three_failing_transactional_messages_page_within_a_second() {
    let (world, sns) = (World::new().await, Sns::start().await);
    let rest = format!("{TRANSACTIONAL_FAILING}{}", audit(&sns));
    let serve = with_sns(world.setup_with_routes("", ROUTES_WITH_AUDIT, &rest), &sns).start().await;

    for _ in 0..3 {
        assert_eq!(serve.post(&failed_email().of("transactional:2")).await.status, 200);
    }
    let third = Instant::now();

    let pages = world.pager.wait_for(1, PATIENCE).await;
    let posts = world.slack.wait_for(1, PATIENCE).await;
    for (who, seen) in [("PagerDuty", &pages[0]), ("Slack", &posts[0])] {
        let took = seen.at.saturating_duration_since(third);
        assert!(took < Duration::from_secs(1), "{who} heard {took:?} after the third answer");
    }
    let published = sns.wait_for(1, PATIENCE).await;

    // Nothing else comes.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.pager.seen().len(), 1);
    assert_eq!(world.slack.seen().len(), 1);
    assert_eq!(sns.messages().await.len(), 1);

    let page = &pages[0];
    assert_eq!(page.path, "/v2/enqueue");
    let page = page.json();
    assert_eq!(page["event_action"], "trigger");
    assert_eq!(page["routing_key"], ROUTING_KEY);
    assert!(page["dedup_key"].as_str().is_some_and(|k| (1..=255).contains(&k.len())), "{page:#}");
    assert_eq!(page["payload"]["severity"], "critical");
    let details = &page["payload"]["custom_details"];
    let source = &details["source"];
    assert!(source == "transactional:2" || details["sources"][0] == "transactional:2", "{details:#}");
    assert_eq!(details["rule"], "transactional-failing");
    assert_eq!(details["metric"], "email_failed");
    assert_eq!(details["cause"], "render_error");
    assert_eq!(details["count"], 3);
    assert!(details["of"].is_u64(), "{details:#}");
    let summary = page["payload"]["summary"].as_str().expect("a summary");
    assert!(summary.chars().count() <= 1024 && summary.contains("transactional 2"), "{summary}");

    assert!(posts[0].text().contains("transactional 2"), "{}", posts[0].text());
    assert!(published[0]["Message"].as_str().is_some_and(|m| m.contains("transactional 2")), "{:#}", published[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_failing_messages_page_nobody() {
    let world = World::new().await;
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    for _ in 0..2 {
        assert_eq!(serve.post(&failed_email().of("transactional:2")).await.status, 200);
    }
    // Nor does a third one of a source that the rule does not name.
    assert_eq!(serve.post(&failed_email().of("campaign:5")).await.status, 200);
    world.pager.nothing_more_for(Duration::from_secs(2)).await;
    assert!(world.slack.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_rule_three_failures_of_one_cause_page() {
    let world = World::new().await;
    let serve = world.setup("").start().await;
    for source in ["campaign:5", "broadcast:9", "newsletter:10"] {
        assert_eq!(serve.post(&failed_email().of(source)).await.status, 200);
    }
    let page = world.pager.exactly(1, PATIENCE, Duration::from_secs(2)).await[0].json();
    let details = &page["payload"]["custom_details"];
    let mut sources: Vec<_> = details["sources"].as_array().expect("all three").iter().collect();
    sources.sort_by_key(|s| s.to_string());
    assert_eq!(sources, ["broadcast:9", "campaign:5", "newsletter:10"]);
    assert_eq!(details["count"], 3);
}
