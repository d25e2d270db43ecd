//! What WordPress is told of a believed token, read as WordPress reads it.

use super::{NOW_S, World, claims, shown, with, without};
use hookwarden::{
    clock::Timestamp,
    identity::{self, Identity},
    secret::Secret,
    verify::jwt::{Algorithm, Demand, KeySet, Kinds},
};
use http::Method;
use serde_json::{Value, json};

const KEY: [u8; 32] = [7; 32];
const TARGET: &str = "/wp-json/shop/v1/orders?status=open%20now";

fn sign(claims: &Value) -> Option<String> {
    let world = World::of([Algorithm::EdDsa]);
    let bearer = world.judge(&world.signers[0].token(claims)).unwrap();
    let (audience, jti, at) = ("https://shop.example", "random-1", Timestamp::from_unix_ms(NOW_S * 1000 + 700));
    let identity = Identity { bearer: &bearer, audience, method: &Method::GET, target: TARGET, jti, at };
    identity.sign(&Secret::new(KEY).unwrap())
}

/// WordPress's side: another issuer, of another type of token, with one shared key.
fn wordpress() -> World {
    let mut world = World::of([Algorithm::Hs256]);
    world.keys = KeySet::from_secret(&KEY, &[Algorithm::Hs256]).unwrap();
    world.terms.audiences = vec!["https://shop.example".into()];
    world.terms.kinds = Kinds::Only(identity::KIND.into());
    let demand = |pointer: &str, value: &str| Demand { pointer: pointer.into(), value: Some(value.into()) };
    world.terms.claims = vec![demand("/htm", "GET"), demand("/htu", TARGET), demand("/jti", "random-1")];
    world.scopes.clear();
    world
}

fn told(claims: &Value) -> Value {
    wordpress().judge(&sign(claims).unwrap()).unwrap().token().claims().to_value()
}

#[test]
fn wordpress_learns_who_asks_for_what_and_nothing_else() {
    let wanted = json!({
        "iss": "https://idp.example/", "sub": "user-1", "aud": "https://shop.example", "iat": NOW_S, "exp": NOW_S + 60,
        "htm": "GET", "htu": TARGET, "jti": "random-1",
    });
    assert_eq!(told(&claims()), wanted);
}

#[test]
fn an_address_is_verified_only_where_the_issuer_says_so_in_one_word() {
    let with_email = with(claims(), "email", "ada@example.org".into());
    for (verified, wanted) in [(json!(true), true), (json!(false), false), (json!("true"), false), (json!(1), false)] {
        let told = told(&with(with_email.clone(), "email_verified", verified.clone()));
        assert_eq!(
            (&told["email"], &told["email_verified"]),
            (&json!("ada@example.org"), &json!(wanted)),
            "{verified}"
        );
    }
    assert_eq!(told(&with_email)["email_verified"], json!(false));
    for odd in [json!(["ada@example.org"]), json!(""), json!(7), Value::Null, json!("a".repeat(255))] {
        let told = told(&with(with(claims(), "email", odd.clone()), "email_verified", true.into()));
        assert_eq!((told.get("email"), told.get("email_verified")), (None, None), "{odd}");
    }
}

#[test]
fn who_has_no_name_is_nobody() {
    for odd in [without(claims(), "sub"), with(claims(), "sub", "s".repeat(256).into())] {
        assert_eq!(sign(&odd), None, "{odd}");
    }
}

/// Else its request would go on as nobody's, without a word.
#[test]
fn a_name_that_wordpress_cannot_be_told_is_refused_where_it_should_be() {
    let mut world = World::of([Algorithm::EdDsa]);
    let says =
        |world: &World, subject: &str| world.code(&world.signers[0].token(&with(claims(), "sub", subject.into())));
    let (longest, too_long) = ("s".repeat(255), "s".repeat(256));
    assert_eq!((says(&world, &longest), says(&world, &too_long)), ("good", "good"), "nobody is told");
    world.terms.tells_subject = true;
    assert_eq!((says(&world, &longest), says(&world, &too_long)), ("good", "token_subject"));
    assert_eq!(
        world.code(&world.signers[0].token(&without(claims(), "sub"))),
        "good",
        "it says itself that it is nobody's"
    );
}

#[test]
fn it_does_not_outlive_the_token_that_it_is_made_of() {
    assert_eq!(told(&with(claims(), "exp", json!(NOW_S + 10)))["exp"], json!(NOW_S + 40), "with its leeway");
    assert_eq!(told(&with(claims(), "exp", json!(NOW_S - 29)))["exp"], json!(NOW_S + 1));
}

#[test]
fn it_is_no_token_for_the_gate_and_the_gates_tokens_are_none_for_wordpress() {
    let field = sign(&claims()).unwrap();
    let mut gate = wordpress();
    gate.terms.kinds = Kinds::Usual;
    assert_eq!(gate.code(&field), "token_type");
    let world = World::of([Algorithm::Hs256]);
    assert_eq!(wordpress().code(&world.token(Algorithm::Hs256)), "token_type");
    assert!(shown(&field).headers.iter().all(|(_, value)| value.to_str().is_ok()));
}

#[test]
fn a_target_that_does_not_fit_into_a_field_names_nobody() {
    let world = World::of([Algorithm::EdDsa]);
    let bearer = world.judge(&world.token(Algorithm::EdDsa)).unwrap();
    let signed = |length: usize| {
        let target = format!("/{}", "a".repeat(length - 1));
        let (method, at) = (&Method::GET, world.now);
        Identity { bearer: &bearer, audience: "https://shop.example", method, target: &target, jti: "r", at }
            .sign(&Secret::new(KEY).unwrap())
    };
    assert!(signed(5000).unwrap().len() < 8190 - identity::FIELD.len() - 2);
    assert_eq!(signed(5001), None);
}
