//! Takes events from the spool to their destinations, until they are there, or dead with a reason.
//!
//! One forwarder a destination: a slow or dead one is nobody else's concern. Whose failure it is decides who waits: a
//! destination that is down opens its `breaker` and costs its events nothing; an answer about one event advances that
//! event's `schedule`.

mod breaker;
mod http;
mod schedule;

pub use http::BadUrl;

use crate::{
    clock::Clock,
    destination::{Destination, PublishError, Retry},
    outbound::Outbound,
    policy::Policy,
    secret::Secret,
    spool::{Claim, Spool, Verdict},
    verdict::Fault,
};
use breaker::Breaker;
use http::Http;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

/// Port: who hears what became of deliveries. Called from within forwarders, so it must not wait.
pub trait Observer: Send + Sync {
    /// One attempt ended: `delivered`, or the failure's reason.
    fn attempted(&self, destination: &str, event_id: &str, result: &str);
    /// An event will not be tried again.
    fn died(&self, destination: &str, event_id: &str, reason: &str);
    /// The breaker opened or closed; `disabled` by a 410 it stays open until somebody says otherwise.
    fn breaker(&self, destination: &str, open: bool, disabled: bool);
    /// The spool could not take a verdict: after a crash the event is sent again.
    fn not_settled(&self, destination: &str, event_id: &str, fault: &Fault);
}

/// All forwarders of a policy.
#[derive(Debug)]
pub struct Forwarders {
    stop: watch::Sender<bool>,
    enable: watch::Sender<u64>,
    tasks: JoinSet<()>,
}

/// Without news a forwarder looks by itself this often.
const LOOK: Duration = Duration::from_secs(1);

impl Forwarders {
    /// One for each destination of the policy. `signers` holds the secrets by destination.
    ///
    /// # Errors
    /// [`BadUrl`]: nothing was started.
    pub fn start<O: Outbound + Clone + 'static>(
        policy: &Policy,
        mut signers: BTreeMap<String, Secret>,
        spool: &Spool,
        outbound: &O,
        clock: &Arc<dyn Clock>,
        observer: &Arc<dyn Observer>,
    ) -> Result<Self, BadUrl> {
        let (stop, stopped) = watch::channel(false);
        let (enable, enabled) = watch::channel(0);
        let mut forwarders = Vec::new();
        for destination in &policy.destinations {
            let sign = signers.remove(&destination.name);
            let public = policy.settings.public_url.as_deref();
            let http = Http::new(outbound.clone(), clock.clone(), destination, public, sign)?;
            forwarders.push(Forwarder {
                name: destination.name.clone(),
                spool: spool.clone(),
                destination: Arc::new(http),
                observer: observer.clone(),
                breaker: Breaker::new(destination.concurrency),
                enabled: enabled.clone(),
            });
        }
        let mut tasks = JoinSet::new();
        for forwarder in forwarders {
            tasks.spawn(forwarder.run(stopped.clone()));
        }
        Ok(Self { stop, enable, tasks })
    }

    /// A destination that said 410 is asked again.
    pub fn enable(&self) {
        self.enable.send_modify(|times| *times += 1);
    }

    /// No new attempts; those under way have `within` to finish, and what is cut is due again after the next start.
    pub async fn stop(mut self, within: Duration) {
        let _ = self.stop.send(true);
        let _ = timeout(within, async { while self.tasks.join_next().await.is_some() {} }).await;
        self.tasks.shutdown().await;
    }
}

struct Forwarder<D> {
    name: String,
    spool: Spool,
    destination: Arc<D>,
    observer: Arc<dyn Observer>,
    breaker: Breaker,
    enabled: watch::Receiver<u64>,
}

/// How one attempt ended.
struct Attempt {
    claim: Claim,
    event_id: String,
    result: Result<(), PublishError>,
}

