//! A request is made wrong in exactly one way, and the doctor names exactly that way.

mod kinds;
mod list;
mod messages;
mod own;
mod scene;
mod tokens;
mod writings;
mod wrong_key;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use hookwarden::{
    clock::Timestamp,
    diagnosis::{Area, Found, KeyText},
    verify::{Catalogue, Provider, SigningKey, Unsigned},
};
use http::Method;
use scene::{BODY, NOW_S, OTHER, SECRET, SITE, Scene, codes, key, pair, provider};
use std::sync::Arc;

/// One of each kind: plain in hexadecimal and in base64, with a time, with an id and a decoded secret, with the URL, with
/// URL, method and time, and with a private key.
const SENDERS: [&str; 8] =
    ["github", "shopify", "stripe", "slack", "standard-webhooks", "square", "hubspot", "discord"];

fn each(mut check: impl FnMut(&str)) {
    SENDERS.iter().for_each(|name| check(name));
}

#[test]
fn what_is_in_order_is_healthy() {
    let mut healthy = 0;
    // But for those whose keys are written in a way of their own.
    let catalogue = Catalogue::embedded();
    let readable = |provider: &&Arc<Provider>| {
        !provider.scheme.signs_forms()
            && !provider.scheme.shows_nothing()
            && (provider.scheme.key(SECRET).is_ok() || !provider.scheme.shares_its_key())
    };
    for provider in catalogue.iter().filter(readable).filter(|provider| provider.scheme.config().next().is_none()) {
        let diagnosis = Scene::of(&provider.name).diagnosis();
        assert_eq!(diagnosis.found, Found::Healthy, "{}", provider.name);
        healthy += 1;
    }
    assert!(healthy > 80, "{healthy}");
    each(|name| {
        let diagnosis = Scene::of(name).diagnosis();
        assert_eq!((diagnosis.found, diagnosis.headers), (Found::Healthy, vec![]), "{name}");
    });
}

#[test]
fn another_key_of_the_policy_is_named() {
    each(|name| {
        let provider = provider(name);
        let (theirs, _) = pair(&provider, OTHER);
        let mut scene = Scene::signed(name, OTHER, BODY.as_bytes());
        assert_eq!(scene.diagnosis().found, Found::Unknown, "{name}: nobody has that key");
        scene.keys.push(key("shop", "live-2", &theirs));
        let what = scene.is("key_of_other_list");
        assert!(what.contains("`live-2` of the list `shop`"), "{what}");

        scene.keys[1] = KeyText { stage: Some("dev".into()), ..key("own", "test", &theirs) };
        assert!(scene.is("key_of_other_stage").contains("the stage `dev`"));

        let retire = Some(Timestamp::from_unix_s(NOW_S - 1));
        scene.keys[1] = KeyText { retire, ..key("own", "old", &theirs) };
        assert!(scene.is("key_retired").contains("key `old`"));
    });
}

#[test]
fn the_same_key_of_the_same_name_in_two_stages_is_one() {
    each(|name| {
        let (theirs, _) = pair(&provider(name), OTHER);
        let mut scene = Scene::signed(name, OTHER, BODY.as_bytes());
        scene.keys.push(key("shop", "live-2", &theirs));
        scene.keys.push(KeyText { stage: Some("dev".into()), ..key("shop", "live-2", &theirs) });
        assert!(!scene.is("key_of_other_list").contains("the same secret is"), "{name}");
    });
}

