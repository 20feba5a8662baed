//! Any body that is authentic: read, or put into quarantine, never a panic. What is read is the same on every retry,
//! survives the queue, and holds none of the person's address.

#![no_main]

use std::sync::LazyLock;

use cio_alert_bridge::config::{Config, parse as configuration};
use cio_alert_bridge::customerio::event::Event;
use cio_alert_bridge::customerio::parse::{Context, normalise};
use cio_alert_bridge::customerio::traces::{self, Traces};
use cio_alert_bridge::tally::Entry;
use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::fuzz_target;

/// Stands for a person wherever the corpus has one.
const PERSON: &str = "quentin.ziegelmayer@personal.example";

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let text = include_str!("../../bridge.toml");
    configuration::parse(text).config.expect("the example configuration is valid")
});

fuzz_target!(|body: &[u8]| {
    let preview = traces::preview(body);
    let _ = traces::event_id(body);
    let mut traces = Traces::of(PERSON);
    traces.learn(std::iter::once(body));
    let _ = (traces.are_in(body), traces.are_not_alone_in(body));

    let read = |arrived| normalise(body, &Context::of(&CONFIG, arrived));
    let arrived = Timestamp::from_second(1_764_000_000).expect("a time");
    let Ok(first) = read(arrived) else {
        assert!(read(arrived + SignedDuration::from_hours(1)).is_err(), "what was no event became one");
        return;
    };
    let retried = read(arrived + SignedDuration::from_hours(1)).expect("what was an event is one on its retry");
    assert_eq!(first.events.len(), retried.events.len());
    for (event, again) in first.events.iter().zip(&retried.events) {
        assert_eq!(event.identity, again.identity, "a retry is the same event");
        assert_eq!(Entry::of(event).stamp, Entry::of(again).stamp, "and is looked for in the same place");
        let queued = serde_json::to_string(event).expect("an event is JSON");
        assert_eq!(&serde_json::from_str::<Event>(&queued).expect("and is read back"), event);
        assert!(!queued.contains(PERSON), "a person's address went into the queue");
    }
    assert!(!preview.contains(PERSON), "a person's address is shown");
});
