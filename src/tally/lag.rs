//! Lag: how long events take from their own time to our answer. A histogram for each of the last minutes of arrival,
//! small enough to travel in the coverage item, and what a day's histograms add up to.
//!
//! It is a statistic, no promise: an event that is processed again after a crash may count twice or not at all, and one
//! that we process more than [`KEPT_MINUTES`] after its arrival is left out.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::coverage::LATE;
use crate::clock::Minute;
use crate::customerio::event::{Event, Fate};

/// Lag is judged over the arrivals of so many minutes (design, "What must work": median over 15 min).
pub const WINDOW_MINUTES: i64 = 15;

/// Minutes of arrival that are kept: a window, and what a tick that comes a little late has not seen yet.
pub const KEPT_MINUTES: i64 = 20;

/// Fewer events than this have no median worth a warning.
pub const ENOUGH: u64 = 20;

/// A median from here on is a warning: [`LATE`], from which an arrival un-covers minutes.
const SLOW: SignedDuration = LATE;

/// A median below this ends it: half of what began it, so that a median near the limit does not flap.
const CALM: SignedDuration = SignedDuration::from_mins(1);

/// Where the bins end, in seconds; the last one has no end. About 1.4 times the one before, so a median read from the
/// middle of a bin is right within a fifth or so; 3, 4 and 5 min lie in the middle of theirs.
const ENDS: [u32; 20] = [
    10, 30, 60, 120, 150, 210, 270, 330, 450, 600, 840, 1_200, 1_800, 2_700, 3_600, 5_400, 7_200, 10_800, 21_600,
    43_200,
];

/// Arrivals by bin.
type Bins = BTreeMap<u8, u32>;

/// The arrivals of the last minutes, by minute and lag. Merging is commutative and associative.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Ring(BTreeMap<Minute, Bins>);

/// A ring as it is written: a row for each minute back from the newest, so that it stays far below the kilobyte that
/// DynamoDB bills a write by.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Stored {
    newest: i64,
    rows: Vec<Vec<(u8, u32)>>,
}

impl From<Ring> for Stored {
    fn from(Ring(minutes): Ring) -> Self {
        let Some((newest, oldest)) = minutes.keys().next_back().zip(minutes.keys().next()) else {
            return Self::default();
        };
        let row = |minute: i64| minutes.get(&Minute(minute)).into_iter().flatten().map(|(b, n)| (*b, *n)).collect();
        Self { newest: newest.0, rows: (oldest.0..=newest.0).rev().map(row).collect() }
    }
}

impl From<Stored> for Ring {
    fn from(Stored { newest, rows }: Stored) -> Self {
        let rows = rows.into_iter().take(usize::try_from(KEPT_MINUTES).unwrap_or_default());
        let minutes = (0..).zip(rows).filter(|(_, row)| !row.is_empty());
        Self(minutes.map(|(back, row)| (Minute(newest).plus(-back), row.into_iter().collect())).collect())
    }
}

impl Ring {
    /// The counted ones of these events: samples and the ignored say nothing of the sender, nor does what is replayed
    /// after the sender's own retries have ended. Retries themselves do: late is late.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let counted = events.into_iter().filter(|e| e.fate == Fate::Counted);
        counted.fold(Self::default(), |mut ring, e| {
            ring.add(Minute::of(e.arrived), bin(e.arrived.duration_since(e.at)), 1);
            ring
        })
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// With another one's arrivals added.
    pub fn and(mut self, other: &Self) -> Self {
        for (minute, bins) in &other.0 {
            bins.iter().for_each(|(bin, n)| self.add(*minute, *bin, *n));
        }
        if let Some((newest, _)) = self.0.last_key_value() {
            let oldest = newest.plus(1 - KEPT_MINUTES);
            self.0.retain(|minute, _| *minute >= oldest);
        }
        self
    }

    fn add(&mut self, minute: Minute, bin: u8, n: u32) {
        let count = self.0.entry(minute).or_default().entry(bin).or_default();
        *count = count.saturating_add(n);
    }

    /// The arrivals of the [`WINDOW_MINUTES`] that end with this minute.
    pub fn window(&self, last: Minute) -> Window {
        let first = last.plus(1 - WINDOW_MINUTES);
        Window::of(first, self.0.range(first..=last).map(|(_, bins)| bins))
    }
}

/// The bin that a lag falls in; what comes before its time has none.
fn bin(lag: SignedDuration) -> u8 {
    let bin = ENDS.iter().take_while(|end| lag.as_secs() >= i64::from(**end)).count();
    u8::try_from(bin).unwrap_or(u8::MAX)
}

