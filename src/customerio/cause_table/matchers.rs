//! How a text is recognised. Matchers are tried in order and the first one that matches decides, so the certain and
//! the grave stand before the general.

use When::{Begins, Enhanced, Http, Reply, Says, Twilio};

use super::text::Text;

/// Channels whose provider is Twilio.
const TEXTING: &[&str] = &["sms", "whatsapp"];
const EMAIL: &[&str] = &["email"];
const PUSH: &[&str] = &["push"];
const SLACK: &[&str] = &["slack"];
const WEBHOOK: &[&str] = &["webhook"];
const ANY: &[&str] = &[];

/// What a text must have. Words are compared in lower case and as whole words.
#[derive(Clone, Copy, Debug)]
pub enum When {
    /// One of these runs of words.
    Says(&'static [&'static str]),
    /// The first run of words at its beginning, the second one anywhere behind.
    Begins(&'static str, &'static str),
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
    pub when: When,
    pub key: &'static str,
}

impl Matcher {
    /// Whether this line knows a text of that channel.
    pub fn matches(&self, channel: &str, text: &Text) -> bool {
        let speaks = self.channels.is_empty() || self.channels.contains(&channel);
        speaks
            && match self.when {
                Says(phrases) => phrases.iter().any(|phrase| text.says(phrase)),
                Begins(first, second) => text.begins(first, second),
                Enhanced(codes) => text.enhanced().is_some_and(|code| codes.contains(&code)),
                Reply(codes) => text.reply().is_some_and(|code| codes.contains(&code)),
                Twilio(numbers) => text.twilio().iter().any(|number| numbers.contains(number)),
                Http(from, to) => text.http().is_some_and(|status| (from..=to).contains(&status)),
            }
    }
}

