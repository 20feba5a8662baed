//! `POST /counts`: what the backend fired. The same scheme as the webhook's, with keys of the backend's own; a request
//! that one of Customer.io's keys signed is a webhook on this path too (law 2).

use hyper::Method;
use jiff::Timestamp;
use serde_json::json;

use super::keys::Refreshed;
use super::{Answer, Conclusion, Head, Ingest, Seen};
use crate::customerio::signature::{Authentic, Verifier};
use crate::reconcile::fired;
use crate::store::QUARANTINE_BYTES;

/// Where counts are posted.
pub const COUNTS_PATH: &str = "/counts";

impl Ingest {
    pub(super) fn begin_counts(&self, head: &Head<'_>) -> Option<Verifier> {
        let ring = self.counts.as_ref().filter(|_| head.path == COUNTS_PATH && head.method == Method::POST)?;
        ring.current().0.begin(head.headers).ok()
    }

    pub(super) async fn take_counts(&self, authentic: &Authentic, now: Timestamp) -> Conclusion {
        let (answer, said) = self.keep_counts(authentic, now).await;
        Conclusion { text: Some(format!("{said}\n")), ..Conclusion::of(answer, Seen::Counts) }
    }

    async fn keep_counts(&self, authentic: &Authentic, now: Timestamp) -> (Answer, serde_json::Value) {
        if !authentic.is_whole() {
            let why = format!("more than {} KiB: send the counts in parts", QUARANTINE_BYTES / 1024);
            return (Answer::TooLarge, json!({ "error": why }));
        }
        let fired = match fired::read(authentic.head(), now) {
            Ok(fired) => fired,
            Err(unusable) => {
                tracing::warn!(event = "counts_refused", why = %unusable);
                return (Answer::Malformed, json!({ "error": unusable.to_string() }));
            }
        };
        match self.store.keep_fired(&fired).await {
            Ok(()) => (Answer::Taken, json!({ "taken": fired.len() })),
            Err(error) => {
                tracing::error!(event = "counts_not_stored", %error);
                (Answer::Unavailable, json!({ "error": "not stored; send it again" }))
            }
        }
    }

    /// After a signature that no key matched: whether it is worth another try, for keys were read anew or could not be.
    pub(super) async fn counts_keys_may_match(&self, now: Timestamp) -> bool {
        let Some(ring) = &self.counts else { return false };
        ring.refresh(now).await == Refreshed::Changed || !ring.current().1
    }
}
