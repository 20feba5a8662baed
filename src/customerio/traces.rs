//! What names people in a body that may be broken: read field by field, without asking that the whole be JSON. For what
//! is in quarantine: its event id, what is masked when it is shown, and whether a person is in it.

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::value::RawValue;

use super::mask::mask;

/// A name with a text or number behind it, and the name of the object that it stands in (empty: none).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub within: String,
    pub name: String,
    pub value: String,
}

/// Fields that name the person or the message. Source: the reporting webhooks' fields,
/// <https://docs.customer.io/files/journeys-webhooks.json>; everything in `identifiers` besides.
const NAMING: [&str; 14] = [
    "anonymous_id",
    "cio_id",
    "customer_id",
    "delivery_id",
    "device_id",
    "email",
    "email_address",
    "email_id",
    "first_name",
    "last_name",
    "name",
    "phone",
    "recipient",
    "to",
];

/// Of those, what is one person's or one message's alone, and found elsewhere too.
const OWN: [&str; 8] =
    ["anonymous_id", "cio_id", "customer_id", "delivery_id", "email", "email_address", "email_id", "phone"];

/// Shorter ones, and numbers below [`LONG_NUMBER`], are looked for only where an identifier is to be expected: as a
/// word anywhere they would be found in every second body.
const LONG: usize = 6;
const LONG_NUMBER: usize = 9;

/// Rounds in which what is found may name more of the same person.
const ROUNDS: usize = 5;

/// What a masked preview is made of, in bytes, and how long it is, in characters.
const PREVIEWED: usize = 8 * 1024;
pub const PREVIEW_CHARS: usize = 160;

/// The fields of a text that looks like JSON, as far as it goes.
pub fn fields(text: &str) -> Vec<Field> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut within: Vec<String> = Vec::new();
    let mut name: Option<String> = None;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let (value, end) = string(text, at + 1);
                at = end;
                let rest = text.get(at..).unwrap_or_default().trim_start();
                match (name.take(), rest.starts_with(':')) {
                    (None, true) => {
                        name = Some(value);
                        // On to the value.
                        at = text.len() - rest.len() + 1;
                    }
                    (Some(name), _) => {
                        found.push(Field { within: within.last().cloned().unwrap_or_default(), name, value });
                    }
                    (None, false) => {}
                }
                continue;
            }
            b'{' => within.push(name.take().unwrap_or_default()),
            b'}' => {
                within.pop();
                name = None;
            }
            b'-' | b'0'..=b'9' => {
                let number: &str = text.get(at..).unwrap_or_default();
                let end = number.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c));
                let number = number.get(..end.unwrap_or(number.len())).unwrap_or_default();
                if let Some(name) = name.take() {
                    let value = number.to_owned();
                    found.push(Field { within: within.last().cloned().unwrap_or_default(), name, value });
                }
                at += number.len().max(1);
                continue;
            }
            b',' | b'[' | b']' => name = None,
            _ => {}
        }
        at += 1;
    }
    found
}

/// A JSON string from behind its first quote, and where it ends; one that does not end goes to the end.
fn string(text: &str, from: usize) -> (String, usize) {
    let rest = text.get(from..).unwrap_or_default();
    let mut escaped = false;
    for (at, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return (unescaped(rest.get(..at).unwrap_or_default()), from + at + 1),
            _ => {}
        }
    }
    (unescaped(rest), text.len())
}

fn unescaped(text: &str) -> String {
    serde_json::from_str(&format!("\"{text}\"")).unwrap_or_else(|_| text.to_owned())
}

/// The body's first `event_id`.
pub fn event_id(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    let id = fields(&text).into_iter().find(|f| f.name == "event_id")?.value;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.=-".contains(c);
    Some(id.chars().take(super::parse::ID_CHARS).map(|c| if is_plain(c) { c } else { '_' }).collect())
        .filter(|id: &String| !id.is_empty())
}

