//! "Only Gmail refuses us" is in the first line, from real webhooks, when mail to others shows it; and only then.

use insta::assert_snapshot;

use crate::support::timeline::Timeline;
use crate::support::{Event, event, sent_email};

const TEXT: &str = "550 5.7.26 This mail has been blocked because the sender is unauthenticated.";

const BY_SOURCE: &str = r#"
[[rules]]
name = "bounces"
events = ["email_bounced"]
group_by = ["source"]
rate = { of = "email_sent", above = 0.05, within = "1h" }
severity = "critical"
"#;

fn to(event: Event, n: usize, domain: &str) -> Event {
    event.of("campaign:5").to(&format!("person{n}@{domain}"))
}

/// An hour in which so much went to each domain, and so many of the messages bounced.
async fn hour(mail: &[(&str, usize, usize)]) -> String {
    let t = Timeline::new("2026-11-23T06:00", BY_SOURCE).await;
    t.until("2026-11-23T06:10").await;
    for (domain, sent, _) in mail {
        for n in 0..*sent {
            t.event(to(sent_email(), n, domain)).await;
        }
    }
    t.until("2026-11-23T06:12").await;
    for (domain, _, bounced) in mail {
        for n in 0..*bounced {
            t.event(to(event("email", "bounced").message(TEXT), n, domain)).await;
        }
    }
    t.until("2026-11-23T06:20").await;
    t.said()
}

#[tokio::test]
async fn one_that_refuses_while_others_take_our_mail() {
    let said = hour(&[("gmail.com", 60, 24), ("outlook.com", 40, 0), ("example.test", 30, 1)]).await;
    assert_snapshot!(said);
}

#[tokio::test]
async fn none_when_others_refuse_as_much() {
    let said = hour(&[("gmail.com", 60, 24), ("outlook.com", 40, 16)]).await;
    assert!(!said.contains("only ") && said.contains("40 of 100 emails bounced since"), "{said}");
}

#[tokio::test]
async fn only_where_the_mail_went_when_nothing_went_to_others() {
    let said = hour(&[("gmail.com", 60, 24)]).await;
    assert!(said.contains("24 of 60 emails bounced, all to Gmail, since 07:12"), "{said}");
}
