//! What is there to tell about the policy in force? To the log, to metrics, to people.

use super::{
    keeper::{Generation, Keeper},
    load::Loaded,
};
use crate::{
    control::{
        orders::{Previous, Standing},
        socket::tell_act,
    },
    policy::Change,
    spool::By,
    verdict::Chain,
};
use std::sync::Arc;
use tracing::{error, warn};

impl Keeper {
    /// Tells those who ask other parts of the gate what is in force, and the log what is not.
    pub(super) fn tell(&self) {
        let Loaded { policy, .. } = &self.current.loaded;
        let waiting = self.needs_restart();
        self.state.digest.store(Arc::new(policy.digest.clone()));
        self.state.metrics.policy.stands(&policy.digest, self.current.at, waiting.len());
        for key in waiting {
            warn!(key, "what the policy says here needs a restart; the rest is in force");
        }
        let stats = self.queue.iter().flat_map(|queue| queue.spool.stats().destinations);
        for left in stats.filter(|stats| stats.pending + stats.dead > 0) {
            if !policy.destinations.iter().any(|destination| destination.name == left.destination) {
                let (destination, pending, dead) = (&left.destination, left.pending, left.dead);
                warn!(
                    destination,
                    pending, dead, "events wait for a destination that the policy does not have; add it, or drop them"
                );
            }
        }
    }

    /// What is written down but could not be done while the gate runs.
    pub(super) fn needs_restart(&self) -> Vec<&'static str> {
        let Loaded { policy, other_secret, .. } = &self.current.loaded;
        let (old, new) = (&self.started, &policy.settings);
        let named = [
            ("listeners", !self.edge.listens_as(&new.listeners)),
            ("admin", old.admin != new.admin),
            ("spool.folder", old.spool.folder != new.spool.folder),
            ("spool.bytes", old.spool.bytes != new.spool.bytes),
            ("spool.free", old.spool.free != new.spool.free),
            ("secret", *other_secret),
        ];
        named.into_iter().filter(|(_, waits)| *waits).map(|(key, _)| key).collect()
    }

    /// As an act of an operator, in the log that outlives this process.
    pub(super) async fn record(&self, by: By<'_>, what: &str) {
        self.record_about(by, what, &self.current.loaded.policy.digest).await;
    }

    /// What the policy that is in force now did to keys and guards, each as an act of its own.
    pub(super) async fn record_changes(&self, by: By<'_>, changes: Vec<Change>) {
        for Change { what, about } in changes {
            self.record_about(by, what, &about).await;
        }
    }

    pub(super) async fn record_about(&self, by: By<'_>, what: &str, about: &str) {
        let Some(queue) = &self.queue else { return };
        match queue.spool.record_act(by, what, about).await {
            Ok(act) => tell_act(&act),
            // A rollback must work while the disk does not.
            Err(fault) => {
                let cause = Chain(&fault).to_string();
                error!(actor = by.actor, what, about, cause, "an act of an operator could not be written down");
            }
        }
    }

    pub(super) fn standing(&self) -> Standing {
        let Generation { loaded, at, by } = &self.current;
        let previous = self.previous.as_ref().map(|previous| Previous {
            digest: previous.loaded.policy.digest.clone(),
            loaded_at: previous.at.rfc3339(),
        });
        Standing {
            path: self.start.policy.as_ref().map(|path| path.display().to_string()),
            env: self.start.env.clone(),
            digest: loaded.policy.digest.clone(),
            routes: loaded.policy.routes.len(),
            loaded_at: at.rfc3339(),
            loaded_by: by.to_string(),
            watched: self.start.watch && self.start.policy.is_some(),
            needs_restart: self.needs_restart().into_iter().map(str::to_owned).collect(),
            previous,
            differs: self
                .watch
                .as_ref()
                .is_some_and(|watch| Some(&watch.settling.tried.source) != self.current.loaded.source.as_ref()),
            last_error: self.last_error.as_ref().map(|(_, error)| error.clone()),
        }
    }
}
