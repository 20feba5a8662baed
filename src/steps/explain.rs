//! explain: what an event is taken for, which rules look at it and with what numbers, who hears of it, and so why it did
//! or did not page. Reads only.

use jiff::Timestamp;
use serde::Serialize;

use super::open::{self, Opening, Samples};
use super::silences;
use crate::clock::{Minute, minutes};
use crate::config::Config;
use crate::customerio::event::{Event, Fate, TOO_LATE_DAYS};
use crate::incident::told::{Stage, Told};
use crate::incident::{Incident, IncidentKey, Subject};
use crate::message::words;
use crate::rules::counts::Counts;
use crate::rules::judge;
use crate::rules::rate::{Rate, Sends};
use crate::rules::wilson;
use crate::rules::{Condition, Rule};
use crate::store::{Store, StoreError};
use crate::tally::{Cell, Entry, Series};

/// What an event comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A rule is true, and its incident is or was there.
    Alerted,
    /// A rule is true by the numbers, and there is no incident (yet).
    WouldAlert,
    /// Rules look at it, and none is true.
    NoRuleTrue,
    /// No rule looks at it.
    NoRule,
    /// `[ignore]` leaves it out.
    Ignored,
    TooLate,
    Canary,
}

/// An event explained.
#[derive(Debug, Serialize)]
pub struct Explained {
    pub event: Shown,
    pub cause: Option<CauseShown>,
    pub verdict: Verdict,
    /// The verdict in a sentence.
    pub why: String,
    pub rules: Vec<RuleSaid>,
    /// The heartbeats that count it.
    pub heartbeats: Vec<String>,
    /// Who heard, or would hear, of the rules that are true.
    pub receivers: Vec<ReceiverSaid>,
}

