//! What a receiver hears about an incident now, and why: a pure decision over incident, told and time (law 7).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::act::What;
use super::told::{Receipt, Stage, Told};
use super::{Incident, Numbers, Severity, State, Subject};
use crate::config::schema::Storm;
use crate::receivers::Abilities;
use crate::silence::Silence;

/// What is to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notify {
    Opened,
    /// The severity rose.
    Worsened {
        from: Severity,
        to: Severity,
    },
    /// Repeated after `repeat_every`, for receivers that can post.
    StillOpen,
    /// The numbers may have changed since `update_every`, or a diagnosis is there: to be compared, and what was said
    /// rewritten if they did.
    Compare,
    /// Somebody acknowledged or silenced it, and so many acts are known by that: for receivers that can show it without
    /// calling anybody.
    Acted {
        acts: u32,
    },
    Resolved,
    /// It was over before this receiver could be told.
    OpenedAndResolved,
    Digest,
    No(Quiet),
}

/// Why nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quiet {
    /// The receiver knows all there is; look again then, if ever.
    UpToDate { until: Option<Timestamp> },
    /// The last attempt failed, or a group is given time to fill.
    Waiting { until: Timestamp },
    /// Too many are open already: a roll-up is to name it.
    Crowded,
    /// A silence has muted its opening, or its whole life: to be recorded against it ([`silenced`]).
    Silenced,
    /// A silence mutes it, and what is recorded says all there is to say of that.
    Muted,
    /// Over, and this receiver hears nothing of that: it can only page and was not told, or a roll-up tells it.
    NothingLeftToSay,
    /// Nothing more will be said of this episode.
    Finished,
}

/// How a receiver wants to be spoken to.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Without being able to post it hears only what opens and closes a page.
    pub abilities: Abilities,
    pub storm: Storm,
}

/// How long a pair is left alone whose state only a later version can read: longer than a queue hides a hint, so that
/// none of its tries is used up and tick makes new hints until that version is deployed.
pub const LATER_VERSION: Duration = Duration::from_secs(90);

/// Decides. `told` must speak of the incident's episode, `silence` mutes the incident now.
///
/// A silence mutes openings, what became worse, repeats and edits; never the resolve of an opening that was delivered.
pub fn next_notification(
    incident: &Incident,
    told: &Told,
    policy: &Policy,
    silence: Option<&Silence>,
    now: Timestamp,
) -> Notify {
    if told.is_final() {
        return Notify::No(Quiet::Finished);
    }
    if let Some(until) = told.next_attempt_at.filter(|at| now < *at) {
        return Notify::No(Quiet::Waiting { until });
    }
    match (&told.stage, incident.state) {
        (Stage::Newer, _) => Notify::No(Quiet::Waiting { until: now + LATER_VERSION }),
        _ if matches!(incident.subject, Subject::Digest { .. }) => Notify::Digest,
        (Stage::Nothing | Stage::Silenced { .. }, State::Open) => opening(incident, told, policy, silence, now),
        // It can post, and is told both: it may have heard of neither.
        (Stage::Nothing, State::Resolved { .. }) if told.begun && policy.abilities.posts && silence.is_none() => {
            Notify::OpenedAndResolved
        }
        // An opening that nobody heard of may stand there all the same, and no silence keeps its end back; to close one
        // that is not there does no harm.
        (Stage::Nothing | Stage::Silenced { .. } | Stage::RolledUp { .. }, State::Resolved { .. }) if told.begun => {
            Notify::Resolved
        }
        (Stage::Nothing | Stage::Silenced { .. }, State::Resolved { .. }) if silence.is_some() => {
            Notify::No(Quiet::Silenced)
        }
        // It ended while it was muted, unless it was tried since, in vain: then no silence kept it from the receiver.
        (Stage::Silenced { .. }, State::Resolved { .. }) if told.trouble.is_none() => Notify::No(Quiet::Silenced),
        (Stage::Nothing | Stage::Silenced { .. }, State::Resolved { .. }) if policy.abilities.posts => {
            Notify::OpenedAndResolved
        }
        (Stage::Nothing | Stage::Silenced { .. } | Stage::RolledUp { .. }, State::Resolved { .. }) => {
            Notify::No(Quiet::NothingLeftToSay)
        }
        (Stage::Opened { .. }, State::Resolved { .. }) => Notify::Resolved,
        // Also under a silence: it may be the very one that somebody made, and nobody is called.
        (Stage::Opened { severity }, State::Open)
            if *severity >= incident.severity && shows_acts(incident, told, policy) =>
        {
            Notify::Acted { acts: incident.acts_so_far() }
        }
        (Stage::Opened { .. } | Stage::RolledUp { .. }, State::Open) if silence.is_some() => Notify::No(Quiet::Muted),
        // Worse than the roll-up said: now it is told by itself.
        (Stage::RolledUp { severity }, State::Open) if incident.severity > *severity => Notify::Opened,
        (Stage::RolledUp { .. }, State::Open) => Notify::No(Quiet::UpToDate { until: None }),
        (Stage::Opened { severity }, State::Open) if incident.severity > *severity => {
            Notify::Worsened { from: *severity, to: incident.severity }
        }
        (Stage::Opened { .. }, State::Open) if incident.is_deliberate() => Notify::No(Quiet::UpToDate { until: None }),
        (Stage::Opened { .. }, State::Open) => repeating(incident, told, policy, now),
        (Stage::Finished | Stage::Skipped | Stage::Undeliverable { .. } | Stage::Dropped { .. }, _) => {
            Notify::No(Quiet::Finished)
        }
    }
}

