//! Text messages.

use super::{TWILIO, row};
use crate::customerio::cause_table::CauseRow;
use crate::customerio::cause_table::Fault::{Configuration, Recipient, Reputation};
use crate::customerio::cause_table::Urgency::{Digest, Now, Today};

#[rustfmt::skip]
pub const ROWS: &[CauseRow] = &[
    row("trial_account", ("provider account is a trial", "A trial or sandbox account sends only to recipients that it has verified, and only short texts."),
        (Configuration, Now), &[
            "Upgrade the account in the provider's console.",
            "Look whether this workspace was meant to use another account."],
        ("Upgrade the account, or put the production account's credentials into Customer.io; a text to any number then arrives.",
         "Use separate workspaces for trial and production credentials."),
        ("sms_failed", "Twilio Error 21608: The number is unverified. Trial accounts cannot send messages to unverified numbers"), TWILIO),
    row("sender_unregistered", ("sender number not registered", "Carriers block numbers and sender ids that are not registered: 10DLC campaigns, toll-free verification, national lists."),
        (Configuration, Now), &[
            "Look up the number's registration in Twilio: is it approved, and is the number attached?",
            "Send from a registered number meanwhile."],
        ("Finish the registration and attach the number to it; it takes days. Send from a registered number until then, and resend what was blocked.",
         "Register numbers and sender ids weeks before the first campaign to a country."),
        ("sms_bounced", "Twilio Error 30034: Message from an Unregistered Number"), TWILIO),
    row("region_not_enabled", ("country not enabled for SMS", "The Twilio account is not allowed to send to the country of these numbers."),
        (Configuration, Today), &[
            "Enable the country under Messaging > Settings > Geo permissions in Twilio.",
            "If nobody there should get texts, filter the country out of the audience: it may be abuse."],
        ("Enable the country, then send one text to a number there. Resend to those who are owed it.",
         "Enable countries when the product opens there, and leave the others closed against toll fraud."),
        ("sms_attempted", "Twilio Error 21408: Permission to send an SMS has not been enabled for the region indicated by the 'To' number"), TWILIO),
    row("number_invalid", ("not a valid phone number", "The text in the recipient field is not a phone number that can be reached."),
        (Recipient, Today), &[
            "Check that the attribute holds numbers with a plus sign and the country's code.",
            "Find where these numbers came from: a form or an import without a check?"],
        ("Clean the attribute to the form +, country code, number, and send a test to one of them.",
         "Check numbers where people type them with a library that knows each country's form."),
        ("sms_failed", "Twilio Error 21211: The 'To' number is not a valid phone number."), TWILIO),
    row("number_unknown", ("number not in use", "The carrier knows no handset with that number."),
        (Recipient, Digest), &[
            "Stop sending to these numbers.",
            "If it is more than usual: find where they came from."],
        ("Take these numbers out of the audience, and ask for a new one in the product.",
         "Verify a number by a code before it gets anything else."),
        ("sms_bounced", "Twilio Error 30005: Unknown destination handset"), TWILIO),
    row("number_not_mobile", ("number takes no texts", "The number is a landline or of a carrier that takes no text messages."),
        (Recipient, Digest), &[
            "Stop sending to these numbers.",
            "Ask for a mobile number where people type it in."],
        ("Take landlines out of the audience; send these people e-mail in place of texts.",
         "Look up the line's type when a number is saved, and ask for a mobile one."),
        ("sms_failed", "Twilio Error 21614: 'To' number is not a valid mobile number"), TWILIO),
    row("handset_unreachable", ("handset not reachable", "The handset is switched off, out of reach, or cannot take texts now."),
        (Recipient, Digest), &[
            "Leave single ones: they often pass later.",
            "If one carrier or country stands out, look at the provider's status page."],
        ("Wait a day; then send again what is still worth it. A country that stands out is the provider's to repair.",
         "Give texts that expire, such as codes, a second channel."),
        ("sms_bounced", "Twilio Error 30003: Unreachable destination handset"), TWILIO),
    row("message_blocked", ("text message blocked", "The number, its carrier, or the provider's protection against fraud takes no such messages."),
        (Recipient, Digest), &[
            "Leave single ones: the recipient may have blocked us.",
            "If it is more than usual: look whether one carrier or country stands out."],
        ("Take numbers that are always blocked out of the audience; with a carrier or country that stands out, open a ticket at the provider with the masked sample.",
         "Get consent for texts, and name the company in the first words of each."),
        ("sms_bounced", "Twilio Error 30004: Message blocked"), TWILIO),
    row("carrier_filtered", ("filtered by the carrier", "A carrier took the message for spam or for forbidden content."),
        (Reputation, Now), &[
            "Look at the text: shortened links, forbidden subjects, no way to opt out.",
            "Look at the sender's registration and its trust score in Twilio.",
            "See whether one carrier or country stands out."],
        ("Take out shortened links and forbidden words, add how to opt out, and send a test to that carrier. Ask the provider to review the number if it stays blocked.",
         "Send the kind of text that the number was registered for, and only that."),
        ("sms_bounced", "Twilio Error 30007: Message filtered"), TWILIO),
];
