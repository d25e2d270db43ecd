//! A route that is observed whole: every request reaches the origin as it came, and what would have become of it is told.

use super::support::*;
use hookwarden::{
    clock::{Clock as _, SystemClock, Timestamp},
    edge::NoEngine,
    policy::{Overrides, Policy, Source, compile},
    secret::Secret,
    verify::{Catalogue, Key, Keys, Scheme, Unsigned},
};
use std::collections::BTreeMap;
use tokio::io::AsyncWriteExt as _;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn scheme() -> Scheme {
    Catalogue::embedded().find("standard-webhooks").unwrap().scheme.clone()
}

fn keys() -> Keys {
    let key = Key { id: "live".into(), secret: scheme().key(SECRET).unwrap(), retire: None };
    let named = BTreeMap::from([("shop/standard-webhooks".to_owned(), vec![key])]);
    Keys::new(Secret::new("memory").unwrap(), named)
}

/// `/tried` is observed; `wc-api=paid` enforces.
fn policy(origin: &Origin) -> Policy {
    let text = format!(
        "
listeners: [{{ on: '127.0.0.1:0' }}]
origin: {{ url: 'http://{}' }}
routes:
  tried:
    at: {{ path: /tried }}
    sender: {{ provider: standard-webhooks, keys: shop }}
    admit: {{ body: 64KiB }}
    deliver: {{ via: relay }}
  paid:
    at: {{ wc-api: paid }}
    sender: {{ provider: standard-webhooks, keys: shop }}
    deliver: {{ via: relay }}
keys: {{ shop: [{{ id: live, from: env:SHOP }}] }}
rollout: {{ tried: {{ observe: all, until: 2999-12-31 }} }}
",
        origin.address
    );
    let source = Source::one("gate.yaml", text);
    let compiled = compile(&source, &Catalogue::embedded(), &Overrides::default(), SystemClock.now());
    compiled.unwrap_or_else(|report| panic!("{report}")).policy
}

async fn observing(origin: &Origin) -> House {
    open(policy(origin), keys(), NoEngine).await
}

/// Signed so many seconds ago.
fn signed(id: &str, body: &str, age_s: i64) -> String {
    let at = Timestamp::from_unix_s(SystemClock.now().unix_s() - age_s);
    let (method, content_type) = (&http::Method::POST, "application/json");
    let unsigned = Unsigned { method, url: "/tried", content_type, body: body.as_bytes(), id, at };
    let signed = scheme().sign(&scheme().signing_key(SECRET).unwrap(), &unsigned);
    signed.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect()
}

