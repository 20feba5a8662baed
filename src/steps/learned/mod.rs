//! tick's work on heartbeats that expect what is usual: learns it once a local day, compares every five minutes, and
//! keeps a verdict on each day that is over.

mod before;
mod close;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use before::before;
use close::close_days;

use super::asking::Asking;
use super::heartbeats;
use super::open::{self, Opening};
use super::tick::Tick;
use crate::heartbeat::history::{self, Day, Slot};
use crate::heartbeat::learned::judge::Evidence;
use crate::heartbeat::learned::{self, HISTORY_DAYS, Learned, Profile, REACH_DAYS, local};
use crate::heartbeat::settle::Settling;
use crate::heartbeat::{Expect, Heartbeat, Judged, Period, Verdict, recovery};
use crate::incident::{Incident, IncidentKey, Subject};
use crate::store::{Store, StoreError, Write};
use crate::tally::journeys::JOURNEY;

/// Slots of the last hours are judged one by one ...
const JUDGED_ALONE: SignedDuration = SignedDuration::from_hours(4);

/// ... and how an hour's events lie within it is learned from these last days.
const LEARNED_ALONE: SignedDuration = SignedDuration::from_hours(24 * 14);

/// What is known of a heartbeat between two looks. It follows from history, so it is a cache; an item of its own, since a
/// write bills all of it, and it is written once a day.
#[derive(Serialize, Deserialize)]
struct Known {
    /// The local day that it was learned on, in days since the Unix epoch.
    day: i32,
    /// The hour that it was learned in, in hours since the Unix epoch.
    hour: i64,
    learned: Learned,
}

/// Judges each of them. Nothing is learned from a history that is not `whole`, and one that was learned stands until then.
pub async fn judge_all(tick: &Tick<'_>, whole: bool, now: Timestamp) -> Result<(), StoreError> {
    let mut asking = Asking::default();
    let mut failed = Ok(());
    for heartbeat in tick.config.heartbeats.iter().filter(|h| h.expect == Expect::Learned) {
        // What one cannot read does not keep the others from their verdicts.
        failed = failed.and(judge_one(tick, heartbeat, whole, &mut asking, now).await);
    }
    failed
}

/// What tick has learned of it last.
pub async fn known(store: &dyn Store, heartbeat: &Heartbeat) -> Result<Option<Learned>, StoreError> {
    let stored = store.cursor(&item(heartbeat)).await?;
    Ok(stored.and_then(|json| serde_json::from_str::<Known>(&json).ok()).map(|known| known.learned))
}

/// How late runs are judged that should be as usual; `None` of any other heartbeat.
pub async fn settling(
    store: &dyn Store,
    heartbeat: &Heartbeat,
    now: Timestamp,
) -> Result<Option<Settling>, StoreError> {
    if heartbeat.event != JOURNEY || heartbeat.expect != Expect::Learned {
        return Ok(None);
    }
    Ok(Some(heartbeat.settling(&kept(store, heartbeat, REACH_DAYS, now).await?)))
}

fn item(heartbeat: &Heartbeat) -> String {
    format!("usual/{}", heartbeat.name)
}

