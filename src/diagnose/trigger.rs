//! Is the campaign live, did its trigger come, and is the person in its segments?

use jiff::{SignedDuration, Timestamp};

use super::facts::{Facts, Segments, Timeline};
use super::near::{Differs, differs};
use super::profile::no_profile;
use super::view::View;
use super::{Check, Step, Verdict};
use crate::customerio::app_api::campaign::Detail;
use crate::customerio::app_api::message::{Activity, made_at};
use crate::message::text;

/// Events whose time stamp lies further back than this when they arrive start no campaign. Source:
/// <https://docs.customer.io/journeys/importing-old-data>.
const BACK_DATED: SignedDuration = SignedDuration::from_hours(72);

/// What is this much ahead of us has a wrong time stamp: milliseconds for seconds, or a clock that is off.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// How far back a timeline reaches for certain, in words. Source: the page `getPersonActivities`.
const REACHES: &str = "a timeline reaches back 30 days for certain";

/// Names that are listed, at most.
const NAMED: usize = 5;

/// The campaign as far as a step needs it, or the step that says why there is none.
fn detail(facts: &Facts, check: Check) -> Result<&Detail, Step> {
    match &facts.campaign {
        Err(why) => Err(Step::not_known(check, why)),
        Ok(None) => Err(Step::new(check, Verdict::NotKnown, "There is no campaign to look at.")),
        Ok(Some(detail)) => Ok(detail),
    }
}

/// Runs.
pub fn campaign(facts: &Facts, view: &View) -> Step {
    let number = &facts.subject.campaign;
    if facts.campaign == Ok(None) {
        return Step::cause(Check::Campaign, format!("There is no campaign {number} in this workspace."))
            .advise(
                "Take the number from the campaign's address in Customer.io, and see that key and region are \
                 this workspace's.",
            )
            .advise(
                "Broadcasts, newsletters and transactional messages have numbers of their own and are no \
                 campaigns.",
            );
    }
    let detail = match detail(facts, Check::Campaign) {
        Ok(detail) => detail,
        Err(step) => return step,
    };
    let state = match detail.state.as_deref() {
        None => {
            return Step::new(Check::Campaign, Verdict::NotKnown, "The answer does not say whether the campaign runs.")
                .advise("Open the campaign in Customer.io: its state stands beside its name.");
        }
        Some("running") => "The campaign runs".to_owned(),
        Some("draft") => {
            return Step::cause(Check::Campaign, "The campaign is a draft: it was never started.")
                .advise("Start it in Customer.io. Events that came before do not start it.");
        }
        Some(state) => {
            let updated = detail.updated.map(|at| format!(" It was last changed {}.", view.at(at))).unwrap_or_default();
            return Step::cause(Check::Campaign, format!("The campaign is {state}, not running.{updated}"))
                .advise("Ask who stopped it, and start it again. Events that came meanwhile do not start it.");
        }
    };
    let since = detail.first_started.map(|at| format!(", first started {}", view.at(at))).unwrap_or_default();
    let step = Step::ok(Check::Campaign, format!("{state}{since}."));
    let held: Vec<String> = facts
        .actions
        .iter()
        .flatten()
        .filter_map(|action| {
            let state = action.sending.as_deref().filter(|state| matches!(*state, "draft" | "off"))?;
            let name = action.name.as_deref().map_or_else(|| format!("step {}", action.id), |name| view.quoted(name));
            Some(match state {
                "draft" => format!("{name} makes drafts: they wait until somebody sends them."),
                _ => format!("{name} is off: it sends nothing."),
            })
        })
        .collect();
    match held.is_empty() {
        true => step,
        false => held.into_iter().fold(Step { verdict: Verdict::Warning, ..step }, Step::saying).advise(
            "Set the message to send automatically (the campaign > Workflow > the message > Sending behavior).",
        ),
    }
}

/// Came, under exactly that name, in time.
pub fn event(facts: &Facts, view: &View) -> Step {
    let detail = match detail(facts, Check::Trigger) {
        Ok(detail) => detail,
        Err(step) => return step,
    };
    let Some(name) = &detail.event_name else {
        return Step::ok(
            Check::Trigger,
            match detail.trigger_segments.is_empty() {
                true => {
                    "No event starts this campaign: it has another trigger (a date, a form, an attribute, a \
                         relationship)."
                }
                false => "No event starts this campaign: a segment does.",
            },
        );
    };
    if facts.found.as_ref().is_ok_and(|found| found.profile.is_none()) {
        return no_profile(Check::Trigger);
    }
    let timeline = match &facts.timeline {
        Ok(timeline) => timeline,
        Err(why) => return Step::not_known(Check::Trigger, why),
    };
    match timeline.exact.first() {
        Some(newest) => came(newest, timeline, detail, name, facts, view),
        None => missing(timeline, name, view),
    }
}

