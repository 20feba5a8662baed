//! E-mail that the recipient's side does not take.

use super::{EXCHANGE, REPLIES, SMTP, row};
use crate::customerio::cause_table::CauseRow;
use crate::customerio::cause_table::Fault::{Provider, Recipient};
use crate::customerio::cause_table::Urgency::{Digest, Today};

#[rustfmt::skip]
pub const ROWS: &[CauseRow] = &[
    row("mailbox_unknown", ("mailbox does not exist", "The receiving server knows no mailbox of that name."),
        (Recipient, Digest), &[
            "If it is more than usual: find where these addresses came from (import, form without confirmation).",
            "Check that the recipient field of the message holds the right attribute.",
            "Stop sending to them: repeated bounces cost reputation."],
        ("Remove the import or fix the form that brought them; take the addresses out of the audience. The bounce rate falls with the next send.",
         "Confirm each address by mail before it gets anything else."),
        ("email_bounced", "550 5.1.1 The email account does not exist"), SMTP),
    row("mailbox_unavailable", ("mailbox not available", "The receiving server says the mailbox cannot be used: unknown, closed, or refusing."),
        (Recipient, Digest), &[
            "If it is more than usual: find where these addresses came from.",
            "See whether one mailbox provider stands out: then it may refuse us and not the mailbox."],
        ("Where one mailbox provider refuses all, follow the section on reputation; else take the addresses out of the audience.",
         "Watch bounces by mailbox provider in the digest: a refusal of the sender looks like bad addresses at first."),
        ("email_bounced", "550 5.5.0 Requested action not taken: mailbox unavailable"), REPLIES),
    row("mailbox_full", ("mailbox is full", "The recipient's mailbox has no room."),
        (Recipient, Digest), &[
            "Leave it: it is the recipient's to clear.",
            "If many are full, the list is old: send to people who opened lately."],
        ("Leave single ones. Take addresses that have been full for weeks out of the audience.",
         "Send regular mail to people who opened in the last months only."),
        ("email_bounced", "552 5.2.2 Mailbox full"), SMTP),
    row("mailbox_disabled", ("mailbox is switched off", "The mailbox exists and accepts no mail, often because nobody uses it any more."),
        (Recipient, Digest), &[
            "Stop sending to these addresses.",
            "If there are many, the list is old: send to people who opened lately."],
        ("Take these addresses out of the audience; where they are customers, ask for another one in the product.",
         "Ask people in the product to confirm their address once a year."),
        ("email_bounced", "550 5.2.1 The email account that you tried to reach is disabled"), SMTP),
    row("domain_unknown", ("domain takes no mail", "The domain of the address does not exist or has no mail server."),
        (Recipient, Digest), &[
            "Look for one mistyped domain (gmial.com) that stands out: correct it where people type it.",
            "Check that the recipient field holds an address."],
        ("Correct the domain on the profiles where it is plainly mistyped, and send again; take the others out.",
         "Check the domain's mail servers in the form before it is saved, and offer the likely spelling."),
        ("email_bounced", "550 5.1.2 Host unknown"), SMTP),
    row("address_invalid", ("not a valid address", "The text in the recipient field is not an e-mail address."),
        (Recipient, Today), &[
            "Check that the recipient field of the message holds the right attribute.",
            "Find where these addresses came from."],
        ("Point the message's recipient at the attribute that holds the address, or clean the attribute; then send a test.",
         "Let forms and imports take nothing but valid addresses."),
        ("email_bounced", "501 5.1.3 Bad recipient address syntax"), SMTP),
    row("recipient_restricted", ("recipient takes no mail from us", "The recipient, or the recipient's organisation, takes mail from chosen senders only, or has blocked us."),
        (Recipient, Digest), &[
            "Leave single ones: only the recipient or their administrator can change it.",
            "If one company stands out: ask a contact there to allow our sending domain."],
        ("Ask a contact at that company to allow the sending domain; resend when they say that it is done.",
         "Tell new business customers which domain mail will come from, so that they allow it beforehand."),
        ("email_bounced", "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required"), EXCHANGE),
    row("recipient_server", ("recipient's mail system has a fault", "The recipient's mail system sends mail round in circles or has no room left."),
        (Provider, Digest), &[
            "Leave single ones: the recipient's administrator has to repair it.",
            "If one domain stands out and matters: tell them, with the sample."],
        ("Tell the domain's administrator with the masked sample. Resend when they have repaired it.",
         "Nothing of ours prevents it; a rule that ignores this cause keeps it from paging."),
        ("email_bounced", "554 5.4.6 Hop count exceeded - possible mail loop"), SMTP),
    row("greylisted", ("greylisted", "The receiving server takes mail of unknown senders only at the second try; it is tried again."),
        (Provider, Digest), &[
            "Wait: the second try usually passes.",
            "If it never does, look whether the sending address changes with each try."],
        ("Wait 30 minutes: the provider's second try passes. If it never does, ask Customer.io's support about the sending addresses.",
         "Send regularly from the same address and domain: servers that know a sender do not greylist it."),
        ("email_deferred", "450 4.2.0 Greylisted, see http://postgrey.example.test"), REPLIES),
    row("temporary_failure", ("refused for now", "The receiving server refused the mail for now without saying why; it is tried again."),
        (Provider, Digest), &[
            "See whether one mailbox provider stands out.",
            "Wait for the delivered or bounced events that follow."],
        ("Wait for the next tries. If one mailbox provider defers for hours, slow the send to it down.",
         "Keep volume even from day to day; servers defer what they do not expect."),
        ("email_deferred", "451 Requested action aborted: error in processing"), REPLIES),
];
