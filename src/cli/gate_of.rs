//! Which gate that runs is meant, and what does it answer?

use super::policy_files;
use crate::{
    control::socket::{self, Ask},
    json::read_yaml,
    policy,
};
use anyhow::{Context as _, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// By its policy.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Which {
    /// The policy that the gate was started with
    pub(super) policy: Option<PathBuf>,
    /// The stage that it was started with
    #[arg(long, value_name = "NAME")]
    pub(super) env: Option<String>,
}

/// Asks it; `spool` names its folder, whatever the policy says.
pub(super) fn ask(spool: Option<&Path>, which: &Which, wish: &Ask) -> anyhow::Result<Value> {
    let folder = match spool {
        Some(folder) => folder.to_owned(),
        None => folder(which.policy.as_deref(), which.env.as_deref())?,
    };
    let answer = socket::ask(&folder, wish);
    let answer = answer.with_context(|| format!("the gate of `{}` did not answer", folder.display()))?;
    let Some(answer) = answer else {
        bail!("no gate runs on the spool `{}`; name its folder with --spool", folder.display());
    };
    match answer.get("error").and_then(Value::as_str) {
        Some(error) => bail!("{error}"),
        None => Ok(answer),
    }
}

/// Where the gate of this policy has its spool. The policy is not compiled: one that is not in order is the very reason
/// to ask.
fn folder(path: Option<&Path>, env: Option<&str>) -> anyhow::Result<PathBuf> {
    let otherwise = policy::Spool::default().folder;
    let Some(path) = path else { return Ok(otherwise) };
    let unreadable = || format!("cannot read where the spool of `{}` is; name its folder with --spool", path.display());
    let source = policy_files::read(path, env).with_context(unreadable)?;
    // A stage replaces the whole key.
    for file in source.env.iter().chain([&source.main]) {
        let document = read_yaml(&file.text).ok().with_context(unreadable)?;
        if let Some(spool) = document.root.find("/spool") {
            return Ok(spool.find("/folder").and_then(|folder| folder.text()).map_or(otherwise, PathBuf::from));
        }
    }
    Ok(otherwise)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_spool_is_found_by_a_policy_that_is_not_in_order() {
        let files = tempfile::tempdir().unwrap();
        let path = files.path().join("gate.yaml");
        fs::write(&path, "spool: { folder: /var/lib/shop }\nroutez: { a: b }\n").unwrap();
        assert_eq!(folder(Some(&path), None).unwrap(), Path::new("/var/lib/shop"));
        fs::write(&path, "routes: {}\n").unwrap();
        assert_eq!(folder(Some(&path), None).unwrap(), Path::new("hookwarden-spool"));
        fs::create_dir(files.path().join("env")).unwrap();
        fs::write(files.path().join("env/prod.yaml"), "spool: { folder: /srv/queue }\n").unwrap();
        assert_eq!(folder(Some(files.path()), Some("prod")).unwrap(), Path::new("/srv/queue"));
        fs::remove_dir_all(files.path().join("env")).unwrap();
        fs::write(&path, "routes: {").unwrap();
        assert!(folder(Some(&path), None).unwrap_err().to_string().ends_with("name its folder with --spool"));
    }
}
