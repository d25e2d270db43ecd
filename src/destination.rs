//! Did it arrive? The port to whatever takes events from the ledger: WordPress, a broker, any URL.

use crate::{event::Record, verdict::BoxError};
use std::time::Duration;

/// Port: something that takes events, one at a time, and says when it has them.
pub trait Destination: Send + Sync {
    /// Returns when the destination has confirmed the event. Called again with the same record only if the outcome
    /// was unknown or the destination asked for it, so the record's id is what its consumer dedupes by.
    ///
    /// # Errors
    /// [`PublishError`]: whose failure it is decides whether the event or the destination waits.
    fn publish(&self, event: &Record) -> impl Future<Output = Result<(), PublishError>> + Send;
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
