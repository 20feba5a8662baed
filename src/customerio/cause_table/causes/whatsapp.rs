//! WhatsApp.

use super::{META, TWILIO, row};
use crate::customerio::cause_table::CauseRow;
use crate::customerio::cause_table::Fault::{Configuration, Policy, Recipient};
use crate::customerio::cause_table::Urgency::{Digest, Now};

#[rustfmt::skip]
pub const ROWS: &[CauseRow] = &[
    row("whatsapp_window", ("outside WhatsApp's 24 hours", "A free text may be sent only within 24 hours of the person's last message."),
        (Configuration, Now), &[
            "Use an approved template in this message.",
            "Check that the template is still approved."],
        ("Replace the free text by an approved template; the next message passes.",
         "Use templates for everything that the person did not just ask for."),
        ("whatsapp_failed", "Twilio Error 63016: outside the allowed window"), TWILIO),
    row("whatsapp_template", ("WhatsApp template not usable", "The template does not exist in that language, is not approved, is paused, or its variables do not fit."),
        (Configuration, Now), &[
            "Look up the template in WhatsApp Manager or Twilio: approved, in this language, not paused?",
            "Compare the number and the format of its variables with the message.",
            "Preview the message with a person who failed: an empty variable?"],
        ("Correct and submit the template, or use its approved version and language; send a test with a person who failed.",
         "Change templates under a new name, and switch the message over once it is approved."),
        ("whatsapp_failed", "(#132001) Template name does not exist in the translation"), META),
    row("whatsapp_withheld", ("withheld by WhatsApp", "Meta chose not to deliver this message to this person, to limit marketing or for an experiment."),
        (Policy, Digest), &[
            "Leave single ones: do not send again at once, that makes it worse.",
            "If it is more than usual: look at the template's category and quality in WhatsApp Manager."],
        ("Send what must arrive over another channel; leave the rest alone.",
         "Send marketing over WhatsApp seldom, and to people who answer."),
        ("whatsapp_failed", "(#131049) This message was not delivered to maintain healthy ecosystem engagement."), META),
    row("whatsapp_unreachable", ("person not reachable on WhatsApp", "The number is not on WhatsApp, or its WhatsApp is too old or has not accepted the terms."),
        (Recipient, Digest), &[
            "Send to these people over another channel.",
            "If it is more than usual: check that the numbers have their country's code."],
        ("Move these people to texts or e-mail, and correct numbers that lack their country's code.",
         "Ask for consent to WhatsApp, which tells who uses it."),
        ("whatsapp_failed", "(#131026) Message undeliverable"), META),
];
