//! The incidents that a configuration can make, as the labels that its routes see: one for each combination that some
//! route tells from the others.

use std::collections::BTreeSet;

use wildmatch::WildMatch;

use super::globs;
use crate::config::Config;
use crate::customerio::cause_table::causes;
use crate::customerio::event::{Kind, SourceKind};
use crate::customerio::metric::has_cause;
use crate::heartbeat::{Heartbeat, drafts};
use crate::incident::Severity;
use crate::route::{Label, Labels, Route};
use crate::rules::Rule;

/// An incident that may come.
#[derive(Debug)]
pub struct Possible {
    pub severity: Severity,
    /// What makes it, as people call it: `the rule "bounce-rate"`.
    pub maker: String,
    pub labels: Labels,
    /// The bridge watches for it unasked: it may be routed, and need not be (the digest names it in any case).
    pub unasked: bool,
}

/// All that may come, each combination of labels that routes can tell apart once. An incident may have several sources
/// and events; those with one of each exist too, and they are the hardest to match.
pub fn possible(config: &Config) -> Vec<Possible> {
    let sources = sources(config);
    let mut all: Vec<Possible> = Vec::new();
    for rule in &config.rules {
        let about = told_apart(&config.routes, &[Label::Channel, Label::Metric, Label::Cause], about(rule));
        let fitting = sources.iter().filter(|s| rule.sources.is_empty() || rule.sources.iter().any(|g| g.matches(s)));
        let from = fitting.map(|source| of_source(config, source)).collect();
        let from = told_apart(&config.routes, &[Label::Source, Label::Owner], from);
        for about in &about {
            for from in &from {
                let mut labels = head(rule.severity, "rule", &rule.name);
                labels.extend(about.clone());
                labels.extend(from.clone());
                all.push(Possible {
                    severity: rule.severity,
                    maker: format!("the rule \"{}\"", rule.name),
                    labels,
                    unasked: false,
                });
            }
        }
    }
    all.extend(config.heartbeats.iter().map(|heartbeat| of_heartbeat(config, heartbeat)));
    all.push(blindness(config));
    all.extend(config.canary.as_ref().map(|canary| {
        let mut labels = head(canary.severity, "canary", "");
        labels.remove(&Label::Rule);
        Possible { severity: canary.severity, maker: "the canary".to_owned(), labels, unasked: false }
    }));
    all.push(unasked("lag", "lag (events come late)", Labels::new()));
    all.extend(drafts(config, &sources));
    if config.customerio.app_api_key.is_some() {
        all.push(unasked("drift", "drift (something changed in Customer.io)", Labels::new()));
    }
    all
}

fn head(severity: Severity, kind: &str, rule: &str) -> Labels {
    Labels::from([
        (Label::Severity, vec![severity.as_str().to_owned()]),
        (Label::Kind, vec![kind.to_owned()]),
        (Label::Rule, vec![rule.to_owned()]),
    ])
}

/// What the events of a rule say of themselves.
fn about(rule: &Rule) -> Vec<Labels> {
    let of_kind = |kind: &Kind| {
        Labels::from([(Label::Channel, vec![kind.channel.to_string()]), (Label::Metric, vec![kind.to_string()])])
    };
    let mut all = Vec::new();
    for kind in &rule.events {
        if !has_cause(&kind.metric) {
            all.push(of_kind(kind));
            continue;
        }
        all.extend(causes().map(|cause| {
            let mut labels = of_kind(kind);
            labels.insert(Label::Cause, vec![cause.key.to_owned()]);
            labels
        }));
    }
    all
}

fn of_source(config: &Config, source: &str) -> Labels {
    let mut labels = Labels::from([(Label::Source, vec![source.to_owned()])]);
    let named = config.sources.iter().find(|s| s.id.to_string() == source);
    if let Some(owner) = named.and_then(|s| s.owner.clone()) {
        labels.insert(Label::Owner, vec![owner]);
    }
    labels
}

