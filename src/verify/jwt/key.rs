//! One key of an issuer, ready to verify: what is wrong with it is found when it is loaded, not when a token comes.

use super::{Algorithm, algorithm::Means};
use crate::secret::Secret;
use aws_lc_rs::signature::{ParsedPublicKey, RsaPublicKeyComponents};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// A key, and the algorithms that it may be used with: no token chooses one that is not here.
#[expect(missing_debug_implementations, reason = "can hold a secret")]
pub struct Key {
    id: Option<String>,
    verifiers: Vec<(Algorithm, Verifier)>,
    mark: [u8; 32],
}

enum Verifier {
    Mac(Secret),
    Public(ParsedPublicKey),
}

/// Why this is no key. Says nothing of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// The issuer's tokens never use it.
    #[error("the key fits none of the issuer's `algorithms`")]
    Unfit,
    /// Every captured token is a chance to try secrets, as fast as machines can.
    #[error("the secret has {bytes} bytes, and {} needs {needed} at least (RFC 7518 section 3.2)", .algorithm.name())]
    SecretShort {
        /// So many it has.
        bytes: usize,
        /// For this one.
        algorithm: Algorithm,
        /// So many it needs.
        needed: usize,
    },
    /// Everybody has it, and could sign.
    #[error("a public key is no secret; name it with `pem:`, and an algorithm such as `RS256`")]
    SecretPublic,
    /// Blank.
    #[error("the secret is blank")]
    SecretBlank,
    /// Shorter ones can be factored; longer ones make every token dear.
    #[error("an RSA key has 2048 to 8192 bits, and this one {0}")]
    RsaSize(usize),
    /// Even, one, or larger than 32 bits.
    #[error("the RSA key's exponent cannot be used")]
    RsaExponent,
    /// Not on its curve, at infinity, or one of the few that signatures of anybody verify with.
    #[error("the key is no point of its curve")]
    NoPoint,
    /// A kid longer than 256 bytes.
    #[error("the key's id is too long")]
    IdTooLong,
    /// Not as its format has it.
    #[error("the key cannot be read")]
    Unreadable,
}

/// Bits.
const RSA_MODULUS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// Beyond 32 bits an exponent only makes verifying slow.
const RSA_EXPONENT_MAX_BYTES: usize = 4;
/// In use are digests, UUIDs and dates.
const ID_MAX_BYTES: usize = 256;

impl Key {
    /// A shared secret, decoded.
    ///
    /// # Errors
    /// What is wrong with it for any of these algorithms.
    pub(super) fn mac(id: Option<String>, secret: &[u8], algorithms: &[Algorithm]) -> Result<Self, BadKey> {
        if secret.windows(PEM.len()).any(|window| window == PEM) {
            return Err(BadKey::SecretPublic);
        }
        let secret = Secret::new(secret).map_err(|_| BadKey::SecretBlank)?;
        let mark = secret.digest(&[b"token key"]);
        Self::new(id, b"oct", &mark, algorithms, |means, algorithm| match means {
            Means::Mac { key_min_bytes } if secret.len_bytes() < key_min_bytes => {
                Err(BadKey::SecretShort { bytes: secret.len_bytes(), algorithm, needed: key_min_bytes })
            }
            Means::Mac { .. } => Ok(Some(Verifier::Mac(secret.clone()))),
            Means::Rsa(_) | Means::Ec(_) | Means::Ed(_) => Ok(None),
        })
    }

