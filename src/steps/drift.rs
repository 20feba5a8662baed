//! tick's look at what somebody may have changed in Customer.io: once a local day, a few questions a tick, resumable. It
//! opens a warning a kind of drift, and ends it. What the App API does not answer is not known, and nothing is claimed
//! of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::open::{self, Opening};
use super::tick::Tick;
use super::{names, resolve};
use crate::customerio::app_api::ask::Question;
use crate::customerio::app_api::budget::Urgency;
use crate::customerio::app_api::{AppApiError, Directory, LISTS, ListRow, campaign, reporting_webhook};
use crate::customerio::event::{Source, SourceKind};
use crate::drift::Drift;
use crate::drift::subscription::{self, Difference, Found, PATH, called};
use crate::drift::wanted::wanted;
use crate::drift::workflow::{Snapshot, queueing};
use crate::heartbeat::why::RUNNING;
use crate::incident::{How, Incident, IncidentKey, Numbers, Severity, Subject};
use crate::message::words;
use crate::route::{Label, Labels};
use crate::store::{StoreError, Write};

/// Where the cursor stands: the day that was looked at, what is under way, and what was known.
pub const CURSOR: &str = "drift";

/// A day begins here, local time: after the night's edits, before people look at the digest.
const BEGINS: SignedDuration = SignedDuration::from_hours(7);

/// Questions a tick, and how long they take at most: the next minute must not wait. The workspace's 10 a second are
/// shared by all that use it.
const QUESTIONS: usize = 8;
const TIME: Duration = Duration::from_secs(10);

/// After a failure nothing is asked for this long; a tick that died in its work is as good as one.
const AFTER_FAILURE: SignedDuration = SignedDuration::from_mins(15);

/// Campaigns that are looked at, at most.
const CAMPAIGNS: usize = 200;

/// While events came within this, the webhook that is not found by its path is there all the same.
const HEARD: SignedDuration = SignedDuration::from_hours(1);

/// The list of transactional messages.
const TRANSACTIONAL: &ListRow = &LISTS[2];

/// What is kept between ticks.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    /// The last day that was looked at wholly.
    day: Option<Date>,
    not_before: Option<Timestamp>,
    /// Under the name of its form: one that another version began is begun again.
    #[serde(rename = "looking")]
    look: Look,
    /// Campaigns as they were seen last, by id.
    known: BTreeMap<String, Snapshot>,
}

/// A day's look, as far as it got.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Look {
    day: Option<Date>,
    asked: BTreeSet<String>,
    /// Kinds of which something stayed unknown: those never end an incident.
    unknown: BTreeSet<Drift>,
    findings: BTreeMap<Drift, Vec<Finding>>,
    seen: BTreeMap<String, Snapshot>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Finding {
    /// What it is about, where that is one source.
    #[serde(default)]
    source: Option<Source>,
    text: String,
}

impl Finding {
    fn about(source: &Source, text: String) -> Self {
        Self { source: Some(source.clone()), text }
    }
}

/// One thing to look at.
#[derive(Clone, Debug)]
enum Item {
    Webhooks,
    Transactional,
    Campaign(Source),
}

impl Item {
    fn name(&self) -> String {
        match self {
            Self::Webhooks => "webhooks".to_owned(),
            Self::Transactional => "transactional".to_owned(),
            Self::Campaign(source) => source.to_string(),
        }
    }

    /// What is not known without its answer.
    const fn tells(&self) -> Drift {
        match self {
            Self::Webhooks => Drift::Subscription,
            Self::Transactional => Drift::QueueDraft,
            Self::Campaign(_) => Drift::Stopped,
        }
    }
}

