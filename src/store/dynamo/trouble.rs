//! What DynamoDB's errors mean to us. Source: DynamoDB developer guide, "Error handling with DynamoDB".

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::store::StoreError;

/// Somebody else wrote first, or the condition does not hold.
pub fn is_condition_failed<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.as_service_error().and_then(|e| e.code()) == Some("ConditionalCheckFailedException")
}

/// Every other error: throttled, not reachable, table missing, not allowed. The same call may work later.
pub fn unavailable<E: ProvideErrorMetadata, R>(doing: &str, table: &str, error: &SdkError<E, R>) -> StoreError {
    let why = match error {
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => "no connection in time".to_owned(),
        SdkError::DispatchFailure(_) => "no connection".to_owned(),
        SdkError::ConstructionFailure(_) => "the request cannot be built: credentials or region missing?".to_owned(),
        SdkError::ResponseError(_) => "an answer that is not DynamoDB's".to_owned(),
        other => match other.as_service_error() {
            Some(e) => format!("{}: {}", e.code().unwrap_or("error"), e.message().unwrap_or("no reason given")),
            None => "an unknown error".to_owned(),
        },
    };
    StoreError::Unavailable(format!("{doing} the table {table}: {why}"))
}

/// A stored item that this version cannot read.
pub fn unreadable(what: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} in the table"))
}

/// Something of ours that cannot be written as JSON.
pub fn unwritable(what: &str) -> StoreError {
    StoreError::Unavailable(format!("{what} cannot be written as JSON"))
}

/// Others kept writing first.
pub fn contended(what: &str) -> StoreError {
    StoreError::Unavailable(format!("{what} is being changed by too many at once"))
}