/// The beginning of a body on one line, masked (design, law 8).
pub fn preview(head: &[u8]) -> String {
    let text = String::from_utf8_lossy(head.get(..PREVIEWED).unwrap_or(head));
    let naming: Vec<String> = fields(&text).into_iter().filter(names).map(|f| f.value).collect();
    let naming: Vec<&str> = naming.iter().map(String::as_str).collect();
    let masked = mask(&text, &naming);
    let mut shown: String = masked.split_whitespace().collect::<Vec<_>>().join(" ");
    shown.retain(|c| !c.is_control());
    crate::message::text::cut(&shown, PREVIEW_CHARS).into_owned()
}

fn names(field: &Field) -> bool {
    field.within == "identifiers" || NAMING.contains(&field.name.as_str())
}

/// What one person and their messages are called.
pub struct Traces(BTreeSet<String>);

impl Traces {
    /// By an id or an e-mail address.
    pub fn of(person: &str) -> Self {
        Self(BTreeSet::from([person.trim().to_lowercase()]))
    }

    /// Adds what the bodies call the same person and their messages, until nothing is new.
    pub fn learn<'a>(&mut self, bodies: impl Iterator<Item = &'a [u8]> + Clone) {
        for _ in 0..ROUNDS {
            let known = self.0.len();
            for body in bodies.clone() {
                let learnt: Vec<String> = elements(body)
                    .iter()
                    .filter(|element| self.in_text(element))
                    .flat_map(|element| own_of(element))
                    .collect();
                self.0.extend(learnt);
            }
            if self.0.len() == known {
                break;
            }
        }
    }

    /// Whether any of it is in a body, as a whole word.
    pub fn are_in(&self, body: &[u8]) -> bool {
        self.in_text(&String::from_utf8_lossy(body))
    }

    /// Whether the body is about others too, as far as it can be read.
    pub fn are_not_alone_in(&self, body: &[u8]) -> bool {
        elements(body).iter().any(|element| !self.in_text(element))
    }

    fn in_text(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        let decoded = percent_decoded(&lower);
        let fields = fields(text);
        let values: Vec<String> = fields.iter().map(|f| f.value.to_lowercase()).collect();
        self.0.iter().any(|token| match is_telling(token) {
            true => [&lower, &decoded].into_iter().chain(&values).any(|text| has_word(text, token)),
            false => fields.iter().zip(&values).any(|(field, value)| names(field) && value == token),
        })
    }
}

/// Found anywhere it names somebody.
fn is_telling(token: &str) -> bool {
    let length = token.chars().count();
    if token.chars().all(|c| c.is_ascii_digit()) { length >= LONG_NUMBER } else { length >= LONG }
}

/// The parts of a body that are one event each; of one that cannot be read, the whole, if it names one message at most.
fn elements(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(body);
    if let Ok(whole) = serde_json::from_str::<&RawValue>(&text) {
        let list = match serde_json::from_str::<Value>(whole.get()) {
            Ok(Value::Array(list)) => list,
            Ok(Value::Object(mut object)) => {
                let wrapped = ["events", "items"].into_iter().find_map(|name| match object.remove(name) {
                    Some(Value::Array(list)) => Some(list),
                    _ => None,
                });
                match wrapped {
                    Some(list) => list,
                    None => return vec![text.into_owned()],
                }
            }
            _ => return vec![text.into_owned()],
        };
        return list.iter().map(Value::to_string).collect();
    }
    let all = fields(&text);
    let several =
        |name: &str| all.iter().filter(|f| f.name == name).map(|f| &f.value).collect::<BTreeSet<_>>().len() > 1;
    match ["delivery_id", "cio_id", "event_id"].into_iter().any(several) {
        true => Vec::new(),
        false => vec![text.into_owned()],
    }
}

fn own_of(element: &str) -> Vec<String> {
    let own = |f: &Field| f.within == "identifiers" || OWN.contains(&f.name.as_str());
    let usable = |value: &String| !value.is_empty() && value.chars().count() <= 256;
    fields(element).into_iter().filter(own).map(|f| f.value.to_lowercase()).filter(usable).collect()
}

