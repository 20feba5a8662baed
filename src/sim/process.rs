//! What runs: the real steps over the adapter, wired as the entry points wire them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use async_trait::async_trait;
use hyper::{HeaderMap, Method};

use super::effects::{Adapter, complete};
use super::mutant::Mutant;
use super::queues::Queued;
use super::receivers::StandIn;
use super::scenario::Style;
use super::sender::Heard;
use super::setup::Setup;
use super::traffic::{Parked, What, text_of};
use super::truth::{Answered, Copy, Done};
use super::world::{SECOND, State, Todo, World, instant};
use crate::clock::Clock;
use crate::config::Config;
use crate::config::secrets::{Secret, SecretError, SecretRef, Secrets};
use crate::customerio::cause;
use crate::customerio::event::{Event, FUTURE_MINUTES, Fate};
use crate::customerio::signature;
use crate::queue::{Handled, Message};
use crate::receivers::Receiver;
use crate::steps::deliver::Deliver;
use crate::steps::evaluate::Evaluate;
use crate::steps::ingest::{Answer, Head, Ingest, KeyRing, Refusals, WEBHOOK_PATH};
use crate::steps::tick::Tick;
use crate::store::StoreError;

const KEY: &str = "simulated-signing-key";

/// A message whose step failed is rested so long, in seconds.
const REST: i64 = 30;

/// On Lambda a wait longer than this is tick's, not the queue's.
const LONGEST_HIDDEN: i64 = 60 * SECOND;

struct OneSecret;

#[async_trait]
impl Secrets for OneSecret {
    async fn get(&self, _: &SecretRef) -> Result<Secret, SecretError> {
        Ok(Secret::new(KEY))
    }
}

/// A deployment: one configuration, and the steps over it.
pub struct Process {
    pub epoch: usize,
    pub config: Arc<Config>,
    pub(super) adapter: Arc<Adapter>,
    world: Arc<World>,
    style: Style,
    ingest: Ingest,
    deliver: Deliver,
}

impl Process {
    pub fn new(adapter: &Arc<Adapter>, setup: &Setup, epoch: usize, number: u32) -> Arc<Self> {
        let world = adapter.world.clone();
        let config = Arc::new(setup.config());
        let keys = KeyRing::load(config.customerio.signing_keys.clone(), Arc::new(OneSecret), world.now());
        let receivers: BTreeMap<String, Arc<dyn Receiver>> = config
            .receivers
            .iter()
            .map(|r| {
                let stand_in = StandIn { world: world.clone(), name: r.name.clone() };
                (r.name.clone(), Arc::new(stand_in) as Arc<dyn Receiver>)
            })
            .collect();
        let ingest = Ingest {
            store: adapter.clone(),
            outbox: adapter.clone(),
            config: config.clone(),
            keys: complete(keys),
            counts: None,
            refusals: Refusals::default(),
        };
        let deliver = Deliver {
            store: adapter.clone(),
            outbox: adapter.clone(),
            config: config.clone(),
            receivers,
            clock: world.clone(),
            process: format!("p{number}"),
            leases: AtomicU64::new(0),
            links: None,
            names: Default::default(),
        };
        let style = world.state().scenario.style;
        Arc::new(Self { epoch, config, adapter: adapter.clone(), world, style, ingest, deliver })
    }

    /// One call of the sender, from its arrival to the answer on the wire.
    pub async fn ingest(self: Arc<Self>, call: u32, item: usize) {
        let body = self.world.state().scenario.items[item].body.clone();
        let arrived = self.world.state().now;
        let strange = {
            let mut state = self.world.state();
            state.truth.arrivals.entry(item).or_default().push(arrived);
            state.scenario.items[item].strange && arrived < state.scenario.extras.updated_at
        };
        let answer = match strange {
            true => self.misunderstood(&body, arrived).await,
            false => self.answer(body.as_bytes(), arrived).await,
        };
        self.world.state().answered(call, item, arrived, answer, self.world.is(Mutant::Answer500));
    }

    async fn answer(&self, body: &[u8], arrived: i64) -> Answer {
        let stamp = instant(arrived).as_second().to_string();
        let signed = signature::sign(&Secret::new(KEY), &stamp, body);
        let mut headers = HeaderMap::new();
        for (name, value) in [(signature::SIGNATURE_HEADER, signed), (signature::TIMESTAMP_HEADER, stamp)] {
            headers.insert(name, value.parse().expect("a header"));
        }
        let head = Head {
            method: &Method::POST,
            path: WEBHOOK_PATH,
            headers: &headers,
            peer: None,
            arrived: instant(arrived),
        };
        match self.ingest.begin(&head) {
            Ok(mut verifier) => {
                verifier.update(body);
                self.ingest.finish(verifier, &head).await
            }
            Err(answer) => answer,
        }
    }

    /// A batch of the events queue, to the deletion of what is done.
    pub async fn evaluate(self: Arc<Self>, batch: Vec<(i64, Queued)>) {
        let messages: Vec<Message> = batch
            .iter()
            .map(|(id, queued)| Message { id: *id, body: queued.body.clone(), receives: queued.receives })
            .collect();
        if self.world.is(Mutant::DeleteOnReceipt) {
            self.settle(Todo::Events, batch.iter().map(|(id, _)| (*id, Handled::Done)).collect()).await;
        }
        let adapter = self.adapter.as_ref();
        let step = Evaluate { store: adapter, outbox: adapter, config: &self.config, stop_by: None };
        let now = self.world.now();
        match step.batch(&messages, now).await {
            Ok(handled) => {
                self.world.state().evaluated(&batch, &handled, self.epoch);
                self.settle(Todo::Events, handled).await;
            }
            Err(error) => {
                self.world.say(|| format!("evaluate: {error}"));
                let again = batch.iter().map(|(id, _)| (*id, rest())).collect();
                self.settle(Todo::Events, again).await;
            }
        }
    }

