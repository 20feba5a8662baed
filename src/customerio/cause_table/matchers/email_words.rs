//! E-mail: words of any server. Each proves its cause unless another one blames somebody else.
//! Sources: replies of the mail servers in use, as they stand in bounces; RFC 5321, section 4.2.

use super::When::{Both, Is, Says, SaysRefused, SaysUnrefused};
use super::{EMAIL, Matcher, NOT_TAKEN, last, plain};

/// Metrics of what another server said. When our own provider refuses, "account disabled" and "domain not found" are ours.
const OF_RECIPIENT: &[&str] = &["bounced", "deferred"];

/// No such mailbox. Our own provider may say it of a template or a list, so there only behind a mail server's refusal.
#[rustfmt::skip]
pub const NOBODY: &[&str] = &["user unknown", "unknown user", "no such user", "user not found", "mailbox not found", "mailbox does not exist",
        "no mailbox here", "no such mailbox", "email account does not exist", "account does not exist", "user does not exist",
        "address does not exist", "recipient not found", "recipient unknown", "unknown recipient", "no such recipient",
        "recipient does not exist", "recipient address unknown", "account not found",
        "unknown or illegal alias", "invalid recipient", "invalid mailbox", "unknown mailbox", "mailbox unknown", "no such person at this address",
        "no such address", "user doesnt exist", "mailbox doesnt exist", "account doesnt exist", "nonexistent user", "non existent user",
        "no account by that name", "unknown email address", "email address could not be found", "email address does not exist",
        "recipient no longer on server", "is not a known user", "is not a valid mailbox",
        "no existe dicha persona", "no existe ese usuario", "usuario desconocido", "destinatario desconocido", "utilisateur inconnu",
        "benutzer unbekannt",
        "empfanger unbekannt", "postfach existiert nicht",
        "not listed in domino directory", "recipient address rejected not in recipient list", "recipient not in recipient list",
        "user not in recipient list",
        "recipient address rejected not in directory", "recipient is not in the directory", "recipient not in directory"];

/// Beside these it is of us that they speak.
#[rustfmt::skip]
pub const OF_US: &[&str] = &["unknown to our", "unknown to us", "policy filter", "threshold", "too many", "reputation", "blacklist",
        "blocklist", "block list",
            "black list", "sender user", "sender account", "sending account"];

/// Beside these a domain without a mail server may be ours.
#[rustfmt::skip]
const OUR_DOMAIN: &[&str] = &["sender", "senders", "sending", "from domain", "from address", "your from", "your domain", "return path", "envelope",
    "helo", "ehlo"];

/// No room in the mailbox.
#[rustfmt::skip]
pub const FULL: &[&str] = &["mailbox full", "mailbox is full", "inbox is full", "full mailbox", "over quota", "overquota", "mailbox for user is full",
        "exceeded storage", "exceeded storage allocation", "out of storage", "out of storage space", "mailbox size limit exceeded",
        "quotaexceededexception", "mailbox quota exceeded", "mail quota exceeded", "quota exceeded mailbox for user is full", "over disk quota",
        "disk quota exceeded", "exceeded its disk space limit", "exceeded its mailbox quota", "exceeding its mailbox quota",
        "mailbox has exceeded the limit", "recipient reached disk quota", "recipient overquota", "boite du destinataire pleine",
        "not enough storage space in", "mailbox exceeds allowed size", "user has exhausted allowed storage space",
        "recipient storage full", "insufficient mailbox space",
        "extended quota violation", "would exceed mailbox quota", "would exceed the mailbox quota", "would exceed the recipients quota",
        "account s does not have enough space", "account does not have enough space", "mailbox does not have enough space",
        "recipient does not have enough space", "user does not have enough space"];

/// No room for such a message.
#[rustfmt::skip]
pub const TOO_LARGE: &[&str] = &["message too large", "message is too large", "message size exceeds", "exceeds maximum message size",
        "message too big",
        "message size limit", "message file too big", "exceeds size limit", "exceeds the maximum size", "message exceeds maximum fixed size",
        "message size exceeds fixed limit", "message length exceeds"];

