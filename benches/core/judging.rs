//! The whole of a decision: signature, one reading, the look, checks and scrubs; and with what each way of delivery adds
//! until the ledger or the origin has it. Ledger and origin cost nothing here.

use crate::{
    NOW, SIZES_KIB, document,
    senders::{signed, test_key},
};
use bytes::Bytes;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use hookwarden::{
    event::{Arrival, Event},
    gate::{Believing, Bucket, Ending, Gate, Judged, Memory, NoMemory, Origin, Relayed, handle, judge},
    ledger::{Accepted, Known, Ledger},
    outcome::Notes,
    payload::Clean,
    policy::{KeyKind, Overrides, Policy, Route, Source, compile},
    repeat::RepeatKeys,
    request::{Body, Unverified},
    secret::Secret,
    verdict::{Fault, Refusal, Rejection},
    verify::{Catalogue, Key, Keys},
};
use std::{
    collections::BTreeMap,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// One route for each way of delivery.
const POLICY: &str = "
routes:
  relay: { at: { path: /relay }, sender: { provider: stripe, keys: all }, deliver: { via: relay } }
  queue-event:
    at: { path: /event }
    sender: { provider: stripe, keys: all }
    deliver: { via: queue, to: [wordpress], form: event }
  queue-verbatim:
    at: { path: /verbatim }
    sender: { provider: stripe, keys: all }
    deliver: { via: queue, to: [wordpress], form: verbatim }
keys: { all: [{ id: live, from: env:ALL }] }
destinations: { wordpress: { url: 'http://127.0.0.1:1/' } }
";

pub(crate) fn all(criterion: &mut Criterion) {
    let catalogue = Catalogue::embedded();
    let compiled = compile(&Source::one("gate.yaml", POLICY), &catalogue, &Overrides::default(), NOW);
    let policy = compiled.map_err(|report| report.to_string()).unwrap().policy;
    let keys = keys(&policy);
    let stripe = catalogue.find("stripe").unwrap();

    let mut group = criterion.benchmark_group("judge");
    for kib in SIZES_KIB {
        let request = signed(stripe, &document(kib));
        group.throughput(Throughput::Bytes(request.raw.len() as u64));
        let route = policy.routes.first().unwrap();
        let judged = |memory: &dyn Fn(Unverified) -> Judged, bencher: &mut criterion::Bencher<'_>| {
            bencher.iter_batched(|| copy(&request), memory, BatchSize::SmallInput);
        };
        group.bench_function(BenchmarkId::new("new", kib), |bencher| {
            judged(&|one| judge(route, &keys, &NoMemory, one, NOW, &mut Notes::default()).unwrap(), bencher);
        });
        group.bench_function(BenchmarkId::new("repeat", kib), |bencher| {
            judged(&|one| judge(route, &keys, &Knows, one, NOW, &mut Notes::default()).unwrap(), bencher);
        });
        for route in &policy.routes {
            group.bench_function(BenchmarkId::new(&*route.name, kib), |bencher| {
                bencher.iter_batched(
                    || copy(&request),
                    |one| handled(&policy, &keys, route, one),
                    BatchSize::SmallInput,
                );
            });
        }
    }
    group.finish();
}

fn keys(policy: &Policy) -> Keys {
    let named = policy.keys.iter().map(|reference| {
        let KeyKind::Signatures(provider, _) = &reference.kind else { unreachable!("no route has a verify token") };
        let secret = provider.scheme.key(&test_key(provider).0).unwrap();
        (reference.name.clone(), vec![Key { id: "live".into(), secret, retire: None }])
    });
    Keys::new(Secret::new("memory").unwrap(), named.collect::<BTreeMap<_, _>>())
}

fn copy(request: &Unverified) -> Unverified {
    Unverified { head: request.head.clone(), raw: request.raw.clone() }
}

fn handled(policy: &Policy, keys: &Keys, route: &Arc<Route>, request: Unverified) -> Ending<()> {
    let gate = Gate {
        policy,
        keys,
        memory: &NoMemory,
        ledger: &Nothing,
        direct: &Nothing,
        origin: &Nothing,
        vendor: &Believing,
    };
    let arrival = Arrival { at: NOW, request_id: "7w3h2kq5n4v6x8z9a2b3c4d5e6".into() };
    let mut notes = Notes::default();
    let handling = pin!(handle(&gate, route, request.head, Whole(request.raw), &arrival, &mut notes));
    // Nothing in it waits.
    match handling.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(ending) => ending.unwrap(),
        Poll::Pending => unreachable!("nothing in it waits"),
    }
}

/// Has every event already.
struct Knows;

impl Memory for Knows {
    fn look(&self, _: &RepeatKeys) -> Option<Known> {
        Some(Known { changed: None, success: None })
    }

    fn take(&self, _: Bucket<'_>) -> Result<(), Rejection> {
        Ok(())
    }

    fn take_stranger(&self, _: &str, _: std::net::IpAddr) -> Result<(), Rejection> {
        Ok(())
    }
}

/// A ledger that has every event when it is asked to keep it, and an origin that answers nothing.
struct Nothing;

impl Ledger for Nothing {
    async fn accept(&self, _: Event) -> Result<Accepted, Fault> {
        Ok(Accepted::Again(Known { changed: None, success: None }))
    }
}

impl Origin for Nothing {
    type Answer = ();

    async fn relay(&self, _: &Arc<Route>, _: Clean) -> Result<Relayed<()>, Fault> {
        Ok(Relayed::Answered(()))
    }
}

struct Whole(Bytes);

impl Body for Whole {
    async fn collect(self, _: usize) -> Result<Bytes, Refusal> {
        Ok(self.0)
    }
}
