//! What the comparison keeps between ticks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::config::schema::DeclaredEvent;
use crate::reconcile::compare::Leg;
use crate::reconcile::ghost::Ghost;
use crate::reconcile::receive::Counting;

/// Names that are remembered, and for how long.
const NAMES: usize = 200;
const NAME_DAYS: i8 = 30;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The last day that was compared.
    pub day: Option<Date>,
    pub not_before: Option<Timestamp>,
    pub look: Option<Look>,
    /// Event names, and when they were seen last.
    pub seen: BTreeMap<String, Date>,
    pub ghosts: Vec<Ghost>,
}

/// A day's look, as far as it got.
#[derive(Debug, Serialize, Deserialize)]
pub struct Look {
    pub date: Date,
    pub begun: Timestamp,
    /// Only on a second look.
    #[serde(default)]
    pub second: Option<Second>,
    /// By [`Look::key`].
    #[serde(default)]
    pub found: BTreeMap<String, Found>,
    /// A sample of everybody's events, for their names.
    #[serde(default)]
    pub names: Counting,
}

/// What is looked at again, and when.
#[derive(Debug, Serialize, Deserialize)]
pub struct Second {
    pub due: Timestamp,
    /// By [`Look::key`].
    pub suspects: BTreeMap<String, Leg>,
}

/// What Customer.io said of one event and its campaign.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Found {
    pub counting: Counting,
    pub asked_campaign: bool,
    pub asked_started: bool,
    pub state: Option<String>,
    pub trigger: Option<String>,
    pub filters: u64,
    pub started: Option<u64>,
}

impl State {
    /// Whether nothing is to be done yet.
    pub fn waits(&self, now: Timestamp) -> bool {
        let second = self.look.as_ref().and_then(|look| look.second.as_ref());
        // A clock that was set back must not stop it for long.
        let failed = self.not_before.is_some_and(|at| now < at && at <= now + SignedDuration::from_hours(1));
        failed || second.is_some_and(|second| now < second.due)
    }

    /// Remembers names, those that were seen last.
    pub fn see(&mut self, names: impl Iterator<Item = String>, date: Date) {
        self.seen.extend(names.filter(|name| !name.is_empty()).map(|name| (name, date)));
        let oldest = date.saturating_sub(NAME_DAYS.days());
        self.seen.retain(|_, seen| *seen >= oldest);
        while self.seen.len() > NAMES {
            let oldest = self.seen.iter().min_by_key(|(_, seen)| **seen).map(|(name, _)| name.clone());
            oldest.and_then(|name| self.seen.remove(&name));
        }
    }
}

impl Look {
    pub fn new(date: Date, begun: Timestamp) -> Self {
        Self { date, begun, second: None, found: BTreeMap::new(), names: Counting::default() }
    }

    /// An event may start several campaigns.
    pub fn key(event: &DeclaredEvent) -> String {
        format!("{}/{}", event.campaign.id, event.name)
    }

    /// Whether this look is about an event.
    pub fn is_of(&self, event: &DeclaredEvent) -> bool {
        self.second.as_ref().is_none_or(|second| second.suspects.contains_key(&Self::key(event)))
    }

    /// Whether an earlier look at the same day found the same leg.
    pub fn confirms(&self, event: &DeclaredEvent, leg: Leg) -> bool {
        self.second.as_ref().is_some_and(|second| second.suspects.get(&Self::key(event)) == Some(&leg))
    }

    /// Leaves what is not known unknown.
    pub fn give_up(&mut self, events: &[&DeclaredEvent]) {
        for event in events {
            let found = self.found.entry(Self::key(event)).or_default();
            if !found.counting.is_done() {
                found.counting.stop();
            }
            (found.asked_campaign, found.asked_started) = (true, true);
        }
        self.names.stop();
    }

    /// Names that were seen are of the keys that are still asked for.
    pub fn keep_only(&mut self, events: &[&DeclaredEvent]) {
        let keys: BTreeSet<String> = events.iter().map(|event| Self::key(event)).collect();
        self.found.retain(|key, _| keys.contains(key));
    }
}
