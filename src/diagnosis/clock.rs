//! The signature holds, and its time does not: by how much, and why could that be?

use super::{
    Cause,
    cause::{Area, By, Code},
};
use crate::{
    clock::Timestamp,
    policy::written_time,
    repeat::{Freshness, Window},
    verify::{Held, jwt::LEEWAY_MAX},
};
use std::time::Duration;

/// A time in the other unit is centuries away; one that is within ten years of now after it was turned into ours was
/// written in it.
const SAME_UNIT: Duration = Duration::from_hours(10 * 366 * 24);

/// What is wrong with the times of this signature, if anything is. A late one that was to end meanwhile is late.
pub(super) fn look(window: Window, held: &Held, now: Timestamp) -> Option<Cause> {
    if let Some(cause) = skewed(window, held.signed_at, now) {
        return Some(cause);
    }
    if let Some(late) = held.until.and_then(|until| now.since(until)) {
        let what =
            format!("it was good until {} before it came (`exp` of a token, `expires` of a signature)", counted(late));
        let mend = "is it a recording? say when it came, with `--at`. Else look for what holds requests back on the way, and whether the sender signs anew when it comes again; and set the clocks right, this machine's first (`timedatectl`)";
        return Some(Cause::new(Code::Expired, Area::Clock, By::Sender, what, mend));
    }
    let early = held.from.and_then(|from| from.since(now)).filter(|early| *early > LEEWAY_MAX)?;
    let what = format!("it is good from {} after it came (`nbf` or `iat` of the token)", counted(early));
    let mend = "set the clocks right: this machine's first (`timedatectl`), then the sender's";
    Some(Cause::new(Code::NotYet, Area::Clock, By::Sender, what, mend))
}

fn skewed(window: Window, signed_at: Option<Timestamp>, now: Timestamp) -> Option<Cause> {
    let (Window::Signed { max_age, max_future }, Some(signed_at)) = (window, signed_at) else { return None };
    let freshness = window.judge(Some(signed_at), now);
    if freshness == Freshness::Fresh {
        return None;
    }
    let near = |ms: i64| (ms - now.unix_ms()).unsigned_abs() < u64::try_from(SAME_UNIT.as_millis()).unwrap_or(u64::MAX);
    let ms = signed_at.unix_ms();
    let units = [
        (ms.checked_mul(1000), "seconds, and this sender writes milliseconds"),
        (ms.checked_div(1000), "milliseconds, and this sender writes seconds"),
    ];
    let other = units.into_iter().find(|(ms, _)| ms.is_some_and(near));
    if let Some((_, which)) = other.filter(|_| !near(ms)) {
        let what = format!("the signed time is in {which}");
        return Some(Cause::new(Code::TimeUnit, Area::Clock, By::Sender, what, "write the time in the other unit"));
    }
    let skew = Duration::from_millis((ms - now.unix_ms()).unsigned_abs());
    Some(if freshness == Freshness::Future {
        let what = format!(
            "it was signed {} after it came; this route takes {} (`max_future`)",
            counted(skew),
            written_time(max_future)
        );
        let mend = "set the clocks right: this machine's first (`timedatectl`), then the sender's";
        Cause::new(Code::FromTheFuture, Area::Clock, By::Operator, what, mend)
    } else {
        let what = format!(
            "it was signed {} before it came; this route takes {} (`max_age`)",
            counted(skew),
            written_time(max_age)
        );
        let mend = "is it a recording? say when it came, with `--at`. Else set the clocks right, this machine's first (`timedatectl`), and look for what holds requests back on the way";
        Cause::new(Code::TooOld, Area::Clock, By::Operator, what, mend)
    })
}

/// `425 s`, and in larger units what is more than two minutes.
fn counted(skew: Duration) -> String {
    let s = skew.as_secs();
    let (days, hours, minutes, seconds) = (s / 86_400, s / 3600 % 24, s / 60 % 60, s % 60);
    let parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")];
    let parts: Vec<_> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count} {unit}")).collect();
    if s > 120 { format!("{s} s ({})", parts.join(" ")) } else { format!("{s} s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window::Signed { max_age: Duration::from_secs(300), max_future: Duration::from_secs(60) };

    fn looked(signed: i64) -> Option<(&'static str, String)> {
        let cause = skewed(WINDOW, Some(Timestamp::from_unix_s(signed)), Timestamp::from_unix_s(1_760_000_000))?;
        Some((cause.code.name(), cause.what))
    }

    #[test]
    fn a_skew_is_told_in_seconds_and_a_unit_by_its_name() {
        assert_eq!(looked(1_759_999_700), None);
        let (code, what) = looked(1_759_999_575).unwrap();
        assert_eq!(
            (code, what.as_str()),
            ("too_old", "it was signed 425 s (7 min 5 s) before it came; this route takes 5m (`max_age`)")
        );
        assert_eq!(looked(1_760_000_061).unwrap().0, "from_the_future");
        assert_eq!(looked(1_760_000_000_000).unwrap().0, "time_unit");
        assert_eq!(looked(1_760_000).unwrap().0, "time_unit");
        assert_eq!(looked(0).unwrap().0, "too_old");
    }

    #[test]
    fn an_end_and_a_beginning_are_told_in_seconds() {
        let (now, at) = (1_760_000_000, |s: i64| Some(Timestamp::from_unix_s(s)));
        let looked = |from, until| {
            let held = Held { key_id: String::new(), signed_at: None, from, until };
            look(WINDOW, &held, Timestamp::from_unix_s(now)).map(|cause| (cause.code, cause.what))
        };
        assert_eq!(looked(at(now + 60), at(now + 1)), None);
        let (code, what) = looked(None, at(now)).unwrap();
        assert!(code == Code::Expired && what.contains("0 s before"), "{what}");
        let (code, what) = looked(at(now + 61), None).unwrap();
        assert!(code == Code::NotYet && what.contains("61 s after"), "{what}");
    }
}
