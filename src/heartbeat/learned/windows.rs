//! Windows that end now: in each, what came, what was expected, and how far the expectation can be trusted.

use jiff::tz::TimeZone;

use super::local::{Local, Place, SLOTS_A_DAY, SLOTS_AN_HOUR};
use super::profile::Profile;
use super::{Bin, REACH_DAYS};

/// Windows begin at each five minutes for so long, at each hour for so long, then at each midnight.
const BY_HOUR: i64 = 2 * SLOTS_A_DAY;

/// Beyond this many days a window that expects [`ENOUGH`] need not grow.
const ENOUGH_DAYS: i64 = 9;
const ENOUGH: f64 = 400.0;

/// A stretch of time that ends now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Window {
    /// Its first slot.
    pub from: i64,
    /// Hours of the clock from there to now.
    pub hours: f64,
    /// What came and what was expected in its covered time.
    pub count: f64,
    pub mean: f64,
    /// The mean after what came earlier that day and that hour, if that was less than usual; and its relative variance.
    pub lowered: f64,
    pub vary_lowered: f64,
    /// How many messages come together, on average: the count is that much coarser than one by one.
    pub clump: f64,
    /// The relative variance of the mean by itself.
    pub vary: f64,
    /// What came, and what was expected, in all of its time, covered or not.
    pub count_all: f64,
    pub mean_all: f64,
    /// The same of its two hours with the largest excess: one blast is within them.
    pub burst: (f64, f64),
    /// It begins with an hour of the local clock.
    pub at_hour: bool,
}

/// A bin on the local clock.
struct Step {
    from: i64,
    place: Place,
    count: f64,
    mean: f64,
    /// Count and mean where nothing was covered.
    unheard: (f64, f64),
    /// Relative variance of its hour, and the variance of its own beyond that and Poisson's.
    spread: f64,
    own: f64,
    /// Variance that clumps and uneven minutes make.
    clumps: f64,
    /// Its day's and its hour's places in [`Steps`].
    day: usize,
    hour: usize,
}

/// Latest first, with the sums of each day and hour.
#[derive(Default)]
struct Steps {
    steps: Vec<Step>,
    days: Vec<Sums>,
    hours: Vec<Sums>,
}

impl Steps {
    fn day(&self, step: &Step) -> Sums {
        self.days.get(step.day).copied().unwrap_or_default()
    }

    fn hour(&self, step: &Step) -> Sums {
        self.hours.get(step.hour).copied().unwrap_or_default()
    }

    /// An hour's own variance, shared out to its steps, and that of the step.
    fn finer(&self, step: &Step) -> f64 {
        step.spread * self.hour(step).mean * step.mean + step.own
    }
}

/// Count, mean and the variance of smaller scales, of a day or an hour.
#[derive(Clone, Copy, Default)]
struct Sums {
    count: f64,
    mean: f64,
    finer: f64,
}

impl Sums {
    fn add(&mut self, count: f64, mean: f64, finer: f64) {
        self.count += count;
        self.mean += mean;
        self.finer += finer;
    }

    fn without(self, part: Self) -> Self {
        Self {
            count: (self.count - part.count).max(0.0),
            mean: (self.mean - part.mean).max(0.0),
            finer: (self.finer - part.finer).max(0.0),
        }
    }

    /// The rate's factor after this was seen, at most 1, and its relative variance: a gamma prior's posterior, with the
    /// finer scales as noise.
    fn posterior(self, prior: f64) -> (f64, f64) {
        if self.mean <= 1e-9 {
            return (1.0, prior);
        }
        let known = self.mean * self.mean / (self.mean + self.finer);
        let weight = 1.0 / prior.max(1e-6);
        let factor = (weight + known * self.count / self.mean) / (weight + known);
        (factor.min(1.0), 1.0 / (weight + known))
    }
}

/// Sums of one day of the window while it grows.
#[derive(Clone, Copy, Default)]
struct DayPart {
    all: Sums,
    /// Variance of the hours that are whole in the window.
    hours: f64,
    /// The hour that the window begins in.
    hour: Sums,
    hour_vary: f64,
}

/// The two hours with the largest excess so far, each (count, mean), and the one that is being added up.
#[derive(Default)]
struct Bursts {
    largest: [(f64, f64); 2],
    hour: (f64, f64),
}

