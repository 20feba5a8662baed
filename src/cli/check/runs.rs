//! How many runs the heartbeats with `distinct = "journey"` counted lately, and whether that is exact, as far as a data
//! folder tells.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::clock::{Minute, Span};
use crate::config::Config;
use crate::heartbeat::Heartbeat;
use crate::message::text;
use crate::store::embedded::{Durability, EmbeddedStore, FILE};
use crate::store::{Store, StoreError};
use crate::tally::journeys::{self, JOURNEY};

/// Registers are kept for longer.
const DAYS: i64 = 7;

/// A line for each of them; empty when there is none, or no data.
pub async fn summary(config: &Config, data: &Path, now: Timestamp) -> String {
    let counting: Vec<&Heartbeat> = config.heartbeats.iter().filter(|h| h.event == JOURNEY).collect();
    if counting.is_empty() || !data.join(FILE).is_file() {
        return String::new();
    }
    let mut lines = vec![String::new(), format!("Runs of the last {DAYS} days")];
    match EmbeddedStore::open(data, &config.workspace.name, Durability::Full) {
        Ok(store) => {
            for heartbeat in counting {
                let counted = counted(&store, heartbeat, now).await;
                lines.push(format!("  {}: {}", heartbeat.name, counted.unwrap_or_else(|e| format!("unknown: {e}"))));
            }
        }
        Err(error) => lines.push(format!("  unknown: {error}")),
    }
    lines.join("\n") + "\n"
}

async fn counted(store: &dyn Store, heartbeat: &Heartbeat, now: Timestamp) -> Result<String, StoreError> {
    let span = Span::new(Minute::of(now - SignedDuration::from_hours(24 * DAYS)), Minute::of(now).plus(1));
    let totals = store.totals(Some(&[JOURNEY]), span).await?;
    let count: u64 = totals.iter().filter(|t| heartbeat.counts(&t.series)).map(|t| t.count).sum();
    Ok(match journeys::approximate(&totals, heartbeat) {
        0 => format!("{}, exact", text::number(count)),
        some => format!(
            "about {}: {} with an id that holds no time, counted once a day each, which is approximate",
            text::number(count),
            text::number(some)
        ),
    })
}
