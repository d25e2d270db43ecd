//! The embedded queue: one log of typed records, one writer thread, everything else in memory and rebuilt from it.
//!
//! `format` is the bytes of a record, `log` the segment files, `commit` the writer that shares one sync among all who
//! wait, `recover` the reading at the start, `memory` the keys of what was accepted or is being worked on, `index` what
//! waits for which destination, `retain` which segments may go. There is no cursor file, no replay journal and no
//! dead-letter store that could disagree with the log: a cursor is what is settled, a dead letter is a verdict.

mod commit;
mod format;
mod index;
mod log;
mod memory;
mod read;
mod recover;
mod retain;
pub mod view;

use crate::{
    clock::{Clock, Timestamp},
    event::{Event, Record},
    ledger::{Accepted, Known, Lease, Leased, Leases, Ledger, Settled},
    repeat::RepeatKeys,
    verdict::{BoxError, Fault},
};
use commit::{Command, WAITING_MAX, Writer};
use format::{Entry, Kept, Look, Settlement};
use index::Index;
use log::{Disk, Folder, RealDisk};
use memory::{Claimed, Hold, Memory};
use nix::fcntl::{Flock, FlockArg};
use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    time::{Duration, Instant},
};
use tokio::sync::{Notify, oneshot};

/// Where, and how much of it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its folder; made with 0700 if absent.
    pub folder: PathBuf,
    /// At most so many bytes of segments.
    pub bytes: u64,
    /// Leave so many bytes of the file system free.
    pub free: u64,
}

/// The queue, opened and locked. Cheap to clone.
#[derive(Clone)]
pub struct Spool {
    shared: Arc<Shared>,
    commands: SyncSender<Command>,
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool").field("folder", &self.shared.folder).finish_non_exhaustive()
    }
}

/// What writer and callers share.
struct Shared {
    settings: Settings,
    segment_bytes: u64,
    folder: Folder,
    clock: Arc<dyn Clock>,
    memory: Memory,
    index: Mutex<Index>,
    /// Of each segment, until when a key in it is alive.
    alive: Mutex<HashMap<u64, Timestamp>>,
    changed: Notify,
    /// Bytes of segments.
    bytes: AtomicU64,
    /// Less than the free-space floor is left on the file system.
    short: AtomicBool,
    /// The disk refused the last write, sync or new segment.
    failed: AtomicBool,
    last_error: Mutex<Option<String>>,
    corrupt: AtomicU64,
    /// Held for as long as the spool is open.
    lock: Mutex<Option<Flock<File>>>,
}

/// What recovery found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Events that wait for, or are dead for, at least one destination.
    pub pending: u64,
    /// Stretches that failed their checksum and were skipped.
    pub corrupt: u64,
    /// Records of a later version's kinds, skipped.
    pub unknown: u64,
    /// Bytes at the ends of segments that are no records: writes that were cut short.
    pub torn_bytes: u64,
}

/// Why the queue does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Two gates on one log would each deliver it.
    #[error("the spool `{folder}` is in use by process {pid}; stop that one, or give this one a folder of its own")]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// Who holds it.
        pid: String,
    },
    /// The folder or a file in it.
    #[error("cannot open the spool `{folder}`")]
    Io {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// An event that is due for one destination, and in flight until settled, tried or released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Under which it was accepted.
    pub sequence: u64,
    /// How often it failed by its own fault.
    pub attempts: u32,
}

/// How an event ended for one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The destination confirmed it.
    Delivered,
    /// It will not be tried again; the reason is for the operator.
    Dead(String),
    /// An operator, by this name, dropped it.
    Dropped(String),
}

/// What the queue holds now, for metrics.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Bytes of segments.
    pub bytes: u64,
    /// Acceptance of the oldest event that is not settled everywhere.
    pub oldest_pending: Option<Timestamp>,
    /// For each destination that anything was ever addressed to.
    pub destinations: Vec<DestinationStats>,
    /// Keys remembered.
    pub keys: u64,
    /// Whether events can be accepted durably now.
    pub accepting: bool,
    /// Stretches of the log that failed their checksum.
    pub corrupt: u64,
}

