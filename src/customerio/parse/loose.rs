//! Loose reading of JSON: the shape is checked once, and a field that is not what it should be counts as absent.
//!
//! Fields stay raw text until somebody asks for them, so a number of any size keeps its digits, and nothing here
//! recurses: a body nested a million deep is scanned, not walked.

use std::borrow::Cow;
use std::collections::VecDeque;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

/// [`Object::texts_in`] looks at this many values, nested this deep: more is not how anybody identifies a person.
const MOST_VALUES: usize = 64;
const MOST_DEEP: usize = 4;

/// A JSON object with its fields in raw form.
#[derive(Default)]
pub struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// A field as text: strings and numbers; a blank one, `null` and anything else are absent.
    pub fn text(&self, field: &str) -> Option<String> {
        text(self.field(field)?).filter(|text| !text.is_empty())
    }

    pub fn object(&self, field: &str) -> Option<Object<'a>> {
        serde_json::from_str(self.field(field)?.get()).ok()
    }

    /// The objects of a list; other elements are left out.
    pub fn objects(&self, field: &str) -> Vec<Object<'a>> {
        self.list(field).into_iter().flatten().filter_map(|item| serde_json::from_str(item.get()).ok()).collect()
    }

    /// Every text and number in a field, however deep, up to a bound.
    pub fn texts_in(&self, field: &str) -> Vec<String> {
        let mut texts = Vec::new();
        let mut left: VecDeque<(&RawValue, usize)> = self.field(field).map(|raw| (raw, 0)).into_iter().collect();
        for _ in 0..MOST_VALUES {
            let Some((raw, depth)) = left.pop_front() else { break };
            let inner: Vec<&RawValue> = match raw.get().as_bytes().first() {
                Some(b'{' | b'[') if depth == MOST_DEEP => continue,
                Some(b'{') => serde_json::from_str(raw.get())
                    .map(|object: Object| object.0.into_iter().map(|(_, value)| value).collect())
                    .unwrap_or_default(),
                Some(b'[') => serde_json::from_str(raw.get()).unwrap_or_default(),
                _ => {
                    texts.extend(text(raw).filter(|text| !text.is_empty()));
                    continue;
                }
            };
            left.extend(inner.into_iter().take(MOST_VALUES).map(|value| (value, depth + 1)));
        }
        texts
    }

    fn list(&self, field: &str) -> Option<Vec<&'a RawValue>> {
        serde_json::from_str(self.field(field)?.get()).ok()
    }

    /// Of a field given twice the last one counts, as with most readers.
    fn field(&self, field: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(name, _)| name == field).map(|(_, value)| *value)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    fields.push((name, value));
                }
                Ok(Object(fields))
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The elements of a body: the object itself, those of a list, or those of an `events` or `items` wrapper; `None`
/// stands for an element that is no object.
///
/// # Errors
/// Why it is no JSON of these shapes, in words that hold nothing of it.
pub fn items(body: &str) -> Result<Vec<Option<Object<'_>>>, String> {
    let whole: &RawValue = serde_json::from_str(body).map_err(|e| describe(&e))?;
    if whole.get().starts_with('[') {
        let list: Vec<&RawValue> = serde_json::from_str(whole.get()).map_err(|e| describe(&e))?;
        return Ok(list.into_iter().map(|item| serde_json::from_str(item.get()).ok()).collect());
    }
    if !whole.get().starts_with('{') {
        return Err("neither an object nor a list".into());
    }
    let object: Object = serde_json::from_str(whole.get()).map_err(|e| describe(&e))?;
    let is_event = object.field("metric").is_some() || object.field("event_type").is_some();
    let wrapped = ["events", "items"].into_iter().find_map(|field| object.list(field));
    match wrapped {
        Some(list) if !is_event => Ok(list.into_iter().map(|item| serde_json::from_str(item.get()).ok()).collect()),
        _ => Ok(vec![Some(object)]),
    }
}

/// Where it went wrong and no more: serde's own words may quote the body.
fn describe(error: &serde_json::Error) -> String {
    if error.is_eof() {
        return format!("JSON that ends too soon (line {} column {})", error.line(), error.column());
    }
    format!("not JSON (line {} column {})", error.line(), error.column())
}

fn text(value: &RawValue) -> Option<String> {
    let raw = value.get();
    match raw.as_bytes().first()? {
        b'"' => string(raw),
        b'-' | b'0'..=b'9' => Some(raw.strip_suffix(".0").unwrap_or(raw).to_owned()),
        _ => None,
    }
}

/// A JSON string; half a surrogate pair (a text cut in the middle of an emoji) reads as the replacement character.
fn string(raw: &str) -> Option<String> {
    struct Bytes;

    impl Visitor<'_> for Bytes {
        type Value = String;

        fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
            f.write_str("a string")
        }

        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<String, E> {
            Ok(String::from_utf8_lossy(bytes).trim().to_owned())
        }
    }

    serde::Deserializer::deserialize_bytes(&mut serde_json::Deserializer::from_str(raw), Bytes).ok()
}
