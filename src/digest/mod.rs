//! The digest's words: the daily summary, and the proof that the bridge is alive. Pure; `steps/digest.rs` reads the
//! day and sends it, as an incident, so that each receiver gets it once, through crashes.

pub mod corrections;
pub mod sparkline;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::canary;
use crate::clock::{Minute, Span, minutes};
use crate::config::Config;
use crate::customerio::app_api::names::Names;
use crate::customerio::cause_table;
use crate::customerio::event::{Fate, Source};
use crate::customerio::metric::{self, Class};
use crate::heartbeat::settle::Settling;
use crate::heartbeat::{Expect, Heartbeat, Judged, Verdict, history};
use crate::incident::{How, Incident, Numbers, State, Subject};
use crate::message::providers::{self, ByProvider};
use crate::message::{text, words};
use crate::reconcile::day::Compared;
use crate::reconcile::ghost::Ghost;
use crate::route::Label;
use crate::tally::Total;
use crate::tally::coverage::Coverage;
use crate::tally::lag;

/// All that a digest is made of.
pub struct Day {
    pub date: Date,
    /// The local day before `date`.
    pub from: Timestamp,
    pub to: Timestamp,
    pub totals: Vec<Total>,
    /// What failures are compared with: the totals of earlier days, and what those are called.
    pub earlier: Vec<(&'static str, Vec<Total>)>,
    /// By what is counted: the last [`sparkline::DAYS`] days of heartbeats.
    pub history: BTreeMap<String, Vec<history::Day>>,
    pub verdicts: Vec<Judged>,
    /// Names of the heartbeats of whose runs some have ids that hold no time: what they counted is approximate.
    pub approximate: BTreeSet<String>,
    /// Opened or resolved within the day or since, or still open.
    pub incidents: Vec<Incident>,
    /// By incident id: what became of messages that were not delivered.
    pub untold: Vec<(String, String)>,
    /// What silences kept from receivers, a line a silence.
    pub silenced: Vec<String>,
    pub quarantined: usize,
    /// Requests of the sender's that no signing key of ours matched, at least.
    pub key_failures: u64,
    /// Who outside hears that we live; `None` without one.
    pub deadman: Option<Deadman>,
    pub coverage: Coverage,
    /// The canary's round trips, where there is one.
    pub canary: Option<canary::day::Day>,
    /// How late events came; `None` when nobody looked.
    pub lag: Option<lag::Day>,
    /// What sources are called in Customer.io.
    pub names: Arc<Names>,
    /// What is to be said of older signing keys.
    pub keys: Vec<String>,
    /// What was compared last of every event that is.
    pub compared: Vec<Compared>,
    /// Names that nobody declared, or that nobody saw.
    pub ghosts: Vec<Ghost>,
    /// What earlier digests said that is no longer so, a line a day.
    pub corrections: Vec<String>,
}

/// The dead-man, as far as we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadman {
    /// When it took a sign of life last, give or take ten minutes; `None`: never yet.
    pub taken: Option<Timestamp>,
}

/// A sign of life that was taken within this is as it should be: one a minute, and noted every ten.
const TAKEN_WITHIN: SignedDuration = SignedDuration::from_mins(15);

impl Deadman {
    fn hears_us(self, now: Timestamp) -> bool {
        self.taken.is_some_and(|taken| now.duration_since(taken) <= TAKEN_WITHIN)
    }

    /// `The dead-man hears us (last at 07:58)`
    fn line(self, config: &Config, now: Timestamp) -> String {
        let at = |taken| text::clock(taken, &config.workspace.zone, now);
        match self.taken {
            Some(taken) if self.hears_us(now) => format!("The dead-man hears us (last noted {})", at(taken)),
            Some(taken) => format!("The dead-man has not heard us since {}: did it page?", at(taken)),
            None => {
                "The dead-man never heard us: is its address right? See `deadman_not_reached` in the log.".to_owned()
            }
        }
    }
}

/// Of the day's minutes so many per cent must have been heard to call it fine: as for a verdict.
const HEARD_PER_CENT: i64 = 95;

/// So many more of a failure than before are no chance worth a look.
const MORE: u64 = 10;

