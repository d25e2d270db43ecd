//! What waits for whom? Rebuilt from the log at the start, and kept beside it.
//!
//! An event costs some 45 bytes while it waits for one destination, so that a backlog of millions is no reason to refuse
//! one more: what it says stays on disk, and `places` keeps where.

mod lines;
mod places;
mod queue;

use super::{Claim, format::Settlement};
use crate::clock::Timestamp;
use places::Places;
pub(super) use places::{Closed, Place, Unsettled, Waiting};
use queue::Queue;
pub(super) use queue::{Counts, Stand};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// All events that are not settled everywhere.
#[derive(Debug)]
pub(super) struct Index {
    places: Places,
    destinations: BTreeMap<String, Queue>,
    /// Of events that are open elsewhere: for whom they were dropped, and by whom.
    dropped: BTreeMap<u64, Vec<(String, String)>>,
    started: Instant,
}

/// How an event stands at one destination that it is not settled for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) destination: String,
    pub(super) attempts: u32,
    /// Why it failed last.
    pub(super) reason: Arc<str>,
    pub(super) stand: Stand,
}

impl Open {
    /// Whether it waits, and was not tried since it was accepted or put back.
    pub(super) fn is_fresh(&self) -> bool {
        self.attempts == 0 && matches!(self.stand, Stand::Due(_))
    }
}

impl Index {
    pub(super) fn new(started: Instant) -> Self {
        Self { places: Places::default(), destinations: BTreeMap::new(), dropped: BTreeMap::new(), started }
    }

    /// A new event, due now; or one that is known and was carried forward.
    pub(super) fn add(&mut self, event: u64, waiting: Waiting, to: &[String]) {
        if self.places.get(event).is_some() {
            self.places.moved(event, waiting.place);
            return;
        }
        for name in to {
            if !self.destinations.contains_key(name) {
                self.destinations.insert(name.clone(), Queue::new(self.started));
            }
            if let Some(queue) = self.destinations.get_mut(name) {
                queue.add(event);
            }
        }
        if !to.is_empty() {
            self.places.insert(event, waiting, to.len());
        }
    }

    /// The whole log has been read: what comes now is younger than all that is here.
    pub(super) fn recovered(&mut self) {
        self.destinations.values_mut().for_each(|queue| queue.recovered(&self.places));
    }

    /// Carried forward.
    pub(super) fn moved(&mut self, event: u64, place: Place) {
        self.places.moved(event, place);
    }

    /// What of a segment is not settled everywhere.
    pub(super) fn unsettled_in(&self, segment: u64) -> Unsettled {
        self.places.unsettled_in(segment)
    }

    pub(super) fn place(&self, event: u64) -> Option<Place> {
        self.places.get(event)
    }

    /// Events whose id has this tag: the one that is meant, and seldom another.
    pub(super) fn tagged(&self, tag: u32) -> Vec<u64> {
        self.places.tagged(tag).collect()
    }

    /// Takes note of how an event stands, which waited for this destination, or was dead for it. Says if it is settled
    /// everywhere now.
    pub(super) fn settle(
        &mut self,
        event: u64,
        destination: &str,
        verdict: &Settlement,
        now: Instant,
    ) -> Option<Closed> {
        let order = self.places.order(event);
        let was_open = self.destinations.get_mut(destination)?.settle(event, order, verdict, now);
        match verdict {
            Settlement::Delivered | Settlement::Dropped(_) if was_open => self.close(event, destination, verdict),
            Settlement::Delivered | Settlement::Dropped(_) | Settlement::Dead(_) | Settlement::Reopened => None,
        }
    }

    fn close(&mut self, event: u64, destination: &str, verdict: &Settlement) -> Option<Closed> {
        let closed = self.places.close(event);
        if self.places.get(event).is_none() {
            self.dropped.remove(&event);
        } else if let Settlement::Dropped(actor) = verdict {
            self.dropped.entry(event).or_default().push((destination.to_owned(), actor.clone()));
        }
        closed
    }

    /// Who dropped the event for this destination, if it is open for another.
    pub(super) fn dropped(&self, event: u64, destination: &str) -> Option<String> {
        let dropped = self.dropped.get(&event)?.iter().find(|(name, _)| name == destination)?;
        Some(dropped.1.clone())
    }

    pub(super) fn claim(&mut self, destination: &str, most: usize, now: Instant) -> Vec<Claim> {
        let Some(queue) = self.destinations.get_mut(destination) else { return Vec::new() };
        queue.claim(most, now, &self.places)
    }

    /// Handed back as it was taken: due now.
    pub(super) fn release(&mut self, event: u64, destination: &str, now: Instant) {
        if let Some(queue) = self.destinations.get_mut(destination) {
            queue.release(event, self.places.order(event), now);
        }
    }

    /// Back among those that wait, due at that time or a little later.
    pub(super) fn due_again(&mut self, event: u64, destination: &str, attempts: u32, reason: &str, at: Instant) {
        if let Some(queue) = self.destinations.get_mut(destination) {
            queue.due_again(event, self.places.order(event), (attempts, reason), at);
        }
    }

    /// It failed so often, the last time included, and stays in flight until what becomes of it is written.
    pub(super) fn failed(&mut self, event: u64, destination: &str, attempts: u32, reason: &str) {
        if let Some(queue) = self.destinations.get_mut(destination) {
            queue.failed(event, (attempts, reason));
        }
    }

    pub(super) fn next_due(&self, destination: &str, now: Instant) -> Option<Duration> {
        self.destinations.get(destination)?.next_due(now)
    }

    /// Destinations for which this event waits or is dead.
    pub(super) fn open_for(&self, event: u64, now: Instant) -> Vec<Open> {
        let open = |(name, queue): (&String, &Queue)| {
            let (attempts, reason, stand) = queue.stand(event, self.places.order(event), now)?;
            Some(Open { destination: name.clone(), attempts, reason, stand })
        };
        self.destinations.iter().filter_map(open).collect()
    }

    /// Acceptance of the oldest event that is not settled everywhere.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.places.oldest()
    }

    pub(super) fn counts(&self) -> impl Iterator<Item = (&String, Counts)> {
        self.destinations.iter().map(|(name, queue)| (name, queue.counts()))
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }
}

#[cfg(test)]
mod tests;
