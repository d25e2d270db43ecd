//! What stands where the key of a message signature (RFC 9421) is wanted, and is it of the kind that the policy's `alg` is held
//! against?

use super::{BadKey, KeyType, Scheme};
use crate::{
    secret::Secret,
    verify::{
        jwt::{Algorithm, sender},
        message::ALGORITHMS,
    },
};
use data_encoding::BASE64;

/// A key of another kind than the policy's `alg` is held against. Says nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`alg: {}` is held against {}, and this is {}; {}", self.name(), self.wanted(), self.what(), self.mend())]
pub struct UnfitKey {
    said: Algorithm,
    found: Found,
}

/// What stands where a key is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    PublicKey,
    PrivateKey,
    Certificate,
    OtherPem,
    Base64,
    /// What stands in PEM, without the lines around it.
    BarePublicKey,
    Neither,
}

/// What a key may be while nobody says the algorithm.
const EITHER: &str = "base64, or a public key in PEM";

impl Found {
    fn of(text: &str) -> Self {
        let Some(pem) = text.trim_start().strip_prefix("-----BEGIN ") else {
            return match BASE64.decode(text.as_bytes()) {
                Ok(bytes) if is_public_key(&bytes) => Self::BarePublicKey,
                Ok(_) => Self::Base64,
                Err(_) => Self::Neither,
            };
        };
        let label = pem.split("-----").next().unwrap_or_default();
        if label.ends_with("PRIVATE KEY") {
            return Self::PrivateKey;
        }
        let public: Vec<_> = ALGORITHMS.iter().map(|(_, it)| *it).filter(|it| !it.is_symmetric()).collect();
        match label {
            _ if sender::public_keys(text, &public).is_ok() => Self::PublicKey,
            "CERTIFICATE" => Self::Certificate,
            _ => Self::OtherPem,
        }
    }

    /// A public key is no shared secret, whoever asks for one: everybody may have it.
    fn fits(self, text: &str, said: Algorithm) -> bool {
        match self {
            Self::Base64 => said.is_symmetric(),
            Self::PublicKey => !said.is_symmetric() && sender::public_keys(text, &[said]).is_ok(),
            Self::PrivateKey | Self::Certificate | Self::OtherPem | Self::BarePublicKey | Self::Neither => false,
        }
    }
}

/// A `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7) or PEM: two sequences, the outer one as long as all of it. No random secret
/// looks so.
fn is_public_key(bytes: &[u8]) -> bool {
    const SEQUENCE: u8 = 0x30;
    let (length, rest) = match bytes {
        [SEQUENCE, 0x81, length, rest @ ..] => (usize::from(*length), rest),
        [SEQUENCE, 0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [SEQUENCE, length, rest @ ..] if *length < 0x80 => (usize::from(*length), rest),
        _ => return bytes.starts_with(b"-----BEGIN"),
    };
    length == rest.len() && rest.first() == Some(&SEQUENCE)
}

impl UnfitKey {
    fn name(self) -> &'static str {
        ALGORITHMS.iter().find(|(_, algorithm)| *algorithm == self.said).map_or(self.said.name(), |(name, _)| name)
    }

    fn wanted(self) -> &'static str {
        match KeyType::of_joined(self.said) {
            None => "a shared secret",
            Some(KeyType::Ed25519) => "the sender's public key, one of Ed25519",
            Some(KeyType::P256) => "the sender's public key, one on P-256",
            Some(KeyType::P384) => "the sender's public key, one on P-384",
            Some(KeyType::Rsa) => "the sender's public key, one of RSA with 2048 bits or more",
        }
    }

    fn what(self) -> &'static str {
        match self.found {
            Found::PublicKey | Found::BarePublicKey if self.said.is_symmetric() => {
                "a public key, which everybody may have"
            }
            Found::BarePublicKey => "a public key without its lines of PEM",
            Found::PublicKey => "a public key of another kind",
            Found::PrivateKey => "a private key, which is its owner's alone",
            Found::Certificate => "a certificate",
            Found::OtherPem => "PEM that cannot be read",
            Found::Base64 => "a text in base64, as a shared secret is",
            Found::Neither => "neither base64 nor PEM",
        }
    }

    fn mend(self) -> &'static str {
        match self.found {
            _ if self.said.is_symmetric() => {
                "write the shared secret in base64, or the `alg` that the sender signs with"
            }
            Found::PrivateKey => "write what `openssl pkey -pubout -in FILE` makes of it",
            Found::Certificate => "write what `openssl x509 -pubkey -noout -in FILE` makes of it",
            Found::PublicKey | Found::OtherPem | Found::Base64 | Found::BarePublicKey | Found::Neither => {
                "write that key in PEM (`-----BEGIN PUBLIC KEY-----`), or the `alg` that the sender signs with"
            }
        }
    }
}

impl Scheme {
    /// A public key in PEM, or a shared secret in base64: of what the policy's algorithm is held against, where it is known.
    pub(super) fn key_of_messages(text: &str, said: Option<Algorithm>) -> Result<Secret, BadKey> {
        let found = Found::of(text);
        if let Some(said) = said.filter(|said| !found.fits(text, *said)) {
            return Err(UnfitKey { said, found }.into());
        }
        match found {
            Found::PublicKey => Secret::new(text.trim_start().as_bytes()).map_err(|_| BadKey::Empty),
            Found::Base64 | Found::BarePublicKey => {
                let bytes = BASE64.decode(text.as_bytes()).map_err(|_| BadKey::Undecodable(EITHER))?;
                Secret::new(bytes).map_err(|_| BadKey::Empty)
            }
            Found::PrivateKey | Found::Certificate | Found::OtherPem => Err(BadKey::Undecodable("a public key in PEM")),
            Found::Neither => Err(BadKey::Undecodable(EITHER)),
        }
    }
}
