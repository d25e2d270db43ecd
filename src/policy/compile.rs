//! Text in, [`Policy`] or everything that is wrong with it out. Pure: no disk, no socket, no clock, no environment.

use super::{
    Destination, KeyReference, Policy, Route,
    destinations::destinations,
    hidden::hidden,
    notes::Notes,
    report::{Note, Noted, Report, Severity},
    route::{RouteCompiler, Surroundings},
    senders::{Senders, key_lists, key_references},
    settings::settings,
    text::{FileText, LATER, RouteText},
    units::ReferenceText,
};
use crate::{
    clock::Timestamp,
    guard::{Guards, Selector},
    json::{Language, Node, language::schema_of, read_yaml},
    verify::Catalogue,
};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use std::{net::SocketAddr, path::PathBuf, sync::Arc};

/// The texts of one policy.
#[derive(Clone, Debug)]
pub struct Source {
    /// `gate.yaml`.
    pub main: TextFile,
    /// The files of `providers/` beside it.
    pub providers: Vec<TextFile>,
}

/// One file, read.
#[derive(Clone, Debug)]
pub struct TextFile {
    /// Its name as reports show it.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// What the command line says instead of the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--upstream URL`: the origin's.
    pub upstream: Option<String>,
    /// `--listen ADDR`: plain listeners in the place of the file's.
    pub listen: Vec<SocketAddr>,
    /// `--admin ADDR`.
    pub admin: Option<SocketAddr>,
    /// `--spool FOLDER`.
    pub spool: Option<PathBuf>,
}

/// A policy in order.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// What requests see.
    pub policy: Policy,
    /// What may not be meant as it is written.
    pub warnings: Report,
}

impl Source {
    /// A policy of one file.
    pub fn one(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { main: TextFile { name: name.into(), text: text.into() }, providers: Vec::new() }
    }

    /// Names this policy: a digest over all of its texts, wherever they lie.
    fn digest(&self) -> String {
        let mut digest = Sha256::new();
        let mut add = |text: &str| {
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text.as_bytes());
        };
        add(&self.main.text);
        for provider in &self.providers {
            add(provider.name.rsplit('/').next().unwrap_or_default());
            add(&provider.text);
        }
        HEXLOWER.encode(&digest.finalize())
    }
}

/// The language as a JSON Schema, for editors.
pub fn language() -> serde_json::Value {
    schema_of::<FileText>()
}

/// Compiles a policy: first the language, then the meaning of what is in the language.
///
/// # Errors
/// Everything that is wrong with it, with the warnings.
pub fn compile(
    source: &Source,
    catalogue: &Catalogue,
    overrides: &Overrides,
    now: Timestamp,
) -> Result<Compiled, Report> {
    let (senders, mut found) = Senders::read(catalogue, &source.providers);
    let document = read_yaml(&source.main.text);
    let hidden = hidden(&source.main.text, document.as_ref().ok());
    let policy = match &document {
        Ok(document) => {
            let mut notes = Notes::new(document);
            let policy = policy(source, &senders, overrides, now, &mut notes);
            found.extend(notes.found);
            policy
        }
        Err(unreadable) => {
            found.push(Note { file: 0, wrong: unreadable.clone(), severity: Severity::Error });
            None
        }
    };
    let broken = found.iter().any(|note| note.severity == Severity::Error);
    let texts = std::iter::once((&source.main, hidden)).chain(source.providers.iter().map(|file| (file, Vec::new())));
    let texts: Vec<_> = texts.map(|(file, hidden)| Noted { file: &file.name, text: &file.text, hidden }).collect();
    let report = Report::new(&texts, found);
    match policy {
        Some(policy) if !broken => Ok(Compiled { policy, warnings: report }),
        Some(_) | None => Err(report),
    }
}

