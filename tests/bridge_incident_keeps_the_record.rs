//! `bridge incident` lists what is open and shows one incident whole: as text, as JSON, and as a post-mortem to fill in.

use serde_json::Value;

use crate::support::world::TRANSACTIONAL_FAILING;
use crate::support::{PATIENCE, Serve, World, failed_email};

async fn fail(serve: &Serve, text: &str) {
    for _ in 0..3 {
        let event = failed_email().of("transactional:2").message(text).to("ada@example.test");
        serve.deliver(&event.at(serve.clock.now())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_listed_shown_and_written_up() {
    let world = World::new().await;
    let setup = world.setup(TRANSACTIONAL_FAILING);
    let serve = setup.start().await;
    let (code, said, _) = setup.bridge(&["incident"]).await;
    assert_eq!((code, said.trim()), (0, "Nothing is open, and nothing was in 7 days."));
    fail(&serve, "Variable 'plan|*name*' is missing for ada@example.test").await;
    let paged = world.pager.wait_for(1, PATIENCE).await;
    world.slack.wait_for(1, PATIENCE).await;
    let id = paged[0].json()["payload"]["custom_details"]["incident"].as_str().expect("an id").to_owned();

    let (code, said, complaint) = setup.bridge(&["incident"]).await;
    assert_eq!(code, 0, "{complaint}");
    assert!(said.contains(&id) && said.contains("critical") && said.contains("3 emails failed since"), "{said}");
    let (_, said, _) = setup.bridge(&["incident", "--json"]).await;
    let listed: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((&listed[0]["id"], &listed[0]["kind"]), (&id.as_str().into(), &"rule".into()));

    let (code, said, complaint) = setup.bridge(&["incident", &id]).await;
    assert_eq!(code, 0, "{complaint}");
    for part in
        ["3 emails failed since", "Timeline", "opened", "on-call: told", "lifecycle: told", "Check first", "It said"]
    {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert!(!said.contains("ada@example.test"), "{said}");

    let (code, said, _) = setup.bridge(&["incident", &id, "--json"]).await;
    let record: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(code, 0);
    assert_eq!(
        (&record["count"], &record["severity"], &record["ended_at"]),
        (&3.into(), &"critical".into(), &Value::Null)
    );
    assert_eq!((&record["sources"][0], &record["causes"][0]), (&"transactional:2".into(), &"render_error".into()));
    assert_eq!(record["receivers"].as_array().map(Vec::len), Some(2));

    let (code, said, _) = setup.bridge(&["incident", &id, "--markdown"]).await;
    assert_eq!(code, 0);
    for part in [
        "# transactional 2: 3 emails failed since",
        &format!("| Incident | `{id}` |"),
        "## Timeline",
        "- on-call: told",
        "As the failures tell: `render_error`.",
        "_Why it really happened._",
        "- [ ] _what else_",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    // Text from the sender is no markup.
    assert!(
        !said.contains("*name*") || said.contains("    Variable 'plan|*name*'") || said.contains("\\*name\\*"),
        "{said}"
    );
    assert!(!said.contains("ada@example.test"), "{said}");

    // `bridge explain` takes the id as well.
    let (code, said, complaint) = setup.bridge(&["explain", &id, "--json"]).await;
    assert_eq!(code, 0, "{complaint}");
    let explained: Value = serde_json::from_str(&said).expect("JSON");
    for key in ["event", "cause", "verdict", "rules", "receivers"] {
        assert!(explained.get(key).is_some(), "{key} in {said}");
    }
    assert_eq!(
        (&explained["cause"], &explained["rules"][0]["rule"]),
        (&"render_error".into(), &"transactional-failing".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_nobody_has_is_exit_code_1_with_the_nearest() {
    let world = World::new().await;
    let setup = world.setup(TRANSACTIONAL_FAILING);
    let serve = setup.start().await;
    fail(&serve, "Variable 'plan' is missing").await;
    let paged = world.pager.wait_for(1, PATIENCE).await;
    let id = paged[0].json()["payload"]["custom_details"]["incident"].as_str().expect("an id").to_owned();
    let slip = format!("{}9-1", &id[..7]);
    let (code, _, complaint) = setup.bridge(&["incident", &slip]).await;
    assert_eq!(code, 1, "{complaint}");
    assert!(complaint.contains(&format!("did you mean {id}?")), "{complaint}");
    let (code, _, complaint) = setup.bridge(&["explain", "00000000-1"]).await;
    assert_eq!(code, 2, "{complaint}");
    assert!(complaint.contains("there is no incident"), "{complaint}");
    let (code, _, complaint) = setup.bridge(&["incident", "--markdown"]).await;
    assert_eq!(code, 2, "{complaint}");
}