async fn judge_one(
    tick: &Tick<'_>,
    heartbeat: &Heartbeat,
    whole: bool,
    asking: &mut Asking,
    now: Timestamp,
) -> Result<(), StoreError> {
    let zone = &tick.config.workspace.zone;
    let stored = tick.store.cursor(&item(heartbeat)).await?;
    // What another version made of it is learned again.
    let known: Option<Known> = stored.as_deref().and_then(|json| serde_json::from_str(json).ok());
    let days = kept(tick.store, heartbeat, REACH_DAYS, now).await?;
    // Until then counts are whole: what is learned, judged and closed ends there. Where nobody knows, nothing is told.
    let Some(settled) = heartbeat.settled(&days, now) else { return Ok(()) };
    let (day, hour) = (local::day_of(zone.to_datetime(settled).date()), Slot::of(settled).0.div_euclid(12));
    // While there is too little, it is looked at again once an hour.
    let stands = |known: &Known| match known.learned {
        Learned::Ready(_) => known.day == day,
        Learned::Learning { .. } => known.hour == hour,
    };
    let (learned, days) = match known {
        Some(known) if stands(&known) || !whole => (known.learned, days),
        None if !whole => return Ok(()),
        known => {
            let days = kept(tick.store, heartbeat, i64::from(HISTORY_DAYS) + 1, now).await?;
            if let Some(Known { learned: Learned::Ready(profile), day: learned_on, .. }) = &known
                && *learned_on < day
            {
                close_days(tick, heartbeat, profile, *learned_on, &days, (settled, now)).await?;
            }
            let mut bins = history::bins(&days, zone, LEARNED_ALONE, settled);
            // What was before we heard anything is Customer.io's to tell.
            let first_heard = bins.iter().position(|bin| bin.covered > 0).unwrap_or(bins.len());
            bins.drain(..first_heard);
            bins.extend(before(tick, heartbeat, &bins, asking, now).await?);
            let learned = learned::learn(&bins, zone, &heartbeat.except, settled);
            let known = Known { day, hour, learned };
            let to = serde_json::to_string(&known)
                .map_err(|_| StoreError::Corrupt("what is usual cannot be written".to_owned()))?;
            match tick.store.move_cursor(&item(heartbeat), stored.as_deref(), &to).await? {
                Write::Done | Write::Conflict => (known.learned, days),
            }
        }
    };
    if let Learned::Ready(profile) = &learned {
        act(tick, heartbeat, profile, (&days, settled), asking, now).await?;
    }
    Ok(())
}

async fn kept(store: &dyn Store, heartbeat: &Heartbeat, days: i64, now: Timestamp) -> Result<Vec<Day>, StoreError> {
    let today = Slot::of(now).day();
    store.days(&heartbeat.counted_as(), today - days, today + 1).await
}

/// Opens an incident where the counts are not what is usual, and none is open. One that was put down to a workflow that
/// somebody stopped is an incident like any other when it runs, and is still low since then.
async fn act(
    tick: &Tick<'_>,
    heartbeat: &Heartbeat,
    profile: &Profile,
    (days, settled): (&[Day], Timestamp),
    asking: &mut Asking,
    now: Timestamp,
) -> Result<(), StoreError> {
    let zone = &tick.config.workspace.zone;
    let newest = tick.store.episodes(&key(tick, heartbeat)).await?.pop();
    let from = match &newest {
        Some(open) if open.is_open() && !open.is_deliberate() => return Ok(()),
        Some(open) if open.is_open() => match runs_since(tick, heartbeat, open, asking, now).await? {
            Some(since) => Some(since),
            None => return Ok(()),
        },
        // What an earlier episode spoke of is no news: its end says from when on the workflow beat again.
        Some(over) => Some(Slot::of(over.last)),
        None => None,
    };
    let mut bins = history::bins(days, zone, JUDGED_ALONE, settled);
    bins.retain(|bin| from.is_none_or(|from| bin.from >= from.0));
    let reading = profile.judge(&bins, zone, &heartbeat.except, settled);
    let (Some(evidence), Some(verdict)) = (reading.evidence, alarming(reading.verdict)) else { return Ok(()) };
    let Evidence { since, count, expected, once_in_years } = evidence;
    tracing::info!(event = "unusual", heartbeat = heartbeat.name, ?verdict, count, expected, once_in_years);
    let judged = Judged {
        heartbeat: heartbeat.name.clone(),
        period: Period { start: since, due: settled, end: settled },
        verdict,
        count,
        at: now,
        covered: 0,
        minutes: 0,
        usual: None,
    };
    // `low` and `high` are told apart by the numbers.
    let expected = expected.round().max(1.0) as u64;
    let expected =
        if verdict == Verdict::Low { expected.max(count + 1) } else { expected.min(count.saturating_sub(1)) };
    let why = match verdict {
        Verdict::Low => asking.why(tick, heartbeat, &judged, expected).await,
        _ => None,
    };
    let opening = Opening::of_heartbeat(tick.config, heartbeat, &judged, expected, why);
    match newest.filter(Incident::is_open) {
        None => drop(open::open(tick.store, tick.outbox, tick.config, opening, now).await?),
        // It was stopped again.
        Some(_) if is_deliberate(&opening) => forget_runs(tick, heartbeat).await?,
        Some(open) => heartbeats::worsen(tick, heartbeat, &open, opening, now).await?,
    }
    Ok(())
}

