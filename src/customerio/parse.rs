//! From a body's bytes to normalised events.
//!
//! What the specification promises is one JSON object with `object_type`, `metric`, `timestamp` and `data`
//! (<https://docs.customer.io/files/journeys-webhooks.json>). Nobody may lose an event to a smaller surprise, so this
//! reads every shape that was ever seen: lists, wrappers, the legacy `event_type`, ids as text or numbers, missing
//! fields. Kind and time decide; all else is optional.

mod loose;

use std::cell::LazyCell;

use jiff::{SignedDuration, Timestamp};

use super::cause;
use super::event::{
    Event, FUTURE_MINUTES, Failure, Fate, Identity, Kind, SAMPLE_CHARS, Source, SourceKind, TOO_LATE_DAYS,
};
use super::mask::{EMAIL, mask};
use super::metric;
use super::provider::Provider;
use crate::config::Config;
use crate::config::schema::{Canary, Ignore, Privacy};
use loose::Object;
use sha2::{Digest, Sha256};

/// The `event_id` of the vendor's documentation samples, which "Send Test" posts too: a test, never counted.
/// Source: every sample of <https://docs.customer.io/integrations/api/webhooks>.
pub const SAMPLE_EVENT_ID: &str = "01E4C4CT6YDC7Y5M7FE1GWWPQJ";

/// Ids longer than this are cut, in characters; the vendor's have 26 (ULID) or fewer.
pub const ID_CHARS: usize = 64;

/// A number above this is a time in milliseconds: as seconds it would be the year 5138.
const MILLISECONDS_FROM: f64 = 1e11;

/// What normalising needs to know besides the body.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub arrived: Timestamp,
    pub ignore: &'a Ignore,
    pub privacy: Privacy,
    /// Whose round trips are no traffic.
    pub canary: Option<&'a Canary>,
    /// The App API can be asked about what failed: its delivery ids are kept for that, and else left behind.
    pub asks: bool,
}

impl<'a> Context<'a> {
    /// As the configuration has it.
    pub fn of(config: &'a Config, arrived: Timestamp) -> Self {
        Self {
            arrived,
            ignore: &config.ignore,
            privacy: config.privacy,
            canary: config.canary.as_ref(),
            asks: config.customerio.app_api_key.is_some(),
        }
    }
}

/// What a body held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Normalised {
    pub events: Vec<Event>,
    /// The vendor's sample events: answered, never counted.
    pub tests: usize,
    /// Why a part of a list could not be read: what could is in `events`, and the body belongs in quarantine too.
    pub unreadable: Option<String>,
}

/// Why nothing of a body could be read, in words that hold nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// Reads a body. Its SHA-256 names events that carry no id.
///
/// # Errors
/// [`Unreadable`] when there is no event in it at all.
pub fn normalise(body: &[u8], context: &Context) -> Result<Normalised, Unreadable> {
    let text =
        std::str::from_utf8(body).map_err(|e| Unreadable(format!("not UTF-8 (byte {})", e.valid_up_to() + 1)))?;
    let items = loose::items(text).map_err(Unreadable)?;
    let mut normalised = Normalised::default();
    let mut unreadable = Vec::new();
    // Nearly every event has an id.
    let sha256 = LazyCell::new(|| Sha256::digest(body).into());
    for (index, item) in items.iter().enumerate() {
        let kind = item.as_ref().ok_or("not an object").and_then(|item| Ok((item, kind_of(item)?)));
        match kind {
            Ok((item, _)) if item.text("event_id").as_deref() == Some(SAMPLE_EVENT_ID) => normalised.tests += 1,
            Ok((item, kind)) => normalised.events.push(event(item, kind, || *sha256, index, context)),
            Err(why) => unreadable.push((index, why)),
        }
    }
    normalised.unreadable = match (unreadable.as_slice(), items.len()) {
        ([], 0) => return Err(Unreadable("an empty list".into())),
        ([], _) => None,
        ([(_, why)], 1) => return Err(Unreadable((*why).into())),
        ([(index, why), ..], of) => {
            Some(format!("{} of {of} elements of a list: number {}: {why}", unreadable.len(), index + 1))
        }
    };
    match normalised.unreadable {
        Some(why) if unreadable.len() == items.len() => Err(Unreadable(why)),
        unreadable => Ok(Normalised { unreadable, ..normalised }),
    }
}

