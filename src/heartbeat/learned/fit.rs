//! Learning: history in, profile out. Outages, blasts and excepted days of the past leave no trace in it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::grid::{self, Day};
use super::level::{self, DaySum, Level};
use super::local::{self, Local};
use super::profile::{Learned, Profile, Vary};
use super::{Bin, HISTORY_DAYS, MIN_DAYS, peaks, vary};

/// Rounds of fitting, cutting off what the fit makes unlikely, and fitting again.
const ROUNDS: usize = 4;

/// ln of the odds at which a stretch of the past is taken for an outage and left out.
const OUTAGE: f64 = 14.0;

/// What was left of the traffic in such an outage, at most about this share.
const OUTAGE_LEAVES: f64 = 0.1;

/// Days with counts by hour below which only whole days are judged.
const HOURLY_DAYS: f64 = 7.0;

/// What is usual, from the whole local days before `now`'s. Times are of the workspace's `zone`; `except` dates are left
/// out. Made once a local day; `bins` are in any order and do not overlap.
pub fn learn(bins: &[Bin], zone: &TimeZone, except: &[Date], now: Timestamp) -> Learned {
    let today = Local::new(zone).place(local::slot_of(now)).day;
    let except: Vec<i32> = except.iter().map(|date| local::day_of(*date)).collect();
    let days = grid::days(bins, zone, today - HISTORY_DAYS, today, &except);
    let covered_days = days.iter().map(covered).sum();
    if covered_days < MIN_DAYS {
        return Learned::Learning { covered_days, needed_days: MIN_DAYS };
    }
    Learned::Ready(Box::new(Fit::new(days, today).run(covered_days)))
}

fn covered(day: &Day) -> f64 {
    match day.whole {
        Some(cell) => cell.covered,
        None => (day.hours.iter().map(|cell| cell.covered).sum::<f64>() / 24.0).min(1.0),
    }
}

struct Fit {
    /// As it was.
    raw: Vec<Day>,
    /// Without outages and blasts.
    days: Vec<Day>,
    today: i32,
    /// 168 shares, sum 7; and their relative variances.
    hours: Vec<f64>,
    doubts: Vec<f64>,
    /// 24 x 12 shares.
    parts: Vec<f64>,
    level: Level,
    vary: Vary,
}

impl Fit {
    fn new(raw: Vec<Day>, today: i32) -> Self {
        let days = without_extremes(&raw);
        // Wide at first, so that only what is beyond doubt is cut off.
        let vary = Vary { part: 0.3, clumps: 0.0, hour: 0.3, day: 0.2, whole_day: 0.2, so_far: vec![0.2; 24] };
        Self {
            days,
            raw,
            today,
            hours: vec![1.0 / 24.0; 168],
            doubts: vec![0.0; 168],
            parts: vec![1.0 / 12.0; 288],
            level: Level { level: 0.0, growth: 0.0, doubt: 0.0 },
            vary,
        }
    }

    fn run(mut self, covered_days: f64) -> Profile {
        self.level = self.fitted_level();
        for round in 0..ROUNDS {
            self.fit_hours(round > 0);
            self.fit_parts();
            self.level = self.fitted_level();
            self.vary = vary::estimate(&self.days, |day, h| self.expected(day, h), &self.parts, &self.vary);
            if round + 1 < ROUNDS {
                self.days = self.raw.clone();
                self.leave_out_outages();
                self.cut_blasts();
            }
        }
        let hourly: f64 = self.days.iter().filter(|d| d.whole.is_none()).map(covered).sum();
        Profile {
            made_for: self.today,
            level: self.level.level,
            growth: self.level.growth,
            level_doubt: self.level.doubt,
            peaks: peaks::of(&self.raw, |day, h| self.expected(day, h)),
            hours: self.hours,
            doubts: self.doubts,
            parts: self.parts,
            vary: self.vary,
            by_hour: hourly >= HOURLY_DAYS,
            covered_days,
        }
    }

    fn level_of(&self, day: &Day) -> f64 {
        self.level.at(f64::from(self.today - day.number))
    }

    fn share(&self, day: &Day, hour: usize) -> f64 {
        self.hours.get(local::weekday(day.number) * 24 + hour).copied().unwrap_or(0.0)
    }

    /// What a fully covered hour of a day should have.
    fn expected(&self, day: &Day, hour: usize) -> f64 {
        self.level_of(day) * self.share(day, hour)
    }

    fn fitted_level(&self) -> Level {
        let sums: Vec<DaySum> = self
            .days
            .iter()
            .map(|day| {
                let ago = f64::from(self.today - day.number) - 0.5;
                match day.whole {
                    Some(cell) => DaySum {
                        ago,
                        count: cell.count,
                        expected: cell.covered * (0..24).map(|h| self.share(day, h)).sum::<f64>(),
                    },
                    None => DaySum {
                        ago,
                        count: day.hours.iter().map(|c| c.count).sum(),
                        expected: (0..).zip(&day.hours).map(|(h, c)| c.covered * self.share(day, h)).sum(),
                    },
                }
            })
            .collect();
        level::fit(&sums, self.vary.whole_day, 1.0 + self.vary.clumps)
    }

