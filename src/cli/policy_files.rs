//! From a path to the texts of a policy. Compiling them is pure, and so this is the one place that opens them.

use crate::{
    json::TEXT_MAX_BYTES,
    policy::{Report, Source, TextFile},
};
use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// Reads a policy: a file, or `gate.yaml` in a folder; and the files of `providers/` beside it.
///
/// # Errors
/// What cannot be opened, or is not text.
pub fn read(path: &Path) -> Result<Source, Report> {
    let main = if path.is_dir() { path.join(MAIN) } else { path.to_owned() };
    let mut report = Report::default();
    let mut texts = Vec::new();
    let providers = main.parent().map(|folder| folder.join(PROVIDERS)).unwrap_or_default();
    let providers = listed(&providers).unwrap_or_else(|wrong| {
        report = std::mem::take(&mut report).and(wrong);
        Vec::new()
    });
    for path in std::iter::once(main).chain(providers) {
        match text(&path) {
            Ok(text) => texts.push(text),
            Err(wrong) => report = std::mem::take(&mut report).and(wrong),
        }
    }
    let mut texts = texts.into_iter();
    match texts.next() {
        Some(main) if report.is_empty() => Ok(Source { main, providers: texts.collect() }),
        Some(_) | None => Err(report),
    }
}

/// What `env:NAME` stands for.
#[expect(clippy::disallowed_methods, reason = "the command line's own environment, handed down as a function")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

const MAIN: &str = "gate.yaml";
const PROVIDERS: &str = "providers";
/// Ten times the catalogue.
const PROVIDERS_MAX: usize = 1000;

/// The YAML files of this folder, by name. No folder is an empty one.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, Report> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => return Err(unopened(folder, &why)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|why| unopened(folder, &why))?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("yaml") if !hidden => files.push(path),
            // Left out without a word, a sender would be missed only when it is needed.
            Some("yml") if !hidden => {
                let name = path.display().to_string();
                return Err(Report::unreadable(&name, "", "senders are read from `.yaml` files; rename this one"));
            }
            Some(_) | None => {}
        }
        if files.len() > PROVIDERS_MAX {
            let name = folder.display().to_string();
            return Err(Report::unreadable(&name, "", format!("more than {PROVIDERS_MAX} files are not read")));
        }
    }
    files.sort();
    Ok(files)
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
    Report::unreadable(&path.display().to_string(), "", format!("cannot be opened: {why}"))
}
