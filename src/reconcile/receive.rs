//! Counts what Customer.io received of an event in a day, page by page, from a list that has no filter for time and
//! promises no order. What is kept between pages is small, so that counting goes on after a restart.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::day::{Received, Span};
use crate::customerio::app_api::activity::{Activity, Page};
use crate::hash::Parts;

/// Pages of 100 that are read of one event's day at most; beyond, the count says that it is incomplete.
pub const PAGES: u32 = 1_000;

/// The list is newest first as far as anybody has seen, which is not documented: only so many whole pages of older
/// events in a row end it.
const OLDER_PAGES: u32 = 2;

/// A page that brings nothing new this often in a row is a list that turns in circles.
const STALE_PAGES: u32 = 3;

/// Ids and pages that are remembered, to count nothing twice: lists move on while they are read, and repeat entries.
const REMEMBERED: usize = 300;

/// Events that are older when they come start no workflow. Source: "Importing old data".
const TOO_OLD: SignedDuration = SignedDuration::from_hours(72);

/// One event's day, as far as it was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counting {
    /// What the next page begins with.
    pub start: Option<String>,
    pub pages: u32,
    pub by_hour: Vec<u64>,
    pub nobody: u64,
    pub tests: u64,
    pub too_old: u64,
    /// Other names that came though this one was asked for, or all were.
    pub others: BTreeSet<String>,
    done: bool,
    incomplete: bool,
    older: u32,
    stale: u32,
    recent: Vec<String>,
}

/// Names of one look at most.
const NAMES: usize = 200;

impl Counting {
    /// Takes a page in. `is_test` says whether an address is of a test person.
    pub fn take(&mut self, page: &Page, event: &str, span: Span, is_test: impl Fn(&str) -> bool) {
        self.by_hour.resize(span.hours(), 0);
        self.pages += 1;
        self.incomplete |= page.unread > 0;
        let mut fresh = 0;
        for activity in &page.activities {
            if self.is_new(&activity.id) {
                fresh += 1;
                self.one(activity, event, span, &is_test);
            }
        }
        let is_older = !page.activities.is_empty() && page.activities.iter().all(|activity| activity.at < span.from);
        self.older = if is_older { self.older + 1 } else { 0 };
        self.stale = if fresh == 0 { self.stale + 1 } else { 0 };
        self.start = page.next.clone();
        let turns = page.next.as_ref().is_some_and(|next| !self.is_new(&format!("page {next}")));
        if page.next.is_none() || self.older >= OLDER_PAGES {
            self.done = true;
        } else if turns || self.stale >= STALE_PAGES || self.pages >= PAGES {
            (self.done, self.incomplete) = (true, true);
        }
        if self.done {
            self.recent.clear();
        }
    }

    /// Gives up on the rest: what was counted is a lower bound.
    pub fn stop(&mut self) {
        (self.done, self.incomplete) = (true, true);
    }

    pub const fn is_done(&self) -> bool {
        self.done
    }

    /// What was received.
    pub fn received(&self) -> Received {
        let count = self.by_hour.iter().sum();
        match (self.done && !self.incomplete, self.pages) {
            (true, _) => Received::Exactly(count),
            (false, 0) => Received::Unknown,
            (false, _) => Received::AtLeast(count),
        }
    }

    fn one(&mut self, activity: &Activity, event: &str, span: Span, is_test: &impl Fn(&str) -> bool) {
        // A filter by name that takes no heed of case would hide the very drift that is looked for.
        if activity.name != event {
            if self.others.len() < NAMES {
                self.others.insert(activity.name.clone());
            }
            return;
        }
        let came_old =
            activity.received_at.is_some_and(|came| span.holds(came) && came.duration_since(activity.at) > TOO_OLD);
        self.too_old += u64::from(came_old);
        let Some(hour) = span.hour_at(activity.at).and_then(|hour| self.by_hour.get_mut(hour)) else { return };
        *hour += 1;
        self.nobody += u64::from(!activity.has_person);
        self.tests += u64::from(activity.email.as_deref().is_some_and(is_test));
    }

    fn is_new(&mut self, id: &str) -> bool {
        let id = Parts::of([id]).hex(6);
        if self.recent.contains(&id) {
            return false;
        }
        if self.recent.len() >= REMEMBERED {
            self.recent.remove(0);
        }
        self.recent.push(id);
        true
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    use super::*;

    fn span() -> Span {
        Span::of(date(2026, 11, 23), &TimeZone::UTC)
    }

    fn at(id: u32, hours: i64) -> Activity {
        Activity {
            id: id.to_string(),
            name: "A".into(),
            at: span().from + SignedDuration::from_hours(hours),
            received_at: None,
            has_person: true,
            email: None,
        }
    }

    fn count(pages: &[(&[Activity], Option<&str>)]) -> Counting {
        let mut counting = Counting::default();
        for (activities, next) in pages {
            assert!(!counting.is_done(), "{counting:?}");
            let page = Page { activities: activities.to_vec(), next: next.map(str::to_owned), unread: 0 };
            counting.take(&page, "A", span(), |email| email.ends_with("@test"));
            // As a tick would find it after a restart.
            let kept = serde_json::to_string(&counting).expect("kept");
            counting = serde_json::from_str(&kept).expect("read");
        }
        counting
    }

    #[test]
    fn pages_overlap_and_are_out_of_order_and_nothing_is_counted_twice() {
        let counting = count(&[
            (&[at(1, 30), at(2, 23)], Some("b")),
            (&[at(2, 23), at(3, -1), at(4, 5)], Some("c")),
            (&[at(5, -3)], Some("d")),
            (&[at(6, 0)], Some("e")),
            (&[at(7, -3)], Some("f")),
            (&[at(8, -4)], Some("g")),
        ]);
        assert!(counting.is_done());
        assert_eq!(counting.received(), Received::Exactly(3));
    }

    #[test]
    fn a_list_that_turns_in_circles_or_does_not_end_is_incomplete() {
        let counting = count(&[(&[at(1, 3)], Some("b")), (&[at(2, 2)], Some("c")), (&[at(3, 2)], Some("b"))]);
        assert_eq!((counting.is_done(), counting.received()), (true, Received::AtLeast(3)));
        let same: &[Activity] = &[at(1, 3)];
        let counting = count(&[(same, Some("b")), (same, Some("c")), (same, Some("d")), (same, Some("e"))]);
        assert_eq!((counting.is_done(), counting.received()), (true, Received::AtLeast(1)));
        assert_eq!(count(&[(&[at(1, 3)], Some("b"))]).received(), Received::AtLeast(1));
        assert_eq!(Counting::default().received(), Received::Unknown);
        let mut unread = Counting::default();
        unread.take(&Page { unread: 1, ..Page::default() }, "A", span(), |_| false);
        assert_eq!(unread.received(), Received::AtLeast(0));
    }

    #[test]
    fn what_is_strange_about_events_is_counted_beside() {
        let other = Activity { name: "a".into(), ..at(1, 3) };
        let old = Activity { received_at: Some(at(0, 3).at), ..at(2, -80) };
        let nobody = Activity { has_person: false, ..at(3, 4) };
        let test = Activity { email: Some("x@test".into()), ..at(4, 4) };
        let counting = count(&[(&[other, old, nobody, test], None)]);
        assert_eq!(counting.received(), Received::Exactly(2));
        assert_eq!((counting.nobody, counting.tests, counting.too_old), (1, 1, 1));
        assert_eq!(counting.others.into_iter().collect::<Vec<_>>(), ["a"]);
    }
}
