//! The ledger's suite over a broker in memory, and what is known of one that is down.

use super::*;
use crate::{
    clock::SystemClock,
    contract::{self, event, event_with, keys, ledger::Rig},
    event::Record,
    ledger::{Lease, Leased, Leases, Settled},
    repeat::RepeatKeys,
    spool::Settings,
};
use std::time::Duration;
use tokio::task::JoinSet;

contract::ledger::ledger_of_a_broker!(Shop::new());

/// Keeps what it takes, each id once; slow or broken as a test wants it.
#[derive(Default)]
struct Broker {
    state: Mutex<Manner>,
    changed: Notify,
}

#[derive(Default)]
struct Manner {
    kept: Vec<Record>,
    held: bool,
    waiting: usize,
    /// So many of the next fail.
    fails: usize,
    asked: usize,
}

impl Broker {
    fn state(&self) -> MutexGuard<'_, Manner> {
        self.state.lock().unwrap()
    }

    fn go_on(&self) {
        self.state().held = false;
        self.changed.notify_waiters();
    }
}

/// Counts who is there.
struct Waiting<'a>(&'a Broker);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state().waiting -= 1;
    }
}

impl Destination for Broker {
    async fn publish(&self, record: &Record) -> Result<Confirmed, PublishError> {
        {
            let mut state = self.state();
            state.waiting += 1;
            state.asked += 1;
        }
        let waiting = Waiting(self);
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if !self.state().held {
                break;
            }
            changed.await;
        }
        drop(waiting);
        let mut state = self.state();
        if state.fails > 0 {
            state.fails -= 1;
            let retry = Retry::Destination { after: None };
            return Err(PublishError { reason: "out_of_space".into(), retry, source: None });
        }
        if state.kept.iter().any(|kept| kept.id == record.id) {
            return Ok(Confirmed::Known);
        }
        state.kept.push(record.clone());
        Ok(Confirmed::Taken)
    }
}

#[derive(Default)]
struct Ears(Mutex<Vec<String>>);

impl Observer for Ears {
    fn attempted(&self, _: &str, _: &str, result: Result<Confirmed, &PublishError>) {
        self.0.lock().unwrap().push(result.map_or_else(|error| error.reason.clone(), |ok| ok.code().to_owned()));
    }
    fn died(&self, _: &str, _: &str, _: &str) {}
    fn standing(&self, _: &str, now: Standing, _: Option<&str>) {
        self.0.lock().unwrap().push(now.code().to_owned());
    }
    fn not_settled(&self, _: &str, _: &str, _: &Fault) {}
}

/// One gate after another in front of the same broker.
struct Shop {
    broker: Arc<Broker>,
    ears: Arc<Ears>,
    folders: Mutex<Vec<tempfile::TempDir>>,
}

const CONCURRENCY: usize = 2;

impl Shop {
    fn new() -> Self {
        Self { broker: Arc::default(), ears: Arc::default(), folders: Mutex::default() }
    }

    /// One that remembers nothing.
    fn gate(&self) -> Gate {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { folder: folder.path().join("spool"), bytes: 16 << 20, free: 0 };
        let (spool, _) = Spool::open(settings, Arc::new(SystemClock)).unwrap();
        self.folders.lock().unwrap().push(folder);
        let direct = Direct::new(spool.clone(), Arc::new(SystemClock), self.ears.clone());
        direct.replace(std::iter::once(Arc::new(Line::new("wordpress", self.broker.clone(), CONCURRENCY))));
        Gate { direct, spool }
    }

    fn heard(&self) -> Vec<String> {
        self.ears.0.lock().unwrap().clone()
    }
}

#[derive(Clone)]
struct Gate {
    direct: Direct<Broker>,
    spool: Spool,
}

impl Ledger for Gate {
    async fn accept(&self, event: Event) -> Result<Accepted, Fault> {
        self.direct.accept(event).await
    }
}

impl Leases for Gate {
    async fn lease(&self, keys: &RepeatKeys, hold: Duration) -> Result<Leased, Fault> {
        self.spool.lease(keys, hold).await
    }

    async fn settle(&self, lease: Lease, settled: Settled) -> Result<(), Fault> {
        Leases::settle(&self.spool, lease, settled).await
    }
}

impl Rig for Shop {
    type Engine = Gate;

    async fn open(&self) -> Gate {
        self.gate()
    }

    async fn reopen(&self, _: Gate) -> Gate {
        self.gate()
    }

    fn hold(&self) {
        self.broker.state().held = true;
    }

    fn go_on(&self) {
        self.broker.go_on();
    }

