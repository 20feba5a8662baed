//! What some failed messages of one incident have in common, in one sentence for its alert. Says what the alert does not
//! know by itself: that all of them fail alike, where they come from, and what was done to the campaign before.

use jiff::{SignedDuration, Timestamp};

use super::facts::Facts;
use super::view::View;
use crate::customerio::app_api::message::Delivery;
use crate::customerio::cause::{CauseKey, classify, missing_variable};
use crate::customerio::cause_table::Fault;
use crate::customerio::event::Kind;
use crate::heartbeat::why::RUNNING;
use crate::incident::diagnosis::DIAGNOSIS_CHARS;
use crate::message::text;

/// An edit this long before the first failure may be its reason.
const EDITED_BEFORE: SignedDuration = SignedDuration::from_hours(24);

/// What the incident itself knows.
#[derive(Clone, Debug)]
pub struct Counted {
    /// Failures by now.
    pub count: u64,
    /// All of them say the same, ids and numbers aside.
    pub one_text: bool,
    pub since: Timestamp,
    /// Its failure texts, masked.
    pub samples: Vec<String>,
}

/// The sentence; `None` when there is nothing to say. `facts` is about the messages looked at and their campaign, if
/// they have one in common; `suppressed`: how many of their addresses are on the suppression list, where that was asked.
pub fn in_common(facts: &Facts, suppressed: Option<usize>, counted: &Counted, view: &View) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let looked_at = facts.deliveries();
    parts.extend(alike(looked_at, counted, view));
    parts.extend(step(facts, view));
    if let Some(suppressed) = suppressed.filter(|n| *n > 0) {
        let of = looked_at.len();
        parts.push(format!("{suppressed} of {} looked at on the suppression list", text::count("address", of as u64)));
    }
    parts.extend(sender(facts));
    parts.extend(campaign(facts, looked_at, counted, view));
    let mut sentence = String::new();
    for part in parts {
        let longer = if sentence.is_empty() { capital(&part) } else { format!("{sentence}; {part}") };
        // A part is said wholly or not at all.
        if longer.chars().count() < DIAGNOSIS_CHARS {
            sentence = longer;
        }
    }
    (!sentence.is_empty()).then(|| format!("{sentence}."))
}

/// In what all of them are alike.
fn alike(looked_at: &[Delivery], counted: &Counted, view: &View) -> Option<String> {
    let states: Vec<&str> = looked_at.iter().filter_map(|delivery| Some(delivery.state()?.0)).collect();
    if !states.is_empty() && states.iter().all(|state| matches!(*state, "sent" | "delivered")) {
        let who = match states.len() {
            1 => "the one message looked at was".to_owned(),
            n => format!("all {n} messages looked at were"),
        };
        return Some(format!("{who} sent in the end"));
    }
    let since = view.clock(counted.since);
    let of_all = counted.one_text && counted.count > 1;
    let who = match (of_all, looked_at.len()) {
        (true, _) => format!("all {} failures", text::number(counted.count)),
        (false, n @ 2..) => format!("all {n} failures looked at"),
        (false, _) => "the failure looked at".to_owned(),
    };
    let mut texts: Vec<&str> = looked_at.iter().filter_map(|delivery| delivery.failure.as_deref()).collect();
    if texts.is_empty() && of_all {
        texts.extend(counted.samples.iter().map(String::as_str));
    }
    if let Some(variable) = the_one(texts.iter().map(|text| missing_variable(text))) {
        return Some(format!("{who}: variable {} is missing since {since}", view.text(variable)));
    }
    let causes = looked_at.iter().map(|delivery| Some(cause(delivery)).filter(|cause| *cause != CauseKey::UNKNOWN));
    match the_one(causes) {
        Some(cause) => Some(format!("{who}: {} since {since}", cause.row().title)),
        None if of_all => Some(format!("{who} since {since} say the same")),
        None => None,
    }
}

fn cause(delivery: &Delivery) -> CauseKey {
    let state = delivery.state().map_or("failed", |(state, _)| state);
    classify(&Kind::new(&delivery.channel, state), delivery.failure.as_deref())
}

/// What all are, if they are all the same and known.
fn the_one<T: PartialEq>(mut all: impl Iterator<Item = Option<T>>) -> Option<T> {
    let first = all.next()??;
    all.all(|other| other.as_ref() == Some(&first)).then_some(first)
}

/// The step that all of them come from, where the workflow has others.
fn step(facts: &Facts, view: &View) -> Option<String> {
    let actions = facts.actions.as_ref().ok().filter(|actions| actions.len() > 1)?;
    let looked_at = facts.deliveries();
    let id = the_one(looked_at.iter().map(|delivery| delivery.action.as_deref()))?;
    let name = actions.iter().find(|action| action.id == id)?.name.as_deref()?;
    let all = if looked_at.len() > 1 { "all from" } else { "from" };
    Some(format!("{all} step {}", view.quoted(name)))
}

fn sender(facts: &Facts) -> Option<String> {
    let senders = facts.senders.as_ref().ok()?;
    let gone = senders.iter().find(|(_, sender)| sender.is_none()).map(|(id, _)| id)?;
    Some(format!("their sender identity {gone} is gone"))
}

