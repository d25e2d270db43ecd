//! The schema files of one policy: what they may refer to, and what in them means nothing.

mod idle;

use super::{BadSchema, Options, Schema, Value, options};
use crate::json::{Node, read};
use data_encoding::HEXLOWER;
use jsonschema::{Draft, Retrieve, Uri};
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

/// Files by their names below the policy's folder. A schema may refer to another one by its file, or by the `$id` that
/// it gives itself; there is nothing else to be referred to.
#[derive(Clone, Debug, Default)]
pub struct Library {
    files: BTreeMap<String, File>,
    by_uri: Arc<BTreeMap<String, Value>>,
    /// Files, and folders, that are there and cannot be opened.
    unread: Vec<String>,
}

#[derive(Clone, Debug)]
enum File {
    Read { root: Node, value: Value, text: String },
    Bad(super::Unreadable),
}

/// How strictly schemas are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Formats {
    /// As the schema's draft says: until draft 7 `format` is held against the document, later it only tells.
    #[default]
    ByDraft,
    /// `format` is held against the document.
    Checked,
    /// `format` only tells.
    Told,
}

/// A word in a schema that has no effect, and was hardly meant so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idle {
    /// Where it stands, as `line:column`.
    pub place: String,
    /// The same as a JSON Pointer.
    pub pointer: String,
    /// What is wrong with it.
    pub why: String,
}

/// One loaded schema.
#[derive(Debug)]
pub struct Loaded {
    /// Ready for use.
    pub schema: Schema,
    /// Its version: what it calls itself, else the digest of its file.
    pub version: String,
    /// Every name that the library's schemas give to a member; no other name of a document may be printed.
    pub names: BTreeSet<String>,
    /// What in it has no effect.
    pub idle: Vec<Idle>,
    /// Of what it says, and of what those say to which it refers: the version may be a name that stays.
    pub digest: [u8; 32],
    /// Whether `format` is held against the document.
    pub holds_formats: bool,
}

/// Not a scheme that anything could fetch.
const BASE: &str = "policy:/";

impl Library {
    /// Reads files. One that is no JSON is told when somebody asks for it.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let (mut read_files, mut by_uri) = (BTreeMap::new(), BTreeMap::new());
        for (name, text) in files {
            let file = match read(text.as_bytes()) {
                Ok(root) => {
                    let value = root.to_value();
                    by_uri.insert(format!("{BASE}{name}"), value.clone());
                    by_uri.extend(id(&value).map(|id| (id.trim_end_matches('#').to_owned(), value.clone())));
                    File::Read { root, value, text: text.to_owned() }
                }
                Err(unreadable) => File::Bad(unreadable),
            };
            read_files.insert(name.to_owned(), file);
        }
        Self { files: read_files, by_uri: Arc::new(by_uri), unread: Vec::new() }
    }

    /// That these are there too, and cannot be opened.
    #[must_use]
    pub fn without<'a>(mut self, names: impl Iterator<Item = &'a str>) -> Self {
        self.unread.extend(names.map(str::to_owned));
        self
    }

    /// Whether this is a file, or lies in a folder, that cannot be opened; or a folder in which one such lies.
    pub fn lacks(&self, name: &str) -> bool {
        let below = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.unread.iter().any(|unread| below(name, unread) || below(unread, name))
    }

    /// Compiles a file.
    ///
    /// # Errors
    /// [`BadSchema`].
    pub fn load(&self, name: &str, formats: Formats) -> Result<Loaded, BadSchema> {
        let (root, value, text) = match self.files.get(name) {
            Some(File::Read { root, value, text }) => (root, value, text),
            Some(File::Bad(unreadable)) => return Err((*unreadable).into()),
            None => return Err(BadSchema::Absent(name.to_owned())),
        };
        if references(&self.by_uri) > REFERENCES_MAX {
            let why = format!("the policy's schemas have more than {REFERENCES_MAX} references");
            return Err(BadSchema::Invalid { pointer: String::new(), why });
        }
        let shelf = Shelf { by_uri: self.by_uri.clone(), taken: Arc::default() };
        let options = options()
            .with_base_uri(format!("{BASE}{name}"))
            .with_retriever(shelf.clone())
            .should_ignore_unknown_formats(true);
        let options = match formats {
            Formats::ByDraft => options,
            Formats::Checked => options.should_validate_formats(true),
            Formats::Told => options.should_validate_formats(false),
        };
        let schema = Schema::build(&options, value)?;
        let draft = Draft::Draft202012.detect(value);
        let holds_formats = match formats {
            Formats::ByDraft => matches!(draft, Draft::Draft4 | Draft::Draft6 | Draft::Draft7),
            Formats::Checked => true,
            Formats::Told => false,
        };
        let mut names = BTreeSet::new();
        self.by_uri.values().for_each(|value| named(value, &mut names));
        let mut search = idle::Search::new(text, draft, &options);
        search.schema(root, value, "");
        let digest = || format!("sha256:{}", HEXLOWER.encode(&Sha256::digest(text.as_bytes())));
        let version = id(value).map_or_else(digest, str::to_owned);
        let digest = shelf.digest(text);
        Ok(Loaded { schema, version, names, idle: search.found, digest, holds_formats })
    }

    /// The names of all files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Where in a file something stands that a pointer names, as `file:line:column`.
    pub fn place(&self, name: &str, pointer: &str) -> String {
        match self.files.get(name) {
            Some(File::Read { root, text, .. }) => {
                let at = root.find(pointer).map_or(0, |node| node.at.start);
                format!("{name}:{}", place(text, at))
            }
            Some(File::Bad(_)) | None => name.to_owned(),
        }
    }

    /// The value of a file, for questions about what it allows.
    pub fn value(&self, name: &str) -> Option<&Value> {
        match self.files.get(name)? {
            File::Read { value, .. } => Some(value),
            File::Bad(_) => None,
        }
    }
}

