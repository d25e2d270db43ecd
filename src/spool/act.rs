//! What did an operator do? One act, as it is written down.

use crate::clock::Timestamp;
use std::fmt;

/// Something that an operator did, as it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Its place in the chain; the first is 1.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who, as they called themselves.
    pub actor: String,
    /// What: a verb.
    pub what: String,
    /// Upon what: an event, a destination, a policy.
    pub about: String,
    /// Why, in the actor's words; may be empty.
    pub reason: String,
    /// The digest of the act before; of the first, none.
    pub before: Digest,
}

/// What an act is known by to the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest(pub(super) [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl Act {
    /// One that stands nowhere yet.
    pub(super) fn new(at: Timestamp, by: By<'_>, what: &str, about: &str) -> Self {
        Self {
            number: 0,
            at,
            actor: by.actor.to_owned(),
            what: what.to_owned(),
            about: about.to_owned(),
            reason: by.reason.to_owned(),
            before: Digest::default(),
        }
    }
}

/// Who acts, and why.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// As they call themselves.
    pub actor: &'a str,
    /// In their words; may be empty.
    pub reason: &'a str,
}
