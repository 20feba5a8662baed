//! What Slack's short error codes mean for a message.
//! Sources: api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks, docs.slack.dev/reference/methods/
//! chat.postMessage and chat.update; which class a code is in is our own judgement.

/// What a code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// Slack's trouble, for now.
    Retry,
    /// Too much at once: it says how long to wait.
    Limited,
    /// It dislikes the blocks: the same in plain text may pass.
    Shape,
    /// The earlier message that this one changes or answers is no longer there.
    Gone,
    /// The earlier message is there, but may not be changed or answered.
    Closed,
    /// The channel takes nothing. One named anew by the configuration may, so what follows an earlier message starts
    /// afresh; else it is as [`Means::Receiver`].
    Channel,
    /// It will never take this message.
    Message,
    /// It will take none until somebody repairs the configuration.
    Receiver,
}

use Means::{Channel, Closed, Gone, Limited, Message, Receiver, Retry, Shape};

/// Every code that is known to answer a post or an update.
#[rustfmt::skip]
pub const CODES: &[(&str, Means)] = &[
    ("ratelimited", Limited), ("rate_limited", Limited),

    ("internal_error", Retry), ("fatal_error", Retry), ("service_unavailable", Retry), ("request_timeout", Retry),
    ("team_added_to_org", Retry), ("external_channel_migrating", Retry), ("rollup_error", Retry),
    ("update_failed", Retry), ("streaming_state_conflict", Retry),

    ("invalid_blocks", Shape), ("invalid_blocks_format", Shape), ("invalid_payload", Shape),
    ("invalid_attachments", Shape), ("msg_blocks_too_long", Shape), ("msg_too_long", Shape),
    ("too_many_attachments", Shape), ("invalid_arguments", Shape),

    ("message_not_found", Gone), ("msg_not_found", Gone), ("thread_not_found", Gone),

    ("cant_update_message", Closed), ("edit_window_closed", Closed), ("block_mismatch", Closed),
    ("cannot_reply_to_message", Closed), ("cant_broadcast_message", Closed),
    ("restricted_action_thread_locked", Closed), ("restricted_action_non_threadable_channel", Closed),

    ("channel_not_found", Channel), ("channel_is_archived", Channel), ("is_archived", Channel),
    ("is_inactive", Channel), ("not_in_channel", Channel),

    ("no_text", Message), ("user_not_found", Message), ("duplicate_message_not_found", Message),
    ("markdown_text_conflict", Message), ("no_dual_broadcast_content_update", Message), ("invalid_arg_name", Message),
    ("invalid_array_arg", Message), ("invalid_charset", Message), ("invalid_form_data", Message),
    ("invalid_post_type", Message), ("missing_post_type", Message),

    ("action_prohibited", Receiver), ("posting_to_general_channel_denied", Receiver), ("no_service", Receiver),
    ("no_service_id", Receiver), ("no_team", Receiver), ("team_disabled", Receiver), ("team_not_found", Receiver),
    ("invalid_token", Receiver), ("no_active_hooks", Receiver), ("invalid_auth", Receiver), ("not_authed", Receiver),
    ("token_revoked", Receiver), ("token_expired", Receiver), ("account_inactive", Receiver),
    ("missing_scope", Receiver), ("no_permission", Receiver), ("not_allowed_token_type", Receiver),
    ("restricted_action", Receiver), ("restricted_action_read_only_channel", Receiver),
    ("restricted_action_thread_only_channel", Receiver), ("ekm_access_denied", Receiver), ("access_denied", Receiver),
    ("accesslimited", Receiver), ("team_access_not_granted", Receiver), ("enterprise_is_restricted", Receiver),
    ("org_login_required", Receiver), ("two_factor_setup_required", Receiver), ("messages_tab_disabled", Receiver),
    ("deprecated_endpoint", Receiver), ("method_deprecated", Receiver),
];

/// What a code means; `None` for one that we have never heard of.
pub fn means(code: &str) -> Option<Means> {
    CODES.iter().find(|(name, _)| *name == code).map(|(_, means)| *means)
}

/// Whether a text looks like a code and not like somebody's web page.
pub fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_a_code_and_listed_once() {
        for (i, (code, _)) in CODES.iter().enumerate() {
            assert!(is_code(code), "{code}");
            assert!(!CODES[..i].iter().any(|(other, _)| other == code), "{code} twice");
        }
        assert!(!is_code("<html>") && !is_code("") && !is_code("Invalid token"));
    }
}
