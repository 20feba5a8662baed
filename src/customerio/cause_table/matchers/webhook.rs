//! Webhook actions. Sources: RFC 9110, section 15; Customer.io's <https://docs.customer.io/journeys/webhooks-action/>;
//! the errors of Go's `net/http`, `net` and `crypto/tls`, in whose words Customer.io tells of calls without an answer.

use super::When::{Ends, Http, Is, Says};
use super::any::{NO_ANSWER as NOBODY_ANSWERS, NO_WAY};
use super::{Matcher, WEBHOOK, sure};

/// Before all else: what an answer's body says is the other service's business.
#[rustfmt::skip]
pub const ANSWERS: &[Matcher] = &[
    sure(WEBHOOK, Http(300, 399), "webhook_redirected"),
    sure(WEBHOOK, Http(401, 401), "webhook_auth"),
    sure(WEBHOOK, Http(403, 403), "webhook_auth"),
    sure(WEBHOOK, Http(404, 404), "webhook_not_found"),
    sure(WEBHOOK, Http(410, 410), "webhook_not_found"),
    sure(WEBHOOK, Http(408, 408), "webhook_timeout"),
    sure(WEBHOOK, Http(413, 413), "too_large"),
    sure(WEBHOOK, Http(429, 429), "webhook_rate_limited"),
    sure(WEBHOOK, Http(400, 499), "webhook_rejected"),
    sure(WEBHOOK, Http(500, 599), "webhook_server_error"),
];

/// To dial and to shake hands in vain is no slow service.
#[rustfmt::skip]
pub const NO_ANSWER: &[Matcher] = &[
    sure(WEBHOOK, Says(&["unsupported protocol scheme", "missing protocol scheme", "no host in request url", "invalid url escape"]),
        "webhook_not_found"),
    sure(WEBHOOK, Says(&["stopped after 10 redirects"]), "webhook_redirected"),
    sure(WEBHOOK, Says(&["dial tcp", "unexpected eof", "server misbehaving", "remote error tls", "tls failed to verify certificate",
        "server gave http response to https client"]), "webhook_unreachable"),
    sure(WEBHOOK, Says(NO_WAY), "webhook_unreachable"),
    sure(WEBHOOK, Ends("eof"), "webhook_unreachable"),
    sure(WEBHOOK, Says(NOBODY_ANSWERS), "webhook_timeout"),
    sure(WEBHOOK, Says(&["request timed out", "request timeout"]), "webhook_timeout"),
    sure(WEBHOOK, Is(&["timeout", "timed out"]), "webhook_timeout"),
];