fn request(method: &str, fields: &str, body: &str) -> String {
    format!("{method} /tried HTTP/1.1\r\nHost: a\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// The one thing that was found, after the origin got the body as it was sent, and the client its answer.
async fn found(house: &mut House, origin: &Origin, request: &str) -> (&'static str, &'static str) {
    let before = origin.requests().len();
    let answer = ask_once(house.at, request).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok"), "{answer}");
    let body = |request: &str| request.split_once("\r\n\r\n").unwrap().1.to_owned();
    let received = origin.requests();
    assert_eq!(received.len(), before + 1);
    assert_eq!(body(&received[before]), body(request), "byte for byte");
    assert!(!received[before].to_ascii_lowercase().contains("hookwarden-identity"));
    let heard = house.hears().await;
    assert_eq!((heard.code, heard.status, heard.route.as_deref()), ("observed", Some(200), Some("tried")));
    assert_eq!(heard.observed.len(), 1, "{heard:?}");
    heard.observed[0]
}

#[tokio::test]
async fn whatever_would_be_refused_reaches_the_origin_as_it_came() {
    let origin = Origin::start(Manner::Polite).await;
    let mut house = observing(&origin).await;
    let body = r#"{"a":1}"#;
    let good = request("POST", &signed("1", body, 0), body);
    let long = "x".repeat((64 << 10) + 1);
    for (sent, expected) in [
        (good.clone(), ("all", "ok")),
        (good, ("repeats", "repeat")),
        (request("POST", &signed("2", "{}", 0), body), ("verify", "signature_mismatch")),
        (request("POST", &signed("3", body, 301), body), ("verify", "stale")),
        (request("POST", "", body), ("verify", "signature_missing")),
        (request("PUT", &signed("4", body, 0), body), ("admit", "method_not_allowed")),
        (request("GET", "", ""), ("admit", "method_not_allowed")),
        (request("POST", "Content-Encoding: gzip\r\n", body), ("admit", "content_type")),
        (request("POST", &signed("5", &long, 0), &long), ("all", "unjudged")),
    ] {
        assert_eq!(found(&mut house, &origin, &sent).await, expected, "{sent:.200}");
    }
}

/// Without a length in the head only the copy can tell that it is too long.
#[tokio::test]
async fn a_body_in_chunks_is_copied_up_to_the_routes_limit() {
    let origin = Origin::start(Manner::Polite).await;
    let mut house = observing(&origin).await;
    for (length, expected) in [(64 << 10, ("all", "ok")), ((64 << 10) + 1, ("all", "unjudged"))] {
        let body = "x".repeat(length);
        let fields = signed(&length.to_string(), &body, 0);
        let mut client = connect(house.at).await;
        let head = format!("POST /tried HTTP/1.1\r\nHost: a\r\n{fields}Transfer-Encoding: chunked\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        for piece in body.as_bytes().chunks(10_000) {
            let size = format!("{:x}\r\n", piece.len());
            client.write_all(&[size.as_bytes(), piece, b"\r\n"].concat()).await.unwrap();
        }
        assert!(ask(&mut client, "0\r\n\r\n").await.ends_with("ok"));
        assert_eq!(house.hears().await.observed, [expected], "{length}");
    }
}

/// What the origin did not take would be relayed once more.
#[tokio::test]
async fn only_what_the_origin_took_is_known_again() {
    let origin = Origin::start(Manner::Says("HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nok")).await;
    let mut house = observing(&origin).await;
    let sent = request("POST", &signed("1", "{}", 0), "{}");
    for _ in 0..2 {
        assert!(ask_once(house.at, &sent).await.starts_with("HTTP/1.1 500"));
        assert_eq!(house.hears().await.observed, [("all", "ok")]);
    }
}

#[tokio::test]
async fn without_room_or_an_end_nothing_is_judged() {
    let origin = Origin::start(Manner::Polite).await;
    let mut narrow = policy(&origin);
    narrow.settings.limits.bodies_bytes = 1;
    let mut house = open(narrow, keys(), NoEngine).await;
    let sent = request("POST", &signed("1", "{}", 0), "{}");
    assert_eq!(found(&mut house, &origin, &sent).await, ("all", "unjudged"));

    let mut house = observing(&origin).await;
    let mut client = connect(house.at).await;
    client.write_all(b"POST /tried HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{").await.unwrap();
    drop(client);
    let heard = house.hears().await;
    assert_eq!((heard.observed.as_slice(), heard.code), ([("all", "unjudged")].as_slice(), "aborted"));
}

#[tokio::test]
async fn an_observed_route_is_no_way_to_one_that_enforces() {
    let origin = Origin::start(Manner::Polite).await;
    let mut house = observing(&origin).await;
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    let answer = ask_once(house.at, &request("POST", kind, "a=b&wc-api=paid")).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert_eq!(house.hears().await.code, "guarded_in_form");
    assert!(!origin.bytes().contains("paid"), "{}", origin.bytes());
    assert_eq!(found(&mut house, &origin, &request("POST", kind, "a=b")).await, ("verify", "signature_missing"));
}

#[tokio::test]
async fn framing_is_never_only_observed() {
    let origin = Origin::start(Manner::Polite).await;
    let house = observing(&origin).await;
    let answer = ask_once(house.at, "POST /tried HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 2\r\n\r\n{}").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(origin.bytes().is_empty());
}

#[tokio::test]
async fn over_http2_as_well() {
    let origin = Origin::start(Manner::Polite).await;
    let pki = p256("shop.test");
    let certified = Certified::new(&[("shop.pem", &pki)]);
    let mut policy = policy(&origin);
    policy.settings.listeners = vec![certified.listener()];
    let mut house = open(policy, keys(), NoEngine).await;
    let mut client = h2(&house, &pki).await;
    for (body, expected) in [("{}", ("all", "ok")), ("{ }", ("verify", "signature_mismatch"))] {
        let mut request = http::Request::post("https://shop.test/tried");
        for line in signed("1", "{}", 0).lines() {
            let (name, value) = line.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        let (head, answer) = h2_ask(&mut client, request.body(()).unwrap(), body.as_bytes()).await.unwrap();
        assert_eq!((head.status.as_u16(), answer.as_str()), (200, "ok"));
        assert_eq!(house.hears().await.observed, [expected]);
    }
}
