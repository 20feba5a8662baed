//! The digest: the daily summary, and the proof that the bridge is alive. It travels as an incident, so each
//! receiver gets it once, through crashes.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use crate::clock::{Minute, Span, minutes};
use crate::config::Config;
use crate::customerio::event::Fate;
use crate::customerio::metric::Class;
use crate::heartbeat::{Expect, Heartbeat, Judged, Verdict, period};
use crate::incident::told::Stage;
use crate::incident::{Incident, Numbers, Severity, State, Subject};
use crate::message::{text, words};
use crate::route::{Label, Labels};
use crate::steps::open::{self, Opening};
use crate::steps::tick::Tick;
use crate::store::{StoreError, Write};
use crate::tally::Total;
use crate::tally::coverage::Coverage;

/// Where the digest's cursor stands: the last local date it was made for.
pub const CURSOR: &str = "digest";

/// All that a digest is made of.
pub struct Day {
    pub date: Date,
    /// The local day before `date`.
    pub from: Timestamp,
    pub to: Timestamp,
    pub totals: Vec<Total>,
    pub verdicts: Vec<Judged>,
    /// Opened or resolved within the day or since, or still open.
    pub incidents: Vec<Incident>,
    /// Ids of incidents that were over before a receiver that can only page could be told.
    pub never_paged: Vec<String>,
    pub quarantined: usize,
    pub coverage: Coverage,
}

/// Makes and opens the digest if its time has come. After a pause the latest one comes, not each missed one.
pub async fn send_due(tick: &Tick<'_>, now: Timestamp) -> Result<(), StoreError> {
    let Some(digest) = &tick.config.digest else { return Ok(()) };
    let zone = &tick.config.workspace.zone;
    let today = zone.to_datetime(now).date();
    let due = period::instant(today, digest.at, zone);
    let last_due = if now >= due { today } else { today.saturating_sub(1.day()) };
    let stored = tick.store.cursor(CURSOR).await?;
    let sent_until = stored.as_deref().and_then(|text| text.parse::<Date>().ok());
    let to = last_due.to_string();
    match sent_until {
        Some(sent) if sent >= last_due => return Ok(()),
        Some(_) => {
            let day = gather(tick, last_due, now).await?;
            let opening = opening(tick.config, &digest.receivers, &day, now);
            open::open(tick.store, tick.outbox, tick.config, opening, now).await?;
        }
        // A fresh install begins with its first full wait, not with an empty digest.
        None => {}
    }
    // A twin that moved it did the same work.
    match tick.store.move_cursor(CURSOR, stored.as_deref(), &to).await? {
        Write::Done | Write::Conflict => Ok(()),
    }
}

async fn gather(tick: &Tick<'_>, date: Date, now: Timestamp) -> Result<Day, StoreError> {
    let zone = &tick.config.workspace.zone;
    let to = period::midnight(date, zone);
    let from = period::midnight(date.saturating_sub(1.day()), zone);
    let totals = tick.store.totals(None, Span::new(Minute::of(from), Minute::of(to))).await?;
    let verdicts = tick.store.verdicts(from, now).await?;
    let mut incidents = tick.store.incidents_between(from, now).await?;
    for open in tick.store.unsettled().await?.into_iter().filter(Incident::is_open) {
        if !incidents.iter().any(|i| i.id() == open.id()) {
            incidents.push(open);
        }
    }
    incidents.retain(|i| !matches!(i.subject, Subject::Digest { .. }));
    let mut never_paged = Vec::new();
    for incident in incidents.iter().filter(|i| !i.is_open()) {
        let told = tick.store.told(&incident.key).await?;
        if told.iter().any(|(_, t)| t.episode == incident.episode && t.stage == Stage::Skipped) {
            never_paged.push(incident.id());
        }
    }
    let quarantined = tick.store.quarantined(from, now).await?.len();
    let coverage = tick.store.coverage().await?;
    Ok(Day { date, from, to, totals, verdicts, incidents, never_paged, quarantined, coverage })
}

fn opening(config: &Config, receivers: &[String], day: &Day, now: Timestamp) -> Opening {
    Opening {
        subject: Subject::Digest { date: day.date.to_string() },
        severity: Severity::Info,
        labels: Labels::from([
            (Label::Severity, vec![Severity::Info.as_str().to_owned()]),
            (Label::Kind, vec!["digest".to_owned()]),
        ]),
        since: day.from,
        last: now,
        numbers: Numbers::default(),
        samples: Vec::new(),
        lines: lines(config, day, now),
        receivers: Some(receivers.to_vec()),
    }
}

/// The digest's text: the headline first.
pub fn lines(config: &Config, day: &Day, now: Timestamp) -> Vec<String> {
    let mut lines = vec![headline(config, day)];
    lines.extend(workflow_lines(config, day));
    lines.extend(channel_lines(day));
    lines.extend(cause_line(day));
    lines.extend(incident_lines(config, day, now));
    lines.push(coverage_line(config, day, now));
    lines
}

