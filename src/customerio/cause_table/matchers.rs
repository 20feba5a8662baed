//! How a text is recognised. Matchers are tried in order and the first one that matches decides, so the certain and
//! the grave stand before the general. A line whose key is `unknown` stops the search: the text belongs to no cause.

use When::{Begins, Ends, Enhanced, Http, Is, Reply, Says, Twilio};

use super::text::Text;
use crate::customerio::event::Kind;

/// Channels whose provider is Twilio.
const TEXTING: &[&str] = &["sms", "whatsapp"];
const EMAIL: &[&str] = &["email"];
const PUSH: &[&str] = &["push"];
const SLACK: &[&str] = &["slack"];
const WEBHOOK: &[&str] = &["webhook"];
const ANY: &[&str] = &[];

/// Metrics after which the message is tried again.
const TRIED_AGAIN: &[&str] = &["attempted", "deferred"];

/// What a text must have. Words are compared in lower case and as whole words.
#[derive(Clone, Copy, Debug)]
pub enum When {
    /// One of these runs of words.
    Says(&'static [&'static str]),
    /// One of these runs of words and nothing else, between two semicolons.
    Is(&'static [&'static str]),
    /// The first run of words at its beginning, the second one anywhere behind.
    Begins(&'static str, &'static str),
    /// This run of words at its end.
    Ends(&'static str),
    /// One of these SMTP enhanced status codes, for example `5.1.1`.
    Enhanced(&'static [&'static str]),
    /// It begins with one of these SMTP reply codes, for example `452`.
    Reply(&'static [&'static str]),
    /// It names one of these Twilio error numbers.
    Twilio(&'static [&'static str]),
    /// It begins with an HTTP status from the first up to and with the second.
    Http(u16, u16),
}

/// One line of the matcher table.
#[derive(Debug)]
pub struct Matcher {
    /// Channels it speaks for; none: all.
    pub channels: &'static [&'static str],
    /// Metrics it speaks for; none: all.
    pub metrics: &'static [&'static str],
    pub when: When,
    /// Runs of words with which the text means something else.
    pub unless: &'static [&'static str],
    pub key: &'static str,
}

impl Matcher {
    /// Whether this line knows a text of that kind.
    pub fn matches(&self, kind: &Kind, text: &Text) -> bool {
        let speaks = |list: &[&str], name: &str| list.is_empty() || list.contains(&name);
        let found = speaks(self.channels, &kind.channel)
            && speaks(self.metrics, &kind.metric)
            && match self.when {
                Says(phrases) => phrases.iter().any(|phrase| text.says(phrase)),
                Is(phrases) => phrases.iter().any(|phrase| text.is(phrase)),
                Begins(first, second) => text.begins(first, second),
                Ends(phrase) => text.ends(phrase),
                Enhanced(codes) => text.enhanced().is_some_and(|code| codes.contains(&code)),
                Reply(codes) => text.reply().is_some_and(|code| codes.contains(&code)),
                Twilio(numbers) => text.twilio().iter().any(|number| numbers.contains(number)),
                Http(from, to) => text.http().is_some_and(|status| (from..=to).contains(&status)),
            };
        found && !self.unless.iter().any(|phrase| text.says(phrase))
    }

    /// Every run of words in this line.
    #[cfg(test)]
    pub(super) fn phrases(&self) -> Vec<&'static str> {
        let mut phrases = self.unless.to_vec();
        match self.when {
            Says(of) | Is(of) => phrases.extend(of),
            Begins(first, second) => phrases.extend([first, second]),
            Ends(phrase) => phrases.push(phrase),
            Enhanced(_) | Reply(_) | Twilio(_) | Http(..) => {}
        }
        phrases
    }

    /// The same for these metrics only.
    const fn only(self, metrics: &'static [&'static str]) -> Self {
        Self { metrics, ..self }
    }

    /// The same, but not for a text with one of these runs of words.
    const fn unless(self, unless: &'static [&'static str]) -> Self {
        Self { unless, ..self }
    }
}

const fn on(channels: &'static [&'static str], when: When, key: &'static str) -> Matcher {
    Matcher { channels, metrics: ANY, when, unless: ANY, key }
}

