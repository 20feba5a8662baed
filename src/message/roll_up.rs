//! The words of a roll-up: what is named in it, in as few lines as it takes.

use std::collections::BTreeMap;

use super::{text, words};
use crate::config::Config;
use crate::customerio::app_api::names::Names;
use crate::customerio::event::Source;
use crate::incident::{Dimension, Incident, Subject};
use crate::route::Label;

/// Longest line, in characters: every receiver shows so long a line whole.
const LINE_CHARS: usize = 400;

/// Incidents named in one roll-up at most: more are no help to anybody.
const MEMBERS: usize = 200;

/// Names incidents within `room` characters: one line a rule, or more when it is long, heartbeats after the rules. Where
/// names take too much room, ids do.
pub fn lines(config: &Config, names: &Names, incidents: &[&Incident], room: usize) -> Vec<String> {
    let named = with_names(Some((config, names)), incidents);
    if chars(&named) > room { with_names(None, incidents) } else { named }
}

/// How many of these incidents, from the first on, can be named within `room` characters: at least one, if there is one.
pub fn how_many_fit(config: &Config, names: &Names, incidents: &[&Incident], room: usize) -> usize {
    let mut most = incidents.len().min(MEMBERS);
    while most > 1 {
        let needed = chars(&lines(config, names, incidents.get(..most).unwrap_or_default(), room));
        if needed <= room {
            break;
        }
        // In proportion, and always by one at least: a few rounds at most.
        most = (most * room / needed).clamp(1, most - 1);
    }
    most
}

fn chars(lines: &[String]) -> usize {
    lines.iter().map(|line| line.chars().count() + 1).sum()
}

/// `called`: what knows the names of sources; without it they are called by their ids.
fn with_names(called: Option<(&Config, &Names)>, incidents: &[&Incident]) -> Vec<String> {
    let mut by_head: BTreeMap<(bool, String), Vec<String>> = BTreeMap::new();
    for incident in incidents {
        let (of_heartbeats, head, name) = match &incident.subject {
            Subject::Rule { name, .. } => (false, name.clone(), group(called, incident)),
            Subject::Heartbeat { name, .. } => {
                let numbers = incident.numbers;
                let counted = format!("{} of {}", text::number(numbers.count), text::number(numbers.of));
                (true, "heartbeats".to_owned(), format!("{name} ({counted})"))
            }
            Subject::Drafts { source } => {
                let name = match called {
                    Some((config, names)) => words::source(config, names, source),
                    None => source.to_string().replace(':', " "),
                };
                (true, "drafts never sent".to_owned(), name)
            }
            other => (true, other.kind().to_owned(), incident.id()),
        };
        by_head.entry((of_heartbeats, head)).or_default().push(name);
    }
    // `campaign 7` before `campaign 10`.
    by_head.values_mut().for_each(|names| names.sort_by_cached_key(|name| (name.chars().count(), name.clone())));
    by_head.iter().flat_map(|((_, head), names)| wrapped(head, names)).collect()
}

/// What tells an incident of a rule apart from the rule's others, and where it is.
fn group(called: Option<(&Config, &Names)>, incident: &Incident) -> String {
    let Subject::Rule { group, .. } = &incident.subject else { return String::new() };
    let source = |id: &str| match (called, id.parse::<Source>()) {
        (Some((config, names)), Ok(parsed)) => words::source(config, names, &parsed),
        _ => id.replace(':', " "),
    };
    let parts: Vec<String> = group
        .iter()
        .map(|(dimension, value)| match dimension {
            Dimension::Source => source(value),
            Dimension::Cause | Dimension::Metric => value.clone(),
            Dimension::Action | Dimension::Channel | Dimension::Provider => {
                format!("{} {value}", dimension.as_str())
            }
        })
        .collect();
    let sources = incident.labels.get(&Label::Source).map_or(&[][..], Vec::as_slice);
    let place = match sources {
        _ if group.contains_key(&Dimension::Source) => None,
        [] => None,
        [one] => Some(source(one)),
        [one, rest @ ..] => Some(format!("{} and {} more", source(one), rest.len())),
    };
    match (parts.join(", "), place) {
        (what, None) if what.is_empty() => "all".to_owned(),
        (what, None) => what,
        (what, Some(place)) if what.is_empty() => place,
        (what, Some(place)) => format!("{what} in {place}"),
    }
}

