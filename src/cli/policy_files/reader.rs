//! Opens the files of a policy, and keeps everything that is wrong with them.

use super::{ENV, MAIN, MAIN_OTHERWISE, Place, TESTS};
use crate::{
    json::{
        TEXT_MAX_BYTES,
        language::{listed as listed_words, way_out},
    },
    policy::{Part, Report, TextFile, Unread},
};
use std::{
    fs::{self, DirEntry, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::SystemTime,
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
pub(super) struct Reader {
    /// The policy's folder, whatever links led to it; none if there is no such folder.
    root: Option<PathBuf>,
    /// When a file that was opened was last written.
    pub(super) written: Option<SystemTime>,
    pub(super) unread: Vec<Unread>,
}

impl Reader {
    pub(super) fn of(folder: &Place) -> Self {
        Self { root: fs::canonicalize(here(&folder.at)).ok(), written: None, unread: Vec::new() }
    }

    /// Of a whole file or folder.
    fn refuse(&mut self, part: Part, path: &Path, why: impl Into<String>) {
        let file = TextFile { name: path.display().to_string(), text: String::new() };
        self.unread.push(Unread { part, file, why: why.into() });
    }

    /// What cannot be read, for whoever can do nothing without it.
    pub(super) fn report(&self) -> Report {
        let each = self.unread.iter();
        each.fold(Report::default(), |report, Unread { file: TextFile { name, text }, why, .. }| {
            report.and(Report::unreadable(name, text, why))
        })
    }

    pub(super) fn text(&mut self, part: Part, path: &Path) -> Option<TextFile> {
        if self.leads_out(part, path) {
            self.refuse(part, path, LEADS_OUT);
            return None;
        }
        // Before it is read: what is written after that is another text at the next look.
        let written = fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        self.written = self.written.max(written);
        text(part, path).map_err(|unread| self.unread.push(unread)).ok()
    }

    /// `gate.yaml` of a folder. What means it and is called otherwise would guard nothing.
    pub(super) fn main(&mut self, at: &Path, main: &Path) -> Option<TextFile> {
        let names = self.names(Part::Beside, at).unwrap_or_default();
        let means_it =
            |name: &String| [MAIN, MAIN_OTHERWISE].iter().any(|main| name.eq_ignore_ascii_case(main)) && name != MAIN;
        let mut others: Vec<_> = names.into_iter().filter(means_it).collect();
        others.sort();
        let is_there = main.exists();
        if let Some(other) = others.first().filter(|_| !is_there) {
            self.refuse(Part::Gate, &at.join(other), format!("a policy's main file is `{MAIN}`; rename this one"));
            return None;
        }
        for other in &others {
            let why = format!("this is not read, because `{MAIN}` is; keep one of the two");
            self.refuse(Part::Beside, &at.join(other), why);
        }
        self.text(Part::Gate, main)
    }

    pub(super) fn folder(&mut self, part: Part, folder: &Path, wanted: Wanted) -> Vec<TextFile> {
        self.listed(part, folder, wanted).iter().filter_map(|path| self.text(part, path)).collect()
    }

    /// The files of this folder that are wanted, by name. No folder is an empty one.
    fn listed(&mut self, part: Part, folder: &Path, wanted: Wanted) -> Vec<PathBuf> {
        let mut files = Vec::new();
        self.list(part, folder, wanted, DEPTH_MAX, &mut files);
        files.sort();
        files
    }

    fn list(&mut self, part: Part, folder: &Path, wanted: Wanted, depth: usize, files: &mut Vec<PathBuf>) {
        if self.leads_out(part, folder) {
            return self.refuse(part, folder, LEADS_OUT);
        }
        let Some(mut names) = self.names(part, folder) else { return };
        names.sort();
        for name in names {
            let path = folder.join(&name);
            match wanted.fate(&name, path.is_dir()) {
                Fate::Read if files.len() == FILES_MAX => {
                    return self.refuse(part, folder, format!("more than {FILES_MAX} files are not read"));
                }
                // A pipe would be waited for, by `check` and by a gate that runs, until somebody writes to it.
                Fate::Read if path.exists() && !path.is_file() => self.refuse(part, &path, "this is not a file"),
                Fate::Read => files.push(path),
                Fate::Open if depth == 0 => {
                    self.refuse(part, &path, format!("more than {DEPTH_MAX} folders deep is not read"));
                }
                Fate::Open => self.list(part, &path, wanted, depth - 1, files),
                Fate::Refuse(message) => self.refuse(part, &path, message),
                Fate::Leave => {}
            }
        }
    }

    /// Schemas refer to local files alone, and a link must not make those of the whole machine local: what a schema says
    /// is told to whoever reads the report. The links of a `ConfigMap` stay below the folder that they are mounted at.
    fn leads_out(&self, part: Part, path: &Path) -> bool {
        let Some(root) = self.root.as_ref().filter(|_| part == Part::Schemas) else { return false };
        fs::canonicalize(path).is_ok_and(|real| !real.starts_with(root))
    }

    /// What lies in a folder; none if there is no such folder.
    fn names(&mut self, part: Part, folder: &Path) -> Option<Vec<String>> {
        let name = |entry: io::Result<DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        match fs::read_dir(here(folder)).and_then(|entries| entries.map(name).collect()) {
            Ok(names) => Some(names),
            Err(why) if why.kind() == io::ErrorKind::NotFound => None,
            Err(why) => {
                self.refuse(part, folder, unopened(&why));
                None
            }
        }
    }

    /// Refuses what means one of these folders and has another name: `Routes/` would guard nothing.
    pub(super) fn misspelt(&mut self, at: &Path, folders: &[&str]) {
        for name in self.names(Part::Beside, at).unwrap_or_default() {
            let meant = folders.iter().find(|folder| name.eq_ignore_ascii_case(folder) && name != **folder);
            if let Some(meant) = meant {
                let why = format!("this is not read; rename it to `{meant}`");
                self.refuse(Part::Beside, &at.join(&name), why);
            }
        }
    }

    pub(super) fn stages(&mut self, folder: &Place) -> Vec<(String, PathBuf)> {
        if !folder.is_whole {
            return Vec::new();
        }
        let named = |path: PathBuf| Some((path.file_stem()?.to_string_lossy().into_owned(), path));
        self.listed(Part::Beside, &folder.at.join(ENV), Wanted::Yaml).into_iter().filter_map(named).collect()
    }

    pub(super) fn stage(&mut self, folder: &Place, wanted: Option<&str>) -> Option<TextFile> {
        let stages = self.stages(folder);
        let names: Vec<_> = stages.iter().map(|(name, _)| name.as_str()).collect();
        let message = match wanted {
            None if names.is_empty() => return None,
            None => format!("which stage? choose with `--env` one of {}", listed_words(&names, ", ")),
            Some(wanted) => match stages.iter().find(|(name, _)| name == wanted) {
                Some((_, path)) => return self.text(Part::Stage, path),
                None => format!("no stage is called `{wanted}`{}", way_out(wanted, names)),
            },
        };
        self.refuse(Part::Stage, &folder.at.join(ENV), message);
        None
    }
}

const LEADS_OUT: &str = "this is a link that leads out of the policy's folder; put what it leads to in its place";

/// The folder of a path that is a bare name is the one in which the command runs.
fn here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

/// As it is written, upper and lower case apart: so is it on a server, whatever the machine of who wrote it does.
const YAML: &str = ".yaml";
const JSON: &str = ".json";

/// What becomes of one thing in a folder.
enum Fate {
    Read,
    /// It is a folder, and what is in it is wanted too.
    Open,
    Leave,
    Refuse(&'static str),
}

impl Wanted {
    /// Left out without a word, a sender, a route or a test would be missed only when it is needed.
    fn fate(self, name: &str, is_folder: bool) -> Fate {
        let lower = name.to_ascii_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| lower.ends_with(ending));
        if name.starts_with('.') {
            return Fate::Leave; // of editors, and of what Kubernetes swaps
        }
        match self {
            Self::Json if is_folder => Fate::Open,
            Self::Json if name.ends_with(JSON) => Fate::Read,
            Self::Json if ends(&[JSON]) => Fate::Refuse("schemas are read from `.json` files; rename this one"),
            Self::Yaml | Self::Routes if is_folder => {
                Fate::Refuse("folders are not read here; move its files up into the folder that it is in")
            }
            Self::Routes if name.ends_with(TESTS) => Fate::Leave,
            Self::Yaml | Self::Routes if name.ends_with(YAML) => Fate::Read,
            Self::Yaml | Self::Routes if ends(&[YAML, ".yml"]) => {
                Fate::Refuse("policies are read from `.yaml` files; rename this one")
            }
            Self::Tests if is_folder => Fate::Leave,
            Self::Tests if name.ends_with(TESTS) => Fate::Read,
            Self::Tests if ends(&[TESTS, ".test.yml"]) => {
                Fate::Refuse("tests are read from `.test.yaml` files; rename this one")
            }
            Self::Yaml | Self::Routes | Self::Tests | Self::Json => Fate::Leave,
        }
    }
}

/// What can be read of it.
pub(super) fn lossy(path: &Path) -> Option<String> {
    bytes(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than what will be refused as too long.
    File::open(path)?.take(TEXT_MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn text(part: Part, path: &Path) -> Result<TextFile, Unread> {
    let name = path.display().to_string();
    let unread = |text: String, why: String| Unread { part, file: TextFile { name: name.clone(), text }, why };
    let bytes = bytes(path).map_err(|why| unread(String::new(), unopened(&why)))?;
    if bytes.len() > TEXT_MAX_BYTES {
        let length = fs::metadata(path).map_or(bytes.len() as u64, |metadata| metadata.len());
        let why = format!("the file has {length} bytes, and {TEXT_MAX_BYTES} at most are read");
        return Err(unread(String::new(), why));
    }
    String::from_utf8(bytes).map(|text| TextFile { name: name.clone(), text }).map_err(|broken| {
        let (text, _) = broken.as_bytes().split_at_checked(broken.utf8_error().valid_up_to()).unwrap_or_default();
        let text = String::from_utf8_lossy(text).into_owned();
        unread(text, "from here on this is not UTF-8; save the file as UTF-8".to_owned())
    })
}

fn unopened(why: &io::Error) -> String {
    format!("cannot be opened: {why}")
}
