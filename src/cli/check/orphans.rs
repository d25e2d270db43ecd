//! Events in the spool that nobody will deliver. No reason to refuse a policy: they stay where they are.

use super::Told;
use crate::{
    cli::{counted, running::ORPHANS},
    policy::{Policy, Severity},
    spool::view::{State, view},
};
use std::{collections::BTreeMap, io};

/// What there is to say about the policy's spool, which is read whole.
pub(super) fn look(policy: &Policy) -> Vec<Told> {
    let told = |message| Told { severity: Severity::Warning, message };
    let folder = &policy.settings.spool.folder;
    let view = match view(folder, &mut |_, _| ()) {
        Ok(view) => view,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(), // nothing was ever kept there
        Err(error) => return vec![told(format!("cannot read the spool `{}`: {error}", folder.display()))],
    };
    let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
    for (destination, state) in view.events.iter().flat_map(|event| &event.states) {
        let known = policy.destinations.iter().any(|known| known.name == *destination);
        if !known && matches!(state.state, State::Pending | State::Dead) {
            *waiting.entry(destination).or_default() += 1;
        }
    }
    waiting.into_iter().map(|(destination, count)| told(message(destination, count))).collect()
}

fn message(destination: &str, count: usize) -> String {
    let wait = if count == 1 { "waits" } else { "wait" };
    format!(
        "in the spool {} {wait} for `{destination}`, which is not in the policy: {ORPHANS}",
        counted(count as u64, "event")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::SystemClock,
        contract::event,
        ledger::Ledger as _,
        spool::{Settings, Spool},
    };
    use std::sync::Arc;

    #[tokio::test]
    async fn events_of_a_destination_that_is_gone_are_told_and_a_missing_spool_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut policy = Policy::pass_through(([127, 0, 0, 1], 0).into(), "http://127.0.0.1:1");
        policy.settings.spool.folder = folder.path().join("spool");
        assert!(look(&policy).is_empty());
        let settings = Settings { folder: policy.settings.spool.folder.clone(), bytes: 64 << 20, free: 0 };
        let (spool, _) = Spool::open(settings, Arc::new(SystemClock)).unwrap();
        for name in ["a", "b"] {
            assert!(spool.accept(event(name)).await.is_ok());
        }
        let told: Vec<_> = look(&policy).into_iter().map(|told| told.message).collect();
        assert_eq!(
            told,
            [format!("in the spool 2 events wait for `wordpress`, which is not in the policy: {ORPHANS}")]
        );
    }
}
