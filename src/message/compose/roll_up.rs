//! What a roll-up says; [`crate::message::roll_up`] names its incidents.

use super::{Parts, Telling, field, label};
use crate::incident::Incident;
use crate::message::{About, roll_up, text};
use crate::route::Label;
use crate::runbook::kinds;

pub(super) fn parts(telling: &Telling<'_>, members: u64) -> Parts {
    let Telling { incident, phase, facts, .. } = *telling;
    let still: Option<Vec<&Incident>> = facts.members_open.as_ref().map(|open| open.iter().collect());
    let open = match &still {
        _ if phase.is_over() => 0,
        Some(still) => still.len() as u64,
        None => members,
    };
    let opened = telling.clock(incident.opened_at);
    let what = text::count("more incident", members);
    // Those that are left, within the room that all of them took.
    let room = incident.lines.iter().map(|line| line.chars().count() + 1).sum();
    let lines = still.filter(|_| open < members && open > 0);
    let lines = lines.map(|still| roll_up::lines(telling.config, &facts.names, &still, room));
    let first = incident.lines.first().map_or_else(String::new, |line| format!(": {}", as_many_as_fit(line)));
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
    Parts { headline, about, fields, lines, ..Parts::of(&kinds::ROLL_UP) }
}

/// Characters of names that stand in the headline.
const HEADLINE_NAMES: usize = 150;

/// A line cut between two names.
fn as_many_as_fit(line: &str) -> String {
    if line.chars().count() <= HEADLINE_NAMES {
        return line.to_owned();
    }
    let mut fit = String::new();
    for name in line.split_inclusive("; ") {
        if fit.chars().count() + name.chars().count() > HEADLINE_NAMES {
            break;
        }
        fit.push_str(name);
    }
    format!("{} …", fit.trim_end_matches("; "))
}

const WHY: &str = "more are open, or wait for this receiver, than can be told one by one (storm.open_incidents)";
