//! Push, and Slack.

use super::{APNS, FCM, SLACK, WEBHOOKS, row};
use crate::customerio::cause_table::CauseRow;
use crate::customerio::cause_table::Fault::{Configuration, Recipient};
use crate::customerio::cause_table::Urgency::{Digest, Now, Today};

#[rustfmt::skip]
pub const ROWS: &[CauseRow] = &[
    row("push_topic_mismatch", ("push goes to the wrong app", "The device token belongs to another app or environment than the one configured."),
        (Configuration, Now), &[
            "Compare the bundle id in Customer.io's push settings with the app's.",
            "Look whether a development build registered its tokens in production.",],
        ("Set the production bundle id and key in the push settings, and remove tokens of development builds; a push to a fresh install shows it.",
         "Send development builds to a workspace of their own."),
        ("push_bounced", "DeviceTokenNotForTopic"), APNS),
    row("device_token_invalid", ("device no longer registered", "The app was removed or got a new token; this token is dead."),
        (Recipient, Digest), &[
            "Leave ordinary numbers: people remove apps.",
            "If nearly all fail at once: look whether production tokens go to the sandbox, or a release broke registration."],
        ("Ordinary numbers need nothing. After a bad release, ship one that registers tokens again; devices come back as people open it.",
         "Test registration of tokens in each release with a push to a real device."),
        ("push_bounced", "BadDeviceToken"), FCM),
    row("no_devices", ("person has no device", "The person has no device token in Customer.io, so a push has nowhere to go."),
        (Recipient, Today), &[
            "Filter the campaign to people with a device.",
            "If it is more than usual: look whether the app still sends its tokens (a new release?)."],
        ("Filter the campaign to people with a device; with a broken release, ship one that sends tokens.",
         "Make a device a condition of every push step, with e-mail on the other branch."),
        ("push_failed", "NoDevicesSynced"), WEBHOOKS),
    row("slack_channel", ("Slack channel not reachable", "The channel does not exist, is archived, or the app may not post there."),
        (Configuration, Today), &[
            "Compare the channel in the action with Slack: renamed, archived or private?",
            "Invite the app to the channel."],
        ("Choose the channel again in the action, or invite the app to it, and send a test.",
         "Post to channels that belong to a team, not a project, and say in their topic what posts there."),
        ("slack_failed", "value passed for channel was invalid"), SLACK),
];
