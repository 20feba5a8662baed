//! One event's day: when it begins, and everything that was counted of it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::compare::Verdict;
use super::fired::{BACKEND, FiredHour};
use super::reason::Reason;
use crate::heartbeat::period::midnight;
use crate::message::text::{count, number};

/// A local day in whole hours of UTC, since fired counts come by the hour: where the zone is off by half an hour, the
/// day begins that much early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Span {
    /// The day's hours.
    pub fn of(date: Date, zone: &TimeZone) -> Self {
        let begin = |date| hour_of(midnight(date, zone));
        Self { from: begin(date), to: begin(date.tomorrow().unwrap_or(date)) }
    }

    pub fn holds(self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }

    /// 23 to 25, by daylight saving.
    pub fn hours(self) -> usize {
        usize::try_from(self.to.duration_since(self.from).as_hours()).unwrap_or_default()
    }

    /// Which of the day's hours an instant lies in.
    pub fn hour_at(self, at: Timestamp) -> Option<usize> {
        self.holds(at).then(|| usize::try_from(at.duration_since(self.from).as_hours()).unwrap_or_default())
    }
}

/// The beginning of an instant's hour.
pub fn hour_of(at: Timestamp) -> Timestamp {
    at - SignedDuration::from_secs(at.as_second().rem_euclid(3_600))
        - SignedDuration::from_nanos(at.subsec_nanosecond().into())
}

/// What Customer.io received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", content = "count", rename_all = "snake_case")]
pub enum Received {
    /// Nobody could be asked.
    #[default]
    Unknown,
    /// Counting stopped before the day's end was reached: a lower bound, shown as incomplete.
    AtLeast(u64),
    Exactly(u64),
}

impl Received {
    /// What it is by a second witness, who saw at least so many.
    pub fn at_least(self, seen: u64) -> Self {
        match self {
            Self::Exactly(count) if count >= seen => self,
            Self::Unknown if seen == 0 => self,
            Self::AtLeast(count) | Self::Exactly(count) => Self::AtLeast(count.max(seen)),
            Self::Unknown => Self::AtLeast(seen),
        }
    }

    pub const fn exact(self) -> Option<u64> {
        match self {
            Self::Exactly(count) => Some(count),
            Self::Unknown | Self::AtLeast(_) => None,
        }
    }
}

/// The counts of one day; `None` what nobody could tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub fired: Option<u64>,
    pub received: Received,
    /// People who entered the workflow.
    pub started: Option<u64>,
    /// Messages that the workflow sent.
    pub messages: Option<u64>,
}

/// What another origin counted of the same day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Other {
    pub origin: String,
    pub count: u64,
}

/// A day as it was compared last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    pub event: String,
    /// The campaign's id.
    pub campaign: String,
    pub date: Date,
    pub counts: Counts,
    /// Origins beside the one that is compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Other>,
    pub verdict: Verdict,
    #[serde(default)]
    pub reasons: Vec<Reason>,
    pub at: Timestamp,
}

impl Compared {
    /// A date as days since the Unix epoch, as stores keep it.
    pub fn day_of(date: Date) -> i64 {
        midnight(date, &TimeZone::UTC).as_second().div_euclid(86_400)
    }

    /// `Subscription Started: fired 1,204, received 1,131 (-6 %), 1,120 messages`
    pub fn line(&self) -> String {
        let Counts { fired, received, started, messages } = self.counts;
        let mut said = vec![fired.map_or_else(|| "fired: not reported".to_owned(), |n| format!("fired {}", number(n)))];
        said.push(match received {
            Received::Unknown => "received: not known".to_owned(),
            Received::AtLeast(n) => format!("received at least {} (incomplete)", number(n)),
            Received::Exactly(n) => format!("received {}{}", number(n), fired.map_or_else(String::new, |f| off(n, f))),
        });
        said.extend(started.map(|n| format!("{} started", number(n))));
        said.extend(messages.map(|n| count("message", n)));
        said.extend(self.others());
        format!("{}: {}", self.event, said.join(", "))
    }

