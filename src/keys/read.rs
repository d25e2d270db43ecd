//! From a reference to the text that it stands for.

use super::Environment;
use crate::{
    policy::Reference,
    verify::{BadPublicKey, UnfitKey, jwt::BadKeySet},
};
use nix::fcntl::OFlag;
use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Why there is no secret. Nothing of its content is in here.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// No such variable.
    #[error("`env:{0}` is not set; set the variable where the gate is started, or write `file:/path`")]
    NotSet(String),
    /// The file, or its folder, cannot be opened, read or written.
    #[error("`{}`: {why}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// It is made where the queue lies, and cannot be.
    #[error("cannot make `{}`: {why}; `spool: {{ folder: ... }}` must name a folder that the gate may write to", .path.display())]
    NotMade {
        /// Which.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// A folder, a pipe, a device.
    #[error("`{}` is not a file", .0.display())]
    NotAFile(PathBuf),
    /// Whoever has an account here could sign as the sender.
    #[error(
        "`{}` is open to others (mode {mode:04o}); run `chmod 0400 {}` (for a secret's volume in Kubernetes set `defaultMode: 0400`)",
        .path.display(), .path.display()
    )]
    OpenToOthers {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Whoever may write to it says who may send.
    #[error("`{}` can be written by others (mode {mode:04o}); run `chmod go-w {}`", .path.display(), .path.display())]
    WritableByOthers {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// A line that names nobody.
    #[error("`{}` line {line} is neither an address nor a network; write something such as `192.0.2.0/24`", .path.display())]
    NoAddress {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// A line that tells nobody from others.
    #[error("`{}` line {line} has everybody in it, so that it tells nobody from others; name the sender's own networks", .path.display())]
    EveryAddress {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// Nobody could send.
    #[error("`{}` has no address in it, so that nobody could send", .0.display())]
    NoAddresses(PathBuf),
    /// No list of addresses is that long.
    #[error("`{}` is too long for a list of addresses, so it is something else", .0.display())]
    ListTooLong(PathBuf),
    /// No secret is that long.
    #[error("`{}` has more than {SECRET_MAX_BYTES} bytes, so it is something else", .0.display())]
    TooLong(PathBuf),
    /// Not UTF-8.
    #[error("it is not text")]
    NotText,
    /// Nothing, or blanks.
    #[error("it is empty or blank; everybody could sign with it")]
    Empty,
    /// Not in the form in which the sender hands it out.
    #[error("it cannot be decoded; the sender hands it out as {0}")]
    Undecodable(String),
    /// Decoded, and no public key that could be trusted.
    #[error("{0}; copy the sender's public key again")]
    PublicKey(BadPublicKey),
    /// PEM where a secret is shared.
    #[error(
        "this is PEM, and a public key or a certificate everybody may have; write the secret that the sender's settings show"
    )]
    Public,
    /// Its sender's documentation has it.
    #[error(
        "it is the word that this sender signs with while it has no secret, and everybody knows that; enter a secret in the \
         sender's settings, and write that one"
    )]
    Known,
    /// Not as the vendor says that all of its are.
    #[error("it is none of this sender's, which all look like `{0}`; copy it again, whole")]
    Unlike(String),
    /// Decoded, and of no kind that the route's `alg` could be held against.
    #[error(transparent)]
    Unfit(#[from] UnfitKey),
    /// No keys of an issuer, or not such as its tokens could be held against.
    #[error(transparent)]
    KeySet(#[from] BadKeySet),
    /// Machines could try them all.
    #[error("it has {bytes} bytes and needs {needed} at least, as `openssl rand -base64 {needed}` makes them")]
    TooShort {
        /// So many it has.
        bytes: usize,
        /// So many it needs.
        needed: usize,
    },
    /// Armed under another policy than the one in force.
    #[error(
        "route `{route}` expects no key `{key}` from its sender; `hookwarden handshake status` lists those that do"
    )]
    NotExpected {
        /// The key's label.
        key: String,
        /// The route's name.
        route: String,
    },
    /// The machine gave no random bytes.
    #[error("no random bytes to make it of")]
    NoRandomness,
}

impl Trouble {
    /// The file that it is about.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::File { path, .. }
            | Self::NotMade { path, .. }
            | Self::NotAFile(path)
            | Self::OpenToOthers { path, .. }
            | Self::WritableByOthers { path, .. }
            | Self::NoAddress { path, .. }
            | Self::EveryAddress { path, .. }
            | Self::NoAddresses(path)
            | Self::ListTooLong(path)
            | Self::TooLong(path) => Some(path),
            Self::NotSet(_)
            | Self::NotText
            | Self::Empty
            | Self::Undecodable(_)
            | Self::PublicKey(_)
            | Self::Unfit(_)
            | Self::Known
            | Self::Public
            | Self::Unlike(_)
            | Self::KeySet(_)
            | Self::TooShort { .. }
            | Self::NotExpected { .. }
            | Self::NoRandomness => None,
        }
    }
}

/// PEM files with a chain are longer than any shared secret.
const SECRET_MAX_BYTES: usize = 64 * 1024;

/// What a variable or a file holds, without the newline that editors leave at the end.
pub(super) fn resolve(from: &Reference, environment: Environment<'_>) -> Result<Zeroizing<String>, Trouble> {
    let mut text = match from {
        Reference::Env(name) => environment(name).map(Zeroizing::new).ok_or_else(|| Trouble::NotSet(name.clone()))?,
        Reference::File(path) | Reference::Handed(path) => file(path)?,
    };
    let length = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(length);
    if text.trim().is_empty() {
        return Err(Trouble::Empty);
    }
    Ok(text)
}

/// Opens a file, and tells its permissions.
pub(super) fn open(path: &Path) -> Result<(File, u32), Trouble> {
    let failed = |why| Trouble::File { path: path.to_owned(), why };
    // Without blocking: a pipe that nobody writes to would hold up the start.
    let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path).map_err(failed)?;
    // Of what was opened, and not of what has the name by now.
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_file() {
        Ok((file, metadata.permissions().mode() & 0o7777))
    } else {
        Err(Trouble::NotAFile(path.to_owned()))
    }
}

/// Reads a file that nobody else may read. Links are followed: Kubernetes swaps one.
pub(super) fn file(path: &Path) -> Result<Zeroizing<String>, Trouble> {
    let failed = |why| Trouble::File { path: path.to_owned(), why };
    let (file, mode) = open(path)?;
    if mode & 0o077 != 0 {
        return Err(Trouble::OpenToOthers { path: path.to_owned(), mode });
    }
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(SECRET_MAX_BYTES + 1));
    file.take(SECRET_MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > SECRET_MAX_BYTES {
        return Err(Trouble::TooLong(path.to_owned()));
    }
    let text = str::from_utf8(&bytes).map_err(|_| Trouble::NotText)?;
    Ok(Zeroizing::new(text.to_owned()))
}
