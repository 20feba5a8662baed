//! tick's work on the digest: reads the day, writes it down once, and lets deliver bring it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::open::{self, Opening};
use super::tick::Tick;
use super::{canary, deadman, facts, guardian, lag, names, reconcile};
use crate::clock::{Minute, Span};
use crate::config::Config;
use crate::config::schema::DeclaredEvent;
use crate::digest::corrections::{self, Said, Told};
use crate::digest::{self, Day};
use crate::heartbeat::history::{self, Slot};
use crate::heartbeat::{Judged, period};
use crate::incident::told::{self, Stage};
use crate::incident::{Incident, Numbers, Severity, State, Subject};
use crate::message::{ALL_FINE, text};
use crate::reconcile::day::Compared;
use crate::route::{Label, Labels};
use crate::silence::{Silence, words};
use crate::store::{StoreError, Write};
use crate::tally::Total;

/// Where the digest's cursor stands: the last local date it was made for.
pub const CURSOR: &str = "digest";

/// What the digests of the last days said ([`Told`]), to be corrected.
const TOLD: &str = "digest/told";

/// A period is known by its end, which may lie a week after the time it is due by.
pub const LONGEST_PERIOD: SignedDuration = SignedDuration::from_hours(8 * 24);

/// Verdicts that are overdue by more are in no digest.
const LONG_AGO: SignedDuration = SignedDuration::from_hours(60 * 24);

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
            let (before, told) = read_told(tick).await?;
            let (day, told) = gather(tick, last_due, digest.at, told, now).await?;
            let opening = opening(tick.config, &digest.receivers, &day, now);
            open::open(tick.store, tick.outbox, tick.config, opening, now).await?;
            // After the digest, and before its cursor: a crash in between says the same once more, of the same item.
            let said = serde_json::to_string(&told).map_err(|error| StoreError::Corrupt(error.to_string()))?;
            match tick.store.move_cursor(TOLD, before.as_deref(), &said).await? {
                Write::Done | Write::Conflict => {}
            }
        }
        // A fresh install begins with its first full wait, not with an empty digest.
        None => {}
    }
    // A twin that moved it did the same work.
    match tick.store.move_cursor(CURSOR, stored.as_deref(), &to).await? {
        Write::Done | Write::Conflict => Ok(()),
    }
}

/// What earlier digests said, and the cursor's text.
async fn read_told(tick: &Tick<'_>) -> Result<(Option<String>, Told), StoreError> {
    let stored = tick.store.cursor(TOLD).await?;
    let told = stored.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    Ok((stored, told))
}

/// What has changed of days that were told of, and what is told of each by now.
async fn corrected(
    tick: &Tick<'_>,
    date: Date,
    mut told: Told,
    today: &[Total],
) -> Result<(Vec<String>, Told), StoreError> {
    let zone = &tick.config.workspace.zone;
    told.retain(|day, _| *day > date.saturating_sub((corrections::DAYS + 1).days()) && *day < date);
    let mut lines = Vec::new();
    let yesterday = date.saturating_sub(1.day());
    let days: BTreeSet<Date> = told.keys().copied().chain([yesterday]).collect();
    for day in days {
        let next = day.saturating_add(1.day());
        let (from, to) = (period::midnight(day, zone), period::midnight(next, zone));
        let totals = if day == yesterday { today.to_vec() } else { of_day(tick, next, 1).await? };
        let verdicts = tick.store.verdicts(from, to + LONGEST_PERIOD).await?;
        let ours: Vec<&Judged> = verdicts.iter().filter(|j| from < j.period.due && j.period.due <= to).collect();
        let now = Said::of(tick.config, &totals, &ours);
        if let Some(line) = told.get(&day).and_then(|said| said.correction(day, &now)) {
            lines.push(line);
        }
        told.insert(day, now);
    }
    Ok((lines, told))
}

