//! The AWS SDK's settings for Lambda. Every limit is far below its default: a call must fail while there is still
//! time to answer 503, and a connection that slept with its environment must not be used again.

use std::time::Duration;

use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// A pooled connection is not used after this long: the environment may have been frozen meanwhile, and the far end
/// gone (awslabs/aws-sdk-rust#1417).
const POOL_IDLE: Duration = Duration::from_secs(20);

/// Connecting takes at most this long.
const CONNECT: Duration = Duration::from_secs(1);

/// One attempt takes at most this long, of ...
const ATTEMPT: Duration = Duration::from_secs(1);

/// ... this many, which ...
const ATTEMPTS: u32 = 2;

/// ... take at most this long together: ingest answers within 2.5 s (design, law 2).
const OPERATION: Duration = Duration::from_millis(2500);

/// The SDK waits up to a second before its first repetition otherwise, and both attempts would not fit.
const BACKOFF: Duration = Duration::from_millis(50);

/// The settings all clients share. Credentials and region come straight from the function's environment; no other
/// source is asked. `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>` hold.
pub async fn sdk() -> SdkConfig {
    // ring: the default provider spends tens of milliseconds of CPU on its first random number.
    let http = aws_smithy_http_client::Builder::new()
        .pool_idle_timeout(POOL_IDLE)
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .region(EnvironmentVariableRegionProvider::new())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(BACKOFF))
        // It takes a frozen environment for a stalled peer.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .load()
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_that_hangs_fails_in_time_for_a_503() {
        let sdk = sdk().await;
        let timeouts = sdk.timeout_config().expect("timeouts");
        assert_eq!(timeouts.operation_timeout(), Some(OPERATION));
        assert_eq!(timeouts.operation_attempt_timeout(), Some(ATTEMPT));
        assert_eq!(timeouts.connect_timeout(), Some(CONNECT));
        assert_eq!(sdk.retry_config().map(RetryConfig::max_attempts), Some(ATTEMPTS));
        assert!(ATTEMPT * ATTEMPTS + BACKOFF <= OPERATION);

        // A listener that never answers, and is never accepted from.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let config = aws_sdk_sqs::config::Builder::from(&sdk)
            .region(aws_config::Region::new("eu-central-1"))
            .endpoint_url(format!("http://{}", silent.local_addr().expect("an address")))
            .credentials_provider(aws_sdk_sqs::config::Credentials::new("a", "b", None, None, "test"));
        let client = aws_sdk_sqs::Client::from_conf(config.build());
        let began = std::time::Instant::now();
        assert!(client.list_queues().send().await.is_err());
        assert!(began.elapsed() < Duration::from_millis(2600), "{:?}", began.elapsed());
    }
}
