//! Push, and Slack. Sources: Apple
//! <https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns>, Firebase
//! <https://firebase.google.com/docs/cloud-messaging/error-codes> and its Admin SDK's `messaging/...` names, Slack
//! <https://docs.slack.dev/reference/methods/chat.postMessage> and its incoming webhooks.

use super::When::{Http, Is, Says};
use super::{Matcher, PUSH, SLACK, sure};

/// One text may name the errors of several devices: our credentials stand before their tokens.
#[rustfmt::skip]
pub const LINES: &[Matcher] = &[
    sure(PUSH, Says(&["badcertificate", "badcertificateenvironment", "badenvironmentkeyintoken", "badenvironmentkeyidintoken",
        "unrelatedkeyidintoken", "invalidprovidertoken", "expiredprovidertoken", "missingprovidertoken"]), "provider_auth"),
    sure(PUSH, Says(&["invalidapnscredential", "invalidapnscredentials", "mismatchsenderid", "senderid mismatch", "sender_id_mismatch",
        "mismatched sender", "mismatched credential", "third_party_auth_error", "third party auth error", "authenticationerror",
        "auth error from apns or web push service", "invalid authentication credentials", "required authentication credential",
        "permission cloudmessaging.messages.create denied", "permission cloudmessaging messages create denied",
        "invalid_grant"]), "provider_auth"),
    sure(PUSH, Is(&["unauthenticated", "permission_denied"]), "provider_auth"),
    sure(PUSH, Says(&["certificate has expired", "certificate expired", "certificate is expired", "expired certificate", "certificate was revoked"]),
        "provider_auth").unless(&["x509"]),
    sure(PUSH, Says(&["firebase cloud messaging api has not been used in project"]), "provider_account"),
    sure(PUSH, Says(&["devicetokennotfortopic", "badtopic", "topicdisallowed", "missingtopic", "invalidpackagename"]), "push_topic_mismatch"),
    sure(PUSH, Says(&["payloadtoolarge", "messagetoobig", "payload too large", "message is too big", "payload size limit exceeded",
        "message too big"]), "too_large"),
    sure(PUSH, Says(&["toomanyrequests", "toomanyprovidertokenupdates", "devicemessagerateexceeded", "topicsmessagerateexceeded",
        "messagerateexceeded", "message rate exceeded", "quota_exceeded", "resource_exhausted", "quota exceeded for quota metric"]), "rate_limited"),
    sure(PUSH, Says(&["badcollapseid", "badexpirationdate", "badmessageid", "badpriority", "duplicateheaders", "invalidpushtype",
        "payloadempty", "invalidparameters", "invaliddatakey", "invalidttl"]), "message_invalid"),
    sure(PUSH, Says(&["internalservererror", "serviceunavailable", "idletimeout", "internal error encountered",
        "the service is currently unavailable"]), "provider_unavailable"),
    sure(PUSH, Is(&["shutdown", "unavailable", "internal"]), "provider_unavailable"),
    sure(PUSH, Says(&["nodevicessynced", "no devices synced"]), "no_devices"),
    sure(PUSH, Says(&["baddevicetoken", "bad device token", "missingdevicetoken", "notregistered", "invalidregistration",
        "missingregistration", "expiredtoken", "registration token not registered", "invalid registration token",
        "requested entity was not found", "not a valid fcm registration token", "device token is inactive for the specified topic"]), "device_token_invalid"),
    // In prose the word means other things.
    sure(PUSH, Is(&["unregistered"]), "device_token_invalid"),
    sure(PUSH, Says(&["error unregistered", "errorcode unregistered", "error_code unregistered", "reason unregistered", "status unregistered",
        "code unregistered", "http unregistered", "apns unregistered", "fcm unregistered"]), "device_token_invalid"),

    sure(SLACK, Says(&["invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "missing_scope", "invalid_token",
        "no_permission", "org_login_required", "ekm_access_denied", "team_access_not_granted", "no_service"]), "provider_auth"),
    sure(SLACK, Says(&["value passed for channel was invalid", "channel_not_found", "channel not found", "is_archived", "not_in_channel",
        "channel_is_archived", "restricted_action", "restricted_action_read_only_channel", "restricted_action_thread_only_channel",
        "posting_to_general_channel_denied", "action_prohibited"]), "slack_channel"),
    sure(SLACK, Http(429, 429), "rate_limited"),
    sure(SLACK, Says(&["rate_limited", "ratelimited", "message_limit_exceeded"]), "rate_limited"),
    sure(SLACK, Says(&["msg_too_long", "msg_blocks_too_long"]), "too_large"),
    sure(SLACK, Says(&["no_text", "invalid_blocks", "invalid_blocks_format", "invalid_attachments", "too_many_attachments",
        "invalid_payload"]), "message_invalid"),
    sure(SLACK, Is(&["internal_error", "fatal_error", "service_unavailable"]), "provider_unavailable"),
];
