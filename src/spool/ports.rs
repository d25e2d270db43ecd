//! The two ports that the queue serves: the ledger, for events that are kept, and leases, for those that are passed on;
//! and its memory, for those that another keeps.

use super::{
    Spool,
    commit::Command,
    format::{Draft, Entry, Kept},
    memory::{Claimed, Hold},
    room::Promise,
    shared::Shared,
};
use crate::{
    event::Event,
    ledger::{Accepted, Known, Lease, Leased, Leases, Ledger, Settled, Success},
    repeat::{Remembered, RepeatKeys},
    verdict::Fault,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::oneshot;

impl Ledger for Spool {
    async fn accept(&self, event: Event) -> Result<Accepted, Fault> {
        self.shared.ready()?;
        let keys = *event.keys();
        let hold = match self.hold(&keys, None).await? {
            Ok(hold) => hold,
            Err(known) => return Ok(Accepted::Again(known)),
        };
        let mut giver = Giver { shared: &self.shared, hold: Some(hold) };
        let (told, outcome) = oneshot::channel();
        let id = event.record().id.clone();
        let entry = Entry::Event { identity: 0, keys: self.kept(&keys, None), record: event.into_record() };
        let event = Draft::of(entry).ok_or_else(too_large)?;
        let room = self.room(event.len() as u64).await?;
        let command = Command::Accept { id, event, hold: giver.hold.take(), room: Some(room), told };
        if let Err((fault, command)) = self.send(command) {
            if let Command::Accept { hold, .. } = command {
                giver.hold = hold;
            }
            return Err(fault);
        }
        let receipt = outcome.await.unwrap_or_else(|_| Err(Fault::Ledger("the writer ended".into())));
        receipt.map(Accepted::New)
    }
}

impl Leases for Spool {
    async fn lease(&self, keys: &RepeatKeys, hold: Duration) -> Result<Leased, Fault> {
        Ok(match self.hold(keys, Some(hold)).await? {
            Ok(hold) => Leased::Held(Lease { keys: hold.keys, fence: hold.fence }),
            Err(known) => Leased::Again(known),
        })
    }

    async fn settle(&self, lease: Lease, settled: Settled) -> Result<(), Fault> {
        let hold = Hold { keys: lease.keys, fence: lease.fence };
        if !self.shared.memory.holds(&hold.keys, hold.fence) {
            return Err(Fault::LeaseLost);
        }
        match settled {
            Settled::Released => {
                self.shared.memory.forget(&hold);
                Ok(())
            }
            Settled::Done(success) => {
                let seen =
                    Draft::of(Entry::Seen { keys: self.kept(&hold.keys, Some(success)) }).ok_or_else(too_large)?;
                let (told, outcome) = oneshot::channel();
                if let Err((fault, command)) = self.send(Command::Seen { seen, hold, told }) {
                    // WordPress did take it: remembered until the next crash is better than not at all.
                    if let Command::Seen { seen, hold, .. } = command {
                        self.shared.memory.keep(&hold, seen.what.keys());
                    }
                    return Err(fault);
                }
                outcome.await.unwrap_or_else(|_| Err(Fault::Ledger("the writer ended".into())))
            }
        }
    }
}

/// No policy allows a body of that size.
fn too_large() -> Fault {
    Fault::Ledger("the event is too large".into())
}

impl Spool {
    fn kept(&self, keys: &RepeatKeys, success: Option<Success>) -> Vec<Kept> {
        let now = self.shared.clock.now();
        let kept = |key: Remembered| Kept { key: key.key, until: now + key.remember, body: keys.body, success };
        keys.each().map(kept).collect()
    }

    /// What is settled goes before anything is refused; who is refused does not ask again until something has changed.
    pub(super) async fn room(&self, bytes: u64) -> Result<Promise, Fault> {
        loop {
            if let Some(promise) = Promise::of(&self.shared.room, bytes) {
                return Ok(promise);
            }
            self.shared.ready()?;
            let (told, made) = oneshot::channel();
            self.send(Command::MakeRoom { bytes, told }).map_err(|(fault, _)| fault)?;
            if !made.await.unwrap_or_default() {
                return Err(Fault::LedgerFull);
            }
        }
    }

    /// Waits until the keys are this caller's, or known.
    async fn hold(&self, keys: &RepeatKeys, lapse: Option<Duration>) -> Result<Result<Hold, Known>, Fault> {
        loop {
            match self.shared.memory.claim(keys, lapse, self.shared.clock.running()) {
                Claimed::Mine(hold) => return Ok(Ok(hold)),
                Claimed::Known(known) => return Ok(Err(known)),
                Claimed::Full => return Err(Fault::LedgerFull),
                // Closed when the other has come to an end: then one of those who wait is the next.
                Claimed::Busy(ended) => drop(ended.acquire().await),
            }
        }
    }
}

/// The keys of an event that another keeps, while that one is asked. Dropped, they are free for the next who comes.
#[expect(missing_debug_implementations, reason = "there is nothing to see")]
pub struct Elsewhere {
    shared: Arc<Shared>,
    hold: Option<Hold>,
    keys: Vec<Kept>,
}

impl Spool {
    /// Waits until the keys are this caller's, or known. What is known by them is known to this process alone, and to the
    /// next one only if it was queued or passed on.
    ///
    /// # Errors
    /// [`Fault::LedgerFull`] if as many keys are remembered as may be.
    pub async fn elsewhere(&self, keys: &RepeatKeys) -> Result<Result<Elsewhere, Known>, Fault> {
        let hold = self.hold(keys, None).await?;
        let shared = self.shared.clone();
        Ok(hold.map(|hold| Elsewhere { shared, hold: Some(hold), keys: self.kept(keys, None) }))
    }
}

impl Elsewhere {
    /// The other one has the event: its keys are remembered.
    pub fn kept(mut self) {
        if let Some(hold) = self.hold.take() {
            self.shared.memory.keep(&hold, &self.keys);
        }
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        if let Some(hold) = &self.hold {
            self.shared.memory.forget(hold);
        }
    }
}

/// Gives a claim back if its holder goes away before the writer has it.
struct Giver<'a> {
    shared: &'a Shared,
    hold: Option<Hold>,
}

impl Drop for Giver<'_> {
    fn drop(&mut self) {
        if let Some(hold) = &self.hold {
            self.shared.memory.forget(hold);
        }
    }
}
