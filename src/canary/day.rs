//! A day of round trips, and the digest's line about it.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{HEALTHY, quality};
use crate::message::text;

/// Round trips up to here are kept by the second, longer ones by the whole minute: a day stays small.
const BY_THE_SECOND: i64 = 120;

/// What was sent on one local day and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    pub sent: u64,
    /// Those that the Track API did not take.
    #[serde(default)]
    pub refused: u64,
    /// How many came back after so many seconds.
    #[serde(default)]
    trips: BTreeMap<i64, u64>,
    /// The slowest that came back, in seconds.
    #[serde(default)]
    slowest: i64,
}

impl Day {
    /// One came back.
    pub fn back(&mut self, took: SignedDuration) {
        let seconds = took.as_secs().max(0);
        let kept = if seconds > BY_THE_SECOND { seconds / 60 * 60 } else { seconds };
        *self.trips.entry(kept).or_default() += 1;
        self.slowest = self.slowest.max(seconds);
    }

    /// How many came back.
    pub fn came_back(&self) -> u64 {
        self.trips.values().sum()
    }

    /// Whether as good as all came back, 95 of 100.
    pub fn is_fine(&self) -> bool {
        self.came_back().saturating_mul(100) >= self.sent.saturating_mul(95)
    }

    /// The median round trip; `None` when none came back.
    pub fn median(&self) -> Option<SignedDuration> {
        let middle = self.came_back().div_ceil(2);
        let mut seen = 0;
        for (seconds, count) in &self.trips {
            seen += count;
            if seen >= middle && middle > 0 {
                return Some(SignedDuration::from_secs(*seconds));
            }
        }
        None
    }

    /// `Canary: 288 of 288 came back, median 3 s, slowest 41 s`.
    pub fn line(&self) -> String {
        if self.sent == 0 {
            return "Canary: none was sent".to_owned();
        }
        let mut said = format!("Canary: {} of {} came back", text::number(self.came_back()), text::number(self.sent));
        if let Some(median) = self.median() {
            // What is healthy needs no word.
            let quality = if median < HEALTHY { String::new() } else { format!(" ({})", quality(median)) };
            let slowest = text::duration(SignedDuration::from_secs(self.slowest));
            said += &format!(", median {}{quality}, slowest {slowest}", text::duration(median));
        }
        if self.refused > 0 {
            said += &format!(", {} not taken by the Track API", text::number(self.refused));
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(sent: u64, refused: u64, seconds: &[i64]) -> Day {
        let mut day = Day { sent, refused, ..Day::default() };
        seconds.iter().for_each(|s| day.back(SignedDuration::from_secs(*s)));
        day
    }

    #[test]
    fn a_day_is_a_line() {
        let usual: Vec<i64> = std::iter::repeat_n(3, 287).chain([41]).collect();
        insta::assert_snapshot!(
            [
                day(288, 0, &usual).line(),
                day(288, 3, &[15, 20, 9_660]).line(),
                day(288, 288, &[]).line(),
                day(0, 0, &[]).line(),
            ].join("\n"),
            @"
        Canary: 288 of 288 came back, median 3 s, slowest 41 s
        Canary: 3 of 288 came back, median 20 s (acceptable), slowest 2 h 41 min, 3 not taken by the Track API
        Canary: 0 of 288 came back, 288 not taken by the Track API
        Canary: none was sent
        "
        );
    }

    #[test]
    fn the_median_is_in_the_middle_and_no_clock_makes_it_negative() {
        assert_eq!(day(1, 0, &[]).median(), None);
        assert_eq!(day(3, 0, &[1, 5, 9]).median(), Some(SignedDuration::from_secs(5)));
        assert_eq!(day(4, 0, &[1, 5, 9, 11]).median(), Some(SignedDuration::from_secs(5)));
        assert_eq!(day(1, 0, &[-2]).median(), Some(SignedDuration::ZERO));
    }
}
