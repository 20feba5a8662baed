//! The queues in the store's file, through its one writer: an event is durable with the same fsync that many others
//! wait for. A message that was received is out of sight until its visibility ends, or until it is settled.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, ToSql, params};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::{Handled, Hint, Message, Outbox, Probe};
use crate::customerio::event::Event;
use crate::incident::IncidentKey;
use crate::store::StoreError;
use crate::store::embedded::{Database, micros, unwritable};

/// Most messages of a lane that [`EmbeddedQueue::depth`] counts: it says that a queue is long, not how long.
pub const DEPTH_MOST: usize = 100_000;

/// One of the two queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    Events,
    Hints,
}

/// How many messages there are, received or not; each at most [`DEPTH_MOST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    pub events: usize,
    pub hints: usize,
}

/// Both queues. Ids of hints are negative, so that one [`EmbeddedQueue::settle`] serves both lanes.
#[derive(Clone)]
pub struct EmbeddedQueue {
    database: Arc<Database>,
}

impl EmbeddedQueue {
    pub(crate) fn of(database: Arc<Database>) -> Self {
        Self { database }
    }

    /// Receives up to `max` events, in the order they were sent; each is out of sight for `visibility`.
    pub async fn receive_events(
        &self,
        max: usize,
        now: Timestamp,
        visibility: Duration,
    ) -> Result<Vec<Message>, StoreError> {
        let (now, hidden) = (micros(now), after(now, visibility));
        self.database
            .write(move |tx| {
                let mut receive = tx.prepare_cached(
                    "UPDATE events SET visible_at = ?3, receives = receives + 1
                     WHERE id IN (SELECT id FROM events WHERE visible_at <= ?2 ORDER BY id LIMIT ?1)
                     RETURNING id, body, receives",
                )?;
                let rows = receive.query_map(params![max, now, hidden], |row| {
                    Ok(Message { id: row.get(0)?, body: row.get(1)?, receives: row.get(2)? })
                })?;
                let mut messages = rows.collect::<Result<Vec<_>, _>>()?;
                messages.sort_unstable_by_key(|m| m.id);
                Ok(messages)
            })
            .await
    }

