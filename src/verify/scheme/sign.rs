//! The other direction: what this sender would send.

mod making;
mod rsa;
mod token;

use super::{
    Config, Scheme,
    algorithm::{Algorithm, ED25519_SPKI, P256_SPKI},
    key::{BadKey, KeyEncoding},
};
use crate::{clock::Timestamp, secret::Secret};
use aws_lc_rs::{
    agreement::{ECDH_P256, PrivateKey},
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    },
};
use data_encoding::{BASE64, HEXLOWER};
use http::Method;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// What is to be signed.
#[derive(Clone, Copy, Debug)]
pub struct Unsigned<'a> {
    /// As it will be sent.
    pub method: &'a Method,
    /// The whole URL as the receiver publishes it.
    pub url: &'a str,
    /// Of the body.
    pub content_type: &'a str,
    /// The body, byte for byte.
    pub body: &'a [u8],
    /// The sender's id for the event, for schemes that send one.
    pub id: &'a str,
    /// The time to sign.
    pub at: Timestamp,
}

/// What the sender adds to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// The URL, where the sender puts something into its query.
    pub url: String,
    /// Header fields.
    pub fields: Vec<(String, String)>,
    /// The body, where the sender puts something into it.
    pub body: Option<Vec<u8>>,
}

/// What a sender signs with. It has no `Debug`: it holds a secret.
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct SigningKey {
    private: Private,
    /// What the sender calls it, where it says so.
    id: String,
}

enum Private {
    Shared(Secret),
    Ed25519(Box<Ed25519KeyPair>),
    EcdsaP256(Box<EcdsaKeyPair>),
    Rsa(Arc<rsa::Pair>),
}

impl Scheme {
    /// The key of a sender that signs with a shared secret.
    ///
    /// # Errors
    /// [`BadKey`]; [`BadKey::Private`] for a sender that signs with what it alone has.
    pub fn signing_key(&self, text: &str) -> Result<SigningKey, BadKey> {
        if !self.shares_its_key() || self.over.is_components() && text.trim_start().starts_with("-----BEGIN") {
            return Err(BadKey::Private);
        }
        self.key(text).map(|secret| SigningKey::new(Private::Shared(secret), "live".to_owned()))
    }

    /// A key for tests: what the operator would be handed out, and what the sender signs with. The same label is the
    /// same key.
    ///
    /// # Errors
    /// The primitives refuse it: a fault of ours.
    pub fn test_key(&self, label: &str) -> Result<(String, SigningKey), BadKey> {
        let seed = Sha256::digest(label);
        let id = label.rsplit('/').next().unwrap_or_default().to_owned();
        let (public, private) = match self.algorithm {
            Algorithm::HmacSha256
            | Algorithm::HmacSha1
            | Algorithm::HmacSha512
            | Algorithm::Sha1
            | Algorithm::Sha256
            | Algorithm::Equal
            | Algorithm::Basic
            | Algorithm::Unsigned => {
                // 64 hexadecimal digits are a text, and hexadecimal, and base64: a secret in every form.
                let name = if self.key.encoding == KeyEncoding::Credentials { "hook:" } else { "" };
                let text = format!("{name}{}", HEXLOWER.encode(&seed));
                let private = Private::Shared(self.key(&text)?);
                return Ok((text, SigningKey::new(private, id)));
            }
            Algorithm::Ed25519 => {
                let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| BadKey::Private)?;
                (pair.public_key().as_ref().to_vec(), Private::Ed25519(Box::new(pair)))
            }
            Algorithm::EcdsaP256Sha256 => {
                let private = PrivateKey::from_private_key(&ECDH_P256, &seed).map_err(|_| BadKey::Private)?;
                let public = private.compute_public_key().map_err(|_| BadKey::Private)?;
                let is_token = self.over.token().is_some();
                let signing = if is_token { &ECDSA_P256_SHA256_FIXED_SIGNING } else { &ECDSA_P256_SHA256_ASN1_SIGNING };
                let pair = EcdsaKeyPair::from_private_key_and_public_key(signing, &seed, public.as_ref());
                let pair = pair.map_err(|_| BadKey::Private)?;
                ([P256_SPKI, public.as_ref()].concat(), Private::EcdsaP256(Box::new(pair)))
            }
            Algorithm::RsaSha1 | Algorithm::RsaSha256 => {
                let pair = rsa::Pair::labelled(label).ok_or(BadKey::Private)?;
                (pair.public().to_vec(), Private::Rsa(pair))
            }
        };
        let text = match self.key.encoding {
            KeyEncoding::Hex => HEXLOWER.encode(&public),
            KeyEncoding::Base64 | KeyEncoding::Utf8 | KeyEncoding::Credentials => BASE64.encode(&public),
            KeyEncoding::Pem => {
                let header = if self.algorithm == Algorithm::Ed25519 { ED25519_SPKI } else { b"" };
                let encoded = BASE64.encode(&[header, &public].concat());
                format!("-----BEGIN PUBLIC KEY-----\n{encoded}\n-----END PUBLIC KEY-----")
            }
        };
        Ok((text, SigningKey::new(private, id)))
    }
}

impl SigningKey {
    fn new(private: Private, id: String) -> Self {
        Self { private, id }
    }

    /// What is shown, or what it makes of these. The secret, where it is one, stands among them at that place.
    fn over<'p>(&'p self, algorithm: Algorithm, mut pieces: Vec<&'p [u8]>, secret_at: Option<usize>) -> Vec<u8> {
        match &self.private {
            Private::Shared(secret) if !algorithm.signs() => secret.expose().to_vec(),
            Private::Shared(secret) => {
                if let Some(piece) = secret_at.and_then(|at| pieces.get_mut(at)) {
                    *piece = secret.expose();
                }
                algorithm.digest(secret, &pieces).unwrap_or_default()
            }
            Private::Ed25519(pair) => pair.sign(&pieces.concat()).as_ref().to_vec(),
            Private::EcdsaP256(pair) => {
                pair.sign(&SystemRandom::new(), &pieces.concat()).map(|made| made.as_ref().to_vec()).unwrap_or_default()
            }
            Private::Rsa(pair) => pair.sign(algorithm == Algorithm::RsaSha1, &pieces.concat()),
        }
    }
}
