//! What every store must do, asked through the trait alone. Each store's tests make a [`World`] and run all of it with
//! [`conformance!`].

mod redrive;
mod retention;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::clock::{ManualClock, Minute, Span};
use crate::customerio::app_api::AppApiError;
use crate::customerio::app_api::budget::{self, Turns, Urgency};
use crate::customerio::app_api::names::{LIST_BYTES, NameList, Names};
use crate::customerio::event::{Fate, SourceKind};
use crate::heartbeat::history::{Day, Slot};
use crate::heartbeat::{Judged, Period, Verdict};
use crate::incident::told::{Stage, Told};
use crate::incident::{How, Incident, Severity, State};
use crate::reconcile::compare::{self, Leg};
use crate::reconcile::day::{Compared, Counts, Received};
use crate::reconcile::fired::{Fired, FiredHour};
use crate::reconcile::reason::Reason;
use crate::steps::budget::Budget;
use crate::store::testing::*;
use crate::store::{HISTORY_DAYS, Lease, QUARANTINE_BYTES, QUARANTINE_DAYS, Quarantined, Store, Write};
use crate::summary::Summary;
use crate::tally::Entry;
use crate::tally::coverage::Heard;

/// A store that nobody else uses.
#[async_trait]
pub trait World: Send + Sync {
    fn any(&self) -> &dyn Store;

    /// Another handle on the same data, as another process has it.
    fn again(&self) -> Arc<dyn Store>;

    /// It is now this late, and what has expired is gone.
    async fn at(&self, now: Timestamp);

    /// It is now this late, and nothing was deleted.
    async fn clock_at(&self, now: Timestamp);
}

/// Runs everything over the worlds that a function makes; one that makes none has said why.
macro_rules! conformance {
    ($fresh:path: $($promise:ident),+ $(,)?) => {
        mod conformance {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                if let Some(world) = $fresh().await {
                    crate::store::conformance::$promise(&world).await;
                }
            })+

            #[test]
            fn any_order_and_repetition_makes_the_same_tally() {
                let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
                crate::store::conformance::any_order_and_repetition_makes_the_same_tally(
                    &runtime.expect("a runtime"),
                    &|| async { Some(Box::new($fresh().await?) as Box<dyn crate::store::conformance::World>) },
                );
            }
        }
    };
    ($fresh:ident) => {
        crate::store::conformance::conformance!(super::$fresh:
            a_duplicate_counts_once_within_a_batch_and_across_batches,
            the_class_is_frozen_at_first_acceptance,
            concurrent_workers_with_the_same_events_make_one_tally,
            cells_and_totals_are_of_the_kinds_and_minutes_asked_for,
            an_identity_is_remembered_for_23_days_after_the_later_of_event_and_arrival,
            registers_outlive_the_seen_set_and_then_go,
            an_incident_is_written_only_over_the_version_that_was_read,
            the_last_episodes_are_answered_oldest_first,
            open_or_untold_incidents_are_unsettled_and_a_span_finds_those_that_began_or_ended_in_it,
            a_lease_is_held_by_one_until_it_ends_or_is_given_back,
            a_cursor_moves_only_from_where_it_stands,
            two_processes_share_one_budget_of_questions,
            the_last_verdict_on_a_period_stands,
            a_day_of_a_workflow_only_rises_and_is_found_by_what_is_counted,
            the_summary_of_a_day_that_was_made_last_stands_for_400_days,
            a_fired_count_is_kept_once_and_only_rises,
            a_compared_day_is_kept_as_it_was_written_last,
            a_quarantined_request_is_one_item_and_is_listed_without_its_body,
            coverage_adds_up_over_handles,
            names_are_kept_by_kind_and_the_last_ones_stand,
            a_silence_is_kept_until_30_days_after_its_end_and_replaced_by_its_id,
            the_seen_set_and_the_registers_expire_without_being_deleted,
            incidents_and_what_was_told_of_them_expire_400_days_after_their_end,
            what_was_told_is_gone_when_nothing_is_left_that_it_is_about,
            quarantine_expires_after_30_days_and_what_is_dropped_is_gone_at_once,
            verdicts_and_cursors_expire_after_400_days,
            a_fired_count_is_read_for_weeks,
            a_compared_day_is_read_for_a_year,
            a_request_is_read_again_as_of_its_arrival_or_stays,
            a_receiver_that_did_not_take_it_is_told_again_what_is_owed,
            what_is_given_up_for_a_receiver_is_listed_no_more,
            one_persons_requests_are_erased_and_nobody_elses,
        );
    };
}
pub(crate) use conformance;
pub use redrive::*;
pub use retention::*;

