//! What people read, whole: one incident of each sort, told for each reason.

use std::fmt::Write as _;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::clock::Minute;
use crate::config::parse;
use crate::customerio::app_api::names::NameList;
use crate::customerio::cause::{self, CauseKey};
use crate::customerio::event::{Fate, Source, SourceKind};
use crate::customerio::provider::Provider;
use crate::incident::{How, IncidentKey, Severity};
use crate::route::Labels;
use crate::tally::Series;

const CONFIG: &str = r#"
[workspace]
name = "acme"
[customerio]
signing_keys = ["env:KEY"]
app_api_key = "env:APP_KEY"
[[sources]]
id = "campaign:5"
name = "Activation"
[[receivers]]
name = "screen"
type = "console"
[[routes]]
receivers = ["screen"]
[[rules]]
name = "bounces"
events = ["email_bounced", "email_failed"]
count = { at_least = 3, within = "10m" }
severity = "critical"
"#;

fn config() -> Config {
    parse::parse(CONFIG).config.expect("valid")
}

pub(super) fn t(clock: &str) -> Timestamp {
    format!("2026-11-24T{clock}:00Z").parse().expect("a time")
}

pub(super) fn incident(samples: &[&str]) -> Incident {
    let subject = Subject::Rule { name: "bounces".into(), group: Default::default() };
    Incident {
        key: IncidentKey::new("acme", &subject),
        episode: 1,
        version: 1,
        subject,
        severity: Severity::Critical,
        labels: Labels::new(),
        receivers: vec!["screen".into()],
        state: State::Open,
        opened_at: t("14:05"),
        since: t("14:02"),
        last: t("14:04"),
        found_late: false,
        numbers: Numbers { count: 3, of: 3 },
        samples: samples.iter().map(|s| (*s).to_owned()).collect(),
        lines: Vec::new(),
        acts: vec![],
        diagnosis: None,
        crowded: false,
        settled: false,
    }
}

/// Failures of campaign 5 with this text at this provider's address.
pub(super) fn failing(metric: &'static str, text: &str, domain: &str, count: u64) -> Total {
    of_source("5", metric, Some(text), domain, count)
}

pub(super) fn sent(domain: &str, count: u64) -> Total {
    of_source("5", "sent", None, domain, count)
}

pub(super) fn of_source(id: &str, metric: &'static str, text: Option<&str>, domain: &str, count: u64) -> Total {
    let kind = Kind::known("email", metric);
    let series = Series {
        cause: text.map(|text| cause::classify(&kind, Some(text))),
        fingerprint: text.map_or(0, cause::fingerprint),
        kind,
        source: Source::new(SourceKind::Campaign, id),
        action: None,
        provider: Provider::of_address(&format!("a@{domain}")),
        fate: Fate::Counted,
    };
    Total { series: Arc::new(series), count, first_minute: Minute::of(t("14:02")), last: t("14:04") }
}

pub(super) fn facts(failing: Vec<Total>, others: Vec<Total>) -> Facts {
    Facts { sends_heard: !others.is_empty(), failing, others, ..Facts::default() }
}

/// The headline, and the fields that are not there every time.
fn told(incident: &Incident, phase: Phase, facts: &Facts, now: &str) -> String {
    let message = message(incident, phase, facts, &config(), t(now));
    let mut said = message.headline;
    let usual = ["Where", "Since", "Cause", "Meaning", "Rule", "In Customer.io"];
    for field in message.fields.iter().filter(|f| !usual.contains(&f.name)) {
        let _ = write!(said, "\n  {}: {}", field.name, field.value);
    }
    said
}

pub(super) const AUTH: &str = "550 5.7.26 This mail has been blocked because the sender is unauthenticated";

