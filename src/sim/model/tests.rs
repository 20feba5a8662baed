//! The model store does what every store must do, but for reading around what has expired (the model purges) and names
//! (no scenario has any).

use super::*;
use crate::store::conformance::{World, conformance};

struct Fresh(Arc<Model>);

#[async_trait]
impl World for Fresh {
    fn any(&self) -> &dyn Store {
        self.0.as_ref()
    }

    fn again(&self) -> Arc<dyn Store> {
        self.0.clone()
    }

    async fn at(&self, now: Timestamp) {
        let _ = self.0.purge(now, 1_000).await.expect("purges");
    }

    async fn clock_at(&self, now: Timestamp) {
        self.at(now).await;
    }
}

async fn fresh() -> Option<Fresh> {
    Some(Fresh(Arc::new(Model::default())))
}

conformance!(
    super::fresh:
    a_duplicate_counts_once_within_a_batch_and_across_batches,
    the_class_is_frozen_at_first_acceptance,
    concurrent_workers_with_the_same_events_make_one_tally,
    cells_and_totals_are_of_the_kinds_and_minutes_asked_for,
    an_identity_is_remembered_for_23_days_after_the_later_of_event_and_arrival,
    registers_outlive_the_seen_set_and_then_go,
    an_incident_is_written_only_over_the_version_that_was_read,
    the_last_episodes_are_answered_oldest_first,
    open_or_untold_incidents_are_unsettled_and_a_span_finds_those_that_began_or_ended_in_it,
    a_lease_is_held_by_one_until_it_ends_or_is_given_back,
    a_cursor_moves_only_from_where_it_stands,
    the_last_verdict_on_a_period_stands,
    a_quarantined_request_is_one_item_and_is_listed_without_its_body,
    coverage_adds_up_over_handles,
);
