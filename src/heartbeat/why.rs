//! Why a workflow is low, as far as Customer.io's own numbers tell. Pure.

use serde::{Deserialize, Serialize};

use super::Heartbeat;

/// What Customer.io says of a campaign and of a period; `None` what it did not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// `running`, `draft`, `stopped`, ...
    pub state: Option<String>,
    /// People who entered in the period.
    pub started: Option<u64>,
    /// People who entered in the same hours a week before.
    pub started_before: Option<u64>,
    /// Messages that were sent in the period.
    pub sent: Option<u64>,
}

/// Why too little was counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Why {
    /// Somebody stopped it, or never started it.
    Stopped { state: String },
    /// As many as ever entered, and little was sent.
    StartedNotSent { started: u64 },
    /// Fewer entered than a week before.
    FewerEnter { started: u64, before: Option<u64> },
    /// Customer.io sent enough; we did not hear of it.
    Unheard { sent: u64 },
}

/// Fewer than this share of last week's people is fewer.
const FEWER: f64 = 0.5;

/// What keeps a heartbeat that expects `expected` beats so low. `None` when what was told does not show it.
pub fn why(heartbeat: &Heartbeat, expected: u64, said: &Said) -> Option<Why> {
    if let Some(state) = said.state.as_ref().filter(|state| *state != RUNNING) {
        return Some(Why::Stopped { state: state.clone() });
    }
    // Only sends are counted alike on both sides: nobody else's clock says when a run began or a message was opened.
    let sends = heartbeat.event.metric == "sent" && heartbeat.action.is_none();
    if let Some(sent) = said.sent.filter(|sent| sends && *sent >= expected) {
        return Some(Why::Unheard { sent });
    }
    let started = said.started?;
    let usual = match said.started_before {
        Some(before) if before > 0 => started as f64 >= before as f64 * FEWER,
        _ => started >= expected,
    };
    Some(if usual && started > 0 {
        Why::StartedNotSent { started }
    } else {
        Why::FewerEnter { started, before: said.started_before }
    })
}

/// The one state in which a campaign sends. Source: App API, `listCampaigns`.
pub const RUNNING: &str = "running";

impl Why {
    /// Somebody meant it, so nobody has to get up.
    pub const fn is_deliberate(&self) -> bool {
        matches!(self, Self::Stopped { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customerio::event::{Kind, Source, SourceKind};
    use crate::heartbeat::{Every, Expect};
    use crate::incident::Severity;

    #[test]
    fn the_first_thing_that_explains_it_is_said() {
        let heartbeat = Heartbeat {
            name: "Activation".into(),
            source: Source::new(SourceKind::Campaign, "5"),
            event: Kind::known("email", "sent"),
            action: None,
            expect: Expect::Between { at_least: Some(40), at_most: None },
            every: Every::Day { by: None },
            severity: Severity::Critical,
            except: Vec::new(),
            must_run: false,
        };
        let say = |state: &str, started, started_before, sent| Said {
            state: (!state.is_empty()).then(|| state.to_owned()),
            started,
            started_before,
            sent,
        };
        let stopped = Some(Why::Stopped { state: "stopped".into() });
        let rows = [
            (say("stopped", Some(50), Some(50), Some(50)), stopped),
            (say("running", Some(50), Some(50), Some(44)), Some(Why::Unheard { sent: 44 })),
            (say("running", Some(30), Some(50), Some(7)), Some(Why::StartedNotSent { started: 30 })),
            (say("running", Some(20), Some(50), Some(7)), Some(Why::FewerEnter { started: 20, before: Some(50) })),
            // A workflow of three messages: 14 people a day are as ever, though fewer than 40.
            (say("", Some(14), Some(15), None), Some(Why::StartedNotSent { started: 14 })),
            (say("", Some(41), None, None), Some(Why::StartedNotSent { started: 41 })),
            (say("", Some(39), Some(0), None), Some(Why::FewerEnter { started: 39, before: Some(0) })),
            (say("", Some(0), None, None), Some(Why::FewerEnter { started: 0, before: None })),
            (say("running", None, None, Some(7)), None),
            (Said::default(), None),
        ];
        for (said, expected) in rows {
            assert_eq!(why(&heartbeat, 40, &said), expected, "{said:?}");
        }
        // What is opened is not what is sent.
        let opens = Heartbeat { event: Kind::known("email", "opened"), ..heartbeat };
        let said = say("running", Some(50), Some(50), Some(44));
        assert_eq!(why(&opens, 40, &said), Some(Why::StartedNotSent { started: 50 }));
    }
}
