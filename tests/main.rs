//! What the bridge promises, seen from outside: one file a promise. `scripts/test` runs them.

mod support;

mod a_2xx_is_a_promise;
mod a_bot_keeps_one_message_an_incident;
mod a_digest_arrives_once_a_day;
mod a_digest_corrects_what_it_said;
#[cfg(target_os = "linux")]
mod a_disk_that_refuses_is_a_503;
mod a_receivers_trouble_stays_its_own;
mod a_restart_forgets_nothing;
mod a_silent_workflow_pages;
mod an_alert_says_why;
mod an_outage_is_one_page_and_one_resolve;
#[cfg(feature = "aws")]
mod aws_a_2xx_is_a_promise;
#[cfg(feature = "aws")]
mod aws_a_later_versions_word_stands;
#[cfg(feature = "aws")]
mod aws_a_receivers_trouble_stays_its_own;
#[cfg(feature = "aws")]
mod aws_a_resolve_never_overtakes_its_opening;
#[cfg(feature = "aws")]
mod aws_a_signed_webhook_comes_out_at_every_receiver;
#[cfg(feature = "aws")]
mod aws_commands_work_on_a_stack;
#[cfg(feature = "aws")]
mod aws_figures;
#[cfg(feature = "aws")]
mod aws_ingest_answers_as_the_table_says;
#[cfg(feature = "aws")]
mod aws_one_bad_message_is_its_own_trouble;
#[cfg(feature = "aws")]
mod aws_our_own_trouble_loses_nothing;
#[cfg(feature = "aws")]
mod aws_silences_mute_and_owe_nothing;
#[cfg(feature = "aws")]
mod aws_tick_pages_for_a_silent_workflow_and_sends_the_digest;
#[cfg(feature = "aws")]
mod aws_twin_workers_see_the_sum;
#[cfg(feature = "aws")]
mod aws_what_is_usual_pages_when_it_stops;
mod blindness_pages_once;
mod bridge_check_looks_live;
mod bridge_check_names_the_place;
mod bridge_explain_says_why;
mod bridge_fire_reaches_the_real_receivers;
mod bridge_incident_keeps_the_record;
mod bridge_send_posts_what_the_sender_would;
mod bridge_subscribe_makes_the_webhook;
mod counts_are_reported_as_documented;
mod days_in_seconds;
mod diagnose_is_read_by_people;
mod diagnose_minds_the_app_apis_traps;
mod diagnose_says_why;
mod drafts_that_nobody_sends_are_one_warning;
mod drift_is_found_within_a_day;
mod each_group_opens_once;
mod events_that_come_late_are_one_warning;
mod fired_counts_come_in;
mod names_are_those_people_use;
mod nothing_is_kept_for_ever;
mod one_mailbox_provider_that_refuses_is_said_first;
mod people_act_by_signed_links;
mod rates_are_no_chance;
mod rates_open_and_close;
mod reconciliation_names_the_leg;
mod redrive_lists_sends_and_drops;
mod routes_pick_the_receivers;
mod runs_without_a_time_are_about;
mod secrets_and_people_stay_in;
mod silences_mute_and_owe_nothing;
mod storms_are_told_together;
mod the_answer_table_holds;
mod the_canary_comes_back;
mod the_deadman_hears_us_only_while_alerts_flow;
mod the_readme_is_true;
mod the_same_event_counts_once;
mod three_failing_transactional_messages_page_within_a_second;
mod what_is_usual_pages_when_it_stops;
mod what_is_usual_stays_known;
