//! What is sent in a round, and what it demands.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::Random;
use crate::support::event::event;

/// Two rules that page from the third failure of a source on; the second one is taken out of the configuration in the
/// end, which closes its incidents.
pub const RULES: [&str; 2] = [
    r#"
[[rules]]
name = "failing"
events = ["email_failed", "sms_failed", "push_failed"]
sources = ["transactional:1*", "transactional:3*"]
group_by = ["source"]
count = { at_least = 3, within = "10m" }
severity = "critical"
"#,
    r#"
[[rules]]
name = "passing"
events = ["email_failed", "sms_failed", "push_failed"]
sources = ["transactional:2*"]
group_by = ["source"]
count = { at_least = 3, within = "10m" }
severity = "critical"
"#,
];

/// `at_least` of both rules.
pub const AT_LEAST: u64 = 3;

/// Sources that fail often enough, of each rule. Slack takes 30 messages at once: more would be told in a roll-up.
const PAGING: u64 = 6;
/// Sources that fail twice only: one of them counted twice would page.
const QUIET: u64 = 12;

/// How old an event is at most when it is made: within the rules' window, and the round itself takes minutes at most.
const OLDEST_S: u64 = 90;

/// Kinds that no rule speaks of, and all that are sent.
const OTHERS: [(&str, &str); 5] =
    [("email", "sent"), ("email", "delivered"), ("email", "opened"), ("email", "bounced"), ("push", "sent")];
const FAILURES: [(&str, &str); 3] = [("email", "failed"), ("sms", "failed"), ("push", "failed")];

/// Every kind of event that is sent.
pub fn kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    OTHERS.into_iter().chain(FAILURES)
}

/// Where a register counts an event: its kind, its source and the minute of its time.
pub type Place = (String, String, i64);

pub struct Plan {
    pub bodies: Vec<Vec<u8>>,
    /// How many events each register must hold in the end.
    pub counts: BTreeMap<Place, u64>,
    /// Sources that must be told of, with how many failures there are.
    pub paging: BTreeMap<String, u64>,
    /// Those of them that must be told to be over in the end.
    pub passing: BTreeSet<String>,
}

impl Plan {
    /// So many events, at least those that the rules speak of.
    pub fn new(random: &mut Random, events: usize, now: Timestamp) -> Self {
        let mut failing = Vec::new();
        let mut paging = BTreeMap::new();
        for (first, rule) in [(100, PAGING), (200, PAGING)] {
            for id in first..first + rule {
                let failures = random.within(AT_LEAST..9);
                paging.insert(format!("transactional:{id}"), failures);
                failing.extend((0..failures).map(|_| format!("transactional:{id}")));
            }
        }
        failing.extend((300..300 + QUIET).flat_map(|id| [(); 2].map(|()| format!("transactional:{id}"))));
        let passing = paging.keys().filter(|source| source.starts_with("transactional:2")).cloned().collect();
        let mut plan = Self { bodies: Vec::new(), counts: BTreeMap::new(), paging, passing };
        let mut left = failing.into_iter().peekable();
        while plan.bodies.len() < events || left.peek().is_some() {
            // Failures are spread over the whole round.
            let others = events.saturating_sub(plan.bodies.len());
            let fails = left.len() as u64 > random.below(others.max(1) as u64);
            match left.next_if(|_| fails) {
                Some(source) => plan.push(random, FAILURES, &source, now),
                None => {
                    let source = format!("campaign:{}", random.within(1..31));
                    plan.push(random, OTHERS, &source, now);
                }
            }
        }
        plan
    }

    fn push<const N: usize>(&mut self, random: &mut Random, of: [(&str, &str); N], source: &str, now: Timestamp) {
        let (channel, metric) = random.pick(&of);
        let at = now - SignedDuration::from_secs(i64::try_from(random.below(OLDEST_S)).expect("fits"));
        let mut event = event(channel, metric).of(source).at(at);
        if matches!(metric, "failed" | "bounced") {
            event = event.message("Variable 'customer.name' is missing");
        }
        self.bodies.push(event.bytes());
        let place = (format!("{channel}_{metric}"), source.to_owned(), at.as_second().div_euclid(60));
        *self.counts.entry(place).or_default() += 1;
    }

    /// The minutes that its events fall in, first and last.
    pub fn minutes(&self) -> (i64, i64) {
        let minutes = || self.counts.keys().map(|(_, _, minute)| *minute);
        (minutes().min().unwrap_or(0), minutes().max().unwrap_or(0))
    }
}
