//! What every simulated part shares: the time, what is to happen next, chance, faults, and what is known to be true.
//!
//! Nothing here waits. A future that would wait asks to be polled again at an instant ([`World::pause`]), and only then
//! is it polled: so every effect of every task is ordered by simulated time, and by the seed where times are equal.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use jiff::Timestamp;

use super::mutant::Mutant;
use super::queues::Queues;
use super::random::Random;
use super::receivers::Receivers;
use super::scenario::Scenario;
use super::sender::Sender;
use super::truth::Truth;
use super::{Kill, Way};
use crate::clock::Clock;

/// Microseconds.
pub const SECOND: i64 = 1_000_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

pub type TaskId = u32;

/// What is to happen at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Todo {
    Wake(TaskId),
    /// The step's own time limit for a send is over.
    TimeOut(TaskId),
    /// Ingest must have answered.
    Deadline(TaskId),
    /// The sender looks at its queue.
    Send,
    /// The sender waited long enough for this post's answer.
    GiveUp(u32),
    /// Traffic: this item happens.
    Happen(usize),
    Events,
    Hints,
    Tick,
    /// The process comes up again.
    Start,
    /// The next configuration holds.
    Configure,
    /// The table of causes is another one.
    Reclassify,
    FaultsEnd,
    /// After the faults: cover time, show that all works, see whether everything is told.
    Settle,
    /// After the faults: tick looks.
    Look,
    /// Somebody makes this silence.
    Silence(usize),
    /// Somebody ends it.
    Unsilence(usize),
    /// Somebody looks at what waits for a person.
    Redrive,
    /// A version with another layout.
    Layout(usize),
}

/// Faults in thousandths of effects.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Refused without effect.
    pub throttle: u64,
    /// Done, but the answer is an error.
    pub lose: u64,
    /// The task, under `serve` the process, dies before or after the effect.
    pub kill: u64,
    /// A count dies between the seen set and the registers (model store only).
    pub tear: u64,
    /// An effect takes up to 1.2 s.
    pub slow: u64,
    /// A queue message is received twice, or comes back after it was deleted.
    pub duplicate: u64,
    /// The answer to the sender is lost.
    pub unheard: u64,
    /// A tick is missing, or doubled.
    pub tick: u64,
}

/// What runs as a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Ingest,
    Evaluate,
    Deliver,
    Tick,
    /// A command that somebody runs: a process of its own.
    Person,
}

/// The time alone, for stores: they may ask for it while the world is looked at.
pub struct Time(AtomicI64);

impl Clock for Time {
    fn now(&self) -> Timestamp {
        instant(self.0.load(Ordering::Relaxed))
    }
}

pub struct World {
    state: Mutex<State>,
    pub time: Arc<Time>,
    pub mutant: Option<Mutant>,
}

pub struct State {
    /// Microseconds since the Unix epoch.
    pub now: i64,
    time: Arc<Time>,
    heap: BinaryHeap<Reverse<(i64, u64, Todo)>>,
    pushed: u64,
    pub random: Random,
    pub faults: Faults,
    pub scenario: Scenario,
    /// The task that is being polled.
    pub current: TaskId,
    dying: bool,
    pub running: BTreeMap<TaskId, Running>,
    pub queues: Queues,
    pub sender: Sender,
    pub receivers: Receivers,
    pub truth: Truth,
    /// Which table of causes holds.
    pub table: usize,
    history: Option<Vec<String>>,
    kill: Option<Kill>,
    disturbed: bool,
}

/// What is known of a task that runs.
pub struct Running {
    pub role: Role,
    /// Which configuration it works with.
    pub epoch: usize,
    /// Evaluate: places of its events in [`Truth::copies`], in the order in which it will count them.
    pub batch: Vec<usize>,
    /// Evaluate: how many it counted last.
    pub counted: usize,
    /// Tick: when it read what is covered.
    pub coverage_step: Option<u64>,
    /// Deliver: its attempts to send, not recorded yet.
    pub attempts: Vec<usize>,
    /// When it last asked for the time.
    pub asked: i64,
    /// When it last read the silences: the place in time, and the time that it asks them about.
    pub silences_read: Option<(u64, i64)>,
    /// When it last read the registers of failures.
    pub failures_read: Option<u64>,
    /// A person: it is giving up what it changes.
    pub gives_up: bool,
}

impl Running {
    pub fn new(role: Role, epoch: usize, batch: Vec<usize>) -> Self {
        Self {
            role,
            epoch,
            batch,
            counted: 0,
            coverage_step: None,
            attempts: Vec::new(),
            asked: 0,
            silences_read: None,
            failures_read: None,
            gives_up: false,
        }
    }
}