/// Looks once a day, some questions a tick.
pub async fn watch_due(tick: &Tick<'_>, now: Timestamp) -> Result<(), StoreError> {
    let Some(directory) = tick.directory else { return Ok(()) };
    let stored = tick.store.cursor(CURSOR).await?;
    // What cannot be read begins anew: a day's changes are not seen then, no more.
    let mut state: State = stored.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let day = (now - BEGINS).to_zoned_datetime(tick.config.workspace.zone.clone()).date();
    let waits = state.not_before.is_some_and(|at| now < at && at <= now + SignedDuration::from_hours(1));
    if state.day == Some(day) || waits {
        return Ok(());
    }
    if state.look.day != Some(day) {
        state.look = Look { day: Some(day), ..Look::default() };
    }
    // Moved before the work: a twin, or a tick after a crash, must not ask the same at once again.
    state.not_before = Some(now + AFTER_FAILURE);
    let Ok(claimed) = serde_json::to_string(&state) else { return Ok(()) };
    if tick.store.move_cursor(CURSOR, stored.as_deref(), &claimed).await? == Write::Conflict {
        return Ok(());
    }
    let looked = look(tick, directory, &mut state.look, now).await?;
    match looked {
        Looked::Wholly => {
            settle(tick, &mut state, now).await?;
            state = State { day: Some(day), known: state.known, ..State::default() };
        }
        Looked::Partly => state.not_before = None,
        Looked::Failed { after } => state.not_before = Some(now + after),
    }
    let Ok(next) = serde_json::to_string(&state) else { return Ok(()) };
    match tick.store.move_cursor(CURSOR, Some(&claimed), &next).await? {
        Write::Done | Write::Conflict => Ok(()),
    }
}

enum Looked {
    Wholly,
    /// There was no time for more.
    Partly,
    Failed {
        after: SignedDuration,
    },
}

/// Asks what was not asked yet.
async fn look(
    tick: &Tick<'_>,
    directory: &dyn Directory,
    look: &mut Look,
    now: Timestamp,
) -> Result<Looked, StoreError> {
    let begun = Instant::now();
    let mut items = items(tick);
    items.retain(|item| !look.asked.contains(&item.name()));
    for (asked, item) in items.into_iter().enumerate() {
        let left = TIME.saturating_sub(begun.elapsed());
        if asked >= QUESTIONS || left.is_zero() {
            return Ok(Looked::Partly);
        }
        let answer = match &item {
            Item::Webhooks => directory.answer(&Question::ReportingWebhooks, Urgency::CanWait, left).await,
            Item::Transactional => directory.answer(&Question::List(TRANSACTIONAL), Urgency::CanWait, left).await,
            Item::Campaign(source) => directory.answer(&Question::Campaign(&source.id), Urgency::CanWait, left).await,
        };
        match answer {
            Ok(body) => read(tick, look, &item, &body, now).await?,
            Err(error) if let (Item::Campaign(source), true) = (&item, is_gone(&error)) => {
                let gone = format!("{} is not there any more", named(tick, &item).await);
                look.findings.entry(Drift::Stopped).or_default().push(Finding::about(source, gone));
            }
            Err(error) => {
                tracing::warn!(event = "drift_not_asked", what = item.name(), %error);
                if let Some(after) = passes(&error) {
                    return Ok(Looked::Failed { after });
                }
                look.unknown.insert(item.tells());
            }
        }
        look.asked.insert(item.name());
    }
    Ok(Looked::Wholly)
}

const fn is_gone(error: &AppApiError) -> bool {
    matches!(error, AppApiError::Status { status: 404, .. })
}

/// How long to wait for what may answer later; `None` when asking again changes nothing.
pub(super) fn passes(error: &AppApiError) -> Option<SignedDuration> {
    match error {
        AppApiError::Limited { after: Some(after) } => SignedDuration::try_from(*after).ok().or(Some(AFTER_FAILURE)),
        AppApiError::Limited { .. }
        | AppApiError::NoAnswer(_)
        | AppApiError::Key(_)
        | AppApiError::Address
        | AppApiError::Budget => Some(AFTER_FAILURE),
        AppApiError::Status { status: 500.., .. } => Some(AFTER_FAILURE),
        AppApiError::Refused { .. }
        | AppApiError::Status { .. }
        | AppApiError::TooLong { .. }
        | AppApiError::NoList { .. } => None,
    }
}

