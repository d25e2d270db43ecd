//! What keeps events: the embedded queue, or a broker where the policy says so.

use super::destinations::Anywhere;
use crate::{
    deliver::Direct,
    edge::Engine,
    event::Event,
    ledger::{Accepted, Known, Lease, Leased, Leases, Ledger, Settled},
    policy::Delivery,
    repeat::RepeatKeys,
    spool::Spool,
    verdict::Fault,
};
use std::time::Duration;

/// Both of them.
#[derive(Clone)]
pub(super) struct Ledgers {
    pub(super) spool: Spool,
    pub(super) direct: Direct<Anywhere>,
}

impl Engine for Ledgers {
    fn look(&self, keys: &RepeatKeys) -> Option<Known> {
        self.spool.look(keys)
    }

    fn ready(&self, delivery: &Delivery) -> Result<(), Fault> {
        match delivery {
            Delivery::Queue { .. } => self.spool.ready(),
            Delivery::Direct { to, .. } => self.direct.ready(to),
            Delivery::Relay => Ok(()),
        }
    }

    fn direct(&self) -> &impl Ledger {
        &self.direct
    }
}

impl Ledger for Ledgers {
    async fn accept(&self, event: Event) -> Result<Accepted, Fault> {
        self.spool.accept(event).await
    }
}

impl Leases for Ledgers {
    async fn lease(&self, keys: &RepeatKeys, hold: Duration) -> Result<Leased, Fault> {
        self.spool.lease(keys, hold).await
    }

    async fn settle(&self, lease: Lease, settled: Settled) -> Result<(), Fault> {
        Leases::settle(&self.spool, lease, settled).await
    }
}
