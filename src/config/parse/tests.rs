//! What a valid configuration becomes, and the laws that hold for every text.

use std::fmt::Write as _;

use jiff::SignedDuration;
use jiff::civil::{Time, Weekday, date};
use proptest::prelude::*;

use super::*;
use crate::config::schema::{ReceiverKind, Region};
use crate::config::secrets::SecretRef;
use crate::customerio::event::{Kind, Source};
use crate::heartbeat::{Every, Expect};
use crate::incident::{Dimension, Severity};
use crate::route::Label;
use crate::rules::Condition;

/// The example of the configuration's contract, word for word.
const CONTRACT: &str = include_str!("contract.toml");

/// The example that the bridge comes with.
const EXAMPLE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/bridge.toml"));

const DOCUMENTATION: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md"));

/// The smallest valid configuration.
pub const SMALLEST: &str = "\
[workspace]
name = \"acme\"
[customerio]
signing_keys = [\"env:KEY\"]
[[receivers]]
name = \"screen\"
type = \"console\"
[[routes]]
receivers = [\"screen\"]
";

fn shown(problems: &[Problem]) -> String {
    problems.iter().map(|p| p.in_file("bridge.toml") + "\n").collect()
}

fn valid(text: &str) -> Config {
    let Parsed { config, problems } = parse(text);
    config.unwrap_or_else(|| panic!("not valid:\n{}", shown(&problems)))
}

#[test]
fn the_example_is_valid_without_a_warning() {
    assert_eq!(shown(&check(EXAMPLE).problems), "");
}

#[test]
fn the_contracts_configuration_is_valid_and_all_of_it_has_an_effect() {
    let Parsed { config, problems } = check(CONTRACT);
    let config = config.unwrap_or_else(|| panic!("not valid:\n{}", shown(&problems)));
    insta::assert_snapshot!(shown(&problems), @"");
    assert_eq!((config.workspace.name.as_str(), config.workspace.timezone.as_str()), ("acme", "Europe/Berlin"));
    assert_eq!((config.customerio.region, config.customerio.workspace_id), (Region::Us, Some(12345)));
    assert_eq!(config.customerio.signing_keys.len(), 2);
    assert_eq!(config.receivers.iter().map(|r| r.kind.type_name()).collect::<Vec<_>>(), ["pagerduty", "slack", "sns"]);
    assert_eq!(config.receiver("on-call").and_then(|r| r.fallback.as_deref()), Some("audit"));
    assert_eq!(config.routes[0].matchers[0].label, Label::Severity);
    assert!(config.routes[1].matchers.is_empty() && !config.routes[1].goes_on);
    let beat = config.heartbeat("Activation").expect("the heartbeat");
    assert_eq!(beat.expect, Expect::Between { at_least: Some(40), at_most: None });
    assert_eq!(beat.every, Every::Day { by: Some(Time::constant(18, 0, 0, 0)) });
    let digest = config.digest.expect("a digest");
    assert_eq!((digest.at, digest.receivers.len()), (Time::constant(8, 0, 0, 0), 2));
    assert!(config.ignore.recipients[0].matches("test@example.com"));
}

#[test]
fn only_a_name_a_key_a_receiver_and_a_route_are_required() {
    let Parsed { config, problems } = check(SMALLEST);
    assert_eq!(shown(&problems), "");
    let config = config.expect("valid");
    assert_eq!(config.workspace.timezone, "UTC");
    assert_eq!(
        config.rules.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(),
        ["failures", "bounce-rate", "spam-rate"]
    );
    assert!(config.heartbeats.is_empty() && config.digest.is_none() && !config.privacy.show_personal_data);
    assert_eq!(config.hash.len(), 12);
    assert_ne!(config.hash, valid(&format!("{SMALLEST}# a comment\n")).hash);
    assert_eq!(valid(&format!("rules = []\n{SMALLEST}")).rules, [], "an empty list of rules is no rule");
}

#[test]
fn every_receiver_has_its_vendors_address_unless_it_is_given_another() {
    let config = valid(&format!(
        "{SMALLEST}
[[receivers]]
name = \"pd\"
type = \"pagerduty\"
routing_key = \"secret:alerts#pagerduty\"
[[receivers]]
name = \"pd-eu\"
type = \"pagerduty\"
routing_key = \"ssm:/alerts/key\"
url = \"http://127.0.0.1:8080/\"
[[receivers]]
name = \"bot\"
type = \"slack\"
bot_token = \"env:TOKEN\"
channel = \"#alerts\"
[[receivers]]
name = \"hook\"
type = \"slack\"
webhook_url = \"env:HOOK\"
url = \"http://localhost:9\"
"
    ));
    let kind = |name: &str| config.receiver(name).map(|r| r.kind.clone()).expect("a receiver");
    assert!(matches!(kind("pd"), ReceiverKind::PagerDuty { url, routing_key: SecretRef::SecretsManager { .. } }
        if url == "https://events.pagerduty.com"));
    assert!(matches!(kind("pd-eu"), ReceiverKind::PagerDuty { url, .. } if url == "http://127.0.0.1:8080"));
    assert!(matches!(kind("bot"), ReceiverKind::SlackBot { url, channel, .. }
        if url == "https://slack.com" && channel == "#alerts"));
    assert!(matches!(kind("hook"), ReceiverKind::SlackWebhook { url: Some(url), .. } if url == "http://localhost:9"));
}

#[test]
fn rules_are_read_with_their_defaults() {
    let config = valid(&format!(
        "{SMALLEST}
[[rules]]
name = \"count\"
events = [\"*_failed\", \"email_failed\", \"in_app_undeliverable\"]
count = {{ at_least = 3, within = \"1h30m\" }}
[[rules]]
name = \"rate\"
events = [\"email_spammed\"]
rate = {{ of = [\"*_delivered\"], above = 0.003, within = \"7d\", lag = \"0s\" }}
severity = \"info\"
group_by = []
quiet_for = \"2h\"
"
    ));
    let count = config.rule("count").expect("a rule");
    assert_eq!(count.events.len(), 8, "each once");
    assert_eq!((count.group_by.as_slice(), count.severity), (&[Dimension::Cause][..], Severity::Critical));
    assert_eq!(count.within(), SignedDuration::from_mins(90));
    let rate = config.rule("rate").expect("a rule");
    assert!(rate.group_by.is_empty() && rate.quiet_for == Some(SignedDuration::from_hours(2)));
    let Condition::Rate { of, above, lag, .. } = &rate.condition else { panic!("a rate") };
    assert_eq!((of.len(), *above, *lag), (4, 0.003, SignedDuration::ZERO));
}

#[test]
fn heartbeats_and_routes_are_read_in_all_their_forms() {
    let config = valid(&format!(
        "{SMALLEST}
continue = true
hours = [\"mon-fri 22:00-06:00\", \"mon-fri 12:00-13:00\"]
match = {{ source = [\"campaign:*\", \"none\"], cause = \"render_*\" }}
[[routes]]
receivers = [\"screen\"]
[[heartbeats]]
name = \"weekly\"
source = \"newsletter:10\"
event = \"in_app_sent\"
action = \"97\"
at_most = 0
every = \"week\"
by = \"fri 18:00\"
severity = \"warning\"
except = [\"2026-12-25\", 2027-01-01]
[[heartbeats]]
name = \"journeys\"
source = \"campaign:5\"
distinct = \"journey\"
expect = \"learned\"
every = \"hour\"
"
    ));
    let route = &config.routes[0];
    assert!(
        route.goes_on
            && route.matchers.len() == 2
            && route.hours.iter().all(|h| h.days.len() == 5)
            && route.hours.len() == 2
    );
    let weekly = config.heartbeat("weekly").expect("a heartbeat");
    assert_eq!(weekly.every, Every::Week { by: Some((Weekday::Friday, Time::constant(18, 0, 0, 0))) });
    assert_eq!(weekly.source, "newsletter:10".parse::<Source>().expect("a source"));
    assert_eq!((weekly.event.clone(), weekly.action.as_deref()), (Kind::known("in_app", "sent"), Some("97")));
    assert_eq!(weekly.except, [date(2026, 12, 25), date(2027, 1, 1)]);
    assert_eq!(config.heartbeat("journeys").map(|h| h.expect.clone()), Some(Expect::Learned));
}

/// A code block of the documentation, completed with the sections that it leaves out.
fn completed(block: &str) -> String {
    if block.contains("[workspace]") && block.contains("[[routes]]") {
        return block.to_owned();
    }
    let mut text = block.to_owned();
    for (header, section) in [
        ("[workspace]", "name = \"acme\""),
        ("[customerio]", "signing_keys = [\"env:KEY\"]"),
        ("[[receivers]]", ""),
        ("[[routes]]", "receivers = [\"on-call\"]"),
    ] {
        if header == "[[receivers]]" {
            for name in ["on-call", "lifecycle", "audit"].iter().filter(|n| !block.contains(&format!("name = \"{n}\"")))
            {
                let _ = writeln!(text, "\n[[receivers]]\nname = \"{name}\"\ntype = \"console\"");
            }
        } else if !block.contains(header) {
            let _ = writeln!(text, "\n{header}\n{section}");
        }
    }
    text
}

#[test]
fn every_example_in_the_documentation_is_valid() {
    let blocks: Vec<_> = DOCUMENTATION.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 10, "{} examples", blocks.len());
    for block in blocks {
        let Parsed { config, problems } = parse(&completed(block));
        assert!(config.is_some(), "{block}\n{}", shown(&problems));
    }
}

#[test]
fn every_key_is_documented() {
    for section in [
        "workspace",
        "customerio",
        "storm",
        "ignore",
        "counts",
        "reconciliation",
        "digest",
        "page",
        "deadman",
        "canary",
        "privacy",
    ] {
        let heading = format!("## `[{section}]`");
        assert!(DOCUMENTATION.contains(&heading), "{heading}");
    }
    // What a table allows is what the reader asked it for.
    let wrong = "nokey = 1\n";
    let with_wrong: String = CONTRACT
        .lines()
        .map(|line| if line.starts_with('[') { format!("{line}\n{wrong}") } else { format!("{line}\n") })
        .collect();
    let problems = parse(&with_wrong).problems;
    let allowed: Vec<_> =
        problems.iter().filter(|p| p.what.contains("nokey")).filter_map(|p| p.allowed.as_ref()).collect();
    assert_eq!(allowed.len(), CONTRACT.lines().filter(|l| l.starts_with('[')).count(), "{}", shown(&problems));
    for key in allowed.iter().flat_map(|keys| keys.split(", ")) {
        assert!(DOCUMENTATION.contains(&format!("`{key}`")), "`{key}` is not documented");
    }
}

/// Every place that takes a secret; `@` stands for the literal.
const SECRET_PLACES: &[&str] = &[
    "[customerio]\nsigning_keys = [@]",
    "[customerio]\nsigning_keys = @",
    "[customerio]\nsigning_keys = [[@]]",
    "[customerio]\nsigning_keys = [{ key = @ }]",
    "[customerio]\napp_api_key = @",
    "[customerio]\napp_api_key = [@]",
    "[[receivers]]\nname = \"a\"\ntype = \"pagerduty\"\nrouting_key = @",
    "[[receivers]]\nname = \"a\"\ntype = \"slack\"\nwebhook_url = @",
    "[[receivers]]\nname = \"a\"\ntype = \"slack\"\nbot_token = @\nchannel = \"#a\"",
    "[[receivers]]\nname = \"a\"\ntype = \"slack\"\nbot_token = @",
    "[[receivers]]\nname = \"a\"\ntype = \"slack\"\nbot_token = @\nwebhook_url = @",
    "[[receivers]]\nname = \"a\"\ntype = \"sns\"\ntopic_arn = @",
    "[[receivers]]\nname = \"a\"\ntype = \"pagerduty\"\nrouting_kee = @",
    "[[receivers]]\nname = \"a\"\ntype = \"pagerduty\"\nurl = @",
    "[counts]\nsigning_keys = [@]",
    "[page]\nlink_keys = [@]",
    "[page]\nlink_keys = @",
    "[deadman]\nurl = @",
    "[canary]\nsite_id = @",
    "[canary]\napi_key = @",
    "[customerio]\nsigning_keys = [@",
    "[deadman]\nurl = @ oops",
];

proptest! {
    #[test]
    fn a_literal_secret_is_never_repeated(
        secret in "[A-Za-z0-9+/_:.-]{16,40}",
        place in prop::sample::select(SECRET_PLACES),
        quote in prop::sample::select(&["\"", "'", "", "\"\"\""][..]),
    ) {
        prop_assume!(secret.parse::<SecretRef>().is_err());
        let text = place.replace('@', &format!("{quote}{secret}{quote}"));
        let Parsed { config, problems } = parse(&text);
        prop_assert!(config.is_none());
        for problem in &problems {
            prop_assert!(!problem.to_string().contains(&secret), "{}", problem);
            prop_assert!(!format!("{problem:?}").contains(&secret), "{:?}", problem);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>()) {
        let _ = parse(&text);
    }

    #[test]
    fn a_damaged_configuration_is_read_or_refused_with_places_inside_it(
        from in 0usize..5_000,
        length in 0usize..40,
        put in prop::sample::select(&["", "\"", "[", "]]", "=", "\n", "{", "5", "\u{feff}", "ü", "= { x = 1 }", "[[rules]]\n", "-"][..]),
    ) {
        for whole in [EXAMPLE, CONTRACT] {
            let from = whole.floor_char_boundary(from % whole.len());
            let to = whole.floor_char_boundary((from + length).min(whole.len()));
            places_lie_inside(&format!("{}{put}{}", &whole[..from], &whole[to..]))?;
        }
    }

    #[test]
    fn lines_that_are_lost_doubled_swapped_or_altered_are_no_reason_to_panic(
        damages in prop::collection::vec((0usize..500, 0usize..500, 0u8..5, any::<char>()), 1..6),
    ) {
        for whole in [EXAMPLE, CONTRACT] {
            let mut lines: Vec<String> = whole.lines().map(str::to_owned).collect();
            for (at, other, how, letter) in &damages {
                let (at, other) = (at % lines.len(), other % lines.len());
                match how {
                    0 if lines.len() > 1 => drop(lines.remove(at)),
                    1 => lines.insert(other, lines[at].clone()),
                    2 => lines.swap(at, other),
                    3 => lines[at].push(*letter),
                    _ => {
                        let chars: Vec<char> = lines[at].chars().collect();
                        let hit = other % chars.len().max(1);
                        lines[at] = chars.iter().enumerate().map(|(i, c)| if i == hit { letter } else { c }).collect();
                    }
                }
            }
            places_lie_inside(&lines.join("\n"))?;
        }
    }
}

/// The text is read, with its warnings, or refused; every problem lies in it.
fn places_lie_inside(text: &str) -> Result<(), TestCaseError> {
    let Parsed { config, problems } = check(text);
    let broken = problems.iter().any(|p| p.level == Level::Error);
    prop_assert_eq!(config.is_none(), broken);
    let lines: Vec<&str> = text.split('\n').collect();
    for problem in &problems {
        let line = lines.get(problem.line - 1);
        // Behind the line's last character is still a place in it.
        let is_inside = line.is_some_and(|line| (1..=line.chars().count() + 1).contains(&problem.column));
        prop_assert!(is_inside, "{} in\n{}", problem.in_file("bridge.toml"), text);
    }
    Ok(())
}
