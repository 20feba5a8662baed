use super::*;
use crate::config::testing::smallest_with;

const DAY: i64 = 20_000;

/// Whole days of which so many runs waited until each place of [`WAITS`].
fn days(waits: &[(usize, u32)]) -> Vec<Day> {
    let counts = vec![0; 288];
    let mut places = vec![0; WAITS.len() + 1];
    waits.iter().for_each(|(place, runs)| places[*place] = *runs);
    let json = serde_json::json!({"day": DAY, "counts": counts, "hearing": "1".repeat(288), "waits": places});
    vec![serde_json::from_value(json).expect("a day")]
}

#[test]
fn an_hour_is_judged_when_98_of_100_of_its_runs_are_known() {
    let six_hours = Settling::After(SignedDuration::from_hours(7));
    for (waits, settling) in [
        (vec![(0, 98), (4, 2)], Settling::After(SignedDuration::from_mins(10))),
        (vec![(0, 97), (4, 3)], six_hours),
        (vec![(4, 20)], six_hours),
        (vec![(0, 20), (8, 80)], Settling::After(SignedDuration::from_hours(74))),
        (vec![(0, 97), (9, 3)], Settling::TooLong),
        (vec![(0, 19)], Settling::Unknown { runs: 19 }),
        (vec![], Settling::Unknown { runs: 0 }),
    ] {
        assert_eq!(Settling::of(&days(&waits)), settling, "{waits:?}");
    }
}

#[test]
fn runs_are_known_back_from_when_we_last_heard_and_never_where_nobody_knows_how_long_they_wait() {
    let config = |counts: &str| {
        smallest_with(&format!(
            "[[heartbeats]]\nname = \"h\"\nsource = \"campaign:5\"\n{counts}\nexpect = \"learned\"\n"
        ))
    };
    let (runs, mails) = (config("distinct = \"journey\""), config("event = \"email_sent\""));
    let heard = Slot::first_of(DAY + 1).span().from.start();
    let now = heard + SignedDuration::from_mins(190);
    let settled = |config: &crate::config::Config, days: &[Day], now| config.heartbeats[0].settled(days, now);
    assert_eq!(settled(&mails, &[], now), Some(now));
    assert_eq!(settled(&runs, &days(&[(0, 30)]), now), Some(heard - SignedDuration::from_mins(10)));
    assert_eq!(settled(&runs, &days(&[(4, 30)]), now), Some(heard - SignedDuration::from_hours(7)));
    let earlier = heard - SignedDuration::from_mins(20);
    assert_eq!(settled(&runs, &days(&[(4, 30)]), earlier), Some(heard - SignedDuration::from_hours(8)), "whole hours");
    assert_eq!(settled(&runs, &days(&[]), now), None);
    assert_eq!(settled(&runs, &days(&[(9, 30)]), now), None);
}
