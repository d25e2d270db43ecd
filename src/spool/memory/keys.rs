//! Remembered keys, ten million of them in at most 32 bytes each.
//!
//! A table of our own, because maps from libraries double when they grow: at ten million keys the standard one takes 53
//! bytes a key. Here 256 shards grow by a quarter, each for itself, so that no growth takes longer than a millisecond.
//! A key is spent by the time slice in which it may be forgotten: slices go whole, and the slots of their keys are swept
//! shard by shard, later, to have their memory back.

use crate::{
    ledger::Success,
    repeat::{BodyMark, Fingerprint},
};
use std::collections::HashMap;

/// Keys are forgotten in steps of so many seconds, never early.
const SLICE_S: u64 = 64;
/// By the first byte of a key: ten million keys are forty thousand a shard.
const SHARDS: usize = 256;
/// In tenths: a table that is fuller makes a search long.
const FULL_TENTHS: usize = 9;

/// All remembered keys.
#[derive(Debug)]
pub(super) struct Keys {
    shards: Vec<Shard>,
    /// For each slice of the wall clock, until when on the running one its keys are alive too.
    slices: HashMap<u32, u64>,
    swept: usize,
    len: usize,
}

#[derive(Debug, Default)]
struct Shard {
    slots: Vec<Slot>,
    used: usize,
}

/// 24 bytes.
#[derive(Clone, Copy, Debug)]
struct Slot {
    key: Fingerprint,
    /// The short form of the body's mark.
    body: [u8; 3],
    /// What WordPress said, of what was passed on.
    success: Option<Success>,
    /// Where the key's life ends; 0 is a free slot.
    slice: u32,
}

const FREE: Slot = Slot { key: Fingerprint::from_bytes([0; 16]), body: [0; 3], success: None, slice: 0 };

impl Default for Keys {
    fn default() -> Self {
        let shards = std::iter::repeat_with(Shard::default).take(SHARDS).collect();
        Self { shards, slices: HashMap::new(), swept: 0, len: 0 }
    }
}

impl Keys {
    /// What is kept of the body's mark and of WordPress's answer, if the key is remembered.
    pub(super) fn find(&self, key: &Fingerprint) -> Option<(BodyMark, Option<Success>)> {
        let slot = self.shards.get(shard_of(key))?.find(key)?;
        let [a, b, c] = slot.body;
        let body = BodyMark(u64::from(u32::from_le_bytes([a, b, c, 0])));
        self.slices.contains_key(&slot.slice).then_some((body, slot.success))
    }

    /// Whether the key is remembered beyond that time of the wall clock.
    pub(super) fn outlasts(&self, key: &Fingerprint, wall_s: u64) -> bool {
        let slot = self.shards.get(shard_of(key)).and_then(|shard| shard.find(key));
        slot.is_some_and(|slot| self.slices.contains_key(&slot.slice) && u64::from(slot.slice) * SLICE_S > wall_s)
    }

    /// Until the wall clock *and* the running one have passed. Never shorter than before: the same key can come from two
    /// segments of the log. Body and answer are the first one's.
    pub(super) fn remember(
        &mut self,
        key: Fingerprint,
        (body, success): (BodyMark, Option<Success>),
        until_wall_s: u64,
        until_running_s: u64,
    ) {
        let slice = u32::try_from(until_wall_s.div_ceil(SLICE_S).max(1)).unwrap_or(u32::MAX);
        let Some(shard) = self.shards.get_mut(shard_of(&key)) else { return };
        let [a, b, c, _] = body.short().to_le_bytes();
        let mut new = Slot { key, body: [a, b, c], success, slice };
        let mut until = until_running_s;
        if let Some(old) = shard.find(&key)
            && let Some(old_until) = self.slices.get(&old.slice)
        {
            new = Slot { slice: old.slice.max(slice), ..*old };
            until = until.max(*old_until);
        }
        let of_slice = self.slices.entry(new.slice).or_default();
        *of_slice = until.max(*of_slice);
        let slices = &self.slices;
        self.len -= shard.used;
        shard.make_room(|slot| slices.contains_key(&slot.slice));
        shard.put(new);
        self.len += shard.used;
    }

    /// Forgets the slices that both clocks have passed, and sweeps one shard.
    pub(super) fn sweep(&mut self, wall_s: u64, running_s: u64) {
        self.slices.retain(|slice, until| u64::from(*slice) * SLICE_S > wall_s || *until > running_s);
        self.swept = (self.swept + 1) % SHARDS;
        let Some(shard) = self.shards.get_mut(self.swept) else { return };
        self.len -= shard.used;
        let slices = &self.slices;
        shard.sweep(|slot| slices.contains_key(&slot.slice));
        self.len += shard.used;
    }

    /// How many take room; of those whose time has come, until their shard is swept.
    pub(super) fn len(&self) -> usize {
        self.len
    }
}

impl Shard {
    /// From where the key's search begins, to the end, and round.
    fn home(&self, key: &Fingerprint) -> usize {
        let [.., a, b, c, d, e, f, g, h] = *key.as_bytes();
        let place = u128::from(u64::from_le_bytes([a, b, c, d, e, f, g, h])) * self.slots.len() as u128;
        usize::try_from(place >> 64).unwrap_or_default()
    }

    fn find(&self, key: &Fingerprint) -> Option<&Slot> {
        let (before, after) = self.slots.split_at_checked(self.home(key))?;
        let slot = after.iter().chain(before).find(|slot| slot.is_free() || slot.key == *key)?;
        (!slot.is_free()).then_some(slot)
    }

    fn put(&mut self, new: Slot) {
        let home = self.home(&new.key);
        let Some((before, after)) = self.slots.split_at_mut_checked(home) else { return };
        if let Some(slot) = after.iter_mut().chain(before).find(|slot| slot.is_free() || slot.key == new.key) {
            self.used += usize::from(slot.is_free());
            *slot = new;
        }
    }

    fn make_room(&mut self, is_alive: impl Fn(&Slot) -> bool) {
        if (self.used + 1) * 10 > self.slots.len() * FULL_TENTHS {
            self.rebuild(is_alive);
        }
    }

    fn sweep(&mut self, is_alive: impl Fn(&Slot) -> bool) {
        if self.slots.iter().any(|slot| !slot.is_free() && !is_alive(slot)) {
            self.rebuild(is_alive);
        }
    }

    /// With those that are alive, and room for a quarter more less the tenth that stays free.
    fn rebuild(&mut self, is_alive: impl Fn(&Slot) -> bool) {
        let old = std::mem::take(&mut self.slots);
        let alive = || old.iter().filter(|slot| !slot.is_free() && is_alive(slot));
        let count = alive().count();
        let mut slots = Vec::new();
        slots.reserve_exact(count + count / 4 + 8);
        slots.resize(slots.capacity(), FREE);
        *self = Self { slots, used: 0 };
        alive().for_each(|slot| self.put(*slot));
    }
}

impl Slot {
    const fn is_free(&self) -> bool {
        self.slice == 0
    }
}

fn shard_of(key: &Fingerprint) -> usize {
    let [first, ..] = *key.as_bytes();
    usize::from(first)
}

#[cfg(test)]
impl Keys {
    /// What the tables take, for the bar that is held to.
    pub(super) fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| shard.slots.capacity() * size_of::<Slot>()).sum()
    }
}
