//! A made-up bridge for the preview and the benchmark: the same seed is the same bridge.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::traffic::{drawn, level, name_of, share};
use super::trouble::{failing_in, incident, labels, read, rule};
use crate::clock::Minute;
use crate::config::{Config, parse};
use crate::customerio::cause::CauseKey;
use crate::customerio::event::{Event, Fate, Identity, Kind, Source, SourceKind};
use crate::customerio::provider::Provider;
use crate::heartbeat::Verdict;
use crate::incident::{How, Incident, Numbers, Severity, State, Subject};
use crate::message::Phase;
use crate::message::compose::{self, Facts};
use crate::store::{Store, StoreError, Write};
use crate::summary::hours::{Hours, LONGEST_DAY};
use crate::summary::{self, Hour, Summary, Telling};
use crate::tally::coverage::Heard;
use crate::tally::{Class, Entry, Series, Total};

/// Which day it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    /// As always.
    Calm,
    /// A workflow stopped at nine, a template does not render, one provider refuses.
    Trouble,
}

/// Since how many hours what is wrong: a workflow stopped, a provider refuses, a template does not render.
const STOPPED_H: usize = 5;
const REFUSED_H: usize = 3;
const FAILING_H: usize = 1;

/// A made-up bridge at an instant.
pub struct MadeUp {
    pub config: Config,
    pub now: Timestamp,
    summaries: Vec<Summary>,
    incidents: Vec<Incident>,
    /// What was counted in the hour that goes on.
    entries: Vec<Entry>,
    day: Day,
    /// The hour of today that goes on.
    hour_now: usize,
}

impl MadeUp {
    /// So many workflows and days, today among them, at `now`.
    ///
    /// # Panics
    /// When the preview's own configuration is broken: a test reads it.
    pub fn new(day: Day, workflows: usize, days: usize, now: Timestamp) -> Self {
        let mut text = include_str!("preview.toml").to_owned();
        for n in 0..workflows {
            let name = name_of(n);
            let _ = write!(
                text,
                "[[heartbeats]]\nname = \"{name}\"\nsource = \"campaign:{}\"\nevent = \"email_sent\"\nexpect = \"learned\"\nseverity = \"critical\"\n",
                n + 5
            );
        }
        let parsed = parse::parse(&text);
        let config = parsed.config.unwrap_or_else(|| panic!("the preview's configuration: {:?}", parsed.problems));
        let zone = &config.workspace.zone;
        let hour_now = summary::hour_of(now, zone.to_datetime(now).date(), zone);
        let (summaries, incidents, entries) = (Vec::new(), Vec::new(), Vec::new());
        let mut made = Self { config, now, summaries, incidents, entries, day, hour_now };
        made.write_days(days);
        made.write_incidents(days);
        made
    }

    /// Keeps it in a store.
    ///
    /// # Errors
    /// The store's.
    pub async fn keep(&self, store: &dyn Store) -> Result<(), StoreError> {
        for summary in &self.summaries {
            store.keep_summary(summary).await?;
        }
        for incident in &self.incidents {
            let (Write::Done | Write::Conflict) = store.write_incident(incident).await?;
        }
        for part in self.entries.chunks(500) {
            store.count(part, self.now).await?;
        }
        store.hear(&self.heard()).await?;
        Ok(())
    }

    /// It heard everything so far.
    fn heard(&self) -> Heard {
        let event = |at: Timestamp| {
            serde_json::from_value::<Event>(serde_json::json!({
                "identity": "00000000000000000000000000000000", "kind": "email_sent", "source": "campaign:5",
                "at": at, "arrived": at, "fate": "counted", "provider": "none",
            }))
        };
        let began = self.now - SignedDuration::from_hours(24 * 400);
        let events = [began, self.now - SignedDuration::from_secs(20)].map(event);
        Heard::of(&events.into_iter().flatten().collect::<Vec<_>>())
    }

    fn write_days(&mut self, days: usize) {
        let zone = self.config.workspace.zone.clone();
        let today = zone.to_datetime(self.now).date();
        let hour_now = self.hour_now;
        // Long ago is the same week again and again: nobody looks at it day by day, and it is quickly made.
        let mut week: Vec<Summary> = Vec::new();
        for ago in (0..days).rev() {
            let date = today.saturating_sub((ago as i64).days());
            let same = week.iter().find(|other| ago > 21 && other.date.weekday() == date.weekday());
            let summary = match same {
                Some(same) => Summary { date, ..same.clone() },
                None => self.made(date, if ago == 0 { hour_now } else { 24 }, ago == 0),
            };
            if ago > 21 && week.len() < 7 && same.is_none() {
                week.push(summary.clone());
            }
            self.summaries.push(summary);
        }
        let begun = summary::span_of(hour_now, today, &zone).from.start();
        self.entries = self
            .hour(today, hour_now, true)
            .iter()
            .enumerate()
            .flat_map(|(n, total)| {
                let span = self.now.duration_since(begun).as_secs().max(1);
                (0..total.count).map(move |k| {
                    let at = begun + SignedDuration::from_secs((k as i64 * 37 + n as i64) % span);
                    let identity = Identity::of_event(&format!("{n}/{k}"), &total.series.kind);
                    Entry { identity, stamp: Some(at), class: Class { series: (*total.series).clone(), at } }
                })
            })
            .collect();
    }

