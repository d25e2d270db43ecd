//! What the writer and its callers share: the state in memory, and the lock that makes it one process's.

use super::{
    OpenError, Settings,
    format::{Settlement, What},
    index::{Closed, Index, Place},
    log::Folder,
    memory::{self, Memory},
    read,
    room::Room,
    segments::Segments,
};
use crate::{
    clock::{Clock, Timestamp},
    event::Record,
    verdict::{BoxError, Fault},
};
use nix::fcntl::{Flock, FlockArg};
use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};
use tokio::sync::Notify;

/// What writer and callers share.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) segment_bytes: u64,
    pub(super) folder: Folder,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) memory: Memory,
    pub(super) index: Mutex<Index>,
    pub(super) segments: Mutex<Segments>,
    pub(super) changed: Notify,
    pub(super) room: Arc<Room>,
    /// The disk refused the last write, sync or new segment.
    pub(super) failed: AtomicBool,
    pub(super) last_error: Mutex<Option<String>>,
    pub(super) corrupt: AtomicU64,
    /// Settled events that room was needed for before they had been kept for long enough.
    pub(super) cut_short: AtomicU64,
    /// Held for as long as the spool is open.
    pub(super) lock: Mutex<Option<Flock<File>>>,
}

/// Of one segment file: a scan of it takes a tenth of a second.
const SEGMENT_BYTES: u64 = 64 << 20;
/// A small budget has small segments, or nothing could ever go.
const SEGMENTS_OF_A_BUDGET: u64 = 16;
const SEGMENT_BYTES_MIN: u64 = 64 << 10;

impl Shared {
    pub(super) fn new(settings: Settings, folder: Folder, clock: Arc<dyn Clock>, lock: Flock<File>) -> Self {
        Self {
            segment_bytes: (settings.bytes / SEGMENTS_OF_A_BUDGET).clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES),
            room: Arc::new(Room::new(settings.bytes, settings.free)),
            settings,
            folder,
            clock,
            memory: Memory::new(memory::KEYS_MAX),
            index: Mutex::new(Index::new(Instant::now())),
            segments: Mutex::default(),
            changed: Notify::new(),
            failed: AtomicBool::default(),
            last_error: Mutex::default(),
            corrupt: AtomicU64::default(),
            cut_short: AtomicU64::default(),
            lock: Mutex::new(Some(lock)),
        }
    }

    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn segments(&self) -> MutexGuard<'_, Segments> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ready(&self) -> Result<(), Fault> {
        if self.failed.load(Ordering::Acquire) {
            let error = self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone();
            return Err(Fault::Ledger(BoxError::from(error.unwrap_or_else(|| "the disk refuses".to_owned()))));
        }
        if self.room.refused().is_some() { Err(Fault::LedgerFull) } else { Ok(()) }
    }

    /// Room on the file system, and the reserve where there is some.
    pub(super) fn look_at_the_disk(&self) {
        let free = || self.folder.free().unwrap_or(u64::MAX);
        let missing = self.segment_bytes.saturating_sub(self.folder.reserve());
        // Of what the floor keeps free already, nothing is taken to keep it free.
        if missing > 0
            && free().saturating_sub(missing) >= self.settings.free
            && self.folder.keep_reserve(self.segment_bytes).is_err()
        {
            let _ = self.folder.give_reserve();
        }
        self.room.looked(free());
    }

    pub(super) fn read(&self, sequence: u64) -> Result<Record, Fault> {
        let gone = || Fault::Ledger("the event is not in the spool any more".into());
        let place = self.index().place(sequence).ok_or_else(gone)?;
        self.read_at(place)
    }

    pub(super) fn read_at(&self, place: Place) -> Result<Record, Fault> {
        let found = read::event(&self.folder, place.segment, place.at, place.bytes);
        found.map_err(|error| Fault::Ledger(error.into()))?.ok_or_else(|| {
            self.corrupt.fetch_add(1, Ordering::AcqRel);
            Fault::Ledger("the event's record is damaged".into())
        })
    }

    /// What was written of events, in this segment.
    pub(super) fn take_note(&self, segment: u64, what: &What) {
        if let What::Settled { event, destination, verdict, at } = what {
            self.room.hope();
            self.settle(segment, *event, destination, (verdict, *at), self.clock.running());
        } else if let What::Tried { event, .. } = what {
            let place = self.index().place(*event);
            self.segments().settles(segment, place.map(|place| place.segment));
        } else if let What::Act(_) = what {
            self.segments().has_act(segment);
        }
    }

    /// An event ended, or did not after all; `segment` says so.
    pub(super) fn settle(
        &self,
        segment: u64,
        event: u64,
        destination: &str,
        (verdict, at): (&Settlement, Timestamp),
        now: Instant,
    ) {
        let mut index = self.index();
        let place = index.place(event);
        let closed = index.settle(event, destination, verdict, now);
        drop(index);
        let mut segments = self.segments();
        segments.settles(segment, place.map(|place| place.segment));
        if let Some(Closed { segment, keep }) = closed {
            segments.kept_until(segment, at + keep);
        }
    }

    /// An event failed and is due again; `segment` says so.
    pub(super) fn tried(
        &self,
        segment: u64,
        event: u64,
        destination: &str,
        (attempts, reason): (u32, &str),
        at: Instant,
    ) {
        let mut index = self.index();
        let place = index.place(event);
        index.due_again(event, destination, attempts, reason, at);
        drop(index);
        self.segments().settles(segment, place.map(|place| place.segment));
    }
}

/// The name of the lock file, which holds its owner's process id.
pub(super) const LOCK: &str = "lock";

pub(super) fn lock(folder: &Folder) -> Result<Flock<File>, OpenError> {
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
