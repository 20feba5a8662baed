use proptest::prelude::*;
use serde_json::{Value, json};
use wildmatch::WildMatch;

use super::*;

const ARRIVED: &str = "2026-01-01T00:00:10Z";
/// Ten seconds before arrival.
const STAMP: i64 = 1_767_225_600;

fn arrived() -> Timestamp {
    ARRIVED.parse().unwrap()
}

fn read_with(body: &[u8], ignore: &Ignore, show_personal_data: bool) -> Result<Normalised, Unreadable> {
    let context =
        Context { arrived: arrived(), ignore, privacy: Privacy { show_personal_data }, canary: None, asks: false };
    normalise(body, &context)
}

fn read(body: &str) -> Result<Normalised, Unreadable> {
    read_with(body.as_bytes(), &Ignore::default(), false)
}

fn one(body: &Value) -> Event {
    let normalised = read(&body.to_string()).unwrap();
    assert_eq!((normalised.tests, &normalised.unreadable), (0, &None), "{body}");
    let [event] = normalised.events.try_into().expect("one event");
    event
}

fn bounced() -> Value {
    json!({"event_id": "01KDVB6M2Q8Z4T0YB3W5R7N9PA", "object_type": "email", "metric": "bounced", "timestamp": STAMP,
        "data": {"action_id": 96, "campaign_id": 5, "customer_id": "0200000117", "delivery_id": "dgSYNTH0001-_aaaa=",
            "failure_message": "550 5.1.1 <ada@gmail.com> u_117 does not exist",
            "identifiers": {"id": "u_117", "email": "ada@gmail.com", "cio_id": "d9c106000075"},
            "journey_id": "01KDVB5ZZ0J4M8X2C6V9T1R3QE", "parent_action_id": 95, "recipient": "ada@gmail.com",
            "trigger_event_id": "01KDVB5Y7TACTIVATE0000000001"}})
}

fn with(mut body: Value, pointer: &str, value: Value) -> Value {
    *body.pointer_mut(pointer).expect(pointer) = value;
    body
}