fn opening(incident: &Incident, told: &Told, policy: &Policy, silence: Option<&Silence>, now: Timestamp) -> Notify {
    let until = opening_due(incident, &policy.storm);
    // Not for a clock that is behind the one that opened it: without a wait there is nothing to wait for.
    let waits = until > incident.opened_at && now < until && !incident.crowded;
    match silence {
        // One that is over before the opening is due has muted nothing.
        _ if waits => Notify::No(Quiet::Waiting { until }),
        Some(silence) if matches!(&told.stage, Stage::Silenced { silence: by, .. } if *by == silence.id) => {
            Notify::No(Quiet::Muted)
        }
        Some(_) => Notify::No(Quiet::Silenced),
        None if incident.crowded => Notify::No(Quiet::Crowded),
        None => Notify::Opened,
    }
}

/// When an opening is told: a critical one at once, others when their group had time to fill.
pub fn opening_due(incident: &Incident, storm: &Storm) -> Timestamp {
    let waits = incident.severity < Severity::Critical;
    if waits { incident.opened_at + storm.group_wait } else { incident.opened_at }
}

/// Whether people did something since that this receiver can show.
fn shows_acts(incident: &Incident, told: &Told, policy: &Policy) -> bool {
    let new = incident.acts.iter().skip(usize::try_from(told.acts).unwrap_or(usize::MAX));
    let mut new = new.map(|act| &act.what);
    policy.abilities.edits && new.clone().next().is_some()
        || policy.abilities.acknowledges && new.any(|what| *what != What::Closed)
}

fn repeating(incident: &Incident, told: &Told, policy: &Policy, now: Timestamp) -> Notify {
    let Some(last) = told.last_at.filter(|_| policy.abilities.posts) else {
        return Notify::No(Quiet::UpToDate { until: None });
    };
    let repeat = last + policy.storm.repeat_every;
    let repeat = incident.acknowledged_until().map_or(repeat, |until| repeat.max(until));
    if repeat <= now {
        return Notify::StillOpen;
    }
    let compared = told.compared_at.unwrap_or(last).max(last);
    // A diagnosis that came since does not wait; an edit that failed does. Its time is that of the tick which asked, and
    // that may have begun before the opening was told.
    let was_tried = |known_at| compared > last && known_at <= compared;
    let is_new = !told.diagnosed && incident.diagnosis().is_some_and(|(_, known_at)| !was_tried(known_at));
    let compare = if is_new { now } else { compared + policy.storm.update_every };
    match policy.abilities.edits {
        true if compare <= now => Notify::Compare,
        true => Notify::No(Quiet::UpToDate { until: Some(repeat.min(compare)) }),
        false => Notify::No(Quiet::UpToDate { until: Some(repeat) }),
    }
}

