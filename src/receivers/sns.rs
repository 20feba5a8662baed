//! SNS: publishes to a topic. Region and account come from the topic's name, credentials from where the AWS SDK looks.
//! Source of what an error means: SNS API reference, Publish, and AWS SDK for Rust, retry classifiers.

use std::time::Duration;

use async_trait::async_trait;
use aws_config::BehaviorVersion;
use aws_config::Region;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sns::config::SharedHttpClient;
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sns::operation::publish::PublishError;
use aws_sdk_sns::types::MessageAttributeValue;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use tokio::sync::OnceCell;

use super::sns_message::{ATTRIBUTE_TYPE, SnsMessage};
use super::{Outcome, Probe, Receiver, credential, sns_chat, sns_message};
use crate::config::schema::{SEND_TIMEOUT, SnsFormat};
use crate::config::secrets::Secret;
use crate::incident::told::Receipt;
use crate::message::Message;

/// A topic.
pub struct Sns {
    topic: Topic,
    format: SnsFormat,
    endpoint: Option<String>,
    /// Made at the first send: the SDK looks for credentials and profiles then, not at start-up.
    client: OnceCell<aws_sdk_sns::Client>,
}

/// `arn:aws:sns:eu-central-1:123456789012:alerts`, taken apart as far as we need it.
struct Topic {
    arn: Secret,
    region: String,
    is_fifo: bool,
}

/// What was to be a topic's ARN is none. Holds nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the ARN of an SNS topic (arn:aws:sns:REGION:ACCOUNT:NAME)")]
pub struct BadTopic;

impl Topic {
    fn parse(arn: Secret) -> Result<Self, BadTopic> {
        let parts: Vec<&str> = arn.reveal().split(':').collect();
        let ["arn", partition, "sns", region, account, name] = parts[..] else { return Err(BadTopic) };
        if [partition, region, account, name].iter().any(|part| part.is_empty()) {
            return Err(BadTopic);
        }
        let (region, is_fifo) = (region.to_owned(), name.ends_with(".fifo"));
        Ok(Self { arn, region, is_fifo })
    }
}

impl Sns {
    /// `endpoint` instead of AWS's own; without it the SDK's `AWS_ENDPOINT_URL_SNS` and `AWS_ENDPOINT_URL` hold.
    ///
    /// # Errors
    /// The ARN is not a topic's.
    pub fn new(topic_arn: Secret, format: SnsFormat, endpoint: Option<String>) -> Result<Self, BadTopic> {
        Ok(Self { topic: Topic::parse(topic_arn)?, format, endpoint, client: OnceCell::new() })
    }

    async fn client(&self) -> &aws_sdk_sns::Client {
        let make = async || {
            // One attempt: repeating is the delivery step's business, which records each (design, law 7).
            let shared = aws_config::defaults(BehaviorVersion::latest())
                .http_client(http())
                .region(Region::new(self.topic.region.clone()))
                .retry_config(RetryConfig::disabled())
                .timeout_config(TimeoutConfig::builder().operation_timeout(SEND_TIMEOUT).build())
                .load()
                .await;
            let mut own = aws_sdk_sns::config::Builder::from(&shared);
            if let Some(url) = &self.endpoint {
                own = own.endpoint_url(url);
            }
            aws_sdk_sns::Client::from_conf(own.build())
        };
        self.client.get_or_init(make).await
    }

    async fn publish(&self, sns: SnsMessage) -> Outcome {
        let mut request =
            self.client().await.publish().topic_arn(self.topic.arn.reveal()).message(sns.body).set_subject(sns.subject);
        for (name, value) in sns.attributes {
            let value = MessageAttributeValue::builder().data_type(ATTRIBUTE_TYPE).string_value(value).build();
            match value {
                Ok(value) => request = request.message_attributes(name, value),
                Err(_) => return Outcome::BadMessage(format!("the attribute {name} cannot be built")),
            }
        }
        if self.topic.is_fifo {
            request = request.message_group_id(sns.group_id).message_deduplication_id(sns.dedup_id);
        }
        match request.send().await {
            Ok(output) => {
                let credential = Some(credential::fingerprint(&self.topic.arn));
                Outcome::Delivered(Receipt { id: output.message_id, place: None, credential })
            }
            Err(error) => outcome(&error),
        }
    }
}

#[async_trait]
impl Receiver for Sns {
    async fn send(&self, message: &Message, _previous: Option<&Receipt>) -> Outcome {
        let sns = match self.format {
            SnsFormat::Text => sns_message::render(message),
            SnsFormat::Chat => sns_chat::render(message),
        };
        // The SDK's own limit begins once it has credentials; looking for them must not take longer either.
        tokio::time::timeout(SEND_TIMEOUT, self.publish(sns))
            .await
            .unwrap_or_else(|_| retry(format!("SNS: no answer within {} s", SEND_TIMEOUT.as_secs())))
    }

    async fn probe(&self) -> Probe {
        let asking =
            async { self.client().await.get_topic_attributes().topic_arn(self.topic.arn.reveal()).send().await };
        match tokio::time::timeout(SEND_TIMEOUT, asking).await {
            Err(_) => Probe::Fails(format!("SNS: no answer within {} s", SEND_TIMEOUT.as_secs())),
            Ok(Ok(_)) => {
                Probe::Accepts("the topic is there; only a message shows whether sns:Publish is allowed".into())
            }
            Ok(Err(error)) => seen(error.code(), error.raw_response().map(|r| r.status().as_u16())),
        }
    }
}

