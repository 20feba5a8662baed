//! What is said when the canary does not come back.

use super::{Parts, Telling, field};
use crate::canary::{Leg, log::Back, quality};
use crate::incident::State;
use crate::message::{About, text};
use crate::runbook::kinds;

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
    let (name, section) = match leg {
        Leg::TrackApi { .. } => ("track_api", &kinds::CANARY_TRACK_API),
        Leg::Workflow => ("workflow", &kinds::CANARY_WORKFLOW),
        Leg::Processing => ("processing", &kinds::CANARY_PROCESSING),
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
    Parts { headline, about, fields, ..Parts::of(section) }
}

/// `3 s (healthy)`.
fn round_trip(back: &Back) -> String {
    format!("{} ({})", text::duration(back.took()), quality(back.took()))
}
