//! What observed requests are judged by instead of what the gate knows: tokens and keys that count for nothing else.

use crate::{
    clock::Timestamp,
    edge::guarded::Limiter,
    gate::{Bucket, Memory},
    ledger::Known,
    policy::Route,
    repeat::{BodyMark, Fingerprint, RepeatKeys},
    verdict::Rejection,
};
use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

/// For all routes that are observed; takes its memory with the first request of one.
pub(in crate::edge) struct Shadow {
    limiter: LazyLock<Limiter>,
    repeats: Mutex<Repeats>,
}

/// Keys of what the origin took, the oldest first.
#[derive(Default)]
struct Repeats {
    known: HashMap<Fingerprint, (Timestamp, BodyMark)>,
    order: VecDeque<Fingerprint>,
}

/// A few MiB. With more, the oldest ones are forgotten, and their repeats are counted as good.
const KEYS_MAX: usize = 1 << 16;

impl Shadow {
    pub(in crate::edge) fn new() -> Self {
        Self { limiter: LazyLock::new(Limiter::new), repeats: Mutex::default() }
    }

    pub(super) fn take_address(&self, route: &Route, client: IpAddr) -> Result<(), Rejection> {
        self.limiter.take_address(route, client)
    }

    /// As a request sees it that came at this time.
    pub(super) fn at(&self, now: Timestamp) -> Moment<'_> {
        Moment { shadow: self, now }
    }

    fn repeats(&self) -> MutexGuard<'_, Repeats> {
        self.repeats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A shadow at the time of one request.
pub(super) struct Moment<'a> {
    shadow: &'a Shadow,
    now: Timestamp,
}

impl Moment<'_> {
    pub(super) fn remember(&self, keys: &RepeatKeys) {
        let mut repeats = self.shadow.repeats();
        for remembered in keys.each() {
            repeats.remember(remembered.key, (self.now + remembered.remember, keys.body), KEYS_MAX);
        }
    }
}

impl Memory for Moment<'_> {
    fn look(&self, keys: &RepeatKeys) -> Option<Known> {
        let repeats = self.shadow.repeats();
        let alive = |key| repeats.known.get(&key).filter(|(until, _)| *until > self.now);
        let (_, body) = keys.each().find_map(|remembered| alive(remembered.key))?;
        Some(Known::compare(*body, keys.body))
    }

    fn take(&self, bucket: Bucket<'_>) -> Result<(), Rejection> {
        self.shadow.limiter.take_sender(bucket)
    }

    fn take_stranger(&self, route: &str, client: IpAddr) -> Result<(), Rejection> {
        self.shadow.limiter.take_stranger(route, client)
    }
}

impl Repeats {
    fn remember(&mut self, key: Fingerprint, until_and_body: (Timestamp, BodyMark), most: usize) {
        if self.known.insert(key, until_and_body).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > most {
            let oldest = self.order.pop_front();
            oldest.and_then(|oldest| self.known.remove(&oldest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{repeat::Remembered, secret::Secret};
    use std::time::Duration;

    fn key(name: &str) -> Fingerprint {
        Fingerprint::of_event(&Secret::new("memory").unwrap(), "tried", &[name])
    }

    fn keys(name: &str, body: u64) -> RepeatKeys {
        let event = Remembered { key: key(name), remember: Duration::from_secs(60) };
        RepeatKeys { proof: None, event: Some(event), body: BodyMark(body) }
    }

    #[test]
    fn what_is_remembered_is_known_for_its_time() {
        let (shadow, at) = (Shadow::new(), Timestamp::from_unix_s);
        assert_eq!(shadow.at(at(0)).look(&keys("a", 1)), None);
        shadow.at(at(0)).remember(&keys("a", 1));
        assert!(shadow.at(at(59)).look(&keys("a", 1)).is_some_and(|known| known.changed.is_none()));
        assert!(shadow.at(at(59)).look(&keys("a", 2)).is_some_and(|known| known.changed.is_some()));
        assert_eq!(shadow.at(at(59)).look(&keys("b", 1)), None);
        assert_eq!(shadow.at(at(60)).look(&keys("a", 1)), None);
        shadow.at(at(60)).remember(&keys("a", 1));
        assert!(shadow.at(at(61)).look(&keys("a", 1)).is_some());
    }

    #[test]
    fn with_more_than_it_may_have_it_forgets_the_oldest() {
        let (mut repeats, until) = (Repeats::default(), (Timestamp::from_unix_s(60), BodyMark(1)));
        for name in ["a", "b", "a", "c"] {
            repeats.remember(key(name), until, 2);
        }
        assert!(!repeats.known.contains_key(&key("a")));
        assert!(repeats.known.contains_key(&key("b")) && repeats.known.contains_key(&key("c")));
        assert_eq!((repeats.known.len(), repeats.order.len()), (2, 2));
    }
}
