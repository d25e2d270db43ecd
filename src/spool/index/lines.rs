//! Events with one order key, at one destination: one after another, in the order of acceptance.
//!
//! A line begins when an event with that key is taken, and takes up those that come behind it: what was never taken
//! costs nothing here, and what stands in line eight bytes.

use crate::order::OrderKey;
use std::collections::{HashMap, VecDeque};

/// When something is due, in tenths of a second since the spool was opened: 13 years fit.
pub(super) type Tick = u32;

/// All lines in which somebody stands.
#[derive(Debug, Default)]
pub(super) struct Lines(HashMap<OrderKey, Line>);

#[derive(Debug, Default)]
struct Line {
    in_flight: Option<u64>,
    /// In the order of acceptance. None of them goes while one is in flight, and none before the first.
    waiting: VecDeque<u64>,
    /// Under which the first one is among those that are due.
    due: Option<(Tick, u64)>,
}

impl Lines {
    /// Whether anybody stands there: whoever comes has to stand behind.
    pub(super) fn is_open(&self, order: OrderKey) -> bool {
        self.0.contains_key(&order)
    }

    pub(super) fn contains(&self, order: OrderKey, event: u64) -> bool {
        let line = self.0.get(&order);
        line.is_some_and(|line| line.in_flight == Some(event) || line.waiting.binary_search(&event).is_ok())
    }

    /// Stands where it was accepted: before a younger one, if it comes back.
    pub(super) fn stand(&mut self, order: OrderKey, event: u64) {
        let line = self.0.entry(order).or_default();
        if let Err(between) = line.waiting.binary_search(&event) {
            line.waiting.insert(between, event);
        }
    }

    /// Is taken from the line.
    pub(super) fn begin(&mut self, order: OrderKey, event: u64) {
        self.leave(order, event);
        self.0.entry(order).or_default().in_flight = Some(event);
    }

    /// Says if it stood there.
    pub(super) fn leave(&mut self, order: OrderKey, event: u64) -> bool {
        let Some(line) = self.0.get_mut(&order) else { return false };
        if line.in_flight == Some(event) {
            line.in_flight = None;
            return true;
        }
        let at = line.waiting.binary_search(&event);
        if let Ok(at) = at {
            line.waiting.remove(at);
            trim(&mut line.waiting);
        }
        at.is_ok()
    }

    /// Who is next, now that something has changed: what to take from those that are due, and what to put there instead.
    /// `at` says when an event is due.
    pub(super) fn next(&mut self, order: OrderKey, at: impl Fn(u64) -> Tick) -> Turn {
        let Some(line) = self.0.get_mut(&order) else { return Turn::default() };
        let first = line.waiting.front().filter(|_| line.in_flight.is_none());
        let comes = first.map(|event| (at(*event), *event));
        let goes = std::mem::replace(&mut line.due, comes);
        if line.in_flight.is_none() && line.waiting.is_empty() {
            self.0.remove(&order);
        }
        Turn { goes, comes }
    }

    /// How many stand behind another.
    pub(super) fn held(&self) -> u64 {
        self.0.values().map(|line| (line.waiting.len() - usize::from(line.due.is_some())) as u64).sum()
    }
}

/// A change among those that are due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) goes: Option<(Tick, u64)>,
    pub(super) comes: Option<(Tick, u64)>,
}

/// Gives back the room of a backlog that is gone.
pub(super) fn trim(line: &mut VecDeque<u64>) {
    if line.capacity() > ROOM_MIN && line.len() < line.capacity() / 4 {
        line.shrink_to(line.len() * 2);
    }
}

/// The line keeps room for so many that have gone.
const ROOM_MIN: usize = 1024;

#[cfg(test)]
impl Lines {
    /// What it takes at least, for the bar that is held to.
    pub(super) fn bytes(&self) -> usize {
        let lines = self.0.capacity() * 8 / 7 * (size_of::<(OrderKey, Line)>() + 1);
        lines + self.0.values().map(|line| line.waiting.capacity() * 8).sum::<usize>()
    }
}
