//! Silences: time-bound mutes by labels, stored and not configured. Pure; `steps/silences.rs` asks them when a
//! notification is due, `bridge silence` makes and ends them.
//!
//! A silence mutes only what it covers wholly: an incident that also has a source which no condition names is told.
//! A delivered opening gets its resolve whatever is silenced (design, law 7; what Alertmanager loses by a silence is in
//! <https://github.com/prometheus/alertmanager/issues/226>).

pub mod condition;
#[cfg(test)]
mod laws;
pub mod words;

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use condition::{Conditions, Unclear};

use crate::incident::{Incident, Subject};
use crate::route::{Label, Labels};

/// Days a silence is kept after its end: the digest and `bridge silence list` still name it.
pub const SILENCE_DAYS: i64 = 30;

/// The longest silence, in days: one that outlives everybody's memory is a change of configuration.
pub const LONGEST_DAYS: i64 = 92;

/// Longest reason and longest author, in characters: they stand in one line of a message.
pub const REASON_CHARS: usize = 200;
pub const AUTHOR_CHARS: usize = 64;

/// A mute by labels, from `start` up to, not including, `end`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Short, to be typed: 8 hex digits.
    pub id: String,
    /// All must hold.
    pub matchers: Conditions,
    pub start: Timestamp,
    pub end: Timestamp,
    pub author: String,
    pub reason: String,
    pub created_at: Timestamp,
}

/// An id that none of these has.
pub fn fresh_id(silences: &[Silence]) -> String {
    let taken: BTreeSet<&str> = silences.iter().map(|s| s.id.as_str()).collect();
    loop {
        // Seeded by the system's randomness.
        let random = RandomState::new().build_hasher().finish();
        let id = format!("{:08x}", random as u32);
        if !taken.contains(id.as_str()) {
            return id;
        }
    }
}

/// Where a silence is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It has not begun.
    Pending,
    Active,
    Ended,
}

impl Silence {
    pub fn standing(&self, now: Timestamp) -> Standing {
        match (now < self.start, now < self.end) {
            (true, true) => Standing::Pending,
            (false, true) => Standing::Active,
            (_, false) => Standing::Ended,
        }
    }

    /// Whether it is to be taken as deleted: over for [`SILENCE_DAYS`].
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now.duration_since(self.end) >= SignedDuration::from_hours(24 * SILENCE_DAYS)
    }

    /// The same one, over at `now` at the latest; one that has not begun never begins.
    pub fn ended(&self, now: Timestamp) -> Self {
        let end = self.end.min(now);
        Self { start: self.start.min(end), end, ..self.clone() }
    }

    /// Whether it is about this incident, with labels that may say more than those it opened with. The digest is never
    /// silenced, nor is a roll-up, whose members are asked one by one; blindness is, but only when it is named.
    pub fn covers(&self, incident: &Incident, labels: &Labels) -> bool {
        match incident.subject {
            Subject::Rule { .. }
            | Subject::Heartbeat { .. }
            | Subject::Canary { .. }
            | Subject::Lag { .. }
            | Subject::Drafts { .. }
            | Subject::Drift { .. }
            | Subject::Reconciliation { .. } => self.matchers.hold(labels),
            Subject::Blindness if self.matchers.name_blindness() => {
                // It has the labels of what it borrowed its route from, too.
                let mut labels = labels.clone();
                labels.insert(Label::Kind, vec![incident.subject.kind().to_owned()]);
                self.matchers.hold(&labels)
            }
            Subject::Blindness | Subject::Digest { .. } | Subject::RollUp { .. } => false,
        }
    }
}

