use std::collections::HashSet;

use super::*;
use crate::customerio::cause::{CauseKey, classify};

fn cause(kind: &str, text: &str) -> CauseKey {
    let kind: Kind = kind.parse().expect(kind);
    classify(&kind, Some(text).filter(|t| !t.is_empty()))
}

#[test]
fn every_example_classifies_to_its_row() {
    for row in causes() {
        assert_eq!(cause(row.example_kind, row.example).as_str(), row.key, "{}", row.example);
    }
}

#[test]
fn the_tables_are_whole() {
    let keys: HashSet<_> = causes().map(|row| row.key).collect();
    assert_eq!(keys.len(), causes().count());
    let found: HashSet<_> = matchers::matchers().map(|m| m.key).collect();
    for key in &found {
        assert!(keys.contains(key), "{key} has no row");
    }
    for row in causes() {
        let by_metric = ["suppressed", "spam_complaint", "unknown"].contains(&row.key);
        assert!(found.contains(row.key) || by_metric, "{} has no matcher", row.key);
        assert!(row.meaning.ends_with('.') && !row.meaning.trim_end_matches('.').contains(". "), "{}", row.key);
        assert!(row.title.chars().count() <= 40 && !row.title.ends_with('.'), "{}", row.key);
        assert!((1..=3).contains(&row.check_first.len()) && !row.source.is_empty(), "{}", row.key);
    }
}

/// `kind|cause|text`, one a line: what servers and providers say, with names and addresses replaced.
const SEEN: &str = include_str!("seen.txt");

