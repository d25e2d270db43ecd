//! Who could have made a signature that says more than whether it holds: a token, an HTTP message signature.

use super::{Cause, Examination, Found, secrets::Candidate};
use crate::verify::Key;

/// Keys that are asked together, and what it would mean if one of them made it.
pub(super) struct Signer<'k> {
    pub(super) keys: Vec<&'k Key>,
    /// Everybody may have them: they prove nothing as shared secrets.
    pub(super) are_public: bool,
    pub(super) cause: Option<Cause>,
}

impl<'a> Examination<'a> {
    /// The route's own keys, which mean nothing; then each other one by itself.
    pub(super) fn signers<'k>(&self, candidates: &'k [Candidate]) -> Vec<Signer<'k>>
    where
        'a: 'k,
    {
        let own =
            Signer { keys: self.keys.clone(), are_public: self.patient.own().any(|key| key.is_public), cause: None };
        let other = |Candidate { key, cause, is_public }: &'k Candidate| Signer {
            keys: vec![key],
            are_public: *is_public,
            cause: Some(cause.clone()),
        };
        std::iter::once(own).chain(candidates.iter().map(other)).collect()
    }
}

/// The first of those who made it, with what was found. The route's own keys come first; several others cannot be told apart.
pub(super) fn sole<'s, 'k, T>(
    signers: &'s [Signer<'k>],
    mut made: impl FnMut(&'s Signer<'k>) -> Option<T>,
) -> Result<Option<(&'s Signer<'k>, T)>, Found> {
    let mut found = Vec::new();
    for signer in signers {
        found.extend(made(signer).map(|what| (signer, what)));
        if signer.cause.is_none() && !found.is_empty() {
            break;
        }
    }
    if found.len() > 1 { Err(Found::Ambiguous(found.len())) } else { Ok(found.pop()) }
}
