//! The times that a token says, and what they were meant to be where they are none.

use super::{
    Cause,
    cause::{Area, By, Code},
    tokens::{SAY_IT, Shown},
};
use crate::clock::Timestamp;
use serde_json::{Map, Value};
use std::time::Duration;

/// As a token says them: those that are no `NumericDate` (RFC 7519 section 2) are taken for what they were meant to be.
pub(super) struct Times {
    pub(super) signed_at: Option<Timestamp>,
    pub(super) from: Option<Timestamp>,
    pub(super) expires: Option<Timestamp>,
    /// What is wrong with how they are written, and whether the one is missing that says when the token was made.
    pub(super) odd: Vec<Cause>,
}

impl Times {
    pub(super) fn of(shown: &Shown, token: &Map<String, Value>, now: Timestamp) -> Self {
        let mut odd = Vec::new();
        let mut read = |name: &str| {
            let value = shown.claims.get(name)?;
            date(value).or_else(|| {
                let (cause, meant) = meant(name, value, now);
                odd.push(cause);
                meant
            })
        };
        let (issued, not_before, expires) = (read("iat"), read("nbf"), read("exp"));
        let made = token.get("time").and_then(Value::as_str);
        let signed_at = match made {
            Some("nbf") => not_before,
            Some("exp") => expires,
            Some(_) => issued,
            None => None,
        };
        if let Some(name) = made.filter(|name| shown.claims.get(*name).is_none()) {
            let what = format!("`{name}` of the token is not there, which is when it was made");
            odd.push(Cause::new(Code::TimeMissing, Area::Clock, By::Sender, what, SAY_IT));
        }
        Self { signed_at, from: issued.max(not_before), expires, odd }
    }
}

/// The last second of the year 9999.
const SECONDS_MAX: f64 = 253_402_300_799.0;

fn date(value: &Value) -> Option<Timestamp> {
    value.as_number().and_then(serde_json::Number::as_f64).and_then(at)
}

fn at(seconds: f64) -> Option<Timestamp> {
    let is_one = (0.0..=SECONDS_MAX).contains(&seconds);
    is_one.then(|| Timestamp::default() + Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// A time in another unit is centuries away; one that was written in it is within so much of now.
const SAME_UNIT: f64 = 10.0 * 366.0 * 86_400.0;

/// What is wrong with this one, and what it says as far as that can be told.
fn meant(name: &str, value: &Value, now: Timestamp) -> (Cause, Option<Timestamp>) {
    let units = [("milliseconds", 1e3), ("microseconds", 1e6), ("nanoseconds", 1e9)];
    #[expect(clippy::cast_precision_loss, reason = "ten years are near enough")]
    let near = |seconds: &f64| (seconds - now.unix_s() as f64).abs() < SAME_UNIT;
    let number = value.as_number().and_then(serde_json::Number::as_f64);
    let in_unit = number
        .and_then(|number| units.into_iter().find_map(|(unit, each)| Some((unit, Some(number / each).filter(near)?))));
    let (code, how, meant) = match (in_unit, value) {
        (Some((unit, seconds)), _) => (Code::TimeUnit, format!("in {unit}"), at(seconds)),
        (None, Value::String(text)) => {
            let seconds = text.parse().ok().and_then(at);
            (Code::TimeFormat, "a text".to_owned(), seconds.or_else(|| Timestamp::from_rfc3339(text)))
        }
        (None, Value::Number(_)) => (Code::TimeFormat, "a number that is no time".to_owned(), None),
        (None, _) => (Code::TimeFormat, "no number".to_owned(), None),
    };
    let what = format!("`{name}` of the token is {how}, and a token says its times as numbers of seconds");
    let mend = "write the time as a number of seconds since 1970";
    (Cause::new(code, Area::Clock, By::Sender, what, mend), meant)
}
