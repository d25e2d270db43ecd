//! Keys that senders hand over themselves: kept in a file of their own, so that they survive a restart, and in force from
//! then on.

use super::{Trouble, decode};
use crate::{
    clock::Timestamp,
    policy::{Policy, Reference},
    verify::{Handed, Key, Keys, Webhook},
};
use data_encoding::HEXLOWER;
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// Whether this key is one that is yet to be handed over.
pub(super) fn is_awaited(from: &Reference) -> bool {
    file(from).is_some_and(|path| !path.try_exists().unwrap_or(true))
}

/// The labels of the keys that the sender of this route may hand over, and the files they are kept in; none if it does no
/// such thing.
pub fn expected(policy: &Policy, route: &str, now: Timestamp) -> Vec<(String, PathBuf)> {
    let Some(webhook) = webhook(policy, route) else { return Vec::new() };
    if !webhook.takes_keys() {
        return Vec::new();
    }
    let reference = policy.keys.iter().find(|reference| reference.name == webhook.keys());
    let entries = reference.into_iter().flat_map(|reference| &reference.entries);
    let in_force = entries.filter(|entry| entry.retire.is_none_or(|retire| now < retire));
    in_force.filter_map(|entry| Some((entry.id.clone(), file(&entry.from)?.to_owned()))).collect()
}

/// Why a key that the sender of this route may hand over by `before` is another one, or none, by `after`; nothing if it is the
/// same one.
pub fn is_over(before: &Policy, after: &Policy, route: &str, id: &str, now: Timestamp) -> Option<&'static str> {
    let Some(webhook) = webhook(after, route) else { return Some("the policy has no such route any more") };
    let was = self::webhook(before, route)?;
    let entry = |webhook: &Webhook| (webhook.provider().name.clone(), webhook.provider().text.clone());
    let place = |policy: &Policy| expected(policy, route, now).into_iter().find(|(label, _)| label == id);
    match (place(before), place(after)) {
        _ if entry(was) != entry(webhook) => Some("its sender is another one"),
        (_, None) => Some("this key is not handed over any more"),
        (before, after) if before != after || list(was.keys()) != list(webhook.keys()) => {
            Some("this key is kept in another place")
        }
        (_, Some(_)) => None,
    }
}

/// The keys with this one in them, for every sender that shares the list of `route`, and the file to keep it in. It takes
/// the place of one with the same label: an overlap needs a second label.
///
/// # Errors
/// The route expects no such key, or its sender writes keys in another way.
pub fn place(policy: &Policy, keys: &Keys, route: &str, id: &str, handed: &Handed) -> Result<(Keys, PathBuf), Trouble> {
    let no_such = || Trouble::NotExpected { key: id.to_owned(), route: route.to_owned() };
    let list = webhook(policy, route).map(|webhook| list(webhook.keys())).ok_or_else(no_such)?;
    let text = handed.text();
    let (mut with, mut place) = (keys.clone(), None);
    for reference in policy.keys.iter().filter(|reference| self::list(&reference.name) == list) {
        for entry in reference.entries.iter().filter(|entry| entry.id == id) {
            let Some(path) = file(&entry.from) else { continue };
            let key = Key { id: id.to_owned(), secret: decode(reference, text)?, retire: entry.retire };
            with = with.replacing(&reference.name, key);
            place = Some(path.to_owned());
        }
    }
    Ok((with, place.ok_or_else(no_such)?))
}

/// Writes the key into its file, 0600. Takes its time: not for a thread that serves.
///
/// # Errors
/// It cannot be written; then the file is what it was.
pub fn keep(path: &Path, handed: &Handed) -> Result<(), Trouble> {
    write(path, handed.text().as_bytes()).map_err(|why| Trouble::File { path: path.to_owned(), why })
}

fn webhook<'a>(policy: &'a Policy, route: &str) -> Option<&'a Webhook> {
    policy.routes.iter().find(|known| *known.name == *route)?.sender.webhook()
}

/// Senders may share it.
fn list(name: &str) -> &str {
    name.split('/').next().unwrap_or_default()
}

fn file(from: &Reference) -> Option<&Path> {
    match from {
        Reference::Handed(path) => Some(path),
        Reference::Env(_) | Reference::File(_) => None,
    }
}

/// Whole and durable under its name, or what was there before.
fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let (of, own) = (fs::metadata(folder)?, fs::metadata("/proc/self")?.uid());
    if let Some(why) = is_open(of.permissions().mode() & 0o7777, of.uid(), own) {
        return Err(io::Error::other(format!("{why} {}`", folder.display())));
    }
    let mut suffix = [0_u8; 8];
    getrandom::fill(&mut suffix).map_err(|why| io::Error::other(why.to_string()))?;
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}", HEXLOWER.encode(&suffix)));
    let unfinished = Path::new(&unfinished);
    let written = fill(unfinished, text).and_then(|()| fs::rename(unfinished, path));
    if written.is_err() {
        let _ = fs::remove_file(unfinished);
    }
    written?;
    File::open(folder)?.sync_all()
}

/// Why whoever may write to a folder like this could put a key of theirs in the place of the one that is kept, and what to do
/// about it. Links are followed, so it may be anybody's.
fn is_open(mode: u32, owner: u32, own: u32) -> Option<String> {
    if owner != own && owner != 0 {
        return Some(format!("its folder belongs to another account (uid {owner}); run `chown {own}"));
    }
    (mode & 0o022 != 0).then(|| format!("others may write to its folder (mode {mode:04o}); run `chmod 0700"))
}

fn fill(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_others_rule_keeps_no_key() {
        for (mode, owner) in [(0o700, 1000), (0o755, 1000), (0o700, 0), (0o500, 1000)] {
            assert_eq!(is_open(mode, owner, 1000), None, "{mode:o} {owner}");
        }
        for (mode, owner, way_out) in [
            (0o770, 1000, "`chmod 0700"),
            (0o702, 0, "`chmod 0700"),
            (0o1777, 0, "`chmod 0700"),
            (0o700, 1001, "`chown 1000"),
        ] {
            assert!(is_open(mode, owner, 1000).is_some_and(|why| why.ends_with(way_out)), "{mode:o} {owner}");
        }
    }

    #[test]
    fn a_link_in_the_place_of_the_file_is_replaced_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (link, elsewhere) = (folder.path().join("asana"), folder.path().join("elsewhere"));
        fs::write(&elsewhere, "another's").unwrap();
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        write(&link, b"key").unwrap();
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "another's");
        assert_eq!(fs::read_to_string(&link).unwrap(), "key\n");
        let kept = fs::symlink_metadata(&link).unwrap();
        assert!(kept.is_file() && kept.permissions().mode() & 0o7777 == 0o600);
    }
}