async fn gather(
    tick: &Tick<'_>,
    date: Date,
    at: jiff::civil::Time,
    told: Told,
    now: Timestamp,
) -> Result<(Day, Told), StoreError> {
    let zone = &tick.config.workspace.zone;
    let to = period::midnight(date, zone);
    let from = period::midnight(date.saturating_sub(1.day()), zone);
    let sent_at = period::instant(date, at, zone);
    let totals = of_day(tick, date, 1).await?;
    let earlier =
        vec![("the day before", of_day(tick, date, 2).await?), ("a week before", of_day(tick, date, 8).await?)];
    let history = fortnight(tick, from, to).await?;
    let mut verdicts = tick.store.verdicts(from - LONG_AGO, to + LONGEST_PERIOD).await?;
    let last_told = sent_at - SignedDuration::from_hours(24);
    // Those due on that day, and older ones that could not be judged before the last digest.
    verdicts.retain(|j| j.period.due <= to && (from < j.period.due || last_told < j.at));
    let approximate = approximate(tick, from, to, &verdicts).await?;
    let mut incidents = tick.store.incidents_between(from, now).await?;
    for open in tick.store.unsettled().await?.into_iter().filter(Incident::is_open) {
        if !incidents.iter().any(|i| i.id() == open.id()) {
            incidents.push(open);
        }
    }
    incidents.retain(|i| !matches!(i.subject, Subject::Digest { .. }));
    let silences = tick.store.silences().await?;
    let mut muted = Muted::default();
    let mut untold = Vec::new();
    for incident in &incidents {
        for (receiver, told) in tick.store.told(&incident.key).await? {
            muted.note(incident, &told, &silences);
            let what = match told.stage {
                _ if told.episode != incident.episode => continue,
                Stage::Silenced { .. } => "silenced".to_owned(),
                Stage::Dropped { by, .. } => format!("not delivered to {receiver}, given up by {by}"),
                Stage::Skipped => "over before it could page".to_owned(),
                Stage::Undeliverable { .. } => format!("not delivered to {receiver}"),
                _ if told.trouble.is_some() => format!("{receiver} has not taken it yet"),
                _ => continue,
            };
            let said = (incident.id(), what);
            if !untold.contains(&said) {
                untold.push(said);
            }
        }
    }
    // A roll-up is only a way to tell of others; it counts where it was not told.
    incidents.retain(|i| !matches!(i.subject, Subject::RollUp { .. }) || untold.iter().any(|(id, _)| *id == i.id()));
    let quarantined = tick.store.quarantined(from, now).await?.len();
    let silenced = muted.lines(&silences, zone, now);
    let coverage = tick.store.coverage().await?;
    let uses = guardian::uses(tick.store, tick.config).await?;
    let keys = uses.iter().filter_map(|used| guardian::line(used, &coverage, tick.config, now)).collect();
    let canary = canary::of_day(tick.store, tick.config, date.saturating_sub(1.day())).await?;
    let lag = lag::days(tick.store).await?.of(date.saturating_sub(1.day())).copied();
    let key_failures = guardian::failed_on(tick.store, date.saturating_sub(1.day())).await?;
    let deadman = match &tick.config.deadman {
        Some(_) => Some(digest::Deadman { taken: deadman::taken(tick.store).await? }),
        None => None,
    };
    let names = names::kept(tick.store, tick.config).await;
    let compared = compared(tick, date).await?;
    let ghosts = reconcile::ghosts(tick.store).await?;
    let (corrections, told) = corrected(tick, date, told, &totals).await?;
    let day = Day {
        names,
        date,
        from,
        to,
        totals,
        earlier,
        history,
        verdicts,
        approximate,
        incidents,
        untold,
        silenced,
        quarantined,
        key_failures,
        deadman,
        coverage,
        canary,
        lag,
        keys,
        compared,
        ghosts,
        corrections,
    };
    Ok((day, told))
}

/// The last comparison of each event since the digest before: a day settles for hours, and may be two days old.
async fn compared(tick: &Tick<'_>, date: Date) -> Result<Vec<Compared>, StoreError> {
    let events = tick.config.compared();
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let days = tick.store.compared(date.saturating_sub(2.days()), date).await?;
    let last = |event: &&DeclaredEvent| {
        days.iter().rev().find(|day| day.event == event.name && day.campaign == event.campaign.id).cloned()
    };
    Ok(events.iter().filter_map(last).collect())
}

