//! Sets of keys: what is taken in, what is left out, and how they change under way.

use super::{NOW_S, World, claims, mint, mint::Signer, mint::encode, set, with, without};
use hookwarden::{
    clock::Timestamp,
    verify::jwt::{Algorithm, BadKey, BadKeySet, KeySet, Skipped},
};
use serde_json::{Value, json};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

fn read(jwks: &[Value]) -> Result<(KeySet, Vec<Skipped>), BadKeySet> {
    KeySet::from_jwks(set(jwks).as_bytes(), &Algorithm::ALL)
}

/// What is said of one entry beside a good one.
fn skipped(jwk: Value) -> Skipped {
    let said = jwk.to_string();
    let (keys, mut skipped) = read(&[Signer::new(Algorithm::Es256).jwk(), jwk]).unwrap();
    assert_eq!(keys.keys().len(), 1, "{said}");
    skipped.pop().unwrap_or_else(|| panic!("{said} is used"))
}

fn bad(why: BadKey) -> Skipped {
    Skipped::Bad { id: Some("odd".into()), why }
}

#[test]
fn a_key_that_cannot_be_trusted_is_left_out() {
    let named = |jwk: Value| with(jwk, "kid", "odd".into());
    let rsa = named(without(Signer::new(Algorithm::Rs256).jwk(), "alg"));
    let ec = named(Signer::new(Algorithm::Es256).jwk());
    let ed = named(Signer::new(Algorithm::EdDsa).jwk());
    let number = |bytes: &[u8]| Value::from(encode(bytes));
    let odd = |bits: usize| [vec![0x80], vec![1; bits / 8 - 1]].concat();
    assert_eq!(skipped(with(rsa.clone(), "n", number(&odd(1024)))), bad(BadKey::RsaSize(1024)));
    assert_eq!(
        skipped(with(rsa.clone(), "n", number(&[vec![0x7f], vec![1; 255]].concat()))),
        bad(BadKey::RsaSize(2047))
    );
    assert_eq!(skipped(with(rsa.clone(), "n", number(&odd(8200)))), bad(BadKey::RsaSize(8200)));
    assert_eq!(skipped(with(rsa.clone(), "n", number(&[vec![0], odd(2048)].concat()))), bad(BadKey::Unreadable));
    for exponent in [&[1][..], &[2], &[0, 1, 0, 1], &[1, 0, 0, 0, 1], &[]] {
        assert_eq!(skipped(with(rsa.clone(), "e", number(exponent))), bad(BadKey::RsaExponent), "{exponent:?}");
    }
    assert_eq!(skipped(with(rsa.clone(), "n", "AQAB=".into())), bad(BadKey::Unreadable));
    assert_eq!(skipped(without(rsa.clone(), "e")), bad(BadKey::Unreadable));
    assert_eq!(skipped(with(ec.clone(), "x", ec["y"].clone())), bad(BadKey::NoPoint));
    assert_eq!(skipped(with(with(ec.clone(), "x", number(&[0; 32])), "y", number(&[0; 32]))), bad(BadKey::NoPoint));
    assert_eq!(skipped(with(ec.clone(), "x", number(&[1; 31]))), bad(BadKey::NoPoint));
    assert_eq!(skipped(with(ec.clone(), "crv", "P-384".into())), bad(BadKey::NoPoint));
    assert_eq!(skipped(with(ed.clone(), "x", number(&[9; 31]))), bad(BadKey::NoPoint));
    assert_eq!(skipped(with(ed.clone(), "kid", 7.into())), Skipped::Bad { id: None, why: BadKey::Unreadable });
    let long = "k".repeat(257);
    assert_eq!(skipped(with(ed, "kid", long.clone().into())), Skipped::Bad { id: Some(long), why: BadKey::IdTooLong });
}

