//! One message of every kind, made up: what `bridge preview` shows, and what the snapshots of every receiver are of.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::compose::{Facts, message};
use super::{Message, Phase};
use crate::canary::Leg;
use crate::canary::log::{Back, Missing, Standing};
use crate::clock::Minute;
use crate::config::{Config, parse};
use crate::customerio::cause;
use crate::customerio::event::{Fate, Kind, Source, SourceKind};
use crate::customerio::provider::Provider;
use crate::drift::Drift;
use crate::heartbeat::Period;
use crate::incident::act::{Act, What};
use crate::incident::{How, Incident, IncidentKey, Member, Numbers, Severity, State, Subject};
use crate::reconcile::compare as reconcile;
use crate::route::{Label, Labels};
use crate::tally::lag::Window;
use crate::tally::{Series, Total};

const CONFIG: &str = r##"
[workspace]
name = "acme"
timezone = "Europe/Berlin"
[customerio]
signing_keys = ["env:KEY"]
workspace_id = 12345
[page]
base_url = "https://bridge.example.com"
[[sources]]
id = "campaign:5"
name = "Activation"
owner = "growth"
[[receivers]]
name = "screen"
type = "console"
[[routes]]
receivers = ["screen"]
[[rules]]
name = "bounces"
events = ["email_bounced", "email_failed"]
count = { at_least = 3, within = "10m" }
severity = "critical"
[[heartbeats]]
name = "Activation daily"
source = "campaign:5"
event = "email_sent"
at_least = 40
at_most = 400
by = "18:00"
"##;

/// The configuration of the made-up bridge.
fn config() -> Config {
    parse::parse(CONFIG).config.expect("valid")
}