const fn on(channels: &'static [&'static str], when: When, key: &'static str) -> Matcher {
    Matcher { channels, when, key }
}

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
    on(WEBHOOK, Says(&["timeout", "timed out", "deadline exceeded"]), "webhook_timeout"),
    on(WEBHOOK, Says(&["connection refused", "connection reset", "no such host", "no route to host", "certificate verify failed",
        "x509", "tls handshake", "unexpected eof"]), "webhook_unreachable"),

    // Customer.io itself, before any provider.
    on(ANY, Begins("variable", "is missing"), "render_error"),
    on(ANY, Says(&["liquid error", "liquid syntax error"]), "render_error"),
    on(ANY, Says(&["message limit reached"]), "message_limit"),
    on(ANY, Says(&["newsletter cancelled", "newsletter canceled", "newsletter was cancelled", "newsletter was canceled",
        "newsletter deleted", "newsletter was deleted", "newsletter has been cancelled"]), "newsletter_cancelled"),
    on(ANY, Says(&["sending disabled", "sending is disabled", "sending has been disabled"]), "sending_disabled"),

    // Text messages and WhatsApp, over Twilio.
    on(TEXTING, Twilio(&["20003", "20403"]), "provider_auth"),
    on(TEXTING, Twilio(&["20005", "30002"]), "provider_account"),
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
    on(PUSH, Says(&["badcertificate", "badcertificateenvironment", "invalidprovidertoken", "expiredprovidertoken",
        "missingprovidertoken", "invalidapnscredential", "invalidapnscredentials", "mismatchsenderid",
        "senderid mismatch", "sender_id_mismatch", "mismatched sender", "third_party_auth_error", "invalid_grant"]), "provider_auth"),
    on(PUSH, Says(&["devicetokennotfortopic", "badtopic", "topicdisallowed", "missingtopic", "invalidpackagename"]), "push_topic_mismatch"),
    on(PUSH, Says(&["payloadtoolarge", "messagetoobig", "payload too large"]), "too_large"),
    on(PUSH, Says(&["toomanyrequests", "toomanyprovidertokenupdates", "devicemessagerateexceeded", "topicsmessagerateexceeded",
        "messagerateexceeded", "quota_exceeded"]), "rate_limited"),
    on(PUSH, Says(&["internalservererror", "serviceunavailable", "shutdown"]), "provider_unavailable"),
    on(PUSH, Says(&["nodevicessynced", "no devices synced"]), "no_devices"),
    on(PUSH, Says(&["baddevicetoken", "bad device token", "unregistered", "notregistered", "invalidregistration",
        "missingregistration", "expiredtoken", "registration token not registered"]), "device_token_invalid"),

    // A list of Customer.io or of a provider.
    on(ANY, Says(&["suppressed", "suppression list", "previously bounced address", "uploaded manually via api customer io",
        "user who marked your messages as spam"]), "suppressed"),

    // Slack.
    on(SLACK, Says(&["invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "missing_scope"]), "provider_auth"),
    on(SLACK, Says(&["value passed for channel was invalid", "channel_not_found", "channel not found", "is_archived",
        "not_in_channel", "channel_is_archived"]), "slack_channel"),
    on(SLACK, Says(&["rate_limited", "ratelimited"]), "rate_limited"),

    // E-mail: words that are surer than the code they come with.
    on(EMAIL, Says(&["mailbox full", "mailbox is full", "inbox is full", "over quota", "overquota", "mailbox for user is full", "exceeded storage",
        "exceeded storage allocation", "out of storage", "out of storage space", "mailbox size limit exceeded"]), "mailbox_full"),
    on(EMAIL, Says(&["greylisted", "greylisting", "greylist", "graylisted", "graylisting", "grey listed", "postgrey"]), "greylisted"),

    // E-mail: enhanced codes that mean one thing.
    on(EMAIL, Enhanced(&["5.1.1", "5.1.6"]), "mailbox_unknown"),
    on(EMAIL, Enhanced(&["5.1.2", "5.1.10", "5.4.4"]), "domain_unknown"),
    on(EMAIL, Enhanced(&["5.1.3"]), "address_invalid"),
    on(EMAIL, Enhanced(&["5.1.7", "5.1.8"]), "sender_rejected"),
    on(EMAIL, Enhanced(&["5.2.1"]), "mailbox_disabled"),
    on(EMAIL, Enhanced(&["5.2.2", "4.2.2"]), "mailbox_full"),
    on(EMAIL, Enhanced(&["5.2.3", "5.3.4"]), "too_large"),
    on(EMAIL, Enhanced(&["5.7.20", "5.7.21", "5.7.22", "5.7.23", "5.7.24", "5.7.25", "5.7.26", "5.7.509", "5.7.515", "4.7.23", "4.7.24",
        "4.7.25", "4.7.26"]), "sender_auth"),
    on(EMAIL, Enhanced(&["5.7.28", "4.7.28"]), "rate_limited"),
    on(EMAIL, Enhanced(&["5.7.8", "5.7.9"]), "provider_auth"),
    on(EMAIL, Enhanced(&["4.4.7", "5.4.7"]), "delivery_expired"),
    on(EMAIL, Enhanced(&["4.4.1", "4.4.2"]), "connection_failed"),

    // E-mail: words. RFC 5321 explains "mailbox unavailable" with words of half the causes below.
    on(EMAIL, Says(&["mailbox unavailable"]), "mailbox_unavailable"),
    on(EMAIL, Says(&["user unknown", "unknown user", "no such user", "user not found", "mailbox not found", "mailbox does not exist",
        "no mailbox here", "no such mailbox", "email account does not exist", "account that you tried to reach does not exist",
        "account does not exist", "user does not exist", "address does not exist", "recipient not found", "recipient unknown",
        "unknown recipient", "no such recipient", "unknown local part", "unknown or illegal alias"]), "mailbox_unknown"),
    on(EMAIL, Says(&["account disabled", "account is disabled", "account has been disabled", "mailbox disabled", "mailbox is disabled",
        "account is inactive", "mailbox is inactive", "user is inactive"]), "mailbox_disabled"),
    on(EMAIL, Says(&["sender address rejected", "sender rejected", "sender not verified", "from address is not verified",
        "sender domain is not verified"]), "sender_rejected"),
    on(EMAIL, Says(&["domain not found", "no such domain", "domain does not exist", "unrouteable address", "host unknown", "nxdomain",
        "host or domain name not found", "no mx record", "no mx records"]), "domain_unknown"),
    on(EMAIL, Says(&["spamhaus", "spamcop", "sorbs", "blocklist", "block list", "blocklisted", "blacklist", "blacklisted", "black list",
        "dnsbl", "banned sending ip", "low reputation", "poor reputation", "bad reputation"]), "blocklisted"),
    on(EMAIL, Says(&["dmarc", "dkim", "spf", "unauthenticated email", "unauthenticated mail", "sender authentication",
        "authentication requirement", "authentication requirements", "reverse dns"]), "sender_auth"),
    on(EMAIL, Says(&["username and password not accepted", "smtp authentication failed", "invalid login", "535 authentication failed",
        "authentication credentials invalid"]), "provider_auth"),
    on(EMAIL, Says(&["rate limit", "rate limited", "rate limit exceeded", "too many messages", "too many connections", "too many requests",
        "throttled", "throttling", "unusual rate", "sending rate"]), "rate_limited"),
    on(EMAIL, Says(&["message too large", "message is too large", "message size exceeds", "exceeds maximum message size",
        "message size limit", "message file too big", "exceeds size limit"]), "too_large"),
    on(EMAIL, Says(&["as spam", "be spam", "is spam", "contains spam", "contained spam", "spam message", "spam content", "spam detected",
        "like spam", "unsolicited", "content rejected", "message content rejected"]), "spam_rejected"),
    on(EMAIL, Says(&["policy reasons", "policy violation", "local policy", "administrative prohibition", "administratively prohibited",
        "message blocked", "message was blocked"]), "policy_rejected"),
    on(EMAIL, Enhanced(&["5.7.1"]), "policy_rejected"),

    // Any channel: the way to a provider.
    on(ANY, Says(&["timeout", "timed out", "deadline exceeded"]), "timeout"),
    on(ANY, Says(&["connection refused", "connection reset", "no route to host", "network is unreachable", "no such host",
        "tls handshake", "certificate verify failed", "x509"]), "connection_failed"),

    // E-mail: a 4xx says "not now" and nothing more.
    on(EMAIL, Reply(&["421", "450", "451", "452"]), "temporary_failure"),
];
