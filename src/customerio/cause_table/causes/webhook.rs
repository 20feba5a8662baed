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
        ("webhook_failed", "HTTP 404 Not Found []"), ACTIONS),
    row("webhook_auth", ("webhook not authorised", "The service that a webhook action posts to refuses its credentials."),
        (Configuration, Now), &[
            "Check the action's headers and the service's keys: rotated or expired?",
            "Look whether a firewall or an allow list blocks Customer.io's addresses."],
        ("webhook_failed", "HTTP 401 Unauthorized"), ACTIONS),
    row("webhook_redirected", ("webhook is sent elsewhere", "The address that a webhook action posts to redirects to another one, which is not followed."),
        (Configuration, Now), &[
            "Put the final address into the action: https, the right host, the trailing slash.",
            "Look whether a login page answers instead of the service."],
        ("webhook_failed", "HTTP 301 Moved Permanently"), ACTIONS),
    row("webhook_rejected", ("webhook content refused", "The service that a webhook action posts to does not accept what it is sent."),
        (Template, Now), &[
            "Read the service's log for these requests: it knows what it missed.",
            "Preview the action's body with a person who failed: empty or unescaped values?"],
        ("webhook_failed", "HTTP 422 Unprocessable Entity"), ACTIONS),
    row("webhook_rate_limited", ("webhook called too often", "The service that a webhook action posts to limits how often it may be called."),
        (Provider, Today), &[
            "Compare the campaign's volume with the service's limit.",
            "Spread the sends, or raise the limit."],
        ("webhook_attempted", "HTTP 429 Too Many Requests"), ACTIONS),
    row("webhook_server_error", ("webhook's service fails", "The service that a webhook action posts to answers with an error of its own."),
        (Provider, Now), &[
            "Look at the service's own alerts and its latest deployment.",
            "Replay one failed request against it."],
        ("webhook_attempted", "HTTP 503 Service Unavailable"), ACTIONS),
    row("webhook_timeout", ("webhook's service too slow", "The service that a webhook action posts to did not answer in time."),
        (Provider, Today), &[
            "Look at the service's response times.",
            "Have it answer first and work afterwards."],
        ("webhook_attempted", "request timed out"), ACTIONS),
    row("webhook_unreachable", ("webhook's service not reachable", "No connection could be made to the service that a webhook action posts to."),
        (Provider, Now), &[
            "Check that the host resolves, listens and has a valid certificate.",
            "Look whether a firewall blocks Customer.io's addresses."],
        ("webhook_attempted", "dial tcp: connection refused"), ACTIONS),
];
