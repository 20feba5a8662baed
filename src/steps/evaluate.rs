//! evaluate: tally, re-read, judge, open. Runs on batches of the events queue, as often as it takes.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::open::{self, Opening, Samples};
use super::{canary, deadman, guardian};
use crate::clock::{Minute, Span};
use crate::config::Config;
use crate::customerio::event::{Event, Fate};
use crate::incident::{Incident, IncidentKey, Subject};
use crate::queue::{Handled, Message, Outbox, Probe};
use crate::rules::Rule;
use crate::rules::judge::{self, Evidence, Finding};
use crate::store::{Quarantined, Store, StoreError, Write};
use crate::tally::coverage::Heard;
use crate::tally::lag::Ring;
use crate::tally::{Counted, Entry, journeys};

/// A message that failed by itself is tried this often, then kept in quarantine (design, State).
const RECEIVES_BEFORE_QUARANTINE: u32 = 5;

/// A message that was received more often than this is processed alone (design, State).
const RECEIVES_IN_COMPANY: u32 = 2;

/// How long a message that failed by itself rests before the next try.
const REST: Duration = Duration::from_secs(30);

/// Failures that an incident keeps something of.
const SAMPLES: usize = 3;

/// Failing minutes further apart than this are judged apart, so that a late straggler does not make us read days.
const CLUSTER_GAP_MINUTES: i64 = 120;

/// The step's surroundings.
pub struct Evaluate<'a> {
    pub store: &'a dyn Store,
    pub outbox: &'a dyn Outbox,
    pub config: &'a Config,
    /// Messages that are processed alone are not begun after this: what is done by then is said, the rest comes again.
    pub stop_by: Option<Instant>,
}

