//! What takes effect in the end, value by value, and where each was written: the policy as one file without classes and
//! stages, which compiles to the same policy.

use super::{
    Delivery, HostFrom, Place, Policy, Route, Sender, Settings, Tokens,
    compile::Overrides,
    floor::Floor,
    flow::flow,
    merge::merged,
    notes::Notes,
    source::{Source, Texts},
    units::{written_rate, written_size, written_time},
};
use crate::{
    clock::Timestamp,
    json::{Document, Kind, Node},
    repeat::Window,
};
use serde_json::Value;
use std::fmt::Write as _;

/// Writes a compiled policy as YAML, with a comment on each value that says where it comes from: the whole of it, or of
/// one route what concerns it. `None` if there is no such route.
pub fn effective(source: &Source, policy: &Policy, overrides: &Overrides, route: Option<&str>) -> Option<String> {
    let texts = Texts::of(source);
    let document = merged(&texts)?;
    let mut notes = Notes::new(&document, &texts, Vec::new());
    // What is over has been told, or is enforced: here it matters only what holds.
    let floor = Floor::read(Timestamp::from_unix_s(0), true, &mut notes);
    let sheet = Sheet { texts: &texts, document: &document, floor };
    let mut root = Branch::default();
    let wanted = |name: &str| route.is_none_or(|route| route == name);
    let routes: Vec<_> = policy.routes.iter().filter(|route| wanted(&route.name)).collect();
    if route.is_some() && routes.is_empty() {
        return None;
    }
    if route.is_none() {
        for key in
            ["public_url", "listeners", "origin", "trusted_proxies", "spool", "admin", "edge", "secret", "identity"]
        {
            if let Some(node) = document.root.find(&format!("/{key}")) {
                root.put(key, sheet.tree(node));
            }
        }
        settings(&policy.settings, overrides, &mut root);
    }
    let mut written = Branch::default();
    for route in &routes {
        written.put(&route.name, Tree::Branch(sheet.route(route)));
    }
    root.put("routes", Tree::Branch(written));
    let keys = |name: &str| {
        routes
            .iter()
            .filter_map(|route| route.sender.webhook())
            .any(|webhook| webhook.each_keys().any(|keys| keys.split('/').next() == Some(name)))
    };
    let destinations = |name: &str| {
        routes.iter().any(|route| match &route.delivery {
            Delivery::Queue { to, .. } => to.iter().any(|to| to == name),
            Delivery::Direct { to, .. } => to == name,
            Delivery::Relay => false,
        })
    };
    sheet.named("keys", |name| route.is_none() || keys(name), &mut root);
    let issuers = |name: &str| {
        let mut tokens = routes.iter().filter_map(|route| route.sender.tokens());
        tokens.any(|tokens| tokens.rule.issuer().terms().name == name)
    };
    sheet.named("issuers", |name| route.is_none() || issuers(name), &mut root);
    sheet.named("destinations", |name| route.is_none() || destinations(name), &mut root);
    hosts(policy, &mut root);
    sheet.named("rollout", |name| routes.iter().any(|route| *route.name == *name), &mut root);
    let mut text = String::new();
    root.write(0, &mut text);
    Some(aligned(&text))
}

/// One value, or several by name, in the order in which they are shown.
enum Tree {
    Leaf {
        text: String,
        origin: String,
    },
    /// Each on a line of its own.
    Items(Vec<(String, String)>),
    Branch(Branch),
    /// What is to be known of the values beside it, in words; its name is none.
    Note(String),
}

#[derive(Default)]
struct Branch(Vec<(String, Tree)>);

struct Sheet<'a> {
    texts: &'a Texts<'a>,
    document: &'a Document,
    floor: Floor,
}

