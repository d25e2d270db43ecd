//! Words with a unit: times, sizes, rates, days, and where a secret is. Each has one spelling, and an example.

use super::Reference;
use crate::{clock::Timestamp, limit::Rate};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{num::NonZeroU32, time::Duration};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend("pattern" = "^[1-9][0-9]{0,5}(ms|s|m|h|d)$", "examples" = ["30s", "72h"]))]
pub(super) struct TimeText(#[schemars(with = "String")] pub(super) Duration);

/// The longest first: `ms` also ends with `s`.
const TIMES: [(&str, u64); 5] = [("ms", 1), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)];

impl TryFrom<String> for TimeText {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        scaled(&text, &TIMES).map(|ms| Self(Duration::from_millis(ms))).ok_or("not a time")
    }
}

/// As it would be written: in the largest unit that has no remainder, but `72h` and not `3d`, as senders say it.
pub fn written_time(time: Duration) -> String {
    let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    if ms == 0 {
        return "0s".to_owned();
    }
    let units = [("h", 3_600_000), ("m", 60_000), ("s", 1000)];
    let unit = units.iter().find(|(_, scale)| ms.is_multiple_of(*scale));
    unit.map_or_else(|| format!("{ms}ms"), |(unit, scale)| format!("{}{unit}", ms / scale))
}

/// In words for a person: `2d`, and `6m 2s` where a sum of two limits has no unit of its own, which nobody can write so.
pub(super) fn told_time(time: Duration) -> String {
    let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let (days, hours, minutes, seconds) = (ms / 86_400_000, ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    if ms == 0 || !ms.is_multiple_of(1000) {
        return written_time(time);
    }
    if days > 1 && ms.is_multiple_of(86_400_000) {
        return format!("{days}d");
    }
    let parts = [(hours, "h"), (minutes, "m"), (seconds, "s")].into_iter().filter(|(count, _)| *count > 0);
    parts.map(|(count, unit)| format!("{count}{unit}")).collect::<Vec<_>>().join(" ")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend("pattern" = "^[1-9][0-9]{0,5}(B|KiB|MiB|GiB)$", "examples" = ["256KiB", "1MiB"]))]
pub(super) struct SizeText(#[schemars(with = "String")] pub(super) u64);

const SIZES: [(&str, u64); 4] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];

impl TryFrom<String> for SizeText {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        scaled(&text, &SIZES).map(Self).ok_or("not a size")
    }
}

/// As it would be written, in the largest unit that has no remainder.
pub fn written_size(bytes: u64) -> String {
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = units.iter().find(|(_, scale)| bytes > 0 && bytes.is_multiple_of(*scale));
    unit.map_or_else(|| format!("{bytes}B"), |(unit, scale)| format!("{}{unit}", bytes / scale))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend("pattern" = "^[1-9][0-9]{0,5}(B|KiB|MiB)/s$", "examples" = ["1KiB/s"]))]
pub(super) struct FlowText(#[schemars(with = "String")] pub(super) u64);

impl TryFrom<String> for FlowText {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.strip_suffix("/s").and_then(|size| scaled(size, &SIZES)).map(Self).ok_or("not a flow")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend("pattern" = "^[1-9][0-9]{0,6}/(s|m|h)$", "examples" = ["100/s", "600/m"]))]
pub(super) struct RateText(#[schemars(with = "String")] pub(super) Rate);

const PERIODS: [(&str, u64); 3] = [("/s", 1), ("/m", 60), ("/h", 3600)];

impl TryFrom<String> for RateText {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parts = PERIODS.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, *seconds)));
        let (count, seconds) = parts.ok_or("not a rate")?;
        let count: NonZeroU32 = count.parse().map_err(|_| "not a rate")?;
        Ok(Self(Rate { count, per: Duration::from_secs(seconds) }))
    }
}

/// As it would be written.
pub fn written_rate(rate: Rate) -> String {
    let seconds = rate.per.as_secs();
    let unit = PERIODS.iter().find(|(_, scale)| *scale == seconds).map_or("", |(unit, _)| *unit);
    format!("{}{unit}", rate.count)
}

/// A day, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend("pattern" = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", "examples" = ["2027-01-31"]))]
pub(super) struct DayText(
    /// Its first instant; absent where the month has no such day.
    #[schemars(with = "String")]
    pub(super) Option<Timestamp>,
);

impl TryFrom<String> for DayText {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Ok(Self(Timestamp::from_rfc3339(&format!("{text}T00:00:00Z"))))
    }
}

/// `writeOnly` says that the value is a secret, should someone write one here: it is never shown.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend(
    "pattern" = "^(env|file):.",
    "examples" = ["env:STRIPE_SECRET", "file:/run/secrets/stripe"],
    "writeOnly" = true
))]
pub(super) struct ReferenceText(#[schemars(with = "String")] pub(super) Reference);

impl TryFrom<String> for ReferenceText {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if let Some(name) = text.strip_prefix("env:") {
            Ok(Self(Reference::Env(name.to_owned())))
        } else {
            let path = text.strip_prefix("file:").ok_or("not a reference")?;
            Ok(Self(Reference::File(path.into())))
        }
    }
}

/// Of a sender's key, which may not be there yet.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend(
    "pattern" = "^(env|file|handed):.",
    "examples" = ["env:STRIPE_SECRET", "file:/run/secrets/stripe"],
    "writeOnly" = true
))]
pub(super) struct KeyReferenceText(#[schemars(with = "String")] pub(super) Reference);

impl TryFrom<String> for KeyReferenceText {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.strip_prefix("handed:") {
            Some(path) => Ok(Self(Reference::Handed(path.into()))),
            None => ReferenceText::try_from(text).map(|ReferenceText(reference)| Self(reference)),
        }
    }
}

fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (digits, scale) = units.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, scale)))?;
    digits.parse::<u64>().ok()?.checked_mul(*scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_it_is_read() {
        for text in ["1ms", "30s", "90s", "10m", "72h"] {
            let TimeText(time) = TimeText::try_from(text.to_owned()).unwrap();
            assert_eq!(written_time(time), text);
        }
        assert_eq!(TimeText::try_from("3d".to_owned()).map(|TimeText(time)| written_time(time)), Ok("72h".to_owned()));
    }

    #[test]
    fn a_time_is_told_as_a_person_would() {
        let told = |seconds| told_time(Duration::from_secs(seconds));
        let expected = ["0s", "9s", "1m 30s", "6m 2s", "24h", "25h 1s", "2d", "3d", "76h", "7d"];
        let seconds = [0, 9, 90, 362, 86_400, 90_001, 172_800, 259_200, 273_600, 604_800];
        assert_eq!(seconds.map(told), expected);
        assert_eq!(told_time(Duration::from_millis(500)), "500ms");
    }

    #[test]
    fn a_size_and_a_rate_are_written_as_they_are_read() {
        for text in ["1B", "256KiB", "20GiB"] {
            assert_eq!(written_size(SizeText::try_from(text.to_owned()).unwrap().0), text);
        }
        for text in ["100/s", "600/m", "1/h"] {
            assert_eq!(written_rate(RateText::try_from(text.to_owned()).unwrap().0), text);
        }
    }

    #[test]
    fn a_day_that_no_month_has_is_none() {
        let day = |text: &str| DayText::try_from(text.to_owned()).unwrap().0;
        assert_eq!(day("2026-11-24"), Some(Timestamp::from_unix_s(1_795_478_400)));
        assert_eq!(day("2026-02-30"), None);
    }
}
