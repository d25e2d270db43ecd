//! What a bearer token costs: believed for the first time, and known from memory.
//!
//! `jsonwebtoken` is the same primitive under another reader.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench"
)]

#[expect(dead_code, unreachable_pub, reason = "shared with the tests")]
#[path = "../tests/it/tokens/mint.rs"]
mod mint;

use criterion::{Criterion, criterion_group, criterion_main};
use hookwarden::{
    clock::Timestamp,
    request::{Head, Target},
    secret::Secret,
    verify::jwt::{Algorithm, Cache, Issuer, KeySet, Kinds, LEEWAY, Place, Terms, TokenRule, authenticate},
};
use http::{HeaderMap, Method, header::AUTHORIZATION};
use serde_json::{Value, json};
use std::{hint::black_box, sync::Arc};

const NOW_S: i64 = 1_760_000_000;

fn tokens(c: &mut Criterion) {
    for algorithm in Algorithm::ALL {
        let signer = mint::Signer::new(algorithm);
        // As an identity provider makes them: about 600 bytes.
        let token = signer.token(&json!({
            "iss": "https://idp.example/", "aud": ["https://shop.example/api", "shop"], "sub": "auth0|65f1c0ffee15900d",
            "azp": "Xk2mQ8rT5vYbN3wE", "jti": "01JBW2Z7T3E9V4K8Q6M1", "iat": NOW_S - 10, "exp": NOW_S + 3600,
            "scope": "openid profile email orders stock", "permissions": ["read:orders", "write:orders"],
        }));
        let rule = rule(algorithm);
        let set = json!({ "keys": [signer.jwk()] }).to_string();
        let (keys, _) = KeySet::from_jwks(set.as_bytes(), &[algorithm]).unwrap();
        let (head, now) = (head(&token), Timestamp::from_unix_s(NOW_S));
        let mut group = c.benchmark_group(algorithm.name());
        for (name, room) in [("first", 0), ("repeated", 1024)] {
            let cache = Cache::new(Secret::new("the gate's own").unwrap(), room);
            authenticate(&rule, &keys, &cache, &head, now).unwrap();
            group.bench_function(name, |b| {
                b.iter(|| authenticate(&rule, &keys, &cache, black_box(&head), now).unwrap());
            });
        }
        let key = jsonwebtoken::DecodingKey::from_jwk(&serde_json::from_value(signer.jwk()).unwrap()).unwrap();
        let mut wanted = jsonwebtoken::Validation::new(algorithm.name().parse().unwrap());
        wanted.set_audience(&["shop"]);
        wanted.set_issuer(&["https://idp.example/"]);
        wanted.validate_exp = false;
        group.bench_function("jsonwebtoken", |b| {
            b.iter(|| jsonwebtoken::decode::<Value>(black_box(&token), &key, &wanted).unwrap());
        });
        group.finish();
    }
}

fn rule(algorithm: Algorithm) -> TokenRule {
    let issuer = Issuer::new(Terms {
        name: "shop-idp".into(),
        issuer: "https://idp.example/".into(),
        audiences: vec!["shop".into()],
        algorithms: vec![algorithm],
        kinds: Kinds::Usual,
        leeway: LEEWAY,
        max_age: None,
        claims: Vec::new(),
        logs_subject: false,
        tells_subject: false,
    });
    TokenRule::new("orders-api", Arc::new(issuer.unwrap()), Place::Bearer, vec!["orders".into()], Vec::new()).unwrap()
}

fn head(token: &str) -> Head {
    let headers = HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {token}").parse().unwrap())]);
    let target = Target::parse("/wp-json/shop/v1/orders?status=open").unwrap();
    Head { method: Method::GET, target, host: "shop.example".into(), headers, client: [192, 0, 2, 1].into() }
}

criterion_group!(benches, tokens);
criterion_main!(benches);
