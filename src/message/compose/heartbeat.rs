//! What a heartbeat's incident says.

use jiff::Timestamp;

use super::{Parts, Telling, field};
use crate::customerio::event::Source;
use crate::heartbeat::why::Why;
use crate::heartbeat::{Every, Expect, Heartbeat, Period};
use crate::incident::{How, Numbers, State};
use crate::message::{About, text, words};
use crate::runbook::{Section, kinds};

pub(super) fn parts(telling: &Telling<'_>, name: &str, source: &Source, period: Period, why: Option<&Why>) -> Parts {
    let Telling { incident, facts, config, .. } = *telling;
    let heartbeat = config.heartbeat(name);
    let Numbers { count, of } = incident.numbers;
    let low = count < of;
    let learned = heartbeat.is_some_and(|h| h.expect == Expect::Learned);
    let (bound, state) = match (low, learned) {
        (true, true) => ("about", "low"),
        (true, false) => ("at least", "low"),
        (false, true) => ("about", "high"),
        (false, false) => ("at most", "high"),
    };
    let beats = heartbeat.map_or_else(|| text::count("beat", count), |h| beats_in_words(h, count));
    let beats = if facts.approximate > 0 { format!("about {beats}") } else { beats };
    // Too many is known before the period is due.
    let until = if low { period.due } else { period.due.min(incident.opened_at) };
    let when = match heartbeat.map(|h| h.every).filter(|_| !learned) {
        None if learned => format!("from {} to {}", telling.clock(period.start), telling.clock(until)),
        every => period_in_words(telling, every, period, until),
    };
    let counted = format!("{beats} {when}, expected {bound} {}", text::number(of));
    let headline = match incident.state {
        State::Open => {
            let because = why.map(|why| format!(" ({})", short(why))).unwrap_or_default();
            format!("{name} is {state}{because}: {counted}{}", telling.still_open_for(0))
        }
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
    if facts.approximate > 0 {
        let runs = text::count("run", facts.approximate);
        fields.push(field("Approximate", format!("{runs} with an id that holds no time, counted once a day each")));
    }
    if let Some(late) = facts.settling.and_then(words::settling) {
        fields.push(field("Known", late));
    }
    if let Some(why) = why {
        fields.insert(1, field("Why", long(why)));
    }
    let section = section(why, low);
    // Fewer, not none: people who stay away do that too.
    let may_be_day_off = learned && low && count > 0 && matches!(why, None | Some(Why::FewerEnter { .. }));
    let steps = section.confirm.iter().chain(may_be_day_off.then_some(&DAY_OFF_STEP));
    let about = About {
        sources: vec![source.to_string()],
        rule: None,
        heartbeat: Some(name.to_owned()),
        metric: heartbeat.map(|h| h.event.to_string()),
        cause: Some(if low { "too_few" } else { "too_many" }.to_owned()),
        count,
        of,
    };
    let steps = steps.map(|step| (*step).to_owned()).collect();
    Parts { headline, about, fields, steps, ..Parts::of(section) }
}

/// Why it is low, for the first line.
const fn short(why: &Why) -> &'static str {
    match why {
        Why::Stopped { .. } => "stopped in Customer.io",
        Why::StartedNotSent { .. } => "started but not sent",
        Why::FewerEnter { .. } => "fewer people enter",
        Why::Unheard { .. } => "we are blind: it was sent, and we did not hear of it",
    }
}

fn long(why: &Why) -> String {
    let people = |n: u64| if n == 1 { "1 person".to_owned() } else { format!("{} people", text::number(n)) };
    match why {
        Why::Stopped { state } => format!("Customer.io says that the campaign is {state}"),
        Why::StartedNotSent { started } => {
            format!("{} entered as usual, Customer.io says, and little was sent", people(*started))
        }
        Why::FewerEnter { started, before: Some(before) } => {
            format!("{} entered, Customer.io says; a week before it was {}", people(*started), text::number(*before))
        }
        Why::FewerEnter { started, before: None } => format!("{} entered, Customer.io says", people(*started)),
        Why::Unheard { sent } => format!("Customer.io says that {} were sent", text::number(*sent)),
    }
}

/// What to do, by the reason as far as it is known.
const fn section(why: Option<&Why>, low: bool) -> &'static Section {
    match why {
        Some(Why::Stopped { .. }) => &kinds::HEARTBEAT_STOPPED,
        Some(Why::StartedNotSent { .. }) => &kinds::HEARTBEAT_STARTED_NOT_SENT,
        Some(Why::FewerEnter { .. }) => &kinds::HEARTBEAT_FEWER_ENTER,
        Some(Why::Unheard { .. }) => &kinds::HEARTBEAT_UNHEARD,
        None if low => &kinds::HEARTBEAT_LOW,
        None => &kinds::HEARTBEAT_HIGH,
    }
}

/// For a learned heartbeat.
const DAY_OFF_STEP: &str = "Was it a holiday or another day off? One that is not listed looks the same: list it under this heartbeat's except.";

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
