//! Many dead letters at once, put back or given up: after an outage of a destination there are thousands, and each by
//! itself would be an act that nobody reads.

use super::{
    Spool,
    act::{Act, By},
    format::{Entry, Settlement},
    index::{Open, Stand},
};
use crate::verdict::Fault;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What becomes of dead letters.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// They are due now.
    Retry,
    /// They are given up.
    Drop,
}

/// Dead letters, as [`view`](super::view::view) found them.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Letters {
    /// By what they were chosen, in words, for the act.
    pub by: String,
    /// Under which their events were accepted, by destination.
    pub of: BTreeMap<String, Vec<u64>>,
}

/// One act settles so many at most: they are one write, which everything that comes meanwhile waits for.
pub const LETTERS_MAX: usize = 10_000;

impl Fate {
    /// The verb of the act.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Drop => "drop",
        }
    }

    fn verdict(self, by: By<'_>) -> Settlement {
        match self {
            Self::Retry => Settlement::Reopened,
            Self::Drop => Settlement::Dropped(by.actor.to_owned()),
        }
    }
}

impl Letters {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.of.values().map(Vec::len).sum()
    }
}

impl Spool {
    /// Settles those of these that are dead letters still, and says so, in one write: how many there were, and the act. `None`
    /// if there are none any more.
    ///
    /// # Errors
    /// A [`Fault`] if there are more than [`LETTERS_MAX`], or they could not be written: then nothing has changed.
    pub async fn settle_letters(
        &self,
        fate: Fate,
        letters: &Letters,
        by: By<'_>,
    ) -> Result<Option<(usize, Act)>, Fault> {
        if letters.count() > LETTERS_MAX {
            return Err(Fault::Ledger(format!("one act is about {LETTERS_MAX} dead letters at most").into()));
        }
        let (at, now) = (self.shared.clock.now(), self.shared.clock.running());
        let mut entries = Vec::new();
        for (destination, events) in &letters.of {
            for event in events {
                let open = self.shared.index().open_for(*event, now);
                let is_it = |open: &Open| open.destination == *destination && matches!(open.stand, Stand::Dead);
                if open.iter().any(is_it) {
                    let (event, destination, verdict) = (*event, destination.clone(), fate.verdict(by));
                    entries.push(Entry::Settled { event, destination, verdict, at });
                }
            }
        }
        let count = entries.len();
        if count == 0 {
            return Ok(None);
        }
        let about = format!("{count} dead letter{}{}", if count == 1 { "" } else { "s" }, letters.told());
        let act = self.acted(entries, by, fate.verb(), &about).await?;
        Ok(Some((count, act)))
    }
}

impl Letters {
    fn told(&self) -> String {
        let by: String = self.by.chars().take(BY_MAX_CHARS).collect();
        if by.is_empty() { by } else { format!(" {by}") }
    }
}

/// Three names and two times.
const BY_MAX_CHARS: usize = 400;
