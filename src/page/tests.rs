//! What the page says of a bridge, told by its view: no store, no HTML.

use super::verdict::Level;
use super::workflows::Standing;
use super::*;
use crate::config::testing::smallest_with;
use crate::heartbeat::{Period, Verdict};
use crate::incident::{Incident, Numbers, Severity, Subject};
use crate::store::testing::incident;
use crate::summary::Workflow;
use crate::summary::hours::Hours;
use crate::tally::testing::heard;

/// Of the tests' day, in UTC.
fn at(clock: &str) -> Timestamp {
    crate::tally::testing::at(clock)
}

const HEARTBEATS: &str = "
[[heartbeats]]\nname = \"Activation\"\nsource = \"campaign:5\"\nevent = \"email_sent\"\nat_least = 40\nevery = \"day\"\nby = \"18:00\"
[[heartbeats]]\nname = \"Receipts\"\nsource = \"campaign:6\"\nevent = \"email_sent\"\nexpect = \"learned\"
";

/// Today as tick wrote it down: 12 activations, and receipts as usual.
fn today(made_at: &str) -> Summary {
    let workflow = |name: &str, counts: &[u64]| Workflow {
        name: name.into(),
        hours: Hours::of(counts),
        usual: None,
        expected_tenths: Hours::default(),
        verdict: None,
        learning: None,
    };
    let made_at = at(made_at);
    let minutes = made_at.duration_since(at("00:00")).as_mins();
    let receipts =
        Workflow { usual: Some((200, 300)), expected_tenths: Hours::of(&[100; 24]), ..workflow("Receipts", &[10; 9]) };
    Summary {
        covered: minutes,
        minutes,
        workflows: vec![workflow("Activation", &[0, 0, 12]), receipts],
        ..Summary::unseen(jiff::tz::TimeZone::UTC.to_datetime(made_at).date(), made_at)
    }
}

fn seen(summaries: Vec<Summary>, open: Vec<Incident>, heard_at: &[&str]) -> Seen {
    Seen { summaries, live: Vec::new(), open, past: Vec::new(), coverage: heard(heard_at) }
}

fn view(seen: Seen, now: &str) -> View {
    View::of(&smallest_with(HEARTBEATS), seen, &Filters::default(), at(now))
}

fn low(severity: Severity, numbers: Numbers) -> Incident {
    let period = Period { start: at("09:00"), due: at("12:00"), end: at("12:00") };
    let source = "campaign:5".parse().expect("a source");
    let subject = Subject::Heartbeat { name: "Activation".into(), source, period, why: None };
    Incident { subject, severity, numbers, ..incident("low", at("12:02")) }
}

#[test]
fn the_headline_says_what_is_wrong_and_never_more_than_we_know() {
    let calm = |made_at, heard: &[&str]| seen(vec![today(made_at)], vec![], heard);
    let blind = Incident { subject: Subject::Blindness, ..incident("blind", at("10:00")) };
    let fine = Numbers { count: 12, of: 40 };
    let table = [
        (
            calm("12:00", &["00:00", "12:01"]),
            Level::Ok,
            "1 of 2 workflows fired as expected, 1 not due yet; we hear everything",
        ),
        (
            calm("12:00", &["00:00", "09:30"]),
            Level::Unknown,
            "No incident is open, but we have heard nothing since 09:30",
        ),
        (calm("10:00", &["00:00", "12:01"]), Level::Unknown, "No incident is open, but nobody has looked of late"),
        (calm("12:00", &[]), Level::Unknown, "Nothing has ever arrived: is the reporting webhook set up?"),
        (
            seen(vec![today("12:00")], vec![low(Severity::Critical, fine)], &["00:00", "12:01"]),
            Level::Critical,
            "Activation is low: 12 of at least 40 since 09:00",
        ),
        (
            seen(vec![today("12:00")], vec![low(Severity::Critical, fine), blind], &["00:00", "09:00"]),
            Level::Critical,
            "Nothing has arrived since 10:00: everything stopped, or we no longer hear",
        ),
    ];
    for (seen, level, sentence) in table {
        let verdict = view(seen, "12:03").verdict;
        assert_eq!((verdict.level, verdict.sentence.as_str()), (level, sentence));
    }
}