impl Sheet<'_> {
    fn line(&self, node: &Node) -> String {
        self.texts.line(self.document.place(node).start)
    }

    fn tree(&self, node: &Node) -> Tree {
        match &node.kind {
            Kind::Object(members) if !members.is_empty() => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_by_key(|(_, node)| node.at.start);
                Tree::Branch(Branch(members.iter().map(|(name, node)| (name.to_string(), self.tree(node))).collect()))
            }
            Kind::Array(items) if items.iter().any(|item| matches!(item.kind, Kind::Object(_))) => {
                Tree::Items(items.iter().map(|item| (flow(&item.to_value()), self.line(item))).collect())
            }
            Kind::Object(_) | Kind::Array(_) | Kind::String(_) | Kind::Number(_) | Kind::Bool(_) | Kind::Null => {
                Tree::Leaf { text: flow(&node.to_value()), origin: self.line(node) }
            }
        }
    }

    fn named(&self, section: &str, wanted: impl Fn(&str) -> bool, root: &mut Branch) {
        let members = self.document.root.find(&format!("/{section}")).into_iter().flat_map(Node::members);
        let mut members: Vec<_> = members.filter(|(name, _)| wanted(name)).collect();
        members.sort_by_key(|(_, node)| node.at.start);
        let branch: Vec<_> = members.iter().map(|(name, node)| (name.to_string(), self.tree(node))).collect();
        if !branch.is_empty() {
            root.put(section, Tree::Branch(Branch(branch)));
        }
    }

    fn route(&self, route: &Route) -> Branch {
        let node = self.document.root.find(&format!("/routes/{}", crate::json::escape(&route.name)));
        let mut branch = match node.map(|node| self.tree(node)) {
            Some(Tree::Branch(branch)) => branch,
            Some(Tree::Leaf { .. } | Tree::Items(_) | Tree::Note(_)) | None => Branch::default(),
        };
        // Dissolved, and lifted, already.
        branch.0.retain(|(name, _)| !matches!(name.as_str(), "class" | "exception"));
        let notes = self.floor.told(route, node, |node| self.line(node)).into_iter();
        branch.0.splice(..0, notes.map(|note| (String::new(), Tree::Note(note))));
        let sender = match &route.sender {
            Sender::Webhook(webhook) => {
                let sender = format!("sender `{}`", webhook.provider().name);
                if let Window::Signed { max_age, max_future } = webhook.window() {
                    branch.add("sender/max_age", written_time(max_age), &sender);
                    branch.add("sender/max_future", written_time(max_future), &sender);
                }
                sender
            }
            Sender::Token(Tokens { rule, forward, .. }) => {
                let issuer = format!("issuer `{}`", rule.issuer().terms().name);
                let audience = rule.issuer().terms().audiences.concat();
                branch.add("sender/audience", flow(&Value::from(audience)), &issuer);
                branch.add("sender/forward", forward.to_string(), DEFAULT);
                DEFAULT.to_owned()
            }
        };
        // Where there are several, no key could say so.
        if let [method] = route.admit.methods.as_slice() {
            branch.add("admit/method", method.to_string(), DEFAULT);
        }
        branch.add("admit/body", written_size(route.admit.body_limit_bytes as u64), DEFAULT);
        if let Some(rate) = route.limits.per_address {
            branch.add("limits/per_address", written_rate(rate), DEFAULT);
        }
        if route.sender.webhook().is_some_and(|webhook| webhook.provider().tells_repeats()) {
            branch.add("repeats/remember", written_time(route.remember), &sender);
        }
        match &route.delivery {
            Delivery::Queue { to, form } => {
                branch.add("deliver/via", "queue".to_owned(), DEFAULT);
                branch.add("deliver/to", flow(&Value::from(to.clone())), DEFAULT);
                branch.add("deliver/form", form.name().to_owned(), DEFAULT);
            }
            Delivery::Direct { to, form } => {
                branch.add("deliver/via", "direct".to_owned(), DEFAULT);
                branch.add("deliver/to", flow(&Value::from(vec![to.clone()])), DEFAULT);
                branch.add("deliver/form", form.name().to_owned(), DEFAULT);
            }
            Delivery::Relay => branch.add("deliver/via", "relay".to_owned(), DEFAULT),
        }
        if !route.streams() {
            branch.add("answer_by", written_time(route.answer_by), &sender);
        }
        branch
    }
}

/// No key of a destination says which Host it is sent where it does not say so itself.
fn hosts(policy: &Policy, root: &mut Branch) {
    let public_url = policy.settings.public_url.as_deref();
    for destination in &policy.destinations {
        let Place::Http(http) = &destination.place else { continue };
        let sent = http.sent_host(public_url);
        let branch = root.branch("destinations").and_then(|all| all.branch(&destination.name));
        if let (HostFrom::Site | HostFrom::Url, Some(branch)) = (sent.from, branch) {
            branch.0.push((String::new(), Tree::Note(format!("host: {sent}"))));
        }
    }
}

const DEFAULT: &str = "default";

