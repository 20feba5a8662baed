//! Laws 5 and 6: an incident of a rule ends only when it was quiet for long enough in covered time, and a success was
//! seen since for everything that failed (or after a day).

use super::demand::{Failures, group_of};
use super::rates::{self, Sends};
use crate::clock::Minute;
use crate::customerio::event::Fate;
use crate::incident::{How, State, Subject};
use crate::sim::scenario::Scenario;
use crate::sim::traffic::What;
use crate::sim::truth::{Truth, Written, ends};
use crate::sim::world::{HOUR, MINUTE, SECOND};

/// Late from here on.
const LATE: i64 = 2 * MINUTE;
const CALM: i64 = 5 * MINUTE;

pub fn judge(scenario: &Scenario, truth: &Truth, wrong: &mut Vec<String>) {
    let (failures, sends) = (Failures::of(truth), Sends::of(truth));
    let mut ended: Vec<(&str, u32)> = Vec::new();
    for written in truth.writes.iter().filter(|w| ends(&w.incident)) {
        let incident = &written.incident;
        let id = (incident.key.0.as_str(), incident.episode);
        if ended.contains(&id) {
            continue;
        }
        ended.push(id);
        let (Subject::Rule { name, group }, State::Resolved { how, .. }) = (&incident.subject, incident.state) else {
            continue;
        };
        let rule = scenario.setups[written.epoch].rule(name);
        let Some(rule) = rule else {
            if how != How::RuleGone {
                wrong.push(format!("law 10: {} ended as {how:?} when its rule was gone", incident.id()));
            }
            continue;
        };
        let value = group.values().next().map_or("", String::as_str);
        let read = written.coverage_step.unwrap_or(0);
        let since = Minute::of(incident.since).0;
        let ours: Vec<_> = failures
            .0
            .iter()
            .filter(|f| {
                rule.events.contains(&f.kind.as_str())
                    && group_of(rule, f) == value
                    && f.minute >= since
                    && f.step < read
            })
            .collect();
        let Some(last) = ours.iter().map(|f| f.at_s).max() else {
            wrong.push(format!("law 5: {} ended and nothing of it was counted", incident.id()));
            continue;
        };
        let (began, until) = covered(scenario, truth, written, read);
        let trouble = match rule.rate {
            Some(rate) => rates::trouble_until(rule, rate, &ours, &sends, (value, written.step)),
            None => last * SECOND,
        };
        let quiet = until - began.max(trouble);
        let needed = match how {
            How::Expired => 24 * HOUR,
            _ => (30 * MINUTE).max(rule.within * MINUTE),
        };
        if quiet < needed {
            let quiet = quiet / MINUTE;
            wrong.push(format!("law 5: {} ended ({how:?}) after {quiet} covered minutes of quiet", incident.id()));
        }
        if how != How::Quiet {
            continue;
        }
        // What fails now and then after a rate's trouble is everyday.
        let told_of = incident.last.as_second();
        for failure in ours.iter().filter(|f| rule.rate.is_none() || f.at_s <= told_of) {
            let success = if failure.kind.ends_with("bounced") { "delivered" } else { "sent" };
            let fixed = truth.first.values().any(|first| {
                let series = &first.class.series;
                series.fate == Fate::Counted
                    && series.kind.metric == success
                    && failure.kind.starts_with(&*series.kind.channel)
                    && series.source.to_string() == failure.source
                    && first.class.at.as_second() > failure.at_s
                    && first.frozen < written.step
            });
            if !fixed {
                wrong.push(format!("law 6: {} ended without a success of {}", incident.id(), failure.source));
                break;
            }
        }
    }
}

/// From when and up to when we could speak for what arrived, as known when tick read it, in microseconds.
fn covered(scenario: &Scenario, truth: &Truth, written: &Written, read: u64) -> (i64, i64) {
    let heard: Vec<_> = truth
        .heard
        .iter()
        .filter(|(step, _)| *step < read)
        .map(|(_, copy)| &truth.copies[*copy])
        .filter(|copy| matches!(scenario.items[copy.item].what, What::Event(_)))
        .collect();
    let is_late = |copy: &&&crate::sim::truth::Copy| copy.arrived - copy.at >= LATE;
    let timely = heard.iter().filter(|c| !is_late(c) && !c.future).map(|c| c.at.min(c.arrived)).max();
    let began = heard.iter().map(|c| if is_late(&c) { c.arrived } else { c.at.min(c.arrived) }).min();
    let mut until = timely.unwrap_or(0);
    let mut late: Vec<_> = heard.iter().filter(is_late).collect();
    late.sort_by_key(|copy| std::cmp::Reverse(copy.arrived));
    // The run of late ones that goes on now.
    let mut before = written.at;
    for copy in late {
        if before - copy.arrived >= CALM {
            break;
        }
        before = copy.arrived;
        until = until.min(copy.at);
    }
    (began.unwrap_or(i64::MAX), until.div_euclid(MINUTE) * MINUTE)
}
