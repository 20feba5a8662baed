//! Failures by channel, with the limits of the rules; their causes; who refuses our mail.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{DAYS, last_dates};
use crate::config::Config;
use crate::config::reader::show_duration;
use crate::customerio::cause::CauseKey;
use crate::customerio::event::Kind;
use crate::customerio::metric::{self, Class};
use crate::customerio::provider::Provider;
use crate::message::providers;
use crate::rules::Condition;
use crate::summary::hours::Hours;
use crate::summary::{self, Row, Summary, is_failure};

/// Hours that are drawn, the last the one that goes on.
pub const HOURS: usize = 24;

/// An hour's rate is drawn over it and the two before: a few messages at night are no rate.
const SMOOTHED: usize = 3;

/// Causes that are named.
const CAUSES: usize = 8;

/// Providers that are named.
const PROVIDERS: usize = 10;

/// How many of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    pub count: u64,
    pub of: u64,
}

impl Share {
    /// As a fraction; `None` of nothing.
    pub fn rate(self) -> Option<f64> {
        (self.of > 0).then(|| (self.count as f64 / self.of as f64).min(1.0))
    }

    fn plus(self, other: Self) -> Self {
        Self { count: self.count + other.count, of: self.of + other.of }
    }
}

/// A metric of a channel that is trouble.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    pub metric: String,
    /// In the last 24 hours.
    pub day: Share,
    /// In the last 14 days.
    pub fortnight: Share,
    /// `sent` or `delivered`.
    pub taken_of: &'static str,
    /// Above which fraction a rule opens an incident, and its name.
    pub limit: Option<(f64, String)>,
    /// Where the rule counts: `3 in 10m (transactional-failing)`.
    pub counted: Option<String>,
    /// By hour, over [`SMOOTHED`] hours.
    pub hours: Vec<Share>,
    pub days: Vec<Share>,
}

impl Trouble {
    /// Whether the last 24 hours as a whole are above the limit.
    pub fn is_above(&self) -> bool {
        matches!((&self.limit, self.day.rate()), (Some((limit, _)), Some(rate)) if rate > *limit && self.day.count >= 7)
    }
}

/// A channel and its troubles.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    pub name: String,
    /// Sent in the last 24 hours.
    pub sent: u64,
    /// Failed for good in the last 24 hours.
    pub failed: u64,
    pub troubles: Vec<Trouble>,
}

/// A cause and how often it was seen in the last 24 hours.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    pub key: CauseKey,
    pub count: u64,
    pub kinds: Vec<(String, u64)>,
}

/// A mailbox provider and what it refused in the last 24 hours.
#[derive(Clone, Debug, PartialEq)]
pub struct AtProvider {
    /// `None`: all that are on no list.
    pub title: Option<&'static str>,
    pub refused: Share,
}

/// Counts of the last hours and days.
struct Counts {
    hours: [u64; HOURS + SMOOTHED - 1],
    days: [u64; DAYS],
}

/// Reads rows of the last days into hours and days.
struct Window<'a> {
    config: &'a Config,
    now: Timestamp,
    days: Vec<(Option<usize>, &'a Summary)>,
}

impl<'a> Window<'a> {
    fn new(config: &'a Config, before: &'a [Summary], today: &'a Summary, now: Timestamp) -> Self {
        let days = last_dates(today.date, DAYS).enumerate().filter_map(|(at, date)| {
            let summary = if date == today.date { Some(today) } else { super::workflows::of_date(before, date) };
            summary.map(|summary| (Some(at), summary))
        });
        Self { config, now, days: days.collect() }
    }

    fn sums<T: Ord + Clone + 'a>(&self, rows: impl Fn(&'a Summary) -> &'a [Row<T>]) -> BTreeMap<(Kind, T), Counts> {
        let zone = &self.config.workspace.zone;
        let mut sums: BTreeMap<(Kind, T), Counts> = BTreeMap::new();
        for (at, summary) in &self.days {
            let begun = summary::ends(summary.date, zone).0;
            // The hours of this day, counted back from the one that goes on.
            let ago_of_first = self.now.duration_since(begun).as_hours();
            for row in rows(summary) {
                let counts = sums
                    .entry((row.kind.clone(), row.by.clone()))
                    .or_insert(Counts { hours: [0; HOURS + SMOOTHED - 1], days: [0; DAYS] });
                let of_day = &row.hours;
                if let Some(day) = at.and_then(|at| counts.days.get_mut(at)) {
                    *day += of_day.sum();
                }
                if ago_of_first <= (24 + HOURS + SMOOTHED) as i64 {
                    counts.add_hours(of_day, ago_of_first);
                }
            }
        }
        sums
    }
}

impl Counts {
    fn add_hours(&mut self, hours: &Hours, ago_of_first: i64) {
        for (at, count) in hours.counts().enumerate() {
            let place = self.hours.len() as i64 - 1 - (ago_of_first - at as i64);
            if let Some(hour) = usize::try_from(place).ok().and_then(|place| self.hours.get_mut(place)) {
                *hour += count;
            }
        }
    }

    fn last_day(&self) -> u64 {
        self.hours.iter().skip(SMOOTHED - 1).sum()
    }
}