/// Events by what became of them, since the spool was opened: `accepted` counts those that recovery found, and is the
/// sum of all others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DestinationStats {
    /// Its name in the policy.
    pub destination: String,
    /// Addressed to it.
    pub accepted: u64,
    /// Confirmed by it.
    pub delivered: u64,
    /// Waiting, or in flight.
    pub pending: u64,
    /// Of those, in flight.
    pub in_flight: u64,
    /// Dead letters that are kept.
    pub dead: u64,
    /// Dropped by an operator.
    pub dropped: u64,
}

/// Of one segment file: a scan of it takes a tenth of a second.
const SEGMENT_BYTES: u64 = 64 << 20;
/// A small budget has small segments, or nothing could ever go.
const SEGMENTS_OF_A_BUDGET: u64 = 16;
const SEGMENT_BYTES_MIN: u64 = 64 << 10;

impl Spool {
    /// Opens, locks and recovers; starts the writer thread.
    ///
    /// # Errors
    /// Another process holds it, it cannot be read, or no segment can be made durable.
    pub fn open(settings: Settings, clock: Arc<dyn Clock>) -> Result<(Self, Recovered), OpenError> {
        Self::open_on(settings, clock, RealDisk::default())
    }

    fn open_on(
        settings: Settings,
        clock: Arc<dyn Clock>,
        disk: impl Disk + 'static,
    ) -> Result<(Self, Recovered), OpenError> {
        let path = settings.folder.clone();
        let failed = |source| OpenError::Io { folder: path.clone(), source };
        let folder = Folder::open(&settings.folder).map_err(failed)?;
        let lock = lock(&folder)?;
        let segment_bytes = (settings.bytes / SEGMENTS_OF_A_BUDGET).clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES);
        let shared = Arc::new(Shared {
            settings,
            segment_bytes,
            folder,
            clock,
            memory: Memory::new(memory::KEYS_MAX),
            index: Mutex::default(),
            alive: Mutex::default(),
            changed: Notify::new(),
            bytes: AtomicU64::default(),
            short: AtomicBool::default(),
            failed: AtomicBool::default(),
            last_error: Mutex::default(),
            corrupt: AtomicU64::default(),
            lock: Mutex::new(Some(lock)),
        });
        let resume = recover::recover(&shared).map_err(failed)?;
        shared.corrupt.store(resume.found.corrupt, Ordering::Release);
        let mut writer =
            Writer::new(shared.clone(), disk, resume.next_segment, resume.next_sequence, resume.previous_valid);
        writer.roll().map_err(failed)?;
        shared.look_at_the_disk();
        let (commands, waiting) = sync_channel(WAITING_MAX);
        let thread = std::thread::Builder::new().name("spool".to_owned());
        thread.spawn(move || writer.run(&waiting)).map_err(failed)?;
        Ok((Self { shared, commands }, resume.found))
    }

    /// Whether any of these keys was accepted, or relayed with success, and is still remembered.
    pub fn look(&self, keys: &RepeatKeys) -> Option<Known> {
        self.shared.memory.look(keys)
    }

    /// Whether an event can be accepted now; asked before a body is read.
    ///
    /// # Errors
    /// [`Fault::LedgerFull`] at the disk budget or the free-space floor; [`Fault::Ledger`] while the disk fails.
    pub fn ready(&self) -> Result<(), Fault> {
        self.shared.ready()
    }

    /// Up to `most` events that are due for this destination, oldest first; they are in flight from now on.
    pub fn claim(&self, destination: &str, most: usize) -> Vec<Claim> {
        self.shared.index().claim(destination, most, Instant::now())
    }

    /// How long until the next event for this destination is due; `None` if nothing waits.
    pub fn next_due(&self, destination: &str) -> Option<Duration> {
        self.shared.index().next_due(destination, Instant::now())
    }

    /// Ends when something is committed after the call, whether or not it is awaited yet: an event accepted, settled or
    /// reopened. So call it, look at what is due, and then wait.
    pub fn changed(&self) -> impl Future<Output = ()> + Send + '_ {
        self.shared.changed.notified()
    }

    /// Reads one event back.
    ///
    /// # Errors
    /// It is gone, or fails its checksum: then it is never delivered.
    pub fn read(&self, sequence: u64) -> Result<Record, Fault> {
        self.shared.read(sequence)
    }

    /// Ends an event for one destination; returns when that is written and synced.
    ///
    /// # Errors
    /// A [`Fault`] if it could not be written: after a crash the event is sent again.
    pub async fn settle(&self, sequence: u64, destination: &str, verdict: Verdict) -> Result<(), Fault> {
        let verdict = match verdict {
            Verdict::Delivered => Settlement::Delivered,
            Verdict::Dead(reason) => Settlement::Dead(reason),
            Verdict::Dropped(actor) => Settlement::Dropped(actor),
        };
        self.note(vec![Entry::Settled { event: sequence, destination: destination.to_owned(), verdict }]).await
    }

    /// The event failed by its own fault: due again after `wait`, with one attempt more.
    pub fn tried(&self, claim: Claim, destination: &str, wait: Duration, reason: &str) {
        let attempts = claim.attempts.saturating_add(1);
        self.shared.index().due_again(claim.sequence, destination, attempts, Instant::now() + wait);
        let due = self.shared.clock.now() + wait;
        let (event, destination, reason) = (claim.sequence, destination.to_owned(), reason.to_owned());
        let entries = vec![Entry::Tried { event, destination, attempts, due, reason }];
        // What is lost of it costs one attempt more after a crash, and nothing else.
        let _ = self.commands.try_send(Command::Note { entries, told: None });
    }

    /// The destination failed: back as it was, due now.
    pub fn release(&self, claim: Claim, destination: &str) {
        self.shared.index().due_again(claim.sequence, destination, claim.attempts, Instant::now());
    }

    /// Puts the dead letters of one event back, due now. False if it has none.
    ///
    /// # Errors
    /// A [`Fault`] if it could not be written.
    pub async fn retry(&self, event_id: &str, actor: &str) -> Result<bool, Fault> {
        self.act(event_id, actor, "retry", |dead| dead.then_some(Settlement::Reopened)).await
    }

    /// Gives up an event that waits or is dead. False if there is none.
    ///
    /// # Errors
    /// A [`Fault`] if it could not be written.
    pub async fn drop_event(&self, event_id: &str, actor: &str) -> Result<bool, Fault> {
        self.act(event_id, actor, "drop", |_| Some(Settlement::Dropped(actor.to_owned()))).await
    }

    /// Writes down what an operator did that is not about an event.
    ///
    /// # Errors
    /// A [`Fault`] if it could not be written.
    pub async fn record_act(&self, actor: &str, what: &str, about: &str) -> Result<(), Fault> {
        let (actor, what, event) = (actor.to_owned(), what.to_owned(), about.to_owned());
        self.note(vec![Entry::Act { at: self.shared.clock.now(), actor, what, event }]).await
    }

    async fn act(
        &self,
        event_id: &str,
        actor: &str,
        what: &str,
        verdict: impl Fn(bool) -> Option<Settlement>,
    ) -> Result<bool, Fault> {
        let places: Vec<_> = self.shared.index().events().map(|(event, _)| event).collect();
        let named = |event: &u64| self.shared.read(*event).is_ok_and(|record| record.id == event_id);
        let Some(event) = places.into_iter().find(named) else { return Ok(false) };
        let open = self.shared.index().open_for(event);
        let settled = open
            .into_iter()
            .filter_map(|(destination, _, dead)| Some(Entry::Settled { event, destination, verdict: verdict(dead)? }));
        let mut entries: Vec<_> = settled.collect();
        if entries.is_empty() {
            return Ok(false);
        }
        let (actor, what, id) = (actor.to_owned(), what.to_owned(), event_id.to_owned());
        entries.push(Entry::Act { at: self.shared.clock.now(), actor, what, event: id });
        self.note(entries).await.map(|()| true)
    }

    /// For metrics.
    pub fn stats(&self) -> Stats {
        let index = self.shared.index();
        let destinations = index.queues().map(|(name, queue)| DestinationStats {
            destination: name.clone(),
            accepted: queue.counts.accepted,
            delivered: queue.counts.delivered,
            pending: queue.pending(),
            in_flight: queue.counts.in_flight,
            dead: queue.counts.dead,
            dropped: queue.counts.dropped,
        });
        Stats {
            bytes: self.shared.bytes.load(Ordering::Acquire),
            oldest_pending: index.oldest(),
            destinations: destinations.collect(),
            keys: self.shared.memory.len() as u64,
            accepting: self.shared.ready().is_ok(),
            corrupt: self.shared.corrupt.load(Ordering::Acquire),
        }
    }

    /// Its folder.
    pub fn folder(&self) -> &std::path::Path {
        self.shared.folder.path()
    }

    /// Writes what waits, ends the writer thread and releases the lock.
    pub async fn close(&self) {
        let (told, ended) = oneshot::channel();
        if self.commands.send(Command::Close { told }).is_ok() {
            let _ = ended.await;
        }
        drop(self.shared.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    #[expect(clippy::result_large_err, reason = "what was not taken is given back whole")]
    fn send(&self, command: Command) -> Result<(), (Fault, Command)> {
        self.commands.try_send(command).map_err(|error| match error {
            TrySendError::Full(command) => (Fault::LedgerBusy, command),
            TrySendError::Disconnected(command) => (Fault::Ledger("the spool is closed".into()), command),
        })
    }

    async fn note(&self, entries: Vec<Entry>) -> Result<(), Fault> {
        let (told, outcome) = oneshot::channel();
        self.send(Command::Note { entries, told: Some(told) }).map_err(|(fault, _)| fault)?;
        outcome.await.unwrap_or_else(|_| Err(Fault::Ledger("the writer ended".into())))
    }

    fn kept(&self, keys: &RepeatKeys) -> Vec<Kept> {
        let now = self.shared.clock.now();
        keys.each().map(|key| Kept { key: key.key, until: now + key.remember, body: keys.body }).collect()
    }

    /// Waits until the keys are this caller's, or known.
    async fn hold(&self, keys: &RepeatKeys, lapse: Option<Duration>) -> Result<Result<Hold, Known>, Fault> {
        loop {
            match self.shared.memory.claim(keys, lapse, Instant::now()) {
                Claimed::Mine(hold) => return Ok(Ok(hold)),
                Claimed::Known(known) => return Ok(Err(known)),
                Claimed::Full => return Err(Fault::LedgerFull),
                // Closed when the other has come to an end: then one of those who wait is the next.
                Claimed::Busy(ended) => drop(ended.acquire().await),
            }
        }
    }
}

/// Gives a claim back if its holder goes away before the writer has it.
struct Giver<'a> {
    shared: &'a Shared,
    hold: Option<Hold>,
}

