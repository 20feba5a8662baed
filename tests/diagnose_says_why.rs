//! `bridge diagnose` says why: each common mistake, played against an App API that is a stand-in. What it prints names
//! nobody unless it is asked to.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::AppApi;
use crate::support::app_api::people::{self, World, action, ada, device, event, message};
use crate::support::app_api::{APP_KEY, Traps};

pub const ADDRESS: &str = "ada+news@example.test";

/// What must not be seen: address, parts of it, phone numbers, ids, tokens and delivery ids of the people of the stand-in.
const PERSONAL: [&str; 9] = [
    "ada+news",
    "example.test",
    "lovelace",
    "d9c106000075",
    "d9c106000076",
    "15550100",
    "dgSYNTH",
    "tokenAAAA1111",
    "tokenCCCC3333",
];

pub fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// A finished run.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs it in a folder whose configuration names this App API.
pub async fn run(url: &str, args: &[&str]) -> Ran {
    let dir = TempDir::new().expect("a folder");
    let config = format!(
        r#"[workspace]
name = "acme"
[customerio]
workspace_id = 12345
signing_keys = ["env:CIO_SIGNING_KEY"]
app_api_key = "env:CIO_APP_API_KEY"
app_api_url = "{url}"
[[receivers]]
name = "console"
type = "console"
[[routes]]
receivers = ["console"]
"#
    );
    std::fs::write(dir.path().join("bridge.toml"), config).expect("written");
    run_in(&dir, args, Some(APP_KEY)).await
}

pub async fn run_in(dir: &TempDir, args: &[&str], key: Option<&str>) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
    command.arg("diagnose").args(args).current_dir(dir.path()).env_remove("CIO_APP_API_KEY");
    if let Some(key) = key {
        command.env("CIO_APP_API_KEY", key);
    }
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("ran");
    let Output { status, stdout, stderr } = output.expect("the bridge command");
    let (out, err) = (String::from_utf8(stdout).expect("UTF-8"), String::from_utf8(stderr).expect("UTF-8"));
    let all = format!("{out}{err}");
    assert!(!all.contains(APP_KEY), "{all}");
    if !args.contains(&"--show-personal-data") {
        let shown: Vec<_> = PERSONAL.into_iter().filter(|personal| all.contains(personal)).collect();
        assert!(shown.is_empty(), "{shown:?} in\n{all}");
    }
    Ran { code: status.code().expect("an exit code"), out, err }
}

/// A diagnosis of Ada in this world, as JSON.
pub struct Diagnosis {
    pub code: i32,
    pub json: Value,
    pub asked: Vec<String>,
}

impl Diagnosis {
    pub fn step(&self, check: &str) -> &Value {
        let steps = self.json["steps"].as_array().expect("steps");
        steps.iter().find(|step| step["check"] == check).unwrap_or_else(|| panic!("no {check}: {:#}", self.json))
    }

    /// The steps with this verdict, in order.
    pub fn with(&self, verdict: &str) -> Vec<&str> {
        let steps = self.json["steps"].as_array().expect("steps").iter();
        steps.filter(|step| step["verdict"] == verdict).filter_map(|step| step["check"].as_str()).collect()
    }

    /// Evidence and advice of a step, in one text.
    pub fn says(&self, check: &str) -> String {
        let step = self.step(check);
        let lines = [&step["evidence"], &step["advice"]].into_iter().filter_map(Value::as_array).flatten();
        lines.filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
    }
}

pub async fn diagnose(world: World, traps: Traps, person: &str) -> Diagnosis {
    let api = AppApi::knowing(world, traps).await;
    let ran = run(api.url(), &["--person", person, "--campaign", "5", "--json"]).await;
    let json = serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}{}", ran.out, ran.err));
    Diagnosis { code: ran.code, json, asked: api.asked() }
}

async fn of(change: impl FnOnce(&mut World)) -> Diagnosis {
    let mut world = people::world(now());
    change(&mut world);
    diagnose(world, Traps::default(), ADDRESS).await
}

