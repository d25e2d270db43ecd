//! The events of one destination: most have never been tried, and wait in one line at eight bytes each.

use crate::spool::{Claim, format::Settlement};
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

/// What waits for one destination, is on its way there, or is dead.
#[derive(Debug)]
pub(super) struct Queue {
    /// Never tried, in the order of acceptance.
    fresh: VecDeque<u64>,
    /// All others.
    states: HashMap<u64, State>,
    /// Those of them that wait, by when they are due.
    due: BTreeSet<(Tick, u64)>,
    started: Instant,
    /// Whether those that were tried before come first the next time.
    tried_first: bool,
    /// Why events failed. Few, because they are codes; the first is none.
    reasons: Vec<Arc<str>>,
    counts: Counts,
}

/// Since the spool was opened; with what is pending and dead they add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::spool) struct Counts {
    pub(in crate::spool) accepted: u64,
    pub(in crate::spool) delivered: u64,
    pub(in crate::spool) dropped: u64,
    pub(in crate::spool) in_flight: u64,
    pub(in crate::spool) dead: u64,
    /// Neither delivered nor given up.
    pub(in crate::spool) pending: u64,
}

/// How an event stands that is not settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::spool) enum Stand {
    /// Due after this long; in flight is due now.
    Due(Duration),
    Dead,
}

/// Tenths of a second since the spool was opened: 13 years fit.
type Tick = u32;
const TICK_MS: u128 = 100;

/// Eight bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Due { failed: Failed, at: Tick },
    InFlight { failed: Failed },
    Dead { failed: Failed },
}

/// How often an event failed, and why the last time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Failed {
    /// More than any schedule has.
    attempts: u8,
    /// Its place in the list of reasons.
    reason: u8,
}

/// A destination that invents more is told by the last one; the log has each.
const REASONS_MAX: usize = 256;

/// The line keeps room for so many that have gone.
const FRESH_ROOM_MIN: usize = 1024;

