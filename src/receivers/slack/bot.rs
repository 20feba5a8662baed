//! A bot: one message an incident, kept true by editing it, with its history in its thread.
//!
//! An edit is idempotent, so it comes first: whatever fails after it is tried again from the start, and costs at most
//! one more line in the thread, never a second message in the channel.

use std::sync::Arc;

use async_trait::async_trait;
use hyper::Uri;
use hyper::header::{AUTHORIZATION, HeaderValue};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::method::{Body, Method, Refusal};
use super::{PACE, PACE_NAME, POST_MESSAGE, UPDATE, UPDATE_PACE, UPDATE_PACE_NAME, history, payload, plain_payload};
use crate::clock::Clock;
use crate::config::schema::SEND_TIMEOUT;
use crate::config::secrets::Secret;
use crate::incident::told::Receipt;
use crate::message::{Message, Phase};
use crate::receivers::http::{BadAddress, Client, under};
use crate::receivers::{Outcome, Probe, Receiver, credential};

/// A bot in a channel.
pub struct SlackBot {
    post: Method,
    update: Method,
    test: Uri,
    channel: String,
    /// Tells the bot's token and channel apart: a message belongs to both.
    credential: String,
}

/// An earlier message of the incident, which this bot posted to this channel.
struct Earlier<'a> {
    ts: &'a str,
    /// The channel's id; an update takes no name.
    place: &'a str,
    receipt: &'a Receipt,
}

impl SlackBot {
    /// `base` is the address without `/api/chat.postMessage` and `/api/chat.update`.
    ///
    /// # Errors
    /// It is no address, or the token cannot stand in a header.
    pub fn new(
        client: Client,
        clock: Arc<dyn Clock>,
        base: &str,
        bot_token: Secret,
        channel: String,
    ) -> Result<Self, BadAddress> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", bot_token.reveal())).map_err(|_| BadAddress)?;
        bearer.set_sensitive(true);
        let credential = credential::fingerprint(&Secret::new(format!("{} {channel}", bot_token.reveal())));
        let base = base.trim().trim_end_matches('/').trim_end_matches(POST_MESSAGE);
        let method = |path, pace| {
            let headers = vec![(AUTHORIZATION, bearer.clone())];
            let caller = (client.clone(), clock.clone());
            let url = under(base, path)?;
            Ok::<_, BadAddress>(Method::new(caller, url, headers, bot_token.clone(), pace))
        };
        let post = method(POST_MESSAGE, (PACE_NAME, PACE))?;
        let update = method(UPDATE, (UPDATE_PACE_NAME, UPDATE_PACE))?;
        Ok(Self { post, update, test: under(base, TEST)?, channel, credential })
    }

    /// The message to go on with, for a phase that goes on with an incident.
    fn earlier<'a>(&'a self, phase: Phase, previous: Option<&'a Receipt>) -> Option<Earlier<'a>> {
        let goes_on =
            matches!(phase, Phase::Worsened | Phase::StillOpen | Phase::Updated | Phase::Acted | Phase::Resolved);
        let receipt = previous.filter(|p| goes_on && p.credential.as_ref() == Some(&self.credential))?;
        let place = receipt.place.as_deref().unwrap_or(&self.channel);
        Some(Earlier { ts: receipt.id.as_deref()?, place, receipt })
    }

    /// A message of its own; the right to post it was taken before.
    async fn post(&self, message: &Message, deadline: Instant) -> Result<Receipt, Outcome> {
        let body = Body { rich: payload(message), plain: Some(plain_payload(message)) };
        let body = body.with("channel", &json!(self.channel));
        let taken = self.post.call(&body, deadline).await.map_err(Refusal::outcome)?;
        Ok(Receipt { id: taken.ts, place: taken.channel, credential: Some(self.credential.clone()) })
    }

    /// Edits the earlier message, then adds to its thread; posts anew when it is gone.
    async fn go_on(&self, message: &Message, earlier: &Earlier<'_>, deadline: Instant) -> Result<Receipt, Outcome> {
        let reply = history::reply(message);
        // Both rights before the first call: an edit whose reply has to wait would only be made twice.
        let mut may_post = reply.is_some();
        if may_post {
            self.post.take()?;
        }
        self.update.take()?;
        let edit = history::edited(message, self.update.clock.now())
            .with("channel", &json!(earlier.place))
            .with("ts", &json!(earlier.ts));
        let mut done = self.update.call(&edit, deadline).await;
        if let Some(reply) = reply.filter(|_| done.is_ok()) {
            let reply = reply.with("channel", &json!(earlier.place)).with("thread_ts", &json!(earlier.ts));
            may_post = false;
            done = self.post.call(&reply, deadline).await;
        }
        let why = match done {
            Ok(_) => return Ok(earlier.receipt.clone()),
            Err(Refusal::Final(outcome)) => return Err(outcome),
            // Where nothing may be edited, new numbers alone are not worth another message every few minutes.
            Err(Refusal::Closed(_)) if message.phase == Phase::Updated => return Ok(earlier.receipt.clone()),
            Err(Refusal::Gone(why) | Refusal::Closed(why) | Refusal::Channel(why)) => why,
        };
        tracing::info!(event = "slack_posts_anew", incident = message.incident, why);
        if !may_post {
            self.post.take()?;
        }
        self.post(message, deadline).await
    }
}

#[async_trait]
impl Receiver for SlackBot {
    async fn send(&self, message: &Message, previous: Option<&Receipt>) -> Outcome {
        let deadline = Instant::now() + SEND_TIMEOUT;
        let said = match self.earlier(message.phase, previous) {
            Some(earlier) => self.go_on(message, &earlier, deadline).await,
            None => match self.post.take() {
                Ok(()) => self.post(message, deadline).await,
                Err(wait) => Err(wait),
            },
        };
        said.map_or_else(|outcome| outcome, Outcome::Delivered)
    }

    async fn probe(&self) -> Probe {
        let Method { client, clock, headers, secret, .. } = &self.post;
        match client.post_json(&self.test, headers, b"{}".to_vec(), SEND_TIMEOUT, clock.now()).await {
            Err(failure) => Probe::Fails(format!("Slack: {failure}")),
            Ok(answer) => {
                let said: Tested = serde_json::from_str(&answer.body).unwrap_or_default();
                match (said.ok, said.error) {
                    (true, _) => {
                        Probe::Accepts("the token is good; only a message shows whether it may post there".into())
                    }
                    (false, Some(error)) => Probe::Fails(format!("Slack: {}", credential::words(&error, secret))),
                    (false, None) => Probe::Fails(format!("Slack answered {}", answer.status)),
                }
            }
        }
    }
}

/// What `auth.test` answers. Source: docs.slack.dev/reference/methods/auth.test.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Tested {
    ok: bool,
    error: Option<String>,
}

/// The method that only looks at the token.
const TEST: &str = "/api/auth.test";

#[cfg(test)]
#[path = "bot_tests.rs"]
mod tests;
