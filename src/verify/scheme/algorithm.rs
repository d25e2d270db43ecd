//! The primitives: keyed digests, and signatures that the sender alone can make.

use crate::{secret::Secret, verify::jwt};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use hmac::{Hmac, Mac as _};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq as _;

/// How a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    HmacSha256,
    HmacSha1,
    HmacSha512,
    /// A plain digest of a text that has the secret in it. Whoever has one can lengthen the text, but not so that it
    /// stays UTF-8: the padding begins with 0x80, where no character begins.
    Sha1,
    /// The same.
    Sha256,
    Ed25519,
    EcdsaP256Sha256,
    /// RSASSA-PKCS1-v1_5. Whoever can make two texts of one SHA-1 still has to make the sender sign one of them.
    RsaSha1,
    /// The same with SHA-256.
    RsaSha256,
    /// No signature: the secret itself is shown.
    Equal,
    /// The same, as name and password.
    Basic,
    /// Nothing is shown.
    Unsigned,
}

/// Why these bytes are no public key that could be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPublicKey {
    /// Too many, too few, or of another kind.
    #[error("this is no {0} public key")]
    Shape(&'static str),
    /// Anyone can sign for it.
    #[error("this Ed25519 key is of small order, and anyone could sign for it")]
    SmallOrder,
}

impl Algorithm {
    /// What is nearest to the algorithms of a token, which a token names itself.
    pub(super) fn of_tokens(algorithms: &[jwt::Algorithm]) -> Self {
        match algorithms.first() {
            Some(jwt::Algorithm::Es256 | jwt::Algorithm::Es384) => Self::EcdsaP256Sha256,
            Some(jwt::Algorithm::EdDsa) => Self::Ed25519,
            Some(algorithm) if !algorithm.is_symmetric() => Self::RsaSha256,
            Some(_) | None => Self::HmacSha256,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "HMAC-SHA256",
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha512 => "HMAC-SHA512",
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Ed25519 => "Ed25519",
            Self::EcdsaP256Sha256 => "ECDSA P-256 with SHA-256",
            Self::RsaSha1 => "RSA with SHA-1",
            Self::RsaSha256 => "RSA with SHA-256",
            Self::Equal => "token",
            Self::Basic => "name and password",
            Self::Unsigned => "nothing",
        }
    }

    pub(super) const fn shares_its_key(self) -> bool {
        match self {
            Self::HmacSha256
            | Self::HmacSha1
            | Self::HmacSha512
            | Self::Sha1
            | Self::Sha256
            | Self::Equal
            | Self::Basic
            | Self::Unsigned => true,
            Self::Ed25519 | Self::EcdsaP256Sha256 | Self::RsaSha1 | Self::RsaSha256 => false,
        }
    }

    /// Whether anything is signed at all.
    pub(super) const fn signs(self) -> bool {
        !matches!(self, Self::Equal | Self::Basic | Self::Unsigned)
    }

    /// Whether the secret stands in the text.
    pub(super) const fn is_plain_digest(self) -> bool {
        matches!(self, Self::Sha1 | Self::Sha256)
    }

