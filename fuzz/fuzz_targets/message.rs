//! Any failures of any source, with any texts, as every receiver is told of them: never a panic, always within the
//! receiver's limits.

#![no_main]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use arbitrary::Arbitrary;
use cio_alert_bridge::canary::Leg;
use cio_alert_bridge::clock::Minute;
use cio_alert_bridge::config::{Config, parse};
use cio_alert_bridge::customerio::app_api::names::{NameList, Names};
use cio_alert_bridge::customerio::cause;
use cio_alert_bridge::customerio::event::{Fate, Kind, Source, SourceKind};
use cio_alert_bridge::customerio::mask::mask;
use cio_alert_bridge::customerio::provider::Provider;
use cio_alert_bridge::heartbeat::Period;
use cio_alert_bridge::heartbeat::why::Why;
use cio_alert_bridge::incident::{How, Incident, IncidentKey, Member, Numbers, Severity, State, Subject};
use cio_alert_bridge::message::Phase;
use cio_alert_bridge::message::compose::{Facts, message};
use cio_alert_bridge::receivers::{console, pagerduty, slack, sns_chat, sns_message};
use cio_alert_bridge::route::Label;
use cio_alert_bridge::tally::{Series, Total};
use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::fuzz_target;

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let text = include_str!("../../bridge.toml");
    parse::parse(text).config.expect("the example configuration is valid")
});

const ROUTING_KEY: &str = "0123456789abcdef0123456789abcdef";
const PHASES: [Phase; 7] = [
    Phase::Opened,
    Phase::Worsened,
    Phase::StillOpen,
    Phase::Updated,
    Phase::Resolved,
    Phase::OpenedAndResolved,
    Phase::Test,
];
const KINDS: [SourceKind; 5] =
    [SourceKind::Campaign, SourceKind::Broadcast, SourceKind::Newsletter, SourceKind::Transactional, SourceKind::None];
const ENDS: [How; 5] = [How::Quiet, How::Expired, How::Recovered, How::RuleGone, How::Various];

#[derive(Arbitrary, Debug)]
struct Failing<'a> {
    channel: &'a str,
    metric: &'a str,
    source: u8,
    id: &'a str,
    name: &'a str,
    action: Option<&'a str>,
    text: &'a str,
    address: &'a str,
    count: u32,
    minute: u16,
}

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    subject: u8,
    phase: u8,
    end: u8,
    severity: u8,
    name: &'a str,
    found_late: bool,
    sends_heard: bool,
    coming_late: bool,
    failing: Vec<Failing<'a>>,
    others: Vec<Failing<'a>>,
    lines: Vec<&'a str>,
    hours_open: u16,
    count: u32,
    of: u32,
}