fn span(from: &str, to: &str) -> Span {
    Span::new(Minute::of(t(from)), Minute::of(t(to)))
}

/// All registers of failures, as (campaign, minute) -> count.
async fn tally(store: &dyn Store) -> BTreeMap<(String, i64), u64> {
    let cells = store.cells(&[FAILED], span("00:00", "23:59")).await.expect("reads");
    cells.into_iter().map(|c| ((c.series.source.id.clone(), c.minute.0), c.count)).collect()
}

pub async fn a_duplicate_counts_once_within_a_batch_and_across_batches(world: &dyn World) {
    let batch = [failed(1, 5, t("14:02")), failed(2, 5, t("14:02")), failed(1, 5, t("14:02"))];
    let first: Vec<bool> =
        world.any().count(&batch, t("14:03")).await.expect("counts").iter().map(|c| c.first).collect();
    assert_eq!(first, [true, true, false]);
    let again = world.any().count(&batch, t("15:00")).await.expect("counts");
    assert!(again.iter().all(|c| !c.first && c.class == batch[0].class));
    assert_eq!(tally(world.any()).await, BTreeMap::from([(("5".into(), Minute::of(t("14:02")).0), 2)]));
}

pub async fn the_class_is_frozen_at_first_acceptance(world: &dyn World) {
    let was = failed(1, 5, t("14:02"));
    // The time it is counted at may differ, for instance by its arrival; its own time stamp does not.
    let looks = Entry { stamp: was.stamp, ..failed(1, 7, t("15:30")) };
    for store in [world.again(), world.again()] {
        let _ = store.count(std::slice::from_ref(&was), t("14:03")).await.expect("counts");
        let counted = store.count(std::slice::from_ref(&looks), t("15:31")).await.expect("counts");
        assert_eq!((counted[0].first, &counted[0].class), (false, &was.class));
    }
    assert_eq!(tally(world.any()).await, BTreeMap::from([(("5".into(), Minute::of(t("14:02")).0), 1)]));
}

pub async fn concurrent_workers_with_the_same_events_make_one_tally(world: &dyn World) {
    let (one, other) = (world.again(), world.again());
    let workers = (0..16_u32).map(|worker| {
        let store = Arc::clone(if worker % 2 == 0 { &one } else { &other });
        tokio::spawn(async move {
            let entries: Vec<Entry> = (0..100).map(|n| failed((n * 7 + worker) % 100, 5, t("14:02"))).collect();
            let mut first = 0;
            for batch in entries.chunks(10) {
                first += store.count(batch, t("14:03")).await.expect("counts").iter().filter(|c| c.first).count();
            }
            first
        })
    });
    let firsts = futures_util::future::join_all(workers).await;
    assert_eq!(firsts.into_iter().map(|first| first.expect("joins")).sum::<usize>(), 100);
    assert_eq!(tally(world.any()).await.into_values().collect::<Vec<_>>(), [100]);
}

pub async fn cells_and_totals_are_of_the_kinds_and_minutes_asked_for(world: &dyn World) {
    let entries = [
        failed(1, 5, t("14:02")),
        failed(2, 5, t("14:04")),
        failed(3, 7, t("14:04")),
        failed(4, 5, t("14:05")),
        sent(5, t("14:03")),
    ];
    let _ = world.any().count(&entries, t("14:06")).await.expect("counts");
    let asked = span("14:02", "14:05");
    let cells = world.any().cells(&[FAILED, SENT, FAILED], asked).await.expect("reads");
    let cells: Vec<_> = cells.iter().map(|c| (c.series.kind.to_string(), c.minute, c.count, c.last)).collect();
    let cell = |kind: &str, at| (kind.to_owned(), Minute::of(t(at)), 1, t(at));
    let failures = [cell("email_failed", "14:02"), cell("email_failed", "14:04"), cell("email_failed", "14:04")];
    assert_eq!(cells, [&failures[..], &[cell("email_sent", "14:03")]].concat());

    let totals = world.any().totals(None, asked).await.expect("reads");
    let total = |entry: &Entry| totals.iter().find(|t| *t.series == entry.class.series).expect("a total");
    assert_eq!(totals.len(), 3);
    assert_eq!((total(&entries[0]).count, total(&entries[0]).last), (2, t("14:04")));
    assert_eq!((total(&entries[2]).count, total(&entries[2]).first_minute), (1, Minute::of(t("14:04"))));
    assert_eq!(world.any().totals(Some(&[SENT]), asked).await.expect("reads"), [total(&entries[4]).clone()]);
    assert_eq!(world.any().cells(&[], asked).await.expect("reads"), []);
}

