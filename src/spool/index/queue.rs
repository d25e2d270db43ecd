//! The events of one destination: most have never been tried, and wait in one line at eight bytes each.

use super::{
    lines::{Lines, Tick, Turn, trim},
    places::Places,
};
use crate::{
    order::OrderKey,
    spool::{Claim, format::Settlement},
};
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

/// What waits for one destination, is on its way there, or is dead.
#[derive(Debug)]
pub(super) struct Queue {
    /// Never looked at, in the order of acceptance, and younger than all others.
    fresh: VecDeque<u64>,
    /// All others, but for those that stand in line and were never tried.
    states: HashMap<u64, State>,
    lines: Lines,
    /// Those that wait, by when they are due; of a line the first.
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
    /// Behind an earlier one with the same order key, as far as was looked.
    pub(in crate::spool) held: u64,
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

/// So many are put behind others in one call: were it a whole backlog, all who want the index would wait for that.
const HELD_MAX: usize = 4096;

impl Queue {
    pub(super) fn new(started: Instant) -> Self {
        Self {
            fresh: VecDeque::new(),
            states: HashMap::new(),
            lines: Lines::default(),
            due: BTreeSet::new(),
            started,
            tried_first: false,
            reasons: vec![Arc::default()],
            counts: Counts::default(),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        Counts { held: self.lines.held(), ..self.counts }
    }

    pub(super) fn add(&mut self, event: u64) {
        self.counts.accepted += 1;
        self.counts.pending += 1;
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
    fn take(&mut self, event: u64, order: Option<OrderKey>) -> Option<State> {
        let state = self.states.remove(&event);
        if let Some(state) = state {
            match state {
                State::Due { at, .. } => drop(self.due.remove(&(at, event))),
                State::InFlight { .. } => self.counts.in_flight = self.counts.in_flight.saturating_sub(1),
                State::Dead { .. } => self.counts.dead = self.counts.dead.saturating_sub(1),
            }
        }
        let stood = order.is_some_and(|order| self.lines.leave(order, event));
        order.into_iter().for_each(|order| self.next(order));
        if state.is_none() && !stood {
            let at = self.fresh.binary_search(&event).ok()?;
            self.fresh.remove(at);
        }
        Some(state.unwrap_or(State::Due { failed: Failed::default(), at: 0 }))
    }

    fn wait(&mut self, event: u64, order: Option<OrderKey>, failed: Failed, at: Tick) {
        self.states.insert(event, State::Due { failed, at });
        match order {
            None => drop(self.due.insert((at, event))),
            Some(order) => self.stand_in_line(event, order),
        }
    }

    fn stand_in_line(&mut self, event: u64, order: OrderKey) {
        self.lines.stand(order, event);
        self.next(order);
    }

    /// Something has changed in this line.
    fn next(&mut self, order: OrderKey) {
        let at = |event| match self.states.get(&event) {
            Some(State::Due { at, .. }) => *at,
            // Never tried.
            Some(State::InFlight { .. } | State::Dead { .. }) | None => 0,
        };
        let Turn { goes, comes } = self.lines.next(order, at);
        if let Some(goes) = goes {
            self.due.remove(&goes);
        }
        self.due.extend(comes);
    }

    /// Some of those that were never tried may be older than one that was, from the life of another process. If that one
    /// has an order key, it must not be taken before they were looked at.
    pub(super) fn recovered(&mut self, places: &Places) {
        let youngest = self.states.keys().filter(|event| places.order(**event).is_some()).max().copied();
        while let Some(event) = self.fresh.front().copied().filter(|event| youngest.is_some_and(|young| *event < young))
        {
            self.fresh.pop_front();
            match places.order(event) {
                None => self.wait(event, None, Failed::default(), 0),
                Some(order) => self.stand_in_line(event, order),
            }
        }
    }

    pub(super) fn settle(&mut self, event: u64, order: Option<OrderKey>, verdict: &Settlement, now: Instant) -> bool {
        let Some(state) = self.take(event, order) else { return false };
        if !matches!(state, State::Dead { .. }) {
            self.counts.pending = self.counts.pending.saturating_sub(1);
        }
        match verdict {
            Settlement::Delivered => self.counts.delivered += 1,
            Settlement::Dropped(_) => self.counts.dropped += 1,
            Settlement::Dead(reason) => {
                self.counts.dead += 1;
                let failed = Failed { reason: self.reason(reason), ..state.failed() };
                self.states.insert(event, State::Dead { failed });
            }
            Settlement::Reopened => {
                self.counts.pending += 1;
                self.wait(event, order, Failed::default(), self.tick(now));
            }
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
    pub(super) fn claim(&mut self, most: usize, now: Instant, places: &Places) -> Vec<Claim> {
        let tick = self.tick(now);
        let mut claims = Vec::new();
        self.tried_first = !self.tried_first;
        if self.tried_first {
            self.claim_tried(most, tick, places, &mut claims);
        }
        let mut held = 0;
        while claims.len() < most && held < HELD_MAX {
            let Some(event) = self.fresh.pop_front() else { break };
            match places.order(event) {
                Some(order) if self.lines.is_open(order) => {
                    held += 1;
                    self.stand_in_line(event, order);
                }
                order => claims.push(self.begin(event, order)),
            }
        }
        self.claim_tried(most, tick, places, &mut claims);
        trim(&mut self.fresh);
        claims
    }

    fn claim_tried(&mut self, most: usize, tick: Tick, places: &Places, claims: &mut Vec<Claim>) {
        while claims.len() < most {
            let Some((at, event)) = self.due.first().copied().filter(|(at, _)| *at <= tick) else { break };
            self.due.remove(&(at, event));
            claims.push(self.begin(event, places.order(event)));
        }
    }

    fn begin(&mut self, event: u64, order: Option<OrderKey>) -> Claim {
        let failed = self.states.get(&event).copied().map(State::failed).unwrap_or_default();
        self.states.insert(event, State::InFlight { failed });
        self.counts.in_flight += 1;
        if let Some(order) = order {
            self.lines.begin(order, event);
            self.next(order);
        }
        Claim { sequence: event, attempts: failed.attempts.into() }
    }

    pub(super) fn release(&mut self, event: u64, order: Option<OrderKey>, now: Instant) {
        self.again(event, order, None, self.tick(now));
    }

    pub(super) fn due_again(
        &mut self,
        event: u64,
        order: Option<OrderKey>,
        (attempts, reason): (u32, &str),
        at: Instant,
    ) {
        let failed = self.so_often(attempts, reason);
        // Never early: the destination may have said when.
        self.again(event, order, Some(failed), self.tick(at).saturating_add(1));
    }

    /// Of one that is in flight, and stays so.
    pub(super) fn failed(&mut self, event: u64, (attempts, reason): (u32, &str)) {
        let so_often = self.so_often(attempts, reason);
        if let Some(State::InFlight { failed }) = self.states.get_mut(&event) {
            *failed = so_often;
        }
    }

    fn so_often(&mut self, attempts: u32, reason: &str) -> Failed {
        Failed { attempts: u8::try_from(attempts).unwrap_or(u8::MAX), reason: self.reason(reason) }
    }

    /// As it was, or as it failed since.
    fn again(&mut self, event: u64, order: Option<OrderKey>, failed: Option<Failed>, at: Tick) {
        if !matches!(self.states.get(&event), Some(State::Dead { .. }))
            && let Some(state) = self.take(event, order)
        {
            self.wait(event, order, failed.unwrap_or(state.failed()), at);
        }
    }

    pub(super) fn next_due(&self, now: Instant) -> Option<Duration> {
        if !self.fresh.is_empty() {
            return Some(Duration::ZERO);
        }
        let (at, _) = self.due.first()?;
        Some(self.instant(*at).saturating_duration_since(now))
    }

    pub(super) fn stand(&self, event: u64, order: Option<OrderKey>, now: Instant) -> Option<(u32, Arc<str>, Stand)> {
        let Some(state) = self.states.get(&event) else {
            let stands = order.is_some_and(|order| self.lines.contains(order, event));
            let is_here = stands || self.fresh.binary_search(&event).is_ok();
            return is_here.then_some((0, Arc::default(), Stand::Due(Duration::ZERO)));
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
        self.fresh.capacity() * 8 + self.states.capacity() * 8 / 7 * 17 + self.due.len() * 25 + self.lines.bytes()
    }
}
