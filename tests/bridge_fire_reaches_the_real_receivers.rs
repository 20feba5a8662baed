//! `bridge fire` sends a marked test through the real routes, and its end, and says what each receiver answered.

use std::time::Duration;

use serde_json::Value;

use crate::support::{Reply, World};

const NO_WAIT: Duration = Duration::ZERO;

#[tokio::test(flavor = "multi_thread")]
async fn a_test_opens_and_ends_wherever_the_routes_lead() {
    let world = World::new().await;
    let setup = world.setup("");
    // No folder of `serve` is needed: nothing is counted.
    let (code, said, complaint) = setup.bridge(&["fire"]).await;
    assert_eq!((code, complaint.as_str()), (0, ""), "{said}");
    for line in ["Test of the alert routes by ada", "on-call (pagerduty)", "opening: accepted", "end: accepted"] {
        assert!(said.contains(line), "{line} in {said}");
    }
    let paged = world.pager.exactly(2, NO_WAIT, NO_WAIT).await;
    let (opening, end) = (paged[0].json(), paged[1].json());
    assert_eq!((&opening["event_action"], &end["event_action"]), (&"trigger".into(), &"resolve".into()));
    assert_eq!(opening["dedup_key"], end["dedup_key"]);
    assert_eq!(opening["payload"]["severity"], "critical");
    assert_eq!(opening["payload"]["summary"], "Test of the alert routes by ada: nothing is wrong");
    let posted = world.slack.exactly(2, NO_WAIT, NO_WAIT).await;
    for (post, state) in posted.iter().zip(["Test", "Resolved"]) {
        let text = post.json()["text"].as_str().expect("a text").to_owned();
        assert!(text.contains(state) && text.contains("nothing is wrong"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_choose_the_route_and_a_dry_run_sends_nothing() {
    let world = World::new().await;
    let setup = world.setup("");
    let (code, said, _) = setup.bridge(&["fire", "--route", "severity=warning", "--dry-run"]).await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("lifecycle (slack)") && !said.contains("on-call"), "{said}");
    let (code, said, _) = setup.bridge(&["fire", "--receiver", "on-call", "--keep-open", "--json"]).await;
    assert_eq!(code, 0, "{said}");
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((&said[0]["receiver"], &said[0]["opening"]["outcome"]), (&"on-call".into(), &"accepted".into()));
    assert_eq!(said[0]["end"], Value::Null);
    world.pager.exactly(1, NO_WAIT, NO_WAIT).await;
    world.slack.exactly(0, NO_WAIT, NO_WAIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_does_not_take_it_is_exit_code_1_and_says_what_to_do() {
    let world = World::new().await;
    world.pager.answer(Reply::status(503, ""));
    world.slack.answer(Reply::status(404, "no_service"));
    let setup = world.setup("");
    let (code, said, _) = setup.bridge(&["fire"]).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("opening: try again") || said.contains("opening: answer lost"), "{said}");
    assert!(said.contains("opening: broken") && said.contains("repair the receiver"), "{said}");
    assert!(!said.contains("end:"), "{said}");

    let (code, said, complaint) = setup.without("SLACK_WEBHOOK_URL").bridge(&["fire", "--receiver", "lifecycle"]).await;
    assert_eq!(code, 1, "{said}{complaint}");
    assert!(said.contains("SLACK_WEBHOOK_URL"), "{said}{complaint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_for_is_exit_code_2() {
    let world = World::new().await;
    let setup = world.setup("");
    for (bad, says) in [
        (["fire", "--route", "severity=loud"], "critical, warning, info"),
        (["fire", "--route", "source=*"], "not a pattern"),
        (["fire", "--receiver", "nobody"], "there are on-call, lifecycle"),
    ] {
        let (code, said, complaint) = setup.bridge(&bad).await;
        assert_eq!(code, 2, "{said}{complaint}");
        assert!(complaint.contains(says), "{complaint}");
    }
    world.pager.exactly(0, NO_WAIT, NO_WAIT).await;
}
