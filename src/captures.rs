//! What was refused, for who asks why. Requests of routes with `capture:` are encrypted and written beside the path of the
//! request, into files that are few, small and soon erased.
//!
//! Whoever can be refused can fill them: what does not fit into a bounded channel, a rate, a number and a size is dropped
//! and counted, and nobody waits for it.

mod seal;
mod store;
#[cfg(test)]
mod tests;
mod writer;

pub use seal::{Opened, Unsealed, is_withheld};
pub use store::{Listed, erase_expired, list, open};

use crate::{
    clock::{Clock, Timestamp},
    limit::{Rate, Table},
    policy::Capture,
    request::Head,
    secret::Secret,
};
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

/// What became of one request that should be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is on the disk.
    Kept,
    /// Too many, too much, too fast, or too little room on the disk.
    Dropped,
    /// It could not be written.
    Failed,
    /// It was on the disk, and made room for a newer one before its time.
    Displaced,
}

/// Port: who hears of it. Called from within requests too, so it must not wait.
pub trait Observer: Send + Sync {
    /// Once for each request that should be kept, and once more for one that is displaced.
    fn captured(&self, route: &str, kept: Kept);
}

/// A request that was refused.
#[expect(missing_debug_implementations, reason = "of strangers, and perhaps of customers")]
pub struct Refused {
    /// Its request id, by which it is asked for.
    pub id: Arc<str>,
    /// The route that refused it.
    pub route: Arc<str>,
    /// Why.
    pub code: &'static str,
    /// When it came.
    pub at: Timestamp,
    /// Everything before its body.
    pub head: Head,
    /// Its body, if it was read.
    pub body: Option<Bytes>,
}

/// Where refused requests are handed in. Cheap to clone; the writer ends with the last of them.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "its observer has none")]
pub struct Captures {
    jobs: SyncSender<Job>,
    pace: Arc<Pace>,
    observer: Arc<dyn Observer>,
}

/// How fast each route may be kept of.
struct Pace {
    clock: Arc<dyn Clock>,
    since: Instant,
    rates: Mutex<BTreeMap<Arc<str>, Table>>,
}

/// One request, on its way to the disk.
struct Job {
    refused: Refused,
    terms: Capture,
    key: seal::Key,
}

/// So many wait for the disk; with their bodies, that is 8 MiB.
const WAITING_MAX: usize = 32;
/// A longer body is not kept: the doctor looks at what webhooks are, and no longer.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// One a second for each route, and as many at once as come in this time: a flood displaces nothing sooner than in
/// minutes, and wears out no disk.
const BURST: u32 = 10;
const BURST_PER: Duration = Duration::from_secs(10);

impl Pace {
    fn new(clock: Arc<dyn Clock>) -> Self {
        let since = clock.running();
        Self { clock, since, rates: Mutex::new(BTreeMap::new()) }
    }

    /// Whether one more may be kept of this route now.
    fn take(&self, route: &Arc<str>) -> bool {
        let rate = Rate { count: NonZeroU32::MIN.saturating_add(BURST - 1), per: BURST_PER };
        let elapsed = self.clock.running().saturating_duration_since(self.since);
        let now_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        // Whole between any two of its lines.
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        rates.entry(route.clone()).or_insert_with(|| Table::new(1)).take(0, rate, now_us).is_ok()
    }
}

impl Kept {
    /// Every code; metrics are made for each at the start.
    pub const ALL: [Self; 4] = [Self::Kept, Self::Dropped, Self::Failed, Self::Displaced];

    /// Stable, low-cardinality name for metrics and documentation.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
            Self::Displaced => "displaced",
        }
    }
}

impl Captures {
    /// Starts the writer, which also erases what has been kept for long enough. `folder` is the spool's; `free` is what
    /// has to stay free on its disk.
    ///
    /// # Errors
    /// No thread can be made.
    pub fn start(
        folder: &Path,
        free: u64,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> std::io::Result<Self> {
        let (jobs, waiting) = sync_channel(WAITING_MAX);
        let pace = Arc::new(Pace::new(clock.clone()));
        let writer = writer::Writer::new(store::Store::of(folder), free, clock, observer.clone());
        thread::Builder::new().name("captures".to_owned()).spawn(move || writer.run(&waiting))?;
        Ok(Self { jobs, pace, observer })
    }

    /// Hands a refused request over, and never waits. `memory` is the gate's own secret, from which the key is derived.
    /// Says whether it was taken: it is on the disk then unless that is full or broken.
    pub fn keep(&self, mut refused: Refused, terms: Capture, memory: &Secret) -> bool {
        let route = refused.route.clone();
        // In a flood this is all that is done.
        let taken = self.pace.take(&route) && {
            refused.body = refused.body.filter(|body| terms.body && body.len() <= BODY_BYTES_MAX);
            self.jobs.try_send(Job { refused, terms, key: seal::Key::of(memory) }).is_ok()
        };
        if !taken {
            self.observer.captured(&route, Kept::Dropped);
        }
        taken
    }
}
