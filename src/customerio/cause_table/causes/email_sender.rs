//! E-mail that is refused for who sends it, or for what it says.

use super::{SMTP, WEBHOOKS, row};
use crate::customerio::cause_table::CauseRow;
use crate::customerio::cause_table::Fault::{Configuration, Reputation};
use crate::customerio::cause_table::Urgency::{Now, Today};

#[rustfmt::skip]
pub const ROWS: &[CauseRow] = &[
    row("sender_auth", ("mail not authenticated", "The receiving server could not confirm by SPF, DKIM, DMARC, reverse DNS or TLS that we may send for this domain."),
        (Configuration, Now), &[
            "Check the domain's SPF, DKIM and DMARC records against Customer.io's sending domain page.",
            "Look whether DNS or the From domain changed lately.",
            "See which mailbox providers refuse: one alone may have new rules."],
        ("Set the SPF, DKIM or DMARC record that Customer.io's domain page shows as missing, and wait for DNS. A test to the mailbox provider that refused shows it. Resend what bounced.",
         "Change DNS and From domains only together with a test to Gmail, Microsoft and Yahoo, and watch DMARC reports."),
        ("email_bounced", "550-5.7.26 Unauthenticated email from example.test is not accepted due to domain's DMARC policy"), SMTP),
    row("blocklisted", ("on a blocklist", "The receiving server refuses mail from our address or domain because of its reputation."),
        (Reputation, Now), &[
            "Look up the sending address and domain at the list that the sample names.",
            "Ask Customer.io's support when it is a shared address of theirs.",
            "Find the send that drew complaints, and stop it."],
        ("Stop the send that drew complaints, then ask the list to remove the address by its own form, or Customer.io's support for a shared one. See that it passes: bounces of this cause end after the removal.",
         "Send to people who asked for it, remove those who never open, and watch complaints by message."),
        ("email_bounced", "550 5.7.1 Client host blocked using Spamhaus"), SMTP),
    row("spam_rejected", ("refused as spam", "The receiving server takes the message for spam."),
        (Reputation, Now), &[
            "See whether one message or one mailbox provider stands out.",
            "Look at what changed in that message: links, domain, volume.",
            "Look at complaint and open rates of the last days."],
        ("Pause the message, take out what stands out (links of other domains, link shorteners), and send to recent openers first. Refusals fall over the next days.",
         "Change one thing of a message at a time, and grow volume slowly."),
        ("email_bounced", "550 5.7.1 Message rejected as spam"), SMTP),
    row("policy_rejected", ("refused by policy", "The receiving server's rules forbid this message; it does not say which."),
        (Reputation, Today), &[
            "See whether one mailbox provider or company stands out.",
            "Read the sample: a link in it often names the rule.",
            "Check the domain's SPF, DKIM and DMARC records."],
        ("Do what the rule that the sample names asks for, and send a test to one address there.",
         "Keep SPF, DKIM and DMARC aligned with the From domain, and read the postmaster pages of the large mailbox providers."),
        ("email_bounced", "550 5.7.1 Delivery not authorized, message refused"), SMTP),
    row("spam_complaint", ("reported as spam", "The recipient pressed the spam button."),
        (Reputation, Today), &[
            "See which message draws the complaints, and whom it went to.",
            "Check that the unsubscribe link is easy to find and works."],
        ("Pause the message that draws the complaints, and leave out people who did not ask for it. Complaints of what was sent already still come for some days.",
         "Put the unsubscribe link where it is seen first, and mail new people soon after they signed up."),
        ("email_spammed", ""), WEBHOOKS),
];
