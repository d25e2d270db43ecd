//! From a path to the texts of a policy. Compiling them is pure, and so this is the one place that opens them.

mod reader;
#[cfg(test)]
mod tests;

use crate::policy::{Part, Report, Source, TextFile};
use reader::{Reader, Wanted};
use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Reads a policy: a folder with a `gate.yaml`, its `routes/`, and of its `env/` the stage that was asked for; or one
/// file. The `providers/` and `schemas/` beside it belong to it either way. What cannot be opened, or is not text; a
/// stage that is not there, or none where there are some: all that is in what is read, as something that is wrong with
/// it, so that whoever compiles it tells it among everything else.
pub fn read(path: &Path, env: Option<&str>) -> Source {
    read_dated(path, env).0
}

/// As [`read`], with the time at which any of its files was last written.
pub fn read_dated(path: &Path, env: Option<&str>) -> (Source, Option<SystemTime>) {
    let (main, folder) = place(path);
    let mut reader = Reader::of(&folder);
    let name = main.display().to_string();
    let whole = folder.is_whole;
    let main = if whole { reader.main(&folder.at, &main) } else { reader.text(Part::Gate, &main) };
    reader.misspelt(&folder.at, if whole { &[ROUTES, ENV, PROVIDERS, SCHEMAS] } else { &[PROVIDERS, SCHEMAS] });
    let mut files = |part, name, wanted| reader.folder(part, &folder.at.join(name), wanted);
    let routes = if whole { files(Part::Routes, ROUTES, Wanted::Routes) } else { Vec::new() };
    let providers = files(Part::Providers, PROVIDERS, Wanted::Yaml);
    let schemas = files(Part::Schemas, SCHEMAS, Wanted::Json);
    let env = reader.stage(&folder, env);
    let main = main.unwrap_or(TextFile { name, text: String::new() });
    (Source { main, routes, env, providers, schemas, unread: reader.unread }, reader.written)
}

/// The tests of a policy: `*.test.yaml` beside it and in its `routes/`; of a policy of one file `NAME.yaml`, its
/// `NAME.test.yaml`.
///
/// # Errors
/// What cannot be opened, or is not text.
pub fn tests(path: &Path) -> Result<Vec<TextFile>, Report> {
    let (main, folder) = place(path);
    let mut reader = Reader::of(&folder);
    let files = if folder.is_whole {
        let mut files = reader.folder(Part::Beside, &folder.at, Wanted::Tests);
        files.extend(reader.folder(Part::Routes, &folder.at.join(ROUTES), Wanted::Tests));
        files
    } else {
        let beside = main.with_extension(TESTS.trim_start_matches('.'));
        if beside.exists() { reader.text(Part::Beside, &beside).into_iter().collect() } else { Vec::new() }
    };
    if reader.unread.is_empty() { Ok(files) } else { Err(reader.report()) }
}

/// The stages of a policy, by name: the files of its `env/`.
///
/// # Errors
/// The folder is there and cannot be read.
pub fn stages(path: &Path) -> Result<Vec<String>, Report> {
    let (_, folder) = place(path);
    let mut reader = Reader::of(&folder);
    let stages = reader.stages(&folder);
    if reader.unread.is_empty() { Ok(stages.into_iter().map(|(name, _)| name).collect()) } else { Err(reader.report()) }
}

/// The texts that say where a gate has its spool, the nearest one first, whether or not they are in order: those of the
/// stage and of `gate.yaml`, as far as they can be opened.
pub fn settings(path: &Path, env: Option<&str>) -> Vec<String> {
    let (main, folder) = place(path);
    let stage = env.filter(|_| folder.is_whole).map(|env| folder.at.join(ENV).join(format!("{env}.yaml")));
    stage.into_iter().chain([main]).filter_map(|path| reader::lossy(&path)).collect()
}

/// Where the parts of a policy lie.
struct Place {
    at: PathBuf,
    /// A file of another name than `gate.yaml` is a policy of its own, whatever `routes/` or `env/` lie beside it.
    is_whole: bool,
}

/// The policy of whoever names none: the one in the folder in which the command runs.
pub fn here() -> Option<PathBuf> {
    [MAIN, MAIN_OTHERWISE].map(PathBuf::from).into_iter().find(|main| main.is_file())
}

fn place(path: &Path) -> (PathBuf, Place) {
    let beside = |name: &str| path.parent().is_some_and(|at| at.join(name).is_dir());
    let main = if path.is_dir() {
        path.join(MAIN)
    } else if path.file_name().is_some_and(|name| name == MAIN_OTHERWISE) && (beside(ROUTES) || beside(ENV)) {
        path.with_file_name(MAIN) // or what lies beside it would be left out without a word
    } else {
        path.to_owned()
    };
    let is_whole = main.file_name().is_some_and(|name| name == MAIN);
    let at = main.parent().map(Path::to_owned).unwrap_or_default();
    (main, Place { at, is_whole })
}

/// What `env:NAME` stands for.
#[expect(clippy::disallowed_methods, reason = "the command line's own environment, handed down as a function")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The main file of a folder.
pub const MAIN: &str = "gate.yaml";
/// What is meant as it, by those who write the other ending.
const MAIN_OTHERWISE: &str = "gate.yml";
const ROUTES: &str = "routes";
const ENV: &str = "env";
const PROVIDERS: &str = "providers";
const SCHEMAS: &str = "schemas";
/// Beside the routes lie their tests, which are no part of what runs.
const TESTS: &str = ".test.yaml";
