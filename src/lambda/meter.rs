//! Metrics, as log lines in CloudWatch's embedded metric format: no call, no permission, no SDK.
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//!
//! A line a request would cost a fifth of what a webhook may cost, so counts are kept and said together: the first
//! one at once, then at most every [`EVERY`], or [`EVERY_NOTABLE`] when there is something that an alarm waits for.
//! What an environment still holds when it is stopped is lost; alarms must not depend on exact sums.

use std::collections::BTreeMap;
use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::receivers::Outcome;
use crate::steps::ingest::Answer;

/// The namespace of all metrics. Their dimension is `FunctionName`, and what the metric names besides: never a source.
pub const NAMESPACE: &str = "CioAlertBridge";

/// Counts are said at most this often.
pub const EVERY: SignedDuration = SignedDuration::from_secs(60);

/// Counts that an alarm waits for are said at most this often.
pub const EVERY_NOTABLE: SignedDuration = SignedDuration::from_secs(10);

/// A metric, in the unit Count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    name: &'static str,
    is_notable: bool,
}

const fn quiet(name: &'static str) -> Metric {
    Metric { name, is_notable: false }
}

const fn notable(name: &'static str) -> Metric {
    Metric { name, is_notable: true }
}

/// A signature that one of our keys made.
pub const VERIFIED: Metric = quiet("Verified");
/// A well-formed signature that no key of ours made, from anywhere.
pub const SIGNATURE_FAILURES: Metric = notable("SignatureFailures");
/// The same, from an address that Customer.io lists: with no `Verified` beside it, the key changed.
pub const SIGNATURE_FAILURES_FROM_SENDER: Metric = notable("SignatureFailuresFromSender");
/// A request that could not be verified because keys could not be read.
pub const KEYS_UNREADABLE: Metric = notable("KeysUnreadable");
/// A signed request over 256 KiB.
pub const TOO_LARGE: Metric = notable("TooLarge");
/// A signed request that could not be understood.
pub const QUARANTINED: Metric = notable("Quarantined");
/// A message of the events or hints queue that is to come again.
pub const MESSAGES_FAILED: Metric = notable("MessagesFailed");
/// A notification, by `Receiver` and `Outcome`.
pub const NOTIFICATIONS: Metric = quiet("Notifications");

/// `Verified`, by the key's place in `signing_keys`.
const VERIFIED_BY: [Metric; 3] = [quiet("VerifiedByKey0"), quiet("VerifiedByKey1"), quiet("VerifiedByKey2")];
const VERIFIED_BY_LATER: Metric = quiet("VerifiedByLaterKey");

/// `Verified`, by the key's place in `signing_keys`, from 0.
pub fn verified_by(key: usize) -> Metric {
    VERIFIED_BY.get(key).copied().unwrap_or(VERIFIED_BY_LATER)
}

/// Answers by status code.
pub const fn answered(answer: Answer) -> Metric {
    match answer {
        Answer::Taken => quiet("Answer200"),
        Answer::Malformed => notable("Answer400"),
        Answer::NotAuthentic => notable("Answer401"),
        Answer::NotFound => quiet("Answer404"),
        Answer::MethodNotAllowed => quiet("Answer405"),
        Answer::TooLarge => notable("Answer413"),
        Answer::Unavailable => notable("Answer503"),
    }
}

/// The word for an outcome in the dimension `Outcome`.
pub const fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered(_) => "delivered",
        Outcome::Retry { .. } | Outcome::Lost(_) => "retry",
        Outcome::BadMessage(_) => "bad_message",
        Outcome::BadReceiver(_) => "bad_receiver",
    }
}