fn of_heartbeat(config: &Config, heartbeat: &Heartbeat) -> Possible {
    let mut labels = head(heartbeat.severity, "heartbeat", &heartbeat.name);
    labels.extend(of_source(config, &heartbeat.source.to_string()));
    labels.insert(Label::Channel, vec![heartbeat.event.channel.to_string()]);
    labels.insert(Label::Metric, vec![heartbeat.event.to_string()]);
    Possible {
        severity: heartbeat.severity,
        maker: format!("the heartbeat \"{}\"", heartbeat.name),
        labels,
        unasked: false,
    }
}

/// Blindness has the labels of the most severe heartbeat or rule, heartbeats first (design, Coverage).
fn blindness(config: &Config) -> Possible {
    let heartbeats = config.heartbeats.iter().map(|h| (h.severity, of_heartbeat(config, h).labels));
    let rules = config.rules.iter().map(|r| (r.severity, head(r.severity, "rule", &r.name)));
    let mut best: Option<(Severity, Labels)> = None;
    for (severity, labels) in heartbeats.chain(rules) {
        if best.as_ref().is_none_or(|(most, _)| severity > *most) {
            best = Some((severity, labels));
        }
    }
    let critical = || (Severity::Critical, Labels::from([(Label::Severity, vec!["critical".to_owned()])]));
    let (severity, mut labels) = best.unwrap_or_else(critical);
    labels.entry(Label::Kind).or_default().insert(0, "blindness".to_owned());
    Possible { severity, maker: "blindness (nothing arrives)".to_owned(), labels, unasked: false }
}

/// A warning that no rule or heartbeat asked for.
fn unasked(kind: &str, maker: &str, more: Labels) -> Possible {
    let severity = Severity::Warning;
    let mut labels = head(severity, kind, "");
    labels.remove(&Label::Rule);
    labels.extend(more);
    Possible { severity, maker: maker.to_owned(), labels, unasked: true }
}

/// Drafts that nobody sends, of each source and channel that routes tell apart.
fn drafts(config: &Config, sources: &BTreeSet<String>) -> Vec<Possible> {
    let of_kind = |kind: Kind| {
        Labels::from([(Label::Channel, vec![kind.channel.to_string()]), (Label::Metric, vec![kind.to_string()])])
    };
    let about = told_apart(&config.routes, &[Label::Channel, Label::Metric], drafts::kinds().map(of_kind).collect());
    let from = sources.iter().map(|source| of_source(config, source)).collect();
    let from = told_apart(&config.routes, &[Label::Source, Label::Owner], from);
    let both = about.iter().flat_map(|about| from.iter().map(move |from| (about, from)));
    both.map(|(about, from)| {
        let more = about.iter().chain(from).map(|(label, values)| (*label, values.clone())).collect();
        unasked("drafts", "drafts that nobody sends", more)
    })
    .collect()
}

/// Every source that somebody names, and one of each kind that nobody does.
fn sources(config: &Config) -> BTreeSet<String> {
    let of_routes = config.routes.iter().flat_map(|r| &r.matchers).filter(|m| m.label == Label::Source);
    let globs = config.rules.iter().flat_map(|r| &r.sources).chain(of_routes.flat_map(|m| &m.globs));
    let patterns: BTreeSet<String> = globs.map(WildMatch::pattern).collect();
    let mut all: BTreeSet<String> = patterns.iter().flat_map(|pattern| instances(pattern)).collect();
    // Two patterns may share what stands for neither of them alone: `campaign:1*` and `campaign:*5`.
    let begins = || patterns.iter().filter_map(|p| p.split_once('*')).map(|(begin, _)| begin);
    let ends = || patterns.iter().filter_map(|p| p.rsplit_once('*')).map(|(_, end)| end);
    let crossed = begins().filter(|begin| begin.contains(':')).flat_map(|begin| ends().map(move |end| (begin, end)));
    all.extend(
        crossed.map(|(begin, end)| globs::witness(&format!("{begin}*{end}"))).filter(|s| s.matches(':').count() == 1),
    );
    all.extend(config.sources.iter().map(|s| s.id.to_string()));
    all.extend(instances("*"));
    all.insert(SourceKind::None.as_str().to_owned());
    all
}

