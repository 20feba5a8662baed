//! This product on simulated traffic: learns once a local day, judges every five minutes.

use cio_alert_bridge::heartbeat::learned::{self, Bin, Learned, Profile, Reading, Verdict, local};
use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use std::time::Instant;

use super::chance::Chance;
use super::seed;
use super::world::{DAY, Fault, Traffic, Workload};

/// What `tick` would hand over: by hour, and the last three to four hours by five minutes.
pub struct Product<'a> {
    traffic: &'a Traffic,
    zone: TimeZone,
    except: Vec<Date>,
    /// Slots that nobody hears, until this one.
    pub dark: Option<(i64, i64)>,
    profile: Option<Box<Profile>>,
    made_for: i32,
    recent: Vec<Bin>,
    /// How many of `recent` are by hour.
    by_hour: usize,
    next: i64,
}

impl<'a> Product<'a> {
    pub fn new(traffic: &'a Traffic, zone: &str) -> Self {
        let except =
            traffic.except.iter().map(|d| jiff::civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(*d)));
        Self {
            traffic,
            zone: TimeZone::get(zone).expect("a zone"),
            except: except.collect(),
            dark: None,
            profile: None,
            made_for: i32::MIN,
            recent: Vec::new(),
            by_hour: 0,
            next: 0,
        }
    }

    fn bin(&self, index: i64, seen_at: i64) -> Bin {
        let dark = self.dark.is_some_and(|(from, to)| (from..to).contains(&index) && seen_at < to);
        let count = if dark { 0 } else { self.traffic.counts[index as usize] };
        Bin { from: self.traffic.from + index, slots: 1, count, covered: u16::from(!dark) }
    }

    /// The verdict once slot `index` is over.
    pub fn after(&mut self, index: i64) -> Option<Reading> {
        let until = index + 1;
        let now = local::instant(self.traffic.from + until);
        let day = self.traffic.places[index as usize].day;
        if day != self.made_for {
            let from = (until - (i64::from(learned::HISTORY_DAYS) + 1) * DAY).max(0);
            let history: Vec<Bin> = (from..until).map(|i| self.bin(i, until)).collect();
            // At the first slot of the day: `learn` leaves the current day out.
            self.profile = match learned::learn(&history, &self.zone, &self.except, now) {
                Learned::Ready(profile) => Some(profile),
                Learned::Learning { .. } => None,
            };
            self.made_for = day;
        }
        if self.dark.is_some_and(|(from, to)| index >= from && index <= to) || self.next == 0 {
            // What was dark is there when it comes late: all bins anew.
            self.recent.clear();
            self.by_hour = 0;
            self.next = (until - 28 * DAY).max(0);
        }
        while self.next < until {
            let bin = self.bin(self.next, until);
            self.recent.push(bin);
            self.next += 1;
            self.collapse();
        }
        let profile = self.profile.as_ref()?;
        Some(profile.judge(&self.recent, &self.zone, &self.except, now))
    }

    /// Whether, once slot `index` is over, the silence is a page without any witness.
    pub fn is_silent_after(&mut self, index: i64, at_least: SignedDuration) -> bool {
        let now = local::instant(self.traffic.from + index + 1);
        self.after(index);
        let Some(profile) = &self.profile else { return false };
        profile.silent(&self.recent, &self.zone, &self.except, at_least, now).is_some()
    }

    /// Five-minute bins of the hour that ended three hours ago become one.
    fn collapse(&mut self) {
        let fine = &self.recent[self.by_hour..];
        let starts_hour = |bin: &Bin| self.traffic.places[(bin.from - self.traffic.from) as usize].part == 0;
        if fine.len() < 48 {
            return;
        }
        let length = fine.iter().skip(1).position(starts_hour).map_or(fine.len(), |p| p + 1);
        let hour = Bin {
            from: fine[0].from,
            slots: length as u16,
            count: fine[..length].iter().map(|b| b.count).sum(),
            covered: fine[..length].iter().map(|b| b.covered).sum(),
        };
        self.recent.splice(self.by_hour..self.by_hour + length, [hour]);
        self.by_hour += 1;
        if self.by_hour > 29 * 24 + 48 {
            self.recent.drain(..48);
            self.by_hour -= 48;
        }
    }
}

pub fn is_alarm(reading: &Reading) -> bool {
    matches!(reading.verdict, Verdict::Low | Verdict::High)
}

/// What it costs, in microseconds of one core: to learn from eight weeks by five minutes, to judge 28 days.
pub struct Cost {
    pub size: f64,
    pub learn_us: f64,
    pub judge_us: f64,
}

/// At some sizes, on the traffic of one workflow.
pub fn costs(load: &Workload) -> Vec<Cost> {
    const TIMES: i64 = 20;
    let cost = |size: f64| {
        let mut chance = Chance::stream(seed(), &format!("cost {size}"));
        let traffic = Traffic::new(load, size, 90, (0, Fault::None), &mut chance);
        let mut product = Product::new(&traffic, load.zone);
        let noon = 80 * DAY + 150;
        product.after(noon);
        let now = local::instant(traffic.from + noon + 1);
        let history: Vec<Bin> = (noon - 57 * DAY..noon).map(|i| product.bin(i, noon)).collect();
        let began = Instant::now();
        for _ in 0..TIMES {
            std::hint::black_box(learned::learn(&history, &product.zone, &product.except, now));
        }
        let learn_us = began.elapsed().as_secs_f64() * 1e6 / TIMES as f64;
        let began = Instant::now();
        let profile = product.profile.as_ref().expect("eight weeks");
        for _ in 0..TIMES * 12 {
            std::hint::black_box(profile.judge(&product.recent, &product.zone, &product.except, now));
        }
        Cost { size, learn_us, judge_us: began.elapsed().as_secs_f64() * 1e6 / (TIMES * 12) as f64 }
    };
    [30.0, 1_000.0, 10_000.0].map(cost).into()
}
