//! Which secrets and keys there are, and where; never the secrets.

use crate::{
    clock::Timestamp,
    secret::Secret,
    verify::{BadKey, Provider, jwt::Algorithm},
};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// The keys of one name, for one provider.
#[derive(Clone, Debug)]
pub struct KeyReference {
    /// As [`Webhook::keys`](crate::verify::Webhook::keys) has it: `KEYS/PROVIDER`, so that two providers may share a list
    /// and decode it each in its own way; `KEYS/PROVIDER/ALG` where a policy says the algorithm; `KEYS/verify_token` for words that validation calls say, `KEYS/confirm_key` for
    /// what a vendor's API wants.
    pub name: String,
    /// What they are keys of.
    pub kind: KeyKind,
    /// In the order of the file.
    pub entries: Vec<KeyEntry>,
}

/// What a list of keys is for, and so how its texts are decoded.
#[derive(Clone, Debug)]
pub enum KeyKind {
    /// Signatures of this sender, made with this algorithm where that is the policy's to say.
    Signatures(Arc<Provider>, Option<Algorithm>),
    /// Validation calls: the text itself.
    VerifyToken,
    /// The vendor's API, which wants this text.
    Api,
}

/// One key.
#[derive(Clone, Debug)]
pub struct KeyEntry {
    /// A label; never the secret.
    pub id: String,
    /// Where it is.
    pub from: Reference,
    /// From the start of this day, UTC, it verifies nothing.
    pub retire: Option<Timestamp>,
}

/// One issuer, and where its keys are.
#[derive(Clone, Debug)]
pub struct IssuerReference {
    /// What routes call it.
    pub name: String,
    /// What it signs with.
    pub algorithms: Vec<Algorithm>,
    /// Where its keys are; never the keys.
    pub keys: IssuerKeys,
}

/// Where an issuer's keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerKeys {
    /// A JWK Set that is fetched, and fetched again.
    Jwks(Jwks),
    /// Public keys in PEM.
    Pem(Reference),
    /// A shared secret, or a JWK Set in a file.
    From(Reference),
}

/// A JWK Set on the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwks {
    /// `https://`, but for this machine.
    pub url: String,
    /// It may be at an address that the internet does not reach.
    pub private: bool,
    /// How often it is fetched.
    pub refresh: Duration,
    /// How long what was fetched may be used while nothing newer can be had.
    pub stale: Duration,
}

/// How WordPress is told who shows a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityReference {
    /// Where the secret is that the gate and WordPress share.
    pub sign: Reference,
    /// WordPress's `home_url()`.
    pub audience: String,
}

/// Where a secret is; never the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// `env:NAME`.
    Env(String),
    /// `file:/path`; refused if others may read it.
    File(PathBuf),
    /// `handed:/path`: the same file, which the gate writes when the sender hands the key over.
    Handed(PathBuf),
}

impl KeyKind {
    /// What every one of them looks like, where the vendor says so.
    pub fn key_pattern(&self) -> Option<&str> {
        match self {
            Self::Signatures(provider, _) => provider.scheme.key_pattern(),
            Self::VerifyToken | Self::Api => None,
        }
    }

    /// The key of this text.
    ///
    /// # Errors
    /// [`BadKey`], which never shows the text.
    pub fn decode(&self, text: &str) -> Result<Secret, BadKey> {
        match self {
            Self::Signatures(provider, said) => provider.scheme.key_of(*said, text),
            Self::VerifyToken | Self::Api => Secret::new(text.trim_ascii_end()).map_err(|_| BadKey::Empty),
        }
    }
}
