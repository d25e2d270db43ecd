//! The digest of the content (RFC 9530), which a signature covers in the body's place.

use super::{DIGEST, dictionary};
use crate::{request::Head, verdict::Rejection};
use data_encoding::BASE64;
use sfv::ListEntry;
use sha2::{Digest as _, Sha256, Sha512};

/// Those of section 5 that are neither broken nor unknown here.
pub(super) const KNOWN: [&str; 2] = ["sha-256", "sha-512"];

/// Whether it is that of this content, by every algorithm that is known here and good: of several, each has to be right, and of
/// those that are broken or unknown (section 5) none counts.
pub(in crate::verify) fn is_of(head: &Head, content: &[u8]) -> Result<bool, Rejection> {
    let mut looked = false;
    for (name, entry) in dictionary(head, DIGEST)? {
        let ListEntry::Item(item) = entry else { return Err(Rejection::SignatureMalformed) };
        let claimed = item.bare_item.as_byte_seq().ok_or(Rejection::SignatureMalformed)?;
        let digest = match name.as_str() {
            "sha-256" => Sha256::digest(content).to_vec(),
            "sha-512" => Sha512::digest(content).to_vec(),
            _ => continue,
        };
        looked = true;
        if *claimed != digest {
            return Ok(false);
        }
    }
    Ok(looked)
}

/// As a sender writes it.
pub(in crate::verify) fn content_digest(content: &[u8]) -> String {
    format!("sha-256=:{}:", BASE64.encode(&Sha256::digest(content)))
}