fn headline(config: &Config, day: &Day) -> String {
    let yesterday = config.workspace.zone.to_datetime(day.from).strftime("%a %-d %b").to_string();
    let open = day.incidents.iter().filter(|i| i.is_open()).count() as u64;
    let opened = day.incidents.iter().filter(|i| day.from <= i.opened_at).count() as u64;
    let low = day.verdicts.iter().filter(|j| matches!(j.verdict, Verdict::Low | Verdict::High)).count() as u64;
    let unknown = day.verdicts.iter().filter(|j| j.verdict == Verdict::Unknown).count() as u64;
    let failed: u64 = troubled(day).map(|t| t.count).sum();
    let mut said = Vec::new();
    if open > 0 {
        said.push(format!("{} open", text::count("incident", open)));
    }
    if opened > 0 {
        said.push(format!("{} opened", text::number(opened)));
    }
    if low > 0 {
        said.push(format!("{} off", text::count("heartbeat period", low)));
    }
    if unknown > 0 {
        said.push(format!("{} unknown", text::count("heartbeat period", unknown)));
    }
    if failed > 0 {
        said.push(text::count("failure", failed));
    }
    let heard = day.coverage.began().is_some_and(|began| began < day.to);
    let verdict = match (said.is_empty(), heard) {
        (false, _) => said.join(", "),
        (true, true) => "all fine".to_owned(),
        (true, false) => "nothing to tell, we did not hear yet".to_owned(),
    };
    format!("{} on {yesterday}: {verdict}", config.workspace.name)
}

fn workflow_lines(config: &Config, day: &Day) -> Vec<String> {
    let line = |h: &Heartbeat| {
        let ours: Vec<&Judged> = day.verdicts.iter().filter(|j| j.heartbeat == h.name).collect();
        let counts = |v: Verdict| ours.iter().filter(|j| j.verdict == v).count() as u64;
        let said = match ours.as_slice() {
            [] => "not judged yet".to_owned(),
            [one] => {
                let verdict = verdict_word(one.verdict);
                format!("{verdict}, {} counted{}", text::number(one.count), expected(h))
            }
            many => {
                let parts = [Verdict::Ok, Verdict::Low, Verdict::High, Verdict::Unknown];
                let parts: Vec<String> = parts
                    .into_iter()
                    .filter(|v| counts(*v) > 0)
                    .map(|v| format!("{} {}", counts(v), verdict_word(v)))
                    .collect();
                let total: u64 = many.iter().map(|j| j.count).sum();
                format!("{} of {} periods, {} counted", parts.join(", "), many.len(), text::number(total))
            }
        };
        format!("{} - {}: {said}", h.name, words::source(config, &h.source))
    };
    config.heartbeats.iter().map(line).collect()
}

fn expected(heartbeat: &Heartbeat) -> String {
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

fn channel_lines(day: &Day) -> Vec<String> {
    let mut channels: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for total in day.totals.iter().filter(|t| t.series.fate == Fate::Counted) {
        let kind = &total.series.kind;
        *channels.entry(&kind.channel).or_default().entry(&kind.metric).or_default() += total.count;
    }
    let line = |(channel, metrics): (&str, BTreeMap<&str, u64>)| {
        let sent = metrics.get("sent").copied().unwrap_or(0);
        let is_trouble = |m: &&str| crate::customerio::metric::row(m).is_some_and(|r| r.class == Class::Failure);
        let trouble: Vec<String> = metrics
            .iter()
            .filter(|(m, _)| is_trouble(m))
            .map(|(m, n)| match sent {
                0 => format!("{} {m}", text::number(*n)),
                sent => format!("{} {m} ({})", text::number(*n), text::percent(*n, sent.max(*n))),
            })
            .collect();
        let trouble = if trouble.is_empty() { "no failures".to_owned() } else { trouble.join(", ") };
        (sent > 0 || trouble != "no failures").then(|| format!("{channel}: {} sent, {trouble}", text::number(sent)))
    };
    channels.into_iter().filter_map(line).collect()
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

/// Incidents named one by one; the rest is counted.
const INCIDENTS_NAMED: usize = 8;

fn incident_lines(config: &Config, day: &Day, now: Timestamp) -> Vec<String> {
    let zone = &config.workspace.zone;
    let mut lines: Vec<String> = day
        .incidents
        .iter()
        .take(INCIDENTS_NAMED)
        .map(|incident| {
            let state = match incident.state {
                State::Open => "open".to_owned(),
                State::Resolved { at, .. } => format!("over since {}", text::clock(at, zone, now)),
            };
            let unpaged = if day.never_paged.contains(&incident.id()) { ", over before it could page" } else { "" };
            let name = match &incident.subject {
                Subject::Rule { name, .. } | Subject::Heartbeat { name, .. } => name.as_str(),
                Subject::Blindness => "nothing arrived",
                Subject::Digest { .. } => "digest",
            };
            let Numbers { count, of } = incident.numbers;
            let opened = text::clock(incident.opened_at, zone, now);
            let severity = incident.severity.as_str();
            format!(
                "Incident {} ({severity}): {name}, {count} of {of}, opened {opened}, {state}{unpaged}",
                incident.id()
            )
        })
        .collect();
    if day.incidents.len() > INCIDENTS_NAMED {
        lines.push(format!("... and {}", text::count("more incident", (day.incidents.len() - INCIDENTS_NAMED) as u64)));
    }
    lines
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
    for (n, what) in [(too_late, "too late"), (ignored, "ignored"), (day.quarantined as u64, "in quarantine")] {
        if n > 0 {
            said += &format!(", {} {what}", text::number(n));
        }
    }
    said
}

fn hours(minutes: i64) -> String {
    let text = format!("{:.1}", minutes as f64 / 60.0);
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}
