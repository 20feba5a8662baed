//! The canary: a marked event for a test profile goes out through the Track API, a one-step workflow answers it with a
//! message, and the reporting webhook about that message comes back. It shows that the whole way works, also while nobody
//! else sends, and never counts as traffic.

pub mod day;
mod http;
pub mod log;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use http::{TrackApi, TrackError};

/// A round trip under this is healthy.
pub const HEALTHY: SignedDuration = SignedDuration::from_secs(10);

/// A round trip under this is acceptable, from this on slow.
pub const ACCEPTABLE: SignedDuration = SignedDuration::from_secs(60);

/// What a round trip that took so long is called.
pub fn quality(took: SignedDuration) -> &'static str {
    if took < HEALTHY {
        "healthy"
    } else if took < ACCEPTABLE {
        "acceptable"
    } else {
        "slow"
    }
}

/// Where the way of those that did not come back stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Leg {
    /// The Track API refused the event, or was not reached; in words without a secret.
    TrackApi { why: String },
    /// The Track API took the event, and no webhook followed: the workflow, the webhook, or the vendor's delay.
    Workflow,
    /// The webhook arrived, and did not pass our own events queue and evaluate.
    Processing,
}

impl Leg {
    /// `Customer.io took the event, and no webhook followed`.
    pub fn words(&self) -> String {
        match self {
            Self::TrackApi { why } => format!("the Track API did not take the event: {why}"),
            Self::Workflow => "Customer.io took the event, and no webhook followed".to_owned(),
            Self::Processing => "its webhook arrived, and this bridge did not process it".to_owned(),
        }
    }
}

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// When it went out.
    pub at: Timestamp,
    /// Whether the Track API took it; else why not, in words without a secret.
    pub taken: Result<(), String>,
}

/// Where the canary's events go.
#[async_trait]
pub trait Track: Send + Sync {
    /// Sends the marked event under this id. The same id twice is one event, so a second try is harmless.
    async fn send(&self, id: &str) -> Sent;
}

/// An event's id: a ULID of this instant, as the Track API wants it to tell copies apart. What would be random in it is a
/// hash: the same workspace never sends two at once.
/// Source: github.com/ulid/spec; "id" of the event in <https://docs.customer.io/integrations/api/track>.
pub fn event_id(workspace: &str, at: Timestamp) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut hash = Sha256::new();
    hash.update(workspace);
    hash.update(at.as_nanosecond().to_be_bytes());
    let spread = hash.finalize().iter().take(10).fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
    let time = u128::try_from(at.as_millisecond()).unwrap_or(0) & ((1 << 48) - 1);
    let whole = time << 80 | spread;
    let digit = |place: u32| ALPHABET.get((whole >> (5 * place) & 31) as usize).copied().map_or('0', char::from);
    (0..26).rev().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_ulid_of_its_instant() {
        let at: Timestamp = "2016-07-30T23:54:10.259Z".parse().expect("a time");
        let id = event_id("acme", at);
        assert_eq!((id.len(), &id[..10]), (26, "01ARZ3NDEK"), "{id}");
        assert!(id.bytes().all(|c| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(&c)), "{id}");
        assert_ne!(id, event_id("other", at));
        assert_ne!(id, event_id("acme", at + SignedDuration::from_nanos(1)));
    }

    #[test]
    fn a_round_trip_has_a_quality() {
        let of = |seconds| quality(SignedDuration::from_secs(seconds));
        assert_eq!([9, 10, 59, 60].map(of), ["healthy", "acceptable", "acceptable", "slow"]);
    }
}
