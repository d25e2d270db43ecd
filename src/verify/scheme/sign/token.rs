//! A token as its sender makes it.

use super::{Private, SigningKey, Unsigned};
use crate::verify::scheme::token::SenderToken;
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Longer than any window that a policy could give its signed time.
const LIFETIME: Duration = Duration::from_hours(25);

impl SenderToken {
    /// For this request, with the body as it will be sent.
    pub(super) fn made(&self, key: &SigningKey, request: &Unsigned<'_>, body: &[u8]) -> String {
        let mut claims = Map::new();
        let said = self
            .claims
            .iter()
            .filter_map(|(name, demanded)| Some((name.clone(), demanded.said(request.url, &key.config)?)));
        claims.extend(said);
        for (hash, what) in [(&self.body, body), (&self.url, request.url.as_bytes())] {
            if let Some(hash) = hash
                && !(hash.absent_if_empty && what.is_empty())
            {
                claims.insert(hash.claim.clone(), hash.write(what).into());
            }
        }
        claims.insert("jti".to_owned(), request.id.into());
        if let Some(time) = &self.time {
            claims.insert(time.clone(), request.at.unix_s().into());
            claims.insert("exp".to_owned(), (request.at + LIFETIME).unix_s().into());
        }
        for name in &self.require {
            let value = match name.as_str() {
                "exp" => (request.at + LIFETIME).unix_s().into(),
                "iat" | "nbf" => request.at.unix_s().into(),
                _ => Value::from("test"),
            };
            claims.entry(name.clone()).or_insert(value);
        }
        let algorithm = self.algorithms.first().map_or("none", |algorithm| algorithm.name());
        let header = json!({ "alg": algorithm, "typ": "JWT" });
        let [header, claims] =
            [header, Value::Object(claims)].map(|part| BASE64URL_NOPAD.encode(part.to_string().as_bytes()));
        let signed = format!("{header}.{claims}");
        let signature = BASE64URL_NOPAD.encode(&key.over_token(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

impl SigningKey {
    fn over_token(&self, signed: &[u8]) -> Vec<u8> {
        match &self.private {
            Private::Shared(secret) => secret.digest(&[signed]).to_vec(),
            Private::Ed25519(pair) => pair.sign(signed).as_ref().to_vec(),
            Private::EcdsaP256(pair) => {
                pair.sign(&SystemRandom::new(), signed).map(|made| made.as_ref().to_vec()).unwrap_or_default()
            }
            Private::Rsa(pair) => {
                let mut made = vec![0; pair.public_modulus_len()];
                let signed = pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed, &mut made);
                signed.map(|()| made).unwrap_or_default()
            }
        }
    }
}

/// An RSA key cannot be made of a seed here: one for each label, made once.
pub(super) fn rsa_pair(label: &str) -> Option<Arc<RsaKeyPair>> {
    static PAIRS: Mutex<BTreeMap<String, Arc<RsaKeyPair>>> = Mutex::new(BTreeMap::new());
    let mut pairs = PAIRS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pair) = pairs.get(label) {
        return Some(pair.clone());
    }
    let pair = Arc::new(RsaKeyPair::generate(KeySize::Rsa2048).ok()?);
    pairs.insert(label.to_owned(), pair.clone());
    Some(pair)
}