    fn made(&self, date: Date, hours: usize, is_today: bool) -> Summary {
        let read: Vec<(usize, Vec<Total>)> = (0..hours).map(|hour| (hour, self.hour(date, hour, is_today))).collect();
        let read: Vec<Hour<'_>> = read.iter().map(|(at, totals)| Hour { at: *at, totals }).collect();
        let zone = &self.config.workspace.zone;
        let (from, to) = summary::ends(date, zone);
        let until = to.min(self.now - SignedDuration::from_mins(2));
        let minutes = until.duration_since(from).as_mins();
        let mut day = Summary { covered: minutes, minutes, ..Summary::unseen(date, until) };
        day.counting(&self.config.heartbeats, &read);
        for (n, workflow) in day.workflows.iter_mut().enumerate() {
            let expected: Vec<f64> = (0..LONGEST_DAY).map(|hour| level(n, date) * share(hour)).collect();
            let sum: f64 = expected.iter().sum();
            let spread = 0.16 * sum + 1.96 * sum.sqrt();
            workflow.usual = Some(((sum - spread).max(0.0) as u64, (sum + spread) as u64));
            workflow.expected_tenths = Hours::of(&expected.iter().map(|e| (e * 10.0) as u64).collect::<Vec<_>>());
            workflow.verdict = (!is_today).then_some(Verdict::Ok);
        }
        day
    }

    /// What an hour counted.
    fn hour(&self, date: Date, hour: usize, is_today: bool) -> Vec<Total> {
        let zone = &self.config.workspace.zone;
        let at = summary::span_of(hour, date, zone).from.start() + SignedDuration::from_mins(4);
        let is_trouble = is_today && self.day == Day::Trouble;
        let mut totals = Vec::new();
        let mut total = |source: &Source, kind: &str, cause: Option<&str>, provider: &str, count: u64| {
            if count > 0 {
                let series = Series {
                    kind: read::<Kind>(kind),
                    source: source.clone(),
                    action: None,
                    cause: cause.map(read::<CauseKey>),
                    fingerprint: 0,
                    provider: read::<Provider>(provider),
                    fate: Fate::Counted,
                };
                totals.push(Total { series: Arc::new(series), count, first_minute: Minute::of(at), last: at });
            }
        };
        let mut mail = 0;
        for n in 0..self.config.heartbeats.len() {
            let source = Source::new(SourceKind::Campaign, (n + 5).to_string());
            let seed = [n as u64, date.day_of_year() as u64 + 366 * date.year() as u64, hour as u64];
            let stopped = is_trouble && n == 0 && hour + STOPPED_H >= self.hour_now;
            let sent = if stopped { 0 } else { drawn(level(n, date) * share(hour), &seed) };
            mail += sent;
            for (provider, part) in
                [("gmail", 0.5), ("microsoft", 0.22), ("yahoo", 0.1), ("apple", 0.08), ("other-3", 0.1)]
            {
                let of = drawn(sent as f64 * part, &[seed[0], seed[1], seed[2], provider.len() as u64]).min(sent);
                let of = if provider == "gmail" { of.max(sent.min(1)) } else { of };
                let bad = if is_trouble && hour + REFUSED_H >= self.hour_now && provider == "microsoft" {
                    0.38
                } else {
                    0.008
                };
                let bounced = drawn(of as f64 * bad, &[seed[0], seed[1], seed[2], 9, provider.len() as u64]).min(of);
                let cause = if bad > 0.1 { "blocklisted" } else { "mailbox_unknown" };
                total(&source, "email_sent", None, provider, of);
                total(&source, "email_delivered", None, provider, of - bounced);
                total(&source, "email_bounced", Some(cause), provider, bounced);
            }
        }
        let source = Source::new(SourceKind::Transactional, "2");
        let seed = [777, date.day_of_year() as u64 + 366 * date.year() as u64, hour as u64];
        let sent = drawn(180.0 * share(hour), &seed);
        let failed = if is_trouble && hour + FAILING_H >= self.hour_now { sent / 2 } else { 0 };
        total(&source, "email_sent", None, "gmail", sent - failed);
        total(&source, "email_failed", Some("render_error"), "gmail", failed);
        total(
            &source,
            "email_spammed",
            Some("spam_complaint"),
            "gmail",
            drawn(mail as f64 * 0.0004, &[3, seed[1], seed[2]]),
        );
        total(&source, "sms_sent", None, "none", drawn(240.0 * share(hour), &[5, seed[1], seed[2]]));
        total(
            &source,
            "sms_failed",
            Some("carrier_filtered"),
            "none",
            drawn(2.0 * share(hour), &[6, seed[1], seed[2]]),
        );
        total(&source, "push_sent", None, "none", drawn(900.0 * share(hour), &[7, seed[1], seed[2]]));
        total(
            &source,
            "push_bounced",
            Some("device_token_invalid"),
            "none",
            drawn(14.0 * share(hour), &[8, seed[1], seed[2]]),
        );
        totals
    }

