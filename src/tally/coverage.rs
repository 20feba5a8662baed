//! Coverage: which minutes we can speak for (design, Coverage).
//!
//! Customer.io delivers in order and holds everything behind a failing call, so an event that arrives in time shows
//! that nothing earlier is still on its way. Four instants say it all; no minute is stored but those of [`super::lag`].

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::lag::Ring;
use crate::clock::{Minute, Span};
use crate::customerio::event::Event;

/// An arrival this late or later un-covers from its event time on.
pub const LATE: SignedDuration = SignedDuration::from_mins(2);

/// Un-covered minutes stay so until this long passes without another late arrival.
pub const CALM: SignedDuration = SignedDuration::from_mins(5);

/// Arrivals of a batch, merged; merging is commutative.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    first: Option<Timestamp>,
    timely: Option<Timestamp>,
    late: Option<Late>,
    lag: Ring,
}

/// A run of late arrivals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Late {
    /// The earliest event time among them.
    from: Timestamp,
    first_arrival: Timestamp,
    last_arrival: Timestamp,
}

/// What all arrivals so far say about the past.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// When we began to hear.
    first: Option<Timestamp>,
    /// The latest event time that arrived in time: every minute before its own is covered.
    timely: Option<Timestamp>,
    late: Option<Late>,
    /// How late the events of the last minutes came. It travels here because it changes with the rest: no write more.
    #[serde(default, skip_serializing_if = "Ring::is_empty")]
    lag: Ring,
}

impl Heard {
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        events.into_iter().fold(Self::default(), |heard, e| heard.and(e.at, e.arrived, e.future))
    }

    /// The same with how late its events came.
    pub fn with_lag(self, lag: Ring) -> Self {
        Self { lag, ..self }
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn and(mut self, at: Timestamp, arrived: Timestamp, future: bool) -> Self {
        let late = arrived.duration_since(at) >= LATE;
        let at = at.min(arrived);
        let began = if late { arrived } else { at };
        self.first = Some(self.first.map_or(began, |f| f.min(began)));
        if late {
            let run = Late { from: at, first_arrival: arrived, last_arrival: arrived };
            self.late = Some(self.late.map_or(run, |l| l.joined(run)));
        } else if !future {
            self.timely = self.timely.max(Some(at));
        }
        self
    }
}

impl Late {
    fn joined(self, other: Self) -> Self {
        Self {
            from: self.from.min(other.from),
            first_arrival: self.first_arrival.min(other.first_arrival),
            last_arrival: self.last_arrival.max(other.last_arrival),
        }
    }
}