/// What is recorded once the receiver has taken a message that said these numbers.
pub fn delivered(
    incident: &Incident,
    told: &Told,
    notify: Notify,
    (receipt, said): (Receipt, Numbers),
    now: Timestamp,
) -> Told {
    let stage = match notify {
        Notify::Resolved | Notify::OpenedAndResolved | Notify::Digest => Stage::Finished,
        _ => Stage::Opened { severity: incident.severity },
    };
    Told {
        episode: incident.episode,
        stage,
        // An edit reminds nobody: the next reminder is due as it was.
        last_at: if matches!(notify, Notify::Compare | Notify::Acted { .. }) { told.last_at } else { Some(now) },
        compared_at: Some(now),
        said: Some(said),
        acts: incident.acts_so_far(),
        diagnosed: incident.diagnosis().is_some(),
        receipt: Some(Box::new(receipt)),
        begun: false,
        attempts: 0,
        next_attempt_at: None,
        trouble: None,
        stood_in_for: told.stood_in_for.clone(),
    }
}

/// What is recorded before an opening is sent: its end might else not be said if nobody heard that it was taken (the
/// receiver can only page, a roll-up tells it, or a silence mutes it by then).
pub fn begun(told: &Told, notify: Notify, policy: &Policy) -> Option<Told> {
    let opens = match notify {
        Notify::Opened => true,
        Notify::StillOpen => !policy.abilities.posts || matches!(told.stage, Stage::RolledUp { .. }),
        _ => false,
    };
    (opens && !told.begun).then(|| Told { begun: true, ..told.clone() })
}

/// What is recorded when there was nothing new to write into what was said.
pub fn compared(told: &Told, now: Timestamp) -> Told {
    Told { compared_at: Some(now), ..told.clone() }
}

/// What is recorded so that a receiver which did not take something is told again what is true now. One that took the
/// opening is owed its end, and not another opening (law 7).
pub fn again(incident: &Incident, told: &Told) -> Told {
    let stage = match told.stage {
        Stage::Undeliverable { .. } if told.receipt.is_some() => Stage::Opened { severity: incident.severity },
        Stage::Undeliverable { .. } => Stage::Nothing,
        _ => told.stage.clone(),
    };
    Told { stage, trouble: None, ..rested(told) }
}

/// What is recorded when a silence has muted the opening; `silence` mutes it now, else the one that is recorded did.
pub fn silenced(incident: &Incident, told: &Told, silence: Option<&Silence>) -> Told {
    let by = match (silence, &told.stage) {
        (_, Stage::Silenced { silence, .. }) if !incident.is_open() => silence.clone(),
        (Some(silence), _) => silence.id.clone(),
        (None, Stage::Silenced { silence, .. }) => silence.clone(),
        (None, _) => String::new(),
    };
    Told { stage: Stage::Silenced { silence: by, over: !incident.is_open() }, trouble: None, ..rested(told) }
}

/// What is recorded when the receiver will never take a message. An opening that it did take stays told, whatever
/// it says of a repeat: its resolve is still owed (law 7).
pub fn refused(told: &Told, notify: Notify, why: String, now: Timestamp) -> Told {
    match notify {
        Notify::Worsened { to, .. } => {
            Told { stage: Stage::Opened { severity: to }, last_at: Some(now), trouble: Some(why), ..rested(told) }
        }
        Notify::StillOpen => Told { last_at: Some(now), trouble: Some(why), ..rested(told) },
        Notify::Compare => Told { compared_at: Some(now), trouble: Some(why), ..rested(told) },
        Notify::Acted { acts } => Told { acts, trouble: Some(why), ..rested(told) },
        _ => Told { stage: Stage::Undeliverable { reason: why }, next_attempt_at: None, ..told.clone() },
    }
}

fn rested(told: &Told) -> Told {
    Told { attempts: 0, next_attempt_at: None, ..told.clone() }
}

/// What is recorded when the receiver could not take it now. A wait that the receiver asked for is no failed
/// attempt of our schedule.
pub fn failed(told: &Told, asked: Option<Duration>, why: String, now: Timestamp) -> Told {
    let attempts = told.attempts + u32::from(asked.is_none());
    let wait = asked.unwrap_or_else(|| backoff(attempts));
    let wait = SignedDuration::try_from(wait).unwrap_or(LONGEST_WAIT);
    Told { attempts, next_attempt_at: Some(now + wait.min(LONGEST_ASKED)), trouble: Some(why), ..told.clone() }
}

/// The longest wait between our own attempts (design, law 7).
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);

