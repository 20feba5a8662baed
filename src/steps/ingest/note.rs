//! What ingest writes down beside an answer: no promise, so it never delays one.

use std::time::Duration;

use super::super::canary;
use super::super::guardian::{self, Failed};
use crate::canary::log::Arrival;
use crate::config::Config;
use crate::store::{Store, StoreError};

/// With less than this left nothing is noted: the answer is worth more.
const TIME_FOR_A_NOTE: Duration = Duration::from_millis(600);

/// How long a note may take: the sender waits.
const NOTED_WITHIN: Duration = Duration::from_millis(300);

/// A request makes one at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The canary's webhook came. It is stored already; a note that is lost costs a word in a message.
    Canary(Arrival),
    /// Requests that no key matched, once a minute at most. A note that is lost costs a number in a digest.
    KeyFailed(Failed),
}

impl Note {
    /// Keeps it, if there is time for it before an answer is due (`left`).
    pub async fn keep(&self, store: &dyn Store, config: &Config, left: Duration) {
        let (event, kept) = match self {
            Self::Canary(arrival) => ("canary_not_noted", in_time(left, canary::webhook_came(store, arrival)).await),
            Self::KeyFailed(failed) => {
                let counted = guardian::count_failed(store, &config.workspace.zone, *failed);
                ("key_failure_not_counted", in_time(left, counted).await)
            }
        };
        if let Err(error) = kept {
            tracing::info!(event, error);
        }
    }
}

async fn in_time(left: Duration, noting: impl Future<Output = Result<(), StoreError>>) -> Result<(), String> {
    if left < TIME_FOR_A_NOTE {
        return Err("no time left".to_owned());
    }
    match tokio::time::timeout(NOTED_WITHIN, noting).await {
        Ok(noted) => noted.map_err(|error| error.to_string()),
        Err(_) => Err("no answer in time".to_owned()),
    }
}
