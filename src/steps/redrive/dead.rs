//! Dead letters: what a queue gave up on after many tries, put back into it or given up for good.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Item, Kind, Outcome, Redrive, What};
use crate::customerio::event::Event;
use crate::customerio::traces;
use crate::queue::dead_letters::{DeadLetter, DeadLetters, Held, Origin, Rest};
use crate::store::{SEEN_DAYS, StoreError, Write};

/// Days that a message may wait in its queue before it is processed (template.yaml, `MessageRetentionPeriod`).
const QUEUE_DAYS: i64 = 4;

/// An event that is older than this when it is sent may be counted when its identity is forgotten: after a first send
/// and a second death, for a queue keeps no dead letter longer than 14 days.
const SENDABLE_DAYS: i64 = SEEN_DAYS - 1 - QUEUE_DAYS;

/// What is held of the dead letters, as items, and what is to be said of the rest. Whoever asks gives them back
/// ([`give_back`]).
pub async fn hold(dead: &dyn DeadLetters, hold: Duration) -> Result<(Vec<Item>, Vec<String>), StoreError> {
    let Held { letters, rest } = dead.hold(hold).await?;
    Ok((letters.into_iter().map(item).collect(), rest.iter().flat_map(notes).collect()))
}

/// Puts what is held in sight again, but for what is done with.
pub async fn give_back(dead: &dyn DeadLetters, items: &[Item], done: impl Fn(&Item) -> bool) {
    let held = items.iter().filter(|item| !done(item)).filter_map(|item| match &item.what {
        What::Dead(letter) => Some(letter),
        What::Request(_) | What::Pair { .. } => None,
    });
    dead.give_back(&held.collect::<Vec<_>>()).await;
}

fn item(letter: DeadLetter) -> Item {
    let event = event(&letter);
    Item {
        id: letter.id.clone(),
        kind: Kind::DeadLetter,
        reason: reason(&letter),
        event_id: match letter.origin {
            Origin::Events => traces::event_id(letter.body.as_bytes()),
            Origin::Hints | Origin::Tick => None,
        },
        received_at: event.map_or(letter.sent_at, |event| event.arrived),
        preview: traces::preview(letter.body.as_bytes()),
        what: What::Dead(letter),
    }
}

/// `given up by the events queue, first sent 2026-11-24T14:02:00Z, received 1000 times`
pub fn reason(letter: &DeadLetter) -> String {
    let by = match letter.origin {
        Origin::Events | Origin::Hints => format!("given up by the {}", queue(letter.origin)),
        Origin::Tick => "tick failed".to_owned(),
    };
    let times = crate::message::text::count("time", u64::from(letter.receives));
    format!("{by}, first sent {:.0}, received {times}", letter.sent_at)
}

const fn queue(origin: Origin) -> &'static str {
    match origin {
        Origin::Events => "events queue",
        Origin::Hints => "hints queue",
        Origin::Tick => "schedule of tick",
    }
}

fn notes(rest: &Rest) -> Vec<String> {
    let of = queue(rest.origin);
    let more = (rest.more > 0).then(|| {
        format!("about {} more dead letters of the {of} were not read: deal with these, then run it again", rest.more)
    });
    let others = (rest.with_others > 0).then(|| {
        let them = rest.with_others;
        format!("about {them} dead letters of the {of} are out of sight: somebody else may be looking at them; try again in some minutes")
    });
    more.into_iter().chain(others).collect()
}

fn event(letter: &DeadLetter) -> Option<Event> {
    if letter.origin == Origin::Events { serde_json::from_str(&letter.body).ok() } else { None }
}

impl Redrive<'_> {
    /// Puts it back as it is: its arrival stands in it, and its identity makes it count once.
    pub(super) async fn put_back(&self, letter: &DeadLetter, now: Timestamp) -> Result<Outcome, StoreError> {
        let Some(dead) = self.dead_letters else { return Ok(Outcome::Kept("there are no dead letters here".into())) };
        if letter.origin == Origin::Tick {
            let why = "nothing is to be sent again: tick catches up by itself in its next minute; --drop it";
            return Ok(Outcome::Kept(why.to_owned()));
        }
        let known = event(letter).map(|event| event.arrived.max(event.at));
        if known.is_some_and(|at| now.duration_since(at) > SignedDuration::from_hours(24 * SENDABLE_DAYS)) {
            let why = format!("it is over {SENDABLE_DAYS} days old: it may have been counted, and would be again");
            return Ok(Outcome::Kept(why));
        }
        let sent = dead.send(letter).await?;
        tracing::info!(event = "dead_letter_sent", id = letter.id, queue = queue(letter.origin), ?sent);
        Ok(match sent {
            Write::Done => Outcome::Sent(format!("back to the {}", queue(letter.origin))),
            Write::Conflict => Outcome::Kept(LOST.to_owned()),
        })
    }

    pub(super) async fn discard(&self, letter: &DeadLetter, by: &str) -> Result<Outcome, StoreError> {
        let Some(dead) = self.dead_letters else { return Ok(Outcome::Kept("there are no dead letters here".into())) };
        Ok(match dead.discard(letter).await? {
            Write::Done => {
                tracing::warn!(event = "dead_letter_dropped", id = letter.id, queue = queue(letter.origin), by);
                Outcome::Dropped
            }
            Write::Conflict => Outcome::Kept(LOST.to_owned()),
        })
    }
}

const LOST: &str = "it took too long, and somebody else may have it by now: run it again";