pub async fn an_identity_is_remembered_for_23_days_after_the_later_of_event_and_arrival(world: &dyn World) {
    let old = failed(1, 5, t("14:02") - days(30));
    let seen = |after: i64| {
        let (store, entry) = (world.any(), old.clone());
        async move {
            let now = t("14:02") + days(after);
            world.at(now).await;
            store.count(&[entry], now).await.expect("counts")[0].first
        }
    };
    assert_eq!((seen(0).await, seen(22).await, seen(23).await), (true, false, true));
}

pub async fn registers_outlive_the_seen_set_and_then_go(world: &dyn World) {
    let entries: Vec<Entry> = (0..30).map(|n| failed(n, n, t("14:02"))).collect();
    let _ = world.any().count(&entries, t("14:03")).await.expect("counts");
    for (after, registers) in [(24, 30), (39, 30), (80, 0)] {
        world.at(t("14:04") + days(after)).await;
        assert_eq!(tally(world.any()).await.len(), registers, "after {after} days");
    }
    let again = world.any().count(&entries, t("14:04") + days(80)).await.expect("counts");
    assert!(again.iter().all(|c| c.first));
}

pub async fn an_incident_is_written_only_over_the_version_that_was_read(world: &dyn World) {
    let store = world.any();
    let mut new = incident("bounces", t("14:02"));
    assert_eq!(store.write_incident(&new).await.expect("writes"), Write::Done);
    assert_eq!(store.write_incident(&new).await.expect("writes"), Write::Conflict);
    new.version = 1;
    assert_eq!(store.episodes(&new.key).await.expect("reads"), [new.clone()]);
    new.state = State::Resolved { at: t("15:00"), how: How::Quiet };
    assert_eq!(store.write_incident(&new).await.expect("writes"), Write::Done);
    assert_eq!(store.write_incident(&new).await.expect("writes"), Write::Conflict);
    let missing = Incident { episode: 2, version: 1, ..new.clone() };
    assert_eq!(store.write_incident(&missing).await.expect("writes"), Write::Conflict);
    assert_eq!(store.episodes(&new.key).await.expect("reads"), [Incident { version: 2, ..new }]);
}

pub async fn the_last_episodes_are_answered_oldest_first(world: &dyn World) {
    let one = incident("bounces", t("14:02"));
    for episode in 1..=505 {
        let _ = world.any().write_incident(&Incident { episode, ..one.clone() }).await.expect("writes");
    }
    let episodes = world.any().episodes(&one.key).await.expect("reads");
    assert_eq!(episodes.iter().map(|i| i.episode).collect::<Vec<_>>(), (6..=505).collect::<Vec<_>>());
}

