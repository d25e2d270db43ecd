//! How much may one sender send? A limiter is a function of key, rate and a running clock.

use crate::limit::Rate;
use std::{num::NonZeroU32, time::Duration};

/// A limiter that a suite may fill.
pub(crate) trait Rig {
    /// Takes one token at this time since the start, or says how long to wait.
    fn take(&self, key: &str, rate: Rate, now: Duration) -> Result<(), Duration>;
    /// What its buckets take in memory.
    fn bytes(&self) -> usize;
}

/// The tests of a limiter.
macro_rules! limiter {
    ($rig:expr) => {
        $crate::contract::limiter::limiter! {
            $rig;
            a_burst_as_long_as_one_period_holds_and_then_one_a_step
            a_steady_sender_at_its_rate_is_never_refused
            what_is_refused_takes_nothing_and_is_told_when_to_come
            keys_do_not_share_tokens
            strangers_cost_no_memory_and_free_nobody
            a_clock_that_goes_back_gives_nothing_away
            the_extremes_of_a_rate_are_rates
        }
    };
    ($rig:expr; $($clause:ident)+) => {$(
        #[test]
        fn $clause() {
            $crate::contract::limiter::$clause(&$rig);
        }
    )+};
}
pub(crate) use limiter;

const START: Duration = Duration::from_secs(1000);
const MOMENT: Duration = Duration::from_millis(1);

fn rate(count: u32, per: Duration) -> Rate {
    Rate { count: NonZeroU32::new(count).expect("not zero"), per }
}

fn per_second(count: u32) -> Rate {
    rate(count, Duration::from_secs(1))
}

/// How many of so many at one time were let in.
fn let_in(rig: &impl Rig, key: &str, rate: Rate, now: Duration, asked: usize) -> usize {
    (0..asked).filter(|_| rig.take(key, rate, now).is_ok()).count()
}

pub(crate) fn a_burst_as_long_as_one_period_holds_and_then_one_a_step(rig: &impl Rig) {
    let step = Duration::from_millis(100);
    assert_eq!(let_in(rig, "a", per_second(10), START, 15), 10);
    for steps in 1..=30 {
        assert_eq!(let_in(rig, "a", per_second(10), START + step * steps, 2), 1, "step {steps}");
    }
    let later = START + step * 30 + Duration::from_secs(3600);
    assert_eq!(let_in(rig, "a", per_second(10), later, 15), 10, "an hour of silence saves up one period, no more");
}

pub(crate) fn a_steady_sender_at_its_rate_is_never_refused(rig: &impl Rig) {
    for number in 0..10_000 {
        let now = START + Duration::from_micros(100) * number;
        assert_eq!(rig.take("a", per_second(10_000), now), Ok(()), "request {number}");
    }
}

pub(crate) fn what_is_refused_takes_nothing_and_is_told_when_to_come(rig: &impl Rig) {
    let rate = rate(2, Duration::from_secs(60));
    assert_eq!(let_in(rig, "a", rate, START, 2), 2);
    for _ in 0..1000 {
        assert_eq!(rig.take("a", rate, START), Err(Duration::from_secs(30)));
    }
    let due = START + Duration::from_secs(30);
    assert!(rig.take("a", rate, due.saturating_sub(MOMENT)).is_err());
    assert_eq!(rig.take("a", rate, due), Ok(()), "exactly when it was told");
}

pub(crate) fn keys_do_not_share_tokens(rig: &impl Rig) {
    assert_eq!(let_in(rig, "a", per_second(3), START, 5), 3);
    assert_eq!(let_in(rig, "b", per_second(3), START, 5), 3);
}

pub(crate) fn strangers_cost_no_memory_and_free_nobody(rig: &impl Rig) {
    let slow = rate(1, Duration::from_secs(3600));
    assert_eq!(let_in(rig, "a", slow, START, 2), 1);
    let before = rig.bytes();
    for stranger in 0..200_000 {
        let _ = rig.take(&format!("stranger {stranger}"), slow, START);
    }
    assert_eq!(rig.bytes(), before);
    assert!(rig.take("a", slow, START).is_err(), "a crowd does not push out who is limited");
}

pub(crate) fn a_clock_that_goes_back_gives_nothing_away(rig: &impl Rig) {
    assert_eq!(let_in(rig, "a", per_second(5), START, 5), 5);
    for earlier in [START.saturating_sub(MOMENT), START / 2, Duration::ZERO] {
        assert_eq!(let_in(rig, "a", per_second(5), earlier, 5), 0, "at {earlier:?}");
    }
    assert_eq!(let_in(rig, "a", per_second(5), START + Duration::from_secs(1), 9), 5, "and takes nothing");
}

pub(crate) fn the_extremes_of_a_rate_are_rates(rig: &impl Rig) {
    let longest = rate(1, Duration::from_secs(u64::MAX));
    assert_eq!(let_in(rig, "long", longest, START, 3), 1);
    assert_eq!(let_in(rig, "long", longest, Duration::from_secs(u32::MAX.into()), 3), 0);
    let fastest = rate(u32::MAX, Duration::from_micros(1));
    assert!(let_in(rig, "fast", fastest, START, 1000) >= 1);
}