fn came(newest: &Activity, timeline: &Timeline, detail: &Detail, name: &str, facts: &Facts, view: &View) -> Step {
    let times = match timeline.exact.len() {
        1 => "once".to_owned(),
        n => format!("{n} times"),
    };
    let say = format!("{} came {times}, last with the time {}.", view.quoted(name), view.at(newest.at));
    let got_message = !facts.deliveries().is_empty();
    let arrived = made_at(&newest.id).filter(|at| *at > newest.at && *at <= view.now + AHEAD);
    let late = arrived.map(|at| at.duration_since(newest.at)).filter(|late| *late > BACK_DATED);
    if let (Some(late), false) = (late, got_message) {
        return Step::cause(Check::Trigger, say)
            .saying(format!(
                "It was sent {} after the time it bears: events back-dated by more than 72 h start no \
                 campaign.",
                text::duration(late)
            ))
            .advise(
                "Send events as they happen; what waited in a queue longer than that must be sent with the \
                 current time, or the person be put in by hand.",
            );
    }
    if newest.at > view.now + AHEAD {
        return Step::warning(Check::Trigger, say)
            .saying(format!("Its time lies {} ahead.", text::duration(newest.at.duration_since(view.now))))
            .advise("Send Unix seconds, not milliseconds, and look at the sender's clock.");
    }
    if let Some(started) = detail.first_started.filter(|started| newest.at < *started && !got_message) {
        return Step::cause(Check::Trigger, say)
            .saying(format!("The campaign was first started {}, after the event.", view.at(started)))
            .advise("Send the event again, or put the person in by hand: a campaign does not look back.");
    }
    let old = view.now.duration_since(newest.at) > BACK_DATED;
    if old && !got_message && arrived.is_none() {
        return Step::warning(Check::Trigger, say)
            .saying("If it was sent more than 72 h after that time, it started nothing.")
            .advise("Compare the time of the event with the time that your backend sent it.");
    }
    Step::ok(Check::Trigger, say)
}

fn missing(timeline: &Timeline, name: &str, view: &View) -> Step {
    let wanted = view.quoted(name);
    if !timeline.complete {
        let why = format!("{wanted} is not among what was read of the timeline, which is longer.");
        return Step::new(Check::Trigger, Verdict::NotKnown, why)
            .advise("Look at the person's Activity in Customer.io, filtered by this event.");
    }
    let step = Step::cause(Check::Trigger, format!("{wanted} is not on the person's timeline ({REACHES})."));
    if let Some(failed) =
        timeline.failed.iter().find(|failed| failed.name == name || differs(&failed.name, name).is_some())
    {
        return step
            .saying(format!("Customer.io took {} and refused it {}.", view.quoted(&failed.name), view.at(failed.at)))
            .advise(
                "Open the failed event in the person's Activity: it says why. Names longer than 100 bytes and \
                 data over 100,000 bytes are refused.",
            );
    }
    let mut near: Vec<(Differs, &String, &Timestamp)> =
        timeline.others.iter().filter_map(|(other, at)| Some((differs(other, name)?, other, at))).collect();
    near.sort();
    if !near.is_empty() {
        let step = near.iter().take(NAMED).fold(step, |step, (how, other, at)| {
            step.saying(format!("{} came {}: it differs {}.", view.quoted(other), view.at(**at), how.how()))
        });
        return step.advise(format!(
            "Send exactly {wanted}, or change the campaign's trigger: names are compared to the letter."
        ));
    }
    let step = match timeline.others.len() {
        0 => step.saying("No event of any name is there."),
        _ => {
            let newest: Vec<String> = timeline.others.keys().take(NAMED).map(|name| view.quoted(name)).collect();
            step.saying(format!("Other events are: {}.", newest.join(", ")))
        }
    };
    step.advise("Look whether your backend sent it, for this person's identifier, to this workspace and region.")
        .advise("An answer 200 is no proof: events for another identifier make or find another profile.")
}

/// In those that start it; in which of those that filter it.
pub fn segments(facts: &Facts, view: &View) -> Step {
    let detail = match detail(facts, Check::Segments) {
        Ok(detail) => detail,
        Err(step) => return step,
    };
    if detail.trigger_segments.is_empty() && detail.filter_segments.is_empty() {
        return Step::ok(Check::Segments, "Neither trigger nor filter of the campaign names a segment.");
    }
    if facts.found.as_ref().is_ok_and(|found| found.profile.is_none()) {
        return no_profile(Check::Segments);
    }
    let segments = match &facts.segments {
        Ok(segments) => segments,
        Err(why) => return Step::not_known(Check::Segments, why),
    };
    let (within, without) = split(&detail.trigger_segments, segments);
    let (passes, fails) = split(&detail.filter_segments, segments);
    let list = |ids: &[&String]| ids.iter().map(|id| shown(id, segments, view)).collect::<Vec<_>>().join(", ");
    let got_message = !facts.deliveries().is_empty();
    let mut step = if within.is_empty() && !without.is_empty() {
        let say = format!("The person is in none of the segments that start the campaign: {}.", list(&without));
        match got_message {
            // Who has left the segment since may have been in it.
            true => Step::warning(Check::Segments, say),
            false => Step::cause(Check::Segments, say),
        }
        .advise("Open the segment and compare its conditions with the person's attributes and events.")
        .advise("A segment that is still being built has nobody in it yet.")
    } else if !without.is_empty() {
        Step::warning(Check::Segments, format!("In {}, not in {} (trigger).", list(&within), list(&without)))
            .advise("If the trigger wants all of them, this is the reason: look at Trigger & filters.")
    } else if !within.is_empty() {
        Step::ok(Check::Segments, format!("In {} (trigger).", list(&within)))
    } else {
        Step::ok(Check::Segments, "No segment starts the campaign.")
    };
    if !passes.is_empty() {
        step = step.saying(format!("In {} (filter).", list(&passes)));
    }
    if !fails.is_empty() {
        step = step.saying(format!("Not in {} (filter).", list(&fails)));
        if step.verdict == Verdict::Ok && !got_message {
            step.verdict = Verdict::Warning;
            step = step.advise(
                "A filter may want people in a segment or out of it, which is not shown here: look \
                 at Trigger & filters.",
            );
        }
    }
    step
}

fn split<'d>(wanted: &'d [String], segments: &Segments) -> (Vec<&'d String>, Vec<&'d String>) {
    wanted.iter().partition(|id| segments.member_of.contains(id))
}

fn shown(id: &str, segments: &Segments, view: &View) -> String {
    match segments.names.get(id) {
        Some(name) => format!("{} (segment {id})", view.quoted(name)),
        None => format!("segment {id}"),
    }
}
