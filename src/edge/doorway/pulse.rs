//! Does an HTTP/2 request's body still come? Pingora has no read timeout for it, so somebody must watch.

use crate::edge::snapshot::Snapshot;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};

tokio::task_local! {
    /// Of the request that this task serves, and the rules by which its head was let in.
    static CURRENT: (Arc<Pulse>, Arc<Snapshot>);
}

/// One request's signs of life, shared by the doorway, which waits for them, and the gateway, which gives them.
#[derive(Debug)]
pub(in crate::edge) struct Pulse {
    born: Instant,
    /// Pingora answers what its own parser refuses without a word to anybody.
    taken: AtomicBool,
    /// When a body was last waited for or came, in milliseconds after birth; [`NOTHING_DUE`] when none is due.
    beat_ms: AtomicU64,
    silent: AtomicBool,
}

const NOTHING_DUE: u64 = u64::MAX;

impl Pulse {
    pub(super) fn new() -> Arc<Self> {
        let (taken, silent) = (AtomicBool::default(), AtomicBool::default());
        Arc::new(Self { born: Instant::now(), taken, beat_ms: AtomicU64::new(NOTHING_DUE), silent })
    }

    /// Serves within the reach of [`Pulse::take`].
    pub(super) async fn scope<T>(self: &Arc<Self>, snapshot: Arc<Snapshot>, serving: impl Future<Output = T>) -> T {
        CURRENT.scope((self.clone(), snapshot), serving).await
    }

    /// Says to the doorway that this task's request has its ticket from now on. The request is judged by the rules that
    /// let its head in: no request sees two policies.
    pub(in crate::edge) fn take() -> Option<(Arc<Self>, Arc<Snapshot>)> {
        let (pulse, snapshot) = CURRENT.try_with(Clone::clone).ok()?;
        pulse.taken.store(true, Ordering::Release);
        Some((pulse, snapshot))
    }

    pub(super) fn is_taken(&self) -> bool {
        self.taken.load(Ordering::Acquire)
    }

    /// A piece of the body came, or is waited for.
    pub(in crate::edge) fn beat(&self) {
        let now_ms = u64::try_from(self.born.elapsed().as_millis()).unwrap_or_default();
        self.beat_ms.store(now_ms, Ordering::Release);
    }

    /// Nothing more is due.
    pub(in crate::edge) fn rest(&self) {
        self.beat_ms.store(NOTHING_DUE, Ordering::Release);
    }

    /// Whether the doorway has given up on it.
    pub(in crate::edge) fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Acquire)
    }

    /// Returns when a body that is due has not come for as long as `patience`.
    pub(super) async fn falls_silent(&self, patience: Duration) {
        loop {
            let wait = match self.beat_ms.load(Ordering::Acquire) {
                NOTHING_DUE => patience,
                beat_ms => (Duration::from_millis(beat_ms) + patience).saturating_sub(self.born.elapsed()),
            };
            if wait.is_zero() {
                return self.silent.store(true, Ordering::Release);
            }
            sleep(wait).await;
        }
    }
}