/// Each kind of message, and what it is called in the catalogue.
pub fn catalogue() -> Vec<(String, Message)> {
    let config = config();
    let over = |how, incident: Incident| Incident { state: State::Resolved { at: t("15:00"), how }, ..incident };
    let of_kind = |kind: &str| [(Label::Kind, vec![kind.to_owned()]), (Label::Owner, vec!["growth".into()])].into();
    let rule = Incident { labels: of_kind("rule"), ..incident(&[AUTH]) };
    let bare = incident(&[]);
    let gmail = facts(
        vec![failing("bounced", AUTH, "gmail.com", 41), failing("bounced", AUTH, "example.test", 1)],
        vec![sent("gmail.com", 200), sent("outlook.com", 300), sent("example.test", 510)],
    );
    let render = "Variable 'event.courseName' is missing";
    let strange = "<!channel> *the* machine said: no & never";
    let of_many = |text| {
        facts((5..=9).map(|id| of_source(&id.to_string(), "failed", Some(text), "a.test", id)).collect(), vec![])
    };
    let heartbeat = |count, of| Incident {
        subject: Subject::Heartbeat {
            name: "Activation daily".into(),
            source: Source::new(SourceKind::Campaign, "5"),
            period: Period { start: t("00:00"), due: t("17:00"), end: t("23:00") },
            why: None,
        },
        opened_at: t("17:02"),
        since: t("00:00"),
        last: t("17:00"),
        numbers: Numbers { count, of },
        labels: of_kind("heartbeat"),
        ..bare.clone()
    };
    let blind = Incident {
        subject: Subject::Blindness,
        numbers: Numbers::default(),
        labels: of_kind("blindness"),
        ..bare.clone()
    };
    let canary = |leg| Incident {
        subject: Subject::Canary { leg },
        numbers: Numbers { count: 0, of: 3 },
        severity: Severity::Warning,
        since: t("13:49"),
        opened_at: t("14:04"),
        labels: [(Label::Severity, vec!["warning".into()]), (Label::Kind, vec!["canary".into()])].into(),
        ..bare.clone()
    };
    let came_back = |sent: &str, seconds| {
        let back = Back { sent_at: t(sent), arrived: t(sent) + SignedDuration::from_secs(seconds) };
        Facts { canary: Some(Standing { missing: None, back: Some(back) }), ..Facts::default() }
    };
    let missing = Missing { since: t("13:49"), count: 30, leg: Leg::Workflow };
    let canary_too = Facts { canary: Some(Standing { missing: Some(missing), back: None }), ..Facts::default() };
    let refused = Leg::TrackApi { why: "it answered 503".into() };
    let lag = Incident {
        subject: Subject::Lag { median_s: 251 },
        severity: Severity::Warning,
        numbers: Numbers { count: 300, of: 312 },
        labels: of_kind("lag"),
        ..bare.clone()
    };
    let slow = Window { from: Minute::of(t("17:50")), events: 1_204, late: 1_204, median_s: 5_400 };
    let drafts = Incident {
        subject: Subject::Drafts { source: Source::new(SourceKind::Campaign, "5") },
        severity: Severity::Warning,
        numbers: Numbers { count: 12, of: 12 },
        labels: [
            (Label::Kind, vec!["drafts".into()]),
            (Label::Source, vec!["campaign:5".into()]),
            (Label::Channel, vec!["email".into()]),
            (Label::Metric, vec!["email_drafted".into()]),
        ]
        .into(),
        ..bare.clone()
    };
    let drafted = |n| facts(vec![of_source("5", "drafted", None, "a.test", n)], vec![]);
    let unheard = Facts { unheard: vec![Kind::new("email", "sent")], ..drafted(12) };
    let drift = |what, lines: &[&str]| Incident {
        subject: Subject::Drift { what },
        severity: Severity::Warning,
        numbers: Numbers { count: lines.len() as u64, of: lines.len() as u64 },
        labels: of_kind("drift"),
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        ..bare.clone()
    };
    let webhook = drift(
        Drift::Subscription,
        &[
            "webhook 4 \"ops\": it is disabled: nothing is sent",
            "webhook 4 \"ops\": it is not subscribed to email_failed",
        ],
    );
    let stopped = drift(Drift::Stopped, &["Activation (campaign 5) is stopped"]);
    let trigger =
        drift(Drift::Trigger, &["Activation (campaign 5): trigger event was `user_activated`, is `User Activated`"]);
    let queues = drift(Drift::QueueDraft, &["Password reset (transactional 2)"]);
    let reconciliation = |leg, count, of, lines: &[&str]| Incident {
        subject: Subject::Reconciliation {
            event: "Subscription Started".into(),
            source: Source::new(SourceKind::Campaign, "5"),
            date: jiff::civil::date(2026, 11, 23),
            leg,
        },
        severity: Severity::Warning,
        numbers: Numbers { count, of },
        labels: of_kind("reconciliation"),
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        ..bare.clone()
    };
    let not_received = reconciliation(
        reconcile::Leg::Receiving,
        904,
        1_204,
        &["rate limit: 300 of the missing events were fired in 1 hour, in bursts; look for 429 in the backend's log"],
    );
    let not_entered = reconciliation(reconcile::Leg::Entering, 12, 600, &["the workflow is stopped"]);
    let not_sent = reconciliation(reconcile::Leg::Sending, 40, 590, &["540 messages wait for approval as drafts"]);
    let roll_up = Incident {
        subject: Subject::RollUp {
            receiver: "screen".into(),
            members: (1..=34).map(|n| Member { key: rule.key.clone(), episode: n }).collect(),
        },
        labels: [(Label::Rule, vec!["bounces".into()]), (Label::Source, vec!["campaign:5".into()])].into(),
        lines: vec![
            "bounces: campaign 1; campaign 2; Activation (campaign 5)".into(),
            "heartbeats: Weekly (3 of 40)".into(),
        ],
        ..bare.clone()
    };
    let digest = Incident {
        subject: Subject::Digest { date: "2026-11-24".into() },
        severity: Severity::Info,
        lines: vec![
            "acme on Mon 23 Nov: 1 incident open, 41 failures".into(),
            "Activation (campaign 5): ok, 412 counted, expected at least 40".into(),
            "email: 1,040 sent, 41 bounced (3.9 %)".into(),
            "Heard 24 of 24 h".into(),
        ],
        ..bare.clone()
    };
    let many = Incident { numbers: Numbers { count: 42, of: 1010 }, ..rule.clone() };
    let late = Incident { found_late: true, opened_at: t("18:00"), ..rule.clone() };
    let blank = Facts::default;
    let act = |what, at| Act { what, by: "Ada".into(), via: Some("lifecycle".into()), at: t(at) };
    let acknowledged = Incident { acts: vec![act(What::Acknowledged, "14:19")], ..rule.clone() };
    let acts = vec![act(What::Acknowledged, "14:19"), act(What::Closed, "15:00")];
    let closed = over(How::ByHand, Incident { acts, ..many.clone() });
    use Phase::{Acted, Digest, Opened, OpenedAndResolved, Resolved, StillOpen, Updated, Worsened};
    let told: Vec<(&str, Incident, Phase, Facts, &str)> = vec![
        ("a rule: opened, one provider refuses", rule.clone(), Opened, gmail.clone(), "14:05"),
        ("a rule: worsened", rule.clone(), Worsened, gmail.clone(), "14:15"),
        ("a rule: new numbers", rule.clone(), Updated, gmail.clone(), "14:30"),
        ("a rule: still open", rule.clone(), StillOpen, gmail.clone(), "18:05"),
        ("a rule: somebody acknowledged it", acknowledged, Acted, gmail.clone(), "14:20"),
        ("a rule: closed by hand", closed, Resolved, gmail.clone(), "15:00"),
        ("a rule: resolved", over(How::Quiet, many.clone()), Resolved, gmail.clone(), "15:00"),
        ("a rule: expired", over(How::Expired, many.clone()), Resolved, gmail.clone(), "15:00"),
        ("a rule: its rule is gone", over(How::RuleGone, many.clone()), Resolved, gmail.clone(), "15:00"),
        ("a rule: over before it was told", over(How::Quiet, many.clone()), OpenedAndResolved, gmail, "15:00"),
        ("a rule: five sources, a variable is missing", incident(&[render]), Opened, of_many(render), "14:05"),
        ("a rule: nobody knows why, and the text is hostile", incident(&[strange]), Opened, of_many(strange), "14:05"),
        ("a rule: found late", late, Opened, of_many(render), "18:00"),
        ("a heartbeat: low", heartbeat(7, 40), Opened, blank(), "17:02"),
        ("a heartbeat: beats again", over(How::Recovered, heartbeat(7, 40)), Resolved, blank(), "18:02"),
        ("a heartbeat: high", heartbeat(903, 400), Opened, blank(), "17:02"),
        ("blindness: opened", blind.clone(), Opened, blank(), "16:05"),
        ("blindness: events come late", blind.clone(), Opened, Facts { coming_late: true, ..blank() }, "16:05"),
        ("blindness: the canary is late too", blind.clone(), Opened, canary_too, "16:05"),
        ("blindness: over", over(How::Recovered, blind), Resolved, blank(), "17:00"),
        ("the canary: no webhook", canary(Leg::Workflow), Opened, came_back("13:44", 3), "14:04"),
        ("the canary: not taken, and it never came back", canary(refused), Opened, blank(), "14:04"),
        ("the canary: stuck in this bridge", canary(Leg::Processing), Opened, came_back("13:44", 95), "14:04"),
        ("the canary: back", over(How::Recovered, canary(Leg::Workflow)), Resolved, came_back("14:59", 41), "15:00"),
        ("lag: opened", lag.clone(), Opened, blank(), "14:20"),
        ("lag: still open", lag.clone(), StillOpen, Facts { lag: Some(slow), ..blank() }, "18:05"),
        ("lag: over", over(How::Recovered, lag), Resolved, blank(), "15:00"),
        ("drafts: opened", drafts.clone(), Opened, drafted(12), "18:05"),
        ("drafts: still open, and no sends are heard", drafts.clone(), StillOpen, unheard, "22:05"),
        ("drafts: sent", over(How::Recovered, drafts.clone()), Resolved, blank(), "15:00"),
        ("drafts: no more of them", over(How::Quiet, drafts), Resolved, blank(), "15:00"),
        ("drift: the webhook", webhook.clone(), Opened, blank(), "14:05"),
        ("drift: the webhook still", webhook.clone(), StillOpen, blank(), "18:05"),
        ("drift: the webhook is right again", over(How::Recovered, webhook), Resolved, blank(), "15:00"),
        ("drift: a workflow is stopped", stopped.clone(), Opened, blank(), "14:05"),
        ("drift: it runs again", over(How::Recovered, stopped), Resolved, blank(), "15:00"),
        ("drift: another trigger", over(How::Recovered, trigger), OpenedAndResolved, blank(), "15:00"),
        ("drift: drafts are queued", queues.clone(), Opened, blank(), "14:05"),
        ("drift: no drafts are queued", over(How::Recovered, queues), Resolved, blank(), "15:00"),
        ("reconciliation: fired, not received", not_received.clone(), Opened, blank(), "14:05"),
        ("reconciliation: still", not_received.clone(), StillOpen, blank(), "18:05"),
        ("reconciliation: agrees again", over(How::Recovered, not_received), Resolved, blank(), "15:00"),
        ("reconciliation: received, not entered", not_entered, Opened, blank(), "14:05"),
        ("reconciliation: entered, not sent", not_sent, Opened, blank(), "14:05"),
        ("a roll-up: opened", roll_up.clone(), Opened, blank(), "14:05"),
        (
            "a roll-up: still open",
            roll_up.clone(),
            StillOpen,
            Facts { members_open: Some(vec![rule.clone()]), ..blank() },
            "18:05",
        ),
        ("a roll-up: over", over(How::Quiet, roll_up), Resolved, blank(), "18:05"),
        ("the digest", digest, Digest, blank(), "08:00"),
    ];
    let said = |(name, incident, phase, facts, now): (&str, Incident, Phase, Facts, &str)| {
        (name.to_owned(), message(&incident, phase, &facts, &config, t(now)))
    };
    let mut all: Vec<_> = told.into_iter().map(said).collect();
    if let Some((_, first)) = all.first().cloned() {
        let note =
            Some("Sent here because the receiver \"on-call\" did not take it: PagerDuty answered 400".to_owned());
        all.push(("a fallback hears why".to_owned(), Message { note, ..first.clone() }));
        all.push(("a test".to_owned(), Message { phase: Phase::Test, ..first }));
    }
    all
}

