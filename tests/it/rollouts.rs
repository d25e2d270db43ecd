//! Routes that are tried before they enforce: what is found out, what goes on all the same, and what does not.

use hookwarden::{
    clock::Timestamp,
    policy::{Compiled, Overrides, Policy, Source, Stages, TextFile, cases, compile},
    rehearsal::{Ending, Played, Rehearsal, Suite},
    request::{Head, Target},
    secret::Secret,
    verdict::Check,
    verify::{Catalogue, Key, Keys, Unsigned},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::collections::BTreeMap;

const POLICY: &str = "
routes:
  relayed: { at: { path: /relayed }, sender: { provider: standard-webhooks, keys: shop }, admit: { body: 1KiB }, deliver: { via: relay } }
  ajax: { at: { ajax: paid }, sender: { provider: standard-webhooks, keys: shop }, deliver: { via: relay } }
  enforced: { at: { wc-api: paid }, sender: { provider: standard-webhooks, keys: shop }, deliver: { via: relay } }
  queued:
    at: { path: /queued }
    sender: { provider: standard-webhooks, keys: shop }
    limits: { per_address: 1/h, per_sender: 1/h }
    contract: { schema: schemas/order.json }
    redact: [{ header: X-Secret, as: drop }]
  cleaned:
    at: { path: /cleaned }
    sender: { provider: standard-webhooks, keys: shop }
    contract: { schema: schemas/order.json }
    redact: [{ at: /email, as: mask }]
keys: { shop: [{ id: live, from: env:SHOP }] }
destinations: { wordpress: { url: 'http://127.0.0.1/' } }
rollout:
  relayed: { observe: all, until: 2026-12-31 }
  ajax: { observe: all, until: 2026-12-31 }
  queued: { observe: [schema, limits], until: 2026-12-31 }
  cleaned: { observe: [schema], until: 2026-12-31 }
";

const ORDER: &str =
    r#"{ "$id": "https://shop.example/order", "properties": { "total": { "type": "integer" }, "email": {} } }"#;
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn now() -> Timestamp {
    Timestamp::from_rfc3339("2026-11-25T00:00:00Z").unwrap()
}

fn compiled(text: &str, schema: &str) -> Compiled {
    let mut source = Source::one("gate.yaml", text);
    source.schemas = vec![TextFile { name: "schemas/order.json".into(), text: schema.into() }];
    let compiled = compile(&source, &Catalogue::embedded(), &Overrides::default(), now());
    compiled.unwrap_or_else(|report| panic!("{report}"))
}

fn policy() -> Policy {
    compiled(POLICY, ORDER).policy
}

fn keys() -> Keys {
    let scheme = Catalogue::embedded().find("standard-webhooks").unwrap().scheme.clone();
    let key = Key { id: "live".into(), secret: scheme.key(SECRET).unwrap(), retire: None };
    let named = BTreeMap::from([("shop/standard-webhooks".to_owned(), vec![key])]);
    Keys::new(Secret::new("the gate's own").unwrap(), named)
}

/// A request as its sender signs it, so long ago.
fn signed(target: &str, id: &str, body: &str, age_s: i64) -> Head {
    let scheme = Catalogue::embedded().find("standard-webhooks").unwrap().scheme.clone();
    let at = Timestamp::from_unix_s(now().unix_s() - age_s);
    let (method, content_type) = (&Method::POST, "application/json");
    let unsigned = Unsigned { method, url: target, content_type, body: body.as_bytes(), id, at };
    let signed = scheme.sign(&scheme.signing_key(SECRET).unwrap(), &unsigned);
    let mut head = unsigned_head(target);
    let parsed = |(name, value): (String, String)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    head.headers
        .extend(signed.fields.into_iter().map(parsed).map(|(name, value): (_, HeaderValue)| (Some(name), value)));
    head
}

fn unsigned_head(target: &str) -> Head {
    let headers = [("content-type", "application/json"), ("x-secret", "s3cret")];
    Head {
        method: Method::POST,
        target: Target::parse(target).unwrap(),
        host: "shop.example".into(),
        headers: headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).into_iter().collect(),
        client: [127, 0, 0, 1].into(),
    }
}

