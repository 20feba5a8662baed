use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::clock::Minute;
use crate::customerio::event::{Fate, Source, SourceKind};
use crate::tally::Series;

/// Addresses of four providers with a name, and of one without.
const AT: [&str; 5] = ["gmail.com", "outlook.com", "yahoo.com", "icloud.com", "example.test"];

fn total(metric: &'static str, domain: &str, count: u64) -> Total {
    let provider = if domain.is_empty() { Provider::none() } else { Provider::of_address(&format!("a@{domain}")) };
    let series = Series {
        kind: Kind::known("email", metric),
        source: Source::new(SourceKind::Campaign, "5"),
        action: None,
        cause: None,
        fingerprint: 0,
        provider,
        fate: Fate::Counted,
    };
    Total { series: Arc::new(series), count, first_minute: Minute(0), last: Timestamp::UNIX_EPOCH }
}

/// `(domain, failed, sent)`; a domain without sends has none that were heard.
fn by(metric: &'static str, rows: &[(&str, u64, u64)]) -> ByProvider {
    let failing: Vec<Total> = rows.iter().map(|(at, failed, _)| total(metric, at, *failed)).collect();
    let sent: Vec<Total> =
        rows.iter().filter(|(.., sent)| *sent > 0).map(|(at, _, sent)| total("sent", at, *sent)).collect();
    ByProvider::of(&failing, &sent)
}

fn said(blame: Blame) -> String {
    match blame {
        Blame::Only { provider, failed, of } => format!("only {provider} {failed}/{of}"),
        Blame::Most { provider, all: true, .. } => format!("all {provider}"),
        Blame::Most { provider, failed, all: false } => format!("{failed} {provider}"),
        Blame::Nobody => String::new(),
    }
}

#[test]
fn one_provider_is_blamed_when_mail_to_others_shows_it() {
    for (rows, want) in [
        // The others take our mail.
        (&[("gmail.com", 41, 200), ("outlook.com", 0, 90)][..], "only Gmail 41/200"),
        (&[("gmail.com", 41, 200), ("outlook.com", 1, 90), ("example.test", 1, 400)], "only Gmail 41/200"),
        (&[("yahoo.com", 5, 5), ("example.test", 0, 10)], "only Yahoo 5/5"),
        // It gets nearly all our mail, and others fail as much.
        (&[("gmail.com", 95, 1000), ("outlook.com", 5, 50)], ""),
        // One other fails as much, though all others together do not.
        (&[("gmail.com", 40, 200), ("outlook.com", 3, 10), ("yahoo.com", 0, 400)], ""),
        // Failures are not nearly all one provider's.
        (&[("gmail.com", 20, 200), ("outlook.com", 10, 90)], ""),
        (&[("gmail.com", 8, 100), ("", 2, 100)], ""),
        // Too few to stand out.
        (&[("gmail.com", 4, 10), ("outlook.com", 0, 100)], ""),
        // Nothing or too little went to others: nine messages, or two that would have failed.
        (&[("gmail.com", 41, 200)], "all Gmail"),
        (&[("gmail.com", 41, 41), ("outlook.com", 0, 9)], "all Gmail"),
        (&[("gmail.com", 5, 100), ("outlook.com", 0, 40)], "all Gmail"),
        (&[("gmail.com", 5, 100), ("outlook.com", 0, 60)], "only Gmail 5/100"),
        // Sends are not heard.
        (&[("gmail.com", 41, 0)], "all Gmail"),
        (&[("gmail.com", 39, 0), ("outlook.com", 1, 0), ("", 1, 0)], "39 Gmail"),
        // Domains that have no name are never blamed, and companies refuse us too.
        (&[("example.test", 41, 200), ("gmail.com", 0, 90)], ""),
        (&[("gmail.com", 10, 100), ("example.test", 10, 100)], ""),
        (&[], ""),
    ] {
        assert_eq!(said(by("bounced", rows).blame()), want, "{rows:?}");
    }
}

#[test]
fn what_failed_before_it_was_sent_is_taken_of_both() {
    let rows = [("gmail.com", 10, 90), ("outlook.com", 0, 90)];
    assert_eq!(said(by("failed", &rows).blame()), "only Gmail 10/100");
    assert_eq!(said(by("bounced", &rows).blame()), "only Gmail 10/90");
    // More bounces than sends: some were sent before the window.
    assert_eq!(said(by("bounced", &[("gmail.com", 50, 20), ("outlook.com", 0, 90)]).blame()), "only Gmail 50/50");
    // Sends and deliveries do not add up.
    let mixed = ByProvider::of(
        &[total("bounced", "gmail.com", 9)],
        &[total("sent", "gmail.com", 20), total("delivered", "yahoo.com", 90)],
    );
    assert_eq!((said(mixed.blame()), mixed.list().as_deref()), ("all Gmail".into(), Some("Gmail 9")));
}

