//! The canary's way through the steps: tick sends it and watches for it, ingest and evaluate note that it came back.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::open::{self, Opening};
use super::tick::Tick;
use crate::canary::day::Day;
use crate::canary::log::{Arrival, Arrivals, Log, Missing, Standing};
use crate::canary::{self, Sent};
use crate::clock::{Minute, minutes};
use crate::config::Config;
use crate::config::schema::Canary;
use crate::customerio::event::{Event, Fate};
use crate::incident::{Incident, IncidentKey, Numbers, Subject};
use crate::store::{Store, StoreError, Write};

/// What was sent and what became of it ([`Log`]); tick alone writes it.
pub const SENT: &str = "canary/sent";

/// What came back ([`Arrivals`]); evaluate writes it.
pub const BACK: &str = "canary/back";

/// The latest webhook of the canary ([`Arrival`]); ingest writes it, so that one that is stuck behind ingest is seen.
pub const WEBHOOK: &str = "canary/webhook";

/// How often a write is tried against others who write too.
const TRIES: usize = 5;

/// The latest of the canary's webhooks among these events.
pub fn latest(events: &[Event]) -> Option<Arrival> {
    arrivals(events).last()
}

/// ingest: notes that the canary's webhook came.
pub async fn webhook_came(store: &dyn Store, arrival: &Arrival) -> Result<(), StoreError> {
    let stored = store.cursor(WEBHOOK).await?;
    let known: Option<Arrival> = stored.as_deref().and_then(|text| serde_json::from_str(text).ok());
    if known.is_some_and(|known| known.arrived >= arrival.arrived) {
        return Ok(());
    }
    // Whoever was faster noted one, too.
    match store.move_cursor(WEBHOOK, stored.as_deref(), &written(arrival)?).await? {
        Write::Done | Write::Conflict => Ok(()),
    }
}

/// evaluate: notes what came back. Again and in any order it is the same.
pub async fn note(store: &dyn Store, events: &[Event]) -> Result<(), StoreError> {
    if !events.iter().any(|event| event.fate == Fate::Canary) {
        return Ok(());
    }
    for _ in 0..TRIES {
        let (stored, mut known) = read::<Arrivals>(store, BACK).await?;
        if !known.add(arrivals(events)) {
            return Ok(());
        }
        if store.move_cursor(BACK, stored.as_deref(), &written(&known)?).await? == Write::Done {
            return Ok(());
        }
    }
    Err(StoreError::Unavailable("others write what came back of the canary all the time".to_owned()))
}

fn arrivals(events: &[Event]) -> impl DoubleEndedIterator<Item = Arrival> {
    let canaries = events.iter().filter(|event| event.fate == Fate::Canary);
    canaries.map(|event| Arrival {
        trigger: event.trigger_event_id.clone(),
        run: event.journey_id.clone(),
        at: event.at,
        arrived: event.arrived,
    })
}

/// tick: what came back is taken for back; too many in a row that did not are an incident.
pub async fn watch(tick: &Tick<'_>, now: Timestamp) -> Result<(), StoreError> {
    let Some(canary) = &tick.config.canary else { return Ok(()) };
    let (stored, known) = read::<Log>(tick.store, SENT).await?;
    let (_, arrivals) = read::<Arrivals>(tick.store, BACK).await?;
    let mut log = known.clone();
    log.settle(&arrivals, now);
    if log != known && tick.store.move_cursor(SENT, stored.as_deref(), &written(&log)?).await? == Write::Conflict {
        // A twin did the same, and judges it.
        return Ok(());
    }
    match log.missing(webhook(tick.store).await?.as_ref(), now) {
        Some(missing) => late(tick, canary, missing, now).await,
        None => Ok(()),
    }
}

