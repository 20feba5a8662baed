//! What a configuration does, in words.

use jiff::{Timestamp, ZonedDateTime};
use wildmatch::WildMatch;

use crate::config::Config;
use crate::config::parse;
use crate::config::parse::hours::{day_name, show_hours};
use crate::config::reader::show_duration;
use crate::config::schema::{Ignore, NamedSource, ReceiverConfig, ReceiverKind, SnsFormat, Storm};
use crate::customerio::app_api::names::Names;
use crate::heartbeat::{Every, Expect, Heartbeat, period};
use crate::message::words;
use crate::route::{Matcher, Route};
use crate::rules::Rule;

/// The summary, one block a section.
pub fn of(config: &Config, now: Timestamp) -> String {
    let mut text =
        format!("Workspace {}, {}; configuration {}\n", config.workspace.name, config.workspace.timezone, config.hash);
    let mut block = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            text.push_str(&format!("\n{title}\n"));
            lines.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
        }
    };
    block("Sources", config.sources.iter().map(|s| source(s, config)).collect());
    block("Receivers", config.receivers.iter().map(receiver).collect());
    // What goes on to the next route leaves everything for it.
    let takes = |at: usize| config.routes.iter().take(at).any(|route| !route.goes_on);
    let first = |at: usize| if takes(at) { "everything else" } else { "everything" };
    block("Routes", config.routes.iter().enumerate().map(|(at, r)| route(r, first(at))).collect());
    let are_defaults = config.rules == parse::default_rules();
    let rules = if are_defaults { "Rules (the file has none: these defaults hold)" } else { "Rules" };
    block(rules, config.rules.iter().map(rule).collect());
    let now = now.to_zoned_datetime(config.workspace.zone.clone());
    block("Heartbeats", config.heartbeats.iter().map(|h| heartbeat(h, config, &now)).collect());
    block("Ignored (counted and shown, never an alert)", ignored(&config.ignore));
    block("Open incidents", open_incidents(&config.storm));
    let digest = config.digest.iter();
    block(
        "Digest",
        digest.map(|d| format!("daily at {}: {}", d.at.strftime("%H:%M"), d.receivers.join(", "))).collect(),
    );
    let canary = config.canary.iter().map(|c| {
        let every = show_duration(c.every);
        format!(
            "{} for the profile {} every {every}, answered by campaign {}; {}",
            c.event,
            c.profile,
            c.campaign,
            c.severity.as_str()
        )
    });
    block("Canary", canary.collect());
    if config.privacy.show_personal_data {
        block("Personal data", vec!["shown: addresses, numbers and ids in texts of the sender are not masked".into()]);
    }
    text
}

fn source(source: &NamedSource, config: &Config) -> String {
    let owner = source.owner.as_ref().map(|owner| format!(", owned by {owner}")).unwrap_or_default();
    words::source(config, &Names::default(), &source.id) + &owner
}

fn ignored(ignore: &Ignore) -> Vec<String> {
    let line = |what: &str, globs: &[WildMatch]| {
        let patterns: Vec<_> = globs.iter().map(WildMatch::pattern).collect();
        (!patterns.is_empty()).then(|| format!("{what} {}", patterns.join(", ")))
    };
    [line("messages to", &ignore.recipients), line("messages from", &ignore.sources)].into_iter().flatten().collect()
}

fn open_incidents(storm: &Storm) -> Vec<String> {
    let repeat = show_duration(storm.repeat_every);
    let update = show_duration(storm.update_every);
    let mut lines = vec![
        format!("spoken of again every {repeat}; where a message can be edited, new numbers every {update}"),
        format!("more than {} at once are named together in one roll-up", storm.open_incidents),
    ];
    if !storm.group_wait.is_zero() {
        let wait = show_duration(storm.group_wait);
        lines.push(format!("what is not critical waits {wait} for its group to fill"));
    }
    lines
}

fn receiver(receiver: &ReceiverConfig) -> String {
    let how = match &receiver.kind {
        ReceiverKind::PagerDuty { .. } => "pagerduty".to_owned(),
        ReceiverKind::SlackWebhook { .. } => "slack, by webhook".to_owned(),
        ReceiverKind::SlackBot { channel, .. } => format!("slack, by bot in {channel}"),
        ReceiverKind::Sns { format: SnsFormat::Chat, .. } => "sns, for chat".to_owned(),
        ReceiverKind::Sns { .. } => "sns".to_owned(),
        ReceiverKind::Console => "console".to_owned(),
    };
    let fallback = receiver.fallback.as_ref().map(|f| format!("; falls back on {f}")).unwrap_or_default();
    format!("{}: {how}{fallback}", receiver.name)
}