    /// A hint, to its deletion or its return.
    pub async fn deliver(self: Arc<Self>, id: i64, queued: Queued) {
        let Some(hint) = queued.hint else { return };
        let handled = match self.deliver.hint(&hint).await {
            Ok(Handled::Again(wait)) if self.style == Style::Lambda && to_micros(wait) > LONGEST_HIDDEN => {
                Handled::Done
            }
            Ok(handled) => handled,
            Err(StoreError::Unavailable(_) | StoreError::Corrupt(_)) => rest(),
        };
        self.settle(Todo::Hints, vec![(id, handled)]).await;
    }

    pub async fn tick(self: Arc<Self>) {
        let adapter = self.adapter.as_ref();
        let now = self.world.now();
        let step = Tick {
            store: adapter,
            outbox: adapter,
            config: &self.config,
            directory: None,
            pulse: None,
            track: None,
            sums: None,
        };
        if let Err(failed) = step.run(now).await {
            self.world.say(|| format!("tick: {failed}"));
        }
    }

    /// Tells the queue; as often as not over a slow network, and sometimes not at all.
    async fn settle(&self, lane: Todo, handled: Vec<(i64, Handled)>) {
        let (wait, fails) = {
            let mut state = self.world.state();
            let throttle = state.faults.throttle;
            (state.latency(), state.random.chance(throttle))
        };
        self.world.pause(wait).await;
        if fails {
            return;
        }
        let mut state = self.world.state();
        for (id, handled) in handled {
            match handled {
                Handled::Done => state.settle(lane, id, None),
                Handled::Again(wait) => state.settle(lane, id, Some(to_micros(wait))),
            }
        }
    }
}

fn rest() -> Handled {
    Handled::Again(std::time::Duration::from_secs(REST.unsigned_abs()))
}

fn to_micros(wait: std::time::Duration) -> i64 {
    i64::try_from(wait.as_micros()).unwrap_or(i64::MAX)
}

impl State {
    /// Ingest answers; the sender hears it a little later, or not at all.
    pub fn answered(&mut self, call: u32, item: usize, arrived: i64, answer: Answer, as_500: bool) {
        let status = match answer.status() {
            503 if as_500 => 500,
            status => status,
        };
        self.truth.answers.push(Answered { item, arrived, answered: self.now, status });
        self.say(|| format!("item {item} answered {status}"));
        let lost = self.random.chance(self.faults.unheard);
        let heard = match lost {
            false => Heard::Status(status),
            true if self.random.chance(500) => Heard::Broken,
            // The sender waits for nothing.
            true => return,
        };
        self.called(call, heard);
    }

    /// Ingest's events are in the queue now.
    pub fn enqueue(&mut self, events: &[Event], ageless: bool) {
        for event in events {
            let items = self.scenario.items.iter();
            let found = items.enumerate().find_map(|(place, item)| match &item.what {
                What::Event(spec) if spec.identity == event.identity => Some((place, spec.clone(), item.parked)),
                _ => None,
            });
            let Some((item, spec, parked)) = found else {
                let line = format!("an event was stored that nobody sent: {}", event.kind);
                self.truth.wrong.push(line);
                continue;
            };
            let arrived = self.now_of(event);
            let own = spec.stamp * SECOND;
            let future = own - arrived > FUTURE_MINUTES * 60 * SECOND;
            let at = if future { arrived } else { own };
            let first = !self.truth.copies.iter().any(|c| c.identity == event.identity);
            let copy = Copy { identity: event.identity, item, arrived, table: self.table, at, future };
            self.truth.copies.push(copy);
            let place = self.truth.copies.len() - 1;
            let mut stored = event.clone();
            if let (Some(failure), Some(text)) = (&mut stored.failure, spec.text) {
                failure.cause = cause::classify(&spec.kind, Some(text_of(&spec.kind, text, self.table)));
            }
            if ageless && stored.fate == Fate::TooLate {
                stored.fate = Fate::Counted;
            }
            let Ok(body) = serde_json::to_string(&stored) else { continue };
            let soon = self.now + self.random.between(0, SECOND / 2);
            match parked.filter(|_| first) {
                Some(Parked::For(delay, beside)) => {
                    self.put(body.clone(), place, self.now + delay, false);
                    if beside {
                        self.put(body, place, soon, false);
                    }
                }
                Some(Parked::Held(most)) => self.put(body, place, self.now + most, true),
                None => self.put(body, place, soon, false),
            }
        }
    }

    fn put(&mut self, body: String, copy: usize, visible_at: i64, held: bool) {
        self.queues.put_event(body, copy, visible_at, held);
        self.at(visible_at, Todo::Events);
    }

    fn now_of(&self, event: &Event) -> i64 {
        super::world::micros(event.arrived)
    }

    fn evaluated(&mut self, batch: &[(i64, Queued)], handled: &[(i64, Handled)], epoch: usize) {
        for (id, _) in handled.iter().filter(|(_, handled)| *handled == Handled::Done) {
            let Some((_, queued)) = batch.iter().find(|(of, _)| of == id) else { continue };
            let identity = self.truth.copies[queued.copy].identity;
            let step = self.truth.next_step();
            self.truth.done.push(Done { step, identity, epoch });
        }
    }
}
