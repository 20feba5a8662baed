//! tick's work on lag: events that come late are a warning while they come, and a line of the digest.

use jiff::{SignedDuration, Timestamp};

use super::open::{self, Opening};
use super::tick::Tick;
use crate::clock::Minute;
use crate::incident::{IncidentKey, Numbers, Severity, State, Subject};
use crate::store::{Store, StoreError, Write};
use crate::tally::coverage::Coverage;
use crate::tally::lag::{Days, WINDOW_MINUTES};

/// Where the days are kept that the digest reads.
const CURSOR: &str = "lag";

/// Opens a warning when most of the last quarter of an hour's events came late, unless blindness says so already.
pub async fn watch(tick: &Tick<'_>, now: Timestamp) -> Result<(), StoreError> {
    let coverage = tick.store.coverage().await?;
    learn(tick, &coverage, now).await?;
    let window = coverage.lag().window(Minute::of(now));
    if !window.is_slow() || said_by_blindness(tick, now).await? {
        return Ok(());
    }
    let subject = Subject::Lag { median_s: window.median_s };
    let opening = Opening {
        severity: Severity::Warning,
        labels: open::own_labels(Severity::Warning, &subject),
        subject,
        since: window.from.start(),
        last: now,
        numbers: Numbers { count: window.late, of: window.events },
        samples: Vec::new(),
        lines: Vec::new(),
        deliveries: Vec::new(),
        receivers: None,
    };
    open::open(tick.store, tick.outbox, tick.config, opening, now).await?;
    Ok(())
}

/// Whether events come in time again.
pub fn is_over(coverage: &Coverage, now: Timestamp) -> bool {
    coverage.lag().window(Minute::of(now)).is_calm()
}

/// Whether blindness is open, or was within the window that is judged: what had been held back and then came at once
/// is the end of that page, not the beginning of another.
async fn said_by_blindness(tick: &Tick<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let key = IncidentKey::new(&tick.config.workspace.name, &Subject::Blindness);
    let latest = tick.store.episodes(&key).await?.pop();
    Ok(latest.is_some_and(|blindness| match blindness.state {
        State::Open => true,
        State::Resolved { at, .. } => now.duration_since(at) < SignedDuration::from_mins(WINDOW_MINUTES),
    }))
}

/// Adds up the day, once in a few minutes.
async fn learn(tick: &Tick<'_>, coverage: &Coverage, now: Timestamp) -> Result<(), StoreError> {
    if coverage.lag().is_empty() {
        return Ok(());
    }
    let stored = tick.store.cursor(CURSOR).await?;
    let Some(days) = read(stored.as_deref()).learning(coverage.lag(), &tick.config.workspace.zone, now) else {
        return Ok(());
    };
    let Ok(json) = serde_json::to_string(&days) else { return Ok(()) };
    match tick.store.move_cursor(CURSOR, stored.as_deref(), &json).await? {
        // A twin learned the same.
        Write::Done | Write::Conflict => Ok(()),
    }
}

/// The last days' lag.
pub async fn days(store: &dyn Store) -> Result<Days, StoreError> {
    Ok(read(store.cursor(CURSOR).await?.as_deref()))
}

/// What cannot be read begins anew: it is a statistic of a few days.
fn read(stored: Option<&str>) -> Days {
    stored.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}
