//! Gates in front of one broker that keeps their events: what the ledger's suite stops, breaks and opens again.

use super::ledger::Rig;
use crate::{
    clock::SystemClock,
    deliver::{BadDestination, DeadLetter, Direct, FailedAttempt, Forwarders, Maker, Observer, Standing},
    destination::{Confirmed, Destination, Load, PublishError, Retry},
    event::{Event, Record},
    ledger::{Accepted, Lease, Leased, Leases, Ledger, Settled},
    policy::{self, tests::compiled},
    repeat::RepeatKeys,
    secret::Secret,
    spool::{Settings, Spool},
    verdict::Fault,
};
use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::sync::Notify;

/// A broker, as a suite sees it beside the gate.
pub(crate) trait Broker: Sync {
    type Destination: Destination + 'static;
    /// Where a gate hands its events over.
    fn destination(&self) -> Self::Destination;
    /// It is killed and comes back.
    fn restart(&self);
    /// What a consumer finds, oldest first.
    async fn kept(&self) -> Vec<Record>;
}

/// In front of a broker: slow or broken as a test wants it, before anything arrives.
#[derive(Default)]
pub(crate) struct Valve {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
pub(crate) struct State {
    held: bool,
    waiting: usize,
    /// So many of the next fail.
    pub(crate) fails: usize,
    /// So many came.
    pub(crate) asked: usize,
}

impl Valve {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn pass(&self) -> Result<(), PublishError> {
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
        if state.fails == 0 {
            return Ok(());
        }
        state.fails -= 1;
        let retry = Retry::Destination { after: None };
        Err(PublishError { reason: "out_of_space".into(), retry, source: None })
    }
}

/// Counts who is there.
struct Waiting<'a>(&'a Valve);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state().waiting -= 1;
    }
}

/// The broker behind its valve.
pub(crate) struct Behind<D>(Arc<Valve>, D);

impl<D: Destination> Destination for Behind<D> {
    async fn publish(&self, record: &Record) -> Result<Confirmed, PublishError> {
        self.0.pass().await?;
        self.1.publish(record).await
    }
}

/// What is told, in order.
#[derive(Default)]
struct Ears(Mutex<Vec<String>>);

impl Observer for Ears {
    fn attempted(&self, _: &str, _: &str, result: Result<Confirmed, &PublishError>) {
        self.0.lock().unwrap().push(result.map_or_else(|error| error.reason.clone(), |ok| ok.code().to_owned()));
    }
    fn failed(&self, _: &FailedAttempt<'_>) {}
    fn died(&self, _: &DeadLetter<'_>) {}
    fn standing(&self, _: &str, now: Standing, _: Option<&str>) {
        self.0.lock().unwrap().push(now.code().to_owned());
    }
    fn not_settled(&self, _: &str, _: &str, _: &Fault) {}
}

/// One gate after another in front of the same broker.
pub(crate) struct Shop<B> {
    pub(crate) broker: B,
    pub(crate) valve: Arc<Valve>,
    ears: Arc<Ears>,
    folders: Mutex<Vec<tempfile::TempDir>>,
}

/// So many at once.
pub(crate) const CONCURRENCY: usize = 2;

struct Made<D>(Mutex<Option<Behind<D>>>);

impl<D: Destination + 'static> Maker for Made<D> {
    type Destination = Behind<D>;

    fn make(
        &self,
        _: &policy::Destination,
        _: Option<&str>,
        _: Option<&Secret>,
        _: Load,
    ) -> Result<Behind<D>, BadDestination> {
        Ok(self.0.lock().unwrap().take().unwrap())
    }
}

impl<B: Broker> Shop<B> {
    pub(crate) fn before(broker: B) -> Self {
        Self { broker, valve: Arc::default(), ears: Arc::default(), folders: Mutex::default() }
    }

    /// One that remembers nothing.
    pub(crate) fn gate(&self) -> Gate<B::Destination> {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { folder: folder.path().join("spool"), bytes: 16 << 20, free: 0 };
        let (spool, _) = Spool::open(settings, Arc::new(SystemClock)).unwrap();
        self.folders.lock().unwrap().push(folder);
        let made = Made(Mutex::new(Some(Behind(self.valve.clone(), self.broker.destination()))));
        let mut forwarders = Forwarders::new(spool.clone(), made, Arc::new(SystemClock), self.ears.clone());
        let text = format!(
            "routes: {{}}\ndestinations: {{ wordpress: {{ url: 'http://127.0.0.1:9/', concurrency: {CONCURRENCY} }} }}\n"
        );
        let policy = compiled(&text).unwrap_or_else(|report| panic!("{report}")).policy;
        forwarders.replace(forwarders.prepare(&policy, &BTreeMap::new()).unwrap());
        Gate { direct: forwarders.direct(), spool }
    }

    pub(crate) fn heard(&self) -> Vec<String> {
        self.ears.0.lock().unwrap().clone()
    }
}

/// A gate.
pub(crate) struct Gate<D> {
    pub(crate) direct: Direct<Behind<D>>,
    pub(crate) spool: Spool,
}

impl<D> Clone for Gate<D> {
    fn clone(&self) -> Self {
        Self { direct: self.direct.clone(), spool: self.spool.clone() }
    }
}

impl<D: Destination> Ledger for Gate<D> {
    async fn accept(&self, event: Event) -> Result<Accepted, Fault> {
        self.direct.accept(event).await
    }
}

impl<D: Destination> Leases for Gate<D> {
    async fn lease(&self, keys: &RepeatKeys, hold: Duration) -> Result<Leased, Fault> {
        self.spool.lease(keys, hold).await
    }

    async fn settle(&self, lease: Lease, settled: Settled) -> Result<(), Fault> {
        Leases::settle(&self.spool, lease, settled).await
    }
}

impl<B: Broker> Rig for Shop<B> {
    type Engine = Gate<B::Destination>;

    async fn open(&self) -> Self::Engine {
        self.gate()
    }

    async fn reopen(&self, _: Self::Engine) -> Self::Engine {
        self.broker.restart();
        self.gate()
    }

    fn hold(&self) {
        self.valve.state().held = true;
    }

    fn go_on(&self) {
        self.valve.state().held = false;
        self.valve.changed.notify_waiters();
    }

    fn fail(&self) {
        {
            let mut state = self.valve.state();
            state.fails = if state.held { state.waiting } else { 1 };
        }
        self.go_on();
    }

    async fn mended(&self, _: &Self::Engine) {}

    async fn kept(&self, _: &Self::Engine) -> Vec<Record> {
        self.broker.kept().await
    }
}
