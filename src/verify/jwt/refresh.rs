//! When are an issuer's keys fetched again? A state machine without a fetch in it: whoever drives it brings the time.

use crate::clock::Timestamp;
use std::time::Duration;

/// For one issuer.
#[derive(Clone, Debug)]
pub struct Refresh {
    every: Duration,
    /// Between two tries, at the most.
    longest: Duration,
    succeeded: Option<Timestamp>,
    tried: Option<Timestamp>,
    failures: u32,
    running: bool,
    wanted: bool,
}

/// However many strangers make up key ids, the issuer is asked once in this time; and nobody has to wait longer for a
/// key that is there.
const APART: Duration = Duration::from_secs(60);
/// After a first failure; twice as long after each further one.
const RETRY: Duration = Duration::from_secs(2);
/// An issuer that is down for long is asked at least this often: it must be seen when it is back. Oftener where its keys
/// are too old so soon that it would not be.
const RETRY_MAX: Duration = Duration::from_secs(120);
/// A fetch has a deadline of seconds. One that has not come to an end by then has been lost, and must not be the last.
const RUN_MAX: Duration = Duration::from_secs(30);

impl Refresh {
    /// How much longer than `every` keys must be good for: as long as a fetch and four repeats of it take, so that one
    /// that is slow, or fails, leaves nobody without keys.
    pub const SPARE: Duration = Duration::from_secs(60);

    /// Fetches at once, and then in these intervals; what was fetched is good for as long as `stale` says.
    pub fn new(every: Duration, stale: Duration) -> Self {
        // Never rarer than when all is well, and twice at least before the keys are too old.
        let longest = RETRY_MAX.min(every).min(stale.saturating_sub(every) / 2).max(RETRY);
        Self { every, longest, succeeded: None, tried: None, failures: 0, running: false, wanted: false }
    }

    /// A token came whose key is not in the set. Whether that brings a fetch forward: if the last one is younger than
    /// a minute the issuer would say the same again.
    pub fn want(&mut self, now: Timestamp) -> bool {
        self.wanted |= elapsed(self.succeeded, now, APART);
        self.is_due(now)
    }

    /// Whether a fetch is due. `true` is said once: whoever hears it fetches, and reports the end.
    pub fn start(&mut self, now: Timestamp) -> bool {
        let due = self.is_due(now);
        if due {
            self.tried = Some(now);
            self.running = true;
        }
        due
    }

    /// The fetch brought a set of keys.
    pub fn succeeded(&mut self, now: Timestamp) {
        (self.running, self.wanted, self.failures) = (false, false, 0);
        self.succeeded = Some(now);
    }

    /// It did not, or the set was none.
    pub fn failed(&mut self) {
        self.running = false;
        self.failures = self.failures.saturating_add(1);
    }

    /// How long there is nothing to do, unless somebody wants something.
    pub fn rest(&self, now: Timestamp) -> Duration {
        let until = |last: Option<Timestamp>, pause: Duration| {
            last.map_or(Duration::ZERO, |last| now.since(last).map_or(Duration::ZERO, |age| pause.saturating_sub(age)))
        };
        if self.running {
            return until(self.tried, RUN_MAX);
        }
        let next = if self.wanted || self.failures > 0 { Duration::ZERO } else { until(self.succeeded, self.every) };
        next.max(until(self.tried, self.pause()))
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.rest(now).is_zero()
    }

    /// Between two tries.
    fn pause(&self) -> Duration {
        match self.failures {
            0 => Duration::ZERO,
            failures => RETRY.saturating_mul(2_u32.saturating_pow(failures - 1)).min(self.longest),
        }
    }
}

/// Also where the clock was set back: better a fetch too many than none.
fn elapsed(since: Option<Timestamp>, now: Timestamp, time: Duration) -> bool {
    since.is_none_or(|since| now.since(since).is_none_or(|age| age >= time))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const DAY: Duration = Duration::from_hours(24);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_s(1_760_000_000 + seconds)
    }

    fn fetched() -> Refresh {
        let mut refresh = Refresh::new(HOUR, DAY);
        assert!(refresh.start(at(0)), "the first fetch is due at once");
        refresh.succeeded(at(0));
        refresh
    }

    #[test]
    fn fetches_in_intervals_and_one_at_a_time() {
        let mut refresh = fetched();
        assert_eq!(refresh.rest(at(1)), Duration::from_secs(3599));
        assert!(!refresh.start(at(3599)));
        assert!(refresh.start(at(3600)));
        assert!(!refresh.start(at(3601)), "one is running");
        assert!(!refresh.want(at(3602)), "one is running");
    }

    #[test]
    fn a_thousand_unknown_keys_ask_once_a_minute() {
        let mut refresh = fetched();
        let mut fetches = 0;
        for second in 1..=600 {
            for _ in 0..1000 {
                refresh.want(at(second));
            }
            if refresh.start(at(second)) {
                fetches += 1;
                refresh.succeeded(at(second));
            }
        }
        assert_eq!(fetches, 10);
    }

    #[test]
    fn what_fails_is_tried_again_ever_less_often_but_for_ever() {
        let mut refresh = Refresh::new(HOUR, DAY);
        let mut tries = Vec::new();
        for second in 0..600 {
            refresh.want(at(second));
            if refresh.start(at(second)) {
                tries.push(second);
                refresh.failed();
            }
        }
        assert_eq!(tries, [0, 2, 6, 14, 30, 62, 126, 246, 366, 486]);
        assert!(refresh.start(at(606)));
        refresh.succeeded(at(606));
        assert_eq!(refresh.rest(at(606)), HOUR);
    }

    /// When it is tried, from the moment at which it is due, if it always fails.
    fn tries(every: Duration, stale: Duration) -> Vec<u64> {
        let mut refresh = Refresh::new(every, stale);
        assert!(refresh.start(at(0)));
        refresh.succeeded(at(0));
        let due = i64::try_from(every.as_secs()).unwrap();
        let mut tries = Vec::new();
        for second in 0..1000 {
            if refresh.start(at(due + second)) {
                tries.push(second.unsigned_abs());
                refresh.failed();
            }
        }
        tries
    }

    #[test]
    fn what_fails_is_not_tried_more_seldom_than_what_does_not() {
        const MINUTE: Duration = Duration::from_secs(60);
        let tries = tries(MINUTE, DAY);
        assert!(tries.windows(2).all(|pair| pair[1] - pair[0] <= 60), "{tries:?}");
    }

    #[test]
    fn what_fails_is_tried_often_enough_to_be_back_before_the_keys_are_too_old() {
        for spare_s in [60, 90, 300] {
            let tries = tries(HOUR, HOUR + Duration::from_secs(spare_s));
            assert!(tries.iter().filter(|try_s| **try_s < spare_s).count() >= 5, "{spare_s}: {tries:?}");
            assert!(tries.windows(2).all(|pair| pair[1] - pair[0] <= spare_s / 2), "{spare_s}: {tries:?}");
        }
    }

    #[test]
    fn a_fetch_whose_end_nobody_reports_is_not_the_last() {
        let mut refresh = Refresh::new(HOUR, DAY);
        assert!(refresh.start(at(0)));
        assert!(!refresh.start(at(29)));
        assert!(refresh.start(at(30)));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_stop_it() {
        let mut refresh = fetched();
        assert!(refresh.start(at(-7200)));
    }
}
