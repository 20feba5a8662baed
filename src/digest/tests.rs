use super::*;
use crate::clock::Minute;
use crate::config::testing::smallest_with;
use crate::customerio::app_api::names::NameList;
use crate::customerio::event::{Kind, SourceKind};
use crate::customerio::provider::Provider;
use crate::incident::{IncidentKey, Severity};
use crate::route::Labels;
use crate::tally::Series;

const CONFIG: &str = r#"
[[heartbeats]]
name = "Daily"
source = "newsletter:10"
event = "email_sent"
at_least = 1
every = "day"
"#;

fn t(text: &str) -> Timestamp {
    format!("2026-11-{text}:00Z").parse().expect("a time")
}

fn total(metric: &'static str, domain: &str, count: u64) -> Total {
    let series = Series {
        kind: Kind::known("email", metric),
        source: Source::new(SourceKind::Campaign, "5"),
        action: None,
        cause: None,
        fingerprint: 0,
        provider: Provider::of_address(&format!("a@{domain}")),
        fate: Fate::Counted,
    };
    Total { series: Arc::new(series), count, first_minute: Minute::of(t("23T10:00")), last: t("23T10:00") }
}

fn day(totals: Vec<Total>) -> Day {
    let subject = Subject::Rule { name: "bounces".into(), group: Default::default() };
    let incident = Incident {
        key: IncidentKey::new("acme", &subject),
        episode: 1,
        version: 1,
        subject,
        severity: Severity::Critical,
        labels: Labels::from([(Label::Source, vec!["campaign:5".into(), "campaign:6".into()])]),
        receivers: vec!["screen".into()],
        state: State::Open,
        opened_at: t("23T10:00"),
        since: t("23T10:00"),
        last: t("23T10:00"),
        found_late: false,
        numbers: Numbers { count: 41, of: 200 },
        samples: Vec::new(),
        lines: Vec::new(),
        acts: vec![],
        diagnosis: None,
        crowded: false,
        settled: false,
    };
    let list = |id: &str, name: &str| NameList { fetched_at: t("23T08:00"), names: [(id.into(), name.into())].into() };
    let lists =
        [(SourceKind::Campaign, list("5", "Welcome series")), (SourceKind::Newsletter, list("10", "Weekly update"))];
    Day {
        date: jiff::civil::date(2026, 11, 24),
        from: t("23T00:00"),
        to: t("24T00:00"),
        totals,
        earlier: Vec::new(),
        history: BTreeMap::new(),
        verdicts: Vec::new(),
        approximate: Default::default(),
        incidents: vec![incident],
        untold: Vec::new(),
        silenced: Vec::new(),
        quarantined: 0,
        key_failures: 0,
        deadman: None,
        coverage: Coverage::default(),
        canary: None,
        lag: None,
        names: Arc::new(Names::of(lists)),
        keys: Vec::new(),
        compared: Vec::new(),
        ghosts: Vec::new(),
        corrections: Vec::new(),
    }
}

#[test]
fn sources_have_their_names_and_what_providers_refused_is_a_line() {
    let config = smallest_with(CONFIG);
    let said = |totals| lines(&config, &day(totals), t("24T08:00")).join("\n");
    insta::assert_snapshot!(
        said(vec![
            total("bounced", "gmail.com", 41),
            total("dropped", "example.test", 2),
            total("spammed", "gmail.com", 9),
            total("failed", "yahoo.com", 9),
            total("sent", "gmail.com", 200),
            total("sent", "example.test", 898),
            total("delivered", "gmail.com", 150),
        ]),
        @"
    acme on Mon 23 Nov: 1 incident open, 1 opened, 61 failures
    Daily, Weekly update (newsletter 10): not judged yet
    email: 1,098 sent, 41 bounced (3.7 %), 2 dropped (0.2 %), 9 failed (0.8 %), 9 spammed (0.8 %)
    Bounced or dropped, by mailbox provider: Gmail 41 of 200 (20.5 %), others 2 of 900 (0.2 %)
    Open, critical: bounces in Welcome series (campaign 5) and campaign 6, 41 of 200, yesterday 10:00 [29c28f4e-1]
    Nothing has ever arrived: is the reporting webhook set up? See `bridge check --live`.
    "
    );
    let few =
        said(vec![total("bounced", "gmail.com", 4), total("failed", "gmail.com", 9), total("sent", "gmail.com", 9)]);
    assert!(!few.contains("by mailbox provider"), "{few}");
}

#[test]
fn late_events_are_a_line_and_timely_ones_are_none() {
    let config = smallest_with(CONFIG);
    let said = |lag| lines(&config, &Day { lag: Some(lag), ..day(Vec::new()) }, t("24T08:00")).pop().expect("a line");
    let worst = lag::Window { from: Minute::of(t("23T14:02")), events: 312, late: 300, median_s: 251 };
    let late = lag::Day { events: 25_000, late: 300, worst: Some(worst) };
    insta::assert_snapshot!(said(late), @"1.2 % of 25,000 events came 2 min late or later; worst 15 min from yesterday 14:02: about 4 min late (median of 312)");
    insta::assert_snapshot!(said(lag::Day { events: 19, late: 1, worst: None }), @"5.3 % of 19 events came 2 min late or later");
    let timely = lag::Day { events: 25_000, late: 0, worst: Some(lag::Window { late: 0, median_s: 5, ..worst }) };
    assert!(!said(timely).contains("late"), "{}", said(timely));
}

