//! What no route may be weaker than, and the exceptions from it, which end.

mod told;

use super::{
    Limits, Route, Sender,
    notes::Notes,
    text::{ExceptionText, ExceptionsText, FloorLimitsText, FloorText, FloorWord, NeedText},
    units::{DayText, RateText, SizeText, TimeText, written_rate, written_size, written_time},
};
use crate::{
    clock::Timestamp,
    json::{Kind, Node, Text},
    limit::Rate,
    repeat::Window,
};
use std::{collections::BTreeMap, fmt, time::Duration};

/// The floor of one policy.
pub(super) struct Floor {
    limits: Vec<Placed>,
    exceptions: ExceptionsText,
    now: Timestamp,
    /// What has ended is enforced instead of told: a gate that runs goes on.
    ended_enforces: bool,
}

/// One value of the floor, and where it is written, as `policies/gate.yaml:31`.
struct Placed {
    limit: Limit,
    line: String,
}

/// One value that a route must not go beyond.
#[derive(Clone, Copy)]
pub(super) enum Limit {
    MaxAge(Duration),
    MaxFuture(Duration),
    Body(u64),
    PerAddress(Rate),
    PerSender(Rate),
    Remember(Duration),
}

/// What becomes of an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lifted {
    /// There is none that could count.
    No,
    /// Until then.
    Until(Timestamp),
    /// Not any more.
    Ended,
}

/// A warning comes so long before an end: two weeks are time enough to ask and to change.
pub(super) const WARNED_BEFORE: Duration = Duration::from_hours(14 * 24);

impl Floor {
    pub(super) fn read(now: Timestamp, ended_enforces: bool, notes: &mut Notes<'_>) -> Self {
        let FloorText { verify, admit, limits, repeats, exceptions } = notes.section("/floor");
        let FloorLimitsText { per_address, per_sender } = limits;
        let written = [
            verify.max_age.map(|TimeText(time)| Limit::MaxAge(time)),
            verify.max_future.map(|TimeText(time)| Limit::MaxFuture(time)),
            admit.body.map(|SizeText(bytes)| Limit::Body(bytes)),
            per_address.map(|RateText(rate)| Limit::PerAddress(rate)),
            per_sender.map(|RateText(rate)| Limit::PerSender(rate)),
            repeats.remember.map(|TimeText(time)| Limit::Remember(time)),
        ];
        let place = |limit: Limit| {
            let node = notes.find(&limit.word().pointer())?;
            Some(Placed { limit, line: notes.line(node) })
        };
        let limits = written.into_iter().flatten().filter_map(place).collect();
        Self { limits, exceptions, now, ended_enforces }
    }

    /// Holds a route against every value, but for the one that its exception lifts.
    pub(super) fn hold(
        &self,
        route: &Route,
        node: &Node,
        exception: Option<(&ExceptionText, Lifted)>,
        notes: &mut Notes<'_>,
    ) {
        let excepted = |limit: &Limit| exception.is_some_and(|(exception, _)| exception.from == limit.word());
        for Placed { limit, line } in self.limits.iter().filter(|placed| placed.limit.is_broken_by(route)) {
            if !excepted(limit) {
                let word = limit.word();
                let pointer = word.route_pointer();
                let section = pointer.rsplit_once('/').map_or("", |(section, _)| section);
                let place = [pointer, section, "/sender"].into_iter().find_map(|pointer| node.find(pointer));
                let place = place.unwrap_or(node);
                let message =
                    format!("weaker than the floor's `{word}` ({line}); write {limit}, or an `exception` with an end");
                notes.wrong(Some(place), message);
            }
        }
        let Some((exception, Lifted::Until(_))) = exception else { return };
        let place = node.find("/exception/from");
        match self.limits.iter().find(|placed| excepted(&placed.limit)) {
            None => {
                let message = format!("the floor says nothing of `{}`; leave the exception out", exception.from);
                notes.wrong(place, message);
            }
            Some(placed) if !placed.limit.is_broken_by(route) => {
                notes.warn(place, "this route is not below the floor; leave the exception out");
            }
            Some(_) => {}
        }
    }

