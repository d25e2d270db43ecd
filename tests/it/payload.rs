//! A signed body against a contract and its rules, from the policy's text to the clean document.

use data_encoding::HEXLOWER;
use hookwarden::{
    clock::Timestamp,
    gate::{self, Judged, Memory, NoMemory},
    ledger::Known,
    outcome::Notes,
    payload::Clean,
    policy::{self, Overrides, Policy, Source, TextFile},
    repeat::RepeatKeys,
    request::{Head, Target, Unverified},
    secret::Secret,
    verdict::{Refusal, Rejection},
    verify::{Catalogue, Key, Keys},
};
use std::collections::BTreeMap;

const NOW: Timestamp = Timestamp::from_unix_s(1_760_000_000);

const POLICY: &str = "
routes:
  checked:
    at: { path: /checked }
    sender: { provider: github, keys: shop }
    repeats: { remember: 72h }
    contract: { schema: schemas/order.json }
    redact:
      - { at: /customer/email, as: mask }
      - { name: phone, as: drop }
      - { header: X-GitHub-Event, as: drop }
      - { query: token, as: drop }
  versions:
    at: { path: /versions }
    sender: { provider: github, keys: shop }
    repeats: { remember: 72h }
    contract: { schemas: schemas/versions, by: /v, sunset: { '1': 2025-01-01, '2': 2026-01-01 } }
  lenient:
    at: { path: /lenient }
    sender: { provider: github, keys: shop }
    repeats: { remember: 72h }
keys: { shop: [{ id: live, from: env:SHOP }] }
destinations: { wordpress: { url: 'http://127.0.0.1/' } }
";

const ORDER: &str = r#"{ "properties": { "total": { "type": "integer" }, "customer": {} }, "required": ["total"] }"#;