/// `head: name; name; ...` in lines of at most [`LINE_CHARS`], a longer name cut.
fn wrapped(head: &str, names: &[String]) -> Vec<String> {
    let head = text::cut(head, LINE_CHARS / 4);
    let mut lines: Vec<String> = Vec::new();
    let mut room = 0;
    for name in names {
        let name = text::cut(name, LINE_CHARS / 2);
        let needed = name.chars().count() + 2;
        match lines.last_mut().filter(|_| needed <= room) {
            Some(line) => {
                line.push_str("; ");
                line.push_str(&name);
                room -= needed;
            }
            None => {
                let line = format!("{head}: {name}");
                room = LINE_CHARS.saturating_sub(line.chars().count());
                lines.push(line);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::testing::smallest_with;
    use crate::incident::{Group, IncidentKey, Numbers, Severity, State};
    use crate::message::{Message, Phase, compose};
    use crate::receivers::{pagerduty, slack, sns_chat, sns_message};

    const AT: jiff::Timestamp = jiff::Timestamp::UNIX_EPOCH;
    use crate::route::Labels;

    fn config(named: &[(u32, String)]) -> Config {
        let sources = named.iter().map(|(id, name)| format!("[[sources]]\nid = \"campaign:{id}\"\nname = '{name}'\n"));
        smallest_with(&sources.collect::<String>())
    }

    fn incident(rule: &str, group: &[(Dimension, &str)], sources: &[&str]) -> Incident {
        let group: Group = group.iter().map(|(d, v)| (*d, (*v).to_owned())).collect();
        let subject = Subject::Rule { name: rule.to_owned(), group };
        Incident {
            key: IncidentKey::new("acme", &subject),
            episode: 1,
            version: 1,
            subject,
            severity: Severity::Critical,
            labels: Labels::from([(Label::Source, sources.iter().map(|s| (*s).to_owned()).collect())]),
            receivers: Vec::new(),
            state: State::Open,
            opened_at: AT,
            since: AT,
            last: AT,
            found_late: false,
            numbers: Numbers::default(),
            samples: Vec::new(),
            lines: Vec::new(),
            acts: vec![],
            diagnosis: None,
            crowded: true,
            settled: false,
        }
    }

    #[test]
    fn a_line_says_the_rule_once_and_what_tells_its_incidents_apart() {
        let config = config(&[(5, "Activation".to_owned())]);
        let incidents = [
            incident("failures", &[(Dimension::Cause, "render_error")], &["campaign:5", "campaign:6", "campaign:7"]),
            incident("failures", &[(Dimension::Cause, "provider_auth")], &["campaign:5"]),
            incident("bounces", &[(Dimension::Source, "campaign:10"), (Dimension::Channel, "sms")], &["campaign:10"]),
            incident("bounces", &[(Dimension::Source, "campaign:9"), (Dimension::Channel, "sms")], &["campaign:9"]),
            incident("all", &[], &["campaign:5"]),
        ];
        insta::assert_snapshot!(lines(&config, &Names::default(), &incidents.iter().collect::<Vec<_>>(), 6_000).join("\n"), @"
        all: Activation (campaign 5)
        bounces: campaign 9, channel sms; campaign 10, channel sms
        failures: provider_auth in Activation (campaign 5); render_error in Activation (campaign 5) and 2 more
        ");
    }

    /// Every receiver's room, and what it shows of a roll-up.
    type Shown = (&'static str, usize, fn(&Message) -> String);
    const RECEIVERS: [Shown; 5] = [
        ("pagerduty", pagerduty::NAMES_CHARS, |m| pagerduty::event(m, "0123456789abcdef0123456789abcdef").to_string()),
        ("slack", slack::NAMES_CHARS, |m| slack::payload(m).to_string()),
        ("slack, plain", slack::NAMES_CHARS, |m| slack::plain_payload(m).to_string()),
        ("sns", sns_message::NAMES_CHARS, |m| sns_message::render(m).body),
        ("chat", sns_chat::NAMES_CHARS, |m| sns_chat::render(m).body),
    ];

    proptest! {
        #[test]
        fn whatever_is_in_a_roll_up_is_named_in_full_by_every_receiver(
            count in 1u32..=250,
            digits in 1u32..=7,
            length in 0usize..=100,
            shape in 0usize..4,
        ) {
            // Ids that end alike are no part of each other.
            let ids: Vec<u32> = (0..count).map(|n| 10u32.pow(digits) + n).collect();
            let named: Vec<(u32, String)> = ids.iter().filter(|_| length > 0).map(|id| (*id, "n".repeat(length))).collect();
            let config = config(&named);
            let of = |id: &u32| {
                let (source, cause) = (format!("campaign:{id}"), format!("cause_{id}"));
                let heartbeat = Subject::Heartbeat {
                    name: format!("{} {id}", "h".repeat(length)),
                    source: source.parse().expect("a source"),
                    period: crate::heartbeat::Period { start: AT, due: AT, end: AT },
                    why: None,
                };
                match shape {
                    0 => incident("failing", &[(Dimension::Source, &source)], &[&source]),
                    1 => incident("failing", &[(Dimension::Cause, &cause)], &[&source, "campaign:1"]),
                    2 => incident(&"r".repeat(100), &[(Dimension::Source, &source), (Dimension::Cause, "x"), (Dimension::Provider, "gmail")], &[&source]),
                    _ => Incident { subject: heartbeat, ..incident("x", &[], &[]) },
                }
            };
            let incidents: Vec<Incident> = ids.iter().map(of).collect();
            let all: Vec<&Incident> = incidents.iter().collect();
            for (receiver, room, show) in RECEIVERS {
                let fit = how_many_fit(&config, &Names::default(), &all, room);
                prop_assert!(fit >= 1 && fit <= MEMBERS.min(all.len()));
                let members: Vec<&Incident> = all.iter().take(fit).copied().collect();
                let subject = Subject::RollUp { receiver: receiver.into(), members: members.iter().map(|i| i.member()).collect() };
                let lines = lines(&config, &Names::default(), &members, room);
                prop_assert!(lines.iter().all(|line| line.chars().count() <= LINE_CHARS));
                let roll_up = Incident { subject, lines, ..incident("x", &[], &[]) };
                let message = compose::message(&roll_up, Phase::Opened, &Default::default(), &config, AT);
                let shown = show(&message);
                for id in ids.iter().take(fit) {
                    prop_assert!(shown.contains(&id.to_string()), "{id} is not named to {receiver}: {shown}");
                }
            }
        }
    }
}