/// Dimensions besides `FunctionName`, by name.
type Labels = Vec<(&'static str, String)>;

/// Counts until they are said.
pub struct Meter {
    function: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    counts: BTreeMap<Labels, BTreeMap<&'static str, u64>>,
    holds_notable: bool,
    said: Option<Timestamp>,
    said_notable: Option<Timestamp>,
}

impl Meter {
    /// For the function that the environment names.
    pub fn of_this_function() -> Self {
        Self::new(std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|_| "unknown".to_owned()))
    }

    pub fn new(function: String) -> Self {
        Self { function, state: Mutex::default() }
    }

    pub fn count(&self, metric: Metric, n: u64) {
        self.count_labelled(metric, Labels::new(), n);
    }

    /// Counts a notification, or an attempt at one.
    pub fn notified(&self, receiver: &str, outcome: &'static str) {
        let labels = vec![("Receiver", receiver.to_owned()), ("Outcome", outcome.to_owned())];
        self.count_labelled(NOTIFICATIONS, labels, 1);
    }

    fn count_labelled(&self, metric: Metric, labels: Labels, n: u64) {
        if n > 0 {
            let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
            *state.counts.entry(labels).or_default().entry(metric.name).or_default() += n;
            state.holds_notable |= metric.is_notable;
        }
    }

    /// Says what is due to be said.
    pub fn say(&self, now: Timestamp) {
        print(&self.due(now));
    }

    /// Says all it holds: for functions that run seldom.
    pub fn say_all(&self, now: Timestamp) {
        print(&self.take_all(now));
    }

    /// The lines for all it holds.
    pub(super) fn take_all(&self, now: Timestamp) -> Vec<String> {
        let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        self.take(&mut state, now)
    }

    fn due(&self, now: Timestamp) -> Vec<String> {
        let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        let is_over = |since: Option<Timestamp>, wait| since.is_none_or(|at| now.duration_since(at) >= wait);
        // Two clocks: a quiet line just before must not keep a notable one back, for no other request may come.
        let notable = state.holds_notable && is_over(state.said_notable, EVERY_NOTABLE);
        if notable || is_over(state.said, EVERY) { self.take(&mut state, now) } else { Vec::new() }
    }

    fn take(&self, state: &mut State, now: Timestamp) -> Vec<String> {
        if state.counts.is_empty() {
            return Vec::new();
        }
        state.said = Some(now);
        if std::mem::take(&mut state.holds_notable) {
            state.said_notable = Some(now);
        }
        let counts = std::mem::take(&mut state.counts);
        counts.iter().map(|(labels, counts)| self.line(labels, counts, now)).collect()
    }

    fn line(&self, labels: &Labels, counts: &BTreeMap<&'static str, u64>, now: Timestamp) -> String {
        let dimensions: Vec<&str> = ["FunctionName"].into_iter().chain(labels.iter().map(|(name, _)| *name)).collect();
        let metrics: Vec<Value> = counts.keys().map(|name| json!({ "Name": name, "Unit": "Count" })).collect();
        let mut line = Map::new();
        line.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": now.as_millisecond(),
                "CloudWatchMetrics": [{ "Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": metrics }],
            }),
        );
        line.insert("FunctionName".to_owned(), json!(self.function));
        line.extend(labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        line.extend(counts.iter().map(|(name, n)| ((*name).to_owned(), json!(n))));
        Value::Object(line).to_string()
    }
}

/// On stdout, where the platform looks for them.
fn print(lines: &[String]) {
    for line in lines {
        println!("{line}");
    }
}

/// Counts an attempt that is broken off as one without an answer.
pub struct Attempt<'a> {
    pub meter: &'a Meter,
    pub receiver: &'a str,
    pub outcome: &'static str,
}

impl<'a> Attempt<'a> {
    pub fn of(meter: &'a Meter, receiver: &'a str) -> Self {
        Self { meter, receiver, outcome: "no_answer" }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.meter.notified(self.receiver, self.outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_507_200 + second).expect("a time")
    }

    #[test]
    fn a_line_is_what_cloudwatch_reads_metrics_from() {
        let meter = Meter::new("acme-ingest".into());
        meter.count(VERIFIED, 2);
        meter.count(answered(Answer::Taken), 2);
        meter.notified("on-call", "delivered");
        let lines = meter.due(t(0)).join("\n");
        insta::assert_snapshot!(lines, @r#"
        {"Answer200":2,"FunctionName":"acme-ingest","Verified":2,"_aws":{"CloudWatchMetrics":[{"Dimensions":[["FunctionName"]],"Metrics":[{"Name":"Answer200","Unit":"Count"},{"Name":"Verified","Unit":"Count"}],"Namespace":"CioAlertBridge"}],"Timestamp":1795507200000}}
        {"FunctionName":"acme-ingest","Notifications":1,"Outcome":"delivered","Receiver":"on-call","_aws":{"CloudWatchMetrics":[{"Dimensions":[["FunctionName","Receiver","Outcome"]],"Metrics":[{"Name":"Notifications","Unit":"Count"}],"Namespace":"CioAlertBridge"}],"Timestamp":1795507200000}}
        "#);
    }

    #[test]
    fn good_news_is_said_once_a_minute_and_bad_news_soon() {
        let meter = Meter::new("f".into());
        let said = |at: i64, metric| {
            meter.count(metric, 1);
            meter.due(t(at)).len()
        };
        for (at, metric, want, why) in [
            (0, VERIFIED, 1, "the first is said at once"),
            (1, VERIFIED, 0, "a minute is not over"),
            (2, SIGNATURE_FAILURES, 1, "nothing notable was said yet"),
            (3, SIGNATURE_FAILURES, 0, "just said"),
            (12, VERIFIED, 1, "the failure of second 3 is due, whatever comes by"),
            (13, VERIFIED, 0, "a minute is not over"),
            (72, VERIFIED, 1, "now it is"),
        ] {
            assert_eq!(said(at, metric), want, "second {at}: {why}");
        }
    }

    #[test]
    fn nothing_counted_is_nothing_said() {
        let meter = Meter::new("f".into());
        meter.count(MESSAGES_FAILED, 0);
        assert!(meter.due(t(0)).is_empty());
    }

    #[test]
    fn an_attempt_that_is_broken_off_had_no_answer() {
        let meter = Meter::new("f".into());
        drop(Attempt::of(&meter, "on-call"));
        assert!(meter.due(t(0)).join("").contains(r#""Outcome":"no_answer""#));
    }
}
