//! An alert says what its failures have in common, as far as Customer.io tells: after the page and without delaying it,
//! by few questions, once.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::app_api::people::{World as Known, action, message, world};
use crate::support::app_api::{APP_KEY, Traps};
use crate::support::stand_in::Seen;
use crate::support::world::{HEAD, ROUTES, ROUTING_KEY};
use crate::support::{AppApi, Event, Faketime, PATIENCE, Reply, Serve, Setup, StandIn, failed_email};

const RULE: &str = r##"
[[rules]]
name = "failing"
events = ["email_failed"]
group_by = ["source"]
count = { at_least = 3, within = "10m" }
severity = "critical"

[storm]
update_every = "12h"
"##;

const MISSING: &str = "Variable 'event.courseName' is missing";

/// Slow enough for an answer within 5 s of the bridge's clock on a busy machine.
const SPEED: u32 = 6;

const BEGINS: &str = "2026-11-23T06:00:00Z";

/// A bridge with a pager, a Slack bot and an App API.
struct Scene {
    pager: StandIn,
    slack: StandIn,
    app_api: AppApi,
    serve: Serve,
}

impl Scene {
    /// `None` without libfaketime.
    async fn new() -> Option<Self> {
        let fake = Faketime::at(BEGINS, SPEED)?;
        let (pager, app_api) =
            (StandIn::answering(Reply::accepted()).await, AppApi::knowing(known(), Traps::default()).await);
        let ok = json!({ "ok": true, "channel": "C0LIFE", "ts": "1700000000.000001" }).to_string();
        let slack = StandIn::answering(Reply::status(200, &ok)).await;
        let asks = format!("[customerio]\napp_api_key = \"env:CIO_APP_API_KEY\"\napp_api_url = \"{}\"", app_api.url());
        let receivers = format!(
            "[[receivers]]\nname = \"on-call\"\ntype = \"pagerduty\"\nrouting_key = \"env:PAGERDUTY_ROUTING_KEY\"\nurl = \"{}\"\n\
             [[receivers]]\nname = \"lifecycle\"\ntype = \"slack\"\nbot_token = \"env:SLACK_BOT_TOKEN\"\nchannel = \"C0LIFE\"\nurl = \"{}\"\n",
            pager.url(),
            slack.url()
        );
        let config = format!("{}{receivers}{ROUTES}{RULE}", HEAD.replace("[customerio]", &asks));
        let setup = Setup::new(&config)
            .env("PAGERDUTY_ROUTING_KEY", ROUTING_KEY)
            .env("SLACK_BOT_TOKEN", "xoxb-test-token-0001")
            .env("CIO_APP_API_KEY", APP_KEY);
        let serve = setup.under(fake).start().await;
        Some(Self { pager, slack, app_api, serve })
    }

    fn failed(&self, source: &str, n: usize) -> Event {
        failed_email().of(source).message(MISSING).with("delivery_id", id(n)).at(self.serve.clock.now())
    }

    /// In one request, so that one batch opens the incident.
    async fn fail_three(&self, source: &str) {
        let three: Vec<Value> = (1..=3).map(|n| self.failed(source, n).json().clone()).collect();
        assert_eq!(self.serve.post_bytes(Value::from(three).to_string().as_bytes()).await.status, 200);
    }

    /// Edits of what the bot posted.
    fn edits(&self) -> Vec<Seen> {
        self.slack.seen().into_iter().filter(|seen| seen.path == "/api/chat.update").collect()
    }

    fn asked_about_messages(&self) -> usize {
        self.app_api.asked().iter().filter(|asked| asked.starts_with("/v1/messages/")).count()
    }

