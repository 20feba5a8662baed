//! Asks what a diagnosis needs, and only that: each chosen check names its questions. What cannot be asked is not known,
//! and the rest goes on; when Customer.io does not answer at all, nothing more is asked.
//!
//! [`crate::diagnose`] judges what comes back.

mod asking;
mod people;
pub mod samples;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

pub use asking::{Asking, Progress};

use crate::customerio::app_api::ask::{Named, Question, Records};
use crate::customerio::app_api::{campaign, message, person, senders, suppression};
use crate::diagnose::Check;
use crate::diagnose::facts::{Facts, Found, Known, Messages, NotKnown, Segments, Subject, Timeline};

/// How far back messages are looked at: as far as timelines reach. The App API allows six months.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Pages of one list, at most.
const PAGES: usize = 5;

/// Segments and senders that are asked for by name, at most.
const NAMED: usize = 5;

/// Asks all that these checks need about a person and a campaign, with at most `budget` questions.
pub async fn gather(
    records: &dyn Records,
    subject: Subject,
    checks: &[Check],
    budget: usize,
    now: Timestamp,
    progress: Progress<'_>,
) -> (Facts, Asking) {
    let mut asking = Asking::new(budget);
    let to = To { records, asking: &mut asking, progress };
    let facts = facts(to, subject, None, checks, now).await;
    (facts, asking)
}

/// The same for one message, by its delivery id: whom it was for and what sent it is in the answer. With
/// `[Check::Message]` alone that is one question, and one more for the names of a campaign's steps.
///
/// # Errors
/// Why nothing is known of the message.
pub async fn gather_delivery(
    records: &dyn Records,
    delivery_id: &str,
    checks: &[Check],
    budget: usize,
    now: Timestamp,
) -> (Known<Facts>, Asking) {
    let mut asking = Asking::new(budget);
    let mut to = To { records, asking: &mut asking, progress: &|_| {} };
    let known = match to.required(&Question::Message(delivery_id), message::delivery).await {
        Err(why) => Err(why),
        Ok(delivery) => {
            let name = Named::of(&delivery.person).map(|named| named.value).unwrap_or_default();
            let subject = Subject { person: name, campaign: delivery.campaign.clone().unwrap_or_default() };
            Ok(facts(to, subject, Some(delivery), checks, now).await)
        }
    };
    (known, asking)
}

/// Checks that look at the profile itself.
const OF_PROFILE: [Check; 6] =
    [Check::Profile, Check::Attributes, Check::Unsubscribed, Check::Devices, Check::Suppression, Check::Trigger];

/// `delivery`: the one message that all is about.
async fn facts(
    mut to: To<'_>,
    subject: Subject,
    delivery: Option<message::Delivery>,
    checks: &[Check],
    now: Timestamp,
) -> Facts {
    let progress = to.progress;
    let mut facts = Facts::of(subject.clone());
    let needs = |of: &[Check]| checks.iter().any(|check| of.contains(check));
    // Nothing but a campaign can be asked for its trigger and its steps.
    let of_campaign = !subject.campaign.is_empty();
    if of_campaign && needs(&[Check::Campaign, Check::Trigger, Check::Segments]) {
        progress("the campaign");
        facts.campaign = to.one(&Question::Campaign(&subject.campaign), campaign::detail).await;
    }
    let by_channel = [Check::Suppression, Check::OptOuts, Check::Devices, Check::Sender, Check::Attributes];
    if of_campaign && (needs(&by_channel) || needs(&[Check::Campaign, Check::Message])) {
        progress("the campaign's messages");
        facts.actions = to.actions(&subject.campaign).await;
    }
    let known = delivery.as_ref().and_then(|delivery| Named::of(&delivery.person));
    let name = match known.filter(|_| !needs(&OF_PROFILE)) {
        Some(known) => Some(known),
        None => {
            progress("the profile");
            let (found, name) = people::find(&mut to, &subject.person, delivery.as_ref()).await;
            facts.found = found;
            name
        }
    };
    let Some(of) = &name else { return without_person(facts, &mut to, needs(&[Check::Sender])).await };

    let event = facts.detail().and_then(|detail| detail.event_name.clone());
    if let (Some(event), true) = (&event, needs(&[Check::Trigger, Check::Profile])) {
        progress("the timeline");
        facts.timeline = to.timeline(of, event).await;
        if facts.timeline.as_ref().is_ok_and(|timeline| timeline.exact.is_empty()) {
            people::look_at_others(&mut to, &mut facts.found, event).await;
        }
    }
    let of_segments = facts.detail().map(|d| [d.trigger_segments.clone(), d.filter_segments.clone()].concat());
    if let (Some(wanted), true) = (of_segments.filter(|ids| !ids.is_empty()), needs(&[Check::Segments])) {
        progress("segments");
        facts.segments = to.segments(of, &wanted).await;
    }
    if let Some(delivery) = delivery {
        let since = delivery.created;
        facts.messages = Ok(Messages { of_campaign: vec![delivery], since, complete: true, ..Messages::default() });
    } else if needs(&[Check::Message, Check::Sender, Check::Trigger, Check::Segments]) {
        progress("messages to the person");
        facts.messages = to.messages(of, &subject.campaign, now).await;
    }
    if needs(&[Check::Suppression]) {
        progress("the suppression list");
        let email = facts
            .profile()
            .and_then(|profile| profile.identifiers.email.clone().or_else(|| profile.attributes.get("email").cloned()));
        facts.suppressions = match email.or_else(|| Some(subject.person.clone()).filter(|who| who.contains('@'))) {
            Some(email) => to.suppressions(&email).await,
            None => Err(NotKnown::because("The profile has no e-mail address to look up.")),
        };
    }
    if needs(&[Check::Preferences, Check::Unsubscribed]) {
        progress("preferences");
        facts.preferences = to.required(&Question::Preferences(of), person::preferences).await;
    }
    let texts = ["sms", "whatsapp"].iter().any(|channel| facts.sends(channel) != Some(false));
    if texts && needs(&[Check::OptOuts]) {
        progress("opt-outs");
        facts.opt_outs = to.required(&Question::OptOuts(of), person::opt_outs).await;
    }
    if needs(&[Check::Sender]) {
        progress("senders");
        facts.senders = to.senders(&facts).await;
    }
    facts
}

