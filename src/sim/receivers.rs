//! The receivers' side: what they can do, what mood they are in, and what they took.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::mutant::Mutant;
use super::scenario::Scenario;
use super::truth::Attempt;
use super::world::{HOUR, MINUTE, SECOND, World};
use crate::incident::told::Receipt;
use crate::message::Message;
use crate::receivers::{Outcome, Receiver};

/// How a receiver behaves for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Fine,
    /// 429 with Retry-After.
    Busy,
    /// 5xx.
    Failing,
    /// Takes it, but what it answers is 5xx or never comes.
    Swallowing,
    /// No answer, nothing taken.
    Hanging,
    /// Takes no message at all until somebody repairs it.
    Broken,
    /// Refuses one message in four for ever, by the incident's key.
    Picky,
}

const MOODS: [Mood; 6] = [Mood::Busy, Mood::Failing, Mood::Swallowing, Mood::Hanging, Mood::Broken, Mood::Picky];

#[derive(Default)]
pub struct Receivers {
    moods: BTreeMap<String, (Mood, i64)>,
    /// Those that nobody repairs.
    broken: Vec<String>,
    pub trouble: u64,
}

impl Receivers {
    pub fn of(scenario: &Scenario) -> Self {
        let broken = scenario.broken.clone();
        Self { moods: BTreeMap::new(), broken, trouble: scenario.trouble }
    }

    pub fn is_broken(&self, name: &str) -> bool {
        self.broken.iter().any(|b| b == name)
    }
}

/// One receiver as deliver knows it.
pub struct StandIn {
    pub world: Arc<World>,
    pub name: String,
}

impl StandIn {
    fn mood(&self) -> Mood {
        let mut state = self.world.state();
        if state.receivers.is_broken(&self.name) {
            return Mood::Broken;
        }
        let (now, trouble) = (state.now, state.receivers.trouble);
        if trouble == 0 {
            return Mood::Fine;
        }
        match state.receivers.moods.get(&self.name) {
            Some((mood, until)) if now < *until => *mood,
            _ => {
                let bad = state.random.chance(trouble);
                let mood = if bad { state.random.pick(&MOODS) } else { Mood::Fine };
                let span = [20 * SECOND, 3 * MINUTE, 20 * MINUTE, HOUR];
                let until = now + state.random.pick(&span);
                state.receivers.moods.insert(self.name.clone(), (mood, until));
                mood
            }
        }
    }

    fn begin(&self, message: &Message) -> usize {
        let mut state = self.world.state();
        let step = state.truth.next_step();
        let attempt = Attempt {
            step,
            began: state.now,
            receiver: self.name.clone(),
            key: message.key.clone(),
            episode: message.episode,
            phase: message.phase,
            severity: message.severity,
            noted: message.note.is_some(),
            taken: None,
            answered: false,
            refused: false,
            recorded: None,
            silences_read: state.running().and_then(|running| running.silences_read),
        };
        state.truth.attempts.push(attempt);
        let place = state.truth.attempts.len() - 1;
        let current = state.current;
        if let Some(running) = state.running.get_mut(&current) {
            running.attempts.push(place);
        }
        place
    }

    fn take(&self, place: usize) {
        let mut state = self.world.state();
        let step = state.truth.next_step();
        let now = state.now;
        let attempt = &mut state.truth.attempts[place];
        attempt.taken = Some((step, now));
        let line = format!("{} TOOK {:?} {}-{}", attempt.receiver, attempt.phase, short(&attempt.key), attempt.episode);
        state.say(|| line);
    }

    /// A slow one takes it only after seconds, well within the time that we wait.
    async fn dawdle(&self) {
        let wait = {
            let mut state = self.world.state();
            let slow = state.scenario.extras.slow;
            let is_slow = slow > 0 && state.random.chance(slow);
            if is_slow { state.random.between(SECOND, 5 * SECOND) } else { 0 }
        };
        if wait > 0 {
            self.world.pause(wait).await;
        }
    }

    async fn wait(&self) {
        let latency = self.world.state().latency();
        self.world.pause(latency).await;
        let dies = {
            let mut state = self.world.state();
            let kill = state.faults.kill;
            let by_chance = state.random.chance(kill * 3);
            state.next_effect().is_some() || by_chance
        };
        if dies {
            self.world.say(|| "DIES while sending".into());
            self.world.die().await;
        }
    }
}

pub fn short(key: &str) -> &str {
    key.get(..6).unwrap_or(key)
}

#[async_trait]
impl Receiver for StandIn {
    async fn send(&self, message: &Message, _previous: Option<&Receipt>) -> Outcome {
        let place = self.begin(message);
        if self.world.is(Mutant::SilenceMutesResolve) && self.world.state().mutes_resolve(place) {
            return Outcome::Delivered(Receipt::default());
        }
        self.wait().await;
        let mood = self.mood();
        let retry = |after, why: &str| Outcome::Retry { after, why: why.to_owned() };
        let outcome = match mood {
            Mood::Fine => None,
            Mood::Busy => {
                let wait = self.world.state().random.between(1, 200);
                Some(retry(Some(Duration::from_secs(wait.unsigned_abs())), "429"))
            }
            Mood::Failing => Some(retry(None, "503")),
            Mood::Broken => Some(Outcome::BadReceiver("gone".into())),
            Mood::Picky if message.key.as_bytes().first().is_some_and(|b| b % 4 == 0) => {
                Some(Outcome::BadMessage("400".into()))
            }
            Mood::Picky => None,
            Mood::Hanging => {
                self.world.say(|| format!("{} hangs", self.name));
                self.world.hang().await;
                None
            }
            Mood::Swallowing => {
                self.take(place);
                if self.world.state().random.chance(500) {
                    self.world.hang().await;
                }
                self.wait().await;
                Some(Outcome::Lost("502".into()))
            }
        };
        match outcome {
            None => {
                self.dawdle().await;
                self.take(place);
                self.wait().await;
                self.world.state().truth.attempts[place].answered = true;
                Outcome::Delivered(Receipt { id: Some(format!("m{place}")), ..Receipt::default() })
            }
            Some(outcome) => {
                let mut state = self.world.state();
                let refused = matches!(outcome, Outcome::BadMessage(_) | Outcome::BadReceiver(_));
                state.truth.attempts[place].refused = refused;
                let phase = message.phase;
                let key = short(&message.key).to_owned();
                state.say(|| format!("{} answers {phase:?} {key}-{}: {outcome:?}", self.name, message.episode));
                outcome
            }
        }
    }
}
