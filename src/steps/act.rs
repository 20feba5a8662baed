//! act: what a person does about an open incident through a signed link. Written down with the incident, by conditional
//! write, before anything comes of it; receivers are told by hints, as of any change.

use jiff::civil::time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::{facts, open, resolve};
use crate::config::Config;
use crate::customerio::mask::mask;
use crate::incident::act::{ACTS, Act, What};
use crate::incident::{How, Incident, Subject};
use crate::message::text;
use crate::queue::Outbox;
use crate::silence::{Conditions, Silence, fresh_id};
use crate::store::{Store, StoreError, Write};

/// The longest name that is typed, in characters.
pub const NAME_CHARS: usize = 40;

/// When "until tomorrow" is over, local: people are at their desks.
const MORNING: jiff::civil::Time = time(9, 0, 0, 0);

/// Tries to change an incident that others change too.
const WRITES_AT_MOST: usize = 5;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// "I have it": no reminders for a day, and PagerDuty stops calling.
    Acknowledge,
    SilenceHour,
    SilenceUntilTomorrow,
    Close,
}

impl Deed {
    pub const ALL: [Deed; 4] = [Self::Acknowledge, Self::SilenceHour, Self::SilenceUntilTomorrow, Self::Close];

    /// What a form calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::SilenceHour => "silence_hour",
            Self::SilenceUntilTomorrow => "silence_until_tomorrow",
            Self::Close => "close",
        }
    }

    /// Until when it silences, if it does.
    fn silences_until(self, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Acknowledge | Self::Close => None,
            Self::SilenceHour => Some(now + SignedDuration::from_hours(1)),
            Self::SilenceUntilTomorrow => {
                let tomorrow = now.to_zoned_datetime(zone.clone()).date().saturating_add(1.day());
                let morning = tomorrow.to_datetime(MORNING).to_zoned_datetime(zone.clone());
                Some(morning.map_or(now + SignedDuration::from_hours(24), |at| at.timestamp()))
            }
        }
    }
}

/// Who did it, as far as anybody knows.
#[derive(Clone, Debug)]
pub struct Who {
    /// As it was typed.
    pub name: String,
    /// The receiver that the link was sent to.
    pub via: Option<String>,
}

/// Why nothing was done, in words for the person who wanted it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Undone {
    #[error("say who you are: a name of 1 to {NAME_CHARS} characters")]
    Nameless,
    #[error("there is no such incident any more")]
    Unknown,
    #[error("it is over already")]
    Over,
    #[error("a digest, or a list of incidents, is nothing to act on; open one of the incidents")]
    NotForThis,
    #[error("too much was done about it already ({ACTS} times)")]
    TooMany,
    #[error("others changed it at the same time; try again")]
    Busy,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether people can act on incidents of this kind.
pub const fn may_act_on(subject: &Subject) -> bool {
    !matches!(subject, Subject::Digest { .. } | Subject::RollUp { .. })
}

/// Does it, and says what the incident is then. To acknowledge again what the same person acknowledged changes nothing, so
/// that a form that is sent twice does no harm.
///
/// # Errors
/// See [`Undone`].
pub async fn act(
    (store, outbox, config): (&dyn Store, &dyn Outbox, &Config),
    wanted: &Incident,
    deed: Deed,
    who: &Who,
    now: Timestamp,
) -> Result<Incident, Undone> {
    let by = name(&who.name).ok_or(Undone::Nameless)?;
    for _ in 0..WRITES_AT_MOST {
        let episodes = store.episodes(&wanted.key).await?;
        let stored = episodes.into_iter().find(|i| i.episode == wanted.episode).ok_or(Undone::Unknown)?;
        if !may_act_on(&stored.subject) {
            return Err(Undone::NotForThis);
        }
        if is_done(&stored, deed, &by, now) {
            return Ok(stored);
        }
        if !stored.is_open() {
            return Err(Undone::Over);
        }
        if stored.acts.len() >= ACTS {
            return Err(Undone::TooMany);
        }
        let zone = &config.workspace.zone;
        let silence = match deed.silences_until(zone, now) {
            Some(until) => Some(silence(store, config, &stored, (&by, who.via.as_deref()), until, now).await?),
            None => None,
        };
        let what = match (&silence, deed) {
            (Some(silence), _) => What::Silenced { silence: silence.id.clone(), until: silence.end },
            (None, Deed::Close) => What::Closed,
            (None, _) => What::Acknowledged,
        };
        let mut changed = stored.clone();
        changed.acts.push(Act { what, by: by.clone(), via: who.via.clone(), at: now });
        if deed == Deed::Close {
            // What failed until now is what it was about; the minute of its last failure is the last that is.
            let failing = facts::gather(store, config, &changed, now).await?.failing;
            changed.last = failing.iter().map(|total| total.last).fold(changed.last, Timestamp::max);
            changed = resolve::over(store, config, changed, How::ByHand, now).await?;
        }
        // The silence first: a crash in between leaves one that is listed and ends by itself, not an act without it.
        if let Some(silence) = &silence {
            store.keep_silence(silence).await?;
        }
        if store.write_incident(&changed).await? == Write::Done {
            tracing::info!(event = "acted", incident = changed.id(), deed = deed.as_str(), via = who.via);
            open::hint(outbox, &changed, now).await?;
            return Ok(Incident { version: stored.version + 1, ..changed });
        }
        if let Some(silence) = silence {
            store.keep_silence(&silence.ended(now)).await?;
        }
    }
    Err(Undone::Busy)
}

/// Whether it was done already: by a form that was sent twice, or by a twin.
fn is_done(incident: &Incident, deed: Deed, by: &str, now: Timestamp) -> bool {
    let recent = |act: &&Act| act.by == by && now.duration_since(act.at) < SignedDuration::from_mins(1);
    let same = |act: &Act| match &act.what {
        What::Acknowledged => deed == Deed::Acknowledge,
        What::Silenced { .. } => matches!(deed, Deed::SilenceHour | Deed::SilenceUntilTomorrow),
        What::Closed => deed == Deed::Close,
    };
    incident.acts.last().filter(recent).is_some_and(same)
}

/// A typed name on one line, masked: it is shown, and somebody may type an address.
fn name(typed: &str) -> Option<String> {
    let line = typed.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty());
    let line = line.collect::<Vec<_>>().join(" ");
    let length = line.chars().count();
    (1..=NAME_CHARS).contains(&length).then(|| text::cut(&mask(&line, &[]), NAME_CHARS).into_owned())
}

/// A silence of just what the incident is about: one that becomes worse, or comes to other sources, is told.
async fn silence(
    store: &dyn Store,
    config: &Config,
    incident: &Incident,
    (by, via): (&str, Option<&str>),
    until: Timestamp,
    now: Timestamp,
) -> Result<Silence, Undone> {
    let matchers = Conditions::of_labels(&incident.labels).ok_or(Undone::NotForThis)?;
    let zone = &config.workspace.zone;
    let link = via.map_or_else(|| "a printed link".to_owned(), |via| format!("the link sent to \"{via}\""));
    let at = text::clock(now, zone, now);
    Ok(Silence {
        id: fresh_id(&store.silences().await?),
        matchers,
        start: now,
        end: until,
        author: format!("{by} (name not verified)"),
        reason: text::cut(&format!("incident {}, by {link} at {at}", incident.id()), crate::silence::REASON_CHARS)
            .into_owned(),
        created_at: now,
    })
}

#[cfg(test)]
mod tests;
