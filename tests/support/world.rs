//! The usual surroundings: an on-call engineer's PagerDuty, a team's Slack channel, and a configuration that
//! knows both.

use super::serve::Setup;
use super::sns::Sns;
use super::stand_in::{Reply, StandIn};

pub const ROUTING_KEY: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
/// The secret part of the Slack webhook's address.
pub const SLACK_TOKEN: &str = "xoxSecretPartOfTheWebhook";

pub const HEAD: &str = r#"
[workspace]
name = "acme"
timezone = "UTC"

[customerio]
region = "us"
workspace_id = 12345
signing_keys = ["env:CIO_SIGNING_KEY", "env:CIO_SIGNING_KEY_PREVIOUS"]
"#;

/// The usual routes: what is critical pages and is posted, the rest is posted.
pub const ROUTES: &str = r#"
[[routes]]
match = { severity = "critical" }
receivers = ["on-call", "lifecycle"]

[[routes]]
receivers = ["lifecycle"]
"#;

/// The contract's example rule.
pub const TRANSACTIONAL_FAILING: &str = r#"
[[rules]]
name = "transactional-failing"
events = ["email_failed", "sms_failed", "push_failed"]
sources = ["transactional:*"]
group_by = ["cause"]
count = { at_least = 3, within = "10m" }
severity = "critical"
"#;

pub struct World {
    pub pager: StandIn,
    pub slack: StandIn,
}

impl World {
    pub async fn new() -> Self {
        Self { pager: StandIn::answering(Reply::accepted()).await, slack: StandIn::answering(Reply::ok()).await }
    }

    /// Both receivers by their usual names, the usual routes, and `rest`.
    pub fn setup(&self, rest: &str) -> Setup {
        self.setup_with_routes("", ROUTES, rest)
    }

    /// Both receivers by their usual names, the first with `fallback`, and everything else as given.
    pub fn setup_with_routes(&self, fallback: &str, routes: &str, rest: &str) -> Setup {
        let receivers = format!(
            r#"
[[receivers]]
name = "on-call"
type = "pagerduty"
routing_key = "env:PAGERDUTY_ROUTING_KEY"
url = "{}"
{fallback}

[[receivers]]
name = "lifecycle"
type = "slack"
webhook_url = "env:SLACK_WEBHOOK_URL"
"#,
            self.pager.url()
        );
        Setup::new(&format!("{HEAD}{receivers}{routes}{rest}"))
            .env("PAGERDUTY_ROUTING_KEY", ROUTING_KEY)
            .env("SLACK_WEBHOOK_URL", &format!("{}/services/T0001/B0002/{SLACK_TOKEN}", self.slack.url()))
    }
}

/// An SNS receiver named `audit` on this topic.
pub fn audit(sns: &Sns) -> String {
    format!(
        "\n[[receivers]]\nname = \"audit\"\ntype = \"sns\"\ntopic_arn = \"env:ALERT_TOPIC_ARN\"\nurl = \"{}\"\n",
        sns.url()
    )
}

/// What the bridge needs to reach the fake SNS.
pub fn with_sns(setup: Setup, sns: &Sns) -> Setup {
    setup
        .env("ALERT_TOPIC_ARN", sns.topic_arn())
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
}

/// What pages is also published; the rest is posted.
pub const ROUTES_WITH_AUDIT: &str = r#"
[[routes]]
match = { severity = "critical" }
receivers = ["on-call", "lifecycle", "audit"]

[[routes]]
receivers = ["lifecycle"]
"#;
