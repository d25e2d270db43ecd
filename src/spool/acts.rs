//! What is done with events that are in the queue: taken, settled, tried again, given up.

use super::{
    Claim, Spool, Verdict,
    commit::Command,
    format::{self, Draft, Entry, Settlement},
    index::Stand,
};
use crate::verdict::Fault;
use std::time::Duration;
use tokio::sync::oneshot;

impl Spool {
    /// Up to `most` events that are due for this destination, oldest first; they are in flight from now on.
    pub fn claim(&self, destination: &str, most: usize) -> Vec<Claim> {
        self.shared.index().claim(destination, most, self.shared.clock.running())
    }

    /// How long until the next event for this destination is due; `None` if nothing waits.
    pub fn next_due(&self, destination: &str) -> Option<Duration> {
        self.shared.index().next_due(destination, self.shared.clock.running())
    }

    /// Ends when something is committed after the call, whether or not it is awaited yet: an event accepted, settled or
    /// reopened. So call it, look at what is due, and then wait.
    pub fn changed(&self) -> impl Future<Output = ()> + Send + '_ {
        self.shared.changed.notified()
    }

    /// Ends an event for one destination; returns when that is written and synced.
    ///
    /// # Errors
    /// A [`Fault`] if it could not be written: after a crash the event is sent again.
    pub async fn settle(&self, sequence: u64, destination: &str, verdict: Verdict) -> Result<(), Fault> {
        let verdict = match verdict {
            Verdict::Delivered => Settlement::Delivered,
            Verdict::Dead(reason) => Settlement::Dead(reason),
            Verdict::Dropped(actor) => Settlement::Dropped(actor),
        };
        self.note(vec![Entry::Settled { event: sequence, destination: destination.to_owned(), verdict }]).await
    }

    /// The event failed by its own fault: due again after `wait`, with one attempt more.
    pub fn tried(&self, claim: Claim, destination: &str, wait: Duration, reason: &str) {
        let attempts = claim.attempts.saturating_add(1);
        let at = self.shared.clock.running() + wait;
        self.shared.index().due_again(claim.sequence, destination, attempts, reason, at);
        let due = self.shared.clock.now() + wait;
        let (event, destination, reason) = (claim.sequence, destination.to_owned(), reason.to_owned());
        let note = Draft::of(Entry::Tried { event, destination, attempts, due, reason });
        // What is lost of it costs one attempt more after a crash, and nothing else.
        let _ = self.commands.try_send(Command::Note { notes: note.into_iter().collect(), told: None });
    }

    /// The destination failed: back as it was, due now.
    pub fn release(&self, claim: Claim, destination: &str) {
        self.shared.index().release(claim.sequence, destination, self.shared.clock.running());
    }

    /// Puts the dead letters of one event back, due now. False if it has none.
    ///
    /// # Errors
    /// A [`Fault`] if it could not be written.
    pub async fn retry(&self, event_id: &str, actor: &str) -> Result<bool, Fault> {
        self.act(event_id, actor, "retry", |stand| match stand {
            Stand::Dead => Some(Settlement::Reopened),
            Stand::Due(_) => None,
        })
        .await
    }

    /// Gives up an event that waits or is dead. False if there is none.
    ///
    /// # Errors
    /// A [`Fault`] if it could not be written.
    pub async fn drop_event(&self, event_id: &str, actor: &str) -> Result<bool, Fault> {
        self.act(event_id, actor, "drop", |_| Some(Settlement::Dropped(actor.to_owned()))).await
    }

    /// Writes down what an operator did that is not about an event.
    ///
    /// # Errors
    /// A [`Fault`] if it could not be written.
    pub async fn record_act(&self, actor: &str, what: &str, about: &str) -> Result<(), Fault> {
        let (actor, what, event) = (actor.to_owned(), what.to_owned(), about.to_owned());
        self.note(vec![Entry::Act { at: self.shared.clock.now(), actor, what, event }]).await
    }

    async fn act(
        &self,
        event_id: &str,
        actor: &str,
        what: &str,
        verdict: impl Fn(Stand) -> Option<Settlement>,
    ) -> Result<bool, Fault> {
        let tagged = self.shared.index().tagged(format::tag(event_id));
        let named = |event: &u64| self.shared.read(*event).is_ok_and(|record| record.id == event_id);
        let Some(event) = tagged.into_iter().find(named) else { return Ok(false) };
        let open = self.shared.index().open_for(event, self.shared.clock.running());
        let settled = open.into_iter().filter_map(|open| {
            Some(Entry::Settled { event, destination: open.destination, verdict: verdict(open.stand)? })
        });
        let mut entries: Vec<_> = settled.collect();
        if entries.is_empty() {
            return Ok(false);
        }
        let (actor, what, id) = (actor.to_owned(), what.to_owned(), event_id.to_owned());
        entries.push(Entry::Act { at: self.shared.clock.now(), actor, what, event: id });
        self.note(entries).await.map(|()| true)
    }

    async fn note(&self, entries: Vec<Entry>) -> Result<(), Fault> {
        let (told, outcome) = oneshot::channel();
        let notes = entries.into_iter().map(Draft::of).collect::<Option<_>>();
        let notes = notes.ok_or_else(|| Fault::Ledger("the note is too large".into()))?;
        self.send(Command::Note { notes, told: Some(told) }).map_err(|(fault, _)| fault)?;
        outcome.await.unwrap_or_else(|_| Err(Fault::Ledger("the writer ended".into())))
    }
}
