use std::sync::Arc;

use super::*;
use crate::config::testing::smallest_with;
use crate::customerio::event::SourceKind;
use crate::store::testing::named;
use crate::tally::Series;

fn total(kind: &str, campaign: u32, provider: &str, count: u64) -> Total {
    let (channel, metric) = kind.split_once('_').expect("a kind");
    let kind = Kind { channel: channel.to_owned().into(), metric: metric.to_owned().into() };
    let at: Timestamp = "2026-11-24T14:02:00Z".parse().expect("a time");
    let series = Series {
        cause: metric::has_cause(&kind.metric).then(|| named("mailbox_unknown")),
        kind,
        source: Source::new(SourceKind::Campaign, campaign.to_string()),
        action: None,
        fingerprint: 7,
        provider: named(provider),
        fate: Fate::Counted,
    };
    Total { series: Arc::new(series), count, first_minute: Minute::of(at), last: at }
}

fn shown<T: std::fmt::Display>(rows: &[Row<T>]) -> Vec<String> {
    rows.iter().map(|r| format!("{} {} {:?}", r.kind, r.by, r.hours.counts().collect::<Vec<_>>())).collect()
}

#[test]
fn an_hour_that_is_read_again_replaces_what_was_known_of_it_and_of_no_other() {
    let config = smallest_with(
        "[[heartbeats]]\nname = \"Activation\"\nsource = \"campaign:5\"\nevent = \"email_sent\"\nat_least = 40\nevery = \"day\"\n",
    );
    let date = "2026-11-24".parse().expect("a date");
    let mut day = Summary::unseen(date, Timestamp::UNIX_EPOCH);
    let first = [total("email_sent", 5, "gmail", 10), total("email_sent", 6, "other-3", 4)];
    let second = [total("email_bounced", 5, "gmail", 2), total("email_opened", 5, "gmail", 9)];
    let hours = [Hour { at: 0, totals: &first }, Hour { at: 2, totals: &second }];
    day.counting(&config.heartbeats, &hours);
    let again = [total("email_sent", 5, "gmail", 3), total("email_bounced", 6, "other-1", 1)];
    day.counting(&config.heartbeats, &[Hour { at: 2, totals: &again }]);
    assert_eq!(day.workflows.iter().map(|w| w.hours.padded()[..4].to_vec()).collect::<Vec<_>>(), [[10, 0, 3, 0]]);
    assert_eq!(shown(&day.causes), ["email_bounced mailbox_unknown [0, 0, 1]"]);
    assert_eq!(
        shown(&day.providers),
        ["email_bounced other [0, 0, 1]", "email_sent gmail [10, 0, 3]", "email_sent other [4]"]
    );
    let kinds: Vec<String> = day.kinds.iter().map(|row| format!("{} {}", row.kind, row.hours.sum())).collect();
    assert_eq!(kinds, ["email_bounced 1", "email_sent 17"], "what people do with a message is no trouble");
}

#[test]
fn hours_are_those_of_the_local_day_through_both_clock_changes() {
    let zone = TimeZone::get("Europe/Berlin").expect("a zone");
    for (date, hours) in [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-24", 24)] {
        let date: Date = date.parse().expect("a date");
        let lengths: Vec<i64> = (0..LONGEST_DAY).map(|hour| span_of(hour, date, &zone).len()).collect();
        assert_eq!(lengths.iter().filter(|minutes| **minutes == 60).count(), hours);
        assert_eq!(lengths.iter().sum::<i64>(), 60 * hours as i64);
        let (from, to) = ends(date, &zone);
        assert_eq!(
            (hour_of(from, date, &zone), hour_of(to - SignedDuration::from_secs(1), date, &zone)),
            (0, hours - 1)
        );
    }
}

#[test]
fn a_summary_survives_json() {
    let mut day = Summary::unseen("2026-11-24".parse().expect("a date"), Timestamp::UNIX_EPOCH);
    day.counting(&[], &[Hour { at: 3, totals: &[total("email_bounced", 5, "gmail", 2)] }]);
    let json = serde_json::to_string(&day).expect("JSON");
    assert_eq!(serde_json::from_str::<Summary>(&json).expect("a summary"), day);
}
