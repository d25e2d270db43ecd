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
        Library::of(self.schemas.iter().map(|file| (self.inside(&file.name), file.text.as_str())))
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
}

impl<'a> Texts<'a> {
    /// In the order in which mistakes are told.
    pub(super) fn of(source: &'a Source) -> Self {
        let named = |kind, files: &'a [TextFile]| files.iter().map(move |file| (kind, file));
        let all = std::iter::once((FileKind::Gate, &source.main))
            .chain(named(FileKind::Routes, &source.routes))
            .chain(source.env.iter().map(|file| (FileKind::Env, file)))
            .chain(named(FileKind::Provider, &source.providers));
        Self::place(all)
    }

    /// The tests of a policy, which are read by themselves.
    pub(super) fn of_tests(files: &'a [TextFile]) -> Self {
        Self::place(files.iter().map(|file| (FileKind::Tests, file)))
    }

    fn place(all: impl Iterator<Item = (FileKind, &'a TextFile)>) -> Self {
        let (mut files, mut base) = (Vec::new(), 0);
        for (kind, file) in all {
            let document = match kind {
                FileKind::Gate | FileKind::Routes | FileKind::Env | FileKind::Tests => {
                    Some(read_yaml_at(&file.text, base))
                }
                FileKind::Provider => None,
            };
            files.push(Placed { kind, file, base, document });
            // The place behind the last byte belongs to the file, too.
            base += file.text.len() + 1;
        }
        Self { files }
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
            FileKind::Provider => hidden_in_sender(&self.file.text),
        }
    }
}
