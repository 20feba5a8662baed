//! tick's work on history: what each heartbeat's workflow did, written down day by day from the registers, in slots of
//! five minutes. Absolute values that only rise, so a twin or a repeated tick changes nothing.
//!
//! Two looks. Every slot the last hour, further back where something came late. Every UTC day, and when a heartbeat is
//! new, all that may still change: eight days, so many at a time, and the cursor says how far.

use std::collections::BTreeMap;
use std::ops::Range;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::learned;
use super::tick::Tick;
use crate::clock::Span;
use crate::customerio::event::{Kind, TOO_LATE_DAYS};
use crate::heartbeat::Heartbeat;
use crate::heartbeat::history::{self, SLOT_MINUTES, SLOTS_A_DAY, Slot};
use crate::heartbeat::learned::REACH_DAYS;
use crate::heartbeat::settle::Settling;
use crate::store::{StoreError, Write};
use crate::tally::coverage::Coverage;
use crate::tally::journeys::JOURNEY;

/// Where the cursor stands.
pub const CURSOR: &str = "history";

/// How far back every look goes: a delay of a few minutes is everyday.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(1);

/// What came late is looked for by every look within this of its arrival: three slots, since evaluate may lag a little.
const JUST_LATE: SignedDuration = SignedDuration::from_mins(15);

/// Coverage knows one run of late events at a time; what an earlier run brought is found by a look of a whole day, once
/// an hour, where anything was late within this.
const LATE_OF_LATE: SignedDuration = SignedDuration::from_hours(2);

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Days that the long look of one tick writes down, about: 200 heartbeats are done in five ticks.
const DAYS_PER_TICK: usize = 400;

/// Writes at a time.
const AT_ONCE: usize = 8;

/// How far tick's work on history is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    /// The last slot of which all work was done.
    slot: i64,
    /// The long look: the UTC day that it is made on, and a hash of what it looks at.
    day: i64,
    of: String,
    /// The last kind and day that it wrote down; `None` before the first.
    done: Option<(String, i64)>,
    /// It is over.
    whole: bool,
}

/// The heartbeats that count a kind, by what their history is kept under.
type Kept<'a> = BTreeMap<String, &'a Heartbeat>;

/// Writes down what is new and judges by it what is learned, once in five minutes. Other ticks read one small cursor.
pub async fn due(tick: &Tick<'_>, now: Timestamp) -> Result<(), StoreError> {
    if tick.config.heartbeats.is_empty() {
        return Ok(());
    }
    let slot = Slot::of(now);
    let mut stored = tick.store.cursor(CURSOR).await?;
    // What another version wrote is looked at from the beginning.
    let last: Progress = stored.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let by_kind = by_kind(&tick.config.heartbeats);
    let mut progress = last.clone();
    let of = hash(&by_kind);
    if (progress.day, &progress.of) != (slot.day(), &of) {
        progress = Progress { slot: last.slot, day: slot.day(), of, done: None, whole: false };
    }
    let is_new = last.slot != slot.0;
    if !is_new && progress.whole {
        return Ok(());
    }
    if is_new {
        let is_new_hour = last.slot.div_euclid(12) != slot.0.div_euclid(12);
        for (kind, heartbeats) in by_kind.values() {
            recent_look(tick, kind, heartbeats, is_new_hour, now).await?;
        }
    }
    if !progress.whole {
        long_look(tick, &by_kind, &mut progress, now).await?;
        if !keep(tick, &mut stored, &progress).await? {
            return Ok(());
        }
    }
    if is_new {
        learned::judge_all(tick, progress.whole, now).await?;
        progress.slot = slot.0;
        keep(tick, &mut stored, &progress).await?;
    }
    Ok(())
}

/// Says whether it is ours: a twin did the same work.
async fn keep(tick: &Tick<'_>, stored: &mut Option<String>, progress: &Progress) -> Result<bool, StoreError> {
    let to = serde_json::to_string(progress).map_err(|_| StoreError::Corrupt("a cursor cannot be written".into()))?;
    let moved = tick.store.move_cursor(CURSOR, stored.as_deref(), &to).await?;
    *stored = Some(to);
    Ok(moved == Write::Done)
}

