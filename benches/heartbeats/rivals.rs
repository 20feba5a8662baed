//! Other tests on the same traffic. Each is a number per slot; above a threshold it pages.

use super::world::{DAY, Traffic, Workload};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rival {
    /// The best possible against a total stop: how unlikely the silence is, for one who knows the mean of every five
    /// minutes, how much days and hours vary, and what this day and hour had so far.
    BestSilence,
    /// The best possible against a rate of this share: Page's sequential likelihood-ratio test (CUSUM), one-sided, with
    /// the same knowledge of mean and dispersion.
    BestShare(f64),
    /// Exponentially weighted mean of the hours (weight 0.1), against mean and deviation of the same over four weeks.
    Ewma { up: bool },
    /// At the end of the local day, against a fixed number.
    DayEnd { up: bool },
}

impl Rival {
    /// What is known of this fault: share of the traffic that is left.
    pub fn best(left: f64) -> Vec<Self> {
        if left < 0.2 { vec![Self::BestSilence, Self::BestShare(left.max(0.02))] } else { vec![Self::BestShare(left)] }
    }

    pub fn scores(self, load: &Workload, a_day: f64, traffic: &Traffic) -> Vec<f64> {
        match self {
            Self::BestSilence => silence(load, traffic),
            Self::BestShare(share) => cusum(load, traffic, share),
            Self::Ewma { up } => ewma(traffic, if up { 1.0 } else { -1.0 }),
            Self::DayEnd { up } => day_end(traffic, a_day, if up { 1.0 } else { -1.0 }),
        }
    }
}

/// A gamma factor's posterior: prior weight, expected and seen so far.
#[derive(Clone, Copy)]
struct Factor {
    weight: f64,
    seen: f64,
    expected: f64,
}

impl Factor {
    fn new(vary: f64) -> Self {
        Self { weight: 1.0 / vary.max(1e-6), seen: 0.0, expected: 0.0 }
    }

    fn mean(&self) -> f64 {
        (self.weight + self.seen) / (self.weight + self.expected)
    }
}

fn silence(load: &Workload, traffic: &Traffic) -> Vec<f64> {
    let (mut day, mut hour) = (Factor::new(load.day_vary), Factor::new(load.hour_vary));
    let (mut last_day, mut last_hour) = (i32::MIN, usize::MAX);
    let mut score = 0.0;
    let slots = traffic.counts.iter().zip(&traffic.means).zip(&traffic.places);
    slots
        .map(|((count, mean), place)| {
            if place.day != last_day {
                (day, last_day) = (Factor::new(load.day_vary), place.day);
            }
            if place.hour != last_hour {
                (hour, last_hour) = (Factor::new(load.hour_vary), place.hour);
            }
            let count = f64::from(*count);
            let expected = mean * day.mean();
            if count > 0.0 {
                score = 0.0;
            } else {
                // Silence in what was left of a gamma factor: negative binomial, given all before.
                let size = hour.weight + hour.seen;
                score += size * (expected / (hour.weight + hour.expected)).ln_1p();
            }
            hour.seen += count;
            hour.expected += expected;
            // The hours' own variation blurs what a day's counts say about the day.
            let sharp = 1.0 / (1.0 + load.hour_vary * mean * 12.0);
            day.seen += count * sharp;
            day.expected += mean * sharp;
            score
        })
        .collect()
}

fn cusum(load: &Workload, traffic: &Traffic, share: f64) -> Vec<f64> {
    // Evidence within a day is correlated by as much as days vary: hours are summed first.
    let size = 1.0 / (load.day_vary + load.hour_vary).max(1e-4);
    let (mut score, mut count, mut mean, mut hour) = (0.0_f64, 0.0, 0.0, usize::MAX);
    let llr =
        |count: f64, mean: f64| count * share.ln() + (count + size) * ((size + mean) / (size + share * mean)).ln();
    let slots = traffic.counts.iter().zip(&traffic.means).zip(&traffic.places);
    slots
        .map(|((n, m), place)| {
            if place.hour != hour {
                score = (score + llr(count, mean)).max(0.0);
                (count, mean, hour) = (0.0, 0.0, place.hour);
            }
            count += f64::from(*n);
            mean += m;
            (score + llr(count, mean)).max(0.0)
        })
        .collect()
}

fn ewma(traffic: &Traffic, sign: f64) -> Vec<f64> {
    let (mut smooth, mut mean, mut square) = (0.0_f64, 0.0_f64, 0.0_f64);
    let mut score = 0.0;
    let mut hours = 0.0_f64;
    let (mut count, mut hour) = (0.0, usize::MAX);
    traffic
        .counts
        .iter()
        .zip(&traffic.places)
        .map(|(n, place)| {
            if place.hour != hour {
                hours += 1.0;
                smooth += (count - smooth) * 0.1_f64.max(1.0 / hours);
                let slow = (1.0 / (28.0 * 24.0_f64)).max(1.0 / hours);
                let deviation = (square - mean * mean).max(1e-9).sqrt();
                score = sign * (smooth - mean) / deviation;
                mean += (smooth - mean) * slow;
                square += (smooth * smooth - square) * slow;
                (count, hour) = (0.0, place.hour);
            }
            count += f64::from(*n);
            if hours > 24.0 * 14.0 { score } else { 0.0 }
        })
        .collect()
}

fn day_end(traffic: &Traffic, a_day: f64, sign: f64) -> Vec<f64> {
    let (mut count, mut day) = (0.0, i32::MIN);
    traffic
        .counts
        .iter()
        .zip(&traffic.places)
        .map(|(n, place)| {
            let ended = place.day != day && day != i32::MIN;
            let score = if ended { sign * count / a_day } else { f64::NEG_INFINITY };
            if place.day != day {
                (count, day) = (0.0, place.day);
            }
            count += f64::from(*n);
            score
        })
        .collect()
}

/// The threshold that pages so many times a year: the days' largest scores, as many of them above it.
pub fn threshold(rival: Rival, load: &Workload, a_day: f64, years: &[Traffic], a_year: f64) -> f64 {
    let skip = 56 * DAY as usize;
    let mut largest: Vec<f64> = years
        .iter()
        .flat_map(|traffic| {
            let scores = rival.scores(load, a_day, traffic);
            scores[skip..]
                .chunks(DAY as usize)
                .map(|day| day.iter().copied().fold(f64::NEG_INFINITY, f64::max))
                .collect::<Vec<_>>()
        })
        .collect();
    largest.sort_by(|a, b| b.total_cmp(a));
    let place = (a_year * years.len() as f64).round().max(1.0) as usize;
    // Strictly above the next one.
    largest[place.min(largest.len() - 1)]
}
