//! RSA (RFC 8017): with the library, but for SHA-1, which none that signs for others offers, and rightly. That part is for
//! tests, and not in constant time.

use crate::verify::jwt::{Algorithm, padding};
use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
};
use num_bigint::BigUint;
use sha1::{Digest as _, Sha1};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

pub(super) struct Pair {
    key: KeyPair,
    public: Vec<u8>,
    modulus: BigUint,
    exponent: BigUint,
}

/// What stands before a digest: RFC 8017 section 9.2, note 1.
const SHA1: &[u8] = &[0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];

impl Pair {
    /// The same label is the same pair, for as long as this process lives.
    pub(super) fn labelled(label: &str) -> Option<Arc<Self>> {
        static PAIRS: Mutex<BTreeMap<String, Arc<Pair>>> = Mutex::new(BTreeMap::new());
        let mut pairs = PAIRS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pair) = pairs.get(label) {
            return Some(pair.clone());
        }
        let pair = Arc::new(Self::of(KeyPair::generate(KeySize::Rsa2048).ok()?)?);
        pairs.insert(label.to_owned(), pair.clone());
        Some(pair)
    }

    /// An unencrypted PKCS#8 document.
    pub(super) fn from_pkcs8(der: &[u8]) -> Option<Self> {
        Self::of(KeyPair::from_pkcs8(der).ok()?)
    }

    fn of(pair: KeyPair) -> Option<Self> {
        let private: Pkcs8V1Der<'_> = pair.as_der().ok()?;
        let public: PublicKeyX509Der<'_> = aws_lc_rs::signature::KeyPair::public_key(&pair).as_der().ok()?;
        // PrivateKeyInfo (RFC 5208) with RSAPrivateKey (RFC 8017 appendix A.1.2) in it.
        let (info, _) = value(private.as_ref())?;
        let (_, info) = value(info)?; // version
        let (_, info) = value(info)?; // algorithm
        let (key, _) = value(info)?;
        let (key, _) = value(key)?;
        let (_, key) = value(key)?; // version
        let (modulus, key) = value(key)?;
        let (_, key) = value(key)?; // public exponent
        let (exponent, _) = value(key)?;
        let (modulus, exponent) = (BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent));
        let public = public.as_ref().to_vec();
        Some(Self { key: pair, public, modulus, exponent })
    }

    /// `SubjectPublicKeyInfo`.
    pub(super) fn public(&self) -> &[u8] {
        &self.public
    }

    /// `None` for an algorithm of other keys.
    pub(super) fn sign(&self, algorithm: Algorithm, text: &[u8]) -> Option<Vec<u8>> {
        let mut made = vec![0; self.key.public_modulus_len()];
        self.key.sign(padding(algorithm)?, &SystemRandom::new(), text, &mut made).ok()?;
        Some(made)
    }

    /// RSASSA-PKCS1-v1_5 with SHA-1 (section 8.2).
    pub(super) fn sign_sha1(&self, text: &[u8]) -> Vec<u8> {
        let digest = [SHA1, &Sha1::digest(text)].concat();
        let length = self.modulus.to_bytes_be().len();
        let filling = vec![0xff; length.saturating_sub(digest.len() + 3)];
        let padded = [&[0, 1], filling.as_slice(), &[0], &digest].concat();
        let signature = BigUint::from_bytes_be(&padded).modpow(&self.exponent, &self.modulus).to_bytes_be();
        [vec![0; length.saturating_sub(signature.len())], signature].concat()
    }
}

/// The contents of the first DER value, and what follows it.
fn value(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.get(1..)?.split_first()?;
    let (length, rest) = match first {
        0x00..0x80 => (usize::from(*first), rest),
        first => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
    };
    rest.split_at_checked(length)
}