/// In one word, the code, and what was found by checks that are tried.
fn told(played: &Played) -> (&'static str, &'static str, Vec<(Check, &'static str)>) {
    let found = played.notes.observed.iter().map(|observation| (observation.check, observation.found.code()));
    (played.decision.name(), played.outcome.code(), found.collect())
}

#[test]
fn what_a_tried_schema_or_limit_would_refuse_is_accepted_and_told() {
    let (policy, keys) = (policy(), keys());
    let gate = Rehearsal::new(&policy, &keys);
    let play = |id: &str, body: &'static str| gate.play(signed("/queued", id, body, 0), body.into(), now());
    let (limits, schema) = (Check::Limits, Check::Schema);

    let first = play("1", r#"{"total": 1}"#);
    assert_eq!(told(&first), ("accepted", "accepted", vec![(limits, "ok"), (schema, "ok")]));
    assert_eq!(first.notes.contract.as_deref(), Some("https://shop.example/order"));

    let broken = play("2", r#"{"total": "1"}"#);
    let (by_address, by_sender) = ((limits, "address_limited"), (limits, "sender_limited"));
    assert_eq!(told(&broken), ("accepted", "accepted", vec![by_address, by_sender, (schema, "contract_broken")]));
    assert_eq!(broken.notes.contract, None, "it is of no version");
    let found = format!("{:?}", broken.notes.observed);
    assert!(found.contains("/total") && found.contains("/properties/total/type"), "{found}");
    assert!(!format!("{:?}", broken.event).contains("s3cret"), "scrubs are no checks");

    let twice = play("3", r#"{"total": 1, "total": 2}"#);
    assert_eq!(told(&twice).2, [by_address, by_sender, (schema, "malformed")], "the contract would have it read");

    let again = play("1", r#"{"total": 1}"#);
    assert_eq!(told(&again), ("repeat", "repeat", vec![by_address]), "a repeat meets neither");
    let forged = gate.play(unsigned_head("/queued"), "{}".into(), now());
    assert_eq!(told(&forged), ("refused", "signature_missing", vec![by_address]), "the rest enforces");
}

#[test]
fn what_cannot_be_cleaned_goes_nowhere_though_its_schema_is_tried() {
    let (policy, keys) = (policy(), keys());
    let gate = Rehearsal::new(&policy, &keys);
    let play = |id: &str, body: &'static str| gate.play(signed("/cleaned", id, body, 0), body.into(), now());
    let masked = play("1", r#"{"total": "1", "email": "a@b"}"#);
    assert_eq!(told(&masked), ("accepted", "accepted", vec![(Check::Schema, "contract_broken")]));
    assert!(!format!("{:?}", masked.event).contains("a@b"));
    assert_eq!(told(&play("2", r#"{"email": "a@b", "email": 1}"#)), ("refused", "malformed", vec![]));
}

#[test]
fn a_route_that_is_observed_whole_refuses_nothing_and_says_what_it_would() {
    let (policy, keys) = (policy(), keys());
    let gate = Rehearsal::new(&policy, &keys);
    let play = |head: Head, body: &'static str| {
        let played = gate.play(head, body.into(), now());
        assert_eq!(played.relayed.as_deref(), Some(body.as_bytes()), "it goes on as it came");
        let (decision, outcome, found) = told(&played);
        assert_eq!((decision, outcome, found.len()), ("observed", "observed", 1));
        found[0]
    };
    let long = " ".repeat(1025).leak();
    assert_eq!(play(signed("/relayed", "1", "{}", 0), "{}"), (Check::All, "ok"));
    assert_eq!(play(signed("/relayed", "1", "{}", 0), "{}"), (Check::Repeats, "repeat"));
    assert_eq!(play(signed("/relayed", "2", "{}", 0), "{ }"), (Check::Verify, "signature_mismatch"));
    assert_eq!(play(signed("/relayed", "3", "{}", 301), "{}"), (Check::Verify, "stale"));
    assert_eq!(play(unsigned_head("/relayed"), "{}"), (Check::Verify, "signature_missing"));
    assert_eq!(
        play(Head { method: Method::PUT, ..unsigned_head("/relayed") }, "{}"),
        (Check::Admit, "method_not_allowed")
    );
    assert_eq!(play(signed("/relayed", "4", long, 0), long), (Check::All, "unjudged"));
    assert_eq!(play(form("/wp-admin/admin-ajax.php"), "action=paid"), (Check::Guard, "guarded_in_form"));
}

fn form(target: &str) -> Head {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
    Head { headers, ..unsigned_head(target) }
}

/// What is observed must be no way round what enforces.
#[test]
fn a_route_that_is_observed_is_no_way_to_one_that_enforces() {
    let (policy, keys) = (policy(), keys());
    let gate = Rehearsal::new(&policy, &keys);
    for target in ["/relayed", "/wp-admin/admin-ajax.php?action=paid", "/wp-admin/admin-ajax.php", "/"] {
        let played = gate.play(form(target), "action=paid&wc-api=paid".into(), now());
        assert_eq!(told(&played), ("refused", "guarded_in_form", vec![]), "{target}");
        assert_eq!(played.relayed, None);
    }
    let played = gate.play(form("/?wc-api=paid"), "action=paid".into(), now());
    assert_eq!(told(&played).0, "refused", "and what enforces, enforces");
}

#[test]
fn counts_are_about_the_same_terms_or_begin_anew() {
    let terms = |text: &str, schema: &str| {
        let policy = compiled(text, schema).policy;
        let route = policy.routes.iter().find(|route| &*route.name == "queued").unwrap();
        route.observe.unwrap()
    };
    let first = terms(POLICY, ORDER);
    assert_eq!(first, terms(&format!("{POLICY}edge: {{ drain: 5s }}\n"), ORDER), "what is not its own");
    assert_ne!(first, terms(&POLICY.replace("per_sender: 1/h", "per_sender: 2/h"), ORDER));
    assert_ne!(first, terms(&POLICY.replace("limits], until: 2026-12-31", "limits], until: 2026-12-30"), ORDER));
    assert_ne!(first, terms(POLICY, &ORDER.replace("integer", "number")), "though it calls itself the same");
}

#[test]
fn tests_of_a_policy_see_what_is_observed() {
    let policy = policy();
    let text = "
cases:
  - { name: good, send: { route: relayed, json: {} }, expect: { decision: observed, code: ok } }
  - { name: unsigned, request: { target: /relayed, json: {} }, expect: { decision: observed, code: signature_missing, relayed: {} } }
  - { name: broken, send: { route: queued, json: { total: a } }, expect: { decision: accepted, code: accepted } }
";
    let file = TextFile { name: "gate.test.yaml".to_owned(), text: text.to_owned() };
    let cases = cases(&[file], &policy, Stages::default()).unwrap_or_else(|report| panic!("{report}"));
    for verdict in Suite::new(&policy, &cases, now()).play().0 {
        assert_eq!(verdict.ending, Ending::Passed, "{}", verdict.case.name);
    }
}
