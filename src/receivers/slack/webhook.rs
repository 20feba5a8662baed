//! An incoming webhook: it posts to one channel, and what it posted it cannot find again.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::Instant;

use super::method::{Body, Method};
use super::{PACE, PACE_NAME, payload, plain_payload};
use crate::clock::Clock;
use crate::config::schema::SEND_TIMEOUT;
use crate::config::secrets::Secret;
use crate::incident::told::Receipt;
use crate::message::Message;
use crate::receivers::http::{BadAddress, Client, address, moved};
use crate::receivers::{Outcome, Receiver, credential};

/// An incoming webhook.
pub struct SlackWebhook(pub(super) Method);

impl SlackWebhook {
    /// `base` replaces the scheme and host of the webhook's own address.
    ///
    /// # Errors
    /// One of the two is no address.
    pub fn new(
        client: Client,
        clock: Arc<dyn Clock>,
        webhook_url: Secret,
        base: Option<&str>,
    ) -> Result<Self, BadAddress> {
        let own = address(webhook_url.reveal())?;
        let url = base.map_or(Ok(own.clone()), |base| moved(&own, base))?;
        Ok(Self(Method::new((client, clock), url, Vec::new(), webhook_url, (PACE_NAME, PACE))))
    }
}

#[async_trait]
impl Receiver for SlackWebhook {
    async fn send(&self, message: &Message, _previous: Option<&Receipt>) -> Outcome {
        if let Err(wait) = self.0.take() {
            return wait;
        }
        let body = Body { rich: payload(message), plain: Some(plain_payload(message)) };
        match self.0.call(&body, Instant::now() + SEND_TIMEOUT).await {
            Ok(_) => {
                let credential = Some(credential::fingerprint(&self.0.secret));
                Outcome::Delivered(Receipt { id: None, place: None, credential })
            }
            Err(refusal) => refusal.outcome(),
        }
    }
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
