//! Is it safe to enforce? The rule is written here once, and each report says in words what is missing.

use super::{Count, Kind, Tally};
use crate::{
    clock::Timestamp,
    policy::{Observe, Observed},
    verdict::Check,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Every route that is tried.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct ObserveReport {
    /// When this was said, in RFC 3339.
    pub at: String,
    /// All of them can enforce.
    pub safe: bool,
    /// In the order of their names.
    pub routes: Vec<RouteReport>,
}

/// What is known of one route.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct RouteReport {
    /// Its name.
    pub route: String,
    /// `all`, or the checks that are tried.
    pub observes: Vec<String>,
    /// Then it enforces, in RFC 3339.
    pub until: String,
    /// Since when it is counted: this rollout, under these terms, in this process.
    pub since: String,
    /// How long that is.
    pub observed_s: u64,
    /// By what is tried: how many requests were judged.
    pub judged: Vec<Judged>,
    /// What would have been refused.
    pub refused: Vec<Refused>,
    /// What could not be judged.
    pub unjudged: Vec<Unjudged>,
    /// Nothing speaks against enforcing it.
    pub safe: bool,
    /// What does, in words.
    pub because: Vec<String>,
}

/// How many were judged.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// By what: `all`, or one check.
    pub by: String,
    /// Would have gone on.
    pub good: u64,
    /// Would have been answered as repeats.
    pub repeats: u64,
    /// Would have been refused.
    pub refused: u64,
}

/// What would have been refused for one reason.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// By which check.
    pub check: String,
    /// The code of logs and metrics.
    pub code: String,
    /// How often.
    pub count: u64,
    /// When it was last seen, in RFC 3339.
    pub last: String,
}

/// What could not be judged for one reason.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Unjudged {
    /// `too_large`, `no_room`, `incomplete`.
    pub reason: String,
    /// How often.
    pub count: u64,
    /// When it was last seen, in RFC 3339.
    pub last: String,
}

/// A day has its quiet and its busy hours, and most jobs that run once a day.
const OBSERVED_MIN: Duration = Duration::from_hours(24);
/// Fewer say little about what a sender sends.
const GOOD_MIN: u64 = 100;
/// Anybody can send these, and it is what the gate is for.
const STRANGERS: [&str; 3] = ["signature_missing", "signature_malformed", "signature_mismatch"];
/// One stranger in so many good requests is the internet; more of them look like a sender whose key is missing.
const GOOD_PER_STRANGER_MIN: u64 = 10;
/// Of so many requests one may stay unjudged.
const JUDGED_PER_UNJUDGED_MIN: u64 = 10;
/// Nobody saw enough of these to judge them, and the route would refuse each one.
const TOO_LARGE: &str = "too_large";

impl ObserveReport {
    pub(super) fn new(at: Timestamp, routes: impl IntoIterator<Item = RouteReport>) -> Self {
        let routes: Vec<_> = routes.into_iter().collect();
        Self { at: at.rfc3339(), safe: routes.iter().all(|route| route.safe), routes }
    }
}

impl RouteReport {
    pub(super) fn new(route: &str, tally: &Tally, now: Timestamp) -> Self {
        let Tally { observe, since, counts } = tally;
        let of = |kind| counts.iter().filter(move |(_, count)| count.kind == kind);
        let tried = tried(*observe);
        let judged = tried.iter().map(|by| {
            let times = |kind| of(kind).filter(|((check, _), _)| *by == Check::All || check == by).map(times).sum();
            let (good, repeats, refused) = (times(Kind::Good), times(Kind::Repeat), times(Kind::Refused));
            Judged { by: by.name().to_owned(), good, repeats, refused }
        });
        let refused = of(Kind::Refused).map(|((check, code), count)| Refused {
            check: check.name().to_owned(),
            code: (*code).to_owned(),
            count: count.times,
            last: count.last.rfc3339(),
        });
        let unjudged = of(Kind::Unjudged).map(|((_, reason), count)| Unjudged {
            reason: (*reason).to_owned(),
            count: count.times,
            last: count.last.rfc3339(),
        });
        let mut report = Self {
            route: route.to_owned(),
            observes: tried.iter().map(|check| check.name().to_owned()).collect(),
            until: observe.until.rfc3339(),
            since: since.rfc3339(),
            observed_s: now.since(*since).unwrap_or_default().as_secs(),
            judged: judged.collect(),
            refused: refused.collect(),
            unjudged: unjudged.collect(),
            safe: false,
            because: Vec::new(),
        };
        report.because = report.doubts();
        report.safe = report.because.is_empty();
        report
    }

    /// Everything that speaks against enforcing.
    fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        let observed = Duration::from_secs(self.observed_s);
        if observed < OBSERVED_MIN {
            doubts.push(format!("it has been observed for {}; {} at least", age(observed), age(OBSERVED_MIN)));
        }
        let mut least_good = u64::MAX;
        for Judged { by, good, .. } in &self.judged {
            least_good = least_good.min(*good);
            if *good < GOOD_MIN {
                let by = if by == Check::All.name() { String::new() } else { format!(" by `{by}`") };
                doubts.push(format!("{good} good requests were judged{by}; {GOOD_MIN} at least"));
            }
        }
        let is_stranger = |refused: &&Refused| STRANGERS.contains(&refused.code.as_str());
        for Refused { check, code, count, .. } in self.refused.iter().filter(|refused| !is_stranger(refused)) {
            doubts.push(format!("`{check}` would have refused {count} as `{code}`"));
        }
        let strangers: u64 = self.refused.iter().filter(is_stranger).map(|refused| refused.count).sum();
        if strangers.saturating_mul(GOOD_PER_STRANGER_MIN) > least_good {
            doubts.push(format!(
                "{strangers} had no signature by a key of this route, more than one for {GOOD_PER_STRANGER_MIN} good ones; \
                 is there a sender whose key is missing?"
            ));
        }
        let judged: u64 = self.judged.iter().map(|judged| judged.good + judged.repeats + judged.refused).sum();
        let mut unjudged: u64 = 0;
        for Unjudged { reason, count, .. } in &self.unjudged {
            if reason == TOO_LARGE {
                doubts.push(format!("{count} bodies were longer than the route takes, and would have been refused"));
            } else {
                unjudged += count;
            }
        }
        if unjudged.saturating_mul(JUDGED_PER_UNJUDGED_MIN) > judged {
            doubts
                .push(format!("{unjudged} could not be judged, more than one for {JUDGED_PER_UNJUDGED_MIN} that were"));
        }
        doubts
    }
}

fn tried(Observe { what, .. }: Observe) -> Vec<Check> {
    match what {
        Observed::All => vec![Check::All],
        Observed::Checks { schema, limits } => {
            let named = [(schema, Check::Schema), (limits, Check::Limits)];
            named.into_iter().filter(|(is_tried, _)| *is_tried).map(|(_, check)| check).collect()
        }
    }
}

fn times((_, count): (&(Check, &'static str), &Count)) -> u64 {
    count.times
}

/// In its largest unit, cut.
pub fn age(time: Duration) -> String {
    let seconds = time.as_secs();
    let whole = [(3600, "h"), (60, "m")].into_iter().find(|(unit, _)| seconds >= *unit);
    whole.map_or_else(|| format!("{seconds}s"), |(unit, name)| format!("{}{name}", seconds / unit))
}
