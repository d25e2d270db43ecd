//! The files: one a request, 0600 in a folder of 0700, with a line in the clear by which they are listed and erased.

use super::{Opened, Refused, Unsealed, seal::Key};
use crate::{clock::Timestamp, policy::Capture, secret::Secret};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// The folder of them.
#[derive(Clone, Debug)]
pub(super) struct Store(PathBuf);

/// Its name in the spool's folder.
const FOLDER: &str = "captures";
/// What a finished file ends in.
const SUFFIX: &str = ".capture";
/// While it is written.
const UNFINISHED: &str = ".part";
/// The clear line, and more than that.
const CLEAR_BYTES_MAX: u64 = 4096;
/// Files of a stranger's making are not read to their end.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What is told of a capture without opening it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The request's id.
    pub id: String,
    /// The route that refused it.
    pub route: String,
    /// Why.
    pub code: String,
    /// When it came, in milliseconds of Unix.
    pub at_ms: i64,
    /// When it is erased.
    pub until_ms: i64,
    /// Bytes of its body, if that was kept.
    pub body_bytes: Option<usize>,
}

impl Listed {
    fn of(refused: &Refused, terms: Capture) -> Self {
        Self {
            id: refused.id.to_string(),
            route: refused.route.to_string(),
            code: refused.code.to_owned(),
            at_ms: refused.at.unix_ms(),
            until_ms: (refused.at + terms.keep).unix_ms(),
            body_bytes: refused.body.as_ref().map(bytes::Bytes::len),
        }
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.until_ms <= now.unix_ms()
    }
}

/// What lies on the disk.
#[derive(Clone, Debug)]
pub(super) struct Lying {
    pub(super) listed: Listed,
    pub(super) bytes: u64,
    path: PathBuf,
}

impl Lying {
    /// Erased, or gone already.
    pub(super) fn erase(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why),
            _ => Ok(()),
        }
    }

    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.listed.is_over(now)
    }
}

impl Store {
    /// In this spool's folder.
    pub(super) fn of(spool: &Path) -> Self {
        Self(spool.join(FOLDER))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes one, whole under its name or not there at all. Not synced: what a power cut loses here, nobody was promised.
    pub(super) fn write(&self, refused: &Refused, terms: Capture, key: &Key) -> io::Result<Lying> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        let listed = Listed::of(refused, terms);
        let path = self.place(&listed.id).ok_or_else(|| io::Error::other("the request has no plain id"))?;
        let mut clear = serde_json::to_vec(&listed)?;
        clear.push(b'\n');
        let sealed = key.seal(refused, &clear).ok_or_else(|| io::Error::other("it cannot be encrypted"))?;
        let unfinished = path.with_extension(UNFINISHED.trim_start_matches('.'));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        let written = file.write_all(&clear).and_then(|()| file.write_all(&sealed));
        if let Err(why) = written.and_then(|()| fs::rename(&unfinished, &path)) {
            let _ = fs::remove_file(&unfinished);
            return Err(why);
        }
        Ok(Lying { listed, bytes: (clear.len() + sealed.len()) as u64, path })
    }

    /// The place of an id; `None` for what is none, so that no path can be asked for.
    fn place(&self, id: &str) -> Option<PathBuf> {
        let plain = (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        plain.then(|| self.0.join(format!("{id}{SUFFIX}")))
    }

    /// All that lie there, the oldest first. What is half written since another life goes; what cannot be read is left alone.
    pub(super) fn lying(&self, clean: bool) -> io::Result<Vec<Lying>> {
        let entries = match fs::read_dir(&self.0) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.ends_with(UNFINISHED) && clean {
                fs::remove_file(&path)?;
            } else if name.ends_with(SUFFIX) {
                found.extend(look(&path).ok().flatten().map(|(listed, bytes)| Lying { listed, bytes, path }));
            }
        }
        found.sort_by(|a, b| (a.listed.at_ms, &a.listed.id).cmp(&(b.listed.at_ms, &b.listed.id)));
        Ok(found)
    }
}

/// The clear line of a file.
fn look(path: &Path) -> io::Result<Option<(Listed, u64)>> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let mut line = Vec::new();
    BufReader::new(file.take(CLEAR_BYTES_MAX)).read_until(b'\n', &mut line)?;
    Ok(clear(&line).map(|listed| (listed, bytes)))
}

#[expect(clippy::disallowed_methods, reason = "a line of the gate's own, not a sender's body")]
fn clear(line: &[u8]) -> Option<Listed> {
    serde_json::from_slice(line).ok()
}

/// Those in this spool's folder that are still to be kept, the oldest first.
///
/// # Errors
/// The folder cannot be read.
pub fn list(spool: &Path, now: Timestamp) -> io::Result<Vec<Listed>> {
    let lying = Store::of(spool).lying(false)?;
    Ok(lying.into_iter().map(|lying| lying.listed).filter(|listed| !listed.is_over(now)).collect())
}

/// One of them, and what it holds. `None`: there is none with this id, or not any more.
///
/// # Errors
/// It cannot be read, or not be opened with this secret.
pub fn open(spool: &Path, id: &str, memory: &Secret, now: Timestamp) -> io::Result<Option<(Listed, Opened)>> {
    let Some(path) = Store::of(spool).place(id) else { return Ok(None) };
    let mut bytes = Vec::new();
    match File::open(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?,
    };
    let at = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    let (line, sealed) = bytes.split_at(at);
    let listed = clear(line).ok_or_else(|| io::Error::other(Unsealed::Unreadable))?;
    if listed.is_over(now) {
        return Ok(None);
    }
    let opened = Key::of(memory).open(sealed, line).map_err(io::Error::other)?;
    Ok(Some((listed, opened)))
}

/// Erases those that have been kept for long enough; for whoever looks while no gate runs.
///
/// # Errors
/// One cannot be erased.
pub fn erase_expired(spool: &Path, now: Timestamp) -> io::Result<usize> {
    let lying = Store::of(spool).lying(false)?;
    let over: Vec<_> = lying.iter().filter(|lying| lying.is_over(now)).collect();
    over.iter().try_for_each(|lying| lying.erase())?;
    Ok(over.len())
}
