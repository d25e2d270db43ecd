//! What no text of an entry may be, whatever it means: nothing, white space, control characters, without end, or in a list twice.

use crate::json::{Document, Kind, Node, Wrong};

/// A thing to say of a value: no text that a vendor sends, or hears, has a quarter of it.
const TEXT_BYTES_MAX: usize = 4096;
/// Names and claims have some dozen.
const NAME_BYTES_MAX: usize = 256;

/// All texts that are none.
pub(super) fn untidy(document: &Document) -> Vec<Wrong> {
    let mut found = Vec::new();
    walk(&document.root, &mut Vec::new(), document, &mut found);
    found
}

fn walk<'a>(node: &'a Node, above: &mut Vec<&'a str>, document: &Document, found: &mut Vec<Wrong>) {
    match &node.kind {
        Kind::String(text) => {
            if let Some(why) = why(text, above) {
                found.push(Wrong::new(document.place(node), why));
            }
        }
        Kind::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                let is_again = item.text().is_some_and(|text| {
                    items.iter().take(at).any(|other| other.text() == Some(text)) && !may_repeat(above)
                });
                if is_again {
                    let message =
                        format!("`{}` stands in this list twice; leave one out", item.text().unwrap_or_default());
                    found.push(Wrong::new(document.place(item), message));
                }
                walk(item, above, document, found);
            }
        }
        Kind::Object(members) => {
            for (name, value) in members {
                if let Some(why) = why_no_name(name) {
                    let place = document.name(value).unwrap_or_else(|| document.place(value));
                    found.push(Wrong::new(place, why));
                }
                above.push(name);
                walk(value, above, document, found);
                above.pop();
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) => {}
    }
}

fn why(text: &str, above: &[&str]) -> Option<String> {
    if text.trim().is_empty() && !may_be_empty(above) {
        return Some("nothing stands here; write something, or leave the key out".to_owned());
    }
    let odd = |letter: &char| letter.is_control() && !(may_break(above) && matches!(letter, '\n' | '\r' | '\t'));
    if let Some(odd) = text.chars().find(odd) {
        return Some(format!("a control character (U+{:04X}) has no place here; leave it out", u32::from(odd)));
    }
    too_long(text, TEXT_BYTES_MAX)
}

fn why_no_name(name: &str) -> Option<String> {
    if name.trim().is_empty() {
        return Some("this has no name; write one, or leave it out".to_owned());
    }
    if name.chars().any(char::is_control) {
        return Some("a control character has no place in a name; leave it out".to_owned());
    }
    too_long(name, NAME_BYTES_MAX)
}

fn too_long(text: &str, most: usize) -> Option<String> {
    (text.len() > most).then(|| format!("this has {} bytes, and {most} at most are taken here", text.len()))
}

/// What is sent, or held against what is sent: there, nothing is something too.
fn may_be_empty(above: &[&str]) -> bool {
    matches!(
        above,
        [.., "accepted_body" | "unauthenticated_body" | "is" | "prefix"] | [.., "when", "query" | "header" | "json", _]
    )
}

/// Prose, and what is sent as it is written.
fn may_break(above: &[&str]) -> bool {
    matches!(
        above,
        ["answers" | "retries" | "disables"]
            | ["source", "how"]
            | ["scheme", "message"]
            | ["respond", "accepted_body" | "unauthenticated_body"]
            | ["challenge", "reply", "text", "is" | "prefix"]
            | ["challenge", "reply", "members", ..]
    )
}

/// A signed text has as many dots as it has.
fn may_repeat(above: &[&str]) -> bool {
    above == ["scheme", "message"]
}
