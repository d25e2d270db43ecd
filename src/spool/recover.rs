//! What does the log say? Read from the first segment to the last, at the start; everything in memory follows from it.

use super::{
    chain,
    format::{Kept, Summary, What},
    index::{Place, Waiting},
    read::{self, Told},
    shared::Shared,
};
use crate::clock::Timestamp;
use std::{
    collections::HashSet,
    io,
    time::{Duration, Instant},
};

/// Where the writer goes on.
pub(super) struct Resume {
    pub(super) next_segment: u64,
    pub(super) next_sequence: u64,
    /// The last segment.
    pub(super) previous: u64,
    /// Valid bytes of the last segment.
    pub(super) previous_valid: u64,
    /// What the next act has to name.
    pub(super) chain: chain::End,
    pub(super) found: super::Recovered,
}

/// Fills index and memory.
pub(super) fn recover(shared: &Shared) -> io::Result<Resume> {
    let numbers = shared.folder.segments()?;
    let mut resume = Resume {
        next_segment: 1,
        next_sequence: 1,
        previous: 0,
        previous_valid: 0,
        chain: chain::End::default(),
        found: super::Recovered::default(),
    };
    let mut recovery = Recovery {
        shared,
        now: shared.clock.now(),
        running: shared.clock.running(),
        seen: Seen::default(),
        chain: chain::End::default(),
    };
    let mut cut = None;
    for (number, valid) in read::valid_lengths(&shared.folder, &numbers) {
        let size = shared.folder.size(number)?;
        shared.room.found(size);
        shared.segments().add(number, cut.take());
        let told = read::summaries(&shared.folder, number, resume.next_sequence - 1, valid)?;
        cut = valid.filter(|valid| *valid < size && !told.is_sealed).map(|_| number);
        resume.next_segment = number + 1;
        resume.next_sequence = resume.next_sequence.max(told.next_sequence);
        (resume.previous, resume.previous_valid) = (number, told.valid);
        resume.found.corrupt += told.damaged;
        resume.found.torn_bytes += told.torn_bytes;
        resume.found.unknown += recovery.take(number, told);
    }
    resume.chain = recovery.chain;
    shared.index().recovered();
    resume.found.pending = shared.index().len() as u64;
    Ok(resume)
}

struct Recovery<'a> {
    shared: &'a Shared,
    now: Timestamp,
    running: Instant,
    seen: Seen,
    chain: chain::End,
}

/// Events whose first record was read.
#[derive(Default)]
struct Seen {
    /// In order, as they were accepted.
    here: Vec<u64>,
    /// Carried forward from segments that have gone.
    carried: HashSet<u64>,
}

impl Recovery<'_> {
    /// Says how many records are of kinds that this version does not know.
    fn take(&mut self, segment: u64, told: Told) -> u64 {
        let mut unknown = 0;
        for Summary { sequence, at, bytes, what } in told.summaries {
            let place = Place { segment, at, bytes };
            match what {
                What::Event { identity, keys, accepted_at, tag, keep, order, to } => {
                    let waiting = Waiting { place, accepted_at, tag, keep, order };
                    self.event(sequence, identity, waiting, &keys, &to);
                }
                What::Settled { event, destination, verdict, at } => {
                    self.shared.settle(segment, event, &destination, (&verdict, at), self.running);
                }
                What::Tried { event, destination, attempts, due, reason } => {
                    let wait = due.since(self.now).unwrap_or_default().min(WAIT_MAX);
                    self.shared.tried(segment, event, &destination, (attempts, &reason), self.running + wait);
                }
                What::Seen { keys } => self.remember(segment, &keys),
                What::Act(end) => {
                    self.shared.segments().has_act(segment);
                    // One that was carried forward is not the last.
                    self.chain = if end.number > self.chain.number { end } else { self.chain };
                }
                What::Footer => {}
                What::Unknown => unknown += 1,
            }
        }
        unknown
    }

    fn event(&mut self, sequence: u64, identity: u64, waiting: Waiting, keys: &[Kept], to: &[String]) {
        let is_new = if sequence == identity {
            // A second record with a key that was alive then is the tail of a write that failed, and was never
            // acknowledged. Alive then, not now: a clock that was set back drops nothing.
            let repeats = keys.iter().any(|kept| self.shared.memory.remembers(&kept.key, waiting.accepted_at));
            if !repeats {
                self.seen.here.push(identity);
            }
            !repeats
        } else {
            self.seen.here.binary_search(&identity).is_err() && self.seen.carried.insert(identity)
        };
        self.remember(waiting.place.segment, keys);
        let mut index = self.shared.index();
        if is_new {
            index.add(identity, waiting, to);
        } else {
            index.moved(identity, waiting.place);
        }
    }

    fn remember(&self, segment: u64, keys: &[Kept]) {
        keys.iter().for_each(|kept| self.shared.memory.recover(kept, self.now));
        self.shared.segments().needed_until(segment, keys.iter().map(|kept| kept.until));
    }
}

/// No schedule waits longer; a clock that was wrong when this was written must not stop delivery.
const WAIT_MAX: Duration = Duration::from_secs(24 * 3600);