pub async fn open_or_untold_incidents_are_unsettled_and_a_span_finds_those_that_began_or_ended_in_it(
    world: &dyn World,
) {
    let store = world.any();
    let over = State::Resolved { at: t("16:00"), how: How::Quiet };
    let open = Incident { settled: true, ..incident("open", t("15:00")) };
    let untold = Incident { state: over, ..incident("untold", t("14:00")) };
    let settled = Incident { state: over, settled: true, ..incident("settled", t("13:00")) };
    for i in [&open, &untold, &settled] {
        assert_eq!(store.write_incident(i).await.expect("writes"), Write::Done);
    }
    let keys = |found: Vec<Incident>| found.into_iter().map(|i| i.key).collect::<Vec<_>>();
    assert_eq!(store.open_incidents(9).await.expect("reads"), 1, "what is over is not open, told or not");
    assert_eq!(store.open_incidents(0).await.expect("reads"), 0);
    assert_eq!(keys(store.unsettled().await.expect("reads")), [untold.key.clone(), open.key.clone()]);
    for (from, to, expected) in [
        ("13:00", "14:00", vec![&settled]),
        ("14:00", "15:00", vec![&untold]),
        ("16:00", "16:01", vec![&settled, &untold]),
        ("13:00", "16:00", vec![&settled, &untold, &open]),
        ("16:01", "23:00", vec![]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|i| i.key.clone()).collect();
        assert_eq!(keys(store.incidents_between(t(from), t(to)).await.expect("reads")), expected, "{from} to {to}");
    }
    let second = incident("another", t("15:30"));
    assert_eq!(store.write_incident(&second).await.expect("writes"), Write::Done);
    assert_eq!(store.open_incidents(9).await.expect("reads"), 2);
    assert_eq!(store.open_incidents(1).await.expect("reads"), 1);
    let over_too = Incident { version: 1, state: over, settled: true, ..second };
    assert_eq!(store.write_incident(&over_too).await.expect("writes"), Write::Done);
}

pub async fn a_lease_is_held_by_one_until_it_ends_or_is_given_back(world: &dyn World) {
    let store = world.any();
    let bounces = incident("bounces", t("14:02"));
    assert_eq!(store.write_incident(&bounces).await.expect("writes"), Write::Done);
    let key = bounces.key;
    let lease = |owner: &'static str, now: &'static str, until: &'static str| {
        let (store, key) = (world.again(), key.clone());
        async move { store.lease(&key, "on-call", owner, t(now), t(until)).await.expect("leases") }
    };
    assert_eq!(lease("a", "14:00", "14:10").await, Lease::Granted(None));
    assert_eq!(lease("b", "14:09", "14:19").await, Lease::HeldUntil(t("14:10")));
    assert_eq!(lease("a", "14:09", "14:19").await, Lease::HeldUntil(t("14:10")));

    let told = Told { stage: Stage::Opened { severity: Severity::Critical }, ..Told::nothing(1) };
    assert_eq!(store.record_told(&key, "on-call", "b", &told).await.expect("writes"), Write::Conflict);
    assert_eq!(store.record_told(&key, "on-call", "a", &told).await.expect("writes"), Write::Done);
    assert_eq!(store.told(&key).await.expect("reads"), [("on-call".to_owned(), told.clone())]);

    assert_eq!(lease("b", "14:10", "14:20").await, Lease::Granted(Some(told.clone())));
    assert_eq!(store.record_told(&key, "on-call", "a", &Told::nothing(2)).await.expect("writes"), Write::Conflict);
    store.release(&key, "on-call", "a").await.expect("writes");
    assert_eq!(lease("c", "14:11", "14:21").await, Lease::HeldUntil(t("14:20")));
    store.release(&key, "on-call", "b").await.expect("writes");
    assert_eq!(lease("c", "14:11", "14:21").await, Lease::Granted(Some(told.clone())));
    store.void_leases().await.expect("writes");
    assert_eq!(lease("d", "14:12", "14:22").await, Lease::Granted(Some(told)));
    assert_eq!(
        store.lease(&key, "audit", "e", t("14:12"), t("14:22")).await.expect("leases"),
        Lease::Granted(None),
        "another receiver is another lease"
    );
}

pub async fn a_cursor_moves_only_from_where_it_stands(world: &dyn World) {
    let store = world.any();
    assert_eq!(store.cursor("digest").await.expect("reads"), None);
    for (from, to, expected, stands) in [
        (Some("a"), "b", Write::Conflict, None),
        (None, "a", Write::Done, Some("a")),
        (None, "b", Write::Conflict, Some("a")),
        (Some("a"), "b", Write::Done, Some("b")),
        (Some("a"), "c", Write::Conflict, Some("b")),
    ] {
        assert_eq!(store.move_cursor("digest", from, to).await.expect("writes"), expected, "{from:?} to {to}");
        assert_eq!(store.cursor("digest").await.expect("reads").as_deref(), stands);
    }
}

