//! What really happened, as seen from outside the steps: what was sent and answered, and every effect that was made.
//! The oracle judges by this alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::customerio::event::Identity;
use crate::incident::told::Stage;
use crate::incident::{Incident, Severity, State};
use crate::message::Phase;
use crate::tally::Class;

use super::world::Role;

#[derive(Default)]
pub struct Truth {
    /// Effects so far: who came first.
    pub step: u64,
    pub answers: Vec<Answered>,
    pub copies: Vec<Copy>,
    /// What each identity was first counted as.
    pub first: BTreeMap<Identity, First>,
    pub done: Vec<Done>,
    pub heard: Vec<(u64, usize)>,
    pub writes: Vec<Written>,
    pub attempts: Vec<Attempt>,
    pub hushes: Vec<Hush>,
    pub muted: Vec<Muted>,
    /// Pairs whose opening was written down as being sent: key, receiver and episode.
    pub begun: BTreeSet<(String, String, u32)>,
    /// How far each pair got, as recorded last.
    pub stages: BTreeMap<(String, String), (u32, Stage)>,
    /// Pairs that somebody gave up: the place in time, key, receiver and episode.
    pub dropped: Vec<(u64, String, String, u32)>,
    /// Quarantined requests that somebody gave up, by id.
    pub thrown_away: BTreeSet<String>,
    /// When each item arrived.
    pub arrivals: BTreeMap<usize, Vec<i64>>,
    /// Seen at once to be wrong.
    pub wrong: Vec<String>,
    /// Effects of each kind, for figures.
    pub effects: u64,
}

impl Truth {
    /// The place in time of an effect that is made now.
    pub fn next_step(&mut self) -> u64 {
        self.step += 1;
        self.step
    }
}

/// An answer of ours to an authentic request.
#[derive(Clone, Debug)]
pub struct Answered {
    pub item: usize,
    pub arrived: i64,
    pub answered: i64,
    pub status: u16,
}

/// An event in the queue: made durable by ingest.
#[derive(Clone, Debug)]
pub struct Copy {
    pub identity: Identity,
    pub item: usize,
    pub arrived: i64,
    pub table: usize,
    /// Its own time, or its arrival where that lies too far ahead.
    pub at: i64,
    pub future: bool,
}

#[derive(Clone, Debug)]
pub struct First {
    /// When its class was decided; its register may say so from then on ...
    pub frozen: u64,
    /// ... and must from here on.
    pub step: u64,
    pub class: Class,
}

/// An evaluation that ended well.
#[derive(Clone, Debug)]
pub struct Done {
    pub step: u64,
    pub identity: Identity,
    pub epoch: usize,
}

/// An incident as it was written.
#[derive(Clone, Debug)]
pub struct Written {
    pub step: u64,
    pub at: i64,
    pub incident: Incident,
    pub role: Role,
    pub epoch: usize,
    /// When the tick that wrote it had read what is covered.
    pub coverage_step: Option<u64>,
    /// When it had read the silences, and as of when it asks them.
    pub silences_read: Option<(u64, i64)>,
    /// When it had read the failures that it judged by.
    pub failures_read: Option<u64>,
}

/// Whether an incident is over as it is written here.
pub fn ends(incident: &Incident) -> bool {
    matches!(incident.state, State::Resolved { .. })
}

/// An attempt to tell a receiver something.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub step: u64,
    pub began: i64,
    pub receiver: String,
    pub key: String,
    pub episode: u32,
    pub phase: Phase,
    pub severity: Severity,
    /// It says why it comes here and not elsewhere.
    pub noted: bool,
    /// When the receiver took it, if it did, and the place in time.
    pub taken: Option<(u64, i64)>,
    /// We heard that it did.
    pub answered: bool,
    /// The receiver will never take it.
    pub refused: bool,
    /// And wrote that down.
    pub recorded: Option<u64>,
    /// When the silences had been read, and as of when they were asked.
    pub silences_read: Option<(u64, i64)>,
}

/// A silence as it was stored: from then on, until it is stored again.
#[derive(Clone, Debug)]
pub struct Hush {
    pub step: u64,
    pub id: String,
    pub start: i64,
    pub end: i64,
    /// As they were typed.
    pub conditions: Vec<String>,
}

/// A pair that was recorded against a silence.
#[derive(Clone, Debug)]
pub struct Muted {
    pub step: u64,
    pub key: String,
    pub receiver: String,
    pub episode: u32,
    pub silence: String,
    /// The incident was over.
    pub over: bool,
    pub silences_read: Option<(u64, i64)>,
    pub epoch: usize,
}

impl Attempt {
    /// Taken, heard of and written down: nothing may be said again.
    pub fn is_clean(&self) -> bool {
        self.taken.is_some() && self.answered && self.recorded.is_some()
    }
}