fn by_kind(heartbeats: &[Heartbeat]) -> BTreeMap<String, (&Kind, Kept<'_>)> {
    let mut by_kind: BTreeMap<String, (&Kind, Kept<'_>)> = BTreeMap::new();
    for heartbeat in heartbeats {
        let (_, kept) = by_kind.entry(heartbeat.event.to_string()).or_insert((&heartbeat.event, Kept::new()));
        kept.insert(heartbeat.counted_as(), heartbeat);
    }
    by_kind
}

/// Of all that is counted: what a new heartbeat counts has to be looked for.
fn hash(by_kind: &BTreeMap<String, (&Kind, Kept<'_>)>) -> String {
    let names: Vec<&str> = by_kind.values().flat_map(|(_, kept)| kept.keys()).map(String::as_str).collect();
    Sha256::digest(names.join("\n")).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The last hour, and of runs as much more as they wait; from the first slot on that is not sure, and that something late may have changed, at most a day.
async fn recent_look(
    tick: &Tick<'_>,
    kind: &Kind,
    heartbeats: &Kept<'_>,
    is_new_hour: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let slot = Slot::of(now);
    let late = changed_since(&tick.store.coverage().await?, is_new_hour, now);
    let mut firsts = BTreeMap::new();
    for (of, heartbeat) in heartbeats {
        let kept = tick.store.days(of, slot.day() - reach(heartbeat), slot.day() + 1).await?;
        let unsure = history::first_unsure(&kept, now, LOOK_BACK).min(late);
        let settling = heartbeat.settling(&kept);
        // A message that came just now may name a run that began as long ago as runs wait.
        let first = match settling {
            Settling::After(wait) if !settling.is_by_the_hour() || is_new_hour || late < slot => before(unsure, wait),
            _ => unsure,
        };
        firsts.insert(of.as_str(), first);
    }
    let Some(first) = firsts.values().copied().min() else { return Ok(()) };
    for day in first.day()..=slot.day() {
        look(tick, kind, heartbeats, &firsts, of_day(day, first..slot), now).await?;
    }
    Ok(())
}

/// How many days tell which slots are sure: of runs those too that tell how long they wait.
fn reach(heartbeat: &Heartbeat) -> i64 {
    if heartbeat.event == JOURNEY { REACH_DAYS } else { 1 }
}

fn before(Slot(slot): Slot, wait: SignedDuration) -> Slot {
    Slot(slot - (wait.as_mins() + SLOT_MINUTES - 1) / SLOT_MINUTES)
}

/// From where on something may have changed by what came late: `now`'s slot where nothing did.
fn changed_since(coverage: &Coverage, is_new_hour: bool, now: Timestamp) -> Slot {
    let earliest = Slot::of(now - DAY);
    if is_new_hour && coverage.late_from(now - LATE_OF_LATE).is_some() {
        return earliest;
    }
    coverage.late_from(now - JUST_LATE).map_or(Slot::of(now), |from| Slot::of(from).max(earliest))
}

/// The part of these slots that lies in a UTC day.
fn of_day(day: i64, slots: Range<Slot>) -> Range<Slot> {
    slots.start.max(Slot::first_of(day))..slots.end.min(Slot(Slot::first_of(day).0 + SLOTS_A_DAY))
}

/// As many more of the last eight days as one tick does.
async fn long_look(
    tick: &Tick<'_>,
    by_kind: &BTreeMap<String, (&Kind, Kept<'_>)>,
    progress: &mut Progress,
    now: Timestamp,
) -> Result<(), StoreError> {
    let slot = Slot::of(now);
    let oldest = Slot::of(now - DAY * TOO_LATE_DAYS as i32);
    let mut written = 0;
    for (name, (kind, heartbeats)) in by_kind {
        for day in oldest.day()..=slot.day() {
            let at = Some((name.clone(), day));
            if at <= progress.done {
                continue;
            }
            if written >= DAYS_PER_TICK {
                return Ok(());
            }
            look(tick, kind, heartbeats, &BTreeMap::new(), of_day(day, oldest..slot), now).await?;
            written += heartbeats.len();
            progress.done = at;
        }
    }
    (progress.done, progress.whole) = (None, true);
    Ok(())
}

/// Writes down these slots of a UTC day; of one of `firsts` only those from there on.
async fn look(
    tick: &Tick<'_>,
    kind: &Kind,
    heartbeats: &Kept<'_>,
    firsts: &BTreeMap<&str, Slot>,
    slots: Range<Slot>,
    now: Timestamp,
) -> Result<(), StoreError> {
    if slots.is_empty() {
        return Ok(());
    }
    // Coverage before counts: a late arrival in between is counted, and never covers what is not.
    let coverage = tick.store.coverage().await?;
    let span = Span::new(slots.start.span().from, slots.end.span().from);
    let cells = tick.store.cells(std::slice::from_ref(kind), span).await?;
    let mut writes = Vec::with_capacity(heartbeats.len());
    for (of, heartbeat) in heartbeats {
        let first = firsts.get(of.as_str()).map_or(slots.start, |first| slots.start.max(*first));
        if first < slots.end {
            let days = history::days(heartbeat, &cells, &coverage, first..slots.end, now);
            writes.extend(days.into_iter().map(|day| async move { tick.store.keep_day(of, &day).await }));
        }
    }
    stream::iter(writes).buffer_unordered(AT_ONCE).try_for_each(|()| async { Ok(()) }).await
}

#[cfg(test)]
mod tests;
