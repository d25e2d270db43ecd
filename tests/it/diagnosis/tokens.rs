//! Senders that sign tokens: each thing that a token can say otherwise than it should.

use super::scene::{BODY, NOW_S, OTHER, SECRET, SITE, Scene, codes, key, pair, value};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use hmac::{Hmac, KeyInit as _, Mac as _};
use hookwarden::diagnosis::Found;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};

/// With the digest of the body in each encoding, with and without an end, with the URL in the clear and as a digest, with an
/// account, with `Bearer` and without.
const TOKENS: [&str; 5] = ["qstash", "messagebird", "livekit", "vonage", "netlify"];

/// With one of these claims changed; `null` takes it out.
pub fn claiming(name: &str, changed: &Value) -> Scene {
    made(name, changed, &json!({ "alg": "HS256", "typ": "JWT" }), SECRET)
}

pub fn made(name: &str, changed: &Value, header: &Value, secret: &str) -> Scene {
    let mut scene = Scene::of(name);
    let token = scene.signature().rsplit(' ').next().unwrap().to_owned();
    let claims = token.split('.').nth(1).unwrap();
    let mut claims = value(&BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap());
    let claims = claims.as_object_mut().unwrap();
    claims.extend(changed.as_object().unwrap().clone());
    claims.retain(|_, value| !value.is_null());
    let [header, claims] = [header, &json!(claims)].map(|part| BASE64URL_NOPAD.encode(part.to_string().as_bytes()));
    let signed = format!("{header}.{claims}");
    let mac = if header == BASE64URL_NOPAD.encode(json!({ "alg": "HS512" }).to_string().as_bytes()) {
        let mac = <Hmac<Sha512>>::new_from_slice(secret.as_bytes()).unwrap();
        mac.chain_update(&signed).finalize().into_bytes().to_vec()
    } else {
        let mac = <Hmac<Sha256>>::new_from_slice(secret.as_bytes()).unwrap();
        mac.chain_update(&signed).finalize().into_bytes().to_vec()
    };
    let new = format!("{signed}.{}", BASE64URL_NOPAD.encode(&mac));
    *scene.signature() = scene.signature().replace(&token, &new);
    scene
}

fn each(mut check: impl FnMut(&str)) {
    TOKENS.iter().for_each(|name| check(name));
}

#[test]
fn a_token_in_order_is_healthy() {
    each(|name| {
        assert_eq!(Scene::of(name).diagnosis().found, Found::Healthy, "{name}");
        assert_eq!(claiming(name, &json!({})).diagnosis().found, Found::Healthy, "{name}: as it is made here");
    });
    assert_eq!(Scene::of("plaid").diagnosis().found, Found::Healthy);
}

#[test]
fn the_times_of_a_token_are_told_in_seconds() {
    let mut scene = claiming("qstash", &json!({ "exp": NOW_S + 30 }));
    scene.now_s += 75;
    assert!(scene.is("expired").contains("until 45 s before it came"));
    // What its sender may be off is taken into account.
    let mut scene = claiming("livekit", &json!({ "exp": NOW_S + 30 }));
    scene.now_s += 85;
    assert_eq!(scene.diagnosis().found, Found::Healthy);
    scene.now_s += 85;
    let what = scene.is("expired");
    assert!(
        what.contains("until 140 s (2 min 20 s) before it came") && what.contains("60 s of that are allowed"),
        "{what}"
    );
    let scene = claiming("qstash", &json!({ "nbf": NOW_S + 200 }));
    assert!(scene.is("not_yet").contains("from 200 s (3 min 20 s) after it came ("));
    for name in ["qstash", "messagebird", "livekit", "vonage", "plaid"] {
        let mut scene = Scene::of(name);
        scene.now_s += 425;
        assert!(scene.is("too_old").contains("425 s (7 min 5 s) before"), "{name}");
        scene.now_s = NOW_S - 100;
        assert!(scene.is("from_the_future").contains("100 s after"), "{name}");
    }
    for (name, time) in [("qstash", "iat"), ("messagebird", "nbf")] {
        assert!(claiming(name, &json!({ time: null })).is("time_missing").contains(&format!("`{time}`")), "{name}");
    }
    assert!(claiming("qstash", &json!({ "iat": NOW_S * 1000 })).is("time_unit").contains("`iat`"));
    assert!(claiming("qstash", &json!({ "exp": (NOW_S + 300).to_string() })).is("time_format").contains("`exp`"));
}

