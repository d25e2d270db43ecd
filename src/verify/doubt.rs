//! Would a signature hold, if? For tools that ask why one does not: nothing that is learnt here makes a
//! [`Verified`](super::Verified).

use super::{
    Config, Key, Provider,
    message::ALGORITHMS,
    scheme::{Account, Covered},
};
use crate::{clock::Timestamp, request::Unverified, verdict::Rejection};

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
    Ok(Held { key_id: authentic.key_id, signed_at, from: lifetime.from, until: lifetime.until })
}

/// The same of an HTTP message signature, whatever body came with it, and whether or not it says when it was made.
///
/// # Errors
/// As there.
pub fn holds_but_for_body(
    keys: &[&Key],
    request: &Unverified,
    public_url: Option<&str>,
    config: &Config,
) -> Result<Held, Rejection> {
    let covered = Covered::find(&request.head, Account { public_url, config })?;
    let key_id = covered.signer(keys).ok_or(Rejection::SignatureMismatch)?.id.clone();
    Ok(Held { key_id, signed_at: covered.created()?, from: None, until: covered.until()? })
}

/// The algorithms of HTTP message signatures, as a policy names them.
pub fn message_algorithms() -> impl Iterator<Item = &'static str> {
    ALGORITHMS.iter().map(|(name, _)| *name)
}