    /// Whether an exception counts, with all that is wrong with it.
    pub(super) fn lifted(&self, exception: &ExceptionText, node: &Node, notes: &mut Notes<'_>) -> Lifted {
        let written = |need: &NeedText| match need {
            NeedText::Ticket => ("ticket", exception.ticket.is_some()),
            NeedText::ApprovedBy => ("approved_by", exception.approved_by.is_some()),
            NeedText::Reason => ("reason", exception.reason.is_some()),
        };
        for (key, _) in self.exceptions.need.iter().map(written).filter(|(_, written)| !written) {
            notes.wrong(node.find("/exception"), format!("the floor wants an exception to say its `{key}`; write it"));
        }
        let place = node.find("/exception/until");
        let DayText(Some(until)) = exception.until else {
            notes.wrong(place, "no such day; write something such as `2027-01-31`");
            return Lifted::No;
        };
        let TimeText(longest) = self.exceptions.longest.unwrap_or(TimeText(LONGEST));
        if until <= self.now {
            if !self.ended_enforces {
                let placed = self.limits.iter().find(|placed| placed.limit.word() == exception.from);
                let way_out = placed.map_or_else(String::new, |placed| format!(", and write {}", placed.limit));
                notes.wrong(place, format!("this exception has ended; take it out{way_out}"));
            }
            return Lifted::Ended;
        }
        if until > self.now + longest {
            let last = (self.now + longest).rfc3339();
            let last = last.split('T').next().unwrap_or_default();
            let longest = written_days(longest);
            notes.wrong(place, format!("an exception lasts `{longest}` at most; write `{last}` or a day before it"));
        } else if let Some(left) = until.since(self.now).filter(|left| *left <= WARNED_BEFORE) {
            notes.warn(place, format!("this exception ends in {}; then the floor holds again", days(left)));
        }
        Lifted::Until(until)
    }

    /// The route's node with the floor's own value where an exception has ended and the route is below it.
    pub(super) fn restored(&self, route: &Route, node: &Node, word: FloorWord, notes: &Notes<'_>) -> Option<Node> {
        let broken = |placed: &&Placed| placed.limit.word() == word && placed.limit.is_broken_by(route);
        self.limits.iter().find(broken)?;
        let value = notes.find(&word.pointer())?.clone();
        let mut steps = word.route_pointer().split('/').skip(1);
        let (section, key) = (steps.next()?, steps.next()?);
        let members = |node: &Node| node.members().map(|(name, node)| (name.clone(), node.clone())).collect();
        let mut route: BTreeMap<Text, Node> = members(node);
        let at = route.get(section).map_or_else(|| node.at.clone(), |section| section.at.clone());
        let mut inner: BTreeMap<Text, Node> = route.get(section).map(members).unwrap_or_default();
        inner.insert(Text::new(key), value);
        route.insert(Text::new(section), Node { at, kind: Kind::Object(inner.into()) });
        Some(Node { at: node.at.clone(), kind: Kind::Object(route.into()) })
    }
}

/// Where `exceptions.longest` is not said.
const LONGEST: Duration = Duration::from_hours(90 * 24);

/// `2 days`, rounded up: what ends today ends in one.
pub(super) fn days(left: Duration) -> String {
    let days = left.as_secs().div_ceil(24 * 60 * 60);
    format!("{days} day{}", if days == 1 { "" } else { "s" })
}

/// Ends are told in days.
fn written_days(time: Duration) -> String {
    let day = 24 * 60 * 60;
    if time.as_secs().is_multiple_of(day) { format!("{}d", time.as_secs() / day) } else { written_time(time) }
}

