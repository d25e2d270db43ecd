//! RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2) for tests, with SHA-1 too: no library that signs for others offers that, and
//! rightly. Nothing here is in constant time.

use aws_lc_rs::{
    encoding::AsDer as _,
    rsa::{KeyPair, KeySize},
};
use num_bigint::BigUint;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

pub(super) struct Pair {
    public: Vec<u8>,
    modulus: BigUint,
    exponent: BigUint,
}

/// What stands before a digest: RFC 8017 section 9.2, note 1.
const SHA1: &[u8] = &[0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];
const SHA256: &[u8] =
    &[0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

impl Pair {
    /// The same label is the same pair, for as long as this process lives.
    pub(super) fn labelled(label: &str) -> Option<Arc<Self>> {
        static PAIRS: Mutex<BTreeMap<String, Arc<Pair>>> = Mutex::new(BTreeMap::new());
        let mut pairs = PAIRS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pair) = pairs.get(label) {
            return Some(pair.clone());
        }
        let pair = Arc::new(Self::generate()?);
        pairs.insert(label.to_owned(), pair.clone());
        Some(pair)
    }

    fn generate() -> Option<Self> {
        let pair = KeyPair::generate(KeySize::Rsa2048).ok()?;
        let private: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().ok()?;
        let public: aws_lc_rs::encoding::PublicKeyX509Der<'_> =
            aws_lc_rs::signature::KeyPair::public_key(&pair).as_der().ok()?;
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
        let number = BigUint::from_bytes_be;
        Some(Self { public: public.as_ref().to_vec(), modulus: number(modulus), exponent: number(exponent) })
    }

    /// `SubjectPublicKeyInfo`.
    pub(super) fn public(&self) -> &[u8] {
        &self.public
    }

    pub(super) fn sign(&self, sha1: bool, text: &[u8]) -> Vec<u8> {
        let digest = if sha1 { [SHA1, &Sha1::digest(text)].concat() } else { [SHA256, &Sha256::digest(text)].concat() };
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
