//! How much the rate varies on each scale: moments of what the profile does not explain.

use super::clumps;
use super::grid::Day;
use super::profile::{BATCHES, Vary};

/// Days' rates vary by at least this (relative variance): 56 days do not show everything that can happen.
const DAY_FLOOR: f64 = 0.02;

/// The same for hours and for five minutes.
const HOUR_FLOOR: f64 = 0.004;
const PART_FLOOR: f64 = 0.002;

/// Days by five minutes below which nothing is known about the time within an hour; then it is taken to vary so much
/// that only whole hours are judged.
const FINE_DAYS: f64 = 3.0;
const UNKNOWN_PARTS: f64 = 1.0;

/// Residuals beyond this many standard deviations are outages and blasts; they count as if they were just there.
const CLIP: f64 = 6.0;

/// Sums of squares beyond Poisson's, and what they say about a relative variance.
#[derive(Clone, Copy, Default)]
struct Moments {
    squares: f64,
    /// What `squares` would be at a relative variance of 1.
    unit: f64,
    /// The variance of `squares` that Poisson's noise alone makes.
    noise: f64,
}

/// What is likely before counts are seen: a relative variance, how sure that is (standard deviation), and the share of
/// the measured weight that it keeps however many counts there are.
struct Prior {
    value: f64,
    spread: f64,
    keeps: f64,
}

impl Moments {
    /// `clump` messages come together: so many times Poisson's noise.
    fn add(&mut self, off: f64, mean: f64, clump: f64) {
        let noise = clump * mean;
        self.squares += off * off - noise;
        self.unit += mean * mean;
        self.noise += clump * clump * noise + 2.0 * noise * noise;
    }

    /// `over` corrects for the profile having been fitted to the same counts.
    fn value(&self, prior: &Prior, over: f64) -> f64 {
        if self.unit <= 0.0 {
            return prior.value;
        }
        let measured = (self.squares * over / self.unit).max(0.0);
        let known = self.unit * self.unit / self.noise.max(1e-12);
        let weight = 1.0 / (prior.spread * prior.spread) + prior.keeps * known;
        (measured * known + prior.value * weight) / (known + weight)
    }
}

/// `expected` gives what a day's hour should have at full coverage, and the parts' shares of it.
pub fn estimate(days: &[Day], expected: impl Fn(&Day, usize) -> f64, parts: &[f64], before: &Vary) -> Vary {
    // Batches are judged by the hour: what their minutes do is not looked at. Nor is what is hardly known.
    let fine_days = days.iter().map(|day| day.parts.len() as f64 / 288.0).sum::<f64>();
    let by_minutes = fine_days >= FINE_DAYS && before.part <= BATCHES;
    let clumps = if by_minutes { clumps::of(days, &expected, parts, before) } else { 0.0 };
    let clump = 1.0 + clumps;
    let (mut day_cross, mut whole, mut hour, mut part) =
        (Moments::default(), Moments::default(), Moments::default(), Moments::default());
    let mut so_far: Vec<Moments> = (0..24).map(|_| Moments::default()).collect();
    let (mut full_days, mut hours_squared, mut days_squared) = (0.0, 0.0, 0.0);
    for day in days {
        if let Some(cell) = day.whole {
            let mean: f64 = (0..24).map(|h| expected(day, h)).sum::<f64>() * cell.covered;
            let off = clipped(cell.count - mean, mean, clump, before.whole_day);
            whole.add(off, mean, clump);
            continue;
        }
        let (mut sum, mut mean, mut own, mut own_unit, mut covered) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (h, cell) in day.hours.iter().enumerate() {
            let m = expected(day, h) * cell.covered;
            let off = clipped(cell.count - m, m, clump, before.day + before.hour);
            sum += off;
            mean += m;
            covered += cell.covered;
            own += off * off;
            own_unit += m * m;
            hour.add(off, m, clump);
            if covered >= 0.9 * (h + 1) as f64
                && let Some(moments) = so_far.get_mut(h)
            {
                let off = clipped(sum, mean, clump, before.so_far.get(h).copied().unwrap_or(0.2));
                moments.add(off, mean, clump);
            }
        }
        if covered > 20.0 {
            let off = clipped(sum, mean, clump, before.whole_day);
            whole.add(off, mean, clump);
            full_days += 1.0;
            hours_squared += own_unit;
            days_squared += mean * mean;
        }
        // Products of different hours: Poisson's noise is not in them, nor what is an hour's own.
        day_cross.squares += sum * sum - own;
        day_cross.unit += mean * mean - own_unit;
        let noise = clump * mean;
        day_cross.noise += clump * clump * noise + 2.0 * noise * noise;
        for (index, cell) in &day.parts {
            let h = usize::from(*index) / 12;
            let scale = day.hours.get(h).map_or(0.0, |c| {
                let m = expected(day, h) * c.covered;
                // Given the hour's own rate, as far as its count tells it.
                (c.count + 5.0) / (m + 5.0)
            });
            let m = expected(day, h) * parts.get(usize::from(*index)).copied().unwrap_or(0.0) * scale;
            let off = clipped(cell.count - m, m, clump, before.part);
            part.add(off, m, clump);
        }
    }
    let fitted = 1.0 + 10.0 / (full_days + 5.0);
    let by_hour = hour.value(&Prior { value: 0.05, spread: 0.1, keeps: 0.01 }, 1.2);
    let prior = Prior { value: 0.03, spread: 0.1, keeps: 0.05 };
    let day = day_cross.value(&prior, fitted).min(by_hour);
    // What is the day's is not the hour's: before the floors.
    let hour = (by_hour - day).max(HOUR_FLOOR);
    // So many days leave the variance between them in doubt: one standard error more, as of normal ones.
    let unsure = 1.0 + (2.0 / f64::max(full_days, 8.0)).sqrt();
    let day = (unsure * day).max(DAY_FLOOR);
    let prior = Prior { value: day + 0.02, ..prior };
    let mut so_far: Vec<f64> = so_far.iter().map(|m| (unsure * m.value(&prior, fitted)).max(DAY_FLOOR)).collect();
    so_far.resize(24, day);
    let part = if fine_days >= FINE_DAYS {
        part.value(&Prior { value: 0.1, spread: 0.3, keeps: 0.005 }, 1.1).max(PART_FLOOR)
    } else {
        UNKNOWN_PARTS
    };
    let share = if days_squared > 0.0 { hours_squared / days_squared } else { 0.1 };
    let whole_day = whole.value(&Prior { value: day + hour * share, ..prior }, fitted);
    let whole_day = (unsure * whole_day).max(DAY_FLOOR);
    Vary { part, clumps, hour, day, whole_day, so_far }
}

fn clipped(off: f64, mean: f64, clump: f64, vary: f64) -> f64 {
    let most = CLIP * (clump * mean + vary * mean * mean).sqrt() + 2.0 * clump;
    off.clamp(-most, most)
}
