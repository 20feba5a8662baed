//! Webhook actions.

use super::{ACTIONS, row};
use crate::customerio::cause_table::CauseRow;
use crate::customerio::cause_table::Fault::{Configuration, Provider, Template};
use crate::customerio::cause_table::Urgency::{Now, Today};

#[rustfmt::skip]
pub const ROWS: &[CauseRow] = &[
    row("webhook_not_found", ("webhook address not found", "The address that a webhook action posts to does not exist, or is not an address."),
        (Configuration, Now), &[
            "Compare the action's URL with what the service serves now.",
            "Look whether a deployment moved or removed the route."],
        ("Put the service's present address into the action, or bring the old route back. Resend what is owed.",
         "Keep routes that Customer.io calls in the service's tests, and redirect nothing."),
        ("webhook_failed", "HTTP 404 Not Found []"), ACTIONS),
    row("webhook_auth", ("webhook not authorised", "The service that a webhook action posts to refuses its credentials."),
        (Configuration, Now), &[
            "Check the action's headers and the service's keys: rotated or expired?",
            "Look whether a firewall or an allow list blocks Customer.io's addresses."],
        ("Set the new key in the action's headers, or allow Customer.io's addresses in the firewall; a test from the action shows it.",
         "Rotate with two valid keys, the action's first."),
        ("webhook_failed", "HTTP 401 Unauthorized"), ACTIONS),
    row("webhook_redirected", ("webhook is sent elsewhere", "The address that a webhook action posts to redirects to another one, which is not followed."),
        (Configuration, Now), &[
            "Put the final address into the action: https, the right host, the trailing slash.",
            "Look whether a login page answers instead of the service."],
        ("Replace the action's URL by the one that it is sent to, if it is the service; a test answers 200 then.",
         "Write final addresses into actions, and test them when hosts or paths change."),
        ("webhook_failed", "HTTP 301 Moved Permanently"), ACTIONS),
    row("webhook_rejected", ("webhook content refused", "The service that a webhook action posts to does not accept what it is sent."),
        (Template, Now), &[
            "Read the service's log for these requests: it knows what it missed.",
            "Preview the action's body with a person who failed: empty or unescaped values?"],
        ("Correct the body in the action, or let the service take what is sent; a test with a person who failed answers 200.",
         "Agree on the body as a schema, and give every variable in it a default."),
        ("webhook_failed", "HTTP 422 Unprocessable Entity"), ACTIONS),
    row("webhook_rate_limited", ("webhook called too often", "The service that a webhook action posts to limits how often it may be called."),
        (Provider, Today), &[
            "Compare the campaign's volume with the service's limit.",
            "Spread the sends, or raise the limit."],
        ("Raise the service's limit or slow the campaign; calls that were refused are tried again for some time.",
         "Let the service take calls into a queue and answer at once."),
        ("webhook_attempted", "HTTP 429 Too Many Requests"), ACTIONS),
    row("webhook_server_error", ("webhook's service fails", "The service that a webhook action posts to answers with an error of its own."),
        (Provider, Now), &[
            "Look at the service's own alerts and its latest deployment.",
            "Replay one failed request against it."],
        ("Repair or roll back the service. Calls are tried again for some time; see in Customer.io which ended as failed, and send those again.",
         "Alert on the service's own errors: it should know before its callers do."),
        ("webhook_attempted", "HTTP 503 Service Unavailable"), ACTIONS),
    row("webhook_timeout", ("webhook's service too slow", "The service that a webhook action posts to did not answer in time."),
        (Provider, Today), &[
            "Look at the service's response times.",
            "Have it answer first and work afterwards."],
        ("Give the service more room, or let it answer before it works; timeouts end with the next calls.",
         "Queue the work behind the route, and watch its response time."),
        ("webhook_attempted", "request timed out"), ACTIONS),
    row("webhook_unreachable", ("webhook's service not reachable", "No connection could be made to the service that a webhook action posts to."),
        (Provider, Now), &[
            "Check that the host resolves, listens and has a valid certificate.",
            "Look whether a firewall blocks Customer.io's addresses."],
        ("Start the service, renew its certificate or open the firewall; the next tries arrive.",
         "Watch the address from outside, certificate included."),
        ("webhook_attempted", "dial tcp: connection refused"), ACTIONS),
];
