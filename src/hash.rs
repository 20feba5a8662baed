//! A hash of several texts: each with its length before it, so that no two lists of texts look the same.

use sha2::{Digest, Sha256};

/// SHA-256 over parts.
#[derive(Clone, Default)]
pub struct Parts(Sha256);

impl Parts {
    /// Of these, in their order.
    pub fn of(parts: impl IntoIterator<Item: AsRef<[u8]>>) -> Self {
        let mut all = Self::default();
        parts.into_iter().for_each(|part| all.add(part));
        all
    }

    /// One more.
    pub fn add(&mut self, part: impl AsRef<[u8]>) {
        let part = part.as_ref();
        self.0.update((part.len() as u64).to_be_bytes());
        self.0.update(part);
    }

    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    /// The first `bytes` of it as text.
    pub fn hex(self, bytes: usize) -> String {
        self.finish().iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_part_ends_is_part_of_the_hash() {
        assert_ne!(Parts::of(["ab", "c"]).finish(), Parts::of(["a", "bc"]).finish());
        assert_ne!(Parts::of(["a", ""]).finish(), Parts::of(["a"]).finish());
        // Length and text, as written down: incidents and identities are stored under such hashes for ever.
        let written = Sha256::digest(b"\0\0\0\0\0\0\0\x01a\0\0\0\0\0\0\0\x02bc");
        assert_eq!(Parts::of(["a", "bc"]).finish()[..], written[..]);
        assert_eq!(Parts::of(["a", "bc"]).hex(2), format!("{:02x}{:02x}", written[0], written[1]));
    }
}
