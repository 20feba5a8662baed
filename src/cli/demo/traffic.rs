//! The demo's day: what a small SaaS sends, and four things that go wrong. Made up, and the same every time.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// From midnight to the next day's digest.
const MINUTES: i64 = 33 * 60;

/// What people are told as the day goes on: local minute of the day and text.
const REMARKS: &[(i64, &str)] = &[
    (10 * 60 + 30, "10:30  a deploy renames an attribute: every password reset fails to render"),
    (10 * 60 + 50, "10:50  the template is repaired"),
    (13 * 60, "13:00  a mailbox provider blocks us: a third of the trial reminders bounce"),
    (13 * 60 + 40, "13:40  the block is lifted"),
    (9 * 60, "09:00  somebody edits a filter: Activation stops firing. Nothing fails, nobody notices"),
    (19 * 60 + 30, "19:30  the filter is repaired; the people who were left out enter"),
];

/// Makes the bodies of each minute's webhooks.
pub(super) struct Traffic {
    midnight: Timestamp,
    minute: i64,
    events: u64,
    dice: u64,
    /// Deliveries and bounces on their way: minute due, body.
    later: VecDeque<(i64, String)>,
}

impl Traffic {
    pub fn new(midnight: Timestamp) -> Self {
        Self { midnight, minute: -1, events: 0, dice: 0x5eed, later: VecDeque::new() }
    }

    /// The next minute and its webhooks; `None` when the demo is over.
    pub fn next_minute(&mut self) -> Option<(Timestamp, Vec<String>)> {
        self.minute += 1;
        if self.minute >= MINUTES {
            return None;
        }
        let mut bodies = Vec::new();
        while self.later.front().is_some_and(|(due, _)| *due <= self.minute) {
            bodies.extend(self.later.pop_front().map(|(_, body)| body));
        }
        self.password_resets(&mut bodies);
        self.trial_reminders(&mut bodies);
        self.activation(&mut bodies);
        Some((self.midnight + SignedDuration::from_mins(self.minute), bodies))
    }

    /// What happens in this minute, if anything does.
    pub fn remark(&self) -> Option<&'static str> {
        REMARKS.iter().find(|(minute, _)| *minute == self.minute).map(|(_, text)| *text)
    }

    fn password_resets(&mut self, bodies: &mut Vec<String>) {
        if !self.roll(60) {
            return;
        }
        let data = json!({ "transactional_message_id": 2, "subject": "Reset your password" });
        if (630..650).contains(&self.minute) {
            let why = json!({ "failure_message": "Variable 'customer.reset_url' is missing" });
            bodies.push(self.event("failed", data, why));
        } else {
            bodies.push(self.event("sent", data.clone(), json!({})));
            self.after(1, "delivered", data, json!({}));
        }
    }

    fn trial_reminders(&mut self, bodies: &mut Vec<String>) {
        for _ in 0..3 {
            let data = json!({ "campaign_id": 7, "action_id": 41, "subject": "Your trial ends soon" });
            bodies.push(self.event("sent", data.clone(), json!({})));
            if (780..820).contains(&self.minute) && self.roll(33) {
                let why = json!({ "failure_message": "550 5.7.1 Message rejected: our sending IP is on a blocklist" });
                self.after(2, "bounced", data, why);
            } else {
                self.after(2, "delivered", data, json!({}));
            }
        }
    }

    fn activation(&mut self, bodies: &mut Vec<String>) {
        let running = !(540..1170).contains(&self.minute);
        let catching_up = (1170..1185).contains(&self.minute);
        let times = if catching_up { 3 } else { u64::from(running && self.minute % 15 == 7) };
        for _ in 0..times {
            let data = json!({ "campaign_id": 5, "action_id": 96, "subject": "Welcome" });
            bodies.push(self.event("sent", data.clone(), json!({})));
            self.after(1, "delivered", data, json!({}));
        }
    }

    fn after(&mut self, minutes: i64, metric: &str, data: Value, more: Value) {
        let due = self.minute + minutes;
        let body = self.event_at(due, metric, data, more);
        let place = self.later.partition_point(|(at, _)| *at <= due);
        self.later.insert(place, (due, body));
    }

    fn event(&mut self, metric: &str, data: Value, more: Value) -> String {
        self.event_at(self.minute, metric, data, more)
    }

    fn event_at(&mut self, minute: i64, metric: &str, mut data: Value, more: Value) -> String {
        self.events += 1;
        let n = self.events;
        let at = self.midnight + SignedDuration::from_mins(minute) + SignedDuration::from_secs(20);
        let common = json!({
            "delivery_id": format!("dgDEMO{n:08}-_aaaaBBBBccccDDDD="),
            "identifiers": { "id": format!("u_{n}"), "email": format!("person{n}@example.test") },
            "recipient": format!("person{n}@example.test"),
        });
        for part in [common, more] {
            if let (Some(data), Value::Object(part)) = (data.as_object_mut(), part) {
                data.extend(part);
            }
        }
        json!({
            "event_id": format!("01DEMO{n:020}"),
            "object_type": "email",
            "metric": metric,
            "timestamp": at.as_second(),
            "data": data,
        })
        .to_string()
    }

    /// True in `percent` of the throws; the same throws every time (a linear congruential generator, Knuth's MMIX).
    fn roll(&mut self, percent: u64) -> bool {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % 100 < percent
    }
}
