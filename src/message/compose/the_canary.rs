//! What is said when the canary does not come back.

use super::{Parts, Telling, field};
use crate::canary::{Leg, log::Back, quality};
use crate::incident::State;
use crate::message::{About, text};

pub(super) fn parts(telling: &Telling<'_>, leg: &Leg) -> Parts {
    let Telling { incident, facts, .. } = telling;
    let since = telling.clock(incident.since);
    let back = facts.canary.as_ref().and_then(|canary| canary.back);
    let headline = match incident.state {
        State::Open => format!("The canary is late: none sent since {since} has come back; {}", leg.words()),
        State::Resolved { .. } => {
            let took = back.map(|back| format!(", after {}", round_trip(&back))).unwrap_or_default();
            format!("The canary comes back again{took}; it had not from {since} to {}", telling.clock(incident.last))
        }
    };
    let (name, steps) = match leg {
        Leg::TrackApi { .. } => ("track_api", TRACK_STEPS),
        Leg::Workflow => ("workflow", WORKFLOW_STEPS),
        Leg::Processing => ("processing", PROCESSING_STEPS),
    };
    let about = About {
        sources: vec!["canary".to_owned()],
        rule: Some("canary".to_owned()),
        heartbeat: None,
        metric: Some("all".to_owned()),
        cause: Some(name.to_owned()),
        count: incident.numbers.count,
        of: incident.numbers.of,
    };
    let mut fields = vec![field("Since", telling.since())];
    if incident.is_open() {
        let last = match back {
            Some(back) => format!("{} at {}", round_trip(&back), telling.clock(back.arrived)),
            None => "none yet: is the workflow set up?".to_owned(),
        };
        fields.push(field("Last round trip", last));
        let means = match leg {
            Leg::Processing => "Alerts may be late: events wait inside this bridge.",
            Leg::TrackApi { .. } => "The canary shows nothing meanwhile; other events cover as ever.",
            Leg::Workflow => "Late is not lost: Customer.io may be behind. What comes late is counted when it comes.",
        };
        fields.push(field("Means", means.to_owned()));
    }
    Parts { headline, about, fields, steps: steps.iter().map(|s| (*s).to_owned()).collect(), ..Parts::default() }
}

/// `3 s (healthy)`.
fn round_trip(back: &Back) -> String {
    format!("{} ({})", text::duration(back.took()), quality(back.took()))
}

const TRACK_STEPS: &[&str] = &[
    "status.customer.io: does the Track API have trouble?",
    "Customer.io > Settings > API credentials > Track API keys: does the key still stand there? `bridge check --live` says whether it is set here.",
    "Is `region` of [customerio] the workspace's?",
];

const WORKFLOW_STEPS: &[&str] = &[
    "status.customer.io: is there a delay? Then it comes back by itself.",
    "Customer.io > People > the canary's profile > Activity: did the event arrive, and was a message sent for it?",
    "Is the canary's workflow running, may people enter it every time, and is its message set to send automatically?",
    "Customer.io > Integrations > Reporting Webhooks: is the webhook enabled, and does it send the message's `sent` event?",
];

const PROCESSING_STEPS: &[&str] = &[
    "Look at evaluate's log, and at its queue's dead letters: `bridge redrive` lists them.",
    "Under `bridge serve`: is the data folder's disk full? The log says `evaluate_failed`.",
];
