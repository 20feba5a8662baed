//! Redelivery and reordering change no count (law 4).

use std::time::Duration;

use futures_util::future::join_all;

use crate::support::world::TRANSACTIONAL_FAILING;
use crate::support::{Event, PATIENCE, Serve, World, failed_email};

const QUIET: Duration = Duration::from_secs(2);

/// Posts all at once, over as many connections as it takes.
async fn post_together(serve: &Serve, events: Vec<&Event>) {
    for answer in join_all(events.into_iter().map(|event| serve.post(event))).await {
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_in_any_order_do_not_page_and_the_third_failure_does() {
    let world = World::new().await;
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    let [first, second, third] = [(); 3].map(|()| failed_email().of("transactional:2"));

    post_together(&serve, [&first, &second].repeat(10)).await;
    world.pager.nothing_more_for(QUIET).await;

    post_together(&serve, vec![&second, &third, &first, &third]).await;
    let page = world.pager.exactly(1, PATIENCE, QUIET).await[0].json();
    assert_eq!(page["payload"]["custom_details"]["count"], 3);
    world.slack.exactly(1, PATIENCE, Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_with_another_metric_is_another_event() {
    let world = World::new().await;
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    let failed = failed_email().of("transactional:2");
    // The same id on another channel counts by itself; the same id, channel and metric in other words does not.
    let mut bodies = vec![failed.bytes(), failed.clone().message("Variable 'other' is missing").bytes()];
    let text = String::from_utf8(failed.bytes()).expect("UTF-8");
    bodies.push(text.replace("\"object_type\":\"email\"", "\"object_type\":\"sms\"").into_bytes());
    for body in &bodies {
        assert_eq!(serve.post_bytes(body).await.status, 200);
    }
    world.pager.nothing_more_for(QUIET).await; // two events
    assert_eq!(serve.post(&failed_email().of("transactional:2")).await.status, 200);
    let page = world.pager.exactly(1, PATIENCE, QUIET).await[0].json();
    assert_eq!(page["payload"]["custom_details"]["count"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vendors_sample_is_never_counted() {
    let world = World::new().await;
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    let failed = failed_email().of("transactional:2");
    let id = failed.json()["event_id"].as_str().expect("an id");
    // The id of every sample in the vendor's documentation, and of its Send Test button.
    let sample = String::from_utf8(failed.bytes()).expect("UTF-8").replace(id, "01E4C4CT6YDC7Y5M7FE1GWWPQJ");
    assert_eq!(serve.post_bytes(sample.as_bytes()).await.status, 200);
    for _ in 0..2 {
        assert_eq!(serve.post(&failed_email().of("transactional:2")).await.status, 200);
    }
    world.pager.nothing_more_for(QUIET).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_over_eight_days_old_alerts_nobody() {
    let world = World::new().await;
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    let old = serve.clock.now() - jiff::SignedDuration::from_hours(8 * 24 + 1);
    for _ in 0..5 {
        assert_eq!(serve.post(&failed_email().of("transactional:2").at(old)).await.status, 200);
    }
    world.pager.nothing_more_for(QUIET).await;
    assert!(world.slack.seen().is_empty());
}