    fn write_incidents(&mut self, days: usize) {
        let now = self.now;
        let ago = |minutes: i64| now - SignedDuration::from_mins(minutes);
        // An incident every third day, of a rule or a workflow in turn.
        for n in (1..days as i64).step_by(3) {
            let opened_at = ago(n * 24 * 60 - 200);
            let subject = match n % 2 {
                0 => rule("bounce-rate"),
                _ => self.heartbeat((n as usize / 3) % self.config.heartbeats.len().max(1), opened_at),
            };
            let state = State::Resolved { at: opened_at + SignedDuration::from_mins(40 + n % 90), how: How::Recovered };
            let severity = if n % 2 == 0 { Severity::Warning } else { Severity::Critical };
            let numbers = Numbers { count: 10 + n as u64 % 9, of: 60 };
            let labels = labels("campaign:7", "mailbox_unknown", "email", "bounced");
            self.incidents.push(Incident {
                state,
                settled: true,
                episode: n as u32,
                labels,
                ..incident(subject, severity, opened_at, numbers)
            });
        }
        if self.day == Day::Calm {
            return;
        }
        let zone = &self.config.workspace.zone;
        let today = zone.to_datetime(now).date();
        let since = |hours: usize| summary::span_of(self.hour_now.saturating_sub(hours), today, zone).from.start();
        let hours = self.hour_now.saturating_sub(STOPPED_H)..self.hour_now;
        let missing = (level(0, today) * hours.map(share).sum::<f64>()).round().max(1.0) as u64;
        let stopped = self.heartbeat(0, since(STOPPED_H));
        let stopped = incident(stopped, Severity::Critical, ago(42), Numbers { count: 0, of: missing });
        let mut open = vec![(stopped, Facts::default())];
        let mut failing =
            incident(rule("transactional-failing"), Severity::Critical, ago(58), Numbers { count: 14, of: 29 });
        failing.labels = labels("transactional:2", "render_error", "email", "failed");
        failing.samples = vec!["Liquid error: undefined variable customer.plan_name".to_owned()];
        let mut refused = incident(rule("bounce-rate"), Severity::Warning, ago(150), Numbers { count: 61, of: 410 });
        refused.labels = labels("campaign:7", "blocklisted", "email", "bounced");
        let facts = failing_in("transactional:2", "email_failed", "render_error", "gmail", (14, 15), failing.since);
        open.push((failing, facts));
        let facts = failing_in("campaign:7", "email_bounced", "blocklisted", "microsoft", (61, 410), refused.since);
        open.push((refused, facts));
        let told = |incident: &Incident| {
            incident
                .receivers
                .iter()
                .map(|receiver| {
                    format!(
                        "{receiver}: told {}",
                        crate::message::text::clock(incident.opened_at, &self.config.workspace.zone, now)
                    )
                })
                .collect()
        };
        let tellings = open.iter().map(|(incident, facts)| {
            let message = compose::message(incident, Phase::Updated, facts, &self.config, now);
            Telling::of(message, told(incident), now)
        });
        let tellings = tellings.collect();
        if let Some(today) = self.summaries.last_mut() {
            today.open = tellings;
            today.compared = super::trouble::compared(today.date.saturating_sub(1.day()), now);
        }
        self.incidents.extend(open.into_iter().map(|(incident, _)| incident));
    }

    fn heartbeat(&self, n: usize, start: Timestamp) -> Subject {
        let period = crate::heartbeat::Period { start, due: start, end: start };
        let source = Source::new(SourceKind::Campaign, (n + 5).to_string());
        Subject::Heartbeat { name: name_of(n), source, period, why: None }
    }
}
