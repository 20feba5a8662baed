//! What can happen on any channel.

use super::{APNS, FAILED, LIMITS, SMTP, TWILIO, WEBHOOKS, row};
use crate::customerio::cause_table::CauseRow;
use crate::customerio::cause_table::Fault::{Configuration, Policy, Provider, Recipient, Template};
use crate::customerio::cause_table::Urgency::{Digest, Now, Today};

#[rustfmt::skip]
pub const ROWS: &[CauseRow] = &[
    row("render_error", ("message does not render", "The message's Liquid asks for a value that the person or the event does not have, or is not valid."),
        (Template, Now), &[
            "Open the message and preview it with a person who failed: the missing variable is named in the sample.",
            "Look whether an event or attribute was renamed upstream.",
            "Give the variable a default, or filter people who lack it."],
        ("Give the variable a default in the message, or send it again from where it is made; then send a test with a person who failed. Failures stop with the next message. What failed is not sent by itself: trigger it again for those who are owed it.",
         "Give every variable that a message cannot do without a default or a condition, and change event payloads and messages together."),
        ("email_failed", "Variable 'customer.name' is missing"), FAILED),
    row("message_invalid", ("message not valid", "The provider does not take the message as it was rendered: empty, malformed, or with a value that it does not know."),
        (Template, Now), &[
            "Preview the message with a person who failed: is the body empty, is a value missing, does every media link open?",
            "Look at what changed in the message since it last worked.",
            "Compare custom payloads and headers with the provider's documentation."],
        ("Correct the body, payload or header that the provider names, and send a test to a person who failed. Resend what failed only after the test arrives.",
         "Preview each change of a message with a person whose attributes are empty."),
        ("sms_failed", "Twilio Error 21602: Message body is required"), TWILIO),
    row("too_large", ("message too large", "The message is larger than the provider or the recipient's server takes."),
        (Template, Today), &[
            "Look at the size of the rendered message: attachments, inline images, long lists from Liquid loops.",
            "Shorten it and send a test."],
        ("Take the attachment or image out and link it, or cut the loop that writes the list; the next message passes. Resend by link what people wait for.",
         "Bound every Liquid loop, and link files in place of attaching them."),
        ("email_bounced", "552 5.3.4 Message size exceeds fixed limit"), SMTP),
    row("provider_auth", ("provider refuses our credentials", "The provider does not accept the keys or certificates that Customer.io sends with."),
        (Configuration, Now), &[
            "Open the channel's settings in Customer.io and look for expired or replaced credentials.",
            "Look in the provider's console for a rotated key, a revoked token or a suspended user.",
            "Save fresh credentials and send a test message."],
        ("Put the new key or certificate into the channel's settings in Customer.io. A test arrives at once when it is right. Resend what ended as failed and is still wanted.",
         "Note the day on which keys and certificates expire in a calendar, and rotate in Customer.io before the old one is revoked."),
        ("push_failed", "InvalidProviderToken"), APNS),
    row("provider_account", ("provider account not active", "The account at the provider is suspended, closed or out of credit, so it sends nothing."),
        (Configuration, Now), &[
            "Open the provider's console and look for a suspension notice.",
            "Look at billing: an unpaid balance suspends an account."],
        ("Pay the bill or answer the provider's notice, and send a test. Until it arrives move urgent messages to another channel.",
         "Let the provider top up by itself, and send its billing notices to a list that people read."),
        ("sms_failed", "Twilio Error 30002: Account suspended"), TWILIO),
    row("sender_rejected", ("sender not accepted", "The From address or number may not send this: unknown to the provider, not ours, or not able to."),
        (Configuration, Now), &[
            "Compare the From of the message with the senders that the provider lists as verified.",
            "Look whether the number was released or moved to another account.",
            "Check that the sender can send this kind of message to that country."],
        ("Verify the sender at the provider, or set one that is verified as From in the message. A test to one recipient of each country shows it.",
         "Keep the senders of messages in one place, and take a number out of every message before it is released."),
        ("sms_failed", "Twilio Error 21606: The 'From' phone number is not a valid, SMS-capable number"), TWILIO),
    row("sending_disabled", ("sending is switched off", "Sending is disabled for this workspace or environment in Customer.io."),
        (Policy, Now), &[
            "Look at the workspace's sending settings, and who changed them.",
            "Ask Customer.io's support if nobody here did."],
        ("Turn sending on again in the workspace's settings, once whoever turned it off agrees. Messages of the meantime stay unsent.",
         "Agree who may turn sending off, and write into the team's channel whenever it is done."),
        ("email_undeliverable", "sending is disabled"), FAILED),
    row("message_limit", ("message limit reached", "The person had as many messages as the workspace allows in the period."),
        (Policy, Digest), &[
            "Look at the workspace's message limits, and whether this message should count.",
            "See which other campaign fills the limit."],
        ("Exempt the message from the limit if it must arrive; else nothing is to be done: the limit works.",
         "Exempt receipts and account messages from limits when they are created."),
        ("email_undeliverable", "message limit reached"), LIMITS),
    row("newsletter_cancelled", ("newsletter cancelled", "Somebody cancelled or deleted the newsletter while it was being sent."),
        (Policy, Digest), &["Ask who cancelled it, and whether the rest should go out."],
        ("Send the newsletter to the rest as a new one, without those who have it, if it should go out.",
         "Send a newsletter to a test segment first, so that nobody has to cancel it midway."),
        ("email_undeliverable", "newsletter cancelled"), WEBHOOKS),
    row("suppressed", ("recipient is suppressed", "Customer.io did not send: the recipient bounced or complained before, or was put on the list."),
        (Recipient, Digest), &[
            "Look up one address on the suppression list: the reason stands there.",
            "If it is many at once: look for a bounce storm before it."],
        ("Take an address off the suppression list only if its owner asks for mail; then send again. Ordinary numbers need nothing.",
         "Confirm addresses where people give them, and stop sending to those who have not opened for months."),
        ("email_dropped", "suppressed"), WEBHOOKS),
    row("opted_out", ("recipient opted out", "The recipient unsubscribed, answered STOP or blocked us, so nothing more may be sent."),
        (Recipient, Digest), &[
            "Record the opt-out on the person so that campaigns leave them out.",
            "If it is more than usual: look at what was sent just before."],
        ("Nothing is to be sent to them. Store the opt-out on the profile and let the segment leave it out; the failures then end.",
         "Sync STOP answers and unsubscribes to profiles, and make every audience leave them out."),
        ("sms_failed", "Twilio Error 21610: Attempt to send to unsubscribed recipient"), TWILIO),
    row("rate_limited", ("sending too fast", "The provider or the receiving server limits how much it takes from us at a time."),
        (Provider, Today), &[
            "Compare the volume with the day before: a large send, or a loop?",
            "Spread the send, or ask the provider for a higher limit.",
            "See whether one mailbox provider alone slows us down: that is reputation."],
        ("Lower the speed of the send, or split the audience over hours; what is deferred is tried again by the provider and needs nothing.",
         "Raise volume by steps on new domains and numbers, and let large sends go out over hours."),
        ("email_deferred", "421 4.7.28 Gmail has detected an unusual rate of mail"), SMTP),
    row("provider_unavailable", ("provider not available", "The provider has trouble of its own; messages are tried again."),
        (Provider, Today), &[
            "Look at the provider's status page.",
            "If it lasts, see whether attempts end as failed: they are not tried for ever."],
        ("Wait while the provider's status page reports it. If it lasts over an hour, move urgent messages to another channel or provider.",
         "Know for each urgent message which second channel it can take."),
        ("push_attempted", "ServiceUnavailable"), APNS),
    row("timeout", ("no answer in time", "The provider or the receiving server did not answer in time."),
        (Provider, Today), &[
            "Look at the status pages of Customer.io and of the provider.",
            "With your own SMTP server: look at its load and its firewall."],
        ("With a provider of ours, take load off it or raise its limits; else wait. What ends as failed after all tries is to be sent again by hand.",
         "Watch the response time of a mail server of your own, and keep attachments small."),
        ("email_attempted", "timeout talking to provider"), FAILED),
    row("connection_failed", ("no connection", "No connection could be made or kept to the provider or the receiving server."),
        (Provider, Today), &[
            "With your own SMTP server: check that it listens, and its certificate.",
            "Look at the provider's status page."],
        ("Open the port, renew the certificate or correct the host of your own server; with a provider's, wait. Attempts that follow show it within minutes.",
         "Let the certificate of a mail server of your own renew itself, and alert on its expiry."),
        ("email_attempted", "connection refused"), FAILED),
    row("delivery_expired", ("given up after many tries", "The provider tried until its time was up and never got the message delivered."),
        (Provider, Today), &[
            "See which mailbox provider or domain it was.",
            "Look at the deferred events before it: they say why."],
        ("Put right what the deferrals before it named, then resend to those who are owed it; their mail was given up.",
         "Let a rule look at deferred e-mail by mailbox provider, so that it is known days before mail expires."),
        ("email_bounced", "550 4.4.7 Message expired: unable to deliver in time"), SMTP),
];
