//! Who did what to the queue? Every act names the digest of the one before it, so that rewriting one shows in all that
//! follow. Acts stay for as long as the log does: when their segment goes, they are written again at its head.
//!
//! Whoever may write the folder may write a whole chain anew. What holds against that one is a digest that lies elsewhere:
//! the gate's own log line of each act has it.

use super::{
    act::{Act, Digest},
    format::Writer,
};
use sha2::{Digest as _, Sha256};
use std::{cmp::Ordering, fmt};

impl Act {
    /// Of every byte that is written of it.
    pub fn digest(&self) -> Digest {
        let mut writer = Writer::default();
        writer.act(self);
        Digest(Sha256::digest(writer.bytes()).into())
    }
}

/// The end of the chain: what the next act has to name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct End {
    pub(super) number: u64,
    pub(super) digest: Digest,
}

impl End {
    /// The chain ends with this act.
    pub(super) fn of(act: &Act) -> Self {
        Self { number: act.number, digest: act.digest() }
    }

    /// Puts an act behind the last one.
    pub(super) fn extend(&mut self, act: &mut Act) {
        (act.number, act.before) = (self.number.saturating_add(1), self.digest);
        *self = Self::of(act);
    }
}

/// Where a chain of acts does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// These are not there, first and last.
    Missing(u64, u64),
    /// This one names another act before it than the one that is there: one of the two was changed.
    Changed(u64),
    /// Two that differ have this number.
    Twice(u64),
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(first, last) if first == last => write!(f, "act {first} is missing"),
            Self::Missing(first, last) => write!(f, "acts {first} to {last} are missing"),
            Self::Changed(number) => {
                write!(f, "act {number} does not name act {} as it stands: one of the two was changed", number - 1)
            }
            Self::Twice(number) => write!(f, "two acts have the number {number}"),
        }
    }
}

/// Puts acts into the order of their chain, each once, and says where the chain is broken. That the last ones were cut off
/// cannot be seen here: compare the last digest with the gate's log.
pub(super) fn check(acts: &mut Vec<Act>) -> Vec<Break> {
    acts.sort_by_key(|act| act.number);
    // One that was carried forward stands twice if the process was killed before the first went.
    acts.dedup();
    let (mut breaks, mut end) = (Vec::new(), End::default());
    for act in acts.iter() {
        match act.number.cmp(&end.number.saturating_add(1)) {
            Ordering::Less => breaks.push(Break::Twice(act.number)),
            Ordering::Greater => breaks.push(Break::Missing(end.number + 1, act.number - 1)),
            Ordering::Equal if act.before != end.digest => breaks.push(Break::Changed(act.number)),
            Ordering::Equal => {}
        }
        end = End::of(act);
    }
    breaks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Timestamp, spool::act::By};

    fn acts(count: u64) -> Vec<Act> {
        let (mut acts, mut end) = (Vec::new(), End::default());
        for _ in 0..count {
            let by = By { actor: "alice", reason: "restored a backup" };
            let mut act = Act::new(Timestamp::from_unix_s(1_760_000_000), by, "drop", "evt_1");
            end.extend(&mut act);
            acts.push(act);
        }
        acts
    }

    #[test]
    fn a_chain_holds_in_any_order_and_with_copies() {
        let mut found = acts(4);
        found.push(found[1].clone());
        found.reverse();
        assert_eq!(check(&mut found), []);
        assert_eq!(found, acts(4), "in its order, each once");
    }

    #[test]
    fn every_change_of_an_act_shows_in_the_next_one() {
        let changes: [fn(&mut Act); 5] = [
            |act| act.actor = "bob".into(),
            |act| act.what = "retry".into(),
            |act| act.about = "evt_2".into(),
            |act| act.reason.clear(),
            |act| act.at = Timestamp::from_unix_s(1),
        ];
        for change in changes {
            let mut found = acts(3);
            change(&mut found[1]);
            assert_eq!(check(&mut found), [Break::Changed(3)]);
        }
    }

    #[test]
    fn an_act_that_was_taken_out_put_in_or_moved_is_told() {
        let mut found = acts(6);
        found.drain(1..3);
        assert_eq!(check(&mut found), [Break::Missing(2, 3)]);
        found.remove(0);
        assert_eq!(check(&mut found), [Break::Missing(1, 3)], "also the first ones");
        let mut found = acts(3);
        found.push(Act { actor: "bob".into(), ..found[1].clone() });
        assert!(check(&mut found).contains(&Break::Twice(2)));
        let mut found = acts(3);
        found[0].before = Digest([1; 32]);
        assert_eq!(check(&mut found)[0], Break::Changed(1));
    }

    #[test]
    fn an_empty_chain_holds() {
        assert_eq!(check(&mut Vec::new()), []);
    }
}
