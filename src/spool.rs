//! The embedded queue: one log of typed records, one writer thread. (seam: to be written)

use crate::{
    clock::Clock,
    event::{Event, Record},
    ledger::{Accepted, Known, Lease, Leased, Leases, Ledger, Settled},
    repeat::RepeatKeys,
    verdict::Fault,
};
use std::{path::PathBuf, sync::Arc, time::Duration};

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
#[derive(Clone, Debug)]
pub struct Spool {}

/// What recovery found.
#[derive(Clone, Debug, Default)]
pub struct Recovered {
    /// Events that wait for at least one destination.
    pub pending: u64,
    /// Records that failed their checksum and were skipped.
    pub corrupt: u64,
    /// Bytes of a torn tail that were cut.
    pub torn_bytes: u64,
}

/// Why the queue does not open.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the spool")]
pub struct OpenError;

/// An event that is due for one destination, and in flight until settled, tried or released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Where it lies.
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
    /// An operator dropped it.
    Dropped(String),
}

/// What the queue holds now, for metrics.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Bytes of segments.
    pub bytes: u64,
    /// Acceptance of the oldest event that waits, if one does.
    pub oldest_pending: Option<crate::clock::Timestamp>,
    /// For each destination that anything was ever addressed to.
    pub destinations: Vec<DestinationStats>,
    /// Keys remembered.
    pub keys: u64,
    /// Whether events can be accepted durably now.
    pub accepting: bool,
    /// Records that failed their checksum since the start.
    pub corrupt: u64,
}

/// Events by what became of them, since the spool was made.
#[derive(Clone, Debug, Default)]
pub struct DestinationStats {
    /// Its name in the policy.
    pub destination: String,
    /// Waiting, or in flight.
    pub pending: u64,
    /// Dead letters that are kept.
    pub dead: u64,
}

impl Spool {
    /// Opens, locks and recovers; starts the writer thread.
    ///
    /// # Errors
    /// Another process holds it, it cannot be read, or it cannot be made durable.
    pub fn open(_settings: Settings, _clock: Arc<dyn Clock>) -> Result<(Self, Recovered), OpenError> {
        Err(OpenError)
    }

    /// Whether any of these keys was accepted, or relayed with success, and is still remembered.
    pub fn look(&self, _keys: &RepeatKeys) -> Option<Known> {
        None
    }

    /// Whether an event can be accepted now; asked before a body is read.
    ///
    /// # Errors
    /// [`Fault::LedgerFull`] at the disk budget or the free-space floor.
    pub fn ready(&self) -> Result<(), Fault> {
        Ok(())
    }

    /// Up to `most` events that are due for this destination, oldest first; they are in flight from now on.
    pub fn claim(&self, _destination: &str, _most: usize) -> Vec<Claim> {
        Vec::new()
    }

    /// How long until the next event for this destination is due; `None` if nothing waits.
    pub fn next_due(&self, _destination: &str) -> Option<Duration> {
        None
    }

    /// Returns when an event was accepted, retried or released since the last call.
    pub async fn changed(&self) {}

    /// Reads one event back.
    ///
    /// # Errors
    /// It is gone, or fails its checksum: then it is never delivered.
    pub fn read(&self, _sequence: u64) -> Result<Record, Fault> {
        Err(Fault::LedgerFull)
    }

    /// Ends an event for one destination; returns when that is written (synced with the next commit).
    pub async fn settle(&self, _sequence: u64, _destination: &str, _verdict: Verdict) -> Result<(), Fault> {
        Ok(())
    }

    /// The event failed by its own fault: due again after `wait`, with one attempt more.
    pub fn tried(&self, _claim: Claim, _destination: &str, _wait: Duration, _reason: &str) {}

    /// The destination failed: back as it was, due now.
    pub fn release(&self, _claim: Claim, _destination: &str) {}

    /// Puts a dead letter back, due now. False if there is no such dead letter.
    pub async fn retry(&self, _event_id: &str, _actor: &str) -> Result<bool, Fault> {
        Ok(false)
    }

    /// Gives up an event that waits or is dead. False if there is none.
    pub async fn drop_event(&self, _event_id: &str, _actor: &str) -> Result<bool, Fault> {
        Ok(false)
    }

    /// For metrics.
    pub fn stats(&self) -> Stats {
        Stats::default()
    }

    /// Writes what waits, releases the lock and ends the writer thread.
    pub async fn close(&self) {}
}

impl Ledger for Spool {
    async fn accept(&self, _event: Event) -> Result<Accepted, Fault> {
        Err(Fault::LedgerFull)
    }
}

impl Leases for Spool {
    async fn lease(&self, _keys: &RepeatKeys, _hold: Duration) -> Result<Leased, Fault> {
        Err(Fault::LedgerFull)
    }

    async fn settle(&self, _lease: Lease, _settled: Settled) -> Result<(), Fault> {
        Ok(())
    }
}
