//! What a workflow did, day by day in slots of five minutes: what "as usual" is learned from, and what digest and page
//! draw. Pure. Registers are kept for weeks, this for over a year.

use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::learned::Bin;
use super::learned::local::Local;
use super::{Heartbeat, period};
use crate::clock::{Minute, Span};
use crate::tally::Cell;
use crate::tally::coverage::Coverage;
use crate::tally::journeys;

/// Length of a slot.
pub const SLOT_MINUTES: i64 = 5;

/// Slots of a UTC day.
pub const SLOTS_A_DAY: i64 = 24 * 60 / SLOT_MINUTES;

/// A slot: five minutes of UTC, counted from the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot(pub i64);

impl Slot {
    /// The slot that an instant lies in.
    pub fn of(at: Timestamp) -> Self {
        Self(Minute::of(at).0.div_euclid(SLOT_MINUTES))
    }

    pub fn span(self) -> Span {
        Span::new(Minute(self.0 * SLOT_MINUTES), Minute((self.0 + 1) * SLOT_MINUTES))
    }

    /// The UTC day it lies in: days since the Unix epoch.
    pub fn day(self) -> i64 {
        self.0.div_euclid(SLOTS_A_DAY)
    }

    /// The first one of a UTC day.
    pub fn first_of(day: i64) -> Self {
        Self(day * SLOTS_A_DAY)
    }

    fn index(self) -> usize {
        usize::try_from(self.0.rem_euclid(SLOTS_A_DAY)).unwrap_or_default()
    }
}

/// What is known of hearing in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hearing {
    /// Nobody has looked yet.
    Unseen,
    Uncovered,
    Covered,
}

impl Hearing {
    const fn letter(self) -> char {
        match self {
            Self::Unseen => '-',
            Self::Uncovered => '0',
            Self::Covered => '1',
        }
    }

    const fn of_letter(letter: char) -> Self {
        match letter {
            '1' => Self::Covered,
            '0' => Self::Uncovered,
            _ => Self::Unseen,
        }
    }
}

/// One UTC day of a workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// Days since the Unix epoch.
    pub day: i64,
    /// By slot.
    counts: Vec<u32>,
    /// By slot: `1` covered, `0` not, `-` not looked at yet.
    hearing: String,
    /// Of runs: how many were heard of within each of [`journeys::WAITS`] after they began and not before, and later than
    /// all. Known once a look saw the whole day; kept to the last that is not 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waits: Vec<u32>,
}

impl Day {
    /// A day of which nothing is known.
    pub fn unseen(day: i64) -> Self {
        let slots = usize::try_from(SLOTS_A_DAY).unwrap_or_default();
        let hearing = std::iter::repeat_n(Hearing::Unseen.letter(), slots).collect();
        Self { day, counts: vec![0; slots], hearing, waits: Vec::new() }
    }

    /// Adds what is now known of the same day: counts only rise, and the later look at coverage stands.
    pub fn learn(&mut self, now: &Day) {
        let slots = usize::try_from(SLOTS_A_DAY).unwrap_or_default();
        self.counts.resize(slots, 0);
        for (known, count) in self.counts.iter_mut().zip(&now.counts) {
            *known = (*known).max(*count);
        }
        self.waits.resize(self.waits.len().max(now.waits.len()), 0);
        for (known, count) in self.waits.iter_mut().zip(&now.waits) {
            *known = (*known).max(*count);
        }
        let letters = self.hearing.chars().chain(std::iter::repeat(Hearing::Unseen.letter()));
        let news = now.hearing.chars().chain(std::iter::repeat(Hearing::Unseen.letter()));
        let later = |(known, new)| if Hearing::of_letter(new) == Hearing::Unseen { known } else { new };
        self.hearing = letters.zip(news).take(slots).map(later).collect();
    }

