//! One destination's worker: takes what is due, as much at once as the breaker allows, and settles what came of it.

use super::{
    Observer, Terms,
    blame::{Blame, Blamed},
    breaker::{Breaker, Places},
    schedule::{self, chance},
    switches::Switch,
    telling::{DeadLetter, FailedAttempt, Telling},
};
use crate::{
    clock::Clock,
    destination::{Confirmed, Destination, PublishError, Retry},
    event::Record,
    spool::{Claim, Spool, Verdict},
    verdict::{Chain, Fault},
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::{Id, JoinError, JoinSet},
    time::sleep,
};

/// News comes by itself; should some be missed, its events wait no longer than this.
const LOOK: Duration = Duration::from_secs(30);
/// What is due in an instant is not looked for in a hurry.
const LOOK_SOON: Duration = Duration::from_millis(1);
/// Why an event failed whose attempt never came to its end.
const PANICKED: &str = "panicked";

pub(super) struct Forwarder<D> {
    name: String,
    spool: Spool,
    destination: Arc<D>,
    observer: Arc<dyn Observer>,
    clock: Arc<dyn Clock>,
    breaker: Breaker,
    blame: Blame,
    terms: watch::Receiver<Terms<D>>,
    last_failure: Option<String>,
    telling: Telling,
}

/// Attempts that are being made.
#[derive(Default)]
struct UnderWay {
    attempts: JoinSet<Attempt>,
    /// What each is about, should it panic.
    claims: HashMap<Id, (Claim, String)>,
}

/// How one attempt ended.
struct Attempt {
    claim: Claim,
    event_id: String,
    result: Result<Confirmed, PublishError>,
    /// Whether a delivery could be written down.
    settled: Result<(), Fault>,
}

