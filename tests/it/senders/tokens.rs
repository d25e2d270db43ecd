//! Those that sign a token: what each of them has beside the matrix that all go through. Another library makes the tokens.

use super::shown::{BODY, NOW_S, Shown, provider};
use hookwarden::{
    repeat::Window,
    request::{Head, Target, Unverified},
    secret::Secret,
    verdict::{Fault, Refusal, Rejection},
    verify::{
        Keys, Provider, Verified, Webhook,
        jwt::{Algorithm, Cache, Issuers, KeySet, Ring},
        verify,
    },
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

/// With a token of these claims in the place of its own, made with the same secret.
fn claiming(shown: &Shown, claims: &Value) -> Shown {
    let secret = super::public(&shown.provider, "own");
    made(shown, &Header::default(), claims, &EncodingKey::from_secret(secret.as_bytes()))
}

fn made(shown: &Shown, header: &Header, claims: &Value, key: &EncodingKey) -> Shown {
    let prefix = if shown.signature().starts_with("Bearer ") { "Bearer " } else { "" };
    shown.signed(&format!("{prefix}{}", jsonwebtoken::encode(header, claims, key).unwrap()))
}

/// What its own token claims.
fn claims(shown: &Shown) -> Value {
    let signature = shown.signature();
    let part = signature.split('.').nth(1).unwrap();
    let part = data_encoding::BASE64URL_NOPAD.decode(part.as_bytes()).unwrap();
    serde_json::from_str(std::str::from_utf8(&part).unwrap()).unwrap()
}

fn with(shown: &Shown, name: &str, value: Value) -> Shown {
    let mut claims = claims(shown);
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claiming(shown, &claims)
}

const SHARED: [&str; 5] = ["qstash", "livekit", "vonage", "netlify", "messagebird"];

#[test]
fn a_token_of_another_library_is_believed() {
    for name in SHARED {
        let shown = Shown::by(&provider(name));
        assert!(claiming(&shown, &claims(&shown)).judged().is_ok(), "{name}");
    }
}

#[test]
fn what_binds_the_body_is_compared_and_has_to_be_there() {
    for (name, claim) in [
        ("qstash", "body"),
        ("livekit", "sha256"),
        ("vonage", "payload_hash"),
        ("netlify", "sha256"),
        ("messagebird", "payload_hash"),
    ] {
        let shown = Shown::by(&provider(name));
        let own = claims(&shown)[claim].as_str().unwrap().to_owned();
        let upper = own.to_uppercase();
        for (value, expected) in [
            (Value::Null, Rejection::SignatureMismatch),
            (json!(""), Rejection::SignatureMismatch),
            (json!(upper), Rejection::SignatureMismatch),
            (json!([own]), Rejection::SignatureMalformed),
            (json!(true), Rejection::SignatureMalformed),
        ] {
            assert_eq!(with(&shown, claim, value.clone()).refused(&value.to_string()), expected, "{name} {value}");
        }
    }
}

/// One sender pads its digest, and others might not: both say the same.
#[test]
fn padding_of_a_digest_says_nothing() {
    let shown = Shown::by(&provider("qstash"));
    let own = claims(&shown)["body"].as_str().unwrap().to_owned();
    assert!(with(&shown, "body", json!(format!("{own}="))).judged().is_ok());
    assert_eq!(with(&shown, "body", json!(format!("{own}=="))).refused("twice"), Rejection::SignatureMismatch);
}

#[test]
fn the_url_is_the_one_that_the_sender_knows() {
    for name in ["qstash", "messagebird"] {
        let shown = Shown::by(&provider(name));
        for target in ["/in?a=1", "/other", "/in/"] {
            let moved = Shown { target: target.to_owned(), ..shown.clone() };
            assert_eq!(moved.refused(target), Rejection::SignatureMismatch, "{name}");
        }
    }
    let shown = Shown::by(&provider("qstash"));
    assert_eq!(
        with(&shown, "sub", json!("https://other.example/in")).refused("another site"),
        Rejection::SignatureMismatch
    );
}

#[test]
fn an_empty_body_has_no_digest_at_messagebird() {
    let shown = Shown::of(&provider("messagebird"), "application/json", b"");
    assert!(shown.judged().is_ok());
    let filled = Shown { body: BODY.to_vec(), ..shown.clone() };
    assert_eq!(filled.refused("a body beside a token for none"), Rejection::SignatureMismatch);
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(with(&shown, "payload_hash", json!(digest)).refused("a digest"), Rejection::SignatureMismatch);
}

/// Else a token for whatever body would do for none.
#[test]
fn of_an_empty_body_the_others_say_the_digest() {
    for (name, claim) in [("qstash", "body"), ("livekit", "sha256"), ("vonage", "payload_hash"), ("netlify", "sha256")]
    {
        let shown = Shown::of(&provider(name), "application/json", b"");
        assert!(shown.judged().is_ok(), "{name}");
        assert_eq!(with(&shown, claim, Value::Null).refused("no digest"), Rejection::SignatureMismatch, "{name}");
    }
}

#[test]
fn a_token_ends_when_it_says_so_and_its_clock_may_be_ahead() {
    let shown = Shown::by(&provider("qstash"));
    for (claim, at, expected) in [
        ("exp", NOW_S + 1, None),
        ("exp", NOW_S, Some(Rejection::Stale)),
        ("nbf", NOW_S + 60, None),
        ("nbf", NOW_S + 61, Some(Rejection::FromTheFuture)),
        ("iat", NOW_S + 61, Some(Rejection::FromTheFuture)),
        ("iat", NOW_S - 301, Some(Rejection::Stale)),
    ] {
        assert_eq!(with(&shown, claim, json!(at)).judged().err(), expected, "{claim} {at}");
    }
    for claim in ["exp", "iat"] {
        assert_eq!(with(&shown, claim, json!(NOW_S.to_string())).refused(claim), Rejection::SignatureMalformed);
    }
    assert_eq!(with(&shown, "iat", Value::Null).refused("no time"), Rejection::SignatureMalformed);
    assert!(with(&shown, "exp", Value::Null).judged().is_ok(), "its time ends it");
    for (name, leeway) in [("livekit", 60), ("messagebird", 1), ("vonage", 0)] {
        let shown = Shown::by(&provider(name));
        let ended = |ago: i64| with(&shown, "exp", json!(NOW_S - ago)).judged().err();
        assert_eq!((ended(leeway - 1), ended(leeway)), (None, Some(Rejection::Stale)), "{name}");
    }
    for name in ["livekit", "messagebird"] {
        assert_eq!(with(&Shown::by(&provider(name)), "exp", Value::Null).refused(name), Rejection::SignatureMalformed);
    }
}

#[test]
fn whose_token_it_is_has_to_be_said() {
    for (name, claim) in [("qstash", "iss"), ("livekit", "iss"), ("netlify", "iss"), ("messagebird", "iss")] {
        let shown = Shown::by(&provider(name));
        for value in [Value::Null, json!("other")] {
            assert_eq!(with(&shown, claim, value).refused("another issuer"), Rejection::SignatureMismatch, "{name}");
        }
    }
    let mut other = Shown::by(&provider("livekit"));
    other.config.insert("api_key".to_owned(), "another".to_owned());
    assert_eq!(other.refused("another API key"), Rejection::SignatureMismatch);
}

/// RFC 7519 section 4.1.3: for whom a token is may be said of several; a list of issuers would be somebody else's too.
#[test]
fn a_token_may_be_for_several_and_is_by_one() {
    let text = provider("qstash").text.replace("iss: Upstash", "iss: Upstash, aud: shop");
    let shown = Shown::by(&Arc::new(Provider::from_yaml(&text).unwrap()));
    assert_eq!(claims(&shown)["aud"], "shop");
    assert!(with(&shown, "aud", json!(["other", "shop"])).judged().is_ok());
    for (claim, value, expected) in [
        ("aud", json!(["other"]), Rejection::SignatureMismatch),
        ("aud", json!([]), Rejection::SignatureMismatch),
        ("iss", json!(["Upstash"]), Rejection::SignatureMalformed),
        ("sub", json!([claims(&shown)["sub"]]), Rejection::SignatureMalformed),
    ] {
        assert_eq!(with(&shown, claim, value.clone()).refused("a list"), expected, "{claim}: {value}");
    }
}

#[test]
fn no_algorithm_is_taken_but_those_of_the_entry() {
    let shown = Shown::by(&provider("qstash"));
    let secret = super::public(&shown.provider, "own");
    let key = EncodingKey::from_secret(secret.as_bytes());
    let of = |algorithm| made(&shown, &Header::new(algorithm), &claims(&shown), &key);
    assert!(of(jsonwebtoken::Algorithm::HS256).judged().is_ok());
    for other in [jsonwebtoken::Algorithm::HS384, jsonwebtoken::Algorithm::HS512] {
        assert_eq!(of(other).refused("another algorithm"), Rejection::SignatureMalformed);
    }
    let messagebird = Shown::by(&provider("messagebird"));
    let secret = super::public(&messagebird.provider, "own");
    let key = EncodingKey::from_secret(secret.as_bytes());
    let header = Header::new(jsonwebtoken::Algorithm::HS512);
    assert!(made(&messagebird, &header, &claims(&messagebird), &key).judged().is_ok(), "it has three");
    for header in [r#"{"alg":"none"}"#, r#"{"alg":"hs256"}"#, r#"{"alg":"HS256","crit":["x"]}"#] {
        let header = data_encoding::BASE64URL_NOPAD.encode(header.as_bytes());
        let signature = shown.signature();
        let (_, rest) = signature.split_once('.').unwrap();
        let (claims, _) = rest.split_once('.').unwrap();
        for token in [format!("{header}.{rest}"), format!("{header}.{claims}.")] {
            assert_eq!(shown.signed(&token).refused(&token), Rejection::SignatureMalformed);
        }
    }
}

/// A public key is known to everybody: as a secret it would be everybody's.
#[test]
fn a_public_key_is_no_shared_secret() {
    let shown = Shown::by(&provider("plaid"));
    let pem = super::public(&shown.provider, "own");
    let confused = made(&shown, &Header::default(), &claims(&shown), &EncodingKey::from_secret(pem.as_bytes()));
    assert_eq!(confused.refused("an HMAC with the public key"), Rejection::SignatureMalformed);
}

#[test]
fn a_public_key_comes_as_vendors_write_it() {
    let pem = super::public(&provider("plaid"), "own");
    let scheme = &provider("plaid").scheme;
    let jwk = r#"{"kty":"EC","crv":"P-256","kid":"a","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;
    let named = json!({ "kid": "a", "alg": "ES256", "pem": pem }).to_string();
    for good in [pem.as_str(), jwk, &format!("{{\"keys\":[{jwk}]}}"), &named] {
        assert!(scheme.key(good).is_ok(), "{good}");
    }
    let private = jwk.replace("\"kid\"", "\"d\":\"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE\",\"kid\"");
    let shared =
        r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
    for bad in ["{}", "{\"keys\":[]}", &private, shared, "secret"] {
        assert!(scheme.key(bad).is_err(), "{bad}");
    }
    // A token that names a key is of that key alone.
    let shown = Shown::by(&provider("plaid"));
    assert!(shown.judged().is_ok());
    assert!(judged(&shown, |webhook| webhook, &with_key(&shown.provider, &named)).is_ok(), "it names none");
}

fn with_key(provider: &Provider, text: &str) -> Keys {
    let key =
        hookwarden::verify::Key { id: "file".to_owned(), secret: provider.scheme.key(text).unwrap(), retire: None };
    Keys::new(Secret::new("memory").unwrap(), BTreeMap::from([("all".to_owned(), vec![key])]))
}

fn judged(shown: &Shown, of: impl Fn(Webhook) -> Webhook, keys: &Keys) -> Result<Verified, Refusal> {
    let mut headers = HeaderMap::new();
    for (name, value) in &shown.fields {
        headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
    }
    let head = Head {
        method: Method::POST,
        target: Target::parse(&shown.target).unwrap(),
        host: String::new(),
        headers,
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    let window = match shown.provider.max_age {
        Some(max_age) => Window::Signed { max_age, max_future: shown.provider.max_future },
        None => Window::Unsigned { remember: Duration::from_hours(72) },
    };
    let site = Some("https://shop.example".to_owned());
    let webhook =
        of(Webhook::for_tools("in", shown.provider.clone(), "all", window, site).configured(shown.config.clone()));
    verify(&webhook, keys, Unverified { head, raw: shown.body.clone().into() }, shown.now)
}

/// Google publishes its keys: they are fetched beside the traffic, and a request only reads what is there.
#[test]
fn published_keys_are_those_of_the_moment() {
    let shown = Shown::by(&provider("google-pubsub"));
    let (url, algorithms) = shown.provider.scheme.published().unwrap();
    assert!(url.starts_with("https://www.googleapis.com/"));
    let ring = Arc::new(Ring::new(KeySet::not_yet()));
    let cache = Arc::new(Cache::new(Secret::new("memory").unwrap(), 0));
    let issuers = Issuers::new(BTreeMap::from([("all".to_owned(), ring.clone())]), cache);
    let keys = Keys::new(Secret::new("memory").unwrap(), BTreeMap::new()).trusting(issuers);
    let now = |shown: &Shown| judged(shown, |webhook| webhook, &keys);
    assert!(matches!(now(&shown), Err(Refusal::Failed(Fault::KeysUnavailable))));
    assert!(ring.take_wanted(), "somebody hears of it");
    let set = |label: &str| KeySet::from_pem(&super::public(&shown.provider, label), algorithms).unwrap();
    ring.replace(set("sibling"));
    assert!(matches!(now(&shown), Err(Refusal::Rejected(Rejection::SignatureMismatch))));
    ring.replace(set("own"));
    assert!(now(&shown).is_ok());
    assert!(!ring.take_wanted());
    let unsigned = shown.signed("Bearer a.b.c");
    assert!(matches!(now(&unsigned), Err(Refusal::Rejected(Rejection::SignatureMalformed))));
    assert_eq!(algorithms, [Algorithm::Rs256]);
}

/// Any service account of anybody's can have a token for any audience: who pushes is told by its address.
#[test]
fn a_push_is_of_one_service_account() {
    let shown = Shown::by(&provider("google-pubsub"));
    for name in ["audience", "email"] {
        let mut other = shown.clone();
        other.config.insert(name.to_owned(), "another".to_owned());
        assert_eq!(other.refused(name), Rejection::SignatureMismatch);
    }
    let mut unsaid = shown.clone();
    unsaid.config.remove("audience");
    assert_eq!(unsaid.refused("no audience"), Rejection::SignatureMismatch);
    assert!(shown.provider.scheme.config().eq(["audience", "email"]), "and a policy has to say both");
    assert!(shown.judged().unwrap().proof().is_none(), "the message is not in the token");
}

#[test]
fn an_entry_says_what_its_token_has_to_be() {
    let text = &provider("qstash").text;
    for (from, to, told) in [
        ("[HS256]", "[]", "all with a shared secret"),
        ("[HS256]", "[HS256, RS256]", "all with a shared secret"),
        ("[HS256]", "[none]", "unknown algorithm `none`"),
        ("enc: base64url }", "enc: base32 }", "unknown encoding `base32`"),
        ("time: iat", "time: exp", "unknown time `exp`"),
        ("  token:", "  message: [body]\n  token:", "leave out `message`"),
        ("    body: { claim: body, enc: base64url }\n", "", "admit it with `content: unauthenticated`"),
        ("    time: iat", "    time: iat\n    keys: https://example.com/", "what is published is no secret"),
        ("alg: jwt", "alg: hmac-sha256", "this goes with `alg: jwt`"),
    ] {
        assert!(text.contains(from), "{from}");
        let wrong = Provider::from_yaml(&text.replace(from, to)).expect_err(to);
        assert!(wrong.iter().any(|mistake| mistake.message.contains(told)), "{told}: {wrong:?}");
    }
    let open = provider("google-pubsub").text.replace("https://www.googleapis", "http://www.googleapis");
    let wrong = Provider::from_yaml(&open).expect_err("http");
    assert!(wrong.iter().any(|mistake| mistake.message.contains("write `https://`")), "{wrong:?}");
}
