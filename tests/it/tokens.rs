//! Bearer tokens: what an issuer signs is believed for as long as it says, and nothing near it is.

pub(crate) mod attacks;
mod cache;
mod claims;
mod identity;
mod keys;
pub(crate) mod mint;
mod others;

use hookwarden::{
    clock::Timestamp,
    request::{Head, Target},
    secret::Secret,
    verdict::Refusal,
    verify::jwt::{Algorithm, Bearer, Cache, Issuer, KeySet, Kinds, Place, Terms, TokenRule, authenticate},
};
use http::{HeaderMap, HeaderValue, Method, header::AUTHORIZATION};
use mint::Signer;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

pub(crate) const NOW_S: i64 = 1_760_000_000;
const LEEWAY_S: i64 = 30;

/// One issuer with a key for each algorithm, and one route that takes its tokens.
pub(crate) struct World {
    pub(crate) signers: Vec<Signer>,
    pub(crate) terms: Terms,
    scopes: Vec<String>,
    place: Place,
    keys: KeySet,
    cache: Cache,
    now: Timestamp,
}

impl World {
    /// All that have public keys.
    pub(crate) fn new() -> Self {
        Self::of(Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric()))
    }

    pub(crate) fn of(algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        let algorithms: Vec<_> = algorithms.into_iter().collect();
        let signers: Vec<_> = algorithms.iter().copied().map(Signer::new).collect();
        let jwks: Vec<_> = signers.iter().map(Signer::jwk).collect();
        let (keys, skipped) = KeySet::from_jwks(set(&jwks).as_bytes(), &algorithms).unwrap();
        assert_eq!(skipped, []);
        Self {
            signers,
            terms: Terms {
                name: "shop-idp".into(),
                issuer: "https://idp.example/".into(),
                audiences: vec!["shop".into()],
                algorithms,
                kinds: Kinds::Usual,
                leeway: Duration::from_secs(LEEWAY_S.unsigned_abs()),
                max_age: None,
                claims: Vec::new(),
                logs_subject: false,
                tells_subject: false,
            },
            scopes: vec!["orders".into()],
            place: Place::Bearer,
            keys,
            cache: cache_of(0),
            now: Timestamp::from_unix_s(NOW_S),
        }
    }

    pub(crate) fn signer(&self, algorithm: Algorithm) -> &Signer {
        self.signers.iter().find(|signer| signer.algorithm == algorithm).unwrap()
    }

    /// Its good token.
    pub(crate) fn token(&self, algorithm: Algorithm) -> String {
        self.signer(algorithm).token(&claims())
    }

    fn rule(&self) -> TokenRule {
        let issuer = Arc::new(Issuer::new(self.terms.clone()).unwrap());
        TokenRule::new("orders-api", issuer, self.place.clone(), self.scopes.clone(), Vec::new()).unwrap()
    }

    fn judge(&self, token: &str) -> Result<Bearer, Refusal> {
        authenticate(&self.rule(), &self.keys, &self.cache, &shown(token), self.now)
    }

    /// `good`, or why not.
    fn code(&self, token: &str) -> &'static str {
        self.judge(token).map_or_else(|refusal| refusal.code(), |_| "good")
    }
}

pub(crate) fn set(jwks: &[Value]) -> String {
    json!({ "keys": jwks }).to_string()
}

fn cache_of(tokens: usize) -> Cache {
    Cache::new(Secret::new("the gate's own").unwrap(), tokens)
}

fn shown(token: &str) -> Head {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_bytes(format!("Bearer {token}").as_bytes()).unwrap());
    let target = Target::parse("/wp-json/shop/v1/orders").unwrap();
    Head { method: Method::GET, target, host: "shop.example".into(), headers, client: [192, 0, 2, 1].into() }
}

/// What every route of these tests takes.
pub(crate) fn claims() -> Value {
    json!({
        "iss": "https://idp.example/", "aud": "shop", "sub": "user-1", "jti": "token-1",
        "iat": NOW_S - 10, "exp": NOW_S + 300, "scope": "stock orders",
    })
}

pub(crate) fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

pub(crate) fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name);
    claims
}

#[test]
fn believes_a_token_of_every_algorithm_and_tells_what_it_says() {
    for algorithm in Algorithm::ALL {
        let world = World::of([algorithm]);
        let signer = world.signer(algorithm);
        let bearer = world.judge(&world.token(algorithm)).unwrap();
        let token = bearer.token();
        let told = (bearer.route(), token.issuer().terms().name.as_str(), token.key_id(), token.subject());
        assert_eq!(told, ("orders-api", "shop-idp", Some(signer.id), Some("user-1")), "{algorithm:?}");
        assert_eq!((token.jti(), token.scopes()), (Some("token-1"), &["stock".to_owned(), "orders".to_owned()][..]));
        assert_eq!(token.expires(), Some(Timestamp::from_unix_s(NOW_S + 300)));
        assert_eq!(token.until(), Timestamp::from_unix_s(NOW_S + 300 + LEEWAY_S));
        assert_eq!(token.claims().find("/scope").unwrap().text(), Some("stock orders"));
    }
}
