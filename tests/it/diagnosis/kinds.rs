//! One sender of each other kind: plain digests, keys of elliptic curves and of RSA, items of a list, secrets that are shown, and
//! what nobody's scheme is needed for.

use super::scene::{BODY, NOW_S, OTHER, SECRET, Scene, codes, key, pair, provider, value};
use data_encoding::{BASE64, HEXLOWER};
use hookwarden::diagnosis::{Cause, Found};
use serde_json::json;

/// The cause that is named, and no other.
fn sole(scene: &Scene) -> Cause {
    let causes = scene.causes();
    assert_eq!(causes.len(), 1, "{}: {causes:?}", scene.provider.name);
    causes.into_iter().next().unwrap()
}

/// A plain digest with its secret before the body, and one with it behind; elliptic curves; RSA; an HMAC of the sorted form.
const OTHERS: [&str; 6] = ["hubspot-v1", "cloudinary", "sendgrid", "standard-webhooks-v1a", "contentful", "telnyx"];

#[test]
fn every_other_kind_that_signs_the_body_is_told_what_happened_to_it() {
    for name in OTHERS {
        assert_eq!(Scene::of(name).diagnosis().found, Found::Healthy, "{name}");
        for (came, code) in [
            (format!("{BODY}\n"), "body_line_end"),
            (format!("\u{feff}{BODY}"), "body_mark"),
            (BODY.replace("\":", "\": "), "body_json"),
            (format!("{:x}\r\n{BODY}\r\n0\r\n\r\n", BODY.len()), "body_chunked"),
        ] {
            let mut scene = Scene::of(name);
            scene.body = came.into_bytes();
            // What a plain digest is of has to be UTF-8, which a byte order mark is.
            scene.is(code);
        }
    }
}

#[test]
fn every_other_kind_is_told_another_key_and_another_header() {
    for name in OTHERS.into_iter().chain(["telegram", "basic-auth", "gitlab-token", "plivo-v2"]) {
        let sender = provider(name);
        let (theirs, _) = pair(&sender, OTHER);
        let (own, signing) = pair(&sender, SECRET);
        let mut scene = Scene::bare_with(name, &own);
        scene.sign(&signing);
        assert_eq!(scene.diagnosis().found, Found::Healthy, "{name}");
        scene.keys = vec![key("own", "live", &theirs), key("shop", "live-2", &own)];
        scene.is("key_of_other_list");
        scene.keys = vec![key("own", "live", &own)];
        let header = scene.header();
        for field in &mut scene.fields {
            if field.0 == header {
                field.0 = "x-forwarded-signature".to_owned();
            }
        }
        assert!(scene.is("header_renamed").contains("`x-forwarded-signature`"), "{name}");
    }
}

#[test]
fn a_secret_that_is_shown_is_told_from_its_writings() {
    let shown = |name: &str, own: &str, shown: &str| {
        let mut scene = Scene::bare_with(name, own);
        let header = scene.header();
        scene.fields.push((header, shown.to_owned()));
        scene
    };
    let word = "a-word-of-the-bot";
    assert_eq!(shown("telegram", word, word).diagnosis().found, Found::Healthy);
    shown("telegram", &format!("\"{word}\""), word).is("secret_untidy");
    shown("telegram", &format!("  {word} "), word).is("secret_untidy");
    shown("telegram", word, &format!("\"{word}\"")).is("signature_quoted");
    shown("telegram", word, &format!("Bearer {word}")).is("signature_prefix");
    let basic = |credentials: &str| format!("Basic {}", BASE64.encode(credentials.as_bytes()));
    let own = "hook:a word: with blanks";
    assert_eq!(shown("basic-auth", own, &basic(own)).diagnosis().found, Found::Healthy);
    shown("basic-auth", own, &basic(&format!("{own}\n"))).is("secret_untidy");
    shown("basic-auth", own, &BASE64.encode(own.as_bytes())).is("signature_prefix");
    // So does a sender that shows a token there.
    shown("basic-auth", own, own).is("other_sender");
    assert_eq!(shown("basic-auth", own, &basic("hook:another")).diagnosis().found, Found::Unknown);
}

