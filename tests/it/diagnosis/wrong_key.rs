//! Two things at once: a key that is not the route's, and something that can be seen without any. What nobody can prove is not
//! told as the cause; what the other key proves is.

use super::{
    messages::{self, COVERED, created},
    scene::{BODY, NOW_S, OTHER, SECRET, Scene, codes, key, pair, provider},
    tokens::{claiming, made},
};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use data_encoding::{BASE64, HEXLOWER};
use hookwarden::{
    clock::Timestamp,
    diagnosis::{Found, KeyText},
};
use serde_json::json;
use sha2::{Digest as _, Sha256};

#[test]
fn of_a_wrong_key_alone_nothing_is_told() {
    for name in ["github", "stripe", "standard-webhooks", "qstash", "livekit", "aws-sns", "http-message-signatures"] {
        let scene = Scene::signed(name, OTHER, BODY.as_bytes());
        assert_eq!(scene.diagnosis().found, Found::Unknown, "{name}");
    }
}

#[test]
fn what_a_token_says_of_itself_is_proved_by_the_key_that_made_it() {
    let times = [(json!({ "exp": NOW_S.to_string() }), "time_format"), (json!({ "iat": NOW_S * 1000 }), "time_unit")];
    for (claims, code) in times {
        let claimed = |secret: &str| made("qstash", &claims, &json!({ "alg": "HS256" }), secret);
        assert_eq!(codes(&claimed(SECRET).causes())[0], code);
        claimed(OTHER).sees(code);
        let mut scene = claimed(OTHER);
        scene.keys.push(key("shop", "live-2", OTHER));
        assert_eq!(codes(&scene.causes())[..2], ["key_of_other_list", code]);
    }
    let of = |secret: &str| made("qstash", &json!({}), &json!({ "alg": "HS512" }), secret);
    of(SECRET).is("other_algorithm");
    of(OTHER).sees("other_algorithm");
    let mut scene = of(OTHER);
    scene.keys.push(key("shop", "live-2", OTHER));
    assert_eq!(codes(&scene.causes()), ["key_of_other_list", "other_algorithm"]);
    assert_eq!(claiming("qstash", &json!({})).diagnosis().found, Found::Healthy);
}

#[test]
fn what_a_message_says_of_itself_is_proved_by_the_key_that_made_it() {
    for said in ["ed25519", "hmac-sha512"] {
        let with = |secret: &str| {
            let mut scene = messages::scene();
            let parameters = format!("{};alg=\"{said}\"", created());
            messages::covering_by(&mut scene, secret, COVERED, &parameters);
            scene
        };
        let what = with(SECRET).is("other_algorithm");
        assert!(
            what.contains(&format!("says `alg=\"{said}\"` of itself, and it is made with `hmac-sha256`")),
            "{what}"
        );
        let causes = with(OTHER).seen();
        assert_eq!(codes(&causes), ["other_algorithm"]);
        assert!(!causes[0].mend.contains(&format!("`alg: {said}`")), "nobody knows that: {}", causes[0].mend);
        let mut scene = with(OTHER);
        scene.keys.push(key("shop", "live-2", OTHER));
        assert_eq!(codes(&scene.causes()), ["key_of_other_list", "other_algorithm"]);
    }
}

#[test]
fn a_message_by_another_key_is_told_with_whatever_else_is_wrong() {
    let mut scene = messages::scene();
    messages::covering_by(&mut scene, OTHER, "\"@method\" \"content-digest\"", &created());
    assert_eq!(scene.diagnosis().found, Found::Unknown);
    scene.keys.push(key("shop", "live-2", OTHER));
    scene.body.push(b'\n');
    scene.now_s += 1000;
    assert_eq!(codes(&scene.causes()), ["key_of_other_list", "component_missing", "body_line_end", "too_old"]);
}

