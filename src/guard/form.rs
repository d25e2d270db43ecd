//! Forms that stream by: from a candidate field on, nothing more goes upstream until its value is classified.
//! (seam: to be written)

use bytes::Bytes;

/// How a form body is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `application/x-www-form-urlencoded`.
    Urlencoded,
    /// `multipart/form-data` with this boundary.
    Multipart(String),
    /// Says that it is a form, and cannot be read as one: refused where any guard looks into forms.
    Unreadable,
}

/// Reads one form body as it streams by.
#[derive(Debug)]
pub struct Scanner {
    _kind: Kind,
}

/// What may be done with what has been read so far.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// These bytes may go upstream; the scanner keeps the rest until it knows more.
    Pass(Bytes),
    /// The form names a guarded endpoint, or cannot be read: nothing more goes upstream.
    Refuse,
}

impl Scanner {
    pub(super) fn new(kind: Kind) -> Self {
        Self { _kind: kind }
    }

    /// Takes the next piece of the body; `end` says that it is the last one.
    pub fn feed(&mut self, chunk: &Bytes, _end: bool) -> Verdict {
        Verdict::Pass(chunk.clone())
    }
}
