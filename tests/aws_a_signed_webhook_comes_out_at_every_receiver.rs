//! On AWS as on one machine: Function URL, ingest, SQS, evaluate, SQS, deliver, and out at every receiver, once.

use serde_json::{Value, json};

use crate::support::lambda::{deliver, webhook};
use crate::support::moto::{Moto, unique};
use crate::support::world::{ROUTES_WITH_AUDIT, ROUTING_KEY, SLACK_TOKEN, TRANSACTIONAL_FAILING};
use crate::support::{PATIENCE, Setup, Sns, Stack, Step, World, event, failed_email};

/// The topic without an address of its own: the function's environment says where AWS is.
const AUDIT: &str = "\n[[receivers]]\nname = \"audit\"\ntype = \"sns\"\ntopic_arn = \"env:ALERT_TOPIC_ARN\"\n";

const PERSON: &str = "jane.doe@mail.example.net";
const FAILURE: &str = "Variable 'customer.name' is missing for jane.doe@mail.example.net";

#[tokio::test(flavor = "multi_thread")]
async fn three_failing_transactional_messages_page_post_and_publish_once() {
    let (world, sns) = (World::new().await, Sns::start().await);
    let rest = format!("{TRANSACTIONAL_FAILING}{AUDIT}");
    let setup = world.setup_with_routes("", ROUTES_WITH_AUDIT, &rest).env("ALERT_TOPIC_ARN", sns.topic_arn());
    let stack = Stack::new(setup).await;
    let ingest = stack.start(Step::Ingest).await;
    let evaluate = stack.start(Step::Evaluate).await;
    let sender = stack.start(Step::Deliver).await;

    let failures = [0; 3].map(|_| failed_email().of("transactional:2").message(FAILURE).to(PERSON));
    for failure in &failures[..2] {
        // The sender repeats what it does not know to have arrived; SQS repeats what it likes.
        deliver(&ingest, failure).await;
        deliver(&ingest, failure).await;
    }
    let twice = stack.events.receive(100).await;
    assert_eq!(twice.len(), 4);
    let batch = stack.events.batch(&twice);
    for _ in 0..2 {
        assert_eq!(evaluate.invoke(&batch).await.expect("an answer")["batchItemFailures"], json!([]));
    }
    stack.events.delete(&twice).await;
    stack.settle(&evaluate, &sender).await;
    assert!(world.pager.seen().is_empty(), "two failures, however often they arrive");

    deliver(&ingest, &failures[2]).await;
    stack.settle(&evaluate, &sender).await;

    let page = world.pager.wait_for(1, PATIENCE).await[0].json();
    assert_eq!((&page["event_action"], &page["routing_key"]), (&json!("trigger"), &json!(ROUTING_KEY)));
    let details = &page["payload"]["custom_details"];
    assert_eq!(details["rule"], "transactional-failing");
    assert_eq!((&details["metric"], &details["cause"]), (&json!("email_failed"), &json!("render_error")));
    assert_eq!(details["count"], 3);
    let posts = world.slack.wait_for(1, PATIENCE).await;
    assert!(posts[0].path.ends_with(SLACK_TOKEN) && posts[0].text().contains("transactional 2"), "{}", posts[0].text());
    let published = sns.wait_for(1, PATIENCE).await;
    assert!(published[0]["Message"].as_str().is_some_and(|m| m.contains("transactional 2")), "{:#}", published[0]);

    // More of the same, and a hint too many: nobody hears it again.
    deliver(&ingest, &failed_email().of("transactional:2")).await;
    stack.settle(&evaluate, &sender).await;
    stack.settle(&evaluate, &sender).await;
    assert_eq!((world.pager.seen().len(), world.slack.seen().len(), sns.messages().await.len()), (1, 1, 1));
    assert_eq!(stack.events.depth().await + stack.hints.depth().await, 0, "nothing is left");

    // And nowhere is the person, but at Customer.io (law 8).
    let told: String = [&world.pager, &world.slack].iter().flat_map(|r| r.seen()).map(|s| s.text()).collect();
    let stored = Value::from(stack.table.items().await).to_string();
    for text in [told, stored, published[0].to_string(), ingest.log(), evaluate.log(), sender.log()] {
        assert!(!text.contains("jane.doe"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_many_sources_and_metrics_is_judged_as_a_whole() {
    let world = World::new().await;
    let stack = Stack::new(world.setup(TRANSACTIONAL_FAILING)).await;
    let ingest = stack.start(Step::Ingest).await;
    let evaluate = stack.start(Step::Evaluate).await;
    let sender = stack.start(Step::Deliver).await;
    for n in 0..48 {
        let failing = n % 16 == 5;
        let metric = if failing { "failed" } else { "sent" };
        let channel = ["email", "sms", "push"][n % 3];
        let event = event(channel, metric).of(&format!("transactional:{}", n % 12));
        let event = if failing { event.message("Variable 'x' is missing") } else { event };
        deliver(&ingest, &event).await;
    }
    let passed = stack.events.pass(&evaluate, 100).await;
    assert_eq!((passed.received, passed.deleted), (48, 48));
    stack.settle(&evaluate, &sender).await;
    let page = world.pager.exactly(1, PATIENCE, std::time::Duration::ZERO).await[0].json();
    assert_eq!(page["payload"]["custom_details"]["count"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_addresses_may_be_kept_in_secrets_manager_and_ssm() {
    let (world, moto) = (World::new().await, Moto::shared());
    let (secret, parameter) = (unique("bridge/customerio"), format!("/{}", unique("bridge/pager")));
    let value = json!({ "signing_key": "from-secrets-manager" }).to_string();
    let ask = json!({ "Name": secret, "SecretString": value, "ClientRequestToken": "0".repeat(32) });
    moto.call("secretsmanager", "secretsmanager.CreateSecret", ask).await;
    let ask = json!({ "Name": parameter, "Value": ROUTING_KEY, "Type": "SecureString" });
    moto.call("ssm", "AmazonSSM.PutParameter", ask).await;

    let plain = world.setup(TRANSACTIONAL_FAILING);
    let config = std::fs::read_to_string(plain.config_file()).expect("a configuration");
    let config = config
        .replace("\"env:CIO_SIGNING_KEY\"", &format!("\"secret:{secret}#signing_key\""))
        .replace("env:PAGERDUTY_ROUTING_KEY", &format!("ssm:{parameter}"));
    let mut setup = Setup::new(&config);
    for (name, value) in plain.vars() {
        setup = setup.env(name, value);
    }
    let stack = Stack::new(setup.without("PAGERDUTY_ROUTING_KEY")).await;
    let ingest = stack.start(Step::Ingest).await;
    for _ in 0..3 {
        let body = failed_email().of("transactional:2").bytes();
        let signed = webhook("from-secrets-manager", ingest.clock.now(), &body);
        assert_eq!(crate::support::lambda::call(&ingest, &signed).await.status, 200, "{}", ingest.log());
    }
    let (evaluate, sender) = (stack.start(Step::Evaluate).await, stack.start(Step::Deliver).await);
    stack.settle(&evaluate, &sender).await;
    assert_eq!(world.pager.wait_for(1, PATIENCE).await[0].json()["routing_key"], ROUTING_KEY);
    for said in [ingest.log(), evaluate.log(), sender.log()] {
        assert!(!said.contains("from-secrets-manager") && !said.contains(ROUTING_KEY), "{said}");
    }
}
