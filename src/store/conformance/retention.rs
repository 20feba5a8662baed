//! Nothing is kept for ever, and nothing waits for a purge to be gone: every read leaves out what has expired. The clock
//! is moved here, and nothing is deleted.

use jiff::{SignedDuration, Timestamp};

use super::{World, span};
use crate::clock::Minute;
use crate::heartbeat::history::{Day, Slot};
use crate::heartbeat::{Judged, Period, Verdict};
use crate::incident::told::{Stage, Told};
use crate::incident::{How, Incident, Severity, State};
use crate::reconcile::compare;
use crate::reconcile::day::{Compared, Counts};
use crate::reconcile::fired::{FIRED_DAYS, Fired};
use crate::silence::{Conditions, SILENCE_DAYS, Silence};
use crate::store::testing::*;
use crate::store::{HISTORY_DAYS, Lease, QUARANTINE_DAYS, Quarantined, REGISTER_DAYS, SEEN_DAYS, Write};

/// What is written at this time of the tests' day is asked for just before and at its expiry.
const WRITTEN: &str = "14:02";

fn before(days_kept: i64) -> Timestamp {
    t(WRITTEN) + days(days_kept) - SignedDuration::from_mins(1)
}

fn after(days_kept: i64) -> Timestamp {
    t(WRITTEN) + days(days_kept) + SignedDuration::from_mins(1)
}

fn all_time() -> (Timestamp, Timestamp) {
    (t("00:00") - days(1), t("00:00") + days(1_000))
}

pub fn silence(id: &str, start: Timestamp, end: Timestamp) -> Silence {
    Silence {
        id: id.into(),
        matchers: Conditions::parse(&["rule=bounces".to_owned()]).expect("a condition"),
        start,
        end,
        author: "ada".into(),
        reason: "deploy".into(),
        created_at: start,
    }
}

pub async fn a_silence_is_kept_until_30_days_after_its_end_and_replaced_by_its_id(world: &dyn World) {
    let store = world.any();
    let (first, second) = (silence("a", t("14:00"), t("20:00")), silence("b", t("15:00"), t("19:00")));
    for one in [&first, &second] {
        store.keep_silence(one).await.expect("writes");
    }
    world.clock_at(t("15:30")).await;
    assert_eq!(world.again().silences().await.expect("reads"), [second.clone(), first.clone()]);
    let ended = first.ended(t(WRITTEN));
    store.keep_silence(&ended).await.expect("writes");
    assert_eq!(store.silences().await.expect("reads"), [ended.clone(), second.clone()]);
    world.clock_at(before(SILENCE_DAYS)).await;
    assert_eq!(store.silences().await.expect("reads"), [ended, second.clone()]);
    world.clock_at(after(SILENCE_DAYS)).await;
    assert_eq!(store.silences().await.expect("reads"), [second]);
}

pub async fn the_seen_set_and_the_registers_expire_without_being_deleted(world: &dyn World) {
    let store = world.any();
    let event = [failed(1, 5, t(WRITTEN))];
    let _ = store.count(&event, t(WRITTEN)).await.expect("counts");
    let day = span("14:00", "14:10");
    let counts = async || {
        let cells: u64 = store.cells(&[FAILED], day).await.expect("reads").iter().map(|c| c.count).sum();
        let totals: u64 = store.totals(None, day).await.expect("reads").iter().map(|c| c.count).sum();
        let heard = store.heard(&FAILED, Minute::of(t("14:00"))).await.expect("reads");
        (cells, totals, heard)
    };
    world.clock_at(before(SEEN_DAYS)).await;
    assert!(!store.count(&event, before(SEEN_DAYS)).await.expect("counts")[0].first);
    world.clock_at(before(REGISTER_DAYS)).await;
    assert_eq!(counts().await, (1, 1, true));
    world.clock_at(after(REGISTER_DAYS + 1)).await;
    assert_eq!(counts().await, (0, 0, false));
    assert!(store.count(&event, after(REGISTER_DAYS + 1)).await.expect("counts")[0].first);
}

