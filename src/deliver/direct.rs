//! Events that a broker keeps, and nobody else: accepted when it has confirmed them.
//!
//! The broker knows an event again by its id, which is derived from the event's key, so that a retry of which no answer
//! came is safe on any gate and after any restart. This process remembers keys as well, in memory alone: a repeat that it
//! has seen costs the broker nothing, and copies in parallel wait for the first.

use super::{
    Observer,
    breaker::{Breaker, Places},
    schedule::chance,
    switches::Standing,
};
use crate::{
    clock::Clock,
    destination::{Confirmed, Destination, PublishError, Retry},
    event::Event,
    ledger::{Accepted, Known, Ledger, Receipt},
    spool::Spool,
    verdict::{BoxError, Chain, Fault},
};
use arc_swap::ArcSwap;
use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::Notify;

/// The way of events to brokers that keep them instead of the gate. Clones lead to the same ones.
#[expect(missing_debug_implementations, reason = "holds what deliveries are signed with")]
pub struct Direct<D> {
    shared: Arc<Shared<D>>,
}

struct Shared<D> {
    /// For what this process remembers.
    spool: Spool,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    lines: ArcSwap<BTreeMap<String, Arc<Line<D>>>>,
    accepted: AtomicU64,
}

/// So many may wait for a place; a broker that is as slow as that will not have taken more before their answers are due.
const WAITING_MAX: usize = 1024;

/// One destination, and what it is trusted with.
pub(super) struct Line<D> {
    name: String,
    destination: Arc<D>,
    state: Mutex<State>,
    left: Notify,
}

struct State {
    breaker: Breaker,
    in_flight: usize,
    waiting: usize,
    /// As it was told last.
    told: Standing,
    last_failure: Option<String>,
}

impl<D> Clone for Direct<D> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<D: Destination> Direct<D> {
    pub(super) fn new(spool: Spool, clock: Arc<dyn Clock>, observer: Arc<dyn Observer>) -> Self {
        let (lines, accepted) = (ArcSwap::default(), AtomicU64::default());
        Self { shared: Arc::new(Shared { spool, clock, observer, lines, accepted }) }
    }

    /// From now on these are the destinations.
    pub(super) fn replace(&self, lines: impl Iterator<Item = Arc<Line<D>>>) {
        self.shared.lines.store(Arc::new(lines.map(|line| (line.name.clone(), line)).collect()));
    }

    /// Whether this destination may be asked now.
    ///
    /// # Errors
    /// A [`Fault`] while it is known to be down.
    pub fn ready(&self, destination: &str) -> Result<(), Fault> {
        let line = self.line(destination)?;
        let state = line.state();
        match state.breaker.places(self.shared.clock.running()) {
            Places::Free(_) => Ok(()),
            Places::NotBefore(_) | Places::Never => Err(state.down()),
        }
    }

    fn line(&self, destination: &str) -> Result<Arc<Line<D>>, Fault> {
        let line = self.shared.lines.load().get(destination).cloned();
        line.ok_or_else(|| Fault::Ledger("the policy has no such destination any more".into()))
    }
}

impl<D: Destination> Ledger for Direct<D> {
    async fn accept(&self, event: Event) -> Result<Accepted, Fault> {
        let shared = &*self.shared;
        let claim = match shared.spool.elsewhere(event.keys()).await? {
            Ok(claim) => claim,
            Err(known) => return Ok(Accepted::Again(known)),
        };
        let record = event.into_record();
        let line = self.line(record.to.first().map_or("", String::as_str))?;
        let attempt = line.enter(shared).await?;
        let result = line.destination.publish(&record).await;
        shared.observer.attempted(&line.name, &record.id, result.as_ref().copied());
        attempt.ended(&result);
        let confirmed = result.map_err(fault)?;
        claim.kept();
        Ok(match confirmed {
            Confirmed::Taken => {
                let position = shared.accepted.fetch_add(1, Ordering::AcqRel) + 1;
                Accepted::New(Receipt::durable(record.id, position))
            }
            Confirmed::Known => Accepted::Again(Known { changed: None, success: None }),
        })
    }
}

