//! WhatsApp. Sources: Meta's Cloud API error codes
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes> and Twilio's numbers
//! from 63001 on, <https://www.twilio.com/docs/api/errors>.

use super::When::{Is, Number, Says};
use super::{Matcher, TEXTING, WHATSAPP, sure};

#[rustfmt::skip]
pub const LINES: &[Matcher] = &[
    // Twilio.
    sure(TEXTING, Number(&["63001"]), "provider_auth"),
    sure(TEXTING, Number(&["63020", "63051", "63112"]), "provider_account"),
    sure(TEXTING, Number(&["63015"]), "trial_account"),
    sure(TEXTING, Number(&["63002", "63007", "63022"]), "sender_rejected"),
    sure(TEXTING, Number(&["63018", "63038"]), "rate_limited"),
    sure(TEXTING, Number(&["63009", "63010", "63012"]), "provider_unavailable"),
    sure(TEXTING, Number(&["63016"]), "whatsapp_window"),
    sure(TEXTING, Number(&["63027", "63028", "63040", "63041", "63042"]), "whatsapp_template"),
    sure(TEXTING, Number(&["63032", "63049"]), "whatsapp_withheld"),
    sure(TEXTING, Number(&["63014", "63033"]), "opted_out"),
    sure(TEXTING, Number(&["63003"]), "number_unknown"),
    sure(TEXTING, Number(&["63024"]), "number_invalid"),
    sure(TEXTING, Number(&["63013"]), "policy_rejected"),
    sure(TEXTING, Number(&["63034"]), "too_large"),
    sure(TEXTING, Number(&["63005", "63006", "63019", "63021", "63030", "63037"]), "message_invalid"),

    // Meta.
    sure(WHATSAPP, Number(&["3", "10", "190", "200", "131005"]), "provider_auth"),
    sure(WHATSAPP, Number(&["368", "131031", "131042"]), "provider_account"),
    sure(WHATSAPP, Number(&["131030"]), "trial_account"),
    sure(WHATSAPP, Number(&["131037", "131045", "133010"]), "sender_rejected"),
    sure(WHATSAPP, Number(&["4", "80007", "130429", "131048", "131056", "133016"]), "rate_limited"),
    sure(WHATSAPP, Number(&["2", "131016", "131057"]), "provider_unavailable"),
    sure(WHATSAPP, Number(&["131047"]), "whatsapp_window"),
    sure(WHATSAPP, Number(&["132000", "132001", "132005", "132007", "132012", "132015", "132016"]), "whatsapp_template"),
    sure(WHATSAPP, Number(&["130472", "131049"]), "whatsapp_withheld"),
    sure(WHATSAPP, Number(&["131050"]), "opted_out"),
    sure(WHATSAPP, Number(&["131026"]), "whatsapp_unreachable"),
    sure(WHATSAPP, Number(&["33", "100", "131008", "131009", "131051", "131052", "131053"]), "message_invalid"),

    // The same without a number. Meta advises against relying on titles, so only whole and unmistakable ones.
    sure(WHATSAPP, Says(&["error validating access token", "invalid oauth access token"]), "provider_auth"),
    sure(WHATSAPP, Says(&["business account is locked", "business account has been locked", "business eligibility payment issue",
        "temporarily blocked for policies violations", "could not send message due to lack of payment"]), "provider_account"),
    sure(WHATSAPP, Says(&["pair rate limit hit", "spam rate limit hit", "rate limit hit"]), "rate_limited"),
    sure(WHATSAPP, Says(&["more than 24 hours have passed since the", "outside the allowed window", "re engagement message"]), "whatsapp_window"),
    sure(WHATSAPP, Says(&["template name does not exist", "template does not exist", "template is paused", "template is disabled",
        "number of parameters does not match"]), "whatsapp_template"),
    sure(WHATSAPP, Says(&["healthy ecosystem engagement", "number is part of an experiment", "meta chose not to deliver"]), "whatsapp_withheld"),
    sure(WHATSAPP, Says(&["recipient phone number is not a whatsapp phone number", "number does not exist on whatsapp"]), "whatsapp_unreachable"),
    sure(WHATSAPP, Is(&["message undeliverable"]), "whatsapp_unreachable"),
];
