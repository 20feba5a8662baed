//! Signed, expiring links: who holds one may read the page, or act, until it expires. Pure.
//!
//! A link is `PATH?...&may=read|act&until=UNIX-SECONDS[&to=RECEIVER]&sig=SIGNATURE`. The signature is the last characters,
//! so that a link that was cut off is seen to be; it covers path and query before it, and the workspace. A key that is no
//! longer configured signs nothing: rotating the key revokes every link.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::Sha256;

use crate::config::secrets::Secret;

/// Fewest characters of a link key: 16 random bytes in base64 have 22, in hex 32.
pub const SHORTEST_KEY: usize = 20;

/// Bytes of the HMAC that a link carries: half of it, the least that RFC 2104 (section 5) advises, for links stand in
/// messages with little room.
const SIGNATURE_BYTES: usize = 16;

/// How long the links in alerts and digests hold: a week's holiday, and Monday morning after it.
pub const IN_MESSAGES: SignedDuration = SignedDuration::from_hours(8 * 24);

/// How long a form may stand open before it is sent.
const FORM_HOLDS: SignedDuration = SignedDuration::from_hours(1);

const SIGNATURE: &str = "&sig=";

/// All but RFC 3986's unreserved characters and the colon of `campaign:5`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// What a link lets its holder do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum May {
    Read,
    /// Acknowledge, silence and close, too.
    Act,
}

impl May {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Act => "act",
        }
    }
}

/// What a link grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub may: May,
    pub until: Timestamp,
    /// The receiver that the link was sent to; `None` for one that `bridge link` printed.
    pub to: Option<String>,
}

/// Why a link opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No signature that one of the keys made: altered, cut off, or made with a key that was taken away.
    #[error("this link is not valid")]
    Invalid,
    /// It was valid.
    #[error("this link has expired")]
    Expired { at: Timestamp },
}

/// Why a key cannot sign links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a link key has {SHORTEST_KEY} random characters at least; `openssl rand -base64 32` makes one")]
pub struct TooShort;

/// The keys of a workspace: the first one signs, each of them is believed.
#[derive(Clone)]
pub struct LinkKeys {
    workspace: String,
    keys: Vec<Hmac<Sha256>>,
}

impl fmt::Debug for LinkKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKeys(...)")
    }
}

