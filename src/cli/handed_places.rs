//! Who could put a key of theirs in the place of one that a sender handed over? Whoever rules any folder above its file, and
//! not only the last one: they rename what lies in it, and put another there.
//!
//! Looked at as OpenSSH looks at `~/.ssh` (`StrictModes`), with two differences. A folder where everybody may write and
//! nobody may touch what is another's (`/tmp`, the sticky bit) is let pass above, though not as the folder of the file: what
//! lies in it is looked at too, and belongs to this account or to root. And so is one that a group may write to in which
//! there is nobody else: volumes of Kubernetes (`fsGroup`) and home folders of some distributions are made so.

use crate::{
    json::escape,
    policy::{self, Policy, Reference, Report, Severity, Source},
};
use nix::unistd::{Gid, Group, Uid, User, geteuid};
use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// What is to be said of each such file, where the policy names it. Whoever looks as root and is not the gate does not know
/// as whom that runs: as the owner of what is there, then.
pub(super) fn look(source: &Source, policy: &Policy, is_gate: bool) -> Report {
    let mut told = BTreeSet::new();
    for reference in &policy.keys {
        let list = reference.name.split('/').next().unwrap_or_default();
        for (index, entry) in reference.entries.iter().enumerate() {
            let Reference::Handed(path) = &entry.from else { continue };
            if let Err(why) = look_at(path, is_gate) {
                told.insert((format!("/keys/{}/{index}/from", escape(list)), why));
            }
        }
    }
    let found = told.into_iter().map(|(place, why)| (Some(place), Severity::Error, why));
    policy::found_all(source, found)
}

/// Whether a key may be kept in this file by the gate that runs.
///
/// # Errors
/// Why not, and what to do about it.
pub(super) fn look_at(file: &Path, is_gate: bool) -> Result<(), String> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    let cannot = |at: &Path, why: &io::Error| format!("cannot look at `{}`: {why}", at.display());
    // What is not there yet is made by the gate, for itself alone.
    let there = folder.ancestors().find(|at| at.symlink_metadata().is_ok()).unwrap_or(Path::new("/"));
    let there = std::path::absolute(there).map_err(|why| cannot(there, &why))?;
    let folder = std::path::absolute(folder).map_err(|why| cannot(folder, &why))?;
    let (ways, whole) = ways(&there).map_err(|why| cannot(&there, &why))?;
    let own = match geteuid() {
        own if own.is_root() && !is_gate => Uid::from_raw(whole.metadata().map_err(|why| cannot(&there, &why))?.uid()),
        own => own,
    };
    for at in ways {
        let of = at.symlink_metadata().map_err(|why| cannot(&at, &why))?;
        let seen = Seen {
            owner: of.uid(),
            mode: of.mode() & 0o7777,
            is_link: of.is_symlink(),
            is_last: at == folder || at == whole && there == folder,
            is_shared: of.mode() & 0o020 != 0 && is_shared(Gid::from_raw(of.gid()), own),
        };
        if let Some(why) = seen.why(own.as_raw()) {
            let (at, file) = (at.display(), file.display());
            return Err(format!("no key is safe in `{file}`: {}", why.replace("{}", &at.to_string())));
        }
    }
    Ok(())
}

/// As many as the system follows.
const LINKS_MAX: usize = 40;

/// Every folder and link on the way to this place, also those to which links lead; and where it ends.
fn ways(place: &Path) -> io::Result<(BTreeSet<PathBuf>, PathBuf)> {
    let parts = |path: &Path| path.components().map(|part| part.as_os_str().to_owned()).collect::<Vec<_>>();
    let mut left = parts(place);
    left.reverse();
    let (mut found, mut at, mut links) = (BTreeSet::new(), PathBuf::from("/"), 0);
    while let Some(part) = left.pop() {
        let next = match part.as_encoded_bytes() {
            b"/" => PathBuf::from("/"),
            b"." => continue,
            b".." => at.parent().unwrap_or(Path::new("/")).to_owned(),
            _ => at.join(&part),
        };
        found.insert(next.clone());
        if next.symlink_metadata()?.is_symlink() {
            links += 1;
            if links > LINKS_MAX {
                return Err(io::Error::other("too many links"));
            }
            let mut target = parts(&fs::read_link(&next)?);
            target.reverse();
            left.extend(target);
        } else {
            at = next;
        }
    }
    Ok((found, at))
}

/// What matters of one folder, or link, on the way.
#[derive(Clone, Copy)]
struct Seen {
    owner: u32,
    mode: u32,
    is_link: bool,
    /// The file lies in it.
    is_last: bool,
    /// Its group may write to it, and somebody else is in that.
    is_shared: bool,
}

