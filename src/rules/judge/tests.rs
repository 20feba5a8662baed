//! What makes a rule true, and what does not.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::incident::{How, IncidentKey, Numbers, Severity, State, Subject};
use crate::tally::testing::{at, cell};

fn rule(condition: Condition, group_by: &[Dimension]) -> Rule {
    Rule {
        name: "failures".into(),
        events: vec![Kind::known("email", "failed"), Kind::known("email", "bounced")],
        sources: vec![],
        group_by: group_by.to_vec(),
        condition,
        severity: Severity::Critical,
        quiet_for: None,
    }
}

fn three_in_ten() -> Rule {
    let within = SignedDuration::from_mins(10);
    rule(Condition::Count { at_least: 3, within }, &[Dimension::Source])
}

fn five_percent() -> Rule {
    let hour = SignedDuration::from_hours(1);
    let of = vec![Kind::known("email", "sent")];
    rule(Condition::Rate { of, above: 0.05, below: 0.04, within: hour, lag: hour }, &[Dimension::Source])
}

fn found(rule: &Rule, failing: &[Cell], sends: &[Cell]) -> Vec<(u64, u64)> {
    Evidence::of(rule, failing).with_sends(rule, sends).judge(rule).iter().map(|f| (f.count, f.of)).collect()
}

#[test]
fn three_within_ten_minutes_of_event_time_are_a_finding() {
    let cells = [cell("14:00", "email_failed", "campaign:5", 2), cell("14:10", "email_failed", "campaign:5", 1)];
    let findings = Evidence::of(&three_in_ten(), &cells).judge(&three_in_ten());
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].count, findings[0].first), (3, Minute::of(at("14:00"))));
    assert_eq!(findings[0].last, at("14:10:20"));
}

#[test]
fn failures_further_apart_than_the_window_are_none() {
    let cells = [cell("14:00", "email_failed", "campaign:5", 2), cell("14:11", "email_failed", "campaign:5", 1)];
    assert!(found(&three_in_ten(), &cells, &[]).is_empty());
}

#[test]
fn groups_do_not_add_up_and_other_kinds_and_sources_do_not_count() {
    let mut rule = three_in_ten();
    rule.sources = vec![wildmatch::WildMatch::new("campaign:*")];
    let cells = [
        cell("14:00", "email_failed", "campaign:5", 2),
        cell("14:00", "email_failed", "campaign:6", 2),
        cell("14:00", "email_failed", "transactional:1", 9),
        cell("14:00", "email_sent", "campaign:5", 9),
    ];
    assert!(found(&rule, &cells, &[]).is_empty());
    rule.group_by = vec![Dimension::Channel];
    assert_eq!(found(&rule, &cells, &[]), [(4, 4)]);
}

#[test]
fn too_late_and_ignored_events_never_make_a_rule_true() {
    let mut cells = [cell("14:00", "email_failed", "campaign:5", 3), cell("14:00", "email_failed", "campaign:5", 3)];
    Arc::make_mut(&mut cells[0].series).fate = Fate::TooLate;
    Arc::make_mut(&mut cells[1].series).fate = Fate::Ignored;
    assert!(found(&three_in_ten(), &cells, &[]).is_empty());
}

fn episode(since: &str, last: &str, state: State) -> Incident {
    let subject = Subject::Rule { name: "failures".into(), group: Group::new() };
    Incident {
        key: IncidentKey::new("acme", &subject),
        episode: 1,
        version: 1,
        subject,
        severity: Severity::Critical,
        labels: Default::default(),
        receivers: vec![],
        state,
        opened_at: at(since),
        since: at(since),
        last: at(last),
        found_late: false,
        numbers: Numbers::default(),
        samples: vec![],
        lines: vec![],
        acts: vec![],
        diagnosis: None,
        crowded: false,
        settled: true,
    }
}