/// Graph's and Adyen's lists, of which each item is signed by itself.
#[test]
fn one_item_of_several_is_told() {
    let mut scene = Scene::of("microsoft-graph");
    let item = |word: &str| json!({ "subscriptionId": "1", "clientState": word });
    scene.body = json!({ "value": [item(SECRET), item(OTHER), item(SECRET)] }).to_string().into_bytes();
    assert!(scene.is("item_other").contains("of 3 items all are as they should be but number 2"));
    scene.keys.push(key("shop", "live-2", OTHER));
    scene.body = json!({ "value": [item(OTHER)] }).to_string().into_bytes();
    scene.is("key_of_other_list");

    let adyen = |secret: &str| {
        let mut scene = Scene::bare("adyen-payments");
        let item = json!({ "NotificationRequestItem": {
            "pspReference": "psp", "merchantAccountCode": "shop", "merchantReference": "order",
            "amount": { "value": 1999, "currency": "EUR" }, "eventCode": "AUTHORISATION", "success": "true",
        } });
        scene.body = json!({ "notificationItems": [item] }).to_string().into_bytes();
        let signing = scene.provider.scheme.signing_key(secret).unwrap();
        scene.sign(&signing);
        scene
    };
    assert_eq!(adyen(SECRET).diagnosis().found, Found::Healthy);
    let mut other = adyen(OTHER);
    other.keys.push(key("shop", "live-2", OTHER));
    other.is("key_of_other_list");
    let list = |scene: &Scene| value(&scene.body)["notificationItems"][0].clone();
    let (good, bad) = (list(&adyen(SECRET)), list(&adyen(OTHER)));
    let mut mixed = adyen(SECRET);
    mixed.body = json!({ "notificationItems": [good, bad] }).to_string().into_bytes();
    assert!(mixed.is("item_other").contains("of 2 items all are as they should be but number 2"));
    // The key is hexadecimal; as a text it is another one.
    let mut literal = Scene::bare("adyen-payments");
    let as_text = literal.provider.text.replace("key: { enc: hex }", "key: { enc: utf8 }");
    let as_text = hookwarden::verify::Provider::from_yaml(&as_text).unwrap();
    literal.body = adyen(SECRET).body;
    let signing = as_text.scheme.signing_key(SECRET).unwrap();
    let own = std::mem::replace(&mut literal.provider, std::sync::Arc::new(as_text));
    literal.sign(&signing);
    literal.provider = own;
    literal.is("secret_literal");
}

#[test]
fn a_certificate_and_a_topic_that_are_not_the_senders_are_told() {
    let with = |scene: &mut Scene, name: &str, word: &str| {
        let mut document = value(&scene.body);
        document[name] = word.into();
        scene.body = document.to_string().into_bytes();
    };
    let mut sns = Scene::of("aws-sns");
    assert_eq!(sns.diagnosis().found, Found::Healthy);
    with(&mut sns, "SigningCertURL", "https://sns.us-east-1.amazonaws.com.evil.test/a.pem");
    assert!(
        sns.sees("certificate_other").contains("`https://sns.{region}.amazonaws.com/SimpleNotificationService-*.pem`")
    );
    let mut sns = Scene::of("aws-sns");
    with(&mut sns, "TopicArn", "arn:aws:sns:eu-west-1:123456789012:another");
    assert!(sns.sees("account_other").contains("`arn:aws:sns:eu-west-1:123456789012:another`"));
    let mut changed = Scene::of("aws-sns");
    with(&mut changed, "Message", "another");
    assert_eq!(changed.diagnosis().found, Found::Unknown);

    let mut paypal = Scene::of("paypal");
    assert_eq!(paypal.diagnosis().found, Found::Healthy);
    *paypal.value("paypal-cert-url") = "https://api.paypal.com.evil.test/v1/notifications/certs/a".to_owned();
    paypal.sees("certificate_other");
    let mut paypal = Scene::of("paypal");
    *paypal.value("paypal-auth-algo") = "SHA512withRSA".to_owned();
    assert!(paypal.is("account_other").contains("`PAYPAL-AUTH-ALGO` does not say `SHA256withRSA`"));
    let mut paypal = Scene::of("paypal");
    paypal.body.push(b'\n');
    paypal.is("body_line_end");
    paypal.body.pop();
    paypal.keys[0] = key("own", "live", &pair(&provider("paypal"), OTHER).0);
    paypal.keys.push(key("shop", "sandbox", &pair(&provider("paypal"), SECRET).0));
    paypal.is("key_of_other_list");
}

