//! Text in, [`Policy`] or everything that is wrong with it out. Pure: no disk, no socket, no clock, no environment.

use super::{
    Destination, KeyReference, Policy, Route,
    destinations::{DEFAULT_DESTINATION, destinations, foreign_hosts},
    floor::{Floor, Lifted},
    issuers::{identity, issuers},
    merge::{merge, merged},
    notes::Notes,
    report::{Note, Report, Severity},
    rollout::rollout,
    route::{RouteCompiler, Surroundings},
    senders::{Senders, key_lists, key_references, publishers},
    settings::settings,
    source::{Source, Texts},
    text::RouteText,
    units::ReferenceText,
    variables,
};
use crate::{
    clock::Timestamp,
    guard::{Guards, Selector},
    json::{Language, Node},
    verify::Catalogue,
};
use std::{net::SocketAddr, path::PathBuf, sync::Arc};

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
    /// An exception that has ended is enforced instead of told as a mistake: a gate that runs goes on, and is stricter
    /// from then on.
    pub ended_enforces: bool,
}

/// A policy in order.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// What requests see.
    pub policy: Policy,
    /// What may not be meant as it is written.
    pub warnings: Report,
}

/// Compiles a policy: first the language of each file, then the meaning of all of them together.
///
/// # Errors
/// Everything that is wrong with it, with the warnings.
pub fn compile(
    source: &Source,
    catalogue: &Catalogue,
    overrides: &Overrides,
    now: Timestamp,
) -> Result<Compiled, Report> {
    let texts = Texts::of(source);
    let (senders, mut found) = Senders::read(catalogue, &texts);
    found.extend(texts.unreadable().map(|wrong| Note { wrong: wrong.clone(), severity: Severity::Error }));
    let document = merge(&texts, &mut found);
    let policy = document.as_ref().map(|document| {
        let mut notes = Notes::new(document, &texts, std::mem::take(&mut found));
        let policy = policy(source, &senders, overrides, now, &mut notes);
        found = notes.found;
        variables::told(document, &texts, &mut found);
        policy
    });
    let broken = found.iter().any(|note| note.severity == Severity::Error);
    let report = Report::new(&texts, found);
    match policy {
        Some(policy) if !broken => Ok(Compiled { policy, warnings: report }),
        Some(_) | None => Err(report),
    }
}

/// What was found of a value of a policy outside of its files: in what it names.
pub fn found(source: &Source, pointer: &str, severity: Severity, message: impl Into<String>) -> Report {
    found_all(source, [(Some(pointer.to_owned()), severity, message.into())])
}

/// As [`found`], of several values; what stands nowhere is told of the whole.
pub fn found_all(source: &Source, found: impl IntoIterator<Item = (Option<String>, Severity, String)>) -> Report {
    let texts = Texts::of(source);
    let Some(document) = merged(&texts) else { return Report::default() };
    let mut notes = Notes::new(&document, &texts, Vec::new());
    for (pointer, severity, message) in found {
        let node = pointer.and_then(|pointer| notes.find(&pointer));
        match severity {
            Severity::Error => notes.wrong(node, message),
            Severity::Warning => notes.warn(node, message),
        }
    }
    Report::new(&texts, notes.found)
}

fn policy(
    source: &Source,
    senders: &Senders<'_>,
    overrides: &Overrides,
    now: Timestamp,
    notes: &mut Notes<'_>,
) -> Policy {
    let settings = settings(overrides, notes);
    let secret = notes.find("/secret").and_then(|node| {
        let ReferenceText(secret) = notes.decode(node)?;
        notes.check_reference(&secret, Some(node));
        Some(secret)
    });
    let lists = key_lists(now, notes);
    let (terms, mut issuers) = issuers(notes);
    let identity = identity(settings.public_url.as_deref(), notes);
    let destinations = destinations(notes);
    foreign_hosts(&destinations, settings.public_url.as_deref(), notes);
    let floor = Floor::read(now, overrides.ended_enforces, notes);
    let library = source.library();
    let (mut routes, mut ends) = {
        let around = Surroundings {
            library: &library,
            now,
            senders,
            keys: notes.members("/keys").map(|(name, _)| name.as_str()).collect(),
            issuers: &terms,
            named_issuers: notes.members("/issuers").map(|(name, _)| name.as_str()).collect(),
            destinations: notes.members("/destinations").map(|(name, _)| name.as_str()).collect(),
            places: &destinations,
            classes: notes.members("/classes").map(|(name, _)| name.as_str()).collect(),
            public_url: settings.public_url.as_deref(),
            bodies_bytes: settings.limits.bodies_bytes,
            spool_bytes: settings.spool.bytes,
        };
        routes(&around, &floor, notes)
    };
    ends.extend(rollout(&mut routes, &source.schemas, now, notes));
    issuers.extend(publishers(&routes));
    let keys = key_references(&lists, &routes, notes);
    if !notes.is_broken() {
        // A misspelt name would make its right spelling look unused.
        unused(&routes, &destinations, &keys, notes);
    }
    let observed = routes.iter().zip(0..).filter(|(route, _)| route.is_observed()).map(|(_, index)| index);
    let guards = Guards::trying(routes.iter().map(|route| route.at.clone()).zip(0..), observed);
    let routes = routes.into_iter().map(Arc::new).collect();
    let changes_at = ends.into_iter().min();
    let digest = source.digest();
    let is_used = |list: &str| keys.iter().any(|reference| reference.name.split('/').next() == Some(list));
    let spare_keys = lists.into_keys().filter(|list| !is_used(list)).collect();
    Policy { digest, settings, routes, destinations, keys, spare_keys, issuers, identity, secret, guards, changes_at }
}

