//! What Customer.io says by itself on any channel, and what keeps it from reaching a provider.
//! Sources: <https://docs.customer.io/journeys/message-failed>, the metric descriptions of its webhook specification,
//! <https://docs.customer.io/journeys/send/timezones/message-limits>; suppressions as SendGrid, Mailgun, Postmark,
//! SparkPost and Amazon SES report them in their event webhooks.

use super::When::{Begins, Both, Http, Is, Says, SaysUnrefused};
use super::{ANY, EMAIL, Matcher, NOT_TAKEN, SENT, plain, sure};

/// Somebody did not answer in time. The bare word may stand for anything: a setting, a variable, a link to a page.
#[rustfmt::skip]
pub const NO_ANSWER: &[&str] = &["connection timed out", "connect timed out", "operation timed out", "read timed out", "write timed out",
    "session timed out", "handshake timed out", "lookup timed out", "timed out while", "timed out waiting", "timed out talking",
    "connection timeout", "connect timeout", "read timeout", "timeout talking to", "timeout connecting", "timeout waiting for",
    "timeout awaiting", "timeout while", "timeout exceeded", "i o timeout", "gateway timeout", "deadline exceeded"];

/// No way to the other side.
#[rustfmt::skip]
pub const NO_WAY: &[&str] = &["connection refused", "connection reset", "no route to host", "network is unreachable", "no such host",
    "tls handshake", "certificate verify failed", "certificate has expired", "certificate signed by unknown authority", "x509"];

const LIMITED: &[&str] = &[
    "message limit reached",
    "messaging limit reached",
    "frequency cap reached",
    "frequency cap exceeded",
    "reached the message limit",
    "reached their message limit",
];
/// Customer.io's own words before a person is sent anything.
const LIMITED_PERSON: &[&str] = &[
    "message limit exceeded",
    "message limit was reached",
    "message limit has been reached",
    "exceeded the message limit",
    "reached the workspace message limit",
    "exceeded the workspace message limit",
    "workspace message limit reached",
    "workspace message limit exceeded",
];
const SWITCHED_OFF: &[&str] = &["sending disabled", "sending is disabled", "sending has been disabled"];

/// A message that could not be made; what could not be fetched for it is another matter.
#[rustfmt::skip]
const RENDERING: &[&str] = &["could not render template", "could not render message", "could not render the template", "could not render the message",
    "failed to render template", "failed to render message", "failed to render the template", "failed to render the message",
    "error rendering template", "error rendering message", "template rendering failed", "message rendering failed"];

#[rustfmt::skip]
const RENDERING_VARIABLE: &[&str] = &["could not render template variable", "could not render message variable", "failed to render template variable",
    "failed to render message variable", "error rendering template variable", "error rendering message variable",
    "template rendering failed variable", "message rendering failed variable"];

/// Before any provider: a variable may have any name.
#[rustfmt::skip]
pub const CUSTOMER_IO: &[Matcher] = &[
    sure(ANY, Begins("variable", "is missing"), "render_error"),
    sure(ANY, Says(&["liquid error", "liquid syntax error", "liquid rendering failed", "liquid exception", "liquid template error",
        "error rendering liquid", "failed to render liquid", "invalid liquid", "liquid unknown tag"]), "render_error"),
    sure(ANY, Both(RENDERING, &["undefined variable", "missing variable", "unknown variable", "undefined filter", "unknown filter", "undefined tag",
        "unknown tag", "liquid"]), "render_error").only(NOT_TAKEN),
    sure(ANY, Both(RENDERING_VARIABLE, &["is missing", "is undefined"]), "render_error").only(NOT_TAKEN),
    // What a provider calls a limit is its own.
    sure(ANY, Says(LIMITED), "message_limit").only(&["undeliverable"]),
    sure(ANY, Says(LIMITED_PERSON), "message_limit").only(&["undeliverable"]),
    sure(ANY, Is(LIMITED), "message_limit"),
    sure(ANY, Says(&["newsletter cancelled", "newsletter canceled", "newsletter was cancelled", "newsletter was canceled",
        "newsletter deleted", "newsletter was deleted", "newsletter has been cancelled", "newsletter has been canceled",
        "newsletter has been deleted"]), "newsletter_cancelled"),
    sure(ANY, Says(SWITCHED_OFF), "sending_disabled").only(&["undeliverable"]),
    sure(ANY, Is(SWITCHED_OFF), "sending_disabled"),

    // A list of Customer.io or of a provider. What a device suppresses by its own settings is none.
    sure(ANY, Says(&["suppressed"]), "suppressed").only(&["dropped"]),
    sure(ANY, Says(&["suppression list", "unsubscribed from group", "unsubscribed from this group"]), "suppressed").only(&["dropped"])
        .unless(&["suppression list unavailable", "suppression list is unavailable", "load suppression list", "read suppression list"]),
    sure(ANY, Is(&["suppressed"]), "suppressed"),
    sure(ANY, Is(&["bounced", "hard bounce", "previously bounced", "spam complaint", "spam report", "complained", "unsubscribed"]), "suppressed")
        .only(&["dropped"]),
    sure(ANY, Says(&["recipient suppressed", "recipient is suppressed", "address suppressed", "address is suppressed", "address was suppressed",
        "on the suppression list", "on suppression list", "in the suppression list", "on your suppression list", "previously bounced address",
        "uploaded manually via api.customer.io", "user who marked your messages as spam"]), "suppressed"),
    // Amazon SES, Postmark, Mailgun.
    sure(ANY, Says(&["has suppressed sending to this address", "on the suppression list for your account",
        "recipient that has been marked as inactive", "inactive recipients are ones", "not delivering to unsubscribed",
        "not delivering to previously bounced", "not delivering to an address that previously bounced"]), "suppressed"),
    // SendGrid's reasons of a dropped message.
    sure(EMAIL, Is(&["bounced address", "unsubscribed address", "spam reporting address"]), "suppressed"),
    sure(ANY, Is(&["unsubscribed", "person is unsubscribed", "person has unsubscribed", "recipient is unsubscribed", "recipient unsubscribed",
        "recipient has unsubscribed", "customer is unsubscribed", "user is unsubscribed", "user has unsubscribed"]), "opted_out"),

    // A provider's answer to Customer.io's own call.
    sure(SENT, Http(401, 401), "provider_auth").only(NOT_TAKEN),
    sure(SENT, Http(429, 429), "rate_limited").only(NOT_TAKEN),
    sure(SENT, Http(500, 500), "provider_unavailable").only(NOT_TAKEN),
    sure(SENT, Http(502, 504), "provider_unavailable").only(NOT_TAKEN),
];

/// The way to a provider.
#[rustfmt::skip]
pub const NETWORK: &[Matcher] = &[
    plain(ANY, SaysUnrefused(NO_ANSWER), "timeout"),
    plain(ANY, SaysUnrefused(NO_WAY), "connection_failed"),
    // Postfix.
    plain(EMAIL, Both(&["lost connection with"], &["while sending", "while receiving", "while performing"]), "connection_failed"),
    plain(EMAIL, SaysUnrefused(&["connection closed unexpectedly", "connection unexpectedly closed",
        "connection dropped due to socketerror", "connection dropped due to connectionreset", "connection dropped due to connectionaborted"]),
        "connection_failed"),
];
