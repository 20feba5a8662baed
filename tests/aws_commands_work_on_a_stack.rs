//! From a terminal, on AWS: silences, what waits for a person, and one person's traces, by the stack's name.

use serde_json::{Value, json};

use crate::support::deployed::{create, run};
use crate::support::lambda::{EVENTS_BATCH, HINTS_BATCH, call, deliver, webhook};
use crate::support::moto::Moto;
use crate::support::serve::SIGNING_KEY;
use crate::support::world::TRANSACTIONAL_FAILING;
use crate::support::{Deployed, Reply, Step, World, failed_email};

async fn deployed(world: &World) -> Deployed {
    Deployed::new(world.setup(TRANSACTIONAL_FAILING)).await
}

async fn fails(deployed: &Deployed, args: &[&str], code: i32, part: &str) {
    let (exit, said, complaint) = deployed.bridge(args).await;
    assert!(exit == code && complaint.contains(part), "{args:?}: {exit} {said} {complaint}");
}

async fn does(deployed: &Deployed, args: &[&str]) -> String {
    let (exit, said, complaint) = deployed.bridge(args).await;
    assert_eq!(exit, 0, "{args:?}: {said}{complaint}");
    said
}

/// What `bridge redrive` lists, and its exit code.
async fn listed(deployed: &Deployed) -> (i32, Vec<Value>) {
    let (exit, said, complaint) = deployed.bridge(&["redrive", "--json"]).await;
    (exit, serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}{complaint}")))
}

async fn send(url: &str, body: &str) {
    Moto::shared().sqs("SendMessage", json!({ "QueueUrl": url, "MessageBody": body })).await;
}

/// As many messages of a queue as are in sight, which hides them.
async fn in_sight(url: &str, seconds: u32) -> usize {
    let ask = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": seconds });
    Moto::shared().sqs("ReceiveMessage", ask).await["Messages"].as_array().map_or(0, Vec::len)
}

