//! Private keys, for those who try a gate and for tests: in PKCS#8, as openssl writes them, or made from a label.

use super::rsa;
use crate::verify::{jwt, scheme::algorithm::Algorithm};
use aws_lc_rs::{
    agreement::{self, ECDH_P256, ECDH_P384, PrivateKey},
    encoding::{AsDer as _, PublicKeyX509Der},
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
        ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _,
    },
};
use data_encoding::BASE64;
use sha2::{Digest as _, Sha256, Sha384};
use std::sync::Arc;
use zeroize::Zeroizing;

/// What kind of key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// RFC 8410.
    Ed25519,
    /// RFC 5480.
    P256,
    /// RFC 5480.
    P384,
    /// 2048 bits at least.
    Rsa,
}

/// How a signature is made with a private key.
#[derive(Clone, Copy)]
pub(super) enum How {
    /// As most senders write theirs.
    Plain(Algorithm),
    /// As in tokens and message signatures: ECDSA's two numbers stand side by side.
    Joined(jwt::Algorithm),
}

/// A private key and its public one.
pub(super) enum Pair {
    Ed25519(Ed25519KeyPair),
    Ec { key_type: KeyType, asn1: EcdsaKeyPair, fixed: EcdsaKeyPair },
    Rsa(Arc<rsa::Pair>),
}

/// Why a text is no private key to sign with. Says nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPrivateKey {
    /// Something else.
    #[error(
        "this sender signs with a private key, and this is none in PEM; write {}, as `{}` makes one", .0.name(), .0.made_by()
    )]
    Absent(KeyType),
    /// The other half.
    #[error("this is a public key, and a signature is made with the private one; `{}` makes such a key", .0.made_by())]
    Public(KeyType),
    /// Nobody could ask for the passphrase.
    #[error(
        "the private key is encrypted; write it without a passphrase, as `openssl pkcs8 -topk8 -nocrypt -in FILE` does"
    )]
    Encrypted,
    /// PKCS#1 or SEC 1.
    #[error("the private key is not in PKCS#8; write it as `openssl pkcs8 -topk8 -nocrypt -in FILE` does")]
    Older,
    /// PEM, and no more.
    #[error("this private key cannot be read; `{}` makes one that can", .0.made_by())]
    Unreadable(KeyType),
    /// Of another kind.
    #[error("this is {}, and this sender signs with {}, as `{}` makes it", .found.name(), .wanted.name(), .wanted.made_by())]
    Other {
        /// This it is.
        found: KeyType,
        /// That it should be.
        wanted: KeyType,
    },
    /// For a sender that has none.
    #[error("this is PEM, and this sender signs with a shared secret; write that")]
    Shared,
}

impl KeyType {
    /// What a scheme signs with.
    pub(super) const fn of(algorithm: Algorithm) -> Option<Self> {
        match algorithm {
            Algorithm::Ed25519 => Some(Self::Ed25519),
            Algorithm::EcdsaP256Sha256 => Some(Self::P256),
            Algorithm::RsaSha1 | Algorithm::RsaSha256 => Some(Self::Rsa),
            Algorithm::HmacSha256
            | Algorithm::HmacSha1
            | Algorithm::HmacSha512
            | Algorithm::Sha1
            | Algorithm::Sha256
            | Algorithm::Equal
            | Algorithm::Basic
            | Algorithm::Unsigned => None,
        }
    }

    /// What a token or a message is signed with.
    pub(in crate::verify::scheme) const fn of_joined(algorithm: jwt::Algorithm) -> Option<Self> {
        match algorithm {
            jwt::Algorithm::EdDsa => Some(Self::Ed25519),
            jwt::Algorithm::Es256 => Some(Self::P256),
            jwt::Algorithm::Es384 => Some(Self::P384),
            jwt::Algorithm::Rs256
            | jwt::Algorithm::Rs384
            | jwt::Algorithm::Rs512
            | jwt::Algorithm::Ps256
            | jwt::Algorithm::Ps384
            | jwt::Algorithm::Ps512 => Some(Self::Rsa),
            jwt::Algorithm::Hs256 | jwt::Algorithm::Hs384 | jwt::Algorithm::Hs512 => None,
        }
    }

    /// For people.
    pub(in crate::verify::scheme) const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "an Ed25519 key",
            Self::P256 => "a key on P-256",
            Self::P384 => "a key on P-384",
            Self::Rsa => "an RSA key of 2048 bits or more",
        }
    }

    const fn made_by(self) -> &'static str {
        match self {
            Self::Ed25519 => "openssl genpkey -algorithm ed25519",
            Self::P256 => "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
            Self::P384 => "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384",
            Self::Rsa => "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048",
        }
    }
}

