//! Opens the files of a policy, and keeps everything that is wrong with them.

use super::{ENV, Place, TESTS};
use crate::{
    json::{
        TEXT_MAX_BYTES,
        language::{listed as listed_words, way_out},
    },
    policy::{Report, TextFile},
};
use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// Ten times the catalogue.
const FILES_MAX: usize = 1000;

/// What is read of a folder.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    Yaml,
    /// YAML that is no test.
    Routes,
    /// YAML that is one.
    Tests,
    /// JSON, of the folders below too.
    Json,
}

/// Folders below folders: vendors order schemas by product and by version.
const DEPTH_MAX: usize = 4;

/// What has been opened so far is with whoever asked for it.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) wrong: Report,
}

impl Reader {
    fn refuse(&mut self, wrong: Report) {
        self.wrong = std::mem::take(&mut self.wrong).and(wrong);
    }

    pub(super) fn text(&mut self, path: &Path) -> Option<TextFile> {
        text(path).map_err(|wrong| self.refuse(wrong)).ok()
    }

    pub(super) fn folder(&mut self, folder: &Path, wanted: Wanted) -> Vec<TextFile> {
        self.listed(folder, wanted).iter().filter_map(|path| self.text(path)).collect()
    }

    /// The files of this folder that are wanted, by name. No folder is an empty one.
    fn listed(&mut self, folder: &Path, wanted: Wanted) -> Vec<PathBuf> {
        let mut files = Vec::new();
        if let Err(wrong) = list(folder, wanted, DEPTH_MAX, &mut files) {
            self.refuse(wrong);
        }
        files.sort();
        files
    }

    pub(super) fn stages(&mut self, folder: &Place) -> Vec<(String, PathBuf)> {
        if !folder.is_whole {
            return Vec::new();
        }
        let named = |path: PathBuf| Some((path.file_stem()?.to_string_lossy().into_owned(), path));
        self.listed(&folder.at.join(ENV), Wanted::Yaml).into_iter().filter_map(named).collect()
    }

    pub(super) fn stage(&mut self, folder: &Place, wanted: Option<&str>) -> Option<TextFile> {
        let stages = self.stages(folder);
        let names: Vec<_> = stages.iter().map(|(name, _)| name.as_str()).collect();
        let message = match wanted {
            None if names.is_empty() => return None,
            None => format!("which stage? choose with `--env` one of {}", listed_words(&names, ", ")),
            Some(wanted) => match stages.iter().find(|(name, _)| name == wanted) {
                Some((_, path)) => return self.text(path),
                None => format!("no stage is called `{wanted}`{}", way_out(wanted, names)),
            },
        };
        self.refuse(Report::of_file(&folder.at.join(ENV).display().to_string(), message));
        None
    }
}

fn list(folder: &Path, wanted: Wanted, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Report> {
    let shown = |path: &Path| path.display().to_string();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(why) => return Err(unopened(folder, &why)),
    };
    for entry in entries {
        let path = entry.map_err(|why| unopened(folder, &why))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let ending = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match (wanted, ending) {
            (Wanted::Json, _) if path.is_dir() => {
                if depth == 0 {
                    return Err(Report::of_file(
                        &shown(&path),
                        format!("more than {DEPTH_MAX} folders deep is not read"),
                    ));
                }
                list(&path, wanted, depth - 1, files)?;
            }
            (Wanted::Yaml, "yaml") | (Wanted::Json, "json") => files.push(path),
            (Wanted::Routes, "yaml") if !name.ends_with(TESTS) => files.push(path),
            (Wanted::Tests, "yaml") if name.ends_with(TESTS) => files.push(path),
            // Left out without a word, a sender or a route would be missed only when it is needed.
            (Wanted::Yaml | Wanted::Routes, "yml") => {
                return Err(Report::of_file(&shown(&path), "policies are read from `.yaml` files; rename this one"));
            }
            (Wanted::Yaml | Wanted::Routes | Wanted::Tests | Wanted::Json, _) => {}
        }
        if files.len() > FILES_MAX {
            return Err(Report::of_file(&shown(folder), format!("more than {FILES_MAX} files are not read")));
        }
    }
    Ok(())
}

fn text(path: &Path) -> Result<TextFile, Report> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    // One byte more than what will be refused as too long.
    let read = File::open(path).and_then(|file| file.take(TEXT_MAX_BYTES as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|why| unopened(path, &why))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(TextFile { name, text }),
        Err(broken) => {
            let (text, _) = broken.as_bytes().split_at_checked(broken.utf8_error().valid_up_to()).unwrap_or_default();
            let text = String::from_utf8_lossy(text);
            Err(Report::unreadable(&name, &text, "from here on this is not UTF-8; save the file as UTF-8"))
        }
    }
}

fn unopened(path: &Path, why: &io::Error) -> Report {
    Report::of_file(&path.display().to_string(), format!("cannot be opened: {why}"))
}
