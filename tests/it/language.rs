//! The policy language as people meet it: in editors, in `policies/README.md`, and in what each key does.

use crate::policy::{compiled, folder};
use hookwarden::{
    guard::Guards,
    policy::{Absent, Key, LanguageOf, Policy, Report, Source, Stages, Table, TextFile, cases, keys, language},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs};

/// Holds a file against what it should say; with `BLESS=1` it is written anew.
fn hold(path: &str, expected: &str) {
    let path = folder(path);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{} is behind the language; run `BLESS=1 cargo test --no-default-features --test it language` to write it anew",
        path.display()
    );
}

#[test]
fn the_schemas_that_editors_read_are_those_of_this_language() {
    for (name, of) in [
        ("gate", LanguageOf::Gate),
        ("routes", LanguageOf::Routes),
        ("env", LanguageOf::Env),
        ("tests", LanguageOf::Tests),
        ("providers", LanguageOf::Providers),
    ] {
        hold(&format!("policies/language/{name}.schema.json"), &format!("{:#}\n", language(of)));
    }
}

/// Between these lines of the README stands a table; around them, what people write.
const BEGINS: &str = "<!-- keys of: ";
const ENDS: &str = "<!-- end of keys -->";

#[test]
fn the_readme_explains_every_key_in_the_words_of_the_language() {
    let readme = fs::read_to_string(folder("policies/README.md")).unwrap();
    let mut parts = readme.split(BEGINS);
    let mut expected = parts.next().unwrap().to_owned();
    let mut seen = Vec::new();
    for part in parts {
        let (title, rest) = part.split_once(" -->\n").expect("a marker ends in its line");
        let (_, after) = rest.split_once(ENDS).unwrap_or_else(|| panic!("no `{ENDS}` after `{title}`"));
        let table = Table::ALL.into_iter().find(|table| table.title() == title);
        let table = table.unwrap_or_else(|| panic!("no table is called `{title}`"));
        seen.push(title);
        expected += &format!("{BEGINS}{title} -->\n{}{ENDS}{after}", table.markdown());
    }
    assert_eq!(seen.len(), Table::ALL.len(), "tables of the README: {seen:?}");
    hold("policies/README.md", &expected);
}

#[test]
fn every_key_says_what_it_means_and_what_holds_without_it() {
    let keys = keys();
    assert!(keys.len() > 70, "{keys:#?}");
    for key in &keys {
        assert!(
            key.absent.is_some(),
            "`{}` says nothing of its default: `extend(\"default\" = ...)` or `extend(\"x-absent\" = \"...\")`",
            key.name
        );
        assert!(key.meaning.len() > 8, "`{}` has no doc comment", key.name);
        assert!(key.meaning.ends_with('.'), "`{}` does not end its sentence: {}", key.name, key.meaning);
    }
    let names: BTreeSet<_> = keys.iter().map(|key| (family(key.table), &key.name)).collect();
    assert_eq!(names.len(), keys.len(), "no name stands for two keys");
}

/// A policy, its tests and a sender's file each have names of their own.
fn family(table: Table) -> &'static str {
    match table {
        Table::Tests | Table::Providers => table.title(),
        _ => "policy",
    }
}