fn items(tick: &Tick<'_>) -> Vec<Item> {
    let sources: BTreeSet<&Source> = tick.config.heartbeats.iter().map(|heartbeat| &heartbeat.source).collect();
    let campaigns = sources.into_iter().filter(|source| source.kind == SourceKind::Campaign).take(CAMPAIGNS);
    let campaigns = campaigns.map(|source| Item::Campaign(source.clone()));
    [Item::Webhooks, Item::Transactional].into_iter().chain(campaigns).collect()
}

/// What an answer says.
async fn read(tick: &Tick<'_>, look: &mut Look, item: &Item, body: &str, now: Timestamp) -> Result<(), StoreError> {
    let found = match item {
        Item::Webhooks => match reporting_webhook::list(body) {
            Some(webhooks) => {
                let found = of_webhooks(tick, &webhooks, now).await?;
                Some(found.into_iter().map(|text| Finding { source: None, text }).collect::<Vec<_>>())
            }
            None => None,
        },
        Item::Transactional => match queueing(body) {
            Some(ids) => {
                let names = names::kept(tick.store, tick.config).await;
                let sources = ids.iter().map(|id| Source::new(SourceKind::Transactional, id));
                let heard = sources.filter(|source| {
                    let id = source.to_string();
                    !tick.config.ignore.sources.iter().any(|glob| glob.matches(&id))
                });
                Some(heard.map(|s| Finding::about(&s, words::source(tick.config, &names, &s))).collect())
            }
            None => None,
        },
        Item::Campaign(source) => match campaign::detail(body) {
            Some(detail) => {
                look.seen.insert(source.id.clone(), Snapshot::of(&detail));
                let state = detail.state.filter(|state| state != RUNNING);
                let name = named(tick, item).await;
                Some(state.map(|state| Finding::about(source, format!("{name} is {state}"))).into_iter().collect())
            }
            None => None,
        },
    };
    match found {
        Some(found) => look.findings.entry(item.tells()).or_default().extend(found),
        None => {
            tracing::warn!(event = "drift_not_read", what = item.name());
            look.unknown.insert(item.tells());
        }
    }
    Ok(())
}

async fn of_webhooks(
    tick: &Tick<'_>,
    webhooks: &[reporting_webhook::ReportingWebhook],
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    Ok(match subscription::look(webhooks, &wanted(tick.config)) {
        Found::Webhook { webhook, differences } => {
            differences.iter().map(Difference::words).map(|what| format!("{}: {what}", called(&webhook))).collect()
        }
        Found::None { others } => {
            let last = tick.store.coverage().await?.last_timely();
            // Behind a proxy it may post to any path.
            let hears = others > 0 && last.is_some_and(|last| now.duration_since(last) < HEARD);
            if hears { Vec::new() } else { vec![format!("none posts to {PATH}")] }
        }
    })
}

async fn named(tick: &Tick<'_>, item: &Item) -> String {
    match item {
        Item::Campaign(source) => words::source(tick.config, &*names::kept(tick.store, tick.config).await, source),
        other => other.name(),
    }
}

