//! What was: the incidents of the days asked for, and each day in a bar. Filters come by a form.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::incidents::{self, Open, Past};
use super::workflows::{Day, day, of_date};
use super::{DAYS, last_dates};
use crate::config::Config;
use crate::incident::{Incident, Severity};
use crate::message::compose::Facts;
use crate::summary::{Summary, is_failure};

/// How far back can be looked, in days.
pub const REACHES: [usize; 4] = [1, DAYS, 90, 400];

/// Incidents listed; the rest is counted.
const LISTED: usize = 50;

/// What of the history is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filters {
    /// One of [`REACHES`].
    pub days: usize,
    /// A heartbeat's, rule's or kind's name.
    pub about: Option<String>,
    pub severity: Option<Severity>,
}

impl Default for Filters {
    fn default() -> Self {
        Self { days: DAYS, about: None, severity: None }
    }
}

impl Filters {
    /// From the parts of a form; what is not understood is left out, and never an error.
    pub fn of<'a>(parts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut filters = Self::default();
        for (name, value) in parts {
            match name {
                "days" => {
                    let days = value.parse().ok().filter(|days| REACHES.contains(days));
                    filters.days = days.unwrap_or(DAYS);
                }
                "about" => filters.about = Some(value.to_owned()).filter(|about| !about.is_empty()),
                "severity" => filters.severity = Severity::ALL.into_iter().find(|s| s.as_str() == value),
                _ => {}
            }
        }
        filters
    }

    /// The first date that is asked for.
    pub fn from(&self, today: Date) -> Date {
        today.saturating_sub((self.days as i64 - 1).days())
    }

    fn takes(&self, incident: &Incident) -> bool {
        self.severity.is_none_or(|severity| severity == incident.severity)
            && self.about.as_deref().is_none_or(|about| {
                about == incidents::about(incident)
                    || incidents::sources(incident).iter().any(|source| source.to_string() == about)
            })
    }
}

/// The history as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    pub filters: Filters,
    /// What can be asked for.
    pub abouts: Vec<String>,
    pub days: Bars,
    pub incidents: Vec<Past>,
    /// How many more there are.
    pub left_out: usize,
}

/// Day by day.
#[derive(Clone, Debug, PartialEq)]
pub enum Bars {
    /// Of one workflow: what it did.
    Workflow { name: String, days: Vec<Day> },
    /// Of all: messages that failed for good; `None` where nobody counted.
    Failures(Vec<(Date, Option<u64>)>),
}

/// The history of the days asked for.
pub fn history(
    config: &Config,
    before: &[Summary],
    today: &Summary,
    past: &[Incident],
    open: &[Open],
    filters: &Filters,
    now: Timestamp,
) -> History {
    let begun = crate::summary::ends(filters.from(today.date), &config.workspace.zone).0;
    let mut found: Vec<&Incident> = past.iter().filter(|i| filters.takes(i) && begun <= i.opened_at).collect();
    found.sort_by_key(|incident| std::cmp::Reverse(incident.opened_at));
    let summary_of = |date: Date| if date == today.date { Some(today) } else { of_date(before, date) };
    let heartbeat = filters.about.as_deref().and_then(|about| config.heartbeat(about));
    let dates = last_dates(today.date, filters.days);
    let days = match heartbeat {
        Some(heartbeat) => Bars::Workflow {
            name: heartbeat.name.clone(),
            days: dates.map(|date| day(config, heartbeat, summary_of(date), date)).collect(),
        },
        None => Bars::Failures(dates.map(|date| (date, summary_of(date).map(failed))).collect()),
    };
    let none = Arc::new(Facts::default());
    let mut abouts: Vec<String> = config.heartbeats.iter().map(|heartbeat| heartbeat.name.clone()).collect();
    let others: BTreeSet<&str> = past.iter().map(incidents::about).collect();
    for other in config.rules.iter().map(|rule| rule.name.as_str()).chain(others) {
        if !abouts.iter().any(|about| about == other) {
            abouts.push(other.to_owned());
        }
    }
    History {
        filters: filters.clone(),
        abouts,
        days,
        left_out: found.len().saturating_sub(LISTED),
        incidents: found
            .iter()
            .take(LISTED)
            .map(|incident| {
                let past = incidents::past(config, incident, &none, now);
                // Of an open one the same is said here as above.
                let above = open.iter().find(|open| open.id == past.id);
                Past { title: above.map_or(past.title, |open| open.title.clone()), ..past }
            })
            .collect(),
    }
}

fn failed(summary: &Summary) -> u64 {
    summary.kinds.iter().filter(|row| is_failure(&row.kind)).map(|row| row.hours.sum()).sum()
}