    /// Slot by slot: how many, and whether we heard all of it. Slots that nobody looked at are left out.
    pub fn slots(&self) -> impl Iterator<Item = (Slot, u32, bool)> + '_ {
        let first = self.day * SLOTS_A_DAY;
        let slots = (first..).zip(&self.counts).zip(self.hearing.chars().map(Hearing::of_letter));
        let seen = slots.filter(|(_, hearing)| *hearing != Hearing::Unseen);
        seen.map(|((slot, count), hearing)| (Slot(slot), *count, hearing == Hearing::Covered))
    }

    /// How many of its runs waited for their first message until this place of [`journeys::WAITS`], and not shorter.
    pub fn waited(&self, place: usize) -> u32 {
        self.waits.get(place).copied().unwrap_or_default()
    }

    fn see_wait(&mut self, place: usize, count: u64) {
        self.waits.resize(self.waits.len().max(place + 1), 0);
        if let Some(known) = self.waits.get_mut(place) {
            *known = known.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        }
    }

    fn see(&mut self, slot: Slot, count: u32, covered: bool) {
        let at = slot.index();
        if let Some(known) = self.counts.get_mut(at) {
            *known = count;
        }
        let seen = if covered { Hearing::Covered } else { Hearing::Uncovered };
        // Letters are ASCII, so bytes are letters.
        if at < self.hearing.len() {
            self.hearing.replace_range(at..=at, seen.letter().encode_utf8(&mut [0; 4]));
        }
    }
}

/// The first slot that has to be looked at again, at least `look_back` and at most a day before `now`: the first that was
/// not covered, for it may have been filled since by what came late, or the first that nobody looked at.
pub fn first_unsure(days: &[Day], now: Timestamp, look_back: SignedDuration) -> Slot {
    let earliest = Slot::of(now - SignedDuration::from_hours(24));
    let latest = Slot::of(now - look_back);
    let unsure = days.iter().flat_map(Day::slots).filter(|(slot, _, covered)| !covered && *slot >= earliest);
    let unseen = days.iter().flat_map(Day::slots).map(|(Slot(slot), ..)| Slot(slot + 1)).max();
    unsure.map(|(slot, ..)| slot).chain(unseen).fold(latest, Slot::min).max(earliest)
}

/// What the registers say of a heartbeat in these slots, as days. `cells` hold at least that span of its kind.
pub fn days(
    heartbeat: &Heartbeat,
    cells: &[Cell],
    coverage: &Coverage,
    slots: Range<Slot>,
    now: Timestamp,
) -> Vec<Day> {
    let Range { start: from, end: until } = slots;
    let mut days: Vec<Day> = (from.day()..=until.day()).map(Day::unseen).collect();
    let mut counts = vec![0_u64; usize::try_from(until.0 - from.0).unwrap_or_default()];
    let is_whole = |day: i64| from <= Slot::first_of(day) && Slot::first_of(day + 1) <= until;
    for cell in cells.iter().filter(|cell| heartbeat.counts(&cell.series)) {
        let slot = cell.minute.0.div_euclid(SLOT_MINUTES) - from.0;
        if let Some(count) = usize::try_from(slot).ok().and_then(|slot| counts.get_mut(slot)) {
            *count += cell.count;
        }
        let day = Slot::of(cell.minute.start()).day();
        if let Some(place) = journeys::waited(&cell.series).filter(|_| is_whole(day))
            && let Some(day) = days.iter_mut().find(|known| known.day == day)
        {
            day.see_wait(place, cell.count);
        }
    }
    for (slot, count) in (from.0..until.0).map(Slot).zip(counts) {
        let covered = coverage.minutes_covered(slot.span(), now) >= SLOT_MINUTES;
        if let Some(day) = days.iter_mut().find(|day| day.day == slot.day()) {
            day.see(slot, u32::try_from(count).unwrap_or(u32::MAX), covered);
        }
    }
    days.retain(|day| day.slots().next().is_some());
    days
}

