//! A digest speaks of a day that may not be over for the sender: what comes late corrects it, once.

use crate::support::sent_email;
use crate::support::timeline::{Timeline, at};

#[tokio::test]
async fn late_events_correct_an_earlier_day_once_and_a_fine_day_says_so_in_its_first_line() {
    let config = r#"
rules = []
[digest]
at = "08:00"
receivers = ["audit"]
[[heartbeats]]
name = "Every day"
source = "campaign:5"
event = "email_sent"
at_least = 1
"#;
    let t = Timeline::new("2026-11-21T22:50", config).await;
    for day in ["22", "23", "24", "25"] {
        t.until(&format!("2026-11-{day}T12:00")).await;
        t.event(sent_email().of("campaign:5")).await;
        if day == "24" {
            for _ in 0..3 {
                t.late(sent_email().of("campaign:5").at(at("2026-11-22T12:00"))).await;
            }
        }
    }
    t.until("2026-11-26T07:01").await;
    let said = t.said();
    let digests: Vec<&str> = said.split("audit digest: ").skip(1).collect();
    let of =
        |date: &str| digests.iter().find(|text| text.contains(&format!("on {date}: "))).copied().unwrap_or_default();
    assert!(
        of("Mon 23 Nov").starts_with("acme on Mon 23 Nov: all is well: 1 workflow as usual, 1,441 messages sent"),
        "{said}"
    );
    assert!(of("Mon 23 Nov").contains("Every day, "), "complete where there is room: {said}");
    assert!(of("Tue 24 Nov").contains("Correction for Sun 22 Nov: Every day 4 (1 told)"), "{said}");
    assert!(!of("Tue 24 Nov").contains("all is well"), "{said}");
    assert_eq!(said.matches("Correction for").count(), 1, "{said}");
}
