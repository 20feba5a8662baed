//! Opening incidents: what the steps share. Conditional writes; hints only after the incident is stored.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::config::Config;
use crate::customerio::event::Source;
use crate::heartbeat::why::Why;
use crate::heartbeat::{Heartbeat, Judged};
use crate::incident::diagnosis::Diagnosis;
use crate::incident::{Incident, IncidentKey, Numbers, Severity, State, Subject};
use crate::queue::{Hint, Outbox};
use crate::route::{self, Label, Labels};
use crate::rules::Rule;
use crate::rules::judge::Finding;
use crate::store::{Store, StoreError, Write};
use crate::tally::Series;

/// Trouble older than this when it is found is marked so.
const FOUND_LATE: SignedDuration = SignedDuration::from_hours(1);

/// Most values of a label that an incident gathers while it is open: a label is for routes and filters, the numbers by
/// source come from registers.
const LABEL_VALUES: usize = 500;

/// What a batch of events shows of a condition's failures.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    /// Up to three different failure texts, masked.
    pub texts: Vec<String>,
    /// Ids of up to three of the messages.
    pub deliveries: Vec<String>,
}

/// A condition that became true.
#[derive(Clone, Debug)]
pub struct Opening {
    pub subject: Subject,
    pub severity: Severity,
    pub labels: Labels,
    pub since: Timestamp,
    pub last: Timestamp,
    pub numbers: Numbers,
    pub samples: Vec<String>,
    pub lines: Vec<String>,
    /// Ids of some of its messages, to ask about.
    pub deliveries: Vec<String>,
    /// `None`: the routes decide.
    pub receivers: Option<Vec<String>>,
}

impl Opening {
    pub fn of_rule(config: &Config, rule: &Rule, finding: &Finding, samples: Samples) -> Self {
        let subject = Subject::Rule { name: rule.name.clone(), group: finding.group.clone() };
        Self {
            severity: rule.severity,
            labels: labels(config, rule.severity, &subject, &rule.name, &finding.series),
            subject,
            since: finding.first.start(),
            last: finding.last,
            numbers: Numbers { count: finding.count, of: finding.of },
            samples: samples.texts,
            lines: Vec::new(),
            deliveries: samples.deliveries,
            receivers: None,
        }
    }

    pub fn of_heartbeat(
        config: &Config,
        heartbeat: &Heartbeat,
        judged: &Judged,
        expected: u64,
        why: Option<Why>,
    ) -> Self {
        let severity = heartbeat.severity_of(why.as_ref());
        let mut labels = heartbeat_labels(config, heartbeat);
        labels.insert(Label::Severity, vec![severity.as_str().to_owned()]);
        let subject = Subject::Heartbeat {
            name: heartbeat.name.clone(),
            source: heartbeat.source.clone(),
            period: judged.period,
            why,
        };
        Self {
            severity,
            labels,
            subject,
            since: judged.period.start,
            last: judged.period.due,
            numbers: Numbers { count: judged.count, of: expected },
            samples: Vec::new(),
            lines: Vec::new(),
            deliveries: Vec::new(),
            receivers: None,
        }
    }
}

/// The labels that a heartbeat's incidents are routed by.
pub fn heartbeat_labels(config: &Config, heartbeat: &Heartbeat) -> Labels {
    let mut labels = Labels::from([
        (Label::Severity, vec![heartbeat.severity.as_str().to_owned()]),
        (Label::Kind, vec!["heartbeat".to_owned()]),
        (Label::Rule, vec![heartbeat.name.clone()]),
        (Label::Source, vec![heartbeat.source.to_string()]),
        (Label::Channel, vec![heartbeat.event.channel.to_string()]),
        (Label::Metric, vec![heartbeat.event.to_string()]),
    ]);
    if let Some(owner) = owner(config, &heartbeat.source) {
        labels.insert(Label::Owner, vec![owner]);
    }
    labels
}

