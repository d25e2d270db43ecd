//! What stands in the place of a value.

use crate::{
    json::{Kind, Node},
    verify::Keys,
};
use data_encoding::BASE32_NOPAD;
use std::{cmp::Reverse, fmt};

/// What becomes of a value; the later in this list, the more of it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum How {
    /// So many characters of a text stay; anything else is masked. The fewer, the later.
    Truncate(Reverse<usize>),
    /// A name for the value that is the same for every event, and tells nothing without the gate's own secret.
    Pseudonym,
    /// A word that says so.
    Mask,
    /// Nothing.
    Drop,
}

/// Stands where a value was. No sender writes it by chance.
pub(super) const MASK: &str = "[masked]";

impl How {
    /// The text that stands in the place of this value; none if it stays as it is. `Drop` is done by the container, and
    /// is a mask where there is none.
    pub(super) fn text(self, node: &Node, keys: &Keys) -> Option<String> {
        match (self, &node.kind) {
            (Self::Truncate(Reverse(length)), Kind::String(text)) => truncated(text, length),
            (Self::Pseudonym, Kind::String(text)) => Some(pseudonym(keys, text)),
            (Self::Pseudonym, _) => Some(pseudonym(keys, &node.to_value().to_string())),
            (Self::Truncate(_) | Self::Mask | Self::Drop, _) => Some(MASK.to_owned()),
        }
    }

    /// As [`Self::text`], of a value that is nothing but text.
    pub(super) fn of_text(self, text: &str, keys: &Keys) -> Option<String> {
        match self {
            Self::Truncate(Reverse(length)) => truncated(text, length),
            Self::Pseudonym => Some(pseudonym(keys, text)),
            Self::Mask | Self::Drop => Some(MASK.to_owned()),
        }
    }
}

/// As a policy writes it.
impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncate(Reverse(length)) => write!(f, "truncate, characters: {length}"),
            Self::Pseudonym => f.write_str("pseudonym"),
            Self::Mask => f.write_str("mask"),
            Self::Drop => f.write_str("drop"),
        }
    }
}

fn truncated(text: &str, length: usize) -> Option<String> {
    let (end, _) = text.char_indices().nth(length)?;
    text.get(..end).map(str::to_owned)
}

/// 128 bits of a keyed digest: one that nobody else can compute, and so nobody can try all telephone numbers. The text
/// as it is meant: escapes make no other pseudonym, and neither does `1` for `"1"`.
fn pseudonym(keys: &Keys, text: &str) -> String {
    BASE32_NOPAD.encode(&keys.memory().fingerprint(&[b"pseudonym\0", text.as_bytes()])).to_ascii_lowercase()
}
