//! Incidents, one item an episode, and three indexes that point to them: what is live, what opened and what resolved in
//! a month.
//!
//! There is no transaction: a pointer is written before what it points to, and who follows one asks the incident itself.
//! So after a crash a pointer may be idle, but no incident is without its own.

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::item::{
    Item, JSON, SORT, TO_MONTH, VERSION, attributes, days_after, document, json, number, number_of, part_of,
    parts_between, sortable, text, text_of,
};
use super::request::{If, Key, Sorts};
use super::table::Table;
use super::trouble;
use crate::incident::{Incident, IncidentKey, State};
use crate::store::{HISTORY_DAYS, StoreError, Write};

/// Most episodes that are answered of one incident.
const EPISODES: usize = 500;

/// A pointer to nothing this old is a crash's, not a write that is under way.
const IDLE: SignedDuration = SignedDuration::from_hours(24);

/// Where a pointer points to.
const TO_KEY: &str = "incident";
const TO_EPISODE: &str = "episode";

/// Stands in a pointer to an incident that is over.
const OVER: &str = "over";

pub async fn write(table: &Table, incident: &Incident) -> Result<Write, StoreError> {
    let expected = incident.version;
    let incident = Incident { version: expected.saturating_add(1), ..incident.clone() };
    let resolved_at = match incident.state {
        State::Open => None,
        State::Resolved { at, .. } => Some(at),
    };
    let expires = resolved_at.map(|at| days_after(at, HISTORY_DAYS));
    let live = live_pointer(table, &incident);
    if is_live(&incident) {
        point(table, &live, &incident, None).await?;
    }
    for (index, at) in [("opened", Some(incident.opened_at)), ("resolved", resolved_at)] {
        let Some(at) = at else { continue };
        let pk = table.partition(&[index, &part_of(at, TO_MONTH)]);
        point(table, &Key { pk, sk: sort_of(at, &incident) }, &incident, expires).await?;
    }
    let item = attributes([(JSON, json(&incident, "an incident")?), (VERSION, number(incident.version))]);
    let when = match expected {
        0 => If::Absent,
        _ => If::Is(VERSION, number(expected)),
    };
    let written = table.put(&episode(table, &incident.key, incident.episode), item, expires, when).await?;
    if written == Write::Done && !is_live(&incident) {
        table.delete(&live, If::AtMost(VERSION, number(incident.version))).await?;
    }
    Ok(written)
}

pub async fn episodes(table: &Table, key: &IncidentKey) -> Result<Vec<Incident>, StoreError> {
    let last = table.last(&table.partition(&["incident", &key.0]), EPISODES).await?;
    last.iter().rev().map(|item| document(item, "an incident")).collect()
}

pub async fn unsettled(table: &Table) -> Result<Vec<Incident>, StoreError> {
    let pointers = table.query(&table.partition(&["live"]), Sorts::All).await?;
    let found = follow(table, &pointers).await?;
    let mut live = Vec::new();
    for pointer in &pointers {
        let Some(to) = target(table, pointer) else { continue };
        match found.get(&to).map(|item| document::<Incident>(item, "an incident")) {
            Some(Ok(incident)) if is_live(&incident) => live.push(incident),
            // Settled, and the process died before it took the pointer away.
            Some(Ok(incident)) => forget(table, pointer, Some(incident.version)).await?,
            Some(Err(error)) => tracing::error!(event = "incident_unreadable", item = to.pk, error = %error),
            None => forget(table, pointer, None).await?,
        }
    }
    Ok(live)
}

/// As far as the index tells: an idle pointer counts as well. Only when it is full are all of its pointers read, to tell
/// those that are over and untold from those that are open.
pub async fn open(table: &Table, at_most: usize) -> Result<usize, StoreError> {
    let pk = table.partition(&["live"]);
    let mut pointers = table.last(&pk, at_most).await?;
    if pointers.len() >= at_most {
        pointers = table.query(&pk, Sorts::All).await?;
    }
    let open = pointers.iter().filter(|pointer| text_of(pointer, OVER).is_none()).count();
    Ok(open.min(at_most))
}

