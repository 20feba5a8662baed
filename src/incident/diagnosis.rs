//! What Customer.io says of some of an incident's failures: asked by tick, once an episode, after the page.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Incident;

/// Messages that are asked about, at most.
pub const ASKED_ABOUT: usize = 3;

/// Times an episode is asked about: once, and again where Customer.io took no more questions.
pub const TRIES: u32 = 3;

/// Longest diagnosis, in characters: one sentence that is read at a glance.
pub const DIAGNOSIS_CHARS: usize = 200;

/// How far the asking has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Diagnosis {
    /// To be asked. The ids are never shown, and are gone once it was asked.
    Due {
        deliveries: Vec<String>,
        /// How often it was begun.
        #[serde(default)]
        tries: u32,
    },
    /// Somebody asks, or died asking, or there was nothing to say: it is not asked again.
    Asked,
    Known {
        /// Masked.
        text: String,
        at: Timestamp,
    },
}

impl Diagnosis {
    /// To be asked about these messages; `None` without any.
    pub fn due(mut deliveries: Vec<String>) -> Option<Self> {
        deliveries.truncate(ASKED_ABOUT);
        (!deliveries.is_empty()).then_some(Self::Due { deliveries, tries: 0 })
    }
}

impl Incident {
    /// What is known, and since when.
    pub fn diagnosis(&self) -> Option<(&str, Timestamp)> {
        match &self.diagnosis {
            Some(Diagnosis::Known { text, at }) => Some((text, *at)),
            _ => None,
        }
    }

    /// More of its messages to ask about, while it was not asked and there are not enough: the batch that opened it may
    /// have held but one.
    pub fn add_to_ask_about(&mut self, more: &[String]) {
        match &mut self.diagnosis {
            None => self.diagnosis = Diagnosis::due(more.to_vec()),
            Some(Diagnosis::Due { deliveries, .. }) => {
                for id in more {
                    if deliveries.len() < ASKED_ABOUT && !deliveries.contains(id) {
                        deliveries.push(id.clone());
                    }
                }
            }
            Some(Diagnosis::Asked | Diagnosis::Known { .. }) => {}
        }
    }
}
