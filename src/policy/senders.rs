//! Who can be named as a sender, and where their keys are.

use super::{
    KeyEntry, KeyReference, Reference, Route, TextFile,
    notes::{NAMES, Notes, is_name},
    report::{Note, Severity},
    text::KeyText,
    units::{DayText, ReferenceText},
};
use crate::{
    clock::Timestamp,
    json::{Language, Wrong, language::way_out},
    verify::{Catalogue, Provider},
};
use std::{collections::BTreeMap, sync::Arc};

/// The catalogue, and what lies beside the policy.
pub(super) struct Senders<'a> {
    catalogue: &'a Catalogue,
    own: Vec<Arc<Provider>>,
}

impl<'a> Senders<'a> {
    /// Reads the files of `providers/`, and tells all that is wrong with them.
    pub(super) fn read(catalogue: &'a Catalogue, files: &[TextFile]) -> (Self, Vec<Note>) {
        let unread = |(file, _)| note(file, 0..0, "own senders are not read yet".to_owned());
        (Self { catalogue, own: Vec::new() }, (0..).zip(files).map(unread).collect())
    }

    /// Without a catalogue.
    #[cfg(test)]
    pub(super) fn only(catalogue: &'a Catalogue, own: Vec<Arc<Provider>>) -> Self {
        Self { catalogue, own }
    }

    pub(super) fn find(&self, name: &str) -> Option<&Arc<Provider>> {
        self.own.iter().find(|provider| provider.name == name).or_else(|| self.catalogue.find(name))
    }

    /// "; did you mean ..." for a name that is none.
    pub(super) fn way_out(&self, written: &str) -> String {
        way_out(written, self.catalogue.iter().chain(&self.own).map(|provider| provider.name.as_str()))
    }
}

/// Key lists by name, as written.
pub(super) type KeyLists = BTreeMap<String, Vec<KeyEntry>>;

/// Reads `keys:`. A list with a mistake in it is short, and there will be no policy.
pub(super) fn key_lists(now: Timestamp, notes: &mut Notes<'_>) -> KeyLists {
    let mut lists = KeyLists::new();
    let Ok(language) = Language::of::<KeyText>() else { return lists };
    for (name, list) in notes.members("/keys") {
        notes.check_name(name, list);
        let mut entries: Vec<KeyEntry> = Vec::new();
        for node in (0..).map_while(|index| list.find(&format!("/{index}"))) {
            let Some(KeyText { id, from: ReferenceText(from), retire }) = notes.decode_as(&language, node) else {
                continue;
            };
            if !is_name(&id) {
                notes.wrong(node.find("/id"), format!("this is no label; {NAMES}"));
            }
            if entries.iter().any(|other| other.id == id) {
                let message = format!("another key of `{name}` is called `{id}`; nobody could tell which one was used");
                notes.wrong(node.find("/id"), message);
            }
            if let Reference::File(path) = &from
                && !path.is_absolute()
            {
                notes.wrong(node.find("/from"), "write the whole path, such as `file:/run/secrets/stripe`");
            }
            let retire = retire.and_then(|DayText(day)| {
                match day {
                    None => notes.wrong(node.find("/retire"), "no such day; write something such as `2027-01-31`"),
                    Some(day) if day <= now => {
                        notes
                            .warn(node.find("/retire"), format!("`{id}` is retired and verifies nothing; take it out"));
                    }
                    Some(_) => {}
                }
                day
            });
            entries.push(KeyEntry { id, from, retire });
        }
        let retired = |entry: &KeyEntry| entry.retire.is_some_and(|day| day <= now);
        if !entries.is_empty() && entries.iter().all(retired) {
            notes.warn_name(
                Some(list),
                format!("every key of `{name}` is retired, so nothing from its sender will be accepted"),
            );
        }
        lists.insert(name.clone(), entries);
    }
    lists
}

/// One reference for each pair of keys and provider: two providers may write one text and mean two keys.
pub(super) fn key_references(lists: &KeyLists, routes: &[Route], notes: &mut Notes<'_>) -> Vec<KeyReference> {
    let mut references: Vec<KeyReference> = Vec::new();
    for route in routes {
        let name = route.sender.keys();
        if references.iter().any(|reference| reference.name == name) {
            continue;
        }
        let Some(entries) = name.split('/').next().and_then(|list| lists.get(list)) else { continue };
        references.push(KeyReference {
            name: name.to_owned(),
            provider: route.sender.provider.clone(),
            entries: entries.clone(),
        });
    }
    for (name, entries) in lists {
        let used = references.iter().any(|reference| reference.name.split('/').next() == Some(name));
        if used && entries.is_empty() {
            let node = notes.members("/keys").find(|(list, _)| *list == name).map(|(_, node)| node);
            notes.wrong(node, format!("there is no key in `{name}`; write `- {{ id: live, from: env:NAME }}`"));
        }
    }
    references
}

/// A mistake in one of the files of `providers/`, by its index.
fn note(file: usize, at: std::ops::Range<usize>, message: String) -> Note {
    Note { file: file + 1, wrong: Wrong::new(at, message), severity: Severity::Error }
}