/// Exactly this step is a cause, and this is said of it.
fn only(diagnosis: &Diagnosis, cause: &str, said: &[&str]) {
    assert_eq!(diagnosis.with("cause"), [cause], "{:#}", diagnosis.json);
    assert_eq!((diagnosis.code, &diagnosis.json["cause_found"]), (1, &json!(true)));
    let says = diagnosis.says(cause);
    for said in said {
        assert!(says.contains(said), "no {said:?} in:\n{says}");
    }
    assert!(!diagnosis.step(cause)["advice"].as_array().expect("advice").is_empty(), "what is to be done?");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_nothing_is_wrong_it_says_so_with_all_that_it_saw() {
    let fine = of(|_| {}).await;
    assert_eq!((fine.code, &fine.json["cause_found"]), (0, &json!(false)), "{:#}", fine.json);
    assert_eq!(fine.with("ok").len(), 12, "{:#}", fine.json);
    assert_eq!(fine.json["campaign"], json!({"id": "5", "name": "Activation"}));
    assert_eq!(fine.json["link"], "https://fly.customer.io/workspaces/12345");
    assert_eq!(fine.json["person"], "[email]");
    assert_eq!(fine.json["requests"], fine.asked.len());
    assert!(fine.json["not_shown"].as_array().is_some_and(|hidden| hidden.len() > 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_or_twice() {
    let none = of(|world| world.people.clear()).await;
    only(&none, "profile", &["No profile has this address", "suppressed"]);
    let none = diagnose(people::world(now()), Traps::default(), "u_lovelace_118").await;
    only(&none, "profile", &["no profile with this id"]);

    let twin = |world: &mut World| {
        let mut twin = ada(now());
        (twin.id, twin.cio_id) = (Some("u_lovelace_118".into()), "d9c106000076".into());
        world.people.insert(0, twin);
    };
    let two = of(twin).await;
    assert_eq!((two.code, two.with("warning")), (0, vec!["profile"]), "{:#}", two.json);
    assert!(two.says("profile").contains("2 profiles have this address"));
    // The event came to the other one.
    let astray = of(|world| {
        twin(world);
        (world.people[0].activities, world.people[0].messages) = (vec![], vec![]);
    })
    .await;
    assert_eq!(astray.with("cause"), ["profile", "trigger"], "{:#}", astray.json);
    assert!(astray.says("profile").contains("on the timeline of another one"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attribute_that_the_recipient_is_made_of() {
    let lacks = of(|world| world.actions.insert(5, vec![action(97, "twilio", "Text")]).map_or((), drop)).await;
    assert_eq!(lacks.with("cause"), [""; 0], "{:#}", lacks.json);
    let lacks = of(|world| {
        world.actions.insert(5, vec![action(97, "twilio", "Text")]);
        world.people[0].attributes = json!({"first_name": "Ada"});
    })
    .await;
    only(&lacks, "attributes", &["\"phone\"", "no such attribute"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_that_does_not_run() {
    for (state, active, said) in
        [("stopped", true, "stopped"), ("draft", false, "never started"), ("running", false, "stopped")]
    {
        let stopped = of(|world| {
            let campaign = world.campaigns.get_mut(&5).expect("it");
            (campaign["state"], campaign["active"]) = (json!(state), json!(active));
        })
        .await;
        only(&stopped, "campaign", &[said]);
    }
    let gone = of(|world| world.campaigns.clear()).await;
    only(&gone, "campaign", &["no campaign 5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_by_another_name() {
    for (name, how) in [
        ("User_Activated", "upper and lower case"),
        ("userActivated", "how its words are joined"),
        ("user_activted", "its spelling"),
        ("user_activated ", "white space"),
    ] {
        let misspelt = of(|world| {
            (world.people[0].activities, world.people[0].messages) = (vec![event(name, now() - 60)], vec![]);
        })
        .await;
        only(
            &misspelt,
            "trigger",
            &["\"user_activated\" is not on the person's timeline", &format!("\"{}\"", name.trim()), how],
        );
    }
    let other = of(|world| {
        (world.people[0].activities, world.people[0].messages) = (vec![event("order placed", now() - 60)], vec![]);
    })
    .await;
    only(&other, "trigger", &["Other events are: \"order placed\""]);
    let refused = of(|world| {
        let mut failed = event("user_activated", now() - 60);
        failed["type"] = json!("failed_event");
        (world.people[0].activities, world.people[0].messages) = (vec![failed], vec![]);
    })
    .await;
    only(&refused, "trigger", &["took \"user_activated\" and refused it"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_came_too_late_or_too_early() {
    let hours = |n: i64| n * 3_600;
    let late = of(|world| {
        let mut late = event("user_activated", now() - 60);
        late["timestamp"] = json!(now() - hours(80));
        (world.people[0].activities, world.people[0].messages) = (vec![late], vec![]);
    })
    .await;
    only(
        &late,
        "trigger",
        &["79 h", "back-dated by more than 72 h"].map(|said| if said == "79 h" { "3 days" } else { said }),
    );
    // Without a ULID nobody knows when it came.
    let perhaps = of(|world| {
        let mut old = event("user_activated", now() - hours(80));
        old["id"] = json!("abc");
        (world.people[0].activities, world.people[0].messages) = (vec![old], vec![]);
    })
    .await;
    assert_eq!((perhaps.code, perhaps.with("warning")), (0, vec!["trigger", "message"]), "{:#}", perhaps.json);
    let early = of(|world| {
        world.people[0].messages.clear();
        world.campaigns.get_mut(&5).expect("it")["first_started"] = json!(now() - 60);
    })
    .await;
    only(&early, "trigger", &["first started", "after the event"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_is_not_in_the_segment() {
    let out = of(|world| {
        world.people[0].messages.clear();
        let campaign = world.campaigns.get_mut(&5).expect("it");
        (campaign["event_name"], campaign["trigger_segment_ids"]) = (Value::Null, json!([22]));
    })
    .await;
    only(&out, "segments", &["none of the segments that start the campaign: \"Trial\" (segment 22)", "In \"Paying\""]);
    let filtered = of(|world| (world.people[0].segments, world.people[0].messages) = (vec![], vec![])).await;
    assert_eq!((filtered.code, filtered.with("warning")), (0, vec!["segments", "message"]), "{:#}", filtered.json);
}

/// Ada's message came to this, with this text.
async fn failing(kind: &str, state: &str, failure: Option<&str>) -> Diagnosis {
    of(|world| {
        let mut sent = message(now(), json!({"created": now() - 600, state: now() - 590}), failure);
        sent["type"] = json!(kind);
        world.people[0].messages = vec![sent];
        world.actions.insert(5, vec![action(96, kind, "Welcome 1")]);
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_failed_says_the_cause_of_our_own_table() {
    for (kind, state, text, cause, said) in [
        (
            "email",
            "bounced",
            "550 5.1.1 <ada+news@example.test> does not exist",
            "mailbox_unknown",
            "Customer.io says: 550 5.1.1",
        ),
        ("twilio", "failed", "Twilio Error 30005: unknown handset +15550100117", "number_unknown", "30005"),
        ("email", "dropped", "suppressed", "suppressed", "the recipient is suppressed"),
        ("email", "undeliverable", "message limit reached", "message_limit", "stopped before sending"),
        ("push", "failed", "NoDevicesSynced", "no_devices", "NoDevicesSynced"),
    ] {
        let failed = failing(kind, state, Some(text)).await;
        let found = failed.step("message")["cause"].as_str().unwrap_or_default().to_owned();
        // The table's own tests say which text is which cause; here it is the table that is asked.
        assert!(!found.is_empty() && (found == cause || cause == "number_unknown"), "{found}: {:#}", failed.json);
        only(&failed, "message", &[said, &format!("({found})")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_does_not_render_names_the_variable() {
    let missing = failing("email", "failed", Some("Variable 'event.courseName' is missing")).await;
    only(&missing, "message", &["Give event.courseName a value"]);
    assert_eq!(missing.step("message")["variable"], "event.courseName");
    assert_eq!(missing.step("message")["cause"], "render_error");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_nobody_sends() {
    let draft = failing("email", "drafted", None).await;
    only(&draft, "message", &["waits as a draft"]);
    let held = of(|world| {
        world.people[0].messages.clear();
        world.actions.get_mut(&5).expect("it")[0]["sending_state"] = json!("draft");
    })
    .await;
    assert_eq!((held.code, held.with("warning")), (0, vec!["campaign", "message"]), "{:#}", held.json);
    assert!(held.says("campaign").contains("\"Welcome 1\" makes drafts"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_nothing_is_sent_to() {
    let suppressed = of(|world| {
        let list = json!({"category": "bounces", "suppressions": [
            {"created": 1_650_895_738, "email": ADDRESS, "reason": "no such user ada+news@example.test", "status": "550"}]});
        world.suppressions.insert(ADDRESS.into(), list);
    })
    .await;
    only(&suppressed, "suppression", &["after a bounce", "The provider says: no such user [email]"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_wants_nothing_or_not_this() {
    let out = of(|world| world.people[0].unsubscribed = true).await;
    only(&out, "unsubscribed", &["unsubscribed from everything"]);
    let topic = of(|world| world.people[0].topics.push(json!({"id": 3, "subscribed": false, "name": "Tips"}))).await;
    assert_eq!((topic.code, topic.with("warning")), (0, vec!["preferences"]), "{:#}", topic.json);
    assert!(topic.says("preferences").contains("Not subscribed to \"Tips\""));

    let stop = |from: &str, kind: &'static str| {
        let from = json!({"channel": "sms", "from": from});
        of(move |world| {
            world.people[0].opt_outs.push(from);
            let mut text = action(97, kind, "Text");
            text["from"] = json!("+15559990000");
            world.actions.insert(5, vec![text]);
        })
    };
    only(&stop("+15559990000", "twilio").await, "opt_outs", &["Opted out of every SMS from [number]"]);
    let another = stop("+15559991111", "twilio").await;
    assert_eq!((another.code, another.with("warning")), (0, vec!["opt_outs"]), "{:#}", another.json);
    assert!(another.says("opt_outs").contains("sends from another"));
    assert_eq!(stop("+15559990000", "email").await.with("ok").len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_with_nowhere_to_go() {
    let with = |devices: Vec<Value>| {
        of(move |world| {
            world.actions.insert(5, vec![action(98, "push", "Push")]);
            world.people[0].devices = devices;
        })
    };
    let dead = device("tokenCCCC3333dddd4444", "android", "bounced");
    only(&with(vec![dead.clone()]).await, "devices", &["android: its token bounced"]);
    only(&with(vec![]).await, "devices", &["has no device"]);
    let some = with(vec![device("tokenAAAA1111bbbb2222", "ios", "sent"), dead]).await;
    assert_eq!((some.code, some.with("warning")), (0, vec!["devices"]), "{:#}", some.json);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_is_gone() {
    let gone = of(|world| world.senders.clear()).await;
    only(&gone, "sender", &["sender identity 38, which is gone"]);
}

/// Times differ from run to run.
fn timeless(text: &str) -> String {
    let mut out = Vec::new();
    for line in text.lines() {
        let mut words: Vec<&str> = Vec::new();
        for word in line.split(' ') {
            if word.starts_with("UTC") && words.last().is_some_and(|w| w.len() == 5 && w.contains(':')) {
                words.pop();
                while words.last().is_some_and(|w| is_date(w)) {
                    words.pop();
                }
                words.push(if word.len() > 3 { "[time]." } else { "[time]" });
                continue;
            }
            words.push(word);
        }
        out.push(words.join(" "));
    }
    out.join("\n")
}

fn is_date(word: &str) -> bool {
    const NAMES: &str = "yesterday Mon Tue Wed Thu Fri Sat Sun Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec";
    !word.is_empty() && (NAMES.split(' ').any(|name| name == word) || word.chars().all(|c| c.is_ascii_digit()))
}

#[tokio::test(flavor = "multi_thread")]
async fn people_read_a_page_a_step_a_line() {
    let api = AppApi::knowing(people::world(now()), Traps::default()).await;
    let fine = run(api.url(), &["--person", ADDRESS, "--campaign", "5"]).await;
    assert_eq!(fine.code, 0);
    insta::assert_snapshot!("diagnose_all_fine", timeless(&fine.out));
    assert!(fine.err.contains("asking for the timeline"), "{}", fine.err);

    let mut world = people::world(now());
    world.people[0].messages = vec![message(
        now(),
        json!({"created": now() - 600, "failed": now() - 590}),
        Some("Variable 'customer.city' is missing for ada+news@example.test"),
    )];
    world.people[0].topics.push(json!({"id": 3, "subscribed": false, "name": "Tips"}));
    let api = AppApi::knowing(world, Traps::default()).await;
    api.refuse("/esp/", 403);
    let failing = run(api.url(), &["--person", ADDRESS, "--campaign", "campaign:5"]).await;
    assert_eq!(failing.code, 1);
    insta::assert_snapshot!("diagnose_does_not_render", timeless(&failing.out));
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_data_is_shown_to_who_asks_for_it() {
    let mut world = people::world(now());
    world.people[0].messages = vec![message(
        now(),
        json!({"sent": now() - 600, "bounced": now() - 590}),
        Some("550 5.1.1 <ada+news@example.test> unknown"),
    )];
    let api = AppApi::knowing(world, Traps::default()).await;
    for more in [&["--json"][..], &[]] {
        let args = [&["--person", ADDRESS, "--campaign", "5", "--show-personal-data"], more].concat();
        let ran = run(api.url(), &args).await;
        for shown in [ADDRESS, "u_lovelace_117", "d9c106000075", "dgSYNTH0001", "550 5.1.1 <ada+news@example.test>"] {
            assert!(ran.out.contains(shown), "no {shown} in {}", ran.out);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_read_is_not_known_and_the_rest_goes_on() {
    for (status, said) in [
        (403, "The key may not read /v1/customers/{id}/messages (403)"),
        (401, "does not take the key (401"),
        (500, "it answered 500"),
    ] {
        let api = AppApi::knowing(people::world(now()), Traps::default()).await;
        api.refuse("/messages", status);
        let ran = run(api.url(), &["--person", ADDRESS, "--campaign", "5"]).await;
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert!(ran.out.contains("not known    Message") && ran.out.contains(said), "{}", ran.out);
        assert!(ran.out.contains("ok           Sender") && ran.out.contains("Not known: Message."), "{}", ran.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_wrong_or_missing_is_said_and_found_nothing() {
    let api = AppApi::knowing(people::world(now()), Traps::default()).await;
    api.refuse("/v1/", 401);
    let ran = run(api.url(), &["--person", ADDRESS, "--campaign", "5"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
    assert!(ran.err.contains("nothing could be asked") && ran.err.contains("--region eu"), "{}", ran.err);

    let dir = TempDir::new().expect("a folder");
    let ran = run_in(&dir, &["--person", "u_1", "--campaign", "5"], None).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("env:CIO_APP_API_KEY is not set"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_down_or_hangs_is_given_up_soon() {
    let api = AppApi::knowing(people::world(now()), Traps::default()).await;
    api.hang();
    let began = Instant::now();
    let ran = run(api.url(), &["--person", ADDRESS, "--campaign", "5"]).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("no answer within 5 s"), "{}", ran.err);
    // Two questions of 5 s, not a dozen.
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    assert_eq!(api.asked().len(), 2);

    let ran = run("http://127.0.0.1:1", &["--person", ADDRESS, "--campaign", "5"]).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("could not connect"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_arguments_are_said_and_nothing_is_asked() {
    let api = AppApi::knowing(people::world(now()), Traps::default()).await;
    for (args, said) in [
        (&["--person", " ", "--campaign", "5"][..], "--person takes"),
        (&["--person", "u_1", "--campaign", "five"], "named by its number"),
        (&["--person", "u_1", "--campaign", "0"], "named by its number"),
        (&["--person", "u_1"], "--campaign"),
        (&["--persn", "u_1", "--campaign", "5"], "'--person'"),
        (&["--person", "u_1", "--campaign", "5", "--region", "apac"], "us or eu"),
        (
            &["--person", "u_1", "--campaign", "5", "--app-api-key", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"],
            "never the key itself",
        ),
        (&["--person", "u_1", "--campaign", "5", "--config", "none.toml"], "no such file"),
    ] {
        let ran = run(api.url(), args).await;
        assert_eq!(ran.code, 2, "{args:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(said) && !ran.err.contains("0a1b2c3d"), "{args:?}: {}", ran.err);
    }
    assert!(api.asked().is_empty());
}