/// The routes, and when exceptions end.
fn routes(around: &Surroundings<'_>, floor: &Floor, notes: &mut Notes<'_>) -> (Vec<Route>, Vec<Timestamp>) {
    let language = match Language::of::<RouteText>() {
        Ok(language) => language,
        Err(broken) => {
            notes.push(broken, Severity::Error);
            return (Vec::new(), Vec::new());
        }
    };
    let mut written: Vec<_> = notes.members("/routes").collect();
    // The tree sorts by name; people read in the order of the files.
    written.sort_by_key(|(_, node)| node.at.start);
    let (mut routes, mut ends): (Vec<Route>, Vec<Timestamp>) = (Vec::new(), Vec::new());
    let mut places: Vec<(&str, Selector)> = Vec::new();
    let count = written.len();
    for (name, node) in written {
        notes.check_name(name, node);
        around.check_names(node, notes);
        if notes.is_of_routes(node) && node.find("/owner").is_none() {
            notes.misnamed(node, "who is asked about this route? write `owner: { team: ... }`, here or in its class");
        }
        let text = notes.decode_as::<RouteText>(&language, node);
        let text = text.filter(|text| around.has_class(text.class.as_deref()));
        let mut compiler = RouteCompiler { around, name, node, notes };
        let at = match &text {
            Some(text) => compiler.at(&text.at),
            None => compiler.refused(),
        };
        if let Some(at) = &at {
            compiler.shadowed(at, &places);
            places.push((name, at.clone()));
        }
        let Some(text) = text else { continue };
        let exception = text.exception.clone().map(|exception| {
            let lifted = floor.lifted(&exception, node, notes);
            (exception, lifted)
        });
        let Some(mut route) = (RouteCompiler { around, name, node, notes }).compile(text, at.clone()) else { continue };
        if let Some((exception, Lifted::Ended)) = &exception
            && let Some(node) = floor.restored(&route, node, exception.from, notes)
            && let Some(text) = notes.decode_as::<RouteText>(&language, &node)
            && let Some(held) = (RouteCompiler { around, name, node: &node, notes }).compile(text, at)
        {
            route = held;
        }
        let exception = exception.as_ref().map(|(exception, lifted)| (exception, *lifted));
        floor.hold(&route, node, exception, notes);
        if let Some((_, Lifted::Until(until))) = exception {
            ends.push(until);
        }
        routes.push(route);
    }
    if routes.len() < count && !notes.is_broken() {
        // A route that is left out without a word would be an endpoint without a guard.
        notes.wrong(None, "a route got lost; this is a fault of the compiler");
    }
    (routes, ends)
}

/// What is written and not used is more often a slip than a plan.
fn unused(routes: &[Route], destinations: &[Destination], keys: &[KeyReference], notes: &mut Notes<'_>) {
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
    for (name, node) in notes.members("/issuers") {
        let mut tokens = routes.iter().filter_map(|route| route.sender.tokens());
        if !tokens.any(|tokens| tokens.rule.issuer().terms().name == **name) {
            notes.warn_name(Some(node), "no route takes its tokens");
        }
    }
    for (name, node) in notes.members("/classes") {
        if !routes.iter().any(|route| route.class.as_deref() == Some(name.as_str())) {
            notes.warn_name(Some(node), "no route has this class");
        }
    }
    for (name, node) in notes.members("/keys") {
        let resolved = keys.iter().any(|reference| reference.name.split('/').next() == Some(name));
        if !resolved && !named.iter().any(|named| named == name) {
            notes.warn_name(Some(node), "no route uses these keys");
        }
    }
}
