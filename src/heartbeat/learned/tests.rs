use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::local::{self, Local, SLOTS_A_DAY};
use super::*;

/// SplitMix64: chance that is the same on every run.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(super) fn poisson(&mut self, mean: f64) -> u32 {
        let limit = (-mean).exp();
        let (mut drawn, mut product) = (0, self.unit());
        while product > limit {
            drawn += 1;
            product *= self.unit();
        }
        drawn
    }
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("a zone")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// Few at night, most by day, less at the weekend; sums to about 1 a day.
fn waking(place: local::Place) -> f64 {
    let hour = if (7..22).contains(&place.hour) { 0.06 } else { 0.011 };
    if place.weekday < 5 { hour } else { 0.7 * hour }
}

/// Bins of an hour, from midnight of a local day on.
fn hours(name: &str, from: &str, days: i64, mut count: impl FnMut(i64, local::Place) -> u32) -> Vec<Bin> {
    let zone = zone(name);
    let mut clock = Local::new(&zone);
    let start = local::slot_of(
        from.parse::<Date>().expect("a date").to_zoned_datetime(zone.clone()).expect("a day").timestamp(),
    );
    (0..days * 24)
        .map(|hour| {
            let from = start + hour * 12;
            Bin { from, slots: 12, count: count(from, clock.place(from)), covered: 12 }
        })
        .collect()
}

fn random_hours(name: &str, from: &str, days: i64, a_day: f64) -> Vec<Bin> {
    let mut dice = Dice(7);
    hours(name, from, days, |_, place| dice.poisson(a_day * waking(place)))
}

fn learned(bins: &[Bin], name: &str, now: Timestamp) -> Profile {
    match learn(bins, &zone(name), &[], now) {
        Learned::Ready(profile) => *profile,
        Learned::Learning { covered_days, .. } => panic!("only {covered_days} days"),
    }
}

fn verdict(profile: &Profile, bins: &[Bin], name: &str, now: Timestamp) -> Verdict {
    profile.judge(bins, &zone(name), &[], now).verdict
}

fn silenced(bins: &[Bin], from: Timestamp) -> Vec<Bin> {
    let from = local::slot_of(from);
    bins.iter().map(|bin| if bin.from >= from { Bin { count: 0, ..*bin } } else { *bin }).collect()
}

#[test]
fn a_year_through_both_clock_changes_is_calm_and_a_stop_on_the_day_of_a_change_is_seen() {
    let changes = [
        ("Europe/Berlin", ["2025-10-26", "2026-03-29"]),
        ("America/New_York", ["2025-11-02", "2026-03-08"]),
        ("Australia/Sydney", ["2025-10-05", "2026-04-05"]),
        ("Asia/Kolkata", ["2025-10-26", "2026-03-29"]),
    ];
    for (name, changes) in changes {
        let bins = random_hours(name, "2025-05-01", 365, 200.0);
        let first = bins.first().expect("bins").from;
        for week in 8..51 {
            let monday = first + week * 7 * SLOTS_A_DAY;
            let known: Vec<Bin> = bins.iter().copied().filter(|bin| bin.end() <= monday).collect();
            let profile = learned(&known[known.len().saturating_sub(58 * 24)..], name, local::instant(monday + 12));
            for hour in (3..7 * 24).step_by(4) {
                let now = local::instant(monday + hour * 12);
                let reading = profile.judge(&bins, &zone(name), &[], now);
                assert_eq!(reading.verdict, Verdict::Ok, "{name} {now} {reading:?}");
            }
        }
        for change in changes {
            let day: Date = change.parse().expect("a date");
            let stop = day.at(8, 0, 0, 0).to_zoned_datetime(zone(name)).expect("a time").timestamp();
            let known: Vec<Bin> = bins.iter().copied().filter(|b| local::instant(b.end()) <= stop).collect();
            let profile = learned(&known[known.len() - 58 * 24..], name, stop);
            let stopped = silenced(&bins, stop);
            let seen = (1..24).find(|h| verdict(&profile, &stopped, name, stop + hours_of(*h)) == Verdict::Low);
            assert!(seen.is_some_and(|hours| hours <= 3), "{name} {change} {seen:?}");
        }
    }
}

