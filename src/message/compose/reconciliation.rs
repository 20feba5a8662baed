//! What is said when counts that should agree do not.

use jiff::civil::Date;

use super::{Parts, Telling, field};
use crate::customerio::event::Source;
use crate::incident::State;
use crate::message::About;
use crate::message::text::number;
use crate::message::words;
use crate::reconcile::compare::Leg;
use crate::runbook::kinds;

pub(super) fn parts(telling: &Telling<'_>, event: &str, source: &Source, date: Date, leg: Leg) -> Parts {
    let incident = telling.incident;
    let (got, expected) = (number(incident.numbers.count), number(incident.numbers.of));
    let day = date.strftime("%a %-d %b").to_string();
    let workflow = words::source(telling.config, &telling.facts.names, source);
    let what = match leg {
        Leg::Receiving => format!("{expected} were fired, Customer.io received {got}"),
        Leg::Entering => format!("{got} entered {workflow}, about {expected} were expected"),
        Leg::Sending => format!("{workflow} sent {got} messages, about {expected} were expected"),
    };
    let headline = match incident.state {
        State::Resolved { .. } => format!("{event}: the counts agree again"),
        State::Open => format!("{event} on {day}: {what}{}", telling.still_open_for(0)),
    };
    let about = About {
        sources: vec![source.to_string()],
        rule: Some("reconciliation".to_owned()),
        heartbeat: None,
        metric: Some(event.to_owned()),
        cause: Some(leg.as_str().to_owned()),
        count: incident.numbers.count,
        of: incident.numbers.of,
    };
    let mut fields = vec![field("Workflow", workflow), field("Day", day)];
    if incident.is_open() {
        fields.push(field("Where", leg.words().to_owned()));
    }
    let section = match leg {
        Leg::Receiving => &kinds::FIRED_TO_RECEIVED,
        Leg::Entering => &kinds::RECEIVED_TO_STARTED,
        Leg::Sending => &kinds::STARTED_TO_MESSAGES,
    };
    let lines = if incident.is_open() { incident.lines.clone() } else { Vec::new() };
    Parts { headline, about, fields, lines: Some(lines), ..Parts::of(section) }
}