#[rustfmt::skip]
pub const LINES: &[Matcher] = &[
    // RFC 5321 explains "mailbox unavailable" with words of half the causes below.
    plain(EMAIL, Says(&["mailbox unavailable", "unrouteable address", "unroutable address", "mailbox is unavailable",
        "mailbox temporarily unavailable", "mailbox not available"]), "mailbox_unavailable")
        .unless(&["user not found", "invalid mailbox", "email sending quota"]),

    // The recipient.
    plain(EMAIL, Says(FULL), "mailbox_full").unless(&["your mailbox", "sender mailbox", "senders mailbox"]),
    plain(EMAIL, Says(&["quota exceeded"]), "mailbox_full")
        .unless(&["sending quota", "message quota", "daily quota", "hourly quota", "smtp quota", "daily sending", "your quota", "api quota",
        "queue quota",
            "organization quota", "bandwidth quota", "outgoing quota", "outbound quota", "sender quota", "connection quota", "rate quota"])
        .only(OF_RECIPIENT),
    plain(EMAIL, Says(&["account disabled", "account is disabled", "account has been disabled", "mailbox disabled", "mailbox is disabled",
        "account is inactive", "mailbox is inactive", "user is inactive", "user suspended", "account is suspended", "account has been suspended",
        "mailbox suspended", "mailbox currently suspended", "mailbox is suspended", "address no longer accepts mail", "account is locked",
        "mailbox is locked", "account closed", "account has been closed", "deactivated mailbox", "mailbox has been deactivated",
        "account has been deactivated", "account is not active", "account suspended"]), "mailbox_disabled").unless(&["your account",
        "your own account", "for sending", "sender account", "sending account"])
        .only(OF_RECIPIENT),
    plain(EMAIL, Says(&["recipient address rejected inactive", "inactive mailbox", "mailbox inactive", "user inactive", "inactive user",
        "recipient inactive", "inactive recipient", "mailbox has been blocked due to inactivity", "mailbox blocked due to inactivity",
        "account has been blocked due to inactivity", "blocked due to inactivity", "disabled due to inactivity", "suspended due to inactivity",
        "locked due to inactivity", "closed due to inactivity", "deactivated due to inactivity"]), "mailbox_disabled")
        .unless(&["sender", "your account", "your own account", "your mailbox", "your domain", "your ip", "your host", "sending domain", "sending ip",
            "sending account", "inactive domain", "from inactive", "from an inactive"]).only(OF_RECIPIENT),
    plain(EMAIL, Says(&["syntax error in recipient address", "bad recipient address syntax", "recipient address syntax error",
        "malformed recipient address", "invalid recipient address syntax"]), "address_invalid"),
    plain(EMAIL, Says(NOBODY), "mailbox_unknown").unless(OF_US).only(OF_RECIPIENT),
    plain(EMAIL, SaysRefused(NOBODY), "mailbox_unknown").unless(OF_US).only(NOT_TAKEN),
    plain(EMAIL, Says(&["domain not found", "no such domain", "domain does not exist", "nonexistent domain", "host unknown", "nxdomain",
        "host or domain name not found", "no mx record", "no mx records", "find an mx record", "domain doesnt exist",
        "bad destination system no such domain",
        "all relevant mx records point to non existent hosts", "an mx or srv record indicated no smtp service", "no smtp service for domain",
        "mx lookup failed", "unable to get mx info", "no mx or a for domain", "domain name not found",
        "does not accept mail nullmx"]), "domain_unknown")
        .unless(&["sender domain", "senders domain", "sending domain", "your domain", "from domain", "helo", "ehlo", "sender address rejected"])
        .only(OF_RECIPIENT),
    // A server that refuses was found by its domain: it may speak of ours.
    plain(EMAIL, SaysUnrefused(&["no mx for", "unable to find mx record", "unable to find mx records", "could not find mx record"]), "domain_unknown")
        .unless(OUR_DOMAIN).only(OF_RECIPIENT),
    plain(EMAIL, Says(&["no mail servers for this domain could be found", "no mail servers mx for this domain could be found"]), "domain_unknown")
        .unless(OUR_DOMAIN).only(OF_RECIPIENT),

    // Our sender.
    plain(EMAIL, Says(&["sender address rejected", "sender rejected", "sender not verified", "invalid sender", "sender address is invalid",
        "mail from not owned by user", "provide a valid from"]), "sender_rejected"),
    // What a filter's line says of signatures beside its verdict ("dkim=pass") is no verdict.
    plain(EMAIL, Says(&["spf fail", "spf failed", "spf fails", "spf failure", "spf softfail", "spf hardfail", "spf permerror",
        "spf validation failed", "spf verification failed", "spf does not pass", "spf did not pass", "fails spf", "failed spf", "failing spf",
        "dkim fail", "dkim failed", "dkim fails", "dkim failure", "dkim permerror", "dkim validation failed",
        "dkim verification failed", "dkim signature failed", "dkim does not pass", "dkim did not pass", "fails dkim", "failed dkim",
        "dmarc fail", "dmarc failed", "dmarc fails", "dmarc failure", "dmarc validation failed", "dmarc verification failed",
        "dmarc evaluation failed", "dmarc does not pass", "dmarc did not pass", "does not pass dmarc verification", "fails dmarc", "failed dmarc",
        "authenticate with either spf or dkim", "authenticate with spf", "authenticate with dkim", "violates dmarc", "spf violation",
        "dmarc reject", "spf validation error", "dkim signature invalid", "invalid dkim signature",
        "not authorized by spf", "invalid spf record", "rejected due to spf", "rejected due to dkim", "rejected due to dmarc",
        "no passing dkim signature"]), "sender_auth"),
    plain(EMAIL, Both(&["spf"], &["is not allowed to send mail", "is not authorized to send"]), "sender_auth"),
    plain(EMAIL, Says(&["sender authentication failed", "authentication requirement", "authentication requirements", "no reverse dns",
        "reverse dns lookup failed", "reverse dns required", "missing reverse dns", "valid reverse dns", "no ptr record", "no ptr record found",
        "ptr record with a valid reverse dns entry"]), "sender_auth"),

    // Our reputation.
    plain(EMAIL, Says(&["spamhaus", "spamcop", "sorbs", "dnsbl", "blocklisted", "blacklisted", "our blocklist", "our block list", "our blacklist",
        "our black list", "on a blocklist", "on a block list", "on a blacklist", "in a blacklist", "on the blocklist", "on the blacklist",
        "in the blacklist", "in blacklist", "on blacklist", "low reputation", "poor reputation", "bad reputation", "cloudmark sender intelligence",
        "in an rbl", "rbl restriction", "in a black list", "black listed at", "found in dns blacklist", "one or more dnsbls",
        "currently sending spam",
        "sending ip is listed", "exploits block list", "listed at zen.spamhaus.org", "zen.spamhaus.org", "sbl.spamhaus.org", "xbl.spamhaus.org",
        "b.barracudacentral.org", "bl.spamcop.net", "csi.cloudmark.com", "ipcheck.proofpoint.com"]), "blocklisted")
        .unless(&["recipient is blacklisted", "recipient blacklisted", "blacklisted url"]),
    // A link to a list's page proves something only beside a verdict.
    plain(EMAIL, Both(&["spamhaus.org", "sorbs.net", "us.sorbs.net", "dnsbl.sorbs.net", "spamcop.net", "barracudacentral.org"],
        &["blocked", "listed", "rejected", "refused", "banned", "denied", "sending spam"]), "blocklisted"),
    // The lists of domains and links, and others that are not named above.
    plain(EMAIL, Both(&["dbl.spamhaus.org", "pbl.spamhaus.org", "css.spamhaus.org", "check.spamhaus.org", "multi.surbl.org", "multi.uribl.com",
        "psbl.surriel.com", "ix.dnsbl.manitu.net", "dnsbl-1.uceprotect.net", "bl.score.senderscore.com"], &["listed"]), "blocklisted"),
    plain(EMAIL, Says(&["as spam", "considered spam", "consider spam", "to be spam", "may be spam", "is spam and", "message is spam", "contains spam",
        "contained spam", "blocked for spam", "spam message blocked", "spam content", "spam detected", "looks like spam", "look like spam",
        "looked like spam", "probable spam", "suspected spam", "likely spam", "unsolicited mail", "unsolicited email", "unsolicited message",
        "unsolicited bulk", "spam email not accepted", "spam refused", "spam blocked", "spam not accepted", "antispam checks",
        "blacklisted url in message", "uribl policy", "identified as bulk", "message rejected spam", "spam message discarded",
        "blocked by spam filter", "rejected by spam filter",
        "high spam score", "because of spam score", "high spamassassin score", "classification as bulk mail",
        "suspicion of spam", "high probability of spam", "due to spam url", "due to spam urls", "spam url in content",
        "content rejected ube"]), "spam_rejected")
        .unless(&["as spam filter", "spam or virus"]),

    plain(EMAIL, Both(&["spam score"], &["exceeded threshold", "exceeds threshold", "exceeded the threshold",
        "exceeds the threshold"]), "spam_rejected")
        .unless(&["spam score ok", "spam score is ok", "spam score fine", "virus", "size", "rate", "user"]),
    plain(EMAIL, Both(&["message scored"], &["spam points"]), "spam_rejected"),
    plain(EMAIL, Is(&["spam"]), "spam_rejected").only(OF_RECIPIENT),

    // How many at a time.
    plain(EMAIL, Says(&["rate limited", "rate limit exceeded", "rate limit reached", "rate limits exceeded", "exceeded the rate limit",
        "exceeded rate limit",
        "exceeds the rate limit", "over the rate limit", "rate limiting", "too many messages", "too many connections", "too many requests",
        "throttled", "throttling", "unusual rate", "sending rate", "too many errors from your ip", "too many emails", "slow down",
        "sending too fast", "excessive volume", "too many concurrent connections",
        "too many sessions", "too many concurrent sessions"]), "rate_limited"),
    plain(EMAIL, Says(&["exceeded your sending limit", "exceeded the sending limit",
        "exceeded its sending limit"]), "rate_limited").only(OF_RECIPIENT),
    plain(EMAIL, Both(&["maximum number of concurrent connections", "maximum number of concurrent server connections", "concurrent connections"],
        &["exceeded a limit", "exceeded a per source limit", "exceeded the limit", "exceeded its limit"]), "rate_limited"),
    plain(EMAIL, Says(TOO_LARGE), "too_large"),

    // A server that says no and not why.
    last(EMAIL, Says(&["policy reasons", "policy reason", "policy violation", "local policy", "policy restrictions", "administrative prohibition",
        "administratively prohibited", "message blocked", "message was blocked", "content rejected", "unacceptable content",
        "delivery not authorized", "denied by policy", "blocked by policy", "rejected by policy", "gcdp"]), "policy_rejected")
        .unless(&["another reason", "other reasons", "unknown reason", "unknown reasons"]),
    last(EMAIL, Is(&["policy rejection", "rejected by policy"]), "policy_rejected"),
];
