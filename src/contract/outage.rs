//! A queue in front of a broker that fails: nothing that was accepted is lost, and what comes twice is counted.

use super::{brokers::Server, event_with, keys};
use crate::{
    clock::SystemClock,
    deliver::{DeadLetter, FailedAttempt, Forwarders, Maker, Observer, Standing},
    destination::{Confirmed, PublishError, Remark, Remarks},
    edge::install_crypto,
    event::{Event, Record},
    ledger::Ledger as _,
    policy::{self, tests::compiled},
    secret::Secret,
    spool::{DestinationStats, Settings, Spool},
    verdict::{Chain, Fault},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// The destination's name.
pub(crate) const BROKER: &str = "broker";

/// What a policy says in these braces, as a destination.
pub(crate) fn destination(written: &str) -> policy::Destination {
    install_crypto().unwrap();
    let text = format!("routes: {{}}\ndestinations: {{ {BROKER}: {{ {written} }} }}\n");
    let compiled = compiled(&text).unwrap_or_else(|report| panic!("{report}"));
    compiled.policy.destinations.into_iter().next().unwrap()
}

/// Everything that is told, counted.
#[derive(Default)]
pub(crate) struct Ears(Mutex<BTreeMap<String, usize>>);

impl Ears {
    fn hear(&self, what: &str) {
        *self.0.lock().unwrap().entry(what.to_owned()).or_default() += 1;
    }

    pub(crate) fn heard(&self, what: &str) -> usize {
        self.0.lock().unwrap().get(what).copied().unwrap_or_default()
    }
}

impl Remarks for Ears {
    fn remark(&self, destination: &str, remark: &Remark) {
        assert_eq!(destination, BROKER);
        self.hear(remark.code());
    }
}

impl Observer for Ears {
    fn attempted(&self, _: &str, _: &str, result: Result<Confirmed, &PublishError>) {
        self.hear(result.map_or_else(|error| error.reason.as_str(), |confirmed| confirmed.code()));
    }
    fn failed(&self, _: &FailedAttempt<'_>) {}
    fn died(&self, letter: &DeadLetter<'_>) {
        panic!("it died: {letter:?}");
    }
    fn standing(&self, _: &str, now: Standing, _: Option<&str>) {
        self.hear(now.code());
    }
    fn not_settled(&self, _: &str, event_id: &str, fault: &Fault) {
        panic!("{event_id}: {fault}");
    }
}

/// From accepted events to a broker.
pub(crate) struct Flow<M: Maker> {
    pub(crate) ears: Arc<Ears>,
    spool: Spool,
    forwarders: Forwarders<M>,
    accepted: usize,
    _folder: tempfile::TempDir,
}

/// Longer than any outage here and what a breaker adds to it.
const PATIENCE: Duration = Duration::from_secs(50);

impl<M: Maker> Flow<M> {
    pub(crate) fn to(
        destination: policy::Destination,
        secret: Option<&str>,
        maker: impl FnOnce(Arc<Ears>) -> M,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { folder: folder.path().join("spool"), bytes: 64 << 20, free: 0 };
        let (spool, _) = Spool::open(settings, Arc::new(SystemClock)).unwrap();
        let ears = Arc::<Ears>::default();
        let mut forwarders = Forwarders::new(
            spool.clone(),
            maker(ears.clone()),
            Arc::new(SystemClock),
            ears.clone() as Arc<dyn Observer>,
        );
        let mut policy = policy::Policy::pass_through(([127, 0, 0, 1], 0).into(), "http://127.0.0.1:1");
        policy.destinations = vec![destination];
        let secret = secret.map(|text| (BROKER.to_owned(), Secret::new(text).unwrap()));
        let prepared = forwarders.prepare(&policy, &secret.into_iter().collect()).unwrap();
        forwarders.replace(prepared);
        Self { ears, spool, forwarders, accepted: 0, _folder: folder }
    }

    /// So many more, of 1 KiB each; returns when they are durable here.
    pub(crate) async fn accept(&mut self, many: usize) {
        for _ in 0..many {
            self.spool.accept(called(&format!("evt_{}", self.accepted))).await.unwrap();
            self.accepted += 1;
        }
    }

    /// So many more, one after another, straight to the broker. Their sender repeats each until it hears that it is
    /// accepted; how often it heard something else.
    pub(crate) async fn hand_over(&mut self, many: usize) -> usize {
        let (direct, mut refusals) = (self.forwarders.direct(), 0);
        for _ in 0..many {
            let (id, began) = (format!("evt_{}", self.accepted), Instant::now());
            while direct.accept(called(&id)).await.is_err() {
                assert!(began.elapsed() < PATIENCE, "never accepted: {id}");
                refusals += 1;
                sleep(Duration::from_millis(5)).await;
            }
            self.accepted += 1;
        }
        refusals
    }

    /// One more, once; whether it is accepted. If not, it is the next one's turn to be the same.
    pub(crate) async fn hand_over_once(&mut self) -> bool {
        let accepted = self.forwarders.direct().accept(called(&format!("evt_{}", self.accepted))).await.is_ok();
        self.accepted += usize::from(accepted);
        accepted
    }

    /// Why the broker does not take one more.
    pub(crate) async fn refuses(&self) -> String {
        let refused = self.forwarders.direct().accept(called(&format!("evt_{}", self.accepted))).await;
        Chain(&refused.expect_err("it is accepted")).to_string()
    }

    /// Waits until it is so.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            assert!(began.elapsed() < PATIENCE, "never: {what}; heard {:?}, {:?}", self.ears.0, self.stats());
            sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn until_heard(&self, what: &str) {
        self.until(what, |flow| flow.ears.heard(what) > 0).await;
    }

    /// So many are settled.
    pub(crate) async fn until_delivered(&self, many: usize) {
        self.until("delivered", |flow| flow.stats().delivered >= many as u64).await;
    }

    /// Everything accepted is confirmed, and the sums add up (C14).
    pub(crate) async fn all_delivered(&self) {
        self.until("all delivered", |flow| flow.stats().pending == 0).await;
        let stats = self.stats();
        let settled = (stats.accepted, stats.delivered, stats.dead, stats.dropped);
        assert_eq!(settled, (self.accepted as u64, self.accepted as u64, 0, 0));
    }

    fn stats(&self) -> DestinationStats {
        let stats = self.spool.stats().destinations.into_iter().find(|of| of.destination == BROKER);
        stats.unwrap_or_default()
    }

    /// Each accepted event is among these, which are in a broker; how many are there more than once.
    pub(crate) fn twice(&self, ids: &[String]) -> usize {
        let mut there: BTreeMap<&str, usize> = BTreeMap::new();
        for id in ids {
            *there.entry(id).or_default() += 1;
        }
        let lost: Vec<_> = (0..self.accepted).map(|number| format!("evt_{number}")).collect();
        let lost: Vec<_> = lost.iter().filter(|id| !there.contains_key(id.as_str())).collect();
        assert!(lost.is_empty(), "accepted, confirmed and not there: {lost:?}");
        assert_eq!(there.len(), self.accepted, "nothing else is there");
        ids.len() - there.len()
    }

    pub(crate) async fn stop(self) {
        self.forwarders.stop(Duration::from_secs(5)).await;
        self.spool.close().await;
    }
}

/// Events for a server that is killed, comes back, stands still and goes on; how often their sender was refused.
pub(crate) async fn directly<M: Maker>(flow: &mut Flow<M>, server: &Server) -> usize {
    let mut refusals = flow.hand_over(100).await;
    server.kill();
    flow.refuses().await;
    let up = async { server.start() };
    refusals += tokio::join!(flow.hand_over(100), up).0;
    server.pause(true);
    // While the signal is on its way it may still answer.
    while flow.hand_over_once().await {}
    server.pause(false);
    refusals + 1 + flow.hand_over(100).await
}

/// Of 1 KiB, for the broker.
fn called(id: &str) -> Event {
    let template = event_with(keys(id, 1), &[b'x'; 1024]);
    let record = Record { id: id.to_owned(), to: vec![BROKER.to_owned()], ..template.record().clone() };
    Event::for_tests(*template.keys(), record)
}
