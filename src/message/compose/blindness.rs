//! What is said when nothing arrives.

use super::{Parts, Telling, field};
use crate::incident::State;
use crate::message::About;
use crate::runbook::kinds;

pub(super) fn parts(telling: &Telling<'_>) -> Parts {
    let Telling { incident, facts, .. } = telling;
    let since = telling.clock(incident.since);
    let headline = match incident.state {
        State::Open if facts.coming_late => {
            format!("Nothing has arrived in time since {since}: events come, but late, so nothing can be judged")
        }
        State::Open => format!("Nothing has arrived since {since}: everything stopped, or we no longer hear"),
        State::Resolved { .. } => {
            let until = telling.clock(incident.last);
            format!("Events arrive again; nothing had arrived from {since} to {until}")
        }
    };
    let about = About {
        sources: vec!["all".to_owned()],
        rule: Some("blindness".to_owned()),
        heartbeat: None,
        metric: Some("all".to_owned()),
        cause: Some(if facts.coming_late { "coming_late" } else { "nothing_arrives" }.to_owned()),
        count: incident.numbers.count,
        of: incident.numbers.of,
    };
    let mut fields = vec![field("Since", telling.since())];
    if incident.is_open() {
        fields.push(field("Means", "No workflow can be judged meanwhile, and no incident resolves.".to_owned()));
    }
    if let Some(missing) =
        facts.canary.as_ref().and_then(|canary| canary.missing.as_ref()).filter(|_| incident.is_open())
    {
        fields.push(field("Canary", format!("late since {}: {}", telling.clock(missing.since), missing.leg.words())));
    }
    Parts { headline, about, fields, ..Parts::of(&kinds::BLINDNESS) }
}
