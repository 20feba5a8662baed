//! What became of the campaign's messages to the person, and why: by our own cause table.

use super::facts::Facts;
use super::profile::no_profile;
use super::view::View;
use super::{Check, Step, Verdict};
use crate::customerio::app_api::message::Delivery;
use crate::customerio::cause::{classify, missing_variable};
use crate::customerio::event::Kind;
use crate::message::text;

/// One state, judged.
struct Judged<'d> {
    delivery: &'d Delivery,
    step: Step,
}

/// The newest message of each step of the workflow; the worst of them is the verdict.
pub fn message(facts: &Facts, view: &View) -> Step {
    if facts.found.as_ref().is_ok_and(|found| found.profile.is_none()) {
        return no_profile(Check::Message);
    }
    let messages = match &facts.messages {
        Ok(messages) => messages,
        Err(why) => return Step::not_known(Check::Message, why),
    };
    let newest = newest_of_each(&messages.of_campaign);
    if newest.is_empty() {
        return none(facts, messages.in_all, messages.complete, view);
    }
    let judged: Vec<Judged<'_>> =
        newest.iter().map(|delivery| Judged { delivery, step: of_delivery(facts, delivery, view) }).collect();
    let worst = |judged: &&Judged<'_>| match judged.step.verdict {
        Verdict::Cause => 0,
        Verdict::Warning => 1,
        Verdict::NotKnown => 2,
        Verdict::Ok => 3,
    };
    let Some(first) = judged.iter().min_by_key(worst) else { return none(facts, 0, true, view) };
    let mut step = first.step.clone();
    for other in judged.iter().filter(|other| other.delivery.id != first.delivery.id) {
        step.evidence.extend(other.step.evidence.first().cloned());
    }
    step
}

/// The newest message of each step; `of` is newest first.
fn newest_of_each(of: &[Delivery]) -> Vec<&Delivery> {
    let mut newest: Vec<&Delivery> = Vec::new();
    for delivery in of {
        if !newest.iter().any(|known| known.action == delivery.action && known.channel == delivery.channel) {
            newest.push(delivery);
        }
    }
    newest
}

fn none(facts: &Facts, in_all: usize, complete: bool, view: &View) -> Step {
    let since = facts.messages.as_ref().ok().and_then(|messages| messages.since);
    let span = since.map_or_else(|| "lately".to_owned(), |since| format!("since {}", view.at(since)));
    if !complete {
        return Step::new(
            Check::Message,
            Verdict::NotKnown,
            "None of the campaign's messages is among those that were read, and there are more.",
        )
        .advise("Look at the person's Sent messages in Customer.io.");
    }
    let others = match in_all {
        0 => "nor of any other".to_owned(),
        n => format!("{} of others", text::count("message", n as u64)),
    };
    Step::warning(Check::Message, format!("The campaign made no message for this person {span} ({others}).")).advise(
        "If no step above says why, the person has not come to the first message, or was kept out by \
             something that is not shown here (below).",
    )
}

/// What one message's state says.
fn of_delivery(facts: &Facts, delivery: &Delivery, view: &View) -> Step {
    let action = delivery.action.as_deref();
    let name = facts.actions.iter().flatten().find(|known| Some(known.id.as_str()) == action);
    let channel = channel(&delivery.channel);
    let what = match (name.and_then(|action| action.name.as_deref()), action) {
        (Some(name), _) => format!("The {channel} {}", view.quoted(name)),
        (None, Some(id)) => format!("The {channel} of step {id}"),
        (None, None) => format!("The {channel}"),
    };
    let id = match view.privacy.show_personal_data {
        true => format!(" (delivery {})", delivery.id),
        false => String::new(),
    };
    let Some((state, at)) = delivery.state() else {
        return Step::new(Check::Message, Verdict::NotKnown, format!("{what}{id} was made; its state is not told."));
    };
    let when = view.at(at);
    match state {
        "sent" | "delivered" => {
            let more =
                if state == "sent" && delivery.channel == "email" { "; no delivery is confirmed yet" } else { "" };
            Step::ok(Check::Message, format!("{what}{id} was {state} {when}{more}."))
        }
        "created" => Step::warning(Check::Message, format!("{what}{id} was made {when} and is not sent yet."))
            .advise("Wait a few minutes and ask again; a time window may hold it."),
        "drafted" => {
            Step::cause(Check::Message, format!("{what}{id} waits as a draft since {when}: nobody has sent it."))
                .advise(
                    "Send it under Deliveries & drafts, or set the message to send automatically (Sending behavior).",
                )
        }
        "attempted" | "deferred" => {
            let say = format!("{what}{id} could not be handed over {when}; it is tried again.");
            failed(Step::warning(Check::Message, say), state, delivery, view)
        }
        "spammed" => failed(
            Step::cause(Check::Message, format!("The person reported {}{id} as spam {when}.", what.to_lowercase())),
            state,
            delivery,
            view,
        ),
        state => {
            let verb = match state {
                "undeliverable" => "was stopped before sending",
                "dropped" => "was not sent: the recipient is suppressed",
                "bounced" => "bounced",
                _ => "failed",
            };
            failed(Step::cause(Check::Message, format!("{what}{id} {verb} {when}.")), state, delivery, view)
        }
    }
}

/// The cause that the text tells, and the variable that it names.
fn failed(step: Step, state: &str, delivery: &Delivery, view: &View) -> Step {
    let key = classify(&Kind::new(&delivery.channel, state), delivery.failure.as_deref());
    let row = key.row();
    let mut step = Step { cause: Some(row.key), ..step }.saying(format!("{} ({}).", capital(row.title), row.key));
    if let Some(text) = &delivery.failure {
        step = step.saying(format!("Customer.io says: {}", view.text(text)));
    }
    let variable = delivery.failure.as_deref().filter(|_| row.key == "render_error").and_then(missing_variable);
    if let Some(variable) = variable {
        step = step.advise(format!(
            "Give {variable} a value for this person, or a default in the message: {{{{ \
             {variable} | default: \"...\" }}}}."
        ));
        step.variable = Some(variable.to_owned());
    }
    row.check_first.iter().fold(step, |step, advice| step.advise(*advice))
}

/// A channel in words.
pub fn channel(name: &str) -> &str {
    match name {
        "email" => "e-mail",
        "sms" => "SMS",
        "in_app" => "in-app message",
        "slack" => "Slack message",
        "whatsapp" => "WhatsApp message",
        "" => "message",
        other => other,
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