impl FloorWord {
    /// As a policy writes it.
    fn name(self) -> &'static str {
        match self {
            Self::MaxAge => "verify.max_age",
            Self::MaxFuture => "verify.max_future",
            Self::Body => "admit.body",
            Self::PerAddress => "limits.per_address",
            Self::PerSender => "limits.per_sender",
            Self::Remember => "repeats.remember",
        }
    }

    /// Where the floor says it.
    fn pointer(self) -> String {
        format!("/floor/{}", self.name().replace('.', "/"))
    }

    /// Where a route says its own.
    fn route_pointer(self) -> &'static str {
        match self {
            Self::MaxAge => "/sender/max_age",
            Self::MaxFuture => "/sender/max_future",
            Self::Body => "/admit/body",
            Self::PerAddress => "/limits/per_address",
            Self::PerSender => "/limits/per_sender",
            Self::Remember => "/repeats/remember",
        }
    }
}

impl fmt::Display for FloorWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Limit {
    /// Those that hold for this route as it is: none other is weaker.
    pub(super) fn of(route: &Route) -> Vec<Self> {
        let Limits { per_address, per_sender } = route.limits;
        let mut limits = vec![Self::Body(route.admit.body_limit_bytes as u64)];
        match window(route) {
            Some(Window::Signed { max_age, max_future }) => {
                limits.extend([Self::MaxAge(max_age), Self::MaxFuture(max_future)]);
            }
            Some(Window::Unsigned { .. }) | None => {}
        }
        limits.extend(per_address.map(Self::PerAddress));
        limits.extend(per_sender.map(Self::PerSender));
        limits.push(Self::Remember(route.remember));
        limits
    }

    /// As a route writes it: `sender.max_age`.
    pub(super) fn route_key(&self) -> String {
        self.word().route_pointer().trim_start_matches('/').replace('/', ".")
    }

    fn word(&self) -> FloorWord {
        match self {
            Self::MaxAge(_) => FloorWord::MaxAge,
            Self::MaxFuture(_) => FloorWord::MaxFuture,
            Self::Body(_) => FloorWord::Body,
            Self::PerAddress(_) => FloorWord::PerAddress,
            Self::PerSender(_) => FloorWord::PerSender,
            Self::Remember(_) => FloorWord::Remember,
        }
    }

    /// A scheme that signs no time, and a token that says its own, have neither age nor future: nothing could be held against it.
    pub(super) fn is_broken_by(&self, route: &Route) -> bool {
        match (*self, window(route)) {
            (Self::MaxAge(longest), Some(Window::Signed { max_age, .. })) => max_age > longest,
            (Self::MaxFuture(longest), Some(Window::Signed { max_future, .. })) => max_future > longest,
            // A token is not remembered, but for as long as it is good.
            (Self::MaxAge(_) | Self::MaxFuture(_), Some(Window::Unsigned { .. }) | None)
            | (Self::Remember(_), None) => false,
            (Self::Body(bytes), _) => route.admit.body_limit_bytes as u64 > bytes,
            (Self::PerAddress(rate), _) => is_faster(route.limits.per_address, rate),
            (Self::PerSender(rate), _) => is_faster(route.limits.per_sender, rate),
            (Self::Remember(shortest), Some(_)) => route.remember < shortest,
        }
    }
}

/// A token has none.
fn window(route: &Route) -> Option<Window> {
    match &route.sender {
        Sender::Webhook(webhook) => Some(webhook.window()),
        Sender::Token(_) => None,
    }
}

/// What would be in order.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MaxAge(time) | Self::MaxFuture(time) => write!(f, "`{}` or less", written_time(*time)),
            Self::Body(bytes) => write!(f, "`{}` or less", written_size(*bytes)),
            Self::PerAddress(rate) | Self::PerSender(rate) => write!(f, "`{}` or less", written_rate(*rate)),
            Self::Remember(time) => write!(f, "`{}` or more", written_time(*time)),
        }
    }
}

/// Unlimited is faster than anything. Counts times periods are whole numbers: no rounding decides.
fn is_faster(rate: Option<Rate>, limit: Rate) -> bool {
    let crossed = |a: Rate, b: Rate| u128::from(a.count.get()) * b.per.as_millis();
    rate.is_none_or(|rate| crossed(rate, limit) > crossed(limit, rate))
}
