//! Made-up workflows: how many messages they send when, and what goes wrong with them.

use jiff::tz::TimeZone;

use super::chance::Chance;
use cio_alert_bridge::heartbeat::learned::local::{Local, Place, SLOTS_A_DAY, slot_of};

pub const DAY: i64 = SLOTS_A_DAY;
pub const HOUR: i64 = 12;

/// How a workflow's messages are spread over the hours of the day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hours {
    Flat,
    /// People at work and in the evening, few at night.
    Waking,
    /// Nothing outside 8:00 to 18:00.
    Office,
    /// Most in the evening.
    Evening,
    /// A peak in the morning and a higher one in the evening.
    TwoPeaks,
    /// All in the first five minutes of these hours.
    Cron(&'static [usize]),
    /// A newsletter: from 9:00 on, less by a third each hour.
    Sent,
    /// Nine of ten in one batch, begun within so many minutes after this hour; it takes 10 minutes.
    Batch {
        hour: usize,
        late: i64,
    },
}

/// A workflow. What every one has: chance. What is 0 or empty it does not have.
#[derive(Clone, Debug)]
pub struct Workload {
    pub name: &'static str,
    pub zone: &'static str,
    pub hours: Hours,
    /// Monday first.
    pub weekdays: [f64; 7],
    /// Relative variance of each day's rate, gamma, or lognormal.
    pub day_vary: f64,
    pub lognormal: bool,
    /// Relative variance of each hour's rate, gamma.
    pub hour_vary: f64,
    /// Messages come in clumps of this many, within five minutes.
    pub clump: u32,
    /// A week, 0.05 is 5 %.
    pub growth: f64,
    /// Nine days a year have this share of their traffic; whether `except` lists them.
    pub holidays: f64,
    pub listed: bool,
    /// Blasts a year: as much as two days have, within an hour.
    pub blasts: f64,
    /// The first of each month has this times the traffic.
    pub first_of_month: f64,
    /// The level wanders: standard deviation of its logarithm, and how many days it remembers.
    pub drift: (f64, f64),
    /// On one day of the year the level is multiplied by this, and stays.
    pub step: f64,
    /// Amplitude of a cycle of a month.
    pub monthly: f64,
    /// Six weeks of summer (in the middle of the simulated year) have this share of the traffic.
    pub summer: f64,
}

/// Messages by weekday, Monday first.
pub const TUESDAYS: [f64; 7] = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
pub const BUSINESS: [f64; 7] = [1.0, 1.1, 1.1, 1.0, 0.8, 0.0, 0.0];
pub const EVERY_DAY: [f64; 7] = [1.0; 7];
pub const WEEK: [f64; 7] = [1.1, 1.15, 1.15, 1.1, 1.0, 0.75, 0.75];
pub const WORKING: [f64; 7] = [1.4, 1.4, 1.4, 1.4, 1.3, 0.05, 0.05];
pub const WEEKEND: [f64; 7] = [0.0, 0.0, 0.0, 0.0, 0.5, 3.5, 3.0];

impl Workload {
    pub const fn plain(name: &'static str) -> Self {
        Self {
            name,
            zone: "Europe/Berlin",
            hours: Hours::Waking,
            weekdays: WEEK,
            day_vary: 0.01,
            lognormal: false,
            hour_vary: 0.02,
            clump: 1,
            growth: 0.0,
            holidays: 1.0,
            listed: true,
            blasts: 0.0,
            first_of_month: 1.0,
            drift: (0.0, 1.0),
            step: 1.0,
            monthly: 0.0,
            summer: 1.0,
        }
    }

    /// What the seasons of a simulated year make of the level; `index` of `slots`.
    fn season(&self, index: i64, slots: i64) -> f64 {
        let day = index as f64 / DAY as f64;
        let month = 1.0 + self.monthly * (std::f64::consts::TAU * day / 30.44).sin();
        // Begins and ends within a week.
        let off_middle = (index - slots / 2).abs() as f64 / DAY as f64;
        let summer = 1.0 - (1.0 - self.summer) * ((24.5 - off_middle) / 7.0).clamp(0.0, 1.0);
        let step = if slots > 200 * DAY && index >= slots * 6 / 10 { self.step } else { 1.0 };
        month * summer * step
    }

