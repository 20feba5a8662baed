//! The verdict: whether what came of late is too little or too much for chance.
//!
//! Every window that ends now is tested (a scan over all change points: the generalised likelihood ratio test of Lai,
//! IEEE Trans. Inf. Theory 44, 1998, with tail probabilities in place of likelihoods). A window's tail probability is
//! turned into how often such a thing happens by chance: there are `level / mean` windows of its size a day, 365 days.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Bin;
use super::local::{self, Local};
use super::profile::{Profile, WINDOWS_H};
use super::tail;
use super::windows::{self, Window};

/// What happens by chance less often than once in so many years is a verdict. The aim is one false alarm a year, low and
/// high together; the rest is margin for what the model does not know.
pub const RARE_YEARS: f64 = 5.0;

/// Windows overlap, but not wholly: so many times as many chances as windows laid end to end. A silence has only one
/// beginning; other windows may begin and end anywhere, at every length (both measured on simulated years).
pub const OVERLAP_OF_SILENCE: f64 = 4.0;
pub const OVERLAP: f64 = 200.0;

/// Those for `high` begin with an hour, last four or more, and must beat eight weeks besides.
pub const OVERLAP_OF_HIGH: f64 = 10.0;

/// Less than this share of the expected is missing: nothing that anybody would look for, whatever its significance.
pub const LEAST_LOSS: f64 = 0.15;

/// A loss that leaves more than this may be a holiday that nobody listed: it is low only if it lasts a day.
pub const ODD_DAY_LEAVES: f64 = 0.55;
const ODD_DAY_H: f64 = 24.0;

/// As [`LEAST_LOSS`], for too much: people call a doubling high, not a good day.
pub const LEAST_EXCESS: f64 = 0.4;

/// `high` must beat the largest excess that eight weeks saw in such a window, by this factor: peaks come every month.
pub const BEATS_PEAKS_BY: f64 = 1.4;

/// The shortest window that is called high, in hours, and what it must hold without its two largest hours: one blast is
/// over before anybody could look.
pub const SHORTEST_HIGH_H: f64 = 4.0;

/// The tail of days above the mean is heavier than a lognormal one: its standard deviation counts for so much more.
const HEAVY_TAIL: f64 = 1.05;

/// Not heard of for this many slots, and for this many expected events: nothing can be said. Six are missed by chance
/// one time in 400.
pub const UNHEARD_SLOTS: i64 = 3;
pub const UNHEARD_EVENTS: f64 = 6.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Ok,
    Low,
    High,
    /// We have not heard for long enough that it matters.
    Unknown,
}

/// A count and the range that 95 % of such days are in.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Band {
    pub expected: f64,
    /// 2.5 % and 97.5 %.
    pub low: u64,
    pub high: u64,
}

/// Why: the window that decided.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// When it began, as far as the counts tell: the start of the window that chance explains least.
    pub since: Timestamp,
    /// In its covered time (for `high`: in all of it).
    pub count: u64,
    pub expected: f64,
    /// How often chance does this: once in so many years.
    pub once_in_years: f64,
}

/// What the recent counts say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    pub verdict: Verdict,
    /// For `low` and `high`.
    pub evidence: Option<Evidence>,
    /// Since when nothing is known, if that is until now.
    pub unheard_since: Option<Timestamp>,
}

/// The local day so far, for page and digest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Today {
    /// Covered or not.
    pub count: u64,
    /// Of the covered time so far, and of the whole day.
    pub so_far: Band,
    pub day: Band,
    /// Share of the day so far, weighted by the profile, that is covered; 1 where nothing is expected yet.
    pub covered: f64,
}

