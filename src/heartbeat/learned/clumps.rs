//! Messages that come together: how much more than Poisson's the counts of five minutes scatter where that goes with the
//! mean (a compound Poisson process), not with its square (a rate that varies).

use super::grid::Day;
use super::profile::Vary;

/// Days by five minutes that give one measurement; the middle one of all counts, so no outage and no blast decides.
const DAYS: usize = 7;

/// Larger ones are batches, or a mistake.
const MOST: f64 = 20.0;

/// What the square of the mean goes with is taken to be within about this, until the counts say more (relative standard
/// deviation, squared).
const UNEVEN: f64 = 0.3;

/// Five minutes that hold nearly all of their hour tell nothing about the others.
const LEAST_FREE: f64 = 0.2;

/// [`Vary::clumps`], from the `expected` of a day's hour at full coverage and the parts' shares of it. `before` is the
/// last guess.
pub fn of(days: &[Day], expected: impl Fn(&Day, usize) -> f64, parts: &[f64], before: &Vary) -> f64 {
    let fine: Vec<&Day> = days.iter().filter(|day| !day.parts.is_empty()).collect();
    let mut weight = 0.0;
    let mut weeks: Vec<f64> = fine
        .chunks(DAYS)
        .filter_map(|week| {
            let mut line = Line::default();
            week.iter().for_each(|day| add(&mut line, day, &expected, parts, before));
            weight += line.weight;
            line.at_zero()
        })
        .collect();
    weeks.sort_by(f64::total_cmp);
    let place = |place: usize| weeks.get(place).copied().unwrap_or(0.0);
    let middle = (place(weeks.len() / 2) + place(weeks.len().saturating_sub(1) / 2)) / 2.0;
    // No more than the counts bear out: less one standard error.
    let error = (1.0 + middle.max(0.0)) / weight.max(1.0).sqrt();
    (middle - error).clamp(0.0, MOST)
}

fn add(line: &mut Line, day: &Day, expected: impl Fn(&Day, usize) -> f64, parts: &[f64], before: &Vary) {
    let known_at = (1.0 + before.clumps) / (before.day + before.hour).max(1e-6);
    for (index, cell) in &day.parts {
        let h = usize::from(*index) / 12;
        let Some(hour) = day.hours.get(h) else { continue };
        let full = expected(day, h);
        let (of_hour, usual) = (full * hour.covered, full * parts.get(usize::from(*index)).copied().unwrap_or(0.0));
        if usual <= 0.0 || of_hour <= 0.0 {
            continue;
        }
        // The hour's rate as far as its count tells it; what these five minutes add to that count is not free to vary.
        let tells = of_hour / (of_hour + known_at);
        let mean = usual * (1.0 + tells * (hour.count / of_hour - 1.0));
        let free = 1.0 - usual / of_hour * tells * (2.0 - tells);
        if mean > 0.0 && free > LEAST_FREE {
            line.add(mean, (cell.count - mean).powi(2) / (mean * free) - 1.0);
        }
    }
}

/// A straight line through variance beyond Poisson's / mean, over the mean: least squares, weighted by what chance makes
/// of a square (variance 2 + 1 / mean).
#[derive(Clone, Copy, Default)]
struct Line {
    weight: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
}

impl Line {
    fn add(&mut self, mean: f64, over: f64) {
        let weight = mean / (1.0 + 2.0 * mean);
        self.weight += weight;
        self.x += weight * mean;
        self.y += weight * over;
        self.xx += weight * mean * mean;
        self.xy += weight * mean * over;
    }

    /// What is left where the mean is 0. The line does not fall.
    fn at_zero(&self) -> Option<f64> {
        if self.weight <= 0.0 {
            return None;
        }
        let (x, y) = (self.x / self.weight, self.y / self.weight);
        let slope = (self.xy - self.x * y) / (self.xx - self.x * x + 1.0 / (UNEVEN * UNEVEN));
        Some(y - slope.max(0.0) * x)
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use crate::heartbeat::learned::local::{SLOTS_A_DAY, instant};
    use crate::heartbeat::learned::tests::Dice;
    use crate::heartbeat::learned::{Bin, Learned, learn};

    /// Eight weeks by five minutes, ten times as many by day as by night, `together` at once; a day was lost, and one hour
    /// had as many as two days.
    fn learned_clumps(together: u32, a_day: f64, seed: u64) -> f64 {
        let mut dice = Dice(seed);
        let days = 57;
        let from = 70_000 * SLOTS_A_DAY;
        let bins: Vec<Bin> = (0..days * SLOTS_A_DAY)
            .map(|slot| {
                let (day, hour) = (slot / SLOTS_A_DAY, slot % SLOTS_A_DAY / 12);
                let share = if (8..20).contains(&hour) { 10.0 } else { 1.0 } / (11.0 * 144.0);
                let mean = match (day, hour) {
                    (20, _) => 0.0,
                    (33, 11) => a_day / 6.0,
                    _ => a_day * share,
                };
                let count = together * dice.poisson(mean / f64::from(together));
                Bin { from: from + slot, slots: 1, count, covered: 1 }
            })
            .collect();
        match learn(&bins, &TimeZone::UTC, &[], instant(from + days * SLOTS_A_DAY)) {
            Learned::Ready(profile) => profile.vary.clumps,
            Learned::Learning { .. } => panic!("eight weeks are enough"),
        }
    }

    #[test]
    fn how_many_come_together_is_learned_through_an_outage_and_a_blast() {
        // Below that, clumps of so many are taken for batches.
        for (together, a_day, least, most) in [
            (1, 30.0, 0.0, 0.1),
            (1, 3_000.0, 0.0, 0.1),
            (3, 1_500.0, 1.5, 2.5),
            (3, 4_000.0, 1.5, 2.5),
            (5, 4_000.0, 2.8, 5.0),
        ] {
            for seed in 1..4 {
                let clumps = learned_clumps(together, a_day, seed);
                assert!((least..=most).contains(&clumps), "{together} at {a_day} a day: {clumps}");
            }
        }
    }
}