fn policy() -> Policy {
    let mut source = Source::one("gate.yaml", POLICY);
    let schemas =
        [("order", ORDER), ("versions/1", "{}"), ("versions/2", "{}"), ("versions/3", r#"{"required": ["a"]}"#)];
    source.schemas =
        schemas.map(|(name, text)| TextFile { name: format!("schemas/{name}.json"), text: text.into() }).into();
    let compiled = policy::compile(&source, &Catalogue::embedded(), &Overrides::default(), NOW);
    compiled.unwrap_or_else(|report| panic!("{report}")).policy
}

fn judged(route: &str, memory: &impl Memory, content_type: &str, raw: &str) -> (Result<Judged, Refusal>, Notes) {
    let policy = policy();
    let route = policy.routes.iter().find(|known| &*known.name == route).unwrap();
    let secret = || Secret::new("the sender's own").unwrap();
    let key = Key { id: "live".into(), secret: secret(), retire: None };
    let named = BTreeMap::from([(route.sender.webhook().unwrap().keys().to_owned(), vec![key])]);
    let keys = Keys::new(Secret::new("the gate's own").unwrap(), named);
    let digest = HEXLOWER.encode(&secret().digest(&[raw.as_bytes()]));
    let headers = [
        ("x-hub-signature-256", format!("sha256={digest}")),
        ("x-github-event", "order".to_owned()),
        ("content-type", content_type.to_owned()),
    ];
    let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let head = Head {
        method: http::Method::POST,
        target: Target::parse("/hooks?token=s3cret&a=1").unwrap(),
        host: "shop.example".into(),
        headers: headers.into_iter().collect(),
        client: [127, 0, 0, 1].into(),
    };
    let mut notes = Notes::default();
    let request = Unverified { head, raw: raw.to_owned().into() };
    (gate::judge(route, &keys, memory, request, NOW, &mut notes), notes)
}

fn clean(route: &str, content_type: &str, raw: &str) -> Clean {
    match judged(route, &NoMemory, content_type, raw).0 {
        Ok(Judged::Clean(clean)) => clean,
        other => panic!("{other:?}"),
    }
}

fn refused(route: &str, content_type: &str, raw: &str) -> (Rejection, Option<(String, String)>) {
    let (judged, notes) = judged(route, &NoMemory, content_type, raw);
    match judged {
        Err(Refusal::Rejected(rejection)) => (rejection, notes.finding),
        other => panic!("must be refused: {other:?}"),
    }
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn what_the_rules_name_is_gone_from_body_head_and_type() {
    let clean = clean("checked", JSON, r#"{"total": 1, "customer": {"EMAIL": "a@b", "Phone": 1}}"#);
    assert_eq!(clean.body(), r#"{"total": 1, "customer": {"EMAIL": "[masked]"}}"#);
    assert_eq!(clean.redacted(), ["/customer/email", "name:phone", "header:X-GitHub-Event", "query:token"]);
    assert_eq!(clean.head().target.raw(), "/hooks?a=1");
    assert!(!clean.head().headers.contains_key("x-github-event"));
    assert_eq!(clean.event_type(), None, "it stood in what is gone");
    assert!(clean.version().unwrap().starts_with("sha256:"));
}

#[test]
fn a_form_meets_the_same_schema_and_the_same_rules() {
    let broken = (Rejection::ContractBroken, Some(("/total".to_owned(), "/properties/total/type".to_owned())));
    assert_eq!(refused("checked", FORM, "total=1&customer[email]=a%40b"), broken, "a form has texts alone");
}

#[test]
fn a_broken_contract_is_told_with_its_place() {
    let (rejection, finding) = refused("checked", JSON, r#"{"customer": {"email": "s3cret"}}"#);
    assert_eq!(rejection, Rejection::ContractBroken);
    assert_eq!(finding, Some((String::new(), "/required".to_owned())));
}

#[test]
fn what_has_two_readings_is_refused_where_it_would_be_checked_and_only_there() {
    let twice = r#"{"total": 1, "total": 2}"#;
    for (content_type, raw, why) in [
        (JSON, twice, "name_twice"),
        (JSON, "{", "not_json"),
        (JSON, r#"{"total": 1e400}"#, "number_rounded"),
        (JSON, r#"{"\u0000": 1}"#, "name_hidden"),
        (FORM, "total=1&total=2", "form_unclear"),
    ] {
        let told = (Rejection::Malformed, Some((String::new(), why.to_owned())));
        assert_eq!(refused("checked", content_type, raw), told, "{raw}");
        assert_eq!(clean("lenient", content_type, raw).body(), raw);
    }
    for content_type in ["text/plain", "multipart/form-data; boundary=a", ""] {
        assert_eq!(refused("checked", content_type, r#"{"total": 1}"#).0, Rejection::ContentType, "{content_type}");
        clean("lenient", content_type, r#"{"total": 1}"#);
    }
    assert_eq!(
        clean("checked", "application/vnd.shop+json; charset=utf-8", r#"{"total": 1}"#).body(),
        r#"{"total": 1}"#
    );
}

#[test]
fn a_version_is_accepted_until_its_day() {
    assert_eq!(refused("versions", JSON, r#"{"v": "1"}"#).0, Rejection::ContractSunset);
    assert_eq!(refused("versions", JSON, r#"{"v": "4"}"#).0, Rejection::ContractUnknown);
    assert_eq!(refused("versions", JSON, r#"{"v": "3"}"#).0, Rejection::ContractBroken);
    let ends = Timestamp::from_rfc3339("2026-01-01T00:00:00Z");
    assert_eq!(clean("versions", JSON, r#"{"v": "2"}"#).sunset(), ends);
    assert_eq!(clean("versions", JSON, r#"{"v": "3", "a": 1}"#).sunset(), None);
}

/// A stricter schema after a reload must not refuse the retry of an event that was accepted.
#[test]
fn a_known_event_meets_no_schema() {
    struct Knows;
    impl Memory for Knows {
        fn look(&self, _: &RepeatKeys) -> Option<Known> {
            Some(Known { changed: None, success: None })
        }
        fn take(&self, _: gate::Bucket<'_>) -> Result<(), Rejection> {
            Ok(())
        }
        fn take_stranger(&self, _: &str, _: std::net::IpAddr) -> Result<(), Rejection> {
            Ok(())
        }
    }
    let (judged, _) = judged("checked", &Knows, JSON, "{}");
    assert!(matches!(judged, Ok(Judged::Known(_))), "{judged:?}");
}