/// Words by which a server speaks of us and not of the mailbox: beside them `user unknown` and its code prove nothing.
#[rustfmt::skip]
const ABOUT_US: &[&str] = &["spf fail", "spf failed", "spf check failed", "dkim fail", "dkim failed", "blacklist", "blacklisted", "blocklist",
    "blocklisted", "block list", "spamhaus", "blocked by policy", "threshold", "too many"];

/// A server that wants to be asked twice.
const GREYLISTED: &[&str] =
    &["greylisted", "greylisting", "greylist", "graylisted", "graylisting", "grey listed", "postgrey"];

/// Somebody did not answer in time. The bare word may stand for anything: a setting, a variable, a link to a page.
#[rustfmt::skip]
const NO_ANSWER: &[&str] = &["connection timed out", "connect timed out", "operation timed out", "read timed out", "write timed out",
    "session timed out", "handshake timed out", "lookup timed out", "timed out while", "timed out waiting", "timed out talking",
    "connection timeout", "connect timeout", "read timeout", "timeout talking to", "timeout connecting", "timeout waiting for",
    "timeout awaiting", "timeout while", "timeout exceeded", "i o timeout", "gateway timeout", "deadline exceeded"];

/// No way to the other side.
#[rustfmt::skip]
const NO_WAY: &[&str] = &["connection refused", "connection reset", "no route to host", "network is unreachable", "no such host",
    "tls handshake", "certificate verify failed", "x509"];

