//! Distinct journeys: one person's run through a workflow, counted once however many messages it makes. A heartbeat with
//! `distinct = "journey"` asks for it.
//!
//! A run is an entry of its own beside the event that named it, through the same seen sets: once per run, whatever is
//! retried. It counts at the time in its id, which is when the run began, so the sums of a span are exact. An id that
//! holds no time counts once a UTC day of the event, in a daily set of limited size. That is an approximation, and every
//! text that shows such a count says so: a run over several days counts on each, and of a great many some share a place.

use jiff::{SignedDuration, Timestamp, ToSpan};

use super::{Class, Entry, Series, Total};
use crate::customerio::event::{Event, FUTURE_MINUTES, Fate, Identity, Kind, Source, TOO_LATE_DAYS};
use crate::customerio::provider::Provider;
use crate::heartbeat::Heartbeat;

/// What a run is counted as.
pub const JOURNEY: Kind = Kind::known("journey", "started");

/// What an event that started a run is counted as, of campaigns that are compared: whatever message names it shows that
/// Customer.io received it.
pub const TRIGGER: Kind = Kind::known("trigger", "received");

/// Whether these were counted beside the events that arrived, and did not arrive themselves.
pub fn is_beside(kind: &Kind) -> bool {
    *kind == JOURNEY || *kind == TRIGGER
}

/// Places of a day's set of runs whose ids hold no time, of one workflow or step. An id always takes the same place, so a
/// day stores no more than this, and n runs lose about n/2 in this many of themselves: 0.5 % of 10,000, 5 % of 100,000.
/// Source: K.-Y. Whang et al., "A linear-time probabilistic counting algorithm", ACM TODS 15 (1990).
pub const PLACES_A_DAY: u64 = 1 << 20;

/// The mark in a register of runs whose ids hold no time. A run has no failure text, so the place of its fingerprint is
/// free.
const WITHOUT_A_TIME: u64 = 1;

/// How long a run may wait for its first message, in steps: the waits that people set (none, minutes, an hour, ..., three
/// days) and a little more, for a message leaves some time after its wait has ended.
pub const WAITS: [SignedDuration; 9] = [
    SignedDuration::from_mins(10),
    SignedDuration::from_mins(35),
    SignedDuration::from_mins(75),
    SignedDuration::from_hours(4),
    SignedDuration::from_hours(7),
    SignedDuration::from_hours(13),
    SignedDuration::from_hours(26),
    SignedDuration::from_hours(50),
    SignedDuration::from_hours(74),
];

/// From this mark on registers say which of [`WAITS`] a run's first message came within. The mark 0, of an older version,
/// says nothing of it.
const WAITED: u64 = 2;

/// Which of [`WAITS`] these runs' first messages came within; one more is later than all. `None`: nobody looked.
pub fn waited(series: &Series) -> Option<usize> {
    if series.kind != JOURNEY {
        return None;
    }
    // Without a time in its id a run counts with its message: it never waits.
    if is_approximate(series) { Some(0) } else { usize::try_from(series.fingerprint.checked_sub(WAITED)?).ok() }
}

/// The mark of a run that began then and is heard of by what happened at `at`.
fn mark(begun: Timestamp, at: Timestamp) -> u64 {
    let waited = at.duration_since(begun);
    WAITED + WAITS.iter().take_while(|wait| **wait < waited).count() as u64
}

/// Whether these are runs whose ids hold no time: what is counted there is an approximation.
pub fn is_approximate(series: &Series) -> bool {
    series.kind == JOURNEY && series.fingerprint == WITHOUT_A_TIME
}

/// How many of a heartbeat's beats are runs whose ids hold no time. None: its count is exact.
pub fn approximate(totals: &[Total], heartbeat: &Heartbeat) -> u64 {
    totals.iter().filter(|t| heartbeat.counts(&t.series) && is_approximate(&t.series)).map(|t| t.count).sum()
}

/// The runs that these heartbeats count, as these events name them.
pub fn entries(events: &[Event], heartbeats: &[Heartbeat]) -> Vec<Entry> {
    let counting = heartbeats.iter().filter(|heartbeat| heartbeat.event == JOURNEY);
    let mut entries: Vec<Entry> = counting
        .flat_map(|heartbeat| {
            let ours = move |event: &&Event| {
                event.source == heartbeat.source
                    && heartbeat.action.as_ref().is_none_or(|action| event.action.as_ref() == Some(action))
            };
            events.iter().filter(ours).filter_map(|event| entry(event, heartbeat.action.as_deref()))
        })
        .collect();
    // Two heartbeats may count the same runs, in other periods.
    // Of a run's messages the first says how long it waited.
    entries.sort_by_key(|entry| (entry.identity, entry.class.series.fingerprint));
    entries.dedup_by_key(|entry| entry.identity);
    entries
}

