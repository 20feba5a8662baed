//! PagerDuty: trigger and resolve over the Events API v2.
//! Source of what an answer means: developer.pagerduty.com, Events API v2 overview and "Send an Alert Event".

mod event;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use hyper::Uri;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;

pub use event::{DEDUP_KEY_CHARS, EVENT_BYTES, SUMMARY_CHARS, dedup_key, event};

use super::http::{Answer, BadAddress, Client, Failure, under};
use super::pace::{self, Pace};
use super::{Outcome, Receiver, credential};
use crate::clock::Clock;
use crate::config::schema::SEND_TIMEOUT;
use crate::config::secrets::Secret;
use crate::incident::told::Receipt;
use crate::message::{Message, Phase};

/// Where events go; appended to the configured base address.
pub const PATH: &str = "/v2/enqueue";

/// About 120 events a minute and integration key, in a sliding window.
/// Source: developer.pagerduty.com, Events API v2 rate limits.
pub const PACE: (usize, SignedDuration) = (120, SignedDuration::from_secs(60));

/// Room for the names of a roll-up in the details, in characters: far below what an event may hold, and enough to read.
pub const NAMES_CHARS: usize = 6_000;

/// One PagerDuty service, by its integration key.
pub struct PagerDuty {
    client: Client,
    clock: Arc<dyn Clock>,
    url: Uri,
    routing_key: Secret,
    pace: Mutex<Pace>,
}

impl PagerDuty {
    /// `base` is the address without `/v2/enqueue`.
    pub fn new(client: Client, clock: Arc<dyn Clock>, base: &str, routing_key: Secret) -> Result<Self, BadAddress> {
        let (burst, per) = PACE;
        Ok(Self { client, clock, url: under(base, PATH)?, routing_key, pace: Mutex::new(Pace::new(burst, per)) })
    }

    fn receipt(&self, answer: &Answer, message: &Message) -> Receipt {
        let theirs = serde_json::from_str::<Reply>(&answer.body).ok().and_then(|r| r.dedup_key);
        Receipt {
            place: None,
            id: Some(theirs.unwrap_or_else(|| dedup_key(&message.key))),
            credential: Some(credential::fingerprint(&self.routing_key)),
        }
    }

    fn outcome(&self, answer: &Answer, message: &Message) -> Outcome {
        let words = Reply::words(&answer.body);
        let why = match words.is_empty() {
            true => format!("PagerDuty answered {}", answer.status),
            false => {
                format!("PagerDuty answered {}: {}", answer.status, credential::words(&words, &self.routing_key))
            }
        };
        match answer.status {
            200..=299 => Outcome::Delivered(self.receipt(answer, message)),
            // A gateway speaks for itself: what is behind it may have taken the event.
            502 | 504 => Outcome::Lost(why),
            408 | 429 | 500..=599 => Outcome::Retry { after: answer.retry_after, why },
            400 if speaks_of_the_key(&words) => Outcome::BadReceiver(why),
            300..=399 | 401 | 403 | 404 | 410 => Outcome::BadReceiver(why),
            _ => Outcome::BadMessage(why),
        }
    }
}

/// The answer's body, of which nothing is certain.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Reply {
    message: Option<String>,
    errors: Value,
    dedup_key: Option<String>,
}

impl Reply {
    fn words(body: &str) -> String {
        let reply: Reply = serde_json::from_str(body).unwrap_or_default();
        let mut errors = Vec::new();
        strings(&reply.errors, &mut errors);
        if errors.is_empty() { reply.message.unwrap_or_default() } else { errors.join("; ") }
    }
}

