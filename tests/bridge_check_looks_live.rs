//! `bridge check --live` looks at everything that the configuration refers to, tells nobody anything, and names what is
//! wrong.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::app_api::people::World as People;
use crate::support::app_api::{APP_KEY, AppApi, Traps};
use crate::support::world::{HEAD, ROUTING_KEY, SLACK_TOKEN};
use crate::support::{Reply, Setup, StandIn, World};

const RULE: &str =
    "\n[[rules]]\nname = \"failing\"\nevents = [\"email_failed\"]\ncount = { at_least = 3, within = \"10m\" }\n";
const ENDPOINT: &str = "https://bridge.example.test/webhooks/customerio";

/// The usual world, asking this App API.
fn asking(setup: &Setup, url: &str) -> Setup {
    let config = std::fs::read_to_string(setup.config_file()).expect("a file");
    let own = format!("region = \"us\"\napp_api_key = \"env:CIO_APP_API_KEY\"\napp_api_url = \"{url}\"");
    std::fs::write(setup.config_file(), config.replace("region = \"us\"", &own)).expect("written");
    setup.clone().env("CIO_APP_API_KEY", APP_KEY)
}

/// A run, without any secret in what it says.
async fn live(setup: &Setup, more: &[&str]) -> (i32, String) {
    let (code, said, complaint) = setup.bridge(&[&["check", "--live"], more].concat()).await;
    let all = format!("{said}{complaint}");
    for secret in [APP_KEY, ROUTING_KEY, SLACK_TOKEN, "xoxb-s3cret", "s3cret0a1b", "ada@example.test"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
    (code, said)
}

async fn findings(setup: &Setup, more: &[&str]) -> (i32, Vec<String>) {
    let (code, said) = live(setup, &[more, &["--json"]].concat()).await;
    let said: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
    let errors = said.as_array().expect("findings").iter().filter(|finding| finding["level"] == "error");
    (code, errors.map(|finding| finding["message"].as_str().expect("a message").to_owned()).collect())
}

fn webhook(api: &AppApi, change: impl FnOnce(&mut Value)) {
    let channels = ["email", "in_app", "push", "slack", "sms", "webhook", "whatsapp"];
    let mut events: Vec<String> =
        channels.iter().flat_map(|channel| [format!("{channel}_sent"), format!("{channel}_drafted")]).collect();
    events.push("email_failed".into());
    let mut ours = json!({"id": 4, "type": "webhook", "name": "ops", "endpoint": ENDPOINT, "disabled": false,
        "full_resolution": false, "with_content": false, "events": events});
    change(&mut ours);
    api.webhooks(|webhooks| webhooks.add(ours));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_fine_is_said_line_by_line_and_nobody_is_paged() {
    let (world, api) = (World::new().await, AppApi::start(&[]).await);
    webhook(&api, |_| {});
    let (code, said) = live(&asking(&world.setup(RULE), api.url()), &["--to", "https://bridge.example.test"]).await;
    assert_eq!(code, 0, "{said}");
    for line in [
        "env:CIO_SIGNING_KEY is set (the signing key)",
        "on-call: not tried: only a message shows whether it accepts; `bridge fire --receiver on-call` sends a marked test",
        "may read /v1/newsletters (names of sources)",
        "webhook 4 \"ops\" posts to https://bridge.example.test/webhooks/customerio, is enabled and has all 15 events",
        "s of Customer.io's",
        "no bridge.db in ",
        "No errors, no warnings",
    ] {
        assert!(said.contains(line), "{line} in {said}");
    }
    world.pager.exactly(0, Duration::ZERO, Duration::ZERO).await;
    world.slack.exactly(0, Duration::ZERO, Duration::ZERO).await;
    let asked = api.asked();
    assert_eq!(asked.iter().filter(|asked| asked.starts_with("/v1/campaigns")).count(), 1, "{asked:?}");
    assert!(asked.len() <= 6, "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_scope_and_a_broken_subscription_are_named() {
    let (world, api) = (World::new().await, AppApi::knowing(People::default(), Traps::default()).await);
    webhook(&api, |ours| {
        ours["disabled"] = json!(true);
        ours["events"] = json!(["email_sent"]);
    });
    api.refuse("/v1/broadcasts", 403);
    let beat = "\n[[heartbeats]]\nname = \"A\"\nsource = \"campaign:5\"\nevent = \"email_sent\"\nat_least = 40\nevery = \"day\"\n";
    let setup = asking(&world.setup(&format!("{RULE}{beat}")), api.url());
    let (code, found) = findings(&setup, &[]).await;
    assert_eq!(code, 1);
    let repair = "`bridge subscribe --to URL` shows the change";
    assert_eq!(
        found,
        [
            "the App API: names of sources: the key is refused (403 to /v1/broadcasts): is it this workspace's, and may it read /v1/broadcasts?".to_owned(),
            "Customer.io knows nothing of what is needed for the heartbeat of campaign 5".to_owned(),
            format!("webhook 4 \"ops\": it is disabled: nothing is sent; {repair}"),
            format!("webhook 4 \"ops\": it is not subscribed to email_drafted, email_failed, in_app_drafted, in_app_sent, push_drafted, push_sent and 8 more; {repair}"),
        ]
    );
    // At another address there is none.
    let (_, found) = findings(&setup, &["--to", "https://other.example.test"]).await;
    assert!(
        found
            .iter()
            .any(|f| f.starts_with("no reporting webhook posts to https://other.example.test/webhooks/customerio")),
        "{found:?}"
    );
    let (code, _, complaint) = setup.bridge(&["check", "--live", "--to", "localhost"]).await;
    assert_eq!(code, 2, "{complaint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_one_finding_and_is_not_asked_with_again_and_again() {
    let (world, api) = (World::new().await, AppApi::start(&[]).await);
    let setup = asking(&world.setup(RULE), api.url()).env("CIO_APP_API_KEY", "wrong");
    let (code, found) = findings(&setup, &[]).await;
    assert_eq!((code, found.len()), (1, 1), "{found:?}");
    assert!(found[0].contains("the key is refused (401 to /v1/campaigns)"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_is_a_finding() {
    let world = World::new().await;
    let theirs = StandIn::answering(Reply::status(401, "").header("date", "Thu, 01 Jan 2026 00:00:00 GMT")).await;
    let (code, found) = findings(&asking(&world.setup(RULE), &theirs.url()), &[]).await;
    assert_eq!(code, 1);
    assert!(
        found.iter().any(|f| f.starts_with("our clock is ") && f.contains(" s ahead of Customer.io's")),
        "{found:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bots_token_is_tried_without_a_post() {
    let slack = StandIn::answering(Reply::status(200, r#"{"ok":false,"error":"invalid_auth xoxb-s3cret"}"#)).await;
    let bot = format!(
        "{HEAD}\n[[receivers]]\nname = \"chat\"\ntype = \"slack\"\nbot_token = \"env:BOT\"\nchannel = \"C1\"\nurl = \"{}\"\n[[routes]]\nreceivers = [\"chat\"]\n",
        slack.url()
    );
    let setup = Setup::new(&bot).env("BOT", "xoxb-s3cret");
    let (code, found) = findings(&setup, &[]).await;
    assert_eq!((code, found.len()), (1, 1), "{found:?}");
    assert!(found[0].starts_with("the receiver chat does not accept: Slack: invalid_auth"), "{found:?}");
    slack.answer(Reply::status(200, r#"{"ok":true,"team":"T"}"#));
    let (code, said) = live(&setup, &[]).await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("chat: the token is good"), "{said}");
    assert!(slack.seen().iter().all(|seen| seen.path == "/api/auth.test"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_another_workspace_is_a_finding_and_ones_own_is_read_while_it_is_used() {
    let world = World::new().await;
    let setup = world.setup(RULE);
    let serve = setup.start().await;
    let (code, said) = live(&setup, &[]).await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("no event has ever arrived") && said.contains("the queues answer"), "{said}");
    serve.kill().await;
    let config = std::fs::read_to_string(setup.config_file()).expect("a file");
    std::fs::write(setup.config_file(), config.replace("\"acme\"", "\"other\"")).expect("written");
    let (code, found) = findings(&setup, &[]).await;
    assert_eq!((code, found.len()), (1, 1), "{found:?}");
    assert!(found[0].contains("holds the workspace `acme`"), "{found:?}");
}
