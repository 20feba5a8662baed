//! What Slack's short error codes mean for a message.
//! Sources: api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks, docs.slack.dev/reference/
//! methods/chat.postMessage; which class a code is in is our own judgement.

/// What a code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// Slack's trouble, for now.
    Retry,
    /// It dislikes the blocks: the same in plain text may pass.
    Shape,
    /// The message it was to reply to is gone.
    Thread,
    /// It will never take this message.
    Message,
    /// It will take none until somebody repairs the configuration.
    Receiver,
}

use Means::{Message, Receiver, Retry, Shape, Thread};

/// Every code that is known to answer a post.
#[rustfmt::skip]
pub const CODES: &[(&str, Means)] = &[
    ("ratelimited", Retry), ("rate_limited", Retry), ("internal_error", Retry), ("fatal_error", Retry),
    ("service_unavailable", Retry), ("request_timeout", Retry), ("team_added_to_org", Retry),
    ("external_channel_migrating", Retry), ("rollup_error", Retry),

    ("invalid_blocks", Shape), ("invalid_blocks_format", Shape), ("invalid_payload", Shape),
    ("invalid_attachments", Shape), ("msg_blocks_too_long", Shape), ("msg_too_long", Shape),
    ("too_many_attachments", Shape), ("invalid_arguments", Shape),

    ("thread_not_found", Thread), ("message_not_found", Thread), ("cannot_reply_to_message", Thread),
    ("restricted_action_thread_locked", Thread), ("restricted_action_thread_only_channel", Receiver),

    ("no_text", Message), ("user_not_found", Message), ("duplicate_message_not_found", Message),
    ("markdown_text_conflict", Message),

    ("action_prohibited", Receiver), ("posting_to_general_channel_denied", Receiver), ("channel_not_found", Receiver),
    ("channel_is_archived", Receiver), ("is_archived", Receiver), ("is_inactive", Receiver), ("no_service", Receiver),
    ("no_service_id", Receiver), ("no_team", Receiver), ("team_disabled", Receiver), ("invalid_token", Receiver),
    ("no_active_hooks", Receiver), ("invalid_auth", Receiver), ("not_authed", Receiver), ("token_revoked", Receiver),
    ("token_expired", Receiver), ("account_inactive", Receiver), ("missing_scope", Receiver),
    ("no_permission", Receiver), ("not_in_channel", Receiver), ("not_allowed_token_type", Receiver),
    ("restricted_action", Receiver), ("restricted_action_read_only_channel", Receiver),
    ("restricted_action_non_threadable_channel", Receiver), ("ekm_access_denied", Receiver),
    ("access_denied", Receiver), ("org_login_required", Receiver), ("two_factor_setup_required", Receiver),
    ("messages_tab_disabled", Receiver), ("deprecated_endpoint", Receiver), ("method_deprecated", Receiver),
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