#[test]
fn what_an_episode_spoke_of_is_no_news_but_what_came_after_is() {
    let over = State::Resolved { at: at("15:00"), how: How::Quiet };
    let news = |cells: &[Cell]| {
        let (rule, past) = (three_in_ten(), [episode("14:00", "14:05", over)]);
        let group = group_of(&rule, &cells[0].series);
        Evidence::of(&rule, cells).judge_news(&rule, &group, &past)
    };
    let again = [cell("13:55", "email_failed", "campaign:5", 1), cell("14:05", "email_failed", "campaign:5", 5)];
    assert_eq!(news(&again), None);
    let later = [cell("14:05", "email_failed", "campaign:5", 5), cell("14:06", "email_failed", "campaign:5", 3)];
    assert_eq!(news(&later).expect("news").count, 3);
    let before = [cell("12:00", "email_failed", "campaign:5", 3), cell("14:05", "email_failed", "campaign:5", 5)];
    assert_eq!(news(&before).expect("news").first, Minute::of(at("12:00")));
}

#[test]
fn a_rate_needs_seven_failures_and_more_than_chance() {
    let sends = [cell("14:00", "email_sent", "campaign:5", 100)];
    let fails = |n| [cell("14:20", "email_bounced", "campaign:5", n)];
    assert!(found(&five_percent(), &fails(6), &[]).is_empty());
    assert_eq!(found(&five_percent(), &fails(7), &[]), [(7, 7)]); // no sends at all: a count
    assert!(found(&five_percent(), &fails(7), &sends).is_empty());
    assert_eq!(found(&five_percent(), &fails(15), &sends), [(15, 100)]);
}

#[test]
fn bounces_that_lag_are_taken_of_the_sends_that_they_belong_to() {
    let blast = [cell("13:00", "email_sent", "newsletter:1", 1000), cell("14:20", "email_sent", "newsletter:1", 1)];
    let bounced = [cell("14:20", "email_bounced", "newsletter:1", 20)];
    assert!(found(&five_percent(), &bounced, &blast).is_empty());
}

/// What a rate finds once it has looked back, too.
fn surely(failing: &[Cell], sends: &[Cell]) -> Vec<(u64, u64)> {
    let rule = five_percent();
    let found = Evidence::of(&rule, failing).looking_back(&rule, sends).judge(&rule);
    found.iter().map(|f| (f.count, f.of)).collect()
}

#[test]
fn leftovers_of_a_blast_are_few_of_many_though_nothing_is_sent_any_more() {
    let blast = [cell("02:00", "email_sent", "newsletter:1", 100_000)];
    let left = [cell("14:20", "email_bounced", "newsletter:1", 90)];
    assert_eq!(found(&five_percent(), &left, &blast), [(90, 90)]);
    assert!(surely(&left, &blast).is_empty());
    let others = [cell("02:00", "email_sent", "newsletter:2", 100_000)];
    assert_eq!(surely(&left, &others), [(90, 90)]); // no sends of its own: a count
}

#[test]
fn leftovers_beside_a_trickle_are_few_of_what_the_blast_may_leave_behind() {
    let sends = [cell("02:00", "email_sent", "newsletter:1", 10_000), cell("14:00", "email_sent", "newsletter:1", 30)];
    let left = |n| [cell("14:20", "email_bounced", "newsletter:1", n)];
    assert_eq!(found(&five_percent(), &left(15), &sends), [(15, 30)]);
    assert!(surely(&left(15), &sends).is_empty());
    // Less and less of it: what would be a tail after an hour or two is none after half a day.
    let soon = [cell("12:00", "email_sent", "newsletter:1", 500), cell("14:00", "email_sent", "newsletter:1", 30)];
    let late = [cell("02:00", "email_sent", "newsletter:1", 500), cell("14:00", "email_sent", "newsletter:1", 30)];
    assert_eq!(surely(&left(15), &soon), []);
    assert_eq!(surely(&left(15), &late), [(15, 30)]);
}

#[test]
fn a_batch_that_bounces_wholly_hours_later_is_all_of_it() {
    let sends = [cell("02:00", "email_sent", "newsletter:1", 2_000)];
    assert_eq!(surely(&[cell("14:20", "email_bounced", "newsletter:1", 2_000)], &sends), [(2_000, 2_000)]);
    assert_eq!(surely(&[cell("14:20", "email_bounced", "newsletter:1", 400)], &sends), [(400, 2_000)]);
}

fn trouble(failing: &[Cell], sends: &[Cell], looked_back: bool) -> Option<Trouble> {
    let rule = five_percent();
    let group = group_of(&rule, &failing[0].series);
    let evidence = match looked_back {
        true => Evidence::of(&rule, failing).looking_back(&rule, sends),
        false => Evidence::of(&rule, failing).with_sends(&rule, sends),
    };
    evidence.trouble(&rule, &group, Span::new(Minute::of(at("14:00")), Minute::of(at("18:00"))))
}

