//! Is a rule true, for which groups, since when? Windows run over event time, whenever the events arrived.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::counts::Counts;
use super::rate::{MIN_LINGERING, Rate, Sends, Window};
use super::wilson::MIN_FAILURES;
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

/// The minutes whose failing cells are in the windows that end in a span.
pub fn windows_of(rule: &Rule, ends: Span) -> Span {
    Span::new(ends.from.plus(-minutes(rule.within())), ends.to)
}

/// The kinds and minutes of the near sends that failures in a span are a rate of; `None` for a count rule.
pub fn denominator(rule: &Rule, span: Span) -> Option<(&[Kind], Span)> {
    reaching(rule, span, |rate| rate.near_reach())
}

/// The same over the look-back: three days of minutes, so read it only to make sure.
pub fn look_back(rule: &Rule, span: Span) -> Option<(&[Kind], Span)> {
    reaching(rule, span, |rate| rate.far_reach())
}

fn reaching(rule: &Rule, span: Span, reach: impl Fn(&Rate) -> i64) -> Option<(&[Kind], Span)> {
    let Condition::Rate { of, .. } = &rule.condition else { return None };
    let rate = Rate::of(&rule.condition)?;
    Some((of, Span::new(span.from.plus(-reach(&rate)), span.to)))
}

/// Failures and sends of one rule, folded by group: what [`judge`] decides on.
pub struct Evidence {
    failing: BTreeMap<Group, Vec<Cell>>,
    /// Sends by the dimensions that successes have.
    sends: BTreeMap<Group, Counts>,
    looked_back: bool,
}

/// The latest window of a group that is above the limit to close at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The minute that it ends with.
    pub ends: Minute,
    /// The last failure in it.
    pub last: Timestamp,
    /// Whether sends of the look-back may yet show that it is calm.
    pub unclear: bool,
}

impl Evidence {
    /// Sorts cells by group.
    pub fn of(rule: &Rule, failing: &[Cell]) -> Self {
        let group = |series: &Series| concerns(rule, series).then(|| group_of(rule, series));
        let failing = sorted(failing, group, |cell| cell.clone()).collect();
        Self { failing, sends: BTreeMap::new(), looked_back: false }
    }

    /// Whether any group has failures enough that its rate is worth taking.
    pub fn may_be_rate(&self) -> bool {
        self.any_has(MIN_FAILURES)
    }

    /// Whether any group has failures enough to be above a limit to close at.
    pub fn may_linger(&self) -> bool {
        self.any_has(MIN_LINGERING)
    }

    fn any_has(&self, failures: u64) -> bool {
        self.failing.values().any(|cells| cells.iter().map(|c| c.count).sum::<u64>() >= failures)
    }

    /// Adds the cells of [`denominator`].
    pub fn with_sends(mut self, rule: &Rule, sends: &[Cell]) -> Self {
        let group =
            |series: &Series| beside_group(rule, &Group::new(), series).then(|| shared(&group_of(rule, series)));
        let counts = sorted(sends, group, |cell| (cell.minute, cell.count));
        self.sends = counts.map(|(group, counts)| (group, counts.into_iter().collect())).collect();
        self
    }

    /// Replaces them by the cells of [`look_back`].
    pub fn looking_back(self, rule: &Rule, sends: &[Cell]) -> Self {
        Self { looked_back: true, ..self.with_sends(rule, sends) }
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

    /// The latest of the windows that end in a span in which a group's rate is above the limit to close at.
    pub fn trouble(&self, rule: &Rule, group: &Group, ends: Span) -> Option<Trouble> {
        let rate = Rate::of(&rule.condition)?;
        let (cells, none) = (self.failing.get(group)?, Counts::default());
        let (failures, sends) = (by_minute(cells), self.sends(group, &none));
        let window = minutes(rule.within());
        for end in (ends.from.0..ends.to.0).rev().map(Minute) {
            let from = end.plus(-window);
            let stands = rate.stands(failures.sum(from, end), &sends, end);
            if stands == Window::Calm {
                continue;
            }
            let within = cells.iter().filter(|c| from <= c.minute && c.minute <= end);
            return Some(Trouble {
                ends: end,
                last: within.map(|c| c.last).max()?,
                unclear: stands == Window::Unclear,
            });
        }
        None
    }

    fn sends<'a>(&'a self, group: &Group, none: &'a Counts) -> Sends<'a> {
        Sends { counts: self.sends.get(&shared(group)).unwrap_or(none), looked_back: self.looked_back }
    }

    fn judge_cells(&self, rule: &Rule, group: &Group, cells: &[Cell]) -> Option<Finding> {
        let none = Counts::default();
        let found = true_windows(rule, cells, &self.sends(group, &none))?;
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

/// What to take of each cell, by group. A series is looked at once, however many cells it has.
fn sorted<T>(
    cells: &[Cell],
    group_of: impl Fn(&Series) -> Option<Group>,
    take: impl Fn(&Cell) -> T,
) -> impl Iterator<Item = (Group, Vec<T>)> {
    let mut places: HashMap<*const Series, Option<usize>> = HashMap::new();
    let mut named: BTreeMap<Group, usize> = BTreeMap::new();
    let mut taken: Vec<Vec<T>> = Vec::new();
    for cell in cells {
        let place = *places.entry(Arc::as_ptr(&cell.series)).or_insert_with(|| {
            let next = named.len();
            Some(*named.entry(group_of(&cell.series)?).or_insert(next))
        });
        let Some(place) = place else { continue };
        if taken.len() <= place {
            taken.resize_with(place + 1, Vec::new);
        }
        if let Some(taken) = taken.get_mut(place) {
            taken.push(take(cell));
        }
    }
    named.into_iter().map(move |(group, place)| (group, taken.get_mut(place).map(std::mem::take).unwrap_or_default()))
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
fn true_windows(rule: &Rule, cells: &[Cell], sends: &Sends) -> Option<TrueWindows> {
    let failures = by_minute(cells);
    let mut found: Option<TrueWindows> = None;
    for end in failures.all_minutes() {
        // Minutes are our grain: a window of ten holds the last failure's minute and the ten before it, so that no
        // true window is missed; it may reach up to 59 s further back.
        let from = end.plus(-minutes(rule.within()));
        let count = failures.sum(from, end);
        let Some(of) = holds(&rule.condition, count, sends, end) else { continue };
        let found = found.get_or_insert_with(|| TrueWindows { count: 0, of: 0, minutes: BTreeSet::new() });
        if count > found.count {
            (found.count, found.of) = (count, of);
        }
        found.minutes.extend(failures.minutes(from, end));
    }
    found
}

/// What the count is of, if the condition holds for it.
fn holds(condition: &Condition, count: u64, sends: &Sends, end: Minute) -> Option<u64> {
    match condition {
        Condition::Count { at_least, .. } => (count >= *at_least).then_some(count),
        Condition::Rate { .. } => Rate::of(condition)?.opens(count, sends, end),
    }
}

fn by_minute(cells: &[Cell]) -> Counts {
    cells.iter().map(|cell| (cell.minute, cell.count)).collect()
}

#[cfg(test)]
mod tests;
