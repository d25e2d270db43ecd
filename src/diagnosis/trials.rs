//! Asks the scheme again, with one thing changed, and keeps count: however a request looks, the doctor comes to an end.

use super::cause::Area;
use crate::{
    request::Unverified,
    verify::{Config, Held, Key, Provider, holds},
};
use std::collections::BTreeMap;

/// A policy with a hundred keys and a body with two hundred writings come to that; it is a second's work.
const TRIALS_MAX: usize = 50_000;
/// So many bytes are hashed in all: one to three seconds of one core.
const HASHED_BYTES_MAX: u64 = 1 << 30;
/// Beside the body: URL, id, time, and what a keyed digest costs at least.
const OVERHEAD_BYTES: u64 = 1024;

/// What was asked so far.
pub(super) struct Trials<'a> {
    /// What the policy says of the sender.
    config: &'a Config,
    left: usize,
    bytes_left: u64,
    tried: BTreeMap<Area, usize>,
    pub(super) pairs: usize,
}

impl<'a> Trials<'a> {
    pub(super) fn new(config: &'a Config) -> Self {
        Self { config, left: TRIALS_MAX, bytes_left: HASHED_BYTES_MAX, tried: BTreeMap::new(), pairs: 0 }
    }

    /// Whether the signature holds now.
    pub(super) fn one(
        &mut self,
        area: Area,
        provider: &Provider,
        keys: &[&Key],
        request: &Unverified,
        public_url: Option<&str>,
    ) -> Option<Held> {
        self.ask(provider, keys, request, public_url, |trials| *trials.tried.entry(area).or_default() += 1)
    }

    /// The same of two things that are changed at once.
    pub(super) fn two(
        &mut self,
        provider: &Provider,
        keys: &[&Key],
        request: &Unverified,
        public_url: Option<&str>,
    ) -> Option<Held> {
        self.ask(provider, keys, request, public_url, |trials| trials.pairs += keys.len())
    }

    fn ask(
        &mut self,
        provider: &Provider,
        keys: &[&Key],
        request: &Unverified,
        public_url: Option<&str>,
        count: impl FnOnce(&mut Self),
    ) -> Option<Held> {
        let bytes = (request.raw.len() as u64 + OVERHEAD_BYTES) * keys.len() as u64;
        if self.left < keys.len() || self.bytes_left < bytes {
            (self.left, self.bytes_left) = (0, 0);
            return None;
        }
        self.left -= keys.len();
        self.bytes_left -= bytes;
        count(self);
        holds(provider, keys, request, public_url, self.config).ok()
    }

    /// Whether something was left out because it would have taken too long.
    pub(super) fn are_exhausted(&self) -> bool {
        self.left == 0
    }

    pub(super) fn tried(self) -> Vec<(Area, usize)> {
        self.tried.into_iter().collect()
    }
}
