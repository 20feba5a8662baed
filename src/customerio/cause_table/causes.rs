//! The causes, in the words a person on call reads.

use super::{CauseRow, Fault, Urgency};
use Fault::{Configuration, Policy, Provider, Recipient, Reputation, Template, Unknown};
use Urgency::{Digest, Now, Today};

const TWILIO: &str = "https://www.twilio.com/docs/api/errors";
const SMTP: &str = "RFC 3463 and the IANA registry of SMTP enhanced status codes";
const REPLIES: &str = "RFC 5321, section 4.2";
const APNS: &str =
    "https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns";
const FCM: &str = "https://firebase.google.com/docs/cloud-messaging/error-codes";
const SLACK: &str = "https://docs.slack.dev/reference/methods/chat.postMessage";
const FAILED: &str = "https://docs.customer.io/journeys/message-failed";
const WEBHOOKS: &str = "https://docs.customer.io/integrations/api/webhooks";
const ACTIONS: &str = "https://docs.customer.io/journeys/webhooks-action/";
const LIMITS: &str = "https://docs.customer.io/journeys/send/timezones/message-limits";

/// What we say when no matcher knows the text.
pub const UNKNOWN: CauseRow = CauseRow {
    key: "unknown",
    title: "reason not known",
    meaning: "The text says nothing that this version knows for certain.",
    fault: Unknown,
    urgency: Today,
    check_first: &[
        "Read the sample text of the failure.",
        "Open the newest failed deliveries of the source in Customer.io and compare them.",
        "Ask what changed in the source since it last worked.",
    ],
    example_kind: "email_failed",
    example: "something else",
    source: WEBHOOKS,
};

const fn row(
    key: &'static str,
    (title, meaning): (&'static str, &'static str),
    (fault, urgency): (Fault, Urgency),
    check_first: &'static [&'static str],
    (example_kind, example): (&'static str, &'static str),
    source: &'static str,
) -> CauseRow {
    CauseRow { key, title, meaning, fault, urgency, check_first, example_kind, example, source }
}

