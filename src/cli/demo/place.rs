//! Where the demonstration has its files, and what becomes of them.

use anyhow::Context as _;
use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf, absolute},
};

/// Where policy, secrets and spool of the demonstration lie.
pub(super) enum Place {
    /// The caller's, which stays.
    Named(PathBuf),
    /// Made for this demonstration: secrets and the spool's 64 MiB go with it.
    Temporary(PathBuf),
}

impl Place {
    pub(super) fn make(named: Option<PathBuf>) -> anyhow::Result<Self> {
        let mut builder = DirBuilder::new();
        let builder = builder.mode(0o700);
        if let Some(folder) = named {
            // Secrets are named in a policy by their whole path.
            let folder = absolute(&folder).with_context(|| format!("where is `{}`?", folder.display()))?;
            builder.recursive(true).create(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
            return Ok(Self::Named(folder));
        }
        let folder = std::env::temp_dir().join(format!("hookwarden-demo-{}", std::process::id()));
        // Not one that is there already: whoever made it could read the secrets.
        builder
            .create(&folder)
            .with_context(|| format!("cannot make `{}`; choose one with --folder", folder.display()))?;
        Ok(Self::Temporary(folder))
    }

    pub(super) fn folder(&self) -> &Path {
        match self {
            Self::Named(folder) | Self::Temporary(folder) => folder,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        match self {
            Self::Named(_) => {}
            Self::Temporary(folder) => drop(fs::remove_dir_all(folder)),
        }
    }
}
