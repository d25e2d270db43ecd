//! The gate's own secret: what it remembers requests by. Lost or changed, everything remembered would look new; so it
//! is made once, and never written over.

use super::read::{self, Trouble};
use crate::secret::Secret;
use data_encoding::HEXLOWER;
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};
use zeroize::Zeroizing;

/// Its name in the spool's folder.
const FILE: &str = "secret";

/// What the text stands for: itself.
pub(super) fn secret(text: &[u8]) -> Result<Secret, Trouble> {
    Secret::new(text).map_err(|_| Trouble::Empty)
}

/// 32 random bytes as text.
pub(super) fn random() -> Result<Zeroizing<String>, Trouble> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|_| Trouble::NoRandomness)?;
    Ok(Zeroizing::new(HEXLOWER.encode(bytes.as_slice())))
}

/// Reads the secret in this folder; makes both if they are not there.
pub(super) fn find_or_make(folder: &Path) -> Result<Secret, Trouble> {
    let path = folder.join(FILE);
    if !path.try_exists().map_err(|why| Trouble::NotMade { path: path.clone(), why })? {
        let text = random()?;
        make(folder, &path, &text).map_err(|why| Trouble::NotMade { path: path.clone(), why })?;
    }
    // Also after making it: another process may have been faster, and its secret is the one.
    let text = read::file(&path)?;
    secret(text.trim_end().as_bytes())
}

/// Reads the secret in this folder, and makes none.
pub(super) fn find(folder: &Path) -> Result<Secret, Trouble> {
    let text = read::file(&folder.join(FILE))?;
    secret(text.trim_end().as_bytes())
}

/// Whole and durable under its name, or not there at all.
fn make(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut suffix = [0_u8; 8];
    getrandom::fill(&mut suffix).map_err(|why| io::Error::other(why.to_string()))?;
    let unfinished = folder.join(format!("{FILE}.{}", HEXLOWER.encode(&suffix)));
    // A link fails where the name is taken, and a rename would not.
    let made = write(&unfinished, text).and_then(|()| fs::hard_link(&unfinished, path));
    let removed = fs::remove_file(&unfinished);
    match made {
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
        other => other?,
    }
    removed?;
    File::open(folder)?.sync_all()
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}