/// At most 3 in any second, and nobody before a limit has passed.
pub async fn two_processes_share_one_budget_of_questions(world: &dyn World) {
    let clock = Arc::new(ManualClock::at(t("12:00")));
    let process = || Budget { store: world.again(), clock: clock.clone() };
    let (one, other) = (process(), process());
    let patience = Duration::from_secs(60);
    let turns = (0..6).flat_map(|_| [&one, &other]).map(|budget| budget.take(Urgency::Urgent, patience));
    let mut waits: Vec<Duration> =
        futures_util::future::join_all(turns).await.into_iter().map(|wait| wait.expect("a turn")).collect();
    waits.sort();
    let every = |n: u32| budget::GAP.unsigned_abs() * n;
    assert_eq!(waits, (0..12).map(every).collect::<Vec<_>>());

    one.limited(Some(Duration::from_secs(50))).await;
    let refused = other.take(Urgency::Urgent, Duration::from_secs(5)).await;
    assert_eq!(refused, Err(AppApiError::Limited { after: Some(Duration::from_secs(50)) }));
    assert_eq!(other.take(Urgency::Urgent, patience).await, Ok(Duration::from_secs(50)));
    other.limited(None).await;
    let refused = one.take(Urgency::CanWait, Duration::from_secs(5)).await;
    assert_eq!(refused, Err(AppApiError::Limited { after: Some(budget::PAUSE.unsigned_abs()) }));
    clock.set(t("12:02"));
    assert_eq!(one.take(Urgency::CanWait, Duration::ZERO).await, Ok(Duration::ZERO));
}

pub async fn the_last_verdict_on_a_period_stands(world: &dyn World) {
    let judged = |verdict, start, end| Judged {
        heartbeat: "Activation".into(),
        period: Period { start: t(start), due: t(end), end: t(end) },
        verdict,
        count: 3,
        at: t(end),
        covered: 60,
        minutes: 60,
        usual: None,
    };
    let last = judged(Verdict::Ok, "13:00", "14:00");
    for j in [&judged(Verdict::Unknown, "13:00", "14:00"), &last, &judged(Verdict::Low, "14:00", "15:00")] {
        world.any().keep_verdict(j).await.expect("writes");
    }
    assert_eq!(world.any().verdicts(t("14:00"), t("15:00")).await.expect("reads"), [last]);
}

pub async fn a_day_of_a_workflow_only_rises_and_is_found_by_what_is_counted(world: &dyn World) {
    let today = Slot::of(t("14:00")).day();
    let day = |day, counts: u32, hearing: &str| -> Day {
        let json = serde_json::json!({ "day": day, "counts": vec![counts; 288], "hearing": hearing.repeat(288) });
        serde_json::from_value(json).expect("a day")
    };
    for (of, kept) in [
        ("campaign:5//email_sent", day(today, 3, "0")),
        ("campaign:5//email_sent", day(today, 2, "1")),
        ("campaign:5//email_sent", day(today + 1, 7, "1")),
        ("campaign:5/97/email_sent", day(today, 9, "1")),
    ] {
        world.any().keep_day(of, &kept).await.expect("writes");
    }
    let days =
        |from, until| async move { world.any().days("campaign:5//email_sent", from, until).await.expect("reads") };
    assert_eq!(days(today, today + 1).await, [day(today, 3, "1")]);
    assert_eq!(days(today - 9, today + 9).await, [day(today, 3, "1"), day(today + 1, 7, "1")]);
    assert_eq!(days(today + 2, today + 9).await, []);
}

pub async fn the_summary_of_a_day_that_was_made_last_stands_for_400_days(world: &dyn World) {
    let store = world.any();
    let date = |text: &str| text.parse::<Date>().expect("a date");
    let of = |day: &str, made_at, covered| Summary { covered, ..Summary::unseen(date(day), t(made_at)) };
    let kept = [("2026-11-23", "14:00", 1), ("2026-11-24", "14:00", 2), ("2026-11-24", "14:05", 3)];
    for (day, made_at, covered) in kept {
        store.keep_summary(&of(day, made_at, covered)).await.expect("writes");
    }
    // A tick that was slow.
    store.keep_summary(&of("2026-11-24", "14:01", 4)).await.expect("writes");
    let other = world.again();
    let between = async |from: &str, until: &str| other.summaries(date(from), date(until)).await.expect("reads");
    let last = of("2026-11-24", "14:05", 3);
    assert_eq!(between("2026-11-01", "2026-12-01").await, [of("2026-11-23", "14:00", 1), last.clone()]);
    assert_eq!(between("2026-11-24", "2026-11-25").await, std::slice::from_ref(&last));
    assert_eq!(between("2026-11-22", "2026-11-23").await, []);
    assert_eq!(between("2026-11-25", "2026-11-24").await, []);
    world.clock_at(t("00:00") + days(HISTORY_DAYS) - SignedDuration::from_mins(1)).await;
    assert_eq!(between("2026-11-24", "2026-11-25").await, [last]);
    world.clock_at(t("00:00") + days(HISTORY_DAYS + 1)).await;
    assert_eq!(between("2026-11-24", "2026-11-25").await, []);
}