/// Whether the campaign runs, and when it was edited.
fn campaign(facts: &Facts, looked_at: &[Delivery], counted: &Counted, view: &View) -> Vec<String> {
    let Ok(known) = &facts.campaign else { return Vec::new() };
    let Some(detail) = known else { return vec!["the campaign is not there any more".to_owned()] };
    let mut say = Vec::new();
    if let Some(state) = detail.state.as_deref().filter(|state| *state != RUNNING) {
        say.push(format!("the campaign is {state}"));
    }
    let Some(edited) = detail.updated else { return say };
    let before = counted.since.duration_since(edited);
    let at = view.clock(edited);
    if edited > counted.since {
        say.push(format!("the campaign was edited at {at}, after they began"));
    } else if before <= EDITED_BEFORE {
        say.push(format!("the campaign was edited at {at}, {} before", text::duration(before)));
    } else if looked_at.iter().any(|delivery| cause(delivery).row().fault == Fault::Template) {
        // Then it is the data that changed.
        say.push(format!("the campaign was not edited since {at}"));
    }
    say
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::tz::TimeZone;

    use super::*;
    use crate::config::schema::Privacy;
    use crate::customerio::app_api::campaign::{Action, Detail};
    use crate::customerio::app_api::person::Identifiers;
    use crate::diagnose::facts::{Messages, Subject};
    use crate::store::testing::t;

    fn failed(id: &str, failure: &str) -> Delivery {
        Delivery {
            id: id.into(),
            channel: "email".into(),
            person: Identifiers { email: Some("ada@example.test".into()), ..Identifiers::default() },
            campaign: Some("5".into()),
            action: Some("96".into()),
            failure: Some(failure.into()),
            reached: BTreeMap::from([("failed".to_owned(), t("13:02"))]),
            ..Delivery::default()
        }
    }

    fn facts(deliveries: Vec<Delivery>, detail: Option<Detail>) -> Facts {
        let action = |id: &str, name: &str| Action { id: id.into(), name: Some(name.into()), ..Action::default() };
        Facts {
            campaign: Ok(detail),
            actions: Ok(vec![action("96", "Welcome, ada@example.test"), action("97", "Later")]),
            messages: Ok(Messages { of_campaign: deliveries, complete: true, ..Messages::default() }),
            ..Facts::of(Subject { person: String::new(), campaign: "5".into() })
        }
    }

    fn running(updated: &str) -> Option<Detail> {
        Some(Detail { state: Some("running".into()), updated: updated.parse().ok(), ..Detail::default() })
    }

    fn said(facts: &Facts, suppressed: Option<usize>, one_text: bool) -> String {
        let counted = Counted { count: 37, one_text, since: t("13:02"), samples: vec![] };
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let view = View::of(facts, Privacy::default(), &zone, t("13:10"));
        in_common(facts, suppressed, &counted, &view).unwrap_or_default()
    }

    #[test]
    fn it_says_what_all_have_in_common_and_nothing_else() {
        const MISSING: &str = "Variable 'event.courseName' is missing";
        let missing = |id| failed(id, MISSING);
        let three = || vec![missing("a"), missing("b"), missing("c")];
        let none = || Some(Detail::default());
        let sent = Delivery { reached: BTreeMap::from([("sent".to_owned(), t("13:05"))]), ..missing("a") };
        let odd = vec![failed("a", "Variable 'event.one' is missing"), failed("b", "550 5.1.1 user unknown")];
        for (facts, suppressed, one_text, want) in [
            (
                facts(three(), running("2026-11-24T12:58:00Z")),
                None,
                true,
                "All 37 failures: variable event.courseName is missing since 14:02; all from step \"Welcome, [email]\"; \
                 the campaign was edited at 13:58, 4 min before.",
            ),
            (
                facts(three(), running("2026-11-24T13:05:00Z")),
                None,
                false,
                "All 3 failures looked at: variable event.courseName is missing since 14:02; all from step \
                 \"Welcome, [email]\"; the campaign was edited at 14:05, after they began.",
            ),
            (
                facts(vec![missing("a")], running("2026-11-20T12:58:00Z")),
                None,
                false,
                "The failure looked at: variable event.courseName is missing since 14:02; from step \"Welcome, [email]\"; \
                 the campaign was not edited since Fri 20 Nov 13:58.",
            ),
            (
                facts(vec![], None),
                None,
                true,
                "All 37 failures since 14:02 say the same; the campaign is not there any more.",
            ),
            (facts(vec![], none()), None, false, ""),
            (
                facts(vec![sent], none()),
                None,
                true,
                "The one message looked at was sent in the end; from step \"Welcome, [email]\".",
            ),
            (
                facts(odd, Some(Detail { state: Some("stopped".into()), ..Detail::default() })),
                Some(2),
                false,
                "All from step \"Welcome, [email]\"; 2 of 2 addresses looked at on the suppression list; the campaign is \
                 stopped.",
            ),
        ] {
            assert_eq!(said(&facts, suppressed, one_text), want);
        }
    }

    #[test]
    fn nothing_personal_is_in_it_and_it_is_short() {
        let long = "Variable 'event.".to_owned() + &"very_long_name_".repeat(4) + "' is missing";
        let personal = failed("dgABCDEFGH", "550 5.1.1 ada@example.test dgABCDEFGH +4915112345678 user unknown");
        for deliveries in [vec![failed("a", &long)], vec![personal.clone(), personal]] {
            let said = said(&facts(deliveries, running("2026-11-24T12:58:00Z")), Some(1), true);
            assert!(!said.contains("ada") && !said.contains("dgABC") && !said.contains("4915"), "{said}");
            assert!(!said.is_empty() && said.chars().count() <= DIAGNOSIS_CHARS, "{said}");
        }
    }
}
