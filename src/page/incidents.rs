//! Incidents as the page shows them: what is said of one, since when, to whom; and those that are over, in a line each.

use std::sync::Arc;

use jiff::Timestamp;

use super::links::path_of;
use crate::config::Config;
use crate::customerio::event::Source;
use crate::heartbeat::Expect;
use crate::incident::act::Act;
use crate::incident::{How, Incident, Severity, State, Subject};
use crate::message::compose::{self, Facts};
use crate::message::{Phase, text};
use crate::route::Label;
use crate::summary::Telling;

/// Open incidents shown in full; of the rest a line.
const IN_FULL: usize = 12;

/// An open incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Open {
    pub id: String,
    /// Of its own page.
    pub path: String,
    pub severity: Severity,
    /// `Activation is low: 12 of about 40 since 09:00`
    pub title: String,
    /// `open for 25 min`
    pub age: String,
    /// `None`: a line is all that is shown.
    pub full: Option<Full>,
}

/// All that is known of an open incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Full {
    pub telling: Telling,
    /// What happened when, oldest first.
    pub timeline: Vec<(String, String)>,
}

/// An incident in the history.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    pub id: String,
    /// Of its own page.
    pub path: String,
    pub severity: Severity,
    pub title: String,
    pub opened: String,
    /// How long it lasted, or that it is open.
    pub lasted: String,
    pub ended: &'static str,
}

/// The open ones, worst first.
pub fn open(config: &Config, open: &[Incident], tellings: &[Telling], now: Timestamp) -> Vec<Open> {
    let mut worst: Vec<&Incident> = open.iter().collect();
    worst.sort_by_key(|incident| (std::cmp::Reverse(incident.severity), incident.opened_at));
    let shown = |(at, incident): (usize, &&Incident)| {
        let telling = tellings.iter().find(|telling| telling.incident == incident.id());
        let composed = || {
            // It opened since tick last looked: what is known of it is in itself.
            let untold = incident.receivers.iter().map(|receiver| format!("{receiver}: being told")).collect();
            Telling::of(compose::message(incident, Phase::Updated, &Facts::default(), config, now), untold, now)
        };
        Open {
            id: incident.id(),
            path: path_of(incident),
            severity: incident.severity,
            title: title(config, incident, telling, now),
            age: format!("open for {}", text::duration(now.duration_since(incident.opened_at))),
            full: (at < IN_FULL).then(|| Full {
                timeline: timeline(config, incident, now),
                telling: telling.cloned().unwrap_or_else(composed),
            }),
        }
    };
    worst.iter().enumerate().map(shown).collect()
}

/// What an incident is, in a sentence: of a heartbeat how many came, of anything else its message's own headline.
pub fn title(config: &Config, incident: &Incident, telling: Option<&Telling>, now: Timestamp) -> String {
    match &incident.subject {
        Subject::Heartbeat { name, period, .. } => {
            let (count, of) = (incident.numbers.count, incident.numbers.of);
            let (is, most) = if count < of { ("low", "at least") } else { ("high", "at most") };
            let learned = config.heartbeat(name).is_none_or(|heartbeat| heartbeat.expect == Expect::Learned);
            let expected = if learned { "about" } else { most };
            let since = text::clock(period.start, &config.workspace.zone, now);
            format!("{name} is {is}: {} of {expected} {} since {since}", text::number(count), text::number(of))
        }
        _ => telling.map_or_else(
            || compose::message(incident, Phase::Updated, &Facts::default(), config, now).headline,
            |telling| telling.headline.clone(),
        ),
    }
}

pub fn timeline(config: &Config, incident: &Incident, now: Timestamp) -> Vec<(String, String)> {
    let at = |at| text::clock(at, &config.workspace.zone, now);
    let mut timeline = vec![(incident.since, "it began")];
    timeline.push((incident.opened_at, if incident.found_late { "found late, and opened" } else { "opened" }));
    if incident.last > incident.opened_at {
        timeline.push((incident.last, "last change"));
    }
    let mut timeline: Vec<(Timestamp, String)> =
        timeline.into_iter().map(|(when, what)| (when, what.to_owned())).collect();
    let zone = &config.workspace.zone;
    let did = |act: &Act| (act.at, format!("{} by {}", act.done(zone, now), act.name()));
    timeline.extend(incident.acts.iter().map(did));
    if let State::Resolved { at, .. } = incident.state {
        timeline.push((at, "over".to_owned()));
    }
    timeline.sort_by_key(|(at, _)| *at);
    timeline.into_iter().map(|(when, what)| (at(when), what)).collect()
}

/// In a line of the history.
pub fn past(config: &Config, incident: &Incident, facts: &Arc<Facts>, now: Timestamp) -> Past {
    let zone = &config.workspace.zone;
    let title = match &incident.subject {
        Subject::Heartbeat { .. } if incident.is_open() => title(config, incident, None, now),
        Subject::Heartbeat { .. } => title(config, incident, None, now).replacen(" is ", " was ", 1),
        _ => compose::message(incident, Phase::Updated, facts, config, now).headline,
    };
    let (lasted, ended) = match incident.state {
        State::Open => (text::duration(now.duration_since(incident.opened_at)), "open"),
        State::Resolved { at, how } => {
            let ended = match how {
                How::Quiet => "over",
                How::Expired => "not seen fixed",
                How::Recovered => "recovered",
                How::RuleGone => "no longer watched",
                How::Various => "over",
                How::ByHand => "closed by hand",
            };
            (text::duration(at.duration_since(incident.opened_at)), ended)
        }
    };
    Past {
        id: incident.id(),
        path: path_of(incident),
        severity: incident.severity,
        title,
        opened: text::clock(incident.opened_at, zone, now),
        lasted,
        ended,
    }
}

/// What an incident can be asked for by: its heartbeat or rule, or its kind.
pub fn about(incident: &Incident) -> &str {
    match &incident.subject {
        Subject::Heartbeat { name, .. } | Subject::Rule { name, .. } => name,
        other => other.kind(),
    }
}

/// The sources that an incident speaks of.
pub fn sources(incident: &Incident) -> Vec<Source> {
    let named = incident.labels.get(&Label::Source).map_or(&[][..], Vec::as_slice);
    named.iter().filter_map(|source| source.parse().ok()).collect()
}