pub async fn incidents_and_what_was_told_of_them_expire_400_days_after_their_end(world: &dyn World) {
    let store = world.any();
    let open = incident("open", t(WRITTEN));
    let over = Incident {
        state: State::Resolved { at: t(WRITTEN), how: How::Quiet },
        version: 0,
        ..incident("over", t("14:00"))
    };
    let told = Told { stage: Stage::Opened { severity: Severity::Critical }, ..Told::nothing(1) };
    for incident in [&open, &over] {
        assert_eq!(store.write_incident(incident).await.expect("writes"), Write::Done);
    }
    let lease = async |now: Timestamp| {
        let lease = store.lease(&over.key, "on-call", "us", now, now + SignedDuration::from_secs(15)).await;
        store.record_told(&over.key, "on-call", "us", &told).await.map(|_: Write| ()).expect("writes");
        store.release(&over.key, "on-call", "us").await.expect("writes");
        lease.expect("leases")
    };
    assert_eq!(lease(t(WRITTEN)).await, Lease::Granted(None));
    let (from, to) = all_time();
    let seen = async || {
        let unsettled = store.unsettled().await.expect("reads").len();
        let between = store.incidents_between(from, to).await.expect("reads").len();
        let episodes = store.episodes(&over.key).await.expect("reads").len();
        (unsettled, between, episodes, store.told(&over.key).await.expect("reads").len())
    };
    world.clock_at(before(HISTORY_DAYS)).await;
    assert_eq!(seen().await, (2, 2, 1, 1));
    world.clock_at(after(HISTORY_DAYS)).await;
    // What is open is never forgotten.
    assert_eq!(seen().await, (1, 1, 0, 0));
    let again = incident("over", after(HISTORY_DAYS));
    assert_eq!(store.write_incident(&again).await.expect("writes"), Write::Done, "a new first episode");
    assert_eq!(store.told(&over.key).await.expect("reads"), [], "of which nobody was told");
}

pub async fn what_was_told_is_gone_when_nothing_is_left_that_it_is_about(world: &dyn World) {
    let store = world.any();
    let key = incident("never written", t(WRITTEN)).key;
    let told = Told { stage: Stage::Opened { severity: Severity::Critical }, ..Told::nothing(1) };
    let lease = async |now: Timestamp| {
        store.lease(&key, "on-call", "us", now, now + SignedDuration::from_secs(15)).await.expect("leases")
    };
    assert_eq!(lease(t(WRITTEN)).await, Lease::Granted(None));
    assert_eq!(store.record_told(&key, "on-call", "us", &told).await.expect("writes"), Write::Done);
    store.release(&key, "on-call", "us").await.expect("writes");
    world.clock_at(before(HISTORY_DAYS)).await;
    assert_eq!(store.told(&key).await.expect("reads").len(), 1);
    world.clock_at(after(HISTORY_DAYS)).await;
    assert_eq!(store.told(&key).await.expect("reads"), []);
    assert_eq!(lease(after(HISTORY_DAYS)).await, Lease::Granted(None));
}

pub async fn quarantine_expires_after_30_days_and_what_is_dropped_is_gone_at_once(world: &dyn World) {
    let store = world.any();
    let item = |id: &str| Quarantined {
        id: id.into(),
        reason: "not JSON".into(),
        received_at: t(WRITTEN),
        length: 5,
        head: b"{\"a\":".to_vec(),
    };
    for id in ["a", "b"] {
        store.quarantine(&item(id)).await.expect("writes");
    }
    let (from, to) = all_time();
    let listed =
        async || store.quarantined(from, to).await.expect("reads").into_iter().map(|i| i.id).collect::<Vec<_>>();
    world.clock_at(before(QUARANTINE_DAYS)).await;
    assert_eq!(listed().await, ["a", "b"]);
    assert_eq!(store.quarantined_head("a").await.expect("reads"), Some(item("a").head));
    let bare = store.quarantined(from, to).await.expect("reads").remove(0);
    for _ in 0..2 {
        world.again().drop_quarantined(&bare).await.expect("drops, and again");
    }
    assert_eq!(listed().await, ["b"]);
    assert_eq!(store.quarantined_head("a").await.expect("reads"), None);
    world.clock_at(after(QUARANTINE_DAYS)).await;
    assert_eq!((listed().await, store.quarantined_head("b").await.expect("reads")), (vec![], None));
}