/// Whether nothing of the day needs a look: no incident, every heartbeat as it should, heard all day, and no failure at
/// more than twice its share of the day and the week before.
pub fn is_all_fine(day: &Day, now: Timestamp) -> bool {
    let (covered, whole) = heard(day, now);
    let lag_is_usual = day.lag.is_none_or(|lag| lag.late.saturating_mul(20) <= lag.events);
    let canary_is_back = day.canary.as_ref().is_none_or(canary::day::Day::is_fine);
    day.incidents.is_empty()
        && day.verdicts.iter().all(|judged| judged.verdict == Verdict::Ok)
        && day.untold.is_empty()
        && day.silenced.is_empty()
        && day.keys.is_empty()
        && day.corrections.is_empty()
        && day.quarantined == 0
        && day.key_failures == 0
        && day.deadman.is_none_or(|deadman| deadman.hears_us(now))
        && covered * 100 >= whole * HEARD_PER_CENT
        && lag_is_usual
        && canary_is_back
        && !fails_more(day)
}

/// Minutes of the day that we can speak for, and all of them.
fn heard(day: &Day, now: Timestamp) -> (i64, i64) {
    let whole = minutes(day.to.duration_since(day.from));
    (day.coverage.minutes_covered(Span::new(Minute::of(day.from), Minute::of(day.to)), now), whole)
}

/// Whether a channel's failure or delay is more than twice its share of every earlier day that is known.
fn fails_more(day: &Day) -> bool {
    let earlier: Vec<_> = day.earlier.iter().map(|(_, totals)| by_channel(totals)).collect();
    let of = |metrics: Option<&Metrics<'_>>, metric: &str| metrics.and_then(|m| m.get(metric)).copied().unwrap_or(0);
    by_channel(&day.totals).iter().any(|(channel, metrics)| {
        metrics.iter().filter(|(metric, _)| is_shown(metric)).any(|(metric, n)| {
            let sent = of(Some(metrics), "sent");
            *n >= MORE
                && earlier.iter().all(|before| {
                    let before = before.get(channel);
                    let (then, then_sent) = (of(before, metric), of(before, "sent"));
                    // n / sent > 2 * then / then_sent; a day without sends compares counts.
                    n.saturating_mul(then_sent.max(1)) > then.saturating_mul(2).saturating_mul(sent.max(1))
                })
        })
    })
}

/// `all is well: 12 workflows as usual, 14,203 messages sent, 0.4 % failed, heard 24 of 24 h`
fn all_is_well(config: &Config, day: &Day, now: Timestamp) -> String {
    let mut said = Vec::new();
    if !config.heartbeats.is_empty() {
        said.push(format!("{} as usual", text::count("workflow", config.heartbeats.len() as u64)));
    }
    let sent: u64 = by_channel(&day.totals).values().filter_map(|metrics| metrics.get("sent")).sum();
    said.push(format!("{} sent", text::count("message", sent)));
    let failed: u64 = troubled(day).map(|t| t.count).sum();
    if sent > 0 && failed > 0 {
        said.push(format!("{} failed", text::percent(failed, sent.max(failed))));
    }
    let (covered, whole) = heard(day, now);
    said.push(format!("heard {} of {} h", hours(covered), hours(whole)));
    format!("all is well: {}", said.join(", "))
}

/// Whether a metric is trouble, for good or for now, or waits.
fn is_shown(metric: &str) -> bool {
    metric::row(metric).is_some_and(|r| matches!(r.class, Class::Failure | Class::Transient | Class::Waiting))
}

/// The digest's text: the headline first.
pub fn lines(config: &Config, day: &Day, now: Timestamp) -> Vec<String> {
    let mut lines = vec![headline(config, day, now)];
    lines.extend(workflow_lines(config, day));
    lines.extend(channel_lines(day));
    lines.extend(cause_line(day));
    lines.extend(provider_line(day));
    lines.extend(day.compared.iter().map(Compared::line));
    lines.extend(ghost_line(&day.ghosts));
    lines.extend(incident_lines(config, day, now));
    lines.extend(day.silenced.iter().cloned());
    lines.push(coverage_line(config, day, now));
    lines.extend(day.deadman.map(|deadman| deadman.line(config, now)));
    lines.extend(day.canary.as_ref().map(canary::day::Day::line));
    lines.extend(lag_line(config, day, now));
    lines.extend(day.keys.iter().cloned());
    lines.extend(day.corrections.iter().cloned());
    lines
}

