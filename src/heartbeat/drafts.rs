//! Drafts that nobody sends: an action in Queue Draft renders its messages and waits for a person, and a workflow that
//! was left so is a silent stop (vendor's webhook specification, `drafted`). Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::customerio::event::{Fate, Kind, Source};
use crate::customerio::metric::CHANNELS;
use crate::tally::Total;

/// One or two may be somebody's test.
pub const AT_LEAST: u64 = 3;

/// Teams that approve by hand do so within hours: half a working day is long for them.
pub const WAITED: SignedDuration = SignedDuration::from_hours(4);

/// How far back drafts are looked at: what nobody sent in a day is old news to whoever was told.
pub const WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// `email_drafted`, ... of every channel.
pub fn kinds() -> impl Iterator<Item = Kind> {
    CHANNELS.into_iter().map(|channel| Kind::new(channel, "drafted"))
}

/// Where messages wait: what a person sets to Queue Draft, or not.
type Place = (Source, Option<String>, String);

fn place(total: &Total) -> Place {
    let series = &total.series;
    (series.source.clone(), series.action.clone(), series.kind.channel.to_string())
}

/// Those of the drafts whose source, action and channel sent nothing since the first of them; ignored ones never.
pub fn unsent(drafts: &[Total], sent: &[Total]) -> Vec<Total> {
    let counted = || drafts.iter().filter(|t| t.series.fate == Fate::Counted);
    let first = first_by_place(counted());
    let moving: BTreeSet<Place> = sent
        .iter()
        .filter(|t| t.series.fate == Fate::Counted)
        .map(|t| (place(t), t.last))
        .filter(|(place, last)| first.get(place).is_some_and(|first| *last >= *first))
        .map(|(place, _)| place)
        .collect();
    counted().filter(|t| !moving.contains(&place(t))).cloned().collect()
}

fn first_by_place<'t>(totals: impl Iterator<Item = &'t Total>) -> BTreeMap<Place, Timestamp> {
    let mut first: BTreeMap<Place, Timestamp> = BTreeMap::new();
    for total in totals {
        let at = total.first_minute.start();
        first.entry(place(total)).and_modify(|first| *first = at.min(*first)).or_insert(at);
    }
    first
}

/// The unsent drafts that are a warning, by source: enough of one place, the oldest of them waiting for long enough.
pub fn stuck(unsent: &[Total], now: Timestamp) -> BTreeMap<Source, Vec<Total>> {
    let mut counts: BTreeMap<Place, u64> = BTreeMap::new();
    unsent.iter().for_each(|t| *counts.entry(place(t)).or_default() += t.count);
    let first = first_by_place(unsent.iter());
    let is_stuck = |t: &&Total| {
        let place = place(t);
        counts.get(&place).is_some_and(|n| *n >= AT_LEAST)
            && first.get(&place).is_some_and(|first| now.duration_since(*first) >= WAITED)
    };
    let mut by_source: BTreeMap<Source, Vec<Total>> = BTreeMap::new();
    for total in unsent.iter().filter(is_stuck) {
        by_source.entry(total.series.source.clone()).or_default().push(total.clone());
    }
    by_source
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Series;
    use crate::tally::testing::{at, total};

    fn of_action(action: &str, total: Total) -> Total {
        let series = Series { action: Some(action.to_owned()), ..(*total.series).clone() };
        Total { series: series.into(), ..total }
    }

    fn sources(drafts: &[Total], sent: &[Total], now: &str) -> Vec<String> {
        stuck(&unsent(drafts, sent), at(now)).keys().map(Source::to_string).collect()
    }

    #[test]
    fn three_drafts_that_wait_four_hours_are_stuck_and_two_or_younger_ones_are_not() {
        let drafts = |n| [total("email_drafted", "campaign:5", n, "09:10")];
        assert_eq!(sources(&drafts(3), &[], "13:10"), ["campaign:5"]);
        assert!(sources(&drafts(3), &[], "13:09").is_empty());
        assert!(sources(&drafts(2), &[], "20:00").is_empty());
    }

    #[test]
    fn only_a_message_of_the_same_source_action_and_channel_sent_since_shows_that_somebody_approves() {
        let drafts = [of_action("96", total("email_drafted", "campaign:5", 9, "09:10"))];
        let stuck_beside = |sent: Total| !sources(&drafts, &[sent], "14:00").is_empty();
        assert!(!stuck_beside(of_action("96", total("email_sent", "campaign:5", 1, "09:30"))));
        assert!(stuck_beside(of_action("96", total("email_sent", "campaign:5", 1, "09:09"))));
        assert!(stuck_beside(of_action("97", total("email_sent", "campaign:5", 1, "09:30"))));
        assert!(stuck_beside(of_action("96", total("email_sent", "campaign:6", 1, "09:30"))));
        assert!(stuck_beside(of_action("96", total("push_sent", "campaign:5", 1, "09:30"))));
    }

    #[test]
    fn ignored_drafts_are_never_stuck() {
        let ignored = total("email_drafted", "campaign:5", 9, "09:10");
        let series = Series { fate: Fate::Ignored, ..(*ignored.series).clone() };
        assert!(sources(&[Total { series: series.into(), ..ignored }], &[], "14:00").is_empty());
    }
}
