//! What was answered 2xx is counted once and told, though the process is killed again and again while it works (law 1).
//! Real processes and a real disk; the simulator (docs/reliability.md) goes through the orders of things that this
//! meets by chance only.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cio_alert_bridge::config::{Config, parse};
use cio_alert_bridge::store::embedded::{Durability, EmbeddedStore};
use jiff::Timestamp;

use crate::support::http::Http;
use crate::support::rounds::plan::{Plan, RULES};
use crate::support::rounds::sender::{Heard, Progress, send_all};
use crate::support::rounds::{Figures, Random, audit, play};
use crate::support::serve::{SIGNING_KEY, WEBHOOK, signed};
use crate::support::{Reply, Serve, Setup, World};

/// A kill for so many events, while they are posted.
const EVENTS_A_KILL: usize = 500;

/// The least kills of a round: while events are posted, and while ends are told.
const KILLS: usize = 4;
const LATE_KILLS: usize = 2;

/// How many post at once, by chance.
const LANES: [usize; 6] = [1, 2, 8, 32, 32, 64];

/// A receiver takes up to so long to answer: long enough that some die while they wait for it.
const THINKING: Duration = Duration::from_millis(15);

/// How long a round may wait for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_answered_2xx_is_lost_or_doubled_by_kills_at_random_moments() {
    for seed in 1..=3 {
        let figures = round(seed, 500).await;
        assert!(figures.breaches.is_empty(), "seed {seed}: {figures}\n{:#?}", figures.breaches);
        assert!(figures.kills >= 4 && figures.events == 500, "{figures}");
    }
}

/// `scripts/kill-rounds`.
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
    let setup = world.setup(&RULES.concat()).on_one_port();
    let mut keeper = Keeper { world: &world, random: random.fork(), kills: 0, taken: Default::default(), panics: 0 };

    // Killed at random moments while events are posted.
    let progress = Arc::new(Progress::default());
    let (http, url) = (Http::new(), setup.url(WEBHOOK));
    let lanes = random.pick(&LANES);
    let posting = send_all(&plan.bodies, lanes, &mut random, &progress, |_, body| {
        let (http, request) = (http.clone(), signed(&url, SIGNING_KEY, Timestamp::now(), &body));
        async move { answered(http, request).await }
    });
    let killing = async {
        let mut serve = setup.start().await;
        for at in keeper.moments(plan.bodies.len()) {
            progress.reaches(at).await;
            tokio::time::sleep(keeper.random.wait(Duration::from_millis(5))).await;
            serve = keeper.kill(serve, &setup).await;
        }
        serve
    };
    let ((), mut serve) = tokio::join!(posting, killing);
    progress.add_to(&mut figures);

    // What is open is told; then the second rule goes, and what it opened is told to be over, under kills again.
    keeper.until(&mut figures, &plan, false).await;
    let config = std::fs::read_to_string(setup.config_file()).expect("a configuration");
    std::fs::write(setup.config_file(), config.replace(RULES[1], "")).expect("written");
    for _ in 0..LATE_KILLS {
        serve = keeper.kill(serve, &setup).await;
        tokio::time::sleep(keeper.random.wait(Duration::from_millis(150))).await;
    }
    keeper.until(&mut figures, &plan, true).await;

    let store = keeper.finish(&mut figures, serve).await;
    figures.kills = keeper.kills;
    let [pager, slack] = keeper.taken;
    let (pages, posts) = (audit::paged(&world.pager.seen()), audit::posted(&world.slack.seen()));
    audit::told(&mut figures, &plan, "PagerDuty", &pages, &audit::Deaths::OneByOne(pager));
    audit::told(&mut figures, &plan, "Slack", &posts, &audit::Deaths::OneByOne(slack));
    audit::page_counts(&mut figures, &plan, &world.pager.seen());
    let config = configuration(&setup);
    audit::counts(&mut figures, &plan, &store, &config).await;
    figures
}

fn configuration(setup: &Setup) -> Config {
    parse::load(&setup.config_file()).expect("a configuration").0
}

async fn answered(http: Http, request: hyper::Request<Vec<u8>>) -> Heard {
    // The sender gives up after 4 s (docs.customer.io/journeys/webhooks).
    match tokio::time::timeout(Duration::from_secs(4), http.try_send(request)).await {
        Ok(Ok(answer)) if answer.status == 503 && answer.header("retry-after").is_none() => Heard::NoRetryAfter,
        Ok(Ok(answer)) => Heard::Status(answer.status),
        Ok(Err(_)) | Err(_) => Heard::Nothing,
    }
}

/// Kills `serve` and starts it again.
struct Keeper<'a> {
    world: &'a World,
    random: Random,
    kills: u64,
    /// How many messages each receiver had taken at each death.
    taken: [Vec<usize>; 2],
    /// Processes that panicked somewhere, though they lived on.
    panics: usize,
}

impl Keeper<'_> {
    /// After how many accepted events it kills, in order.
    fn moments(&mut self, events: usize) -> Vec<u64> {
        let kills = (events / EVENTS_A_KILL).max(KILLS);
        let mut moments: Vec<u64> = (0..kills).map(|_| self.random.below(events as u64)).collect();
        moments.sort_unstable();
        moments
    }

    /// SIGKILL and a start; some starts are killed as well before they are done.
    async fn kill(&mut self, serve: Serve, setup: &Setup) -> Serve {
        let mut serve = serve;
        loop {
            let ended = serve.ended();
            assert!(ended.is_none(), "serve ended by itself ({ended:?}):\n{}", serve.stderr());
            self.panics += usize::from(serve.stderr().contains("panicked at"));
            serve.kill().await;
            self.kills += 1;
            for (taken, receiver) in self.taken.iter_mut().zip([&self.world.pager, &self.world.slack]) {
                taken.push(receiver.hung_up(PATIENCE).await);
            }
            serve = setup.spawn();
            if !self.random.percent(20) {
                serve.wait_until_it_listens().await;
                return serve;
            }
            tokio::time::sleep(self.random.wait(Duration::from_millis(60))).await;
        }
    }

    /// Ends it as a supervisor does, when nothing waits to be evaluated any more; what it leaves behind.
    async fn finish(&mut self, figures: &mut Figures, mut serve: Serve) -> EmbeddedStore {
        let until = Instant::now() + PATIENCE;
        loop {
            self.panics += usize::from(serve.stderr().contains("panicked at"));
            let (status, setup) = serve.terminate().await;
            if status.code() != Some(0) || self.panics > 0 {
                figures.breach(format!("serve ended with {status}; {} panicked", self.panics));
            }
            let workspace = configuration(&setup).workspace.name;
            let store = EmbeddedStore::open(&setup.data(), &workspace, Durability::Full).expect("a store");
            let waiting = store.queue().depth().await.expect("a queue").events;
            if waiting == 0 {
                return store;
            }
            if Instant::now() > until {
                figures.breach(format!("{waiting} events still wait to be evaluated"));
                return store;
            }
            // Draining has its time, and the machine may be slow: the next process goes on.
            drop(store);
            serve = setup.start().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Waits until both receivers have heard all that is due.
    async fn until(&self, figures: &mut Figures, plan: &Plan, with_ends: bool) {
        let until = Instant::now() + PATIENCE;
        loop {
            let (pages, posts) = (audit::paged(&self.world.pager.seen()), audit::posted(&self.world.slack.seen()));
            if audit::complete(plan, &pages, with_ends) && audit::complete(plan, &posts, with_ends) {
                return;
            }
            // What has failed already is not waited for twice.
            if Instant::now() > until || !figures.breaches.is_empty() {
                figures.breach("not everything was told in time");
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
