//! A row a workflow: as it should be or not, today beside what is expected, the last days, the hours of today.

use jiff::civil::{Date, Weekday};
use jiff::{Timestamp, ToSpan};

use super::band::Band;
use super::{DAYS, last_dates};
use crate::config::Config;
use crate::customerio::app_api::names::Names;
use crate::heartbeat::{Every, Expect, Heartbeat, Verdict, period};
use crate::incident::{Incident, Severity, Subject};
use crate::message::{text, words};
use crate::summary::hours::LONGEST_DAY;
use crate::summary::{self, Summary, Workflow};

/// How a workflow does today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    Low,
    High,
    /// We do not hear enough to say.
    Unknown,
    /// Not long enough known to say what is usual.
    Learning,
    /// Not due yet, and not there yet.
    Pending,
    Ok,
    /// A date on which nothing is expected.
    Off,
}

impl Standing {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::High => "High",
            Self::Unknown => "Unknown",
            Self::Learning => "Learning",
            Self::Pending => "Not due",
            Self::Ok => "OK",
            Self::Off => "Day off",
        }
    }
}

/// One day of a workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    pub date: Date,
    /// `None`: nobody counted.
    pub count: Option<u64>,
    pub band: Band,
    pub verdict: Option<Verdict>,
}

/// A workflow as the page shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub name: String,
    /// `campaign 5`, where the name does not say it.
    pub source: String,
    pub standing: Standing,
    /// How bad its open incident is.
    pub severity: Option<Severity>,
    pub count: u64,
    /// `of 35 to 52 a day, about 12 by now`
    pub expected: String,
    /// Expected by now, as far as that is known.
    pub by_now: Option<u64>,
    pub days: Vec<Day>,
    pub hours: Vec<Hour>,
    /// Hours of the day that are over or going on.
    pub hours_so_far: usize,
}

/// An hour of today.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hour {
    pub count: u64,
    /// What is usual in it.
    pub usual: f64,
}

/// The rows, those in trouble first.
pub fn rows(
    config: &Config,
    before: &[Summary],
    today: &Summary,
    open: &[Incident],
    is_blind: bool,
    now: Timestamp,
) -> Vec<Row> {
    let mut rows: Vec<Row> =
        config.heartbeats.iter().map(|h| row(config, h, before, today, open, is_blind, now)).collect();
    rows.sort_by_key(|row| (std::cmp::Reverse(row.severity), row.standing));
    rows
}

fn row(
    config: &Config,
    heartbeat: &Heartbeat,
    before: &[Summary],
    today: &Summary,
    open: &[Incident],
    is_blind: bool,
    now: Timestamp,
) -> Row {
    let zone = &config.workspace.zone;
    let ours = today.workflow(&heartbeat.name);
    let incident =
        open.iter().find(|i| matches!(&i.subject, Subject::Heartbeat { name, .. } if *name == heartbeat.name));
    let count = ours.map_or(0, |workflow| workflow.hours.sum());
    let week = match heartbeat.every {
        Every::Week { .. } => Some(count + this_week(heartbeat, before, today.date)),
        Every::Hour | Every::Day { .. } => None,
    };
    let band = Band::of(heartbeat, ours, today.date, zone);
    let hours_so_far = summary::hour_of(now, today.date, zone) + 1;
    let by_now = ours.and_then(|workflow| expected_by(workflow, config, today.date, now));
    let source = words::source(config, &Names::default(), &heartbeat.source);
    Row {
        standing: standing(heartbeat, ours, incident, week.unwrap_or(count), today.date, is_blind),
        severity: incident.map(|incident| incident.severity),
        name: heartbeat.name.clone(),
        source: source
            .strip_prefix(&heartbeat.name)
            .map_or(source.clone(), |rest| rest.trim_matches([' ', '(', ')']).to_owned()),
        count,
        expected: expected(config, heartbeat, ours, band, week, now),
        by_now,
        days: last_dates(today.date, DAYS)
            .map(|date| {
                let summary = if date == today.date { Some(today) } else { of_date(before, date) };
                let day = day(config, heartbeat, summary, date);
                // An open incident speaks of today before its verdict does.
                let verdict = if date == today.date { incident.map(|_| Verdict::Low) } else { None };
                Day { verdict: verdict.or(day.verdict), ..day }
            })
            .collect(),
        hours: hours(ours, before, heartbeat, hours_so_far),
        hours_so_far,
    }
}

/// A workflow's day, from its summary.
pub fn day(config: &Config, heartbeat: &Heartbeat, summary: Option<&Summary>, date: Date) -> Day {
    let workflow = summary.and_then(|summary| summary.workflow(&heartbeat.name));
    Day {
        date,
        count: workflow.map(|workflow| workflow.hours.sum()),
        band: Band::of(heartbeat, workflow, date, &config.workspace.zone),
        verdict: workflow.and_then(|workflow| workflow.verdict),
    }
}

pub fn of_date(summaries: &[Summary], date: Date) -> Option<&Summary> {
    summaries.binary_search_by_key(&date, |summary| summary.date).ok().and_then(|at| summaries.get(at))
}

