//! The words of the language of entries, each by a sender that needs it.

use super::shown::{BODY, NOW_S, Shown, provider};
use data_encoding::{BASE64, HEXLOWER};
use hookwarden::{
    clock::Timestamp,
    verdict::Rejection,
    verify::{Config, Unsigned},
};
use http::Method;
use sha2::{Digest as _, Sha256};

fn mismatch(shown: &Shown) {
    assert_eq!(shown.judged().err(), Some(Rejection::SignatureMismatch), "{}", shown.provider.name);
}

/// A key's signature over the same request, as its sender would write it.
fn by_key(name: &str, label: &str, body: &[u8]) -> String {
    let provider = provider(name);
    let (_, key) = provider.scheme.test_key(label).unwrap();
    let (at, url) = (Timestamp::from_unix_s(NOW_S), "https://shop.example/in");
    let what = Unsigned { method: &Method::POST, url, content_type: "application/json", body, id: "msg_1", at };
    provider.scheme.sign(&key, &what).fields.pop().unwrap().1
}

/// SHA-256 over `secret` and `body` and what it was padded with is a state from which anyone can go on: the digest of a
/// longer text is known without the secret. That text is no UTF-8, for its padding begins with 0x80.
#[test]
fn a_plain_digest_is_believed_over_utf8_alone() {
    let provider = provider("hubspot-v1");
    let (secret, _) = provider.scheme.test_key("own").unwrap();
    let mut longer = BODY.to_vec();
    longer.extend([0x80, 0x00]);
    longer.extend(b"{}");
    let forged = HEXLOWER.encode(&Sha256::digest([secret.as_bytes(), &longer].concat()));
    let shown = Shown::by(&provider);
    let believed = Shown { body: BODY.to_vec(), ..shown.signed(&by_key("hubspot-v1", "own", BODY)) };
    assert_eq!(believed.judged().err(), None);
    mismatch(&Shown { body: longer, ..shown.signed(&forged) });
    let umlauts = "\u{fc}\u{20ac}".as_bytes();
    let believed = Shown { body: umlauts.to_vec(), ..shown.signed(&by_key("hubspot-v1", "own", umlauts)) };
    assert_eq!(believed.judged().err(), None, "UTF-8 is");
}

#[test]
fn method_and_url_are_signed_where_the_sender_signs_them() {
    let shown = Shown::by(&provider("hubspot-v2"));
    mismatch(&Shown { target: "/in?portal=1".into(), ..shown.clone() });
    let trello = Shown::by(&provider("trello"));
    mismatch(&Shown { target: "/elsewhere".into(), ..trello });
    let plivo = Shown::by(&provider("plivo-v2"));
    assert_eq!(Shown { target: "/in?a=1".into(), ..plivo.clone() }.judged().err(), None, "the query is not signed");
    mismatch(&Shown { target: "/elsewhere".into(), ..plivo });
}

/// Any line, by any of the keys in force; a line too many is not looked at.
#[test]
fn mollies_header_comes_once_for_each_key() {
    let shown = Shown::by(&provider("mollie"));
    let lines = |values: &[&str]| {
        let mut lines = shown.clone();
        lines.fields.retain(|(name, _)| name != "x-mollie-signature");
        lines.fields.extend(values.iter().map(|value| ("x-mollie-signature".to_owned(), (*value).to_owned())));
        lines.judged().err()
    };
    let (own, other) = (by_key("mollie", "own", BODY), by_key("mollie", "sibling", BODY));
    assert_eq!(lines(&[&other, &own]), None);
    assert_eq!(lines(&[&own, "sha1=00"]), None);
    assert_eq!(lines(&[&other]), Some(Rejection::SignatureMismatch));
    assert_eq!(lines(&[]), Some(Rejection::SignatureMissing));
    let mut many = vec![other.as_str(); 16];
    many.push(&own);
    assert_eq!(lines(&many), Some(Rejection::SignatureMismatch));
}

/// One of two headers is enough, and each comes once.
#[test]
fn boxs_signature_stands_in_either_of_two_headers() {
    let shown = Shown::by(&provider("box"));
    let with = |name: &str, value: String| {
        let mut with = shown.clone();
        with.fields.push((name.to_owned(), value));
        with
    };
    let own = shown.signature();
    assert_eq!(with("box-signature-secondary", by_key_of_box("sibling")).judged().err(), None);
    let mut second = with("box-signature-secondary", own);
    second.fields.retain(|(name, _)| name != "box-signature-primary");
    assert_eq!(second.judged().err(), None);
    second.fields.retain(|(name, _)| !name.starts_with("box-signature-secondary"));
    assert_eq!(second.judged().err(), Some(Rejection::SignatureMissing));
    for (name, other) in [("box-signature-version", "2"), ("box-signature-algorithm", "HmacSHA1")] {
        let mut changed = shown.clone();
        changed.fields.iter_mut().filter(|(known, _)| known == name).for_each(|(_, value)| other.clone_into(value));
        mismatch(&changed);
    }
}

