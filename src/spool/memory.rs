//! Which keys are remembered, and which are being written or relayed right now? One answer, in one step.
//!
//! Bounded: only keys of verified requests come in, each costs at most 32 bytes, and at [`KEYS_MAX`] accepting stops
//! until some may be forgotten. Forgetting needs the wall clock *and* the monotonic one to have passed: a clock that jumps
//! ahead does not make a spent key usable again.

mod keys;

use super::format::Kept;
use crate::{
    clock::Timestamp,
    ledger::Known,
    repeat::{BodyMark, Fingerprint, Remembered, RepeatKeys},
};
use keys::Keys;
use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// Ten million: 320 megabytes, and three days of forty events a second.
pub(super) const KEYS_MAX: usize = 10_000_000;

/// The memory of one spool.
#[derive(Debug)]
pub(super) struct Memory {
    state: Mutex<State>,
    started: Instant,
    keys_max: usize,
}

#[derive(Debug, Default)]
struct State {
    kept: Keys,
    busy: HashMap<Fingerprint, Holder, BuildHasherDefault<AsItIs>>,
    fences: u64,
}

/// Who is at work on a key.
#[derive(Clone, Debug)]
struct Holder {
    fence: u64,
    /// Closed when the work has ended, one way or the other.
    ended: Arc<Semaphore>,
    /// From then on a relay's lease can be taken over.
    lapses: Option<Instant>,
}

/// The right to work on keys; to be given back by [`Memory::keep`] or [`Memory::forget`].
#[derive(Debug)]
pub(super) struct Hold {
    pub(super) keys: RepeatKeys,
    pub(super) fence: u64,
}

/// What became of the wish to work on keys.
#[derive(Debug)]
pub(super) enum Claimed {
    Mine(Hold),
    /// Another is at work: wait for the end, then ask again.
    Busy(Arc<Semaphore>),
    Known(Known),
    /// As many keys are remembered as may be.
    Full,
}

impl Memory {
    pub(super) fn new(keys_max: usize) -> Self {
        Self { state: Mutex::default(), started: Instant::now(), keys_max }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether any of these keys is remembered.
    pub(super) fn look(&self, keys: &RepeatKeys) -> Option<Known> {
        self.lock().known(keys)
    }

    /// Claims all keys or none. `hold` is for leases; what is being written has no end but the write's.
    pub(super) fn claim(&self, keys: &RepeatKeys, hold: Option<Duration>, now: Instant) -> Claimed {
        let mut state = self.lock();
        if let Some(known) = state.known(keys) {
            return Claimed::Known(known);
        }
        for key in keys.each() {
            if let Some(holder) = state.busy.get(&key.key)
                && holder.lapses.is_none_or(|lapses| now < lapses)
            {
                return Claimed::Busy(holder.ended.clone());
            }
        }
        if state.kept.len() >= self.keys_max {
            return Claimed::Full;
        }
        state.fences += 1;
        let fence = state.fences;
        let lapses = hold.and_then(|hold| now.checked_add(hold));
        let ended = Arc::new(Semaphore::new(0));
        for key in keys.each() {
            let holder = Holder { fence, ended: ended.clone(), lapses };
            if let Some(lapsed) = state.busy.insert(key.key, holder) {
                lapsed.ended.close();
            }
        }
        Claimed::Mine(Hold { keys: *keys, fence })
    }

    /// Whether this holder still is the one.
    pub(super) fn holds(&self, keys: &RepeatKeys, fence: u64) -> bool {
        let state = self.lock();
        keys.each().all(|key| state.busy.get(&key.key).is_some_and(|holder| holder.fence == fence))
    }

    /// The work is done: remember, and let the others know.
    pub(super) fn keep(&self, hold: &Hold, kept: &[Kept]) {
        let running_s = self.running_s();
        let mut state = self.lock();
        for kept in kept {
            let left = hold.keys.each().find(|key| key.key == kept.key).map_or(0, |key| key.remember.as_secs());
            state.remember(kept, running_s.saturating_add(left));
        }
        state.release(&hold.keys, hold.fence);
    }

    /// The work failed: forget, and let one of the others try.
    pub(super) fn forget(&self, hold: &Hold) {
        self.lock().release(&hold.keys, hold.fence);
    }

    /// What the log said, at the start.
    pub(super) fn recover(&self, kept: &Kept, now: Timestamp) {
        let Some(left) = kept.until.since(now) else { return };
        let until = self.running_s().saturating_add(left.as_secs()).saturating_add(1);
        self.lock().remember(kept, until);
    }

    /// Whether this key was still to be kept at that time of the wall clock.
    pub(super) fn remembers(&self, key: &Fingerprint, at: Timestamp) -> bool {
        self.lock().kept.outlasts(key, u64::try_from(at.unix_s()).unwrap_or_default())
    }

    pub(super) fn len(&self) -> usize {
        self.lock().kept.len()
    }

    /// Forgets what may be forgotten, and wakes those who wait for a lease that has lapsed.
    pub(super) fn sweep(&self, wall: Timestamp, now: Instant) {
        let running_s = self.running_s();
        let mut state = self.lock();
        for holder in state.busy.values() {
            if holder.lapses.is_some_and(|lapses| lapses <= now) {
                holder.ended.close();
            }
        }
        state.busy.retain(|_, holder| holder.lapses.is_none_or(|lapses| lapses > now));
        state.kept.sweep(u64::try_from(wall.unix_s()).unwrap_or_default(), running_s);
    }

    fn running_s(&self) -> u64 {
        self.started.elapsed().as_secs()
    }
}

impl State {
    fn known(&self, keys: &RepeatKeys) -> Option<Known> {
        let find = |key: Option<Remembered>| self.kept.find(&key?.key);
        let (accepted, success) = find(keys.event).or_else(|| find(keys.proof))?;
        Some(Known { success, ..Known::compare(accepted, BodyMark(u64::from(keys.body.short()))) })
    }

    fn remember(&mut self, kept: &Kept, until_running_s: u64) {
        let until_wall_s = u64::try_from(kept.until.unix_s()).unwrap_or_default().saturating_add(1);
        let first = (kept.body, kept.success);
        self.kept.remember(kept.key, first, until_wall_s, until_running_s.saturating_add(1));
    }

    fn release(&mut self, keys: &RepeatKeys, fence: u64) {
        for key in keys.each() {
            if self.busy.get(&key.key).is_some_and(|holder| holder.fence == fence)
                && let Some(holder) = self.busy.remove(&key.key)
            {
                holder.ended.close();
            }
        }
    }
}

/// Fingerprints are keyed digests: any eight bytes of one are a hash that nobody can aim at.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 ^= u64::from_le_bytes(*first);
        }
    }

    /// The length that Rust writes before an array's bytes.
    fn write_usize(&mut self, _: usize) {}
}

#[cfg(test)]
mod tests;
