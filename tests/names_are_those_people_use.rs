//! A source is called what people call it: the configuration's name, else Customer.io's, else its id. No message waits
//! for a name.

use std::time::{Duration, Instant};

use crate::support::app_api::APP_KEY;
use crate::support::{AppApi, Event, Faketime, PATIENCE, Serve, Setup, World, failed_email};

const RULE: &str = r#"
[[rules]]
name = "failing"
events = ["email_failed"]
group_by = ["source"]
count = { at_least = 1, within = "10m" }
severity = "critical"

[[sources]]
id = "campaign:5"
name = "Activation"
"#;

const NAMES: &[(&str, &str)] = &[
    ("campaign:7", "Welcome series"),
    ("campaign:5", "What the configuration calls Activation"),
    ("transactional:2", "Reset for ada@example.test\n"),
    ("newsletter:101", "Spring"),
    ("newsletter:102", "Summer"),
    ("newsletter:103", "Autumn"),
    ("newsletter:104", "Winter"),
    ("newsletter:105", "Carnival"),
];

/// The usual world, with an App API at this address.
fn setup(world: &World, app_api: &str) -> Setup {
    let setup = world.setup(RULE).env("CIO_APP_API_KEY", APP_KEY);
    let config = std::fs::read_to_string(setup.config_file()).expect("written");
    let with = format!("[customerio]\napp_api_key = \"env:CIO_APP_API_KEY\"\napp_api_url = \"{app_api}\"");
    std::fs::write(setup.config_file(), config.replace("[customerio]", &with)).expect("written");
    setup
}

/// Waits until the bridge says that it read this list.
async fn until_read(serve: &Serve, list: &str) {
    let until = Instant::now() + PATIENCE;
    while !serve.stderr().lines().any(|line| line.contains("names_read") && line.contains(list)) {
        assert!(Instant::now() < until, "{list} was not read");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What was asked for names; drift is looked for once a day by questions of its own, after them.
fn asked_for_names(app_api: &AppApi) -> Vec<String> {
    let mut asked = app_api.asked();
    if let Some(drift) = asked.iter().position(|path| path == "/v1/reporting_webhooks") {
        let last = usize::from(asked.get(drift + 1).is_some_and(|path| path == "/v1/transactional"));
        asked.drain(drift..=drift + last);
    }
    asked
}

fn failing(source: &str) -> Event {
    failed_email().of(source)
}

async fn page_for(world: &World, serve: &Serve, source: &str, so_far: usize) -> serde_json::Value {
    serve.deliver(&failing(source).at(serve.clock.now())).await;
    let page = world.pager.wait_for(so_far + 1, PATIENCE).await[so_far].json();
    assert_eq!(page["payload"]["custom_details"]["source"], source, "machines are told the id");
    page
}

fn summary(page: &serde_json::Value) -> &str {
    page["payload"]["summary"].as_str().expect("a summary")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_page_names_its_source_as_customer_io_does_unless_the_configuration_has_a_name() {
    let (world, app_api) = (World::new().await, AppApi::start(NAMES).await);
    let serve = setup(&world, app_api.url()).start().await;
    until_read(&serve, "/v1/newsletters").await;
    for (n, (source, name)) in [
        ("campaign:7", "Welcome series (campaign 7)"),
        ("campaign:5", "Activation (campaign 5)"),
        ("campaign:6", "campaign 6"),
        ("transactional:2", "Reset for [email] (transactional 2)"),
        // From the second and the third page.
        ("newsletter:103", "Autumn (newsletter 103)"),
        ("newsletter:101", "Spring (newsletter 101)"),
    ]
    .into_iter()
    .enumerate()
    {
        let page = page_for(&world, &serve, source, n).await;
        assert!(summary(&page).starts_with(&format!("{name}:")), "{}", summary(&page));
    }
    let asked = asked_for_names(&app_api);
    assert_eq!(asked.len(), 6, "four lists, one of them in three pages: {asked:?}");
    assert!(!serve.stderr().contains(APP_KEY));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_never_waits_for_a_name() {
    let hanging = AppApi::start(NAMES).await;
    hanging.hang();
    let closed = AppApi::start(NAMES).await;
    let address = closed.url().to_owned();
    drop(closed);
    for url in [hanging.url(), &address] {
        let world = World::new().await;
        let serve = setup(&world, url).start().await;
        let began = Instant::now();
        let page = page_for(&world, &serve, "campaign:7", 0).await;
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        assert!(summary(&page).starts_with("campaign 7:"), "{}", summary(&page));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_waited_out_until_a_later_tick() {
    // Slow for a fake clock: the App API has 5 s of it to answer.
    let Some(fake) = Faketime::at("2026-11-23T06:00:00Z", 10) else { return };
    let (world, app_api) = (World::new().await, AppApi::start(NAMES).await);
    app_api.limit_once("start=at%2B2%3D");
    // A key that may not read webhooks: drift has nothing to say, so that the first alert is the one below.
    app_api.refuse("/v1/reporting_webhooks", 403);
    let serve = setup(&world, app_api.url()).under(fake).start().await;
    until_read(&serve, "/v1/newsletters").await;
    let asked = asked_for_names(&app_api);
    // Once each, but for the list that was broken off: its two first pages, then all three.
    assert_eq!(asked.len(), 3 + 2 + 3, "{asked:?}");
    for (n, (source, name)) in
        [("newsletter:101", "Spring (newsletter 101)"), ("campaign:7", "Welcome series (campaign 7)")]
            .into_iter()
            .enumerate()
    {
        let page = page_for(&world, &serve, source, n).await;
        assert!(summary(&page).starts_with(&format!("{name}:")), "{}", summary(&page));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_said_without_the_key_and_costs_only_the_names() {
    let (world, app_api) = (World::new().await, AppApi::start(NAMES).await);
    let serve = setup(&world, app_api.url()).env("CIO_APP_API_KEY", "wrong-key-s3cret").start().await;
    let until = Instant::now() + PATIENCE;
    while !serve.stderr().contains("app_api_refused") {
        assert!(Instant::now() < until, "a refused key is not said");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let page = page_for(&world, &serve, "campaign:7", 0).await;
    assert!(summary(&page).starts_with("campaign 7:"), "{}", summary(&page));
    assert!(serve.stderr().contains("401") && !serve.stderr().contains("s3cret"), "{}", serve.stderr());
}

#[cfg(feature = "aws")]
#[tokio::test(flavor = "multi_thread")]
async fn on_aws_tick_reads_the_names_and_deliver_uses_them() {
    use crate::support::lambda::{self, EVENTS_BATCH, HINTS_BATCH};
    use crate::support::{Stack, Step};

    let (world, app_api) = (World::new().await, AppApi::start(NAMES).await);
    let stack = Stack::new(setup(&world, app_api.url())).await;
    let tick = stack.start(Step::Tick).await;
    lambda::tick(&tick).await;
    lambda::tick(&tick).await;
    let asked = asked_for_names(&app_api);
    assert_eq!(asked.len(), 6, "once: {asked:?}");
    let ingest = stack.start(Step::Ingest).await;
    lambda::deliver(&ingest, &failing("campaign:7")).await;
    let (evaluate, deliver) = (stack.start(Step::Evaluate).await, stack.start(Step::Deliver).await);
    stack.events.pass(&evaluate, EVENTS_BATCH).await;
    stack.hints.pass(&deliver, HINTS_BATCH).await;
    let page = world.pager.wait_for(1, PATIENCE).await[0].json();
    assert!(summary(&page).starts_with("Welcome series (campaign 7):"), "{}", summary(&page));
}