pub async fn a_fired_count_is_kept_once_and_only_rises(world: &dyn World) {
    let report = |event: &str, origin: &str, hour, id: &str, count| Fired {
        event: event.into(),
        origin: origin.into(),
        hour: t(hour),
        id: id.into(),
        count,
    };
    let backend = "backend";
    let requests = [
        vec![report("Started", backend, "14:00", "a", 5), report("Started", backend, "14:00", "b", 7)],
        vec![report("Started", backend, "14:00", "a", 5)],
        vec![report("Started", backend, "14:00", "a", 9), report("Started", backend, "14:00", "a", 6)],
        vec![report("Started", backend, "15:00", "a", 1), report("Started", "mixpanel", "14:00", "a", 2)],
        vec![report("Ended", backend, "14:00", "a", 0), report("Ended", backend, "16:00", "a", 3)],
    ];
    for reports in requests {
        world.any().keep_fired(&reports).await.expect("writes");
    }
    world.any().keep_fired(&[]).await.expect("writes nothing");
    let sums = async |from, to| -> Vec<String> {
        let hours = world.any().fired(t(from), t(to)).await.expect("reads");
        let hour = |of: &FiredHour| format!("{} {} {} {}", of.event, of.origin, of.hour, of.count);
        hours.iter().map(hour).map(|text| text.replace("2026-11-24T", "")).collect()
    };
    assert_eq!(
        sums("14:00", "16:00").await,
        [
            "Ended backend 14:00:00Z 0",
            "Started backend 14:00:00Z 16",
            "Started backend 15:00:00Z 1",
            "Started mixpanel 14:00:00Z 2"
        ]
    );
    assert_eq!(sums("16:00", "16:00").await, [""; 0]);
    assert_eq!(sums("16:00", "17:00").await, ["Ended backend 16:00:00Z 3"]);
}

pub async fn a_compared_day_is_kept_as_it_was_written_last(world: &dyn World) {
    use jiff::civil::date;
    let day = |event: &str, date, fired| Compared {
        event: event.into(),
        campaign: "5".into(),
        date,
        counts: Counts { fired: Some(fired), received: Received::AtLeast(3), started: None, messages: Some(2) },
        others: Vec::new(),
        verdict: compare::Verdict::Diverges { leg: Leg::Receiving, got: 3, expected: fired },
        reasons: vec![Reason::TooOld { count: 7 }],
        at: t("14:00"),
    };
    let (october, november) = (date(2026, 10, 31), date(2026, 11, 1));
    for written in [
        day("Started", november, 9),
        day("Started", november, 10),
        day("Ended", november, 8),
        day("Started", october, 7),
    ] {
        world.any().keep_compared(&written).await.expect("writes");
    }
    let between = async |from, to| world.any().compared(from, to).await.expect("reads");
    let all = [day("Started", october, 7), day("Ended", november, 8), day("Started", november, 10)];
    assert_eq!(between(october, date(2026, 11, 2)).await, all);
    assert_eq!(between(october, november).await, all[..1]);
    assert_eq!(between(november, november).await, []);
}