#[test]
fn what_a_token_says_otherwise_is_told() {
    let scene = claiming("qstash", &json!({ "iss": "Upstash EU" }));
    assert!(scene.is("claim_other").contains("`iss` of the token is `Upstash EU`, and this route wants `Upstash`"));
    let scene = claiming("qstash", &json!({ "iss": null }));
    assert!(scene.is("claim_other").contains("`iss` of the token is not there"));
    let mut scene = Scene::of("livekit");
    scene.config.insert("api_key".to_owned(), "APIother".to_owned());
    assert!(scene.is("claim_other").contains("`iss` of the token is `our api_key`, and this route wants `APIother`"));
    for name in ["livekit", "messagebird"] {
        assert!(claiming(name, &json!({ "exp": null })).is("claim_missing").contains("`exp`"), "{name}");
    }
    for (name, claim) in
        [("qstash", "body"), ("vonage", "payload_hash"), ("netlify", "sha256"), ("messagebird", "url_hash")]
    {
        assert!(claiming(name, &json!({ claim: null })).is("claim_missing").contains(claim), "{name}");
    }
    // An issuer and an audience, as Google's tokens have them: with keys of our own in the place of Google's.
    let mut scene = Scene::of("google-pubsub");
    assert_eq!(scene.diagnosis().found, Found::Healthy);
    scene.config.insert("audience".to_owned(), "https://shop.example/push".to_owned());
    assert!(scene.is("claim_other").contains("`aud` of the token is `our audience`"));
    scene.config.insert("email".to_owned(), "push@project.example".to_owned());
    assert_eq!(codes(&scene.causes()), ["claim_other", "claim_other"], "both are certain");
}

#[test]
fn a_body_that_is_not_that_of_the_token_is_told() {
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(BODY).unwrap()).unwrap();
    for name in ["qstash", "messagebird", "livekit", "vonage", "netlify", "plaid"] {
        for (came, code) in [
            (format!("{BODY}\n"), "body_line_end"),
            (format!("\u{feff}{BODY}"), "body_mark"),
            (format!(" {BODY} "), "body_blanks"),
            ("{\"another\":true}".to_owned(), "body_other"),
        ] {
            let mut scene = Scene::of(name);
            scene.body = came.into_bytes();
            scene.is(code);
        }
        let mut scene = Scene::signed(name, SECRET, pretty.as_bytes());
        scene.body = json!(serde_json::from_str::<Value>(&pretty).unwrap()).to_string().into_bytes();
        scene.is("body_json");
    }
}

#[test]
fn a_url_that_is_not_that_of_the_token_is_told() {
    for name in ["qstash", "messagebird"] {
        let signed = |site: &str, target: &str| {
            let mut scene = Scene::bare(name);
            (scene.site, scene.target) = (site.to_owned(), target.to_owned());
            let signing = scene.provider.scheme.signing_key(SECRET).unwrap();
            scene.sign(&signing);
            scene
        };
        signed("http://shop.example", "/in/hook").is("url_scheme");
        signed("https://shop.example:443", "/in/hook").is("url_port");
        signed("https://www.shop.example", "/in/hook").is("url_host");
        let changed = |signed_target: &str, came: &str, code: &str| {
            let mut scene = signed(SITE, signed_target);
            scene.target = came.to_owned();
            scene.is(code)
        };
        changed("/in/hook", "/in/hook/", "url_path");
        changed("/hook", "/in/hook", "url_path");
        changed("/hook?b=1&a=2", "/hook?a=2&b=1", "url_query");
        changed("/hook", "/hook?a=b", "url_query");
    }
    // Of another site altogether: one says which, the other has its digest alone.
    let other = |name: &str| {
        let mut scene = Scene::bare(name);
        scene.site = "https://elsewhere.example".to_owned();
        let signing = scene.provider.scheme.signing_key(SECRET).unwrap();
        scene.sign(&signing);
        scene
    };
    assert!(other("qstash").is("url_host").contains("`https://elsewhere.example`"));
    other("messagebird").is("url_other");
    let mut scene = Scene::of("qstash");
    scene.target = "/elsewhere".to_owned();
    assert!(scene.is("url_path").contains("`/in/hook`"));
}

