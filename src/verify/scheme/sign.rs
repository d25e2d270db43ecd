//! The other direction: what this sender would send.

mod making;
mod pair;
mod rsa;
mod token;

pub use pair::{BadPrivateKey, KeyType};

use super::{
    Config, Scheme,
    algorithm::{Algorithm, ED25519_SPKI},
    key::{BadKey, KeyEncoding},
};
use crate::{clock::Timestamp, secret::Secret, verify::jwt};
use data_encoding::{BASE64, HEXLOWER};
use http::Method;
use pair::{How, Pair};
use sha2::{Digest as _, Sha256};

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
    Pair(Pair),
}

/// Why a text is nothing to sign with. Says nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSigningKey {
    /// No shared secret.
    #[error(transparent)]
    Secret(#[from] BadKey),
    /// No private key.
    #[error(transparent)]
    Private(#[from] BadPrivateKey),
}

impl Scheme {
    /// What the sender of an account of which nothing is known signs with.
    ///
    /// # Errors
    /// [`BadSigningKey`].
    pub fn signing_key(&self, text: &str) -> Result<SigningKey, BadSigningKey> {
        self.signing_key_for(&Config::new(), text)
    }

    /// What a sender signs with: the shared secret, or a private key in PEM of which the gate has the public one.
    ///
    /// # Errors
    /// [`BadSigningKey`].
    pub fn signing_key_for(&self, config: &Config, text: &str) -> Result<SigningKey, BadSigningKey> {
        let wanted = self.key_types(config);
        let private = if !wanted.is_empty() {
            Private::Pair(Pair::from_pem(text, &wanted)?)
        } else if text.trim_start().starts_with("-----BEGIN ") {
            return Err(BadPrivateKey::Shared.into());
        } else {
            Private::Shared(self.key(text)?)
        };
        Ok(SigningKey::new(private, "live".to_owned()))
    }

    /// The kinds of private keys that its sender may sign with; none where the secret is shared.
    fn key_types(&self, config: &Config) -> Vec<KeyType> {
        match self.over.token() {
            _ if self.over.is_components() => {
                self.algorithm_said(config).and_then(KeyType::of_joined).into_iter().collect()
            }
            Some(token) => token.algorithms.iter().filter_map(|algorithm| KeyType::of_joined(*algorithm)).collect(),
            None => KeyType::of(self.algorithm).into_iter().collect(),
        }
    }

    /// A key for tests: what the operator would be handed out, and what the sender signs with. The same label is the
    /// same key.
    ///
    /// # Errors
    /// The primitives refuse it: a fault of ours.
    pub fn test_key(&self, label: &str) -> Result<(String, SigningKey), BadKey> {
        self.test_key_of(None, label)
    }

    /// The same, where the policy says the algorithm.
    ///
    /// # Errors
    /// As [`Self::test_key`].
    pub fn test_key_of(&self, said: Option<jwt::Algorithm>, label: &str) -> Result<(String, SigningKey), BadKey> {
        let id = label.rsplit('/').next().unwrap_or_default().to_owned();
        let said = said.filter(|_| self.over.is_components()).and_then(KeyType::of_joined);
        let Some(key_type) = said.or_else(|| self.test_key_type()) else {
            // 64 hexadecimal digits are a text, and hexadecimal, and base64: a secret in every form.
            let name = if self.key.encoding == KeyEncoding::Credentials { "hook:" } else { "" };
            let text = format!("{name}{}", HEXLOWER.encode(&Sha256::digest(label)));
            let private = Private::Shared(self.key(&text)?);
            return Ok((text, SigningKey::new(private, id)));
        };
        let pair = Pair::labelled(key_type, label).ok_or(BadKey::Unmade)?;
        let public = pair.public().ok_or(BadKey::Unmade)?;
        let bare = public.strip_prefix(ED25519_SPKI).unwrap_or(&public);
        let text = match self.key.encoding {
            _ if said.is_some() => in_pem(&public),
            KeyEncoding::Hex => HEXLOWER.encode(bare),
            KeyEncoding::Base64 | KeyEncoding::Utf8 | KeyEncoding::Credentials => BASE64.encode(bare),
            KeyEncoding::Pem => in_pem(&public),
        };
        Ok((text, SigningKey::new(Private::Pair(pair), id)))
    }

    /// Of several, the first.
    fn test_key_type(&self) -> Option<KeyType> {
        self.key_types(&Config::new()).first().copied()
    }
}

fn in_pem(public: &[u8]) -> String {
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", BASE64.encode(public))
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
            Private::Pair(pair) => pair.sign(How::Plain(algorithm), &pieces.concat()),
        }
    }

    /// The signature of a token, or of a message: by its own names, the same primitives.
    fn joined(&self, algorithm: jwt::Algorithm, signed: &[u8]) -> Vec<u8> {
        match &self.private {
            Private::Shared(secret) => jwt::mac(algorithm, secret, signed).unwrap_or_default(),
            Private::Pair(pair) => pair.sign(How::Joined(algorithm), signed),
        }
    }

    /// Whether such a signature can be made with it.
    fn fits(&self, algorithm: jwt::Algorithm) -> bool {
        match &self.private {
            Private::Shared(_) => algorithm.is_symmetric(),
            Private::Pair(pair) => KeyType::of_joined(algorithm) == Some(pair.key_type()),
        }
    }
}
