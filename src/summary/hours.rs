//! Counts by hour of a local day, kept as short text: a summary is read four hundred at a time, and most of its numbers
//! are never looked at.

use serde::{Deserialize, Serialize};

/// Hours of the longest local day.
pub const LONGEST_DAY: usize = 25;

/// Counts by hour since the local day's first instant, not by the clock: a day of 23 or 25 hours has no gap and no twin.
/// Written `4,,7`: a zero is nothing, and zeros at the end are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hours(Box<str>);

impl Hours {
    pub fn of(counts: &[u64]) -> Self {
        let last = counts.iter().rposition(|count| *count > 0).map_or(0, |at| at + 1);
        let shown = |count: &u64| if *count == 0 { String::new() } else { count.to_string() };
        Self(counts.iter().take(last).map(shown).collect::<Vec<_>>().join(",").into())
    }

    /// Hour by hour; what cannot be read is zero.
    pub fn counts(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.split(',').take(LONGEST_DAY).map(|count| count.parse().unwrap_or(0))
    }

    pub fn sum(&self) -> u64 {
        self.counts().fold(0, u64::saturating_add)
    }

    /// All hours of a longest day.
    pub fn padded(&self) -> [u64; LONGEST_DAY] {
        let mut hours = [0; LONGEST_DAY];
        hours.iter_mut().zip(self.counts()).for_each(|(hour, count)| *hour = count);
        hours
    }

    /// Nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_short_and_come_back_as_they_were() {
        for (counts, text) in [(&[0, 4, 0, 7, 0][..], ",4,,7"), (&[], ""), (&[0, 0], ""), (&[12], "12")] {
            let hours = Hours::of(counts);
            assert_eq!(&*hours.0, text);
            let last = counts.iter().rposition(|n| *n > 0).map_or(0, |at| at + 1);
            assert_eq!(hours.padded()[..last], counts[..last]);
            assert_eq!(hours.sum(), counts.iter().sum::<u64>());
        }
    }

    #[test]
    fn what_another_version_wrote_is_no_panic() {
        let hours: Hours = serde_json::from_str("\"1,x,3,,,,,,,,,,,,,,,,,,,,,,,,,,,,,9\"").expect("a text");
        assert_eq!(hours.sum(), 4);
    }
}
