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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_its_gate_yaml_and_the_senders_beside_it_by_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("gate.yaml"), "routes: {}").unwrap();
        fs::create_dir(folder.path().join("providers")).unwrap();
        for name in ["b.yaml", "a.yaml", ".c.yaml", "README.md"] {
            fs::write(folder.path().join("providers").join(name), name).unwrap();
        }
        let by_folder = read(folder.path()).unwrap();
        let by_file = read(&folder.path().join("gate.yaml")).unwrap();
        for source in [by_folder, by_file] {
            assert_eq!(source.main.text, "routes: {}");
            let texts: Vec<_> = source.providers.iter().map(|file| file.text.as_str()).collect();
            assert_eq!(texts, ["a.yaml", "b.yaml"]);
        }
    }

    #[test]
    fn a_sender_in_a_file_with_another_ending_is_not_left_out_without_a_word() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("gate.yaml"), "routes: {}").unwrap();
        fs::create_dir(folder.path().join("providers")).unwrap();
        fs::write(folder.path().join("providers/a.yml"), "").unwrap();
        let report = read(folder.path()).unwrap_err().to_string();
        assert!(report.ends_with("a.yml:1:1: senders are read from `.yaml` files; rename this one\n"), "{report}");
    }

    #[test]
    fn what_is_not_text_is_shown_where_it_begins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.yaml");
        fs::write(&path, b"routes: {}\nname: \"caf\xe9\"\n").unwrap();
        let report = read(&path).unwrap_err().to_string();
        assert!(
            report.ends_with("gate.yaml:2:11: from here on this is not UTF-8; save the file as UTF-8\n"),
            "{report}"
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_said_to_be_missing() {
        let report = read(Path::new("/no/such/policy.yaml")).unwrap_err().to_string();
        assert!(report.starts_with("/no/such/policy.yaml:1:1: cannot be opened: "), "{report}");
    }
}
