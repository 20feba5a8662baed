//! Failures by mailbox provider: is it one provider that refuses us, while the others take our mail? Pure.
//!
//! "Only Gmail" sends people to Gmail's postmaster pages instead of their own settings, so it is claimed only when mail
//! to others shows it: enough of it, and nearly all of it fine.

use std::collections::{BTreeMap, BTreeSet};

use super::text;
use crate::customerio::event::Kind;
use crate::customerio::provider::Provider;
use crate::tally::Total;

/// One provider stands out from this many failures on.
const STANDS_OUT_FROM: u64 = 5;

/// The share of failures, in per cent, that is "nearly all", and that must have a known provider.
const NEARLY_ALL: u64 = 90;

/// Messages to others that a comparison needs at least ...
const OTHERS_AT_LEAST: u64 = 10;

/// ... and of which so many would have failed at the same rate: none of 3 expected is chance once in 20 times
/// (Poisson, e^-3 = 0.05).
const OTHERS_EXPECTED: u64 = 3;

/// Others together fail less than one in this many of the provider's rate ...
const OTHERS_FRACTION: u64 = 4;

/// ... and each of them less than one in this many.
const ANY_FRACTION: u64 = 2;

/// Providers named in a list.
const NAMED: usize = 4;

/// What failed of what went to one provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Row {
    failed: u64,
    /// Failures that are among no sends.
    apart: u64,
    sent: u64,
}

impl Row {
    /// Of how many; `None` when no sends to it were heard.
    fn of(&self) -> Option<u64> {
        (self.sent > 0).then(|| (self.sent + self.apart).max(self.failed))
    }

    /// Where no sends were heard, all that is known of failed.
    fn rate(&self) -> Rate {
        Rate { failed: self.failed, of: self.of().unwrap_or(self.failed) }
    }
}

/// Failures of messages; a rate without a division.
#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    failed: u64,
    of: u64,
}

impl Rate {
    /// Whether it is less than one in `fraction` of another rate.
    fn is_under(self, other: Rate, fraction: u64) -> bool {
        self.failed == 0 || product(self.failed.saturating_mul(fraction), other.of) < product(other.failed, self.of)
    }

    /// How many of so many messages would fail at this rate, rounded down.
    fn expected_of(self, messages: u64) -> u64 {
        u64::try_from(product(self.failed, messages) / u128::from(self.of.max(1))).unwrap_or(u64::MAX)
    }
}

fn product(a: u64, b: u64) -> u128 {
    u128::from(a) * u128::from(b)
}

fn nearly_all(part: u64, whole: u64) -> bool {
    product(part, 100) >= product(whole, NEARLY_ALL)
}

