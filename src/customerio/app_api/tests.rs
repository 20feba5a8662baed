//! Against a stand-in that answers as the App API does.

use hyper::header::HeaderValue;

use super::*;
use crate::clock::SystemClock;
use crate::config::secrets::Secret;
use crate::receivers::testing::StandIn;

const KEY: &str = "app-key-s3cret";
const TIME: Duration = Duration::from_secs(20);

struct OneKey(&'static str);

#[async_trait]
impl Secrets for OneKey {
    async fn get(&self, at: &SecretRef) -> Result<Secret, SecretError> {
        if self.0.is_empty() { Err(SecretError::NotSet(at.clone())) } else { Ok(Secret::new(self.0)) }
    }
}

fn api_with(url: String, key: &'static str) -> AppApi {
    let customerio = CustomerIo {
        region: Region::Us,
        workspace_id: None,
        signing_keys: Vec::new(),
        app_api_key: Some(SecretRef::Env("APP_KEY".into())),
        app_api_url: Some(url),
    };
    AppApi::of(&customerio, Arc::new(OneKey(key)), Arc::new(SystemClock)).expect("a key is configured")
}

fn api(server: &StandIn) -> AppApi {
    api_with(server.url("/"), KEY)
}

fn row(of: SourceKind) -> &'static ListRow {
    LISTS.iter().find(|row| row.of == of).expect("a list of each kind")
}

