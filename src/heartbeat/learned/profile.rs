//! What is usual: the profile, and what it expects of a stretch of time.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::local::{self, Local, Place};

/// What [`super::learn`] makes of a history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Learned {
    /// Too little history. `covered_days` of `needed_days`.
    Learning {
        covered_days: f64,
        needed_days: f64,
    },
    Ready(Box<Profile>),
}

/// What is usual for a workflow. Small (under 16 KB as JSON), and a cache only: it follows from the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The local day that it was made for (days since 1970-01-01); history ends before it.
    pub made_for: i32,
    /// Events of an average day, at the beginning of that day.
    pub level: f64,
    /// How ln(level) changes a day.
    pub growth: f64,
    /// Relative variance of the level: how far we may be off.
    pub level_doubt: f64,
    /// Share of an average day's events in each hour of the week, Monday 0:00 first; they sum to 7.
    pub hours: Vec<f64>,
    /// Relative variance of each of them.
    pub doubts: Vec<f64>,
    /// Share of an hour's events in each of its twelve parts, by hour of the day.
    pub parts: Vec<f64>,
    pub vary: Vary,
    /// The largest excess over what was expected in windows of [`WINDOWS_H`] hours, as a factor.
    pub peaks: Vec<f64>,
    /// Whether the hours are known, or only whole days.
    pub by_hour: bool,
    /// Covered days that it was learned from.
    pub covered_days: f64,
}

/// Lengths of the windows whose largest excess is kept, in hours.
pub const WINDOWS_H: [usize; 7] = [4, 8, 24, 48, 96, 168, 336];

/// Relative variance of the rate, by scale.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Vary {
    /// Between five minutes of an hour, beyond the hour's own.
    pub part: f64,
    /// Messages that come in clumps: so many times Poisson's variance beyond it, at every scale. Where `n` always come
    /// together it is `n - 1` (compound Poisson).
    #[serde(default)]
    pub clumps: f64,
    /// Between hours of a day, beyond the day's own.
    pub hour: f64,
    /// Common to all hours of a day.
    pub day: f64,
    /// Of the day's sum, measured directly.
    pub whole_day: f64,
    /// Of the count from midnight to the end of each hour, measured directly.
    pub so_far: Vec<f64>,
}

/// Where the rate within an hour varies more than this, messages come in batches.
pub(super) const BATCHES: f64 = 0.4;

impl Profile {
    /// Whether messages come in batches, or nothing is known of the time within the hour: whole hours are judged, then.
    pub fn in_batches(&self) -> bool {
        self.vary.part > BATCHES
    }

    /// Events of an average day, on this day.
    pub fn level_on(&self, day: i32) -> f64 {
        self.level * (self.growth * f64::from((day - self.made_for).clamp(-56, 7))).exp()
    }

    /// Expected in an hour of the week, at the level of 1 event a day.
    pub fn hour_share(&self, place: Place) -> f64 {
        self.hours.get(place.weekday * 24 + place.hour).copied().unwrap_or(0.0)
    }

    pub(super) fn doubt(&self, place: Place) -> f64 {
        self.doubts.get(place.weekday * 24 + place.hour).copied().unwrap_or(0.0)
    }

    /// Share of an hour's events in one of its twelve parts.
    pub fn part_share(&self, place: Place) -> f64 {
        self.parts.get(place.hour * 12 + place.part).copied().unwrap_or(1.0 / 12.0)
    }

    /// Expected in one slot.
    pub fn expected_in_slot(&self, place: Place) -> f64 {
        self.level_on(place.day) * self.hour_share(place) * self.part_share(place)
    }

    /// Expected between two instants, `except` dates left out: for blindness, and for text.
    pub fn expected(&self, from: Timestamp, to: Timestamp, zone: &TimeZone, except: &[Date]) -> f64 {
        let except: Vec<i32> = except.iter().map(|date| local::day_of(*date)).collect();
        let mut clock = Local::new(zone);
        (local::slot_of(from)..local::slot_of(to))
            .map(|slot| clock.place(slot))
            .filter(|place| !except.contains(&place.day))
            .map(|place| self.expected_in_slot(place))
            .sum()
    }
}