    /// Hour of the day, times weekday, times what is special to the cell: each as far as the counts bear it out.
    ///
    /// With `calm`, a day far from what was expected tells its hours, but not its weekday: it counts as if usual.
    fn fit_hours(&mut self, calm: bool) {
        let scales: Vec<f64> = self.days.iter().map(|day| if calm { self.calming(day) } else { 1.0 }).collect();
        let (noise, clump) = ((self.vary.day + self.vary.hour) / 8.0, 1.0 + self.vary.clumps);
        let mut by_hour = [1.0 / 24.0; 24];
        let mut by_weekday = [1.0; 7];
        for _ in 0..3 {
            let (mut counts, mut exposures) = ([0.0; 24], [0.0; 24]);
            let (mut day_counts, mut day_expected) = ([0.0; 7], [0.0; 7]);
            for (day, scale) in self.days.iter().zip(&scales) {
                let (level, weekday) = (self.level_of(day), local::weekday(day.number));
                let factor = at(&by_weekday, weekday);
                if let Some(cell) = day.whole {
                    add(&mut day_counts, weekday, cell.count * scale);
                    add(&mut day_expected, weekday, level * cell.covered);
                    continue;
                }
                for (h, cell) in day.hours.iter().enumerate() {
                    add(&mut counts, h, cell.count * scale);
                    add(&mut exposures, h, level * factor * cell.covered);
                    add(&mut day_counts, weekday, cell.count * scale);
                    add(&mut day_expected, weekday, level * at(&by_hour, h) * cell.covered);
                }
            }
            let total: f64 = exposures.iter().sum::<f64>() / 24.0;
            // An hour without any event so far has half of one, in all that time.
            for (share, (count, exposure)) in by_hour.iter_mut().zip(counts.iter().zip(&exposures)) {
                *share = if total > 0.0 { (count + 0.5) / (exposure + 12.0) } else { 1.0 / 24.0 };
            }
            scale(&mut by_hour, 1.0);
            let keep = strength(&day_counts, &day_expected, clump, self.vary.whole_day / 8.0).clamp(2.0, 300.0);
            for (factor, (count, expected)) in by_weekday.iter_mut().zip(day_counts.iter().zip(&day_expected)) {
                *factor = (count + keep) / (expected + keep);
            }
            scale(&mut by_weekday, 7.0);
        }
        let (mut counts, mut expected) = (vec![0.0; 168], vec![0.0; 168]);
        for (day, scale) in self.days.iter().zip(&scales).filter(|(day, _)| day.whole.is_none()) {
            let (level, weekday) = (self.level_of(day), local::weekday(day.number));
            for (h, cell) in day.hours.iter().enumerate() {
                add(&mut counts, weekday * 24 + h, cell.count * scale);
                let mean = level * at(&by_weekday, weekday) * at(&by_hour, h) * cell.covered;
                add(&mut expected, weekday * 24 + h, mean);
            }
        }
        let keep = strength(&counts, &expected, clump, noise).clamp(3.0, 60.0);
        for cell in 0..168 {
            let (n, e) = (at(&counts, cell), at(&expected, cell));
            let base = at(&by_weekday, cell / 24) * at(&by_hour, cell % 24);
            set(&mut self.hours, cell, base * (n + keep) / (e + keep));
            set(&mut self.doubts, cell, clump / (n + keep) + noise * n / (n + keep));
        }
        scale(&mut self.hours, 7.0);
    }

    /// What a day's counts are multiplied by to be usual, if they are far from it.
    fn calming(&self, day: &Day) -> f64 {
        let mean: f64 = (0..).zip(&day.hours).map(|(h, cell)| self.expected(day, h) * cell.covered).sum();
        let count: f64 = day.hours.iter().map(|cell| cell.count).sum();
        let spread = ((1.0 + self.vary.clumps) * mean + self.vary.whole_day * mean * mean).sqrt();
        if count > 0.0 && (count - mean).abs() > 3.0 * spread + 3.0 { mean / count } else { 1.0 }
    }

    fn fit_parts(&mut self) {
        let (mut counts, mut expected) = (vec![0.0; 288], vec![0.0; 288]);
        for day in &self.days {
            for (index, cell) in &day.parts {
                let index = usize::from(*index);
                add(&mut counts, index, cell.count);
                add(&mut expected, index, self.expected(day, index / 12) / 12.0);
            }
        }
        // Scaled to the counts of its hour, so that only the shape within the hour is judged.
        for (c, e) in counts.chunks(12).zip(expected.chunks_mut(12)) {
            let (count, sum): (f64, f64) = (c.iter().sum(), e.iter().sum());
            e.iter_mut().for_each(|e| *e *= if sum > 0.0 { count / sum } else { 0.0 });
        }
        let keep = strength(&counts, &expected, 1.0 + self.vary.clumps, self.vary.part / 50.0).clamp(1.0, 200.0);
        for (hour, parts) in self.parts.chunks_mut(12).enumerate() {
            for (part, share) in parts.iter_mut().enumerate() {
                let index = hour * 12 + part;
                *share = (at(&counts, index) + keep) / (at(&expected, index) + keep);
            }
            scale(parts, 1.0);
        }
    }

