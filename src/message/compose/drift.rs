//! What is said when somebody changed in Customer.io what the bridge depends on.

use super::{Parts, Telling, field};
use crate::drift::Drift;
use crate::incident::State;
use crate::message::About;
use crate::runbook::kinds;

pub(super) fn parts(telling: &Telling<'_>, what: Drift) -> Parts {
    let incident = telling.incident;
    let findings = &incident.lines;
    let first = findings.first().map_or("", String::as_str);
    let more = match findings.len() {
        0 | 1 => String::new(),
        n => format!(", and {} more", n - 1),
    };
    let open = match what {
        Drift::Subscription => "The reporting webhook in Customer.io is not as it must be",
        Drift::Stopped => "A workflow with a heartbeat does not run",
        Drift::Trigger => "Somebody changed what starts a workflow",
        Drift::QueueDraft => "A transactional message queues drafts: nothing is sent until a person approves",
    };
    let over = match what {
        Drift::Subscription => Some("The reporting webhook in Customer.io is as it must be again"),
        Drift::Stopped => Some("The workflows with a heartbeat run again"),
        // It is said once, and is what holds from then on.
        Drift::Trigger => None,
        Drift::QueueDraft => Some("No transactional message queues drafts any more"),
    };
    let headline = match (incident.state, over) {
        (State::Resolved { .. }, Some(over)) => over.to_owned(),
        _ => format!("{open}: {first}{more}{}", telling.still_open_for(0)),
    };
    let about = About {
        sources: vec!["customerio".to_owned()],
        rule: Some("drift".to_owned()),
        heartbeat: None,
        metric: Some("all".to_owned()),
        cause: Some(what.as_str().to_owned()),
        count: incident.numbers.count,
        of: incident.numbers.of,
    };
    let means = match what {
        Drift::Subscription => "What is not sent here is not counted: rules stay quiet, and heartbeats look low.",
        Drift::Stopped => "Nobody enters it, so it sends nothing.",
        Drift::Trigger => "If the backend still fires the old name, or people are in the old segment, nobody enters.",
        Drift::QueueDraft => "The API answers yes, and the message waits as a draft.",
    };
    let mut fields = vec![field("Seen", telling.since())];
    if incident.is_open() || what == Drift::Trigger {
        fields.push(field("Means", means.to_owned()));
    }
    let section = match what {
        Drift::Subscription => &kinds::DRIFT_SUBSCRIPTION,
        Drift::Stopped => &kinds::DRIFT_STOPPED,
        Drift::Trigger => &kinds::DRIFT_TRIGGER,
        Drift::QueueDraft => &kinds::DRIFT_QUEUE_DRAFT,
    };
    // One finding stands in the headline.
    let lines = if findings.len() > 1 { findings.clone() } else { Vec::new() };
    Parts { headline, about, fields, lines: Some(lines), ..Parts::of(section) }
}
