use std::collections::BTreeMap;
use std::sync::Mutex;

use jiff::SignedDuration;

use super::*;
use crate::clock::Clock as _;
use crate::incident::told::Receipt;
use crate::lambda::evaluate;
use crate::lambda::testing::{Answers, SQS_EVENTS, SQS_HINTS, World, batch};
use crate::receivers::{Outcome, Receiver};

/// A queue that remembers what it was to hide.
#[derive(Clone, Default)]
struct Hidden(Arc<Mutex<Vec<(String, Duration)>>>);

#[async_trait]
impl Hide for Hidden {
    async fn hide(&self, receipt: &str, wait: Duration) -> Result<(), StoreError> {
        self.0.lock().expect("hidden").push((receipt.to_owned(), wait));
        Ok(())
    }
}

/// A world with one incident, and its hint.
async fn incident() -> (World, String) {
    let world = World::new();
    let evaluate = evaluate::Function {
        store: world.any_store(),
        outbox: world.outbox.clone(),
        config: world.config.clone(),
        clock: world.clock.clone(),
        meter: Meter::new("test".into()),
    };
    evaluate.batch(SQS_EVENTS, world.deadline()).await.expect("evaluated");
    let hint = world.hints().await.pop().expect("a hint");
    (world, hint)
}

fn function(world: &World, receiver: Answers) -> (Function, Hidden) {
    let hidden = Hidden::default();
    let deliver = Deliver {
        store: world.any_store(),
        outbox: world.outbox.clone(),
        config: world.config.clone(),
        receivers: BTreeMap::from([("lifecycle".to_owned(), Arc::new(receiver) as Arc<dyn Receiver>)]),
        clock: world.clock.clone(),
        process: "test".into(),
        leases: AtomicU64::new(0),
        links: None,
        names: Default::default(),
    };
    let meter = Arc::new(Meter::new("test".into()));
    (Function { deliver, queue: Arc::new(hidden.clone()), meter }, hidden)
}

async fn answered(world: &World, outcome: Option<Outcome>, bodies: &[&str]) -> (String, Vec<(String, Duration)>) {
    let (function, hidden) = function(world, Answers(outcome));
    let answer = function.batch(&batch(bodies), world.deadline()).await.expect("an answer");
    let hidden = hidden.0.lock().expect("hidden").clone();
    (serde_json::to_string(&answer).expect("json"), hidden)
}

fn delivered() -> Outcome {
    Outcome::Delivered(Receipt::default())
}

fn retry(after: u64) -> Outcome {
    Outcome::Retry { after: Some(Duration::from_secs(after)), why: "busy".into() }
}

const NONE: &str = r#"{"batchItemFailures":[]}"#;
const FIRST: &str = r#"{"batchItemFailures":[{"itemIdentifier":"m0"}]}"#;

#[tokio::test]
async fn a_delivered_hint_is_done_and_so_are_its_twin_and_what_is_no_hint() {
    let (world, hint) = incident().await;
    assert_eq!(answered(&world, Some(delivered()), &[&hint, &hint, "not a hint"]).await, (NONE.into(), vec![]));
    let told = world.any_store().unsettled().await.expect("read");
    let told = world.any_store().told(&told[0].key).await.expect("read");
    assert_eq!(told.len(), 1);
}

#[tokio::test]
async fn a_short_wait_is_the_queues_and_a_long_one_is_ticks() {
    for (after, answer, hidden) in [(30, FIRST, 1), (60, FIRST, 1), (61, NONE, 0), (4000, NONE, 0)] {
        let (world, hint) = incident().await;
        let (said, hid) = answered(&world, Some(retry(after)), &[&hint]).await;
        assert_eq!((said.as_str(), hid.len()), (answer, hidden), "{after}");
        for (receipt, wait) in hid {
            assert_eq!((receipt.as_str(), wait), ("r0", Duration::from_secs(after)));
        }
        // Either way tick finds it when it is due.
        world.clock.advance(SignedDuration::from_secs(4001));
        let tick = crate::steps::tick::Tick {
            store: world.store.as_ref(),
            outbox: world.outbox.as_ref(),
            config: &world.config,
            directory: None,
            pulse: None,
            track: None,
            sums: None,
        };
        crate::steps::sweep::due(&tick, &Default::default(), world.clock.now()).await.expect("swept");
        assert!(world.hints().await.len() > 1, "{after}");
    }
}

#[tokio::test]
async fn a_panic_is_that_one_hints_failure() {
    let (world, hint) = incident().await;
    let other =
        SQS_HINTS.contains(r#"\"incident\":\"none\""#).then_some(r#"{"incident":"none","receiver":"lifecycle"}"#);
    let (said, hidden) = answered(&world, None, &[&hint, other.expect("the sample's hint")]).await;
    assert_eq!((said.as_str(), hidden.len()), (FIRST, 1));
}

#[tokio::test]
async fn when_time_is_up_a_hint_comes_again() {
    let (world, hint) = incident().await;
    let (function, _) = function(&world, Answers(Some(delivered())));
    let answer = function.batch(&batch(&[&hint]), world.clock.now()).await.expect("an answer");
    assert_eq!(answer.failures(), 1);
}
