//! Secrets that someone wrote into a policy, where only references may stand. A report must not carry them on into a
//! CI log.

use crate::json::{Document, Kind, Node};
use std::ops::Range;

/// Which bytes of the text must not be shown. The tree of a text that can be read numbers them from `base`.
pub(super) fn hidden(text: &str, document: Option<&Document>, base: usize) -> Vec<Range<usize>> {
    let mut hidden = Vec::new();
    if let Some(document) = document {
        let places = by_place(&document.root).into_iter();
        hidden.extend(places.map(|at| at.start.saturating_sub(base)..at.end.saturating_sub(base)));
    }
    // Of what is written twice, not all is in the tree.
    if document.is_none_or(|document| !document.repeated().is_empty()) {
        hidden.extend(by_eye(text, &["from", "sign", "secret", "password", "token"]));
    }
    hidden.extend(passwords(text));
    hidden
}

/// The same of a sender's file, in which no secret has a place: there `from` says where a time is.
pub(super) fn hidden_in_sender(text: &str) -> Vec<Range<usize>> {
    let mut hidden = by_eye(text, &["secret"]);
    hidden.extend(passwords(text));
    hidden
}

/// Every text where a reference is due and none stands.
fn by_place(root: &Node) -> Vec<Range<usize>> {
    let mut hidden = Vec::new();
    let destinations = root.find("/destinations").into_iter().flat_map(Node::members);
    let of_destinations = destinations.flat_map(|(_, destination)| {
        ["/sign", "/password", "/token"].into_iter().filter_map(|key| destination.find(key))
    });
    for node in root.find("/secret").into_iter().chain(of_destinations) {
        hide(node, &mut hidden);
    }
    let issuers = root.find("/issuers").into_iter().flat_map(Node::members);
    let keys = issuers.flat_map(|(_, issuer)| ["/from", "/pem"].map(|key| issuer.find(key))).flatten();
    for node in keys.chain(root.find("/identity/sign")) {
        hide(node, &mut hidden);
    }
    for (_, list) in root.find("/keys").into_iter().flat_map(Node::members) {
        hide_key(list, &mut hidden);
    }
    hidden
}

fn hide_key(node: &Node, hidden: &mut Vec<Range<usize>>) {
    match &node.kind {
        Kind::Array(items) => items.iter().for_each(|item| hide_key(item, hidden)),
        Kind::Object(members) => {
            for (name, member) in members {
                if !matches!(name.as_str(), "id" | "retire") {
                    hide(member, hidden);
                }
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => hide(node, hidden),
    }
}

fn hide(node: &Node, hidden: &mut Vec<Range<usize>>) {
    match &node.kind {
        Kind::Array(items) => items.iter().for_each(|item| hide(item, hidden)),
        Kind::Object(members) => members.values().for_each(|member| hide(member, hidden)),
        Kind::String(text) if is_reference(text) => {}
        Kind::String(_) | Kind::Number(_) => hidden.push(node.at.clone()),
        Kind::Null | Kind::Bool(_) => {}
    }
}

/// In a text that is no YAML, whatever follows one of these names on its line.
fn by_eye(text: &str, names: &[&str]) -> Vec<Range<usize>> {
    let mut hidden = Vec::new();
    for name in names {
        for (at, _) in text.match_indices(*name) {
            let Some(after) = text.get(at + name.len()..) else { continue };
            let line = after.split('\n').next().unwrap_or_default();
            let Some((between, value)) = line.split_once(':') else { continue };
            let value = value.trim_start_matches([' ', '\t', '"', '\'']);
            if between.trim_matches([' ', '"', '\'']).is_empty() && !is_reference(value) {
                let end = at + name.len() + line.len();
                hidden.push(end - value.len()..end);
            }
        }
    }
    hidden
}

fn is_reference(text: &str) -> bool {
    ["env:", "file:", "handed:"].iter().any(|kind| text.starts_with(kind))
}

/// What stands between `://` and an `@` before the URL's path.
fn passwords(text: &str) -> Vec<Range<usize>> {
    let mut hidden = Vec::new();
    for (at, _) in text.match_indices("://") {
        let start = at + 3;
        let rest = text.get(start..).unwrap_or_default();
        let authority = rest.split(['/', '\n', ' ', '"', '\'', '?', '#']).next().unwrap_or_default();
        if let Some(length) = authority.rfind('@') {
            hidden.push(start..start + length);
        }
    }
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let document = crate::json::read_yaml(text).ok();
        let ranges = hidden(text, document.as_ref(), 0);
        text.char_indices().filter(|(at, _)| !ranges.iter().any(|range| range.contains(at))).map(|(_, c)| c).collect()
    }

    #[test]
    fn a_secret_in_a_policy_is_not_shown_wherever_it_stands() {
        for text in [
            "secret: s3cr3t",
            "keys: { a: s3cr3t }",
            "keys: { a: [s3cr3t] }",
            "keys: { a: [{ id: a, from: s3cr3t }] }",
            "keys: { a: [{ id: a, secret: s3cr3t }] }",
            "keys: { a: [{ id: a, from: [s3cr3t] }] }",
            "destinations: { a: { sign: s3cr3t } }",
            "destinations: { a: { password: s3cr3t } }",
            "destinations: { a: { token: s3cr3t } }",
            "origin: { url: 'http://u:s3cr3t@host/' }",
            "keys: { a: [{ id: a, from: s3cr3t",
            "secret: 's3cr3t\n",
        ] {
            assert!(!shown(text).contains("s3cr3t"), "{}", shown(text));
        }
        for reference in ["env:NAME", "file:secrets/a", "handed:asana"] {
            assert!(shown(&format!("keys: {{ a: [{{ id: a, from: {reference} }}] }}")).contains(reference));
        }
        assert!(hidden_in_sender("ts: { from: 'kv:t' }").is_empty());
        assert_eq!(hidden_in_sender("key: { secret: s3cr3t }").first(), Some(&(15..23)));
    }
}