/// What was counted on the local day so many days before a date.
async fn of_day(tick: &Tick<'_>, date: Date, ago: i16) -> Result<Vec<Total>, StoreError> {
    let midnight =
        |ago: i16| Minute::of(period::midnight(date.saturating_sub(ago.days()), &tick.config.workspace.zone));
    tick.store.totals(None, Span::new(midnight(ago), midnight(ago - 1))).await
}

/// The heartbeats whose counts of the day, or of the periods that were judged, are approximate.
async fn approximate(
    tick: &Tick<'_>,
    from: Timestamp,
    to: Timestamp,
    verdicts: &[Judged],
) -> Result<BTreeSet<String>, StoreError> {
    let mut names = BTreeSet::new();
    for heartbeat in &tick.config.heartbeats {
        let judged = verdicts.iter().filter(|judged| judged.heartbeat == heartbeat.name);
        let from = judged.map(|judged| judged.period.start).fold(from, Timestamp::min);
        if facts::approximate(tick.store, heartbeat, Span::new(Minute::of(from), Minute::of(to))).await? > 0 {
            names.insert(heartbeat.name.clone());
        }
    }
    Ok(names)
}

/// The last days of every heartbeat, by what is counted.
async fn fortnight(
    tick: &Tick<'_>,
    from: Timestamp,
    to: Timestamp,
) -> Result<BTreeMap<String, Vec<history::Day>>, StoreError> {
    let days = i64::from(digest::sparkline::DAYS);
    let mut kept = BTreeMap::new();
    for heartbeat in &tick.config.heartbeats {
        if let Entry::Vacant(place) = kept.entry(heartbeat.counted_as()) {
            let (first, last) = (Slot::of(from).day() - days, Slot::of(to).day() + 1);
            let days = tick.store.days(place.key(), first, last).await?;
            place.insert(days);
        }
    }
    Ok(kept)
}

/// Incidents by the silence that kept them from a receiver.
#[derive(Default)]
struct Muted(BTreeMap<String, BTreeSet<String>>);

impl Muted {
    fn note(&mut self, incident: &Incident, told: &told::Told, silences: &[Silence]) {
        let by = match &told.stage {
            Stage::Silenced { silence, .. } if told.episode == incident.episode => Some(silence),
            // A later episode's is kept by now: muted is what a silence covered from beginning to end.
            _ if told.episode > incident.episode => {
                let State::Resolved { at, .. } = incident.state else { return };
                let whole =
                    |s: &&Silence| s.start <= incident.opened_at && at < s.end && s.covers(incident, &incident.labels);
                silences.iter().find(whole).map(|s| &s.id)
            }
            _ => None,
        };
        if let Some(by) = by {
            self.0.entry(by.clone()).or_default().insert(incident.id());
        }
    }

    fn lines(&self, silences: &[Silence], zone: &TimeZone, now: Timestamp) -> Vec<String> {
        let line = |(id, incidents): (&String, &BTreeSet<String>)| {
            let count = incidents.len() as u64;
            match silences.iter().find(|s| s.id == *id) {
                Some(silence) => words::digest_line(silence, count, zone, now),
                None => format!("{} silenced", text::count("incident", count)),
            }
        };
        self.0.iter().map(line).collect()
    }
}

fn opening(config: &Config, receivers: &[String], day: &Day, now: Timestamp) -> Opening {
    let mut labels = Labels::from([
        (Label::Severity, vec![Severity::Info.as_str().to_owned()]),
        (Label::Kind, vec!["digest".to_owned()]),
    ]);
    if digest::is_all_fine(day, now) {
        labels.insert(Label::Cause, vec![ALL_FINE.to_owned()]);
    }
    Opening {
        subject: Subject::Digest { date: day.date.to_string() },
        severity: Severity::Info,
        labels,
        since: day.from,
        last: now,
        numbers: Numbers::default(),
        samples: Vec::new(),
        lines: digest::lines(config, day, now),
        deliveries: Vec::new(),
        receivers: Some(receivers.to_vec()),
    }
}