/// The channels of which anything was sent or failed, those that fail most first.
pub fn channels(config: &Config, before: &[Summary], today: &Summary, now: Timestamp) -> Vec<Channel> {
    let window = Window::new(config, before, today, now);
    let sums: BTreeMap<Kind, Counts> =
        window.sums(|summary| &summary.kinds[..]).into_iter().map(|((kind, ()), counts)| (kind, counts)).collect();
    let mut channels = Vec::new();
    for name in metric::CHANNELS {
        let ours: Vec<(&Kind, &Counts)> = sums.iter().filter(|(kind, _)| kind.channel == name).collect();
        if ours.is_empty() {
            continue;
        }
        let last_day = |kind: &Kind| sums.get(kind).map_or(0, Counts::last_day);
        let mut troubles: Vec<Trouble> = ours
            .iter()
            .filter(|(kind, _)| kind.row().is_some_and(|row| matches!(row.class, Class::Failure | Class::Transient)))
            .map(|(kind, counts)| trouble(config, kind, counts, &sums))
            .collect();
        troubles.sort_by_key(|trouble| (!trouble.is_above(), std::cmp::Reverse(trouble.day.count)));
        channels.push(Channel {
            name: name.to_owned(),
            sent: ours.iter().filter(|(kind, _)| kind.metric == "sent").map(|(kind, _)| last_day(kind)).sum(),
            failed: ours.iter().filter(|(kind, _)| is_failure(kind)).map(|(kind, _)| last_day(kind)).sum(),
            troubles,
        });
    }
    channels
        .sort_by_key(|channel| (!channel.troubles.iter().any(Trouble::is_above), std::cmp::Reverse(channel.failed)));
    channels
}

fn trouble(config: &Config, kind: &Kind, counts: &Counts, sums: &BTreeMap<Kind, Counts>) -> Trouble {
    let taken_of = kind.row().and_then(|row| row.rate_of).unwrap_or("sent");
    let of = sums.get(&kind.with_metric(taken_of));
    // What failed before it was sent is not among the sent.
    let apart = kind.paired_success().is_none_or(|paired| paired.metric == "sent");
    let share = |count: u64, of: u64| Share { count, of: if apart { of + count } else { of.max(count) } };
    let at = |counts: &[u64], place: usize| counts.get(place).copied().unwrap_or_default();
    let none = Counts { hours: [0; HOURS + SMOOTHED - 1], days: [0; DAYS] };
    let of = of.unwrap_or(&none);
    let hour = |at_hour: usize| share(at(&counts.hours, at_hour), at(&of.hours, at_hour));
    let smoothed = |last: usize| (0..SMOOTHED).map(|more| hour(last + more)).fold(Share::default(), Share::plus);
    let days: Vec<Share> = (0..DAYS).map(|day| share(at(&counts.days, day), at(&of.days, day))).collect();
    let rules = || config.rules.iter().filter(|rule| rule.events.contains(kind));
    let limit = rules().filter_map(|rule| match &rule.condition {
        Condition::Rate { above, .. } => Some((*above, rule.name.clone())),
        Condition::Count { .. } => None,
    });
    let counted = rules().find_map(|rule| match &rule.condition {
        Condition::Count { at_least, within } => {
            Some(format!("{at_least} in {} ({})", show_duration(*within), rule.name))
        }
        Condition::Rate { .. } => None,
    });
    Trouble {
        metric: kind.metric.replace('_', " "),
        day: share(counts.last_day(), of.last_day()),
        fortnight: days.iter().copied().fold(Share::default(), Share::plus),
        taken_of,
        limit: limit.min_by(|a, b| a.0.total_cmp(&b.0)),
        counted,
        hours: (0..HOURS).map(smoothed).collect(),
        days,
    }
}

/// What most failures of the last 24 hours are put down to.
pub fn causes(config: &Config, before: &[Summary], today: &Summary, now: Timestamp) -> Vec<Cause> {
    let mut causes: BTreeMap<CauseKey, Cause> = BTreeMap::new();
    for ((kind, key), counts) in Window::new(config, before, today, now).sums(|summary| &summary.causes[..]) {
        let count = counts.last_day();
        if count > 0 {
            let cause = causes.entry(key.clone()).or_insert(Cause { key, count: 0, kinds: Vec::new() });
            cause.count += count;
            cause.kinds.push((kind.to_string(), count));
        }
    }
    let mut causes: Vec<Cause> = causes.into_values().collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.count));
    causes.truncate(CAUSES);
    causes
}

/// Who bounced, deferred or dropped most of our mail in the last 24 hours.
pub fn at_providers(config: &Config, before: &[Summary], today: &Summary, now: Timestamp) -> Vec<AtProvider> {
    let mut shares: BTreeMap<Provider, Share> = BTreeMap::new();
    for ((kind, provider), counts) in Window::new(config, before, today, now).sums(|summary| &summary.providers[..]) {
        let share = shares.entry(provider).or_default();
        // Who is put off is asked again, and spam reports are taken of deliveries.
        let is_refused = providers::decides(&kind) && matches!(&*kind.metric, "bounced" | "dropped");
        if is_refused {
            share.count += counts.last_day();
        } else if kind.metric == "sent" {
            share.of += counts.last_day();
        }
    }
    let mut shares: Vec<AtProvider> = shares
        .into_iter()
        .map(|(provider, share)| AtProvider {
            title: provider.title(),
            refused: Share { of: share.of.max(share.count), ..share },
        })
        .filter(|at| at.refused.of > 0)
        .collect();
    shares.sort_by_key(|at| (at.title.is_none(), std::cmp::Reverse((at.refused.count, at.refused.of))));
    // Those on no list are last, and never cut off.
    let rest = shares.pop_if(|at| at.title.is_none());
    shares.truncate(PROVIDERS);
    shares.extend(rest);
    shares
}