impl Evaluate<'_> {
    /// Processes a batch. An error means that our own storage failed: nothing of the batch is to be deleted. A
    /// message that is bad by itself does not hold up the others.
    pub async fn batch(&self, messages: &[Message], now: Timestamp) -> Result<Vec<(i64, Handled)>, StoreError> {
        let (alone, together): (Vec<_>, Vec<_>) = messages.iter().partition(|m| m.receives > RECEIVES_IN_COMPANY);
        let mut handled = match self.caught(&together, now).await {
            // Somebody in there is bad: find out who.
            None | Some(Err(StoreError::Corrupt(_))) => self.one_by_one(&together, now).await?,
            Some(done) => done?,
        };
        handled.extend(self.one_by_one(&alone, now).await?);
        Ok(handled)
    }

    async fn one_by_one(&self, messages: &[&Message], now: Timestamp) -> Result<Vec<(i64, Handled)>, StoreError> {
        let mut handled = Vec::new();
        for message in messages {
            if self.stop_by.is_some_and(|at| Instant::now() >= at) {
                break;
            }
            match self.caught(&[message], now).await {
                // Those before it are done, and stay so.
                Some(Err(StoreError::Unavailable(why))) if !handled.is_empty() => {
                    tracing::error!(event = "evaluate_stopped", why);
                    break;
                }
                // Not the store is in trouble, but what it holds for this message.
                Some(Err(StoreError::Corrupt(what))) => {
                    tracing::error!(event = "stored_item_unreadable", what);
                    handled.push((message.id, self.set_aside(message, "a stored item is not readable", now).await?));
                }
                Some(done) => handled.extend(done?),
                None => handled.push((message.id, self.set_aside(message, "processing panicked", now).await?)),
            }
        }
        Ok(handled)
    }

    /// `None` when it panicked.
    async fn caught(&self, messages: &[&Message], now: Timestamp) -> Option<Result<Vec<(i64, Handled)>, StoreError>> {
        AssertUnwindSafe(self.events(messages, now)).catch_unwind().await.ok()
    }

    async fn events(&self, messages: &[&Message], now: Timestamp) -> Result<Vec<(i64, Handled)>, StoreError> {
        let mut handled = Vec::with_capacity(messages.len());
        let mut events = Vec::with_capacity(messages.len());
        for message in messages {
            super::planted(message.body.as_bytes());
            // Record by record: one bad body must not fail the others.
            match catch_unwind(|| serde_json::from_str::<Event>(&message.body)) {
                Ok(Ok(event)) => {
                    events.push(event);
                    handled.push((message.id, Handled::Done));
                }
                Ok(Err(_)) if let Ok(probe) = serde_json::from_str::<Probe>(&message.body) => {
                    deadman::pass_on(self.outbox, self.config, probe, now).await?;
                    handled.push((message.id, Handled::Done));
                }
                _ => handled.push((message.id, self.set_aside(message, "queue message not readable", now).await?)),
            }
        }
        self.tally_and_judge(&events, now).await?;
        Ok(handled)
    }

    /// Rests a bad message, and quarantines it in the end: it was answered 2xx and must not vanish.
    async fn set_aside(&self, message: &Message, why: &str, now: Timestamp) -> Result<Handled, StoreError> {
        if message.receives < RECEIVES_BEFORE_QUARANTINE {
            return Ok(Handled::Again(REST));
        }
        let id: String = Sha256::digest(&message.body).iter().map(|b| format!("{b:02x}")).collect();
        tracing::error!(event = "event_set_aside", id, reason = why);
        let item = Quarantined {
            id,
            reason: why.to_owned(),
            received_at: now,
            length: message.body.len() as u64,
            head: message.body.clone().into_bytes(),
        };
        self.store.quarantine(&item).await?;
        Ok(Handled::Done)
    }

    /// Write, then re-read consistently, then judge: of two concurrent workers the later one sees the sum (law 4).
    async fn tally_and_judge(&self, events: &[Event], now: Timestamp) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        // A canary covers and is never counted: nothing that reads a register has to leave it out.
        let traffic: Vec<&Event> = events.iter().filter(|event| event.fate != Fate::Canary).collect();
        let mut entries: Vec<Entry> = traffic.iter().map(|event| Entry::of(event)).collect();
        entries.extend(journeys::entries(events, &self.config.heartbeats));
        entries.extend(journeys::triggers(events, &self.config.compared_campaigns()));
        let counted = self.store.count(&entries, now).await?;
        // A copy of what was counted already says nothing of how long the sender takes.
        let first = traffic.into_iter().zip(&counted).filter(|(_, counted)| counted.first).map(|(event, _)| event);
        self.store.hear(&Heard::of(events).with_lag(Ring::of(first))).await?;
        guardian::note(self.store, events).await?;
        canary::note(self.store, events).await?;
        for rule in &self.config.rules {
            for (first, last) in touched(rule, &counted) {
                self.judge(rule, first, last, events, now).await?;
            }
        }
        Ok(())
    }

    async fn judge(
        &self,
        rule: &Rule,
        first: Minute,
        last: Minute,
        events: &[Event],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let found = findings(self.store, self.config, rule, judge::span_around(rule, first, last), now).await?;
        for (incident, finding) in &found.open {
            let samples = samples(rule, finding, events);
            open::widen(self.store, self.outbox, self.config, incident, finding, &samples, now).await?;
        }
        for finding in found.new {
            let samples = samples(rule, &finding, events);
            let opening = Opening::of_rule(self.config, rule, &finding, samples);
            open::open(self.store, self.outbox, self.config, opening, now).await?;
        }
        Ok(())
    }
}

/// Where a rule is true in a span.
#[derive(Debug, Default)]
pub struct Findings {
    /// The groups for which it is newly so.
    pub new: Vec<Finding>,
    /// The open incidents of the others.
    pub open: Vec<(Incident, Finding)>,
}

