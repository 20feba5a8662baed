//! No promise but figures of the functions, for docs/performance.md: `scripts/test --release -- --ignored --nocapture
//! aws_figures`.

use std::time::{Duration, Instant};

use crate::support::lambda::{call, deliver, try_tick, webhook};
use crate::support::runtime_api::Lambda;
use crate::support::serve::SIGNING_KEY;
use crate::support::world::TRANSACTIONAL_FAILING;
use crate::support::{Stack, Step, World, failed_email, sent_email};

const STARTS: usize = 12;
const WARM: usize = 200;

#[derive(Default)]
struct Figures {
    first_next: Vec<Duration>,
    first_answer: Vec<Duration>,
    warm: Vec<Duration>,
    peak_rss_kib: u64,
}

impl Figures {
    /// Of a process that has done its work; `first`: how long its first invocation took.
    fn add(&mut self, lambda: &Lambda, first: Duration) {
        self.first_next.push(lambda.first_next());
        self.first_answer.push(lambda.first_next() + first);
        self.peak_rss_kib = self.peak_rss_kib.max(lambda.peak_rss_kib().unwrap_or_default());
    }

    fn say(mut self, name: &str) {
        println!(
            "{name:<9} start to next {}; start to first answer {}; warm {}; peak RSS {:.1} MB",
            halves(&mut self.first_next),
            halves(&mut self.first_answer),
            halves(&mut self.warm),
            self.peak_rss_kib as f64 / 1024.0,
        );
    }
}

/// Median and 90th percentile in ms.
fn halves(times: &mut [Duration]) -> String {
    times.sort();
    let at = |share: f64| times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1)));
    let ms = |time: Option<&Duration>| time.map_or("-".to_owned(), |t| format!("{:.2}", t.as_secs_f64() * 1e3));
    format!("p50 {} p90 {} ms", ms(at(0.5)), ms(at(0.9)))
}

async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let began = Instant::now();
    let done = work.await;
    (done, began.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "figures, not a promise"]
async fn start_up_and_warm_times_and_memory_of_each_function() {
    let world = World::new().await;
    let stack = Stack::new(world.setup(TRANSACTIONAL_FAILING)).await;
    let [mut ingest, mut evaluate, mut deliveries, mut ticks] = [0; 4].map(|_| Figures::default());
    for start in 0..STARTS {
        let lambda = stack.start(Step::Ingest).await;
        let signed = || webhook(SIGNING_KEY, lambda.clock.now(), &failed_email().of("transactional:2").bytes());
        let (answer, first) = timed(call(&lambda, &signed())).await;
        assert_eq!(answer.status, 200);
        if start == 0 {
            for _ in 0..WARM {
                let (answer, took) = timed(call(&lambda, &signed())).await;
                assert_eq!(answer.status, 200);
                ingest.warm.push(took);
            }
        }
        for _ in 0..9 {
            deliver(&lambda, &sent_email().of("transactional:2")).await;
        }
        ingest.add(&lambda, first);

        let lambda = stack.start(Step::Evaluate).await;
        let mut first = None;
        loop {
            let messages = stack.events.receive(100).await;
            if messages.is_empty() {
                break;
            }
            let (answer, took) = timed(lambda.invoke(&stack.events.batch(&messages))).await;
            answer.expect("an answer");
            if first.is_some() {
                evaluate.warm.push(took);
            }
            first = first.or(Some(took));
            stack.events.delete(&messages).await;
        }
        evaluate.add(&lambda, first.expect("a batch"));

        let lambda = stack.start(Step::Tick).await;
        let (ticked, first) = timed(try_tick(&lambda)).await;
        ticked.expect("ticked");
        ticks.warm.push(timed(try_tick(&lambda)).await.1);
        ticks.add(&lambda, first);

        let lambda = stack.start(Step::Deliver).await;
        stack.hints.send(r#"{"incident":"nobody knows it","receiver":"on-call"}"#).await;
        let hints = stack.hints.receive(10).await;
        let (answer, first) = timed(lambda.invoke(&stack.hints.batch(&hints))).await;
        answer.expect("an answer");
        stack.hints.delete(&hints).await;
        deliveries.add(&lambda, first);
    }
    for (name, figures) in [("ingest", ingest), ("evaluate", evaluate), ("deliver", deliveries), ("tick", ticks)] {
        figures.say(name);
    }
}
