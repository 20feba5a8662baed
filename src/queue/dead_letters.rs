//! What a queue gave up on, waiting for a person. Whoever looks at dead letters holds them: nobody else sees them
//! meanwhile, and what is neither sent nor discarded is given back. A crash gives them back when the hold ends.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::store::{StoreError, Write};

/// The queue that gave up on a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Its bodies are [`Event`](crate::customerio::event::Event)s.
    Events,
    /// Its bodies are [`Hint`](super::Hint)s.
    Hints,
    /// The schedule's calls of tick; no queue that they could be put back into.
    Tick,
}

/// A message that was given up, in our hands.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// The same each time it is looked at.
    pub id: String,
    pub origin: Origin,
    pub body: String,
    /// How often it was received in all, this time included.
    pub receives: u32,
    /// When it was put into its queue; the queue forgets it some days after that.
    pub sent_at: Timestamp,
    /// What the queue knows this receive by.
    pub receipt: String,
    /// Ours until then.
    pub held_until: Instant,
}

/// What could be taken at once.
#[derive(Clone, Debug, Default)]
pub struct Held {
    pub letters: Vec<DeadLetter>,
    /// Of which queues there is more.
    pub rest: Vec<Rest>,
}

/// What a queue has besides. Numbers are the queue's own guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    pub origin: Origin,
    /// In sight, beyond what is taken at once.
    pub more: u64,
    /// Out of sight: somebody else holds it.
    pub with_others: u64,
}

/// The dead letters of all queues.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Takes what there is, within bounds, out of everybody's sight for this long.
    async fn hold(&self, hold: Duration) -> Result<Held, StoreError>;

    /// Puts it back into its queue, then deletes it here: a crash in between leaves two, which count once.
    /// `Conflict`: it is not ours any more, or has no queue.
    async fn send(&self, letter: &DeadLetter) -> Result<Write, StoreError>;

    /// Deletes it. `Conflict`: it is not ours any more.
    async fn discard(&self, letter: &DeadLetter) -> Result<Write, StoreError>;

    /// Puts what is still held in sight again. What cannot be told to the queue comes back by itself when the hold ends.
    async fn give_back(&self, letters: &[&DeadLetter]);
}