/// `line:column`, both from 1.
fn place(text: &str, at: usize) -> String {
    let above = text.get(..at).unwrap_or_default();
    let line = above.rsplit('\n').next().unwrap_or_default();
    format!("{}:{}", above.matches('\n').count() + 1, line.chars().count() + 1)
}

/// Each reference that follows another one is a step deeper on the stack, while the document stays at one value.
const REFERENCES_MAX: usize = 2000;

fn references(values: &BTreeMap<String, Value>) -> usize {
    fn count(value: &Value) -> usize {
        match value {
            Value::Object(members) => {
                let own =
                    members.keys().filter(|name| matches!(name.as_str(), "$ref" | "$dynamicRef" | "$recursiveRef"));
                own.count() + members.values().map(count).sum::<usize>()
            }
            Value::Array(items) => items.iter().map(count).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        }
    }
    values.values().map(count).sum()
}

fn id(value: &Value) -> Option<&str> {
    let keyword = Draft::Draft202012.detect(value).id_keyword();
    value.get(keyword).and_then(Value::as_str).filter(|id| !id.starts_with('#') && id.contains(':'))
}

/// Answers references with what stands here.
#[derive(Clone)]
struct Shelf {
    by_uri: Arc<BTreeMap<String, Value>>,
    /// What was asked for.
    taken: Arc<Mutex<BTreeSet<String>>>,
}

impl Shelf {
    /// Of a schema with everything that it has asked for.
    fn digest(&self, text: &str) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(text);
        for name in self.taken.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            // Sorted by name; a number in front, so that no two texts run together into a third.
            let taken = self.by_uri.get(name).map(Value::to_string).unwrap_or_default();
            digest.update((taken.len() as u64).to_le_bytes());
            digest.update(taken);
        }
        digest.finalize().into()
    }
}

impl Retrieve for Shelf {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn Error + Send + Sync>> {
        let wanted = uri.as_str();
        let name = wanted.split('#').next().unwrap_or_default();
        let found = self.by_uri.get(name);
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        found.cloned().ok_or_else(|| match wanted.strip_prefix(BASE) {
            Some(file) => format!("there is no schema file `{file}`").into(),
            None => format!("no schema file here calls itself `{wanted}`, and nothing is fetched").into(),
        })
    }
}

/// Every name under `properties`, `required` and the like, anywhere.
fn named(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (keyword, value) in members {
                match (keyword.as_str(), value) {
                    (
                        "properties" | "dependentRequired" | "dependentSchemas" | "dependencies",
                        Value::Object(named),
                    ) => {
                        names.extend(named.keys().cloned());
                    }
                    ("required", Value::Array(listed)) => {
                        names.extend(listed.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    _ => {}
                }
                named(value, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| named(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests;
