//! Is this event new, and is it durable now? One question, one step, one port.
//!
//! Were claiming an id and keeping the event two steps, a crash between them would either burn the id of an event
//! that nobody has, or keep an event whose retry passes again.

mod receipt;
mod success;

pub use receipt::Receipt;
pub use success::Success;

use crate::{
    event::Event,
    repeat::{BodyMark, RepeatKeys},
    verdict::Fault,
};
use std::{fmt, time::Duration};

/// Port: where events are kept, with what they are remembered by, in one record.
pub trait Ledger: Send + Sync {
    /// Returns once the event is durable, or known to have been accepted before.
    ///
    /// A copy that comes while the first is still being written waits for the first one's result and shares it; if
    /// the first fails, one of those waiting takes its place. Dropping the future is allowed at any time, because the
    /// edge does so when the sender's answer is due; an event whose write has begun may still become durable.
    ///
    /// # Errors
    /// A [`Fault`] if the event is not durable; nothing is remembered of it then.
    fn accept(&self, event: Event) -> impl Future<Output = Result<Accepted, Fault>> + Send;
}

/// How a request ends well.
#[derive(Debug)]
pub enum Accepted {
    /// Durable since just now.
    New(Receipt),
    /// Durable since earlier. No error: senders retry, and want the same answer again.
    Again(Known),
}

/// An event that was accepted before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The body is another one than the first time, under the same signed id.
    pub changed: Option<Changed>,
    /// What WordPress said to it, if it was passed on.
    pub success: Option<Success>,
}

/// Two bodies under one signed id. Shown as their keyed digests, which tell them apart and say nothing of either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Of the body that was accepted.
    pub accepted: BodyMark,
    /// Of the one that came now.
    pub came: BodyMark,
}

impl Known {
    /// Compares the body that was accepted with the one that came now.
    pub fn compare(accepted: BodyMark, came: BodyMark) -> Self {
        Self { changed: (accepted != came).then_some(Changed { accepted, came }), success: None }
    }
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "accepted the body {}, now came {}", self.accepted, self.came)
    }
}

/// Port: for events that are not kept but passed on at once, and settled by the answer.
pub trait Leases: Send + Sync {
    /// Waits while another holds a lease on one of these keys. A lease lasts `hold` at the most, on the monotonic
    /// clock, and must outlast the holder's own deadline.
    fn lease(&self, keys: &RepeatKeys, hold: Duration) -> impl Future<Output = Result<Leased, Fault>> + Send;

    /// Ends a lease; [`Settled::Done`] returns when the keys are durably remembered.
    ///
    /// # Errors
    /// [`Fault::LeaseLost`] if another holder has been let in since; a [`Fault::Ledger`] if `Done` could not be made
    /// durable (it is then remembered in memory alone).
    fn settle(&self, lease: Lease, settled: Settled) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// What became of the wish to pass an event on.
#[derive(Debug)]
pub enum Leased {
    /// Nobody else will, until this is settled or lapses.
    Held(Lease),
    /// It has been passed on, and WordPress took it.
    Again(Known),
}

/// The right to pass one event on.
#[derive(Debug)]
#[must_use = "a lease that is not settled blocks the sender's retry until it lapses"]
pub struct Lease {
    /// What it is held on.
    pub keys: RepeatKeys,
    /// Grows with every lease: a holder that slept through its lease has an older one than its successor, and so
    /// cannot commit over it.
    pub fence: u64,
}

/// What became of an event that was passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// WordPress took it, and said so like this: remember.
    Done(Success),
    /// WordPress refused it, or never saw it: forget, so that the retry passes.
    Released,
}
