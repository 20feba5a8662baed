//! `bridge subscribe` creates or repairs the reporting webhook, shows the change first, and writes only when told to.

use serde_json::{Value, json};

use crate::support::app_api::people::World as People;
use crate::support::app_api::{APP_KEY, AppApi, Traps};
use crate::support::{Setup, World};

const TO: &str = "https://bridge.example.test";
const ENDPOINT: &str = "https://bridge.example.test/webhooks/customerio";

/// A configuration whose only rule counts failed e-mails.
async fn setup(api: &AppApi, region: &str) -> Setup {
    let rule =
        "\n[[rules]]\nname = \"failing\"\nevents = [\"email_failed\"]\ncount = { at_least = 3, within = \"10m\" }\n";
    let setup = World::new().await.setup(rule);
    let config = std::fs::read_to_string(setup.config_file()).expect("a file");
    let own = format!("region = \"{region}\"\napp_api_key = \"env:CIO_APP_API_KEY\"\napp_api_url = \"{}\"", api.url());
    std::fs::write(setup.config_file(), config.replace("region = \"us\"", &own)).expect("written");
    setup.env("CIO_APP_API_KEY", APP_KEY)
}

/// A run that shows neither the key nor a token of an address.
async fn run(setup: &Setup, more: &[&str]) -> (i32, String, String) {
    let ran = setup.bridge(&[&["subscribe", "--to", TO], more].concat()).await;
    for secret in [APP_KEY, "s3cret", "ada@example.test"] {
        assert!(!format!("{}{}", ran.1, ran.2).contains(secret), "{secret} in {}{}", ran.1, ran.2);
    }
    ran
}

fn writes(api: &AppApi) -> Vec<Value> {
    api.webhooks(|webhooks| webhooks.written.clone())
}