impl<D: Destination + 'static> Forwarder<D> {
    async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let mut under_way: JoinSet<Attempt> = JoinSet::new();
        loop {
            if *stopped.borrow() {
                break;
            }
            let spool = self.spool.clone();
            let changed = spool.changed();
            let wait = self.fill(&mut under_way).await;
            tokio::select! {
                Some(attempt) = under_way.join_next() => if let Ok(attempt) = attempt {
                    self.ended(attempt).await;
                },
                () = changed => {}
                () = sleep(wait) => {}
                _ = stopped.changed() => {}
                changed = self.enabled.changed() => if changed.is_ok() {
                    self.breaker.enable();
                    self.observer.breaker(&self.name, false, false);
                },
            }
        }
        while let Some(attempt) = under_way.join_next().await {
            if let Ok(attempt) = attempt {
                self.ended(attempt).await;
            }
        }
    }

    /// Starts as many attempts as may run now; says when to look again.
    async fn fill(&mut self, under_way: &mut JoinSet<Attempt>) -> Duration {
        let places = match self.breaker.places(Instant::now()) {
            Ok(places) => places.saturating_sub(under_way.len()),
            Err(wait) => return wait.unwrap_or(LOOK),
        };
        for claim in self.spool.claim(&self.name, places) {
            match self.spool.read(claim.sequence) {
                Ok(record) => {
                    let destination = self.destination.clone();
                    under_way.spawn(async move {
                        let result = destination.publish(&record).await;
                        Attempt { claim, event_id: record.id, result }
                    });
                }
                // What fails its checksum is never delivered; the operator hears of it.
                Err(fault) => self.die(claim, "", fault.code()).await,
            }
        }
        self.spool.next_due(&self.name).map_or(LOOK, |due| due.clamp(Duration::from_millis(1), LOOK))
    }

    async fn ended(&mut self, Attempt { claim, event_id, result }: Attempt) {
        let was_open = self.breaker.is_open();
        match result {
            Ok(()) => {
                self.breaker.answered();
                self.observer.attempted(&self.name, &event_id, "delivered");
                if let Err(fault) = self.spool.settle(claim.sequence, &self.name, Verdict::Delivered).await {
                    self.observer.not_settled(&self.name, &event_id, &fault);
                }
            }
            Err(error) => {
                self.observer.attempted(&self.name, &event_id, &error.reason);
                match error.retry {
                    Retry::Destination { after } => {
                        self.breaker.failed(after, chance(), Instant::now());
                        self.spool.release(claim, &self.name);
                    }
                    Retry::Disabled => {
                        self.breaker.disable();
                        self.spool.release(claim, &self.name);
                    }
                    Retry::Event { after } => {
                        self.breaker.answered();
                        self.again(claim, &event_id, false, after, &error.reason).await;
                    }
                    Retry::Refused => {
                        self.breaker.answered();
                        self.again(claim, &event_id, true, None, &error.reason).await;
                    }
                }
            }
        }
        if self.breaker.is_open() != was_open {
            let disabled = matches!(self.breaker.places(Instant::now()), Err(None));
            self.observer.breaker(&self.name, self.breaker.is_open(), disabled);
        }
    }

    async fn again(&self, claim: Claim, event_id: &str, refused: bool, after: Option<Duration>, reason: &str) {
        match schedule::wait(claim.attempts.saturating_add(1), refused, after, chance()) {
            Some(wait) => self.spool.tried(claim, &self.name, wait, reason),
            None => self.die(claim, event_id, reason).await,
        }
    }

    async fn die(&self, claim: Claim, event_id: &str, reason: &str) {
        self.observer.died(&self.name, event_id, reason);
        if let Err(fault) = self.spool.settle(claim.sequence, &self.name, Verdict::Dead(reason.to_owned())).await {
            self.observer.not_settled(&self.name, event_id, &fault);
            self.spool.release(claim, &self.name);
        }
    }
}

/// Between 0 and 1. Spreads retries, and need not be a secret.
fn chance() -> f64 {
    let mut bits = [0; 4];
    let _ = getrandom::fill(&mut bits);
    f64::from(u32::from_le_bytes(bits)) / f64::from(u32::MAX)
}
