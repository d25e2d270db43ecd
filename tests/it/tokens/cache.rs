//! The cache says what verifying again would say, and never longer.

use super::{NOW_S, World, cache_of, claims, mint::Signer, set, shown, with};
use hookwarden::{
    clock::Timestamp,
    verify::jwt::{Algorithm, KeySet, TokenRule, authenticate},
};
use proptest::prelude::*;
use serde_json::json;
use std::sync::Arc;

fn world(tokens: usize) -> World {
    let mut world = World::of([Algorithm::EdDsa]);
    world.cache = cache_of(tokens);
    world
}

impl World {
    /// Whether the second answer is the first one's memory.
    fn remembers(&self, token: &str) -> bool {
        // Both are held at once, so that two are never at one address.
        let (first, second) = (self.judge(token).unwrap(), self.judge(token).unwrap());
        std::ptr::eq(first.token(), second.token())
    }

    fn at(&mut self, seconds: i64) -> &Self {
        self.now = Timestamp::from_unix_s(NOW_S + seconds);
        self
    }
}

#[test]
fn a_token_that_was_believed_is_believed_from_memory() {
    let world = world(16);
    let token = world.token(Algorithm::EdDsa);
    assert!(world.remembers(&token));
    assert!(!World { cache: cache_of(0), ..world }.remembers(&token), "without a cache");
}

#[test]
fn memory_ends_with_the_token() {
    let mut world = world(16);
    let token = world.signers[0].token(&with(claims(), "nbf", json!(NOW_S - 5)));
    assert!(world.remembers(&token));
    assert_eq!(world.at(329).code(&token), "good");
    assert_eq!(world.at(330).code(&token), "token_expired");
    // Nor does it begin sooner, should the clock be set back.
    assert_eq!(world.at(0).code(&token), "good");
    assert_eq!(world.at(-36).code(&token), "token_not_yet");
}

#[test]
fn memory_ends_with_the_keys_and_not_with_their_refresh() {
    let mut world = world(16);
    let token = world.token(Algorithm::EdDsa);
    let first = world.judge(&token).unwrap();
    let jwk = world.signers[0].jwk();
    let other = with(Signer::new(Algorithm::EdDsa).jwk(), "kid", "other".into());
    let keys = |jwks: &[_]| KeySet::from_jwks(set(jwks).as_bytes(), &[Algorithm::EdDsa]).unwrap().0;
    world.keys = keys(std::slice::from_ref(&jwk));
    assert!(std::ptr::eq(first.token(), world.judge(&token).unwrap().token()), "the same keys again");
    world.keys = keys(&[jwk, other.clone()]);
    assert!(!std::ptr::eq(first.token(), world.judge(&token).unwrap().token()), "with another one");
    world.keys = keys(&[other]);
    assert_eq!(world.code(&token), "token_key_unknown");
}

#[test]
fn memory_is_of_one_issuers_terms() {
    let mut world = world(16);
    let token = world.token(Algorithm::EdDsa);
    assert!(world.remembers(&token));
    world.terms.audiences = vec!["warehouse".into()];
    assert_eq!(world.code(&token), "token_audience");
}

#[test]
fn a_route_asks_what_it_asks_of_a_remembered_token_too() {
    let mut world = world(16);
    let token = world.token(Algorithm::EdDsa);
    assert!(world.remembers(&token));
    world.scopes = vec!["refunds".into()];
    assert_eq!(world.code(&token), "token_scope");
    let rule =
        TokenRule::new("r", Arc::clone(world.rule().issuer()), world.place.clone(), Vec::new(), Vec::new()).unwrap();
    assert_eq!(authenticate(&rule, &world.keys, &world.cache, &shown(&token), world.now).unwrap().route(), "r");
}

#[test]
fn strangers_push_nothing_out() {
    let world = world(4);
    let token = world.token(Algorithm::EdDsa);
    let first = world.judge(&token).unwrap();
    let stranger = Signer::new(Algorithm::EdDsa);
    for n in 0..200 {
        assert_eq!(world.code(&stranger.token(&with(claims(), "n", json!(n)))), "token_signature_mismatch");
    }
    assert!(std::ptr::eq(first.token(), world.judge(&token).unwrap().token()));
}

#[test]
fn memory_is_bounded_and_gives_up_what_was_used_least_lately() {
    let world = world(4);
    let tokens: Vec<_> = (0..5).map(|n| world.signers[0].token(&with(claims(), "n", json!(n)))).collect();
    let first: Vec<_> = tokens.iter().take(4).map(|token| world.judge(token).unwrap()).collect();
    let kept = |n: usize| std::ptr::eq(first[n].token(), world.judge(&tokens[n]).unwrap().token());
    assert!(kept(0), "used again");
    world.judge(&tokens[4]).unwrap();
    assert!(kept(0));
    assert!(!kept(1), "the oldest");
}

#[test]
fn memory_is_not_for_tokens_made_to_be_heavy() {
    let world = world(16);
    let heavy = with(claims(), "x", vec![json!({ "": 0 }); 600].into());
    assert!(!world.remembers(&world.signers[0].token(&heavy)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever is shown when, with whichever keys: as without a cache.
    #[test]
    fn says_what_verifying_again_would_say(steps in prop::collection::vec((0_usize..6, -400_i64..400, 0_usize..3), 1..40)) {
        let mut world = world(4);
        let other = with(Signer::new(Algorithm::EdDsa).jwk(), "kid", "other".into());
        let jwk = world.signers[0].jwk();
        let sets = [vec![jwk.clone()], vec![jwk, other.clone()], vec![other]];
        let tokens: Vec<_> = (0..6)
            .map(|n| with(with(claims(), "exp", json!(NOW_S + 60 * n - 100)), "nbf", json!(NOW_S + 50 * n - 200)))
            .map(|claims| world.signers[0].token(&with(claims, "iat", json!(NOW_S - 400))))
            .collect();
        for (token, at, set_of) in steps {
            world.keys = KeySet::from_jwks(set(&sets[set_of]).as_bytes(), &[Algorithm::EdDsa]).unwrap().0;
            let remembered = world.at(at).code(&tokens[token]);
            let cache = std::mem::replace(&mut world.cache, cache_of(0));
            prop_assert_eq!(remembered, world.code(&tokens[token]));
            world.cache = cache;
        }
    }
}
