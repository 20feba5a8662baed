//! Blindness: nothing has arrived for longer than chance explains. Everything stopped, or we no longer hear.

use jiff::{SignedDuration, Timestamp};

use crate::clock::minutes;
use crate::tally::coverage::Coverage;

/// Shortest blindness that pages (design, Coverage): the sender's own delays are shorter.
pub const BLIND_AFTER: SignedDuration = SignedDuration::from_hours(2);

/// Events that must be missing: at one false alarm a year a silence test needs about nine (design, Coverage).
pub const MISSING: f64 = 9.0;

/// How far back the stream's mean rate is taken.
pub const PROFILE_DAYS: i64 = 14;

/// Since when nothing can be said, if that is too long for chance. `heard` is how many events were counted since
/// [`profile_from`]; the profile is flat: this version keeps no history by hour.
pub fn blind_since(coverage: &Coverage, heard: u64, now: Timestamp) -> Option<Timestamp> {
    let since = silent_since(coverage, now)?;
    let from = profile_from(coverage, now)?;
    let (dark, known) = (now.duration_since(since), now.duration_since(from));
    let expected = heard as f64 * minutes(dark) as f64 / minutes(known).max(1) as f64;
    (expected >= MISSING).then_some(since)
}

/// Since when nothing has arrived in time, if that is at least [`BLIND_AFTER`]. A straggler among timely events
/// un-covers minutes, but it is no silence: only the latest timely event counts here.
pub fn silent_since(coverage: &Coverage, now: Timestamp) -> Option<Timestamp> {
    let since = coverage.last_timely()?;
    (now.duration_since(since) >= BLIND_AFTER).then_some(since)
}

/// From when on events make the profile.
pub fn profile_from(coverage: &Coverage, now: Timestamp) -> Option<Timestamp> {
    Some(coverage.began()?.max(now - SignedDuration::from_hours(24 * PROFILE_DAYS)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::testing::{at, heard};

    #[test]
    fn two_hours_without_nine_expected_events_are_blindness() {
        let coverage = heard(&["08:00", "12:00"]);
        assert_eq!(blind_since(&coverage, 100, at("13:59")), None);
        assert_eq!(blind_since(&coverage, 100, at("14:00")), Some(at("12:00")));
    }

    #[test]
    fn a_quiet_stream_takes_longer_and_a_fresh_one_never_pages() {
        let quiet = heard(&["00:00", "12:00"]);
        assert_eq!(blind_since(&quiet, 20, at("15:00")), None); // 4 expected
        assert_eq!(blind_since(&heard(&["12:00"]), 8, at("23:00")), None);
        assert_eq!(blind_since(&Coverage::default(), 0, at("23:00")), None);
    }
}
