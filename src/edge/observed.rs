//! What would have become of it? A request of a route that is observed whole streams to the origin as it came. What its head
//! says is judged at once, a bounded copy of its body once the answer is out, so that nobody waits for it. Nothing of it is
//! remembered where it counts: a shadow has tokens and a memory of its own.

mod shadow;

pub(super) use shadow::Shadow;

use super::{
    body::{Gathered, Room},
    snapshot::Snapshot,
};
use crate::{
    event::Arrival,
    gate::{self, Judged},
    outcome::{Notes, Observation},
    policy::Route,
    request::{Head, Unverified},
    verdict::{Refusal, Rejection},
};
use bytes::Bytes;
use std::sync::Arc;

/// One request that streams by.
pub(super) struct Observed {
    route: Arc<Route>,
    /// Of the route, as the guards name it.
    index: usize,
    head: Head,
    arrival: Arrival,
    body: Copy,
}

/// What is known of a body.
enum Copy {
    /// It has not come to its end.
    Begun(Gathered),
    /// All of it.
    Whole(Bytes),
    /// The head, or the body's length, says enough; or there was no room for it.
    Settled(Observation),
}

/// The origin answered, or the sender went away, before the body came to its end.
const INCOMPLETE: &str = "incomplete";

impl Observed {
    pub(super) fn new(
        (index, route): (usize, &Arc<Route>),
        head: Head,
        arrival: Arrival,
        shadow: &Shadow,
        room: &Room,
    ) -> Self {
        let admitted = gate::admit(route, &head).and_then(|()| shadow.take_address(route, head.client));
        let body = match admitted {
            Err(rejection) => Copy::Settled(Observation::refused(rejection, None)),
            Ok(()) => match Gathered::new(room, route.admit.body_limit_bytes) {
                Ok(gathered) => Copy::Begun(gathered),
                Err(fault) => Copy::Settled(Observation::unjudged(fault.code())),
            },
        };
        Self { route: route.clone(), index, head, arrival, body }
    }

    /// The next piece, as it came; `end` says that it is the last one.
    pub(super) fn add(&mut self, chunk: Option<&Bytes>, end: bool) {
        let Copy::Begun(gathered) = &mut self.body else { return };
        if let Some(Err(refusal)) = chunk.map(|chunk| gathered.add(chunk.clone())) {
            self.body = Copy::Settled(match refusal {
                Refusal::Rejected(rejection) => Observation::refused(rejection, None),
                Refusal::Failed(fault) => Observation::unjudged(fault.code()),
            });
        } else if end {
            let settled = Copy::Settled(Observation::unjudged(INCOMPLETE));
            if let Copy::Begun(gathered) = std::mem::replace(&mut self.body, settled) {
                self.body = Copy::Whole(gathered.whole());
            }
        }
    }

    /// Judges it, now that nobody waits for that any more. What the origin `took` with a 2xx would be known the next time.
    pub(super) fn conclude(self, snapshot: &Snapshot, shadow: &Shadow, took: bool, notes: &mut Notes) {
        let Self { route, index, head, arrival, body } = self;
        let raw = match body {
            Copy::Whole(raw) => raw,
            Copy::Begun(_) => return notes.observed.push(Observation::unjudged(INCOMPLETE)),
            Copy::Settled(observation) => return notes.observed.push(observation),
        };
        notes.body_bytes = raw.len();
        if snapshot.policy.guards.strays(&head, &raw, index) {
            return notes.observed.push(Observation::refused(Rejection::GuardedInForm, None));
        }
        let request = Unverified { head, raw };
        let memory = shadow.at(arrival.at);
        if let Ok(Judged::Clean(clean)) = gate::observe(&route, &snapshot.keys, &memory, request, arrival.at, notes)
            && took
        {
            memory.remember(clean.keys());
        }
    }

    /// It was cut before its end.
    pub(super) fn give_up(self, notes: &mut Notes) {
        notes.observed.push(match self.body {
            Copy::Settled(observation) => observation,
            Copy::Begun(_) | Copy::Whole(_) => Observation::unjudged(INCOMPLETE),
        });
    }
}
