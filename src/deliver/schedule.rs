//! When is it tried again? Pure: chance comes in as a number between 0 and 1.

use std::time::Duration;

/// Standard Webhooks' schedule: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.
const WAITS_S: [u64; 9] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// How long after its first failure an event of its own may still be tried: the sum of the waits. What an outage adds
/// is not in here, because it has no bound.
pub const HORIZON: Duration = Duration::from_secs(272_105);

/// An answer that says "never" is asked for so often before it is believed: a plugin that is updated answers 404 for a
/// minute.
const REFUSED_TRIES: u32 = 3;

/// A destination that asks for more patience than this does not get it.
pub(super) const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

/// How long an event waits after this many failures of its own; `None`: it is dead.
///
/// Full jitter: anything between nothing and the schedule's wait, so that what failed together does not return together.
pub(super) fn wait(failures: u32, refused: bool, after: Option<Duration>, chance: f64) -> Option<Duration> {
    if refused && failures >= REFUSED_TRIES {
        return None;
    }
    let wait = WAITS_S.get(usize::try_from(failures).ok()?.checked_sub(1)?)?;
    let jittered = Duration::from_secs(*wait).mul_f64(chance.clamp(0.0, 1.0));
    Some(jittered.max(after.unwrap_or_default().min(RETRY_AFTER_MAX)))
}

/// Between 0 and 1. Spreads retries, and need not be a secret.
pub(super) fn chance() -> f64 {
    let mut bits = [0; 4];
    let _ = getrandom::fill(&mut bits);
    f64::from(u32::from_le_bytes(bits)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_dead_after_the_whole_schedule() {
        let waits: Vec<_> = (1..).map_while(|failures| wait(failures, false, None, 1.0)).collect();
        assert_eq!(waits.len(), WAITS_S.len());
        assert_eq!(waits.iter().sum::<Duration>(), HORIZON, "75 hours and a half");
    }

    #[test]
    fn an_event_that_is_refused_is_dead_after_three_tries() {
        assert!(wait(2, true, None, 1.0).is_some());
        assert_eq!(wait(3, true, None, 1.0), None);
    }

    #[test]
    fn a_destination_is_given_the_time_that_it_asks_for_within_bounds() {
        let asked = |seconds| wait(1, false, Some(Duration::from_secs(seconds)), 0.0);
        assert_eq!(asked(60), Some(Duration::from_secs(60)));
        assert_eq!(asked(1_000_000), Some(RETRY_AFTER_MAX));
    }
}
