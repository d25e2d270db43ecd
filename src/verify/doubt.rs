//! Would a signature hold, if? For tools that ask why one does not: nothing that is learnt here makes a
//! [`Verified`](super::Verified).

use super::{
    Config, Key, Provider,
    message::{self, ALGORITHMS},
    scheme::{Account, Covered},
};
use crate::{
    clock::Timestamp,
    request::{Head, Unverified},
    verdict::Rejection,
};
use std::time::Duration;

/// A signature that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The label of the key that made it.
    pub key_id: String,
    /// When it says that it was made.
    pub signed_at: Option<Timestamp>,
    /// From when on it says that it is good.
    pub from: Option<Timestamp>,
    /// Until when, with what its sender may be off.
    pub until: Option<Timestamp>,
    /// The same as it is written.
    pub expires: Option<Timestamp>,
}

/// An HTTP message signature that holds, whatever body came with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldMessage {
    /// As of every other.
    pub held: Held,
    /// The algorithm that it says itself, where one of the keys made it with another.
    pub says: Option<String>,
    /// Whether it covers the digest of the content.
    pub covers_digest: bool,
}

/// A token that one of the keys made, whatever times it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldToken {
    /// The label of the key.
    pub key_id: String,
    /// How long after its end it is still taken.
    pub leeway: Duration,
}

/// Whether one of these keys made the signature of this request, as this sender signs, with what the policy says of it. No
/// clock is asked.
///
/// # Errors
/// As [`verify`](super::verify), but for the ages.
pub fn holds(
    provider: &Provider,
    keys: &[&Key],
    request: &Unverified,
    public_url: Option<&str>,
    config: &Config,
) -> Result<Held, Rejection> {
    provider.scheme.certificate(request)?;
    let authentic = provider.scheme.authenticate(keys, request, Account { public_url, config })?;
    let (signed_at, lifetime) = (authentic.signed_at, authentic.lifetime);
    let (from, until, expires) = (lifetime.from, lifetime.until, lifetime.expires);
    Ok(Held { key_id: authentic.key_id, signed_at, from, until, expires })
}

/// The same of an HTTP message signature, whatever body came with it, whichever algorithm it says, and whether or not it says
/// when it was made.
///
/// # Errors
/// As there.
pub fn holds_but_for_body(
    keys: &[&Key],
    request: &Unverified,
    public_url: Option<&str>,
    config: &Config,
) -> Result<HeldMessage, Rejection> {
    let covered = Covered::find(&request.head, Account { public_url, config })?;
    let key_id = covered.signer(keys).ok_or(Rejection::SignatureMismatch)?.id.clone();
    let lifetime = covered.lifetime()?;
    let (until, expires) = (lifetime.until, lifetime.expires);
    let held = Held { key_id, signed_at: covered.created()?, from: None, until, expires };
    let says = covered.other_algorithm()?.map(str::to_owned);
    Ok(HeldMessage { held, says, covers_digest: covered.covers_digest()? })
}

/// The same of a token, whatever times it says.
///
/// # Errors
/// As there.
pub fn holds_but_for_times(
    provider: &Provider,
    keys: &[&Key],
    request: &Unverified,
    public_url: Option<&str>,
    config: &Config,
) -> Result<HeldToken, Rejection> {
    let (key, leeway) = provider.scheme.timeless(keys, request, Account { public_url, config })?;
    Ok(HeldToken { key_id: key.id.clone(), leeway })
}

/// Whether the `content-digest` of this head is that of this body (RFC 9530).
///
/// # Errors
/// It is not there, or none.
pub fn is_digest_of(head: &Head, body: &[u8]) -> Result<bool, Rejection> {
    message::is_of(head, body)
}

/// The algorithms of HTTP message signatures, as a policy names them.
pub fn message_algorithms() -> impl Iterator<Item = &'static str> {
    ALGORITHMS.iter().map(|(name, _)| *name)
}
