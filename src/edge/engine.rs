//! What the edge needs of whatever keeps events: the ports, and two questions that are answered without waiting.

use crate::{
    event::Event,
    ledger::{Accepted, Known, Lease, Leased, Leases, Ledger, Settled},
    policy::Delivery,
    repeat::RepeatKeys,
    spool::Spool,
    verdict::Fault,
};
use std::time::Duration;

/// Keeps events, and remembers those that were passed on. Clones are the same engine.
pub trait Engine: Ledger + Leases + Clone + 'static {
    /// Whether any of these keys was accepted, or relayed with success, and is still remembered.
    fn look(&self, keys: &RepeatKeys) -> Option<Known>;

    /// Whether an event of a route that delivers so can be accepted now; asked before a body is read.
    ///
    /// # Errors
    /// The [`Fault`] that accepting would end in.
    fn ready(&self, delivery: &Delivery) -> Result<(), Fault>;

    /// Where events become durable that are not kept here.
    fn direct(&self) -> &impl Ledger;
}

impl Engine for Spool {
    fn look(&self, keys: &RepeatKeys) -> Option<Known> {
        Self::look(self, keys)
    }

    fn ready(&self, delivery: &Delivery) -> Result<(), Fault> {
        match delivery {
            Delivery::Queue { .. } => Self::ready(self),
            Delivery::Direct { .. } => NoEngine.ready(delivery),
            Delivery::Relay => Ok(()),
        }
    }

    fn direct(&self) -> &impl Ledger {
        &NoEngine
    }
}

/// For a gate without routes: keeps nothing, and says so.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEngine;

impl Engine for NoEngine {
    fn look(&self, _: &RepeatKeys) -> Option<Known> {
        None
    }

    fn ready(&self, _: &Delivery) -> Result<(), Fault> {
        Err(Fault::LedgerFull)
    }

    fn direct(&self) -> &impl Ledger {
        self
    }
}

impl Ledger for NoEngine {
    async fn accept(&self, _: Event) -> Result<Accepted, Fault> {
        Err(Fault::LedgerFull)
    }
}

impl Leases for NoEngine {
    async fn lease(&self, _: &RepeatKeys, _: Duration) -> Result<Leased, Fault> {
        Err(Fault::LedgerFull)
    }

    async fn settle(&self, _: Lease, _: Settled) -> Result<(), Fault> {
        Err(Fault::LedgerFull)
    }
}
