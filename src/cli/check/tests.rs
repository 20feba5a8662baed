use async_trait::async_trait;
use jiff::Timestamp;

use super::*;
use crate::config::secrets::{Secret, SecretError, SecretRef, Secrets};
use crate::heartbeat::learned::{Bin, learn};
use crate::store::Store;
use crate::store::embedded::{Durability, EmbeddedStore};

/// Has these environment variables and no others.
struct Only(&'static [&'static str]);

#[async_trait]
impl Secrets for Only {
    async fn get(&self, at: &SecretRef) -> Result<Secret, SecretError> {
        match at {
            SecretRef::Env(name) if self.0.contains(&name.as_str()) => Ok(Secret::new("hunter2-value")),
            _ => Err(SecretError::NotSet(at.clone())),
        }
    }
}

fn args(config: &str) -> CheckArgs {
    CheckArgs { config: config.into(), data: "/nowhere".into(), live: false, to: None, stack: None, json: false }
}

fn example() -> CheckArgs {
    args(concat!(env!("CARGO_MANIFEST_DIR"), "/bridge.toml"))
}

/// Monday 12:00 in Berlin.
fn now() -> Timestamp {
    "2026-11-23T11:00:00Z".parse().expect("a time")
}

/// A file with this content, removed when it goes out of scope.
struct Temporary(PathBuf);

