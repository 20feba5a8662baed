//! tick's work on history: what each heartbeat's workflow did, written down day by day from the registers, in slots of
//! five minutes. Absolute values that only rise, so a twin or a repeated tick changes nothing.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::tick::Tick;
use crate::clock::Span;
use crate::customerio::event::{Kind, TOO_LATE_DAYS};
use crate::heartbeat::Heartbeat;
use crate::heartbeat::history::{self, Slot};
use crate::store::{StoreError, Write};

/// Where the cursor stands: the last slot that was written down.
pub const CURSOR: &str = "history";

/// How far back every look goes: a delay of a few minutes is everyday.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(1);

/// Writes down what is new, once in five minutes; once a day all that late events may have changed.
pub async fn record_due(tick: &Tick<'_>, now: Timestamp) -> Result<(), StoreError> {
    let slot = Slot::of(now);
    let stored = tick.store.cursor(CURSOR).await?;
    let last = stored.as_deref().and_then(|text| text.parse().ok()).map(Slot);
    if tick.config.heartbeats.is_empty() || last == Some(slot) {
        return Ok(());
    }
    let is_new_day = last.is_none_or(|last| last.day() != slot.day());
    let mut by_kind: BTreeMap<&Kind, Vec<&Heartbeat>> = BTreeMap::new();
    for heartbeat in &tick.config.heartbeats {
        by_kind.entry(&heartbeat.event).or_default().push(heartbeat);
    }
    for (kind, heartbeats) in by_kind {
        record(tick, kind, &heartbeats, is_new_day, now).await?;
    }
    match tick.store.move_cursor(CURSOR, stored.as_deref(), &slot.0.to_string()).await? {
        Write::Done | Write::Conflict => Ok(()),
    }
}

async fn record(
    tick: &Tick<'_>,
    kind: &Kind,
    heartbeats: &[&Heartbeat],
    is_new_day: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let slot = Slot::of(now);
    let oldest = Slot::of(now - SignedDuration::from_hours(24 * TOO_LATE_DAYS));
    let mut from = BTreeMap::new();
    for heartbeat in heartbeats {
        let of = heartbeat.counted_as();
        let kept = tick.store.days(&of, slot.day() - 1, slot.day() + 1).await?;
        let first = if is_new_day || kept.is_empty() { oldest } else { history::first_unsure(&kept, now, LOOK_BACK) };
        from.insert(of, (*heartbeat, first));
    }
    let Some(first) = from.values().map(|(_, first)| *first).min() else { return Ok(()) };
    // Day by day: eight days of a busy workspace are many registers.
    for day in first.day()..=slot.day() {
        // Coverage before counts: a late arrival in between is counted, and never covers what is not.
        let coverage = tick.store.coverage().await?;
        let begin = first.max(Slot::first_of(day));
        let end = slot.min(Slot::first_of(day + 1));
        let span = Span::new(begin.span().from, end.span().from);
        let cells = tick.store.cells(std::slice::from_ref(kind), span).await?;
        for (of, (heartbeat, first)) in &from {
            let begin = begin.max(*first);
            for day in history::days(heartbeat, &cells, &coverage, begin..end, now) {
                tick.store.keep_day(of, &day).await?;
            }
        }
    }
    Ok(())
}
