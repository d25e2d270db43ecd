//! Which files are a policy, and in which of them does something stand?
//!
//! All texts share one numbering of bytes, one behind another, as the sources of one program do for its compiler. So a
//! value that was put together from a class, a route and a stage still says of each of its parts where it was written.

use super::hidden::{hidden, hidden_in_sender};
use crate::json::{Document, Library, Wrong, read_yaml_at};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use std::{ops::Range, path::Path};

/// The texts of one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// `gate.yaml`.
    pub main: TextFile,
    /// The files of `routes/` beside it, without tests.
    pub routes: Vec<TextFile>,
    /// `env/NAME.yaml`: what differs in the stage that was asked for.
    pub env: Option<TextFile>,
    /// The files of `providers/`.
    pub providers: Vec<TextFile>,
    /// The files of `schemas/`, for contracts to name.
    pub schemas: Vec<TextFile>,
    /// What belongs to it and cannot be read: with any of it there is no policy, and everything else is told all the same.
    pub unread: Vec<Unread>,
}

/// A file, or a folder, that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// What would stand in it.
    pub part: Part,
    /// Its name, and its text as far as it is one.
    pub file: TextFile,
    /// Why, with a way out.
    pub why: String,
}

/// A part of a policy's folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `gate.yaml`.
    Gate,
    /// `routes/`.
    Routes,
    /// The stage that was asked for.
    Stage,
    /// `providers/`.
    Providers,
    /// `schemas/`.
    Schemas,
    /// What lies there and is nothing that anything else depends on.
    Beside,
}

/// One file, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFile {
    /// Its name as reports show it: its path from where the command was given.
    pub name: String,
    /// What it says.
    pub text: String,
}

impl Source {
    /// A policy of one file.
    pub fn one(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            main: TextFile { name: name.into(), text: text.into() },
            routes: Vec::new(),
            env: None,
            providers: Vec::new(),
            schemas: Vec::new(),
            unread: Vec::new(),
        }
    }

    /// Names this policy: a digest over all of its texts and their names, wherever the folder lies.
    pub fn digest(&self) -> String {
        let mut digest = Sha256::new();
        let mut add = |text: &str| {
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text.as_bytes());
        };
        add(&self.main.text);
        let rest = self.routes.iter().chain(&self.env).chain(&self.providers).chain(&self.schemas);
        for file in rest {
            add(self.inside(&file.name));
            add(&file.text);
        }
        HEXLOWER.encode(&digest.finalize())
    }

    /// The schemas, by their names inside the policy's folder.
    pub(super) fn library(&self) -> Library {
        let unread = self.unread.iter().filter(|unread| unread.part == Part::Schemas);
        Library::of(self.schemas.iter().map(|file| (self.inside(&file.name), file.text.as_str())))
            .without(unread.map(|unread| self.inside(&unread.file.name)))
    }

    /// A file's name without the path of the policy's folder.
    fn inside<'a>(&self, name: &'a str) -> &'a str {
        inside(&self.main.name, name)
    }
}

fn inside<'a>(main: &str, name: &'a str) -> &'a str {
    let folder = Path::new(main).parent();
    folder.and_then(|folder| Path::new(name).strip_prefix(folder).ok()?.to_str()).unwrap_or(name)
}

/// All texts of a policy, one behind another.
pub(super) struct Texts<'a> {
    files: Vec<Placed<'a>>,
}

/// One file among all of them.
pub(super) struct Placed<'a> {
    pub(super) kind: FileKind,
    pub(super) file: &'a TextFile,
    /// The number of its first byte.
    pub(super) base: usize,
    pub(super) document: Option<Result<Document, Wrong>>,
}

/// What a file is, which says what may stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    Gate,
    Routes,
    Env,
    /// Read by [`Provider::from_yaml`](crate::verify::Provider::from_yaml).
    Provider,
    Tests,
    /// What nothing is compiled from: it is only told that it cannot be read.
    Other,
}

impl From<Part> for FileKind {
    fn from(part: Part) -> Self {
        match part {
            Part::Gate => Self::Gate,
            Part::Routes => Self::Routes,
            Part::Stage => Self::Env,
            Part::Providers => Self::Provider,
            Part::Schemas | Part::Beside => Self::Other,
        }
    }
}