#[test]
fn one_provider_alone_is_said_first_in_every_message_about_it() {
    let facts = facts(
        vec![failing("bounced", AUTH, "gmail.com", 41), failing("bounced", AUTH, "example.test", 1)],
        vec![sent("gmail.com", 200), sent("outlook.com", 300), sent("example.test", 510)],
    );
    let open = incident(&[]);
    insta::assert_snapshot!(told(&open, Phase::Opened, &facts, "14:05"), @"
    Activation (campaign 5): only Gmail refuses us: 41 of 200 emails to it bounced since 14:02 (mail not authenticated)
      How many: 42 of 1,010 (4.2 %)
      Mailbox providers: Gmail 41 of 200 (20.5 %), others 1 of 810 (0.1 %)
    ");
    insta::assert_snapshot!(told(&open, Phase::StillOpen, &facts, "18:05"), @"
    Activation (campaign 5): only Gmail refuses us: 41 of 200 emails to it bounced since 14:02, open for 4 h, 39 more than when it opened (mail not authenticated)
      How many: 42 of 1,010 (4.2 %)
      Mailbox providers: Gmail 41 of 200 (20.5 %), others 1 of 810 (0.1 %)
      Open for: 4 h, 39 more than when it opened
    ");
    insta::assert_snapshot!(told(&open, Phase::Updated, &facts, "14:30"), @"
    Activation (campaign 5): only Gmail refuses us: 41 of 200 emails to it bounced since 14:02 (mail not authenticated)
      How many: 42 of 1,010 (4.2 %)
      Mailbox providers: Gmail 41 of 200 (20.5 %), others 1 of 810 (0.1 %)
      Open for: 25 min, 39 more than when it opened
    ");
    let over = Incident {
        state: State::Resolved { at: t("15:00"), how: How::Quiet },
        numbers: Numbers { count: 42, of: 1010 },
        ..open
    };
    insta::assert_snapshot!(told(&over, Phase::Resolved, &facts, "15:00"), @"
    Activation (campaign 5): only Gmail refused us: 41 of 200 emails to it bounced since 14:02, last 14:04 (mail not authenticated)
      How many: 42 of 1,010 (4.2 %)
      Mailbox providers: Gmail 41 of 200 (20.5 %), others 1 of 810 (0.1 %)
    ");
}

#[test]
fn where_others_cannot_be_compared_it_says_where_the_mail_went_and_no_more() {
    let all = vec![failing("bounced", AUTH, "gmail.com", 41)];
    let most = [all.clone(), vec![failing("bounced", AUTH, "example.test", 2)]].concat();
    let spread = vec![failing("bounced", AUTH, "gmail.com", 20), failing("bounced", AUTH, "yahoo.com", 30)];
    let nameless = vec![failing("bounced", AUTH, "example.test", 41)];
    let sends = || vec![sent("gmail.com", 200), sent("yahoo.com", 90)];
    let opened = |facts| told(&incident(&[]), Phase::Opened, &facts, "14:05");
    insta::assert_snapshot!(opened(facts(all.clone(), vec![])), @"
    Activation (campaign 5): 41 emails bounced, all to Gmail, since 14:02 (mail not authenticated)
      How many: 41; of how many is not known
      Mailbox providers: Gmail 41
    ");
    insta::assert_snapshot!(opened(facts(all, vec![sent("gmail.com", 200)])), @"
    Activation (campaign 5): 41 of 200 emails bounced, all to Gmail, since 14:02 (mail not authenticated)
      How many: 41 of 200 (20.5 %)
      Mailbox providers: Gmail 41 of 200 (20.5 %)
    ");
    insta::assert_snapshot!(opened(facts(most, vec![])), @"
    Activation (campaign 5): 43 emails bounced, 41 of them to Gmail, since 14:02 (mail not authenticated)
      How many: 43; of how many is not known
      Mailbox providers: Gmail 41, others 2
    ");
    insta::assert_snapshot!(opened(facts(spread, sends())), @"
    Activation (campaign 5): 50 of 290 emails bounced since 14:02 (mail not authenticated)
      How many: 50 of 290 (17.2 %)
      Mailbox providers: Yahoo 30 of 90 (33.3 %), Gmail 20 of 200 (10.0 %)
    ");
    insta::assert_snapshot!(opened(facts(nameless, sends())), @"
    Activation (campaign 5): 41 of 290 emails bounced since 14:02 (mail not authenticated)
      How many: 41 of 290 (14.1 %)
    ");
}

#[test]
fn what_no_provider_decides_is_blamed_on_none_without_a_comparison() {
    let refused = "provider: 421 too many connections";
    let opened = |failing, others| told(&incident(&[]), Phase::Opened, &facts(failing, others), "14:05");
    insta::assert_snapshot!(opened(vec![failing("failed", refused, "gmail.com", 41)], vec![]), @"
    Activation (campaign 5): 41 emails failed since 14:02 (sending too fast)
      How many: 41; of how many is not known
      Mailbox providers: Gmail 41
    ");
    let sends = || vec![sent("gmail.com", 100), sent("yahoo.com", 90)];
    insta::assert_snapshot!(opened(vec![failing("failed", refused, "gmail.com", 41)], sends()), @"
    Activation (campaign 5): only mail to Gmail is affected: 41 of 141 emails to it failed since 14:02 (sending too fast)
      How many: 41 of 231 (17.7 %)
      Mailbox providers: Gmail 41 of 141 (29.1 %), others 0 of 90 (0 %)
    ");
    // Our template: not even the comparison means anything.
    let liquid = "Variable 'customer.name' is missing";
    insta::assert_snapshot!(opened(vec![failing("failed", liquid, "gmail.com", 41)], sends()), @"
    Activation (campaign 5): 41 of 231 emails failed since 14:02 (message does not render)
      How many: 41 of 231 (17.7 %)
    ");
}

#[test]
fn the_missing_variable_is_named_when_all_samples_name_the_same() {
    let liquid = "Variable 'customer.name' is missing";
    let facts = facts(vec![failing("failed", liquid, "gmail.com", 4)], vec![]);
    let opened = |samples: &[&str]| told(&incident(samples), Phase::Opened, &facts, "14:05");
    insta::assert_snapshot!(opened(&[liquid, "variable: Variable 'customer.name' is missing in line 3"]), @"
    Activation (campaign 5): 4 emails failed since 14:02 (message does not render: customer.name is missing)
      How many: 4; of how many is not known
      Variable: customer.name
    ");
    insta::assert_snapshot!(
        opened(&[liquid, "Variable 'event.plan' is missing", "Variable 'customer.city' is missing"]),
        @"
    Activation (campaign 5): 4 emails failed since 14:02 (message does not render)
      How many: 4; of how many is not known
      Variable: customer.name, event.plan, customer.city
    "
    );
    insta::assert_snapshot!(opened(&[liquid, "liquid: syntax error"]), @"
    Activation (campaign 5): 4 emails failed since 14:02 (message does not render)
      How many: 4; of how many is not known
      Variable: customer.name
    ");
    insta::assert_snapshot!(opened(&["Variable '[email]' is missing", "Variable '' is missing"]), @"
    Activation (campaign 5): 4 emails failed since 14:02 (message does not render)
      How many: 4; of how many is not known
    ");
    // Another cause: the samples may be of another failure.
    let bounced = Facts { failing: vec![failing("bounced", AUTH, "gmail.com", 4)], ..Facts::default() };
    assert!(!told(&incident(&[liquid]), Phase::Opened, &bounced, "14:05").contains("customer.name"));
}

#[test]
fn an_unknown_cause_says_whether_it_is_one_fault_or_many() {
    let failed = |text, count| failing("failed", text, "", count);
    let opened = |failing| told(&incident(&[]), Phase::Opened, &facts(failing, vec![]), "14:05");
    insta::assert_snapshot!(
        opened(vec![failed("a strange thing", 30), failed("another one", 10), failed("a third one 17", 1)]),
        @"
    Activation (campaign 5): 41 emails failed since 14:02 (reason not known)
      How many: 41; of how many is not known
      Texts: 3 different; the most frequent came 30 of 41 times
    "
    );
    insta::assert_snapshot!(opened(vec![failed("line 1 is odd", 30), failed("line 2 is odd", 11)]), @"
    Activation (campaign 5): 41 emails failed since 14:02 (reason not known)
      How many: 41; of how many is not known
      Texts: all the same, 41 times
    ");
    assert!(!opened(vec![failing("failed", "Variable 'x' is missing", "", 3)]).contains("Texts"));
}

#[test]
fn what_was_found_late_says_when_it_was_and_not_that_it_goes_on() {
    let facts = facts(vec![failing("bounced", AUTH, "example.test", 3)], vec![]);
    let late = Incident { found_late: true, opened_at: t("17:30"), ..incident(&[]) };
    insta::assert_snapshot!(told(&late, Phase::Opened, &facts, "17:30"), @"
    Found late: Activation (campaign 5): 3 emails bounced from 14:02 to 14:04 (mail not authenticated)
      How many: 3; of how many is not known
      Found late: it happened from 14:02 to 14:04; we knew at 17:30 UTC, 3 h later
    ");
    let over = Incident { state: State::Resolved { at: t("17:40"), how: How::Quiet }, ..late.clone() };
    insta::assert_snapshot!(told(&over, Phase::OpenedAndResolved, &facts, "17:40"), @"
    Activation (campaign 5): 3 emails bounced since 14:02, last 14:04 (mail not authenticated)
      How many: 3; of how many is not known
      Found late: it happened from 14:02 to 14:04; we knew at 17:30 UTC, 3 h later
    ");
    // It goes on after all.
    let mut still = facts.clone();
    still.failing.push(Total { last: t("18:01"), ..failing("bounced", AUTH, "gmail.com", 2) });
    insta::assert_snapshot!(told(&late, Phase::StillOpen, &still, "21:30"), @"
    Found late: Activation (campaign 5): 5 emails bounced since 14:02, open for 4 h, 2 more than when it opened (mail not authenticated)
      How many: 5; of how many is not known
      Mailbox providers: Gmail 2, others 3
      Open for: 4 h, 2 more than when it opened
      Found late: it began at 14:02; we knew at 17:30 UTC
    ");
}

#[test]
fn what_is_still_open_says_for_how_long_and_how_much_it_grew() {
    let open = incident(&[]);
    let grown = facts(vec![failing("bounced", AUTH, "example.test", 1_212)], vec![sent("example.test", 4_000)]);
    insta::assert_snapshot!(told(&open, Phase::StillOpen, &grown, "18:05"), @"
    Activation (campaign 5): 1,212 of 4,000 emails bounced since 14:02, open for 4 h, 1,209 more than when it opened (mail not authenticated)
      How many: 1,212 of 4,000 (30.3 %)
      Open for: 4 h, 1,209 more than when it opened
    ");
    let same = facts(vec![failing("bounced", AUTH, "example.test", 3)], vec![]);
    insta::assert_snapshot!(told(&open, Phase::StillOpen, &same, "18:05"), @"
    Activation (campaign 5): 3 emails bounced since 14:02, open for 4 h (mail not authenticated)
      How many: 3; of how many is not known
      Open for: 4 h
    ");
    // Its registers have expired: what is known is said.
    insta::assert_snapshot!(told(&open, Phase::StillOpen, &Facts::default(), "18:05"), @"
    no source in the event: 3 messages in trouble since 14:02, open for 4 h
      How many: 3; of how many is not known
      Open for: 4 h
    ");
    insta::assert_snapshot!(told(&open, Phase::Worsened, &grown, "14:25"), @"
    Activation (campaign 5): 1,212 of 4,000 emails bounced since 14:02 (mail not authenticated)
      How many: 1,212 of 4,000 (30.3 %)
      Open for: 20 min, 1,209 more than when it opened
    ");
    let silent = Incident { subject: Subject::Blindness, ..open };
    insta::assert_snapshot!(told(&silent, Phase::StillOpen, &Facts::default(), "18:05"), @"
    Nothing has arrived since 14:02: everything stopped, or we no longer hear
      Means: No workflow can be judged meanwhile, and no incident resolves.
      Open for: 4 h
    ");
}

#[test]
fn long_names_leave_room_for_the_numbers() {
    let long = |id: &str| (id.to_owned(), format!("Campaign {id} {}", "with a name that never ends ".repeat(4)));
    let names = Names::of([(
        SourceKind::Campaign,
        NameList { fetched_at: t("08:00"), names: ["5", "7", "8"].map(long).into() },
    )]);
    let failing = ["7", "8"].map(|id| of_source(id, "bounced", Some(AUTH), "gmail.com", 41)).to_vec();
    let facts = Facts { names: Arc::new(names), failing, ..Facts::default() };
    insta::assert_snapshot!(told(&incident(&[]), Phase::StillOpen, &facts, "18:05"), @"
    Campaign 7 with a name that never e… (campaign 7) and Campaign 8 with a name that never e… (campaign 8): 82 emails bounced, all to Gmail, since 14:02, open for 4 h, 79 more than when it opened (mail not authenticated)
      How many: 82; of how many is not known
      Mailbox providers: Gmail 82
      Open for: 4 h, 79 more than when it opened
    ");
}

proptest! {
    #[test]
    fn any_headline_is_short_and_says_how_many(
        names in proptest::collection::vec("\\PC{0,140}", 3),
        counts in proptest::collection::vec(1u64..5_000, 3),
        sends in 0u64..9_000,
        samples in proptest::collection::vec("(Variable ')?\\PC{0,90}(' is missing)?", 0..3),
        phase in prop_oneof![Just(Phase::Opened), Just(Phase::StillOpen), Just(Phase::Updated), Just(Phase::Resolved)],
        late in any::<bool>(),
        after in 0i64..100_000,
    ) {
        let ids = ["7", "8", "9"];
        let list = ids.iter().zip(&names).map(|(id, name)| ((*id).to_owned(), name.clone())).collect();
        let list = NameList::renewed(None, list, Default::default(), t("08:00"));
        let at = ["gmail.com", "yahoo.com", "example.test"];
        let failing: Vec<Total> = ids.iter().zip(&counts).zip(at)
            .map(|((id, count), at)| of_source(id, "failed", Some("Variable 'x' is missing"), at, *count))
            .collect();
        let others = at.iter().filter(|_| sends > 0).map(|at| sent(at, sends)).collect();
        let facts = Facts { names: Arc::new(Names::of([(SourceKind::Campaign, list)])), ..facts(failing, others) };
        let samples: Vec<&str> = samples.iter().map(String::as_str).collect();
        let mut incident = Incident { found_late: late, ..incident(&samples) };
        if phase.is_over() {
            incident.state = State::Resolved { at: t("15:00"), how: How::Quiet };
        }
        let now = t("15:00") + SignedDuration::from_mins(after);
        let message = message(&incident, phase, &facts, &config(), now);
        prop_assert!(message.headline.chars().count() <= HEADLINE_CHARS, "{}", message.headline);
        prop_assert!(!message.headline.contains(char::is_control), "{:?}", message.headline);
        let total = text::number(counts.iter().sum());
        let says = message.headline.contains(&total) || message.headline.contains("only ");
        prop_assert!(says, "{} is not said: {}", total, message.headline);
        prop_assert_eq!(message.about.count, counts.iter().sum::<u64>());
        prop_assert_eq!(message.about.cause.as_deref(), Some("render_error"));
    }
}

#[test]
fn a_cause_of_another_version_is_unknown_and_hurts_nobody() {
    let stored = Labels::from([(Label::Cause, vec!["no_such_cause".to_owned()])]);
    let said = told(&Incident { labels: stored, ..incident(&[]) }, Phase::Opened, &Facts::default(), "14:05");
    assert!(said.contains(CauseKey::UNKNOWN.row().title), "{said}");
}
