//! The digest is the daily proof of life: one a receiver and day, through restarts (law 9).

use std::time::Duration;

use crate::support::world::{ROUTES, audit, with_sns};
use crate::support::{Faketime, PATIENCE, Sns, World, sent_email, ts};

const QUIET: Duration = Duration::from_secs(6);

const DIGEST: &str = r#"
[digest]
at = "08:00"
receivers = ["lifecycle", "audit"]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn each_digest_receiver_gets_one_a_day() {
    // Half the usual speed: publishing must fit into 8 s of the bridge's clock.
    let Some(fake) = Faketime::at("2026-11-23T07:58:00Z", 30) else { return };
    let (world, sns) = (World::new().await, Sns::start().await);
    let rest = format!("{}{DIGEST}", audit(&sns));
    let setup = with_sns(world.setup_with_routes("", ROUTES, &rest), &sns);

    let serve = setup.clone().under(fake.clone()).start().await;
    for _ in 0..3 {
        serve.deliver(&sent_email().of("campaign:5").at(serve.clock.now())).await;
    }
    let posts = world.slack.wait_for(1, PATIENCE).await;
    assert!(serve.clock.latest(posts[0].at) >= ts("2026-11-23T08:00:00Z"), "not before its time");
    sns.wait_for(1, PATIENCE).await;
    world.slack.exactly(1, Duration::ZERO, QUIET).await;
    assert_eq!(sns.messages().await.len(), 1);
    serve.kill().await;

    // Not again on the same day ...
    let serve = setup.clone().under(fake.restarted_at("2026-11-23T10:00:00Z")).start().await;
    world.slack.exactly(1, Duration::ZERO, QUIET).await;
    assert_eq!(sns.messages().await.len(), 1);
    serve.kill().await;

    // ... but on the next.
    let _serve = setup.clone().under(fake.restarted_at("2026-11-24T07:59:00Z")).start().await;
    world.slack.exactly(2, PATIENCE, QUIET).await;
    sns.wait_for(2, PATIENCE).await;
    assert_eq!(sns.messages().await.len(), 2);
    assert!(world.pager.seen().is_empty(), "a digest pages nobody");
}