impl Pair {
    /// A private key in PEM, unencrypted PKCS#8 (RFC 5958), of one of the kinds that `wanted` has.
    pub(super) fn from_pem(text: &str, wanted: &[KeyType]) -> Result<Self, BadPrivateKey> {
        let first = wanted.first().copied().unwrap_or(KeyType::Rsa);
        let body = text.trim().strip_prefix("-----BEGIN ").and_then(|rest| rest.split_once("-----"));
        let (label, rest) = body.ok_or(BadPrivateKey::Absent(first))?;
        match label {
            "PRIVATE KEY" => {}
            "ENCRYPTED PRIVATE KEY" => return Err(BadPrivateKey::Encrypted),
            "EC PRIVATE KEY" | "RSA PRIVATE KEY" => return Err(BadPrivateKey::Older),
            label if label.ends_with("PUBLIC KEY") => return Err(BadPrivateKey::Public(first)),
            // Parameters of a curve, which older commands write first; a certificate; a key of SSH.
            "EC PARAMETERS" => return Err(BadPrivateKey::Older),
            _ => return Err(BadPrivateKey::Absent(first)),
        }
        let unreadable = BadPrivateKey::Unreadable(first);
        let (body, _) = rest.split_once("-----END PRIVATE KEY-----").ok_or(unreadable)?;
        let body = Zeroizing::new(body.split_ascii_whitespace().collect::<String>());
        let der = Zeroizing::new(BASE64.decode(body.as_bytes()).map_err(|_| unreadable)?);
        let pair = Self::from_pkcs8(&der).ok_or(unreadable)?;
        let found = pair.key_type();
        if wanted.contains(&found) { Ok(pair) } else { Err(BadPrivateKey::Other { found, wanted: first }) }
    }

    fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let ec = |key_type, asn1, fixed| {
            let read = |form: &'static EcdsaSigningAlgorithm| EcdsaKeyPair::from_pkcs8(form, der).ok();
            Some(Self::Ec { key_type, asn1: read(asn1)?, fixed: read(fixed)? })
        };
        // openssl leaves the public half of Ed25519 out.
        let ed25519 = || Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok().map(Self::Ed25519);
        ed25519()
            .or_else(|| ec(KeyType::P256, &ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P256_SHA256_FIXED_SIGNING))
            .or_else(|| ec(KeyType::P384, &ECDSA_P384_SHA384_ASN1_SIGNING, &ECDSA_P384_SHA384_FIXED_SIGNING))
            .or_else(|| rsa::Pair::from_pkcs8(der).map(Arc::new).map(Self::Rsa))
    }

    /// The same label is the same pair: of RSA for as long as this process lives, else for ever.
    pub(super) fn labelled(key_type: KeyType, label: &str) -> Option<Self> {
        let ec = |curve, seed: &[u8], asn1, fixed| {
            let private = PrivateKey::from_private_key(curve, seed).ok()?;
            let public: agreement::PublicKey = private.compute_public_key().ok()?;
            let pair = |form| EcdsaKeyPair::from_private_key_and_public_key(form, seed, public.as_ref()).ok();
            Some(Self::Ec { key_type, asn1: pair(asn1)?, fixed: pair(fixed)? })
        };
        match key_type {
            KeyType::Ed25519 => Ed25519KeyPair::from_seed_unchecked(&Sha256::digest(label)).ok().map(Self::Ed25519),
            KeyType::P256 => ec(
                &ECDH_P256,
                &Sha256::digest(label),
                &ECDSA_P256_SHA256_ASN1_SIGNING,
                &ECDSA_P256_SHA256_FIXED_SIGNING,
            ),
            KeyType::P384 => ec(
                &ECDH_P384,
                &Sha384::digest(label),
                &ECDSA_P384_SHA384_ASN1_SIGNING,
                &ECDSA_P384_SHA384_FIXED_SIGNING,
            ),
            KeyType::Rsa => rsa::Pair::labelled(label).map(Self::Rsa),
        }
    }

    pub(super) fn key_type(&self) -> KeyType {
        match self {
            Self::Ed25519(_) => KeyType::Ed25519,
            Self::Ec { key_type, .. } => *key_type,
            Self::Rsa(_) => KeyType::Rsa,
        }
    }

    /// `SubjectPublicKeyInfo`.
    pub(super) fn public(&self) -> Option<Vec<u8>> {
        let der: PublicKeyX509Der<'_> = match self {
            Self::Ed25519(pair) => pair.public_key().as_der().ok()?,
            Self::Ec { fixed, .. } => fixed.public_key().as_der().ok()?,
            Self::Rsa(pair) => return Some(pair.public().to_vec()),
        };
        Some(der.as_ref().to_vec())
    }

    /// Empty where such a key makes no such signature: that verifies nowhere.
    pub(super) fn sign(&self, how: How, text: &[u8]) -> Vec<u8> {
        let made = match (self, how) {
            (Self::Ed25519(pair), _) => Some(pair.sign(text).as_ref().to_vec()),
            (Self::Ec { asn1, fixed, .. }, how) => {
                let pair = if matches!(how, How::Plain(_)) { asn1 } else { fixed };
                pair.sign(&SystemRandom::new(), text).map(|made| made.as_ref().to_vec()).ok()
            }
            (Self::Rsa(pair), How::Plain(Algorithm::RsaSha1)) => Some(pair.sign_sha1(text)),
            (Self::Rsa(pair), How::Plain(_)) => pair.sign(jwt::Algorithm::Rs256, text),
            (Self::Rsa(pair), How::Joined(algorithm)) => pair.sign(algorithm, text),
        };
        made.unwrap_or_default()
    }
}