/// How the sender reads the secret, where the gate reads it as its entry says.
#[test]
fn a_secret_that_is_read_in_another_way_is_named() {
    let whsec = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let stripped = &whsec[6..];
    let decoded = BASE64.decode(stripped.as_bytes()).unwrap();
    let hex = HEXLOWER.decode(SECRET.as_bytes()).unwrap();
    let rows: [(&str, &str, Vec<u8>, &str); 9] = [
        ("standard-webhooks", whsec, whsec.into(), "secret_literal"),
        ("standard-webhooks", whsec, stripped.into(), "secret_prefix"),
        ("standard-webhooks", SECRET, hex.clone(), "secret_literal"),
        ("stripe", whsec, stripped.into(), "secret_prefix"),
        ("stripe", whsec, decoded, "secret_decoded"),
        ("github", SECRET, hex, "secret_decoded"),
        ("github", "  quoted secret, 16 ", b"quoted secret, 16".to_vec(), "secret_untidy"),
        ("shopify", "\"quoted secret, 16\"", b"quoted secret, 16".to_vec(), "secret_untidy"),
        ("slack", "a secret of sixteen", b"a secret of sixteen\n".to_vec(), "secret_untidy"),
    ];
    for (name, text, theirs, code) in rows {
        let mut scene = Scene::of(name);
        // In base64, any bytes are a key of one that decodes; in text, of one that does not.
        let literal = name != "standard-webhooks";
        let signing = if literal {
            // A sender's own key, whatever the entry strips: by an entry that takes everything as it stands.
            let plain = scene.provider.text.replace("key: {", "ignored: {");
            Provider::from_yaml(&plain)
                .ok()
                .map_or_else(|| signing_bytes(&scene.provider, &theirs), |provider| signing_bytes(&provider, &theirs))
        } else {
            scene.provider.scheme.signing_key(&BASE64.encode(&theirs)).unwrap()
        };
        scene.sign(&signing);
        scene.keys = vec![key("own", "live", text)];
        let what = scene.is(code);
        assert!(what.contains("`live`"), "{what}");
    }
}

/// A key of exactly these bytes: by the same entry with its secret in hexadecimal.
fn signing_bytes(provider: &Provider, bytes: &[u8]) -> SigningKey {
    let lines: Vec<_> = provider.text.lines().filter(|line| !line.starts_with("  key:")).collect();
    let text = lines.join("\n").replace("\nscheme:\n", "\nscheme:\n  key: { enc: hex }\n");
    Provider::from_yaml(&text).unwrap().scheme.signing_key(&HEXLOWER.encode(bytes)).unwrap()
}

#[test]
fn a_public_key_in_another_encoding_is_named() {
    let mut scene = Scene::of("discord");
    let (text, _) = pair(&scene.provider, SECRET);
    scene.keys = vec![key("own", "live", &BASE64.encode(&HEXLOWER.decode(text.as_bytes()).unwrap()))];
    assert!(scene.is("secret_decoded").contains("is written as base64"));
}

/// The bytes of the signature in a header.
fn bytes_of(value: &str) -> Vec<u8> {
    let token = value.rsplit(['=', ',', ' ']).find(|piece| piece.len() > 20).unwrap_or(value);
    let padded = &value[value.find(token).unwrap()..];
    HEXLOWER.decode(token.as_bytes()).or_else(|_| BASE64.decode(padded.as_bytes())).unwrap()
}

#[test]
fn a_signature_in_another_writing_is_named() {
    each(|name| {
        let is_hex = ["github", "stripe", "slack", "discord"].contains(&name);
        let mut scene = Scene::of(name);
        let bytes = bytes_of(scene.signature());
        let (ours, hex) = if is_hex { (HEXLOWER.encode(&bytes), true) } else { (BASE64.encode(&bytes), false) };
        let with = |scene: &mut Scene, text: &str| {
            let value = scene.signature().replace(&ours, text);
            *scene.signature() = value;
        };
        if hex {
            with(&mut scene, &ours.to_ascii_uppercase());
            scene.is("signature_case");
            for other in [BASE64.encode(&bytes), BASE64.encode(ours.as_bytes())] {
                let mut scene = Scene::of(name);
                with(&mut scene, &other);
                scene.is("signature_encoding");
            }
        } else {
            let url = BASE64URL_NOPAD.encode(&bytes);
            for other in [HEXLOWER.encode(&bytes), url, ours.trim_end_matches('=').to_owned()] {
                let mut scene = Scene::of(name);
                with(&mut scene, &other);
                scene.is("signature_encoding");
            }
        }
        let mut scene = Scene::of(name);
        let quoted = format!("\"{}\"", scene.signature());
        *scene.signature() = quoted;
        scene.is("signature_quoted");
    });
}

