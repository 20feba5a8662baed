//! Slack: an incoming webhook, or a bot that posts by `chat.postMessage` and keeps an incident in one thread.

mod blocks;
mod codes;
mod mrkdwn;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hyper::Uri;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

pub use blocks::{ALL_CHARS, BLOCKS, FIELD_CHARS, FIELDS, HEADER_CHARS, SECTION_CHARS, payload, plain_payload};

use self::codes::Means;
use super::http::{Answer, BadAddress, Client, address, moved, under};
use super::pace::{self, Pace};
use super::{Outcome, Receiver, credential};
use crate::clock::Clock;
use crate::config::schema::SEND_TIMEOUT;
use crate::config::secrets::Secret;
use crate::incident::told::Receipt;
use crate::message::{Message, Phase};

/// One message a second with short bursts, for a webhook and for a bot's channel alike.
/// Source: docs.slack.dev, rate limits.
pub const PACE: (usize, SignedDuration) = (30, SignedDuration::from_secs(30));

/// The wait after a 429 that names none. Slack may switch off an app that does not wait at all.
pub const DEFAULT_WAIT: Duration = Duration::from_secs(30);

/// Where a bot posts; appended to the base address.
pub const POST_MESSAGE: &str = "/api/chat.postMessage";

/// An incoming webhook: it posts to one channel, and what it posted it cannot find again.
pub struct SlackWebhook(Poster);

impl SlackWebhook {
    /// `base` replaces the scheme and host of the webhook's own address.
    pub fn new(
        client: Client,
        clock: Arc<dyn Clock>,
        webhook_url: Secret,
        base: Option<&str>,
    ) -> Result<Self, BadAddress> {
        let own = address(webhook_url.reveal())?;
        let url = base.map_or(Ok(own.clone()), |base| moved(&own, base))?;
        Ok(Self(Poster::new(client, clock, url, Vec::new(), webhook_url)))
    }
}

#[async_trait]
impl Receiver for SlackWebhook {
    async fn send(&self, message: &Message, _previous: Option<&Receipt>) -> Outcome {
        let (rich, plain) = (payload(message), plain_payload(message));
        match self.0.post(rich, plain).await {
            Ok(_) => {
                let credential = Some(credential::fingerprint(&self.0.secret));
                Outcome::Delivered(Receipt { id: None, place: None, credential })
            }
            Err(outcome) => outcome,
        }
    }
}

/// A bot: the later messages of an incident are replies to its first one.
pub struct SlackBot {
    poster: Poster,
    channel: String,
    /// Tells the bot's token and channel apart: a thread belongs to both.
    place: String,
}

impl SlackBot {
    /// `base` is the address without `/api/chat.postMessage`.
    pub fn new(
        client: Client,
        clock: Arc<dyn Clock>,
        base: &str,
        bot_token: Secret,
        channel: String,
    ) -> Result<Self, BadAddress> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", bot_token.reveal())).map_err(|_| BadAddress)?;
        bearer.set_sensitive(true);
        let place = credential::fingerprint(&Secret::new(format!("{} {channel}", bot_token.reveal())));
        let poster = Poster::new(client, clock, under(base, POST_MESSAGE)?, vec![(AUTHORIZATION, bearer)], bot_token);
        Ok(Self { poster, channel, place })
    }

    /// The message to reply to, for a phase that goes on with an incident.
    fn thread<'a>(&self, phase: Phase, previous: Option<&'a Receipt>) -> Option<&'a str> {
        let goes_on = matches!(phase, Phase::Worsened | Phase::StillOpen | Phase::Resolved);
        let here = previous.filter(|p| goes_on && p.credential.as_ref() == Some(&self.place))?;
        here.id.as_deref()
    }
}

#[async_trait]
impl Receiver for SlackBot {
    async fn send(&self, message: &Message, previous: Option<&Receipt>) -> Outcome {
        let thread = self.thread(message.phase, previous);
        let (mut rich, mut plain) = (payload(message), plain_payload(message));
        for body in [&mut rich, &mut plain].into_iter().filter_map(Value::as_object_mut) {
            body.insert("channel".to_owned(), json!(self.channel));
            if let Some(ts) = thread {
                body.insert(THREAD.to_owned(), json!(ts));
                // A reminder stays in the thread; what changes the picture is shown in the channel too.
                body.insert(BROADCAST.to_owned(), json!(message.phase != Phase::StillOpen));
            }
        }
        match self.poster.post(rich, plain).await {
            Ok(posted) => {
                let id = thread.filter(|_| posted.in_thread).map(str::to_owned).or(posted.ts);
                Outcome::Delivered(Receipt { id, place: None, credential: Some(self.place.clone()) })
            }
            Err(outcome) => outcome,
        }
    }
}

const THREAD: &str = "thread_ts";
const BROADCAST: &str = "reply_broadcast";

