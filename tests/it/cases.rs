//! What a team writes about its policy, and what it is told.

mod messages;
mod unsigned;

use hookwarden::{
    clock::Timestamp,
    policy::{Case, Overrides, Policy, Source, Stages, TextFile, cases, compile},
    rehearsal::{Ending, Suite, Touched},
    verify::Catalogue,
};

const POLICY: &str = "\
public_url: https://shop.example
routes:
  stripe: { at: { path: /hooks/stripe }, sender: { provider: stripe, keys: stripe }, limits: { per_address: 2/h } }
  github: { at: { path: /hooks/github }, sender: { provider: github, keys: github }, repeats: { remember: 72h } }
  plugin: { at: { wc-api: wc_stripe }, sender: { provider: stripe, keys: stripe }, deliver: { via: relay } }
  pusher: { at: { path: /hooks/pusher }, sender: { provider: pusher, keys: pusher, config: { key: ours } } }
keys:
  stripe: [{ id: new, from: env:A }, { id: old, from: env:B, retire: 2026-12-01 }]
  github: [{ id: org, from: env:C }]
  pusher: [{ id: app, from: env:D }]
destinations: { wordpress: { url: 'http://w/' } }
";

fn now() -> Timestamp {
    Timestamp::from_rfc3339("2026-11-24T00:00:00Z").unwrap()
}

fn policy() -> Policy {
    let compiled = compile(&Source::one("gate.yaml", POLICY), &Catalogue::embedded(), &Overrides::default(), now());
    compiled.unwrap_or_else(|report| panic!("{report}")).policy
}

fn read(text: &str) -> Result<Vec<Case>, String> {
    let file = TextFile { name: "gate.test.yaml".to_owned(), text: text.to_owned() };
    cases(&[file], &policy(), Stages { known: &["prod".to_owned()], this: None }).map_err(|report| report.to_string())
}

/// How each of these cases ends, and what they do not touch.
fn play(text: &str) -> (Vec<Ending>, Touched) {
    let (policy, cases) = (policy(), read(text).unwrap_or_else(|report| panic!("{report}")));
    let (verdicts, touched) = Suite::new(&policy, &cases, now()).play();
    (verdicts.into_iter().map(|verdict| verdict.ending).collect(), touched)
}

