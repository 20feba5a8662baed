//! From configuration to receivers: the one place that reads their secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::console::Console;
use super::http::Client;
use super::pagerduty::PagerDuty;
use super::slack::{SlackBot, SlackWebhook};
use super::{Outcome, Probe, Receiver};
use crate::clock::Clock;
use crate::config::schema::{ReceiverConfig, ReceiverKind};
use crate::config::secrets::{SecretError, Secrets};
use crate::incident::told::Receipt;
use crate::message::Message;

/// The receiver that a configuration describes.
///
/// # Errors
/// A secret that is not set or cannot be read, or whose value cannot be what it is for (an address, a topic). A base
/// address (`url`) that is none makes a receiver that answers [`Outcome::BadReceiver`], so that its fallback is told.
pub async fn build(
    config: &ReceiverConfig,
    secrets: &dyn Secrets,
    client: &Client,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn Receiver>, SecretError> {
    let client = client.clone();
    match &config.kind {
        ReceiverKind::PagerDuty { routing_key, url } => {
            let key = secrets.get(routing_key).await?;
            Ok(PagerDuty::new(client, clock, url, key).map_or_else(|e| unusable(&e), boxed))
        }
        ReceiverKind::SlackWebhook { webhook_url, url } => {
            let own = secrets.get(webhook_url).await?;
            super::http::address(own.reveal())
                .map_err(|e| SecretError::Unreadable(webhook_url.clone(), e.to_string()))?;
            Ok(SlackWebhook::new(client, clock, own, url.as_deref()).map_or_else(|e| unusable(&e), boxed))
        }
        ReceiverKind::SlackBot { bot_token, channel, url } => {
            let token = secrets.get(bot_token).await?;
            if token.reveal().contains(|c: char| !c.is_ascii_graphic()) {
                return Err(SecretError::Unreadable(bot_token.clone(), "not a bot token".into()));
            }
            let bot = SlackBot::new(client, clock, url, token, channel.clone());
            Ok(bot.map_or_else(|e| unusable(&e), boxed))
        }
        #[cfg(feature = "aws")]
        ReceiverKind::Sns { topic_arn, format, url } => {
            let arn = secrets.get(topic_arn).await?;
            let sns = super::sns::Sns::new(arn, *format, url.clone());
            sns.map(boxed).map_err(|e| SecretError::Unreadable(topic_arn.clone(), e.to_string()))
        }
        #[cfg(not(feature = "aws"))]
        ReceiverKind::Sns { .. } => {
            Ok(boxed(Unusable { why: "this build has no SNS: build with the default features".into() }))
        }
        ReceiverKind::Console => Ok(boxed(Console)),
    }
}

fn boxed(receiver: impl Receiver + 'static) -> Box<dyn Receiver> {
    Box::new(receiver)
}

fn unusable(error: &super::http::BadAddress) -> Box<dyn Receiver> {
    boxed(Unusable { why: format!("its url is {error}") })
}

/// Every configured receiver by name. One whose secret cannot be read is there too, and says so whenever it is to
/// send, so that its fallback is told.
pub async fn all(
    configs: &[ReceiverConfig],
    secrets: &dyn Secrets,
    clock: &Arc<dyn Clock>,
) -> BTreeMap<String, Arc<dyn Receiver>> {
    let client = Client::new();
    let mut receivers: BTreeMap<String, Arc<dyn Receiver>> = BTreeMap::new();
    for config in configs {
        let receiver = match build(config, secrets, &client, clock.clone()).await {
            Ok(receiver) => receiver,
            Err(error) => {
                tracing::error!(event = "receiver_unusable", receiver = config.name, %error);
                boxed(Unusable { why: error.to_string() })
            }
        };
        receivers.insert(config.name.clone(), receiver.into());
    }
    receivers
}

/// A receiver that cannot work as it is configured: it says so instead of sending.
struct Unusable {
    why: String,
}

#[async_trait]
impl Receiver for Unusable {
    async fn send(&self, _message: &Message, _previous: Option<&Receipt>) -> Outcome {
        Outcome::BadReceiver(self.why.clone())
    }

    async fn probe(&self) -> Probe {
        Probe::Fails(self.why.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::config::schema::SnsFormat;
    use crate::config::secrets::{Secret, SecretRef};
    use crate::message::Phase;
    use crate::receivers::testing::{StandIn, kind_of, message, now};

    /// Every reference has its own name as its value, but `unset`.
    struct Named;

    #[async_trait]
    impl Secrets for Named {
        async fn get(&self, at: &SecretRef) -> Result<Secret, SecretError> {
            match at {
                SecretRef::Ssm(value) if value != "unset" => Ok(Secret::new(value.as_str())),
                _ => Err(SecretError::NotSet(at.clone())),
            }
        }
    }

    async fn built(kind: ReceiverKind) -> Result<Box<dyn Receiver>, String> {
        let config = ReceiverConfig { name: "r".into(), kind, fallback: None };
        build(&config, &Named, &Client::new(), Arc::new(ManualClock::at(now()))).await.map_err(|e| e.to_string())
    }

    fn secret(value: &str) -> SecretRef {
        SecretRef::Ssm(value.into())
    }

    #[tokio::test]
    async fn every_kind_is_built_and_sends_where_it_is_told_to() {
        let server = StandIn::start().await;
        server.answer(200, &[], r#"{"ok":true,"ts":"1.0"}"#);
        let hook = secret("https://hooks.slack.com/services/T/B/x");
        for (kind, path) in [
            (ReceiverKind::PagerDuty { routing_key: secret("k"), url: server.url("") }, "/v2/enqueue"),
            (ReceiverKind::SlackWebhook { webhook_url: hook, url: Some(server.url("")) }, "/services/T/B/x"),
            (
                ReceiverKind::SlackBot { bot_token: secret("xoxb"), channel: "#a".into(), url: server.url("") },
                "/api/chat.postMessage",
            ),
        ] {
            let receiver = built(kind).await.unwrap();
            assert_eq!(kind_of(&receiver.send(&message(Phase::Opened), None).await), "delivered");
            assert_eq!(server.requests()[0].path, path);
        }
        assert!(built(ReceiverKind::Console).await.is_ok());
    }

    #[tokio::test]
    async fn a_secret_that_cannot_be_right_is_named_by_its_reference_only() {
        let error = async |kind| built(kind).await.err().unwrap_or_default();
        let unset = ReceiverKind::PagerDuty { routing_key: secret("unset"), url: "http://127.0.0.1:9".into() };
        assert_eq!(error(unset).await, "ssm:unset is not set");
        let no_address = ReceiverKind::SlackWebhook { webhook_url: secret("nope"), url: None };
        assert_eq!(error(no_address).await, "ssm:nope could not be read: not an http or https address");
        let two_lines =
            ReceiverKind::SlackBot { bot_token: secret("a\nb"), channel: "#a".into(), url: "http://h".into() };
        assert!(error(two_lines).await.ends_with("could not be read: not a bot token"));
    }

    #[tokio::test]
    async fn a_bad_base_address_is_the_receivers_trouble_and_not_ours() {
        let receiver = built(ReceiverKind::PagerDuty { routing_key: secret("k"), url: "nope".into() }).await.unwrap();
        let outcome = receiver.send(&message(Phase::Opened), None).await;
        assert_eq!(outcome, Outcome::BadReceiver("its url is not an http or https address".into()));
    }

    #[tokio::test]
    async fn a_topic_is_one_or_says_what_it_should_be() {
        let topic = |arn| ReceiverKind::Sns { topic_arn: secret(arn), format: SnsFormat::Text, url: None };
        assert!(built(topic("arn:aws:sns:eu-central-1:123456789012:alerts")).await.is_ok());
        if cfg!(feature = "aws") {
            let error = built(topic("alerts")).await.err().unwrap_or_default();
            assert!(error.ends_with("not the ARN of an SNS topic (arn:aws:sns:REGION:ACCOUNT:NAME)"), "{error}");
        }
    }
}