#[test]
fn a_prefix_that_is_missing_doubled_or_another_is_named() {
    for (name, prefix) in [("github", "sha256="), ("slack", "v0="), ("standard-webhooks", "v1,")] {
        let mut scene = Scene::of(name);
        let bare = scene.signature().strip_prefix(prefix).unwrap().to_owned();
        for (value, told) in [
            (bare.clone(), "is missing"),
            (format!("{prefix}{prefix}{bare}"), "stands twice"),
            (format!("hmac={bare}"), "another prefix"),
        ] {
            let mut scene = Scene::of(name);
            *scene.signature() = value.clone();
            let what = scene.is("signature_prefix");
            assert!(what.contains(told) || what.contains("is missing"), "{value}: {what}");
        }
    }
    let mut scene = Scene::of("shopify");
    let value = format!("sha256={}", scene.signature());
    *scene.signature() = value;
    scene.is("signature_prefix");
}

#[test]
fn a_repeated_header_is_named_whether_or_not_its_lines_are_joined() {
    each(|name| {
        let mut scene = Scene::of(name);
        let header = scene.header();
        let good = scene.signature().clone();
        scene.fields.insert(0, (header.clone(), "something else".to_owned()));
        let what = scene.is("header_repeated");
        assert!(what.contains("comes 2 times") && what.contains("number 2"), "{what}");
        scene.fields[0].1.clone_from(&good);
        assert!(scene.is("header_repeated").contains("number 1"), "two good copies are one cause");
        if name != "standard-webhooks" && name != "stripe" {
            let mut scene = Scene::of(name);
            *scene.signature() = format!("{good}, {good}");
            assert!(scene.is("header_repeated").contains("joined in one line"));
        }
    });
    let mut scene = Scene::of("standard-webhooks");
    scene.fields.push(("webhook-id".to_owned(), "other".to_owned()));
    assert!(scene.is("header_repeated").contains("`webhook-id`"));
}

#[test]
fn a_header_that_is_gone_is_named_where_others_came() {
    for (name, gone) in [
        ("standard-webhooks", "webhook-id"),
        ("slack", "x-slack-request-timestamp"),
        ("discord", "x-signature-ed25519"),
    ] {
        let mut scene = Scene::of(name);
        scene.fields.retain(|(known, _)| !known.eq_ignore_ascii_case(gone));
        assert!(scene.sees("header_missing").contains(&format!("`{gone}` is missing")), "{name}");
    }
    // Of a sender with one header: it never signed, or something dropped it.
    let mut scene = Scene::of("github");
    scene.fields.retain(|(known, _)| known == "content-type");
    assert_eq!(scene.diagnosis().found, Found::Unsigned);
    assert_eq!(scene.diagnosis().headers, [("x-hub-signature-256".to_owned(), 0)]);
}

#[test]
fn a_signature_in_a_sibling_header_is_named() {
    each(|name| {
        let mut scene = Scene::of(name);
        let header = scene.header();
        for field in &mut scene.fields {
            if field.0 == header {
                field.0 = "x-forwarded-signature".to_owned();
            }
        }
        let what = scene.is("header_renamed");
        assert!(what.contains("`x-forwarded-signature`"), "{what}");
    });
}

#[test]
fn a_signature_by_another_algorithm_is_named() {
    let mut scene = Scene::of("github");
    let sha1 = scene.provider.text.replace("hmac-sha256", "hmac-sha1");
    let sha1 = Provider::from_yaml(&sha1.replace("X-Hub-Signature-256", "X-Hub-Signature").replace("sha256=", "sha1="));
    let weaker = Arc::new(sha1.unwrap());
    let (signing, own) = (weaker.scheme.signing_key(SECRET).unwrap(), scene.provider.clone());
    scene.provider = weaker;
    scene.sign(&signing);
    scene.provider = own;
    let what = scene.is("header_renamed");
    assert!(what.contains("`x-hub-signature`") && what.contains("HMAC-SHA1"), "{what}");
    // Others sign so, too; but a header of the same family is the sender's own.
    let other =
        scene.provider.text.replace("hmac-sha256", "hmac-sha1").replace("X-Hub-Signature-256", "X-Hub-Signature");
    let other = other.replace("sha256=", "sha1=").replace("name: github\n", "name: a-hub-of-ours\n");
    let other = other.replace("aliases: [github_sha256]\n", "");
    scene.more = vec![Provider::from_yaml(&other).unwrap()];
    scene.is("header_renamed");
    let mut of_stripe = Scene { provider: provider("stripe"), ..scene };
    of_stripe.keys = vec![key("own", "live", SECRET)];
    assert!(of_stripe.is("other_sender").contains("a-hub-of-ours"), "of another family");

    for name in ["shopify", "stripe", "square", "standard-webhooks"] {
        let mut scene = Scene::of(name);
        let stronger = scene.provider.text.replace("alg: hmac-sha256", "alg: hmac-sha512");
        let stronger = Arc::new(Provider::from_yaml(&stronger).unwrap());
        let (signing, own) = (stronger.scheme.signing_key(SECRET).unwrap(), scene.provider.clone());
        scene.provider = stronger;
        scene.sign(&signing);
        scene.provider = own;
        assert!(scene.is("other_algorithm").contains("HMAC-SHA512"), "{name}");
    }
}

