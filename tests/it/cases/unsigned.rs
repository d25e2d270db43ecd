//! Cases of routes whose sender signs nothing, and of what the vendor says when it is asked.

use super::now;
use hookwarden::{
    policy::{Case, Overrides, Policy, Source, Stages, TextFile, cases, compile},
    rehearsal::{Ending, Suite, Touched},
    verify::Catalogue,
};

const POLICY: &str = "\
routes:
  mollie:
    at: { path: /hooks/mollie }
    sender:
      provider: mollie-classic
      accept: unsigned
      addresses: [192.0.2.0/24, file:/etc/list.txt]
      confirm: { key: api, members: { /status: [paid, failed] } }
    repeats: { protection: impossible }
  orders:
    at: { path: /hooks/orders }
    sender: { provider: salesforce-outbound, accept: unsigned, addresses: [192.0.2.0/24] }
    repeats: { protection: impossible }
  github: { at: { path: /hooks/github }, sender: { provider: github, keys: github }, repeats: { remember: 72h } }
keys:
  api: [{ id: live, from: env:A }]
  github: [{ id: org, from: env:B }]
destinations: { wordpress: { url: 'http://w/' } }
";

fn policy() -> Policy {
    let compiled = compile(&Source::one("gate.yaml", POLICY), &Catalogue::embedded(), &Overrides::default(), now());
    compiled.unwrap_or_else(|report| panic!("{report}")).policy
}

fn read(text: &str) -> Result<Vec<Case>, String> {
    let file = TextFile { name: "gate.test.yaml".to_owned(), text: text.to_owned() };
    cases(&[file], &policy(), Stages::default()).map_err(|report| report.to_string())
}

fn play(text: &str) -> (Vec<(String, Ending)>, Touched) {
    let (policy, cases) = (policy(), read(text).unwrap_or_else(|report| panic!("{report}")));
    let (verdicts, touched) = Suite::new(&policy, &cases, now()).play();
    (verdicts.into_iter().map(|verdict| (verdict.case.name.clone(), verdict.ending)).collect(), touched)
}

#[test]
fn the_vendor_says_what_the_case_says() {
    let text = r#"
cases:
  - { name: nothing said, send: { route: mollie }, expect: { decision: accepted, status: 200 } }
  - { name: known, send: { route: mollie, id: tr_1 }, confirm: { body: { id: tr_1, status: paid } }, expect: { decision: accepted } }
  - { name: known by a text, send: { route: mollie, id: tr_1 }, confirm: { body: '{"id":"tr_1","status":"failed"}' }, expect: { decision: accepted } }
  - { name: unknown, send: { route: mollie }, confirm: { status: 404 }, expect: { decision: refused, code: unconfirmed, status: 401 } }
  - { name: another, send: { route: mollie, id: tr_1 }, confirm: { body: { id: tr_2, status: paid } }, expect: { decision: refused, code: unconfirmed } }
  - { name: open, send: { route: mollie, id: tr_1 }, confirm: { body: { id: tr_1, status: open } }, expect: { decision: refused, code: state_refused, status: 422 } }
  - { name: down, send: { route: mollie }, confirm: { status: 503 }, expect: { decision: failed, code: unconfirmable, status: 503 } }
  - { name: silent, send: { route: mollie }, confirm: {}, expect: { decision: failed, code: unconfirmable } }
  - { name: from elsewhere, send: { route: mollie, from: 203.0.113.9 }, expect: { decision: accepted } }
  - { name: of a form, send: { route: mollie, form: { id: tr_9, testByMollie: "1" } }, expect: { decision: accepted } }
  - { name: no id, send: { route: mollie, form: { id: ord_1 } }, expect: { decision: refused, code: reference_refused } }
  - { name: in JSON, send: { route: mollie, json: { id: tr_1 } }, expect: { decision: refused, code: reference_refused } }
  - { name: raw, request: { target: /hooks/mollie, form: { id: tr_1 } }, confirm: { status: 410 }, expect: { decision: refused, code: unconfirmed } }
  - { name: a message, send: { route: orders, text: <a/>, headers: ["Content-Type: text/xml"] }, expect: { decision: accepted, status: 200 } }
  - { name: of nobody, send: { route: orders, from: 203.0.113.9, text: <a/> }, expect: { decision: refused, code: address_not_listed } }
"#;
    let (endings, touched) = play(text);
    for (name, ending) in endings {
        assert_eq!(ending, Ending::Passed, "{name}");
    }
    assert_eq!(touched.keys, ["github/org"], "a key of the vendor's API verifies nothing");
    assert!(touched.checks.is_empty(), "a forged one is nothing here: {touched:?}");
}

#[test]
fn what_no_case_of_theirs_tries_is_told() {
    let text = "cases:\n  - { name: a, send: { route: mollie }, expect: { decision: accepted } }\n  - { name: b, send: { route: \
                orders }, expect: { decision: accepted } }\n";
    let (_, touched) = play(text);
    let missing = vec!["one that the vendor does not know", "one in another state"];
    assert_eq!(touched.checks, [("mollie".to_owned(), missing), ("orders".to_owned(), vec!["one from elsewhere"])]);
}

#[test]
fn what_says_nothing_of_such_a_route_is_refused() {
    let text = "\
cases:
  - { name: a, send: { route: github, json: {} }, confirm: { status: 404 }, expect: { decision: accepted } }
  - { name: b, send: { route: mollie, key: live, age: 5m, ahead: 1s, claims: { a: b } }, expect: { decision: accepted } }
  - { name: c, send: { route: mollie }, confirm: { status: 42 }, expect: { decision: accepted } }
  - { name: d, send: { route: orders }, confirm: {}, expect: { decision: accepted } }
";
    let told = read(text).unwrap_err();
    for message in [
        "2:51: route `github` asks no vendor; leave this out",
        "no key of this route is called `live`; there are none here",
        "this route's sender signs nothing, so that nothing has an age; leave it out",
        "this route's sender shows no token; leave it out",
        "needs 100 at least",
        "route `orders` asks no vendor; leave this out",
    ] {
        assert!(told.contains(message), "{message}\n{told}");
    }
    assert_eq!(told.matches("so that nothing has an age").count(), 2, "{told}");
}