    async fn until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        // Four of the bridge's minutes: what is limited in the second is asked again in the third.
        let patience = Instant::now() + 2 * PATIENCE;
        while !done(self) {
            assert!(Instant::now() < patience, "not seen: {what}\n{}", self.serve.stderr());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn id(n: usize) -> String {
    format!("dgSYNTH000{n}-_aaaaBBBBccccDDDD=")
}

/// Three messages of a campaign that was edited two minutes before, and fail for want of a variable.
fn known() -> Known {
    let now = BEGINS.parse::<Timestamp>().expect("a time").as_second();
    let mut known = world(now);
    let failed = |n: usize| {
        let mut message = message(now, json!({"created": now, "failed": now}), Some(MISSING));
        message["id"] = id(n).into();
        message
    };
    known.people[0].messages = (1..=3).map(failed).collect();
    let campaign = known.campaigns.get_mut(&5).expect("Activation");
    campaign["updated"] = (now - 120).into();
    known.actions.insert(5, vec![action(96, "email", "Welcome 1"), action(97, "email", "Welcome 2")]);
    known
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bots_message_is_edited_into_the_diagnosis_and_nobody_is_paged_for_it() {
    let Some(scene) = Scene::new().await else { return };
    scene.fail_three("campaign:5").await;
    scene.until("the diagnosis", |scene| scene.edits().iter().any(|edit| edit.text().contains("Diagnosis"))).await;
    let edit = scene.edits().pop().expect("just seen").text();
    for part in
        ["All 3 failures: variable event.courseName is missing since", "Welcome 1", "the campaign was edited at 05:58"]
    {
        assert!(edit.contains(part), "{part}: {edit}");
    }
    let (_, said, _) = {
        let file = scene.serve.setup().folder().join("event.json");
        std::fs::write(&file, scene.failed("campaign:5", 1).bytes()).expect("written");
        scene.serve.setup().bridge(&["explain", &file.display().to_string()]).await
    };
    assert!(said.contains("variable event.courseName is missing since"), "{said}");

    // Once an episode, by few questions; more failures ask nothing more.
    scene.serve.deliver(&scene.failed("campaign:5", 4)).await;
    scene.serve.carry_traffic_until(scene.serve.clock.now() + SignedDuration::from_mins(2)).await;
    let mut asked = scene.app_api.asked();
    asked.retain(|asked| ["/v1/messages/", "/v1/campaigns/5", "/v1/sender"].iter().any(|path| asked.starts_with(path)));
    assert_eq!((scene.asked_about_messages(), asked.len()), (3, 6), "{asked:#?}");
    assert_eq!((scene.pager.seen().len(), scene.edits().len()), (1, 1));
    let all = scene.slack.seen().iter().map(Seen::text).collect::<String>()
        + &scene.pager.seen()[0].text()
        + &scene.serve.stderr();
    for personal in ["dgSYNTH", "ada+news", "lovelace", "d9c106000075", APP_KEY] {
        assert!(!all.contains(personal), "{personal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_waits_for_no_answer_of_the_app_api() {
    let Some(scene) = Scene::new().await else { return };
    scene.app_api.hang();
    scene.fail_three("campaign:5").await;
    scene.pager.wait_for(1, PATIENCE).await;
    // Tick hangs on its question by now; the next incident is told all the same.
    scene.until("a question", |scene| scene.asked_about_messages() > 0).await;
    scene.fail_three("campaign:6").await;
    let pages = scene.pager.wait_for(2, PATIENCE).await;
    let page = pages[1].json();
    assert!(page["payload"]["summary"].as_str().is_some_and(|text| text.contains("campaign 6")), "{page}");
    assert!(scene.edits().is_empty() && !page.to_string().contains("Diagnosis"), "nothing is known");
    assert!(scene.asked_about_messages() <= 2, "who does not answer twice is not asked on");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_customer_io_takes_no_more_of_is_asked_again_after_its_limit() {
    let Some(scene) = Scene::new().await else { return };
    scene.app_api.limit("/v1/messages/", 1, Some(30));
    scene.fail_three("campaign:5").await;
    scene.until("the diagnosis", |scene| scene.edits().iter().any(|edit| edit.text().contains("Diagnosis"))).await;
    assert_eq!(
        scene.asked_about_messages(),
        4,
        "nothing more after the 429, then all of it: {:#?}",
        scene.app_api.asked()
    );
    assert_eq!((scene.pager.seen().len(), scene.edits().len()), (1, 1));
}