    /// Share of a day's messages in each of its slots, by what the clock says.
    fn share(&self, place: Place) -> f64 {
        let hour = place.hour;
        let by_hour = |weights: [f64; 24]| weights[hour] / weights.iter().sum::<f64>() / 12.0;
        let of_day = match self.hours {
            Hours::Flat => 1.0 / 288.0,
            Hours::Waking => by_hour([
                0.3, 0.2, 0.15, 0.1, 0.1, 0.2, 0.5, 1.0, 1.5, 1.8, 1.9, 1.8, 1.7, 1.6, 1.6, 1.6, 1.6, 1.6, 1.5, 1.4,
                1.3, 1.1, 0.8, 0.5,
            ]),
            Hours::Office => by_hour(std::array::from_fn(|h| if (8..18).contains(&h) { 1.0 } else { 0.0 })),
            Hours::Evening => by_hour(std::array::from_fn(|h| if (17..23).contains(&h) { 3.0 } else { 0.4 })),
            Hours::TwoPeaks => by_hour(std::array::from_fn(|h| {
                let peak = |at: f64, wide: f64| (-((h as f64 + 0.5 - at) / wide).powi(2) / 2.0).exp();
                0.05 + 1.5 * peak(8.0, 1.5) + 2.0 * peak(19.5, 2.0)
            })),
            Hours::Cron(hours) if place.part == 0 && hours.contains(&hour) => 1.0 / hours.len() as f64,
            Hours::Cron(_) => 0.0,
            Hours::Sent => by_hour(std::array::from_fn(|h| if h < 9 { 0.0 } else { 0.67_f64.powi(h as i32 - 9) })),
            Hours::Batch { .. } => 0.1 / 288.0,
        };
        of_day * self.weekdays[place.weekday] * 7.0 / self.weekdays.iter().sum::<f64>()
    }
}

/// What goes wrong from some slot on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// Nothing.
    None,
    /// This share of the messages is sent.
    Leaves(f64),
}

/// A workflow's messages over some time.
pub struct Traffic {
    pub from: i64,
    pub counts: Vec<u32>,
    /// What the hour of the week, the growth and the season make one expect of each slot.
    pub means: Vec<f64>,
    pub places: Vec<Place>,
    /// Local days that `except` lists.
    pub except: Vec<i32>,
}

impl Traffic {
    /// `days` from a random day of the years 2025 and 2026 on, or from `start`; from `fault.0` on, the fault.
    pub fn new(load: &Workload, a_day: f64, days: i64, fault: (i64, Fault), chance: &mut Chance) -> Self {
        let first = slot_of("2025-01-01T00:00:00Z".parse().expect("a time")) + chance.below(365) * DAY;
        let zone = TimeZone::get(load.zone).expect("a zone");
        let mut local = Local::new(&zone);
        let slots = days * DAY;
        let mut traffic = Self {
            from: first,
            counts: vec![0; slots as usize],
            means: Vec::with_capacity(slots as usize),
            places: Vec::with_capacity(slots as usize),
            except: Vec::new(),
        };
        let (mut day, mut hour) = (i32::MIN, usize::MAX);
        let (mut of_day, mut of_hour, mut delay, mut blast) = (1.0, 1.0, 0, -1);
        let (sd, memory) = load.drift;
        let (mut wander, kept) = (sd * chance.normal(), (-1.0 / memory).exp());
        for index in 0..slots {
            let place = local.place(first + index);
            // A year of growth ends where it is as large as its name says: the sizes stay comparable.
            let growth = (1.0 + load.growth).powf((index - slots) as f64 / (7 * DAY) as f64);
            if place.day != day {
                day = place.day;
                wander = kept * wander + (1.0 - kept * kept).sqrt() * sd * chance.normal();
                of_day = if load.lognormal { chance.lognormal(load.day_vary) } else { chance.gamma(load.day_vary) };
                if load.holidays != 1.0 && chance.unit() < 9.0 / 365.0 {
                    of_day *= load.holidays;
                    if load.listed {
                        traffic.except.push(day);
                    }
                }
                if is_first_of_month(day) {
                    of_day *= load.first_of_month;
                }
                blast = if chance.unit() < load.blasts / 365.0 { index + 96 + chance.below(120) } else { -1 };
                if let Hours::Batch { late, .. } = load.hours {
                    delay = chance.below(late / 5 + 1);
                }
            }
            let mut known = a_day * growth * wander.exp() * load.season(index, slots) * load.share(place);
            if place.hour != hour {
                hour = place.hour;
                of_hour = chance.gamma(load.hour_vary);
            }
            let mut mean = known * of_day * of_hour;
            if let Hours::Batch { hour, late } = load.hours {
                let weekday = load.weekdays[place.weekday] * 7.0 / load.weekdays.iter().sum::<f64>();
                let all = 0.9 * a_day * growth * weekday;
                let place_in = (place.hour as i64 - hour as i64) * HOUR + place.part as i64;
                let wide = late / 5 + 2;
                known += if (0..wide).contains(&place_in) { all / wide as f64 } else { 0.0 };
                mean += if (delay..delay + 2).contains(&place_in) { all * of_day / 2.0 } else { 0.0 };
            }
            if blast >= 0 && (blast..blast + HOUR).contains(&index) {
                mean += 2.0 * a_day * growth / HOUR as f64;
            }
            if let (true, Fault::Leaves(share)) = (index >= fault.0, fault.1) {
                mean *= share;
            }
            let clump = load.clump.max(1);
            let count = chance.poisson(mean / f64::from(clump)) * clump;
            if let Some(slot) = traffic.counts.get_mut(index as usize) {
                *slot = count;
            }
            traffic.means.push(known);
            traffic.places.push(place);
        }
        traffic
    }
}

fn is_first_of_month(day: i32) -> bool {
    let date = jiff::civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(day));
    date.day() == 1
}
