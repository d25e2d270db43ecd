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

/// A time in another unit is centuries away; one that is within ten years of now after it was turned into ours was
/// written in it.
const SAME_UNIT: Duration = Duration::from_hours(10 * 366 * 24);

/// What is wrong with the times of this signature: everything that is.
pub(super) fn look(window: Window, held: &Held, now: Timestamp) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut signed_at = held.signed_at;
    if let (Window::Signed { .. }, Some(at)) = (window, signed_at)
        && let Some((in_ours, how)) = other_unit(at, now)
    {
        let what = format!("the signed time is in {how}");
        causes.push(Cause::new(Code::TimeUnit, Area::Clock, By::Sender, what, "write the time in the other unit"));
        signed_at = Some(in_ours);
    }
    causes.extend(skewed(window, signed_at, now));
    let is_ahead = causes.iter().any(|cause| cause.code == Code::FromTheFuture);
    if held.until.is_some_and(|until| until <= now) {
        let late = held.expires.and_then(|expires| now.since(expires)).unwrap_or_default();
        let allowed = held.until.zip(held.expires).and_then(|(until, expires)| until.since(expires));
        let allowed = allowed.filter(|allowed| *allowed > Duration::from_secs(1));
        let allowed = allowed.map_or_else(String::new, |allowed| format!("; {} of that are allowed", counted(allowed)));
        let what = format!(
            "it was good until {} before it came (`exp` of a token, `expires` of a signature){allowed}",
            counted(late)
        );
        let mend = "is it a recording? say when it came, with `--at`. Else look for what holds requests back on the way, and whether the sender signs anew when it comes again; and set the clocks right, this machine's first (`timedatectl`)";
        causes.push(Cause::new(Code::Expired, Area::Clock, By::Both, what, mend));
    }
    // What was made ahead of its time is told as that.
    let from = held.from.filter(|from| !is_ahead || held.signed_at != Some(*from));
    if let Some(early) = from.and_then(|from| from.since(now)).filter(|early| *early > LEEWAY_MAX) {
        let what = format!("it is good from {} after it came (`nbf` or `iat` of the token)", counted(early));
        causes.push(Cause::new(Code::NotYet, Area::Clock, By::Both, what, CLOCKS));
    }
    causes
}

const CLOCKS: &str = "set the clocks right: this machine's first (`timedatectl`), then the sender's";

/// The same number in our unit, and which one it was written in.
fn other_unit(at: Timestamp, now: Timestamp) -> Option<(Timestamp, &'static str)> {
    let near = |ms: i64| (ms - now.unix_ms()).unsigned_abs() < u64::try_from(SAME_UNIT.as_millis()).unwrap_or(u64::MAX);
    let ms = at.unix_ms();
    if near(ms) {
        return None;
    }
    let units = [
        (ms.checked_mul(1000), "seconds, and this sender writes milliseconds"),
        (ms.checked_div(1000), "a unit a thousand times smaller than this sender's: milliseconds for seconds"),
        (ms.checked_div(1_000_000), "a unit a million times smaller than this sender's: microseconds for seconds"),
    ];
    let found = units.into_iter().find_map(|(ms, how)| Some((ms.filter(|ms| near(*ms))?, how)))?;
    Some((Timestamp::from_unix_ms(found.0), found.1))
}

