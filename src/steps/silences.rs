//! Which silence mutes an incident now: asked whenever a notification is due, never when an incident opens.

use jiff::Timestamp;

use super::{facts, open};
use crate::config::Config;
use crate::incident::{Incident, Subject};
use crate::silence::{self, Silence};
use crate::store::{Store, StoreError};
use crate::tally::Series;

/// The silence that mutes an incident at `now`; `silences` are the store's. Registers are read only when its own labels
/// are muted: what fails by now may be more than what it opened with, and that nobody silenced.
pub async fn muting<'a>(
    store: &dyn Store,
    config: &Config,
    silences: &'a [Silence],
    incident: &Incident,
    now: Timestamp,
) -> Result<Option<&'a Silence>, StoreError> {
    let muted = silence::muting(silences, incident, &incident.labels, now);
    let Subject::Rule { name, .. } = &incident.subject else { return Ok(muted) };
    if muted.is_none() {
        return Ok(None);
    }
    let failing = facts::gather(store, config, incident, now).await?.failing;
    let series: Vec<Series> = failing.iter().map(|total| (*total.series).clone()).collect();
    let mut labels = incident.labels.clone();
    for (label, values) in open::labels(config, incident.severity, &incident.subject, name, &series) {
        let known = labels.entry(label).or_default();
        known.extend(values.into_iter().filter(|value| !value.is_empty()));
        known.sort();
        known.dedup();
    }
    labels.retain(|_, values| !values.is_empty());
    Ok(silence::muting(silences, incident, &labels, now))
}
