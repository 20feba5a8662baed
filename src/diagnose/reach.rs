//! May the person be sent something, and can it come through?

use super::facts::Facts;
use super::profile::no_profile;
use super::view::View;
use super::{Check, Step, Verdict};
use crate::customerio::cause::classify;
use crate::customerio::event::Kind;
use crate::customerio::mask::PLACEHOLDERS;
use crate::message::text;

/// Whether a reason on this channel is one here: only when the campaign uses it. Where its steps are not known it
/// may be.
fn weigh(facts: &Facts, channel: &str) -> Verdict {
    if facts.sends(channel) == Some(true) { Verdict::Cause } else { Verdict::Warning }
}

fn nobody(facts: &Facts) -> bool {
    facts.found.as_ref().is_ok_and(|found| found.profile.is_none())
}

/// The provider's list of addresses that get nothing.
pub fn suppression(facts: &Facts, view: &View) -> Step {
    let found = match &facts.suppressions {
        Ok(found) => found,
        Err(why) => return Step::not_known(Check::Suppression, why),
    };
    let Some(first) = found.first() else {
        return Step::ok(
            Check::Suppression,
            "The address is not on the suppression list of Customer.io's mail provider.",
        )
        .saying("With a mail provider of your own, its list counts: look there.");
    };
    let category = match first.category.as_deref() {
        Some("spam" | "spam_reports") => "after a spam complaint",
        Some("bounces") => "after a bounce",
        Some("blocks") => "after a block",
        Some("invalid_emails") => "as an invalid address",
        _ => "for a reason that is not named",
    };
    let since = first.since.map(|at| format!(", since {}", view.at(at))).unwrap_or_default();
    let say = format!(
        "The address is on the suppression list of the mail provider {category}{since}: every e-mail to it is dropped."
    );
    let step = Step::new(Check::Suppression, weigh(facts, "email"), say);
    let step = match &first.reason {
        Some(reason) => step.saying(format!("The provider says: {}", view.text(reason))),
        None => step,
    };
    step.advise(
        "See that the address is right. If it works again, take it off the list: Deliveries & drafts > \
         Suppressions, or DELETE /v1/esp/suppression/{type}/{email}.",
    )
    .advise("Leave it there after a spam complaint: the person does not want the mail.")
}

/// Unsubscribed from everything.
pub fn unsubscribed(facts: &Facts, _: &View) -> Step {
    if nobody(facts) {
        return no_profile(Check::Unsubscribed);
    }
    let of_preferences = facts.preferences.as_ref().is_ok_and(|chosen| chosen.unsubscribed);
    let is_unsubscribed = match (&facts.found, facts.profile()) {
        (Ok(_), Some(profile)) => profile.unsubscribed || of_preferences,
        (Err(why), _) => return Step::not_known(Check::Unsubscribed, why),
        (Ok(_), None) => return no_profile(Check::Unsubscribed),
    };
    if !is_unsubscribed {
        return Step::ok(Check::Unsubscribed, "The person is not unsubscribed.");
    }
    Step::cause(Check::Unsubscribed, "The person is unsubscribed from everything (attribute `unsubscribed` is true).")
        .saying(
            "Only messages that are set to send to unsubscribed people reach this person; whether this one \
             is, is not shown here.",
        )
        .advise(
            "Look whether the person did it, or an import or your backend set the attribute: the person's \
             Activity > attribute changes.",
        )
        .advise("Do not set it back without the person's word.")
}

/// Topics that the person does not want.
pub fn preferences(facts: &Facts, view: &View) -> Step {
    if nobody(facts) {
        return no_profile(Check::Preferences);
    }
    let chosen = match &facts.preferences {
        Ok(chosen) => chosen,
        Err(why) => return Step::not_known(Check::Preferences, why),
    };
    let out: Vec<String> =
        chosen.topics.iter().filter(|topic| !topic.subscribed).map(|topic| view.quoted(&topic.name)).collect();
    match (chosen.topics.len(), out.len()) {
        (0, _) => Step::ok(Check::Preferences, "The workspace has no subscription topics."),
        (1, 0) => Step::ok(Check::Preferences, "Subscribed to the only topic."),
        (n, 0) => Step::ok(Check::Preferences, format!("Subscribed to all {}.", text::count("topic", n as u64))),
        _ => Step::warning(Check::Preferences, format!("Not subscribed to {}.", out.join(", "))).advise(
            "If the campaign belongs to one of these topics, this is the reason: look at the message's \
                 Settings. The topic of a campaign is not shown here.",
        ),
    }
}