async fn late(tick: &Tick<'_>, canary: &Canary, missing: Missing, now: Timestamp) -> Result<(), StoreError> {
    let subject = Subject::Canary { leg: missing.leg };
    let key = IncidentKey::new(&tick.config.workspace.name, &subject);
    if let Some(open) = tick.store.episodes(&key).await?.pop().filter(Incident::is_open) {
        if open.subject != subject {
            // It stops elsewhere now: whoever is told next is told that.
            match tick.store.write_incident(&Incident { subject, ..open }).await? {
                Write::Done | Write::Conflict => {}
            }
        }
        return Ok(());
    }
    let labels = open::own_labels(canary.severity, &subject);
    let opening = Opening {
        subject,
        severity: canary.severity,
        labels,
        since: missing.since,
        last: now,
        numbers: Numbers { count: 0, of: missing.count },
        samples: Vec::new(),
        lines: Vec::new(),
        deliveries: Vec::new(),
        receivers: None,
    };
    open::open(tick.store, tick.outbox, tick.config, opening, now).await?;
    Ok(())
}

/// tick: sends one if it is time. It is written down first: two ticks at once send one.
pub async fn send_due(tick: &Tick<'_>, now: Timestamp) -> Result<(), StoreError> {
    let (Some(canary), Some(track)) = (&tick.config.canary, tick.track) else { return Ok(()) };
    let (stored, mut log) = read::<Log>(tick.store, SENT).await?;
    // By whole minutes: ticks do not come to the second.
    let passed = |last| Minute::of(now).0 - Minute::of(last).0;
    if log.last_sent.is_some_and(|last| (0..minutes(canary.every)).contains(&passed(last))) {
        return Ok(());
    }
    if !log.may_begin(now) {
        return Ok(());
    }
    let id = canary::event_id(&tick.config.workspace.name, now);
    log.begin(&id, now, &tick.config.workspace.zone);
    let begun = written(&log)?;
    if tick.store.move_cursor(SENT, stored.as_deref(), &begun).await? == Write::Conflict {
        return Ok(());
    }
    let sent: Sent = track.send(&id).await;
    if let Err(why) = &sent.taken {
        tracing::warn!(event = "canary_not_taken", why);
    }
    for _ in 0..TRIES {
        let (stored, mut log) = read::<Log>(tick.store, SENT).await?;
        log.went_out(&id, &sent);
        if tick.store.move_cursor(SENT, stored.as_deref(), &written(&log)?).await? == Write::Done {
            break;
        }
    }
    Ok(())
}

/// resolve: when the latest one came back, if none of a row is missing any more since one of those came back.
pub async fn comes_back(store: &dyn Store, since: Timestamp, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let (_, log) = read::<Log>(store, SENT).await?;
    let is_missing = log.missing(webhook(store).await?.as_ref(), now).is_some();
    Ok(log.back.filter(|back| back.sent_at >= since && !is_missing).map(|back| back.arrived))
}

/// How the canary stands; `None` without one.
pub async fn standing(store: &dyn Store, config: &Config, now: Timestamp) -> Result<Option<Standing>, StoreError> {
    if config.canary.is_none() {
        return Ok(None);
    }
    let (_, log) = read::<Log>(store, SENT).await?;
    let missing = log.missing(webhook(store).await?.as_ref(), now);
    Ok(Some(Standing { missing, back: log.back }))
}

/// What was sent on a local day; `None` without a canary.
pub async fn of_day(store: &dyn Store, config: &Config, date: Date) -> Result<Option<Day>, StoreError> {
    if config.canary.is_none() {
        return Ok(None);
    }
    Ok(Some(read::<Log>(store, SENT).await?.1.of_day(date)))
}

async fn webhook(store: &dyn Store) -> Result<Option<Arrival>, StoreError> {
    Ok(store.cursor(WEBHOOK).await?.and_then(|text| serde_json::from_str(&text).ok()))
}

/// A cursor's text, and what it says; one that another version wrote otherwise is begun anew.
async fn read<T: DeserializeOwned + Default>(
    store: &dyn Store,
    cursor: &str,
) -> Result<(Option<String>, T), StoreError> {
    let stored = store.cursor(cursor).await?;
    let value = stored.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    Ok((stored, value))
}

fn written(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Unavailable(error.to_string()))
}

#[cfg(test)]
mod tests;