/// `None` only where something wrong was told.
#[expect(clippy::unnecessary_wraps, reason = "a policy that is refused whole comes with later keys")]
fn policy(
    source: &Source,
    senders: &Senders<'_>,
    overrides: &Overrides,
    now: Timestamp,
    notes: &mut Notes<'_>,
) -> Option<Policy> {
    match Language::of::<FileText>() {
        Ok(language) => {
            let document = language.with_later(LATER).check(notes.document());
            for wrong in document {
                notes.push(wrong, Severity::Error);
            }
        }
        Err(broken) => notes.push(broken, Severity::Error),
    }
    let settings = settings(overrides, notes);
    let secret = notes.find("/secret").and_then(|node| {
        let ReferenceText(secret) = notes.decode(node)?;
        notes.check_reference(&secret, Some(node));
        Some(secret)
    });
    let lists = key_lists(now, notes);
    let destinations = destinations(notes);
    let routes = {
        let around = Surroundings {
            senders,
            keys: notes.members("/keys").map(|(name, _)| name.as_str()).collect(),
            destinations: notes.members("/destinations").map(|(name, _)| name.as_str()).collect(),
            public_url: settings.public_url.as_deref(),
            bodies_bytes: settings.limits.bodies_bytes,
            spool_bytes: settings.spool.bytes,
        };
        routes(&around, notes)
    };
    let keys = key_references(&lists, &routes, notes);
    if !notes.is_broken() {
        // A misspelt name would make its right spelling look unused.
        unused(&destinations, &keys, notes);
    }
    let guards = Guards::new(routes.iter().map(|route| route.at.clone()).zip(0..));
    let routes = routes.into_iter().map(Arc::new).collect();
    Some(Policy { digest: source.digest(), settings, routes, destinations, keys, secret, guards })
}

fn routes(around: &Surroundings<'_>, notes: &mut Notes<'_>) -> Vec<Route> {
    let language = match Language::of::<RouteText>() {
        Ok(language) => language,
        Err(broken) => {
            notes.push(broken, Severity::Error);
            return Vec::new();
        }
    };
    let mut written: Vec<(&String, &Node)> = notes.members("/routes").collect();
    // The tree sorts by name; people read in the order of the file.
    written.sort_by_key(|(_, node)| node.at.start);
    let mut routes: Vec<Route> = Vec::new();
    let mut places: Vec<(&str, Selector)> = Vec::new();
    let count = written.len();
    for (name, node) in written {
        notes.check_name(name, node);
        around.check_names(node, notes);
        let text = notes.decode_as::<RouteText>(&language, node);
        let mut route = RouteCompiler { around, name, node, notes };
        let at = match &text {
            Some(text) => route.at(&text.at),
            None => route.refused(),
        };
        if let Some(at) = &at {
            route.shadowed(at, &places);
            places.push((name, at.clone()));
        }
        routes.extend(text.and_then(|text| route.compile(text, at)));
    }
    if routes.len() < count && !notes.is_broken() {
        // A route that is left out without a word would be an endpoint without a guard.
        notes.wrong(None, "a route got lost; this is a fault of the compiler");
    }
    routes
}

/// What is written and not used is more often a slip than a plan.
fn unused(destinations: &[Destination], keys: &[KeyReference], notes: &mut Notes<'_>) {
    let used: Vec<String> = notes
        .members("/routes")
        .filter_map(|(_, route)| route.find("/deliver/to"))
        .flat_map(|to| (0..).map_while(|index| to.find(&format!("/{index}"))).collect::<Vec<_>>())
        .filter_map(|name| Some(name.text()?.to_owned()))
        .collect();
    let by_default = notes.members("/routes").any(|(_, route)| route.find("/deliver/to").is_none());
    for destination in destinations {
        let meant = by_default && destination.name == DEFAULT_DESTINATION;
        if !meant && !used.contains(&destination.name) {
            let node = notes.members("/destinations").find(|(name, _)| **name == destination.name);
            notes.warn_name(node.map(|(_, node)| node), "no route delivers here");
        }
    }
    let named: Vec<String> = notes
        .members("/routes")
        .filter_map(|(_, route)| route.find("/sender/keys").and_then(Node::text).map(str::to_owned))
        .collect();
    for (name, node) in notes.members("/keys") {
        let resolved = keys.iter().any(|reference| reference.name.split('/').next() == Some(name));
        if !resolved && !named.contains(name) {
            notes.warn_name(Some(node), "no route uses these keys");
        }
    }
}

/// The one that a route may leave out of `to`.
pub(super) const DEFAULT_DESTINATION: &str = "wordpress";