/// What the event is taken for; nothing of it is personal.
#[derive(Debug, Serialize)]
pub struct Shown {
    pub kind: String,
    pub source: String,
    pub action: Option<String>,
    /// The time it is counted at.
    pub at: Timestamp,
    pub provider: String,
    pub event_id: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct CauseShown {
    pub key: String,
    pub title: &'static str,
    pub meaning: &'static str,
    /// The failure's text, masked.
    pub text: Option<String>,
}

/// What a rule says to it.
#[derive(Debug, Serialize)]
pub struct RuleSaid {
    pub rule: String,
    /// What makes it true, in words.
    pub condition: String,
    pub severity: &'static str,
    /// Whether it looks at this event.
    pub concerns: bool,
    /// Whether it is true for the event's group, in some window that holds the event's minute.
    pub is_true: bool,
    pub why: String,
    /// Failures in the fullest window around the event.
    pub count: u64,
    /// What they are taken of, by a rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// The incident of the group, if there is or was one at that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// What Customer.io said of that incident's failures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct ReceiverSaid {
    pub receiver: String,
    pub rule: String,
    /// `would_hear`, or what it was told.
    pub told: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Explains an event by what is counted by now; without a store it is alone in the world.
pub async fn event(
    store: Option<&dyn Store>,
    config: &Config,
    event: &Event,
    now: Timestamp,
) -> Result<Explained, StoreError> {
    let mut explained = Explained {
        event: shown(event),
        cause: event.failure.as_ref().map(|failure| {
            let row = failure.cause.row();
            let text = failure.sample.clone();
            CauseShown { key: failure.cause.as_str().to_owned(), title: row.title, meaning: row.meaning, text }
        }),
        verdict: Verdict::NoRule,
        why: String::new(),
        rules: Vec::new(),
        heartbeats: Vec::new(),
        receivers: Vec::new(),
    };
    let entry = Entry::of(event);
    let beats = config.heartbeats.iter().filter(|heartbeat| heartbeat.counts(&entry.class.series));
    explained.heartbeats = beats.map(|heartbeat| heartbeat.name.clone()).collect();
    for rule in &config.rules {
        let said = match not_concerned(rule, &entry.class.series) {
            Some(why) => said(rule, false, why),
            None => judged(store, config, rule, &entry, now, &mut explained.receivers).await?,
        };
        explained.rules.push(said);
    }
    (explained.verdict, explained.why) = verdict(event, &explained.rules);
    Ok(explained)
}

fn shown(event: &Event) -> Shown {
    Shown {
        kind: event.kind.to_string(),
        source: event.source.to_string(),
        action: event.action.clone(),
        at: event.at,
        provider: event.provider.as_str().to_owned(),
        event_id: event.event_id.clone(),
    }
}

fn said(rule: &Rule, concerns: bool, why: String) -> RuleSaid {
    RuleSaid {
        rule: rule.name.clone(),
        condition: words::condition(rule),
        severity: rule.severity.as_str(),
        concerns,
        is_true: false,
        why,
        count: 0,
        of: None,
        incident: None,
        diagnosis: None,
    }
}

/// Why a rule does not look at a series; `None` when it does.
fn not_concerned(rule: &Rule, series: &Series) -> Option<String> {
    if !rule.events.contains(&series.kind) {
        return Some(format!("{} is none of its events", series.kind));
    }
    if !rule.matches_source(&series.source) {
        return Some(format!("{} is none of its sources", series.source));
    }
    match series.fate {
        Fate::Counted => None,
        Fate::TooLate => Some(format!("it came more than {TOO_LATE_DAYS} days late")),
        Fate::Ignored => Some("[ignore] leaves it out".to_owned()),
        Fate::Canary => Some("it is the canary's".to_owned()),
    }
}

async fn judged(
    store: Option<&dyn Store>,
    config: &Config,
    rule: &Rule,
    entry: &Entry,
    now: Timestamp,
    receivers: &mut Vec<ReceiverSaid>,
) -> Result<RuleSaid, StoreError> {
    let minute = Minute::of(entry.class.at);
    let (series, length) = (&entry.class.series, minutes(rule.within()));
    let group = judge::group_of(rule, series);
    let around = judge::span_around(rule, minute, minute);
    let (failing, sends) = match store {
        Some(store) => {
            let sends = match judge::denominator(rule, around) {
                Some((kinds, span)) => store.cells(kinds, span).await?,
                None => Vec::new(),
            };
            (store.cells(&rule.events, around).await?, sends)
        }
        None => (vec![Cell { series: series.clone().into(), minute, count: 1, last: entry.class.at }], Vec::new()),
    };
    let of_group = failing.iter().filter(|cell| judge::in_group(rule, &group, &cell.series));
    let failures: Counts = of_group.map(|cell| (cell.minute, cell.count)).collect();
    let beside = sends.iter().filter(|cell| judge::beside_group(rule, &group, &cell.series));
    let sent: Counts = beside.map(|cell| (cell.minute, cell.count)).collect();
    let ends = (minute.0..=minute.0 + length).map(Minute);
    let fullest =
        ends.map(|end| (failures.sum(end.plus(-length), end), end)).max_by_key(|(count, end)| (*count, -end.0));
    let (count, end) = fullest.unwrap_or((0, minute));
    let subject = Subject::Rule { name: rule.name.clone(), group: group.clone() };
    let incident = match store {
        Some(store) => {
            of_time(store.episodes(&IncidentKey::new(&config.workspace.name, &subject)).await?, entry.class.at)
        }
        None => None,
    };
    let mut evidence = judge::Evidence::of(rule, &failing).with_sends(rule, &sends);
    if let (Some(store), Some((kinds, span))) = (store, judge::look_back(rule, around)) {
        evidence = evidence.looking_back(rule, &store.cells(kinds, span).await?);
    }
    let finding = evidence.judge(rule).into_iter().find(|finding| finding.group == group);
    let is_true = finding.is_some() || incident.is_some();
    let mut said = RuleSaid { is_true, count, ..said(rule, true, String::new()) };
    said.why = match &rule.condition {
        Condition::Count { at_least, .. } if count == 0 => format!("none is counted, and it takes {at_least}"),
        Condition::Count { at_least, .. } => format!("{count} in the fullest window, and it takes {at_least}"),
        Condition::Rate { above, .. } => {
            let sends = Sends { counts: &sent, looked_back: false };
            let of = Rate::of(&rule.condition).map_or(count, |rate| rate.of_how_many(count, &sends, end));
            said.of = Some(of);
            let sure = wilson::lower_bound(count, of) * 100.0;
            format!(
                "{count} of {of}: surely above {sure:.1} %, and it takes {} failures and more than {:.1} %",
                wilson::MIN_FAILURES,
                above * 100.0
            )
        }
    };
    if let Some(incident) = incident {
        said.incident = Some(incident.id());
        said.diagnosis = incident.diagnosis().map(|(text, _)| text.to_owned());
        if let Some(store) = store {
            receivers.extend(heard(store, config, rule, &incident, now).await?);
        }
    } else if let Some(finding) = finding {
        let opening = Opening::of_rule(config, rule, &finding, Samples::default());
        let would = |receiver| ReceiverSaid { receiver, rule: rule.name.clone(), told: "would_hear", note: None };
        receivers.extend(open::receivers(config, &opening.labels, now).into_iter().map(would));
    }
    Ok(said)
}

/// The episode that an instant falls into.
fn of_time(episodes: Vec<Incident>, at: Timestamp) -> Option<Incident> {
    let holds = |incident: &Incident| incident.since <= at && (incident.is_open() || at <= incident.last);
    episodes.into_iter().rev().find(holds)
}

async fn heard(
    store: &dyn Store,
    config: &Config,
    rule: &Rule,
    incident: &Incident,
    now: Timestamp,
) -> Result<Vec<ReceiverSaid>, StoreError> {
    let told = store.told(&incident.key).await?;
    let silences = store.silences().await?;
    let muting = silences::muting(store, config, &silences, incident, now).await?;
    let one = |receiver: &String| {
        let known = told.iter().find(|(name, told)| name == receiver && told.episode == incident.episode);
        let (told, mut note) = stage(known.map(|(_, told)| told));
        if let (None, Some(silence), "nothing_yet") = (&note, muting, told) {
            note = Some(format!("muted by silence {}: {}", silence.id, silence.reason));
        }
        ReceiverSaid { receiver: receiver.clone(), rule: rule.name.clone(), told, note }
    };
    Ok(incident.receivers.iter().map(one).collect())
}

fn stage(told: Option<&Told>) -> (&'static str, Option<String>) {
    let Some(told) = told else { return ("nothing_yet", None) };
    match &told.stage {
        Stage::Nothing => ("nothing_yet", told.trouble.clone()),
        Stage::Opened { .. } => ("opening", None),
        Stage::RolledUp { .. } => ("in_a_roll_up", None),
        Stage::Silenced { silence, .. } => ("silenced", Some(format!("by silence {silence}"))),
        Stage::Finished => ("opening_and_end", None),
        Stage::Skipped => ("skipped", Some("it was over before this receiver could be paged".to_owned())),
        Stage::Undeliverable { reason } => ("undeliverable", Some(reason.clone())),
        Stage::Dropped { by, .. } => ("dropped", Some(format!("given up by {by}"))),
        Stage::Newer => ("unknown", Some("a newer version of the bridge told it".to_owned())),
    }
}

fn verdict(event: &Event, rules: &[RuleSaid]) -> (Verdict, String) {
    match event.fate {
        Fate::TooLate => {
            return (Verdict::TooLate, format!("It came more than {TOO_LATE_DAYS} days late, so it alerts nobody."));
        }
        Fate::Ignored => return (Verdict::Ignored, "[ignore] leaves it out: it is counted and alerts nobody.".into()),
        Fate::Canary => return (Verdict::Canary, "It is the canary's: it is never counted.".into()),
        Fate::Counted => {}
    }
    let names = |rules: Vec<&RuleSaid>| rules.iter().map(|said| said.rule.as_str()).collect::<Vec<_>>().join(", ");
    let of = |test: &dyn Fn(&&RuleSaid) -> bool| rules.iter().filter(test).collect::<Vec<_>>();
    let alerted = of(&|said| said.is_true && said.incident.is_some());
    if !alerted.is_empty() {
        return (Verdict::Alerted, format!("It is part of an incident of {}.", names(alerted)));
    }
    let would = of(&|said| said.is_true);
    if !would.is_empty() {
        return (Verdict::WouldAlert, format!("By the numbers {} is true, and no incident is open.", names(would)));
    }
    let concerned = of(&|said| said.concerns);
    match concerned.is_empty() {
        true if event.failure.is_none() => (Verdict::NoRule, format!("{} is no failure.", event.kind)),
        true => (Verdict::NoRule, format!("No rule looks at {} of {}.", event.kind, event.source)),
        false => (Verdict::NoRuleTrue, format!("{} is not true: too few failures.", names(concerned))),
    }
}