fn settings(settings: &Settings, overrides: &Overrides, root: &mut Branch) {
    let Settings { listeners, origin, spool, admin, limits, .. } = settings;
    let from = |given: bool, option: &'static str| if given { option } else { DEFAULT };
    if !overrides.listen.is_empty() {
        root.0.retain(|(name, _)| name != "listeners");
    }
    if !root.0.iter().any(|(name, _)| name == "listeners") {
        let on = |on: String| format!("{{ on: {} }}", flow(&Value::from(on)));
        let origin = from(!overrides.listen.is_empty(), "--listen");
        let items = listeners.iter().map(|listener| (on(listener.on.to_string()), origin.to_owned()));
        root.put("listeners", Tree::Items(items.collect()));
    }
    let text = |text: &str| flow(&Value::from(text));
    root.replace("origin/url", text(&origin.url), overrides.upstream.is_some().then_some("--upstream"));
    root.add("origin/concurrency", origin.concurrency.to_string(), DEFAULT);
    root.add("origin/websocket", origin.websocket.to_string(), DEFAULT);
    root.add("origin/first_byte", written_time(origin.first_byte), DEFAULT);
    let folder = text(&spool.folder.display().to_string());
    root.replace("spool/folder", folder, overrides.spool.is_some().then_some("--spool"));
    root.add("spool/bytes", written_size(spool.bytes), DEFAULT);
    root.add("spool/free", written_size(spool.free), DEFAULT);
    root.replace("admin/on", text(&admin.to_string()), overrides.admin.is_some().then_some("--admin"));
    let times = [
        ("header", limits.header),
        ("body_idle", limits.body_idle),
        ("answer_idle", limits.answer_idle),
        ("keepalive", limits.keepalive),
        ("handshake", limits.handshake),
        ("drain", limits.drain),
    ];
    for (key, time) in times {
        root.add(&format!("edge/{key}"), written_time(time), DEFAULT);
    }
    root.add("edge/body_rate", format!("{}/s", written_size(limits.body_rate_bytes_per_s)), DEFAULT);
    let sizes = [
        ("head", limits.head_bytes),
        ("target", limits.target_bytes),
        ("field", limits.field_bytes),
        ("bodies", limits.bodies_bytes),
        ("answers", limits.answers_bytes),
    ];
    for (key, bytes) in sizes {
        root.add(&format!("edge/{key}"), written_size(bytes as u64), DEFAULT);
    }
    let counts = [
        ("fields", limits.fields),
        ("connections", limits.connections),
        ("connections_per_address", limits.connections_per_address),
    ];
    for (key, count) in counts {
        root.add(&format!("edge/{key}"), count.to_string(), DEFAULT);
    }
}

impl Branch {
    fn branch(&mut self, name: &str) -> Option<&mut Self> {
        self.0.iter_mut().find_map(|(known, tree)| match tree {
            Tree::Branch(branch) if known == name => Some(branch),
            Tree::Branch(_) | Tree::Leaf { .. } | Tree::Items(_) | Tree::Note(_) => None,
        })
    }

    fn put(&mut self, name: &str, tree: Tree) {
        self.0.push((name.to_owned(), tree));
    }

    /// A value that is not written anywhere; what is written stays.
    fn add(&mut self, path: &str, text: String, origin: &str) {
        let (name, below) = path.split_once('/').map_or((path, None), |(name, below)| (name, Some(below)));
        let found = self.0.iter().position(|(known, _)| known == name);
        match (below, found.and_then(|at| self.0.get_mut(at))) {
            (None, None) => self.put(name, Tree::Leaf { text, origin: origin.to_owned() }),
            (Some(below), Some((_, Tree::Branch(branch)))) => branch.add(below, text, origin),
            (Some(below), None) => {
                let mut branch = Self::default();
                branch.add(below, text, origin);
                self.put(name, Tree::Branch(branch));
            }
            (None, Some(_)) | (Some(_), Some((_, Tree::Leaf { .. } | Tree::Items(_) | Tree::Note(_)))) => {}
        }
    }

    /// A value that the command line may have replaced.
    fn replace(&mut self, path: &str, text: String, option: Option<&str>) {
        if let Some(option) = option {
            let (section, key) = path.split_once('/').unwrap_or((path, ""));
            if let Some((_, Tree::Branch(branch))) = self.0.iter_mut().find(|(name, _)| name == section) {
                branch.0.retain(|(name, _)| name != key);
            }
            self.add(path, text, option);
        } else {
            self.add(path, text, DEFAULT);
        }
    }

    /// The origin stands behind a tab, for [`aligned`].
    fn write(&self, depth: usize, out: &mut String) {
        let indent = "  ".repeat(depth);
        for (name, tree) in &self.0 {
            let name = flow(&Value::from(name.as_str()));
            // Writing to a string cannot fail.
            let _ = match tree {
                Tree::Leaf { text, origin } => writeln!(out, "{indent}{name}: {text}\t{origin}"),
                Tree::Items(items) => {
                    let lines = items.iter().map(|(text, origin)| format!("{indent}  - {text}\t{origin}\n"));
                    writeln!(out, "{indent}{name}:").map(|()| out.extend(lines))
                }
                Tree::Branch(branch) => writeln!(out, "{indent}{name}:").map(|()| branch.write(depth + 1, out)),
                Tree::Note(text) => writeln!(out, "{indent}# {text}"),
            };
        }
    }
}

/// Origins as comments in one column, but for lines that are too long for it.
fn aligned(text: &str) -> String {
    let lines = || text.lines().map(|line| line.split_once('\t').map_or((line, None), |(left, at)| (left, Some(at))));
    let widths = lines().filter(|(_, origin)| origin.is_some()).map(|(left, _)| left.chars().count());
    let column = widths.filter(|width| *width <= COLUMN_MAX).max().unwrap_or_default();
    lines()
        .map(|(left, origin)| match origin {
            Some(origin) => format!("{left:column$}  # {origin}\n"),
            None => format!("{left}\n"),
        })
        .collect()
}

/// A longer line pushes its own comment aside, and no other.
const COLUMN_MAX: usize = 72;