impl Seen {
    fn why(self, own: u32) -> Option<String> {
        let Self { owner, mode, is_link, is_last, is_shared } = self;
        if owner != own && owner != 0 {
            return Some(format!("`{{}}` belongs to another account (uid {owner}); run `chown {own} {{}}`"));
        }
        let is_sticky = mode & 0o1000 != 0 && !is_last;
        // In the last one nobody writes but the gate: that is what it asks again when it keeps a key.
        let is_open = mode & 0o002 != 0 || is_shared || is_last && mode & 0o020 != 0;
        (!is_link && is_open && !is_sticky)
            .then(|| format!("others may write to `{{}}` (mode {mode:04o}); run `chmod go-w {{}}`"))
    }
}

/// Whether somebody is in this group who is neither this account nor root. One that nobody can ask about is.
fn is_shared(group: Gid, own: Uid) -> bool {
    let is_other = |id: u32| id != own.as_raw() && id != 0;
    let member = |name: &String| User::from_name(name).ok().flatten().is_none_or(|user| is_other(user.uid.as_raw()));
    match Group::from_gid(group) {
        Ok(Some(group)) if group.mem.iter().any(member) => return true,
        Ok(Some(_) | None) => {}
        Err(_) => return true,
    }
    match fs::read_to_string("/etc/passwd") {
        Ok(accounts) => accounts.lines().any(|line| {
            let mut numbers = line.split(':').skip(2).map(|number| number.parse::<u32>().ok());
            let (account, its) = (numbers.next().flatten(), numbers.next().flatten());
            its == Some(group.as_raw()) && account.is_none_or(is_other)
        }),
        // An image that has nothing in it but the gate.
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    const PRIVATE: Seen = Seen { owner: 1000, mode: 0o700, is_link: false, is_last: false, is_shared: false };

    #[test]
    fn whoever_rules_a_folder_above_is_told_with_the_way_out() {
        for good in [
            PRIVATE,
            Seen { owner: 0, mode: 0o755, ..PRIVATE },
            Seen { owner: 0, mode: 0o1777, ..PRIVATE },
            Seen { mode: 0o775, ..PRIVATE },
            Seen { owner: 0, mode: 0o777, is_link: true, ..PRIVATE },
        ] {
            assert_eq!(good.why(1000), None, "{:o}", good.mode);
        }
        for (bad, way_out) in [
            (Seen { owner: 1001, ..PRIVATE }, "`chown 1000 {}`"),
            (Seen { owner: 1001, is_link: true, ..PRIVATE }, "`chown 1000 {}`"),
            (Seen { mode: 0o777, ..PRIVATE }, "`chmod go-w {}`"),
            (Seen { owner: 0, mode: 0o1777, is_last: true, ..PRIVATE }, "`chmod go-w {}`"),
            (Seen { mode: 0o775, is_shared: true, ..PRIVATE }, "`chmod go-w {}`"),
            (Seen { mode: 0o770, is_last: true, ..PRIVATE }, "`chmod go-w {}`"),
        ] {
            assert!(bad.why(1000).is_some_and(|why| why.ends_with(way_out)), "{:o} {}", bad.mode, bad.owner);
        }
    }

    #[test]
    fn every_folder_on_the_way_is_looked_at_and_that_of_a_link_too() {
        let base = tempfile::tempdir().unwrap();
        let open = |at: &Path, mode| fs::set_permissions(at, fs::Permissions::from_mode(mode)).unwrap();
        let (above, real) = (base.path().join("above"), base.path().join("real"));
        fs::create_dir_all(above.join("keys")).unwrap();
        fs::create_dir_all(real.join("keys")).unwrap();
        symlink(&real, above.join("link")).unwrap();
        let files = ["keys/asana", "link/keys/asana", "not/there/yet"].map(|file| above.join(file));
        for file in &files {
            assert_eq!(look_at(file, true), Ok(()), "{}", file.display());
        }
        open(&above, 0o777);
        let name = above.display();
        for file in &files {
            let expected = format!("others may write to `{name}` (mode 0777); run `chmod go-w {name}`");
            assert!(look_at(file, true).unwrap_err().ends_with(&expected), "{}", file.display());
        }
        open(&above, 0o1777);
        assert_eq!(look_at(&files[0], true), Ok(()), "what lies in it is nobody else's to move");
        assert!(look_at(&above.join("asana"), true).is_err(), "but anybody may put something there first");
        open(&above, 0o700);
        open(&real, 0o777);
        assert_eq!(look_at(&files[0], true), Ok(()));
        assert!(look_at(&files[1], true).is_err(), "the link leads there");
        // A link in the middle of the way lies in a folder of its own.
        open(&real, 0o700);
        let other = base.path().join("other");
        fs::create_dir(&other).unwrap();
        symlink(&real, other.join("middle")).unwrap();
        symlink(other.join("middle"), above.join("far")).unwrap();
        let far = above.join("far/keys/asana");
        assert_eq!(look_at(&far, true), Ok(()));
        open(&other, 0o777);
        assert!(
            look_at(&far, true).is_err_and(|why| why.contains("other` (mode 0777)")),
            "whoever rules it turns the link"
        );
        symlink(above.join("round"), above.join("round")).unwrap();
        assert!(look_at(&above.join("round/asana"), true).is_err(), "a link that leads nowhere");
    }
}
