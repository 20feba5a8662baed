//! What Customer.io sends in one history: bursts of failures, recoveries, strays.

use super::random::Random;
use super::world::{DAY, HOUR, MINUTE, SECOND};
use crate::customerio::event::{Identity, Kind};
use crate::customerio::parse::SAMPLE_EVENT_ID;

/// A reporting webhook, as it will be sent.
#[derive(Clone, Debug)]
pub struct Item {
    /// When it happens, and is put into the sender's queue.
    pub at: i64,
    pub body: String,
    pub what: What,
    /// It is sent once more after that.
    pub again_at: Option<i64>,
    pub parked: Option<Parked>,
    /// The version that runs at first does not understand it.
    pub strange: bool,
}

/// What becomes of an item's first message in our queue.
#[derive(Clone, Copy, Debug)]
pub enum Parked {
    /// It lies for so long, as in a dead-letter queue; and whether another goes on beside it.
    For(i64, bool),
    /// It is received just when a tick has read what it decides by, or after so long.
    Held(i64),
}

#[derive(Clone, Debug)]
pub enum What {
    Event(Spec),
    /// No event can be read from it.
    Unreadable,
    /// The vendor's sample event.
    Test,
}

/// What an event really is.
#[derive(Clone, Debug)]
pub struct Spec {
    pub identity: Identity,
    pub kind: Kind,
    pub source: &'static str,
    pub action: &'static str,
    /// Which failure text it has.
    pub text: Option<usize>,
    /// Its own time, Unix seconds.
    pub stamp: i64,
    pub ignored: bool,
}

/// Failure texts by channel: one cause each, another when the table of causes changes.
pub const EMAIL_TEXTS: [&str; 2] =
    ["Variable 'customer.name' is missing", "550 5.1.1 The email account does not exist"];
pub const SMS_TEXTS: [&str; 2] =
    ["Twilio Error 21211: not a valid phone number", "Twilio Error 30005: Unknown handset"];

/// The text that an event of this kind has, as a table of causes reads it.
pub fn text_of(kind: &Kind, text: usize, table: usize) -> &'static str {
    let texts = if kind.channel == "sms" { SMS_TEXTS } else { EMAIL_TEXTS };
    texts[(text + table) % 2]
}

const SOURCES: [(&str, &str); 3] = [("campaign:5", "96"), ("transactional:2", ""), ("newsletter:10", "3")];

/// Where something fails: kind of failure, what shows that it works again, and the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub channel: &'static str,
    pub metric: &'static str,
    pub success: &'static str,
    pub source: usize,
}

const PLACES: [(&str, &str, &str); 3] =
    [("email", "failed", "sent"), ("sms", "failed", "sent"), ("email", "bounced", "delivered")];

struct Maker<'a> {
    random: &'a mut Random,
    items: Vec<Item>,
    /// Thousandths.
    late: u64,
    strange: u64,
    again: u64,
    parked: u64,
    /// What happens now is held back so long.
    held: Option<i64>,
    calm: bool,
}

/// The items of a history and when the last one happens.
pub fn traffic(random: &mut Random, start: i64, calm: bool, long: bool) -> (Vec<Item>, i64) {
    let rate = |random: &mut Random, most: u64| if !calm && random.chance(500) { random.below(most) } else { 0 };
    let (late, strange, again) = (rate(random, 250), rate(random, 200), rate(random, 250));
    let parked = if long { random.below(150) } else { 0 };
    let mut maker = Maker { random, items: Vec::new(), late, strange, again, parked, held: None, calm };
    let mut at = start;
    for (place, _) in SOURCES.iter().enumerate() {
        at += maker.random.between(SECOND, MINUTE);
        maker.success(Place { channel: "email", metric: "failed", success: "sent", source: place }, at);
    }
    for _ in 0..maker.random.between(1, 3) {
        at = maker.burst(at);
        at = maker.pause(at, long);
    }
    let Maker { mut items, .. } = maker;
    items.sort_by_key(|item| item.at);
    let end = items.last().map_or(at, |item| item.at);
    (items, end)
}

