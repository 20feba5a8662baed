//! E-mail: the large mailbox providers' and filters' own texts.
//! Sources: Gmail <https://support.google.com/a/answer/3726730>; Microsoft
//! <https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online> and
//! <https://sendersupport.olc.protection.outlook.com/pm/troubleshooting>; Yahoo and AOL
//! <https://senders.yahooinc.com/smtp-error-codes>; Apple <https://support.apple.com/102322>; Comcast
//! <https://postmaster.comcast.net/mail-error-codes.html>; GMX and WEB.DE <https://postmaster.gmx.net/en/error-messages>;
//! Orange, Free, SFR, T-Online, Mail.ru, NetEase and QQ <https://service.mail.qq.com/detail/122>; Mimecast's SMTP error
//! codes; Proofpoint, Cloudmark, Barracuda and Cisco.

use super::When::{Both, EnhancedSaying, Policy, Says};
use super::{EMAIL, Matcher, sure};

const GMAIL: &[&str] = &["gmail", "google", "gsmtp"];

#[rustfmt::skip]
pub const LINES: &[Matcher] = &[
    // Signatures and names. First: these texts explain themselves with words of spam and of limits.
    sure(EMAIL, Says(&["sender is unauthenticated", "because it is unauthenticated", "unauthenticated email from", "unauthenticated mail from",
        "requires all senders to authenticate", "senders to authenticate with", "senders to authenticate their email",
        "isnt aligned with either the authenticated", "is not aligned with either the authenticated", "fails to pass spf checks",
        "does not have a ptr record", "doesnt have a ptr record", "with missing ptr records", "does not match the ip address of the hostname",
        "spf record of the sending domain has one or more suspicious", "ipv6 sending guidelines", "must have a reverse dns record",
        "wasnt sent over a tls connection", "must pass either spf or dkim", "dmarc policy", "doesnt meet the required authentication level",
        "does not meet the required authentication level", "failing both spf and dkim", "spf check failed", "dkim check failed", "dmarc check failed",
        "sender policy framework violation", "cannot find your hostname", "cannot find your reverse hostname", "ip name lookup failed",
        "invalid rdns record", "reverse dns failure", "reverse dns failed", "bad dns ptr resource record", "fix reverse dns for",
        "spf sender invalid", "dkim sender invalid", "dmarc sender invalid", "reject due to spf policy"]), "sender_auth"),
    sure(EMAIL, Both(&["spf authentication didnt pass", "dkim authentication didnt pass", "dmarc authentication didnt pass", "spf does not pass",
        "dkim does not pass", "spf did not pass", "dkim did not pass"], GMAIL), "sender_auth"),
    // The registry of IANA has other meanings for these numbers.
    sure(EMAIL, EnhancedSaying(&["5.7.27", "5.7.29", "5.7.30", "5.7.31", "5.7.32", "5.7.40", "4.7.27", "4.7.29", "4.7.30", "4.7.31", "4.7.32",
        "4.7.40"], GMAIL), "sender_auth"),
    sure(EMAIL, Policy(509, 509), "sender_auth"),
    sure(EMAIL, Policy(515, 515), "sender_auth"),

    // Limits that speak of spam or reputation.
    sure(EMAIL, Says(&["unusual rate of unsolicited mail", "unusual rate of mail", "unusual amount of unsolicited mail",
        "this mail has been rate limited",
        "quota for sending messages with the same message id", "smtp relay limit exceeded", "smtp relay sending limit exceeded",
        "daily user sending limit exceeded", "temporarily rate limited due to ip reputation", "exceeded permitted limits within",
        "we have limits for how many messages can be sent", "temporarily deferred due to unexpected volume or user complaints",
        "temporarily deferred due to user complaints", "temporarily deferred due to excessive", "deferred due to excessive volume",
        "ip frequency limited", "domain frequency limited", "sender frequency limited", "connection frequency limited", "trop de connexions",
        "rl000001"]), "rate_limited"),
    sure(EMAIL, Policy(508, 508), "rate_limited"),

    // Lists and reputation.
    sure(EMAIL, Says(&["part of their network is on our block list", "banned sending ip", "banned sender", "low reputation of the sending",
        "sending mtas poor reputation", "none bad reputation", "ip domain reputation problems", "local ct ip reputation",
        "will be permanently deferred",
        "messages from permanently deferred", "because the ip is in spamhauss list", "not accepted from ip addresses on spamhaus",
        "rejected due to listing in spamhaus", "having a domain present in the spamhaus", "ip has been blacklisted", "ip is blacklisted",
        "ip address is black listed", "ip address is block listed", "ip address is blacklisted", "blocked using", "client host blocked by",
        "blocked see ipcheck.proofpoint.com", "blocked see support.proofpoint.com", "blocked see csi.cloudmark.com", "too many spams from your ip",
        "adresse ip source bloquee pour incident de spam", "client host blocked for spamming issues", "client host rejected abus detecte",
        "suspected spam ip", "listed as abusive", "comcast block for spam"]), "blocklisted"),
    sure(EMAIL, Says(&["this ip has been blocked for the day", "ask your postmaster for help or to contact to clarify bl"]), "blocklisted"),
    sure(EMAIL, Says(&["bl000000", "bl000001", "bl000010", "bl000011", "bl000100", "bl000101", "bl000110", "bl000111"]), "blocklisted"),
    sure(EMAIL, Policy(511, 511), "blocklisted"),
    sure(EMAIL, Policy(606, 649), "blocklisted"),

    // What is in the message.
    sure(EMAIL, Says(&["likely unsolicited mail", "suspicious due to the nature of the content",
        "matches a profile the internet community may consider spam",
        "spam message rejected", "mail content denied", "spam is embedded in the email", "dt spm", "ofr_506", "rejected due to spam content",
        "rejected due to suspected spam content", "transaction failed spam message not queued", "message as spam and has prevented delivery",
        "is classified as spam and is rejected", "appears similar to spam we have received before"]), "spam_rejected"),
    sure(EMAIL, Says(&["not rfc 5322 compliant", "must be rfc 5322", "headers are not rfc compliant", "missing a valid address in the from header",
        "missing a valid message id header", "multiple addresses in the from header", "unicode character in a disallowed header",
        "mail message is malformed"]), "message_invalid"),
    sure(EMAIL, Policy(512, 512), "message_invalid"),
    sure(EMAIL, Says(&["content presents a potential security issue", "policy that prohibits the mail that you sent",
        "email rejected due to security policies", "bounced due to content examination policy", "anti spoofing policy",
        "mailpolicy violation error delivering to mailboxes"]), "policy_rejected"),

    // One recipient's company.
    sure(EMAIL, Policy(507, 507), "recipient_restricted"),
    sure(EMAIL, Policy(513, 513), "recipient_restricted"),
    sure(EMAIL, Policy(124, 124), "recipient_restricted"),
    sure(EMAIL, Policy(133, 136), "recipient_restricted"),

    // The mailbox.
    sure(EMAIL, EnhancedSaying(&["5.4.1"], &["recipient address rejected access denied", "all recipient addresses rejected access denied"]),
        "mailbox_unknown"),
    sure(EMAIL, Says(&["account that you tried to reach does not exist", "this user doesnt have a", "not our customer", "cuda_nsu",
        "destinataire invalide"]),
        "mailbox_unknown"),
    sure(EMAIL, Says(&["account that you tried to reach is inactive", "account that you tried to reach is disabled", "this mailbox is disabled",
        "this account has been disabled or discontinued", "is a deactivated mailbox", "user is terminated", "archived recipient",
        "boite du destinataire archivee", "le compte du destinataire est bloque", "inactive email address"]), "mailbox_disabled"),
    sure(EMAIL, Says(&["werent able to find the recipient domain", "nullmx", "null mx"]), "domain_unknown").unless(&["sender"]),
    sure(EMAIL, EnhancedSaying(&["5.4.310"], &["does not exist", "infodomainnonexistent"]), "domain_unknown"),
    sure(EMAIL, Says(&["recipient address is not a valid rfc 5321 address", "bad address syntax"]), "address_invalid"),
    sure(EMAIL, Says(&["sender address is not a valid rfc 5321 address", "unresolvable rfc 5321 from domain", "unresolvable rfc 5321 domain",
        "unresolvable rfc 5322 from domain", "emetteur invalide", "invalid sender domain",
        "domain of sender address does not exist"]), "sender_rejected"),
    sure(EMAIL, Says(&["exceeded googles message size limits", "exceeded googles message header size limits", "exceeds googles limit",
        "exceeded mailsize limit", "maximum email size exceeded", "taille limite du message atteinte",
        "message length is more than"]), "too_large"),
];
