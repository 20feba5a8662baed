//! Counts by minute, made for sums over windows.

use crate::clock::Minute;

/// How many there were in each minute. The sum over a window takes two look-ups, however long the window is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The minutes that have any, ascending.
    minutes: Vec<Minute>,
    /// The sum of all minutes before the one at the same place; one more at the end.
    before: Vec<u64>,
}

impl FromIterator<(Minute, u64)> for Counts {
    fn from_iter<I: IntoIterator<Item = (Minute, u64)>>(counts: I) -> Self {
        let mut counts: Vec<(Minute, u64)> = counts.into_iter().collect();
        counts.sort_unstable_by_key(|(minute, _)| *minute);
        let (mut minutes, mut before) = (Vec::with_capacity(counts.len()), Vec::with_capacity(counts.len() + 1));
        before.push(0);
        let mut so_far: u64 = 0;
        for (minute, count) in counts {
            so_far = so_far.saturating_add(count);
            match before.last_mut().filter(|_| minutes.last() == Some(&minute)) {
                Some(sum) => *sum = so_far,
                None => {
                    minutes.push(minute);
                    before.push(so_far);
                }
            }
        }
        Self { minutes, before }
    }
}

impl Counts {
    /// How many there were from one minute to another, both included.
    pub fn sum(&self, from: Minute, to: Minute) -> u64 {
        self.up_to(to).saturating_sub(self.up_to(from.plus(-1)))
    }

    /// The minutes that have any, in [from, to], ascending.
    pub fn minutes(&self, from: Minute, to: Minute) -> impl Iterator<Item = Minute> + '_ {
        let begin = self.minutes.partition_point(|m| *m < from);
        self.minutes.iter().skip(begin).copied().take_while(move |m| *m <= to)
    }

    /// Every window of a length that begins with a minute in [from, to] that has any: its begin and its sum. All of them
    /// take one walk.
    pub fn windows(&self, from: Minute, to: Minute, length: i64) -> impl Iterator<Item = (Minute, u64)> + '_ {
        let begin = self.minutes.partition_point(|m| *m < from);
        let mut end = begin;
        let before = |place: usize| self.before.get(place).copied().unwrap_or_default();
        self.minutes.iter().enumerate().skip(begin).take_while(move |(_, m)| **m <= to).map(move |(place, minute)| {
            while self.minutes.get(end).is_some_and(|m| *m <= minute.plus(length)) {
                end += 1;
            }
            (*minute, before(end).saturating_sub(before(place)))
        })
    }

    /// All minutes that have any, ascending.
    pub fn all_minutes(&self) -> impl Iterator<Item = Minute> + '_ {
        self.minutes.iter().copied()
    }

    fn up_to(&self, minute: Minute) -> u64 {
        self.before.get(self.minutes.partition_point(|m| *m <= minute)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_sum_is_the_sum(counts in proptest::collection::vec((0i64..50, 0u64..9), 0..30), a in -5i64..55, b in -5i64..55) {
            let truly: u64 = counts.iter().filter(|(m, _)| (a..=b).contains(m)).map(|(_, n)| n).sum();
            let summed: Counts = counts.iter().map(|(m, n)| (Minute(*m), *n)).collect();
            prop_assert_eq!(summed.sum(Minute(a), Minute(b)), truly);
            let within: Vec<_> = summed.minutes(Minute(a), Minute(b)).collect();
            prop_assert!(within.is_sorted() && within.iter().all(|m| (a..=b).contains(&m.0)));
            let windows: Vec<_> = summed.windows(Minute(a), Minute(b), 7).collect();
            prop_assert_eq!(windows, within.iter().map(|m| (*m, summed.sum(*m, m.plus(7)))).collect::<Vec<_>>());
        }
    }
}
