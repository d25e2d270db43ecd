//! A key that a vendor has just handed over.

use crate::verify::Scheme;
use std::fmt;
use zeroize::Zeroizing;

/// As the vendor wrote it. Nobody sees it again: not in a log, not in an error.
#[derive(Clone)]
pub struct Handed {
    text: Zeroizing<String>,
    /// Under which label it is to be kept, once the route is known to be armed.
    pub key: Option<String>,
}

/// Why what was handed over cannot be a key of the sender's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Whoever tries them all finds it.
    TooShort,
    /// Not as its sender writes keys.
    Unreadable,
}

/// A shorter one can be found by trying. Vendors' have 32 characters and more.
const BYTES_MIN: usize = 16;

impl Handed {
    pub(super) fn new(text: String, scheme: &Scheme) -> Result<Self, Unfit> {
        let text = Zeroizing::new(text);
        let key = scheme.key_of(None, &text).map_err(|_| Unfit::Unreadable)?;
        if key.len_bytes() >= BYTES_MIN { Ok(Self { text, key: None }) } else { Err(Unfit::TooShort) }
    }

    /// For whoever keeps it.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Handed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handed").field("key", &self.key).finish_non_exhaustive()
    }
}