impl Temporary {
    fn with(name: &str, content: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("bridge-check-{}-{name}", std::process::id()));
        std::fs::write(&path, content).expect("a file");
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn the_example_is_explained_in_words_and_has_no_finding() {
    let checked = check(&example(), now()).await;
    assert_eq!((checked.findings.as_slice(), checked.exit), (&[][..], 0));
    let summary = text(&checked);
    let (_, after_hash) = summary.split_once('\n').expect("lines");
    insta::assert_snapshot!(after_hash, @"

    Sources
      Activation (campaign 5), owned by growth
      Trial reminders (campaign 7), owned by growth
      Password reset (transactional 2), owned by identity
      Receipt (transactional 3), owned by billing
      Weekly Digest (newsletter 10), owned by content

    Receivers
      on-call: pagerduty; falls back on audit
      lifecycle: slack, by webhook
      audit: sns

    Routes
      severity critical -> on-call, lifecycle
      everything else -> lifecycle

    Rules
      transactional-failing: critical on 3 or more of email_failed, sms_failed, push_failed within 10m, from transactional:*, by cause; over after 30m of quiet
      campaign-failing: warning on 10 or more of *_failed (7 channels) within 30m, from campaign:*, broadcast:*, newsletter:*, by cause; over after 30m of quiet
      bounce-rate: warning on more than 5 % email_bounced of email_sent within 1h, until 4 % or less, by source; over after 1h of quiet

    Heartbeats
      Activation: Activation (campaign 5), at least 40 email_sent a day by 18:00, critical; next due Mon 2026-11-23 18:00

    Ignored (counted and shown, never an alert)
      messages to *@example.com

    Open incidents
      spoken of again every 4h; where a message can be edited, new numbers every 5m
      more than 200 at once are named together in one roll-up

    Digest
      daily at 08:00: lifecycle, audit

    No errors, no warnings: the bridge runs with this
    ");
    assert!(summary.starts_with("Workspace acme, Europe/Berlin; configuration "));
}

#[tokio::test]
async fn a_broken_file_exits_2_and_names_file_line_and_column() {
    let file = Temporary::with("broken.toml", b"[workspace]\nname = \"acme\"\ntimezon = \"UTC\"\n");
    let checked = check(&args(&file.0.display().to_string()), now()).await;
    assert_eq!(checked.exit, 2);
    let shown = text(&checked).replace(&file.0.display().to_string(), "bridge.toml");
    insta::assert_snapshot!(shown, @r#"
    bridge.toml:1:1: error: [customerio] is missing; allowed: [customerio] with signing_keys = ["env:CIO_SIGNING_KEY"]
    bridge.toml:1:1: error: there are no [[receivers]]; nobody would hear of anything; allowed: at least one, for example [[receivers]] with name = "screen" and type = "console"
    bridge.toml:1:1: error: there are no [[routes]]; nobody would hear of anything; allowed: at least one, for example [[routes]] with receivers = ["..."]
    bridge.toml:3:1: error: unknown key "timezon" in [workspace]; allowed: name, timezone; did you mean "timezone"?

    4 errors, no warnings: the bridge will not run with this
    "#);
    let parsed: serde_json::Value = serde_json::from_str(&json(&checked.findings)).expect("JSON");
    let unknown = parsed.as_array().expect("an array").iter().find(|f| f["line"] == 3).expect("the unknown key");
    assert_eq!(unknown["column"], 1);
    assert_eq!(unknown["suggestion"], "timezone");
    assert_eq!(unknown["level"], "error");
}

#[tokio::test]
async fn a_missing_file_and_one_that_is_not_utf8_say_what_to_do() {
    let checked = check(&args("/nowhere/bridge.toml"), now()).await;
    assert_eq!(checked.exit, 2);
    insta::assert_snapshot!(text(&checked), @"
    /nowhere/bridge.toml: error: there is no such file; name yours with --config, or start from the example bridge.toml

    1 error, no warnings: the bridge will not run with this
    ");
    let file = Temporary::with("latin1.toml", b"[workspace]\nname = \"Caf\xe9\"\n");
    let checked = check(&args(&file.0.display().to_string()), now()).await;
    assert_eq!((checked.exit, checked.findings[0].line, checked.findings[0].column), (2, Some(2), Some(12)));
}

/// What the file says and its secrets, without anybody else being asked.
async fn live(args: &CheckArgs, secrets: &Only) -> Checked {
    let mut checked = check(args, now()).await;
    if let Some((config, content)) = checked.read.take() {
        checked.add(live::look(&config, secrets).await, &args.config.display().to_string(), &content);
    }
    checked
}

#[tokio::test]
async fn live_names_each_missing_secret_and_lets_a_later_signing_key_be_missing() {
    const ALL: &[&str] = &["CIO_SIGNING_KEY", "PAGERDUTY_ROUTING_KEY", "SLACK_WEBHOOK_URL", "ALERT_TOPIC_ARN"];
    let fine = live(&example(), &Only(ALL)).await;
    assert_eq!((fine.findings.as_slice(), fine.exit), (&[][..], 0));
    let told = text(&fine);
    assert!(told.contains("env:CIO_SIGNING_KEY_PREVIOUS is not set (a later signing key); that is fine"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");

    let missing = live(&example(), &Only(&["CIO_SIGNING_KEY", "SLACK_WEBHOOK_URL", "ALERT_TOPIC_ARN"])).await;
    assert_eq!(missing.exit, 1);
    let shown: Vec<_> = missing.findings.iter().map(|f| (f.message.as_str(), f.line.is_some())).collect();
    assert_eq!(shown, [("env:PAGERDUTY_ROUTING_KEY is not set; it is needed for the receiver on-call", true)]);
}

#[tokio::test]
async fn the_canary_is_shown_and_live_asks_for_its_credentials() {
    let canary = "[workspace]\nname = \"acme\"\n[customerio]\nsigning_keys = [\"env:A\"]\n[[receivers]]\nname = \"a\"\n\
                  type = \"console\"\n[[routes]]\nreceivers = [\"a\"]\n[canary]\nprofile = \"canary\"\ncampaign = 42\n\
                  site_id = \"env:CIO_SITE_ID\"\napi_key = \"env:CIO_TRACK_KEY\"\n";
    let file = Temporary::with("canary.toml", canary.as_bytes());
    let checked = live(&args(&file.0.display().to_string()), &Only(&["A", "CIO_SITE_ID"])).await;
    let shown: Vec<_> = checked.findings.iter().map(|f| (f.message.as_str(), f.line)).collect();
    assert_eq!(shown, [("env:CIO_TRACK_KEY is not set; it is needed for the canary", Some(14))]);
    let told = text(&checked);
    let line = "bridge_canary for the profile canary every 5m, answered by campaign 42; warning";
    assert!(told.contains(line) && told.contains("env:CIO_SITE_ID is set (the canary)"), "{told}");
}

#[test]
fn each_heartbeat_says_when_it_is_due_next() {
    let base = "[workspace]\nname = \"acme\"\ntimezone = \"Europe/Berlin\"\n[customerio]\nsigning_keys = [\"env:A\"]\n\
                [[receivers]]\nname = \"a\"\ntype = \"console\"\n[[routes]]\nreceivers = [\"a\"]\n";
    for (every, due) in [
        ("every = \"hour\"", "Mon 2026-11-23 13:00"),
        ("every = \"day\"", "Tue 2026-11-24 00:00"),
        ("by = \"18:00\"", "Mon 2026-11-23 18:00"),
        ("by = \"12:00\"", "Tue 2026-11-24 12:00"),
        ("by = \"18:00\"\nexcept = [\"2026-11-23\", \"2026-11-24\"]", "Wed 2026-11-25 18:00"),
        ("every = \"week\"", "Mon 2026-11-30 00:00"),
        ("every = \"week\"\nby = \"fri 18:00\"", "Fri 2026-11-27 18:00"),
        ("every = \"week\"\nby = \"mon 11:00\"", "Mon 2026-11-30 11:00"),
    ] {
        let heartbeat = format!(
            "{base}[[heartbeats]]\nname = \"H\"\nsource = \"campaign:9\"\nevent = \"email_sent\"\nat_least = 1\n{every}\n"
        );
        let config = parse::parse(&heartbeat).config.expect("valid");
        let told = summary::of(&config, now());
        assert!(told.contains(&format!("next due {due}")), "{every}: {told}");
    }
}

#[test]
fn the_command_line_is_sound_and_its_help_has_examples() {
    let mut command = <CheckArgs as clap::Args>::augment_args(clap::Command::new("check"));
    command.clone().debug_assert();
    let help = command.render_long_help().to_string();
    assert!(help.contains("bridge check --live") && help.contains("[default: bridge.toml]"), "{help}");
}

#[tokio::test]
async fn what_a_heartbeat_has_learned_is_looked_up_in_the_data_folder() {
    let example = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/bridge.toml")).expect("the example");
    let learned = "\n[[heartbeats]]\nname = \"As usual\"\nsource = \"campaign:7\"\nevent = \"email_sent\"\nexpect = \"learned\"\n";
    let file = Temporary::with("learned.toml", format!("{example}{learned}").as_bytes());
    let at = |data: &std::path::Path| CheckArgs { data: data.into(), ..args(&file.0.display().to_string()) };
    let said = |checked: &Checked| {
        let text = text(checked);
        let mut lines = text.lines().skip_while(|line| *line != "What is usual");
        lines.nth(1).unwrap_or_default().to_owned()
    };

    let nowhere = check(&at("/nowhere".as_ref()), now()).await;
    assert_eq!(said(&nowhere), "  unknown here: there is no bridge.db in /nowhere; name the folder with --data");

    let folder = tempfile::tempdir().expect("a folder");
    let store = EmbeddedStore::open(folder.path(), "acme", Durability::Off).expect("a store");
    assert_eq!(
        said(&check(&at(folder.path()), now()).await),
        "  As usual: nothing yet: `bridge serve` has not looked at it"
    );
    for (learned, expected) in [
        (r#"{"Learning":{"covered_days":3.2,"needed_days":14.0}}"#, "3 of 14 days are known; nothing is judged yet"),
        (&ready(), "about 288 a day; a stop is noticed"),
    ] {
        let before = store.cursor("usual/As usual").await.expect("reads");
        let known = format!(r#"{{"day":20000,"hour":480000,"learned":{learned}}}"#);
        let _ = store.move_cursor("usual/As usual", before.as_deref(), &known).await.expect("writes");
        let said = said(&check(&at(folder.path()), now()).await);
        assert!(said.contains(expected), "{said}");
    }
}

#[tokio::test]
async fn runs_that_are_counted_about_are_said_to_be() {
    let example = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/bridge.toml")).expect("the example");
    let runs = "\n[[heartbeats]]\nname = \"Runs\"\nsource = \"campaign:7\"\ndistinct = \"journey\"\nat_least = 4\n";
    let file = Temporary::with("runs.toml", format!("{example}{runs}").as_bytes());
    let folder = tempfile::tempdir().expect("a folder");
    let store = EmbeddedStore::open(folder.path(), "acme", Durability::Off).expect("a store");
    let config = crate::config::parse::parse(&format!("{example}{runs}")).config.expect("valid");
    let args = CheckArgs { data: folder.path().into(), ..args(&file.0.display().to_string()) };
    for (journey, expected) in [
        ("01M83HHQJ0AAAAAAAAAAAAAAAA", "  Runs: 1, exact"),
        ("run-1", "  Runs: about 2: 1 with an id that holds no time, counted once a day each, which is approximate"),
    ] {
        let at: Timestamp = "2026-11-23T06:40:00Z".parse().expect("a time");
        let body = format!(
            r#"{{"event_id":"{journey}","object_type":"email","metric":"sent","timestamp":{},
            "data":{{"campaign_id":7,"action_id":1,"journey_id":"{journey}","identifiers":{{"id":"u"}}}}}}"#,
            at.as_second()
        );
        let context = crate::customerio::parse::Context::of(&config, at);
        let read = crate::customerio::parse::normalise(body.as_bytes(), &context).expect("an event");
        store.count(&crate::tally::journeys::entries(&read.events, &config.heartbeats), at).await.expect("counts");
        let said = text(&check(&args, at).await);
        let line = said.lines().skip_while(|line| !line.starts_with("Runs of the last")).nth(1);
        assert_eq!(line, Some(expected), "{said}");
    }
}

/// A profile of one event in five minutes, day and night.
fn ready() -> String {
    let first = 20_000 * 288;
    let bins: Vec<Bin> =
        (-56 * 24..0).map(|hour| Bin { from: first + hour * 12, slots: 12, count: 12, covered: 12 }).collect();
    let at = Timestamp::from_second(first * 300).expect("a time");
    serde_json::to_string(&learn(&bins, &jiff::tz::TimeZone::UTC, &[], at)).expect("JSON")
}
