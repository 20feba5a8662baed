//! While functions are replaced one by one, and after going back, an older one finds what a newer one wrote. It neither
//! tells nor forgets such a pair: the newer one does, once it is there (law 7).

use serde_json::{Value, json};

use crate::support::lambda::{HINTS_BATCH, deliver, tick};
use crate::support::world::TRANSACTIONAL_FAILING;
use crate::support::{Stack, Step, World, failed_email};

/// What on-call was told, in a word that only a later version knows.
const LATER: &str = r#"{"is":"whispered","to":"ada"}"#;

async fn put(stack: &Stack, key: &str, stage: &str) {
    let told = format!(
        r#"{{"episode":1,"stage":{stage},"last_at":null,"receipt":null,"attempts":0,"next_attempt_at":null,"trouble":null}}"#
    );
    let item = json!({ "pk": { "S": key }, "sk": { "S": "on-call" }, "json": { "S": told } });
    stack.table.call("PutItem", json!({ "TableName": stack.table.name, "Item": item })).await;
}

async fn stored(stack: &Stack, key: &str) -> String {
    let of = |item: &Value| item["pk"]["S"] == key && item["sk"]["S"] == "on-call";
    let item = stack.table.items().await.into_iter().find(of).expect("the pair");
    item["json"]["S"].as_str().expect("its document").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_that_only_a_later_version_can_read_is_told_by_it_and_once() {
    let world = World::new().await;
    let stack = Stack::new(world.setup(TRANSACTIONAL_FAILING)).await;
    let (ingest, evaluate) = (stack.start(Step::Ingest).await, stack.start(Step::Evaluate).await);
    let (sender, ticker) = (stack.start(Step::Deliver).await, stack.start(Step::Tick).await);
    for _ in 0..3 {
        deliver(&ingest, &failed_email().of("transactional:2")).await;
    }
    stack.events.pass(&evaluate, 100).await;
    let items = stack.table.items().await;
    let incident = items.iter().find_map(|item| item["pk"]["S"].as_str()?.strip_prefix("acme#incident#"));
    let key = format!("acme#told#{}", incident.expect("an incident"));
    put(&stack, &key, LATER).await;

    for _ in 0..2 {
        while stack.hints.pass(&sender, HINTS_BATCH).await.received > 0 {}
        assert_eq!((world.pager.seen().len(), world.slack.seen().len()), (0, 1), "everybody else hears");
        assert!(stored(&stack, &key).await.contains("whispered"), "and it stands as it was");
        assert_eq!(stack.hints.depth().await, 0, "no try is used up");
        tick(&ticker).await;
        assert_eq!(stack.hints.depth().await, 1, "tick asks again, and goes on with the rest");
    }
    // What the later version makes of it.
    put(&stack, &key, r#"{"is":"nothing"}"#).await;
    while stack.hints.pass(&sender, HINTS_BATCH).await.received > 0 {}
    tick(&ticker).await;
    while stack.hints.pass(&sender, HINTS_BATCH).await.received > 0 {}
    assert_eq!((world.pager.seen().len(), world.slack.seen().len()), (1, 1));
}