/// A policy in which each key has a place to stand.
fn base() -> Value {
    let keys = || json!([{ "id": "live", "from": "env:A" }, { "id": "old", "from": "env:B" }]);
    json!({
        "listeners": [{ "on": "127.0.0.1:8001", "tls": { "certificate": "/a.pem" } }],
        "classes": { "slow": { "limits": { "per_sender": "5/m" } } },
        "floor": { "verify": { "max_age": "10m" }, "exceptions": { "need": ["ticket", "approved_by", "reason"] } },
        "routes": {
            "queued": {
                "owner": { "team": "shop" },
                "at": { "path": "/queued" },
                "sender": { "provider": "standard-webhooks", "keys": "some" },
            },
            "excepted": {
                "at": { "path": "/excepted" },
                "sender": { "provider": "stripe", "keys": "other", "max_age": "30m" },
                "exception": {
                    "from": "verify.max_age", "until": "2026-12-31",
                    "ticket": "SEC-1", "approved_by": "sec", "reason": "slow",
                },
            },
            "versions": {
                "at": { "path": "/versions" },
                "sender": { "provider": "stripe", "keys": "some" },
                "contract": { "schemas": "schemas/versions", "by": "/v" },
            },
            "redacted": {
                "at": { "path": "/redacted" },
                "sender": { "provider": "stripe", "keys": "some" },
                "redact": [
                    { "at": "/a", "as": "mask" },
                    { "name": "a", "as": "mask" },
                    { "header": "x-a", "as": "mask" },
                    { "query": "a", "as": "mask" },
                    { "at": "$..c", "as": "pseudonym" },
                    { "at": "/t", "as": "truncate", "characters": 2 },
                ],
            },
            "form": {
                "at": { "path": "/form" },
                "sender": { "provider": "slack", "keys": "some" },
                "admit": { "content_types": ["application/x-www-form-urlencoded"] },
                "redact": [{ "field": "a", "as": "mask" }],
            },
            "calls": {
                "at": { "path": "/calls" },
                "sender": { "provider": "meta", "keys": "some" },
                "repeats": { "remember": "168h" },
            },
            "wc-api": { "at": { "wc-api": "wc_a" }, "sender": { "provider": "stripe", "keys": "some" }, "deliver": { "via": "relay" } },
            "rest": { "at": { "rest": "/a/v1" }, "sender": { "provider": "stripe", "keys": "some" }, "deliver": { "via": "relay" } },
            "query": { "class": "slow", "at": { "query": "a=b" }, "sender": { "provider": "stripe", "keys": "some" }, "deliver": { "via": "relay" } },
            "token": { "at": { "path": "/token" }, "sender": { "jwt": "idp" }, "deliver": { "via": "relay" } },
            "account": { "at": { "path": "/account" }, "sender": { "provider": "pusher", "keys": "some", "config": { "key": "a" } } },
            "unsigned": {
                "at": { "path": "/unsigned" },
                "sender": {
                    "provider": "mollie-classic", "accept": "unsigned",
                    "addresses": ["192.0.2.0/24"], "confirm": { "key": "other" },
                },
                "repeats": { "protection": "impossible" },
            },
            "ajax": { "at": { "ajax": "a" }, "sender": { "provider": "stripe", "keys": "some" }, "deliver": { "via": "relay" } },
        },
        "keys": { "some": keys(), "other": keys() },
        "destinations": {
            "wordpress": { "url": "http://w/" },
            "archive": { "url": "http://a/" },
            "nats": { "nats": "tls://n", "stream": "A", "subject": "a", "user": "a", "password": "env:A" },
            "token": { "nats": "tls://n", "stream": "A", "subject": "a", "token": "env:A" },
            "redis": { "redis": "rediss://r", "stream": "a" },
        },
        "issuers": {
            "idp": { "issuer": "https://idp.example", "audience": "shop", "algorithms": ["ES256"], "jwks": "https://idp.example/keys" },
            "pem": { "issuer": "https://idp.example", "audience": "shop", "algorithms": ["ES256"], "pem": "env:A" },
            "shared": { "issuer": "https://idp.example", "audience": "shop", "algorithms": ["HS256"], "from": "env:A" },
        },
    })
}

