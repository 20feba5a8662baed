//! Time as a value: instants are [`jiff::Timestamp`]s handed in as `now`; only edges hold a [`Clock`].

use std::fmt;
use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Where an edge reads the time.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// The system's clock, read through libc so that libfaketime can move it.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still until it is set: for the demo and for tests.
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    pub fn at(start: Timestamp) -> Self {
        Self(Mutex::new(start))
    }

    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(|e| e.into_inner()) = now;
    }

    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap_or_else(|e| e.into_inner());
        *now += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// A whole minute since the Unix epoch: the grain of every tally.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Minute(pub i64);

impl Minute {
    /// The minute that `at` falls in.
    pub fn of(at: Timestamp) -> Self {
        Self(at.as_second().div_euclid(60))
    }

    /// The first instant of the minute.
    pub fn start(self) -> Timestamp {
        Timestamp::from_second(self.0 * 60).unwrap_or(Timestamp::MAX)
    }

    /// The minute `n` later (earlier when negative).
    pub fn plus(self, n: i64) -> Self {
        Self(self.0 + n)
    }
}

impl fmt::Debug for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.start())
    }
}

/// Minutes from `from` up to, not including, `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: Minute,
    pub to: Minute,
}

impl Span {
    pub fn new(from: Minute, to: Minute) -> Self {
        Self { from, to: to.max(from) }
    }

    pub fn contains(&self, minute: Minute) -> bool {
        self.from <= minute && minute < self.to
    }

    /// How many minutes it holds.
    pub fn len(&self) -> i64 {
        self.to.0 - self.from.0
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Whole minutes of a duration, rounded up.
pub fn minutes(of: SignedDuration) -> i64 {
    (of.as_secs() + 59).div_euclid(60)
}
