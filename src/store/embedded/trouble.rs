//! What an error of SQLite means for a caller, with what to do about it. No text holds a stored value.

use rusqlite::{Error, ErrorCode};

use crate::store::StoreError;

/// What to do when the disk says no.
const NOT_WRITABLE: &str = "bridge.db cannot be written to: check that this user may write to the data folder \
                            and that the disk is not mounted read-only";

/// What each error code means. An error that is not listed is shown as SQLite words it.
/// Source: "Result and Error Codes", sqlite.org/rescode.html.
const MEANINGS: &[(ErrorCode, &str)] = &[
    (ErrorCode::DiskFull, "the disk that holds bridge.db is full: free some space, no restart is needed"),
    (ErrorCode::ReadOnly, NOT_WRITABLE),
    (ErrorCode::CannotOpen, NOT_WRITABLE),
    (ErrorCode::PermissionDenied, NOT_WRITABLE),
    (ErrorCode::DatabaseBusy, "another process has kept bridge.db locked for over 5 s: end it, or wait for it"),
    (ErrorCode::DatabaseLocked, "another process has kept bridge.db locked for over 5 s: end it, or wait for it"),
    (ErrorCode::SystemIoFailure, "the disk that holds bridge.db failed to read or write: check the disk"),
    (ErrorCode::OutOfMemory, "not enough memory to use bridge.db"),
];

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let code = error.sqlite_error_code();
        if matches!(code, Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)) {
            return Self::Corrupt(
                "bridge.db is damaged or no data file of this bridge: bring back a backup, or move it away to begin \
                 with an empty one"
                    .into(),
            );
        }
        match (&error, MEANINGS.iter().find(|(listed, _)| Some(*listed) == code)) {
            (_, Some((_, meaning))) => Self::Unavailable((*meaning).into()),
            (
                Error::FromSqlConversionFailure(column, ..)
                | Error::InvalidColumnType(column, ..)
                | Error::IntegralValueOutOfRange(column, _),
                None,
            ) => Self::Corrupt(format!("bridge.db holds a value of another type than expected in column {column}")),
            (_, None) => Self::Unavailable(format!("bridge.db: {error}")),
        }
    }
}

/// A stored text that is not the JSON this version writes; says where it breaks, not what it holds.
pub fn unreadable(what: &str, error: &serde_json::Error) -> StoreError {
    StoreError::Corrupt(format!("{what}: not the JSON that this version writes, at column {}", error.column()))
}

/// A value that has no JSON form.
pub fn unwritable(what: &str) -> StoreError {
    StoreError::Corrupt(format!("{what}: has no JSON form"))
}

/// A stored instant outside the calendar.
pub fn no_instant() -> StoreError {
    StoreError::Corrupt("an instant outside the years that the bridge knows".into())
}