fn by_key_of_box(label: &str) -> String {
    let provider = provider("box");
    let (_, key) = provider.scheme.test_key(label).unwrap();
    let (at, url) = (Timestamp::from_unix_s(NOW_S), "https://shop.example/in");
    let what = Unsigned { method: &Method::POST, url, content_type: "application/json", body: BODY, id: "", at };
    let made = provider.scheme.sign(&key, &what).fields;
    made.into_iter().find(|(name, _)| name == "box-signature-primary").unwrap().1
}

#[test]
fn docusign_has_a_header_for_each_key() {
    let shown = Shown::by(&provider("docusign"));
    let own = shown.signature();
    let only = |name: &str| {
        let mut only = shown.clone();
        only.fields.retain(|(known, _)| !known.starts_with("x-docusign"));
        only.fields.push((name.to_owned(), own.clone()));
        only.judged().err()
    };
    for name in ["x-docusign-signature-2", "x-docusign-signature-100"] {
        assert_eq!(only(name), None, "{name}");
    }
    for name in ["x-docusign-signature-", "x-docusign-signature-01", "x-docusign-signature-a", "x-docusign-signature"] {
        assert_eq!(only(name), Some(Rejection::SignatureMissing), "{name}");
    }
}

/// A signature is held against the key that it names, and no other.
#[test]
fn worldpays_signature_names_its_key() {
    let shown = Shown::by(&provider("worldpay"));
    let own = shown.signature();
    assert!(own.starts_with("own/SHA256/"), "{own}");
    let other = by_key("worldpay", "sibling", BODY);
    assert_eq!(shown.signed(&format!("{other}, {own}")).judged().err(), None);
    let with_both = Shown { keys: vec![("own", None), ("sibling", None)], ..shown.clone() };
    assert_eq!(with_both.signed(&other).judged().unwrap().key_id(), "sibling");
    mismatch(&with_both.signed(&own.replace("own/", "sibling/")));
    mismatch(&with_both.signed(&own.replace("own/", "nobody/")));
    let odd = Some(Rejection::SignatureMalformed);
    assert_eq!(shown.signed(&own.replace("SHA256", "SHA1")).judged().err(), odd, "a weaker digest is none");
}

#[test]
fn what_identifies_our_account_must_be_ours() {
    let shown = Shown::by(&provider("pusher"));
    mismatch(&Shown { config: [("key".to_owned(), "another".to_owned())].into(), ..shown.clone() });
    mismatch(&Shown { config: Config::new(), ..shown });
}

