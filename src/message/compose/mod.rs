//! From an incident and its numbers to the one message that every receiver renders. The first line says what, where,
//! since when and how bad.

mod blindness;
mod drafts;
mod drift;
#[cfg(test)]
mod every_kind;
mod heartbeat;
mod lag;
mod reconciliation;
mod roll_up;
mod rule;
#[cfg(test)]
mod tests;
mod the_canary;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{About, Field, HEADLINE_CHARS, Link, Message, Phase, text};
use crate::canary;
use crate::config::Config;
use crate::customerio;
use crate::customerio::app_api::names::Names;
use crate::customerio::event::Kind;
use crate::heartbeat::settle::Settling;
use crate::incident::act::What;
use crate::incident::{Incident, Numbers, State, Subject};
use crate::route::Label;
use crate::runbook::{self, Section};
use crate::tally::Total;
use crate::tally::lag::Window;

/// What a message says that is not in the incident itself.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The incident's failures by series.
    pub failing: Vec<Total>,
    /// What stood beside them: sends and deliveries of the same places.
    pub others: Vec<Total>,
    /// Metrics whose arrival would show the trouble over, but which never arrive.
    pub unheard: Vec<Kind>,
    /// Sends do arrive, so that "of how many" can be said.
    pub sends_heard: bool,
    /// About blindness: events are coming, but late.
    pub coming_late: bool,
    /// About blindness or the canary: how the canary stands.
    pub canary: Option<canary::log::Standing>,
    /// About lag: the last quarter of an hour.
    pub lag: Option<Window>,
    /// About a heartbeat: how many of the runs it counted have ids that hold no time, so that its count is approximate.
    pub approximate: u64,
    /// About a heartbeat that expects what is usual of runs: how late it is judged.
    pub settling: Option<Settling>,
    /// About a roll-up: those of its incidents that are open.
    pub members_open: Option<Vec<Incident>>,
    /// What sources are called in Customer.io.
    pub names: Arc<Names>,
}

impl Facts {
    /// How many failed, of how many; `None` without registers (they expire).
    pub fn numbers(&self) -> Option<Numbers> {
        let count = self.failing.iter().map(|t| t.count).sum();
        if count == 0 {
            return None;
        }
        Some(Numbers { count, of: (self.sent() + self.apart()).max(count) })
    }

    /// Whether "of how many" can be said: sends do arrive, and those of these places cover what failed of them.
    pub fn of_is_known(&self) -> bool {
        let count: u64 = self.failing.iter().map(|t| t.count).sum();
        self.sends_heard && count <= self.sent() + self.apart()
    }

    fn sent(&self) -> u64 {
        self.others.iter().map(|t| t.count).sum()
    }

    /// What failed before it was sent is not among the sent; what bounced after is.
    fn apart(&self) -> u64 {
        let is_apart = |t: &&Total| t.series.kind.paired_success().is_none_or(|p| p.metric == "sent");
        self.failing.iter().filter(is_apart).map(|t| t.count).sum()
    }

    fn ranked<K: Ord>(&self, key: impl Fn(&Total) -> K) -> Vec<(K, u64)> {
        let mut counts: BTreeMap<K, u64> = BTreeMap::new();
        for total in &self.failing {
            *counts.entry(key(total)).or_default() += total.count;
        }
        let mut ranked: Vec<_> = counts.into_iter().collect();
        ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        ranked
    }
}

/// Composes what a receiver is to say.
pub fn message(incident: &Incident, phase: Phase, facts: &Facts, config: &Config, now: Timestamp) -> Message {
    let telling = Telling { incident, phase, facts, config, now };
    let parts = match &incident.subject {
        Subject::Rule { name, .. } => rule::parts(&telling, name),
        Subject::Heartbeat { name, source, period, why } => {
            heartbeat::parts(&telling, name, source, *period, why.as_ref())
        }
        Subject::Blindness => blindness::parts(&telling),
        Subject::Canary { leg } => the_canary::parts(&telling, leg),
        Subject::Lag { median_s } => lag::parts(&telling, *median_s),
        Subject::Drafts { source } => drafts::parts(&telling, source),
        Subject::Drift { what } => drift::parts(&telling, *what),
        Subject::Reconciliation { event, source, date, leg } => {
            reconciliation::parts(&telling, event, source, *date, *leg)
        }
        Subject::RollUp { members, .. } => roll_up::parts(&telling, members.len() as u64),
        Subject::Digest { date } => Parts {
            headline: incident.lines.first().cloned().unwrap_or_else(|| format!("Digest of {date}")),
            ..Parts::default()
        },
    };
    // Before all else: it is the nearest to what is to be done.
    let mut fields: Vec<Field> = telling.diagnosis().into_iter().chain(parts.fields).collect();
    fields.extend(telling.times(parts.more));
    fields.extend(telling.acts());
    let late = if incident.found_late && !phase.is_over() { FOUND_LATE } else { "" };
    let headline = format!("{late}{}", parts.headline);
    let ended = match incident.state {
        State::Resolved { how, .. } if phase.is_over() => Some(how),
        _ => None,
    };
    let mut links = Vec::new();
    if phase != Phase::Digest {
        links.extend(parts.runbook.and_then(|section| runbook::link(config, section)));
        links.push(customerio_link(config));
    }
    Message {
        phase,
        severity: incident.severity,
        workspace: config.workspace.name.clone(),
        key: incident.key.0.clone(),
        episode: incident.episode,
        incident: incident.id(),
        ended,
        headline: text::cut(&headline, HEADLINE_CHARS).into_owned(),
        labels: incident.labels.clone(),
        about: parts.about,
        fields,
        samples: incident.samples.clone(),
        steps: if phase.is_over() { Vec::new() } else { parts.steps },
        lines: match incident.subject {
            // Its first line is the headline.
            Subject::Digest { .. } => incident.lines.iter().skip(1).cloned().collect(),
            _ => parts.lines.unwrap_or_else(|| incident.lines.clone()),
        },
        runbook: parts.runbook,
        links,
        since: incident.since,
        acted: incident.acts.last().map(|act| {
            let zone = &config.workspace.zone;
            format!("{} by {}", act.done(zone, now), act.who(zone, now))
        }),
        note: None,
    }
}

