//! What reading, checking and cleaning a body costs: at 1, 16 and 256 KiB, beside `serde_json::Value` alone, and beside
//! a parse for each of the three as separate filters would do them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark that cannot go on says so"
)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hookwarden::{
    clock::Timestamp,
    gate::{self, Judged, NoMemory},
    json::{self, Names, Path, Schema},
    outcome::Notes,
    policy::{self, Overrides, Source, TextFile},
    request::{Head, Target, Unverified},
    secret::Secret,
    verify::{Catalogue, Key, Keys},
};
use serde_json::Value;
use std::{collections::BTreeMap, hint::black_box};

/// As many lines of an order as make 1, 16 and 256 KiB.
const LINES: [usize; 3] = [4, 97, 1580];

fn order(lines: usize) -> String {
    let line = |n: usize| {
        format!(
            r#"{{"id":{n},"name":"Hat with a feather","sku":"HAT-{n:04}","quantity":{},"price":"{}.90","taxes":[{{"id":1,"total":3.41}}],"note":"f\u00fcr \"dich\""}}"#,
            n % 5 + 1,
            n % 100
        )
    };
    let lines: Vec<_> = (0..lines).map(line).collect();
    format!(
        r#"{{"id":"evt_1","type":"order.created","created":1760000000,"data":{{"id":"ord_42","currency":"eur","total":19.9,"customer":{{"name":"Ada Lovelace","email":"ada@example.com","phone":"+44 20 7946 0000","address":"12 St James's Square"}},"card":{{"number":"4242424242424242","fingerprint":"Xt5EWLLDS7FJjR1c"}},"lines":[{}]}}}}"#,
        lines.join(",")
    )
}

const SCHEMA: &str = r#"{
  "type": "object",
  "required": ["id", "type", "created", "data"],
  "properties": {
    "id": { "type": "string", "pattern": "^evt_" },
    "type": { "enum": ["order.created", "order.updated"] },
    "created": { "type": "integer", "minimum": 0 },
    "data": {
      "type": "object",
      "required": ["id", "currency", "total", "lines"],
      "properties": {
        "currency": { "type": "string", "minLength": 3, "maxLength": 3 },
        "total": { "type": "number" },
        "lines": {
          "type": "array",
          "items": {
            "type": "object",
            "required": ["id", "sku", "quantity"],
            "properties": {
              "id": { "type": "integer" },
              "sku": { "type": "string", "maxLength": 40 },
              "quantity": { "type": "integer", "minimum": 1 },
              "taxes": { "items": { "required": ["total"] } }
            }
          }
        }
      }
    }
  }
}"#;

const POLICY: &str = "
routes:
  plain:
    at: { path: /plain }
    sender: { provider: github, keys: shop }
    repeats: { remember: 72h }
    admit: { body: 1MiB }
  checked:
    at: { path: /checked }
    sender: { provider: github, keys: shop }
    repeats: { remember: 72h }
    admit: { body: 1MiB }
    contract: { schema: schemas/order.json }
    redact:
      - { at: /data/customer/email, as: mask }
      - { at: $..card.number, as: pseudonym }
      - { name: phone, as: drop }
keys: { shop: [{ id: live, from: env:SHOP }] }
destinations: { wordpress: { url: 'http://127.0.0.1/' } }
";

fn read(c: &mut Criterion) {
    let mut group = c.benchmark_group("read");
    for raw in LINES.map(order) {
        group.throughput(Throughput::Bytes(raw.len() as u64));
        group.bench_with_input(BenchmarkId::new("ours", raw.len()), &raw, |b, raw| {
            b.iter(|| json::read(black_box(raw.as_bytes())).unwrap());
        });
        group.bench_with_input(BenchmarkId::new("serde_json::Value", raw.len()), &raw, |b, raw| {
            b.iter(|| serde_json::from_str::<Value>(black_box(raw)).unwrap());
        });
    }
    group.finish();
}

