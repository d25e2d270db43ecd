//! From a path to the texts of a policy. Compiling them is pure, and so this is the one place that opens them.

use crate::{
    json::{
        TEXT_MAX_BYTES,
        language::{listed as listed_words, way_out},
    },
    policy::{Report, Source, TextFile},
};
use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// Reads a policy: a folder with a `gate.yaml`, its `routes/`, and of its `env/` the stage that was asked for; or one
/// file. The `providers/` and `schemas/` beside it belong to it either way.
///
/// # Errors
/// What cannot be opened, or is not text; a stage that is not there, or none where there are some.
pub fn read(path: &Path, env: Option<&str>) -> Result<Source, Report> {
    let (main, folder) = place(path);
    let mut reader = Reader::default();
    let main = reader.text(&main);
    let whole = folder.is_whole;
    let source = Source {
        main: main.unwrap_or_else(|| TextFile { name: String::new(), text: String::new() }),
        routes: if whole { reader.folder(&folder.at.join(ROUTES), Wanted::Routes) } else { Vec::new() },
        env: reader.stage(&folder, env),
        providers: reader.folder(&folder.at.join(PROVIDERS), Wanted::Yaml),
        schemas: reader.folder(&folder.at.join(SCHEMAS), Wanted::Json),
    };
    if reader.wrong.is_empty() { Ok(source) } else { Err(reader.wrong) }
}

/// The tests of a policy: `*.test.yaml` beside it and in its `routes/`; of a policy of one file `NAME.yaml`, its
/// `NAME.test.yaml`.
///
/// # Errors
/// What cannot be opened, or is not text.
pub fn tests(path: &Path) -> Result<Vec<TextFile>, Report> {
    let (main, folder) = place(path);
    let mut reader = Reader::default();
    let files = if folder.is_whole {
        let mut files = reader.folder(&folder.at, Wanted::Tests);
        files.extend(reader.folder(&folder.at.join(ROUTES), Wanted::Tests));
        files
    } else {
        let beside = main.with_extension(TESTS.trim_start_matches('.'));
        if beside.exists() { reader.text(&beside).into_iter().collect() } else { Vec::new() }
    };
    if reader.wrong.is_empty() { Ok(files) } else { Err(reader.wrong) }
}

/// The stages of a policy, by name: the files of its `env/`.
///
/// # Errors
/// The folder is there and cannot be read.
pub fn stages(path: &Path) -> Result<Vec<String>, Report> {
    let (_, folder) = place(path);
    let mut reader = Reader::default();
    let stages = reader.stages(&folder);
    if reader.wrong.is_empty() { Ok(stages.into_iter().map(|(name, _)| name).collect()) } else { Err(reader.wrong) }
}

/// Where the parts of a policy lie.
struct Place {
    at: PathBuf,
    /// A file of another name than `gate.yaml` is a policy of its own, whatever `routes/` or `env/` lie beside it.
    is_whole: bool,
}

fn place(path: &Path) -> (PathBuf, Place) {
    let main = if path.is_dir() { path.join(MAIN) } else { path.to_owned() };
    let is_whole = main.file_name().is_some_and(|name| name == MAIN);
    let at = main.parent().map(Path::to_owned).unwrap_or_default();
    (main, Place { at, is_whole })
}

/// What `env:NAME` stands for.
#[expect(clippy::disallowed_methods, reason = "the command line's own environment, handed down as a function")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

const MAIN: &str = "gate.yaml";
const ROUTES: &str = "routes";
const ENV: &str = "env";
const PROVIDERS: &str = "providers";
const SCHEMAS: &str = "schemas";
/// Beside the routes lie their tests, which are no part of what runs.
const TESTS: &str = ".test.yaml";
/// Ten times the catalogue.
const FILES_MAX: usize = 1000;

/// What is read of a folder.
#[derive(Clone, Copy)]
enum Wanted {
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

/// Opens files, and keeps everything that is wrong with them.
#[derive(Default)]
struct Reader {
    wrong: Report,
}

impl Reader {
    fn refuse(&mut self, wrong: Report) {
        self.wrong = std::mem::take(&mut self.wrong).and(wrong);
    }

    fn text(&mut self, path: &Path) -> Option<TextFile> {
        text(path).map_err(|wrong| self.refuse(wrong)).ok()
    }

    fn folder(&mut self, folder: &Path, wanted: Wanted) -> Vec<TextFile> {
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

    fn stages(&mut self, folder: &Place) -> Vec<(String, PathBuf)> {
        if !folder.is_whole {
            return Vec::new();
        }
        let named = |path: PathBuf| Some((path.file_stem()?.to_string_lossy().into_owned(), path));
        self.listed(&folder.at.join(ENV), Wanted::Yaml).into_iter().filter_map(named).collect()
    }

    fn stage(&mut self, folder: &Place, wanted: Option<&str>) -> Option<TextFile> {
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
        let by_folder = read(folder.path(), None).unwrap();
        let by_file = read(&folder.path().join("gate.yaml"), None).unwrap();
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
        let report = read(folder.path(), None).unwrap_err().to_string();
        assert!(report.ends_with("a.yml:1:1: policies are read from `.yaml` files; rename this one\n"), "{report}");
    }

    #[test]
    fn a_stage_is_asked_for_by_name_and_tests_are_no_routes() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["gate.yaml", "env/prod.yaml", "env/staging.yaml", "routes/a.yaml", "routes/a.test.yaml"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let source = read(folder.path(), Some("prod")).unwrap();
        assert_eq!(source.env.unwrap().text, "env/prod.yaml");
        assert_eq!(source.routes.iter().map(|file| file.text.as_str()).collect::<Vec<_>>(), ["routes/a.yaml"]);
        let none = read(folder.path(), None).unwrap_err().to_string();
        assert!(none.ends_with("env:1:1: which stage? choose with `--env` one of `prod`, `staging`\n"), "{none}");
        let other = read(folder.path(), Some("prd")).unwrap_err().to_string();
        assert!(other.ends_with("env:1:1: no stage is called `prd`; did you mean `prod`?\n"), "{other}");
        assert_eq!(stages(folder.path()).unwrap(), ["prod", "staging"]);
    }

    #[test]
    fn what_is_not_text_is_shown_where_it_begins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.yaml");
        fs::write(&path, b"routes: {}\nname: \"caf\xe9\"\n").unwrap();
        let report = read(&path, None).unwrap_err().to_string();
        assert!(
            report.ends_with("gate.yaml:2:11: from here on this is not UTF-8; save the file as UTF-8\n"),
            "{report}"
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_said_to_be_missing() {
        let report = read(Path::new("/no/such/policy.yaml"), None).unwrap_err().to_string();
        assert!(report.starts_with("/no/such/policy.yaml:1:1: cannot be opened: "), "{report}");
    }
}
