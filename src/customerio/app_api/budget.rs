//! How many questions the App API is asked: one budget for all that run beside each other, of 3 a second. What is urgent
//! queues up; what can wait goes only when nobody queues. Pure; who keeps it is behind [`Turns`].

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::AppApiError;

/// Between two questions: at most 3 a second. The vendor's 10 a second are shared by all that use the workspace. Source:
/// "Journeys App API", Rate limits.
pub const GAP: SignedDuration = SignedDuration::from_millis(334);

/// How long nothing is asked after a 429 that does not say for how long.
pub const PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// Longer pauses are not kept: a clock may have been wrong, and whoever asks too early hears so.
pub const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// Whether somebody waits for the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// A page, or an alert that somebody reads now.
    Urgent,
    /// Names, drift, history.
    CanWait,
}

/// What asking now comes to; `next` is what is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// At this instant, which is now or soon.
    At { at: Timestamp, next: Timestamp },
    /// Somebody else goes first: try again then.
    Later { at: Timestamp },
    /// Not within the time there is, but after this long.
    No { after: SignedDuration },
}

/// The turn of a question, by when the next may be asked as far as it is kept.
pub fn turn(kept: Option<Timestamp>, urgency: Urgency, time: SignedDuration, now: Timestamp) -> Turn {
    let free = kept.filter(|next| *next <= now + LONGEST_PAUSE).map_or(now, |next| next.max(now));
    let wait = free.duration_since(now);
    match urgency {
        _ if wait > time => Turn::No { after: wait },
        Urgency::CanWait if wait > SignedDuration::ZERO => Turn::Later { at: free },
        Urgency::Urgent | Urgency::CanWait => Turn::At { at: free, next: free + GAP },
    }
}

/// When the next may be asked after a 429, for everybody.
pub fn limited(kept: Option<Timestamp>, after: Option<Duration>, now: Timestamp) -> Timestamp {
    let pause = after.map_or(PAUSE, |after| SignedDuration::try_from(after).unwrap_or(LONGEST_PAUSE));
    let until = now + pause.min(LONGEST_PAUSE);
    kept.filter(|next| *next <= now + LONGEST_PAUSE).map_or(until, |next| next.max(until))
}

/// Who keeps the budget.
#[async_trait]
pub trait Turns: Send + Sync {
    /// Takes a turn within `time`, and says how long to wait for it.
    ///
    /// # Errors
    /// There is none in that time.
    async fn take(&self, urgency: Urgency, time: Duration) -> Result<Duration, AppApiError>;

    /// Customer.io answered 429: nobody asks until that has passed.
    async fn limited(&self, after: Option<Duration>);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_urgent_queues_up_and_what_can_wait_lets_it_pass() {
        let now = Timestamp::UNIX_EPOCH + LONGEST_PAUSE;
        let second = SignedDuration::from_secs(1);
        for (kept, urgency, want) in [
            (None, Urgency::CanWait, Turn::At { at: now, next: now + GAP }),
            (Some(now - second), Urgency::Urgent, Turn::At { at: now, next: now + GAP }),
            (Some(now + GAP), Urgency::Urgent, Turn::At { at: now + GAP, next: now + GAP + GAP }),
            (Some(now + GAP), Urgency::CanWait, Turn::Later { at: now + GAP }),
            (Some(now + second + GAP), Urgency::Urgent, Turn::No { after: second + GAP }),
            (Some(now + second + GAP), Urgency::CanWait, Turn::No { after: second + GAP }),
            (Some(now + LONGEST_PAUSE + second), Urgency::Urgent, Turn::At { at: now, next: now + GAP }),
        ] {
            assert_eq!(turn(kept, urgency, second, now), want, "{kept:?} {urgency:?}");
        }
    }

    #[test]
    fn a_limit_holds_for_as_long_as_it_says_or_a_minute_and_is_never_shortened() {
        let now = Timestamp::UNIX_EPOCH + LONGEST_PAUSE;
        let seconds = |n| SignedDuration::from_secs(n);
        for (kept, after, want) in [
            (None, Some(7), seconds(7)),
            (None, None, PAUSE),
            (Some(now + seconds(20)), Some(7), seconds(20)),
            (None, Some(86_400), LONGEST_PAUSE),
        ] {
            assert_eq!(limited(kept, after.map(Duration::from_secs), now), now + want, "{kept:?} {after:?}");
        }
    }
}