/// The labels that a rule's incidents are routed by when nothing has failed yet (blindness takes its route).
pub fn rule_labels(config: &Config, rule: &Rule) -> Labels {
    let subject = Subject::Rule { name: rule.name.clone(), group: Default::default() };
    labels(config, rule.severity, &subject, &rule.name, &[])
}

/// The labels that every alert has.
pub(super) fn own_labels(severity: Severity, subject: &Subject) -> Labels {
    Labels::from([
        (Label::Severity, vec![severity.as_str().to_owned()]),
        (Label::Kind, vec![subject.kind().to_owned()]),
    ])
}

/// The labels of what fails: of a rule's incident when it opens, and of what it has become.
pub(super) fn labels(config: &Config, severity: Severity, subject: &Subject, rule: &str, series: &[Series]) -> Labels {
    let mut labels = own_labels(severity, subject);
    labels.insert(Label::Rule, vec![rule.to_owned()]);
    let mut add = |label: Label, value: String| {
        let values = labels.entry(label).or_default();
        if !value.is_empty() && !values.contains(&value) {
            values.push(value);
        }
    };
    for series in series {
        add(Label::Source, series.source.to_string());
        add(Label::Owner, owner(config, &series.source).unwrap_or_default());
        add(Label::Channel, series.kind.channel.to_string());
        add(Label::Metric, series.kind.to_string());
        add(Label::Cause, series.cause.as_ref().map_or_else(String::new, |c| c.as_str().to_owned()));
    }
    labels
}

pub(super) fn owner(config: &Config, source: &Source) -> Option<String> {
    config.named(source)?.owner.clone()
}

/// Who is to hear of these labels: for each source as if it were the only one. Otherwise the first route that one of
/// many sources matches would keep the others from theirs.
pub(super) fn receivers(config: &Config, labels: &Labels, now: Timestamp) -> Vec<String> {
    let route = |labels: &Labels| route::receivers(&config.routes, labels, now, &config.workspace.zone);
    let sources = labels.get(&Label::Source).map_or(&[][..], Vec::as_slice);
    if sources.len() < 2 {
        return route(labels);
    }
    let mut all: Vec<String> = Vec::new();
    for source in sources {
        let mut labels = labels.clone();
        let owner = source.parse().ok().and_then(|source| owner(config, &source));
        labels.insert(Label::Owner, owner.into_iter().collect());
        labels.insert(Label::Source, vec![source.clone()]);
        all.extend(route(&labels).into_iter().filter(|name| !all.contains(name)).collect::<Vec<_>>());
    }
    all
}

/// An open incident that has come to more sources, channels, metrics or causes than it had when it opened: they are
/// written down, and whoever is to hear of them hears. Nothing is written when nothing is new.
pub async fn widen(
    store: &dyn Store,
    outbox: &dyn Outbox,
    config: &Config,
    incident: &Incident,
    finding: &Finding,
    samples: &Samples,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Subject::Rule { name, .. } = &incident.subject else { return Ok(()) };
    let found = labels(config, incident.severity, &incident.subject, name, &finding.series);
    let mut wider = incident.clone();
    for (label, values) in &found {
        let known = wider.labels.entry(*label).or_default();
        let new: Vec<String> = values.iter().filter(|v| !known.contains(v)).cloned().collect();
        known.extend(new.into_iter().take(LABEL_VALUES.saturating_sub(known.len())));
    }
    wider.receivers.extend(receivers(config, &found, now).into_iter().filter(|r| !incident.receivers.contains(r)));
    wider.add_to_ask_about(&samples.deliveries);
    if wider == *incident {
        return Ok(());
    }
    match store.write_incident(&wider).await? {
        Write::Done if wider.receivers != incident.receivers => hint(outbox, &wider, now).await,
        // Somebody else changed it: the next failure, or tick, looks again.
        Write::Done | Write::Conflict => Ok(()),
    }
}