#[test]
fn an_algorithm_that_is_not_the_senders_is_told() {
    let scene = made("qstash", &json!({}), &json!({ "alg": "HS512" }), SECRET);
    assert!(scene.is("other_algorithm").contains("made with `HS512`, and this sender's are made with `HS256`"));
    for algorithm in ["none", "RS256"] {
        let scene = made("qstash", &json!({}), &json!({ "alg": algorithm }), OTHER);
        assert!(scene.sees("other_algorithm").contains(&format!("`{algorithm}`")));
    }
}

#[test]
fn a_key_that_the_route_does_not_have_is_told() {
    each(|name| {
        let mut scene = made(name, &json!({}), &json!({ "alg": "HS256" }), OTHER);
        assert_eq!(scene.diagnosis().found, Found::Unknown, "{name}");
        scene.keys.push(key("shop", "live-2", OTHER));
        scene.is("key_of_other_list");
        scene.body.push(b'\n');
        assert_eq!(codes(&scene.causes()), ["key_of_other_list", "body_line_end"], "{name}");
    });
    // A public key by the id that a token names.
    let mut scene = Scene::of("plaid");
    let (text, _) = pair(&scene.provider, SECRET);
    scene.keys = vec![key("own", "live", &json!({ "kid": "key-1", "pem": text }).to_string())];
    assert_eq!(scene.diagnosis().found, Found::Healthy, "it names none");
    let token = scene.signature().clone();
    let rest = token.split_once('.').unwrap().1;
    let header = json!({ "alg": "ES256", "kid": "key-2" }).to_string();
    *scene.signature() = format!("{}.{rest}", BASE64URL_NOPAD.encode(header.as_bytes()));
    let what = scene.sees("key_id_other");
    assert!(what.contains("`key-2`") && what.contains("`key-1`"), "{what}");
}

#[test]
fn a_token_in_another_place_is_told() {
    each(|name| {
        let mut scene = Scene::of(name);
        let header = scene.header();
        let token = scene.signature().rsplit(' ').next().unwrap().to_owned();
        let elsewhere = if header.eq_ignore_ascii_case("authorization") { "x-token" } else { "authorization" };
        for field in &mut scene.fields {
            if field.0 == header {
                *field = (elsewhere.to_owned(), format!("Bearer {token}"));
            }
        }
        assert!(scene.is("header_renamed").contains(&format!("`{elsewhere}`")), "{name}");
        let mut scene = Scene::of(name);
        *scene.signature() = if name == "vonage" { token.clone() } else { format!("Bearer {token}") };
        scene.is("signature_prefix");
        *scene.signature() = format!("Token {token}");
        scene.is("signature_prefix");
    });
}

#[test]
fn a_secret_of_tokens_that_is_read_in_another_way_is_told() {
    let decoded = HEXLOWER.decode(SECRET.as_bytes()).unwrap();
    for (theirs, code) in [(decoded, "secret_decoded"), (format!("{SECRET}\n").into_bytes(), "secret_untidy")] {
        let mut scene = Scene::of("qstash");
        let token = scene.signature().clone();
        let signed = token.rsplit_once('.').unwrap().0;
        let mac = <Hmac<Sha256>>::new_from_slice(&theirs).unwrap().chain_update(signed).finalize().into_bytes();
        *scene.signature() = format!("{signed}.{}", BASE64URL_NOPAD.encode(&mac));
        scene.is(code);
    }
}

#[test]
fn several_things_that_are_certain_are_told_together() {
    let mut scene = claiming("qstash", &json!({ "iss": "another", "exp": NOW_S + 1 }));
    scene.now_s += 100;
    scene.body.push(b'\n');
    assert_eq!(codes(&scene.causes()), ["claim_other", "body_line_end", "expired"]);
    let digest = HEXLOWER.encode(&Sha256::digest(BODY));
    assert!(!format!("{:?}", scene.causes()).contains(&digest));
}