impl World {
    pub fn new(scenario: Scenario, random: Random, way: Way) -> Arc<Self> {
        let time = Arc::new(Time(AtomicI64::new(scenario.start)));
        let state = State {
            now: scenario.start,
            time: time.clone(),
            heap: BinaryHeap::new(),
            pushed: 0,
            random,
            faults: scenario.faults,
            current: 0,
            dying: false,
            running: BTreeMap::new(),
            queues: Queues::default(),
            sender: Sender::default(),
            receivers: Receivers::of(&scenario),
            truth: Truth::default(),
            table: 0,
            history: way.history.then(Vec::new),
            kill: way.kill,
            disturbed: way.kill.is_some(),
            scenario,
        };
        Arc::new(Self { state: Mutex::new(state), time, mutant: way.mutant })
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    pub fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// Ends so many microseconds from when it is first polled.
    pub fn pause(self: &Arc<Self>, micros: i64) -> Pause {
        Pause { world: self.clone(), micros, due: None }
    }

    /// The task that awaits this dies; under `serve` the process does.
    pub fn die(self: &Arc<Self>) -> Die {
        Die { world: self.clone() }
    }

    /// Never answers; the step's own time limit ends it after 8 s.
    pub async fn hang(self: &Arc<Self>) {
        {
            let mut state = self.state();
            let current = state.current;
            state.after(8 * SECOND, Todo::TimeOut(current));
        }
        std::future::pending::<()>().await;
    }

    /// A line of the history, if somebody reads it.
    pub fn say(&self, line: impl FnOnce() -> String) {
        self.state().say(line);
    }
}

impl State {
    pub fn after(&mut self, micros: i64, todo: Todo) {
        let at = self.now + micros.max(0);
        self.pushed += 1;
        self.heap.push(Reverse((at, self.pushed, todo)));
    }

    pub fn at(&mut self, at: i64, todo: Todo) {
        self.after(at - self.now, todo);
    }

    /// The next thing to do, with its time made now.
    pub fn next(&mut self) -> Option<Todo> {
        let Reverse((at, _, todo)) = self.heap.pop()?;
        self.now = at;
        self.time.0.store(at, Ordering::Relaxed);
        Some(todo)
    }

    pub fn instant(&self) -> Timestamp {
        instant(self.now)
    }

    pub fn say(&mut self, line: impl FnOnce() -> String) {
        let (now, current) = (self.now, self.current);
        if let Some(history) = &mut self.history {
            let at = instant(now).strftime("%d %H:%M:%S%.3f");
            history.push(format!("{at} #{current} {}", line()));
        }
    }

    pub fn history(&mut self) -> Vec<String> {
        self.history.take().unwrap_or_default()
    }

    pub fn take_dying(&mut self) -> bool {
        std::mem::take(&mut self.dying)
    }

    /// Nobody died by order.
    pub fn is_undisturbed(&self) -> bool {
        !self.disturbed
    }

    /// Counts an effect; where the task is to die at this one: whether before or after it.
    pub fn next_effect(&mut self) -> Option<Kill> {
        self.truth.effects += 1;
        self.kill.take_if(|kill| kill.effect == self.truth.effects)
    }

    /// What is known of the task that is being polled.
    pub fn running(&mut self) -> Option<&mut Running> {
        let current = self.current;
        self.running.get_mut(&current)
    }

    /// How long a step towards an effect, or its answer, takes.
    pub fn latency(&mut self) -> i64 {
        match self.random.chance(self.faults.slow) {
            true => self.random.between(SECOND / 10, SECOND + SECOND / 5),
            false => self.random.between(200, 12_000),
        }
    }
}

pub fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}

pub fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        let mut state = self.state();
        let (now, current) = (state.now, state.current);
        if let Some(running) = state.running.get_mut(&current) {
            running.asked = now;
        }
        instant(now)
    }
}

pub struct Pause {
    world: Arc<World>,
    micros: i64,
    /// When it is over, once it has begun.
    due: Option<i64>,
}

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.world.state();
        let due = match (self.due, self.micros) {
            (Some(due), _) if state.now >= due => return Poll::Ready(()),
            (Some(due), _) => due,
            (None, micros) => {
                let current = state.current;
                state.after(micros, Todo::Wake(current));
                state.now + micros
            }
        };
        drop(state);
        self.due = Some(due);
        // A task is polled when one of its pauses is over; who polls several at once is to look at each of them then.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

pub struct Die {
    world: Arc<World>,
}

impl Future for Die {
    type Output = std::convert::Infallible;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        self.world.state().dying = true;
        Poll::Pending
    }
}
