//! The keys of one moment. A snapshot beside the policy, so that rotating a key is no recompile.

use super::{
    certificates::Certificates,
    jwt::{Cache, Issuers},
};
use crate::{clock::Timestamp, secret::Secret};
use ipnet::IpNet;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

/// One secret, decoded as its sender's scheme wants it, and the name under which a rotation is watched.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct Key {
    /// A label of metrics and a field of logs and events; never the secret.
    pub id: String,
    /// The decoded key.
    pub secret: Secret,
    /// From then on it verifies nothing.
    pub retire: Option<Timestamp>,
}

/// All keys by the name that a route's sender uses for them.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "holds secrets")]
pub struct Keys {
    memory: Secret,
    named: BTreeMap<String, Vec<Key>>,
    issuers: Issuers,
    identity: Option<Secret>,
    /// What files of addresses hold.
    addresses: BTreeMap<PathBuf, Vec<IpNet>>,
    certificates: Arc<Certificates>,
}

impl Keys {
    /// `memory` is the gate's own secret (proof keys, event ids); `named` holds the senders', by
    /// [`Webhook::keys`](super::Webhook).
    pub fn new(memory: Secret, named: BTreeMap<String, Vec<Key>>) -> Self {
        let issuers = Issuers::new(BTreeMap::new(), Arc::new(Cache::new(memory.clone(), 0)));
        Self { memory, named, issuers, identity: None, addresses: BTreeMap::new(), certificates: Arc::default() }
    }

    /// With these issuers' keys, for routes that take their tokens.
    #[must_use]
    pub fn trusting(self, issuers: Issuers) -> Self {
        Self { issuers, ..self }
    }

    /// With what has been fetched already.
    #[must_use]
    pub fn with_certificates(self, certificates: Arc<Certificates>) -> Self {
        Self { certificates, ..self }
    }

    /// The certificates that senders name.
    pub fn certificates(&self) -> &Arc<Certificates> {
        &self.certificates
    }

    /// With the secret that WordPress has too, for what it is told of a token.
    #[must_use]
    pub fn identifying(self, secret: Option<Secret>) -> Self {
        Self { identity: secret, ..self }
    }

    /// With what these files of addresses hold.
    #[must_use]
    pub fn listing(self, addresses: BTreeMap<PathBuf, Vec<IpNet>>) -> Self {
        Self { addresses, ..self }
    }

    /// What this file of addresses holds; nothing where it was not read.
    pub fn addresses(&self, file: &Path) -> &[IpNet] {
        self.addresses.get(file).map_or(&[][..], Vec::as_slice)
    }

    /// The senders' keys of these, and the gate's own secret of the others.
    #[must_use]
    pub fn with_memory_of(&self, other: &Self) -> Self {
        Self { memory: other.memory.clone(), ..self.clone() }
    }

    /// With this key under that name, in the place of one of the same label.
    #[must_use]
    pub fn replacing(mut self, name: &str, key: Key) -> Self {
        let named = self.named.entry(name.to_owned()).or_default();
        match named.iter_mut().find(|known| known.id == key.id) {
            Some(known) => *known = key,
            None => named.push(key),
        }
        self
    }

    /// Whether what is remembered under these is known under the others.
    pub fn remember_as(&self, other: &Self) -> bool {
        self.memory.is(other.memory.expose())
    }

    /// The gate's own, for what it remembers requests by.
    pub fn memory(&self) -> &Secret {
        &self.memory
    }

    /// The issuers' keys.
    pub fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    /// What an [`Identity`](crate::identity::Identity) is signed with, if WordPress is told any.
    pub fn identity(&self) -> Option<&Secret> {
        self.identity.as_ref()
    }

    /// Those in force. No keys under a name means that nobody is known by it, not that anybody is.
    pub fn in_force<'a>(&'a self, name: &str, now: Timestamp) -> impl Iterator<Item = &'a Key> {
        let named = self.named.get(name).map_or(&[][..], Vec::as_slice);
        named.iter().filter(move |key| key.retire.is_none_or(|retire| now < retire))
    }
}
