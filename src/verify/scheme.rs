//! How one sender signs, as data. (seam: to be written)

use super::{Coverage, Key};
use crate::{clock::Timestamp, request::Unverified, verdict::Rejection};
use std::borrow::Cow;

/// One signature scheme, compiled.
#[derive(Clone, Debug)]
pub struct Scheme {
    pub(super) coverage: Coverage,
}

/// What a scheme learnt from a good signature.
pub(super) struct Authentic<'a> {
    pub(super) key: &'a Key,
    /// The bytes that were signed, piece by piece.
    pub(super) signed: Vec<Cow<'a, [u8]>>,
    /// The sender's id for the event, if the signature covers it. An id that anyone can change protects nobody.
    pub(super) id: Option<&'a str>,
    pub(super) signed_at: Option<Timestamp>,
}

impl Scheme {
    /// What a good signature vouches for.
    pub fn coverage(&self) -> Coverage {
        self.coverage
    }

    pub(super) fn authenticate<'a>(
        &self,
        _keys: &[&'a Key],
        _request: &'a Unverified,
        _public_url: Option<&str>,
    ) -> Result<Authentic<'a>, Rejection> {
        Err(Rejection::SignatureMissing)
    }
}