/// What the failures' providers tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Nearly all failures are one provider's, and mail to others does not fail like that.
    Only { provider: &'static str, failed: u64, of: u64 },
    /// Nearly all failures are one provider's; too little is known of mail to others. `all`: every single one.
    Most { provider: &'static str, failed: u64, all: bool },
    /// Nothing to be said in a headline.
    Nobody,
}

/// Failures and messages by mailbox provider.
#[derive(Clone, Debug, Default)]
pub struct ByProvider {
    rows: BTreeMap<Provider, Row>,
    failed: u64,
}

impl ByProvider {
    /// From the failures and from what they are taken of. When that is of more than one kind (sends for one metric,
    /// deliveries for another) no provider's share is known.
    pub fn of(failing: &[Total], others: &[Total]) -> Self {
        let mut by = Self { rows: BTreeMap::new(), failed: failing.iter().map(|t| t.count).sum() };
        for total in failing.iter().filter(|t| t.series.provider.is_known()) {
            let row = by.rows.entry(total.series.provider.clone()).or_default();
            row.failed += total.count;
            // What failed before it was sent is not among the sent; what bounced after is.
            if total.series.kind.paired_success().is_none_or(|p| p.metric == "sent") {
                row.apart += total.count;
            }
        }
        let mail = || others.iter().filter(|t| t.series.provider.is_known());
        if mail().map(|t| &t.series.kind).collect::<BTreeSet<&Kind>>().len() == 1 {
            for total in mail() {
                by.rows.entry(total.series.provider.clone()).or_default().sent += total.count;
            }
        }
        by
    }

    /// Whose doing it is, as far as that is known.
    pub fn blame(&self) -> Blame {
        let named = self.rows.iter().filter_map(|(provider, row)| Some((provider, provider.title()?, row)));
        let Some((worst, title, row)) = named.max_by_key(|(.., row)| row.failed) else { return Blame::Nobody };
        let known: u64 = self.rows.values().map(|row| row.failed).sum();
        if row.failed < STANDS_OUT_FROM || !nearly_all(row.failed, known) || !nearly_all(known, self.failed) {
            return Blame::Nobody;
        }
        let most = Blame::Most { provider: title, failed: row.failed, all: row.failed == self.failed };
        let Some(of) = row.of() else { return most };
        let rate = Rate { failed: row.failed, of };
        let others: Vec<Rate> = self.rows.iter().filter(|(p, _)| *p != worst).map(|(_, row)| row.rate()).collect();
        let together =
            others.iter().fold(Rate::default(), |a, b| Rate { failed: a.failed + b.failed, of: a.of + b.of });
        if together.of < OTHERS_AT_LEAST || rate.expected_of(together.of) < OTHERS_EXPECTED {
            return most;
        }
        match together.is_under(rate, OTHERS_FRACTION) && others.iter().all(|other| other.is_under(rate, ANY_FRACTION))
        {
            true => Blame::Only { provider: title, failed: row.failed, of },
            false => Blame::Nobody,
        }
    }

    /// `Gmail 41 of 200 (20.5 %), Yahoo 2 of 90 (2.2 %), others 0 of 310 (0 %)`: the most affected by name, the rest
    /// together. `None` unless a provider that has a name is among the affected.
    pub fn list(&self) -> Option<String> {
        let named = |(provider, row): (&Provider, &Row)| Some((provider.title()?, row.clone()));
        let mut ranked: Vec<(&str, Row)> =
            self.rows.iter().filter(|(_, row)| row.failed > 0).filter_map(named).collect();
        ranked.sort_by_key(|(_, row)| std::cmp::Reverse(row.failed));
        ranked.truncate(NAMED);
        if ranked.is_empty() {
            return None;
        }
        let mut others = Row::default();
        let is_named = |provider: &Provider| ranked.iter().any(|(title, _)| Some(*title) == provider.title());
        for (_, row) in self.rows.iter().filter(|(provider, _)| !is_named(provider)) {
            others.failed += row.failed;
            others.apart += row.apart;
            others.sent += row.sent;
        }
        let unknown = self.failed.saturating_sub(self.rows.values().map(|row| row.failed).sum());
        let mut said: Vec<String> = ranked.iter().map(|(title, row)| format!("{title} {}", share(row))).collect();
        if others.failed > 0 || others.sent > 0 {
            said.push(format!("others {}", share(&others)));
        }
        if unknown > 0 {
            said.push(format!("not known {}", text::number(unknown)));
        }
        Some(said.join(", "))
    }
}

fn share(row: &Row) -> String {
    let failed = text::number(row.failed);
    row.of()
        .map_or(failed.clone(), |of| format!("{failed} of {} ({})", text::number(of), text::percent(row.failed, of)))
}

/// Whether it is the mailbox provider that makes messages end like this, or has made the address unusable before.
pub fn decides(kind: &Kind) -> bool {
    kind.channel == "email" && matches!(&*kind.metric, "bounced" | "deferred" | "spammed" | "dropped")
}

/// What is so at one provider only, for messages of these kinds; begins a sentence. True of what the metric says: who is
/// dropped was refused before, and what failed may never have reached the provider.
pub fn only(provider: &str, kinds: &[Kind], is_over: bool) -> String {
    let one = kinds.first().filter(|first| kinds.iter().all(|k| k.metric == first.metric));
    let (who, now, then) = match one.map_or("", |kind| &kind.metric) {
        "bounced" => ("", "refuses us", "refused us"),
        "deferred" => ("", "puts us off", "put us off"),
        "spammed" => ("people at ", "report spam", "reported spam"),
        "dropped" => ("addresses at ", "are dropped", "were dropped"),
        _ => ("mail to ", "is affected", "was affected"),
    };
    format!("only {who}{provider} {}", if is_over { then } else { now })
}

#[cfg(test)]
#[path = "providers_tests.rs"]
mod tests;
