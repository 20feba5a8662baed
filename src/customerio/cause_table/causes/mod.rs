//! The causes, in the words a person on call reads: one file a channel.

mod any;
mod email_recipient;
mod email_sender;
mod push;
mod text_messages;
mod webhook;
mod whatsapp;

use super::{CauseRow, Fault, Urgency};

const TWILIO: &str = "https://www.twilio.com/docs/api/errors";
const META: &str = "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes";
const SMTP: &str = "RFC 3463 and the IANA registry of SMTP enhanced status codes";
const REPLIES: &str = "RFC 5321, section 4.2";
const EXCHANGE: &str =
    "https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online";
const APNS: &str =
    "https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns";
const FCM: &str = "https://firebase.google.com/docs/cloud-messaging/error-codes";
const SLACK: &str = "https://docs.slack.dev/reference/methods/chat.postMessage";
const FAILED: &str = "https://docs.customer.io/journeys/message-failed";
const WEBHOOKS: &str = "https://docs.customer.io/integrations/api/webhooks";
const ACTIONS: &str = "https://docs.customer.io/journeys/webhooks-action/";
const LIMITS: &str = "https://docs.customer.io/journeys/send/timezones/message-limits";

/// What we say when no matcher knows the text.
pub const UNKNOWN: CauseRow = row(
    "unknown",
    ("reason not known", "The text says nothing that this version knows for certain."),
    (Fault::Unknown, Urgency::Today),
    &[
        "Read the sample text of the failure.",
        "Open the newest failed deliveries of the source in Customer.io and compare them.",
        "Ask what changed in the source since it last worked.",
    ],
    (
        "Put right what the newest failed deliveries show. If the text names a reason plainly, report it, masked, so that the next version knows it.",
        "Read new texts in the digest's unknown causes before they are many.",
    ),
    ("email_failed", "something else"),
    WEBHOOKS,
);

/// The causes of one channel, under its name.
pub const GROUPS: &[(&str, &[CauseRow])] = &[
    ("Any channel", any::ROWS),
    ("E-mail: the recipient's side", email_recipient::ROWS),
    ("E-mail: our side", email_sender::ROWS),
    ("Text messages", text_messages::ROWS),
    ("WhatsApp", whatsapp::ROWS),
    ("Push and Slack", push::ROWS),
    ("Webhook actions", webhook::ROWS),
    ("Everything else", &[UNKNOWN]),
];

/// Every cause.
pub fn causes() -> impl Iterator<Item = &'static CauseRow> {
    GROUPS.iter().flat_map(|(_, rows)| rows.iter())
}

const fn row(
    key: &'static str,
    (title, meaning): (&'static str, &'static str),
    (fault, urgency): (Fault, Urgency),
    check_first: &'static [&'static str],
    (fix, prevent): (&'static str, &'static str),
    (example_kind, example): (&'static str, &'static str),
    source: &'static str,
) -> CauseRow {
    CauseRow { key, title, meaning, fault, urgency, check_first, fix, prevent, example_kind, example, source }
}
