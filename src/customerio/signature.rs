//! The `v0` signature scheme of Customer.io's reporting webhooks: authentic means the bytes (design, law 3).
//!
//! Signed is `v0:` + the time stamp header's text as received + `:` + the raw body, by HMAC-SHA256 with the signing
//! key's plain UTF-8 bytes; the header holds 64 hex digits. Sources: the vendor's webhook specification
//! (<https://docs.customer.io/files/journeys-webhooks.json>) and the vendor's own verifier
//! (`customerio/customerio-node`, `lib/webhooks.ts`), whose known answer is among the tests.
//!
//! A body may be far larger than what is kept of it, so verification is a stream: [`Keys::begin`],
//! [`Verifier::update`] for each chunk, [`Verifier::finish`].

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::HeaderMap;
use sha2::{Digest as _, Sha256};

use crate::config::secrets::Secret;
use crate::store::QUARANTINE_BYTES;

/// Integer Unix seconds at which the request was sent. Source: the vendor's webhook specification.
pub const TIMESTAMP_HEADER: &str = "x-cio-timestamp";

/// The signature, in hex. Source: the vendor's webhook specification.
pub const SIGNATURE_HEADER: &str = "x-cio-signature";

/// Digits that a time stamp may have: 12 reach the year 33658, and milliseconds (13 digits) are no `v0` request.
pub const STAMP_DIGITS: usize = 12;

/// One signing key, ready to use: the key schedule is computed once and cloned for each request.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

impl SigningKey {
    /// `None` for an empty secret: with it anybody could sign.
    pub fn new(secret: &Secret) -> Option<Self> {
        let bytes = secret.reveal().as_bytes();
        if bytes.is_empty() { None } else { Some(Self(keyed(bytes))) }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(...)")
    }
}

/// The keys that may have signed a request: the current one and those before it.
#[derive(Clone, Debug, Default)]
pub struct Keys(Vec<SigningKey>);

impl Keys {
    /// Keys of these secrets, in order; empty secrets are left out.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        Self(secrets.into_iter().filter_map(SigningKey::new).collect())
    }

    /// Whether there is nothing to verify with: then no request can be told from a forged one.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Begins the verification of a request, from its headers alone.
    ///
    /// # Errors
    /// [`Refused::Unsigned`] and [`Refused::Malformed`]: the body need not be read.
    pub fn begin(&self, headers: &HeaderMap) -> Result<Verifier, Refused> {
        let (stamp, signature) = match (only(headers, TIMESTAMP_HEADER), only(headers, SIGNATURE_HEADER)) {
            (Ok(None), Ok(None)) => return Err(Refused::Unsigned),
            (stamp, signature) => (
                stamp?.ok_or(Refused::Malformed("no time stamp header"))?,
                signature?.ok_or(Refused::Malformed("no signature header"))?,
            ),
        };
        let seconds = parse_stamp(stamp).ok_or(Refused::Malformed("time stamp is not 1 to 12 digits"))?;
        let claimed = parse_hex(signature).ok_or(Refused::Malformed("signature is not 64 hex digits"))?;
        let macs = self.0.iter().map(|key| begun(key.0.clone(), stamp)).collect();
        Ok(Verifier { macs, claimed, stamp: seconds, overflow: None, head: Vec::new(), length: 0 })
    }
}

/// A request whose body is being read.
pub struct Verifier {
    macs: Vec<Hmac<Sha256>>,
    claimed: [u8; 32],
    stamp: i64,
    /// The hash of a body that the head does not hold whole, as far as it was read.
    overflow: Option<Sha256>,
    head: Vec<u8>,
    length: u64,
}

impl Verifier {
    /// The next bytes of the body, as they came.
    pub fn update(&mut self, chunk: &[u8]) {
        self.macs.iter_mut().for_each(|mac| mac.update(chunk));
        self.length += chunk.len() as u64;
        let room = QUARANTINE_BYTES.saturating_sub(self.head.len());
        if chunk.len() > room {
            self.overflow.get_or_insert_with(|| Sha256::new_with_prefix(&self.head)).update(chunk);
        }
        self.head.extend_from_slice(chunk.get(..room).unwrap_or(chunk));
    }