/// Ghosts that the digest names; the rest is counted.
const GHOSTS: usize = 3;

/// `Event names: `Account Crated` is not declared; `Account Created` is, and differs in its spelling`
fn ghost_line(ghosts: &[Ghost]) -> Option<String> {
    // A name that is like none of the declared is somebody else's event.
    let near = ghosts.iter().filter(|ghost| !matches!(ghost, Ghost::Undeclared { meant: None, .. }));
    let said: Vec<String> = near.map(Ghost::words).collect();
    let more = said.len().saturating_sub(GHOSTS);
    let named: Vec<&str> = said.iter().take(GHOSTS).map(String::as_str).collect();
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    (!named.is_empty()).then(|| format!("Event names: {}{more}", named.join("; ")))
}

fn headline(config: &Config, day: &Day, now: Timestamp) -> String {
    let yesterday = config.workspace.zone.to_datetime(day.from).strftime("%a %-d %b").to_string();
    if is_all_fine(day, now) {
        return format!("{} on {yesterday}: {}", config.workspace.name, all_is_well(config, day, now));
    }
    let open = day.incidents.iter().filter(|i| i.is_open()).count() as u64;
    let opened = day.incidents.iter().filter(|i| day.from <= i.opened_at && i.opened_at < day.to).count() as u64;
    let failed: u64 = troubled(day).map(|t| t.count).sum();
    let mut said = Vec::new();
    if open > 0 {
        said.push(format!("{} open", text::count("incident", open)));
    }
    if opened > 0 {
        said.push(format!("{} opened", text::number(opened)));
    }
    for (verdict, word) in [(Verdict::Low, "low"), (Verdict::High, "high"), (Verdict::Unknown, "unknown")] {
        let periods = day.verdicts.iter().filter(|j| j.verdict == verdict).count() as u64;
        if periods > 0 {
            said.push(format!("{} {word}", text::count("heartbeat period", periods)));
        }
    }
    if failed > 0 {
        said.push(text::count("failure", failed));
    }
    let heard = day.coverage.began().is_some_and(|began| began < day.to);
    if said.is_empty() && !day.incidents.is_empty() {
        said.push(format!("{} since then", text::count("incident", day.incidents.len() as u64)));
    }
    let verdict = match (said.is_empty(), heard) {
        (false, _) => said.join(", "),
        (true, true) => "no incident".to_owned(),
        (true, false) => "nothing to tell, we did not hear yet".to_owned(),
    };
    format!("{} on {yesterday}: {verdict}", config.workspace.name)
}

fn workflow_lines(config: &Config, day: &Day) -> Vec<String> {
    let line = |h: &Heartbeat| {
        let ours: Vec<&Judged> = day.verdicts.iter().filter(|j| j.heartbeat == h.name).collect();
        let about = about(day, &h.name);
        let counts = |v: Verdict| ours.iter().filter(|j| j.verdict == v).count() as u64;
        let said = match ours.as_slice() {
            [] if h.expect == Expect::Learned => "still learning what is usual".to_owned(),
            [] => "not judged yet".to_owned(),
            [one] => {
                let verdict = verdict_word(one.verdict);
                format!("{verdict}, {about}{} counted{}", text::number(one.count), expected(h, one))
            }
            many => {
                let parts = [Verdict::Ok, Verdict::Low, Verdict::High, Verdict::Unknown];
                let parts: Vec<String> = parts
                    .into_iter()
                    .filter(|v| counts(*v) > 0)
                    .map(|v| format!("{} {}", counts(v), verdict_word(v)))
                    .collect();
                let total: u64 = many.iter().map(|j| j.count).sum();
                format!("{} of {} periods, {about}{} counted", parts.join(", "), many.len(), text::number(total))
            }
        };
        let said = match known_late(day, h) {
            Some((Settling::After(_), late)) => format!("{said}; {late}"),
            Some((_, why)) if ours.is_empty() => why,
            _ => said,
        };
        let source = words::source(config, &day.names, &h.source);
        let name = if source.starts_with(&h.name) { source } else { format!("{}, {source}", h.name) };
        format!("{name}: {said}{}", fortnight(config, day, h))
    };
    config.heartbeats.iter().map(line).collect()
}

