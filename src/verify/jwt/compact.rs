//! What does the token say about itself? The strict reader of a compact JWS (RFC 7515 section 7.1), before anything in
//! it is believed.

use super::{Algorithm, Key, algorithm::Means, decode};
use crate::{
    json::{self, Kind, Node},
    verdict::TokenFlaw,
};

/// A token taken apart. The claims are bytes: nobody reads what nobody vouches for.
pub(super) struct Compact<'t> {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    /// As it is written; compared without regard to case.
    pub(super) kind: Option<String>,
    /// Header and claims with the dot between them: what was signed.
    pub(super) signed: &'t [u8],
    pub(super) claims: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

/// Takes a token apart, and refuses what two readers could take in two ways.
pub(super) fn read(token: &str) -> Result<Compact<'_>, TokenFlaw> {
    let mut parts = token.split('.');
    let (Some(head), Some(claims), Some(signature)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(TokenFlaw::Malformed);
    };
    match parts.count() {
        0 => {}
        // The five parts of a JWE.
        2 => return Err(TokenFlaw::Encrypted),
        _ => return Err(TokenFlaw::Malformed),
    }
    let header = json::read(&decode(head).ok_or(TokenFlaw::Encoding)?).map_err(|_| TokenFlaw::Header)?;
    let (algorithm, key_id, kind) = members(&header)?;
    let signed = token.get(..head.len() + 1 + claims.len()).ok_or(TokenFlaw::Malformed)?.as_bytes();
    let [claims, signature] = [claims, signature].map(decode);
    let (claims, signature) = claims.zip(signature).ok_or(TokenFlaw::Encoding)?;
    Ok(Compact { algorithm, key_id, kind, signed, claims, signature })
}

impl Compact<'_> {
    /// Holds the signature against the key.
    pub(super) fn is_signed_by(&self, key: &Key) -> Result<(), TokenFlaw> {
        match self.algorithm.means() {
            Means::Ec(_) if self.has_zero_half() => return Err(TokenFlaw::SignatureMalformed),
            Means::Ec(_) | Means::Ed(_) | Means::Mac { .. } | Means::Rsa(_) => {}
        }
        if self.algorithm.signature_bytes().is_some_and(|bytes| self.signature.len() != bytes) {
            return Err(TokenFlaw::SignatureMalformed);
        }
        match key.verifies(self.algorithm, self.signed, &self.signature) {
            Some(true) => Ok(()),
            Some(false) => Err(TokenFlaw::SignatureMismatch),
            None => Err(TokenFlaw::KeyMisfit),
        }
    }

    /// With r or s zero the equation of ECDSA holds for every message, in code that forgets to look (CVE-2022-21449).
    fn has_zero_half(&self) -> bool {
        let (r, s) = self.signature.split_at(self.signature.len() / 2);
        [r, s].iter().any(|half| half.iter().all(|byte| *byte == 0))
    }
}

/// `alg`, `kid` and `typ`. Whatever else points to a key or carries one is not even looked at (RFC 8725 section 3.10).
fn members(header: &Node) -> Result<(Algorithm, Option<String>, Option<String>), TokenFlaw> {
    let Kind::Object(members) = &header.kind else { return Err(TokenFlaw::Header) };
    let text = |name: &str| match members.get(name) {
        None => Ok(None),
        Some(node) => node.text().map(Some).ok_or(TokenFlaw::Header),
    };
    for (name, flaw) in [
        ("enc", TokenFlaw::Encrypted),
        ("zip", TokenFlaw::Compressed),
        ("b64", TokenFlaw::Unencoded),
        // No extension is understood here, so whatever it lists is one too many (RFC 7515 section 4.1.11).
        ("crit", TokenFlaw::Critical),
    ] {
        if members.get(name).is_some() {
            return Err(flaw);
        }
    }
    // RFC 7519 section 5.2: `JWT` here says that the claims are another token.
    if text("cty")?.is_some_and(|content| is_kind(content, "JWT")) {
        return Err(TokenFlaw::Nested);
    }
    let algorithm = Algorithm::named(text("alg")?.ok_or(TokenFlaw::Header)?).ok_or(TokenFlaw::Algorithm)?;
    Ok((algorithm, text("kid")?.map(str::to_owned), text("typ")?.map(str::to_owned)))
}

/// Media types compare without regard to case, and `application/` may be left out (RFC 7515 section 4.1.9).
pub(super) fn is_kind(written: &str, wanted: &str) -> bool {
    const PREFIX: &str = "application/";
    let short = match written.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) && !rest.contains('/') => rest,
        Some(_) | None => written,
    };
    short.eq_ignore_ascii_case(wanted)
}
