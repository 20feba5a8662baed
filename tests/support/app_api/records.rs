//! Answers to what is asked of people and campaigns.

use serde_json::{Map, Value, json};

use super::Traps;
use super::people::{Person, World};

type Answer = (u16, Value);

/// The answer, or `None` for a path or a thing that nobody knows (404).
pub fn answer(asked: &str, world: &World, traps: Traps) -> Option<Answer> {
    let (path, query) = asked.split_once('?').unwrap_or((asked, ""));
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let ask = Ask { query, traps };
    match parts.as_slice() {
        ["v1", "customers"] => {
            // What was sent unencoded is another address, or none: an empty list, and no error.
            let raw = ask.raw("email")?;
            let email = if raw.contains(['@', '+']) { String::new() } else { decoded(raw) };
            let same = |person: &&Person| person.email.as_deref() == Some(email.as_str());
            let found = world.people.iter().filter(same).map(Person::identifiers).collect();
            Some((200, ask.list("results", found)))
        }
        ["v1", "customers", who, what] => {
            let kind = ask.raw("id_type").unwrap_or("id");
            if traps.ids_only && matches!(kind, "email" | "phone") {
                return Some((400, Value::Null));
            }
            let who = decoded(who);
            of_person(&ask, world.people.iter().find(|person| person.is(kind, &who))?, what)
        }
        ["v1", "campaigns", id] => {
            Some((200, ask.wrapped("campaign", world.campaigns.get(&id.parse().ok()?)?.clone())))
        }
        ["v1", "campaigns", id, "actions"] => {
            Some((200, ask.list("actions", world.actions.get(&id.parse().ok()?)?.clone())))
        }
        ["v1", "messages", id] => {
            let id = decoded(id);
            let message =
                world.people.iter().flat_map(|person| &person.messages).find(|message| message["id"] == *id)?;
            Some((200, ask.wrapped("message", message.clone())))
        }
        ["v1", "segments", id] => {
            let name = world.segments.get(&id.parse().ok()?)?;
            Some((200, ask.wrapped("segment", json!({"id": id, "name": name}))))
        }
        ["v1", "sender_identities", id] => {
            Some((200, ask.wrapped("sender_identity", world.senders.get(&id.parse().ok()?)?.clone())))
        }
        ["v1", "esp", "search_suppression", email] => {
            let nothing = json!({"category": "", "suppressions": ask.listed(Vec::new())});
            Some((200, world.suppressions.get(&decoded(email)).cloned().unwrap_or(nothing)))
        }
        _ => None,
    }
}

fn of_person(ask: &Ask<'_>, person: &Person, what: &str) -> Option<Answer> {
    let body = match what {
        "attributes" => ask.wrapped("customer", person.profile(ask)),
        "segments" => ask.list("segments", person.segments.iter().map(|id| json!({"id": id, "name": "any"})).collect()),
        "messages" => {
            let time = |key| ask.raw(key).and_then(|at| at.parse::<i64>().ok());
            let (from, to) = (time("start_ts")?, time("end_ts")?);
            let within = |message: &&Value| message["created"].as_i64().is_some_and(|at| (from..=to).contains(&at));
            ask.list("messages", person.messages.iter().filter(within).cloned().collect())
        }
        "activities" => {
            let (kind, name) = (ask.raw("type"), ask.raw("name").map(decoded));
            let fits = |activity: &&Value| {
                kind.is_none_or(|kind| activity["type"] == kind)
                    && name.as_deref().is_none_or(|name| activity["name"] == name)
            };
            ask.list("activities", person.activities.iter().filter(fits).cloned().collect())
        }
        "subscription_preferences" => {
            let topics = ask.listed(person.topics.clone());
            let customer = json!({
                "id": person.id, "identifiers": person.identifiers(), "topics": topics,
                "unsubscribed": person.unsubscribed, "header": {"title": "Manage your subscription preferences"},
            });
            ask.wrapped("customer", customer)
        }
        "optouts" => ask.list("optouts", person.opt_outs.clone()),
        _ => return None,
    };
    Some((200, body))
}

impl Person {
    fn identifiers(&self) -> Value {
        json!({"id": self.id, "email": self.email, "cio_id": self.cio_id})
    }

    fn profile(&self, ask: &Ask<'_>) -> Value {
        json!({
            "id": self.id, "identifiers": self.identifiers(), "attributes": self.attributes,
            "timestamps": {"cio_id": 1_552_341_937}, "unsubscribed": self.unsubscribed,
            "devices": ask.listed(self.devices.clone()),
        })
    }

    /// Whether this is the person's name of that kind. The value of a `cio_id` begins with `cio_`.
    fn is(&self, kind: &str, who: &str) -> bool {
        match kind {
            "id" => self.id.as_deref() == Some(who),
            "email" => self.email.as_deref() == Some(who),
            "phone" => self.phone.as_deref() == Some(who),
            "cio_id" => who.strip_prefix("cio_") == Some(self.cio_id.as_str()),
            _ => false,
        }
    }
}

struct Ask<'a> {
    query: &'a str,
    traps: Traps,
}

impl Ask<'_> {
    /// A value of the query as it was sent.
    fn raw(&self, key: &str) -> Option<&str> {
        self.query.split('&').find_map(|part| part.strip_prefix(key)?.strip_prefix('='))
    }

    fn wrapped(&self, key: &str, value: Value) -> Value {
        let value = if self.traps.texts { texts(value) } else { value };
        if self.traps.unwrapped { value } else { json!({ key: value }) }
    }

    fn listed(&self, entries: Vec<Value>) -> Value {
        if entries.is_empty() && self.traps.null_lists { Value::Null } else { Value::Array(entries) }
    }

    /// A page of a list. Tokens hold what must be encoded in a query.
    fn list(&self, key: &str, entries: Vec<Value>) -> Value {
        let per_page = self.traps.per_page.unwrap_or(usize::MAX);
        let start: usize = match self.raw("start").map(decoded) {
            Some(token) => token.trim_start_matches("at+").trim_end_matches('=').parse().expect("our own token"),
            None => 0,
        };
        let all = entries.len();
        let page: Vec<Value> = entries.into_iter().skip(start).take(per_page).collect();
        let page = if self.traps.texts { page.into_iter().map(texts).collect() } else { page };
        if self.traps.unwrapped && self.traps.per_page.is_none() {
            return self.listed(page);
        }
        let next = start.saturating_add(per_page);
        let next = match next < all {
            true => format!("at+{next}="),
            false if self.traps.circle && all > 0 => format!("at+{start}="),
            false => String::new(),
        };
        let mut body = Map::new();
        body.insert(key.to_owned(), self.listed(page));
        body.insert("next".to_owned(), Value::String(next));
        Value::Object(body)
    }
}

/// Every number as a text.
fn texts(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::String(number.to_string()),
        Value::Array(entries) => Value::Array(entries.into_iter().map(texts).collect()),
        Value::Object(object) => Value::Object(object.into_iter().map(|(key, value)| (key, texts(value))).collect()),
        other => other,
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (first, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = tail;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}