/// Opens and ends what a whole look showed.
async fn settle(tick: &Tick<'_>, state: &mut State, now: Timestamp) -> Result<(), StoreError> {
    let mut changes = Vec::new();
    for (id, after) in &state.look.seen {
        let Some(before) = state.known.get(id) else { continue };
        let source = Source::new(SourceKind::Campaign, id);
        let name = named(tick, &Item::Campaign(source.clone())).await;
        let of_it = after.changes(before, tick.config.privacy).into_iter();
        changes.extend(of_it.map(|change| Finding::about(&source, format!("{name}: {change}"))));
    }
    state.look.findings.insert(Drift::Trigger, changes);
    for what in Drift::ALL {
        let mut findings = state.look.findings.get(&what).cloned().unwrap_or_default();
        let open = opened(tick, what).await?;
        if what == Drift::Stopped {
            let told = told_by_heartbeats(tick).await?;
            // What it said itself stays said until it is mended.
            let said = open.as_ref().map_or(&[][..], |open| &open.lines);
            findings
                .retain(|found| said.contains(&found.text) || !told.iter().any(|s| Some(s) == found.source.as_ref()));
        }
        if !findings.is_empty() {
            warn(tick, what, open, findings, now).await?;
        } else if what != Drift::Trigger
            && !state.look.unknown.contains(&what)
            && let Some(open) = open
        {
            resolve::end(tick, &open, How::Recovered, now, now).await?;
        }
    }
    state.known.append(&mut state.look.seen);
    state.known.retain(|id, _| items(tick).iter().any(|item| matches!(item, Item::Campaign(s) if s.id == *id)));
    Ok(())
}

/// Sources whose open heartbeat incident says already that somebody stopped them.
async fn told_by_heartbeats(tick: &Tick<'_>) -> Result<Vec<Source>, StoreError> {
    let open = tick.store.unsettled().await?.into_iter().filter(Incident::is_open);
    let stopped = open.filter_map(|incident| match incident.subject {
        Subject::Heartbeat { source, why: Some(why), .. } if why.is_deliberate() => Some(source),
        _ => None,
    });
    Ok(stopped.collect())
}

/// The open incident of this kind.
async fn opened(tick: &Tick<'_>, what: Drift) -> Result<Option<Incident>, StoreError> {
    let key = IncidentKey::new(&tick.config.workspace.name, &Subject::Drift { what });
    Ok(tick.store.episodes(&key).await?.pop().filter(Incident::is_open))
}

/// Opens a warning, or writes down what an open one is about by now.
async fn warn(
    tick: &Tick<'_>,
    what: Drift,
    open: Option<Incident>,
    findings: Vec<Finding>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let count = findings.len() as u64;
    let numbers = Numbers { count, of: count };
    let subject = Subject::Drift { what };
    let labels = labels(tick, &subject, &findings);
    let lines: Vec<String> = findings.into_iter().map(|found| found.text).collect();
    if let Some(open) = open {
        if open.lines == lines {
            return Ok(());
        }
        let changed = Incident { lines, labels, numbers, last: now, ..open };
        return match tick.store.write_incident(&changed).await? {
            Write::Done | Write::Conflict => Ok(()),
        };
    }
    let opening = Opening {
        severity: Severity::Warning,
        labels,
        subject,
        since: now,
        last: now,
        numbers,
        samples: Vec::new(),
        lines,
        deliveries: Vec::new(),
        receivers: None,
    };
    open::open(tick.store, tick.outbox, tick.config, opening, now).await?;
    if what != Drift::Trigger {
        return Ok(());
    }
    // Told once: what it is from now on is no trouble. After a crash here the next tick's resolves end it.
    match opened(tick, what).await? {
        Some(told) => resolve::end(tick, &told, How::Recovered, now, now).await,
        None => Ok(()),
    }
}

/// What it is routed by: with source and owner where all of it is about one source.
fn labels(tick: &Tick<'_>, subject: &Subject, findings: &[Finding]) -> Labels {
    let mut labels = open::own_labels(Severity::Warning, subject);
    let sources: BTreeSet<Option<&Source>> = findings.iter().map(|found| found.source.as_ref()).collect();
    if let [Some(source)] = sources.into_iter().collect::<Vec<_>>().as_slice() {
        labels.insert(Label::Source, vec![source.to_string()]);
        if let Some(owner) = open::owner(tick.config, source) {
            labels.insert(Label::Owner, vec![owner]);
        }
    }
    labels
}
