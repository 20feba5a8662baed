//! What is said of requests that were refused: rarely, however many they are.

use std::sync::Mutex;

use jiff::Timestamp;

use super::keys::REFRESH_EVERY;

/// What is said of refused requests, each kind by itself: noise of one must not hide another that an alarm waits for.
#[derive(Default)]
pub struct Refusals {
    pub(super) no_key: OnceAMinute,
    pub(super) key_changed: OnceAMinute,
    /// Those of `key_changed` that the digest counts.
    pub(super) to_count: OnceAMinute,
    pub(super) refused: OnceAMinute,
}

/// Says once a minute, not once a request, what happens over and over.
#[derive(Default)]
pub(super) struct OnceAMinute(Mutex<Noted>);

#[derive(Default)]
struct Noted {
    since: Option<Timestamp>,
    unsaid: u64,
}

impl OnceAMinute {
    pub(super) fn note(&self, now: Timestamp, say: impl FnOnce(u64)) {
        let mut noted = self.0.lock().unwrap_or_else(|e| e.into_inner());
        noted.unsaid += 1;
        let quiet = noted.since.is_some_and(|at| now.duration_since(at) < REFRESH_EVERY);
        if !quiet {
            let n = std::mem::take(&mut noted.unsaid);
            noted.since = Some(now);
            drop(noted);
            say(n);
        }
    }
}
