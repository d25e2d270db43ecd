//! Which segments can go? One in which nothing is unsettled and no key is alive goes at once. Under pressure the oldest
//! go too: what is still alive in them is carried forward to the head of the log first, so that one stuck event, or one
//! key that must be remembered for days, does not pin the disk. An unsettled event is never dropped.

use super::{
    Shared,
    format::{Entry, Kept, Settlement, Step},
    read,
};
use crate::clock::Timestamp;
use std::sync::atomic::Ordering;

/// What to write again before a segment may go.
pub(super) struct Carried {
    pub(super) segment: u64,
    /// The events first, then the rest.
    pub(super) entries: Vec<Entry>,
    /// The identities of those events.
    pub(super) events: Vec<u64>,
}

/// Keys of one record, so that a record stays small.
const KEYS_PER_RECORD: usize = 4096;
/// Carrying more than this share of a segment frees too little to be worth it.
const WORTH_IT: u64 = 2;

/// Deletes what needs nothing, and says what to carry where room is short. At most one segment a call.
pub(super) fn collect(shared: &Shared, current: Option<u64>) -> Option<Carried> {
    let segments = shared.folder.segments().ok()?;
    let old: Vec<_> = segments.into_iter().filter(|number| Some(*number) != current).collect();
    let now = shared.clock.now();
    for number in &old {
        let alive_until = shared.keys_alive_until(*number);
        if shared.index().unsettled_in(*number) == 0 && alive_until < now {
            delete(shared, *number);
        }
    }
    let pressed = shared.bytes.load(Ordering::Acquire) > shared.settings.bytes / 2 || shared.is_short_of_space();
    if !pressed {
        return None;
    }
    old.into_iter().find_map(|number| carry(shared, number, now))
}

/// What is alive in a segment, unless that is most of it.
fn carry(shared: &Shared, number: u64, now: Timestamp) -> Option<Carried> {
    let size = shared.folder.size(number).ok()?;
    let (_, steps) = read::segment(&shared.folder, number, 0, None).ok()?;
    let (mut entries, mut after, mut keys, mut events, mut bytes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), 0);
    for step in steps {
        let Step::Record(found) = step else { continue };
        match found.entry {
            Some(Entry::Event { identity, keys: own, record }) => {
                let here = shared.index().place(identity).filter(|place| place.segment == number);
                if here.is_some_and(|place| place.at == found.at as u64) {
                    bytes += found.bytes as u64;
                    let open = shared.index().open_for(identity);
                    for destination in &record.to {
                        match open.iter().find(|(name, _, _)| name == destination) {
                            None => after.push(settled(identity, destination, Settlement::Delivered)),
                            Some((_, attempts, dead)) => {
                                after.push(tried(identity, destination, *attempts, now));
                                if *dead {
                                    let verdict = Settlement::Dead("carried forward".to_owned());
                                    after.push(settled(identity, destination, verdict));
                                }
                            }
                        }
                    }
                    events.push(identity);
                    entries.push(Entry::Event { identity, keys: own, record });
                } else {
                    keys.extend(own);
                }
            }
            Some(Entry::Seen { keys: seen }) => keys.extend(seen),
            // The verdicts on events that lie elsewhere are carried with those events.
            Some(Entry::Settled { event, destination, verdict }) if is_elsewhere(shared, event, number) => {
                after.push(Entry::Settled { event, destination, verdict });
            }
            Some(Entry::Tried { event, destination, attempts, due, reason }) if is_elsewhere(shared, event, number) => {
                after.push(Entry::Tried { event, destination, attempts, due, reason });
            }
            Some(Entry::Settled { .. } | Entry::Tried { .. } | Entry::Act { .. }) | None => {}
        }
    }
    keys.retain(|kept: &Kept| kept.until > now && shared.memory.remembers(&kept.key, now));
    bytes += keys.len() as u64 * 32;
    if bytes > size / WORTH_IT {
        return None;
    }
    entries.extend(after);
    entries.extend(keys.chunks(KEYS_PER_RECORD).map(|keys| Entry::Seen { keys: keys.to_vec() }));
    Some(Carried { segment: number, entries, events })
}

fn is_elsewhere(shared: &Shared, event: u64, number: u64) -> bool {
    shared.index().place(event).is_some_and(|place| place.segment != number)
}

fn settled(event: u64, destination: &str, verdict: Settlement) -> Entry {
    Entry::Settled { event, destination: destination.to_owned(), verdict }
}

fn tried(event: u64, destination: &str, attempts: u32, due: Timestamp) -> Entry {
    Entry::Tried { event, destination: destination.to_owned(), attempts, due, reason: "carried forward".to_owned() }
}

/// Takes a segment off the disk.
pub(super) fn delete(shared: &Shared, number: u64) {
    let size = shared.folder.size(number).unwrap_or_default();
    if shared.folder.delete(number).is_ok() {
        shared.bytes.fetch_sub(size, Ordering::AcqRel);
        shared.forget_segment(number);
        let _ = shared.folder.sync();
    }
}