    /// `mixpanel counted 1,180 (+4 %)`, against what was received, else against what the backend fired.
    pub fn others(&self) -> impl Iterator<Item = String> {
        let beside = self.counts.received.exact().or(self.counts.fired).unwrap_or_default();
        let said = move |other: &Other| {
            format!("{} counted {}{}", other.origin, number(other.count), off(other.count, beside))
        };
        self.others.iter().map(said)
    }
}

/// ` (-6 %)`, where there is a difference that shows.
fn off(received: u64, fired: u64) -> String {
    let per_cent = (received as f64 - fired as f64) * 100.0 / fired.max(1) as f64;
    let rounded = per_cent.round() as i64;
    if fired == 0 || rounded == 0 { String::new() } else { format!(" ({rounded:+} %)") }
}

/// What was fired of an event in a day, by hour: `None` when nobody reported it; and what other origins counted. Origins
/// count the same events, so one of them speaks: the backend, else the one that counted most.
pub fn fired(reports: &[FiredHour], event: &str, span: Span) -> (Option<Vec<u64>>, Vec<Other>) {
    let mut origins: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for report in reports.iter().filter(|report| report.event == event) {
        let Some(hour) = span.hour_at(report.hour) else { continue };
        let hours = origins.entry(&report.origin).or_insert_with(|| vec![0; span.hours()]);
        if let Some(sum) = hours.get_mut(hour) {
            *sum = sum.saturating_add(report.count);
        }
    }
    let sum = |hours: &[u64]| hours.iter().sum::<u64>();
    let most = || origins.iter().max_by_key(|(_, hours)| sum(hours)).map(|(origin, _)| *origin);
    let speaks = if origins.contains_key(BACKEND) { Some(BACKEND) } else { most() };
    let hours = speaks.and_then(|origin| origins.remove(origin));
    let others = origins.iter().map(|(origin, hours)| Other { origin: (*origin).to_owned(), count: sum(hours) });
    (hours, others.collect())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_day_has_the_hours_that_the_clock_gives_it() {
        let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
        let kolkata = TimeZone::get("Asia/Kolkata").expect("a zone");
        assert_eq!(Span::of(date(2026, 3, 29), &berlin).hours(), 23);
        assert_eq!(Span::of(date(2026, 10, 25), &berlin).hours(), 25);
        let day = Span::of(date(2026, 11, 23), &kolkata);
        assert_eq!((day.from.to_string().as_str(), day.hours()), ("2026-11-22T18:00:00Z", 24));
    }

    #[test]
    fn a_second_witness_makes_a_lower_bound() {
        use Received::{AtLeast, Exactly, Unknown};
        for (known, seen, want) in [
            (Exactly(10), 10, Exactly(10)),
            (Exactly(10), 11, AtLeast(11)),
            (AtLeast(10), 3, AtLeast(10)),
            (Unknown, 0, Unknown),
            (Unknown, 7, AtLeast(7)),
        ] {
            assert_eq!(known.at_least(seen), want, "{known:?} {seen}");
        }
    }

    #[test]
    fn origins_count_the_same_events_and_are_not_added_up() {
        let day = Span::of(date(2026, 11, 23), &TimeZone::UTC);
        let report = |event: &str, origin: &str, hour: i64, count| FiredHour {
            event: event.into(),
            origin: origin.into(),
            hour: day.from + SignedDuration::from_hours(hour),
            count,
        };
        let reports = [
            report("A", "backend", 0, 3),
            report("A", "backend", 23, 4),
            report("A", "backend", 24, 99),
            report("A", "posthog", 3, 70),
            report("B", "posthog", 3, 1),
            report("B", "cloudwatch", 4, 2),
        ];
        let sum = |event| fired(&reports, event, day).0.map(|hours| hours.iter().sum::<u64>());
        assert_eq!([sum("A"), sum("B"), sum("C")], [Some(7), Some(2), None]);
        let others = |event| fired(&reports, event, day).1;
        assert_eq!(others("A"), [Other { origin: "posthog".into(), count: 70 }]);
        assert_eq!(others("B"), [Other { origin: "posthog".into(), count: 1 }]);
    }
}
