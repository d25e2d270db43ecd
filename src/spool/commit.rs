//! The writer: one thread, so that everything that waits shares one sync. It takes what is there, writes it, syncs,
//! and only then says so. No artificial linger: the sync is the linger.

use super::{
    act::Act,
    chain,
    format::{Builder, Draft, Entry, SEGMENT_HEAD_BYTES, SegmentHead, Settlement, What},
    index::{Place, Waiting},
    log::Disk,
    memory::Hold,
    recover::Resume,
    retain::{self, Collected},
    room::Promise,
    shared::Shared,
};
use crate::{
    ledger::Receipt,
    verdict::{BoxError, Fault},
};
use std::{
    io::{self, IoSlice},
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
    Accept {
        id: String,
        event: Draft,
        hold: Option<Hold>,
        room: Option<Promise>,
        told: oneshot::Sender<Result<Receipt, Fault>>,
    },
    /// Keep these keys of a relayed request.
    Seen { seen: Draft, hold: Hold, told: oneshot::Sender<Result<(), Fault>> },
    /// Anything else.
    Note { notes: Vec<Draft>, told: Option<oneshot::Sender<Result<(), Fault>>> },
    /// An operator's act with what it does.
    Act { act: Act, notes: Vec<Draft>, room: Option<Promise>, told: oneshot::Sender<Result<Act, Fault>> },
    /// Let settled segments go until so many bytes more are in order, and say whether they are.
    MakeRoom { bytes: u64, told: oneshot::Sender<bool> },
    /// Write what came before, and end.
    Close { told: oneshot::Sender<()> },
}

/// Sequence and place of a record.
type Written = (u64, Place);

/// The open segment. Absent while the disk refuses to give one.
struct Open {
    head: SegmentHead,
    size: u64,
    footer: Builder,
}

pub(super) struct Writer<D> {
    pub(super) shared: Arc<Shared>,
    pub(super) disk: D,
    open: Option<Open>,
    /// The segment before the next one, how much of it is valid, and whether that is not all of it.
    previous: u64,
    previous_valid: u64,
    previous_failed: bool,
    next_segment: u64,
    next_sequence: u64,
    chain: chain::End,
    tried: Option<Instant>,
}

impl<D: Disk> Writer<D> {
    pub(super) fn new(shared: Arc<Shared>, disk: D, resume: &Resume) -> Self {
        Self {
            shared,
            disk,
            open: None,
            previous: resume.previous,
            previous_valid: resume.previous_valid,
            previous_failed: false,
            next_segment: resume.next_segment,
            next_sequence: resume.next_sequence,
            chain: resume.chain,
            tried: None,
        }
    }