#[test]
fn a_documented_body_is_read_whole() {
    let event = one(&bounced());
    insta::assert_snapshot!(serde_json::to_string_pretty(&event).unwrap(), @r#"
    {
      "identity": "847a0b7b89ba0bfe948ba8e4d8a0aa3a",
      "kind": "email_bounced",
      "source": "campaign:5",
      "action": "96",
      "at": "2026-01-01T00:00:00Z",
      "arrived": "2026-01-01T00:00:10Z",
      "fate": "counted",
      "failure": {
        "cause": "mailbox_unknown",
        "fingerprint": 11910672051475027334,
        "sample": "550 5.1.1 <[email]> [id] does not exist"
      },
      "provider": "gmail",
      "event_id": "01KDVB6M2Q8Z4T0YB3W5R7N9PA",
      "journey_id": "01KDVB5ZZ0J4M8X2C6V9T1R3QE",
      "trigger_event_id": "01KDVB5Y7TACTIVATE0000000001"
    }
    "#);
    assert_eq!(event.identity, Identity::of_event("01KDVB6M2Q8Z4T0YB3W5R7N9PA", &Kind::known("email", "bounced")));
}

#[test]
fn every_shape_is_read_the_same() {
    let want = one(&bounced());
    let mut typo = bounced();
    let channel = typo.as_object_mut().unwrap().remove("object_type").unwrap();
    typo["object_type_type"] = channel;
    let list = json!([bounced()]);
    for body in [typo, list, json!({"events": [bounced()]}), json!({"items": [bounced()], "next": null})] {
        assert_eq!(one(&body), want, "{body}");
    }
    let again = serde_json::to_string_pretty(&bounced()).unwrap().replace("metric", "\\u006detric");
    assert_eq!(read(&again).unwrap().events, [want]);
}

#[test]
fn the_legacy_format_is_read() {
    let body = json!({"event_type": "email_bounced", "event_id": "00aa11bb22cc33dd44ee", "timestamp": STAMP, "data": {
        "customer_id": "568", "email_address": "Ada L <ada@gmail.com>", "email_id": "ZISYNTH0007-", "subject": null,
        "campaign_id": "12", "campaign_name": "Activation", "message_id": "65", "template_id": "35"}});
    let event = one(&body);
    assert_eq!(event.kind, Kind::known("email", "bounced"));
    assert_eq!(event.source.to_string(), "campaign:12");
    assert_eq!(event.provider.as_str(), "gmail");
    assert_eq!(event.action, None);
    let in_app = one(&json!({"event_type": "in_app_failed"}));
    assert_eq!(in_app.kind, Kind::known("in_app", "failed"));
}

#[test]
fn the_source_is_what_sent_it() {
    for (data, want) in [
        (json!({"campaign_id": 5, "newsletter_id": 1}), "campaign:5"),
        (json!({"campaign_id": null, "broadcast_id": 9, "trigger_id": 1}), "broadcast:9"),
        (json!({"campaign_id": "", "newsletter_id": "10", "content_id": 3}), "newsletter:10"),
        (json!({"campaign_id": 0, "transactional_message_id": 2}), "transactional:2"),
        (json!({"transactional_message_id": "2.0"}), "transactional:2.0"),
        (json!({"campaign_id": 5.0}), "campaign:5"),
        (json!({"campaign_id": u64::MAX}), "campaign:18446744073709551615"),
        (json!({"campaign_id": "a b/c:d"}), "campaign:a_b_c_d"),
        (json!({"campaign_id": {"id": 5}}), "none"),
        (json!({"campaign_id": true}), "none"),
        (json!({}), "none"),
        (json!("no object"), "none"),
        (Value::Null, "none"),
    ] {
        assert_eq!(one(&with(bounced(), "/data", data.clone())).source.to_string(), want, "{data}");
    }
    let huge = bounced().to_string().replace("\"campaign_id\":5", &format!("\"campaign_id\":{}", "9".repeat(400)));
    assert_eq!(read(&huge).unwrap().events[0].source.to_string(), format!("campaign:{}", "9".repeat(ID_CHARS)));
}

#[test]
fn nothing_in_data_is_needed() {
    let body = json!({"object_type": "email", "metric": "failed"});
    let event = one(&body);
    assert_eq!(event.identity, Identity::of_body(&Sha256::digest(body.to_string()).into(), 0));
    assert_eq!((event.at, event.future), (arrived(), true));
    assert_eq!(event.failure.map(|f| (f.cause, f.sample)), Some((cause::CauseKey::UNKNOWN, None)));
    assert_eq!(event.provider, Provider::none());
    assert_eq!(
        one(&json!({"object_type": "email", "metric": "dropped"})).failure.unwrap().cause.as_str(),
        "suppressed"
    );
}

#[test]
fn a_retry_keeps_the_time_stamp_that_finds_its_place() {
    let stamp = |seconds: Value| crate::tally::Entry::of(&one(&with(bounced(), "/timestamp", seconds))).stamp;
    for (ahead, own) in [(0, "2026-01-01T00:00:00Z"), (311, "2026-01-01T00:05:11Z")] {
        assert_eq!(stamp(json!(STAMP + ahead)), Some(own.parse().unwrap()), "{ahead} s ahead");
    }
    assert_eq!(stamp(json!("no time")), None);
    // Counted when it came, found by its own time.
    let late = one(&with(bounced(), "/timestamp", json!(STAMP - 9 * 86_400)));
    let entry = crate::tally::Entry::of(&late);
    assert_eq!((late.fate, entry.stamp, entry.class.at), (Fate::TooLate, Some(late.at), arrived()));
}

#[test]
fn any_time_stamp_gives_a_time() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let own = (at("2026-01-01T00:00:00Z"), false);
    let unknown = (arrived(), true);
    for (stamp, want) in [
        (json!(STAMP), own),
        (json!(STAMP.to_string()), own),
        (json!(STAMP as f64), own),
        (json!(1_767_225_600.9), own),
        (json!(STAMP * 1000), own),
        (json!(format!(" {STAMP} ")), own),
        (json!(STAMP + 10), (arrived(), false)),
        (json!(STAMP + 20), (at("2026-01-01T00:00:20Z"), false)),
        (json!(STAMP + 310), (at("2026-01-01T00:05:10Z"), false)),
        (json!(STAMP + 311), unknown),
        (json!(99_999_999_999_i64), unknown),
        (json!(STAMP * 1_000_000), unknown),
        (json!(u64::MAX), unknown),
        (json!(1e300), unknown),
        (json!(-5), unknown),
        (json!(0), unknown),
        (json!(null), unknown),
        (json!(true), unknown),
        (json!("NaN"), unknown),
        (json!("inf"), unknown),
        (json!("2026-01-01T00:00:00Z"), unknown),
        (json!([STAMP]), unknown),
    ] {
        let event = one(&with(bounced(), "/timestamp", stamp.clone()));
        assert_eq!((event.at, event.future), want, "{stamp}");
        assert_eq!(event.fate, Fate::Counted, "{stamp}");
    }
}

