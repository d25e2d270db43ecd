//! The one thread that writes and erases: within a number for each route, and a size for all of them.

use super::{
    Job, Kept, Observer, Refused,
    store::{Lying, Store},
};
use crate::clock::Clock;
use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

/// Each route keeps so many; a newer one displaces the oldest.
const ROUTE_MAX: usize = 100;
/// And so many bytes.
const ROUTE_BYTES_MAX: u64 = 8 << 20;
/// All of them together take no more of the disk.
const ALL_BYTES_MAX: u64 = 64 << 20;
/// What is over is erased within such a time.
const LOOK: Duration = Duration::from_secs(30);

pub(super) struct Writer {
    store: Store,
    free: u64,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    /// The oldest first.
    lying: Vec<Lying>,
}

impl Writer {
    pub(super) fn new(store: Store, free: u64, clock: Arc<dyn Clock>, observer: Arc<dyn Observer>) -> Self {
        Self { store, free, clock, observer, lying: Vec::new() }
    }

    /// Until nobody can hand anything in any more.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        self.lying = self.store.lying(true).unwrap_or_default();
        loop {
            self.erase();
            match jobs.recv_timeout(LOOK) {
                Ok(job) => self.take(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    pub(super) fn erase(&mut self) {
        let now = self.clock.now();
        // What cannot be erased now stays in the list, and is tried again.
        self.lying.retain(|lying| !(lying.is_over(now) && lying.erase().is_ok()));
    }

    pub(super) fn take(&mut self, Job { refused, terms, key }: Job) {
        let route = refused.route.clone();
        let kept = if self.has_room(&refused) {
            match self.store.write(&refused, terms, &key) {
                Ok(lying) => {
                    self.lying.push(lying);
                    Kept::Kept
                }
                Err(_) => Kept::Failed,
            }
        } else {
            Kept::Dropped
        };
        self.observer.captured(&route, kept);
        self.displace(&route);
    }

    /// The queue's own floor, with this one on top of it. Where nobody can say, there is none.
    fn has_room(&self, refused: &Refused) -> bool {
        let bytes = refused.body.as_ref().map_or(0, bytes::Bytes::len) as u64;
        let at = if self.store.path().exists() { Some(self.store.path()) } else { self.store.path().parent() };
        let Some(found) = at.and_then(|at| nix::sys::statvfs::statvfs(at).ok()) else { return false };
        let free = found.blocks_available().saturating_mul(found.fragment_size());
        free >= self.free.saturating_add(bytes)
    }

    /// The oldest of the route, and of all, make room.
    fn displace(&mut self, route: &str) {
        loop {
            let of_route = || self.lying.iter().filter(|lying| lying.listed.route == route);
            let (count, bytes) = (of_route().count(), of_route().map(|lying| lying.bytes).sum::<u64>());
            let all = self.lying.iter().map(|lying| lying.bytes).sum::<u64>();
            let oldest = if count > ROUTE_MAX || bytes > ROUTE_BYTES_MAX {
                self.lying.iter().position(|lying| lying.listed.route == route)
            } else if all > ALL_BYTES_MAX {
                Some(0)
            } else {
                None
            };
            let Some(oldest) = oldest.filter(|oldest| *oldest < self.lying.len()) else { return };
            let gone = self.lying.remove(oldest);
            // What cannot be erased is found again at the next start.
            let _ = gone.erase();
            self.observer.captured(&gone.listed.route, Kept::Displaced);
        }
    }
}
