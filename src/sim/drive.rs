//! The loop: takes the next thing to do, lets it happen, and polls the task that it wakes. One thread, no waiting.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hyper::{HeaderMap, Method};

use super::effects::{Adapter, complete};
use super::mutant::Mutant;
use super::process::Process;
use super::scenario::{Scenario, Style};
use super::sender::Heard;
use super::world::{HOUR, MINUTE, Role, Running, SECOND, TaskId, Todo, World, instant};
use crate::steps::ingest::{Answer, Head, Ingest, WEBHOOK_PATH};

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// A call of the sender: its number, its item and when it arrived.
type Call = (u32, usize, i64);

/// Most things that may happen in one history: beyond, something goes in circles.
const MOST: u64 = 2_000_000;

pub struct Drive {
    pub world: Arc<World>,
    pub(super) adapter: Arc<Adapter>,
    pub(super) tasks: BTreeMap<TaskId, (Task, Option<Call>)>,
    last_task: TaskId,
    pub(super) process: Option<Arc<Process>>,
    processes: u32,
    pub(super) epoch: usize,
    pub(super) settles: i64,
    /// Everything is told; nothing more is to happen.
    pub settled: bool,
}

impl Drive {
    pub fn new(adapter: Arc<Adapter>) -> Self {
        let world = adapter.world.clone();
        let mut drive = Self {
            world: world.clone(),
            adapter,
            tasks: BTreeMap::new(),
            last_task: 0,
            process: None,
            processes: 0,
            epoch: 0,
            settles: 0,
            settled: false,
        };
        let mut state = world.state();
        let scenario: Scenario = state.scenario.clone();
        for (place, item) in scenario.items.iter().enumerate() {
            state.at(item.at, Todo::Happen(place));
            if let Some(again_at) = item.again_at {
                state.at(again_at, Todo::Happen(place));
            }
        }
        scenario.configured_at.iter().for_each(|at| state.at(*at, Todo::Configure));
        scenario.reclassified_at.iter().for_each(|at| state.at(*at, Todo::Reclassify));
        state.at(scenario.faults_end, Todo::FaultsEnd);
        state.plan_extras();
        let first_tick = scenario.start + scenario.tick_every / 3;
        state.at(first_tick, Todo::Tick);
        drop(state);
        drive.start();
        drive
    }

    /// Lets everything happen.
    pub fn run(&mut self, runtime: &tokio::runtime::Runtime) {
        for _ in 0..MOST {
            let Some(todo) = self.world.state().next() else { return };
            if todo_is_timer(todo) {
                // The time limit inside the step is tokio's: its clock stands still until now.
                runtime.block_on(tokio::time::advance(Duration::from_secs(8)));
            }
            self.happen(todo);
            if self.settled {
                return;
            }
        }
        self.world.state().truth.wrong.push("it never ends".into());
    }

    fn happen(&mut self, todo: Todo) {
        self.world.state().current = 0;
        match todo {
            Todo::Wake(task) | Todo::TimeOut(task) => self.poll(task),
            Todo::Deadline(task) => self.deadline(task),
            Todo::Happen(item) => self.world.state().offer(item),
            Todo::Send => self.send(),
            Todo::GiveUp(call) => self.world.state().called(call, Heard::TimedOut),
            Todo::Events => self.events(),
            Todo::Hints => self.hints(),
            Todo::Tick => self.tick(),
            Todo::Start => self.start(),
            Todo::Configure => self.configure(),
            Todo::Reclassify => {
                let mut state = self.world.state();
                state.table = 1 - state.table;
                state.say(|| "CAUSES read differently".into());
            }
            Todo::FaultsEnd => self.faults_end(),
            Todo::Settle => self.settle(),
            Todo::Look => self.tick_now(false),
            Todo::Silence(_) | Todo::Unsilence(_) | Todo::Redrive | Todo::Layout(_) => self.besides(todo),
        }
    }

    pub(super) fn spawn(&mut self, role: Role, batch: Vec<usize>, call: Option<Call>, task: Task) {
        self.last_task += 1;
        let id = self.last_task;
        let epoch = self.process.as_ref().map_or(0, |p| p.epoch);
        let running = Running::new(role, epoch, batch);
        self.world.state().running.insert(id, running);
        self.tasks.insert(id, (task, call));
        self.poll(id);
    }

    fn poll(&mut self, id: TaskId) {
        let Some((mut task, call)) = self.tasks.remove(&id) else { return };
        self.world.state().current = id;
        let polled = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let dies = self.world.state().take_dying();
        self.world.state().current = 0;
        if polled == Poll::Pending && !dies {
            self.tasks.insert(id, (task, call));
            return;
        }
        drop(task);
        let role = self.world.state().running.remove(&id).map(|running| running.role);
        // A command is a process of its own.
        if dies && role != Some(Role::Person) {
            self.died(call);
        }
    }

    /// A task died; under `serve` all of them do.
    fn died(&mut self, call: Option<Call>) {
        let style = self.world.state().scenario.style;
        if let Some((call, ..)) = call {
            // The platform answers for a function that died; a dead process cuts the connection.
            let heard = if style == Style::Lambda { Heard::Status(502) } else { Heard::Broken };
            self.world.state().called(call, heard);
        }
        if style == Style::Serve {
            self.stop();
            let mut state = self.world.state();
            let down = state.random.pick(&[SECOND, 30 * SECOND, 10 * MINUTE]);
            state.after(down, Todo::Start);
        }
    }

