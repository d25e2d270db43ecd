//! What is each destination doing, and may it be asked again? Told by its forwarder, read and turned by an operator.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Notify, watch};

/// What a destination is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// It takes events, as far as anybody knows.
    #[default]
    Up,
    /// It fails: it is probed with one event now and then.
    Down,
    /// It answered 410: it is not asked until an operator says so, or the gate starts anew.
    Disabled,
}

impl Standing {
    /// Stable name for logs and tools.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Disabled => "disabled",
        }
    }
}

/// One switch for each destination that has a forwarder. Cheap to clone; clones are the same switches.
#[derive(Clone, Debug, Default)]
pub struct Switches(Arc<Mutex<BTreeMap<String, Arc<Switch>>>>);

/// Between a forwarder and whoever wants to know.
#[derive(Debug, Default)]
pub(super) struct Switch {
    standing: watch::Sender<Standing>,
    turned_on: Notify,
}

/// What became of the wish to enable a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enabled {
    /// It is asked again.
    Done,
    /// It was not disabled.
    WasNot,
    /// The policy has no such destination.
    Unknown,
}

impl Switches {
    /// What each destination is doing, by name.
    pub fn standings(&self) -> Vec<(String, Standing)> {
        self.named().iter().map(|(name, switch)| (name.clone(), *switch.standing.borrow())).collect()
    }

    /// A destination that said 410 is asked again.
    pub fn enable(&self, destination: &str) -> Enabled {
        let Some(switch) = self.named().get(destination).cloned() else { return Enabled::Unknown };
        if !switch.moves(Standing::Disabled, Standing::Up) {
            return Enabled::WasNot;
        }
        switch.turned_on.notify_one();
        Enabled::Done
    }

    /// For a new forwarder.
    pub(super) fn add(&self, destination: &str) -> Arc<Switch> {
        let switch = Arc::new(Switch::default());
        self.named().insert(destination.to_owned(), switch.clone());
        switch
    }

    pub(super) fn remove(&self, destination: &str) {
        self.named().remove(destination);
    }

    fn named(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Switch>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Switch {
    fn moves(&self, from: Standing, to: Standing) -> bool {
        self.standing.send_if_modified(|standing| {
            let is_from = *standing == from;
            if is_from {
                *standing = to;
            }
            is_from
        })
    }

    /// True if that is news.
    pub(super) fn stands(&self, now: Standing) -> bool {
        self.standing.send_replace(now) != now
    }

    /// Ends when an operator has turned it on.
    pub(super) async fn turned_on(&self) {
        self.turned_on.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_disabled_can_be_enabled_and_once() {
        let switches = Switches::default();
        let switch = switches.add("crm");
        assert_eq!(switches.enable("crm"), Enabled::WasNot);
        assert!(switch.stands(Standing::Disabled));
        assert!(!switch.stands(Standing::Disabled), "no news");
        assert_eq!(switches.standings(), [("crm".to_owned(), Standing::Disabled)]);
        assert_eq!([switches.enable("crm"), switches.enable("crm")], [Enabled::Done, Enabled::WasNot]);
        switches.remove("crm");
        assert_eq!(switches.enable("crm"), Enabled::Unknown);
    }
}
