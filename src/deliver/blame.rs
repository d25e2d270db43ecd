//! Whose failure was it? One answer alone does not tell: a 500 is about one event while others pass, and about the
//! destination when nothing does; a call without an answer is an outage, or one event that hangs the plugin. Pure.

use crate::destination::Retry;
use std::{collections::BTreeMap, time::Duration};

/// What follows from a failure. `after` is what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blamed {
    /// It is left alone for a while, and the event waits as it was.
    Destination { after: Option<Duration> },
    /// It has one attempt less; `refused`, there are few.
    Event { after: Option<Duration>, refused: bool },
    /// Nothing more, until an operator says so.
    Disabled,
}

/// So many different events that failed with nothing passing between them are no coincidence: it is the destination.
const EVENTS_IN_A_ROW: usize = 3;
/// So many unanswered events are kept in mind; the oldest are forgotten first, which costs them one more call.
const SUSPECTS_MAX: usize = 1024;

/// What was seen of one destination.
#[derive(Debug, Default)]
pub(super) struct Blame {
    /// How many events have passed.
    passed: u64,
    /// Those that failed since the last one passed.
    in_a_row: Vec<u64>,
    /// Events without an answer, with how many others had passed then.
    suspects: BTreeMap<u64, u64>,
}

impl Blame {
    /// This event was confirmed.
    pub(super) fn passed(&mut self, event: u64) {
        self.passed += 1;
        self.in_a_row.clear();
        self.suspects.remove(&event);
    }

    /// Decides what follows.
    pub(super) fn of(&mut self, event: u64, retry: Retry) -> Blamed {
        match retry {
            Retry::Event { after } if self.nothing_passes(event) => Blamed::Destination { after },
            Retry::Event { after } => Blamed::Event { after, refused: false },
            Retry::Unknown if self.others_passed(event) => Blamed::Event { after: None, refused: false },
            Retry::Unknown => Blamed::Destination { after: None },
            Retry::Destination { after } => Blamed::Destination { after },
            Retry::Refused => Blamed::Event { after: None, refused: true },
            Retry::Disabled => Blamed::Disabled,
        }
    }

    /// Notes that this event failed.
    fn nothing_passes(&mut self, event: u64) -> bool {
        if !self.in_a_row.contains(&event) && self.in_a_row.len() < EVENTS_IN_A_ROW {
            self.in_a_row.push(event);
        }
        self.in_a_row.len() >= EVENTS_IN_A_ROW
    }

    /// Since this event was without an answer before. Notes that it is again.
    fn others_passed(&mut self, event: u64) -> bool {
        let then = self.suspects.insert(event, self.passed);
        if self.suspects.len() > SUSPECTS_MAX {
            self.suspects.pop_first();
        }
        then.is_some_and(|then| self.passed > then)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: Retry = Retry::Event { after: None };
    const EVENT: Blamed = Blamed::Event { after: None, refused: false };
    const DESTINATION: Blamed = Blamed::Destination { after: None };

    #[test]
    fn an_event_that_fails_while_others_pass_is_to_blame() {
        let mut blame = Blame::default();
        for other in 10..20 {
            assert_eq!(blame.of(1, FAILED), EVENT);
            assert_eq!(blame.of(2, FAILED), EVENT);
            blame.passed(other);
        }
    }

    #[test]
    fn one_event_that_is_alone_is_to_blame_as_well() {
        let mut blame = Blame::default();
        assert!((0..100).all(|_| blame.of(1, FAILED) == EVENT));
    }

    #[test]
    fn when_nothing_passes_it_is_the_destination_until_something_does() {
        let mut blame = Blame::default();
        assert_eq!(
            [1, 2, 3, 4, 1].map(|event| blame.of(event, FAILED)),
            [EVENT, EVENT, DESTINATION, DESTINATION, DESTINATION]
        );
        blame.passed(5);
        assert_eq!(blame.of(6, FAILED), EVENT);
    }

    #[test]
    fn an_event_without_an_answer_is_to_blame_once_others_had_one() {
        let mut blame = Blame::default();
        assert_eq!([1, 2, 1].map(|event| blame.of(event, Retry::Unknown)), [DESTINATION; 3], "an outage");
        blame.passed(2);
        assert_eq!(blame.of(1, Retry::Unknown), EVENT);
        assert_eq!(blame.of(1, Retry::Unknown), DESTINATION, "nothing has passed since");
    }

    #[test]
    fn a_long_outage_does_not_fill_the_memory() {
        let mut blame = Blame::default();
        for event in 0..10_000 {
            blame.of(event, Retry::Unknown);
            blame.of(event, FAILED);
        }
        assert_eq!((blame.suspects.len(), blame.in_a_row.len()), (SUSPECTS_MAX, EVENTS_IN_A_ROW));
    }
}