    /// Opens the next segment: made, proved and synced, with its folder.
    pub(super) fn roll(&mut self) -> io::Result<()> {
        let (number, previous, previous_valid) = (self.next_segment, self.previous, self.previous_valid);
        let head = SegmentHead { number, id: random_id()?, previous, previous_valid };
        self.next_segment += 1;
        self.disk.create(&self.shared.folder, &head)?;
        let size = SEGMENT_HEAD_BYTES as u64;
        self.shared.room.wrote(size);
        self.shared.segments().add(number, std::mem::take(&mut self.previous_failed).then_some(previous));
        self.open = Some(Open { head, size, footer: Builder::default() });
        (self.previous, self.previous_valid) = (number, size);
        self.shared.failed.store(false, Ordering::Release);
        Ok(())
    }

    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        let mut ticked = Instant::now();
        loop {
            let first = match commands.recv_timeout(TICK) {
                Ok(command) => Some(command),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return self.finish(),
            };
            let mut batch = Vec::new();
            let mut bytes = 0;
            let (mut close, mut asked) = (None, Vec::new());
            let mut next = first;
            while let Some(command) = next.take() {
                match command {
                    Command::Close { told } => {
                        close = Some(told);
                        break;
                    }
                    Command::MakeRoom { bytes, told } => asked.push((bytes, told)),
                    mut command => {
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
            for (bytes, told) in asked {
                let _ = told.send(self.make_room(bytes));
            }
            if let Some(told) = close {
                self.finish();
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

    pub(super) fn tick(&mut self) {
        self.shared.memory.sweep(self.shared.clock.now(), Instant::now());
        self.shared.look_at_the_disk();
        if self.open.is_none() {
            let _ = self.ensure_open();
        }
        self.end_what_is_overdue();
        self.collect(self.shared.room.is_pressed());
        // So that readiness is told before the next event asks, and after the last one that was refused.
        self.make_room(self.shared.room.refused().unwrap_or_default());
    }

    /// Only a segment that was ended can be collected, and on a quiet gate one would stay open for months.
    fn end_what_is_overdue(&mut self) {
        let now = self.shared.clock.now();
        if self.open.as_ref().is_some_and(|open| self.shared.segments().is_overdue(open.head.number, now)) {
            self.finish();
            if let Err(error) = self.roll() {
                self.seal(&error);
            }
        }
    }

    /// Whether so many bytes more are in order, after all has gone that can.
    pub(super) fn make_room(&mut self, bytes: u64) -> bool {
        self.shared.room.hope();
        while !self.shared.room.has(bytes) {
            if !self.collect(true) {
                self.shared.room.refuse(bytes);
                return false;
            }
            self.shared.look_at_the_disk();
        }
        true
    }

    /// Lets something go, if anything can.
    pub(super) fn collect(&mut self, pressed: bool) -> bool {
        let current = self.open.as_ref().map(|open| open.head.number);
        let mut carried = match retain::collect(&self.shared, current, pressed) {
            Collected::Nothing => return false,
            Collected::Deleted => return true,
            Collected::ToCarry(carried) => carried,
        };
        let written = self.write(carried.drafts.iter_mut().collect());
        match &written {
            Ok(written) => retain::carried(&self.shared, &carried, written),
            Err(error) => self.seal(error),
        }
        written.is_ok()
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

    pub(super) fn commit(&mut self, mut batch: Vec<Command>) {
        let mut chain = self.chain;
        batch.iter_mut().for_each(|command| command.chain(&mut chain));
        let written = self.write(batch.iter_mut().flat_map(Command::drafts).collect());
        batch.iter_mut().for_each(Command::is_counted);
        match written {
            Ok(written) => {
                self.chain = chain;
                let mut written = written.into_iter();
                let told: Vec<_> = batch.into_iter().map(|command| self.apply(command, &mut written)).collect();
                self.shared.changed.notify_waiters();
                told.into_iter().for_each(Tell::tell);
            }
            Err(error) => {
                self.seal(&error);
                let error = Arc::new(error);
                batch.into_iter().for_each(|command| self.refuse(command, &error));
            }
        }
    }

    /// Writes and syncs all of it, or nothing of it counts. Says where each record lies.
    fn write(&mut self, drafts: Vec<&mut Draft>) -> io::Result<Vec<Written>> {
        self.ensure_open()?;
        if self.open.as_ref().is_some_and(|open| open.size >= self.shared.segment_bytes) {
            self.finish();
            self.roll()?;
        }
        let mut open = self.open.take().ok_or_else(|| io::Error::other("no segment is open"))?;
        let (mut sequence, mut at) = (self.next_sequence, open.size);
        let (mut records, mut written) = (Vec::with_capacity(drafts.len()), Vec::with_capacity(drafts.len()));
        for draft in drafts {
            let bytes = u32::try_from(draft.len()).unwrap_or(u32::MAX);
            open.footer.push(sequence, at, bytes, &draft.what);
            records.push(IoSlice::new(draft.numbered(&open.head.id, sequence)));
            written.push((sequence, Place { segment: open.head.number, at, bytes }));
            (sequence, at) = (sequence + 1, at + u64::from(bytes));
        }
        if let Err(error) = self.disk.append(&mut records).and_then(|()| self.disk.sync()) {
            // What it left behind takes room until its segment goes.
            let size = self.shared.folder.size(open.head.number).unwrap_or(open.size);
            self.shared.room.wrote(size.saturating_sub(open.size));
            return Err(error);
        }
        self.shared.room.wrote(at - open.size);
        (self.next_sequence, self.previous_valid, open.size) = (sequence, at, at);
        self.open = Some(open);
        Ok(written)
    }

    /// Ends the open segment with its footer. That is not synced, and not counted as valid: without it, or with half of
    /// it, the segment is scanned.
    pub(super) fn finish(&mut self) {
        let Some(open) = self.open.take().filter(|open| !open.footer.is_empty()) else { return };
        let Some(mut footer) = Draft::of(open.footer.finish(open.size)) else { return };
        let bytes = footer.len() as u64;
        let record = footer.numbered(&open.head.id, self.next_sequence);
        if self.disk.append(&mut [IoSlice::new(record)]).is_ok() {
            self.next_sequence += 1;
            self.shared.room.wrote(bytes);
        }
    }

    /// The segment is never written to or synced again; the next one's head says how much of it is valid.
    fn seal(&mut self, error: &io::Error) {
        self.open = None;
        self.previous_failed = true;
        self.shared.failed.store(true, Ordering::Release);
        *self.shared.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
        self.shared.look_at_the_disk();
    }

    /// Makes what was written true in memory, and hands back what to tell to whom.
    fn apply(&self, command: Command, written: &mut impl Iterator<Item = Written>) -> Tell {
        match command {
            Command::Accept { id, event, hold, told, .. } => {
                let sequence = written.next().map_or(0, |(sequence, place)| {
                    self.added(sequence, place, &event.what, hold);
                    sequence
                });
                Tell::Receipt(told, Receipt::durable(id, sequence))
            }
            Command::Seen { seen, hold, told } => {
                if let Some((_, place)) = written.next() {
                    let until = seen.what.keys().iter().map(|kept| kept.until);
                    self.shared.segments().needed_until(place.segment, until);
                }
                self.shared.memory.keep(&hold, seen.what.keys());
                Tell::Done(Some(told))
            }
            Command::Note { notes, told } => {
                self.noted(&notes, written);
                Tell::Done(told)
            }
            Command::Act { act, notes, told, .. } => {
                self.noted(&notes, written);
                Tell::Acted(told, act)
            }
            // Done by `run`.
            Command::MakeRoom { .. } | Command::Close { .. } => Tell::Done(None),
        }
    }

    fn noted(&self, notes: &[Draft], written: &mut impl Iterator<Item = Written>) {
        for (note, (sequence, place)) in notes.iter().zip(written) {
            self.added(sequence, place, &note.what, None);
            self.shared.take_note(place.segment, &note.what);
        }
    }

    /// If it is an event.
    fn added(&self, sequence: u64, place: Place, what: &What, hold: Option<Hold>) {
        if let What::Event { keys, accepted_at, tag, keep, order, to, .. } = what {
            let waiting = Waiting { place, accepted_at: *accepted_at, tag: *tag, keep: *keep, order: *order };
            self.shared.index().add(sequence, waiting, to);
            self.shared.segments().needed_until(place.segment, keys.iter().map(|kept| kept.until));
            if let Some(hold) = hold {
                self.shared.memory.keep(&hold, keys);
            }
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
            Command::Seen { seen, hold, told } => {
                // WordPress did take it: better remembered until the next crash than forgotten at once.
                self.shared.memory.keep(&hold, seen.what.keys());
                let _ = told.send(Err(fault()));
            }
            Command::Note { told, notes } => {
                // What was delivered is not delivered again by this process, whatever the disk says.
                for note in &notes {
                    if let What::Settled { event, destination, verdict: verdict @ Settlement::Delivered, .. } =
                        &note.what
                    {
                        self.shared.index().settle(*event, destination, verdict, self.shared.clock.running());
                    }
                }
                if let Some(told) = told {
                    let _ = told.send(Err(fault()));
                }
            }
            Command::Act { told, .. } => drop(told.send(Err(fault()))),
            Command::MakeRoom { .. } | Command::Close { .. } => {}
        }
    }
}

/// An answer that waits for those of the same batch.
enum Tell {
    Receipt(oneshot::Sender<Result<Receipt, Fault>>, Receipt),
    Done(Option<oneshot::Sender<Result<(), Fault>>>),
    Acted(oneshot::Sender<Result<Act, Fault>>, Act),
}

impl Tell {
    /// Whoever does not wait any more does not hear it.
    fn tell(self) {
        match self {
            Self::Receipt(told, receipt) => drop(told.send(Ok(receipt))),
            Self::Done(told) => drop(told.map(|told| told.send(Ok(())))),
            Self::Acted(told, act) => drop(told.send(Ok(act))),
        }
    }
}

impl Command {
    fn bytes(&mut self) -> usize {
        self.drafts().iter().map(Draft::len).sum()
    }

    fn drafts(&mut self) -> &mut [Draft] {
        match self {
            Self::Accept { event: draft, .. } | Self::Seen { seen: draft, .. } => std::slice::from_mut(draft),
            Self::Note { notes, .. } | Self::Act { notes, .. } => notes,
            Self::MakeRoom { .. } | Self::Close { .. } => &mut [],
        }
    }

    /// Puts an act at the end of the chain: only the one writer knows which is the last.
    fn chain(&mut self, end: &mut chain::End) {
        if let Self::Act { act, notes, .. } = self {
            end.extend(act);
            notes.extend(Draft::of(Entry::Act(act.clone())));
        }
    }

    /// Its bytes are counted as written, and not as promised any more.
    fn is_counted(&mut self) {
        if let Self::Accept { room, .. } | Self::Act { room, .. } = self {
            *room = None;
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
