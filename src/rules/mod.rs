//! Rules: conditions on tallies that open incidents, and when those resolve. Pure.

pub mod counts;
pub mod judge;
pub mod rate;
pub mod resolve;
pub mod wilson;

use jiff::SignedDuration;
use wildmatch::WildMatch;

use crate::customerio::event::{Kind, Source};
use crate::incident::{Dimension, Severity};

/// A condition on tallies that opens an incident for each group in which it is true.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub name: String,
    /// Globs are expanded against the metric table when the configuration is read.
    pub events: Vec<Kind>,
    /// Globs over `campaign:5`; none: every source.
    pub sources: Vec<WildMatch>,
    pub group_by: Vec<Dimension>,
    pub condition: Condition,
    pub severity: Severity,
    /// Quiet covered time before it resolves; [`Rule::quiet_for`] has the default.
    pub quiet_for: Option<SignedDuration>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    Count {
        at_least: u64,
        within: SignedDuration,
    },
    Rate {
        /// Kinds that the rate is taken of, each for the rule's events of its own channel.
        of: Vec<Kind>,
        /// It opens above this fraction of one, beyond chance.
        above: f64,
        /// It is quiet while no window is above this fraction; at most `above`.
        below: f64,
        within: SignedDuration,
        /// How far failures lag behind their sends.
        lag: SignedDuration,
    },
}

impl Rule {
    pub fn matches_source(&self, source: &Source) -> bool {
        self.sources.is_empty() || self.sources.iter().any(|g| g.matches(&source.to_string()))
    }

    pub fn within(&self) -> SignedDuration {
        match &self.condition {
            Condition::Count { within, .. } | Condition::Rate { within, .. } => *within,
        }
    }

    /// Default: the longer of the window and 30 minutes (design, law 6).
    pub fn quiet_for(&self) -> SignedDuration {
        self.quiet_for.unwrap_or_else(|| self.within().max(SignedDuration::from_mins(30)))
    }
}