#[tokio::test]
async fn every_kind_of_sender_has_a_list_and_is_asked_for_with_the_key() {
    let server = StandIn::start().await;
    let api = api(&server);
    for (of, body, asked) in [
        (SourceKind::Campaign, r#"{"campaigns":[{"id":5,"name":"A"}]}"#, "/v1/campaigns"),
        (SourceKind::Broadcast, r#"{"broadcasts":[{"id":5,"name":"A"}]}"#, "/v1/broadcasts"),
        (SourceKind::Transactional, r#"{"messages":[{"id":5,"name":"A"}]}"#, "/v1/transactional"),
        (SourceKind::Newsletter, r#"{"newsletters":[{"id":5,"name":"A"}]}"#, "/v1/newsletters?limit=100&sort=desc"),
    ] {
        server.answer(200, &[], body);
        let names = api.list(row(of), TIME).await;
        assert_eq!(names, Ok(BTreeMap::from([("5".to_owned(), "A".to_owned())])));
        let seen = server.requests();
        assert_eq!((seen.len(), seen[0].path.as_str()), (1, asked));
        assert_eq!(seen[0].header("authorization"), Some("Bearer app-key-s3cret"));
    }
    assert_eq!([host(Region::Us), host(Region::Eu)], ["https://api.customer.io", "https://api-eu.customer.io"]);
}

#[tokio::test]
async fn pages_follow_each_other_at_most_three_a_second() {
    let server = StandIn::start().await;
    server.script(&[
        (200, r#"{"newsletters":[{"id":1,"name":"A"}],"next":"a+b="}"#),
        (200, r#"{"newsletters":[{"id":2,"name":"B"}],"next":"c"}"#),
        (200, r#"{"newsletters":[{"id":3,"name":"C"}],"next":"d"}"#),
        (200, r#"{"newsletters":[{"id":4,"name":"D"}],"next":""}"#),
    ]);
    let began = Instant::now();
    let names = api(&server).list(row(SourceKind::Newsletter), TIME).await.expect("a list");
    assert_eq!(names.into_values().collect::<String>(), "ABCD");
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    let asked: Vec<String> = server.requests().into_iter().map(|seen| seen.path).collect();
    assert_eq!(asked[1], "/v1/newsletters?limit=100&sort=desc&start=a%2Bb%3D");
    assert_eq!(asked.len(), 4);
}

#[tokio::test]
async fn pages_that_lead_in_a_circle_or_take_too_long_end() {
    let server = StandIn::start().await;
    server.answer(200, &[], r#"{"campaigns":[{"id":1,"name":"A"}],"next":"same"}"#);
    assert_eq!(api(&server).list(row(SourceKind::Campaign), TIME).await.map(|names| names.len()), Ok(1));
    assert_eq!(server.requests().len(), 2);

    let pages: Vec<(u16, String)> =
        (0..20).map(|n| (200, format!(r#"{{"campaigns":[{{"id":{n},"name":"A"}}],"next":"{n}"}}"#))).collect();
    let pages: Vec<(u16, &str)> = pages.iter().map(|(status, body)| (*status, body.as_str())).collect();
    server.script(&pages);
    let names = api(&server).list(row(SourceKind::Campaign), Duration::from_millis(800)).await.expect("what was read");
    // How many pages fit depends on the machine; that the rest is left does not.
    assert!((1..20).contains(&names.len()), "{}", names.len());
}

#[tokio::test]
async fn each_refusal_says_what_it_is_and_nothing_that_was_answered_or_sent() {
    let server = StandIn::start().await;
    let path = "/v1/campaigns";
    let answered = r#"{"errors":[{"detail":"no app-key-s3cret (reference a1b2c3)","status":"429"}]}"#;
    for (status, headers, want) in [
        (401, &[][..], AppApiError::Refused { status: 401, path }),
        (403, &[], AppApiError::Refused { status: 403, path }),
        (429, &[("retry-after", "7")], AppApiError::Limited { after: Some(Duration::from_secs(7)) }),
        (429, &[], AppApiError::Limited { after: None }),
        (500, &[], AppApiError::Status { status: 500, path }),
        (302, &[("location", "/elsewhere")], AppApiError::Status { status: 302, path }),
        (200, &[], AppApiError::NoList { path }),
    ] {
        server.answer(status, headers, answered);
        let error = api(&server).list(row(SourceKind::Campaign), TIME).await.expect_err("refused");
        assert_eq!(error, want);
        assert!(!error.to_string().contains("s3cret") && !error.to_string().contains("a1b2c3"), "{error}");
        assert_eq!(server.requests().len(), 1, "it is asked once, whatever it says");
    }
}

#[tokio::test]
async fn what_is_too_long_hangs_or_is_not_there_is_given_up() {
    let server = StandIn::start().await;
    let list = async |url: String, key, time| api_with(url, key).list(row(SourceKind::Campaign), time).await;
    server.answer(200, &[], &format!(r#"{{"campaigns":[{{"id":1,"name":"{}"}}]}}"#, "x".repeat(ANSWER_BYTES)));
    assert_eq!(list(server.url(""), KEY, TIME).await, Err(AppApiError::TooLong { path: "/v1/campaigns" }));
    server.hang();
    let began = Instant::now();
    let hung = list(server.url(""), KEY, Duration::from_millis(100)).await;
    assert!(matches!(hung, Err(AppApiError::NoAnswer(Failure::Timeout { .. }))), "{hung:?}");
    assert!(began.elapsed() < Duration::from_secs(4));
    let refused = list("http://127.0.0.1:1".into(), KEY, TIME).await;
    assert!(matches!(refused, Err(AppApiError::NoAnswer(Failure::Connect(_)))), "{refused:?}");
    assert_eq!(list("nowhere".into(), KEY, TIME).await, Err(AppApiError::Address));
}

#[tokio::test]
async fn a_key_that_is_not_set_or_is_none_is_named_and_not_shown() {
    let list = async |key| api_with("http://127.0.0.1:1".into(), key).list(row(SourceKind::Campaign), TIME).await;
    assert_eq!(list("").await, Err(AppApiError::Key("env:APP_KEY is not set".into())));
    assert_eq!(list("s3cret\nX-Evil: 1").await, Err(AppApiError::Key("env:APP_KEY holds no key".into())));
    let (_, value) = api_with("http://127.0.0.1:1".into(), KEY).authorization().await.expect("a header");
    assert_eq!((value.is_sensitive(), value), (true, HeaderValue::from_static("Bearer app-key-s3cret")));
}

#[tokio::test]
async fn a_campaign_is_asked_for_its_state_and_for_its_hours_with_those_of_a_week_before() {
    let server = StandIn::start().await;
    let hours = |first: u64, middle: usize, last: u64| {
        let mut all = vec![first; 2];
        all.extend(vec![900; middle]);
        all.extend(vec![last; 2]);
        serde_json::json!({ "journey_metric": { "started": all } }).to_string()
    };
    let entered = hours(50, 166, 3);
    server.script(&[
        (200, r#"{"campaign":{"id":5,"state":"running","active":true}}"#),
        (200, &entered),
        (200, r#"{"metric":{"series":{"sent":[4,3],"failed":[1,0]}}}"#),
    ]);
    let (from, to) = (Timestamp::from_second(1_764_000_000), Timestamp::from_second(1_764_007_200));
    let (from, to) = (from.expect("a time"), to.expect("a time"));
    let said = api(&server).campaign("5", from, to, TIME).await.expect("an answer");
    let expected = Said { state: Some("running".into()), started: Some(6), started_before: Some(100), sent: Some(7) };
    assert_eq!(said, expected);
    let asked: Vec<String> = server.requests().into_iter().map(|seen| seen.path).collect();
    assert_eq!(
        asked,
        [
            "/v1/campaigns/5",
            "/v1/campaigns/5/journey_metrics?start=1763395200&end=1764007200&resolution=hours",
            "/v1/campaigns/5/metrics?version=2&res=hours&tz=UTC&start=1764000000&end=1764007200",
        ]
    );
}

#[tokio::test]
async fn what_a_campaign_does_not_say_is_not_known_and_its_state_is_worth_something_alone() {
    let server = StandIn::start().await;
    server.script(&[(200, r#"{"campaign":{"state":"stopped"}}"#), (400, "{}"), (200, r#"{"metric":{}}"#)]);
    let (from, to) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + SignedDuration::from_hours(2));
    let said = api(&server).campaign("5", from, to, TIME).await;
    assert_eq!(said, Ok(Said { state: Some("stopped".into()), ..Said::default() }));
    server.answer(401, &[], "{}");
    let refused = api(&server).campaign("5/../7?", from, to, TIME).await;
    assert_eq!(refused, Err(AppApiError::Refused { status: 401, path: "/v1/campaigns/{id}" }));
    assert_eq!(server.requests().last().map(|seen| seen.path.clone()).as_deref(), Some("/v1/campaigns/5%2F..%2F7%3F"));
}

#[tokio::test]
async fn days_are_asked_for_in_the_workspaces_zone_and_only_as_many_as_were_asked_for_count() {
    let server = StandIn::start().await;
    let (zone, date) = (TimeZone::get("Europe/Berlin").expect("a zone"), jiff::civil::date(2026, 11, 1));
    let days = |series: &str| format!(r#"{{"metric":{{"series":{{"sent":{series}}}}}}}"#);
    for (series, expected) in [("[4,3,5]", Ok(vec![4, 3, 5])), ("[4,3,5,1]", Ok(vec![4, 3, 5])), ("[4,3]", Err(()))] {
        server.answer(200, &[], &days(series));
        let dates = date..jiff::civil::date(2026, 11, 4);
        let said = api(&server).by_day("5", "sent", dates, &zone, TIME).await;
        assert_eq!(said.map_err(drop), expected, "{series}");
    }
    let asked = server.requests().first().map(|seen| seen.path.clone()).unwrap_or_default();
    let expected = "/v1/campaigns/5/metrics?version=2&res=days&tz=Europe%2FBerlin&start=1793487600&end=1793746800";
    assert_eq!(asked, expected);
}

const WHO: &str = r#"{"customer":{"id":"7"}}"#;

async fn asked(api: &AppApi) -> Result<String, AppApiError> {
    api.ask(&Question::Profile(&ask::Named::new("7", ask::NameKind::Id))).await
}

#[tokio::test]
async fn a_limit_is_waited_out_only_by_who_may_wait_and_only_so_long() {
    let server = StandIn::start().await;
    let limited = |after: &'static str| [("retry-after", after)];
    server.script(&[(429, "{}"), (200, WHO)]);
    // Whoever runs by itself asks once.
    assert_eq!(asked(&api(&server)).await, Err(AppApiError::Limited { after: None }));
    server.script(&[(429, "{}"), (200, WHO)]);
    let began = Instant::now();
    assert_eq!(asked(&api(&server).patient(PATIENCE)).await.as_deref(), Ok(WHO));
    assert!(began.elapsed() >= FIRST_WAIT);
    assert_eq!(server.requests().len(), 3);
    // It is told to wait longer than it may: it does not wait at all.
    server.answer(429, &limited("31"), "{}");
    let began = Instant::now();
    let refused = asked(&api(&server).patient(PATIENCE)).await;
    assert_eq!(refused, Err(AppApiError::Limited { after: Some(Duration::from_secs(31)) }));
    assert_eq!(server.requests().len(), 1);
    // A header of no time at all is honoured, three times.
    server.answer(429, &limited("0"), "{}");
    assert!(asked(&api(&server).patient(PATIENCE)).await.is_err());
    assert_eq!(server.requests().len(), 1 + RETRIES as usize);
    assert!(began.elapsed() < PATIENCE);
}

#[tokio::test]
async fn all_waits_together_are_bounded() {
    let server = StandIn::start().await;
    server.answer(429, &[("retry-after", "1")], "{}");
    let api = api(&server).patient(Duration::from_secs(2));
    for want in [3, 1, 1] {
        assert!(asked(&api).await.is_err());
        assert_eq!(server.requests().len(), want);
    }
}
