//! An issuer for trying things: a key pair of this process's own, which nobody trusts outside of a rehearsal.

use super::{Algorithm, BadKey, Key, KeySet, Kinds, Place, TokenRule};
use crate::{clock::Timestamp, secret::Secret};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RsaEncoding, RsaKeyPair},
};
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::{Sha384, Sha512};
use std::{collections::BTreeMap, time::Duration};

/// One key, and the one algorithm that it signs with.
#[expect(missing_debug_implementations, reason = "holds a private key")]
pub struct Trial {
    algorithm: Algorithm,
    private: Private,
}

enum Private {
    Mac(Secret),
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// Its name in its set.
const ID: &str = "test";
/// As long as many issuers' tokens live.
const LIFETIME: Duration = Duration::from_mins(5);

impl Trial {
    /// `None` if the machine cannot make such a key.
    pub fn new(algorithm: Algorithm) -> Option<Self> {
        let ec = |curve: &'static EcdsaSigningAlgorithm| EcdsaKeyPair::generate(curve).ok().map(Private::Ec);
        let private = match algorithm {
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
                let mut bytes = [0; 64];
                aws_lc_rs::rand::fill(&mut bytes).ok()?;
                Private::Mac(Secret::new(bytes).ok()?)
            }
            Algorithm::Es256 => ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING)?,
            Algorithm::Es384 => ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING)?,
            Algorithm::EdDsa => Private::Ed(Ed25519KeyPair::generate().ok()?),
            Algorithm::Rs256
            | Algorithm::Rs384
            | Algorithm::Rs512
            | Algorithm::Ps256
            | Algorithm::Ps384
            | Algorithm::Ps512 => Private::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).ok()?),
        };
        Some(Self { algorithm, private })
    }

    /// What a gate believes it by.
    ///
    /// # Errors
    /// None that could be foreseen: the key is as it should be.
    pub fn keys(&self) -> Result<KeySet, BadKey> {
        let (id, algorithms) = (Some(ID.to_owned()), [self.algorithm]);
        let key = match &self.private {
            Private::Mac(secret) => Key::mac(id, secret.expose(), &algorithms),
            Private::Rsa(pair) => {
                let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
                Key::rsa(id, n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero(), &algorithms)
            }
            Private::Ec(pair) => {
                // Behind the byte that says so, both coordinates.
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                Key::ec(id, x, y, &algorithms)
            }
            Private::Ed(pair) => Key::ed(id, pair.public_key().as_ref(), &algorithms),
        };
        Ok(KeySet::of(key?))
    }

    /// A token that this rule takes at that moment, but for the claims that are given; `null` leaves one out.
    pub fn token(&self, rule: &TokenRule, id: &str, at: Timestamp, given: &BTreeMap<String, Value>) -> Option<String> {
        let terms = rule.issuer().terms();
        let issued_s = at.unix_s();
        let mut claims = json!({
            "iss": terms.issuer,
            "aud": terms.audiences.first(),
            "sub": "test",
            "jti": id,
            "iat": issued_s,
            "exp": (at + LIFETIME).unix_s(),
            "scope": rule.scopes().join(" "),
        });
        for demand in rule.claims().iter().chain(&terms.claims) {
            put(&mut claims, &demand.pointer, demand.value.clone());
        }
        if let Some(claims) = claims.as_object_mut() {
            claims.extend(given.clone());
            claims.retain(|_, value| !value.is_null());
        }
        let kind = match &terms.kinds {
            Kinds::Usual => "JWT",
            Kinds::Only(kind) => kind,
        };
        let header = json!({ "alg": self.algorithm.name(), "typ": kind, "kid": ID });
        let [header, claims] = [header, claims].map(|part| BASE64URL_NOPAD.encode(part.to_string().as_bytes()));
        let signed = format!("{header}.{claims}");
        let signature = BASE64URL_NOPAD.encode(&self.sign(signed.as_bytes())?);
        Some(format!("{signed}.{signature}"))
    }

    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.private {
            Private::Mac(secret) => mac(self.algorithm, secret, message),
            Private::Rsa(pair) => {
                let mut made = vec![0; pair.public_modulus_len()];
                pair.sign(padding(self.algorithm)?, &random, message, &mut made).ok()?;
                Some(made)
            }
            Private::Ec(pair) => Some(pair.sign(&random, message).ok()?.as_ref().to_vec()),
            Private::Ed(pair) => Some(pair.sign(message).as_ref().to_vec()),
        }
    }
}

impl Place {
    /// The field that carries this token there.
    pub fn field(&self, token: &str) -> (String, String) {
        match self {
            Self::Bearer => ("authorization".to_owned(), format!("Bearer {token}")),
            Self::Header(name) => (name.to_string(), token.to_owned()),
            Self::Cookie(name) => ("cookie".to_owned(), format!("{name}={token}")),
        }
    }
}

/// How RSA signs; `None` for an algorithm of other keys.
pub(in crate::verify) fn padding(algorithm: Algorithm) -> Option<&'static dyn RsaEncoding> {
    Some(match algorithm {
        Algorithm::Rs256 => &signature::RSA_PKCS1_SHA256,
        Algorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_SHA512,
        Algorithm::Hs256
        | Algorithm::Hs384
        | Algorithm::Hs512
        | Algorithm::Es256
        | Algorithm::Es384
        | Algorithm::EdDsa => return None,
    })
}

/// `None` for an algorithm of other keys.
pub(in crate::verify) fn mac(algorithm: Algorithm, secret: &Secret, message: &[u8]) -> Option<Vec<u8>> {
    match algorithm {
        Algorithm::Hs384 => over::<Hmac<Sha384>>(secret, message),
        Algorithm::Hs512 => over::<Hmac<Sha512>>(secret, message),
        Algorithm::Hs256 => Some(secret.digest(&[message]).to_vec()),
        Algorithm::Rs256
        | Algorithm::Rs384
        | Algorithm::Rs512
        | Algorithm::Ps256
        | Algorithm::Ps384
        | Algorithm::Ps512
        | Algorithm::Es256
        | Algorithm::Es384
        | Algorithm::EdDsa => None,
    }
}

fn over<M: KeyInit + Mac>(secret: &Secret, message: &[u8]) -> Option<Vec<u8>> {
    let mac = <M as KeyInit>::new_from_slice(secret.expose()).ok()?;
    Some(mac.chain_update(message).finalize().into_bytes().to_vec())
}

/// Puts a claim where its pointer says; one that only has to be there is `true`.
fn put(claims: &mut Value, pointer: &str, value: Option<Value>) {
    let names: Vec<_> = pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~")).collect();
    let Some((last, above)) = names.split_last() else { return };
    let mut at = claims;
    for name in above {
        let Value::Object(members) = at else { return };
        at = members.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
    }
    let Value::Object(members) = at else { return };
    match value {
        Some(value) => drop(members.insert(last.clone(), value)),
        None => drop(members.entry(last.clone()).or_insert(Value::Bool(true))),
    }
}
