//! The same promise on Lambda: each function dies at random moments of its invocations, while twins of it work on. The
//! sender sends again what got no answer, and a batch whose function died comes back when its visibility ends (law 1).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cio_alert_bridge::config::parse;
use cio_alert_bridge::store::dynamo::DynamoStore;
use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::support::event_source::Queue;
use crate::support::lambda::{EVENTS_BATCH, HINTS_BATCH, call, try_tick, webhook};
use crate::support::rounds::plan::{Plan, RULES};
use crate::support::rounds::sender::{Heard, Progress, send_all};
use crate::support::rounds::{Figures, Random, audit, play};
use crate::support::runtime_api::Lambda;
use crate::support::serve::SIGNING_KEY;
use crate::support::{Reply, Stack, Step, World};

/// Environments of each function that work at once (tick: one).
const TWINS: usize = 2;

/// An invocation is killed with this chance, in percent, while its function has kills left ...
const KILL: u64 = 40;

/// ... of so many in a round; ingest has one more for so many events.
const KILLS: usize = 8;
const EVENTS_A_KILL: usize = 20;

/// A receiver takes up to so long to answer: long enough that some die while they wait for it.
const THINKING: Duration = Duration::from_millis(150);

/// How long a round may wait for what must come: a killed sender's lease alone is 15 s.
const PATIENCE: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_answered_2xx_is_lost_or_doubled_by_functions_that_die_at_random_moments() {
    let figures = round(1, 150).await;
    assert!(figures.breaches.is_empty(), "{figures}\n{:#?}", figures.breaches);
    assert!(figures.kills >= 8 && figures.events == 150, "{figures}");
}

/// `scripts/kill-rounds --aws`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs as long as it is told to"]
async fn kill_rounds() {
    play(round).await;
}

async fn round(seed: u64, events: usize) -> Figures {
    let mut random = Random::new(seed);
    let mut figures = Figures { rounds: 1, ..Figures::default() };
    let world = World::new().await;
    for (receiver, reply) in [(&world.pager, Reply::accepted()), (&world.slack, Reply::ok())] {
        let mut random = random.fork();
        receiver.answer_by(move |_| Some(reply.clone().after(random.wait(THINKING))));
    }
    let plan = Plan::new(&mut random, events, Timestamp::now());
    let stack = Stack::new(world.setup(&RULES.concat())).await;
    let killer = Killer::default();
    let left = [Step::Ingest, Step::Evaluate, Step::Deliver, Step::Tick].map(|step| {
        let more = if matches!(step, Step::Ingest) { events / EVENTS_A_KILL } else { 0 };
        AtomicUsize::new(KILLS + more)
    });
    let progress = Arc::new(Progress::default());
    let mut lanes: Vec<_> =
        (0..TWINS).map(|_| Mutex::new(Environment::new(&stack, &killer, &left, Step::Ingest, &mut random))).collect();
    let mut environments = |step| Environment::new(&stack, &killer, &left, step, &mut random);
    let workers = [Step::Evaluate, Step::Deliver].map(|step| [(); TWINS].map(|()| environments(step)));
    let ticker = environments(Step::Tick);

    let story = async {
        let sending = send_all(&plan.bodies, TWINS, &mut random, &progress, |lane, body| {
            let lane = &lanes[lane];
            async move { lane.lock().await.post(&body).await }
        });
        sending.await;
        progress.add_to(&mut figures);
        until(&mut figures, &world, &stack, &plan, false).await;
        // The second rule goes: what it opened is told to be over. Functions read their configuration when they start.
        let file = stack.setup.config_file();
        let config = std::fs::read_to_string(&file).expect("a configuration");
        std::fs::write(file, config.replace(RULES[1], "")).expect("written");
        killer.edition.fetch_add(1, Ordering::SeqCst);
        until(&mut figures, &world, &stack, &plan, true).await;
        killer.stop.store(true, Ordering::SeqCst);
    };
    let [[a, b], [c, d]] = workers;
    let working = async {
        tokio::join!(
            a.work(&stack.events),
            b.work(&stack.events),
            c.work(&stack.hints),
            d.work(&stack.hints),
            ticker.tick()
        )
    };
    let _ = tokio::join!(story, working);

    figures.kills = killer.done.load(Ordering::SeqCst) as u64;
    for lane in &mut lanes {
        lane.get_mut().running = None;
    }
    for (name, queue) in [("events", &stack.events), ("hints", &stack.hints)] {
        let dead = queue.dead_letters().await;
        if dead > 0 {
            figures.breach(format!("{dead} {name} were given up"));
        }
    }
    let deaths = killer.deliveries.load(Ordering::SeqCst);
    audit::told(&mut figures, &plan, "PagerDuty", &audit::paged(&world.pager.seen()), &audit::Deaths::Among(deaths));
    audit::told(&mut figures, &plan, "Slack", &audit::posted(&world.slack.seen()), &audit::Deaths::Among(deaths));
    audit::page_counts(&mut figures, &plan, &world.pager.seen());
    let (config, _) = parse::load(&stack.setup.config_file()).expect("a configuration");
    let store = DynamoStore::new(stack.table.client(), stack.table.name.clone(), &config.workspace.name);
    audit::counts(&mut figures, &plan, &store, &config).await;
    figures
}

