//! What became of the settled events of one segment? Nothing in memory says so any more: the log does, there and later.

use crate::{
    clock::Timestamp,
    spool::{
        format::{Settlement, Summary, What},
        read,
        shared::Shared,
    },
};
use std::{collections::HashMap, sync::Arc};

/// By event and destination, and when.
#[derive(Default)]
pub(super) struct Verdicts(HashMap<u64, HashMap<Arc<str>, (Settlement, Timestamp)>>);

impl Verdicts {
    /// `None` if a segment that may say something of it cannot be read.
    pub(super) fn on(shared: &Shared, number: u64) -> Option<Self> {
        let mut verdicts = Self::default();
        let numbers = shared.segments().numbers();
        let tells = |other: u64| other == number || shared.segments().settled_by(other).contains(&number);
        for other in numbers.iter().copied().filter(|other| tells(*other)) {
            let valid = read::valid_length(&shared.folder, other, &numbers);
            for Summary { what, .. } in read::summaries(&shared.folder, other, 0, valid).ok()?.summaries {
                verdicts.take(what);
            }
        }
        Some(verdicts)
    }

    fn take(&mut self, what: What) {
        if let What::Settled { event, destination, verdict, at } = what {
            match verdict {
                Settlement::Delivered | Settlement::Dropped(_) => {
                    self.0.entry(event).or_default().insert(destination, (verdict, at));
                }
                // An event that is settled did not end like this.
                Settlement::Dead(_) | Settlement::Reopened => {}
            }
        }
    }

    pub(super) fn of(&self, event: u64, destination: &str) -> Option<&(Settlement, Timestamp)> {
        self.0.get(&event)?.get(destination)
    }
}
