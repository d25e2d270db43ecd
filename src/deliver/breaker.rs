//! May this destination be asked, and how many at once? Pure: time and chance come in.

use super::{schedule::RETRY_AFTER_MAX, switches::Standing};
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
    /// As many calls at once as it has shown that it can take.
    allowed: usize,
    /// As many as the policy allows.
    most: usize,
    /// Since the last change of `allowed`.
    successes: usize,
    /// A 410: nothing more until somebody says otherwise.
    disabled: bool,
}

/// How many calls may run now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Places {
    Free(usize),
    /// None for so long.
    NotBefore(Duration),
    /// None until somebody says so.
    Never,
}

impl Breaker {
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self { failures: 0, closed_until: None, allowed: most, most, successes: 0, disabled: false }
    }

    pub(super) fn places(&self, now: Instant) -> Places {
        match self.closed_until {
            _ if self.disabled => Places::Never,
            Some(until) if until > now => Places::NotBefore(until - now),
            Some(_) => Places::Free(1), // one event probes
            None => Places::Free(self.allowed),
        }
    }

    pub(super) fn standing(&self) -> Standing {
        match self.closed_until {
            _ if self.disabled => Standing::Disabled,
            Some(_) => Standing::Down,
            None => Standing::Up,
        }
    }

    /// It took an event: one place more for each window of successes.
    pub(super) fn passed(&mut self) {
        self.refused();
        self.successes += 1;
        if self.successes >= self.allowed {
            self.successes = 0;
            self.allowed = (self.allowed + 1).min(self.most);
        }
    }

    /// It said no to one event, which is an answer, and no sign of how much it can take.
    pub(super) fn refused(&mut self) {
        (self.failures, self.closed_until) = (0, None);
    }

    /// It answered, and failed over one event: perhaps under the load of the others.
    pub(super) fn struggled(&mut self) {
        self.refused();
        self.halve();
    }

    /// It failed. `chance` is between 0 and 1.
    pub(super) fn failed(&mut self, after: Option<Duration>, chance: f64, now: Instant) {
        self.halve();
        if after.is_none() && self.closed_until.is_some_and(|until| until > now) {
            return; // was under way when the breaker opened, and tells nothing new
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures < FAILURES_MAX && after.is_none() {
            return;
        }
        let doublings = self.failures.saturating_sub(FAILURES_MAX).min(6);
        let wait = (PROBE_FIRST * 2_u32.pow(doublings)).min(PROBE_MAX).mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
        self.closed_until = now.checked_add(wait.max(after.unwrap_or_default().min(RETRY_AFTER_MAX)));
    }

    fn halve(&mut self) {
        self.successes = 0;
        self.allowed = (self.allowed / 2).max(1);
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
            assert!(matches!(breaker.places(now), Places::Free(_)));
            breaker.failed(None, 1.0, now);
        }
        assert_eq!((breaker.places(now), breaker.standing()), (Places::NotBefore(PROBE_FIRST), Standing::Down));
        assert_eq!(breaker.places(now + PROBE_FIRST), Places::Free(1));
        breaker.passed();
        assert_eq!(breaker.standing(), Standing::Up);
    }

    #[test]
    fn what_was_under_way_when_it_opened_does_not_make_it_wait_longer() {
        let (mut breaker, now) = (Breaker::new(64), Instant::now());
        (0..64).for_each(|_| breaker.failed(None, 1.0, now));
        assert_eq!(breaker.places(now), Places::NotBefore(PROBE_FIRST));
    }

    #[test]
    fn probes_come_at_least_once_a_minute_however_long_it_takes() {
        let (mut breaker, mut now) = (Breaker::new(8), Instant::now());
        for _ in 0..10_000 {
            breaker.failed(None, 1.0, now);
            if let Places::NotBefore(wait) = breaker.places(now) {
                now += wait;
            }
        }
        breaker.failed(None, 1.0, now);
        assert_eq!(breaker.places(now), Places::NotBefore(PROBE_MAX));
    }

    #[test]
    fn a_destination_is_left_alone_as_long_as_it_asks_within_bounds() {
        let (mut breaker, now) = (Breaker::new(8), Instant::now());
        breaker.failed(Some(Duration::from_secs(120)), 0.0, now);
        assert_eq!(breaker.places(now), Places::NotBefore(Duration::from_secs(120)));
        breaker.failed(Some(Duration::MAX), 0.0, now);
        assert_eq!(breaker.places(now), Places::NotBefore(RETRY_AFTER_MAX));
    }

    #[test]
    fn failures_halve_and_successes_raise_what_may_run() {
        let (mut breaker, now) = (Breaker::new(8), Instant::now());
        breaker.failed(None, 1.0, now);
        assert_eq!(breaker.places(now), Places::Free(4));
        (0..4).for_each(|_| breaker.passed());
        assert_eq!(breaker.places(now), Places::Free(5));
        breaker.struggled();
        assert_eq!(breaker.places(now), Places::Free(2), "also when it fails over one event alone");
        breaker.refused();
        assert_eq!(breaker.places(now), Places::Free(2), "a no is no sign of either");
        (0..1000).for_each(|_| breaker.passed());
        assert_eq!(breaker.places(now), Places::Free(8), "and never above the policy's");
        (0..1000).for_each(|_| breaker.struggled());
        assert_eq!(breaker.places(now), Places::Free(1), "and never nothing");
    }

    #[test]
    fn what_is_gone_is_asked_again_only_when_somebody_says_so() {
        let (mut breaker, now) = (Breaker::new(8), Instant::now());
        breaker.disable();
        breaker.passed();
        assert_eq!((breaker.places(now), breaker.standing()), (Places::Never, Standing::Disabled));
        breaker.enable();
        assert_eq!(breaker.places(now), Places::Free(8));
    }
}
