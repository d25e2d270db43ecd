//! What do the doorway and the gateway tell each other of one request, past Pingora?

use crate::edge::{snapshot::Snapshot, waited::Waited};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

tokio::task_local! {
    /// Of the request that this task serves, and the rules by which its head was let in.
    static CURRENT: (Arc<Pulse>, Arc<Snapshot>);
}

/// One request's signs of life.
#[derive(Debug)]
pub(in crate::edge) struct Pulse {
    /// Pingora answers what its own parser refuses without a word to anybody.
    taken: AtomicBool,
    waited: Arc<Waited>,
    /// For the head, and for earlier requests of the connection.
    before: Duration,
}

impl Pulse {
    pub(super) fn new(waited: Arc<Waited>) -> Arc<Self> {
        let before = waited.so_far();
        Arc::new(Self { taken: AtomicBool::default(), waited, before })
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

    /// How long the client was waited for since its head was whole.
    pub(in crate::edge) fn waited(&self) -> Duration {
        self.waited.so_far().saturating_sub(self.before)
    }
}
