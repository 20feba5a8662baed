//! The sections that are one table each.

use jiff::SignedDuration;

use super::places::{Places, Step};
use crate::config::Config;
use crate::config::reader::{Problem, show_duration};
use crate::config::schema::Storm;
use crate::heartbeat::Every;
use crate::incident::Severity;

/// Below this, being reminded is noise: nobody repairs anything faster.
const OFTEN: SignedDuration = SignedDuration::from_mins(5);

pub fn advise(config: &Config, places: &Places<'_>) {
    let at = |section, key| places.offset(&[Step::Key(section), Step::Key(key)]);
    let storm = &config.storm;
    if storm.repeat_every < OFTEN {
        let what = format!(
            "an open incident is spoken of again every {}: people mute that",
            show_duration(storm.repeat_every)
        );
        let fix = format!("some hours, for example {}", show_duration(Storm::default().repeat_every));
        places.report(at("storm", "repeat_every"), Problem::warning(what).fix(fix));
    }
    let mut severities = config.rules.iter().map(|r| r.severity).chain(config.heartbeats.iter().map(|h| h.severity));
    if !storm.group_wait.is_zero() && severities.all(|s| s == Severity::Critical) {
        let what = "\"group_wait\" has no effect: critical never waits, and every rule and heartbeat here is critical";
        let fix = "give what may wait a lower severity, or remove it";
        places.report(at("storm", "group_wait"), Problem::warning(what).fix(fix));
    }
    if config.workspace.timezone == "UTC"
        && let Some((section, what)) = local_time(config)
        && at("workspace", "timezone") == places.offset(&[Step::Key("workspace")])
    {
        let what = format!("{what} in local time, and no timezone is set: it is taken as UTC");
        let fix = "[workspace] with timezone = \"Europe/Berlin\", or \"UTC\" if that is meant";
        places.report(places.offset(&[Step::Key(section)]), Problem::warning(what).fix(fix));
    }
}

/// The first section that has times of day.
fn local_time(config: &Config) -> Option<(&'static str, &'static str)> {
    let has_by = |every| !matches!(every, Every::Hour | Every::Day { by: None } | Every::Week { by: None });
    if config.routes.iter().any(|r| !r.hours.is_empty()) {
        Some(("routes", "the hours of routes are"))
    } else if config.heartbeats.iter().any(|h| has_by(h.every)) {
        Some(("heartbeats", "heartbeats are due"))
    } else {
        config.digest.as_ref().map(|_| ("digest", "the digest comes"))
    }
}
