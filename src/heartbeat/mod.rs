//! Heartbeats: what a workflow must do in a period, and the verdict on it. Pure: counts, coverage and `now` come in.

pub mod blindness;
pub mod drafts;
pub mod history;
pub mod learned;
pub mod period;
pub mod recovery;
pub mod settle;
pub mod verdict;
pub mod why;

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use serde::{Deserialize, Serialize};

use crate::customerio::event::{Fate, Kind, Source};
use crate::heartbeat::why::Why;
use crate::incident::Severity;
use crate::tally::Series;
use crate::tally::journeys::JOURNEY;

/// A configured heartbeat.
#[derive(Clone, Debug, PartialEq)]
pub struct Heartbeat {
    pub name: String,
    pub source: Source,
    /// What counts as a beat.
    pub event: Kind,
    /// Only beats of this action.
    pub action: Option<String>,
    pub expect: Expect,
    pub every: Every,
    pub severity: Severity,
    /// Local dates whose periods are not judged.
    pub except: Vec<Date>,
    /// That somebody stopped the workflow is no excuse.
    pub must_run: bool,
}

impl Heartbeat {
    /// How bad it is that the workflow is low, or high: a deliberate stop is for its owner to know.
    pub fn severity_of(&self, why: Option<&Why>) -> Severity {
        match why {
            Some(why) if why.is_deliberate() && !self.must_run => self.severity.min(Severity::Warning),
            _ => self.severity,
        }
    }

    /// Whether what is counted there are beats.
    pub fn counts(&self, series: &Series) -> bool {
        // A run is counted once as a run, and once more for each step that is asked for.
        let action = match &self.action {
            None => self.event != JOURNEY || series.action.is_none(),
            asked => series.action == *asked,
        };
        series.fate == Fate::Counted && series.kind == self.event && series.source == self.source && action
    }
}

/// How many beats a period must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    Between {
        at_least: Option<u64>,
        at_most: Option<u64>,
    },
    /// From history; not judged by this version, which says so in `check`.
    Learned,
}

/// How long a period is and when it must be met, in local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    Hour,
    /// `by` defaults to the day's end.
    Day {
        by: Option<Time>,
    },
    /// Weeks begin on Monday; `by` defaults to the week's end.
    Week {
        by: Option<(Weekday, Time)>,
    },
}

/// One period of a heartbeat: beats in [start, due) are counted and judged after `due`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    pub start: Timestamp,
    pub due: Timestamp,
    /// Where the next period begins.
    pub end: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Ok,
    Low,
    High,
    /// We were blind for too much of the period.
    Unknown,
}

/// A verdict on a period, as kept for the digest and the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    pub heartbeat: String,
    pub period: Period,
    pub verdict: Verdict,
    pub count: u64,
    pub at: Timestamp,
    /// Minutes of [start, due) that were covered, and how many there are.
    pub covered: i64,
    pub minutes: i64,
    /// Of a heartbeat that expects what is usual: what 95 % of such periods are between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual: Option<(u64, u64)>,
}