fn skewed(window: Window, signed_at: Option<Timestamp>, now: Timestamp) -> Option<Cause> {
    let (Window::Signed { max_age, max_future }, Some(signed_at)) = (window, signed_at) else { return None };
    let freshness = window.judge(Some(signed_at), now);
    if freshness == Freshness::Fresh {
        return None;
    }
    let skew = Duration::from_millis((signed_at.unix_ms() - now.unix_ms()).unsigned_abs());
    Some(if freshness == Freshness::Future {
        let what = format!(
            "it was signed {} after it came; this route takes {} (`max_future`)",
            counted(skew),
            written_time(max_future)
        );
        Cause::new(Code::FromTheFuture, Area::Clock, By::Both, what, CLOCKS)
    } else {
        let what = format!(
            "it was signed {} before it came; this route takes {} (`max_age`)",
            counted(skew),
            written_time(max_age)
        );
        let mend = "is it a recording? say when it came, with `--at`. Else set the clocks right, this machine's first (`timedatectl`), and look for what holds requests back on the way";
        Cause::new(Code::TooOld, Area::Clock, By::Both, what, mend)
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

    fn looked(signed: i64) -> Vec<(&'static str, String)> {
        let signed_at = Some(Timestamp::from_unix_s(signed));
        let held = Held { key_id: String::new(), signed_at, from: None, until: None, expires: None };
        let causes = look(WINDOW, &held, Timestamp::from_unix_s(1_760_000_000));
        causes.into_iter().map(|cause| (cause.code.name(), cause.what)).collect()
    }

    fn codes(signed: i64) -> Vec<&'static str> {
        looked(signed).into_iter().map(|(code, _)| code).collect()
    }

    #[test]
    fn a_skew_is_told_in_seconds_and_a_unit_by_its_name() {
        assert_eq!(looked(1_759_999_700), []);
        assert_eq!(
            looked(1_759_999_575),
            [("too_old", "it was signed 425 s (7 min 5 s) before it came; this route takes 5m (`max_age`)".to_owned())]
        );
        assert_eq!(codes(1_760_000_061), ["from_the_future"]);
        assert_eq!(codes(1_760_000_000_000), ["time_unit"]);
        assert_eq!(codes(1_760_000), ["time_unit"]);
        assert_eq!(codes(0), ["too_old"]);
        let micro = looked(1_760_000_000_000_000);
        assert!(micro.len() == 1 && micro[0].0 == "time_unit" && micro[0].1.contains("microseconds"), "{micro:?}");
    }

    #[test]
    fn in_another_unit_the_age_is_told_as_well() {
        assert_eq!(codes(1_759_999_000_000), ["time_unit", "too_old"]);
        assert_eq!(codes(1_760_000_100_000), ["time_unit", "from_the_future"]);
        assert!(looked(1_759_999_000_000)[1].1.contains("1000 s"));
    }

    #[test]
    fn an_end_and_a_beginning_are_told_in_seconds() {
        let (now, at) = (1_760_000_000, |s: i64| Some(Timestamp::from_unix_s(s)));
        let looked = |signed_at, from, until, expires| {
            let held = Held { key_id: String::new(), signed_at, from, until, expires };
            let causes = look(WINDOW, &held, Timestamp::from_unix_s(now));
            causes.into_iter().map(|cause| (cause.code, cause.what)).collect::<Vec<_>>()
        };
        assert_eq!(looked(None, at(now + 60), at(now + 1), at(now + 1)), []);
        let ended = looked(None, None, at(now), at(now));
        assert!(ended.len() == 1 && ended[0].0 == Code::Expired && ended[0].1.contains("0 s before"), "{ended:?}");
        let ended = looked(None, None, at(now - 10), at(now - 40));
        assert!(ended[0].1.contains("40 s before") && ended[0].1.contains("30 s of that are allowed"), "{ended:?}");
        let early = looked(None, at(now + 61), None, None);
        assert!(early.len() == 1 && early[0].0 == Code::NotYet && early[0].1.contains("61 s after"), "{early:?}");
        let all = looked(at(now - 1000), at(now + 100), at(now - 5), at(now - 5));
        let all: Vec<_> = all.into_iter().map(|(code, _)| code).collect();
        assert_eq!(all, [Code::TooOld, Code::Expired, Code::NotYet], "all that is wrong is told");
        let ahead = looked(at(now + 100), at(now + 100), None, None);
        assert_eq!(ahead.len(), 1, "one moment is one cause: {ahead:?}");
    }
}