pub async fn verdicts_and_cursors_expire_after_400_days(world: &dyn World) {
    let store = world.any();
    let judged = Judged {
        heartbeat: "Activation".into(),
        period: Period { start: t("13:00"), due: t(WRITTEN), end: t(WRITTEN) },
        verdict: Verdict::Low,
        count: 3,
        at: t(WRITTEN),
        covered: 60,
        minutes: 60,
        usual: None,
    };
    world.clock_at(t(WRITTEN)).await;
    store.keep_verdict(&judged).await.expect("writes");
    for name in ["stands", "moves"] {
        assert_eq!(store.move_cursor(name, None, "a").await.expect("writes"), Write::Done);
    }
    let today = Slot::of(t(WRITTEN)).day();
    store.keep_day("campaign:5//email_sent", &Day::unseen(today)).await.expect("writes");
    let days = async || store.days("campaign:5//email_sent", today, today + 1).await.expect("reads").len();
    let (from, to) = all_time();
    let verdicts = async || store.verdicts(from, to).await.expect("reads").len();
    world.clock_at(before(HISTORY_DAYS)).await;
    assert_eq!((verdicts().await, days().await), (1, 1));
    assert_eq!(store.move_cursor("moves", Some("a"), "b").await.expect("writes"), Write::Done);
    assert_eq!(store.cursor("stands").await.expect("reads").as_deref(), Some("a"));
    world.clock_at(after(HISTORY_DAYS)).await;
    assert_eq!(verdicts().await, 0);
    assert_eq!(store.cursor("stands").await.expect("reads"), None);
    assert_eq!(store.cursor("moves").await.expect("reads").as_deref(), Some("b"));
    assert_eq!(store.move_cursor("stands", None, "c").await.expect("writes"), Write::Done);
    assert_eq!(store.cursor("stands").await.expect("reads").as_deref(), Some("c"));
    // Of a day nothing shows at which hour of it it expires.
    world.clock_at(after(HISTORY_DAYS + 1)).await;
    assert_eq!(days().await, 0);
}

pub async fn a_fired_count_is_read_for_weeks(world: &dyn World) {
    let store = world.any();
    world.clock_at(t(WRITTEN)).await;
    let hour = Fired { event: "Started".into(), origin: "backend".into(), hour: t(WRITTEN), id: "a".into(), count: 1 };
    store.keep_fired(&[hour]).await.expect("writes");
    let (from, to) = all_time();
    let fired = async || store.fired(from, to).await.expect("reads").len();
    world.clock_at(before(FIRED_DAYS)).await;
    assert_eq!(fired().await, 1);
    world.clock_at(after(FIRED_DAYS)).await;
    assert_eq!(fired().await, 0);
}

pub async fn a_compared_day_is_read_for_a_year(world: &dyn World) {
    let store = world.any();
    world.clock_at(t(WRITTEN)).await;
    let date = t(WRITTEN).to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    let day = Compared {
        event: "Started".into(),
        campaign: "5".into(),
        date,
        counts: Counts::default(),
        others: Vec::new(),
        verdict: compare::Verdict::Unknown,
        reasons: Vec::new(),
        at: t(WRITTEN),
    };
    store.keep_compared(&day).await.expect("writes");
    let found = async || store.compared(date, date.tomorrow().expect("a day")).await.expect("reads").len();
    world.clock_at(before(HISTORY_DAYS)).await;
    assert_eq!(found().await, 1);
    // Of a day nothing shows at which hour of it it expires.
    world.clock_at(after(HISTORY_DAYS + 1)).await;
    assert_eq!(found().await, 0);
}
