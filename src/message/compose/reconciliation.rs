//! What is said when counts that should agree do not.

use jiff::civil::Date;

use super::{Parts, Telling, field};
use crate::customerio::event::Source;
use crate::incident::State;
use crate::message::About;
use crate::message::text::number;
use crate::message::words;
use crate::reconcile::compare::Leg;

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
    let steps = match leg {
        Leg::Receiving => RECEIVING_STEPS,
        Leg::Entering => ENTERING_STEPS,
        Leg::Sending => SENDING_STEPS,
    };
    let steps = steps.iter().map(|step| (*step).to_owned()).collect();
    let lines = if incident.is_open() { incident.lines.clone() } else { Vec::new() };
    Parts { headline, about, fields, steps, lines: Some(lines), ..Parts::default() }
}

const RECEIVING_STEPS: &[&str] = &[
    "Look at the backend's log for answers other than 200 of the Track API, and for events that are not retried.",
    "Customer.io > Data & Integrations > Activity Logs: filter by the event's name; is it written so?",
    "Were some counts reported late? `bridge count` sends them again, each once.",
];

const ENTERING_STEPS: &[&str] = &[
    "Customer.io > Journeys > Campaigns > the workflow: does it run, and does its trigger have exactly this name?",
    "`bridge diagnose --person ID --campaign N` says for one person why they did not enter.",
];

const SENDING_STEPS: &[&str] = &[
    "Customer.io > Journeys > Campaigns > the workflow: do its steps send automatically, and where do people leave?",
    "`bridge diagnose --person ID --campaign N` says for one person why nothing was sent.",
];
