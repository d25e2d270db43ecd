//! The keys of every issuer at this moment, and the tokens that were lately believed with them.

use super::{Bearer, Cache, KeySet, TokenRule, authenticate};
use crate::{
    clock::Timestamp,
    request::Head,
    verdict::{Fault, Refusal},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// The keys of one issuer, as they change. Whoever fetches them and whoever reads them share it, across reloads of the
/// policy too: what has been fetched need not be fetched again.
#[expect(missing_debug_implementations, reason = "can hold secrets")]
pub struct Ring {
    keys: RwLock<Arc<KeySet>>,
    wanted: AtomicBool,
}

impl Ring {
    /// With these on it.
    pub fn new(keys: KeySet) -> Self {
        Self { keys: RwLock::new(Arc::new(keys)), wanted: AtomicBool::default() }
    }

    /// Those of now.
    pub fn keys(&self) -> Arc<KeySet> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on these; tokens that were believed with others are looked at again.
    pub fn replace(&self, keys: KeySet) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// Somebody has shown what only newer keys could tell something of.
    pub fn want(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has shown a token that only newer keys could tell something of; asked once.
    pub fn take_wanted(&self) -> bool {
        self.wanted.swap(false, Ordering::Relaxed)
    }
}

/// A ring for each issuer, by its name in the policy.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "holds secrets")]
pub struct Issuers {
    rings: BTreeMap<String, Arc<Ring>>,
    cache: Arc<Cache>,
}

impl Issuers {
    /// The cache may be that of others: it tells keys and terms apart.
    pub fn new(rings: BTreeMap<String, Arc<Ring>>, cache: Arc<Cache>) -> Self {
        Self { rings, cache }
    }

    /// The keys of this issuer.
    pub fn ring(&self, issuer: &str) -> Option<&Arc<Ring>> {
        self.rings.get(issuer)
    }

    /// Each issuer, and whether its keys are here and young enough at this moment: without them its tokens are answered with 503.
    pub fn standing(&self, now: Timestamp) -> impl Iterator<Item = (&str, bool)> {
        self.rings.iter().map(move |(name, ring)| (name.as_str(), ring.keys().in_force(now).is_ok()))
    }

    /// The same, but with this ring where the issuer has one.
    #[must_use]
    pub fn sharing(mut self, issuer: &str, ring: &Arc<Ring>) -> Self {
        if let Some(known) = self.rings.get_mut(issuer) {
            known.clone_from(ring);
        }
        self
    }

    /// [`authenticate`] with the keys of the issuer that the rule names.
    ///
    /// # Errors
    /// As there; of a fault whoever fetches the keys is told. An issuer that is not known has no keys, which is nobody's fault but ours.
    pub fn authenticate(&self, rule: &TokenRule, head: &Head, now: Timestamp) -> Result<Bearer, Refusal> {
        let ring = self.ring(&rule.issuer().terms().name).ok_or(Fault::KeysUnavailable)?;
        let judged = authenticate(rule, &ring.keys(), &self.cache, head, now);
        if matches!(judged, Err(Refusal::Failed(_))) {
            ring.want();
        }
        judged
    }
}
