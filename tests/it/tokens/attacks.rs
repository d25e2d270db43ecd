//! CONTRACT.md threat 13 as a table: each attack, and the reason for which it is refused.

use super::{World, claims, mint, mint::Signer, mint::encode, shown, with};
use hookwarden::{
    verdict::TokenFlaw,
    verify::jwt::{Algorithm, BadKey, BadKeySet, KeySet, Kinds, authenticate},
};
use http::{HeaderValue, header::AUTHORIZATION};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What it is, what is shown, and why it is refused.
pub type Attack = (String, String, TokenFlaw);

/// Whoever attacks has the issuer's public keys, some good tokens, and keys of their own.
pub fn all(world: &World) -> impl Iterator<Item = Attack> {
    let tables = [algorithms(world), keys(world), headers(world), spellings(world), signatures(world), contents(world)];
    tables.into_iter().flatten()
}

#[test]
fn every_attack_is_refused_for_its_own_reason() {
    let world = World::new();
    let mut reasons = BTreeSet::new();
    for (name, token, flaw) in all(&world) {
        assert_eq!(world.code(&token), flaw.code(), "{name}: {token}");
        reasons.insert(flaw.code());
    }
    // Missing, repeated and used tokens, times and scopes have tables of their own.
    let elsewhere = ["token_missing", "token_twice", "token_end_missing", "token_expired", "token_not_yet"]
        .into_iter()
        .chain(["token_from_the_future", "token_too_old", "token_claim_missing", "token_key_ambiguous", "token_used"]);
    reasons.extend(elsewhere);
    assert_eq!(
        reasons,
        TokenFlaw::ALL.iter().map(|flaw| flaw.code()).collect(),
        "a reason that nothing is refused for"
    );
}

