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
    routes: Arc<Mutex<Routes>>,
}

#[derive(Debug, Default)]
struct Routes {
    places: BTreeMap<String, Place>,
    /// How often anything was armed.
    number: u64,
}

/// One route. It stays while a call is at it: whoever disarms the route then ends that call too.
#[derive(Debug)]
struct Place {
    armed: Armed,
    is_taken: bool,
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
    /// Tells it from one that an operator says later.
    number: u64,
}

/// A key that somebody who keeps keys is asked to keep. Nothing is answered before it was told.
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct Offer {
    /// The route's name.
    pub route: String,
    /// By what it is expected.
    pub armed: Armed,
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
        let armed = self.armed().as_ref().map(|(_, armed)| armed.clone());
        let Some(armed) = armed else { return Err(Fault::KeyNotKept("the route is not armed".into())) };
        let (tell, told) = oneshot::channel();
        let offer = Offer { route: route.to_owned(), armed, handed, client, tell };
        let keeping = async {
            let leaving = || Fault::KeyNotKept("the gate is about to stop".into());
            self.handovers.keeper.send(offer).await.map_err(|_| leaving())?;
            told.await.unwrap_or_else(|_| Err(leaving()))
        };
        timeout_at(deadline, keeping).await.unwrap_or(Err(Fault::TooLate))?;
        if let Some((route, armed)) = self.armed().take() {
            self.handovers.arming.end(&route, &armed);
        }
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
            self.handovers.arming.restore(&route, &armed);
        }
    }
}

impl Arming {
    /// From now on, for so long. A route expects one key: the one that was said last.
    pub fn arm(&self, route: &str, key: &str, now: Timestamp, within: Duration) -> Armed {
        let mut routes = self.routes();
        routes.number += 1;
        let (key, until, deadline, number) = (key.to_owned(), now + within, Instant::now() + within, routes.number);
        let armed = Armed { key, until, deadline, number };
        routes.places.insert(route.to_owned(), Place { armed: armed.clone(), is_taken: false });
        armed
    }

    /// Whether it was. A key that is just being handed over is not kept then.
    pub fn disarm(&self, route: &str, now: Timestamp) -> bool {
        self.routes().places.remove(route).is_some_and(|place| place.is_taken || place.armed.is_still(now))
    }

    /// Those that are armed now.
    pub fn standing(&self, now: Timestamp) -> BTreeMap<String, Armed> {
        let mut routes = self.routes();
        routes.places.retain(|_, place| place.is_taken || place.armed.is_still(now));
        let still = routes.places.iter().filter(|(_, place)| place.armed.is_still(now));
        still.map(|(route, place)| (route.clone(), place.armed.clone())).collect()
    }

    /// Ends each for which `is_over` has a reason, and tells which, with their keys; what a call is just at is among them.
    pub fn end_where(
        &self,
        is_over: impl Fn(&str, &str) -> Option<&'static str>,
    ) -> Vec<(String, String, &'static str)> {
        let (mut routes, mut ended) = (self.routes(), Vec::new());
        routes.places.retain(|route, place| {
            let why = is_over(route, &place.armed.key);
            ended.extend(why.map(|why| (route.clone(), place.armed.key.clone(), why)));
            why.is_none()
        });
        ended
    }

    /// Whether this hand-over may still come to its end: nobody has disarmed the route, or armed it anew, since it began.
    pub fn is_open(&self, route: &str, armed: &Armed) -> bool {
        self.routes().places.get(route).is_some_and(|place| place.is_taken && place.armed.number == armed.number)
    }

    /// To one caller only: of two at once, the other hears that nothing is armed.
    pub(super) fn take(&self, route: &str, now: Timestamp) -> Option<Armed> {
        let mut routes = self.routes();
        let place = routes.places.get_mut(route).filter(|place| !place.is_taken)?;
        if place.armed.is_still(now) {
            place.is_taken = true;
            return Some(place.armed.clone());
        }
        routes.places.remove(route);
        None
    }

    /// After a hand-over that failed: a vendor's next attempt must not find it used up. What was disarmed, or armed anew,
    /// since then stays as it is.
    pub(super) fn restore(&self, route: &str, armed: &Armed) {
        let mut routes = self.routes();
        if let Some(place) = routes.places.get_mut(route).filter(|place| place.armed.number == armed.number) {
            place.is_taken = false;
        }
    }

    /// After a hand-over that did not fail.
    pub(super) fn end(&self, route: &str, armed: &Armed) {
        let mut routes = self.routes();
        if routes.places.get(route).is_some_and(|place| place.armed.number == armed.number) {
            routes.places.remove(route);
        }
    }

    fn routes(&self) -> MutexGuard<'_, Routes> {
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
        assert_eq!(arming.take("asana", at(599)), None, "a call is at it");
        arming.restore("asana", &armed);
        assert_eq!(arming.standing(at(599)).len(), 1);
        assert_eq!(arming.take("asana", at(599)), Some(armed.clone()), "that call failed");
        arming.end("asana", &armed);
        assert_eq!(arming.take("asana", at(599)), None, "it has been used");
        let armed = arming.arm("asana", "first", at(0), TEN_MINUTES);
        assert_eq!(arming.standing(at(600)).len(), 0);
        assert_eq!(arming.take("asana", at(600)), None, "its time is over");
        arming.restore("asana", &armed);
        assert_eq!(arming.take("asana", at(0)), None, "and does not come back");
    }

    /// Else a call that began before, and fails, would open the route again.
    #[tokio::test]
    async fn what_an_operator_says_ends_the_call_that_is_at_it() {
        let arming = Arming::default();
        let begun = |key| {
            arming.arm("asana", key, at(0), TEN_MINUTES);
            arming.take("asana", at(0)).unwrap()
        };
        let armed = begun("first");
        assert!(arming.is_open("asana", &armed) && !arming.is_open("notion", &armed));
        assert!(arming.disarm("asana", at(0)), "it was armed");
        assert!(!arming.is_open("asana", &armed));
        arming.restore("asana", &armed);
        assert_eq!(arming.take("asana", at(0)), None);
        let armed = begun("first");
        let newer = arming.arm("asana", "second", at(0), TEN_MINUTES);
        assert!(!arming.is_open("asana", &armed));
        arming.end("asana", &armed);
        arming.restore("asana", &armed);
        assert_eq!(arming.take("asana", at(0)), Some(newer), "what was said last holds");
        let armed = begun("first");
        let over = |route: &str, key: &str| (route == "asana" && key == "first").then_some("gone");
        assert_eq!(arming.end_where(over), [("asana".to_owned(), "first".to_owned(), "gone")]);
        arming.restore("asana", &armed);
        assert!(!arming.is_open("asana", &armed) && arming.standing(at(0)).is_empty());
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