/// A receiver that asks for more than this is asked again all the same.
const LONGEST_ASKED: SignedDuration = SignedDuration::from_hours(1);

/// Waits after the first, second, ... failed attempt: 1 s, 2 s, 30 s, 60 s, then doubling to 15 min (law 7).
pub fn backoff(attempts: u32) -> Duration {
    let seconds = match attempts {
        0 | 1 => 1,
        2 => 2,
        3 => 30,
        n => 60u64.saturating_mul(1 << (n - 4).min(10)),
    };
    Duration::from_secs(seconds.min(LONGEST_WAIT.as_secs().unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::diagnosis::Diagnosis;
    use crate::incident::{How, IncidentKey, Numbers};
    use crate::route::Labels;

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    fn incident(severity: Severity, state: State) -> Incident {
        let subject = Subject::Rule { name: "failures".into(), group: Default::default() };
        Incident {
            key: IncidentKey::new("acme", &subject),
            episode: 1,
            version: 1,
            subject,
            severity,
            labels: Labels::new(),
            receivers: vec!["on-call".into()],
            state,
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

    const RESOLVED: State = State::Resolved { at: Timestamp::UNIX_EPOCH, how: How::Quiet };

    fn told(stage: Stage) -> Told {
        Told { stage, last_at: Some(at(0)), ..Told::nothing(1) }
    }

    fn policy(posts: bool) -> Policy {
        let storm = Storm { group_wait: SignedDuration::from_mins(2), ..Storm::default() };
        Policy {
            abilities: Abilities { posts, edits: false, acknowledges: false, burst: 1, names_chars: 1_000 },
            storm,
        }
    }

    fn next(severity: Severity, state: State, stage: Stage, posts: bool, minute: i64) -> Notify {
        next_notification(&incident(severity, state), &told(stage), &policy(posts), None, at(minute))
    }

    #[test]
    fn a_diagnosis_is_written_into_the_message_at_once_and_an_edit_that_failed_waits() {
        let mut policy = policy(true);
        policy.abilities.edits = true;
        let next = |known, compared, diagnosed| {
            let diagnosis = Some(Diagnosis::Known { text: "why".into(), at: at(known) });
            let incident = Incident { diagnosis, ..incident(Severity::Critical, State::Open) };
            let stage = Stage::Opened { severity: Severity::Critical };
            let told =
                Told { last_at: Some(at(1)), compared_at: Some(at(compared)), diagnosed, ..super::tests::told(stage) };
            next_notification(&incident, &told, &policy, None, at(4)) == Notify::Compare
        };
        // The tick that asked had begun before the opening was told.
        assert!(next(0, 1, false));
        assert!(next(3, 1, false));
        assert!(!next(2, 3, false), "the edit failed");
        assert!(next(3, 2, false), "an edit of numbers was before it");
        assert!(!next(0, 1, true));
    }

    #[test]
    fn the_decision_table() {
        use Severity::{Critical, Warning};
        let opened = |severity| Stage::Opened { severity };
        assert_eq!(next(Critical, State::Open, Stage::Nothing, false, 0), Notify::Opened);
        let wait = Notify::No(Quiet::Waiting { until: at(2) });
        assert_eq!(next(Warning, State::Open, Stage::Nothing, true, 1), wait);
        assert_eq!(next(Warning, State::Open, Stage::Nothing, true, 2), Notify::Opened);
        assert_eq!(
            next(Critical, State::Open, opened(Warning), false, 1),
            Notify::Worsened { from: Warning, to: Critical }
        );
        let known = |until| Notify::No(Quiet::UpToDate { until });
        assert_eq!(next(Warning, State::Open, opened(Critical), false, 1), known(None));
        assert_eq!(next(Critical, State::Open, opened(Critical), true, 239), known(Some(at(240))));
        assert_eq!(next(Critical, State::Open, opened(Critical), true, 240), Notify::StillOpen);
        assert_eq!(next(Critical, State::Open, opened(Critical), false, 999), known(None));
        assert_eq!(next(Critical, RESOLVED, opened(Critical), false, 1), Notify::Resolved);
        assert_eq!(next(Critical, RESOLVED, Stage::Nothing, true, 1), Notify::OpenedAndResolved);
        assert_eq!(next(Critical, RESOLVED, Stage::Nothing, false, 1), Notify::No(Quiet::NothingLeftToSay));
        assert_eq!(next(Critical, RESOLVED, Stage::Finished, true, 1), Notify::No(Quiet::Finished));
    }

    #[test]
    fn an_opening_that_may_have_been_taken_unheard_gets_its_end_also_under_a_silence() {
        let (open, over) = (incident(Severity::Critical, State::Open), incident(Severity::Critical, RESOLVED));
        let mute = Silence {
            id: "50000000".into(),
            matchers: crate::silence::Conditions::parse(&["rule=*".to_owned()]).expect("a condition"),
            start: at(0),
            end: at(99),
            author: "ada".into(),
            reason: "deploy".into(),
            created_at: at(0),
        };
        for (stage, posts, end) in [
            (Stage::Nothing, false, Notify::Resolved),
            (Stage::Nothing, true, Notify::OpenedAndResolved),
            (Stage::RolledUp { severity: Severity::Warning }, true, Notify::Resolved),
        ] {
            let told = told(stage);
            assert_eq!(next_notification(&open, &told, &policy(posts), None, at(1)), Notify::Opened);
            let begun = begun(&told, Notify::Opened, &policy(posts)).expect("is written down");
            assert_eq!(next_notification(&over, &begun, &policy(posts), None, at(2)), end);
            assert_eq!(next_notification(&over, &begun, &policy(posts), Some(&mute), at(2)), Notify::Resolved);
            let muted = silenced(&open, &begun, Some(&mute));
            assert_eq!(next_notification(&over, &muted, &policy(posts), Some(&mute), at(2)), Notify::Resolved);
            assert_eq!(super::begun(&begun, Notify::Opened, &policy(posts)), None, "written once");
        }
        let opened = told(Stage::Opened { severity: Severity::Critical });
        assert_eq!(begun(&opened, Notify::StillOpen, &policy(true)), None, "a reminder opens nothing");
    }

    #[test]
    fn a_refused_repeat_leaves_the_resolve_owed_and_a_refused_opening_is_undeliverable() {
        let opened = told(Stage::Opened { severity: Severity::Critical });
        let after = refused(&opened, Notify::StillOpen, "400".into(), at(240));
        let over = incident(Severity::Critical, RESOLVED);
        assert_eq!(next_notification(&over, &after, &policy(true), None, at(241)), Notify::Resolved);
        assert!(refused(&Told::nothing(1), Notify::Opened, "400".into(), at(1)).is_final());
    }

    #[test]
    fn nothing_is_said_before_the_next_attempt_is_due() {
        let told = Told { next_attempt_at: Some(at(3)), ..Told::nothing(1) };
        let incident = incident(Severity::Critical, State::Open);
        let wait = Notify::No(Quiet::Waiting { until: at(3) });
        assert_eq!(next_notification(&incident, &told, &policy(false), None, at(2)), wait);
        assert_eq!(next_notification(&incident, &told, &policy(false), None, at(3)), Notify::Opened);
    }

    #[test]
    fn what_a_later_version_knows_better_is_left_to_it() {
        for (state, posts) in [(State::Open, true), (RESOLVED, true), (RESOLVED, false)] {
            let incident = incident(Severity::Critical, state);
            let due = next_notification(&incident, &told(Stage::Newer), &policy(posts), None, at(1));
            assert_eq!(due, Notify::No(Quiet::Waiting { until: at(1) + LATER_VERSION }));
        }
    }

    #[test]
    fn waits_are_short_at_first_and_at_most_a_quarter_of_an_hour() {
        let waits: Vec<u64> = (1..=10).map(|n| backoff(n).as_secs()).collect();
        assert_eq!(waits, [1, 2, 30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(backoff(u32::MAX), Duration::from_secs(900));
    }

    #[test]
    fn a_wait_that_was_asked_for_leaves_our_own_schedule_alone() {
        let told = failed(&Told::nothing(1), Some(Duration::from_secs(7)), "busy".into(), at(0));
        assert_eq!((told.attempts, told.next_attempt_at), (0, Some(at(0) + SignedDuration::from_secs(7))));
        let told = failed(&told, None, "500".into(), at(1));
        assert_eq!((told.attempts, told.next_attempt_at), (1, Some(at(1) + SignedDuration::from_secs(1))));
    }
}
