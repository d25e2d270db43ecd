//! Where the signature is, and how one header carries one or several.

use crate::verdict::Rejection;
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};

#[derive(Clone, Debug)]
pub(super) struct Signature {
    pub(super) header: String,
    pub(super) shape: Shape,
    /// Literal text before each encoded signature; entries of a list without it are of another version, and skipped.
    pub(super) prefix: String,
    pub(super) encoding: Encoding,
}

/// How one header carries one signature or several.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Raw,
    List { separator: String },
    Pairs { separator: String, equals: String, item: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Hex,
    Base64,
    Base64Url,
}

/// Senders rotate between a few keys; more entries only make us compute more.
const SIGNATURES_MAX: usize = 16;

impl Signature {
    /// Every signature of the right version that can be decoded strictly.
    pub(super) fn claimed(&self, header: &str) -> Result<Vec<Vec<u8>>, Rejection> {
        let entries: Vec<&str> = match &self.shape {
            Shape::Raw => vec![header],
            Shape::List { separator } => header.split(separator.as_str()).collect(),
            Shape::Pairs { separator, equals, item } => {
                pairs(header, separator, equals).filter(|(name, _)| name == item).map(|(_, value)| value).collect()
            }
        };
        let versioned = entries.iter().filter_map(|entry| entry.strip_prefix(self.prefix.as_str()));
        let decoded: Vec<_> = versioned.take(SIGNATURES_MAX).filter_map(|text| self.encoding.read(text)).collect();
        if decoded.is_empty() { Err(Rejection::SignatureMalformed) } else { Ok(decoded) }
    }
}

pub(super) fn pairs<'h>(header: &'h str, separator: &str, equals: &str) -> impl Iterator<Item = (&'h str, &'h str)> {
    header.split(separator).filter_map(move |pair| pair.split_once(equals))
}

impl Encoding {
    /// The one spelling that senders emit: lower-case hex, canonical base64.
    fn read(self, text: &str) -> Option<Vec<u8>> {
        let text = text.as_bytes();
        match self {
            Self::Hex => HEXLOWER.decode(text),
            Self::Base64 => BASE64.decode(text),
            Self::Base64Url => BASE64URL_NOPAD.decode(text),
        }
        .ok()
    }

    pub(super) fn write(self, digest: &[u8]) -> String {
        match self {
            Self::Hex => HEXLOWER.encode(digest),
            Self::Base64 => BASE64.encode(digest),
            Self::Base64Url => BASE64URL_NOPAD.encode(digest),
        }
    }
}
