//! A digest that stands in a request, of what came, and is not written as it should be.

use super::{
    Cause,
    cause::{Area, By, Code},
    fields,
};
use crate::request::Head;
use data_encoding::BASE64;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// The digests that senders take one for the other, and what they make of these bytes.
fn all(bytes: &[u8]) -> [(&'static str, Vec<u8>); 4] {
    [
        ("SHA-256", Sha256::digest(bytes).to_vec()),
        ("SHA-512", Sha512::digest(bytes).to_vec()),
        ("SHA-384", Sha384::digest(bytes).to_vec()),
        ("SHA-1", Sha1::digest(bytes).to_vec()),
    ]
}

/// What stands in this place is a digest of these bytes, in whichever writing. Only asked where it does not hold as it stands.
pub(super) fn written(text: &str, bytes: &[u8], place: &str) -> Option<Cause> {
    let readings = fields::decoded(text.trim().trim_matches([':', '"', '=']));
    let readings = readings.into_iter().chain(fields::decoded(text));
    let known = all(bytes);
    let (algorithm, encoding) = readings.into_iter().find_map(|(digest, encoding)| {
        known.iter().find(|(_, ours)| *ours == digest).map(|(name, _)| (*name, encoding))
    })?;
    let what = format!(
        "{place} is the digest of exactly what came, made with {algorithm} and written as {encoding}, which is not how this sender writes it"
    );
    let mend = "let the sender's code write the digest as its documentation has it: the algorithm, and the encoding";
    Some(Cause::new(Code::DigestOther, Area::Scheme, By::Sender, what, mend))
}

/// The same of `content-digest` (RFC 9530), which names its algorithms.
pub(super) fn of_content(head: &Head, body: &[u8]) -> Option<Cause> {
    let value = head.sole("content-digest")?;
    let named = value.split(',').filter_map(|one| one.split_once('=')).map(|(name, text)| (name.trim(), text.trim()));
    let is_good = |(name, text): &(&str, &str)| {
        let digest = match *name {
            "sha-256" => Sha256::digest(body).to_vec(),
            "sha-512" => Sha512::digest(body).to_vec(),
            _ => return false,
        };
        *text == format!(":{}:", BASE64.encode(&digest))
    };
    let named: Vec<_> = named.filter(|one| !is_good(one)).collect();
    if let Some(cause) = named.iter().find_map(|(_, text)| written(text, body, "the signed `content-digest`")) {
        return Some(cause);
    }
    let is_taken = |(name, _): &(&str, &str)| matches!(*name, "sha-256" | "sha-512");
    if named.is_empty() || named.iter().any(is_taken) {
        return None;
    }
    let names: Vec<_> = named.iter().map(|(name, _)| format!("`{name}`")).collect();
    let what =
        format!("the signed `content-digest` is made with {}, and `sha-256` and `sha-512` are taken", names.join(", "));
    let mend = "let the sender make it with `sha-256`: of the others each is broken or not the digest of what is sent (RFC 9530 section 5)";
    Some(Cause::new(Code::DigestOther, Area::Scheme, By::Sender, what, mend))
}
