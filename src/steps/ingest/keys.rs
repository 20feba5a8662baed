//! Signing keys that are read again when they may have changed.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use crate::config::secrets::{Secret, SecretError, SecretRef, Secrets};
use crate::customerio::signature::{Keys, SigningKey};

/// Keys are read again at most this often when a signature does not match (law 3).
pub(super) const REFRESH_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// The signing keys, as last read.
pub struct KeyRing {
    refs: Vec<SecretRef>,
    secrets: Arc<dyn Secrets>,
    state: Mutex<RingState>,
}

struct RingState {
    keys: Arc<Keys>,
    /// Every key that must be there was read.
    complete: bool,
    values: Vec<Secret>,
    /// Of each usable key, where it stands in the configuration.
    positions: Vec<usize>,
    refreshed_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refreshed {
    Changed,
    Same,
    NotYet,
}

impl KeyRing {
    /// Reads the keys. Never fails: without them every request is answered 503 until they can be read.
    pub async fn load(refs: Vec<SecretRef>, secrets: Arc<dyn Secrets>, now: Timestamp) -> Self {
        let state = read(&refs, secrets.as_ref(), now).await;
        Self { refs, secrets, state: Mutex::new(state) }
    }

    pub(super) fn current(&self) -> (Arc<Keys>, bool) {
        let state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        (state.keys.clone(), state.complete)
    }

    /// Where the key that has this index among the usable ones stands in the configuration.
    pub(super) fn position(&self, index: usize) -> usize {
        let state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        state.positions.get(index).copied().unwrap_or(index)
    }

    pub(super) async fn refresh(&self, now: Timestamp) -> Refreshed {
        {
            let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
            if now.duration_since(state.refreshed_at) < REFRESH_EVERY {
                return Refreshed::NotYet;
            }
            // Claimed before the read: of many requests at once only one reads.
            state.refreshed_at = now;
        }
        let fresh = read(&self.refs, self.secrets.as_ref(), now).await;
        let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        if !fresh.complete && !state.values.is_empty() {
            // What they verified is no less authentic now; what they do not verify is answered 503.
            state.complete = false;
            return Refreshed::Same;
        }
        let changed = fresh.values != state.values;
        *state = fresh;
        if changed { Refreshed::Changed } else { Refreshed::Same }
    }
}

/// A later key that is simply not set is fine: it is the previous one, rotated away.
async fn read(refs: &[SecretRef], secrets: &dyn Secrets, now: Timestamp) -> RingState {
    let (mut values, mut positions) = (Vec::new(), Vec::new());
    let mut complete = !refs.is_empty();
    for (position, reference) in refs.iter().enumerate() {
        match secrets.get(reference).await {
            // An empty one is no key: with it anybody could sign.
            Ok(value) if SigningKey::new(&value).is_none() => {}
            Ok(value) => {
                values.push(value);
                positions.push(position);
            }
            Err(SecretError::NotSet(_)) if position > 0 => {}
            Err(error) => {
                complete = false;
                tracing::error!(event = "signing_key_unreadable", %error);
            }
        }
    }
    let keys = Arc::new(Keys::new(&values));
    RingState { keys, complete, values, positions, refreshed_at: now }
}
