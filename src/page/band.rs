//! What is expected of a day: the band behind the bars.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::heartbeat::{Every, Expect, Heartbeat};
use crate::message::text::number;
use crate::summary::{self, Workflow};

/// Between what a count is as it should be; either end may be open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Band {
    pub low: Option<u64>,
    pub high: Option<u64>,
}

impl Band {
    /// Of a local day. Of a week's heartbeat no single day is expected to do anything.
    pub fn of(heartbeat: &Heartbeat, workflow: Option<&Workflow>, date: Date, zone: &TimeZone) -> Self {
        if heartbeat.except.contains(&date) {
            return Self::default();
        }
        match (&heartbeat.expect, heartbeat.every) {
            (Expect::Learned, _) => {
                let usual = workflow.and_then(|workflow| workflow.usual);
                Self { low: usual.map(|(low, _)| low), high: usual.map(|(_, high)| high) }
            }
            (Expect::Between { at_least, at_most }, Every::Day { .. }) => Self { low: *at_least, high: *at_most },
            (Expect::Between { at_least, at_most }, Every::Hour) => {
                let (from, to) = summary::ends(date, zone);
                let hours = u64::try_from(to.duration_since(from).as_hours()).unwrap_or(24);
                Self { low: at_least.map(|n| n * hours), high: at_most.map(|n| n * hours) }
            }
            (Expect::Between { .. }, Every::Week { .. }) => Self::default(),
        }
    }

    /// `35 to 52`, `at least 40`, `at most 9`; nothing where nothing is expected.
    pub fn words(self) -> String {
        match (self.low, self.high) {
            (Some(low), Some(high)) => format!("{} to {}", number(low), number(high)),
            (Some(low), None) => format!("at least {}", number(low)),
            (None, Some(high)) => format!("at most {}", number(high)),
            (None, None) => String::new(),
        }
    }

    pub fn top(self) -> u64 {
        self.high.or(self.low).unwrap_or_default()
    }
}
