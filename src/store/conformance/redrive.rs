//! redrive and erase work on every store alike.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::World;
use crate::config::{Config, parse};
use crate::customerio::event::Event;
use crate::incident::told::{Receipt, Stage, Told};
use crate::incident::{How, Incident, Severity, State};
use crate::queue::{Hint, Outbox, Probe};
use crate::steps::erase;
use crate::steps::redrive::{Item, Kind, Outcome, Redrive};
use crate::store::testing::*;
use crate::store::{Quarantined, Store, StoreError, Write};

/// Keeps what is sent.
#[derive(Default)]
struct Sent {
    events: Mutex<Vec<Event>>,
    hints: Mutex<Vec<Hint>>,
}

#[async_trait]
impl Outbox for Sent {
    async fn send_events(&self, events: &[Event], _: Timestamp) -> Result<(), StoreError> {
        self.events.lock().expect("no panic").extend_from_slice(events);
        Ok(())
    }

    async fn send_probe(&self, _: Probe, _: Timestamp) -> Result<(), StoreError> {
        panic!("nobody redrives a probe")
    }

    async fn send_hints(&self, hints: &[Hint], _: Timestamp, _: Duration) -> Result<(), StoreError> {
        self.hints.lock().expect("no panic").extend_from_slice(hints);
        Ok(())
    }
}

fn config() -> Config {
    parse::parse(include_str!("../../../bridge.toml")).config.expect("the example is valid")
}

fn request(id: &str, body: &str, at: &str) -> Quarantined {
    Quarantined {
        id: id.into(),
        reason: "no metric".into(),
        received_at: t(at),
        length: body.len() as u64,
        head: body.as_bytes().to_vec(),
    }
}

fn failure(id: &str, person: &str) -> String {
    format!(
        r#"{{"event_id":"{id}","object_type":"email","metric":"failed","timestamp":1795528800,
        "data":{{"campaign_id":5,"delivery_id":"dg{id}","identifiers":{{"id":"{person}"}}}}}}"#
    )
}

fn step<'a>(store: &'a dyn Store, sent: &'a Sent, config: &'a Config) -> Redrive<'a> {
    Redrive { store, outbox: sent, config, dead_letters: None, process: "test".into() }
}

fn ids(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.id.as_str()).collect()
}

pub async fn a_request_is_read_again_as_of_its_arrival_or_stays(world: &dyn World) {
    let (store, config, sent) = (world.any(), config(), Sent::default());
    let event = failure("01ONE", "u_1");
    let both = format!("[{event},{{}}]");
    for item in [request("a", &event, "14:00"), request("b", &both, "15:00"), request("c", "{", "16:00")] {
        store.quarantine(&item).await.expect("writes");
    }
    let (now, step) = (t("17:00"), step(store, &sent, &config));
    let items = step.list(now).await.expect("lists");
    assert_eq!(ids(&items), ["c", "b", "a"]);
    assert_eq!(items[2].event_id.as_deref(), Some("01ONE"));
    assert!(items.iter().all(|item| item.kind == Kind::Quarantined));
    let mut outcomes = Vec::new();
    for item in &items {
        outcomes.push(step.send(item, now).await.expect("sends"));
    }
    assert!(matches!(&outcomes[0], Outcome::Kept(why) if why.starts_with("still not understood")), "{outcomes:?}");
    assert!(matches!(&outcomes[1], Outcome::Kept(why) if why.starts_with("sent what is understood")), "{outcomes:?}");
    assert_eq!(outcomes[2], Outcome::Sent("1 event".into()));
    let events = sent.events.lock().expect("no panic").clone();
    assert_eq!(events.iter().map(|e| e.arrived).collect::<Vec<_>>(), [t("15:00"), t("14:00")]);
    assert_eq!(events[0].identity, events[1].identity, "which counts once");
    let items = step.list(now).await.expect("lists");
    assert_eq!(ids(&items), ["c", "b"]);
    for item in &items {
        assert_eq!(step.give_up(item, "ada", now).await.expect("drops"), Outcome::Dropped);
    }
    assert!(step.list(now).await.expect("lists").is_empty());
}