/// `none`, and a public key taken for a secret.
fn algorithms(world: &World) -> Vec<Attack> {
    let good = world.signer(Algorithm::Rs256);
    let token = world.token(Algorithm::Rs256);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let body = encode(claims().to_string());
    let mut attacks = Vec::new();
    for name in
        ["none", "None", "NONE", "nOnE", "none ", " none", "", "no\u{6e}e", "ｎone", "RS256 ", "rs256", "RS-256"]
    {
        let head = encode(with(good.header(), "alg", name.into()).to_string());
        for end in ["", signature] {
            attacks.push((format!("alg {name:?}"), format!("{head}.{body}.{end}"), TokenFlaw::Algorithm));
        }
    }
    for name in ["ES256K", "ES512", "HS1", "RS1", "A128KW", "dir", "Ed25519"] {
        attacks.push((
            format!("alg {name}"),
            good.token_of(&with_header(good, "alg", name), &body),
            TokenFlaw::Algorithm,
        ));
    }
    for (name, alg) in [("a number", json!(256)), ("a list", json!(["RS256"])), ("null", Value::Null)] {
        let token = good.token_of(&with_header(good, "alg", alg), &claims().to_string());
        attacks.push((format!("alg is {name}"), token, TokenFlaw::Header));
    }
    attacks.push(("no alg".into(), good.token_of(r#"{"typ":"JWT"}"#, "{}"), TokenFlaw::Header));
    let pem = good.pem();
    let modulus = good.jwk()["n"].as_str().unwrap().to_owned();
    let secrets = [pem.as_bytes(), pem.trim().as_bytes(), modulus.as_bytes(), b"", signed.as_bytes()];
    for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
        let head = encode(with_header(good, "alg", algorithm.name()));
        for secret in secrets {
            let mac = encode(mint::mac(algorithm, secret, format!("{head}.{body}").as_bytes()));
            attacks.push(("the public key as a secret".into(), format!("{head}.{body}.{mac}"), TokenFlaw::Algorithm));
        }
    }
    let es256 = with_header(good, "alg", "ES256");
    attacks.push(("another kind of key".into(), good.token_of(&es256, &body), TokenFlaw::KeyMisfit));
    let ps256 = with_header(good, "alg", "PS256");
    attacks.push(("another algorithm of the key".into(), good.token_of(&ps256, &body), TokenFlaw::KeyMisfit));
    attacks
}

/// Keys that the token brings along, or points to.
fn keys(world: &World) -> Vec<Attack> {
    let (good, stranger) = (world.signer(Algorithm::Es256), Signer::new(Algorithm::Es256));
    let body = claims().to_string();
    let mut attacks = vec![("a stranger's key".into(), stranger.token(&claims()), TokenFlaw::SignatureMismatch)];
    let chain = json!(["MIIBszCCAVmgAwIBAgIUZ"]);
    for (name, value) in [("jwk", stranger.jwk()), ("jku", "https://evil.example/jwks".into()), ("x5c", chain)] {
        let token = stranger.token_of(&with_header(good, name, value), &body);
        attacks.push((format!("a stranger's key in `{name}`"), token, TokenFlaw::SignatureMismatch));
    }
    let header = json!({ "alg": "ES256", "jwk": stranger.jwk() });
    attacks.push((
        "a stranger's key without id".into(),
        stranger.token_of(&header.to_string(), &body),
        TokenFlaw::SignatureMismatch,
    ));
    let long = "k".repeat(3000);
    let ids = [
        "",
        " ",
        "ES-256",
        "es-256 ",
        "es-256\u{0}",
        "es-2567",
        "../../../../dev/null",
        "file:///dev/null",
        "/proc/sys/kernel/randomize_va_space",
        "es-256' OR '1'='1",
        "x' UNION SELECT 'secret' -- ",
        "es-256; sleep 10",
        "$(sleep 10)",
        "*",
        "\u{65}\u{301}s-256",
        "null",
        &long,
    ];
    for id in ids {
        attacks.push((
            format!("kid {id:?}"),
            good.token_of(&with_header(good, "kid", id), &body),
            TokenFlaw::KeyUnknown,
        ));
    }
    for id in [json!(0), json!(["es-256"]), json!({ "$ne": "" }), Value::Null, json!(true)] {
        attacks.push((format!("kid {id}"), good.token_of(&with_header(good, "kid", id), &body), TokenFlaw::Header));
    }
    attacks
}

/// What a header can ask for.
fn headers(world: &World) -> Vec<Attack> {
    let good = world.signer(Algorithm::EdDsa);
    let body = claims().to_string();
    let signed = |header: &str| good.token_of(header, &body);
    let mut attacks = Vec::new();
    let members = [
        ("crit", json!(["exp"]), TokenFlaw::Critical),
        ("crit", json!([]), TokenFlaw::Critical),
        ("crit", json!("alg"), TokenFlaw::Critical),
        ("b64", json!(false), TokenFlaw::Unencoded),
        ("b64", json!(true), TokenFlaw::Unencoded),
        ("zip", json!("DEF"), TokenFlaw::Compressed),
        ("enc", json!("A256GCM"), TokenFlaw::Encrypted),
        ("cty", json!("JWT"), TokenFlaw::Nested),
        ("cty", json!("application/jwt"), TokenFlaw::Nested),
        ("cty", json!(1), TokenFlaw::Header),
        ("typ", json!("id+jwt"), TokenFlaw::Type),
        ("typ", json!("dpop+jwt"), TokenFlaw::Type),
        ("typ", json!("hookwarden+jwt"), TokenFlaw::Type),
        ("typ", json!(""), TokenFlaw::Type),
        ("typ", json!(1), TokenFlaw::Header),
    ];
    for (name, value, flaw) in members {
        attacks.push((format!("{name} {value}"), signed(&with_header(good, name, value)), flaw));
    }
    let b64 = r#"{"alg":"EdDSA","kid":"ed","b64":false,"crit":["b64"]}"#;
    attacks.push(("RFC 7797".into(), signed(b64), TokenFlaw::Unencoded));
    let texts = [
        r#"{"alg":"none","alg":"EdDSA","kid":"ed"}"#,
        r#"{"alg":"EdDSA","kid":"ed","\u0061lg":"EdDSA"}"#,
        r#"{"alg":"EdDSA","kid":"ed","x":{"y":1,"y":2}}"#,
        r#"{"alg":"EdDSA","kid":"ed"} "x""#,
        r#"["EdDSA"]"#,
        r#""EdDSA""#,
        "null",
        "",
        "\u{feff}{\"alg\":\"EdDSA\",\"kid\":\"ed\"}",
        r#"{"alg":"EdDSA","kid":"ed","x":NaN}"#,
        r"{'alg':'EdDSA','kid':'ed'}",
        r#"{"alg":"EdDSA","kid":"ed",}"#,
    ];
    for text in texts {
        attacks.push((format!("header {text}"), signed(text), TokenFlaw::Header));
    }
    let deep = format!(r#"{{"alg":"EdDSA","kid":"ed","x":{}{}}}"#, "[".repeat(100), "]".repeat(100));
    attacks.push(("a deep header".into(), signed(&deep), TokenFlaw::Header));
    attacks
}

/// One token in two spellings.
fn spellings(world: &World) -> Vec<Attack> {
    let good = world.token(Algorithm::Es256);
    let parts: Vec<_> = good.split('.').collect();
    let [head, body, signature] = parts[..] else { panic!("three parts") };
    let mut attacks: Vec<Attack> = Vec::new();
    let mut malformed = |name: &str, token: String| attacks.push((name.into(), token, TokenFlaw::Malformed));
    malformed("nothing", String::new());
    malformed("one part", head.into());
    malformed("two parts", format!("{head}.{body}"));
    malformed("four parts", format!("{good}.{signature}"));
    malformed("six parts", format!("{head}.{good}.{good}"));
    attacks.push(("a JWE".into(), format!("{head}.{body}.{signature}.{head}.{body}"), TokenFlaw::Encrypted));
    let mut encoding = |name: &str, token: String| attacks.push((name.into(), token, TokenFlaw::Encoding));
    encoding("padding", format!("{good}=="));
    encoding("a blank", format!("{head}.{body}.{signature} "));
    encoding("a blank inside", format!("{head}. {body}.{signature}"));
    encoding("a second token", format!("{good},{good}").replacen('.', "", 2));
    encoding("a quote", format!("\"{head}.{body}.{signature}"));
    encoding("a length that no bytes have", format!("{head}.{body}.{signature}AAA"));
    // 64 bytes leave four bits of the last letter over: the next 15 letters would decode to the same bytes.
    let last = signature.bytes().last().unwrap();
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = alphabet.iter().position(|letter| *letter == last).unwrap();
    for letter in &alphabet[at + 1..at + 16] {
        let mut changed = good.clone();
        changed.pop();
        changed.push(char::from(*letter));
        encoding("bits that decoders throw away", changed);
    }
    for (letter, other) in [('-', '+'), ('_', '/')] {
        let many = (0..).map(|n| world.signer(Algorithm::EdDsa).token(&with(claims(), "n", json!(n))));
        let found = many.take(1000).find(|token| token.rsplit('.').next().unwrap().contains(letter)).unwrap();
        encoding("the other alphabet", found.replace(letter, &other.to_string()));
    }
    attacks.push(("a megabyte".into(), "A".repeat(1 << 20), TokenFlaw::TooLong));
    attacks.push(("a megabyte of dots".into(), ".".repeat(1 << 20), TokenFlaw::TooLong));
    let padded = with(claims(), "x", "x".repeat(8192).into());
    attacks.push(("8 KiB and more".into(), world.signer(Algorithm::Es256).token(&padded), TokenFlaw::TooLong));
    attacks
}

/// Signatures of nobody.
fn signatures(world: &World) -> Vec<Attack> {
    let mut attacks = Vec::new();
    for signer in &world.signers {
        let good = signer.token(&claims());
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let bytes = data_encoding::BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
        let (first, second) = bytes.split_at(bytes.len() / 2);
        let zeros = vec![0; first.len()];
        let short = &bytes[..bytes.len() - 1];
        let long = [&bytes[..], &[0]].concat();
        let curve = matches!(signer.algorithm, Algorithm::Es256 | Algorithm::Es384);
        let sized = curve || signer.algorithm == Algorithm::EdDsa;
        let (zero, size) = match (curve, sized) {
            (true, _) => (TokenFlaw::SignatureMalformed, TokenFlaw::SignatureMalformed),
            (false, true) => (TokenFlaw::SignatureMismatch, TokenFlaw::SignatureMalformed),
            (false, false) => (TokenFlaw::SignatureMismatch, TokenFlaw::SignatureMismatch),
        };
        let made = [
            ("psychic: r and s are zero", [&zeros[..], &zeros].concat(), zero),
            ("psychic: r is zero", [&zeros[..], second].concat(), zero),
            ("psychic: s is zero", [first, &zeros].concat(), zero),
            ("none at all", Vec::new(), size),
            ("too short", short.to_vec(), size),
            ("too long", long, size),
            ("halves swapped", [second, first].concat(), TokenFlaw::SignatureMismatch),
            ("all ones", vec![0xff; bytes.len()], TokenFlaw::SignatureMismatch),
            ("of other bytes", signer.sign(b"something else"), TokenFlaw::SignatureMismatch),
        ];
        for (name, signature, flaw) in made {
            attacks.push((format!("{} {name}", signer.id), format!("{signed}.{}", encode(signature)), flaw));
        }
        let other = signer.token(&with(claims(), "sub", "admin".into()));
        let (_, others) = other.rsplit_once('.').unwrap();
        attacks.push((
            format!("{} of another token", signer.id),
            format!("{signed}.{others}"),
            TokenFlaw::SignatureMismatch,
        ));
    }
    attacks
}

/// Claims that no two readers would read alike, and those of others.
fn contents(world: &World) -> Vec<Attack> {
    let good = world.signer(Algorithm::EdDsa);
    let text = claims().to_string();
    let nested = good.token(&claims());
    let twice = text.replacen('{', r#"{"sub":"admin","#, 1);
    let escaped = text.replacen('{', r#"{"s\u0075b":"admin","#, 1);
    let broken = ["", "null", "[]", "\"x\"", "{}{}", &nested, &twice, &escaped, &text[1..], &format!("\u{feff}{text}")];
    let mut attacks: Vec<Attack> = broken
        .iter()
        .map(|text| (format!("claims {text}"), good.token_of(&good.header().to_string(), text), TokenFlaw::Claims))
        .collect();
    let parts: Vec<_> = nested.split('.').collect();
    let signed = format!("{}.{}=", parts[0], parts[1]);
    let padded = format!("{signed}.{}", encode(good.sign(signed.as_bytes())));
    attacks.push(("claims with padding, signed so".into(), padded, TokenFlaw::Encoding));
    let scoped = good.token(&with(claims(), "scope", "order".into()));
    attacks.push(("another scope".into(), scoped, TokenFlaw::Scope));
    for (name, value, flaw) in [
        ("iss", json!("https://idp.example"), TokenFlaw::Issuer),
        ("iss", json!(["https://idp.example/"]), TokenFlaw::ClaimType),
        ("aud", json!("shopping"), TokenFlaw::Audience),
        ("sub", json!(["user-1"]), TokenFlaw::ClaimType),
        ("sub", json!(""), TokenFlaw::Subject),
    ] {
        attacks.push((format!("{name} {value}"), good.token(&with(claims(), name, value)), flaw));
    }
    attacks
}

fn with_header(signer: &Signer, name: &str, value: impl Into<Value>) -> String {
    with(signer.header(), name, value.into()).to_string()
}

#[test]
fn headers_that_point_to_keys_are_not_even_read() {
    let world = World::new();
    let good = world.signer(Algorithm::Es256);
    let odd = json!({ "n": [1, 2] });
    for name in ["jku", "x5u", "x5c", "x5t", "x5t#S256", "jwk", "url", "nonce"] {
        let token = good.token_of(&with_header(good, name, odd.clone()), &claims().to_string());
        assert_eq!(world.code(&token), "good", "{name}");
    }
}

#[test]
fn an_issuer_of_one_type_takes_no_other() {
    let mut world = World::new();
    world.terms.kinds = Kinds::Only("at+jwt".into());
    let good = world.signer(Algorithm::Es256);
    let code = |typ: Value| world.code(&good.token_of(&with_header(good, "typ", typ), &claims().to_string()));
    assert_eq!([code("at+jwt".into()), code("application/AT+JWT".into())], ["good"; 2]);
    assert_eq!([code("JWT".into()), code("id+jwt".into())], ["token_type"; 2]);
    assert_eq!(world.code(&good.token_of(r#"{"alg":"ES256","kid":"es-256"}"#, &claims().to_string())), "token_type");
}

#[test]
fn a_public_key_is_never_a_secret() {
    let pem = Signer::new(Algorithm::Rs256).pem();
    let refused = KeySet::from_secret(pem.as_bytes(), &[Algorithm::Hs256]).err();
    assert_eq!(refused, Some(BadKeySet::Key(BadKey::SecretPublic)));
}

#[test]
fn refuses_every_single_bit_flip() {
    let world = World::new();
    let rule = world.rule();
    for algorithm in [Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa] {
        let token = world.token(algorithm);
        let mut believed = 0;
        for bit in 0..token.len() * 8 {
            let mut flipped = token.clone().into_bytes();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let mut head = shown("");
            // What cannot stand in a header cannot be shown.
            let Ok(value) = HeaderValue::from_bytes(&[b"Bearer ", &flipped[..]].concat()) else { continue };
            head.headers.insert(AUTHORIZATION, value);
            believed += usize::from(authenticate(&rule, &world.keys, &world.cache, &head, world.now).is_ok());
        }
        assert_eq!(believed, 0, "{algorithm:?}");
    }
}