impl Maker<'_> {
    /// Some failures of one or two places close together; when the last one happened.
    fn burst(&mut self, at: i64) -> i64 {
        let text = usize::try_from(self.random.below(2)).unwrap_or(0);
        let span = self.random.pick(&[20 * SECOND, 4 * MINUTE, 12 * MINUTE]);
        let places: Vec<Place> = (0..self.random.between(1, 2)).map(|_| self.place()).collect();
        let mut last = at;
        for _ in 0..self.random.between(2, 7) {
            let place = self.random.pick(&places);
            let happens = at + self.random.between(0, span);
            self.failure(place, text, happens);
            last = last.max(happens);
            if self.random.chance(200) {
                let after = self.random.between(0, MINUTE);
                self.success(place, happens + after);
            }
        }
        // Mostly it is put right, and quiet for long enough to be seen so.
        if self.random.chance(700) {
            for place in &places {
                let after = self.random.between(SECOND, 10 * MINUTE);
                self.success(*place, last + after);
            }
            let quiet = last + self.random.between(30 * MINUTE, 34 * MINUTE);
            self.success(places[0], quiet);
            self.success(places[0], quiet + MINUTE);
            if self.random.chance(if self.calm { 0 } else { 400 }) {
                self.ambush(places[0], text, quiet);
            }
            // And fails again just when tick finds it over.
            return quiet + self.random.between(0, 2 * MINUTE);
        }
        last
    }

    /// Failures that are counted while tick resolves.
    fn ambush(&mut self, place: Place, text: usize, at: i64) {
        self.held = Some(self.random.pick(&[5 * MINUTE, 25 * MINUTE]));
        for _ in 0..self.random.between(2, 4) {
            let before = self.random.pick(&[MINUTE, 3 * MINUTE, 15 * MINUTE]);
            self.failure(place, text, at - before);
        }
        self.held = None;
    }

    fn pause(&mut self, at: i64, long: bool) -> i64 {
        let wait = match self.random.below(if long { 8 } else { 6 }) {
            0..=2 => self.random.between(0, 2 * MINUTE),
            3 => self.random.between(2 * MINUTE, 40 * MINUTE),
            4 => self.random.between(HOUR, 2 * HOUR),
            5 => self.random.between(2 * HOUR, 5 * HOUR),
            _ => self.random.between(DAY, 5 * DAY),
        };
        at + wait
    }

    fn place(&mut self) -> Place {
        let (channel, metric, success) = self.random.pick(&PLACES);
        let source = usize::try_from(self.random.below(SOURCES.len() as u64)).unwrap_or(0);
        Place { channel, metric, success, source }
    }

    fn failure(&mut self, place: Place, text: usize, at: i64) {
        self.event(place, Some(text), at);
    }

    fn success(&mut self, place: Place, at: i64) {
        self.event(place, None, at);
    }

    fn event(&mut self, place: Place, text: Option<usize>, at: i64) {
        let seconds = at / SECOND;
        let own = match self.random.below(1000) {
            roll if roll < self.late => seconds - self.lateness() / SECOND,
            roll if roll < self.late + self.strange / 2 => seconds + self.random.pick(&[120, 240, 400, 7200]),
            _ => seconds - self.random.between(0, 2),
        };
        let ignored = self.random.chance(self.strange / 4);
        let number = self.items.len();
        let (body, spec) = webhook(number, place, text, own, ignored);
        let again_at = match self.random.chance(self.again) {
            true => Some(at + self.random.pick(&[SECOND, 5 * MINUTE, HOUR])),
            false => None,
        };
        let parked = match self.random.chance(self.parked) {
            true => Some(Parked::For(self.random.between(2 * DAY, 13 * DAY), self.random.chance(700))),
            false => self.held.map(Parked::Held),
        };
        self.items.push(Item { at, body, what: What::Event(spec), again_at, parked, strange: false });
        if self.random.chance(self.strange / 4) {
            self.stray(at);
        }
    }

    fn lateness(&mut self) -> i64 {
        match self.random.below(5) {
            0 => self.random.between(2 * MINUTE, 8 * MINUTE),
            1 => self.random.between(8 * MINUTE, 40 * MINUTE),
            2 => self.random.between(HOUR, 6 * HOUR),
            3 => self.random.between(DAY, 7 * DAY),
            _ => self.random.between(8 * DAY + HOUR, 12 * DAY),
        }
    }

    /// What is no event, or none of ours.
    fn stray(&mut self, at: i64) {
        let number = self.items.len();
        let (body, what) = match self.random.below(2) {
            0 => {
                let body = format!("{{\"event_id\":\"broken-{number}\",");
                (body, What::Unreadable)
            }
            _ => {
                let body = format!(
                    "{{\"event_id\":\"{SAMPLE_EVENT_ID}\",\"object_type\":\"email\",\"metric\":\"failed\",\
                     \"timestamp\":{},\"data\":{{}}}}",
                    at / SECOND
                );
                (body, What::Test)
            }
        };
        self.items.push(Item { at, body, what, again_at: None, parked: None, strange: false });
    }
}

/// A webhook's body, and what it means.
pub fn webhook(number: usize, place: Place, text: Option<usize>, stamp: i64, ignored: bool) -> (String, Spec) {
    let (source, action) = SOURCES[place.source];
    let metric = if text.is_some() { place.metric } else { place.success };
    let kind = Kind::known(place.channel, metric);
    let id = format!("ev{number}");
    let field = match source.split_once(':').unwrap_or_default() {
        ("campaign", id) => format!("\"campaign_id\":{id},\"action_id\":{action},"),
        ("newsletter", id) => format!("\"newsletter_id\":{id},\"content_id\":{action},"),
        (_, id) => format!("\"transactional_message_id\":{id},"),
    };
    let failure = match text {
        Some(text) => format!("\"failure_message\":\"{}\",", text_of(&kind, text, 0)),
        None => String::new(),
    };
    let recipient = if ignored { "qa@example.com" } else { "ada@example.org" };
    let body = format!(
        "{{\"event_id\":\"{id}\",\"object_type\":\"{}\",\"metric\":\"{metric}\",\"timestamp\":{stamp},\
         \"data\":{{{field}{failure}\"recipient\":\"{recipient}\"}}}}",
        place.channel
    );
    let identity = Identity::of_event(&id, &kind);
    (body, Spec { identity, kind, source, action, text, stamp, ignored })
}

impl Place {
    /// Where an item failed, if it is a failure.
    pub fn of(what: &What) -> Option<Self> {
        let What::Event(spec) = what else { return None };
        spec.text?;
        let source = SOURCES.iter().position(|(source, _)| *source == spec.source)?;
        let (channel, metric, success) = PLACES
            .into_iter()
            .find(|(channel, metric, _)| spec.kind.channel == *channel && spec.kind.metric == *metric)?;
        Some(Self { channel, metric, success, source })
    }
}
