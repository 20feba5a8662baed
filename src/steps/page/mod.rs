//! The status page: reads what it shows, in [`QUERIES`] queries however many workflows and days there are.

use jiff::{SignedDuration, Timestamp, ToSpan};

use super::facts;
use super::summary::is_shown;
use crate::clock::{Minute, Span};
use crate::config::Config;
use crate::page::html::Doors;
use crate::page::{self, DAYS, Filters, Seen, View, html};
use crate::store::{Store, StoreError};
use crate::summary;

/// How often the store is asked for one page.
pub const QUERIES: usize = 5;

/// The page as HTML, whole and by itself: no other request follows it.
///
/// # Errors
/// The store could not be read.
pub async fn status(
    store: &dyn Store,
    config: &Config,
    filters: &Filters,
    doors: Option<&Doors<'_>>,
    now: Timestamp,
) -> Result<String, StoreError> {
    let seen = read(store, config, filters, now).await?;
    Ok(html::page(&View::of(config, seen, filters, now), doors))
}

/// Reads what the page shows.
pub async fn read(store: &dyn Store, config: &Config, filters: &Filters, now: Timestamp) -> Result<Seen, StoreError> {
    let zone = &config.workspace.zone;
    let today = zone.to_datetime(now).date();
    let from = filters.from(today).min(today.saturating_sub((DAYS as i64).days()));
    let summaries = store.summaries(from, today.saturating_add(1.day())).await?;
    // Coverage before counts: what comes in between is counted, and never covers what is not (law 5).
    let coverage = store.coverage().await?;
    let live_from = page::live_from(summaries.iter().find(|summary| summary.date == today), today, config);
    let live = Span::new(Minute::of(live_from), Minute::of(now).plus(facts::AHEAD_MINUTES));
    let live = store.totals(None, live).await?;
    let mut open = store.unsettled().await?;
    open.retain(|incident| incident.is_open() && is_shown(incident));
    let begun = summary::ends(filters.from(today), zone).0;
    let mut past = store.incidents_between(begun, now + SignedDuration::from_secs(1)).await?;
    past.retain(is_shown);
    Ok(Seen { summaries, live, open, past, coverage })
}

#[cfg(test)]
mod tests;