/// What Gmail says of mail without authentication.
pub(super) const AUTH: &str = "550 5.7.26 This mail has been blocked because the sender is unauthenticated";

/// A time of the made-up day.
pub(super) fn t(clock: &str) -> Timestamp {
    format!("2026-11-24T{clock}:00Z").parse().expect("a time")
}

/// An incident of a rule, with these failure texts.
pub(super) fn incident(samples: &[&str]) -> Incident {
    let subject = Subject::Rule { name: "bounces".into(), group: Default::default() };
    Incident {
        key: IncidentKey::new("acme", &subject),
        episode: 1,
        version: 1,
        subject,
        severity: Severity::Critical,
        labels: Labels::new(),
        receivers: vec!["screen".into()],
        state: State::Open,
        opened_at: t("14:05"),
        since: t("14:02"),
        last: t("14:04"),
        found_late: false,
        numbers: Numbers { count: 3, of: 3 },
        samples: samples.iter().map(|s| (*s).to_owned()).collect(),
        lines: Vec::new(),
        acts: vec![],
        diagnosis: None,
        crowded: false,
        settled: false,
    }
}

/// Failures of campaign 5 with this text at this provider's address.
pub(super) fn failing(metric: &'static str, text: &str, domain: &str, count: u64) -> Total {
    of_source("5", metric, Some(text), domain, count)
}

pub(super) fn sent(domain: &str, count: u64) -> Total {
    of_source("5", "sent", None, domain, count)
}

pub(super) fn of_source(id: &str, metric: &'static str, text: Option<&str>, domain: &str, count: u64) -> Total {
    let kind = Kind::known("email", metric);
    let series = Series {
        cause: text.map(|text| cause::classify(&kind, Some(text))),
        fingerprint: text.map_or(0, cause::fingerprint),
        kind,
        source: Source::new(SourceKind::Campaign, id),
        action: None,
        provider: Provider::of_address(&format!("a@{domain}")),
        fate: Fate::Counted,
    };
    Total { series: Arc::new(series), count, first_minute: Minute::of(t("14:02")), last: t("14:04") }
}

/// What failed, beside what was sent.
pub(super) fn facts(failing: Vec<Total>, others: Vec<Total>) -> Facts {
    Facts { sends_heard: !others.is_empty(), failing, others, ..Facts::default() }
}
