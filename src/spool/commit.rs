//! The writer: one thread, so that everything that waits shares one sync. It takes what is there, writes it, syncs,
//! and only then says so. No artificial linger: the sync is the linger.

use super::{
    Shared,
    format::{Entry, Kept, SEGMENT_HEAD_BYTES, SegmentHead, Settlement},
    index::Place,
    log::Disk,
    memory::Hold,
    retain,
};
use crate::{
    event::Record,
    ledger::Receipt,
    verdict::{BoxError, Fault},
};
use std::{
    io,
    sync::{
        Arc, PoisonError,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// So many wait at the most; beyond it the answer is a 503, not a wait without end.
pub(super) const WAITING_MAX: usize = 4096;
/// One write takes so many commands at the most, and so many bytes: what comes later shares the next sync.
const BATCH_MAX: usize = 1024;
const BATCH_BYTES_MAX: usize = 8 << 20;
/// Lapsed leases are noticed, and room on the disk is looked at, this often.
const TICK: Duration = Duration::from_millis(500);
/// After a disk failed, a new segment is tried this often.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// What the writer is asked.
pub(super) enum Command {
    /// Keep this event and its keys, in one record.
    Accept { record: Record, keys: Vec<Kept>, hold: Option<Hold>, told: oneshot::Sender<Result<Receipt, Fault>> },
    /// Keep these keys of a relayed request.
    Seen { keys: Vec<Kept>, hold: Hold, told: oneshot::Sender<Result<(), Fault>> },
    /// Anything else.
    Note { entries: Vec<Entry>, told: Option<oneshot::Sender<Result<(), Fault>>> },
    /// Write what came before, and end.
    Close { told: oneshot::Sender<()> },
}

/// Sequence and place of each of a command's records; `None` for one that is larger than any may be.
type Written = Vec<Option<(u64, Place)>>;

/// The open segment. Absent while the disk refuses to give one.
struct Open {
    head: SegmentHead,
    size: u64,
}

pub(super) struct Writer<D> {
    pub(super) shared: Arc<Shared>,
    pub(super) disk: D,
    open: Option<Open>,
    /// Valid bytes of the segment before the next one.
    previous_valid: u64,
    next_segment: u64,
    next_sequence: u64,
    tried: Option<Instant>,
}

impl<D: Disk> Writer<D> {
    pub(super) fn new(
        shared: Arc<Shared>,
        disk: D,
        next_segment: u64,
        next_sequence: u64,
        previous_valid: u64,
    ) -> Self {
        Self { shared, disk, open: None, previous_valid, next_segment, next_sequence, tried: None }
    }

    /// Opens the next segment: made, proved and synced, with its folder.
    pub(super) fn roll(&mut self) -> io::Result<()> {
        let head = SegmentHead { number: self.next_segment, id: random_id()?, previous_valid: self.previous_valid };
        self.next_segment += 1;
        self.disk.create(&self.shared.folder, &head)?;
        let size = SEGMENT_HEAD_BYTES as u64;
        self.shared.bytes.fetch_add(size, Ordering::AcqRel);
        self.open = Some(Open { head, size });
        self.previous_valid = size;
        self.shared.failed.store(false, Ordering::Release);
        Ok(())
    }

    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        let mut ticked = Instant::now();
        loop {
            let first = match commands.recv_timeout(TICK) {
                Ok(command) => Some(command),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut batch = Vec::new();
            let mut bytes = 0;
            let mut close = None;
            let mut next = first;
            while let Some(command) = next.take() {
                match command {
                    Command::Close { told } => {
                        close = Some(told);
                        break;
                    }
                    command => {
                        bytes += command.bytes();
                        batch.push(command);
                    }
                }
                if batch.len() < BATCH_MAX && bytes < BATCH_BYTES_MAX {
                    next = commands.try_recv().ok();
                }
            }
            if !batch.is_empty() {
                self.commit(batch);
            }
            if let Some(told) = close {
                drop(self);
                let _ = told.send(());
                return;
            }
            if ticked.elapsed() >= TICK {
                ticked = Instant::now();
                self.tick();
            }
        }
    }

    fn tick(&mut self) {
        self.shared.memory.sweep(self.shared.clock.now(), Instant::now());
        self.shared.look_at_the_disk();
        if self.open.is_none() {
            let _ = self.ensure_open();
        }
        let current = self.open.as_ref().map(|open| open.head.number);
        if let Some(carried) = retain::collect(&self.shared, current) {
            let events = carried.events;
            let keys: Vec<_> = carried.entries.iter().flat_map(Entry::keys).map(|kept| kept.until).collect();
            match self.write(vec![carried.entries]) {
                Ok(written) => {
                    for (_, place) in written.iter().flatten().flatten() {
                        keys.iter().for_each(|until| self.shared.keep_segment_until(place.segment, *until));
                    }
                    // Events come first, each in a record of its own, in this order.
                    for (event, place) in events.into_iter().zip(written.into_iter().flatten()) {
                        if let Some((_, place)) = place {
                            self.shared.index().moved(event, place);
                        }
                    }
                    retain::delete(&self.shared, carried.segment);
                }
                Err(error) => {
                    self.seal(&error);
                }
            }
        }
    }

    fn ensure_open(&mut self) -> io::Result<()> {
        if self.open.is_some() {
            return Ok(());
        }
        if self.tried.is_some_and(|tried| tried.elapsed() < TRY_AGAIN) {
            return Err(io::Error::other("the disk failed a moment ago"));
        }
        self.tried = Some(Instant::now());
        self.roll().or_else(|error| {
            // On a full disk the reserve is room enough to settle what is delivered, and so to free some.
            self.shared.failed.store(true, Ordering::Release);
            self.shared.folder.give_reserve()?;
            self.roll().map_err(|_| error)
        })?;
        self.tried = None;
        Ok(())
    }

    fn commit(&mut self, batch: Vec<Command>) {
        let entries: Vec<Vec<Entry>> = batch.iter().map(Command::entries).collect();
        match self.write(entries) {
            Ok(written) => {
                let mut told = Vec::new();
                for (command, written) in batch.into_iter().zip(written) {
                    told.push(self.apply(command, written.first().copied().flatten()));
                }
                self.shared.changed.notify_waiters();
                told.into_iter().for_each(|tell| tell());
            }
            Err(error) => {
                self.seal(&error);
                let error = Arc::new(error);
                batch.into_iter().for_each(|command| self.refuse(command, &error));
            }
        }
    }

    /// Writes and syncs all of it, or nothing of it counts. Says where each record lies; `None` is one that is larger
    /// than any may be.
    fn write(&mut self, batch: Vec<Vec<Entry>>) -> io::Result<Vec<Written>> {
        self.ensure_open()?;
        let mut open = self.open.take().ok_or_else(|| io::Error::other("no segment is open"))?;
        if open.size > SEGMENT_HEAD_BYTES as u64 && open.size >= self.shared.segment_bytes {
            self.previous_valid = open.size;
            self.roll()?;
            open = self.open.take().ok_or_else(|| io::Error::other("no segment is open"))?;
        }
        let (mut bytes, mut written, mut sequence) = (Vec::new(), Vec::new(), self.next_sequence);
        for entries in batch {
            let mut of_command = Vec::new();
            for mut entry in entries {
                let at = open.size + bytes.len() as u64;
                if let Entry::Event { identity: identity @ 0, .. } = &mut entry {
                    *identity = sequence;
                }
                of_command.push(entry.encode(&open.head.id, sequence, &mut bytes).map(|length| {
                    let place =
                        Place { segment: open.head.number, at, bytes: u32::try_from(length).unwrap_or(u32::MAX) };
                    (sequence, place)
                }));
                sequence += 1;
            }
            written.push(of_command);
        }
        self.disk.append(&bytes)?;
        self.disk.sync()?;
        open.size += bytes.len() as u64;
        self.previous_valid = open.size;
        self.next_sequence = sequence;
        self.shared.bytes.fetch_add(bytes.len() as u64, Ordering::AcqRel);
        self.open = Some(open);
        Ok(written)
    }

    /// The segment is never written to or synced again; the next one's head says how much of it is valid.
    fn seal(&mut self, error: &io::Error) {
        self.open = None;
        self.shared.failed.store(true, Ordering::Release);
        *self.shared.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
        self.shared.look_at_the_disk();
    }

    /// Makes what was written true in memory, and hands back how to tell it.
    fn apply(&self, command: Command, written: Option<(u64, Place)>) -> Box<dyn FnOnce()> {
        let now = Instant::now();
        match command {
            Command::Accept { record, keys, hold, told } => {
                let Some((sequence, place)) = written else {
                    if let Some(hold) = hold {
                        self.shared.memory.forget(&hold);
                    }
                    return Box::new(move || drop(told.send(Err(Fault::Ledger("the event is too large".into())))));
                };
                self.shared.index().add(sequence, place, record.accepted_at, &record.to, now);
                keys.iter().for_each(|kept| self.shared.keep_segment_until(place.segment, kept.until));
                if let Some(hold) = hold {
                    self.shared.memory.keep(&hold, &keys);
                }
                let receipt = Receipt::durable(record.id, sequence);
                Box::new(move || drop(told.send(Ok(receipt))))
            }
            Command::Seen { keys, hold, told } => {
                if let Some((_, place)) = written {
                    keys.iter().for_each(|kept| self.shared.keep_segment_until(place.segment, kept.until));
                }
                self.shared.memory.keep(&hold, &keys);
                Box::new(move || drop(told.send(Ok(()))))
            }
            Command::Note { entries, told } => {
                for entry in entries {
                    self.shared.take_note(entry, now);
                }
                Box::new(move || {
                    if let Some(told) = told {
                        let _ = told.send(Ok(()));
                    }
                })
            }
            Command::Close { told } => Box::new(move || {
                let _ = told.send(());
            }),
        }
    }

    fn refuse(&self, command: Command, error: &Arc<io::Error>) {
        let fault = || Fault::Ledger(BoxError::from(error.clone()));
        match command {
            Command::Accept { hold, told, .. } => {
                if let Some(hold) = hold {
                    self.shared.memory.forget(&hold);
                }
                let _ = told.send(Err(fault()));
            }
            Command::Seen { keys, hold, told } => {
                // WordPress did take it: better remembered until the next crash than forgotten at once.
                self.shared.memory.keep(&hold, &keys);
                let _ = told.send(Err(fault()));
            }
            Command::Note { told, entries } => {
                // What was delivered is not delivered again by this process, whatever the disk says.
                for entry in entries {
                    if let Entry::Settled { verdict: Settlement::Delivered, .. } = &entry {
                        self.shared.take_note(entry, Instant::now());
                    }
                }
                if let Some(told) = told {
                    let _ = told.send(Err(fault()));
                }
            }
            Command::Close { told } => {
                let _ = told.send(());
            }
        }
    }
}

impl Command {
    fn bytes(&self) -> usize {
        match self {
            Self::Accept { record, .. } => record.payload.len(),
            Self::Seen { .. } | Self::Note { .. } | Self::Close { .. } => 0,
        }
    }

    fn entries(&self) -> Vec<Entry> {
        match self {
            Self::Accept { record, keys, .. } => {
                vec![Entry::Event { identity: 0, keys: keys.clone(), record: record.clone() }]
            }
            Self::Seen { keys, .. } => vec![Entry::Seen { keys: keys.clone() }],
            Self::Note { entries, .. } => entries.clone(),
            Self::Close { .. } => Vec::new(),
        }
    }
}

/// From the kernel; a segment's id is a part of every checksum in it.
fn random_id() -> io::Result<[u8; 16]> {
    use std::io::Read as _;
    let mut id = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut id)?;
    Ok(id)
}
