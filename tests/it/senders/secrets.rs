//! From what an operator is handed out to a key.

use super::shown::{BODY, NOW_S, Shown, provider, public};
use hookwarden::{
    clock::Timestamp,
    verify::{BadKey, Provider, Unsigned},
};
use http::Method;
use std::sync::Arc;

/// What an operator copies is not always the key.
#[test]
fn a_key_is_made_of_what_the_sender_hands_out() {
    let same = |name: &str, one: &str, other: &str| {
        let scheme = &provider(name).scheme;
        let key = |text: &str| scheme.signing_key(text).unwrap();
        let what = Unsigned {
            method: &Method::POST,
            url: "https://shop.example/in",
            content_type: "application/json",
            body: BODY,
            id: "msg_1",
            at: Timestamp::from_unix_s(NOW_S),
        };
        scheme.sign(&key(one), &what) == scheme.sign(&key(other), &what)
    };
    assert!(same("easypost", "s\u{e9}cret", "se\u{301}cret"), "composed or not");
    assert!(same("inngest", "signkey-prod-0123", "0123"));
    assert!(same("inngest", "signkey-a_b-0123", "signkey-test-0123"));
    assert!(!same("inngest", "signkey--0123", "0123"), "no word, no prefix");
    assert!(same("openai", "whsec_c2VjcmV0", "c2VjcmV0"));
    assert!(!same("polar", "whsec_c2VjcmV0", "c2VjcmV0") && !same("stripe", "whsec_a", "a"), "there it belongs to it");
    for (name, bad) in [("airtable", "no base64!"), ("adyen-banking", "xyz"), ("openai", "whsec_"), ("telnyx", "AAAA")]
    {
        assert!(provider(name).scheme.key(bad).is_err(), "{name}");
    }
}

/// What is all prefix, or a name without a password, is no secret.
#[test]
fn a_secret_of_nothing_but_its_beginning_is_blank() {
    for (name, blank) in [
        ("inngest", "signkey-prod-"),
        ("stripe", "whsec_"),
        ("polar", "whsec_"),
        ("openai", "whsec_"),
        ("basic-auth", ":"),
        ("basic-auth", "user:"),
        ("basic-auth", "user: "),
        ("authorization-token", "Bearer "),
    ] {
        assert_eq!(provider(name).scheme.key(blank).err(), Some(BadKey::Empty), "{name} {blank}");
    }
    assert!(provider("basic-auth").scheme.key(":a").is_ok(), "some have no name");
}

/// A public key in PEM is the same as its last bytes in hexadecimal.
#[test]
fn a_public_key_may_come_in_pem() {
    let entry = |enc: &str, alg: &str| {
        let text = format!(
            "name: own\ndocumentation: https://acme.example\nsource: {{ how: read, checked: 2026-11-24 }}\n\
             scheme: {{ alg: {alg}, key: {{ enc: {enc} }}, sig: {{ in: 'header:X-Sig', enc: hex }}, message: [body] }}\n\
             retry_horizon: 1h\nanswer_by: 9s\n"
        );
        Arc::new(Provider::from_yaml(&text).unwrap())
    };
    for alg in ["ed25519", "ecdsa-p256-sha256", "rsa-sha1", "rsa-sha256"] {
        let shown = Shown::by(&entry("pem", alg));
        assert!(public(&shown.provider, "own").starts_with("-----BEGIN PUBLIC KEY-----"));
        assert_eq!(shown.judged().err(), None, "{alg}");
        for bad in ["AAAA", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "-----BEGIN A-----AAAA"] {
            assert!(shown.provider.scheme.key(bad).is_err(), "{alg} {bad}");
        }
    }
}

/// Editors leave one at the end of a file; a test's key that has one is meant so.
#[test]
fn one_line_end_is_no_part_of_a_policys_key() {
    let scheme = &super::shown::provider("slack").scheme;
    for written in ["a secret of the shop's own\n", "a secret of the shop's own\r\n"] {
        let own = "a secret of the shop's own".as_bytes();
        assert!(scheme.key(written).unwrap().is(own) && scheme.key_of(None, written).unwrap().is(own), "{written:?}");
        assert!(scheme.exact_key(written).unwrap().is(written.as_bytes()), "{written:?}");
    }
}
