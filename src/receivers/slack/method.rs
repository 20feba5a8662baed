//! One address of Slack's: its own pace, what its answers mean, and one more try in plain text.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::Uri;
use hyper::header::{HeaderName, HeaderValue};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::DEFAULT_WAIT;
use super::codes::{self, Means};
use crate::clock::Clock;
use crate::config::secrets::Secret;
use crate::receivers::Outcome;
use crate::receivers::http::{Answer, Client};
use crate::receivers::pace::{self, Pace};

/// A call is not begun with less time than this left: it would likely be cut off after it was heard, and be said twice.
const LEAST_LEFT: Duration = Duration::from_millis(500);

/// What a message is sent as, and as what if Slack dislikes its shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    pub rich: Value,
    pub plain: Option<Value>,
}

impl Body {
    /// Puts `value` into both forms.
    pub fn with(mut self, name: &str, value: &Value) -> Self {
        for body in std::iter::once(&mut self.rich).chain(&mut self.plain).filter_map(Value::as_object_mut) {
            body.insert(name.to_owned(), value.clone());
        }
        self
    }
}

/// A message that Slack took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    pub ts: Option<String>,
    /// The channel's id, whatever name it was called by.
    pub channel: Option<String>,
}

/// Why it did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// For the earlier message, which is no longer there; a message of its own may pass.
    Gone(String),
    /// For the earlier message, which may not be touched; a message of its own may pass.
    Closed(String),
    /// For the channel; another that bears its name by now may take it.
    Channel(String),
    /// For nothing that saying it otherwise would change.
    Final(Outcome),
}

impl Refusal {
    /// What it means for a message that has nothing to do with earlier ones.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::Gone(why) | Self::Closed(why) => Outcome::BadMessage(why),
            Self::Channel(why) => Outcome::BadReceiver(why),
            Self::Final(outcome) => outcome,
        }
    }
}

/// An address, who calls it, and how often it may be called.
pub struct Method {
    pub client: Client,
    pub clock: Arc<dyn Clock>,
    pub url: Uri,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub secret: Secret,
    pace: Mutex<Pace>,
    /// In words, for the reason of a wait.
    pace_name: &'static str,
}

impl Method {
    pub fn new(
        (client, clock): (Client, Arc<dyn Clock>),
        url: Uri,
        headers: Vec<(HeaderName, HeaderValue)>,
        secret: Secret,
        (pace_name, (burst, per)): (&'static str, (usize, SignedDuration)),
    ) -> Self {
        Self { client, clock, url, headers, secret, pace: Mutex::new(Pace::new(burst, per)), pace_name }
    }

    /// Takes the right to one call.
    ///
    /// # Errors
    /// The wait until there is one.
    pub fn take(&self) -> Result<(), Outcome> {
        pace::take(&self.pace, self.clock.now())
            .map_err(|wait| Outcome::Retry { after: Some(wait), why: format!("pacing: {}", self.pace_name) })
    }

    /// Sends once, and once more in plain text when Slack refuses the shape; the right to it was taken before. All
    /// before `deadline`.
    pub async fn call(&self, body: &Body, deadline: Instant) -> Result<Taken, Refusal> {
        let (mut current, mut plain) = (&body.rich, body.plain.as_ref());
        loop {
            match (self.once(current, deadline).await, plain.take()) {
                (Verdict::Taken(taken), _) => return Ok(taken),
                (Verdict::Shape(_), Some(plainer)) => current = plainer,
                (Verdict::Shape(why), None) => return Err(Refusal::Final(Outcome::BadMessage(why))),
                (Verdict::Not(refusal), _) => return Err(refusal),
                (Verdict::Limited { after, why }, _) => {
                    pace::quiet(&self.pace, self.clock.now(), after);
                    return Err(Refusal::Final(Outcome::Retry { after: Some(after), why }));
                }
            }
        }
    }

    async fn once(&self, body: &Value, deadline: Instant) -> Verdict {
        let now = self.clock.now();
        let left = deadline.saturating_duration_since(Instant::now());
        if left < LEAST_LEFT {
            return Verdict::retry("Slack: too slow to say all of it in time".to_owned());
        }
        match self.client.post_json(&self.url, &self.headers, body.to_string().into_bytes(), left, now).await {
            Ok(answer) => judge(&answer, &self.secret),
            Err(failure) => Verdict::retry(format!("Slack: {failure}")),
        }
    }
}

/// What an answer means.
#[derive(Debug)]
enum Verdict {
    Taken(Taken),
    /// Refused for its blocks.
    Shape(String),
    /// Too much at once.
    Limited {
        after: Duration,
        why: String,
    },
    Not(Refusal),
}

impl Verdict {
    fn retry(why: String) -> Self {
        Self::Not(Refusal::Final(Outcome::Retry { after: None, why }))
    }
}

/// The Web API's answer; a webhook answers with a bare word.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Reply {
    ok: Option<bool>,
    error: Option<String>,
    ts: Option<String>,
    channel: Option<String>,
    retry_after: Option<u64>,
}

/// What an answer means, by its status and its code. Only codes are shown of it: a text could echo the address.
fn judge(answer: &Answer, secret: &Secret) -> Verdict {
    let body = answer.body.trim();
    let reply: Reply = serde_json::from_str(body).unwrap_or_default();
    let code = reply.error.as_deref().unwrap_or(body);
    let code = Some(code).filter(|c| codes::is_code(c) && !secret.reveal().contains(c));
    let why = match code {
        Some(code) => format!("Slack answered {} {code}", answer.status),
        None => format!("Slack answered {}", answer.status),
    };
    let wait = answer.retry_after.or_else(|| reply.retry_after.map(|s| Duration::from_secs(s.min(3600))));
    let refused = |outcome| Verdict::Not(Refusal::Final(outcome));
    let taken = reply.ok == Some(true) || body.is_empty() || body == "ok";
    match (answer.status, code.and_then(codes::means)) {
        (200..=299, _) if taken => Verdict::Taken(Taken { ts: reply.ts, channel: reply.channel }),
        (429, _) => Verdict::Limited { after: wait.unwrap_or(DEFAULT_WAIT), why },
        (408 | 500..=599, _) => refused(Outcome::Retry { after: wait, why }),
        (_, Some(Means::Limited)) => Verdict::Limited { after: wait.unwrap_or(DEFAULT_WAIT), why },
        (_, Some(Means::Retry)) => refused(Outcome::Retry { after: wait, why }),
        (_, Some(Means::Shape)) => Verdict::Shape(why),
        (_, Some(Means::Gone)) => Verdict::Not(Refusal::Gone(why)),
        (_, Some(Means::Closed)) => Verdict::Not(Refusal::Closed(why)),
        (_, Some(Means::Channel)) => Verdict::Not(Refusal::Channel(why)),
        (_, Some(Means::Message)) => refused(Outcome::BadMessage(why)),
        (_, Some(Means::Receiver)) | (300..=399 | 401 | 403 | 404 | 410, None) => refused(Outcome::BadReceiver(why)),
        // A success whose body is no word of Slack's is somebody else's page.
        (200..=299, None) if code.is_none() => {
            refused(Outcome::BadReceiver(format!("{why}, but not as Slack does: is the address right?")))
        }
        // A new word: what it forbids of an earlier message, it need not forbid of a new one.
        (200..=299, None) => Verdict::Not(Refusal::Closed(why)),
        (_, None) => refused(Outcome::BadMessage(why)),
    }
}
