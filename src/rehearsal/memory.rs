//! What came before, in this rehearsal.

use crate::{
    clock::Timestamp,
    gate::{self, Bucket},
    ledger::Known,
    limit::{Rate, Strangers, Table},
    policy::Route,
    repeat::{BodyMark, Fingerprint, RepeatKeys},
    verdict::Rejection,
};
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Keys until they are forgotten, and tokens.
#[derive(Default)]
pub(super) struct Memory(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    now: Timestamp,
    known: BTreeMap<Fingerprint, (Timestamp, BodyMark)>,
    buckets: BTreeMap<(String, String), Table>,
    strangers: Option<Strangers>,
    armed: bool,
}

impl Memory {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, now: Timestamp) {
        self.inner().now = now;
    }

    /// Whether the next key that is handed over is taken.
    pub(super) fn arm(&self, armed: bool) {
        self.inner().armed = armed;
    }

    /// Remembers these keys, unless one of them is known.
    pub(super) fn keep(&self, keys: &RepeatKeys) -> Option<Known> {
        let mut inner = self.inner();
        if let Some(known) = inner.look(keys) {
            return Some(known);
        }
        let now = inner.now;
        inner.known.extend(keys.each().map(|key| (key.key, (now + key.remember, keys.body))));
        None
    }

    pub(super) fn take_address(&self, route: &Route, client: IpAddr) -> Result<(), Rejection> {
        let Some(rate) = route.limits.per_address else { return Ok(()) };
        self.inner().take((route.name.to_string(), client.to_string()), rate).map_err(Rejection::AddressLimited)
    }
}

impl gate::Memory for Memory {
    fn look(&self, keys: &RepeatKeys) -> Option<Known> {
        self.inner().look(keys)
    }

    fn take(&self, bucket: Bucket<'_>) -> Result<(), Rejection> {
        // A label has no `/`, so no address meets a key.
        let name = (bucket.route.to_owned(), format!("/{}", bucket.key));
        self.inner().take(name, bucket.rate).map_err(Rejection::SenderLimited)
    }

    fn take_stranger(&self, route: &str, client: IpAddr) -> Result<(), Rejection> {
        let mut inner = self.inner();
        let now_us = inner.now_us();
        inner.strangers.get_or_insert_default().take(route, client, now_us)
    }

    /// Nothing is kept here, so the label is nobody's.
    fn disarm(&self, _: &str, _: Timestamp) -> Option<String> {
        std::mem::take(&mut self.inner().armed).then(|| "armed".to_owned())
    }
}

impl Inner {
    fn look(&self, keys: &RepeatKeys) -> Option<Known> {
        let alive = |key: Fingerprint| self.known.get(&key).filter(|(until, _)| *until > self.now);
        let (_, body) = keys.each().find_map(|key| alive(key.key))?;
        Some(Known::compare(*body, keys.body))
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.now.unix_ms()).unwrap_or_default().saturating_mul(1000)
    }

    fn take(&mut self, name: (String, String), rate: Rate) -> Result<(), Duration> {
        let now_us = self.now_us();
        self.buckets.entry(name).or_insert_with(|| Table::new(1)).take(0, rate, now_us)
    }
}
