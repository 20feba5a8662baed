//! What runs on AWS Lambda: one file a function, over what they share.
//!
//! [`url`] and [`sqs`] read the envelopes that the platform wraps around a request and a batch; [`bridge`] is the
//! surroundings, made once at start; [`aws`] the SDK's settings; [`meter`] the metrics. Each function turns an
//! envelope into a call of its step and the step's answer into what the platform expects; it decides nothing.

pub mod aws;
pub mod bridge;
pub mod deliver;
pub mod evaluate;
pub mod ingest;
pub mod meter;
pub mod page;
pub mod receiver;
pub mod sqs;
#[cfg(test)]
mod testing;
pub mod tick;
pub mod url;

use std::fmt;
use std::panic::PanicHookInfo;
use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use lambda_runtime::{Context, Error, LambdaEvent, Runtime, service_fn};
use serde::Serialize;
use serde_json::value::RawValue;

/// What is left of an invocation's time when work is broken off, so that the answer still gets out.
const MARGIN: Duration = Duration::from_millis(500);

/// Runs a function until the platform stops it. One thread: an environment has one invocation at a time, and less
/// than one processor.
pub fn start(function: impl Future<Output = Result<(), Error>>) -> ExitCode {
    log();
    std::panic::set_hook(Box::new(panicked));
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(event = "not_started", %error);
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(function) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(event = "runtime_failed", %error);
            ExitCode::FAILURE
        }
    }
}

/// Takes invocations, one after the other.
///
/// # Errors
/// The runtime API is not there, or gone.
async fn serve<F, R>(handler: F) -> Result<(), Error>
where
    F: AsyncFn(&str, Timestamp) -> Result<R, Failed>,
    R: Serialize,
{
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Err(
            "AWS_LAMBDA_RUNTIME_API is not set: this program runs on AWS Lambda; elsewhere use `bridge serve`".into()
        );
    }
    let handler = &handler;
    let service = service_fn(async |invocation: LambdaEvent<Box<RawValue>>| {
        let (payload, context) = invocation.into_parts();
        handler(payload.get(), deadline(&context)).await
    });
    Runtime::new(service).run().await
}

/// Why an invocation failed as a whole: the platform gives it, or all messages of its batch, again.
#[derive(Clone, thiserror::Error)]
#[error("{0}")]
pub struct Failed(pub String);

/// As it is shown: the runtime logs failures this way.
impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Failed> for lambda_runtime::Diagnostic {
    fn from(failed: Failed) -> Self {
        Self { error_type: "Bridge.Failed".to_owned(), error_message: failed.0 }
    }
}

/// When the platform stops the invocation.
fn deadline(context: &Context) -> Timestamp {
    i64::try_from(context.deadline).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX)
}

/// How long may still be worked: until shortly before the platform would stop it.
fn time_left(deadline: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(deadline.duration_since(now)).unwrap_or(Duration::ZERO).saturating_sub(MARGIN)
}

/// JSON, an event a line, as the platform's own lines are; `BRIDGE_LOG` says from which level on.
fn log() {
    let wanted = std::env::var("BRIDGE_LOG").ok();
    let level = wanted.as_deref().and_then(|text| text.parse().ok()).unwrap_or(tracing::Level::INFO);
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        // A line that cannot be written is lost; complaining of it would be a panic.
        .log_internal_errors(false)
        .json()
        .flatten_event(true)
        .init();
}

/// Says where it panicked, not what with: a panic's text may quote the data it stumbled over (design, law 8).
fn panicked(info: &PanicHookInfo<'_>) {
    let at = info.location().map(ToString::to_string);
    tracing::error!(event = "panicked", at);
}
