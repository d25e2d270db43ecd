//! Validation calls over sockets: the bytes that vendors hear.

use super::support::*;
use hookwarden::{
    clock::{Clock as _, SystemClock},
    policy::{Overrides, Source, compile},
    secret::Secret,
    spool::{Settings, Spool},
    verify::{Catalogue, Key, Keys, Unsigned},
};
use http::Method;
use std::{collections::BTreeMap, sync::Arc};

const POLICY: &str = "
public_url: https://shop.test
listeners: [{ on: '127.0.0.1:0' }]
routes:
  meta: { at: { path: /meta }, sender: { provider: meta, keys: shop, verify_token: words }, repeats: { remember: 168h } }
  slack: { at: { path: /slack }, sender: { provider: slack, keys: shop } }
  orders:
    at: { path: /orders }
    sender: { provider: woocommerce, keys: shop }
    admit: { content_types: [application/json] }
    repeats: { remember: 72h }
  x: { at: { path: /x }, sender: { provider: x, keys: shop }, repeats: { remember: 24h } }
  trello:
    at: { path: /trello }
    sender: { provider: trello, keys: shop }
    repeats: { remember: 24h }
  xero: { at: { path: /xero }, sender: { provider: xero, keys: shop }, repeats: { remember: 24h } }
  okta: { at: { path: /okta }, sender: { provider: okta, keys: shop }, repeats: { protection: impossible } }
keys: { shop: [{ id: live, from: env:SHOP }], words: [{ id: console, from: env:WORDS }] }
destinations: { wordpress: { url: 'http://127.0.0.1:9/events' } }
";

const SECRET: &str = "e6b19c573432dcc6b075501d51b51bb8";

async fn house(folder: &tempfile::TempDir) -> House {
    of_policy(folder, POLICY).await
}

async fn behind_a_proxy(folder: &tempfile::TempDir) -> House {
    of_policy(folder, &format!("{POLICY}trusted_proxies: [127.0.0.1]\n")).await
}

async fn of_policy(folder: &tempfile::TempDir, policy: &str) -> House {
    let catalogue = Catalogue::embedded();
    let compiled = compile(&Source::one("gate.yaml", policy), &catalogue, &Overrides::default(), SystemClock.now());
    let key = |text: &str| vec![Key { id: "live".into(), secret: Secret::new(text).unwrap(), retire: None }];
    let named = ["meta", "slack", "woocommerce", "x", "trello", "xero", "okta"]
        .map(|name| (format!("shop/{name}"), key(SECRET)));
    let named = BTreeMap::from(named).into_iter().chain([("words/verify_token".to_owned(), key("opensesame"))]);
    let settings = Settings { folder: folder.path().join("spool"), bytes: 64 << 20, free: 0 };
    let (spool, _) = Spool::open(settings, Arc::new(SystemClock)).unwrap();
    open(compiled.unwrap().policy, Keys::new(Secret::new("memory").unwrap(), named.collect()), spool).await
}

#[tokio::test]
async fn vendors_hear_plain_text_that_no_browser_takes_for_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = house(&folder).await;
    let get = |word: &str| {
        let target = format!("/meta?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={word}");
        format!("GET {target} HTTP/1.1\r\nHost: shop.test\r\n\r\n")
    };
    let answer = ask_once(house.at, &get("opensesame")).await.to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 200") && answer.ends_with("\r\n\r\n1158201444"), "{answer}");
    for field in ["content-type: text/plain\r\n", "x-content-type-options: nosniff\r\n", "content-length: 10\r\n"] {
        assert!(answer.contains(field), "{field} is not in {answer}");
    }
    let heard = house.hears().await;
    assert_eq!((heard.code, heard.status, heard.route.as_deref()), ("handshake", Some(200), Some("meta")));
    assert_eq!(heard.detail.as_deref(), Some("subscription"));
    assert!(!heard.path.contains("opensesame"));

    let answer = ask_once(house.at, &get("opensesam")).await.to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 405") && answer.contains("allow: post"), "{answer}");
    assert_eq!(house.hears().await.code, "method_not_allowed");

    let body =
        r#"{"type":"url_verification","token":"t","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}"#;
    let scheme = &Catalogue::embedded().find("slack").unwrap().scheme.clone();
    let (method, content_type, id, at) = (&Method::POST, "application/json", "", SystemClock.now());
    let what = Unsigned { method, url: "/slack", content_type, body: body.as_bytes(), id, at };
    let fields = scheme.sign(&scheme.signing_key(SECRET).unwrap(), &what).fields;
    let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let post = |target: &str, fields: &str, body: &str| {
        format!("POST {target} HTTP/1.1\r\nHost: shop.test\r\nContent-Length: {}\r\n{fields}\r\n{body}", body.len())
    };
    let answer = ask_once(house.at, &post("/slack", &fields, body)).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("HkvFXO7tYXAYM8P"), "{answer}");
    assert_eq!(house.hears().await.code, "handshake");

    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    assert!(ask_once(house.at, &post("/orders", form, "webhook_id=12")).await.starts_with("HTTP/1.1 200"));
    assert_eq!(house.hears().await.detail.as_deref(), Some("ping"));
    assert!(ask_once(house.at, &post("/orders", form, "webhook_id=x")).await.starts_with("HTTP/1.1 415"));
}

