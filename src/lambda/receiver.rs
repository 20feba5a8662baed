//! A receiver that is made when it is first needed, and anew when it was refused: an environment may live for hours,
//! in which a secret is rotated or was not readable for a moment. Counts what comes of each attempt.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::meter::{Attempt, Meter, outcome_word};
use crate::clock::Clock;
use crate::config::schema::ReceiverConfig;
use crate::config::secrets::{SecretError, Secrets};
use crate::incident::told::Receipt;
use crate::message::Message;
use crate::receivers::http::Client;
use crate::receivers::{Outcome, Receiver, build};

/// What receivers are made with.
#[derive(Clone)]
pub struct Parts {
    pub secrets: Arc<dyn Secrets>,
    pub clock: Arc<dyn Clock>,
    pub meter: Arc<Meter>,
}

/// Every configured receiver by name.
pub fn all(configs: &[ReceiverConfig], parts: &Parts) -> BTreeMap<String, Arc<dyn Receiver>> {
    let client = Client::new();
    let lazy = |config: &ReceiverConfig| Lazy {
        config: config.clone(),
        parts: parts.clone(),
        client: client.clone(),
        made: Mutex::new(None),
        unreadable: AtomicU32::new(0),
    };
    configs.iter().map(|config| (config.name.clone(), Arc::new(lazy(config)) as Arc<dyn Receiver>)).collect()
}

struct Lazy {
    config: ReceiverConfig,
    parts: Parts,
    client: Client,
    made: Mutex<Option<Arc<dyn Receiver>>>,
    /// Failed readings of its secret in a row.
    unreadable: AtomicU32,
}

/// A secret that could not be read this often in a row stays so until somebody repairs it, as far as a page that waits
/// is concerned: a permission is missing, or its value cannot be what it is for.
const UNREADABLE_FOR_GOOD: u32 = 3;

impl Lazy {
    async fn receiver(&self) -> Result<Arc<dyn Receiver>, SecretError> {
        let mut made = self.made.lock().await;
        if let Some(receiver) = made.as_ref() {
            return Ok(receiver.clone());
        }
        let secrets = self.parts.secrets.as_ref();
        let receiver = build::build(&self.config, secrets, &self.client, self.parts.clock.clone()).await?;
        Ok(made.insert(receiver.into()).clone())
    }

    async fn attempt(&self, message: &Message, previous: Option<&Receipt>) -> Outcome {
        let receiver = match self.receiver().await {
            Ok(receiver) => receiver,
            Err(error) => return self.unusable(&error),
        };
        self.unreadable.store(0, Ordering::Relaxed);
        let outcome = receiver.send(message, previous).await;
        if matches!(outcome, Outcome::BadReceiver(_)) {
            *self.made.lock().await = None;
        }
        outcome
    }

    /// A secret that nobody has set is for the fallback to say at once; one that cannot be read may be in a moment.
    fn unusable(&self, error: &SecretError) -> Outcome {
        // An alarm listens for this line.
        tracing::error!(event = "receiver_unusable", receiver = self.config.name, %error);
        let tries = self.unreadable.fetch_add(1, Ordering::Relaxed) + 1;
        match error {
            SecretError::Unreadable(..) if tries < UNREADABLE_FOR_GOOD => {
                Outcome::Retry { after: None, why: error.to_string() }
            }
            _ => Outcome::BadReceiver(error.to_string()),
        }
    }
}

#[async_trait]
impl Receiver for Lazy {
    async fn send(&self, message: &Message, previous: Option<&Receipt>) -> Outcome {
        let mut counted = Attempt::of(&self.parts.meter, &self.config.name);
        let outcome = self.attempt(message, previous).await;
        counted.outcome = outcome_word(&outcome);
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::config::schema::ReceiverKind;
    use crate::config::secrets::SecretRef;
    use crate::lambda::testing::Vault;
    use crate::message::Phase;
    use crate::receivers::testing::message;

    fn pager(url: &str, vault: &Arc<Vault>) -> (Arc<dyn Receiver>, Arc<Meter>) {
        let kind = ReceiverKind::PagerDuty { routing_key: SecretRef::Ssm("/key".into()), url: url.into() };
        let config = ReceiverConfig { name: "on-call".into(), kind, fallback: None };
        let meter = Arc::new(Meter::new("test".into()));
        let clock = Arc::new(ManualClock::at(jiff::Timestamp::UNIX_EPOCH));
        let parts = Parts { secrets: vault.clone(), clock, meter: meter.clone() };
        let receiver = all(&[config], &parts).remove("on-call").expect("a receiver");
        (receiver, meter)
    }

    #[tokio::test]
    async fn a_secret_that_cannot_be_read_now_is_tried_again_and_one_that_is_not_set_is_told() {
        let vault = Arc::new(Vault::default());
        let (receiver, meter) = pager("http://127.0.0.1:9", &vault);
        let why = "ssm:/key could not be read: throttled".to_owned();
        assert_eq!(receiver.send(&message(Phase::Opened), None).await, Outcome::Retry { after: None, why });
        vault.set("/key", "");
        let unset = Outcome::BadReceiver("ssm:/key is not set".into());
        assert_eq!(receiver.send(&message(Phase::Opened), None).await, unset);
        let lines = meter.take_all(jiff::Timestamp::UNIX_EPOCH).join("\n");
        assert!(lines.contains(r#""Outcome":"retry""#) && lines.contains(r#""Outcome":"bad_receiver""#), "{lines}");
    }

    #[tokio::test]
    async fn a_refused_receiver_is_made_anew_from_secrets_as_they_are_then() {
        let vault = Vault::holding(&[("/key", "old")]);
        // Its address is none, so it refuses everything.
        let (receiver, _) = pager("nope", &vault);
        assert!(
            matches!(receiver.send(&message(Phase::Opened), None).await, Outcome::BadReceiver(why) if why.contains("url"))
        );
        vault.set("/key", "");
        assert_eq!(
            receiver.send(&message(Phase::Opened), None).await,
            Outcome::BadReceiver("ssm:/key is not set".into())
        );
    }
}