/// `%40` and the like, as in links.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = match (first, after) {
            (b'%', [high, low, ..]) => {
                let digit = |b: &u8| char::from(*b).to_digit(16);
                digit(high).zip(digit(low)).and_then(|(high, low)| u8::try_from(high * 16 + low).ok())
            }
            _ => None,
        };
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether `word` stands in the text with nothing of a word around it: `a@b.c` in `<a@b.c>.`, not in `x.a@b.c.d`.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "_-+@".contains(c);
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default().chars().next_back();
        let mut after = text.get(at + word.len()..).unwrap_or_default().chars();
        let begins = before.is_none_or(|c| !is_part(c) && c != '.');
        let ends = match (after.next(), after.next()) {
            (None, _) => true,
            (Some('.'), next) => next.is_none_or(|c| !is_part(c)),
            (Some(c), _) => !is_part(c),
        };
        begins && ends
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_read_as_far_as_a_body_goes() {
        let broken = r#"{"event_id": "01A", "data": {"identifiers":{"id":42,"x":[1,"no"]}, "recipient":"a\u0040b.c"#;
        let shown: Vec<String> =
            fields(broken).iter().map(|f| format!("{}.{}={}", f.within, f.name, f.value)).collect();
        assert_eq!(shown, [".event_id=01A", "identifiers.id=42", "data.recipient=a@b.c"]);
        assert_eq!(event_id(broken.as_bytes()).as_deref(), Some("01A"));
        assert_eq!(event_id(b"\xff\xfe"), None);
    }

    #[test]
    fn a_preview_holds_nothing_that_names_anybody() {
        let body =
            br#"{"event_id":"01A","data":{"recipient":"ada@analytical.example","identifiers":{"id":"person_4711"},
            "subject":"Your code is 203948576, Ada", "first_name":"Lovelace", "text":"dear Lovelace, person_4711"}"#;
        let shown = preview(body);
        for personal in ["ada@", "analytical", "4711", "203948576", "Lovelace"] {
            assert!(!shown.contains(personal), "{personal}: {shown}");
        }
        assert!(shown.contains("event_id") && shown.chars().count() <= PREVIEW_CHARS, "{shown}");
    }

    #[test]
    fn a_person_is_found_by_whole_words_in_any_writing_and_by_their_messages() {
        let one = |text: &str| Traces::of("Ada@Example.com").are_in(text.as_bytes());
        for (text, found) in [
            (r#"{"to":"ada@example.com""#, true),
            ("mail to <ADA@example.com>.", true),
            ("https://x.example/?u=ada%40example.com&b=1", true),
            (r#"{"recipient":"ada\u0040example.com"}"#, true),
            ("x.ada@example.com", false),
            ("ada@example.com.au", false),
            ("bada@example.com", false),
        ] {
            assert_eq!(one(text), found, "{text}");
        }
        let bodies: [&[u8]; 4] = [
            br#"[{"data":{"delivery_id":"dgOne","identifiers":{"id":"u1","email":"ada@example.com"}}},
                {"data":{"delivery_id":"dgTwo","identifiers":{"id":"u2","email":"bob@example.com"}}}]"#,
            br#"{"data":{"email_id":"dgOne","failure_message":"no such user""#,
            br#"{"data":{"delivery_id":"dgTwo"#,
            br#"{"data":{"campaign_id":1,"identifiers":{"id":"u1"}}}"#,
        ];
        let mut traces = Traces::of("ada@example.com");
        traces.learn(bodies.into_iter());
        assert_eq!(bodies.map(|body| traces.are_in(body)), [true, true, false, true]);
        assert!(traces.are_not_alone_in(bodies[0]) && !traces.are_not_alone_in(bodies[3]));
    }

    #[test]
    fn a_short_id_is_looked_for_only_where_ids_stand() {
        let twelve = Traces::of("12");
        assert!(!twelve.are_in(br#"{"data":{"campaign_id":12,"text":"12 of 12"}}"#));
        assert!(twelve.are_in(br#"{"data":{"identifiers":{"id":12}}"#) && twelve.are_in(br#"{"customer_id":"12""#));
        assert!(!twelve.are_in(br#"{"customer_id":"120"}"#));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..400), text in "[\"{}:,\\\\a0%@ .\\[\\]é]{0,80}") {
            for body in [body.as_slice(), text.as_bytes()] {
                let _ = (event_id(body), preview(body));
                let mut traces = Traces::of("a@0.a");
                traces.learn([body].into_iter());
                let _ = (traces.are_in(body), traces.are_not_alone_in(body));
            }
        }
    }
}