/// How late runs that should be as usual are judged, or why they are not.
fn known_late(day: &Day, heartbeat: &Heartbeat) -> Option<(Settling, String)> {
    let kept = day.history.get(&heartbeat.counted_as()).filter(|_| heartbeat.expect == Expect::Learned)?;
    let settling = heartbeat.settling(kept);
    Some((settling, words::settling(settling)?))
}

/// What stands before a count that is approximate.
fn about(day: &Day, heartbeat: &str) -> &'static str {
    if day.approximate.contains(heartbeat) { "about " } else { "" }
}

/// The heartbeat's last days, if anything is known of them.
fn fortnight(config: &Config, day: &Day, heartbeat: &Heartbeat) -> String {
    let kept = day.history.get(&heartbeat.counted_as()).map_or(&[][..], Vec::as_slice);
    let dates: Vec<Date> = (1..=sparkline::DAYS).rev().map(|ago| day.date.saturating_sub(ago.days())).collect();
    let counts = history::of_dates(kept, &dates, &config.workspace.zone);
    if counts.iter().all(Option::is_none) { String::new() } else { format!("  {}", sparkline::sparkline(&counts)) }
}

fn expected(heartbeat: &Heartbeat, judged: &Judged) -> String {
    if let Some((low, high)) = judged.usual {
        return format!(", usual {} to {}", text::number(low), text::number(high));
    }
    match heartbeat.expect {
        Expect::Between { at_least: Some(least), .. } => format!(", expected at least {}", text::number(least)),
        Expect::Between { at_most: Some(most), .. } => format!(", expected at most {}", text::number(most)),
        Expect::Between { .. } | Expect::Learned => String::new(),
    }
}

const fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Low => "LOW",
        Verdict::High => "HIGH",
        Verdict::Unknown => "unknown",
    }
}

/// The day's counted totals that are trouble for good.
fn troubled(day: &Day) -> impl Iterator<Item = &Total> {
    day.totals.iter().filter(|t| {
        t.series.fate == Fate::Counted && t.series.kind.row().is_some_and(|row| row.class == Class::Failure)
    })
}

/// What each channel sent, and every metric that is trouble, for good or for now, or waits.
fn channel_lines(day: &Day) -> Vec<String> {
    let earlier: Vec<_> = day.earlier.iter().map(|(name, totals)| (*name, by_channel(totals))).collect();
    let line = |(channel, metrics): (&str, Metrics<'_>)| {
        let earlier: Vec<_> = earlier.iter().filter_map(|(name, of)| Some((*name, of.get(channel)?))).collect();
        channel_line(channel, &metrics, &earlier)
    };
    by_channel(&day.totals).into_iter().filter_map(line).collect()
}

type Metrics<'t> = BTreeMap<&'t str, u64>;

fn by_channel(totals: &[Total]) -> BTreeMap<&str, Metrics<'_>> {
    let mut channels: BTreeMap<&str, Metrics<'_>> = BTreeMap::new();
    for total in totals.iter().filter(|t| t.series.fate == Fate::Counted) {
        let kind = &total.series.kind;
        *channels.entry(&kind.channel).or_default().entry(&kind.metric).or_default() += total.count;
    }
    channels
}

/// `email: 1,040 sent, 41 bounced (3.9 %; 0.8 % the day before, 0.9 % a week before)`
fn channel_line(channel: &str, metrics: &Metrics<'_>, earlier: &[(&str, &Metrics<'_>)]) -> Option<String> {
    let sent = metrics.get("sent").copied().unwrap_or(0);
    let mut said = vec![format!("{} sent", text::number(sent))];
    for (metric, n) in metrics.iter().filter(|(m, _)| is_shown(m)) {
        let shares = |metrics: &Metrics<'_>, n: u64| {
            let sent = metrics.get("sent").copied().unwrap_or(0);
            (sent > 0).then(|| text::percent(n, sent.max(n)))
        };
        let before: Vec<String> = earlier
            .iter()
            .filter_map(|(name, of)| Some(format!("{} {name}", shares(of, of.get(*metric).copied().unwrap_or(0))?)))
            .collect();
        let before = if before.is_empty() { String::new() } else { format!("; {}", before.join(", ")) };
        let share = shares(metrics, *n).map(|share| format!(" ({share}{before})")).unwrap_or_default();
        said.push(format!("{} {metric}{share}", text::number(*n)));
    }
    if said.len() == 1 {
        said.push("no failures".to_owned());
    }
    (sent > 0 || said.len() > 2 || metrics.keys().any(|m| is_shown(m)))
        .then(|| format!("{channel}: {}", said.join(", ")))
}

