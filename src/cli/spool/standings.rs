//! What a running gate says of its destinations, next to what the files say of events.

use crate::{
    control::socket::{Ask, ask},
    spool::view::State,
};
use serde_json::Value;
use std::{collections::BTreeMap, path::Path};

/// By name; unknown where no gate runs, or none that may be asked.
#[derive(Debug, Default)]
pub(super) struct Standings(Option<BTreeMap<String, String>>);

/// Its events are orphans: nobody will deliver them.
const REMOVED: &str = "removed";

impl Standings {
    /// Of the gate that holds this spool.
    pub(super) fn ask(folder: &Path) -> Self {
        let answer = ask(folder, &Ask::Destinations).ok().flatten();
        answer.as_ref().map(Self::read).unwrap_or_default()
    }

    /// Of what such a gate answered.
    pub(super) fn read(answer: &Value) -> Self {
        Self(read(answer))
    }

    /// `up`, `down`, `disabled`, or `removed` where the policy has it no more.
    pub(super) fn of(&self, destination: &str) -> Option<&str> {
        let known = self.0.as_ref()?;
        Some(known.get(destination).map_or(REMOVED, String::as_str))
    }

    /// Whether the policy of the gate that runs has it no more.
    pub(super) fn is_removed(&self, destination: &str) -> bool {
        self.of(destination) == Some(REMOVED)
    }

    /// Why an event that is not settled will not move, and what to do about it.
    pub(super) fn note(&self, destination: &str, state: State) -> Option<String> {
        match (self.of(destination)?, state) {
            (REMOVED, State::Pending | State::Dead) => {
                Some("the policy has no such destination: put it back, or `spool drop` the event".to_owned())
            }
            ("disabled", State::Pending) => {
                Some(format!("the destination answered 410; ask it again with `spool enable {destination}`"))
            }
            ("down", State::Pending) => Some("the destination is down".to_owned()),
            _ => None,
        }
    }
}

fn read(answer: &Value) -> Option<BTreeMap<String, String>> {
    let told = answer.get("destinations")?.as_object()?;
    told.iter().map(|(name, standing)| Some((name.clone(), standing.as_str()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_that_will_not_move_says_why() {
        let told = json!({ "ok": true, "destinations": { "crm": "disabled", "erp": "up", "erp2": "down" } });
        let standings = Standings::read(&told);
        assert!(standings.note("crm", State::Pending).unwrap().contains("spool enable crm"));
        assert!(standings.note("old", State::Dead).unwrap().contains("spool drop"));
        assert!(standings.note("erp2", State::Pending).is_some());
        let quiet =
            [("erp", State::Pending), ("crm", State::Delivered), ("old", State::Delivered), ("old", State::Dropped)];
        assert!(quiet.iter().all(|(destination, state)| standings.note(destination, *state).is_none()));
        assert_eq!(standings.of("old"), Some("removed"));
    }

    #[test]
    fn without_a_gate_nothing_is_said() {
        assert_eq!(Standings::default().of("crm"), None);
        assert!(read(&json!({ "ok": false, "error": "cannot read the request" })).is_none());
    }
}
