//! How long was the client waited for? A slow client is cut off; one whose origin is slow must not be: so the clock
//! runs only from asking for bytes until they are there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// All the time that a connection's or a stream's reader has waited, for those who judge its pace.
#[derive(Debug, Default)]
pub(super) struct Waited {
    us: AtomicU64,
}

/// The reader's side of it.
#[derive(Debug)]
pub(super) struct Asked {
    since: Option<Instant>,
    waited: Arc<Waited>,
}

impl Waited {
    pub(super) fn so_far(&self) -> Duration {
        Duration::from_micros(self.us.load(Ordering::Acquire))
    }
}

impl Asked {
    pub(super) fn of(waited: Arc<Waited>) -> Self {
        Self { since: None, waited }
    }

    pub(super) fn waited(&self) -> Arc<Waited> {
        self.waited.clone()
    }

    /// Since when bytes are asked for. A reader that is dropped and made again has not stopped to wait.
    pub(super) fn asks(&mut self) -> Instant {
        *self.since.get_or_insert_with(Instant::now)
    }

    /// They have come, or nobody waits for them any more.
    pub(super) fn has(&mut self) {
        let took = self.since.take().map(|since| since.elapsed()).unwrap_or_default();
        self.waited.us.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::AcqRel);
    }
}
