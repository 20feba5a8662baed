//! Why a leg may have lost something: what was found beside the counts, as reasons with their evidence.

use serde::{Deserialize, Serialize};

use super::compare::{Leg, Verdict};
use super::day::{Counts, Received};
use crate::diagnose::near::differs;
use crate::heartbeat::why::RUNNING;
use crate::message::text::number;

/// What was found of one event's day beside its counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// By the day's hours; empty when it is not known.
    pub fired: Vec<u64>,
    pub received: Vec<u64>,
    /// Received events that belong to no profile.
    pub nobody: u64,
    /// Received events of people that `[ignore] recipients` names.
    pub tests: u64,
    /// Received in the day's time, with a time stamp more than 72 h older.
    pub too_old: u64,
    /// The workflow's state, the event that starts it, and how many filters it has.
    pub state: Option<String>,
    pub trigger: Option<String>,
    pub filters: u64,
    /// Names like this one that were seen and nobody declared.
    pub alike: Vec<String>,
    pub unsent: Unsent,
}

/// Messages that were made and not sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsent {
    pub drafted: u64,
    pub failed: u64,
    pub undeliverable: u64,
}

/// A likely reason, the likeliest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Reason {
    NameDrift { seen: String },
    RateLimit { lost: u64, hours: u64 },
    TooOld { count: u64 },
    NothingReceived,
    TestTraffic { count: u64 },
    Unreported { hours: u64 },
    Surplus,
    Scattered,
    Paused { state: String },
    OtherTrigger { trigger: String },
    Identifiers { count: u64 },
    Filters { count: u64 },
    Reentry,
    Drafted { count: u64 },
    Failed { count: u64 },
    Limited { count: u64 },
    Exits,
}

/// A burst: this share of what was lost, within this share of the hours, which fired this many times what is usual.
const BURST_LOST: f64 = 0.8;
const BURST_HOURS: usize = 8;
const BURST_TIMES: u64 = 3;

/// Of these many received events, one in twenty without a profile says something.
const NOTABLE: u64 = 20;

/// The likely reasons of a verdict; empty when nothing diverges.
pub fn reasons(verdict: Verdict, event: &str, counts: &Counts, evidence: &Evidence) -> Vec<Reason> {
    match verdict.leg() {
        Some(Leg::Receiving) => receiving(counts, evidence),
        Some(Leg::Entering) => entering(event, counts, evidence),
        Some(Leg::Sending) => sending(counts, evidence),
        None => Vec::new(),
    }
}

fn receiving(counts: &Counts, evidence: &Evidence) -> Vec<Reason> {
    let (fired, received) = (counts.fired.unwrap_or_default(), counts.received.exact().unwrap_or_default());
    let mut found = Vec::new();
    if received > fired {
        let hours = || evidence.fired.iter().zip(&evidence.received);
        let unreported = hours().filter(|(fired, received)| **fired == 0 && **received > 0).count() as u64;
        if evidence.tests > 0 {
            found.push(Reason::TestTraffic { count: evidence.tests });
        }
        if unreported > 0 {
            found.push(Reason::Unreported { hours: unreported });
        }
        found.push(Reason::Surplus);
        return found;
    }
    found.extend(evidence.alike.iter().map(|seen| Reason::NameDrift { seen: seen.clone() }));
    found.extend(burst(&evidence.fired, &evidence.received));
    if evidence.too_old > 0 {
        found.push(Reason::TooOld { count: evidence.too_old });
    }
    if found.is_empty() {
        found.push(if received == 0 { Reason::NothingReceived } else { Reason::Scattered });
    }
    found
}

/// Whether nearly all of what was lost was lost in a few hours that fired much more than usual.
fn burst(fired: &[u64], received: &[u64]) -> Option<Reason> {
    if fired.len() != received.len() {
        return None;
    }
    let mut sorted: Vec<u64> = fired.iter().copied().filter(|count| *count > 0).collect();
    sorted.sort_unstable();
    let median = sorted.get(sorted.len() / 2).copied().filter(|_| sorted.len() > 1)?;
    let lost = |(fired, received): (&u64, &u64)| fired.saturating_sub(*received);
    let all: u64 = fired.iter().zip(received).map(lost).sum();
    let busy =
        fired.iter().zip(received).filter(|pair| *pair.0 >= median.saturating_mul(BURST_TIMES) && lost(*pair) > 0);
    let (hours, there) = busy.fold((0_u64, 0_u64), |(hours, sum), pair| (hours + 1, sum + lost(pair)));
    let few = hours > 0 && hours as usize * BURST_HOURS <= fired.len();
    (few && there as f64 >= BURST_LOST * all as f64).then_some(Reason::RateLimit { lost: there, hours })
}