    /// Stretches of hours that were silent, or nearly: found by the log-likelihood ratio against [`OUTAGE_LEAVES`].
    fn leave_out_outages(&mut self) {
        let size = 1.0 / (self.vary.hour + self.vary.day).max(0.01);
        let mut from: Option<(usize, usize)> = None;
        let (mut odds, mut best, mut end) = (0.0, 0.0, (0, 0));
        let mut found = Vec::new();
        let last = (self.days.len(), 0);
        let all = (0..self.days.len()).flat_map(|d| (0..24).map(move |h| (d, h))).chain([last]);
        for (d, h) in all {
            let step = match self.days.get(d) {
                None => f64::NEG_INFINITY,
                Some(day) if day.whole.is_some() => continue,
                Some(day) => {
                    let cell = at_cell(day, h);
                    let mean = self.expected(day, h) * cell.covered;
                    let ratio = ((size + mean) / (size + OUTAGE_LEAVES * mean)).ln();
                    cell.count * OUTAGE_LEAVES.ln() + (cell.count + size) * ratio
                }
            };
            // Of clumps one message each is news.
            odds += step / (1.0 + self.vary.clumps);
            if odds <= 0.0 {
                if let (Some(from), true) = (from, best > OUTAGE) {
                    found.push((from, end));
                }
                (from, odds, best) = (None, 0.0, 0.0);
                continue;
            }
            from.get_or_insert((d, h));
            if odds > best {
                (best, end) = (odds, (d, h));
            }
        }
        for (from, to) in found {
            for (d, day) in self.days.iter_mut().enumerate() {
                for h in (0..24).filter(|h| (from..=to).contains(&(d, *h))) {
                    if let Some(cell) = day.hours.get_mut(h) {
                        *cell = grid::Cell::default();
                    }
                    day.parts.retain(|(index, _)| usize::from(*index) / 12 != h);
                }
            }
        }
    }

    /// No hour counts as more than six standard deviations above what was expected.
    fn cut_blasts(&mut self) {
        let Self { days, level, hours, today, vary, .. } = self;
        for day in days.iter_mut() {
            let level = level.at(f64::from(*today - day.number));
            for h in 0..24 {
                let share = hours.get(local::weekday(day.number) * 24 + h).copied().unwrap_or(0.0);
                let Some(cell) = day.hours.get_mut(h) else { continue };
                let mean = level * share * cell.covered;
                let most =
                    mean + 6.0 * ((1.0 + vary.clumps) * mean + (vary.hour + vary.day) * mean * mean).sqrt() + 3.0;
                if cell.count > most {
                    cut(day, h, most);
                }
            }
        }
    }
}

/// Blasts cut off before anything is fitted: three times what all but one of twenty such hours had.
fn without_extremes(raw: &[Day]) -> Vec<Day> {
    let mut days = raw.to_vec();
    for h in 0..24 {
        let mut counts: Vec<f64> =
            raw.iter().filter(|d| at_cell(d, h).covered > 0.0).map(|d| at_cell(d, h).count).collect();
        counts.sort_by(f64::total_cmp);
        let most = 3.0 * at(&counts, counts.len() * 19 / 20) + 3.0;
        for day in &mut days {
            if at_cell(day, h).count > most {
                cut(day, h, most);
            }
        }
    }
    days
}

/// Scales an hour down to a count, its parts with it.
fn cut(day: &mut Day, hour: usize, most: f64) {
    let Some(cell) = day.hours.get_mut(hour) else { return };
    let by = most / cell.count;
    cell.count = most;
    for (_, part) in day.parts.iter_mut().filter(|(index, _)| usize::from(*index) / 12 == hour) {
        part.count *= by;
    }
}

/// How strongly ratios count / expected are held at 1, in events: the variance of one event (`clump`) over the variance
/// that they truly have (method of moments).
fn strength(counts: &[f64], expected: &[f64], clump: f64, noise: f64) -> f64 {
    let off: f64 = counts.iter().zip(expected).map(|(n, e)| (n - e) * (n - e) - clump * e).sum();
    let unit: f64 = expected.iter().map(|e| e * e).sum();
    clump / (off / unit.max(1e-9) - noise).max(1e-4)
}

fn scale(values: &mut [f64], to: f64) {
    let sum: f64 = values.iter().sum();
    if sum > 0.0 {
        values.iter_mut().for_each(|v| *v *= to / sum);
    }
}

fn at_cell(day: &Day, hour: usize) -> grid::Cell {
    day.hours.get(hour).copied().unwrap_or_default()
}

fn at(values: &[f64], index: usize) -> f64 {
    values.get(index).copied().unwrap_or(0.0)
}

fn add(values: &mut [f64], index: usize, more: f64) {
    if let Some(value) = values.get_mut(index) {
        *value += more;
    }
}

fn set(values: &mut [f64], index: usize, to: f64) {
    if let Some(value) = values.get_mut(index) {
        *value = to;
    }
}
