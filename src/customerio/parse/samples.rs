//! The files under `events/` are read as what their names say.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use super::*;
use crate::customerio::metric::METRICS;

/// Names without `.json` and bodies, by name.
fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("events").join(folder);
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let bodies = entries.filter(|path| path.extension().is_some_and(|e| e == "json"));
    let read = |path: PathBuf| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap());
    let mut files: Vec<_> = bodies.map(read).collect();
    files.sort();
    files
}

fn read(body: &[u8]) -> Result<Normalised, Unreadable> {
    let arrived = "2026-11-24T12:00:00Z".parse().unwrap();
    let context =
        Context { arrived, ignore: &Ignore::default(), privacy: Privacy::default(), canary: None, asks: false };
    normalise(body, &context)
}

fn only_event(name: &str, body: &[u8]) -> Event {
    let normalised = read(body).unwrap();
    assert_eq!((normalised.tests, &normalised.unreadable, normalised.events.len()), (0, &None, 1), "{name}");
    normalised.events.into_iter().next().unwrap()
}

#[test]
fn every_sample_is_the_kind_that_its_name_says() {
    let mut identities = HashSet::new();
    for (name, body) in files("").into_iter().chain(files("legacy")) {
        let event = only_event(&name, &body);
        assert_eq!(event.kind.to_string(), name);
        assert_eq!((event.fate, event.future), (Fate::Counted, false), "{name}");
        assert!(identities.insert(event.identity), "{name} repeats an event id");
        let of_a_person = event.kind.channel == "customer";
        assert_eq!(event.source == Source::none(), of_a_person, "{name}");
        let addressed = String::from_utf8_lossy(&body).contains("@example.test");
        assert_eq!(event.provider != Provider::none(), event.kind.channel == "email" && addressed, "{name}");
    }
}

#[test]
fn every_sample_failure_has_a_cause_and_no_personal_data() {
    for (name, body) in files("") {
        let event = only_event(&name, &body);
        assert_eq!(event.failure.is_some(), metric::has_cause(&event.kind.metric), "{name}");
        if let Some(failure) = &event.failure {
            assert_ne!(failure.cause, cause::CauseKey::UNKNOWN, "{name}");
        }
        let queued = serde_json::to_string(&event).unwrap();
        for personal in ["@", "+1555", "u_1", "d9c106", "dgSYNTH", "not-a-real-key", "0200000"] {
            assert!(!queued.contains(personal), "{name} leaks {personal}: {queued}");
        }
        assert!(queued.len() < 1024, "{name}");
    }
}

#[test]
fn every_metric_has_a_sample() {
    let kinds: Vec<Kind> = files("").iter().map(|(name, _)| name.parse().unwrap()).collect();
    for metric in METRICS.iter().filter(|m| m.name != "subscription_preferences_changed") {
        assert!(kinds.iter().any(|kind| kind.metric == metric.name), "{}", metric.name);
    }
    let failing = ["failed", "attempted", "undeliverable"];
    for channel in ["email", "sms", "push", "in_app", "slack", "webhook", "whatsapp"] {
        for metric in failing {
            assert!(kinds.contains(&Kind::new(channel, metric)), "{channel}_{metric}");
        }
    }
}

#[test]
fn an_odd_body_loses_nothing_that_can_be_read() {
    let outcome = |body: &[u8]| match read(body) {
        Err(why) => format!("unreadable: {why}"),
        Ok(read) => {
            let of = |e: &Event| {
                let cause = e.failure.as_ref().map_or(String::new(), |f| format!(" {}", f.cause));
                format!("{} {}{cause}{}", e.kind, e.source, if e.future { " (time not known)" } else { "" })
            };
            let mut parts: Vec<String> = read.events.iter().map(of).collect();
            parts.extend((read.tests > 0).then(|| format!("{} test", read.tests)));
            parts.extend(read.unreadable.map(|why| format!("unreadable: {why}")));
            parts.join(" | ")
        }
    };
    let all: Vec<String> = files("odd").iter().map(|(name, body)| format!("{name}: {}", outcome(body))).collect();
    insta::assert_snapshot!(all.join("\n"), @"
    deep: email_sent campaign:5
    empty_list: unreadable: an empty list
    events_wrapper: email_sent campaign:5 | email_sent campaign:5
    form_encoded: unreadable: not JSON (line 1 column 1)
    half_an_emoji: email_failed campaign:5 render_error
    huge_numbers: email_sent campaign:123456789012345678901234567890 (time not known)
    ids_as_text: email_sent campaign:5
    items_wrapper: email_sent campaign:5
    list: email_sent campaign:5 | email_delivered campaign:5
    list_with_a_bad_element: email_sent campaign:5 | email_delivered campaign:5 | unreadable: 1 of 3 elements of a list: number 2: not an object
    milliseconds: email_sent campaign:5
    no_data: email_failed none unknown
    no_event_id: sms_failed campaign:7 carrier_filtered
    no_timestamp: email_sent campaign:5 (time not known)
    not_an_event: unreadable: no object_type and no metric
    nulls: email_bounced newsletter:10 unknown
    object_type_type: email_cio_subscription_preferences_changed newsletter:10
    only_kind: push_sent none (time not known)
    same_field_twice: email_sent campaign:5
    send_test: 1 test
    truncated: unreadable: JSON that ends too soon (line 9 column 6)
    unicode_escapes: email_failed campaign:5 render_error
    unknown_channel: carrier-pigeon_failed campaign:5 unknown
    unknown_metric: email_snoozed campaign:5 unknown
    ");
}
