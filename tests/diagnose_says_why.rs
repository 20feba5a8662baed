//! `bridge diagnose` says why: each common mistake, played against an App API that is a stand-in. What it prints names
//! nobody unless it is asked to.

use serde_json::{Value, json};

use crate::support::app_api::Traps;
use crate::support::app_api::people::{self, World, action, ada, device, event, message};
use crate::support::diagnosis::{ADDRESS, Diagnosis, diagnose, now};

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
    let has = of(|world| drop(world.actions.insert(5, vec![action(97, "twilio", "Text")]))).await;
    assert_eq!((has.code, has.with("ok").len()), (0, 12), "{:#}", has.json);
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
    only(&late, "trigger", &["sent 3 days after the time it bears", "back-dated by more than 72 h"]);
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
        assert_eq!(failed.step("message")["cause"], cause, "{:#}", failed.json);
        only(&failed, "message", &[said, &format!("({cause})")]);
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