pub async fn a_quarantined_request_is_one_item_and_is_listed_without_its_body(world: &dyn World) {
    let item = |id: &str, at| Quarantined {
        id: id.into(),
        reason: "not JSON".into(),
        received_at: t(at),
        length: u64::from(u32::MAX),
        head: b"{".repeat(QUARANTINE_BYTES + 1),
    };
    for (id, at) in [("a", "14:00"), ("b", "15:00"), ("a", "16:00")] {
        world.any().quarantine(&item(id, at)).await.expect("writes");
    }
    let bare = |id, at| Quarantined { head: Vec::new(), ..item(id, at) };
    let listed = world.any().quarantined(t("14:00"), t("17:00")).await.expect("reads");
    assert_eq!(listed, [bare("b", "15:00"), bare("a", "14:00")]);
    world.at(t("14:59") + days(QUARANTINE_DAYS)).await;
    assert_eq!(world.any().quarantined(t("14:00"), t("17:00")).await.expect("reads"), [bare("b", "15:00")]);
}

pub async fn coverage_adds_up_over_handles(world: &dyn World) {
    let heard = |at: &str| {
        let json = serde_json::json!({
            "identity": identity(1), "kind": SENT, "source": "campaign:5", "at": t(at), "arrived": t(at),
            "fate": Fate::Counted, "provider": "gmail",
        });
        Heard::of([&serde_json::from_value(json).expect("an event")])
    };
    assert_eq!(world.any().hear(&Heard::default()).await.expect("hears").began(), None);
    let _ = world.any().hear(&heard("10:00")).await.expect("hears");
    let both = world.again().hear(&heard("12:00")).await.expect("hears");
    assert_eq!((both.began(), both.covered_until(t("13:00"))), (Some(t("10:00")), Some(Minute::of(t("12:00")))));
    assert_eq!(world.any().coverage().await.expect("reads"), both);
    assert_eq!(world.any().hear(&Heard::default()).await.expect("hears"), both);
}

pub async fn names_are_kept_by_kind_and_the_last_ones_stand(world: &dyn World) {
    let store = world.any();
    assert_eq!(store.names().await.expect("reads"), Names::default());
    let list = |at: &str, of: &[(&str, &str)]| NameList {
        fetched_at: t(at),
        names: of.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect(),
    };
    let (campaigns, newsletters) =
        (list("14:00", &[("5", "Activation \"1\""), ("7", "Ünïcode 🦀")]), list("14:01", &[]));
    store.keep_names(SourceKind::Campaign, &list("13:00", &[("5", "Old"), ("6", "Gone")])).await.expect("writes");
    store.keep_names(SourceKind::Campaign, &campaigns).await.expect("writes");
    store.keep_names(SourceKind::Newsletter, &newsletters).await.expect("writes");
    let all = Names::of([(SourceKind::Campaign, campaigns), (SourceKind::Newsletter, newsletters)]);
    assert_eq!(world.again().names().await.expect("reads"), all);
    // A list as long as any that is kept.
    let long: BTreeMap<String, String> = (0..LIST_BYTES / 52).map(|n| (format!("{n:02}"), "ä".repeat(24))).collect();
    let long = NameList { fetched_at: t("14:02"), names: long };
    store.keep_names(SourceKind::Broadcast, &long).await.expect("writes");
    assert_eq!(store.names().await.expect("reads").list(SourceKind::Broadcast), Some(&long));
}

/// Law 4: any number of times, in any order, cut into any batches: the tally of the distinct events.
pub fn any_order_and_repetition_makes_the_same_tally<F: Future<Output = Option<Box<dyn World>>>>(
    runtime: &tokio::runtime::Runtime,
    fresh: &dyn Fn() -> F,
) {
    let entry = |id: u32| failed(id, id % 3, t("14:02") + SignedDuration::from_secs(i64::from(id) * 7));
    let batches = (proptest::collection::vec(0..40_u32, 1..120), 1..20_usize);
    let mut runner = TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) });
    let ran = runner.run(&batches, |(ids, cut)| {
        let mut expected = BTreeMap::new();
        for id in ids.iter().collect::<BTreeSet<_>>() {
            let class = entry(*id).class;
            *expected.entry((class.series.source.id, Minute::of(class.at).0)).or_insert(0) += 1;
        }
        let found = runtime.block_on(async {
            let world = fresh().await?;
            for batch in ids.chunks(cut) {
                let batch: Vec<Entry> = batch.iter().map(|id| entry(*id)).collect();
                let _ = world.any().count(&batch, t("14:10")).await.expect("counts");
            }
            Some(tally(world.any()).await)
        });
        prop_assert!(found.is_none_or(|found| found == expected));
        Ok(())
    });
    ran.expect("the same tally");
}