/// The silence that mutes an incident with these labels now: of several the one that ends last.
pub fn muting<'a>(
    silences: &'a [Silence],
    incident: &Incident,
    labels: &Labels,
    now: Timestamp,
) -> Option<&'a Silence> {
    let active = silences.iter().filter(|s| s.standing(now) == Standing::Active && s.covers(incident, labels));
    active.max_by(|a, b| (a.end, &a.id).cmp(&(b.end, &b.id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{IncidentKey, Numbers, Severity, State};

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    pub fn incident_of(subject: Subject) -> Incident {
        Incident {
            key: IncidentKey::new("acme", &subject),
            episode: 1,
            version: 1,
            subject,
            severity: Severity::Critical,
            labels: Labels::new(),
            receivers: vec!["on-call".into()],
            state: State::Open,
            opened_at: at(0),
            since: at(0),
            last: at(0),
            found_late: false,
            numbers: Numbers::default(),
            samples: vec![],
            lines: vec![],
            acts: vec![],
            diagnosis: None,
            crowded: false,
            settled: false,
        }
    }

    pub fn silence(conditions: &[&str], start: i64, end: i64) -> Silence {
        let conditions: Vec<String> = conditions.iter().map(|c| (*c).to_owned()).collect();
        Silence {
            id: format!("{start:04}{end:04}"),
            matchers: Conditions::parse(&conditions).expect("conditions"),
            start: at(start),
            end: at(end),
            author: "ada".into(),
            reason: "deploy".into(),
            created_at: at(0),
        }
    }

    fn labels(pairs: &[(Label, &[&str])]) -> Labels {
        pairs.iter().map(|(l, v)| (*l, v.iter().map(|v| v.to_string()).collect())).collect()
    }

    pub fn rule() -> Subject {
        Subject::Rule { name: "bounce-rate".into(), group: Default::default() }
    }

    #[test]
    fn it_mutes_from_its_start_up_to_its_end_and_of_several_the_last_to_end_counts() {
        let (incident, of) = (incident_of(rule()), labels(&[(Label::Rule, &["bounce-rate"])]));
        let silences = [silence(&["rule=bounce-*"], 10, 20), silence(&["rule=*"], 12, 30), silence(&["rule=x"], 0, 99)];
        let muted_by = |minute| muting(&silences, &incident, &of, at(minute)).map(|s| s.end);
        assert_eq!(
            [9, 10, 12, 20, 29, 30].map(muted_by),
            [None, Some(at(20)), Some(at(30)), Some(at(30)), Some(at(30)), None]
        );
    }

    #[test]
    fn one_of_several_sources_that_no_condition_names_is_told() {
        let incident = incident_of(rule());
        let named = silence(&["source=campaign:5", "source=transactional:*"], 0, 9);
        for (sources, muted) in [
            (&["campaign:5"][..], true),
            (&["campaign:5", "transactional:2"], true),
            (&["campaign:5", "campaign:6"], false),
            (&[], false),
        ] {
            assert_eq!(named.covers(&incident, &labels(&[(Label::Source, sources)])), muted, "{sources:?}");
        }
        let both = silence(&["source=campaign:5", "severity=warning"], 0, 9);
        let of = |severity| labels(&[(Label::Source, &["campaign:5"]), (Label::Severity, &[severity])]);
        assert!(both.covers(&incident, &of("warning")) && !both.covers(&incident, &of("critical")));
    }

    #[test]
    fn blindness_is_silenced_only_by_its_name_and_a_digest_or_roll_up_never() {
        let of = |kind| labels(&[(Label::Kind, &[kind]), (Label::Severity, &["critical"])]);
        let (wide, named) = (silence(&["kind=*"], 0, 9), silence(&["kind=blindness", "severity=critical"], 0, 9));
        let severity = silence(&["severity=critical"], 0, 9);
        let blind = incident_of(Subject::Blindness);
        assert!(named.covers(&blind, &of("blindness")));
        assert!(!wide.covers(&blind, &of("blindness")) && !severity.covers(&blind, &of("blindness")));
        for subject in [
            Subject::Digest { date: "2026-11-24".into() },
            Subject::RollUp { receiver: "on-call".into(), members: vec![] },
        ] {
            let kind = subject.kind();
            assert!(!wide.covers(&incident_of(subject), &of(kind)), "{kind}");
        }
    }

    #[test]
    fn ending_one_that_has_not_begun_leaves_nothing_of_it() {
        let ended = silence(&["rule=*"], 10, 20).ended(at(5));
        assert!((0..30).all(|minute| ended.standing(at(minute)) != Standing::Active));
        let cut = silence(&["rule=*"], 10, 20).ended(at(15));
        assert_eq!((cut.start, cut.end), (at(10), at(15)));
        assert_eq!(cut.ended(at(99)), cut, "ending it again changes nothing");
        assert!(!cut.is_expired(at(15 + 30 * 24 * 60 - 1)) && cut.is_expired(at(15 + 30 * 24 * 60)));
    }
}
