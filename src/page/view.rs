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
use crate::reconcile::compare;
use crate::reconcile::day::{Compared, Received};

/// What the backend fired beside what arrived, of one event and day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    pub name: String,
    /// `Mon 23 Nov`
    pub date: String,
    pub fired: String,
    pub received: String,
    pub started: String,
    pub messages: String,
    /// Whether something was lost, and at which leg.
    pub verdict: String,
    pub is_lost: bool,
    /// `mixpanel counted 1,180 (+4 %)`
    pub others: Vec<String>,
}

impl Reconciliation {
    fn of(day: &Compared) -> Self {
        let counted = |count: Option<u64>| count.map_or_else(|| "not known".to_owned(), text::number);
        let counts = &day.counts;
        Self {
            name: day.event.clone(),
            date: day.date.strftime("%a %-d %b").to_string(),
            fired: counted(counts.fired),
            received: match counts.received {
                Received::AtLeast(count) => format!("at least {}", text::number(count)),
                other => counted(other.exact()),
            },
            started: counted(counts.started),
            messages: counted(counts.messages),
            verdict: match day.verdict {
                compare::Verdict::Agrees { .. } => "agrees".to_owned(),
                compare::Verdict::Chance { .. } => "may be chance".to_owned(),
                compare::Verdict::Diverges { leg, got, expected } => {
                    format!("{}: {} of {}", leg.words(), text::number(got), text::number(expected))
                }
                compare::Verdict::Unknown => "not compared".to_owned(),
            },
            is_lost: day.verdict.leg().is_some(),
            others: day.others().collect(),
        }
    }
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
            reconciliation: today.compared.iter().map(Reconciliation::of).collect(),
            history: history::history(config, before, &today, &seen.past, &open, filters, now),
            open,
        }
    }
}
