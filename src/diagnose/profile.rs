//! Is the person there, and does the profile hold what a message needs?

use super::facts::Facts;
use super::view::View;
use super::{Check, Step};
use crate::customerio::mask;
use crate::message::text;

/// Attributes that are named, at most: the rest is a number.
const NAMED: usize = 12;

/// Exists; once.
pub fn profile(facts: &Facts, view: &View) -> Step {
    let found = match &facts.found {
        Ok(found) => found,
        Err(why) => return Step::not_known(Check::Profile, why),
    };
    let by_address = facts.subject.person.contains('@');
    let Some(profile) = &found.profile else {
        let what = if by_address { "No profile has this address." } else { "There is no profile with this id." };
        let step = Step::cause(Check::Profile, what).advise(
            "Compare the identifier that your backend sends with the one asked for: letter by letter, and \
                 in this workspace and region.",
        );
        let step = match by_address {
            true => step.advise(
                "If your backend identifies people by id, ask with --person ID: the profile may \
                 have no e-mail address, or another.",
            ),
            false => step.advise("If people are identified by address, ask with --person ADDRESS."),
        };
        return step.advise(
            "A person who was suppressed and deleted in Customer.io reads as one that never was: \
             everything sent for the id is ignored until it is unsuppressed (Settings > Workspace settings > \
             Suppressed people).",
        );
    };
    let mut known = Vec::new();
    for (what, value, placeholder) in [
        ("id", &profile.identifiers.id, "[id]"),
        ("address", &profile.identifiers.email, mask::PLACEHOLDERS[0]),
        ("cio_id", &profile.identifiers.cio_id, "[id]"),
    ] {
        known.push(
            value
                .as_ref()
                .map_or(format!("no {what}"), |value| format!("{what} {}", view.personal(value, placeholder))),
        );
    }
    let there = format!("There is a profile: {}.", known.join(", "));
    if found.others.is_empty() {
        return Step::ok(Check::Profile, there);
    }
    let several = found.others.len() + 1;
    let elsewhere: Vec<_> = found.others.iter().filter(|(_, came)| *came == Ok(true)).collect();
    let missed = facts.timeline.as_ref().is_ok_and(|timeline| timeline.exact.is_empty());
    let say =
        format!("{} have this address; the steps below look at one of them.", text::count("profile", several as u64));
    let step = match elsewhere.first() {
        Some((person, _)) if missed => {
            let id = person.id.as_deref().or(person.cio_id.as_deref()).unwrap_or_default();
            Step::cause(Check::Profile, say).saying(format!(
                "The trigger event is on the timeline of another one (id {}), not of this one.",
                view.personal(id, "[id]")
            ))
        }
        _ => Step::warning(Check::Profile, say),
    };
    let step = step.saying(there);
    let step = found.others.iter().fold(step, |step, (person, _)| {
        let id = person.id.as_deref().or(person.cio_id.as_deref()).unwrap_or_default();
        step.saying(format!("Another: id {}.", view.personal(id, "[id]")))
    });
    step.advise(
        "Diagnose each of them by its own id: events and attributes may go to one, and the message be \
         expected at another.",
    )
    .advise("Merge them (People > the person > Merge), and send one identifier for each person.")
}

/// What recipients are made of, and what templates miss.
pub fn attributes(facts: &Facts, view: &View) -> Step {
    let profile = match &facts.found {
        Err(why) => return Step::not_known(Check::Attributes, why),
        Ok(found) => match &found.profile {
            Some(profile) => profile,
            None => return no_profile(Check::Attributes),
        },
    };
    let has =
        |name: &str| profile.attributes.contains_key(name) || name == "email" && profile.identifiers.email.is_some();
    let mut missing: Vec<String> = Vec::new();
    for action in facts.actions.iter().flatten() {
        let wanted = action.recipient.as_deref().and_then(customer_attribute);
        if let Some(name) = wanted.filter(|name| !has(name))
            && !missing.iter().any(|known| known == name)
        {
            missing.push(name.to_owned());
        }
    }
    if let Some(first) = missing.first() {
        let names: Vec<String> = missing.iter().map(|name| view.quoted(name)).collect();
        return Step::cause(
            Check::Attributes,
            format!("Messages of the campaign go to {}, and the profile has no such attribute.", names.join(", ")),
        )
        .advise(format!(
            "Send the attribute \"{}\" with the profile, or correct the message's recipient.",
            view.name(first)
        ));
    }
    let names: Vec<String> = profile.attributes.keys().take(NAMED).map(|name| view.name(name)).collect();
    let count = profile.attributes.len();
    let more = if count > NAMED { format!(", and {} more", count - NAMED) } else { String::new() };
    match count {
        0 => Step::warning(Check::Attributes, "The profile has no attributes.").advise(
            "A message that asks for one (`{{customer.first_name}}`) does not render: send attributes \
                 with the profile.",
        ),
        _ => Step::ok(
            Check::Attributes,
            format!("{}: {}{more}.", text::count("attribute", count as u64), names.join(", ")),
        )
        .saying("Whether values pass the filters of the campaign is not shown here."),
    }
}

/// A step that only makes sense for a profile.
pub fn no_profile(check: Check) -> Step {
    Step::new(check, super::Verdict::NotKnown, "There is no profile to look at.")
}

/// The attribute that a recipient is made of: `email` of `{{customer.email}}`. Anything that is more than that is none.
fn customer_attribute(recipient: &str) -> Option<&str> {
    let inner = recipient.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
    let name = inner.strip_prefix("customer.")?;
    (!name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')).then_some(name)
}
