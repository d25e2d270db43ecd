//! Events as the gate makes them: posted, verified, read, and caught where the spool would take them.

use hookwarden::{
    clock::{Clock as _, SystemClock},
    event::{Arrival, Event},
    gate::{self, Believing, Gate, NoMemory, Origin, Relayed},
    ledger::{Accepted, Known, Ledger},
    outcome::Notes,
    payload::Clean,
    policy::{Overrides, Policy, Route, Source, compile},
    request::{Body, Head, Target},
    secret::Secret,
    verdict::{Fault, Refusal},
    verify::{Catalogue, Key, Keys},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// One route, with its keys.
pub(super) struct Maker {
    policy: Policy,
    keys: Keys,
    secret: Secret,
}

const POLICY: &str = "
routes:
  bench:
    at: { path: /hooks/bench }
    sender: { provider: github, keys: bench }
    repeats: { remember: 72h }
    admit: { body: 64KiB }
    deliver: { via: queue, to: [sink], form: verbatim }
destinations: { sink: { url: 'http://127.0.0.1:9/' } }
keys: { bench: [{ id: live-2026, from: env:BENCH }] }
";

impl Maker {
    pub(super) fn new() -> Self {
        let source = Source::one("bench.yaml", POLICY);
        let compiled = compile(&source, &Catalogue::embedded(), &Overrides::default(), SystemClock.now());
        let policy = compiled.map_err(|report| format!("{report:?}")).unwrap().policy;
        let sender = policy.routes.first().unwrap().sender.webhook().unwrap();
        let secret = || sender.provider().scheme.key("It's a Secret to Everybody").unwrap();
        let key = Key { id: "live-2026".into(), secret: secret(), retire: None };
        let named = BTreeMap::from([(sender.keys().to_owned(), vec![key])]);
        let (keys, secret) = (Keys::new(Secret::new("the gate's own").unwrap(), named), secret());
        Self { policy, keys, secret }
    }

    /// The event of this number, with a payload of so many bytes.
    pub(super) async fn event(&self, number: usize, bytes: usize) -> Event {
        let start = format!("{{\"number\":{number},\"padding\":\"");
        let body = format!("{start}{}\"}}", "x".repeat(bytes - start.len() - 2));
        let signature = data_encoding::HEXLOWER.encode(&self.secret.digest(&[body.as_bytes()]));
        let headers =
            [("x-hub-signature-256", format!("sha256={signature}")), ("content-type", "application/json".to_owned())];
        let head = Head {
            method: http::Method::POST,
            target: Target::parse("/hooks/bench").unwrap(),
            host: "shop.example".into(),
            headers: headers.into_iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect(),
            client: [127, 0, 0, 1].into(),
        };
        let caught = Catch::default();
        let gate = Gate {
            policy: &self.policy,
            keys: &self.keys,
            memory: &NoMemory,
            ledger: &caught,
            direct: &caught,
            origin: &Nowhere,
            vendor: &Believing,
        };
        let arrival = Arrival { at: SystemClock.now(), request_id: format!("request{number}").into() };
        let route = self.policy.routes.first().unwrap();
        let _ = gate::handle(&gate, route, head, Whole(body), &arrival, &mut Notes::default()).await;
        caught.0.into_inner().unwrap().unwrap()
    }
}

#[derive(Default)]
struct Catch(Mutex<Option<Event>>);

impl Ledger for Catch {
    async fn accept(&self, event: Event) -> Result<Accepted, Fault> {
        *self.0.lock().unwrap() = Some(event);
        Ok(Accepted::Again(Known { changed: None, success: None }))
    }
}

struct Whole(String);

impl Body for Whole {
    async fn collect(self, _: usize) -> Result<bytes::Bytes, Refusal> {
        Ok(self.0.into())
    }
}

struct Nowhere;

impl Origin for Nowhere {
    type Answer = ();

    async fn relay(&self, _: &Arc<Route>, _: Clean) -> Result<Relayed<()>, Fault> {
        Err(Fault::Ledger("nothing is relayed here".into()))
    }
}
