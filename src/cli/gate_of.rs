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

/// Where it is found, and how its answer is shown.
#[derive(Debug, clap::Args)]
pub(super) struct Asked {
    /// The spool's folder of the gate, where its control socket is; that of the policy if absent
    #[arg(long, global = true, alias = "folder", value_name = "DIR")]
    pub(super) spool: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long, global = true)]
    pub(super) json: bool,
}

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
    let Some(path) = path else { return Ok(otherwise()) };
    let texts = policy_files::settings(path, env);
    if texts.is_empty() {
        bail!("cannot read where the spool of `{}` is; name its folder with --spool", path.display());
    }
    // A stage replaces the whole key.
    Ok(texts.iter().find_map(|text| said(text)).unwrap_or_else(otherwise))
}

fn otherwise() -> PathBuf {
    policy::Spool::default().folder
}

/// Where a text says that the spool is; none if it says nothing of the spool at all.
fn said(text: &str) -> Option<PathBuf> {
    let Ok(document) = read_yaml(text) else { return guessed(text) };
    let spool = document.root.find("/spool")?;
    Some(spool.find("/folder").and_then(|folder| folder.text()).map_or_else(otherwise, PathBuf::from))
}

/// The same of a text that is no YAML: there may be a tab or an open brace anywhere else in it.
fn guessed(text: &str) -> Option<PathBuf> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with("spool:"));
    let first = lines.next()?.strip_prefix("spool:")?;
    let block =
        std::iter::once(first).chain(lines.take_while(|line| line.starts_with([' ', '\t', '#']) || line.is_empty()));
    let folder = block.into_iter().find_map(|line| line.split_once("folder:").map(|(_, value)| value.trim_start()));
    let value = folder.map(|value| match value.strip_prefix(['"', '\'']) {
        Some(quoted) => quoted.split(['"', '\'']).next().unwrap_or_default(),
        None => value.split([',', '}', '#']).next().unwrap_or_default().trim_end(),
    });
    Some(value.filter(|value| !value.is_empty()).map_or_else(otherwise, PathBuf::from))
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
        let nowhere = folder(Some(&files.path().join("nowhere.yaml")), None).unwrap_err().to_string();
        assert!(nowhere.ends_with("name its folder with --spool"), "{nowhere}");
    }

    #[test]
    fn the_spool_is_found_by_a_policy_that_is_no_yaml() {
        let files = tempfile::tempdir().unwrap();
        let path = files.path().join("gate.yaml");
        for (text, expected) in [
            ("spool: { folder: /var/lib/shop }\nroutes: {", "/var/lib/shop"),
            ("spool: { bytes: 1GiB, folder: \"/var/lib/a b\" }\n\troutes:\n", "/var/lib/a b"),
            ("a: [\nspool:\n  # here\n  bytes: 1GiB\n\n  folder: /srv/q # there\nroutes: {}\n", "/srv/q"),
            ("spool: { bytes: 1GiB }\nroutes: { folder: /x", "hookwarden-spool"),
            ("routes: {", "hookwarden-spool"),
        ] {
            fs::write(&path, text).unwrap();
            fs::create_dir_all(files.path().join("routes/sub")).unwrap(); // no policy can be read with it
            assert_eq!(folder(Some(&path), None).unwrap(), Path::new(expected), "{text}");
        }
        fs::write(&path, b"spool: { folder: /var/lib/shop } # caf\xe9\n").unwrap();
        assert_eq!(folder(Some(&path), None).unwrap(), Path::new("/var/lib/shop"), "it is not UTF-8");
    }
}
