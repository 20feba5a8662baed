//! E-mail: texts that mean one thing whoever says them, and texts that look like a cause and are none.
//! Sources: the replies of Postfix, Exim, qmail, Sendmail and Exchange; RFC 4954 (534 and 535 answer a login);
//! SMTP services' errors as SendGrid, Mailgun, Postmark, SparkPost and Amazon SES document them.

use super::When::{Begins, Both, Is, Reply, Says};
use super::{EMAIL, Matcher, NOT_TAKEN, TRIED_AGAIN, sure};

/// A server that wants to be asked twice.
const GREYLISTED: &[&str] =
    &["greylisted", "greylisting", "greylist", "graylisted", "graylisting", "grey listed", "postgrey"];

#[rustfmt::skip]
pub const LINES: &[Matcher] = &[
    // The sender gave up; what the last try said is its affair.
    sure(EMAIL, Says(&["message expired", "queue expired", "retry timeout exceeded", "retry time not reached for any host", "old too old",
        "exceeded max time without delivery", "delivery time expired", "message timed out in queue"]), "delivery_expired"),

    // Our account at the provider, before the reply code of a login.
    sure(EMAIL, Says(&["authentication failed account disabled", "sending paused for this account", "maximum credits exceeded",
        "you have exceeded your messaging limits", "account has been suspended for sending", "account is not allowed to send",
        "accountsendingpausedexception", "email sending for this account is paused", "sending suspended for this account",
        "is not allowed to send account disabled", "is not allowed to send please activate your mailgun account"]), "provider_account"),
    sure(EMAIL, Says(&["your account has been suspended", "your account is suspended", "your account has been disabled", "your account is disabled",
        "your account has been deactivated", "your account is deactivated",
        "your account has been temporarily suspended"]), "provider_account").only(NOT_TAKEN),
    sure(EMAIL, Both(&["account is suspended", "account suspended", "account has been suspended", "account is disabled", "account disabled",
        "account has been disabled"], &["unpaid invoice", "unpaid invoices", "overdue invoice", "overdue invoices", "lack of payment"]),
        "provider_account").only(NOT_TAKEN),
    sure(EMAIL, Says(&["while your account is pending approval"]), "trial_account"),
    sure(EMAIL, Says(&["free accounts are for test purposes only", "sandbox subdomains are for test purposes only"]), "trial_account"),
    sure(EMAIL, Reply(&["534", "535"]), "provider_auth"),
    sure(EMAIL, Says(&["username and password not accepted", "smtp authentication failed", "smtp auth failed", "invalid login",
        "authentication credentials invalid",
        "application specific password required", "authentication unsuccessful", "unauthenticated senders not allowed",
        "authorization grant is invalid", "incorrect authentication data", "invalid api key"]), "provider_auth"),
    // Amazon SES, Postmark, Mailgun, Mandrill.
    sure(EMAIL, Says(&["signaturedoesnotmatch", "request signature we calculated does not match", "invalidclienttokenid",
        "unrecognizedclientexception",
        "security token included in the request is invalid", "security token included in the request is expired",
        "is not authorized to perform ses sendemail", "is not authorized to perform ses sendrawemail", "does not contain a valid server token",
        "bad or missing server api token", "invalid private key", "invalid_key", "invalid credentials for smtp", "invalid smtp credentials"]),
        "provider_auth").only(NOT_TAKEN),
    sure(EMAIL, Is(&["unauthorized"]), "provider_auth").only(NOT_TAKEN),
    sure(EMAIL, Says(&["client was not authenticated to send anonymous mail", "client not authenticated to send mail", "authentication required"]),
        "provider_auth").only(NOT_TAKEN),

    // Our sender at the provider.
    sure(EMAIL, Says(&["does not match a verified sender identity", "email address is not verified", "is not a sender signature on your account",
        "sender signature on your account", "from address is not a verified sender", "from address is not verified",
        "sender domain is not verified", "the domain is unverified", "sender email address not verified",
        "sender address is not verified", "client does not have permissions to send as this sender", "unconfigured sending domain",
        "mailfromdomainnotverifiedexception", "mail from domain is not verified"]), "sender_rejected"),

    // Our provider's faults.
    sure(EMAIL, Says(&["internalfailure", "request processing has failed because of an unknown error exception or failure"]), "provider_unavailable")
        .only(NOT_TAKEN),
    sure(EMAIL, Both(&["sendgrid", "mailgun", "postmark", "sparkpost", "mailjet", "mandrill", "amazon ses", "api.sendgrid.com", "api.mailgun.net",
        "api.eu.mailgun.net", "api.postmarkapp.com", "api.sparkpost.com"], &["internal server error", "bad gateway", "gateway timeout",
        "service unavailable"]), "provider_unavailable").only(NOT_TAKEN).unless(&["webhook", "collection", "template"]),

    // What our provider does not take for an address.
    sure(EMAIL, Says(&["invalid to address", "to parameter is not a valid address", "error parsing to illegal email address",
        "recipient address is not valid", "recipient email address is not valid", "recipient email address is invalid"]), "address_invalid")
        .only(NOT_TAKEN),
    sure(EMAIL, Is(&["does not contain a valid address"]), "address_invalid").only(NOT_TAKEN),
    sure(EMAIL, Begins("the email address", "is not valid"), "address_invalid").only(NOT_TAKEN)
        .unless(&["from", "sender", "senders", "reply", "bcc", "cc", "sending", "your"]),

    // Texts that look like a cause below and are none.
    sure(EMAIL, Says(&["relay access denied", "relaying denied", "relay denied", "relay not permitted", "relaying not allowed",
        "unable to relay", "relaying prohibited", "open relay not allowed", "mail relay denied", "relay from your addr is denied",
        "list of allowed rcpthosts"]), "unknown"),
    sure(EMAIL, Says(&["due to virus", "due to a virus", "contains a virus", "contains virus", "virus detected", "virus found",
        "is infected", "virus infected", "contains malware", "malware detected"]), "unknown"),
    sure(EMAIL, Says(&["tls required", "tls is required", "requires tls", "requires encryption", "requires high strength ciphers",
        "must issue a starttls command first", "starttls is required"]), "unknown"),
    sure(EMAIL, Says(&["no longer works here", "out of office"]), "unknown"),

    // One recipient, or their company, does not want it.
    sure(EMAIL, Says(&["personal blacklist", "personal blocklist", "blacklisted by recipient", "recipients blacklist", "recipients blocklist",
        "users blacklist",
        "recipients personal block list", "recipients block list", "using customer block list", "envelope blocked user entry",
        "envelope blocked user domain entry", "rejected by header based manually blocked senders", "mail is rejected by recipients",
        "rejected by recipients", "sender not in allowed senders list", "sendernotauthenticatedforgroup", "sendernotauthenticatedformailbox",
        "resolver rst authrequired", "resolver rst notauthorized", "delivery restriction check failed", "access denied rejected by recipient",
        "recipient only accepts mail from", "this group only accepts", "you are not allowed to post to this mailing list",
        "only accepts messages from people in its organization", "only accepts email from people in its organization"]), "recipient_restricted"),

    // Their mail system.
    sure(EMAIL, Says(&["hop count exceeded", "too many hops", "mail loop", "routing loop", "mail forwarding loop", "mail loops back to myself",
        "loops back to myself"]), "recipient_server"),
    sure(EMAIL, Says(&["insufficient system storage", "insufficient disk space",
        "insufficient system resources"]), "temporary_failure").only(TRIED_AGAIN),
    sure(EMAIL, Says(&["insufficient system storage", "insufficient disk space"]), "recipient_server"),

    // How many at a time.
    sure(EMAIL, Says(&["receiving mail too quickly", "receiving mail at a rate", "too many invalid recipient", "too many invalid recipients",
        "too many unknown recipient", "too many unknown recipients", "too many unknown users", "mail send limit exceeded",
        "their limit for the number of messages they can receive", "their limit for receiving messages",
        "maximum sending rate exceeded", "throttling failure", "daily message quota exceeded", "connection rate limit exceeded",
        "too many concurrent smtp connections", "max connections reached", "too many sessions opened"]), "rate_limited"),

    // Words that are surer than the code they come with.
    sure(EMAIL, Says(GREYLISTED), "greylisted").only(TRIED_AGAIN),
    sure(EMAIL, Says(GREYLISTED), "delivery_expired"),
    sure(EMAIL, Both(&["unrouteable address", "unroutable address"], &["sender verify failed", "sender verification failed"]), "sender_rejected"),
    sure(EMAIL, Says(&["sender verify failed", "sender callout verification failed", "sender unverifiable"]), "sender_rejected"),
    sure(EMAIL, Says(&["user unknown in virtual mailbox table", "user unknown in local recipient table", "user unknown in relay recipient table",
        "user unknown in virtual alias table", "undeliverable address user unknown", "no mailbox here by that name", "unknown local part",
        "recipientnotfound", "not found by smtp address lookup"]), "mailbox_unknown"),
];