/// What stands at each of these places in what leaves, in the words of a failing case.
#[test]
fn what_must_be_absent_is_looked_for_in_every_body_or_the_case_fails() {
    let failing = |route: &str, decision: &str, body: &str, absent: &str| -> Vec<String> {
        let text = format!(
            "cases:\n  - name: a\n    send: {{ route: {route}, {body} }}\n    \
             expect: {{ decision: {decision}, absent: {absent} }}\n"
        );
        match play(&text).0.remove(0) {
            Ending::Passed => Vec::new(),
            Ending::Failed(differences) => {
                differences.into_iter().map(|difference| format!("{} {}", difference.what, difference.found)).collect()
            }
            Ending::Unplayable(why) => vec![why],
        }
    };
    let form = "form: { email: a@b, 'customer[name]': Ada }";
    let absent = "[/data/email, '/data/customer[name]', /data/customer/name, /data/phone, /email, /hwredacted]";
    let email = r#"event/data/email "a@b""#;
    let named = [r#"event/data/customer[name] "Ada""#, r#"event/data/customer/name "Ada""#];
    assert_eq!(failing("stripe", "accepted", form, absent), [email, named[0], named[1], email]);
    assert_eq!(failing("stripe", "accepted", form, "[/data/phone, /data/customer/mail, /phone]"), [""; 0]);
    assert_eq!(failing("plugin", "relayed", form, "[/email, /phone]"), [r#"relayed/email "a@b""#]);
    let json = "json: { id: evt_1, email: a@b }";
    assert_eq!(failing("stripe", "accepted", json, "[/data/email]"), [email]);
    assert_eq!(failing("stripe", "accepted", json, "[/email, /phone]"), [email], "written as for a relay");
    let opaque = "text: email=a@b, headers: ['Content-Type: text/plain']";
    let unseen = "a body of `text/plain` that cannot be looked into; `absent` is for JSON and forms, so expect the whole \
                  body instead";
    assert_eq!(failing("stripe", "accepted", opaque, "[/data/email]"), [format!("event/data/email {unseen}")]);
    assert_eq!(failing("plugin", "relayed", opaque, "[/email]"), [format!("relayed/email {unseen}")]);
    assert_eq!(failing("stripe", "accepted", "text: ''", "[/data/email]"), [""; 0], "nothing is in nothing");
}

#[test]
fn a_refusal_that_was_not_expected_says_its_code() {
    let text =
        "cases:\n  - { name: a, request: { target: /hooks/stripe, json: {} }, expect: { decision: accepted } }\n";
    let Ending::Failed(differences) = play(text).0.remove(0) else { panic!("it must fail") };
    assert_eq!(differences[0].found, "refused (signature_missing)");
}

/// Each line is a case that says something true.
#[test]
fn what_is_true_of_a_policy_passes() {
    let text = r#"
cases:
  - { name: queued, send: { route: stripe, json: { id: evt_1, type: a.b } }, expect: { decision: accepted, status: 202, answer: { status: accepted }, event: { type: a.b, data: { id: evt_1 } } } }
  - { name: a retry, after: queued, send: { route: stripe, age: 1m, json: { id: evt_1, type: a.b } }, expect: { decision: repeat, code: repeat, status: 202 } }
  - { name: a changed retry, after: queued, send: { route: stripe, json: { id: evt_1 } }, expect: { decision: repeat, code: repeat_changed } }
  - { name: another event, after: a retry, send: { route: stripe, json: { id: evt_2 }, from: 192.0.2.2 }, expect: { decision: accepted } }
  - { name: too many, after: a retry, send: { route: stripe, json: { id: evt_3 } }, expect: { decision: refused, code: address_limited, status: 429 } }
  - { name: old, send: { route: stripe, age: 301s, json: {} }, expect: { decision: refused, code: stale, status: 401 } }
  - { name: just not old, send: { route: stripe, age: 300s, json: {} }, expect: { decision: accepted } }
  - { name: ahead, send: { route: stripe, ahead: 61s, json: {} }, expect: { decision: refused, code: from_the_future } }
  - { name: by the old key, send: { route: stripe, key: old, json: {} }, expect: { decision: accepted, event: { hwkey: old } } }
  - { name: unsigned, request: { target: /hooks/stripe, json: {} }, expect: { decision: refused, code: signature_missing } }
  - { name: forged, send: { route: github, text: "{}", headers: ["X-Hub-Signature-256: sha256=00"] }, expect: { decision: refused, code: signature_mismatch } }
  - { name: of our account, send: { route: pusher, json: { events: [] } }, expect: { decision: accepted } }
  - { name: of another account, send: { route: pusher, json: { events: [] }, headers: ["X-Pusher-Key: theirs"] }, expect: { decision: refused, code: signature_mismatch } }
  - { name: old inside, send: { route: pusher, age: 301s, json: { events: [] } }, expect: { decision: refused, code: stale } }
  - { name: relayed, send: { route: plugin, text: '{"id": "evt_1",  "a": [1]}' }, expect: { decision: relayed, code: relayed, relayed: { id: evt_1, a: [1] } } }
  - { name: in another spelling, request: { method: GET, target: "//?wc-api=WC_Stripe" }, expect: { decision: refused, code: method_not_allowed, status: 405 } }
  - { name: a page, request: { method: GET, target: /shop }, expect: { decision: passed, code: passed } }
  - { name: a form, request: { target: /, form: { wc-api: wc_stripe } }, expect: { decision: refused, code: guarded_in_form, status: 403 } }
  - { name: published, secrets: { github: "It's a Secret to Everybody" }, request: { target: /hooks/github, text: "Hello, World!", headers: ["X-Hub-Signature-256: sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"] }, expect: { decision: accepted, absent: [/data] } }
  - { name: forgotten after five days, after: published, clock: 2026-11-28T00:00:00Z, secrets: { github: "It's a Secret to Everybody" }, request: { target: /hooks/github, text: "Hello, World!", headers: ["X-Hub-Signature-256: sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"] }, expect: { decision: accepted } }
"#;
    let (endings, touched) = play(text);
    for (ending, case) in endings.iter().zip(read(text).unwrap()) {
        assert_eq!(*ending, Ending::Passed, "{}", case.name);
    }
    let untouched = Touched {
        routes: Vec::new(),
        checks: vec![
            ("github".to_owned(), vec!["a repeat"]),
            ("plugin".to_owned(), vec!["a forged one", "an old one", "a repeat"]),
            ("pusher".to_owned(), vec!["a repeat"]),
        ],
        keys: vec!["github/org".to_owned()],
    };
    assert_eq!(touched, untouched);
}

#[test]
fn what_is_not_true_is_told_member_by_member() {
    let text = "
cases:
  - name: all wrong
    send: { route: stripe, json: { id: evt_1, items: [1, 2] } }
    expect: { decision: relayed, code: relayed, status: 200, answer: { status: taken }, event: { data: { id: evt_2, items: [1], no: 1 } }, relayed: {}, absent: [/data/items/1] }
";
    let (endings, _) = play(text);
    let [Ending::Failed(differences)] = endings.as_slice() else { panic!("{endings:?}") };
    let told: Vec<_> =
        differences.iter().map(|other| format!("{}: {} != {}", other.what, other.expected, other.found)).collect();
    let expected = [
        "decision: relayed != accepted",
        "code: relayed != accepted",
        "status: 200 != 202",
        "answer/status: \"taken\" != \"accepted\"",
        "event/data/id: \"evt_2\" != \"evt_1\"",
        "event/data/items: [1] != [1,2]",
        "event/data/no: 1 != null",
        "relayed: {} != none",
        "event/data/items/1: nothing != 2",
    ];
    assert_eq!(told, expected);
}

/// In front of a real WordPress a repeat hears what that said to the first one; here nobody said anything.
#[test]
fn what_wordpress_answers_is_not_known_here_also_to_a_repeat() {
    let text = "
cases:
  - { name: first, send: { route: plugin, json: { id: evt_1 } }, expect: { decision: relayed } }
  - { name: again, after: first, send: { route: plugin, json: { id: evt_1 } }, expect: { decision: repeat, status: 202 } }
";
    let (endings, _) = play(text);
    let [Ending::Passed, Ending::Failed(differences)] = endings.as_slice() else { panic!("{endings:?}") };
    assert_eq!((&*differences[0].what, &*differences[0].found), ("status", "WordPress's own"));
}

#[test]
fn a_case_that_cannot_be_played_says_why() {
    let text = "
cases:
  - { name: a, after: b, request: { target: / }, expect: { decision: passed } }
  - { name: b, after: a, request: { target: / }, expect: { decision: passed } }
  - { name: c, clock: 2026-12-02T00:00:00Z, send: { route: stripe, key: old, json: {} }, expect: { decision: accepted } }
  - { name: d, request: { target: '/%zz' }, expect: { decision: refused } }
";
    let (endings, touched) = play(text);
    let why = |ending: &Ending| if let Ending::Unplayable(why) = ending { why.clone() } else { format!("{ending:?}") };
    let told: Vec<_> = endings.iter().map(why).collect();
    let expected = [
        "cases follow each other in a circle",
        "cases follow each other in a circle",
        "no key of this route is in force at that time",
        "`/%zz` is refused before any route is looked for",
    ];
    assert_eq!(told, expected);
    assert_eq!(touched.routes, ["stripe", "github", "plugin", "pusher"]);
}

#[test]
fn everything_that_is_wrong_with_cases_is_told_at_once() {
    let text = "\
case: []
cases:
  - { name: a, send: { route: strip, json: {} }, expect: { decision: accepted } }
  - { name: a, send: { route: stripe, key: older, json: {}, text: x, headers: [Accept] }, expect: { decision: accepted, code: acepted } }
  - { name: b, after: c, clock: yesterday, request: { target: /, from: here, base64: '*' }, expect: { decision: passed, absent: [data] } }
  - { name: d, send: { route: stripe }, request: { target: / }, secrets: { strip: x }, expect: { decision: passed } }
  - { name: e, expect: { decision: passed } }
  - { name: g, request: { target: / }, expect: { decision: taken } }
  - { name: f, request: { target: / } }
  - { name: h, env: prd, send: { route: stripe }, expect: { decision: accepted } }
  - { name: of another stage, env: prod, send: { route: stripe, key: of-prod }, expect: { decision: accepted } }
";
    let told = read(text).unwrap_err();
    let messages: Vec<_> = told.lines().filter(|line| line.starts_with("gate.test.yaml:")).collect();
    let messages: Vec<_> = messages.iter().map(|line| line.splitn(4, ':').nth(3).unwrap().trim()).collect();
    let expected = [
        "unknown key `case`; did you mean `cases`?",
        "another case of this file has this name; nobody could tell which one failed",
        "no route is called `strip`; did you mean `stripe`?",
        "another case of this file has this name; nobody could tell which one failed",
        "one request has one body; write one of `json`, `text`, `form`, `base64`",
        "no key of this route is called `older`; did you mean `old`?",
        "cannot read `Accept`; write something such as `\"X-Event: push\"`",
        "unknown code `acepted`; did you mean `accepted`?",
        "no other case here is called `c`; known here: `a`, `a`, `d`, `e`, `g`, `f`, `h`, `of another stage`",
        "cannot read `yesterday`; write something such as `2026-11-24T09:30:00Z`",
        "this is no address; write something such as `192.0.2.1`",
        "this is not base64",
        "`data` is no JSON Pointer; write something such as `/data/email`",
        "a case sends one request; write `send` or `request`",
        "no keys are called `strip`; did you mean `stripe`?",
        "what is sent? write `send: { route: ... }`, signed by the tool, or `request: ...`",
        "unknown word `taken`; known here: `accepted`, `repeat`, `relayed`, `handshake`, `passed`, `observed`, `refused`, `failed`",
        "`expect` is missing",
        "no stage is called `prd`; did you mean `prod`?",
    ];
    assert_eq!(messages, expected, "{told}");
}

/// Nobody arms anything in a test, but a case may say that an operator has.
#[test]
fn a_case_can_say_that_its_route_is_armed() {
    const ARMED: &str = "\
routes: { tasks: { at: { path: /tasks }, sender: { provider: asana, keys: asana }, repeats: { remember: 72h } } }
keys: { asana: [{ id: projects, from: 'handed:/var/lib/keys/asana' }] }
destinations: { wordpress: { url: 'http://w/' } }
";
    const CASES: &str = "\
cases:
  - name: a key is taken while the route is armed
    armed: true
    request: { target: /tasks, headers: ['X-Hook-Secret: b537207f20cbfa02357cf448134da559'], json: {} }
    expect: { decision: handshake, code: handshake, status: 200 }
  - name: and once
    after: a key is taken while the route is armed
    request: { target: /tasks, headers: ['X-Hook-Secret: b537207f20cbfa02357cf448134da559'], json: {} }
    expect: { decision: refused, code: signature_missing }
  - name: what is no key is none
    armed: true
    request: { target: /tasks, headers: ['X-Hook-Secret: short'], json: {} }
    expect: { decision: refused, code: signature_missing }
  - name: not before
    request: { target: /tasks, headers: ['X-Hook-Secret: b537207f20cbfa02357cf448134da559'], json: {} }
    expect: { decision: refused, code: signature_missing }
";
    let source = Source::one("gate.yaml", ARMED);
    let policy = compile(&source, &Catalogue::embedded(), &Overrides::default(), now()).unwrap().policy;
    let file = TextFile { name: "gate.test.yaml".to_owned(), text: CASES.to_owned() };
    let read = cases(&[file], &policy, Stages { known: &[], this: None }).unwrap_or_else(|report| panic!("{report}"));
    for verdict in Suite::new(&policy, &read, now()).play().0 {
        assert_eq!(verdict.ending, Ending::Passed, "{}", verdict.case.name);
    }
    let told = self::read(
        "cases: [{ name: a, armed: true, send: { route: stripe, json: {} }, expect: { decision: accepted } }]\n",
    );
    assert!(told.unwrap_err().contains("no sender of this policy hands its key over; leave it out"));
}
