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

/// A shorter one can be found by trying. Vendors' have 32 characters and more.
const BYTES_MIN: usize = 16;

impl Handed {
    /// `None` if this cannot be a key of the sender's: not as it writes them, or too short.
    pub(super) fn new(text: String, scheme: &Scheme) -> Option<Self> {
        let text = Zeroizing::new(text);
        let key = scheme.key(&text).ok()?;
        (key.len_bytes() >= BYTES_MIN).then_some(Self { text, key: None })
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