    fn stop(&mut self) {
        let mut state = self.world.state();
        let is_ours = |id: &TaskId| state.running.get(id).is_none_or(|running| running.role != Role::Person);
        let ours: Vec<TaskId> = self.tasks.keys().copied().filter(is_ours).collect();
        let tasks: Vec<_> = ours.iter().filter_map(|id| self.tasks.remove(id)).collect();
        state.say(|| "PROCESS ends".into());
        for (_, call) in &tasks {
            if let Some((call, ..)) = call {
                state.called(*call, Heard::Broken);
            }
        }
        ours.iter().for_each(|id| _ = state.running.remove(id));
        drop(state);
        drop(tasks);
        self.process = None;
    }

    fn start(&mut self) {
        if self.process.is_some() {
            return;
        }
        self.processes += 1;
        let setup = self.world.state().scenario.setups[self.epoch].clone();
        self.process = Some(Process::new(&self.adapter, &setup, self.epoch, self.processes));
        let mut state = self.world.state();
        state.say(|| format!("PROCESS starts with configuration {}", self.epoch));
        if state.scenario.style == Style::Serve {
            // What `serve` does at start.
            if !self.world.is(Mutant::LeaseWithoutEnd) {
                let voided = complete(self.adapter.store.void_leases());
                voided.expect("leases are voided");
            }
            let now = state.now;
            let queues = &mut state.queues;
            for queued in queues.events.values_mut().chain(queues.hints.values_mut()) {
                if queued.receives > 0 {
                    queued.visible_at = queued.visible_at.min(now);
                }
            }
        }
        for todo in [Todo::Events, Todo::Hints, Todo::Send] {
            state.after(0, todo);
        }
    }

    pub(super) fn configure(&mut self) {
        let most = self.world.state().scenario.setups.len() - 1;
        self.epoch = (self.epoch + 1).min(most);
        if self.world.state().scenario.style == Style::Serve {
            self.stop();
        }
        self.process = None;
        self.start();
    }

    fn send(&mut self) {
        let Some((call, item)) = self.world.state().call() else { return };
        let Some(process) = self.process.clone() else {
            self.world.state().called(call, Heard::Broken);
            return;
        };
        let arrived = self.world.state().now;
        let left = {
            // As the entry points do: the answer must be out in time.
            let headers = HeaderMap::new();
            let arrived = instant(arrived);
            let head = Head { method: &Method::POST, path: WEBHOOK_PATH, headers: &headers, peer: None, arrived };
            Ingest::time_left(&head, arrived)
        };
        let id = self.last_task + 1;
        self.world.state().after(i64::try_from(left.as_micros()).unwrap_or(0), Todo::Deadline(id));
        self.spawn(Role::Ingest, Vec::new(), Some((call, item, arrived)), Box::pin(process.ingest(call, item)));
    }

    fn deadline(&mut self, id: TaskId) {
        let Some((task, call)) = self.tasks.remove(&id) else { return };
        drop(task);
        let mut state = self.world.state();
        state.running.remove(&id);
        if let Some((call, item, arrived)) = call {
            let as_500 = self.world.is(Mutant::Answer500);
            state.answered(call, item, arrived, Answer::Unavailable, as_500);
        }
    }

    fn events(&mut self) {
        let Some(process) = self.process.clone() else { return };
        let (most, visibility) = {
            let state = self.world.state();
            (state.scenario.batch, state.scenario.visibility)
        };
        let batch = self.world.state().receive(Todo::Events, most, visibility);
        if batch.is_empty() {
            return;
        }
        // In the order in which the step counts them: those received often are done alone, after the others.
        let (alone, together): (Vec<_>, Vec<_>) = batch.iter().partition(|(_, q)| q.receives > 2);
        let copies = together.iter().chain(&alone).map(|(_, q)| q.copy).collect();
        self.spawn(Role::Evaluate, copies, None, Box::pin(process.evaluate(batch)));
    }

    fn hints(&mut self) {
        let Some(process) = self.process.clone() else { return };
        let visibility = self.world.state().scenario.visibility;
        let batch = self.world.state().receive(Todo::Hints, 10, visibility);
        for (id, queued) in batch {
            self.spawn(Role::Deliver, Vec::new(), None, Box::pin(process.clone().deliver(id, queued)));
            if self.process.is_none() {
                return;
            }
        }
    }

    fn tick(&mut self) {
        let (ended, twice, missing, every) = {
            let mut state = self.world.state();
            let rate = state.faults.tick;
            let ended = state.now >= state.scenario.faults_end;
            (ended, state.random.chance(rate), state.random.chance(rate / 2), state.scenario.tick_every)
        };
        if ended {
            return;
        }
        let gap = if missing { self.world.state().random.between(every, HOUR) } else { every };
        self.world.state().after(gap, Todo::Tick);
        self.tick_now(twice);
    }

    pub(super) fn tick_now(&mut self, twice: bool) {
        for _ in 0..1 + u8::from(twice) {
            if let Some(process) = self.process.clone() {
                self.spawn(Role::Tick, Vec::new(), None, Box::pin(process.tick()));
            }
        }
    }
}

fn todo_is_timer(todo: Todo) -> bool {
    matches!(todo, Todo::TimeOut(_))
}
