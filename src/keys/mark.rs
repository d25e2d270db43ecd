//! Has what a policy's references stand for changed? Told without a word of it staying in memory.

use super::{Environment, addresses, read};
use crate::{
    clock::Timestamp,
    policy::{Destination, IssuerKeys, Policy, Reference},
};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// Compares equal as long as every secret and every list of addresses that the policy refers to is the same, or fails in the
/// same way. Keyed by
/// `by`, so that it says nothing about them outside of this process. Keys that are retired by `now` may go.
pub fn mark(policy: &Policy, environment: Environment<'_>, now: Timestamp, by: &RandomState) -> u64 {
    let keys = policy.keys.iter().flat_map(|reference| &reference.entries);
    let keys = keys.filter(|entry| entry.retire.is_none_or(|retire| now < retire)).map(|entry| &entry.from);
    let secrets = policy.destinations.iter().filter_map(Destination::secret);
    let issuers = policy.issuers.iter().filter_map(|issuer| match &issuer.keys {
        IssuerKeys::Pem(reference) | IssuerKeys::From(reference) => Some(reference),
        IssuerKeys::Jwks(_) => None,
    });
    let identity = policy.identity.as_ref().map(|identity| &identity.sign);
    let mut hasher = by.build_hasher();
    for reference in keys.chain(secrets).chain(issuers).chain(identity).chain(&policy.secret) {
        hasher.write_u64(match read::resolve(reference, environment) {
            Ok(text) => by.hash_one((true, name(reference), text.as_str())),
            Err(trouble) => by.hash_one((false, name(reference), trouble.to_string().as_str())),
        });
    }
    for path in addresses::files(policy) {
        hasher.write_u64(by.hash_one((path, addresses::text(path).map_err(|trouble| trouble.to_string()))));
    }
    hasher.finish()
}

fn name(reference: &Reference) -> &std::ffi::OsStr {
    match reference {
        Reference::Env(name) => name.as_ref(),
        Reference::File(path) | Reference::Handed(path) => path.as_os_str(),
    }
}