#[test]
fn failures_are_compared_with_the_days_before() {
    let config = smallest_with(CONFIG);
    let earlier = vec![
        ("the day before", vec![total("sent", "gmail.com", 1000), total("bounced", "gmail.com", 8)]),
        ("a week before", vec![total("bounced", "gmail.com", 8)]),
    ];
    let totals = vec![total("sent", "gmail.com", 1040), total("bounced", "gmail.com", 41)];
    let said = lines(&config, &Day { earlier, ..day(totals) }, t("24T08:00")).join("\n");
    assert!(said.contains("email: 1,040 sent, 41 bounced (3.9 %; 0.8 % the day before)"), "{said}");
}

#[test]
fn a_day_that_needs_no_look_is_one_line_and_each_trouble_is_more() {
    let config = smallest_with(CONFIG);
    let quiet = |totals| {
        let minutes: Vec<Timestamp> =
            (0..=24 * 60).map(|minute| t("23T00:00") + jiff::SignedDuration::from_mins(minute)).collect();
        let coverage = crate::tally::testing::heard_at(&minutes);
        Day { incidents: Vec::new(), coverage, ..day(totals) }
    };
    let now = t("24T08:00");
    let known = vec![total("sent", "gmail.com", 14_000), total("failed", "gmail.com", 40)];
    let totals = vec![total("sent", "gmail.com", 14_203), total("failed", "gmail.com", 57)];
    let fine = Day { earlier: vec![("the day before", known)], ..quiet(totals) };
    insta::assert_snapshot!(lines(&config, &fine, now).remove(0), @"acme on Mon 23 Nov: all is well: 1 workflow as usual, 14,203 messages sent, 0.4 % failed, heard 24 of 24 h");
    let is_fine = |day: Day| is_all_fine(&day, now);
    assert!(!is_fine(Day { earlier: Vec::new(), ..fine }), "so many failures on a first day are worth a look");
    let fine = || quiet(vec![total("sent", "gmail.com", 1_000), total("bounced", "gmail.com", 20)]);
    let before = |bounced| {
        vec![("the day before", vec![total("sent", "gmail.com", 1_000), total("bounced", "gmail.com", bounced)])]
    };
    assert!(is_fine(Day { earlier: before(10), ..fine() }) && !is_fine(Day { earlier: before(9), ..fine() }));
    let fine = || quiet(vec![total("sent", "gmail.com", 1_000)]);
    assert!(is_fine(fine()));
    assert!(is_fine(Day { deadman: Some(Deadman { taken: Some(t("24T07:45")) }), ..fine() }));
    for trouble in [
        Day { incidents: day(Vec::new()).incidents, ..fine() },
        Day { quarantined: 1, ..fine() },
        Day { key_failures: 1, ..fine() },
        Day { deadman: Some(Deadman { taken: None }), ..fine() },
        Day { deadman: Some(Deadman { taken: Some(t("24T07:44")) }), ..fine() },
        Day { corrections: vec!["Correction".into()], ..fine() },
        Day { keys: vec!["a key".into()], ..fine() },
        Day { silenced: vec!["a silence".into()], ..fine() },
        Day { coverage: Coverage::default(), ..fine() },
        Day { lag: Some(lag::Day { events: 100, late: 6, worst: None }), ..fine() },
        Day { canary: Some(serde_json::from_str(r#"{"sent":1}"#).expect("a day")), ..fine() },
    ] {
        assert!(!is_fine(trouble));
    }
}

#[test]
fn what_was_heard_and_what_was_not_is_one_line_and_the_deadman_has_its_own() {
    let config = smallest_with(CONFIG);
    let coverage = crate::tally::testing::heard_at(&[t("22T00:00"), t("23T18:30")]);
    let late = total("sent", "gmail.com", 12);
    let series = Series { fate: Fate::TooLate, ..(*late.series).clone() };
    let late = Total { series: Arc::new(series), ..late };
    let lag = Some(lag::Day { events: 25_000, late: 300, worst: None });
    let day = Day { coverage, lag, quarantined: 3, key_failures: 41, ..day(vec![late]) };
    insta::assert_snapshot!(coverage_line(&config, &day, t("24T08:00")), @"Heard 18.5 of 24 h, 300 late, 12 too late, 3 in quarantine, 41 refused (signed with a key we do not have)");
    let line = |taken: Option<&str>| Deadman { taken: taken.map(t) }.line(&config, t("24T08:00"));
    insta::assert_snapshot!([line(Some("24T07:58")), line(Some("23T14:02")), line(None)].join("\n"), @"
    The dead-man hears us (last noted 07:58)
    The dead-man has not heard us since yesterday 14:02: did it page?
    The dead-man never heard us: is its address right? See `deadman_not_reached` in the log.
    ");
}