fn entering(event: &str, counts: &Counts, evidence: &Evidence) -> Vec<Reason> {
    let mut found = Vec::new();
    if let Some(state) = evidence.state.as_ref().filter(|state| *state != RUNNING) {
        found.push(Reason::Paused { state: state.clone() });
    }
    if let Some(trigger) = evidence.trigger.as_ref().filter(|trigger| *trigger != event) {
        found.push(Reason::OtherTrigger { trigger: trigger.clone() });
    }
    let received = match counts.received {
        Received::Exactly(count) | Received::AtLeast(count) => count,
        Received::Unknown => 0,
    };
    if evidence.nobody > 0 && evidence.nobody * NOTABLE >= received {
        found.push(Reason::Identifiers { count: evidence.nobody });
    }
    if evidence.too_old > 0 {
        found.push(Reason::TooOld { count: evidence.too_old });
    }
    if evidence.tests > 0 {
        found.push(Reason::TestTraffic { count: evidence.tests });
    }
    if found.is_empty() {
        if evidence.filters > 0 {
            found.push(Reason::Filters { count: evidence.filters });
        }
        found.push(Reason::Reentry);
    }
    found
}

fn sending(counts: &Counts, evidence: &Evidence) -> Vec<Reason> {
    let missing = counts.started.unwrap_or_default().saturating_sub(counts.messages.unwrap_or_default());
    let Unsent { drafted, failed, undeliverable } = evidence.unsent;
    let notable = |count: u64| count > 0 && count * NOTABLE >= missing;
    let mut found = Vec::new();
    if let Some(state) = evidence.state.as_ref().filter(|state| *state != RUNNING) {
        found.push(Reason::Paused { state: state.clone() });
    }
    if notable(drafted) {
        found.push(Reason::Drafted { count: drafted });
    }
    if notable(failed) {
        found.push(Reason::Failed { count: failed });
    }
    if notable(undeliverable) {
        found.push(Reason::Limited { count: undeliverable });
    }
    if found.is_empty() {
        found.push(Reason::Exits);
    }
    found
}

impl Reason {
    /// The reason in words, with what shows it.
    pub fn words(&self, event: &str) -> String {
        match self {
            Self::NameDrift { seen } => {
                let how = differs(seen, event).map_or_else(String::new, |how| format!(", which differs {}", how.how()));
                format!("name drift: `{seen}` was seen, and nobody declared it{how}")
            }
            Self::RateLimit { lost, hours } => format!(
                "rate limit: {} of the missing events were fired in {}, in bursts; look for 429 in the backend's log",
                number(*lost),
                plural(*hours, "hour", "hours")
            ),
            Self::TooOld { count } => format!(
                "{} came more than 72 h after their own time stamp: such events start no workflow, and count for an older day",
                plural(*count, "event", "events")
            ),
            Self::NothingReceived => {
                "nothing was received at all: wrong workspace, region or key, or another event name".to_owned()
            }
            Self::TestTraffic { count } => {
                format!(
                    "test traffic: {} of people that [ignore] recipients names",
                    plural(*count, "event is", "events are")
                )
            }
            Self::Unreported { hours } => format!(
                "the backend reported nothing for {} in which events came: its counts are not complete",
                plural(*hours, "hour", "hours")
            ),
            Self::Surplus => {
                "somebody else fires it too (another service, an import, a test), or the backend sends it twice"
                    .to_owned()
            }
            Self::Scattered => {
                "the loss is spread over the day: errors of the call that nobody retries, or a path that never fires"
                    .to_owned()
            }
            Self::Paused { state } => format!("the workflow is {state}"),
            Self::OtherTrigger { trigger } => format!("name drift: the workflow is started by `{trigger}`"),
            Self::Identifiers { count } => format!(
                "identifier mismatch: {} to no known person; the backend sends an id that the profiles do not have",
                plural(*count, "event belongs", "events belong")
            ),
            Self::Filters { count } => {
                format!("{} of the workflow may leave more people out than before", plural(*count, "filter", "filters"))
            }
            Self::Reentry => "re-entry: the same people come again, and the workflow takes them once".to_owned(),
            Self::Drafted { count } => {
                format!("{} for approval as drafts", plural(*count, "message waits", "messages wait"))
            }
            Self::Failed { count } => format!("{} failed before sending", plural(*count, "message", "messages")),
            Self::Limited { count } => {
                format!("{} stopped by a message limit", plural(*count, "message was", "messages were"))
            }
            Self::Exits => "people leave before the message: a delay, a branch or an exit condition".to_owned(),
        }
    }
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(leg: Leg, fired: u64, received: u64, evidence: Evidence) -> Vec<String> {
        let received = Received::Exactly(received);
        let counts = Counts { fired: Some(fired), received, started: Some(50), messages: Some(5) };
        let verdict = Verdict::Diverges { leg, got: 0, expected: 0 };
        let reasons = reasons(verdict, "Account Created", &counts, &evidence);
        reasons.iter().map(|reason| reason.words("Account Created")).collect()
    }

