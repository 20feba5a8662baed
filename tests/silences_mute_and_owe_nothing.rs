//! A silence mutes what it covers, and only that; nobody is left with a page that never ends, nor gets the end of one
//! that never came.

use std::time::Duration;

use insta::assert_snapshot;

use crate::support::timeline::Timeline;
use crate::support::world::TRANSACTIONAL_FAILING;
use crate::support::{PATIENCE, World, failed_email, sent_email};

const FAILING: &str = r#"
[[rules]]
name = "failing"
events = ["email_failed"]
group_by = ["source"]
count = { at_least = 3, within = "10m" }
"#;

async fn fail(t: &Timeline, source: &str) {
    for _ in 0..3 {
        t.event(failed_email().of(source)).await;
    }
}

async fn work(t: &Timeline, source: &str) {
    t.event(sent_email().of(source)).await;
}

#[tokio::test]
async fn what_is_still_open_when_its_silence_ends_is_told_then_with_a_note() {
    let t = Timeline::new("2026-11-23T06:00", FAILING).await;
    t.until("2026-11-23T06:02").await;
    t.silence("5113ace0", &["rule=failing", "source=campaign:*"], "2026-11-23T06:30").await;
    fail(&t, "campaign:5").await;
    fail(&t, "transactional:2").await;
    t.until("2026-11-23T06:40").await;
    work(&t, "campaign:5").await;
    work(&t, "transactional:2").await;
    t.until("2026-11-23T07:20").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn what_is_over_when_its_silence_ends_is_named_in_the_digest_only() {
    let digest = "[digest]\nat = \"08:00\"\nreceivers = [\"chat\"]\n";
    let t = Timeline::new("2026-11-23T05:00", &format!("{FAILING}{digest}")).await;
    t.until("2026-11-23T06:02").await;
    t.silence("5113ace0", &["source=campaign:*"], "2026-11-23T09:00").await;
    fail(&t, "campaign:5").await;
    fail(&t, "campaign:6").await;
    t.until("2026-11-23T06:05").await;
    work(&t, "campaign:5").await;
    work(&t, "campaign:6").await;
    t.until("2026-11-23T09:30").await;
    // The same trouble again: another episode, and nobody silenced it.
    fail(&t, "campaign:5").await;
    t.until("2026-11-24T07:10").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn a_delivered_opening_gets_its_resolve_under_a_silence_and_nothing_else_meanwhile() {
    let storm = "[storm]\nrepeat_every = \"10m\"\n";
    let warning = format!("{FAILING}severity = \"warning\"\n{storm}");
    let t = Timeline::new("2026-11-23T06:00", &warning).await;
    t.until("2026-11-23T06:02").await;
    fail(&t, "campaign:5").await;
    t.until("2026-11-23T06:04").await;
    t.silence("5113ace0", &["rule=failing"], "2026-11-23T09:00").await;
    t.until("2026-11-23T06:30").await;
    // It becomes critical: the silence asks for no severity.
    let t = t.reconfigured(&format!("{FAILING}{storm}")).await;
    t.until("2026-11-23T06:40").await;
    work(&t, "campaign:5").await;
    t.until("2026-11-23T07:20").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn what_becomes_worse_than_its_silence_speaks_of_is_told() {
    let t = Timeline::new("2026-11-23T06:00", &format!("{FAILING}severity = \"warning\"\n")).await;
    t.until("2026-11-23T06:02").await;
    t.silence("5113ace0", &["rule=failing", "severity=warning"], "2026-11-23T09:00").await;
    fail(&t, "campaign:5").await;
    t.until("2026-11-23T06:10").await;
    assert_eq!(t.said(), "");
    let t = t.reconfigured(FAILING).await;
    t.until("2026-11-23T06:14").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn a_silence_for_one_source_does_not_hide_that_others_fail_too() {
    let by_cause = FAILING.replace("[\"source\"]", "[\"cause\"]");
    let t = Timeline::new("2026-11-23T06:00", &by_cause).await;
    t.until("2026-11-23T06:02").await;
    t.silence("5113ace0", &["source=campaign:5"], "2026-11-23T09:00").await;
    fail(&t, "campaign:5").await;
    t.until("2026-11-23T06:10").await;
    assert_eq!(t.said(), "");
    fail(&t, "campaign:6").await;
    t.until("2026-11-23T06:14").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn ending_a_silence_early_takes_effect_within_a_minute() {
    let t = Timeline::new("2026-11-23T06:00", FAILING).await;
    t.until("2026-11-23T06:02").await;
    t.silence("5113ace0", &["source=campaign:5"], "2026-11-23T09:00").await;
    fail(&t, "campaign:5").await;
    t.until("2026-11-23T06:10").await;
    assert_eq!(t.said(), "");
    t.unsilence("5113ace0").await;
    t.until("2026-11-23T06:11").await;
    assert_eq!(t.said().matches(" opened: ").count(), 2, "{}", t.said());
}

#[tokio::test]
async fn no_roll_up_names_what_is_silenced() {
    let t = Timeline::new("2026-11-23T06:00", &format!("{FAILING}[storm]\nopen_incidents = 1\n")).await;
    t.until("2026-11-23T06:02").await;
    t.silence("5113ace0", &["source=campaign:3"], "2026-11-23T06:20").await;
    for campaign in 1..=4 {
        fail(&t, &format!("campaign:{campaign}")).await;
    }
    t.until("2026-11-23T06:10").await;
    let storm = t.said();
    assert!(storm.contains("campaign 2; campaign 4") && !storm.contains("campaign 3"), "{storm}");
    // It waits for a roll-up of its own when it is silenced no more.
    t.until("2026-11-23T06:25").await;
    assert_snapshot!(t.said());
}

#[tokio::test]
async fn blindness_is_muted_only_by_its_name() {
    for (conditions, pages) in [
        (&["severity=critical"][..], 2),
        (&["kind=*"], 2),
        (&["kind=blindness"], 0),
        (&["kind=blindness", "kind=rule"], 0),
    ] {
        let t = Timeline::new("2026-11-23T06:00", FAILING).await;
        t.until("2026-11-23T06:40").await;
        t.silence("5113ace0", conditions, "2026-11-23T23:00").await;
        t.silence_until("2026-11-23T11:00").await;
        assert_eq!(t.said().matches(" opened: Nothing has arrived").count(), pages, "{conditions:?}: {}", t.said());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_silences_and_ends_it_while_serve_runs() {
    let world = World::new().await;
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    let bridge = async |args: &[&str]| serve.setup().bridge(args).await;
    let add = ["silence", "add", "rule=transactional-failing", "source=transactional:2", "--for", "2h"];
    let (code, said, _) = bridge(&[&add[..], &["--reason", "new mail provider"]].concat()).await;
    assert_eq!(code, 0, "{said}");
    let id = said.split_whitespace().next().expect("an id").to_owned();
    for _ in 0..3 {
        assert_eq!(serve.post(&failed_email().of("transactional:2")).await.status, 200);
    }
    world.pager.nothing_more_for(Duration::from_secs(3)).await;
    assert!(world.pager.seen().is_empty() && world.slack.seen().is_empty());

    let (code, listed, _) = bridge(&["silence", "list", "--json"]).await;
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(code, 0);
    assert_eq!(listed[0]["id"], id.as_str());
    assert_eq!((&listed[0]["author"], &listed[0]["state"]), (&"ada".into(), &"active".into()));
    assert_eq!(listed[0]["matchers"]["source"], serde_json::json!(["transactional:2"]));

    let (code, said, _) = bridge(&["silence", "end", &id]).await;
    assert_eq!(code, 0, "{said}");
    let pages = world.pager.wait_for(1, PATIENCE).await;
    assert_eq!(pages[0].json()["event_action"], "trigger");
    let post = world.slack.wait_for(1, PATIENCE).await[0].text();
    assert!(post.contains("It was silenced until") && post.contains("ada: new mail provider"), "{post}");
    let (code, said, _) = bridge(&["silence", "end", &id]).await;
    assert!(code == 0 && said.contains("had ended"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_in_a_silence_is_told_and_silences_nothing() {
    let world = World::new().await;
    let serve = world.setup(TRANSACTIONAL_FAILING).start().await;
    let reason = ["--reason", "x"];
    for (args, part) in [
        (&["ruel=x", "--for", "2h"][..], "did you mean rule?"),
        (&["--for", "2h"], "what is to be silenced?"),
        (&["rule=x"], "--for 2h, or --until 16:30"),
        (&["rule=x", "--for", "2 hours"], "a duration such as"),
        (&["rule=x", "--until", "2026-01-01 08:00"], "over before it begins"),
        (&["rule=x", "--for", "200d"], "92 days at most"),
        (&["rule=x", "--for", "2h", "--author", "a\nb"], "one line"),
    ] {
        let (code, said, complaint) = serve.setup().bridge(&[&["silence", "add"], args, &reason].concat()).await;
        assert_eq!((code, said.as_str()), (2, ""), "{args:?}: {complaint}");
        assert!(complaint.contains(part), "{args:?}: {complaint}");
    }
    let (code, _, complaint) = serve.setup().bridge(&["silence", "end", "nothing"]).await;
    assert!(code == 2 && complaint.contains("there is no silence"), "{complaint}");
    let (code, said, _) = serve.setup().bridge(&["silence", "list"]).await;
    assert_eq!((code, said.as_str()), (0, "Nothing is silenced.\n"));
    let (code, _, note) = serve
        .setup()
        .bridge(&[&["silence", "add", "rule=transactional-faling", "--for", "2h"], &reason[..]].concat())
        .await;
    assert!(code == 0 && note.contains("no rule or heartbeat is called"), "{note}");
}
