//! What the heartbeats that expect what is usual have learned, and what they would notice, as far as a data folder tells.

use std::path::Path;

use jiff::Timestamp;

use crate::config::Config;
use crate::heartbeat::learned::Learned;
use crate::heartbeat::{Expect, Heartbeat};
use crate::message::{text, words};
use crate::steps::learned;
use crate::store::Store;
use crate::store::embedded::{Durability, EmbeddedStore, FILE};

/// A line for each of them; empty when there is none.
pub async fn summary(config: &Config, data: &Path, now: Timestamp) -> String {
    let learning: Vec<&Heartbeat> = config.heartbeats.iter().filter(|h| h.expect == Expect::Learned).collect();
    if learning.is_empty() {
        return String::new();
    }
    let mut lines = vec![String::new(), "What is usual".to_owned()];
    if !data.join(FILE).is_file() {
        lines.push(format!("  unknown here: there is no {FILE} in {}; name the folder with --data", data.display()));
    } else {
        match EmbeddedStore::open(data, &config.workspace.name, Durability::Full) {
            Ok(store) => {
                for heartbeat in learning {
                    lines.push(format!("  {}: {}", heartbeat.name, known(&store, heartbeat).await));
                    if let Some(late) = settling(&store, heartbeat, now).await {
                        lines.push(format!("    {late}"));
                    }
                }
            }
            Err(error) => lines.push(format!("  unknown: {error}")),
        }
    }
    lines.join("\n") + "\n"
}

async fn settling(store: &dyn Store, heartbeat: &Heartbeat, now: Timestamp) -> Option<String> {
    match learned::settling(store, heartbeat, now).await {
        Ok(settling) => settling.and_then(words::settling),
        Err(error) => Some(format!("unknown: {error}")),
    }
}

async fn known(store: &dyn Store, heartbeat: &Heartbeat) -> String {
    match learned::known(store, heartbeat).await {
        Err(error) => format!("unknown: {error}"),
        Ok(None) => "nothing yet: `bridge serve` has not looked at it".to_owned(),
        Ok(Some(Learned::Learning { covered_days, needed_days })) => {
            format!("{covered_days:.0} of {needed_days:.0} days are known; nothing is judged yet")
        }
        Ok(Some(Learned::Ready(profile))) => {
            let seen = profile.detectability();
            let after = |hours: Option<f64>| match hours {
                None => "not within four weeks".to_owned(),
                Some(hours) if hours < 2.0 => format!("after {:.0} min", hours * 60.0),
                Some(hours) if hours < 48.0 => format!("after {hours:.0} h"),
                Some(hours) => format!("after {:.0} days", hours / 24.0),
            };
            let smallest = match seen.smallest_loss {
                Some(loss) => format!("the smallest loss that a week shows is {:.0} %", loss * 100.0),
                None => "not even a stop is noticed within a week".to_owned(),
            };
            format!(
                "about {} a day; a stop is noticed {}, half of it missing {}; {smallest}",
                text::number(profile.level.round() as u64),
                after(seen.stop_hours),
                after(seen.half_hours),
            )
        }
    }
}
