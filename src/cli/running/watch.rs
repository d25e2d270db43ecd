//! Has the policy changed, and has the change come to rest? Looks at what the files say, and not at events about them:
//! that is immune to how editors save, to git, to links that are swapped, and to file systems without events.

use crate::{
    cli::policy_files,
    clock::Timestamp,
    keys,
    policy::{Policy, Source},
};
use std::{hash::RandomState, path::PathBuf, sync::Arc, time::Duration};

/// A change is in force after once or twice this. Reading 200 routes and their 200 keys takes five milliseconds.
pub(super) const LOOK: Duration = Duration::from_secs(1);

/// What one look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// The texts, and why some of them cannot be read.
    pub(super) source: Arc<Source>,
    /// Compares equal while the secrets of the policy in force are the same.
    pub(super) mark: u64,
    /// The same of a policy that was refused for its secrets.
    pub(super) wanted: Option<u64>,
}

/// Where to look, and for what.
#[derive(Clone)]
pub(super) struct Look {
    pub(super) path: PathBuf,
    pub(super) env: Option<String>,
    pub(super) in_force: Arc<Policy>,
    pub(super) wanted: Option<Arc<Policy>>,
    /// Keys the marks.
    pub(super) by: Arc<RandomState>,
}

impl Look {
    /// Reads what is there now. Takes its time: not for a thread that serves.
    pub(super) fn see(&self, now: Timestamp) -> Seen {
        let mark = |policy: &Arc<Policy>| keys::mark(policy, &policy_files::environment, now, &self.by);
        Seen {
            mark: mark(&self.in_force),
            wanted: self.wanted.as_ref().map(mark),
            source: Arc::new(policy_files::read(&self.path, self.env.as_deref())),
        }
    }
}

/// Tells a change that has come to rest from one that is under way: a file that is half written, a checkout that has
/// come half-way, a link that is swapped between two files.
#[derive(Debug)]
pub(super) struct Settling<T> {
    /// What was loaded or refused last; seeing it again is no change.
    pub(super) tried: T,
    before: T,
}

impl<T: PartialEq + Clone> Settling<T> {
    pub(super) fn new(tried: T) -> Self {
        Self { before: tried.clone(), tried }
    }

    /// Whether this is something else than what was tried, and the same as at the look before.
    pub(super) fn rests(&mut self, now: &T) -> bool {
        let rests = *now == self.before && *now != self.tried;
        self.before.clone_from(now);
        rests
    }
}

impl Settling<Seen> {
    /// Another policy is in force, with secrets that it had before: only what changes from now on is a change.
    pub(super) fn goes_back(&mut self, now: &Seen) {
        self.tried.mark = now.mark;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn going_back_is_no_change_by_itself() {
        let seen = |mark| Seen { source: Arc::new(Source::one("gate.yaml", "")), mark, wanted: None };
        let mut settling = Settling::new(seen(1));
        settling.goes_back(&seen(2));
        assert!(!settling.rests(&seen(2)) && !settling.rests(&seen(2)));
        assert!(!settling.rests(&seen(3)) && settling.rests(&seen(3)));
    }

    /// What each look sees, and whether it is time to load; what is loaded counts as tried.
    fn loads(looks: &str) -> String {
        let mut settling = Settling::new('a');
        let mut loaded = String::new();
        for look in looks.chars() {
            if settling.rests(&look) {
                settling.tried = look;
                loaded.push(look);
            }
        }
        loaded
    }

    #[test]
    fn a_change_is_loaded_once_two_looks_agree() {
        assert_eq!(loads("aaaa"), "", "nothing has changed");
        assert_eq!(loads("ab"), "", "it may be half written");
        assert_eq!(loads("abbbb"), "b", "once");
        assert_eq!(loads("abcdee"), "e", "what came by on the way is not loaded");
    }

    #[test]
    fn what_comes_back_before_it_was_loaded_is_no_change() {
        assert_eq!(loads("abaa"), "");
        assert_eq!(loads("ababab"), "");
        assert_eq!(loads("abbaa"), "ba", "and after that it is");
    }
}
