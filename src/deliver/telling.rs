//! Which failures are worth a line of the log? All of them while they are few. A destination that refuses every other event
//! of a full queue would fill the disk on which the queue lies. Pure.

use crate::clock::Timestamp;
use std::time::{Duration, Instant};

/// One attempt that failed, of an event that will be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedAttempt<'a> {
    /// Where it should have gone.
    pub destination: &'a str,
    /// The event's id.
    pub event_id: &'a str,
    /// Which one it was; what fails in an outage of the destination does not count, and has the same number again.
    pub attempt: u32,
    /// Why, as metrics have it.
    pub reason: &'a str,
    /// When it may be tried again at the earliest.
    pub next: Timestamp,
    /// Failures of this destination before it that were not told, because there were too many.
    pub untold: u64,
}

/// An event that will not be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadLetter<'a> {
    /// Where it should have gone.
    pub destination: &'a str,
    /// The event's id; empty if its record cannot be read.
    pub event_id: &'a str,
    /// How often it failed by its own fault, the last time included; what failed in an outage does not count.
    pub attempts: u32,
    /// Why it failed the last time, as metrics have it.
    pub reason: &'a str,
}

/// So many lines for one destination, each so often: enough to see what fails, and a megabyte an hour at the most.
const LINES_MAX: u32 = 10;
const PER: Duration = Duration::from_secs(10);

/// What has been told of one destination.
#[derive(Debug, Default)]
pub(super) struct Telling {
    since: Option<Instant>,
    lines: u32,
    untold: u64,
}

impl Telling {
    /// Whether there is room for another line; then how many failures had none since the last one.
    pub(super) fn again(&mut self, now: Instant) -> Option<u64> {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= PER) {
            (self.since, self.lines) = (Some(now), 0);
        }
        if self.lines == LINES_MAX {
            self.untold = self.untold.saturating_add(1);
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_told_is_counted_in_the_next_line() {
        let (mut telling, now) = (Telling::default(), Instant::now());
        assert!((0..LINES_MAX).all(|_| telling.again(now) == Some(0)));
        assert!((0..7).all(|_| telling.again(now + PER / 2).is_none()));
        assert_eq!(telling.again(now + PER), Some(7));
        assert_eq!(telling.again(now + PER), Some(0));
    }
}
