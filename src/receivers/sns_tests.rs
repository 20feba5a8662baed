use aws_sdk_sns::config::Credentials;

use super::*;
use crate::message::Phase;
use crate::receivers::testing::{StandIn, kind_of, message};

const ARN: &str = "arn:aws:sns:eu-central-1:123456789012:s3cret-topic";

/// With made-up credentials, so that no test looks for real ones.
fn sns(server: &StandIn, arn: &str) -> Sns {
    let config = aws_sdk_sns::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(server.url(""))
        .credentials_provider(Credentials::new("AKIAEXAMPLE", "s3cret-access-key", None, None, "test"))
        .http_client(http())
        .retry_config(RetryConfig::disabled())
        .build();
    let made = Sns::new(Secret::new(arn), SnsFormat::Text, None).unwrap();
    Sns { client: OnceCell::new_with(Some(aws_sdk_sns::Client::from_conf(config))), ..made }
}

fn error(code: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no such topic: {ARN}</Message></Error>\
         <RequestId>r</RequestId></ErrorResponse>"
    )
}

const OK: &str = "<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>";

#[tokio::test]
async fn each_answer_means_what_sns_says_it_means() {
    let server = StandIn::start().await;
    for (status, code, want) in [
        (200, "", "delivered"),
        (400, "InvalidParameter", "bad message"),
        (400, "ParameterValueInvalid", "bad message"),
        (400, "ValidationException", "bad message"),
        (400, "KMSThrottling", "retry"),
        (400, "Throttling", "retry"),
        (400, "KMSDisabled", "bad receiver"),
        (400, "EndpointDisabled", "bad receiver"),
        (400, "SomethingNew", "bad message"),
        (403, "AuthorizationError", "bad receiver"),
        (403, "InvalidClientTokenId", "bad receiver"),
        (403, "ExpiredToken", "retry"),
        (403, "SomethingNew", "bad receiver"),
        (404, "NotFound", "bad receiver"),
        (429, "TooManyRequestsException", "retry"),
        (500, "InternalError", "retry"),
        (502, "", "retry"),
        (503, "ServiceUnavailable", "retry"),
    ] {
        let body = if status == 200 { OK.to_owned() } else { error(code) };
        server.answer(status, &[("content-type", "text/xml")], &body);
        let outcome = sns(&server, ARN).send(&message(Phase::Opened), None).await;
        assert_eq!(kind_of(&outcome), want, "{status} {code}: {outcome:?}");
        let shown = format!("{outcome:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("123456789012"), "{shown}");
        assert_eq!(server.requests().len(), 1, "one call for {status} {code}");
    }
}

#[tokio::test]
async fn a_success_has_the_message_id_and_only_a_fifo_topic_gets_ids() {
    let server = StandIn::start().await;
    server.answer(200, &[("content-type", "text/xml")], OK);
    for (arn, fifo) in [(ARN.to_owned(), false), (format!("{ARN}.fifo"), true)] {
        let outcome = sns(&server, &arn).send(&message(Phase::Resolved), None).await;
        assert!(matches!(outcome, Outcome::Delivered(Receipt { id: Some(id), .. }) if id == "m-1"));
        let request = server.requests().remove(0).body;
        assert!(request.contains("Action=Publish") && request.contains("event_action"), "{request}");
        assert_eq!(request.contains("MessageGroupId="), fifo, "{request}");
        assert_eq!(request.contains("MessageDeduplicationId="), fifo, "{request}");
    }
}

#[tokio::test]
async fn a_topic_for_chat_gets_the_notification_and_no_subject() {
    let server = StandIn::start().await;
    server.answer(200, &[("content-type", "text/xml")], OK);
    for (format, chat) in [(SnsFormat::Text, false), (SnsFormat::Chat, true)] {
        let sns = Sns { format, ..sns(&server, ARN) };
        assert_eq!(kind_of(&sns.send(&message(Phase::Opened), None).await), "delivered");
        let request = server.requests().remove(0).body;
        assert_eq!(request.contains("client-markdown"), chat, "{request}");
        assert_eq!(request.contains("Subject="), !chat, "{request}");
    }
}

#[tokio::test]
async fn a_dead_host_is_tried_again_and_not_named() {
    let server = StandIn::start().await;
    server.hang_up();
    let outcome = sns(&server, ARN).send(&message(Phase::Opened), None).await;
    assert_eq!(kind_of(&outcome), "retry");
    assert!(!format!("{outcome:?}").contains("127.0.0.1"), "{outcome:?}");
}

#[test]
fn only_the_arn_of_a_topic_is_one() {
    let region = |arn: &str| Topic::parse(Secret::new(arn)).map(|t| (t.region, t.is_fifo));
    assert_eq!(region(ARN), Ok(("eu-central-1".into(), false)));
    assert_eq!(region("arn:aws-cn:sns:cn-north-1:123456789012:a.fifo"), Ok(("cn-north-1".into(), true)));
    for bad in [
        "",
        "alerts",
        "arn:aws:sqs:eu-central-1:123456789012:a",
        "arn:aws:sns:eu-central-1:123456789012:a:sub",
        "arn:aws:sns::1:a",
    ] {
        assert_eq!(region(bad), Err(BadTopic), "{bad}");
    }
}

#[test]
fn every_code_is_listed_once() {
    for (i, (code, _)) in CODES.iter().enumerate() {
        assert!(!CODES[..i].iter().any(|(other, _)| other == code), "{code} twice");
    }
}
