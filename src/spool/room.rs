//! Is there room for one event more? Every byte counts from the moment it is promised, so that neither the budget nor the
//! free-space floor is passed within a burst, between two looks at the disk.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// What may be written, and what is.
#[derive(Debug)]
pub(super) struct Room {
    budget: u64,
    floor: u64,
    /// Bytes of segments.
    used: AtomicU64,
    /// Bytes of events that are on their way to the writer.
    promised: AtomicU64,
    /// What was free on the file system at the last look, less what was written since.
    free: AtomicU64,
    /// The size of an event for which nothing could go; 0 if none was refused, or something has changed since.
    refused: AtomicU64,
}

/// Room for one event, until it is written.
pub(super) struct Promise {
    room: Arc<Room>,
    bytes: u64,
}

/// Beyond seven eighths of the budget the oldest go before anybody has to wait for it.
const PRESSED_EIGHTHS: u64 = 7;

impl Room {
    pub(super) fn new(budget: u64, floor: u64) -> Self {
        let free = AtomicU64::new(u64::MAX);
        Self {
            budget,
            floor,
            used: AtomicU64::default(),
            promised: AtomicU64::default(),
            free,
            refused: AtomicU64::default(),
        }
    }

    /// Bytes of segments.
    pub(super) fn used(&self) -> u64 {
        self.used.load(Ordering::Acquire)
    }

    /// The file system has so much left.
    pub(super) fn looked(&self, free: u64) {
        self.free.store(free, Ordering::Release);
    }

    /// So much is on the disk that was not.
    pub(super) fn wrote(&self, bytes: u64) {
        self.found(bytes);
        update(&self.free, |free| free.saturating_sub(bytes));
    }

    /// So much is on the disk, and was before.
    pub(super) fn found(&self, bytes: u64) {
        self.used.fetch_add(bytes, Ordering::AcqRel);
    }

    /// A segment of this size has gone. Never below nothing: of one that failed while it was made, not every byte is
    /// counted.
    pub(super) fn freed(&self, bytes: u64) {
        update(&self.used, |used| used.saturating_sub(bytes));
    }

    /// Whether so many bytes more are within budget and floor.
    pub(super) fn has(&self, bytes: u64) -> bool {
        let wanted = self.promised.load(Ordering::Acquire).saturating_add(bytes);
        self.fits(wanted)
    }

    fn fits(&self, wanted: u64) -> bool {
        self.used().saturating_add(wanted) <= self.budget
            && self.free.load(Ordering::Acquire).saturating_sub(wanted) >= self.floor
    }

    /// Whether the oldest should go though nobody waits for it.
    pub(super) fn is_pressed(&self) -> bool {
        self.used() > self.budget / 8 * PRESSED_EIGHTHS || !self.has(0)
    }

    /// The collector could not make room for so many bytes.
    pub(super) fn refuse(&self, bytes: u64) {
        self.refused.store(bytes.max(1), Ordering::Release);
    }

    /// Something has changed: the next one asks the collector again.
    pub(super) fn hope(&self) {
        self.refused.store(0, Ordering::Release);
    }

    /// The size of an event that was refused, if that is the last that was heard.
    pub(super) fn refused(&self) -> Option<u64> {
        Some(self.refused.load(Ordering::Acquire)).filter(|bytes| *bytes > 0)
    }
}

impl Promise {
    /// `None` if that were too much.
    pub(super) fn of(room: &Arc<Room>, bytes: u64) -> Option<Self> {
        // Counted first: of two at once that do not fit together, at most one gets it.
        let before = room.promised.fetch_add(bytes, Ordering::AcqRel);
        let promise = Self { room: room.clone(), bytes };
        room.fits(before.saturating_add(bytes)).then_some(promise)
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.room.promised.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

fn update(number: &AtomicU64, change: impl Fn(u64) -> u64) {
    let _ = number.fetch_update(Ordering::AcqRel, Ordering::Acquire, |number| Some(change(number)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_since_the_last_look_counts_against_the_floor() {
        let room = Room::new(u64::MAX, 100);
        room.looked(150);
        assert!(room.has(50) && !room.has(51));
        room.wrote(20);
        assert!(room.has(30) && !room.has(31));
        room.wrote(60);
        assert!(room.is_pressed() && !room.has(0), "without another look");
        room.looked(150);
        assert!(room.has(50), "somebody else made room");
    }

    #[test]
    fn a_budget_is_full_at_its_last_byte_and_pressed_before() {
        let room = Room::new(800, 0);
        room.found(700);
        assert!(!room.is_pressed() && room.has(100) && !room.has(101));
        room.wrote(1);
        assert!(room.is_pressed());
        room.freed(9999);
        assert_eq!(room.used(), 0);
    }
}