#[test]
fn an_account_that_is_not_the_policys_is_told() {
    let mut pusher = Scene::of("pusher");
    assert_eq!(pusher.diagnosis().found, Found::Healthy);
    pusher.config.insert("key".to_owned(), "another".to_owned());
    assert!(pusher.is("account_other").contains("`config: { key: ... }`"));
}

#[test]
fn what_senders_sign_with_before_they_have_a_secret_is_told() {
    for (name, word) in [("cal-com", "no-secret-provided"), ("mandrill", "test-webhook")] {
        let mut scene = Scene::bare(name);
        if name == "mandrill" {
            (scene.content_type, scene.body) =
                ("application/x-www-form-urlencoded", b"mandrill_events=%5B%5D".to_vec());
        }
        let signing = scene.provider.scheme.signing_key(word).unwrap();
        scene.sign(&signing);
        assert!(scene.is("key_default").contains(&format!("`{word}`")), "{name}");
    }
}

/// A coding that has gzip's mark, and is as hard to guess: the real one is tried where it is (`cli/explain/inflate.rs`).
fn gzip(body: &[u8]) -> Vec<u8> {
    [0x1f, 0x8b].into_iter().chain(body.iter().rev().copied()).collect()
}

fn gunzip(raw: &[u8], most: usize) -> Option<(Vec<u8>, &'static str)> {
    let plain: Vec<u8> = raw.strip_prefix(&[0x1f, 0x8b])?.iter().rev().copied().collect();
    (plain.len() <= most).then_some((plain, "gzip"))
}

#[test]
fn compression_that_was_put_on_or_taken_off_is_told() {
    for name in ["github", "shopify", "stripe", "standard-webhooks", "qstash", "http-message-signatures", "sendgrid"] {
        let mut scene = Scene::of(name);
        scene.inflate = Some(gunzip);
        scene.body = gzip(BODY.as_bytes());
        scene.fields.push(("content-encoding".to_owned(), "gzip".to_owned()));
        assert!(scene.is("body_compressed").contains("gzip"), "{name}");
        // It was signed as it went over the wire.
        let mut scene = Scene::signed(name, SECRET, &gzip(BODY.as_bytes()));
        scene.inflate = Some(gunzip);
        assert_eq!(scene.diagnosis().found, Found::Healthy, "{name}");
        scene.body = BODY.as_bytes().to_vec();
        let signed_alone = name == "qstash" || name == "http-message-signatures";
        if signed_alone {
            scene.is("body_other");
        }
        scene.fields.push(("content-encoding".to_owned(), "gzip".to_owned()));
        // Where a digest stands in the signature, the key proves that it is another body's, and not why.
        let what = if signed_alone { scene.is("body_other") } else { scene.sees("body_decompressed") };
        assert!(what.contains("`content-encoding: gzip`"), "{name}: {what}");
    }
}

#[test]
fn a_signature_in_the_body_that_is_not_there_is_told_from_one_that_does_not_hold() {
    let mut scene = Scene::of("aws-sns");
    let mut document = value(&scene.body);
    document["Signature"] = BASE64.encode(&[7; 256]).into();
    scene.body = document.to_string().into_bytes();
    assert_eq!(scene.diagnosis().found, Found::Unknown);
    document.as_object_mut().unwrap().remove("Signature");
    scene.body = document.to_string().into_bytes();
    assert_eq!(scene.diagnosis().found, Found::Unsigned, "never sent, or dropped");
}

#[test]
fn what_is_known_of_a_late_one_is_its_key() {
    let mut scene = Scene::of("cloudinary");
    scene.now_s = NOW_S + 8000;
    assert!(sole(&scene).what.contains("8000 s (2 h 13 min 20 s) before"));
    assert_eq!(codes(&scene.causes()), ["too_old"]);
    assert_eq!(HEXLOWER.decode(SECRET.as_bytes()).unwrap().len(), 32, "a secret in every form");
}