impl Bursts {
    fn add(&mut self, step: &Step) {
        self.hour.0 += step.count + step.unheard.0;
        self.hour.1 += step.mean + step.unheard.1;
    }

    /// The sum of both.
    fn end_of_hour(&mut self) -> (f64, f64) {
        let excess = |hour: (f64, f64)| hour.0 - hour.1;
        let hour = std::mem::take(&mut self.hour);
        let [first, second] = self.largest;
        if excess(hour) > excess(first) {
            self.largest = [hour, first];
        } else if excess(hour) > excess(second) {
            self.largest = [first, hour];
        }
        let [first, second] = self.largest;
        (first.0 + second.0, first.1 + second.1)
    }
}

/// All windows that are looked at, shortest first. `until` is the first slot that has not ended.
pub fn ending_now(
    profile: &Profile,
    bins: &[Bin],
    zone: &TimeZone,
    except: &[i32],
    until: i64,
) -> impl Iterator<Item = Window> {
    let steps = steps(profile, bins, zone, except, until);
    let vary = &profile.vary;
    let today = steps.steps.first().map_or(0, |step| step.place.day);
    // Measured directly: from midnight to the end of an hour. The hour that has not ended adds its own.
    let this = steps.steps.first().map(|step| (step.place.hour, steps.hour(step), step.spread));
    let (last_hour, this_hour, this_spread) = this.unwrap_or_default();
    let has_ended = Local::new(zone).place(until).hour != last_hour;
    let measured = if has_ended { Some(last_hour) } else { last_hour.checked_sub(1) };
    let so_far = measured.and_then(|hour| vary.so_far.get(hour)).copied().unwrap_or(vary.day);
    let ongoing = if has_ended { Sums::default() } else { this_hour };
    let direct = move |day: i32, mean: f64| {
        if day == today {
            let ended = (mean - ongoing.mean).max(0.0);
            let clumps = profile.vary.clumps * ended;
            clumps + so_far * ended * ended + (this_spread + so_far) * ongoing.mean * ongoing.mean + ongoing.finer
        } else {
            profile.vary.clumps * mean + profile.vary.whole_day * mean * mean
        }
    };

    let mut closed = Sums::default(); // whole days at the window's end; `finer` is their whole variance
    let mut part = DayPart::default();
    let mut window = Window::default();
    let (mut bursts, mut clumps) = (Bursts::default(), 0.0);
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(step) = steps.steps.get(at) {
            let (later, earlier) = (at.checked_sub(1).and_then(|i| steps.steps.get(i)), steps.steps.get(at + 1));
            at += 1;
            if later.is_none_or(|later| later.hour != step.hour) {
                part.hours += part.hour.finer + part.hour_vary * part.hour.mean * part.hour.mean;
                (part.hour, part.hour_vary) = (Sums::default(), step.spread);
            }
            if let Some(later) = later.filter(|later| later.day != step.day) {
                let own = part.hours + vary.day * part.all.mean * part.all.mean;
                let own = own.min(direct(later.place.day, part.all.mean));
                closed.add(part.all.count, part.all.mean, own);
                part = DayPart { hour_vary: step.spread, ..DayPart::default() };
            }
            part.all.add(step.count, step.mean, steps.finer(step));
            part.hour.add(step.count, step.mean, step.own);
            window.from = step.from;
            window.hours = (until - step.from) as f64 / SLOTS_AN_HOUR as f64;
            window.count += step.count;
            window.mean += step.mean;
            window.count_all += step.count + step.unheard.0;
            window.mean_all += step.mean + step.unheard.1;
            bursts.add(step);
            clumps += step.clumps;
            window.at_hour = earlier.is_none_or(|earlier| earlier.hour != step.hour);
            if window.at_hour {
                window.burst = bursts.end_of_hour();
            }
            let midnight = earlier.is_none_or(|earlier| earlier.day != step.day);
            let ago = until - step.from;
            let may_begin = window.at_hour || !profile.in_batches();
            if !(midnight || (profile.by_hour && may_begin && ago <= BY_HOUR)) {
                continue;
            }
            let doubt = profile.level_doubt;
            // By itself: the level, the day, the hours.
            let hour_own = part.hour.finer + part.hour_vary * part.hour.mean * part.hour.mean;
            let mut own = part.hours + hour_own + vary.day * part.all.mean * part.all.mean;
            if midnight {
                own = own.min(direct(step.place.day, part.all.mean));
            }
            let square = (window.mean * window.mean).max(1e-12);
            window.vary = (closed.finer + own) / square + doubt;
            // After what came before it: first of that day, then of that hour.
            let before = steps.day(step).without(part.all);
            let (day_factor, day_vary) = before.posterior(vary.day + doubt);
            let mut hour_before = steps.hour(step).without(part.hour);
            hour_before.mean *= day_factor;
            let (hour_factor, hour_vary) = hour_before.posterior(part.hour_vary);
            let rest = (part.all.mean - part.hour.mean).max(0.0) * day_factor;
            let first = part.hour.mean * day_factor * hour_factor;
            let mut own = part.hours * day_factor * day_factor
                + part.hour.finer
                + hour_vary * first * first
                + day_vary * (rest + first) * (rest + first);
            if midnight {
                own = own.min(direct(step.place.day, part.all.mean) + doubt * part.all.mean * part.all.mean);
            }
            window.lowered = closed.mean + rest + first;
            let all = closed.finer + doubt * closed.mean * closed.mean + own;
            let lowered = window.lowered.max(1e-6);
            // Where batches are judged by the hour all that varies may be batches.
            let coarse = if profile.in_batches() { all } else { clumps.min(all) };
            window.clump = 1.0 + coarse / lowered;
            window.vary_lowered = (all - coarse) / (lowered * lowered);
            return Some(window);
        }
        None
    })
}

