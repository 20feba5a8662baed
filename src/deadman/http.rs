//! A sign of life over HTTP: a plain ping, as Healthchecks, Cronitor or Dead Man's Snitch take it, or a check-in of a
//! Sentry cron monitor.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hyper::Uri;
use serde_json::json;

use super::{PASSED_WITHIN, Pulse};
use crate::clock::Clock;
use crate::config::schema::{Deadman, DeadmanForm};
use crate::config::secrets::Secrets;
use crate::receivers::http::{Answer, Client, Failure, address};

/// The longest wait for an answer; it is tried twice.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// As much of an answer as is read, in bytes; nobody needs it.
const ANSWER_BYTES: usize = 1_024;

/// The configured address holds no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("[deadman]: {0} holds no http or https address")]
pub struct BadPulse(String);

/// The configured dead-man. Its address is a secret: whoever knows it can keep it quiet.
pub struct HttpPulse {
    deadman: Deadman,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    client: Client,
}

impl HttpPulse {
    pub fn new(deadman: Deadman, secrets: Arc<dyn Secrets>, clock: Arc<dyn Clock>) -> Self {
        Self { deadman, secrets, clock, client: Client::new() }
    }

    async fn address(&self) -> Result<Uri, String> {
        let secret = self.secrets.get(&self.deadman.url).await.map_err(|error| error.to_string())?;
        let text = secret.reveal().trim();
        let text = match self.deadman.form {
            DeadmanForm::Ping => text.to_owned(),
            // Sentry tells by the status what the check-in says; a lone `ok` is a heartbeat.
            DeadmanForm::Sentry => format!("{}?status=ok", text.split('?').next().unwrap_or(text)),
        };
        address(&text).map_err(|_| BadPulse(self.deadman.url.to_string()).to_string())
    }

    async fn once(&self, url: &Uri) -> Result<Answer, Failure> {
        let now = self.clock.now();
        match self.deadman.form {
            DeadmanForm::Ping => self.client.get(url, &[], ANSWER_BYTES, ANSWER_WITHIN, now).await,
            DeadmanForm::Sentry => {
                // Makes the monitor where there is none. Source: docs.sentry.io, product/crons/getting-started/http.
                let monitor = json!({
                    "monitor_config": {
                        "schedule": { "type": "interval", "value": 1, "unit": "minute" },
                        "checkin_margin": PASSED_WITHIN.as_mins(),
                        "timezone": "UTC",
                    }
                });
                self.client.post_json(url, &[], monitor.to_string().into_bytes(), ANSWER_WITHIN, now).await
            }
        }
    }
}

#[async_trait]
impl Pulse for HttpPulse {
    async fn beat(&self) -> Result<(), String> {
        let url = self.address().await?;
        let mut trouble = String::new();
        // One quick second try; the next minute brings the next sign.
        for _ in 0..2 {
            match self.once(&url).await {
                Ok(answer) if (200..300).contains(&answer.status) => return Ok(()),
                Ok(answer) => trouble = format!("it answered {}", answer.status),
                Err(failure) => trouble = failure.to_string(),
            }
        }
        Err(trouble)
    }
}