#[test]
fn over_eight_days_is_too_late() {
    let days = |n: i64| one(&with(bounced(), "/timestamp", json!(STAMP + 10 - n))).fate;
    assert_eq!(days(8 * 86_400), Fate::Counted);
    assert_eq!(days(8 * 86_400 + 1), Fate::TooLate);
}

#[test]
fn test_traffic_is_ignored_by_address_or_source() {
    let globs = |of: &[&str]| of.iter().map(|g| WildMatch::new(g)).collect::<Vec<_>>();
    let fate = |body: &Value, recipients: &[&str], sources: &[&str]| {
        let ignore = Ignore { recipients: globs(recipients), sources: globs(sources), ..Ignore::default() };
        read_with(body.to_string().as_bytes(), &ignore, false).unwrap().events[0].fate
    };
    let named = with(bounced(), "/data/recipient", json!("Ada <Ada@GMAIL.com>"));
    let text = json!({"object_type": "sms", "metric": "failed", "timestamp": STAMP, "data": {
        "recipient": "+15550100123", "identifiers": {"email": "ada@gmail.com"}}});
    assert_eq!(fate(&bounced(), &["*@example.com", "*@gmail.com"], &[]), Fate::Ignored);
    assert_eq!(fate(&named, &["*@gmail.com"], &[]), Fate::Ignored);
    assert_eq!(fate(&text, &["*@gmail.com"], &[]), Fate::Ignored);
    assert_eq!(fate(&text, &["+1555*"], &[]), Fate::Ignored);
    assert_eq!(fate(&bounced(), &[], &["campaign:*"]), Fate::Ignored);
    assert_eq!(fate(&bounced(), &["*@gmail.co", "gmail.com"], &["campaign:55", "broadcast:*"]), Fate::Counted);
    // A real customer's mail is no test because their profile once had a test address.
    let moved = with(bounced(), "/data/recipient", json!("ada@customer.test"));
    assert_eq!(fate(&moved, &["*@gmail.com"], &[]), Fate::Counted);
}

#[test]
fn what_the_canarys_workflow_sends_to_its_profile_is_no_traffic_and_to_others_is() {
    let canary = canary();
    let fate = |body: &Value| {
        let context = Context {
            arrived: arrived(),
            ignore: &Ignore::default(),
            privacy: Privacy::default(),
            canary: Some(&canary),
            asks: false,
        };
        normalise(body.to_string().as_bytes(), &context).unwrap().events[0].fate
    };
    let sent = |campaign: u64, data: Value| {
        let mut body = json!({"object_type": "email", "metric": "sent", "timestamp": STAMP, "data": data});
        body["data"]["campaign_id"] = campaign.into();
        body
    };
    for of_profile in [
        json!({"identifiers": {"id": "canary"}}),
        json!({"customer_id": "canary"}),
        // Nothing says whom it went to.
        json!({}),
        json!({"recipient": "canary@example.test"}),
    ] {
        assert_eq!(fate(&sent(42, of_profile.clone())), Fate::Canary, "{of_profile}");
        assert_eq!(fate(&sent(5, of_profile.clone())), Fate::Counted, "{of_profile}");
    }
    assert_eq!(fate(&sent(42, json!({"identifiers": {"id": "u_117"}}))), Fate::Counted, "somebody named Activation");
    let old = with(sent(42, json!({"customer_id": "canary"})), "/timestamp", json!(STAMP - 30 * 86_400));
    assert_eq!(fate(&old), Fate::Canary, "it is counted nowhere, also not among the late");
}

fn canary() -> Canary {
    let text = "[workspace]\nname = \"a\"\n[customerio]\nsigning_keys = [\"env:K\"]\n[[receivers]]\nname = \"c\"\n\
                type = \"console\"\n[[routes]]\nreceivers = [\"c\"]\n[canary]\nprofile = \"canary\"\ncampaign = 42\n\
                site_id = \"env:S\"\napi_key = \"env:T\"\n";
    crate::config::parse::parse(text).config.and_then(|config| config.canary).unwrap()
}

#[test]
fn the_vendors_sample_is_a_test() {
    let sample = with(bounced(), "/event_id", json!(SAMPLE_EVENT_ID));
    let normalised = read(&json!([sample, bounced()]).to_string()).unwrap();
    assert_eq!((normalised.events.len(), normalised.tests), (1, 1));
    assert_eq!(read(&sample.to_string()).unwrap(), Normalised { tests: 1, ..Normalised::default() });
}