impl<D: Destination + 'static> Forwarder<D> {
    pub(super) fn new(
        name: &str,
        spool: Spool,
        observer: Arc<dyn Observer>,
        clock: Arc<dyn Clock>,
        mut terms: watch::Receiver<Terms<D>>,
    ) -> Self {
        let (destination, breaker) = {
            let terms = terms.borrow_and_update();
            (terms.destination.clone(), Breaker::new(terms.concurrency))
        };
        let (name, blame, telling) = (name.to_owned(), Blame::default(), Telling::default());
        Self { name, spool, destination, observer, clock, breaker, blame, terms, last_failure: None, telling }
    }

    pub(super) async fn run(mut self, switch: Arc<Switch>) {
        let spool = self.spool.clone();
        let mut under_way = UnderWay::default();
        // The other end goes when the destination does.
        while self.terms.has_changed().is_ok() {
            let changed = spool.changed();
            let wait = self.fill(&mut under_way).await;
            tokio::select! {
                Some(attempt) = under_way.next() => self.ended(attempt).await,
                () = changed => {}
                () = sleep(wait) => {}
                changed = self.terms.changed() => if changed.is_ok() {
                    self.renew();
                },
                () = switch.turned_on() => {
                    self.breaker.enable();
                    self.observer.standing(&self.name, self.breaker.standing(), None); // the switch says so already
                }
            }
            self.tell_standing(&switch);
        }
        while let Some(attempt) = under_way.next().await {
            self.ended(attempt).await;
        }
    }

    /// It is written in another way, and so may be another: it is trusted as at the first time.
    fn renew(&mut self) {
        let Terms { destination, concurrency } = &*self.terms.borrow_and_update();
        self.destination = destination.clone();
        self.breaker = Breaker::new(*concurrency);
        self.blame = Blame::default();
    }

    fn tell_standing(&self, switch: &Switch) {
        let now = self.breaker.standing();
        if switch.stands(now) {
            self.observer.standing(&self.name, now, self.last_failure.as_deref());
        }
    }

    /// Starts as many attempts as may run now; says when to look again.
    async fn fill(&mut self, under_way: &mut UnderWay) -> Duration {
        let places = match self.breaker.places(self.clock.running()) {
            Places::Free(places) => places.saturating_sub(under_way.attempts.len()),
            Places::NotBefore(wait) => return wait,
            Places::Never => return LOOK,
        };
        if places == 0 {
            return LOOK; // the end of an attempt is heard of
        }
        for claim in self.spool.claim(&self.name, places) {
            match self.spool.read(claim.sequence) {
                Ok(record) => under_way.begin(claim, self.attempt(claim, record)),
                // What fails its checksum is never delivered; the operator hears of it.
                Err(fault) => self.die(claim, "", claim.attempts, fault.code()).await,
            }
        }
        self.spool.next_due(&self.name).map_or(LOOK, |due| due.clamp(LOOK_SOON, LOOK))
    }

    /// Publishes and settles in one task, so that attempts that end together share a sync.
    fn attempt(&self, claim: Claim, record: Record) -> (String, impl Future<Output = Attempt> + Send + 'static) {
        let (destination, spool, name) = (self.destination.clone(), self.spool.clone(), self.name.clone());
        let event_id = record.id.clone();
        let work = async move {
            let result = destination.publish(&record).await;
            let settled = match &result {
                Ok(_) => spool.settle(claim.sequence, &name, Verdict::Delivered).await,
                Err(_) => Ok(()),
            };
            Attempt { claim, event_id: record.id, result, settled }
        };
        (event_id, work)
    }

    async fn ended(&mut self, Attempt { claim, event_id, result, settled }: Attempt) {
        if let Err(fault) = settled {
            self.observer.not_settled(&self.name, &event_id, &fault);
        }
        self.observer.attempted(&self.name, &event_id, result.as_ref().copied());
        let Err(error) = result else {
            self.blame.passed(claim.sequence);
            return self.breaker.passed();
        };
        self.last_failure = Some(Chain(&error).to_string());
        match self.blame.of(claim.sequence, error.retry) {
            Blamed::Destination { after } => {
                self.breaker.failed(after, chance(), self.clock.running());
                let wait = match self.breaker.places(self.clock.running()) {
                    Places::NotBefore(wait) => wait,
                    Places::Free(_) | Places::Never => Duration::ZERO,
                };
                self.tell_failure(claim.attempts.saturating_add(1), &event_id, &error.reason, wait);
                self.spool.release(claim, &self.name);
            }
            Blamed::Disabled => {
                self.breaker.disable();
                self.spool.release(claim, &self.name);
            }
            Blamed::Event { after, refused } => {
                if refused {
                    self.breaker.refused();
                } else {
                    self.breaker.struggled();
                }
                self.again(claim, &event_id, refused, after, &error.reason).await;
            }
        }
    }

    async fn again(&mut self, claim: Claim, event_id: &str, refused: bool, after: Option<Duration>, reason: &str) {
        let attempt = claim.attempts.saturating_add(1);
        match schedule::wait(attempt, refused, after, chance()) {
            Some(wait) => {
                self.tell_failure(attempt, event_id, reason, wait);
                self.spool.tried(claim, &self.name, wait, reason);
            }
            None => self.die(claim, event_id, attempt, reason).await,
        }
    }

    fn tell_failure(&mut self, attempt: u32, event_id: &str, reason: &str, wait: Duration) {
        let Some(untold) = self.telling.again(self.clock.running()) else { return };
        let (destination, next) = (self.name.as_str(), self.clock.now() + wait);
        self.observer.failed(&FailedAttempt { destination, event_id, attempt, reason, next, untold });
    }

    /// Told once it is written: until then it would be tried again after a crash.
    async fn die(&self, claim: Claim, event_id: &str, attempts: u32, reason: &str) {
        let verdict = Verdict::Dead { attempts, reason: reason.to_owned() };
        match self.spool.settle(claim.sequence, &self.name, verdict).await {
            Ok(()) => self.observer.died(&DeadLetter { destination: &self.name, event_id, attempts, reason }),
            Err(fault) => {
                self.observer.not_settled(&self.name, event_id, &fault);
                self.spool.release(claim, &self.name);
            }
        }
    }
}

impl UnderWay {
    fn begin(&mut self, claim: Claim, attempt: (String, impl Future<Output = Attempt> + Send + 'static)) {
        let (event_id, work) = attempt;
        let id = self.attempts.spawn(work).id();
        self.claims.insert(id, (claim, event_id));
    }

    /// The next one that ends; `None` if none is under way.
    async fn next(&mut self) -> Option<Attempt> {
        loop {
            match self.attempts.join_next_with_id().await? {
                Ok((id, attempt)) => {
                    self.claims.remove(&id);
                    return Some(attempt);
                }
                Err(error) => {
                    if let Some(attempt) = self.panicked(error) {
                        return Some(attempt);
                    }
                }
            }
        }
    }

    /// A defect of ours costs its event an attempt, and not its place in the queue.
    fn panicked(&mut self, error: JoinError) -> Option<Attempt> {
        let (claim, event_id) = self.claims.remove(&error.id())?;
        let retry = Retry::Event { after: None };
        let error = PublishError { reason: PANICKED.to_owned(), retry, source: Some(error.into()) };
        Some(Attempt { claim, event_id, result: Err(error), settled: Ok(()) })
    }
}

#[cfg(test)]
mod tests;