impl Profile {
    /// The verdict at `now`. `bins` are in order and do not overlap: by five minutes where that is known (the last three
    /// hours should be, what ends after `now` is left out), by hour before, for up to [`super::REACH_DAYS`] days; more is
    /// not read. Days in `except` are neither low nor high.
    pub fn judge(&self, bins: &[Bin], zone: &TimeZone, except: &[Date], now: Timestamp) -> Reading {
        let until = local::slot_of(now);
        let except: Vec<i32> = except.iter().map(|date| local::day_of(*date)).collect();
        let mut clock = Local::new(zone);
        let today = clock.place(until).day;
        let (mut low, mut high): (Option<Evidence>, Option<Evidence>) = (None, None);
        if !except.contains(&today) {
            for window in windows::ending_now(self, bins, zone, &except, until) {
                low = rarer(low, self.too_few(&window));
                high = rarer(high, self.too_many(&window));
            }
        }
        let unheard_since = self.unheard(bins, &mut clock, until);
        let (verdict, evidence) = match (low, high, unheard_since) {
            (Some(low), ..) => (Verdict::Low, Some(low)),
            (None, Some(high), _) => (Verdict::High, Some(high)),
            (None, None, Some(_)) => (Verdict::Unknown, None),
            (None, None, None) => (Verdict::Ok, None),
        };
        Reading { verdict, evidence, unheard_since }
    }

    /// For a stream that is its own only witness: since when there is a silence, of at least `at_least`, that chance does not
    /// explain. Everything stopped, or we no longer hear. Coverage is not asked.
    pub fn silent(
        &self,
        bins: &[Bin],
        zone: &TimeZone,
        except: &[Date],
        at_least: SignedDuration,
        now: Timestamp,
    ) -> Option<Evidence> {
        let until = local::slot_of(now);
        let except: Vec<i32> = except.iter().map(|date| local::day_of(*date)).collect();
        let heard: Vec<Bin> = bins.iter().map(|bin| Bin { covered: bin.slots, ..*bin }).collect();
        windows::ending_now(self, &heard, zone, &except, until)
            .take_while(|window| window.count == 0.0)
            .filter(|window| now.duration_since(local::instant(window.from)) >= at_least)
            .fold(None, |best, window| rarer(best, self.too_few(&window)))
    }

    /// Low, as far as this window goes.
    pub(super) fn too_few(&self, window: &Window) -> Option<Evidence> {
        let Window { count, mean, lowered, vary_lowered, clump, .. } = *window;
        if count > (1.0 - LEAST_LOSS) * lowered || lowered < 2.0 {
            return None;
        }
        if count > ODD_DAY_LEAVES * lowered && window.hours < ODD_DAY_H {
            return None;
        }
        // Most windows are not even two standard deviations off.
        if count > 0.0 && (lowered - count).powi(2) < 4.0 * lowered * (clump + vary_lowered * lowered) {
            return None;
        }
        self.evidence(window, count, mean, tail::ln_at_most(count / clump, lowered / clump, vary_lowered))
    }

    fn too_many(&self, window: &Window) -> Option<Evidence> {
        if !window.at_hour || window.hours < SHORTEST_HIGH_H - 0.1 {
            return None;
        }
        let (count, mean) = (window.count_all - window.burst.0, (window.mean_all - window.burst.1).max(0.0));
        if count < (1.0 + LEAST_EXCESS) * mean || count < mean + 5.0 {
            return None;
        }
        let unheard = || self.vary.day + self.vary.hour + self.level_doubt + self.vary.clumps / mean.max(1.0);
        let vary = if window.mean > 0.0 { window.vary } else { unheard() };
        if (count - mean).powi(2) < 4.0 * mean * (1.0 + vary * mean) {
            return None;
        }
        // A longer window has a smaller excess: the next shorter one is asked.
        let length = WINDOWS_H.iter().rposition(|h| *h as f64 <= window.hours + 0.1)?;
        if excess(count, mean) < BEATS_PEAKS_BY * self.peaks.get(length)? {
            return None;
        }
        let mean = mean.max(0.05);
        let spread = HEAVY_TAIL * (1.0 / mean + vary).ln_1p().sqrt();
        let heavy = tail::ln_normal_above(((count / mean).ln() + 0.5 * spread * spread) / spread);
        let chance = heavy.max(tail::ln_at_least(count, mean, vary));
        self.evidence(window, count, mean, chance)
    }