#[test]
fn trouble_lasts_until_no_window_is_above_the_limit_to_close_at() {
    let sends: Vec<Cell> = (13..18).map(|hour| cell(&format!("{hour}:00"), "email_sent", "campaign:5", 100)).collect();
    let failing = [
        cell("14:10", "email_bounced", "campaign:5", 20),
        cell("15:05", "email_bounced", "campaign:5", 4),
        cell("16:30", "email_bounced", "campaign:5", 4),
    ];
    let trouble = trouble(&failing, &sends, false).expect("above 4 %");
    assert_eq!(trouble, Trouble { ends: Minute::of(at("15:10")), last: at("15:05:20"), unclear: false });
}

#[test]
fn one_failure_is_calm_however_few_messages_it_is_of() {
    let sends = [cell("14:00", "email_sent", "campaign:5", 3)];
    assert_eq!(trouble(&[cell("14:10", "email_bounced", "campaign:5", 1)], &sends, false), None);
    assert!(trouble(&[cell("14:10", "email_bounced", "campaign:5", 2)], &sends, false).is_some());
}

#[test]
fn leftovers_are_unclear_until_it_is_known_of_how_many_they_are() {
    let (left, blast) =
        ([cell("15:00", "email_bounced", "newsletter:1", 3)], [cell("02:00", "email_sent", "newsletter:1", 1_000)]);
    assert!(trouble(&left, &blast, false).is_some_and(|trouble| trouble.unclear));
    assert_eq!(trouble(&left, &blast, true), None);
}

proptest! {
    #[test]
    fn the_order_of_cells_does_not_matter(minutes in proptest::collection::vec((0i64..60, 1u64..3), 1..20)) {
        let cells: Vec<Cell> = minutes
            .iter()
            .map(|(m, n)| Cell { minute: Minute::of(at("14:00")).plus(*m), ..cell("14:00", "email_failed", "campaign:5", *n) })
            .collect();
        let mut reversed = cells.clone();
        reversed.reverse();
        let rule = three_in_ten();
        prop_assert_eq!(found(&rule, &cells, &[]), found(&rule, &reversed, &[]));
        // Brute force over all windows.
        let truly = (0..60).any(|end| {
            let inside = minutes.iter().filter(|(m, _)| (end - 10..=end).contains(m));
            inside.map(|(_, n)| n).sum::<u64>() >= 3
        });
        prop_assert_eq!(!found(&rule, &cells, &[]).is_empty(), truly);
    }

    /// So no incident opens that is quiet at once.
    #[test]
    fn whatever_opens_is_above_the_limit_to_close_at(
        sends in proptest::collection::vec((0i64..600, 1u64..200), 0..12),
        failing in proptest::collection::vec((480i64..600, 1u64..12), 1..12),
        looked_back in proptest::bool::ANY,
    ) {
        let rule = five_percent();
        let cells = |of: &[(i64, u64)], kind: &str| -> Vec<Cell> {
            of.iter().map(|(m, n)| Cell { minute: Minute::of(at("04:00")).plus(*m), ..cell("04:00", kind, "campaign:5", *n) }).collect()
        };
        let (sends, failing) = (cells(&sends, "email_sent"), cells(&failing, "email_bounced"));
        let mut evidence = Evidence::of(&rule, &failing).with_sends(&rule, &sends);
        evidence.looked_back = looked_back;
        for end in (480..600).map(|m| Minute::of(at("04:00")).plus(m)) {
            let window: Vec<Cell> = failing.iter().filter(|c| end.plus(-60) <= c.minute && c.minute <= end).cloned().collect();
            let group = group_of(&rule, &failing[0].series);
            let count = window.iter().map(|c| c.count).sum();
            let (rate, none) = (Rate::of(&rule.condition).expect("a rate"), Counts::default());
            if rate.opens(count, &evidence.sends(&group, &none), end).is_some() {
                let trouble = evidence.trouble(&rule, &group, Span::new(end, end.plus(1)));
                prop_assert!(trouble.is_some_and(|t| t.ends == end));
            }
        }
    }
}
