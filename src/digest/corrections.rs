//! What earlier digests said that is no longer so: counts that late events have raised since, and verdicts that changed.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::heartbeat::Judged;
use crate::message::text;
use crate::tally::Total;

/// Days that are looked at again: what comes later than this alerts nobody and is counted apart (`too late`).
pub const DAYS: i16 = 8;

/// A count that rose by less is not worth a line: one in so many.
const WORTH: u64 = 100;

/// What a digest said of one day, as far as it can change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// By what is counted: `Activation`, `email failed`.
    #[serde(default)]
    counts: BTreeMap<String, u64>,
    /// By heartbeat and the start of its period.
    #[serde(default)]
    verdicts: BTreeMap<String, String>,
}

/// By the day that was told of.
pub type Told = BTreeMap<Date, Said>;

impl Said {
    /// What is to be said of a day now: of its totals, and of the verdicts on its periods.
    pub fn of(config: &Config, totals: &[Total], verdicts: &[&Judged]) -> Self {
        let mut counts = BTreeMap::new();
        for heartbeat in &config.heartbeats {
            let beats = totals.iter().filter(|t| heartbeat.counts(&t.series)).map(|t| t.count).sum();
            counts.insert(heartbeat.name.clone(), beats);
        }
        for (channel, metrics) in super::by_channel(totals) {
            for (metric, count) in
                metrics.into_iter().filter(|(metric, _)| *metric == "sent" || super::is_shown(metric))
            {
                counts.insert(format!("{channel} {metric}"), count);
            }
        }
        let key = |judged: &Judged| format!("{} {}", judged.heartbeat, judged.period.start);
        let word = |judged: &Judged| super::verdict_word(judged.verdict).to_owned();
        Self { counts, verdicts: verdicts.iter().map(|judged| (key(judged), word(judged))).collect() }
    }

    /// `Correction for Sun 22 Nov: Activation 41 (12 were told), Activation ok (LOW was told)`; `None` when all stands.
    /// Counts only rise; registers that have expired correct nothing.
    pub fn correction(&self, date: Date, now: &Self) -> Option<String> {
        let mut changed = Vec::new();
        for (what, count) in &now.counts {
            let told = self.counts.get(what).copied().unwrap_or(0);
            if *count > told && (count - told).saturating_mul(WORTH) >= told {
                changed.push(format!("{what} {} ({} told)", text::number(*count), text::number(told)));
            }
        }
        for (period, verdict) in &now.verdicts {
            if let Some(told) = self.verdicts.get(period).filter(|told| *told != verdict) {
                let heartbeat = period.rsplit_once(' ').map_or(period.as_str(), |(name, _)| name);
                changed.push(format!("{heartbeat} {verdict} ({told} told)"));
            }
        }
        let date = date.strftime("%a %-d %b");
        (!changed.is_empty()).then(|| format!("Correction for {date}: {}", changed.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(counts: &[(&str, u64)], verdict: &str) -> Said {
        let counts = counts.iter().map(|(what, count)| ((*what).to_owned(), *count)).collect();
        let verdicts = [("Every day 2026-11-22T00:00:00Z".to_owned(), verdict.to_owned())].into();
        Said { counts, verdicts }
    }

    #[test]
    fn what_rose_or_changed_is_said_and_what_fell_or_hardly_moved_is_not() {
        let told = said(&[("Every day", 12), ("email sent", 1_000), ("email failed", 0), ("sms sent", 9)], "LOW");
        let now = said(&[("Every day", 41), ("email sent", 1_009), ("email failed", 1), ("sms sent", 0)], "ok");
        let date = jiff::civil::date(2026, 11, 22);
        insta::assert_snapshot!(
            told.correction(date, &now).unwrap_or_default(),
            @"Correction for Sun 22 Nov: Every day 41 (12 told), email failed 1 (0 told), Every day ok (LOW told)"
        );
        assert_eq!(now.correction(date, &now), None);
    }
}
