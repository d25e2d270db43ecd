//! Which routes expect that their sender hands over a key? An operator says so, for some minutes; the first call that
//! does it ends it, and so does the time.

use crate::{clock::Timestamp, verdict::Fault, verify::Handed};
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};

/// The routes that are armed. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Arming {
    routes: Arc<Mutex<BTreeMap<String, Armed>>>,
}

/// One route, and which of its keys is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Armed {
    /// The key's label.
    pub key: String,
    /// When it ends, for people.
    pub until: Timestamp,
    /// When it ends whatever somebody does to the clock.
    deadline: Instant,
}

/// A key that somebody who keeps keys is asked to keep. Nothing is answered before it was told.
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct Offer {
    /// The route's name.
    pub route: String,
    /// The key's label.
    pub key: String,
    /// The key.
    pub handed: Handed,
    /// From where it came.
    pub client: IpAddr,
    /// Gone once the vendor's answer was due: then nobody must keep it.
    pub tell: oneshot::Sender<Result<(), Fault>>,
}

/// What a gate can do with keys that are handed over.
#[derive(Clone, Debug)]
pub struct Handovers {
    /// What is armed.
    pub arming: Arming,
    /// Who keeps them.
    pub keeper: mpsc::Sender<Offer>,
}

/// What was armed when this request came, if it is the one that ended that.
pub(super) struct Handover<'a> {
    handovers: &'a Handovers,
    armed: Mutex<Option<(String, Armed)>>,
}

impl<'a> Handover<'a> {
    pub(super) fn new(handovers: &'a Handovers) -> Self {
        Self { handovers, armed: Mutex::new(None) }
    }

    pub(super) fn disarm(&self, route: &str, now: Timestamp) -> Option<String> {
        let armed = self.handovers.arming.take(route, now)?;
        let key = armed.key.clone();
        *self.armed() = Some((route.to_owned(), armed));
        Some(key)
    }

    /// Has the key kept and put in force, or leaves everything as it was.
    pub(super) async fn keep(
        &self,
        route: &str,
        handed: Handed,
        client: IpAddr,
        deadline: Instant,
    ) -> Result<(), Fault> {
        let key = self.armed().as_ref().map(|(_, armed)| armed.key.clone());
        let Some(key) = key else { return Err(Fault::KeyNotKept("the route is not armed".into())) };
        let (tell, told) = oneshot::channel();
        let offer = Offer { route: route.to_owned(), key, handed, client, tell };
        let keeping = async {
            let leaving = || Fault::KeyNotKept("the gate is about to stop".into());
            self.handovers.keeper.send(offer).await.map_err(|_| leaving())?;
            told.await.unwrap_or_else(|_| Err(leaving()))
        };
        timeout_at(deadline, keeping).await.unwrap_or(Err(Fault::TooLate))?;
        *self.armed() = None;
        Ok(())
    }

    fn armed(&self) -> MutexGuard<'_, Option<(String, Armed)>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whatever came between, a client that went away included: an attempt that failed leaves the route as armed as it was.
impl Drop for Handover<'_> {
    fn drop(&mut self) {
        if let Some((route, armed)) = self.armed().take() {
            self.handovers.arming.restore(&route, armed);
        }
    }
}

impl Arming {
    /// From now on, for so long. A route expects one key: the one that was said last.
    pub fn arm(&self, route: &str, key: &str, now: Timestamp, within: Duration) -> Armed {
        let armed = Armed { key: key.to_owned(), until: now + within, deadline: Instant::now() + within };
        self.routes().insert(route.to_owned(), armed.clone());
        armed
    }

    /// Whether it was.
    pub fn disarm(&self, route: &str, now: Timestamp) -> bool {
        self.take(route, now).is_some()
    }

    /// Those that are armed now.
    pub fn standing(&self, now: Timestamp) -> BTreeMap<String, Armed> {
        let mut routes = self.routes();
        routes.retain(|_, armed| armed.is_still(now));
        routes.clone()
    }

    /// To one caller only: of two at once, the other hears that nothing is armed.
    pub(super) fn take(&self, route: &str, now: Timestamp) -> Option<Armed> {
        self.routes().remove(route).filter(|armed| armed.is_still(now))
    }

    /// After a hand-over that failed: a vendor's next attempt must not find it used up. What was armed anew since then
    /// stays.
    pub(super) fn restore(&self, route: &str, armed: Armed) {
        self.routes().entry(route.to_owned()).or_insert(armed);
    }

    fn routes(&self) -> MutexGuard<'_, BTreeMap<String, Armed>> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Armed {
    fn is_still(&self, now: Timestamp) -> bool {
        now < self.until && Instant::now() < self.deadline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN_MINUTES: Duration = Duration::from_mins(10);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_s(second)
    }

    #[tokio::test]
    async fn a_route_is_armed_for_one_call_and_for_its_time() {
        let arming = Arming::default();
        assert_eq!(arming.take("asana", at(0)), None);
        let armed = arming.arm("asana", "first", at(0), TEN_MINUTES);
        assert_eq!(arming.take("notion", at(0)), None, "of another route");
        assert_eq!(arming.take("asana", at(599)), Some(armed.clone()));
        assert_eq!(arming.take("asana", at(599)), None, "it has been used");
        arming.restore("asana", armed.clone());
        assert_eq!(arming.standing(at(599)).len(), 1);
        assert_eq!(arming.standing(at(600)).len(), 0);
        arming.restore("asana", armed.clone());
        assert_eq!(arming.take("asana", at(600)), None, "its time is over");
        let newer = arming.arm("asana", "second", at(0), TEN_MINUTES);
        arming.restore("asana", armed);
        assert_eq!(arming.take("asana", at(0)), Some(newer), "what was said last holds");
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_put_back_arms_for_no_longer() {
        let arming = Arming::default();
        arming.arm("asana", "first", at(1000), TEN_MINUTES);
        tokio::time::advance(TEN_MINUTES).await;
        assert_eq!(arming.take("asana", at(0)), None);
    }

    #[test]
    fn of_many_at_once_one_hands_over() {
        let arming = Arming::default();
        arming.arm("asana", "first", at(0), TEN_MINUTES);
        let took = std::thread::scope(|threads| {
            let tries: Vec<_> = (0..8).map(|_| threads.spawn(|| arming.take("asana", at(0)).is_some())).collect();
            tries.into_iter().map(|taken| usize::from(taken.join().unwrap())).sum::<usize>()
        });
        assert_eq!(took, 1);
    }
}