/// The groups for which a rule is true in a span. Tick asks the same once a minute.
pub async fn findings(
    store: &dyn Store,
    config: &Config,
    rule: &Rule,
    span: Span,
    now: Timestamp,
) -> Result<Findings, StoreError> {
    let mut evidence = Evidence::of(rule, &store.cells(&rule.events, span).await?);
    if let Some((kinds, span)) = judge::denominator(rule, span) {
        if !evidence.may_be_rate() {
            return Ok(Findings::default());
        }
        evidence = evidence.with_sends(rule, &store.cells(kinds, span).await?);
    }
    let (mut open, mut news) = (Vec::new(), Vec::new());
    for finding in evidence.judge(rule) {
        // Most groups are quiet: only those for which the rule is true have their past looked up.
        let mut episodes = store.episodes(&finding_key(config, rule, &finding)).await?;
        if let Some(incident) = episodes.pop_if(|newest| newest.is_open()) {
            open.push((incident, finding));
            continue;
        }
        let finding = match episodes.as_slice() {
            [] => Some(finding),
            past => evidence.judge_news(rule, &finding.group, past),
        };
        news.extend(finding.map(|finding| (finding, episodes)));
    }
    // A rate that would open is first compared with the sends of days. They are dear to read, and a newsletter's
    // leftovers come for days: what was compared in vain rests a while, unless there is much more of it.
    let Some((kinds, span)) = judge::look_back(rule, span) else {
        return Ok(Findings { new: news.into_iter().map(|(finding, _)| finding).collect(), open });
    };
    let mut unsure = Vec::new();
    for (finding, past) in news {
        let key = finding_key(config, rule, &finding);
        let stored = store.cursor(&format!("{COMPARED}{key}")).await?;
        if !stored.as_deref().is_some_and(|stored| rests(stored, finding.count, now)) {
            unsure.push((finding, past, key, stored));
        }
    }
    if unsure.is_empty() {
        return Ok(Findings { new: Vec::new(), open });
    }
    let evidence = evidence.looking_back(rule, &store.cells(kinds, span).await?);
    let mut new = Vec::new();
    for (finding, past, key, stored) in unsure {
        match evidence.judge_news(rule, &finding.group, &past) {
            Some(sure) => new.push(sure),
            None => {
                let compared = format!("{} {}", finding.count, now + RESTS);
                match store.move_cursor(&format!("{COMPARED}{key}"), stored.as_deref(), &compared).await? {
                    // A twin that compared it too wrote the same.
                    Write::Done | Write::Conflict => {}
                }
            }
        }
    }
    Ok(Findings { new, open })
}

/// Cursors of this name, and an incident's key, hold what was compared with days in vain: how many failed, and until
/// when it rests.
const COMPARED: &str = "compared/";

/// How long failures that are few of what was sent days ago are not compared again: the delay of a page that the next
/// failure would have made due, and the cost of a newsletter's leftovers (docs/performance.md).
const RESTS: SignedDuration = SignedDuration::from_mins(15);

/// Whether so many failures need not be compared again yet: not half as many more have come.
fn rests(compared: &str, count: u64, now: Timestamp) -> bool {
    let Some((before, until)) = compared.split_once(' ') else { return false };
    let (Ok(before), Ok(until)) = (before.parse::<u64>(), until.parse::<Timestamp>()) else { return false };
    now < until && until <= now + RESTS && count < before.saturating_add(before.div_ceil(2))
}

fn finding_key(config: &Config, rule: &Rule, finding: &Finding) -> IncidentKey {
    let subject = Subject::Rule { name: rule.name.clone(), group: finding.group.clone() };
    IncidentKey::new(&config.workspace.name, &subject)
}

/// The stretches of minutes in which this batch's events may have made the rule true.
fn touched(rule: &Rule, counted: &[Counted]) -> Vec<(Minute, Minute)> {
    let concerned = counted.iter().filter(|c| judge::concerns(rule, &c.class.series));
    let minutes: BTreeSet<Minute> = concerned.map(|c| Minute::of(c.class.at)).collect();
    let mut stretches: Vec<(Minute, Minute)> = Vec::new();
    for minute in minutes {
        match stretches.last_mut() {
            Some((_, last)) if minute.0 - last.0 <= CLUSTER_GAP_MINUTES => *last = minute,
            _ => stretches.push((minute, minute)),
        }
    }
    stretches
}

/// What this batch shows of the finding's group.
fn samples(rule: &Rule, finding: &Finding, events: &[Event]) -> Samples {
    let mut samples = Samples::default();
    let keep = |known: &mut Vec<String>, new: Option<&String>| {
        if let Some(new) = new.filter(|new| known.len() < SAMPLES && !known.contains(new)) {
            known.push(new.clone());
        }
    };
    let of_group = events
        .iter()
        .filter(|e| e.fate == Fate::Counted && judge::in_group(rule, &finding.group, &Entry::of(e).class.series));
    for failure in of_group.filter_map(|e| e.failure.as_ref()) {
        keep(&mut samples.texts, failure.sample.as_ref());
        keep(&mut samples.deliveries, failure.delivery.as_ref());
    }
    samples
}
