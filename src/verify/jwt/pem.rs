//! Public keys in PEM (RFC 7468): one `PUBLIC KEY` (SPKI) or `RSA PUBLIC KEY`, or several for a rotation.

use super::{Algorithm, BadKey, Key};
use aws_lc_rs::rsa::PublicKey;
use data_encoding::BASE64;

/// RFC 8410 and RFC 5480 leave one spelling each for these three, so that no reader of ASN.1 is wanted: the beginning
/// of the structure, up to the point itself. A point is never compressed in them, nor a curve explicit.
const P256: &[u8] =
    b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04";
const P384: &[u8] = b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00\x04";
const ED25519: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

/// Every key of the text. What stands between two of them is a comment.
pub(super) fn read(text: &str, algorithms: &[Algorithm]) -> Result<Vec<Key>, BadKey> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let (label, after) = after.split_once("-----").ok_or(BadKey::Unreadable)?;
        let (body, after) = after.split_once(&format!("-----END {label}-----")).ok_or(BadKey::Unreadable)?;
        let body: String = body.split_ascii_whitespace().collect();
        let der = BASE64.decode(body.as_bytes()).map_err(|_| BadKey::Unreadable)?;
        keys.push(match label {
            "PUBLIC KEY" => spki(&der, algorithms)?,
            "RSA PUBLIC KEY" => rsa(&der, algorithms)?,
            // Private keys have no business here, and certificates have names and dates that nobody would check.
            _ => return Err(BadKey::Unreadable),
        });
        rest = after;
    }
    if keys.is_empty() { Err(BadKey::Unreadable) } else { Ok(keys) }
}

pub(super) fn spki(der: &[u8], algorithms: &[Algorithm]) -> Result<Key, BadKey> {
    if let Some(point) = der.strip_prefix(P256).or_else(|| der.strip_prefix(P384)) {
        let (x, y) = point.split_at_checked(point.len() / 2).ok_or(BadKey::Unreadable)?;
        return Key::ec(None, x, y, algorithms);
    }
    match der.strip_prefix(ED25519) {
        Some(point) => Key::ed(None, point, algorithms),
        None => rsa(der, algorithms),
    }
}

fn rsa(der: &[u8], algorithms: &[Algorithm]) -> Result<Key, BadKey> {
    let key = PublicKey::from_der(der).map_err(|_| BadKey::Unreadable)?;
    let (n, e) = (key.modulus(), key.exponent());
    Key::rsa(None, n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero(), algorithms)
}
