//! Customer.io, as far as a round needs it: what got no 2xx is sent again until it does, in the order of its lane, and
//! some of what got one is sent again as well. Source: law 2 of the design (its waits are an hour there, not here).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;

use super::{Figures, Random};

/// How long it rests before it sends again what got no 2xx.
const REST: Duration = Duration::from_millis(20);

/// Chances, in percent: of hanging up before the answer is there, and of sending again what was answered 2xx.
const IMPATIENT: u64 = 1;
const AGAIN: u64 = 5;

/// What became of a request.
pub enum Heard {
    Status(u16),
    /// A refusal that does not say when to come back.
    NoRetryAfter,
    /// No answer: nobody knows what became of it.
    Nothing,
}

#[derive(Default)]
pub struct Progress {
    /// Different events that were answered 2xx.
    pub accepted: AtomicU64,
    requests: AtomicU64,
    taken: AtomicU64,
    refused: AtomicU64,
    unanswered: AtomicU64,
    others: std::sync::Mutex<Vec<String>>,
}

impl Progress {
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Waits until so many different events were accepted.
    pub async fn reaches(&self, events: u64) {
        while self.accepted() < events {
            tokio::time::sleep(Duration::from_micros(300)).await;
        }
    }

    pub fn add_to(&self, figures: &mut Figures) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        figures.events += self.accepted();
        figures.requests += read(&self.requests);
        figures.taken += read(&self.taken);
        figures.refused += read(&self.refused);
        figures.unanswered += read(&self.unanswered);
        figures.breaches.append(&mut self.others.lock().expect("no panic while it is held"));
    }
}

/// Sends every body over so many lanes, each in order, until each was answered 2xx.
pub async fn send_all<P, F>(bodies: &[Vec<u8>], lanes: usize, random: &mut Random, progress: &Arc<Progress>, post: P)
where
    P: Fn(usize, Vec<u8>) -> F + Sync,
    F: Future<Output = Heard>,
{
    let lane = |lane: usize, mut random: Random| {
        let (post, progress) = (&post, progress.clone());
        async move {
            let own: Vec<&Vec<u8>> = bodies.iter().skip(lane).step_by(lanes).collect();
            let mut again: Vec<&Vec<u8>> = Vec::new();
            for body in own {
                insist(lane, body, &mut random, &progress, post).await;
                progress.accepted.fetch_add(1, Ordering::Relaxed);
                if random.percent(AGAIN) {
                    again.push(body);
                }
                if again.len() > 3 {
                    // In another order than they came first.
                    while let Some(body) = again.pop() {
                        insist(lane, body, &mut random, &progress, post).await;
                    }
                }
            }
            for body in again {
                insist(lane, body, &mut random, &progress, post).await;
            }
        }
    };
    join_all((0..lanes).map(|n| lane(n, random.fork()))).await;
}

async fn insist<P, F>(lane: usize, body: &[u8], random: &mut Random, progress: &Progress, post: &P)
where
    P: Fn(usize, Vec<u8>) -> F,
    F: Future<Output = Heard>,
{
    loop {
        progress.requests.fetch_add(1, Ordering::Relaxed);
        let asked = post(lane, body.to_vec());
        let heard = if random.percent(IMPATIENT) {
            let patience = random.wait(Duration::from_millis(10));
            tokio::time::timeout(patience, asked).await.unwrap_or(Heard::Nothing)
        } else {
            asked.await
        };
        match heard {
            Heard::Status(200) => {
                progress.taken.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Heard::Status(503) => progress.refused.fetch_add(1, Ordering::Relaxed),
            Heard::Nothing => progress.unanswered.fetch_add(1, Ordering::Relaxed),
            Heard::Status(other) => {
                progress.others.lock().expect("no panic while it is held").push(format!("an answer {other}"));
                return;
            }
            Heard::NoRetryAfter => {
                let what = "a 503 without Retry-After".to_owned();
                progress.others.lock().expect("no panic while it is held").push(what);
                return;
            }
        };
        tokio::time::sleep(random.wait(REST)).await;
    }
}