    /// Receives up to `max` hints for one receiver, the one longest due first; each is out of sight for `visibility`.
    pub async fn receive_hints(
        &self,
        receiver: &str,
        max: usize,
        now: Timestamp,
        visibility: Duration,
    ) -> Result<Vec<Message>, StoreError> {
        let name = receiver.to_owned();
        let (now, hidden) = (micros(now), after(now, visibility));
        let received = self.database.write(move |tx| {
            let mut due = tx.prepare_cached(
                "SELECT id, incident, receives FROM hints WHERE receiver = ?1 AND visible_at <= ?2
                 ORDER BY visible_at, id LIMIT ?3",
            )?;
            let rows = due.query_map(params![name, now, max], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, u32>(2)?))
            })?;
            let due = rows.collect::<Result<Vec<_>, _>>()?;
            let mut hide =
                tx.prepare_cached("UPDATE hints SET visible_at = ?2, receives = receives + 1 WHERE id = ?1")?;
            for (id, ..) in &due {
                hide.execute([*id, hidden])?;
            }
            Ok(due)
        });
        let message = |(id, incident, receives): (i64, String, u32)| {
            let hint = Hint { incident: IncidentKey(incident), receiver: receiver.to_owned() };
            let body = serde_json::to_string(&hint).map_err(|_| unwritable("a hint"))?;
            Ok(Message { id: -id, body, receives: receives.saturating_add(1) })
        };
        received.await?.into_iter().map(message).collect()
    }

    /// Deletes what is done with, and gives the rest back. A message that is gone already is no error.
    pub async fn settle(&self, results: &[(i64, Handled)], now: Timestamp) -> Result<(), StoreError> {
        if results.is_empty() {
            return Ok(());
        }
        let again = |handled: &Handled| match handled {
            Handled::Done => None,
            Handled::Again(wait) => Some(after(now, *wait)),
        };
        let settled: Vec<(i64, Option<i64>)> = results.iter().map(|(id, handled)| (*id, again(handled))).collect();
        self.database.write(move |tx| settle_all(tx, &settled)).await?;
        for lane in [Lane::Events, Lane::Hints] {
            let at_once = |(id, handled): &(i64, Handled)| {
                Lane::of(*id) == lane && matches!(handled, Handled::Again(wait) if wait.is_zero())
            };
            if results.iter().any(at_once) {
                self.bell(lane).notify_waiters();
            }
        }
        Ok(())
    }

    /// When something of the lane is to be received: `now` when it is already; `None` when the lane is empty.
    pub async fn next_visible(&self, lane: Lane, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let table = lane.table();
        let at = micros(now);
        let next = self.database.read(move |tx| {
            // Of a long backlog the first row answers; only when all rows are out of sight, and so are few, are they
            // searched for the minimum.
            let any = format!("SELECT 1 FROM {table} WHERE visible_at <= ?1 LIMIT 1");
            if tx.prepare_cached(&any)?.exists([at])? {
                return Ok(Some(at));
            }
            let next = format!("SELECT min(visible_at) FROM {table}");
            Ok(tx.prepare_cached(&next)?.query_row([], |row| row.get::<_, Option<i64>>(0))?)
        });
        Ok(next.await?.map(|next| not_before(now, next)))
    }

    /// When a hint for this receiver is to be received, like [`EmbeddedQueue::next_visible`].
    pub async fn next_visible_hint(&self, receiver: &str, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let receiver = receiver.to_owned();
        let next = self.database.read(move |tx| {
            let mut next = tx.prepare_cached("SELECT min(visible_at) FROM hints WHERE receiver = ?1")?;
            Ok(next.query_row([receiver], |row| row.get::<_, Option<i64>>(0))?)
        });
        Ok(next.await?.map(|next| not_before(now, next)))
    }

    /// The receivers that hints wait for, by name: some may be configured no longer (design, law 10).
    pub async fn hinted_receivers(&self) -> Result<Vec<String>, StoreError> {
        self.database
            .read(|tx| {
                let mut names = tx.prepare_cached("SELECT DISTINCT receiver FROM hints ORDER BY receiver")?;
                Ok(names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// How many messages there are.
    pub async fn depth(&self) -> Result<Depth, StoreError> {
        self.database
            .read(|tx| {
                let count = |lane: Lane| -> Result<usize, StoreError> {
                    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT ?1)", lane.table());
                    Ok(tx.prepare_cached(&sql)?.query_row([DEPTH_MOST], |row| row.get(0))?)
                };
                Ok(Depth { events: count(Lane::Events)?, hints: count(Lane::Hints)? })
            })
            .await
    }

    /// Makes every message visible at once: the process that had received them is dead. Says how many were hidden.
    pub async fn requeue_in_flight(&self, now: Timestamp) -> Result<usize, StoreError> {
        let now = micros(now);
        let requeued = self.database.write(move |tx| {
            let mut requeued = 0;
            for lane in [Lane::Events, Lane::Hints] {
                let sql = format!("UPDATE {} SET visible_at = ?1 WHERE visible_at > ?1", lane.table());
                requeued += tx.prepare_cached(&sql)?.execute([now])?;
            }
            Ok(requeued)
        });
        let requeued = requeued.await?;
        self.database.bells.iter().for_each(Notify::notify_waiters);
        Ok(requeued)
    }

    /// Ends when this process has put something into the lane. Make it before receiving and await it after: it hears
    /// everything from the moment it is made, so nothing slips in between. What other processes send it does not hear.
    pub fn notified(&self, lane: Lane) -> Notified<'_> {
        self.bell(lane).notified()
    }

    /// Puts bodies into the events lane.
    async fn put(&self, bodies: Vec<String>, now: Timestamp) -> Result<(), StoreError> {
        let now = micros(now);
        self.database
            .write(move |tx| {
                let mut insert =
                    tx.prepare_cached("INSERT INTO events (visible_at, receives, body) VALUES (?1, 0, ?2)")?;
                for body in &bodies {
                    insert.execute(params![now, body])?;
                }
                Ok(())
            })
            .await?;
        self.bell(Lane::Events).notify_waiters();
        Ok(())
    }

    fn bell(&self, lane: Lane) -> &Notify {
        let [events, hints] = &self.database.bells;
        match lane {
            Lane::Events => events,
            Lane::Hints => hints,
        }
    }
}

#[async_trait]
impl Outbox for EmbeddedQueue {
    async fn send_events(&self, events: &[Event], now: Timestamp) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let json = |event| serde_json::to_string(event).map_err(|_| unwritable("an event"));
        self.put(events.iter().map(json).collect::<Result<Vec<_>, _>>()?, now).await
    }

    async fn send_probe(&self, probe: Probe, now: Timestamp) -> Result<(), StoreError> {
        self.put(vec![serde_json::to_string(&probe).map_err(|_| unwritable("a probe"))?], now).await
    }

    /// A hint that is due now and waits already, never received, is not put in twice: nobody can settle it before
    /// looking again. One that is out of sight may be settled by a worker that looked too early, so it does not count.
    async fn send_hints(&self, hints: &[Hint], now: Timestamp, wait: Duration) -> Result<(), StoreError> {
        if hints.is_empty() {
            return Ok(());
        }
        let hints = hints.to_vec();
        let (now, due) = (micros(now), after(now, wait));
        self.database
            .write(move |tx| {
                let mut insert = tx.prepare_cached(
                    "INSERT INTO hints (visible_at, receives, receiver, incident) SELECT ?1, 0, ?2, ?3
                     WHERE ?1 > ?4 OR NOT EXISTS (SELECT 1 FROM hints
                        WHERE receives = 0 AND receiver = ?2 AND incident = ?3 AND visible_at <= ?4)",
                )?;
                for hint in &hints {
                    insert.execute(params![due, hint.receiver, hint.incident.0, now])?;
                }
                Ok(())
            })
            .await?;
        self.bell(Lane::Hints).notify_waiters();
        Ok(())
    }
}

impl Lane {
    fn of(id: i64) -> Self {
        if id < 0 { Self::Hints } else { Self::Events }
    }

    const fn table(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Hints => "hints",
        }
    }
}

/// `None` deletes, an instant says when the message is visible again.
fn settle_all(tx: &Connection, settled: &[(i64, Option<i64>)]) -> Result<(), StoreError> {
    for (id, again) in settled {
        let row: &dyn ToSql = &id.saturating_abs();
        let (sql, values): (_, &[&dyn ToSql]) = match (Lane::of(*id), again) {
            (Lane::Events, None) => ("DELETE FROM events WHERE id = ?1", &[row]),
            (Lane::Hints, None) => ("DELETE FROM hints WHERE id = ?1", &[row]),
            (Lane::Events, Some(at)) => ("UPDATE events SET visible_at = ?2 WHERE id = ?1", &[row, at]),
            (Lane::Hints, Some(at)) => ("UPDATE hints SET visible_at = ?2 WHERE id = ?1", &[row, at]),
        };
        tx.prepare_cached(sql)?.execute(values)?;
    }
    Ok(())
}

/// The instant so much later, in microseconds.
fn after(now: Timestamp, wait: Duration) -> i64 {
    micros(now).saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX))
}

/// A stored instant, or `now` when it is past.
fn not_before(now: Timestamp, micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX).max(now)
}
