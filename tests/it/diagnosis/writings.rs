//! What is right and written in another way than it should be: times, digests, texts, signatures within documents, secrets.

use super::{
    messages::{self, COVERED, created},
    scene::{BODY, NOW_S, SECRET, SITE, Scene, codes, value},
    tokens::claiming,
};
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use hookwarden::{diagnosis::Found, verify::Provider};
use serde_json::json;
use sha2::{Digest as _, Sha256, Sha512};
use std::sync::Arc;

#[test]
fn a_time_in_another_unit_is_told_with_its_age() {
    // Signed with its text, whatever that is.
    let signed = |time: &str| {
        let mut scene = Scene::bare("slack");
        let base = format!("v0:{time}:{BODY}");
        let mac = hmac(SECRET.as_bytes(), base.as_bytes());
        scene.fields = vec![
            ("x-slack-request-timestamp".to_owned(), time.to_owned()),
            ("x-slack-signature".to_owned(), format!("v0={}", HEXLOWER.encode(&mac))),
        ];
        scene
    };
    assert_eq!(signed(&NOW_S.to_string()).diagnosis().found, Found::Healthy);
    assert_eq!(codes(&signed(&(NOW_S * 1000).to_string()).causes()), ["time_unit"]);
    assert_eq!(codes(&signed(&((NOW_S - 1000) * 1000).to_string()).causes()), ["time_unit", "too_old"]);
    assert_eq!(codes(&signed(&(NOW_S * 1_000_000).to_string()).causes()), ["time_unit"]);
    assert_eq!(codes(&signed("2025-10-09T08:53:20Z").causes()), ["time_format"]);
    assert_eq!(codes(&signed("2025-10-09T08:33:20Z").causes()), ["time_format", "too_old"]);
    assert_eq!(codes(&signed("Thu, 09 Oct 2025 08:53:20 GMT").causes()), ["time_format"]);
    assert!(signed("soon").is("time_format").contains("a form of its own"));
}

fn hmac(key: &[u8], what: &[u8]) -> Vec<u8> {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    <Hmac<Sha256>>::new_from_slice(key).unwrap().chain_update(what).finalize().into_bytes().to_vec()
}

#[test]
fn a_time_that_is_not_there_is_told() {
    let mut scene = Scene::of("stripe");
    let value = scene.signature().split(',').filter(|item| !item.starts_with("t=")).collect::<Vec<_>>().join(",");
    *scene.signature() = value;
    assert!(scene.sees("time_missing").contains("`t` is not there"));
}

#[test]
fn everything_that_is_wrong_with_times_is_told() {
    let mut scene = claiming("qstash", &json!({ "exp": NOW_S + 30, "nbf": NOW_S + 2000 }));
    scene.now_s += 1000;
    assert_eq!(codes(&scene.causes()), ["too_old", "expired", "not_yet"]);
    let scene = claiming("qstash", &json!({ "exp": NOW_S.to_string(), "iss": "another" }));
    assert_eq!(codes(&scene.causes()), ["time_format", "claim_other", "expired"]);
    let scene = claiming("qstash", &json!({ "iat": (NOW_S - 1000) * 1000 }));
    assert_eq!(codes(&scene.causes()), ["time_unit", "too_old"]);
    for odd in [json!(null), json!(true), json!([NOW_S]), json!(1e300), json!(-5)] {
        let scene = claiming("qstash", &json!({ "nbf": { "odd": odd } }));
        assert!(scene.is("time_format").contains("`nbf` of the token is no number"), "{odd}");
    }
    let mut scene = messages::scene();
    messages::covering_by(&mut scene, SECRET, COVERED, &format!(";created={NOW_S};expires={}", NOW_S + 10));
    scene.now_s += 1000;
    let causes = scene.causes();
    assert_eq!(codes(&causes), ["too_old", "expired"]);
    assert!(causes[1].what.contains("until 990 s"), "{}", causes[1].what);
}

#[test]
fn a_digest_in_another_writing_is_told_as_that() {
    let digest = Sha256::digest(BODY);
    for written in [HEXLOWER.encode(&digest), BASE64.encode(&digest), BASE64URL_NOPAD.encode(&Sha512::digest(BODY))] {
        let scene = claiming("qstash", &json!({ "body": written }));
        assert!(
            scene.is("digest_other").contains("`body` of the token is the digest of exactly what came"),
            "{written}"
        );
        let mut scene = claiming("qstash", &json!({ "body": written }));
        scene.body.push(b'!');
        scene.is("body_other");
    }
    let url = HEXLOWER.encode(&Sha256::digest(format!("{SITE}/in/hook?a=b")));
    let base64 = BASE64.encode(&HEXLOWER.decode(url.as_bytes()).unwrap());
    claiming("messagebird", &json!({ "url_hash": base64 })).is("digest_other");
    let content = |written: &str| {
        let mut scene = messages::scene();
        *scene.value("content-digest") = written.to_owned();
        messages::covering_by(&mut scene, SECRET, COVERED, &created());
        scene
    };
    let (hex, base64) = (HEXLOWER.encode(&digest), BASE64.encode(&digest));
    assert_eq!(content(&format!("sha-256=:{base64}:")).diagnosis().found, Found::Healthy);
    content(&format!("sha-256=\"{hex}\"")).is("digest_other");
    content(&format!("sha-256={base64}")).is("digest_other");
    assert!(content("md5=:XrY7u+Ae7tCTyyK7j1rNww==:").is("digest_other").contains("made with `md5`"));
    content(&format!("sha-256=:{base64}:, sha-512=:{base64}:")).is("digest_other");
    let other = BASE64.encode(&Sha512::digest("another"));
    content(&format!("sha-256=:{base64}:, sha-512=:{other}:")).is("body_other");
}

