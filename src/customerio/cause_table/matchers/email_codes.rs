//! E-mail: codes that mean one thing. Words that blame somebody else contradict them.
//! Sources: RFC 3463, RFC 5321, RFC 7372, RFC 7505 and the IANA registry of SMTP enhanced status codes; Microsoft's
//! numbers of Exchange Online.

use super::When::{Enhanced, EnhancedSaying, Reply, Says};
use super::email_words::{FULL, NOBODY, OF_US, TOO_LARGE};
use super::{EMAIL, Matcher, TRIED_AGAIN, last, plain};

/// Words by which a server speaks of us and not of the mailbox: beside them `5.1.1` proves nothing.
#[rustfmt::skip]
const ABOUT_US: &[&str] = &["blacklist", "blocklist", "block list", "black list", "blocked by policy", "rejected by policy", "policy filter",
    "threshold", "too many", "reputation"];

#[rustfmt::skip]
pub const LINES: &[Matcher] = &[
    plain(EMAIL, EnhancedSaying(&["5.1.1", "5.1.6"], ABOUT_US), "unknown"),
    plain(EMAIL, EnhancedSaying(&["5.1.1", "5.1.6"], OF_US), "unknown"),
    // "No such user; our policy on spam: ..." says what it says.
    plain(EMAIL, EnhancedSaying(&["5.1.1", "5.1.6"], &["policy", "spam"]), "unknown").unless(NOBODY),
    plain(EMAIL, Enhanced(&["5.1.1", "5.1.6"]), "mailbox_unknown"),
    plain(EMAIL, Enhanced(&["5.1.2", "5.1.10"]), "domain_unknown"),
    plain(EMAIL, Enhanced(&["5.1.3"]), "address_invalid"),
    plain(EMAIL, Enhanced(&["5.1.7", "5.1.8"]), "sender_rejected"),
    plain(EMAIL, Enhanced(&["5.2.1"]), "mailbox_disabled")
        .unless(&["content", "message rejected", "virus", "spam", "policy", "blocked", "blacklisted", "rate", "too many", "too quickly"]),
    plain(EMAIL, Enhanced(&["5.2.2", "4.2.2"]), "mailbox_full").unless(TOO_LARGE),
    plain(EMAIL, Enhanced(&["5.2.3", "5.3.4"]), "too_large").unless(FULL),
    plain(EMAIL, Enhanced(&["5.2.121", "5.2.122"]), "rate_limited"),
    plain(EMAIL, Enhanced(&["5.7.20", "5.7.21", "5.7.22", "5.7.23", "5.7.24", "5.7.25", "5.7.26", "4.7.23", "4.7.24", "4.7.25", "4.7.26"]),
        "sender_auth"),
    plain(EMAIL, Enhanced(&["5.7.28", "4.7.28"]), "rate_limited"),
    plain(EMAIL, Enhanced(&["4.4.7", "5.4.7"]), "delivery_expired"),
    plain(EMAIL, EnhancedSaying(&["4.4.1", "4.4.2"], &["timeout", "timed out", "timedout"]), "timeout"),
    plain(EMAIL, Enhanced(&["4.4.1", "4.4.2", "4.4.316"]), "connection_failed"),

    // Words about the recipient that nothing above knows are no policy.
    last(EMAIL, Enhanced(&["5.7.1"]), "policy_rejected").unless(&["recipient address rejected", "recipient rejected", "account has moved",
        "user has moved", "mailbox has moved", "has left the company", "left the company", "marked as invalid", "another reason", "other reasons",
        "unknown reason", "unknown reasons"]),
    // A 4xx says "not now" and nothing more; once nobody tries again, not even that.
    last(EMAIL, Reply(&["421", "450", "451", "452"]), "temporary_failure").only(TRIED_AGAIN),
    last(EMAIL, Enhanced(&["4.3.0", "4.3.1", "4.3.2", "4.3.5"]), "temporary_failure").only(TRIED_AGAIN),
    last(EMAIL, Says(&["try again later"]), "temporary_failure").only(&["deferred"]),
];