/// The time in a signed body is a signed time; it is read after the signature has held.
#[test]
fn a_time_in_the_signed_body_is_one() {
    let with = |body: &[u8]| {
        let mut shown = Shown::by(&provider("linear")).signed(&by_key_of_body("linear", body));
        shown.body = body.to_vec();
        shown.judged().err()
    };
    assert_eq!(with(br#"{"webhookTimestamp":1760000000000}"#), None);
    assert_eq!(with(br#"{"webhookTimestamp":"1760000000000"}"#), None);
    assert_eq!(with(br#"{"webhookTimestamp":1759999000000}"#), Some(Rejection::Stale));
    assert_eq!(with(br#"{"webhookTimestamp":1760001000000}"#), Some(Rejection::FromTheFuture));
    for odd in ["1.76e12", "1760000000000.0", "true", "null", "-1", r#""""#] {
        let body = format!(r#"{{"webhookTimestamp":{odd}}}"#);
        assert!(with(body.as_bytes()).is_some_and(Rejection::is_authentication), "{odd}");
    }
    assert_eq!(with(b"{}"), Some(Rejection::SignatureMissing));
    assert_eq!(with(b"no JSON"), Some(Rejection::SignatureMissing));
}

/// Linear's signature over exactly this body: GitHub's scheme without the prefix.
fn by_key_of_body(name: &str, body: &[u8]) -> String {
    let (text, _) = provider(name).scheme.test_key("own").unwrap();
    let github = provider("github");
    let key = github.scheme.signing_key(&text).unwrap();
    let (at, url) = (Timestamp::from_unix_s(NOW_S), "https://shop.example/");
    let what = Unsigned { method: &Method::POST, url, content_type: "application/json", body, id: "", at };
    github.scheme.sign(&key, &what).fields.pop().unwrap().1.trim_start_matches("sha256=").to_owned()
}

/// What one signature is shown beside can be anything; so it is good once, by its token.
#[test]
fn mailguns_token_is_its_signed_id() {
    let shown = Shown::by(&provider("mailgun"));
    assert_eq!(shown.judged().unwrap().signed_id(), Some("msg_1"));
    let text = String::from_utf8(shown.body.clone()).unwrap();
    let other = Shown { body: text.replace("order.paid", "order.gone").into_bytes(), ..shown.clone() };
    assert_eq!(other.judged().unwrap().signed_id(), Some("msg_1"), "the event is not signed");
    mismatch(&Shown { body: text.replace("msg_1", "msg_2").into_bytes(), ..shown.clone() });
    let twice = text.replace("\"signature\":{", "\"signature\":{\"token\":\"msg_1\",");
    assert_eq!(Shown { body: twice.into_bytes(), ..shown }.judged().err(), Some(Rejection::SignatureMissing));
}

#[test]
fn mercado_pago_leaves_out_what_it_has_not() {
    let shown = Shown::by(&provider("mercadopago"));
    let (time, signature) = shown.signature().split_once(',').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert_eq!(shown.signed(&format!("{signature} , {time} ")).judged().err(), None, "blanks are none of theirs");
    let with_id = Shown { target: "/in?data.id=123".into(), ..shown.clone() };
    mismatch(&with_id);
    assert_eq!(Shown { target: "/in?data.id=".into(), ..shown.clone() }.judged().err(), None, "nothing is nothing");
    let twice = Shown { target: "/in?data.id=1&data.id=2".into(), ..shown };
    assert_eq!(twice.judged().err(), Some(Rejection::SignatureMissing));
}

#[test]
fn a_header_with_habits_has_no_others() {
    let hygraph = Shown::by(&provider("hygraph"));
    let header = hygraph.signature();
    let (sign, rest) = header.split_once(", ").unwrap();
    let odd = Some(Rejection::SignatureMalformed);
    assert_eq!(hygraph.signed(&format!("{rest}, {sign}")).judged().err(), odd, "another order");
    assert_eq!(hygraph.signed(&format!("{header}, t=1")).judged().err(), odd, "one more");
    mismatch(&hygraph.signed(&header.replace("env=test", "env=live")));
    let sanity = Shown::by(&provider("sanity"));
    let header = sanity.signature();
    let signature = header.split_once(',').unwrap().1;
    assert_eq!(sanity.signed(&format!("{header},{signature}")).judged().err(), odd, "twice");
    let inngest = Shown::by(&provider("inngest"));
    let other = format!("s={}&{}", "0".repeat(64), inngest.signature());
    mismatch(&inngest.signed(&other));
    let recurly = Shown::by(&provider("recurly"));
    let header = recurly.signature();
    let (time, signature) = header.split_once(',').unwrap();
    assert_eq!(recurly.signed(&format!("{time},{},{signature}", "0".repeat(64))).judged().err(), None);
    mismatch(&recurly.signed(&format!("1760000000001,{signature}")));
}

#[test]
fn name_and_password_are_those_of_rfc_7617() {
    let shown = Shown::by(&provider("postmark"));
    let header = shown.signature();
    let credentials = BASE64.decode(header.trim_start_matches("Basic ").as_bytes()).unwrap();
    assert!(credentials.starts_with(b"hook:"));
    assert_eq!(shown.signed(&header.replace("Basic", "bASIC")).judged().err(), None, "a scheme has no case");
    for odd in [header.replace("Basic ", "Basic  "), header.replace("Basic", "Bearer"), header[6..].to_owned()] {
        assert_eq!(shown.signed(&odd).judged().err(), Some(Rejection::SignatureMalformed), "{odd}");
    }
    mismatch(&shown.signed(&format!("Basic {}", BASE64.encode(b"hook:"))));
    assert!(shown.provider.scheme.key("no colon").is_err());
}

#[test]
fn a_token_in_the_url_stands_there_once() {
    let shown = Shown::by(&provider("url-token"));
    let target = shown.target.clone();
    assert_eq!(shown.judged().err(), None);
    for odd in ["/in".to_owned(), format!("{target}&token=a"), target.replace("token", "Token")] {
        assert_eq!(
            Shown { target: odd.clone(), ..shown.clone() }.judged().err(),
            Some(Rejection::SignatureMissing),
            "{odd}"
        );
    }
    mismatch(&Shown { target: format!("{target}0"), ..shown });
}
