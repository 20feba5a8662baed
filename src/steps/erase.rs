//! erase: one person's traces, taken out of the only place that holds any, the quarantine.

use jiff::Timestamp;

use super::redrive;
use crate::customerio::traces::{self, Traces};
use crate::store::{Quarantined, Store, StoreError};

/// A quarantined request with somebody in it.
#[derive(Clone, Debug)]
pub struct Trace {
    pub request: Quarantined,
    pub event_id: Option<String>,
    /// Masked.
    pub preview: String,
    /// It is about others too, whose events go with it.
    pub others: bool,
}

/// Finds a person by an id or e-mail address: whole words equal to it, and to what the same bodies call that person and
/// their messages. Holds all kept bodies in memory: 256 KiB each at most.
pub async fn find(store: &dyn Store, person: &str, now: Timestamp) -> Result<Vec<Trace>, StoreError> {
    let mut bodies = Vec::new();
    for request in redrive::quarantined(store, now).await? {
        let body = store.quarantined_head(&request.id).await?.unwrap_or_default();
        bodies.push((request, body));
    }
    let mut theirs = Traces::of(person);
    theirs.learn(bodies.iter().map(|(_, body)| body.as_slice()));
    let found = bodies.into_iter().filter(|(_, body)| theirs.are_in(body));
    let trace = |(request, body): (Quarantined, Vec<u8>)| Trace {
        event_id: traces::event_id(&body),
        preview: traces::preview(&body),
        others: theirs.are_not_alone_in(&body),
        request,
    };
    Ok(found.map(trace).collect())
}

/// Deletes what was found.
pub async fn erase(store: &dyn Store, found: &[Trace]) -> Result<(), StoreError> {
    for trace in found {
        store.drop_quarantined(&trace.request).await?;
        tracing::warn!(event = "quarantine_erased", id = trace.request.id);
    }
    Ok(())
}
