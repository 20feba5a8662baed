//! Whatever silences come and go: no resolve without its opening, no delivered opening without its resolve, and nothing
//! that never ends.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::tests::{incident_of, rule, silence};
use super::{Silence, muting};
use crate::config::schema::Storm;
use crate::incident::notify::{self, Notify, Policy, Quiet};
use crate::incident::told::{Receipt, Stage, Told};
use crate::incident::{How, Incident, Numbers, Severity, State};
use crate::receivers::Abilities;
use crate::route::{Label, Labels};

/// What the world does in one minute.
#[derive(Clone, Debug)]
enum Step {
    Nothing,
    Silence { conditions: &'static [&'static str], minutes: i64 },
    EndSilences,
    Worsens,
    Resolves,
    ReceiverFails,
}

fn step() -> impl Strategy<Value = Step> {
    let conditions = prop_oneof![
        Just(&["rule=bounce-rate"][..]),
        Just(&["severity=warning"][..]),
        Just(&["rule=other"][..]),
        Just(&["severity=critical", "rule=*"][..]),
    ];
    prop_oneof![
        4 => Just(Step::Nothing),
        3 => (conditions, 1..40_i64).prop_map(|(conditions, minutes)| Step::Silence { conditions, minutes }),
        1 => Just(Step::EndSilences),
        1 => Just(Step::Worsens),
        1 => Just(Step::Resolves),
        2 => Just(Step::ReceiverFails),
    ]
}

fn labels(incident: &Incident) -> Labels {
    Labels::from([
        (Label::Rule, vec!["bounce-rate".to_owned()]),
        (Label::Severity, vec![incident.severity.as_str().to_owned()]),
    ])
}

/// One incident and one receiver over some minutes.
struct World {
    incident: Incident,
    told: Told,
    silences: Vec<Silence>,
    policy: Policy,
    said: Vec<Notify>,
    now: i64,
}

impl World {
    fn at(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(self.now)
    }

    fn muted(&self) -> Option<&Silence> {
        muting(&self.silences, &self.incident, &labels(&self.incident), self.at())
    }

    fn deliver(&mut self, fails: bool) -> Result<(), TestCaseError> {
        // As deliver does: one thing after the other, until nothing is due.
        for _ in 0..8 {
            let now = self.at();
            let due = notify::next_notification(&self.incident, &self.told, &self.policy, self.muted(), now);
            self.told = match due {
                Notify::No(Quiet::Silenced) => notify::silenced(&self.incident, &self.told, self.muted()),
                Notify::No(Quiet::NothingLeftToSay) => Told { stage: Stage::Skipped, ..self.told.clone() },
                Notify::No(quiet) => {
                    // No silence holds an end back.
                    let owes = matches!(self.told.stage, Stage::Opened { .. }) && !self.incident.is_open();
                    let waits = matches!(quiet, Quiet::Waiting { .. });
                    prop_assert!(!owes || waits, "an end is held back: {quiet:?}");
                    return Ok(());
                }
                _ if fails => {
                    self.told = notify::failed(&self.told, None, "500".into(), now);
                    return Ok(());
                }
                due => {
                    let ends = matches!(due, Notify::Resolved | Notify::OpenedAndResolved);
                    prop_assert!(ends || self.muted().is_none(), "{due:?} though silenced");
                    self.said.push(due);
                    let receipt = (Receipt::default(), Numbers::default());
                    notify::delivered(&self.incident, &self.told, due, receipt, now)
                }
            };
        }
        prop_assert!(false, "something is due for ever: {:?}", self.told);
        Ok(())
    }
}

proptest! {
    #[test]
    fn no_resolve_without_its_opening_and_no_delivered_opening_without_its_resolve(
        steps in proptest::collection::vec(step(), 1..60), posts: bool, edits: bool,
    ) {
        let storm = Storm {
            group_wait: SignedDuration::from_mins(2),
            update_every: SignedDuration::from_mins(3),
            repeat_every: SignedDuration::from_mins(7),
            ..Storm::default()
        };
        let policy = Policy { abilities: Abilities { posts, edits: posts && edits, acknowledges: !posts, burst: 9, names_chars: 900 }, storm };
        let incident = Incident { severity: Severity::Warning, ..incident_of(rule()) };
        let mut world =
            World { incident, told: Told::nothing(1), silences: vec![], policy, said: vec![], now: 0 };
        let resolve = |world: &mut World| {
            if world.incident.is_open() {
                world.incident.state = State::Resolved { at: world.at(), how: How::Quiet };
            }
        };
        for step in steps {
            world.now += 1;
            let fails = matches!(step, Step::ReceiverFails);
            match step {
                Step::Nothing | Step::ReceiverFails => {}
                Step::Silence { conditions, minutes } => {
                    world.silences.push(silence(conditions, world.now, world.now + minutes));
                }
                Step::EndSilences => {
                    let now = world.at();
                    world.silences = world.silences.iter().map(|s| s.ended(now)).collect();
                }
                Step::Worsens if world.incident.is_open() => world.incident.severity = Severity::Critical,
                Step::Worsens => {}
                Step::Resolves => resolve(&mut world),
            }
            world.deliver(fails)?;
        }
        // Faults and silences stop; what is open is told then.
        world.now += 60;
        let open = world.incident.is_open();
        world.deliver(false)?;
        prop_assert!(!open || matches!(world.told.stage, Stage::Opened { .. }), "untold: {:?}", world.told);
        resolve(&mut world);
        world.now += 60;
        world.deliver(false)?;
        prop_assert!(world.told.is_final(), "{:?}", world.told);

        let opened = world.said.iter().filter(|n| matches!(n, Notify::Opened)).count();
        let resolved = world.said.iter().filter(|n| matches!(n, Notify::Resolved)).count();
        let both = world.said.iter().filter(|n| matches!(n, Notify::OpenedAndResolved)).count();
        prop_assert!(opened == resolved && opened + both <= 1, "{:?}", world.said);
        let first = world.said.first();
        prop_assert!(first.is_none_or(|n| matches!(n, Notify::Opened | Notify::OpenedAndResolved)), "{:?}", world.said);
        let silenced = matches!(world.told.stage, Stage::Silenced { over: true, ref silence } if !silence.is_empty());
        let skipped = world.told.stage == Stage::Skipped && !posts;
        prop_assert!(opened + both == 1 || silenced || skipped, "lost: {:?}", world.told);
    }
}

#[test]
fn what_was_tried_in_vain_when_its_silence_was_over_is_told_as_over_and_not_as_silenced() {
    let policy = Policy {
        abilities: Abilities { posts: true, edits: false, acknowledges: false, burst: 9, names_chars: 900 },
        storm: Storm::default(),
    };
    let mut world = World {
        incident: incident_of(rule()),
        told: Told::nothing(1),
        silences: vec![silence(&["rule=bounce-rate"], 0, 10)],
        policy,
        said: vec![],
        now: 5,
    };
    let deliver = |world: &mut World, fails| world.deliver(fails).expect("delivers");
    deliver(&mut world, false);
    assert!(matches!(world.told.stage, Stage::Silenced { over: false, .. }));
    world.now = 10;
    deliver(&mut world, true);
    world.incident.state = State::Resolved { at: world.at(), how: How::Quiet };
    world.now = 20;
    deliver(&mut world, false);
    assert_eq!((world.said, world.told.stage), (vec![Notify::OpenedAndResolved], Stage::Finished));
}
