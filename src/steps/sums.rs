//! tick's work on counts that are kept as metrics: fetched once an hour, the last hours each time, since a metric may be
//! late. A sum only rises, so a repeated or a twin tick changes nothing.

use jiff::{SignedDuration, Timestamp};

use super::tick::Tick;
use crate::config::schema::MetricSum;
use crate::reconcile::fired::Fired;
use crate::store::{StoreError, Write};

/// Where the cursor stands: the last hour in which they were fetched, in hours since the Unix epoch.
const CURSOR: &str = "sums";

/// Minutes past the hour at which they are fetched: CloudWatch may show a metric minutes after it was put.
/// Source: Amazon CloudWatch User Guide, "Publishing custom metrics".
const PAST_THE_HOUR: i64 = 10;

/// Hours asked for each time; a metric may be put up to two weeks late, which nobody does on purpose.
const HOURS: i64 = 26;

/// Fetches what the last hours' metrics sum up to.
pub async fn fetch_due(tick: &Tick<'_>, now: Timestamp) -> Result<(), StoreError> {
    let metrics = tick.config.metrics();
    let Some(sums) = tick.sums.filter(|_| !metrics.is_empty()) else { return Ok(()) };
    let hour = (now - SignedDuration::from_mins(PAST_THE_HOUR)).as_second().div_euclid(3_600);
    let stored = tick.store.cursor(CURSOR).await?;
    if stored.as_deref().and_then(|text| text.parse().ok()) == Some(hour) {
        return Ok(());
    }
    let at = |hour: i64| Timestamp::from_second(hour * 3_600).unwrap_or(now);
    for metric in metrics {
        match sums.by_hour(metric, at(hour - HOURS), at(hour)).await {
            Ok(found) => tick.store.keep_fired(&reports(metric, &found)).await?,
            // The next hour asks for these hours again.
            Err(error) => tracing::warn!(event = "metric_not_read", metric = metric.metric, error),
        }
    }
    match tick.store.move_cursor(CURSOR, stored.as_deref(), &hour.to_string()).await? {
        Write::Done | Write::Conflict => Ok(()),
    }
}

fn reports(of: &MetricSum, found: &[(Timestamp, u64)]) -> Vec<Fired> {
    let report = |(hour, count): &(Timestamp, u64)| Fired {
        event: of.event.clone(),
        origin: of.origin.clone(),
        hour: *hour,
        id: of.id(),
        count: *count,
    };
    found.iter().map(report).collect()
}
