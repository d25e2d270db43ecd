//! HTTP Message Signatures: the examples of RFC 9421 (appendix B), and what is not one signature of one request.

use super::shown::{Shown, provider};
use hookwarden::{
    clock::Timestamp,
    repeat::Window,
    request::{Head, Target, Unverified},
    secret::Secret,
    verdict::{Refusal, Rejection},
    verify::{Config, Key, Keys, Verified, Webhook, verify},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

const SHARED: &str = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
const ED25519: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n-----END PUBLIC KEY-----\n";
const P256: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf\nw0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==\n-----END PUBLIC KEY-----\n";
const RSA_PSS: &str = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2\n+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+\noAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq\ngDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W\nUtzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4\naOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI\n2wIDAQAB\n-----END PUBLIC KEY-----\n";

/// The request of appendix B.2, to be signed as an example says.
#[derive(Clone)]
struct Example {
    method: Method,
    target: String,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
    key: String,
    config: Config,
}

const B25: (&str, &str) = (
    "sig-b25=(\"date\" \"@authority\" \"content-type\");created=1618884473;keyid=\"test-shared-secret\"",
    "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:",
);
const B26: (&str, &str) = (
    "sig-b26=(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\");created=1618884473;keyid=\"test-key-ed25519\"",
    "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
);
const B21: (&str, &str) = (
    "sig-b21=();created=1618884473;keyid=\"test-key-rsa-pss\";nonce=\"b3k2pp5k7z-50gnwp.yemd\"",
    "sig-b21=:d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==:",
);
const B22: (&str, &str) = (
    "sig-b22=(\"@authority\" \"content-digest\" \"@query-param\";name=\"Pet\");created=1618884473;keyid=\"test-key-rsa-pss\";tag=\"header-example\"",
    "sig-b22=:LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==:",
);
const B23: (&str, &str) = (
    "sig-b23=(\"date\" \"@method\" \"@path\" \"@query\" \"@authority\" \"content-type\" \"content-digest\" \"content-length\");created=1618884473;keyid=\"test-key-rsa-pss\"",
    "sig-b23=:bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==:",
);

impl Example {
    fn signed((input, signature): (&str, &str), alg: &str, key: &str) -> Self {
        let digest =
            "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";
        let fields = [
            ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("content-type", "application/json"),
            ("content-digest", digest),
            ("content-length", "18"),
            ("signature-input", input),
            ("signature", signature),
        ];
        Self {
            method: Method::POST,
            target: "/foo?param=Value&Pet=dog".to_owned(),
            fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            body: br#"{"hello": "world"}"#.to_vec(),
            key: key.to_owned(),
            config: Config::from([("alg".to_owned(), alg.to_owned())]),
        }
    }

    fn with(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        let field = changed.fields.iter_mut().find(|(known, _)| known == name).expect("the field");
        value.clone_into(&mut field.1);
        changed
    }

    fn saying(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        changed.config.insert(name.to_owned(), value.to_owned());
        changed
    }

    fn judged(&self) -> Result<Verified, Rejection> {
        let provider = provider("rfc9421");
        let mut headers = HeaderMap::new();
        for (name, value) in &self.fields {
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let target = Target::parse(&self.target).unwrap();
        let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let head = Head { method: self.method.clone(), target, host: String::new(), headers, client };
        let key = Key { id: "key".to_owned(), secret: provider.scheme.key(&self.key).unwrap(), retire: None };
        let keys = Keys::new(Secret::new("memory").unwrap(), BTreeMap::from([("all".to_owned(), vec![key])]));
        let minute = Duration::from_mins(1);
        let window = Window::Signed { max_age: minute, max_future: minute };
        let webhook = Webhook::for_tools("in", provider, "all", window, Some("https://Example.com:443/".to_owned()));
        let webhook = webhook.configured(self.config.clone());
        let now = Timestamp::from_unix_s(1_618_884_475);
        match verify(&webhook, &keys, Unverified { head, raw: self.body.clone().into() }, now) {
            Ok(verified) => Ok(verified),
            Err(Refusal::Rejected(rejection)) => Err(rejection),
            Err(Refusal::Failed(fault)) => panic!("{fault}"),
        }
    }

    fn refused(&self) -> Rejection {
        self.judged().expect_err("it was believed")
    }
}

#[test]
fn the_examples_of_the_rfc_hold() {
    for (example, alg, key) in [
        (B21, "rsa-pss-sha512", RSA_PSS),
        (B22, "rsa-pss-sha512", RSA_PSS),
        (B23, "rsa-pss-sha512", RSA_PSS),
        (B25, "hmac-sha256", SHARED),
        (B26, "ed25519", ED25519),
    ] {
        let signed = Example::signed(example, alg, key);
        assert!(signed.judged().is_ok(), "{}: {:?}", example.0, signed.judged().err());
        let covers = example.0.contains("content-digest");
        assert_eq!(signed.judged().unwrap().coverage().body, covers, "{}", example.0);
        assert_eq!(signed.judged().unwrap().proof().is_some(), covers, "no proof where nothing binds the body");
        for other in ["ecdsa-p256-sha256", "ecdsa-p384-sha384", "rsa-v1_5-sha256", "hmac-sha256", "ed25519"] {
            if other != alg {
                assert_eq!(signed.saying("alg", other).refused(), Rejection::SignatureMismatch, "{other}");
            }
        }
    }
    let p256 = Example::signed(B26, "ecdsa-p256-sha256", P256);
    assert_eq!(p256.refused(), Rejection::SignatureMismatch, "another's signature");
}

#[test]
fn what_is_covered_cannot_change() {
    let signed = Example::signed(B23, "rsa-pss-sha512", RSA_PSS);
    for (name, value) in [
        ("date", "Tue, 20 Apr 2021 02:07:56 GMT"),
        ("content-type", "text/plain"),
        ("content-length", "19"),
        ("content-digest", "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"),
        ("signature-input", &B23.0.replace("1618884473", "1618884474")),
        ("signature-input", &B23.0.replace("\"date\" ", "")),
    ] {
        assert_eq!(signed.with(name, value).refused(), Rejection::SignatureMismatch, "{name}: {value}");
    }
    for target in ["/fob?param=Value&Pet=dog", "/foo?param=Value&Pet=cat", "/foo"] {
        let moved = Example { target: target.to_owned(), ..signed.clone() };
        assert_eq!(moved.refused(), Rejection::SignatureMismatch, "{target}");
    }
    let method = Example { method: Method::PUT, ..signed.clone() };
    assert_eq!(method.refused(), Rejection::SignatureMismatch);
    let body = Example { body: br#"{"hello": "World"}"#.to_vec(), ..signed.clone() };
    assert_eq!(body.refused(), Rejection::SignatureMismatch, "the digest is compared");
    let mut bare = signed.clone();
    bare.fields.retain(|(name, _)| name != "content-digest");
    assert_eq!(bare.refused(), Rejection::SignatureMissing);
}

#[test]
fn the_policy_says_what_has_to_be_covered() {
    let signed = Example::signed(B22, "rsa-pss-sha512", RSA_PSS);
    for good in ["content-digest", "@authority content-digest", "\"@query-param\";name=\"Pet\" \"content-digest\""] {
        assert!(signed.saying("components", good).judged().is_ok(), "{good}");
    }
    for missing in ["@method", "date", "\"@query-param\";name=\"param\"", "\"content-digest\";sf"] {
        assert_eq!(signed.saying("components", missing).refused(), Rejection::SignatureMissing, "{missing}");
    }
    for unreadable in ["", "@status", "@nothing", "\"date\";tr", "\"@method\";req", "Date", "(", "\"@query-param\""] {
        assert_eq!(signed.saying("components", unreadable).refused(), Rejection::SignatureMismatch, "{unreadable}");
    }
}

#[test]
fn one_signature_counts_and_the_policy_says_which() {
    let (one, other) = (B25, B26);
    let both = (format!("{}, {}", one.0, other.0), format!("{}, {}", one.1, other.1));
    let signed = Example::signed((&both.0, &both.1), "hmac-sha256", SHARED);
    assert_eq!(signed.refused(), Rejection::SignatureMalformed, "which one?");
    for (name, value) in [("label", "sig-b25"), ("keyid", "test-shared-secret")] {
        assert!(signed.saying(name, value).judged().is_ok(), "{name}");
    }
    assert_eq!(signed.saying("label", "sig-b26").refused(), Rejection::SignatureMismatch);
    assert_eq!(signed.saying("label", "sig-b27").refused(), Rejection::SignatureMissing);
    assert_eq!(signed.saying("tag", "header-example").refused(), Rejection::SignatureMissing);
    let tagged = Example::signed(B22, "rsa-pss-sha512", RSA_PSS);
    assert!(tagged.saying("tag", "header-example").judged().is_ok());
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    let signed = Example::signed(B25, "hmac-sha256", SHARED);
    let (input, signature) = B25;
    for malformed in [
        "",
        "sig-b25",
        "sig-b25=()",
        &format!("{input}, {input}"),
        &input.replace("\"date\"", "\"date\" \"date\""),
        &input.replace("\"date\"", "date"),
        &input.replace("\"date\"", "\"Date\""),
        &input.replace("\"date\"", "\"date\";tr"),
        &input.replace("\"date\"", "\"@status\""),
        &input.replace("\"date\"", "\"@method\";req"),
        &input.replace("created=1618884473", "created=\"1618884473\""),
        &input.replace("created=1618884473", "created=1618884473;created=1618884473"),
        &input.replace("created=1618884473", "created=01618884473"),
    ] {
        let rejection = signed.with("signature-input", malformed).refused();
        let missing = ["", "sig-b25=()"].contains(&malformed);
        assert!(
            rejection == Rejection::SignatureMalformed || missing && rejection.is_authentication(),
            "{malformed}: {rejection}"
        );
    }
    let no_time = input.replace(";created=1618884473", "");
    assert_eq!(signed.with("signature-input", &no_time).refused(), Rejection::SignatureMissing);
    for malformed in [
        signature.replace("=:pxc", "=pxc"),
        signature.replace("E8=:", "E8:"),
        signature.replace("E8=:", "E9=:"),
        signature.replace("sig-b25", "sig-b26"),
        format!("{signature}, {signature}"),
    ] {
        assert!(signed.with("signature", &malformed).refused().is_authentication(), "{malformed}");
    }
    let said = input.replace(";keyid", ";alg=\"hmac-sha256\";keyid");
    assert_eq!(signed.with("signature-input", &said).refused(), Rejection::SignatureMismatch, "it was not signed");
    let other = input.replace(";keyid", ";alg=\"ed25519\";keyid");
    assert_eq!(signed.with("signature-input", &other).refused(), Rejection::SignatureMismatch);
}

#[test]
fn a_public_key_is_no_shared_secret_here_either() {
    let provider = provider("http-message-signatures");
    for (good, bad) in [(SHARED, "no base64!"), (ED25519, "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----")] {
        assert!(provider.scheme.key(good).is_ok() && provider.scheme.key(bad).is_err());
    }
    assert_eq!(Example::signed(B25, "hmac-sha256", ED25519).refused(), Rejection::SignatureMismatch);
}

/// Sent by us, and read by us: signed with these components.
fn covering(components: &str, content_type: &str) -> Shown {
    let provider = provider("http-message-signatures");
    let (_, key) = provider.scheme.test_key("own").unwrap();
    let config = Config::from([
        ("alg".to_owned(), "hmac-sha256".to_owned()),
        ("components".to_owned(), components.to_owned()),
        ("tag".to_owned(), "test".to_owned()),
    ]);
    let what = hookwarden::verify::Unsigned {
        method: &Method::POST,
        url: "https://shop.example/in",
        content_type,
        body: b"{}",
        id: "",
        at: Timestamp::from_unix_s(super::NOW_S),
    };
    let made = provider.scheme.sign_for(&config, &key, &what);
    let mut shown = Shown::of(&provider, content_type, b"{}");
    shown.fields = made.fields;
    shown.fields.push(("content-type".to_owned(), content_type.to_owned()));
    shown.config = config;
    shown
}

#[test]
fn every_component_is_read_as_it_is_written() {
    let all = "\"@method\" \"@target-uri\" \"@authority\" \"@scheme\" \"@request-target\" \"@path\" \"@query\" \"content-digest\";key=\"sha-256\" \"content-digest\";sf \"content-digest\";sf;key=\"sha-256\" \"content-type\" \"content-type\";sf \"content-type\";bs \"content-digest\"";
    let shown = covering(all, "application/json");
    assert_eq!(shown.judged().err(), None);
    let moved = Shown { target: "/other".to_owned(), ..shown };
    assert_eq!(moved.refused("another path"), Rejection::SignatureMismatch);
}

/// However the digest is written into what is signed, the body is held against it.
#[test]
fn a_digest_binds_the_body_in_whichever_way_it_is_covered() {
    for way in ["content-digest", "\"content-digest\";sf", "\"content-digest\";key=\"sha-256\""] {
        let shown = covering(way, "application/json");
        assert_eq!(shown.judged().err(), None, "{way}");
        let other = Shown { body: b"[]".to_vec(), ..shown };
        assert_eq!(other.refused(way), Rejection::SignatureMismatch);
    }
}
