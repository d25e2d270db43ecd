//! Which segments can go? One that nothing needs goes at once. One with events that have been kept for long enough goes
//! within a day, and under pressure the oldest go too: what is still alive in them is carried forward to the head of the
//! log first, so that one stuck event, or one key that must be remembered for days, does not pin the disk, nor what was
//! to be erased. An unsettled event is never dropped.

mod carrier;
mod verdicts;

use super::{format::What, index::Place, shared::Shared};
use crate::clock::Timestamp;
use carrier::{Carried, Carrier};
use std::sync::atomic::Ordering;

/// Carrying more than this share of a segment frees too little to be worth it.
const WORTH_IT: u64 = 2;

/// What could be let go.
pub(super) enum Collected {
    Nothing,
    /// Segments that nothing needed.
    Deleted,
    /// This one, once that is written again.
    ToCarry(Carried),
}

/// Deletes what nothing needs; under pressure, if there is nothing like that, says what to carry of the oldest segment that
/// is worth it.
pub(super) fn collect(shared: &Shared, current: Option<u64>, pressed: bool) -> Collected {
    let old: Vec<_> = shared.segments().numbers().into_iter().filter(|number| Some(*number) != current).collect();
    let now = shared.clock.now();
    let mut deleted = false;
    for number in &old {
        if is_spent(shared, *number, now) && !shared.segments().has_acts(*number) {
            delete(shared, *number);
            deleted = true;
        }
    }
    if deleted {
        return Collected::Deleted;
    }
    let wanted = old.into_iter().filter_map(|number| Some((number, why(shared, number, now, pressed)?)));
    let carried = wanted.into_iter().find_map(|(number, why)| carry(shared, number, now, why));
    carried.map_or(Collected::Nothing, Collected::ToCarry)
}

/// Why a segment should go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// Nothing is left but operators' acts.
    Spent,
    /// Something in it has been kept for long enough.
    Overdue,
    /// Room is short.
    Pressed,
}

fn why(shared: &Shared, number: u64, now: Timestamp, pressed: bool) -> Option<Why> {
    if is_spent(shared, number, now) {
        Some(Why::Spent)
    } else if shared.segments().is_overdue(number, now) {
        Some(Why::Overdue)
    } else {
        pressed.then_some(Why::Pressed)
    }
}

fn is_spent(shared: &Shared, number: u64, now: Timestamp) -> bool {
    shared.index().unsettled_in(number).events == 0 && shared.segments().is_spent(number, now)
}

/// What to carry of a segment, unless it has to stay or, for room alone, frees too little. One that was looked at for nothing is left alone
/// until less of it is needed, or for a while: reading it costs as much as writing it did.
fn carry(shared: &Shared, number: u64, now: Timestamp, why: Why) -> Option<Carried> {
    let unsettled = shared.index().unsettled_in(number);
    let size = shared.folder.size(number).ok()?;
    let running = shared.clock.running();
    let stays = shared.segments().cuts(number) || shared.segments().was_looked_at(number, unsettled.events, running);
    let most = match why {
        // Were acts alone a reason to stay, each start of a gate would leave a file behind.
        Why::Spent | Why::Overdue => u64::MAX,
        Why::Pressed => size / WORTH_IT,
    };
    if stays || unsettled.bytes > most {
        return None;
    }
    let keeps = why != Why::Pressed;
    let carried = Carrier::new(shared, number, now, running, keeps).carry(most);
    if carried.is_none() {
        shared.segments().looked_at(number, unsettled.events, running);
    }
    carried
}

/// It is written again: takes note of where, and takes the old one off the disk.
pub(super) fn carried(shared: &Shared, carried: &Carried, written: &[(u64, Place)]) {
    for (draft, (_, place)) in carried.drafts.iter().zip(written) {
        if let What::Event { identity, .. } = &draft.what {
            shared.index().moved(*identity, *place);
            if let Some(until) = carried.kept.get(identity) {
                shared.segments().kept_until(place.segment, *until);
            }
        }
        let mut segments = shared.segments();
        segments.needed_until(place.segment, draft.what.keys().iter().map(|kept| kept.until));
        segments.settles(place.segment, carried.settles.iter().copied());
        if let What::Act(_) = &draft.what {
            segments.has_act(place.segment);
        }
    }
    shared.cut_short.fetch_add(carried.cut_short, Ordering::AcqRel);
    delete(shared, carried.segment);
}

/// Takes a segment off the disk.
fn delete(shared: &Shared, number: u64) {
    let size = shared.folder.size(number).unwrap_or_default();
    if shared.folder.delete(number).is_ok() {
        shared.room.freed(size);
        shared.segments().remove(number);
        let _ = shared.folder.sync();
    }
}
