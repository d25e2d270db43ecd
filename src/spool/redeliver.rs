//! What was delivered, once more: for a destination that lost it.
//!
//! An event that is kept is written again, under the same id, as one that waits for these destinations; nothing is
//! rewound, and the first delivery stays told as it was. So a redelivery takes room like any event, and is refused like
//! one where there is none.

use super::{
    Spool,
    act::{Act, By},
    commit::Command,
    format::{Draft, Entry},
    index::Place,
};
use crate::{event::Record, verdict::Fault};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// An event as [`view`](super::view::view) found it, and who shall have it again.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// Its id.
    pub id: String,
    /// Where its record lies.
    pub lies: Lies,
    /// Some of its destinations.
    pub to: Vec<String>,
}

/// Where a record lies.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Lies {
    /// The segment's number.
    pub segment: u64,
    /// From which byte.
    pub at: u64,
    /// How many.
    pub bytes: u32,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redelivered {
    /// How many events wait again; the others have gone since they were looked at.
    pub events: usize,
    /// Who wanted it.
    pub act: Act,
}

impl Spool {
    /// Has these events wait once more, and says so in the chain of acts, all in one write. `None` if all of them have gone
    /// since they were looked at.
    ///
    /// # Errors
    /// A [`Fault`] if there is no room, or they could not be written: then none of them waits.
    pub async fn redeliver(&self, chosen: &[Chosen], by: By<'_>) -> Result<Option<Redelivered>, Fault> {
        let records: Vec<_> = chosen.iter().filter_map(|chosen| self.chosen(chosen)).collect();
        let about = match records.as_slice() {
            [] => return Ok(None),
            [one] => one.id.clone(),
            [first, .., last] => format!("{} events from {} to {}", records.len(), first.id, last.id),
        };
        let entry = |record| Draft::of(Entry::Event { identity: 0, keys: Vec::new(), record });
        let events = records.len();
        let notes = records.into_iter().map(entry).collect::<Option<Vec<_>>>();
        let notes = notes.ok_or_else(|| Fault::Ledger("the event is too large".into()))?;
        let room = self.room(notes.iter().map(|note| note.len() as u64).sum()).await?;
        let (told, outcome) = oneshot::channel();
        let act = Act::new(self.shared.clock.now(), by, "redeliver", &about);
        self.send(Command::Act { act, notes, room: Some(room), told }).map_err(|(fault, _)| fault)?;
        let act = outcome.await.unwrap_or_else(|_| Err(Fault::Ledger("the writer ended".into())))?;
        Ok(Some(Redelivered { events, act }))
    }

    /// `None` if the record is not there any more, or another one is.
    fn chosen(&self, chosen: &Chosen) -> Option<Record> {
        let Lies { segment, at, bytes } = chosen.lies;
        let record = self.shared.read_at(Place { segment, at, bytes }).ok()?;
        let is_it =
            record.id == chosen.id && !chosen.to.is_empty() && chosen.to.iter().all(|to| record.to.contains(to));
        is_it.then(|| Record { to: chosen.to.clone(), ..record })
    }
}
