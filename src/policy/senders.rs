//! Who can be named as a sender, and where their keys are.

use super::{
    IssuerKeys, IssuerReference, Jwks, KeyEntry, KeyKind, KeyReference, Reference, Route, Sender,
    issuers::{REFRESH, STALE},
    notes::{NAMES, Notes, is_name},
    report::{Note, Severity},
    source::{FileKind, Placed, Texts},
    text::KeyText,
    units::{DayText, KeyReferenceText},
};
use crate::{
    clock::Timestamp,
    json::{self, Kind, Language, Node, Wrong, language::nearest},
    repeat::Identical,
    verify::{Catalogue, Config, Handshake, PUBLISHED, Provider, jwt::Algorithm},
};
use std::{collections::BTreeMap, ops::Range, path::Path, sync::Arc};

/// The catalogue, and what lies beside the policy.
pub(super) struct Senders<'a> {
    catalogue: &'a Catalogue,
    own: Vec<Arc<Provider>>,
    /// Some of those beside the policy are not in order, and nobody knows what they are called.
    lacks_some: bool,
}

impl<'a> Senders<'a> {
    /// Reads the files of `providers/`, and tells all that is wrong with them.
    pub(super) fn read(catalogue: &'a Catalogue, texts: &Texts<'_>) -> (Self, Vec<Note>) {
        let (mut own, mut notes): (Vec<Arc<Provider>>, Vec<Note>) = (Vec::new(), Vec::new());
        let mut lacks_some = texts.lacks(FileKind::Provider);
        for Placed { file, base, document, .. } in texts.of_kind(FileKind::Provider) {
            if document.is_some() {
                continue; // it cannot be read
            }
            let note = |at: Range<usize>, message| Note {
                wrong: Wrong::new(base + at.start..base + at.end, message),
                severity: Severity::Error,
            };
            match Provider::from_yaml(&file.text) {
                Err(mistakes) => {
                    lacks_some = true;
                    notes.extend(mistakes.into_iter().map(|mistake| note(mistake.at, mistake.message)));
                }
                // The catalogue's own files, beside a policy: the same entry is no other one.
                Ok(provider) if catalogue.find(&provider.name).is_some_and(|known| known.text == provider.text) => {}
                Ok(provider) => {
                    let mut names = std::iter::once(&provider.name).chain(&provider.aliases);
                    let known = |name: &&String| own.iter().any(|other| other.name == **name);
                    if let Some(taken) = names.find(|name| catalogue.find(name).is_some() || known(name)) {
                        let at = file.text.find(taken.as_str()).unwrap_or_default();
                        let message = format!("there is a sender `{taken}` already; choose another name");
                        notes.push(note(at..at + taken.len(), message));
                    } else {
                        own.push(Arc::new(provider));
                    }
                }
            }
        }
        (Self { catalogue, own, lacks_some }, notes)
    }

    /// Whether there surely is no such sender.
    pub(super) fn lacks(&self, name: &str) -> bool {
        self.find(name).is_none() && !self.lacks_some
    }

    pub(super) fn find(&self, name: &str) -> Option<&Arc<Provider>> {
        self.own.iter().find(|provider| provider.name == name).or_else(|| self.catalogue.find(name))
    }

    /// "; did you mean ..." for a name that is none. There are too many to list.
    pub(super) fn way_out(&self, written: &str) -> String {
        let providers = self.catalogue.iter().chain(&self.own);
        let names = providers.flat_map(|provider| std::iter::once(&provider.name).chain(&provider.aliases));
        match nearest(written, names.map(String::as_str)) {
            Some(name) => format!("; did you mean `{name}`?"),
            None => "; `hookwarden providers` lists those that are known".to_owned(),
        }
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
            // Of an entry that the language refuses for something else, too.
            if node.find("/id").and_then(Node::text).is_some_and(|id| !is_name(id)) {
                notes.wrong(node.find("/id"), format!("this is no label; {NAMES}"));
            }
            let Some(KeyText { id, from: KeyReferenceText(from), retire }) = notes.decode_as(&language, node) else {
                continue;
            };
            if entries.iter().any(|other| other.id == id) {
                let message = format!("another key of `{name}` is called `{id}`; nobody could tell which one was used");
                notes.wrong(node.find("/id"), message);
            }
            notes.check_reference(&from, node.find("/from"));
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
        lists.insert(name.to_string(), entries);
    }
    lists
}

/// The name of the keys of this list, as this sender's: where the policy says the algorithm, those of each are by themselves, so
/// that routes with different ones may share a list and each has keys of its own kind.
pub(super) fn keys_of(list: &str, provider: &Provider, config: &Config) -> String {
    match provider.scheme.algorithm_said(config) {
        Some(said) => format!("{list}/{}/{}", provider.name, said.name()),
        None => format!("{list}/{}", provider.name),
    }
}

/// The name of the keys that this vendor publishes.
pub(super) fn published_by(provider: &Provider) -> String {
    format!("{PUBLISHED}/{}", provider.name)
}

/// The vendors whose published keys some route takes, as issuers that nobody else can name.
pub(super) fn publishers(routes: &[Route]) -> Vec<IssuerReference> {
    let mut found: Vec<IssuerReference> = Vec::new();
    for webhook in routes.iter().filter_map(|route| route.sender.webhook()) {
        let Some((url, algorithms)) = webhook.provider.scheme.published() else { continue };
        let name = published_by(&webhook.provider);
        if webhook.keys == name && found.iter().all(|known| known.name != name) {
            let keys = IssuerKeys::Jwks(Jwks { url: url.to_owned(), private: false, refresh: REFRESH, stale: STALE });
            found.push(IssuerReference { name, algorithms: algorithms.to_vec(), keys });
        }
    }
    found
}

