//! Configurations: one example, and what a seed makes of it.

use std::sync::OnceLock;

use jiff::SignedDuration;

use super::random::Random;
use crate::config::{Config, parse};
use crate::incident::Severity;

const EXAMPLE: &str = r##"
[workspace]
name = "acme"
timezone = "UTC"
[customerio]
region = "us"
workspace_id = 1
signing_keys = ["env:KEY"]
[[receivers]]
name = "pager"
type = "pagerduty"
routing_key = "env:A"
fallback = "audit"
[[receivers]]
name = "hook"
type = "slack"
webhook_url = "env:B"
fallback = "audit"
[[receivers]]
name = "bot"
type = "slack"
bot_token = "env:C"
channel = "#x"
[[receivers]]
name = "audit"
type = "console"
[[routes]]
match = { severity = "critical" }
receivers = ["pager", "hook"]
[[routes]]
receivers = ["hook", "bot"]
[[rules]]
name = "by-cause"
events = ["email_failed", "sms_failed"]
group_by = ["cause"]
count = { at_least = 3, within = "10m" }
severity = "critical"
[[rules]]
name = "by-source"
events = ["email_failed", "email_bounced"]
group_by = ["source"]
count = { at_least = 2, within = "20m" }
severity = "warning"
[[rules]]
name = "bounce-rate"
events = ["email_bounced"]
group_by = ["source"]
rate = { of = "email_sent", above = 0.2, below = 0.16, within = "30m", lag = "10m" }
severity = "critical"
[[heartbeats]]
name = "beat"
source = "campaign:5"
event = "email_sent"
at_least = 1
every = "hour"
severity = "warning"
[storm]
group_wait = "0s"
update_every = "5m"
repeat_every = "1h"
[ignore]
recipients = ["*@example.com"]
[digest]
at = "08:00"
receivers = ["bot"]
"##;

/// A rule as the oracle knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSetup {
    pub name: &'static str,
    pub events: &'static [&'static str],
    pub by: By,
    pub at_least: usize,
    /// Minutes.
    pub within: i64,
    pub severity: Severity,
    pub rate: Option<RateSetup>,
}

/// What makes a rule one of rates: of `email_sent`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateSetup {
    pub above: f64,
    pub below: f64,
    /// Minutes.
    pub lag: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Cause,
    Source,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    pub rules: Vec<RuleSetup>,
    /// Receivers of what is critical, and of the rest.
    pub critical: Vec<&'static str>,
    pub others: Vec<&'static str>,
    /// What the webhook's receiver is called.
    pub hook: &'static str,
    pub fallbacks: bool,
    pub group_wait_s: i64,
    pub open_incidents: u64,
    pub heartbeat: bool,
    pub digest: bool,
}

const BY_CAUSE: RuleSetup = RuleSetup {
    name: "by-cause",
    events: &["email_failed", "sms_failed"],
    by: By::Cause,
    at_least: 3,
    within: 10,
    severity: Severity::Critical,
    rate: None,
};

const BY_SOURCE: RuleSetup = RuleSetup {
    name: "by-source",
    events: &["email_failed", "email_bounced"],
    by: By::Source,
    at_least: 2,
    within: 20,
    severity: Severity::Warning,
    rate: None,
};

/// Seven failures at least, as every rate (docs/rates.md).
pub const BOUNCE_RATE: RuleSetup = RuleSetup {
    name: "bounce-rate",
    events: &["email_bounced"],
    by: By::Source,
    at_least: 7,
    within: 30,
    severity: Severity::Critical,
    rate: Some(RateSetup { above: 0.2, below: 0.16, lag: 10 }),
};

impl Setup {
    pub fn of(random: &mut Random) -> Self {
        let mut rules = vec![BY_CAUSE];
        if random.chance(600) {
            rules.push(BY_SOURCE);
        }
        Self {
            rules,
            critical: random.pick(&[vec!["pager", "hook"], vec!["pager"], vec!["pager", "bot", "audit"]]),
            others: random.pick(&[vec!["hook", "bot"], vec!["bot"], vec!["hook", "pager"]]),
            hook: "hook",
            fallbacks: random.chance(800),
            group_wait_s: random.pick(&[0, 0, 45]),
            open_incidents: random.pick(&[200, 200, 1, 2]),
            heartbeat: random.chance(250),
            digest: random.chance(300),
        }
    }

    /// The same with one thing changed, as people change configurations.
    pub fn changed(&self, random: &mut Random) -> Self {
        let mut next = self.clone();
        match random.below(6) {
            0 => next.rules.retain(|rule| rule.name != "by-cause"),
            1 => next.rules.retain(|rule| rule.name != "by-source"),
            2 => next.rules = vec![BY_CAUSE, RuleSetup { severity: Severity::Critical, ..BY_SOURCE }],
            3 => next.hook = "hook2",
            4 => next.others = vec!["bot"],
            _ => next.open_incidents = random.pick(&[1, 2, 200]),
        }
        next
    }

    /// A receiver's name in this configuration.
    pub fn name(&self, receiver: &'static str) -> &'static str {
        if receiver == "hook" { self.hook } else { receiver }
    }

    pub fn has(&self, receiver: &str) -> bool {
        ["pager", "hook", "bot", "audit"].iter().any(|known| self.name(known) == receiver)
    }

    pub fn rule(&self, name: &str) -> Option<&RuleSetup> {
        self.rules.iter().find(|rule| rule.name == name)
    }

    /// Who hears of an incident of this severity.
    pub fn routed(&self, severity: Severity) -> Vec<&'static str> {
        let to = if severity == Severity::Critical { &self.critical } else { &self.others };
        to.iter().map(|receiver| self.name(receiver)).collect()
    }

    pub fn fallback_of(&self, receiver: &str) -> Option<&'static str> {
        (self.fallbacks && (receiver == "pager" || receiver == self.hook)).then_some("audit")
    }

    pub fn config(&self) -> Config {
        static PARSED: OnceLock<Config> = OnceLock::new();
        let parsed = PARSED.get_or_init(|| {
            let parsed = parse::parse(EXAMPLE);
            parsed.config.unwrap_or_else(|| panic!("the example is valid: {:?}", parsed.problems))
        });
        let mut config = parsed.clone();
        config.rules.retain_mut(|rule| match self.rule(&rule.name) {
            Some(setup) => {
                rule.severity = setup.severity;
                true
            }
            None => false,
        });
        for receiver in &mut config.receivers {
            receiver.fallback = receiver.fallback.take().filter(|_| self.fallbacks);
            if receiver.name == "hook" {
                receiver.name = self.hook.to_owned();
            }
        }
        let named = |list: &[&'static str]| list.iter().map(|r| self.name(r).to_owned()).collect();
        for (route, list) in config.routes.iter_mut().zip([&self.critical, &self.others]) {
            route.receivers = named(list);
        }
        config.storm.group_wait = SignedDuration::from_secs(self.group_wait_s);
        config.storm.open_incidents = self.open_incidents;
        config.heartbeats.retain(|_| self.heartbeat);
        config.digest = config.digest.filter(|_| self.digest);
        config
    }
}
