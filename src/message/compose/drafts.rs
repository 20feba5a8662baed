//! What is said of drafts that nobody sends.

use std::collections::BTreeSet;

use super::{Parts, Telling, field, label};
use crate::customerio::event::{Source, SourceKind};
use crate::incident::{How, State};
use crate::message::{About, text, words};
use crate::route::Label;
use crate::runbook::kinds;

pub(super) fn parts(telling: &Telling<'_>, source: &Source) -> Parts {
    let Telling { incident, facts, config, .. } = *telling;
    let numbers = facts.numbers().filter(|_| incident.is_open()).unwrap_or(incident.numbers);
    let count = numbers.count.max(incident.numbers.count);
    let noun = match label(incident, Label::Channel) {
        [one] => words::noun(one),
        _ => "message",
    };
    let place = words::source(config, &facts.names, source);
    let since = telling.clock(incident.since);
    let messages = text::count(noun, count);
    let headline = match incident.state {
        State::Open => {
            let why = match source.kind {
                SourceKind::Transactional => "it queues drafts",
                _ => "the action is in Queue Draft",
            };
            let long = telling.still_open_for(count.saturating_sub(incident.numbers.count));
            format!("{messages} of {place} wait as drafts since {since} and none was sent: {why}{long}")
        }
        State::Resolved { how: How::Recovered, .. } => {
            format!("Drafts of {place} are sent; {messages} had waited since {since}")
        }
        State::Resolved { .. } => {
            format!("No new drafts of {place}; {messages} of {since} and later were not seen sent")
        }
    };
    let metrics = label(incident, Label::Metric).join(", ");
    let about = About {
        sources: vec![source.to_string()],
        rule: Some("drafts".to_owned()),
        heartbeat: None,
        metric: Some(metrics.clone()),
        cause: Some("never_sent".to_owned()),
        count,
        of: numbers.of.max(count),
    };
    let actions: BTreeSet<&str> = facts.failing.iter().filter_map(|t| t.series.action.as_deref()).collect();
    let mut fields = vec![
        field("Where", place),
        field("Since", telling.since()),
        field("Drafts", format!("{} {metrics}", text::number(count))),
    ];
    if !actions.is_empty() {
        fields.push(field("Actions", Vec::from_iter(actions).join(", ")));
    }
    if let Some(click) = words::where_to_click(config, &facts.names, source) {
        fields.push(field("In Customer.io", click));
    }
    let mut steps = Vec::new();
    if !facts.unheard.is_empty() {
        let unheard: Vec<String> = facts.unheard.iter().map(ToString::to_string).collect();
        let unheard = unheard.join(", ");
        steps.push(format!(
            "No {unheard} has arrived from anywhere for a week: tick it in the reporting webhook, else nobody sees here that drafts are sent."
        ));
    }
    let setting = match source.kind {
        SourceKind::Transactional => {
            "Open the transactional message's settings: if nobody means to approve each message, turn off that it queues drafts."
        }
        _ => {
            "Open the workflow's action: if nobody means to approve each message, set its sending behavior from Queue Draft to Send Automatically."
        }
    };
    steps.push(setting.to_owned());
    steps.push("Look at the drafts that wait: send those that are still wanted, delete the others.".to_owned());
    steps.push(format!(
        "If this is meant, mute it: bridge silence add kind=drafts source={source} --for 30d --reason '...'; for good, route kind = \"drafts\" elsewhere or ignore the source."
    ));
    Parts {
        headline,
        about,
        fields,
        steps,
        more: count.saturating_sub(incident.numbers.count),
        ..Parts::of(&kinds::DRAFTS)
    }
}