fn this_week(heartbeat: &Heartbeat, before: &[Summary], today: Date) -> u64 {
    let monday = today.saturating_sub(i64::from(today.weekday().since(Weekday::Monday)).days());
    let days = before.iter().filter(|summary| monday <= summary.date && summary.date < today);
    days.filter_map(|summary| summary.workflow(&heartbeat.name)).map(|workflow| workflow.hours.sum()).sum()
}

fn standing(
    heartbeat: &Heartbeat,
    workflow: Option<&Workflow>,
    incident: Option<&Incident>,
    count: u64,
    today: Date,
    is_blind: bool,
) -> Standing {
    if let Some(incident) = incident {
        return if incident.numbers.count < incident.numbers.of { Standing::Low } else { Standing::High };
    }
    if heartbeat.except.contains(&today) {
        return Standing::Off;
    }
    let verdict = workflow.and_then(|workflow| workflow.verdict);
    match heartbeat.expect {
        Expect::Between { at_most: Some(most), .. } if count > most && heartbeat.every != Every::Hour => Standing::High,
        Expect::Between { at_least: Some(least), at_most: None }
            if count >= least && heartbeat.every != Every::Hour =>
        {
            Standing::Ok
        }
        _ if is_blind => Standing::Unknown,
        Expect::Learned => match workflow.and_then(|workflow| workflow.usual) {
            Some(_) => Standing::Ok,
            None => Standing::Learning,
        },
        Expect::Between { .. } => match verdict {
            Some(Verdict::Ok) => Standing::Ok,
            Some(Verdict::Low) => Standing::Low,
            Some(Verdict::High) => Standing::High,
            Some(Verdict::Unknown) => Standing::Unknown,
            None => Standing::Pending,
        },
    }
}

/// How many a workflow that is known should have by now, from what is usual by hour.
fn expected_by(workflow: &Workflow, config: &Config, date: Date, now: Timestamp) -> Option<u64> {
    workflow.usual?;
    let zone = &config.workspace.zone;
    let hour = summary::hour_of(now, date, zone);
    let span = summary::span_of(hour, date, zone);
    let gone = now.duration_since(span.from.start()).as_secs() as f64 / (span.len().max(1) * 60) as f64;
    let tenths = workflow.expected_tenths.padded();
    let whole: u64 = tenths.iter().take(hour).sum();
    let part = tenths.get(hour).map_or(0.0, |tenths| *tenths as f64 * gone.clamp(0.0, 1.0));
    Some(((whole as f64 + part) / 10.0).round() as u64)
}

fn expected(
    config: &Config,
    heartbeat: &Heartbeat,
    workflow: Option<&Workflow>,
    band: Band,
    week: Option<u64>,
    now: Timestamp,
) -> String {
    let zone = &config.workspace.zone;
    let due = period::containing(heartbeat.every, now, zone);
    match (&heartbeat.expect, heartbeat.every) {
        (Expect::Learned, _) => match workflow.and_then(|workflow| workflow.learning) {
            Some((known, needed)) if band == Band::default() => format!("day {known} of {needed} of learning"),
            _ if band == Band::default() => "nothing expected".to_owned(),
            _ => format!("{} a day", band.words()),
        },
        (Expect::Between { at_least, at_most }, every) => {
            let wanted = Band { low: *at_least, high: *at_most }.words();
            match (every, week) {
                (Every::Hour, _) => format!("{wanted} an hour"),
                (Every::Week { .. }, Some(week)) => {
                    format!("{} this week, {wanted} by {}", text::number(week), text::clock(due.due, zone, now))
                }
                _ if due.due == due.end => format!("{wanted} a day"),
                _ => format!("{wanted} by {}", text::clock(due.due, zone, now)),
            }
        }
    }
}

/// Today's hours, beside what is learned of them; else beside their mean of the last days.
fn hours(workflow: Option<&Workflow>, before: &[Summary], heartbeat: &Heartbeat, so_far: usize) -> Vec<Hour> {
    let counts = workflow.map_or([0; LONGEST_DAY], |workflow| workflow.hours.padded());
    let known = workflow.filter(|workflow| !workflow.expected_tenths.is_empty());
    let mut usual = [0.0; LONGEST_DAY];
    match known {
        Some(workflow) => {
            usual.iter_mut().zip(workflow.expected_tenths.padded()).for_each(|(u, tenths)| *u = tenths as f64 / 10.0);
        }
        None => {
            let days: Vec<&Workflow> =
                before.iter().rev().take(DAYS).filter_map(|summary| summary.workflow(&heartbeat.name)).collect();
            for day in &days {
                usual.iter_mut().zip(day.hours.padded()).for_each(|(u, count)| *u += count as f64);
            }
            usual.iter_mut().for_each(|u| *u /= days.len().max(1) as f64);
        }
    }
    let shown = so_far.clamp(24, LONGEST_DAY);
    counts.iter().zip(usual).take(shown).map(|(count, usual)| Hour { count: *count, usual }).collect()
}