fuzz_target!(|input: Input<'_>| {
    let begin = Timestamp::from_second(1_764_000_000).expect("a time");
    let opened_at = begin + SignedDuration::from_mins(5);
    let now = opened_at + SignedDuration::from_hours(i64::from(input.hours_open));
    let pick = |of: usize, by: u8| usize::from(by) % of;
    let phase = PHASES[pick(PHASES.len(), input.phase)];
    let failing: Vec<Total> = input.failing.iter().map(|failing| total(failing, begin)).collect();
    let subject = match input.subject % 5 {
        0 => Subject::Rule { name: input.name.to_owned(), group: BTreeMap::new() },
        1 => Subject::Heartbeat {
            name: input.name.to_owned(),
            source: failing.first().map_or(Source::new(SourceKind::None, ""), |t| t.series.source.clone()),
            period: Period { start: begin, due: opened_at, end: opened_at },
            why: match input.end % 5 {
                0 => None,
                1 => Some(Why::Stopped { state: input.name.to_owned() }),
                2 => Some(Why::StartedNotSent { started: input.count.into() }),
                3 => Some(Why::FewerEnter { started: input.count.into(), before: Some(input.of.into()) }),
                _ => Some(Why::Unheard { sent: input.of.into() }),
            },
        },
        2 => Subject::Blindness,
        3 => Subject::Canary {
            leg: match input.end % 3 {
                0 => Leg::TrackApi { why: input.name.to_owned() },
                1 => Leg::Workflow,
                _ => Leg::Processing,
            },
        },
        _ => Subject::RollUp {
            receiver: input.name.to_owned(),
            members: input.lines.iter().map(|line| Member { key: IncidentKey((*line).into()), episode: 1 }).collect(),
        },
    };
    let incident = Incident {
        key: IncidentKey::new("acme", &subject),
        episode: 1,
        version: 1,
        subject,
        severity: Severity::ALL[pick(Severity::ALL.len(), input.severity)],
        labels: [(Label::Source, failing.iter().map(|t| t.series.source.to_string()).collect())].into(),
        receivers: vec!["on-call".into()],
        state: if phase.is_over() {
            State::Resolved { at: now, how: ENDS[pick(ENDS.len(), input.end)] }
        } else {
            State::Open
        },
        opened_at,
        since: begin,
        last: opened_at,
        found_late: input.found_late,
        numbers: Numbers { count: input.count.into(), of: input.of.into() },
        // Texts of the sender's come masked.
        samples: input.failing.iter().take(3).map(|failing| mask(failing.text, &[])).collect(),
        lines: input.lines.iter().map(|line| (*line).to_owned()).collect(),
        acts: vec![],
        diagnosis: None,
        crowded: false,
        settled: false,
    };
    let names = input.failing.iter().map(|f| (f.id.to_owned(), f.name.to_owned())).collect();
    let facts = Facts {
        failing,
        others: input.others.iter().map(|other| total(other, begin)).collect(),
        sends_heard: input.sends_heard,
        coming_late: input.coming_late,
        names: Arc::new(Names::of([(SourceKind::Campaign, NameList { fetched_at: begin, names })])),
        ..Facts::default()
    };

    let message = message(&incident, phase, &facts, &CONFIG, now);
    let _ = console::render(&message);
    let page = pagerduty::event(&message, ROUTING_KEY);
    assert!(page.to_string().len() <= pagerduty::EVENT_BYTES, "PagerDuty refuses so long an event");
    let summary = page.pointer("/payload/summary").and_then(|summary| summary.as_str()).unwrap_or_default();
    assert!(summary.chars().count() <= pagerduty::SUMMARY_CHARS, "PagerDuty cuts so long a summary");
    let blocks = slack::payload(&message);
    assert!(
        blocks["blocks"].as_array().is_some_and(|blocks| !blocks.is_empty() && blocks.len() <= slack::BLOCKS),
        "Slack refuses so many blocks"
    );
    assert!(slack::plain_payload(&message)["text"].as_str().is_some_and(|text| !text.is_empty()));
    for sns in [sns_message::render(&message), sns_chat::render(&message)] {
        assert!(sns.size() <= sns_message::MESSAGE_BYTES, "SNS refuses so long a message");
        assert!(!sns.body.is_empty());
        let subject = sns.subject.unwrap_or_default();
        assert!(subject.len() <= sns_message::SUBJECT_CHARS && subject.is_ascii(), "SNS refuses this subject");
    }
});

fn total(failing: &Failing<'_>, begin: Timestamp) -> Total {
    let kind = Kind::new(failing.channel, failing.metric);
    let series = Series {
        cause: Some(cause::classify(&kind, Some(failing.text))),
        fingerprint: cause::fingerprint(failing.text),
        source: Source::new(KINDS[usize::from(failing.source) % KINDS.len()], failing.id),
        action: failing.action.map(str::to_owned),
        provider: Provider::of_address(failing.address),
        fate: Fate::Counted,
        kind,
    };
    let at = begin + SignedDuration::from_mins(i64::from(failing.minute % 60));
    Total { series: Arc::new(series), count: failing.count.into(), first_minute: Minute::of(at), last: at }
}
