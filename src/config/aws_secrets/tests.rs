use super::*;
use crate::clock::ManualClock;
use crate::queue::sqs::moto;
use crate::receivers::testing::StandIn;

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::from_second(1_800_000_000).expect("a time")))
}

async fn get(secrets: &AwsSecrets, text: &str) -> Result<String, String> {
    let at: SecretRef = text.parse().expect("a reference");
    secrets.get(&at).await.map(|s| s.reveal().to_owned()).map_err(|e| e.to_string())
}

async fn put_secret(name: &str, value: &str) {
    let client = aws_sdk_secretsmanager::Client::new(&moto::sdk());
    if client.put_secret_value().secret_id(name).secret_string(value).send().await.is_err() {
        client.create_secret().name(name).secret_string(value).send().await.expect("a secret");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_read_from_all_three_places() {
    let secrets = AwsSecrets::new(&moto::sdk());
    put_secret("three/json", r#"{"key":" k-1 ","none":null,"empty":" ","number":7}"#).await;
    put_secret("three/text", "t-1\n").await;
    let ssm = aws_sdk_ssm::Client::new(&moto::sdk());
    let put =
        ssm.put_parameter().name("/three/key").value("p-1").r#type(aws_sdk_ssm::types::ParameterType::SecureString);
    put.send().await.expect("a parameter");
    for (text, want) in [
        ("secret:three/json#key", Ok("k-1")),
        ("secret:three/text", Ok("t-1")),
        ("ssm:/three/key", Ok("p-1")),
        // What is simply not set is fine for a later key.
        ("secret:three/json#gone", Err("secret:three/json#gone is not set")),
        ("secret:three/json#none", Err("secret:three/json#none is not set")),
        ("secret:three/json#empty", Err("secret:three/json#empty is not set")),
        ("secret:three/gone", Err("secret:three/gone is not set")),
        ("ssm:/three/gone", Err("ssm:/three/gone is not set")),
        ("env:BRIDGE_TEST_NEVER_SET", Err("env:BRIDGE_TEST_NEVER_SET is not set")),
        // What is there and not readable is not.
        ("secret:three/json#number", Err("secret:three/json#number could not be read: the field is not text")),
        (
            "secret:three/text#key",
            Err("secret:three/text#key could not be read: the secret is not a JSON object, so it has no fields"),
        ),
    ] {
        assert_eq!(get(&secrets, text).await, want.map(str::to_owned).map_err(str::to_owned), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_on_its_way_to_deletion_is_not_set() {
    put_secret("leaving", "v").await;
    let client = aws_sdk_secretsmanager::Client::new(&moto::sdk());
    client.delete_secret().secret_id("leaving").send().await.expect("deleted");
    let got = get(&AwsSecrets::new(&moto::sdk()), "secret:leaving").await;
    assert_eq!(got, Err("secret:leaving is not set".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_value_is_seen_after_a_minute_and_not_asked_for_before() {
    let clock = clock();
    let secrets = AwsSecrets::with_clock(&moto::sdk(), clock.clone());
    put_secret("rotates", r#"{"key":"old"}"#).await;
    assert_eq!(get(&secrets, "secret:rotates#key").await, Ok("old".into()));
    put_secret("rotates", r#"{"key":"new"}"#).await;
    clock.advance(SignedDuration::from_secs(30));
    assert_eq!(get(&secrets, "secret:rotates#key").await, Ok("old".into()));
    clock.advance(SignedDuration::from_secs(30));
    assert_eq!(get(&secrets, "secret:rotates#key").await, Ok("new".into()));
}

const GOOD: &str = r#"{"Name":"s","SecretString":"{\"a\":\"va1ue-a\",\"b\":\"va1ue-b\"}"}"#;
const THROTTLED: &str =
    r#"{"__type":"AccessDeniedException","message":"arn:aws:iam::123456789012 may not read va1ue"}"#;

#[tokio::test]
async fn a_failed_refresh_is_said_and_the_last_good_value_is_kept() {
    let (server, clock) = (StandIn::start().await, clock());
    let secrets = AwsSecrets::with_clock(&moto::at(&server.url("")), clock.clone());
    server.answer(200, &[], GOOD);
    assert_eq!(get(&secrets, "secret:s#a").await, Ok("va1ue-a".into()));
    assert_eq!(get(&secrets, "secret:s#b").await, Ok("va1ue-b".into()));
    assert_eq!(server.requests().len(), 1, "the fields of a secret share one read");

    server.answer(400, &[], THROTTLED);
    clock.advance(SignedDuration::from_secs(60));
    let error = "secret:s#a could not be read: AWS answered 400 AccessDeniedException";
    assert_eq!(get(&secrets, "secret:s#a").await, Err(error.into()));
    assert!(get(&secrets, "secret:s#b").await.is_err());
    assert_eq!(server.requests().len(), 1, "a failure is not repeated for each field");
    let at: SecretRef = "secret:s#a".parse().expect("a reference");
    assert_eq!(secrets.last_good(&at).await, Some(Secret::new("va1ue-a")));

    server.answer(200, &[], GOOD);
    clock.advance(SignedDuration::from_secs(5));
    assert_eq!(get(&secrets, "secret:s#a").await, Ok("va1ue-a".into()));

    server.answer(400, &[], r#"{"__type":"ResourceNotFoundException"}"#);
    clock.advance(SignedDuration::from_secs(60));
    assert_eq!(get(&secrets, "secret:s#a").await, Err("secret:s#a is not set".into()));
    assert_eq!(secrets.last_good(&at).await, None, "what was taken away is gone");
}

#[tokio::test]
async fn no_answer_is_waited_for_longer_than_a_second_and_no_error_holds_a_value() {
    let server = StandIn::start().await;
    for (text, behave) in [("secret:s#a", true), ("ssm:/s", true), ("secret:s#a", false), ("ssm:/s", false)] {
        if behave {
            server.hang()
        } else {
            server.answer(500, &[], "va1ue-a")
        }
        let secrets = AwsSecrets::new(&moto::at(&server.url("")));
        let began = std::time::Instant::now();
        let error = get(&secrets, text).await.expect_err("no value");
        assert!(began.elapsed() < Duration::from_millis(1900), "{text}: {:?}", began.elapsed());
        let want = if behave { "no answer within 1 s" } else { "AWS answered 500" };
        assert_eq!(error, format!("{text} could not be read: {want}"));
    }
    server.answer(200, &[], r#"{"Name":"s","SecretString":"va1ue-a is not JSON"}"#);
    let error = get(&AwsSecrets::new(&moto::at(&server.url(""))), "secret:s#a").await.expect_err("no field");
    assert!(!error.contains("va1ue"), "{error}");
    server.hang_up();
    let error = get(&AwsSecrets::new(&moto::at(&server.url(""))), "ssm:/s").await.expect_err("no answer");
    assert!(error.starts_with("ssm:/s could not be read: "), "{error}");
}

#[tokio::test]
async fn of_many_who_ask_at_once_one_reads() {
    let server = StandIn::start().await;
    server.answer(200, &[], GOOD);
    let secrets = AwsSecrets::new(&moto::at(&server.url("")));
    let all = futures_util::future::join_all((0..20).map(|_| get(&secrets, "secret:s#a"))).await;
    assert!(all.iter().all(|got| got.as_deref() == Ok("va1ue-a")));
    assert_eq!(server.requests().len(), 1);
}