/// Waits until all that is due was told and nothing waits to be evaluated.
async fn until(figures: &mut Figures, world: &World, stack: &Stack, plan: &Plan, with_ends: bool) {
    let until = Instant::now() + PATIENCE;
    loop {
        let (pages, posts) = (audit::paged(&world.pager.seen()), audit::posted(&world.slack.seen()));
        let told = audit::complete(plan, &pages, with_ends) && audit::complete(plan, &posts, with_ends);
        if told && stack.events.depth().await == 0 {
            return;
        }
        // What has failed already is not waited for twice.
        if Instant::now() > until || !figures.breaches.is_empty() {
            figures.breach("not everything was evaluated and told in time");
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Who is killed, when.
#[derive(Default)]
struct Killer {
    done: AtomicUsize,
    /// Invocations of deliver that were killed or failed: each may have sent what it did not record.
    deliveries: AtomicUsize,
    /// Environments of an older edition of the configuration end.
    edition: AtomicUsize,
    stop: AtomicBool,
}

/// A function's execution environment: started when it is needed, and again after it died.
struct Environment<'a> {
    stack: &'a Stack,
    killer: &'a Killer,
    /// How often this function is to be killed yet.
    left: &'a AtomicUsize,
    step: Step,
    random: Random,
    running: Option<(usize, Lambda)>,
    /// How long invocations take: the next one is killed within that.
    usual: Duration,
}

impl<'a> Environment<'a> {
    fn new(stack: &'a Stack, killer: &'a Killer, left: &'a [AtomicUsize; 4], step: Step, random: &mut Random) -> Self {
        let left = &left[step as usize];
        Self { stack, killer, left, step, random: random.fork(), running: None, usual: Duration::from_millis(20) }
    }

    /// Has the function do something, and kills it meanwhile, if it is to be.
    async fn run<T>(&mut self, work: impl AsyncFnOnce(&Lambda) -> T) -> T {
        let edition = self.killer.edition.load(Ordering::SeqCst);
        let lambda = match self.running.take() {
            Some((read, lambda)) if read == edition => lambda,
            _ => self.stack.start(self.step).await,
        };
        let one_less = |left: usize| left.checked_sub(1);
        let dies =
            self.random.percent(KILL) && self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok();
        if !dies {
            let began = Instant::now();
            let done = work(&lambda).await;
            self.usual = (self.usual + began.elapsed()) / 2;
            self.running = Some((edition, lambda));
            return done;
        }
        self.killer.done.fetch_add(1, Ordering::SeqCst);
        let after = self.random.wait(self.usual);
        let killing = async {
            tokio::time::sleep(after).await;
            lambda.kill();
        };
        tokio::join!(work(&lambda), killing).0
    }

    async fn post(&mut self, body: &[u8]) -> Heard {
        let answer = self.run(async |ingest| call(ingest, &webhook(SIGNING_KEY, ingest.clock.now(), body)).await).await;
        match answer.status {
            // What the platform says when the function died.
            502 => Heard::Nothing,
            503 if answer.header("retry-after").is_none() => Heard::NoRetryAfter,
            status => Heard::Status(status),
        }
    }

    /// The event source mapping of one twin, until all is told.
    async fn work(mut self, queue: &Queue) {
        let most = if matches!(self.step, Step::Deliver) { HINTS_BATCH } else { EVENTS_BATCH };
        while !self.killer.stop.load(Ordering::SeqCst) {
            let most = usize::try_from(self.random.within(1..most as u64 / 2 + 1)).expect("fits");
            let messages = queue.receive(most).await;
            if messages.is_empty() {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            let passed = self.run(async |function| queue.try_hand_over(function, &messages).await).await;
            if passed.is_err() && matches!(self.step, Step::Deliver) {
                self.killer.deliveries.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    /// The schedule, once a second instead of once a minute.
    async fn tick(mut self) {
        while !self.killer.stop.load(Ordering::SeqCst) {
            let _ = self.run(async |tick| try_tick(tick).await).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}