    fn evidence(&self, window: &Window, count: f64, mean: f64, ln_chance: f64) -> Option<Evidence> {
        let overlap = match count {
            _ if count > mean => OVERLAP_OF_HIGH,
            0.0 => OVERLAP_OF_SILENCE,
            _ => OVERLAP,
        };
        let windows_a_year = 365.0 * overlap * (self.level / mean.max(0.05)).max(1.0 / 28.0);
        let once_in_years = (-ln_chance).min(300.0).exp() / windows_a_year;
        (once_in_years >= RARE_YEARS).then(|| Evidence {
            since: local::instant(window.from),
            count: count as u64,
            expected: mean,
            once_in_years,
        })
    }

    fn unheard(&self, bins: &[Bin], clock: &mut Local, until: i64) -> Option<Timestamp> {
        let last = bins.iter().rev().filter(|bin| bin.end() <= until).find(|bin| bin.covered > 0)?;
        let from = last.end();
        if until - from < UNHEARD_SLOTS {
            return None;
        }
        // A day without a word is enough, however little was expected... of those that expect anything.
        let expected: f64 =
            (from..until.min(from + local::SLOTS_A_DAY)).map(|slot| self.expected_in_slot(clock.place(slot))).sum();
        (expected >= UNHEARD_EVENTS.min(self.level)).then(|| local::instant(from))
    }

    /// The local day of `now`, up to then: what came and what was to be expected. `bins` as for [`Profile::judge`].
    pub fn today(&self, bins: &[Bin], zone: &TimeZone, now: Timestamp) -> Today {
        let (until, mut clock) = (local::slot_of(now), Local::new(zone));
        let today = clock.place(until).day;
        let (mut count, mut all, mut heard, mut hour) = (0, 0.0, 0.0, 0);
        for bin in bins.iter().rev().filter(|bin| bin.end() <= until) {
            let place = clock.place(bin.from);
            if place.day != today {
                break;
            }
            let share = if bin.slots == 1 { self.part_share(place) } else { f64::from(bin.slots) / 12.0 };
            let mean = self.level_on(today) * self.hour_share(place) * share;
            count += u64::from(bin.count);
            all += mean;
            heard += mean * f64::from(bin.covered) / f64::from(bin.slots.max(1));
            hour = hour.max(place.hour);
        }
        let vary = self.vary.so_far.get(hour).copied().unwrap_or(self.vary.day) + self.level_doubt;
        let covered = if all > 0.0 { (heard / all).min(1.0) } else { 1.0 };
        Today { count, so_far: self.band(heard, vary), day: self.day_band(today), covered }
    }

    /// What 95 % of such whole days are in.
    pub fn day_band(&self, day: i32) -> Band {
        let share: f64 = self.hours.iter().skip(local::weekday(day) * 24).take(24).sum();
        self.band(self.level_on(day) * share, self.vary.whole_day + self.level_doubt)
    }

    /// `vary` is the relative variance of the rate.
    fn band(&self, expected: f64, vary: f64) -> Band {
        if expected <= 0.0 {
            return Band { expected: 0.0, low: 0, high: 0 };
        }
        let vary = vary + self.vary.clumps / expected;
        Band { expected, low: tail::quantile(0.025, expected, vary), high: tail::quantile(0.975, expected, vary) }
    }
}

/// How many times the expected came, held back where little was expected.
pub(super) fn excess(count: f64, mean: f64) -> f64 {
    (count + 2.0) / (mean + 2.0)
}

fn rarer(a: Option<Evidence>, b: Option<Evidence>) -> Option<Evidence> {
    match (a, b) {
        (Some(a), Some(b)) if b.once_in_years > a.once_in_years => Some(b),
        (None, b) => b,
        (a, _) => a,
    }
}