/// What both ways share: the pace, the answers, and one more try in plain text.
struct Poster {
    client: Client,
    clock: Arc<dyn Clock>,
    url: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
    secret: Secret,
    pace: Mutex<Pace>,
}

/// A message that Slack took.
#[derive(Debug)]
struct Posted {
    ts: Option<String>,
    in_thread: bool,
}

/// What an answer means.
#[derive(Debug)]
enum Verdict {
    Taken {
        ts: Option<String>,
    },
    /// Refused for its blocks.
    Shape(String),
    /// Refused for the thread it was to go to.
    Thread(String),
    Not(Outcome),
}

impl Poster {
    fn new(
        client: Client,
        clock: Arc<dyn Clock>,
        url: Uri,
        headers: Vec<(HeaderName, HeaderValue)>,
        secret: Secret,
    ) -> Self {
        let (burst, per) = PACE;
        Self { client, clock, url, headers, secret, pace: Mutex::new(Pace::new(burst, per)) }
    }

    /// Posts `rich`; `plain` when Slack refuses its shape; outside the thread when that is gone. All within
    /// [`SEND_TIMEOUT`].
    async fn post(&self, rich: Value, plain: Value) -> Result<Posted, Outcome> {
        if let Err(wait) = pace::take(&self.pace, self.clock.now()) {
            return Err(Outcome::Retry { after: Some(wait), why: "pacing: one message a second".into() });
        }
        let deadline = Instant::now() + SEND_TIMEOUT;
        let (mut body, mut plain, mut in_thread) = (rich, Some(plain), true);
        loop {
            match (self.once(&body, deadline).await, plain.take()) {
                (Verdict::Taken { ts }, _) => {
                    return Ok(Posted { ts, in_thread: in_thread && body.get(THREAD).is_some() });
                }
                (Verdict::Shape(_), Some(plainer)) => {
                    body = plainer;
                    if !in_thread {
                        leave_thread(&mut body);
                    }
                }
                (Verdict::Thread(_), rest) if in_thread && body.get(THREAD).is_some() => {
                    in_thread = false;
                    leave_thread(&mut body);
                    plain = rest;
                }
                (Verdict::Shape(why) | Verdict::Thread(why), _) => return Err(Outcome::BadMessage(why)),
                (Verdict::Not(outcome), _) => return Err(outcome),
            }
        }
    }

    async fn once(&self, body: &Value, deadline: Instant) -> Verdict {
        let now = self.clock.now();
        let left = deadline.saturating_duration_since(Instant::now());
        match self.client.post_json(&self.url, &self.headers, body.to_string().into_bytes(), left, now).await {
            Ok(answer) => {
                let verdict = judge(&answer, &self.secret);
                if let (429, Verdict::Not(Outcome::Retry { after: Some(after), .. })) = (answer.status, &verdict) {
                    pace::quiet(&self.pace, now, *after);
                }
                verdict
            }
            Err(failure) => Verdict::Not(Outcome::Retry { after: None, why: format!("Slack: {failure}") }),
        }
    }
}

fn leave_thread(body: &mut Value) {
    if let Some(body) = body.as_object_mut() {
        body.remove(THREAD);
        body.remove(BROADCAST);
    }
}

/// The Web API's answer; a webhook answers with a bare word.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Reply {
    ok: Option<bool>,
    error: Option<String>,
    ts: Option<String>,
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
    let wait = || answer.retry_after.or_else(|| reply.retry_after.map(|s| Duration::from_secs(s.min(3600))));
    let limited = || Verdict::Not(Outcome::Retry { after: Some(wait().unwrap_or(DEFAULT_WAIT)), why: why.clone() });
    let taken = reply.ok == Some(true) || body.is_empty() || body == "ok";
    match (answer.status, code.and_then(codes::means)) {
        (200..=299, _) if taken => Verdict::Taken { ts: reply.ts },
        (429, _) => limited(),
        (408 | 500..=599, _) => Verdict::Not(Outcome::Retry { after: wait(), why }),
        (_, Some(Means::Retry)) if code.is_some_and(|c| c.starts_with("rate")) => limited(),
        (_, Some(Means::Retry)) => Verdict::Not(Outcome::Retry { after: wait(), why }),
        (_, Some(Means::Shape)) => Verdict::Shape(why),
        (_, Some(Means::Thread)) => Verdict::Thread(why),
        (_, Some(Means::Message)) => Verdict::Not(Outcome::BadMessage(why)),
        (_, Some(Means::Receiver)) | (300..=399 | 401 | 403 | 404 | 410, None) => {
            Verdict::Not(Outcome::BadReceiver(why))
        }
        // A success whose body is no word of Slack's is somebody else's page.
        (200..=299, None) if code.is_none() => {
            Verdict::Not(Outcome::BadReceiver(format!("{why}, but not as Slack does: is the address right?")))
        }
        (_, None) => Verdict::Not(Outcome::BadMessage(why)),
    }
}

#[cfg(test)]
#[path = "slack_tests.rs"]
mod tests;
