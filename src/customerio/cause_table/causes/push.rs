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
        ("push_bounced", "DeviceTokenNotForTopic"), APNS),
    row("device_token_invalid", ("device no longer registered", "The app was removed or got a new token; this token is dead."),
        (Recipient, Digest), &[
            "Leave ordinary numbers: people remove apps.",
            "If nearly all fail at once: look whether production tokens go to the sandbox, or a release broke registration."],
        ("push_bounced", "BadDeviceToken"), FCM),
    row("no_devices", ("person has no device", "The person has no device token in Customer.io, so a push has nowhere to go."),
        (Recipient, Today), &[
            "Filter the campaign to people with a device.",
            "If it is more than usual: look whether the app still sends its tokens (a new release?)."],
        ("push_failed", "NoDevicesSynced"), WEBHOOKS),
    row("slack_channel", ("Slack channel not reachable", "The channel does not exist, is archived, or the app may not post there."),
        (Configuration, Today), &[
            "Compare the channel in the action with Slack: renamed, archived or private?",
            "Invite the app to the channel."],
        ("slack_failed", "value passed for channel was invalid"), SLACK),
];