/// Sources that a pattern matches, one of each kind that it allows.
fn instances(pattern: &str) -> Vec<String> {
    let kinds = SourceKind::ALL.into_iter().filter(|k| *k != SourceKind::None).map(SourceKind::as_str);
    let of_kind = |kind: &str| match pattern.split_once(':') {
        Some((glob, id)) => WildMatch::new(glob).matches(kind).then(|| format!("{kind}:{}", globs::witness(id))),
        // The first star takes in the kind.
        None => pattern.split_once('*').map(|(before, after)| {
            format!("{before}{kind}:{}{}", globs::witness("*"), globs::witness(after.trim_start_matches('*')))
        }),
    };
    kinds.filter_map(of_kind).collect()
}

/// One of all those that the routes' conditions on these labels cannot tell apart.
fn told_apart(routes: &[Route], labels: &[Label], of: Vec<Labels>) -> Vec<Labels> {
    let matchers: Vec<_> = routes.iter().flat_map(|r| &r.matchers).filter(|m| labels.contains(&m.label)).collect();
    let mut seen: BTreeSet<Vec<bool>> = BTreeSet::new();
    of.into_iter().filter(|l| seen.insert(matchers.iter().map(|m| m.matches(l)).collect())).collect()
}

/// The values that a label can have, for whoever asked for another one.
pub fn values(config: &Config, label: Label) -> Vec<String> {
    let kinds = || config.rules.iter().flat_map(|r| &r.events).chain(config.heartbeats.iter().map(|h| &h.event));
    let mut values: Vec<String> = match label {
        Label::Severity => possible(config).iter().map(|p| p.severity.as_str().to_owned()).collect(),
        Label::Kind => possible(config).into_iter().filter_map(|mut p| p.labels.remove(&label)).flatten().collect(),
        Label::Rule => {
            let heartbeats = config.heartbeats.iter().map(|h| h.name.clone());
            config.rules.iter().map(|r| r.name.clone()).chain(heartbeats).collect()
        }
        Label::Source => {
            let watched = |s: &String| {
                config.rules.iter().any(|r| r.sources.is_empty() || r.sources.iter().any(|g| g.matches(s)))
            };
            let beating = config.heartbeats.iter().map(|h| h.source.to_string());
            sources(config).into_iter().filter(watched).map(|s| globs::show(&s)).chain(beating).collect()
        }
        Label::Owner => config.sources.iter().filter_map(|s| s.owner.clone()).collect(),
        Label::Channel => kinds().map(|k| k.channel.to_string()).collect(),
        Label::Metric => kinds().map(Kind::to_string).collect(),
        Label::Cause if kinds().any(|k| has_cause(&k.metric)) => causes().map(|c| c.key.to_owned()).collect(),
        Label::Cause => Vec::new(),
    };
    let mut seen = BTreeSet::new();
    values.retain(|value| seen.insert(value.clone()));
    values
}

#[cfg(test)]
mod tests {
    use crate::config::parse;

    #[test]
    fn what_is_watched_unasked_may_be_routed_and_need_not_be() {
        let with_route = |matches: &str| {
            let text = format!(
                r#"
[workspace]
name = "acme"
[customerio]
signing_keys = ["env:KEY"]
[[receivers]]
name = "screen"
type = "console"
[[routes]]
match = {matches}
receivers = ["screen"]
[[routes]]
match = {{ severity = "critical" }}
receivers = ["screen"]
[[rules]]
name = "failing"
events = ["email_failed"]
count = {{ at_least = 3, within = "10m" }}
severity = "critical"
"#
            );
            parse::check(&text).problems.iter().map(|p| p.what.clone()).collect::<Vec<_>>()
        };
        assert_eq!(with_route(r#"{ kind = ["lag", "drafts"] }"#), Vec::<String>::new());
        assert_eq!(with_route(r#"{ kind = "drafts", source = "campaign:5", channel = "sms" }"#), Vec::<String>::new());
        let never = with_route(r#"{ channel = "sms" }"#);
        assert!(matches!(never.as_slice(), [one] if one.contains("never matches")), "{never:?}");
    }
}
