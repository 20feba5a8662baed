//! Routes: from an incident's labels to receivers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

/// What routes match on. Labels may hold several values: an incident can have several sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    Severity,
    Kind,
    Rule,
    Source,
    Owner,
    Channel,
    Metric,
    Cause,
}

impl Label {
    pub const ALL: [Label; 8] =
        [Self::Severity, Self::Kind, Self::Rule, Self::Source, Self::Owner, Self::Channel, Self::Metric, Self::Cause];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Severity => "severity",
            Self::Kind => "kind",
            Self::Rule => "rule",
            Self::Source => "source",
            Self::Owner => "owner",
            Self::Channel => "channel",
            Self::Metric => "metric",
            Self::Cause => "cause",
        }
    }
}

pub type Labels = BTreeMap<Label, Vec<String>>;

/// One condition of a route: the label has a value that one of the globs matches.
#[derive(Clone, Debug, PartialEq)]
pub struct Matcher {
    pub label: Label,
    pub globs: Vec<WildMatch>,
}

/// Local hours in which a route holds: `mon-fri 08:00-20:00`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Weekdays on which the span begins.
    pub days: Vec<Weekday>,
    pub from: Time,
    /// Not included; before `from` it lies on the next day.
    pub to: Time,
}

/// A route: labels to receivers.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    pub matchers: Vec<Matcher>,
    /// It holds in any of these; without any, always.
    pub hours: Vec<Hours>,
    pub receivers: Vec<String>,
    /// Later routes are looked at even when this one matched.
    pub goes_on: bool,
}

impl Matcher {
    /// Whether any value of the label is one of the configured ones.
    pub fn matches(&self, labels: &Labels) -> bool {
        let values = labels.get(&self.label).map_or(&[][..], Vec::as_slice);
        values.iter().any(|v| self.globs.iter().any(|g| g.matches(v)))
    }
}

impl Hours {
    fn hold(&self, now: Timestamp, zone: &TimeZone) -> bool {
        let local = zone.to_datetime(now);
        self.hold_at(local.weekday(), local.time())
    }

    /// Whether they hold at what the clock on the wall shows. When clocks go forward the hour that is left out never
    /// comes; when they go back an hour comes twice, and both times count.
    pub fn hold_at(&self, today: Weekday, time: Time) -> bool {
        let begins = |day: Weekday| self.days.contains(&day);
        if self.from < self.to {
            begins(today) && self.from <= time && time < self.to
        } else {
            (begins(today) && time >= self.from) || (begins(today.previous()) && time < self.to)
        }
    }
}

/// The receivers for labels at an instant, each once, in the routes' order: the first matching route's, and those
/// of the matching ones after it as long as they say `continue`.
pub fn receivers(routes: &[Route], labels: &Labels, now: Timestamp, zone: &TimeZone) -> Vec<String> {
    let mut chosen: Vec<String> = Vec::new();
    for route in routes {
        let holds = route.hours.is_empty() || route.hours.iter().any(|h| h.hold(now, zone));
        if !holds || !route.matchers.iter().all(|m| m.matches(labels)) {
            continue;
        }
        for name in &route.receivers {
            if !chosen.contains(name) {
                chosen.push(name.clone());
            }
        }
        if !route.goes_on {
            break;
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(Label, &[&str])]) -> Labels {
        pairs.iter().map(|(l, v)| (*l, v.iter().map(|v| v.to_string()).collect())).collect()
    }

    fn route(matchers: &[(Label, &[&str])], receivers: &[&str]) -> Route {
        Route {
            matchers: matchers
                .iter()
                .map(|(label, globs)| Matcher {
                    label: *label,
                    globs: globs.iter().map(|g| WildMatch::new(g)).collect(),
                })
                .collect(),
            hours: Vec::new(),
            receivers: receivers.iter().map(|r| r.to_string()).collect(),
            goes_on: false,
        }
    }

    fn pick(routes: &[Route], of: &Labels) -> Vec<String> {
        receivers(routes, of, Timestamp::UNIX_EPOCH, &TimeZone::UTC)
    }

    #[test]
    fn the_first_match_wins_and_the_last_route_is_the_default() {
        let routes = [route(&[(Label::Severity, &["critical"])], &["on-call"]), route(&[], &["lifecycle"])];
        assert_eq!(pick(&routes, &labels(&[(Label::Severity, &["critical"])])), ["on-call"]);
        assert_eq!(pick(&routes, &labels(&[(Label::Severity, &["warning"])])), ["lifecycle"]);
    }

    #[test]
    fn a_route_that_continues_adds_the_next_match_and_no_receiver_twice() {
        let mut first = route(&[(Label::Severity, &["critical"])], &["on-call", "lifecycle"]);
        first.goes_on = true;
        let routes = [first, route(&[], &["lifecycle", "audit"]), route(&[], &["never"])];
        assert_eq!(pick(&routes, &labels(&[(Label::Severity, &["critical"])])), ["on-call", "lifecycle", "audit"]);
    }

    #[test]
    fn all_matchers_must_match_and_any_value_or_glob_may() {
        let routes =
            [route(&[(Label::Source, &["campaign:9", "transactional:*"]), (Label::Owner, &["growth"])], &["a"])];
        let sources: &[&str] = &["campaign:5", "transactional:2"];
        assert_eq!(pick(&routes, &labels(&[(Label::Source, sources), (Label::Owner, &["growth"])])), ["a"]);
        assert!(pick(&routes, &labels(&[(Label::Source, sources)])).is_empty());
    }

    #[test]
    fn hours_hold_in_local_time_and_over_midnight() {
        let night =
            Hours { days: vec![Weekday::Monday], from: Time::constant(22, 0, 0, 0), to: Time::constant(6, 0, 0, 0) };
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        assert!(night.hold(at("2026-11-23T21:00:00Z"), &zone)); // Monday 22:00 in Berlin
        assert!(night.hold(at("2026-11-24T04:59:00Z"), &zone)); // Tuesday 05:59
        assert!(!night.hold(at("2026-11-24T05:00:00Z"), &zone)); // Tuesday 06:00
        assert!(!night.hold(at("2026-11-24T22:00:00Z"), &zone)); // Tuesday 23:00
    }
}
