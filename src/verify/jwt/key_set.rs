//! The keys of one issuer at one moment, and which of them a token means.

use super::{
    Algorithm, BadKey, Key, Skipped,
    jwk::{self, From},
    pem,
};
use crate::{
    clock::Timestamp,
    verdict::{Fault, Refusal, TokenFlaw},
};
use sha2::{Digest as _, Sha256};
use std::time::Duration;

/// A snapshot beside the policy. Fetching it is somebody else's work: no request waits for that.
#[expect(missing_debug_implementations, reason = "can hold secrets")]
pub struct KeySet {
    keys: Vec<Key>,
    fetched: Option<Fetched>,
    generation: [u8; 32],
}

#[derive(Clone, Copy)]
struct Fetched {
    at: Timestamp,
    /// A revoked key must not verify for ever, only because nobody could be asked.
    stale: Duration,
}

/// A set that was fetched just now has no key that it will have in a minute: issuers publish before they sign.
const FRESH: Duration = Duration::from_secs(60);

/// Why a text is no set of keys. The set before it, if there is one, stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKeySet {
    /// More than 64 KiB.
    #[error("more than {} KiB, so it is no key set", jwk::SET_MAX_BYTES / 1024)]
    TooLong,
    /// More than 32.
    #[error("more than {} keys", jwk::KEYS_MAX)]
    TooMany,
    /// Not JSON with one meaning, or without `keys`.
    #[error("not a JWK Set: an object with a list `keys`")]
    Unreadable,
    /// Whoever read it can sign.
    #[error("the set has a private key in it: whoever read it can sign; tell the issuer to replace that key")]
    PrivateKey,
    /// Two usable keys under one name.
    #[error("two keys have the same `kid`")]
    IdTwice,
    /// Nothing in it could verify a token.
    #[error("no key in it fits the issuer's `algorithms`")]
    Empty,
    /// The only key is not good.
    #[error(transparent)]
    Key(#[from] BadKey),
}

impl KeySet {
    /// Public keys in PEM, without ids.
    ///
    /// # Errors
    /// [`BadKeySet::Key`] for the first that is not good.
    pub fn from_pem(text: &str, algorithms: &[Algorithm]) -> Result<Self, BadKeySet> {
        let keys = pem::read(text, algorithms)?;
        if keys.len() > jwk::KEYS_MAX { Err(BadKeySet::TooMany) } else { Ok(Self::new(keys, None)) }
    }

    /// One shared secret, without an id.
    ///
    /// # Errors
    /// [`BadKeySet::Key`] if it is too short for one of the algorithms, or no secret at all.
    pub fn from_secret(secret: &[u8], algorithms: &[Algorithm]) -> Result<Self, BadKeySet> {
        Ok(Self::new(vec![Key::mac(None, secret, algorithms)?], None))
    }

    /// A JWK Set from a file that only the gate can read.
    ///
    /// # Errors
    /// [`BadKeySet`] if there is no usable key in it, or something that must not be.
    pub fn from_jwks(raw: &[u8], algorithms: &[Algorithm]) -> Result<(Self, Vec<Skipped>), BadKeySet> {
        Self::jwks(raw, From::File, algorithms, None)
    }

    /// A JWK Set that was fetched at this moment, and may be used for as long as `stale` says.
    ///
    /// # Errors
    /// As [`Self::from_jwks`].
    pub fn fetched(
        raw: &[u8],
        algorithms: &[Algorithm],
        at: Timestamp,
        stale: Duration,
    ) -> Result<(Self, Vec<Skipped>), BadKeySet> {
        Self::jwks(raw, From::Network, algorithms, Some(Fetched { at, stale }))
    }

    /// Before the first fetch: every token is answered with [`Fault::KeysUnavailable`].
    pub fn not_yet() -> Self {
        Self::new(Vec::new(), Some(Fetched { at: Timestamp::default(), stale: Duration::ZERO }))
    }

    /// Of one key that was made here.
    pub(super) fn of(key: Key) -> Self {
        Self::new(vec![key], None)
    }

    fn jwks(
        raw: &[u8],
        from: From,
        algorithms: &[Algorithm],
        fetched: Option<Fetched>,
    ) -> Result<(Self, Vec<Skipped>), BadKeySet> {
        let (keys, skipped) = jwk::read(raw, from, algorithms)?;
        if keys.is_empty() { Err(BadKeySet::Empty) } else { Ok((Self::new(keys, fetched), skipped)) }
    }

    fn new(keys: Vec<Key>, fetched: Option<Fetched>) -> Self {
        let generation = keys.iter().fold(Sha256::new(), |digest, key| digest.chain_update(key.mark())).finalize();
        Self { keys, fetched, generation: generation.into() }
    }

    /// All of them.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Changes with any key, and with nothing else: fetching the same keys again forgets no verified token.
    pub(super) fn generation(&self) -> &[u8; 32] {
        &self.generation
    }

    /// Whether it may be used at all.
    pub(super) fn in_force(&self, now: Timestamp) -> Result<(), Fault> {
        let in_force = self.fetched.is_none_or(|fetched| now < fetched.at + fetched.stale);
        if in_force { Ok(()) } else { Err(Fault::KeysUnavailable) }
    }

    /// The key that a token means: the one with its id, letter for letter.
    ///
    /// Where nothing has an id (PEM, a secret), or the token names none, it is the only key that fits the algorithm. If
    /// there are several, none is tried: the stranger would choose how much we compute, and the log could not say which
    /// key was meant.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm, now: Timestamp) -> Result<&Key, Refusal> {
        let named = self.keys.iter().any(|key| key.id().is_some());
        let key = match id.filter(|_| named) {
            Some(id) => self.keys.iter().find(|key| key.id() == Some(id)).ok_or_else(|| self.unknown(now))?,
            None => self.sole(algorithm).map_err(refused)?,
        };
        if key.fits(algorithm) { Ok(key) } else { Err(refused(TokenFlaw::KeyMisfit)) }
    }

    fn sole(&self, algorithm: Algorithm) -> Result<&Key, TokenFlaw> {
        let mut fitting = self.keys.iter().filter(|key| key.fits(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(TokenFlaw::KeyAmbiguous),
            (None, _) => Err(TokenFlaw::KeyMisfit),
        }
    }

    /// The sender's fault if we can be sure of it. Else a rotation that we have not seen would be answered with 401,
    /// and clients throw their tokens away for that.
    fn unknown(&self, now: Timestamp) -> Refusal {
        let fresh = self.fetched.is_none_or(|fetched| now.since(fetched.at).is_some_and(|age| age <= FRESH));
        if fresh { refused(TokenFlaw::KeyUnknown) } else { Refusal::Failed(Fault::KeyPending) }
    }
}

fn refused(flaw: TokenFlaw) -> Refusal {
    Refusal::Rejected(flaw.into())
}