/// The incident at this severity, with the receivers that its labels are routed to now besides those it had.
pub fn routed(config: &Config, incident: &Incident, severity: Severity, now: Timestamp) -> Incident {
    let mut routed = Incident { severity, ..incident.clone() };
    routed.labels.insert(Label::Severity, vec![severity.as_str().to_owned()]);
    let receivers = match incident.subject {
        Subject::Digest { .. } => config.digest.as_ref().map_or_else(Vec::new, |d| d.receivers.clone()),
        _ => receivers(config, &routed.labels, now),
    };
    routed.receivers.extend(receivers.into_iter().filter(|r| !incident.receivers.contains(r)));
    routed
}

/// Opens an incident unless one is open, and sends its hints. A crash in between is mended by tick's sweep.
pub async fn open(
    store: &dyn Store,
    outbox: &dyn Outbox,
    config: &Config,
    opening: Opening,
    now: Timestamp,
) -> Result<Option<Incident>, StoreError> {
    let key = IncidentKey::new(&config.workspace.name, &opening.subject);
    let newest = store.episodes(&key).await?.pop();
    // A digest is written once, whatever became of it.
    if newest.as_ref().is_some_and(|i| i.is_open() || matches!(i.subject, Subject::Digest { .. })) {
        return Ok(None);
    }
    if newest.as_ref().is_some_and(|newest| was_closed(newest, &opening)) {
        return Ok(None);
    }
    // What waits for a roll-up anyway, or is there to say that all is dark, is not held back.
    let may_wait = matches!(opening.subject, Subject::Rule { .. } | Subject::Heartbeat { .. } | Subject::Drafts { .. });
    let most = usize::try_from(config.storm.open_incidents).unwrap_or(usize::MAX);
    let crowded = may_wait && store.open_incidents(most).await? >= most;
    let receivers = opening.receivers.unwrap_or_else(|| receivers(config, &opening.labels, now));
    let incident = Incident {
        key,
        episode: newest.map_or(1, |i| i.episode + 1),
        version: 0,
        subject: opening.subject,
        severity: opening.severity,
        labels: opening.labels,
        receivers,
        state: State::Open,
        opened_at: now,
        since: opening.since,
        last: opening.last,
        found_late: now.duration_since(opening.last) >= FOUND_LATE,
        numbers: opening.numbers,
        samples: opening.samples,
        lines: opening.lines,
        acts: Vec::new(),
        diagnosis: Diagnosis::due(opening.deliveries),
        crowded,
        settled: false,
    };
    match store.write_incident(&incident).await? {
        Write::Done => {
            tracing::info!(
                event = "incident_opened",
                incident = incident.id(),
                kind = incident.subject.kind(),
                severity = incident.severity.as_str(),
                count = incident.numbers.count,
                of = incident.numbers.of,
                receivers = incident.receivers.join(","),
            );
            hint(outbox, &incident, now).await?;
            Ok(Some(incident))
        }
        // A twin opened it, and sends the hints.
        Write::Conflict => Ok(None),
    }
}

/// Whether somebody closed this trouble by hand: it would else be open again with the next look. Failures that come after
/// that are another matter, and their rule has judged that already.
fn was_closed(newest: &Incident, opening: &Opening) -> bool {
    let goes_on = !matches!(opening.subject, Subject::Rule { .. });
    goes_on && newest.closed_by_hand_at().is_some_and(|closed| opening.since <= closed)
}

/// Tells deliver to look at an incident for each of its receivers.
pub async fn hint(outbox: &dyn Outbox, incident: &Incident, now: Timestamp) -> Result<(), StoreError> {
    let hints: Vec<Hint> = incident
        .receivers
        .iter()
        .map(|receiver| Hint { incident: incident.key.clone(), receiver: receiver.clone() })
        .collect();
    outbox.send_hints(&hints, now, Duration::ZERO).await
}