#[test]
fn the_list_names_the_most_affected_and_counts_the_rest() {
    let list = |rows: &[(&str, u64, u64)]| by("bounced", rows).list().unwrap_or_default();
    insta::assert_snapshot!(
        list(&[("outlook.com", 2, 90), ("gmail.com", 1041, 2000), ("example.test", 3, 310), ("yahoo.com", 0, 50), ("", 7, 20)]),
        @"Gmail 1,041 of 2,000 (52.0 %), Microsoft 2 of 90 (2.2 %), others 3 of 360 (0.8 %), not known 7"
    );
    insta::assert_snapshot!(list(&[("gmail.com", 3, 0), ("example.test", 1, 0)]), @"Gmail 3, others 1");
    insta::assert_snapshot!(
        list(&[("gmail.com", 9, 90), ("outlook.com", 8, 90), ("yahoo.com", 7, 90), ("icloud.com", 6, 90), ("gmx.de", 5, 90)]),
        @"Gmail 9 of 90 (10.0 %), Microsoft 8 of 90 (8.9 %), Yahoo 7 of 90 (7.8 %), Apple 6 of 90 (6.7 %), others 5 of 90 (5.6 %)"
    );
    assert_eq!(list(&[("example.test", 3, 10), ("gmail.com", 0, 10)]), "");
}

#[test]
fn the_verb_is_true_of_the_metric() {
    let verbs: Vec<String> = ["bounced", "deferred", "spammed", "dropped", "failed", "attempted", "undeliverable"]
        .into_iter()
        .flat_map(|metric| [false, true].map(|is_over| only("Gmail", &[Kind::known("email", metric)], is_over)))
        .collect();
    insta::assert_snapshot!(verbs.join("\n"), @"
    only Gmail refuses us
    only Gmail refused us
    only Gmail puts us off
    only Gmail put us off
    only people at Gmail report spam
    only people at Gmail reported spam
    only addresses at Gmail are dropped
    only addresses at Gmail were dropped
    only mail to Gmail is affected
    only mail to Gmail was affected
    only mail to Gmail is affected
    only mail to Gmail was affected
    only mail to Gmail is affected
    only mail to Gmail was affected
    ");
    let mixed = [Kind::known("email", "bounced"), Kind::known("email", "deferred")];
    assert_eq!(only("Gmail", &mixed, false), "only mail to Gmail is affected");
}

proptest! {
    #[test]
    fn only_is_never_said_of_one_while_another_fails_as_much(
        rows in proptest::collection::vec((prop_oneof![3 => 0u64..3, 1 => 0u64..80], 0u64..400), AT.len()),
        worst in 0..AT.len(),
        unknown in 0u64..4,
    ) {
        let mut of: Vec<(&str, u64, u64)> = AT.iter().zip(&rows).map(|(at, (failed, sent))| (*at, *failed, *sent)).collect();
        of[worst].1 += 20;
        of.push(("", unknown, 0));
        let by = by("bounced", &of);
        match by.blame() {
            Blame::Only { provider, failed, of } => {
                let rate = failed as f64 / of as f64;
                let others: Vec<&Row> =
                    by.rows.iter().filter(|(p, _)| p.title() != Some(provider)).map(|(_, row)| row).collect();
                for row in &others {
                    let other = row.failed as f64 / row.of().unwrap_or(row.failed).max(1) as f64;
                    prop_assert!(other < rate, "{other} is as much as {rate}");
                }
                let (all, sent) = others.iter().fold((0, 0), |(f, of), row| (f + row.failed, of + row.rate().of));
                prop_assert!(sent >= OTHERS_AT_LEAST && (all as f64 / sent as f64) < rate / 4.0);
                prop_assert!(failed <= of && failed >= STANDS_OUT_FROM);
                prop_assert!(by.failed - failed <= by.failed / 5, "nearly all of nearly all");
            }
            Blame::Most { failed, all, .. } => {
                prop_assert!(failed <= by.failed && (failed == by.failed) == all);
                prop_assert!(failed >= STANDS_OUT_FROM);
            }
            Blame::Nobody => {}
        }
        let _ = by.list();
    }
}
