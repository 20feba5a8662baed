//! The runtime API's server, tried on AWS's own client of it.

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::json;

use super::*;

/// Set in the child that plays the function.
const ROLE: &str = "ECHO_LAMBDA";

/// This test program once more, as a function: it answers each event with what it was told about it.
fn echo() -> Function {
    let this = std::env::current_exe().expect("this program");
    let module = module_path!().split_once("::").expect("below the crate").1;
    let role = format!("{module}::the_function_that_echoes");
    Function::new(this.to_str().expect("a path")).args(&["--exact", &role, "--nocapture"]).env(ROLE, "yes")
}

#[tokio::test]
async fn the_function_that_echoes() {
    match std::env::var(ROLE).as_deref() {
        Ok("yes") => lambda_runtime::run(service_fn(answer)).await.expect("runs for ever"),
        Ok(_) => std::process::exit(3),
        Err(_) => {}
    }
}

async fn answer(event: LambdaEvent<Value>) -> Result<Value, lambda_runtime::Error> {
    match event.payload["do"].as_str() {
        Some("fail") => Err("as told".into()),
        Some("panic") => panic!("as told"),
        Some("exit") => std::process::exit(1),
        Some("hang") => std::future::pending().await,
        _ => Ok(json!({
            "payload": event.payload,
            "request": event.context.request_id,
            "arn": event.context.invoked_function_arn,
            "left_ms": event.context.deadline as i64 - jiff::Timestamp::now().as_millisecond(),
            "memory": std::env::var("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").ok(),
        })),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_goes_in_and_its_answer_comes_out() {
    let lambda = echo().start().await;
    let first = lambda.invoke(&json!({ "n": 1 })).await.expect("an answer");
    assert_eq!(first["payload"], json!({ "n": 1 }));
    assert_eq!(first["memory"], "128");
    assert!(first["arn"].as_str().is_some_and(|arn| arn.starts_with("arn:aws:lambda:us-east-1:")), "{first}");
    assert!(first["left_ms"].as_i64().is_some_and(|left| (20_000..=30_000).contains(&left)), "{first}");
    let second = lambda.invoke(&json!({ "n": 2 })).await.expect("an answer");
    assert_ne!(first["request"], second["request"]);
    assert!(lambda.first_next() > Duration::ZERO);
    assert!(lambda.peak_rss_kib().is_none_or(|kib| kib > 1_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_fails_in_each_of_its_ways_and_goes_on_when_it_can() {
    let lambda = echo().timeout(Duration::from_secs(2)).start().await;
    for todo in ["fail", "panic"] {
        let failed = lambda.invoke(&json!({ "do": todo })).await;
        assert!(
            matches!(&failed, Err(InvocationError::Reported { message, .. }) if message.contains("as told")),
            "{failed:?}"
        );
    }
    assert!(lambda.invoke(&json!({})).await.is_ok(), "the same process");
    let ended = lambda.invoke(&json!({ "do": "exit" })).await;
    assert!(matches!(ended, Err(InvocationError::Died(_))), "{ended:?}");
    assert!(matches!(lambda.invoke(&json!({})).await, Err(InvocationError::Died(_))), "it stays dead");

    let lambda = echo().timeout(Duration::from_millis(300)).start().await;
    let hung = lambda.invoke(&json!({ "do": "hang" })).await;
    assert!(matches!(hung, Err(InvocationError::TimedOut)), "{hung:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_cannot_start_says_so() {
    let why = echo().env(ROLE, "a bad start").try_start().await.err().expect("no function");
    assert!(why.contains("before it asked for an event"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_costs_little_beside_the_function() {
    let lambda = echo().start().await;
    let event = Bytes::from_static(b"{}");
    let mut fastest = Duration::MAX;
    for _ in 0..300 {
        let began = Instant::now();
        lambda.invoke_bytes(event.clone()).await.expect("an answer");
        fastest = fastest.min(began.elapsed());
    }
    // An unoptimised echo takes about 0.2 ms; ours must not hide what a function takes.
    assert!(fastest < Duration::from_millis(3), "{fastest:?}");
}
