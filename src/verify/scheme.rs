//! How does one sender sign? A scheme is data, compiled from its catalogue entry, and works in both directions:
//! `authenticate` believes or refuses, [`sign`](Scheme::sign) makes what it believes.

mod algorithm;
mod authenticate;
mod compile;
mod form;
mod key;
mod parts;
mod sign;
mod signature;
pub mod text;

pub use algorithm::BadPublicKey;
pub use key::BadKey;
pub(super) use parts::Piece;
pub use sign::{Signed, SigningKey, Unsigned};

use super::Coverage;
use crate::{request::Head, secret::Secret, verdict::Rejection};
use algorithm::Algorithm;
use data_encoding::HEXLOWER;
use key::KeyFormat;
use parts::{Part, Place, TimeFormat};
use signature::Signature;

/// One signature scheme, compiled.
#[derive(Clone, Debug)]
pub struct Scheme {
    algorithm: Algorithm,
    /// A header by which the sender says which of several algorithms it used.
    chosen: Option<Chosen>,
    key: KeyFormat,
    signature: Signature,
    message: Vec<Part>,
    time: Option<Time>,
    /// The header with the sender's id for the event; a key only where it is a part of the message.
    id: Option<String>,
    /// Where the body is signed by its digest.
    digest: Option<BodyDigest>,
    /// The sender signs its URL with a port, or without, whatever was configured there.
    any_port: bool,
}

/// An item of a header that names the algorithm.
#[derive(Clone, Debug)]
struct Chosen {
    header: String,
    item: String,
    words: Vec<(String, Algorithm)>,
}

/// A query parameter, itself signed with the URL, that carries the SHA-256 of every body that is no form.
#[derive(Clone, Debug)]
struct BodyDigest {
    parameter: String,
}

#[derive(Clone, Debug)]
struct Time {
    from: Place,
    format: TimeFormat,
}

impl Scheme {
    /// What a good signature vouches for.
    pub fn coverage(&self) -> Coverage {
        let signs = |wanted: fn(&Part) -> bool| self.message.iter().any(wanted);
        Coverage {
            body: signs(|part| matches!(part, Part::Body)) || self.digest.is_some(),
            id: signs(|part| matches!(part, Part::Id)),
            time: signs(|part| matches!(part, Part::Time)),
        }
    }

    /// Whether the sender's URL is signed, so that the policy must say what it is (`public_url`).
    pub fn signs_url(&self) -> bool {
        self.message.iter().any(|part| matches!(part, Part::Url))
    }

    /// Whether whoever verifies could also have signed; else the sender alone can.
    pub fn shares_its_key(&self) -> bool {
        self.algorithm.shares_its_key()
    }

    /// The header that carries the signature.
    pub fn signature_header(&self) -> &str {
        &self.signature.header
    }

    /// The keyed digest of this text, in hexadecimal, where the key is shared.
    pub(in crate::verify) fn hmac_hex(&self, key: &Secret, text: &str) -> Option<String> {
        self.algorithm.digest(key, &[text.as_bytes()]).map(|digest| HEXLOWER.encode(&digest))
    }

    /// In the field's words, as `HMAC-SHA256 of id.time.body`.
    pub fn describe(&self) -> String {
        let mut message = String::new();
        let mut before: Option<&Part> = None;
        for part in &self.message {
            // What the sender joins without a separator must not read as one word.
            if before.is_some_and(|before| !matches!((before, part), (Part::Text(_), _) | (_, Part::Text(_)))) {
                message.push_str(" + ");
            }
            message.push_str(&part.describe());
            before = Some(part);
        }
        format!("{} of {message}", self.algorithm.name())
    }
}

/// A missing security header and a repeated one are the same: two parsers would disagree about the second.
fn sole<'a>(head: &'a Head, name: &str) -> Result<&'a str, Rejection> {
    head.sole(name).ok_or(Rejection::SignatureMissing)
}