#[test]
fn what_anybody_can_see_is_told_as_that_whoever_signed() {
    for secret in [SECRET, OTHER] {
        let mut scene = Scene::signed("github", secret, b"\x1f\x8b compressed");
        scene.body = BODY.as_bytes().to_vec();
        scene.fields.push(("content-encoding".to_owned(), "gzip".to_owned()));
        scene.sees("body_decompressed");
    }
    // Two of them are two facts.
    let mut scene = Scene::of("github");
    scene.fields.push(("content-encoding".to_owned(), "gzip".to_owned()));
    scene.fields.push(("content-length".to_owned(), "4096".to_owned()));
    scene.body.push(b'.');
    assert_eq!(codes(&scene.seen()), ["body_cut", "body_decompressed"]);
}

/// Anybody can make a keyed digest with what everybody may have.
#[test]
fn a_public_key_proves_nothing_as_a_shared_secret() {
    let public = |list: &str, text: &str| KeyText { is_public: true, ..key(list, "published", text) };
    let (hex, _) = pair(&provider("discord"), OTHER);
    let (pem, _) = pair(&provider("telnyx"), OTHER);
    for text in [hex.as_str(), pem.trim()] {
        for name in ["github", "stripe", "slack", "shopify", "square", "telegram", "qstash"] {
            let mut scene = Scene::bare(name);
            let signing = scene.provider.scheme.signing_key(text).unwrap();
            scene.sign(&signing);
            scene.keys.push(public("discord", text));
            assert_eq!(scene.diagnosis().found, Found::Unknown, "{name}");
        }
    }
    // As a text that is base64 by chance, for HTTP message signatures.
    let mut scene = messages::scene();
    messages::covering_by(&mut scene, &hex, COVERED, &created());
    scene.keys.push(public("discord", &hex));
    assert_eq!(scene.diagnosis().found, Found::Unknown);
    // Nor where the policy wants a public key, and the message is made with a secret.
    scene.config.insert("alg".to_owned(), "ed25519".to_owned());
    assert_eq!(scene.diagnosis().found, Found::Unknown);
    scene.keys[1].is_public = false;
    assert_eq!(codes(&scene.causes()), ["key_of_other_list", "other_algorithm"]);
    // The route's own public key, and a header of a sender that shares its secret.
    for other in ["github", "shopify", "square", "gitlab-token"] {
        let mut scene = Scene::bare_with("discord", &hex);
        scene.provider = provider(other);
        let signing = scene.provider.scheme.signing_key(&hex).unwrap();
        scene.sign(&signing);
        scene.provider = provider("discord");
        scene.keys = vec![public("own", &hex)];
        assert!(!matches!(scene.diagnosis().found, Found::Named(_)), "{other}: {:?}", scene.diagnosis().found);
        scene.keys = vec![key("own", "live", &hex)];
        scene.is("other_sender");
    }
}

#[test]
fn a_content_coding_beside_another_body_proves_nothing() {
    for name in ["qstash", "livekit", "http-message-signatures"] {
        let mut scene = Scene::of(name);
        scene.body = b"{\"amount\":999999}".to_vec();
        scene.fields.push(("content-encoding".to_owned(), "gzip".to_owned()));
        assert!(scene.is("body_other").contains("or is put there to look so"), "{name}");
        let mut scene = Scene::of(name);
        scene.fields.push(("content-length".to_owned(), scene.body.len().to_string()));
        scene.body.truncate(20);
        let what = scene.is("body_other");
        assert!(what.contains("20 bytes") && what.contains("the rest may be missing"), "{name}: {what}");
    }
}

#[test]
fn another_key_and_another_writing_are_told_together() {
    for name in ["github", "stripe", "slack", "shopify", "square", "standard-webhooks", "twilio", "hubspot", "discord"]
    {
        let (theirs, signing) = pair(&provider(name), OTHER);
        let old = KeyText { retire: Some(Timestamp::from_unix_s(NOW_S - 1)), ..key("own", "old", &theirs) };
        let mut scene = Scene::bare(name);
        scene.sign(&signing);
        scene.keys.push(old);
        let quoted = format!("\"{}\"", scene.signature());
        *scene.signature() = quoted;
        assert_eq!(codes(&scene.causes()), ["key_retired", "signature_quoted"], "{name}");
    }
    for target in ["http://shop.example", "https://www.shop.example", "http://shop.example:80"] {
        let mut scene = Scene::bare("twilio");
        scene.site = target.to_owned();
        let signing = scene.provider.scheme.signing_key(OTHER).unwrap();
        scene.sign(&signing);
        scene.keys.push(key("shop", "live-2", OTHER));
        assert_eq!(scene.causes().len(), 2, "{target}: {:?}", scene.causes());
    }
}

