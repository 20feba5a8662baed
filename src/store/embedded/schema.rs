//! The layout of `bridge.db`. Instants are microseconds since the Unix epoch, `minute`s are minutes, `_s` are seconds.

use std::fmt;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::store::StoreError;

/// Layouts, oldest first; a file's `user_version` says how many of them it has been through.
const LAYOUTS: &[&str] = &[LAYOUT_1, LAYOUT_2, LAYOUT_3, LAYOUT_4, LAYOUT_5, LAYOUT_6];

/// `AUTOINCREMENT` where an id must never name another row later: a worker that is too late would settle a message
/// it never saw, and the series kept in memory would be another one's.
pub(super) const LAYOUT_1: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, visible_at INTEGER NOT NULL, receives INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;

CREATE TABLE hints (
    id INTEGER PRIMARY KEY AUTOINCREMENT, visible_at INTEGER NOT NULL, receives INTEGER NOT NULL,
    receiver TEXT NOT NULL, incident TEXT NOT NULL
) STRICT;
CREATE INDEX hints_due ON hints (receiver, visible_at);
CREATE INDEX hints_unreceived ON hints (receiver, incident, visible_at) WHERE receives = 0;

CREATE TABLE series (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, since INTEGER NOT NULL, json TEXT NOT NULL UNIQUE
) STRICT;
CREATE INDEX series_kind ON series (kind);
CREATE INDEX series_since ON series (since);

CREATE TABLE seen (
    identity BLOB PRIMARY KEY, series INTEGER NOT NULL, at_s INTEGER NOT NULL, since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_since ON seen (since);

CREATE TABLE registers (
    kind TEXT NOT NULL, minute INTEGER NOT NULL, series INTEGER NOT NULL, count INTEGER NOT NULL,
    last_s INTEGER NOT NULL, PRIMARY KEY (kind, minute, series)
) STRICT, WITHOUT ROWID;

CREATE TABLE incidents (
    key TEXT NOT NULL, episode INTEGER NOT NULL, version INTEGER NOT NULL, live INTEGER NOT NULL,
    opened_at INTEGER NOT NULL, resolved_at INTEGER, json TEXT NOT NULL, PRIMARY KEY (key, episode)
) STRICT, WITHOUT ROWID;
CREATE INDEX incidents_live ON incidents (opened_at) WHERE live = 1;
CREATE INDEX incidents_opened ON incidents (opened_at);
CREATE INDEX incidents_resolved ON incidents (resolved_at);

CREATE TABLE told (
    key TEXT NOT NULL, receiver TEXT NOT NULL, owner TEXT, until INTEGER, touched INTEGER NOT NULL, json TEXT,
    PRIMARY KEY (key, receiver)
) STRICT, WITHOUT ROWID;
CREATE INDEX told_touched ON told (touched);

CREATE TABLE quarantine (
    id TEXT PRIMARY KEY, received_at INTEGER NOT NULL, reason TEXT NOT NULL, length INTEGER NOT NULL,
    head BLOB NOT NULL
) STRICT;
CREATE INDEX quarantine_received ON quarantine (received_at);

CREATE TABLE cursors (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE verdicts (
    heartbeat TEXT NOT NULL, start INTEGER NOT NULL, ended INTEGER NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (heartbeat, start)
) STRICT, WITHOUT ROWID;
CREATE INDEX verdicts_ended ON verdicts (ended);
";

/// Silences, and when a cursor was moved (nothing: by an older version that still runs).
const LAYOUT_2: &str = "
CREATE TABLE silences (id TEXT PRIMARY KEY, ends INTEGER NOT NULL, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX silences_ends ON silences (ends);
ALTER TABLE cursors ADD COLUMN moved_at INTEGER;
";

/// What workflows did, by day.
const LAYOUT_3: &str = "
CREATE TABLE days (
    counted_as TEXT NOT NULL, day INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (counted_as, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX days_day ON days (day);
";

/// What was fired.
const LAYOUT_4: &str = "
CREATE TABLE fired (
    hour INTEGER NOT NULL, event TEXT NOT NULL, origin TEXT NOT NULL, id TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (hour, event, origin, id)
) STRICT, WITHOUT ROWID;
";

/// Summaries of local days, in days since the Unix epoch.
const LAYOUT_5: &str = "
CREATE TABLE summaries (day INTEGER PRIMARY KEY, made_at INTEGER NOT NULL, json TEXT NOT NULL) STRICT;
";

/// What was compared with what was fired.
const LAYOUT_6: &str = "
CREATE TABLE compared (
    event TEXT NOT NULL, campaign TEXT NOT NULL, day INTEGER NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (event, campaign, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX compared_day ON compared (day);
";

/// Why an open file is not ours to use.
#[derive(Debug)]
pub enum Refusal {
    /// Written by a later version of the bridge.
    Newer { found: usize },
    /// Of another workspace: every key begins with the workspace, and a file holds one.
    OtherWorkspace { found: String },
    /// The file is not as the bridge left it, or could not be read or written.
    Trouble(StoreError),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newer { found } => write!(
                f,
                "written by a newer version of the bridge (layout {found}, this one knows {}): run the newer \
                 version, or give this one another --data folder",
                LAYOUTS.len()
            ),
            Self::OtherWorkspace { found } => write!(
                f,
                "holds the workspace `{found}`, which is not [workspace] name of this configuration: give each \
                 workspace its own --data folder"
            ),
            Self::Trouble(error) => error.fmt(f),
        }
    }
}

impl<E: Into<StoreError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Trouble(error.into())
    }
}

/// Brings a new or older file to the current layout, and makes sure that it is this workspace's.
pub fn prepare(connection: &mut Connection, workspace: &str) -> Result<(), Refusal> {
    if layout_of(connection)? < LAYOUTS.len() {
        // Another process may be at the same point: only one gets the lock, the other finds the work done.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for layout in LAYOUTS.iter().skip(layout_of(&transaction)?) {
            transaction.execute_batch(layout)?;
        }
        let insert = "INSERT OR IGNORE INTO meta (name, value) VALUES ('workspace', ?1)";
        transaction.execute(insert, [workspace])?;
        transaction.pragma_update(None, "user_version", LAYOUTS.len())?;
        transaction.commit()?;
    }
    let found = layout_of(connection)?;
    if found > LAYOUTS.len() {
        return Err(Refusal::Newer { found });
    }
    let found: Option<String> = connection
        .query_row("SELECT value FROM meta WHERE name = 'workspace'", params![], |row| row.get(0))
        .optional()?;
    match found {
        Some(found) if found != workspace => Err(Refusal::OtherWorkspace { found }),
        _ => Ok(()),
    }
}

fn layout_of(connection: &Connection) -> rusqlite::Result<usize> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}