    /// The key as the primitive wants it, if it can be one.
    pub(super) fn checked(self, key: Vec<u8>) -> Result<Vec<u8>, BadPublicKey> {
        match self {
            Self::HmacSha256
            | Self::HmacSha1
            | Self::HmacSha512
            | Self::Sha1
            | Self::Sha256
            | Self::Equal
            | Self::Basic
            | Self::Unsigned => Ok(key),
            Self::Ed25519 => {
                let key = key.strip_prefix(ED25519_SPKI).map(<[u8]>::to_vec).unwrap_or(key);
                let bytes: [u8; 32] = key.as_slice().try_into().map_err(|_| BadPublicKey::Shape("Ed25519"))?;
                if is_of_small_order(bytes) {
                    return Err(BadPublicKey::SmallOrder);
                }
                let parsed = ParsedPublicKey::new(&ED25519, bytes);
                parsed.map(|_| key).map_err(|_| BadPublicKey::Shape("Ed25519"))
            }
            Self::EcdsaP256Sha256 => {
                let point = key.strip_prefix(P256_SPKI).ok_or(BadPublicKey::Shape("P-256"))?;
                let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
                parsed.map(|_| point.to_vec()).map_err(|_| BadPublicKey::Shape("P-256"))
            }
            Self::RsaSha1 | Self::RsaSha256 => {
                let parsed = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &key);
                parsed.map(|_| key).map_err(|_| BadPublicKey::Shape("RSA (2048 to 8192 bits)"))
            }
        }
    }

    /// Which of these is a signature of the pieces, one behind another. All are tried, so that timing does not tell
    /// which one held. A digest is computed once, however many there are.
    pub(super) fn authenticates<'c>(
        self,
        key: &Secret,
        pieces: &[&[u8]],
        claimed: impl Iterator<Item = &'c [u8]>,
    ) -> bool {
        let mut held = false;
        match self.digest(key, pieces) {
            Some(digest) => claimed.for_each(|claim| held |= bool::from(digest.ct_eq(claim))),
            None => claimed.for_each(|claim| held |= self.is_signature(key, pieces, claim)),
        }
        held
    }

    fn is_signature(self, key: &Secret, pieces: &[&[u8]], claim: &[u8]) -> bool {
        let algorithm: &dyn VerificationAlgorithm = match self {
            Self::Equal | Self::Basic => return key.is(claim),
            Self::Ed25519 => &ED25519,
            Self::EcdsaP256Sha256 => &ECDSA_P256_SHA256_ASN1,
            Self::RsaSha1 => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            Self::RsaSha256 => &RSA_PKCS1_2048_8192_SHA256,
            Self::HmacSha256 | Self::HmacSha1 | Self::HmacSha512 | Self::Sha1 | Self::Sha256 | Self::Unsigned => {
                return false;
            }
        };
        UnparsedPublicKey::new(algorithm, key.expose()).verify(&pieces.concat(), claim).is_ok()
    }

    /// What a sender would have computed, for schemes whose key is shared. Where the key is a piece itself, it is among
    /// them.
    pub(super) fn digest(self, key: &Secret, pieces: &[&[u8]]) -> Option<Vec<u8>> {
        match self {
            Self::HmacSha256 => Some(key.digest(pieces).to_vec()),
            Self::HmacSha1 => over::<Hmac<Sha1>>(key, pieces).map(|mac| mac.finalize().into_bytes().to_vec()),
            Self::HmacSha512 => over::<Hmac<Sha512>>(key, pieces).map(|mac| mac.finalize().into_bytes().to_vec()),
            Self::Sha1 => Some(plain::<Sha1>(pieces)),
            Self::Sha256 => Some(plain::<Sha256>(pieces)),
            Self::Ed25519
            | Self::EcdsaP256Sha256
            | Self::RsaSha1
            | Self::RsaSha256
            | Self::Equal
            | Self::Basic
            | Self::Unsigned => None,
        }
    }
}

fn plain<D: sha2::Digest>(pieces: &[&[u8]]) -> Vec<u8> {
    let mut digest = D::new();
    for piece in pieces {
        digest.update(piece);
    }
    digest.finalize().to_vec()
}

fn over<M: hmac::KeyInit + hmac::Mac>(key: &Secret, pieces: &[&[u8]]) -> Option<M> {
    let mut mac = <M as hmac::KeyInit>::new_from_slice(key.expose()).ok()?;
    for piece in pieces {
        mac.update(piece);
    }
    Some(mac)
}

/// What stands before the point in a `SubjectPublicKeyInfo` of P-256: RFC 5480 section 2.
pub(super) const P256_SPKI: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The same of Ed25519: RFC 8410 section 4.
pub(super) const ED25519_SPKI: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The points whose multiples are few: for these a signature can be made without the private key. The same list as in
/// libsodium's `ge25519_has_small_order`; the sign bit does not matter.
fn is_of_small_order(mut key: [u8; 32]) -> bool {
    const POINTS: [&[u8; 64]; 7] = [
        b"0000000000000000000000000000000000000000000000000000000000000000",
        b"0100000000000000000000000000000000000000000000000000000000000000",
        b"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        b"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        b"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        b"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        b"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    if let Some(last) = key.last_mut() {
        *last &= 0x7f;
    }
    let written = data_encoding::HEXLOWER.encode(&key);
    POINTS.iter().any(|point| point.as_slice() == written.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    #[test]
    fn a_key_for_which_anyone_could_sign_is_refused() {
        for point in ["00", "01", "ec", "ed", "ee"] {
            for sign in ["7f", "ff"] {
                let (fill, last) =
                    if point.starts_with('0') { ("00", if sign == "ff" { "80" } else { "00" }) } else { ("ff", sign) };
                let key = HEXLOWER.decode(format!("{point}{}{last}", fill.repeat(30)).as_bytes()).unwrap();
                assert_eq!(Algorithm::Ed25519.checked(key), Err(BadPublicKey::SmallOrder), "{point} {sign}");
            }
        }
        let discord = HEXLOWER.decode(b"fe39d77d702f5bb4406449f92a47ed6c602e66c5a7ff45f09e818c84e84f6771").unwrap();
        assert_eq!(Algorithm::Ed25519.checked(discord.clone()), Ok(discord));
    }

    #[test]
    fn a_public_key_of_another_kind_is_refused() {
        assert_eq!(Algorithm::Ed25519.checked(vec![7; 31]), Err(BadPublicKey::Shape("Ed25519")));
        assert_eq!(Algorithm::EcdsaP256Sha256.checked(vec![4; 65]), Err(BadPublicKey::Shape("P-256")));
        let off_the_curve = [P256_SPKI, &[4; 65]].concat();
        assert_eq!(Algorithm::EcdsaP256Sha256.checked(off_the_curve), Err(BadPublicKey::Shape("P-256")));
    }
}