/// The events that started runs of these campaigns, once each, at the time in their ids: when they were received, or fired
/// where the backend gave the id. One whose id holds no time is not counted, for what is counted is a lower bound anyway.
pub fn triggers(events: &[Event], campaigns: &[&Source]) -> Vec<Entry> {
    let ours = events.iter().filter(|event| campaigns.contains(&&event.source));
    let mut entries: Vec<Entry> = ours.filter_map(trigger).collect();
    entries.sort_by_key(|entry| entry.identity);
    entries.dedup_by_key(|entry| entry.identity);
    entries
}

fn trigger(event: &Event) -> Option<Entry> {
    let id = event.trigger_event_id.as_deref().filter(|_| event.fate == Fate::Counted)?;
    let at = began(id).filter(|at| is_in_reach(*at, event.arrived))?;
    let series = Series {
        kind: TRIGGER,
        source: event.source.clone(),
        action: None,
        cause: None,
        fingerprint: 0,
        provider: Provider::none(),
        fate: event.fate,
    };
    let identity = Identity::of_trigger(&event.source, id);
    Some(Entry { identity, stamp: Some(at), class: Class { series, at } })
}

/// Whether what began then may be counted when it is heard of at `arrived`: not in the future, and not so long ago that
/// its seen set may be gone, and nobody is told of it.
fn is_in_reach(begun: Timestamp, arrived: Timestamp) -> bool {
    let ahead = begun.duration_since(arrived);
    ahead <= SignedDuration::from_mins(FUTURE_MINUTES) && -ahead <= SignedDuration::from_hours(24 * TOO_LATE_DAYS)
}

/// The run of an event, as one that reached `action`, if that is asked.
fn entry(event: &Event, action: Option<&str>) -> Option<Entry> {
    let id = event.journey_id.as_deref().filter(|_| !matches!(event.fate, Fate::TooLate | Fate::Canary))?;
    let begun =
        began(id).filter(|begun| begun.duration_since(event.arrived) <= SignedDuration::from_mins(FUTURE_MINUTES));
    let (identity, stamp, at, fingerprint) = match begun {
        Some(begun) => (Identity::of_journey(id, action, ""), begun, begun, mark(begun, event.at)),
        None => {
            let day = event.at.strftime("%F").to_string();
            let identity = Identity::of_journey(&place(&event.source, id), action, &day);
            (identity, within_day(event.at, identity)?, event.at, WITHOUT_A_TIME)
        }
    };
    // Its seen set may be gone, and nobody is told of so long ago.
    if event.arrived.duration_since(at) > SignedDuration::from_hours(24 * TOO_LATE_DAYS) {
        return None;
    }
    let series = Series {
        kind: JOURNEY,
        source: event.source.clone(),
        action: action.map(str::to_owned),
        cause: None,
        fingerprint,
        provider: Provider::none(),
        fate: event.fate,
    };
    Some(Entry { identity, stamp: Some(stamp), class: Class { series, at } })
}

/// Where a run stands in a day's set: the same place for each of its events. Places of two sources are never one.
fn place(source: &Source, id: &str) -> String {
    let Identity([a, b, c, d, e, f, g, h, ..]) = Identity::of_journey(id, None, "");
    format!("{source} {}", u64::from_be_bytes([a, b, c, d, e, f, g, h]) % PLACES_A_DAY)
}

/// An instant of the event's UTC day that is the same for each event of a run, and spreads runs over the day's seen
/// sets.
fn within_day(at: Timestamp, identity: Identity) -> Option<Timestamp> {
    let day = at.as_second().div_euclid(86_400) * 86_400;
    let Identity([a, b, c, d, ..]) = identity;
    let offset = i64::from(u32::from_be_bytes([a, b, c, d])) % 86_400;
    Timestamp::from_second(day).ok()?.checked_add(offset.seconds()).ok()
}

