//! The verdict on a period. Counts are lower bounds: enough is enough at once, too little needs coverage (law 5).

use jiff::{SignedDuration, Timestamp};

use super::{Expect, Heartbeat, Period, Verdict};
use crate::clock::{Minute, Span, minutes};
use crate::tally::coverage::Coverage;

/// A period is judged this long after it was due, so that events on their way are in (design, Coverage).
pub const SETTLE: SignedDuration = SignedDuration::from_mins(2);

/// Without coverage by then, the verdict is `unknown` (design, Coverage).
pub const GIVE_UP: SignedDuration = SignedDuration::from_mins(15);

/// Share of a period's minutes that must be covered to say `low` (design, Coverage).
pub const COVERED_SHARE: f64 = 0.95;

/// The minutes of a period that count towards its verdict.
pub fn judged_span(period: Period) -> Span {
    let whole = minutes(period.due.duration_since(period.start));
    let start = Minute::of(period.start);
    Span::new(start, start.plus(whole))
}

/// The verdict, or `None` while it is too early to tell.
pub fn verdict(
    heartbeat: &Heartbeat,
    period: Period,
    count: u64,
    coverage: &Coverage,
    now: Timestamp,
) -> Option<Verdict> {
    let (at_least, at_most) = match heartbeat.expect {
        Expect::Between { at_least, at_most } => (at_least, at_most),
        // Judged by what is usual, and not by period.
        Expect::Learned => return None,
    };
    if at_most.is_some_and(|most| count > most) {
        return Some(Verdict::High);
    }
    let enough = at_least.is_none_or(|least| count >= least);
    if enough && at_most.is_none() {
        return Some(Verdict::Ok);
    }
    let overdue = now.duration_since(period.due);
    if overdue < SETTLE {
        return None;
    }
    let span = judged_span(period);
    let covered = coverage.minutes_covered(span, now);
    if covered as f64 >= COVERED_SHARE * span.len() as f64 {
        return Some(if enough { Verdict::Ok } else { Verdict::Low });
    }
    (overdue >= GIVE_UP).then_some(Verdict::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customerio::event::Kind;
    use crate::heartbeat::Every;
    use crate::incident::Severity;
    use crate::tally::testing::{at, heard};

    fn heartbeat(at_least: Option<u64>, at_most: Option<u64>) -> Heartbeat {
        Heartbeat {
            name: "Activation".into(),
            source: "campaign:5".parse().expect("a source"),
            event: Kind::known("email", "sent"),
            action: None,
            expect: Expect::Between { at_least, at_most },
            every: Every::Hour,
            severity: Severity::Critical,
            except: vec![],
            must_run: false,
        }
    }

    fn hour() -> Period {
        Period { start: at("14:00"), due: at("15:00"), end: at("15:00") }
    }

    fn judged(beat: &Heartbeat, count: u64, coverage: &Coverage, now: &str) -> Option<Verdict> {
        verdict(beat, hour(), count, coverage, at(now))
    }

    #[test]
    fn enough_is_ok_at_once_and_needs_no_coverage() {
        assert_eq!(judged(&heartbeat(Some(40), None), 40, &Coverage::default(), "14:10"), Some(Verdict::Ok));
        assert_eq!(judged(&heartbeat(None, Some(9)), 10, &Coverage::default(), "14:10"), Some(Verdict::High));
    }

    #[test]
    fn too_little_is_low_two_minutes_after_it_was_due_with_coverage() {
        let beat = heartbeat(Some(40), None);
        let whole = heard(&["13:00", "15:01"]);
        assert_eq!(judged(&beat, 39, &whole, "15:01:59"), None);
        assert_eq!(judged(&beat, 39, &whole, "15:02"), Some(Verdict::Low));
        assert_eq!(judged(&beat, 40, &whole, "15:02"), Some(Verdict::Ok));
    }

    #[test]
    fn ninety_five_percent_of_the_minutes_must_be_covered() {
        let beat = heartbeat(Some(40), None);
        assert_eq!(judged(&beat, 39, &heard(&["13:00", "14:57"]), "15:02"), Some(Verdict::Low));
        assert_eq!(judged(&beat, 39, &heard(&["13:00", "14:56"]), "15:14:59"), None);
        assert_eq!(judged(&beat, 39, &heard(&["13:00", "14:56"]), "15:15"), Some(Verdict::Unknown));
        assert_eq!(judged(&beat, 39, &heard(&["14:04", "15:10"]), "15:15"), Some(Verdict::Unknown));
    }
}
