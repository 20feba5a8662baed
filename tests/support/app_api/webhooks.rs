//! The reporting webhooks that the stand-in keeps: listed, created, replaced (the pages `listWebhooks`, `createWebhook` and
//! `updateWebhook` of the App API's reference).

use serde_json::{Map, Value, json};

use super::Traps;

const PATH: &str = "/v1/reporting_webhooks";

/// Settings that must be given, and those that need not.
const REQUIRED: [&str; 3] = ["name", "endpoint", "events"];
const OPTIONAL: [&str; 3] = ["disabled", "full_resolution", "with_content"];

/// What is kept.
#[derive(Default)]
pub struct Webhooks {
    kept: Vec<Value>,
    /// Bodies that were written, in order.
    pub written: Vec<Value>,
    /// Writing this setting has no effect.
    pub deaf_to: Option<&'static str>,
}

impl Webhooks {
    /// One that somebody made before.
    pub fn add(&mut self, webhook: Value) {
        self.kept.push(webhook);
    }

    pub fn kept(&self) -> Vec<Value> {
        self.kept.clone()
    }

    /// The answer; `None` for other paths.
    pub fn answer(&mut self, method: &str, path: &str, body: &[u8], traps: Traps) -> Option<(u16, Value)> {
        let rest = path.strip_prefix(PATH)?;
        match (method, rest.strip_prefix('/')) {
            ("GET", None) => {
                let list = if self.kept.is_empty() && traps.null_lists { Value::Null } else { json!(self.kept) };
                Some((200, if traps.unwrapped { list } else { json!({ "reporting_webhooks": list }) }))
            }
            ("POST", None) => {
                let id = self.kept.iter().filter_map(|webhook| webhook["id"].as_u64()).max().unwrap_or(0) + 1;
                let Some(made) = self.made(id, body, &Value::Null) else { return Some((422, Value::Null)) };
                self.kept.push(made.clone());
                Some((200, wrapped(made, traps)))
            }
            ("PUT", Some(id)) => {
                let number: u64 = id.parse().ok()?;
                let at = self.kept.iter().position(|webhook| webhook["id"].as_u64() == Some(number))?;
                let before = self.kept[at].clone();
                let Some(made) = self.made(number, body, &before) else { return Some((422, Value::Null)) };
                self.kept[at] = made.clone();
                Some((200, wrapped(made, traps)))
            }
            _ => None,
        }
    }

    /// The webhook that a body makes: all of its settings, nothing of before.
    fn made(&mut self, id: u64, body: &[u8], before: &Value) -> Option<Value> {
        let body: Map<String, Value> = serde_json::from_slice(body).ok()?;
        self.written.push(Value::Object(body.clone()));
        let known = |key: &String| REQUIRED.contains(&key.as_str()) || OPTIONAL.contains(&key.as_str());
        let filled = REQUIRED.iter().all(|key| body.get(*key).is_some_and(|value| *value != json!([])));
        if !filled || !body.keys().all(known) {
            return None;
        }
        let mut made = json!({"id": id, "type": "webhook"});
        for key in REQUIRED.into_iter().chain(OPTIONAL) {
            let value = body.get(key).cloned().unwrap_or(Value::Bool(false));
            made[key] = if self.deaf_to == Some(key) { before[key].clone() } else { value };
        }
        Some(made)
    }
}

fn wrapped(webhook: Value, traps: Traps) -> Value {
    if traps.unwrapped { webhook } else { json!({ "reporting_webhook": webhook }) }
}