fn route(route: &Route, everything: &str) -> String {
    let matcher = |m: &Matcher| {
        let values: Vec<_> = m.globs.iter().map(|g| g.pattern()).collect();
        format!("{} {}", m.label.as_str(), values.join(" or "))
    };
    let conditions: Vec<_> = route.matchers.iter().map(matcher).collect();
    let what = if conditions.is_empty() { everything.to_owned() } else { conditions.join(" and ") };
    let hours: Vec<_> = route.hours.iter().map(show_hours).collect();
    let hours = if hours.is_empty() { String::new() } else { format!(", {}", hours.join(" or ")) };
    let goes_on = if route.goes_on { ", and on to the next route" } else { "" };
    format!("{what}{hours} -> {}{goes_on}", route.receivers.join(", "))
}

fn rule(rule: &Rule) -> String {
    let sources: Vec<_> = rule.sources.iter().map(|g| g.pattern()).collect();
    let from = if sources.is_empty() { String::new() } else { format!(", from {}", sources.join(", ")) };
    let by: Vec<_> = rule.group_by.iter().map(|d| d.as_str()).collect();
    let by = if by.is_empty() { String::new() } else { format!(", by {}", by.join(" and ")) };
    let quiet = show_duration(rule.quiet_for());
    format!(
        "{}: {} on {}{from}{by}; over after {quiet} of quiet",
        rule.name,
        rule.severity.as_str(),
        words::condition(rule)
    )
}

fn heartbeat(heartbeat: &Heartbeat, config: &Config, now: &ZonedDateTime) -> String {
    let expect = match heartbeat.expect {
        Expect::Between { at_least: Some(least), at_most: Some(most) } => format!("{least} to {most}"),
        Expect::Between { at_least: Some(least), at_most: None } => format!("at least {least}"),
        Expect::Between { at_least: None, at_most: Some(most) } => format!("at most {most}"),
        Expect::Between { at_least: None, at_most: None } | Expect::Learned => "the usual number of".into(),
    };
    let every = match heartbeat.every {
        Every::Hour => "an hour".into(),
        Every::Day { by: None } => "a day".into(),
        Every::Day { by: Some(by) } => format!("a day by {}", by.strftime("%H:%M")),
        Every::Week { by: None } => "a week".into(),
        Every::Week { by: Some((day, by)) } => format!("a week by {} {}", day_name(day), by.strftime("%H:%M")),
    };
    let action = heartbeat.action.as_ref().map(|a| format!(" of action {a}")).unwrap_or_default();
    let due = match next_due(heartbeat, now) {
        _ if heartbeat.expect == Expect::Learned => "judged every 5 min, once 14 days are known".into(),
        Some(due) => format!("next due {}", due.strftime("%a %Y-%m-%d %H:%M")),
        None => "never due".into(),
    };
    let source = words::source(config, &Names::default(), &heartbeat.source);
    let except: Vec<_> = heartbeat.except.iter().map(|date| date.to_string()).collect();
    let except = if except.is_empty() { String::new() } else { format!(", not on {}", except.join(", ")) };
    format!(
        "{}: {source}, {expect} {}{action} {every}{except}, {}; {due}",
        heartbeat.name,
        heartbeat.event,
        heartbeat.severity.as_str()
    )
}

/// How many exceptions in a row are looked past for the next due time: a year of days.
const PERIODS_AHEAD: usize = 366;

/// The next instant a period is due, after `now`, of a period that does not begin on an excepted date.
fn next_due(heartbeat: &Heartbeat, now: &ZonedDateTime) -> Option<ZonedDateTime> {
    let zone = now.time_zone();
    let first = period::containing(heartbeat.every, now.timestamp(), zone);
    let periods = std::iter::successors(Some(first), |p| Some(period::after(heartbeat.every, *p, zone)));
    periods
        .take(PERIODS_AHEAD)
        .find(|p| p.due > now.timestamp() && !heartbeat.except.contains(&period::date_of(*p, zone)))
        .map(|p| p.due.to_zoned_datetime(zone.clone()))
}