fn hours_of(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

const BERLIN: &str = "Europe/Berlin";

/// Nine weeks of 200 a day until Wednesday, 2026-07-08, 12:00 local, with what is usual by then.
fn usual(a_day: f64) -> (Vec<Bin>, Profile, Timestamp) {
    let now = at("2026-07-08T10:00:00Z");
    let bins = random_hours(BERLIN, "2026-05-06", 66, a_day);
    let profile = learned(&bins, BERLIN, now);
    (bins, profile, now)
}

#[test]
fn what_is_usual_is_learned() {
    let (_, profile, _) = usual(200.0);
    let monday: f64 = profile.hours.iter().take(24).sum();
    assert!((profile.level / 190.0 - 1.0).abs() < 0.1, "{}", profile.level);
    assert!((profile.level * monday / 200.0 - 1.0).abs() < 0.12);
    let (day, night) = (profile.hours.get(12).copied().unwrap_or(0.0), profile.hours.get(3).copied().unwrap_or(0.0));
    assert!((4.0..8.0).contains(&(day / night)), "{day} {night}");
    assert!(profile.vary.day < 0.03, "{:?}", profile.vary);
}

#[test]
fn a_stop_is_low_since_it_stopped_and_chance_is_named() {
    let (bins, profile, now) = usual(200.0);
    let stop = now - hours_of(3);
    let reading = profile.judge(&silenced(&bins, stop), &zone(BERLIN), &[], now);
    assert_eq!(reading.verdict, Verdict::Low);
    let evidence = reading.evidence.expect("evidence");
    assert_eq!((evidence.since, evidence.count), (stop, 0));
    assert!((25.0..50.0).contains(&evidence.expected) && evidence.once_in_years > 100.0, "{evidence:?}");
    assert_eq!(verdict(&profile, &bins, BERLIN, now), Verdict::Ok);
}

#[test]
fn half_is_low_and_threefold_is_high_within_a_day() {
    let (bins, profile, now) = usual(200.0);
    let from = local::slot_of(now - hours_of(24));
    let scaled = |by: f64| -> Vec<Bin> {
        let scale = |bin: &Bin| Bin { count: (f64::from(bin.count) * by) as u32, ..*bin };
        bins.iter().map(|bin| if bin.from >= from { scale(bin) } else { *bin }).collect()
    };
    assert_eq!(verdict(&profile, &scaled(0.4), BERLIN, now), Verdict::Low);
    assert_eq!(verdict(&profile, &scaled(3.0), BERLIN, now), Verdict::High);
    assert_eq!(verdict(&profile, &scaled(0.9), BERLIN, now), Verdict::Ok);
}

#[test]
fn what_we_could_not_hear_is_unknown_and_what_comes_late_makes_it_ok() {
    let (bins, profile, now) = usual(1_000.0);
    let from = local::slot_of(now - hours_of(3));
    let dark: Vec<Bin> =
        bins.iter().map(|bin| if bin.from >= from { Bin { count: 0, covered: 0, ..*bin } } else { *bin }).collect();
    let reading = profile.judge(&dark, &zone(BERLIN), &[], now);
    assert_eq!((reading.verdict, reading.unheard_since), (Verdict::Unknown, Some(now - hours_of(3))));
    assert_eq!(verdict(&profile, &bins, BERLIN, now), Verdict::Ok);
}

#[test]
fn a_silent_stream_without_witnesses_is_noticed_whatever_its_coverage() {
    let (bins, profile, now) = usual(200.0);
    let dark: Vec<Bin> = silenced(&bins, now - hours_of(3)).iter().map(|bin| Bin { covered: 0, ..*bin }).collect();
    let silent = |bins: &[Bin], hours: i64| profile.silent(bins, &zone(BERLIN), &[], hours_of(hours), now);
    assert!(silent(&dark, 2).is_some_and(|evidence| evidence.since == now - hours_of(3)));
    assert_eq!(silent(&dark, 4), None);
    assert_eq!(silent(&bins, 0), None);
}

#[test]
fn nothing_is_judged_before_fourteen_covered_days() {
    let bins = random_hours(BERLIN, "2026-06-01", 30, 50.0);
    let learned_on = |now: &str| learn(&bins, &zone(BERLIN), &[], at(now));
    let Learned::Learning { covered_days, needed_days } = learned_on("2026-06-14T21:00:00Z") else {
        panic!("too soon")
    };
    assert_eq!((covered_days, needed_days), (13.0, 14.0));
    assert!(matches!(learned_on("2026-06-14T23:00:00Z"), Learned::Ready(_)));
}

#[test]
fn past_outages_blasts_and_excepted_days_leave_no_trace() {
    let (bins, clean, now) = usual(200.0);
    let spoilt: Vec<Bin> = bins
        .iter()
        .map(|bin| {
            let place = Local::new(&zone(BERLIN)).place(bin.from);
            match place.day - clean.made_for {
                -20..=-18 => Bin { count: 0, ..*bin },                   // an outage
                -10 if place.hour == 15 => Bin { count: 5_000, ..*bin }, // a blast
                -5 => Bin { count: bin.count / 4, ..*bin },              // a holiday, listed
                _ => *bin,
            }
        })
        .collect();
    let holiday = date(1970, 1, 1).saturating_add(jiff::Span::new().days(clean.made_for - 5));
    let Learned::Ready(profile) = learn(&spoilt, &zone(BERLIN), &[holiday], now) else { panic!("enough days") };
    assert!((profile.level / clean.level - 1.0).abs() < 0.05, "{} {}", profile.level, clean.level);
    assert!(profile.vary.whole_day < clean.vary.whole_day + 0.02, "{:?}", profile.vary);
    assert_eq!(verdict(&profile, &spoilt, BERLIN, now), Verdict::Ok);
    assert_eq!(verdict(&profile, &silenced(&spoilt, now - hours_of(4)), BERLIN, now), Verdict::Low);
}

#[test]
fn an_excepted_day_is_not_judged() {
    let (bins, profile, now) = usual(200.0);
    let stopped = silenced(&bins, now - hours_of(6));
    assert_eq!(profile.judge(&stopped, &zone(BERLIN), &[date(2026, 7, 8)], now).verdict, Verdict::Ok);
}

#[test]
fn counts_of_days_alone_judge_whole_days() {
    let now = at("2026-07-08T10:00:00Z");
    let day = |ago: i64| local::slot_of(at("2026-07-07T22:00:00Z")) - ago * SLOTS_A_DAY;
    let history: Vec<Bin> =
        (1..=56).rev().map(|ago| Bin { from: day(ago), slots: 288, count: 200, covered: 288 }).collect();
    let profile = learned(&history, BERLIN, now);
    assert!(!profile.by_hour && (profile.level / 200.0 - 1.0).abs() < 0.05);
    let silent = |days: i64| -> Vec<Bin> {
        (0..days * 24 + 12).map(|h| Bin { from: day(days) + h * 12, slots: 12, count: 0, covered: 12 }).collect()
    };
    assert_eq!(verdict(&profile, &silent(0), BERLIN, now), Verdict::Ok, "the hours are not known");
    assert_eq!(verdict(&profile, &silent(1), BERLIN, now), Verdict::Low);
}

#[test]
fn a_daily_batch_is_missed_soon_after_its_hour_and_never_before() {
    let batch = |a: i64, place: local::Place| if place.hour == 9 { 990 + (a / 12 % 21) as u32 } else { 0 };
    let bins = hours(BERLIN, "2026-05-06", 63, batch);
    let eight = at("2026-07-08T06:00:00Z");
    let profile = learned(&bins, BERLIN, eight);
    let fine = |minutes: i64| -> Vec<Bin> {
        let slots =
            (0..(60 + minutes) / 5).map(|i| Bin { from: local::slot_of(eight) + i, slots: 1, count: 0, covered: 1 });
        bins.iter().copied().filter(|bin| bin.from < local::slot_of(eight)).chain(slots).collect()
    };
    for minutes in (0..=75).step_by(5) {
        let low = verdict(&profile, &fine(minutes), BERLIN, eight + hours_of(1) + SignedDuration::from_mins(minutes));
        if minutes <= 5 {
            assert_eq!(low, Verdict::Ok, "{minutes}");
        }
        if minutes >= 60 {
            assert_eq!(low, Verdict::Low, "{minutes}");
        }
    }
}

#[test]
fn today_has_its_ranges() {
    let (bins, profile, now) = usual(200.0);
    let today = profile.today(&bins, &zone(BERLIN), now);
    assert!(today.so_far.low < today.count && today.count < today.so_far.high, "{today:?}");
    assert!((120..170).contains(&today.day.low) && (220..280).contains(&today.day.high), "{today:?}");
    assert_eq!(today.covered, 1.0);
}

#[test]
fn check_can_say_what_would_be_seen_and_how_soon() {
    let (_, busy, _) = usual(300.0);
    let seen = busy.detectability();
    assert!(seen.stop_hours.is_some_and(|hours| (0.3..2.0).contains(&hours)), "{seen:?}");
    assert!(seen.half_hours.is_some_and(|hours| (2.0..48.0).contains(&hours)), "{seen:?}");
    let (_, quiet, _) = usual(3.0);
    let seen = quiet.detectability();
    assert!(seen.stop_hours.is_some_and(|hours| (48.0..150.0).contains(&hours)), "{seen:?}");
    assert!(quiet.detectability().smallest_loss.is_none_or(|loss| loss > 0.5));
}

#[test]
fn a_profile_survives_being_stored() {
    let (_, profile, _) = usual(30.0);
    let text = serde_json::to_string(&profile).expect("JSON");
    let back: Profile = serde_json::from_str(&text).expect("the same");
    assert!((back.level - profile.level).abs() < 1e-9 && back.hours.len() == 168);
    assert!(text.len() < 16_000, "{}", text.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_shape_is_ok_as_usual_and_low_when_it_stops(
        weights in proptest::collection::vec(0.0f64..1.0, 24),
        week in proptest::collection::vec(0.2f64..2.0, 7),
        a_day in 20.0f64..3_000.0,
        seed in any::<u64>(),
    ) {
        let sum: f64 = weights.iter().sum::<f64>().max(0.1);
        let mut dice = Dice(seed);
        let mean = |p: local::Place| a_day * weights[p.hour] / sum * week[p.weekday];
        let bins = hours(BERLIN, "2026-05-06", 63, |_, place| dice.poisson(mean(place).min(500.0)));
        let now = at("2026-07-07T22:00:00Z");
        let profile = learned(&bins, BERLIN, now);
        prop_assert_eq!(verdict(&profile, &bins, BERLIN, now), Verdict::Ok);
        let stopped = silenced(&bins, now - hours_of(48));
        prop_assert_eq!(verdict(&profile, &stopped, BERLIN, now), Verdict::Low);
    }

    #[test]
    fn no_counts_and_no_gaps_make_it_panic(
        bins in proptest::collection::vec((0i64..6, 1u16..300, any::<u32>(), 0u16..300), 0..400),
        now in 1_780_000_000i64..1_790_000_000,
    ) {
        let mut next = 1_770_000_000 / 300;
        let bins: Vec<Bin> = bins.into_iter().map(|(gap, slots, count, covered)| {
            let from = next + gap;
            next = from + i64::from(slots);
            Bin { from, slots, count, covered }
        }).collect();
        let now = Timestamp::from_second(now).expect("in range");
        if let Learned::Ready(profile) = learn(&bins, &zone(BERLIN), &[], now) {
            profile.judge(&bins, &zone(BERLIN), &[], now);
            profile.today(&bins, &zone(BERLIN), now);
            profile.silent(&bins, &zone(BERLIN), &[], hours_of(2), now);
        }
    }
}
