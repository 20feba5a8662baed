//! Is a rule true, for which groups, since when? Windows run over event time, whenever the events arrived.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::wilson::{self, MIN_FAILURES};
use super::{Condition, Rule};
use crate::clock::{Minute, Span, minutes};
use crate::customerio::event::{Fate, Kind};
use crate::incident::{Dimension, Group, Incident};
use crate::tally::{Cell, Series};

/// A group for which a rule is true.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub group: Group,
    /// Failures in the fullest window.
    pub count: u64,
    /// Messages that window is taken of; for a count rule the same as `count`.
    pub of: u64,
    /// The first failure of the earliest window that made the rule true.
    pub first: Minute,
    /// The last failure of the latest one.
    pub last: Timestamp,
    /// The series that failed in true windows, most failures first.
    pub series: Vec<Series>,
}

/// The group of a series under a rule.
pub fn group_of(rule: &Rule, series: &Series) -> Group {
    rule.group_by.iter().map(|d| (*d, value_of(*d, series))).collect()
}

fn value_of(dimension: Dimension, series: &Series) -> String {
    match dimension {
        Dimension::Cause => series.cause.as_ref().map_or_else(String::new, |c| c.as_str().to_owned()),
        Dimension::Source => series.source.to_string(),
        Dimension::Action => series.action.clone().unwrap_or_default(),
        Dimension::Channel => series.kind.channel.to_string(),
        Dimension::Metric => series.kind.metric.to_string(),
        Dimension::Provider => series.provider.as_str().to_owned(),
    }
}

/// Whether a rule looks at a failing series.
pub fn concerns(rule: &Rule, series: &Series) -> bool {
    series.fate == Fate::Counted && rule.events.contains(&series.kind) && rule.matches_source(&series.source)
}

/// Whether a failing series belongs to a group.
pub fn in_group(rule: &Rule, group: &Group, series: &Series) -> bool {
    concerns(rule, series) && group.iter().all(|(d, v)| value_of(*d, series) == *v)
}

/// Whether a series of another kind (sends, deliveries) stands beside a group.
pub fn beside_group(rule: &Rule, group: &Group, series: &Series) -> bool {
    series.fate == Fate::Counted
        && rule.matches_source(&series.source)
        && rule.events.iter().any(|e| e.channel == series.kind.channel)
        && group.iter().filter(|(d, _)| tells_successes(**d)).all(|(d, v)| value_of(*d, series) == *v)
}

/// The minutes whose failing cells a judgement needs, when failures in [first, last] may be news.
pub fn span_around(rule: &Rule, first: Minute, last: Minute) -> Span {
    let window = minutes(rule.within());
    Span::new(first.plus(-window), last.plus(window + 1))
}

/// The kinds and minutes that a rate is taken of; `None` for a count rule.
pub fn denominator(rule: &Rule, span: Span) -> Option<(&[Kind], Span)> {
    let Condition::Rate { of, within, lag, .. } = &rule.condition else { return None };
    Some((of, Span::new(span.from.plus(-minutes(*within) - minutes(*lag)), span.to)))
}

/// Failures and sends of one rule, folded by group: what [`judge`] decides on.
pub struct Evidence {
    failing: BTreeMap<Group, Vec<Cell>>,
    /// Sends by the dimensions that successes have, and by minute.
    sends: BTreeMap<Group, BTreeMap<Minute, u64>>,
}

impl Evidence {
    /// Sorts cells by group; each series is looked at once, however many cells it has.
    pub fn of(rule: &Rule, failing: &[Cell]) -> Self {
        let mut groups: HashMap<*const Series, Option<Group>> = HashMap::new();
        let mut sorted: BTreeMap<Group, Vec<Cell>> = BTreeMap::new();
        for cell in failing {
            let group = groups
                .entry(Arc::as_ptr(&cell.series))
                .or_insert_with(|| concerns(rule, &cell.series).then(|| group_of(rule, &cell.series)));
            if let Some(group) = group {
                sorted.entry(group.clone()).or_default().push(cell.clone());
            }
        }
        Self { failing: sorted, sends: BTreeMap::new() }
    }

    /// Whether any group has failures enough that its rate is worth taking.
    pub fn may_be_rate(&self) -> bool {
        self.failing.values().any(|cells| cells.iter().map(|c| c.count).sum::<u64>() >= MIN_FAILURES)
    }

    /// Adds the cells of [`denominator`].
    pub fn with_sends(mut self, rule: &Rule, sends: &[Cell]) -> Self {
        let mut groups: HashMap<*const Series, Option<Group>> = HashMap::new();
        for cell in sends {
            let group = groups.entry(Arc::as_ptr(&cell.series)).or_insert_with(|| {
                beside_group(rule, &Group::new(), &cell.series).then(|| shared(&group_of(rule, &cell.series)))
            });
            if let Some(group) = group {
                *self.sends.entry(group.clone()).or_default().entry(cell.minute).or_default() += cell.count;
            }
        }
        self
    }