    /// The verdict, after the last byte.
    ///
    /// # Errors
    /// [`Refused::NoMatch`] when no key made this signature.
    pub fn finish(self) -> Result<Authentic, Refused> {
        // Every key is compared, in constant time: how long it takes tells nobody which one was near.
        let mut matched = None;
        for (index, mac) in self.macs.into_iter().enumerate() {
            let equal = mac.verify_slice(&self.claimed).is_ok();
            matched = if equal && matched.is_none() { Some(index) } else { matched };
        }
        let key_index = matched.ok_or(Refused::NoMatch)?;
        Ok(Authentic { head: self.head, length: self.length, overflow: self.overflow, stamp: self.stamp, key_index })
    }
}

/// A request that one of our keys signed. Only [`Verifier::finish`] can make one, and only one can be enqueued:
///
/// ```compile_fail,E0451
/// use cio_alert_bridge::customerio::signature::Authentic;
/// let forged = Authentic { head: Vec::new(), length: 0, overflow: None, stamp: 0, key_index: 0 };
/// ```
///
/// What is verified can be read:
///
/// ```
/// use cio_alert_bridge::config::secrets::Secret;
/// use cio_alert_bridge::customerio::signature::{Keys, sign};
///
/// let secret = Secret::new("signing-secret");
/// let mut headers = hyper::HeaderMap::new();
/// headers.insert("x-cio-timestamp", "1614265384".parse()?);
/// headers.insert("x-cio-signature", sign(&secret, "1614265384", b"{}").parse()?);
/// let mut verifier = Keys::new([&secret]).begin(&headers).map_err(|e| e.to_string())?;
/// verifier.update(b"{}");
/// assert_eq!(verifier.finish().map_err(|e| e.to_string())?.head(), b"{}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Authentic {
    head: Vec<u8>,
    length: u64,
    overflow: Option<Sha256>,
    stamp: i64,
    key_index: usize,
}

impl Authentic {
    /// The body's first bytes, at most [`QUARANTINE_BYTES`].
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Length of the whole body, in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Whether the head is the whole body.
    pub fn is_whole(&self) -> bool {
        self.length == self.head.len() as u64
    }

    /// SHA-256 of the whole body.
    pub fn sha256(&self) -> [u8; 32] {
        let hash = self.overflow.clone().unwrap_or_else(|| Sha256::new_with_prefix(&self.head));
        hash.finalize().into()
    }

    /// The time stamp header: when the sender says it sent the request, in Unix seconds.
    pub fn stamp(&self) -> i64 {
        self.stamp
    }

    /// Which of the keys signed it, from 0.
    pub fn key_index(&self) -> usize {
        self.key_index
    }
}

/// Shows sizes and times only: the body is personal.
impl fmt::Debug for Authentic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { length, stamp, key_index, .. } = self;
        write!(f, "Authentic {{ length: {length}, stamp: {stamp}, key_index: {key_index} }}")
    }
}

/// Why a request is not authentic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It has neither header: not a webhook of Customer.io.
    #[error("unsigned")]
    Unsigned,
    /// Its headers are not of the `v0` scheme.
    #[error("malformed signature: {0}")]
    Malformed(&'static str),
    /// It is a well-formed `v0` request that no key matches: forged, altered on the way, or our key is not theirs.
    #[error("no key matches the signature")]
    NoMatch,
}

/// Signs a body as Customer.io does: the signature header's value for this time stamp header. For `bridge send`
/// and for tests.
pub fn sign(secret: &Secret, stamp: &str, body: &[u8]) -> String {
    let mut mac = begun(keyed(secret.reveal().as_bytes()), stamp);
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// HMAC over a key of one block cannot be refused, so there is no error to handle. RFC 2104: a shorter key is
/// filled with zeros, a longer one is hashed first.
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    let hashed;
    let key = if key.len() > block.len() {
        hashed = Sha256::digest(key);
        hashed.as_slice()
    } else {
        key
    };
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    Hmac::new(&block)
}

fn begun(mut mac: Hmac<Sha256>, stamp: &str) -> Hmac<Sha256> {
    mac.update(b"v0:");
    mac.update(stamp.as_bytes());
    mac.update(b":");
    mac
}

/// A header that may stand there once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refused> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refused::Malformed("a header is there twice"));
    }
    first.to_str().map(Some).map_err(|_| Refused::Malformed("a header is not ASCII"))
}

fn parse_stamp(text: &str) -> Option<i64> {
    let plain = (1..=STAMP_DIGITS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn parse_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 2 * bytes.len() {
        return None;
    }
    let mut digits = text.chars().map(|c| c.to_digit(16));
    for byte in &mut bytes {
        let (high, low) = (digits.next()??, digits.next()??);
        *byte = (high << 4 | low) as u8;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
