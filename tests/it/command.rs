//! The built command, as a person or a script meets it: what it prints, where, and with which exit code.

mod acts;
mod explain;
mod files;
mod pipes;
mod private_keys;
mod signing;
mod verdicts;
mod ways_out;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tempfile::TempDir;

/// A folder of files, in which commands run.
struct Bench(TempDir);

impl Bench {
    fn new(files: &[(&str, &str)]) -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        files.iter().for_each(|(name, text)| bench.write(name, text));
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hookwarden"));
        command.args(arguments).current_dir(self.0.path()).env_clear();
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().unwrap())
    }
}

/// What a command did.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

/// The policy of [`crate::command`]'s tests: one route, whose secret is in the environment.
const POLICY: &str = "\
spool: { folder: spool }
routes:
  shop: { at: { path: /hooks/shop }, sender: { provider: standard-webhooks, keys: shop } }
keys: { shop: [{ id: live, from: env:SHOP_SECRET }] }
destinations: { wordpress: { url: \"http://127.0.0.1:9/events\" } }
";

fn name(path: &Path) -> &str {
    path.to_str().unwrap()
}
