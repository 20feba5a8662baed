//! `bridge explain` says why an event did or did not page, with the numbers, and reads only.

use serde_json::Value;

use crate::support::world::TRANSACTIONAL_FAILING;
use crate::support::{Event, PATIENCE, Setup, World, failed_email};

fn failure() -> Event {
    failed_email().of("transactional:2")
}

/// The event that Customer.io sends on "Send test".
const SAMPLE: &str = r#"{"event_id":"01E4C4CT6YDC7Y5M7FE1GWWPQJ","object_type":"email","metric":"sent","timestamp":1}"#;

/// Explains these bytes: exit code, what was printed, what was complained of.
async fn explain(setup: &Setup, body: &[u8], more: &[&str]) -> (i32, String, String) {
    let file = setup.folder().join("event.json");
    std::fs::write(&file, body).expect("written");
    setup.bridge(&[&["explain", file.to_str().expect("UTF-8")], more].concat()).await
}

/// Asks until `JSON pointer` is this, for what was taken is counted a moment later.
async fn until(setup: &Setup, body: &[u8], at: &str, is: impl Into<Value>) -> Value {
    let (is, begun) = (is.into(), std::time::Instant::now());
    loop {
        let said = json(setup, body).await;
        if said.pointer(at) == Some(&is) || begun.elapsed() > PATIENCE {
            assert_eq!(said.pointer(at), Some(&is), "{said}");
            return said;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

async fn json(setup: &Setup, body: &[u8]) -> Value {
    let (code, said, complaint) = explain(setup, body, &["--json"]).await;
    assert_eq!(code, 0, "{said}{complaint}");
    let said: Value = serde_json::from_str(&said).expect("JSON");
    for key in ["event", "cause", "verdict", "rules", "receivers"] {
        assert!(said.get(key).is_some(), "{key} in {said}");
    }
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn what_paged_is_explained_by_its_incident_and_who_was_told() {
    let world = World::new().await;
    let setup = world.setup(TRANSACTIONAL_FAILING);
    let serve = setup.start().await;
    let event = failure();
    for event in [event.clone(), failure(), failure()] {
        serve.post(&event).await;
    }
    world.pager.wait_for(1, PATIENCE).await;
    world.slack.wait_for(1, PATIENCE).await;
    let told = until(&setup, &event.bytes(), "/receivers/1/told", "opening").await;
    let said = until(&setup, &event.bytes(), "/receivers/0/told", "opening").await;
    assert_eq!(told["verdict"], "alerted", "{told}");
    let rule = &said["rules"][0];
    assert_eq!((&rule["is_true"], &rule["count"]), (&true.into(), &3.into()), "{said}");
    assert_eq!(rule["why"], "3 in the fullest window, and it takes 3");
    let told: Vec<_> =
        said["receivers"].as_array().expect("a list").iter().map(|r| (&r["receiver"], &r["told"])).collect();
    assert_eq!(told, [(&"on-call".into(), &"opening".into()), (&"lifecycle".into(), &"opening".into())]);
    let (_, text, _) = explain(&setup, &event.bytes(), &[]).await;
    assert!(
        text.contains("It is part of an incident of transactional-failing.") && text.contains("incident "),
        "{text}"
    );
    assert!(!text.contains('@'), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_page_says_what_was_missing() {
    let world = World::new().await;
    let setup = world.setup(TRANSACTIONAL_FAILING);
    let alone = json(&setup, &failure().bytes()).await;
    assert_eq!((&alone["verdict"], &alone["rules"][0]["count"]), (&"no_rule_true".into(), &1.into()), "{alone}");

    let serve = setup.start().await;
    let event = failure();
    serve.post(&event).await;
    serve.post(&failure()).await;
    let said = until(&setup, &event.bytes(), "/rules/0/count", 2).await;
    assert_eq!(said["verdict"], "no_rule_true", "{said}");
    assert_eq!(said["rules"][0]["why"], "2 in the fullest window, and it takes 3");
    assert_eq!(said["receivers"], Value::Array(Vec::new()));

    let said = json(&setup, &failed_email().of("campaign:5").bytes()).await;
    assert_eq!(said["verdict"], "no_rule", "{said}");
    assert!(said["rules"][0]["why"].as_str().is_some_and(|why| why.ends_with("is none of its sources")), "{said}");
    for (text, verdict) in [("{\"half\":", "quarantined"), ("[]", "quarantined"), (SAMPLE, "sample")] {
        let said = json(&setup, text.as_bytes()).await;
        assert_eq!(said["verdict"], verdict, "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_of_arrival_makes_it_too_late() {
    let world = World::new().await;
    let setup = world.setup(TRANSACTIONAL_FAILING);
    let event = failure();
    let in_nine_days = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(9 * 24)).to_string();
    let (code, said, _) = explain(&setup, &event.bytes(), &["--arrived", &in_nine_days]).await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("more than 8 days late, so it alerts nobody"), "{said}");
    let (code, _, complaint) = setup.bridge(&["explain", "0f3a9c1e-1"]).await;
    assert_eq!(code, 2);
    assert!(complaint.contains("there is no bridge.db"), "an incident's id needs data: {complaint}");
}
