//! CONTRACT.md threat 14: times, and whom a token is for.

use super::{LEEWAY_S, NOW_S, World, claims, shown, with, without};
use hookwarden::{
    clock::Timestamp,
    verify::jwt::{Algorithm, BadTerms, Demand, Issuer, Place, TokenRule, authenticate},
};
use http::{HeaderName, header::AUTHORIZATION};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

fn world() -> World {
    World::of([Algorithm::EdDsa])
}

impl World {
    fn says(&self, claims: &Value) -> &'static str {
        self.code(&self.signers[0].token(claims))
    }

    /// For numbers that no JSON library writes.
    fn says_of(&self, name: &str, literal: &str) -> &'static str {
        let text = with(claims(), name, "HERE".into()).to_string().replace("\"HERE\"", literal);
        self.code(&self.signers[0].token_of(&self.signers[0].header().to_string(), &text))
    }
}

#[test]
fn every_time_is_exact_to_the_millisecond_with_its_leeway() {
    let mut world = world();
    // What is said in the last millisecond before the edge, and at it.
    let cases = [
        ("exp", -LEEWAY_S, ["good", "token_expired"]),
        ("nbf", LEEWAY_S, ["token_not_yet", "good"]),
        ("iat", LEEWAY_S, ["token_from_the_future", "good"]),
    ];
    for (name, seconds, wanted) in cases {
        let token = with(claims(), name, json!(NOW_S + seconds));
        for (offset_ms, wanted) in [-1, 0].into_iter().zip(wanted) {
            world.now = Timestamp::from_unix_ms(NOW_S * 1000 + offset_ms);
            assert_eq!(world.says(&token), wanted, "{name} {offset_ms} ms");
        }
    }
    world.now = Timestamp::from_unix_s(NOW_S);
    world.terms.leeway = Duration::ZERO;
    assert_eq!(world.says(&with(claims(), "exp", json!(NOW_S))), "token_expired");
    assert_eq!(world.says(&with(claims(), "exp", json!(NOW_S + 1))), "good");
    assert_eq!(world.says_of("exp", "1760000000.001"), "good");
    assert_eq!(world.says_of("exp", "1759999999.999"), "token_expired");
    assert_eq!(world.says(&with(claims(), "nbf", json!(NOW_S))), "good");
    assert_eq!(world.says(&with(claims(), "nbf", json!(NOW_S + 1))), "token_not_yet");
}

#[test]
fn a_time_is_a_number_in_range_and_nothing_else() {
    let world = world();
    for name in ["exp", "nbf", "iat"] {
        for literal in
            ["\"1760000300\"", "null", "true", "[1760000300]", "{}", "\"\"", "-1", "-0.5", "1e300", "253402300800"]
        {
            assert_eq!(world.says_of(name, literal), "token_claim_type", "{name} {literal}");
        }
        // In milliseconds, and what would overflow when made to milliseconds.
        for literal in ["1760000300000", "9223372036854775807", "9223372036854775", "1.7e19"] {
            assert_eq!(world.says_of(name, literal), "token_claim_type", "{name} {literal}");
        }
        for literal in ["9223372036854775808", "1e400", "-1e400", "NaN", "Infinity", "-Infinity", "0x68", "01", "1."] {
            assert_eq!(world.says_of(name, literal), "token_claims", "{name} {literal}");
        }
    }
    for literal in ["1760000300", "1760000300.5", "1.7600003e9", "17600003E2", "253402300799"] {
        assert_eq!(world.says_of("exp", literal), "good", "{literal}");
    }
    assert_eq!(world.says_of("exp", "0"), "token_expired");
}

#[test]
fn a_token_without_end_needs_an_age() {
    let mut world = world();
    let endless = without(claims(), "exp");
    assert_eq!(world.says(&endless), "token_end_missing");
    world.terms.max_age = Some(Duration::from_secs(300));
    assert_eq!(world.says(&endless), "good");
    assert_eq!(world.says(&without(endless.clone(), "iat")), "token_end_missing");
    assert_eq!(world.says(&without(claims(), "iat")), "token_claim_missing");
    assert_eq!(world.says(&with(endless.clone(), "iat", json!(NOW_S - 300 - LEEWAY_S))), "good");
    assert_eq!(world.says(&with(endless.clone(), "iat", json!(NOW_S - 301 - LEEWAY_S))), "token_too_old");
    // The age does not lift the end.
    assert_eq!(world.says(&with(claims(), "exp", json!(NOW_S - LEEWAY_S))), "token_expired");
}