fn schema(c: &mut Criterion) {
    let mut group = c.benchmark_group("schema");
    let ours = Schema::read(SCHEMA.as_bytes()).unwrap();
    let theirs = jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap();
    for raw in LINES.map(order) {
        group.throughput(Throughput::Bytes(raw.len() as u64));
        let (node, value) = (json::read(raw.as_bytes()).unwrap(), serde_json::from_str::<Value>(&raw).unwrap());
        group.bench_function(BenchmarkId::new("ours", raw.len()), |b| b.iter(|| ours.admits(black_box(&node))));
        group.bench_function(BenchmarkId::new("serde_json::Value", raw.len()), |b| {
            b.iter(|| theirs.is_valid(black_box(&value)));
        });
    }
    group.finish();
}

/// Everything between the sender's bytes and a clean document, signature and keys among it.
fn clean(c: &mut Criterion) {
    let mut group = c.benchmark_group("clean");
    let mut source = Source::one("gate.yaml", POLICY);
    source.schemas.push(TextFile { name: "schemas/order.json".into(), text: SCHEMA.into() });
    let now = Timestamp::from_unix_s(1_760_000_000);
    let policy = policy::compile(&source, &Catalogue::embedded(), &Overrides::default(), now);
    let policy = policy.unwrap_or_else(|report| panic!("{report}")).policy;
    let secret = || Secret::new("the sender's own").unwrap();
    let key = Key { id: "live".into(), secret: secret(), retire: None };
    let named = policy.routes[0].sender.webhook().unwrap().keys().to_owned();
    let keys = Keys::new(Secret::new("the gate's own").unwrap(), BTreeMap::from([(named, vec![key])]));
    for raw in LINES.map(order) {
        group.throughput(Throughput::Bytes(raw.len() as u64));
        let digest = data_encoding::HEXLOWER.encode(&secret().digest(&[raw.as_bytes()]));
        let headers = [
            ("x-hub-signature-256".parse().unwrap(), format!("sha256={digest}").parse().unwrap()),
            ("content-type".parse().unwrap(), "application/json".parse().unwrap()),
        ];
        let head = Head {
            method: http::Method::POST,
            target: Target::parse("/hooks").unwrap(),
            host: "shop.example".into(),
            headers: headers.into_iter().collect(),
            client: [127, 0, 0, 1].into(),
        };
        let request = Unverified { head, raw: raw.clone().into() };
        for route in &policy.routes {
            group.bench_function(BenchmarkId::new(route.name.as_ref(), raw.len()), |b| {
                b.iter(|| {
                    let request = Unverified { head: request.head.clone(), raw: request.raw.clone() };
                    let judged = gate::judge(route, &keys, &NoMemory, request, now, &mut Notes::default());
                    assert!(matches!(judged, Ok(Judged::Clean(_))));
                    judged
                });
            });
        }
    }
    group.finish();
}

/// The same three steps as filters that know nothing of each other: each parses, and the last one writes anew.
fn separate(c: &mut Criterion) {
    let mut group = c.benchmark_group("separate");
    let theirs = jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap();
    let path = Path::parse("$..card.number").unwrap();
    for raw in LINES.map(order) {
        group.throughput(Throughput::Bytes(raw.len() as u64));
        group.bench_with_input(BenchmarkId::new("three parses", raw.len()), &raw, |b, raw| {
            b.iter(|| {
                let twice = json::read(raw.as_bytes()).unwrap();
                let mut found = 0;
                path.each(&twice, Names::EXACT, &mut |_| found += 1).unwrap();
                let valid = theirs.is_valid(&serde_json::from_str(raw).unwrap());
                let mut value: Value = serde_json::from_str(raw).unwrap();
                value["data"]["customer"]["email"] = "[masked]".into();
                value["data"]["card"]["number"] = "[masked]".into();
                value["data"]["customer"].as_object_mut().unwrap().remove("phone");
                (found, valid, value.to_string())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, read, schema, clean, separate);
criterion_main!(benches);
