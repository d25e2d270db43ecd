//! Would a signature hold, if? For tools that ask why one does not: nothing that is learnt here makes a
//! [`Verified`](super::Verified).

use super::{
    Config, Key, Provider,
    jwt::sender,
    message::{self, ALGORITHMS, Shown, Wanted},
    scheme::Account,
};
use crate::{clock::Timestamp, request::Unverified, verdict::Rejection};
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
    let said = |name: &str| config.get(name).map(String::as_str);
    let wanted = Wanted { label: said("label"), tag: said("tag"), key_id: said("keyid") };
    let shown = Shown::find(&request.head, wanted)?;
    let known = ALGORITHMS.iter().find(|(name, _)| Some(*name) == said("alg"));
    let (name, algorithm) = known.ok_or(Rejection::SignatureMismatch)?;
    if shown.algorithm()?.is_some_and(|said| said != *name) {
        return Err(Rejection::SignatureMismatch);
    }
    let demanded = match said("components") {
        Some(written) => message::components(written).map_err(|_| Rejection::SignatureMismatch)?,
        None => Vec::new(),
    };
    if !shown.covers(&demanded)? {
        return Err(Rejection::SignatureMissing);
    }
    let base = shown.base(&request.head, public_url)?;
    let made = |key: &&&Key| sender::verifies(*algorithm, &key.secret, base.as_bytes(), &shown.signature);
    let key_id = keys.iter().find(made).ok_or(Rejection::SignatureMismatch)?.id.clone();
    Ok(Held {
        key_id,
        signed_at: shown.time("created")?,
        from: None,
        until: shown.time("expires")?.map(|last| last + Duration::from_secs(1)),
    })
}

/// The algorithms of HTTP message signatures, as a policy names them.
pub fn message_algorithms() -> impl Iterator<Item = &'static str> {
    ALGORITHMS.iter().map(|(name, _)| *name)
}