fn cause_line(day: &Day) -> Option<String> {
    let mut causes: BTreeMap<&str, u64> = BTreeMap::new();
    for total in troubled(day) {
        if let Some(cause) = &total.series.cause {
            *causes.entry(cause.row().title).or_default() += total.count;
        }
    }
    let mut ranked: Vec<_> = causes.into_iter().collect();
    ranked.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let named: Vec<String> =
        ranked.iter().take(3).map(|(title, n)| format!("{title} ({})", text::number(*n))).collect();
    (!named.is_empty()).then(|| format!("Top causes: {}", named.join(", ")))
}

/// What mailbox providers refused is worth a line from this many on.
const WORTH_A_LINE: u64 = 5;

/// `Bounced or dropped, by mailbox provider: Gmail 41 of 200 (20.5 %), others 2 of 900 (0.2 %)`.
fn provider_line(day: &Day) -> Option<String> {
    // Spam reports are taken of deliveries, all others of sends.
    let of_sends = |t: &&Total| t.series.kind.row().is_some_and(|row| row.rate_of == Some("sent"));
    let refused = |t: &&Total| providers::decides(&t.series.kind) && of_sends(t);
    let failing: Vec<Total> = troubled(day).filter(refused).cloned().collect();
    let is_sent = |t: &&Total| {
        t.series.fate == Fate::Counted && t.series.kind.channel == "email" && t.series.kind.metric == "sent"
    };
    let sent: Vec<Total> = day.totals.iter().filter(is_sent).cloned().collect();
    let worth = failing.iter().filter(|t| t.series.provider.is_known()).map(|t| t.count).sum::<u64>() >= WORTH_A_LINE;
    let list = ByProvider::of(&failing, &sent).list().filter(|_| worth)?;
    Some(format!("Bounced or dropped, by mailbox provider: {list}"))
}

/// Incidents named one by one; the rest is counted.
const INCIDENTS_NAMED: usize = 8;

fn incident_lines(config: &Config, day: &Day, now: Timestamp) -> Vec<String> {
    let mut lines: Vec<String> =
        day.incidents.iter().take(INCIDENTS_NAMED).map(|i| incident_line(config, day, i, now)).collect();
    if let Some(more) = day.incidents.len().checked_sub(INCIDENTS_NAMED).filter(|n| *n > 0) {
        lines.push(format!("... and {}", text::count("more incident", more as u64)));
    }
    lines
}