/// With such a key anybody's signature verifies: R is the neutral point, s is zero.
#[test]
fn no_point_of_small_order_is_a_key() {
    let order_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
    let order_8 = data_encoding::HEXLOWER.decode(order_8.as_bytes()).unwrap();
    let other = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
    let other = data_encoding::HEXLOWER.decode(other.as_bytes()).unwrap();
    let small = |first: u8, rest: u8, last: u8| [vec![first], vec![rest; 30], vec![last]].concat();
    let points = [
        small(0, 0, 0),
        small(1, 0, 0),
        small(0xec, 0xff, 0x7f),
        small(0xed, 0xff, 0x7f),
        small(0xee, 0xff, 0x7f),
        order_8,
        other,
    ];
    let forged = [vec![1], vec![0; 63]].concat();
    let mut believed_by_the_library = 0;
    for mut point in points {
        for sign in [0, 0x80] {
            point[31] = point[31] & 0x7f | sign;
            let key = aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, &point);
            believed_by_the_library += usize::from((0..64).any(|text: u8| key.verify(&[text], &forged).is_ok()));
            let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(&point), "kid": "odd" });
            assert_eq!(skipped(jwk), bad(BadKey::NoPoint), "{point:?}");
        }
    }
    assert!(believed_by_the_library > 0, "if the library looks for itself, this check can go");
}

#[test]
fn use_operations_and_algorithm_of_a_key_are_kept_to() {
    let ec = with(Signer::new(Algorithm::Es256).jwk(), "kid", "odd".into());
    let other = Skipped::OtherUse(Some("odd".into()));
    for (name, value) in [
        ("use", json!("enc")),
        ("use", json!(1)),
        ("key_ops", json!(["sign"])),
        ("key_ops", json!([])),
        ("key_ops", json!("verify")),
    ] {
        assert_eq!(skipped(with(ec.clone(), name, value.clone())), other, "{name} {value}");
    }
    for alg in [json!("ES384"), json!("RS256"), json!("ECDH-ES"), json!(1)] {
        assert_eq!(skipped(with(ec.clone(), "alg", alg.clone())), bad(BadKey::Unfit), "{alg}");
    }
    let unknown = Skipped::UnknownKind(Some("odd".into()));
    for (name, value) in [
        ("kty", json!("AKP")),
        ("kty", json!("ec")),
        ("kty", Value::Null),
        ("crv", json!("P-521")),
        ("crv", json!("secp256k1")),
    ] {
        assert_eq!(skipped(with(ec.clone(), name, value.clone())), unknown, "{name} {value}");
    }
}

#[test]
fn a_set_that_is_not_what_it_should_be_is_none() {
    let es = Signer::new(Algorithm::Es256).jwk();
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
        let leaked = with(es.clone(), member, "AQAB".into());
        assert_eq!(read(&[es.clone(), leaked]).err(), Some(BadKeySet::PrivateKey), "{member}");
    }
    let twin = with(Signer::new(Algorithm::EdDsa).jwk(), "kid", es["kid"].clone());
    assert_eq!(read(&[es.clone(), twin]).err(), Some(BadKeySet::IdTwice));
    assert_eq!(read(&[]).err(), Some(BadKeySet::Empty));
    assert_eq!(read(&vec![json!({}); 33]).err(), Some(BadKeySet::TooMany));
    let long = with(es.clone(), "x5c", "A".repeat(64 * 1024).into());
    assert_eq!(read(&[long]).err(), Some(BadKeySet::TooLong));
    for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#, "<html>"] {
        assert_eq!(KeySet::from_jwks(text.as_bytes(), &Algorithm::ALL).err(), Some(BadKeySet::Unreadable), "{text}");
    }
}

#[test]
fn a_shared_secret_is_as_long_as_its_hash_and_never_fetched() {
    for (algorithm, needed) in [(Algorithm::Hs256, 32), (Algorithm::Hs384, 48), (Algorithm::Hs512, 64)] {
        let short = BadKey::SecretShort { bytes: needed - 1, algorithm, needed };
        assert_eq!(KeySet::from_secret(&vec![7; needed - 1], &[algorithm]).err(), Some(BadKeySet::Key(short)));
        assert!(KeySet::from_secret(&vec![7; needed], &[algorithm]).is_ok());
    }
    assert_eq!(KeySet::from_secret(&[b' '; 64], &[Algorithm::Hs256]).err(), Some(BadKeySet::Key(BadKey::SecretBlank)));
    let set = set(&[Signer::new(Algorithm::Hs256).jwk(), Signer::new(Algorithm::Es256).jwk()]);
    let now = Timestamp::from_unix_s(NOW_S);
    let (_, skipped) = KeySet::fetched(set.as_bytes(), &Algorithm::ALL, now, DAY).unwrap();
    assert_eq!(skipped, [Skipped::Published(Some("hs-256".into()))]);
}