/// What [`super::learned`] reads: the slots that are over at `now`, in order. Those of the last `alone` stand alone,
/// those before are put together by local hour.
pub fn bins(days: &[Day], zone: &TimeZone, alone: SignedDuration, now: Timestamp) -> Vec<Bin> {
    let (alone, until) = (Slot::of(now - alone), Slot::of(now));
    let mut clock = Local::new(zone);
    let mut bins: Vec<Bin> = Vec::new();
    let mut hour = None;
    for (slot, count, covered) in days.iter().flat_map(Day::slots).filter(|(slot, ..)| *slot < until) {
        let place = clock.place(slot.0);
        let its_hour = Some((place.day, place.hour)).filter(|_| slot < alone);
        match bins.last_mut() {
            Some(bin) if its_hour.is_some() && hour == its_hour && bin.end() == slot.0 => {
                bin.slots += 1;
                bin.count = bin.count.saturating_add(count);
                bin.covered += u16::from(covered);
            }
            _ => bins.push(Bin { from: slot.0, slots: 1, count, covered: u16::from(covered) }),
        }
        hour = its_hour;
    }
    bins
}

/// The counts of these local dates; `None` for one of which less than half was heard.
pub fn of_dates(days: &[Day], dates: &[Date], zone: &TimeZone) -> Vec<Option<u64>> {
    let of_date = |date: &Date| {
        let slots = |date: Date| Slot::of(period::midnight(date, zone)).0;
        let (from, until) = (slots(*date), slots(date.saturating_add(1.day())));
        let ours = days.iter().flat_map(Day::slots).filter(|(slot, ..)| (from..until).contains(&slot.0));
        let (count, covered) = ours.fold((0_u64, 0_i64), |(count, covered), (_, n, is_covered)| {
            (count + u64::from(n), covered + i64::from(is_covered))
        });
        (covered * 2 >= until - from).then_some(count)
    };
    dates.iter().map(of_date).collect()
}

impl Heartbeat {
    /// What its history is kept under: heartbeats that count the same share one.
    pub fn counted_as(&self) -> String {
        format!("{}/{}/{}", self.source, self.action.as_deref().unwrap_or_default(), self.event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(seen: &[(i64, u32, bool)]) -> Day {
        let mut day = Day::unseen(20_000);
        seen.iter().for_each(|(slot, count, covered)| day.see(Slot(20_000 * SLOTS_A_DAY + slot), *count, *covered));
        day
    }

    fn shown(day: &Day) -> Vec<(i64, u32, bool)> {
        day.slots().map(|(slot, count, covered)| (slot.0 - 20_000 * SLOTS_A_DAY, count, covered)).collect()
    }

    #[test]
    fn counts_only_rise_and_the_later_look_at_coverage_stands() {
        let mut known = day(&[(0, 3, false), (1, 5, true)]);
        known.learn(&day(&[(0, 4, true), (1, 2, false), (287, 1, true)]));
        assert_eq!(shown(&known), [(0, 4, true), (1, 5, false), (287, 1, true)]);
    }

    #[test]
    fn a_day_survives_json_whatever_is_missing_in_it() {
        let known = day(&[(12, 3, true)]);
        let json = serde_json::to_string(&known).expect("JSON");
        assert_eq!(serde_json::from_str::<Day>(&json).expect("a day"), known);
        let mut short: Day = serde_json::from_str(r#"{"day":20000,"counts":[7],"hearing":"0"}"#).expect("a day");
        short.learn(&day(&[(1, 2, true)]));
        assert_eq!(shown(&short), [(0, 7, false), (1, 2, true)]);
    }

    #[test]
    fn what_was_not_covered_is_looked_at_again_for_a_day() {
        let now = Timestamp::from_second((20_000 * SLOTS_A_DAY + 200) * SLOT_MINUTES * 60).expect("a time");
        let hour = SignedDuration::from_hours(1);
        let slot = |of: Slot| of.0 - 20_000 * SLOTS_A_DAY;
        assert_eq!(slot(first_unsure(&[], now, hour)), 188);
        assert_eq!(slot(first_unsure(&[day(&[(150, 1, true), (160, 0, false), (170, 0, false)])], now, hour)), 160);
        assert_eq!(slot(first_unsure(&[day(&[(199, 0, false)])], now, hour)), 188);
        assert_eq!(slot(first_unsure(&[day(&[(170, 1, true)])], now, hour)), 171, "tick was away since");
    }
}