impl Queue {
    pub(super) fn new(started: Instant) -> Self {
        Self {
            fresh: VecDeque::new(),
            states: HashMap::new(),
            due: BTreeSet::new(),
            started,
            tried_first: false,
            reasons: vec![Arc::default()],
            counts: Counts::default(),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let open = (self.fresh.len() + self.states.len()) as u64;
        Counts { pending: open.saturating_sub(self.counts.dead), ..self.counts }
    }

    pub(super) fn add(&mut self, event: u64) {
        self.counts.accepted += 1;
        match self.fresh.back() {
            // Carried forward by an earlier process, behind younger ones.
            Some(last) if *last > event => {
                let between = self.fresh.partition_point(|other| *other < event);
                self.fresh.insert(between, event);
            }
            _ => self.fresh.push_back(event),
        }
    }

    /// Takes the event from where it is. `None` if it is not here.
    fn take(&mut self, event: u64) -> Option<State> {
        if let Some(state) = self.states.remove(&event) {
            match state {
                State::Due { at, .. } => drop(self.due.remove(&(at, event))),
                State::InFlight { .. } => self.counts.in_flight = self.counts.in_flight.saturating_sub(1),
                State::Dead { .. } => self.counts.dead = self.counts.dead.saturating_sub(1),
            }
            return Some(state);
        }
        let at = self.fresh.binary_search(&event).ok()?;
        self.fresh.remove(at);
        Some(State::Due { failed: Failed::default(), at: 0 })
    }

    fn wait(&mut self, event: u64, failed: Failed, at: Tick) {
        self.states.insert(event, State::Due { failed, at });
        self.due.insert((at, event));
    }

    pub(super) fn settle(&mut self, event: u64, verdict: &Settlement, now: Instant) -> bool {
        let Some(state) = self.take(event) else { return false };
        match verdict {
            Settlement::Delivered => self.counts.delivered += 1,
            Settlement::Dropped(_) => self.counts.dropped += 1,
            Settlement::Dead(reason) => {
                self.counts.dead += 1;
                let failed = Failed { reason: self.reason(reason), ..state.failed() };
                self.states.insert(event, State::Dead { failed });
            }
            Settlement::Reopened => self.wait(event, Failed::default(), self.tick(now)),
        }
        true
    }

    fn reason(&mut self, reason: &str) -> u8 {
        let known = self.reasons.iter().position(|known| **known == *reason);
        let place = known.unwrap_or_else(|| {
            if self.reasons.len() < REASONS_MAX {
                self.reasons.push(reason.into());
            }
            self.reasons.len() - 1
        });
        u8::try_from(place).unwrap_or(u8::MAX)
    }

    /// What was tried before and what was not come first by turns. A destination that is down is probed with one event:
    /// were it always the same, one that hangs the plugin each time would keep it down for all others.
    pub(super) fn claim(&mut self, most: usize, now: Instant) -> Vec<Claim> {
        let tick = self.tick(now);
        let mut claims = Vec::new();
        self.tried_first = !self.tried_first;
        if self.tried_first {
            self.claim_tried(most, tick, &mut claims);
        }
        while claims.len() < most {
            let Some(event) = self.fresh.pop_front() else { break };
            claims.push((event, Failed::default()));
        }
        self.claim_tried(most, tick, &mut claims);
        // The room of a backlog that is gone.
        if self.fresh.capacity() > FRESH_ROOM_MIN && self.fresh.len() < self.fresh.capacity() / 4 {
            self.fresh.shrink_to(self.fresh.len() * 2);
        }
        let claim = |(event, failed): (u64, Failed)| {
            self.states.insert(event, State::InFlight { failed });
            self.counts.in_flight += 1;
            Claim { sequence: event, attempts: failed.attempts.into() }
        };
        claims.into_iter().map(claim).collect()
    }

    fn claim_tried(&mut self, most: usize, tick: Tick, claims: &mut Vec<(u64, Failed)>) {
        while claims.len() < most {
            let Some((at, event)) = self.due.first().copied().filter(|(at, _)| *at <= tick) else { break };
            self.due.remove(&(at, event));
            let failed = self.states.get(&event).copied().map(State::failed).unwrap_or_default();
            claims.push((event, failed));
        }
    }

    pub(super) fn release(&mut self, event: u64, now: Instant) {
        self.again(event, None, self.tick(now));
    }

    pub(super) fn due_again(&mut self, event: u64, attempts: u32, reason: &str, at: Instant) {
        let failed = Failed { attempts: u8::try_from(attempts).unwrap_or(u8::MAX), reason: self.reason(reason) };
        // Never early: the destination may have said when.
        self.again(event, Some(failed), self.tick(at).saturating_add(1));
    }

    /// As it was, or as it failed since.
    fn again(&mut self, event: u64, failed: Option<Failed>, at: Tick) {
        if !matches!(self.states.get(&event), Some(State::Dead { .. }))
            && let Some(state) = self.take(event)
        {
            self.wait(event, failed.unwrap_or(state.failed()), at);
        }
    }

    pub(super) fn next_due(&self, now: Instant) -> Option<Duration> {
        if !self.fresh.is_empty() {
            return Some(Duration::ZERO);
        }
        let (at, _) = self.due.first()?;
        Some(self.instant(*at).saturating_duration_since(now))
    }

    pub(super) fn stand(&self, event: u64, now: Instant) -> Option<(u32, Arc<str>, Stand)> {
        let Some(state) = self.states.get(&event) else {
            return self.fresh.binary_search(&event).is_ok().then_some((0, Arc::default(), Stand::Due(Duration::ZERO)));
        };
        let stand = match state {
            State::Due { at, .. } => Stand::Due(self.instant(*at).saturating_duration_since(now)),
            State::InFlight { .. } => Stand::Due(Duration::ZERO),
            State::Dead { .. } => Stand::Dead,
        };
        let Failed { attempts, reason } = state.failed();
        Some((attempts.into(), self.reasons.get(usize::from(reason)).cloned().unwrap_or_default(), stand))
    }

    fn tick(&self, at: Instant) -> Tick {
        Tick::try_from(at.saturating_duration_since(self.started).as_millis() / TICK_MS).unwrap_or(Tick::MAX)
    }

    fn instant(&self, tick: Tick) -> Instant {
        self.started + Duration::from_millis(u64::from(tick) * 100)
    }
}

impl State {
    const fn failed(self) -> Failed {
        match self {
            Self::Due { failed, .. } | Self::InFlight { failed } | Self::Dead { failed } => failed,
        }
    }
}

#[cfg(test)]
impl Queue {
    /// What it takes at least, for the bar that is held to.
    pub(super) fn bytes(&self) -> usize {
        assert_eq!(size_of::<State>(), 8);
        self.fresh.capacity() * 8 + self.states.capacity() * 8 / 7 * 17 + self.due.len() * 25
    }
}
