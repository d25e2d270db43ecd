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
    policy::{self, Policy},
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
#[expect(missing_debug_implementations, reason = "holds what deliveries are signed with")]
pub struct Forwarders<O> {
    outbound: O,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    spool: Spool,
    posts: BTreeMap<String, Post<O>>,
    enable: watch::Sender<u64>,
    tasks: JoinSet<()>,
}

/// The destinations of another policy, in order.
#[expect(missing_debug_implementations, reason = "holds what deliveries are signed with")]
pub struct Prepared<O>(Vec<(Written, Terms<Http<O>>)>);

/// One forwarder, from outside. It ends when this is dropped.
struct Post<O> {
    written: Written,
    terms: watch::Sender<Terms<Http<O>>>,
}

/// Of what a destination is made: what is written the same is the same, and keeps its breaker.
struct Written {
    destination: policy::Destination,
    public_url: Option<String>,
    sign: Option<Secret>,
}

/// By what a forwarder goes.
struct Terms<D> {
    destination: Arc<D>,
    concurrency: usize,
}

/// Without news a forwarder looks by itself this often.
const LOOK: Duration = Duration::from_secs(1);

impl<O: Outbound + Clone + 'static> Forwarders<O> {
    /// None yet.
    pub fn new(spool: Spool, outbound: O, clock: Arc<dyn Clock>, observer: Arc<dyn Observer>) -> Self {
        let (enable, _) = watch::channel(0);
        Self { outbound, clock, observer, spool, posts: BTreeMap::new(), enable, tasks: JoinSet::new() }
    }

    /// One for each destination of the policy. `signers` holds the secrets by destination.
    ///
    /// # Errors
    /// [`BadUrl`], and nothing has changed.
    pub fn prepare(&self, policy: &Policy, signers: &BTreeMap<String, Secret>) -> Result<Prepared<O>, BadUrl> {
        let public_url = policy.settings.public_url.clone();
        let prepared = policy.destinations.iter().map(|destination| {
            let sign = signers.get(&destination.name).cloned();
            let (outbound, clock) = (self.outbound.clone(), self.clock.clone());
            let http = Http::new(outbound, clock, destination, public_url.as_deref(), sign.clone())?;
            let written = Written { destination: destination.clone(), public_url: public_url.clone(), sign };
            Ok((written, Terms { destination: Arc::new(http), concurrency: destination.concurrency }))
        });
        prepared.collect::<Result<_, _>>().map(Prepared)
    }

    /// From now on events go to these destinations. Attempts under way come to their end; events of a destination that
    /// is no more stay where they are.
    pub fn replace(&mut self, Prepared(destinations): Prepared<O>) {
        let mut before = std::mem::take(&mut self.posts);
        for (written, terms) in destinations {
            let name = written.destination.name.clone();
            let post = match before.remove(&name) {
                Some(post) if post.written.is(&written) => post,
                Some(post) => {
                    post.terms.send_replace(terms);
                    Post { written, ..post }
                }
                None => self.open(written, terms),
            };
            self.posts.insert(name, post);
        }
        while self.tasks.try_join_next().is_some() {}
    }

    fn open(&mut self, written: Written, terms: Terms<Http<O>>) -> Post<O> {
        let breaker = Breaker::new(terms.concurrency);
        let destination = terms.destination.clone();
        let (tell, told) = watch::channel(terms);
        let forwarder = Forwarder {
            name: written.destination.name.clone(),
            spool: self.spool.clone(),
            destination,
            observer: self.observer.clone(),
            breaker,
            terms: told,
            enabled: self.enable.subscribe(),
        };
        self.tasks.spawn(forwarder.run());
        Post { written, terms: tell }
    }

    /// A destination that said 410 is asked again.
    pub fn enable(&self) {
        self.enable.send_modify(|times| *times += 1);
    }

    /// No new attempts; those under way have `within` to finish, and what is cut is due again after the next start.
    pub async fn stop(mut self, within: Duration) {
        self.posts.clear();
        let _ = timeout(within, async { while self.tasks.join_next().await.is_some() {} }).await;
        self.tasks.shutdown().await;
    }
}

impl Written {
    fn is(&self, other: &Self) -> bool {
        let same_key = match (&self.sign, &other.sign) {
            (Some(one), Some(other)) => one.is(other.expose()),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        same_key && self.destination == other.destination && self.public_url == other.public_url
    }
}

struct Forwarder<D> {
    name: String,
    spool: Spool,
    destination: Arc<D>,
    observer: Arc<dyn Observer>,
    breaker: Breaker,
    terms: watch::Receiver<Terms<D>>,
    enabled: watch::Receiver<u64>,
}

/// How one attempt ended.
struct Attempt {
    claim: Claim,
    event_id: String,
    result: Result<(), PublishError>,
}

impl<D: Destination + 'static> Forwarder<D> {
    async fn run(mut self) {
        let mut under_way: JoinSet<Attempt> = JoinSet::new();
        // The other end goes when the destination does.
        while self.terms.has_changed().is_ok() {
            let spool = self.spool.clone();
            let changed = spool.changed();
            let wait = self.fill(&mut under_way).await;
            tokio::select! {
                Some(attempt) = under_way.join_next() => if let Ok(attempt) = attempt {
                    self.ended(attempt).await;
                },
                () = changed => {}
                () = sleep(wait) => {}
                changed = self.terms.changed() => if changed.is_ok() {
                    self.renew();
                },
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

    /// It is written in another way, and so may be another: it is trusted as at the first time.
    fn renew(&mut self) {
        let Terms { destination, concurrency } = &*self.terms.borrow_and_update();
        self.destination = destination.clone();
        if self.breaker.is_open() {
            self.observer.breaker(&self.name, false, false);
        }
        self.breaker = Breaker::new(*concurrency);
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

#[cfg(test)]
mod tests;