#[test]
fn a_list_loses_nothing_to_one_bad_element() {
    let body = json!([bounced(), 5, {"metric": "sent"}, {"object_type": "sms", "metric": "sent"}]).to_string();
    let normalised = read(&body).unwrap();
    assert_eq!(normalised.events.len(), 2);
    assert_eq!(normalised.events[1].identity, Identity::of_body(&Sha256::digest(&body).into(), 3));
    insta::assert_snapshot!(normalised.unreadable.unwrap(), @"2 of 4 elements of a list: number 2: not an object");
}

#[test]
fn what_cannot_be_read_says_why_and_nothing_of_the_body() {
    for (body, want) in [
        ("", "JSON that ends too soon (line 1 column 0)"),
        ("secret", "not JSON (line 1 column 1)"),
        ("{\"event_id\":\"secret\"", "JSON that ends too soon (line 1 column 20)"),
        ("{\"a\":secret}", "not JSON (line 1 column 6)"),
        ("{} {}", "not JSON (line 1 column 4)"),
        ("\"secret\"", "neither an object nor a list"),
        ("null", "neither an object nor a list"),
        ("[]", "an empty list"),
        ("[5]", "not an object"),
        ("[[],5]", "2 of 2 elements of a list: number 1: not an object"),
        ("{}", "no object_type and no metric"),
        ("{\"metric\":\"sent\"}", "no object_type"),
        ("{\"object_type\":\"email\",\"metric\":null}", "no metric"),
        ("{\"object_type\":\"email\",\"metric\":[\"secret\"]}", "no metric"),
        ("{\"event_type\":\"secret\"}", "an event_type that is not <channel>_<metric>"),
        ("{\"events\":[]}", "an empty list"),
    ] {
        assert_eq!(read(body).unwrap_err().to_string(), want, "{body}");
    }
    let not_utf8 = read_with(b"{\"x\":\"\xff\xfe\"}", &Ignore::default(), false).unwrap_err();
    assert_eq!(not_utf8.to_string(), "not UTF-8 (byte 7)");
}

#[test]
fn a_deep_body_takes_no_stack() {
    let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(read(&deep(100_000)).is_err());
    let inside = bounced().to_string().replace("96", &deep(100_000));
    assert_eq!(read(&inside).unwrap().events[0].action, None);
    assert!(read(&"{\"events\":".repeat(100_000)).is_err());
}

#[test]
fn an_unknown_channel_or_metric_is_kept() {
    let event = one(&json!({"object_type": "Pigeon Post", "metric": "eaten", "data": {"failure_message": "by a cat"}}));
    assert_eq!(event.kind.to_string(), "pigeon-post_eaten");
    assert_eq!(event.failure.unwrap().sample.as_deref(), Some("by a cat"));
    assert_eq!(one(&json!({"object_type": "email", "metric": "paused"})).failure, None);
    assert_eq!(one(&with(bounced(), "/metric", json!("delivered"))).failure, None);
}

#[test]
fn a_push_keeps_its_text_with_its_devices() {
    let body = json!({"object_type": "push", "metric": "bounced", "data": {"recipients": [
        {"device_id": "tok-9", "failure_message": "NotRegistered tok-9"}, 7, {"failure_message": null},
        {"failure_message": "BadDeviceToken"}, {"failure_message": "BadDeviceToken"}]}});
    let failure = one(&body).failure.unwrap();
    assert_eq!(failure.sample.as_deref(), Some("BadDeviceToken; NotRegistered [id]"));
    assert_eq!(failure.cause.as_str(), "device_token_invalid");
    let reason = json!({"object_type": "email", "metric": "failed", "data": {"reason": "Liquid error: x"}});
    assert_eq!(one(&reason).failure.unwrap().cause.as_str(), "render_error");
}

#[test]
fn personal_data_leaves_only_when_the_configuration_says_so() {
    let queued = serde_json::to_string(&one(&bounced())).unwrap();
    for personal in ["ada@", "u_117", "0200000117", "d9c106000075", "dgSYNTH"] {
        assert!(!queued.contains(personal), "{personal}: {queued}");
    }
    let shown = read_with(bounced().to_string().as_bytes(), &Ignore::default(), true).unwrap();
    let (shown, hidden) = (shown.events[0].failure.clone().unwrap(), one(&bounced()).failure.unwrap());
    assert_eq!(shown.sample.as_deref(), Some("550 5.1.1 <ada@gmail.com> u_117 does not exist"));
    assert_eq!((shown.cause, shown.fingerprint), (hidden.cause, hidden.fingerprint));
    let long = with(bounced(), "/data/failure_message", json!("é ".repeat(1000)));
    assert_eq!(one(&long).failure.unwrap().sample.unwrap().chars().count(), SAMPLE_CHARS);
}

