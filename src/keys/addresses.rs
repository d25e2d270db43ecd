//! Which addresses does a file name? One on each line; what is behind a `#` is for people.

use super::read::{Trouble, open};
use crate::{policy::Policy, verify::network};
use ipnet::IpNet;
use std::{
    collections::BTreeSet,
    io::Read as _,
    path::{Path, PathBuf},
};

/// Ten thousand networks, which no sender has.
const FILE_MAX_BYTES: usize = 256 * 1024;

/// Every file of addresses that a route of this policy names.
pub(super) fn files(policy: &Policy) -> BTreeSet<&PathBuf> {
    let webhooks = policy.routes.iter().filter_map(|route| route.sender.webhook());
    webhooks.filter_map(|webhook| webhook.trust().addresses.as_ref()).flat_map(|addresses| &addresses.files).collect()
}

/// What the file holds, as it is written.
pub(super) fn text(path: &Path) -> Result<String, Trouble> {
    let failed = |why| Trouble::File { path: path.to_owned(), why };
    let (file, mode) = open(path)?;
    if mode & 0o022 != 0 {
        return Err(Trouble::WritableByOthers { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    file.take(FILE_MAX_BYTES as u64 + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() > FILE_MAX_BYTES { Err(Trouble::ListTooLong(path.to_owned())) } else { Ok(text) }
}

/// The networks of the file.
pub(super) fn read(path: &Path) -> Result<Vec<IpNet>, Trouble> {
    let mut nets = Vec::new();
    for (index, line) in text(path)?.lines().enumerate() {
        let written = line.split('#').next().unwrap_or_default().trim();
        if written.is_empty() {
            continue;
        }
        let line = index + 1;
        match network(written) {
            None => return Err(Trouble::NoAddress { path: path.to_owned(), line }),
            Some(net) if net.prefix_len() == 0 => return Err(Trouble::EveryAddress { path: path.to_owned(), line }),
            Some(net) => nets.push(net),
        }
    }
    if nets.is_empty() { Err(Trouble::NoAddresses(path.to_owned())) } else { Ok(nets) }
}
