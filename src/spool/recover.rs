//! What does the log say? Read from the first segment to the last, at the start; everything in memory follows from it.

use super::{
    Shared,
    format::{Entry, Kept, Step},
    index::Place,
    read,
};
use crate::clock::Timestamp;
use std::{
    collections::HashSet,
    io,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// Where the writer goes on.
pub(super) struct Resume {
    pub(super) next_segment: u64,
    pub(super) next_sequence: u64,
    /// Valid bytes of the last segment.
    pub(super) previous_valid: u64,
    pub(super) found: super::Recovered,
}

/// Fills index and memory.
pub(super) fn recover(shared: &Shared) -> io::Result<Resume> {
    let numbers = shared.folder.segments()?;
    let now = shared.clock.now();
    let mut resume =
        Resume { next_segment: 1, next_sequence: 1, previous_valid: 0, found: super::Recovered::default() };
    let mut live = HashSet::new();
    for (number, valid) in read::valid_lengths(&shared.folder, &numbers) {
        let size = shared.folder.size(number)?;
        shared.bytes.fetch_add(size, Ordering::AcqRel);
        let (head, steps) = read::segment(&shared.folder, number, resume.next_sequence - 1, valid)?;
        resume.next_segment = number + 1;
        resume.previous_valid = super::format::SEGMENT_HEAD_BYTES as u64;
        if head.is_none() {
            resume.found.corrupt += 1;
            continue;
        }
        for step in steps {
            match step {
                Step::Record(found) => {
                    resume.next_sequence = found.sequence + 1;
                    resume.previous_valid = (found.at + found.bytes) as u64;
                    let bytes = u32::try_from(found.bytes).unwrap_or(u32::MAX);
                    let place = Place { segment: number, at: found.at as u64, bytes };
                    match found.entry {
                        Some(entry) => take(shared, entry, place, now, &mut live),
                        None => resume.found.unknown += 1,
                    }
                }
                Step::Damage { .. } => resume.found.corrupt += 1,
                Step::Tail { bytes, .. } => resume.found.torn_bytes += bytes as u64,
            }
        }
    }
    resume.found.pending = shared.index().len() as u64;
    Ok(resume)
}

fn take(shared: &Shared, entry: Entry, place: Place, now: Timestamp, live: &mut HashSet<u64>) {
    let running = Instant::now();
    match entry {
        Entry::Event { identity, keys, record } => {
            // A second record with a live key is the tail of a write that failed, and was never acknowledged.
            let again = live.contains(&identity);
            let repeats = keys.iter().any(|kept| kept.until > now && shared.memory.remembers(&kept.key, now));
            remember(shared, place.segment, &keys, now);
            if again {
                shared.index().moved(identity, place);
            } else if !repeats {
                live.insert(identity);
                shared.index().add(identity, place, record.accepted_at, &record.to, running);
            }
        }
        Entry::Seen { keys } => remember(shared, place.segment, &keys, now),
        Entry::Tried { event, destination, attempts, due, .. } => {
            let wait = due.since(now).unwrap_or_default().min(WAIT_MAX);
            shared.index().due_again(event, &destination, attempts, running + wait);
        }
        entry @ (Entry::Settled { .. } | Entry::Act { .. }) => shared.take_note(entry, running),
    }
}

/// No schedule waits longer; a clock that was wrong when this was written must not stop delivery.
const WAIT_MAX: Duration = Duration::from_secs(24 * 3600);

fn remember(shared: &Shared, segment: u64, keys: &[Kept], now: Timestamp) {
    for kept in keys {
        shared.memory.recover(kept, now);
        shared.keep_segment_until(segment, kept.until);
    }
}
