//! What a receiver was last told about an incident.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Numbers, Severity};

/// What a receiver answered that later messages need (a Slack time stamp, a dedup key).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The receiver's own id of the message.
    pub id: Option<String>,
    /// Where the message is, by the receiver's own id of the place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// A keyed hash of the credential it was sent with: a resolve must use the same one.
    pub credential: Option<String>,
}

/// How far a receiver's knowledge of an episode goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Stage {
    /// Nothing yet.
    Nothing,
    /// The opening, at this severity.
    Opened { severity: Severity },
    /// Its name in a roll-up, at this severity: the roll-up says when it is over.
    RolledUp { severity: Severity },
    /// Nothing: a silence has muted its opening. `over`: the incident ended while it was muted, so nothing more is due;
    /// else it is told when no silence mutes it any more.
    Silenced {
        /// The silence's id.
        silence: String,
        #[serde(default)]
        over: bool,
    },
    /// All there is to say.
    Finished,
    /// It was over before it could be told, and the receiver can only page.
    Skipped,
    /// The receiver will never take it; its fallback was told why.
    Undeliverable { reason: String },
    /// Somebody gave up on telling it (`bridge redrive --drop`).
    Dropped { by: String, at: Timestamp },
    /// What a later version knows and this one does not, during a deployment or after going back. Never written, so that
    /// it cannot take the place of what is stored: who finds it leaves the pair to the later version.
    #[serde(skip)]
    Newer,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A stage, or [`Stage::Newer`] where this version cannot read it.
fn stage<'de, D: Deserializer<'de>>(from: D) -> Result<Stage, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    Ok(Stage::deserialize(value).unwrap_or(Stage::Newer))
}

/// Told is kept per (incident key, receiver), over all episodes, so that messages of two episodes never overtake
/// each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The episode that `stage` speaks of.
    pub episode: u32,
    #[serde(deserialize_with = "stage")]
    pub stage: Stage,
    /// When something was last delivered, edits of what was said aside.
    pub last_at: Option<Timestamp>,
    /// When its message was last compared with what there is to say, where it can be edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared_at: Option<Timestamp>,
    /// The numbers last said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Numbers>,
    /// How many of the incident's acts it knows of.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub acts: u32,
    /// Its message holds the incident's diagnosis.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub diagnosed: bool,
    pub receipt: Option<Box<Receipt>>,
    /// Its opening is being sent, or was and nobody heard whether it was taken: its end is to be told, come what may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begun: bool,
    /// Failed attempts since the last delivery.
    pub attempts: u32,
    /// Not to be tried again before.
    pub next_attempt_at: Option<Timestamp>,
    /// Why the last attempt failed; no secret in it.
    pub trouble: Option<String>,
    /// Receivers whose refusal this one, their fallback, was told of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stood_in_for: Vec<String>,
}

impl Told {
    /// Nothing told yet of this episode.
    pub fn nothing(episode: u32) -> Self {
        Self {
            episode,
            stage: Stage::Nothing,
            last_at: None,
            compared_at: None,
            said: None,
            acts: 0,
            diagnosed: false,
            receipt: None,
            begun: false,
            attempts: 0,
            next_attempt_at: None,
            trouble: None,
            stood_in_for: Vec::new(),
        }
    }

    /// Whether it heard of the opening by itself, and not yet of the end.
    pub fn is_opened(&self) -> bool {
        matches!(self.stage, Stage::Opened { .. })
    }

    /// Whether nothing more is due for its episode.
    pub fn is_final(&self) -> bool {
        matches!(
            self.stage,
            Stage::Finished
                | Stage::Skipped
                | Stage::Silenced { over: true, .. }
                | Stage::Undeliverable { .. }
                | Stage::Dropped { .. }
        )
    }

    /// Whether it never heard of its episode: neither alone nor in a roll-up.
    pub fn is_untold(&self) -> bool {
        matches!(self.stage, Stage::Nothing | Stage::Silenced { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_later_version_wrote_is_known_as_that_and_never_written_over() {
        for stage in [
            r#"{"is":"whispered","to":"ada"}"#,
            r#"{"is":"opened","severity":"apocalyptic"}"#,
            r#"{"is":"rolled_up"}"#,
            r#""finished""#,
        ] {
            let stored = format!(
                r#"{{"episode":3,"stage":{stage},"last_at":null,"receipt":null,"attempts":1,"next_attempt_at":null,
                    "trouble":null,"mood":"new"}}"#
            );
            let told: Told = serde_json::from_str(&stored).expect("reads");
            assert_eq!((told.episode, &told.stage), (3, &Stage::Newer), "{stage}");
            assert!(!told.is_final() && !told.is_untold() && !told.is_opened());
            assert!(serde_json::to_string(&told).is_err());
        }
        let known = Told { stage: Stage::Silenced { silence: "a".into(), over: true }, ..Told::nothing(1) };
        let again: Told = serde_json::from_str(&serde_json::to_string(&known).expect("writes")).expect("reads");
        assert_eq!(again, known);
    }
}