/// Every cause.
#[rustfmt::skip]
pub const CAUSES: &[CauseRow] = &[
    row("render_error", ("message does not render", "The message's Liquid asks for a value that the person or the event does not have, or is not valid."),
        (Template, Now), &[
            "Open the message and preview it with a person who failed: the missing variable is named in the sample.",
            "Look whether an event or attribute was renamed upstream.",
            "Give the variable a default, or filter people who lack it."],
        ("email_failed", "Variable 'customer.name' is missing"), FAILED),
    row("provider_auth", ("provider refuses our credentials", "The provider does not accept the keys or certificates that Customer.io sends with."),
        (Configuration, Now), &[
            "Open the channel's settings in Customer.io and look for expired or replaced credentials.",
            "Look in the provider's console for a rotated key, a revoked token or a suspended user.",
            "Save fresh credentials and send a test message."],
        ("push_failed", "InvalidProviderToken"), APNS),
    row("provider_account", ("provider account not active", "The account at the provider is suspended or closed, so it sends nothing."),
        (Configuration, Now), &[
            "Open the provider's console and look for a suspension notice.",
            "Look at billing: an unpaid balance suspends an account."],
        ("sms_failed", "Twilio Error 30002: Account suspended"), TWILIO),
    row("trial_account", ("provider account is a trial", "A trial account at Twilio sends to numbers that it has verified and to no others."),
        (Configuration, Now), &[
            "Upgrade the account in Twilio's console.",
            "Look whether this workspace was meant to use another account."],
        ("sms_failed", "Twilio Error 21608: The number is unverified. Trial accounts cannot send messages to unverified numbers"), TWILIO),
    row("sender_rejected", ("sender not accepted", "The From address or number may not send this: unknown to the provider, not ours, or not able to."),
        (Configuration, Now), &[
            "Compare the From of the message with the senders that the provider lists as verified.",
            "Look whether the number was released or moved to another account.",
            "Check that the sender can send this kind of message to that country."],
        ("sms_failed", "Twilio Error 21606: The 'From' phone number is not a valid, SMS-capable number"), TWILIO),
    row("sender_unregistered", ("sender number not registered", "US carriers block numbers that belong to no approved 10DLC campaign."),
        (Configuration, Now), &[
            "Look up the number's 10DLC campaign in Twilio: is it approved, and is the number attached?",
            "Send from a registered number meanwhile."],
        ("sms_bounced", "Twilio Error 30034: Message from an Unregistered Number"), TWILIO),
    row("sender_auth", ("mail not authenticated", "The receiving server could not confirm by SPF, DKIM or DMARC that we may send for this domain."),
        (Configuration, Now), &[
            "Check the domain's SPF, DKIM and DMARC records against Customer.io's sending domain page.",
            "Look whether DNS or the From domain changed lately.",
            "See which mailbox providers refuse: one alone may have new rules."],
        ("email_bounced", "550-5.7.26 Unauthenticated email from example.test is not accepted due to domain's DMARC policy"), SMTP),
    row("sending_disabled", ("sending is switched off", "Sending is disabled for this workspace or environment in Customer.io."),
        (Policy, Now), &[
            "Look at the workspace's sending settings, and who changed them.",
            "Ask Customer.io's support if nobody here did."],
        ("email_undeliverable", "sending is disabled"), FAILED),
    row("region_not_enabled", ("country not enabled for SMS", "The Twilio account is not allowed to send to the country of these numbers."),
        (Configuration, Today), &[
            "Enable the country under Messaging > Settings > Geo permissions in Twilio.",
            "If nobody there should get texts, filter the country out of the audience: it may be abuse."],
        ("sms_attempted", "Twilio Error 21408: Permission to send an SMS has not been enabled for the region indicated by the 'To' number"), TWILIO),
    row("push_topic_mismatch", ("push goes to the wrong app", "The device token belongs to another app or environment than the one configured."),
        (Configuration, Now), &[
            "Compare the bundle id in Customer.io's push settings with the app's.",
            "Look whether a development build registered its tokens in production.",],
        ("push_bounced", "DeviceTokenNotForTopic"), APNS),
    row("slack_channel", ("Slack channel not reachable", "The channel does not exist, is archived, or the app is not in it."),
        (Configuration, Today), &[
            "Compare the channel in the action with Slack: renamed, archived or private?",
            "Invite the app to the channel."],
        ("slack_failed", "value passed for channel was invalid"), SLACK),
    row("too_large", ("message too large", "The message is larger than the provider or the recipient's server takes."),
        (Template, Today), &[
            "Look at the size of the rendered message: attachments, inline images, long lists from Liquid loops.",
            "Shorten it and send a test."],
        ("email_bounced", "552 5.3.4 Message size exceeds fixed limit"), SMTP),
    row("webhook_not_found", ("webhook address not found", "The address that a webhook action posts to answers that it does not exist."),
        (Configuration, Now), &[
            "Compare the action's URL with what the service serves now.",
            "Look whether a deployment moved or removed the route."],
        ("webhook_failed", "HTTP 404 Not Found []"), ACTIONS),
    row("webhook_auth", ("webhook not authorised", "The service that a webhook action posts to refuses its credentials."),
        (Configuration, Now), &[
            "Check the action's headers and the service's keys: rotated or expired?",
            "Look whether a firewall or an allow list blocks Customer.io's addresses."],
        ("webhook_failed", "HTTP 401 Unauthorized"), ACTIONS),
    row("webhook_rejected", ("webhook content refused", "The service that a webhook action posts to does not accept what it is sent."),
        (Template, Now), &[
            "Read the service's log for these requests: it knows what it missed.",
            "Preview the action's body with a person who failed: empty or unescaped values?"],
        ("webhook_failed", "HTTP 422 Unprocessable Entity"), ACTIONS),
    row("webhook_rate_limited", ("webhook called too often", "The service that a webhook action posts to limits how often it may be called."),
        (Provider, Today), &[
            "Compare the campaign's volume with the service's limit.",
            "Spread the sends, or raise the limit."],
        ("webhook_attempted", "HTTP 429 Too Many Requests"), ACTIONS),
    row("webhook_server_error", ("webhook's service fails", "The service that a webhook action posts to answers with an error of its own."),
        (Provider, Now), &[
            "Look at the service's own alerts and its latest deployment.",
            "Replay one failed request against it."],
        ("webhook_attempted", "HTTP 503 Service Unavailable"), ACTIONS),
    row("webhook_timeout", ("webhook's service too slow", "The service that a webhook action posts to did not answer in time."),
        (Provider, Today), &[
            "Look at the service's response times.",
            "Have it answer first and work afterwards."],
        ("webhook_attempted", "request timed out"), ACTIONS),
    row("webhook_unreachable", ("webhook's service not reachable", "No connection could be made to the service that a webhook action posts to."),
        (Provider, Now), &[
            "Check that the host resolves, listens and has a valid certificate.",
            "Look whether a firewall blocks Customer.io's addresses."],
        ("webhook_attempted", "dial tcp: connection refused"), ACTIONS),
    row("rate_limited", ("sending too fast", "The provider or the receiving server limits how much it takes from us at a time."),
        (Provider, Today), &[
            "Compare the volume with the day before: a large send, or a loop?",
            "Spread the send, or ask the provider for a higher limit.",
            "See whether one mailbox provider alone slows us down: that is reputation."],
        ("email_deferred", "421 4.7.28 Gmail has detected an unusual rate of mail"), SMTP),
    row("provider_unavailable", ("provider not available", "The provider has trouble of its own; messages are tried again."),
        (Provider, Today), &[
            "Look at the provider's status page.",
            "If it lasts, see whether attempts end as failed: they are not tried for ever."],
        ("push_attempted", "ServiceUnavailable"), APNS),
    row("timeout", ("no answer in time", "The provider or the receiving server did not answer in time."),
        (Provider, Today), &[
            "Look at the status pages of Customer.io and of the provider.",
            "With your own SMTP server: look at its load and its firewall."],
        ("email_attempted", "timeout talking to provider"), FAILED),
    row("connection_failed", ("no connection", "No connection could be made or kept to the provider or the receiving server."),
        (Provider, Today), &[
            "With your own SMTP server: check that it listens, and its certificate.",
            "Look at the provider's status page."],
        ("email_attempted", "connection refused"), FAILED),
    row("temporary_failure", ("refused for now", "The receiving server refused the mail for now without saying why; it is tried again."),
        (Provider, Digest), &[
            "See whether one mailbox provider stands out.",
            "Wait for the delivered or bounced events that follow."],
        ("email_deferred", "451 Requested action aborted: error in processing"), REPLIES),
    row("greylisted", ("greylisted", "The receiving server takes mail of unknown senders only at the second try; it is tried again."),
        (Provider, Digest), &[
            "Wait: the second try usually passes.",
            "If it never does, look whether the sending address changes with each try."],
        ("email_deferred", "450 4.2.0 Greylisted, see http://postgrey.example.test"), REPLIES),
    row("delivery_expired", ("given up after many tries", "The provider tried until its time was up and never got the mail delivered."),
        (Provider, Today), &[
            "See which mailbox provider or domain it was.",
            "Look at the deferred events before it: they say why."],
        ("email_bounced", "550 4.4.7 Message expired: unable to deliver in time"), SMTP),
    row("mailbox_unknown", ("mailbox does not exist", "The receiving server knows no mailbox of that name."),
        (Recipient, Digest), &[
            "If it is more than usual: find where these addresses came from (import, form without confirmation).",
            "Check that the recipient field of the message holds the right attribute.",
            "Stop sending to them: repeated bounces cost reputation."],
        ("email_bounced", "550 5.1.1 The email account does not exist"), SMTP),
    row("mailbox_unavailable", ("mailbox not available", "The receiving server says the mailbox cannot be used: unknown, closed, or refusing."),
        (Recipient, Digest), &[
            "If it is more than usual: find where these addresses came from.",
            "See whether one mailbox provider stands out: then it may refuse us and not the mailbox."],
        ("email_bounced", "550 5.5.0 Requested action not taken: mailbox unavailable"), REPLIES),
    row("mailbox_full", ("mailbox is full", "The recipient's mailbox has no room."),
        (Recipient, Digest), &[
            "Leave it: it is the recipient's to clear.",
            "If many are full, the list is old: send to people who opened lately."],
        ("email_bounced", "552 5.2.2 Mailbox full"), SMTP),
    row("mailbox_disabled", ("mailbox is switched off", "The mailbox exists and accepts no mail, often because nobody uses it any more."),
        (Recipient, Digest), &[
            "Stop sending to these addresses.",
            "If there are many, the list is old: send to people who opened lately."],
        ("email_bounced", "550 5.2.1 The email account that you tried to reach is disabled"), SMTP),
    row("domain_unknown", ("domain takes no mail", "The domain of the address does not exist or has no mail server."),
        (Recipient, Digest), &[
            "Look for one mistyped domain (gmial.com) that stands out: correct it where people type it.",
            "Check that the recipient field holds an address."],
        ("email_bounced", "550 5.1.2 Host unknown"), SMTP),
    row("address_invalid", ("not a valid address", "The text in the recipient field is not an e-mail address."),
        (Recipient, Today), &[
            "Check that the recipient field of the message holds the right attribute.",
            "Find where these addresses came from."],
        ("email_bounced", "501 5.1.3 Bad recipient address syntax"), SMTP),
    row("number_invalid", ("not a valid phone number", "The text in the recipient field is not a phone number that can be reached."),
        (Recipient, Today), &[
            "Check that the attribute holds numbers with a plus sign and the country's code.",
            "Find where these numbers came from: a form or an import without a check?"],
        ("sms_failed", "Twilio Error 21211: The 'To' number is not a valid phone number."), TWILIO),
    row("number_unknown", ("number not in use", "The carrier knows no handset with that number."),
        (Recipient, Digest), &[
            "Stop sending to these numbers.",
            "If it is more than usual: find where they came from."],
        ("sms_bounced", "Twilio Error 30005: Unknown destination handset"), TWILIO),
    row("number_not_mobile", ("number takes no texts", "The number is a landline or of a carrier that takes no text messages."),
        (Recipient, Digest), &[
            "Stop sending to these numbers.",
            "Ask for a mobile number where people type it in."],
        ("sms_failed", "Twilio Error 21614: 'To' number is not a valid mobile number"), TWILIO),
    row("handset_unreachable", ("handset not reachable", "The handset is switched off, out of reach, or cannot take texts now."),
        (Recipient, Digest), &[
            "Leave single ones: they often pass later.",
            "If one carrier or country stands out, look at the provider's status page."],
        ("sms_bounced", "Twilio Error 30003: Unreachable destination handset"), TWILIO),
    row("opted_out", ("recipient opted out", "The recipient answered STOP, so nothing more may be sent from this number."),
        (Recipient, Digest), &[
            "Record the opt-out on the person so that campaigns leave them out.",
            "If it is more than usual: look at what was sent just before."],
        ("sms_failed", "Twilio Error 21610: Attempt to send to unsubscribed recipient"), TWILIO),
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
    row("suppressed", ("recipient is suppressed", "Customer.io did not send: the recipient bounced or complained before, or was put on the list."),
        (Recipient, Digest), &[
            "Look up one address on the suppression list: the reason stands there.",
            "If it is many at once: look for a bounce storm before it."],
        ("email_dropped", "suppressed"), WEBHOOKS),
    row("blocklisted", ("on a blocklist", "The receiving server refuses mail from our address or domain because of its reputation."),
        (Reputation, Now), &[
            "Look up the sending address and domain at the list that the sample names.",
            "Ask Customer.io's support when it is a shared address of theirs.",
            "Find the send that drew complaints, and stop it."],
        ("email_bounced", "550 5.7.1 Client host blocked using Spamhaus"), SMTP),
    row("spam_rejected", ("refused as spam", "The receiving server takes the message for spam."),
        (Reputation, Now), &[
            "See whether one message or one mailbox provider stands out.",
            "Look at what changed in that message: links, domain, volume.",
            "Look at complaint and open rates of the last days."],
        ("email_bounced", "550 5.7.1 Message rejected as spam"), SMTP),
    row("policy_rejected", ("refused by policy", "The receiving server's rules forbid this message; it does not say which."),
        (Reputation, Today), &[
            "See whether one mailbox provider or company stands out.",
            "Read the sample: a link in it often names the rule.",
            "Check the domain's SPF, DKIM and DMARC records."],
        ("email_bounced", "550 5.7.1 Delivery not authorized, message refused"), SMTP),
    row("carrier_filtered", ("filtered by the carrier", "A carrier took the message for spam or for forbidden content."),
        (Reputation, Now), &[
            "Look at the text: shortened links, forbidden subjects, no way to opt out.",
            "Look at the sender's registration and its trust score in Twilio.",
            "See whether one carrier or country stands out."],
        ("sms_bounced", "Twilio Error 30007: Carrier violation"), TWILIO),
    row("message_blocked", ("text message blocked", "The number or its carrier is set to take no such messages."),
        (Recipient, Digest), &[
            "Leave single ones: the recipient may have blocked us.",
            "If it is more than usual: look whether one carrier or country stands out."],
        ("sms_bounced", "Twilio Error 30004: Message blocked"), TWILIO),
    row("spam_complaint", ("reported as spam", "The recipient pressed the spam button."),
        (Reputation, Today), &[
            "See which message draws the complaints, and whom it went to.",
            "Check that the unsubscribe link is easy to find and works."],
        ("email_spammed", ""), WEBHOOKS),
    row("message_limit", ("message limit reached", "The person had as many messages as the workspace allows in the period."),
        (Policy, Digest), &[
            "Look at the workspace's message limits, and whether this message should count.",
            "See which other campaign fills the limit."],
        ("email_undeliverable", "message limit reached"), LIMITS),
    row("newsletter_cancelled", ("newsletter cancelled", "Somebody cancelled or deleted the newsletter while it was being sent."),
        (Policy, Digest), &["Ask who cancelled it, and whether the rest should go out."],
        ("email_undeliverable", "newsletter cancelled"), WEBHOOKS),
    row("whatsapp_window", ("outside WhatsApp's 24 hours", "A free text may be sent only within 24 hours of the person's last message."),
        (Configuration, Now), &[
            "Use an approved template in this message.",
            "Check that the template is still approved."],
        ("whatsapp_failed", "Twilio Error 63016: outside the allowed window"), TWILIO),
    UNKNOWN,
];