/// Three failures as evaluate would have got them; it gave them up.
async fn dead_events(deployed: &Deployed) -> Vec<String> {
    let ingest = deployed.stack.start(Step::Ingest).await;
    for _ in 0..3 {
        deliver(&ingest, &failed_email().of("transactional:2")).await;
    }
    let mut given_up = deployed.stack.events.receive(EVENTS_BATCH).await;
    deployed.stack.events.delete(&given_up).await;
    // One that was answered 503 may have been stored all the same.
    let id = |body: &str| serde_json::from_str::<Value>(body).expect("JSON")["event_id"].to_string();
    given_up.sort_by_key(|message| id(&message.body));
    given_up.dedup_by_key(|message| id(&message.body));
    for message in &given_up {
        send(&deployed.stack.events.dead, &message.body).await;
    }
    given_up.into_iter().map(|message| message.body).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_is_added_listed_and_ended() {
    let world = World::new().await;
    let deployed = deployed(&world).await;
    let (stack, sender) = (&deployed.stack, deployed.stack.start(Step::Deliver).await);
    let added =
        does(&deployed, &["silence", "add", "rule=transactional-failing", "--for", "2h", "--reason", "load test"])
            .await;
    assert!(added.contains("ada: load test"), "{added}");
    let (ingest, evaluate) = (stack.start(Step::Ingest).await, stack.start(Step::Evaluate).await);
    for _ in 0..3 {
        deliver(&ingest, &failed_email().of("transactional:2")).await;
    }
    stack.settle(&evaluate, &sender).await;
    assert_eq!((world.pager.seen().len(), world.slack.seen().len()), (0, 0), "silenced");

    let silences: Value = serde_json::from_str(&does(&deployed, &["silence", "list", "--json"]).await).expect("JSON");
    let id = silences[0]["id"].as_str().expect("an id");
    let ended = does(&deployed, &["silence", "end", id]).await;
    assert!(ended.contains("Told now"), "{ended}");
    while stack.hints.pass(&sender, HINTS_BATCH).await.received > 0 {}
    assert_eq!((world.pager.seen().len(), world.slack.seen().len()), (1, 1));
    fails(&deployed, &["silence", "end", "nothing"], 2, "there is no silence").await;

    // The record of what was told, and a link to it.
    let id = world.pager.seen()[0].json()["payload"]["custom_details"]["incident"].as_str().expect("an id").to_owned();
    assert!(does(&deployed, &["incident"]).await.contains(&id));
    let record: Value = serde_json::from_str(&does(&deployed, &["incident", &id, "--json"]).await).expect("JSON");
    assert_eq!((&record["count"], record["receivers"].as_array().map(Vec::len)), (&3.into(), Some(2)));
    fails(&deployed, &["incident", "00000000-1"], 1, "there is no incident").await;
    fails(&deployed, &["link", "--incident", &id], 2, "link_keys").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_was_not_understood_and_an_alert_that_was_refused_are_listed_dropped_and_sent() {
    let world = World::new().await;
    world.pager.answer(Reply::status(400, r#"{"errors":["Length of 'x' is too long"]}"#));
    let deployed = deployed(&world).await;
    let stack = &deployed.stack;
    assert_eq!(listed(&deployed).await, (0, vec![]));
    let (ingest, evaluate) = (stack.start(Step::Ingest).await, stack.start(Step::Evaluate).await);
    let sender = stack.start(Step::Deliver).await;
    let whole = failed_email().to("ada.lovelace@analytical.example").bytes();
    let broken = webhook(SIGNING_KEY, ingest.clock.now(), &whole[..whole.len() - 4]);
    assert_eq!(call(&ingest, &broken).await.status, 200);
    for _ in 0..3 {
        deliver(&ingest, &failed_email().of("transactional:2")).await;
    }
    stack.settle(&evaluate, &sender).await;

    let (exit, items) = listed(&deployed).await;
    let of = |kind: &str| {
        let item = items.iter().find(|item| item["kind"] == kind).unwrap_or_else(|| panic!("no {kind} in {items:?}"));
        item["id"].as_str().expect("an id")
    };
    assert_eq!((exit, items.len()), (1, 2), "{items:?}");
    assert!(!format!("{items:?}").contains("lovelace"), "{items:?}");
    let (_, shown, _) = deployed.bridge(&["redrive"]).await;
    assert!(shown.contains("quarantined") && shown.contains("on-call: "), "{shown}");
    assert!(does(&deployed, &["redrive", "--drop", of("quarantined")]).await.contains("dropped"));

    world.pager.answer(Reply::accepted());
    let before = world.pager.seen().len();
    assert!(does(&deployed, &["redrive", "--send", of("undeliverable")]).await.contains("on-call is told"));
    while stack.hints.pass(&sender, HINTS_BATCH).await.received > 0 {}
    assert_eq!(world.pager.seen().len(), before + 1);
    assert_eq!(listed(&deployed).await, (0, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_event_goes_back_and_counts_once_as_of_when_it_came() {
    let world = World::new().await;
    let deployed = deployed(&world).await;
    let stack = &deployed.stack;
    let bodies = dead_events(&deployed).await;
    // One was counted before its queue gave it up, and one died twice.
    let evaluate = stack.start(Step::Evaluate).await;
    stack.events.send(&bodies[0]).await;
    stack.events.pass(&evaluate, EVENTS_BATCH).await;
    send(&stack.events.dead, &bodies[1]).await;

    let (exit, items) = listed(&deployed).await;
    assert_eq!((exit, items.len()), (1, 4), "{items:?}");
    for item in &items {
        let body: Value = serde_json::from_str(
            bodies.iter().find(|b| item["event_id"].as_str().is_some_and(|id| b.contains(id))).expect("one of ours"),
        )
        .expect("JSON");
        assert_eq!((&item["kind"], &item["received_at"]), (&json!("dead_letter"), &body["arrived"]));
        let reason = item["reason"].as_str().expect("a reason");
        assert!(
            reason.starts_with("given up by the events queue, first sent 20") && reason.contains("received 1 time"),
            "{reason}"
        );
    }
    let (_, shown, _) = deployed.bridge(&["redrive"]).await;
    assert!(shown.contains("dead letter") && shown.contains("4 items to --send or --drop"), "{shown}");

    let sent = does(&deployed, &["redrive", "--send", "--all"]).await;
    assert_eq!(sent.matches("back to the events queue").count(), 4, "{sent}");
    assert_eq!((stack.events.dead_letters().await, stack.events.depth().await), (0, 4));
    stack.settle(&evaluate, &stack.start(Step::Deliver).await).await;
    assert_eq!(world.pager.seen().len(), 1);
    assert_eq!(world.pager.seen()[0].json()["payload"]["custom_details"]["count"], 3);
    assert_eq!(listed(&deployed).await, (0, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_dead_letters_only_what_was_named_is_touched_and_the_rest_is_in_sight_again() {
    let world = World::new().await;
    let deployed = deployed(&world).await;
    let stack = &deployed.stack;
    dead_events(&deployed).await;
    send(&stack.hints.dead, r#"{"incident":"nobody","receiver":"on-call"}"#).await;
    let items = listed(&deployed).await.1;
    let id = |origin: &str| {
        let of = |item: &&Value| item["reason"].as_str().is_some_and(|reason| reason.contains(origin));
        items.iter().find(of).and_then(|item| item["id"].as_str()).unwrap_or_else(|| panic!("{origin}: {items:?}"))
    };
    // A slip in one id touches nothing, and hides nothing.
    fails(&deployed, &["redrive", "--drop", id("events"), "nothing"], 2, "has the id").await;
    assert_eq!(listed(&deployed).await.1.len(), 4);
    assert!(does(&deployed, &["redrive", "--drop", id("events"), "--send", id("hints")]).await.contains("hints queue"));
    assert_eq!((stack.events.dead_letters().await, stack.hints.dead_letters().await), (2, 0));
    assert_eq!((stack.events.depth().await, stack.hints.depth().await), (0, 1));
    assert_eq!(in_sight(&stack.events.dead, 0).await, 2, "given back at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_is_looking_at_is_said_to_be_there() {
    let world = World::new().await;
    let deployed = deployed(&world).await;
    let bodies = dead_events(&deployed).await;
    assert_eq!(in_sight(&deployed.stack.events.dead, 3_600).await, bodies.len());
    let (exit, said, complaint) = deployed.bridge(&["redrive"]).await;
    assert!(
        exit == 1 && complaint.contains("about 3 dead letters of the events queue are out of sight"),
        "{said}{complaint}"
    );
    assert_eq!(deployed.bridge(&["redrive", "--all"]).await.0, 1, "not all of it was sent");
    assert_eq!(deployed.stack.events.dead_letters().await, 3, "and nothing is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_event_that_might_count_twice_and_a_failed_tick_stay_until_they_are_dropped() {
    let world = World::new().await;
    let deployed = deployed(&world).await;
    let mut old: Value = serde_json::from_str(&dead_events(&deployed).await[0]).expect("JSON");
    assert!(does(&deployed, &["redrive", "--drop", "--all"]).await.contains("dropped"));
    for field in ["arrived", "at"] {
        old[field] = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * 19)).to_string().into();
    }
    send(&deployed.stack.events.dead, &old.to_string()).await;
    send(&deployed.tick_dead, r#"{"requestPayload":{"time":"2026-11-24T10:00:00Z"}}"#).await;
    let (exit, said, _) = deployed.bridge(&["redrive", "--send", "--all"]).await;
    assert_eq!(exit, 1);
    assert!(said.contains("it may have been counted") && said.contains("tick catches up by itself"), "{said}");
    assert_eq!((listed(&deployed).await.1.len(), deployed.stack.events.depth().await), (2, 0));
    assert_eq!(does(&deployed, &["redrive", "--drop", "--all"]).await.matches("dropped").count(), 2);
    assert_eq!(listed(&deployed).await, (0, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_persons_traces_are_erased_from_quarantine_and_dead_letters() {
    let world = World::new().await;
    let deployed = deployed(&world).await;
    let ingest = deployed.stack.start(Step::Ingest).await;
    let whole = failed_email().with("customer_id", "person_4711").to("ada@analytical.example").bytes();
    let broken = webhook(SIGNING_KEY, ingest.clock.now(), &whole[..whole.len() - 4]);
    assert_eq!(call(&ingest, &broken).await.status, 200);
    let dead = &deployed.stack.events.dead;
    send(dead, r#"{"sample":"no mailbox ada@analytical.example"}"#).await;
    send(dead, r#"{"sample":"no mailbox bob@analytical.example"}"#).await;

    let erase = ["erase", "--person", "person_4711"];
    let (exit, said, complaint) = deployed.bridge(&erase).await;
    assert!(
        exit == 1 && said.contains("1 quarantined request and 1 dead letter would be removed"),
        "{said}{complaint}"
    );
    assert!(said.contains("not counted yet") && !said.contains("ada@"), "{said}");
    let said = does(&deployed, &[&erase[..], &["--yes"]].concat()).await;
    assert!(said.contains("1 quarantined request and 1 dead letter removed"), "{said}");
    assert!(does(&deployed, &erase).await.contains("No trace"));
    assert_eq!(deployed.stack.events.dead_letters().await, 1);
    assert_eq!(in_sight(dead, 0).await, 1, "somebody else's, in sight");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_wrongly_is_said_without_a_secret() {
    let world = World::new().await;
    let deployed = deployed(&world).await;
    let ask = async |args: &[&str], change: &dyn Fn(&mut std::process::Command)| {
        let mut command = deployed.command(args);
        change(&mut command);
        let (exit, said, complaint) = run(command).await;
        (exit, format!("{said}{complaint}"))
    };
    let list = ["silence", "list", "--stack"];
    let ours = [&list[..], &[&deployed.name]].concat();
    let same = |_: &mut std::process::Command| {};
    let strange = create(json!({ "BucketName": "somebody-elses" })).await;
    let down = "http://127.0.0.1:1";
    type Change<'a> = &'a dyn Fn(&mut std::process::Command);
    let without_credentials: Change<'_> = &|c| {
        c.env_remove("AWS_ACCESS_KEY_ID");
    };
    let without_region: Change<'_> = &|c| {
        c.env_remove("AWS_REGION");
    };
    let without_table: Change<'_> = &|c| {
        c.env("AWS_ENDPOINT_URL_DYNAMODB", down);
    };
    let without_aws: Change<'_> = &|c| {
        c.env("AWS_ENDPOINT_URL_CLOUDFORMATION", down);
    };
    let without_lambda: Change<'_> = &|c| {
        c.env("AWS_ENDPOINT_URL_LAMBDA", down);
    };
    let cases: [(&[&str], Change<'_>, i32, &str); 8] = [
        (&[&list[..], &["no-such-stack"]].concat(), &same, 2, "there is no stack \"no-such-stack\" in us-east-1"),
        (&[&list[..], &[&strange]].concat(), &same, 2, "has no output TableName"),
        (&[&ours[..], &["--data", "x"]].concat(), &same, 2, "cannot be used with"),
        (&ours, without_credentials, 2, "no AWS credentials"),
        (&ours, without_region, 2, "no AWS region"),
        (&ours, without_table, 1, "querying the table"),
        (&ours, without_aws, 1, "CloudFormation: could not connect"),
        (&ours, without_lambda, 2, "name the file that was deployed with --config"),
    ];
    for (args, change, exit, part) in cases {
        let (code, said) = ask(args, change).await;
        assert!(code == exit && said.contains(part), "{part}: {code} {said}");
    }
    // Refused: the code, and what is needed.
    deployed
        .lambda
        .answer(Reply::status(403, r#"{"Message":"User: arn:aws:iam::1:user/ada","Code":"AccessDeniedException"}"#));
    let (code, said) = ask(&ours, &same).await;
    assert!(code == 2 && said.contains("403 AccessDeniedException; this needs lambda:GetLayerVersion"), "{said}");
    assert!(!said.contains("arn:aws:iam"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deployed_configuration_holds_and_another_one_is_said_to_be_another() {
    let world = World::new().await;
    let deployed = deployed(&world).await;
    // It knows the rule, or it would say so.
    let add = ["silence", "add", "--for", "1h", "--reason", "x", "rule=transactional-failing"];
    let (exit, _, complaint) = deployed.bridge(&add).await;
    assert_eq!((exit, complaint.as_str()), (0, ""));
    let file = deployed.stack.setup.config_file();
    let same = file.to_str().expect("a path").to_owned();
    let (exit, _, complaint) = deployed.bridge(&[&add[..], &["--config", &same]].concat()).await;
    assert_eq!((exit, complaint.as_str()), (0, ""), "it is the same");
    std::fs::write(&file, std::fs::read_to_string(&file).expect("reads") + "\n# changed\n").expect("writes");
    let (exit, _, complaint) = deployed.bridge(&[&add[..], &["--config", &same]].concat()).await;
    assert!(exit == 0 && complaint.contains("is not what is deployed"), "{complaint}");
    deployed.lambda.answer(Reply::status(500, ""));
    let (exit, _, complaint) = deployed.bridge(&[&add[..], &["--config", &same]].concat()).await;
    assert!(exit == 0 && complaint.contains("not compared with what is deployed"), "{complaint}");
    let asked = &deployed.lambda.seen()[0];
    assert_eq!(asked.path, "/2018-10-31/layers");
    let signed = asked.headers["authorization"].to_str().expect("text");
    assert!(
        signed.starts_with("AWS4-HMAC-SHA256 Credential=AKIATEST/")
            && signed.contains("/us-east-1/lambda/aws4_request")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_check_asks_table_and_queues() {
    let world = World::new().await;
    let deployed = deployed(&world).await;
    let file = deployed.stack.setup.config_file().display().to_string();
    let (_, said, complaint) = deployed.bridge(&["check", "--live", "--config", &file]).await;
    assert!(said.contains("no event has ever arrived") && said.contains("the queues answer"), "{said}{complaint}");
    let mut elsewhere = deployed.command(&["check", "--live", "--json", "--config", &file, "--stack", "nobodys"]);
    elsewhere.env("CIO_SIGNING_KEY", SIGNING_KEY);
    let (exit, said, complaint) = run(elsewhere).await;
    assert_eq!(exit, 1, "{said}{complaint}");
    assert!(said.contains("the store cannot be opened: there is no stack"), "{said}{complaint}");
}
