//! The policy that is being compiled, and what was found wrong with it so far.

use super::{
    Reference,
    report::{Note, Severity},
    source::{FileKind, Texts},
};
use crate::json::{Document, Language, Node, Text, Wrong};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::ops::Range;

/// All files together, on their way to meaning.
pub(super) struct Notes<'a> {
    document: &'a Document,
    texts: &'a Texts<'a>,
    pub(super) found: Vec<Note>,
}

impl<'a> Notes<'a> {
    pub(super) fn new(document: &'a Document, texts: &'a Texts<'a>, found: Vec<Note>) -> Self {
        Self { document, texts, found }
    }

    /// Where this value was written, as `gate.yaml:5`.
    pub(super) fn line(&self, node: &Node) -> String {
        self.texts.line(self.document.place(node).start)
    }

    /// The file in which this value was written, inside the policy's folder.
    pub(super) fn file(&self, node: &Node) -> &'a str {
        self.texts.file(node.at.start)
    }

    /// Whether it was written in a file of `routes/`.
    pub(super) fn is_of_routes(&self, node: &Node) -> bool {
        self.texts.at(node.at.start).is_some_and(|placed| placed.kind == FileKind::Routes)
    }

    /// Whether there are routes that nobody knows, in a file that cannot be read.
    pub(super) fn lacks_routes(&self) -> bool {
        self.texts.lacks(FileKind::Routes)
    }

    pub(super) fn find(&self, pointer: &str) -> Option<&'a Node> {
        self.document.root.find(pointer)
    }

    /// The members of what this pointer names, as a list of them is written for people.
    pub(super) fn members(&self, pointer: &str) -> impl Iterator<Item = (&'a Text, &'a Node)> + use<'a> {
        let mut members: Vec<_> = self.find(pointer).into_iter().flat_map(Node::members).collect();
        members.sort_by_key(|(name, _)| *name);
        members.into_iter()
    }

    /// Whether there will be no policy.
    pub(super) fn is_broken(&self) -> bool {
        self.found.iter().any(|note| note.severity == Severity::Error)
    }

    /// An error at this value; without one, at the file's start.
    pub(super) fn wrong(&mut self, node: Option<&Node>, message: impl Into<String>) {
        self.note(node, message, Severity::Error);
    }

    /// A warning at this value.
    pub(super) fn warn(&mut self, node: Option<&Node>, message: impl Into<String>) {
        self.note(node, message, Severity::Warning);
    }

    /// An error at the name of this member.
    pub(super) fn misnamed(&mut self, node: &Node, message: impl Into<String>) {
        self.push(Wrong::new(self.name(node), message), Severity::Error);
    }

    /// Of a value that has not the form that is due, as an empty list.
    pub(super) fn wrong_form(&mut self, node: &Node, message: impl Into<String>) {
        self.push(Wrong::new(self.document.form(node), message), Severity::Error);
    }

    /// A warning at the name of this member.
    pub(super) fn warn_name(&mut self, node: Option<&Node>, message: impl Into<String>) {
        let place = node.map_or(0..0, |node| self.name(node));
        self.push(Wrong::new(place, message), Severity::Warning);
    }

    fn name(&self, node: &Node) -> Range<usize> {
        self.document.name(node).unwrap_or_else(|| self.document.place(node))
    }

    pub(super) fn push(&mut self, wrong: Wrong, severity: Severity) {
        self.found.push(Note { wrong, severity });
    }

    fn note(&mut self, node: Option<&Node>, message: impl Into<String>, severity: Severity) {
        let place = node.map_or(0..0, |node| self.document.place(node));
        self.push(Wrong::new(place, message), severity);
    }

    /// What this value says, if it is in the language of `T`. What is not has been told: to guess what was meant would
    /// only add mistakes that are none.
    pub(super) fn decode<T: JsonSchema + DeserializeOwned>(&mut self, node: &Node) -> Option<T> {
        let language = Language::of::<T>().map_err(|broken| self.push(broken, Severity::Error)).ok()?;
        self.decode_as(&language, node)
    }

    /// As [`Self::decode`], with a language that is needed more than once.
    pub(super) fn decode_as<T: DeserializeOwned>(&mut self, language: &Language, node: &Node) -> Option<T> {
        if !language.admits(node) {
            return None;
        }
        let decoded = T::deserialize(node.to_value());
        decoded.map_err(|_| self.wrong(Some(node), "the language's schema and its types disagree here")).ok()
    }

    /// As [`Self::decode`] of a part of the file, which may be absent.
    pub(super) fn section<T: JsonSchema + DeserializeOwned + Default>(&mut self, pointer: &str) -> T {
        self.find(pointer).and_then(|node| self.decode(node)).unwrap_or_default()
    }

    /// Whether a reference can lead to a secret.
    pub(super) fn check_reference(&mut self, reference: &Reference, node: Option<&Node>) {
        match reference {
            Reference::Env(name) if !is_variable(name) => {
                self.wrong(node, "a variable has letters, digits and `_`, as in `env:STRIPE_SECRET`");
            }
            Reference::File(path) if !path.is_absolute() => {
                self.wrong(node, "write the whole path, as in `file:/run/secrets/stripe`");
            }
            Reference::Handed(path) if !path.is_absolute() || path.file_name().is_none() => {
                self.wrong(node, "write the whole path, as in `handed:/var/lib/hookwarden/keys/asana`");
            }
            Reference::Env(_) | Reference::File(_) | Reference::Handed(_) => {}
        }
    }

    /// Whether this can be a name: of a route, a destination, keys. Names are labels of metrics and parts of records.
    pub(super) fn check_name(&mut self, name: &str, node: &Node) {
        if !is_name(name) {
            let message = format!("`{}` is no name; {NAMES}", name.escape_debug());
            self.misnamed(node, message);
        }
    }
}

pub(super) const NAMES: &str = "use up to 64 letters, digits, `-`, `_` and `.`, a letter or digit first";

fn is_variable(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') && name.chars().all(plain)
}

pub(super) fn is_name(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    name.len() <= 64 && name.starts_with(|first: char| first.is_ascii_alphanumeric()) && name.chars().all(plain)
}
