//! The links that messages carry: to an incident, for the receiver that hears of it, and to the whole page.

use jiff::Timestamp;

use super::link::{Grant, IN_MESSAGES, LinkKeys, May};
use crate::incident::{Incident, IncidentKey};
use crate::message::Link;

/// Where the page is.
pub const STATUS: &str = "/status";

/// Where incidents are: `/status/incident/KEY-EPISODE`, for ever.
const INCIDENT: &str = "/status/incident/";

/// Where people reach the bridge, and what signs links to it.
#[derive(Clone, Debug)]
pub struct Links {
    base_url: String,
    keys: LinkKeys,
}

impl Links {
    pub fn new(base_url: &str, keys: LinkKeys) -> Self {
        Self { base_url: base_url.trim_end_matches('/').to_owned(), keys }
    }

    /// To an incident, for who is told of it: to act while it is open, to read afterwards.
    pub fn to_incident(&self, incident: &Incident, receiver: &str, now: Timestamp) -> Link {
        let (may, text) = match incident.is_open() {
            true => (May::Act, "Details, acknowledge, silence"),
            false => (May::Read, "Details"),
        };
        self.link(&path_of(incident), text, may, receiver, now)
    }

    /// To the whole page, to read.
    pub fn to_status(&self, receiver: &str, now: Timestamp) -> Link {
        self.link(STATUS, "Status page", May::Read, receiver, now)
    }

    fn link(&self, path: &str, text: &str, may: May, receiver: &str, now: Timestamp) -> Link {
        let grant = Grant { may, until: now + IN_MESSAGES, to: Some(receiver.to_owned()) };
        Link { text: text.to_owned(), href: self.base_url.clone() + &self.keys.link(path, &[], &grant) }
    }
}

/// The stable path of an incident.
pub fn path_of(incident: &Incident) -> String {
    format!("{INCIDENT}{}-{}", incident.key, incident.episode)
}

/// The incident that a path is about.
pub fn incident_at(path: &str) -> Option<(IncidentKey, u32)> {
    let (key, episode) = path.strip_prefix(INCIDENT)?.rsplit_once('-')?;
    let is_key = !key.is_empty() && key.bytes().all(|b| b.is_ascii_hexdigit());
    Some((IncidentKey(key.to_owned()), episode.parse().ok()?)).filter(|_| is_key)
}
