//! Did it arrive? The port to whatever takes events from the ledger: WordPress, a broker, any URL.

use crate::{event::Record, verdict::BoxError};
use std::{fmt, time::Duration};

/// Port: something that takes events, one at a time, and says when it has them.
pub trait Destination: Send + Sync {
    /// Returns when the destination has confirmed the event. Called again with the same record only if the outcome
    /// was unknown or the destination asked for it, so the record's id is what its consumer dedupes by.
    ///
    /// # Errors
    /// [`PublishError`]: whose failure it is decides whether the event or the destination waits.
    fn publish(&self, event: &Record) -> impl Future<Output = Result<Confirmed, PublishError>> + Send;
}

/// What the routes of a policy hand over to a destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// For so long a sender may repeat what goes there without the queue, if anything does.
    pub directly: Option<Duration>,
    /// So large an event can be, about.
    pub largest_bytes: usize,
}

/// How a destination confirms an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// It has it, as far as it says since just now.
    Taken,
    /// It had it already: an earlier attempt arrived of which no answer came.
    Known,
}

impl Confirmed {
    /// Stable name for metrics: what an attempt ended in.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Taken => "delivered",
            Self::Known => "known",
        }
    }
}

/// Why an event is not there yet.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct PublishError {
    /// A stable word for logs and dead letters: `connect`, `no_answer`, `status_500`, ...
    pub reason: String,
    /// What to do about it.
    pub retry: Retry,
    /// What lies below it.
    #[source]
    pub source: Option<BoxError>,
}

impl PublishError {
    /// The reason of an event that is larger than its destination takes.
    pub const TOO_LARGE: &str = "too_large";
}

/// Whose failure is it, and what follows? `after` is what was asked for, as in `Retry-After`; the forwarder caps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The destination's: it opens the breaker and costs the event no attempt.
    Destination {
        /// How long it wants to be left alone.
        after: Option<Duration>,
    },
    /// Nobody's yet: the event was sent, and no answer came. It may be there already; it is sent again under its id.
    Unknown,
    /// The event's: it advances its own schedule.
    Event {
        /// When it wants to see this event again.
        after: Option<Duration>,
    },
    /// The event will never be taken: a dead letter after a stated number of tries.
    Refused,
    /// The destination wants no more events until an operator says otherwise (410).
    Disabled,
}

/// Port: who hears what an operator should know of a destination that takes events all the same.
pub trait Remarks: Send + Sync {
    /// Called from within [`Destination::publish`], so it must not wait.
    fn remark(&self, destination: &str, remark: &Remark);
}

/// What is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// It knows an event again for this long, and it may be sent again later than that.
    ForgetsSoon {
        /// How long.
        window: Duration,
        /// How long an event is tried.
        horizon: Duration,
    },
    /// When it is full it makes room, and takes out what nobody may have read yet.
    LosesOldest,
    /// When it is full it forgets which events it has.
    ForgetsWhenFull,
    /// What it confirms is not on disk then; the policy allows that.
    NotSynced,
    /// Its routes take bodies of which an event becomes that is larger than what it takes.
    TakesLess {
        /// So much.
        takes_bytes: u64,
        /// The largest of these events, about.
        largest_bytes: u64,
    },
}

impl Remark {
    /// Stable name for metrics and logs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ForgetsSoon { .. } => "forgets_soon",
            Self::LosesOldest => "loses_oldest",
            Self::ForgetsWhenFull => "forgets_when_full",
            Self::NotSynced => "not_synced",
            Self::TakesLess { .. } => "takes_less",
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForgetsSoon { window, horizon } => write!(
                f,
                "it knows an event again for {} s, and one may be sent again for {} s: its consumers must tell repeats by \
                 the id",
                window.as_secs(),
                horizon.as_secs()
            ),
            Self::LosesOldest => f.write_str("when it is full it takes out the oldest events, read or not"),
            Self::ForgetsWhenFull => {
                f.write_str("when it is full it forgets which events it has, and one that is sent again is there twice")
            }
            Self::NotSynced => f.write_str("what it confirms is not on disk then, and a power cut can lose it"),
            Self::TakesLess { takes_bytes, largest_bytes } => write!(
                f,
                "it takes {takes_bytes} bytes, and an event of its routes can have {largest_bytes}: let it take more, or them \
                 less (`admit: {{ body: ... }}`)"
            ),
        }
    }
}
