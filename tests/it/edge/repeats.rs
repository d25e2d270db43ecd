//! A repeat is answered as the first was, and told apart from a changed one in the log.

use super::support::*;
use hookwarden::{
    clock::{Clock as _, SystemClock},
    policy::{Overrides, Source, compile},
    secret::Secret,
    spool::{Settings, Spool},
    verify::{Catalogue, Key, Keys, SigningKey, Unsigned},
};
use http::Method;
use std::{collections::BTreeMap, sync::Arc};

const POLICY: &str = "
listeners: [{ on: '127.0.0.1:0' }]
routes:
  events:
    at: { path: /hooks/events }
    sender: { provider: standard-webhooks, keys: events }
    deliver: { via: queue, to: [wordpress] }
keys: { events: [{ id: live, from: env:EVENTS }] }
destinations: { wordpress: { url: 'http://127.0.0.1:9/events' } }
";

/// A queued route of Standard Webhooks, whose key is the first of what this returns.
pub(super) async fn queued(
    folder: &tempfile::TempDir,
    change: impl FnOnce(&mut hookwarden::policy::Policy),
) -> (SigningKey, House) {
    let catalogue = Catalogue::embedded();
    let source = Source::one("gate.yaml", POLICY);
    let mut policy = compile(&source, &catalogue, &Overrides::default(), SystemClock.now()).unwrap().policy;
    change(&mut policy);
    let scheme = &catalogue.find("standard-webhooks").unwrap().scheme;
    let text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let key = Key { id: "live".into(), secret: scheme.key(text).unwrap(), retire: None };
    let named = BTreeMap::from([(policy.routes[0].sender.webhook().unwrap().keys().to_owned(), vec![key])]);
    let settings = Settings { folder: folder.path().join("spool"), bytes: 64 << 20, free: 0 };
    let (spool, _) = Spool::open(settings, Arc::new(SystemClock)).unwrap();
    let house = open(policy, Keys::new(Secret::new("memory").unwrap(), named), spool).await;
    (scheme.signing_key(text).unwrap(), house)
}

fn request(key: &SigningKey, id: &str, body: &str) -> String {
    let catalogue = Catalogue::embedded();
    let url = "http://shop.test/hooks/events";
    let unsigned = Unsigned {
        method: &Method::POST,
        url,
        content_type: "application/json",
        body: body.as_bytes(),
        id,
        at: SystemClock.now(),
    };
    let signed = catalogue.find("standard-webhooks").unwrap().scheme.sign(key, &unsigned);
    let fields: String = signed.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    format!("POST /hooks/events HTTP/1.1\r\nHost: shop.test\r\nContent-Length: {length}\r\n{fields}\r\n{body}")
}

#[tokio::test]
async fn a_changed_body_under_one_signed_id_is_a_repeat_that_names_both_digests() {
    let folder = tempfile::tempdir().unwrap();
    let (key, mut house) = queued(&folder, |_| {}).await;
    let mut told = Vec::new();
    for body in [r#"{"pending_webhooks":2}"#, r#"{"pending_webhooks":2}"#, r#"{"pending_webhooks":1}"#] {
        let answer = ask_once(house.at, &request(&key, "msg_changed", body)).await;
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
        let heard = house.hears().await;
        told.push((heard.code, heard.detail));
    }
    assert_eq!(told[..2], [("accepted", None), ("repeat", None)]);
    let (code, detail) = (told[2].0, told[2].1.clone().unwrap());
    assert_eq!(code, "repeat_changed");
    let marks: Vec<_> = detail.split([' ', ',']).filter(|word| is_mark(word)).collect();
    assert!(marks.len() == 2 && marks[0] != marks[1], "{detail}");
    assert!(!detail.contains("pending"), "no content: {detail}");
}

fn is_mark(word: &str) -> bool {
    word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}
