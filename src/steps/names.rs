//! Names of sources: tick asks the App API for them once a day, deliver and digest use what was kept. Nothing that is
//! to be told ever waits for the App API, or is lost for want of a name.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::tick::Tick;
use crate::config::Config;
use crate::customerio::app_api::names::{NameList, Names};
use crate::customerio::app_api::{AppApiError, Directory, LISTS, ListRow};
use crate::store::{Store, StoreError, Write};

/// Where the cursor of the names stands: when they are to be asked for again.
pub const CURSOR: &str = "names";

/// When a refused key was last spoken of.
const REFUSED_CURSOR: &str = "names/refused";

/// How often names are read.
const EVERY: SignedDuration = SignedDuration::from_hours(24);

/// After a failure they are asked for again no sooner.
const AFTER_FAILURE: SignedDuration = SignedDuration::from_hours(1);

/// A list that was read this recently is left as it is, when another one is asked for again.
const READ_TODAY: SignedDuration = SignedDuration::from_hours(20);

/// A refused key is spoken of this often.
const REFUSED_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// All lists together take at most this long: tick's next minute must not wait.
const TIME: Duration = Duration::from_secs(15);

/// A process reads what is kept this often.
const FRESH: SignedDuration = SignedDuration::from_mins(5);

/// The same while nothing is known: the first names are on their way.
const FRESH_WHILE_EMPTY: SignedDuration = SignedDuration::from_secs(30);

/// Reads the names if it is time to. What the App API says or does not say is no failure of ours: it is logged, and
/// the old names stay.
pub async fn refresh_due(tick: &Tick<'_>, now: Timestamp) -> Result<(), StoreError> {
    let Some(directory) = tick.directory else { return Ok(()) };
    let stored = tick.store.cursor(CURSOR).await?;
    let due = stored.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
    // One that lies further ahead than it is ever set was set by a clock that was wrong.
    if due.is_some_and(|due| now < due && due <= now + EVERY) {
        return Ok(());
    }
    // Moved before the work: a twin, or a tick after a crash, must not ask at once again.
    let claimed = (now + AFTER_FAILURE).to_string();
    if tick.store.move_cursor(CURSOR, stored.as_deref(), &claimed).await? == Write::Conflict {
        return Ok(());
    }
    let next = (now + read(tick, directory, now).await?).to_string();
    match tick.store.move_cursor(CURSOR, Some(&claimed), &next).await? {
        Write::Done | Write::Conflict => Ok(()),
    }
}

/// Reads every list that was not read today; says in how long to ask again.
async fn read(tick: &Tick<'_>, directory: &dyn Directory, now: Timestamp) -> Result<SignedDuration, StoreError> {
    let known = match tick.store.names().await {
        // What is to replace it need not be readable.
        Err(StoreError::Corrupt(_)) => Names::default(),
        known => known?,
    };
    let began = Instant::now();
    let mut failed: Option<SignedDuration> = None;
    for row in &LISTS {
        let before = known.list(row.of);
        let age = before.map(|list| now.duration_since(list.fetched_at));
        if age.is_some_and(|age| SignedDuration::ZERO <= age && age < READ_TODAY) {
            continue;
        }
        match directory.list(row, TIME.saturating_sub(began.elapsed())).await {
            Ok(read) => {
                let list = NameList::renewed(before, read, tick.config.privacy, now);
                tracing::info!(event = "names_read", list = row.path, names = list.names.len());
                tick.store.keep_names(row.of, &list).await?;
            }
            Err(error) => {
                say(tick.store, row, &error, now).await?;
                failed = failed.max(Some(again_after(&error)));
                if ends_the_round(&error) {
                    break;
                }
            }
        }
    }
    Ok(failed.unwrap_or(EVERY))
}

/// How long to wait after a failure. A `Retry-After` is honoured by a later tick.
fn again_after(error: &AppApiError) -> SignedDuration {
    match error {
        AppApiError::Limited { after: Some(after) } => SignedDuration::try_from(*after).unwrap_or(AFTER_FAILURE),
        _ => AFTER_FAILURE,
    }
}

/// Whether the other lists would fail the same way. A key may lack the scope of one list only.
const fn ends_the_round(error: &AppApiError) -> bool {
    match error {
        AppApiError::Limited { .. }
        | AppApiError::NoAnswer(_)
        | AppApiError::Key(_)
        | AppApiError::Address
        | AppApiError::Budget => true,
        AppApiError::Refused { .. }
        | AppApiError::Status { .. }
        | AppApiError::TooLong { .. }
        | AppApiError::NoList { .. } => false,
    }
}

/// A failure passes, and is said each time; a refused key stays refused until somebody acts, and is said once a day.
async fn say(store: &dyn Store, row: &ListRow, error: &AppApiError, now: Timestamp) -> Result<(), StoreError> {
    if !matches!(error, AppApiError::Refused { .. } | AppApiError::Key(_) | AppApiError::Address) {
        tracing::warn!(event = "names_not_read", list = row.path, %error);
        return Ok(());
    }
    let stored = store.cursor(REFUSED_CURSOR).await?;
    let said = stored.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
    let recently = SignedDuration::ZERO..REFUSED_EVERY;
    if said.is_some_and(|said| recently.contains(&now.duration_since(said))) {
        return Ok(());
    }
    if store.move_cursor(REFUSED_CURSOR, stored.as_deref(), &now.to_string()).await? == Write::Done {
        tracing::error!(event = "app_api_refused", %error, "sources are shown by id until this is mended");
    }
    Ok(())
}

/// The names that are kept; none without a key for the App API, and none while they cannot be read.
pub async fn kept(store: &dyn Store, config: &Config) -> Arc<Names> {
    try_kept(store, config).await.unwrap_or_default()
}

async fn try_kept(store: &dyn Store, config: &Config) -> Option<Arc<Names>> {
    if config.customerio.app_api_key.is_none() {
        return Some(Arc::default());
    }
    match store.names().await {
        Ok(names) => Some(Arc::new(names.tidied(config.privacy))),
        Err(error) => {
            tracing::warn!(event = "names_not_known", %error);
            None
        }
    }
}

/// Names as a process last read them, so that not every message costs a read.
#[derive(Default)]
pub struct Known(Mutex<Option<(Timestamp, Arc<Names>)>>);

impl Known {
    /// The names, at most some minutes old; older ones while they cannot be read.
    pub async fn get(&self, store: &dyn Store, config: &Config, now: Timestamp) -> Arc<Names> {
        // Held while it reads: of many that ask at once one reads.
        let mut known = self.0.lock().await;
        if let Some((at, names)) = known.as_ref() {
            let fresh = if names.is_empty() { FRESH_WHILE_EMPTY } else { FRESH };
            if (SignedDuration::ZERO..fresh).contains(&now.duration_since(*at)) {
                return names.clone();
            }
        }
        let before = known.as_ref().map(|(_, names)| names.clone());
        let names = try_kept(store, config).await.or(before).unwrap_or_default();
        *known = Some((now, names.clone()));
        names
    }
}

#[cfg(test)]
#[path = "names/tests.rs"]
mod tests;
