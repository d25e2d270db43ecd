//! What waits for whom? Rebuilt from the log at the start, and kept beside it.

use super::{Claim, format::Settlement};
use crate::clock::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, Instant},
};

/// Where an event's record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) segment: u64,
    pub(super) at: u64,
    pub(super) bytes: u32,
}

/// All events that are not settled everywhere.
#[derive(Debug, Default)]
pub(super) struct Index {
    events: BTreeMap<u64, Waiting>,
    destinations: BTreeMap<String, Queue>,
    /// Events that are not settled everywhere, by the segment in which they lie.
    by_segment: HashMap<u64, usize>,
}

#[derive(Debug)]
struct Waiting {
    place: Place,
    accepted_at: Timestamp,
    open: u16,
}

/// The events of one destination.
#[derive(Debug, Default)]
pub(super) struct Queue {
    states: BTreeMap<u64, State>,
    due: BTreeSet<(Instant, u64)>,
    pub(super) counts: Counts,
}

/// Since the spool was opened; with what is pending and dead they add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) accepted: u64,
    pub(super) delivered: u64,
    pub(super) dropped: u64,
    pub(super) in_flight: u64,
    pub(super) dead: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Due { attempts: u32, at: Instant },
    InFlight { attempts: u32 },
    Dead { attempts: u32 },
}

impl Index {
    pub(super) fn add(&mut self, event: u64, place: Place, accepted_at: Timestamp, to: &[String], now: Instant) {
        if self.events.contains_key(&event) {
            self.moved(event, place);
            return;
        }
        for name in to {
            let queue = self.destinations.entry(name.clone()).or_default();
            queue.counts.accepted += 1;
            queue.states.insert(event, State::Due { attempts: 0, at: now });
            queue.due.insert((now, event));
        }
        if !to.is_empty() {
            let open = u16::try_from(to.len()).unwrap_or(u16::MAX);
            self.events.insert(event, Waiting { place, accepted_at, open });
            *self.by_segment.entry(place.segment).or_default() += 1;
        }
    }

    /// Carried forward.
    pub(super) fn moved(&mut self, event: u64, place: Place) {
        let Some(waiting) = self.events.get_mut(&event) else { return };
        let old = std::mem::replace(&mut waiting.place, place);
        self.leaves(old.segment);
        *self.by_segment.entry(place.segment).or_default() += 1;
    }

    fn leaves(&mut self, segment: u64) {
        if let Some(count) = self.by_segment.get_mut(&segment) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_segment.remove(&segment);
            }
        }
    }

    /// Events of a segment that are not settled everywhere.
    pub(super) fn unsettled_in(&self, segment: u64) -> usize {
        self.by_segment.get(&segment).copied().unwrap_or_default()
    }

    pub(super) fn place(&self, event: u64) -> Option<Place> {
        self.events.get(&event).map(|waiting| waiting.place)
    }

    /// True if the event waited for this destination.
    pub(super) fn settle(&mut self, event: u64, destination: &str, verdict: &Settlement, now: Instant) -> bool {
        let Some(queue) = self.destinations.get_mut(destination) else { return false };
        let Some(state) = queue.states.get(&event).cloned() else { return false };
        queue.leave(event, &state);
        let attempts = state.attempts();
        match verdict {
            Settlement::Delivered | Settlement::Dropped(_) => {
                queue.states.remove(&event);
                match verdict {
                    Settlement::Delivered => queue.counts.delivered += 1,
                    _ => queue.counts.dropped += 1,
                }
                self.close(event);
            }
            Settlement::Dead(_) => {
                queue.counts.dead += 1;
                queue.states.insert(event, State::Dead { attempts });
            }
            Settlement::Reopened => {
                queue.states.insert(event, State::Due { attempts: 0, at: now });
                queue.due.insert((now, event));
            }
        }
        true
    }

    fn close(&mut self, event: u64) {
        let Some(waiting) = self.events.get_mut(&event) else { return };
        waiting.open = waiting.open.saturating_sub(1);
        if waiting.open == 0 {
            let segment = waiting.place.segment;
            self.events.remove(&event);
            self.leaves(segment);
        }
    }

    pub(super) fn claim(&mut self, destination: &str, most: usize, now: Instant) -> Vec<Claim> {
        let Some(queue) = self.destinations.get_mut(destination) else { return Vec::new() };
        let ready: Vec<_> = queue.due.iter().take_while(|(due, _)| *due <= now).take(most).copied().collect();
        let mut claims = Vec::with_capacity(ready.len());
        for (due, event) in ready {
            queue.due.remove(&(due, event));
            if let Some(state) = queue.states.get_mut(&event) {
                let attempts = state.attempts();
                *state = State::InFlight { attempts };
                queue.counts.in_flight += 1;
                claims.push(Claim { sequence: event, attempts });
            }
        }
        claims
    }

    /// Back among those that wait.
    pub(super) fn due_again(&mut self, event: u64, destination: &str, attempts: u32, at: Instant) {
        let Some(queue) = self.destinations.get_mut(destination) else { return };
        let Some(state) = queue.states.get(&event).cloned() else { return };
        if let State::Dead { .. } = state {
            return;
        }
        queue.leave(event, &state);
        queue.states.insert(event, State::Due { attempts, at });
        queue.due.insert((at, event));
    }

    pub(super) fn next_due(&self, destination: &str, now: Instant) -> Option<Duration> {
        let (due, _) = self.destinations.get(destination)?.due.first()?;
        Some(due.saturating_duration_since(now))
    }

    /// Destinations for which this event waits or is dead, with the attempts so far.
    pub(super) fn open_for(&self, event: u64) -> Vec<(String, u32, bool)> {
        let open = |(name, queue): (&String, &Queue)| {
            let state = queue.states.get(&event)?;
            Some((name.clone(), state.attempts(), matches!(state, State::Dead { .. })))
        };
        self.destinations.iter().filter_map(open).collect()
    }

    pub(super) fn events(&self) -> impl Iterator<Item = (u64, Place)> {
        self.events.iter().map(|(event, waiting)| (*event, waiting.place))
    }

    /// Acceptance of the oldest event that is not settled everywhere.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.events.values().map(|waiting| waiting.accepted_at).next()
    }

    pub(super) fn queues(&self) -> impl Iterator<Item = (&String, &Queue)> {
        self.destinations.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }
}

impl Queue {
    /// Neither delivered nor given up.
    pub(super) fn pending(&self) -> u64 {
        (self.states.len() as u64).saturating_sub(self.counts.dead)
    }

    fn leave(&mut self, event: u64, state: &State) {
        match state {
            State::Due { at, .. } => drop(self.due.remove(&(*at, event))),
            State::InFlight { .. } => self.counts.in_flight = self.counts.in_flight.saturating_sub(1),
            State::Dead { .. } => self.counts.dead = self.counts.dead.saturating_sub(1),
        }
    }
}

impl State {
    const fn attempts(&self) -> u32 {
        match self {
            Self::Due { attempts, .. } | Self::InFlight { attempts } | Self::Dead { attempts } => *attempts,
        }
    }
}
