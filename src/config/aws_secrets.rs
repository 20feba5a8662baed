//! Secrets from Secrets Manager and SSM, with a cache.
//! Sources: AWS Secrets Manager API reference, GetSecretValue; AWS Systems Manager API reference, GetParameter.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use jiff::{SignedDuration, Timestamp};

use super::secrets::{EnvSecrets, Secret, SecretError, SecretRef, Secrets};
use crate::clock::{Clock, SystemClock};

/// One read, connecting included: signing keys are read while a sender waits (design, law 2).
const READ_WITHIN: Duration = Duration::from_secs(1);

/// A value is read again at most this often. A little less than the minute after which the signing keys are asked for
/// again (`steps/ingest.rs`), so that asking again always is reading again.
const FRESH: SignedDuration = SignedDuration::from_secs(55);

/// After a failure it is read again sooner, but no failing read holds up each of many fields.
const RESTED: SignedDuration = SignedDuration::from_secs(5);

/// `env:` from the environment, `secret:` from Secrets Manager, `ssm:` from Parameter Store. Nothing is read before it
/// is asked for. Values live no longer than the process.
pub struct AwsSecrets {
    secrets_manager: aws_sdk_secretsmanager::Client,
    ssm: aws_sdk_ssm::Client,
    clock: Arc<dyn Clock>,
    kept: Mutex<HashMap<Place, Slot>>,
}

/// What one call reads. The fields of a secret share it.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Place {
    Secret(String),
    Parameter(String),
}

/// Locked while it is read, so that of many who ask at once one reads.
type Slot = Arc<tokio::sync::Mutex<Option<Kept>>>;

#[derive(Clone)]
struct Kept {
    read_at: Timestamp,
    latest: Result<Secret, Failure>,
    /// The last one that could be read.
    good: Option<Secret>,
}

impl Kept {
    fn is_fresh(&self, now: Timestamp) -> bool {
        let limit = if matches!(self.latest, Err(Failure::Unreadable(_))) { RESTED } else { FRESH };
        // A clock that was set back makes it old, not new for ever.
        (SignedDuration::ZERO..limit).contains(&now.duration_since(self.read_at))
    }
}

/// Why a place has no value. Never holds one.
#[derive(Clone)]
enum Failure {
    Missing,
    Unreadable(String),
}

impl AwsSecrets {
    /// Takes region, credentials, endpoint and TLS from `sdk`; limits and repeats are its own.
    pub fn new(sdk: &SdkConfig) -> Self {
        Self::with_clock(sdk, Arc::new(SystemClock))
    }

    fn with_clock(sdk: &SdkConfig, clock: Arc<dyn Clock>) -> Self {
        let limits = TimeoutConfig::builder()
            .connect_timeout(READ_WITHIN)
            .operation_attempt_timeout(READ_WITHIN)
            .operation_timeout(READ_WITHIN)
            .build();
        // Two attempts share the one second: a connection that died while the sandbox slept costs one of them.
        let retries = RetryConfig::standard()
            .with_max_attempts(2)
            .with_initial_backoff(Duration::from_millis(50))
            .with_max_backoff(Duration::from_millis(100));
        let sdk = sdk.to_builder().timeout_config(limits).retry_config(retries).build();
        Self {
            secrets_manager: aws_sdk_secretsmanager::Client::new(&sdk),
            ssm: aws_sdk_ssm::Client::new(&sdk),
            clock,
            kept: Mutex::new(HashMap::new()),
        }
    }

    /// The last value that could be read, for whoever can do with an old one while [`Secrets::get`] says that it cannot
    /// be read now. Reads nothing.
    pub async fn last_good(&self, at: &SecretRef) -> Option<Secret> {
        let (place, field) = match at {
            SecretRef::Env(_) => return EnvSecrets.get(at).await.ok(),
            SecretRef::SecretsManager { name, field } => (Place::Secret(name.clone()), field.as_deref()),
            SecretRef::Ssm(name) => (Place::Parameter(name.clone()), None),
        };
        let slot = self.slot(place);
        let good = slot.lock().await.as_ref().and_then(|kept| kept.good.clone())?;
        part(&good, field).ok()
    }

    fn slot(&self, place: Place) -> Slot {
        self.kept.lock().unwrap_or_else(|e| e.into_inner()).entry(place).or_default().clone()
    }

