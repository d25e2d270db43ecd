//! The embedded queue: one log of typed records, one writer thread, everything else in memory and rebuilt from it.
//!
//! `format` is the bytes of a record, `log` the segment files, `commit` the writer that shares one sync among all who
//! wait, `recover` the reading at the start, which believes a sealed segment's footer and scans where there is none.
//! `memory` is the keys of what was accepted or is being worked on, `index` what waits for which destination, `segments`
//! what each segment is needed for, `retain` which may go, `room` whether one has to. `ports`, `acts`, `letters` and `redeliver` are what
//! is asked of all that, `chain` who asked it. There is no cursor file, no replay journal and no dead-letter store that could disagree with the log: a
//! cursor is what is settled, a dead letter is a verdict.

mod act;
mod acts;
mod chain;
mod commit;
mod format;
mod index;
mod letters;
mod log;
mod memory;
mod ports;
mod read;
mod recover;
mod redeliver;
mod retain;
mod room;
mod segments;
mod shared;
pub mod view;

use crate::{
    clock::{Clock, Timestamp},
    event::Record,
    ledger::Known,
    repeat::RepeatKeys,
    verdict::Fault,
};
pub use act::{Act, By, Digest};
pub use chain::Break;
use commit::{Command, WAITING_MAX, Writer};
pub use letters::{Fate, LETTERS_MAX, Letters};
use log::{Disk, Folder, RealDisk};
pub use ports::Elsewhere;
pub use redeliver::{Chosen, Lies, Redelivered};
use shared::{Shared, lock};
use std::{
    io,
    path::PathBuf,
    sync::{
        Arc, PoisonError,
        atomic::Ordering,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    time::Duration,
};
use tokio::sync::oneshot;

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
    /// It will not be tried again.
    Dead {
        /// How often it failed by its own fault, the last time included.
        attempts: u32,
        /// Why it failed then, for the operator.
        reason: String,
    },
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
    /// For how long a delivered event has been kept beyond its time; a day at most.
    pub past_keep: Duration,
    /// Delivered events that went before their time because room was needed, since the spool was opened.
    pub cut_short: u64,
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
    /// Of those, behind an earlier one with the same order key.
    pub held: u64,
    /// Dead letters that are kept.
    pub dead: u64,
    /// Dropped by an operator.
    pub dropped: u64,
}

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
        let (writer, found) = prepare(settings, clock, disk)?;
        let shared = writer.shared.clone();
        let (commands, waiting) = sync_channel(WAITING_MAX);
        let thread = std::thread::Builder::new().name("spool".to_owned());
        thread.spawn(move || writer.run(&waiting)).map_err(failed)?;
        Ok((Self { shared, commands }, found))
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

    /// Reads one event back.
    ///
    /// # Errors
    /// It is gone, or fails its checksum: then it is never delivered.
    pub fn read(&self, sequence: u64) -> Result<Record, Fault> {
        self.shared.read(sequence)
    }

    /// For metrics.
    pub fn stats(&self) -> Stats {
        let index = self.shared.index();
        let destinations = index.counts().map(|(name, counts)| DestinationStats {
            destination: name.clone(),
            accepted: counts.accepted,
            delivered: counts.delivered,
            pending: counts.pending,
            in_flight: counts.in_flight,
            held: counts.held,
            dead: counts.dead,
            dropped: counts.dropped,
        });
        Stats {
            bytes: self.shared.room.used(),
            oldest_pending: index.oldest(),
            destinations: destinations.collect(),
            keys: self.shared.memory.len() as u64,
            accepting: self.shared.ready().is_ok(),
            corrupt: self.shared.corrupt.load(Ordering::Acquire),
            past_keep: self.shared.segments().past_keep(self.shared.clock.now()),
            cut_short: self.shared.cut_short.load(Ordering::Acquire),
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
}

/// Locked and recovered, with a segment to write to.
fn prepare<D: Disk>(settings: Settings, clock: Arc<dyn Clock>, disk: D) -> Result<(Writer<D>, Recovered), OpenError> {
    let path = settings.folder.clone();
    let failed = |source| OpenError::Io { folder: path.clone(), source };
    let folder = Folder::open(&settings.folder).map_err(failed)?;
    let lock = lock(&folder)?;
    let shared = Arc::new(Shared::new(settings, folder, clock, lock));
    let resume = recover::recover(&shared).map_err(failed)?;
    shared.corrupt.store(resume.found.corrupt, Ordering::Release);
    let mut writer = Writer::new(shared.clone(), disk, &resume);
    writer.roll().map_err(failed)?;
    shared.look_at_the_disk();
    Ok((writer, resume.found))
}

#[cfg(test)]
mod tests;
