//! What the page says, as plain data: made of what was read, shown by [`super::html`].

use jiff::Timestamp;

use super::Seen;
use super::failures::{self, AtProvider, Cause, Channel};
use super::history::{self, Filters, History};
use super::incidents::{self, Open};
use super::verdict::{Facts, Verdict, is_deaf};
use super::workflows::{self, Row};
use crate::config::Config;
use crate::message::text;

/// What the backend fired beside what arrived, of one event and day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    pub name: String,
    /// What the backend says it fired.
    pub fired: u64,
    /// What Customer.io says it received.
    pub received: u64,
    /// How many messages or runs were made of it.
    pub made: u64,
}

/// The whole page.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    pub workspace: String,
    /// `Tue 24 Nov 14:05 CET`
    pub at: String,
    pub verdict: Verdict,
    /// `Heard 14.1 of 14.1 h today, the last event at 14:04`
    pub heard: String,
    pub open: Vec<Open>,
    pub workflows: Vec<Row>,
    pub channels: Vec<Channel>,
    pub causes: Vec<Cause>,
    pub providers: Vec<AtProvider>,
    pub reconciliation: Vec<Reconciliation>,
    pub history: History,
}

impl View {
    pub fn of(config: &Config, mut seen: Seen, filters: &Filters, now: Timestamp) -> Self {
        let zone = &config.workspace.zone;
        let (mut today, made_at) = seen.today(config, now);
        let tellings = std::mem::take(&mut today.open);
        let before = &seen.summaries[..];
        let rows = workflows::rows(config, before, &today, &seen.open, is_deaf(&seen.coverage, now), now);
        let open = incidents::open(config, &seen.open, &tellings, now);
        let facts = Facts {
            config,
            coverage: &seen.coverage,
            today: &today,
            made_at,
            rows: &rows,
            incidents: &seen.open,
            open: &open,
            now,
        };
        let (verdict, heard) = (facts.verdict(), facts.heard());
        Self {
            workspace: config.workspace.name.clone(),
            at: format!("{} {}", zone.to_datetime(now).strftime("%a %-d %b"), text::clock_in_zone(now, zone, now)),
            verdict,
            heard,
            workflows: rows,
            channels: failures::channels(config, before, &today, now),
            causes: failures::causes(config, before, &today, now),
            providers: failures::at_providers(config, before, &today, now),
            reconciliation: Vec::new(),
            history: history::history(config, before, &today, &seen.past, &open, filters, now),
            open,
        }
    }
}
