//! `[canary]`: the event that is sent to see whether it comes back.

use jiff::SignedDuration;

use super::receivers::HOUR;
use crate::config::reader::{Item, Problem, Table, quoted};
use crate::config::schema::Canary;
use crate::heartbeat::Heartbeat;
use crate::incident::Severity;

/// The event's name, unless the file has another.
const EVENT: &str = "bridge_canary";

/// How often one is sent, unless the file says otherwise.
const EVERY: SignedDuration = SignedDuration::from_mins(5);

/// `[canary]`. Its campaign is no traffic, so no heartbeat can be of it.
pub fn canary(file: &mut Table<'_>, heartbeats: &[Heartbeat]) -> Option<Canary> {
    let mut table = file.table("canary")?;
    let profile = table.need("profile", Item::name);
    let campaign = table.need("campaign", |item| {
        let campaign = item.integer(1..=u64::MAX)?;
        let of_canary = |h: &&Heartbeat| h.source.to_string() == format!("campaign:{campaign}");
        if let Some(heartbeat) = heartbeats.iter().find(of_canary) {
            let what = format!(
                "{} is the source of the heartbeat {}, and what the canary's workflow sends never counts",
                item.place(),
                quoted(&heartbeat.name)
            );
            item.error(Problem::error(what).allowed("a workflow of its own, which sends to the test profile only"));
            return None;
        }
        Some(campaign)
    });
    let event = table.get("event", Item::name).unwrap_or_else(|| EVENT.to_owned());
    let minute = SignedDuration::from_mins(1);
    let every = table.get("every", |item| item.duration(minute..=HOUR)).unwrap_or(EVERY);
    let site_id = table.need("site_id", Item::secret);
    let api_key = table.need("api_key", Item::secret);
    let severity = table.get("severity", |item| item.one_of(&Severity::ALL, Severity::as_str));
    let url = table.get("url", Item::url);
    table.finish();
    Some(Canary {
        profile: profile?,
        campaign: campaign?,
        event,
        every,
        site_id: site_id?,
        api_key: api_key?,
        url,
        severity: severity.unwrap_or(Severity::Warning),
    })
}
