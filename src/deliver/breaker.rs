//! May this destination be asked, and how many at once? Pure: time and chance come in.

use super::schedule::RETRY_AFTER_MAX;
use std::time::{Duration, Instant};

/// So many failures of the destination in a row open the breaker.
const FAILURES_MAX: u32 = 3;
/// The first probe comes after at most this, and each further one after at most twice the time.
const PROBE_FIRST: Duration = Duration::from_secs(1);
const PROBE_MAX: Duration = Duration::from_secs(60);

/// What one destination is trusted with.
#[derive(Debug)]
pub(super) struct Breaker {
    failures: u32,
    /// No call before.
    closed_until: Option<Instant>,
    allowed: usize,
    most: usize,
    successes: usize,
    /// A 410: nothing more until somebody says otherwise.
    disabled: bool,
}

impl Breaker {
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self { failures: 0, closed_until: None, allowed: most, most, successes: 0, disabled: false }
    }

    /// How many calls may run now, and if none, how long until one may.
    pub(super) fn places(&self, now: Instant) -> Result<usize, Option<Duration>> {
        if self.disabled {
            return Err(None);
        }
        match self.closed_until {
            Some(until) if until > now => Err(Some(until - now)),
            Some(_) => Ok(1), // one event probes
            None => Ok(self.allowed),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.closed_until.is_some() || self.disabled
    }

    /// The destination answered, whatever it said of the event.
    pub(super) fn answered(&mut self) {
        (self.failures, self.closed_until) = (0, None);
        self.successes += 1;
        if self.successes >= self.allowed {
            self.successes = 0;
            self.allowed = (self.allowed + 1).min(self.most);
        }
    }

    /// The destination failed. `chance` is between 0 and 1.
    pub(super) fn failed(&mut self, after: Option<Duration>, chance: f64, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        self.successes = 0;
        self.allowed = (self.allowed / 2).max(1);
        if self.failures < FAILURES_MAX && after.is_none() {
            return;
        }
        let doublings = self.failures.saturating_sub(FAILURES_MAX).min(6);
        let wait = (PROBE_FIRST * 2_u32.pow(doublings)).min(PROBE_MAX).mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
        self.closed_until = now.checked_add(wait.max(after.unwrap_or_default().min(RETRY_AFTER_MAX)));
    }

    pub(super) fn disable(&mut self) {
        self.disabled = true;
    }

    pub(super) fn enable(&mut self) {
        *self = Self::new(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_after_failures_in_a_row_and_probes_with_one() {
        let (mut breaker, now) = (Breaker::new(8), Instant::now());
        for _ in 0..FAILURES_MAX {
            assert!(breaker.places(now).is_ok());
            breaker.failed(None, 1.0, now);
        }
        assert_eq!(breaker.places(now), Err(Some(PROBE_FIRST)));
        assert_eq!(breaker.places(now + PROBE_FIRST), Ok(1));
        breaker.answered();
        assert!(!breaker.is_open());
    }

    #[test]
    fn probes_come_at_least_once_a_minute_however_long_it_takes() {
        let (mut breaker, now) = (Breaker::new(8), Instant::now());
        for _ in 0..10_000 {
            breaker.failed(None, 1.0, now);
        }
        assert_eq!(breaker.places(now), Err(Some(PROBE_MAX)));
    }

    #[test]
    fn failures_halve_and_successes_raise_what_may_run() {
        let (mut breaker, now) = (Breaker::new(8), Instant::now());
        breaker.failed(None, 1.0, now);
        assert_eq!(breaker.places(now), Ok(4));
        (0..4).for_each(|_| breaker.answered());
        assert_eq!(breaker.places(now), Ok(5));
        (0..1000).for_each(|_| breaker.answered());
        assert_eq!(breaker.places(now), Ok(8), "and never above the policy's");
    }

    #[test]
    fn what_is_gone_is_asked_again_only_when_somebody_says_so() {
        let (mut breaker, now) = (Breaker::new(8), Instant::now());
        breaker.disable();
        assert_eq!(breaker.places(now), Err(None));
        breaker.enable();
        assert_eq!(breaker.places(now), Ok(8));
    }
}
