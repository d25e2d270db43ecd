//! Would a signature hold, if? For tools that ask why one does not: nothing that is learnt here makes a
//! [`Verified`](super::Verified).

use super::{Config, Key, Provider, scheme::Account};
use crate::{clock::Timestamp, request::Unverified, verdict::Rejection};

/// A signature that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The label of the key that made it.
    pub key_id: String,
    /// When it says that it was made.
    pub signed_at: Option<Timestamp>,
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
    let authentic = provider.scheme.authenticate(keys, request, Account { public_url, config })?;
    Ok(Held { key_id: authentic.key_id, signed_at: authentic.signed_at })
}