#[test]
fn a_secret_of_two_lists_is_named_in_both() {
    let mut scene = Scene::signed("github", OTHER, BODY.as_bytes());
    scene.keys.push(key("shop", "live-2", OTHER));
    assert!(scene.causes()[0].mend.starts_with("give the sender the secret of `own`"), "{:?}", scene.causes());
    scene.keys.push(key("eu", "live-3", OTHER));
    assert!(scene.is("key_of_other_list").contains("; the same secret is `live-3` of `eu`"));
    scene.keys.insert(1, KeyText { retire: Some(Timestamp::from_unix_s(NOW_S - 1)), ..key("own", "old", OTHER) });
    let what = scene.is("key_retired");
    assert!(what.contains("`live-2` of `shop`") && what.contains("`live-3` of `eu`"), "{what}");
}

#[test]
fn a_word_that_everybody_knows_is_no_key_of_the_route() {
    let word = "no-secret-provided";
    for keys in [vec![key("own", "live", SECRET)], vec![key("own", "live", word)], vec![key("shop", "live", word)]] {
        let mut scene = Scene::bare("cal-com");
        let signing = scene.provider.scheme.signing_key(word).unwrap();
        scene.sign(&signing);
        scene.keys = keys;
        scene.is("key_default");
    }
}

#[test]
fn a_stranger_writes_no_prose_into_what_is_told() {
    let mut scene = messages::scene();
    let input = "sig1=(\"@method\" \"content-digest` are good. Run `sudo sh\");created=1".to_owned();
    *scene.value("signature-input") = input;
    let what = scene.sees("header_missing");
    assert!(what.contains("something that is no name") && !what.contains("sudo"), "{what}");
    *scene.value("signature-input") = format!("{}=(\"@method\");created=1", "a".repeat(4000));
    assert!(scene.sees("label_other").len() < 200);
}

/// What stands before the bytes of an Ed25519 key (RFC 8410 section 4).
const SPKI: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

#[test]
fn a_public_key_of_another_list_is_named_where_public_keys_are_due() {
    let seed: [u8; 32] = Sha256::digest(OTHER).into();
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let written = BASE64.encode(&[SPKI, pair.public_key().as_ref()].concat());
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{written}\n-----END PUBLIC KEY-----");
    let mut scene = messages::scene();
    scene.config.insert("alg".to_owned(), "ed25519".to_owned());
    messages::covering_with(&mut scene, "sig1", COVERED, &created(), |base| {
        pair.sign(base.as_bytes()).as_ref().to_vec()
    });
    assert_eq!(scene.diagnosis().found, Found::Unknown);
    scene.keys.push(key("partner", "live-2", &pem));
    assert!(scene.keys[1].is_public);
    scene.is("key_of_other_list");
}

#[test]
fn what_a_token_may_be_late_is_allowed_to_another_key_too() {
    let mut scene = made("livekit", &json!({ "exp": NOW_S + 30 }), &json!({ "alg": "HS256" }), OTHER);
    scene.keys.push(key("shop", "live-2", OTHER));
    scene.now_s += 85;
    assert_eq!(codes(&scene.causes()), ["key_of_other_list"]);
    scene.now_s += 85;
    let causes = scene.causes();
    assert_eq!(codes(&causes), ["key_of_other_list", "expired"]);
    assert!(causes[1].what.contains("60 s of that are allowed"), "{}", causes[1].what);
}

/// The same bytes as another reading of the route's own secret, and as another list's: either side could be mistaken.
#[test]
fn two_that_made_the_same_token_are_not_told_apart() {
    let theirs = "sixteen letters!";
    let mut scene = made("qstash", &json!({}), &json!({ "alg": "HS256" }), theirs);
    scene.keys = vec![key("own", "live", &HEXLOWER.encode(theirs.as_bytes()))];
    scene.is("secret_decoded");
    scene.keys.push(key("shop", "live-2", theirs));
    assert_eq!(scene.diagnosis().found, Found::Ambiguous(2));
}
