//! The probe's way through the flow, and tick's sign of life to the dead-man (design, law 9).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::tick::Tick;
use crate::config::Config;
use crate::deadman;
use crate::queue::{Hint, Outbox, Probe};
use crate::store::{Store, StoreError, Write};

/// Where the latest probe that came through is kept: when it was sent.
pub const CURSOR: &str = "probe";

/// Where it is kept when a sign of life was taken last.
const TAKEN: &str = "deadman/taken";

/// That is written down at most this often: a write a minute would be most of a quiet bridge's writes.
pub const TAKEN_NOTED_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// tick: the next probe, and a sign of life if one came through lately and this tick did all its work. Without a
/// dead-man there is no probe.
pub async fn beat(tick: &Tick<'_>, tick_is_fine: bool, now: Timestamp) -> Result<(), StoreError> {
    let Some(pulse) = tick.pulse else { return Ok(()) };
    tick.outbox.send_probe(Probe { sent_at: now }, now).await?;
    let passed = passed(tick.store).await?;
    if !tick_is_fine || !deadman::flows(passed, now) {
        let last_probe = passed.map(|at| at.to_string()).unwrap_or_default();
        tracing::warn!(event = "deadman_not_fed", last_probe, tick_is_fine);
    } else if let Err(why) = pulse.beat().await {
        tracing::error!(event = "deadman_not_reached", why);
    } else {
        note_taken(tick.store, now).await?;
    }
    Ok(())
}

/// evaluate: sends a probe on, by every receiver's lane: one that is stuck does not stand for all.
pub async fn pass_on(outbox: &dyn Outbox, config: &Config, probe: Probe, now: Timestamp) -> Result<(), StoreError> {
    let hints: Vec<Hint> = config.receivers.iter().map(|receiver| Hint::of_probe(probe, &receiver.name)).collect();
    outbox.send_hints(&hints, now, Duration::ZERO).await
}

/// deliver: writes down that a probe came through.
pub async fn arrived(store: &dyn Store, probe: Probe) -> Result<(), StoreError> {
    let stored = store.cursor(CURSOR).await?;
    if stored.as_deref().and_then(read).is_some_and(|latest| latest >= probe.sent_at) {
        return Ok(());
    }
    // Whoever was faster wrote down a probe too.
    match store.move_cursor(CURSOR, stored.as_deref(), &probe.sent_at.to_string()).await? {
        Write::Done | Write::Conflict => Ok(()),
    }
}

async fn note_taken(store: &dyn Store, now: Timestamp) -> Result<(), StoreError> {
    let stored = store.cursor(TAKEN).await?;
    let known = stored.as_deref().and_then(read);
    if known.is_some_and(|known| now.duration_since(known) < TAKEN_NOTED_EVERY) {
        return Ok(());
    }
    match store.move_cursor(TAKEN, stored.as_deref(), &now.to_string()).await? {
        Write::Done | Write::Conflict => Ok(()),
    }
}

/// When the dead-man took a sign of life last, or up to [`TAKEN_NOTED_EVERY`] before; `None`: never.
///
/// # Errors
/// The store cannot be reached.
pub async fn taken(store: &dyn Store) -> Result<Option<Timestamp>, StoreError> {
    Ok(store.cursor(TAKEN).await?.as_deref().and_then(read))
}

async fn passed(store: &dyn Store) -> Result<Option<Timestamp>, StoreError> {
    Ok(store.cursor(CURSOR).await?.as_deref().and_then(read))
}

fn read(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests;