pub async fn a_receiver_that_did_not_take_it_is_told_again_what_is_owed(world: &dyn World) {
    let (store, config, sent) = (world.any(), config(), Sent::default());
    let receiver = config.receivers.first().expect("a receiver").name.clone();
    let now = t("17:00");
    let refused = |receipt: Option<Receipt>| Told {
        stage: Stage::Undeliverable { reason: "PagerDuty answered 400".into() },
        receipt: receipt.map(Box::new),
        ..Told::nothing(1)
    };
    let over = State::Resolved { at: t("16:00"), how: How::Quiet };
    let opening = Incident { settled: true, ..incident("opening", t("15:00")) };
    // Its opening was taken, its end was not.
    let end = Incident { state: over, settled: true, ..incident("end", t("14:00")) };
    let fine = Incident { state: over, settled: true, ..incident("fine", t("13:00")) };
    let finished = Told { stage: Stage::Finished, ..Told::nothing(1) };
    let silent = Told { trouble: Some("no answer".into()), attempts: 2, ..Told::nothing(1) };
    let may_come_any_moment = incident("silent", t("12:00"));
    for (incident, told) in [
        (&opening, &refused(None)),
        (&end, &refused(Some(Receipt::default()))),
        (&fine, &finished),
        (&may_come_any_moment, &silent),
    ] {
        assert_eq!(store.write_incident(incident).await.expect("writes"), Write::Done);
        store.lease(&incident.key, &receiver, "d", now, now + SignedDuration::from_secs(1)).await.expect("leases");
        assert_eq!(store.record_told(&incident.key, &receiver, "d", told).await.expect("writes"), Write::Done);
        store.release(&incident.key, &receiver, "d").await.expect("writes");
    }
    let step = step(store, &sent, &config);
    let items = step.list(now).await.expect("lists");
    assert_eq!(ids(&items), [format!("{}@{receiver}", opening.id()), format!("{}@{receiver}", end.id())]);
    assert!(items.iter().all(|item| item.kind == Kind::Undeliverable && item.event_id.is_none()));

    // Somebody is telling it.
    let until = now + SignedDuration::from_secs(9);
    store.lease(&opening.key, &receiver, "d", now, until).await.expect("leases");
    assert!(matches!(step.send(&items[0], now).await.expect("sends"), Outcome::Kept(_)));
    store.release(&opening.key, &receiver, "d").await.expect("writes");
    for item in &items {
        let outcome = step.send(item, now).await.expect("sends");
        assert!(matches!(outcome, Outcome::Sent(_)), "{outcome:?}");
    }
    let told = async |incident: &Incident| store.told(&incident.key).await.expect("reads").remove(0).1.stage;
    assert_eq!(told(&opening).await, Stage::Nothing);
    assert_eq!(told(&end).await, Stage::Opened { severity: Severity::Critical });
    assert!(!store.episodes(&end.key).await.expect("reads")[0].settled, "tick looks at it again");
    assert_eq!(sent.hints.lock().expect("no panic").len(), 2);
    assert!(step.list(now).await.expect("lists").is_empty());
    let again = step.send(&items[0], now).await.expect("sends");
    assert_eq!(again, Outcome::Kept("meanwhile it was told".into()));
}

pub async fn what_is_given_up_for_a_receiver_is_listed_no_more(world: &dyn World) {
    let (store, config, sent) = (world.any(), config(), Sent::default());
    let (now, opening) = (t("17:00"), incident("opening", t("15:00")));
    assert_eq!(store.write_incident(&opening).await.expect("writes"), Write::Done);
    let told = Told { stage: Stage::Undeliverable { reason: "400".into() }, ..Told::nothing(1) };
    store.lease(&opening.key, "gone", "d", now, now + SignedDuration::from_secs(1)).await.expect("leases");
    assert_eq!(store.record_told(&opening.key, "gone", "d", &told).await.expect("writes"), Write::Done);
    store.release(&opening.key, "gone", "d").await.expect("writes");
    let step = step(store, &sent, &config);
    let items = step.list(now).await.expect("lists");
    let kept = step.send(&items[0], now).await.expect("sends");
    assert!(matches!(kept, Outcome::Kept(why) if why.contains("not configured any more")));
    assert_eq!(step.give_up(&items[0], "ada", now).await.expect("drops"), Outcome::Dropped);
    assert!(step.list(now).await.expect("lists").is_empty());
    let dropped = Stage::Dropped { by: "ada".into(), at: now };
    assert_eq!(store.told(&opening.key).await.expect("reads")[0].1.stage, dropped);
}

pub async fn one_persons_requests_are_erased_and_nobody_elses(world: &dyn World) {
    let store = world.any();
    for (id, body) in [("a", failure("01ONE", "person_1")), ("b", failure("01TWO", "person_2"))] {
        store.quarantine(&request(id, &body, "14:00")).await.expect("writes");
    }
    // It names the person's message only.
    store.quarantine(&request("c", "{\"delivery_id\":\"dg01ONE\"", "15:00")).await.expect("writes");
    let found = erase::find(store, &[], "person_1", t("17:00")).await.expect("finds");
    assert_eq!(found.iter().map(|trace| trace.id.as_str()).collect::<Vec<_>>(), ["c", "a"]);
    assert!(erase::erase(store, None, &found).await.expect("erases").is_empty());
    assert!(erase::find(store, &[], "person_1", t("17:00")).await.expect("finds").is_empty());
    assert_eq!(erase::find(store, &[], "person_2", t("17:00")).await.expect("finds").len(), 1);
}
