//! The App API's budget, kept in the store: all functions and processes of a workspace share it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::customerio::app_api::AppApiError;
use crate::customerio::app_api::budget::{self, Turn, Turns, Urgency};
use crate::store::{Store, StoreError, Write};

/// Where the budget is kept: when the next question may be asked.
pub const CURSOR: &str = "app_api_budget";

/// Tries to write it while others do too; each that fails is somebody else's turn.
const WRITES_AT_MOST: usize = 20;

/// The budget, for one process.
pub struct Budget {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
}

impl Budget {
    /// What is kept, and when the next question may be asked by that.
    async fn kept(&self) -> Result<(Option<String>, Option<Timestamp>), StoreError> {
        let stored = self.store.cursor(CURSOR).await?;
        let next = stored.as_deref().and_then(|text| text.parse().ok());
        Ok((stored, next))
    }

    async fn keep(&self, stored: Option<&str>, next: Timestamp) -> Result<Write, StoreError> {
        self.store.move_cursor(CURSOR, stored, &next.to_string()).await
    }

    async fn turn(&self, urgency: Urgency, time: Duration) -> Result<Turn, StoreError> {
        let time = SignedDuration::try_from(time).unwrap_or(budget::LONGEST_PAUSE);
        for _ in 0..WRITES_AT_MOST {
            let (stored, next) = self.kept().await?;
            let now = self.clock.now();
            match budget::turn(next, urgency, time, now) {
                Turn::At { at, next } if self.keep(stored.as_deref(), next).await? == Write::Done => {
                    return Ok(Turn::At { at, next });
                }
                // Somebody else took it.
                Turn::At { .. } => {}
                other => return Ok(other),
            }
        }
        Ok(Turn::Later { at: self.clock.now() + budget::GAP })
    }
}

#[async_trait]
impl Turns for Budget {
    async fn take(&self, urgency: Urgency, time: Duration) -> Result<Duration, AppApiError> {
        let begun = tokio::time::Instant::now();
        loop {
            let left = time.saturating_sub(begun.elapsed());
            let turn = self.turn(urgency, left).await.map_err(|error| {
                tracing::warn!(event = "app_api_budget_not_known", %error);
                AppApiError::Budget
            })?;
            let until = |at: Timestamp| Duration::try_from(at.duration_since(self.clock.now())).unwrap_or_default();
            match turn {
                Turn::At { at, .. } => return Ok(until(at)),
                Turn::Later { at } => tokio::time::sleep(until(at)).await,
                Turn::No { after } => return Err(AppApiError::Limited { after: Duration::try_from(after).ok() }),
            }
        }
    }

    async fn limited(&self, after: Option<Duration>) {
        for _ in 0..WRITES_AT_MOST {
            let written = match self.kept().await {
                Ok((stored, next)) => {
                    self.keep(stored.as_deref(), budget::limited(next, after, self.clock.now())).await
                }
                Err(error) => Err(error),
            };
            match written {
                Ok(Write::Done) => break,
                Ok(Write::Conflict) => {}
                Err(error) => {
                    tracing::warn!(event = "app_api_budget_not_kept", %error);
                    break;
                }
            }
        }
    }
}
