//! Looking at a spool without opening it: no lock, no change, whether or not a gate is writing to it.

use super::{
    act::Act,
    chain::{self, Break},
    format::{Entry, Settlement, Step},
    log::Folder,
    read,
    redeliver::Lies,
    shared::LOCK,
};
use crate::{clock::Timestamp, event::Record};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, HashMap, VecDeque, hash_map::Entry as Entered},
    io,
    path::Path,
};

/// An event as the files tell it.
#[derive(Clone, Debug)]
pub struct Viewed {
    /// Under which it was accepted.
    pub sequence: u64,
    /// Where its record lies.
    pub lies: Lies,
    /// The event, without its payload: a queue may hold more of them than memory. [`payload`] reads it.
    pub record: Record,
    /// Of its payload.
    pub payload_bytes: usize,
    /// What became of it, by destination.
    pub states: BTreeMap<String, ViewedState>,
}

/// What became of an event at one destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewedState {
    /// How it stands.
    pub state: State,
    /// How often it failed by its own fault.
    pub attempts: u32,
    /// Why it is dead, or failed last; who dropped it.
    pub reason: String,
    /// When it is due again, after a failure.
    pub due: Option<Timestamp>,
    /// When it was delivered or dropped.
    pub settled_at: Option<Timestamp>,
    /// The event with the same order key that has to end before this one is tried.
    pub waits_for: Option<String>,
}

/// How an event stands at one destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It waits, or is on its way.
    #[default]
    Pending,
    /// The destination confirmed it.
    Delivered,
    /// It will not be tried again.
    Dead,
    /// An operator dropped it.
    Dropped,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Delivered, Self::Dead, Self::Dropped];

    /// As it is shown, and asked for.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Dropped => "dropped",
        }
    }
}

/// Something in the files that is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The segment's number: its file's name.
    pub segment: u64,
    /// From which byte.
    pub at: u64,
    /// How many.
    pub bytes: u64,
    /// A write that was cut short, or goes on just now, at the end of the log: nothing that was acknowledged.
    pub torn: bool,
}

/// All that the files tell.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// In the order of acceptance.
    pub events: Vec<Viewed>,
    /// What failed its checksum.
    pub damage: Vec<Damage>,
    /// Records that are in order.
    pub records: u64,
    /// Segment files.
    pub segments: u64,
    /// Operators' acts, in the order of their chain.
    pub acts: Vec<Act>,
    /// Where that is broken.
    pub breaks: Vec<Break>,
}

/// Whether there is a spool in this folder, empty or not.
pub fn is_spool(folder: &Path) -> bool {
    folder.join(LOCK).is_file() || Folder::existing(folder).segments().is_ok_and(|segments| !segments.is_empty())
}

/// Reads the whole log; `progress` hears how many segments of how many are read.
///
/// # Errors
/// The folder or a file cannot be read.
pub fn view(folder: &Path, progress: &mut dyn FnMut(usize, usize)) -> io::Result<View> {
    let folder = Folder::existing(folder);
    let numbers = folder.segments()?;
    let mut view = View { segments: numbers.len() as u64, ..View::default() };
    let (mut events, mut after) = (BTreeMap::new(), 0);
    let mut unread: VecDeque<_> = read::valid_lengths(&folder, &numbers).into();
    let (mut index, mut moved) = (0, false);
    while let Some((number, valid)) = unread.pop_front() {
        progress(index, index + unread.len() + 1);
        index += 1;
        let first = after;
        let mut read = |step| match step {
            Step::Record(found) => {
                after = found.sequence;
                view.records += u64::from(!matches!(found.entry, Some(Entry::Footer(_))));
                let bytes = u32::try_from(found.bytes).unwrap_or(u32::MAX);
                let lies = Lies { segment: number, at: found.at as u64, bytes };
                if let Some(entry) = found.entry {
                    take(entry, lies, &mut events, &mut view.acts);
                }
            }
            Step::Damage { at, bytes } => {
                view.damage.push(Damage { segment: number, at: at as u64, bytes: bytes as u64, torn: false });
            }
            Step::Tail { at, bytes } => {
                view.damage.push(Damage { segment: number, at: at as u64, bytes: bytes as u64, torn: true });
            }
        };
        match read::segment(&folder, number, first, valid, &mut read) {
            Ok(()) => {}
            // A running gate has taken it away since: what was alive in it is at the head of the log, or beyond.
            Err(error) if error.kind() == io::ErrorKind::NotFound => moved = true,
            Err(error) => return Err(error),
        }
        if unread.is_empty() && std::mem::take(&mut moved) {
            let numbers = folder.segments()?;
            unread = read::valid_lengths(&folder, &numbers).into();
            unread.retain(|(other, _)| *other > number);
        }
    }
    view.events = events.into_values().collect();
    line_up(&mut view.events);
    view.breaks = chain::check(&mut view.acts);
    Ok(view)
}

/// The event with its payload; `None` if it does not lie there any more: a gate that runs may have carried it on.
///
/// # Errors
/// The file cannot be read.
pub fn payload(folder: &Path, event: &Viewed) -> io::Result<Option<Record>> {
    let Lies { segment, at, bytes } = event.lies;
    let found = match read::event(&Folder::existing(folder), segment, at, bytes) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof) => None,
        found => found?,
    };
    Ok(found.filter(|found| found.id == event.record.id))
}

/// Of events with one order key the first that waits for a destination goes, and all others wait for it.
fn line_up(events: &mut [Viewed]) {
    let mut first = HashMap::new();
    for Viewed { record, states, .. } in events {
        let Some(order) = record.order else { continue };
        for (destination, state) in states.iter_mut().filter(|(_, state)| state.state == State::Pending) {
            match first.entry((destination.clone(), order)) {
                Entered::Occupied(first) => state.waits_for = Some(String::clone(first.get())),
                Entered::Vacant(none) => drop(none.insert(record.id.clone())),
            }
        }
    }
}

fn take(entry: Entry, lies: Lies, events: &mut BTreeMap<u64, Viewed>, acts: &mut Vec<Act>) {
    match entry {
        Entry::Event { identity, record, .. } => {
            let found = events.entry(identity).or_insert_with(|| {
                let states = record.to.iter().map(|name| (name.clone(), ViewedState::default())).collect();
                let payload_bytes = record.payload.len();
                let record = Record { payload: Bytes::new(), ..record };
                Viewed { sequence: identity, lies, record, payload_bytes, states }
            });
            // Of two, the first is about to go.
            found.lies = lies;
        }
        Entry::Settled { event, destination, verdict, at } => {
            let Some(state) = events.get_mut(&event).and_then(|event| event.states.get_mut(&destination)) else {
                return;
            };
            state.due = None;
            match verdict {
                Settlement::Delivered => (state.state, state.settled_at) = (State::Delivered, Some(at)),
                Settlement::Dead(reason) => (state.state, state.reason) = (State::Dead, reason),
                Settlement::Dropped(actor) => {
                    (state.state, state.reason, state.settled_at) = (State::Dropped, actor, Some(at));
                }
                Settlement::Reopened => *state = ViewedState::default(),
            }
        }
        Entry::Tried { event, destination, attempts, due, reason } => {
            let Some(state) = events.get_mut(&event).and_then(|event| event.states.get_mut(&destination)) else {
                return;
            };
            (state.attempts, state.reason, state.due) = (attempts, reason, Some(due));
        }
        Entry::Seen { .. } | Entry::Footer(_) => {}
        Entry::Act(act) => acts.push(act),
    }
}