impl Drop for Giver<'_> {
    fn drop(&mut self) {
        if let Some(hold) = &self.hold {
            self.shared.memory.forget(hold);
        }
    }
}

impl Ledger for Spool {
    async fn accept(&self, event: Event) -> Result<Accepted, Fault> {
        self.shared.ready()?;
        let keys = *event.keys();
        let hold = match self.hold(&keys, None).await? {
            Ok(hold) => hold,
            Err(known) => return Ok(Accepted::Again(known)),
        };
        let (told, outcome) = oneshot::channel();
        let mut giver = Giver { shared: &self.shared, hold: Some(hold) };
        let command =
            Command::Accept { record: event.record().clone(), keys: self.kept(&keys), hold: giver.hold.take(), told };
        if let Err((fault, command)) = self.send(command) {
            if let Command::Accept { hold, .. } = command {
                giver.hold = hold;
            }
            return Err(fault);
        }
        let receipt = outcome.await.unwrap_or_else(|_| Err(Fault::Ledger("the writer ended".into())));
        receipt.map(Accepted::New)
    }
}

impl Leases for Spool {
    async fn lease(&self, keys: &RepeatKeys, hold: Duration) -> Result<Leased, Fault> {
        Ok(match self.hold(keys, Some(hold)).await? {
            Ok(hold) => Leased::Held(Lease { keys: hold.keys, fence: hold.fence }),
            Err(known) => Leased::Again(known),
        })
    }

