//! Tokens by which webhooks' senders sign. The same strict reader as for bearer tokens; what has to be claimed is the
//! catalogue's to say, and no issuer's.

use super::{
    Algorithm, BadKey, Key, KeySet, claims,
    compact::{self, Compact},
    jwk::{self, From},
    key, pem,
};
use crate::{
    clock::Timestamp,
    json::{self, Kind, Node},
    secret::Secret,
    verdict::{Refusal, TokenFlaw},
    verify::certificate::Certificate,
};

/// A token as it came: nothing that it says is believed before one of the questions for its signature was answered with yes.
pub(in crate::verify) struct Shown<'t>(Compact<'t>);

impl<'t> Shown<'t> {
    /// Takes it apart. Its algorithm has to be one of these.
    pub(in crate::verify) fn read(token: &'t str, algorithms: &[Algorithm]) -> Result<Self, TokenFlaw> {
        if token.len() > TOKEN_MAX_BYTES {
            return Err(TokenFlaw::TooLong);
        }
        let compact = compact::read(token)?;
        if algorithms.contains(&compact.algorithm) { Ok(Self(compact)) } else { Err(TokenFlaw::Algorithm) }
    }

    /// Header and claims as they are written.
    pub(in crate::verify) fn signed(&self) -> &'t [u8] {
        self.0.signed
    }

    /// Whether it was made with this shared secret.
    pub(in crate::verify) fn is_made_with(&self, secret: &Secret) -> bool {
        let Compact { algorithm, signed, signature, .. } = &self.0;
        algorithm.signature_bytes() == Some(signature.len()) && key::mac(*algorithm, secret, signed, signature)
    }

    /// Whether this key made it, if the token does not name another one.
    pub(in crate::verify) fn is_signed_by(&self, key: &Key) -> bool {
        let named = self.0.key_id.as_deref().zip(key.id()).is_none_or(|(named, id)| named == id);
        named && self.0.is_signed_by(key).is_ok()
    }

    /// The label of the key of this set that made it.
    pub(in crate::verify) fn signer_in(&self, keys: &KeySet, now: Timestamp) -> Result<String, Refusal> {
        keys.in_force(now)?;
        let key = keys.find(self.0.key_id.as_deref(), self.0.algorithm, now)?;
        self.0.is_signed_by(key).map_err(|flaw| Refusal::Rejected(flaw.into()))?;
        Ok(key.id().unwrap_or_default().to_owned())
    }

    /// What it says, read in the one way that there is.
    pub(in crate::verify) fn claims(&self) -> Result<Claims, TokenFlaw> {
        let all = json::read(&self.0.claims).map_err(|_| TokenFlaw::Claims)?;
        if matches!(all.kind, Kind::Object(_)) { Ok(Claims(all)) } else { Err(TokenFlaw::Claims) }
    }
}

/// What a token says.
pub(in crate::verify) struct Claims(Node);

impl Claims {
    /// A text, if there is one.
    pub(in crate::verify) fn text(&self, name: &str) -> Result<Option<&str>, TokenFlaw> {
        claims::text(&self.0, name)
    }

    /// This text.
    pub(in crate::verify) fn is(&self, name: &str, wanted: &str) -> Result<bool, TokenFlaw> {
        Ok(self.text(name)? == Some(wanted))
    }

    /// A text, or one of several.
    pub(in crate::verify) fn is_among(&self, name: &str, wanted: &str) -> Result<bool, TokenFlaw> {
        Ok(claims::texts(&self.0, name)?.contains(&wanted))
    }

    /// A `NumericDate`, if there is one.
    pub(in crate::verify) fn date(&self, name: &str) -> Result<Option<Timestamp>, TokenFlaw> {
        claims::date(&self.0, name)
    }

    /// Whether it is `true`.
    pub(in crate::verify) fn is_true(&self, name: &str) -> bool {
        claims::member(&self.0, name).is_some_and(|node| matches!(node.kind, Kind::Bool(true)))
    }

    /// Whether there is one, whatever it is.
    pub(in crate::verify) fn has(&self, name: &str) -> bool {
        claims::member(&self.0, name).is_some()
    }
}

/// Whether this key made this signature. A text that is a public key is no shared secret, whoever asks for one.
pub(in crate::verify) fn verifies(algorithm: Algorithm, key: &Secret, signed: &[u8], signature: &[u8]) -> bool {
    if algorithm.is_symmetric() {
        let is_public = key.expose().starts_with(b"-----BEGIN");
        let is_whole = algorithm.signature_bytes() == Some(signature.len());
        return !is_public && is_whole && key::mac(algorithm, key, signed, signature);
    }
    let text = std::str::from_utf8(key.expose()).unwrap_or_default();
    let keys = pem::read(text, &[algorithm]).unwrap_or_default();
    keys.iter().any(|key| key.verifies(algorithm, signed, signature) == Some(true))
}

/// As long as that of a bearer token may be.
const TOKEN_MAX_BYTES: usize = 8 * 1024;

/// Public keys as vendors and operators write them: PEM, a JWK, a JWK Set, or an object with `kid` and `pem` or `x509`.
pub(in crate::verify) fn public_keys(text: &str, algorithms: &[Algorithm]) -> Result<Vec<Key>, BadKey> {
    if !text.trim_start().starts_with('{') {
        return pem::read(text, algorithms);
    }
    let document = json::read(text.as_bytes()).map_err(|_| BadKey::Unreadable)?;
    let member = |name: &str| document.find(&format!("/{name}")).and_then(Node::text);
    if let Some(pem) = member("pem") {
        return named(pem::read(pem, algorithms)?, member("kid"));
    }
    if let Some(certificate) = member("x509") {
        let certificate = Certificate::from_pem(certificate).ok_or(BadKey::Unreadable)?;
        return named(vec![pem::spki(certificate.public_key(), algorithms)?], member("kid"));
    }
    let set = if document.find("/keys").is_some() { text.to_owned() } else { format!("{{\"keys\":[{text}]}}") };
    let (keys, _) = jwk::read(set.as_bytes(), From::Network, algorithms).map_err(|_| BadKey::Unreadable)?;
    if keys.is_empty() { Err(BadKey::Unreadable) } else { Ok(keys) }
}

fn named(keys: Vec<Key>, id: Option<&str>) -> Result<Vec<Key>, BadKey> {
    keys.into_iter().map(|key| key.named(id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everybody has the sender's public key. Whoever could name an algorithm of shared secrets beside it would sign with
    /// it as the sender (RFC 8725 section 2.1).
    #[test]
    fn a_public_key_is_no_shared_secret_for_whom_it_signs() {
        let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n-----END PUBLIC KEY-----\n";
        for (text, good) in [("a shared secret of some length", true), (pem, false)] {
            let key = Secret::new(text).unwrap();
            let mac = key.digest(&[b"signed"]);
            assert_eq!(verifies(Algorithm::Hs256, &key, b"signed", &mac), good, "{text}");
            for short in [0, 1, 16, 31] {
                assert!(!verifies(Algorithm::Hs256, &key, b"signed", &mac[..short]), "{short} bytes of it");
            }
            assert!(
                !verifies(Algorithm::Hs384, &key, b"signed", &mac)
                    && !verifies(Algorithm::EdDsa, &key, b"signed", &mac)
            );
        }
    }
}
