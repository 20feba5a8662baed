//! What may be said of a credential: a short keyed hash, and nothing else.

use sha2::{Digest, Sha256};

use crate::config::secrets::Secret;
use crate::message::text::cut;

/// Longest part of a receiver's own words in an error, in characters.
const WORDS_CHARS: usize = 300;

/// Tells credentials apart without showing them: the first 16 hex digits of a SHA-256 over a name of ours and the
/// value.
pub fn fingerprint(secret: &Secret) -> String {
    let hash = Sha256::new().chain_update("cio-alert-bridge:").chain_update(secret.reveal()).finalize();
    hash.iter().take(8).map(|b| format!("{b:02x}")).collect()
}

/// A receiver's own words, fit for an error: the secret is blotted out (before the cut: half a secret is one too),
/// control characters are spaces, at most 300 characters.
pub fn words(text: &str, secret: &Secret) -> String {
    let secret = secret.reveal();
    let text = if secret.is_empty() { text.to_owned() } else { text.replace(secret, "***") };
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    cut(clean.trim(), WORDS_CHARS).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_stable_and_shows_nothing() {
        let secret = Secret::new("R03E5RZ2XYZ0123456789ABCDEFGHIJK");
        assert_eq!(fingerprint(&secret), fingerprint(&secret.clone()));
        assert_ne!(fingerprint(&secret), fingerprint(&Secret::new("other")));
        assert_eq!(fingerprint(&secret).len(), 16);
    }

    #[test]
    fn words_are_clean_and_short_and_hold_no_secret() {
        let secret = Secret::new("s3cret");
        assert_eq!(words(" key s3cret\nis bad ", &secret), "key *** is bad");
        let long = words(&format!("{}s3cret", "x".repeat(297)), &secret);
        assert!(long.chars().count() <= 300 && !long.contains("s3c"), "{long}");
    }
}