    async fn settle(&self, lease: Lease, settled: Settled) -> Result<(), Fault> {
        let hold = Hold { keys: lease.keys, fence: lease.fence };
        if !self.shared.memory.holds(&hold.keys, hold.fence) {
            return Err(Fault::LeaseLost);
        }
        match settled {
            Settled::Released => {
                self.shared.memory.forget(&hold);
                Ok(())
            }
            Settled::Done => {
                let keys = self.kept(&hold.keys);
                let (told, outcome) = oneshot::channel();
                if let Err((fault, command)) = self.send(Command::Seen { keys, hold, told }) {
                    // WordPress did take it: remembered until the next crash is better than not at all.
                    if let Command::Seen { keys, hold, .. } = command {
                        self.shared.memory.keep(&hold, &keys);
                    }
                    return Err(fault);
                }
                outcome.await.unwrap_or_else(|_| Err(Fault::Ledger("the writer ended".into())))
            }
        }
    }
}

impl Shared {
    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ready(&self) -> Result<(), Fault> {
        if self.failed.load(Ordering::Acquire) {
            let error = self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone();
            return Err(Fault::Ledger(BoxError::from(error.unwrap_or_else(|| "the disk refuses".to_owned()))));
        }
        let full = self.bytes.load(Ordering::Acquire) >= self.settings.bytes;
        if full || self.is_short_of_space() { Err(Fault::LedgerFull) } else { Ok(()) }
    }