/// What an error of GetTopicAttributes shows. Who may publish need not be allowed to look.
fn seen(code: Option<&str>, status: Option<u16>) -> Probe {
    match (code, status) {
        (Some("NotFound" | "NotFoundException"), _) => Probe::Fails("SNS: there is no such topic".into()),
        (Some("AuthorizationError" | "AuthorizationErrorException" | "AccessDenied" | "AccessDeniedException"), _) => {
            Probe::Untried("these credentials lack sns:GetTopicAttributes, so nothing is known".into())
        }
        (_, Some(status)) => match classify(status, code, None) {
            Outcome::BadReceiver(why) | Outcome::BadMessage(why) | Outcome::Lost(why) => Probe::Fails(why),
            Outcome::Retry { why, .. } => Probe::Fails(why),
            Outcome::Delivered(_) => Probe::Untried("SNS: an answer that is none".into()),
        },
        (_, None) => Probe::Fails("SNS: not reached (are there AWS credentials?)".into()),
    }
}

fn http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

fn retry(why: String) -> Outcome {
    Outcome::Retry { after: None, why }
}

/// What an error code means for the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    Retry,
    Message,
    Receiver,
}

use Means::{Message as BadMessage, Receiver as BadReceiver, Retry};

/// Every code that Publish documents, and the common ones of all AWS APIs. `KMSThrottling` is a 400 that the SDK would
/// not repeat. An expired token is renewed by whoever gave it to us.
#[rustfmt::skip]
const CODES: &[(&str, Means)] = &[
    ("InternalError", Retry), ("InternalFailure", Retry), ("InternalErrorException", Retry),
    ("ServiceUnavailable", Retry), ("KMSThrottling", Retry), ("KMSThrottlingException", Retry),
    ("Throttling", Retry), ("ThrottlingException", Retry), ("Throttled", Retry), ("ThrottledException", Retry),
    ("RequestThrottled", Retry), ("RequestThrottledException", Retry), ("TooManyRequestsException", Retry),
    ("SlowDown", Retry), ("RequestLimitExceeded", Retry), ("BandwidthLimitExceeded", Retry),
    ("PriorRequestNotComplete", Retry), ("RequestTimeout", Retry), ("RequestTimeoutException", Retry),
    ("ExpiredToken", Retry), ("ExpiredTokenException", Retry), ("RequestExpired", Retry),

    ("InvalidParameter", BadMessage), ("InvalidParameterException", BadMessage),
    ("ParameterValueInvalid", BadMessage), ("InvalidParameterValueException", BadMessage),
    ("ValidationException", BadMessage), ("ValidationError", BadMessage),

    ("NotFound", BadReceiver), ("NotFoundException", BadReceiver), ("AuthorizationError", BadReceiver),
    ("AuthorizationErrorException", BadReceiver), ("AccessDenied", BadReceiver), ("AccessDeniedException", BadReceiver),
    ("KMSOptInRequired", BadReceiver), ("KMSDisabled", BadReceiver), ("KMSDisabledException", BadReceiver),
    ("KMSInvalidState", BadReceiver), ("KMSInvalidStateException", BadReceiver), ("KMSNotFound", BadReceiver),
    ("KMSNotFoundException", BadReceiver), ("KMSAccessDenied", BadReceiver), ("KMSAccessDeniedException", BadReceiver),
    ("EndpointDisabled", BadReceiver), ("EndpointDisabledException", BadReceiver),
    ("PlatformApplicationDisabled", BadReceiver), ("PlatformApplicationDisabledException", BadReceiver),
    ("InvalidSecurity", BadReceiver), ("InvalidSecurityException", BadReceiver), ("InvalidClientTokenId", BadReceiver),
    ("UnrecognizedClientException", BadReceiver), ("SignatureDoesNotMatch", BadReceiver),
    ("MissingAuthenticationToken", BadReceiver), ("OptInRequired", BadReceiver),
];

/// Only the code and the status are shown: AWS's texts name the topic and whoever publishes.
fn outcome(error: &SdkError<PublishError>) -> Outcome {
    let status = error.raw_response().map(|r| r.status().as_u16());
    match (error, status) {
        (SdkError::ConstructionFailure(_), _) => Outcome::BadMessage("SNS: the request could not be made".into()),
        (SdkError::TimeoutError(_), _) => retry(format!("SNS: no answer within {} s", SEND_TIMEOUT.as_secs())),
        (SdkError::ServiceError(_) | SdkError::ResponseError(_), Some(status)) => {
            classify(status, error.code(), error.raw_response().and_then(|r| r.headers().get("retry-after")))
        }
        // No credentials yet is in here as well.
        (SdkError::DispatchFailure(failure), _) if failure.is_timeout() => {
            retry("SNS: could not connect in time".into())
        }
        (SdkError::DispatchFailure(failure), _) if failure.is_io() => retry("SNS: could not connect".into()),
        _ => retry("SNS: not reached (are there AWS credentials?)".into()),
    }
}

fn classify(status: u16, code: Option<&str>, retry_after: Option<&str>) -> Outcome {
    let code = code.filter(|c| (1..=64).contains(&c.len()) && c.bytes().all(|b| b.is_ascii_alphanumeric()));
    let why = match code {
        Some(code) => format!("SNS answered {status} {code}"),
        None => format!("SNS answered {status}"),
    };
    let known = code.and_then(|code| CODES.iter().find(|(name, _)| *name == code)).map(|(_, means)| *means);
    match (status, known) {
        (408 | 429 | 500..=599, _) | (_, Some(Retry)) => {
            let after = retry_after.and_then(|s| s.trim().parse().ok()).map(|s: u64| Duration::from_secs(s.min(3600)));
            Outcome::Retry { after, why }
        }
        (_, Some(BadReceiver)) | (300..=399 | 401 | 403 | 404 | 410, None) => Outcome::BadReceiver(why),
        (_, Some(BadMessage) | None) => Outcome::BadMessage(why),
    }
}

#[cfg(test)]
#[path = "sns_tests.rs"]
mod tests;
