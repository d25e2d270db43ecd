//! An operator, a gate's socket, and a destination that is gone until it is back.

use super::*;
use crate::{
    clock::{Clock, SystemClock},
    contract::event,
    deliver::{BadDestination, DeadLetter, FailedAttempt, Forwarders, Http, Maker, Observer, Standing},
    destination::{Confirmed, Load, PublishError},
    ledger::Ledger as _,
    outbound::{Deadlines, Failure, Outbound, Request, Response, Target},
    policy::{self, Policy},
    secret::Secret,
    spool::{Settings, view::view},
};
use http::{HeaderMap, StatusCode};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

/// Answers with this status.
#[derive(Clone, Default)]
struct Answers(Arc<AtomicU16>);

impl Outbound for Answers {
    async fn send(&self, _: &Target, _: Request, _: &Deadlines, _: usize) -> Result<Response, Failure> {
        let status = StatusCode::from_u16(self.0.load(Ordering::SeqCst)).unwrap();
        Ok(Response { status, headers: HeaderMap::new(), body: bytes::Bytes::new() })
    }
}

impl Maker for Answers {
    type Destination = Http<Self>;

    fn make(
        &self,
        destination: &policy::Destination,
        public_url: Option<&str>,
        secret: Option<&Secret>,
        _: Load,
    ) -> Result<Http<Self>, BadDestination> {
        let policy::Place::Http(place) = &destination.place else { panic!("{destination:?}") };
        Http::new(self.clone(), Arc::new(SystemClock), (destination, place), public_url, secret.cloned())
    }
}

struct Deaf;

impl Observer for Deaf {
    fn attempted(&self, _: &str, _: &str, _: Result<Confirmed, &PublishError>) {}
    fn failed(&self, _: &FailedAttempt<'_>) {}
    fn died(&self, _: &DeadLetter<'_>) {}
    fn standing(&self, _: &str, _: Standing, _: Option<&str>) {}
    fn not_settled(&self, _: &str, _: &str, _: &Fault) {}
}

struct Gate {
    spool: Spool,
    forwarders: Forwarders<Answers>,
    answers: Answers,
    _socket: Socket,
    _folder: tempfile::TempDir,
}

/// One that delivers to `wordpress`.
fn gate() -> Gate {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let settings = Settings { folder: folder.path().join("spool"), bytes: 64 << 20, free: 0 };
    let (spool, _) = Spool::open(settings, clock.clone()).unwrap();
    let mut policy = Policy::pass_through(([127, 0, 0, 1], 0).into(), "http://127.0.0.1:1");
    policy.destinations = vec![policy::tests::destination("wordpress", "http://127.0.0.1:1/events")];
    let (answers, observer): (_, Arc<dyn Observer>) = (Answers::default(), Arc::new(Deaf));
    let mut forwarders = Forwarders::new(spool.clone(), answers.clone(), clock, observer);
    let prepared = forwarders.prepare(&policy, &BTreeMap::new()).unwrap();
    forwarders.replace(prepared);
    let (orders, _) = mpsc::channel(1);
    let observed = Observed::new(Arc::new(SystemClock));
    let socket = Socket::start(spool.clone(), orders, forwarders.switches().clone(), Arc::new(observed)).unwrap();
    Gate { spool, forwarders, answers, _socket: socket, _folder: folder }
}

impl Gate {
    async fn ask(&self, request: Ask) -> Value {
        let folder = self.spool.folder().to_owned();
        let asked = tokio::task::spawn_blocking(move || ask(&folder, &request)).await.unwrap();
        asked.unwrap().expect("it listens")
    }

    async fn enable(&self, destination: &str) -> Value {
        self.ask(Ask::Enable {
            destination: destination.into(),
            actor: "ops".parse().unwrap(),
            reason: "it is back".parse().unwrap(),
        })
        .await
    }

    async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        let so = async {
            while !is_so(self) {
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        };
        timeout(Duration::from_secs(20), so).await.expect("within 20 s");
    }
}

#[tokio::test]
async fn a_destination_that_answered_410_is_asked_again_when_an_operator_says_so() {
    let gate = gate();
    gate.answers.0.store(410, Ordering::SeqCst);
    assert!(gate.spool.accept(event("a")).await.is_ok());
    let standing = |gate: &Gate| gate.forwarders.switches().standings().first().map(|(_, standing)| *standing);
    gate.until(|gate| standing(gate) == Some(Standing::Disabled)).await;
    let told = gate.ask(Ask::Destinations).await;
    assert_eq!(told, json!({ "ok": true, "destinations": { "wordpress": "disabled" } }));

    gate.answers.0.store(202, Ordering::SeqCst);
    assert_eq!(gate.enable("wordpress").await, json!({ "ok": true, "done": true }));
    gate.until(|gate| gate.spool.stats().destinations[0].delivered == 1).await;
    assert_eq!(gate.enable("wordpress").await, json!({ "ok": true, "done": false }), "there is nothing to do");
    let acts = view(gate.spool.folder(), &mut |_, _| ()).unwrap().acts;
    let told: Vec<_> = acts.iter().map(|act| [&*act.actor, &*act.what, &*act.about, &*act.reason]).collect();
    assert_eq!(told, [["ops", "enable", "wordpress", "it is back"]], "who did it, and why, is in the log");
}

#[tokio::test]
async fn a_destination_that_is_not_in_the_policy_is_no_ones() {
    let gate = gate();
    let told = gate.enable("word-press").await;
    assert_eq!(told["ok"], false);
    let error = told["error"].as_str().unwrap();
    assert!(error.contains("`word-press`") && error.contains("wordpress"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_read_changes_nothing_and_says_so() {
    let gate = gate();
    for line in ["", "{}", r#"{"verb":"burn"}"#, r#"{"verb":"enable","destination":"a","actor":"b","more":1}"#] {
        let path = path(gate.spool.folder());
        let line = line.to_owned();
        let answer = tokio::task::spawn_blocking(move || {
            let mut stream = BlockingStream::connect(path).unwrap();
            stream.write_all(format!("{line}\n").as_bytes()).unwrap();
            let mut answer = String::new();
            BufReader::new(stream).read_line(&mut answer).unwrap();
            answer
        });
        let answer: Value = serde_json::from_str(&answer.await.unwrap()).unwrap();
        assert_eq!(answer["ok"], false, "{answer}");
    }
    assert!(view(gate.spool.folder(), &mut |_, _| ()).unwrap().acts.is_empty());
}