impl<'a> Texts<'a> {
    /// In the order in which mistakes are told.
    pub(super) fn of(source: &'a Source) -> Self {
        let mut all: Vec<(FileKind, &TextFile, Option<&str>)> = Vec::new();
        let unread = |part| source.unread.iter().filter(move |unread| unread.part == part);
        let mut add = |part: Part, files: &'a [TextFile]| {
            let read = files.iter().map(|file| (part.into(), file, None));
            let start = all.len();
            all.extend(
                read.chain(unread(part).map(|Unread { file, why, .. }| (part.into(), file, Some(why.as_str())))),
            );
            all.get_mut(start..).unwrap_or_default().sort_by_key(|(_, file, _)| file.name.as_str());
        };
        let main = std::slice::from_ref(&source.main);
        add(Part::Gate, if unread(Part::Gate).next().is_some() { &[] } else { main });
        add(Part::Routes, &source.routes);
        add(Part::Stage, source.env.as_slice());
        add(Part::Providers, &source.providers);
        add(Part::Schemas, &[]);
        add(Part::Beside, &[]);
        Self::place(all.into_iter())
    }

    /// The tests of a policy, which are read by themselves.
    pub(super) fn of_tests(files: &'a [TextFile]) -> Self {
        Self::place(files.iter().map(|file| (FileKind::Tests, file, None)))
    }

    fn place(all: impl Iterator<Item = (FileKind, &'a TextFile, Option<&'a str>)>) -> Self {
        let (mut files, mut base) = (Vec::new(), 0);
        for (kind, file, unread) in all {
            let end = base + file.text.len();
            let document = match (unread, kind) {
                (Some(why), _) => Some(Err(Wrong::new(end..end, why))),
                (None, FileKind::Gate | FileKind::Routes | FileKind::Env | FileKind::Tests) => {
                    Some(read_yaml_at(&file.text, base))
                }
                (None, FileKind::Provider | FileKind::Other) => None,
            };
            files.push(Placed { kind, file, base, document });
            // The place behind the last byte belongs to the file, too.
            base = end + 1;
        }
        Self { files }
    }

    /// Why each file that cannot be read cannot.
    pub(super) fn unreadable(&self) -> impl Iterator<Item = &Wrong> {
        self.files.iter().filter_map(|placed| placed.document.as_ref()?.as_ref().err())
    }

    /// Whether a file of this kind cannot be read: then nobody knows which names are in it.
    pub(super) fn lacks(&self, kind: FileKind) -> bool {
        self.of_kind(kind).any(|placed| matches!(placed.document, Some(Err(_))))
    }

    pub(super) fn of_kind(&self, kind: FileKind) -> impl Iterator<Item = &Placed<'a>> {
        self.files.iter().filter(move |placed| placed.kind == kind)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Placed<'a>> {
        self.files.iter()
    }

    /// The file in which this byte stands.
    pub(super) fn at(&self, byte: usize) -> Option<&Placed<'a>> {
        self.files.iter().rev().find(|placed| placed.base <= byte)
    }

    /// The name, inside the policy's folder, of the file in which this byte stands.
    pub(super) fn file(&self, byte: usize) -> &'a str {
        let main = self.of_kind(FileKind::Gate).next().map_or("", |main| &main.file.name);
        self.at(byte).map_or("", |placed| inside(main, &placed.file.name))
    }

    /// `routes/shop.yaml:5`, for messages that speak of two places.
    pub(super) fn line(&self, byte: usize) -> String {
        self.at(byte).map(|placed| format!("{}:{}", placed.file.name, placed.line_of(byte))).unwrap_or_default()
    }
}

impl Placed<'_> {
    /// From 1.
    pub(super) fn line_of(&self, byte: usize) -> usize {
        let above = self.file.text.get(..byte.saturating_sub(self.base)).unwrap_or(&self.file.text);
        above.matches('\n').count() + 1
    }

    /// The tree of a file that could be read.
    pub(super) fn tree(&self) -> Option<&Document> {
        self.document.as_ref()?.as_ref().ok()
    }

    /// Secrets that should not stand in it, by its own numbering.
    pub(super) fn hidden(&self) -> Vec<Range<usize>> {
        match self.kind {
            FileKind::Gate | FileKind::Routes | FileKind::Env | FileKind::Tests => {
                hidden(&self.file.text, self.tree(), self.base)
            }
            FileKind::Provider | FileKind::Other => hidden_in_sender(&self.file.text),
        }
    }
}