#[test]
fn a_token_is_of_this_issuer_and_for_this_audience() {
    let mut world = world();
    assert_eq!(world.says(&without(claims(), "iss")), "token_issuer");
    for other in ["https://IDP.example/", "https://idp.example", "", "https://idp.example/ "] {
        assert_eq!(world.says(&with(claims(), "iss", other.into())), "token_issuer", "{other}");
    }
    for (audience, wanted) in [
        (json!(["other", "shop"]), "good"),
        (json!(["shop", "shop"]), "good"),
        (json!("other"), "token_audience"),
        (json!(["other"]), "token_audience"),
        (json!([]), "token_audience"),
        (json!(""), "token_audience"),
        (json!("shop other"), "token_audience"),
        (json!("Shop"), "token_audience"),
        (json!(["shop", 1]), "token_claim_type"),
        (json!([["shop"]]), "token_claim_type"),
        (json!({ "shop": true }), "token_claim_type"),
        (Value::Null, "token_claim_type"),
    ] {
        assert_eq!(world.says(&with(claims(), "aud", audience.clone())), wanted, "{audience}");
    }
    assert_eq!(world.says(&without(claims(), "aud")), "token_audience");
    world.terms.audiences.push("warehouse".into());
    assert_eq!(world.says(&with(claims(), "aud", "warehouse".into())), "good");
}

#[test]
fn every_scope_that_a_route_asks_for_must_be_there() {
    let mut world = world();
    let bare = without(claims(), "scope");
    for (name, value, wanted) in [
        ("scope", json!("orders"), "good"),
        ("scope", json!("a  orders b"), "good"),
        ("scope", json!("Orders"), "token_scope"),
        ("scope", json!("orders:write"), "token_scope"),
        ("scope", json!(""), "token_scope"),
        ("scope", json!(7), "token_claim_type"),
        ("scp", json!(["stock", "orders"]), "good"),
        ("scp", json!("stock orders"), "good"),
        ("scp", json!([7]), "token_claim_type"),
        ("roles", json!(["orders"]), "token_scope"),
    ] {
        assert_eq!(world.says(&with(bare.clone(), name, value.clone())), wanted, "{name} {value}");
    }
    assert_eq!(world.says(&bare), "token_scope");
    // A second list does not add to the first.
    let both = with(with(bare.clone(), "scope", "stock".into()), "scp", json!(["orders"]));
    assert_eq!(world.says(&both), "token_scope");
    world.scopes.push("stock".into());
    assert_eq!(world.says(&claims()), "good");
    assert_eq!(world.says(&with(bare.clone(), "scope", "orders".into())), "token_scope");
    world.scopes.clear();
    assert_eq!(world.says(&bare), "good");
}

#[test]
fn required_claims_are_there_and_as_asked() {
    let mut world = world();
    let demand = |pointer: &str, value| Demand { pointer: pointer.into(), value };
    for (demanded, wanted) in [
        (demand("/sub", None), "good"),
        (demand("/sub", Some(json!("user-1"))), "good"),
        (demand("/sub", Some(json!("user-2"))), "token_claim_missing"),
        (demand("/realm/roles", Some(json!("clerk"))), "good"),
        (demand("/realm/roles", Some(json!(["clerk", "admin"]))), "good"),
        (demand("/realm/roles", Some(json!("owner"))), "token_claim_missing"),
        (demand("/realm/tenant", None), "token_claim_missing"),
        (demand("/tenant", None), "token_claim_missing"),
    ] {
        let token = with(with(claims(), "realm", json!({ "roles": ["clerk", "admin"] })), "tenant", Value::Null);
        world.terms.claims = vec![demanded.clone()];
        assert_eq!(world.says(&token), wanted, "{demanded:?} of the issuer");
        world.terms.claims.clear();
        let issuer = Arc::new(Issuer::new(world.terms.clone()).unwrap());
        let rule = TokenRule::new("r", issuer, Place::Bearer, Vec::new(), vec![demanded.clone()]).unwrap();
        let judged = authenticate(&rule, &world.keys, &world.cache, &shown(&world.signers[0].token(&token)), world.now);
        assert_eq!(judged.map_or_else(|refusal| refusal.code(), |_| "good"), wanted, "{demanded:?} of the route");
    }
}