    /// Every group for which the rule is true in some window.
    pub fn judge(&self, rule: &Rule) -> Vec<Finding> {
        self.failing.iter().filter_map(|(group, cells)| self.judge_cells(rule, group, cells)).collect()
    }

    /// The same for one group, without the failures that earlier episodes spoke of: they are no news.
    pub fn judge_news(&self, rule: &Rule, group: &Group, episodes: &[Incident]) -> Option<Finding> {
        let window = minutes(rule.within());
        let spoken_for: Vec<Span> =
            episodes.iter().map(|e| Span::new(Minute::of(e.since).plus(-window), Minute::of(e.last).plus(1))).collect();
        let is_news = |cell: &&Cell| !spoken_for.iter().any(|span| span.contains(cell.minute));
        let cells: Vec<Cell> = self.failing.get(group)?.iter().filter(is_news).cloned().collect();
        self.judge_cells(rule, group, &cells)
    }

    fn judge_cells(&self, rule: &Rule, group: &Group, cells: &[Cell]) -> Option<Finding> {
        let none = BTreeMap::new();
        let sent = self.sends.get(&shared(group)).unwrap_or(&none);
        let found = true_windows(rule, cells, sent)?;
        let within: Vec<&Cell> = cells.iter().filter(|c| found.minutes.contains(&c.minute)).collect();
        let first = within.iter().map(|c| c.minute).min()?;
        let last = within.iter().map(|c| c.last).max()?;
        let mut by_series: BTreeMap<&Series, u64> = BTreeMap::new();
        for cell in &within {
            *by_series.entry(&*cell.series).or_default() += cell.count;
        }
        let mut series: Vec<(&Series, u64)> = by_series.into_iter().collect();
        series.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let series = series.into_iter().map(|(s, _)| s.clone()).collect();
        Some(Finding { group: group.clone(), count: found.count, of: found.of, first, last, series })
    }
}

/// The dimensions of a group that a success has too.
fn shared(group: &Group) -> Group {
    group.iter().filter(|(d, _)| tells_successes(**d)).map(|(d, v)| (*d, v.clone())).collect()
}

/// A success has no cause, and a metric of its own: those two do not tell where it belongs.
const fn tells_successes(dimension: Dimension) -> bool {
    !matches!(dimension, Dimension::Cause | Dimension::Metric)
}

struct TrueWindows {
    count: u64,
    of: u64,
    /// Minutes with failures that lie in some true window.
    minutes: BTreeSet<Minute>,
}

/// Slides a window that ends at each minute with failures; `None` when it is true nowhere.
fn true_windows(rule: &Rule, cells: &[Cell], sent: &BTreeMap<Minute, u64>) -> Option<TrueWindows> {
    let failures = by_minute(cells);
    let mut found: Option<TrueWindows> = None;
    for end in failures.keys() {
        // Minutes are our grain: a window of ten holds the last failure's minute and the ten before it, so that no
        // true window is missed; it may reach up to 59 s further back.
        let from = end.plus(-minutes(rule.within()));
        let count = sum(&failures, from, *end);
        let Some(of) = holds(&rule.condition, count, sent, from, *end) else { continue };
        let found = found.get_or_insert_with(|| TrueWindows { count: 0, of: 0, minutes: BTreeSet::new() });
        if count > found.count {
            (found.count, found.of) = (count, of);
        }
        found.minutes.extend(failures.range(from..=*end).map(|(m, _)| *m));
    }
    found
}

/// What the count is of, if the condition holds for it.
fn holds(condition: &Condition, count: u64, sent: &BTreeMap<Minute, u64>, from: Minute, end: Minute) -> Option<u64> {
    match condition {
        Condition::Count { at_least, .. } => (count >= *at_least).then_some(count),
        Condition::Rate { above, lag, .. } => {
            let lag = minutes(*lag);
            // Failures lag behind their sends: the larger of both windows, and never more failures than sends.
            let sends = sum(sent, from, end).max(sum(sent, from.plus(-lag), end.plus(-lag)));
            let of = sends.max(count);
            wilson::is_above(count, of, *above).then_some(of)
        }
    }
}

fn by_minute(cells: &[Cell]) -> BTreeMap<Minute, u64> {
    let mut counts = BTreeMap::new();
    for cell in cells {
        *counts.entry(cell.minute).or_default() += cell.count;
    }
    counts
}

fn sum(counts: &BTreeMap<Minute, u64>, from: Minute, end: Minute) -> u64 {
    counts.range(from..=end).map(|(_, n)| n).sum()
}

#[cfg(test)]
mod tests {
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
        rule(Condition::Rate { of, above: 0.05, within: hour, lag: hour }, &[Dimension::Source])
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
        let mut cells =
            [cell("14:00", "email_failed", "campaign:5", 3), cell("14:00", "email_failed", "campaign:5", 3)];
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
    }
}
