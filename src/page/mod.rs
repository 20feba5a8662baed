//! The status page: what it says ([`view`]), how that looks ([`html`], [`plot`]); the page of one incident ([`incident`]);
//! and the signed links that open both ([`link`]). Pure: what was read comes in as
//! [`Seen`], and the same with the same `now` is the same page. `steps/page` reads it.
//!
//! One response, nothing from outside, no script. HTML is written with maud: templates are checked and everything in
//! them is escaped when they are compiled, and a section is a function beside the type that it shows (askama keeps
//! templates in files of another language, away from both).

pub mod band;
pub mod failures;
pub mod frame;
pub mod history;
pub mod html;
pub mod incident;
pub mod incidents;
pub mod keys;
pub mod link;
pub mod links;
pub mod plot;
pub mod runbook;
pub mod verdict;
pub mod view;
pub mod workflows;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use crate::config::Config;
use crate::incident::Incident;
use crate::summary::{self, Hour, Summary};
use crate::tally::Total;
use crate::tally::coverage::Coverage;

pub use self::history::Filters;
pub use self::view::View;

/// Days that are drawn of everything, today the last.
pub const DAYS: usize = 14;

/// What was read for the page.
pub struct Seen {
    /// Oldest first, today's at the end where it is made.
    pub summaries: Vec<Summary>,
    /// What was counted since the last hour that today's summary knows began ([`live_from`]).
    pub live: Vec<Total>,
    /// Open, each a condition of its own.
    pub open: Vec<Incident>,
    /// Opened or resolved within the days asked for.
    pub past: Vec<Incident>,
    pub coverage: Coverage,
}

/// From when on registers are read: what was counted before stands in today's summary.
pub fn live_from(today: Option<&Summary>, date: Date, config: &Config) -> Timestamp {
    let zone = &config.workspace.zone;
    let hour = today.map_or(0, |summary| summary::hour_of(summary.made_at, date, zone));
    summary::span_of(hour, date, zone).from.start()
}

impl Seen {
    /// Today as of `now`, and when its summary was made, if it was.
    fn today(&mut self, config: &Config, now: Timestamp) -> (Summary, Option<Timestamp>) {
        let zone = &config.workspace.zone;
        let date = zone.to_datetime(now).date();
        let known = self.summaries.pop_if(|summary| summary.date == date);
        let made_at = known.as_ref().map(|known| known.made_at);
        let mut today = known.unwrap_or_else(|| Summary::unseen(date, now));
        let first = made_at.map_or(0, |at| summary::hour_of(at, date, zone));
        let last = summary::hour_of(now, date, zone);
        // What a clock ahead of ours counts into the next hour belongs to this one.
        let hour = |total: &Total| summary::hour_of(total.last, date, zone).clamp(first, last.max(first));
        let by_hour: Vec<(usize, Vec<Total>)> = (first..=last)
            .map(|at| (at, self.live.iter().filter(|total| hour(total) == at).cloned().collect()))
            .collect();
        let hours: Vec<Hour<'_>> = by_hour.iter().map(|(at, totals)| Hour { at: *at, totals }).collect();
        today.counting(&config.heartbeats, &hours);
        (today, made_at)
    }
}

/// The dates of the last days, the last one today.
fn last_dates(today: Date, days: usize) -> impl Iterator<Item = Date> {
    (0..days as i64).rev().map(move |ago| today.saturating_sub(ago.days()))
}

#[cfg(test)]
mod tests;
