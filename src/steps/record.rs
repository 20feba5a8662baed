//! record: everything that is known of one incident, for a person who looks back. Reads only.

use jiff::Timestamp;
use serde::Serialize;

use super::{facts, names, summary};
use crate::config::Config;
use crate::incident::{How, Incident, State};
use crate::message::{Message, Phase, compose};
use crate::receivers::plain;
use crate::route::Label;
use crate::store::{Store, StoreError};

/// An incident's record.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    pub id: String,
    pub kind: &'static str,
    pub severity: &'static str,
    /// `Critical`, `Resolved`, `Closed by hand`, ...
    pub state: &'static str,
    pub headline: String,
    /// When the trouble began, and when it was last seen.
    pub since: Timestamp,
    pub last: Timestamp,
    pub opened_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<How>,
    pub count: u64,
    pub of: u64,
    /// The rule or heartbeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    pub sources: Vec<String>,
    pub causes: Vec<String>,
    pub fields: Vec<Said>,
    pub lines: Vec<String>,
    /// Masked.
    pub samples: Vec<String>,
    /// What to look at first.
    pub steps: Vec<String>,
    pub receivers: Vec<Heard>,
    pub timeline: Vec<Moment>,
    pub links: Vec<Said>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Said {
    pub name: String,
    pub value: String,
}

/// What a receiver knows.
#[derive(Clone, Debug, Serialize)]
pub struct Heard {
    pub receiver: String,
    pub knows: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Moment {
    pub at: Timestamp,
    pub what: String,
}

/// Gathers it.
pub async fn of(store: &dyn Store, config: &Config, incident: &Incident, now: Timestamp) -> Result<Record, StoreError> {
    let mut facts = facts::gather(store, config, incident, now).await?;
    facts.names = names::kept(store, config).await;
    let (phase, ended_at, ended) = match incident.state {
        State::Open => (Phase::Updated, None, None),
        State::Resolved { at, how } => (Phase::Resolved, Some(at), Some(how)),
    };
    let message = compose::message(incident, phase, &facts, config, now);
    // What to look at first is of use to whoever writes it up, too.
    let steps = compose::message(incident, Phase::Updated, &facts, config, now).steps;
    let told = store.told(&incident.key).await?;
    let knows = summary::who_knows(store, &config.workspace.zone, incident, now).await?;
    let receivers = incident.receivers.iter().zip(knows).map(|(receiver, line)| {
        let knows = line.strip_prefix(&format!("{receiver}: ")).unwrap_or(&line).to_owned();
        Heard { receiver: receiver.clone(), knows }
    });
    let label = |label| incident.labels.get(&label).cloned().unwrap_or_default();
    let Message { headline, fields, lines, samples, links, about, .. } = message.clone();
    Ok(Record {
        id: incident.id(),
        kind: incident.subject.kind(),
        severity: incident.severity.as_str(),
        state: plain::state(&message),
        headline,
        since: incident.since,
        last: incident.last,
        opened_at: incident.opened_at,
        ended_at,
        ended,
        count: about.count,
        of: about.of,
        rule: about.rule.or(about.heartbeat),
        sources: label(Label::Source),
        causes: label(Label::Cause),
        fields: fields.into_iter().map(|field| Said { name: field.name.to_owned(), value: field.value }).collect(),
        lines,
        samples,
        steps,
        receivers: receivers.collect(),
        timeline: timeline(config, incident, &told, now),
        links: links.into_iter().map(|link| Said { name: link.text, value: link.href }).collect(),
    })
}

fn timeline(
    config: &Config,
    incident: &Incident,
    told: &[(String, crate::incident::told::Told)],
    now: Timestamp,
) -> Vec<Moment> {
    let zone = &config.workspace.zone;
    let moment = |at, what: &str| Moment { at, what: what.to_owned() };
    let found = if incident.found_late { "found late, and opened" } else { "opened" };
    let mut timeline = vec![moment(incident.since, "the trouble began"), moment(incident.opened_at, found)];
    if incident.last > incident.opened_at {
        timeline.push(moment(incident.last, "the trouble was last seen"));
    }
    let of_this = told.iter().filter(|(_, told)| told.episode == incident.episode);
    timeline.extend(
        of_this.filter_map(|(name, told)| Some(Moment { at: told.last_at?, what: format!("{name} was last told") })),
    );
    timeline.extend(
        incident
            .acts
            .iter()
            .map(|act| Moment { at: act.at, what: format!("{} by {}", act.done(zone, now), act.name()) }),
    );
    if let State::Resolved { at, .. } = incident.state {
        timeline.push(moment(at, "over"));
    }
    timeline.sort_by_key(|moment| moment.at);
    timeline
}
