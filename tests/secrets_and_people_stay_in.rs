//! No personal data and no secret leaves for a receiver or a log (law 8).

use std::time::Duration;

use crate::support::serve::{SIGNING_KEY, WEBHOOK};
use crate::support::world::{ROUTING_KEY, SLACK_TOKEN};
use crate::support::{PATIENCE, Reply, World, event, failed_email};

/// Every failure metric pages at once, each text by itself.
const RULE: &str = r#"
[[rules]]
name = "any"
events = ["email_failed", "email_bounced", "sms_failed", "push_failed", "webhook_failed"]
group_by = ["source", "metric", "cause"]
count = { at_least = 1, within = "10m" }
severity = "critical"
"#;

/// What must not be found anywhere outside.
const PERSONAL: &[&str] = &[
    "ada.lovelace",
    "Ada.Lovelace",
    "analytical.example",
    "5550100123",
    "555 010",
    "555-010",
    "secret-token-in-a-url",
    "dgPERSONAL0001",
    "person_4711",
    "203948576",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_address_number_or_id_of_a_person_leaves() {
    let world = World::new().await;
    // Errors of receivers are where careless programs print what they tried to send.
    world.pager.answer_next([Reply::status(503, "upstream"), Reply::status(400, "{\"errors\":[\"no\"]}")]);
    let serve = world.setup(RULE).start().await;
    let texts = [
        "550 5.1.1 <ada.lovelace@analytical.example>: Recipient address rejected: User unknown",
        "Mail to Ada.Lovelace%40analytical.example refused",
        "Twilio Error 21408: Permission to send an SMS has not been enabled for the 'To' number: +15550100123",
        "call (555) 010-0123 or +1 555-010-0123 or 555 010 0123",
        "Variable 'x' is missing for person_4711, delivery dgPERSONAL0001aaaaBBBB=",
        "GET https://hooks.example.test/in?token=secret-token-in-a-url answered 403",
        "customer 203948576 has no such attribute",
    ];
    let mut posted = 0;
    for text in texts {
        for (channel, metric) in [("email", "failed"), ("email", "bounced"), ("sms", "failed"), ("push", "failed")] {
            posted += 1;
            let failed = event(channel, metric)
                .of(&format!("campaign:{posted}"))
                .message(text)
                .to("ada.lovelace@analytical.example")
                .with("subject", "Your code is 203948576")
                .with("delivery_id", "dgPERSONAL0001aaaaBBBB=")
                .with("customer_id", "person_4711")
                .with(
                    "identifiers",
                    serde_json::json!({
                        "id": "person_4711", "email": "ada.lovelace@analytical.example",
                        "phone": "+15550100123",
                    }),
                );
            assert_eq!(serve.post(&failed).await.status, 200);
        }
    }
    // And what is refused or not understood.
    let body = failed_email().to("ada.lovelace@analytical.example").bytes();
    serve.http.send(serve.signed(WEBHOOK, "another-key", &body)).await;
    serve.post_bytes(&body[..body.len() - 9]).await;
    serve.post_bytes(b"{\"email\":\"ada.lovelace@analytical.example\",\"person\":\"person_4711\"").await;

    world.pager.wait_for(20, PATIENCE).await;
    world.slack.wait_for(2, PATIENCE).await;
    tokio::time::sleep(Duration::from_secs(2)).await;

    let mut said = vec![("stdout", serve.stdout()), ("stderr", serve.stderr())];
    said.extend(world.pager.seen().iter().map(|s| ("PagerDuty", s.text())));
    said.extend(world.slack.seen().iter().map(|s| ("Slack", s.text())));
    for (who, text) in &said {
        for person in PERSONAL {
            assert!(!text.contains(person), "{who} was told {person}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_leaves_but_where_it_is_the_credential() {
    let world = World::new().await;
    world.pager.answer_next([Reply::status(503, ROUTING_KEY), Reply::status(400, ROUTING_KEY)]);
    world.slack.answer_next([Reply::status(500, SLACK_TOKEN), Reply::status(404, "no_service")]);
    let serve = world.setup(RULE).env("CIO_SIGNING_KEY_PREVIOUS", "the-old-signing-key").start().await;
    for source in ["campaign:1", "campaign:2", "campaign:3"] {
        assert_eq!(serve.post(&failed_email().of(source)).await.status, 200);
    }
    let body = failed_email().bytes();
    serve.http.send(serve.signed(WEBHOOK, "the-key-of-a-stranger", &body)).await;
    world.pager.wait_for(3, PATIENCE).await;
    world.slack.wait_for(3, PATIENCE).await;
    tokio::time::sleep(Duration::from_secs(2)).await;

    let logs = format!("{}{}", serve.stdout(), serve.stderr());
    for secret in [SIGNING_KEY, "the-old-signing-key", "the-key-of-a-stranger", ROUTING_KEY, SLACK_TOKEN] {
        assert!(!logs.contains(secret), "a log has {secret}:\n{logs}");
    }
    for page in world.pager.seen() {
        let mut page = page.json();
        assert_eq!(page["routing_key"], ROUTING_KEY);
        page["routing_key"] = "".into();
        let page = page.to_string();
        assert!([SIGNING_KEY, ROUTING_KEY, SLACK_TOKEN].iter().all(|s| !page.contains(s)), "{page}");
    }
    for post in world.slack.seen() {
        let post = post.text();
        assert!([SIGNING_KEY, ROUTING_KEY, SLACK_TOKEN].iter().all(|s| !post.contains(s)), "{post}");
    }
}