    async fn read(&self, place: Place) -> Result<Secret, Failure> {
        let slot = self.slot(place.clone());
        let mut kept = slot.lock().await;
        let now = self.clock.now();
        if let Some(kept) = kept.as_ref().filter(|kept| kept.is_fresh(now)) {
            return kept.latest.clone();
        }
        // The SDK's own limit begins once it has credentials.
        let latest = tokio::time::timeout(READ_WITHIN, self.fetch(&place))
            .await
            .unwrap_or_else(|_| Err(Failure::Unreadable(format!("no answer within {} s", READ_WITHIN.as_secs()))));
        let good = match &latest {
            Ok(value) => Some(value.clone()),
            // It was taken away: an old value must not outlive that.
            Err(Failure::Missing) => None,
            Err(Failure::Unreadable(_)) => kept.take().and_then(|before| before.good),
        };
        *kept = Some(Kept { read_at: now, latest: latest.clone(), good });
        latest
    }

    async fn fetch(&self, place: &Place) -> Result<Secret, Failure> {
        match place {
            Place::Secret(name) => {
                let answer = self.secrets_manager.get_secret_value().secret_id(name).send().await;
                let answer = answer.map_err(|error| failure(&error, MISSING_SECRET))?;
                match answer.secret_string {
                    Some(text) => Ok(Secret::new(text)),
                    None => Err(Failure::Unreadable("it is binary: keep it as text".to_owned())),
                }
            }
            Place::Parameter(name) => {
                let answer = self.ssm.get_parameter().name(name).with_decryption(true).send().await;
                let answer = answer.map_err(|error| failure(&error, MISSING_PARAMETER))?;
                answer.parameter.and_then(|p| p.value).map(Secret::new).ok_or(Failure::Missing)
            }
        }
    }
}

#[async_trait]
impl Secrets for AwsSecrets {
    /// What was read less than a minute ago, or what is read now.
    async fn get(&self, at: &SecretRef) -> Result<Secret, SecretError> {
        let (place, field) = match at {
            SecretRef::Env(_) => return EnvSecrets.get(at).await,
            SecretRef::SecretsManager { name, field } => (Place::Secret(name.clone()), field.as_deref()),
            SecretRef::Ssm(name) => (Place::Parameter(name.clone()), None),
        };
        let value = self.read(place).await.and_then(|whole| part(&whole, field));
        value.map_err(|failure| match failure {
            Failure::Missing => SecretError::NotSet(at.clone()),
            Failure::Unreadable(why) => SecretError::Unreadable(at.clone(), why),
        })
    }
}

/// The field of a secret that is a JSON object, or the whole of it; without spaces around it, and never empty.
fn part(whole: &Secret, field: Option<&str>) -> Result<Secret, Failure> {
    let text = match field {
        None => whole.reveal().to_owned(),
        Some(field) => {
            // serde_json's errors may quote what they could not read.
            let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(whole.reveal())
                .map_err(|_| Failure::Unreadable("the secret is not a JSON object, so it has no fields".to_owned()))?;
            match object.get(field) {
                None | Some(serde_json::Value::Null) => return Err(Failure::Missing),
                Some(serde_json::Value::String(text)) => text.clone(),
                Some(_) => return Err(Failure::Unreadable("the field is not text".to_owned())),
            }
        }
    };
    match text.trim() {
        "" => Err(Failure::Missing),
        text => Ok(Secret::new(text)),
    }
}

/// Secrets Manager: no such secret, no version with a value, or one that is on its way to deletion
/// (`InvalidRequestException` of GetSecretValue).
const MISSING_SECRET: &[&str] = &["ResourceNotFoundException", "InvalidRequestException"];

/// SSM: no such parameter, or no such version of it.
const MISSING_PARAMETER: &[&str] = &["ParameterNotFound", "ParameterVersionNotFound"];

/// Only the code and the status are kept: AWS's texts name accounts and roles.
fn failure<E: ProvideErrorMetadata>(error: &SdkError<E>, missing: &[&str]) -> Failure {
    let status = error.raw_response().map(|r| r.status().as_u16());
    let code = error.code().filter(|c| (1..=64).contains(&c.len()) && c.bytes().all(|b| b.is_ascii_alphanumeric()));
    Failure::Unreadable(match (error, status, code) {
        (SdkError::TimeoutError(_), ..) => format!("no answer within {} s", READ_WITHIN.as_secs()),
        (SdkError::DispatchFailure(_), ..) => "could not connect (are there AWS credentials?)".to_owned(),
        (_, _, Some(code)) if missing.contains(&code) => return Failure::Missing,
        (_, Some(status), Some(code)) => format!("AWS answered {status} {code}"),
        (_, Some(status), None) => format!("AWS answered {status}"),
        (_, None, _) => "the request could not be made".to_owned(),
    })
}