/// `Open, critical: transactional-failing in Password reset (transactional 2), 12 of 26, message does not render, ...`
fn incident_line(config: &Config, day: &Day, incident: &Incident, now: Timestamp) -> String {
    let zone = &config.workspace.zone;
    let state = match incident.state {
        State::Open => "Open".to_owned(),
        State::Resolved { how: How::Expired, .. } => "Expired, not seen fixed".to_owned(),
        State::Resolved { how: How::ByHand, .. } => "Closed by hand".to_owned(),
        State::Resolved { how: How::RuleGone, .. } => "No longer watched".to_owned(),
        State::Resolved { how: How::Quiet | How::Recovered | How::Various, .. } => "Over".to_owned(),
    };
    let Numbers { count, of } = incident.numbers;
    let numbers = format!("{} of {}", text::number(count), text::number(of));
    let what = match &incident.subject {
        Subject::Rule { name, .. } => {
            let values = |label| incident.labels.get(&label).map_or(&[][..], Vec::as_slice);
            let sources: Vec<Source> = values(Label::Source).iter().filter_map(|s| s.parse().ok()).collect();
            let causes: Vec<&str> = values(Label::Cause).iter().map(|c| cause_table::row(c).title).collect();
            let causes = if causes.is_empty() { String::new() } else { format!(" ({})", causes.join(", ")) };
            format!("{name} in {}, {numbers}{causes}", words::sources(config, &day.names, &sources))
        }
        Subject::Heartbeat { name, .. } => format!("{name}, {}{numbers} expected", about(day, name)),
        Subject::Blindness => "nothing arrived".to_owned(),
        Subject::Canary { leg } => format!("the canary did not come back, {}", leg.words()),
        Subject::Lag { .. } => format!("events arrived late, {numbers}"),
        Subject::Drafts { source } => {
            format!("{} never sent in {}", text::count("draft", count), words::source(config, &day.names, source))
        }
        Subject::Drift { .. } => format!("changed in Customer.io: {}", incident.lines.join("; ")),
        Subject::Reconciliation { event, leg, .. } => format!("{event}: {}, {numbers}", leg.words()),
        Subject::Digest { .. } => "digest".to_owned(),
        Subject::RollUp { receiver, members } => {
            format!("{} told together to {receiver}", text::count("incident", members.len() as u64))
        }
    };
    let until = match incident.state {
        State::Open => String::new(),
        State::Resolved { at, .. } => {
            let (from, to) = (zone.to_datetime(incident.opened_at), zone.to_datetime(at));
            let to =
                if from.date() == to.date() { to.strftime("%H:%M").to_string() } else { text::clock(at, zone, now) };
            format!(" to {to}")
        }
    };
    let untold: Vec<&str> =
        day.untold.iter().filter(|(id, _)| *id == incident.id()).map(|(_, what)| what.as_str()).collect();
    let untold = if untold.is_empty() { String::new() } else { format!(", {}", untold.join(", ")) };
    let opened = text::clock(incident.opened_at, zone, now);
    let why = incident.diagnosis().map_or_else(String::new, |(text, _)| format!(". {text}"));
    format!("{state}, {}: {what}, {opened}{until}{untold} [{}]{why}", incident.severity.as_str(), incident.id())
}

fn coverage_line(config: &Config, day: &Day, now: Timestamp) -> String {
    let Some(began) = day.coverage.began() else {
        return "Nothing has ever arrived: is the reporting webhook set up? See `bridge check --live`.".to_owned();
    };
    let whole = minutes(day.to.duration_since(day.from));
    let covered = day.coverage.minutes_covered(Span::new(Minute::of(day.from), Minute::of(day.to)), now);
    let too_late: u64 = day.totals.iter().filter(|t| t.series.fate == Fate::TooLate).map(|t| t.count).sum();
    let ignored: u64 = day.totals.iter().filter(|t| t.series.fate == Fate::Ignored).map(|t| t.count).sum();
    let mut said = format!("Heard {} of {} h", hours(covered), hours(whole));
    if began > day.from {
        said += &format!(" (since {})", text::clock(began, &config.workspace.zone, now));
    }
    let late = day.lag.map_or(0, |lag| lag.late);
    let not_counted = [
        (late, "late"),
        (too_late, "too late"),
        (ignored, "ignored"),
        (day.quarantined as u64, "in quarantine"),
        (day.key_failures, "refused (signed with a key we do not have)"),
    ];
    for (n, what) in not_counted {
        if n > 0 {
            said += &format!(", {} {what}", text::number(n));
        }
    }
    said
}

/// `1.2 % of 1,040 events came 2 min late or later; worst 15 min from 14:02: about 4 min late (median of 312)`
fn lag_line(config: &Config, day: &Day, now: Timestamp) -> Option<String> {
    let lag = day.lag.filter(|lag| lag.late > 0)?;
    let share = text::percent(lag.late, lag.events);
    let mut said = format!("{share} of {} came 2 min late or later", text::count("event", lag.events));
    if let Some(worst) = lag.worst.filter(|worst| worst.late > 0) {
        let from = text::clock(worst.from.start(), &config.workspace.zone, now);
        let (late, of) = (words::lateness(worst.median()), text::number(worst.events));
        said += &format!("; worst {} min from {from}: {late} (median of {of})", lag::WINDOW_MINUTES);
    }
    Some(said)
}

fn hours(minutes: i64) -> String {
    let text = format!("{:.1}", minutes as f64 / 60.0);
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests;
