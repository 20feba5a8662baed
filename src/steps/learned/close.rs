//! A verdict on each local day that is over, for digest and page.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::key;
use crate::heartbeat::history::{self, Day};
use crate::heartbeat::learned::{Profile, local};
use crate::heartbeat::{Every, Heartbeat, Judged, Verdict, period};
use crate::incident::{Incident, State};
use crate::steps::tick::Tick;
use crate::store::StoreError;

/// Most days that are closed at once, after a pause of tick.
const CLOSED_AT_ONCE: i32 = 14;

/// Keeps the verdicts on the days since it was learned last, for the digest: it was learned on each day but those that
/// tick was away for.
pub(super) async fn close_days(
    tick: &Tick<'_>,
    heartbeat: &Heartbeat,
    profile: &Profile,
    learned_on: i32,
    days: &[Day],
    (settled, now): (Timestamp, Timestamp),
) -> Result<(), StoreError> {
    let today = tick.config.workspace.zone.to_datetime(settled).date();
    let away = local::day_of(today).saturating_sub(learned_on).clamp(1, CLOSED_AT_ONCE);
    for ago in (1..=away).rev() {
        close_day(tick, heartbeat, profile, today.saturating_sub(ago.days()), days, (settled, now)).await?;
    }
    Ok(())
}

/// Keeps the verdict on a day: what was told of it, or that nothing was to be told.
async fn close_day(
    tick: &Tick<'_>,
    heartbeat: &Heartbeat,
    profile: &Profile,
    date: Date,
    days: &[Day],
    (settled, now): (Timestamp, Timestamp),
) -> Result<(), StoreError> {
    let zone = &tick.config.workspace.zone;
    let whole = period::containing(Every::Day { by: None }, period::midnight(date, zone), zone);
    let counted = history::of_dates(days, &[date], zone).pop().flatten();
    // What is judged late is told late.
    let late = now.duration_since(settled);
    let told = |incident: &Incident| {
        let until = match incident.state {
            State::Open => Timestamp::MAX,
            State::Resolved { at, .. } => at,
        };
        incident.opened_at - late < whole.end && whole.start < until
    };
    let episodes = tick.store.episodes(&key(tick, heartbeat)).await?;
    let verdict = match (episodes.iter().rev().find(|incident| told(incident)), counted) {
        (Some(incident), _) if incident.numbers.count < incident.numbers.of => Verdict::Low,
        (Some(_), _) => Verdict::High,
        (None, Some(_)) => Verdict::Ok,
        (None, None) => Verdict::Unknown,
    };
    let band = profile.day_band(local::day_of(date));
    let minutes = whole.end.duration_since(whole.start) / 60;
    let judged = Judged {
        heartbeat: heartbeat.name.clone(),
        period: whole,
        verdict,
        count: counted.unwrap_or_default(),
        at: now,
        covered: if counted.is_some() { minutes.as_secs() } else { 0 },
        minutes: minutes.as_secs(),
        usual: Some((band.low, band.high)),
    };
    tick.store.keep_verdict(&judged).await
}
