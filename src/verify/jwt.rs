//! Who does this token speak for? Reads a bearer token strictly, believes it for one issuer, and makes a [`Bearer`].
//!
//! RFC 8725 point by point: the algorithm must be in the issuer's list *and* be one of the key's own (a [`Key`] has its
//! verifiers by algorithm, so that there is nothing to confuse); every header that names or carries a key (`jku`,
//! `x5u`, `x5c`, `jwk`) is left unread; claims are read after the signature held, never before.
//!
//! The primitives are aws-lc-rs, called directly: `jsonwebtoken` 10 goes to the same library, but copies and parses
//! the key again for each token, reads header and claims leniently (the last of two equal members wins), and cannot
//! say why it refused. It is what our tests compare us with.

mod algorithm;
mod bearer;
mod cache;
mod challenge;
mod claims;
mod compact;
mod issuer;
mod issuers;
mod jwk;
mod key;
mod key_set;
mod pem;
mod place;
mod refresh;
pub(super) mod sender;
#[cfg(test)]
mod tests;
mod trial;

pub use algorithm::Algorithm;
pub use bearer::{Bearer, Token, authenticate};
pub use cache::Cache;
pub use challenge::challenge;
pub use issuer::{BadTerms, Demand, Issuer, Kinds, LEEWAY, LEEWAY_MAX, SUBJECT_MAX_BYTES, Terms, TokenRule};
pub use issuers::{Issuers, Ring};
pub use jwk::{SET_MAX_BYTES, Skipped};
pub use key::{BadKey, Key};
pub use key_set::{BadKeySet, KeySet};
pub use place::Place;
pub use refresh::Refresh;
pub use trial::Trial;
pub(super) use trial::{mac, padding};

use data_encoding::BASE64URL_NOPAD;

/// The one spelling: no padding, no blanks, no bits that a decoder would throw away.
fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()
}
