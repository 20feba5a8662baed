use super::*;
use crate::lambda::testing::{Mood, SCHEDULE, SQS_EVENTS, World};
use crate::lambda::{evaluate, meter::Meter};

fn function(world: &World) -> Function {
    Function {
        store: world.any_store(),
        outbox: world.outbox.clone(),
        config: world.config.clone(),
        clock: world.clock.clone(),
        directory: None,
        pulse: None,
        track: None,
        sums: None,
    }
}

/// A world with an incident that nobody was told of.
async fn untold() -> World {
    let world = World::new();
    let function = evaluate::Function {
        store: world.any_store(),
        outbox: world.outbox.clone(),
        config: world.config.clone(),
        clock: world.clock.clone(),
        meter: Meter::new("test".into()),
    };
    function.batch(SQS_EVENTS, world.deadline()).await.expect("evaluated");
    world
}

#[tokio::test]
async fn a_tick_sends_a_hint_for_what_nobody_was_told() {
    serde_json::from_str::<serde_json::Value>(SCHEDULE).expect("the schedule's event is JSON, and not read");
    let world = untold().await;
    let before = world.hints().await.len();
    function(&world).tick(world.deadline()).await.expect("ticked");
    assert_eq!(world.hints().await.len(), before + 1);
}

#[tokio::test]
async fn a_part_that_panics_is_named_and_the_others_are_done() {
    let world = untold().await;
    world.outbox.is(Mood::Panics);
    let error = function(&world).tick(world.deadline()).await.expect_err("fails");
    assert_eq!(error.to_string(), "sweep: panicked");
}
