//! Where the records of unsettled events lie: 32 bytes an event, in the order of acceptance.

use crate::{clock::Timestamp, order::OrderKey, spool::format::seconds};
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

/// Where an event's record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::spool) struct Place {
    pub(in crate::spool) segment: u64,
    pub(in crate::spool) at: u64,
    pub(in crate::spool) bytes: u32,
}

/// What is known of an event without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::spool) struct Waiting {
    pub(in crate::spool) place: Place,
    pub(in crate::spool) accepted_at: Timestamp,
    /// A checksum of its id, by which an operator's event is found.
    pub(in crate::spool) tag: u32,
    /// How long it stays when it is settled everywhere.
    pub(in crate::spool) keep: Duration,
    /// Which others it must not overtake.
    pub(in crate::spool) order: Option<OrderKey>,
}

/// An event that is settled everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::spool) struct Closed {
    /// Where its record lies.
    pub(in crate::spool) segment: u64,
    /// How long it stays there.
    pub(in crate::spool) keep: Duration,
}

/// Of all unsettled events.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// By the event's number, divided by [`CHUNK`].
    chunks: BTreeMap<u64, Chunk>,
    /// Unsettled events by the segment in which they lie.
    by_segment: HashMap<u64, Unsettled>,
    len: usize,
}

/// What of a segment is not settled everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::spool) struct Unsettled {
    pub(in crate::spool) events: usize,
    pub(in crate::spool) bytes: u64,
}

/// So many numbers share one: a list that is moved in a microsecond when an event comes out of order.
const CHUNK: u64 = 4096;

/// Events of neighbouring numbers, in order.
#[derive(Debug, Default)]
struct Chunk {
    /// Acceptance of its first, in seconds since the epoch.
    base_s: i64,
    slots: Vec<Slot>,
    settled: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    number: u16,
    /// Destinations for which it is not settled; at none the slot is settled, and swept later.
    open: u16,
    tag: u32,
    segment: u32,
    at: u32,
    bytes: u32,
    /// Since the chunk's base.
    accepted_s: i32,
    keep_s: u32,
    order: Option<OrderKey>,
}

impl Places {
    pub(super) fn insert(&mut self, event: u64, waiting: Waiting, open: usize) {
        let (key, number) = split(event);
        let accepted_s = waiting.accepted_at.unix_s();
        if !self.chunks.contains_key(&key) {
            // The one before is full, or as full as it will be.
            self.chunks.range_mut(..key).next_back().into_iter().for_each(|(_, last)| last.slots.shrink_to_fit());
        }
        let chunk = self.chunks.entry(key).or_insert_with(|| Chunk { base_s: accepted_s, ..Chunk::default() });
        let slot = Slot {
            number,
            open: u16::try_from(open).unwrap_or(u16::MAX),
            tag: waiting.tag,
            segment: 0,
            at: 0,
            bytes: 0,
            accepted_s: i32::try_from(accepted_s.saturating_sub(chunk.base_s)).unwrap_or_default(),
            keep_s: seconds(waiting.keep),
            order: waiting.order,
        };
        match chunk.slots.binary_search_by_key(&number, |slot| slot.number) {
            // Settled, and not swept yet.
            Ok(known) => chunk.slots.get_mut(known).into_iter().for_each(|known| {
                *known = slot;
                chunk.settled = chunk.settled.saturating_sub(1);
            }),
            Err(between) => chunk.slots.insert(between, slot),
        }
        if let Some(slot) = self.slot_mut(event) {
            slot.lies(waiting.place);
        }
        self.len += 1;
        self.comes(waiting.place);
    }

    pub(super) fn get(&self, event: u64) -> Option<Place> {
        self.slot(event).map(Slot::place)
    }

    /// Which others it must not overtake.
    pub(super) fn order(&self, event: u64) -> Option<OrderKey> {
        self.slot(event)?.order
    }

    fn slot(&self, event: u64) -> Option<&Slot> {
        let (key, number) = split(event);
        let chunk = self.chunks.get(&key)?;
        let at = chunk.slots.binary_search_by_key(&number, |slot| slot.number).ok()?;
        chunk.slots.get(at).filter(|slot| slot.open > 0)
    }

