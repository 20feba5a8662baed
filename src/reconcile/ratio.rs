//! What a workflow usually makes of what comes in. Filters and re-entry limits leave people out by design, so between
//! an event and a journey, and between a journey and a message, only a change against the days before means anything.

/// Days that a usual ratio is learned from, at most.
pub const DAYS: usize = 28;

/// Fewer days teach nothing.
pub const MIN_DAYS: usize = 7;

/// A fall below the usual that is worth an alert, as a fraction of it: ratios move by themselves as customers do.
pub const FALL: f64 = 0.25;

/// How far beyond chance and the usual spread a fall must lie, in standard deviations: with one look a day, 1 in 30,000.
const Z: f64 = 4.0;

/// A ratio as the days before show it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usual {
    pub ratio: f64,
    /// One standard deviation of the daily ratio, robust against days that were ill.
    spread: f64,
}

/// The median and the spread of `outcome / base` over days with both; the newest [`DAYS`] count, the newest last.
pub fn learn(days: &[(u64, u64)]) -> Option<Usual> {
    let newest = days.iter().rev().filter(|(base, _)| *base > 0).take(DAYS);
    let mut ratios: Vec<f64> = newest.map(|(base, outcome)| *outcome as f64 / *base as f64).collect();
    if ratios.len() < MIN_DAYS {
        return None;
    }
    let ratio = median(&mut ratios);
    let mut off: Vec<f64> = ratios.iter().map(|other| (other - ratio).abs()).collect();
    // Of a normal distribution, the median of what is off is 0.6745 standard deviations.
    Some(Usual { ratio, spread: median(&mut off) / 0.674_5 })
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().saturating_sub(1) / 2, values.len() / 2);
    (values.get(low).copied().unwrap_or_default() + values.get(high).copied().unwrap_or_default()) / 2.0
}

impl Usual {
    /// What is to be expected of `base`.
    pub fn expected(self, base: u64) -> u64 {
        (base as f64 * self.ratio).round() as u64
    }

    /// Whether so little came of `base` that neither chance nor the usual spread explains it.
    pub fn is_fallen(self, base: u64, outcome: u64) -> bool {
        let (base, outcome) = (base as f64, outcome as f64);
        let expected = base * self.ratio;
        let deviation = (expected + (base * self.spread).powi(2)).sqrt();
        self.is_low(base, outcome) && expected - outcome > Z * deviation
    }

    /// Whether it fell by [`FALL`], by chance or not.
    pub fn is_low(self, base: f64, outcome: f64) -> bool {
        outcome < base * self.ratio * (1.0 - FALL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_learned_from_a_week_and_ill_days_do_not_move_it() {
        let mut days = vec![(1_000, 600); 6];
        assert_eq!(learn(&days), None);
        days.extend([(0, 0), (1_000, 610), (1_000, 0)]);
        let usual = learn(&days).expect("eight days");
        assert_eq!(usual.expected(500), 300);
        assert!(!usual.is_fallen(1_000, 560));
        assert!(usual.is_fallen(1_000, 300));
        assert!(!usual.is_fallen(10, 0), "6 expected and none came is chance once a year");
    }
}
