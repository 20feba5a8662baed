use super::*;
use crate::config::testing::smallest_with;
use crate::queue::embedded::EmbeddedQueue;
use crate::steps::open::{self, Opening};
use crate::store::embedded::{Durability, EmbeddedStore};
use crate::store::testing::{incident, t};

struct World {
    _folder: tempfile::TempDir,
    store: EmbeddedStore,
    queue: EmbeddedQueue,
    config: Config,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = EmbeddedStore::open(folder.path(), "acme", Durability::Off).expect("a store");
        Self { queue: store.queue(), _folder: folder, store, config: smallest_with("") }
    }

    async fn with(incident: &Incident) -> Self {
        let world = Self::new();
        assert_eq!(world.store.write_incident(incident).await.expect("stored"), Write::Done);
        world
    }

    async fn does(&self, incident: &Incident, deed: Deed, name: &str, at: &str) -> Result<Incident, Undone> {
        let who = Who { name: name.into(), via: Some("lifecycle".into()) };
        act((&self.store, &self.queue, &self.config), incident, deed, &who, t(at)).await
    }
}

#[tokio::test]
async fn what_people_do_is_kept_with_who_they_say_they_are_and_a_form_sent_twice_does_it_once() {
    let incident = incident("any", t("14:00"));
    let world = World::with(&incident).await;
    world.does(&incident, Deed::Acknowledge, "  Ada\n Lovelace ", "14:05").await.expect("done");
    let twice = world.does(&incident, Deed::Acknowledge, "Ada Lovelace", "14:05").await.expect("done");
    let acts: Vec<String> = twice
        .acts
        .iter()
        .map(|a| format!("{} by {}", a.done(&TimeZone::UTC, t("14:06")), a.who(&TimeZone::UTC, t("14:06"))))
        .collect();
    assert_eq!(acts, ["Acknowledged by Ada Lovelace (name not verified; link sent to \"lifecycle\") at 14:05"]);
    assert_eq!(twice.acknowledged_until(), Some(t("14:05") + SignedDuration::from_hours(24)));
    let masked = world.does(&incident, Deed::Acknowledge, "ada@example.com", "14:07").await.expect("done");
    assert!(!masked.acts[1].by.contains("ada@"), "{:?}", masked.acts[1].by);
    for nobody in ["", " \n ", "a name that is longer than forty characters are"] {
        assert!(matches!(world.does(&incident, Deed::Close, nobody, "14:08").await, Err(Undone::Nameless)));
    }
}

#[tokio::test]
async fn a_silence_by_link_covers_this_and_not_what_is_worse_or_elsewhere() {
    let mut incident = incident("any", t("14:00"));
    incident.labels = [
        (crate::route::Label::Severity, vec!["warning".to_owned()]),
        (crate::route::Label::Kind, vec!["rule".to_owned()]),
        (crate::route::Label::Rule, vec!["any".to_owned()]),
        (crate::route::Label::Source, vec!["campaign:5".to_owned()]),
        (crate::route::Label::Owner, vec!["growth".to_owned()]),
    ]
    .into();
    let world = World::with(&incident).await;
    world.does(&incident, Deed::SilenceHour, "Ada", "14:05").await.expect("done");
    let [silence] = &world.store.silences().await.expect("read")[..] else { panic!("one silence") };
    let texts: Vec<String> = silence.matchers.texts().collect();
    assert_eq!(texts, ["severity=warning", "kind=rule", "rule=any", "source=campaign:5"]);
    assert_eq!((silence.start, silence.end), (t("14:05"), t("15:05")));
    assert_eq!(silence.author, "Ada (name not verified)");
    let mut worse = incident.labels.clone();
    assert!(silence.covers(&incident, &worse));
    worse.insert(crate::route::Label::Severity, vec!["critical".into()]);
    assert!(!silence.covers(&incident, &worse));
}

#[test]
fn tomorrow_is_the_next_local_morning() {
    let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
    for (now, until) in [
        ("2026-11-24T13:00:00Z", "2026-11-25T08:00:00Z"),
        // Half past midnight in Berlin.
        ("2026-11-24T23:30:00Z", "2026-11-26T08:00:00Z"),
        // The night in which clocks go forward.
        ("2026-03-28T13:00:00Z", "2026-03-29T07:00:00Z"),
    ] {
        let now = now.parse().expect("an instant");
        assert_eq!(Deed::SilenceUntilTomorrow.silences_until(&berlin, now), until.parse().ok(), "{now}");
    }
}

#[tokio::test]
async fn what_was_closed_by_hand_stays_closed_for_as_long_as_it_is_the_same_trouble() {
    let world = World::new();
    let opening = |since| Opening {
        subject: Subject::Blindness,
        severity: crate::incident::Severity::Critical,
        labels: Default::default(),
        since: t(since),
        last: t(since),
        numbers: Default::default(),
        samples: vec![],
        lines: vec![],
        deliveries: Vec::new(),
        receivers: Some(vec!["screen".into()]),
    };
    let open = async |since, at| {
        open::open(&world.store, &world.queue, &world.config, opening(since), t(at)).await.expect("works")
    };
    let blind = open("12:00", "14:00").await.expect("opened");
    let closed = world.does(&blind, Deed::Close, "Ada", "14:10").await.expect("done");
    assert_eq!(closed.closed_by_hand_at(), Some(t("14:10")));
    assert!(matches!(world.does(&blind, Deed::Acknowledge, "Bob", "14:11").await, Err(Undone::Over)));
    assert_eq!(open("12:00", "14:12").await, None, "the same silence");
    assert_eq!(open("14:20", "16:30").await.map(|i| i.episode), Some(2), "another one");
}

#[tokio::test]
async fn a_digest_is_nothing_to_act_on() {
    let digest = Incident { subject: Subject::Digest { date: "2026-11-24".into() }, ..incident("any", t("14:00")) };
    let world = World::with(&digest).await;
    assert!(matches!(world.does(&digest, Deed::Acknowledge, "Ada", "14:05").await, Err(Undone::NotForThis)));
}
