//! Reads the list of addresses that the provider of e-mail sends nothing to. It is another thing than a person who is
//! suppressed in Customer.io: that profile is gone. Source: the page `getSuppression` of the App API's reference.

use jiff::Timestamp;

use super::loose::{entries, text_at, time, unwrapped};

/// Why an address is on the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suppression {
    /// `bounces`, `spam`, ...
    pub category: Option<String>,
    pub since: Option<Timestamp>,
    /// The provider's free text: mask it.
    pub reason: Option<String>,
    /// Mostly `550`.
    pub status: Option<String>,
}

/// The entries for one address; none when it is on no list.
pub fn suppressions(body: &str) -> Option<Vec<Suppression>> {
    let category = unwrapped(body, "suppression").and_then(|answer| text_at(&answer, "category"));
    let found = entries(body, "suppressions")?.entries;
    let read = found.iter().filter(|entry| entry.is_object()).map(|entry| Suppression {
        category: text_at(entry, "category").or_else(|| category.clone()),
        since: entry.get("created").and_then(time),
        reason: text_at(entry, "reason"),
        status: text_at(entry, "status"),
    });
    Some(read.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_on_the_list_or_not_or_nobody_knows() {
        let body = r#"{"category":"bounces","suppressions":[{"created":1650895738,"email":"a@b.c","reason":"no such user","status":550}]}"#;
        let read = suppressions(body).expect("a list");
        assert_eq!((read[0].category.as_deref(), read[0].status.as_deref()), (Some("bounces"), Some("550")));
        for (body, want) in [
            (r#"{"category":"","suppressions":[]}"#, Some(0)),
            (r#"{"suppressions":null}"#, Some(0)),
            (r#"{"errors":[{"status":"404"}]}"#, None),
            ("", None),
        ] {
            assert_eq!(suppressions(body).map(|found| found.len()), want, "{body}");
        }
    }
}
