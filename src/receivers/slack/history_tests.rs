use proptest::prelude::*;

use super::*;
use crate::receivers::slack::blocks::tests::{assert_inert, assert_valid, text_of};
use crate::receivers::slack::blocks::{FOOTER, HEADLINE, TEXT_CHARS};
use crate::receivers::slack::mrkdwn::len;
use crate::receivers::testing::{PHASES, any_message, message, now};

#[test]
fn each_phase_edits_the_message_into_the_truth() {
    let shown: Vec<String> = [Phase::Updated, Phase::Worsened, Phase::StillOpen, Phase::Resolved]
        .iter()
        .map(|phase| {
            let body = edited(&message(*phase), now());
            let last = body.rich["blocks"].as_array().unwrap().last().unwrap();
            format!("{}\n  {}", text_of(&body.rich), text_of(&last["elements"][1]))
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    🔴 Still open: Password reset (transactional 2): still failing after 4 h, 212 emails
      <!date^1795525500^As of {date_short_pretty} at {time}|As of 2026-11-24 13:05 UTC>
    🔴 Worse, now critical: Password reset (transactional 2): now critical, 40 emails failed since 14:02
      <!date^1795525500^As of {date_short_pretty} at {time}|As of 2026-11-24 13:05 UTC>
    🔴 Still open: Password reset (transactional 2): still failing after 4 h, 212 emails
      <!date^1795525500^As of {date_short_pretty} at {time}|As of 2026-11-24 13:05 UTC>
    ✅ Resolved: Password reset (transactional 2): resolved after 35 min, 12 emails had failed
      <!date^1795525500^As of {date_short_pretty} at {time}|As of 2026-11-24 13:05 UTC>: quiet, and a success was seen since
    ");
}

#[test]
fn every_way_to_end_is_said() {
    let ends = [Some(How::Quiet), Some(How::Expired), Some(How::Recovered), Some(How::RuleGone), None];
    let shown: Vec<String> = ends
        .iter()
        .map(|ended| {
            let body = edited(&Message { ended: *ended, ..message(Phase::Resolved) }, now());
            text_of(&body.plain.unwrap()).lines().take(2).collect::<Vec<_>>().join("\n  ")
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    ✅ Resolved: Password reset (transactional 2): resolved after 35 min, 12 emails had failed
      As of 2026-11-24 13:05 UTC: quiet, and a success was seen since
    ⚪ Expired, not seen fixed: Password reset (transactional 2): resolved after 35 min, 12 emails had failed
      As of 2026-11-24 13:05 UTC: quiet for a day, but no success was seen
    ✅ Resolved: Password reset (transactional 2): resolved after 35 min, 12 emails had failed
      As of 2026-11-24 13:05 UTC: it is as it should be again
    ⚪ Closed, no longer watched: Password reset (transactional 2): resolved after 35 min, 12 emails had failed
      As of 2026-11-24 13:05 UTC: its rule or heartbeat is no longer configured
    ⚪ Resolved: Password reset (transactional 2): resolved after 35 min, 12 emails had failed
      As of 2026-11-24 13:05 UTC: it is over
    ");
}

#[test]
fn the_plain_edit_takes_the_old_blocks_away() {
    let body = edited(&message(Phase::Updated), now()).plain.unwrap();
    assert_eq!((&body["blocks"], &body["parse"]), (&json!([]), &json!("none")));
    insta::assert_snapshot!(text_of(&body), @"
    🔴 Still open: Password reset (transactional 2): still failing after 4 h, 212 emails
    As of 2026-11-24 13:05 UTC
    Where: Password reset (transactional 2)
    How many: 12 of 400 (3.0 %)
    Cause: render_error: the template asks for data that is not there

    Check first:
    1. Open the message's editor and preview it with a failing person.
    2. Undo the last edit.

    It said:
    “liquid error: undefined &lt;plan&gt; &amp; 'tier' for &lt;masked&gt;”

    Deliveries &amp; drafts: https://fly.customer.io/env/12345/deliveries?type=failed&amp;page=1

    acme · incident 0f3a9c1e-1 · rule transactional-failing
    ");
}

#[test]
fn each_phase_has_its_line_of_history_or_none() {
    let shown: Vec<String> = PHASES
        .iter()
        .map(|phase| match reply(&message(*phase)) {
            Some(body) => format!("{phase:?}, to all {}: {}", body.rich["reply_broadcast"], text_of(&body.rich)),
            None => format!("{phase:?}: none"),
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    Opened: none
    Worsened, to all true: 🔴 Worse, now critical: Password reset (transactional 2): now critical, 40 emails failed since 14:02
    StillOpen, to all false: 🔴 Still open: Password reset (transactional 2): still failing after 4 h, 212 emails
    Updated: none
    Acted, to all false: Acknowledged by Ada (name not verified; link sent to "lifecycle") at 14:04
    Resolved, to all false: ✅ Resolved: Password reset (transactional 2): resolved after 35 min, 12 emails had failed
    OpenedAndResolved: none
    Digest: none
    Test: none
    "#);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_edit_and_no_reply_exceeds_a_limit_or_keeps_live_markup(message in any_message()) {
        let body = edited(&message, now());
        assert_valid(&body.rich);
        let plain = body.plain.unwrap();
        prop_assert!((1..=TEXT_CHARS).contains(&len(text_of(&plain))));
        assert_inert(text_of(&plain));
        if let Some(reply) = reply(&message) {
            prop_assert!((1..=HEADLINE + 1 + FOOTER).contains(&len(text_of(&reply.rich))));
            assert_inert(text_of(&reply.rich));
            prop_assert!(!text_of(&reply.rich).trim().is_empty());
        }
    }
}