impl Coverage {
    /// With a batch of arrivals added.
    pub fn hearing(mut self, heard: &Heard) -> Self {
        self.first = match (self.first, heard.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.timely = self.timely.max(heard.timely);
        self.late = match (self.late, heard.late) {
            // A new run begins when the old one had been calm for long enough.
            (Some(old), Some(new)) if new.first_arrival.duration_since(old.last_arrival) < CALM => {
                Some(old.joined(new))
            }
            (_, Some(new)) => Some(new),
            (old, None) => old,
        };
        self.lag = self.lag.and(&heard.lag);
        self
    }

    /// How late the events of the last minutes came.
    pub fn lag(&self) -> &Ring {
        &self.lag
    }

    /// The first authentic event; `None` when there was none ever.
    pub fn began(&self) -> Option<Timestamp> {
        self.first
    }

    /// The latest event that arrived in time, or when we began to hear if none has yet.
    pub fn last_timely(&self) -> Option<Timestamp> {
        self.timely.or(self.first)
    }

    /// Whether events are coming late just now.
    pub fn is_late(&self, now: Timestamp) -> bool {
        // It may lie ahead a little: it came while a tick that began at `now` is at work, or clocks differ. One further
        // ahead was stamped before the clock was set back.
        self.late.is_some_and(|late| now.duration_since(late.last_arrival).abs() < CALM)
    }

    /// The earliest event time of the latest run of late arrivals, if that went on after `since`.
    pub fn late_from(&self, since: Timestamp) -> Option<Timestamp> {
        self.late.filter(|late| late.last_arrival > since).map(|late| late.from)
    }

    /// Covered minutes are those from the first authentic event up to, not including, this one.
    pub fn covered_until(&self, now: Timestamp) -> Option<Minute> {
        let first = Minute::of(self.first?);
        let timely = self.timely.map_or(first, Minute::of);
        let until = match self.late {
            Some(late) if self.is_late(now) => timely.min(Minute::of(late.from)),
            _ => timely,
        };
        Some(until.max(first))
    }

    /// How many minutes of the span are covered.
    pub fn minutes_covered(&self, span: Span, now: Timestamp) -> i64 {
        let (Some(first), Some(until)) = (self.first, self.covered_until(now)) else { return 0 };
        let from = span.from.max(Minute::of(first));
        (span.to.min(until).0 - from.0).max(0)
    }

    /// Covered time since an instant: how long it has been quiet, as far as we can tell (design, law 5).
    pub fn quiet_since(&self, since: Timestamp, now: Timestamp) -> SignedDuration {
        let (Some(first), Some(until)) = (self.first, self.covered_until(now)) else { return SignedDuration::ZERO };
        // What came late may lie before the first event that we heard: that time is not covered.
        until.start().min(now).duration_since(since.max(first)).max(SignedDuration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(clock: &str) -> Timestamp {
        format!("2026-11-24T{clock}Z").parse().expect("a time")
    }

    fn heard(at: &str, arrived: &str) -> Heard {
        Heard::default().and(t(at), t(arrived), false)
    }

    fn day() -> Span {
        Span::new(Minute::of(t("00:00:00")), Minute::of(t("23:59:00")))
    }

    #[test]
    fn nothing_is_covered_before_the_first_event() {
        assert_eq!(Coverage::default().covered_until(t("12:00:00")), None);
        let coverage = Coverage::default().hearing(&heard("10:00:30", "10:00:31"));
        assert_eq!(coverage.minutes_covered(day(), t("10:01:00")), 0);
    }

    #[test]
    fn a_timely_event_covers_every_minute_before_its_own() {
        let coverage =
            Coverage::default().hearing(&heard("10:00:30", "10:00:31")).hearing(&heard("12:00:10", "12:01:59"));
        assert_eq!(coverage.minutes_covered(day(), t("12:02:00")), 120);
        assert_eq!(coverage.covered_until(t("18:00:00")), Some(Minute::of(t("12:00:00"))));
    }

    #[test]
    fn a_late_arrival_uncovers_from_its_event_time_until_five_calm_minutes() {
        let coverage = Coverage::default()
            .hearing(&heard("10:00:00", "10:00:01"))
            .hearing(&heard("12:00:00", "12:00:01"))
            .hearing(&heard("11:00:00", "12:01:00"));
        assert_eq!(coverage.covered_until(t("12:05:59")), Some(Minute::of(t("11:00:00"))));
        assert_eq!(coverage.covered_until(t("12:06:00")), Some(Minute::of(t("12:00:00"))));
    }

    #[test]
    fn a_late_arrival_counts_for_whoever_began_to_look_just_before_it() {
        let coverage = Coverage::default()
            .hearing(&heard("10:00:00", "10:00:01"))
            .hearing(&heard("12:00:00", "12:00:01"))
            .hearing(&heard("11:00:00", "12:01:01"));
        assert_eq!(coverage.covered_until(t("12:01:00")), Some(Minute::of(t("11:00:00"))));
        assert_eq!(coverage.covered_until(t("11:56:00")), Some(Minute::of(t("12:00:00"))), "the clock was set back");
    }

    #[test]
    fn another_late_arrival_within_the_calm_keeps_the_earlier_event_time() {
        let coverage = Coverage::default()
            .hearing(&heard("10:00:00", "10:00:01"))
            .hearing(&heard("12:00:00", "12:00:01"))
            .hearing(&heard("11:00:00", "12:01:00"))
            .hearing(&heard("11:30:00", "12:05:00"));
        assert_eq!(coverage.covered_until(t("12:09:59")), Some(Minute::of(t("11:00:00"))));
        assert_eq!(coverage.covered_until(t("12:10:00")), Some(Minute::of(t("12:00:00"))));
    }

    #[test]
    fn a_future_event_time_never_covers() {
        let coverage = Coverage::default().hearing(&heard("10:00:00", "10:00:01")).hearing(&Heard::default().and(
            t("12:00:00"),
            t("12:00:00"),
            true,
        ));
        assert_eq!(coverage.covered_until(t("12:00:00")), Some(Minute::of(t("10:00:00"))));
    }

    #[test]
    fn quiet_time_is_covered_time() {
        let coverage =
            Coverage::default().hearing(&heard("10:00:00", "10:00:01")).hearing(&heard("10:20:00", "10:20:01"));
        assert_eq!(coverage.quiet_since(t("10:05:00"), t("15:00:00")), SignedDuration::from_mins(15));
        assert_eq!(coverage.quiet_since(t("02:00:00"), t("15:00:00")), SignedDuration::from_mins(20));
    }
}
