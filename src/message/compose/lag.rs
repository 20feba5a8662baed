//! What is said when most events come late.

use jiff::SignedDuration;

use super::{Parts, Telling, field};
use crate::incident::{Numbers, State};
use crate::message::{About, text, words};
use crate::runbook::kinds;
use crate::tally::lag::WINDOW_MINUTES;

pub(super) fn parts(telling: &Telling<'_>, median_s: u32) -> Parts {
    let Telling { incident, facts, .. } = telling;
    let Numbers { count: late, of: events } = incident.numbers;
    let since = telling.clock(incident.since);
    let median = words::lateness(SignedDuration::from_secs(i64::from(median_s)));
    let of = format!("median of {}", text::count("event", events));
    let headline = match incident.state {
        State::Open => format!("Events arrive {median} ({of} since {since}){}", telling.still_open_for(0)),
        State::Resolved { at, .. } => {
            let until = telling.clock(at);
            format!("Events arrive in time again; they came {median} ({of}) from {since} to {until}")
        }
    };
    let about = About {
        sources: vec!["all".to_owned()],
        rule: Some("lag".to_owned()),
        heartbeat: None,
        metric: Some("all".to_owned()),
        cause: Some("coming_late".to_owned()),
        count: late,
        of: events,
    };
    let of_them = |late, events| format!("{} of {}", text::number(late), text::count("event", events));
    let mut fields = vec![
        field("Since", telling.since()),
        field("Late", format!("{} came 2 min late or later", of_them(late, events))),
    ];
    if let Some(window) = facts.lag.filter(|window| incident.is_open() && window.events > 0) {
        let now = words::lateness(window.median());
        fields.push(field(
            "Now",
            format!(
                "{now}, in the median of the last {WINDOW_MINUTES} min; {} late",
                of_them(window.late, window.events)
            ),
        ));
    }
    if incident.is_open() {
        let means = "Alerts come that much later, and no heartbeat is low meanwhile. Nothing is lost.";
        fields.push(field("Means", means.to_owned()));
    }
    Parts { headline, about, fields, ..Parts::of(&kinds::LAG) }
}