impl LinkKeys {
    /// # Errors
    /// There is no key, or one could be guessed.
    pub fn new<'a>(workspace: &str, secrets: impl IntoIterator<Item = &'a Secret>) -> Result<Self, TooShort> {
        let key = |secret: &Secret| {
            let text = secret.reveal();
            if text.len() < SHORTEST_KEY {
                return Err(TooShort);
            }
            Hmac::new_from_slice(text.as_bytes()).map_err(|_| TooShort)
        };
        let keys = secrets.into_iter().map(key).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(TooShort) } else { Ok(Self { workspace: workspace.to_owned(), keys }) }
    }

    /// A link to a path, with what else its query says; both as they are to be read, unencoded.
    pub fn link(&self, path: &str, query: &[(&str, &str)], grant: &Grant) -> String {
        let mut link = path.to_owned();
        let mut add = |name: &str, value: &str| {
            link.push(if link.contains('?') { '&' } else { '?' });
            link.extend([name, "="]);
            link.extend(utf8_percent_encode(value, ENCODED));
        };
        query.iter().for_each(|(name, value)| add(name, value));
        add("may", grant.may.as_str());
        add("until", &grant.until.as_second().to_string());
        if let Some(to) = &grant.to {
            // In base64: whatever lies between may encode what looks odd in another way.
            add("to", &URL_SAFE_NO_PAD.encode(to));
        }
        let signature = self.tag(&self.keys[0], &["link", &link]);
        link + SIGNATURE + &signature
    }

    /// What a request's path and query grant.
    ///
    /// # Errors
    /// No key signed it, or it has expired.
    pub fn open(&self, path_and_query: &str, now: Timestamp) -> Result<Grant, Refused> {
        let (signed, signature) = path_and_query.rsplit_once(SIGNATURE).ok_or(Refused::Invalid)?;
        self.check(&["link", signed], signature)?;
        let value = |name: &str| parameter(signed, name);
        let may = match value("may").as_deref() {
            Some("read") => May::Read,
            Some("act") => May::Act,
            _ => return Err(Refused::Invalid),
        };
        let until = value("until").and_then(|text| text.parse().ok());
        let until = until.and_then(|seconds| Timestamp::from_second(seconds).ok()).ok_or(Refused::Invalid)?;
        if until <= now {
            return Err(Refused::Expired { at: until });
        }
        let to = value("to").and_then(|to| URL_SAFE_NO_PAD.decode(to).ok()).and_then(|to| String::from_utf8(to).ok());
        Ok(Grant { may, until, to })
    }

    /// What a form carries to show that it was on a page that we made, for this link and not long ago: whoever only has
    /// the link, such as a preview that follows it, does not act.
    pub fn token(&self, link: &str, now: Timestamp) -> String {
        let until = (now + FORM_HOLDS).as_second().to_string();
        let tag = self.tag(&self.keys[0], &["form", link, &until]);
        format!("{until}.{tag}")
    }

    /// # Errors
    /// It is another link's, or stood open for too long.
    pub fn check_token(&self, link: &str, token: &str, now: Timestamp) -> Result<(), Refused> {
        let (until, tag) = token.split_once('.').ok_or(Refused::Invalid)?;
        self.check(&["form", link, until], tag)?;
        let at = until.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).ok_or(Refused::Invalid)?;
        if at <= now { Err(Refused::Expired { at }) } else { Ok(()) }
    }

    fn tag(&self, key: &Hmac<Sha256>, parts: &[&str]) -> String {
        let tag = self.mac(key, parts).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode(&tag[..SIGNATURE_BYTES])
    }

    fn check(&self, parts: &[&str], claimed: &str) -> Result<(), Refused> {
        let claimed = URL_SAFE_NO_PAD.decode(claimed).ok().filter(|tag| tag.len() == SIGNATURE_BYTES);
        let claimed = claimed.ok_or(Refused::Invalid)?;
        // In constant time, each of them.
        let matches = |key: &&Hmac<Sha256>| self.mac(key, parts).verify_truncated_left(&claimed).is_ok();
        self.keys.iter().filter(matches).count().checked_sub(1).map(|_| ()).ok_or(Refused::Invalid)
    }

    fn mac(&self, key: &Hmac<Sha256>, parts: &[&str]) -> Hmac<Sha256> {
        let mut mac = key.clone();
        for part in ["cio-alert-bridge page 1", &self.workspace].iter().chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

/// The parameters of a query or a form, decoded.
pub fn parameters(path_and_query: &str) -> impl DoubleEndedIterator<Item = (&str, String)> {
    let query = path_and_query.split_once('?').map_or(path_and_query, |(_, query)| query);
    let decoded = |value: &str| {
        let spaced = value.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8().ok().map(|text| text.into_owned())
    };
    query.split('&').filter_map(move |pair| {
        let (name, value) = pair.split_once('=')?;
        Some((name, decoded(value)?))
    })
}

/// The last parameter of a name.
pub fn parameter(path_and_query: &str, name: &str) -> Option<String> {
    parameters(path_and_query).rev().find(|(n, _)| *n == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + second).expect("an instant")
    }

    fn keys(workspace: &str, secrets: &[&str]) -> LinkKeys {
        let secrets: Vec<Secret> = secrets.iter().map(|s| Secret::new(*s)).collect();
        LinkKeys::new(workspace, &secrets).expect("keys")
    }

    const OLD: &str = "old-key-of-20-characters";
    const NEW: &str = "new-key-of-20-characters";

    fn grant() -> Grant {
        Grant { may: May::Act, until: at(3600), to: Some("Büro & Co".into()) }
    }

    #[test]
    fn a_link_grants_what_it_was_made_for_until_it_expires_or_its_key_is_gone() {
        let link = keys("acme", &[OLD]).link("/status/incident/3f9a2c11-1", &[("kind", "a&b=c")], &grant());
        insta::assert_snapshot!(link, @"/status/incident/3f9a2c11-1?kind=a%26b%3Dc&may=act&until=1764003600&to=QsO8cm8gJiBDbw&sig=llDXT4VnGnP2vwtALSyL9Q");
        for believed in [keys("acme", &[OLD]), keys("acme", &[NEW, OLD])] {
            assert_eq!(believed.open(&link, at(3599)), Ok(grant()));
            assert_eq!(believed.open(&link, at(3600)), Err(Refused::Expired { at: at(3600) }));
        }
        assert_eq!(parameter(&link, "kind").as_deref(), Some("a&b=c"));
        for other in [keys("acme", &[NEW]), keys("other", &[OLD])] {
            assert_eq!(other.open(&link, at(0)), Err(Refused::Invalid));
        }
    }

    #[test]
    fn keys_that_could_be_guessed_are_refused() {
        assert!(LinkKeys::new("acme", &[Secret::new("a-key-of-19-letters")]).is_err());
        assert!(LinkKeys::new("acme", &[]).is_err());
    }

    #[test]
    fn a_form_is_of_one_link_and_of_this_hour() {
        let keys = keys("acme", &[OLD]);
        let token = keys.token("/status/x?a", at(0));
        assert_eq!(keys.check_token("/status/x?a", &token, at(3599)), Ok(()));
        assert_eq!(keys.check_token("/status/x?a", &token, at(3600)), Err(Refused::Expired { at: at(3600) }));
        assert_eq!(keys.check_token("/status/x?b", &token, at(0)), Err(Refused::Invalid));
        // A link's own signature is no token.
        assert_eq!(keys.check_token("/status/x?a", &token.replace("1764", "1765"), at(0)), Err(Refused::Invalid));
    }

    proptest! {
        /// Whatever single character is changed, removed or added, the link opens nothing.
        #[test]
        fn an_altered_link_opens_nothing(place in any::<prop::sample::Index>(), with in "[a-zA-Z0-9&=%?/._-]", how in 0..3u8) {
            let keys = keys("acme", &[NEW, OLD]);
            let link = keys.link("/status", &[], &grant());
            let place = place.index(link.len());
            let mut altered = link.clone();
            match how {
                0 => altered.replace_range(place..=place, &with),
                1 => altered.replace_range(place..=place, ""),
                _ => altered.insert_str(place, &with),
            }
            prop_assume!(altered != link);
            prop_assert_eq!(keys.open(&altered, at(0)), Err(Refused::Invalid));
        }
    }
}
