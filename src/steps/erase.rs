//! erase: one person's traces, taken out of the places that may hold any: the quarantine, and dead letters.

use jiff::Timestamp;

use super::redrive::{self, dead};
use crate::customerio::traces::{self, Traces};
use crate::queue::dead_letters::{DeadLetter, DeadLetters};
use crate::store::{Quarantined, Store, StoreError, Write};

/// A quarantined request or dead letter with somebody in it.
#[derive(Clone, Debug)]
pub struct Trace {
    pub id: String,
    /// Why it is where it is, without anything of the body.
    pub reason: String,
    pub received_at: Timestamp,
    pub event_id: Option<String>,
    /// Masked.
    pub preview: String,
    /// It is about others too, whose events go with it.
    pub others: bool,
    pub place: Place,
}

/// Where a trace is.
#[derive(Clone, Debug)]
pub enum Place {
    Quarantine(Quarantined),
    /// Not counted yet, perhaps: that goes with it.
    DeadLetter(DeadLetter),
}

/// Finds a person by an id or e-mail address: whole words equal to it, and to what the same bodies call that person and
/// their messages. `letters` are held by the caller. Holds all kept bodies in memory: 256 KiB each at most.
pub async fn find(
    store: &dyn Store,
    letters: &[DeadLetter],
    person: &str,
    now: Timestamp,
) -> Result<Vec<Trace>, StoreError> {
    let mut places = Vec::new();
    for request in redrive::quarantined(store, now).await? {
        let body = store.quarantined_head(&request.id).await?.unwrap_or_default();
        places.push((Place::Quarantine(request), body));
    }
    for letter in letters {
        places.push((Place::DeadLetter(letter.clone()), letter.body.clone().into_bytes()));
    }
    let mut theirs = Traces::of(person);
    theirs.learn(places.iter().map(|(_, body)| body.as_slice()));
    let found = places.into_iter().filter(|(_, body)| theirs.are_in(body));
    let trace = |(place, body): (Place, Vec<u8>)| {
        let (id, reason, received_at) = match &place {
            Place::Quarantine(request) => (request.id.clone(), request.reason.clone(), request.received_at),
            Place::DeadLetter(letter) => (letter.id.clone(), dead::reason(letter), letter.sent_at),
        };
        let (event_id, preview) = (traces::event_id(&body), traces::preview(&body));
        Trace { id, reason, received_at, event_id, preview, others: theirs.are_not_alone_in(&body), place }
    };
    Ok(found.map(trace).collect())
}

/// Deletes what was found; answers the ids of what somebody else had taken meanwhile.
pub async fn erase(
    store: &dyn Store,
    dead_letters: Option<&dyn DeadLetters>,
    found: &[Trace],
) -> Result<Vec<String>, StoreError> {
    let mut left = Vec::new();
    for trace in found {
        let erased = match (&trace.place, dead_letters) {
            (Place::Quarantine(request), _) => store.drop_quarantined(request).await.map(|()| Write::Done)?,
            (Place::DeadLetter(letter), Some(dead_letters)) => dead_letters.discard(letter).await?,
            (Place::DeadLetter(_), None) => Write::Conflict,
        };
        match erased {
            Write::Done => tracing::warn!(event = "trace_erased", id = trace.id),
            Write::Conflict => left.push(trace.id.clone()),
        }
    }
    Ok(left)
}