/// The bins on the local clock, latest first.
fn steps(profile: &Profile, bins: &[Bin], zone: &TimeZone, except: &[i32], until: i64) -> Steps {
    let mut local = Local::new(zone);
    let from = until - REACH_DAYS * SLOTS_A_DAY;
    let this = local.place(until);
    let today = this.day;
    let mut all = Steps::default();
    let (mut sum, mut level, mut before) = (0.0, 0.0, None);
    for bin in bins.iter().rev() {
        let slots = i64::from(bin.slots);
        if bin.from + slots > until || slots > SLOTS_AN_HOUR {
            continue;
        }
        if bin.from < from || (sum > ENOUGH && until - bin.from > ENOUGH_DAYS * SLOTS_A_DAY) {
            break;
        }
        let place = local.place(bin.from);
        let in_this_hour = (place.day, place.hour) == (today, this.hour);
        if except.contains(&place.day)
            || (!profile.by_hour && place.day == today)
            || (profile.in_batches() && in_this_hour)
        {
            continue;
        }
        let is_new_day = before.is_none_or(|(day, _)| day != place.day);
        if is_new_day {
            level = profile.level_on(place.day);
            all.days.push(Sums::default());
        }
        if is_new_day || before.is_none_or(|(_, hour)| hour != place.hour) {
            all.hours.push(Sums::default());
        }
        before = Some((place.day, place.hour));
        let share = if bin.slots == 1 { profile.part_share(place) } else { slots as f64 / SLOTS_AN_HOUR as f64 };
        let mean = level * profile.hour_share(place) * share;
        let covered = f64::from(bin.covered.min(bin.slots)) / slots as f64;
        let count = f64::from(bin.count);
        let heard = covered > 0.0;
        sum += mean;
        let uneven = profile.vary.part * (mean * covered).powi(2);
        let clumps = profile.vary.clumps * mean * covered;
        let step = Step {
            from: bin.from,
            place,
            count: if heard { count } else { 0.0 },
            mean: mean * covered,
            unheard: (if heard { 0.0 } else { count }, mean * (1.0 - covered)),
            spread: profile.vary.hour + profile.doubt(place),
            clumps: uneven / slots as f64 + clumps,
            // An hour's variance holds what its minutes make, and batches are judged by the hour.
            own: if bin.slots == 1 && !profile.in_batches() { uneven + clumps } else { clumps },
            day: all.days.len() - 1,
            hour: all.hours.len() - 1,
        };
        if let Some(hour) = all.hours.last_mut() {
            hour.add(step.count, step.mean, step.own);
        }
        all.steps.push(step);
    }
    for step in &all.steps {
        let finer = all.finer(step);
        if let Some(day) = all.days.get_mut(step.day) {
            day.add(step.count, step.mean, finer);
        }
    }
    all
}