#[test]
fn a_row_stands_as_its_incident_its_verdict_or_its_count_says_and_trouble_comes_first() {
    let standings = |seen: Seen| {
        let rows = view(seen, "12:03").workflows;
        rows.iter().map(|row| (row.name.clone(), row.standing)).collect::<Vec<_>>()
    };
    let of = |activation, receipts| vec![("Activation".to_owned(), activation), ("Receipts".to_owned(), receipts)];
    let hears = &["00:00", "12:01"][..];
    assert_eq!(standings(seen(vec![today("12:00")], vec![], hears)), of(Standing::Pending, Standing::Ok));
    let high = low(Severity::Warning, Numbers { count: 60, of: 40 });
    assert_eq!(standings(seen(vec![today("12:00")], vec![high], hears)), of(Standing::High, Standing::Ok));
    assert_eq!(
        standings(seen(vec![today("12:00")], vec![], &["00:00", "09:00"])),
        of(Standing::Unknown, Standing::Unknown),
        "whom we do not hear we do not call fine"
    );
    let mut judged = today("12:00");
    judged.workflows[0].verdict = Some(Verdict::Low);
    judged.workflows[1].usual = None;
    assert_eq!(standings(seen(vec![judged], vec![], hears)), of(Standing::Low, Standing::Learning));
    let mut enough = today("12:00");
    enough.workflows[0].hours = Hours::of(&[40]);
    assert_eq!(standings(seen(vec![enough], vec![], &["00:00", "09:00"]))[1], ("Activation".to_owned(), Standing::Ok));
}

#[test]
fn today_is_compared_with_what_is_usual_by_now_and_days_that_nobody_counted_are_none() {
    let view = view(seen(vec![today("12:00")], vec![], &["00:00", "12:01"]), "12:30");
    let receipts = view.workflows.iter().find(|row| row.name == "Receipts").expect("a row");
    assert_eq!((receipts.count, receipts.by_now), (90, Some(125)), "ten an hour, twelve hours and a half");
    assert_eq!(receipts.expected, "200 to 300 a day");
    assert_eq!(receipts.days.iter().map(|day| day.count).collect::<Vec<_>>()[12..], [None, Some(90)]);
    let activation = view.workflows.iter().find(|row| row.name == "Activation").expect("a row");
    assert_eq!(activation.expected, "at least 40 by 18:00");
}

#[test]
fn what_was_counted_since_tick_looked_is_on_the_page_and_nothing_is_counted_twice() {
    use std::sync::Arc;

    use crate::clock::Minute;
    use crate::customerio::event::{Fate, Kind};
    use crate::customerio::provider::Provider;
    use crate::tally::{Series, Total};
    let mut made = today("12:04");
    made.workflows[0].hours = Hours::of(&[0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3]);
    let config = smallest_with(HEARTBEATS);
    assert_eq!(live_from(Some(&made), made.date, &config), at("12:00"), "from the hour that the summary ends in");
    let series = Series {
        kind: Kind::known("email", "sent"),
        source: "campaign:5".parse().expect("a source"),
        action: None,
        cause: None,
        fingerprint: 0,
        provider: Provider::none(),
        fate: Fate::Counted,
    };
    let live = Total { series: Arc::new(series), count: 5, first_minute: Minute::of(at("12:01")), last: at("12:06") };
    let seen = Seen { live: vec![live], ..seen(vec![made], vec![], &["00:00", "12:07"]) };
    let view = view(seen, "12:07");
    let activation = view.workflows.iter().find(|row| row.name == "Activation").expect("a row");
    assert_eq!(activation.count, 17, "12 before, and 5 in place of the 3 of this hour");
    let hours: Vec<u64> = activation.hours.iter().map(|hour| hour.count).collect();
    assert_eq!(hours[..13], [0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]);
    assert_eq!(view.at, "Tue 24 Nov 12:07 UTC");
}