/// Each key of the language, where it stands in [`base`], and a value other than what the base says or leaves out.
const CASES: &[(&str, &str, &str)] = &[
    ("admin.on", "/admin/on", r#""127.0.0.1:1""#),
    ("admit.body", "/routes/queued/admit/body", r#""2MiB""#),
    ("admit.content_types", "/routes/queued/admit/content_types", r#"["application/json"]"#),
    ("admit.method", "/routes/queued/admit/method", r#""PUT""#),
    ("answer_by", "/routes/queued/answer_by", r#""3s""#),
    ("at.ajax", "/routes/ajax/at/ajax", r#""b""#),
    ("at.path", "/routes/queued/at/path", r#""/elsewhere""#),
    ("at.query", "/routes/query/at/query", r#""a""#),
    ("at.rest", "/routes/rest/at/rest", r#""/b/v1""#),
    ("at.wc-api", "/routes/wc-api/at/wc-api", r#""wc_b""#),
    ("capture.body", "/routes/queued/capture", r#"{ "keep": "24h", "body": "none" }"#),
    ("capture.keep", "/routes/queued/capture", r#"{ "keep": "1h", "body": "sealed" }"#),
    ("class", "/routes/queued/class", r#""slow""#),
    ("classes", "/classes", r#"{ "slow": { "answer_by": "3s" } }"#),
    ("contract.accepts", "/routes/versions/contract/accepts", r#"["1"]"#),
    ("contract.by", "/routes/versions/contract/by", r#""/version""#),
    ("contract.formats", "/routes/queued/contract", r#"{ "schema": "schemas/order.json", "formats": "check" }"#),
    ("contract.schema", "/routes/queued/contract", r#"{ "schema": "schemas/order.json" }"#),
    ("contract.schemas", "/routes/versions/contract/schemas", r#""schemas/none""#),
    ("contract.sunset", "/routes/versions/contract/sunset", r#"{ "1": "2027-01-31" }"#),
    ("deliver.form", "/routes/queued/deliver/form", r#""verbatim""#),
    ("deliver.replaces_plugin", "/routes/rest/deliver/replaces_plugin", "true"),
    ("deliver.to", "/routes/queued/deliver/to", r#"["archive"]"#),
    ("deliver.via", "/routes/queued/deliver/via", r#""relay""#),
    ("destinations", "/destinations", r#"{ "wordpress": { "url": "http://w/" } }"#),
    ("destinations.NAME.ca", "/destinations/nats/ca", r#""/ca.pem""#),
    ("destinations.NAME.concurrency", "/destinations/archive/concurrency", "1"),
    ("destinations.NAME.durability", "/destinations/redis/durability", r#""any""#),
    ("destinations.NAME.host", "/destinations/archive/host", r#""shop.example""#),
    ("destinations.NAME.length", "/destinations/redis/length", "1000"),
    ("destinations.NAME.nats", "/destinations/nats/nats", r#""tls://m""#),
    ("destinations.NAME.only", "/destinations/archive/only", r#"["order.*"]"#),
    ("destinations.NAME.password", "/destinations/nats/password", r#""env:B""#),
    ("destinations.NAME.redis", "/destinations/redis/redis", r#""rediss://r/1""#),
    ("destinations.NAME.remember", "/destinations/redis/remember", r#""100h""#),
    ("destinations.NAME.sign", "/destinations/archive/sign", r#""env:A""#),
    ("destinations.NAME.stream", "/destinations/redis/stream", r#""b""#),
    ("destinations.NAME.subject", "/destinations/nats/subject", r#""a.b""#),
    ("destinations.NAME.timeout", "/destinations/archive/timeout", r#""1s""#),
    ("destinations.NAME.token", "/destinations/token/token", r#""env:B""#),
    ("destinations.NAME.url", "/destinations/archive/url", r#""http://b/""#),
    ("destinations.NAME.user", "/destinations/nats/user", r#""b""#),
    ("edge.answer_idle", "/edge/answer_idle", r#""20s""#),
    ("edge.answers", "/edge/answers", r#""100MiB""#),
    ("edge.bodies", "/edge/bodies", r#""100MiB""#),
    ("edge.body_idle", "/edge/body_idle", r#""1s""#),
    ("edge.body_rate", "/edge/body_rate", r#""1B/s""#),
    ("edge.connections", "/edge/connections", "1"),
    ("edge.connections_per_address", "/edge/connections_per_address", "1"),
    ("edge.drain", "/edge/drain", r#""1s""#),
    ("edge.field", "/edge/field", r#""1KiB""#),
    ("edge.fields", "/edge/fields", "10"),
    ("edge.handshake", "/edge/handshake", r#""1s""#),
    ("edge.head", "/edge/head", r#""32KiB""#),
    ("edge.header", "/edge/header", r#""1s""#),
    ("edge.keepalive", "/edge/keepalive", r#""1s""#),
    ("edge.target", "/edge/target", r#""1KiB""#),
    ("exception.approved_by", "/routes/excepted/exception/approved_by", ABSENT),
    ("exception.from", "/routes/excepted/exception/from", r#""admit.body""#),
    ("exception.reason", "/routes/excepted/exception/reason", ABSENT),
    ("exception.ticket", "/routes/excepted/exception/ticket", ABSENT),
    ("exception.until", "/routes/excepted/exception/until", r#""2026-12-30""#),
    ("floor.admit.body", "/floor/admit/body", r#""1KiB""#),
    ("floor.exceptions.longest", "/floor/exceptions/longest", r#""1d""#),
    ("floor.exceptions.need", "/floor/exceptions/need", "[]"),
    ("floor.limits.per_address", "/floor/limits/per_address", r#""1/s""#),
    ("floor.limits.per_sender", "/floor/limits/per_sender", r#""1/s""#),
    ("floor.repeats.remember", "/floor/repeats/remember", r#""900d""#),
    ("floor.verify.max_age", "/floor/verify/max_age", r#""1s""#),
    ("floor.verify.max_future", "/floor/verify/max_future", r#""1s""#),
    ("identity.audience", "/identity/audience", r#""https://shop.example/blog""#),
    ("identity.sign", "/identity/sign", r#""env:OTHER""#),
    ("issuers", "/issuers", "{}"),
    ("issuers.NAME.algorithms", "/issuers/idp/algorithms", r#"["ES256", "RS256"]"#),
    ("issuers.NAME.audience", "/issuers/idp/audience", r#""blog""#),
    ("issuers.NAME.from", "/issuers/shared/from", r#""env:B""#),
    ("issuers.NAME.issuer", "/issuers/idp/issuer", r#""https://other.example""#),
    ("issuers.NAME.jwks", "/issuers/idp/jwks", r#""https://idp.example/others""#),
    ("issuers.NAME.leeway", "/issuers/idp/leeway", r#""1s""#),
    ("issuers.NAME.log_subject", "/issuers/idp/log_subject", "true"),
    ("issuers.NAME.max_age", "/issuers/idp/max_age", r#""1h""#),
    ("issuers.NAME.pem", "/issuers/pem/pem", r#""env:B""#),
    ("issuers.NAME.private", "/issuers/idp/private", r#""allow""#),
    ("issuers.NAME.refresh", "/issuers/idp/refresh", r#""1h""#),
    ("issuers.NAME.stale", "/issuers/idp/stale", r#""1h""#),
    ("issuers.NAME.typ", "/issuers/idp/typ", r#""at+jwt""#),
    ("keep", "/routes/queued/keep", r#""7d""#),
    ("keys", "/keys", r#"{ "some": [{ "id": "live", "from": "env:A" }] }"#),
    ("keys.NAME[].from", "/keys/some/0/from", r#""env:C""#),
    ("keys.NAME[].id", "/keys/some/0/id", r#""new""#),
    ("keys.NAME[].retire", "/keys/some/0/retire", r#""2027-01-31""#),
    ("limits.per_address", "/routes/queued/limits/per_address", r#""1/s""#),
    ("limits.per_sender", "/routes/queued/limits/per_sender", r#""1/s""#),
    ("listeners", "/listeners", r#"[{ "on": "127.0.0.1:8002" }]"#),
    ("listeners[].http2", "/listeners/0/http2", "true"),
    ("listeners[].on", "/listeners/0/on", r#""127.0.0.1:8002""#),
    ("listeners[].proxy_protocol", "/listeners/0/proxy_protocol", r#"["10.0.0.0/8"]"#),
    ("listeners[].tls.certificate", "/listeners/0/tls/certificate", r#""/b.pem""#),
    ("order_by", "/routes/queued/order_by", r#""/data/object/id""#),
    ("origin.concurrency", "/origin/concurrency", "1"),
    ("origin.first_byte", "/origin/first_byte", r#""1s""#),
    ("origin.url", "/origin/url", r#""http://o""#),
    ("origin.websocket", "/origin/websocket", "true"),
    ("owner.oncall", "/routes/queued/owner/oncall", r#""me""#),
    ("owner.team", "/routes/queued/owner/team", r#""web""#),
    ("public_url", "/public_url", r#""https://shop.example""#),
    ("redact", "/routes/queued/redact", r#"[{ "at": "/email", "as": "mask" }]"#),
    ("redact[].as", "/routes/redacted/redact/0/as", r#""drop""#),
    ("redact[].at", "/routes/redacted/redact/0/at", r#""/b""#),
    ("redact[].characters", "/routes/redacted/redact/5/characters", "3"),
    ("redact[].field", "/routes/form/redact/0/field", r#""b""#),
    ("redact[].header", "/routes/redacted/redact/2/header", r#""x-b""#),
    ("redact[].name", "/routes/redacted/redact/1/name", r#""b""#),
    ("redact[].query", "/routes/redacted/redact/3/query", r#""b""#),
    ("repeats.jti", "/routes/token/repeats/jti", r#""once""#),
    ("repeats.on_changed", "/routes/queued/repeats/on_changed", r#""deliver""#),
    ("repeats.protection", "/routes/queued/repeats/protection", r#""impossible""#),
    ("repeats.remember", "/routes/queued/repeats/remember", r#""900d""#),
    ("rollout", "/rollout", r#"{ "ajax": { "observe": "all", "until": "2026-12-31" } }"#),
    ("rollout.NAME.observe", "/rollout/ajax/observe", r#"["limits"]"#),
    ("rollout.NAME.until", "/rollout/ajax/until", r#""2026-12-30""#),
    ("routes", "/routes", "{}"),
    ("secret", "/secret", r#""env:OWN""#),
    ("sender.accept", "/routes/unsigned/sender/accept", ABSENT),
    ("sender.addresses", "/routes/unsigned/sender/addresses", r#"["192.0.2.1"]"#),
    ("sender.audience", "/routes/token/sender/audience", r#""blog""#),
    ("sender.claims", "/routes/token/sender/claims", r#"{ "/tenant": "shop" }"#),
    ("sender.config", "/routes/account/sender/config", r#"{ "key": "b" }"#),
    ("sender.confirm.key", "/routes/unsigned/sender/confirm/key", r#""some""#),
    ("sender.confirm.members", "/routes/unsigned/sender/confirm/members", r#"{ "/status": ["paid"] }"#),
    ("sender.cookie", "/routes/token/sender/cookie", r#""session""#),
    ("sender.forward", "/routes/token/sender/forward", "true"),
    ("sender.handshakes", "/routes/form/sender/handshakes", "false"),
    ("sender.header", "/routes/token/sender/header", r#""X-Token""#),
    ("sender.jwt", "/routes/token/sender/jwt", r#""pem""#),
    ("sender.keys", "/routes/queued/sender/keys", r#""other""#),
    ("sender.max_age", "/routes/queued/sender/max_age", r#""1m""#),
    ("sender.max_future", "/routes/queued/sender/max_future", r#""1s""#),
    ("sender.present", "/routes/token/sender/present", r#"["/sub"]"#),
    ("sender.provider", "/routes/queued/sender/provider", r#""svix""#),
    ("sender.scopes", "/routes/token/sender/scopes", r#"["orders"]"#),
    ("sender.verify_token", "/routes/calls/sender/verify_token", r#""other""#),
    ("spool.bytes", "/spool/bytes", r#""2GiB""#),
    ("spool.folder", "/spool/folder", r#""/b""#),
    ("spool.free", "/spool/free", r#""1MiB""#),
    ("trusted_proxies", "/trusted_proxies", r#"["10.0.0.0/8"]"#),
];

/// Stands for a value that is taken out.
const ABSENT: &str = "";

/// What else a case needs: without it the base is in order, with it one of the two policies is refused.
const GIVEN: &[(&str, &str, &str)] = &[
    ("capture.body", "/routes/queued/capture", r#"{ "keep": "24h", "body": "sealed" }"#),
    ("capture.keep", "/routes/queued/capture", r#"{ "keep": "24h", "body": "sealed" }"#),
    ("deliver.replaces_plugin", "/routes/rest/deliver/via", r#""queue""#),
    ("floor.exceptions.need", "/routes/excepted/exception/reason", ABSENT),
    ("identity.audience", "/identity", r#"{ "sign": "env:I", "audience": "https://shop.example" }"#),
    ("identity.sign", "/identity", r#"{ "sign": "env:I", "audience": "https://shop.example" }"#),
    ("rollout.NAME.observe", "/rollout", r#"{ "ajax": { "observe": "all", "until": "2026-12-31" } }"#),
    ("rollout.NAME.until", "/rollout", r#"{ "ajax": { "observe": "all", "until": "2026-12-31" } }"#),
];

/// The base of this key's case.
fn base_of(key: &str) -> Value {
    let given = GIVEN.iter().filter(|(name, ..)| *name == key);
    given.fold(base(), |policy, (_, pointer, value)| changed(policy, pointer, read(value).as_ref()))
}

fn read(value: &str) -> Option<Value> {
    (value != ABSENT).then(|| serde_json::from_str(value).unwrap())
}

/// A policy with one value written, or taken out.
fn changed(mut policy: Value, pointer: &str, value: Option<&Value>) -> Value {
    let (above, name) = pointer.rsplit_once('/').unwrap();
    let mut node = &mut policy;
    for step in above.split('/').skip(1) {
        node = match node {
            Value::Array(items) => &mut items[step.parse::<usize>().unwrap()],
            other => &mut other[step],
        };
        if node.is_null() {
            *node = json!({});
        }
    }
    let members = node.as_object_mut().unwrap_or_else(|| panic!("nothing can stand at {pointer}"));
    match value {
        Some(value) => members.insert(name.to_owned(), value.clone()),
        None => members.remove(name),
    };
    policy
}

/// A policy, with the schemas that the base names.
fn source(policy: &Value) -> Source {
    let mut source = Source::one("gate.yaml", policy.to_string());
    let schemas = [("order", r#"{ "required": ["a"] }"#), ("versions/1", "{}"), ("versions/2", "{}")];
    source.schemas =
        schemas.map(|(name, text)| TextFile { name: format!("schemas/{name}.json"), text: text.to_owned() }).into();
    source
}

/// All that a policy means, or why it is none.
fn meaning(policy: &Value) -> Result<String, Vec<String>> {
    let told = |report: Report| report.iter().map(|diagnostic| diagnostic.message.clone()).collect::<Vec<_>>();
    let compiled = compiled(&source(policy)).map_err(told)?;
    // The digest names the text, and the guards are made of what the routes say: in a map, which has no order.
    let policy = Policy { digest: String::new(), guards: Guards::default(), ..compiled.policy };
    Ok(format!("{policy:#?}"))
}

/// The keys of a policy, without those of its tests and of senders' files: what these do is shown in `cases.rs` and
/// `senders.rs`.
fn policy_keys() -> impl Iterator<Item = Key> {
    keys().into_iter().filter(|key| family(key.table) == "policy")
}

/// A key that changes nothing is one that is accepted and ignored.
#[test]
fn every_key_has_a_case_that_shows_it_matter() {
    let names: Vec<_> = policy_keys().map(|key| key.name).collect();
    let missing: Vec<_> = names.iter().filter(|name| CASES.iter().all(|(key, ..)| key != name)).collect();
    assert!(missing.is_empty(), "no case in CASES for {missing:?}");
    for (key, pointer, value) in CASES {
        assert!(names.iter().any(|name| name == key), "`{key}` is no key any more");
        let before = base_of(key);
        let after = changed(before.clone(), pointer, read(value).as_ref());
        assert!(after != before, "the case of `{key}` changes nothing in the text");
        let (before, after) = (meaning(&before), meaning(&after));
        assert!(before.is_ok() || after.is_ok(), "the case of `{key}` is refused either way: {before:?}");
        assert!(after != before, "`{key}` changes nothing");
    }
}

/// What the reference says of an absent key is what the compiler does.
#[test]
fn a_default_written_out_is_as_good_as_an_absent_key() {
    let mut held = 0;
    for key in policy_keys() {
        let Some(Absent::Default(default)) = key.absent else { continue };
        let (_, pointer, _) = CASES.iter().find(|(name, ..)| *name == key.name).unwrap();
        let [written, absent] =
            [Some(&default), None].map(|value| meaning(&changed(base_of(&key.name), pointer, value)));
        assert!(absent == written, "`{}` is not `{default}` where it is absent", key.name);
        held += 1;
    }
    assert!(held > 30, "{held}");
}

/// The same of the keys of a case.
#[test]
fn a_default_of_a_case_written_out_is_as_good_as_an_absent_key() {
    let compiled = compiled(&source(&base())).unwrap_or_else(|report| panic!("{report}"));
    let read = |case: &Value| {
        let text = json!({ "cases": [case] }).to_string();
        let file = TextFile { name: "gate.test.yaml".to_owned(), text };
        format!("{:?}", cases(&[file], &compiled.policy, Stages::default()).unwrap_or_else(|report| panic!("{report}")))
    };
    let mut held = 0;
    for key in keys().into_iter().filter(|key| key.table == Table::Tests) {
        let Some(Absent::Default(default)) = key.absent else { continue };
        let absent = if key.name.starts_with("request.") {
            json!({ "name": "raw", "request": { "target": "/queued" }, "expect": { "decision": "refused" } })
        } else {
            json!({ "name": "signed", "send": { "route": "queued" }, "expect": { "decision": "accepted" } })
        };
        let written = changed(absent.clone(), &format!("/{}", key.name.replace('.', "/")), Some(&default));
        assert_eq!(read(&written), read(&absent), "`{}` is not `{default}` where it is absent", key.name);
        held += 1;
    }
    assert!(held > 5, "{held}");
}
