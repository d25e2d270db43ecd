//! Asks the scheme again, with one thing changed, and keeps count: however a request looks, the doctor comes to an end.

use super::cause::Area;
use crate::{
    request::Unverified,
    verify::{Config, Held, HeldMessage, HeldToken, Key, Provider, holds, holds_but_for_body, holds_but_for_times},
};
use std::collections::BTreeMap;

/// Two hundred keys by two hundred writings of a body, and what else there is.
const TRIALS_MAX: usize = 50_000;
/// So many bytes are hashed in all: three seconds of one core, for a body of 860 KB and two hundred keys.
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
        Self::within(config, TRIALS_MAX, HASHED_BYTES_MAX)
    }

    fn within(config: &'a Config, left: usize, bytes_left: u64) -> Self {
        Self { config, left, bytes_left, tried: BTreeMap::new(), pairs: 0 }
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

    /// The same of an HTTP message signature, whatever body came with it, with something else that the policy would say.
    pub(super) fn but_for_body(
        &mut self,
        config: &Config,
        keys: &[&Key],
        request: &Unverified,
        public_url: Option<&str>,
    ) -> Option<HeldMessage> {
        let asked = self.may(keys, request);
        *self.tried.entry(Area::Scheme).or_default() += usize::from(asked);
        asked.then(|| holds_but_for_body(keys, request, public_url, config).ok()).flatten()
    }

    /// The same of a token, whatever times it says.
    pub(super) fn but_for_times(
        &mut self,
        area: Area,
        provider: &Provider,
        keys: &[&Key],
        request: &Unverified,
        public_url: Option<&str>,
    ) -> Option<HeldToken> {
        let asked = self.may(keys, request);
        *self.tried.entry(area).or_default() += usize::from(asked);
        asked.then(|| holds_but_for_times(provider, keys, request, public_url, self.config).ok()).flatten()
    }

    /// Whether another writing of the body may be hashed for a digest that stands in the request.
    pub(super) fn digest(&mut self, body: &[u8]) -> bool {
        let asked = self.spend(1, body.len() as u64 + OVERHEAD_BYTES);
        *self.tried.entry(Area::Body).or_default() += usize::from(asked);
        asked
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
        if !self.may(keys, request) {
            return None;
        }
        count(self);
        holds(provider, keys, request, public_url, self.config).ok()
    }

    /// Whether there is still so much to be hashed; then it is spent.
    fn may(&mut self, keys: &[&Key], request: &Unverified) -> bool {
        self.spend(keys.len(), (request.raw.len() as u64 + OVERHEAD_BYTES) * keys.len() as u64)
    }

    fn spend(&mut self, trials: usize, bytes: u64) -> bool {
        if self.left < trials || self.bytes_left < bytes {
            (self.left, self.bytes_left) = (0, 0);
            return false;
        }
        self.left -= trials;
        self.bytes_left -= bytes;
        true
    }

    /// Whether something was left out because it would have taken too long.
    pub(super) fn are_exhausted(&self) -> bool {
        self.left == 0
    }

    pub(super) fn tried(self) -> Vec<(Area, usize)> {
        self.tried.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        request::{Head, Target},
        secret::Secret,
        verify::Catalogue,
    };
    use http::{HeaderMap, Method};

    #[test]
    fn it_ends_by_number_and_by_bytes_and_says_so() {
        let provider = Catalogue::embedded().find("github").unwrap().clone();
        let key = Key { id: "a".into(), secret: Secret::new("secret").unwrap(), retire: None };
        let (target, headers) = (Target::parse("/").unwrap(), HeaderMap::new());
        let head = Head { method: Method::POST, target, host: String::new(), headers, client: [127, 0, 0, 1].into() };
        let request = Unverified { head, raw: vec![b'a'; 1000].into() };
        let asked = |mut trials: Trials| {
            for _ in 0..10 {
                trials.one(Area::Body, &provider, &[&key, &key], &request, None);
            }
            (trials.are_exhausted(), trials.tried())
        };
        let config = Config::new();
        assert_eq!(asked(Trials::within(&config, 20, u64::MAX)), (true, vec![(Area::Body, 10)]));
        assert_eq!(asked(Trials::within(&config, 19, u64::MAX)), (true, vec![(Area::Body, 9)]));
        assert_eq!(asked(Trials::within(&config, 99, 2 * 2024 * 4 + 1)), (true, vec![(Area::Body, 4)]));
        assert_eq!(asked(Trials::new(&config)), (false, vec![(Area::Body, 10)]));
    }
}
