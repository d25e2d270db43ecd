//! Variables that somebody expects to be filled in. None are: a policy says the same wherever it is read, and its digest too.

use super::{
    report::{Note, Severity},
    source::Texts,
};
use crate::json::{Document, Kind, Node, Wrong};

/// Tells each text with a variable in it, in the place of whatever else was found wrong with that text.
pub(super) fn told(document: &Document, texts: &Texts<'_>, found: &mut Vec<Note>) {
    let mut told = Vec::new();
    look(&document.root, &mut |node, name| {
        let at = document.place(node);
        found.retain(|note| (note.wrong.start, note.wrong.end) != (at.start, at.end));
        let message = if is_hidden(texts, at.start) {
            // It may be the secret itself, which begins so.
            "variables are not filled in; write where the secret is, such as `env:STRIPE_SECRET`, without `$`"
                .to_owned()
        } else {
            format!(
                "`{name}` stays as it is, because variables are not filled in; write the value, and what differs from stage to \
                 stage in `env/NAME.yaml`"
            )
        };
        told.push(Note { wrong: Wrong::new(at, message), severity: Severity::Error });
    });
    found.append(&mut told);
}

/// Whether a reference to a secret is due here.
fn is_hidden(texts: &Texts<'_>, byte: usize) -> bool {
    texts.at(byte).is_some_and(|placed| {
        let here = byte.saturating_sub(placed.base);
        placed.hidden().iter().any(|hidden| hidden.contains(&here))
    })
}

fn look(node: &Node, tell: &mut impl FnMut(&Node, &str)) {
    match &node.kind {
        Kind::Object(members) => members.iter().for_each(|(_, value)| look(value, tell)),
        Kind::Array(items) => items.iter().for_each(|item| look(item, tell)),
        Kind::String(text) => {
            if let Some(name) = variable(text) {
                tell(node, name);
            }
        }
        Kind::Bool(_) | Kind::Number(_) | Kind::Null => {}
    }
}

/// `${NAME}` anywhere, or `$NAME` that is all there is. A JSONPath begins with `$` too, and goes on with `.` or `[`.
fn variable(text: &str) -> Option<&str> {
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if text.strip_prefix('$').is_some_and(is_name) {
        return Some(text);
    }
    text.match_indices("${").find_map(|(at, _)| {
        let (inside, _) = text.get(at + 2..)?.split_once('}')?;
        // With a default, as a shell would take it.
        let name = inside.split([':', '-']).next().unwrap_or_default();
        is_name(name).then(|| text.get(at..at + inside.len() + 3)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_variable_is_one() {
        for (text, expected) in [
            ("${HOST}", Some("${HOST}")),
            ("http://${HOST}:8080", Some("${HOST}")),
            ("a${}b${x_1}", Some("${x_1}")),
            ("$SECRET", Some("$SECRET")),
            ("${PORT:-80}", Some("${PORT:-80}")),
            ("$", None),
            ("$.card.number", None),
            ("$..card", None),
            ("$['a']", None),
            ("shop.orders.{id}", None),
            ("5$", None),
            ("${9}", None),
            ("a $b", None),
        ] {
            assert_eq!(variable(text), expected, "{text}");
        }
    }
}