    /// Modulus and exponent, big-endian, without leading zeros.
    pub(super) fn rsa(id: Option<String>, n: &[u8], e: &[u8], algorithms: &[Algorithm]) -> Result<Self, BadKey> {
        let Some(first) = n.first().filter(|first| **first != 0) else { return Err(BadKey::Unreadable) };
        let bits = (n.len() * 8).saturating_sub(first.leading_zeros() as usize);
        if !RSA_MODULUS.contains(&bits) {
            return Err(BadKey::RsaSize(bits));
        }
        let odd = e.last().is_some_and(|last| last % 2 == 1);
        if !odd || e == [1] || e.first() == Some(&0) || e.len() > RSA_EXPONENT_MAX_BYTES {
            return Err(BadKey::RsaExponent);
        }
        Self::new(id, b"RSA", &[n, e].concat(), algorithms, |means, _| match means {
            Means::Rsa(parameters) => {
                let parsed = RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters);
                parsed.map(|key| Some(Verifier::Public(key))).map_err(|_| BadKey::Unreadable)
            }
            Means::Mac { .. } | Means::Ec(_) | Means::Ed(_) => Ok(None),
        })
    }

    /// A point of P-256 or P-384, both coordinates in their full length: which curve follows from it.
    pub(super) fn ec(id: Option<String>, x: &[u8], y: &[u8], algorithms: &[Algorithm]) -> Result<Self, BadKey> {
        let curve = match (x.len(), y.len()) {
            (32, 32) => Algorithm::Es256,
            (48, 48) => Algorithm::Es384,
            _ => return Err(BadKey::NoPoint),
        };
        let point = [&[4], x, y].concat();
        Self::new(id, b"EC", &point, algorithms, |means, algorithm| match means {
            Means::Ec(parameters) if algorithm == curve => {
                // Here it is checked that the point lies on the curve.
                let parsed = ParsedPublicKey::new(parameters, &point);
                parsed.map(|key| Some(Verifier::Public(key))).map_err(|_| BadKey::NoPoint)
            }
            Means::Ec(_) | Means::Mac { .. } | Means::Rsa(_) | Means::Ed(_) => Ok(None),
        })
    }

    /// A point of Ed25519. One that is on no curve verifies nothing; one of small order verifies anybody's signatures.
    pub(super) fn ed(id: Option<String>, x: &[u8], algorithms: &[Algorithm]) -> Result<Self, BadKey> {
        if x.len() != 32 || has_small_order(x) {
            return Err(BadKey::NoPoint);
        }
        Self::new(id, b"OKP", x, algorithms, |means, _| match means {
            Means::Ed(parameters) => {
                let parsed = ParsedPublicKey::new(parameters, x);
                parsed.map(|key| Some(Verifier::Public(key))).map_err(|_| BadKey::NoPoint)
            }
            Means::Mac { .. } | Means::Rsa(_) | Means::Ec(_) => Ok(None),
        })
    }

    fn new(
        id: Option<String>,
        kind: &[u8],
        material: &[u8],
        algorithms: &[Algorithm],
        make: impl Fn(Means, Algorithm) -> Result<Option<Verifier>, BadKey>,
    ) -> Result<Self, BadKey> {
        if id.as_ref().is_some_and(|id| id.len() > ID_MAX_BYTES) {
            return Err(BadKey::IdTooLong);
        }
        let mut verifiers = Vec::new();
        let mut mark = Sha256::new();
        for part in [kind, id.as_deref().unwrap_or_default().as_bytes(), material] {
            mark.update((part.len() as u64).to_le_bytes());
            mark.update(part);
        }
        for algorithm in algorithms {
            if let Some(verifier) = make(algorithm.means(), *algorithm)? {
                mark.update(algorithm.name());
                verifiers.push((*algorithm, verifier));
            }
        }
        if verifiers.is_empty() {
            return Err(BadKey::Unfit);
        }
        Ok(Self { id, verifiers, mark: mark.finalize().into() })
    }

    /// The same, under this name.
    pub(super) fn named(self, id: Option<&str>) -> Result<Self, BadKey> {
        match id {
            Some(id) if id.len() > ID_MAX_BYTES => Err(BadKey::IdTooLong),
            id => Ok(Self { id: id.map(str::to_owned), ..self }),
        }
    }

    /// Its name in its set.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whether it may be used with this algorithm.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.verifiers.iter().any(|(known, _)| *known == algorithm)
    }

    /// Differs wherever anything about the key does.
    pub(super) fn mark(&self) -> &[u8; 32] {
        &self.mark
    }

    /// Whether it made this signature; `None` if it may not be used with this algorithm.
    pub(super) fn verifies(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> Option<bool> {
        let (_, verifier) = self.verifiers.iter().find(|(known, _)| *known == algorithm)?;
        Some(match verifier {
            Verifier::Mac(secret) => mac(algorithm, secret, signed, signature),
            Verifier::Public(key) => key.verify_sig(signed, signature).is_ok(),
        })
    }
}

/// What every text that carries a public key begins with, or a private one.
const PEM: &[u8] = b"-----BEGIN ";

/// Compared in constant time, over the full length.
pub(super) fn mac(algorithm: Algorithm, secret: &Secret, signed: &[u8], claimed: &[u8]) -> bool {
    match algorithm {
        Algorithm::Hs256 => secret.authenticates(&[signed], claimed),
        Algorithm::Hs384 => authenticates::<Hmac<Sha384>>(secret, signed, claimed),
        Algorithm::Hs512 => authenticates::<Hmac<Sha512>>(secret, signed, claimed),
        Algorithm::Rs256
        | Algorithm::Rs384
        | Algorithm::Rs512
        | Algorithm::Ps256
        | Algorithm::Ps384
        | Algorithm::Ps512
        | Algorithm::Es256
        | Algorithm::Es384
        | Algorithm::EdDsa => false,
    }
}

fn authenticates<M: KeyInit + Mac>(secret: &Secret, signed: &[u8], claimed: &[u8]) -> bool {
    <M as KeyInit>::new_from_slice(secret.expose())
        .is_ok_and(|mac| mac.chain_update(signed).verify_slice(claimed).is_ok())
}

/// Whether these 32 bytes, in any of their spellings, are one of the eight points that a signature by nobody verifies
/// with: `y` is 0, 1, p-1 or one of two of order eight, where p and p+1 are spelt 0 and 1 too (the table of
/// libsodium's `ge25519_has_small_order`).
fn has_small_order(x: &[u8]) -> bool {
    const ORDER_8_A: [u8; 32] = *b"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05";
    const ORDER_8_B: [u8; 32] = *b"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a";
    let [zero, mut one, mut p_less_1, mut p, mut p_plus_1] = [[0; 32], [0; 32], [0xff; 32], [0xff; 32], [0xff; 32]];
    one[0] = 1;
    (p_less_1[0], p_less_1[31]) = (0xec, 0x7f);
    (p[0], p[31]) = (0xed, 0x7f);
    (p_plus_1[0], p_plus_1[31]) = (0xee, 0x7f);
    let Some((last, rest)) = x.split_last() else { return true };
    // The highest bit is the sign of the other coordinate.
    let is = |point: &[u8; 32]| point.split_last().is_some_and(|(end, start)| rest == start && last & 0x7f == *end);
    [zero, one, ORDER_8_A, ORDER_8_B, p_less_1, p, p_plus_1].iter().any(is)
}
