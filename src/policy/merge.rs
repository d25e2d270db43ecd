//! Many files become one tree: the stage over the gate, the class under the route.
//!
//! One rule holds in both places: a key that is written nearer replaces the whole key that is written further away.
//! There is no deep merge, no merge of lists and no include. What is merged are nodes, so that a mistake made in a class
//! is shown in the class, however many routes have it.

use super::{
    report::{Note, Severity},
    source::{FileKind, Texts},
    text::{ELSEWHERE_ENV, ELSEWHERE_GATE, ELSEWHERE_ROUTES, EnvText, GateText, RoutesText},
};
use crate::json::{
    Document, Kind, Language, Node, Text, Wrong,
    language::{Hint, way_out},
};
use schemars::JsonSchema;
use std::collections::BTreeMap;

/// The whole policy in the shape of one `gate.yaml`, classes dissolved. `None` where a file that everything else depends
/// on cannot be read, which is told elsewhere.
pub(super) fn merge(texts: &Texts<'_>, found: &mut Vec<Note>) -> Option<Document> {
    check::<GateText>(texts, FileKind::Gate, ELSEWHERE_GATE, found);
    check::<RoutesText>(texts, FileKind::Routes, ELSEWHERE_ROUTES, found);
    check::<EnvText>(texts, FileKind::Env, ELSEWHERE_ENV, found);
    let mut merge = Merge { texts, found };
    let gate = texts.of_kind(FileKind::Gate).next()?.tree()?;
    let mut members = members_of(&gate.root)?;
    for placed in texts.of_kind(FileKind::Env) {
        let env = placed.tree()?.root.members();
        let fixed = |name: &str| matches!(name, "classes" | "floor");
        members.extend(env.filter(|(name, _)| !fixed(name)).map(|(name, node)| (name.clone(), node.clone())));
    }
    let routes = merge.routes(&members, &gate.root);
    let classes = members.get("classes").and_then(members_of).unwrap_or_default();
    let routes: Members = routes.into_iter().map(|(name, route)| (name, merge.dissolve(route, &classes))).collect();
    let at = members.get("routes").unwrap_or(&gate.root).at.clone();
    members.insert(Text::new("routes"), Node { at, kind: Kind::Object(routes.into()) });
    let root = Node { at: gate.root.at.clone(), kind: Kind::Object(members.into()) };
    Some(Document::joined(root, texts.iter().filter_map(|placed| placed.tree().cloned())))
}

/// The files of a policy as one tree, without a word of what may be wrong with them.
pub(super) fn merged(texts: &Texts<'_>) -> Option<Document> {
    merge(texts, &mut Vec::new())
}

/// Everything in these files that is not in their language.
fn check<T: JsonSchema>(texts: &Texts<'_>, kind: FileKind, elsewhere: &[Hint], found: &mut Vec<Note>) {
    let mut error = |wrong| found.push(Note { wrong, severity: Severity::Error });
    let mut language = None;
    for placed in texts.of_kind(kind) {
        let Some(document) = placed.tree() else { continue };
        let hinted = |language: Language| language.with_hints(elsewhere);
        match language.get_or_insert_with(|| Language::of::<T>().map(hinted)) {
            Ok(language) => language.check(document).into_iter().for_each(&mut error),
            Err(broken) => error(broken.clone()),
        }
    }
}

fn members_of(node: &Node) -> Option<Members> {
    let Kind::Object(members) = &node.kind else { return None };
    Some(members.iter().map(|(name, node)| (name.clone(), node.clone())).collect())
}

struct Merge<'a, 'f> {
    texts: &'a Texts<'a>,
    found: &'f mut Vec<Note>,
}

type Members = BTreeMap<Text, Node>;

impl Merge<'_, '_> {
    /// Those of the gate's own file (or of the stage's, in their place), and those of `routes/`.
    fn routes(&mut self, members: &Members, root: &Node) -> Members {
        let mut routes: Members = members.get("routes").and_then(members_of).unwrap_or_default();
        let mut files = 0;
        for placed in self.texts.of_kind(FileKind::Routes) {
            files += 1;
            let Some(document) = placed.tree() else { continue };
            for (name, node) in document.root.find("/routes").into_iter().flat_map(Node::members) {
                if let Some(other) = routes.get(name) {
                    let place = document.name(node).unwrap_or_else(|| node.at.clone());
                    let line = self.texts.line(other.at.start);
                    let message =
                        format!("another route is called `{name}`, at {line}; give this one a name of its own");
                    self.wrong(Wrong::new(place, message));
                } else {
                    routes.insert(name.clone(), node.clone());
                }
            }
        }
        if files == 0 && !members.contains_key("routes") {
            self.wrong(Wrong::new(root.at.clone(), "`routes` is missing; write them here, or in files in `routes/`"));
        }
        routes
    }

    /// The route with its class's keys under its own.
    fn dissolve(&mut self, route: Node, classes: &Members) -> Node {
        let Some(named) = route.find("/class") else { return route };
        let Some(name) = named.text() else { return route };
        let Some(class) = classes.get(name) else {
            let way_out = if classes.is_empty() {
                format!("; write `classes: {{ {name}: {{ ... }} }}` in `gate.yaml`")
            } else {
                way_out(name, classes.keys().map(Text::as_str))
            };
            let message = format!("no class is called `{name}`{way_out}");
            self.wrong(Wrong::new(named.at.clone(), message));
            return route;
        };
        let mut members = members_of(class).unwrap_or_default();
        members.extend(members_of(&route).unwrap_or_default());
        Node { at: route.at, kind: Kind::Object(members.into()) }
    }

    fn wrong(&mut self, wrong: Wrong) {
        self.found.push(Note { wrong, severity: Severity::Error });
    }
}
