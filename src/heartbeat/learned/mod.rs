//! What a workflow usually does, learned from its last eight weeks, and whether it does so now.
//!
//! [`learn`] makes a [`Profile`] from history, once a local day. [`Profile::judge`] compares the recent counts with it,
//! every five minutes. Both are pure: a crash loses nothing, since nothing runs along; the same counts give the same
//! verdict.
//!
//! The model: a count is Poisson around `level x hour of the week x five minutes of the hour`, and the rate itself varies
//! on three scales: from day to day, from hour to hour within a day, from five minutes to five minutes within an hour.
//! Messages may come in clumps: then they scatter more than Poisson's at every scale. How much is measured on the history, scale by scale. `docs/heartbeats.md` shows how well that does.

mod clumps;
pub mod detect;
mod fit;
mod grid;
pub mod judge;
mod level;
pub mod local;
mod peaks;
pub mod profile;
mod tail;
mod vary;
mod windows;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use fit::learn;
pub use judge::{Reading, Verdict};
pub use profile::{Learned, Profile};

/// Days of history that count: eight weeks, so each weekday is seen eight times.
pub const HISTORY_DAYS: i32 = 56;

/// Covered days below which nothing is judged: each weekday was seen twice.
pub const MIN_DAYS: f64 = 14.0;

/// How far back the test looks. What expects too little in that time is not judged.
pub const REACH_DAYS: i64 = 28;

/// How often something happened between two instants, and how much of that time we heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bin {
    /// The first five-minute slot: Unix time / 300 s.
    pub from: i64,
    /// Its length in slots: 1, 12 (an hour of the local clock), or a whole local day (276, 288, 300).
    pub slots: u16,
    pub count: u32,
    /// How many of its slots are covered. What we could not hear is missing, not zero.
    pub covered: u16,
}

impl Bin {
    /// `minutes` long, rounded to slots; `covered_minutes` of it are covered, a slot only if all of it is.
    pub fn new(from: Timestamp, minutes: i64, count: u32, covered_minutes: i64) -> Self {
        let slots = (minutes / 5).clamp(1, i64::from(u16::MAX)) as u16;
        let covered = (covered_minutes / 5).clamp(0, i64::from(slots)) as u16;
        Self { from: local::slot_of(from), slots, count, covered }
    }

    /// The first slot after it.
    pub fn end(&self) -> i64 {
        self.from + i64::from(self.slots)
    }
}

#[cfg(test)]
mod tests;