#[test]
fn another_sender_of_the_catalogue_is_named() {
    for (route, signed) in
        [("stripe", "paddle"), ("github", "shopify"), ("standard-webhooks", "svix"), ("shopify", "square")]
    {
        let mut scene = Scene::of(signed);
        scene.provider = provider(route);
        let what = scene.is("other_sender");
        assert!(what.contains(&format!("`{signed}`")) && what.contains(&format!("`{route}`")), "{what}");
    }
    // GitHub's and Meta's signatures are the same: either name would be right.
    let mut scene = Scene::of("github");
    scene.provider = provider("stripe");
    let what = scene.is("other_sender");
    assert!(what.contains("`github`") && what.contains(" or ") && what.contains("`meta`"), "{what}");
}

/// Signed over the first, came as the second.
fn bodies() -> Vec<(&'static str, Vec<u8>, Vec<u8>, &'static str)> {
    let pretty = "{\n  \"id\": \"evt_1\",\n  \"list\": [\n    1,\n    {}\n  ]\n}";
    let four = pretty.replace("    ", "@@").replace("  ", "    ").replace("@@", "        ");
    let compact = r#"{"id":"evt_1","list":[1,{}]}"#;
    let python = r#"{"id": "evt_1", "list": [1, {}]}"#;
    let plain = r#"{"u":"a/b","n":"Zoë"}"#;
    let php = r#"{"u":"a\/b","n":"Zo\u00eb"}"#;
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("LF", text(compact), text(&format!("{compact}\n")), "body_line_end"),
        ("CRLF", text(compact), text(&format!("{compact}\r\n")), "body_line_end"),
        ("no LF", text(&format!("{compact}\n")), text(compact), "body_line_end"),
        ("no CRLF", text(&format!("{compact}\r\n")), text(compact), "body_line_end"),
        ("to CRLF", text(pretty), text(&pretty.replace('\n', "\r\n")), "body_line_ends"),
        ("to LF", text(&pretty.replace('\n', "\r\n")), text(pretty), "body_line_ends"),
        ("mark", text(compact), text(&format!("\u{feff}{compact}")), "body_mark"),
        ("no mark", text(&format!("\u{feff}{compact}")), text(compact), "body_mark"),
        ("blanks", text(compact), text(&format!("  {compact} \n")), "body_blanks"),
        ("pretty", text(compact), text(pretty), "body_json"),
        ("compact", text(pretty), text(compact), "body_json"),
        ("tabs", text(&pretty.replace("  ", "\t")), text(compact), "body_json"),
        ("a file", text(&format!("{pretty}\n")), text(compact), "body_json"),
        ("four", text(&four), text(compact), "body_json"),
        ("python", text(python), text(compact), "body_json"),
        ("no python", text(compact), text(python), "body_json"),
        ("no php", text(php), text(plain), "body_json"),
        ("php", text(plain), text(php), "body_json"),
        ("slashes", text(r#"{"u":"a\/b"}"#), text(r#"{"u":"a/b"}"#), "body_json"),
        ("unescaped", text(r#"{"n":"Zo\u00eb"}"#), text(r#"{"n":"Zoë"}"#), "body_json"),
        ("html", text(r#"{"n":"\u003cb\u003e"}"#), text(r#"{"n":"<b>"}"#), "body_json"),
        ("sorted", text(r#"{"a":{"c":1,"d":2},"b":3}"#), text(r#"{"b":3,"a":{"d":2,"c":1}}"#), "body_json"),
        ("numbers", text(r#"{"n":1}"#), text(r#"{"n":1.0}"#), "body_json"),
        ("numbers of Python", text(r#"{"n":100.0}"#), text(r#"{"n":1e2}"#), "body_json"),
        ("latin-1", b"{\"n\":\"Zo\xeb\"}".to_vec(), text(r#"{"n":"Zoë"}"#), "body_charset"),
        ("utf-8", text(r#"{"n":"Zoë"}"#), b"{\"n\":\"Zo\xeb\"}".to_vec(), "body_charset"),
        ("form", text("payload=%7B%22a%22%3A%22b+c%22%7D"), text(r#"{"a":"b c"}"#), "body_form"),
        ("form of JavaScript", text("payload=%7B%22a%22%3A%22b%20c%22%7D"), text(r#"{"a":"b c"}"#), "body_form"),
        ("form's value", text(r#"{"a":1}"#), text("payload=%7B%22a%22%3A1%7D"), "body_form"),
        ("blanks of a form", text("payload=a%20b"), text("payload=a+b"), "body_form"),
        ("escapes of a form", text("payload=a%2fb"), text("payload=a%2Fb"), "body_form"),
        ("nothing", Vec::new(), text(compact), "body_unsigned"),
    ]
}

#[test]
fn a_body_that_was_changed_on_its_way_is_named() {
    each(|name| {
        for (what, signed, came, code) in bodies() {
            let mut scene = Scene::signed(name, SECRET, &signed);
            scene.body = came;
            let found = scene.diagnosis().found;
            let Found::Named(causes) = &found else { panic!("{name}, {what}: {found:?}") };
            assert_eq!(codes(causes), [code], "{name}, {what}: {causes:?}");
        }
        let mut scene = Scene::of(name);
        scene.fields.push(("content-length".to_owned(), scene.body.len().to_string()));
        scene.body.truncate(20);
        assert!(scene.sees("body_cut").contains("20 bytes"));
        scene.body.clear();
        scene.sees("body_cut");
        let mut scene = Scene::of(name);
        scene.body = b"{\"another\":true}".to_vec();
        assert_eq!(scene.diagnosis().found, Found::Unknown, "{name}: another body altogether");
    });
}

#[test]
fn a_url_that_is_another_one_is_named() {
    for name in ["square", "hubspot", "twilio"] {
        let signed = |site: &str, target: &str| {
            let mut scene = Scene::of(name);
            (scene.site, scene.target) = (site.to_owned(), target.to_owned());
            let signing = scene.provider.scheme.signing_key(SECRET).unwrap();
            scene.sign(&signing);
            scene
        };
        let digest = |scene: &Scene| scene.target.split_once("bodySHA256").map_or("", |(_, rest)| rest).to_owned();
        signed("http://shop.example", "/in/hook?a=b").is("url_scheme");
        let mut scene = signed("https://gate.example:8443", "/in/hook?a=b");
        scene.fields.push(("x-forwarded-host".to_owned(), "gate.example:8443".to_owned()));
        assert!(scene.is("url_site").contains("`https://gate.example:8443`"), "{name}");
        let mut scene = signed("https://gate.example", "/in/hook?a=b");
        scene.fields.push(("x-forwarded-host".to_owned(), "gate.example".to_owned()));
        scene.is("url_host");
        if name != "twilio" {
            signed("https://shop.example:443", "/in/hook?a=b").is("url_port");
        }
        let changed = |site_target: &str, came: &str, code: &str| {
            let mut scene = signed(SITE, site_target);
            let digest = digest(&scene);
            let mark = if came.contains('?') { "&" } else { "?" };
            scene.target = if digest.is_empty() { came.to_owned() } else { format!("{came}{mark}bodySHA256{digest}") };
            scene.is(code)
        };
        changed("/in/hook?a=b", "/in/hook/?a=b", "url_path");
        changed("/in/hook/?a=b", "/in/hook?a=b", "url_path");
        assert!(changed("/hook?a=b", "/in/hook?a=b", "url_path").contains("without `/in`"));
        changed("/hook?a=b%20c", "/hook?a=b+c", "url_query");
        changed("/hook?a=%2f", "/hook?a=%2F", "url_query");
        if name != "twilio" {
            changed("/hook", "/hook?a=b", "url_query");
        }
        let mut scene = signed(SITE, "/app/in?a=b");
        let target = scene.target.clone();
        scene.target = target.replace("/app", "");
        scene.fields.push(("x-forwarded-prefix".to_owned(), "/app/".to_owned()));
        scene.is("url_path");
        scene.fields.pop();
        scene.fields.push(("x-original-url".to_owned(), target));
        scene.is("url_path");
    }
    let mut scene = Scene::of("hubspot");
    scene.method = Method::PUT;
    scene.is("url_method");
}

#[test]
fn a_clock_that_is_wrong_is_named_with_its_skew() {
    for name in ["stripe", "slack", "standard-webhooks", "hubspot", "discord"] {
        let mut scene = Scene::of(name);
        scene.now_s = NOW_S + 425;
        assert!(scene.is("too_old").contains("425 s (7 min 5 s) before"), "{name}");
        scene.now_s = NOW_S - 100;
        assert!(scene.is("from_the_future").contains("100 s after"), "{name}");

        let other = if name == "hubspot" { NOW_S / 1000 } else { NOW_S * 1000 };
        let mut scene = Scene::of(name);
        let signing = pair(&scene.provider, SECRET).1;
        let url = format!("{SITE}{}", scene.target);
        let at = Timestamp::from_unix_s(other);
        let (method, body) = (Method::POST, scene.body.clone());
        let content_type = "application/json";
        let what = Unsigned { method: &method, url: &url, content_type, body: &body, id: "msg_1", at };
        scene.fields = scene.provider.scheme.sign(&signing, &what).fields;
        scene.is("time_unit");
    }
}

#[test]
fn a_time_in_another_format_is_named() {
    let mut scene = Scene::of("slack");
    let dated = scene.provider.text.replace("fmt: unix_s", "fmt: rfc3339");
    let dated = Arc::new(Provider::from_yaml(&dated).unwrap());
    let own = std::mem::replace(&mut scene.provider, dated);
    let signing = own.scheme.signing_key(SECRET).unwrap();
    scene.sign(&signing);
    scene.provider = own;
    assert!(scene.is("time_format").contains("a date"));
}

#[test]
fn two_things_at_once_are_named_together() {
    each(|name| {
        let (theirs, _) = pair(&provider(name), OTHER);
        let mut scene = Scene::signed(name, OTHER, BODY.as_bytes());
        scene.keys.push(key("shop", "live-2", &theirs));
        scene.body.push(b'\n');
        let causes = scene.causes();
        assert_eq!(codes(&causes), ["key_of_other_list", "body_line_end"], "{name}");
    });
    let (theirs, _) = pair(&provider("stripe"), OTHER);
    let mut scene = Scene::signed("stripe", OTHER, BODY.as_bytes());
    scene.keys.push(key("shop", "live-2", &theirs));
    scene.now_s += 1000;
    let codes: Vec<_> = scene.causes().iter().map(|cause| (cause.code.name(), cause.area)).collect();
    assert_eq!(codes, [("key_of_other_list", Area::Key), ("too_old", Area::Clock)], "its time is another one");
}

#[test]
fn a_body_that_is_too_long_is_not_written_anew_and_that_is_said() {
    let long = format!("{{\"a\":\"{}\"}}", "a".repeat(1 << 20));
    let mut scene = Scene::signed("github", SECRET, long.as_bytes());
    scene.body.push(b'\n');
    let diagnosis = scene.diagnosis();
    assert_eq!(diagnosis.found, Found::Unknown);
    assert!(diagnosis.left_out.iter().any(|left| left.contains("more than 1048576 bytes")), "{diagnosis:?}");
    assert!(diagnosis.tried.iter().all(|(area, _)| *area != Area::Body), "{diagnosis:?}");
}