#[test]
fn what_must_be_there_says_something() {
    let mut world = world();
    for (claimed, wanted) in [
        (json!("a"), "good"),
        (json!(0), "good"),
        (json!(false), "good"),
        (json!(""), "token_claim_missing"),
        (json!(" \t\u{a0}"), "token_claim_missing"),
        (Value::Null, "token_claim_missing"),
    ] {
        world.terms.claims = vec![Demand { pointer: "/tenant".into(), value: None }];
        assert_eq!(world.says(&with(claims(), "tenant", claimed.clone())), wanted, "{claimed}");
    }
    // Who asks for nothing by its value gets it.
    world.terms.claims = vec![Demand { pointer: "/tenant".into(), value: Some("".into()) }];
    assert_eq!(world.says(&with(claims(), "tenant", "".into())), "good");
    world.terms.claims = vec![Demand { pointer: "/jti".into(), value: None }];
    assert_eq!(world.says(&with(claims(), "jti", "".into())), "token_claim_missing", "all would be one");
}

#[test]
fn a_subject_is_somebody() {
    let mut world = world();
    for nobody in ["", " ", "\n"] {
        assert_eq!(world.says(&with(claims(), "sub", nobody.into())), "token_subject", "{nobody:?}");
    }
    assert_eq!(world.says(&without(claims(), "sub")), "good");
    world.terms.claims = vec![Demand { pointer: "/sub".into(), value: None }];
    assert_eq!(world.says(&with(claims(), "sub", "".into())), "token_claim_missing");
}

#[test]
fn a_token_is_taken_from_the_place_that_the_policy_names_and_no_other() {
    let mut world = world();
    let token = world.token(Algorithm::EdDsa);
    let judge = |world: &World, fields: &[(&HeaderName, &str)]| {
        let mut head = shown("");
        head.headers.remove(AUTHORIZATION);
        for (name, value) in fields {
            head.headers.append(*name, value.parse().unwrap());
        }
        let judged = authenticate(&world.rule(), &world.keys, &world.cache, &head, world.now);
        judged.map_or_else(|refusal| refusal.code(), |_| "good")
    };
    let assertion = HeaderName::from_static("cf-access-jwt-assertion");
    let bearer = format!("Bearer {token}");
    assert_eq!(judge(&world, &[]), "token_missing");
    assert_eq!(judge(&world, &[(&assertion, &token)]), "token_missing");
    assert_eq!(judge(&world, &[(&AUTHORIZATION, &bearer), (&AUTHORIZATION, &bearer)]), "token_twice");
    world.place = Place::Header(assertion.clone());
    assert_eq!(judge(&world, &[(&assertion, &token)]), "good");
    assert_eq!(judge(&world, &[(&AUTHORIZATION, &bearer)]), "token_missing");
    assert_eq!(judge(&world, &[(&assertion, &token), (&AUTHORIZATION, &bearer)]), "token_twice");
}

#[test]
fn an_issuer_whose_tokens_anybody_could_use_is_none() {
    let good = world().terms;
    let bad = |change: fn(&mut hookwarden::verify::jwt::Terms)| {
        let mut terms = good.clone();
        change(&mut terms);
        Issuer::new(terms).err()
    };
    assert_eq!(bad(|_| ()), None);
    assert_eq!(bad(|terms| terms.issuer.clear()), Some(BadTerms::NoIssuer));
    assert_eq!(bad(|terms| terms.audiences.clear()), Some(BadTerms::NoAudience));
    assert_eq!(bad(|terms| terms.algorithms.clear()), Some(BadTerms::NoAlgorithm));
    assert_eq!(bad(|terms| terms.algorithms.push(Algorithm::Hs256)), Some(BadTerms::MixedAlgorithms));
    assert_eq!(bad(|terms| terms.leeway = Duration::from_secs(61)), Some(BadTerms::Leeway));
    let demand = || Demand { pointer: "tenant".into(), value: None };
    let mut asking = good.clone();
    asking.claims.push(demand());
    assert_eq!(Issuer::new(asking).err(), Some(BadTerms::Claim("tenant".into())), "no token would ever meet it");
    let issuer = Arc::new(Issuer::new(good.clone()).unwrap());
    let asking = TokenRule::new("r", issuer, Place::Bearer, Vec::new(), vec![demand()]);
    assert_eq!(asking.err(), Some(BadTerms::Claim("tenant".into())));
    let rule = |place, scope: &str| {
        let issuer = Arc::new(Issuer::new(good.clone()).unwrap());
        TokenRule::new("r", issuer, place, vec![scope.into()], Vec::new()).err()
    };
    for scope in ["", "a b", "a\"b", "a\\b", "ä"] {
        assert_eq!(rule(Place::Bearer, scope), Some(BadTerms::Scope(scope.into())));
    }
    assert_eq!(rule(Place::Cookie("a=b".into()), "orders"), Some(BadTerms::Cookie("a=b".into())));
}
