//! What would have been refused, had it been enforced? Counted per route that is tried, since its rollout is in force in
//! this process.

mod report;

pub use report::{Judged, ObserveReport, Refused, RouteReport, Unjudged, age};

use crate::{
    clock::{Clock, Timestamp},
    edge::Report,
    outcome::{Judgement, Observation},
    policy::{Observe, Policy},
    verdict::Check,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Counts of every route that is tried. As many as the policy has routes, checks and codes, whatever is sent.
#[expect(missing_debug_implementations, reason = "the clock has none")]
pub struct Observed {
    clock: Arc<dyn Clock>,
    routes: Mutex<BTreeMap<String, Tally>>,
}

/// What was found on one route.
#[derive(Clone, Debug)]
struct Tally {
    observe: Observe,
    since: Timestamp,
    counts: BTreeMap<(Check, &'static str), Count>,
}

/// How often, and when.
#[derive(Clone, Copy, Debug)]
struct Count {
    times: u64,
    last: Timestamp,
    /// When the log had an example.
    told: Timestamp,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Good,
    Repeat,
    Refused,
    Unjudged,
}

/// The log has one example of each kind in this time.
const EXAMPLE_EVERY: Duration = Duration::from_hours(1);

impl Observed {
    /// Nothing is observed yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, routes: Mutex::default() }
    }

    /// A policy that is about to be in force: what goes on to be tried under the same terms keeps its counts.
    pub fn know(&self, policy: &Policy) {
        let now = self.clock.now();
        let mut routes = self.routes();
        let mut before = std::mem::take(&mut *routes);
        for route in &policy.routes {
            let Some(observe) = route.observe else { continue };
            let kept = before.remove(&*route.name).filter(|tally| tally.observe == observe);
            let tally = kept.unwrap_or_else(|| Tally { observe, since: now, counts: BTreeMap::new() });
            routes.insert(route.name.to_string(), tally);
        }
    }

    /// Counts what was found about one request, and tells the log what it has not heard for a while.
    pub(super) fn finished(&self, report: &Report) {
        let observed = &report.notes.observed;
        let Some(route) = report.route.as_deref().filter(|_| !observed.is_empty()) else { return };
        let now = self.clock.now();
        let mut routes = self.routes();
        // A rollout may have ended while the request was under way.
        let Some(tally) = routes.get_mut(route) else { return };
        let told: Vec<_> = observed.iter().filter(|observation| tally.add(observation, now)).collect();
        drop(routes);
        told.into_iter().for_each(|observation| tell(route, observation, report));
    }

    /// What is known now.
    pub fn report(&self) -> ObserveReport {
        let now = self.clock.now();
        ObserveReport::new(now, self.routes().iter().map(|(name, tally)| RouteReport::new(name, tally, now)))
    }

    fn routes(&self) -> MutexGuard<'_, BTreeMap<String, Tally>> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    /// Whether this is to be an example for the log.
    fn add(&mut self, observation: &Observation, now: Timestamp) -> bool {
        let Observation { check, found } = observation;
        let (code, kind) = match found {
            Judgement::Good => (found.code(), Kind::Good),
            Judgement::Repeat => (found.code(), Kind::Repeat),
            Judgement::Refused(code, _) => (*code, Kind::Refused),
            Judgement::Unjudged(reason) => (*reason, Kind::Unjudged),
        };
        let first = !self.counts.contains_key(&(*check, code));
        let count = self.counts.entry((*check, code)).or_insert(Count { times: 0, last: now, told: now, kind });
        count.times += 1;
        count.last = now;
        // A clock that was set back is no reason to be silent.
        let due = first || now.since(count.told).is_none_or(|passed| passed >= EXAMPLE_EVERY);
        if due {
            count.told = now;
        }
        due && matches!(kind, Kind::Refused | Kind::Unjudged)
    }
}

/// One example: where to look, and nothing of what was sent.
fn tell(route: &str, Observation { check, found }: &Observation, report: &Report) {
    let (request_id, client) = (&report.request_id, report.client.map(tracing::field::display));
    let (check, code) = (check.name(), found.code());
    match found {
        Judgement::Refused(_, finding) => {
            let (pointer, keyword) = finding.as_ref().map(|(pointer, keyword)| (&**pointer, &**keyword)).unzip();
            tracing::info!(
                %request_id, route, check, code, pointer, keyword, client,
                "would have refused a request that is only observed; more of this kind are counted"
            );
        }
        Judgement::Unjudged(reason) => tracing::info!(
            %request_id, route, check, code, reason, client,
            "could not judge a request that is only observed; more of this kind are counted"
        ),
        Judgement::Good | Judgement::Repeat => {}
    }
}

#[cfg(test)]
mod tests;
