//! What a roll-up says; [`crate::message::roll_up`] names its incidents.

use super::{Parts, Telling, field, label};
use crate::message::{About, text};
use crate::route::Label;

pub(super) fn parts(telling: &Telling<'_>, members: u64) -> Parts {
    let Telling { incident, phase, facts, .. } = *telling;
    let open = if phase.is_over() { 0 } else { facts.members_open.unwrap_or(members) };
    let opened = telling.clock(incident.opened_at);
    let what = text::count("more incident", members);
    let first = incident.lines.first().map_or_else(String::new, |line| format!(": {line}"));
    let headline = match open {
        0 => format!("{what} of {opened}, told together: none is open any more"),
        n if n < members => format!("{what} of {opened}, told together: {} still open", text::number(n)),
        _ => format!("{what} opened by {opened}, told together{first}"),
    };
    let joined = |label| Some(self::label(incident, label).join(",")).filter(|values| !values.is_empty());
    let about = About {
        sources: label(incident, Label::Source).to_vec(),
        rule: joined(Label::Rule),
        heartbeat: None,
        metric: joined(Label::Metric),
        cause: joined(Label::Cause),
        count: open,
        of: members,
    };
    let fields = vec![
        field("Open", format!("{} of {}", text::number(open), text::number(members))),
        field("First trouble", telling.clock_in_zone(incident.since)),
        field("Why together", WHY.to_owned()),
    ];
    let steps = STEPS.iter().map(|s| (*s).to_owned()).collect();
    Parts { headline, about, fields, steps, ..Parts::default() }
}

const WHY: &str = "more are open, or wait for this receiver, than can be told one by one (storm.open_incidents)";

const STEPS: &[&str] = &[
    "Look for what these have in common: one provider, one cause, one change. One outage often looks like many.",
    "If each campaign is an incident of its own here, let the rule group by cause: group_by = [\"cause\"].",
];