fn is_deliberate(opening: &Opening) -> bool {
    matches!(&opening.subject, Subject::Heartbeat { why: Some(why), .. } if why.is_deliberate())
}

/// From which slot on a workflow that somebody had stopped was seen to run again. Customer.io is asked once in a quarter
/// of an hour until it does; what came before says nothing of how it runs now.
async fn runs_since(
    tick: &Tick<'_>,
    heartbeat: &Heartbeat,
    open: &Incident,
    asking: &mut Asking,
    now: Timestamp,
) -> Result<Option<Slot>, StoreError> {
    let stored = tick.store.cursor(&runs(heartbeat)).await?;
    let (episode, since) = stored.as_deref().and_then(|text| text.split_once(' ')).unwrap_or_default();
    if let (true, Ok(since)) = (episode == open.id(), since.parse()) {
        return Ok(Some(Slot(since)));
    }
    let slot = Slot::of(now);
    if slot.0 % 3 == 0 && asking.runs(tick, heartbeat, now).await == Some(true) {
        let to = format!("{} {}", open.id(), slot.0);
        match tick.store.move_cursor(&runs(heartbeat), stored.as_deref(), &to).await? {
            Write::Done | Write::Conflict => {}
        }
    }
    Ok(None)
}

async fn forget_runs(tick: &Tick<'_>, heartbeat: &Heartbeat) -> Result<(), StoreError> {
    let stored = tick.store.cursor(&runs(heartbeat)).await?;
    match tick.store.move_cursor(&runs(heartbeat), stored.as_deref(), "").await? {
        Write::Done | Write::Conflict => Ok(()),
    }
}

fn runs(heartbeat: &Heartbeat) -> String {
    format!("runs/{}", heartbeat.name)
}

const fn alarming(verdict: learned::Verdict) -> Option<Verdict> {
    match verdict {
        learned::Verdict::Low => Some(Verdict::Low),
        learned::Verdict::High => Some(Verdict::High),
        learned::Verdict::Ok | learned::Verdict::Unknown => None,
    }
}

fn key(tick: &Tick<'_>, heartbeat: &Heartbeat) -> IncidentKey {
    // Of the subject only the name is part of the key.
    let at = Timestamp::UNIX_EPOCH;
    let subject = Subject::Heartbeat {
        name: heartbeat.name.clone(),
        source: heartbeat.source.clone(),
        period: Period { start: at, due: at, end: at },
        why: None,
    };
    IncidentKey::new(&tick.config.workspace.name, &subject)
}

/// From when on an open incident's workflow beats as it should again, if it does.
pub async fn beats_again(
    tick: &Tick<'_>,
    heartbeat: &Heartbeat,
    incident: &Incident,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let Some(Learned::Ready(profile)) = known(tick.store, heartbeat).await? else { return Ok(None) };
    let zone = &tick.config.workspace.zone;
    let days = kept(tick.store, heartbeat, REACH_DAYS, now).await?;
    let Some(settled) = heartbeat.settled(&days, now) else { return Ok(None) };
    Ok(recovery::since(&profile, &days, zone, incident.opened_at, incident.numbers, settled))
}

#[cfg(test)]
mod tests;