/// Oldest first.
pub async fn between(table: &Table, from: Timestamp, to: Timestamp) -> Result<Vec<Incident>, StoreError> {
    let (now, day) = (table.now(), SignedDuration::from_hours(24));
    // Nothing is kept for longer, and nothing happens later.
    let kept = now.checked_sub(day.saturating_mul(HISTORY_DAYS as i32 + 31)).unwrap_or(Timestamp::MIN);
    let months = parts_between(from.max(kept), to.min(now.checked_add(day).unwrap_or(Timestamp::MAX)), TO_MONTH);
    let (begin, end) = (sortable(from), sortable(to));
    let mut pointers = Vec::new();
    for index in ["opened", "resolved"] {
        for month in &months {
            let pk = table.partition(&[index, month]);
            // Pointers are to the microsecond, spans are not: the incident itself is asked again below.
            pointers.extend(table.query(&pk, Sorts::Between(&begin, &format!("{end}~"))).await?);
        }
    }
    let found = follow(table, &pointers).await?;
    let mut incidents = Vec::new();
    for item in found.values() {
        let incident: Incident = document(item, "an incident")?;
        let within = |at: Timestamp| from <= at && at < to;
        let resolved = matches!(incident.state, State::Resolved { at, .. } if within(at));
        if resolved || within(incident.opened_at) {
            incidents.push(incident);
        }
    }
    incidents.sort_by(|a, b| (a.opened_at, &a.key, a.episode).cmp(&(b.opened_at, &b.key, b.episode)));
    Ok(incidents)
}

fn is_live(incident: &Incident) -> bool {
    incident.is_open() || !incident.settled
}

fn episode(table: &Table, key: &IncidentKey, episode: u32) -> Key {
    Key { pk: table.partition(&["incident", &key.0]), sk: format!("{episode:010}") }
}

fn live_pointer(table: &Table, incident: &Incident) -> Key {
    Key { pk: table.partition(&["live"]), sk: sort_of(incident.opened_at, incident) }
}

fn sort_of(at: Timestamp, incident: &Incident) -> String {
    format!("{}#{}#{:010}", sortable(at), incident.key, incident.episode)
}

/// Writes a pointer, unless a later version's is there.
async fn point(table: &Table, at: &Key, to: &Incident, expires: Option<i64>) -> Result<(), StoreError> {
    let mut item =
        attributes([(TO_KEY, text(to.key.0.clone())), (TO_EPISODE, number(to.episode)), (VERSION, number(to.version))]);
    if !to.is_open() {
        item.insert(OVER.to_owned(), text("yes"));
    }
    let (Write::Done | Write::Conflict) = table.put(at, item, expires, If::Below(VERSION, number(to.version))).await?;
    Ok(())
}

fn target(table: &Table, pointer: &Item) -> Option<Key> {
    let number = u32::try_from(number_of(pointer, TO_EPISODE)?).ok()?;
    Some(episode(table, &IncidentKey(text_of(pointer, TO_KEY)?.to_owned()), number))
}

async fn follow(table: &Table, pointers: &[Item]) -> Result<HashMap<Key, Item>, StoreError> {
    let targets: BTreeSet<Key> = pointers.iter().filter_map(|pointer| target(table, pointer)).collect();
    table.get_all(targets.into_iter().collect()).await
}

/// Takes an idle pointer away, unless it was written for a version that is still to come. `stored` is the incident's.
async fn forget(table: &Table, pointer: &Item, stored: Option<u64>) -> Result<(), StoreError> {
    let (Some(key), Some(version)) = (Key::of(pointer), number_of(pointer, VERSION)) else {
        return Err(trouble::unreadable("a pointer to an incident"));
    };
    let idle = match stored {
        Some(stored) => u64::try_from(version).is_ok_and(|version| version <= stored),
        None => {
            let opened = text_of(pointer, SORT).and_then(|sk| sk.split('#').next()?.parse::<Timestamp>().ok());
            opened.is_some_and(|opened| table.now().duration_since(opened) > IDLE)
        }
    };
    if idle { table.delete(&key, If::Is(VERSION, number(version))).await } else { Ok(()) }
}

/// The incidents that are live, as far as the index tells.
pub async fn live_keys(table: &Table) -> Result<BTreeSet<IncidentKey>, StoreError> {
    let pointers = table.query(&table.partition(&["live"]), Sorts::All).await?;
    Ok(pointers.iter().filter_map(|pointer| Some(IncidentKey(text_of(pointer, TO_KEY)?.to_owned()))).collect())
}