/// A sender that repeats what is too large gains nothing by it.
fn fault(error: PublishError) -> Fault {
    if error.reason == PublishError::TOO_LARGE {
        Fault::EventTooLarge(error.into())
    } else {
        Fault::Ledger(error.into())
    }
}

impl<D> Line<D> {
    pub(super) fn new(name: &str, destination: Arc<D>, concurrency: usize) -> Self {
        let breaker = Breaker::new(concurrency);
        let state = State { breaker, in_flight: 0, waiting: 0, told: Standing::Up, last_failure: None };
        Self { name: name.to_owned(), destination, state: Mutex::new(state), left: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place, for as long as its sender does; never for a broker that is down, nor behind too many others.
    async fn enter<'a>(&'a self, shared: &'a Shared<D>) -> Result<Attempt<'a, D>, Fault> {
        let mut waits = None;
        loop {
            let mut left = pin!(self.left.notified());
            left.as_mut().enable();
            {
                let mut state = self.state();
                match state.breaker.places(shared.clock.running()) {
                    Places::Free(most) if state.in_flight < most => {
                        state.in_flight += 1;
                        if state.in_flight < most {
                            self.left.notify_one(); // there is room for the next, too
                        }
                        return Ok(Attempt { line: self, shared, ended: false });
                    }
                    // Another one probes.
                    Places::Free(_) if state.breaker.standing() != Standing::Up => return Err(state.down()),
                    Places::Free(_) if waits.is_some() => {}
                    Places::Free(_) if state.waiting < WAITING_MAX => {
                        state.waiting += 1;
                        waits = Some(Waits(self));
                    }
                    Places::Free(_) => return Err(Fault::LedgerBusy),
                    Places::NotBefore(_) | Places::Never => return Err(state.down()),
                }
            }
            left.await;
        }
    }
}

impl State {
    fn down(&self) -> Fault {
        let why = self.last_failure.as_deref().unwrap_or("it fails");
        Fault::Ledger(BoxError::from(format!("the broker is down: {why}")))
    }
}

/// One that waits for a place.
struct Waits<'a, D>(&'a Line<D>);

impl<D> Drop for Waits<'_, D> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.waiting = state.waiting.saturating_sub(1);
    }
}

/// One event on its way. Dropped without an end, no answer came while its sender waited.
struct Attempt<'a, D> {
    line: &'a Line<D>,
    shared: &'a Shared<D>,
    ended: bool,
}

impl<D> Attempt<'_, D> {
    fn ended(mut self, result: &Result<Confirmed, PublishError>) {
        self.ended = true;
        self.leave(|state, shared| match result {
            Ok(_) => state.breaker.passed(),
            Err(error) => {
                state.last_failure = Some(Chain(error).to_string());
                match error.retry {
                    Retry::Destination { after } => state.breaker.failed(after, chance(), shared.clock.running()),
                    Retry::Unknown | Retry::Disabled => state.breaker.failed(None, chance(), shared.clock.running()),
                    Retry::Event { .. } => state.breaker.struggled(),
                    Retry::Refused => state.breaker.refused(),
                }
            }
        });
    }

    fn leave(&self, end: impl FnOnce(&mut State, &Shared<D>)) {
        let (standing, is_news, why) = {
            let mut state = self.line.state();
            state.in_flight = state.in_flight.saturating_sub(1);
            end(&mut state, self.shared);
            let standing = state.breaker.standing();
            let is_news = std::mem::replace(&mut state.told, standing) != standing;
            (standing, is_news, state.last_failure.clone())
        };
        match standing {
            // A place is free, and one that waits takes it.
            Standing::Up => self.line.left.notify_one(),
            // Nobody waits for one that is down.
            Standing::Down | Standing::Disabled => self.line.left.notify_waiters(),
        }
        if is_news {
            self.shared.observer.standing(&self.line.name, standing, why.as_deref());
        }
    }
}

impl<D> Drop for Attempt<'_, D> {
    fn drop(&mut self) {
        if !self.ended {
            self.leave(|state, shared| {
                state.last_failure = Some("no answer in time".to_owned());
                state.breaker.failed(None, chance(), shared.clock.running());
            });
        }
    }
}

#[cfg(test)]
mod tests;