/// Channel and metric: the current fields, the specification's slip `object_type_type`, or the legacy `event_type`.
fn kind_of(item: &Object) -> Result<Kind, &'static str> {
    let channel = item.text("object_type").or_else(|| item.text("object_type_type"));
    match (channel, item.text("metric")) {
        (Some(channel), Some(metric)) => Ok(Kind::new(&channel, &metric)),
        (channel, metric) => match item.text("event_type").map(|legacy| legacy.parse()) {
            Some(Ok(kind)) => Ok(kind),
            Some(Err(())) => Err("an event_type that is not <channel>_<metric>"),
            None => Err(match (channel, metric) {
                (None, None) => "no object_type and no metric",
                (None, Some(_)) => "no object_type",
                (Some(_), _) => "no metric",
            }),
        },
    }
}

fn event(item: &Object, kind: Kind, sha256: impl Fn() -> [u8; 32], index: usize, context: &Context) -> Event {
    let data = item.object("data").unwrap_or_default();
    let person = Person::of(&data);
    let event_id = item.text("event_id");
    let identity = match &event_id {
        Some(id) => Identity::of_event(id, &kind),
        None => Identity::of_body(&sha256(), index),
    };
    let source = source_of(&data);
    let own = item.text("timestamp").as_deref().and_then(read_stamp);
    let (at, future) = time_of(own, context.arrived);
    let fate = if context.canary.is_some_and(|canary| is_canary(canary, &source, &person)) {
        Fate::Canary
    } else if context.arrived.duration_since(at) > SignedDuration::from_hours(24 * TOO_LATE_DAYS) {
        Fate::TooLate
    } else if is_ignored(&source, &person, &kind, context.ignore) {
        Fate::Ignored
    } else {
        Fate::Counted
    };
    let provider = match person.address(&kind) {
        Some(address) => Provider::of_address(address),
        None => Provider::none(),
    };
    let mut failure = failure_of(&data, &kind, context.privacy, &|| person.identifiers(item, &data, &kind));
    if let Some(failure) = failure.as_mut().filter(|_| context.asks && fate == Fate::Counted) {
        failure.delivery = data.text("delivery_id").map(|id| plain_id(&id));
    }
    Event {
        identity,
        source,
        action: data.text("action_id").or_else(|| data.text("content_id")).map(|id| plain_id(&id)),
        at,
        arrived: context.arrived,
        future,
        stamp: own.filter(|_| future),
        fate,
        key: 0,
        failure,
        provider,
        event_id: event_id.map(|id| plain_id(&id)),
        journey_id: data.text("journey_id").map(|id| plain_id(&id)),
        trigger_event_id: data
            .text("trigger_event_id")
            .or_else(|| item.text("trigger_event_id"))
            .map(|id| plain_id(&id)),
        kind,
    }
}

/// When it counts, and whether it must not cover: its time lies too far ahead of arrival, or cannot be read. Clocks
/// differ by seconds; an event that is a little ahead still shows that we are hearing now.
fn time_of(own: Option<Timestamp>, arrived: Timestamp) -> (Timestamp, bool) {
    let Some(at) = own else { return (arrived, true) };
    let ahead = at.duration_since(arrived);
    if ahead > SignedDuration::from_mins(FUTURE_MINUTES) { (arrived, true) } else { (at, false) }
}

/// Unix seconds, or milliseconds when they are too large for seconds. Zero and below are an unset field's value.
fn read_stamp(text: &str) -> Option<Timestamp> {
    let number: f64 = text.trim().parse().ok()?;
    if !number.is_finite() || number < 1.0 {
        return None;
    }
    // Both casts saturate; what jiff cannot hold is refused by it.
    if number > MILLISECONDS_FROM {
        Timestamp::from_millisecond(number as i64).ok()
    } else {
        Timestamp::from_second(number as i64).ok()
    }
}

/// What sent it. Legacy bodies have a `campaign_id` too, as text.
fn source_of(data: &Object) -> Source {
    const FIELDS: [(&str, SourceKind); 4] = [
        ("campaign_id", SourceKind::Campaign),
        ("broadcast_id", SourceKind::Broadcast),
        ("newsletter_id", SourceKind::Newsletter),
        ("transactional_message_id", SourceKind::Transactional),
    ];
    let mut given = FIELDS.into_iter().filter_map(|(field, kind)| Some((kind, data.text(field)?)));
    // A zero beside another id is an unset one; alone it is what it says.
    let first = given.clone().find(|(_, id)| id != "0").or_else(|| given.next());
    first.map_or(Source::none(), |(kind, id)| Source::new(kind, plain_id(&id)))
}

/// An id as we keep it: it stands in keys, labels and texts, so nothing but `[A-Za-z0-9_.=-]`.
fn plain_id(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.=-".contains(c);
    // What people put into an id is theirs: an address in it is nobody's id.
    let masked = Some(text).filter(|text| !text.chars().all(is_plain)).map(|text| mask(text, &[]));
    let text = masked.as_deref().filter(|masked| masked.contains(EMAIL)).unwrap_or(text);
    text.chars().take(ID_CHARS).map(|c| if is_plain(c) { c } else { '_' }).collect()
}

