//! Which gate is meant, and what does it answer?

use super::policy_files;
use crate::{
    control::socket::{self, Ask},
    json::{language::listed, read_yaml},
    policy,
};
use anyhow::{Context as _, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// By what it is known: its spool, or the policy that says where that is.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Gate {
    /// The spool's folder, where the gate's control socket is too; absent: where the policy says
    #[arg(long, global = true, alias = "folder", value_name = "DIR")]
    pub(super) spool: Option<PathBuf>,
    /// The policy that the gate was started with; absent: `gate.yaml` here, if there is one
    #[arg(long, global = true, value_name = "POLICY", conflicts_with = "spool")]
    pub(super) policy: Option<PathBuf>,
    /// The stage that it was started with
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "spool")]
    pub(super) env: Option<String>,
}

/// Which gate is asked, and how its answer is shown.
#[derive(Debug, clap::Args)]
pub(super) struct Asked {
    #[command(flatten)]
    pub(super) gate: Gate,
    /// Print one JSON object
    #[arg(long, global = true)]
    pub(super) json: bool,
}

/// The policy as it could be written before there was `--policy`.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Which {
    #[arg(hide = true, value_name = "POLICY")]
    written: Option<PathBuf>,
}

/// Where a spool is, and who says so.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
    /// In words, for whoever looks in vain: nothing if the command line said so.
    said_by: String,
    /// The policy that says so, with its stage if one was named.
    pub(super) policy: Option<(PathBuf, Option<String>)>,
}

impl Gate {
    /// That of the policy which is meant.
    pub(super) fn place(&self, which: &Which) -> anyhow::Result<Place> {
        if let Some(folder) = &self.spool {
            return Ok(Place { folder: folder.clone(), said_by: String::new(), policy: None });
        }
        if which.written.is_some() && self.policy.is_some() {
            bail!("the policy is named twice; write `--policy` alone");
        }
        let named = which.written.clone().or_else(|| self.policy.clone());
        let Some(policy) = named.or_else(policy_files::here) else {
            let said_by = format!("no `{}` here says another", policy_files::MAIN);
            return Ok(Place { folder: otherwise(), said_by, policy: None });
        };
        let said_by = format!("as `{}` says", policy.display());
        let folder = of_stage(&policy, self.env.as_deref())?;
        Ok(Place { folder, said_by, policy: Some((policy, self.env.clone())) })
    }
}

impl Place {
    #[cfg(test)]
    pub(super) fn of(folder: PathBuf) -> Self {
        Self { folder, said_by: String::new(), policy: None }
    }

    /// A policy that was changed says where the spool of the next start is.
    fn before(&self) -> &'static str {
        if self.said_by.is_empty() { "" } else { " (a gate that runs has the one with which it was started)" }
    }

    /// With the way out, for a message that ends with it.
    pub(super) fn otherwise(&self) -> String {
        let by = if self.said_by.is_empty() { String::new() } else { format!(" ({})", self.said_by) };
        format!("`{}`{by}; name its folder with --spool, or the policy with --policy", self.folder.display())
    }
}

/// Asks it; `--spool` names its folder, whatever the policy says.
pub(super) fn ask(gate: &Gate, which: &Which, wish: &Ask) -> anyhow::Result<Value> {
    let place = gate.place(which)?;
    let answer = socket::ask(&place.folder, wish);
    let answer = answer.with_context(|| format!("the gate of `{}` did not answer", place.folder.display()))?;
    let Some(answer) = answer else { bail!("no gate runs on the spool {}{}", place.otherwise(), place.before()) };
    match answer.get("error").and_then(Value::as_str) {
        Some(error) => bail!("{error}"),
        None => Ok(answer),
    }
}

/// Where the gate of this policy has its spool; of one that was started with a stage nobody can tell which, if the stages
/// have spools of their own.
fn of_stage(path: &Path, env: Option<&str>) -> anyhow::Result<PathBuf> {
    let stages = if env.is_some() { Vec::new() } else { policy_files::stages(path).unwrap_or_default() };
    let folder_of = |stage: &String| folder(path, Some(stage)).ok();
    let mut places: Vec<_> = stages.iter().filter_map(folder_of).collect();
    places.dedup();
    match places.as_slice() {
        [] => folder(path, env),
        [one] => Ok(one.clone()),
        [_, ..] => {
            let names: Vec<_> = stages.iter().map(String::as_str).collect();
            bail!("which stage of `{}`? choose with --env one of {}", path.display(), listed(&names, ", "))
        }
    }
}

/// Where the gate of this policy has its spool. The policy is not compiled: one that is not in order is the very reason
/// to ask.
fn folder(path: &Path, env: Option<&str>) -> anyhow::Result<PathBuf> {
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
        assert_eq!(folder(&path, None).unwrap(), Path::new("/var/lib/shop"));
        fs::write(&path, "routes: {}\n").unwrap();
        assert_eq!(folder(&path, None).unwrap(), Path::new("hookwarden-spool"));
        fs::create_dir(files.path().join("env")).unwrap();
        fs::write(files.path().join("env/prod.yaml"), "spool: { folder: /srv/queue }\n").unwrap();
        assert_eq!(folder(files.path(), Some("prod")).unwrap(), Path::new("/srv/queue"));
        assert_eq!(of_stage(files.path(), None).unwrap(), Path::new("/srv/queue"), "there is no other");
        fs::write(files.path().join("env/dev.yaml"), "spool: { folder: /tmp/queue }\n").unwrap();
        let which = of_stage(files.path(), None).unwrap_err().to_string();
        assert!(which.ends_with("choose with --env one of `dev`, `prod`"), "{which}");
        assert_eq!(of_stage(files.path(), Some("dev")).unwrap(), Path::new("/tmp/queue"));
        fs::remove_dir_all(files.path().join("env")).unwrap();
        let nowhere = folder(&files.path().join("nowhere.yaml"), None).unwrap_err().to_string();
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
            assert_eq!(folder(&path, None).unwrap(), Path::new(expected), "{text}");
        }
        fs::write(&path, b"spool: { folder: /var/lib/shop } # caf\xe9\n").unwrap();
        assert_eq!(folder(&path, None).unwrap(), Path::new("/var/lib/shop"), "it is not UTF-8");
    }
}
