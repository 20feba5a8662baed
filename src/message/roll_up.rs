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

/// All lines together, in characters: every receiver has room for so many. Longer ones do without names.
const ALL_CHARS: usize = 7_000;

/// Names incidents: one line a rule, or more when it is long, heartbeats after the rules.
pub fn lines(config: &Config, names: &Names, incidents: &[&Incident]) -> Vec<String> {
    let named = with_names(Some((config, names)), incidents);
    match named.iter().map(|line| line.chars().count()).sum::<usize>() > ALL_CHARS {
        true => with_names(None, incidents),
        false => named,
    }
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
    use crate::config::parse;
    use crate::incident::{Group, IncidentKey, Numbers, Severity, State};
    use crate::route::Labels;

    const SMALLEST: &str = r#"
[workspace]
name = "acme"
[customerio]
signing_keys = ["env:KEY"]
[[receivers]]
name = "screen"
type = "console"
[[routes]]
receivers = ["screen"]
"#;

    fn config(named: &[(u32, String)]) -> Config {
        let sources = named.iter().map(|(id, name)| format!("[[sources]]\nid = \"campaign:{id}\"\nname = '{name}'\n"));
        let text = format!("{SMALLEST}{}", sources.collect::<String>());
        parse::parse(&text).config.expect("a configuration")
    }

    fn incident(rule: &str, group: &[(Dimension, &str)], sources: &[&str]) -> Incident {
        let group: Group = group.iter().map(|(d, v)| (*d, (*v).to_owned())).collect();
        let subject = Subject::Rule { name: rule.to_owned(), group };
        let at = jiff::Timestamp::UNIX_EPOCH;
        Incident {
            key: IncidentKey::new("acme", &subject),
            episode: 1,
            version: 1,
            subject,
            severity: Severity::Critical,
            labels: Labels::from([(Label::Source, sources.iter().map(|s| (*s).to_owned()).collect())]),
            receivers: Vec::new(),
            state: State::Open,
            opened_at: at,
            since: at,
            last: at,
            found_late: false,
            numbers: Numbers::default(),
            samples: Vec::new(),
            lines: Vec::new(),
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
        insta::assert_snapshot!(lines(&config, &Names::default(), &incidents.iter().collect::<Vec<_>>()).join("\n"), @"
        all: Activation (campaign 5)
        bounces: campaign 9, channel sms; campaign 10, channel sms
        failures: provider_auth in Activation (campaign 5); render_error in Activation (campaign 5) and 2 more
        ");
    }

    proptest! {
        #[test]
        fn two_hundred_incidents_with_the_longest_names_are_all_named_and_fit(count in 1u32..=200, length in 1usize..=100) {
            let named: Vec<(u32, String)> = (0..count).map(|id| (id + 1, "n".repeat(length))).collect();
            let ids: Vec<String> = named.iter().map(|(id, _)| format!("campaign:{id}")).collect();
            let incidents: Vec<Incident> =
                ids.iter().map(|id| incident("failing", &[(Dimension::Source, id)], &[id])).collect();
            let lines = lines(&config(&named), &Names::default(), &incidents.iter().collect::<Vec<_>>());
            let all = lines.join("; ");
            prop_assert!(all.chars().count() <= ALL_CHARS + 50 * lines.len());
            prop_assert!(lines.iter().all(|line| line.chars().count() <= LINE_CHARS));
            for (id, _) in named {
                let (plain, in_brackets) = (format!("campaign {id};"), format!("campaign {id})"));
                let found = format!("{all};").contains(&plain) || all.contains(&in_brackets);
                prop_assert!(found, "campaign {id} is not named in {all}");
            }
        }
    }
}