/// The time in a ULID: its first ten characters are milliseconds since 1970 in Crockford's base 32.
/// Source: github.com/ulid/spec.
pub fn began(id: &str) -> Option<Timestamp> {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let digit = |c: u8| ALPHABET.iter().position(|known| *known == c.to_ascii_uppercase());
    let digits: Vec<usize> = id.bytes().map_while(digit).collect();
    if id.len() != 26 || digits.len() != 26 || digits.first().is_none_or(|first| *first > 7) {
        return None;
    }
    let milliseconds = digits.iter().take(10).fold(0_i64, |sum, digit| sum * 32 + *digit as i64);
    Timestamp::from_millisecond(milliseconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::smallest_with;
    use crate::customerio::parse::{Context, normalise};

    const CONFIG: &str = r#"
[[heartbeats]]
name = "Runs"
source = "campaign:5"
distinct = "journey"
at_least = 40
[[heartbeats]]
name = "Runs a week"
source = "campaign:5"
distinct = "journey"
every = "week"
at_least = 200
[[heartbeats]]
name = "Reached step 97"
source = "campaign:5"
action = "97"
distinct = "journey"
at_least = 4
"#;

    fn t(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn event(id: &str, journey: &str, action: u32, at: &str) -> Event {
        let body = format!(
            r#"{{"event_id":"{id}","object_type":"email","metric":"sent","timestamp":{},
            "data":{{"campaign_id":5,"action_id":{action},"journey_id":"{journey}","identifiers":{{"id":"u"}}}}}}"#,
            t(at).as_second()
        );
        let config = smallest_with(CONFIG);
        let context = Context::of(&config, t(at));
        let mut read = normalise(body.as_bytes(), &context).expect("an event");
        read.events.remove(0)
    }

    fn counted(events: &[Event]) -> Vec<(Option<String>, String, String)> {
        let config = smallest_with(CONFIG);
        let shown = |e: Entry| {
            let stamp = e.stamp.map(|at| at.to_string()).unwrap_or_default();
            (e.class.series.action, e.class.at.to_string(), stamp)
        };
        let mut counted: Vec<_> = entries(events, &config.heartbeats).into_iter().map(shown).collect();
        counted.sort();
        counted
    }

    #[test]
    fn a_run_counts_once_when_it_began_and_once_for_each_step_that_is_asked_for() {
        // 2026-01-01T00:00:00Z.
        let run = "01KDVB5Z00J4M8X2C6V9T1R3QE";
        let began = began(run).expect("a ULID").to_string();
        let events = [
            event("a", run, 96, "2026-01-01T02:00:00Z"),
            event("b", run, 97, "2026-01-01T05:00:00Z"),
            event("c", run, 97, "2026-01-03T05:00:00Z"),
        ];
        let expected = [(None, began.clone(), began.clone()), (Some("97".to_owned()), began.clone(), began)];
        assert_eq!(counted(&events), expected);
    }

    #[test]
    fn an_id_without_a_time_counts_once_a_day_and_is_looked_for_in_one_place() {
        let at = |id, at| event(id, "run-4711", 96, at);
        let day = [at("a", "2026-01-01T02:00:00Z"), at("b", "2026-01-01T23:00:00Z")];
        let counted_on_a_day = counted(&day);
        assert_eq!(counted_on_a_day.len(), 1);
        assert_eq!(counted(&day[..1])[0].2, counted(&day[1..])[0].2, "the same seen set");
        assert_eq!(counted(&[day[0].clone(), at("c", "2026-01-02T02:00:00Z")]).len(), 2);
    }

    #[test]
    fn a_count_says_how_many_of_its_runs_have_no_time_in_their_ids() {
        let config = smallest_with(CONFIG);
        let events =
            ["01KDVB5Z00J4M8X2C6V9T1R3QE", "run-1", "run-2"].map(|id| event(id, id, 96, "2026-01-01T02:00:00Z"));
        let total = |entry: Entry| Total {
            count: 1,
            first_minute: crate::clock::Minute::of(entry.class.at),
            last: entry.class.at,
            series: std::sync::Arc::new(entry.class.series),
        };
        let totals: Vec<Total> = entries(&events, &config.heartbeats).into_iter().map(total).collect();
        let beats = |heartbeat: &Heartbeat| totals.iter().filter(|t| heartbeat.counts(&t.series)).count();
        let of = |at: usize| (beats(&config.heartbeats[at]), approximate(&totals, &config.heartbeats[at]));
        assert_eq!([of(0), of(2)], [(3, 2), (0, 0)]);
    }

    #[test]
    fn a_days_set_has_a_size_and_no_two_sources_share_a_place() {
        let places = |source: &str, ids: std::ops::Range<u32>| {
            let source: Source = source.parse().expect("a source");
            ids.map(|n| place(&source, &format!("run-{n}"))).collect::<std::collections::BTreeSet<_>>()
        };
        // Of 10,000 about 48 share a place: n^2/2 pairs, each with a chance of one in PLACES_A_DAY.
        let (five, six) = (places("campaign:5", 0..10_000), places("campaign:6", 0..10_000));
        assert!((9_900..10_000).contains(&five.len()), "{}", five.len());
        assert!(five.is_disjoint(&six));
        let number = |place: &String| place.rsplit(' ').next().and_then(|n| n.parse::<u64>().ok()).expect("a number");
        assert!(five.iter().all(|place| number(place) < PLACES_A_DAY));
    }

    #[test]
    fn a_run_that_began_over_eight_days_ago_is_not_counted_again_when_its_seen_set_is_gone() {
        let run = "01KDVB5Z00J4M8X2C6V9T1R3QE";
        assert!(counted(&[event("a", run, 96, "2026-01-12T00:00:00Z")]).is_empty());
    }

    #[test]
    fn only_a_ulid_has_a_time() {
        assert_eq!(began("01ARZ3NDEKTSV4RRFFQ69G5FAV"), Some(t("2016-07-30T23:54:10.259Z")));
        for id in ["", "01ARZ3NDEKTSV4RRFFQ69G5FA", "81ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAU", "ä"] {
            assert_eq!(began(id), None, "{id}");
        }
    }
}
