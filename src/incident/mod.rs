//! Incidents: one condition for one group, from opening to resolution. [`notify`] decides what a receiver hears.

pub mod act;
pub mod diagnosis;
pub mod notify;
pub mod told;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use self::act::Act;
use self::diagnosis::Diagnosis;
use crate::canary::Leg;
use crate::customerio::event::Source;
use crate::drift::Drift;
use crate::hash::Parts;
use crate::heartbeat::Period;
use crate::heartbeat::why::Why;
use crate::reconcile::compare;
use crate::route::Labels;

/// How bad it is; the order is the order of badness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

impl Severity {
    pub const ALL: [Severity; 3] = [Self::Critical, Self::Warning, Self::Info];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// What incidents of a rule are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    Cause,
    Source,
    Action,
    Channel,
    Metric,
    Provider,
}

impl Dimension {
    pub const ALL: [Dimension; 6] =
        [Self::Cause, Self::Source, Self::Action, Self::Channel, Self::Metric, Self::Provider];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cause => "cause",
            Self::Source => "source",
            Self::Action => "action",
            Self::Channel => "channel",
            Self::Metric => "metric",
            Self::Provider => "provider",
        }
    }
}

/// The values that tell a group apart; empty when a rule does not group.
pub type Group = BTreeMap<Dimension, String>;

/// Names a condition for a group, for ever: a hash of the workspace, the condition's name and the group.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentKey(pub String);

impl IncidentKey {
    pub fn new(workspace: &str, subject: &Subject) -> Self {
        let mut parts = Parts::default();
        let mut part = |text: &str| parts.add(text);
        part(workspace);
        match subject {
            Subject::Rule { name, group } => {
                part("rule");
                part(name);
                for (dimension, value) in group {
                    part(dimension.as_str());
                    part(value);
                }
            }
            Subject::Heartbeat { name, .. } => {
                part("heartbeat");
                part(name);
            }
            Subject::Blindness => part("blindness"),
            Subject::Canary { .. } => part("canary"),
            Subject::Lag { .. } => part("lag"),
            Subject::Drafts { source } => {
                part("drafts");
                part(&source.to_string());
            }
            Subject::Drift { what } => {
                part("drift");
                part(what.as_str());
            }
            Subject::Reconciliation { event, source, .. } => {
                part("reconciliation");
                part(event);
                part(&source.to_string());
            }
            Subject::Digest { date } => {
                part("digest");
                part(date);
            }
            Subject::RollUp { receiver, members } => {
                // The first one is in no other roll-up: two ticks at once make the same one.
                part("roll_up");
                part(receiver);
                for member in members.iter().take(1) {
                    part(&member.key.0);
                    part(&member.episode.to_string());
                }
            }
        }
        Self(parts.hex(16))
    }
}

impl fmt::Display for IncidentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for IncidentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an incident is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Subject {
    Rule {
        name: String,
        group: Group,
    },
    Heartbeat {
        name: String,
        source: Source,
        period: Period,
        /// As far as Customer.io's own numbers tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<Why>,
    },
    /// Nothing has arrived for longer than chance explains (design, Coverage).
    Blindness,
    /// The canary does not come back.
    Canary {
        /// Where it stopped, as it is known by now.
        leg: Leg,
    },
    /// Most events arrive late.
    Lag {
        /// Their median lag when it opened, in seconds.
        median_s: u32,
    },
    /// Messages of a source wait as drafts, and none is sent.
    Drafts {
        source: Source,
    },
    /// Somebody changed in Customer.io what the bridge depends on. The incident's lines are what was found.
    Drift {
        what: Drift,
    },
    /// Counts of an event that should agree do not, of the last day that was compared. The incident's lines are the
    /// likely reasons.
    Reconciliation {
        event: String,
        source: Source,
        date: Date,
        leg: compare::Leg,
    },
    /// The daily summary travels as an incident, so that each receiver gets it once, through crashes.
    Digest {
        date: String,
    },
    /// Incidents that one receiver is told of together: too many are open, or too many wait for it (design, law 1).
    RollUp {
        receiver: String,
        /// Worst first; never empty.
        members: Vec<Member>,
    },
}

/// An episode named in a roll-up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Member {
    pub key: IncidentKey,
    pub episode: u32,
}

impl Subject {
    /// The kinds that routes and silences can speak of: digests and roll-ups have receivers of their own, always.
    pub const KINDS: [&str; 8] =
        ["rule", "heartbeat", "blindness", "canary", "lag", "drafts", "drift", "reconciliation"];

    /// The label `kind` of routes.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Rule { .. } => "rule",
            Self::Heartbeat { .. } => "heartbeat",
            Self::Blindness => "blindness",
            Self::Canary { .. } => "canary",
            Self::Lag { .. } => "lag",
            Self::Drafts { .. } => "drafts",
            Self::Drift { .. } => "drift",
            Self::Reconciliation { .. } => "reconciliation",
            Self::Digest { .. } => "digest",
            Self::RollUp { .. } => "roll_up",
        }
    }
}

/// How an incident ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Quiet, and a success was seen since.
    Quiet,
    /// Quiet for a day without a success.
    Expired,
    /// The heartbeat is beating, we hear again, or drafts are sent.
    Recovered,
    /// Its rule or heartbeat is no longer configured.
    RuleGone,
    /// A roll-up's incidents ended in different ways.
    Various,
    /// Somebody closed it.
    ByHand,
}

/// Whether it is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum State {
    Open,
    Resolved { at: Timestamp, how: How },
}

/// Counts as they were when a state was decided: the registers behind them expire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbers {
    /// How many are in trouble (a heartbeat: how many were counted).
    pub count: u64,
    /// Of how many (a heartbeat: how many were expected).
    pub of: u64,
}

/// One episode of a condition for one group. Written on a change of state only; counts come from registers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    pub key: IncidentKey,
    /// 1 for the first time this condition opened for this group, then 2, ...
    pub episode: u32,
    /// For conditional writes; 0 before the first.
    pub version: u64,
    pub subject: Subject,
    pub severity: Severity,
    pub labels: Labels,
    /// Receivers by name, chosen by the routes when it opened or worsened.
    pub receivers: Vec<String>,
    pub state: State,
    pub opened_at: Timestamp,
    /// Event time of the first trouble counted.
    pub since: Timestamp,
    /// Event time of the last trouble known when the state was written.
    pub last: Timestamp,
    /// The trouble was over an hour old when it was found.
    pub found_late: bool,
    pub numbers: Numbers,
    /// Up to three masked failure texts.
    pub samples: Vec<String>,
    /// For a digest: its text, composed once; for drift: what was found; for reconciliation: why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// What people did about it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acts: Vec<Act>,
    /// What Customer.io says of some of its failures, or that it is still to be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Diagnosis>,
    /// It opened when `storm.open_incidents` were open already: a roll-up names it, nobody hears of it alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub crowded: bool,
    /// Every receiver knows how it ended; nothing more is due.
    pub settled: bool,
}

impl Incident {
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Somebody stopped the workflow: its owner was told, and need not hear it again and again.
    pub fn is_deliberate(&self) -> bool {
        let stopped = matches!(&self.subject, Subject::Heartbeat { why: Some(why), .. } if why.is_deliberate());
        stopped && self.severity < Severity::Critical
    }

    /// How roll-ups name it.
    pub fn member(&self) -> Member {
        Member { key: self.key.clone(), episode: self.episode }
    }

    /// What people call it: short, unique enough to type.
    pub fn id(&self) -> String {
        format!("{}-{}", &self.key.0[..self.key.0.len().min(8)], self.episode)
    }
}
