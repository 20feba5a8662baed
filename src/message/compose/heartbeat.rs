//! What a heartbeat's incident says.

use jiff::Timestamp;

use super::{Parts, Telling, field};
use crate::customerio::event::Source;
use crate::heartbeat::{Every, Heartbeat, Period};
use crate::incident::{How, Numbers, State};
use crate::message::{About, text, words};

pub(super) fn parts(telling: &Telling<'_>, name: &str, source: &Source, period: Period) -> Parts {
    let Telling { incident, facts, config, .. } = *telling;
    let heartbeat = config.heartbeat(name);
    let Numbers { count, of } = incident.numbers;
    let low = count < of;
    let (bound, state) = if low { ("at least", "low") } else { ("at most", "high") };
    let beats = heartbeat.map_or_else(|| text::count("beat", count), |h| beats_in_words(h, count));
    // Too many is known before the period is due.
    let until = if low { period.due } else { period.due.min(incident.opened_at) };
    let when = period_in_words(telling, heartbeat.map(|h| h.every), period, until);
    let counted = format!("{beats} {when}, expected {bound} {}", text::number(of));
    let headline = match incident.state {
        State::Open => format!("{name} is {state}: {counted}{}", telling.still_open_for(0)),
        State::Resolved { how: How::RuleGone, .. } => format!("{name} was {state}: {counted}"),
        State::Resolved { .. } => format!("{name} beats as it should again; it was {state}: {counted}"),
    };
    let mut fields = vec![
        field("Where", words::source(config, &facts.names, source)),
        field("Counted", format!("{beats} {when}")),
        field("Expected", format!("{bound} {}", text::number(of))),
        field("Period", format!("from {} to {}", telling.clock(period.start), telling.clock_in_zone(until))),
        field("Heartbeat", name.to_owned()),
    ];
    if let Some(click) = words::where_to_click(config, &facts.names, source) {
        fields.push(field("In Customer.io", click));
    }
    let steps = if low { LOW_STEPS } else { HIGH_STEPS };
    let about = About {
        sources: vec![source.to_string()],
        rule: None,
        heartbeat: Some(name.to_owned()),
        metric: heartbeat.map(|h| h.event.to_string()),
        cause: Some(if low { "too_few" } else { "too_many" }.to_owned()),
        count,
        of,
    };
    Parts { headline, about, fields, steps: steps.iter().map(|s| (*s).to_owned()).collect(), ..Parts::default() }
}

/// The path that experienced people walk when a workflow is quiet.
const LOW_STEPS: &[&str] = &[
    "Open the workflow in Customer.io: is it running, or was it stopped or left in draft?",
    "Look at its people: do fewer enter than usual? Then the trigger event or a filter changed, or the event was renamed upstream.",
    "If people enter and nothing is sent: look for drafts that wait for approval, and for failed or undeliverable messages.",
    "Ask who deployed the backend since the last good period: does it still send the trigger event under the same name?",
];

const HIGH_STEPS: &[&str] = &[
    "Look at the workflow's people in Customer.io: does somebody enter more often than once?",
    "Look for an import or a back-fill that replays old events.",
];

fn beats_in_words(heartbeat: &Heartbeat, count: u64) -> String {
    format!("{} {}", text::count(words::noun(&heartbeat.event.channel), count), words::verb(&heartbeat.event))
}

/// The part of a period that was counted, in words.
fn period_in_words(telling: &Telling<'_>, every: Option<Every>, period: Period, until: Timestamp) -> String {
    let zone = &telling.config.workspace.zone;
    let end = zone.to_datetime(until);
    match every {
        Some(Every::Hour) => format!("from {} to {}", telling.clock(period.start), end.strftime("%H:%M")),
        Some(Every::Week { .. }) => format!("in the week to {}", end.strftime("%a %-d %b %H:%M")),
        Some(Every::Day { .. }) | None => {
            let day = zone.to_datetime(period.start).strftime("%a %-d %b");
            let by = if until == period.end { String::new() } else { format!(" by {}", end.strftime("%H:%M")) };
            format!("on {day}{by}")
        }
    }
}
