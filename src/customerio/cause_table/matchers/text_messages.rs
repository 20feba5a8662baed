//! Text messages. Source: Twilio's error dictionary <https://www.twilio.com/docs/api/errors>, numbers and titles. The
//! words of other gateways only where no other protocol says them: Vonage's delivery receipts
//! <https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts>, Bandwidth's
//! <https://dev.bandwidth.com/docs/messaging/errors/>, Infobip's
//! <https://www.infobip.com/docs/essentials/api-essentials/response-status-and-error-codes>.

use super::When::{Both, Is, Number, Says};
use super::{Matcher, TEXTING, sure};

#[rustfmt::skip]
pub const LINES: &[Matcher] = &[
    sure(TEXTING, Number(&["20003", "20403"]), "provider_auth"),
    sure(TEXTING, Number(&["20005", "30002", "30037"]), "provider_account"),
    sure(TEXTING, Number(&["21219", "21267", "21608", "30044"]), "trial_account"),
    sure(TEXTING, Number(&["21212", "21407", "21603", "21606", "21612", "21621", "21657", "21659", "21660", "21661", "21703", "21704",
        "21705", "21711", "30042"]), "sender_rejected"),
    sure(TEXTING, Number(&["30018", "30024", "30032", "30033", "30034", "30035", "30040", "30041"]), "sender_unregistered"),
    sure(TEXTING, Number(&["21408"]), "region_not_enabled"),
    sure(TEXTING, Number(&["14107", "20429", "21611", "30001", "30022", "30023", "30027", "30454"]), "rate_limited"),
    sure(TEXTING, Number(&["20500", "20503", "21730", "30017", "30020", "30021", "30500"]), "provider_unavailable"),
    sure(TEXTING, Number(&["30410"]), "timeout"),
    sure(TEXTING, Number(&["30036"]), "delivery_expired"),
    sure(TEXTING, Number(&["11751", "21605", "21617", "30019"]), "too_large"),
    sure(TEXTING, Number(&["21602", "21619", "21620", "21623", "21654", "21655", "21656"]), "message_invalid"),
    sure(TEXTING, Number(&["21610"]), "opted_out"),
    sure(TEXTING, Number(&["21211", "21217", "21265", "21604"]), "number_invalid"),
    sure(TEXTING, Number(&["21614", "21635", "30006"]), "number_not_mobile"),
    sure(TEXTING, Number(&["30003"]), "handset_unreachable"),
    sure(TEXTING, Number(&["30004", "30450"]), "message_blocked"),
    sure(TEXTING, Number(&["30005"]), "number_unknown"),
    sure(TEXTING, Number(&["30007", "30038"]), "carrier_filtered"),

    // Twilio's titles without their number.
    sure(TEXTING, Is(&["authenticate", "authentication error invalid username"]), "provider_auth"),
    sure(TEXTING, Says(&["permission to send an sms has not been enabled", "permission to send an sms or mms has not been enabled"]), "region_not_enabled"),
    sure(TEXTING, Says(&["trial accounts cannot send messages to unverified numbers"]), "trial_account"),
    sure(TEXTING, Says(&["message from an unregistered number", "toll free number has not been verified"]), "sender_unregistered"),
    sure(TEXTING, Says(&["attempt to send to unsubscribed recipient", "from to pair violates a blacklist rule"]), "opted_out"),
    sure(TEXTING, Says(&["to number is not a valid phone number", "invalid to phone number"]), "number_invalid"),
    sure(TEXTING, Both(&["the to number"], &["is not a valid phone number"]), "number_invalid").unless(&["from number", "the from"]),
    sure(TEXTING, Says(&["is not a valid mobile number", "landline or unreachable carrier"]), "number_not_mobile"),
    sure(TEXTING, Says(&["unreachable destination handset"]), "handset_unreachable"),
    sure(TEXTING, Says(&["unknown destination handset"]), "number_unknown"),
    sure(TEXTING, Is(&["message filtered", "carrier violation", "message delivery carrier violation"]), "carrier_filtered"),
    sure(TEXTING, Is(&["account suspended"]), "provider_account"),
    sure(TEXTING, Is(&["queue overflow", "too many requests"]), "rate_limited"),
    sure(TEXTING, Says(&["insufficient funds", "insufficient balance", "insufficient credit", "insufficient credits"]), "provider_account"),
    sure(TEXTING, Is(&["message body is required"]), "message_invalid"),

    // Other gateways.
    sure(TEXTING, Says(&["absent subscriber", "ec_absent_subscriber", "handset busy"]), "handset_unreachable"),
    sure(TEXTING, Says(&["unknown subscriber", "ec_unknown_subscriber", "unallocated number"]), "number_unknown"),
    sure(TEXTING, Says(&["anti spam rejection", "destination spam det"]), "carrier_filtered"),
    sure(TEXTING, Says(&["call barred by user", "number blocked by carrier", "ec_call_barred"]), "message_blocked"),
    sure(TEXTING, Says(&["invalid destination address", "rejected_prefix_missing"]), "number_invalid"),
    sure(TEXTING, Says(&["tfn not verified"]), "sender_unregistered"),
    sure(TEXTING, Says(&["rejected_not_enough_credits"]), "provider_account"),
];
