//! Has the policy changed, and has the change come to rest? Looks at what the files say, and not at events about them:
//! that is immune to how editors save, to git, to links that are swapped, and to file systems without events.

use crate::{
    cli::policy_files,
    clock::Timestamp,
    keys,
    policy::{Policy, Source},
};
use std::{
    hash::RandomState,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// How often it is looked. Reading 200 routes and their 200 keys takes five milliseconds.
pub(super) const LOOK: Duration = Duration::from_secs(1);

/// What was written more recently may be half of what is to come: a copy over a slow line or an editor that writes in
/// place is a valid policy at many a moment. No file can tell a writer that pauses from one that has ended; three seconds
/// are longer than such pauses, and a person waits for them without a second thought. Who cannot rely on that renames the
/// whole file into its place.
pub(super) const SETTLE: Duration = Duration::from_secs(3);

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
    /// Reads what is there now, and tells whether any of it was written just now. Takes its time: not for a thread that
    /// serves.
    pub(super) fn see(&self, now: Timestamp) -> (Seen, bool) {
        let (source, written) = policy_files::read_dated(&self.path, self.env.as_deref());
        let mark = |policy: &Arc<Policy>| keys::mark(policy, &policy_files::environment, now, &self.by);
        let (mark, wanted) = (mark(&self.in_force), self.wanted.as_ref().map(mark));
        (Seen { mark, wanted, source: Arc::new(source) }, written.is_some_and(|written| is_fresh(written, now)))
    }
}

/// Of a file from a machine whose clock is far ahead nobody can say when it was written.
fn is_fresh(written: SystemTime, now: Timestamp) -> bool {
    let written = written.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    let away = i128::from(now.unix_ms()).abs_diff(i128::try_from(written).unwrap_or(i128::MAX));
    away < SETTLE.as_millis()
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

    /// Whether this is something else than what was tried, the same as at the look before, and not written just now.
    pub(super) fn rests(&mut self, now: &T, is_fresh: bool) -> bool {
        let rests = *now == self.before && *now != self.tried && !is_fresh;
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
        assert!(!settling.rests(&seen(2), false) && !settling.rests(&seen(2), false));
        assert!(!settling.rests(&seen(3), false) && settling.rests(&seen(3), false));
    }

    /// What each look sees, in capitals what was written just now, and whether it is time to load; what is loaded counts
    /// as tried.
    fn loads(looks: &str) -> String {
        let mut settling = Settling::new('a');
        let mut loaded = String::new();
        for look in looks.chars() {
            let (is_fresh, look) = (look.is_ascii_uppercase(), look.to_ascii_lowercase());
            if settling.rests(&look, is_fresh) {
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
    fn what_was_written_just_now_may_be_half_of_it() {
        assert_eq!(loads("aBBBCCc"), "c", "a writer that pauses for two looks");
        assert_eq!(loads("aBBBbbb"), "b", "once it is left alone");
    }

    #[test]
    fn a_look_tells_of_a_file_that_was_written_just_now() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.yaml");
        std::fs::write(&path, "routes: {}").unwrap();
        std::fs::create_dir(folder.path().join("routes")).unwrap();
        std::fs::write(folder.path().join("routes/a.yaml"), "routes: {}").unwrap();
        let date = |name: &str, seconds: u64| {
            let file = std::fs::File::options().write(true).open(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        };
        let in_force = Arc::new(Policy::pass_through(([127, 0, 0, 1], 0).into(), "http://127.0.0.1"));
        let look = Look { path: folder.path().into(), env: None, in_force, wanted: None, by: Arc::default() };
        let is_fresh = |now: i64| look.see(Timestamp::from_unix_s(now)).1;
        date("gate.yaml", 1_000);
        date("routes/a.yaml", 2_000);
        assert!(is_fresh(2_000) && is_fresh(2_002) && !is_fresh(2_003), "by the latest of its files");
        assert!(is_fresh(1_999), "the two clocks need not be one");
        assert!(!is_fresh(1_000), "of a clock that is far ahead nothing is known");
    }

    #[test]
    fn what_comes_back_before_it_was_loaded_is_no_change() {
        assert_eq!(loads("abaa"), "");
        assert_eq!(loads("ababab"), "");
        assert_eq!(loads("abbaa"), "ba", "and after that it is");
    }
}