    fn fail(&self) {
        {
            let mut state = self.broker.state();
            state.fails = if state.held { state.waiting } else { 1 };
        }
        self.broker.go_on();
    }

    async fn mended(&self, _: &Gate) {}

    fn kept(&self, _: &Gate) -> Vec<Record> {
        self.broker.state().kept.clone()
    }
}

fn refused(accepted: Result<Accepted, Fault>) -> String {
    match accepted {
        Err(fault @ Fault::Ledger(_)) => Chain(&fault).to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn events_without_keys_have_ids_of_their_own_and_are_all_kept() {
    let (shop, keyless) = (Shop::new(), RepeatKeys::default());
    let gate = shop.gate();
    for id in ["one", "two"] {
        let record = Record { id: id.into(), ..event("a").into_record() };
        assert!(matches!(gate.accept(Event::for_tests(keyless, record)).await, Ok(Accepted::New(_))));
    }
    assert_eq!(shop.broker.state().kept.len(), 2);
}

#[tokio::test]
async fn a_repeat_that_this_process_has_seen_costs_the_broker_nothing() {
    let shop = Shop::new();
    let gate = shop.gate();
    for _ in 0..3 {
        gate.accept(event("a")).await.unwrap();
    }
    assert_eq!(shop.broker.state().asked, 1);
    assert!(gate.spool.look(&keys("a", 1)).is_some(), "the look that comes before the sender's limit knows it too");
    let other = shop.gate();
    assert!(matches!(other.accept(event("a")).await, Ok(Accepted::Again(_))), "another gate asks the broker");
    assert_eq!(shop.broker.state().asked, 2);
}

#[tokio::test]
async fn a_broker_that_fails_is_known_to_be_down_and_nobody_waits_for_it() {
    let shop = Shop::new();
    let gate = shop.gate();
    shop.broker.state().fails = 3;
    for name in ["a", "b", "c"] {
        assert!(gate.direct.ready("wordpress").is_ok());
        assert_eq!(refused(gate.accept(event(name)).await), "the ledger did not take the event: out_of_space");
    }
    let down = "the ledger did not take the event: the broker is down: out_of_space";
    assert_eq!(refused(gate.accept(event("a")).await), down);
    assert_eq!(refused(gate.direct.ready("wordpress").map(|()| unreachable!())), down, "before a body is read");
    assert_eq!(shop.broker.state().asked, 3);
    assert_eq!(shop.heard(), ["out_of_space", "out_of_space", "out_of_space", "down"]);
    tokio::time::timeout(contract::PATIENCE, async {
        while gate.accept(event("a")).await.is_err() {
            tokio::task::yield_now().await; // until the breaker lets one probe
        }
    })
    .await
    .unwrap();
    assert_eq!(shop.heard()[4..], ["delivered", "up"]);
    assert_eq!(shop.broker.state().kept.len(), 1, "what was refused is not remembered");
}

#[tokio::test]
async fn no_more_are_on_their_way_than_the_policy_says_and_the_others_wait() {
    let shop = Shop::new();
    let gate = shop.gate();
    shop.hold();
    let mut senders = JoinSet::new();
    for name in ["a", "b", "c", "d"] {
        let gate = gate.clone();
        senders.spawn(async move { gate.accept(event(name)).await.is_ok() });
    }
    for _ in 0..16 {
        tokio::task::yield_now().await;
    }
    assert_eq!(shop.broker.state().asked, CONCURRENCY);
    shop.go_on();
    assert_eq!(senders.join_all().await, [true; 4]);
}

#[tokio::test]
async fn a_sender_whose_answer_was_due_leaves_its_place_and_counts_against_the_broker() {
    let shop = Shop::new();
    let gate = shop.gate();
    shop.hold();
    for name in ["a", "b", "c"] {
        let mut waiting = pin!(gate.accept(event_with(keys(name, 1), b"{}")));
        assert!(futures_poll(waiting.as_mut()).await);
    }
    assert_eq!(shop.heard(), ["down"]);
    assert!(refused(gate.accept(event("d")).await).ends_with("the broker is down: no answer in time"));
}

/// Whether it waits, after it was asked once.
async fn futures_poll(future: std::pin::Pin<&mut impl Future>) -> bool {
    let mut future = future;
    std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

#[tokio::test]
async fn a_destination_that_the_policy_does_not_have_any_more_is_told() {
    let gate = Shop::new().gate();
    gate.direct.replace(std::iter::empty());
    assert!(refused(gate.accept(event("a")).await).ends_with("the policy has no such destination any more"));
}