#[test]
fn whatever_the_workspace_identifies_people_by_is_masked() {
    let identifiers = json!({"email": "ada.lovelace@gmail.com", "phone": "+34 612 345 678", "anonymous_id": "anon-Q",
        "org": {"member": ["memb-7", 12345, {"deep": "deepest-1"}]}, "short": "abc", "flag": true});
    let text = "ada.lovelace 612 34 56 78 anon-q memb-7 12345 deepest-1 abc true";
    let body = with(with(bounced(), "/data/identifiers", identifiers), "/data/failure_message", json!(text));
    assert_eq!(one(&body).failure.unwrap().sample.unwrap(), "[id] [number] [id] [id] [id] [id] abc true");
    let deep = format!("{}\"memb-9\"{}", "[".repeat(1000), "]".repeat(1000));
    let body = with(bounced(), "/data/failure_message", json!("memb-9")).to_string();
    assert!(read(&body.replace("\"u_117\"", &deep)).is_ok());
    let many = with(bounced(), "/data/identifiers", json!(vec!["memb-9"; 10_000]));
    assert_eq!(one(&many).source.to_string(), "campaign:5");
}

#[test]
fn a_slack_channel_is_nobodys_name() {
    let body = json!({"object_type": "slack", "metric": "failed", "data": {"recipient": "#growth-alerts",
        "failure_message": "channel_not_found: #growth-alerts"}});
    let failure = one(&body).failure.unwrap();
    assert_eq!(failure.sample.as_deref(), Some("channel_not_found: #growth-alerts"));
    assert_eq!(failure.cause.as_str(), "slack_channel");
}

#[test]
fn an_address_is_nobodys_id() {
    let id = |id: &str| one(&with(bounced(), "/event_id", json!(id))).event_id.unwrap();
    assert_eq!(id("ada@gmail.com/5"), "_email__5");
    assert_eq!(id("ada%40gmail.com"), "_email_");
    assert_eq!(id("01KDVB6M2Q8Z4T0YB3W5R7N9PA"), "01KDVB6M2Q8Z4T0YB3W5R7N9PA");
}

#[test]
fn half_an_emoji_is_no_reason_to_lose_an_event() {
    let body = r#"{"object_type":"email","metric":"failed","data":{"failure_message":"cut \ud83d","campaign_id":5,"campaign_id":6}}"#;
    let event = read(body).unwrap().events.remove(0);
    assert_eq!(event.source.to_string(), "campaign:6");
    assert!(event.failure.unwrap().sample.unwrap().starts_with("cut \u{fffd}"));
}

proptest! {
    #[test]
    fn an_event_comes_out_of_the_queue_as_it_went_in(channel in ".{1,60}", metric in "[a-z_]{1,9}|.{1,60}", text in ".*") {
        let body = json!({"object_type": channel, "metric": metric, "timestamp": STAMP, "event_id": text,
            "data": {"failure_message": text, "campaign_id": channel, "action_id": text}});
        if let Ok(normalised) = read(&body.to_string()) {
            for event in normalised.events {
                let queued = serde_json::to_string(&event).unwrap();
                prop_assert!(queued.len() < 4096);
                prop_assert_eq!(serde_json::from_str::<Event>(&queued).unwrap(), event);
            }
        }
    }

    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_with(&body, &Ignore::default(), false);
    }

    #[test]
    fn a_cut_body_never_panics_and_never_counts(at in 0usize..600, flip in any::<u8>()) {
        let mut body = bounced().to_string().into_bytes();
        let at = at % body.len();
        prop_assert!(read_with(&body[..at], &Ignore::default(), false).is_err());
        body[at] = flip;
        let _ = read_with(&body, &Ignore::default(), false);
    }

    #[test]
    fn an_id_as_a_number_is_the_id_as_text(id in 1u64..) {
        let number = one(&with(bounced(), "/data/campaign_id", json!(id)));
        let text = one(&with(bounced(), "/data/campaign_id", json!(id.to_string())));
        prop_assert_eq!(number, text);
    }
}
