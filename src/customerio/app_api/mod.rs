//! The App API, as far as the bridge asks it: the lists of everything that sends, for their names; what a campaign did;
//! and what is known of one person.
//!
//! [`listing`], [`campaign`], [`person`], [`message`], [`suppression`] and [`senders`] read an answer (pure), [`names`] is
//! what is kept of it (pure), [`ask`] is the table of questions about a person, this file asks. Asking is bounded in
//! requests a second, bytes, pages and time, and never repeats a request: who calls it decides when to ask again. Only a
//! command, where somebody waits, may wait out a limit ([`AppApi::patient`]).
//! Source: <https://docs.customer.io/integrations/api/app/>.

pub mod activity;
pub mod ask;
pub mod budget;
pub mod campaign;
pub mod listing;
mod loose;
pub mod message;
pub mod names;
pub mod person;
pub mod reporting_webhook;
pub mod senders;
pub mod suppression;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;
use tokio::time::Instant;

use self::ask::{Question, Records};
use self::budget::{Turns, Urgency};
use crate::clock::Clock;
use crate::config::schema::{CustomerIo, Region};
use crate::config::secrets::{SecretError, SecretRef, Secrets};
use crate::customerio::event::SourceKind;
use crate::heartbeat::period;
use crate::heartbeat::why::Said;
use crate::receivers::http::{self, Answer, Client, Failure};

/// The App API's host in each region. Source: "Journeys App API", Overview.
pub const fn host(region: Region) -> &'static str {
    match region {
        Region::Us => "https://api.customer.io",
        Region::Eu => "https://api-eu.customer.io",
    }
}

/// Between two requests of a process that keeps no budget: a command's.
const GAP: Duration = budget::GAP.unsigned_abs();

/// The longest wait for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The longest answer that is read, in bytes: some thousand workflows with all their steps.
const ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Pages of one list at most: the newest 3,000 newsletters.
const PAGES: usize = 30;

/// A list of the App API, and how it is asked for.
#[derive(Debug)]
pub struct ListRow {
    pub of: SourceKind,
    pub path: &'static str,
    /// The key of the answer's list.
    pub wrapper: &'static str,
    /// What is asked for besides; only newsletters come in pages.
    pub query: &'static str,
}

/// Every list of senders, the longest last. Source: the pages `listCampaigns`, `listBroadcasts`, `listTransactional`
/// and `listNewsletters` of the App API's reference.
#[rustfmt::skip]
pub const LISTS: [ListRow; 4] = [
    ListRow { of: SourceKind::Campaign,      path: "/v1/campaigns",     wrapper: "campaigns",   query: "" },
    ListRow { of: SourceKind::Broadcast,     path: "/v1/broadcasts",    wrapper: "broadcasts",  query: "" },
    ListRow { of: SourceKind::Transactional, path: "/v1/transactional", wrapper: "messages",    query: "" },
    ListRow { of: SourceKind::Newsletter,    path: "/v1/newsletters",   wrapper: "newsletters", query: "limit=100&sort=desc" },
];