fn kept(api: &AppApi) -> Vec<Value> {
    api.webhooks(|webhooks| webhooks.kept())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_not_there_is_shown_and_created_when_told_to() {
    for traps in [
        Traps::default(),
        Traps { null_lists: true, ..Traps::default() },
        Traps { unwrapped: true, ..Traps::default() },
    ] {
        let api = AppApi::knowing(People::default(), traps).await;
        let setup = setup(&api, "us").await;
        let (code, said, complaint) = run(&setup, &[]).await;
        assert_eq!((code, complaint.as_str()), (1, ""), "{said}");
        for line in [
            "A reporting webhook is to be created:",
            "+ endpoint https://bridge.example.test/webhooks/customerio",
            "+ email_failed  (rule failing)",
            "+ email_sent  (shows that rule failing is over)",
            "run it again with --yes",
        ] {
            assert!(said.contains(line), "{line} in {said}");
        }
        assert_eq!(writes(&api), Vec::<Value>::new());

        let (code, said, complaint) = run(&setup, &["--yes"]).await;
        assert_eq!((code, complaint.as_str()), (0, ""), "{said}");
        assert!(said.contains("Done, and read back.") && said.contains("signing key"), "{said}");
        let kept = kept(&api);
        assert_eq!(kept.len(), 1);
        assert_eq!((&kept[0]["endpoint"], &kept[0]["with_content"]), (&json!(ENDPOINT), &json!(false)));
        assert_eq!(kept[0]["name"], "cio-alert-bridge acme");

        let (code, said, _) = run(&setup, &["--yes"]).await;
        assert_eq!(code, 0, "{said}");
        assert!(said.starts_with("webhook 1 \"cio-alert-bridge acme\" is as it should be"), "{said}");
        assert_eq!(writes(&api).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_drifted_is_repaired_and_keeps_what_is_its_own() {
    let api = AppApi::knowing(People::default(), Traps::default()).await;
    api.webhooks(|webhooks| {
        webhooks.add(json!({"id": 3, "type": "webhook", "name": "warehouse", "endpoint": "https://x.example.test/s3cret0a1b",
            "disabled": false, "full_resolution": false, "with_content": true, "events": ["email_sent"]}));
        webhooks.add(json!({"id": 4, "type": "webhook", "name": "ops", "endpoint": format!("{ENDPOINT}/"),
            "disabled": true, "full_resolution": true, "with_content": true, "events": ["email_clicked", "email_failed"]}));
    });
    let setup = setup(&api, "eu").await;
    let (code, said, complaint) = run(&setup, &["--json"]).await;
    assert_eq!((code, complaint.as_str()), (1, ""), "{said}");
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((&said["change"], &said["webhook"], &said["applied"]), (&json!("repair"), &json!("4"), &json!(false)));
    let lines: Vec<&str> = said["lines"].as_array().expect("lines").iter().filter_map(Value::as_str).collect();
    assert_eq!(lines[..4], ["- disabled", "+ enabled", "- with_content on", "+ with_content off"]);
    assert!(!lines.iter().any(|line| line.contains("email_failed")), "{lines:?}");

    // A limit is waited out.
    api.limit("/v1/reporting_webhooks/4", 1, Some(0));
    let (code, said, complaint) = run(&setup, &["--yes"]).await;
    assert_eq!((code, complaint.as_str()), (0, ""), "{said}");
    let kept = kept(&api);
    assert_eq!(kept[0]["events"], json!(["email_sent"]), "another's is left as it is");
    let ours = &kept[1];
    assert_eq!((&ours["name"], &ours["full_resolution"]), (&json!("ops"), &json!(true)));
    assert_eq!((&ours["disabled"], &ours["with_content"]), (&json!(false), &json!(false)));
    let events = ours["events"].as_array().expect("events");
    assert!(["email_clicked", "email_failed", "email_sent"].iter().all(|e| events.contains(&json!(e))), "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_does_not_stay_is_a_failure() {
    let api = AppApi::knowing(People::default(), Traps::default()).await;
    api.webhooks(|webhooks| {
        webhooks
            .add(json!({"id": 4, "name": "ops", "endpoint": ENDPOINT, "disabled": true, "events": ["email_failed"]}));
        webhooks.deaf_to = Some("disabled");
    });
    let (code, said, complaint) = run(&setup(&api, "us").await, &["--yes"]).await;
    assert_eq!(code, 1, "{said}{complaint}");
    assert!(complaint.contains("not what was written") && complaint.contains("+ enabled"), "{complaint}");
    assert!(!said.contains("Done"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_named_with_exit_code_1_and_what_is_not_set_with_2() {
    let api = AppApi::knowing(People::default(), Traps::default()).await;
    let setup = setup(&api, "us").await;
    let (code, _, complaint) = run(&setup.clone().env("CIO_APP_API_KEY", "another"), &[]).await;
    assert_eq!(code, 1, "{complaint}");
    assert!(complaint.contains("the key is refused (401 to /v1/reporting_webhooks)"), "{complaint}");
    api.refuse("/v1/reporting_webhooks", 403);
    let (code, _, complaint) = run(&setup, &["--yes"]).await;
    assert_eq!(code, 1, "{complaint}");
    assert!(complaint.contains("the key is refused (403 to /v1/reporting_webhooks)"), "{complaint}");
    assert_eq!(writes(&api), Vec::<Value>::new());

    let (code, _, complaint) = run(&setup.clone().without("CIO_APP_API_KEY"), &[]).await;
    assert_eq!(code, 2, "{complaint}");
    assert!(complaint.contains("CIO_APP_API_KEY"), "{complaint}");
    for bad in ["bridge.example.test", "http://localhost:9000"] {
        let (code, _, complaint) = setup.bridge(&["subscribe", "--to", bad]).await;
        assert_eq!(code, 2, "{complaint}");
        assert!(complaint.contains("--to takes"), "{complaint}");
    }
    let without = World::new().await.setup("");
    let (code, _, complaint) = run(&without, &[]).await;
    assert_eq!(code, 2, "{complaint}");
    assert!(complaint.contains("app_api_key"), "{complaint}");
}
