//! A token as its sender makes it.

use super::{Config, SigningKey, Unsigned};
use crate::verify::scheme::token::SenderToken;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Longer than any window that a policy could give its signed time.
const LIFETIME: Duration = Duration::from_hours(25);

impl SenderToken {
    /// For this request, with the body as it will be sent.
    pub(super) fn made(&self, config: &Config, key: &SigningKey, request: &Unsigned<'_>, body: &[u8]) -> String {
        let mut claims = Map::new();
        let said =
            self.claims.iter().filter_map(|(name, demanded)| Some((name.clone(), demanded.said(request.url, config)?)));
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
        let algorithm = self.algorithms.iter().copied().find(|algorithm| key.fits(*algorithm));
        let header = json!({ "alg": algorithm.map_or("none", |algorithm| algorithm.name()), "typ": "JWT" });
        let [header, claims] =
            [header, Value::Object(claims)].map(|part| BASE64URL_NOPAD.encode(part.to_string().as_bytes()));
        let signed = format!("{header}.{claims}");
        let signature = algorithm.map(|algorithm| key.joined(algorithm, signed.as_bytes())).unwrap_or_default();
        let signature = BASE64URL_NOPAD.encode(&signature);
        format!("{signed}.{signature}")
    }
}
