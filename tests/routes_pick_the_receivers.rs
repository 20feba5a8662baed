//! Who hears what is the routes' decision alone.

use std::time::Duration;

use crate::support::{PATIENCE, Setup, World, failed_email};

const QUIET: Duration = Duration::from_secs(2);

const ROUTES: &str = r#"
[[receivers]]
name = "growth"
type = "slack"
webhook_url = "env:SLACK_GROWTH"

[[receivers]]
name = "everyone"
type = "slack"
webhook_url = "env:SLACK_EVERYONE"

[[routes]]
match = { severity = "critical" }
receivers = ["on-call"]
continue = true

[[routes]]
match = { source = ["campaign:7", "newsletter:*"], owner = "growth" }
receivers = ["growth"]

[[routes]]
receivers = ["everyone"]
"#;

const REST: &str = r#"
[[sources]]
id = "campaign:7"
name = "Welcome"
owner = "growth"

[[rules]]
name = "transactional"
events = ["email_failed"]
sources = ["transactional:*"]
group_by = ["source"]
count = { at_least = 1, within = "10m" }
severity = "critical"

[[rules]]
name = "campaigns"
events = ["email_failed"]
sources = ["campaign:*"]
group_by = ["source"]
count = { at_least = 1, within = "10m" }
severity = "warning"

[[rules]]
name = "loud-newsletters"
events = ["email_failed"]
sources = ["newsletter:*"]
group_by = ["source"]
count = { at_least = 1, within = "10m" }
severity = "critical"
"#;

fn setup(world: &World) -> Setup {
    let slack = world.slack.url();
    world
        .setup_with_routes("", ROUTES, REST)
        .env("SLACK_GROWTH", &format!("{slack}/services/growth"))
        .env("SLACK_EVERYONE", &format!("{slack}/services/everyone"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_match_wins_unless_it_continues() {
    // What fails, whether it pages, and where it is posted.
    let cases = [
        ("transactional:2", true, "/services/everyone"), // critical continues; then the default
        ("campaign:7", false, "/services/growth"),       // its source and its owner match
        ("campaign:8", false, "/services/everyone"),     // only the default is left
        ("newsletter:10", true, "/services/everyone"),   // nobody owns it, so `growth` does not match
    ];
    for (source, pages, posted) in cases {
        let world = World::new().await;
        let serve = setup(&world).start().await;
        assert_eq!(serve.post(&failed_email().of(source)).await.status, 200);
        let posts = world.slack.exactly(1, PATIENCE, QUIET).await;
        assert_eq!(posts[0].path, posted, "{source}");
        assert_eq!(world.pager.seen().len(), usize::from(pages), "{source}");
    }
}
