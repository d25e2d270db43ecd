//! What is done with events that are in the queue: taken, settled, tried again, given up.

use super::{
    Claim, Spool, Verdict,
    act::{Act, By},
    commit::Command,
    format::{self, Draft, Entry, Settlement},
    index::Stand,
};
use crate::verdict::Fault;
use std::time::Duration;
use tokio::sync::oneshot;

impl Spool {
    /// Up to `most` events that are due for this destination, oldest first; they are in flight from now on. None comes before an
    /// older one with the same order key has ended.
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
        let at = self.shared.clock.now();
        let verdict = match verdict {
            Verdict::Delivered => Settlement::Delivered,
            Verdict::Dead { attempts, reason } => return self.die(sequence, destination, (attempts, reason)).await,
            Verdict::Dropped(actor) => Settlement::Dropped(actor),
        };
        let destination = destination.to_owned();
        self.note(vec![Entry::Settled { event: sequence, destination, verdict, at }]).await
    }

    /// In one write with its last attempt, or whoever looks would find one less than there were.
    async fn die(&self, event: u64, destination: &str, (attempts, reason): (u32, String)) -> Result<(), Fault> {
        let (at, destination) = (self.shared.clock.now(), destination.to_owned());
        self.shared.index().failed(event, &destination, attempts, &reason);
        let tried = Entry::Tried { event, destination: destination.clone(), attempts, due: at, reason: reason.clone() };
        let dead = Entry::Settled { event, destination, verdict: Settlement::Dead(reason), at };
        self.note(if attempts > 0 { vec![tried, dead] } else { vec![dead] }).await
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

    /// Puts the dead letters of one event back, due now; the act that says so. `None` if it has none.
    ///
    /// # Errors
    /// A [`Fault`] if it could not be written.
    pub async fn retry(&self, event_id: &str, by: By<'_>) -> Result<Option<Act>, Fault> {
        self.act(event_id, by, "retry", |stand| match stand {
            Stand::Dead => Some(Settlement::Reopened),
            Stand::Due(_) => None,
        })
        .await
    }

    /// Gives up an event that waits or is dead; the act that says so. `None` if there is none.
    ///
    /// # Errors
    /// A [`Fault`] if it could not be written.
    pub async fn drop_event(&self, event_id: &str, by: By<'_>) -> Result<Option<Act>, Fault> {
        self.act(event_id, by, "drop", |_| Some(Settlement::Dropped(by.actor.to_owned()))).await
    }

    /// Writes down what an operator did that is not about an event.
    ///
    /// # Errors
    /// A [`Fault`] if it could not be written.
    pub async fn record_act(&self, by: By<'_>, what: &str, about: &str) -> Result<Act, Fault> {
        self.acted(Vec::new(), by, what, about).await
    }

    async fn act(
        &self,
        event_id: &str,
        by: By<'_>,
        what: &str,
        verdict: impl Fn(Stand) -> Option<Settlement>,
    ) -> Result<Option<Act>, Fault> {
        let tagged = self.shared.index().tagged(format::tag(event_id));
        let named = |event: &u64| self.shared.read(*event).is_ok_and(|record| record.id == event_id);
        let at = self.shared.clock.now();
        let mut entries = Vec::new();
        // One that was redelivered to some while it is dead for another is there twice.
        for event in tagged.into_iter().filter(named) {
            let open = self.shared.index().open_for(event, self.shared.clock.running());
            entries.extend(open.into_iter().filter_map(|open| {
                Some(Entry::Settled { event, destination: open.destination, verdict: verdict(open.stand)?, at })
            }));
        }
        if entries.is_empty() {
            return Ok(None);
        }
        self.acted(entries, by, what, event_id).await.map(Some)
    }

    /// What an act does and the act itself, in one write: neither is ever there without the other.
    pub(super) async fn acted(&self, entries: Vec<Entry>, by: By<'_>, what: &str, about: &str) -> Result<Act, Fault> {
        let (told, outcome) = oneshot::channel();
        let act = Act::new(self.shared.clock.now(), by, what, about);
        self.send(Command::Act { act, notes: drafts(entries)?, room: None, told }).map_err(|(fault, _)| fault)?;
        outcome.await.unwrap_or_else(|_| Err(Fault::Ledger("the writer ended".into())))
    }

    async fn note(&self, entries: Vec<Entry>) -> Result<(), Fault> {
        let (told, outcome) = oneshot::channel();
        let notes = drafts(entries)?;
        self.send(Command::Note { notes, told: Some(told) }).map_err(|(fault, _)| fault)?;
        outcome.await.unwrap_or_else(|_| Err(Fault::Ledger("the writer ended".into())))
    }
}

fn drafts(entries: Vec<Entry>) -> Result<Vec<Draft>, Fault> {
    let drafts = entries.into_iter().map(Draft::of).collect::<Option<_>>();
    drafts.ok_or_else(|| Fault::Ledger("the note is too large".into()))
}