#[test]
fn every_text_of_the_list_has_its_cause() {
    let wrong: Vec<String> = seen()
        .map(|(kind, want, text)| (cause(kind, &text), format!("{kind}|{want}|{text}")))
        .filter(|(found, line)| line.split('|').nth(1) != Some(found.as_str()))
        .map(|(found, line)| format!("{found} found: {line}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_cause_has_texts_of_the_list() {
    let keys: HashSet<&str> = seen().map(|(_, want, _)| want).collect();
    for row in causes().filter(|row| !row.example.is_empty()) {
        assert!(keys.contains(row.key), "{}", row.key);
    }
}

/// A provider passes on what another server said in words of its own.
#[test]
fn what_stands_around_a_reply_changes_no_cause() {
    // `503 Service Unavailable` is an API's answer: a mail server passes none on.
    let is_reply = |want: &str, text: &str| {
        want != "provider_unavailable" && text.get(..3).is_some_and(|code| code.bytes().all(|b| b.is_ascii_digit()))
    };
    let mut wrong = Vec::new();
    for (kind, want, text) in seen().filter(|(kind, want, text)| kind.starts_with("email_") && is_reply(want, text)) {
        for around in [
            format!("smtp; {text}"),
            format!("host mx1.spam.test[192.0.2.5] said: {text} (in reply to end of DATA command)"),
            format!("SMTP error from remote mail server after RCPT TO:<user.unknown@full.test>: {text}"),
            format!("{text} [AM0EUR02FT034.eop-EUR02.prod.protection.outlook.com 2026-11-24T05:01:01.511Z 08DE]"),
            format!("{text} - see https://example.test/spam/5.2.2?full=yes"),
            // Exchange's `RESOLVER.ADR.RecipientNotFound` is known from a host by its letters' case.
            if text.contains("STOREDRV") || text.contains("RESOLVER") { text.clone() } else { text.to_uppercase() },
        ] {
            let found = cause(kind, &around);
            if found.as_str() != want {
                wrong.push(format!("{found} not {want}: {kind} {around}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is shown is masked, and what is masked must say the same.
#[test]
fn masking_changes_no_cause() {
    let wrong: Vec<String> = seen()
        .map(|(kind, want, text)| (kind, want, crate::customerio::mask::mask(&text, &["ada", "ada@example.test"])))
        .filter(|(kind, want, masked)| cause(kind, masked).as_str() != *want)
        .map(|(kind, want, masked)| format!("{} not {want}: {kind} {masked}", cause(kind, &masked)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A line's `\n` stands for the line break of a reply of several lines.
fn seen() -> impl Iterator<Item = (&'static str, &'static str, String)> {
    SEEN.lines().map(|line| {
        let mut parts = line.splitn(3, '|');
        let (Some(kind), Some(want), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
            panic!("not kind|cause|text: {line}");
        };
        (kind, want, text.replace("\\n", "\n"))
    })
}

#[test]
fn texts_seen_in_the_wild_have_their_cause() {
    for (kind, text, want) in [
        ("email_bounced", "550 5.5.0 Requested action not taken: mailbox unavailable", "mailbox_unavailable"),
        ("push_attempted", "NoDevicesSynced", "no_devices"),
        ("slack_failed", "value passed for channel was invalid", "slack_channel"),
        ("webhook_attempted", "Variable 'customer.test' is missing", "render_error"),
        ("webhook_failed", "HTTP 404 Not Found []", "webhook_not_found"),
        ("push_bounced", "Bad Device Token", "device_token_invalid"),
        ("push_bounced", "BadDeviceToken; NotRegistered", "device_token_invalid"),
        ("push_bounced", "BadDeviceToken; InvalidProviderToken", "provider_auth"),
        ("email_dropped", "Uploaded manually via api.customer.io", "suppressed"),
        ("whatsapp_dropped", "recipient suppressed", "suppressed"),
        ("email_dropped", "Not delivering to previously bounced address", "suppressed"),
        ("email_failed", "Liquid syntax error: tag was never closed", "render_error"),
        ("email_attempted", "liquid error: divided by 0", "render_error"),
        ("email_bounced", "smtp; 550-5.1.1 The email account that you tried to reach", "mailbox_unknown"),
        ("email_bounced", "host mx.example.test said: 550 #5.1.1 no (in reply to RCPT TO)", "mailbox_unknown"),
        ("email_bounced", "550 No such user here", "mailbox_unknown"),
        ("email_bounced", "552 4.2.2 The recipient's inbox is full", "mailbox_full"),
        ("email_bounced", "550-5.7.515 Access denied", "sender_auth"),
        ("email_bounced", "550 5.7.1 our block list (S3140)", "blocklisted"),
        ("email_deferred", "421 try again later", "temporary_failure"),
        ("email_failed", "535 5.7.8 Bad credentials", "provider_auth"),
        ("sms_failed", "error code: 30007", "carrier_filtered"),
        ("sms_bounced", "Twilio Error 30007: suppressed by the carrier", "carrier_filtered"),
        ("email_bounced", "550 5.1.1 user unknown (dkim=pass, spf=pass)", "mailbox_unknown"),
        ("email_bounced", "550 Sender address rejected: Domain not found", "sender_rejected"),
        (
            "email_bounced",
            "550 mailbox unavailable (e.g., mailbox not found, or policy reasons)",
            "mailbox_unavailable",
        ),
        ("sms_failed", "see https://www.twilio.com/docs/errors/21610", "opted_out"),
        ("sms_failed", "30003", "handset_unreachable"),
        ("sms_failed", "Twilio Error 20429: Too Many Requests", "rate_limited"),
        ("whatsapp_failed", "Twilio Error 63018: rate limit exceeded", "rate_limited"),
        ("push_failed", "messaging/registration-token-not-registered", "device_token_invalid"),
        ("push_failed", "SenderId mismatch", "provider_auth"),
        ("push_failed", "TooManyRequests", "rate_limited"),
        ("webhook_failed", "HTTP 403 Forbidden", "webhook_auth"),
        (
            "webhook_failed",
            "HTTP 500 Internal Server Error [Liquid error: x, contact suppressed]",
            "webhook_server_error",
        ),
        ("webhook_attempted", "HTTP 502", "webhook_server_error"),
        ("slack_failed", "invalid_auth", "provider_auth"),
        ("in_app_failed", "Variable 'x' is missing", "render_error"),
    ] {
        assert_eq!(cause(kind, text).as_str(), want, "{kind} {text}");
    }
}

/// A wrong cause sends people to the wrong place: what is not certain is `unknown`.
#[test]
fn what_is_not_certain_is_unknown() {
    for (kind, text) in [
        ("sms_bounced", "Twilio Error 30008: Unknown error"),
        ("sms_failed", "Twilio Error 99999: new"),
        ("sms_failed", "order 21211 could not be texted"),
        ("sms_failed", "Twilio Error 212110"),
        ("sms_failed", "order (21211) could not be texted"),
        ("email_bounced", "421 try again later"),
        ("email_failed", "timeout"),
        ("email_bounced", "550 see our help page on timeout"),
        ("email_bounced", "554 our host is not blacklisted, spf=pass dkim=pass dmarc=pass"),
        ("email_bounced", "550 too old a protocol"),
        ("push_failed", "app shutdown by the user"),
        ("push_failed", "internal notes unavailable"),
        ("webhook_failed", "the timeout setting is invalid"),
        ("sms_failed", "550 5.1.1"),
        ("sms_failed", "HTTP 404 Not Found"),
        ("email_failed", "Twilio Error 21211"),
        ("email_bounced", "550"),
        ("email_bounced", "554 Transaction failed"),
        ("email_bounced", "550 Requested action not taken"),
        ("email_bounced", "550 5.0.0"),
        ("email_bounced", "5.1.1.10 is an address"),
        ("email_bounced", "mail server version 5.1.1 said no"),
        ("email_bounced", "550 2.1.5 odd"),
        ("email_failed", "the variable costs are high"),
        ("email_failed", "a variable 'x' is missing"),
        ("email_bounced", "550 refused by liquid web"),
        ("email_bounced", "550 hourly message limit exceeded"),
        ("push_failed", "app not registered with the project"),
        ("push_failed", "device unavailable"),
        ("email_failed", "is missing: variable"),
        ("email_failed", "liquidity"),
        ("email_failed", "BadDeviceToken"),
        ("email_failed", "spammers and antispam, unspamhausable"),
        ("email_failed", "unsuppressed"),
        ("push_failed", "Twilio Error 30005"),
        ("push_failed", "NotRegisteredYet"),
        ("push_failed", "HTTP 410"),
        ("webhook_failed", "HTTP"),
        ("webhook_failed", "Get http://404.example.test/ went wrong"),
        ("email_bounced", "550 5.4.5 Daily sending quota exceeded"),
        ("webhook_failed", "404"),
        ("webhook_failed", "550 5.1.1 user unknown"),
        ("in_app_failed", "BadDeviceToken"),
        ("email_dropped", "?"),
        ("fax_failed", "550 5.1.1"),
        ("email_bounced", "  "),
    ] {
        assert_eq!(cause(kind, text), CauseKey::UNKNOWN, "{kind} {text}");
    }
}