#[test]
fn a_url_that_is_none_is_told_as_what_the_token_says() {
    for odd in
        [json!(5), json!([SITE]), json!("shop.example/in/hook?token=SECRETQ"), json!(""), json!("https:///in/hook")]
    {
        let scene = claiming("qstash", &json!({ "sub": odd }));
        let what = scene.is("claim_other");
        assert!(what.contains("`sub` of the token is no URL") && !what.contains("SECRETQ"), "{odd}: {what}");
    }
}

#[test]
fn of_white_space_for_a_body_two_things_would_explain_a_signature_of_none() {
    for name in ["github", "stripe", "standard-webhooks", "http-message-signatures", "qstash", "vonage"] {
        for blank in ["\n", "\r\n", "  ", " \n"] {
            let mut scene = Scene::signed(name, SECRET, b"");
            scene.body = blank.as_bytes().to_vec();
            assert_eq!(scene.diagnosis().found, Found::Ambiguous(2), "{name}, {blank:?}");
        }
    }
}

#[test]
fn a_text_in_another_encoding_is_told() {
    let text = "{\"n\":\"Zoë – 5 €\"}";
    let wide = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
        [mark, &text.encode_utf16().flat_map(bytes).collect::<Vec<_>>()].concat()
    };
    let cp1252 = b"{\"n\":\"Zo\xeb \x96 5 \x80\"}".to_vec();
    let encoded = [
        cp1252,
        wide(b"", u16::to_le_bytes),
        wide(b"", u16::to_be_bytes),
        wide(b"\xff\xfe", u16::to_le_bytes),
        wide(b"\xfe\xff", u16::to_be_bytes),
    ];
    for name in ["github", "standard-webhooks", "qstash"] {
        for other in &encoded {
            for (signed, came) in [(text.as_bytes(), &other[..]), (other, text.as_bytes())] {
                let mut scene = Scene::signed(name, SECRET, signed);
                scene.body = came.to_vec();
                scene.is("body_charset");
            }
        }
    }
}

#[test]
fn a_signature_in_the_document_is_told_in_another_writing() {
    let item = json!({ "NotificationRequestItem": {
        "pspReference": "psp", "merchantAccountCode": "shop", "merchantReference": "order",
        "amount": { "value": 1999, "currency": "EUR" }, "eventCode": "AUTHORISATION", "success": "true",
    } });
    let mut scene = Scene::bare("adyen-payments");
    scene.body = json!({ "notificationItems": [item] }).to_string().into_bytes();
    let signing = scene.provider.scheme.signing_key(SECRET).unwrap();
    scene.sign(&signing);
    let signed = value(&scene.body)["notificationItems"][0].clone();
    let written = |item: &serde_json::Value, write: &dyn Fn(&[u8]) -> String| {
        let mut item = item.clone();
        let place = &mut item["NotificationRequestItem"]["additionalData"]["hmacSignature"];
        *place = write(&BASE64.decode(place.as_str().unwrap().as_bytes()).unwrap()).into();
        item
    };
    let hex = |bytes: &[u8]| HEXLOWER.encode(bytes);
    let url = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    for write in [&hex as &dyn Fn(&[u8]) -> String, &url] {
        let one = written(&signed, write);
        scene.body = json!({ "notificationItems": [one] }).to_string().into_bytes();
        scene.is("signature_encoding");
        scene.body = json!({ "notificationItems": [one, one] }).to_string().into_bytes();
        scene.is("signature_encoding");
    }
    let mut scene = Scene::of("mailgun");
    let mut document = value(&scene.body);
    assert_eq!(scene.diagnosis().found, Found::Healthy);
    let capitals = document["signature"]["signature"].as_str().unwrap().to_ascii_uppercase();
    document["signature"]["signature"] = capitals.into();
    scene.body = document.to_string().into_bytes();
    scene.is("signature_case");
}

