//! How does an edge get other rules while it serves? What can fail is done first, beside the traffic; then one pointer
//! changes.

use super::{
    Edge,
    body::Room,
    origin::{Origin, OriginError},
    snapshot::Snapshot,
    tls::{CertificateError, Certificates, Fresh},
};
use crate::{
    policy::{Listener, Policy},
    verify::Keys,
};
use std::{io, sync::Arc};

/// Why an edge keeps the rules that it has.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The origin's URL.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// Where the new origin is cannot be found out, and the one that serves can be reached.
    #[error("the name of the new origin `{authority}` does not resolve")]
    OriginName {
        /// As the policy has it.
        authority: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A listener's new certificates.
    #[error(transparent)]
    Certificates(#[from] CertificateError),
}

/// Other rules, with all that they need at hand.
#[expect(missing_debug_implementations, reason = "the keys hold secrets")]
pub struct Prepared {
    snapshot: Snapshot,
    certificates: Vec<(Arc<Certificates>, Fresh)>,
}

impl Edge {
    /// Looks for whatever the new rules need beyond the old ones. Listeners stay as they are, but for their certificates'
    /// files.
    ///
    /// # Errors
    /// A [`ReloadError`], and nothing has changed.
    pub async fn prepare(&self, policy: Arc<Policy>, keys: Arc<Keys>) -> Result<Prepared, ReloadError> {
        let serving = self.snapshot.load_full();
        let (old, new) = (&serving.policy.settings, &policy.settings);
        let origin = if old.origin == new.origin {
            serving.origin.clone()
        } else {
            let origin = Origin::new(&new.origin)?;
            let unknown = |source| ReloadError::OriginName { authority: origin.authority.clone(), source };
            origin.resolve_first().await.map_err(unknown)?;
            Arc::new(origin)
        };
        let same_room = old.limits.bodies_bytes == new.limits.bodies_bytes;
        // What is held in the old room stays in memory beside the new one until its requests end.
        let room = if same_room { serving.room.clone() } else { Room::new(new.limits.bodies_bytes) };
        let mut certificates = Vec::new();
        for (door, listener) in self.doors.iter().zip(&new.listeners) {
            if let (Some(known), Some(files)) = (&door.certificates, &listener.tls)
                && is_same_door(&door.listener, listener)
                && !known.are_of(files)
            {
                certificates.push((known.clone(), Fresh::read(files.clone())?));
            }
        }
        Ok(Prepared { snapshot: Snapshot { policy, keys, origin, room }, certificates })
    }

    /// From now on heads that become complete are judged by these. Cannot fail, and waits for nothing.
    pub fn replace(&self, prepared: Prepared) {
        for (certificates, fresh) in prepared.certificates {
            certificates.replace(fresh);
        }
        self.snapshot.store(Arc::new(prepared.snapshot));
    }

    /// Whether these listeners are those that are open; certificates may lie elsewhere.
    pub fn listens_as(&self, listeners: &[Listener]) -> bool {
        self.doors.len() == listeners.len()
            && self.doors.iter().zip(listeners).all(|(door, listener)| is_same_door(&door.listener, listener))
    }

    /// Reads every listener's certificates again, now.
    ///
    /// # Errors
    /// The first broken file; its listener keeps its old set.
    pub fn reload_certificates(&self) -> Result<(), CertificateError> {
        self.doors
            .iter()
            .filter_map(|door| door.certificates.as_ref())
            .try_for_each(|certificates| certificates.reload())
    }
}

/// The same but for the certificates' files, which can be others at any time.
fn is_same_door(one: &Listener, other: &Listener) -> bool {
    let Listener { on, tls, http2, proxy_protocol } = one;
    (on, tls.is_some(), http2, proxy_protocol) == (&other.on, other.tls.is_some(), &other.http2, &other.proxy_protocol)
}