    fn slot_mut(&mut self, event: u64) -> Option<&mut Slot> {
        let (key, number) = split(event);
        let chunk = self.chunks.get_mut(&key)?;
        let at = chunk.slots.binary_search_by_key(&number, |slot| slot.number).ok()?;
        chunk.slots.get_mut(at).filter(|slot| slot.open > 0)
    }

    pub(super) fn moved(&mut self, event: u64, place: Place) {
        let Some(slot) = self.slot_mut(event) else { return };
        let from = slot.place();
        slot.lies(place);
        self.leaves(from);
        self.comes(place);
    }

    fn comes(&mut self, place: Place) {
        let unsettled = self.by_segment.entry(place.segment).or_default();
        unsettled.events += 1;
        unsettled.bytes += u64::from(place.bytes);
    }

    fn leaves(&mut self, place: Place) {
        if let Some(unsettled) = self.by_segment.get_mut(&place.segment) {
            unsettled.events = unsettled.events.saturating_sub(1);
            unsettled.bytes = unsettled.bytes.saturating_sub(place.bytes.into());
            if unsettled.events == 0 {
                self.by_segment.remove(&place.segment);
            }
        }
    }

    /// Settled for one destination more: where it lies and how long it stays, if that was the last.
    pub(super) fn close(&mut self, event: u64) -> Option<Closed> {
        let slot = self.slot_mut(event)?;
        slot.open -= 1;
        if slot.open > 0 {
            return None;
        }
        let place = slot.place();
        let closed = Closed { segment: place.segment, keep: Duration::from_secs(slot.keep_s.into()) };
        self.leaves(place);
        self.len -= 1;
        let (key, _) = split(event);
        let chunk = self.chunks.get_mut(&key)?;
        chunk.settled += 1;
        if chunk.settled == chunk.slots.len() {
            self.chunks.remove(&key);
        } else if chunk.settled > chunk.slots.len() / 2 {
            chunk.slots.retain(|slot| slot.open > 0);
            chunk.slots.shrink_to_fit();
            chunk.settled = 0;
        }
        Some(closed)
    }

    pub(super) fn unsettled_in(&self, segment: u64) -> Unsettled {
        self.by_segment.get(&segment).copied().unwrap_or_default()
    }

    pub(super) fn tagged(&self, tag: u32) -> impl Iterator<Item = u64> {
        self.chunks.iter().flat_map(move |(key, chunk)| {
            let tagged = chunk.slots.iter().filter(move |slot| slot.open > 0 && slot.tag == tag);
            tagged.map(move |slot| key * CHUNK + u64::from(slot.number))
        })
    }

    pub(super) fn oldest(&self) -> Option<Timestamp> {
        let chunk = self.chunks.values().next()?;
        let slot = chunk.slots.iter().find(|slot| slot.open > 0)?;
        Some(Timestamp::from_unix_s(chunk.base_s.saturating_add(i64::from(slot.accepted_s))))
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }
}

fn split(event: u64) -> (u64, u16) {
    (event / CHUNK, u16::try_from(event % CHUNK).unwrap_or_default())
}

impl Slot {
    fn place(&self) -> Place {
        Place { segment: self.segment.into(), at: self.at.into(), bytes: self.bytes }
    }

    /// Segments are at most a record longer than 64 MiB, and four billion of them are 250 petabytes.
    fn lies(&mut self, place: Place) {
        self.segment = u32::try_from(place.segment).unwrap_or(u32::MAX);
        self.at = u32::try_from(place.at).unwrap_or(u32::MAX);
        self.bytes = place.bytes;
    }
}

#[cfg(test)]
impl Places {
    /// What the lists take, for the bar that is held to.
    pub(in crate::spool) fn bytes(&self) -> usize {
        self.chunks.values().map(|chunk| chunk.slots.capacity() * size_of::<Slot>() + size_of::<Chunk>()).sum()
    }
}