#[test]
fn a_secret_with_something_around_it_at_the_senders_is_told() {
    for (theirs, words) in [
        (format!("{SECRET}\t"), "a tab behind"),
        (format!(" {SECRET}"), "a blank before"),
        (format!(" {SECRET} "), "blanks around"),
        (format!("\"{SECRET}\""), "quotation marks around"),
        (format!("'{SECRET}'"), "quotation marks around"),
    ] {
        for name in ["github", "stripe", "shopify"] {
            let mut scene = Scene::of(name);
            let signing = super::signing_bytes(&scene.provider, theirs.as_bytes());
            scene.sign(&signing);
            assert!(scene.is("secret_untidy").contains(words), "{name}, {theirs:?}");
        }
    }
}

#[test]
fn of_a_sender_of_ones_own_its_file_may_be_mistaken() {
    let mut scene = Scene::of("github");
    let bare = scene.signature().strip_prefix("sha256=").unwrap().to_owned();
    *scene.signature() = bare;
    assert!(!scene.causes()[0].mend.contains("which is your own"));
    let text = scene.provider.text.replace("name: github\n", "name: acme\n").replace("aliases: [github_sha256]\n", "");
    scene.provider = Arc::new(Provider::from_yaml(&text).unwrap());
    scene.more = vec![Provider::from_yaml(&text).unwrap()];
    let causes = scene.causes();
    assert_eq!(codes(&causes), ["signature_prefix"]);
    assert!(causes[0].mend.contains("the file of `acme` is mistaken, which is your own: look at `sig`"));
}

#[test]
fn a_mend_never_urges_plain_http() {
    let mut scene = Scene::bare("square");
    scene.site = "http://shop.example".to_owned();
    let signing = scene.provider.scheme.signing_key(SECRET).unwrap();
    scene.sign(&signing);
    let causes = scene.causes();
    assert_eq!(codes(&causes), ["url_scheme"]);
    assert!(!causes[0].mend.contains("public_url: http:") && causes[0].mend.contains("with `https://shop.example`"));
    // A gate that is called so outside may say it.
    let mut scene = Scene::bare("square");
    (scene.site, scene.public_url) = ("http://localhost:8080".to_owned(), "http://shop.example".to_owned());
    scene.fields.push(("x-forwarded-host".to_owned(), "localhost:8080".to_owned()));
    let signing = scene.provider.scheme.signing_key(SECRET).unwrap();
    scene.sign(&signing);
    scene.fields.push(("x-forwarded-host".to_owned(), "localhost:8080".to_owned()));
    assert!(scene.causes()[0].mend.contains("`public_url: http://localhost:8080`"));
}

#[test]
fn what_a_stranger_writes_is_not_printed() {
    let topic = |topic: &str| {
        let mut scene = Scene::of("aws-sns");
        let mut document = value(&scene.body);
        document["TopicArn"] = topic.into();
        scene.body = document.to_string().into_bytes();
        scene.sees("account_other")
    };
    assert!(
        topic("arn:aws:sns:eu-west-1:123456789012:another").contains("`arn:aws:sns:eu-west-1:123456789012:another`")
    );
    for odd in
        ["SENTINEL", "arn:aws:sns:eu-west-1:123456789012:SENTINEL\n\nThe cause", "arn:aws:sqs:eu-west-1:1:SENTINEL"]
    {
        assert!(topic(odd).contains("a topic that is no ARN"), "{odd}");
    }
    // The first letters of a secret are of a secret.
    let mut scene = Scene::bare_with("github", "hunter2_0f1e2d3c4b5a6978");
    let signing = super::signing_bytes(&scene.provider, b"0f1e2d3c4b5a6978");
    scene.sign(&signing);
    let what = scene.is("secret_prefix");
    assert!(!what.contains("hunter2") && what.contains("without its first letters"), "{what}");
}

#[test]
fn a_digest_of_no_body_is_told_as_that() {
    for name in ["qstash", "livekit", "messagebird", "vonage", "netlify", "http-message-signatures"] {
        let mut scene = Scene::signed(name, SECRET, b"");
        scene.body = BODY.as_bytes().to_vec();
        if name != "messagebird" {
            scene.is("body_unsigned");
        }
    }
    let nothing = HEXLOWER.encode(&Sha256::digest(""));
    claiming("messagebird", &json!({ "payload_hash": nothing })).is("body_unsigned");
}

#[test]
fn who_encoded_twice_is_told_from_who_decoded() {
    let twice: String = BODY.bytes().map(char::from).collect();
    let scene = Scene { body: BODY.as_bytes().to_vec(), ..Scene::signed("github", SECRET, twice.as_bytes()) };
    assert!(scene.is("body_charset").contains("signed in UTF-8 twice over"));
    let mut scene = Scene::signed("github", SECRET, format!("{BODY}\n").as_bytes());
    scene.body = BODY.as_bytes().to_vec();
    let causes = scene.causes();
    assert_eq!(codes(&causes), ["body_line_end"]);
    assert!(causes[0].mend.contains("let the sender sign the bytes that it sends (`echo` adds a line end"));
}
