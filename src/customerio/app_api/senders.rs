//! Reads a sender identity: who a message is from. Source: the page `getSender` of the App API's reference.

use super::loose::{switch, text_at, unwrapped};

/// A sender.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    pub id: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    /// Not offered to people who write messages; those that use it go on doing so.
    pub hidden: bool,
}

/// The sender of an answer.
pub fn sender(body: &str) -> Option<Sender> {
    let read = unwrapped(body, "sender_identity").or_else(|| unwrapped(body, "sender"))?;
    Some(Sender {
        id: text_at(&read, "id")?,
        email: text_at(&read, "email"),
        phone: text_at(&read, "phone"),
        hidden: read.get("hidden").and_then(switch).unwrap_or(false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_read_with_and_without_its_key() {
        for body in [r#"{"sender_identity":{"id":38,"hidden":true}}"#, r#"{"id":"38","hidden":"true"}"#] {
            let read = sender(body).expect("a sender");
            assert_eq!((read.id.as_str(), read.hidden), ("38", true), "{body}");
        }
        assert_eq!(sender(r#"{"errors":[]}"#), None);
    }
}