/// The digest is what `openssl dgst -sha256 -hmac` says.
#[tokio::test]
async fn a_stranger_hears_few_digests_and_of_words_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = house(&folder).await;
    let crc = |token: &str| format!("GET /x?crc_token={token} HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    let answer = ask_once(house.at, &crc("challenge_string")).await;
    let told = r#"{"response_token":"sha256=025ehatev0E1aSywUOyY/jWeEt4JujIpVduOfqEOGq0="}"#;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(told), "{answer}");
    let heard = house.hears().await;
    assert_eq!((heard.code, heard.detail.as_deref()), ("handshake", Some("crc")));
    for body in ["%7B%7D", "12", "true", "a=b", "a%26b", "%3Ca%3E", &"a".repeat(129)] {
        assert!(ask_once(house.at, &crc(body)).await.starts_with("HTTP/1.1 405"), "{body}");
        assert_eq!(house.hears().await.code, "method_not_allowed");
    }
    let (answered, code) = digests(&mut house, "").await;
    assert!((9..15).contains(&answered) && code == "handshake_address_limited", "{answered} {code}");
    let answer = ask_once(house.at, &crc("challenge_string")).await.to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 429") && answer.contains("retry-after: "), "{answer}");
}

/// How many of them this client hears, and the code of the first that it does not.
async fn digests(house: &mut House, client: &str) -> (usize, String) {
    let from = if client.is_empty() { String::new() } else { format!("X-Forwarded-For: {client}\r\n") };
    let asks = format!("GET /x?crc_token=challenge_string HTTP/1.1\r\nHost: shop.test\r\n{from}\r\n");
    for answered in 0..200 {
        ask_once(house.at, &asks).await;
        let code = house.hears().await.code;
        if code != "handshake" {
            return (answered, code.to_owned());
        }
    }
    panic!("there is no limit");
}

/// Strangers must not keep the vendor from its hourly call; and all of them together are not answered without end.
#[tokio::test]
async fn a_flood_from_one_address_does_not_keep_the_vendor_from_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = behind_a_proxy(&folder).await;
    let of_one = "handshake_address_limited";
    // A token comes back every six seconds.
    let is_share = |answered: usize| (10..15).contains(&answered);
    let (answered, code) = digests(&mut house, "192.0.2.66").await;
    assert!(is_share(answered) && code == of_one, "{answered} {code}");
    assert!(is_share(digests(&mut house, "2001:db8:0:66::1").await.0));
    let (answered, code) = digests(&mut house, "2001:db8:0:66:ffff::3").await;
    assert!(answered < 5 && code == of_one, "one /64: {answered} {code}");
    assert!(is_share(digests(&mut house, "199.16.156.1").await.0), "the vendor's own call");
    let mut codes = Vec::new();
    while codes.last().is_none_or(|code| code == of_one) {
        codes.push(digests(&mut house, &format!("198.51.100.{}", codes.len())).await.1);
    }
    assert_eq!(codes.last().unwrap(), "handshake_route_limited");
    assert!((7..12).contains(&codes.len()), "{}", codes.len());
}

#[tokio::test]
async fn a_head_hears_that_somebody_is_at_home_and_a_bad_signature_an_empty_401() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = house(&folder).await;
    let answer = ask_once(house.at, "HEAD /trello HTTP/1.1\r\nHost: shop.test\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert_eq!(house.hears().await.detail.as_deref(), Some("callback-check"));
    let asks = "GET /okta HTTP/1.1\r\nHost: shop.test\r\nX-Okta-Verification-Challenge: my_value\r\n\r\n";
    let answer = ask_once(house.at, asks).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(r#"{"verification":"my_value"}"#), "{answer}");
    assert_eq!(house.hears().await.code, "handshake");
    let body = r#"{"events":[],"lastEventSequence":0,"firstEventSequence":0,"entropy":"S0m3r4Nd0mt3xt"}"#;
    let scheme = &Catalogue::embedded().find("xero").unwrap().scheme.clone();
    let (method, content_type, id, at) = (&Method::POST, "application/json", "", SystemClock.now());
    let what = Unsigned { method, url: "/xero", content_type, body: body.as_bytes(), id, at };
    let fields = scheme.sign(&scheme.signing_key(SECRET).unwrap(), &what).fields;
    let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let post = |body: &str| {
        format!("POST /xero HTTP/1.1\r\nHost: shop.test\r\nContent-Length: {}\r\n{fields}\r\n{body}", body.len())
    };
    let answer = ask_once(house.at, &post(body)).await.to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 200") && answer.contains("content-length: 0\r\n"), "{answer}");
    assert_eq!(house.hears().await.detail.as_deref(), Some("intent-to-receive"));
    let answer = ask_once(house.at, &post(&body.replace("S0m3", "s0m3"))).await.to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 401") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert!(answer.contains("content-length: 0\r\n") && !answer.contains("set-cookie"), "{answer}");
}