/// The texts of a list, wherever they stand in it.
fn strings(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, out)),
        Value::Object(entries) => entries.values().for_each(|item| strings(item, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn speaks_of_the_key(words: &str) -> bool {
    let words = words.to_lowercase();
    ["routing_key", "routing key", "integration key", "service key"].iter().any(|name| words.contains(name))
}

#[async_trait]
impl Receiver for PagerDuty {
    async fn send(&self, message: &Message, previous: Option<&Receipt>) -> Outcome {
        if message.phase == Phase::Digest {
            return Outcome::BadMessage("a digest would page somebody: route it to a receiver that posts".into());
        }
        let opened_with = previous.and_then(|p| p.credential.as_ref());
        if message.phase.is_over() && opened_with.is_some_and(|c| *c != credential::fingerprint(&self.routing_key)) {
            // PagerDuty accepts such a resolve and drops it: dedup keys belong to their routing key.
            let why =
                "it was opened with another routing key, so PagerDuty would ignore the resolve: resolve it by hand";
            return Outcome::BadMessage(why.into());
        }
        let now = self.clock.now();
        if let Err(wait) = pace::take(&self.pace, now) {
            return Outcome::Retry { after: Some(wait), why: "pacing: 120 events a minute and key".into() };
        }
        let body = event(message, self.routing_key.reveal()).to_string().into_bytes();
        match self.client.post_json(&self.url, &[], body, SEND_TIMEOUT, now).await {
            Ok(answer) => {
                if let (429, Some(after)) = (answer.status, answer.retry_after) {
                    pace::quiet(&self.pace, now, after);
                }
                self.outcome(&answer, message)
            }
            Err(failure @ (Failure::Timeout { .. } | Failure::Reset | Failure::Other)) => {
                Outcome::Lost(format!("PagerDuty: {failure}"))
            }
            Err(failure) => Outcome::Retry { after: None, why: format!("PagerDuty: {failure}") },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::ManualClock;
    use crate::receivers::testing::{StandIn, kind_of, message, now};

    const KEY: &str = "R03E5RZ2XYZ0123456789ABCDEFGHIJK";

    fn receiver(server: &StandIn) -> PagerDuty {
        let clock = Arc::new(ManualClock::at(now()));
        PagerDuty::new(Client::new(), clock, &server.url(""), Secret::new(KEY)).unwrap()
    }

    #[tokio::test]
    async fn each_status_means_what_pagerduty_says_it_means() {
        let server = StandIn::start().await;
        let echo = format!(r#"{{"status":"invalid event","message":"m","errors":["bad thing {KEY}"]}}"#);
        let invalid_key = r#"{"status":"invalid event","errors":["Invalid routing key"]}"#;
        for (status, body, want) in [
            (202, r#"{"status":"success","dedup_key":"theirs"}"#, "delivered"),
            (200, "", "delivered"),
            (302, "", "bad receiver"),
            (400, echo.as_str(), "bad message"),
            (400, invalid_key, "bad receiver"),
            (400, r#"{"errors":"'routing_key' is missing or blank"}"#, "bad receiver"),
            (401, echo.as_str(), "bad receiver"),
            (403, echo.as_str(), "bad receiver"),
            (404, "<html>not here</html>", "bad receiver"),
            (408, "", "retry"),
            (410, "", "bad receiver"),
            (413, echo.as_str(), "bad message"),
            (422, echo.as_str(), "bad message"),
            (429, echo.as_str(), "retry"),
            (500, echo.as_str(), "retry"),
            (502, "", "retry"),
            (503, "{\"errors\":7}", "retry"),
            (504, "", "retry"),
        ] {
            server.answer(status, &[], body);
            let outcome = receiver(&server).send(&message(Phase::Opened), None).await;
            assert_eq!(kind_of(&outcome), want, "{status} {body}");
            assert!(!format!("{outcome:?}").contains(KEY), "{outcome:?}");
            let requests = server.requests();
            assert_eq!(requests.len(), 1, "one call for {status}");
            assert_eq!(requests[0].path, "/v2/enqueue");
            assert_eq!(requests[0].json()["routing_key"], KEY);
        }
    }

    #[tokio::test]
    async fn the_error_tells_what_pagerduty_did_not_like() {
        let server = StandIn::start().await;
        server.answer(
            400,
            &[],
            r#"{"message":"Event object is invalid","errors":["Length of 'summary' is too long"]}"#,
        );
        let outcome = receiver(&server).send(&message(Phase::Opened), None).await;
        let why = "PagerDuty answered 400: Length of 'summary' is too long";
        assert_eq!(outcome, Outcome::BadMessage(why.into()));
    }

    #[tokio::test]
    async fn retry_after_is_honoured_and_nothing_is_sent_before() {
        let server = StandIn::start().await;
        let receiver = receiver(&server);
        server.answer(429, &[("retry-after", "17")], "");
        for calls in [1, 0] {
            let outcome = receiver.send(&message(Phase::Opened), None).await;
            assert!(matches!(outcome, Outcome::Retry { after: Some(Duration { .. }), .. }), "{outcome:?}");
            assert_eq!(server.requests().len(), calls);
        }
    }

    #[tokio::test]
    async fn a_receipt_remembers_the_dedup_key_and_which_routing_key_it_was() {
        let server = StandIn::start().await;
        server.answer(202, &[], r#"{"status":"success","dedup_key":"theirs"}"#);
        let receiver = receiver(&server);
        let Outcome::Delivered(receipt) = receiver.send(&message(Phase::Opened), None).await else {
            panic!("not delivered")
        };
        assert_eq!(receipt.id.as_deref(), Some("theirs"));
        assert_eq!(kind_of(&receiver.send(&message(Phase::Resolved), Some(&receipt)).await), "delivered");
        let stranger = Receipt { credential: Some("0000000000000000".into()), ..receipt };
        assert_eq!(kind_of(&receiver.send(&message(Phase::Resolved), Some(&stranger)).await), "bad message");
        assert_eq!(kind_of(&receiver.send(&message(Phase::Worsened), Some(&stranger)).await), "delivered");
        assert_eq!(server.requests().len(), 3);
    }

    #[tokio::test]
    async fn a_burst_goes_out_and_the_121st_waits_without_a_call() {
        let server = StandIn::start().await;
        server.answer(202, &[], "");
        let receiver = receiver(&server);
        for _ in 0..120 {
            assert_eq!(kind_of(&receiver.send(&message(Phase::Opened), None).await), "delivered");
        }
        let outcome = receiver.send(&message(Phase::Opened), None).await;
        let want =
            Outcome::Retry { after: Some(Duration::from_secs(60)), why: "pacing: 120 events a minute and key".into() };
        assert_eq!(outcome, want);
        assert_eq!(server.requests().len(), 120);
    }

    #[tokio::test]
    async fn a_pager_takes_no_digest_and_a_dead_host_is_tried_again() {
        let server = StandIn::start().await;
        assert_eq!(kind_of(&receiver(&server).send(&message(Phase::Digest), None).await), "bad message");
        server.hang_up();
        assert_eq!(kind_of(&receiver(&server).send(&message(Phase::Opened), None).await), "retry");
    }
}
