//! Rounds in which processes are killed while events come in: what is sent ([`plan`]), who sends it ([`sender`]), and
//! what must be true in the end ([`audit`]). A seed decides what is sent and when something dies; how far the
//! processes have come by then is the machine's affair, so a seed does not repeat a history, it makes another like it.
//! The only support that reads the product's own store: the counts are in no message.

pub mod audit;
pub mod plan;
pub mod sender;

use std::fmt;
use std::ops::Range;
use std::time::Duration;

/// SplitMix64: small, and the same everywhere. Source: <https://prng.di.unimi.it/splitmix64.c>.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Another one, whose numbers depend on this one's next.
    pub fn fork(&mut self) -> Self {
        Self(self.next())
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    pub fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.below(range.end - range.start)
    }

    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).expect("fits")]
    }

    /// A time of up to `most`.
    pub fn wait(&mut self, most: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(most.as_micros()).expect("fits") + 1))
    }
}

/// What happened in a round, or in many.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub rounds: u64,
    pub kills: u64,
    /// Different events.
    pub events: u64,
    /// Requests: an event is sent until it is answered 2xx, and sometimes once more.
    pub requests: u64,
    pub taken: u64,
    pub refused: u64,
    pub unanswered: u64,
    pub missing: u64,
    pub doubled: u64,
    /// Messages that the receivers took.
    pub told: u64,
    /// Of these, those that they had taken before.
    pub copies: u64,
    /// What broke a promise, in words.
    pub breaches: Vec<String>,
}

impl Figures {
    pub fn add(&mut self, other: Self) {
        self.rounds += other.rounds;
        self.kills += other.kills;
        self.events += other.events;
        self.requests += other.requests;
        self.taken += other.taken;
        self.refused += other.refused;
        self.unanswered += other.unanswered;
        self.missing += other.missing;
        self.doubled += other.doubled;
        self.told += other.told;
        self.copies += other.copies;
        self.breaches.extend(other.breaches);
    }

    pub fn breach(&mut self, what: impl Into<String>) {
        self.breaches.push(what.into());
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rounds, kills, events, requests, taken, refused, unanswered, missing, doubled, told, copies, ..
        } = self;
        write!(
            f,
            "rounds {rounds}, kills {kills}, events {events}, requests {requests}, 2xx {taken}, 503 {refused}, \
             unanswered {unanswered}, missing {missing}, doubled {doubled}, messages {told}, extra copies {copies}"
        )
    }
}

/// Plays rounds as the environment says (scripts/kill-rounds): how many, of how many events, from which seed. Each
/// prints its figures, and the last line those of all.
pub async fn play<R: Future<Output = Figures>>(round: impl Fn(u64, usize) -> R) {
    let number = |name: &str, otherwise: u64| match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")),
        Err(_) => otherwise,
    };
    let (rounds, events) = (number("BRIDGE_KILL_ROUNDS", 1), number("BRIDGE_KILL_EVENTS", 500));
    let seed = number("BRIDGE_KILL_SEED", std::process::id().into());
    let mut all = Figures::default();
    let began = std::time::Instant::now();
    println!("kill-rounds: seeds {seed} to {}", seed + rounds.saturating_sub(1));
    for seed in seed..seed + rounds {
        let one = round(seed, usize::try_from(events).expect("fits")).await;
        println!("seed {seed}: {one}");
        one.breaches.iter().for_each(|breach| println!("seed {seed}: BROKEN: {breach}"));
        all.add(one);
    }
    println!("kill-rounds: {all}, promises broken {}, {} s", all.breaches.len(), began.elapsed().as_secs());
    assert!(all.breaches.is_empty(), "promises were broken, see above");
}