#[test]
fn a_pem_file_holds_public_keys_of_every_kind() {
    for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric()) {
        let mut world = World::of([algorithm]);
        world.keys = KeySet::from_pem(&format!("a comment\n{}", world.signers[0].pem()), &[algorithm]).unwrap();
        // A key without id is meant whatever id the token names.
        assert_eq!(world.code(&world.token(algorithm)), "good", "{algorithm:?}");
    }
    let good = Signer::new(Algorithm::Es256).pem();
    let unreadable = Some(BadKeySet::Key(BadKey::Unreadable));
    let algorithms = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256];
    for text in [
        "",
        "nothing",
        &good.replace("PUBLIC", "PRIVATE"),
        &good.replace("PUBLIC KEY", "CERTIFICATE"),
        &good[..80],
        &good.replacen('M', "!", 1),
    ] {
        assert_eq!(KeySet::from_pem(text, &algorithms).err(), unreadable, "{text}");
    }
    let unfit = KeySet::from_pem(&good, &[Algorithm::Es384]).err();
    assert_eq!(unfit, Some(BadKeySet::Key(BadKey::Unfit)));
    let small_order =
        mint::pem("PUBLIC KEY", &[b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", &[0; 32][..]].concat());
    assert_eq!(KeySet::from_pem(&small_order, &algorithms).err(), Some(BadKeySet::Key(BadKey::NoPoint)));
}

#[test]
fn without_an_id_there_must_be_nothing_to_choose() {
    let mut world = World::of([Algorithm::Es256]);
    let first = world.signers[0].token_of(r#"{"alg":"ES256"}"#, &claims().to_string());
    assert_eq!(world.code(&first), "good", "the only key");
    let second = with(Signer::new(Algorithm::Es256).jwk(), "kid", "second".into());
    world.keys = read(&[world.signers[0].jwk(), second.clone()]).unwrap().0;
    assert_eq!(world.code(&first), "token_key_ambiguous");
    let pems = [world.signers[0].pem(), Signer::new(Algorithm::Es256).pem()].concat();
    world.keys = KeySet::from_pem(&pems, &[Algorithm::Es256]).unwrap();
    assert_eq!(world.code(&first), "token_key_ambiguous");
    world.keys = KeySet::from_pem(&Signer::new(Algorithm::EdDsa).pem(), &[Algorithm::EdDsa]).unwrap();
    assert_eq!(world.code(&first), "token_key_misfit");
}

#[test]
fn a_rotation_never_answers_401_to_a_good_token() {
    let mut world = World::of([Algorithm::Es256]);
    let (old, new) = (Signer::new(Algorithm::Es256), Signer::new(Algorithm::Es256));
    let new_jwk = with(new.jwk(), "kid", "new".into());
    let by_old = old.token(&claims());
    let by_new = new.token_of(r#"{"alg":"ES256","kid":"new"}"#, &claims().to_string());
    let fetched = |jwks: &[Value], at_s: i64| {
        KeySet::fetched(set(jwks).as_bytes(), &[Algorithm::Es256], Timestamp::from_unix_s(at_s), DAY).unwrap().0
    };
    // The issuer signs with a key that it published after our last fetch.
    world.keys = fetched(&[old.jwk()], NOW_S - 61);
    assert_eq!([world.code(&by_old), world.code(&by_new)], ["good", "key_pending"]);
    // The refresh that this asks for brings it.
    world.keys = fetched(&[old.jwk(), new_jwk.clone()], NOW_S);
    assert_eq!([world.code(&by_old), world.code(&by_new)], ["good", "good"]);
    // What was fetched just now would not have more if it were asked again.
    world.keys = fetched(&[new_jwk], NOW_S - 60);
    assert_eq!([world.code(&by_old), world.code(&by_new)], ["token_key_unknown", "good"]);
}

#[test]
fn keys_that_could_not_be_fetched_for_too_long_verify_nothing() {
    let mut world = World::of([Algorithm::Es256]);
    let token = world.token(Algorithm::Es256);
    let jwks = set(&[world.signers[0].jwk()]);
    world.keys = KeySet::fetched(jwks.as_bytes(), &[Algorithm::Es256], world.now, Duration::from_secs(60)).unwrap().0;
    let mut later = |seconds| {
        world.now = Timestamp::from_unix_s(NOW_S + seconds);
        world.code(&token)
    };
    assert_eq!([later(59), later(60)], ["good", "keys_unavailable"]);
    world.keys = KeySet::not_yet();
    assert_eq!(world.code(&token), "keys_unavailable");
}