/// One reference for each pair of keys and provider: two providers may write one text and mean two keys.
pub(super) fn key_references(lists: &KeyLists, routes: &[Route], notes: &mut Notes<'_>) -> Vec<KeyReference> {
    let mut references: Vec<KeyReference> = Vec::new();
    for route in routes {
        let Sender::Webhook(webhook) = &route.sender else { continue };
        for name in webhook.each_keys() {
            if references.iter().any(|reference| reference.name == *name) {
                continue;
            }
            let Some(entries) = name.split('/').next().and_then(|list| lists.get(list)) else { continue };
            let kind = match &webhook.verify_token {
                Some(token) if token == name => KeyKind::VerifyToken,
                Some(_) | None if name.ends_with(CONFIRM) => KeyKind::Api,
                Some(_) | None => {
                    let said = webhook.provider.scheme.algorithm_said(&webhook.config);
                    KeyKind::Signatures(webhook.provider.clone(), said)
                }
            };
            check_handed(name, &kind, lists, notes);
            references.push(KeyReference { name: name.clone(), kind, entries: entries.clone() });
        }
    }
    for name in lists.keys() {
        let of_list = references.iter().filter(|reference| reference.name.split('/').next() == Some(name));
        let kinds = of_list.filter_map(|reference| match &reference.kind {
            KeyKind::Signatures(provider, said) => {
                let is_shared = said.map_or(provider.scheme.shares_its_key(), Algorithm::is_symmetric);
                let alg = said.map_or_else(String::new, |said| format!(" (`{}`)", said.name()));
                Some((is_shared, format!("`{}`{alg}", provider.name)))
            }
            KeyKind::VerifyToken | KeyKind::Api => None,
        });
        let (shared, public): (Vec<_>, Vec<_>) = kinds.partition(|(is_shared, _)| *is_shared);
        if let (Some((_, shared)), Some((_, public))) = (shared.first(), public.first()) {
            let node = notes.members("/keys").find(|(list, _)| *list == name).map(|(_, node)| node);
            let message = format!(
                "routes of {shared} share a secret with their sender, and those of {public} have its public key, which everybody may have: no key is both; write a list for each"
            );
            notes.wrong(node, message);
        }
    }
    for (name, entries) in lists {
        let used = references.iter().any(|reference| reference.name.split('/').next() == Some(name));
        let node = notes.members("/keys").find(|(list, _)| *list == name).map(|(_, node)| node);
        // Of keys that were refused, and of what is no list, the cause has been told.
        let wrote_none = node.is_none_or(|node| matches!(&node.kind, Kind::Array(items) if items.is_empty()));
        if used && entries.is_empty() && wrote_none {
            notes.wrong(node, format!("there is no key in `{name}`; write `- {{ id: live, from: env:NAME }}`"));
        }
    }
    references
}

/// A key is handed over where its sender does such a thing, each into a file of its own: what one sender hands over must not
/// take the place of another's key.
fn check_handed(name: &str, kind: &KeyKind, lists: &KeyLists, notes: &mut Notes<'_>) {
    let list = name.split('/').next().unwrap_or_default();
    let is_handed_over = match kind {
        KeyKind::Signatures(provider, _) => provider.handshakes.iter().any(Handshake::hands_over),
        KeyKind::VerifyToken | KeyKind::Api => false,
    };
    let places = || {
        let entries = lists.iter().flat_map(|(list, entries)| entries.iter().enumerate().map(move |it| (list, it)));
        entries.map(|(list, (index, entry))| ((list.as_str(), index), &entry.from))
    };
    let here = places().filter(|((known, _), _)| *known == list);
    for (index, path) in here.filter_map(|((_, index), from)| Some((index, handed(from)?))) {
        let is_taken = places().any(|(place, from)| match from {
            Reference::Handed(other) => other == path && place < (list, index),
            Reference::File(other) => other == path,
            Reference::Env(_) => false,
        });
        let at = notes.find(&format!("/keys/{}/{index}/from", json::escape(list)));
        if !is_handed_over {
            let whose = match kind {
                KeyKind::Signatures(provider, _) => format!("`{}` hands no key over", provider.name),
                KeyKind::VerifyToken | KeyKind::Api => "nobody hands such a word over".to_owned(),
            };
            notes.wrong(at, format!("{whose}; put it into a file, and write `file:{}`", path.display()));
        } else if is_taken {
            notes.wrong(at, "another key is kept in this file already; each needs one of its own");
        }
    }
}

fn handed(from: &Reference) -> Option<&Path> {
    match from {
        Reference::Handed(path) => Some(path),
        Reference::Env(_) | Reference::File(_) => None,
    }
}

/// Behind the name of a list whose key a vendor's API wants. No provider can be called so.
pub(super) const CONFIRM: &str = "/confirm_key";

impl Provider {
    /// Whether the same bytes again are the same event again, and are told by what was signed.
    pub fn tells_identical(&self) -> bool {
        self.identical == Identical::Repeat && self.scheme.coverage().body
    }

    /// Whether the signature covers the sender's own name for an event.
    pub fn names_events(&self) -> bool {
        !self.event_key.is_empty() || self.scheme.coverage().id
    }

    /// Whether anything tells a repeat from a new event.
    pub fn tells_repeats(&self) -> bool {
        self.tells_identical() || self.names_events()
    }
}