/// Why a list was not read. No text holds the key or anything that was answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppApiError {
    /// The key has no value, or none that can be a key.
    #[error("{0}")]
    Key(String),
    /// 401 or 403: the key is wrong, revoked, or lacks a scope.
    #[error("the key is refused ({status} to {path}): is it this workspace's, and may it read {path}?")]
    Refused { status: u16, path: &'static str },
    /// 429; how long we are to wait, where the answer says so. It does not when a day's quota is used up.
    #[error("too many requests")]
    Limited { after: Option<Duration> },
    #[error("{0}")]
    NoAnswer(#[from] Failure),
    #[error("it answered {status} to {path}")]
    Status { status: u16, path: &'static str },
    #[error("the answer to {path} is longer than {ANSWER_BYTES} bytes")]
    TooLong { path: &'static str },
    #[error("the answer to {path} holds no list")]
    NoList { path: &'static str },
    #[error("app_api_url is no address")]
    Address,
    #[error("nobody knows how much may be asked: the store does not answer")]
    Budget,
}

impl From<SecretError> for AppApiError {
    fn from(error: SecretError) -> Self {
        Self::Key(error.to_string())
    }
}

/// Where the names of senders are asked for.
#[async_trait]
pub trait Directory: Send + Sync {
    /// The senders of one list: id to name, as the sender wrote them; those that were read within `time`.
    async fn list(&self, row: &'static ListRow, time: Duration) -> Result<BTreeMap<String, String>, AppApiError>;

    /// How often a campaign did what `metric` names on each day of these local dates, oldest first.
    async fn by_day(
        &self,
        id: &str,
        metric: &str,
        dates: Range<Date>,
        zone: &TimeZone,
        time: Duration,
    ) -> Result<Vec<u64>, AppApiError>;

    /// The answer to one question, asked once. Whoever only keeps lists does not answer.
    async fn answer(&self, _: &Question<'_>, _: Urgency, _: Duration) -> Result<String, AppApiError> {
        Err(AppApiError::NoAnswer(Failure::Other))
    }

    /// What it says of a campaign in a span of whole hours, as far as that was said within `time`.
    async fn campaign(&self, id: &str, from: Timestamp, to: Timestamp, time: Duration) -> Result<Said, AppApiError>;
}

/// The App API of one workspace.
pub struct AppApi {
    base: String,
    key: SecretRef,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    client: Client,
    /// The budget that is shared with others; without one, no request before `next`.
    turns: Option<Arc<dyn Turns>>,
    next: Mutex<Option<Instant>>,
    /// How long limits may still be waited out, in all.
    patience: Mutex<Duration>,
}

/// How often one question is asked again after a 429.
const RETRIES: u32 = 3;

/// The longest that a command waits for limits to pass, in all its questions together.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The first wait when a 429 names none; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(1);

impl AppApi {
    /// `None` when the configuration has no key for it.
    pub fn of(customerio: &CustomerIo, secrets: Arc<dyn Secrets>, clock: Arc<dyn Clock>) -> Option<Self> {
        let base = customerio.app_api_url.as_deref().unwrap_or(host(customerio.region));
        Some(Self {
            base: base.trim_end_matches('/').to_owned(),
            key: customerio.app_api_key.clone()?,
            secrets,
            clock,
            client: Client::new(),
            turns: None,
            next: Mutex::new(None),
            patience: Mutex::new(Duration::ZERO),
        })
    }

    /// The same, waiting until a limit has passed: each question is asked up to three times more, after what
    /// `Retry-After` says or 1 s, 2 s, 4 s, as long as all waits together are at most `patience`. For commands; what runs
    /// by itself never waits.
    pub fn patient(mut self, patience: Duration) -> Self {
        self.patience = Mutex::new(patience);
        self
    }

    /// The same, within a budget that others share.
    pub fn sharing(self, turns: Arc<dyn Turns>) -> Self {
        Self { turns: Some(turns), ..self }
    }

    /// Waits out a limit, when there is patience for it.
    async fn waited_out(&self, after: Option<Duration>, tries: u32) -> bool {
        let wait = after.unwrap_or(FIRST_WAIT * 2_u32.pow(tries.min(RETRIES)));
        {
            let mut patience = self.patience.lock().await;
            let Some(left) = patience.checked_sub(wait).filter(|_| tries < RETRIES) else { return false };
            *patience = left;
        }
        tokio::time::sleep(wait).await;
        true
    }

    /// What the App API answers to a `GET` of `place`, which errors call `path`.
    async fn get(&self, path: &'static str, place: &str, query: &str, time: Duration) -> Result<String, AppApiError> {
        let question = if query.is_empty() { "" } else { "?" };
        let url = http::address(&format!("{}{place}{question}{query}", self.base)).map_err(|_| AppApiError::Address)?;
        let headers = [self.authorization().await?];
        let time = time.min(ANSWER_WITHIN);
        let answer = taken(self.client.get(&url, &headers, ANSWER_BYTES, time, self.clock.now()).await?, path);
        if let (Err(AppApiError::Limited { after }), Some(turns)) = (&answer, &self.turns) {
            turns.limited(*after).await;
        }
        answer
    }

    async fn authorization(&self) -> Result<(HeaderName, HeaderValue), AppApiError> {
        let key = self.secrets.get(&self.key).await?;
        let value = HeaderValue::from_str(&format!("Bearer {}", key.reveal()));
        let mut value = value.map_err(|_| AppApiError::Key(format!("{} holds no key", self.key)))?;
        value.set_sensitive(true);
        Ok((AUTHORIZATION, value))
    }

    /// Waits for this request's turn, at most so long where others have theirs too.
    async fn pace(&self, urgency: Urgency, time: Duration) -> Result<(), AppApiError> {
        if let Some(turns) = &self.turns {
            tokio::time::sleep(turns.take(urgency, time).await?).await;
            return Ok(());
        }
        let mut next = self.next.lock().await;
        if let Some(at) = *next {
            tokio::time::sleep_until(at).await;
        }
        *next = Some(Instant::now() + GAP);
        Ok(())
    }
}

#[async_trait]
impl Records for AppApi {
    async fn ask(&self, question: &Question<'_>) -> Result<String, AppApiError> {
        let (place, query) = question.address();
        let mut tries = 0;
        loop {
            self.pace(Urgency::Urgent, PATIENCE).await?;
            match self.get(question.path(), &place, &query, ANSWER_WITHIN).await {
                Err(AppApiError::Limited { after }) if self.waited_out(after, tries).await => tries += 1,
                answer => return answer,
            }
        }
    }
}

#[async_trait]
impl Directory for AppApi {
    async fn list(&self, row: &'static ListRow, time: Duration) -> Result<BTreeMap<String, String>, AppApiError> {
        let until = Instant::now() + time;
        let mut names = BTreeMap::new();
        let mut start: Option<String> = None;
        for page in 0..PAGES {
            let left = || until.saturating_duration_since(Instant::now());
            // What was read is worth something: the lists begin with the newest.
            if page > 0 && left().is_zero() {
                break;
            }
            self.pace(Urgency::CanWait, left()).await?;
            let query = match &start {
                None => row.query.to_owned(),
                Some(start) if row.query.is_empty() => format!("start={}", encoded(start)),
                Some(start) => format!("{}&start={}", row.query, encoded(start)),
            };
            let body = match self.get(row.path, row.path, &query, left()).await {
                // A limit passes: the list is asked for again, whole. What stays is no reason to lose what was read.
                Err(error) if page > 0 && !matches!(error, AppApiError::Limited { .. }) => {
                    tracing::warn!(event = "names_cut_short", list = row.path, %error);
                    break;
                }
                answer => answer?,
            };
            let page = listing::page(&body, row.wrapper).ok_or(AppApiError::NoList { path: row.path })?;
            names.extend(page.names);
            match page.next {
                Some(next) if start.as_ref() != Some(&next) => start = Some(next),
                _ => return Ok(names),
            }
        }
        tracing::warn!(event = "names_cut", list = row.path, names = names.len());
        Ok(names)
    }

    async fn answer(&self, question: &Question<'_>, urgency: Urgency, time: Duration) -> Result<String, AppApiError> {
        let begun = Instant::now();
        self.pace(urgency, time).await?;
        let (place, query) = question.address();
        self.get(question.path(), &place, &query, time.saturating_sub(begun.elapsed())).await
    }

    async fn by_day(
        &self,
        id: &str,
        metric: &str,
        dates: Range<Date>,
        zone: &TimeZone,
        time: Duration,
    ) -> Result<Vec<u64>, AppApiError> {
        const PATH: &str = "/v1/campaigns/{id}/metrics";
        let begun = Instant::now();
        self.pace(Urgency::CanWait, time).await?;
        let time = time.saturating_sub(begun.elapsed());
        let midnight = |date: Date| period::midnight(date, zone).as_second();
        let query = format!(
            "version=2&res=days&tz={}&start={}&end={}",
            encoded(zone.iana_name().unwrap_or("UTC")),
            midnight(dates.start),
            midnight(dates.end)
        );
        let body = self.get(PATH, &format!("/v1/campaigns/{}/metrics", encoded(id)), &query, time).await?;
        let wanted =
            usize::try_from(dates.start.until(dates.end).map_or(0, |span| span.get_days())).unwrap_or_default();
        // One day more than asked for is today's beginning; fewer, and nobody knows which.
        let series = campaign::series(&body, metric).filter(|series| (wanted..=wanted + 1).contains(&series.len()));
        let mut series = series.ok_or(AppApiError::NoList { path: PATH })?;
        series.truncate(wanted);
        Ok(series)
    }

    async fn campaign(&self, id: &str, from: Timestamp, to: Timestamp, time: Duration) -> Result<Said, AppApiError> {
        let until = Instant::now() + time;
        let ask = async |path: &'static str, rest: &str, query: &str| {
            self.pace(Urgency::Urgent, until.saturating_duration_since(Instant::now())).await?;
            let place = format!("/v1/campaigns/{}{rest}", encoded(id));
            self.get(path, &place, query, until.saturating_duration_since(Instant::now())).await
        };
        let state = campaign::state(&ask("/v1/campaigns/{id}", "", "").await?);
        let hours = usize::try_from(to.duration_since(from).as_hours()).unwrap_or_default();
        if hours == 0 {
            return Ok(Said { state, ..Said::default() });
        }
        // A week before as well: what is usual differs from workflow to workflow.
        let before = (from - WEEK).as_second();
        let (from, to) = (from.as_second(), to.as_second());
        let metrics = "/v1/campaigns/{id}/journey_metrics";
        let asked = format!("start={before}&end={to}&resolution=hours");
        let entered = ask(metrics, "/journey_metrics", &asked).await.map(|body| campaign::series(&body, "started"));
        let metrics = "/v1/campaigns/{id}/metrics";
        let asked = format!("version=2&res=hours&tz=UTC&start={from}&end={to}");
        let sent = ask(metrics, "/metrics", &asked).await.map(|body| campaign::series(&body, "sent"));
        for error in [entered.as_ref().err(), sent.as_ref().err()].into_iter().flatten() {
            tracing::warn!(event = "campaign_not_asked", campaign = id, %error);
        }
        let entered = entered.ok().flatten().filter(|series| series.len() > hours);
        let total = |series: &[u64]| series.iter().sum();
        Ok(Said {
            state,
            started: entered.as_ref().map(|series| series.iter().rev().take(hours).sum()),
            started_before: entered.as_ref().map(|series| series.iter().take(hours).sum()),
            sent: sent.ok().flatten().map(|series| total(&series)),
        })
    }
}

/// The text of a success, or what else the answer means.
fn taken(answer: Answer, path: &'static str) -> Result<String, AppApiError> {
    match answer.status {
        200..=299 if answer.body.len() >= ANSWER_BYTES => Err(AppApiError::TooLong { path }),
        200..=299 => Ok(answer.body),
        status @ (401 | 403) => Err(AppApiError::Refused { status, path }),
        429 => Err(AppApiError::Limited { after: answer.retry_after }),
        status => Err(AppApiError::Status { status, path }),
    }
}

/// What a period is compared with: the same hours of the same weekday.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A query's value, percent-encoded (RFC 3986, section 2.3): an unencoded `+` gives an empty answer, not an error.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
