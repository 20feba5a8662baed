//! The level of a workflow and how it grows: a Poisson regression of the days' sums on time, recent days first, that no
//! single day can pull far.

/// A day weighs half as much as one this many days later.
const HALF_LIFE_DAYS: f64 = 14.0;

/// Growth is taken to be within about this, a day, until the counts say more (standard deviation; 7 % a week).
const GROWTH_A_DAY: f64 = 0.07 / 7.0;

/// A day pulls no further than this many standard deviations.
const PULL: f64 = 2.5;

/// This many days in a row, all beyond [`PULL`] on one side, are not outliers but the new normal.
pub const NEW_NORMAL_DAYS: usize = 7;

/// A day's sum.
#[derive(Clone, Copy, Debug)]
pub struct DaySum {
    /// Days before the instant that the level is wanted for.
    pub ago: f64,
    pub count: f64,
    /// What the day would have at a level of 1.
    pub expected: f64,
}

#[derive(Clone, Copy, Debug)]
pub struct Level {
    pub level: f64,
    pub growth: f64,
    /// Relative variance of the level.
    pub doubt: f64,
}

impl Level {
    pub fn at(&self, ago: f64) -> f64 {
        self.level * (-self.growth * ago).exp()
    }
}

/// `vary` is the relative variance of a day's rate; so many messages come together (`clump`), and tell as much as one.
pub fn fit(days: &[DaySum], vary: f64, clump: f64) -> Level {
    let days: Vec<DaySum> =
        days.iter().map(|day| DaySum { count: day.count / clump, expected: day.expected / clump, ..*day }).collect();
    let days = days.as_slice();
    let newest = days.iter().rev().filter(|day| day.expected > 0.05).take(NEW_NORMAL_DAYS);
    let since = newest.map(|day| day.ago).fold(0.0, f64::max);
    let (recent, before): (Vec<DaySum>, Vec<DaySum>) = days.iter().copied().partition(|day| day.ago <= since);
    if before.len() < 2 * NEW_NORMAL_DAYS {
        return fit_once(days, vary);
    }
    // Long-lasting change: the last days all lie on one side of what was usual before.
    let usual = fit_once(&before, vary);
    let side = |day: &DaySum| {
        let mean = usual.at(day.ago) * day.expected;
        let off = (day.count - mean) / (mean + (vary + usual.doubt) * mean * mean).sqrt().max(1e-9);
        if off.abs() < PULL { 0.0 } else { off.signum() }
    };
    let sides: f64 = recent.iter().filter(|day| day.expected > 0.05).map(side).sum();
    if sides.abs() >= NEW_NORMAL_DAYS as f64 - 0.5 {
        return fit_once(&recent, vary);
    }
    fit_once(days, vary)
}

fn fit_once(days: &[DaySum], vary: f64) -> Level {
    let mut ratios: Vec<(f64, f64)> =
        days.iter().filter(|d| d.expected > 0.0).map(|d| (d.count / d.expected, weight(d) * d.expected)).collect();
    ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = ratios.iter().map(|(_, w)| w).sum::<f64>() / 2.0;
    let mut seen = 0.0;
    let median = ratios.iter().find(|(_, w)| {
        seen += w;
        seen >= half
    });
    let counts: f64 = days.iter().map(|d| d.count).sum();
    let exposure: f64 = days.iter().map(|d| d.expected).sum();
    let mean = (counts + 0.5) / (exposure + 0.5);
    // The median of small counts is 0 or 1; the mean is better there.
    let start = median.map_or(mean, |(ratio, _)| if counts / days.len().max(1) as f64 > 10.0 { *ratio } else { mean });
    let (mut a, mut b) = (start.max(1e-6).ln(), 0.0);
    let mut doubt = 1.0;
    for _ in 0..12 {
        let prior = 1.0 / (GROWTH_A_DAY * GROWTH_A_DAY);
        // Gradient and information of the penalised log-likelihood; a weak prior on the level keeps it finite.
        let (mut ga, mut gb, mut iaa, mut iab, mut ibb) = (0.0, -prior * b, 1e-3, 0.0, prior);
        let mut squares = 1e-3;
        for day in days.iter().filter(|day| day.expected > 0.0) {
            let t = -day.ago;
            let mean = (a + b * t).exp() * day.expected;
            let spread = (mean + vary * mean * mean).sqrt();
            let count = day.count.clamp(mean - PULL * spread, mean + PULL * spread);
            let w = weight(day) / (1.0 + vary * mean);
            ga += w * (count - mean);
            gb += w * (count - mean) * t;
            iaa += w * mean;
            iab += w * mean * t;
            ibb += w * mean * t * t;
            squares += weight(day) * w * mean;
        }
        let det = (iaa * ibb - iab * iab).max(1e-12);
        let (da, db) = ((ibb * ga - iab * gb) / det, (iaa * gb - iab * ga) / det);
        a += da.clamp(-1.0, 1.0);
        b += db.clamp(-0.02, 0.02);
        // Weights forget: the variance is that of the weighted sum (sandwich), about half of the naive inverse.
        doubt = ibb / det * (squares / iaa).min(1.0);
        if da.abs() < 1e-4 {
            break;
        }
    }
    Level { level: a.exp(), growth: b, doubt: doubt.clamp(0.0, 1.0) }
}

fn weight(day: &DaySum) -> f64 {
    (-day.ago / HALF_LIFE_DAYS).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(count: impl Fn(f64) -> f64) -> Vec<DaySum> {
        (0..56).rev().map(|ago| DaySum { ago: f64::from(ago), count: count(f64::from(ago)), expected: 1.0 }).collect()
    }

    #[test]
    fn growth_and_decline_are_followed() {
        for weekly in [1.05_f64, 0.95] {
            let level = fit(&days(|ago| 1_000.0 * weekly.powf(-ago / 7.0)), 0.01, 1.0);
            assert!((level.level / 1_000.0 - 1.0).abs() < 0.03, "{level:?}");
        }
    }

    #[test]
    fn no_single_day_pulls_far() {
        let level = fit(&days(|ago| if ago == 3.0 { 20_000.0 } else { 1_000.0 }), 0.01, 1.0);
        assert!((level.level / 1_000.0 - 1.0).abs() < 0.05, "{level:?}");
        let level = fit(&days(|ago| if ago == 0.0 { 0.0 } else { 1_000.0 }), 0.01, 1.0);
        assert!((level.level / 1_000.0 - 1.0).abs() < 0.05, "{level:?}");
    }

    #[test]
    fn a_week_of_another_level_is_the_new_normal() {
        let halved = |since: f64| days(move |ago| if ago < since { 500.0 } else { 1_000.0 });
        assert!(fit(&halved(3.0), 0.01, 1.0).level > 750.0);
        assert!((fit(&halved(7.0), 0.01, 1.0).level / 500.0 - 1.0).abs() < 0.05);
    }
}