/// Whom it was sent to, under all the names that different events use.
struct Person {
    recipient: Option<String>,
    /// Every e-mail address of the person.
    emails: Vec<String>,
    /// Ids, and whatever else the workspace identifies people by: a phone, an anonymous id, keys of its own.
    ids: Vec<String>,
}

impl Person {
    fn of(data: &Object) -> Self {
        let identifiers = data.object("identifiers").unwrap_or_default();
        let emails = [data.text("email_address"), identifiers.text("email")];
        let ids = [data.text("customer_id"), data.text("to")];
        Self {
            recipient: data.text("recipient"),
            emails: emails.into_iter().flatten().collect(),
            ids: ids.into_iter().flatten().chain(data.texts_in("identifiers")).collect(),
        }
    }

    /// The address an e-mail went to.
    fn address(&self, kind: &Kind) -> Option<&str> {
        if kind.channel != "email" {
            return None;
        }
        self.recipient.as_deref().or_else(|| self.emails.first().map(String::as_str))
    }

    /// All that names the person or the message in this event.
    fn identifiers(&self, item: &Object, data: &Object, kind: &Kind) -> Vec<String> {
        // `#growth-alerts` is nobody's name, and people need to read it.
        let is_channel = |recipient: &&String| kind.channel == "slack" && !recipient.contains('@');
        let recipient = self.recipient.iter().filter(|recipient| !is_channel(recipient));
        let mut all: Vec<String> = recipient.chain(&self.emails).chain(&self.ids).cloned().collect();
        const IN_DATA: [&str; 4] = ["delivery_id", "email_id", "journey_id", "inbound_event_id"];
        all.extend(IN_DATA.into_iter().filter_map(|field| data.text(field)));
        all.extend(item.text("event_id"));
        all.extend(data.objects("recipients").iter().filter_map(|device| device.text("device_id")));
        all
    }
}

/// The canary's workflow sends to one profile. Anybody else whom it sends to is traffic: somebody may have named the wrong
/// workflow, and must not be deaf to it.
fn is_canary(canary: &Canary, source: &Source, person: &Person) -> bool {
    canary.is_source(source) && (person.ids.is_empty() || person.ids.contains(&canary.profile))
}

/// An e-mail is test traffic by the address it went to; anything else by any address of the person.
fn is_ignored(source: &Source, person: &Person, kind: &Kind, ignore: &Ignore) -> bool {
    if !ignore.sources.is_empty() {
        let source = source.to_string();
        if ignore.sources.iter().any(|glob| glob.matches(&source)) {
            return true;
        }
    }
    let matches = |address: &str| {
        let bare = address.rsplit_once('<').map_or(address, |(_, a)| a.trim_end_matches('>')).trim();
        let lower = bare.to_lowercase();
        ignore.recipients.iter().any(|glob| glob.matches(bare) || glob.matches(&lower))
    };
    match person.address(kind) {
        _ if ignore.recipients.is_empty() => false,
        Some(address) => matches(address),
        None => person.recipient.iter().chain(&person.emails).any(|address| matches(address)),
    }
}

/// Why it failed, for a metric that says so; a metric of no known meaning says so when it brings a text.
fn failure_of(data: &Object, kind: &Kind, privacy: Privacy, identifiers: &dyn Fn() -> Vec<String>) -> Option<Failure> {
    if !metric::has_cause(&kind.metric) {
        return None;
    }
    let Some(text) = failure_text(data) else {
        return kind.row().map(|_| Failure {
            cause: cause::classify(kind, None),
            fingerprint: 0,
            sample: None,
            delivery: None,
        });
    };
    let identifiers = identifiers();
    let identifiers: Vec<&str> = identifiers.iter().map(String::as_str).collect();
    let masked = mask(&text, &identifiers);
    let shown = if privacy.show_personal_data { &text } else { &masked };
    Some(Failure {
        cause: cause::classify(kind, Some(&text)),
        fingerprint: cause::fingerprint(&masked),
        sample: Some(shown.chars().take(SAMPLE_CHARS).collect()),
        delivery: None,
    })
}

/// The failure's text: of the message, else of its devices (push keeps it there), else the provider's `reason`.
fn failure_text(data: &Object) -> Option<String> {
    let of_devices = || {
        let devices = data.objects("recipients");
        let mut texts: Vec<String> = devices.iter().filter_map(|device| device.text("failure_message")).collect();
        texts.sort();
        texts.dedup();
        (!texts.is_empty()).then(|| texts.join("; "))
    };
    data.text("failure_message").or_else(of_devices).or_else(|| data.text("reason"))
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