    fn is_short_of_space(&self) -> bool {
        self.short.load(Ordering::Acquire)
    }

    /// Room on the file system, and the reserve where there is some.
    fn look_at_the_disk(&self) {
        let free = self.folder.free().unwrap_or(u64::MAX);
        let short = free < self.settings.free;
        if !short && self.folder.keep_reserve(self.segment_bytes).is_err() {
            let _ = self.folder.give_reserve();
        }
        self.short.store(short, Ordering::Release);
    }

    fn read(&self, sequence: u64) -> Result<Record, Fault> {
        let gone = || Fault::Ledger("the event is not in the spool any more".into());
        let damaged = || Fault::Ledger("the event's record is damaged".into());
        let place = self.index().place(sequence).ok_or_else(gone)?;
        let bytes = usize::try_from(place.bytes).unwrap_or_default();
        let part = self.folder.read_part(place.segment, place.at, bytes);
        let part = part.map_err(|error| Fault::Ledger(error.into()))?;
        let head = self.folder.read_part(place.segment, 0, format::SEGMENT_HEAD_BYTES);
        let head = head.ok().and_then(|head| format::SegmentHead::decode(&head)).ok_or_else(damaged)?;
        match format::look(&head.id, &part, 0) {
            Look::Record(format::Found { entry: Some(Entry::Event { record, .. }), .. }) => Ok(record),
            Look::Record(_) | Look::Nothing => {
                self.corrupt.fetch_add(1, Ordering::AcqRel);
                Err(damaged())
            }
        }
    }

    fn take_note(&self, entry: Entry, now: Instant) {
        if let Entry::Settled { event, destination, verdict } = entry {
            self.index().settle(event, &destination, &verdict, now);
        }
    }

    fn keep_segment_until(&self, segment: u64, until: Timestamp) {
        let mut alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        let known = alive.entry(segment).or_insert(until);
        *known = (*known).max(until);
    }

    /// Until when a key in it is alive; the epoch if it has none.
    fn keys_alive_until(&self, segment: u64) -> Timestamp {
        let alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        alive.get(&segment).copied().unwrap_or_default()
    }

    fn forget_segment(&self, segment: u64) {
        self.alive.lock().unwrap_or_else(PoisonError::into_inner).remove(&segment);
    }
}

/// The name of the lock file, which holds its owner's process id.
const LOCK: &str = "lock";

fn lock(folder: &Folder) -> Result<Flock<File>, OpenError> {
    let path = folder.path().to_owned();
    let options =
        OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path.join(LOCK));
    let file = options.map_err(|source| OpenError::Io { folder: path.clone(), source })?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(mut held) => {
            let written = held.set_len(0).and_then(|()| held.seek(SeekFrom::Start(0)).map(drop));
            let written = written.and_then(|()| write!(held, "{}", std::process::id()));
            written.map_err(|source| OpenError::Io { folder: path, source })?;
            Ok(held)
        }
        Err((mut file, nix::errno::Errno::EWOULDBLOCK)) => {
            let mut pid = String::new();
            let _ = file.read_to_string(&mut pid);
            Err(OpenError::InUse { folder: path, pid: if pid.is_empty() { "unknown".to_owned() } else { pid } })
        }
        Err((_, error)) => Err(OpenError::Io { folder: path, source: error.into() }),
    }
}

#[cfg(test)]
mod tests;
