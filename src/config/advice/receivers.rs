//! Receivers that nobody names, two for one place, and addresses that are not encrypted.

use super::places::{Places, Step};
use crate::config::Config;
use crate::config::reader::{Problem, quoted};
use crate::config::schema::{ReceiverConfig, ReceiverKind};
use crate::config::secrets::SecretRef;

const SECTION: &str = "receivers";

pub fn advise(config: &Config, places: &Places<'_>) {
    for (index, receiver) in config.receivers.iter().enumerate() {
        if !is_named(config, &receiver.name) {
            let what = format!(
                "the receiver {} never hears anything: no route, digest or fallback names it",
                quoted(&receiver.name)
            );
            let fix = "name it in a route, in [digest] or as a fallback, or remove it";
            places.report(places.key(SECTION, index, "name"), Problem::warning(what).fix(fix));
        }
        let twin = config.receivers.iter().take(index).position(|other| same_place(&other.kind, &receiver.kind));
        if let Some(twin) = twin {
            let name = config.receivers.get(twin).map_or("", |r| r.name.as_str());
            let what = format!(
                "{} and {} (line {}) lead to the same place: whoever routes to both is told twice, and as a fallback \
                 one fails where the other does",
                quoted(&receiver.name),
                quoted(name),
                places.line(SECTION, twin)
            );
            let fix = "keep one of them, or give this one another key, channel or topic";
            places.report(places.nth(SECTION, index), Problem::warning(what).fix(fix));
        }
        if url(receiver).is_some_and(is_open) {
            let what = "plain http to another machine: the key and every alert travel unencrypted";
            places.report(places.key(SECTION, index, "url"), Problem::warning(what).fix("https://"));
        }
    }
    if config.customerio.app_api_url.as_deref().is_some_and(is_open) {
        let at = places.offset(&[Step::Key("customerio"), Step::Key("app_api_url")]);
        let what = "plain http to another machine: the App API's key travels unencrypted";
        places.report(at, Problem::warning(what).fix("https://"));
    }
}

fn is_named(config: &Config, name: &str) -> bool {
    let routes = config.routes.iter().flat_map(|r| &r.receivers);
    let digest = config.digest.iter().flat_map(|d| &d.receivers);
    let fallbacks = config.receivers.iter().filter_map(|r| r.fallback.as_ref());
    routes.chain(digest).chain(fallbacks).any(|named| named == name)
}

/// By the references, not by what they hold.
fn same_place(one: &ReceiverKind, other: &ReceiverKind) -> bool {
    place(one).is_some_and(|place_of_one| place(other) == Some(place_of_one))
}

fn place(kind: &ReceiverKind) -> Option<(&SecretRef, Option<&str>)> {
    match kind {
        ReceiverKind::PagerDuty { routing_key, .. } => Some((routing_key, None)),
        ReceiverKind::SlackWebhook { webhook_url, .. } => Some((webhook_url, None)),
        ReceiverKind::SlackBot { bot_token, channel, .. } => Some((bot_token, Some(channel))),
        ReceiverKind::Sns { topic_arn, .. } => Some((topic_arn, None)),
        ReceiverKind::Console => None,
    }
}

fn url(receiver: &ReceiverConfig) -> Option<&str> {
    match &receiver.kind {
        ReceiverKind::PagerDuty { url, .. } | ReceiverKind::SlackBot { url, .. } => Some(url),
        ReceiverKind::SlackWebhook { url, .. } | ReceiverKind::Sns { url, .. } => url.as_deref(),
        ReceiverKind::Console => None,
    }
}

/// Plain http beyond this machine and its private network (RFC 1918), where stand-ins run.
fn is_open(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    let address: Option<std::net::Ipv4Addr> = host.parse().ok();
    let is_near = address.is_some_and(|a| a.is_loopback() || a.is_private());
    // A name without a dot is a machine or container of the same network.
    !is_near && host.contains('.') && !rest.starts_with('[')
}