/// What is left to ask when nobody knows the person.
async fn without_person(mut facts: Facts, to: &mut To<'_>, senders: bool) -> Facts {
    let why = match &facts.found {
        Err(why) => NotKnown::because(why.why.clone()),
        Ok(_) => NotKnown::because("There is no profile to look at."),
    };
    facts.timeline = Err(why.clone());
    facts.segments = Err(why.clone());
    facts.messages = Err(why.clone());
    facts.suppressions = match facts.subject.person.contains('@') && facts.found.is_ok() {
        true => to.suppressions(&facts.subject.person.clone()).await,
        false => Err(why.clone()),
    };
    facts.preferences = Err(why.clone());
    facts.opt_outs = Err(why);
    if senders {
        facts.senders = to.senders(&facts).await;
    }
    facts
}

/// Who is asked, and how much is still allowed.
struct To<'a> {
    records: &'a dyn Records,
    asking: &'a mut Asking,
    progress: Progress<'a>,
}

impl To<'_> {
    /// One answer, read; `None` for a 404.
    async fn one<T>(&mut self, question: &Question<'_>, read: impl Fn(&str) -> Option<T>) -> Known<Option<T>> {
        let Some(body) = self.asking.ask(self.records, question).await? else { return Ok(None) };
        read(&body).map(Some).ok_or_else(|| asking::unreadable(question))
    }

    /// One answer, read; a 404 is not known.
    async fn required<T>(&mut self, question: &Question<'_>, read: impl Fn(&str) -> Option<T>) -> Known<T> {
        self.one(question, read).await?.ok_or_else(|| {
            NotKnown::because(format!("Customer.io answered 404 to {}: it knows nothing of this.", question.path()))
        })
    }

    async fn actions(&mut self, campaign: &str) -> Known<Vec<campaign::Action>> {
        let mut all = Vec::new();
        let mut start: Option<String> = None;
        for _ in 0..PAGES {
            let question = Question::Actions { campaign, start: start.as_deref() };
            let (page, next) = self.required(&question, campaign::actions).await?;
            all.extend(page);
            match next {
                Some(next) if start.as_ref() != Some(&next) => start = Some(next),
                _ => return Ok(all),
            }
        }
        Ok(all)
    }

    /// The trigger's events; where there are none, what else is there.
    async fn timeline(&mut self, of: &Named, event: &str) -> Known<Timeline> {
        let (named, complete) = self.events(of, Some(event)).await?;
        let mut exact: Vec<_> = named.iter().filter(|activity| activity.name == event).cloned().collect();
        // No order is promised.
        exact.sort_by_key(|activity| std::cmp::Reverse(activity.at));
        exact.dedup_by(|one, other| one.id == other.id && one.at == other.at);
        if !exact.is_empty() {
            return Ok(Timeline { exact, complete, ..Timeline::default() });
        }
        (self.progress)("other events on the timeline");
        let (all, complete) = self.events(of, None).await?;
        let mut others: BTreeMap<String, Timestamp> = BTreeMap::new();
        for activity in all.into_iter().filter(|activity| !activity.name.is_empty()) {
            let newest = others.entry(activity.name).or_insert(activity.at);
            *newest = (*newest).max(activity.at);
        }
        // A filter by name may have been ignored or broken: the whole timeline has the last word.
        let failed = self.required(&Question::FailedEvents { of }, message::activities).await;
        let failed = failed.map(|(page, _)| page).unwrap_or_default();
        let failed = failed.into_iter().filter(|activity| activity.kind == "failed_event").collect();
        Ok(Timeline { exact: Vec::new(), others, failed, complete })
    }

    /// Events of a timeline, and whether that is all of them.
    async fn events(&mut self, of: &Named, name: Option<&str>) -> Known<(Vec<message::Activity>, bool)> {
        let mut all = Vec::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut start: Option<String> = None;
        for _ in 0..PAGES {
            let question = Question::Events { of, name, start: start.as_deref() };
            let (page, next) = self.required(&question, message::activities).await?;
            all.extend(page.into_iter().filter(|activity| activity.kind != "failed_event"));
            match next {
                None => return Ok((all, true)),
                // A token that was there already leads in a circle.
                Some(next) if !seen.insert(next.clone()) => return Ok((all, false)),
                Some(next) => start = Some(next),
            }
        }
        Ok((all, false))
    }

    async fn segments(&mut self, of: &Named, wanted: &[String]) -> Known<Segments> {
        let member_of = self.required(&Question::Segments(of), person::segments).await?;
        let mut names = BTreeMap::new();
        for id in wanted.iter().take(NAMED) {
            // A name is a kindness: without it the number is said.
            if let Ok(Some(name)) = self.one(&Question::Segment(id), campaign::segment_name).await {
                names.insert(id.clone(), name);
            }
        }
        Ok(Segments { member_of, names })
    }

    async fn messages(&mut self, of: &Named, campaign: &str, now: Timestamp) -> Known<Messages> {
        let since = now - LOOK_BACK;
        let mut messages = Messages { since: Some(since), ..Messages::default() };
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut start: Option<String> = None;
        for _ in 0..PAGES {
            let (from, until) = (since.as_second(), now.as_second());
            let question = Question::Messages { of, since: from, until, start: start.as_deref() };
            let (page, next) = self.required(&question, message::deliveries).await?;
            for delivery in page.into_iter().filter(|delivery| seen.insert(format!("id {}", delivery.id))) {
                messages.in_all += 1;
                if delivery.campaign.as_deref() == Some(campaign) {
                    messages.of_campaign.push(delivery);
                }
            }
            match next {
                None => {
                    messages.complete = true;
                    break;
                }
                Some(next) if !seen.insert(format!("page {next}")) => break,
                Some(next) => start = Some(next),
            }
        }
        messages.of_campaign.sort_by_key(|delivery| std::cmp::Reverse(delivery.created));
        messages.in_all -= messages.of_campaign.len();
        Ok(messages)
    }

    async fn suppressions(&mut self, email: &str) -> Known<Vec<suppression::Suppression>> {
        let question = Question::Suppressions { email };
        self.one(&question, suppression::suppressions).await?.ok_or_else(|| NotKnown {
            why: "Customer.io has no suppression list for this address (404).".into(),
            advice: Some("With a mail provider of your own, its list counts: look there.".into()),
        })
    }

    async fn senders(&mut self, facts: &Facts) -> Known<BTreeMap<String, Option<senders::Sender>>> {
        let actions = facts.actions.as_ref().map_err(Clone::clone)?;
        let ids: BTreeSet<&String> = actions.iter().filter_map(|action| action.from_id.as_ref()).collect();
        let mut senders = BTreeMap::new();
        for id in ids.into_iter().take(NAMED) {
            senders.insert(id.clone(), self.one(&Question::Sender(id), senders::sender).await?);
        }
        Ok(senders)
    }
}

/// One profile, or none.
fn found(profile: Option<person::Profile>) -> Found {
    Found { profile, others: Vec::new() }
}
