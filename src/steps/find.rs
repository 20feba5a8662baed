//! find: the incident that people mean by the id that messages show.

use jiff::{SignedDuration, Timestamp};

use crate::incident::Incident;
use crate::store::{HISTORY_DAYS, Store, StoreError};

/// The incident with this id (`3f9a2c11-1`, or with its whole key), looked for among those that are not settled and then
/// among all that are kept.
pub async fn incident(store: &dyn Store, id: &str, now: Timestamp) -> Result<Option<Incident>, StoreError> {
    let id = id.trim().to_ascii_lowercase();
    let is_meant = |incident: &Incident| incident.id() == id || format!("{}-{}", incident.key, incident.episode) == id;
    if let Some(found) = store.unsettled().await?.into_iter().find(is_meant) {
        return Ok(Some(found));
    }
    let from = now - SignedDuration::from_hours(24 * HISTORY_DAYS);
    let kept = store.incidents_between(from, now + SignedDuration::from_hours(1)).await?;
    Ok(kept.into_iter().rev().find(is_meant))
}
