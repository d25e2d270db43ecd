//! Time as a value. Pure code receives `now`; only [`Clock`] reads it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// An instant of the wall clock, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From whole seconds since the epoch; what does not fit is the furthest instant that does.
    pub const fn from_unix_s(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// From milliseconds since the epoch.
    pub const fn from_unix_ms(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// From RFC 3339 text, as in `2026-10-09T08:53:20Z`.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let nanoseconds = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos();
        i64::try_from(nanoseconds.div_euclid(1_000_000)).ok().map(Self)
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn unix_s(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Milliseconds since the epoch.
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; `None` if it came before.
    pub fn since(self, earlier: Self) -> Option<Duration> {
        u64::try_from(self.0.checked_sub(earlier.0)?).ok().map(Duration::from_millis)
    }

    /// RFC 3339 in UTC with milliseconds, as CloudEvents wants it.
    pub fn rfc3339(self) -> String {
        let nanoseconds = i128::from(self.0) * 1_000_000;
        let written =
            OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok().and_then(|at| at.format(&Rfc3339).ok());
        written.unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, later: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(later.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, earlier: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(earlier.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// Where the shell gets its `now`.
pub trait Clock: Send + Sync {
    /// The wall clock.
    fn now(&self) -> Timestamp;

    /// The monotonic one: a jump of the wall clock moves no timer (CONTRACT.md C10).
    fn running(&self) -> Instant {
        Instant::now()
    }
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the clock")]
    fn now(&self) -> Timestamp {
        let milliseconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Timestamp(i64::try_from(milliseconds).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_and_read_as_rfc_3339() {
        let at = Timestamp::from_unix_ms(1_760_000_000_250);
        assert_eq!(at.rfc3339(), "2025-10-09T08:53:20.25Z");
        assert_eq!(Timestamp::from_rfc3339("2025-10-09T10:53:20.25+02:00"), Some(at));
    }

    #[test]
    fn seconds_are_rounded_down_before_and_after_the_epoch() {
        assert_eq!(Timestamp::from_unix_ms(1999).unix_s(), 1);
        assert_eq!(Timestamp::from_unix_ms(-1).unix_s(), -1);
    }
}
