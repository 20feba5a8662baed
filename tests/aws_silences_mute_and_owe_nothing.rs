//! On AWS as under `serve`: what is silenced is told when the silence is over, and the end of what was told always is.

use std::time::Duration;

use cio_alert_bridge::silence::{Conditions, Silence};
use jiff::Timestamp;
use serde_json::json;

use crate::support::lambda::{HINTS_BATCH, deliver, tick};
use crate::support::world::TRANSACTIONAL_FAILING;
use crate::support::{Faketime, Stack, Step, World, failed_email, sent_email, ts};

const START: &str = "2026-11-23T10:00:00Z";
const ENDED: &str = "2026-11-23T10:10:00Z";

/// As a command of this version writes it.
async fn silence(stack: &Stack, id: &str, from: Timestamp, to: Timestamp) {
    let silence = Silence {
        id: id.to_owned(),
        matchers: Conditions::parse(&["rule=transactional-failing".to_owned()]).expect("a condition"),
        start: from,
        end: to,
        author: "ada".to_owned(),
        reason: "new mail provider".to_owned(),
        created_at: from,
    };
    let json = serde_json::to_string(&silence).expect("JSON");
    let item = json!({ "pk": { "S": "acme#silence" }, "sk": { "S": id }, "json": { "S": json } });
    stack.table.call("PutItem", json!({ "TableName": stack.table.name, "Item": item })).await;
}

async fn minute(stack: &Stack, fake: &Faketime, when: &str) {
    tick(&stack.start_at(Step::Tick, fake, when).await).await;
    let sender = stack.start_at(Step::Deliver, fake, when).await;
    while stack.hints.pass(&sender, HINTS_BATCH).await.received > 0 {}
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_when_its_silence_ends_is_told_then_and_its_end_under_another_silence() {
    let Some(fake) = Faketime::at(START, 1) else { return };
    let world = World::new().await;
    let stack = Stack::new(world.setup(TRANSACTIONAL_FAILING)).await;
    silence(&stack, "5113ace0", ts("2026-11-23T09:00:00Z"), ts(ENDED)).await;
    let ingest = stack.start_at(Step::Ingest, &fake, START).await;
    let evaluate = stack.start_at(Step::Evaluate, &fake, START).await;
    let sender = stack.start_at(Step::Deliver, &fake, START).await;
    for _ in 0..3 {
        deliver(&ingest, &failed_email().of("transactional:2").at(ingest.clock.now())).await;
    }
    stack.settle(&evaluate, &sender).await;
    minute(&stack, &fake, "2026-11-23T10:05:00Z").await;
    assert_eq!((world.pager.seen().len(), world.slack.seen().len()), (0, 0), "silenced");

    minute(&stack, &fake, "2026-11-23T10:11:00Z").await;
    assert_eq!((world.pager.seen().len(), world.slack.seen().len()), (1, 1));
    assert!(world.slack.seen()[0].text().contains("It was silenced until"), "{}", world.slack.seen()[0].text());

    silence(&stack, "5113ace1", ts("2026-11-23T10:12:00Z"), ts("2026-11-23T20:00:00Z")).await;
    let over = "2026-11-23T10:50:00Z";
    let ingest = stack.start_at(Step::Ingest, &fake, over).await;
    deliver(&ingest, &sent_email().of("transactional:2").at(ingest.clock.now())).await;
    stack.events.pass(&stack.start_at(Step::Evaluate, &fake, over).await, 100).await;
    minute(&stack, &fake, "2026-11-23T10:51:00Z").await;
    let pages = world.pager.exactly(2, Duration::ZERO, Duration::ZERO).await;
    assert_eq!(pages[1].json()["event_action"], "resolve");
    assert_eq!(world.slack.seen().len(), 2);
}
