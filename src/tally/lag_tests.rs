use proptest::prelude::*;

use super::*;
use crate::tally::testing::at;

/// So many arrivals in a minute, each this late.
fn arrived(clock: &str, n: u32, secs: i64) -> Ring {
    let mut ring = Ring::default();
    ring.add(Minute::of(at(clock)), bin(SignedDuration::from_secs(secs)), n);
    ring
}

fn merged(rings: &[Ring]) -> Ring {
    rings.iter().fold(Ring::default(), |all, ring| all.and(ring))
}

fn rings() -> impl Strategy<Value = Ring> {
    let row = (0_i64..60, 0_u8..21, 1_u32..u32::MAX);
    prop::collection::vec(row, 0..30).prop_map(|rows| {
        let minute = |(minute, bin, n)| {
            let mut one = Ring::default();
            one.add(Minute(29_000_000 + minute), bin, n);
            one
        };
        merged(&rows.into_iter().map(minute).collect::<Vec<_>>())
    })
}

proptest! {
    #[test]
    fn merging_is_commutative_and_associative(a in rings(), b in rings(), c in rings()) {
        prop_assert_eq!(a.clone().and(&b), b.clone().and(&a));
        prop_assert_eq!(a.clone().and(&b).and(&c), a.and(&b.and(&c)));
    }

    #[test]
    fn a_ring_survives_json_and_stays_short(ring in rings()) {
        let json = serde_json::to_string(&ring).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<Ring>(&json).expect("a ring"), ring.clone());
        prop_assert!(ring.0.len() <= 20);
    }

    #[test]
    fn a_median_lies_within_a_fifth_of_the_lag_that_all_events_have(secs in 60_u32..43_200, n in 1_u32..5_000) {
        let median = arrived("12:00", n, i64::from(secs)).window(Minute::of(at("12:00"))).median_s;
        let (begin, end) = bounds(bin(SignedDuration::from_secs(i64::from(secs))));
        prop_assert!(begin <= median && end.is_some_and(|end| median < end), "{secs} s reads {median} s");
    }
}

#[test]
fn a_busy_ring_is_a_small_part_of_a_kilobyte() {
    let rows = (0..20).map(|minute| arrived(&format!("12:{minute:02}"), 36_000, 2).and(&arrived("12:00", 9, 200)));
    let json = serde_json::to_string(&merged(&rows.collect::<Vec<_>>())).expect("JSON");
    assert!(json.len() < 350, "{} bytes: {json}", json.len());
}

#[test]
fn half_of_twenty_events_two_minutes_late_are_slow_and_fewer_are_not() {
    let minute = Minute::of(at("12:10"));
    let window = |late, timely| arrived("12:00", late, 240).and(&arrived("12:09", timely, 1)).window(minute);
    assert!(window(11, 9).is_slow());
    assert!(!window(10, 10).is_slow(), "the median is that of a timely one");
    assert!(!window(19, 0).is_slow(), "too few");
    assert!(!arrived("12:00", 99, 119).window(minute).is_slow());
    assert!(arrived("12:00", 99, 120).window(minute).is_slow());
    assert_eq!(window(11, 9), Window { from: Minute::of(at("11:56")), events: 20, late: 11, median_s: 212 });
}

#[test]
fn it_is_over_when_the_last_quarter_of_an_hour_was_timely() {
    let ring = arrived("12:00", 99, 240).and(&arrived("12:05", 30, 1));
    assert!(!ring.window(Minute::of(at("12:14"))).is_calm());
    assert!(ring.window(Minute::of(at("12:15"))).is_calm());
    assert!(!ring.window(Minute::of(at("12:20"))).is_calm(), "without events nobody knows");
    assert!(!arrived("12:00", 9, 90).window(Minute::of(at("12:00"))).is_calm(), "between the limits");
}

#[test]
fn a_day_adds_up_and_keeps_its_worst_quarter_of_an_hour() {
    let ring = merged(&[arrived("12:00", 30, 1), arrived("12:03", 70, 300), arrived("12:04", 5, 1)]);
    let learn = |days: Days, clock: &str| days.learning(&ring, &TimeZone::UTC, at(clock));
    let days = learn(Days::default(), "12:04").expect("news");
    let more = learn(days.clone(), "12:09").expect("more");
    assert_eq!(learn(more.clone(), "12:09"), None, "nothing is learned twice");
    assert_eq!(learn(more.clone(), "12:30"), None, "nothing new is no write");
    let date = jiff::civil::date(2026, 11, 24);
    let worst = Some(Window { from: Minute::of(at("11:49")), events: 100, late: 70, median_s: 286 });
    assert_eq!(days.of(date), Some(&Day { events: 100, late: 70, worst }));
    assert_eq!(more.of(date), Some(&Day { events: 105, late: 70, worst }));
}
