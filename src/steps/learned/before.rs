//! The days before our own history, as Customer.io remembers them.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::customerio::event::SourceKind;
use crate::heartbeat::learned::{Bin, HISTORY_DAYS, local};
use crate::heartbeat::{Heartbeat, period};
use crate::steps::asking::Asking;
use crate::steps::tick::Tick;
use crate::store::{StoreError, Write};
use crate::tally::journeys::JOURNEY;

/// What a campaign did on the days before we heard of it, as Customer.io remembers it.
#[derive(Default, Serialize, Deserialize)]
struct Before {
    /// The local date that was asked on.
    asked_on: Date,
    /// The date of the first count.
    from: Date,
    counts: Vec<u64>,
}

/// The days before our own history as bins, so that nobody waits two weeks after an install. Asked for once; after a
/// failure once a day.
pub(super) async fn before(
    tick: &Tick<'_>,
    heartbeat: &Heartbeat,
    own: &[Bin],
    asking: &mut Asking,
    now: Timestamp,
) -> Result<Vec<Bin>, StoreError> {
    let Some(directory) = tick.directory.filter(|_| is_known_by_day(heartbeat)) else { return Ok(Vec::new()) };
    let zone = &tick.config.workspace.zone;
    let today = zone.to_datetime(now).date();
    let first = own.first().map_or(today, |bin| zone.to_datetime(local::instant(bin.from)).date());
    let from = today.saturating_sub(HISTORY_DAYS.days());
    if first <= from {
        return Ok(Vec::new());
    }
    let cursor = format!("before/{}", heartbeat.name);
    let stored = tick.store.cursor(&cursor).await?;
    let mut known: Before = stored.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    if known.counts.is_empty() && known.asked_on != today && !asking.is_spent() {
        let metric = &heartbeat.event.metric;
        let asked = |time| directory.by_day(&heartbeat.source.id, metric, from..first, zone, time);
        known = Before { asked_on: today, from, counts: asking.ask(heartbeat, asked).await.unwrap_or_default() };
        let json = serde_json::to_string(&known).map_err(|_| StoreError::Corrupt("days cannot be written".into()))?;
        match tick.store.move_cursor(&cursor, stored.as_deref(), &json).await? {
            Write::Done | Write::Conflict => {}
        }
    }
    let date = |ago: usize| known.from.saturating_add(i32::try_from(ago).unwrap_or(i32::MAX).days());
    let days = known.counts.iter().enumerate().map(|(ago, count)| (date(ago), *count));
    let bin = |(date, count): (Date, u64)| {
        let (start, end) = (period::midnight(date, zone), period::midnight(date.saturating_add(1.day()), zone));
        let minutes = end.duration_since(start).as_mins();
        Bin::new(start, minutes, u32::try_from(count).unwrap_or(u32::MAX), minutes)
    };
    Ok(days.filter(|(date, _)| *date < first).map(bin).collect())
}

/// The App API counts by day what all of a campaign's messages did. Source: App API, `campaignMetrics`.
fn is_known_by_day(heartbeat: &Heartbeat) -> bool {
    heartbeat.source.kind == SourceKind::Campaign && heartbeat.action.is_none() && heartbeat.event != JOURNEY
}