/// Where a bin begins and ends, in seconds.
fn bounds(bin: u8) -> (u32, Option<u32>) {
    let bin = usize::from(bin);
    (bin.checked_sub(1).and_then(|before| ENDS.get(before)).copied().unwrap_or(0), ENDS.get(bin).copied())
}

/// How late the arrivals of some minutes were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The first minute of arrival that it may hold.
    pub from: Minute,
    pub events: u64,
    /// How many of them came [`LATE`] or later.
    pub late: u64,
    /// The median lag in seconds, as well as the bins tell; 0 without events.
    pub median_s: u32,
}

impl Window {
    fn of<'a>(from: Minute, minutes: impl Iterator<Item = &'a Bins>) -> Self {
        let mut bins: BTreeMap<u8, u64> = BTreeMap::new();
        for (bin, n) in minutes.flatten() {
            *bins.entry(*bin).or_default() += u64::from(*n);
        }
        let late = bins.iter().filter(|(bin, _)| i64::from(bounds(**bin).0) >= LATE.as_secs()).map(|(_, n)| n).sum();
        Self { from, events: bins.values().sum(), late, median_s: median(&bins) }
    }

    pub const fn median(&self) -> SignedDuration {
        SignedDuration::from_secs(self.median_s as i64)
    }

    /// Whether it is a warning: enough events, and most of them late.
    pub fn is_slow(&self) -> bool {
        self.events >= ENOUGH && self.median() >= SLOW
    }

    /// Whether a warning is over. One event is enough: Customer.io delivers in order, so nothing earlier is on its way.
    pub fn is_calm(&self) -> bool {
        self.events > 0 && self.median() < CALM
    }
}

/// The middle one of all (of an even number the earlier), taken as if a bin's events lay evenly in it.
fn median(bins: &BTreeMap<u8, u64>) -> u32 {
    let middle = bins.values().sum::<u64>().div_ceil(2);
    let mut before = 0;
    for (bin, n) in bins {
        if before + n >= middle {
            let (begin, end) = bounds(*bin);
            let width = f64::from(end.unwrap_or(begin).saturating_sub(begin));
            let into = (middle.saturating_sub(before) as f64 - 0.5).max(0.0) / (*n).max(1) as f64;
            return begin.saturating_add((width * into) as u32);
        }
        before += n;
    }
    0
}

/// What the arrivals of a local day were like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    pub events: u64,
    /// How many came [`LATE`] or later.
    pub late: u64,
    /// The window with the longest median, of those with [`ENOUGH`] events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst: Option<Window>,
}

/// The last local days, learned from the ring minute by minute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Days {
    /// The last minute that was learned.
    until: Option<Minute>,
    by_date: BTreeMap<Date, Day>,
}

/// The digest is about yesterday; a few more are kept for one that comes late.
const DAYS_KEPT: usize = 4;

/// Minutes are learned so many at a time, to write seldom. With a window they fit into [`KEPT_MINUTES`].
const AT_ONCE_MINUTES: i64 = KEPT_MINUTES - WINDOW_MINUTES;

impl Days {
    pub fn of(&self, date: Date) -> Option<&Day> {
        self.by_date.get(&date)
    }

    /// With the whole minutes before `now` that are new, once there are some; `None` when there is nothing to write.
    pub fn learning(&self, ring: &Ring, zone: &TimeZone, now: Timestamp) -> Option<Self> {
        let next = Minute::of(now);
        let oldest = next.plus(-KEPT_MINUTES);
        // One that lies ahead was written before the clock was set back.
        let first = self.until.filter(|until| *until < next).map_or(oldest, |until| until.plus(1).max(oldest));
        if next.0 - first.0 < AT_ONCE_MINUTES || ring.0.range(first..next).next().is_none() {
            return None;
        }
        let mut days = self.clone();
        for (minute, bins) in ring.0.range(first..next) {
            let day = days.by_date.entry(zone.to_datetime(minute.start()).date()).or_default();
            let this = Window::of(*minute, std::iter::once(bins));
            day.events += this.events;
            day.late += this.late;
            let window = ring.window(*minute);
            let is_worse = day.worst.is_none_or(|worst| window.median_s > worst.median_s);
            if window.events >= ENOUGH && is_worse {
                day.worst = Some(window);
            }
        }
        days.until = Some(next.plus(-1));
        while days.by_date.len() > DAYS_KEPT {
            days.by_date.pop_first();
        }
        Some(days)
    }
}

#[cfg(test)]
#[path = "lag_tests.rs"]
mod tests;
