//! When is an incident of a rule over? Quiet is covered time, and quiet alone is not proof (design, law 6).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::Rule;
use crate::customerio::event::{Kind, Source};
use crate::incident::How;
use crate::tally::Total;
use crate::tally::coverage::Coverage;

/// Covered quiet time after which an incident ends even without a success seen (design, law 6).
pub const EXPIRES_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Whether an incident goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    Over(How),
    /// Not quiet for long enough, as far as we can tell.
    NotQuiet,
    /// Quiet, but nothing shows that it works again for this many (source, action, channel).
    NotSeenFixed(usize),
}

/// Judges an open incident that has been quiet from `since` on: from its last failure, or, for a rate, from the end of
/// the last window above the limit to close at. `failing` are its failures until then, `successes` those of the paired
/// metrics. Nothing expires sooner than a day after it was opened, however late it was found.
pub fn standing(
    rule: &Rule,
    failing: &[Total],
    successes: &[Total],
    since: Timestamp,
    opened_at: Timestamp,
    coverage: &Coverage,
    now: Timestamp,
) -> Standing {
    let quiet = coverage.quiet_since(since, now);
    if quiet < rule.quiet_for() {
        return Standing::NotQuiet;
    }
    let unfixed = unfixed(failing, successes);
    if unfixed == 0 && !failing.is_empty() {
        Standing::Over(How::Quiet)
    } else if coverage.quiet_since(since.max(opened_at), now) >= EXPIRES_AFTER {
        Standing::Over(How::Expired)
    } else {
        Standing::NotSeenFixed(unfixed)
    }
}

/// One (source, action, kind) that was failing.
type Place<'a> = (&'a Source, &'a Option<String>, &'a Kind);

/// How many failing places have seen no paired success after their last failure.
fn unfixed(failing: &[Total], successes: &[Total]) -> usize {
    let mut last: BTreeMap<Place, Timestamp> = BTreeMap::new();
    for total in failing {
        let place = (&total.series.source, &total.series.action, &total.series.kind);
        let latest = last.entry(place).or_insert(total.last);
        *latest = total.last.max(*latest);
    }
    let fixed = |(source, action, kind): &Place, failed_at: Timestamp| {
        let Some(paired) = kind.paired_success() else { return false };
        let here = |t: &&Total| {
            t.series.kind == paired && t.series.source == **source && t.series.action == **action && t.last > failed_at
        };
        successes.iter().any(|t| here(&t))
    };
    last.iter().filter(|(place, at)| !fixed(place, **at)).count()
}

/// The paired kinds of a rule's events, each once.
pub fn paired_kinds(rule: &Rule) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = rule.events.iter().filter_map(Kind::paired_success).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Severity;
    use crate::rules::Condition;
    use crate::tally::testing::{at, heard, heard_at, total};

    fn rule() -> Rule {
        Rule {
            name: "failures".into(),
            events: vec![Kind::known("email", "failed")],
            sources: vec![],
            group_by: vec![],
            condition: Condition::Count { at_least: 3, within: SignedDuration::from_mins(10) },
            severity: Severity::Critical,
            quiet_for: None,
        }
    }

    fn stands(failing: &[Total], successes: &[Total], covered: &str, now: &str) -> Standing {
        standing(&rule(), failing, successes, at("14:00"), at("14:00"), &heard(&["13:00", covered]), at(now))
    }

    #[test]
    fn quiet_for_half_an_hour_and_a_success_since_is_over() {
        let failing = [total("email_failed", "campaign:5", 3, "14:00")];
        let fixed = [total("email_sent", "campaign:5", 1, "14:20")];
        assert_eq!(stands(&failing, &fixed, "14:31", "14:31"), Standing::Over(How::Quiet));
        assert_eq!(stands(&failing, &fixed, "14:29", "14:29"), Standing::NotQuiet);
    }

    #[test]
    fn quiet_is_covered_time_not_wall_clock() {
        let failing = [total("email_failed", "campaign:5", 3, "14:00")];
        let fixed = [total("email_sent", "campaign:5", 1, "14:20")];
        assert_eq!(stands(&failing, &fixed, "14:21", "20:00"), Standing::NotQuiet);
    }

    #[test]
    fn every_source_that_failed_must_have_succeeded_after_its_own_last_failure() {
        let failing =
            [total("email_failed", "campaign:5", 3, "14:00"), total("email_failed", "campaign:6", 3, "13:50")];
        let one = [total("email_sent", "campaign:5", 1, "14:20"), total("email_sent", "campaign:6", 9, "13:49")];
        assert_eq!(stands(&failing, &one, "15:00", "15:00"), Standing::NotSeenFixed(1));
        let both = [total("email_sent", "campaign:5", 1, "14:20"), total("email_sent", "campaign:6", 9, "13:51")];
        assert_eq!(stands(&failing, &both, "15:00", "15:00"), Standing::Over(How::Quiet));
    }

    #[test]
    fn without_a_success_it_expires_after_a_covered_day() {
        let failing = [total("email_failed", "campaign:5", 3, "14:00")];
        let tomorrow = at("14:00") + SignedDuration::from_hours(24);
        assert_eq!(stands(&failing, &[], "23:59", "23:59"), Standing::NotSeenFixed(1));
        let day = heard(&["13:00", "23:59"]);
        let late = at("14:01") + SignedDuration::from_hours(24);
        assert_eq!(
            standing(&rule(), &failing, &[], at("14:00"), at("14:00"), &day, tomorrow),
            Standing::NotSeenFixed(1)
        );
        let next_day = heard_at(&[at("13:00"), late]);
        let stands = |opened_at| standing(&rule(), &failing, &[], at("14:00"), opened_at, &next_day, late);
        assert_eq!(stands(at("14:00")), Standing::Over(How::Expired));
        assert_eq!(stands(at("20:00")), Standing::NotSeenFixed(1), "found late: nobody has known of it for a day");
    }
}
