//! Key material that cannot be printed, compared with `==`, or left behind in memory.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// A key. It has no `Debug` on purpose: what holds one must say how it is printed.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a secret in a log is a secret lost")]
pub struct Secret {
    bytes: Zeroizing<Vec<u8>>,
    /// The key schedule, computed once: a signature over 1 KiB costs 18 blocks instead of 20.
    mac: Hmac<Sha256>,
}

/// Nothing is secret about an empty or blank text, and everyone could sign with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret is empty or blank")]
pub struct EmptySecret;

impl Secret {
    /// Takes the key's bytes as the algorithm wants them (decoded already, where the sender encodes them).
    ///
    /// # Errors
    /// [`EmptySecret`] for no bytes, or nothing but white space.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, EmptySecret> {
        let bytes = Zeroizing::new(bytes.into());
        if bytes.trim_ascii().is_empty() {
            return Err(EmptySecret);
        }
        let mac = Hmac::new_from_slice(&bytes).map_err(|_| EmptySecret)?;
        Ok(Self { bytes, mac })
    }

    /// HMAC-SHA256 of `parts`, fed one after another so that no copy of a body is made.
    pub fn digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.over(parts).finalize().into_bytes().into()
    }

    /// The first half of [`Self::digest`]: enough to name a thing, and half the memory.
    pub fn fingerprint(&self, parts: &[&[u8]]) -> [u8; 16] {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = self.digest(parts);
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }

    /// Whether `claimed` is that digest, compared in constant time over its full length.
    pub fn authenticates(&self, parts: &[&[u8]], claimed: &[u8]) -> bool {
        self.over(parts).verify_slice(claimed).is_ok()
    }

    /// Whether `claimed` is this secret itself. Two digests are compared, and so neither the time
    /// nor the length of the comparison tells where a guess went wrong.
    pub fn is(&self, claimed: &[u8]) -> bool {
        self.authenticates(&[claimed], &self.digest(&[&self.bytes]))
    }

    /// How many bytes there are to guess.
    pub fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// For algorithms other than HMAC-SHA256, whose one reader is [`verify`](crate::verify), and for a broker that wants to
    /// hear a password.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.bytes
    }

    fn over(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        for part in parts {
            mac.update(part);
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_secret_is_none() {
        for blank in ["", " ", "\n"] {
            assert_eq!(Secret::new(blank).err(), Some(EmptySecret), "{blank:?}");
        }
    }

    #[test]
    fn a_bearer_secret_is_itself_and_nothing_shorter_or_longer() {
        let secret = Secret::new("correct horse").unwrap();
        assert!(secret.is(b"correct horse"));
        for wrong in ["", "correct", "correct horse ", "Correct horse"] {
            assert!(!secret.is(wrong.as_bytes()), "{wrong:?}");
        }
    }
}