/// Senders of text messages that the person answered STOP to.
pub fn opt_outs(facts: &Facts, view: &View) -> Step {
    const CHANNELS: [&str; 2] = ["sms", "whatsapp"];
    if CHANNELS.iter().all(|channel| facts.sends(channel) == Some(false)) {
        return Step::ok(Check::OptOuts, "The campaign sends no SMS and no WhatsApp message.");
    }
    if nobody(facts) {
        return no_profile(Check::OptOuts);
    }
    let outs = match &facts.opt_outs {
        Ok(outs) => outs,
        Err(why) => return Step::not_known(Check::OptOuts, why),
    };
    if outs.is_empty() {
        return Step::ok(Check::OptOuts, "The person opted out of no sender.");
    }
    let senders = |channel: &str| -> Vec<&str> {
        let of_channel = facts.actions.iter().flatten().filter(|action| action.channel == channel);
        of_channel.filter_map(|action| action.from.as_deref()).collect()
    };
    let mut verdict = Verdict::Warning;
    let mut say = Vec::new();
    for out in outs {
        let from = out
            .from
            .as_deref()
            .map_or_else(String::new, |from| format!(" from {}", view.personal(from, PLACEHOLDERS[1])));
        let used = senders(&out.channel);
        let is_another =
            !used.is_empty() && out.from.as_deref().is_some_and(|from| !used.iter().any(|own| same(own, from)));
        let sends = facts.sends(&out.channel) == Some(true);
        if sends && !is_another {
            verdict = Verdict::Cause;
        }
        let which = if sends && is_another { "; the campaign sends from another" } else { "" };
        say.push(format!("Opted out of every {}{from}{which}.", super::message::channel(&out.channel)));
    }
    let step = Step { evidence: say, ..Step::new(Check::OptOuts, verdict, "") };
    step.advise(
        "The person answered STOP, or your backend opted them out: only the person may change it, by \
         START or in your app.",
    )
}

/// Senders are kept trimmed and in lower case. Source: the page `getOptouts`.
fn same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// Devices that a push can go to.
pub fn devices(facts: &Facts, view: &View) -> Step {
    if facts.sends("push") == Some(false) {
        return Step::ok(Check::Devices, "The campaign sends no push.");
    }
    let devices = match (&facts.found, facts.profile()) {
        (Err(why), _) => return Step::not_known(Check::Devices, why),
        (Ok(_), None) => return no_profile(Check::Devices),
        (Ok(_), Some(profile)) => &profile.devices,
    };
    let Some(devices) = devices else {
        return Step::new(Check::Devices, Verdict::NotKnown, "The answer says nothing of devices.");
    };
    if devices.is_empty() {
        return Step::new(Check::Devices, weigh(facts, "push"), "The person has no device: a push has nowhere to go.")
            .advise("Look whether the app registers its token for this person's identifier after the log-in.");
    }
    let dead = |status: &str| matches!(status, "bounced" | "suppressed");
    let mut say = Vec::new();
    let mut reached = 0;
    for device in devices {
        let platform = device.platform.as_deref().map_or_else(|| "device".to_owned(), |platform| view.name(platform));
        let token = match view.privacy.show_personal_data {
            true => format!(" ({})", device.token),
            false => String::new(),
        };
        let status = device.last_status.as_deref().filter(|status| dead(status));
        match (status, device.push_enabled) {
            (Some(status), _) => {
                say.push(format!("{platform}{token}: its token {status}; the app was removed or has a new token."))
            }
            (None, Some(false)) => {
                say.push(format!("{platform}{token}: notifications are switched off on the device."))
            }
            (None, _) => {
                reached += 1;
                say.push(format!("{platform}{token}: nothing wrong."));
            }
        }
    }
    let verdict = match reached {
        0 => weigh(facts, "push"),
        n if n < devices.len() => Verdict::Warning,
        _ => Verdict::Ok,
    };
    let step = Step { evidence: say, ..Step::new(Check::Devices, verdict, "") };
    match verdict {
        Verdict::Ok => step,
        _ => step
            .advise(
                "Have the person open the app: it registers a new token. After two bounces a token is \
             suppressed for good.",
            )
            .advise("Have the app register its token at every start."),
    }
}

/// The identity that the messages are from.
pub fn sender(facts: &Facts, view: &View) -> Step {
    let senders = match &facts.senders {
        Ok(senders) => senders,
        Err(why) => return Step::not_known(Check::Sender, why),
    };
    let refused = facts.deliveries().iter().find_map(|delivery| {
        let (state, _) = delivery.state()?;
        let key = classify(&Kind::new(&delivery.channel, state), delivery.failure.as_deref());
        (key.as_str() == "sender_rejected").then_some(delivery)
    });
    let gone: Vec<&str> = senders.iter().filter(|(_, sender)| sender.is_none()).map(|(id, _)| id.as_str()).collect();
    if !gone.is_empty() {
        return Step::cause(
            Check::Sender,
            format!("Messages of the campaign are from sender identity {}, which is gone.", gone.join(", ")),
        )
        .advise(
            "Choose another sender in the message, or make the identity again (Settings > Workspace \
                 settings > Email > From addresses).",
        );
    }
    if refused.is_some() {
        return Step::cause(Check::Sender, "The provider does not accept the sender (see Message).")
            .advise("Verify the sending domain or number at the provider.");
    }
    if senders.is_empty() {
        return Step::ok(Check::Sender, "No message of the campaign names a sender identity.");
    }
    let shown: Vec<String> = senders
        .iter()
        .filter_map(|(id, sender)| {
            let sender = sender.as_ref()?;
            let who = sender.email.as_deref().or(sender.phone.as_deref());
            let who = who.map(|who| format!(" ({})", view.text(who))).unwrap_or_default();
            let hidden = if sender.hidden { ", hidden in the app" } else { "" };
            Some(format!("{id}{who}{hidden}"))
        })
        .collect();
    Step::ok(Check::Sender, format!("Sender identity {} is there.", shown.join(", "))).saying(
        "Whether its domain is verified is not shown here (Settings > Workspace settings > Email > Sending domains).",
    )
}