    #[test]
    fn each_common_mistake_is_named_by_its_evidence() {
        let none = Evidence::default;
        let mut fired = vec![10; 24];
        fired[14] = 500;
        let mut received = fired.clone();
        received[14] = 200;
        let text = |leg, fired, received, evidence| found(leg, fired, received, evidence).join("\n");
        let leg = Leg::Receiving;
        let alike = Evidence { alike: vec!["Account Crated".into()], ..none() };
        insta::assert_snapshot!([
            text(leg, 730, 430, Evidence { fired: fired.clone(), received, ..none() }),
            text(leg, 100, 0, alike),
            text(leg, 100, 80, Evidence { too_old: 20, ..none() }),
            text(leg, 100, 80, none()),
            text(leg, 100, 0, none()),
            text(leg, 100, 130, Evidence { tests: 30, ..none() }),
            text(leg, 230, 240, Evidence { fired: [vec![0], vec![10; 23]].concat(), received: vec![10; 24], ..none() }),
            text(Leg::Entering, 100, 100, Evidence { state: Some("stopped".into()), ..none() }),
            text(Leg::Entering, 100, 100, Evidence { trigger: Some("account_created".into()), ..none() }),
            text(Leg::Entering, 100, 100, Evidence { nobody: 40, ..none() }),
            text(Leg::Entering, 100, 100, Evidence { filters: 2, ..none() }),
            text(Leg::Sending, 100, 100, Evidence { unsent: Unsent { drafted: 40, failed: 1, undeliverable: 0 }, ..none() }),
            text(Leg::Sending, 100, 100, none()),
        ].join("\n--\n"), @r"
        rate limit: 300 of the missing events were fired in 1 hour, in bursts; look for 429 in the backend's log
        --
        name drift: `Account Crated` was seen, and nobody declared it, which differs in its spelling
        --
        20 events came more than 72 h after their own time stamp: such events start no workflow, and count for an older day
        --
        the loss is spread over the day: errors of the call that nobody retries, or a path that never fires
        --
        nothing was received at all: wrong workspace, region or key, or another event name
        --
        test traffic: 30 events are of people that [ignore] recipients names
        somebody else fires it too (another service, an import, a test), or the backend sends it twice
        --
        the backend reported nothing for 1 hour in which events came: its counts are not complete
        somebody else fires it too (another service, an import, a test), or the backend sends it twice
        --
        the workflow is stopped
        --
        name drift: the workflow is started by `account_created`
        --
        identifier mismatch: 40 events belong to no known person; the backend sends an id that the profiles do not have
        --
        2 filters of the workflow may leave more people out than before
        re-entry: the same people come again, and the workflow takes them once
        --
        40 messages wait for approval as drafts
        --
        people leave before the message: a delay, a branch or an exit condition
        ");
    }
}