/// Sources: Twilio <https://www.twilio.com/docs/api/errors>; SMTP codes RFC 3463, RFC 7372, RFC 7505 and the IANA
/// registry of enhanced status codes; push <https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns>
/// and <https://firebase.google.com/docs/cloud-messaging/error-codes>; Slack <https://docs.slack.dev/reference/methods/chat.postMessage>;
/// Customer.io <https://docs.customer.io/journeys/message-failed>. The phrases are what mail servers really say.
#[rustfmt::skip]
pub const MATCHERS: &[Matcher] = &[
    // Webhook actions. First: what an answer's body says is the other service's business.
    on(WEBHOOK, Http(401, 401), "webhook_auth"),
    on(WEBHOOK, Http(403, 403), "webhook_auth"),
    on(WEBHOOK, Http(404, 404), "webhook_not_found"),
    on(WEBHOOK, Http(410, 410), "webhook_not_found"),
    on(WEBHOOK, Http(408, 408), "webhook_timeout"),
    on(WEBHOOK, Http(429, 429), "webhook_rate_limited"),
    on(WEBHOOK, Http(400, 499), "webhook_rejected"),
    on(WEBHOOK, Http(500, 599), "webhook_server_error"),

    // Customer.io itself, before any provider: a variable may have any name.
    on(ANY, Begins("variable", "is missing"), "render_error"),
    on(ANY, Says(&["liquid error", "liquid syntax error", "liquid rendering failed"]), "render_error"),
    on(ANY, Says(&["message limit reached"]), "message_limit"),
    on(ANY, Says(&["newsletter cancelled", "newsletter canceled", "newsletter was cancelled", "newsletter was canceled",
        "newsletter deleted", "newsletter was deleted", "newsletter has been cancelled"]), "newsletter_cancelled"),
    on(ANY, Says(&["sending disabled", "sending is disabled", "sending has been disabled"]), "sending_disabled"),

    // Webhook actions that got no answer. To dial and to shake hands in vain is no slow service.
    on(WEBHOOK, Says(&["dial tcp", "unexpected eof"]), "webhook_unreachable"),
    on(WEBHOOK, Says(NO_WAY), "webhook_unreachable"),
    on(WEBHOOK, Ends("eof"), "webhook_unreachable"),
    on(WEBHOOK, Says(NO_ANSWER), "webhook_timeout"),
    on(WEBHOOK, Says(&["request timed out", "request timeout"]), "webhook_timeout"),
    on(WEBHOOK, Is(&["timeout", "timed out"]), "webhook_timeout"),

    // Text messages and WhatsApp, over Twilio.
    on(TEXTING, Twilio(&["20003", "20403"]), "provider_auth"),
    on(TEXTING, Twilio(&["20005", "30002"]), "provider_account"),
    on(TEXTING, Twilio(&["21608"]), "trial_account"),
    on(TEXTING, Twilio(&["21212", "21603", "21606", "21659", "21660", "21661", "63007"]), "sender_rejected"),
    on(TEXTING, Twilio(&["30034"]), "sender_unregistered"),
    on(TEXTING, Twilio(&["21408"]), "region_not_enabled"),
    on(TEXTING, Twilio(&["14107", "20429", "21611", "30001", "30022", "63018"]), "rate_limited"),
    on(TEXTING, Twilio(&["21617", "30019"]), "too_large"),
    on(TEXTING, Twilio(&["63016"]), "whatsapp_window"),
    on(TEXTING, Twilio(&["21610"]), "opted_out"),
    on(TEXTING, Twilio(&["21211", "63024"]), "number_invalid"),
    on(TEXTING, Twilio(&["21614", "30006"]), "number_not_mobile"),
    on(TEXTING, Twilio(&["30003"]), "handset_unreachable"),
    on(TEXTING, Twilio(&["30004"]), "message_blocked"),
    on(TEXTING, Twilio(&["30005", "63003"]), "number_unknown"),
    on(TEXTING, Twilio(&["30007"]), "carrier_filtered"),

    // Push: our credentials before their devices, since one text may name both.
    on(PUSH, Says(&["badcertificate", "badcertificateenvironment", "badenvironmentkeyintoken", "invalidprovidertoken",
        "expiredprovidertoken", "missingprovidertoken", "invalidapnscredential", "invalidapnscredentials", "mismatchsenderid",
        "senderid mismatch", "sender_id_mismatch", "mismatched sender", "third_party_auth_error", "invalid_grant"]), "provider_auth"),
    on(PUSH, Says(&["devicetokennotfortopic", "badtopic", "topicdisallowed", "missingtopic", "invalidpackagename"]), "push_topic_mismatch"),
    on(PUSH, Says(&["payloadtoolarge", "messagetoobig", "payload too large"]), "too_large"),
    on(PUSH, Says(&["toomanyrequests", "toomanyprovidertokenupdates", "devicemessagerateexceeded", "topicsmessagerateexceeded",
        "messagerateexceeded", "quota_exceeded"]), "rate_limited"),
    on(PUSH, Says(&["internalservererror", "serviceunavailable", "idletimeout", "internal error encountered",
        "the service is currently unavailable"]), "provider_unavailable"),
    on(PUSH, Is(&["shutdown", "unavailable", "internal"]), "provider_unavailable"),
    on(PUSH, Says(&["nodevicessynced", "no devices synced"]), "no_devices"),
    on(PUSH, Says(&["baddevicetoken", "bad device token", "unregistered", "notregistered", "invalidregistration",
        "missingregistration", "expiredtoken", "registration token not registered", "requested entity was not found",
        "not a valid fcm registration token"]), "device_token_invalid"),

    // A list of Customer.io or of a provider. What a device suppresses by its own settings is none.
    on(ANY, Says(&["suppressed"]), "suppressed").only(&["dropped"]),
    on(ANY, Is(&["suppressed"]), "suppressed"),
    on(ANY, Says(&["recipient suppressed", "recipient is suppressed", "address suppressed", "address is suppressed",
        "on the suppression list", "on suppression list", "in the suppression list", "previously bounced address",
        "not delivering to unsubscribed", "uploaded manually via api customer io", "user who marked your messages as spam"]), "suppressed"),

    // Slack.
    on(SLACK, Says(&["invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "missing_scope"]), "provider_auth"),
    on(SLACK, Says(&["value passed for channel was invalid", "channel_not_found", "channel not found", "is_archived",
        "not_in_channel", "channel_is_archived"]), "slack_channel"),
    on(SLACK, Says(&["rate_limited", "ratelimited"]), "rate_limited"),

    // E-mail: the sender gave up; what the last try said is its affair.
    on(EMAIL, Says(&["message expired", "retry timeout exceeded", "old too old"]), "delivery_expired"),

    // E-mail: texts that look like a cause below and are another, or none.
    on(EMAIL, Says(&["relay access denied", "relaying denied", "relay denied", "relay not permitted", "relaying not allowed",
        "unable to relay"]), "unknown"),
    on(EMAIL, Says(&["personal blacklist", "personal blocklist", "recipients blacklist", "recipients blocklist",
        "users blacklist"]), "unknown"),
    on(EMAIL, Says(&["due to virus", "due to a virus", "contains a virus", "contains virus", "virus detected", "virus found",
        "is infected"]), "unknown"),
    on(EMAIL, Says(&["tls required", "tls is required", "requires tls", "must issue a starttls command first"]), "unknown"),
    on(EMAIL, Says(&["receiving mail too quickly", "receiving mail at a rate", "too many invalid recipient",
        "too many invalid recipients", "too many unknown recipient", "too many unknown recipients", "too many unknown users"]), "rate_limited"),

    // E-mail: words that are surer than the code they come with.
    on(EMAIL, Says(&["mailbox full", "mailbox is full", "inbox is full", "over quota", "overquota", "mailbox for user is full", "exceeded storage",
        "exceeded storage allocation", "out of storage", "out of storage space", "mailbox size limit exceeded",
        "quotaexceededexception"]), "mailbox_full"),
    on(EMAIL, Says(GREYLISTED), "greylisted").only(TRIED_AGAIN),
    on(EMAIL, Says(GREYLISTED), "delivery_expired"),
    on(EMAIL, Says(&["recipientnotfound", "not found by smtp address lookup", "doesnt have a yahoo com account",
        "doesnt have a ymail com account", "doesnt have an aol com account"]), "mailbox_unknown"),

    // E-mail: codes that mean one thing. 534 and 535 answer a login (RFC 4954); elsewhere Yahoo says 5.7.9 for policy.
    on(EMAIL, Reply(&["534", "535"]), "provider_auth"),
    on(EMAIL, Enhanced(&["5.1.1", "5.1.6"]), "mailbox_unknown").unless(ABOUT_US),
    // Code and words disagree.
    on(EMAIL, Enhanced(&["5.1.1", "5.1.6"]), "unknown"),
    on(EMAIL, Enhanced(&["5.1.2", "5.1.10"]), "domain_unknown"),
    on(EMAIL, Enhanced(&["5.1.3"]), "address_invalid"),
    on(EMAIL, Enhanced(&["5.1.7", "5.1.8"]), "sender_rejected"),
    on(EMAIL, Enhanced(&["5.2.1"]), "mailbox_disabled")
        .unless(&["content", "message rejected", "virus", "spam", "policy", "blocked", "blacklisted", "rate", "too many", "too quickly"]),
    on(EMAIL, Enhanced(&["5.2.2", "4.2.2"]), "mailbox_full"),
    on(EMAIL, Enhanced(&["5.2.3", "5.3.4"]), "too_large"),
    on(EMAIL, Enhanced(&["5.7.20", "5.7.21", "5.7.22", "5.7.23", "5.7.24", "5.7.25", "5.7.26", "5.7.509", "5.7.515", "4.7.23", "4.7.24",
        "4.7.25", "4.7.26"]), "sender_auth"),
    on(EMAIL, Enhanced(&["5.7.28", "4.7.28"]), "rate_limited"),
    on(EMAIL, Enhanced(&["4.4.7", "5.4.7"]), "delivery_expired"),
    on(EMAIL, Enhanced(&["4.4.1", "4.4.2"]), "connection_failed"),

    // E-mail: words. RFC 5321 explains "mailbox unavailable" with words of half the causes below.
    on(EMAIL, Says(&["mailbox unavailable", "unrouteable address", "unroutable address"]), "mailbox_unavailable"),
    on(EMAIL, Says(&["user unknown", "unknown user", "no such user", "user not found", "mailbox not found", "mailbox does not exist",
        "no mailbox here", "no such mailbox", "email account does not exist", "account that you tried to reach does not exist",
        "account does not exist", "user does not exist", "address does not exist", "recipient not found", "recipient unknown",
        "unknown recipient", "no such recipient", "unknown local part", "unknown or illegal alias"]), "mailbox_unknown").unless(ABOUT_US),
    on(EMAIL, Says(&["account disabled", "account is disabled", "account has been disabled", "mailbox disabled", "mailbox is disabled",
        "account is inactive", "mailbox is inactive", "user is inactive"]), "mailbox_disabled").unless(&["your account", "for sending"]),
    on(EMAIL, Says(&["sender address rejected", "sender rejected", "sender not verified", "from address is not verified",
        "sender domain is not verified"]), "sender_rejected"),
    on(EMAIL, Says(&["domain not found", "no such domain", "domain does not exist", "nonexistent domain", "host unknown", "nxdomain",
        "host or domain name not found", "no mx record", "no mx records"]), "domain_unknown")
        .unless(&["sender domain", "senders domain", "sending domain", "your domain", "from domain", "helo", "ehlo"]),
    on(EMAIL, Says(&["spamhaus", "spamcop", "sorbs", "dnsbl", "blocklisted", "blacklisted", "our blocklist", "our block list", "our blacklist",
        "our black list", "on a blocklist", "on a block list", "on a blacklist", "in a blacklist", "on the blocklist", "on the blacklist",
        "in the blacklist", "in blacklist", "on blacklist", "banned sending ip", "low reputation", "poor reputation",
        "bad reputation"]), "blocklisted")
        .unless(&["not on our", "not on a", "not on the", "not blacklisted", "not blocklisted", "not listed", "recipient is blacklisted"]),

    // What a filter's line says of signatures beside its verdict is no verdict.
    on(EMAIL, Says(&["as spam", "considered spam", "consider spam", "to be spam", "may be spam", "message is spam", "this is spam",
        "contains spam", "contained spam", "spam message rejected", "spam message blocked", "spam content", "spam detected", "looks like spam",
        "look like spam", "unsolicited mail", "unsolicited email", "unsolicited message", "unsolicited bulk"]), "spam_rejected")
        .unless(&["as spam filter", "not as spam", "not spam"]),
    on(EMAIL, Says(&["spf fail", "spf failed", "spf fails", "spf failure", "spf softfail", "spf hardfail", "spf permerror", "spf check failed",
        "spf validation failed", "spf verification failed", "spf does not pass", "spf did not pass", "fails spf", "failed spf", "failing spf",
        "dkim fail", "dkim failed", "dkim fails", "dkim failure", "dkim permerror", "dkim check failed", "dkim validation failed",
        "dkim verification failed", "dkim signature failed", "dkim does not pass", "dkim did not pass", "fails dkim", "failed dkim",
        "dmarc fail", "dmarc failed", "dmarc fails", "dmarc failure", "dmarc check failed", "dmarc validation failed", "dmarc verification failed",
        "dmarc evaluation failed", "dmarc does not pass", "dmarc did not pass", "fails dmarc", "failed dmarc", "dmarc policy",
        "authenticate with either spf or dkim", "authenticate with spf", "authenticate with dkim"]), "sender_auth"),
    on(EMAIL, Says(&["unauthenticated email", "unauthenticated mail", "sender is unauthenticated", "sender authentication failed",
        "authentication requirement", "authentication requirements", "no reverse dns", "reverse dns lookup failed",
        "missing reverse dns", "valid reverse dns"]), "sender_auth"),
    on(EMAIL, Says(&["username and password not accepted", "smtp authentication failed", "invalid login",
        "authentication credentials invalid"]), "provider_auth"),
    on(EMAIL, Says(&["rate limit", "rate limited", "rate limit exceeded", "too many messages", "too many connections", "too many requests",
        "throttled", "throttling", "unusual rate", "sending rate"]), "rate_limited"),
    on(EMAIL, Says(&["message too large", "message is too large", "message size exceeds", "exceeds maximum message size",
        "message size limit", "message file too big", "exceeds size limit"]), "too_large"),
    on(EMAIL, Says(&["policy reasons", "policy violation", "local policy", "administrative prohibition", "administratively prohibited",
        "message blocked", "message was blocked", "content rejected"]), "policy_rejected"),
    on(EMAIL, Enhanced(&["5.7.1"]), "policy_rejected"),

    // Any channel: the way to a provider.
    on(ANY, Says(NO_ANSWER), "timeout"),
    on(ANY, Says(NO_WAY), "connection_failed"),

    // E-mail: a 4xx says "not now" and nothing more; once nobody tries again, not even that.
    on(EMAIL, Reply(&["421", "450", "451", "452"]), "temporary_failure").only(TRIED_AGAIN),
];