#[derive(Default)]
struct Parts {
    headline: String,
    about: About,
    fields: Vec<Field>,
    steps: Vec<String>,
    /// How many more there are than when it opened.
    more: u64,
    /// Instead of the incident's own lines.
    lines: Option<Vec<String>>,
    /// The section of the runbook.
    runbook: Option<&'static str>,
}

impl Parts {
    /// What a section of the runbook says.
    fn of(section: &Section) -> Self {
        let steps = section.confirm.iter().map(|step| (*step).to_owned()).collect();
        Self { steps, runbook: Some(section.key), ..Self::default() }
    }
}

/// Begins the headline of what was over an hour old when it was found.
const FOUND_LATE: &str = "Found late: ";

/// Open for less is not worth a word.
const JUST_OPENED: SignedDuration = SignedDuration::from_mins(1);

/// What is told, why, and when.
struct Telling<'a> {
    incident: &'a Incident,
    phase: Phase,
    facts: &'a Facts,
    config: &'a Config,
    now: Timestamp,
}

impl Telling<'_> {
    fn clock(&self, at: Timestamp) -> String {
        text::clock(at, &self.config.workspace.zone, self.now)
    }

    fn clock_in_zone(&self, at: Timestamp) -> String {
        text::clock_in_zone(at, &self.config.workspace.zone, self.now)
    }

    /// `14:02 CET (25 min ago)`.
    fn since(&self) -> String {
        let ago = text::duration(self.now.duration_since(self.incident.since));
        format!("{} ({ago} ago)", self.clock_in_zone(self.incident.since))
    }

    /// The last of the trouble, as far as it is known by now.
    fn last(&self) -> Timestamp {
        self.facts.failing.iter().map(|t| t.last).fold(self.incident.last, Timestamp::max)
    }

    /// `at 08:30`, `from 08:30 to 08:41`.
    fn between(&self, first: Timestamp, last: Timestamp) -> String {
        let [first, last] = [first, last].map(|at| self.clock(at));
        if first == last { format!("at {first}") } else { format!("from {first} to {last}") }
    }

    /// `, open for 4 h, 209 more than when it opened`; nothing where it only just opened, as a fallback may hear at once.
    fn still_open_for(&self, more: u64) -> String {
        let long = self.now.duration_since(self.incident.opened_at);
        match self.phase == Phase::StillOpen && long >= JUST_OPENED {
            true => format!(", open for {}", self.open_for(more)),
            false => String::new(),
        }
    }

    /// `4 h, 209 more than when it opened`.
    fn open_for(&self, more: u64) -> String {
        let long = text::duration(self.now.duration_since(self.incident.opened_at));
        if more == 0 { long } else { format!("{long}, {} more than when it opened", text::number(more)) }
    }

    /// What people did: the last of each kind, oldest first.
    fn acts(&self) -> Vec<Field> {
        let zone = &self.config.workspace.zone;
        let mut fields: Vec<Field> = Vec::new();
        for act in &self.incident.acts {
            let (name, value) = match &act.what {
                What::Acknowledged => ("Acknowledged", format!("by {}", act.who(zone, self.now))),
                What::Silenced { until, .. } => {
                    ("Silenced", format!("until {} by {}", self.clock(*until), act.who(zone, self.now)))
                }
                What::Closed => ("Closed", format!("by {}", act.who(zone, self.now))),
            };
            fields.retain(|known| known.name != name);
            fields.push(field(name, value));
        }
        fields
    }

    /// What Customer.io says of it, and when it said so.
    fn diagnosis(&self) -> Option<Field> {
        let (text, at) = self.incident.diagnosis()?;
        Some(field("Diagnosis", format!("{text} (as of {})", self.clock(at))))
    }

    /// How long it has been open, and how late it was found.
    fn times(&self, more: u64) -> Vec<Field> {
        let Incident { found_late, since, opened_at, .. } = *self.incident;
        let last = self.last();
        let mut fields = Vec::new();
        if matches!(self.phase, Phase::Worsened | Phase::StillOpen | Phase::Updated | Phase::Acted) {
            fields.push(field("Open for", self.open_for(more)));
        }
        if found_late {
            let found = self.clock_in_zone(opened_at);
            fields.push(field(
                "Found late",
                match last < opened_at {
                    true => {
                        let late = text::duration(opened_at.duration_since(last));
                        format!("it happened {}; we knew at {found}, {late} later", self.between(since, last))
                    }
                    // It went on after it was found.
                    false => format!("it began at {}; we knew at {found}", self.clock(since)),
                },
            ));
        }
        fields
    }
}

fn customerio_link(config: &Config) -> Link {
    Link { text: "Open Customer.io".to_owned(), href: customerio::app_page(&config.customerio) }
}

fn field(name: &'static str, value: String) -> Field {
    Field { name, value }
}

fn label(incident: &Incident, label: Label) -> &[String] {
    incident.labels.get(&label).map_or(&[], Vec::as_slice)
}
