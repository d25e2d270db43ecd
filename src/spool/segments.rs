//! What every segment is still needed for, beside the unsettled events in it.

use crate::clock::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// All segments that are there.
#[derive(Debug, Default)]
pub(super) struct Segments(BTreeMap<u64, Segment>);

#[derive(Debug, Default)]
struct Segment {
    /// Until when a key in it is alive, or a settled event is kept.
    until: Timestamp,
    /// Of the settled events in it, when the first has been kept for long enough.
    erase: Option<Timestamp>,
    /// Segments with events whose settlements lie in this one. Were it to go before them, those events would be due
    /// again after a restart.
    settles: BTreeSet<u64>,
    /// The segment before, if this one's head says that its tail was never acknowledged. Nothing else says so.
    cut: Option<u64>,
    /// There are acts in it, which do not go with it.
    acts: bool,
    /// When it was read to see whether it is worth carrying, and was not; with so many unsettled events.
    looked: Option<(Instant, usize)>,
}

/// What has been kept for long enough is erased within this time, and not at once: each time all of its segment that stays
/// is written again.
pub(super) const ERASED_WITHIN: Duration = Duration::from_secs(24 * 3600);

/// Keys come to their end one by one: then it may be worth it.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

impl Segments {
    /// `cut` is the segment before, if not all of it is valid.
    pub(super) fn add(&mut self, number: u64, cut: Option<u64>) {
        self.0.entry(number).or_default().cut = cut;
    }

    pub(super) fn remove(&mut self, number: u64) {
        self.0.remove(&number);
    }

    pub(super) fn numbers(&self) -> Vec<u64> {
        self.0.keys().copied().collect()
    }

    /// An event in it is settled everywhere, and kept until then.
    pub(super) fn kept_until(&mut self, number: u64, until: Timestamp) {
        if let Some(segment) = self.0.get_mut(&number) {
            segment.until = segment.until.max(until);
            segment.erase = Some(segment.erase.map_or(until, |erase| erase.min(until)));
        }
    }

    /// Whether something in it has to go now, whatever else is in it.
    pub(super) fn is_overdue(&self, number: u64, now: Timestamp) -> bool {
        let erase = self.0.get(&number).and_then(|segment| segment.erase);
        erase.is_some_and(|erase| erase + ERASED_WITHIN < now)
    }

    /// For how long something has been kept beyond its time.
    pub(super) fn past_keep(&self, now: Timestamp) -> Duration {
        let erase = self.0.values().filter_map(|segment| segment.erase).min();
        erase.and_then(|erase| now.since(erase)).unwrap_or_default()
    }

    /// Keys in it are alive until then.
    pub(super) fn needed_until(&mut self, number: u64, until: impl IntoIterator<Item = Timestamp>) {
        if let Some(segment) = self.0.get_mut(&number) {
            segment.until = until.into_iter().fold(segment.until, Timestamp::max);
        }
    }

    /// There is an act in it.
    pub(super) fn has_act(&mut self, number: u64) {
        self.0.entry(number).or_default().acts = true;
    }

    /// Whether there are acts in it.
    pub(super) fn has_acts(&self, number: u64) -> bool {
        self.0.get(&number).is_some_and(|segment| segment.acts)
    }

    /// It says what became of events in these.
    pub(super) fn settles(&mut self, number: u64, others: impl IntoIterator<Item = u64>) {
        if let Some(segment) = self.0.get_mut(&number) {
            segment.settles.extend(others.into_iter().filter(|other| *other != number));
        }
    }

    /// Those whose events it settles, and which are still there.
    pub(super) fn settled_by(&self, number: u64) -> Vec<u64> {
        let settles = self.0.get(&number).map(|segment| &segment.settles);
        settles.into_iter().flatten().filter(|other| self.0.contains_key(other)).copied().collect()
    }

    /// It was not worth carrying, with so many unsettled events.
    pub(super) fn looked_at(&mut self, number: u64, unsettled: usize, now: Instant) {
        if let Some(segment) = self.0.get_mut(&number) {
            segment.looked = Some((now, unsettled));
        }
    }

    /// Whether that was lately, and nothing has been settled since.
    pub(super) fn was_looked_at(&self, number: u64, unsettled: usize, now: Instant) -> bool {
        let looked = self.0.get(&number).and_then(|segment| segment.looked);
        looked.is_some_and(|(at, then)| then == unsettled && now.saturating_duration_since(at) < LOOK_AGAIN)
    }

    /// Whether its head has to stay, though all else in it be written elsewhere.
    pub(super) fn cuts(&self, number: u64) -> bool {
        self.0.get(&number).and_then(|segment| segment.cut).is_some_and(|cut| self.0.contains_key(&cut))
    }

    /// Whether nothing in it is needed, if all its events are settled.
    pub(super) fn is_spent(&self, number: u64, now: Timestamp) -> bool {
        let until = self.0.get(&number).map(|segment| segment.until);
        until.is_some_and(|until| until < now) && self.settled_by(number).is_empty() && !self.cuts(number)
    }
}
