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
listeners: [{ on: '127.0.0.1:0' }]
routes:
  meta: { at: { path: /meta }, sender: { provider: meta, keys: shop, verify_token: words }, repeats: { remember: 168h } }
  slack: { at: { path: /slack }, sender: { provider: slack, keys: shop } }
  orders:
    at: { path: /orders }
    sender: { provider: woocommerce, keys: shop }
    admit: { content_types: [application/json] }
    repeats: { remember: 72h }
keys: { shop: [{ id: live, from: env:SHOP }], words: [{ id: console, from: env:WORDS }] }
destinations: { wordpress: { url: 'http://127.0.0.1:9/events' } }
";

const SECRET: &str = "e6b19c573432dcc6b075501d51b51bb8";

async fn house(folder: &tempfile::TempDir) -> House {
    let catalogue = Catalogue::embedded();
    let compiled = compile(&Source::one("gate.yaml", POLICY), &catalogue, &Overrides::default(), SystemClock.now());
    let key = |text: &str| vec![Key { id: "live".into(), secret: Secret::new(text).unwrap(), retire: None }];
    let named = ["shop/meta", "shop/slack", "shop/woocommerce"].map(|name| (name.to_owned(), key(SECRET)));
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
